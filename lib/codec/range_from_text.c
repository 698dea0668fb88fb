/* Ranges and multiranges from text: [lower,upper) or empty, and those in braces.
 * What a range is when written canonically is left to the server, who prints it so.
 * Source: PostgreSQL docs, "Range Types", "Range Input/Output"; range_parse in src/backend/utils/adt/rangetypes.c and multirange_in in
 * multirangetypes.c, of PostgreSQL 18. */
#include "lib/codec/from_text.h"
#include "lib/codec/range_flags.h"

static tusk_code bad(const tusk__scan *s, tusk_str text, uint32_t type, const char *what, tusk_error *err)
{
    return tusk__text_bad(err, type, text.len - (size_t)(s->end - s->at), what);
}

/* In whatever letters. */
static bool take_empty(tusk__scan *s)
{
    static const char empty[] = "empty";
    size_t len = sizeof empty - 1;

    if ((size_t)(s->end - s->at) < len)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((s->at[i] | 0x20) != empty[i])
            return false;
    s->at += len;
    return true;
}

/* ---- ranges --------------------------------------------------------------------------------------------------------------------------- */

static tusk_code make_bound(tusk__maker *m, uint32_t subtype, const tusk__part *bound, int depth, const char *which,
                            tusk_error *err)
{
    bool is_first_error = err && err->code == TUSK_OK;
    tusk_code code = bound->is_null ? TUSK_OK : tusk__make_field(m, subtype, *bound, depth, err);

    if (code != TUSK_OK && code != TUSK_ERR_LIMIT && is_first_error)
        tusk__nested_blame(err, "%s bound: ", which);
    return code;
}

/* The bounds, between brackets of either kind. */
typedef struct parts {
    bool lower_inclusive, upper_inclusive;
    tusk__part lower, upper;
} parts;

static tusk_code take_parts(tusk__scan *s, tusk_str text, uint32_t type, parts *out, tusk_error *err)
{
    out->lower_inclusive = s->at < s->end && *s->at == '[';
    if (!tusk__take(s, '[') && !tusk__take(s, '('))
        return bad(s, text, type, "no bracket", err);
    if (!tusk__take_part(s, ",)]", &out->lower))
        return bad(s, text, type, "no end of the lower bound", err);
    if (!tusk__take(s, ','))
        return bad(s, text, type, "no comma behind the lower bound", err);
    if (!tusk__take_part(s, ",)]", &out->upper))
        return bad(s, text, type, "no end of the upper bound", err);
    out->upper_inclusive = *s->at == ']';
    if (!tusk__take(s, ']') && !tusk__take(s, ')'))
        return bad(s, text, type, "a comma behind the upper bound", err);
    return TUSK_OK;
}

static uint8_t flags_of(const parts *p)
{
    unsigned lower = p->lower.is_null ? NO_LOWER : p->lower_inclusive ? LOWER_INCLUSIVE : 0;
    unsigned upper = p->upper.is_null ? NO_UPPER : p->upper_inclusive ? UPPER_INCLUSIVE : 0;

    return (uint8_t)(lower | upper);
}

tusk_code tusk__range_make(tusk__maker *m, const tusk__resolved *type, tusk_str text, int depth, tusk_error *err)
{
    tusk__scan s = tusk__scan_of(text);
    uint32_t subtype = tusk__resolved_element(type);
    uint8_t *flags;
    parts p = {0};
    bool is_empty;

    tusk__skip_spaces(&s);
    is_empty = take_empty(&s);
    if (!is_empty)
        TUSK_TRY(take_parts(&s, text, type->type, &p, err));
    tusk__skip_spaces(&s);
    if (s.at < s.end)
        return bad(&s, text, type->type, "more than the range", err);
    flags = tusk__make_space(m, 1, err);
    if (!flags)
        return TUSK_ERR_LIMIT;
    *flags = is_empty ? EMPTY : flags_of(&p);
    if (is_empty)
        return TUSK_OK;
    TUSK_TRY(make_bound(m, subtype, &p.lower, depth, "lower", err));
    return make_bound(m, subtype, &p.upper, depth, "upper", err);
}

/* ---- multiranges ---------------------------------------------------------------------------------------------------------------------- */

/* One that is not empty, brackets and all, as it stands. */
static tusk_code take_range(tusk__scan *s, tusk_str text, uint32_t type, tusk__part *out, tusk_error *err)
{
    const char *start = s->at;
    parts p;

    TUSK_TRY(take_parts(s, text, type, &p, err));
    *out = (tusk__part){.text = tusk_str_from(start, (size_t)(s->at - start))};
    return TUSK_OK;
}

/* Empty ranges are left out, as the server leaves them out. */
static tusk_code make_range(tusk__maker *m, const tusk__resolved *type, tusk__scan *s, tusk_str text, int depth,
                            uint32_t *n, tusk_error *err)
{
    bool is_first_error = err && err->code == TUSK_OK;
    size_t at;
    tusk__part part;
    tusk_code code;

    tusk__skip_spaces(s);
    at = text.len - (size_t)(s->end - s->at);
    if (take_empty(s))
        return TUSK_OK;
    TUSK_TRY(take_range(s, text, type->type, &part, err));
    ++*n;
    code = tusk__make_field(m, tusk__resolved_element(type), part, depth, err);
    if (code != TUSK_OK && code != TUSK_ERR_LIMIT && is_first_error)
        tusk__nested_blame(err, "range %lu at offset %zu: ", (unsigned long)*n, at);
    return code;
}

static tusk_code make_ranges(tusk__maker *m, const tusk__resolved *type, tusk__scan *s, tusk_str text, int depth,
                             uint32_t *n, tusk_error *err)
{
    if (!tusk__take(s, '{'))
        return bad(s, text, type->type, "no brace", err);
    tusk__skip_spaces(s);
    if (tusk__take(s, '}'))
        return TUSK_OK;
    do {
        TUSK_TRY(make_range(m, type, s, text, depth, n, err));
        tusk__skip_spaces(s);
    } while (tusk__take(s, ','));
    return tusk__take(s, '}') ? TUSK_OK : bad(s, text, type->type, "no comma and no closing brace", err);
}

tusk_code tusk__multirange_make(tusk__maker *m, const tusk__resolved *type, tusk_str text, int depth, tusk_error *err)
{
    tusk__scan s = tusk__scan_of(text);
    size_t n_at = m->len;
    uint32_t n = 0;

    TUSK_TRY(tusk__make_u32(m, 0, err));
    tusk__skip_spaces(&s);
    TUSK_TRY(make_ranges(m, type, &s, text, depth, &n, err));
    tusk__skip_spaces(&s);
    if (s.at < s.end)
        return bad(&s, text, type->type, "more than the multirange", err);
    tusk__put32(m->start + n_at, n);
    return TUSK_OK;
}
