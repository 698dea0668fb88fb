/* Stacks: what is pushed, copied and checked; and what is asked of their results.
 * What a run is on the wire: batch.c; what is answered: batch_answer.c.
 * Read first: tusk/stack.h, lib/stack.h. */
#include "lib/stack.h"

#include "lib/command.h"
#include "lib/conn.h"
#include "lib/many.h"
#include "lib/named.h"
#include "lib/objects.h"
#include "lib/script.h"
#include "lib/sql.h"
#include "proto/error_set.h"
#include "proto/size.h"

/* Statements of one stack: what a run needs of memory at once is in proportion. */
#define STATEMENTS_MAX 65536
#define MAX_RESULT_BYTES (INT64_C(256) * 1024 * 1024)

/* ---- life ---- */

static void clear(tusk__stacked *statement, const tusk_allocator *allocator)
{
    tusk__held_clear(&statement->held, allocator);
    if (statement->stmt)
        tusk__stmt_unref(statement->stmt);
    tusk_named_free(statement->named);
}

void tusk__stack_unref(tusk_stack *stack)
{
    const tusk_allocator *allocator = stack->allocator;

    if (--stack->refs > 0)
        return;
    tusk__loop_disown(&stack->child);
    for (size_t i = 0; i < stack->n; i++)
        clear(&stack->statements[i], allocator);
    allocator->free(stack->statements, allocator->user);
    tusk__conn_unpin(stack->conn);
    allocator->free(stack, allocator->user);
}

void tusk_stack_free(tusk_stack *stack)
{
    if (!stack || stack->is_released)
        return;
    stack->is_released = true;
    tusk__stack_unref(stack);
}

/* tusk_loop_free(): the handle goes with the loop. */
static void on_loop_free(tusk__child *child)
{
    tusk_stack_free((tusk_stack *)(void *)((char *)child - offsetof(tusk_stack, child)));
}

tusk_stack *tusk_stack_new(tusk_conn *conn)
{
    tusk_stack *stack = conn ? conn->allocator->malloc(sizeof *stack, conn->allocator->user) : NULL;

    if (!stack)
        return NULL;
    memset(stack, 0, sizeof *stack);
    stack->refs = 1;
    stack->allocator = conn->allocator;
    stack->conn = conn;
    tusk__conn_pin(conn);
    tusk__loop_adopt(conn->loop, &stack->child, on_loop_free);
    return stack;
}

/* ---- pushing ---- */

/* The first error stays; it is about the operation that is being pushed. */
static tusk_code wrong(tusk_stack *stack, tusk_code code, const char *sqlstate, const char *text)
{
    (void)tusk__error_set(&stack->error, code, sqlstate, "operation %zu: %s", stack->n_operations, text);
    stack->error.item = (int)stack->n_operations;
    stack->error.fate = TUSK_FATE_NOT_SENT;
    return stack->error.code;
}

static const char *fault_of(tusk__command command)
{
    if (command == TUSK__COMMAND_EMPTY)
        return "there is no statement";
    if (command == TUSK__COMMAND_COPY)
        return "COPY cannot be part of a stack";
    if (tusk__command_is_transaction_control(command))
        return "transaction control cannot be part of a stack, which has its own";
    return NULL;
}

static tusk_code check(tusk_stack *stack, tusk_str sql, tusk_params params)
{
    tusk__command command = tusk__command_of(sql);
    const char *fault = tusk__are_missing(params) ? TUSK__PARAMS_MISSING : fault_of(command);

    if (fault)
        return wrong(stack, TUSK_ERR_USAGE, NULL, fault);
    if (params.n > TUSK__PARAMS_MAX)
        return wrong(stack, TUSK_ERR_LIMIT, NULL, "more parameters than a statement can have");
    stack->needs_block |= command == TUSK__COMMAND_ALONE || command == TUSK__COMMAND_CALL;
    return TUSK_OK;
}

