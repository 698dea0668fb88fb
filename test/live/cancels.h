/* What the tests of cancels around the end of a request share: dice, what comes back, the server's log, the moment that is aimed at.
 * Read first: DESIGN "Cancel", lib/deadline.c; test/live/cancels_live_test.c. */
#ifndef TUSK_TEST_LIVE_CANCELS_H
#define TUSK_TEST_LIVE_CANCELS_H

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
static int heard_fd = -1; /* of this socket alone; -1: of all */
static ssize_t (*real_recv)(void *ctx, int fd, void *buf, size_t len);

static ssize_t listening_recv(void *ctx, int fd, void *buf, size_t len)
{
    ssize_t n = real_recv(ctx, fd, buf, len);

    if (n > 0 && n_heard + (size_t)n <= sizeof heard && (heard_fd < 0 || fd == heard_fd)) {
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

/* ---- the world -------------------------------------------------------------------------------------------------------------------- */

static void cancels_up(void)
{
    live_fds = harness_open_fds();
    fail_os_init(&world, OS_SEND, 0, 0, false);
    real_recv = world.os.recv;
    world.os.recv = listening_recv;
    loop = tusk__loop_open_on(&world.os, &(tusk_loop_config){0}, NULL);
    ck_assert_ptr_nonnull(loop);
    other = connect_plain();
    log_level("debug2");
}

static void cancels_down(void)
{
    if (other) {
        log_level("");
        disconnect(other);
    }
    other = NULL;
    live_down();
}

/* ---- the moment ---------------------------------------------------------------------------------------------------------------------- */

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

static tusk_query *submit_sleep(tusk_conn *conn)
{
    return tusk_exec(conn, "select pg_sleep($1)", TUSK_PARAMS(tusk_float8((double)duration_us / 1e6)));
}

static void cancel_at(tusk_query *q, int64_t at_us)
{
    do
        turn(0); /* the first one sends it */
    while (tusk_loop_now_us(loop) < at_us);
    tusk_query_cancel(q);
}

static void cancel_about_now(tusk_query *q)
{
    cancel_at(q, tusk_loop_now_us(loop) + middle_us - 1000 + dice(2000));
}

/* What the caller is told does not depend on how the race ended on the server. */
static void check_canceled(tusk_query *q)
{
    ck_assert_msg(tusk_query_code(q) == TUSK_OK || tusk_query_code(q) == TUSK_ERR_CANCELED, "%s",
                  said(tusk_query_error(q)));
    if (tusk_query_code(q) == TUSK_ERR_CANCELED)
        ck_error(tusk_query_error(q), TUSK_ERR_CANCELED, "57014", "canceled by the caller");
}

/* A line of numbers for test/cancels, which adds them up: TUSK_CANCELS_COUNTS names the file. */
static void record_counts(const char *name, const long *n, int n_of)
{
    const char *path = getenv("TUSK_CANCELS_COUNTS");
    FILE *file = path ? fopen(path, "a") : NULL;

    if (!file)
        return;
    fprintf(file, "%s", name);
    for (int i = 0; i < n_of; i++)
        fprintf(file, " %ld", n[i]);
    fprintf(file, "\n");
    ck_assert_int_eq(fclose(file), 0);
}

static bool is_57014(const tusk_query *q)
{
    return tusk_query_code(q) == TUSK_ERR_SERVER && strcmp(tusk_query_error(q)->sqlstate, "57014") == 0;
}

#endif
