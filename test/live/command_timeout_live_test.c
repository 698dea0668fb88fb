/* command_timeout: what brings no deadline of its own has the connection's, whatever it is, and also if the configuration came later than
 * the request.
 * Read first: tusk/config.h, test/live/deadline_live_test.c. */
#include "test/live/live.h"

#include "lib/conn.h"
#include "lib/settings.h"

#define FOREVER "select pg_sleep(600)"
#define HINT "It is the connection's command_timeout; a request may bring its own."

static void connect_with(tusk_config config)
{
    config.dsn = harness_env("TUSK_TEST_DSN_PLAIN");
    db = tusk_conn_open(loop, &config);
    ck_assert_ptr_nonnull(db);
}

/* No request that is to succeed has so short a time. */
static void up(void)
{
    live_loop_up();
    connect_with((tusk_config){.command_timeout = 0.05});
    ck_assert_int_eq(tusk_await_free(tusk_conn_ready(db), NULL), TUSK_OK);
}

static void is_timed_out(const tusk_error *err, const char *hint)
{
    ck_assert_msg(err->code == TUSK_ERR_TIMEOUT && strcmp(err->message, "no complete answer within 0.05 s") == 0, "%s",
                  said(err));
    ck_assert_str_eq(err->hint, hint);
}

static void ends_by_time(tusk_query *q)
{
    (void)tusk_await(q);
    is_timed_out(tusk_query_error(q), HINT);
    tusk_query_free(q);
}

static tusk_query *ask_stack(void)
{
    tusk_stack *stack = tusk_stack_new(db);
    tusk_query *q;

    ck_assert_int_eq(tusk_stack_push(stack, FOREVER, TUSK_NO_PARAMS), TUSK_OK);
    q = tusk_stack_run(stack, TUSK_STACK_CONTINUE);
    tusk_stack_free(stack);
    return q;
}

static tusk_code give_later(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    (void)q, (void)item, (void)err, (void)user;
    return TUSK_AGAIN;
}

static tusk_query *ask_load(void)
{
    return tusk_exec_many(db, "select $1::int4", give_later, NULL);
}

static tusk_query *ask_handle(void)
{
    tusk_stmt *stmt = tusk_prepare(db, FOREVER, NULL, 0);
    tusk_query *q = tusk_stmt_exec(stmt, TUSK_NO_PARAMS);

    tusk_stmt_free(stmt);
    return q;
}

static tusk_query *ask_plan(void)
{
    tusk_stmt *stmt = tusk_prepare(db, FOREVER, NULL, 0);
    tusk_query *q = tusk_stmt_explain(stmt, TUSK_NO_PARAMS, true);

    tusk_stmt_free(stmt);
    return q;
}

static tusk_query *ask_script(void)
{
    return tusk_script(db, FOREVER);
}

static tusk_query *ask_text(void)
{
    return tusk_exec(db, FOREVER, TUSK_NO_PARAMS);
}

static tusk_query *(*const asks[])(void) = {ask_text, ask_handle, ask_plan, ask_script, ask_stack, ask_load};

START_TEST(whatever_brings_no_deadline_has_the_connections)
{
    ends_by_time(asks[_i]());
}
END_TEST

START_TEST(batch_of_a_cursor_has_it_too)
{
    tusk_query *begin = tusk_begin(db, NULL);
    tusk_cursor *cursor = tusk_cursor_open(db, &(tusk_cursor_request){.sql = FOREVER});
    tusk_row row;

    ck_assert(!tusk_cursor_next_row(cursor, &row));
    is_timed_out(tusk_cursor_error(cursor), HINT);
    tusk_query_free(begin);
    tusk_cursor_free(cursor);
}
END_TEST

/* ---- transactions ---------------------------------------------------------------------------------------------------------- */

/* Which a program cannot do: what is submitted from now on has it, and what had to succeed before had all the time. */
static void set_default(double seconds)
{
    db->settings->command_timeout_us = (int64_t)(seconds * 1e6);
}

