/* The effective configuration of a connection: every source read, checked and put in one immutable, counted struct.
 * It reaches nobody and knows no sockets.
 * Read first: tusk/config.h, docs/config.md, docs/internals/config.md. */
#ifndef TUSK_LIB_SETTINGS_H
#define TUSK_LIB_SETTINGS_H

#include <tusk/auth.h>
#include <tusk/config.h>
#include <tusk/loop.h>

#include "lib/auth_rule.h"
#include "lib/sources.h"
#include "proto/message.h"
#include "proto/scram.h" /* tusk__channel_binding */

typedef enum tusk__session_attrs {
    TUSK__SESSION_ANY,
    TUSK__SESSION_READ_WRITE,
    TUSK__SESSION_READ_ONLY,
    TUSK__SESSION_PRIMARY,
    TUSK__SESSION_STANDBY,
    TUSK__SESSION_PREFER_STANDBY
} tusk__session_attrs;

typedef enum tusk__cert_mode { TUSK__CERT_DISABLE, TUSK__CERT_ALLOW, TUSK__CERT_REQUIRE } tusk__cert_mode;

/* From weak to strong: they are compared. */
typedef enum tusk__sslmode {
    TUSK__SSL_DISABLE,
    TUSK__SSL_ALLOW,
    TUSK__SSL_PREFER,
    TUSK__SSL_REQUIRE,
    TUSK__SSL_VERIFY_CA,
    TUSK__SSL_VERIFY_FULL
} tusk__sslmode;

typedef enum tusk__negotiation { TUSK__NEGOTIATE_POSTGRES, TUSK__NEGOTIATE_DIRECT } tusk__negotiation;

/* One host of the list. */
typedef struct tusk__host {
    tusk_str host;     /* never empty: a name, an address, or a socket folder ("/tmp"); the default is libpq's */
    tusk_str hostaddr; /* connect here, verify against host */
    tusk_str port;     /* never empty, 1..65535 */
    tusk_str password; /* empty: none */
    unsigned password_line; /* where it stands in the password file; 0: it does not come from there */
    uint16_t port_number;
    char port_digits[sizeof "65535"]; /* what port views */
} tusk__host;

static inline bool tusk__is_socket_path(tusk_str host)
{
    return host.len > 0 && (host.ptr[0] == '/' || host.ptr[0] == '@');
}

static inline bool tusk__host_is_local(const tusk__host *host)
{
    return host->hostaddr.len == 0 && tusk__is_socket_path(host->host);
}

/* A key of SCRAM's instead of a password. */
typedef struct tusk__ready_key {
    bool is_given;
    uint8_t bytes[TUSK__SHA256_LEN];
} tusk__ready_key;

