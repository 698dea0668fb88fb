/* Fields: rows straight into the caller's structs. A table says which column goes into which member; it is held against the columns of a
 * result once, and then rows are taken without asking again, and without memory.
 * Read first: tusk/row.h, docs/types.md "Rows into structs". */
#ifndef TUSK_FIELDS_H
#define TUSK_FIELDS_H

#include <tusk/array.h>
#include <tusk/bits.h>
#include <tusk/geometry.h>
#include <tusk/hstore.h>
#include <tusk/inet.h>
#include <tusk/query.h>
#include <tusk/range.h>
#include <tusk/record.h>
#include <tusk/row.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a member is in C. The macros below find it out. */
typedef enum tusk_c_type {
    TUSK_C_BOOL = 1,
    TUSK_C_INT16,
    TUSK_C_INT32,
    TUSK_C_INT64,
    TUSK_C_UINT32,
    TUSK_C_UINT64,
    TUSK_C_FLOAT,
    TUSK_C_DOUBLE,
    TUSK_C_STR,   /* tusk_str: a view that lives as long as the row */
    TUSK_C_CHARS, /* char[n]: copied, with a NUL behind it */
    TUSK_C_UUID,  /* uint8_t[16] */
    TUSK_C_NUMERIC,  /* tusk_numeric_view: a view, too */
    TUSK_C_TIMETZ,   /* tusk_timetz_parts */
    TUSK_C_INTERVAL, /* tusk_interval_parts */
    TUSK_C_MACADDR,  /* tusk_macaddr_octets */
    TUSK_C_MACADDR8, /* tusk_macaddr8_octets */
    TUSK_C_INET,     /* tusk_inet_parts */
    TUSK_C_BITS,     /* tusk_bits_view: a view */
    TUSK_C_ARRAY,    /* tusk_array_view: a view */
    TUSK_C_INT16S,   /* int16_t[n]: all elements of an array that has so many, none of them NULL */
    TUSK_C_INT32S,
    TUSK_C_INT64S,
    TUSK_C_UINT32S,
    TUSK_C_FLOATS,
    TUSK_C_DOUBLES,
    TUSK_C_RANGE,      /* tusk_range_parts: its bounds may be views */
    TUSK_C_MULTIRANGE, /* tusk_multirange_view: a view, and so are the next two */
    TUSK_C_RECORD,     /* tusk_record_view */
    TUSK_C_HSTORE,     /* tusk_hstore_view */
    TUSK_C_POINT,      /* tusk_point_parts */
    TUSK_C_LSEG,       /* tusk_lseg_parts */
    TUSK_C_BOX,        /* tusk_box_parts */
    TUSK_C_CIRCLE,     /* tusk_circle_parts */
    TUSK_C_TID         /* tusk_tid_parts */
} tusk_c_type;

/** One member of a struct, and the column that goes into it. Make it with the macros below. */
typedef struct tusk_field {
    const char *column;  /* its name; NULL: by position */
    int position;        /* 0-based; not looked at if there is a name */
    uint32_t type;       /* OID of what the member holds; 0: see TUSK_FIELD() */
    tusk_c_type c_type;
    size_t size, offset; /* of the member in its struct */
    bool has_flag;       /* false: NULL is an error */
    size_t flag_offset;  /* of a bool that says whether the column was NULL; the member is all zeros then */
} tusk_field;

