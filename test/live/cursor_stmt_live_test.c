/* Cursors over prepared statements: nothing is parsed again, and what the server has lost, altered or cannot send in binary is told and learned
 * as it is of a run.
 * Read first: docs/internals/cursor.md, test/live/cursor_live_test.c. */
#include "test/live/live.h"

#include "test/harness/fail_os.h"

static fail_os world;
static ssize_t (*real_send)(void *ctx, int fd, const void *buf, size_t len);
static int n_parsed;

/* A send of these tests is of whole messages. */
static ssize_t reading_send(void *ctx, int fd, const void *buf, size_t len)
{
    const uint8_t *at = buf;

    for (size_t i = 0; i + 5 <= len; i += 1 + ((size_t)at[i + 3] << 8 | at[i + 4]))
        n_parsed += at[i] == 'P';
    return real_send(ctx, fd, buf, len);
}

static tusk_stmt *stmt;

static void prepare(const char *sql)
{
    tusk_stmt_free(stmt);
    stmt = tusk_prepare(db, sql, NULL, 0);
    ck_assert_ptr_nonnull(stmt);
}

static void up(void)
{
    live_fds = harness_open_fds();
    fail_os_init(&world, OS_SEND, 0, 0, false);
    real_send = world.os.send;
    world.os.send = reading_send;
    loop = tusk__loop_open_on(&world.os, &(tusk_loop_config){0}, NULL);
    ck_assert_ptr_nonnull(loop);
    db = connect_plain();
    ck_usable(db);
    stmt = NULL;
}

static void down(void)
{
    tusk_stmt_free(stmt);
    live_down();
}

static tusk_cursor *open_on(int from, int to)
{
    tusk_cursor *cursor = tusk_cursor_open(
        db, &(tusk_cursor_request){.stmt = stmt, .params = TUSK_PARAMS(tusk_int4(from), tusk_int4(to))});

    ck_assert_ptr_nonnull(cursor);
    return cursor;
}

#define SERIES "select n, 'row ' || n from generate_series($1::int4, $2::int4) n"

static void ck_walk(tusk_cursor *cursor, int from, int to)
{
    tusk_row row;

    for (int n = from; n <= to; n++) {
        ck_assert_msg(tusk_cursor_next_row(cursor, &row), "%d: %s", n, said(tusk_cursor_error(cursor)));
        ck_assert_int_eq(tusk_get_int4(&row, 0), n);
        ck_assert(tusk_str_is(tusk_get_text(&row, 1), textf("row %d", n)));
    }
    ck_assert(!tusk_cursor_next_row(cursor, &row));
    ck_assert_msg(tusk_cursor_error(cursor)->code == TUSK_OK, "%s", said(tusk_cursor_error(cursor)));
}

/* Two at once, of the same statement, with values of their own; also while it is being prepared, and after it was closed. */
START_TEST(rows_come_by_the_statement_that_was_prepared)
{
    tusk_cursor *one, *two;
    tusk_query *begin;

    prepare(SERIES);
    if (_i & 1)
        ck_assert_int_eq(tusk_await_free(tusk_stmt_ready(stmt), NULL), TUSK_OK);
    n_parsed = 0;
    begin = tusk_begin(db, NULL);
    one = open_on(1, 3000);
    two = open_on(7, 9);
    if (_i & 2) {
        tusk_stmt_free(stmt);
        stmt = NULL;
    }
    ck_walk(two, 7, 9);
    ck_walk(one, 1, 3000);
    ck_assert_int_eq(n_parsed, _i & 1 ? 1 : 2); /* BEGIN's, and tusk_prepare()'s */
    tusk_cursor_free(one);
    tusk_cursor_free(two);
    tusk_query_free(begin);
    ck_assert_int_eq(tusk_await_free(tusk_commit(db), NULL), TUSK_OK);
    ck_usable(db);
}
END_TEST

