/* Stacks through the statement cache: which messages an operation is, what is prepared by it and what is not wherever one fails, what is
 * learned, and what becomes of statements that the server has lost or changed.
 * Read first: docs/internals/stack.md, docs/internals/cache.md. */
#include "test/live/live.h"

#include "test/harness/fail_alloc.h"
#include "test/harness/fail_os.h"

/* ---- a loop whose sends are read ------------------------------------------------------------------------------------------ */

static fail_os world;
static ssize_t (*real_send)(void *ctx, int fd, const void *buf, size_t len);
static int n_sent[128]; /* messages of each type since the mark; a send of these tests is of whole ones */
static int n_sends;

static ssize_t reading_send(void *ctx, int fd, const void *buf, size_t len)
{
    const uint8_t *at = buf;

    n_sends++;
    for (size_t i = 0; i + 5 <= len && at[i] < 128;) {
        n_sent[at[i]]++;
        i += 1 + ((size_t)at[i + 1] << 24 | (size_t)at[i + 2] << 16 | (size_t)at[i + 3] << 8 | at[i + 4]);
    }
    return real_send(ctx, fd, buf, len);
}

static void mark(void)
{
    memset(n_sent, 0, sizeof n_sent);
    n_sends = 0;
}

static tusk_stack *stack;

static tusk_conn *connect_with(int32_t cache_size)
{
    tusk_conn *conn = tusk_conn_open(
        loop, &(tusk_config){.dsn = harness_env("TUSK_TEST_DSN_PLAIN"), .statement_cache_size = cache_size});
    tusk_error err = {0};

    ck_assert_ptr_nonnull(conn);
    ck_assert_msg(tusk_await_free(tusk_conn_ready(conn), &err) == TUSK_OK, "%s", said(&err));
    return conn;
}

static void up_with(int32_t cache_size)
{
    tusk_error err = {0};

    live_fds = harness_open_fds();
    fail_os_init(&world, OS_SEND, 0, 0, false);
    real_send = world.os.send;
    world.os.send = reading_send;
    loop = tusk__loop_open_on(&world.os, &(tusk_loop_config){0}, &err);
    ck_assert_msg(loop != NULL, "%s", said(&err));
    db = connect_with(cache_size);
    stack = tusk_stack_new(db);
    ck_assert_ptr_nonnull(stack);
}

static void up(void)
{
    up_with(0);
}

static void down(void)
{
    tusk_stack_free(stack);
    live_down();
}

static void new_stack(void)
{
    tusk_stack_free(stack);
    stack = tusk_stack_new(db);
}

static void push(const char *sql)
{
    ck_assert_int_eq(tusk_stack_push(stack, sql, TUSK_NO_PARAMS), TUSK_OK);
}

static void push_number(const char *sql, int n)
{
    ck_assert_int_eq(tusk_stack_push(stack, sql, TUSK_PARAMS(tusk_int4(n))), TUSK_OK);
}

/* ---- the four forms ------------------------------------------------------------------------------------------------------- */

typedef struct form {
    tusk_stack_mode mode;
    bool is_inside;
} form;

enum { N_FORMS = 4 };

static form form_of(int i)
{
    return (form){i & 1 ? TUSK_STACK_CONTINUE : TUSK_STACK_ATOMIC, i & 2};
}

/* Run in that form, in a transaction of its own if it is one inside, and what it came to. */
static tusk_query *run_in(form f)
{
    tusk_query *q;

    if (f.is_inside)
        run_script("begin");
    mark();
    q = tusk_stack_run(stack, f.mode);
    (void)tusk_await(q);
    if (f.is_inside) {
        int sends = n_sends;

        ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IN_TRANSACTION);
        ck_assert_int_eq(sends, 1);
    }
    return q;
}

static void end_of(form f)
{
    if (f.is_inside)
        run_script("commit");
}

/* Each result is a row with that number. */
static void ck_numbers(tusk_query *q, const int *numbers, int n)
{
    tusk_row row;

    ck_ok(q);
    for (int i = 0; i < n; i++) {
        const tusk_error *err = tusk_query_result_error(q);

        ck_assert_msg(err->code == TUSK_OK, "%d: %s", i, said(err));
        ck_assert_int_eq(tusk_query_result_operation(q), i);
        ck_assert_msg(tusk_next_row(q, &row), "%d", i);
        ck_assert_int_eq(tusk_get_int4(&row, 0), numbers[i]);
        ck_assert(!tusk_next_row(q, &row));
        ck_assert_int_eq(tusk_next_result(q), i + 1 < n);
    }
    ck_assert_msg(tusk_query_value_error(q)->code == TUSK_OK, "%s", said(tusk_query_value_error(q)));
    tusk_query_free(q);
}

