/* Fuzz target: a container of the database's own types in binary. Input: a byte for its type, then the bytes, in a block of exactly their size.
 * Holds: no read beyond the block; what was decoded prints in as many characters as foretold, and goes out as the same bytes; a walk over a
 * record finds each of its fields where its position says; a refusal has a message and a sqlstate; a composite, an array, a range or a multirange
 * that is made of what was read is the same bytes, or was not of the types that it is declared with.
 * Read first: lib/codec/nested.h. */
#include <stdint.h>
#include <stdlib.h>

#include "lib/codec/nested.h"
#include "lib/codec/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const tusk_type_attribute attributes[] = {
    {{"n", 1}, TUSK_OID_INT4}, {{"m", 1}, 16400}, {{"l", 1}, 16401}, {{"t", 1}, TUSK_OID_TEXT}, {{"h", 1}, 16407}};

static const tusk_type types[] = {
    {.has_binary_input = true, .oid = 16400, .kind = TUSK_TYPE_ENUM},
    {.has_binary_input = true, .oid = 16401, .kind = TUSK_TYPE_ARRAY, .element = 16400},
    {.has_binary_input = true, .oid = 16402, .kind = TUSK_TYPE_COMPOSITE, .attributes = attributes, .n_attributes = 5},
    {.has_binary_input = true, .oid = 16403, .kind = TUSK_TYPE_ARRAY, .element = 16402},
    {.has_binary_input = true, .oid = 16404, .kind = TUSK_TYPE_RANGE, .element = TUSK_OID_NUMERIC},
    {.has_binary_input = true, .oid = 16405, .kind = TUSK_TYPE_MULTIRANGE, .element = 16404},
    {.has_binary_input = true, .oid = 16406, .kind = TUSK_TYPE_RANGE, .element = 16403},
    {.has_binary_input = true, .oid = 16407, .kind = TUSK_TYPE_BASE, .name = {"hstore", 6}},
    {.has_binary_input = true, .oid = 16408, .kind = TUSK_TYPE_BASE, .name = {"vector", 6}},
    {.has_binary_input = true, .oid = 16409, .kind = TUSK_TYPE_BASE, .name = {"nobodys", 7}},
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

/* ---- made again ------------------------------------------------------------------------------------------------------------------------- */

#define MADE_MAX 256

/* In binary they are the same bytes; as text they may go where an enum of no UTF-8, or a NUL, cannot. */
static void send_again(const tusk_value *made, uint32_t type, tusk_str bytes)
{
    tusk__writer b;
    uint16_t format = 0;
    tusk_error err = {0};
    tusk_code code;

    tusk__writer_init(&b, tusk_allocator_default());
    require(tusk__param_encode(&b, made, type, &format, NULL) == TUSK_AGAIN);
    code = tusk__own_param_encode(&b, &all, made, type, &format, &err);
    if (code == TUSK_OK && format == 1)
        require(tusk_str_equal(tusk_str_from(b.buf + 4, b.len - 4), bytes));
    else if (code != TUSK_OK)
        require(code == err.code && err.message[0] && strlen(err.sqlstate) == 5);
    tusk__writer_clear(&b);
}

/* Attributes have types: bytes that name others are not of this composite. */
static bool is_as_declared(const tusk_record_view *view)
{
    const uint8_t *p = view->wire + 4;

    if (view->n != sizeof attributes / sizeof *attributes)
        return false;
    for (size_t i = 0; i < view->n; i++) {
        uint32_t len = tusk__be32(p + 4);

        if (tusk__be32(p) != attributes[i].type)
            return false;
        p += 8 + (len == UINT32_MAX ? 0 : len);
    }
    return true;
}

/* A decoded field does not know the catalogue here: by its type it is read again. */
static bool read_again(tusk_value *field)
{
    return field->kind != TUSK_KIND_RAW ||
           tusk__nested_decode(&all, field->type, field->as.bytes, 1, field, NULL) == TUSK_OK;
}

static void make_record(const tusk_value *value, uint32_t type, tusk_str bytes)
{
    tusk_value fields[sizeof attributes / sizeof *attributes], made;
    tusk_record_view view;
    tusk_record_iter it;
    size_t n = 0;

    require(tusk_value_to_record(value, &view, NULL) == TUSK_OK);
    if (!is_as_declared(&view))
        return;
    for (it = tusk_record_begin(&view); tusk_record_next(&it, &fields[n], NULL) == TUSK_OK; n++)
        require(read_again(&fields[n]));
    made = tusk_record_of(0, &(tusk_record_parts){fields, n});
    send_again(&made, type, bytes);
}

static void make_array(const tusk_value *value, uint32_t type, uint32_t element, tusk_str bytes)
{
    tusk_value elements[MADE_MAX], made;
    tusk_array_view view;
    tusk_array_iter it;
    tusk_array_parts parts = {.values = elements};

    require(tusk_value_to_array(value, &view, NULL) == TUSK_OK);
    if (view.n > MADE_MAX || view.element != element || tusk__be32(view.wire + 4) != (view.n_nulls > 0) ||
        (view.n == 0 && view.ndim > 0))
        return;
    for (it = tusk_array_begin(&view); tusk_array_next(&it, &elements[parts.n], NULL) == TUSK_OK; parts.n++)
        require(read_again(&elements[parts.n]));
    parts.ndim = view.ndim;
    parts.dims = view.dims;
    parts.lower = view.lower;
    made = tusk_array_of(0, &parts);
    if (parts.n == view.n)
        send_again(&made, type, bytes);
}

static void make_range(uint32_t type, tusk_str bytes)
{
    tusk__resolved r = tusk__resolve_type(&all, type);
    tusk_range_parts range;
    tusk_value made;

    require(tusk__range_parts_of(&all, &r, bytes, 0, &range, NULL) == TUSK_OK);
    made = tusk_range_as(0, &range);
    send_again(&made, type, bytes);
}

static void make_again(const tusk__resolved *type, const tusk_value *value, tusk_str bytes)
{
    if (type->codec->decode == tusk__record_decode)
        make_record(value, type->type, bytes);
    else if (type->codec->decode == tusk__array_decode)
        make_array(value, type->type, type->element, bytes);
    else if (type->codec->decode == tusk__range_decode)
        make_range(type->type, bytes);
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
    if (r.codec)
        make_again(&r, &value, bytes);
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