START_TEST(batches_and_moves_go_as_with_a_text)
{
    tusk_cursor *cursor;
    tusk_query *q, *begin;
    tusk_row row;

    prepare(SERIES);
    begin = tusk_begin(db, NULL);
    cursor = open_on(1, 100);
    q = tusk_cursor_fetch(cursor, 2);
    ck_assert_int_eq(tusk_await(q), TUSK_OK);
    ck_assert_uint_eq(tusk_query_n_rows(q), 2);
    tusk_query_free(q);
    q = tusk_cursor_move(cursor, 10);
    ck_assert_int_eq(tusk_await(q), TUSK_OK);
    ck_assert_int_eq(tusk_query_rows_affected(q), 10);
    tusk_query_free(q);
    q = tusk_cursor_fetch(cursor, 1);
    ck_assert_int_eq(tusk_await(q), TUSK_OK);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_int_eq(tusk_get_int4(&row, 0), 13);
    tusk_query_free(q);
    ck_assert_int_eq(tusk_await_free(tusk_cursor_close(cursor), NULL), TUSK_OK);
    tusk_cursor_free(cursor);
    tusk_query_free(begin);
    ck_assert_int_eq(tusk_await_free(tusk_rollback(db), NULL), TUSK_OK);
}
END_TEST

/* ---- mishaps ---------------------------------------------------------------------------------------------------------------- */

static tusk_error first_of(int32_t *value)
{
    tusk_query *begin = tusk_begin(db, NULL);
    tusk_cursor *cursor = tusk_cursor_open(db, &(tusk_cursor_request){.stmt = stmt});
    tusk_error err;
    tusk_row row;

    if (tusk_cursor_next_row(cursor, &row))
        *value = tusk_get_raw(&row, 0).len > 0;
    err = *tusk_cursor_error(cursor);
    tusk_cursor_free(cursor);
    tusk_query_free(begin);
    ck_assert_int_eq(tusk_await_free(tusk_rollback(db), NULL), TUSK_OK);
    return err;
}

static const struct {
    const char *between, *sqlstate;
} mishaps[] = {
    {"do $$ begin execute 'deallocate all'; end $$", "26000"},
    {"alter table cursor_altered alter a type float4", "0A000"},
    {"deallocate all", NULL}, /* seen by its tag: it is not even tried */
};

/* Inside a transaction nothing is repeated: it is told, and the next try goes well, by a text and then by the handle again. */
START_TEST(what_is_lost_or_altered_is_told_and_the_next_one_is_well)
{
    tusk_error err;
    int32_t has_value = 0;

    run_on(db, "drop table if exists cursor_altered");
    run_on(db, "create table cursor_altered as select 1::int4 a");
    prepare("select a from cursor_altered");
    err = first_of(&has_value);
    ck_assert_msg(err.code == TUSK_OK && has_value, "%s", said(&err));
    run_on(db, mishaps[_i].between);
    if (mishaps[_i].sqlstate) {
        err = first_of(&has_value);
        ck_assert_msg(strcmp(err.sqlstate, mishaps[_i].sqlstate) == 0, "%s", said(&err));
        ck_assert_int_eq(err.retry, TUSK_RETRY_TRANSACTION);
    }
    for (int i = 0; i < 3; i++) {
        has_value = 0;
        err = first_of(&has_value);
        ck_assert_msg(err.code == TUSK_OK && has_value, "%s", said(&err));
        if (i == 1)
            ck_assert_int_eq(tusk_await_free(tusk_stmt_exec(stmt, TUSK_NO_PARAMS), NULL), TUSK_OK);
    }
    run_on(db, "drop table cursor_altered");
}
END_TEST

