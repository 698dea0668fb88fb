/* Jobs and the resolver: what is refused, in which order things are done, and what becomes of a job that is stuck.
 * getaddrinfo is ours here: it answers from a table, or waits until the test lets it go.
 * Read first: loop/loop.h, "jobs" and "resolution". */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>

#include "test/loop_util.h"
#include "test/thread_util.h"

static tusk_loop *loop;
static world *w;
static heap h;

/* ---- a resolver of ours ------------------------------------------------------------------------------------------------ */

static struct sockaddr_in table_v4[3];
static struct sockaddr_in6 table_v6;
static struct addrinfo table[5];

/* 10.0.0.1 twice (sin_zero differs), something unknown, ::2, 10.0.0.2 */
static struct addrinfo *fill_table(void)
{
    static const char *const v4[] = {"10.0.0.1", "10.0.0.1", "10.0.0.2"};

    for (int i = 0; i < 3; i++) {
        table_v4[i] = (struct sockaddr_in){.sin_family = AF_INET};
        inet_pton(AF_INET, v4[i], &table_v4[i].sin_addr);
    }
    memset(table_v4[1].sin_zero, 'x', sizeof table_v4[1].sin_zero);
    table_v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_scope_id = 3};
    inet_pton(AF_INET6, "fe80::2", &table_v6.sin6_addr);
    for (int i = 0; i < 5; i++)
        table[i] = (struct addrinfo){.ai_family = AF_INET, .ai_addrlen = sizeof table_v4[0], .ai_next = &table[i + 1]};
    table[0].ai_addr = (struct sockaddr *)&table_v4[0];
    table[1].ai_addr = (struct sockaddr *)&table_v4[1];
    table[2].ai_addr = (struct sockaddr *)&table_v4[0];
    table[2].ai_family = AF_UNIX;
    table[3].ai_addr = (struct sockaddr *)&table_v6;
    table[3].ai_family = AF_INET6;
    table[3].ai_addrlen = sizeof table_v6;
    table[4].ai_addr = (struct sockaddr *)&table_v4[2];
    table[4].ai_next = NULL;
    return table;
}

static int our_getaddrinfo(void *ctx, const char *host, const char *service, const struct addrinfo *hints,
                           struct addrinfo **list, int *os_error)
{
    (void)ctx;
    ck_assert_ptr_null(service);
    ck_assert_int_eq(hints->ai_socktype, SOCK_STREAM);
    *os_error = 0;
    if (strcmp(host, "stuck") == 0)
        wait_at_the_gate();
    if (strcmp(host, "nobody") == 0)
        return EAI_NONAME;
    if (strcmp(host, "broken") == 0) {
        *os_error = EMFILE;
        return EAI_SYSTEM;
    }
    *list = fill_table();
    if (strcmp(host, "strange") == 0) {
        *list = &table[2];
        table[2].ai_next = NULL;
    }
    return 0;
}

static void our_freeaddrinfo(void *ctx, struct addrinfo *list)
{
    (void)ctx;
    ck_assert_ptr_nonnull(list);
}

static int n_logged;

static void count_line(tusk_log_level level, tusk_str message, void *user)
{
    (void)level;
    (void)message;
    ++*(int *)user;
}

static void setup(void)
{
    tusk_loop_config config = {.allocator = &h.allocator, .on_log = count_line, .log_user = &n_logged};

    diary[0] = '\0';
    n_logged = 0;
    w = world_open();
    w->os.getaddrinfo = our_getaddrinfo;
    w->os.freeaddrinfo = our_freeaddrinfo;
    threads_open(&w->os);
    heap_init(&h);
    loop = tusk__loop_open_on(&w->os, &config, NULL);
}

/* Every thread comes back, and then nothing is left. */
static void teardown(void)
{
    tusk_loop_free(loop);
    threads_close();
    ck_assert_int_eq(atomic_load(&h.n_live), 0);
}

