/* Cancels around the very moment at which a request ends by itself, with a neighbour queued behind: what a CancelRequest hits
 * (D34, "The cancel rule"). The server's log counts those that reached it, and the bytes that come back say what became of each.
 * TUSK_CANCELS=20000 is `make cancels`; make test does 200.
 * Read first: DESIGN "Cancel", lib/deadline.c. */
#include <sys/stat.h>

#include "test/harness/fail_os.h"
#include "test/live/live.h"

#define REACHED "processing cancel request: sending SIGINT"

static fail_os world;
static tusk_conn *other; /* not watched: it changes the server's settings */
static uint32_t seed;

static uint32_t dice(uint32_t sides)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)sides * (seed >> 8) >> 24);
}

/* ---- what comes back: all bytes of a round ------------------------------------------------------------------------------------ */

static uint8_t heard[64 * 1024];
static size_t n_heard;
static ssize_t (*real_recv)(void *ctx, int fd, void *buf, size_t len);

static ssize_t listening_recv(void *ctx, int fd, void *buf, size_t len)
{
    ssize_t n = real_recv(ctx, fd, buf, len);

    if (n > 0 && n_heard + (size_t)n <= sizeof heard) {
        memcpy(heard + n_heard, buf, (size_t)n);
        n_heard += (size_t)n;
    }
    return n;
}

/* One answer: up to its ReadyForQuery. */
typedef struct answer {
    bool is_canceled; /* 57014 */
} answer;

static size_t body_len(const uint8_t *message)
{
    return ((size_t)message[1] << 24 | (size_t)message[2] << 16 | (size_t)message[3] << 8 | message[4]) + 1;
}

static size_t read_answers(answer *answers, size_t max)
{
    size_t n = 0, at = 0, len;

    memset(answers, 0, max * sizeof *answers);
    for (; at + 5 <= n_heard && n < max; at += len) {
        len = body_len(heard + at);
        ck_assert_uint_le(at + len, n_heard);
        if (heard[at] == 'E')
            answers[n].is_canceled = memmem(heard + at, len, "C57014", 7) != NULL;
        n += heard[at] == 'Z';
    }
    ck_assert_uint_eq(at, n_heard);
    return n;
}

/* ---- the server's log ---------------------------------------------------------------------------------------------------------- */

/* What takes CancelRequests logs so much; a fresh session has what the postmaster has by then. */
static void log_level(const char *level)
{
    bool is_there = false;

    run_on(other,
           *level ? textf("alter system set log_min_messages = %s", level) : "alter system reset log_min_messages");
    run_on(other, "select pg_reload_conf()");
    while (!is_there) {
        tusk_conn *fresh = connect_plain();
        is_there = number_on(
            fresh, textf("select (current_setting('log_min_messages') = '%s')::int4", *level ? level : "warning"));
        disconnect(fresh);
    }
}

/* ---- fixtures -------------------------------------------------------------------------------------------------------------------- */

static void up(void)
{
    live_fds = harness_open_fds();
    fail_os_init(&world, OS_SEND, 0, 0, false);
    real_recv = world.os.recv;
    world.os.recv = listening_recv;
    loop = tusk__loop_open_on(&world.os, &(tusk_loop_config){0}, NULL);
    ck_assert_ptr_nonnull(loop);
    other = connect_plain();
    log_level("debug2");
    db = tusk_connect(loop,
                      textf("%s&options=-c%%20log_min_messages%%3Dwarning%%20-c%%20log_min_error_statement%%3Dpanic",
                            harness_env("TUSK_TEST_DSN_PLAIN")));
    ck_usable(db);
}

static void down(void)
{
    if (other) {
        log_level("");
        disconnect(other);
    }
    other = NULL;
    live_down();
}

/* ---- the rounds --------------------------------------------------------------------------------------------------------------------- */

typedef struct counts {
    long sent;     /* CancelRequests */
    long hit;      /* … whose request ended as 57014 */
    long finished; /* … whose request ended by itself */
    long escaped;  /* requests that were answered before a CancelRequest was sent */
    long fenced;   /* 57014 that came to the fence */
    long strays;   /* … to the neighbour, whom nobody canceled */
} counts;

/* From the submission to the middle of the span, two milliseconds wide, in which the cancel falls. It follows the machine: later
 * after a hit, earlier after a request that was faster; and requests take longer where a cancel does. */
static int64_t middle_us = 1500, duration_us = 1500;

static void follow(int64_t step_us)
{
    middle_us += step_us;
    if (middle_us >= 1000)
        return;
    duration_us += 1000 - middle_us;
    middle_us = 1000;
}

