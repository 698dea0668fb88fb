/* Cursors against the real server: batches, read-ahead, budgets, moves, WITH HOLD, and what goes wrong. */
#include "test/live/live.h"

#define NUMBERS "select n, repeat('x', 10) from generate_series(1, $1) n"

static tusk_cursor *open_numbers(int n, int batch_rows)
{
    tusk_cursor *cursor = tusk_cursor_open(
        db, &(tusk_cursor_request){.sql = NUMBERS, .params = TUSK_PARAMS(tusk_int4(n)), .batch_rows = batch_rows});

    ck_assert_ptr_nonnull(cursor);
    return cursor;
}

static void ck_cursor_fine(const tusk_cursor *cursor)
{
    ck_assert_msg(tusk_cursor_error(cursor)->code == TUSK_OK, "%s", said(tusk_cursor_error(cursor)));
}

/* Rows from..to of NUMBERS, as one batch. */
static void ck_batch(tusk_query *q, int from, int to)
{
    tusk_row row;

    ck_ok(q);
    for (int n = from; n <= to; n++) {
        ck_assert(tusk_next_row(q, &row));
        ck_assert_int_eq(tusk_get_int4(&row, 0), n);
        ck_assert(tusk_str_is(tusk_get_text(&row, 1), "xxxxxxxxxx"));
    }
    ck_assert(!tusk_next_row(q, &row));
    tusk_query_free(q);
}

static int64_t n_portals(void)
{
    return number("select count(*) from pg_cursors where name like 'tusk%'");
}

/* ---- row by row ------------------------------------------------------------------------------------------------------------------ */

static const struct {
    int n_rows, batch_rows;
} walks[] = {{0, 0}, {1, 1}, {7, 1}, {49, 0}, {50, 0}, {51, 50}, {100, 50}, {3000, 1000}, {20000, 0}, {3, 1000000}};

START_TEST(rows_come_one_by_one_whatever_the_batch)
{
    tusk_cursor *cursor;
    tusk_row row;
    int n = 0;

    run("begin");
    cursor = open_numbers(walks[_i].n_rows, walks[_i].batch_rows);
    while (tusk_cursor_next_row(cursor, &row))
        ck_assert_int_eq(tusk_get_int4(&row, 0), ++n);
    ck_cursor_fine(cursor);
    ck_assert_int_eq(n, walks[_i].n_rows);
    ck_assert(!tusk_cursor_next_row(cursor, &row)); /* the end stays the end */
    ck_assert_int_eq(n_portals(), 1);
    tusk_cursor_free(cursor);
    ck_assert_int_eq(n_portals(), 0);
    run("commit");
}
END_TEST

/* The next batch is asked for before the first row of this one is handed out: it comes while its caller works. */
START_TEST(next_batch_is_on_its_way_while_the_caller_works)
{
    tusk_cursor *cursor;
    tusk_query *q;
    tusk_row row;

    run("create temp sequence seen");
    run("begin");
    cursor = tusk_cursor_open(
        db, &(tusk_cursor_request){.sql = "select nextval('seen') from generate_series(1, 1000)", .batch_rows = 10});
    ck_assert(tusk_cursor_next_row(cursor, &row));
    ck_assert_int_eq(tusk_get_int8(&row, 0), 1);
    q = tusk_exec(db, "select last_value from seen", TUSK_NO_PARAMS);
    ck_assert(tusk_query_scalar(q, &row, NULL) == TUSK_OK);
    ck_assert_int_eq(tusk_get_int8(&row, 0), 20);
    tusk_query_free(q);
    tusk_cursor_free(cursor);
    run("commit");
}
END_TEST

/* Wide rows make small batches: seen by how far the server has come when the caller has only begun. */
START_TEST(batches_follow_a_budget_of_bytes)
{
    tusk_cursor *cursor;
    tusk_query *q;
    tusk_row row;
    int64_t n_seen, n = 0;

    run("create temp sequence wide");
    run("begin");
    cursor = tusk_cursor_open(
        db, &(tusk_cursor_request){.sql = "select nextval('wide'), repeat('x', 10000) from generate_series(1, 1000)",
                                   .batch_bytes = 100000});
    while (n < 51 && tusk_cursor_next_row(cursor, &row))
        ck_assert_int_eq(tusk_get_int8(&row, 0), ++n);
    q = tusk_exec(db, "select last_value from wide", TUSK_NO_PARAMS);
    ck_assert(tusk_query_scalar(q, &row, NULL) == TUSK_OK);
    n_seen = tusk_get_int8(&row, 0); /* 50, then twice as many as fit into the budget */
    ck_assert_int_ge(n_seen, 60);
    ck_assert_int_le(n_seen, 70);
    tusk_query_free(q);
    while (tusk_cursor_next_row(cursor, &row))
        ck_assert_int_eq(tusk_get_int8(&row, 0), ++n);
    ck_assert_int_eq(n, 1000);
    tusk_cursor_free(cursor);
    run("commit");
}
END_TEST

/* 50, then the other 950 small ones and as many large ones as are left of a batch of 1000 small ones: together they are larger than what may
 * be kept of a result. How much lies here is told by the allocator, block by block. */
enum { N_LARGE = 30, LARGE = 2 * 1024 * 1024 };

static size_t sizes_now, sizes_peak;

static void *sized(void *block, size_t size)
{
    size_t *head = block;

    if (!head)
        return NULL;
    *head = size;
    sizes_now += size;
    if (sizes_now > sizes_peak)
        sizes_peak = sizes_now;
    return (char *)block + 16;
}

static void *sized_malloc(size_t size, void *user)
{
    (void)user;
    return sized(malloc(size + 16), size);
}

static void sized_free(void *block, void *user)
{
    (void)user;
    if (!block)
        return;
    sizes_now -= *(size_t *)(void *)((char *)block - 16);
    free((char *)block - 16);
}

static void *sized_realloc(void *block, size_t size, void *user)
{
    if (!block)
        return sized_malloc(size, user);
    sizes_now -= *(size_t *)(void *)((char *)block - 16);
    return sized(realloc((char *)block - 16, size + 16), size);
}