static void on_resolved(const tusk__address *addresses, size_t n, const tusk_error *err, void *user)
{
    char text[64], ip[INET6_ADDRSTRLEN] = "";

    note(user);
    ck_assert(tusk__loop_in_turn(loop));
    if (err->code != TUSK_OK) {
        ck_assert_int_eq(err->code, TUSK_ERR_RESOLVE);
        ck_assert_str_eq(err->sqlstate, "08001");
        ck_assert_int_eq(strncmp(err->where, "resolve ", 8), 0);
        snprintf(text, sizeof text, "os=%d", err->os);
        note(text);
    }
    for (size_t i = 0; i < n; i++) {
        const void *addr = &addresses[i].addr;
        const struct sockaddr_in *sin = addr;
        const struct sockaddr_in6 *sin6 = addr;
        bool is_v4 = addresses[i].family == AF_INET;
        inet_ntop(addresses[i].family, is_v4 ? (const void *)&sin->sin_addr : &sin6->sin6_addr, ip, sizeof ip);
        ck_assert_int_eq(ntohs(is_v4 ? sin->sin_port : sin6->sin6_port), 5432);
        snprintf(text, sizeof text, is_v4 ? "%s" : "%s/%u", ip, is_v4 ? 0 : (unsigned)sin6->sin6_scope_id);
        note(text);
    }
}

static tusk__resolve *resolve(const char *host)
{
    tusk_error err = {0};
    tusk__resolve *started = tusk__resolve_start(loop, tusk_str_of(host), 5432, on_resolved, named(host), &err);

    ck_assert_msg(started != NULL, "%s: %s", host, err.message);
    ck_assert_ptr_null(strstr(diary, host)); /* never inside the call */
    return started;
}

/* ---- refusals --------------------------------------------------------------------------------------------------------- */

START_TEST(host_that_cannot_be_a_name_is_refused)
{
    char long_name[256];
    const tusk_str hosts[] = {{"", 0}, {NULL, 0}, {"a\0b", 3}, {"127.0.0.1\0.evil", 15}, {long_name, 256}};
    tusk_error err = {0};

    memset(long_name, 'a', sizeof long_name);
    ck_assert_ptr_null(tusk__resolve_start(loop, hosts[_i], 5432, on_resolved, NULL, &err));
    ck_assert_int_eq(err.code, TUSK_ERR_RESOLVE);
    ck_assert_int_eq(err.fate, TUSK_FATE_NOT_SENT);
    run_ok(loop);
}
END_TEST

START_TEST(out_of_memory_anywhere_is_an_error)
{
    long base = atomic_load(&h.n_calls);

    for (long n = 1; n <= 3; n++) {
        tusk_error err = {0};
        h.fail_at = atomic_load(&h.n_calls) + n;
        ck_assert_ptr_null(tusk__resolve_start(loop, tusk_str_of("db"), 5432, on_resolved, named("db"), &err));
        ck_assert_int_eq(err.code, TUSK_ERR_NOMEM);
        ck_assert_int_eq(atomic_load(&n_threads), 0);
        if (n == 3)
            break;
        tusk_loop_free(loop); /* the queue is kept: begin anew */
        loop = loop_on_heap(w, &h, NULL);
    }
    h.fail_at = atomic_load(&h.n_calls) + 3; /* resolve, thread, addresses */
    resolve("db");
    run_ok(loop);
    diary_is("db os=-10");
    ck_assert_int_eq(EAI_MEMORY, -10);
    ck_assert_int_gt(atomic_load(&h.n_calls), base);
}
END_TEST

START_TEST(thread_that_cannot_be_started_is_an_error)
{
    tusk_error err = {0};

    threads_to_refuse = 1;
    ck_assert_ptr_null(tusk__resolve_start(loop, tusk_str_of("db"), 5432, on_resolved, named("db"), &err));
    ck_assert_int_eq(err.code, TUSK_ERR_SYSTEM);
    ck_assert_int_eq(err.os, EAGAIN);
    run_ok(loop);
    resolve("db");
    run_ok(loop);
    diary_is("db 10.0.0.1 fe80::2/3 10.0.0.2");
}
END_TEST

