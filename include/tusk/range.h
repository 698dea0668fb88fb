/* Ranges and multiranges: structs of their bounds, and a walk over the ranges of a multirange.
 * Nothing here allocates. Whether a range is in order, and what it is when written canonically, is the server's business.
 * Read first: docs/types.md, "Ranges and multiranges". */
#ifndef TUSK_RANGE_H
#define TUSK_RANGE_H

#include <stdbool.h>
#include <stdint.h>

#include <tusk/error.h>
#include <tusk/oid.h>
#include <tusk/row.h>
#include <tusk/str.h>
#include <tusk/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * One range, as it is read and as it is sent. What its bounds point at is borrowed: from the row, or until the submitting call returns.
 * No bound is not the same as a bound whose value is infinity: (,2024-01-01) is not [-infinity,2024-01-01).
 */
typedef struct tusk_range_parts {
    uint32_t type;        /* TUSK_OID_INT4RANGE …; 0, and nothing else either: no range (SQL NULL) */
    tusk_value lower;     /* of the range's subtype, or one that may travel as it; TUSK_KIND_NULL: it has no lower bound */
    tusk_value upper;     /* the same */
    bool lower_exclusive; /* "(": without these two it is [lower,upper) */
    bool upper_inclusive; /* "]" */
    bool is_empty;        /* then there are no bounds */
} tusk_range_parts;

/** Of NULL and on error one whose `type` is 0. */
tusk_range_parts tusk_get_range(const tusk_row *row, int col);
/** One of the database's own types once that is looked up.
 * Errors    TUSK_ERR_NULL · TUSK_ERR_TYPE no range, or in text format: tusk_read_value_into() · TUSK_ERR_VALUE not a range's bytes · TUSK_ERR_USAGE no such column */
tusk_code tusk_read_range(const tusk_row *row, int col, tusk_range_parts *out, tusk_error *err);
/** The range that a value holds which came out of a row, or out of an array. Of a type that is not built in by
 * the caller's word, its bounds being TUSK_KIND_RAW then. */
tusk_code tusk_value_to_range(const tusk_value *value, tusk_range_parts *out, tusk_error *err);

static inline bool tusk__range_is_none(const tusk_range_parts *range)
{
    return range->type == 0 && range->lower.kind == TUSK_KIND_NULL && range->upper.kind == TUSK_KIND_NULL && !range->lower_exclusive &&
           !range->upper_inclusive && !range->is_empty;
}

/** Borrowed, with all that it points at, until the submitting call returns. A struct without a type and anything else in it, and NULL, are an SQL NULL;
 * with bounds but without a type it is of the one that the statement infers, as tusk_range_as(0, …). */
static inline tusk_value tusk_range(const tusk_range_parts *range)
{
    tusk_value v = tusk_null_of(range ? range->type : 0);
    v.kind = range && !tusk__range_is_none(range) ? TUSK_KIND_RANGE : TUSK_KIND_NULL;
    v.as.range = range;
    return v;
}

/** The same as a range of that type, whatever the struct says; 0: the one that the statement infers, as of a type of the database's own whose OID is
 * not at hand. NULL is an SQL NULL. */
static inline tusk_value tusk_range_as(uint32_t type, const tusk_range_parts *range)
{
    tusk_value v = tusk_null_of(type);
    v.kind = range ? TUSK_KIND_RANGE : TUSK_KIND_NULL;
    v.as.range = range;
    return v;
}

/* ---- multiranges ----------------------------------------------------------------------------------------------------------------------- */

/** One multirange, checked so far that each of its ranges lies inside. It borrows its bytes as a tusk_array_view does. */
typedef struct tusk_multirange_view {
    const unsigned char *wire; /* the binary format as a whole; NULL: no multirange (SQL NULL) */
    size_t len;                /* of it */
    uint32_t type;             /* OID of the multirange type */
    uint32_t range;            /* OID of its ranges' type */
    size_t n;                  /* of them; 0 of an empty one. The server has them in order and apart */
    const tusk_query *query;   /* as in a tusk_array_view */
} tusk_multirange_view;

/** Of NULL and on error a view whose `wire` is NULL. */
tusk_multirange_view tusk_get_multirange(const tusk_row *row, int col);
/** Errors    as tusk_read_range() */
tusk_code tusk_read_multirange(const tusk_row *row, int col, tusk_multirange_view *out, tusk_error *err);
/** As tusk_value_to_range(). */
tusk_code tusk_value_to_multirange(const tusk_value *value, tusk_multirange_view *out, tusk_error *err);

/** A walk over its ranges. */
typedef struct tusk_multirange_iter {
    /* private */
    const unsigned char *at;
    size_t n, left;
    uint32_t range;
    const tusk_query *query;
} tusk_multirange_iter;

/** Valid as long as the view's bytes. */
tusk_multirange_iter tusk_multirange_begin(const tusk_multirange_view *multirange);
/** Returns   TUSK_OK · TUSK_DONE there is none left · TUSK_ERR_VALUE this one is malformed (the walk goes on behind it) */
tusk_code tusk_multirange_next(tusk_multirange_iter *it, tusk_range_parts *out, tusk_error *err);

/** A multirange made of ranges, in any order; the server joins those that meet. Borrowed, with all that it points at. */
typedef struct tusk_multirange_parts {
    uint32_t type; /* TUSK_OID_INT4MULTIRANGE …; 0, and no ranges: no multirange (SQL NULL) */
    const tusk_range_parts *ranges; /* a `type` of 0 is that of the multirange's ranges here */
    size_t n;
} tusk_multirange_parts;

/** As tusk_range(): without a type and ranges it is an SQL NULL. */
static inline tusk_value tusk_multirange_of(const tusk_multirange_parts *multirange)
{
    tusk_value v = tusk_null_of(multirange ? multirange->type : 0);
    v.kind = multirange && (multirange->type || multirange->n) ? TUSK_KIND_MULTIRANGE : TUSK_KIND_NULL;
    v.as.multirange = multirange;
    return v;
}

/** As tusk_range_as(). */
static inline tusk_value tusk_multirange_as(uint32_t type, const tusk_multirange_parts *multirange)
{
    tusk_value v = tusk_null_of(type);
    v.kind = multirange ? TUSK_KIND_MULTIRANGE : TUSK_KIND_NULL;
    v.as.multirange = multirange;
    return v;
}

/** A multirange that came from the server, as it is. A view without one is an SQL NULL of its type. */
static inline tusk_value tusk_multirange(const tusk_multirange_view *multirange)
{
    return multirange ? tusk__bytes_or_null(multirange->type, TUSK_KIND_WIRE, tusk_str_from(multirange->wire, multirange->len))
                      : tusk_null();
}

#ifdef __cplusplus
}
#endif

#endif
