/* Waiting for a query, and for its next row: what turns the loop until something is there, and what may not be waited for.
 * Read first: docs/internals/query.md. */
#include "lib/query.h"

#include "lib/conn.h"
#include "lib/many.h"
#include "proto/error_set.h"

/* ---- may it be waited for? ---- */

/* Does it wait for the answers in front of it? In the queue it does, or for a look-up behind those, or for a statement that is still
 * being prepared; what only completes in the next turn does not. */
static bool is_behind_answers(const tusk_query *q)
{
    return q->stage != TUSK__STAGE_OUT || q->is_aside ||
           (q->kind == TUSK__QUERY_WAIT && !q->done_task.next && q->error.code == TUSK_OK &&
            tusk_conn_get_state(q->conn) == TUSK_CONN_READY);
}

/* Can only the caller move it: it is paused, or behind a stream whose rows only the caller takes? Behind a paused query it waits for
 * whoever resumes that one, as long as there is anybody. */
static bool is_stuck(const tusk_query *q)
{
    const tusk_query *head = tusk__queue_first_sent(q->conn);

    if (q->paused)
        return (q->paused & TUSK__PAUSED_ROWS) || tusk__many_is_starved(q);
    if (!head || head == q || head->is_done || !is_behind_answers(q))
        return false;
    if (head->paused & TUSK__PAUSED_PULL)
        return tusk__many_is_starved(head);
    return head->streaming == TUSK__STREAMS_WALK || (head->paused && tusk__loop_is_quiet(q->loop));
}

/* Nothing more comes of it until its rows are taken. */
static bool is_full_batch(const tusk_query *q)
{
    return q->streaming == TUSK__STREAMS_BATCH && q == tusk__queue_first_sent(q->conn) &&
           tusk__stream_is_full(q->conn, q);
}

/* May the caller wait for q here? */
static tusk_code may_wait(const tusk_query *q)
{
    if (tusk__loop_check(q->loop, NULL) != TUSK_OK || tusk__loop_in_turn(q->loop) || is_stuck(q))
        return TUSK_ERR_STATE;
    return TUSK_OK;
}

/* ---- the end of a query ---- */

tusk_code tusk_await(tusk_query *q)
{
    tusk_code code;

    if (!q)
        return TUSK_ERR_NOMEM;
    if (q->is_done && !tusk__loop_in_turn(q->loop))
        return q->error.code;
    TUSK_TRY(may_wait(q));
    if (q->streaming == TUSK__STREAMS_WALK)
        q->streaming = TUSK__STREAMS_NOT; /* nobody takes the rows meanwhile: the rest is kept */
    tusk__receive_review(q->conn);
    tusk__query_pin(q);
    do {
        code = is_stuck(q) ? TUSK_ERR_STATE : tusk_loop_turn(q->loop, TUSK_NONE, NULL);
    } while (code == TUSK_OK && !q->is_done && !q->is_released && !is_full_batch(q));
    if (code == TUSK_OK && is_full_batch(q))
        code = TUSK_AGAIN;
    else if (code == TUSK_OK)
        code = q->is_released ? (q->is_done && q->on_done ? q->error.code : TUSK_ERR_CANCELED) : q->error.code;
    tusk__query_unpin(q);
    return code;
}

/* For the reader of TUSK_ERR_STATE and TUSK_ERR_CANCELED. */
static const char *why_not_awaited(const tusk_query *q)
{
    const tusk_query *head = tusk__queue_first_sent(q->conn);

    if (tusk__loop_check(q->loop, NULL) != TUSK_OK)
        return "the process was forked: the loop stays with the parent";
    if (tusk__loop_in_turn(q->loop))
        return "a query cannot be waited for inside a callback: use on_done";
    if (q->is_released)
        return "the query was freed by a callback while it was waited for";
    if (q->paused & TUSK__PAUSED_PULL)
        return "the pull has said TUSK_AGAIN: only tusk_many_resume() can move it";
    if (q->paused)
        return "the query is paused: only tusk_query_resume() can move it";
    if (head && (head->paused & TUSK__PAUSED_PULL))
        return "the query is behind a load whose pull has said TUSK_AGAIN: resume or free that one first";
    if (head && head->paused)
        return "the query is behind a paused one of its connection: resume or free that one first";
    return "the query is behind a stream of its connection: take that one's rows with tusk_next_row(), or free it, "
           "first";
}

/* tusk_await(), and in *err why not. q is pinned: a callback may free it, and its own on_done does. */
static tusk_code await_pinned(tusk_query *q, tusk_error *err)
{
    tusk_code code = tusk_await(q);

    if (code == q->error.code && code != TUSK_OK && err)
        *err = q->error;
    else if (code != TUSK_OK)
        (void)tusk__error_set(err, code, NULL, "%s", why_not_awaited(q));
    return code;
}

