/* Queries: whatever can be awaited, its result and its error.
 * Read first: README.md, docs/guide.md, docs/guarantees.md. */
#ifndef TUSK_QUERY_H
#define TUSK_QUERY_H

#include <tusk/config.h>
#include <tusk/loop.h>
#include <tusk/named.h>
#include <tusk/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tusk_stmt tusk_stmt;

/** A row, in a callback: valid until it returns. */
typedef void (*tusk_row_fn)(tusk_query *q, const tusk_row *row, void *user);
/** The end of a query: ask tusk_query_error(). The query frees itself after this unless tusk_query_keep() is called in it. */
typedef void (*tusk_done_fn)(tusk_query *q, void *user);

/** One request with all its options. Zero means the default. Everything is borrowed until the submitting call returns. */
typedef struct tusk_request {
    const char *sql;    /* UTF-8; one statement */
    tusk_str sql_str;   /* instead of sql, if its length is known */
    tusk_stmt *stmt;    /* instead of sql: a prepared statement of the same connection. It takes params, not args or named */
    tusk_params params; /* $1 … */
    tusk_args args;     /* instead of params: by name, TUSK_ARGS({"age", tusk_int4(18)}), and :age in the text; tusk/named.h
                           has the rules. Without it (TUSK_NO_ARGS is with it) a :age goes to the server, which refuses it.
                           The text is read for names each time; to have that done once: */
    tusk_named *named;  /* instead of sql: tusk_named_parse(). The position of an error is one in the text with names */

    bool script;        /* simple protocol: several statements, no params, text results; waits for its end before anything
                           else is sent. Results one after the other: tusk_next_result() */
    bool text_results;  /* every column as text, as PostgreSQL prints it; default: binary where the type has it */
    bool cancelable;    /* nothing is sent behind it, so that it can always be canceled on the server */

    double timeout;           /* seconds until it is answered, counted from the submission; default: tusk_config.command_timeout;
                                 TUSK_NONE: none. Any other
                                 negative number: the time is over already, TUSK_ERR_TIMEOUT, not sent; so the time that is
                                 left of a deadline may be given as it is, but for exactly 0 and TUSK_NONE, -1: fmin(left, -1e-9) if it
                                 is not above 0
                                 Without .cancelable: if requests were sent behind this one when the time is over, the server
                                 cannot be asked to stop it; should it go on for 5 s more, the connection is closed, and
                                 those requests are lost with it */
    int64_t max_result_bytes; /* of a kept result; default 256 MiB; TUSK_NONE: no bound */

    tusk_row_fn on_row;   /* rows are handed out as they arrive and not kept; the query has the connection to itself */
    tusk_done_fn on_done; /* without it the query is the caller's: tusk_query_free(). on_row alone is fine: await it */
    void *user;
} tusk_request;

/* ---- submitting: never blocks, never sends, never calls back ------------------------------------------------------------- */

/**
 * Submit one SQL command with parameters (extended query protocol): one flight, also the first time. The connection keeps the
 * statement prepared for the next time: tusk_config.statement_cache_size.
 *
 * sql       UTF-8 text, one statement; copied before return
 * params    TUSK_PARAMS(…) or TUSK_NO_PARAMS; borrowed until return. Too few is the server's error (08P01); those above the highest
 *           $n it ignores
 * Returns   a query, owned by the caller: tusk_query_free(), allowed at any time.
 *           NULL only if not even the query could be allocated; every other failure is the query's error
 * Completes exactly once, from the loop: TUSK_OK, an error, or TUSK_ERR_CANCELED when conn closes first
 * Errors    TUSK_ERR_STATE conn is closed · TUSK_ERR_LIMIT too many params, sql too long, the queue is full
 *           (tusk_conn_is_writable()) · TUSK_ERR_VALUE a value does not
 *           fit, is not UTF-8, holds a NUL · TUSK_ERR_SERVER see sqlstate and retry · TUSK_ERR_LOST, TUSK_ERR_TIMEOUT see fate
 * Thread    the loop's thread
 * Source    PostgreSQL docs, Frontend/Backend Protocol, "Extended Query"; Parse, Describe, Bind, Execute, Sync
 * Example   docs/examples/query.c
 */
TUSK_MUST_CHECK
tusk_query *tusk_exec(tusk_conn *conn, const char *sql, tusk_params params);

/** Submit with all options. As tusk_exec(); with on_done the query frees itself and the returned pointer may be ignored. */
tusk_query *tusk_submit(tusk_conn *conn, const tusk_request *request);

/** Submit several statements in one string (simple query protocol): tusk_request.script. */
TUSK_MUST_CHECK
tusk_query *tusk_script(tusk_conn *conn, const char *sql);

/* ---- waiting ----------------------------------------------------------------------------------------------------------------- */

