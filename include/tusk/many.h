/* Execute-many: one statement with as many sets of values as there are, asked for one by one, and sent while others are answered.
 * A few sets that are in memory already are tusk_stack_push_many()'s; very many rows into one table are COPY's.
 * Read first: docs/guide.md, "Much data"; docs/guarantees.md. */
#ifndef TUSK_MANY_H
#define TUSK_MANY_H

#include <tusk/conn.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Asked for the values of the next item: give them by tusk_many_push() and return TUSK_OK. It is called from the loop, ahead of the answers
 * by no more than flight_bytes. In it everything may be called except waiting; the query may be canceled and freed.
 *
 * item      its number, from 0
 * err       for a reason, if it fails; need not be filled
 * Returns   TUSK_OK · TUSK_DONE there are no more (also behind a push) · TUSK_AGAIN not yet: it is asked again after tusk_many_resume()
 *           (also behind a push) · any other code: no more is asked for, what of the load can be undone is, and the query completes with
 *           this code and *err
 */
typedef tusk_code (*tusk_pull_fn)(tusk_query *q, int64_t item, tusk_error *err, void *user);

/**
 * One item is answered, in order. Of an ATOMIC load that tells what was run, not what is kept: that is the query's code alone.
 *
 * rows_affected   the number in its tag; -1 if it has none, or failed
 * err             NULL; in mode EACH why it failed: valid until return
 */
typedef void (*tusk_item_fn)(tusk_query *q, int64_t item, int64_t rows_affected, const tusk_error *err, void *user);

typedef enum tusk_many_mode {
    TUSK_MANY_ATOMIC = 0, /* all or none: the first error undoes the whole load, and is the query's error */
    TUSK_MANY_EACH        /* each item by itself: one that fails undoes itself alone, and the load goes on */
} tusk_many_mode;

/** A load with all its options. Zero means the default. Everything is borrowed until tusk_many_submit() returns, but for user. */
typedef struct tusk_many_request {
    const char *sql;   /* UTF-8; one statement. Not COPY, nor transaction control */
    tusk_str sql_str;  /* instead of sql, if its length is known */
    tusk_stmt *stmt;   /* instead of sql: a prepared statement of the same connection */
    tusk_pull_fn pull; /* must be there */
    tusk_many_mode mode;
    tusk_item_fn on_item; /* default: nothing is told of single items */

    bool item_results; /* one result for each item, in order: tusk_next_result(), tusk_query_result_operation() is its number; a million of
                          them take 300 MB. Default: the rows of all
                          items, one behind the other, are the one result */
    bool text_results; /* as in tusk_request */

    double timeout;           /* seconds until the whole load is answered, also while the pull says "not yet"; default: tusk_config.command_timeout;
                                 TUSK_NONE: none */
    int64_t flight_bytes;     /* so much is sent ahead of the answers, about; default 256 KiB, at most 4 MiB. Larger helps where
                                 the server is far away */
    int64_t max_result_bytes; /* of the rows that are kept, all together; default 256 MiB; TUSK_NONE: no bound */

    tusk_row_fn on_row; /* rows are handed out as they arrive and not kept; tusk_many_n_answered() is the number of their item, whose
                           on_item comes behind them */
    tusk_done_fn on_done;
    void *user;         /* of all the functions above; one that tusk_query_on_done() gives is its callback's, and that of on_row */
} tusk_many_request;

