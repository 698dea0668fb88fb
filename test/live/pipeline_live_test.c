/* Many requests at once against the real server: every answer at its own request, megabytes both ways, COPY among neighbours. */
#include "test/live/live.h"

/* A generator of our own: the same run every time. */
static uint32_t seed;

static uint32_t dice(uint32_t sides)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 16) % sides;
}

/* ---- every answer at its own request --------------------------------------------------------------------------------------- */

/* The n-th request says n: in its value, its number of rows, or its error. */
typedef enum ask_kind {
    VALUE,
    STATEMENT,
    ROWS,
    ERROR_AT_RUN,
    ERROR_AT_PARSE,
    REFUSED,
    SCRIPT,
    SCRIPT_ERROR,
    N_KINDS
} ask_kind;

typedef struct asked {
    tusk_query *q;
    ask_kind kind;
} asked;

static const tusk_code codes[N_KINDS] = {
    [ERROR_AT_RUN] = TUSK_ERR_SERVER,
    [ERROR_AT_PARSE] = TUSK_ERR_SERVER,
    [REFUSED] = TUSK_ERR_VALUE,
    [SCRIPT_ERROR] = TUSK_ERR_SERVER,
};

static tusk_query *ask(ask_kind kind, int n, tusk_stmt *stmt)
{
    switch (kind) {
    case VALUE:
        return tusk_exec(db, "select $1", TUSK_PARAMS(tusk_int4(n)));
    case STATEMENT:
        return tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(n)));
    case ROWS:
        return tusk_exec(db, "select $1::int4 from generate_series(1, $2)",
                         TUSK_PARAMS(tusk_int4(n), tusk_int4(1 + n % 50)));
    case ERROR_AT_RUN:
        return tusk_exec(db, "select ('x' || $1)::int4", TUSK_PARAMS(tusk_text(textf("%d", n))));
    case ERROR_AT_PARSE:
        return tusk_exec(db, textf("select x%d", n), TUSK_NO_PARAMS);
    case REFUSED:
        return tusk_exec(db, "select $1, $2", TUSK_PARAMS(tusk_int4(n), tusk_text("\xff")));
    case SCRIPT:
        return tusk_script(db, textf("select %d; select 1", n));
    case SCRIPT_ERROR:
        return tusk_script(db, textf("select 1; select x%d", n));
    case N_KINDS:
        break;
    }
    return NULL;
}

static void check_answer(const asked *a, int n)
{
    tusk_row row;
    size_t n_rows = 0;

    ck_assert_msg(tusk_await(a->q) == codes[a->kind], "%d (%d): %s", n, a->kind, said(tusk_query_error(a->q)));
    if (a->kind == ERROR_AT_RUN || a->kind == ERROR_AT_PARSE || a->kind == SCRIPT_ERROR)
        ck_assert_msg(strstr(tusk_query_error(a->q)->message, textf("x%d\"", n)) != NULL, "%d: %s", n,
                      tusk_query_error(a->q)->message);
    for (; codes[a->kind] == TUSK_OK && tusk_next_row(a->q, &row); n_rows++)
        ck_assert_int_eq(tusk_get_int8(&row, 0), n);
    if (codes[a->kind] == TUSK_OK)
        ck_assert_uint_eq(n_rows, a->kind == ROWS ? 1 + (unsigned)n % 50 : 1);
}

START_TEST(ten_thousand_answers_each_at_its_own_request)
{
    enum { N = 10000 };
    static asked all[N];
    tusk_stmt *stmt = tusk_prepare(db, "select $1::int4 + 0", NULL, 0);

    seed = 1;
    for (int n = 0; n < N; n++) {
        all[n].kind = dice(100) ? (ask_kind)dice(REFUSED + 1) : dice(2) ? SCRIPT : SCRIPT_ERROR;
        all[n].q = ask(all[n].kind, n, stmt);
        if (dice(500) == 0)
            turn(0);
    }
    for (int n = 0; n < N; n++) {
        check_answer(&all[n], n);
        tusk_query_free(all[n].q);
    }
    tusk_stmt_free(stmt);
    ck_usable(db);
}
END_TEST

