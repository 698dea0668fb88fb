/* How much may wait on a connection: two bounds, a refusal above them, and who is told when half of it is gone.
 * It queues nothing and sends nothing: request.c asks before it queues, queue.c and send.c say when something has left.
 * Read first: tusk/conn.h "how much may wait", DESIGN principle 8, docs/internals/conn.md. */
#include "lib/conn.h"
#include "lib/sql.h"
#include "proto/error_set.h"

/* A part of the bounds: what is waited for before more is taken, so that a writer is woken for many requests, not for each. */
#define LOW_PART 2

static bool is_low(const tusk_conn *conn)
{
    return conn->n_queued <= conn->max_queued_requests / LOW_PART &&
           tusk__flow_bytes(conn) <= conn->max_queued_bytes / LOW_PART;
}

/* With a pointer to the last: who takes no notice of a full queue may submit a million in one turn. */
static void list_ending(tusk_conn *conn, tusk_query *q)
{
    if (conn->ending)
        conn->ending_last->next = q;
    else
        conn->ending = q;
    conn->ending_last = q;
}

static size_t length(const tusk_query *q)
{
    size_t n = 0;

    for (; q; q = q->next)
        n++;
    return n;
}

static void complete_first(tusk_query **list)
{
    tusk_query *q = *list;

    *list = q->next;
    q->next = NULL;
    tusk__query_complete(q);
}

/* ---- who is told, in the next turn ---- */

/* Only those that are there now: who submits again, or waits again, in a callback is told in a turn to come. */
static void flow_task(tusk__task *task)
{
    tusk_conn *conn = (tusk_conn *)((char *)task - offsetof(tusk_conn, flow_task));
    size_t n_ending = length(conn->ending), n_waiters = length(conn->drain_waiters);

    tusk__conn_pin(conn);
    while (n_ending-- > 0 && conn->ending)
        complete_first(&conn->ending);
    while (n_waiters-- > 0 && conn->drain_waiters && is_low(conn))
        complete_first(&conn->drain_waiters);
    tusk__conn_unpin(conn);
}

void tusk__flow_end_soon(tusk_conn *conn, tusk_query *q)
{
    tusk__timer_stop(q->loop, &q->deadline);
    list_ending(conn, q);
    tusk__loop_defer(conn->loop, &conn->flow_task, flow_task);
}

void tusk__flow_review(tusk_conn *conn)
{
    if (is_low(conn))
        tusk__loop_defer(conn->loop, &conn->flow_task, flow_task);
}

void tusk__flow_end(tusk_conn *conn, const tusk_error *err)
{
    tusk__conn_wake(&conn->ending, NULL); /* they have their own */
    tusk__conn_wake(&conn->drain_waiters, err);
}

/* ---- above the bounds ---- */

/* What ends a statement, a cursor or a transaction makes the queue no longer than there are of these. */
static bool is_exempt(const tusk_query *q)
{
    return q->kind == TUSK__QUERY_CLOSE || q->kind == TUSK__QUERY_CLOSE_PORTAL || q->kind == TUSK__QUERY_COMMIT ||
           q->kind == TUSK__QUERY_ROLLBACK;
}

static void set_error(const tusk_conn *conn, tusk_query *q)
{
    tusk_error *err =
        tusk__query_failf(q, TUSK_ERR_LIMIT, "53400",
                          "the connection takes no more for now: %zu requests wait for answers, %llu bytes for sending",
                          conn->n_queued, (unsigned long long)tusk__flow_bytes(conn));

    err->fate = TUSK_FATE_NOT_SENT;
    tusk__error_hint(
        err, tusk_str_of("Submit it again when tusk_conn_drained() has completed; tusk_conn_is_writable() tells "
                         "beforehand. The bounds are max_queued_requests and max_queued_bytes."));
}

/* A Parse has a statement that waits for its end, and what belongs to a transaction spoils it for those behind: they end in their
 * places. All others end in the next turn. */
bool tusk__flow_refuse(tusk_conn *conn, tusk_query *q, tusk_str sql)
{
    if (q->error.code != TUSK_OK || conn->phase >= TUSK__PHASE_CLOSING || is_exempt(q) ||
        tusk__loop_check(conn->loop, NULL) != TUSK_OK)
        return false;
    set_error(conn, q);
    if (q->kind == TUSK__QUERY_PREPARE || q->level || conn->level)
        return false;
    if (!q->stmt)
        tusk__sql_head(sql, q->sql, sizeof q->sql);
    tusk__flow_end_soon(conn, q);
    return true;
}

/* ---- what the caller asks ---- */

bool tusk_conn_is_writable(const tusk_conn *conn)
{
    return conn && conn->phase < TUSK__PHASE_CLOSING && !tusk__flow_is_full(conn);
}

tusk_query *tusk_conn_drained(tusk_conn *conn)
{
    tusk_query *q;

    if (!conn)
        return NULL;
    if (conn->phase < TUSK__PHASE_CLOSING && !is_low(conn))
        return tusk__conn_wait_in(conn, &conn->drain_waiters);
    q = tusk__query_new(conn->loop, conn, TUSK__QUERY_WAIT);
    if (!q)
        return NULL;
    tusk__conn_say_closed(conn, q);
    if (conn->phase < TUSK__PHASE_CLOSED)
        tusk__flow_end_soon(conn, q); /* with the connection, if that ends first: a close comes last */
    else
        tusk__query_complete_soon(q);
    return q;
}
