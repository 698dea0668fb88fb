/* Prepared statements against the real server: prepare, run, close, free, in every order; types; failures. */
#include "test/live/live.h"

static int64_t one_number(tusk_query *q)
{
    tusk_row row;
    int64_t n;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    n = tusk_get_int8(&row, 0);
    ck_assert_int_eq(tusk_query_value_error(q)->code, TUSK_OK);
    tusk_query_free(q);
    return n;
}

static tusk_code code_of(tusk_query *q)
{
    return tusk_await_free(q, NULL);
}

/* Asked by a script: the cache keeps none of those. */
static int64_t n_statements(void)
{
    return one_number(tusk_script(db, "select count(*) from pg_prepared_statements where statement <> 'select 4711'"));
}

START_TEST(statement_runs_before_and_after_it_is_ready)
{
    tusk_stmt *stmt = tusk_prepare(db, "select $1 * 2, $2::text", NULL, 0);
    tusk_query *early = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(21), tusk_text("x")));

    ck_assert_int_eq(tusk_stmt_n_params(stmt), 0);
    ck_assert_int_eq(one_number(early), 42);
    ck_assert_int_eq(code_of(tusk_stmt_ready(stmt)), TUSK_OK);
    ck_assert_int_eq(tusk_stmt_n_params(stmt), 2);
    ck_assert_uint_eq(tusk_stmt_param_type(stmt, 0), TUSK_OID_INT4);
    ck_assert_uint_eq(tusk_stmt_param_type(stmt, 1), TUSK_OID_TEXT);
    ck_assert_uint_eq(tusk_stmt_param_type(stmt, 2), 0);
    ck_assert_uint_eq(tusk_stmt_param_type(stmt, -1), 0);
    ck_assert_int_eq(tusk_stmt_n_cols(stmt), 2);
    ck_assert(tusk_str_is(tusk_stmt_column(stmt, 1)->name, "text"));
    ck_assert_ptr_null(tusk_stmt_column(stmt, 2));
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(one_number(tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(i), tusk_null()))), 2 * i);
    ck_assert_int_eq(n_statements(), 1);
    ck_assert_int_eq(code_of(tusk_stmt_close(stmt)), TUSK_OK);
    ck_assert_int_eq(n_statements(), 0);
    tusk_stmt_free(stmt);
}
END_TEST

/* Before it has run, and as its own results say it. */
START_TEST(columns_of_a_statement_say_name_type_and_table)
{
    tusk_stmt *stmt;
    tusk_query *q;

    run("create temp table described (a int4 primary key, b numeric(10, 2), c char(5))");
    stmt = tusk_prepare(db, "select c, b as \"x y\", a + 1, a from described", NULL, 0);
    ck_assert_int_eq(code_of(tusk_stmt_ready(stmt)), TUSK_OK);
    q = tusk_stmt_exec(stmt, TUSK_NO_PARAMS);
    ck_ok(q);
    for (int i = 0; i < 4; i++) {
        static const uint32_t types[] = {TUSK_OID_BPCHAR, TUSK_OID_NUMERIC, TUSK_OID_INT4, TUSK_OID_INT4};
        static const int typmods[] = {5 + 4, (10 << 16 | 2) + 4, -1, -1}, attnums[] = {3, 2, 0, 1};
        static const char *const names[] = {"c", "x y", "?column?", "a"};
        const tusk_column *column = tusk_stmt_column(stmt, i), *of_run = tusk_query_column(q, i);
        int64_t table = attnums[i] ? number("select 'described'::regclass::oid") : 0;

        ck_assert(tusk_str_is(column->name, names[i]) && tusk_str_is(of_run->name, names[i]));
        ck_assert(column->type == types[i] && of_run->type == types[i]);
        ck_assert(column->typmod == typmods[i] && of_run->typmod == typmods[i]);
        ck_assert(column->attnum == attnums[i] && of_run->attnum == attnums[i]);
        ck_assert(column->table_oid == table && of_run->table_oid == table);
    }
    tusk_query_free(q);
    tusk_stmt_free(stmt);
}
END_TEST

START_TEST(given_types_are_the_statements)
{
    uint32_t types[] = {TUSK_OID_INT8, 0};
    tusk_stmt *stmt = tusk_prepare(db, "select $1 + 1, $2::bool", types, 2);

    ck_assert_int_eq(code_of(tusk_stmt_ready(stmt)), TUSK_OK);
    ck_assert_uint_eq(tusk_stmt_param_type(stmt, 0), TUSK_OID_INT8);
    ck_assert_uint_eq(tusk_stmt_param_type(stmt, 1), TUSK_OID_BOOL);
    ck_assert_int_eq(one_number(tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(1), tusk_bool(true)))), 2);
    tusk_stmt_free(stmt);
    ck_assert_int_eq(n_statements(), 0);
}
END_TEST