/* ---- names ------------------------------------------------------------------------------------------------------------ */

static unsigned our_interface(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "eth7") == 0 ? 7 : 0;
}

static const struct {
    const char *host;
    const char *seen;
    int n_threads;
} names[] = {
    {"127.0.0.1", "127.0.0.1 127.0.0.1", 0},
    {"::1", "::1 ::1/0", 0},
    {"fe80::1%4", "fe80::1%4 fe80::1/4", 0},
    {"fe80::1%eth7", "fe80::1%eth7 fe80::1/7", 0},
    {"fe80::1%none", "fe80::1%none os=-2", 0},
    {"fe80::1%", "fe80::1% os=-2", 0},
    {"fe80::1%99999999999", "fe80::1%99999999999 os=-2", 0},
    {"::ffff:10.1.2.3", "::ffff:10.1.2.3 ::ffff:10.1.2.3/0", 0},
    {"127.1", "127.1 10.0.0.1 fe80::2/3 10.0.0.2", 1},
    {"db%eth7", "db%eth7 10.0.0.1 fe80::2/3 10.0.0.2", 1},
    {"db", "db 10.0.0.1 fe80::2/3 10.0.0.2", 1},
    {"nobody", "nobody os=-2", 1},
    {"strange", "strange os=-2", 1},
    {"broken", "broken os=24", 1},
};

START_TEST(name_is_answered_from_the_loop)
{
    ck_assert_int_eq(EAI_NONAME, -2);
    w->os.interface_index = our_interface;
    resolve(names[_i].host);
    run_ok(loop);
    diary_is(names[_i].seen);
    ck_assert_int_eq(atomic_load(&n_threads), names[_i].n_threads);
}
END_TEST

START_TEST(canceled_resolution_is_never_answered)
{
    tusk__resolve_cancel(resolve("127.0.0.1"));
    run_ok(loop);
    resolve("db");
    tusk__resolve_cancel(resolve("stuck"));
    run_ok(loop);
    diary_is("db 10.0.0.1 fe80::2/3 10.0.0.2");
}
END_TEST

/* ---- jobs of our own -------------------------------------------------------------------------------------------------- */

typedef struct own_job {
    tusk__job job;
    const char *name;
    struct own_job *victim;
    bool is_stuck;
    sigset_t mask;
    pthread_t thread;
} own_job;

static void work(tusk__job *job)
{
    own_job *self = (own_job *)(void *)job;

    self->thread = pthread_self();
    pthread_sigmask(SIG_SETMASK, NULL, &self->mask);
    if (self->is_stuck)
        wait_at_the_gate();
}

static void done(tusk__job *job)
{
    own_job *self = (own_job *)(void *)job;

    note(self->name);
    ck_assert(!pthread_equal(self->thread, pthread_self()));
    if (self->victim)
        tusk__job_abandon(loop, &self->victim->job);
    h.allocator.free(self, h.allocator.user);
}

static void drop(tusk__job *job)
{
    h.allocator.free(job, h.allocator.user);
}

static own_job *new_job(const char *name, bool is_stuck)
{
    own_job *job = h.allocator.malloc(sizeof *job, h.allocator.user);

    memset(job, 0, sizeof *job);
    job->job = (tusk__job){.work = work, .done = done, .drop = drop};
    job->name = name;
    job->is_stuck = is_stuck;
    return job;
}

static own_job *start_job(const char *name, bool is_stuck)
{
    own_job *job = new_job(name, is_stuck);
    tusk_error err = {0};

    ck_assert_msg(tusk__job_start(loop, &job->job, &err) == TUSK_OK, "%s", err.message);
    return job;
}

static void check_mask(tusk__job *job)
{
    own_job *self = (own_job *)(void *)job;

    ck_assert(sigismember(&self->mask, SIGINT) && sigismember(&self->mask, SIGPIPE) &&
              sigismember(&self->mask, SIGALRM));
    drop(job);
    note("checked");
}

