/* The end of requests and connections against the real server: time-outs, cancels, dead backends, restarts, closing, forks.
 * Nothing sleeps to let something happen: what must have happened is asked of a second connection. */
#include <math.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/live/live.h"

static tusk_conn *other; /* looks at what the server does for db */

static void up(void)
{
    live_up();
    other = connect_plain();
    ck_usable(db);
    ck_usable(other);
}

static void down(void)
{
    if (other)
        disconnect(other);
    other = NULL;
    live_down();
}

static bool is_running(const char *mark)
{
    return number_on(other,
                     textf("select count(*) from pg_stat_activity where state = 'active' and query like '%%%s%%' "
                           "and pid <> pg_backend_pid()",
                           mark)) > 0;
}

static void until_running(const char *mark)
{
    while (!is_running(mark))
        ;
}

static void until_not_running(const char *mark)
{
    while (is_running(mark))
        ;
}

static double seconds_since(int64_t begin_us)
{
    return (double)(tusk_loop_now_us(loop) - begin_us) / 1e6;
}

/* ---- time-outs ------------------------------------------------------------------------------------------------------------------- */

static tusk_query *submit_timed(const char *sql, double timeout)
{
    return tusk_submit(db, &(tusk_request){.sql = sql, .timeout = timeout});
}

START_TEST(late_answer_is_an_error_in_time_and_the_server_stops)
{
    int64_t begin_us = tusk_loop_now_us(loop);
    tusk_query *q = submit_timed("select 'late', pg_sleep(100)", 0.02);

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_TIMEOUT);
    ck_assert(seconds_since(begin_us) >= 0.02);
    ck_error(tusk_query_error(q), TUSK_ERR_TIMEOUT, "57014", "no complete answer within 0.02 s");
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_UNKNOWN);
    ck_assert(!tusk_error_is_fatal(tusk_query_error(q)));
    tusk_query_free(q);
    until_not_running("late");
    ck_usable(db);
}
END_TEST

static double no_number(void)
{
    return nan("");
}

START_TEST(deadline_in_the_past_is_over_before_anything_is_sent)
{
    tusk_query *late = tusk_submit(db, &(tusk_request){.sql = "select 1", .timeout = -0.003});
    tusk_query *none = tusk_submit(db, &(tusk_request){.sql = "select 2", .timeout = TUSK_NONE});
    tusk_query *wrong = tusk_submit(db, &(tusk_request){.sql = "select 3", .timeout = no_number()});

    ck_assert_int_eq(tusk_await(late), TUSK_ERR_TIMEOUT);
    ck_error(tusk_query_error(late), TUSK_ERR_TIMEOUT, "57014",
             "the deadline had passed 0.003 s before the submission");
    ck_assert_int_eq(tusk_query_error(late)->fate, TUSK_FATE_NOT_SENT);
    ck_ok(none);
    ck_assert_int_eq(tusk_await(wrong), TUSK_ERR_USAGE);
    ck_error(tusk_query_error(wrong), TUSK_ERR_USAGE, "22023", "timeout is not a number");
    tusk_query_free(late);
    tusk_query_free(none);
    tusk_query_free(wrong);
}
END_TEST

/* Whatever ends it, the error says which statement it was; what stands in quotes may be a secret. */
START_TEST(error_says_which_statement_it_was)
{
    static const struct {
        tusk_request request;
        const char *where;
    } cases[] = {
        {{.sql = "select pg_sleep(5)", .timeout = 0.01, .cancelable = true}, "exec \"select pg_sleep(5)\""},
        {{.sql = "select 1; select 1/0", .script = true}, "script \"select 1; select 1/0\""},
        {{.sql = "alter role nosuchrole password 'geheim'"}, "exec \"alter role nosuchrole password …\""},
        {{.sql = "select $1, $tag$geheim$tag$ / 2"}, "exec \"select $1, …\""},
        {{.sql = "select n, 1 / (n - 5) from generate_series(1, 10) n where n > 0 and n < 100"},
         "exec \"select n, 1 / (n - 5) from generate_series(1, 10) n where n …\""},
        {{.sql = "select repeat(chr(120), 1000)", .max_result_bytes = 10}, "exec \"select repeat(chr(120), 1000)\""},
        {{.sql = "select 'schlüssel äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü' / 2"}, "exec \"select …\""},
    };
    tusk_stmt *stmt = tusk_prepare(db, "select $1::int4 / 0", NULL, 0);
    tusk_error err;

    for (size_t i = 0; i < N_OF(cases); i++) {
        ck_assert_int_ne(tusk_await_free(tusk_submit(db, &cases[i].request), &err), TUSK_OK);
        ck_assert_str_eq(err.where, cases[i].where);
    }
    ck_assert_int_eq(tusk_await_free(tusk_stmt_exec(stmt, TUSK_NO_PARAMS), &err), TUSK_ERR_USAGE);
    ck_assert_str_eq(err.where, "run \"select $1::int4 / 0\"");
    tusk_stmt_free(stmt);
}
END_TEST

