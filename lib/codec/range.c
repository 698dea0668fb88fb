/* Ranges: a byte of flags, and the bounds that there are as fields. Multiranges: how many, and each range as a field.
 * A value is the binary format, checked.
 * Source: PostgreSQL docs, "Range Types"; range_recv, range_send, range_serialize and range_deparse in
 * src/backend/utils/adt/rangetypes.c, multirange_recv in multirangetypes.c, of PostgreSQL 18. */
#include "lib/codec/nested.h"
#include "lib/codec/range_flags.h"

/* ---- the binary format of a range ------------------------------------------------------------------------------------------------------ */

/* Nothing else stands beside "empty", and what is not there is not inclusive. */
static bool are_flags(uint8_t flags)
{
    if (flags & EMPTY)
        return flags == EMPTY;
    return flags <= (EMPTY | LOWER_INCLUSIVE | UPPER_INCLUSIVE | NO_LOWER | NO_UPPER) &&
           (flags & (NO_LOWER | LOWER_INCLUSIVE)) != (NO_LOWER | LOWER_INCLUSIVE) &&
           (flags & (NO_UPPER | UPPER_INCLUSIVE)) != (NO_UPPER | UPPER_INCLUSIVE);
}

static tusk_code read_bound(const tusk__types *types, tusk__reader *b, uint32_t type, uint32_t subtype, int depth,
                            const char *which, tusk_value *out, tusk_error *err)
{
    bool is_null = false, is_first_error = err && err->code == TUSK_OK;
    tusk_str bytes = tusk__read_field(b, &is_null);
    tusk_code code;

    if (b->bad || is_null)
        return tusk__nested_bad(err, type, "without its %s bound", which);
    code = tusk__nested_decode(types, subtype, bytes, depth + 1, out, err);
    if (code != TUSK_OK && is_first_error)
        tusk__nested_blame(err, "%s bound: ", which);
    return code;
}

tusk_code tusk__range_parts_of(const tusk__types *types, const tusk__resolved *type, tusk_str wire, int depth,
                               tusk_range_parts *out, tusk_error *err)
{
    tusk__reader b = tusk__reader_of(wire);
    uint8_t flags = tusk__read_u8(&b);
    uint32_t oid = type->type, subtype = tusk__resolved_element(type);
    tusk_range_parts range = {.type = oid, .lower = tusk_null_of(subtype), .upper = tusk_null_of(subtype)};

    if (b.bad || !are_flags(flags))
        return tusk__nested_bad(err, oid, "with flags that are none");
    range.is_empty = (flags & EMPTY) != 0;
    range.lower_exclusive = !(flags & LOWER_INCLUSIVE);
    range.upper_inclusive = (flags & UPPER_INCLUSIVE) != 0;
    if (!(flags & (EMPTY | NO_LOWER)))
        TUSK_TRY(read_bound(types, &b, oid, subtype, depth, "lower", &range.lower, err));
    if (!(flags & (EMPTY | NO_UPPER)))
        TUSK_TRY(read_bound(types, &b, oid, subtype, depth, "upper", &range.upper, err));
    if (tusk__reader_left(&b) > 0)
        return tusk__nested_bad(err, oid, "with more than its bounds");
    *out = range;
    return TUSK_OK;
}

static uint8_t flags_of(const tusk_range_parts *range)
{
    bool no_lower = range->lower.kind == TUSK_KIND_NULL, no_upper = range->upper.kind == TUSK_KIND_NULL;

    if (range->is_empty)
        return EMPTY;
    return (uint8_t)((no_lower                 ? NO_LOWER
                      : range->lower_exclusive ? 0
                                               : LOWER_INCLUSIVE) |
                     (no_upper                 ? NO_UPPER
                      : range->upper_inclusive ? UPPER_INCLUSIVE
                                               : 0));
}

static tusk_code write_bound(tusk__writer *b, const tusk__types *types, const tusk_value *bound,
                             const tusk__resolved *subtype, const char *which, tusk_error *err)
{
    bool is_first_error = err && err->code == TUSK_OK;
    tusk_code code = bound->kind == TUSK_KIND_NULL ? TUSK_OK : tusk__element_encode(b, types, bound, subtype, err);

    if (code != TUSK_OK && is_first_error)
        tusk__nested_blame(err, "%s bound: ", which);
    return code;
}

tusk_code tusk__range_write(tusk__writer *b, const tusk__types *types, const tusk__resolved *type,
                            const tusk_value *value, tusk_error *err)
{
    const tusk_range_parts *range = value->as.range;
    tusk__resolved subtype = tusk__resolve_type(types, tusk__resolved_element(type));

    if (types && !tusk__is_received(&subtype))
        return TUSK_AGAIN;
    tusk__write_u8(b, flags_of(range));
    if (range->is_empty)
        return TUSK_OK;
    TUSK_TRY(write_bound(b, types, &range->lower, &subtype, "lower", err));
    return write_bound(b, types, &range->upper, &subtype, "upper", err);
}