static const tusk_allocator sizing = {.malloc = sized_malloc, .realloc = sized_realloc, .free = sized_free};

START_TEST(batch_whose_rows_grow_all_at_once_stays_within_its_budget)
{
    tusk_loop *sizing_loop = tusk_loop_open(&(tusk_loop_config){.allocator = &sizing}, NULL);
    tusk_conn *conn = tusk_connect(sizing_loop, harness_env("TUSK_TEST_DSN_PLAIN"));
    tusk_cursor *cursor;
    tusk_row row;
    int n = 0;

    run_on(conn, "begin");
    cursor = tusk_cursor_open(
        conn, &(tusk_cursor_request){.sql = "select n, repeat('x', case when n <= 1000 then 10 else $1 end) "
                                            "from generate_series(1, 1000 + $2) n",
                                     .params = TUSK_PARAMS(tusk_int4(LARGE), tusk_int4(N_LARGE)),
                                     .hold = _i,
                                     .max_result_bytes = 16 * LARGE});
    sizes_peak = sizes_now;
    while (tusk_cursor_next_row(cursor, &row)) {
        ck_assert_int_eq(tusk_get_int4(&row, 0), ++n);
        ck_assert_uint_eq(tusk_get_text(&row, 1).len, n <= 1000 ? 10 : LARGE);
    }
    ck_cursor_fine(cursor);
    ck_assert_int_eq(n, 1000 + N_LARGE);
    ck_assert_msg(sizes_peak < 4 * LARGE, "%zu bytes",
                  sizes_peak); /* the row, the next one, and what a chunk may double to */
    tusk_cursor_free(cursor);
    run_on(conn, "commit");
    tusk_conn_free(conn);
    tusk_loop_free(sizing_loop);
    ck_assert_uint_eq(sizes_now, 0);
}
END_TEST

/* What is submitted while a large batch waits at the server does not wait for its rows: they are taken in. In the unit of BEGIN, too,
 * whose end it waits for without anything of it being sent. */
START_TEST(others_do_not_wait_behind_a_batch_that_waits)
{
    tusk_query *begin = tusk_begin(db, NULL), *other;
    tusk_cursor *cursor;
    tusk_row row;
    int n = 0;

    if (_i == 0)
        ck_ok(begin);
    cursor = tusk_cursor_open(
        db, &(tusk_cursor_request){.sql = "select n, repeat('x', 50000) from generate_series(1, 500) n"});
    while (tusk_cursor_next_row(cursor, &row)) {
        ck_assert_int_eq(tusk_get_int4(&row, 0), ++n);
        ck_assert_uint_eq(tusk_get_text(&row, 1).len, 50000);
        if (n != 1 && n != 60)
            continue;
        other = tusk_exec(db, "select 1",
                          TUSK_NO_PARAMS); /* not awaited: whoever turns the loop, and for whatever reason */
        while (!tusk_query_is_done(other))
            turn(TUSK_NONE);
        ck_ok(other);
        tusk_query_free(other);
    }
    ck_cursor_fine(cursor);
    ck_assert_int_eq(n, 500);
    tusk_cursor_free(cursor);
    tusk_query_free(begin);
    ck_assert_int_eq(tusk_await_free(tusk_commit(db), NULL), TUSK_OK);
}
END_TEST

static void let_go(void *user)
{
    tusk_cursor **cursor = user;

    tusk_cursor_free(*cursor);
    *cursor = NULL;
}

/* It is a request like any other, and nobody but its caller can move it. */
START_TEST(batch_that_waits_for_its_caller_ends_the_loop_when_it_is_let_go)
{
    tusk_cursor *cursor;
    tusk_row row;

    run("begin");
    cursor = tusk_cursor_open(
        db, &(tusk_cursor_request){.sql = "select n, repeat('x', 50000) from generate_series(1, 500) n"});
    for (int n = 1; n <= 51; n++) { /* into the second batch, of which more than is kept is at the server */
        ck_assert(tusk_cursor_next_row(cursor, &row));
        ck_assert_int_eq(tusk_get_int4(&row, 0), n);
    }
    ck_assert_ptr_nonnull(tusk_timer_start(loop, 0, let_go, &cursor));
    ck_assert_int_eq(tusk_loop_run(loop, NULL), TUSK_OK);
    ck_assert_ptr_null(cursor);
    run("commit");
    ck_usable(db);
}
END_TEST

/* ---- by hand --------------------------------------------------------------------------------------------------------------------- */

START_TEST(batches_and_moves_leave_in_order_and_in_one_flight)
{
    tusk_query *begin = tusk_exec(db, "begin", TUSK_NO_PARAMS), *move, *first, *second, *rest;
    tusk_cursor *cursor = open_numbers(30, 0);

    first = tusk_cursor_fetch(cursor, 5);
    move = tusk_cursor_move(cursor, 10);
    second = tusk_cursor_fetch(cursor, 5);
    rest = tusk_cursor_fetch(cursor, 100);
    ck_batch(first, 1, 5);
    ck_ok(move);
    ck_assert_int_eq(tusk_query_rows_affected(move), 10);
    ck_batch(second, 16, 20);
    ck_batch(rest, 21, 30);
    tusk_query_free(move);
    tusk_query_free(begin);
    ck_cursor_fine(cursor);
    tusk_cursor_free(cursor);
    run("commit");
}
END_TEST

static void ck_end(tusk_query *q, size_t n_rows, const char *tag, int64_t affected)
{
    ck_ok(q);
    ck_assert_uint_eq(tusk_query_n_rows(q), n_rows);
    ck_assert_msg(tusk_str_is(tusk_query_tag(q), tag), "%.*s", TUSK_STR_ARG(tusk_query_tag(q)));
    ck_assert_int_eq(tusk_query_rows_affected(q), affected);
    tusk_query_free(q);
}