START_TEST(early_answer_is_no_error)
{
    tusk_query *q = submit_timed("select 1", 0.5);

    ck_ok(q);
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

/* Not at the head: it ends in time, its answer is swallowed, the head is not touched. */
START_TEST(late_request_behind_the_head_leaves_the_head_alone)
{
    tusk_query *head = tusk_exec(db, "select 'head' from pg_sleep(0.1)", TUSK_NO_PARAMS);
    tusk_query *late = submit_timed("select 'late'", 0.02);
    tusk_query *behind = tusk_exec(db, "select 'behind'", TUSK_NO_PARAMS);
    tusk_row row;

    ck_assert_int_eq(tusk_await(late), TUSK_ERR_TIMEOUT);
    ck_assert_int_eq(tusk_query_error(late)->fate, TUSK_FATE_UNKNOWN);
    ck_assert(!tusk_query_is_done(head));
    ck_ok(head);
    ck_assert(tusk_next_row(head, &row) && tusk_str_is(tusk_get_text(&row, 0), "head"));
    ck_ok(behind);
    ck_assert(tusk_next_row(behind, &row) && tusk_str_is(tusk_get_text(&row, 0), "behind"));
    tusk_query_free(head);
    tusk_query_free(late);
    tusk_query_free(behind);
}
END_TEST

START_TEST(late_request_that_was_held_back_was_never_sent)
{
    tusk_query *script = tusk_script(db, "select pg_sleep(0.1)");
    tusk_query *late = submit_timed("create temp table late_held (a int)", 0.02);

    ck_assert_int_eq(tusk_await(late), TUSK_ERR_TIMEOUT);
    ck_assert_int_eq(tusk_query_error(late)->fate, TUSK_FATE_NOT_SENT);
    ck_ok(script);
    ck_assert_int_eq(number("select count(*) from pg_class where relname = 'late_held'"), 0);
    tusk_query_free(script);
    tusk_query_free(late);
}
END_TEST

START_TEST(request_that_we_refused_keeps_its_error_when_it_is_late)
{
    tusk_query *head = tusk_exec(db, "select pg_sleep(0.05)", TUSK_NO_PARAMS);
    tusk_query *refused = submit_timed("select '\xff'", 0.01);

    ck_assert_int_eq(tusk_await(refused), TUSK_ERR_VALUE);
    ck_ok(head);
    tusk_query_free(head);
    tusk_query_free(refused);
}
END_TEST

/* A late head with others behind it cannot be canceled: they get their answers, and nothing new is sent meanwhile. */
START_TEST(late_head_is_not_canceled_over_the_heads_of_others)
{
    tusk_query *head = submit_timed("select pg_sleep(0.1)", 0.02);
    tusk_query *behind = tusk_exec(db, "select 7", TUSK_NO_PARAMS), *later;

    ck_assert_int_eq(tusk_await(head), TUSK_ERR_TIMEOUT);
    later = tusk_submit(db, &(tusk_request){.sql = "select 8", .timeout = 0.01});
    ck_assert_int_eq(tusk_await(later), TUSK_ERR_TIMEOUT);
    ck_assert_int_eq(tusk_query_error(later)->fate, TUSK_FATE_NOT_SENT);
    ck_ok(behind);
    tusk_query_free(head);
    tusk_query_free(behind);
    tusk_query_free(later);
    ck_usable(db);
}
END_TEST

START_TEST(all_late_are_canceled_together)
{
    tusk_query *queries[5];

    for (int i = 0; i < 5; i++)
        queries[i] = submit_timed("select 'together', pg_sleep(100)", 0.02);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(tusk_await(queries[i]), TUSK_ERR_TIMEOUT);
        tusk_query_free(queries[i]);
    }
    ck_usable(db);
    ck_assert(!is_running("together"));
    ck_assert_int_eq(number("select pg_backend_pid()"), (int64_t)tusk_conn_backend_pid(db));
}
END_TEST