START_TEST(helper_thread_takes_no_signals_and_ours_keeps_its_mask)
{
    own_job *job = new_job("job", false);
    sigset_t before, after;

    pthread_sigmask(SIG_SETMASK, NULL, &before);
    job->job.done = check_mask;
    ck_assert_int_eq(tusk__job_start(loop, &job->job, NULL), TUSK_OK);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    ck_assert_int_eq(sigismember(&before, SIGINT), sigismember(&after, SIGINT));
    run_ok(loop);
    diary_is("checked");
}
END_TEST

START_TEST(jobs_are_done_in_order_by_one_thread)
{
    start_job("stuck", true);
    await_stuck(1);
    start_job("a", false);
    start_job("b", false);
    ck_assert_int_eq(atomic_load(&n_threads), 1);
    let_go(1);
    run_ok(loop);
    diary_is("stuck a b");
    ck_assert_int_eq(atomic_load(&n_threads), 1);
}
END_TEST

static int wake_at_the_gate(tusk__poller *poller)
{
    wait_at_the_gate();
    return tusk__os_real()->poller->wake(poller);
}

/* The system may put a thread aside in the middle of its wake-up. */
START_TEST(loop_does_not_wait_for_the_thread_that_wakes_it)
{
    w->poller.wake = wake_at_the_gate;
    start_job("a", false);
    await_stuck(1);
    start_job("b", false);
    turn_ok(loop, 0);
    diary_is("a");
    let_go(1000);
    run_ok(loop);
    diary_is("b");
}
END_TEST

/* All three are finished when the first is done. */
START_TEST(done_can_abandon_its_neighbour)
{
    own_job *a = start_job("a", true), *b, *c;

    await_stuck(1);
    b = start_job("b", false);
    c = start_job("c", true);
    (void)c;
    a->victim = b;
    let_go(1);
    await_stuck(2);
    let_go(2);
    run_ok(loop);
    diary_is("a c");
}
END_TEST

/* ---- stuck ones ------------------------------------------------------------------------------------------------------- */

START_TEST(stuck_resolution_is_abandoned_and_the_next_gets_a_fresh_thread)
{
    tusk__resolve *stuck = resolve("stuck");

    await_stuck(1);
    tusk__resolve_cancel(stuck);
    run_ok(loop); /* nothing is waited for */
    resolve("db");
    run_ok(loop);
    diary_is("db 10.0.0.1 fe80::2/3 10.0.0.2");
    ck_assert_int_eq(atomic_load(&n_threads), 2);
}
END_TEST

START_TEST(what_waits_behind_a_stuck_job_moves_to_a_fresh_thread)
{
    own_job *stuck = start_job("stuck", true);

    await_stuck(1);
    start_job("a", false);
    start_job("b", false);
    tusk__job_abandon(loop, &stuck->job);
    run_ok(loop);
    diary_is("a b");
    ck_assert_int_eq(atomic_load(&n_threads), 2);
}
END_TEST

START_TEST(fresh_thread_that_cannot_be_started_is_tried_again)
{
    own_job *stuck = start_job("stuck", true);

    await_stuck(1);
    start_job("a", false);
    threads_to_refuse = 3;
    tusk__job_abandon(loop, &stuck->job);
    run_ok(loop);
    diary_is("a");
    ck_assert_int_eq(threads_to_refuse, 0);
    ck_assert_int_eq(atomic_load(&n_threads), 2);
}
END_TEST

START_TEST(fifth_job_waits_for_one_of_four_stuck_ones_to_come_back)
{
    own_job *given_up;

    for (int i = 1; i <= 4; i++) {
        own_job *stuck = start_job("stuck", true);
        await_stuck(i);
        tusk__job_abandon(loop, &stuck->job);
        ck_assert_int_eq(n_logged, 0);
    }
    run_ok(loop);
    ck_assert_int_eq(n_logged, 1);
    start_job("a", false);
    given_up = start_job("given up", false);
    start_job("b", false);
    tusk__job_abandon(loop, &given_up->job);
    ck_assert_int_eq(atomic_load(&n_threads), 4);
    let_go(1);
    run_ok(loop);
    diary_is("a b");
    ck_assert_int_eq(atomic_load(&n_threads), 4);
}
END_TEST

