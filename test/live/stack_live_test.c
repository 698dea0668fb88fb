/* Stacks against the real server: each form inside and outside a transaction, with and without an operation that fails, in one round
 * trip; what is kept is asked of a second connection, and must be what was told.
 * Read first: tusk/stack.h, docs/internals/stack.md. */
#include "test/live/live.h"

#include "test/harness/fail_os.h"

static fail_os world;
static tusk_conn *other;
static tusk_stack *stack;

static void up(void)
{
    tusk_error err = {0};

    live_fds = harness_open_fds();
    fail_os_init(&world, OS_SEND, 0, 0, false);
    loop = tusk__loop_open_on(&world.os, &(tusk_loop_config){0}, &err);
    ck_assert_msg(loop != NULL, "%s", said(&err));
    db = connect_plain();
    other = connect_plain();
    run("drop table if exists stack_test");
    run("create table stack_test (n int4 primary key, m int4 unique deferrable initially deferred)");
    ck_usable(other);
    stack = tusk_stack_new(db);
    ck_assert_ptr_nonnull(stack);
}

static void down(void)
{
    tusk_stack_free(stack);
    if (db)
        disconnect(db);
    db = NULL;
    run_on(other, "drop table stack_test");
    disconnect(other);
    live_down();
}

static void push_insert(int n)
{
    ck_assert_int_eq(
        tusk_stack_push(stack, "insert into stack_test values ($1) returning n", TUSK_PARAMS(tusk_int4(n))), TUSK_OK);
}

static int64_t committed(void)
{
    return number_on(other, "select count(*) from stack_test");
}

static int64_t sum_seen(tusk_conn *conn)
{
    return number_on(conn, "select coalesce(sum(n), 0) from stack_test");
}

/* ---- the forms -------------------------------------------------------------------------------------------------------------- */

enum { N = 10, NO_FAULT = -1 };

/* mode × inside × the operation that fails (none, the first, one in the middle, the last) × a script among them */
static const int faults[] = {NO_FAULT, 0, 4, N - 1};

typedef struct form {
    tusk_stack_mode mode;
    bool is_inside, has_script;
    int fault;
} form;

static form form_of(int i)
{
    return (form){i & 1 ? TUSK_STACK_CONTINUE : TUSK_STACK_ATOMIC, i & 2, i & 4, faults[i >> 3]};
}

static void push_ten(const form *f)
{
    for (int i = 0; i < N; i++) {
        if (i == f->fault)
            ck_assert_int_eq(tusk_stack_push(stack, "select 1 / $1", TUSK_PARAMS(tusk_int4(0))), TUSK_OK);
        else if (i == 7 && f->has_script)
            ck_assert_int_eq(
                tusk_stack_push_script(stack, "insert into stack_test values (7) returning n; select 'a;b'"), TUSK_OK);
        else
            push_insert(i);
    }
}

static void check_result(const form *f, const tusk_query *q, int operation)
{
    const tusk_error *err = tusk_query_result_error(q);

    ck_assert_int_eq(tusk_query_result_operation(q), operation);
    if (f->fault == NO_FAULT || (f->mode == TUSK_STACK_CONTINUE && operation != f->fault)) {
        ck_assert_msg(err->code == TUSK_OK, "%d: %s", operation, said(err));
        ck_assert_uint_eq(tusk_query_n_rows(q), 1);
        ck_assert(tusk_query_tag(q).len > 0);
        return;
    }
    ck_assert_int_eq(err->item, f->fault);
    ck_assert_int_eq(err->fate, TUSK_FATE_ANSWERED);
    if (operation == f->fault) {
        ck_assert_str_eq(err->sqlstate, "22012");
        ck_assert_str_eq(err->message, "division by zero");
        ck_assert_str_eq(err->where, textf("operation %d \"select 1 / $1\"", operation));
    } else if (operation < f->fault) {
        ck_assert_int_eq(err->code, TUSK_ERR_ROLLED_BACK);
    } else {
        ck_assert_int_eq(err->code, TUSK_ERR_SERVER);
        ck_assert_str_eq(err->message,
                         textf("not run: operation %d \"select 1 / $1\" failed before it in the same unit", f->fault));
    }
}