START_TEST(time_out_in_a_transaction_fails_the_transaction)
{
    tusk_query *q;

    run("begin");
    q = submit_timed("select pg_sleep(100)", 0.02);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_TIMEOUT);
    tusk_query_free(q);
    q = tusk_exec(db, "select 1", TUSK_NO_PARAMS);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_assert_str_eq(tusk_query_error(q)->sqlstate, "25P02");
    tusk_query_free(q);
    run("rollback");
    ck_usable(db);
}
END_TEST

/* ---- cancel, in each stage --------------------------------------------------------------------------------------------------------- */

START_TEST(canceled_request_ends_on_the_server)
{
    tusk_query *q = _i ? tusk_script(db, "select 'canceled one', pg_sleep(100)")
                       : tusk_exec(db, "select 'canceled one', pg_sleep(100)", TUSK_NO_PARAMS);

    turn(0);
    until_running("canceled one");
    tusk_query_cancel(q);
    ck_assert(!tusk_query_is_done(q));
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_CANCELED);
    ck_error(tusk_query_error(q), TUSK_ERR_CANCELED, "57014", "canceled by the caller");
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_UNKNOWN);
    tusk_query_free(q);
    until_not_running("canceled one");
    ck_usable(db);
    ck_assert_int_eq(number("select pg_backend_pid()"), (int64_t)tusk_conn_backend_pid(db));
}
END_TEST

START_TEST(request_canceled_before_it_is_sent_never_ran)
{
    tusk_query *before = tusk_exec(db, "select 1", TUSK_NO_PARAMS);
    tusk_query *q = tusk_exec(db, "create temp table never_made (a int)", TUSK_NO_PARAMS);
    tusk_query *behind = tusk_exec(db, "select 2", TUSK_NO_PARAMS);

    tusk_query_cancel(q);
    tusk_query_cancel(q);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_CANCELED);
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    ck_ok(before);
    ck_ok(behind);
    ck_assert_int_eq(number("select count(*) from pg_class where relname = 'never_made'"), 0);
    tusk_query_free(before);
    tusk_query_free(q);
    tusk_query_free(behind);
}
END_TEST

START_TEST(several_canceled_before_they_are_sent_leave_the_others_whole)
{
    enum { N = 64 };
    tusk_query *queries[N];
    tusk_row row;

    for (int i = 0; i < N; i++)
        queries[i] = tusk_exec(db, "select $1", TUSK_PARAMS(tusk_int4(i)));
    for (int i = 0; i < N; i++)
        if (i % 3 != _i)
            tusk_query_cancel(queries[i]);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(tusk_await(queries[i]), i % 3 != _i ? TUSK_ERR_CANCELED : TUSK_OK);
        if (i % 3 == _i) {
            ck_assert(tusk_next_row(queries[i], &row));
            ck_assert_int_eq(tusk_get_int4(&row, 0), i);
        }
        tusk_query_free(queries[i]);
    }
    ck_usable(db);
}
END_TEST

START_TEST(request_canceled_while_connecting_never_ran)
{
    tusk_conn *fresh = connect_plain();
    tusk_query *q = tusk_exec(fresh, "select 1", TUSK_NO_PARAMS);

    tusk_query_cancel(q);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_CANCELED);
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    tusk_query_free(q);
    ck_usable(fresh);
    disconnect(fresh);
}
END_TEST

START_TEST(canceling_what_is_done_changes_nothing)
{
    tusk_query *q = tusk_exec(db, "select 1", TUSK_NO_PARAMS);
    tusk_row row;

    ck_ok(q);
    tusk_query_cancel(q);
    tusk_query_cancel(NULL);
    turn(0);
    ck_assert_int_eq(tusk_query_code(q), TUSK_OK);
    ck_assert(tusk_next_row(q, &row));
    tusk_query_free(q);
}
END_TEST

/* With something sent behind, the server is not asked: the neighbour would be hit. */
START_TEST(cancel_with_a_neighbour_behind_is_ours_alone)
{
    tusk_query *q = tusk_exec(db, "select pg_sleep(0.1)", TUSK_NO_PARAMS);
    tusk_query *behind = tusk_exec(db, "select 'safe' from pg_sleep(0.05)", TUSK_NO_PARAMS);
    int64_t begin_us = tusk_loop_now_us(loop);

    turn(0);
    tusk_query_cancel(q);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_CANCELED);
    ck_ok(behind);
    ck_assert(seconds_since(begin_us) >= 0.14);
    tusk_query_free(q);
    tusk_query_free(behind);
    ck_usable(db);
}
END_TEST

