/* Fuzz target: a container of any built-in type in binary or, if the first bit is set, in text. Input: two bytes for its OID, one for what else is
 * done with it, then the bytes, in a block of exactly their size.
 * Holds: no read beyond the block; what was decoded prints with the length that was said, at any size of buffer; it goes out as the same
 * bytes, and so does what is made of its elements; a refusal has a message and a sqlstate, with or without an error; a parameter never takes
 * more than was foretold, and held it is the same. What was read from text lies in a block of the size that was foretold, is good binary, prints as
 * a text that is read as the same, and goes into no block that is smaller than itself.
 * Read first: lib/codec/nested.h. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/codec/nested.h"

#define ONLY_HEAD 3
#include "test/fuzz/only.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST 64

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static bool is_container(uint32_t type)
{
    const tusk__codec *codec = tusk__codec_of(type);

    return codec && tusk__container_of(codec);
}

/* The type of that OID, or one of them. */
static uint32_t container(uint32_t n)
{
    static uint32_t types[512];
    static unsigned n_types;

    for (uint32_t oid = 0; n_types == 0 || (oid > 0 && oid < 10000); oid++)
        if (is_container(oid))
            types[n_types++] = oid;
    return is_container(n) ? n : types[n % n_types];
}

static void refused(tusk_code code, const tusk_error *err)
{
    require(code == err->code && code == TUSK_ERR_VALUE);
    require(err->message[0] != '\0' && strlen(err->sqlstate) == 5);
}

/* Whole, and cut. */
static void print(const tusk_value *value, size_t cut)
{
    const tusk__codec *codec = tusk__codec_of(value->type);
    size_t len = codec->print(value, NULL, 0), size = cut % (len + 1) + 1;
    char *text = malloc(len + 1), *part = malloc(size);

    require(text != NULL && part != NULL);
    require(codec->print(value, text, len + 1) == len && text[len] == '\0');
    require(codec->print(value, part, size) == len && part[size - 1] == '\0');
    require(memcmp(text, part, size - 1) == 0);
    free(text);
    free(part);
}

/* The parameter's bytes are those: all of them, or none (text that is not UTF-8, a vector that has no elements). */
static void transmit(const tusk_value *value, tusk_str bytes, bool may_differ)
{
    tusk__writer b;
    uint16_t format = 99;
    tusk_error err = {0};
    tusk_code code;

    tusk__writer_init(&b, tusk_allocator_default());
    code = tusk__param_encode(&b, value, 0, &format, &err);
    if (code == TUSK_OK) {
        require(format == 1 && b.len <= tusk__param_size(value) && tusk__be32(b.buf) == b.len - 4);
        require(may_differ || tusk_str_equal(tusk_str_from(b.buf + 4, b.len - 4), bytes));
    } else {
        require(code == err.code && err.message[0] != '\0' && strlen(err.sqlstate) == 5);
    }
    tusk__writer_clear(&b);
}

static void hold_and_send(const tusk_value *value, tusk_str bytes, bool may_differ)
{
    size_t size = 0;
    tusk_value held = *value;
    uint8_t *memory, *at;

    require(tusk__value_held_size(value, &size));
    at = memory = malloc(size + 1);
    require(memory != NULL);
    tusk__value_hold(&held, &at);
    require((size_t)(at - memory) <= size);
    transmit(&held, bytes, may_differ);
    free(memory);
}

/* ---- arrays ---------------------------------------------------------------------------------------------------------------------------- */

/* A flag without NULLs, dimensions of nothing, and a signalling NaN are not made again. */
static void make_again(const tusk_array_view *view, tusk_str bytes)
{
    tusk_value values[MOST], made;
    tusk_array_parts parts = {.values = values, .ndim = view->ndim, .dims = view->dims, .lower = view->lower};

    if (view->n == 0 || view->n > MOST)
        return;
    for (tusk_array_iter it = tusk_array_begin(view); tusk_array_next(&it, &values[parts.n], NULL) == TUSK_OK;)
        parts.n++;
    require(parts.n == view->n);
    made = tusk_array_of(view->type, &parts);
    hold_and_send(&made, bytes, (view->n_nulls == 0 && view->wire[7] != 0) || view->element == TUSK_OID_FLOAT4);
}