/* Of our own statements around the operations, so many. */
static int n_controls(form f, int n_operations)
{
    if (!f.is_inside)
        return 0;
    return f.mode == TUSK_STACK_ATOMIC ? 5 : 3 + 3 * n_operations;
}

START_TEST(what_ran_before_is_bound_by_its_name)
{
    form f = form_of(_i);
    int controls = n_controls(f, 4), n_parsed = f.mode == TUSK_STACK_ATOMIC ? 3 : 4;

    push_number("select $1 + 1", 10);
    push_number("select $1 + 2", 20);
    push_number("select $1 + 1", 30);
    push("select 5");
    for (int i = 0; i < 3; i++) {
        tusk_query *q = run_in(f);

        ck_assert_int_eq(n_sends, 1);
        ck_assert_int_eq(n_sent['P'], controls + (i == 0 ? n_parsed : 0));
        ck_assert_int_eq(n_sent['D'], i == 0 ? n_parsed : 0);
        ck_assert_int_eq(n_sent['B'], controls + 4);
        ck_assert_int_eq(n_sent['E'], controls + 4);
        ck_numbers(q, (const int[]){11, 22, 31, 5}, 4);
        end_of(f);
        ck_assert_str_eq(kept_statements(), "select $1 + 1|select $1 + 2|select 5");
    }
    mark();
    ck_assert_int_eq(number("select 5"), 5); /* and by single requests, too */
    ck_assert_int_eq(n_sent['P'], 0);
}
END_TEST

START_TEST(many_sets_are_one_parse_and_then_none)
{
    form f = form_of(_i);
    tusk_value values[3] = {tusk_int4(1), tusk_int4(2), tusk_int4(3)};
    tusk_params sets[3];

    for (int i = 0; i < 3; i++)
        sets[i] = tusk_params_of(&values[i], 1);
    ck_assert_int_eq(tusk_stack_push_many(stack, "select $1 * 2", sets, 3), TUSK_OK);
    for (int run = 0; run < 4; run++) {
        bool is_text = run >= 2;
        tusk_query *q;
        tusk_row row;

        if (f.is_inside)
            run_script("begin");
        mark();
        q = tusk_stack_submit(stack, &(tusk_stack_options){.mode = f.mode, .text_results = is_text});
        ck_ok(q);
        ck_assert_int_eq(n_sent['P'], n_controls(f, 1) + (run == 0));
        for (int i = 0; i < 3; i++) {
            ck_assert(tusk_next_row(q, &row));
            if (is_text)
                ck_assert(tusk_str_is(tusk_get_text(&row, 0), textf("%d", 2 * (i + 1))));
            else
                ck_assert_int_eq(tusk_get_int4(&row, 0), 2 * (i + 1));
            ck_assert_int_eq(tusk_next_result(q), i < 2);
        }
        tusk_query_free(q);
        end_of(f);
    }
}
END_TEST

/* ---- what falls out ------------------------------------------------------------------------------------------------------- */

static void up_small(void)
{
    up_with(2);
}

START_TEST(what_falls_out_is_closed_in_the_same_flight)
{
    form f = form_of(_i);

    ck_assert_int_eq(number("select 1"), 1);
    ck_assert_int_eq(number("select 2"), 2);
    push("select 2");
    push("select 3");
    ck_numbers(run_in(f), (const int[]){2, 3}, 2);
    ck_assert_int_eq(n_sent['C'], 1);
    ck_assert_int_eq(n_sends, 1);
    end_of(f);
    ck_assert_str_eq(kept_statements(), "select 2|select 3");
}
END_TEST

/* What would fall out is used in the same flight: it stays, and the rest goes without a name. */
START_TEST(a_stack_with_more_statements_than_the_cache_holds_keeps_some)
{
    form f = form_of(_i);

    for (int run = 0; run < 3; run++) {
        new_stack();
        for (int i = 0; i < 5; i++)
            push(textf("select %d", i));
        push("select 0");
        ck_numbers(run_in(f), (const int[]){0, 1, 2, 3, 4, 0}, 6);
        end_of(f);
        ck_assert_str_eq(kept_statements(), "select 0|select 1");
    }
}
END_TEST