START_TEST(cancelable_request_is_canceled_in_front_of_others)
{
    tusk_query *q = tusk_submit(db, &(tusk_request){.sql = "select 'cancelable', pg_sleep(100)", .cancelable = true});
    tusk_query *behind = tusk_exec(db, "select 5", TUSK_NO_PARAMS);
    tusk_row row;

    turn(0);
    until_running("cancelable");
    tusk_query_cancel(q);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_CANCELED);
    ck_ok(behind);
    ck_assert(tusk_next_row(behind, &row));
    ck_assert_int_eq(tusk_get_int4(&row, 0), 5);
    ck_assert(!is_running("cancelable"));
    tusk_query_free(q);
    tusk_query_free(behind);
}
END_TEST

/* D34. The moment of the cancel wanders over the whole life of a request, and right behind it comes a neighbour that must not
 * be hit. No sleeps: the moment is a number of turns, and of microseconds burned. The span it is drawn from follows the machine:
 * it grows while requests are caught, and shrinks while they escape. */
START_TEST(cancel_at_any_moment_hits_no_neighbour)
{
    const int rounds = (int)harness_number("TUSK_CANCEL_ROUNDS", 400);
    int n_canceled = 0, n_done = 0;
    uint32_t seed = 7, span_us = 400;

    for (int i = 0; i < rounds; i++) {
        tusk_query *q =
            tusk_exec(db, i % 2 ? "select 1" : "select count(*) from generate_series(1, 1000)", TUSK_NO_PARAMS);
        tusk_query *neighbour;
        tusk_row row;
        int64_t until_us;

        seed = seed * 1664525u + 1013904223u;
        until_us = tusk_loop_now_us(loop) + (seed >> 8) % span_us;
        turn(0);
        while (tusk_loop_now_us(loop) < until_us)
            turn(0);
        tusk_query_cancel(q);
        neighbour = tusk_exec(db, "select $1", TUSK_PARAMS(tusk_int4(i)));
        ck_assert_msg(tusk_await(neighbour) == TUSK_OK, "round %d: %s", i, said(tusk_query_error(neighbour)));
        ck_assert(tusk_next_row(neighbour, &row));
        ck_assert_int_eq(tusk_get_int4(&row, 0), i);
        n_canceled += tusk_query_code(q) == TUSK_ERR_CANCELED;
        n_done += tusk_query_code(q) == TUSK_OK;
        span_us = tusk_query_code(q) == TUSK_OK ? 50 + span_us * 7 / 8 : span_us * 9 / 8;
        tusk_query_free(neighbour);
        tusk_query_free(q);
    }
    ck_assert_int_eq(n_canceled + n_done, rounds);
    ck_assert_int_gt(n_canceled, 0);
    ck_assert_int_gt(n_done, 0);
    ck_assert_int_eq(number("select pg_backend_pid()"), (int64_t)tusk_conn_backend_pid(db));
}
END_TEST

/* One sqlstate, four askers: the code tells who it was, never the words. Where it was the server, the words are its own. */
START_TEST(sqlstate_57014_is_told_apart_by_who_asked)
{
    static const struct {
        const char *name;
        tusk_code code;
        const char *message;
    } askers[] = {
        {"the caller", TUSK_ERR_CANCELED, "canceled by the caller"},
        {"our deadline", TUSK_ERR_TIMEOUT, "no complete answer within 0.02 s"},
        {"statement_timeout", TUSK_ERR_SERVER, "canceling statement due to statement timeout"},
        {"pg_cancel_backend", TUSK_ERR_SERVER, "canceling statement due to user request"},
    };
    tusk_query *q;

    if (_i == 2)
        run("set statement_timeout = 20");
    q = submit_timed("select 'asked', pg_sleep(100)", _i == 1 ? 0.02 : 100);
    turn(0);
    if (_i == 0 || _i == 3)
        until_running("asked");
    if (_i == 0)
        tusk_query_cancel(q);
    if (_i == 3)
        run_on(other, textf("select pg_cancel_backend(%u)", tusk_conn_backend_pid(db)));
    ck_assert_msg(tusk_await(q) == askers[_i].code, "%s: %s", askers[_i].name, said(tusk_query_error(q)));
    ck_error(tusk_query_error(q), askers[_i].code, "57014", askers[_i].message);
    ck_assert_int_eq(tusk_query_error(q)->fate,
                     askers[_i].code == TUSK_ERR_SERVER ? TUSK_FATE_ANSWERED : TUSK_FATE_UNKNOWN);
    ck_assert(tusk_str_is(tusk_query_error_field(q, 'C'), askers[_i].code == TUSK_ERR_SERVER ? "57014" : ""));
    ck_assert(!tusk_error_is_fatal(tusk_query_error(q)));
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

START_TEST(closing_while_canceling_ends_both)
{
    tusk_query *q = tusk_exec(db, "select pg_sleep(100)", TUSK_NO_PARAMS), *closing;

    turn(0);
    tusk_query_cancel(q);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_CANCELED);
    for (int i = 0; i < _i; i++)
        turn(0.001);
    closing = tusk_close(db);
    ck_ok(closing);
    tusk_query_free(closing);
    tusk_query_free(q);
}
END_TEST