/* clang-format off */
static const struct {
    const char *name;
    tusk_value value;
    tusk_code code;
    const char *sqlstate, *message;
} fits[] = {
    {"narrower", {TUSK_OID_INT2, TUSK_KIND_INT, {.integer = 7}}, TUSK_OK, NULL, NULL},
    {"wider, fits", {TUSK_OID_INT8, TUSK_KIND_INT, {.integer = 7}}, TUSK_OK, NULL, NULL},
    {"wider, too big", {TUSK_OID_INT8, TUSK_KIND_INT, {.integer = INT64_C(1) << 31}}, TUSK_ERR_VALUE, "22003",
     "2147483648 does not fit int4"},
    {"text for int4", {TUSK_OID_TEXT, TUSK_KIND_TEXT, {.bytes = {"7", 1}}}, TUSK_ERR_TYPE, "42804",
     "the statement wants int4 here, not text"},
    {"untyped text", {0, TUSK_KIND_TEXT, {.bytes = {"7", 1}}}, TUSK_OK, NULL, NULL},
    {"float8 for int4", {TUSK_OID_FLOAT8, TUSK_KIND_FLOAT, {.real = 7}}, TUSK_ERR_TYPE, "42804",
     "the statement wants int4 here, not float8"},
};
/* clang-format on */

START_TEST(integers_become_numeric)
{
    const tusk_value values[] = {tusk_int2(-7), tusk_int4(0), tusk_int8(INT64_MIN), tusk_int8(INT64_MAX)};
    static const char *const texts[] = {"-7", "0", "-9223372036854775808", "9223372036854775807"};
    tusk_stmt *stmt = tusk_prepare(db, "select $1::numeric", NULL, 0);
    tusk_query *q = tusk_stmt_exec(stmt, tusk_params_of(&values[_i], 1));
    char text[32];
    tusk_row row;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_uint_eq(tusk_query_column(q, 0)->type, TUSK_OID_NUMERIC);
    ck_assert_int_eq(tusk_format_value(&row, 0, text, sizeof text, NULL, NULL), TUSK_OK);
    ck_assert_str_eq(text, texts[_i]);
    tusk_query_free(q);
    tusk_stmt_free(stmt);
}
END_TEST

START_TEST(value_is_fitted_to_the_statements_type)
{
    tusk_stmt *stmt = tusk_prepare(db, "select $1::int4", NULL, 0);
    tusk_query *q = tusk_stmt_exec(stmt, tusk_params_of(&fits[_i].value, 1));

    ck_assert_int_eq(tusk_await(q), fits[_i].code);
    if (fits[_i].code != TUSK_OK) {
        ck_error(tusk_query_error(q), fits[_i].code, fits[_i].sqlstate, fits[_i].message);
        ck_assert_str_eq(tusk_query_error(q)->where, "bind $1 (int4)");
        ck_assert_int_eq(tusk_query_error(q)->param, 1);
        ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    }
    tusk_query_free(q);
    ck_assert_int_eq(one_number(tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(8)))), 8);
    tusk_stmt_free(stmt);
}
END_TEST

START_TEST(wrong_number_of_parameters_is_refused)
{
    tusk_stmt *stmt = tusk_prepare(db, "select $1::int4, $2::int4", NULL, 0);
    tusk_query *q = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(1)));

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_USAGE);
    ck_error(tusk_query_error(q), TUSK_ERR_USAGE, "08P01", "the statement takes 2 parameters, not 1");
    tusk_query_free(q);
    ck_assert_int_eq(one_number(tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(5), tusk_int4(6)))), 5);
    tusk_stmt_free(stmt);
}
END_TEST

/* clang-format off */
static const struct {
    const char *sql, *sqlstate, *message;
    tusk_code code;
} bad[] = {
    {"selekt", "42601", "syntax error at or near \"selekt\"", TUSK_ERR_SERVER},
    {"select $1", NULL, NULL, TUSK_OK}, /* text, by the server's rule */
    {"select * from no_such_table", "42P01", "relation \"no_such_table\" does not exist", TUSK_ERR_SERVER},
    {"select 1; select 2", "42601", "cannot insert multiple commands into a prepared statement", TUSK_ERR_SERVER},
    {"select '\xff'", "22021", "the SQL text is not valid UTF-8", TUSK_ERR_VALUE},
};
/* clang-format on */

START_TEST(failing_prepare_fails_what_waits_for_it)
{
    tusk_stmt *stmt;
    tusk_query *early, *ready, *late;

    if (_i % 2)
        ck_usable(db);
    stmt = tusk_prepare(db, bad[_i / 2].sql, NULL, 0);
    ready = tusk_stmt_ready(stmt);
    early = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_text("x")));
    ck_assert_int_eq(tusk_await(ready), bad[_i / 2].code);
    ck_assert_int_eq(tusk_await(early), bad[_i / 2].code);
    late = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_text("x")));
    ck_assert_int_eq(tusk_await(late), bad[_i / 2].code);
    if (bad[_i / 2].code != TUSK_OK) {
        ck_error(tusk_query_error(ready), bad[_i / 2].code, bad[_i / 2].sqlstate, bad[_i / 2].message);
        ck_error(tusk_query_error(early), bad[_i / 2].code, bad[_i / 2].sqlstate, bad[_i / 2].message);
        ck_error(tusk_query_error(late), bad[_i / 2].code, bad[_i / 2].sqlstate, bad[_i / 2].message);
        ck_assert_int_eq(tusk_query_error(early)->fate, TUSK_FATE_NOT_SENT);
        ck_assert_msg(strncmp(tusk_query_error(ready)->where, "prepare \"s", 10) == 0, "%s",
                      said(tusk_query_error(ready)));
        ck_assert_int_eq(tusk_stmt_n_params(stmt), 0);
    }
    ck_assert_int_eq(code_of(tusk_stmt_close(stmt)), TUSK_OK);
    tusk_query_free(ready);
    tusk_query_free(early);
    tusk_query_free(late);
    tusk_stmt_free(stmt);
    ck_assert_int_eq(n_statements(), 0);
    ck_usable(db);
}
END_TEST

