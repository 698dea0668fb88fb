/* The statements that a connection keeps by itself: round trips, what falls out, what is learned and shared, and what becomes of a
 * statement that the server has lost or changed.
 * Read first: docs/internals/cache.md; DESIGN "Cached statements", "Repetition". */
#include "test/live/live.h"

#include "test/harness/fail_alloc.h"
#include "test/harness/fail_os.h"
#include "test/harness/relay.h"

/* ---- a loop whose system calls are counted, and whose clock can be put forward -------------------------------------------- */

static fail_os world;
static int64_t (*real_now_us)(void *ctx);
static int64_t skew_us;

static int64_t skewed_now_us(void *ctx)
{
    return real_now_us(ctx) + skew_us;
}

static tusk_conn *connect_with(const tusk_config *more)
{
    tusk_config config = *more;
    tusk_conn *conn;
    tusk_error err = {0};

    config.dsn = config.dsn ? config.dsn : harness_env("TUSK_TEST_DSN_PLAIN");
    conn = tusk_conn_open(loop, &config);
    ck_assert_ptr_nonnull(conn);
    ck_assert_msg(tusk_await_free(tusk_conn_ready(conn), &err) == TUSK_OK, "%s", said(&err));
    return conn;
}

static void up(void)
{
    tusk_loop_config config = {0};
    tusk_error err = {0};

    live_fds = harness_open_fds();
    fail_os_init(&world, OS_SEND, 0, 0, false);
    real_now_us = world.os.now_us;
    world.os.now_us = skewed_now_us;
    skew_us = 0;
    loop = tusk__loop_open_on(&world.os, &config, &err);
    ck_assert_msg(loop != NULL, "%s", said(&err));
    db = connect_with(&(tusk_config){0});
}

static void again_with(const tusk_config *config)
{
    disconnect(db);
    db = connect_with(config);
}

/* ---- questions ------------------------------------------------------------------------------------------------------------ */

static int64_t one_number(tusk_query *q)
{
    tusk_row row;
    int64_t n;

    ck_ok(q);
    ck_assert_uint_eq(tusk_query_n_rows(q), 1);
    ck_assert(tusk_next_row(q, &row));
    n = tusk_get_int8(&row, 0);
    ck_assert_msg(tusk_query_value_error(q)->code == TUSK_OK, "%s", said(tusk_query_value_error(q)));
    tusk_query_free(q);
    return n;
}

/* How often the connection has sent something, over this. */
static long sends_of(tusk_conn *conn, const char *sql, tusk_params params, int64_t expected)
{
    long before = world.n[OS_SEND];

    ck_assert_int_eq(one_number(tusk_exec(conn, sql, params)), expected);
    return world.n[OS_SEND] - before;
}

static tusk_error error_of(tusk_query *q)
{
    tusk_error err = {0};

    ck_assert_int_ne(tusk_await_free(q, &err), TUSK_OK);
    return err;
}

#define ck_retry(err, want_sqlstate, want_retry)                                                                       \
    do {                                                                                                               \
        tusk_error ck_e = (err);                                                                                       \
        ck_assert_msg(strcmp(ck_e.sqlstate, want_sqlstate) == 0, "%s", said(&ck_e));                                   \
        ck_assert_msg(ck_e.retry == (want_retry), "%d: %s; %s", (int)ck_e.retry, said(&ck_e), ck_e.hint);              \
        ck_assert_int_eq(tusk_error_is_retriable(&ck_e), (want_retry) != TUSK_RETRY_UNKNOWN);                          \
    } while (0)

/* ---- round trips ------------------------------------------------------------------------------------------------------------ */

START_TEST(every_execution_is_one_round_trip)
{
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(sends_of(db, "select $1::int4 + 1", TUSK_PARAMS(tusk_int4(i)), i + 1), 1);
    ck_assert_str_eq(kept_statements(), "select $1::int4 + 1");
}
END_TEST

static long n_said(const relay *r, const char *text)
{
    const uint8_t *bytes;
    size_t len;
    long n = 0;

    bytes = relay_said(r, 0, &len);
    for (size_t i = 0; i + strlen(text) <= len; i++)
        n += memcmp(bytes + i, text, strlen(text)) == 0;
    return n;
}

static relay *through_relay(void)
{
    relay *r = relay_start((uint16_t)strtoul(harness_env("TUSK_TEST_PORT"), NULL, 10));

    again_with(
        &(tusk_config){.dsn = textf("host=127.0.0.1 port=%d user=drv password=pw-drv dbname=postgres sslmode=disable",
                                    relay_port(r))});
    return r;
}

/* What is in flight may fail: each brings its own text until the first is answered, and then none does. */
START_TEST(text_is_sent_until_the_first_is_prepared)
{
    relay *r = through_relay();
    tusk_query *q[3];

    for (int i = 0; i < 3; i++)
        q[i] = tusk_exec(db, "select 815", TUSK_NO_PARAMS);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(one_number(q[i]), 815);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(one_number(tusk_exec(db, "select 815", TUSK_NO_PARAMS)), 815);
    ck_assert_str_eq(kept_statements(), "select 815");
    disconnect(db);
    db = NULL;
    relay_stop(r);
    ck_assert_int_eq(n_said(r, "select 815"), 3);
    relay_free(r);
}
END_TEST