static void check_results(const form *f, tusk_query *q)
{
    int n = 0;

    do {
        int operation = n < 8 || !f->has_script ? n : n - 1; /* the script has two results */

        check_result(f, q, operation);
        n++;
    } while (tusk_next_result(q));
    ck_assert_int_eq(n, f->has_script && f->fault != 7 ? N + 1 : N);
    ck_assert_int_eq(tusk_query_code(q),
                     f->fault != NO_FAULT && f->mode == TUSK_STACK_ATOMIC ? TUSK_ERR_SERVER : TUSK_OK);
    if (tusk_query_code(q) != TUSK_OK) {
        ck_assert_int_eq(tusk_query_error(q)->item, f->fault);
        ck_assert(tusk_str_is(tusk_query_error_field(q, 'C'), "22012"));
    }
}

START_TEST(a_stack_of_ten_is_one_round_trip_and_what_is_kept_is_what_was_told)
{
    form f = form_of(_i);
    int64_t kept = f.fault == NO_FAULT ? 45 : f.mode == TUSK_STACK_ATOMIC ? 0 : 45 - f.fault;
    long sends;
    tusk_query *q;

    if (f.is_inside) {
        run("begin");
        run("insert into stack_test values (100)");
    }
    push_ten(&f);
    sends = world.n[OS_SEND];
    q = tusk_stack_run(stack, f.mode);
    (void)tusk_await(q);
    ck_assert_int_eq(world.n[OS_SEND] - sends, 1);
    check_results(&f, q);
    tusk_query_free(q);
    ck_assert_int_eq(tusk_conn_tx_status(db), f.is_inside ? TUSK_TX_IN_TRANSACTION : TUSK_TX_IDLE);
    ck_assert_int_eq(sum_seen(db), kept + (f.is_inside ? 100 : 0));
    ck_assert_int_eq(sum_seen(other), f.is_inside ? 0 : kept);
    if (f.is_inside) {
        run("commit");
        ck_assert_int_eq(sum_seen(other), kept + 100);
    }
    ck_usable(db);
}
END_TEST

/* One wait too, where there is one Sync: the answer to ten small operations comes in one piece, but for what the kernel cuts; so the
 * least of some runs. (Behind each further Sync, and behind an error, the server sends what it has at once: how many pieces we find then
 * is the scheduler's doing, but it waits for nothing of ours.) */
START_TEST(a_stack_of_ten_is_one_send_and_one_wait)
{
    long least = 1000;

    for (int i = 0; i < N; i++)
        (void)tusk_stack_push(stack, "select $1", TUSK_PARAMS(tusk_int4(0)));
    for (int i = 0; i < 20 && least > 1; i++) {
        long sends = world.n[OS_SEND], waits = world.n[OS_EPOLL_WAIT];

        (void)tusk_await_free(tusk_stack_run(stack, TUSK_STACK_ATOMIC), NULL);
        ck_assert_int_eq(world.n[OS_SEND] - sends, 1);
        least = world.n[OS_EPOLL_WAIT] - waits < least ? world.n[OS_EPOLL_WAIT] - waits : least;
    }
    ck_assert_int_eq(least, 1);
}
END_TEST

/* ---- many, scripts ------------------------------------------------------------------------------------------------------------ */

static void push_five(int fault)
{
    tusk_value values[5];
    tusk_params sets[5];

    for (int i = 0; i < 5; i++) {
        values[i] = tusk_int4(i == fault ? 100 : i);
        sets[i] = tusk_params_of(&values[i], 1);
    }
    ck_assert_int_eq(tusk_stack_push_many(stack, "insert into stack_test values ($1) returning n * 2", sets, 5),
                     TUSK_OK);
}

START_TEST(a_statement_with_many_sets_has_a_result_for_each)
{
    tusk_query *q;
    tusk_row row;
    int n = 0;

    push_insert(10);
    push_five(NO_FAULT);
    push_insert(20);
    q = tusk_stack_run(stack, _i ? TUSK_STACK_CONTINUE : TUSK_STACK_ATOMIC);
    ck_ok(q);
    for (; n == 0 || tusk_next_result(q); n++)
        if (n >= 1 && n <= 5) {
            ck_assert_int_eq(tusk_query_result_operation(q), 1);
            ck_assert(tusk_next_row(q, &row));
            ck_assert_int_eq(tusk_get_int4(&row, 0), 2 * (n - 1));
            ck_assert(tusk_str_is(tusk_query_tag(q), "INSERT 0 1"));
        }
    ck_assert_int_eq(n, 7);
    tusk_query_free(q);
    ck_assert_int_eq(sum_seen(other), 10 + 10 + 20);
}
END_TEST