START_TEST(closed_statement_is_not_run)
{
    tusk_stmt *stmt = tusk_prepare(db, "select 5", NULL, 0);
    tusk_query *before, *closing, *after, *ready;

    if (_i == 1)
        ck_assert_int_eq(code_of(tusk_stmt_ready(stmt)), TUSK_OK);
    before = tusk_stmt_exec(stmt, TUSK_NO_PARAMS);
    closing = tusk_stmt_close(stmt);
    after = tusk_stmt_exec(stmt, TUSK_NO_PARAMS);
    ready = tusk_stmt_ready(stmt);
    ck_assert_int_eq(one_number(before), 5);
    ck_ok(closing);
    ck_assert_int_eq(tusk_await(after), TUSK_ERR_STATE);
    ck_error(tusk_query_error(after), TUSK_ERR_STATE, "55000", "the prepared statement is closed");
    ck_assert_int_eq(tusk_query_error(after)->fate, TUSK_FATE_NOT_SENT);
    ck_assert_int_eq(tusk_await(ready), _i == 1 ? TUSK_ERR_STATE : TUSK_OK);
    ck_assert_int_eq(code_of(tusk_stmt_close(stmt)), TUSK_OK);
    ck_assert_int_eq(code_of(tusk_stmt_exec(stmt, TUSK_NO_PARAMS)), TUSK_ERR_STATE);
    ck_assert_int_eq(code_of(tusk_stmt_ready(stmt)), TUSK_ERR_STATE);
    tusk_query_free(closing);
    tusk_query_free(after);
    tusk_query_free(ready);
    tusk_stmt_free(stmt);
    ck_assert_int_eq(n_statements(), 0);
}
END_TEST

/* What was submitted before the close runs, also if something stands in front of both. */
START_TEST(close_waits_for_the_runs_before_it)
{
    tusk_stmt *stmt = tusk_prepare(db, "select 5", NULL, 0);
    tusk_query *script, *run_before, *closing;

    ck_assert_int_eq(code_of(tusk_stmt_ready(stmt)), TUSK_OK);
    script = tusk_script(db, "select 1");
    run_before = tusk_stmt_exec(stmt, TUSK_NO_PARAMS);
    closing = tusk_stmt_close(stmt);
    if (_i == 1)
        tusk_stmt_free(stmt);
    ck_assert_int_eq(one_number(run_before), 5);
    ck_ok(script);
    ck_ok(closing);
    tusk_query_free(script);
    tusk_query_free(closing);
    if (_i == 0)
        tusk_stmt_free(stmt);
    ck_assert_int_eq(n_statements(), 0);
}
END_TEST

START_TEST(statement_can_be_freed_while_its_runs_are_in_flight)
{
    tusk_stmt *stmt = tusk_prepare(db, "select n from generate_series(1, $1::int4) n", NULL, 0);
    tusk_query *runs[10];

    if (_i > 0)
        ck_assert_int_eq(code_of(tusk_stmt_ready(stmt)), TUSK_OK);
    for (int i = 0; i < 10; i++)
        runs[i] = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(i)));
    if (_i > 1)
        turn(0);
    tusk_stmt_free(stmt);
    for (int i = 0; i < 10; i++) {
        ck_ok(runs[i]);
        ck_assert_uint_eq(tusk_query_n_rows(runs[i]), (size_t)i);
        ck_assert(tusk_str_is(tusk_query_column(runs[i], 0)->name, "n"));
        tusk_query_free(runs[i]);
    }
    ck_assert_int_eq(n_statements(), 0);
}
END_TEST

START_TEST(connection_can_be_freed_before_its_statements)
{
    tusk_stmt *early = tusk_prepare(db, "select 1", NULL, 0), *stmt = NULL;
    tusk_query *in_flight;

    if (_i > 0)
        ck_assert_int_eq(code_of(tusk_stmt_ready(early)), TUSK_OK);
    stmt = tusk_prepare(db, "select 2", NULL, 0);
    in_flight = tusk_stmt_exec(early, TUSK_NO_PARAMS);
    tusk_conn_free(db);
    db = NULL;
    if (_i > 1) {
        tusk_stmt_free(stmt);
        stmt = NULL;
    }
    ck_assert_int_eq(tusk_await(in_flight), TUSK_ERR_CANCELED);
    ck_assert_int_eq(code_of(tusk_stmt_exec(early, TUSK_NO_PARAMS)), TUSK_ERR_STATE);
    ck_assert_int_ne(code_of(tusk_stmt_ready(early)), TUSK_OK);
    if (stmt)
        ck_assert_int_ne(code_of(tusk_stmt_ready(stmt)), TUSK_OK);
    tusk_query_free(in_flight);
    tusk_stmt_free(early);
    tusk_stmt_free(stmt);
}
END_TEST

START_TEST(statement_of_another_connection_is_refused)
{
    tusk_conn *other = connect_plain();
    tusk_stmt *stmt = tusk_prepare(db, "select 1", NULL, 0);
    tusk_query *q = tusk_submit(other, &(tusk_request){.stmt = stmt});

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_USAGE);
    ck_error(tusk_query_error(q), TUSK_ERR_USAGE, "42601", "the prepared statement belongs to another connection");
    tusk_query_free(q);
    tusk_stmt_free(stmt);
    disconnect(other);
}
END_TEST