START_TEST(types_of_parameters_tell_statements_apart)
{
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(one_number(tusk_exec(db, "select length($1::text)", TUSK_PARAMS(tusk_text("abc")))), 3);
        ck_assert_int_eq(one_number(tusk_exec(db, "select length($1::text)", TUSK_PARAMS(tusk_int4(17)))), 2);
        ck_assert_int_eq(one_number(tusk_exec(db, "select length($1::text)", TUSK_PARAMS(tusk_unknown("x")))), 1);
    }
    ck_assert_str_eq(kept_statements(), "select length($1::text)|select length($1::text)|select length($1::text)");
}
END_TEST

/* ---- what is kept, and what falls out --------------------------------------------------------------------------------------- */

static void ask(const char *digits)
{
    for (; *digits; digits++)
        ck_assert_int_eq(one_number(tusk_exec(db, textf("select %c", *digits), TUSK_NO_PARAMS)), *digits - '0');
}

static const struct {
    int size;
    const char *asked, *kept;
} falls[] = {
    {3, "123", "select 1|select 2|select 3"},
    {3, "1234", "select 1|select 2|select 3|select 4"}, /* the Close goes with the next one: */
    {3, "12344", "select 2|select 3|select 4"},
    {3, "123144", "select 1|select 3|select 4"},
    {1, "12345655", "select 5"},
    {1, "11", "select 1"},
    {TUSK_NONE, "1111", ""},
};

START_TEST(those_used_longest_ago_fall_out_and_are_closed_with_the_next_flight)
{
    again_with(&(tusk_config){.statement_cache_size = falls[_i].size});
    ask(falls[_i].asked);
    if (_i == 1) /* its own flight had the Close already */
        ck_assert_str_eq(kept_statements(), "select 2|select 3|select 4");
    else
        ck_assert_str_eq(kept_statements(), falls[_i].kept);
}
END_TEST

START_TEST(eviction_costs_no_round_trip)
{
    again_with(&(tusk_config){.statement_cache_size = 1});
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(sends_of(db, textf("select %d", i), TUSK_NO_PARAMS, i), 1);
    ck_assert_str_eq(kept_statements(), "select 9");
}
END_TEST

/* Counted from the first use, whatever came after. */
START_TEST(statement_is_kept_for_so_long)
{
    again_with(&(tusk_config){.max_cached_statement_lifetime = 100});
    ask("12");
    skew_us += 60 * 1000000;
    turn(0);
    ask("13");
    ck_assert_str_eq(kept_statements(), "select 1|select 2|select 3");
    skew_us += 60 * 1000000;
    turn(0);
    ask("3");
    ck_assert_str_eq(kept_statements(), "select 3");
    again_with(&(tusk_config){.max_cached_statement_lifetime = TUSK_NONE});
    ask("1");
    skew_us += INT64_C(1000000) * 1000000;
    turn(0);
    ask("2");
    ck_assert_str_eq(kept_statements(), "select 1|select 2");
}
END_TEST

START_TEST(long_texts_are_not_kept)
{
    const char *text = textf("select 1 -- %0*d", 88, 0); /* 100 bytes */

    again_with(&(tusk_config){.max_cacheable_statement_size = 99});
    run(text);
    ck_assert_str_eq(kept_statements(), "");
    again_with(&(tusk_config){.max_cacheable_statement_size = 100});
    run(text);
    ck_assert_str_eq(kept_statements(), text);
}
END_TEST

/* ---- what fails ------------------------------------------------------------------------------------------------------------- */

START_TEST(text_that_fails_to_parse_is_not_kept)
{
    for (int i = 0; i < 2; i++)
        ck_retry(error_of(tusk_exec(db, "select a from not_yet", TUSK_NO_PARAMS)), "42P01", TUSK_RETRY_UNKNOWN);
    ck_assert_str_eq(kept_statements(), "");
    run_script("create temp table not_yet as select 5 a");
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(sends_of(db, "select a from not_yet", TUSK_NO_PARAMS, 5), 1);
    ck_assert_str_eq(kept_statements(), "select a from not_yet");
}
END_TEST

START_TEST(statement_whose_execution_fails_is_kept)
{
    for (int i = 0; i < 2; i++)
        ck_retry(error_of(tusk_exec(db, "select 1 / $1", TUSK_PARAMS(tusk_int4(0)))), "22012", TUSK_RETRY_UNKNOWN);
    ck_assert_int_eq(one_number(tusk_exec(db, "select 1 / $1", TUSK_PARAMS(tusk_int4(1)))), 1);
    ck_assert_str_eq(kept_statements(), "select 1 / $1");
}
END_TEST

/* It wants more than it is given: each time the server says so, and nothing of it stays. */
START_TEST(statement_with_too_few_parameters_is_not_kept)
{
    for (int i = 0; i < 3; i++)
        ck_retry(error_of(tusk_exec(db, "select $1::int4 + $2::int4", TUSK_PARAMS(tusk_int4(1)))), "08P01",
                 TUSK_RETRY_UNKNOWN);
    ask("1");
    ck_assert_str_eq(kept_statements(), "select 1");
}
END_TEST

/* Canceled before it was sent: neither its Parse nor the Close in front of it has left. */
START_TEST(what_is_taken_back_leaves_the_cache_as_it_was)
{
    tusk_query *q;

    again_with(&(tusk_config){.statement_cache_size = 1});
    ask("1");
    q = tusk_exec(db, "select 2", TUSK_NO_PARAMS);
    tusk_query_cancel(q);
    ck_assert_int_eq(tusk_await_free(q, NULL), TUSK_ERR_CANCELED);
    ck_assert_str_eq(kept_statements(), "select 1");
    ask("2");
    ck_assert_str_eq(kept_statements(), "select 2");
    q = tusk_exec(db, "select $1::int4", TUSK_PARAMS(tusk_text("none")));
    ck_assert_int_ne(tusk_await_free(q, NULL), TUSK_OK);
    ask("3");
    ck_assert_str_eq(kept_statements(), "select 3");
}
END_TEST