static void cancel_at(tusk_query *q, int64_t at_us)
{
    do
        turn(0); /* the first one sends it */
    while (tusk_loop_now_us(loop) < at_us);
    tusk_query_cancel(q);
}

/* Its connection is gone, also where the rule does not wait for that: one cancel at a time. */
static void until_cancel_is_over(void)
{
    while (world.n[OS_SOCKET] - world.n[OS_CLOSE] > 2)
        turn(0.001);
}

static void judge(counts *c, int64_t step_us, bool is_sent, bool neighbour_was_hit)
{
    answer answers[4];
    size_t n = read_answers(answers, 4);

    ck_assert_uint_ge(n, 2);
    c->strays += neighbour_was_hit;
    if (!is_sent) {
        ck_assert(!answers[0].is_canceled);
        c->escaped++;
        follow(-3 * step_us);
        return;
    }
    c->sent++;
    c->hit += answers[0].is_canceled;
    c->finished += !answers[0].is_canceled;
    c->fenced += n == 3 && answers[1].is_canceled;
    follow(answers[0].is_canceled ? step_us : -step_us);
}

/* What the caller is told does not depend on how the race ended on the server. */
static void check_canceled(tusk_query *q)
{
    ck_assert_msg(tusk_query_code(q) == TUSK_OK || tusk_query_code(q) == TUSK_ERR_CANCELED, "%s",
                  said(tusk_query_error(q)));
    if (tusk_query_code(q) == TUSK_ERR_CANCELED)
        ck_error(tusk_query_error(q), TUSK_ERR_CANCELED, "57014", "canceled by the caller");
}

static void play_round(counts *c, int64_t step_us, int number)
{
    long n_connects = world.n[OS_CONNECT];
    tusk_query *q, *neighbour;
    tusk_row row;
    bool is_hit;

    n_heard = 0;
    q = tusk_exec(db, "select pg_sleep($1)", TUSK_PARAMS(tusk_float8((double)duration_us / 1e6)));
    cancel_at(q, tusk_loop_now_us(loop) + middle_us - 1000 + dice(2000));
    neighbour = tusk_exec(db, "select $1 from pg_sleep(0.001)", TUSK_PARAMS(tusk_int4(number)));
    (void)tusk_await(neighbour);
    is_hit =
        tusk_query_code(neighbour) == TUSK_ERR_SERVER && strcmp(tusk_query_error(neighbour)->sqlstate, "57014") == 0;
    ck_assert_msg(is_hit || tusk_query_code(neighbour) == TUSK_OK, "round %d: %s", number,
                  said(tusk_query_error(neighbour)));
    ck_assert(is_hit || (tusk_next_row(neighbour, &row) && tusk_get_int4(&row, 0) == number));
    check_canceled(q);
    until_cancel_is_over();
    judge(c, step_us, world.n[OS_CONNECT] > n_connects, is_hit);
    tusk_query_free(neighbour);
    tusk_query_free(q);
}

/* At least a fifth each way, or it was not the moment that matters. */
START_TEST(cancels_around_the_end_of_a_request_hit_no_neighbour)
{
    const long n = harness_number("TUSK_CANCELS", 200);
    uint32_t pid = tusk_conn_backend_pid(db);
    counts warm_up = {0}, c = {0};
    long from;

    seed = (uint32_t)harness_number("TUSK_CANCELS_SEED", 1);
    for (int i = 0; warm_up.sent < 50; i++)
        play_round(&warm_up, 100, i);
    from = log_size();
    for (int i = 0; c.sent < n; i++)
        play_round(&c, 20, i);
    harness_note(
        "%ld CancelRequests reached the server: %ld requests ended as 57014, %ld by themselves; 57014 came to %ld "
        "fences and to %ld requests that nobody had canceled (%ld more requests were faster than their cancel)",
        n_logged(from, REACHED), c.hit, c.finished, c.fenced, c.strays, c.escaped);
    ck_assert_int_eq(c.strays, 0);
    ck_assert_int_eq(n_logged(from, REACHED), c.sent);
    ck_assert_int_ge(c.hit, n / 5);
    ck_assert_int_ge(c.finished, n / 5);
    ck_assert_uint_eq(tusk_conn_backend_pid(db), pid);
    ck_usable(db);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("cancels_live");
    TCase *tcase = tcase_create("cancels_live");

    tcase_add_checked_fixture(tcase, up, down);
    tcase_set_timeout(tcase, 1000);
    tcase_add_test(tcase, cancels_around_the_end_of_a_request_hit_no_neighbour);
    suite_add_tcase(suite, tcase);
    return suite;
}