typedef struct tusk__settings {
    uint32_t refs;
    size_t size; /* of the block, texts included: wiped whole */
    const tusk_allocator *allocator;
    struct tusk__late_texts *late; /* what only files said, if that came later: tusk__settings_complete(); NULL */

    /* strings live behind the struct, each with a NUL behind it for the calls that need one; empty means not given */
    tusk__host *hosts; /* at least one */
    size_t n_hosts;
    tusk_str host, hostaddr, port; /* as given, lists whole: `hosts` has what counts */
    tusk_str password;             /* the first host's */
    tusk_str password_origin;      /* in words, but for the line in the password file; empty: the program's own */
    tusk_str dbname; /* never empty */
    tusk_str user;   /* never empty */
    tusk_str application_name, fallback_application_name, options, sslrootcert;
    tusk_str service, passfile;
    tusk_str home;     /* the user's folder, for default files of TLS; empty if there is none, or none is to be looked into */
    tusk_str system_roots_file, system_roots_folders; /* SSL_CERT_FILE, SSL_CERT_DIR; empty: OpenSSL's own */
    tusk_str warning;  /* what the log is to be told of the sources; empty: nothing */

    /* what goes into the StartupMessage, in this order */
    tusk__startup_param *startup;
    size_t n_startup;

    tusk__sslmode sslmode;
    tusk__channel_binding channel_binding;
    tusk__auth_rule require_auth;
    tusk_str requirepeer;
    int64_t requirepeer_id; /* its user number; -1: there is no such account */
    uint32_t max_protocol, min_protocol; /* version words */
    int64_t attempt_timeout_us; /* for each attempt: the parameter connect_timeout; -1 none */
    int64_t connect_timeout_us; /* for all of connecting: tusk_config.connect_timeout; 0 and -1 none */
    uint32_t scram_max_iterations;
    tusk__ready_key scram_client_key, scram_server_key; /* both or none */

    /* the table fills these, but lets through only what is done without looking at them */
    uint32_t target_session_attrs, load_balance_hosts, keepalives, sslnegotiation, sslcertmode, sslsni;
    uint32_t tls_min, tls_max, gssdelegation, pooler;
    int32_t keepalives_idle, keepalives_interval, keepalives_count, tcp_user_timeout_ms;
    int32_t statement_cache_size, max_cacheable_statement_size; /* 0: off; no bound */
    int64_t max_cached_statement_lifetime_us;                   /* -1: for ever */
    int64_t command_timeout_us;                                 /* the same */
    tusk_str sslcert, sslkey, sslpassword, sslcrl, sslcrldir, sslkeylogfile;
    tusk_str krbsrvname;
    tusk_str oauth_issuer, oauth_client_id, oauth_client_secret, oauth_scope;

    const tusk_auth_mechanism **mechanisms; /* what the program has named (lib/mechanism.h) */
    size_t n_mechanisms;

    tusk_password_fn on_password;
    tusk_token_fn on_token;
    tusk_notice_fn on_notice;
    tusk_parameter_fn on_parameter;
    tusk_key_password_fn on_key_password;
    void *user_data;
} tusk__settings;

static inline bool tusk__trusts_system(const tusk__settings *settings)
{
    return tusk_str_is(settings->sslrootcert, "system");
}

/* Read every source, fill in defaults, check. TUSK_ERR_CONFIG names the parameter and what is allowed, and in `detail` where the
 * value comes from; a malformed dsn by the position of the fault, never by its text (it may hold a password, D31).
 * sources  NULL: the process's
 * *out has one reference. */
TUSK_MUST_CHECK
tusk_code tusk__settings_read(const tusk_allocator *allocator, const tusk__sources *sources, const tusk_config *config,
                              tusk__settings **out, tusk_error *err);

/* The same from the process's sources. */
TUSK_MUST_CHECK
tusk_code tusk__settings_new(const tusk_allocator *allocator, const tusk_config *config, tusk__settings **out,
                             tusk_error *err);

/* The same, but no file is opened and nobody is asked who the user is. TUSK_AGAIN: that has to be done, by the same functions and where
 * one may wait (lib/reading.h). Then *out is what is known without it, fit to be asked for hosts, names and time-outs, or NULL. */
TUSK_MUST_CHECK
tusk_code tusk__settings_at_once(const tusk_allocator *allocator, const tusk_config *config, tusk__settings **out,
                                 tusk_error *err);

/* … and what has been read since, of the same configuration, is added to it: passwords, their origin, the warning, the number of
 * requirepeer's account. So what its texts were borrowed for stays; nobody else may have a reference yet. */
TUSK_MUST_CHECK
tusk_code tusk__settings_complete(tusk__settings *settings, const tusk__settings *whole, tusk_error *err);

/* How much may wait on a connection; SIZE_MAX, UINT64_MAX: no bound. */
size_t tusk__settings_max_requests(const tusk_config *config);
uint64_t tusk__settings_max_bytes(const tusk_config *config);

/* A configuration that is refused: nothing was sent, and the place is said. */
void tusk__settings_refused(tusk_error *err);

/* tusk_config_describe() with an allocator and sources. */
size_t tusk__settings_describe(const tusk_allocator *allocator, const tusk__sources *sources, const tusk_config *config,
                               char *buf, size_t size, tusk_error *err);

static inline tusk__settings *tusk__settings_ref(tusk__settings *settings)
{
    settings->refs++;
    return settings;
}
void tusk__settings_unref(tusk__settings *settings); /* NULL is fine; wipes the password with the last reference */

#endif