/* A value that cannot be sent: nothing is written, nothing is left over. */
START_TEST(what_is_refused_leaves_nothing_in_the_cache)
{
    tusk_value bad = tusk_text_str(tusk_str_from("a\0b", 3));

    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(tusk_await_free(tusk_exec(db, "select $1", tusk_params_of(&bad, 1)), NULL), TUSK_ERR_VALUE);
    ck_assert_int_eq(one_number(tusk_exec(db, "select length($1)", TUSK_PARAMS(tusk_text("ab")))), 2);
    ck_assert_str_eq(kept_statements(), "select length($1)");
}
END_TEST

/* ---- shared with the other connections of the loop ------------------------------------------------------------------------- */

static const char acl_sql[] = "select '=r/drv'::aclitem, $1::int4";

static void check_acl(tusk_query *q)
{
    tusk_row row;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert(tusk_str_is(tusk_get_text(&row, 0), "=r/drv"));
    ck_assert_int_eq(tusk_get_int4(&row, 1), 7);
    ck_assert_int_eq(tusk_query_column(q, 0)->format, 0);
    ck_assert_int_eq(tusk_query_column(q, 1)->format, 1);
    tusk_query_free(q);
}

static long sends_for_acl(tusk_conn *conn)
{
    long before = world.n[OS_SEND];

    check_acl(tusk_exec(conn, acl_sql, TUSK_PARAMS(tusk_int4(7))));
    return world.n[OS_SEND] - before;
}

/* With the cache and without: a fresh connection asks for the right formats at once. */
START_TEST(sibling_knows_the_columns)
{
    tusk_conn *sibling = connect_with(&(tusk_config){.statement_cache_size = _i ? TUSK_NONE : 0});

    ck_assert_int_eq(sends_for_acl(db), 2); /* once repeated */
    ck_assert_int_eq(sends_for_acl(db), 1);
    run_on(sibling, "begin");
    ck_assert_int_eq(sends_for_acl(sibling), 1);
    ck_assert_int_eq(sends_for_acl(sibling), 1);
    disconnect(sibling);
}
END_TEST

/* Not of another database, where the same text may be about other tables. */
START_TEST(connection_to_another_endpoint_knows_nothing)
{
    tusk_conn *other = connect_with(&(tusk_config){.dbname = "template1"});

    ck_assert_int_eq(sends_for_acl(db), 2);
    ck_assert_int_eq(sends_for_acl(other), 2);
    disconnect(other);
}
END_TEST

static void make_plain_type(void)
{
    run_script(
        "drop type if exists cache_plain cascade; create type cache_plain;"
        "create function cache_plain_in(cstring) returns cache_plain language internal immutable strict as 'textin';"
        "create function cache_plain_out(cache_plain) returns cstring language internal immutable strict as 'textout';"
        "create type cache_plain (input = cache_plain_in, output = cache_plain_out, like = text)");
}

/* The type, for all statements to come. */
START_TEST(sibling_knows_the_types_without_binary_output)
{
    tusk_conn *sibling = connect_with(&(tusk_config){0});
    tusk_stmt *stmt;
    tusk_query *q;
    tusk_row row;

    make_plain_type();
    run("select 'x'::cache_plain, 5");
    stmt = tusk_prepare(sibling, "select 7, 'y'::cache_plain", NULL, 0);
    run_on(sibling, "begin");
    q = tusk_stmt_exec(stmt, TUSK_NO_PARAMS);
    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert(tusk_str_is(tusk_get_text(&row, 1), "y"));
    tusk_query_free(q);
    tusk_stmt_free(stmt);
    disconnect(sibling);
    run_script("drop type cache_plain cascade");
}
END_TEST

/* ---- altered tables ------------------------------------------------------------------------------------------------------- */

static const char altered_sql[] = "select * from cache_altered";

/* From int4 to float4: as wide, in binary both. On the connection that has it prepared, on a fresh one that knows the old columns, and
 * through a handle. */
START_TEST(column_of_equal_width_is_never_misread)
{
    tusk_conn *sibling = connect_with(&(tusk_config){0}), *fresh;
    tusk_stmt *stmt;

    run_script("drop table if exists cache_altered; create table cache_altered as select 3::int4 a");
    stmt = tusk_prepare(db, altered_sql, NULL, 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_double_eq(only_value(tusk_exec(db, altered_sql, TUSK_NO_PARAMS)), 3);
        ck_assert_double_eq(only_value(tusk_exec(sibling, altered_sql, TUSK_NO_PARAMS)), 3);
        ck_assert_double_eq(only_value(tusk_stmt_exec(stmt, TUSK_NO_PARAMS)), 3);
    }
    run_script("alter table cache_altered alter a type float4 using a + 0.5");
    fresh = connect_with(&(tusk_config){0});
    ck_assert_double_eq(only_value(tusk_exec(fresh, altered_sql, TUSK_NO_PARAMS)), 3.5);
    for (int i = 0; i < 2; i++) {
        ck_assert_double_eq(only_value(tusk_exec(db, altered_sql, TUSK_NO_PARAMS)), 3.5);
        ck_assert_double_eq(only_value(tusk_exec(sibling, altered_sql, TUSK_NO_PARAMS)), 3.5);
        ck_assert_double_eq(only_value(tusk_stmt_exec(stmt, TUSK_NO_PARAMS)), 3.5);
    }
    ck_assert_int_eq(tusk_stmt_column(stmt, 0)->type, TUSK_OID_FLOAT4);
    tusk_stmt_free(stmt);
    ask("1");
    ck_assert_str_eq(kept_statements(), textf("%s|select 1", altered_sql)); /* the old ones are closed */
    run_script("drop table cache_altered");
    disconnect(sibling);
    disconnect(fresh);
}
END_TEST

