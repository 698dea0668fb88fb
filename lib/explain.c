/* EXPLAIN, and EXPLAIN ANALYZE whose effects are rolled back: one flight.
 * BEGIN shares the Sync of what it is to undo: if it fails, nothing runs. ROLLBACK has its own: it comes also behind an error.
 * Read first: lib/explain.h; DESIGN "Transactions". */
#include "lib/explain.h"

#include "proto/error_set.h"

static const char begin[] = "begin", rollback[] = "rollback";
static const char savepoint[] = "savepoint tusk_explain", rollback_to[] = "rollback to savepoint tusk_explain",
                  release[] = "release savepoint tusk_explain";

static const char plan[] = "explain (format json, verbose) ",
                  plan_of_run[] = "explain (format json, verbose, analyze) ";

void tusk__write_command(tusk__writer *b, const char *sql)
{
    tusk_str unnamed = {NULL, 0};
    size_t at;

    tusk__parse_write(b, unnamed, tusk_str_of(sql), NULL, 0);
    at = tusk__message_begin(b, TUSK__F_BIND);
    tusk__write_cstr(b, unnamed);
    tusk__write_cstr(b, unnamed);
    tusk__write_u16(b, 0);
    tusk__bind_params(b, 0);
    tusk__bind_end(b, at, NULL, 0);
    tusk__execute_write(b, unnamed, 0);
}

/* The statement's text behind the word, with its parameters of the types that the caller was told. */
static tusk_code write_plan(tusk_conn *conn, tusk_query *q, const tusk__request *r)
{
    const tusk_stmt *stmt = q->stmt;
    tusk_str unnamed = {NULL, 0};
    tusk__writer *b = &conn->out;
    size_t at = tusk__message_begin(b, TUSK__F_PARSE);

    tusk__write_cstr(b, unnamed);
    tusk__write_bytes(b, tusk_str_of(tusk__is_analyze(q) ? plan_of_run : plan));
    tusk__write_cstr(b, stmt->text);
    tusk__write_u16(b, (uint16_t)stmt->n_params);
    for (size_t i = 0; i < stmt->n_params; i++)
        tusk__write_u32(b, stmt->types[i]);
    tusk__message_end(b, at);
    tusk__describe_write(b, 'S', unnamed);
    TUSK_TRY(tusk__write_bind(conn, q, unnamed, r->params, stmt->types, NULL));
    tusk__execute_write(b, unnamed, 0);
    return TUSK_OK;
}

void tusk__explain_place(tusk_query *q)
{
    int head = (int)(tusk__is_analyze(q) ? sizeof plan_of_run : sizeof plan) - 1;

    if (q->error.position > head)
        q->error.position -= head;
}

tusk_code tusk__explain_encode(tusk_conn *conn, tusk_query *q, const tusk__request *r)
{
    bool is_inside = tusk__is_analyze(q) && conn->session.tx_status != 'I';
    tusk__writer *b = &conn->out;

    TUSK_TRY(tusk__check_params(q, r));
    if (is_inside)
        q->kind = TUSK__QUERY_ANALYZE_INSIDE;
    q->n_more_syncs = tusk__is_analyze(q);
    q->changes_status = tusk__is_analyze(q); /* for a while */
    if (tusk__is_analyze(q))
        tusk__write_command(b, is_inside ? savepoint : begin);
    TUSK_TRY(write_plan(conn, q, r));
    tusk__sync_write(b);
    if (!tusk__is_analyze(q))
        return TUSK_OK;
    tusk__write_command(b, is_inside ? rollback_to : rollback);
    if (is_inside)
        tusk__write_command(b, release);
    tusk__sync_write(b);
    return TUSK_OK;
}

tusk_query *tusk_stmt_explain(tusk_stmt *stmt, tusk_params params, bool analyze)
{
    tusk__query_kind kind = analyze ? TUSK__QUERY_ANALYZE : TUSK__QUERY_EXPLAIN;
    tusk_query *q = stmt ? tusk__query_new(stmt->conn->loop, stmt->conn, kind) : NULL;

    if (!q)
        return NULL;
    q->stmt = tusk__stmt_ref(stmt);
    q->max_result_bytes = TUSK__MAX_RESULT_BYTES;
    tusk__deadline_start(q, 0);
    if (tusk__are_missing(params))
        tusk__query_failf(q, TUSK_ERR_USAGE, NULL, TUSK__PARAMS_MISSING)->fate = TUSK_FATE_NOT_SENT;
    tusk__request_submit(stmt->conn, q, (tusk_str){NULL, 0}, params);
    return q;
}
