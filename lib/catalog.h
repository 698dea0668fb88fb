/* What is known of the types of an endpoint that have no fixed OID: of enums, domains, composites, arrays and ranges of these, and types
 * of extensions. One table per endpoint (host and port or socket, dbname, user, version), shared by the connections of a loop to it, and
 * gone with the last of them; bounded, the oldest fall out.
 * It asks nothing: that is lookup.c's.
 * Read first: docs/internals/types-known.md. */
#ifndef TUSK_LIB_CATALOG_H
#define TUSK_LIB_CATALOG_H

#include <tusk/type.h>

#include "lib/codec/types.h"
#include "lib/conn.h"

/* Types of an endpoint, and bytes of what is known of them. */
#define TUSK__CATALOG_TYPES_MAX 4096
#define TUSK__CATALOG_BYTES_MAX (2 * 1024 * 1024)

typedef struct tusk__known_type {
    struct tusk__known_type *chain; /* of the same bucket */
    struct tusk__known_type *newer;
    size_t size;             /* of the block */
    bool exists;             /* false: the server has none of that OID, or does not tell */
    tusk_type type;          /* its texts and attributes lie in the block */
    const tusk__codec *codec; /* how its values are read; NULL: raw */
} tusk__known_type;

/* NULL: nothing is known yet. Borrowed until the loop's next turn. */
const tusk__known_type *tusk__catalog_find(const tusk_conn *conn, uint32_t oid);

/* Does it have to be looked up: is it none of the built-in types, nor known? */
bool tusk__catalog_misses(tusk_conn *conn, uint32_t oid);

/* How values of the type are read, a domain's as its base's. NULL: raw. */
const tusk__codec *tusk__catalog_codec(const tusk_conn *conn, uint32_t oid);

/* What a type is called in an error: "int4", "app.mood[]", "type 16402" if it is not known. conn may be NULL. */
TUSK_COLD
const char *tusk__conn_type_label(const tusk_conn *conn, uint32_t type, char buf[TUSK__TYPE_LABEL_SIZE]);

/* The type is copied; one that is known already is replaced. Without memory it is not known. */
void tusk__catalog_add(tusk_conn *conn, const tusk_type *type);
/* There is none. */
void tusk__catalog_add_missing(tusk_conn *conn, uint32_t oid);

/* The connection has no part in it any more. */
void tusk__catalog_leave(tusk_conn *conn);

#endif
