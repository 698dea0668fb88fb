/* Fuzz target: a container of the database's own types in binary. Input: a byte for its type, then the bytes, in a block of exactly their size.
 * Holds: no read beyond the block; what was decoded prints in as many characters as foretold, and goes out as the same bytes; a walk over a
 * record finds each of its fields where its position says; a refusal has a message and a sqlstate.
 * Read first: lib/codec/nested.h. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/codec/nested.h"
#include "lib/codec/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const tusk_type types[] = {
    {.oid = 16400, .kind = TUSK_TYPE_ENUM},
    {.oid = 16401, .kind = TUSK_TYPE_ARRAY, .element = 16400},
    {.oid = 16402, .kind = TUSK_TYPE_COMPOSITE},
    {.oid = 16403, .kind = TUSK_TYPE_ARRAY, .element = 16402},
    {.oid = 16404, .kind = TUSK_TYPE_RANGE, .element = TUSK_OID_NUMERIC},
    {.oid = 16405, .kind = TUSK_TYPE_MULTIRANGE, .element = 16404},
    {.oid = 16406, .kind = TUSK_TYPE_RANGE, .element = 16403},
    {.oid = 16407, .kind = TUSK_TYPE_BASE, .name = {"hstore", 6}},
    {.oid = 16408, .kind = TUSK_TYPE_BASE, .name = {"vector", 6}},
    {.oid = 16409, .kind = TUSK_TYPE_BASE, .name = {"nobodys", 7}},
};
#define N_TYPES (sizeof types / sizeof *types)

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static void find_type(const void *user, uint32_t type, tusk__resolved *out)
{
    (void)user;
    for (size_t i = 0; i < N_TYPES; i++)
        if (types[i].oid == type) {
            out->own = &types[i];
            out->element = types[i].element;
            out->codec = tusk__own_codec_of(&types[i]);
        }
}

static const tusk__types all = {find_type, NULL, NULL};

static void print(const tusk__codec *codec, const tusk_value *value)
{
    size_t len = 0, again = 0;
    char *text;

    if (tusk__nested_print(&all, codec, value, NULL, 0, &len, NULL) != TUSK_OK)
        return; /* it holds something of nobody's */
    text = malloc(len + 1);
    require(text != NULL);
    require(tusk__nested_print(&all, codec, value, text, len + 1, &again, NULL) == TUSK_OK && again == len);
    require(text[len] == '\0');
    free(text);
}

static void transmit(const tusk_value *value, tusk_str bytes)
{
    tusk__writer b;
    uint16_t format = 0;

    tusk__writer_init(&b, tusk_allocator_default());
    require(tusk__param_encode(&b, value, 0, &format, NULL) == TUSK_OK && format == 1);
    require(tusk_str_equal(tusk_str_from(b.buf + 4, b.len - 4), bytes));
    tusk__writer_clear(&b);
}

static void walk(const tusk_value *value)
{
    tusk_record_view view;
    tusk_record_iter it;
    tusk_value field, same;
    size_t n = 0;

    require(tusk_value_to_record(value, &view, NULL) == TUSK_OK);
    for (it = tusk_record_begin(&view); tusk_record_next(&it, &field, NULL) != TUSK_DONE; n++)
        if (n < 8 && tusk_record_at(&view, n, &same, NULL) == TUSK_OK)
            require(same.type == field.type && same.kind == field.kind);
    require(n == view.n);
}

static void play(uint32_t type, tusk_str bytes)
{
    tusk__resolved r = tusk__resolve_type(&all, type);
    tusk_value value;
    tusk_error err = {0};
    tusk_code code = tusk__nested_decode(&all, type, bytes, 0, &value, &err);

    require(tusk__nested_decode(&all, type, bytes, 0, &value, NULL) == code);
    if (code != TUSK_OK) {
        require(code == TUSK_ERR_VALUE && err.code == code && err.message[0] && strlen(err.sqlstate) == 5);
        return;
    }
    if (r.codec)
        print(r.codec, &value);
    if (value.kind == TUSK_KIND_WIRE)
        transmit(&value, bytes);
    if (r.codec && r.codec->decode == tusk__record_decode)
        walk(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *block;

    if (size == 0)
        return 0;
    block = malloc(size > 1 ? size - 1 : 1);
    require(block != NULL);
    if (size > 1)
        memcpy(block, data + 1, size - 1);
    play(types[data[0] % N_TYPES].oid, tusk_str_from(block, size - 1));
    free(block);
    return 0;
}
