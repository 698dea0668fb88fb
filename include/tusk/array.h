/* Arrays: views of what the server sent, a walk over their elements, and plain C arrays both ways.
 * Nothing here allocates, and no element is converted before it is asked for.
 * Read first: docs/types.md, "Arrays". */
#ifndef TUSK_ARRAY_H
#define TUSK_ARRAY_H

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

/** PostgreSQL's most. */
#define TUSK_ARRAY_DIMS_MAX 6

/**
 * One array: its shape, checked, and that there are as many elements as it says. It borrows its bytes from the row, or from the value that
 * it was made of, as long as these live. Whether an element is what its type allows is seen when it is read.
 */
typedef struct tusk_array_view {
    const unsigned char *wire; /* the binary format as a whole; NULL: no array (SQL NULL) */
    size_t len;                /* of it */
    uint32_t type;             /* OID of the array type */
    uint32_t element;          /* OID of the elements' type */
    int ndim;                  /* dimensions, up to TUSK_ARRAY_DIMS_MAX; 0 of an empty array */
    int32_t dims[TUSK_ARRAY_DIMS_MAX];
    int32_t lower[TUSK_ARRAY_DIMS_MAX]; /* the index of each dimension's first element: 1, unless it was said otherwise */
    size_t n;                           /* elements, those of all dimensions, NULLs among them */
    size_t n_nulls;
    const tusk_query *query;            /* through it types of the database's own are known; NULL: elements of such are raw */
} tusk_array_view;

/* ---- reading ------------------------------------------------------------------------------------------------------------------------- */

/** Of NULL and on error a view whose `wire` is NULL. */
tusk_array_view tusk_get_array(const tusk_row *row, int col);
/**
 * Any array that came in binary, int2vector, oidvector and anyarray too; one of the database's own types once that is looked up.
 *
 * Errors    TUSK_ERR_NULL · TUSK_ERR_TYPE no array, or in text format: tusk_read_value_into() · TUSK_ERR_VALUE not an array's bytes · TUSK_ERR_USAGE no such column
 */
tusk_code tusk_read_array(const tusk_row *row, int col, tusk_array_view *out, tusk_error *err);
/**
 * The array that a value holds which came out of a row (tusk_read_value(), an element, a field of a record). Bytes of a type that is not built in
 * are taken by the caller's word for an array's. A value does not know its query: copy `query` from the view that it was taken from, if the
 * elements, or what lies in them, are of the database's own types.
 *
 * Errors    TUSK_ERR_NULL · TUSK_ERR_TYPE another type, or not what the server sent · TUSK_ERR_VALUE
 */
tusk_code tusk_value_to_array(const tusk_value *value, tusk_array_view *out, tusk_error *err);

/** A walk over all elements, row by row: the last index runs fastest. */
typedef struct tusk_array_iter {
    /* private */
    const unsigned char *at;
    size_t n, left;
    uint32_t element;
    const tusk_query *query;
} tusk_array_iter;

/** Valid as long as the view's bytes. */
tusk_array_iter tusk_array_begin(const tusk_array_view *array);
/**
 * The next element, borrowed from the same bytes; NULL is TUSK_KIND_NULL of the element's type. Of a domain it is a value of its base.
 *
 * Returns   TUSK_OK · TUSK_DONE there is none left · TUSK_ERR_VALUE this one is malformed (the walk goes on behind it)
 */
tusk_code tusk_array_next(tusk_array_iter *it, tusk_value *out, tusk_error *err);

/**
 * All elements into a C array. Types are converted as by the getter of that name: int4 reads int2, int8 and oid where they fit, float8
 * reads float4, text every text-like type.
 *
 * out       room for `capacity` elements; a NULL becomes 0, or an empty view
 * valid     (n + 7) / 8 bytes: bit i % 8 of byte i / 8, counted from the lowest, is set unless element i is NULL (as in Arrow); bits behind
 *           the last are 0. NULL: there must be no NULLs
 * Errors    TUSK_ERR_LIMIT more than `capacity` · TUSK_ERR_TYPE elements of another type · TUSK_ERR_NULL a NULL, and `valid` is NULL, or
 *           the view holds no array · TUSK_ERR_VALUE one does not fit, or is malformed: it is named, and what `out` holds is undefined
 */
