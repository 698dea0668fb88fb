/* From a request to bytes: encoded at once where nothing stands in the way, kept as a copy where something does.
 * How it is written is encode.c's business; it sends nothing and reads nothing.
 * Read first: DESIGN "The rules of the pipeline", docs/internals/conn.md. */
#include "lib/explain.h"
#include "lib/lookup.h"
#include "lib/many.h"
#include "lib/sql.h"
#include "lib/stack.h"
#include "lib/transaction.h"
#include "proto/error_set.h"

/* Requests up to this size are kept until they are answered if they may have to be repeated. */
#define REPEATABLE_MAX (1024 * 1024)

/* What a repetition would need beside the text, which a statement has by itself: parameters of no more than REPEATABLE_MAX. */
static bool keep_for_repetition(tusk_conn *conn, tusk_query *q, const tusk__request *r, size_t len)
{
    tusk_str sql = q->stmt ? (tusk_str){NULL, 0} : r->sql;

    if (q->is_repeated || q->kind > TUSK__QUERY_PREPARE)
        return false;
    if (q->held.params.values || (r->params.n == 0 && sql.len == 0))
        return true; /* it was held: the copy is there */
    return len <= REPEATABLE_MAX && tusk__held_copy(&q->held, conn->allocator, sql, r->params) == TUSK_OK;
}

/* It will not be sent: neither will what the cache has put into it. */
static void take_back(tusk_conn *conn, tusk_query *q)
{
    if (q->n_closes > 0)
        tusk__cache_unit_retracted(conn, q);
    q->n_closes = 0;
    if (q->kind == TUSK__QUERY_FIRST)
        tusk__stmt_first_failed(q->stmt, false);
    else if (q->kind == TUSK__QUERY_MANY)
        tusk__many_retracted(q);
    else if (q->kind == TUSK__QUERY_STACK && q->batch)
        tusk__batch_take_back(q->batch);
}

/* Without its opening a batch would meet nothing, and that is an error that ends the transaction it is in. */
static void refuse_batches(tusk_conn *conn, const tusk_query *opening)
{
    tusk_error why = opening->error;

    tusk__query_add_where(opening, &why);
    why.fate = TUSK_FATE_NOT_SENT;
    for (tusk_query *q = opening->next; q; q = q->next) {
        if (q->cursor_part != TUSK__CURSOR_TAKES || q->portal != opening->portal || q->stage == TUSK__STAGE_REFUSED)
            continue;
        tusk__request_refuse(conn, q);
        tusk__query_fail(q, &why);
        if (q->level)
            tusk__level_not_run(conn, q);
    }
}

/* It has its error and will not be sent: what becomes of those that depend on it? */
static void not_run(tusk_conn *conn, tusk_query *q)
{
    if (q->cursor_part == TUSK__CURSOR_OPENS)
        refuse_batches(conn, q);
    if (q->level)
        tusk__level_not_run(conn, q);
}

/* Encode, or refuse with the query's error and nothing left in the buffer. */
static void encode(tusk_conn *conn, tusk_query *q, tusk__request *r)
{
    size_t len = conn->out.len;
    tusk_code code = tusk__encode(conn, q, r);

    if (code != TUSK_OK) {
        tusk__writer_cut(&conn->out, len);
        take_back(conn, q);
        tusk__query_failf(q, code, NULL, "%s",
                          code == TUSK_ERR_NOMEM ? "out of memory for the request"
                                                 : "the request is too long for one message");
        q->error.fate = TUSK_FATE_NOT_SENT;
        q->stage = TUSK__STAGE_REFUSED;
        not_run(conn, q);
        return;
    }
    q->is_repeatable = keep_for_repetition(conn, q, r, conn->out.len - len);
    if (q->level)
        len = tusk__unit_join(conn, q, len);
    conn->n_reserved += tusk__n_expects(q);
    q->owes_sync = q->is_copy;
    q->out_begin = conn->stream + (len - conn->out_sent);
    q->out_end = conn->stream + (conn->out.len - conn->out_sent);
    q->stage = TUSK__STAGE_ENCODED;
    conn->wire_last = q;
    if (q->changes_status)
        conn->status_last = q;
    if (q->kind >= TUSK__QUERY_BEGIN)
        tusk__transaction_encoded(conn, q);
    if (!conn->to_send)
        conn->to_send = q;
    tusk__send_soon(conn);
}