/* ---- ranges ----------------------------------------------------------------------------------------------------------------------------- */

tusk_code tusk__range_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    return tusk__nested_decode(NULL, out->type, bytes, 0, out, err);
}

tusk_code tusk__range_check(const tusk__types *types, const tusk__resolved *type, tusk_str wire, int depth,
                            tusk_error *err)
{
    tusk_range_parts range;

    return tusk__range_parts_of(types, type, wire, depth, &range, err);
}

tusk_code tusk__range_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    return tusk__container_parse(text, out, err);
}

tusk_code tusk__range_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    tusk__resolved type = {.declared = value->type, .type = value->type};

    if (value->kind == TUSK_KIND_RANGE)
        return tusk__range_write(b, NULL, &type, value, err);
    TUSK_TRY(tusk__range_check(NULL, &type, value->as.bytes, 0, err));
    tusk__write_bytes(b, value->as.bytes);
    return TUSK_OK;
}

static const tusk__quoting quoting = {"()[],", 0, false};

static void put_bound(tusk__sink *s, const tusk_value *bound, uint32_t subtype)
{
    tusk_value value = tusk__typed(s->types, bound, subtype);

    if (bound->kind != TUSK_KIND_NULL)
        tusk__sink_field(s, &quoting, &value);
}

/* What is not there is not inclusive. */
static void put_parts(tusk__sink *s, const tusk_range_parts *range, uint32_t subtype)
{
    uint8_t flags = flags_of(range);

    if (range->is_empty) {
        tusk__sink_put(s, tusk_str_of("empty"));
        return;
    }
    tusk__sink_put_char(s, flags & LOWER_INCLUSIVE ? '[' : '(');
    put_bound(s, &range->lower, subtype);
    tusk__sink_put_char(s, ',');
    put_bound(s, &range->upper, subtype);
    tusk__sink_put_char(s, flags & UPPER_INCLUSIVE ? ']' : ')');
}

void tusk__range_put(tusk__sink *s, const tusk_value *value)
{
    tusk__resolved r = tusk__resolve_type(s->types, value->type);
    tusk_range_parts range;

    if (value->kind == TUSK_KIND_RANGE)
        put_parts(s, value->as.range, tusk__resolved_element(&r));
    else if (tusk__range_parts_of(s->types, &r, value->as.bytes, 0, &range, NULL) == TUSK_OK)
        put_parts(s, &range, tusk__resolved_element(&r));
}

size_t tusk__range_print(const tusk_value *value, char *buf, size_t size)
{
    tusk__sink s = tusk__sink_of(buf, size);

    tusk__range_put(&s, value);
    return tusk__sink_end(&s);
}

/* ---- multiranges ------------------------------------------------------------------------------------------------------------------------ */

/* A range takes its length word and a byte at least. */
tusk_code tusk__multirange_view_of(const tusk__resolved *resolved, tusk_str wire, tusk_multirange_view *out,
                                   tusk_error *err)
{
    uint32_t type = resolved->type;
    tusk__reader b = tusk__reader_of(wire);
    tusk_multirange_view view = {b.ptr, wire.len, type, tusk__resolved_element(resolved), tusk__read_u32(&b), NULL};

    if (b.bad)
        return tusk__nested_bad(err, type, "without its header");
    if (view.n > tusk__reader_left(&b) / 5)
        return tusk__nested_bad(err, type, "with fewer ranges than it says");
    for (size_t i = 0; i < view.n; i++) {
        bool is_null = false;

        (void)tusk__read_field(&b, &is_null);
        if (is_null)
            return tusk__nested_bad(err, type, "with a NULL");
    }
    if (b.bad || tusk__reader_left(&b) > 0)
        return tusk__nested_bad(err, type, "with more or fewer ranges than it says");
    *out = view;
    return TUSK_OK;
}

tusk_multirange_iter tusk_multirange_begin(const tusk_multirange_view *multirange)
{
    tusk_multirange_iter it = {multirange->wire ? multirange->wire + 4 : NULL, multirange->n, multirange->n,
                               multirange->range, multirange->query};

    return it;
}

static tusk_code next_range(const tusk__types *types, const tusk__resolved *range, tusk_multirange_iter *it, int depth,
                            tusk_range_parts *out, tusk_error *err)
{
    bool is_first_error = err && err->code == TUSK_OK;
    tusk_str bytes;
    tusk_code code;

    if (it->left == 0)
        return TUSK_DONE;
    bytes = tusk_str_from(it->at + 4, tusk__be32(it->at));
    it->at += 4 + bytes.len;
    it->left--;
    code = tusk__range_parts_of(types, range, bytes, depth, out, err);
    if (code != TUSK_OK && is_first_error)
        tusk__nested_blame(err, "range %zu of %zu: ", it->n - it->left, it->n);
    return code;
}

