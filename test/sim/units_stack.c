/* Stacks: what is pushed, and what is told of each operation.
 * Read first: test/sim/units.h. */
#include "test/sim/units.h"

#include <stdio.h>
#include <string.h>

void units_note_stack_writes(const ask *a, const tusk_error *const *errors)
{
    run *r = a->run;
    bool is_atomic = a->kind == K_ATOMIC || a->kind == K_ATOMIC_INSIDE;

    for (size_t i = 0; i < a->n_parts; i++) {
        const part *p = &r->parts[a->first_part + i];
        const tusk_error *err = errors ? errors[i] : tusk_query_error(a->q);
        if (p->kind == K_INSERT)
            units_note_write(r, p->token, a->level, a->is_freed ? V_UNSURE : units_verdict_by(err),
                             a->first_group + (is_atomic ? 0 : p->operation));
    }
}

/* Of a stack that continues, nobody is undone, or not run, because of another operation. */
static void check_alone(const run *r, const part *p, const tusk_error *err)
{
    bool is_not_run = strncmp(err->message, "not run: ", 9) == 0;

    units_must(r, (err->code != TUSK_ERR_ROLLED_BACK && !is_not_run) || err->item == (int)p->operation || err->item < 0,
               "operation %u ends because of operation %d", p->operation, (int)err->item);
}

/* An operation has failed, and its stack is undone: the transaction around it goes on. */
static void check_around(const ask *a, const tusk_error *err)
{
    tusk_conn *conn = a->line->conn;
    uint32_t token = 0;

    if (a->kind != K_ATOMIC_INSIDE || !a->has_done || !units_is_sure(a->level) || err->code != TUSK_ERR_SERVER ||
        strcmp(err->sqlstate, "25P02") == 0 || tusk_conn_get_state(conn) != TUSK_CONN_READY ||
        sscanf(err->message, "token %u", &token) != 1 || token == 0)
        return;
    units_must(a->run, tusk_conn_tx_status(conn) == TUSK_TX_IN_TRANSACTION,
               "a stack has failed its caller's transaction");
}

/* One result for each statement, in order, whatever became of it; none if nothing was sent. */
void units_check_stack(ask *a)
{
    run *r = a->run;
    const tusk_error *err = tusk_query_error(a->q), *errors[64];
    bool is_atomic = a->kind == K_ATOMIC || a->kind == K_ATOMIC_INSIDE;
    size_t i = 0;

    if (tusk_query_result_operation(a->q) < 0) {
        units_must(r, err->code != TUSK_OK, "a stack succeeds without results");
        units_note_stack_writes(a, NULL);
        return;
    }
    do {
        const part *p = &r->parts[a->first_part + i];
        units_must(r, i < a->n_parts && tusk_query_result_operation(a->q) == (int)p->operation,
                   "result %zu is of operation %d", i, tusk_query_result_operation(a->q));
        errors[i] = tusk_query_result_error(a->q);
        units_must(r,
                   !is_atomic || (err->code != TUSK_ERR_SERVER && err->code != TUSK_ERR_ROLLED_BACK) ||
                       errors[i]->code != TUSK_OK,
                   "%u is kept of a stack that failed", p->token);
        units_must(r, !is_atomic || err->code != TUSK_OK || errors[i]->code == TUSK_OK,
                   "%u failed, and the stack did not", p->token);
        if (errors[i]->code == TUSK_OK && err->code == TUSK_OK)
            units_check_part(a, p);
        else if (errors[i]->code == TUSK_ERR_SERVER)
            units_check_server_error(r, errors[i], &r->parts[a->first_part], a->n_parts);
        if (!is_atomic)
            check_alone(r, p, errors[i]);
        units_seen.failed_operations += errors[i]->code == TUSK_ERR_SERVER;
        units_seen.not_run_operations += errors[i]->code == TUSK_ERR_ROLLED_BACK;
        i++;
    } while (tusk_next_result(a->q));
    if (i < a->n_parts) {
        units_must(r, err->code != TUSK_OK, "the stack has %zu results of %zu", i, a->n_parts);
        for (size_t left = i; left < a->n_parts; left++)
            errors[left] = err;
    }
    units_note_stack_writes(a, errors);
    check_around(a, err);
}

/* A statement, one with several sets of values, or a script. */
static void push_operation(run *r, ask *a, tusk_stack *stack, uint32_t operation)
{
    static const kind kinds[] = {K_ROW, K_ROWS, K_ECHO, K_PATH, K_INSERT, K_INSERT, K_INSERT, K_INSERT, K_INSERT};
    kind k = units_chance(r, 60) ? K_ERROR : kinds[units_any(r, sizeof kinds / sizeof kinds[0])];
    bool is_script = k != K_ECHO && units_chance(r, 100);
    uint32_t n = is_script || units_chance(r, 200) ? 1 + units_any(r, 3) : 1;
    char first[100] = "", sql[100], script[400] = "", echo[3][32];
    tusk_value values[3][2];
    tusk_params sets[3];
    size_t len = 0;

    for (uint32_t i = 0; i < n; i++) {
        part p = units_any_part(r, k, operation, sql, sizeof sql, is_script);
        if (i == 0)
            (void)snprintf(first, sizeof first, "%s", sql);
        else if (!is_script)
            p.number = r->parts[r->n_parts - 1].number; /* the text is the first one's */
        units_must(r, r->n_parts < MAX_PARTS, "too many statements");
        r->parts[r->n_parts++] = p;
        a->n_parts++;
        sets[i] = tusk_params_of(values[i], units_any_values(&p, echo[i], values[i]));
        len += (size_t)snprintf(script + len, sizeof script - len, "%s%s", i ? "; " : "", sql);
    }
    units_must(
        r, (is_script ? tusk_stack_push_script(stack, script) : tusk_stack_push_many(stack, first, sets, n)) == TUSK_OK,
        "an operation is refused");
}

ask *units_submit_stack(line *l, tusk_stack_mode mode)
{
    run *r = l->run;
    kind outside = mode == TUSK_STACK_ATOMIC ? K_ATOMIC : K_CONTINUE;
    ask *a = units_new_ask(l, l->level ? outside + 1 : outside);
    tusk_stack *stack = tusk_stack_new(l->conn);
    tusk_stack_options options = {.mode = mode, .user = a};
    uint32_t n = 1 + units_any(r, 5);

    units_must(r, stack != NULL, "out of memory");
    a->first_part = r->n_parts;
    a->first_group = r->n_groups + 1;
    r->n_groups += n;
    for (uint32_t i = 0; i < n; i++)
        push_operation(r, a, stack, i);
    for (size_t i = 0; i < a->n_parts && (a->kind == K_ATOMIC || !units_is_sure(l->level)); i++)
        pg_let_repeat(r->server, r->parts[a->first_part + i].token);
    a->part.token = r->parts[a->first_part].token;
    options.text_results = units_chance(r, 200);
    if (mode == TUSK_STACK_ATOMIC && !l->level && units_chance(r, 300))
        options.transaction.isolation = TUSK_SERIALIZABLE;
    (void)units_any_timeout(r, a, &options.timeout);
    a->has_done = units_chance(r, 500);
    options.on_done = a->has_done ? units_on_done : NULL;
    (void)units_take(a, tusk_stack_submit(stack, &options));
    tusk_stack_free(stack);
    return a;
}
