/* Named parameters against the real server: what it makes of the text with numbers, values, and the positions of its errors.
 * Read first: tusk/named.h. */
#include "test/live/live.h"

static tusk_query *ask(const char *sql, tusk_args args)
{
    return tusk_submit(db, &(tusk_request){.sql = sql, .args = args});
}

#define NO_ARGS tusk_args_of(NULL, 0)

/* ---- the server counts as many parameters -------------------------------------------------------------------------------------------- */

START_TEST(the_server_finds_as_many_parameters_as_names)
{
    static const struct {
        const char *sql;
        size_t n;
    } rows[] = {
        {"select 1", 0},
        {"select :a::int4", 1},
        {"select :a::int4 + :b::int4 - :a", 2},
        {"select relname from pg_class where oid=:oid::oid and relname<>:name", 2},
        {"select (array[1,2,3])[1:2], (array[1,2,3])[:lo::int4 : :hi::int4]", 2},
        {"select a[lo:hi], a[lo : hi], a[: hi] from (select array[1,2,3] a, 1 lo, 2 hi) t where lo=:lo", 1},
        {"select ':a', \":b\", E'\\':c', $$ :d $$, :e::text -- :f\n from (select 1 as \":b\") t /* :g */", 1},
        {"select make_interval(days:=:days, hours => :hours)", 2},
        {"select jsonb_build_object('a', :a::text)->>:b, '{\"x\":1}'::jsonb->'x'", 2},
        {"insert into pg_temp.t values(:a,:b),(:b,:a) returning a", 2},
        {"do $$ declare x int; begin x := 1; end $$", 0},
    };
    tusk_error err = {0};

    run("create temp table t (a int, b int)");
    for (int i = 0; i < N_OF(rows); i++) {
        tusk_named *named = tusk_named_parse(tusk_str_of(rows[i].sql), NULL, &err);
        tusk_stmt *stmt;

        ck_assert_msg(named != NULL, "%s: %s", rows[i].sql, said(&err));
        stmt = tusk_prepare(db, tusk_named_sql(named), NULL, 0);
        ck_assert_msg(tusk_await_free(tusk_stmt_ready(stmt), &err) == TUSK_OK, "%s: %s", rows[i].sql, said(&err));
        ck_assert_uint_eq(tusk_named_n_params(named), rows[i].n);
        ck_assert_int_eq(tusk_stmt_n_params(stmt), (int)rows[i].n);
        tusk_named_free(named);
        tusk_stmt_free(stmt);
    }
}
END_TEST

/* ---- values -------------------------------------------------------------------------------------------------------------------------- */

START_TEST(values_arrive_at_their_names)
{
    tusk_query *q =
        ask("select :second || '-' || :first || '-' || :second, :third::int4",
            TUSK_ARGS({"first", tusk_text("a")}, {"third", tusk_int4(3)}, {"second", tusk_text("b':first")}));
    tusk_row row;

    ck_assert_int_eq(tusk_query_one(q, &row, NULL), TUSK_OK);
    ck_assert(tusk_str_is(tusk_get_text(&row, 0), "b':first-a-b':first"));
    ck_assert_int_eq(tusk_get_int4(&row, 1), 3);
    tusk_query_free(q);
}
END_TEST

START_TEST(a_text_of_known_length_has_names_too)
{
    tusk_query *q = tusk_submit(
        db, &(tusk_request){.sql_str = {"select :a::int4 nonsense", 15}, .args = TUSK_ARGS({"a", tusk_int4(5)})});
    tusk_row row;

    ck_assert_int_eq(tusk_query_scalar(q, &row, NULL), TUSK_OK);
    ck_assert_int_eq(tusk_get_int4(&row, 0), 5);
    tusk_query_free(q);
}
END_TEST

/* The statement is the same, its values are not; the first ones wait for the login. */
START_TEST(one_statement_serves_many_requests_in_flight)
{
    enum { N = 200 };
    tusk_error err = {0};
    tusk_named *named = tusk_named_parse(tusk_str_of("select :n::int4 * 2 + length(:text)"), NULL, &err);
    tusk_query *q[N];
    tusk_row row;

    ck_assert_ptr_nonnull(named);
    for (int i = 0; i < N; i++) {
        q[i] = tusk_submit(
            db, &(tusk_request){.named = named,
                                .args = TUSK_ARGS({"text", tusk_text(textf("%d", i))}, {"n", tusk_int4(i)})});
        if (i == N / 2)
            ck_ok(q[0]);
    }
    tusk_named_free(named); /* those in flight keep it */
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(tusk_query_scalar(q[i], &row, &err), TUSK_OK);
        ck_assert_int_eq(tusk_get_int4(&row, 0), 2 * i + (i > 99 ? 3 : i > 9 ? 2 : 1));
        tusk_query_free(q[i]);
    }
}
END_TEST

