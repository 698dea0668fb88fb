/* How to reach and enter a server: the C struct, a JSON document instead of it, and what both come to with connection strings,
 * the environment, password and service files.
 * Read first: docs/config.md. */
#ifndef TUSK_CONFIG_H
#define TUSK_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include <tusk/alloc.h>
#include <tusk/auth.h>
#include <tusk/error.h>
#include <tusk/oauth.h>
#include <tusk/password.h>
#include <tusk/row.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tusk_conn tusk_conn;

/** A notice or warning of the server. Valid until the callback returns. */
typedef struct tusk_notice tusk_notice;

/** One field by its letter ('S' severity, 'V' severity unlocalised, 'C' sqlstate, 'M' message, 'D' detail, 'H' hint …);
 * empty if the server did not send it. Source: PostgreSQL docs, "Error and Notice Message Fields". */
tusk_str tusk_notice_field(const tusk_notice *notice, char field);

typedef void (*tusk_notice_fn)(tusk_conn *conn, const tusk_notice *notice, void *user);
/** The connection is over, and not because the caller closed it: lost, or never made, be it for a configuration that is refused. err is
 * also tusk_conn_error(). Its requests have completed. Called once, from the loop; everything is allowed, tusk_conn_free(conn)
 * included. */
typedef void (*tusk_closed_fn)(tusk_conn *conn, const tusk_error *err, void *user);

/** The password of the client key, asked for when the key turns out to be encrypted and sslpassword is not given. Called from the
 * loop, at most once for each time the files are read (for the first connection of a loop with this configuration, and for the first
 * one after five minutes). Write it into buf, of `size` bytes, which is wiped when it was used.
 * Returns   its length; 0: it is not known, and connecting fails */
typedef size_t (*tusk_key_password_fn)(char *buf, size_t size, void *user);

/** A parameter of the session has a new value (ParameterStatus), at the login or later: "TimeZone", "UTC". Called from the loop; name
 * and value live until it returns. What was told last can be asked for at any time: tusk/server.h. */
typedef void (*tusk_parameter_fn)(tusk_conn *conn, tusk_str name, tusk_str value, void *user);

/** What a configuration made from a JSON document keeps beside its fields: see tusk_config_from_json(). */
typedef struct tusk_config_document tusk_config_document;

/**
 * A connection's configuration. Zero means "not given here": then the connection string counts, then the service file, then the
 * environment, then the password file (for the password), then the default.
 * Strings are borrowed until the call returns; NULL and "" are "not given here".
 *
 * Variables are read once, by the call that takes the configuration, on the calling thread; nobody may change the environment (setenv)
 * meanwhile. Service file, password file and the system's user database are read once, too: by tusk_config_describe() before it
 * returns, for a connection by its loop's helper thread, since the disk they lie on may not answer. So what is wrong with a connection
 * string or a field is tusk_conn_error() at once, what is wrong with those files comes with the connection's outcome. Without a user or
 * HOME, or with a service, values are judged with the files; a string that cannot be read is refused at once in any case. Where no file is
 * needed (password, user and HOME are given, service and requirepeer are not) none of it is waited for.
 */