START_TEST(text_results_of_a_statement_leave_its_binary_ones_alone)
{
    tusk_stmt *stmt = tusk_prepare(db, "select 258::int4", NULL, 0);
    tusk_query *text = tusk_submit(db, &(tusk_request){.stmt = stmt, .text_results = true});
    tusk_query *binary = tusk_stmt_exec(stmt, TUSK_NO_PARAMS);
    tusk_row row;

    ck_ok(text);
    ck_ok(binary);
    ck_assert(tusk_next_row(text, &row));
    ck_assert(tusk_str_is(tusk_get_raw(&row, 0), "258"));
    ck_assert_int_eq(tusk_get_int4(&row, 0), 258);
    ck_assert(tusk_next_row(binary, &row));
    ck_assert_uint_eq(tusk_get_raw(&row, 0).len, 4);
    ck_assert_int_eq(tusk_get_int4(&row, 0), 258);
    tusk_query_free(text);
    tusk_query_free(binary);
    tusk_stmt_free(stmt);
}
END_TEST

START_TEST(statement_without_rows_and_without_anything)
{
    static const char *const sqls[] = {"create temp table t (a int)", "", "begin"};
    tusk_stmt *stmt = tusk_prepare(db, sqls[_i], NULL, 0);

    ck_assert_int_eq(code_of(tusk_stmt_ready(stmt)), TUSK_OK);
    ck_assert_int_eq(tusk_stmt_n_cols(stmt), 0);
    ck_assert_int_eq(code_of(tusk_stmt_exec(stmt, TUSK_NO_PARAMS)), TUSK_OK);
    tusk_stmt_free(stmt);
}
END_TEST

/* 0A000, and the statement is prepared again, under another name; the old one is closed. */
START_TEST(statement_of_a_changed_table_is_prepared_again)
{
    tusk_stmt *stmt;
    tusk_query *q;
    tusk_row row;

    run("create temp table changing (a int)");
    run("insert into changing values (1)");
    stmt = tusk_prepare(db, "select * from changing", NULL, 0);
    ck_assert_int_eq(one_number(tusk_stmt_exec(stmt, TUSK_NO_PARAMS)), 1);
    run("alter table changing add b text default 'b'");
    for (int i = 0; i < 3; i++) {
        q = tusk_stmt_exec(stmt, TUSK_NO_PARAMS);
        ck_ok(q);
        ck_assert_int_eq(tusk_query_n_cols(q), 2);
        ck_assert(tusk_next_row(q, &row));
        ck_assert(tusk_str_is(tusk_get_text(&row, 1), "b"));
        tusk_query_free(q);
    }
    ck_assert_int_eq(tusk_stmt_n_cols(stmt), 2);
    ck_assert_int_eq(one_number(tusk_script(db, "select count(*) from pg_prepared_statements where statement like "
                                                "'select * from changing'")),
                     1);
    tusk_stmt_free(stmt);
    ck_usable(db);
}
END_TEST

START_TEST(prepared_commit_in_a_failed_transaction_is_an_error)
{
    tusk_stmt *commit = tusk_prepare(db, "commit", NULL, 0);

    run("begin");
    ck_assert_int_eq(code_of(tusk_exec(db, "select 1/0", TUSK_NO_PARAMS)), TUSK_ERR_SERVER);
    ck_assert_int_eq(code_of(tusk_stmt_exec(commit, TUSK_NO_PARAMS)), TUSK_ERR_ROLLED_BACK);
    run("begin");
    ck_assert_int_eq(code_of(tusk_stmt_exec(commit, TUSK_NO_PARAMS)), TUSK_OK);
    tusk_stmt_free(commit);
}
END_TEST

START_TEST(many_statements_live_side_by_side)
{
    enum { N = 500 };
    tusk_stmt *stmts[N];

    for (int i = 0; i < N; i++)
        stmts[i] = tusk_prepare(db, textf("select %d + $1", i), NULL, 0);
    for (int i = N - 1; i >= 0; i -= 7)
        ck_assert_int_eq(one_number(tusk_stmt_exec(stmts[i], TUSK_PARAMS(tusk_int4(1000)))), 1000 + i);
    ck_assert_int_eq(n_statements(), N);
    for (int i = 0; i < N; i++)
        tusk_stmt_free(stmts[i]);
    ck_assert_int_eq(n_statements(), 0);
}
END_TEST

/* ---- the plan ------------------------------------------------------------------------------------------------------------------ */

static void ck_plan(tusk_query *q, bool is_analyzed)
{
    tusk_row row;
    tusk_str plan;

    ck_ok(q);
    ck_assert_uint_eq(tusk_query_n_rows(q), 1);
    ck_assert_int_eq(tusk_query_n_cols(q), 1);
    ck_assert_int_eq(tusk_query_column(q, 0)->type, TUSK_OID_JSON);
    ck_assert(tusk_str_is(tusk_query_tag(q), "EXPLAIN"));
    ck_assert(tusk_next_row(q, &row));
    plan = tusk_get_text(&row, 0);
    ck_assert(memmem(plan.ptr, plan.len, "\"Plan\": {", 9) != NULL);
    ck_assert(memmem(plan.ptr, plan.len, "\"Output\": [", 11) != NULL);
    ck_assert_int_eq(memmem(plan.ptr, plan.len, "\"Actual Rows\": ", 15) != NULL, is_analyzed);
    tusk_query_free(q);
}

