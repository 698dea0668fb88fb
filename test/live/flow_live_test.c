/* How much may wait on a connection: what is refused above the bounds, what is told beforehand, and who is told when there is room
 * again. Against the real server. */
#include "test/live/live.h"

static tusk_conn *open_bounded(int requests, int64_t bytes)
{
    tusk_config config = {
        .dsn = harness_env("TUSK_TEST_DSN_PLAIN"), .max_queued_requests = requests, .max_queued_bytes = bytes};
    tusk_conn *conn = tusk_conn_open(loop, &config);

    ck_assert_ptr_nonnull(conn);
    return conn;
}

static void up(void)
{
    live_loop_up();
}

static void ck_refused(tusk_query *q)
{
    const tusk_error *err;

    ck_assert_msg(tusk_await(q) == TUSK_ERR_LIMIT, "%s", said(tusk_query_error(q)));
    err = tusk_query_error(q);
    ck_assert_str_eq(err->sqlstate, "53400");
    ck_assert(strncmp(err->message, "the connection takes no more for now: ", 38) == 0);
    ck_assert_int_eq(err->fate, TUSK_FATE_NOT_SENT);
    ck_assert(!tusk_error_is_fatal(err));
    ck_assert(strstr(err->hint, "tusk_conn_drained()") != NULL);
    tusk_query_free(q);
}

/* ---- the bound of requests --------------------------------------------------------------------------------------------------- */

enum { BOUND = 8 };

static int n_rows_in(const char *table)
{
    return (int)number(textf("select count(*)::int4 from %s", table));
}

/* In every state of the connection: while it connects, while it is ready; and behind what nothing may follow. */
START_TEST(request_above_the_bound_is_refused_and_never_sent)
{
    tusk_query *queued[BOUND], *extra;
    bool is_ready = _i > 0, is_held = _i > 1;

    db = open_bounded(BOUND, 0);
    if (is_ready)
        run("create temp table t (a int)");
    for (int i = 0; i < BOUND; i++) {
        ck_assert(tusk_conn_is_writable(db));
        queued[i] = is_held && i == 0 ? tusk_script(db, "select pg_sleep(0.01)")
                                      : tusk_exec(db, "select $1", TUSK_PARAMS(tusk_int4(i)));
    }
    ck_assert(!tusk_conn_is_writable(db));
    extra = tusk_exec(db, is_ready ? "insert into t values (1)" : "select 1", TUSK_NO_PARAMS);
    ck_assert(!tusk_query_is_done(extra)); /* not inside the call */
    turn(0);
    ck_assert(tusk_query_is_done(extra)); /* in the next turn, before those that came first */
    ck_assert_int_eq(tusk_query_is_done(queued[BOUND - 1]), 0);
    ck_assert_str_eq(tusk_query_error(extra)->where,
                     is_ready ? "exec \"insert into t values (1)\"" : "exec \"select 1\"");
    ck_refused(extra);
    for (int i = 0; i < BOUND; i++) {
        ck_ok(queued[i]);
        tusk_query_free(queued[i]);
    }
    ck_assert(tusk_conn_is_writable(db));
    if (is_ready)
        ck_assert_int_eq(n_rows_in("t"), 0);
    ck_usable(db);
}
END_TEST

static tusk_query *by_exec(void)
{
    return tusk_exec(db, "select 1", TUSK_NO_PARAMS);
}

static tusk_query *by_script(void)
{
    return tusk_script(db, "select 1");
}

static tusk_query *by_names(void)
{
    return tusk_submit(db, &(tusk_request){.sql = "select :a", .args = TUSK_ARGS({"a", tusk_int4(1)})});
}

static tusk_query *by_deadline(void)
{
    return tusk_submit(db, &(tusk_request){.sql = "select 1", .timeout = 100});
}

static tusk_query *(*const ways[])(void) = {by_exec, by_script, by_names, by_deadline};

START_TEST(every_kind_of_request_is_refused_alike)
{
    tusk_stmt *stmt, *late;
    tusk_query *q;

    db = open_bounded(1, 0);
    stmt = tusk_prepare(db, "select 7", NULL, 0);
    ck_assert_int_eq(tusk_await_free(tusk_stmt_ready(stmt), NULL), TUSK_OK);
    q = tusk_exec(db, "select pg_sleep(0.01)", TUSK_NO_PARAMS);
    for (int i = 0; i < N_OF(ways); i++)
        ck_refused(ways[i]());
    ck_refused(tusk_stmt_exec(stmt, TUSK_NO_PARAMS));
    ck_assert(!tusk_query_is_done(q));
    late = tusk_prepare(db, "select 8", NULL, 0);
    ck_refused(tusk_stmt_ready(late));
    tusk_stmt_free(late);
    ck_ok(q);
    tusk_query_free(q);
    ck_assert_int_eq(tusk_await_free(tusk_stmt_exec(stmt, TUSK_NO_PARAMS), NULL), TUSK_OK);
    tusk_stmt_free(stmt);
}
END_TEST