/* As many columns as were known, with other types: the formats are those that the Bind asked for, by place. */
START_TEST(known_columns_that_are_others_come_as_they_were_asked_for)
{
    tusk_conn *fresh;
    tusk_query *q;
    tusk_row row;

    run_script(
        "drop table if exists cache_altered; create table cache_altered as select 3::int4 a, '=r/drv'::aclitem b");
    run(altered_sql);
    run_script("alter table cache_altered alter a type float4 using a + 0.5");
    fresh = connect_with(&(tusk_config){0});
    run_on(fresh, "begin");
    q = tusk_exec(fresh, altered_sql, TUSK_NO_PARAMS);
    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_double_eq((double)tusk_get_float4(&row, 0), 3.5);
    ck_assert(tusk_str_is(tusk_get_text(&row, 1), "=r/drv"));
    ck_assert_int_eq(tusk_query_value_error(q)->code, TUSK_OK);
    ck_assert_int_eq(tusk_query_column(q, 1)->format, 0);
    tusk_query_free(q);
    disconnect(fresh);
    run_script("drop table cache_altered");
}
END_TEST

/* The columns that are known had formats each; now there is one more, and the Bind does not fit. */
START_TEST(known_columns_that_are_too_few_are_repeated)
{
    tusk_conn *fresh;
    tusk_query *q;

    run_script("drop table if exists cache_altered; create table cache_altered as select 1 a, '=r/drv'::aclitem b");
    run(altered_sql);
    run_script("alter table cache_altered add c text default 'new'");
    fresh = connect_with(&(tusk_config){0});
    if (_i)
        run_on(fresh, "begin");
    for (int i = 0; i < 2; i++) {
        q = tusk_exec(fresh, altered_sql, TUSK_NO_PARAMS);
        if (_i && i == 0) {
            ck_retry(error_of(q), "08P01", TUSK_RETRY_TRANSACTION);
            run_on(fresh, "rollback");
            run_on(fresh, "begin");
            continue;
        }
        ck_ok(q);
        ck_assert_int_eq(tusk_query_n_cols(q), 3);
        ck_assert_uint_eq(tusk_query_n_rows(q), 1);
        tusk_query_free(q);
    }
    disconnect(fresh);
    run_script("drop table cache_altered");
}
END_TEST

/* ---- the rule of repetition ------------------------------------------------------------------------------------------------ */

/* What happens between two executions of "select * from cache_altered", and what the second one meets. */
static const struct {
    const char *name, *between, *sqlstate;
} mishaps[] = {
    {"stale", "alter table cache_altered add b text default 'b'", "0A000"},
    {"lost", "do $$ begin execute 'deallocate all'; end $$", "26000"},
};

static tusk_query *execute(tusk_stmt *stmt)
{
    return stmt ? tusk_stmt_exec(stmt, TUSK_NO_PARAMS) : tusk_exec(db, altered_sql, TUSK_NO_PARAMS);
}

/* With a handle and without. */
static tusk_stmt *begin_mishap(int i)
{
    tusk_stmt *stmt;

    run_script("drop table if exists cache_altered; create table cache_altered as select 4 a");
    stmt = i % 2 ? tusk_prepare(db, altered_sql, NULL, 0) : NULL;
    ck_assert_double_eq(only_value(execute(stmt)), 4);
    return stmt;
}

static void end_mishap(tusk_stmt *stmt)
{
    tusk_stmt_free(stmt);
    run_script("drop table cache_altered");
    ck_usable(db);
}

/* Prepared again where nothing can have been kept, and never twice. */
START_TEST(d41_mishap_outside_a_transaction_goes_unnoticed)
{
    tusk_stmt *stmt = begin_mishap(_i);
    long before;

    run_script(mishaps[_i / 2].between);
    before = world.n[OS_SEND];
    ck_assert_double_eq(only_value(execute(stmt)), 4);
    ck_assert_int_eq(world.n[OS_SEND] - before, 2);
    before = world.n[OS_SEND];
    ck_assert_double_eq(only_value(execute(stmt)), 4);
    ck_assert_int_eq(world.n[OS_SEND] - before, 1);
    end_mishap(stmt);
}
END_TEST

START_TEST(d41_mishap_in_a_transaction_says_so_and_the_retry_succeeds)
{
    tusk_stmt *stmt = begin_mishap(_i);
    tusk_error err;

    run_script(mishaps[_i / 2].between);
    run_script("begin");
    err = error_of(execute(stmt));
    ck_retry(err, mishaps[_i / 2].sqlstate, TUSK_RETRY_TRANSACTION);
    run_script("rollback; begin");
    ck_assert_double_eq(only_value(execute(stmt)), 4);
    run_script("commit");
    end_mishap(stmt);
}
END_TEST