/**
 * The column that is named as the member. TUSK_FIELD(struct user, id, TUSK_OID_INT8). It does not compile if the member's C type is not
 * that of the PostgreSQL type:
 *
 *   bool                                  bool
 *   int16_t, int32_t, int64_t             int2, int4, int8
 *   uint32_t                              oid, xid, cid
 *   uint64_t                              xid8, pg_lsn
 *   float, double                         float4, float8
 *   int32_t, int64_t                      date; time, timestamp, timestamptz, money
 *   uint8_t[16]                           uuid
 *   tusk_numeric_view …                   numeric; timetz, interval, macaddr, macaddr8 as their structs
 *   tusk_inet_parts, tusk_bits_view       inet, cidr; bit, varbit
 *   tusk_array_view                       any array: its elements into memory of yours by tusk_array_to_float4() and its kin, with a bitmap for
 *                                         NULLs if need be
 *   float[n], double[n]                   float4[], float8[]: an array of exactly n elements, of whatever dimensions, none of them NULL
 *   int16_t[n], int32_t[n], int64_t[n]    int2[], int4[] and date[], int8[], time[], timestamp[] and timestamptz[], likewise; uint32_t[n] oid[]
 *   tusk_range_parts                      any range; tusk_multirange_view any multirange; tusk_record_view a row without a name: TUSK_OID_RECORD
 *   tusk_point_parts …                    point, lseg, box, circle; tusk_tid_parts tid
 *   tusk_str                              all others: text and its kin, json, jsonb, bytea; of any other type the bytes of the wire, as
 *                                         tusk_get_raw()
 *   char[n]                               text and its kin, json, jsonb, and whatever came as text
 *
 * Types of the database's own have other OIDs in each database, so their fields have the OID 0, and what the column is decides when the result is there:
 *
 *   tusk_array_view, tusk_range_parts,    any array, range, multirange, record: composites, too
 *   tusk_multirange_view, tusk_record_view
 *   tusk_hstore_view                      hstore
 *   float[n]                              a vector or halfvec of exactly n elements; a float4[] likewise
 *   tusk_str                              whatever there is: the bytes as they came, those of an int4 in binary, too
 *   char[n]                               text: of text types, of enums and the like, and whatever came in text format
 *
 * As TUSK_OID_TEXT: enums, citext, ltree and its kin. All of these once the type is looked up (tusk_type_of()): of what on_row is given that may be
 * the second result.
 *
 * Read without loss, and so allowed: int2 and int4 into int8, int2 into int4, oid into int8, float4 into float8, text and its kin into
 * each other; and a column in text format into anything but what is a view, made of one, or holds many: numeric, bytea, inet, cidr, bit, varbit, lseg, box,
 * circle, arrays, ranges, records, hstore, vectors.
 */
#define TUSK_FIELD(struct_type, member, oid) TUSK__FIELD(struct_type, member, oid, #member, 0, TUSK__NO_FLAG)
/** The column of that name. */
#define TUSK_FIELD_AS(struct_type, member, oid, column) TUSK__FIELD(struct_type, member, oid, column, 0, TUSK__NO_FLAG)
/** The column at that position, whatever its name. */
#define TUSK_FIELD_AT(struct_type, member, oid, position) \
    TUSK__FIELD(struct_type, member, oid, NULL, position, TUSK__NO_FLAG)