static void into_c(const tusk_array_view *view)
{
    union {
        bool booleans[MOST];
        int16_t two[MOST];
        int32_t four[MOST];
        int64_t eight[MOST];
        uint32_t oids[MOST];
        float narrow[MOST];
        double wide[MOST];
        tusk_str views[MOST];
        uint8_t uuids[MOST][16];
    } out;
    uint8_t valid[MOST / 8];

    (void)tusk_array_to_bool(view, out.booleans, MOST, valid, NULL);
    (void)tusk_array_to_int2(view, out.two, MOST, valid, NULL);
    (void)tusk_array_to_int4(view, out.four, MOST, NULL, NULL);
    (void)tusk_array_to_int8(view, out.eight, MOST, valid, NULL);
    (void)tusk_array_to_oid(view, out.oids, MOST, valid, NULL);
    (void)tusk_array_to_float4(view, out.narrow, MOST, valid, NULL);
    (void)tusk_array_to_float8(view, out.wide, MOST, NULL, NULL);
    (void)tusk_array_to_date(view, out.four, MOST, valid, NULL);
    (void)tusk_array_to_time(view, out.eight, MOST, valid, NULL);
    (void)tusk_array_to_timestamp(view, out.eight, MOST, valid, NULL);
    (void)tusk_array_to_timestamptz(view, out.eight, MOST, valid, NULL);
    (void)tusk_array_to_text(view, out.views, MOST, valid, NULL);
    (void)tusk_array_to_bytea(view, out.views, MOST, valid, NULL);
    (void)tusk_array_to_uuid(view, out.uuids, MOST, valid, NULL);
}

/* ---- ranges ---------------------------------------------------------------------------------------------------------------------------- */

/* Their numbers are of one form each, so what is made of them is the same. */
static void view_range(const tusk_value *value, tusk_str bytes)
{
    tusk__resolved type = tusk__resolve_type(NULL, value->type);
    tusk_range_parts range;
    tusk_value made;

    require(tusk__range_parts_of(NULL, &type, value->as.bytes, 0, &range, NULL) == TUSK_OK);
    made = tusk_range(&range);
    hold_and_send(&made, bytes, false);
}

static void view_multirange(const tusk_value *value, tusk_str bytes)
{
    tusk__resolved type = tusk__resolve_type(NULL, value->type);
    tusk_multirange_view view;
    tusk_range_parts ranges[MOST];
    tusk_multirange_parts parts = {value->type, ranges, 0};
    tusk_value made;

    require(tusk__multirange_view_of(&type, value->as.bytes, &view, NULL) == TUSK_OK);
    if (view.n > MOST)
        return;
    for (tusk_multirange_iter it = tusk_multirange_begin(&view);
         tusk_multirange_next(&it, &ranges[parts.n], NULL) == TUSK_OK;)
        parts.n++;
    require(parts.n == view.n);
    made = tusk_multirange_of(&parts);
    hold_and_send(&made, bytes, false);
}

/* The view alone promises less than the value. */
static void view_array(uint32_t type, tusk_str bytes, bool is_value)
{
    tusk_array_view view;
    tusk_array_iter it;
    tusk_value element;
    size_t n = 0, n_bad = 0;
    tusk_code code = tusk__array_view_of(type, bytes, &view, NULL);

    require(code == TUSK_OK || !is_value);
    if (code != TUSK_OK)
        return;
    it = tusk_array_begin(&view);
    for (; (code = tusk_array_next(&it, &element, NULL)) != TUSK_DONE; n++)
        n_bad += code != TUSK_OK;
    require(n == view.n && (n_bad == 0) == is_value);
    into_c(&view);
    if (is_value && type != TUSK_OID_ANYARRAY) /* of which there are no parameters */
        make_again(&view, bytes);
}

