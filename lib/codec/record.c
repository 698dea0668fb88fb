/* Records: how many fields, and of each its type and itself as a field. Columns that were dropped are left out by the server.
 * A value is the binary format, checked: a view.
 * Source: PostgreSQL docs, "Composite Types"; record_recv, record_send and record_out in src/backend/utils/adt/rowtypes.c of
 * PostgreSQL 18. */
#include "lib/codec/nested.h"

/* Type and length word of each field. */
#define FIELD_HEADER 8

/* ---- the shape ------------------------------------------------------------------------------------------------------------------------- */

tusk_code tusk__record_view_of(uint32_t type, tusk_str wire, tusk_record_view *out, tusk_error *err)
{
    tusk__reader b = tusk__reader_of(wire);
    tusk_record_view view = {b.ptr, wire.len, type, tusk__read_u32(&b), NULL};

    if (b.bad)
        return tusk__nested_bad(err, type, "without its header");
    if (view.n > TUSK_RECORD_FIELDS_MAX)
        return tusk__nested_bad(err, type, "with more fields than a record can have");
    for (size_t i = 0; i < view.n; i++) {
        bool is_null;

        (void)tusk__read_u32(&b);
        (void)tusk__read_field(&b, &is_null);
    }
    if (b.bad || tusk__reader_left(&b) > 0)
        return tusk__nested_bad(err, type, "with more or fewer fields than it says");
    *out = view;
    return TUSK_OK;
}

/* ---- fields ---------------------------------------------------------------------------------------------------------------------------- */

tusk_record_iter tusk_record_begin(const tusk_record_view *record)
{
    tusk_record_iter it = {record->wire ? record->wire + 4 : NULL, record->n, record->n, record->query};

    return it;
}

/* Of a checked view: nothing is read beyond it. */
static uint32_t next_field(tusk_record_iter *it, tusk_str *bytes, bool *is_null)
{
    uint32_t type = tusk__be32(it->at), len = tusk__be32(it->at + 4);

    *is_null = len == UINT32_MAX;
    *bytes = tusk_str_from(it->at + FIELD_HEADER, *is_null ? 0 : len);
    it->at += FIELD_HEADER + bytes->len;
    it->left--;
    return type;
}

static tusk_code next_value(const tusk__types *types, tusk_record_iter *it, int depth, tusk_value *out, tusk_error *err)
{
    bool is_null, is_first_error = err && err->code == TUSK_OK;
    tusk_str bytes;
    tusk_code code;
    uint32_t type;

    if (it->left == 0)
        return TUSK_DONE;
    type = next_field(it, &bytes, &is_null);
    *out = tusk_null_of(type);
    if (is_null)
        return TUSK_OK;
    code = tusk__nested_decode(types, type, bytes, depth, out, err);
    if (code != TUSK_OK && is_first_error)
        tusk__nested_blame(err, "field %zu of %zu: ", it->n - it->left, it->n);
    return code;
}

tusk_code tusk_record_next(tusk_record_iter *it, tusk_value *out, tusk_error *err)
{
    tusk__types types = tusk__query_types(it->query);
    tusk_value value;
    tusk_code code;

    tusk__error_begin(err);
    code = next_value(&types, it, 1, &value, err);
    if (code == TUSK_OK)
        *out = value;
    return code;
}

tusk_code tusk_record_at(const tusk_record_view *record, size_t i, tusk_value *out, tusk_error *err)
{
    tusk_record_iter it = tusk_record_begin(record);
    tusk_str bytes;
    bool is_null;

    tusk__error_begin(err);
    if (i >= record->n)
        return tusk__error_set(err, TUSK_ERR_USAGE, NULL, "there is no field %zu: the record has %zu", i, record->n);
    for (; i > 0; i--)
        (void)next_field(&it, &bytes, &is_null);
    return tusk_record_next(&it, out, err);
}

#define WAS_ALTERED "If the type was altered since it was looked up: tusk_types_forget()."

static tusk_code refuse_count(const tusk_type *type, size_t n, tusk_error *err)
{
    tusk__error_set(err, TUSK_ERR_STATE, NULL,
                    "type \"" TUSK_STR_FMT "\" had %d fields when it was looked up, and this record has %zu",
                    TUSK_STR_ARG(type->name), type->n_attributes, n);
    tusk__error_hint(err, tusk_str_of(WAS_ALTERED));
    return TUSK_ERR_STATE;
}

