/* Arrays from text: braces in each other, delimiters, and elements with or without quotes; in front, perhaps, the bounds. int2vector and
 * oidvector: numbers with blanks between them.
 * The text is taken sign by sign; what may follow what, a table says. The header is written when the first element shows how many dimensions
 * there are.
 * Source: PostgreSQL docs, "Arrays", "Array Input and Output Syntax"; array_in in src/backend/utils/adt/arrayfuncs.c of PostgreSQL 17. */
#include "lib/codec/from_text.h"

#define NO_DIM (-1)
#define FLAGS_AT 4
#define DIMS_AT 12

typedef struct reading {
    tusk__maker *m;
    uint32_t type, element;
    int depth;
    tusk__scan s;
    const char *start, *at; /* of the text, of the sign */
    char delimiter;
    int ndim, level; /* so many are there, and open */
    bool has_bounds; /* said in front */
    int32_t dims[TUSK_ARRAY_DIMS_MAX], lower[TUSK_ARRAY_DIMS_MAX];
    int32_t counts[TUSK_ARRAY_DIMS_MAX]; /* in those that are open */
    size_t n, header_at;
    bool has_header, has_nulls;
} reading;

/* ---- errors --------------------------------------------------------------------------------------------------------------------------- */

static tusk_code bad_at(const reading *r, const char *at, const char *what, tusk_error *err)
{
    return tusk__text_bad(err, r->type, (size_t)(at - r->start), what);
}

static tusk_code bad(const reading *r, const char *what, tusk_error *err)
{
    return bad_at(r, r->s.at, what, err);
}

static tusk_code too_many(const reading *r, const char *what, tusk_error *err)
{
    return tusk__text_bad_as(err, TUSK__STATE_TOO_MANY, r->type, (size_t)(r->at - r->start), what);
}

static tusk_code bad_shape(const reading *r, tusk_error *err)
{
    return bad_at(r, r->at,
                  r->has_bounds ? "another shape than the bounds say" : "rows that differ in their length or depth",
                  err);
}

/* ---- bounds: [1:3][0:1]= -------------------------------------------------------------------------------------------------------------- */

static bool take_int32(tusk__scan *s, int32_t *out)
{
    bool is_negative = tusk__take(s, '-');
    int64_t n = 0;
    const char *start;

    if (!is_negative)
        (void)tusk__take(s, '+');
    for (start = s->at; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++)
        if ((n = n * 10 + (*s->at - '0')) > INT64_C(1) + INT32_MAX)
            return false;
    n = is_negative ? -n : n;
    *out = (int32_t)n;
    return s->at > start && n <= INT32_MAX;
}

/* The bracket is taken. A lower bound alone is an upper one. */
static tusk_code read_bound(reading *r, tusk_error *err)
{
    int32_t lower = 1, upper;

    r->at = r->s.at;
    if (r->ndim == TUSK_ARRAY_DIMS_MAX)
        return too_many(r, "more than 6 dimensions", err);
    if (!take_int32(&r->s, &upper))
        return bad(r, "no bound of a dimension", err);
    if (tusk__take(&r->s, ':')) {
        lower = upper;
        if (!take_int32(&r->s, &upper))
            return bad(r, "no bound of a dimension", err);
    }
    if (!tusk__take(&r->s, ']'))
        return bad(r, "no bracket behind the bounds", err);
    if (upper < lower)
        return tusk__text_bad_as(err, TUSK__STATE_ARRAY_SUBSCRIPT, r->type, (size_t)(r->at - r->start),
                                 "an upper bound below the lower one");
    if (upper == INT32_MAX || (int64_t)upper - lower >= (int64_t)TUSK__ELEMENTS_MAX)
        return too_many(r, "bounds beyond the limits of an array", err);
    r->lower[r->ndim] = lower;
    r->dims[r->ndim++] = upper - lower + 1;
    return TUSK_OK;
}

static tusk_code read_bounds(reading *r, tusk_error *err)
{
    for (tusk__skip_spaces(&r->s); tusk__take(&r->s, '['); tusk__skip_spaces(&r->s))
        TUSK_TRY(read_bound(r, err));
    r->has_bounds = r->ndim > 0;
    if (r->has_bounds && !tusk__take(&r->s, '='))
        return bad(r, "no = behind the bounds", err);
    tusk__skip_spaces(&r->s);
    return r->s.at < r->s.end && *r->s.at == '{' ? TUSK_OK : bad(r, "no brace", err);
}

/* ---- signs ---------------------------------------------------------------------------------------------------------------------------- */