/* ---- an operation that fails ---------------------------------------------------------------------------------------------- */

enum { N_OPERATIONS = 5 };

static const struct {
    const char *sql;
    bool is_parsed;
} failing[] = {{"select 1 / 0", true}, {"select nothing", false}, {"select 1, 2; select 3", false}};

/* Which of them the server has afterwards is what the connection thinks: all run well, those that it has without a Parse. */
START_TEST(what_a_failing_operation_leaves_prepared_is_known)
{
    form f = form_of(_i % N_FORMS);
    int fault = _i / N_FORMS % N_OPERATIONS, kind = _i / N_FORMS / N_OPERATIONS, n_known = 0;
    char expected[200] = "";
    size_t len = 0;

    if (failing[kind].is_parsed) /* sorted in front */
        len = (size_t)snprintf(expected, sizeof expected, "%s", failing[kind].sql);
    for (int i = 0; i < N_OPERATIONS; i++) {
        bool is_reached = i < fault || f.mode == TUSK_STACK_CONTINUE;

        if (i == fault) {
            push(failing[kind].sql);
            continue;
        }
        push(textf("select %d", i + 10));
        n_known += is_reached;
        if (is_reached)
            len += (size_t)snprintf(expected + len, sizeof expected - len, "%sselect %d", len ? "|" : "", i + 10);
    }
    tusk_query_free(run_in(f));
    end_of(f);
    ck_assert_str_eq(kept_statements(), expected);
    mark();
    for (int i = 0; i < N_OPERATIONS; i++)
        if (i != fault)
            ck_assert_int_eq(number(textf("select %d", i + 10)), i + 10);
    ck_assert_int_eq(n_sent['P'], N_OPERATIONS - 1 - n_known);
    mark();
    tusk_query_free(run_in(f));
    ck_assert_int_eq(n_sent['P'] - n_controls(f, N_OPERATIONS), failing[kind].is_parsed ? 0 : 1);
    end_of(f);
    ck_usable(db);
}
END_TEST

/* A Parse that fails is its unit's: the same statement in the next one has one of its own, and fails by it. In one unit it stands behind
 * the error. */
START_TEST(a_statement_of_another_unit_is_not_counted_on)
{
    form f = form_of(_i);
    tusk_query *q;

    push("select nothing");
    push("select nothing");
    q = run_in(f);
    for (int i = 0; i < 2; i++) {
        const tusk_error *err = tusk_query_result_error(q);
        bool is_behind = i == 1 && f.mode == TUSK_STACK_ATOMIC;

        ck_assert_int_eq(tusk_query_result_operation(q), i);
        ck_assert_msg(strcmp(err->sqlstate, is_behind ? "25P02" : "42703") == 0, "%d: %s", i, said(err));
        ck_assert_int_eq(err->retry, TUSK_RETRY_UNKNOWN);
        ck_assert_int_eq(tusk_next_result(q), i == 0);
    }
    tusk_query_free(q);
    end_of(f);
    ck_usable(db);
}
END_TEST

/* ---- mishaps -------------------------------------------------------------------------------------------------------------- */

static const char altered_sql[] = "select a from stack_altered";

static const struct {
    const char *name, *between, *sqlstate;
} mishaps[] = {
    {"altered", "alter table stack_altered alter a type float4", "0A000"},
    {"deallocated",
     "do $$ begin execute 'deallocate ' || (select name from pg_prepared_statements where statement like "
     "'%stack_altered%'); end $$",
     "26000"},
    {"without binary output", "alter table stack_altered alter a type aclitem using '=r/drv'::aclitem", "0A000"},
};

static void push_around_altered(void)
{
    new_stack();
    push_number("insert into stack_log values ($1) returning n", 1);
    push(altered_sql);
    push_number("insert into stack_log values ($1) returning n", 2);
}