/* The server's own, which says nothing behind a batch but that there may be more. */
START_TEST(batch_has_a_tag_only_where_the_server_gives_one)
{
    tusk_cursor *cursor;

    run("begin");
    cursor =
        tusk_cursor_open(db, &(tusk_cursor_request){.sql = NUMBERS, .params = TUSK_PARAMS(tusk_int4(12)), .hold = _i});
    ck_end(tusk_cursor_fetch(cursor, 5), 5, _i ? "FETCH 5" : "", _i ? 5 : -1);
    ck_end(tusk_cursor_fetch(cursor, 5), 5, _i ? "FETCH 5" : "", _i ? 5 : -1);
    ck_end(tusk_cursor_fetch(cursor, 5), 2, _i ? "FETCH 2" : "SELECT 2", 2);
    ck_end(tusk_cursor_fetch(cursor, 5), 0, _i ? "FETCH 0" : "SELECT 0", 0);
    tusk_cursor_free(cursor);
    run("commit");
}
END_TEST

START_TEST(scrolling_cursor_goes_back)
{
    tusk_cursor *cursor;
    tusk_query *move;

    run("begin");
    cursor = tusk_cursor_open(
        db, &(tusk_cursor_request){.sql = NUMBERS, .params = TUSK_PARAMS(tusk_int4(10)), .scroll = true});
    ck_batch(tusk_cursor_fetch(cursor, 5), 1, 5);
    move = tusk_cursor_move(cursor, -3);
    ck_ok(move);
    ck_assert_int_eq(tusk_query_rows_affected(move), 3);
    tusk_query_free(move);
    ck_batch(tusk_cursor_fetch(cursor, 5), 3, 7);
    tusk_cursor_free(cursor);
    run("commit");
}
END_TEST

START_TEST(two_cursors_are_two)
{
    tusk_cursor *a, *b;
    tusk_row row;

    run("begin");
    a = open_numbers(100, 10);
    b = open_numbers(100, 7);
    for (int n = 1; n <= 100; n++) {
        ck_assert(tusk_cursor_next_row(a, &row));
        ck_assert_int_eq(tusk_get_int4(&row, 0), n);
        ck_assert(tusk_cursor_next_row(b, &row));
        ck_assert_int_eq(tusk_get_int4(&row, 0), n);
    }
    tusk_cursor_free(a);
    tusk_cursor_free(b);
    run("commit");
}
END_TEST

/* A small number would be the one that another client behind the same pooler has, too. Without a cache nothing else has drawn it. */
START_TEST(names_begin_anywhere_also_behind_a_cursor)
{
    tusk_stmt *stmt;

    disconnect(db);
    db = tusk_conn_open(loop,
                        &(tusk_config){.dsn = harness_env("TUSK_TEST_DSN_PLAIN"), .statement_cache_size = TUSK_NONE});
    ck_assert_ptr_nonnull(db);
    run("begin");
    tusk_cursor_free(open_numbers(100, 10));
    stmt = tusk_prepare(db, "select 1", NULL, 0);
    ck_assert_ptr_nonnull(stmt);
    ck_assert_int_eq(number("select count(*) from pg_prepared_statements where name like 'tusk%'"), 1);
    ck_assert_int_eq(number("select count(*) from pg_prepared_statements where name ~ '^tusk_.{1,4}$'"), 0);
    tusk_stmt_free(stmt);
    run("commit");
}
END_TEST

/* ---- by name --------------------------------------------------------------------------------------------------------------------- */

static tusk_cursor_request by_name(const char *sql, tusk_args args)
{
    return (tusk_cursor_request){.sql = sql, .args = args, .hold = true};
}

START_TEST(values_go_by_name_too)
{
    tusk_named *named = tusk_named_parse(tusk_str_of("select n from generate_series(:from, :to) n"), NULL, NULL);
    tusk_cursor_request request = by_name(NULL, TUSK_ARGS({"to", tusk_int4(9)}, {"from", tusk_int4(3)}));
    tusk_cursor *cursor;
    tusk_row row;
    int n = 3;

    if (_i == 0)
        request.sql = "select n from generate_series(:from, :to) n";
    else
        request.named = named;
    cursor = tusk_cursor_open(db, &request);
    tusk_named_free(named); /* the cursor has its own */
    for (; tusk_cursor_next_row(cursor, &row); n++)
        ck_assert_int_eq(tusk_get_int4(&row, 0), n);
    ck_cursor_fine(cursor);
    ck_assert_int_eq(n, 10);
    tusk_cursor_free(cursor);
}
END_TEST

START_TEST(position_of_an_error_is_one_in_the_text_with_names)
{
    tusk_cursor_request request =
        by_name("select :a_long_name::int4 + nosuch", TUSK_ARGS({"a_long_name", tusk_int4(9)}));
    tusk_cursor *cursor = tusk_cursor_open(db, &request);
    tusk_row row;

    ck_assert(!tusk_cursor_next_row(cursor, &row));
    ck_assert_str_eq(tusk_cursor_error(cursor)->sqlstate, "42703");
    ck_assert_int_eq(tusk_cursor_error(cursor)->position, 29);
    ck_assert_ptr_nonnull(strstr(tusk_cursor_error(cursor)->where, ":a_long_name"));
    tusk_cursor_free(cursor);
}
END_TEST

START_TEST(batch_has_the_bound_that_was_given)
{
    tusk_cursor *cursor;
    tusk_query *q;

    run("begin");
    cursor =
        tusk_cursor_open(db, &(tusk_cursor_request){.sql = "select repeat('x', 1000) from generate_series(1, 1000)",
                                                    .max_result_bytes = 100000});
    q = tusk_cursor_fetch(cursor, 10);
    ck_ok(q);
    tusk_query_free(q);
    ck_assert_int_eq(tusk_await_free(tusk_cursor_fetch(cursor, 500), NULL), TUSK_ERR_LIMIT);
    tusk_cursor_free(cursor);
    run("commit");
}
END_TEST

/* ---- portals --------------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *sql;
    int n_rows;
} with_rows[] = {
    {"values (1), (2), (3)", 3},
    {"table cursor_rows", 0},
    {"insert into cursor_rows select generate_series(1, 100) returning n", 100},
    {"with moved as (insert into cursor_rows select generate_series(1, 30) returning n) select n from moved", 30},
    {"explain select 1", 1},
    {"show server_version", 1},
    {"call pg_temp.cursor_procedure(1, 0)", 1},
    {"insert into cursor_rows values (1)", 0}, /* no rows: run by the first fetch */
};