START_TEST(a_prepared_statement_takes_names_by_tusk_named_bind)
{
    tusk_named *named = tusk_named_parse(tusk_str_of("select :a::text || :b"), NULL, NULL);
    tusk_stmt *stmt = tusk_prepare(db, tusk_named_sql(named), NULL, 0);
    tusk_query *q[2];
    tusk_params params;
    tusk_row row;

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(
            tusk_named_bind(named, TUSK_ARGS({"b", tusk_text("y")}, {"a", tusk_text(i ? "z" : "x")}), &params, NULL),
            TUSK_OK);
        q[i] = tusk_stmt_exec(stmt, params);
    }
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(tusk_query_scalar(q[i], &row, NULL), TUSK_OK);
        ck_assert(tusk_str_is(tusk_get_text(&row, 0), i ? "zy" : "xy"));
        tusk_query_free(q[i]);
    }
    tusk_stmt_free(stmt);
    tusk_named_free(named);
}
END_TEST

/* ---- errors of the server ------------------------------------------------------------------------------------------------------------- */

/* At which character the marked place of a text is. */
static int place_of(const char *sql, const char *what)
{
    int n = 1;

    for (const char *p = sql; p < strstr(sql, what); p++)
        n += ((unsigned char)*p & 0xC0) != 0x80;
    return n;
}

START_TEST(positions_of_errors_are_those_of_the_text_with_names)
{
    static const struct {
        const char *sql, *at;
    } rows[] = {
        {"select nonsense", "nonsense"},
        {"select nonsense, :first, :second", "nonsense"},
        {"select :first || 'x', nonsense", "nonsense"},
        {"select '\xc3\xa4' || :first || :f\xc3\xbcnf::text || :first as \xe2\x82\xac, nonsense", "nonsense"},
        {"select :first || :second || :first, nonsense, :second", "nonsense"},
        {"select :first where :second", ":second"},
        {"select :first, :second )", ")"},
        {"select a:first", ":first"},
    };

    for (int i = 0; i < 2 * N_OF(rows); i++) {
        const char *sql = rows[i / 2].sql;
        tusk_named *named = i % 2 ? tusk_named_parse(tusk_str_of(sql), NULL, NULL) : NULL;
        tusk_arg args[3] = {{"first", tusk_text("1")}, {"second", tusk_text("2")}, {"f\xc3\xbcnf", tusk_text("5")}};
        tusk_arg given[3];
        size_t n = 0;
        tusk_query *q;

        for (int a = 0; a < 3; a++)
            if (strstr(sql, textf(" :%s", args[a].name)))
                given[n++] = args[a];
        q = tusk_submit(db, &(tusk_request){.sql = named ? NULL : sql, .named = named, .args = {given, n}});
        ck_assert_msg(tusk_await(q) == TUSK_ERR_SERVER, "%s: %s", sql, said(tusk_query_error(q)));
        ck_assert_msg(tusk_query_error(q)->position == place_of(sql, rows[i / 2].at), "%s: %s at %d", sql,
                      said(tusk_query_error(q)), tusk_query_error(q)->position);
        if (strlen(sql) < 60 && !strchr(sql, '\''))
            ck_assert_str_eq(tusk_query_error(q)->where, textf("exec \"%s\"", sql));
        tusk_query_free(q);
        tusk_named_free(named);
    }
}
END_TEST

/* A recycled query has forgotten the names of the one before. */
START_TEST(the_next_query_has_positions_of_its_own)
{
    tusk_query *q = ask("select :a_long_name || nonsense", TUSK_ARGS({"a_long_name", tusk_text("1")}));

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_assert_int_eq(tusk_query_error(q)->position, 24);
    tusk_query_free(q);
    q = tusk_exec(db, "select $1 || nonsense", TUSK_PARAMS(tusk_text("1")));
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_assert_int_eq(tusk_query_error(q)->position, 14);
    tusk_query_free(q);
}
END_TEST

/* ---- errors of the caller -------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *sql, *name; /* of the one value */
    const char *sqlstate, *message;
    int position;
} refused[] = {
    {"select :a, :b", "a", "42P02", "no value is given for :b", 0},
    {"select :b", "a", "42P02", "the statement has no parameter \"a\"", 0},
    {"select $1", "a", "42601", "$1 in a statement whose parameters have names: write a name instead", 8},
    {"select :a + $1", "a", "42601", "$1 in a statement whose parameters have names: write a name instead", 13},
    {"select :a, '", "a", "42601", "unterminated quoted string", 12},
};

