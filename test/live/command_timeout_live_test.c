/* command_timeout: what brings no deadline of its own has the connection's, whatever it is, and also if the configuration came later than
 * the request.
 * Read first: tusk/config.h, test/live/deadline_live_test.c. */
#include "test/live/live.h"

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

static tusk_query *ask_script(void)
{
    return tusk_script(db, FOREVER);
}

static tusk_query *ask_text(void)
{
    return tusk_exec(db, FOREVER, TUSK_NO_PARAMS);
}

static tusk_query *(*const asks[])(void) = {ask_text, ask_handle, ask_script, ask_stack, ask_load};

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

START_TEST(batch_of_a_cursor_has_the_cursors_own)
{
    tusk_query *begin = tusk_begin(db, NULL);
    tusk_cursor *cursor = tusk_cursor_open(db, &(tusk_cursor_request){.sql = FOREVER, .timeout = 0.01});
    tusk_row row;

    ck_assert(!tusk_cursor_next_row(cursor, &row));
    ck_assert_int_eq(tusk_cursor_error(cursor)->code, TUSK_ERR_TIMEOUT);
    ck_assert_str_eq(tusk_cursor_error(cursor)->message, "no complete answer within 0.01 s");
    ck_assert_str_eq(tusk_cursor_error(cursor)->hint, "");
    tusk_query_free(begin);
    tusk_cursor_free(cursor);
}
END_TEST

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
    tcase_add_test(tcase, batch_of_a_cursor_has_the_cursors_own);
    tcase_add_loop_test(tcase, a_deadline_of_its_own_wins, 0, 2);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("others");
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, without_one_there_is_none, 0, 2);
    tcase_add_test(tcase, a_configuration_that_comes_later_counts_for_what_was_submitted_before);
    suite_add_tcase(suite, tcase);
    return suite;
}