/* ---- dead backends -------------------------------------------------------------------------------------------------------------------- */

static void kill_backend(void)
{
    ck_assert_int_eq(number_on(other, textf("select pg_terminate_backend(%u, 5000)::int4", tusk_conn_backend_pid(db))),
                     1);
}

#define TERMINATED "terminating connection due to administrator command"

START_TEST(d37_backend_that_dies_idle_ends_the_connection)
{
    tusk_query *q;

    kill_backend();
    while (tusk_conn_get_state(db) == TUSK_CONN_READY)
        turn(TUSK_NONE);
    ck_assert_int_eq(tusk_conn_get_state(db), TUSK_CONN_CLOSED);
    ck_error(tusk_conn_error(db), TUSK_ERR_LOST, "57P01", TERMINATED);
    ck_assert(tusk_error_is_fatal(tusk_conn_error(db)));
    ck_assert(tusk_str_is(tusk_conn_error_field(db, 'V'), "FATAL"));
    q = tusk_exec(db, "select 1", TUSK_NO_PARAMS);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_LOST);
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    ck_assert(tusk_error_is_retriable(tusk_query_error(q)));
    tusk_query_free(q);
}
END_TEST

/* What a server does by itself to a connection that rests too long, in a transaction or outside. */
static const struct {
    const char *setting, *begin, *sqlstate;
} too_idle[] = {
    {"idle_session_timeout", NULL, "57P05"},
    {"idle_in_transaction_session_timeout", "begin", "25P03"},
};

START_TEST(d37_a_connection_that_the_server_ended_for_resting_is_told_so_and_nothing_is_sent)
{
    tusk_query *q;

    run(textf("set %s = '20ms'", too_idle[_i].setting));
    if (too_idle[_i].begin)
        run(too_idle[_i].begin);
    while (tusk_conn_get_state(db) == TUSK_CONN_READY)
        turn(TUSK_NONE);
    ck_assert_int_eq(tusk_conn_error(db)->code, TUSK_ERR_LOST);
    ck_assert_str_eq(tusk_conn_error(db)->sqlstate, too_idle[_i].sqlstate);
    ck_assert(tusk_error_is_fatal(tusk_conn_error(db)));
    q = tusk_exec(db, "commit", TUSK_NO_PARAMS);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_LOST);
    ck_assert_str_eq(tusk_query_error(q)->sqlstate, too_idle[_i].sqlstate);
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    tusk_query_free(q);
}
END_TEST

/* Nobody looked at the socket yet when the next request is submitted. */
START_TEST(request_to_a_backend_that_has_just_died_is_lost)
{
    tusk_query *q;
    tusk_conn *third;

    third = connect_plain();
    ck_usable(third);
    q = tusk_exec(third, textf("select pg_terminate_backend(%u, 5000)", tusk_conn_backend_pid(db)), TUSK_NO_PARAMS);
    while (!tusk_query_is_done(q) && tusk_conn_get_state(db) == TUSK_CONN_READY)
        turn(TUSK_NONE);
    tusk_query_free(q);
    q = tusk_exec(db, "select 1", TUSK_NO_PARAMS);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_LOST);
    ck_assert_str_eq(tusk_query_error(q)->message, TERMINATED);
    tusk_query_free(q);
    disconnect(third);
}
END_TEST