/* Outside a transaction and inside, where the caller's own is as it was. */
START_TEST(plan_is_json_and_what_was_run_for_it_is_rolled_back)
{
    bool is_inside = _i % 2, analyzes = _i / 2;
    tusk_stmt *stmt;

    run("create temp table explained (a int8)");
    if (is_inside)
        run("begin");
    run("insert into explained values (1)");
    stmt = tusk_prepare(db, "insert into explained values ($1) returning a", NULL, 0);
    ck_plan(tusk_stmt_explain(stmt, TUSK_PARAMS(tusk_int4(5)), analyzes), analyzes);
    ck_assert_int_eq(tusk_conn_tx_status(db), is_inside ? TUSK_TX_IN_TRANSACTION : TUSK_TX_IDLE);
    ck_assert_int_eq(number("select count(*) from explained"), 1);
    ck_assert_int_eq(one_number(tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(6)))), 6);
    ck_assert_int_eq(tusk_stmt_column(stmt, 0)->type, TUSK_OID_INT8);
    if (is_inside)
        run("commit");
    ck_assert_int_eq(number("select count(*) from explained"), 2);
    tusk_stmt_free(stmt);
}
END_TEST

/* One that fails while it is run leaves nothing behind either, nor what follows in its wake. */
START_TEST(plan_that_fails_leaves_the_transaction_alone)
{
    tusk_stmt *stmt;
    tusk_query *q, *behind;

    run("create temp table explained (a int)");
    stmt = tusk_prepare(db, "insert into explained select 1 / $1::int", NULL, 0);
    ck_assert_int_eq(code_of(tusk_stmt_ready(stmt)), TUSK_OK);
    if (_i)
        run("begin");
    run("insert into explained values (1)");
    q = tusk_stmt_explain(stmt, TUSK_PARAMS(tusk_int4(0)), true);
    behind = tusk_exec(db, "select 7", TUSK_NO_PARAMS);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_error(tusk_query_error(q), TUSK_ERR_SERVER, "22012", "division by zero");
    ck_assert_str_eq(tusk_query_error(q)->where, "explain \"insert into explained select 1 / $1::int\"");
    tusk_query_free(q);
    ck_assert_int_eq(one_number(behind), 7);
    ck_assert_int_eq(tusk_conn_tx_status(db), _i ? TUSK_TX_IN_TRANSACTION : TUSK_TX_IDLE);
    ck_assert_int_eq(number("select count(*) from explained"), 1);
    if (_i)
        run("commit");
    tusk_stmt_free(stmt);
}
END_TEST

/* Of what the caller wrote, whatever was put in front of that. */
START_TEST(position_of_a_plans_error_is_one_in_the_statement)
{
    tusk_stmt *stmt = tusk_prepare(db, "show all", NULL, 0);
    tusk_query *q = tusk_stmt_explain(stmt, TUSK_NO_PARAMS, _i);

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_error(tusk_query_error(q), TUSK_ERR_SERVER, "42601", "syntax error at or near \"show\"");
    ck_assert_int_eq(tusk_query_error(q)->position, 1);
    tusk_query_free(q);
    tusk_stmt_free(stmt);
}
END_TEST

/* The form is chosen when all before it is answered: a BEGIN just submitted counts. */
START_TEST(plan_waits_for_the_transaction_that_is_begun)
{
    tusk_stmt *stmt = tusk_prepare(db, "delete from explained", NULL, 0);
    tusk_query *begin, *q;

    tusk_stmt_free(stmt);
    run("create temp table explained as select 1 a");
    stmt = tusk_prepare(db, "delete from explained returning a", NULL, 0);
    begin = tusk_exec(db, "begin", TUSK_NO_PARAMS);
    q = tusk_stmt_explain(stmt, TUSK_NO_PARAMS, true);
    ck_plan(q, true);
    ck_ok(begin);
    tusk_query_free(begin);
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IN_TRANSACTION);
    run("commit");
    ck_assert_int_eq(number("select count(*) from explained"), 1);
    tusk_stmt_free(stmt);
}
END_TEST

START_TEST(plan_of_a_failed_or_closed_statement_is_refused)
{
    tusk_stmt *stmt = tusk_prepare(db, _i ? "select 1" : "select nonsense from nowhere", NULL, 0);

    if (_i)
        tusk_query_free(tusk_stmt_close(stmt));
    ck_assert_int_eq(code_of(tusk_stmt_explain(stmt, TUSK_NO_PARAMS, true)), _i ? TUSK_ERR_STATE : TUSK_ERR_SERVER);
    tusk_stmt_free(stmt);
    stmt = tusk_prepare(db, "select $1::int", NULL, 0);
    ck_assert_int_eq(code_of(tusk_stmt_explain(stmt, TUSK_NO_PARAMS, false)), TUSK_ERR_USAGE);
    tusk_stmt_free(stmt);
    stmt = tusk_prepare(db, "begin", NULL, 0);
    ck_assert_int_eq(code_of(tusk_stmt_explain(stmt, TUSK_NO_PARAMS, false)), TUSK_ERR_SERVER);
    tusk_stmt_free(stmt);
    ck_usable(db);
}
END_TEST

/* ---- types without binary output: 42883 and the repetition ------------------------------------------------------------------ */

static const char acl_sql[] = "select '=r/drv'::aclitem, 5, array['=r/drv'::aclitem]";

