/* What the messages of a stack's answer mean: one result per statement, in order, and for each what became of it.
 * Legality was checked by the session; here it is only carried out.
 * Read first: lib/stack.h, docs/internals/stack.md. */
#include "lib/named.h"
#include "lib/sql.h"
#include "lib/stack.h"
#include "lib/transaction.h"
#include "proto/error_set.h"

static const tusk_error no_memory = {.code = TUSK_ERR_NOMEM,
                                     .fate = TUSK_FATE_ANSWERED,
                                     .sqlstate = "53200",
                                     .column = -1,
                                     .item = -1,
                                     .message = "out of memory for what went wrong"};

static const tusk_error *keep_error(tusk__batch *batch, const tusk_error *err)
{
    const tusk_allocator *allocator = batch->stack->allocator;
    struct tusk__kept_error *kept = allocator->malloc(sizeof *kept, allocator->user);

    if (!kept)
        return &no_memory;
    kept->err = *err;
    kept->next = batch->errors;
    batch->errors = kept;
    return &kept->err;
}

/* ---- results ---- */

/* Will anybody look at them? Not if there is no memory for them, or no room. */
static bool wants_results(const tusk_query *q)
{
    return !q->is_done && !q->is_released && q->error.code != TUSK_ERR_LIMIT && q->error.code != TUSK_ERR_NOMEM;
}

static void out_of_memory(tusk_query *q, const char *what)
{
    tusk__query_failf(q, TUSK_ERR_NOMEM, NULL, "out of memory for %s", what)->fate = TUSK_FATE_ANSWERED;
    tusk__query_spoil_rows(q);
}

/* The statement's result, behind those of all in front of it. False: nobody wants it, or no memory. */
static bool begin_result(tusk_query *q, size_t i)
{
    tusk__outcome *outcome = &q->batch->outcomes[i];

    if (!wants_results(q) || outcome->has_result)
        return false;
    if (i > 0 && !tusk__query_add_result(q)) {
        out_of_memory(q, "a result");
        return false;
    }
    q->filling->outcome = outcome;
    outcome->has_result = true;
    return true;
}

/* It was described before: its rows look as they did. */
static void begin_run(tusk_conn *conn, tusk_query *q, size_t i)
{
    const tusk__batch *batch = q->batch;
    const tusk__outcome *of = &batch->outcomes[batch->outcomes[i].of];

    if (begin_result(q, i))
        q->filling->desc = tusk__desc_ref(of->desc);
    tusk__session_expect_columns(&conn->session, of->n_cols);
}

static void begin_parsed(tusk_query *q, size_t i)
{
    tusk__batch_parsed(q->batch, i);
    (void)begin_result(q, i);
}

static void on_columns(tusk_conn *conn, tusk_query *q, size_t i, const tusk__row_description *description)
{
    tusk__outcome *outcome = &q->batch->outcomes[i];

    if (!tusk__batch_columns(conn, q, i, description))
        out_of_memory(q, "the description of the columns");
    else if (wants_results(q) && q->filling->outcome == outcome)
        q->filling->desc = tusk__desc_ref(outcome->desc);
}

/* ---- what went wrong ---- */

/* The steps of the unit that is being answered: up to its Sync. */
static size_t end_of_unit(const tusk__batch *batch)
{
    size_t end = batch->unit;

    while (batch->steps[end].kind != TUSK__STEP_SYNC)
        end++;
    return end;
}

static bool is_statement(const tusk__step *step)
{
    return step->kind == TUSK__STEP_STATEMENT || step->kind == TUSK__STEP_RUN;
}

/* Which statement of the unit an error is about: the one that is answered, or, if that is one of ours, the last one before it. NULL:
 * none was run. */
static const tusk__step *guilty(const tusk__batch *batch)
{
    for (size_t at = batch->at + 1; at-- > batch->unit;)
        if (is_statement(&batch->steps[at]))
            return &batch->steps[at];
    return NULL;
}

/* In the text as it was pushed. */
static int position_of(const tusk__stacked *stacked, int position)
{
    return stacked->named ? tusk_named_position(stacked->named, position) : position + stacked->offset;
}

static void complete_error(const tusk_query *q, const tusk__step *step, tusk_error *err)
{
    const tusk__outcome *outcome = step ? &q->batch->outcomes[step->statement] : NULL;
    char head[64];

    if (!outcome) {
        tusk__error_where(err, "stack");
        return;
    }
    tusk__sql_head(outcome->sql, head, sizeof head);
    tusk__error_where(err, "operation %u \"%s\"", (unsigned)outcome->operation, head);
    err->item = outcome->operation;
    if (err->position > 0)
        err->position = position_of(&q->batch->stack->statements[step->statement], err->position);
}