static bool room_for_one(tusk_stack *stack)
{
    size_t cap = stack->cap ? stack->cap * 2 : 8, size;
    tusk__stacked *statements;

    if (stack->n < stack->cap)
        return true;
    if (!tusk__size_mul(cap, sizeof *statements, &size))
        return false;
    statements = stack->allocator->realloc(stack->statements, size, stack->allocator->user);
    if (!statements)
        return false;
    stack->statements = statements;
    stack->cap = cap;
    return true;
}

static tusk_code wrong_object(tusk_stack *stack, const tusk_error *err)
{
    stack->error = *err;
    tusk__error_where(&stack->error, "operation %zu", stack->n_operations);
    stack->error.item = (int)stack->n_operations;
    stack->error.fate = TUSK_FATE_NOT_SENT;
    return err->code;
}

/* Objects of the program's as bytes: they are its own again when this returns. */
static tusk_code hold(tusk_stack *stack, tusk__stacked *statement, tusk_str sql, tusk_params params)
{
    tusk_error err;
    tusk_code code;

    tusk__error_none(&err);
    if (tusk__has_objects(params))
        return tusk__objects_copy(stack->conn, &statement->held, sql, params, &err) == TUSK_OK
                   ? TUSK_OK
                   : wrong_object(stack, &err);
    code = tusk__held_copy(&statement->held, stack->allocator, sql, params);
    if (code == TUSK_OK)
        return TUSK_OK;
    return wrong(stack, code, NULL,
                 code == TUSK_ERR_NOMEM ? "out of memory" : "the parameters are longer than a message can be");
}

/* What it refers to is counted from here on. */
static tusk_code add(tusk_stack *stack, const tusk__stacked *what, tusk_str sql, tusk_params params)
{
    tusk_str text = what->stmt ? what->stmt->text : sql;
    tusk__stacked *statement;

    if (stack->n >= STATEMENTS_MAX)
        return wrong(stack, TUSK_ERR_LIMIT, NULL, "a stack has at most 65536 statements");
    if (!room_for_one(stack))
        return wrong(stack, TUSK_ERR_NOMEM, NULL, "out of memory");
    statement = &stack->statements[stack->n];
    *statement = *what;
    statement->operation = (uint32_t)stack->n_operations;
    TUSK_TRY(hold(stack, statement, sql, params));
    statement->hash = tusk__cache_hash(text, statement->held.params);
    statement->may_alter = tusk__command_may_alter(text);
    if (what->stmt)
        tusk__stmt_ref(what->stmt);
    if (what->named)
        tusk__named_ref(what->named);
    stack->n++;
    return TUSK_OK;
}

/* One that stands for itself. */
static tusk_code add_one(tusk_stack *stack, tusk__stacked what, tusk_str sql, tusk_params params)
{
    what.text_of = (uint32_t)stack->n;
    return add(stack, &what, sql, params);
}

tusk_code tusk_stack_push_many(tusk_stack *stack, const char *sql, const tusk_params *sets, size_t n)
{
    size_t first = stack ? stack->n : 0;

    if (!stack)
        return TUSK_ERR_NOMEM;
    TUSK_TRY(stack->error.code);
    if (n == 0)
        return wrong(stack, TUSK_ERR_USAGE, NULL, "there is no set of parameters");
    for (size_t i = 0; i < n; i++) {
        TUSK_TRY(check(stack, tusk_str_of(sql), sets[i]));
        TUSK_TRY(add(stack, &(tusk__stacked){.text_of = (uint32_t)first},
                     i == 0 ? tusk_str_of(sql) : (tusk_str){NULL, 0}, sets[i]));
    }
    stack->n_operations++;
    return TUSK_OK;
}

tusk_code tusk_stack_push(tusk_stack *stack, const char *sql, tusk_params params)
{
    return tusk_stack_push_many(stack, sql, &params, 1);
}