START_TEST(backend_that_dies_in_flight_leaves_the_fate_unknown)
{
    tusk_query *head = tusk_exec(db, "select 'dies', pg_sleep(100)", TUSK_NO_PARAMS);
    tusk_query *behind = tusk_exec(db, "select 2", TUSK_NO_PARAMS), *held;

    turn(0);
    until_running("dies");
    tusk_query_free(tusk_script(db, "select 3"));
    held = tusk_exec(db, "select 4", TUSK_NO_PARAMS);
    kill_backend();
    ck_assert_int_eq(tusk_await(head), TUSK_ERR_LOST);
    ck_error(tusk_query_error(head), TUSK_ERR_LOST, "57P01", TERMINATED);
    ck_assert_int_eq(tusk_query_error(head)->fate, TUSK_FATE_UNKNOWN);
    ck_assert_int_eq(tusk_await(behind), TUSK_ERR_LOST);
    ck_assert_int_eq(tusk_query_error(behind)->fate, TUSK_FATE_UNKNOWN);
    ck_assert_int_eq(tusk_await(held), TUSK_ERR_LOST);
    ck_assert_int_eq(tusk_query_error(held)->fate, TUSK_FATE_NOT_SENT);
    ck_assert_str_eq(tusk_query_error(head)->where, textf("localhost:%s/tusk as drv", harness_env("TUSK_TEST_PORT")));
    tusk_query_free(head);
    tusk_query_free(behind);
    tusk_query_free(held);
}
END_TEST

/* The commit waits in a deferred trigger while the backend is shot: nobody knows. */
START_TEST(commit_in_flight_is_commit_unknown)
{
    tusk_query *q;

    run("create temp table slow (a int)");
    run("create function pg_temp.slow() returns trigger language plpgsql as $$ begin perform 'slow commit', "
        "pg_sleep(100); return null; end $$");
    run("create constraint trigger slow after insert on slow deferrable initially deferred for each row execute "
        "function "
        "pg_temp.slow()");
    run("begin");
    run("insert into slow values (1)");
    q = _i ? tusk_script(db, "commit") : tusk_exec(db, "commit", TUSK_NO_PARAMS);
    turn(0);
    until_running("commit");
    kill_backend();
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_COMMIT_UNKNOWN);
    ck_error(tusk_query_error(q), TUSK_ERR_COMMIT_UNKNOWN, "57P01", TERMINATED);
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_UNKNOWN);
    ck_assert(!tusk_error_is_retriable(tusk_query_error(q)));
    tusk_query_free(q);
}
END_TEST

START_TEST(backend_that_dies_in_a_transaction_says_so_once)
{
    tusk_query *q;

    run("begin");
    kill_backend();
    q = tusk_exec(db, "commit", TUSK_NO_PARAMS);
    ck_assert(tusk_await(q) == TUSK_ERR_LOST || tusk_query_code(q) == TUSK_ERR_COMMIT_UNKNOWN);
    tusk_query_free(q);
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_UNKNOWN);
}
END_TEST

START_TEST(restarted_server_ends_all_and_can_be_connected_again)
{
    static const char *const modes[] = {"fast", "immediate"};
    tusk_query *q = tusk_exec(db, "select 'restart', pg_sleep(100)", TUSK_NO_PARAMS);

    turn(0);
    until_running("restart");
    ck_assert_int_eq(
        system(textf("test/harness/server restart '%s' %s >/dev/null 2>&1", harness_env("TUSK_TEST_DIR"), modes[_i])),
        0);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_LOST);
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_UNKNOWN);
    ck_error(tusk_query_error(q), TUSK_ERR_LOST, "57P01",
             _i ? "terminating connection due to immediate shutdown command" : TERMINATED);
    tusk_query_free(q);
    while (tusk_conn_get_state(other) == TUSK_CONN_READY)
        turn(TUSK_NONE);
    tusk_conn_free(other);
    other = NULL;
    tusk_conn_free(db);
    db = connect_plain();
    ck_usable(db);
}
END_TEST

/* ---- closing ------------------------------------------------------------------------------------------------------------------------ */

static void until_gone(uint32_t pid)
{
    while (number_on(other, textf("select count(*) from pg_stat_activity where pid = %u", pid)))
        ;
}

static void close_idle(void)
{
    ck_assert_int_eq(tusk_await_free(tusk_close(db), NULL), TUSK_OK);
    tusk_conn_free(db);
}

static void close_with_answers_on_the_way(void)
{
    for (int i = 0; i < 20; i++)
        tusk_query_free(tusk_exec(db, "select repeat('x', 100000)", TUSK_NO_PARAMS));
    turn(0);
    close_idle();
}