typedef enum sign { SIGN_OPEN, SIGN_CLOSE, SIGN_DELIMITER, SIGN_ELEMENT } sign;

/* In quotes: up to the last, which what belongs to an array has to follow. */
static tusk_code take_quoted(reading *r, tusk__part *out, tusk_error *err)
{
    const char *start = ++r->s.at;

    out->is_masked = false;
    for (; r->s.at < r->s.end && *r->s.at != '"'; r->s.at++)
        if (*r->s.at == '\\') {
            out->is_masked = true;
            if (++r->s.at == r->s.end)
                break;
        }
    if (r->s.at == r->s.end)
        return bad_at(r, start - 1, "a quote that is not closed", err);
    out->is_null = false;
    out->text = tusk_str_from(start, (size_t)(r->s.at++ - start));
    return TUSK_OK;
}

static bool is_null(tusk_str text)
{
    static const char null[] = "null";

    for (size_t i = 0; i < 4 && text.len == 4; i++)
        if ((text.ptr[i] | 0x20) != null[i])
            return false;
    return text.len == 4;
}

/* Blanks behind it are none of its own, but for one behind a backslash. */
static tusk_code take_bare(reading *r, tusk__part *out, tusk_error *err)
{
    const char *start = r->s.at, *end = start;

    out->is_masked = false;
    for (; r->s.at < r->s.end && *r->s.at != r->delimiter && *r->s.at != '}'; r->s.at++) {
        bool is_masked = *r->s.at == '\\';

        if (*r->s.at == '{' || *r->s.at == '"')
            return bad(r, "a brace or a quote in the middle of an element", err);
        if (is_masked && ++r->s.at == r->s.end)
            break;
        if (is_masked || !tusk__is_space(*r->s.at))
            end = r->s.at + 1;
        out->is_masked = out->is_masked || is_masked;
    }
    out->text = tusk_str_from(start, (size_t)(end - start));
    out->is_null = is_null(out->text); /* as it stands: with a backslash it is none */
    return TUSK_OK;
}

static tusk_code take_sign(reading *r, sign *out, tusk__part *part, tusk_error *err)
{
    tusk__skip_spaces(&r->s);
    if (r->s.at == r->s.end)
        return bad(r, "no closing brace", err);
    *out = *r->s.at == '{'            ? SIGN_OPEN
           : *r->s.at == '}'          ? SIGN_CLOSE
           : *r->s.at == r->delimiter ? SIGN_DELIMITER
                                      : SIGN_ELEMENT;
    if (*out == SIGN_ELEMENT)
        return *r->s.at == '"' ? take_quoted(r, part, err) : take_bare(r, part, err);
    r->s.at++;
    return TUSK_OK;
}

/* ---- what they do --------------------------------------------------------------------------------------------------------------------- */

static tusk_code open_row(reading *r, tusk_error *err)
{
    if (r->level == TUSK_ARRAY_DIMS_MAX)
        return too_many(r, "more than 6 dimensions", err);
    if (r->level == r->ndim) {
        if (r->n > 0 || r->has_bounds)
            return bad_shape(r, err);
        r->dims[r->ndim++] = NO_DIM;
    }
    r->counts[r->level++] = 0;
    return TUSK_OK;
}

static tusk_code close_row(reading *r, tusk_error *err)
{
    int level = --r->level;

    if (level > 0 && r->counts[level - 1]++ == (int32_t)TUSK__ELEMENTS_MAX)
        return too_many(r, "more rows than an array can have", err);
    if (r->dims[level] == NO_DIM)
        r->dims[level] = r->counts[level];
    return r->dims[level] == r->counts[level] ? TUSK_OK : bad_shape(r, err);
}

static tusk_code make_header(reading *r, tusk_error *err)
{
    uint8_t *p;

    r->header_at = r->m->len;
    r->has_header = true;
    p = tusk__make_space(r->m, DIMS_AT + 8 * (size_t)r->ndim, err);
    if (!p)
        return TUSK_ERR_LIMIT;
    tusk__put32(p, (uint32_t)r->ndim);
    tusk__put32(p + FLAGS_AT, 0);
    tusk__put32(p + 8, r->element);
    return TUSK_OK;
}