bool tusk__query_is_barrier(const tusk_query *q)
{
    return (q->kind >= TUSK__QUERY_SCRIPT && q->kind <= TUSK__QUERY_LOOKUP_INSIDE) || q->on_row || q->is_copy ||
           q->cancelable || q->streaming == TUSK__STREAMS_WALK || q->is_given_up;
}

/* Is it about a handle's statement that must be ready? */
static bool needs_stmt(const tusk_query *q)
{
    return q->kind == TUSK__QUERY_RUN || q->kind == TUSK__QUERY_PORTAL_RUN || q->kind == TUSK__QUERY_EXPLAIN ||
           tusk__is_analyze(q) || (q->kind == TUSK__QUERY_MANY && q->stmt);
}

static bool stmt_is_pending(const tusk_query *q)
{
    return needs_stmt(q) && q->stmt->state == TUSK__STMT_PREPARING;
}

static bool may_go(const tusk_conn *conn, const tusk_query *q, tusk_str sql)
{
    return conn->phase == TUSK__PHASE_READY && !conn->is_expired && !stmt_is_pending(q) &&
           !(conn->wire_last && tusk__query_is_barrier(conn->wire_last)) &&
           ((!q->level && !tusk__query_needs_status(q)) || tusk__unit_may_go(conn, q, sql));
}

/* A statement that failed, or is closed, cannot be run; nor one that a request before this one closes. */
static bool refuse_by_stmt(tusk_query *q, bool is_new)
{
    if (!needs_stmt(q))
        return false;
    if (q->stmt->state == TUSK__STMT_FAILED) {
        tusk__query_fail(q, tusk__stmt_error(q->stmt));
        q->error.fate = TUSK_FATE_NOT_SENT;
    } else if (q->stmt->state == TUSK__STMT_CLOSED || (is_new && q->stmt->is_closing)) {
        tusk__query_failf(q, TUSK_ERR_STATE, NULL, "the prepared statement is closed")->fate = TUSK_FATE_NOT_SENT;
    }
    return q->error.code != TUSK_OK;
}

static bool refuse_by_level(tusk_query *q)
{
    bool has_failed = q->level && tusk__level_has_failed(q->level);

    if (has_failed)
        tusk__level_refuse(q);
    return has_failed;
}

static void end_refused(tusk_conn *conn)
{
    tusk_query *q = tusk__queue_pop(conn);

    q->stage = TUSK__STAGE_OUT;
    if (q->kind == TUSK__QUERY_PREPARE)
        tusk__stmt_finish(q->stmt, &q->error);
    if (!tusk__lookup_queues(conn, q)) /* those in front of it are told first */
        tusk__query_complete(q);
}

/* An answer is there, for one behind them. It ends: what a callback submits comes behind that one. */
void tusk__request_advance(tusk_conn *conn)
{
    while (conn->wire_last && conn->first->stage == TUSK__STAGE_REFUSED)
        end_refused(conn);
}

/* Refused ones at the head are over. Only those that are there now: who submits again in a callback waits for the next turn. */
static void advance_task(tusk__task *task)
{
    tusk_conn *conn = (tusk_conn *)((char *)task - offsetof(tusk_conn, advance_task));
    size_t n = 0;

    tusk__conn_pin(conn);
    for (const tusk_query *q = conn->first; q && q->stage == TUSK__STAGE_REFUSED; q = q->next)
        n++;
    while (n-- > 0 && conn->first && conn->first->stage == TUSK__STAGE_REFUSED)
        end_refused(conn);
    tusk__request_release(conn);
    tusk__conn_unpin(conn);
}

static void settle_refused(tusk_conn *conn)
{
    if (conn->first && conn->first->stage == TUSK__STAGE_REFUSED)
        tusk__loop_defer(conn->loop, &conn->advance_task, advance_task);
}