static void is_fine(tusk_query *q)
{
    (void)tusk_await(q);
    ck_ok(q);
    tusk_query_free(q);
}

static void is_fine_by_now(tusk_query *q)
{
    set_default(0);
    is_fine(q);
}

static tusk_query *end_by(bool is_commit)
{
    return is_commit ? tusk_commit(db) : tusk_rollback(db);
}

static void plain_up(void)
{
    live_loop_up();
    connect_with((tusk_config){0});
    ck_usable(db);
}

/* COMMIT waits for a deferred trigger: it was sent, and what became of it the next answer tells. */
START_TEST(a_commit_that_takes_too_long_is_of_unknown_fate)
{
    tusk_query *commit;

    run_script("drop table if exists command_timeout_slow; create table command_timeout_slow (n int4);"
               "create or replace function command_timeout_slow() returns trigger language plpgsql as "
               "'begin perform pg_sleep(600); return null; end';"
               "create constraint trigger slow after insert on command_timeout_slow deferrable initially deferred "
               "for each row execute function command_timeout_slow()");
    is_fine(tusk_begin(db, NULL));
    run("insert into command_timeout_slow values (1)");
    set_default(0.05);
    commit = tusk_commit(db);
    (void)tusk_await(commit);
    ck_assert_int_eq(tusk_query_error(commit)->fate, TUSK_FATE_UNKNOWN);
    ends_by_time(commit);
    ck_assert_int_eq(tusk_conn_tx_depth(db), 0);
    set_default(0);
    ck_assert_int_eq(number("select count(*) from command_timeout_slow"), 0); /* canceled on the server */
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IDLE);
    run_script("drop table command_timeout_slow; drop function command_timeout_slow");
}
END_TEST

/* Behind a load that waits for its pull nothing is sent. The transaction is open as before, and another end ends it. */
START_TEST(an_end_whose_time_is_over_before_it_is_sent_ends_nothing)
{
    tusk_query *load, *end;

    is_fine(tusk_begin(db, NULL));
    load = ask_load();
    set_default(0.05);
    end = end_by(_i);
    ck_assert_int_eq(tusk_conn_tx_depth(db), 0);
    (void)tusk_await(end);
    ck_assert_int_eq(tusk_query_error(end)->fate, TUSK_FATE_NOT_SENT);
    ends_by_time(end);
    ck_assert_int_eq(tusk_conn_tx_depth(db), 1);
    tusk_query_cancel(load);
    ck_assert_int_eq(tusk_await(load), TUSK_ERR_CANCELED);
    tusk_query_free(load);
    set_default(0);
    is_fine(tusk_rollback(db));
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IDLE);
}
END_TEST

/* The end of what never began is decided by that: a rollback is a success, a commit has its reason. */
START_TEST(a_begin_whose_time_is_over_takes_its_end_with_it)
{
    tusk_query *script = tusk_submit(db, &(tusk_request){.sql = FOREVER, .script = true}), *begin, *end;
    tusk_error err;

    set_default(0.05);
    begin = tusk_begin(db, NULL);
    end = end_by(_i);
    ends_by_time(begin);
    ck_assert_int_eq(tusk_await_free(end, &err), _i ? TUSK_ERR_TIMEOUT : TUSK_OK);
    if (_i)
        ck_assert_str_eq(err.message, "not run: the transaction did not begin: no complete answer within 0.05 s");
    tusk_query_cancel(script);
    tusk_query_free(script);
    is_fine_by_now(tusk_exec(db, "select 1", TUSK_NO_PARAMS));
    ck_assert_int_eq(tusk_conn_tx_depth(db), 0);
}
END_TEST