/* Everything that has rows can be fetched, in parts. */
START_TEST(every_statement_with_rows_has_a_cursor)
{
    tusk_cursor *cursor;
    tusk_row row;
    int n = 0;

    run("create temp table cursor_rows (n int4)");
    run("create or replace procedure pg_temp.cursor_procedure(a int, inout b int) language sql as 'select a + 1'");
    run("begin");
    cursor = tusk_cursor_open(db, &(tusk_cursor_request){.sql = with_rows[_i].sql, .batch_rows = 7});
    while (tusk_cursor_next_row(cursor, &row))
        n++;
    ck_cursor_fine(cursor);
    ck_assert_int_eq(n, with_rows[_i].n_rows);
    tusk_cursor_free(cursor);
    ck_assert_int_eq(n_portals(), 0);
    run("commit");
    if (strncmp(with_rows[_i].sql, "insert", 6) == 0)
        ck_assert_int_eq(number("select count(*) from cursor_rows"), n ? n : 1);
}
END_TEST

START_TEST(rows_of_a_portal_are_passed_over_too)
{
    tusk_cursor *cursor;
    tusk_query *move;

    run("create temp table cursor_rows (n int4, t text)");
    run("begin");
    cursor =
        tusk_cursor_open(db, &(tusk_cursor_request){.sql = "insert into cursor_rows select n, repeat('x', 10) from "
                                                           "generate_series(1, 30) n returning n, t"});
    ck_batch(tusk_cursor_fetch(cursor, 5), 1, 5);
    move = tusk_cursor_move(cursor, 20);
    ck_ok(move);
    ck_assert_int_eq(tusk_query_rows_affected(move), 20);
    tusk_query_free(move);
    ck_batch(tusk_cursor_fetch(cursor, 10), 26, 30);
    ck_batch(tusk_cursor_fetch(cursor, 10), 31, 30); /* the end stays the end */
    tusk_cursor_free(cursor);
    run("commit");
}
END_TEST

/* BEGIN, the opening, two batches, the closing and COMMIT: one unit, one flight; and what stands behind a failing part of it is not run. */
START_TEST(cursor_shares_the_flight_of_its_transaction)
{
    tusk_query *begin = tusk_begin(db, NULL), *first, *second, *close, *commit;
    tusk_cursor *cursor = open_numbers(20, 0);

    first = tusk_cursor_fetch(cursor, _i ? 1000000 : 5);
    second = tusk_cursor_fetch(cursor, 30);
    close = tusk_cursor_close(cursor);
    commit = tusk_commit(db);
    ck_ok(begin);
    ck_batch(first, 1, _i ? 20 : 5);
    ck_batch(second, _i ? 21 : 6, 20);
    ck_ok(close);
    ck_ok(commit);
    ck_cursor_fine(cursor);
    tusk_query_free(begin);
    tusk_query_free(close);
    tusk_query_free(commit);
    tusk_cursor_free(cursor);
}
END_TEST

static void is_not_run(tusk_query *q)
{
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_assert_str_eq(tusk_query_error(q)->sqlstate, "25P02");
    ck_assert_ptr_nonnull(strstr(tusk_query_error(q)->message, "not run: open \"select nosuch\" failed before it"));
    tusk_query_free(q);
}

START_TEST(opening_that_fails_ends_what_is_behind_it_in_the_unit)
{
    tusk_query *begin = tusk_begin(db, NULL), *fetch, *other;
    tusk_cursor *cursor = tusk_cursor_open(db, &(tusk_cursor_request){.sql = "select nosuch"});
    tusk_error err = {0};

    fetch = tusk_cursor_fetch(cursor, 5);
    other = tusk_exec(db, "select 1", TUSK_NO_PARAMS);
    ck_ok(begin);
    is_not_run(fetch);
    is_not_run(other);
    ck_assert_str_eq(tusk_cursor_error(cursor)->sqlstate, "42703");
    ck_assert_int_eq(tusk_await_free(tusk_commit(db), &err), TUSK_ERR_ROLLED_BACK);
    tusk_query_free(begin);
    tusk_cursor_free(cursor);
    ck_usable(db);
}
END_TEST

START_TEST(savepoint_that_is_undone_takes_the_cursor_with_it)
{
    tusk_cursor *cursor;
    tusk_error err = {0};

    run("begin");
    run("savepoint s");
    cursor = open_numbers(10, 0);
    ck_batch(tusk_cursor_fetch(cursor, 3), 1, 3);
    run("rollback to s");
    ck_assert_int_eq(tusk_await_free(tusk_cursor_fetch(cursor, 1), &err), TUSK_ERR_SERVER);
    ck_assert_str_eq(err.sqlstate, "34000");
    tusk_cursor_free(cursor);
    run("rollback");
}
END_TEST

/* A type without binary output: in a transaction nothing can be repeated, but the next try knows. */
START_TEST(column_without_binary_output_is_learned)
{
    static const char sql[] = "select '=r/drv'::aclitem, n from generate_series(1, 100) n";
    tusk_cursor *cursor;
    tusk_row row;
    int n = 0;

    run("begin");
    cursor = tusk_cursor_open(db, &(tusk_cursor_request){.sql = sql, .text_results = _i});
    if (!_i) {
        ck_assert(!tusk_cursor_next_row(cursor, &row));
        ck_assert_str_eq(tusk_cursor_error(cursor)->sqlstate, "42883");
        ck_assert_int_eq(tusk_cursor_error(cursor)->retry, TUSK_RETRY_TRANSACTION);
        ck_assert_ptr_nonnull(strstr(tusk_cursor_error(cursor)->hint, "now that is known"));
        tusk_cursor_free(cursor);
        run("rollback");
        run("begin");
        cursor = tusk_cursor_open(db, &(tusk_cursor_request){.sql = sql});
    }
    while (tusk_cursor_next_row(cursor, &row)) {
        ck_assert(tusk_str_is(tusk_get_text(&row, 0), "=r/drv"));
        if (_i)
            ck_assert(tusk_str_is(tusk_get_text(&row, 1), textf("%d", ++n)));
        else
            ck_assert_int_eq(tusk_get_int4(&row, 1), ++n);
    }
    ck_cursor_fine(cursor);
    ck_assert_int_eq(n, 100);
    tusk_cursor_free(cursor);
    run("commit");
}
END_TEST

