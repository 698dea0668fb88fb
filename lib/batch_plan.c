/* How each statement of a run goes on the wire: by a name that the connection has for it, under a new one, or without; and by which
 * formats. A statement is known by the time that its unit is answered, so all is planned before the first message is written: what falls
 * out of the cache by it is closed in front.
 * Read first: lib/stack.h; DESIGN "Cached statements"; docs/internals/stack.md. */
#include "lib/formats.h"
#include "lib/known.h"
#include "lib/stack.h"
#include "proto/error_set.h"

/* ---- ways ---- */

void tusk__outcome_clear(tusk__outcome *outcome)
{
    if (outcome->stmt)
        tusk__stmt_unref(outcome->stmt);
    tusk__desc_unref(outcome->assumed);
    tusk__desc_unref(outcome->desc);
    outcome->stmt = NULL;
    outcome->assumed = outcome->desc = NULL;
    outcome->way = TUSK__WAY_UNNAMED;
}

static const tusk__stacked *stacked_of(const tusk_query *q, size_t i)
{
    return &q->batch->stack->statements[i];
}

/* The columns are known: in the formats that are asked for. A further set of values has those of the first one. */
static tusk_code set_run(tusk_query *q, size_t i, tusk_stmt *stmt, tusk__desc *desc)
{
    tusk__outcome *outcome = &q->batch->outcomes[i];

    outcome->way = TUSK__WAY_RUN;
    outcome->stmt = tusk__stmt_ref(stmt);
    outcome->n_cols = desc ? desc->n_cols : -1;
    stmt->place.at = (uint32_t)i;
    if (!desc || !q->text_results || desc != stmt->desc) {
        outcome->desc = tusk__desc_ref(desc);
        return TUSK_OK;
    }
    outcome->desc = tusk__desc_copy(desc, NULL);
    if (!outcome->desc)
        return TUSK_ERR_NOMEM;
    tusk__desc_set_formats(outcome->desc, TUSK__FORMATS_TEXT);
    return TUSK_OK;
}

static void set_first(tusk_query *q, size_t i, tusk_stmt *stmt)
{
    tusk__outcome *outcome = &q->batch->outcomes[i];

    outcome->way = TUSK__WAY_FIRST;
    outcome->stmt = tusk__stmt_ref(stmt);
    stmt->place.at = (uint32_t)i;
}

/* The same statement as the one at first, which is in its unit. */
static tusk_code set_again(tusk_query *q, size_t i, size_t first)
{
    const tusk__outcome *like = &q->batch->outcomes[first];
    tusk__outcome *outcome = &q->batch->outcomes[i];

    if (like->way == TUSK__WAY_RUN)
        return set_run(q, i, like->stmt, like->desc);
    outcome->way = TUSK__WAY_AGAIN;
    outcome->of = like->of;
    return TUSK_OK;
}

static void assume(tusk_query *q, size_t i, tusk__desc *desc)
{
    if (!q->text_results)
        q->batch->outcomes[i].assumed = tusk__desc_ref(desc);
}

static tusk__desc *known_of(tusk_conn *conn, const tusk_query *q, size_t i)
{
    return tusk__known_find(conn->loop, tusk__known_key(conn, stacked_of(q, i)->hash));
}

/* ---- names ---- */

/* Behind what may alter tables a statement may have other columns than those that it was prepared with; and a second try goes without
 * anything that the first one may have stumbled over. */
static bool may_have_name(const tusk_query *q)
{
    return !q->is_repeated && !q->batch->is_past_altering;
}

/* Is it a statement of this run that goes by it, one in front of i? Whatever `at` was left there by another run. */
static bool is_used(const tusk_query *q, size_t i, const tusk_stmt *stmt)
{
    uint32_t at = stmt->place.at;

    return at < i && q->batch->outcomes[at].stmt == stmt && q->batch->outcomes[at].way != TUSK__WAY_UNNAMED;
}

/* Its Parse is in flight, and may fail: only what fails with it may count on it. */
static bool is_parsed_in_unit(const tusk_query *q, size_t i, const tusk_stmt *stmt)
{
    return is_used(q, i, stmt) && (q->batch->mode == TUSK_STACK_ATOMIC ||
                                   stacked_of(q, stmt->place.at)->operation == stacked_of(q, i)->operation);
}

/* A new one in the cache; NULL: it is not to be kept, or what would fall out for it is in use by this very run. */
static tusk_stmt *new_one(tusk_conn *conn, const tusk_query *q, size_t i)
{
    const tusk__stacked *stacked = stacked_of(q, i);
    const tusk__cache *cache = conn->cache;

    if (cache && cache->oldest && cache->n >= (size_t)conn->settings->statement_cache_size &&
        is_used(q, i, cache->oldest))
        return NULL;
    return tusk__cache_add(conn, stacked->hash, stacked->held.sql, stacked->held.params);
}

