/* How long the driver waits by itself, by a clock that is the test's: the pauses of tusk_transact(), and the time limit of a cancel.
 * Read first: test/sim/world.h, tusk/transaction.h, lib/deadline.c. */
#include <check.h>
#include <string.h>

#include "test/harness/harness.h"
#include "test/sim/inside.h"
#include "test/sim/pg_server.h"
#include "tusk/tusk.h"

enum { SECOND = 1000000, SLACK_US = 50000 /* of round trips */ };

static sim_world *world;
static pg_server *server;
static tusk__os os;
static tusk_loop *loop;
static tusk_conn *db;
static int dice; /* what all random bytes are; -1: random */

static int fixed_random(void *ctx, void *buf, size_t len)
{
    if (dice < 0)
        return sim_os(world)->random(ctx, buf, len);
    memset(buf, dice, len);
    return 0;
}

static void up(const pg_options *options)
{
    world = sim_new(1, NULL);
    server = pg_server_new(world, options);
    pg_listen(server, "10.0.0.1", 5432);
    os = *sim_os(world);
    os.random = fixed_random;
    dice = -1;
    loop = tusk__loop_open_on(&os, &(tusk_loop_config){0}, NULL);
    ck_assert_ptr_nonnull(loop);
    db = tusk_connect(loop, "host=10.0.0.1 port=5432 user=sim sslmode=disable");
    ck_assert_int_eq(tusk_await_free(tusk_conn_ready(db), NULL), TUSK_OK);
}

static void down(void)
{
    ck_assert_ptr_null(pg_complaint(server));
    tusk_conn_free(db);
    tusk_loop_free(loop);
    sim_free(world);
    pg_server_free(server);
}

static void ck_took(int64_t us, double seconds)
{
    int64_t wanted_us = (int64_t)(seconds * SECOND);

    ck_assert_msg(us >= wanted_us && us <= wanted_us + SLACK_US, "%d us instead of %g s", (int)us, seconds);
}

/* ---- the pauses of a transaction that is repeated --------------------------------------------------------------------- */

/* All parts that chance has in a pause at their largest, or none. */
static const struct {
    int dice;
    double min_delay, max_delay;
    double pauses[5];
} pauses[] = {
    {0xff, 1, 5, {1, 2, 4, 5, 5}},     {0xff, 0.5, 100, {0.5, 1, 2, 4, 8}},
    {0xff, 7, 3, {3, 3, 3, 3, 3}},     {0xff, 0, 0, {0.01, 0.02, 0.04, 0.08, 0.16}},
    {0xff, 0.5, 0, {0.5, 1, 1, 1, 1}}, {0x00, 1, 5, {0, 0, 0, 0, 0}},
};

enum { N_PAUSES = sizeof pauses / sizeof pauses[0], N_ATTEMPTS = 6 };

static int64_t begun_us[N_ATTEMPTS];
static int n_begun;

static tusk_code note(tusk_conn *conn, void *user, tusk_error *err)
{
    (void)conn, (void)user, (void)err;
    ck_assert_int_lt(n_begun, N_ATTEMPTS);
    begun_us[n_begun++] = sim_now(world);
    return TUSK_OK;
}

static void note_and_end(tusk_attempt *attempt, void *user)
{
    (void)note(tusk_attempt_conn(attempt), user, NULL);
    tusk_attempt_end(attempt, NULL);
}

START_TEST(a_pause_is_a_part_of_twice_the_one_before_and_of_max_delay_at_most)
{
    int row = _i / 2;
    tusk_transact_options options = {
        .max_attempts = N_ATTEMPTS, .min_delay = pauses[row].min_delay, .max_delay = pauses[row].max_delay};
    tusk_error err = {0};
    tusk_code code;

    up(&(pg_options){.login = PG_TRUST, .user = "sim", .failure = 1000}); /* each commit: 40001 */
    n_begun = 0;
    dice = pauses[row].dice;
    code = _i % 2 ? tusk_transact(db, &options, note, NULL, &err)
                  : tusk_await_free(tusk_transact_start(db, &options, note_and_end, NULL), &err);
    ck_assert_int_eq(code, TUSK_ERR_SERVER);
    ck_assert_str_eq(err.sqlstate, "40001");
    ck_assert_int_eq(n_begun, N_ATTEMPTS);
    for (int i = 1; i < N_ATTEMPTS; i++)
        ck_took(begun_us[i] - begun_us[i - 1], pauses[row].pauses[i - 1]);
    down();
}
END_TEST

/* ---- the time limit of a cancel ------------------------------------------------------------------------------------------ */

/* Its connection is never made, or never ends. The request has been told as canceled long before, and by that alone. */
START_TEST(a_cancel_has_two_seconds_of_its_own)
{
    static const char *const details[] = {"no connection in time", "the server did not hang up in time"};
    tusk_query *q, *next;
    int64_t canceled_us;

    up(&(pg_options){.login = PG_TRUST, .user = "sim"});
    q = tusk_exec(db, "sleep #1 10000000", TUSK_NO_PARAMS);
    ck_assert_int_eq(tusk_loop_turn(loop, 0, NULL), TUSK_OK);
    *(_i ? &world->faults.stall : &world->faults.stall_connect) = 1000;
    tusk_query_cancel(q);
    canceled_us = sim_now(world);
    next = tusk_exec(db, "row #2", TUSK_NO_PARAMS);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_CANCELED);
    ck_took(sim_now(world) - canceled_us, 0);
    ck_assert_int_eq(tusk_await(next), TUSK_ERR_LOST);
    ck_took(sim_now(world) - canceled_us, 2);
    ck_assert_int_eq(tusk_query_error(next)->fate, TUSK_FATE_NOT_SENT);
    ck_assert_str_eq(tusk_query_error(next)->detail, details[_i]);
    ck_assert_int_eq(tusk_query_code(q), TUSK_ERR_CANCELED);
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_UNKNOWN);
    ck_assert_str_eq(tusk_query_error(q)->message, "canceled by the caller");
    ck_assert_str_eq(tusk_query_error(q)->detail, "");
    tusk_query_free(q);
    tusk_query_free(next);
    down();
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("sim_time");
    TCase *t = tcase_create("clock");

    suite_add_tcase(suite, t);
    tcase_add_loop_test(t, a_pause_is_a_part_of_twice_the_one_before_and_of_max_delay_at_most, 0, 2 * N_PAUSES);
    tcase_add_loop_test(t, a_cancel_has_two_seconds_of_its_own, 0, 2);
    return suite;
}
