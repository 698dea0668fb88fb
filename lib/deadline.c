/* Deadlines and the cancel rule: a request ends when its caller says so, and no cancel ever hits a neighbour.
 * The CancelRequest itself is cancel.c's.
 * Read first: DESIGN "Cancel", reliability "The cancel rule for us", docs/guarantees.md. */
#include <math.h>

#include "lib/conn.h"
#include "lib/lookup.h"
#include "lib/many.h"
#include "lib/pooler.h"
#include "lib/transaction.h"
#include "proto/error_set.h"

/* From the CancelRequest to the end of its connection; later than that the connection is closed, not reused. */
#define CANCEL_TIMEOUT_US (2 * 1000000)
/* How long an answer that nobody waits for any more may keep the connection from new work. */
#define EXPIRED_GRACE_US (5 * 1000000)

static tusk_conn *conn_of_timer(tusk__timer *timer)
{
    return (tusk_conn *)((char *)timer - offsetof(tusk_conn, timer));
}

/* cause: the error behind it; hint: what to do about it; or NULL */
static void close_because(tusk_conn *conn, const char *why, const tusk_error *cause, const char *hint)
{
    tusk_error err = {0};

    (void)tusk__error_set(&err, TUSK_ERR_LOST, "08006", "%s", why);
    if (cause)
        tusk__error_detail(&err, tusk_str_of(cause->message));
    if (hint)
        tusk__error_hint(&err, tusk_str_of(hint));
    tusk__conn_where(conn, &err);
    tusk__conn_fail(conn, &err);
}

static void close_with(tusk_conn *conn, const char *why)
{
    close_because(conn, why, NULL, NULL);
}

static void grace_is_over(tusk__timer *timer)
{
    tusk_conn *conn = conn_of_timer(timer);

    tusk__conn_pin(conn);
    close_because(
        conn, "the connection was closed: the server did not end a request that was past its deadline or canceled",
        NULL,
        "Submit what may take long with .cancelable: nothing is sent behind it, so that the server can be asked to "
        "stop it.");
    tusk__conn_unpin(conn);
}

static void start_grace(tusk_conn *conn)
{
    if (!tusk__timer_is_active(&conn->timer) &&
        tusk__timer_start(conn->loop, &conn->timer, EXPIRED_GRACE_US, grace_is_over) != TUSK_OK)
        close_with(conn, "out of memory for a timer; the connection was closed");
}

/* ---- the cancel ---- */

static void start_cancel(tusk_conn *conn);

/* The fence would go to whichever session the pooler chooses, and says nothing of the one that was to be canceled; nor does the end of
 * the cancel connection, which is the pooler's. */
static void close_behind_pooler(tusk_conn *conn)
{
    close_because(
        conn, "the connection was closed behind a cancel: through a pooler it could still hit what is asked next", NULL,
        conn->settings->pooler == TUSK__POOLER_TRANSACTION
            ? NULL
            : "If each connection has a session for itself, pooler=session says so, and it stays.");
}

static void check_fence(tusk_conn *conn)
{
    if (conn->phase != TUSK__PHASE_CANCELING || !conn->cancel_is_over)
        return;
    if (tusk__queue_first_sent(conn)) {
        if (conn->cancel_has_hit)
            start_cancel(conn); /* the next one that was given up */
        return;
    }
    if (conn->is_pooled) {
        close_behind_pooler(conn);
        return;
    }
    conn->phase = TUSK__PHASE_FENCE;
    if (!tusk__request_fence(conn))
        close_with(conn, "out of memory behind a cancel; the connection was closed");
}

static void on_cancel_over(const tusk_error *err, void *user)
{
    tusk_conn *conn = user;

    conn->cancel = NULL;
    conn->cancel_is_over = true;
    tusk__conn_pin(conn);
    if (err->code != TUSK_OK)
        close_because(conn,
                      "the connection was closed: a request on it was to be canceled, and what became of the "
                      "CancelRequest is not known",
                      err, NULL);
    else
        check_fence(conn);
    tusk__conn_unpin(conn);
}

