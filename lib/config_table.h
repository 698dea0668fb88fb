/* The connection parameters as one table: a row says how a parameter is called, here and in the environment, what it may hold,
 * what it is when nobody says, and where it goes; or why it is refused. Connection strings, environment, service files, the C
 * struct, JSON documents and docs/config.md are read and printed by it.
 * It parses nothing (lib/conninfo.c, lib/servicefile.c …) and applies nothing (lib/apply.c).
 * Read first: docs/config.md. */
#ifndef TUSK_LIB_CONFIG_TABLE_H
#define TUSK_LIB_CONFIG_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include <tusk/str.h>

#include "lib/auth_rule.h"

/* Every parameter of libpq 18, and ours. A refused one has its id too: that it is taken some day changes its row and nothing else here. */
typedef enum tusk__param_id {
    TUSK__PARAM_SERVICE,
    TUSK__PARAM_HOST,
    TUSK__PARAM_HOSTADDR,
    TUSK__PARAM_PORT,
    TUSK__PARAM_DBNAME,
    TUSK__PARAM_USER,
    TUSK__PARAM_PASSWORD,
    TUSK__PARAM_PASSFILE,
    TUSK__PARAM_CONNECT_TIMEOUT,
    TUSK__PARAM_APPLICATION_NAME,
    TUSK__PARAM_FALLBACK_APPLICATION_NAME,
    TUSK__PARAM_OPTIONS,
    TUSK__PARAM_CLIENT_ENCODING,
    TUSK__PARAM_REPLICATION,
    TUSK__PARAM_TARGET_SESSION_ATTRS,
    TUSK__PARAM_LOAD_BALANCE_HOSTS,
    TUSK__PARAM_KEEPALIVES,
    TUSK__PARAM_KEEPALIVES_IDLE,
    TUSK__PARAM_KEEPALIVES_INTERVAL,
    TUSK__PARAM_KEEPALIVES_COUNT,
    TUSK__PARAM_TCP_USER_TIMEOUT,
    TUSK__PARAM_SSLMODE,
    TUSK__PARAM_SSLNEGOTIATION,
    TUSK__PARAM_SSLROOTCERT,
    TUSK__PARAM_SSLCERT,
    TUSK__PARAM_SSLKEY,
    TUSK__PARAM_SSLPASSWORD,
    TUSK__PARAM_SSLCERTMODE,
    TUSK__PARAM_SSLCRL,
    TUSK__PARAM_SSLCRLDIR,
    TUSK__PARAM_SSLSNI,
    TUSK__PARAM_SSLCOMPRESSION,
    TUSK__PARAM_SSL_MIN_PROTOCOL_VERSION,
    TUSK__PARAM_SSL_MAX_PROTOCOL_VERSION,
    TUSK__PARAM_SSLKEYLOGFILE,
    TUSK__PARAM_CHANNEL_BINDING,
    TUSK__PARAM_REQUIRE_AUTH,
    TUSK__PARAM_REQUIREPEER,
    TUSK__PARAM_SCRAM_CLIENT_KEY,
    TUSK__PARAM_SCRAM_SERVER_KEY,
    TUSK__PARAM_MIN_PROTOCOL_VERSION,
    TUSK__PARAM_MAX_PROTOCOL_VERSION,
    TUSK__PARAM_GSSENCMODE,
    TUSK__PARAM_KRBSRVNAME,
    TUSK__PARAM_GSSLIB,
    TUSK__PARAM_GSSDELEGATION,
    TUSK__PARAM_OAUTH_ISSUER,
    TUSK__PARAM_OAUTH_CLIENT_ID,
    TUSK__PARAM_OAUTH_CLIENT_SECRET,
    TUSK__PARAM_OAUTH_SCOPE,
    TUSK__N_LIBPQ_PARAMS,
    /* none of libpq's: asyncpg's names, and one of our own */
    TUSK__PARAM_STATEMENT_CACHE_SIZE = TUSK__N_LIBPQ_PARAMS,
    TUSK__PARAM_MAX_CACHED_STATEMENT_LIFETIME,
    TUSK__PARAM_MAX_CACHEABLE_STATEMENT_SIZE,
    TUSK__PARAM_COMMAND_TIMEOUT,
    TUSK__PARAM_POOLER,
    TUSK__N_PARAMS
} tusk__param_id;