static bool refuse_by_conn(tusk_conn *conn, tusk_query *q)
{
    if (tusk__loop_check(conn->loop, &q->error) != TUSK_OK)
        return true;
    if (conn->phase == TUSK__PHASE_CLOSED && conn->error) {
        tusk__query_fail(q, conn->error);
        q->error.fate = TUSK_FATE_NOT_SENT;
    } else if (conn->phase >= TUSK__PHASE_CLOSING) {
        tusk__query_failf(q, TUSK_ERR_STATE, "08003", "the connection is closed")->fate = TUSK_FATE_NOT_SENT;
    }
    return q->error.code != TUSK_OK;
}

/* Prepare and Close are of no transaction. */
static bool is_of_level(const tusk_query *q)
{
    return q->kind != TUSK__QUERY_PREPARE && q->kind != TUSK__QUERY_CLOSE && q->kind != TUSK__QUERY_CLOSE_PORTAL &&
           !q->level;
}

/* One that had objects is a copy already. */
static tusk_code hold(tusk_conn *conn, tusk_query *q, const tusk__request *r)
{
    if (q->held.params.values && q->held.params.values == r->params.values)
        return TUSK_OK;
    return tusk__held_copy(&q->held, conn->allocator, r->sql, r->params);
}

static void refuse(tusk_conn *conn, tusk_query *q)
{
    q->stage = TUSK__STAGE_REFUSED;
    not_run(conn, q);
}

void tusk__request_submit(tusk_conn *conn, tusk_query *q, tusk_str sql, tusk_params params)
{
    tusk__request r = {sql, params};

    if (tusk__flow_is_full(conn) && tusk__flow_refuse(conn, q, sql))
        return;
    tusk__queue_push(conn, q);
    if (conn->level && is_of_level(q))
        q->level = tusk__level_ref(conn->level);
    if (q->error.code != TUSK_OK || refuse_by_conn(conn, q) || refuse_by_stmt(q, true) || refuse_by_level(q)) {
        refuse(conn, q);
    } else if (!conn->held && may_go(conn, q, sql)) {
        encode(conn, q, &r);
    } else if (tusk__check_size(q, &r) == TUSK_OK && hold(conn, q, &r) == TUSK_OK) {
        q->stage = TUSK__STAGE_HELD;
        conn->held_bytes += q->held.size;
        if (!conn->held)
            conn->held = q;
    } else {
        tusk__query_failf(q, TUSK_ERR_NOMEM, NULL, "out of memory for the request")->fate = TUSK_FATE_NOT_SENT;
        refuse(conn, q);
    }
    if (!q->stmt && sql.ptr) /* behind the encoding, which mostly finds one */
        tusk__sql_head(sql, q->sql, sizeof q->sql);
    settle_refused(conn);
}

void tusk__request_release(tusk_conn *conn)
{
    while (conn->held && may_go(conn, conn->held, conn->held->held.sql)) {
        tusk_query *q = conn->held;
        tusk__request r = {q->held.sql, q->held.params};

        conn->held = tusk__queue_next(q->next, TUSK__STAGE_HELD);
        conn->held_bytes -= q->held.size;
        if (refuse_by_stmt(q, false) || refuse_by_level(q))
            refuse(conn, q);
        else
            encode(conn, q, &r);
    }
    settle_refused(conn);
}

void tusk__request_repeat(tusk_conn *conn, tusk_query *q)
{
    tusk_stmt *stmt = q->stmt;
    tusk__request r = {stmt ? stmt->text : q->held.sql, q->held.params};

    tusk__query_forget_answer(q);
    q->is_repeated = true;
    tusk__lookup_unmark(q); /* its columns may come as text now */
    if (q->kind == TUSK__QUERY_STACK && q->batch)
        tusk__batch_reset(q->batch);
    if (q->kind == TUSK__QUERY_FIRST) {
        tusk__stmt_first_failed(stmt, true);
        q->kind = TUSK__QUERY_RUN;
    }
    if (stmt && stmt->is_cached) { /* looked up once more: it may have another statement by now */
        q->stmt = NULL;
        q->kind = TUSK__QUERY_EXEC;
    }
    encode(conn, q, &r);
    if (!q->stmt && r.sql.ptr)
        tusk__sql_head(r.sql, q->sql, sizeof q->sql);
    if (stmt && stmt->is_cached)
        tusk__stmt_unref(stmt);
    settle_refused(conn);
}