/* The formats are those of the connection before, and the columns have changed: told by the server, never misread. */
START_TEST(columns_that_have_changed_are_never_misread)
{
    static const char sql[] = "select * from cursor_altered";
    tusk_cursor *cursor;
    tusk_row row;
    double sum = 0;

    run("drop table if exists cursor_altered");
    run("create table cursor_altered as select 3::int4 a, '=r/drv'::aclitem b");
    ck_assert_int_eq(tusk_await_free(tusk_exec(db, sql, TUSK_NO_PARAMS), NULL), TUSK_OK);
    run(_i ? "alter table cursor_altered drop column b"
           : "alter table cursor_altered alter a type float4 using a + 0.5");
    disconnect(db);
    db = connect_plain(); /* what this one knows, the other has learned */
    run("begin");
    cursor = tusk_cursor_open(db, &(tusk_cursor_request){.sql = sql});
    if (_i) {
        ck_assert(!tusk_cursor_next_row(cursor, &row));
        ck_assert_int_eq(tusk_cursor_error(cursor)->retry, TUSK_RETRY_TRANSACTION);
        tusk_cursor_free(cursor);
        run("rollback");
        run("begin");
        cursor = tusk_cursor_open(db, &(tusk_cursor_request){.sql = sql});
    }
    while (tusk_cursor_next_row(cursor, &row))
        sum += _i ? (double)tusk_get_int4(&row, 0) : (double)tusk_get_float4(&row, 0);
    ck_cursor_fine(cursor);
    ck_assert_double_eq(sum, _i ? 3 : 3.5);
    tusk_cursor_free(cursor);
    run("commit");
    run("drop table cursor_altered");
}
END_TEST

/* ---- WITH HOLD ------------------------------------------------------------------------------------------------------------------- */

START_TEST(held_cursor_needs_no_transaction_and_outlives_one)
{
    tusk_cursor *cursor;
    tusk_row row;
    int n = 0;

    if (_i)
        run("begin");
    cursor = tusk_cursor_open(
        db,
        &(tusk_cursor_request){.sql = NUMBERS, .params = TUSK_PARAMS(tusk_int4(200)), .hold = true, .batch_rows = 30});
    for (; n < 40; n++)
        ck_assert(tusk_cursor_next_row(cursor, &row));
    if (_i)
        run("commit");
    while (tusk_cursor_next_row(cursor, &row))
        ck_assert_int_eq(tusk_get_int4(&row, 0), ++n);
    ck_cursor_fine(cursor);
    ck_assert_int_eq(n, 200);
    ck_assert_int_eq(n_portals(), 1);
    tusk_cursor_free(cursor);
    ck_assert_int_eq(n_portals(), 0);
    ck_usable(db);
}
END_TEST

/* Their texts come once: they must not drive out what the caller runs again and again. */
START_TEST(cursors_leave_the_statement_cache_alone)
{
    tusk_conn *conn =
        tusk_conn_open(loop, &(tusk_config){.dsn = harness_env("TUSK_TEST_DSN_PLAIN"), .statement_cache_size = 3});
    tusk_cursor *cursor;
    tusk_row row;

    run_on(conn, "select 'kept'");
    run_on(conn, "begin");
    for (int i = 0; i < 5; i++) {
        cursor = tusk_cursor_open(conn, &(tusk_cursor_request){.sql = "select generate_series(1, 100)", .hold = i % 2});
        while (tusk_cursor_next_row(cursor, &row))
            ;
        ck_cursor_fine(cursor);
        tusk_cursor_free(cursor);
    }
    ck_assert_int_eq(number_on(conn, "select count(*) from pg_prepared_statements where statement = $$select 'kept'$$"),
                     1);
    ck_assert_int_eq(
        number_on(conn, "select count(*) from pg_prepared_statements where statement ~ '^(declare|fetch)'"), 0);
    tusk_conn_free(conn);
}
END_TEST

/* ---- what goes wrong ---------------------------------------------------------------------------------------------------------------- */

/* The first one outside of a transaction: .hold is the way out. A cursor that scrolls is of a SELECT alone. */
static const struct {
    const char *sql;
    tusk_code code;
    const char *sqlstate;
    int position;
    bool scrolls;
} refused[] = {
    {"select 1", TUSK_ERR_STATE, "25P01", 0, false},
    {"select nosuch from pg_class", TUSK_ERR_SERVER, "42703", 8, false},
    {"select nosuch from pg_class", TUSK_ERR_SERVER, "42703", 8, true},
    {"insert into pg_class default values", TUSK_ERR_SERVER, "42601", 1, true},
    {"select 1; select 2", TUSK_ERR_SERVER, "42601", 0, false},
    {"", TUSK_ERR_SERVER, "42601", 0, true},
    {"", TUSK_ERR_USAGE, "42601", 0, false},
    {" ; -- nothing", TUSK_ERR_USAGE, "42601", 0, false},
    {"/* all of it */ copy pg_class to stdout", TUSK_ERR_USAGE, "42601", 0, false},
    {"commit", TUSK_ERR_USAGE, "42601", 0, false},
    {"savepoint s", TUSK_ERR_USAGE, "42601", 0, false},
    {"rollback to s", TUSK_ERR_USAGE, "42601", 0, false},
};