static int64_t n_prepared(void)
{
    return number("select count(*) from pg_prepared_statements where statement = 'select 7'");
}

/* What closes a statement makes the queue no longer than there are statements, and the server would keep what is not closed. */
START_TEST(statement_is_closed_though_the_queue_is_full)
{
    tusk_stmt *stmt;
    tusk_query *q, *closing;

    db = open_bounded(1, 0);
    stmt = tusk_prepare(db, "select 7", NULL, 0);
    ck_assert_int_eq(tusk_await_free(tusk_stmt_ready(stmt), NULL), TUSK_OK);
    ck_assert_int_eq(n_prepared(), 1);
    q = tusk_exec(db, "select 1", TUSK_NO_PARAMS);
    closing = tusk_stmt_close(stmt);
    ck_ok(closing);
    ck_ok(q);
    ck_assert_int_eq(n_prepared(), 0);
    tusk_query_free(q);
    tusk_query_free(closing);
    tusk_stmt_free(stmt);
}
END_TEST

/* Given up is not gone: the server still has to answer it. Taken back before it was sent is gone at once. */
START_TEST(what_is_given_up_counts_until_it_is_answered)
{
    tusk_query *head, *held;

    db = open_bounded(2, 0);
    ck_usable(db);
    head = tusk_exec(db, "select pg_sleep(0.05)", TUSK_NO_PARAMS);
    tusk_query_free(tusk_exec(db, "select 1", TUSK_NO_PARAMS));
    turn(0);
    tusk_query_cancel(head);
    ck_assert_int_eq(tusk_await(head), TUSK_ERR_CANCELED);
    ck_assert(!tusk_conn_is_writable(db));
    tusk_query_free(head);
    ck_assert_int_eq(tusk_await_free(tusk_conn_drained(db), NULL), TUSK_OK);
    ck_assert(tusk_conn_is_writable(db));
    ck_usable(db); /* all is answered */
    head = tusk_script(db, "select pg_sleep(0.01)");
    held = tusk_exec(db, "select 2", TUSK_NO_PARAMS);
    ck_assert(!tusk_conn_is_writable(db));
    tusk_query_cancel(held);
    ck_assert(tusk_conn_is_writable(db));
    tusk_query_free(held);
    ck_ok(head);
    tusk_query_free(head);
    ck_usable(db);
}
END_TEST

/* ---- the bound of bytes ------------------------------------------------------------------------------------------------------ */

/* A request is never too large for an empty queue: the bound says when to stop. */
START_TEST(bytes_that_are_not_sent_are_bounded_held_ones_too)
{
    enum { SIZE = 1000 * 1000 };
    char *bytes = calloc(1, SIZE);
    tusk_query *large, *script;

    db = open_bounded(0, SIZE / 2);
    ck_usable(db);
    for (int i = 0; i < 2; i++) {
        script = i ? tusk_script(db, "select pg_sleep(0.01)") : NULL; /* the second time it is held back behind this */
        large = tusk_exec(db, "select $1", TUSK_PARAMS(tusk_bytea(bytes, SIZE)));
        ck_assert(!tusk_conn_is_writable(db));
        ck_refused(tusk_exec(db, "select 1", TUSK_NO_PARAMS));
        ck_ok(large);
        ck_assert(tusk_conn_is_writable(db));
        tusk_query_free(large);
        tusk_query_free(script);
    }
    large = tusk_exec(db, "select $1", TUSK_PARAMS(tusk_bytea(bytes, SIZE)));
    tusk_query_cancel(large);
    ck_assert(tusk_conn_is_writable(db)); /* it was taken out of the buffer */
    tusk_query_free(large);
    free(bytes);
    ck_usable(db);
}
END_TEST

START_TEST(bounds_are_generous_by_default_and_can_be_taken_away)
{
    enum { DEFAULT = 16384 };
    tusk_conn *none = open_bounded(TUSK_NONE, TUSK_NONE);
    int n;

    db = open_bounded(0, 0);
    for (n = 0; tusk_conn_is_writable(db) && n <= DEFAULT; n++) {
        tusk_query_free(tusk_exec(db, "select 1", TUSK_NO_PARAMS));
        tusk_query_free(tusk_exec(none, "select 1", TUSK_NO_PARAMS));
    }
    ck_assert_int_eq(n, DEFAULT);
    tusk_query_free(tusk_exec(none, "select 1", TUSK_NO_PARAMS));
    ck_assert(tusk_conn_is_writable(none));
    tusk_conn_free(none);
}
END_TEST