START_TEST(many_sets_are_one_operation_and_fail_together)
{
    tusk_query *q;
    int n_failed = 0;

    run("insert into stack_test values (100)");
    push_insert(10);
    push_five(3);
    push_insert(20);
    q = tusk_stack_run(stack, TUSK_STACK_CONTINUE);
    ck_ok(q);
    do {
        const tusk_error *err = tusk_query_result_error(q);

        n_failed += err->code != TUSK_OK;
        ck_assert_int_eq(err->code != TUSK_OK, tusk_query_result_operation(q) == 1);
    } while (tusk_next_result(q));
    ck_assert_int_eq(n_failed, 5);
    tusk_query_free(q);
    ck_assert_int_eq(sum_seen(other), 100 + 10 + 20);
}
END_TEST

START_TEST(positions_in_a_script_are_those_in_the_whole_of_it)
{
    tusk_query *q;

    ck_assert_int_eq(tusk_stack_push_script(stack, "select 'é'; -- a comment;\n select nothing"), TUSK_OK);
    q = tusk_stack_run(stack, _i ? TUSK_STACK_CONTINUE : TUSK_STACK_ATOMIC);
    (void)tusk_await(q);
    ck_assert(tusk_next_result(q));
    ck_assert_str_eq(tusk_query_result_error(q)->sqlstate, "42703");
    ck_assert_int_eq(tusk_query_result_error(q)->position, 35);
    ck_assert(!tusk_next_result(q));
    tusk_query_free(q);
}
END_TEST

/* ---- what must not commit by itself --------------------------------------------------------------------------------------------- */

START_TEST(what_a_procedure_commits_is_not_kept_of_an_atomic_stack)
{
    tusk_query *q;

    run("create or replace procedure pg_temp.committing() language plpgsql as $$ begin commit; end $$");
    push_insert(1);
    ck_assert_int_eq(
        tusk_stack_push(stack, _i ? "do $$ begin commit; end $$" : "call pg_temp.committing()", TUSK_NO_PARAMS),
        TUSK_OK);
    push_insert(2);
    ck_assert_int_eq(tusk_stack_push(stack, "select 1 / 0", TUSK_NO_PARAMS), TUSK_OK);
    q = tusk_stack_run(stack, TUSK_STACK_ATOMIC);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_assert_str_eq(tusk_query_error(q)->sqlstate, "2D000");
    tusk_query_free(q);
    ck_assert_int_eq(committed(), 0);
    ck_usable(db);
}
END_TEST

START_TEST(what_runs_outside_of_transactions_only_fails_in_an_atomic_stack_and_runs_in_the_other)
{
    tusk_query *q;

    push_insert(1);
    ck_assert_int_eq(tusk_stack_push(stack, "vacuum stack_test", TUSK_NO_PARAMS), TUSK_OK);
    q = tusk_stack_run(stack, _i ? TUSK_STACK_CONTINUE : TUSK_STACK_ATOMIC);
    ck_assert_int_eq(tusk_await(q), _i ? TUSK_OK : TUSK_ERR_SERVER);
    if (!_i)
        ck_assert_str_eq(tusk_query_error(q)->sqlstate, "25001");
    tusk_query_free(q);
    ck_assert_int_eq(committed(), _i);
}
END_TEST