static void check_acl(tusk_query *q)
{
    tusk_row row;

    ck_ok(q);
    ck_assert_uint_eq(tusk_query_n_rows(q), 1);
    ck_assert(tusk_next_row(q, &row));
    ck_assert(tusk_str_is(tusk_get_text(&row, 0), "=r/drv"));
    ck_assert_int_eq(tusk_get_int4(&row, 1), 5);
    ck_assert(tusk_str_is(tusk_get_text(&row, 2), "{=r/drv}"));
    ck_assert_int_eq(tusk_query_column(q, 0)->format, 0);
    ck_assert_int_eq(tusk_query_column(q, 1)->format, 1);
    tusk_query_free(q);
}

START_TEST(type_without_binary_output_is_asked_for_again_in_text)
{
    check_acl(tusk_exec(db, acl_sql, TUSK_NO_PARAMS));
    check_acl(tusk_exec(db, acl_sql, TUSK_NO_PARAMS));
}
END_TEST

START_TEST(statement_knows_the_types_without_binary_output)
{
    tusk_stmt *stmt = tusk_prepare(db, acl_sql, NULL, 0);

    run("begin"); /* where nothing could be repeated */
    check_acl(tusk_stmt_exec(stmt, TUSK_NO_PARAMS));
    run("commit");
    tusk_stmt_free(stmt);
}
END_TEST

START_TEST(repetition_inside_a_transaction_is_left_to_the_caller)
{
    tusk_query *q;

    run("begin");
    q = tusk_exec(db, acl_sql, TUSK_NO_PARAMS);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_error(tusk_query_error(q), TUSK_ERR_SERVER, "42883", "no binary output function available for type aclitem");
    ck_assert_str_eq(tusk_query_error(q)->hint,
                     "A column's type has no binary output; now that is known. Retry the transaction.");
    ck_assert_int_eq(tusk_query_error(q)->retry, TUSK_RETRY_TRANSACTION);
    ck_assert(tusk_error_is_retriable(tusk_query_error(q)));
    tusk_query_free(q);
    run("rollback");
    run("begin"); /* known by now */
    check_acl(tusk_exec(db, acl_sql, TUSK_NO_PARAMS));
    run("commit");
}
END_TEST

START_TEST(repetition_does_not_overtake_what_was_sent_behind)
{
    tusk_query *q, *behind;

    ck_usable(db);
    q = tusk_exec(db, acl_sql, TUSK_NO_PARAMS);
    behind = tusk_exec(db, "select 1", TUSK_NO_PARAMS);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_assert_str_eq(tusk_query_error(q)->hint,
                     "A column's type has no binary output; now that is known. Repeating is safe.");
    ck_assert_int_eq(tusk_query_error(q)->retry, TUSK_RETRY_REQUEST);
    ck_assert_int_eq(one_number(behind), 1);
    tusk_query_free(q);
}
END_TEST

/* Held back, not sent: it stays behind the repetition. */
START_TEST(repetition_keeps_its_place_before_what_is_held)
{
    tusk_query *q, *held;

    ck_usable(db);
    q = tusk_submit(db, &(tusk_request){.sql = acl_sql, .cancelable = true});
    held = tusk_exec(db, "select 1", TUSK_NO_PARAMS);
    ck_assert_int_eq(one_number(held), 1);
    check_acl(q);
}
END_TEST

/* The same code for another reason is nobody's business but the caller's: it ran once. */
START_TEST(missing_function_in_the_statement_is_not_repeated)
{
    tusk_query *q;

    run("create temp sequence runs");
    run("create function pg_temp.fails() returns int language plpgsql as $$ begin "
        "perform nextval('runs'); return no_such_function(1); end $$");
    q = tusk_exec(db, "select pg_temp.fails()", TUSK_NO_PARAMS);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_error(tusk_query_error(q), TUSK_ERR_SERVER, "42883", "function no_such_function(integer) does not exist");
    tusk_query_free(q);
    ck_assert_int_eq(number("select last_value from runs"), 1);
}
END_TEST

/* A recycled query has nothing of the refusal before it. */
START_TEST(statement_behind_a_refused_one_runs_once)
{
    tusk_query *q;

    run("create temp table once (a int)");
    run("begin");
    ck_assert_int_eq(code_of(tusk_exec(db, acl_sql, TUSK_NO_PARAMS)), TUSK_ERR_SERVER);
    run("rollback");
    q = tusk_exec(db, "insert into once values (1) returning a", TUSK_NO_PARAMS);
    ck_ok(q);
    ck_assert_uint_eq(tusk_query_n_rows(q), 1);
    tusk_query_free(q);
    ck_assert_int_eq(number("select count(*) from once"), 1);
}
END_TEST

static const char *const own_types[] = {
    "'happy'::mood",
    "1.5::price",
    "row(1, 'x')::pair",
    "array['sad', 'happy']::mood[]",
    "array[row(1, 'x')::pair]",
    "'[1,2)'::int4range",
    "'1'::xml",
    "'(1,2)'::point",
    "'1 day'::interval",
    "12.50::money",
    "'{\"a\": 1}'::jsonb",
    "row(1, 'x')",
    "'pg_class'::regclass",
    "B'101'",
    "'a b'::tsvector",
};

