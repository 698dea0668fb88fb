/* The calls by which requests come in.
 * What becomes of them is request.c's business.
 * Read first: tusk/query.h. */
#include "lib/conn.h"

#define MAX_RESULT_BYTES (INT64_C(256) * 1024 * 1024) /* of a kept result, if the caller does not say */

static tusk__query_kind kind_of(const tusk_request *request)
{
    if (request->stmt)
        return TUSK__QUERY_RUN;
    return request->script ? TUSK__QUERY_SCRIPT : TUSK__QUERY_EXEC;
}

static void set_options(tusk_query *q, const tusk_request *request)
{
    q->text_results = request->text_results;
    q->cancelable = request->cancelable;
    q->max_result_bytes = request->max_result_bytes ? request->max_result_bytes : MAX_RESULT_BYTES;
    q->on_row = request->on_row;
    q->on_done = request->on_done;
    q->user = request->user;
    if (request->stmt)
        q->stmt = tusk__stmt_ref(request->stmt);
    tusk__deadline_start(q, request->timeout);
}

/* Contradictions that can only be mistakes. */
static const char *fault_of(const tusk_conn *conn, const tusk_request *request)
{
    if (request->stmt && (request->sql || request->sql_str.ptr))
        return "sql and stmt are both given";
    if (request->stmt && request->stmt->conn != conn)
        return "the prepared statement belongs to another connection";
    if (!request->stmt && !request->sql && !request->sql_str.ptr)
        return "neither sql nor stmt is given";
    if (request->script && (request->stmt || request->params.n))
        return "a script takes neither parameters nor a prepared statement";
    return NULL;
}

tusk_query *tusk_submit(tusk_conn *conn, const tusk_request *request)
{
    tusk_query *q = conn ? tusk__query_new(conn->loop, conn, kind_of(request)) : NULL;
    const char *fault;

    if (!q)
        return NULL;
    fault = fault_of(conn, request);
    set_options(q, request);
    if (fault)
        tusk__query_failf(q, TUSK_ERR_USAGE, NULL, "%s", fault)->fate = TUSK_FATE_NOT_SENT;
    tusk__request_submit(conn, q, request->sql_str.ptr ? request->sql_str : tusk_str_of(request->sql), request->params);
    return q;
}

tusk_query *tusk_exec(tusk_conn *conn, const char *sql, tusk_params params)
{
    return tusk_submit(conn, &(tusk_request){.sql = sql, .params = params});
}

tusk_query *tusk_script(tusk_conn *conn, const char *sql)
{
    return tusk_submit(conn, &(tusk_request){.sql = sql, .script = true});
}

tusk_query *tusk_stmt_exec(tusk_stmt *stmt, tusk_params params)
{
    return tusk_submit(stmt ? stmt->conn : NULL, &(tusk_request){.stmt = stmt, .params = params});
}