/* The wait has it; the statement is prepared when its turn comes. */
START_TEST(waiting_for_a_handle_has_it_too)
{
    tusk_query *script = tusk_submit(db, &(tusk_request){.sql = FOREVER, .script = true}), *ready;
    tusk_stmt *stmt;

    set_default(0.05);
    stmt = tusk_prepare(db, "select 1", NULL, 0);
    ready = tusk_stmt_ready(stmt);
    (void)tusk_await(ready);
    ck_assert_int_eq(tusk_query_error(ready)->fate, TUSK_FATE_NOT_SENT);
    ends_by_time(ready);
    tusk_query_cancel(script);
    tusk_query_free(script);
    is_fine_by_now(tusk_stmt_ready(stmt));
    is_fine(tusk_stmt_exec(stmt, TUSK_NO_PARAMS));
    tusk_stmt_free(stmt);
}
END_TEST

/* ---- others ---------------------------------------------------------------------------------------------------------------- */

/* Longer than the connection's: by a timeout of its own, or TUSK_NONE. */
START_TEST(a_deadline_of_its_own_wins)
{
    tusk_query *q = tusk_submit(db, &(tusk_request){.sql = "select pg_sleep(0.2)", .timeout = _i ? TUSK_NONE : 600});

    (void)tusk_await(q);
    ck_ok(q);
    tusk_query_free(q);
    q = tusk_submit(db, &(tusk_request){.sql = FOREVER, .timeout = 0.001});
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_TIMEOUT);
    ck_assert_str_eq(tusk_query_error(q)->message, "no complete answer within 0.001 s");
    ck_assert_str_eq(tusk_query_error(q)->hint, "");
    tusk_query_free(q);
}
END_TEST

START_TEST(without_one_there_is_none)
{
    tusk_query *q;

    live_loop_up();
    connect_with((tusk_config){.command_timeout = _i ? TUSK_NONE : 0});
    q = tusk_exec(db, "select pg_sleep(0.2)", TUSK_NO_PARAMS);
    (void)tusk_await(q);
    ck_ok(q);
    tusk_query_free(q);
    live_down();
}
END_TEST

/* A service file is read off the loop: what is submitted meanwhile does not know yet that it has a deadline. */
START_TEST(a_configuration_that_comes_later_counts_for_what_was_submitted_before)
{
    const char *path = textf("%s/command_timeout.conf", harness_env("TUSK_TEST_DIR"));
    FILE *file = fopen(path, "w");
    tusk_query *with, *own;

    ck_assert_ptr_nonnull(file);
    fputs("[timed]\ncommand_timeout=0.05\n", file);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(setenv("PGSERVICEFILE", path, 1), 0);
    live_loop_up();
    connect_with((tusk_config){.service = "timed"});
    own = tusk_submit(db, &(tusk_request){.sql = "select pg_sleep(0.2)", .timeout = TUSK_NONE});
    with = tusk_exec(db, FOREVER, TUSK_NO_PARAMS);
    ends_by_time(with);
    (void)tusk_await(own);
    ck_ok(own);
    tusk_query_free(own);
    live_down();
    ck_assert_int_eq(unsetenv("PGSERVICEFILE"), 0);
    ck_assert_int_eq(remove(path), 0);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("command_timeout_live");
    TCase *tcase = tcase_create("a connection with one");

    tcase_add_checked_fixture(tcase, up, live_down);
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, whatever_brings_no_deadline_has_the_connections, 0, N_OF(asks));
    tcase_add_test(tcase, batch_of_a_cursor_has_it_too);
    tcase_add_loop_test(tcase, a_deadline_of_its_own_wins, 0, 2);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("transactions");
    tcase_add_checked_fixture(tcase, plain_up, live_down);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, a_commit_that_takes_too_long_is_of_unknown_fate);
    tcase_add_loop_test(tcase, an_end_whose_time_is_over_before_it_is_sent_ends_nothing, 0, 2);
    tcase_add_loop_test(tcase, a_begin_whose_time_is_over_takes_its_end_with_it, 0, 2);
    tcase_add_test(tcase, waiting_for_a_handle_has_it_too);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("others");
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, without_one_there_is_none, 0, 2);
    tcase_add_test(tcase, a_configuration_that_comes_later_counts_for_what_was_submitted_before);
    suite_add_tcase(suite, tcase);
    return suite;
}
