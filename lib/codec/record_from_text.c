/* Records from text: fields in parentheses, with the types that the catalogue has for a composite's. Of a row without a name nobody has them: its
 * fields are text, of the type unknown.
 * Source: PostgreSQL docs, "Composite Types", "Composite Type Input and Output Syntax"; record_in in src/backend/utils/adt/rowtypes.c of
 * PostgreSQL 18. */
#include "lib/codec/from_text.h"

static tusk_code bad(const tusk__scan *s, tusk_str text, uint32_t type, const char *what, tusk_error *err)
{
    return tusk__text_bad(err, type, text.len - (size_t)(s->end - s->at), what);
}

/* The type was altered, or the text is none of its. */
static tusk_code bad_number(const tusk__resolved *type, size_t n, tusk_error *err)
{
    char label[TUSK__TYPE_LABEL_SIZE];

    return tusk__error_set(err, TUSK_ERR_STATE, NULL,
                           "%s in text: %zu fields, not %d as when it was looked up: tusk_types_forget()",
                           tusk__type_label(type->type, label), n, type->own->n_attributes);
}

static tusk_code make_field(tusk__maker *m, uint32_t type, const tusk__part *part, size_t i, int depth, tusk_error *err)
{
    bool is_first_error = err && err->code == TUSK_OK;
    tusk_code code;

    TUSK_TRY(tusk__make_u32(m, type, err));
    code = tusk__make_field(m, type, *part, depth, err);
    if (code != TUSK_OK && code != TUSK_ERR_LIMIT && is_first_error)
        tusk__nested_blame(err, "field %zu: ", i + 1);
    return code;
}

/* Which types are looked at, also where there is one field too many. */
static uint32_t type_of_field(const tusk__resolved *type, size_t i)
{
    return type->own ? type->own->attributes[i].type : TUSK_OID_UNKNOWN;
}

static size_t most_fields(const tusk__resolved *type)
{
    return type->own ? (size_t)type->own->n_attributes : TUSK_RECORD_FIELDS_MAX;
}

/* The parenthesis is taken. Nothing at all is one field that is NULL, unless it is known that there is none. */
static tusk_code make_fields(tusk__maker *m, const tusk__resolved *type, tusk__scan *s, tusk_str text, int depth,
                             size_t *n, tusk_error *err)
{
    size_t most = most_fields(type);
    tusk__part part;

    if (most == 0)
        return TUSK_OK;
    do {
        if (!tusk__take_part(s, ",)", &part))
            return bad(s, text, type->type, "no end of a field", err);
        if (*n == most && !type->own)
            return bad(s, text, type->type, "more fields than a record can have", err);
        if (*n == most)
            return bad_number(type, *n + 1, err);
        TUSK_TRY(make_field(m, type_of_field(type, *n), &part, *n, depth, err));
        ++*n;
    } while (tusk__take(s, ','));
    return TUSK_OK;
}

tusk_code tusk__record_make(tusk__maker *m, const tusk__resolved *type, tusk_str text, int depth, tusk_error *err)
{
    tusk__scan s = tusk__scan_of(text);
    size_t n_at = m->len, n = 0;

    TUSK_TRY(tusk__make_u32(m, 0, err));
    tusk__skip_spaces(&s);
    if (!tusk__take(&s, '('))
        return bad(&s, text, type->type, "no parenthesis", err);
    TUSK_TRY(make_fields(m, type, &s, text, depth, &n, err));
    if (!tusk__take(&s, ')'))
        return bad(&s, text, type->type, "no closing parenthesis", err);
    tusk__skip_spaces(&s);
    if (s.at < s.end)
        return bad(&s, text, type->type, "more than the record", err);
    if (type->own && n < most_fields(type))
        return bad_number(type, n, err);
    tusk__put32(m->start + n_at, (uint32_t)n);
    return TUSK_OK;
}