/* ---- drained ------------------------------------------------------------------------------------------------------------------- */

START_TEST(drained_comes_at_half_of_the_bound_and_not_before)
{
    tusk_query *queued[BOUND], *drained;
    int n_done = 0;

    db = open_bounded(BOUND, 0);
    ck_usable(db);
    drained = tusk_conn_drained(db);
    ck_assert(!tusk_query_is_done(drained)); /* never inside the call */
    ck_ok(drained);
    tusk_query_free(drained);
    for (int i = 0; i < BOUND; i++)
        queued[i] = tusk_exec(db, "select pg_sleep(0.002)", TUSK_NO_PARAMS);
    drained = tusk_conn_drained(db);
    ck_ok(drained);
    for (int i = 0; i < BOUND; i++) {
        n_done += tusk_query_is_done(queued[i]);
        tusk_query_free(queued[i]);
    }
    ck_assert_int_ge(n_done, BOUND / 2);
    ck_assert_int_lt(n_done, BOUND);
    tusk_query_free(drained);
    ck_usable(db);
}
END_TEST

static int n_told;

static void count_told(tusk_query *q, void *user)
{
    n_told += tusk_query_code(q) == *(tusk_code *)user;
}

/* Each waiter is told once, with the reason if there is no room to come. */
START_TEST(waiters_are_told_of_the_end_too)
{
    tusk_code expected = _i ? TUSK_ERR_CANCELED : TUSK_ERR_LOST;
    tusk_query *canceled;

    db = open_bounded(1, 0);
    ck_usable(db);
    n_told = 0;
    tusk_query_free(tusk_exec(db, "select pg_terminate_backend(pg_backend_pid())", TUSK_NO_PARAMS));
    for (int i = 0; i < 3; i++)
        tusk_query_on_done(tusk_conn_drained(db), count_told, &expected);
    canceled = tusk_conn_drained(db);
    tusk_query_cancel(canceled);
    tusk_query_free(tusk_conn_drained(db));
    ck_assert_int_eq(tusk_await_free(canceled, NULL), TUSK_ERR_CANCELED);
    if (_i)
        ck_assert_int_eq(tusk_await_free(tusk_close(db), NULL), TUSK_OK);
    else
        ck_assert_int_ne(tusk_await_free(tusk_conn_drained(db), NULL), TUSK_OK);
    ck_assert_int_eq(n_told, 3);
    ck_assert(!tusk_conn_is_writable(db));
    ck_assert_int_eq(tusk_await_free(tusk_conn_drained(db), NULL), _i ? TUSK_ERR_STATE : TUSK_ERR_LOST);
    tusk_conn_free(db);
    db = NULL;
}
END_TEST

START_TEST(no_connection_is_not_writable)
{
    ck_assert(!tusk_conn_is_writable(NULL));
    ck_assert_ptr_null(tusk_conn_drained(NULL));
    db = open_bounded(0, 0);
    tusk_query_free(tusk_close(db));
    ck_assert(!tusk_conn_is_writable(db));
    ck_assert_int_eq(tusk_await_free(tusk_exec(db, "select 1", TUSK_NO_PARAMS), NULL), TUSK_ERR_STATE);
}
END_TEST

/* ---- 100 MB both ways, a bounded part of it at a time ----------------------------------------------------------------------------- */

enum { ECHOES = 400, ECHO_SIZE = 256 * 1024, ECHO_BOUND = 2 * 1024 * 1024 };

typedef struct flood {
    char *bytes;
    int n_sent, n_back, n_waits;
    bool is_waiting;
} flood;

static void pour(flood *f);

static void poured(tusk_query *q, void *user)
{
    flood *f = user;

    ck_assert_msg(tusk_query_code(q) == TUSK_OK, "%s", said(tusk_query_error(q)));
    f->is_waiting = false;
    pour(f);
}

static void came_back(tusk_query *q, void *user)
{
    flood *f = user;
    tusk_row row;
    tusk_str echo;

    ck_assert_msg(tusk_query_code(q) == TUSK_OK, "%s", said(tusk_query_error(q)));
    ck_assert(tusk_next_row(q, &row));
    echo = tusk_get_bytea(&row, 0);
    ck_assert_uint_eq(echo.len, ECHO_SIZE);
    ck_assert_int_eq(memcmp(echo.ptr, textf("%06d", f->n_back), 6), 0);
    if (++f->n_back == ECHOES)
        tusk_loop_stop(loop);
}