/* By the routine: the message may be in any language. */
static void add_hint(const tusk__event *ev, tusk_error *err)
{
    if (ev->expect == TUSK__EXPECT_PARSE && memcmp(err->sqlstate, "42601", 5) == 0 &&
        tusk_str_is(tusk__error_field(ev->body, 'R'), "exec_parse_message"))
        tusk__error_hint(err, tusk_str_of("Several statements in one string go by tusk_stack_push_script()."));
}

/* Those of the same unit: what ran in front of it is undone, what stands behind it was not run. One error for all of each kind. */
static void spread(tusk_query *q, const tusk__step *failed, const tusk_error *err)
{
    tusk__batch *batch = q->batch;
    const tusk_error *undone = NULL, *not_run = NULL;
    tusk_error text;

    for (size_t at = batch->unit; batch->steps[at].kind != TUSK__STEP_SYNC; at++) {
        const tusk__step *step = &batch->steps[at];
        bool is_behind = at > batch->at;

        if (!is_statement(step) || step == failed)
            continue;
        if (!(is_behind ? not_run : undone)) {
            tusk__error_none(&text);
            (void)tusk__error_set(&text, is_behind ? TUSK_ERR_SERVER : TUSK_ERR_ROLLED_BACK, is_behind ? "25P02" : NULL,
                                  is_behind ? "not run: %s failed before it in the same unit"
                                            : "rolled back: %s failed behind it in the same unit",
                                  err->where);
            tusk__error_detail(&text, tusk_str_of(err->message));
            text.fate = TUSK_FATE_ANSWERED;
            text.item = err->item;
            *(is_behind ? &not_run : &undone) = keep_error(batch, &text);
        }
        batch->outcomes[step->statement].error = is_behind ? not_run : undone;
    }
}

static void on_error(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    tusk__batch *batch = q->batch;
    const tusk__step *failed = guilty(batch);
    tusk_error err;

    if (batch->unit_has_failed)
        return;
    batch->unit_has_failed = batch->is_undone = true;
    tusk__error_none(&err);
    tusk__error_fields_to_error(ev->body, &err);
    complete_error(q, failed, &err);
    if (failed == &batch->steps[batch->at]) {
        add_hint(ev, &err);
        tusk__batch_mishap(conn, q, failed->statement, ev, &err);
    }
    if (failed) {
        batch->outcomes[failed->statement].error = keep_error(batch, &err);
        if (wants_results(q) && is_statement(&batch->steps[batch->at]))
            tusk__query_drop_unfinished(q);
    }
    spread(q, failed, &err);
    if ((batch->mode == TUSK_STACK_ATOMIC || !failed) && q->error.code == TUSK_OK) {
        tusk__query_fail_fields(q, ev->body);
        q->error = err;
    }
}

/* ATOMIC, and something behind the operations went wrong: the COMMIT, or the Sync. */
static void undo_all(tusk_query *q)
{
    tusk__batch *batch = q->batch;
    const tusk_error *undone = NULL;
    tusk_error text;

    for (size_t i = 0; i < batch->n_statements; i++) {
        if (batch->outcomes[i].error)
            continue;
        if (!undone) {
            tusk__error_none(&text);
            (void)tusk__error_set(&text, TUSK_ERR_ROLLED_BACK, NULL, "rolled back with the stack");
            tusk__error_detail(&text, tusk_str_of(q->error.message));
            text.fate = TUSK_FATE_ANSWERED;
            undone = keep_error(batch, &text);
        }
        batch->outcomes[i].error = undone;
    }
}

/* ---- the end of statements and units ---- */

static void check_commit(const tusk_conn *conn, tusk_query *q, tusk_str tag)
{
    if (conn->session.tx_status == 'T' && tusk_str_is(tag, "COMMIT"))
        return;
    q->batch->is_undone = true;
    if (q->error.code == TUSK_OK)
        tusk__query_failf(q, TUSK_ERR_ROLLED_BACK, NULL, "COMMIT was answered with %.*s: the stack was rolled back",
                          TUSK_STR_ARG(tag))
            ->fate = TUSK_FATE_ANSWERED;
}