typedef struct tusk_config {
    const char *dsn; /* "postgresql://user:password@host:port/dbname?sslmode=verify-full" or "host=… dbname=…" */

    /* each overrides the connection string */
    const char *service; /* a section of a service file */
    const char *host;    /* a name, an address, or the directory of a Unix-domain socket (starts with /); host, hostaddr and port
                            may be lists of up to 4096, with commas; dsn says what they are tried for (target_session_attrs …) */
    const char *hostaddr;
    const char *port;
    const char *dbname;
    const char *user;
    const char *password;
    const char *scram_client_key; /* with scram_server_key instead of any password, for SCRAM: 32 bytes each, in base64 */
    const char *scram_server_key;
    const char *passfile; /* default ~/.pgpass */
    const char *application_name;
    const char *fallback_application_name; /* as long as nobody gives application_name, not even the environment */
    const char *options;
    const char *sslmode; /* disable, allow, prefer, require, verify-ca, verify-full */
    const char *sslrootcert; /* a file, or "system": then sslmode must be verify-full, and is if it is not given */
    const char *sslnegotiation;       /* postgres, direct */
    const char *sslcert;              /* a file; default ~/.postgresql/postgresql.crt, if it is there */
    const char *sslkey;               /* its key, a file that nobody else may read; default ~/.postgresql/postgresql.key */
    const char *sslkeylogfile;        /* for Wireshark: the keys of every TLS connection are appended to this file, which gives away all
                                         that is sent. Default: the variable SSLKEYLOGFILE. No connection string can name it */
    const char *sslpassword;          /* if the key is encrypted; or on_key_password */
    const char *channel_binding;      /* disable, prefer, require */
    const char *require_auth;         /* scram-sha-256,md5 or !password …: which ways of logging in are accepted */
    const char *requirepeer;          /* the system's account of a server behind a Unix-domain socket */
    const char *min_protocol_version; /* 3.0, 3.2, latest */
    const char *max_protocol_version; /* 3.0, 3.2, latest */

    /* Settings of the server for this session, sent with the login: {"search_path", "app", "jit", "off", NULL}. They are what
     * RESET goes back to, and win over `options`, PGTZ and the like. Not here: user, database, options, replication, _pq_.… */
    const char *const *server_settings;

    /* Further ways of logging in: {tusk_oauth(), tusk_gssapi(), NULL} (the latter is in tusk/gssapi.h). The list is copied. Default:
     * passwords, SCRAM, certificates. docs/guide.md, "Other ways of logging in" */
    const tusk_auth_mechanism *const *auth_mechanisms;

    double connect_timeout;   /* seconds for all of it: every host, name, connect, TLS, login. Default: what the connection string
                                 says, which is for each attempt, as in libpq; TUSK_NONE: for ever */
    int scram_max_iterations; /* default 100000; a server that asks for more is refused before anything is computed */

    /* How much may wait on the connection before it takes no more: tusk_conn_is_writable(), tusk_conn_drained(). */
    int max_queued_requests;  /* submitted and not answered, the ones given up included until the server has answered them; default
                                 16384; TUSK_NONE: no bound */
    int64_t max_queued_bytes; /* of requests that the system has not taken yet; default 256 MiB; TUSK_NONE: no bound */

    /* What the connection keeps prepared by itself; docs/guide.md, "Statements that are run again". asyncpg's names and defaults */
    int statement_cache_size;             /* statements, those used last; default 100; TUSK_NONE: none is kept */
    double max_cached_statement_lifetime; /* seconds, however often one is used; default 300; TUSK_NONE: for ever */
    int max_cacheable_statement_size;     /* bytes of SQL; default 15360; TUSK_NONE: no bound */

    /* For each request, stack, load and batch of a cursor whose own timeout is 0: seconds until it is answered; one with TUSK_NONE has none all
     * the same. And for what takes no timeout: tusk_begin(), tusk_commit(), tusk_rollback(), tusk_stmt_explain(), and the wait of
     * tusk_stmt_ready(), but not for what ends a handle (tusk_stmt_close(), tusk_cursor_close()) or is about the connection. It counts from the
     * submission: a commit behind a statement that may take longer is submitted when that is answered. asyncpg's name. Default and
     * TUSK_NONE: none */
    double command_timeout;

    /* auto, none, session, transaction: what stands between this program and the server, such as PgBouncer. Behind one in transaction
     * mode it should be said: docs/guide.md, "Behind a pooler". Default auto: where one is suspected no statement is kept prepared */
    const char *pooler;

    /* true: only what is given here, in dsn and in files named here counts: no variable is read (HOME neither), no password file
     * but one named by passfile, and none of the default files of TLS (~/.postgresql/…): who verifies the server names
     * sslrootcert, who shows a certificate sslcert and sslkey. A service that is named is still looked for: in the home folder of
     * the system's user database, and in the system's folder. Default: the environment and those files count, as in libpq */
    bool ignore_environment;

    tusk_notice_fn on_notice; /* default: notices are logged with level INFO, warnings with WARNING */
    tusk_parameter_fn on_parameter;
    tusk_closed_fn on_closed;
    tusk_password_fn on_password;         /* makes the password when a server asks for one: then no other source of it counts */
    tusk_token_fn on_token;               /* makes the bearer token when a server asks for one, with tusk_oauth() */
    tusk_key_password_fn on_key_password; /* default: an encrypted key whose password is not given is an error */
    void *user_data;                      /* `user` of the six */

    const tusk_config_document *document; /* set by tusk_config_from_json() alone */
} tusk_config;

/**
 * What a configuration comes to: one line for each value that is in force, with its origin (default, environment variable,
 * service file and line, connection string, field, JSON document …), mechanisms among them, then warnings. Secrets are shown as "(hidden)", control
 * characters and bytes that are no UTF-8 as \xNN. It reads the same sources that a connection made now would read, files included and
 * before it returns, and connects to nobody.
 *
 * config    NULL: what a program that gives nothing gets
 * buf       always NUL-terminated if size > 0
 * Returns   the length that the whole text has, as snprintf; 0 if the configuration is refused
 * Errors    TUSK_ERR_CONFIG what a connection would fail with, but for files of TLS, which are not looked at · TUSK_ERR_NOMEM
 * Example   docs/examples/config.c
 */
size_t tusk_config_describe(const tusk_config *config, char *buf, size_t size, tusk_error *err);

/**
 * A configuration from a JSON document as SQLSpec's asyncpg adapter has it, so that one file serves a Python and a C program:
 *
 *     { "connection_config": { "host": "db1", "port": 5432, "database": "app", "server_settings": { "jit": "off" } },
 *       "driver_features":   { "enable_cloud_sql": false } }
 *
 * Names, JSON's types and what is not taken are checked here; what a value says (a port of 70000, a malformed dsn) is judged by
 * whoever uses the configuration: tusk_config_describe() asks. docs/config.md, "A JSON document". Here 0 means what it means to PostgreSQL and asyncpg,
 * and null means "not given".
 *
 * json      UTF-8; borrowed until return
 * allocator for the configuration; NULL the default one.
 * config    *config is owned by the caller: tusk_config_free(). Its fields may be changed, and it may be copied as a struct as
 *           long as the original lives: fields win over the document
 * Errors    TUSK_ERR_CONFIG with line and column, in characters; never a value or an unknown name · TUSK_ERR_NOMEM
 * Example   docs/examples/config.c
 */
TUSK_MUST_CHECK
tusk_code tusk_config_from_json(tusk_str json, const tusk_allocator *allocator, tusk_config **config, tusk_error *err);

/** Release a configuration of tusk_config_from_json(), and no other; wipes it. NULL is fine. */
void tusk_config_free(tusk_config *config);

#ifdef __cplusplus
}
#endif

#endif