static void play(uint32_t type, size_t cut, tusk_str bytes)
{
    tusk_value value;
    tusk_error err = {0};
    tusk_code code = tusk__value_decode(type, 1, bytes, &value, &err);

    require(tusk__value_decode(type, 1, bytes, &value, NULL) == code);
    if (tusk__type_is_array(type))
        view_array(type, bytes, code == TUSK_OK);
    if (code != TUSK_OK) {
        refused(code, &err);
        return;
    }
    require(value.type == type && value.kind == TUSK_KIND_WIRE);
    print(&value, cut);
    if (tusk__codec_of(type)->decode == tusk__range_decode)
        view_range(&value, bytes);
    if (tusk__codec_of(type)->decode == tusk__multirange_decode)
        view_multirange(&value, bytes);
    hold_and_send(&value, bytes, false);
}

/* ---- from text ------------------------------------------------------------------------------------------------------------------------- */

/* Into a block of exactly that size, which the caller frees. */
static tusk_code read_text(uint32_t type, tusk_str text, size_t size, unsigned char **room, tusk_value *out)
{
    tusk_error err = {0};
    tusk_code code;

    *room = malloc(size > 0 ? size : 1);
    require(*room != NULL);
    code = tusk_value_from_text(type, text, *room, size, out, &err);
    require(tusk_value_from_text(type, text, *room, size, out, NULL) == code && err.code == code);
    require(code == TUSK_OK || (err.message[0] != '\0' && strlen(err.sqlstate) == 5));
    require(code == TUSK_OK || code == TUSK_ERR_VALUE || code == TUSK_ERR_LIMIT || code == TUSK_ERR_TYPE);
    return code;
}

/* Some numbers of a few characters have a hundred thousand digits. */
#define LONG_TEXT 10000

/* What is printed is read as the same, and the other way round. */
static void print_and_read(const tusk_value *value)
{
    const tusk__codec *codec = tusk__codec_of(value->type);
    size_t len = codec->print(value, NULL, 0);
    unsigned char *room;
    tusk_value again;
    char *text;

    if (len > LONG_TEXT)
        return;
    text = malloc(len + 1);
    require(text != NULL && codec->print(value, text, len + 1) == len);
    require(read_text(value->type, tusk_str_from(text, len),
                      tusk_value_from_text_size(value->type, tusk_str_from(text, len)), &room, &again) == TUSK_OK);
    require(tusk_str_equal(again.as.bytes, value->as.bytes));
    free(room);
    free(text);
}

static void play_text(uint32_t type, size_t cut, tusk_str text)
{
    size_t size = tusk_value_from_text_size(type, text), less;
    unsigned char *room, *part;
    tusk_value value, checked;
    tusk_code code = read_text(type, text, size, &room, &value), again;

    require(size <= TUSK_FROM_TEXT_SIZE(text.len) && code != TUSK_ERR_LIMIT);
    less = size * cut / 256;
    again = read_text(type, text, less, &part, &checked);
    free(part);
    require(again == code || again == TUSK_ERR_LIMIT);
    if (code == TUSK_OK) {
        require(again != TUSK_OK || value.as.bytes.len <= less);
        require(value.kind == TUSK_KIND_WIRE && value.as.bytes.ptr == (const char *)room && value.as.bytes.len <= size);
        require(tusk__value_decode(type, 1, value.as.bytes, &checked, NULL) == TUSK_OK);
        print_and_read(&value);
    }
    free(room);
}

/* ---- one decoder alone: a range, a multirange, or an array of what has a decoder of its own; in binary, or in text ------------------------ */

#define IS_TEXT 0x80

static bool is_first(uint32_t type)
{
    const tusk__codec *element = tusk__codec_of(tusk__type_element(type)),
                      *other; /* NULL: of anyarray, whose bytes say it */

    for (uint32_t before = 0; element && tusk__type_is_array(type) && before < type; before++) {
        other = is_container(before) && tusk__type_is_array(before) ? tusk__codec_of(tusk__type_element(before)) : NULL;
        if (other && other->decode == element->decode && tusk__codec_of(before)->decode == tusk__codec_of(type)->decode)
            return false;
    }
    return true;
}

