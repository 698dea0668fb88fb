/* Transactions: begin, commit, roll back, nest, and repeat what the server asks to repeat.
 * A transaction belongs to its connection: what is submitted between tusk_begin() and tusk_commit() is in it.
 * Read first: docs/guide.md, "Transactions"; docs/guarantees.md. */
#ifndef TUSK_TRANSACTION_H
#define TUSK_TRANSACTION_H

#include <tusk/query.h>

#ifdef __cplusplus
extern "C" {
#endif

/** SQL's four. Default: the session's default_transaction_isolation. PostgreSQL treats READ UNCOMMITTED as READ COMMITTED. */
typedef enum tusk_isolation {
    TUSK_ISOLATION_DEFAULT = 0,
    TUSK_READ_UNCOMMITTED,
    TUSK_READ_COMMITTED,
    TUSK_REPEATABLE_READ,
    TUSK_SERIALIZABLE
} tusk_isolation;

/** What kind of transaction. Zero everywhere is a good one; all three are refused for a nested one (TUSK_ERR_USAGE), which takes them
 * from the one around it. */
typedef struct tusk_transaction {
    tusk_isolation isolation;
    bool read_only;  /* default: default_transaction_read_only */
    bool deferrable; /* waits for a snapshot that cannot fail to serialize; only with TUSK_SERIALIZABLE and read_only */
} tusk_transaction;

/* ---- step by step: never blocks, never sends, never calls back --------------------------------------------------------------- */

/**
 * Begin a transaction; inside another one, also one that was begun by the text "begin", a savepoint. It costs no round trip: BEGIN
 * travels with the statements that are submitted behind it before the loop's next turn, under one Sync; what comes later waits until
 * the server has said that the transaction is open. begin, statements and commit submitted together are one round trip.
 *
 * Should BEGIN fail, nothing behind it is run: each request up to the tusk_commit() or tusk_rollback() that ends it fails with that
 * reason, and none of them slips into autocommit.
 *
 * options   may be NULL; borrowed until return
 * Returns   a query, owned by the caller: tusk_query_free(); tusk_query_on_done() gives it a callback. It may be freed at once: the
 *           commit tells what became of it. NULL only if out of memory: then nothing was begun
 * Errors    TUSK_ERR_SERVER the server refuses it · TUSK_ERR_USAGE options for a nested one · as tusk_exec()
 * Source    PostgreSQL docs, BEGIN, SAVEPOINT; Frontend/Backend Protocol, "Pipelining"
 * Example   docs/examples/transaction.c
 */
TUSK_MUST_CHECK
tusk_query *tusk_begin(tusk_conn *conn, const tusk_transaction *options);

/**
 * Commit the innermost transaction (a nested one: release its savepoint). TUSK_OK means that the server has committed all of it.
 *
 * Returns   a query, as tusk_begin(). The transaction counts as ended from here on: what is submitted next is outside
 * Errors    TUSK_ERR_ROLLED_BACK it is undone: a statement in it failed, on the server or before it was sent (then a ROLLBACK goes out
 *           instead). detail says which one; sqlstate is 40001 or 40P01 if that was the reason, so that tusk_error_is_retriable() holds
 *           TUSK_ERR_SERVER COMMIT itself failed (a deferred constraint), it is undone
 *           TUSK_ERR_COMMIT_UNKNOWN the connection died meanwhile: it may or may not be committed
 *           TUSK_ERR_STATE, 25P01 there is no transaction · the error of BEGIN, if that failed
 */
TUSK_MUST_CHECK
tusk_query *tusk_commit(tusk_conn *conn);

/** Undo the innermost transaction and end it. Of one whose BEGIN failed there is nothing to undo: TUSK_OK. Without one that was begun here it
 * is a plain ROLLBACK, for one begun by text. */
TUSK_MUST_CHECK
tusk_query *tusk_rollback(tusk_conn *conn);

/** How many transactions were begun by tusk_begin() and not ended yet, as submitted. Of the server's view: tusk_conn_tx_status(). */
int tusk_conn_tx_depth(const tusk_conn *conn);

#ifdef __cplusplus
}
#endif

#endif
