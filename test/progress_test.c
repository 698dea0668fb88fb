/* The no-progress rule: whom it ends, whom it leaves alone, and when it looks at all. The clock is the test's, and so is what the
 * kernel says of acknowledgements; a real kernel is asked by bench/silence (make silence). */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

#include <tusk/tusk.h>

#include "lib/progress.h"
#include "loop/os.h"
#include "test/harness/harness.h"
#include "test/harness/script_server.h"

#define N_OF(array) (int)(sizeof(array) / sizeof(array)[0])
#define QUIET_TICKS (TUSK__PROGRESS_QUIET_US / TUSK__PROGRESS_TICK_US)

typedef struct peer_state {
    unsigned n_unanswered, n_probes, last_ack_ms;
} peer_state;

static script_server *server;
static tusk_loop *loop;
static tusk_conn *db;
static tusk__os os;
static int64_t jumped_us;
static peer_state told;
static int n_looks;

static int64_t own_now_us(void *ctx)
{
    return tusk__os_real()->now_us(ctx) + jumped_us;
}

static int own_getsockopt(void *ctx, int fd, int level, int name, void *value, socklen_t *len)
{
    struct tcp_info info = {0};

    if (level != IPPROTO_TCP || name != TCP_INFO)
        return tusk__os_real()->getsockopt(ctx, fd, level, name, value, len);
    n_looks++;
    info.tcpi_unacked = told.n_unanswered;
    info.tcpi_probes = (uint8_t)told.n_probes;
    info.tcpi_last_ack_recv = told.last_ack_ms;
    memcpy(value, &info, *len < sizeof info ? *len : sizeof info);
    return 0;
}

static void turn(double seconds)
{
    ck_assert_int_eq(tusk_loop_turn(loop, seconds, NULL), TUSK_OK);
}

static int n_notices;

static void on_notice(tusk_conn *conn, const tusk_notice *notice, void *user)
{
    (void)conn, (void)notice, (void)user;
    n_notices++;
}

static void up(const char *script, const char *with)
{
    char dsn[200];

    server = script_start(script);
    os = *tusk__os_real();
    os.now_us = own_now_us;
    os.getsockopt = own_getsockopt;
    jumped_us = 0;
    n_looks = n_notices = 0;
    told = (peer_state){0};
    loop = tusk__loop_open_on(&os, &(tusk_loop_config){0}, NULL);
    ck_assert_ptr_nonnull(loop);
    snprintf(dsn, sizeof dsn, "host=127.0.0.1%s port=%d user=u sslmode=disable", with, script_port(server));
    db = tusk_conn_open(loop, &(tusk_config){.dsn = dsn, .on_notice = on_notice});
    ck_assert_ptr_nonnull(db);
}

static void ready(void)
{
    ck_assert_int_eq(tusk_await_free(tusk_conn_ready(db), NULL), TUSK_OK);
}

static void down(void)
{
    tusk_conn_free(db);
    tusk_loop_free(loop);
    (void)script_stop(server);
}

/* A request, until its bytes are gone. */
static tusk_query *ask(void)
{
    tusk_query *q = tusk_exec(db, "select 1", TUSK_NO_PARAMS);

    turn(0);
    turn(0);
    return q;
}

static void tick(int n)
{
    for (int i = 0; i < n; i++) {
        jumped_us += TUSK__PROGRESS_TICK_US;
        turn(0);
    }
}

static const struct {
    peer_state state;
    bool is_gone;
} states[] = {
    {{0, 0, 3600000}, false}, /* it thinks, or does not read, and all that was sent is acknowledged */
    {{0, 1, 3600000}, false}, /* a probe is under way */
    {{0, 2, 3600000}, true},  {{9, 0, 0}, false}, /* much is under way, but acknowledgements come */
    {{9, 0, 29999}, false},   {{9, 0, 30000}, true},
};

START_TEST(only_what_acknowledges_nothing_is_lost)
{
    tusk_query *q;

    up("login\nwait until closed\n", "");
    ready();
    q = ask();
    told = states[_i].state;
    tick(QUIET_TICKS - 1);
    ck_assert_int_eq(n_looks, 0); /* not before half a minute */
    tick(2);
    ck_assert_int_ge(n_looks, 1);
    tick(states[_i].is_gone ? 0 : 100);
    ck_assert_int_eq(tusk_query_is_done(q), states[_i].is_gone);
    if (states[_i].is_gone) {
        ck_assert_int_eq(tusk_query_code(q), TUSK_ERR_LOST);
        ck_assert_str_eq(tusk_query_error(q)->sqlstate, "08006");
        ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_UNKNOWN);
    }
    tusk_query_free(q);
    down();
}
END_TEST