/* What a parameter may hold; lib/apply.c has one function for each. */
typedef enum tusk__param_kind {
    TUSK__KIND_TEXT,        /* anything */
    TUSK__KIND_NAME,        /* names of hosts, a list */
    TUSK__KIND_ADDRESS,     /* numeric IPv4 or IPv6 addresses, a list; items may be empty */
    TUSK__KIND_PORT,        /* 1 to 65535, a list; items may be empty */
    TUSK__KIND_SECONDS,     /* a whole number */
    TUSK__KIND_INTEGER,     /* a whole number of 32 bits */
    TUSK__KIND_COUNT,       /* the same, and not negative */
    TUSK__KIND_DURATION,    /* seconds, with decimals or not; 0 for ever */
    TUSK__KIND_CHOICE,      /* one of `choices` */
    TUSK__KIND_TLS_VERSION, /* one of `choices`, in upper or lower case; empty: the default */
    TUSK__KIND_ENCODING,    /* a name of UTF-8 */
    TUSK__KIND_FILE,        /* the path of a file */
    TUSK__KIND_SCRAM_KEY,   /* 32 bytes in base64 */
    TUSK__KIND_AUTH_RULE,   /* methods of logging in, a list (lib/auth_rule.h) */
    TUSK__N_KINDS
} tusk__param_kind;

typedef struct tusk__choice {
    const char *word; /* NULL ends the list */
    uint32_t value;
    const char *refusal; /* a word of libpq that we do not take (yet), and why; else NULL */
} tusk__choice;

#define TUSK__NO_FIELD SIZE_MAX

typedef struct tusk__param {
    const char *name;
    const char *env; /* the variable that stands in for it, as in libpq; NULL: none */
    tusk__param_kind kind;
    bool is_secret;              /* its value is wiped, and never printed by anything */
    size_t offset;               /* of its value in tusk__settings: a tusk_str; SECONDS and DURATION an int64_t of µs; INTEGER and COUNT an int32_t; the
                                    CHOICEs a uint32_t or enum; AUTH_RULE a tusk__auth_rule; SCRAM_KEY a tusk__ready_key.
                                    TUSK__NO_FIELD: it is judged, and then nobody asks for it */
    size_t config_offset;        /* of its const char * in tusk_config, or TUSK__NO_FIELD */
    const char *fallback;        /* taken when nobody gives it; NULL: stays empty, or is worked out (lib/gather.c, lib/settings.c) */
    const tusk__choice *choices; /* the CHOICEs */
    const char *refusal;         /* why it cannot be given (yet); NULL: it counts. Taking it is deleting this, once it has its effect */
    tusk__auth_method needs;     /* a mechanism without which it means nothing (lib/mechanism.h); 0, which is METHOD_NONE: none */
    const char *shown_default;   /* for the documentation, where `fallback` does not say it */
    const char *help;            /* for the documentation: Markdown, sentences; NULL only if it is refused */
} tusk__param;

extern const tusk__param tusk__params[TUSK__N_PARAMS];

/* The row of that name (exactly, as libpq compares), or NULL. */
const tusk__param *tusk__param_find(tusk_str name);

/* The parameter that a misspelt name was probably meant to be, or NULL if none is near. */
const char *tusk__param_nearest(tusk_str name);

/* The same of a word that is none of these. */
const char *tusk__choice_nearest(const tusk__choice *choices, tusk_str given);

/* Variables that are sent to the server as settings of the session, as libpq does; NULL ends the list. */
typedef struct tusk__env_setting {
    const char *env, *name;
} tusk__env_setting;
extern const tusk__env_setting tusk__env_settings[];

/* Where a value was found. */
typedef enum tusk__origin_kind {
    TUSK__FROM_DEFAULT,
    TUSK__FROM_SYSTEM,       /* the name of the user, or whether there is a folder for sockets */
    TUSK__FROM_FIELD,        /* of tusk_config */
    TUSK__FROM_STRING,       /* tusk_config.dsn */
    TUSK__FROM_JSON,         /* line and column */
    TUSK__FROM_SERVICE_FILE, /* name is its path; line */
    TUSK__FROM_ENVIRONMENT,  /* name is the variable */
    TUSK__FROM_PASSFILE      /* name is its path; line */
} tusk__origin_kind;

typedef struct tusk__origin {
    tusk__origin_kind kind;
    const char *name;
    unsigned line, column; /* 1-based */
} tusk__origin;

/* The values as they were given, decoded but not yet judged: ptr NULL is "not given". By the row's place in the table. */
typedef struct tusk__param_values {
    tusk_str text[TUSK__N_PARAMS];
    tusk__origin origin[TUSK__N_PARAMS];
} tusk__param_values;

static inline size_t tusk__param_index(const tusk__param *param)
{
    return (size_t)(param - tusk__params);
}

#endif