/** The same three for columns that may be NULL: `flag` is a member of type bool, true if it is. */
#define TUSK_NULLABLE(struct_type, member, oid, flag) \
    TUSK__FIELD(struct_type, member, oid, #member, 0, TUSK__FLAG(struct_type, flag))
#define TUSK_NULLABLE_AS(struct_type, member, oid, column, flag) \
    TUSK__FIELD(struct_type, member, oid, column, 0, TUSK__FLAG(struct_type, flag))
#define TUSK_NULLABLE_AT(struct_type, member, oid, position, flag) \
    TUSK__FIELD(struct_type, member, oid, NULL, position, TUSK__FLAG(struct_type, flag))

typedef struct tusk_fields tusk_fields;

/**
 * A table of fields that rows can be taken with. It serves any number of results of any statements: it is held against the columns when the
 * first row of other columns comes; what those of one prepared or cached statement look like is known from its last run.
 *
 * struct_size  sizeof of the struct
 * fields       copied; the names in it are borrowed until tusk_fields_free()
 * Returns      the table, owned by the caller: tusk_fields_free(), before the loop is freed. NULL on failure
 * Errors       TUSK_ERR_USAGE an entry that the macros would not have made: the message says which · TUSK_ERR_NOMEM
 * Example      docs/examples/structs.c
 */
TUSK_MUST_CHECK
tusk_fields *tusk_fields_new(tusk_loop *loop, size_t struct_size, const tusk_field *fields, size_t n_fields,
                             tusk_error *err);

/** NULL is fine. */
void tusk_fields_free(tusk_fields *fields);

/**
 * Hold the table against the columns of the present result, or of a statement that is ready. The functions below do it by themselves: this is
 * for who wants to know before there is a row. Columns that no field names are passed over.
 *
 * Errors    TUSK_ERR_USAGE no such column, two of that name, or no columns at all (yet) · TUSK_ERR_TYPE the column has another type: the
 *           message names it and both types
 */
TUSK_MUST_CHECK
tusk_code tusk_fields_check(tusk_fields *fields, const tusk_query *q, tusk_error *err);
TUSK_MUST_CHECK
tusk_code tusk_fields_check_stmt(tusk_fields *fields, const tusk_stmt *stmt, tusk_error *err);

/**
 * One row, from wherever, into one struct. Members without a field are left alone. What is a view lives as long as the row.
 *
 * Errors    those of tusk_fields_check() · TUSK_ERR_NULL it is NULL and the field has no flag, or an element is, on the way into an array of C's ·
 *           TUSK_ERR_LIMIT the text and its NUL are longer than char[n]; an array has more or fewer elements than its field · TUSK_ERR_VALUE malformed; a NUL byte on the way into char[n]. The column is named, and what *out holds then is
 *           not said
 */
TUSK_MUST_CHECK
tusk_code tusk_fields_read(tusk_fields *fields, const tusk_row *row, void *out, tusk_error *err);

/**
 * The next rows of the present result into an array of structs. A running query is waited for, as by tusk_await(); rows that
 * tusk_next_row() has taken are passed, and those that this takes are taken for it too. Views live until tusk_query_free(). (Of a stream, take
 * rows one by one: tusk_fields_read().)
 *
 * n         how many structs are filled: less than capacity only at the end, or on an error, which then concerns the row behind them. That
 *           row is taken, too: the next call goes on behind it. The error's `where` counts them from 0, the first of this call
 * Returns   TUSK_OK, the query's error, that of tusk_await() for a query that is not done, or as tusk_fields_read()
 * Errors    TUSK_ERR_USAGE on_row got the rows
 */
TUSK_MUST_CHECK
tusk_code tusk_fields_fetch(tusk_fields *fields, tusk_query *q, void *out, size_t capacity, size_t *n, tusk_error *err);

/* ---- how the macros do it ------------------------------------------------------------------------------------------------------ */

/* The C type that holds a PostgreSQL type. */
#define TUSK__C_FOR(oid)                                                                                             \
    ((oid) == TUSK_OID_BOOL                                                     ? TUSK_C_BOOL                        \
     : (oid) == TUSK_OID_INT2                                                   ? TUSK_C_INT16                       \
     : (oid) == TUSK_OID_INT4 || (oid) == TUSK_OID_DATE                         ? TUSK_C_INT32                       \
     : (oid) == TUSK_OID_INT8 || (oid) == TUSK_OID_TIME                         ? TUSK_C_INT64                       \
     : (oid) == TUSK_OID_TIMESTAMP || (oid) == TUSK_OID_TIMESTAMPTZ             ? TUSK_C_INT64                       \
     : (oid) == TUSK_OID_MONEY                                                  ? TUSK_C_INT64                       \
     : (oid) == TUSK_OID_OID || (oid) == TUSK_OID_XID || (oid) == TUSK_OID_CID  ? TUSK_C_UINT32                      \
     : (oid) == TUSK_OID_XID8 || (oid) == TUSK_OID_PG_LSN                       ? TUSK_C_UINT64                      \
     : (oid) == TUSK_OID_FLOAT4                                                 ? TUSK_C_FLOAT                       \
     : (oid) == TUSK_OID_FLOAT8                                                 ? TUSK_C_DOUBLE                      \
     : (oid) == TUSK_OID_UUID                                                   ? TUSK_C_UUID                        \
     : (oid) == TUSK_OID_NUMERIC                                                ? TUSK_C_NUMERIC                     \
     : (oid) == TUSK_OID_TIMETZ                                                 ? TUSK_C_TIMETZ                      \
     : (oid) == TUSK_OID_INTERVAL                                               ? TUSK_C_INTERVAL                    \
     : (oid) == TUSK_OID_MACADDR                                                ? TUSK_C_MACADDR                     \
     : (oid) == TUSK_OID_MACADDR8                                               ? TUSK_C_MACADDR8                    \
                                                                                : TUSK_C_STR)
/* … and of a type whose bytes a tusk_str can hold as they are, another one. That the OID is an array's, or a range's, is seen when the table
 * is made. */
#define TUSK__C_ALSO(oid, c_type)                                                                                    \
    ((c_type) == TUSK_C_CHARS    ? (oid) != TUSK_OID_BYTEA                                                           \
     : (c_type) == TUSK_C_INET   ? (oid) == TUSK_OID_INET || (oid) == TUSK_OID_CIDR                                  \
     : (c_type) == TUSK_C_BITS   ? (oid) == TUSK_OID_BIT || (oid) == TUSK_OID_VARBIT                                 \
     : (c_type) == TUSK_C_INT16S ? (oid) == TUSK_OID_INT2_ARRAY                                                      \
     : (c_type) == TUSK_C_INT32S ? (oid) == TUSK_OID_INT4_ARRAY || (oid) == TUSK_OID_DATE_ARRAY                      \
     : (c_type) == TUSK_C_INT64S ? (oid) == TUSK_OID_INT8_ARRAY || (oid) == TUSK_OID_TIME_ARRAY ||                   \
                                       (oid) == TUSK_OID_TIMESTAMP_ARRAY || (oid) == TUSK_OID_TIMESTAMPTZ_ARRAY      \
     : (c_type) == TUSK_C_UINT32S ? (oid) == TUSK_OID_OID_ARRAY                                                      \
     : (c_type) == TUSK_C_FLOATS  ? (oid) == TUSK_OID_FLOAT4_ARRAY || (oid) == 0                                     \
     : (c_type) == TUSK_C_DOUBLES ? (oid) == TUSK_OID_FLOAT8_ARRAY                                                   \
     : (c_type) == TUSK_C_POINT   ? (oid) == TUSK_OID_POINT                                                          \
     : (c_type) == TUSK_C_LSEG    ? (oid) == TUSK_OID_LSEG                                                           \
     : (c_type) == TUSK_C_BOX     ? (oid) == TUSK_OID_BOX                                                            \
     : (c_type) == TUSK_C_CIRCLE  ? (oid) == TUSK_OID_CIRCLE                                                         \
     : (c_type) == TUSK_C_TID     ? (oid) == TUSK_OID_TID                                                            \
                                  : (c_type) == TUSK_C_ARRAY || (c_type) == TUSK_C_RANGE ||                           \
                                       (c_type) == TUSK_C_MULTIRANGE || (c_type) == TUSK_C_RECORD ||                  \
                                       (c_type) == TUSK_C_HSTORE)
#define TUSK__C_FITS(oid, c_type) \
    (TUSK__C_FOR(oid) == (c_type) || (TUSK__C_FOR(oid) == TUSK_C_STR && TUSK__C_ALSO(oid, c_type)))

#define TUSK__FIELD(struct_type, member, oid, column, position, ...) \
    {column, position, oid, TUSK__C_CHECKED(struct_type, member, oid), sizeof(((struct_type *)0)->member), \
     offsetof(struct_type, member), __VA_ARGS__}
#define TUSK__NO_FLAG false, 0
#define TUSK__FLAG(struct_type, flag) true, TUSK__FLAG_OFFSET(struct_type, flag)

#ifdef __cplusplus
}