/**
 * Turn the loop until q is done.
 *
 * Returns   the query's code; q stays the caller's. TUSK_ERR_CANCELED if q is freed meanwhile by a callback.
 *           The rows of one that was streaming are kept from here on
 * Errors    TUSK_ERR_NOMEM q is NULL · TUSK_ERR_STATE inside a callback, in a forked child, or for a query that only the
 *           caller can move (paused; behind a stream whose rows nobody takes; behind a paused one, if nothing is left
 *           on the loop that could resume it): nothing is waited for, the query goes on, and tusk_await_free() says which
 */
tusk_code tusk_await(tusk_query *q);

/** tusk_await() and tusk_query_free(), for queries whose rows do not matter. err may be NULL. */
tusk_code tusk_await_free(tusk_query *q, tusk_error *err);

/**
 * Give a query a callback: for those that no tusk_request makes (tusk_conn_ready(), tusk_close(), tusk_stmt_ready() …). From then on
 * it frees itself behind the callback, as one submitted with on_done. One that is done already is told in the next turn.
 */
void tusk_query_on_done(tusk_query *q, tusk_done_fn on_done, void *user);

bool tusk_query_is_done(const tusk_query *q);

/** Is the query done, and how? TUSK_AGAIN while it is not. */
tusk_code tusk_query_code(const tusk_query *q);

/* ---- ending -------------------------------------------------------------------------------------------------------------------- */

/** Release the query and its rows, in any state and in any callback. One in flight is detached: it runs to its end, what is
 * submitted behind it waits for that, and its answer is drained; to end it sooner, tusk_query_cancel() first. A load (tusk/many.h) is
 * undone instead, as its pull may be gone. NULL is fine. */
void tusk_query_free(tusk_query *q);

/** In on_done: do not free the query afterwards; it is the caller's from now on. */
void tusk_query_keep(tusk_query *q);

/**
 * Give up: q completes with TUSK_ERR_CANCELED in the next turn. The server is asked to stop if that cannot hit a neighbour
 * (nothing was sent behind q); else its answer is drained. What is submitted behind it is sent when that is through.
 * What is decided already, one that was refused or the rollback of a transaction that never began, ends as that, but in the next turn, too.
 * Done queries are not changed. NULL is fine.
 * Source    PostgreSQL docs, "Canceling Requests in Progress"
 */
void tusk_query_cancel(tusk_query *q);

/**
 * Stop calling on_row after this row; nothing more is read from the server until the query is resumed, freed, canceled or past its
 * deadline. Pausing what is paused is fine.
 *
 * Errors    TUSK_ERR_STATE q has no on_row, is done, or (resume) is not paused
 */
tusk_code tusk_query_pause(tusk_query *q);
tusk_code tusk_query_resume(tusk_query *q);

/* ---- results -------------------------------------------------------------------------------------------------------------------- */

/**
 * The next row of the present result.
 *
 * On a query that is done: walks the kept rows. On a running query without on_row: turns the loop until a row is there and
 * lets go of the rows before it (streaming); then the same restrictions hold as for tusk_await().
 * Returns   false at the end, on an error (ask tusk_query_error()), and where it would have to wait and may not: then
 *           tusk_query_is_done() is false, and tusk_query_value_error() says why (TUSK_ERR_STATE)
 */
bool tusk_next_row(tusk_query *q, tusk_row *row);

/** Back to the first kept row of the first result. Streamed rows are gone. */
void tusk_rewind(tusk_query *q);

/** Go to the next result of a script or stack; rows of the present one that were not taken are passed over. On a running script it turns
 * the loop until the next one begins. false if there is none, or as tusk_next_row(). The first result is the present one from the
 * start. A script that failed keeps the results that were complete before the error. */
bool tusk_next_result(tusk_query *q);

/** Of the present result: */
size_t tusk_query_n_rows(const tusk_query *q);                           /* rows received so far, streamed ones too */
int tusk_query_n_cols(const tusk_query *q);                              /* 0 if it has no rows at all, as INSERT */
const tusk_column *tusk_query_column(const tusk_query *q, int col);      /* NULL if there is no such column */
int tusk_query_column_index(const tusk_query *q, const char *name);      /* the first of that name, -1 if none */
tusk_str tusk_query_tag(const tusk_query *q);                            /* "INSERT 0 5"; empty before the end */
int64_t tusk_query_rows_affected(const tusk_query *q);                   /* the number in the tag; -1 if it has none */

/** Has an INSERT put at least one row in? With ON CONFLICT DO UPDATE the rows that were changed instead count too: the server's tag
 * does not tell them apart. */
bool tusk_query_was_inserted(const tusk_query *q);

/* ---- results of a known shape: of a running query they wait for the end, as tusk_await() does -------------------------------- */

/**
 * The one row of the present result. It does not move tusk_next_row(), and the columns are known also if there is none.
 *
 * row       untouched unless TUSK_OK; lives until tusk_query_free()
 * Returns   TUSK_OK, the query's error, or that of tusk_await() for a query that is not done
 * Errors    TUSK_ERR_VALUE, P0002: there is no row; P0003: there are several (PL/pgSQL's sqlstates for the same)
 *           TUSK_ERR_USAGE the statement yields no rows at all (INSERT without RETURNING), or on_row got them
 *           TUSK_ERR_STATE tusk_next_row() took the row while the query ran
 *           TUSK_ERR_CANCELED its own on_done freed the query
 * Example   docs/examples/shapes.c
 */
