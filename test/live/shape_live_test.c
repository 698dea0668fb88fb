/* Results by their shape against the real server: one row or none, one column, and whether an INSERT has put anything in.
 * Read first: tusk/query.h, "results of a known shape". */
#include "test/live/live.h"

static tusk_query *ask(const char *sql)
{
    return tusk_exec(db, sql, TUSK_NO_PARAMS);
}

/* ---- the four shapes, over results of every size ------------------------------------------------------------------------------------- */

enum { ONE, ONE_OR_NONE, SCALAR, SCALAR_OR_NONE, N_SHAPES };

static tusk_code (*const shapes[N_SHAPES])(tusk_query *q, tusk_row *row, tusk_error *err) = {
    tusk_query_one, tusk_query_one_or_none, tusk_query_scalar, tusk_query_scalar_or_none};

#define NONE TUSK_ERR_VALUE, "P0002", "no row, but one was expected"
#define MANY TUSK_ERR_VALUE, "P0003", "3 rows, but one was expected"
#define WIDE TUSK_ERR_USAGE, "42601", "2 columns, but one was expected"
#define BARE TUSK_ERR_USAGE, "42601", "0 columns, but one was expected"
#define DUMB TUSK_ERR_USAGE, "42601", "the statement yields no rows, whatever it does"
#define ZERO TUSK_ERR_SERVER, "22012", "division by zero"
#define FINE TUSK_OK, "", ""
#define DONE TUSK_DONE, "", ""

static const struct {
    const char *sql;
    struct {
        tusk_code code;
        const char *sqlstate, *message;
    } of[N_SHAPES];
} results[] = {
    {"select 1", {{FINE}, {FINE}, {FINE}, {FINE}}},
    {"select null::int", {{FINE}, {FINE}, {FINE}, {FINE}}},
    {"select 1 where false", {{NONE}, {DONE}, {NONE}, {DONE}}},
    {"select generate_series(1, 3)", {{MANY}, {MANY}, {MANY}, {MANY}}},
    {"select 1, 2", {{FINE}, {FINE}, {WIDE}, {WIDE}}},
    {"select 1, 2 where false", {{NONE}, {DONE}, {WIDE}, {WIDE}}},
    {"select 1, generate_series(1, 3)", {{MANY}, {MANY}, {WIDE}, {WIDE}}},
    {"select", {{FINE}, {FINE}, {BARE}, {BARE}}},
    {"create temp table t (a int)", {{DUMB}, {DUMB}, {DUMB}, {DUMB}}},
    {"", {{DUMB}, {DUMB}, {DUMB}, {DUMB}}},
    {"select 1 / 0", {{ZERO}, {ZERO}, {ZERO}, {ZERO}}},
};

START_TEST(each_shape_takes_what_it_is_and_names_what_it_is_not)
{
    int r = _i / N_SHAPES, shape = _i % N_SHAPES;
    tusk_query *q = ask(results[r].sql);
    tusk_error err = {.code = TUSK_ERR_LOST};
    tusk_row row = {.n_cols = 4711};

    for (int again = 0; again < 2; again++) { /* awaited by the call, and done already */
        tusk_code code = shapes[shape](q, &row, &err);

        ck_assert_msg(code == results[r].of[shape].code, "%s: %s, %s", results[r].sql, tusk_code_name(code),
                      said(&err));
        ck_assert(tusk_query_is_done(q));
        if (code == TUSK_OK || code == TUSK_DONE) {
            ck_assert_int_eq(err.code, TUSK_OK);
        } else {
            ck_error(&err, code, results[r].of[shape].sqlstate, results[r].of[shape].message);
            ck_assert_str_eq(err.where, textf("exec \"%s\"", results[r].sql));
            ck_assert_int_eq(err.fate, TUSK_FATE_ANSWERED);
        }
        ck_assert_int_eq(row.n_cols, code == TUSK_OK ? (unsigned)tusk_query_n_cols(q) : 4711);
        ck_assert_int_eq(shapes[shape](q, &row, NULL), code);
        row.n_cols = 4711;
    }
    ck_assert_int_eq(tusk_query_value_error(q)->code, TUSK_OK);
    tusk_query_free(q);
}
END_TEST

