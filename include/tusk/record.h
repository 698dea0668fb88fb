/* Records: views of composite values and of anonymous rows, with their fields by order, position and name.
 * Nothing here allocates, and no field is converted before it is asked for.
 * Read first: docs/types.md, "Records". */
#ifndef TUSK_RECORD_H
#define TUSK_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include <tusk/error.h>
#include <tusk/oid.h>
#include <tusk/row.h>
#include <tusk/str.h>
#include <tusk/type.h>
#include <tusk/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/** PostgreSQL's most. */
#define TUSK_RECORD_FIELDS_MAX 1664

/**
 * One record, checked so far that each of its fields lies inside. It borrows its bytes from the row, or from the value that it was made of, as
 * long as these live. Whether a field is what its type allows is seen when it is read.
 */
typedef struct tusk_record_view {
    const unsigned char *wire; /* the binary format as a whole; NULL: no record (SQL NULL) */
    size_t len;                /* of it */
    uint32_t type;             /* OID of the composite type, of a table's rows too; TUSK_OID_RECORD of a row without a name, as row(1, 2) */
    size_t n;                  /* fields; columns that were dropped are none */
    const tusk_query *query;   /* through it types of the database's own are known; NULL: fields of such are raw, and have no names */
} tusk_record_view;

/** Of NULL and on error a view whose `wire` is NULL. */
tusk_record_view tusk_get_record(const tusk_row *row, int col);
/**
 * A composite, once its type is looked up, or a row without a name, that came in binary.
 *
 * Errors    TUSK_ERR_NULL · TUSK_ERR_TYPE no record, or in text format: tusk_read_value_into() · TUSK_ERR_VALUE not a record's bytes · TUSK_ERR_USAGE no such column
 */
tusk_code tusk_read_record(const tusk_row *row, int col, tusk_record_view *out, tusk_error *err);
/**
 * The record that a value holds which came out of a row (tusk_read_value(), an element, a field of another record). Bytes of a type that is not
 * built in are taken by the caller's word for a record's. A value does not know its query: copy `query` from the view that it was taken from
 * to have names, and fields of the database's own types.
 *
 * Errors    TUSK_ERR_NULL · TUSK_ERR_TYPE another type, or not what the server sent · TUSK_ERR_VALUE
 */
tusk_code tusk_value_to_record(const tusk_value *value, tusk_record_view *out, tusk_error *err);

/** A walk over all fields. */
typedef struct tusk_record_iter {
    /* private */
    const unsigned char *at;
    size_t n, left;
    const tusk_query *query;
} tusk_record_iter;

/** Valid as long as the view's bytes. */
tusk_record_iter tusk_record_begin(const tusk_record_view *record);
/**
 * The next field, borrowed from the same bytes; its type came with it. NULL is TUSK_KIND_NULL of that type. Of a domain it is a value of its base.
 *
 * Returns   TUSK_OK · TUSK_DONE there is none left · TUSK_ERR_VALUE this one is malformed (the walk goes on behind it)
 */
tusk_code tusk_record_next(tusk_record_iter *it, tusk_value *out, tusk_error *err);

/** The field at that position, from 0 on. Errors    TUSK_ERR_USAGE there is none, or no record · TUSK_ERR_VALUE it is malformed */
tusk_code tusk_record_at(const tusk_record_view *record, size_t i, tusk_value *out, tusk_error *err);
/**
 * The position of the field of that name, by what tusk_type_of() knows of the record's type.
 *
 * out       untouched unless TUSK_OK
 * Returns   TUSK_OK · TUSK_AGAIN the type is not looked up yet, or `query` is NULL, or its connection is gone
 * Errors    TUSK_ERR_NULL the view is of an SQL NULL · TUSK_ERR_USAGE no field has that name · TUSK_ERR_TYPE a row without a name: its fields have none
 *           TUSK_ERR_STATE the type has changed since it was looked up, by the number and the types of the fields (names do not come with
 *           them): tusk_types_forget()
 */
tusk_code tusk_record_index(const tusk_record_view *record, const char *name, size_t *out, tusk_error *err);
/** The field of that name. As tusk_record_index() and tusk_record_at(). */
tusk_code tusk_record_named(const tusk_record_view *record, const char *name, tusk_value *out, tusk_error *err);

/* ---- sending ------------------------------------------------------------------------------------------------------------------------- */

/** A composite made of values, one for each of its type's attributes, in order. Borrowed, with all that it points at, until the submitting
 * call returns. */
typedef struct tusk_record_parts {
    const tusk_value *values; /* each of its attribute's type, or one that may travel as it; tusk_null() is an SQL NULL */
    size_t n;                 /* at most TUSK_RECORD_FIELDS_MAX; columns that were dropped are none */
} tusk_record_parts;

/**
 * `type`: OID of a composite, of a table's rows too, or 0: the one that the statement infers. A `parts` of NULL is an SQL NULL. It travels in
 * binary where the type is known that the statement wants (docs/types.md, "Types of the database's own, sent"), else as text, which the server
 * reads field by field. A number of values that is not that of the attributes is the server's error: 22P02, "malformed record literal".
 */
static inline tusk_value tusk_record_of(uint32_t type, const tusk_record_parts *parts)
{
    tusk_value v = tusk_null_of(type);
    v.kind = parts ? TUSK_KIND_RECORD : TUSK_KIND_NULL;
    v.as.record = parts;
    return v;
}

/** tusk_record_of(0, TUSK_RECORD(tusk_text("Main St 1"), tusk_null())). Lives as long as the enclosing block. Not for C++. */
#ifndef __cplusplus
#define TUSK_RECORD(...)                                                                         \
    (&(const tusk_record_parts){.values = (const tusk_value[]){__VA_ARGS__},                     \
                                .n = sizeof((const tusk_value[]){__VA_ARGS__}) / sizeof(tusk_value)})
#endif

/** A record that came from the server, as it is. A view without one is an SQL NULL of its type, and so is NULL, of the type that the statement
 * infers. Of a row without a name (TUSK_OID_RECORD), for a prepared statement alone: no type that could be said takes it. */
static inline tusk_value tusk_record(const tusk_record_view *record)
{
    return record ? tusk__bytes_or_null(record->type, TUSK_KIND_WIRE, tusk_str_from(record->wire, record->len)) : tusk_null();
}

/** A value by the name of its attribute. */
typedef struct tusk_record_field {
    const char *name;
    tusk_value value;
} tusk_record_field;

/**
 * Put values that have names into the order of a composite's attributes, for tusk_record_of(). Those that are not named are NULL.
 *
 * type      of a composite: tusk_type_of(), whose attributes are borrowed until the loop's next turn
 * values    gets type->n_attributes of them, which borrow what `fields` borrow
 * Errors    TUSK_ERR_USAGE no attribute has the name (the error tells which are like it), or two fields have it · TUSK_ERR_LIMIT capacity
 *           TUSK_ERR_TYPE no composite whose attributes are known: the built-in ones are told without
 */
tusk_code tusk_record_arrange(const tusk_type *type, const tusk_record_field *fields, size_t n, tusk_value *values, size_t capacity,
                              tusk_error *err);

#ifdef __cplusplus
}
#endif

#endif