static void close_twice(void)
{
    tusk_query *first = tusk_close(db), *second = tusk_close(db), *third;

    turn(0);
    third = tusk_close(db);
    ck_ok(third);
    ck_assert_int_eq(tusk_query_code(first), TUSK_OK);
    ck_assert_int_eq(tusk_query_code(second), TUSK_OK);
    tusk_query_free(first);
    tusk_query_free(second);
    tusk_query_free(third);
    tusk_conn_free(db);
}

static void free_at_once(void)
{
    tusk_conn_free(db);
    turn(0);
    turn(0);
}

static void close_in_a_transaction(void)
{
    run("begin");
    close_idle();
}

static void close_over_tls(void)
{
    disconnect(db);
    db = tusk_connect(loop, harness_env("TUSK_TEST_DSN"));
    ck_usable(db);
    close_idle();
}

static void free_loop_with_all(void)
{
    tusk_conn_free(db);
    turn(0);
    db = connect_plain();
    ck_usable(db);
    tusk_loop_free(loop); /* other is reconnected below */
    loop = tusk_loop_new();
    other = connect_plain();
}

static void (*const ends[])(void) = {close_idle,        close_with_answers_on_the_way, close_twice,
                                     free_at_once,      close_in_a_transaction,        close_over_tls,
                                     free_loop_with_all};

/* The server hears a goodbye and a FIN; a reset, or an end without a word, it would log. */
START_TEST(d39_closed_connection_says_goodbye)
{
    long from = log_size();
    uint32_t pid = tusk_conn_backend_pid(db);

    ends[_i]();
    db = NULL;
    until_gone(pid);
    ck_assert_int_eq(n_logged(from, "unexpected EOF"), 0);
    ck_assert_int_eq(n_logged(from, "reset by peer"), 0);
    ck_assert_int_eq(n_logged(from, "could not send"), 0);
}
END_TEST

START_TEST(close_does_not_wait_long_for_a_busy_server)
{
    int64_t begin_us = tusk_loop_now_us(loop);

    tusk_query_free(tusk_exec(db, "select pg_sleep(60)", TUSK_NO_PARAMS));
    turn(0);
    ck_assert_int_eq(tusk_await_free(tusk_close(db), NULL), TUSK_OK);
    ck_assert(seconds_since(begin_us) < 30);
}
END_TEST

START_TEST(closed_connection_refuses_new_requests)
{
    tusk_query *closing = tusk_close(db), *q = tusk_exec(db, "select 1", TUSK_NO_PARAMS);

    ck_assert_int_eq(tusk_conn_get_state(db), TUSK_CONN_CLOSING);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_STATE);
    ck_error(tusk_query_error(q), TUSK_ERR_STATE, "08003", "the connection is closed");
    tusk_query_free(q);
    ck_ok(closing);
    tusk_query_free(closing);
    ck_assert_int_eq(tusk_await_free(tusk_conn_ready(db), NULL), TUSK_ERR_STATE);
    ck_assert_int_eq(tusk_await_free(tusk_close(db), NULL), TUSK_OK);
    ck_assert_int_eq(tusk_await_free(tusk_exec(db, "select 1", TUSK_NO_PARAMS), NULL), TUSK_ERR_STATE);
}
END_TEST

START_TEST(d38_connection_can_be_closed_and_freed_at_any_moment_of_connecting)
{
    for (int n_turns = 0; n_turns < 30; n_turns++) {
        tusk_conn *conn = tusk_connect(loop, harness_env(_i % 2 ? "TUSK_TEST_DSN" : "TUSK_TEST_DSN_PLAIN"));
        tusk_query *ready = tusk_conn_ready(conn), *q = tusk_exec(conn, "select 1", TUSK_NO_PARAMS);

        for (int i = 0; i < n_turns && !tusk_query_is_done(q); i++)
            turn(0.002);
        if (_i < 2)
            ck_assert_int_eq(tusk_await_free(tusk_close(conn), NULL), TUSK_OK);
        tusk_conn_free(conn);
        ck_assert(tusk_await(ready) == TUSK_OK || tusk_query_code(ready) == TUSK_ERR_CANCELED);
        ck_assert(tusk_await(q) == TUSK_OK || tusk_query_code(q) == TUSK_ERR_CANCELED);
        tusk_query_free(ready);
        tusk_query_free(q);
    }
}
END_TEST

/* ---- fork --------------------------------------------------------------------------------------------------------------------------- */