static void pour(flood *f)
{
    while (f->n_sent < ECHOES && tusk_conn_is_writable(db)) {
        memcpy(f->bytes, textf("%06d", f->n_sent++), 6);
        ck_assert_ptr_nonnull(tusk_submit(db, &(tusk_request){.sql = "select $1",
                                                              .params = TUSK_PARAMS(tusk_bytea(f->bytes, ECHO_SIZE)),
                                                              .on_done = came_back,
                                                              .user = f}));
    }
    if (f->n_sent < ECHOES && !f->is_waiting) {
        f->is_waiting = true;
        f->n_waits++;
        tusk_query_on_done(tusk_conn_drained(db), poured, f);
    }
}

/* The server stops reading while we do not, and we go on reading while it does not: neither waits for the other. */
START_TEST(hundred_megabytes_both_ways_pass_a_queue_of_two)
{
    flood f = {.bytes = calloc(1, ECHO_SIZE)};

    db = open_bounded(0, ECHO_BOUND);
    pour(&f);
    ck_assert_int_eq(tusk_loop_run(loop, NULL), TUSK_OK);
    ck_assert_int_eq(f.n_back, ECHOES);
    ck_assert_int_ge(f.n_waits, ECHOES * ECHO_SIZE / ECHO_BOUND / 4);
    free(f.bytes);
    ck_usable(db);
}
END_TEST

/* The end of a transaction is taken, and says that not all of it was. */
START_TEST(full_queue_spoils_a_transaction_and_lets_its_end_pass)
{
    bool is_nested = _i > 0;
    tusk_query *q[BOUND], *extra, *end;

    db = open_bounded(BOUND, 0);
    run("create temp table t (a int)");
    ck_assert_int_eq(tusk_await_free(tusk_begin(db, NULL), NULL), TUSK_OK);
    if (is_nested)
        ck_assert_int_eq(tusk_await_free(tusk_begin(db, NULL), NULL), TUSK_OK);
    for (int i = 0; i < BOUND; i++)
        q[i] = tusk_exec(db, "insert into t values ($1)", TUSK_PARAMS(tusk_int4(i)));
    extra = tusk_exec(db, "insert into t values (100)", TUSK_NO_PARAMS);
    end = tusk_commit(db);
    for (int i = 0; i < BOUND; i++) {
        ck_ok(q[i]);
        tusk_query_free(q[i]);
    }
    ck_refused(extra);
    ck_assert_int_eq(tusk_await(end), TUSK_ERR_ROLLED_BACK);
    ck_assert_msg(strstr(tusk_query_error(end)->message, "was never sent"), "%s", said(tusk_query_error(end)));
    tusk_query_free(end);
    ck_assert_int_eq(tusk_conn_tx_depth(db), is_nested);
    if (is_nested)
        ck_assert_int_eq(tusk_await_free(tusk_commit(db), NULL), TUSK_ERR_ROLLED_BACK);
    ck_assert_int_eq(n_rows_in("t"), 0);
    ck_usable(db);
}
END_TEST

enum { MANY = 200000 };

/* In one turn, and by a caller who does not look: each costs as little as the first. */
START_TEST(any_number_is_refused_without_a_walk_over_the_others)
{
    tusk_query *q;

    db = open_bounded(1, 0);
    ck_assert_int_eq(tusk_await_free(tusk_conn_ready(db), NULL), TUSK_OK);
    q = tusk_exec(db, "select 1", TUSK_NO_PARAMS);
    for (int i = 0; i < MANY; i++)
        tusk_query_free(tusk_exec(db, "select 2", TUSK_NO_PARAMS));
    ck_refused(tusk_exec(db, "select 3", TUSK_NO_PARAMS));
    ck_ok(q);
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("flow_live");
    TCase *tcase = tcase_create("flow_live");

    tcase_add_checked_fixture(tcase, up, live_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_loop_test(tcase, request_above_the_bound_is_refused_and_never_sent, 0, 3);
    tcase_add_test(tcase, every_kind_of_request_is_refused_alike);
    tcase_add_test(tcase, statement_is_closed_though_the_queue_is_full);
    tcase_add_test(tcase, what_is_given_up_counts_until_it_is_answered);
    tcase_add_test(tcase, bytes_that_are_not_sent_are_bounded_held_ones_too);
    tcase_add_test(tcase, bounds_are_generous_by_default_and_can_be_taken_away);
    tcase_add_test(tcase, drained_comes_at_half_of_the_bound_and_not_before);
    tcase_add_loop_test(tcase, waiters_are_told_of_the_end_too, 0, 2);
    tcase_add_loop_test(tcase, full_queue_spoils_a_transaction_and_lets_its_end_pass, 0, 2);
    tcase_add_test(tcase, any_number_is_refused_without_a_walk_over_the_others);
    tcase_add_test(tcase, no_connection_is_not_writable);
    tcase_add_test(tcase, hundred_megabytes_both_ways_pass_a_queue_of_two);
    suite_add_tcase(suite, tcase);
    return suite;
}