/* A deferred constraint speaks at the end: at COMMIT, or at the Sync. */
START_TEST(what_fails_at_the_end_undoes_all_or_its_own_operation)
{
    bool continues = _i & 1, is_block = _i & 2;
    tusk_query *q;
    int n_failed = 0;

    for (int i = 0; i < 3; i++)
        (void)tusk_stack_push(stack, "insert into stack_test values ($1, $2)",
                              TUSK_PARAMS(tusk_int4(i), tusk_int4(i > 0 ? 7 : 1)));
    if (is_block)
        (void)tusk_stack_push_script(stack, "select 1");
    q = tusk_stack_run(stack, continues ? TUSK_STACK_CONTINUE : TUSK_STACK_ATOMIC);
    ck_assert_int_eq(tusk_await(q), continues ? TUSK_OK : TUSK_ERR_SERVER);
    if (!continues)
        ck_assert_str_eq(tusk_query_error(q)->sqlstate, "23505");
    do {
        n_failed += tusk_query_result_error(q)->code != TUSK_OK;
        if (continues && tusk_query_result_operation(q) == 2)
            ck_assert_str_eq(tusk_query_result_error(q)->sqlstate, "23505");
    } while (tusk_next_result(q));
    tusk_query_free(q);
    ck_assert_int_eq(n_failed, continues ? 1 : is_block ? 4 : 3);
    ck_assert_int_eq(committed(), continues ? 2 : 0);
}
END_TEST

START_TEST(a_stack_has_the_isolation_that_it_was_given)
{
    tusk_query *q;
    tusk_row row;

    (void)tusk_stack_push(stack, "select current_setting('transaction_isolation')", TUSK_NO_PARAMS);
    q = tusk_stack_submit(stack, &(tusk_stack_options){.transaction = {.isolation = TUSK_REPEATABLE_READ}});
    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert(tusk_str_is(tusk_get_text(&row, 0), "repeatable read"));
    tusk_query_free(q);
    run("begin");
    q = tusk_stack_submit(stack, &(tusk_stack_options){.transaction = {.isolation = TUSK_REPEATABLE_READ}});
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_USAGE);
    ck_assert_str_eq(tusk_query_error(q)->sqlstate, "25001");
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

/* ---- its place among others ------------------------------------------------------------------------------------------------------ */

START_TEST(its_form_waits_for_what_may_change_the_transaction)
{
    tusk_query *begin = tusk_exec(db, "begin", TUSK_NO_PARAMS), *q;

    push_insert(1);
    (void)tusk_stack_push(stack, "select 1 / 0", TUSK_NO_PARAMS);
    q = tusk_stack_run(stack, _i ? TUSK_STACK_CONTINUE : TUSK_STACK_ATOMIC);
    ck_assert_int_eq(tusk_await(q), _i ? TUSK_OK : TUSK_ERR_SERVER);
    tusk_query_free(q);
    tusk_query_free(begin);
    ck_assert_int_eq(tusk_conn_tx_status(db),
                     TUSK_TX_IN_TRANSACTION); /* its savepoints have kept the error away from it */
    run("rollback");
    ck_assert_int_eq(committed(), 0);
}
END_TEST

START_TEST(it_is_part_of_the_transaction_that_is_begun_in_front_of_it)
{
    tusk_query *begin = tusk_begin(db, NULL), *q, *commit;

    push_insert(1);
    (void)tusk_stack_push(stack, "select 1 / 0", TUSK_NO_PARAMS);
    q = tusk_stack_run(stack, TUSK_STACK_CONTINUE);
    commit = tusk_commit(db);
    ck_ok(begin);
    ck_ok(q);
    ck_ok(commit);
    tusk_query_free(begin);
    tusk_query_free(q);
    tusk_query_free(commit);
    ck_assert_int_eq(committed(), 1);
}
END_TEST

START_TEST(in_a_transaction_that_has_failed_nothing_is_run)
{
    tusk_query *q;
    int n = 0;

    push_insert(1);
    push_insert(2);
    run("begin");
    (void)tusk_await_free(tusk_exec(db, "select 1 / 0", TUSK_NO_PARAMS), NULL);
    q = tusk_stack_run(stack, _i ? TUSK_STACK_CONTINUE : TUSK_STACK_ATOMIC);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_assert_str_eq(tusk_query_error(q)->sqlstate, "25P02");
    do {
        ck_assert_msg(tusk_query_result_error(q)->code == TUSK_ERR_SERVER, "%s", said(tusk_query_result_error(q)));
        n++;
    } while (tusk_next_result(q));
    ck_assert_int_eq(n, 2);
    tusk_query_free(q);
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IN_ERROR);
    run("rollback");
    ck_usable(db);
}
END_TEST

