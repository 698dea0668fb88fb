/* The connection parameters as one table: a row says how a parameter is called, what it may hold, what it is when nobody says,
 * and where it goes. Connection strings, the C struct and docs/config.md are read and printed by it.
 * It parses nothing (lib/conninfo.c) and applies nothing (lib/settings.c).
 * Read first: docs/config.md. */
#ifndef TUSK_LIB_CONFIG_TABLE_H
#define TUSK_LIB_CONFIG_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include <tusk/str.h>

typedef enum tusk__param_id {
    TUSK__PARAM_HOST,
    TUSK__PARAM_HOSTADDR,
    TUSK__PARAM_PORT,
    TUSK__PARAM_DBNAME,
    TUSK__PARAM_USER,
    TUSK__PARAM_PASSWORD,
    TUSK__PARAM_CONNECT_TIMEOUT,
    TUSK__PARAM_APPLICATION_NAME,
    TUSK__PARAM_OPTIONS,
    TUSK__PARAM_CLIENT_ENCODING,
    TUSK__PARAM_SSLMODE,
    TUSK__PARAM_SSLROOTCERT,
    TUSK__PARAM_CHANNEL_BINDING,
    TUSK__PARAM_MIN_PROTOCOL_VERSION,
    TUSK__PARAM_MAX_PROTOCOL_VERSION,
    TUSK__N_SUPPORTED_PARAMS,
    /* behind these come the parameters of libpq that are read but refused by name, without ids */
    TUSK__N_PARAMS = TUSK__N_SUPPORTED_PARAMS + 36
} tusk__param_id;

/* What a parameter may hold; lib/settings.c has one function for each. */
typedef enum tusk__param_kind {
    TUSK__KIND_TEXT,     /* anything */
    TUSK__KIND_NAME,     /* one name: no list of hosts */
    TUSK__KIND_ADDRESS,  /* one numeric IPv4 or IPv6 address */
    TUSK__KIND_PORT,     /* 1 to 65535 */
    TUSK__KIND_SECONDS,  /* a whole number */
    TUSK__KIND_CHOICE,   /* one of `choices` */
    TUSK__KIND_ENCODING, /* a name of UTF-8 */
    TUSK__KIND_FILE,     /* the path of a file */
    TUSK__KIND_REFUSED,  /* libpq knows it, we do not */
    TUSK__N_KINDS
} tusk__param_kind;

typedef struct tusk__choice {
    const char *word; /* NULL ends the list */
    uint32_t value;
    const char *refusal; /* a word of libpq that we do not take, and why; else NULL */
} tusk__choice;

#define TUSK__NO_FIELD SIZE_MAX

typedef struct tusk__param {
    const char *name;
    tusk__param_kind kind;
    bool is_secret; /* its value is wiped, and never printed by anything */
    size_t offset;  /* of its tusk_str in tusk__settings; SECONDS: an int64_t of µs; CHOICE: a uint32_t or enum */
    size_t config_offset;        /* of its const char * in tusk_config, or TUSK__NO_FIELD */
    const char *fallback;        /* taken when nobody gives it; NULL: stays empty, or is worked out (lib/settings.c) */
    const tusk__choice *choices; /* CHOICE */
    const char *shown_default;   /* for the documentation, where `fallback` does not say it */
    const char *help;            /* for the documentation: Markdown, sentences; REFUSED: NULL */
} tusk__param;

extern const tusk__param tusk__params[TUSK__N_PARAMS];

/* The row of that name (exactly, as libpq compares), or NULL. */
const tusk__param *tusk__param_find(tusk_str name);

/* The parameter that a misspelt name was probably meant to be, or NULL if none is near. */
const char *tusk__param_nearest(tusk_str name);

/* The values as they were given, decoded but not yet judged: ptr NULL is "not given". By the row's place in the table. */
typedef struct tusk__param_values {
    tusk_str text[TUSK__N_PARAMS];
} tusk__param_values;

static inline size_t tusk__param_index(const tusk__param *param)
{
    return (size_t)(param - tusk__params);
}

#endif
