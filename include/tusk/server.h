/* What a server says of itself with the login: version, kind, recovery, settings.
 * Read first: PostgreSQL docs, "Asynchronous Operations", ParameterStatus. */
#ifndef TUSK_SERVER_H
#define TUSK_SERVER_H

#include <stdbool.h>

#include <tusk/str.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tusk_conn tusk_conn;

/** A version, from "16.4 (Debian 16.4-1)", "9.6.24", "18beta1", "PostgreSQL 10.1" … All zero: there is none, or it cannot be read. */
typedef struct tusk_server_version {
    int num;        /* as server_version_num: 160004, 90624, 180000; to be compared */
    int major;      /* 16; 9 */
    int minor;      /* 4; 6. From 10 on it counts bug fixes, before it is a part of the major version */
    int micro;      /* before 10: bug fixes, 24; from 10 on 0 */
    char level[16]; /* "devel", "alpha", "beta", "rc"; empty: released */
    int serial;     /* of the level: 1 for "18beta1" */
} tusk_server_version;

/** Servers that are told apart by what they report, as asyncpg does. What they call their version is the PostgreSQL that they stand for
 * (Redshift: 8.0.2); their own is in the parameter named here. */
typedef enum tusk_server_kind {
    TUSK_SERVER_UNKNOWN = 0, /* before the login */
    TUSK_SERVER_POSTGRESQL,  /* or what looks like it */
    TUSK_SERVER_REDSHIFT,    /* padb_revision */
    TUSK_SERVER_COCKROACHDB, /* crdb_version */
    TUSK_SERVER_CRATEDB      /* crate_version */
} tusk_server_kind;

typedef enum tusk_recovery {
    TUSK_RECOVERY_UNKNOWN = 0, /* before the login, or the server does not say: PostgreSQL before 14, some poolers */
    TUSK_RECOVERY_NO,          /* a primary */
    TUSK_RECOVERY_YES          /* a standby, until it is promoted */
} tusk_recovery;

/** By the setting server_version; Errors none: see tusk_server_version. */
tusk_server_version tusk_conn_server_version(const tusk_conn *conn);
tusk_server_kind tusk_conn_server_kind(const tusk_conn *conn);
/** "PostgreSQL", "Redshift" …; static. */
const char *tusk_server_kind_name(tusk_server_kind kind);
/** By the setting in_hot_standby, as last reported: a promotion shows with the next answer of the server. */
tusk_recovery tusk_conn_recovery(const tusk_conn *conn);

/** The server's setting as it last reported it ("server_version", "TimeZone" …), empty if it did not. Borrowed until the next
 * turn. */
tusk_str tusk_conn_parameter(const tusk_conn *conn, const char *name);

/** All of them, in no order: `for (size_t at = 0; tusk_conn_next_parameter(conn, &at, &name, &value);)`. Borrowed until the next turn. */
bool tusk_conn_next_parameter(const tusk_conn *conn, size_t *at, tusk_str *name, tusk_str *value);

/** Read a version, wherever it comes from. */
tusk_server_version tusk_server_version_of(tusk_str text);

#ifdef __cplusplus
}
#endif

#endif
