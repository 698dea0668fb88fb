/* The calls by which requests come in.
 * What becomes of them is request.c's business.
 * Read first: tusk/query.h. */
#include "lib/conn.h"
#include "lib/describe_first.h"
#include "lib/named.h"
#include "lib/sql.h"
#include "proto/error_set.h"

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
    q->max_result_bytes = request->max_result_bytes ? request->max_result_bytes : TUSK__MAX_RESULT_BYTES;
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
    bool has_sql = request->sql || request->sql_str.ptr;

    if (request->stmt && has_sql)
        return "sql and stmt are both given";
    if (request->named && (request->stmt || has_sql))
        return "named is given together with sql or stmt";
    if (request->stmt && request->stmt->conn != conn)
        return "the prepared statement belongs to another connection";
    if (!request->stmt && !request->named && !has_sql)
        return "neither sql nor stmt is given";
    if (request->script && (request->stmt || request->named || request->params.n || request->args.items))
        return "a script takes neither parameters nor a prepared statement";
    if (tusk__are_missing(request->params))
        return TUSK__PARAMS_MISSING;
    if (request->params.n && (request->args.items || request->named))
        return "values are given by number where names are used";
    if (request->stmt && request->args.items)
        return "a prepared statement takes values by number: tusk_named_bind() makes them of names";
    return NULL;
}

static tusk_str text_of(const tusk_request *request)
{
    if (request->named)
        return tusk__named_text(request->named);
    return request->sql_str.ptr ? request->sql_str : tusk_str_of(request->sql);
}

/* Names become numbers: the text to send, and its parameters. */
static tusk_code resolve_names(tusk_query *q, const tusk_request *request, tusk_str *sql, tusk_params *params)
{
    if (request->named)
        q->named = tusk__named_ref(request->named);
    else
        q->named = tusk_named_parse(text_of(request), tusk__loop_allocator(q->loop), &q->error);
    if (!q->named)
        return q->error.code;
    *sql = tusk__named_numbered(q->named);
    return tusk_named_bind(q->named, request->args, params, &q->error);
}

/* A text. */
static void submit(tusk_conn *conn, tusk_query *q, tusk_str sql, tusk_params params)
{
    if (conn->codecs && tusk__describes_first(conn, q, sql))
        tusk__describe_first(conn, q, sql, params);
    else
        tusk__request_submit(conn, q, sql, params);
}

static void submit_named(tusk_conn *conn, tusk_query *q, const tusk_request *request)
{
    tusk_str sql = {NULL, 0};
    tusk_params params = TUSK_NO_PARAMS;

    if (resolve_names(q, request, &sql, &params) != TUSK_OK)
        q->error.fate = TUSK_FATE_NOT_SENT;
    submit(conn, q, sql, params);
    tusk__sql_head(text_of(request), q->sql, sizeof q->sql); /* what the caller wrote, as the position */
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
    if (q->error.code == TUSK_OK && (request->args.items || request->named))
        submit_named(conn, q, request);
    else if (request->stmt)
        tusk__request_submit(conn, q, (tusk_str){NULL, 0}, request->params);
    else
        submit(conn, q, text_of(request), request->params);
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