static tusk_code refuse_field(const tusk__types *types, const tusk_type *type, size_t i, uint32_t have, tusk_error *err)
{
    char had[TUSK__TYPE_LABEL_SIZE], has[TUSK__TYPE_LABEL_SIZE];

    tusk__error_set(err, TUSK_ERR_STATE, NULL,
                    "type \"" TUSK_STR_FMT "\": field %zu, \"" TUSK_STR_FMT
                    "\", was %s when it was looked up, and in this record it is %s",
                    TUSK_STR_ARG(type->name), i + 1, TUSK_STR_ARG(type->attributes[i].name),
                    tusk__types_label(types, type->attributes[i].type, had), tusk__types_label(types, have, has));
    tusk__error_hint(err, tusk_str_of(WAS_ALTERED));
    return TUSK_ERR_STATE;
}

/* All fields, not the one alone: one that was dropped leaves its place to the next. */
static tusk_code check_fields(const tusk__types *types, const tusk_type *type, const tusk_record_view *record,
                              tusk_error *err)
{
    tusk_record_iter it = tusk_record_begin(record);
    tusk_str bytes;
    bool is_null;

    if ((size_t)type->n_attributes != record->n)
        return refuse_count(type, record->n, err);
    for (size_t i = 0; i < record->n; i++) {
        uint32_t have = next_field(&it, &bytes, &is_null);

        if (have != type->attributes[i].type)
            return refuse_field(types, type, i, have, err);
    }
    return TUSK_OK;
}

tusk_code tusk_record_index(const tusk_record_view *record, const char *name, size_t *out, tusk_error *err)
{
    tusk__types types = tusk__query_types(record->query);
    const tusk_type *type = tusk__resolve_type(&types, record->type).own;
    int i;

    tusk__error_begin(err);
    if (!record->wire)
        return tusk__error_set(err, TUSK_ERR_NULL, NULL, "there is no record in the view");
    if (record->type == TUSK_OID_RECORD)
        return tusk__error_set(err, TUSK_ERR_TYPE, NULL, "a row without a type's name: its fields have no names");
    if (!type)
        return TUSK_AGAIN;
    TUSK_TRY(check_fields(&types, type, record, err));
    i = tusk_type_attribute_index(type, name);
    if (i < 0)
        return tusk__error_set(err, TUSK_ERR_USAGE, NULL, "type \"" TUSK_STR_FMT "\" has no field \"%s\"",
                               TUSK_STR_ARG(type->name), name);
    *out = (size_t)i;
    return TUSK_OK;
}

tusk_code tusk_record_named(const tusk_record_view *record, const char *name, tusk_value *out, tusk_error *err)
{
    size_t i;

    TUSK_TRY(tusk_record_index(record, name, &i, err));
    return tusk_record_at(record, i, out, err);
}

tusk_code tusk__record_check(const tusk__types *types, const tusk__resolved *type, tusk_str wire, int depth,
                             tusk_error *err)
{
    tusk_record_view view;
    tusk_record_iter it;
    tusk_value value;
    tusk_code code;

    TUSK_TRY(tusk__record_view_of(type->type, wire, &view, err));
    it = tusk_record_begin(&view);
    do
        code = next_value(types, &it, depth + 1, &value, err);
    while (code == TUSK_OK);
    return code == TUSK_DONE ? TUSK_OK : code;
}

/* ---- decode and encode ---------------------------------------------------------------------------------------------------------------- */

tusk_code tusk__record_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    return tusk__nested_decode(NULL, out->type, bytes, 0, out, err);
}

tusk_code tusk__record_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    return tusk__container_parse(text, out, err);
}

tusk_code tusk__record_shape_check(const tusk_record_parts *parts, tusk_error *err)
{
    if (parts->n > TUSK_RECORD_FIELDS_MAX)
        return tusk__error_set(err, TUSK_ERR_LIMIT, TUSK__STATE_TOO_MANY,
                               "a record of %zu fields: there are %d at most", parts->n, TUSK_RECORD_FIELDS_MAX);
    return parts->n == 0 || parts->values
               ? TUSK_OK
               : tusk__error_set(err, TUSK_ERR_VALUE, NULL, "a record whose values are a NULL pointer");
}