/* Take its bytes out of the buffer, but for a Sync that those in front share. */
static void unwrite(tusk_conn *conn, tusk_query *q)
{
    size_t len = (size_t)(q->out_end - q->out_begin) - tusk__unit_part(conn, q);
    size_t at = (size_t)(q->out_begin - conn->stream) + conn->out_sent;

    if (len == 0)
        return; /* a load that has not begun */
    memmove(conn->out.buf + at, conn->out.buf + at + len, conn->out.len - at - len);
    conn->out.len -= len;
    conn->n_reserved -= tusk__n_expects(q);
    for (tusk_query *behind = q->next; behind; behind = behind->next) {
        behind->out_begin -= behind->stage == TUSK__STAGE_ENCODED ? len : 0;
        behind->out_end -= behind->stage == TUSK__STAGE_ENCODED ? len : 0;
    }
}

void tusk__request_refuse(tusk_conn *conn, tusk_query *q)
{
    if (q->stage == TUSK__STAGE_ENCODED) {
        unwrite(conn, q);
        take_back(conn, q);
    } else {
        conn->held_bytes -= q->held.size;
    }
    tusk__queue_refuse(conn, q);
}

void tusk__request_end_unwritten(tusk_conn *conn, tusk_query *q)
{
    tusk__queue_refuse(conn, q);
    tusk__request_release(conn); /* and settles the refused ones */
}

bool tusk__request_retract(tusk_conn *conn, tusk_query *q)
{
    if (q->stage == TUSK__STAGE_ENCODED) {
        unwrite(conn, q);
    } else if (q->stage == TUSK__STAGE_HELD) {
        conn->held_bytes -= q->held.size;
    } else if (q->stage == TUSK__STAGE_SENT || q->stage == TUSK__STAGE_OUT) {
        return false;
    }
    if (q->stage == TUSK__STAGE_ENCODED)
        take_back(conn, q);
    if (q->stage != TUSK__STAGE_REFUSED)
        not_run(conn, q); /* it is still in its place, in front of those that depend on it */
    tusk__queue_unlink(conn, q);
    q->stage = TUSK__STAGE_OUT;
    return true;
}

/* ---- sending: the moment from which an answer is expected ---- */

void tusk__request_sent(tusk_conn *conn)
{
    for (; conn->to_send; conn->to_send = tusk__queue_next(conn->to_send, TUSK__STAGE_ENCODED)) {
        tusk_query *q = conn->to_send;

        tusk__expect_answers(&conn->session, q);
        q->stage = TUSK__STAGE_SENT;
    }
    conn->n_reserved = 0;
}

void tusk__request_unsend(tusk_conn *conn)
{
    bool is_cut = false;

    for (tusk_query *q = conn->first; q; q = q->next) {
        if ((q->stage != TUSK__STAGE_ENCODED && q->stage != TUSK__STAGE_SENT) || q->out_begin < conn->stream)
            continue;
        if (!is_cut)
            tusk__writer_cut(&conn->out, (size_t)(q->out_begin - conn->stream) + conn->out_sent);
        is_cut = true;
        q->stage = TUSK__STAGE_HELD;
    }
    conn->to_send = NULL;
    conn->n_reserved = 0;
    tusk__task_cancel(&conn->flush_task);
}

/* ---- the fence: an empty query of our own, in front of all that is held back ---- */

bool tusk__request_fence(tusk_conn *conn)
{
    tusk_query *q = tusk__query_new(conn->loop, conn, TUSK__QUERY_FENCE);
    tusk__request r = {{NULL, 0}, {NULL, 0}};

    if (!q)
        return false;
    q->is_released = true; /* nobody will ask for its answer */
    q->next = conn->first;
    if (conn->first)
        conn->first->prev = q;
    else
        conn->last = q;
    conn->first = q;
    conn->n_queued++;
    encode(conn, q, &r);
    return q->stage == TUSK__STAGE_ENCODED;
}