static tusk_code take_element(reading *r, const tusk__part *part, tusk_error *err)
{
    bool is_first_error = err && err->code == TUSK_OK;
    tusk_code code;

    if (r->level != r->ndim)
        return bad_shape(r, err);
    if (r->n == TUSK__ELEMENTS_MAX)
        return too_many(r, "more elements than an array can have", err);
    if (!r->has_header)
        TUSK_TRY(make_header(r, err));
    r->n++;
    r->counts[r->level - 1]++;
    r->has_nulls = r->has_nulls || part->is_null;
    code = tusk__make_field(r->m, r->element, *part, r->depth, err);
    if (code != TUSK_OK && code != TUSK_ERR_LIMIT && is_first_error)
        tusk__nested_blame(err, "element %zu at offset %zu: ", r->n, (size_t)(r->at - r->start));
    return code;
}

/* What may come, where a delimiter or a brace is due, and where not. */
static const char *const unexpected[2][4] = {
    {[SIGN_DELIMITER] = "a delimiter without an element before it"},
    {[SIGN_OPEN] = "a brace without a delimiter before it",
     [SIGN_ELEMENT] = "an element without a delimiter before it"},
};

static tusk_code read_rows(reading *r, tusk_error *err)
{
    bool is_delimiter_due = false;
    tusk__part part = {0};
    sign what = SIGN_OPEN;

    do {
        tusk__skip_spaces(&r->s);
        r->at = r->s.at;
        TUSK_TRY(take_sign(r, &what, &part, err));
        if (unexpected[is_delimiter_due][what])
            return bad_at(r, r->at, unexpected[is_delimiter_due][what], err);
        if (what == SIGN_CLOSE && !is_delimiter_due && r->counts[r->level - 1] > 0)
            return bad_at(r, r->at, "a brace behind a delimiter", err);
        if (what == SIGN_OPEN)
            TUSK_TRY(open_row(r, err));
        if (what == SIGN_CLOSE)
            TUSK_TRY(close_row(r, err));
        if (what == SIGN_ELEMENT)
            TUSK_TRY(take_element(r, &part, err));
        is_delimiter_due = what == SIGN_CLOSE || what == SIGN_ELEMENT;
    } while (r->level > 0);
    return TUSK_OK;
}

static void fill_header(const reading *r)
{
    uint8_t *p = r->m->start + r->header_at;

    tusk__put32(p + FLAGS_AT, r->has_nulls);
    for (int i = 0; i < r->ndim; i++) {
        tusk__put32(p + DIMS_AT + 8 * i, (uint32_t)r->dims[i]);
        tusk__put32(p + DIMS_AT + 8 * i + 4, (uint32_t)(r->has_bounds ? r->lower[i] : 1));
    }
}

static reading begin(tusk__maker *m, const tusk__resolved *type, tusk_str text, int depth)
{
    reading r = {.m = m, .type = type->type, .element = tusk__resolved_element(type), .depth = depth};

    r.s = tusk__scan_of(text);
    r.start = r.s.at;
    r.delimiter = r.element == TUSK_OID_BOX ? ';' : ',';
    return r;
}

tusk_code tusk__array_make(tusk__maker *m, const tusk__resolved *type, tusk_str text, int depth, tusk_error *err)
{
    reading r = begin(m, type, text, depth);

    if (r.element == 0)
        return tusk__error_set(err, TUSK_ERR_TYPE, NULL, "the text of an anyarray does not say of what it is");
    TUSK_TRY(read_bounds(&r, err));
    TUSK_TRY(read_rows(&r, err));
    tusk__skip_spaces(&r.s);
    if (r.s.at < r.s.end)
        return bad(&r, "more than the array", err);
    if (r.n == 0) { /* it has no dimensions */
        r.ndim = 0;
        return make_header(&r, err);
    }
    fill_header(&r);
    return TUSK_OK;
}

/* ---- int2vector, oidvector ------------------------------------------------------------------------------------------------------------ */

static tusk__part take_word(tusk__scan *s)
{
    const char *start = s->at;

    while (s->at < s->end && !tusk__is_space(*s->at))
        s->at++;
    return (tusk__part){.text = tusk_str_from(start, (size_t)(s->at - start))};
}

tusk_code tusk__intvector_make(tusk__maker *m, const tusk__resolved *type, tusk_str text, int depth, tusk_error *err)
{
    reading r = begin(m, type, text, depth);

    r.ndim = r.level = 1;
    r.has_bounds = true; /* from 0 on */
    TUSK_TRY(make_header(&r, err));
    for (tusk__skip_spaces(&r.s); r.s.at < r.s.end; tusk__skip_spaces(&r.s)) {
        tusk__part part;

        r.at = r.s.at;
        part = take_word(&r.s);
        TUSK_TRY(take_element(&r, &part, err));
    }
    r.dims[0] = r.counts[0];
    fill_header(&r);
    return TUSK_OK;
}