START_TEST(cursor_that_cannot_be_opened_says_why)
{
    tusk_cursor *cursor;
    tusk_row row;

    if (_i > 0)
        run("begin");
    cursor = tusk_cursor_open(db, &(tusk_cursor_request){.sql = refused[_i].sql, .scroll = refused[_i].scrolls});
    ck_cursor_fine(cursor); /* nothing is known yet */
    ck_assert(!tusk_cursor_next_row(cursor, &row));
    ck_assert_msg(tusk_cursor_error(cursor)->code == refused[_i].code, "%s", said(tusk_cursor_error(cursor)));
    ck_assert_str_eq(tusk_cursor_error(cursor)->sqlstate, refused[_i].sqlstate);
    if (refused[_i].position)
        ck_assert_int_eq(tusk_cursor_error(cursor)->position, refused[_i].position);
    ck_assert_int_eq(strstr(tusk_cursor_error(cursor)->hint, ".hold") != NULL, _i == 0);
    ck_assert_ptr_null(strstr(tusk_cursor_error(cursor)->where, "declare")); /* it is the caller's text that is shown */
    ck_assert(!tusk_cursor_next_row(cursor, &row));
    tusk_cursor_free(cursor);
    if (_i > 0)
        run("rollback");
    ck_usable(db);
}
END_TEST

START_TEST(error_in_the_middle_ends_the_rows)
{
    tusk_cursor *cursor;
    tusk_row row;
    int n = 0;

    run("begin");
    cursor = tusk_cursor_open(
        db, &(tusk_cursor_request){.sql = "select 1000 / (95 - n) from generate_series(1, 200) n", .batch_rows = 10});
    while (tusk_cursor_next_row(cursor, &row))
        n++;
    ck_assert_int_eq(n, 90);
    ck_assert_str_eq(tusk_cursor_error(cursor)->sqlstate, "22012");
    tusk_cursor_free(cursor);
    run("rollback");
    ck_usable(db);
}
END_TEST

/* The server has dropped it with its transaction. To close what is gone must not end the transaction that is open now. */
START_TEST(closing_what_is_gone_harms_no_transaction)
{
    tusk_cursor *cursor;
    tusk_query *closing;

    run("begin");
    cursor = open_numbers(10, 0);
    ck_batch(tusk_cursor_fetch(cursor, 3), 1, 3);
    run("commit");
    run("begin");
    if (_i) {
        closing = tusk_cursor_close(cursor);
        ck_ok(closing);
        tusk_query_free(closing);
        ck_assert_int_eq(tusk_await_free(tusk_cursor_close(cursor), NULL), TUSK_OK);
        ck_assert_int_eq(tusk_await_free(tusk_cursor_fetch(cursor, 1), NULL), TUSK_ERR_STATE);
    }
    tusk_cursor_free(cursor);
    ck_usable(db);
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IN_TRANSACTION);
    run("commit");
}
END_TEST

START_TEST(mistakes_are_told_before_anything_is_sent)
{
    tusk_cursor *cursor;
    tusk_row row;
    tusk_error err = {0};

    run("begin");
    cursor = open_numbers(10, 0);
    ck_assert_int_eq(tusk_await_free(tusk_cursor_fetch(cursor, 0), &err), TUSK_ERR_USAGE);
    ck_assert_int_eq(err.fate, TUSK_FATE_NOT_SENT);
    ck_assert_int_eq(tusk_await_free(tusk_cursor_fetch(cursor, -1), NULL), TUSK_ERR_USAGE);
    ck_assert_int_eq(tusk_await_free(tusk_cursor_move(cursor, -1), &err), TUSK_ERR_USAGE);
    ck_assert_ptr_nonnull(strstr(err.message, ".scroll"));
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IN_TRANSACTION);
    ck_assert(tusk_cursor_next_row(cursor, &row));
    ck_assert_int_eq(tusk_await_free(tusk_cursor_fetch(cursor, 1), NULL), TUSK_ERR_STATE);
    ck_assert_int_eq(tusk_await_free(tusk_cursor_move(cursor, 1), NULL), TUSK_ERR_STATE);
    tusk_cursor_free(cursor);
    run("commit");
    ck_assert_ptr_null(tusk_cursor_open(NULL, &(tusk_cursor_request){.sql = "select 1"}));
    ck_assert_ptr_null(tusk_cursor_fetch(NULL, 1));
    ck_assert_ptr_null(tusk_cursor_move(NULL, 1));
    ck_assert_ptr_null(tusk_cursor_close(NULL));
    ck_assert(!tusk_cursor_next_row(NULL, &row));
    ck_assert_int_eq(tusk_cursor_error(NULL)->code, TUSK_ERR_NOMEM);
    tusk_cursor_free(NULL);
}
END_TEST

static const tusk_arg no_name[] = {{"nosuch", {0}}};
static const tusk_value one_value[1];
static const tusk_cursor_request wrong[] = {{.sql = NULL},
                                            {.sql = "select 1", .batch_rows = -1},
                                            {.sql = "select 1", .batch_bytes = TUSK_NONE},
                                            {.sql = "select :n", .args = {no_name, 1}},
                                            {.sql = "select :nosuch", .args = {no_name, 1}, .params = {one_value, 1}}};

START_TEST(wrong_request_is_the_cursors_error)
{
    tusk_cursor *cursor = tusk_cursor_open(db, &wrong[_i]);
    tusk_row row;

    ck_assert(!tusk_cursor_next_row(cursor, &row));
    ck_assert_msg(tusk_cursor_error(cursor)->code == TUSK_ERR_USAGE, "%s", said(tusk_cursor_error(cursor)));
    ck_assert_int_eq(tusk_cursor_error(cursor)->fate, TUSK_FATE_NOT_SENT);
    tusk_cursor_free(cursor);
    ck_usable(db);
}
END_TEST

/* Refused here, not by the server: at once, or when the login in front of it is done. What was submitted behind it would meet no cursor
 * there, which ends the transaction. */
static const struct {
    const char *sql;
    bool scrolls, before_login;
} unopened[] = {{"select \xff", false, false},
                {"select \xff", true, false},
                {"select \xff", false, true},
                {"select \xff", true, true}};

static void is_refused_as(tusk_query *q, const tusk_cursor *cursor)
{
    const tusk_error *why = tusk_cursor_error(cursor);

    ck_assert_int_ne(tusk_await(q), TUSK_OK);
    ck_error(tusk_query_error(q), why->code, why->sqlstate, why->message);
    ck_assert_str_eq(tusk_query_error(q)->where, why->where);
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    tusk_query_free(q);
}