START_TEST(a_stack_may_run_again_and_go_before_its_queries)
{
    tusk_query *q[20];

    (void)tusk_stack_push(stack, "insert into stack_test select coalesce(max(n), 0) + 1 from stack_test",
                          TUSK_NO_PARAMS);
    for (int i = 0; i < 20; i++)
        q[i] = tusk_stack_run(stack, i % 2 ? TUSK_STACK_CONTINUE : TUSK_STACK_ATOMIC);
    tusk_stack_free(stack);
    stack = NULL;
    for (int i = 0; i < 20; i++) {
        ck_ok(q[i]);
        ck_assert(tusk_query_result_sql(q[i]).len > 0);
        tusk_query_free(q[i]);
    }
    ck_assert_int_eq(committed(), 20);
}
END_TEST

/* ---- refused before anything is sent ------------------------------------------------------------------------------------------------ */

static const char *const refused[] = {
    "",    " ; -- nothing", "begin",     "/* x */ commit",          "savepoint s",       "rollback to s",
    "end", "abort",         "release s", "prepare transaction 'x'", "start transaction", "copy t from stdin"};

START_TEST(what_cannot_be_part_of_a_stack_is_refused)
{
    long sends;
    tusk_query *q;

    push_insert(1);
    if (_i % 2)
        ck_assert_int_eq(tusk_stack_push(stack, refused[_i / 2], TUSK_NO_PARAMS), TUSK_ERR_USAGE);
    else
        ck_assert_int_eq(tusk_stack_push_script(stack, refused[_i / 2]), TUSK_ERR_USAGE);
    ck_assert_int_eq(tusk_stack_push(stack, "select 1", TUSK_NO_PARAMS), TUSK_ERR_USAGE);
    sends = world.n[OS_SEND];
    q = tusk_stack_run(stack, TUSK_STACK_ATOMIC);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_USAGE);
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    ck_assert_int_eq(tusk_query_error(q)->item, 1);
    ck_assert_int_eq(world.n[OS_SEND], sends);
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

START_TEST(an_empty_stack_and_a_value_that_does_not_fit_are_refused_before_anything_is_sent)
{
    tusk_query *q = tusk_stack_run(stack, TUSK_STACK_ATOMIC);

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_USAGE);
    ck_assert_str_eq(tusk_query_error(q)->message, "the stack is empty");
    tusk_query_free(q);
    push_insert(1);
    q = tusk_stack_run(stack, (tusk_stack_mode)7);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_USAGE);
    ck_assert_str_eq(tusk_query_error(q)->message, "there is no mode 7 of a stack");
    tusk_query_free(q);
    (void)tusk_stack_push(stack, "select $1, $2", TUSK_PARAMS(tusk_int4(1), tusk_text("\xff")));
    q = tusk_stack_run(stack, _i ? TUSK_STACK_CONTINUE : TUSK_STACK_ATOMIC);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_VALUE);
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    ck_assert_int_eq(tusk_query_error(q)->item, 1);
    ck_assert_int_eq(tusk_query_error(q)->param, 2);
    tusk_query_free(q);
    ck_assert_int_eq(committed(), 0);
    ck_assert_int_eq(tusk_stack_push_many(NULL, "select 1", NULL, 0), TUSK_ERR_NOMEM);
    ck_assert_int_eq(tusk_stack_push_many(stack, "select 1", NULL, 0), TUSK_ERR_USAGE);
    ck_usable(db);
}
END_TEST

START_TEST(a_result_beyond_the_bound_costs_the_results_and_not_the_connection)
{
    tusk_query *q;

    push_insert(1);
    (void)tusk_stack_push(stack, "select repeat('x', 100000)", TUSK_NO_PARAMS);
    push_insert(2);
    q = tusk_stack_submit(stack, &(tusk_stack_options){.max_result_bytes = 50000, .mode = TUSK_STACK_CONTINUE});
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_LIMIT);
    tusk_query_free(q);
    ck_usable(db);
    ck_assert_int_eq(committed(), 2);
}
END_TEST