tusk_code tusk_await_free(tusk_query *q, tusk_error *err)
{
    tusk_code code;
    bool is_freed;

    tusk__error_begin(err);
    if (!q)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory");
    tusk__query_pin(q);
    code = await_pinned(q, err);
    is_freed = q->is_released; /* by a callback */
    tusk__query_unpin(q);
    if (!is_freed)
        tusk_query_free(q);
    return code;
}

tusk_code tusk__query_settle(tusk_query *q, tusk_error *err)
{
    tusk_code code;

    if (!q)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory");
    if (q->is_done) {
        if (err && q->error.code != TUSK_OK)
            *err = q->error;
        return q->error.code;
    }
    tusk__query_pin(q);
    code = await_pinned(q, err);
    if (code == TUSK_OK && q->is_released)
        code = tusk__error_set(err, TUSK_ERR_CANCELED, NULL, "%s", why_not_awaited(q));
    tusk__query_unpin(q);
    return code;
}

tusk_code tusk__query_gather(tusk_query *q, tusk_error *err)
{
    tusk_code code = q && is_full_batch(q) ? TUSK_AGAIN : tusk__query_settle(q, err);

    if (code == TUSK_AGAIN)
        tusk__error_begin(err);
    return code;
}

/* ---- its rows ---- */

/* May a function that turns the loop by the way do so? If not, the reason becomes the query's value error: the caller gets
 * "false" and has to be able to tell it from the end. */
static bool may_turn(tusk_query *q)
{
    if (q->is_done || q->is_released)
        return false;
    if (!q->on_row && may_wait(q) == TUSK_OK)
        return true;
    (void)tusk__error_set(&q->value_error, TUSK_ERR_STATE, NULL, "%s", why_not_awaited(q));
    return false;
}

/* One turn. False: the query is gone. */
static bool turn_for(tusk_query *q)
{
    tusk_code code;
    bool is_freed;

    tusk__receive_review(q->conn);
    if (q->paused && is_stuck(q)) {
        (void)tusk__error_set(&q->value_error, TUSK_ERR_STATE, NULL, "%s", why_not_awaited(q));
        return false;
    }
    tusk__query_pin(q);
    code = tusk_loop_turn(q->loop, TUSK_NONE, NULL);
    is_freed = q->is_released;
    tusk__query_unpin(q);
    return code == TUSK_OK && !is_freed;
}

/* No row is there: turn the loop until one is. NULL at the end, on an error, and where the caller may not wait. */
static const uint8_t *wait_for_row(tusk_query *q)
{
    tusk__result *result = q->present;
    bool waits = may_turn(q);
    const uint8_t *body;

    if (waits && !q->streaming)
        q->streaming = TUSK__STREAMS_WALK;
    while ((body = q->is_aside ? NULL : tusk__result_next(result, q->streaming != TUSK__STREAMS_NOT)) == NULL &&
           waits && !q->is_done && !result->next)
        if (!turn_for(q))
            return NULL;
    return body;
}

static inline const uint8_t *next_body(tusk_query *q)
{
    const uint8_t *body =
        q->is_done || q->streaming ? tusk__result_next(q->present, q->streaming != TUSK__STREAMS_NOT) : NULL;

    if (!body && !q->is_done)
        body = wait_for_row(q);
    if (body)
        q->rows_given = true;
    return body;
}

size_t tusk__query_next_bodies(tusk_query *q, const uint8_t **bodies, size_t n, size_t max_bytes, size_t *bytes)
{
    size_t first;

    bodies[0] = next_body(q);
    if (!bodies[0])
        return 0;
    first = 1 + tusk__be32(bodies[0] - 4);
    n = tusk__result_more(q->present, q->streaming != TUSK__STREAMS_NOT, bodies + 1, n - 1,
                          first < max_bytes ? max_bytes - first : 0, bytes);
    *bytes += first;
    return n + 1;
}

void tusk__query_back_to(tusk_query *q, const uint8_t *body)
{
    tusk__result_back(q->present, q->streaming != TUSK__STREAMS_NOT, body);
}

bool tusk_next_row(tusk_query *q, tusk_row *row)
{
    const uint8_t *body = q ? next_body(q) : NULL;

    if (!body)
        return false;
    tusk__row_init(row, q, body, (uint32_t)q->present->desc->n_cols);
    return true;
}

bool tusk_next_result(tusk_query *q)
{
    if (!q)
        return false;
    while (!q->present->next && may_turn(q))
        if (!turn_for(q))
            return false;
    if (!q->present->next)
        return false;
    q->present = q->present->next;
    return true;
}
