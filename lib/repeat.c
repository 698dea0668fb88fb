/* The rule of repetition: an error that is about our statement, and not about the caller's question, is learned from, and the question
 * is asked once more where nobody could tell the difference.
 * Which errors these are, mishap.c says; which formats and which statement the second try has, formats.c and cache.c.
 * Read first: DESIGN "Repetition", docs/guarantees.md. */
#include "lib/command.h"
#include "lib/mishap.h"
#include "lib/stack.h"
#include "lib/transaction.h"

static bool was_there(const tusk_query *q)
{
    return q->kind == TUSK__QUERY_RUN || q->kind == TUSK__QUERY_PORTAL_RUN || q->kind == TUSK__QUERY_MANY;
}

static tusk__tried tried_of(const tusk_query *q)
{
    return (tusk__tried){.stmt = q->stmt,
                         .is_run = was_there(q),
                         .text_results = q->text_results,
                         .failed_at = q->failed_at,
                         .hash = q->hash,
                         .assumed = q->assumed,
                         .desc = q->first.desc,
                         .error = &q->error,
                         .routine = tusk_query_error_field(q, 'R')};
}

static void advise(const tusk_conn *conn, tusk_query *q, tusk__mishap why)
{
    tusk__mishap_advise(&q->error, why, conn->session.tx_status == 'I' ? TUSK_RETRY_REQUEST : TUSK_RETRY_TRANSACTION);
    tusk__level_advise(q);
}

/* A procedure may have committed before its result could not be sent. */
static bool may_have_committed(const tusk_query *q)
{
    return tusk__command_of(q->stmt ? q->stmt->text : q->held.sql) == TUSK__COMMAND_CALL;
}

/* Is anybody still interested? That of a handle's Parse has nobody, and yet all that wait for the handle. */
static bool is_wanted(const tusk_query *q)
{
    return q->kind == TUSK__QUERY_PREPARE || (!q->is_done && !q->is_released && !q->is_given_up);
}

static bool is_allowed(const tusk_conn *conn, const tusk_query *q)
{
    return is_wanted(q) && q->is_repeatable && !q->rows_given && conn->wire_last == q && conn->session.tx_status == 'I';
}

static bool repeat_one(tusk_conn *conn, tusk_query *q)
{
    tusk__tried tried = tried_of(q);
    tusk__mishap why = tusk__mishap_of(&tried);
    bool has_learned;

    if (why == TUSK__MISHAP_NONE)
        return false;
    q->is_unnamed = why == TUSK__MISHAP_TAKEN && q->kind != TUSK__QUERY_PREPARE;
    has_learned = tusk__mishap_learn(conn, &tried, why);
    if (why == TUSK__MISHAP_OUTPUT && q->is_repeated && !has_learned)
        return false;
    if (tusk__mishap_is_late(why) && may_have_committed(q))
        return false;
    if (!q->is_repeated && is_allowed(conn, q)) {
        tusk__request_repeat(conn, q);
        return true;
    }
    advise(conn, q, why);
    return false;
}

/* Of a stack its batch has learned already. Only all of it can be repeated: of an ATOMIC one, outside a transaction, nothing is left. */
static bool batch_is_allowed(const tusk_conn *conn, const tusk_query *q)
{
    const tusk__batch *batch = q->batch;

    return batch->mishap != TUSK__MISHAP_NONE && batch->mode == TUSK_STACK_ATOMIC && !batch->is_inside &&
           batch->is_undone && q->error.code == TUSK_ERR_SERVER && q->present == &q->first && is_wanted(q) &&
           !q->rows_given && conn->wire_last == q && conn->session.tx_status == 'I';
}

static bool repeat_batch(tusk_conn *conn, tusk_query *q)
{
    if (q->is_repeated || !batch_is_allowed(conn, q))
        return false;
    tusk__request_repeat(conn, q);
    return true;
}

bool tusk__repeat(tusk_conn *conn, tusk_query *q)
{
    if (q->kind == TUSK__QUERY_STACK)
        return repeat_batch(conn, q);
    return repeat_one(conn, q);
}