static int in_the_child(void)
{
    tusk_error err = {0};
    tusk_query *q = tusk_exec(db, "select 1", TUSK_NO_PARAMS);

    if (tusk_await(q) != TUSK_ERR_STATE)
        return 1;
    if (tusk_query_error(q)->code != TUSK_ERR_STATE ||
        strcmp(tusk_query_error(q)->message, "the process was forked: the loop stays with the parent") != 0)
        return 2;
    if (tusk_loop_turn(loop, 0, &err) != TUSK_ERR_STATE || err.code != TUSK_ERR_STATE)
        return 3;
    if (tusk_await_free(tusk_conn_ready(db), NULL) != TUSK_ERR_STATE)
        return 4;
    tusk_query_free(q);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    return 0;
}

START_TEST(child_of_a_fork_is_refused_and_the_parent_goes_on)
{
    tusk_query *q = tusk_exec(db, "select 42 from pg_sleep(0.05)", TUSK_NO_PARAMS);
    tusk_row row;
    pid_t child;
    int status = -1;

    turn(0);
    child = fork();
    if (child == 0)
        _exit(in_the_child());
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_int_eq(tusk_get_int4(&row, 0), 42);
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("deadline_live");
    TCase *tcase = tcase_create("deadline_live");

    tcase_add_checked_fixture(tcase, up, down);
    tcase_set_timeout(tcase, 10);
    tcase_add_test(tcase, late_answer_is_an_error_in_time_and_the_server_stops);
    tcase_add_test(tcase, deadline_in_the_past_is_over_before_anything_is_sent);
    tcase_add_test(tcase, error_says_which_statement_it_was);
    tcase_add_test(tcase, early_answer_is_no_error);
    tcase_add_test(tcase, late_request_behind_the_head_leaves_the_head_alone);
    tcase_add_test(tcase, late_request_that_was_held_back_was_never_sent);
    tcase_add_test(tcase, request_that_we_refused_keeps_its_error_when_it_is_late);
    tcase_add_test(tcase, late_head_is_not_canceled_over_the_heads_of_others);
    tcase_add_test(tcase, all_late_are_canceled_together);
    tcase_add_test(tcase, time_out_in_a_transaction_fails_the_transaction);
    tcase_add_loop_test(tcase, canceled_request_ends_on_the_server, 0, 2);
    tcase_add_test(tcase, request_canceled_before_it_is_sent_never_ran);
    tcase_add_loop_test(tcase, several_canceled_before_they_are_sent_leave_the_others_whole, 0, 3);
    tcase_add_test(tcase, request_canceled_while_connecting_never_ran);
    tcase_add_test(tcase, canceling_what_is_done_changes_nothing);
    tcase_add_test(tcase, cancel_with_a_neighbour_behind_is_ours_alone);
    tcase_add_test(tcase, cancelable_request_is_canceled_in_front_of_others);
    tcase_add_test(tcase, cancel_at_any_moment_hits_no_neighbour);
    tcase_add_loop_test(tcase, sqlstate_57014_is_told_apart_by_who_asked, 0, 4);
    tcase_add_loop_test(tcase, closing_while_canceling_ends_both, 0, 4);
    tcase_add_test(tcase, d37_backend_that_dies_idle_ends_the_connection);
    tcase_add_loop_test(tcase, d37_a_connection_that_the_server_ended_for_resting_is_told_so_and_nothing_is_sent, 0,
                        N_OF(too_idle));
    tcase_add_test(tcase, request_to_a_backend_that_has_just_died_is_lost);
    tcase_add_test(tcase, backend_that_dies_in_flight_leaves_the_fate_unknown);
    tcase_add_loop_test(tcase, commit_in_flight_is_commit_unknown, 0, 2);
    tcase_add_test(tcase, backend_that_dies_in_a_transaction_says_so_once);
    tcase_add_loop_test(tcase, restarted_server_ends_all_and_can_be_connected_again, 0, 2);
    tcase_add_loop_test(tcase, d39_closed_connection_says_goodbye, 0, N_OF(ends));
    tcase_add_test(tcase, close_does_not_wait_long_for_a_busy_server);
    tcase_add_test(tcase, closed_connection_refuses_new_requests);
    tcase_add_loop_test(tcase, d38_connection_can_be_closed_and_freed_at_any_moment_of_connecting, 0, 4);
    tcase_add_test(tcase, child_of_a_fork_is_refused_and_the_parent_goes_on);
    suite_add_tcase(suite, tcase);
    return suite;
}
