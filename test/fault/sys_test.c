/* Every system call fails in turn with each of its errnos, once and from then on; and all reads and writes are of one byte.
 * Whatever fails: right rows or an error, never a skipped check, never a leak, never a hang.
 * Read first: test/harness/scenario.h, reliability G3. */
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "test/harness/fail_os.h"
#include "test/harness/harness.h"
#include "test/harness/scenario.h"

typedef struct run {
    fail_os os;
    const char *dsn;
} run;

static run *shared_run(void)
{
    static run *r;

    if (!r)
        r = mmap(NULL, sizeof *r, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(r != MAP_FAILED);
    return r;
}

static outcome run_once(void *arg)
{
    run *r = arg;

    return scenario_run(&r->os.os, NULL, r->dsn);
}

static outcome fail_one(os_call call, long index, int error, bool from_then_on, const char *dsn)
{
    run *r = shared_run();

    fail_os_init(&r->os, call, index, error, from_then_on);
    r->dsn = dsn;
    return scenario_in_child(run_once, r);
}

/* A wait that is interrupted for ever never tells anything: that is no failure, that is the end of the world. */
static bool makes_sense(os_call call, int error, bool from_then_on)
{
    bool again = error == EINTR || error == EAGAIN;

    return !(from_then_on && again &&
             (call == OS_EPOLL_WAIT || call == OS_RECV || call == OS_SEND || call == OS_WRITE));
}

static void fail_each(os_call call, bool from_then_on, const char *dsn)
{
    tally t = {0};
    char title[128];
    long n;

    ck_assert_int_eq(fail_one(call, 0, 0, false, dsn), dsn ? OUTCOME_ERROR : OUTCOME_RIGHT);
    n = shared_run()->os.n[call];
    for (const int *error = os_call_errors(call); *error; error++)
        for (long i = 1; i <= n && makes_sense(call, *error, from_then_on); i++)
            tally_add(&t, fail_one(call, i, *error, from_then_on, dsn), os_call_name(call), i * 1000 + *error);
    (void)snprintf(title, sizeof title, "%s, %s, %s certificate (%ld indices)", os_call_name(call),
                   from_then_on ? "from then on" : "once", dsn ? "wrong" : "right", n);
    tally_print(&t, title);
}

START_TEST(each_system_call_fails)
{
    fail_each((os_call)(_i / 2), _i % 2 == 1, NULL);
}
END_TEST

START_TEST(each_system_call_fails_under_a_wrong_certificate)
{
    fail_each((os_call)(_i / 2), _i % 2 == 1, scenario_impossible_dsn());
}
END_TEST

START_TEST(one_byte_at_a_time_is_enough)
{
    run *r = shared_run();

    fail_os_init(&r->os, OS_SOCKET, 0, 0, false);
    r->os.tiny = true;
    r->dsn = _i ? harness_dsn_with("drv", "sslmode=disable") : NULL;
    ck_assert_int_eq(scenario_in_child(run_once, r), _i ? OUTCOME_UNVERIFIED : OUTCOME_RIGHT);
}
END_TEST

static void keep_code(tusk_query *q, void *user)
{
    *(tusk_code *)user = tusk_query_code(q);
}

/* The loop is freed with a request in flight, and Terminate cannot be sent: the request is not a success for that. */
START_TEST(goodbye_that_cannot_be_sent_is_nobodys_success)
{
    tusk_code code = TUSK_AGAIN;
    tusk_error err = {0};
    tusk_loop *loop;
    tusk_conn *db;
    fail_os os;

    fail_os_init(&os, OS_SEND, 0, EPIPE, true);
    loop = tusk__loop_open_on(&os.os, NULL, &err);
    ck_assert_ptr_nonnull(loop);
    db = tusk_connect(loop, harness_dsn_with("drv", "sslmode=disable"));
    ck_assert_int_eq(tusk_await_free(tusk_conn_ready(db), NULL), TUSK_OK);
    tusk_submit(db, &(tusk_request){.sql = "select pg_sleep(10)", .on_done = keep_code, .user = &code});
    ck_assert_int_eq(tusk_loop_turn(loop, 0, NULL), TUSK_OK);
    os.fail_at = atomic_load(&os.n[OS_SEND]) + 1;
    tusk_loop_free(loop);
    ck_assert_int_eq(code, TUSK_ERR_CANCELED);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("fault_sys");
    TCase *tc = tcase_create("system calls");

    tcase_set_timeout(tc, 240);
    tcase_add_loop_test(tc, each_system_call_fails, 0, 2 * N_OS_CALLS);
    tcase_add_loop_test(tc, each_system_call_fails_under_a_wrong_certificate, 0, 2 * N_OS_CALLS);
    tcase_add_loop_test(tc, one_byte_at_a_time_is_enough, 0, 2);
    tcase_add_test(tc, goodbye_that_cannot_be_sent_is_nobodys_success);
    suite_add_tcase(suite, tc);
    return suite;
}