extern "C++" {
constexpr tusk_c_type tusk__c_type(const bool *) { return TUSK_C_BOOL; }
constexpr tusk_c_type tusk__c_type(const short *) { return TUSK_C_INT16; }
constexpr tusk_c_type tusk__c_type(const int *) { return TUSK_C_INT32; }
constexpr tusk_c_type tusk__c_type(const long *) { return sizeof(long) == 8 ? TUSK_C_INT64 : TUSK_C_INT32; }
constexpr tusk_c_type tusk__c_type(const long long *) { return TUSK_C_INT64; }
constexpr tusk_c_type tusk__c_type(const unsigned *) { return TUSK_C_UINT32; }
constexpr tusk_c_type tusk__c_type(const unsigned long *) { return sizeof(long) == 8 ? TUSK_C_UINT64 : TUSK_C_UINT32; }
constexpr tusk_c_type tusk__c_type(const unsigned long long *) { return TUSK_C_UINT64; }
constexpr tusk_c_type tusk__c_type(const float *) { return TUSK_C_FLOAT; }
constexpr tusk_c_type tusk__c_type(const double *) { return TUSK_C_DOUBLE; }
constexpr tusk_c_type tusk__c_type(const tusk_str *) { return TUSK_C_STR; }
constexpr tusk_c_type tusk__c_type(const unsigned char (*)[16]) { return TUSK_C_UUID; }
constexpr tusk_c_type tusk__c_type(const tusk_numeric_view *) { return TUSK_C_NUMERIC; }
constexpr tusk_c_type tusk__c_type(const tusk_timetz_parts *) { return TUSK_C_TIMETZ; }
constexpr tusk_c_type tusk__c_type(const tusk_interval_parts *) { return TUSK_C_INTERVAL; }
constexpr tusk_c_type tusk__c_type(const tusk_macaddr_octets *) { return TUSK_C_MACADDR; }
constexpr tusk_c_type tusk__c_type(const tusk_macaddr8_octets *) { return TUSK_C_MACADDR8; }
constexpr tusk_c_type tusk__c_type(const tusk_inet_parts *) { return TUSK_C_INET; }
constexpr tusk_c_type tusk__c_type(const tusk_bits_view *) { return TUSK_C_BITS; }
constexpr tusk_c_type tusk__c_type(const tusk_array_view *) { return TUSK_C_ARRAY; }
constexpr tusk_c_type tusk__c_type(const tusk_range_parts *) { return TUSK_C_RANGE; }
constexpr tusk_c_type tusk__c_type(const tusk_multirange_view *) { return TUSK_C_MULTIRANGE; }
constexpr tusk_c_type tusk__c_type(const tusk_record_view *) { return TUSK_C_RECORD; }
constexpr tusk_c_type tusk__c_type(const tusk_hstore_view *) { return TUSK_C_HSTORE; }
constexpr tusk_c_type tusk__c_type(const tusk_point_parts *) { return TUSK_C_POINT; }
constexpr tusk_c_type tusk__c_type(const tusk_lseg_parts *) { return TUSK_C_LSEG; }
constexpr tusk_c_type tusk__c_type(const tusk_box_parts *) { return TUSK_C_BOX; }
constexpr tusk_c_type tusk__c_type(const tusk_circle_parts *) { return TUSK_C_CIRCLE; }
constexpr tusk_c_type tusk__c_type(const tusk_tid_parts *) { return TUSK_C_TID; }
template <size_t n> constexpr tusk_c_type tusk__c_type(const char (*)[n]) { return TUSK_C_CHARS; }
template <size_t n> constexpr tusk_c_type tusk__c_type(const short (*)[n]) { return TUSK_C_INT16S; }
template <size_t n> constexpr tusk_c_type tusk__c_type(const int (*)[n]) { return TUSK_C_INT32S; }
template <size_t n> constexpr tusk_c_type tusk__c_type(const long (*)[n]) { return sizeof(long) == 8 ? TUSK_C_INT64S : TUSK_C_INT32S; }
template <size_t n> constexpr tusk_c_type tusk__c_type(const long long (*)[n]) { return TUSK_C_INT64S; }
template <size_t n> constexpr tusk_c_type tusk__c_type(const unsigned (*)[n]) { return TUSK_C_UINT32S; }
template <size_t n> constexpr tusk_c_type tusk__c_type(const float (*)[n]) { return TUSK_C_FLOATS; }
template <size_t n> constexpr tusk_c_type tusk__c_type(const double (*)[n]) { return TUSK_C_DOUBLES; }

template <uint32_t oid, tusk_c_type c_type> struct tusk__checked_c_type {
    static_assert(TUSK__C_FITS(oid, c_type), "the member's C type does not hold this PostgreSQL type");
    static constexpr tusk_c_type value = c_type;
};
template <typename flag> struct tusk__checked_flag;
template <> struct tusk__checked_flag<bool> { static constexpr size_t zero = 0; };
}