/* Did all go well, or the one operation fail that met the mishap, and say what is left to do? */
static bool is_well(form f, tusk_query *q, int i)
{
    bool is_well = true;

    do {
        const tusk_error *err = tusk_query_result_error(q);

        if (err->code == TUSK_OK)
            continue;
        is_well = false;
        if (tusk_query_result_operation(q) != 1) {
            ck_assert_msg(f.mode == TUSK_STACK_ATOMIC, "%s: %s", mishaps[i].name, said(err));
            continue;
        }
        ck_assert_msg(err->retry == TUSK_RETRY_REQUEST, "%s: %s", mishaps[i].name, said(err));
        ck_assert(strstr(err->hint, "Repeating is safe") != NULL);
    } while (tusk_next_result(q));
    ck_assert_int_eq(tusk_query_code(q), is_well || f.mode == TUSK_STACK_CONTINUE ? TUSK_OK : TUSK_ERR_SERVER);
    if (tusk_query_code(q) != TUSK_OK) {
        ck_assert_int_eq(tusk_query_error(q)->retry, TUSK_RETRY_REQUEST);
        ck_assert_int_eq(tusk_query_error(q)->item, 1);
    }
    tusk_query_free(q);
    return is_well;
}

/* ATOMIC outside of a transaction it goes unnoticed, but for a column that turns out twice to be another one than was thought; elsewhere
 * it is told, and the next time goes well. */
START_TEST(mishaps_are_repeated_as_a_whole_or_told)
{
    form f = form_of(_i % N_FORMS);
    int i = _i / N_FORMS, n_runs = 1;
    bool is_atomic_outside = f.mode == TUSK_STACK_ATOMIC && !f.is_inside;

    run_script("drop table if exists stack_altered, stack_log; create table stack_altered as select 1::int4 a; "
               "create table stack_log (n int4)");
    push_around_altered();
    ck_assert(is_well(f, run_in(f), i));
    end_of(f);
    run_script(mishaps[i].between);
    for (; !is_well(f, run_in(f), i); n_runs++) {
        ck_assert_int_lt(n_runs, 4);
        end_of(f);
    }
    end_of(f);
    ck_assert_int_eq(n_runs, i == 2 ? (is_atomic_outside ? 2 : 3) : (is_atomic_outside ? 1 : 2));
    ck_assert_int_eq(number("select count(*)::int4 from stack_log"),
                     f.mode == TUSK_STACK_ATOMIC ? 4 : 2 * (1 + n_runs)); /* never twice by one run */
    mark();
    ck_assert(is_well(f, run_in(f), i));
    end_of(f);
    run_script("drop table stack_altered, stack_log");
}
END_TEST

/* Nobody knows better than the server what is behind a repetition: its error is the caller's. */
START_TEST(an_error_of_the_callers_own_is_not_repeated)
{
    push("select 1");
    push("select 1 / 0");
    for (int i = 0; i < 2; i++) {
        tusk_query *q = run_in((form){TUSK_STACK_ATOMIC, false});

        ck_assert_int_eq(tusk_query_code(q), TUSK_ERR_SERVER);
        ck_assert_int_eq(tusk_query_error(q)->retry, TUSK_RETRY_UNKNOWN);
        ck_assert_int_eq(n_sends, 1);
        tusk_query_free(q);
    }
}
END_TEST

START_TEST(a_stack_with_something_behind_it_is_not_repeated)
{
    tusk_query *q, *behind;
    int i = 0;

    run_script("drop table if exists stack_altered, stack_log; create table stack_altered as select 1::int4 a; "
               "create table stack_log (n int4)");
    push_around_altered();
    ck_assert(is_well((form){0}, run_in((form){0}), 0));
    run_script(mishaps[i].between);
    q = tusk_stack_run(stack, TUSK_STACK_ATOMIC);
    behind = tusk_exec(db, "select 7", TUSK_NO_PARAMS);
    (void)tusk_await(q);
    ck_assert(!is_well((form){0}, q, i));
    ck_ok(behind);
    tusk_query_free(behind);
    ck_assert(is_well((form){0}, run_in((form){0}), i));
    run_script("drop table stack_altered, stack_log");
}
END_TEST

