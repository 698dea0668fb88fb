/* Types as the server's catalogue has them: the built-in ones, and those of the database's own (enums, domains, composites, arrays and
 * ranges of them, types of extensions) as far as they were met.
 * Read first: docs/types.md, "Types of the database's own". */
#ifndef TUSK_TYPE_H
#define TUSK_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include <tusk/error.h>
#include <tusk/str.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tusk_conn tusk_conn;

/** What a type is made of: pg_type.typtype, and 'a' for arrays. */
typedef enum tusk_type_kind {
    TUSK_TYPE_BASE = 'b',
    TUSK_TYPE_ARRAY = 'a',
    TUSK_TYPE_COMPOSITE = 'c',
    TUSK_TYPE_DOMAIN = 'd',
    TUSK_TYPE_ENUM = 'e',
    TUSK_TYPE_RANGE = 'r',
    TUSK_TYPE_MULTIRANGE = 'm',
    TUSK_TYPE_PSEUDO = 'p'
} tusk_type_kind;

/** A column of a composite type; those that were dropped are left out. */
typedef struct tusk_type_attribute {
    tusk_str name;
    uint32_t type; /* OID */
} tusk_type_attribute;

/** One type. A plain value, but its texts and attributes are borrowed until the loop's next turn. */
typedef struct tusk_type {
    uint32_t oid;
    tusk_type_kind kind;
    tusk_str name;    /* pg_type.typname: "int4", "_int4" of its array, "mood" */
    tusk_str schema;  /* "pg_catalog" of the built-in ones */
    uint32_t element; /* OID: of an array its element, of a domain its base, of a range its subtype, of a multirange its range; else 0 */
    bool has_binary_output, has_binary_input; /* … a function for it; what is inside may be without one */
    char delimiter; /* between such values in the text of an array: ',', of box ';', of PostGIS ':' */
    const tusk_type_attribute *attributes;    /* of a composite that is not built in, in order; else NULL */
    int n_attributes;
} tusk_type;

/**
 * What is known of a type at the connection's endpoint (host and port or socket, database, user). Asks nothing: a type of the database's own
 * is looked up behind the first result in binary, or the first prepared statement, that has it, with all that it is made of. A result in text
 * (.text_results, scripts) asks nothing; and tusk_stmt_ready() does not wait for the answer, but whatever is submitted behind it does:
 * tusk_types_look_up() asks at once.
 *
 * oid       tusk_column.type, tusk_stmt_param_type(), an element …
 * out       untouched unless TUSK_OK
 * Returns   TUSK_OK · TUSK_AGAIN it is not looked up yet, or could not be: rows of it are raw views meanwhile
 *           TUSK_DONE the server has no such type, or does not tell
 * Thread    the loop's thread
 * Source    PostgreSQL docs, "pg_type", "pg_range", "pg_attribute"
 */
TUSK_MUST_CHECK
tusk_code tusk_type_of(const tusk_conn *conn, uint32_t oid, tusk_type *out);

typedef struct tusk_query tusk_query;

/**
 * Look types up now: those that a prepared statement wants (tusk_stmt_ready() does not wait for them), that a result in text has, that on_row will meet;
 * and what they are made of. One question to the catalogue, as any other of yours: a type that has changed is known anew.
 *
 *     code = tusk_await_free(tusk_types_look_up(conn, &oid, 1), &err);    behind it tusk_type_of() knows them
 *
 * oids      copied; at most TUSK_TYPES_MAX, built-in ones are no harm
 * Returns   a query that completes when they are known: await and free it. NULL: out of memory
 * Errors    those of a query · TUSK_ERR_LIMIT more than TUSK_TYPES_MAX. A type that the server does not have is none: tusk_type_of() says TUSK_DONE of it
 */
TUSK_MUST_CHECK
tusk_query *tusk_types_look_up(tusk_conn *conn, const uint32_t *oids, size_t n);
#define TUSK_TYPES_MAX 64

/**
 * A type's name as format_type() writes it, in SQL that means the type: "character varying(20)", "numeric(10,2)", "timestamp(3) with time zone",
 * "integer[]", "interval day to second(3)"; outside of pg_catalog with its schema, wherever search_path leads: public.mood, "My".mood[],
 * public.vector(3).
 *
 * oid, typmod  tusk_column.type, tusk_column.typmod; -1: no modifier ("bpchar", since "character" would be character(1); "bit" in quotes likewise)
 * conn         NULL: built-in types alone
 * len          the whole length, as snprintf: buf is NUL-terminated, cut if too small
 * Returns      as tusk_type_of(); TUSK_AGAIN and TUSK_DONE leave all untouched
 * Notes        the modifiers of PostGIS's types are left out
 * Source       PostgreSQL docs, "System Catalog Information Functions"
 */
TUSK_MUST_CHECK
tusk_code tusk_type_format(const tusk_conn *conn, uint32_t oid, int32_t typmod, char *buf, size_t size, size_t *len);

/** The attribute of that name, -1 if there is none. */
int tusk_type_attribute_index(const tusk_type *type, const char *name);

/** Forget what is known of the endpoint's own types, after an ALTER TYPE … ADD ATTRIBUTE or the like: they are looked up when they are met
 * again, by the next run of whatever has them in its result, also of a statement that is prepared. For all connections of the loop to that
 * endpoint. */
void tusk_types_forget(tusk_conn *conn);

#ifdef __cplusplus
}
#endif

#endif
