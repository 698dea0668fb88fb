/* What the server says of a stack's statements themselves: prepared or not, their parameters and columns, and what went wrong with them
 * that the caller has not to answer for.
 * Read first: lib/stack.h, lib/mishap.h; docs/internals/cache.md. */
#include "lib/command.h"
#include "lib/formats.h"
#include "lib/known.h"
#include "lib/lookup.h"
#include "lib/stack.h"

void tusk__batch_parsed(tusk__batch *batch, size_t i)
{
    if (batch->outcomes[i].way == TUSK__WAY_FIRST)
        batch->outcomes[i].stmt->is_parsed = true;
}

/* Without memory for them it is only not kept. */
void tusk__batch_parameters(tusk_conn *conn, tusk_query *q, size_t i, const tusk__parameter_description *description)
{
    const tusk__outcome *outcome = &q->batch->outcomes[i];

    if (outcome->way == TUSK__WAY_FIRST && tusk__stmt_set_params(outcome->stmt, description) == TUSK_OK)
        tusk__lookup_params(conn, q, outcome->stmt->types, outcome->stmt->n_params);
}

/* For the next time: to the statement, if it has a name, and to all connections. What runs without a name is another Parse than the one
 * that a handle was prepared by, and says nothing of that one. */
static void learn(tusk_conn *conn, const tusk_query *q, size_t i, tusk__desc *desc)
{
    const tusk__outcome *outcome = &q->batch->outcomes[i];
    tusk_stmt *stmt = outcome->way == TUSK__WAY_FIRST ? outcome->stmt : NULL;
    tusk__desc *next = tusk__formats_for_next(conn, q, desc);

    if (!next)
        return; /* not ready, and not kept then */
    if (stmt ? stmt->is_cached : outcome->assumed || !tusk__desc_is_all_binary(next))
        tusk__known_set(conn->loop, tusk__known_key(conn, q->batch->stack->statements[i].hash), next);
    if (!stmt) {
        tusk__desc_unref(next);
        return;
    }
    tusk__stmt_set_formats(stmt, next);
    tusk__stmt_first_described(stmt);
}

bool tusk__batch_columns(tusk_conn *conn, tusk_query *q, size_t i, const tusk__row_description *description)
{
    tusk__outcome *outcome = &q->batch->outcomes[i];

    outcome->n_cols = (int32_t)description->n_cols;
    tusk__desc_unref(q->assumed); /* the formats of the one that is answered */
    q->assumed = tusk__desc_ref(outcome->assumed);
    tusk__desc_unref(outcome->desc);
    outcome->desc = tusk__formats_described(conn, q, description);
    if (outcome->desc) {
        learn(conn, q, i, outcome->desc);
        tusk__lookup_columns(conn, q, outcome->desc);
    }
    return outcome->desc != NULL;
}

void tusk__batch_no_columns(tusk__batch *batch, size_t i)
{
    if (batch->outcomes[i].way != TUSK__WAY_FIRST)
        return;
    tusk__stmt_set_formats(batch->outcomes[i].stmt, NULL);
    tusk__stmt_first_described(batch->outcomes[i].stmt);
}

void tusk__batch_unit_over(tusk__batch *batch, size_t i)
{
    if (batch->outcomes[i].way == TUSK__WAY_FIRST)
        tusk__stmt_first_failed(batch->outcomes[i].stmt, true); /* unless it was described */
}

/* ---- mishaps ---- */

/* A procedure may have committed before its result could not be sent; in a block it cannot. */
static bool may_have_committed(const tusk__batch *batch, size_t i)
{
    return batch->mode == TUSK_STACK_CONTINUE && !batch->is_inside &&
           tusk__command_of(tusk__stack_text(batch->stack, i)) == TUSK__COMMAND_CALL;
}

static tusk__tried tried_of(const tusk_query *q, size_t i, const tusk__event *ev, const tusk_error *err)
{
    const tusk__outcome *outcome = &q->batch->outcomes[i], *of = &q->batch->outcomes[outcome->of];
    bool has_name = of->way != TUSK__WAY_UNNAMED;

    return (tusk__tried){.stmt = has_name ? of->stmt : NULL,
                         .is_run = has_name && outcome->way >= TUSK__WAY_RUN,
                         .text_results = q->text_results,
                         .failed_at = (uint8_t)ev->expect,
                         .hash = q->batch->stack->statements[outcome->of].hash,
                         .assumed = of->assumed,
                         .desc = of->desc,
                         .error = err,
                         .routine = tusk__error_field(ev->body, 'R')};
}

/* What there was of the stack, or of the operation, is undone, in a transaction by its savepoint: repeating is safe everywhere. */
void tusk__batch_mishap(tusk_conn *conn, tusk_query *q, size_t i, const tusk__event *ev, tusk_error *err)
{
    tusk__tried tried = tried_of(q, i, ev, err);
    tusk__mishap why = tusk__mishap_of(&tried);
    bool has_learned;

    if (why == TUSK__MISHAP_NONE)
        return;
    has_learned = tusk__mishap_learn(conn, &tried, why);
    if (why == TUSK__MISHAP_OUTPUT && q->is_repeated && !has_learned)
        return;
    if (tusk__mishap_is_late(why) && may_have_committed(q->batch, i))
        return;
    q->batch->mishap = why;
    tusk__mishap_advise(err, why, TUSK_RETRY_REQUEST);
}