/* A statement behind one that alters its table is parsed by itself each time, and never told wrongly. */
START_TEST(what_stands_behind_an_alteration_is_parsed_for_itself)
{
    form f = form_of(_i);

    run_script("drop table if exists stack_altered; create table stack_altered as select 1::int4 a");
    for (int i = 0; i < 3; i++) {
        tusk_query *q;
        tusk_row row;

        new_stack();
        push("select * from stack_altered");
        push(textf("alter table stack_altered add c%d int4 default %d", i, i + 100));
        push("select * from stack_altered");
        q = run_in(f);
        ck_ok(q);
        ck_assert_msg(tusk_query_result_error(q)->code == TUSK_OK, "%s", said(tusk_query_result_error(q)));
        ck_assert_int_eq(tusk_query_n_cols(q), 1 + i);
        ck_assert(tusk_next_result(q));
        ck_assert(tusk_next_result(q));
        ck_assert_msg(tusk_query_result_error(q)->code == TUSK_OK, "%s", said(tusk_query_result_error(q)));
        ck_assert_int_eq(tusk_query_n_cols(q), 2 + i);
        ck_assert(tusk_next_row(q, &row));
        ck_assert_int_eq(tusk_get_int4(&row, 1 + i), i + 100);
        tusk_query_free(q);
        end_of(f);
        run_script("deallocate all"); /* what the first operation had prepared has other columns now */
    }
    run_script("drop table stack_altered");
}
END_TEST

/* ---- what is known to a sibling ------------------------------------------------------------------------------------------- */

START_TEST(a_sibling_chooses_formats_at_once)
{
    static const char sql[] = "select $1 + 1 a, '=r/drv'::aclitem b";
    form f = form_of(_i);
    tusk_conn *first = db;

    (void)tusk_await_free(tusk_exec(db, sql, TUSK_PARAMS(tusk_int4(0))), NULL);
    db = connect_with(0);
    new_stack();
    push_number(sql, 4);
    push_number(sql, 5);
    ck_numbers(run_in(f), (const int[]){5, 6}, 2);
    ck_assert_int_eq(n_sends, 1);
    end_of(f);
    disconnect(first);
}
END_TEST

/* ---- handles -------------------------------------------------------------------------------------------------------------- */

static void push_stmt(tusk_stmt *stmt, int n)
{
    ck_assert_int_eq(tusk_stack_push_stmt(stack, stmt, TUSK_PARAMS(tusk_int4(n))), TUSK_OK);
}

START_TEST(handles_run_by_their_names_and_are_waited_for)
{
    form f = form_of(_i);
    tusk_stmt *stmt = tusk_prepare(db, "select $1::int4 * 2", NULL, 0);

    push_stmt(stmt, 1);
    push("select 7");
    push_stmt(stmt, 2);
    for (int i = 0; i < 2; i++) {
        tusk_query *q;

        if (f.is_inside)
            run_script("begin");
        q = tusk_stack_run(stack, f.mode);
        ck_numbers(q, (const int[]){2, 7, 4}, 3);
        ck_assert_int_eq(n_sent['P'], i == 0 ? n_sent['P'] : n_controls(f, 3));
        end_of(f);
        mark();
    }
    ck_assert_str_eq(kept_statements(), "select $1::int4 * 2|select 7");
    tusk_stmt_free(stmt);
}
END_TEST

/* The server has lost it: outside and ATOMIC that goes unnoticed; elsewhere each operation says so, and the next run is well. */
START_TEST(a_handle_that_was_lost_is_prepared_anew)
{
    form f = form_of(_i);
    tusk_stmt *stmt = tusk_prepare(db, "select $1::int4 * 2", NULL, 0);
    bool goes_unnoticed = f.mode == TUSK_STACK_ATOMIC && !f.is_inside;
    tusk_query *q;

    push_stmt(stmt, 1);
    push_stmt(stmt, 2);
    ck_numbers(run_in(f), (const int[]){2, 4}, 2);
    end_of(f);
    run_script("do $$ begin execute 'deallocate all'; end $$");
    if (!goes_unnoticed) {
        q = run_in(f);
        ck_assert_str_eq(tusk_query_result_error(q)->sqlstate, "26000");
        ck_assert_int_eq(tusk_query_result_error(q)->retry, TUSK_RETRY_REQUEST);
        tusk_query_free(q);
        end_of(f);
    }
    for (int i = 0; i < 2; i++) {
        ck_numbers(run_in(f), (const int[]){2, 4}, 2);
        end_of(f);
    }
    mark();
    ck_assert_int_eq((int)tusk_await_free(tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(1))), NULL), TUSK_OK);
    ck_assert_int_eq(n_sent['P'], 0);
    tusk_stmt_free(stmt);
}
END_TEST

