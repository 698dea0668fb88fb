/* Connections: made at once, usable at once, ready later.
 * Read first: docs/guide.md, docs/config.md. */
#ifndef TUSK_CONN_H
#define TUSK_CONN_H

#include <tusk/query.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Begin to connect. Never blocks: what is submitted earlier waits for the login, and fails with its error.
 *
 * dsn       postgresql://user:password@host:port/dbname?name=value&… or "host=… port=… dbname=…"; NULL or "" for the defaults.
 *           What it leaves open the environment and files say, as with libpq: docs/config.md
 * Returns   the connection, owned by the caller: tusk_conn_free(). NULL only if not even that could be allocated, or the loop
 *           is being freed; every other failure, a malformed dsn included, is the connection's error, and that of every request on
 *           it
 * Thread    the loop's thread
 * Source    PostgreSQL docs, libpq, "Connection Strings"
 */
TUSK_MUST_CHECK
tusk_conn *tusk_connect(tusk_loop *loop, const char *dsn);

/** The same with the C struct. config is borrowed until return. */
TUSK_MUST_CHECK
tusk_conn *tusk_conn_open(tusk_loop *loop, const tusk_config *config);

/** Completes when the login is done, or with the reason why there is none. A new query at each call. */
TUSK_MUST_CHECK
tusk_query *tusk_conn_ready(tusk_conn *conn);

/**
 * Close: requests that are not answered complete with TUSK_ERR_CANCELED in their order, then Terminate is sent and the close
 * itself completes. New requests are refused with TUSK_ERR_STATE. The handle stays valid until tusk_conn_free(). To have them answered,
 * close when they are. tusk_config.on_closed is not called.
 * Example   docs/examples/service.c
 */
TUSK_MUST_CHECK
tusk_query *tusk_close(tusk_conn *conn);

/** Release the connection, in any state and in any callback; closes it first if need be, without waiting. Its requests complete
 * with TUSK_ERR_CANCELED in the next turn; their rows live on until tusk_query_free(). NULL is fine. */
void tusk_conn_free(tusk_conn *conn);

/* ---- how much may wait: nothing grows without bound, and nothing blocks ------------------------------------------------------- */

/**
 * Would a request that is submitted now be queued? False while as many requests are unanswered, or as many bytes unsent, as
 * tusk_config.max_queued_requests and max_queued_bytes allow; and on a connection that is closing or closed.
 * The request that reaches the bound is still queued, whatever its size: a bound of bytes says when to stop, not how large one may be.
 * What is submitted all the same is not queued: it completes in the next turn with TUSK_ERR_LIMIT (53400), not sent, without
 * waiting for those before it.
 */
bool tusk_conn_is_writable(const tusk_conn *conn);

/**
 * Completes when at most half of both bounds is in use; in the next turn if that is so already. A new query at each call: await it,
 * or give it a callback by tusk_query_on_done() and submit from there. Others may have filled the queue again by then:
 * tusk_conn_is_writable() knows.
 *
 * Errors    that of the connection if it ends first · TUSK_ERR_CANCELED it is closed · TUSK_ERR_STATE it is closed already
 * Thread    the loop's thread
 * Example   docs/examples/backpressure.c
 */
TUSK_MUST_CHECK
tusk_query *tusk_conn_drained(tusk_conn *conn);

typedef enum tusk_conn_state {
    TUSK_CONN_CONNECTING = 0,
    TUSK_CONN_READY,
    TUSK_CONN_CLOSING,
    TUSK_CONN_CLOSED /* by the caller, or with the error of tusk_conn_error() */
} tusk_conn_state;

typedef enum tusk_tx_status {
    TUSK_TX_UNKNOWN = 0,        /* before the login, and after the end */
    TUSK_TX_IDLE = 'I',
    TUSK_TX_IN_TRANSACTION = 'T',
    TUSK_TX_IN_ERROR = 'E'
} tusk_tx_status;

tusk_conn_state tusk_conn_get_state(const tusk_conn *conn);
/** As the last ReadyForQuery said. */
tusk_tx_status tusk_conn_tx_status(const tusk_conn *conn);

/** Why the connection is gone, or could not be made; code TUSK_OK while it is fine. Never NULL. conn may be NULL. */
const tusk_error *tusk_conn_error(const tusk_conn *conn);
/** What became of each attempt to connect, when none led to a connection: a line for each, "db1:5432 (10.0.0.1): could not connect:
 * connection refused", in the order in which they ended, then those that had no answer yet when the time was over. Whole, where the
 * error's detail is cut. Of the second pass of target_session_attrs=prefer-standby alone. Empty as long as it connects, when it has, and
 * if the memory for it was missing. Borrowed until tusk_conn_free(). */
tusk_str tusk_conn_attempts(const tusk_conn *conn);

/** A field of the server's error behind it, as tusk_query_error_field(). */
tusk_str tusk_conn_error_field(const tusk_conn *conn, char field);

/** Host and port are those of the attempt that is under way, that has connected, or that came last; the first of a list before any.
 * Empty if the configuration was refused, and for a service (or without user or HOME) until its files have been read. Borrowed until
 * tusk_conn_free(). */
tusk_loop *tusk_conn_loop(const tusk_conn *conn);
tusk_str tusk_conn_host(const tusk_conn *conn);
tusk_str tusk_conn_port(const tusk_conn *conn);
tusk_str tusk_conn_dbname(const tusk_conn *conn);
tusk_str tusk_conn_user(const tusk_conn *conn);

/** The IP address that it has reached, as text ("10.0.0.7", "fe80::1"); "" for a Unix socket and before. snprintf's contract: the
 * length is returned, 45 at most. PostgreSQL docs: PQhostaddr. */
size_t tusk_conn_hostaddr(const tusk_conn *conn, char *buf, size_t size);

/** Process id of the server's backend, 0 before the login or if the server gave none. */
uint32_t tusk_conn_backend_pid(const tusk_conn *conn);
/** 30000 for 3.0, 30002 for 3.2; 0 before the login. */
int tusk_conn_protocol_version(const tusk_conn *conn);
/** "TLSv1.3"; empty without TLS. */
tusk_str tusk_conn_tls_version(const tusk_conn *conn);
/** "TLS_AES_256_GCM_SHA384", as OpenSSL calls it; empty without TLS. */
tusk_str tusk_conn_tls_cipher(const tusk_conn *conn);
/** How the server let us in, in the words of require_auth: "none" (trust, peer, a certificate), "password", "md5", "scram-sha-256",
 * "gss", "oauth"; and "scram-sha-256-plus", bound to the TLS channel. Empty before the login. Static. */
tusk_str tusk_conn_auth_method(const tusk_conn *conn);

#ifdef __cplusplus
}
#endif

#endif