tusk_code tusk_array_to_bool(const tusk_array_view *array, bool *out, size_t capacity, uint8_t *valid, tusk_error *err);
tusk_code tusk_array_to_int2(const tusk_array_view *array, int16_t *out, size_t capacity, uint8_t *valid, tusk_error *err);
tusk_code tusk_array_to_int4(const tusk_array_view *array, int32_t *out, size_t capacity, uint8_t *valid, tusk_error *err);
tusk_code tusk_array_to_int8(const tusk_array_view *array, int64_t *out, size_t capacity, uint8_t *valid, tusk_error *err);
tusk_code tusk_array_to_oid(const tusk_array_view *array, uint32_t *out, size_t capacity, uint8_t *valid, tusk_error *err);
tusk_code tusk_array_to_float4(const tusk_array_view *array, float *out, size_t capacity, uint8_t *valid, tusk_error *err);
tusk_code tusk_array_to_float8(const tusk_array_view *array, double *out, size_t capacity, uint8_t *valid, tusk_error *err);
tusk_code tusk_array_to_date(const tusk_array_view *array, int32_t *out, size_t capacity, uint8_t *valid, tusk_error *err);
tusk_code tusk_array_to_time(const tusk_array_view *array, int64_t *out, size_t capacity, uint8_t *valid, tusk_error *err);
tusk_code tusk_array_to_timestamp(const tusk_array_view *array, int64_t *out, size_t capacity, uint8_t *valid, tusk_error *err);
tusk_code tusk_array_to_timestamptz(const tusk_array_view *array, int64_t *out, size_t capacity, uint8_t *valid, tusk_error *err);
/** Views of the array's bytes. */
tusk_code tusk_array_to_text(const tusk_array_view *array, tusk_str *out, size_t capacity, uint8_t *valid, tusk_error *err);
tusk_code tusk_array_to_bytea(const tusk_array_view *array, tusk_str *out, size_t capacity, uint8_t *valid, tusk_error *err);
tusk_code tusk_array_to_uuid(const tusk_array_view *array, uint8_t (*out)[16], size_t capacity, uint8_t *valid, tusk_error *err);

/* ---- sending ------------------------------------------------------------------------------------------------------------------------- */

/**
 * An array made of values. Borrowed, with all that it points at, until the submitting call returns.
 * Each value is NULL, or of the element's type or one that may travel as it (docs/types.md, "Sending").
 */
typedef struct tusk_array_parts {
    const tusk_value *values; /* row by row; tusk_null() is an SQL NULL */
    size_t n;                 /* of them: the product of dims */
    int ndim;                 /* 0: one dimension, of n elements */
    const int32_t *dims;      /* ndim of them; not looked at if ndim is 0 */
    const int32_t *lower;     /* lower bounds, as many as dimensions; NULL: 1 each */
} tusk_array_parts;

/** `type`: TUSK_OID_INT4_ARRAY …, an array type of the database's own (tusk_type.oid), or 0: the one that the statement infers. A `parts` of NULL is an SQL NULL. What is wrong with the shape is TUSK_ERR_VALUE when submitted. */
static inline tusk_value tusk_array_of(uint32_t type, const tusk_array_parts *parts)
{
    tusk_value v = tusk_null_of(type);
    v.kind = parts ? TUSK_KIND_ARRAY : TUSK_KIND_NULL;
    v.as.array = parts;
    return v;
}

/** tusk_array_of(TUSK_OID_TEXT_ARRAY, TUSK_ARRAY(tusk_text("a"), tusk_null())). Lives as long as the enclosing block. Not for C++. */
#ifndef __cplusplus
#define TUSK_ARRAY(...)                                                                          \
    (&(const tusk_array_parts){.values = (const tusk_value[]){__VA_ARGS__},                      \
                               .n = sizeof((const tusk_value[]){__VA_ARGS__}) / sizeof(tusk_value)})