START_TEST(type_of_ones_own_comes_in_binary_and_as_text_on_demand)
{
    const char *sql = textf("select %s, (%s)::text", own_types[_i], own_types[_i]);
    tusk_query *q, *text;
    tusk_stmt *stmt;
    tusk_row row;

    run("begin");
    run("create type mood as enum ('sad', 'happy')");
    run("create domain price as numeric(10, 2)");
    run("create type pair as (a int, b text)");
    q = tusk_exec(db, sql, TUSK_NO_PARAMS);
    ck_ok(q);
    ck_assert_int_eq(tusk_query_column(q, 0)->format, 1);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_ptr_nonnull(tusk_get_raw(&row, 0).ptr);
    tusk_query_free(q);
    text = tusk_submit(db, &(tusk_request){.sql = sql, .text_results = true});
    ck_ok(text);
    ck_assert(tusk_next_row(text, &row));
    ck_assert(tusk_str_equal(tusk_get_text(&row, 0), tusk_get_text(&row, 1)));
    tusk_query_free(text);
    stmt = tusk_prepare(db, sql, NULL, 0);
    q = tusk_stmt_exec(stmt, TUSK_NO_PARAMS);
    ck_ok(q);
    ck_assert_int_eq(tusk_query_column(q, 0)->format, 1);
    tusk_query_free(q);
    tusk_stmt_free(stmt);
    run("rollback");
}
END_TEST

/* Of a domain, or an enum, the server says its own type: what it takes is found out before the first run, and a value goes there as if to its base. */
START_TEST(value_goes_to_a_type_of_ones_own)
{
    const int32_t numbers[] = {1, 2, 3};
    unsigned char room[32];
    tusk_numeric_view price;
    tusk_stmt *stmt;
    tusk_query *q;
    tusk_row row;

    run_script(
        "create domain pg_temp.positive as int4 check (value > 0); create domain pg_temp.lucky as pg_temp.positive;"
        "create domain pg_temp.moment as timestamptz; create domain pg_temp.blob as bytea;"
        "create domain pg_temp.price as numeric(10, 2); create domain pg_temp.numbers as int4[];"
        "create type pg_temp.mood as enum ('sad', 'happy');"
        "create temp table own (p pg_temp.positive, l pg_temp.lucky, t pg_temp.moment, b pg_temp.blob, n "
        "pg_temp.price, "
        "a pg_temp.numbers, m pg_temp.mood)");
    ck_assert_int_eq(tusk_numeric_from_text(tusk_str_of("12.5"), room, sizeof room, &price, NULL), TUSK_OK);
    stmt = tusk_prepare(db, "insert into own values ($1, $2, $3, $4, $5, $6, $7) returning own::text", NULL, 0);
    for (int i = 0; i < 2; i++) {
        q = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(1), tusk_int8(7), tusk_timestamptz(0), tusk_bytea("\1\2", 2),
                                             tusk_numeric(price), tusk_array_of_int4(numbers, 3), tusk_text("happy")));
        ck_ok(q);
        ck_assert(tusk_next_row(q, &row));
        ck_assert_msg(tusk_str_is(tusk_get_text(&row, 0),
                                  "(1,7,\"2000-01-01 00:00:00+00\",\"\\\\x0102\",12.50,\"{1,2,3}\",happy)"),
                      TUSK_STR_FMT, TUSK_STR_ARG(tusk_get_text(&row, 0)));
        tusk_query_free(q);
    }
    tusk_stmt_free(stmt);
}
END_TEST

/* What does not go there is refused by the server, or before. */
START_TEST(value_that_no_type_of_ones_own_takes_is_refused)
{
    tusk_stmt *stmt;
    tusk_query *q;

    run_script("create domain pg_temp.positive as int4 check (value > 0); create temp table own (p pg_temp.positive)");
    stmt = tusk_prepare(db, "insert into own values ($1)", NULL, 0);
    ck_assert_int_eq(code_of(tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(-1)))), TUSK_ERR_SERVER);
    ck_assert_int_eq(code_of(tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_text("many")))), TUSK_ERR_SERVER);
    ck_assert_int_eq(code_of(tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int8(INT64_C(1) << 40)))), TUSK_ERR_VALUE);
    q = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_array_of_int4((const int32_t[]){1}, 1)));
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_TYPE);
    ck_assert_msg(strncmp(tusk_query_error(q)->where, "bind $1 (pg_temp_", 17) == 0, "%s", said(tusk_query_error(q)));
    ck_assert_ptr_nonnull(strstr(tusk_query_error(q)->hint, "tusk_unknown()."));
    tusk_query_free(q);
    ck_assert_int_eq(code_of(tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_text("2")))), TUSK_OK);
    tusk_stmt_free(stmt);
}
END_TEST

/* A column becomes one without binary output: that is two things to be learned, and only one is repeated. */
START_TEST(second_thing_in_the_way_is_told_as_one_to_be_repeated)
{
    tusk_stmt *stmt;
    tusk_query *q;
    tusk_row row;

    run("create temp table changing as select 1 a");
    stmt = tusk_prepare(db, "select * from changing", NULL, 0);
    q = _i ? tusk_stmt_exec(stmt, TUSK_NO_PARAMS) : tusk_exec(db, "select * from changing", TUSK_NO_PARAMS);
    ck_assert_int_eq(one_number(q), 1);
    run("alter table changing alter a type aclitem using '=r/drv'::aclitem");
    q = _i ? tusk_stmt_exec(stmt, TUSK_NO_PARAMS) : tusk_exec(db, "select * from changing", TUSK_NO_PARAMS);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_assert_str_eq(tusk_query_error(q)->sqlstate, "42883");
    ck_assert_int_eq(tusk_query_error(q)->retry, TUSK_RETRY_REQUEST);
    tusk_query_free(q);
    q = _i ? tusk_stmt_exec(stmt, TUSK_NO_PARAMS) : tusk_exec(db, "select * from changing", TUSK_NO_PARAMS);
    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert(tusk_str_is(tusk_get_text(&row, 0), "=r/drv"));
    tusk_query_free(q);
    tusk_stmt_free(stmt);
}
END_TEST