START_TEST(wrong_names_are_refused_before_anything_is_sent)
{
    tusk_query *q = ask(refused[_i].sql, TUSK_ARGS({refused[_i].name, tusk_text("1")}));

    ck_assert(!tusk_query_is_done(q));
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_USAGE);
    ck_error(tusk_query_error(q), TUSK_ERR_USAGE, refused[_i].sqlstate, refused[_i].message);
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    ck_assert_int_eq(tusk_query_error(q)->position, refused[_i].position);
    ck_assert_ptr_nonnull(strstr(tusk_query_error(q)->where, "exec \"select "));
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

START_TEST(names_and_numbers_do_not_mix)
{
    tusk_named *named = tusk_named_parse(tusk_str_of("select :a"), NULL, NULL);
    tusk_stmt *stmt = tusk_prepare(db, "select $1", NULL, 0);
    tusk_args args = TUSK_ARGS({"a", tusk_text("1")});
    tusk_params params = TUSK_PARAMS(tusk_text("1"));
    const struct {
        tusk_request request;
        const char *message;
    } rows[] = {
        {{.named = named, .sql = "select 1", .args = args}, "named is given together with sql or stmt"},
        {{.named = named, .sql_str = {"x", 1}, .args = args}, "named is given together with sql or stmt"},
        {{.named = named, .stmt = stmt, .args = args}, "named is given together with sql or stmt"},
        {{.named = named, .params = params}, "values are given by number where names are used"},
        {{.sql = "select :a", .params = params, .args = args}, "values are given by number where names are used"},
        {{.stmt = stmt, .args = args},
         "a prepared statement takes values by number: tusk_named_bind() makes them of names"},
        {{.sql = "select :a", .script = true, .args = args},
         "a script takes neither parameters nor a prepared statement"},
        {{.named = named, .script = true}, "a script takes neither parameters nor a prepared statement"},
        {{.args = args}, "neither sql nor stmt is given"},
    };

    for (int i = 0; i < N_OF(rows); i++) {
        tusk_query *q = tusk_submit(db, &rows[i].request);

        ck_assert_int_eq(tusk_await(q), TUSK_ERR_USAGE);
        ck_error(tusk_query_error(q), TUSK_ERR_USAGE, "42601", rows[i].message);
        ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
        tusk_query_free(q);
    }
    tusk_stmt_free(stmt);
    tusk_named_free(named);
    ck_usable(db);
}
END_TEST

START_TEST(no_values_are_values_too)
{
    tusk_query *q = ask("select :a", TUSK_NO_ARGS);

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_USAGE);
    ck_error(tusk_query_error(q), TUSK_ERR_USAGE, "42P02", "no value is given for :a");
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    tusk_query_free(q);
    q = ask("select 1", TUSK_NO_ARGS);
    ck_ok(q);
    tusk_query_free(q);
}
END_TEST

START_TEST(without_values_a_text_is_not_read_for_names)
{
    tusk_query *q = ask("select (array[1,2,3])[:a]", NO_ARGS);

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_assert_str_eq(tusk_query_error(q)->sqlstate, "42703"); /* a slice up to a column a */
    ck_assert_int_eq(tusk_query_error(q)->position, 24);
    tusk_query_free(q);
}
END_TEST

START_TEST(a_deadline_that_is_over_is_what_is_told)
{
    tusk_query *q =
        tusk_submit(db, &(tusk_request){.sql = "select :b", .timeout = -2, .args = TUSK_ARGS({"a", tusk_int4(1)})});

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_TIMEOUT);
    tusk_query_free(q);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("named_live");
    TCase *tcase = tcase_create("named_live");

    tcase_add_checked_fixture(tcase, live_up, live_down);
    tcase_add_test(tcase, the_server_finds_as_many_parameters_as_names);
    tcase_add_test(tcase, values_arrive_at_their_names);
    tcase_add_test(tcase, a_text_of_known_length_has_names_too);
    tcase_add_test(tcase, one_statement_serves_many_requests_in_flight);
    tcase_add_test(tcase, a_prepared_statement_takes_names_by_tusk_named_bind);
    tcase_add_test(tcase, positions_of_errors_are_those_of_the_text_with_names);
    tcase_add_test(tcase, the_next_query_has_positions_of_its_own);
    tcase_add_loop_test(tcase, wrong_names_are_refused_before_anything_is_sent, 0, N_OF(refused));
    tcase_add_test(tcase, names_and_numbers_do_not_mix);
    tcase_add_test(tcase, no_values_are_values_too);
    tcase_add_test(tcase, without_values_a_text_is_not_read_for_names);
    tcase_add_test(tcase, a_deadline_that_is_over_is_what_is_told);
    suite_add_tcase(suite, tcase);
    return suite;
}