/* Freed, canceled, and called back at random: what is left has its own answer. */
START_TEST(answers_are_right_when_neighbours_go_away)
{
    enum { N = 3000 };
    static asked all[N];
    tusk_stmt *stmt = tusk_prepare(db, "select $1::int4 + 0", NULL, 0);

    seed = 2;
    for (int n = 0; n < N; n++) {
        int other = n - (int)dice(20);

        all[n].kind = (ask_kind)dice(ERROR_AT_PARSE + 1);
        all[n].q = ask(all[n].kind, n, stmt);
        if (dice(4) == 0 && other >= 0) {
            tusk_query_free(all[other].q);
            all[other].q = NULL;
        }
        if (dice(50) == 0)
            turn(0);
    }
    for (int n = 0; n < N; n++) {
        if (all[n].q)
            check_answer(&all[n], n);
        tusk_query_free(all[n].q);
    }
    tusk_stmt_free(stmt);
    ck_usable(db);
}
END_TEST

START_TEST(unpipelined_requests_have_transactions_of_their_own)
{
    tusk_query *queries[3];

    run("create temp table kept (a int)");
    queries[0] = tusk_exec(db, "insert into kept values (1)", TUSK_NO_PARAMS);
    queries[1] = tusk_exec(db, "insert into kept values (1/0)", TUSK_NO_PARAMS);
    queries[2] = tusk_exec(db, "insert into kept values (3)", TUSK_NO_PARAMS);
    ck_assert_int_eq(tusk_await(queries[2]), TUSK_OK);
    ck_assert_int_eq(tusk_query_code(queries[0]), TUSK_OK);
    ck_assert_int_eq(tusk_query_code(queries[1]), TUSK_ERR_SERVER);
    for (int i = 0; i < 3; i++)
        tusk_query_free(queries[i]);
    ck_assert_int_eq(number("select sum(a) from kept"), 4);
}
END_TEST

/* ---- megabytes both ways ------------------------------------------------------------------------------------------------------- */

/* The server blocks in sending while we have not read; we must read while we have not sent. */
START_TEST(hundred_megabytes_both_ways_do_not_block_each_other)
{
    enum { N = 100, SIZE = 1000 * 1000 };
    char *bytes = malloc(SIZE);
    tusk_query *echoes[N];
    tusk_row row;

    memset(bytes, 'x', SIZE);
    for (int i = 0; i < N; i++) {
        memcpy(bytes, textf("%03d", i), 3);
        echoes[i] = tusk_exec(db, "select $1", TUSK_PARAMS(tusk_bytea(bytes, SIZE)));
    }
    for (int i = 0; i < N; i++) {
        tusk_str echo;

        ck_ok(echoes[i]);
        ck_assert(tusk_next_row(echoes[i], &row));
        echo = tusk_get_bytea(&row, 0);
        ck_assert_uint_eq(echo.len, SIZE);
        ck_assert_int_eq(memcmp(echo.ptr, textf("%03d", i), 3), 0);
        tusk_query_free(echoes[i]);
    }
    free(bytes);
    ck_usable(db);
}
END_TEST

START_TEST(one_value_of_fifty_megabytes_comes_back)
{
    const size_t size = 50 * 1000 * 1000;
    char *bytes = malloc(size);
    tusk_query *q;
    tusk_row row;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(i * 2654435761u >> 16);
    q = tusk_exec(db, "select $1", TUSK_PARAMS(tusk_bytea(bytes, size)));
    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_uint_eq(tusk_get_bytea(&row, 0).len, size);
    ck_assert_int_eq(memcmp(tusk_get_bytea(&row, 0).ptr, bytes, size), 0);
    tusk_query_free(q);
    free(bytes);
}
END_TEST

/* ---- COPY through the plain call ------------------------------------------------------------------------------------------------ */

typedef enum copy_way { EXEC, PREPARED, AS_SCRIPT, N_WAYS } copy_way;