static tusk_code push_script(tusk_stack *stack, tusk_str script)
{
    tusk__tokens rest = tusk__tokens_of(script);
    size_t first = stack->n;
    tusk_str statement;
    tusk_error err;
    tusk_code code;

    tusk__error_none(&err);
    while ((code = tusk__script_next(&rest, &statement, &err)) == TUSK_OK) {
        TUSK_TRY(check(stack, statement, TUSK_NO_PARAMS));
        TUSK_TRY(add_one(stack, (tusk__stacked){.offset = tusk__script_position(script, statement, 1) - 1}, statement,
                         TUSK_NO_PARAMS));
    }
    if (code != TUSK_DONE) {
        (void)wrong(stack, code, err.sqlstate, err.message);
        stack->error.position = err.position;
        return code;
    }
    if (stack->n == first)
        return wrong(stack, TUSK_ERR_USAGE, NULL, "there is no statement");
    stack->n_operations++;
    stack->needs_block = true;
    return TUSK_OK;
}

tusk_code tusk_stack_push_script(tusk_stack *stack, const char *sql)
{
    if (!stack)
        return TUSK_ERR_NOMEM;
    TUSK_TRY(stack->error.code);
    return push_script(stack, tusk_str_of(sql));
}

static const char *fault_of_stmt(const tusk_stack *stack, const tusk_stmt *stmt)
{
    if (stmt->conn != stack->conn)
        return "the prepared statement belongs to another connection";
    if (stmt->is_closing || stmt->state == TUSK__STMT_CLOSED)
        return "the prepared statement is closed";
    return NULL;
}

tusk_code tusk_stack_push_stmt(tusk_stack *stack, tusk_stmt *stmt, tusk_params params)
{
    const char *fault;

    if (!stack)
        return TUSK_ERR_NOMEM;
    TUSK_TRY(stack->error.code);
    if (!stmt)
        return wrong(stack, TUSK_ERR_NOMEM, NULL, "there was no memory for the prepared statement");
    fault = fault_of_stmt(stack, stmt);
    if (fault)
        return wrong(stack, stmt->conn == stack->conn ? TUSK_ERR_STATE : TUSK_ERR_USAGE, NULL, fault);
    TUSK_TRY(check(stack, stmt->text, params));
    TUSK_TRY(add_one(stack, (tusk__stacked){.stmt = stmt}, (tusk_str){NULL, 0}, params));
    stack->has_handles = true;
    stack->n_operations++;
    return TUSK_OK;
}

/* What is wrong with names says more than wrong() does. */
static tusk_code wrong_by(tusk_stack *stack, const tusk_error *err)
{
    (void)wrong(stack, err->code, err->sqlstate, err->message);
    stack->error.position = err->position;
    stack->error.param = err->param;
    return err->code;
}

tusk_code tusk_stack_push_named(tusk_stack *stack, tusk_named *named, tusk_args args)
{
    tusk_params params;
    tusk_error err;

    if (!stack)
        return TUSK_ERR_NOMEM;
    TUSK_TRY(stack->error.code);
    tusk__error_none(&err);
    if (!named)
        return wrong(stack, TUSK_ERR_USAGE, NULL, "there is no statement");
    if (tusk_named_bind(named, args, &params, &err) != TUSK_OK)
        return wrong_by(stack, &err);
    TUSK_TRY(check(stack, tusk__named_numbered(named), params));
    TUSK_TRY(add_one(stack, (tusk__stacked){.named = named}, tusk__named_numbered(named), params));
    stack->n_operations++;
    return TUSK_OK;
}

tusk_code tusk_stack_push_args(tusk_stack *stack, const char *sql, tusk_args args)
{
    tusk_named *named;
    tusk_error err;
    tusk_code code;

    if (!stack)
        return TUSK_ERR_NOMEM;
    TUSK_TRY(stack->error.code);
    tusk__error_none(&err);
    named = tusk_named_parse(tusk_str_of(sql), stack->allocator, &err);
    if (!named)
        return wrong_by(stack, &err);
    code = tusk_stack_push_named(stack, named, args);
    tusk_named_free(named);
    return code;
}

tusk_str tusk__stack_text(const tusk_stack *stack, size_t i)
{
    const tusk__stacked *statement = &stack->statements[stack->statements[i].text_of];

    if (statement->named)
        return tusk__named_text(statement->named);
    return statement->stmt ? statement->stmt->text : statement->held.sql;
}

