/* JSON documents with SQLSpec's key names: the keys, and what a tusk_config that came from one keeps.
 * Read first: tusk_config_from_json() in tusk/config.h; docs/config.md, "A JSON document". */
#ifndef TUSK_LIB_CONFIG_JSON_H
#define TUSK_LIB_CONFIG_JSON_H

#include <tusk/config.h>

#include "lib/config_table.h"

typedef enum tusk__json_use {
    TUSK__JSON_PARAM,    /* another name of a parameter of libpq */
    TUSK__JSON_DSN,
    TUSK__JSON_TIMEOUT,
    TUSK__JSON_SSL,
    TUSK__JSON_DIRECT_TLS,
    TUSK__JSON_SETTINGS, /* an object of strings */
    TUSK__JSON_EXTRA,    /* an object whose members belong one level up */
    TUSK__JSON_KEPT,     /* a number for the pool, checked and kept: a single connection has no use for it */
    TUSK__JSON_PASSED,   /* of its type, and then passed over: it means nothing outside Python, or beside a key that is off */
    TUSK__JSON_OFF       /* taken only where it says what is done anyway (false, 0, ""); else refused */
} tusk__json_use;

typedef struct tusk__json_key {
    const char *name; /* NULL ends a list */
    tusk__json_use use;
    char type;             /* s string, b boolean, i whole number, n number, o object, * any */
    tusk__param_id param;  /* PARAM */
    double least;          /* KEPT */
    const char *help;      /* OFF: why not; else for the documentation */
} tusk__json_key;

/* Beside these, connection_config has every parameter of libpq by its own name. lib/json_keys.c */
extern const tusk__json_key tusk__connection_keys[];
extern const tusk__json_key tusk__feature_keys[];
extern const char *const tusk__python_sections[]; /* beside connection_config and driver_features, and passed over */

#define TUSK__JSON_KEPT_MAX 8 /* keys of use KEPT are among the first of tusk__connection_keys */

/* The text of parameter `i`: `field` is what the struct has, or NULL. If the document gave it, *origin says where. */
const char *tusk__document_text(const tusk_config_document *document, size_t i, const char *field, tusk__origin *origin);

/* The places of connect_timeout and server_settings in `config`, as far as they still are the document's. */
void tusk__document_places(const tusk_config *config, tusk__origin *timeout, tusk__origin *server_settings);

/* Is the connection string still the document's? Then *origin says where it stands. */
bool tusk__document_dsn(const tusk_config *config, tusk__origin *origin);

/* A number for the pool; `key` counts in tusk__connection_keys. false: the document does not have it. */
bool tusk__document_kept(const tusk_config_document *document, size_t key, double *value, tusk__origin *origin);

#endif