static bool is_read_from_text(uint32_t type)
{
    return type != TUSK_OID_TSVECTOR_ARRAY && type != TUSK_OID_TSQUERY_ARRAY && type != TUSK_OID_ANYARRAY;
}

/* Of those in the one format; 0: there are no more. */
static uint32_t decoder_in(unsigned n, bool is_text)
{
    static uint32_t all[2][512];
    static unsigned n_all[2];
    uint32_t *found = all[is_text];
    unsigned *n_found = &n_all[is_text];

    for (uint32_t oid = 0; *n_found == 0 || (oid > 0 && oid < 10000); oid++)
        if (is_container(oid) && is_first(oid) && (!is_text || is_read_from_text(oid)))
            found[(*n_found)++] = oid;
    return n < *n_found ? found[n] : 0;
}

/* Those in text come behind all others. */
static uint32_t decoder(unsigned n, bool *is_text)
{
    static unsigned n_binary;

    while (decoder_in(n_binary, false) != 0)
        n_binary++;
    *is_text = n >= n_binary;
    return decoder_in(*is_text ? n - n_binary : n, *is_text);
}

static bool decoder_name(unsigned n, char name[ONLY_NAME_SIZE])
{
    bool is_text;
    uint32_t type = decoder(n, &is_text);

    if (type == 0)
        return false;
    snprintf(name, ONLY_NAME_SIZE, "%s%s", tusk__type_name(type), is_text ? ".text" : "");
    return true;
}

static uint32_t type_in(const uint8_t head[ONLY_HEAD])
{
    return container((uint32_t)(head[0] & ~IS_TEXT) << 8 | head[1]);
}

static bool is_decoders(unsigned n, const uint8_t head[ONLY_HEAD])
{
    bool is_text;

    return type_in(head) == decoder(n, &is_text) && is_text == !!(head[0] & IS_TEXT);
}

static void put_head(unsigned n, uint8_t head[ONLY_HEAD])
{
    bool is_text;
    uint32_t type = decoder(n, &is_text);

    head[0] = (uint8_t)(type >> 8 | (is_text ? IS_TEXT : 0));
    head[1] = (uint8_t)type;
}

/* Now and then what every text has: braces or brackets, and something between them. */
static size_t shape_text(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    const tusk__codec *codec = tusk__codec_of(type_in(data));

    if (seed % 4 != 0 || max_size < ONLY_HEAD + 3)
        return size;
    while (size < ONLY_HEAD + 3)
        data[size++] = ',';
    data[ONLY_HEAD] = codec->decode == tusk__range_decode ? '[' : codec->decode == tusk__record_decode ? '(' : '{';
    data[size - 1] = data[ONLY_HEAD] == '{' ? '}' : ')';
    return size;
}

/* An array names its element's type, in four bytes: without them no element is ever looked at. And often it is one element that takes the
 * rest. */
static size_t shape(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    static const uint8_t one[] = {0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1};
    uint8_t *wire = data + ONLY_HEAD;

    if (data[0] & IS_TEXT)
        return shape_text(data, size, max_size, seed);
    if (!tusk__type_is_array(type_in(data)) || max_size < ONLY_HEAD + sizeof one + 4)
        return size;
    for (; size < ONLY_HEAD + sizeof one + 4; size++)
        data[size] = 0;
    if (seed % 4 == 0) {
        memcpy(wire, one, sizeof one);
        tusk__put32(wire + sizeof one, (uint32_t)(size - ONLY_HEAD - sizeof one - 4));
    }
    if (seed % 16 != 1)
        tusk__put32(wire + 8, tusk__type_element(type_in(data)));
    return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *block;

    if (size < ONLY_HEAD || is_another(data))
        return 0;
    block = malloc(size > 3 ? size - 3 : 1);
    require(block != NULL);
    memcpy(block, data + 3, size - 3);
    if (data[0] & IS_TEXT)
        play_text(type_in(data), data[2], tusk_str_from(block, size - 3));
    else
        play(type_in(data), data[2], tusk_str_from(block, size - 3));
    free(block);
    return 0;
}