TUSK_MUST_CHECK
tusk_code tusk_query_one(tusk_query *q, tusk_row *row, tusk_error *err);

/** As tusk_query_one(), but no row is no error: TUSK_DONE. A row that holds NULL is a row: tusk_is_null(), TUSK_ERR_NULL. */
TUSK_MUST_CHECK
tusk_code tusk_query_one_or_none(tusk_query *q, tusk_row *row, tusk_error *err);

/** As tusk_query_one(), of a result with one column; TUSK_ERR_USAGE if it has another number of them. The value is read from the
 * row: tusk_read_int8(&row, 0, &n, &err). */
TUSK_MUST_CHECK
tusk_code tusk_query_scalar(tusk_query *q, tusk_row *row, tusk_error *err);

/** As tusk_query_scalar(), with TUSK_DONE for no row. */
TUSK_MUST_CHECK
tusk_code tusk_query_scalar_or_none(tusk_query *q, tusk_row *row, tusk_error *err);

/** The query's error; code TUSK_OK if there is none. Borrowed until tusk_query_free(); never NULL. q may be NULL: out of
 * memory. */
const tusk_error *tusk_query_error(const tusk_query *q);

/** A field of the server's error, uncut: 'M' message, 'D' detail, 's' schema, 't' table, 'c' column, 'n' constraint …; empty if
 * there is none. Borrowed until tusk_query_free(). */
tusk_str tusk_query_error_field(const tusk_query *q, char field);

/** The first error of the short getters on rows of this query; code TUSK_OK if there was none. */
const tusk_error *tusk_query_value_error(const tusk_query *q);

/** The connection it was submitted on. Borrowed; still valid for the queries that outlive tusk_conn_free(), but of no use then. */
tusk_conn *tusk_query_conn(const tusk_query *q);

/* ---- prepared statements ------------------------------------------------------------------------------------------------------- */

/**
 * Prepare a statement under a name of its own on this connection.
 *
 * types     OIDs of $1 … $n; 0, or n_types less than needed: the server infers. May be NULL
 * Returns   the statement, owned by the caller: tusk_stmt_free(). NULL: out of memory. It can be run at once: what is
 *           submitted before the server has answered waits for that answer, and fails with its error
 */
TUSK_MUST_CHECK
tusk_stmt *tusk_prepare(tusk_conn *conn, const char *sql, const uint32_t *types, size_t n_types);

/** Completes when the statement is prepared, or with the reason why it is not. A new query at each call. TUSK_ERR_TIMEOUT, not sent: the
 * connection's command_timeout was over before; the statement is prepared all the same when its turn comes. */
TUSK_MUST_CHECK
tusk_query *tusk_stmt_ready(tusk_stmt *stmt);

/** Run it: tusk_request.stmt. If the server has lost it, or its columns have changed, it is prepared anew on the way (its columns below
 * are then others). Integers are widened or narrowed to the statement's types if they fit; other types must match
 * (TUSK_ERR_TYPE), and their number too (TUSK_ERR_USAGE). */
TUSK_MUST_CHECK
tusk_query *tusk_stmt_exec(tusk_stmt *stmt, tusk_params params);

/**
 * How the server would run it: EXPLAIN (FORMAT JSON, VERBOSE), one row with one column of type json.
 *
 * analyze   true: it is run, which takes its time, and what it does is rolled back: between BEGIN and ROLLBACK, in a transaction of the
 *           caller's between a savepoint and its rollback. What no rollback undoes (sequences, locks until the transaction's end,
 *           what a function does elsewhere) stays. It waits until nothing is in flight, and is one round trip
 * Errors    as tusk_stmt_exec(); 42601 for what cannot be explained
 */
TUSK_MUST_CHECK
tusk_query *tusk_stmt_explain(tusk_stmt *stmt, tusk_params params, bool analyze);

/** Close it on the server; later runs fail with TUSK_ERR_STATE. */
TUSK_MUST_CHECK
tusk_query *tusk_stmt_close(tusk_stmt *stmt);

/** Release the handle; closes the statement on the server with the next flight if that was not done. NULL is fine. */
void tusk_stmt_free(tusk_stmt *stmt);

/** Known once it is ready; before: 0, 0, NULL. */
int tusk_stmt_n_params(const tusk_stmt *stmt);
uint32_t tusk_stmt_param_type(const tusk_stmt *stmt, int param); /* 0-based */
int tusk_stmt_n_cols(const tusk_stmt *stmt);
const tusk_column *tusk_stmt_column(const tusk_stmt *stmt, int col);

#ifdef __cplusplus
}
#endif

#endif