/* A type without binary output, as the handle learns from the rows. */
START_TEST(a_type_without_binary_output_is_learned_by_the_handle)
{
    tusk_error err;
    int32_t has_value = 0;

    run_on(db, "drop type if exists cursor_pair");
    run_on(db, "create type cursor_pair as (a aclitem)");
    prepare("select row('=r/drv')::cursor_pair");
    err = first_of(&has_value);
    ck_assert_msg(strcmp(err.sqlstate, "42883") == 0 && err.retry == TUSK_RETRY_TRANSACTION, "%s", said(&err));
    err = first_of(&has_value);
    ck_assert_msg(err.code == TUSK_OK && has_value, "%s", said(&err));
    run_on(db, "drop type cursor_pair");
}
END_TEST

/* ---- mistakes --------------------------------------------------------------------------------------------------------------- */

static void is_refused(const tusk_cursor_request *request, tusk_code code, const char *text)
{
    tusk_cursor *cursor = tusk_cursor_open(db, request);
    tusk_row row;

    ck_assert(!tusk_cursor_next_row(cursor, &row));
    ck_assert_msg(tusk_cursor_error(cursor)->code == code && strstr(tusk_cursor_error(cursor)->message, text), "%s",
                  said(tusk_cursor_error(cursor)));
    ck_assert_int_eq(tusk_cursor_error(cursor)->fate, TUSK_FATE_NOT_SENT);
    tusk_cursor_free(cursor);
}

START_TEST(what_does_not_go_with_a_handle_is_refused)
{
    tusk_conn *other = connect_plain();
    tusk_stmt *foreign = tusk_prepare(other, "select 1", NULL, 0), *wrong = tusk_prepare(db, "select nothing", NULL, 0),
              *copy = tusk_prepare(db, "copy (select 1) to stdout", NULL, 0);

    prepare("select 1");
    is_refused(&(tusk_cursor_request){0}, TUSK_ERR_USAGE, "neither sql nor stmt");
    is_refused(&(tusk_cursor_request){.stmt = stmt, .sql = "select 1"}, TUSK_ERR_USAGE, "together with sql");
    is_refused(&(tusk_cursor_request){.stmt = stmt, .hold = true}, TUSK_ERR_USAGE, "DECLARE");
    is_refused(&(tusk_cursor_request){.stmt = stmt, .scroll = true}, TUSK_ERR_USAGE, "DECLARE");
    is_refused(&(tusk_cursor_request){.stmt = stmt, .args = TUSK_ARGS({"a", tusk_int4(1)})}, TUSK_ERR_USAGE, "number");
    is_refused(&(tusk_cursor_request){.stmt = foreign}, TUSK_ERR_USAGE, "another connection");
    is_refused(&(tusk_cursor_request){.stmt = copy}, TUSK_ERR_USAGE, "COPY");
    is_refused(&(tusk_cursor_request){.stmt = wrong}, TUSK_ERR_SERVER, "nothing");
    is_refused(&(tusk_cursor_request){.stmt = stmt, .params = TUSK_PARAMS(tusk_int4(1))}, TUSK_ERR_USAGE,
               "takes 0 parameters, not 1");
    ck_assert_int_eq(tusk_await_free(tusk_stmt_close(stmt), NULL), TUSK_OK);
    is_refused(&(tusk_cursor_request){.stmt = stmt}, TUSK_ERR_STATE, "closed");
    tusk_stmt_free(foreign);
    tusk_stmt_free(wrong);
    tusk_stmt_free(copy);
    disconnect(other);
    ck_usable(db);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("cursor_stmt_live");
    TCase *tcase = tcase_create("cursor_stmt_live");

    tcase_add_checked_fixture(tcase, up, down);
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, rows_come_by_the_statement_that_was_prepared, 0, 4);
    tcase_add_test(tcase, batches_and_moves_go_as_with_a_text);
    tcase_add_loop_test(tcase, what_is_lost_or_altered_is_told_and_the_next_one_is_well, 0, N_OF(mishaps));
    tcase_add_test(tcase, a_type_without_binary_output_is_learned_by_the_handle);
    tcase_add_test(tcase, what_does_not_go_with_a_handle_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