static void start_cancel(tusk_conn *conn)
{
    tusk_error err = {0};

    conn->cancel_is_over = conn->cancel_has_hit = false;
    conn->cancel = tusk__cancel_start(conn->loop, conn->settings, &conn->route, conn->backend_pid,
                                      tusk_str_from(conn->cancel_key, conn->cancel_key_len), CANCEL_TIMEOUT_US,
                                      on_cancel_over, conn, &err);
    if (!conn->cancel) {
        close_with(conn, err.message);
        return;
    }
    conn->phase = TUSK__PHASE_CANCELING;
    start_grace(conn);
}

/* Is everything that is on the wire given up, so that a cancel can hit nothing else? A detached query is not: it was asked to
 * run. */
static bool all_given_up(const tusk_conn *conn)
{
    for (const tusk_query *q = conn->first; q && q->stage != TUSK__STAGE_HELD; q = q->next)
        if (q->stage != TUSK__STAGE_REFUSED && !q->is_given_up)
            return false;
    return true;
}

/* Of a load all of whose items are answered only its own end is left: a cancel could hit nothing but the rollback. */
static bool is_only_ending(const tusk_query *q)
{
    return q->kind == TUSK__QUERY_MANY && q->many->n_answered == q->many->n_pushed;
}

static void consider_cancel(tusk_conn *conn)
{
    const tusk_query *head = tusk__queue_first_sent(conn);

    if (conn->phase != TUSK__PHASE_READY || !head || !head->is_given_up)
        return;
    if (all_given_up(conn) && conn->cancel_key_len > 0 && !is_only_ending(head)) {
        start_cancel(conn);
    } else if (head->error.code == TUSK_ERR_TIMEOUT) {
        conn->is_expired = true;
        start_grace(conn);
    }
}

void tusk__deadline_next_head(tusk_conn *conn)
{
    if (conn->phase == TUSK__PHASE_READY) {
        conn->is_expired = false;
        tusk__timer_stop(conn->loop, &conn->timer);
        consider_cancel(conn);
    }
}

void tusk__deadline_after_answer(tusk_conn *conn)
{
    tusk__deadline_next_head(conn);
    conn->cancel_has_hit = true;
    check_fence(conn);
}

void tusk__cancel_rule_stop(tusk_conn *conn)
{
    if (conn->cancel)
        tusk__cancel_abandon(conn->cancel);
    conn->cancel = NULL;
}

/* ---- giving up one request ---- */

/* It completes now; what was sent of it stays in the queue as a tombstone that swallows its answer. An error that it has
 * already, the server's or that of a refusal, says more and stays; but only the server's says what became of the request. */
static void give_up(tusk_query *q)
{
    tusk_conn *conn = q->conn;
    bool is_sent;

    if (q->kind == TUSK__QUERY_MANY)
        tusk__many_stop(q);
    is_sent = q->stage == TUSK__STAGE_SENT;

    if (is_sent && q->error.code != TUSK_ERR_SERVER)
        q->error.fate = TUSK_FATE_UNKNOWN;
    else if (!is_sent)
        q->error.fate = TUSK_FATE_NOT_SENT;
    if (is_sent && q->kind == TUSK__QUERY_MANY)
        tusk__many_given_up(q);
    tusk__conn_pin(conn);
    if (!is_sent)
        (void)tusk__request_retract(conn, q);
    else
        q->is_given_up = true;
    if (q->error.code == TUSK_ERR_TIMEOUT && q == tusk__queue_first_sent(conn))
        conn->is_expired = true; /* before the callback: what it submits must not be sent behind q */
    tusk__query_spoil_rows(q);
    q->paused = 0;
    q->streaming = TUSK__STREAMS_NOT;
    tusk__receive_review(conn);
    tusk__query_complete(q);
    consider_cancel(conn);
    tusk__request_release(conn);
    tusk__conn_unpin(conn);
}

/* One that was refused, and the end of what never began, which is not open again by that. */
static bool is_decided(tusk_query *q)
{
    if (q->stage == TUSK__STAGE_REFUSED)
        return true;
    if (q->stage == TUSK__STAGE_SENT || !q->level || !tusk__is_end(q) || !tusk__level_has_failed(q->level))
        return false;
    tusk__level_refuse(q);
    return true;
}

static void say_too_late(tusk_query *q)
{
    tusk__query_failf(q, TUSK_ERR_TIMEOUT, "57014", "no complete answer within %g s", q->timeout);
    if (q->timeout_is_default)
        tusk__error_hint(&q->error,
                         tusk_str_of("It is the connection's command_timeout; a request may bring its own."));
}