static void on_complete(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    const tusk__step *step = &q->batch->steps[q->batch->at++];
    tusk_str tag = ev->kind == TUSK__EV_COMMAND_COMPLETE ? ev->tag : (tusk_str){NULL, 0};
    tusk__result *result = q->filling;

    tusk__answer_tag(conn, tag);
    if (step->kind == TUSK__STEP_COMMIT)
        check_commit(conn, q, tag);
    if (!is_statement(step) || !wants_results(q) || !tag.len)
        return;
    result->tag_len = (uint8_t)(tag.len < sizeof result->tag ? tag.len : sizeof result->tag);
    memcpy(result->tag, tag.ptr, result->tag_len);
}

/* A unit is over: all its statements have a result now, those too that were not run. */
static void on_ready(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    tusk__batch *batch = q->batch;
    size_t end = end_of_unit(batch);

    for (size_t at = batch->unit; at < end; at++)
        if (is_statement(&batch->steps[at])) {
            tusk__batch_unit_over(batch, batch->steps[at].statement);
            (void)begin_result(q, batch->steps[at].statement);
        }
    batch->unit = batch->at = end + 1;
    batch->unit_has_failed = false;
    if (batch->unit < batch->n_steps) {
        tusk__deadline_after_answer(conn);
        return;
    }
    if (batch->mode == TUSK_STACK_ATOMIC && batch->is_undone)
        undo_all(q);
    tusk__answer_ready(conn, q, ev);
}

/* Of an ATOMIC one nothing is certain before its end; of the other one, what has a ReadyForQuery behind it. */
void tusk__batch_lost(tusk_query *q)
{
    tusk__batch *batch = q->batch;
    const tusk_error *lost = NULL;

    if (q->stage != TUSK__STAGE_SENT && q->stage != TUSK__STAGE_OUT)
        return;
    for (size_t at = batch->mode == TUSK_STACK_ATOMIC ? 0 : batch->unit; at < batch->n_steps; at++) {
        tusk__outcome *outcome = &batch->outcomes[batch->steps[at].statement];

        if (!is_statement(&batch->steps[at]))
            continue;
        if (!outcome->error) {
            lost = lost ? lost : keep_error(batch, &q->error);
            outcome->error = lost;
        }
        (void)begin_result(q, batch->steps[at].statement);
    }
}

/* Of the cache's, in front of all. */
static void on_closed(tusk_conn *conn, tusk_query *q)
{
    q->n_closes--;
    tusk__cache_closed(conn);
}

/* ---- dispatch ---- */

void tusk__batch_event(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    tusk__batch *batch = q->batch;
    const tusk__step *step = &batch->steps[batch->at];

    switch (ev->kind) {
    case TUSK__EV_PARSE_COMPLETE:
        if (is_statement(step))
            begin_parsed(q, step->statement);
        break;
    case TUSK__EV_PARAMETER_DESCRIPTION:
        tusk__batch_parameters(conn, q, step->statement, &ev->parameter_description);
        break;
    case TUSK__EV_ROW_DESCRIPTION:
        on_columns(conn, q, step->statement, &ev->row_description);
        break;
    case TUSK__EV_NO_DATA:
        tusk__batch_no_columns(batch, step->statement);
        break;
    case TUSK__EV_BIND_COMPLETE:
        if (step->kind == TUSK__STEP_RUN)
            begin_run(conn, q, step->statement);
        break;
    case TUSK__EV_CLOSE_COMPLETE:
        on_closed(conn, q);
        break;
    case TUSK__EV_ROW:
        tusk__answer_row(conn, q, ev);
        break;
    case TUSK__EV_COMMAND_COMPLETE:
    case TUSK__EV_EMPTY_QUERY:
    case TUSK__EV_PORTAL_SUSPENDED:
        on_complete(conn, q, ev);
        break;
    case TUSK__EV_ERROR:
        on_error(conn, q, ev);
        break;
    case TUSK__EV_READY:
        on_ready(conn, q, ev);
        break;
    case TUSK__EV_COPY_IN:
    case TUSK__EV_COPY_OUT:
    case TUSK__EV_COPY_BOTH:
        tusk__answer_copy_unasked(conn);
        break;
    case TUSK__EV_COPY_DATA:
    case TUSK__EV_COPY_DONE:
    case TUSK__EV_AUTHENTICATION:
    case TUSK__EV_NEGOTIATE_PROTOCOL_VERSION:
    case TUSK__EV_BACKEND_KEY_DATA:
    case TUSK__EV_PARAMETER_STATUS:
    case TUSK__EV_NOTICE:
    case TUSK__EV_NOTIFICATION:
        break;
    }
}