START_TEST(whatever_is_heard_begins_the_half_minute_anew)
{
    tusk_query *first, *second;

    up("login\nskip until sync\nskip until sync\nsend notice S=NOTICE V=NOTICE C=00000 M=x\nwait until closed\n", "");
    ready();
    first = ask();
    told = (peer_state){9, 0, 3600000};
    tick(QUIET_TICKS - 1);
    second = ask();
    while (n_notices == 0)
        turn(1.0);
    tick(QUIET_TICKS);
    ck_assert(!tusk_query_is_done(first));
    tick(1);
    ck_assert(tusk_query_is_done(first));
    tusk_query_free(first);
    tusk_query_free(second);
    down();
}
END_TEST

/* The age of the last acknowledgement says nothing of a connection that had nothing to acknowledge. */
START_TEST(the_half_minute_begins_with_the_question)
{
    tusk_query *q;

    up("login\nwait until closed\n", "");
    ready();
    told = (peer_state){0, 0, 3600000};
    tick(100);
    ck_assert_int_eq(n_looks, 0);
    q = ask();
    told = (peer_state){9, 0, 3600000};
    tick(QUIET_TICKS - 1);
    ck_assert(!tusk_query_is_done(q));
    tick(2);
    ck_assert(tusk_query_is_done(q));
    tusk_query_free(q);
    down();
}
END_TEST

START_TEST(an_idle_connection_is_left_alone)
{
    up("login\nwait until closed\n", "");
    ready();
    ck_assert_int_eq(tusk_loop_run(loop, NULL), TUSK_OK); /* a tick keeps nobody here */
    tick(2);
    ck_assert_int_lt(tusk_loop_timeout_us(loop), 0); /* no timer is left */
    down();
}
END_TEST

static void pause_at_once(tusk_query *q, const tusk_row *row, void *user)
{
    (void)row;
    *(int *)user += 1;
    ck_assert_int_eq(tusk_query_pause(q), TUSK_OK);
}

/* It is the caller who keeps it waiting; resumed, the half minute begins. */
START_TEST(a_paused_query_is_left_alone)
{
    int n_rows = 0;
    tusk_query *q;

    up("login\nskip until sync\nsend parse_complete; parameter_description; row_description a:23:1; bind_complete; "
       "row x:00000001\nwait until closed\n",
       "");
    ready();
    q = tusk_submit(db, &(tusk_request){.sql = "select 1", .on_row = pause_at_once, .user = &n_rows});
    while (n_rows == 0)
        turn(1.0);
    told = (peer_state){9, 0, 3600000};
    tick(100);
    ck_assert_int_eq(n_looks, 0);
    ck_assert_int_eq(tusk_query_resume(q), TUSK_OK);
    turn(0);
    tick(QUIET_TICKS - 1);
    ck_assert_int_eq(n_looks, 0);
    tick(2);
    ck_assert_int_eq(tusk_query_code(q), TUSK_ERR_LOST);
    tusk_query_free(q);
    down();
}
END_TEST

START_TEST(a_login_that_is_lost_so_goes_on_with_the_next_host)
{
    tusk_query *q;

    up("expect startup\nwait until closed\nconnection\nlogin\nwait until closed\n", ",127.0.0.1");
    q = tusk_conn_ready(db);
    while (script_n_accepted(server) == 0)
        turn(0.01);
    for (int i = 0; i < 4; i++)
        turn(0.01); /* the StartupMessage is gone */
    told = (peer_state){9, 0, 30000};
    tick(QUIET_TICKS + 1);
    told = (peer_state){0};
    ck_assert_int_eq(tusk_await(q), TUSK_OK);
    tusk_query_free(q);
    ck_assert_uint_eq(script_n_accepted(server), 2);
    down();
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *s = suite_create("progress");
    TCase *t = tcase_create("progress");

    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, only_what_acknowledges_nothing_is_lost, 0, N_OF(states));
    tcase_add_test(t, whatever_is_heard_begins_the_half_minute_anew);
    tcase_add_test(t, the_half_minute_begins_with_the_question);
    tcase_add_test(t, an_idle_connection_is_left_alone);
    tcase_add_test(t, a_paused_query_is_left_alone);
    tcase_add_test(t, a_login_that_is_lost_so_goes_on_with_the_next_host);
    suite_add_tcase(s, t);
    return s;
}