START_TEST(a_stack_past_its_deadline_is_stopped)
{
    tusk_query *q;

    for (int i = 0; i < 3; i++)
        (void)tusk_stack_push(stack, "select pg_sleep(60)", TUSK_NO_PARAMS);
    q = tusk_stack_submit(stack, &(tusk_stack_options){.timeout = 0.05, .mode = TUSK_STACK_CONTINUE});
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_TIMEOUT);
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

/* ---- the server dies ------------------------------------------------------------------------------------------------------------------ */

/* At operation k the backend ends itself: what is told of each operation is what a neighbour sees. */
START_TEST(what_is_told_when_the_backend_dies_is_what_is_kept)
{
    bool continues = _i & 1, is_inside = _i & 2, is_block = _i & 4;
    int fatal = _i >> 3;
    int64_t told = 0;
    tusk_query *q;

    if (is_inside)
        run("begin");
    for (int i = 0; i < 5; i++)
        if (i == fatal)
            (void)tusk_stack_push(stack, "select pg_terminate_backend(pg_backend_pid())", TUSK_NO_PARAMS);
        else
            push_insert(1 << i);
    if (is_block)
        (void)tusk_stack_push_script(stack, "select 1");
    q = tusk_stack_run(stack, continues ? TUSK_STACK_CONTINUE : TUSK_STACK_ATOMIC);
    ck_assert_int_eq(tusk_await(q), is_block && !continues && !is_inside ? TUSK_ERR_COMMIT_UNKNOWN : TUSK_ERR_LOST);
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_UNKNOWN);
    for (int i = 0; i == 0 || tusk_next_result(q); i++) {
        const tusk_error *err = tusk_query_result_error(q);

        ck_assert_int_eq(tusk_query_result_operation(q), i);
        ck_assert_msg((err->code == TUSK_OK) == (continues && i < fatal), "%d: %s", i, said(err));
        told += err->code == TUSK_OK && !is_inside ? 1 << i : 0;
    }
    tusk_query_free(q);
    ck_assert_int_eq(sum_seen(other), told);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("stack");
    TCase *tcase = tcase_create("live");

    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, up, down);
    tcase_add_loop_test(tcase, a_stack_of_ten_is_one_round_trip_and_what_is_kept_is_what_was_told, 0, 8 * N_OF(faults));
    tcase_add_test(tcase, a_stack_of_ten_is_one_send_and_one_wait);
    tcase_add_loop_test(tcase, a_statement_with_many_sets_has_a_result_for_each, 0, 2);
    tcase_add_test(tcase, many_sets_are_one_operation_and_fail_together);
    tcase_add_loop_test(tcase, positions_in_a_script_are_those_in_the_whole_of_it, 0, 2);
    tcase_add_loop_test(tcase, what_a_procedure_commits_is_not_kept_of_an_atomic_stack, 0, 2);
    tcase_add_loop_test(tcase, what_runs_outside_of_transactions_only_fails_in_an_atomic_stack_and_runs_in_the_other, 0,
                        2);
    tcase_add_loop_test(tcase, what_fails_at_the_end_undoes_all_or_its_own_operation, 0, 3);
    tcase_add_test(tcase, a_stack_has_the_isolation_that_it_was_given);
    tcase_add_loop_test(tcase, its_form_waits_for_what_may_change_the_transaction, 0, 2);
    tcase_add_test(tcase, it_is_part_of_the_transaction_that_is_begun_in_front_of_it);
    tcase_add_loop_test(tcase, in_a_transaction_that_has_failed_nothing_is_run, 0, 2);
    tcase_add_test(tcase, a_stack_may_run_again_and_go_before_its_queries);
    tcase_add_loop_test(tcase, what_cannot_be_part_of_a_stack_is_refused, 0, 2 * N_OF(refused));
    tcase_add_loop_test(tcase, an_empty_stack_and_a_value_that_does_not_fit_are_refused_before_anything_is_sent, 0, 2);
    tcase_add_test(tcase, a_result_beyond_the_bound_costs_the_results_and_not_the_connection);
    tcase_add_test(tcase, a_stack_past_its_deadline_is_stopped);
    tcase_add_loop_test(tcase, what_is_told_when_the_backend_dies_is_what_is_kept, 0, 5 * 8);
    suite_add_tcase(suite, tcase);
    return suite;
}