START_TEST(null_is_not_no_row)
{
    tusk_query *null = ask("select null::int"), *none = ask("select 1 where false");
    tusk_error err = {0};
    tusk_row row;
    int64_t n;

    ck_assert_int_eq(tusk_query_scalar_or_none(null, &row, &err), TUSK_OK);
    ck_assert(tusk_is_null(&row, 0));
    ck_assert_int_eq(tusk_read_int8(&row, 0, &n, &err), TUSK_ERR_NULL);
    ck_assert_int_eq(tusk_query_scalar_or_none(none, &row, &err), TUSK_DONE);
    tusk_query_free(null);
    tusk_query_free(none);
}
END_TEST

START_TEST(columns_are_known_without_rows)
{
    tusk_query *q = ask("select 1 as one, 'x'::text as two where false");
    tusk_row row;

    ck_assert_int_eq(tusk_query_one_or_none(q, &row, NULL), TUSK_DONE);
    ck_assert_int_eq(tusk_query_n_cols(q), 2);
    ck_assert(tusk_str_is(tusk_query_column(q, 1)->name, "two"));
    ck_assert_uint_eq(tusk_query_column(q, 1)->type, TUSK_OID_TEXT);
    tusk_query_free(q);
}
END_TEST

START_TEST(a_scalar_is_read_by_the_readers_that_there_are)
{
    tusk_query *q = ask("select 'text of some length'::text");
    tusk_error err = {0};
    tusk_row row;
    tusk_str text;
    int64_t n;

    ck_assert_int_eq(tusk_query_scalar(q, &row, &err), TUSK_OK);
    ck_assert_int_eq(tusk_read_int8(&row, 0, &n, &err), TUSK_ERR_TYPE);
    ck_assert_int_eq(tusk_read_text(&row, 0, &text, &err), TUSK_OK);
    ck_assert(tusk_str_is(text, "text of some length"));
    tusk_query_free(q);
}
END_TEST

/* ---- beside the walk over the rows ------------------------------------------------------------------------------------------------------ */

START_TEST(asking_for_the_row_does_not_move_the_walk)
{
    tusk_query *q = ask("select 42");
    tusk_row row, walked;

    ck_assert_int_eq(tusk_query_one(q, &row, NULL), TUSK_OK);
    ck_assert(tusk_next_row(q, &walked));
    ck_assert_int_eq(tusk_get_int4(&walked, 0), 42);
    ck_assert_int_eq(tusk_query_one(q, &row, NULL), TUSK_OK);
    ck_assert_int_eq(tusk_get_int4(&row, 0), 42);
    ck_assert(!tusk_next_row(q, &walked));
    tusk_query_free(q);
}
END_TEST

START_TEST(a_row_that_was_streamed_is_gone)
{
    tusk_query *q = ask("select 42");
    tusk_error err = {0};
    tusk_row row;

    ck_assert(tusk_next_row(q, &row)); /* while it runs */
    ck_assert_int_eq(tusk_query_one(q, &row, &err), TUSK_ERR_STATE);
    ck_error(&err, TUSK_ERR_STATE, "55000", "tusk_next_row() took the row while the query ran");
    tusk_query_free(q);
}
END_TEST

