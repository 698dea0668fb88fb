/* The queue of a connection's requests, in order of submission, and the three marks in it.
 * What the stages mean is request.c's business.
 * Read first: lib/conn.h, docs/internals/conn.md. */
#include "lib/conn.h"

/* A batch whose rows wait at the server makes way: they are taken in now. */
static void push_behind(tusk_conn *conn, tusk_query *q)
{
    conn->last->next = q;
    if (conn->last->streaming == TUSK__STREAMS_BATCH)
        tusk__receive_soon(conn);
}

void tusk__queue_push(tusk_conn *conn, tusk_query *q)
{
    q->next = NULL;
    q->prev = conn->last;
    if (conn->last)
        push_behind(conn, q);
    else
        conn->first = q;
    conn->last = q;
    conn->n_queued++;
}

void tusk__queue_push_held(tusk_conn *conn, tusk_query *q)
{
    tusk_query *next = conn->held;

    q->stage = TUSK__STAGE_HELD;
    conn->held = q;
    if (!next) {
        tusk__queue_push(conn, q);
        return;
    }
    q->next = next;
    q->prev = next->prev;
    next->prev = q;
    if (q->prev)
        q->prev->next = q;
    else
        conn->first = q;
    conn->n_queued++;
}

tusk_query *tusk__queue_next(tusk_query *q, tusk__query_stage stage)
{
    while (q && q->stage != stage)
        q = q->next;
    return q;
}

static bool is_on_wire(const tusk_query *q)
{
    return q->stage == TUSK__STAGE_SENT || q->stage == TUSK__STAGE_ENCODED;
}

/* The nearest one before q that is on the wire: refused ones do not count. */
static tusk_query *wire_before(const tusk_query *q)
{
    tusk_query *before = q->prev;

    while (before && !is_on_wire(before))
        before = before->prev;
    return before;
}

static tusk_query *status_before(const tusk_query *q)
{
    tusk_query *before = wire_before(q);

    while (before && !before->changes_status)
        before = wire_before(before);
    return before;
}

/* The marks go to its neighbours. */
static void unmark(tusk_conn *conn, tusk_query *q)
{
    if (conn->wire_last == q)
        conn->wire_last = wire_before(q);
    if (conn->status_last == q)
        conn->status_last = status_before(q);
    if (conn->to_send == q)
        conn->to_send = tusk__queue_next(q->next, TUSK__STAGE_ENCODED);
    if (conn->held == q)
        conn->held = tusk__queue_next(q->next, TUSK__STAGE_HELD);
}

void tusk__queue_refuse(tusk_conn *conn, tusk_query *q)
{
    unmark(conn, q);
    q->stage = TUSK__STAGE_REFUSED;
}

void tusk__queue_unlink(tusk_conn *conn, tusk_query *q)
{
    unmark(conn, q);
    if (q->prev)
        q->prev->next = q->next;
    else
        conn->first = q->next;
    if (q->next)
        q->next->prev = q->prev;
    else
        conn->last = q->prev;
    q->next = q->prev = NULL;
    conn->n_queued--;
    tusk__flow_left(conn);
}

/* The only one takes all marks with it: the way of each query that is waited for before the next. */
static void unlink_only(tusk_conn *conn)
{
    conn->first = conn->last = conn->wire_last = conn->to_send = conn->held = conn->status_last = NULL;
    conn->n_queued = 0;
    tusk__flow_left(conn);
}

tusk_query *tusk__queue_pop(tusk_conn *conn)
{
    tusk_query *q = conn->first;

    if (q && !q->next)
        unlink_only(conn);
    else if (q)
        tusk__queue_unlink(conn, q);
    return q;
}