START_TEST(cursor_that_was_refused_here_asks_the_server_for_nothing)
{
    tusk_query *begin, *fetch, *move, *other;
    tusk_cursor *cursor;

    if (!unopened[_i].before_login)
        ck_usable(db);
    begin = tusk_exec(db, "begin", TUSK_NO_PARAMS);
    cursor = tusk_cursor_open(db, &(tusk_cursor_request){.sql = unopened[_i].sql, .scroll = unopened[_i].scrolls});
    fetch = tusk_cursor_fetch(cursor, 1);
    move = tusk_cursor_move(cursor, 1);
    other = tusk_exec(db, "select 1", TUSK_NO_PARAMS);
    ck_ok(begin);
    ck_ok(other);
    ck_assert_int_eq(tusk_cursor_error(cursor)->code, TUSK_ERR_VALUE);
    is_refused_as(fetch, cursor);
    is_refused_as(move, cursor);
    is_refused_as(tusk_cursor_fetch(cursor, 1), cursor);
    tusk_cursor_free(cursor);
    ck_usable(db);
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IN_TRANSACTION);
    tusk_query_free(begin);
    tusk_query_free(other);
    run("commit");
}
END_TEST

/* The savepoint has mended the transaction: what the opening was refused for is still all that there is to be told of it. */
START_TEST(cursor_that_the_server_refused_is_not_asked_for_again)
{
    tusk_cursor *cursor;
    tusk_row row;

    run("begin");
    run("savepoint s");
    cursor = tusk_cursor_open(db, &(tusk_cursor_request){.sql = "select nosuch", .scroll = _i});
    ck_assert_int_eq(tusk_await_free(tusk_exec(db, "select 1", TUSK_NO_PARAMS), NULL), TUSK_ERR_SERVER);
    run("rollback to s");
    is_refused_as(tusk_cursor_fetch(cursor, 1), cursor);
    is_refused_as(tusk_cursor_move(cursor, 1), cursor);
    ck_assert_str_eq(tusk_cursor_error(cursor)->sqlstate, "42703");
    ck_assert(!tusk_cursor_next_row(cursor, &row));
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IN_TRANSACTION);
    tusk_cursor_free(cursor);
    run("commit");
}
END_TEST

/* The transaction is over while rows are left on the server. */
START_TEST(cursor_whose_transaction_has_ended_says_so)
{
    tusk_cursor *cursor;
    tusk_row row;
    int n = 0;

    run("begin");
    cursor = open_numbers(1000, 10);
    ck_assert(tusk_cursor_next_row(cursor, &row));
    run("commit");
    while (tusk_cursor_next_row(cursor, &row))
        n++;
    ck_assert_int_eq(n, 19); /* of the batch that was here, and the one on its way */
    ck_assert_str_eq(tusk_cursor_error(cursor)->sqlstate, "34000");
    ck_assert_ptr_nonnull(strstr(tusk_cursor_error(cursor)->hint, "has ended"));
    tusk_cursor_free(cursor);
    ck_usable(db);
}
END_TEST

/* What we have ended ourselves is not asked for again: the server's error would end the transaction that is open now. */
static const struct {
    const char *name;
    bool is_nested, is_kept, holds, lives;
} ends[] = {
    {"a savepoint, undone", true, false, false, false},         {"a savepoint, kept", true, true, false, true},
    {"a savepoint, undone, held", true, false, true, false},    {"a transaction, undone", false, false, false, false},
    {"a transaction, kept", false, true, false, false},         {"a transaction, kept, held", false, true, true, true},
    {"a transaction, undone, held", false, false, true, false},
};

START_TEST(cursor_of_what_was_ended_reads_nothing_ahead)
{
    tusk_cursor *cursor;
    tusk_row row;
    int n = 0;

    if (ends[_i].is_nested)
        tusk_query_free(tusk_begin(db, NULL));
    tusk_query_free(tusk_begin(db, NULL));
    cursor = tusk_cursor_open(
        db, &(tusk_cursor_request){.sql = "select generate_series(1, 100)", .hold = ends[_i].holds, .batch_rows = 10});
    ck_assert(tusk_cursor_next_row(cursor, &row));
    tusk_query_free(ends[_i].is_kept ? tusk_commit(db) : tusk_rollback(db));
    if (!ends[_i].is_nested)
        tusk_query_free(tusk_begin(db, NULL));
    while (tusk_cursor_next_row(cursor, &row))
        n++;
    ck_usable(db);
    ck_assert_msg(n == (ends[_i].lives ? 99 : 19), "%s: %d", ends[_i].name, n);
    if (!ends[_i].lives) {
        ck_error(tusk_cursor_error(cursor), TUSK_ERR_STATE, "34000", "the cursor has gone with what it was opened in");
        ck_assert_str_eq(tusk_cursor_error(cursor)->where, "fetch \"select generate_series(1, 100)\"");
    }
    tusk_cursor_free(cursor);
    ck_assert_int_eq(tusk_await_free(tusk_commit(db), NULL), TUSK_OK);
}
END_TEST

/* Whoever asks for a batch by himself, inside a transaction, has something in it that fails: as ever, it is not kept. */
START_TEST(batch_of_what_was_ended_makes_the_commit_fail)
{
    tusk_cursor *cursor;
    tusk_query *fetch;
    tusk_error err = {0};

    tusk_query_free(tusk_begin(db, NULL));
    tusk_query_free(tusk_begin(db, NULL));
    cursor = open_numbers(100, 10);
    tusk_query_free(tusk_rollback(db));
    fetch = _i ? tusk_cursor_fetch(cursor, 1) : tusk_cursor_move(cursor, 1);
    ck_assert_int_eq(tusk_await(fetch), TUSK_ERR_STATE);
    ck_assert_int_eq(tusk_query_error(fetch)->fate, TUSK_FATE_NOT_SENT);
    tusk_query_free(fetch);
    ck_assert_int_eq(tusk_await_free(tusk_commit(db), &err), TUSK_ERR_ROLLED_BACK);
    tusk_cursor_free(cursor);
    ck_usable(db);
}
END_TEST

