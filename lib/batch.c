/* One run of a stack as messages: which of our own statements stand between its operations, and where the Syncs are.
 * What is answered is batch_answer.c's.
 * Read first: DESIGN "A stack never contains…", "A stack inside the caller's transaction"; lib/stack.h. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/conn.h"
#include "lib/stack.h"
#include "lib/transaction.h"
#include "proto/error_set.h"
#include "proto/size.h"

/* At most, where each operation has a unit with three statements of our own around it; and what stands at the ends. */
enum { STEPS_EACH = 5, STEPS_AROUND = 8, EXPECTS_EACH = 3 * 3 + 4 + 1, EXPECTS_AROUND = 6 * 3 + 4 };

/* ---- life ---- */

static void *room_for(const tusk_stack *stack, size_t n, size_t each, size_t around, size_t size)
{
    size_t bytes;

    if (!tusk__size_mul(n, each, &bytes) || !tusk__size_add(bytes, around, &bytes) ||
        !tusk__size_mul(bytes, size, &bytes))
        return NULL;
    return stack->allocator->malloc(bytes, stack->allocator->user);
}

static void free_batch(tusk__batch *batch)
{
    const tusk_allocator *allocator = batch->stack->allocator;
    struct tusk__kept_error *next;

    for (struct tusk__kept_error *kept = batch->errors; kept; kept = next) {
        next = kept->next;
        allocator->free(kept, allocator->user);
    }
    for (size_t i = 0; batch->outcomes && i < batch->n_statements; i++)
        tusk__outcome_clear(&batch->outcomes[i]);
    allocator->free(batch->outcomes, allocator->user);
    allocator->free(batch->steps, allocator->user);
    allocator->free(batch->expects, allocator->user);
    tusk__stack_unref(batch->stack);
    allocator->free(batch, allocator->user);
}

void tusk__batch_free(tusk_query *q)
{
    free_batch(q->batch);
    q->batch = NULL;
}

tusk__batch *tusk__batch_new(tusk_stack *stack, const tusk_stack_options *options)
{
    tusk__batch *batch = stack->allocator->malloc(sizeof *batch, stack->allocator->user);

    if (!batch)
        return NULL;
    memset(batch, 0, sizeof *batch);
    batch->stack = stack;
    stack->refs++;
    batch->mode = options->mode;
    batch->transaction = options->transaction;
    batch->outcomes = room_for(stack, stack->n, 1, 1, sizeof *batch->outcomes);
    batch->steps = room_for(stack, stack->n, STEPS_EACH, STEPS_AROUND, sizeof *batch->steps);
    batch->expects = room_for(stack, stack->n, EXPECTS_EACH, EXPECTS_AROUND, 1);
    if (!batch->outcomes || !batch->steps || !batch->expects) {
        free_batch(batch);
        return NULL;
    }
    for (size_t i = 0; i < stack->n; i++)
        batch->outcomes[i] = (tusk__outcome){.operation = stack->statements[i].operation,
                                             .sql = tusk__stack_text(stack, stack->statements[i].text_of)};
    batch->n_statements = stack->n;
    return batch;
}

/* The errors stay: who looked at a result meanwhile may hold one. */
void tusk__batch_reset(tusk__batch *batch)
{
    for (size_t i = 0; i < batch->n_statements; i++) {
        tusk__outcome_clear(&batch->outcomes[i]);
        batch->outcomes[i].error = NULL;
        batch->outcomes[i].has_result = false;
    }
    batch->n_steps = batch->n_expects = batch->at = batch->unit = 0;
    batch->unit_has_failed = batch->is_undone = false;
    batch->mishap = TUSK__MISHAP_NONE;
}

/* ---- steps ---- */

static void add_step(tusk__batch *batch, tusk__step_kind kind, size_t statement)
{
    static const uint8_t expects[][5] = {
        [TUSK__STEP_STATEMENT] = {TUSK__EXPECT_PARSE, TUSK__EXPECT_DESCRIBE_STATEMENT, TUSK__EXPECT_BIND,
                                  TUSK__EXPECT_EXECUTE},
        [TUSK__STEP_RUN] = {TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE},
        [TUSK__STEP_CONTROL] = {TUSK__EXPECT_PARSE, TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE},
        [TUSK__STEP_COMMIT] = {TUSK__EXPECT_PARSE, TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE},
        [TUSK__STEP_SYNC] = {TUSK__EXPECT_SYNC},
    };

    for (const uint8_t *expect = expects[kind]; *expect; expect++)
        batch->expects[batch->n_expects++] = *expect;
    batch->steps[batch->n_steps++] = (tusk__step){kind, (uint32_t)statement};
}

static void sync(tusk_conn *conn, tusk__batch *batch)
{
    add_step(batch, TUSK__STEP_SYNC, 0);
    tusk__sync_write(&conn->out);
}

static void control(tusk_conn *conn, tusk__batch *batch, const char *sql)
{
    add_step(batch, TUSK__STEP_CONTROL, 0);
    tusk__control_write(conn, tusk_str_of(sql));
}

/* The number is the connection's last one: a stack has one savepoint name for all its savepoints. */
static void savepoint(tusk_conn *conn, tusk__batch *batch, const char *what)
{
    char text[64];

    (void)snprintf(text, sizeof text, "%s savepoint tusk_%" PRIu64, what, conn->savepoint_number);
    control(conn, batch, what[0] ? text : text + 1);
}