/* A base type of one's own without a send function: 42883 once, then the statement knows. */
START_TEST(statement_learns_that_a_type_has_no_binary_output)
{
    tusk_stmt *stmt;
    tusk_query *q;
    tusk_row row;

    run("drop type if exists plain cascade"); /* of a run that failed half-way */
    run("create type plain");
    run("create function plain_in(cstring) returns plain language internal immutable strict as 'textin'");
    run("create function plain_out(plain) returns cstring language internal immutable strict as 'textout'");
    run("create type plain (input = plain_in, output = plain_out, like = text)");
    stmt = tusk_prepare(db, "select 'x'::plain, 5", NULL, 0);
    ck_assert_int_eq(code_of(tusk_stmt_ready(stmt)), TUSK_OK);
    for (int i = 0; i < 3; i++) {
        if (i == 2)
            run("begin"); /* known by now */
        q = tusk_stmt_exec(stmt, TUSK_NO_PARAMS);
        ck_ok(q);
        ck_assert(tusk_next_row(q, &row));
        ck_assert(tusk_str_is(tusk_get_text(&row, 0), "x"));
        ck_assert_int_eq(tusk_query_column(q, 0)->format, 0);
        ck_assert_int_eq(tusk_get_int4(&row, 1), 5);
        tusk_query_free(q);
    }
    run("commit");
    tusk_stmt_free(stmt);
    q = tusk_exec(db, "select 'y'::plain, $1::int4", TUSK_PARAMS(tusk_int4(6)));
    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert(tusk_str_is(tusk_get_text(&row, 0), "y"));
    ck_assert_int_eq(tusk_get_int4(&row, 1), 6);
    tusk_query_free(q);
    run("drop type plain cascade");
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("stmt_live");
    TCase *tcase = tcase_create("stmt_live");

    tcase_add_checked_fixture(tcase, live_up, live_down);
    tcase_add_test(tcase, statement_runs_before_and_after_it_is_ready);
    tcase_add_test(tcase, columns_of_a_statement_say_name_type_and_table);
    tcase_add_test(tcase, given_types_are_the_statements);
    tcase_add_loop_test(tcase, integers_become_numeric, 0, 4);
    tcase_add_loop_test(tcase, value_is_fitted_to_the_statements_type, 0, N_OF(fits));
    tcase_add_test(tcase, wrong_number_of_parameters_is_refused);
    tcase_add_loop_test(tcase, failing_prepare_fails_what_waits_for_it, 0, 2 * N_OF(bad));
    tcase_add_loop_test(tcase, closed_statement_is_not_run, 0, 2);
    tcase_add_loop_test(tcase, close_waits_for_the_runs_before_it, 0, 2);
    tcase_add_loop_test(tcase, statement_can_be_freed_while_its_runs_are_in_flight, 0, 3);
    tcase_add_loop_test(tcase, connection_can_be_freed_before_its_statements, 0, 3);
    tcase_add_test(tcase, statement_of_another_connection_is_refused);
    tcase_add_test(tcase, text_results_of_a_statement_leave_its_binary_ones_alone);
    tcase_add_loop_test(tcase, statement_without_rows_and_without_anything, 0, 3);
    tcase_add_test(tcase, statement_of_a_changed_table_is_prepared_again);
    tcase_add_test(tcase, prepared_commit_in_a_failed_transaction_is_an_error);
    tcase_add_test(tcase, many_statements_live_side_by_side);
    tcase_add_loop_test(tcase, plan_is_json_and_what_was_run_for_it_is_rolled_back, 0, 4);
    tcase_add_loop_test(tcase, plan_that_fails_leaves_the_transaction_alone, 0, 2);
    tcase_add_test(tcase, plan_waits_for_the_transaction_that_is_begun);
    tcase_add_loop_test(tcase, plan_of_a_failed_or_closed_statement_is_refused, 0, 2);
    tcase_add_test(tcase, type_without_binary_output_is_asked_for_again_in_text);
    tcase_add_test(tcase, statement_knows_the_types_without_binary_output);
    tcase_add_test(tcase, repetition_inside_a_transaction_is_left_to_the_caller);
    tcase_add_test(tcase, repetition_does_not_overtake_what_was_sent_behind);
    tcase_add_test(tcase, repetition_keeps_its_place_before_what_is_held);
    tcase_add_test(tcase, missing_function_in_the_statement_is_not_repeated);
    tcase_add_test(tcase, statement_behind_a_refused_one_runs_once);
    tcase_add_loop_test(tcase, type_of_ones_own_comes_in_binary_and_as_text_on_demand, 0, N_OF(own_types));
    tcase_add_loop_test(tcase, position_of_a_plans_error_is_one_in_the_statement, 0, 2);
    tcase_add_test(tcase, value_goes_to_a_type_of_ones_own);
    tcase_add_test(tcase, value_that_no_type_of_ones_own_takes_is_refused);
    tcase_add_loop_test(tcase, second_thing_in_the_way_is_told_as_one_to_be_repeated, 0, 2);
    tcase_add_test(tcase, statement_learns_that_a_type_has_no_binary_output);
    suite_add_tcase(suite, tcase);
    return suite;
}