size_t tusk_stack_n_operations(const tusk_stack *stack)
{
    return stack ? stack->n_operations : 0;
}

/* ---- running ---- */

/* A handle that a request in front of this run closes. */
static void refuse_by_handle(tusk_query *q, const tusk_stack *stack)
{
    for (size_t i = 0; stack->has_handles && i < stack->n; i++) {
        const tusk__stacked *statement = &stack->statements[i];

        if (!statement->stmt || !statement->stmt->is_closing)
            continue;
        tusk__query_failf(q, TUSK_ERR_STATE, NULL, "operation %u: the prepared statement is closed",
                          (unsigned)statement->operation)
            ->item = (int)statement->operation;
        return;
    }
}

static void refuse_by_stack(tusk_query *q, const tusk_stack *stack, const tusk_stack_options *options)
{
    const tusk_transaction *t = &options->transaction;

    if (stack->error.code != TUSK_OK)
        tusk__query_fail(q, &stack->error);
    else if (stack->n == 0)
        tusk__query_failf(q, TUSK_ERR_USAGE, NULL, "the stack is empty");
    else if (options->mode != TUSK_STACK_ATOMIC && options->mode != TUSK_STACK_CONTINUE)
        tusk__query_failf(q, TUSK_ERR_USAGE, NULL, "there is no mode %d of a stack", (int)options->mode);
    else if (options->mode == TUSK_STACK_CONTINUE && (t->isolation || t->read_only || t->deferrable))
        tusk__query_failf(q, TUSK_ERR_USAGE, NULL, "a stack that continues has no transaction that could be of a kind");
    else
        refuse_by_handle(q, stack);
    if (q->error.code != TUSK_OK)
        q->error.fate = TUSK_FATE_NOT_SENT;
}

tusk_query *tusk_stack_submit(tusk_stack *stack, const tusk_stack_options *options)
{
    tusk_query *q = stack ? tusk__query_new(stack->conn->loop, stack->conn, TUSK__QUERY_STACK) : NULL;

    if (!q)
        return NULL;
    q->text_results = options->text_results;
    q->max_result_bytes = options->max_result_bytes ? options->max_result_bytes : MAX_RESULT_BYTES;
    q->on_done = options->on_done;
    q->user = options->user;
    refuse_by_stack(q, stack, options);
    if (q->error.code == TUSK_OK)
        tusk__deadline_start(q, options->timeout);
    q->batch = tusk__batch_new(stack, options);
    if (!q->batch && q->error.code == TUSK_OK)
        tusk__query_failf(q, TUSK_ERR_NOMEM, NULL, "out of memory for the stack")->fate = TUSK_FATE_NOT_SENT;
    tusk__request_submit(stack->conn, q, stack->n ? tusk__stack_text(stack, 0) : (tusk_str){NULL, 0}, TUSK_NO_PARAMS);
    return q;
}

tusk_query *tusk_stack_run(tusk_stack *stack, tusk_stack_mode mode)
{
    return tusk_stack_submit(stack, &(tusk_stack_options){.mode = mode});
}

/* ---- results ---- */

int tusk_query_result_operation(const tusk_query *q)
{
    if (q && q->kind == TUSK__QUERY_MANY)
        return tusk__many_result_item(q);
    return q && q->present->outcome ? (int)q->present->outcome->operation : -1;
}

tusk_str tusk_query_result_sql(const tusk_query *q)
{
    if (q && q->kind == TUSK__QUERY_MANY)
        return tusk__many_text(q);
    return q && q->present->outcome ? q->present->outcome->sql : (tusk_str){NULL, 0};
}

const tusk_error *tusk_query_result_error(const tusk_query *q)
{
    static const tusk_error none = {.fate = TUSK_FATE_ANSWERED, .column = -1, .item = -1};

    if (!q || !q->present->outcome)
        return tusk_query_error(q);
    return q->present->outcome->error ? q->present->outcome->error : &none;
}
