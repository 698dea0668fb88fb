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
 *           instead), or a load that nobody could look at before. detail is what the first of them said; sqlstate is 40001 or 40P01 if
 *           that was the reason, so that tusk_error_is_retriable() holds
 *           (or retry, if it was what tusk_error.retry is for). Of a nested one: the outer one can only be rolled back then, too, since what
 *           was submitted behind has failed with it. To go on in the outer one, wait for the statements of the inner one, and tusk_rollback()
 *           that if one failed
 *           TUSK_ERR_SERVER COMMIT itself failed (a deferred constraint), it is undone
 *           TUSK_ERR_COMMIT_UNKNOWN the connection died meanwhile: it may or may not be committed
 *           TUSK_ERR_STATE, 25P01 there is no transaction; it was ended by text ("commit", "rollback", a script), as the message says: what was
 *           submitted behind that is not run either · the error of BEGIN, if that failed
 *           TUSK_ERR_CANCELED, TUSK_ERR_TIMEOUT (command_timeout), TUSK_ERR_NOMEM, fate not sent: as if it had not been called. The transaction is open and counts as such
 *           (tusk_conn_tx_depth()); another tusk_commit() or tusk_rollback() ends it. What was submitted behind this one, for after the
 *           transaction, is not run either, and fails with the same code, not sent. (One begun by text is open as well, but what is
 *           behind runs in it: the driver does not know of it)
 *           TUSK_ERR_CANCELED, TUSK_ERR_TIMEOUT, fate unknown: it was on its way, and its answer is drained. It is committed, undone, or open and failed, as
 *           tusk_conn_tx_status() says behind the next answer: then tusk_rollback() ends it
 */
TUSK_MUST_CHECK
tusk_query *tusk_commit(tusk_conn *conn);

/**
 * Undo the innermost transaction and end it (a nested one: back to its savepoint; the outer one goes on). Without one that was begun here it
 * is a plain ROLLBACK, for one that was begun by text.
 *
 * Returns   a query, as tusk_begin(). TUSK_OK also where there is nothing to undo: BEGIN or SAVEPOINT had failed, or it was undone by text
 * Errors    TUSK_ERR_STATE, 25P01 it was kept by text meanwhile ("commit") · TUSK_ERR_LOST the connection died: it is undone ·
 *           TUSK_ERR_CANCELED, TUSK_ERR_TIMEOUT, TUSK_ERR_NOMEM as tusk_commit(): fate not sent, it is open as before
 */
TUSK_MUST_CHECK
tusk_query *tusk_rollback(tusk_conn *conn);

/** How many transactions were begun by tusk_begin() and not ended yet, as submitted. Of the server's view: tusk_conn_tx_status(). */
int tusk_conn_tx_depth(const tusk_conn *conn);

/* ---- the whole of it, repeated while the server asks for that ------------------------------------------------------------------ */

/** Zero means the default. */
typedef struct tusk_transact_options {
    tusk_transaction transaction;
    unsigned max_attempts; /* default 5; 1: nothing is repeated. In a transaction that is open already it is 1 in any case: the server wants
                              the outermost one repeated */
    double min_delay;      /* seconds; the first pause is a random part of this, each further one of twice as much; default 0.01 */
    double max_delay;      /* but never more than this; default 1 */
} tusk_transact_options;

/** What is to be done in the transaction: it may wait, and end inner transactions that it begins. Called once per attempt, so it starts from
 * nothing. Whatever is not TUSK_OK rolls back; *err then says why, and whether to repeat (40001, 40P01). TUSK_DONE rolls back without an error:
 * there is nothing to be committed. */
typedef tusk_code (*tusk_transact_fn)(tusk_conn *conn, void *user, tusk_error *err);

/**
 * Begin, call fn, commit; and all of it again if the server says that it could not serialize (40001), or broke a deadlock (40P01), of a
 * statement or of the commit. Blocking: it turns the loop, as tusk_await(), also between attempts.
 *
 * options   may be NULL
 * Returns   TUSK_OK: committed. TUSK_DONE: rolled back, as fn wanted it. Otherwise nothing is kept (but for TUSK_ERR_COMMIT_UNKNOWN), and *err is
 *           fn's or the commit's. Where
 *           its end was not sent (no memory for it, or command_timeout was over behind something that fn left running) the transaction is still
 *           open, and tusk_conn_tx_depth() says so
 * Errors    TUSK_ERR_STATE inside a callback · TUSK_ERR_USAGE fn left an inner transaction open, or ended this one: what it ended is kept or
 *           undone as it said (of a nested one: in the one around it, which goes on), and nothing more is ended for it · TUSK_ERR_STATE, 25P01 fn
 *           ended it by text, and whatever is around it with that
 * Example   docs/examples/transact.c
 */
TUSK_MUST_CHECK
tusk_code tusk_transact(tusk_conn *conn, const tusk_transact_options *options, tusk_transact_fn fn, void *user,
                        tusk_error *err);

/** One attempt of tusk_transact_start(): the program's until it ends it. */
typedef struct tusk_attempt tusk_attempt;

/** Called from the loop, once per attempt, behind BEGIN: submit what belongs to it on tusk_attempt_conn(), and call tusk_attempt_end(), now or
 * later. What others submit on that connection meanwhile is in the transaction, too. */
typedef void (*tusk_attempt_fn)(tusk_attempt *attempt, void *user);

/**
 * The same with callbacks.
 *
 * Returns   a query that completes when all is committed, or given up; the caller's: tusk_query_free(), tusk_query_on_done(). NULL: out of
 *           memory. tusk_query_cancel() does not end it: end the attempt
 */
TUSK_MUST_CHECK
tusk_query *tusk_transact_start(tusk_conn *conn, const tusk_transact_options *options, tusk_attempt_fn fn, void *user);

tusk_conn *tusk_attempt_conn(const tusk_attempt *attempt);
/** Which one it is, from 1 on. */
unsigned tusk_attempt_number(const tusk_attempt *attempt);

/** All is submitted, and what had to be looked at was: commit (err is NULL, or its code TUSK_OK), which fails if anything submitted failed;
 * or roll back for this reason. The attempt is gone. */
void tusk_attempt_end(tusk_attempt *attempt, const tusk_error *err);

#ifdef __cplusplus
}
#endif

#endif