/* The server wants each attribute's declared type to be named, not what a domain comes from. */
static tusk_code write_field(tusk__writer *b, const tusk__types *types, const tusk_type_attribute *attribute,
                             const tusk_value *value, tusk_error *err)
{
    tusk__resolved to = tusk__resolve_type(types, attribute->type);

    if (!tusk__is_received(&to))
        return TUSK_AGAIN;
    tusk__write_u32(b, to.declared);
    return tusk__element_encode(b, types, value, &to, err);
}

tusk_code tusk__record_write(tusk__writer *b, const tusk__types *types, const tusk__resolved *type,
                             const tusk_value *value, tusk_error *err)
{
    const tusk_record_parts *parts = value->as.record;
    bool is_first_error = err && err->code == TUSK_OK;

    if (!type->own)
        return tusk__error_set(err, TUSK_ERR_TYPE, NULL,
                               "no server takes a row without a type's name: give the OID of the composite, or 0");
    TUSK_TRY(tusk__record_shape_check(parts, err));
    if ((size_t)type->own->n_attributes != parts->n) /* it may have been altered since: the server knows */
        return TUSK_AGAIN;
    tusk__write_u32(b, (uint32_t)parts->n);
    for (size_t i = 0; i < parts->n; i++) {
        const tusk_type_attribute *attribute = &type->own->attributes[i];
        tusk_code code = write_field(b, types, attribute, &parts->values[i], err);

        if (code != TUSK_OK && is_first_error)
            tusk__nested_blame(err, "field %zu of %zu, \"" TUSK_STR_FMT "\": ", i + 1, parts->n,
                               TUSK_STR_ARG(attribute->name));
        TUSK_TRY(code);
    }
    return TUSK_OK;
}

/* A view may be of the caller's making: checked again. */
tusk_code tusk__record_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    tusk__resolved type = {.declared = value->type, .type = value->type};

    if (value->kind == TUSK_KIND_RECORD)
        return tusk__record_write(b, NULL, &type, value, err);
    TUSK_TRY(tusk__record_check(NULL, &type, value->as.bytes, 0, err));
    tusk__write_bytes(b, value->as.bytes);
    return TUSK_OK;
}

/* ---- print ------------------------------------------------------------------------------------------------------------------------------ */

static const tusk__quoting quoting = {"(),", 0, false};

/* NULL is nothing at all. */
static void put_field(tusk__sink *s, const tusk_value *value)
{
    if (value->kind != TUSK_KIND_NULL)
        tusk__sink_field(s, &quoting, value);
}

/* What each is declared as, as far as it is known. */
static void put_made(tusk__sink *s, const tusk_value *value)
{
    const tusk_type *own = tusk__resolve_type(s->types, value->type).own;
    const tusk_record_parts *parts = value->as.record;

    tusk__sink_put_char(s, '(');
    for (size_t i = 0; i < parts->n && !tusk__sink_is_done(s); i++) {
        bool is_known = own && i < (size_t)own->n_attributes;
        tusk_value field = tusk__typed(s->types, &parts->values[i], is_known ? own->attributes[i].type : 0);

        if (i > 0)
            tusk__sink_put_char(s, ',');
        put_field(s, &field);
    }
    tusk__sink_put_char(s, ')');
}

void tusk__record_put(tusk__sink *s, const tusk_value *value)
{
    tusk_record_view view;
    tusk_record_iter it;
    tusk_value field;

    if (value->kind == TUSK_KIND_RECORD) {
        put_made(s, value);
        return;
    }
    if (tusk__record_view_of(value->type, value->as.bytes, &view, NULL) != TUSK_OK)
        return;
    it = tusk_record_begin(&view);
    tusk__sink_put_char(s, '(');
    for (size_t i = 0; i < view.n && !tusk__sink_is_done(s); i++) {
        if (i > 0)
            tusk__sink_put_char(s, ',');
        if (next_value(s->types, &it, 0, &field, NULL) == TUSK_OK)
            put_field(s, &field);
    }
    tusk__sink_put_char(s, ')');
}

size_t tusk__record_print(const tusk_value *value, char *buf, size_t size)
{
    tusk__sink s = tusk__sink_of(buf, size);

    tusk__record_put(&s, value);
    return tusk__sink_end(&s);
}