/* Its place in a stack, and what is told. */
START_TEST(a_handle_that_cannot_be_run_ends_the_stack_before_it_is_sent)
{
    tusk_conn *other = connect_with(0);
    tusk_stmt *stmt = tusk_prepare(db, "select $1::int4", NULL, 0),
              *wrong = tusk_prepare(db, "select nothing", NULL, 0), *foreign = tusk_prepare(other, "select 1", NULL, 0),
              *copy = tusk_prepare(db, "copy (select 1) to stdout", NULL, 0);
    tusk_query *q;

    ck_assert_int_eq(tusk_stack_push_stmt(NULL, stmt, TUSK_NO_PARAMS), TUSK_ERR_NOMEM);
    ck_assert_int_eq(tusk_stack_push_stmt(stack, NULL, TUSK_NO_PARAMS), TUSK_ERR_NOMEM);
    new_stack();
    ck_assert_int_eq(tusk_stack_push_stmt(stack, foreign, TUSK_NO_PARAMS), TUSK_ERR_USAGE);
    new_stack();
    ck_assert_int_eq(tusk_stack_push_stmt(stack, copy, TUSK_NO_PARAMS), TUSK_ERR_USAGE);
    new_stack();
    push("select 1");
    ck_assert_int_eq(tusk_stack_push_stmt(stack, stmt, TUSK_NO_PARAMS), TUSK_OK);
    q = tusk_stack_run(stack, TUSK_STACK_ATOMIC);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_USAGE);
    ck_assert_int_eq(tusk_query_error(q)->item, 1);
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    ck_assert_str_eq(tusk_query_error(q)->message, "the statement takes 1 parameter, not 0");
    tusk_query_free(q);
    ck_assert_str_eq(kept_statements(), "copy (select 1) to stdout|select $1::int4"); /* and not "select 1" */
    new_stack();
    ck_assert_int_eq(tusk_stack_push_stmt(stack, wrong, TUSK_NO_PARAMS), TUSK_OK);
    q = tusk_stack_run(stack, TUSK_STACK_ATOMIC);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_assert_str_eq(tusk_query_error(q)->sqlstate, "42703");
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    tusk_query_free(q);
    new_stack();
    push_stmt(stmt, 3);
    ck_assert_int_eq(tusk_await_free(tusk_stmt_close(stmt), NULL), TUSK_OK);
    ck_assert_int_eq(tusk_await_free(tusk_stack_run(stack, TUSK_STACK_ATOMIC), NULL), TUSK_ERR_STATE);
    ck_assert_int_eq(tusk_stack_push_stmt(stack, stmt, TUSK_NO_PARAMS), TUSK_ERR_STATE);
    tusk_stmt_free(stmt);
    tusk_stmt_free(wrong);
    tusk_stmt_free(foreign);
    tusk_stmt_free(copy);
    disconnect(other);
    ck_usable(db);
}
END_TEST

/* A close behind a run in the queue comes too late for it. */
START_TEST(a_handle_may_be_closed_behind_a_run)
{
    tusk_stmt *stmt = tusk_prepare(db, "select $1::int4", NULL, 0);
    tusk_query *q;

    push_stmt(stmt, 3);
    q = tusk_stack_run(stack, TUSK_STACK_ATOMIC);
    tusk_stmt_free(stmt);
    ck_numbers(q, (const int[]){3}, 1);
    ck_usable(db);
    ck_assert_str_eq(kept_statements(), "select 4711");
}
END_TEST

/* ---- names ---------------------------------------------------------------------------------------------------------------- */

START_TEST(values_may_go_by_names)
{
    form f = form_of(_i);
    tusk_named *named = tusk_named_parse(tusk_str_of("select :b - :a"), NULL, NULL);
    tusk_query *q;

    ck_assert_ptr_nonnull(named);
    ck_assert_int_eq(
        tusk_stack_push_args(stack, "select :a + :b + :a", TUSK_ARGS({"b", tusk_int4(1)}, {"a", tusk_int4(10)})),
        TUSK_OK);
    ck_assert_int_eq(tusk_stack_push_named(stack, named, TUSK_ARGS({"a", tusk_int4(1)}, {"b", tusk_int4(10)})),
                     TUSK_OK);
    ck_assert_int_eq(tusk_stack_push_named(stack, named, TUSK_ARGS({"a", tusk_int4(2)}, {"b", tusk_int4(10)})),
                     TUSK_OK);
    tusk_named_free(named);
    for (int i = 0; i < 2; i++) {
        q = run_in(f);
        ck_assert(tusk_str_is(tusk_query_result_sql(q), "select :a + :b + :a"));
        ck_numbers(q, (const int[]){21, 9, 8}, 3);
        end_of(f);
    }
    ck_assert_str_eq(kept_statements(), "select $1 + $2 + $1|select $1 - $2");
}
END_TEST