START_TEST(d41_mishap_in_front_of_others_says_so_and_they_run)
{
    tusk_stmt *stmt = begin_mishap(_i);
    tusk_query *q, *behind;

    ask("12");
    run_script(mishaps[_i / 2].between);
    q = execute(stmt);
    behind = tusk_exec(db, "select 5", TUSK_NO_PARAMS);
    ck_retry(error_of(q), mishaps[_i / 2].sqlstate, TUSK_RETRY_REQUEST);
    ck_assert_int_eq(one_number(behind), 5);
    ck_assert_double_eq(only_value(execute(stmt)), 4);
    end_mishap(stmt);
}
END_TEST

static void count_row(tusk_query *q, const tusk_row *row, void *user)
{
    (void)q;
    (void)row;
    ++*(int *)user;
}

/* With parameters, which are repeated as they were; with a callback, which has seen nothing yet. */
START_TEST(d41_mishap_repeats_the_parameters)
{
    static const char sql[] = "select * from cache_altered where a = $1 or a::text = $2";
    int n_rows = 0;

    ck_assert_ptr_null(begin_mishap(0));
    for (int i = 0; i < 4; i++) {
        tusk_query *q = tusk_submit(db, &(tusk_request){.sql = sql,
                                                        .params = TUSK_PARAMS(tusk_int4(4), tusk_text("none")),
                                                        .on_row = count_row,
                                                        .user = &n_rows});

        ck_ok(q);
        tusk_query_free(q);
        ck_assert_int_eq(n_rows, i + 1);
        run_script(i % 2 ? mishaps[1].between : textf("alter table cache_altered add b%d text", i));
    }
    end_mishap(NULL);
}
END_TEST

/* The one error of these that is not about columns: what was made again under its name has another OID. */
static const char recreated[] = "drop type if exists cache_dropped; create type cache_dropped as enum ('a')";

/* In a column (met when the row is sent), and in a parameter (when it is read). */
static tusk_query *use_dropped(int i)
{
    return i ? tusk_exec(db, "select $1::cache_dropped", TUSK_PARAMS(tusk_unknown("a")))
             : tusk_exec(db, "select 'a'::cache_dropped", TUSK_NO_PARAMS);
}

static void ck_dropped(tusk_query *q)
{
    tusk_row row;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert(tusk_str_is(tusk_get_text(&row, 0), "a"));
    tusk_query_free(q);
}

START_TEST(d41_type_that_was_made_again_goes_unnoticed)
{
    long before;

    for (int i = 0; i < 3; i++) {
        run_script(recreated);
        ck_dropped(use_dropped(_i));
        before = world.n[OS_SEND];
        ck_dropped(use_dropped(_i));
        ck_assert_int_eq(world.n[OS_SEND] - before, 1);
    }
    run_script("drop type cache_dropped");
    ck_usable(db);
}
END_TEST

START_TEST(d41_type_that_was_made_again_in_a_transaction_says_so)
{
    run_script(recreated);
    ck_dropped(use_dropped(_i));
    run_script(recreated);
    run_script("begin");
    ck_retry(error_of(use_dropped(_i)), "XX000", TUSK_RETRY_TRANSACTION);
    run_script("rollback; begin");
    ck_dropped(use_dropped(_i));
    run_script("commit; drop type cache_dropped");
}
END_TEST

START_TEST(d41_handle_whose_type_was_made_again_is_prepared_again)
{
    tusk_stmt *stmt;

    run_script(recreated);
    stmt = tusk_prepare(db, "select 'a'::cache_dropped", NULL, 0);
    ck_dropped(tusk_stmt_exec(stmt, TUSK_NO_PARAMS));
    run_script(recreated);
    ck_dropped(tusk_stmt_exec(stmt, TUSK_NO_PARAMS));
    tusk_stmt_free(stmt);
    run_script("drop type cache_dropped");
}
END_TEST

START_TEST(type_that_somebody_else_speaks_of_is_not_repeated)
{
    static const char raises[] = "do $$ begin raise exception using errcode = 'XX000', "
                                 "message = 'cache lookup failed for type 1'; end $$";

    for (int i = 0; i < 3; i++)
        ck_retry(error_of(tusk_exec(db, raises, TUSK_NO_PARAMS)), "XX000", TUSK_RETRY_UNKNOWN);
}
END_TEST

/* As the user's own statement: the tag tells, and nothing fails any more, in a transaction neither. */
START_TEST(discard_all_is_survived)
{
    static const char *const ways[] = {"discard all", "deallocate all", "DISCARD ALL"};
    tusk_stmt *stmt = begin_mishap(1);

    for (int i = 0; i < 2; i++) {
        ask("123");
        if (i == 0)
            run(ways[_i]);
        else
            run_script(ways[_i]);
        run_script("begin");
        ask("1");
        ck_assert_double_eq(only_value(execute(stmt)), 4);
        ck_assert_double_eq(only_value(execute(NULL)), 4);
        run_script("commit");
    }
    end_mishap(stmt);
}
END_TEST

/* The name that the connection will take as the n-th from now on. */
static const char *name_to_come(unsigned long long n)
{
    tusk_query *q = tusk_script(db, "select max(name) from pg_prepared_statements where name like 'tusk%'");
    tusk_row row;
    char name[32];

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    snprintf(name, sizeof name, TUSK_STR_FMT, TUSK_STR_ARG(tusk_get_text(&row, 0)));
    tusk_query_free(q);
    return textf("tusk_%llx", strtoull(name + 5, NULL, 16) + n);
}