/**
 * Run a statement once for each set of values that pull gives, all or none. Never blocks, never sends, never calls back.
 *
 * The statement is prepared once, by the first item, with the types of its values (or taken from the statement cache); later values are
 * converted to these as those of a prepared statement, or refused. The connection is the load's until it ends: what is submitted
 * behind it waits. Memory does not grow with the number of items, unless their rows, or item_results, are kept.
 *
 * All or none: outside a transaction the load is one; inside, it has a savepoint, and what stands before it in the transaction is not
 * touched by its failure. But a tusk_commit() that was submitted before the load had ended, or behind one that was freed, keeps nothing
 * then: TUSK_ERR_ROLLED_BACK. While the pull says "not yet", the server holds the locks of the items before, and no
 * idle_in_transaction_session_timeout ends that: give it a timeout.
 *
 * pull      called from the loop until it says that there is no more, or the load ends
 * user      for pull
 * Returns   a query, owned by the caller: tusk_query_free(). Freed or canceled before its end, the load is undone as if the pull had
 *           failed (unless its last message was sent already). NULL only if out of memory
 * Completes exactly once: TUSK_OK when all is committed (inside a transaction: run), no item at all included; or with the error of the
 *           first item that failed: err->item says which one, err->param which $n, if a value was refused here, or by a server that says which (0: it
 *           does not say). Nothing is kept then
 * Fate      of one that is given up (canceled, past its deadline), or lost with its connection: not sent, or answered: nothing of it is kept,
 *           and outside a transaction retry says that it may be submitted again; unknown: its last message was on its way, and all of it or
 *           nothing is kept; inside a transaction, of one that was lost: it shares that one's fate. The transaction of one that is given up
 *           goes on without it
 * Errors    TUSK_ERR_USAGE no pull, a statement that cannot be · TUSK_ERR_VALUE, _TYPE, _LIMIT a value that was refused by
 *           tusk_many_push() · what pull returns · TUSK_ERR_SERVER, item -1: its own COMMIT failed (a deferred constraint) ·
 *           TUSK_ERR_LOST, fate answered, and retry, where it is certain that nothing was kept, as the server had not been asked to
 *           commit · TUSK_ERR_COMMIT_UNKNOWN it had · TUSK_ERR_TIMEOUT, TUSK_ERR_CANCELED · as tusk_exec()
 * Thread    the loop's thread
 * Source    PostgreSQL docs, Frontend/Backend Protocol, "Pipelining"
 * Example   docs/examples/many.c
 */
TUSK_MUST_CHECK
tusk_query *tusk_exec_many(tusk_conn *conn, const char *sql, tusk_pull_fn pull, void *user);

/**
 * The same with options. With on_done the query frees itself and the returned pointer may be ignored.
 *
 * TUSK_MANY_EACH: outside a transaction each item is committed by itself; inside, each has a savepoint (above 64 items that write, these overflow
 * the server's cache of subtransactions). It completes with TUSK_OK although items failed: tusk_many_n_failed(), on_item; with
 * item_results, tusk_query_result_error(). If the pull fails, or the statement itself cannot be parsed, the load ends with that. Does the
 * server lose the statement in between, the items that were sent fail with an error that says "repeat" (err->retry), and the next one brings it
 * anew; do its columns change, the load ends with that item's error.
 * Given up or lost, its fate is unknown (or not sent), but the first tusk_many_n_answered() items are certain, as on_item has told of each: kept, or failed. Of
 * the others up to tusk_many_n_items() each may be kept or not, in a transaction as that is.
 */
tusk_query *tusk_many_submit(tusk_conn *conn, const tusk_many_request *request);

/**
 * In pull: the values of the item that is asked for.
 *
 * params    one for each $n; borrowed until return, also what they point at. Where the statement was not prepared by the caller, the types of the
 *           first item's values are those of its parameters: give tusk_int8() where any of them may need it. As in tusk_exec(), a value more
 *           than the statement has $n for is none's in the first item
 * Returns   TUSK_OK, or why they were refused. Then nothing of the item was sent: give other values for it, or return the code;
 *           the query's error tells item and $n
 * Errors    TUSK_ERR_VALUE a value does not fit, is not UTF-8, holds a NUL · TUSK_ERR_TYPE it is of another type than the statement's ·
 *           TUSK_ERR_USAGE too few or too many of them, a second item in one call of pull · TUSK_ERR_LIMIT too long · TUSK_ERR_NOMEM ·
 *           TUSK_ERR_STATE outside pull · TUSK_ERR_CANCELED the query was canceled or freed in this call of pull
 */
TUSK_MUST_CHECK
tusk_code tusk_many_push(tusk_query *q, tusk_params params);

/** pull said "not yet": ask it again, in the next turn. Called inside pull, it counts for what that is about to say. TUSK_ERR_STATE if
 * q is no load, or is done. From another thread: by tusk_loop_post(). */
tusk_code tusk_many_resume(tusk_query *q);

/** Of a load: items given so far · those of them that were answered · that failed, in mode EACH. 0 of another query. How many rows all
 * items together have affected: tusk_query_rows_affected(), unless item_results. */
int64_t tusk_many_n_items(const tusk_query *q);
int64_t tusk_many_n_answered(const tusk_query *q);
int64_t tusk_many_n_failed(const tusk_query *q);

#ifdef __cplusplus
}
#endif

#endif