static const struct {
    const char *sql;
    tusk_code code;
    const char *sqlstate, *message;
} copies[] = {
    {"copy copied from stdin", TUSK_ERR_USAGE, "0A000", "COPY from the client cannot go through a plain query"},
    {"/* x */ COPY copied FROM STDIN", TUSK_ERR_USAGE, "0A000", "COPY from the client cannot go through a plain query"},
    {" ; -- y\n;copy copied from stdin", TUSK_ERR_USAGE, "0A000",
     "COPY from the client cannot go through a plain query"},
    {"copy copied to stdout", TUSK_ERR_USAGE, "0A000", "COPY to the client cannot go through a plain query"},
    {"copy (select * from generate_series(1, 100000)) to stdout", TUSK_ERR_USAGE, "0A000",
     "COPY to the client cannot go through a plain query"},
    {"copy copied to stdout (format nonsense)", TUSK_ERR_SERVER, "22023", "COPY format \"nonsense\" not recognized"},
    {"copy no_such_table from stdin", TUSK_ERR_SERVER, "42P01", "relation \"no_such_table\" does not exist"},
    {"copy copied from nonsense", TUSK_ERR_SERVER, "42601", "syntax error at or near \"nonsense\""},
};

static tusk_query *copy_in_way(copy_way way, const char *sql, tusk_stmt **stmt)
{
    if (way == EXEC)
        return tusk_exec(db, sql, TUSK_NO_PARAMS);
    if (way == AS_SCRIPT)
        return tusk_script(db, sql);
    *stmt = tusk_prepare(db, sql, NULL, 0);
    return tusk_stmt_exec(*stmt, TUSK_NO_PARAMS);
}

/* Alone, and between neighbours that were submitted in the same turn. */
START_TEST(copy_is_refused_and_harms_nobody)
{
    int c = _i / N_WAYS;
    copy_way way = (copy_way)(_i % N_WAYS);
    tusk_stmt *stmt = NULL;
    tusk_query *q, *before, *behind[3];
    tusk_row row;

    run("create temp table copied (a int)");
    before = tusk_exec(db, "insert into copied values (1) returning a", TUSK_NO_PARAMS);
    q = copy_in_way(way, copies[c].sql, &stmt);
    for (int i = 0; i < 3; i++)
        behind[i] = tusk_exec(db, "insert into copied values ($1::int4) returning a", TUSK_PARAMS(tusk_int4(i)));
    ck_ok(before);
    ck_assert_msg(tusk_await(q) == copies[c].code, "%s", said(tusk_query_error(q)));
    ck_error(tusk_query_error(q), copies[c].code, copies[c].sqlstate, copies[c].message);
    ck_assert_int_ne(tusk_query_error(q)->fate, TUSK_FATE_UNKNOWN);
    for (int i = 0; i < 3; i++) {
        ck_ok(behind[i]);
        ck_assert(tusk_next_row(behind[i], &row));
        ck_assert_int_eq(tusk_get_int4(&row, 0), i);
        tusk_query_free(behind[i]);
    }
    ck_assert_int_eq(number("select count(*) from copied"), 4);
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IDLE);
    tusk_query_free(before);
    tusk_query_free(q);
    tusk_stmt_free(stmt);
}
END_TEST

START_TEST(copy_between_table_and_file_of_the_server_works)
{
    const char *file = textf("%s/s/copied.%d", harness_env("TUSK_TEST_DIR"), _i);
    tusk_stmt *stmt = NULL, *back = NULL;
    tusk_query *q;

    run("create temp table copied (a int)");
    q = copy_in_way((copy_way)_i, textf("copy (select generate_series(1, 1000)) to '%s'", file), &stmt);
    ck_ok(q);
    ck_assert_int_eq(tusk_query_rows_affected(q), 1000);
    tusk_query_free(q);
    q = copy_in_way((copy_way)_i, textf("copy copied from '%s'", file), &back);
    ck_ok(q);
    ck_assert(tusk_str_is(tusk_query_tag(q), "COPY 1000"));
    tusk_query_free(q);
    ck_assert_int_eq(number("select sum(a) from copied"), 500500);
    tusk_stmt_free(stmt);
    tusk_stmt_free(back);
    remove(file);
}
END_TEST