/* 42P05: somebody else, as behind a pooler, has the name that comes next. */
START_TEST(taken_names_are_passed_over)
{
    tusk_stmt *stmt;
    long before;

    ask("1");
    run_script(textf("prepare %s as select -1", name_to_come(1)));
    before = world.n[OS_SEND];
    ask("2");
    ck_assert_int_eq(world.n[OS_SEND] - before, 2);
    ask("23");
    again_with(&(tusk_config){0});
    ask("1");
    run_script(textf("prepare %s as select -1", name_to_come(1)));
    stmt = tusk_prepare(db, "select $1::int4", NULL, 0);
    ck_assert_int_eq(one_number(tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(6)))), 6);
    tusk_stmt_free(stmt);
    again_with(&(tusk_config){0});
    ask("1");
    run_script(textf("prepare %s as select -1; begin", name_to_come(1)));
    ck_retry(error_of(tusk_exec(db, "select 17", TUSK_NO_PARAMS)), "42P05", TUSK_RETRY_TRANSACTION);
    run_script("rollback; begin");
    ask("17");
    run_script("commit");
}
END_TEST

/* Two connections do not even begin alike: one that runs on the other's session finds none of its own, and no other's. */
START_TEST(names_of_two_connections_are_different)
{
    char name[32];

    ask("1");
    snprintf(name, sizeof name, "%s", name_to_come(0));
    again_with(&(tusk_config){0});
    ask("1");
    ck_assert_str_ne(name_to_come(0), name);
}
END_TEST

/* An error of the same code that is the caller's: it ran once, and no more is said than the server says. */
START_TEST(errors_of_the_callers_own_are_not_repeated)
{
    static const struct {
        const char *sql, *sqlstate;
    } own[] = {
        {"execute no_such_statement", "26000"},    {"deallocate no_such_statement", "26000"},
        {"select cache_raises('26000')", "26000"}, {"select cache_raises('0A000')", "0A000"},
        {"select cache_raises('42P05')", "42P05"}, {"select cache_raises('08P01')", "08P01"},
        {"select cache_raises('42883')", "42883"},
    };

    run_script(
        "create or replace function pg_temp.cache_raises(state text) returns int language plpgsql as "
        "$$ begin perform nextval('runs'); raise exception using errcode = state; end $$; create temp sequence runs;"
        "set search_path = pg_temp, public");
    for (int i = 0; i < N_OF(own); i++) {
        const char *sql = i < 2 ? own[i].sql : textf("select pg_temp.%s", own[i].sql + 7);

        for (int k = 0; k < 2; k++)
            ck_retry(error_of(tusk_exec(db, sql, TUSK_NO_PARAMS)), own[i].sqlstate, TUSK_RETRY_UNKNOWN);
    }
    ck_assert_int_eq(one_number(tusk_script(db, "select last_value from runs")), 10);
}
END_TEST

/* A procedure that has committed before its result could not be sent has run, and does not run again. */
START_TEST(procedure_is_not_called_twice)
{
    tusk_error err;

    make_plain_type();
    run_script("create temp table calls (a int);"
               "create or replace procedure pg_temp.cache_calls(inout a cache_plain) language plpgsql as "
               "$$ begin insert into calls values (1); commit; end $$");
    err = error_of(tusk_exec(db, "call pg_temp.cache_calls('x')", TUSK_NO_PARAMS));
    ck_retry(err, "42883", TUSK_RETRY_UNKNOWN);
    ck_assert_int_eq(one_number(tusk_script(db, "select count(*) from calls")), 1);
    run_script("drop type cache_plain cascade");
}
END_TEST

/* ---- every catalogue ------------------------------------------------------------------------------------------------------- */

typedef struct catalogues {
    char names[256][64];
    int n;
} catalogues;

static void list_catalogues(catalogues *c)
{
    tusk_query *q = tusk_script(db, "select relname from pg_class where relnamespace = 'pg_catalog'::regnamespace and "
                                    "relkind in ('r', 'v') and relname <> 'pg_shmem_allocations_numa' and "
                                    "has_table_privilege(oid, 'select') order by 1");
    tusk_row row;

    ck_ok(q);
    for (c->n = 0; tusk_next_row(q, &row) && c->n < N_OF(c->names); c->n++)
        snprintf(c->names[c->n], sizeof c->names[0], TUSK_STR_FMT, TUSK_STR_ARG(tusk_get_text(&row, 0)));
    tusk_query_free(q);
    ck_assert_int_gt(c->n, 80);
}

/* What no connection of the loop has asked yet. */
static const char *unseen(const char *table, const char *why)
{
    return textf("select * from pg_catalog.%s /* %s */", table, why);
}

static bool
is_alive(const char *table) /* one that changes as it is looked at, or that this role may not read to its end */
{
    return strncmp(table, "pg_stat", 7) == 0 || strcmp(table, "pg_locks") == 0 || strcmp(table, "pg_cursors") == 0 ||
           strcmp(table, "pg_prepared_statements") == 0 || strcmp(table, "pg_backend_memory_contexts") == 0 ||
           strcmp(table, "pg_shmem_allocations") == 0;
}

static int64_t n_rows_of(const char *table)
{
    return one_number(tusk_script(db, textf("select count(*) from pg_catalog.%s", table)));
}

START_TEST(every_catalogue_outside_a_transaction_arrives_whole)
{
    static catalogues c;
    int n_repeated = 0;

    list_catalogues(&c);
    for (int i = 0; i < c.n; i++) {
        long before = world.n[OS_SEND];
        tusk_query *q = tusk_exec(db, unseen(c.names[i], "kept"), TUSK_NO_PARAMS);
        int64_t n;

        ck_assert_msg(tusk_await(q) == TUSK_OK, "%s: %s", c.names[i], said(tusk_query_error(q)));
        n_repeated += world.n[OS_SEND] - before > 1;
        n = (int64_t)tusk_query_n_rows(q);
        tusk_query_free(q);
        if (!is_alive(c.names[i]))
            ck_assert_msg(n == n_rows_of(c.names[i]), "%s: %d rows", c.names[i], (int)n);
    }
    ck_assert_int_gt(n_repeated, 3);
    printf("catalogues: %d, of which %d were repeated\n", c.n, n_repeated);
}
END_TEST