START_TEST(errors_of_names_speak_of_what_was_pushed)
{
    tusk_query *q;

    ck_assert_int_eq(tusk_stack_push_args(NULL, "select 1", TUSK_NO_ARGS), TUSK_ERR_NOMEM);
    ck_assert_int_eq(tusk_stack_push_named(stack, NULL, TUSK_NO_ARGS), TUSK_ERR_USAGE);
    new_stack();
    push("select 1");
    ck_assert_int_eq(tusk_stack_push_args(stack, "select :a, :b", TUSK_ARGS({"a", tusk_int4(1)})), TUSK_ERR_USAGE);
    q = tusk_stack_run(stack, TUSK_STACK_ATOMIC);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_USAGE);
    ck_assert_str_eq(tusk_query_error(q)->sqlstate, "42P02");
    ck_assert_int_eq(tusk_query_error(q)->item, 1);
    tusk_query_free(q);
    new_stack();
    ck_assert_int_eq(tusk_stack_push_args(stack, "select :number, nothing", TUSK_ARGS({"number", tusk_int4(1)})),
                     TUSK_OK);
    q = tusk_stack_run(stack, _i ? TUSK_STACK_CONTINUE : TUSK_STACK_ATOMIC);
    (void)tusk_await(q);
    ck_assert_str_eq(tusk_query_result_error(q)->sqlstate, "42703");
    ck_assert_int_eq(tusk_query_result_error(q)->position, 17);
    ck_assert_str_eq(tusk_query_result_error(q)->where, "operation 0 \"select :number, nothing\"");
    tusk_query_free(q);
}
END_TEST

/* ---- what errors say ------------------------------------------------------------------------------------------------------ */

START_TEST(several_statements_in_one_string_are_told_where_to_go)
{
    tusk_query *q;

    push("select 1; select 2");
    q = tusk_stack_run(stack, _i ? TUSK_STACK_CONTINUE : TUSK_STACK_ATOMIC);
    (void)tusk_await(q);
    ck_assert_str_eq(tusk_query_result_error(q)->sqlstate, "42601");
    ck_assert_str_eq(tusk_query_result_error(q)->hint,
                     "Several statements in one string go by tusk_stack_push_script().");
    tusk_query_free(q);
    new_stack();
    q = tusk_stack_run(stack, TUSK_STACK_ATOMIC);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_USAGE);
    ck_assert_str_eq(tusk_query_error(q)->where, "stack");
    tusk_query_free(q);
}
END_TEST

/* ---- taken back ----------------------------------------------------------------------------------------------------------- */

START_TEST(a_stack_that_is_taken_back_leaves_the_cache_as_it_was)
{
    tusk_query *q;

    ck_assert_int_eq(number("select 1"), 1);
    ck_assert_int_eq(number("select 2"), 2);
    push("select 3");
    q = tusk_stack_run(stack, _i ? TUSK_STACK_CONTINUE : TUSK_STACK_ATOMIC);
    tusk_query_cancel(q);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_CANCELED);
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    tusk_query_free(q);
    mark();
    ck_numbers(run_in((form){0}), (const int[]){3}, 1);
    ck_assert_int_eq(n_sent['P'], 1);
    ck_assert_int_eq(n_sent['C'], 1);
    ck_assert_str_eq(kept_statements(), "select 2|select 3");
}
END_TEST

/* ---- memory --------------------------------------------------------------------------------------------------------------- */

static fail_alloc heap;

/* What of it fails, fails with a word of that, or once more for the formats that were not learned. */
static void run_short_of_memory(tusk_stack_mode mode)
{
    tusk_query *q = tusk_stack_run(stack, mode);
    tusk_code code = q ? tusk_await(q) : TUSK_ERR_NOMEM;

    if (q && code == TUSK_OK) {
        do
            ck_assert_msg(tusk_query_result_error(q)->code == TUSK_OK || tusk_query_result_error(q)->retry, "%s",
                          said(tusk_query_result_error(q)));
        while (tusk_next_result(q));
    } else if (q) {
        ck_assert_msg(code == TUSK_ERR_NOMEM || tusk_query_error(q)->retry == TUSK_RETRY_REQUEST, "%s",
                      said(tusk_query_error(q)));
    }
    tusk_query_free(q);
}

