/* Fuzz target: a value of an extension's type in binary. Input: a byte for its type, then the bytes, in a block of exactly their size.
 * Holds: no read beyond the block; what was decoded prints, in as many characters as foretold; an hstore is walked over to its end, and it
 * and the floats of a vector go out as the same bytes; a refusal has a message and a sqlstate.
 * Read first: lib/codec/own.h. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/codec/own.h"

#define ONLY_HEAD 1
#include "test/fuzz/only.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"citext", "ltree",  "lquery",  "ltxtquery",
                                    "hstore", "vector", "halfvec", "sparsevec"};
#define N_NAMES (sizeof names / sizeof *names)

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static void check_print(const tusk__codec *codec, const tusk_value *value)
{
    size_t len = codec->print(value, NULL, 0);
    char *text = malloc(len + 1);

    require(text != NULL);
    require(codec->print(value, text, len + 1) == len && text[len] == '\0');
    free(text);
}

static void check_hstore(const tusk__codec *codec, const tusk_value *value)
{
    tusk_hstore_view h = tusk__hstore_view_of(value->as.bytes);
    tusk_hstore_pair pair;
    tusk__writer b;
    uint32_t n = 0;

    for (size_t at = 0; tusk_hstore_next(h, &at, &pair); n++)
        require(pair.key.ptr != NULL);
    require(n == h.n_pairs);
    tusk__writer_init(&b, tusk_allocator_default());
    require(codec->encode(&b, value, NULL) == TUSK_OK);
    require(tusk_str_equal(tusk_str_from(b.buf, b.len), value->as.bytes));
    tusk__writer_clear(&b);
}

static void check_vector(const tusk_value *value, float *floats, size_t n)
{
    tusk_value made = {.kind = TUSK_KIND_VECTOR, .as.bytes = tusk_str_from((const char *)floats, n * sizeof *floats)};
    tusk__writer b;

    tusk__vector_floats(value->as.bytes, floats);
    tusk__writer_init(&b, tusk_allocator_default());
    require(tusk__vector_encode(&b, &made, NULL) == TUSK_OK);
    require(tusk_str_equal(tusk_str_from(b.buf, b.len), value->as.bytes));
    tusk__writer_clear(&b);
}

static void check_floats(const tusk_value *value, bool is_half)
{
    size_t n = tusk__vector_n(value->as.bytes);
    float *floats = malloc(n * sizeof *floats);

    require(floats != NULL);
    if (is_half)
        tusk__halfvec_floats(value->as.bytes, floats);
    else
        check_vector(value, floats, n);
    free(floats);
}

static void check(const tusk__codec *codec, tusk_str bytes)
{
    tusk_value value;
    tusk_error err = {0};
    tusk_code code = tusk__codec_decode(codec, 16400, 1, bytes, &value, &err);

    if (code != TUSK_OK) {
        require(code == TUSK_ERR_VALUE && err.code == code && err.message[0] && strlen(err.sqlstate) == 5);
        require(tusk__codec_decode(codec, 16400, 1, bytes, &value, NULL) == code);
        return;
    }
    check_print(codec, &value);
    if (value.kind == TUSK_KIND_HSTORE)
        check_hstore(codec, &value);
    else if (strcmp(codec->name, "vector") == 0 || strcmp(codec->name, "halfvec") == 0)
        check_floats(&value, codec->name[0] == 'h');
}

/* ---- one decoder alone ------------------------------------------------------------------------------------------------------------- */

static bool decoder_name(unsigned n, char name[ONLY_NAME_SIZE])
{
    if (n >= N_NAMES)
        return false;
    snprintf(name, ONLY_NAME_SIZE, "%s", names[n]);
    return true;
}

static bool is_decoders(unsigned n, const uint8_t head[ONLY_HEAD])
{
    return head[0] % N_NAMES == n;
}

static void put_head(unsigned n, uint8_t head[ONLY_HEAD])
{
    head[0] = (uint8_t)n;
}

static size_t shape(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    (void)data, (void)max_size, (void)seed;
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tusk_type type = {.oid = 16400, .kind = TUSK_TYPE_BASE};
    uint8_t *block;

    if (size < ONLY_HEAD || is_another(data))
        return 0;
    type.name = tusk_str_of(names[data[0] % N_NAMES]);
    block = malloc(size > 1 ? size - 1 : 1);
    require(block != NULL);
    if (size > 1)
        memcpy(block, data + 1, size - 1);
    check(tusk__own_codec_of(&type), tusk_str_from(block, size - 1));
    free(block);
    return 0;
}