/* In a transaction, and with rows that were handed out: whole, or the error that says what to do, and then it is whole in one. */
static void check_catalogue(const char *table, bool in_transaction, int *n_told)
{
    tusk_retry want = in_transaction ? TUSK_RETRY_TRANSACTION : TUSK_RETRY_REQUEST;
    const char *sql = unseen(table, in_transaction ? "in" : "out");
    tusk_request request = {.sql = sql, .on_row = in_transaction ? NULL : count_row};
    int n_rows = 0;
    tusk_query *q;
    long before;

    request.user = &n_rows;
    if (in_transaction)
        run_script("begin");
    q = tusk_submit(db, &request);
    if (tusk_await(q) != TUSK_OK) {
        ck_retry(*tusk_query_error(q), "42883", want);
        tusk_query_free(q);
        ++*n_told;
        if (in_transaction)
            run_script("rollback; begin");
        n_rows = 0;
        before = world.n[OS_SEND];
        q = tusk_submit(db, &request);
        ck_assert_msg(tusk_await(q) == TUSK_OK, "%s: %s", table, said(tusk_query_error(q)));
        ck_assert_int_eq(world.n[OS_SEND] - before, 1);
    }
    if (!is_alive(table))
        ck_assert_int_eq(in_transaction ? (int64_t)tusk_query_n_rows(q) : n_rows, n_rows_of(table));
    tusk_query_free(q);
    if (in_transaction)
        run_script("commit");
}

START_TEST(every_catalogue_where_nothing_may_be_repeated_is_whole_at_the_second_try)
{
    static catalogues c;
    int n_told = 0;

    list_catalogues(&c);
    for (int i = 0; i < c.n; i++)
        check_catalogue(c.names[i], _i, &n_told);
    if (_i)
        ck_assert_int_gt(n_told, 3);
    printf("catalogues: %d, of which %d were told\n", c.n, n_told);
}
END_TEST

/* ---- the search path -------------------------------------------------------------------------------------------------------- */

static bool reports_search_path(void)
{
    size_t at = 0;
    tusk_str name, value;

    while (tusk_conn_next_parameter(db, &at, &name, &value))
        if (tusk_str_is(name, "search_path"))
            return true;
    return false;
}

/* PostgreSQL 18 tells; what is prepared anew then does not fail in a transaction. Before 18 that is the rule of repetition's. */
START_TEST(d41_search_path_that_changes_makes_statements_anew)
{
    if (!reports_search_path()) {
        harness_skip("search_path that changes", "this server is older than 18 and does not report it");
        return;
    }
    run_script(
        "create schema if not exists cache_a; create schema if not exists cache_b;"
        "create table if not exists cache_a.t as select 1::int4 a; create table if not exists cache_b.t as select "
        "2.5::float4 a; begin; set search_path = cache_a");
    ck_assert_double_eq(only_value(tusk_exec(db, "select * from t", TUSK_NO_PARAMS)), 1);
    run_script("set search_path = cache_b");
    ck_assert_double_eq(only_value(tusk_exec(db, "select * from t", TUSK_NO_PARAMS)), 2.5);
    run_script("commit; drop schema cache_a cascade; drop schema cache_b cascade");
}
END_TEST

/* ---- many, mixed ------------------------------------------------------------------------------------------------------------ */

enum { MANY = 3000, TEXTS = 60, IN_FLIGHT = 32 };

/* Texts that come and go in a cache of a third of them, in the pipeline, with errors between: each has its own answer. */
START_TEST(answers_stay_with_their_questions)
{
    tusk_query *q[IN_FLIGHT] = {NULL};
    int64_t want[IN_FLIGHT] = {0};
    uint32_t seed = 1;

    again_with(&(tusk_config){.statement_cache_size = TEXTS / 3});
    for (int i = 0; i < MANY + IN_FLIGHT; i++) {
        int at = i % IN_FLIGHT, text;

        if (q[at] && want[at] < 0)
            ck_retry(error_of(q[at]), "22012", TUSK_RETRY_UNKNOWN);
        else if (q[at])
            ck_assert_int_eq(one_number(q[at]), want[at]);
        q[at] = NULL;
        if (i >= MANY)
            continue;
        seed = seed * 1664525u + 1013904223u;
        text = (int)(seed >> 16) % TEXTS;
        want[at] = seed % 7 == 0 ? -1 : text * 10000 + i;
        q[at] = tusk_exec(db, textf("select %d + $1 / $2::int4", text * 10000),
                          TUSK_PARAMS(tusk_int4(i), tusk_int4(want[at] >= 0)));
    }
    run("select 1"); /* with the last Close */
    ck_assert_int_le(one_number(tusk_script(db, "select count(*) from pg_prepared_statements")), TEXTS / 3);
}
END_TEST

/* ---- without memory --------------------------------------------------------------------------------------------------------- */

static fail_alloc heap;