static void all_of_it(void)
{
    tusk_stmt *stmt;

    db = tusk_connect(loop, harness_env("TUSK_TEST_DSN_PLAIN"));
    if (!db || tusk_await_free(tusk_conn_ready(db), NULL) != TUSK_OK) {
        tusk_conn_free(db);
        return;
    }
    stack = tusk_stack_new(db);
    stmt = tusk_prepare(db, "select $1::int4 * 2", NULL, 0);
    (void)tusk_stack_push(stack, "select $1 + 1, 'a text', '=r/drv'::aclitem", TUSK_PARAMS(tusk_int4(1)));
    (void)tusk_stack_push_args(stack, "select :a + 1", TUSK_ARGS({"a", tusk_int4(1)}));
    (void)tusk_stack_push_stmt(stack, stmt, TUSK_PARAMS(tusk_int4(1)));
    for (int i = 0; i < 4; i++)
        run_short_of_memory(i % 2 ? TUSK_STACK_CONTINUE : TUSK_STACK_ATOMIC);
    tusk_stmt_free(stmt);
    tusk_stack_free(stack);
    tusk_conn_free(db);
}

START_TEST(allocations_that_fail_cost_a_run_at_most)
{
    long n_calls = 1;

    for (long at = 1; at <= n_calls; at++) {
        fail_alloc_init(&heap, at, false);
        loop = tusk_loop_open(&(tusk_loop_config){.allocator = &heap.allocator}, NULL);
        if (loop)
            all_of_it();
        tusk_loop_free(loop);
        loop = NULL;
        ck_assert_int_eq(heap.live, 0);
        n_calls = heap.failed ? at + 1 : at;
    }
    ck_assert_int_gt(n_calls, 40);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("stack_cache");
    TCase *tcase = tcase_create("live");

    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, up, down);
    tcase_add_loop_test(tcase, what_ran_before_is_bound_by_its_name, 0, N_FORMS);
    tcase_add_loop_test(tcase, many_sets_are_one_parse_and_then_none, 0, N_FORMS);
    tcase_add_loop_test(tcase, what_a_failing_operation_leaves_prepared_is_known, 0,
                        N_FORMS * N_OPERATIONS * N_OF(failing));
    tcase_add_loop_test(tcase, a_statement_of_another_unit_is_not_counted_on, 0, N_FORMS);
    tcase_add_loop_test(tcase, mishaps_are_repeated_as_a_whole_or_told, 0, N_FORMS * N_OF(mishaps));
    tcase_add_test(tcase, an_error_of_the_callers_own_is_not_repeated);
    tcase_add_test(tcase, a_stack_with_something_behind_it_is_not_repeated);
    tcase_add_loop_test(tcase, what_stands_behind_an_alteration_is_parsed_for_itself, 0, N_FORMS);
    tcase_add_loop_test(tcase, a_sibling_chooses_formats_at_once, 0, N_FORMS);
    tcase_add_loop_test(tcase, handles_run_by_their_names_and_are_waited_for, 0, N_FORMS);
    tcase_add_loop_test(tcase, a_handle_that_was_lost_is_prepared_anew, 0, N_FORMS);
    tcase_add_test(tcase, a_handle_that_cannot_be_run_ends_the_stack_before_it_is_sent);
    tcase_add_test(tcase, a_handle_may_be_closed_behind_a_run);
    tcase_add_loop_test(tcase, values_may_go_by_names, 0, N_FORMS);
    tcase_add_loop_test(tcase, errors_of_names_speak_of_what_was_pushed, 0, 2);
    tcase_add_loop_test(tcase, several_statements_in_one_string_are_told_where_to_go, 0, 2);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("a small cache");
    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, up_small, down);
    tcase_add_loop_test(tcase, what_falls_out_is_closed_in_the_same_flight, 0, N_FORMS);
    tcase_add_loop_test(tcase, a_stack_with_more_statements_than_the_cache_holds_keeps_some, 0, N_FORMS);
    tcase_add_loop_test(tcase, a_stack_that_is_taken_back_leaves_the_cache_as_it_was, 0, 2);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("memory");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, allocations_that_fail_cost_a_run_at_most);
    suite_add_tcase(suite, tcase);
    return suite;
}