tusk_code tusk_multirange_next(tusk_multirange_iter *it, tusk_range_parts *out, tusk_error *err)
{
    tusk__types types = tusk__query_types(it->query);
    tusk__resolved range = tusk__resolve_type(&types, it->range);

    tusk__error_begin(err);
    return next_range(&types, &range, it, 1, out, err);
}

tusk_code tusk__multirange_check(const tusk__types *types, const tusk__resolved *type, tusk_str wire, int depth,
                                 tusk_error *err)
{
    tusk__resolved inner = tusk__resolve_type(types, tusk__resolved_element(type));
    tusk_multirange_view view;
    tusk_multirange_iter it;
    tusk_range_parts range;
    tusk_code code;

    TUSK_TRY(tusk__multirange_view_of(type, wire, &view, err));
    it = tusk_multirange_begin(&view);
    do
        code = next_range(types, &inner, &it, depth + 1, &range, err);
    while (code == TUSK_OK);
    return code == TUSK_DONE ? TUSK_OK : code;
}

tusk_code tusk__multirange_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    return tusk__nested_decode(NULL, out->type, bytes, 0, out, err);
}

tusk_code tusk__multirange_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    return tusk__container_parse(text, out, err);
}

tusk_value tusk__multirange_part(const tusk_multirange_parts *parts, size_t i, uint32_t range)
{
    return tusk_range_as(parts->ranges[i].type ? parts->ranges[i].type : range, &parts->ranges[i]);
}

tusk_code tusk__multirange_shape_check(const tusk_multirange_parts *parts, tusk_error *err)
{
    return parts->n == 0 || parts->ranges
               ? TUSK_OK
               : tusk__error_set(err, TUSK_ERR_VALUE, NULL, "a multirange whose ranges are a NULL pointer");
}

tusk_code tusk__multirange_write(tusk__writer *b, const tusk__types *types, const tusk__resolved *type,
                                 const tusk_value *value, tusk_error *err)
{
    const tusk_multirange_parts *parts = value->as.multirange;
    tusk__resolved range = tusk__resolve_type(types, tusk__resolved_element(type));
    bool is_first_error = err && err->code == TUSK_OK;

    if (parts->n > INT32_MAX)
        return tusk__error_set(err, TUSK_ERR_LIMIT, NULL, "a multirange of %zu ranges", parts->n);
    TUSK_TRY(tusk__multirange_shape_check(parts, err));
    tusk__write_u32(b, (uint32_t)parts->n);
    for (size_t i = 0; i < parts->n; i++) {
        tusk_value part = tusk__multirange_part(parts, i, range.type);
        tusk_code code = tusk__element_encode(b, types, &part, &range, err);

        if (code != TUSK_OK && is_first_error)
            tusk__nested_blame(err, "range %zu of %zu: ", i + 1, parts->n);
        TUSK_TRY(code);
    }
    return TUSK_OK;
}

tusk_code tusk__multirange_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    tusk__resolved type = {.declared = value->type, .type = value->type};

    if (value->kind == TUSK_KIND_MULTIRANGE)
        return tusk__multirange_write(b, NULL, &type, value, err);
    TUSK_TRY(tusk__multirange_check(NULL, &type, value->as.bytes, 0, err));
    tusk__write_bytes(b, value->as.bytes);
    return TUSK_OK;
}

/* The next range: of the bytes at *p, or of what was made. */
static tusk_value range_of(const tusk_value *value, uint32_t range, size_t i, const uint8_t **p)
{
    tusk_str bytes;

    if (value->kind == TUSK_KIND_MULTIRANGE)
        return tusk__multirange_part(value->as.multirange, i, range);
    bytes = tusk_str_from(*p + 4, tusk__be32(*p));
    *p += 4 + bytes.len;
    return tusk__bytes_of(range, TUSK_KIND_WIRE, bytes);
}

void tusk__multirange_put(tusk__sink *s, const tusk_value *value)
{
    tusk__resolved r = tusk__resolve_type(s->types, value->type);
    tusk_multirange_view view = {.range = tusk__resolved_element(&r)};
    bool is_made = value->kind == TUSK_KIND_MULTIRANGE;
    const uint8_t *p;

    if (!is_made && tusk__multirange_view_of(&r, value->as.bytes, &view, NULL) != TUSK_OK)
        return;
    p = is_made ? NULL : view.wire + 4;
    view.n = is_made ? value->as.multirange->n : view.n;
    tusk__sink_put_char(s, '{');
    for (size_t i = 0; i < view.n && !tusk__sink_is_done(s); i++) {
        tusk_value range = range_of(value, view.range, i, &p);

        if (i > 0)
            tusk__sink_put_char(s, ',');
        tusk__range_put(s, &range);
    }
    tusk__sink_put_char(s, '}');
}

size_t tusk__multirange_print(const tusk_value *value, char *buf, size_t size)
{
    tusk__sink s = tusk__sink_of(buf, size);

    tusk__multirange_put(&s, value);
    return tusk__sink_end(&s);
}