/* Which operation has kept all of it from being sent. */
static tusk_code refused(tusk_query *q, size_t i, tusk_code code)
{
    if (q->error.code == TUSK_OK)
        return code;
    q->error.item = (int)q->batch->outcomes[i].operation;
    tusk__error_hint(&q->error, tusk_str_of("nothing of the stack was sent"));
    return code;
}

static tusk_code statement(tusk_conn *conn, tusk_query *q, size_t i)
{
    bool is_parsed = q->batch->outcomes[i].way >= TUSK__WAY_RUN;
    tusk_code code = tusk__batch_write(conn, q, i);

    add_step(q->batch, is_parsed ? TUSK__STEP_RUN : TUSK__STEP_STATEMENT, i);
    return code == TUSK_OK ? code : refused(q, i, code);
}

/* From statement i on, all of one operation, or, if whole, of the stack. Returns where the next begins in *i. */
static tusk_code statements(tusk_conn *conn, tusk_query *q, size_t *i, bool whole)
{
    const tusk__stacked *all = q->batch->stack->statements;
    uint32_t operation = all[*i].operation;

    for (; *i < q->batch->n_statements && (whole || all[*i].operation == operation); ++*i)
        TUSK_TRY(statement(conn, q, *i));
    return TUSK_OK;
}

/* ---- the four forms ---- */

static tusk_code atomic_outside(tusk_conn *conn, tusk_query *q)
{
    tusk__batch *batch = q->batch;
    const tusk_transaction *t = &batch->transaction;
    bool is_block = batch->stack->needs_block || t->isolation || t->read_only || t->deferrable;
    char text[96];
    size_t i = 0;

    if (is_block && tusk__begin_text(t, text, sizeof text) != TUSK_OK) {
        tusk__query_failf(q, TUSK_ERR_USAGE, NULL, "there is no isolation level %d", (int)t->isolation);
        return TUSK_ERR_USAGE;
    }
    if (is_block)
        control(conn, batch, text);
    TUSK_TRY(statements(conn, q, &i, true));
    sync(conn, batch);
    if (is_block) {
        add_step(batch, TUSK__STEP_COMMIT, 0);
        tusk__control_write(conn, tusk_str_of("commit"));
        sync(conn, batch);
        q->changes_status = true;
        q->ends = TUSK__ENDS_BY_COMMIT;
    }
    return TUSK_OK;
}

static tusk_code continue_outside(tusk_conn *conn, tusk_query *q)
{
    for (size_t i = 0; i < q->batch->n_statements;) {
        TUSK_TRY(statements(conn, q, &i, false));
        sync(conn, q->batch);
    }
    return TUSK_OK;
}

static void back_to_savepoint(tusk_conn *conn, tusk__batch *batch)
{
    savepoint(conn, batch, "rollback to");
    savepoint(conn, batch, "release");
    sync(conn, batch);
}

static tusk_code atomic_inside(tusk_conn *conn, tusk_query *q)
{
    size_t i = 0;

    savepoint(conn, q->batch, "");
    TUSK_TRY(statements(conn, q, &i, true));
    savepoint(conn, q->batch, "release");
    savepoint(conn, q->batch, "");
    sync(conn, q->batch);
    back_to_savepoint(conn, q->batch);
    return TUSK_OK;
}

/* After a success ROLLBACK TO undoes nothing; after an error it lands in front of the operation. */
static tusk_code continue_inside(tusk_conn *conn, tusk_query *q)
{
    savepoint(conn, q->batch, "");
    sync(conn, q->batch);
    for (size_t i = 0; i < q->batch->n_statements;) {
        savepoint(conn, q->batch, "rollback to");
        TUSK_TRY(statements(conn, q, &i, false));
        savepoint(conn, q->batch, "release");
        savepoint(conn, q->batch, "");
        sync(conn, q->batch);
    }
    back_to_savepoint(conn, q->batch);
    return TUSK_OK;
}

static tusk_code write_inside(tusk_conn *conn, tusk_query *q)
{
    const tusk_transaction *t = &q->batch->transaction;

    if (t->isolation || t->read_only || t->deferrable) {
        tusk__query_failf(q, TUSK_ERR_USAGE, "25001",
                          "a stack inside a transaction has its isolation, read_only and deferrable from that one");
        return TUSK_ERR_USAGE;
    }
    conn->savepoint_number++;
    return q->batch->mode == TUSK_STACK_ATOMIC ? atomic_inside(conn, q) : continue_inside(conn, q);
}

static tusk_code plan(tusk_conn *conn, tusk_query *q)
{
    size_t i = 0;
    tusk_code code = tusk__batch_plan(conn, q, &i);

    return code == TUSK_OK ? code : refused(q, i, code);
}

tusk_code tusk__encode_batch(tusk_conn *conn, tusk_query *q)
{
    q->batch->is_inside = conn->session.tx_status != 'I';
    TUSK_TRY(plan(conn, q));
    tusk__close_dropped(conn, q);
    if (q->batch->is_inside)
        return write_inside(conn, q);
    return q->batch->mode == TUSK_STACK_ATOMIC ? atomic_outside(conn, q) : continue_outside(conn, q);
}