/* All that allocates here: prepared, fallen out, repeated, learned, and lost. A number, or the error of an allocation. */
static void all_of_it(void)
{
    static const char *const texts[] = {
        "select 1",    "select 2", "select 1", "select 3, '=r/drv'::aclitem", "select 3, '=r/drv'::aclitem",
        "discard all", "select 1"};
    tusk_conn *conn =
        tusk_conn_open(loop, &(tusk_config){.dsn = harness_env("TUSK_TEST_DSN_PLAIN"), .statement_cache_size = 2});
    tusk_row row;

    for (int i = 0; conn && i < N_OF(texts); i++) {
        tusk_query *q = tusk_exec(conn, texts[i], TUSK_NO_PARAMS);
        tusk_code code = tusk_await(q);

        if (code == TUSK_OK && i != 5) {
            ck_assert(tusk_next_row(q, &row));
            ck_assert_int_eq(tusk_get_int4(&row, 0), texts[i][7] - '0');
        } else if (code != TUSK_OK && code != TUSK_ERR_SERVER) {
            ck_assert_msg(tusk_query_error(q)->code == TUSK_ERR_NOMEM ||
                              tusk_conn_error(conn)->code == TUSK_ERR_NOMEM ||
                              tusk_conn_error(conn)->code == TUSK_ERR_RESOLVE,
                          "%s", said(tusk_query_error(q)));
        } else if (code == TUSK_ERR_SERVER) { /* there was no memory to repeat */
            ck_assert_str_eq(tusk_query_error(q)->sqlstate, "42883");
        }
        tusk_query_free(q);
    }
    tusk_conn_free(conn);
}

START_TEST(allocations_that_fail_cost_a_request_at_most)
{
    long n_calls = 1;

    for (long at = 1; at <= n_calls; at++) {
        tusk_loop_config config = {.allocator = &heap.allocator};

        fail_alloc_init(&heap, at, false);
        loop = tusk_loop_open(&config, NULL);
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
    Suite *suite = suite_create("cache_live");
    TCase *tcase = tcase_create("cache");

    tcase_add_checked_fixture(tcase, up, live_down);
    tcase_add_test(tcase, every_execution_is_one_round_trip);
    tcase_add_test(tcase, text_is_sent_until_the_first_is_prepared);
    tcase_add_test(tcase, types_of_parameters_tell_statements_apart);
    tcase_add_loop_test(tcase, those_used_longest_ago_fall_out_and_are_closed_with_the_next_flight, 0, N_OF(falls));
    tcase_add_test(tcase, eviction_costs_no_round_trip);
    tcase_add_test(tcase, statement_is_kept_for_so_long);
    tcase_add_test(tcase, long_texts_are_not_kept);
    tcase_add_test(tcase, text_that_fails_to_parse_is_not_kept);
    tcase_add_test(tcase, statement_whose_execution_fails_is_kept);
    tcase_add_test(tcase, statement_with_too_few_parameters_is_not_kept);
    tcase_add_test(tcase, what_is_taken_back_leaves_the_cache_as_it_was);
    tcase_add_test(tcase, what_is_refused_leaves_nothing_in_the_cache);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("shared");
    tcase_add_checked_fixture(tcase, up, live_down);
    tcase_add_loop_test(tcase, sibling_knows_the_columns, 0, 2);
    tcase_add_test(tcase, connection_to_another_endpoint_knows_nothing);
    tcase_add_test(tcase, sibling_knows_the_types_without_binary_output);
    tcase_add_test(tcase, column_of_equal_width_is_never_misread);
    tcase_add_test(tcase, known_columns_that_are_others_come_as_they_were_asked_for);
    tcase_add_loop_test(tcase, known_columns_that_are_too_few_are_repeated, 0, 2);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("repetition");
    tcase_add_checked_fixture(tcase, up, live_down);
    tcase_add_loop_test(tcase, d41_mishap_outside_a_transaction_goes_unnoticed, 0, 2 * N_OF(mishaps));
    tcase_add_loop_test(tcase, d41_mishap_in_a_transaction_says_so_and_the_retry_succeeds, 0, 2 * N_OF(mishaps));
    tcase_add_loop_test(tcase, d41_mishap_in_front_of_others_says_so_and_they_run, 0, 2 * N_OF(mishaps));
    tcase_add_test(tcase, d41_mishap_repeats_the_parameters);
    tcase_add_loop_test(tcase, d41_type_that_was_made_again_goes_unnoticed, 0, 2);
    tcase_add_loop_test(tcase, d41_type_that_was_made_again_in_a_transaction_says_so, 0, 2);
    tcase_add_test(tcase, d41_handle_whose_type_was_made_again_is_prepared_again);
    tcase_add_test(tcase, type_that_somebody_else_speaks_of_is_not_repeated);
    tcase_add_loop_test(tcase, discard_all_is_survived, 0, 3);
    tcase_add_test(tcase, taken_names_are_passed_over);
    tcase_add_test(tcase, names_of_two_connections_are_different);
    tcase_add_test(tcase, errors_of_the_callers_own_are_not_repeated);
    tcase_add_test(tcase, procedure_is_not_called_twice);
    tcase_add_test(tcase, every_catalogue_outside_a_transaction_arrives_whole);
    tcase_add_loop_test(tcase, every_catalogue_where_nothing_may_be_repeated_is_whole_at_the_second_try, 0, 2);
    tcase_add_test(tcase, d41_search_path_that_changes_makes_statements_anew);
    tcase_add_test(tcase, answers_stay_with_their_questions);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("memory");
    tcase_add_test(tcase, allocations_that_fail_cost_a_request_at_most);
    suite_add_tcase(suite, tcase);
    return suite;
}