#endif

/** An array that came from the server, as it is. A view without an array is an SQL NULL of its type, and so is NULL, of the type that the
 * statement infers. */
static inline tusk_value tusk_array(const tusk_array_view *array)
{
    return array ? tusk__bytes_or_null(array->type, TUSK_KIND_WIRE, tusk_str_from(array->wire, array->len)) : tusk_null();
}

/* More than memory holds becomes a length that is refused. */
static inline tusk_value tusk__c_array_of(uint32_t type, const void *ptr, size_t n, size_t size)
{
    size_t len = n <= SIZE_MAX / size ? n * size : SIZE_MAX;
    return tusk__bytes_or_null(type, TUSK_KIND_C_ARRAY, tusk_str_from(ptr, len));
}

/** C arrays of n elements, in one dimension; n = 0 is an empty array, and a `ptr` of NULL an SQL NULL, whatever n is. NULLs are texts and byteas
 * whose `ptr` is NULL; the others have none. More than a message can hold is TUSK_ERR_LIMIT when submitted, without a look at the elements. */
static inline tusk_value tusk_array_of_bool(const bool *ptr, size_t n) { return tusk__c_array_of(TUSK_OID_BOOL_ARRAY, ptr, n, sizeof *ptr); }
static inline tusk_value tusk_array_of_int2(const int16_t *ptr, size_t n) { return tusk__c_array_of(TUSK_OID_INT2_ARRAY, ptr, n, sizeof *ptr); }
static inline tusk_value tusk_array_of_int4(const int32_t *ptr, size_t n) { return tusk__c_array_of(TUSK_OID_INT4_ARRAY, ptr, n, sizeof *ptr); }
static inline tusk_value tusk_array_of_int8(const int64_t *ptr, size_t n) { return tusk__c_array_of(TUSK_OID_INT8_ARRAY, ptr, n, sizeof *ptr); }
static inline tusk_value tusk_array_of_oid(const uint32_t *ptr, size_t n) { return tusk__c_array_of(TUSK_OID_OID_ARRAY, ptr, n, sizeof *ptr); }
static inline tusk_value tusk_array_of_float4(const float *ptr, size_t n) { return tusk__c_array_of(TUSK_OID_FLOAT4_ARRAY, ptr, n, sizeof *ptr); }
static inline tusk_value tusk_array_of_float8(const double *ptr, size_t n) { return tusk__c_array_of(TUSK_OID_FLOAT8_ARRAY, ptr, n, sizeof *ptr); }
static inline tusk_value tusk_array_of_date(const int32_t *ptr, size_t n) { return tusk__c_array_of(TUSK_OID_DATE_ARRAY, ptr, n, sizeof *ptr); }
static inline tusk_value tusk_array_of_time(const int64_t *ptr, size_t n) { return tusk__c_array_of(TUSK_OID_TIME_ARRAY, ptr, n, sizeof *ptr); }
static inline tusk_value tusk_array_of_timestamp(const int64_t *ptr, size_t n) { return tusk__c_array_of(TUSK_OID_TIMESTAMP_ARRAY, ptr, n, sizeof *ptr); }
static inline tusk_value tusk_array_of_timestamptz(const int64_t *ptr, size_t n) { return tusk__c_array_of(TUSK_OID_TIMESTAMPTZ_ARRAY, ptr, n, sizeof *ptr); }
static inline tusk_value tusk_array_of_text(const tusk_str *ptr, size_t n) { return tusk__c_array_of(TUSK_OID_TEXT_ARRAY, ptr, n, sizeof *ptr); }
static inline tusk_value tusk_array_of_bytea(const tusk_str *ptr, size_t n) { return tusk__c_array_of(TUSK_OID_BYTEA_ARRAY, ptr, n, sizeof *ptr); }
/** 16 bytes each, one behind the other. */
static inline tusk_value tusk_array_of_uuid(const uint8_t *ptr, size_t n) { return tusk__c_array_of(TUSK_OID_UUID_ARRAY, ptr, n, 16); }

#ifdef __cplusplus
}
#endif

#endif
