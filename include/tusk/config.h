/* How to reach and enter a server: connection strings, and the C struct around them.
 * Read first: docs/config.md. */
#ifndef TUSK_CONFIG_H
#define TUSK_CONFIG_H

#include <stddef.h>

#include <tusk/error.h>
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
/** The connection is over, and not because the caller closed it: lost, or never made. err is also tusk_conn_error(). Its requests
 * have completed. Called once; everything is allowed, tusk_conn_free(conn) included. */
typedef void (*tusk_closed_fn)(tusk_conn *conn, const tusk_error *err, void *user);

typedef void (*tusk_parameter_fn)(tusk_conn *conn, tusk_str name, tusk_str value, void *user);

/**
 * A connection's configuration. Zero means "not given here": then the connection string, then the default counts.
 * Strings are borrowed until the call returns.
 */
typedef struct tusk_config {
    const char *dsn; /* "postgresql://user:password@host:port/dbname?sslmode=verify-full" or "host=… dbname=…" */

    /* each overrides the connection string */
    const char *host; /* a name, an address, or the directory of a Unix-domain socket (starts with /) */
    const char *hostaddr;
    const char *port;
    const char *dbname;
    const char *user;
    const char *password;
    const char *application_name;
    const char *options;
    const char *sslmode; /* disable, prefer, require, verify-full */
    const char *sslrootcert;
    const char *channel_binding;      /* disable, prefer, require */
    const char *max_protocol_version; /* 3.0, 3.2, latest */

    double connect_timeout;   /* seconds for all of it: name, connect, TLS, login. Default: none, as libpq; TUSK_NONE the same */
    int scram_max_iterations; /* default 100000; a server that asks for more is refused before anything is computed */

    tusk_notice_fn on_notice; /* default: notices are logged with level INFO, warnings with WARNING */
    tusk_parameter_fn on_parameter;
    tusk_closed_fn on_closed;
    void *user_data; /* `user` of the three */
} tusk_config;

#ifdef __cplusplus
}
#endif

#endif