#define TUSK__TYPE_OF(struct_type, member) decltype(static_cast<struct_type *>(nullptr)->member)
#define TUSK__C_CHECKED(struct_type, member, oid) \
    tusk__checked_c_type<oid, tusk__c_type(static_cast<TUSK__TYPE_OF(struct_type, member) *>(nullptr))>::value
#define TUSK__FLAG_OFFSET(struct_type, flag) \
    (offsetof(struct_type, flag) + tusk__checked_flag<TUSK__TYPE_OF(struct_type, flag)>::zero)

#else

/* An array of that type as large as the member, or of one if it is none: a type, whatever the member is. */
#define TUSK__ARRAY_OF(type, struct_type, member) type (*)[(sizeof(((struct_type *)0)->member) + sizeof(type) - 1) / sizeof(type)]
#define TUSK__C_TYPE(struct_type, member)                                     \
    _Generic(&((struct_type *)0)->member,                                     \
        bool *: TUSK_C_BOOL,                                                  \
        short *: TUSK_C_INT16,                                                \
        int *: TUSK_C_INT32,                                                  \
        long *: sizeof(long) == 8 ? TUSK_C_INT64 : TUSK_C_INT32,              \
        long long *: TUSK_C_INT64,                                            \
        unsigned *: TUSK_C_UINT32,                                            \
        unsigned long *: sizeof(long) == 8 ? TUSK_C_UINT64 : TUSK_C_UINT32,   \
        unsigned long long *: TUSK_C_UINT64,                                  \
        float *: TUSK_C_FLOAT,                                                \
        double *: TUSK_C_DOUBLE,                                              \
        tusk_str *: TUSK_C_STR,                                               \
        char(*)[sizeof(((struct_type *)0)->member)]: TUSK_C_CHARS,            \
        unsigned char(*)[16]: TUSK_C_UUID,                                    \
        tusk_numeric_view *: TUSK_C_NUMERIC,                                  \
        tusk_timetz_parts *: TUSK_C_TIMETZ,                                   \
        tusk_interval_parts *: TUSK_C_INTERVAL,                               \
        tusk_macaddr_octets *: TUSK_C_MACADDR,                                \
        tusk_macaddr8_octets *: TUSK_C_MACADDR8,                              \
        tusk_inet_parts *: TUSK_C_INET,                                       \
        tusk_bits_view *: TUSK_C_BITS,                                        \
        tusk_array_view *: TUSK_C_ARRAY,                                      \
        tusk_range_parts *: TUSK_C_RANGE,                                     \
        tusk_multirange_view *: TUSK_C_MULTIRANGE,                            \
        tusk_record_view *: TUSK_C_RECORD,                                    \
        tusk_hstore_view *: TUSK_C_HSTORE,                                    \
        tusk_point_parts *: TUSK_C_POINT,                                     \
        tusk_lseg_parts *: TUSK_C_LSEG,                                       \
        tusk_box_parts *: TUSK_C_BOX,                                         \
        tusk_circle_parts *: TUSK_C_CIRCLE,                                   \
        tusk_tid_parts *: TUSK_C_TID,                                         \
        TUSK__ARRAY_OF(short, struct_type, member): TUSK_C_INT16S,            \
        TUSK__ARRAY_OF(int, struct_type, member): TUSK_C_INT32S,              \
        TUSK__ARRAY_OF(long, struct_type, member): sizeof(long) == 8 ? TUSK_C_INT64S : TUSK_C_INT32S, \
        TUSK__ARRAY_OF(long long, struct_type, member): TUSK_C_INT64S,        \
        TUSK__ARRAY_OF(unsigned, struct_type, member): TUSK_C_UINT32S,        \
        TUSK__ARRAY_OF(float, struct_type, member): TUSK_C_FLOATS,            \
        TUSK__ARRAY_OF(double, struct_type, member): TUSK_C_DOUBLES)
#define TUSK__C_CHECKED(struct_type, member, oid)                                                       \
    ((tusk_c_type)(TUSK__C_TYPE(struct_type, member) +                                                  \
                   0 * sizeof(struct {                                                                  \
                       _Static_assert(TUSK__C_FITS(oid, TUSK__C_TYPE(struct_type, member)),             \
                                      "the member's C type does not hold this PostgreSQL type");        \
                       char c;                                                                          \
                   })))
#define TUSK__FLAG_OFFSET(struct_type, flag) _Generic(&((struct_type *)0)->flag, bool *: offsetof(struct_type, flag))

#endif

#endif