static void on_deadline(tusk__timer *timer)
{
    tusk_query *q = (tusk_query *)((char *)timer - offsetof(tusk_query, deadline));

    if (q->is_aside) { /* it has its answer */
        tusk__lookup_let_go(q);
        tusk__query_complete(q);
        return;
    }
    if (q->kind == TUSK__QUERY_WAIT) { /* for what goes on without it */
        (void)tusk__conn_stop_waiting(q->conn, q);
        say_too_late(q);
        q->error.fate = TUSK_FATE_NOT_SENT;
        tusk__query_complete(q);
        return;
    }
    if (!is_decided(q))
        say_too_late(q);
    give_up(q);
}

static bool has_no_default(const tusk_conn *conn)
{
    return conn->settings && conn->settings->command_timeout_us <= 0;
}

/* Seconds; 0: not known yet. */
static double take_default(tusk_query *q)
{
    const tusk__settings *settings = q->conn->settings;

    q->timeout_is_default = true;
    q->timeout = settings ? (double)settings->command_timeout_us / 1e6 : 0;
    return q->timeout;
}

/* Out of the way of nearly all, which have none. */
TUSK_COLD static void start(tusk_query *q, double timeout)
{
    if (timeout == 0)
        timeout = take_default(q);
    if (timeout == 0)
        return;
    if (isnan(timeout))
        tusk__query_failf(q, TUSK_ERR_USAGE, "22023", "timeout is not a number")->fate = TUSK_FATE_NOT_SENT;
    else if (timeout < 0)
        tusk__query_failf(q, TUSK_ERR_TIMEOUT, "57014", "the deadline had passed %g s before the submission", -timeout)
            ->fate = TUSK_FATE_NOT_SENT;
    if (q->error.code != TUSK_OK)
        return;
    q->timeout = timeout;
    if (tusk__timer_start(q->loop, &q->deadline, tusk__seconds_to_us(timeout), on_deadline) != TUSK_OK)
        tusk__query_failf(q, TUSK_ERR_NOMEM, NULL, "out of memory for a timer")->fate = TUSK_FATE_NOT_SENT;
}

void tusk__deadline_start(tusk_query *q, double timeout)
{
    if (timeout == TUSK_NONE || (timeout == 0 && has_no_default(q->conn)))
        return;
    start(q, timeout);
}

static tusk_query *next_without(tusk_query *q)
{
    while (q && (!q->timeout_is_default || q->timeout != 0 || q->stage != TUSK__STAGE_HELD))
        q = q->next;
    return q;
}

/* From the first one again each time: one that fails calls back, and whatever is in the queue then. */
void tusk__deadline_start_held(tusk_conn *conn)
{
    tusk_query *q;

    while ((q = next_without(conn->first))) {
        q->timeout_is_default = false;
        tusk__deadline_start(q, 0);
        if (q->error.code != TUSK_OK)
            give_up(q);
    }
}

static void cancel_task(tusk__task *task)
{
    give_up((tusk_query *)((char *)task - offsetof(tusk_query, done_task)));
}

static void say_not_sent(tusk_query *q)
{
    if (!is_decided(q))
        tusk__query_failf(q, TUSK_ERR_CANCELED, "57014", "canceled by the caller")->fate = TUSK_FATE_NOT_SENT;
}

void tusk_query_cancel(tusk_query *q)
{
    if (!q || q->is_done || q->is_released)
        return;
    if (q->is_aside) {
        tusk__lookup_let_go(q);
        tusk__query_complete_soon(q);
    }
    if (q->stage == TUSK__STAGE_OUT && !tusk__conn_stop_waiting(q->conn, q))
        return; /* what becomes of it is decided, and told in the next turn */
    if (q->kind == TUSK__QUERY_MANY)
        tusk__many_stop(q);
    if (q->stage != TUSK__STAGE_SENT) {
        say_not_sent(q);
        (void)tusk__request_retract(q->conn, q); /* now: the next turn begins with sending */
        tusk__flow_end_soon(q->conn, q);
        tusk__request_release(q->conn); /* it may have been what held the others back */
        return;
    }
    tusk__query_failf(q, TUSK_ERR_CANCELED, "57014", "canceled by the caller"); /* no row more is handed out */
    q->is_given_up = true; /* from now on: what is submitted next must not be sent behind it */
    tusk__loop_defer(q->loop, &q->done_task, cancel_task);
}