static tusk_code plan_text(tusk_conn *conn, tusk_query *q, size_t i)
{
    const tusk__stacked *stacked = stacked_of(q, i);
    tusk_stmt *stmt = NULL;

    if (may_have_name(q)) {
        stmt = tusk__cache_find(conn, stacked->hash, stacked->held.sql, stacked->held.params);
        if (stmt && stmt->state == TUSK__STMT_READY)
            return set_run(q, i, stmt, stmt->desc);
        if (stmt && is_parsed_in_unit(q, i, stmt))
            return set_again(q, i, stmt->place.at);
        stmt = stmt ? NULL : new_one(conn, q, i);
    }
    if (stmt)
        set_first(q, i, stmt);
    assume(q, i, known_of(conn, q, i));
    return TUSK_OK;
}

static tusk_code check_handle(tusk_query *q, size_t i, const tusk_stmt *stmt)
{
    size_t n = stacked_of(q, i)->held.params.n;

    if (stmt->state == TUSK__STMT_FAILED)
        tusk__query_fail(q, tusk__stmt_error(stmt));
    else if (stmt->state == TUSK__STMT_CLOSED)
        tusk__query_failf(q, TUSK_ERR_STATE, NULL, "the prepared statement is closed");
    else if (n != stmt->n_params)
        return tusk__refuse_count(q, stmt->n_params, n);
    return q->error.code;
}

/* As encode_run() and encode_anew() do with one that is run by itself. */
static tusk_code plan_handle(tusk_conn *conn, tusk_query *q, size_t i)
{
    tusk_stmt *stmt = stacked_of(q, i)->stmt;
    tusk__desc *known;

    TUSK_TRY(check_handle(q, i, stmt));
    if (may_have_name(q) && !conn->is_pooled) {
        if (stmt->state == TUSK__STMT_READY && !stmt->is_stale)
            return set_run(q, i, stmt, stmt->desc);
        if (stmt->state == TUSK__STMT_PREPARING && is_parsed_in_unit(q, i, stmt))
            return set_again(q, i, stmt->place.at);
        if (stmt->state == TUSK__STMT_READY) {
            stmt->state = TUSK__STMT_PREPARING; /* the next run waits for its name */
            set_first(q, i, stmt);
            assume(q, i, known_of(conn, q, i));
            return TUSK_OK;
        }
    }
    known = known_of(conn, q, i);
    q->batch->outcomes[i].stmt = tusk__stmt_ref(stmt);
    assume(q, i, known || stmt->is_stale ? known : stmt->desc);
    return TUSK_OK;
}

static tusk_code plan(tusk_conn *conn, tusk_query *q, size_t i)
{
    const tusk__stacked *stacked = stacked_of(q, i);
    tusk__outcome *outcome = &q->batch->outcomes[i];

    outcome->of = (uint32_t)i;
    outcome->n_cols = -1;
    if (stacked->text_of != i)
        return set_again(q, i, stacked->text_of);
    return stacked->stmt ? plan_handle(conn, q, i) : plan_text(conn, q, i);
}

tusk_code tusk__batch_plan(tusk_conn *conn, tusk_query *q, size_t *at)
{
    tusk__batch *batch = q->batch;

    batch->is_past_altering = false;
    for (*at = 0; *at < batch->n_statements; ++*at) {
        TUSK_TRY(plan(conn, q, *at));
        batch->is_past_altering |= batch->stack->statements[*at].may_alter;
    }
    return TUSK_OK;
}

bool tusk__batch_is_pending(const tusk__batch *batch)
{
    const tusk_stack *stack = batch->stack;

    for (size_t i = 0; stack->has_handles && i < batch->n_statements; i++)
        if (stack->statements[i].stmt && stack->statements[i].stmt->state == TUSK__STMT_PREPARING)
            return true;
    return false;
}

void tusk__batch_take_back(tusk__batch *batch)
{
    for (size_t i = 0; i < batch->n_statements; i++)
        if (batch->outcomes[i].way == TUSK__WAY_FIRST)
            tusk__stmt_first_failed(batch->outcomes[i].stmt, false);
}

/* ---- messages ---- */

tusk_code tusk__batch_write(tusk_conn *conn, tusk_query *q, size_t i)
{
    const tusk__outcome *outcome = &q->batch->outcomes[i], *of = &q->batch->outcomes[outcome->of];
    const tusk__stacked *stacked = stacked_of(q, i);
    tusk__request r = {stacked->held.sql, stacked->held.params};
    tusk__part part = {.stmt = of->stmt,
                       .is_named = of->way != TUSK__WAY_UNNAMED,
                       .is_ready = outcome->way == TUSK__WAY_RUN,
                       .is_parsed = outcome->way >= TUSK__WAY_RUN,
                       .desc = outcome->way == TUSK__WAY_RUN ? outcome->desc : of->assumed};

    return tusk__part_write(conn, q, &r, &part);
}