/* An end that was taken back is none: the cursor is there still. */
START_TEST(cursor_of_an_end_that_was_taken_back_goes_on)
{
    tusk_cursor *cursor;
    tusk_query *end, *outer;

    tusk_query_free(tusk_begin(db, NULL));
    tusk_query_free(tusk_begin(db, NULL));
    cursor = open_numbers(100, 10);
    ck_batch(tusk_cursor_fetch(cursor, 1), 1, 1);
    end = tusk_rollback(db);
    outer = tusk_rollback(db);
    tusk_query_cancel(end);
    ck_assert_int_eq(tusk_await_free(end, NULL), TUSK_ERR_CANCELED);
    ck_assert_int_eq(tusk_await_free(outer, NULL), TUSK_ERR_CANCELED);
    ck_batch(tusk_cursor_fetch(cursor, 1), 2, 2);
    ck_assert_int_eq(tusk_await_free(tusk_commit(db), NULL), TUSK_OK);
    ck_batch(tusk_cursor_fetch(cursor, 1), 3, 3);
    tusk_cursor_free(cursor);
    ck_assert_int_eq(tusk_await_free(tusk_commit(db), NULL), TUSK_OK);
}
END_TEST

static void free_cursor(void *user)
{
    tusk_cursor_free(*(tusk_cursor **)user);
    *(tusk_cursor **)user = NULL;
}

/* In a callback while its row is waited for; with all in flight; with the loop. */
START_TEST(cursor_may_go_at_any_time)
{
    tusk_cursor *cursor;
    tusk_row row;

    run("begin");
    cursor = tusk_cursor_open(db, &(tusk_cursor_request){.sql = "select pg_sleep(0.02)"});
    if (_i == 0) {
        ck_assert_ptr_nonnull(tusk_timer_start(loop, 0.001, free_cursor, &cursor));
        ck_assert(!tusk_cursor_next_row(cursor, &row));
        ck_assert_ptr_null(cursor);
    } else if (_i == 1) {
        tusk_query_free(tusk_cursor_fetch(cursor, 1));
        tusk_cursor_free(cursor);
    } else if (_i == 2) {
        disconnect(db);
        db = NULL;
        ck_assert(!tusk_cursor_next_row(cursor, &row));
        ck_assert_int_ne(tusk_cursor_error(cursor)->code, TUSK_OK);
        tusk_cursor_free(cursor);
        return;
    } else {
        turn(0);
        tusk_loop_free(loop); /* the handles go with it */
        loop = tusk_loop_new();
        db = connect_plain();
    }
    ck_usable(db);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("cursor_live");
    TCase *tcase = tcase_create("cursor_live");

    tcase_add_checked_fixture(tcase, live_up, live_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_loop_test(tcase, rows_come_one_by_one_whatever_the_batch, 0, N_OF(walks));
    tcase_add_test(tcase, next_batch_is_on_its_way_while_the_caller_works);
    tcase_add_test(tcase, batches_follow_a_budget_of_bytes);
    tcase_add_loop_test(tcase, batch_whose_rows_grow_all_at_once_stays_within_its_budget, 0, 2);
    tcase_add_loop_test(tcase, others_do_not_wait_behind_a_batch_that_waits, 0, 2);
    tcase_add_test(tcase, batch_that_waits_for_its_caller_ends_the_loop_when_it_is_let_go);
    tcase_add_test(tcase, batches_and_moves_leave_in_order_and_in_one_flight);
    tcase_add_loop_test(tcase, batch_has_a_tag_only_where_the_server_gives_one, 0, 2);
    tcase_add_test(tcase, scrolling_cursor_goes_back);
    tcase_add_test(tcase, two_cursors_are_two);
    tcase_add_test(tcase, names_begin_anywhere_also_behind_a_cursor);
    tcase_add_loop_test(tcase, values_go_by_name_too, 0, 2);
    tcase_add_test(tcase, position_of_an_error_is_one_in_the_text_with_names);
    tcase_add_test(tcase, batch_has_the_bound_that_was_given);
    tcase_add_loop_test(tcase, every_statement_with_rows_has_a_cursor, 0, N_OF(with_rows));
    tcase_add_test(tcase, rows_of_a_portal_are_passed_over_too);
    tcase_add_loop_test(tcase, cursor_shares_the_flight_of_its_transaction, 0, 2);
    tcase_add_test(tcase, opening_that_fails_ends_what_is_behind_it_in_the_unit);
    tcase_add_test(tcase, savepoint_that_is_undone_takes_the_cursor_with_it);
    tcase_add_loop_test(tcase, column_without_binary_output_is_learned, 0, 2);
    tcase_add_loop_test(tcase, columns_that_have_changed_are_never_misread, 0, 2);
    tcase_add_loop_test(tcase, held_cursor_needs_no_transaction_and_outlives_one, 0, 2);
    tcase_add_loop_test(tcase, cursor_that_cannot_be_opened_says_why, 0, N_OF(refused));
    tcase_add_test(tcase, error_in_the_middle_ends_the_rows);
    tcase_add_loop_test(tcase, closing_what_is_gone_harms_no_transaction, 0, 2);
    tcase_add_test(tcase, mistakes_are_told_before_anything_is_sent);
    tcase_add_test(tcase, cursors_leave_the_statement_cache_alone);
    tcase_add_loop_test(tcase, wrong_request_is_the_cursors_error, 0, N_OF(wrong));
    tcase_add_loop_test(tcase, cursor_that_was_refused_here_asks_the_server_for_nothing, 0, N_OF(unopened));
    tcase_add_loop_test(tcase, cursor_that_the_server_refused_is_not_asked_for_again, 0, 2);
    tcase_add_test(tcase, cursor_whose_transaction_has_ended_says_so);
    tcase_add_loop_test(tcase, cursor_of_what_was_ended_reads_nothing_ahead, 0, N_OF(ends));
    tcase_add_loop_test(tcase, batch_of_what_was_ended_makes_the_commit_fail, 0, 2);
    tcase_add_test(tcase, cursor_of_an_end_that_was_taken_back_goes_on);
    tcase_add_loop_test(tcase, cursor_may_go_at_any_time, 0, 4);
    suite_add_tcase(suite, tcase);
    return suite;
}