/* The one that is left is not the only one. */
START_TEST(a_streamed_row_counts)
{
    tusk_query *q = ask("select generate_series(1, 2)");
    tusk_error err = {0};
    tusk_row row;

    ck_assert(tusk_next_row(q, &row));
    ck_assert_int_eq(tusk_query_one(q, &row, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.sqlstate, "P0003");
    tusk_query_free(q);
}
END_TEST

static void ignore_row(tusk_query *q, const tusk_row *row, void *user)
{
    (void)q, (void)row, (void)user;
}

START_TEST(rows_that_on_row_got_are_not_kept)
{
    tusk_query *q = tusk_submit(db, &(tusk_request){.sql = "select 1", .on_row = ignore_row});
    tusk_error err = {0};
    tusk_row row;

    ck_assert_int_eq(tusk_query_one(q, &row, &err), TUSK_ERR_USAGE);
    ck_error(&err, TUSK_ERR_USAGE, "42601", "on_row got the rows: none is kept");
    tusk_query_free(q);
}
END_TEST

START_TEST(of_a_script_it_is_the_present_result)
{
    tusk_query *q = tusk_script(db, "select 1; select 2 where false; select 3");
    tusk_row row;

    ck_assert_int_eq(tusk_query_scalar(q, &row, NULL), TUSK_OK);
    ck_assert_int_eq(tusk_get_int4(&row, 0), 1);
    ck_assert(tusk_next_result(q));
    ck_assert_int_eq(tusk_query_scalar_or_none(q, &row, NULL), TUSK_DONE);
    ck_assert(tusk_next_result(q));
    ck_assert_int_eq(tusk_query_scalar(q, &row, NULL), TUSK_OK);
    ck_assert_int_eq(tusk_get_int4(&row, 0), 3);
    tusk_query_free(q);
}
END_TEST

/* ---- waiting ---------------------------------------------------------------------------------------------------------------------------- */

static tusk_query *other;
static tusk_code code_in_callback;
static tusk_error error_in_callback;
static int32_t value_in_callback;

static void ask_for_both(tusk_query *q, void *user)
{
    tusk_row row;

    (void)user;
    ck_assert_int_eq(tusk_query_one(q, &row, NULL), TUSK_OK);
    value_in_callback = tusk_get_int4(&row, 0);
    code_in_callback = tusk_query_one(other, &row, &error_in_callback);
}

START_TEST(in_a_callback_what_is_done_is_given_and_nothing_is_waited_for)
{
    ck_assert_ptr_nonnull(tusk_submit(db, &(tusk_request){.sql = "select 42", .on_done = ask_for_both}));
    other = ask("select 43, pg_sleep(0)");
    ck_ok(other);
    ck_assert_int_eq(value_in_callback, 42);
    ck_error(&error_in_callback, TUSK_ERR_STATE, "55000",
             "a query cannot be waited for inside a callback: use on_done");
    ck_assert_int_eq(code_in_callback, TUSK_ERR_STATE);
    tusk_query_free(other);
}
END_TEST

static void ignore_end(tusk_query *q, void *user)
{
    if (user)
        tusk_query_keep(q);
}

START_TEST(a_query_that_frees_itself_has_no_row)
{
    tusk_error err = {0};
    tusk_row row = {.n_cols = 4711};
    tusk_query *q = tusk_submit(db, &(tusk_request){.sql = "select 42", .on_done = ignore_end});

    ck_assert_int_eq(tusk_query_one(q, &row, &err), TUSK_ERR_CANCELED);
    ck_error(&err, TUSK_ERR_CANCELED, "57014", "the query was freed by a callback while it was waited for");
    ck_assert_uint_eq(row.n_cols, 4711);
    q = tusk_submit(db, &(tusk_request){.sql = "select 42", .on_done = ignore_end, .user = &err});
    ck_assert_int_eq(tusk_query_one(q, &row, &err), TUSK_OK);
    ck_assert_int_eq(tusk_get_int4(&row, 0), 42);
    tusk_query_free(q);
}
END_TEST

START_TEST(what_cannot_be_waited_for_says_why)
{
    tusk_query *q = tusk_submit(db, &(tusk_request){.sql = "select 1", .on_row = ignore_row});
    tusk_error err = {0};
    tusk_row row;

    ck_assert_int_eq(tusk_query_pause(q), TUSK_OK);
    ck_assert_int_eq(tusk_query_one_or_none(q, &row, &err), TUSK_ERR_STATE);
    ck_error(&err, TUSK_ERR_STATE, "55000", "the query is paused: only tusk_query_resume() can move it");
    tusk_query_free(q);
    ck_assert_int_eq(tusk_query_one(NULL, &row, &err), TUSK_ERR_NOMEM);
    ck_error(&err, TUSK_ERR_NOMEM, "53200", "out of memory");
    q = tusk_conn_ready(db);
    ck_assert_int_eq(tusk_query_one(q, &row, &err), TUSK_ERR_USAGE);
    ck_assert_str_eq(err.where, "");
    tusk_query_free(q);
}
END_TEST

START_TEST(a_query_that_was_canceled_says_so)
{
    tusk_query *q = ask("select 1");
    tusk_error err = {0};
    tusk_row row;

    tusk_query_cancel(q);
    ck_assert_int_eq(tusk_query_one(q, &row, &err), TUSK_ERR_CANCELED);
    ck_assert_str_eq(err.message, tusk_query_error(q)->message);
    tusk_query_free(q);
}
END_TEST

/* ---- was anything put in ---------------------------------------------------------------------------------------------------------------- */

START_TEST(an_insert_that_put_rows_in_is_told_from_one_that_did_not)
{
    static const struct {
        const char *sql;
        bool was_inserted;
        int64_t n;
    } rows[] = {
        {"insert into once values (1), (2)", true, 2},
        {"insert into once values (1) on conflict do nothing", false, 0},
        {"insert into once values (3) on conflict do nothing", true, 1},
        {"insert into once values (3) on conflict (a) do update set a = 4", true, 1},
        {"insert into once select 5 where false", false, 0},
        {"insert into once values (5) returning a", true, 1},
        {"update once set a = 6 where a = 5", false, 1},
        {"delete from once where a = 6", false, 1},
        {"select 'INSERT 0 5' from once", false, 3},
        {"create temp table two (a int)", false, -1},
        {"insert into no_such_table values (1)", false, -1},
    };

    run("create temp table once (a int unique)");
    for (int i = 0; i < N_OF(rows); i++) {
        tusk_query *q = ask(rows[i].sql);

        ck_assert(!tusk_query_was_inserted(q)); /* not yet */
        (void)tusk_await(q);
        ck_assert_msg(tusk_query_was_inserted(q) == rows[i].was_inserted, "%s", rows[i].sql);
        ck_assert_int_eq(tusk_query_rows_affected(q), rows[i].n);
        tusk_query_free(q);
    }
    ck_assert(!tusk_query_was_inserted(NULL));
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("shape_live");
    TCase *tcase = tcase_create("shape_live");

    tcase_add_checked_fixture(tcase, live_up, live_down);
    tcase_add_loop_test(tcase, each_shape_takes_what_it_is_and_names_what_it_is_not, 0, N_OF(results) * N_SHAPES);
    tcase_add_test(tcase, null_is_not_no_row);
    tcase_add_test(tcase, columns_are_known_without_rows);
    tcase_add_test(tcase, a_scalar_is_read_by_the_readers_that_there_are);
    tcase_add_test(tcase, asking_for_the_row_does_not_move_the_walk);
    tcase_add_test(tcase, a_row_that_was_streamed_is_gone);
    tcase_add_test(tcase, a_streamed_row_counts);
    tcase_add_test(tcase, rows_that_on_row_got_are_not_kept);
    tcase_add_test(tcase, of_a_script_it_is_the_present_result);
    tcase_add_test(tcase, in_a_callback_what_is_done_is_given_and_nothing_is_waited_for);
    tcase_add_test(tcase, a_query_that_frees_itself_has_no_row);
    tcase_add_test(tcase, what_cannot_be_waited_for_says_why);
    tcase_add_test(tcase, a_query_that_was_canceled_says_so);
    tcase_add_test(tcase, an_insert_that_put_rows_in_is_told_from_one_that_did_not);
    suite_add_tcase(suite, tcase);
    return suite;
}
