/* Cursors: a result that stays on the server and is taken batch by batch.
 * Read first: tusk/query.h, docs/guide.md "Much data". */
#ifndef TUSK_CURSOR_H
#define TUSK_CURSOR_H

#include <tusk/conn.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tusk_cursor tusk_cursor;

/** A query whose rows are fetched by and by. Zero means the default. Everything is borrowed until tusk_cursor_open() returns. */
typedef struct tusk_cursor_request {
    const char *sql;    /* UTF-8; one statement that has rows: SELECT, VALUES, INSERT … RETURNING, EXPLAIN, SHOW, CALL …, but not COPY; with
                           .hold or .scroll a SELECT or VALUES. One without rows is run by the first fetch, and gives none */
    tusk_stmt *stmt;    /* instead of sql: a prepared statement of the same connection, which is not parsed again. It takes params, not args; not
                           with .hold or .scroll (TUSK_ERR_USAGE), which are DECLARE's: give its text as sql. It may be closed before the cursor is */
    tusk_params params; /* $1 … */
    tusk_args args;     /* instead of params: by name, as tusk_request.args */
    tusk_named *named;  /* instead of sql, with args: tusk_named_parse() */
    bool hold;          /* WITH HOLD: outlives its transaction, and needs none. The server runs the query to its end at the commit, at once
                           outside a transaction, and keeps all rows until the cursor is closed. Default: the cursor lives, and is
                           fetched from, inside the transaction that is open when it is opened */
    bool scroll;        /* SCROLL: tusk_cursor_move() may go backward; the server may have to keep rows for that */
    bool text_results;  /* as tusk_request.text_results */
    int batch_rows;     /* of tusk_cursor_next_row(): rows of a batch, at most; default 1000 */
    int64_t batch_bytes; /* … and about so many bytes, by the average of the batch before; default 1 MiB. The first batch has at most 50
                            rows, as nothing is known of their size. Where rows become much larger all at once, so does a batch; but
                            no more than 256 KiB and a row of it lie here before its rows are taken: the rest waits at the server, its
                            time-out running. Only if something else is submitted on the connection meanwhile is it taken in at once, as that
                            must not wait: up to max_result_bytes, beyond which it is TUSK_ERR_LIMIT */
    int64_t max_result_bytes; /* of each batch, as tusk_request.max_result_bytes */
    double timeout;     /* seconds for each batch; default: tusk_config.command_timeout; TUSK_NONE: none */
} tusk_cursor_request;

/**
 * Open a cursor. Never blocks: it is used at once, and what is fetched leaves behind the opening, in the same flight.
 *
 * Returns   the cursor, owned by the caller: tusk_cursor_free(). NULL: out of memory; every other failure is tusk_cursor_error(), and
 *           what is fetched fails for that reason, too, not sent if that is known. None of its requests is kept in the statement cache
 * Errors    TUSK_ERR_USAGE neither sql nor stmt, or what does not go with it, a negative batch, COPY or transaction control; of names as tusk_submit() · TUSK_ERR_STATE 25P01 there is no
 *           transaction, and hold was not given; with .scroll it is TUSK_ERR_SERVER · TUSK_ERR_SERVER what the statement is refused for; of what
 *           is fetched 34000: the transaction, or the savepoint, in which it was opened has ended (TUSK_ERR_STATE, not sent, if tusk_rollback()
 *           or tusk_commit() ended it: what is read ahead by itself then harms nobody's transaction)
 * Thread    the loop's thread
 * Source    PostgreSQL docs, Frontend/Backend Protocol, "Extended Query" (portals); SQL Commands, "DECLARE"
 * Example   docs/examples/cursor.c
 */
TUSK_MUST_CHECK
tusk_cursor *tusk_cursor_open(tusk_conn *conn, const tusk_cursor_request *request);

/**
 * The next row; turns the loop where it has to wait, as tusk_await(). While the rows of one batch are walked over, the next one is on its
 * way already. A batch of which a part waits at the server for its rows to be taken (.batch_bytes) is a request that is not done: it keeps
 * tusk_loop_run() going until its rows are taken, or the cursor is freed.
 *
 * row       lives until the next call
 * Returns   false at the end, and on an error: ask tusk_cursor_error()
 * Errors    those of tusk_await()
 */
bool tusk_cursor_next_row(tusk_cursor *cursor, tusk_row *row);

/**
 * The next n rows, as a query of their own that is awaited or called back like any other. To read ahead, fetch the next batch before
 * the rows of this one are worked on: they leave in order.
 *
 * n         1 or more; fewer rows come only at the end. tusk_query_n_rows() tells how many they are: the server gives a batch that may have
 *           rows behind it no tag (tusk_query_tag() is empty, tusk_query_rows_affected() -1); with .hold or .scroll the tag is "FETCH n"
 * Errors    TUSK_ERR_USAGE n · TUSK_ERR_STATE the cursor is closed; tusk_cursor_next_row() was called, which has read ahead
 */
TUSK_MUST_CHECK
tusk_query *tusk_cursor_fetch(tusk_cursor *cursor, int n);

/** Pass over n rows without their being sent: backward if n is negative and the cursor is .scroll. tusk_query_rows_affected() tells how
 * many there were. Errors as tusk_cursor_fetch(); TUSK_ERR_USAGE backward without .scroll. */
TUSK_MUST_CHECK
tusk_query *tusk_cursor_move(tusk_cursor *cursor, int n);

/** Why it could not be opened, or why tusk_cursor_next_row() ended; code TUSK_OK if neither failed. Never NULL. cursor may be NULL: out
 * of memory. Borrowed until tusk_cursor_free(). */
const tusk_error *tusk_cursor_error(const tusk_cursor *cursor);

/** Close it on the server: completes when that is done. It harms no transaction, also where the cursor is gone already. */
TUSK_MUST_CHECK
tusk_query *tusk_cursor_close(tusk_cursor *cursor);

/** Release the handle; closes the cursor on the server with the next flight if that was not done. The rows of tusk_cursor_next_row() go
 * with it, queries of tusk_cursor_fetch() stay. NULL is fine. */
void tusk_cursor_free(tusk_cursor *cursor);

#ifdef __cplusplus
}
#endif

#endif