START_TEST(refused_copy_fails_its_transaction)
{
    tusk_error err = {0};

    run("create temp table copied (a int)");
    run("begin");
    ck_assert_int_eq(tusk_await_free(tusk_exec(db, "copy copied from stdin", TUSK_NO_PARAMS), &err), TUSK_ERR_USAGE);
    ck_assert_str_eq(err.hint, "nothing was copied; COPY between a table and a file of the server, or INSERT, works "
                               "through a plain query");
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IN_ERROR);
    run("rollback");
    ck_usable(db);
}
END_TEST

START_TEST(copy_from_in_the_middle_of_a_script_ends_it_and_copy_to_does_not)
{
    tusk_error err = {0};

    run("create temp table copied (a int)");
    ck_assert_int_eq(tusk_await_free(tusk_script(db, "insert into copied values (1); copy copied from stdin; "
                                                     "insert into copied values (2)"),
                                     &err),
                     TUSK_ERR_USAGE);
    ck_assert_int_eq(number("select count(*) from copied"), 0);
    ck_assert_int_eq(tusk_await_free(tusk_script(db, "insert into copied values (1); copy copied to stdout; "
                                                     "insert into copied values (2)"),
                                     &err),
                     TUSK_ERR_USAGE);
    ck_assert_str_eq(err.hint,
                     "the data was thrown away, and the rest of the script has run; SELECT works through a script");
    ck_assert_int_eq(number("select count(*) from copied"), 2);
    ck_usable(db);
}
END_TEST

START_TEST(freed_copy_is_drained)
{
    for (int c = 0; c < N_OF(copies); c++) {
        run("create temp table if not exists copied (a int)");
        tusk_query_free(tusk_exec(db, copies[c].sql, TUSK_NO_PARAMS));
        turn(0);
        tusk_query_free(tusk_script(db, copies[c].sql));
        ck_usable(db);
    }
}
END_TEST

/* A trigger's error is raised before the server reads anything of the COPY (DESIGN, Barriers). */
START_TEST(copy_that_fails_before_it_begins_harms_nobody)
{
    tusk_query *q, *behind;

    run("create temp table copied (a int)");
    run("create function pg_temp.no() returns trigger language plpgsql as $$ begin raise 'never'; end $$");
    run("create trigger no before insert on copied execute function pg_temp.no()");
    q = tusk_exec(db, "copy copied from stdin", TUSK_NO_PARAMS);
    behind = tusk_exec(db, "select 1", TUSK_NO_PARAMS);
    ck_assert_int_ne(tusk_await(q), TUSK_OK);
    ck_ok(behind);
    tusk_query_free(q);
    tusk_query_free(behind);
    ck_usable(db);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("pipeline_live");
    TCase *tcase = tcase_create("pipeline_live");

    tcase_add_checked_fixture(tcase, live_up, live_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, ten_thousand_answers_each_at_its_own_request);
    tcase_add_test(tcase, answers_are_right_when_neighbours_go_away);
    tcase_add_test(tcase, unpipelined_requests_have_transactions_of_their_own);
    tcase_add_test(tcase, hundred_megabytes_both_ways_do_not_block_each_other);
    tcase_add_test(tcase, one_value_of_fifty_megabytes_comes_back);
    tcase_add_loop_test(tcase, copy_is_refused_and_harms_nobody, 0, N_OF(copies) * N_WAYS);
    tcase_add_loop_test(tcase, copy_between_table_and_file_of_the_server_works, 0, N_WAYS);
    tcase_add_test(tcase, refused_copy_fails_its_transaction);
    tcase_add_test(tcase, copy_from_in_the_middle_of_a_script_ends_it_and_copy_to_does_not);
    tcase_add_test(tcase, freed_copy_is_drained);
    tcase_add_test(tcase, copy_that_fails_before_it_begins_harms_nobody);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("pipeline_live_tls");
    tcase_add_checked_fixture(tcase, live_up_tls, live_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, ten_thousand_answers_each_at_its_own_request);
    tcase_add_test(tcase, answers_are_right_when_neighbours_go_away);
    tcase_add_test(tcase, hundred_megabytes_both_ways_do_not_block_each_other);
    suite_add_tcase(suite, tcase);
    return suite;
}