/* With four stuck threads there is no fifth: what was queued is done by the first that comes back. */
START_TEST(queue_behind_the_fourth_stuck_job_waits_for_one_to_come_back)
{
    own_job *stuck = NULL;

    for (int i = 1; i <= 4; i++) {
        stuck = start_job("stuck", true);
        await_stuck(i);
        if (i == 4)
            start_job("queued", false);
        tusk__job_abandon(loop, &stuck->job);
    }
    ck_assert_int_eq(atomic_load(&n_threads), 4);
    let_go(1);
    run_ok(loop);
    diary_is("queued");
    ck_assert_int_eq(atomic_load(&n_threads), 4);
}
END_TEST

START_TEST(loop_does_not_wait_for_a_stuck_job_when_it_is_freed)
{
    start_job("stuck", true);
    await_stuck(1);
    start_job("queued", false);
    resolve("db");
    tusk_loop_free(loop);
    loop = NULL;
    ck_assert_int_eq(atomic_load(&n_threads_left), 0);
    ck_assert_int_eq(atomic_load(&h.n_live), 3); /* the stuck job, its thread's note, the queue's lock */
    diary_is("");
}
END_TEST

START_TEST(finished_job_that_nobody_saw_is_dropped_with_the_loop)
{
    start_job("a", false);
    while (atomic_load(&n_threads_left) < 1)
        sched_yield();
    tusk_loop_free(loop);
    loop = NULL;
    diary_is("");
    ck_assert_int_eq(atomic_load(&h.n_live), 0);
}
END_TEST

START_TEST(thousand_jobs_are_each_done_once)
{
    size_t len = 0;

    for (int i = 0; i < 1000; i++) {
        start_job("j", false);
        if (i % 7 == 0)
            turn_ok(loop, 0);
    }
    run_ok(loop);
    for (const char *at = diary; *at; at++)
        len += *at == 'j';
    ck_assert_uint_eq(len, 1000);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("job");
    TCase *t = tcase_create("job");

    suite_add_tcase(suite, t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, host_that_cannot_be_a_name_is_refused, 0, 5);
    tcase_add_test(t, out_of_memory_anywhere_is_an_error);
    tcase_add_test(t, thread_that_cannot_be_started_is_an_error);
    tcase_add_loop_test(t, name_is_answered_from_the_loop, 0, (int)(sizeof names / sizeof names[0]));
    tcase_add_test(t, canceled_resolution_is_never_answered);
    tcase_add_test(t, helper_thread_takes_no_signals_and_ours_keeps_its_mask);
    tcase_add_test(t, jobs_are_done_in_order_by_one_thread);
    tcase_add_test(t, loop_does_not_wait_for_the_thread_that_wakes_it);
    tcase_add_test(t, done_can_abandon_its_neighbour);
    tcase_add_test(t, stuck_resolution_is_abandoned_and_the_next_gets_a_fresh_thread);
    tcase_add_test(t, what_waits_behind_a_stuck_job_moves_to_a_fresh_thread);
    tcase_add_test(t, fresh_thread_that_cannot_be_started_is_tried_again);
    tcase_add_test(t, fifth_job_waits_for_one_of_four_stuck_ones_to_come_back);
    tcase_add_test(t, queue_behind_the_fourth_stuck_job_waits_for_one_to_come_back);
    tcase_add_test(t, loop_does_not_wait_for_a_stuck_job_when_it_is_freed);
    tcase_add_test(t, finished_job_that_nobody_saw_is_dropped_with_the_loop);
    tcase_add_test(t, thousand_jobs_are_each_done_once);
    return suite;
}
