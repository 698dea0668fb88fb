/* The loop: what it refuses, the order of a turn, posts, embedding, when it sleeps, and how it ends.
 * Timers, descriptors, jobs and chunks have tests of their own.
 * Read first: tusk/loop.h, loop/loop.h. */
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "loop/state.h"
#include "test/loop_util.h"

static tusk_loop *loop;
static world *w;
static tusk_code seen_code;

static void setup(void)
{
    diary[0] = '\0';
    w = world_open_timeless();
    loop = loop_in(w);
}

static void teardown(void)
{
    tusk_loop_free(loop);
    loop = NULL;
}

/* ---- refusals --------------------------------------------------------------------------------------------------------- */

static void turn_inside(void *user)
{
    tusk_error err = {0};

    (void)user;
    seen_code = tusk_loop_turn(loop, 0, &err);
    ck_assert_int_eq(err.code, TUSK_ERR_STATE);
    ck_assert_str_eq(err.sqlstate, "55000");
    ck_assert_int_eq(tusk_loop_run(loop, NULL), TUSK_ERR_STATE);
    ck_assert(tusk__loop_in_turn(loop));
}

START_TEST(turn_inside_a_callback_is_refused)
{
    ck_assert_int_eq(tusk_loop_post(loop, turn_inside, NULL), TUSK_OK);
    turn_ok(loop, 0);
    ck_assert_int_eq(seen_code, TUSK_ERR_STATE);
    ck_assert(!tusk__loop_in_turn(loop));
}
END_TEST

static void keep_line(tusk_log_level level, tusk_str message, void *user)
{
    ck_assert_int_eq(level, TUSK_LOG_ERROR);
    snprintf(user, 100, TUSK_STR_FMT, TUSK_STR_ARG(message));
}

static void free_inside(void *user)
{
    tusk_loop_free(*(tusk_loop **)user);
}

START_TEST(free_inside_a_callback_is_ignored_and_logged)
{
    char line[100] = "";
    tusk_loop_config config = {.on_log = keep_line, .log_user = line};
    tusk_loop *logging = tusk_loop_open(&config, NULL);

    ck_assert_int_eq(tusk_loop_post(logging, free_inside, &logging), TUSK_OK);
    turn_ok(logging, 0);
    ck_assert_ptr_nonnull(strstr(line, "ignored"));
    turn_ok(logging, 0);
    tusk_loop_free(logging);
}
END_TEST

static void *turn_elsewhere(void *arg)
{
    tusk_error err = {0};

    (void)arg;
    seen_code = tusk_loop_turn(loop, 0, &err);
    return NULL;
}

START_TEST(turn_in_another_thread_is_refused)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, turn_elsewhere, NULL), 0);
    pthread_join(thread, NULL);
    ck_assert_int_eq(seen_code, TUSK_ERR_STATE);
}
END_TEST

static void never(void *user)
{
    (void)user;
    ck_abort_msg("this must not be called");
}

static void never_fd(int fd, unsigned events, void *user)
{
    (void)fd, (void)events, (void)user;
    ck_abort_msg("this must not be called");
}

static void never_resolved(const tusk__address *addresses, size_t n, const tusk_error *err, void *user)
{
    (void)addresses, (void)n, (void)err, (void)user;
    ck_abort_msg("this must not be called");
}

static void never_ready(tusk__io *io, unsigned events)
{
    (void)io, (void)events;
    ck_abort_msg("this must not be called");
}

/* In the child: everything is refused, and freeing disturbs nobody. Exit status: the number of the first broken check. */
static int child_checks(tusk_loop *ours, tusk_watch *watch, tusk_timer *timer, int fd)
{
    tusk_error err[6] = {{0}};
    tusk__io io;

    if (tusk_loop_turn(ours, 0, &err[0]) != TUSK_ERR_STATE || err[0].code != TUSK_ERR_STATE)
        return 1;
    if (tusk_loop_run(ours, &err[1]) != TUSK_ERR_STATE)
        return 2;
    if (tusk_loop_post(ours, never, NULL) != TUSK_ERR_STATE)
        return 3;
    if (tusk_timer_start(ours, 0, never, NULL))
        return 4;
    if (tusk_watch_start(ours, fd, TUSK_READABLE, never_fd, NULL, &err[2]) || err[2].code != TUSK_ERR_STATE)
        return 5;
    if (tusk_watch_set(watch, TUSK_READABLE | TUSK_WRITABLE, &err[3]) != TUSK_ERR_STATE)
        return 6;
    if (tusk_loop_fd(ours) != -1 || tusk_loop_timeout_us(ours) != -1)
        return 7;
    if (tusk__io_start(&io, ours, fd, TUSK_READABLE, never_ready, &err[4]) != TUSK_ERR_STATE)
        return 8;
    if (tusk__resolve_start(ours, tusk_str_of("localhost"), 1, never_resolved, NULL, &err[5]))
        return 9;
    tusk_watch_stop(watch);
    tusk_timer_stop(timer);
    tusk_loop_free(ours);
    return 0;
}

static void take_byte(int fd, unsigned events, void *user)
{
    char byte;

    ck_assert_uint_eq(events, TUSK_READABLE);
    ck_assert_int_eq(read(fd, &byte, 1), 1);
    note(user);
}

static const volatile unsigned *no_guard(void *ctx)
{
    (void)ctx;
    return NULL;
}

/* Row 0 with the guard page, row 1 by process id. The watched pipe is still watched in the parent afterwards, although the
 * child stopped its copy of the watch and freed its copy of the loop. */
START_TEST(forked_child_is_refused_and_disturbs_nobody)
{
    int pipe_fds[2], status;
    tusk_watch *watch;
    tusk_timer *timer;
    tusk_loop *ours;
    pid_t child;

    if (_i == 1)
        w->os.fork_guard_new = no_guard;
    ours = loop_in(w);
    ck_assert_int_eq(pipe(pipe_fds), 0);
    watch = tusk_watch_start(ours, pipe_fds[0], TUSK_READABLE, take_byte, named("byte"), NULL);
    timer = tusk_timer_start(ours, 3600, never, NULL);
    ck_assert(tusk_loop_fd(ours) >= 0);
    child = fork();
    if (child == 0)
        _exit(child_checks(ours, watch, timer, pipe_fds[1]));
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);

    ck_assert_int_eq(write(pipe_fds[1], "x", 1), 1);
    turn_ok(ours, 5);
    diary_is("byte");
    tusk_loop_free(ours);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}
END_TEST

START_TEST(kernel_that_refuses_to_wait_is_reported_and_starves_nobody)
{
    tusk_error err = {0};

    ck_assert_int_eq(tusk_loop_post(loop, note_user, named("posted")), TUSK_OK);
    w->wait_fails_with = EBADF;
    ck_assert_int_eq(tusk_loop_turn(loop, 0, &err), TUSK_ERR_SYSTEM);
    ck_assert_int_eq(err.os, EBADF);
    ck_assert_str_eq(err.sqlstate, "58000");
    diary_is("posted");
    w->wait_fails_with = 0;
    turn_ok(loop, 0);
}
END_TEST

/* ---- opening ---------------------------------------------------------------------------------------------------------- */

START_TEST(out_of_memory_while_opening_is_an_error)
{
    for (long n = 1;; n++) {
        heap h;
        tusk_error err = {0};
        tusk_loop *opened;
        int n_fds = harness_open_fds();

        heap_init(&h);
        h.fail_at = n;
        opened = loop_on_heap(w, &h, &err);
        if (opened) {
            ck_assert_int_gt(n, 2);
            tusk_loop_free(opened);
        } else {
            ck_assert_int_eq(err.code, TUSK_ERR_NOMEM);
        }
        ck_assert_int_eq(atomic_load(&h.n_live), 0);
        ck_assert_int_eq(harness_open_fds(), n_fds);
        if (opened)
            return;
    }
}
END_TEST

#if defined(__linux__) && !defined(TUSK_POLLER_KQUEUE)

/* Each of the back end's calls fails in its turn. */
static int calls_until_failure, failure;

static int next_call_fails(void)
{
    return --calls_until_failure == 0 ? -failure : 0;
}

static int failing_create(void *ctx)
{
    int rc = next_call_fails();

    return rc ? rc : tusk__epoll_calls_real.create(ctx);
}

static int failing_ctl(void *ctx, int epoll_fd, int op, int fd, struct epoll_event *event)
{
    int rc = next_call_fails();

    return rc ? rc : tusk__epoll_calls_real.ctl(ctx, epoll_fd, op, fd, event);
}

static int failing_eventfd(void *ctx)
{
    int rc = next_call_fails();

    return rc ? rc : tusk__epoll_calls_real.eventfd(ctx);
}

static int failing_timerfd(void *ctx)
{
    int rc = next_call_fails();

    return rc ? rc : tusk__epoll_calls_real.timerfd(ctx);
}

static tusk__epoll_calls failing_calls(void)
{
    tusk__epoll_calls calls = tusk__epoll_calls_real;

    calls.create = failing_create;
    calls.ctl = failing_ctl;
    calls.eventfd = failing_eventfd;
    calls.timerfd = failing_timerfd;
    return calls;
}

START_TEST(opening_without_descriptors_leaks_none)
{
    static const int failures[] = {EMFILE, ENFILE, ENOSPC};
    static tusk__epoll_calls calls; /* the fixture's world keeps its address */

    calls = failing_calls();
    failure = failures[_i];
    w->os.poller_calls = &calls;
    for (int n = 1; n <= 3; n++) {
        tusk_error err = {0};
        int n_fds = harness_open_fds();

        calls_until_failure = n;
        ck_assert_ptr_null(tusk__loop_open_on(&w->os, NULL, &err));
        ck_assert_int_eq(err.code, TUSK_ERR_SYSTEM);
        ck_assert_int_eq(err.os, failure);
        ck_assert_int_eq(harness_open_fds(), n_fds);
    }
}
END_TEST

START_TEST(no_descriptor_for_the_alarm_gives_minus_one_and_can_be_asked_again)
{
    tusk__epoll_calls calls = failing_calls();
    tusk_loop *other;

    failure = EMFILE;
    w->os.poller_calls = &calls;
    other = loop_in(w);
    for (int n = 1; n <= 2; n++) {
        int n_fds = harness_open_fds();
        calls_until_failure = n;
        ck_assert_int_eq(tusk_loop_fd(other), -1);
        ck_assert_int_eq(harness_open_fds(), n_fds);
    }
    ck_assert_int_ge(tusk_loop_fd(other), 0);
    tusk_loop_free(other);
}
END_TEST

static int no_timerfd(void *ctx)
{
    (void)ctx;
    return -EMFILE;
}

static int no_wait_us(void *ctx, int epoll_fd, struct epoll_event *events, int max, int64_t timeout_us)
{
    (void)ctx, (void)epoll_fd, (void)events, (void)max, (void)timeout_us;
    failure++;
    return -ENOSYS;
}

static int asked_ms;

static int keep_ms(void *ctx, int epoll_fd, struct epoll_event *events, int max, int timeout_ms)
{
    (void)ctx, (void)epoll_fd, (void)events, (void)max;
    asked_ms = timeout_ms;
    return 0;
}

START_TEST(old_kernel_waits_in_milliseconds_rounded_up)
{
    static const struct {
        double wait;
        int ms;
    } rows[] = {{0.0000001, 1}, {0.001, 1}, {0.0010001, 2}, {1.9999, 2000}, {1e9, 0x7fffffff}, {TUSK_NONE, -1}, {0, 0}};
    tusk__epoll_calls calls = tusk__epoll_calls_real;
    tusk_loop *old;

    calls.timerfd = no_timerfd;
    calls.wait_us = no_wait_us;
    calls.wait = keep_ms;
    w = world_open();
    w->os.poller_calls = &calls;
    old = loop_in(w);
    failure = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        turn_ok(old, rows[i].wait);
        ck_assert_int_eq(asked_ms, rows[i].ms);
    }
    ck_assert_int_eq(failure, 1); /* it is asked for once */
    tusk_loop_free(old);
}
END_TEST

/* ---- a time-out of the wait is an alarm that stays ---- */

static int n_settimes, n_timed_waits;

static int count_settime(void *ctx, int fd, const struct itimerspec *when)
{
    n_settimes++;
    return tusk__epoll_calls_real.timerfd_settime(ctx, fd, when);
}

static int count_timed_wait(void *ctx, int epoll_fd, struct epoll_event *events, int max, int64_t timeout_us)
{
    int n = tusk__epoll_calls_real.wait_us(ctx, epoll_fd, events, max, timeout_us);

    n_timed_waits += n != -ENOSYS;
    return n;
}

/* What old kernels and valgrind have instead. */
static int count_wait(void *ctx, int epoll_fd, struct epoll_event *events, int max, int timeout_ms)
{
    n_timed_waits += timeout_ms > 0;
    return tusk__epoll_calls_real.wait(ctx, epoll_fd, events, max, timeout_ms);
}

static int no_settime(void *ctx, int fd, const struct itimerspec *when)
{
    (void)ctx, (void)fd, (void)when;
    n_settimes++;
    return -EINVAL;
}

static const tusk__epoll_calls *counting_calls(void)
{
    static tusk__epoll_calls calls;

    calls = tusk__epoll_calls_real;
    calls.timerfd_settime = count_settime;
    calls.wait_us = count_timed_wait;
    calls.wait = count_wait;
    n_settimes = n_timed_waits = 0;
    return &calls;
}

static void ignore_readable(tusk__io *io, unsigned events)
{
    (void)io, (void)events;
}

/* n turns that could sleep until a timer is due, each cut short by a descriptor that is readable. */
static void turns_cut_short(tusk_loop *other, int n)
{
    int ends[2];
    tusk__io io = {0};
    tusk_error err = {0};

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
    ck_assert_int_eq(tusk__io_start(&io, other, ends[0], TUSK_READABLE, ignore_readable, &err), TUSK_OK);
    for (int i = 0; i < n; i++)
        turn_ok(other, TUSK_NONE);
    tusk__io_stop(&io);
    close(ends[0]);
    close(ends[1]);
}

static void never_due(tusk__timer *timer)
{
    (void)timer;
}

static int64_t standing_clock(void *ctx)
{
    (void)ctx;
    return 1000000;
}

START_TEST(alarm_for_a_sleep_is_set_once_and_stays_over_many_waits)
{
    tusk__timer far = {0}, near = {0};
    tusk_loop *other;

    w = world_open();
    w->os.now_us = standing_clock;
    w->os.poller_calls = counting_calls();
    other = loop_in(w);
    ck_assert_int_eq(tusk__timer_start(other, &far, 3600 * 1000000LL, never_due), TUSK_OK);
    turns_cut_short(other, 100);
    ck_assert_int_eq(n_settimes, 1);
    ck_assert_int_eq(tusk__timer_start(other, &near, 1800 * 1000000LL, never_due), TUSK_OK);
    turns_cut_short(other, 100);
    ck_assert_int_eq(n_settimes, 2);
    tusk__timer_stop(other, &near);
    turns_cut_short(other, 100);
    ck_assert_int_eq(n_settimes, 2);
    ck_assert_int_eq(n_timed_waits, 0);
    tusk_loop_free(other);
}
END_TEST

START_TEST(alarm_that_rings_for_nobody_any_more_does_not_end_a_sleep)
{
    tusk__timer gone = {0};
    tusk_loop *other;
    int64_t begin_us;

    w = world_open();
    w->os.poller_calls = counting_calls();
    other = loop_in(w);
    ck_assert_int_eq(tusk__timer_start(other, &gone, 20000, never_due), TUSK_OK);
    begin_us = tusk_loop_now_us(other);
    turns_cut_short(other, 1);
    tusk__timer_stop(other, &gone);
    turn_ok(other, 0.06);
    ck_assert_int_ge(tusk_loop_now_us(other) - begin_us, 60000);
    ck_assert_int_eq(n_timed_waits, 0);
    tusk_loop_free(other);
}
END_TEST

START_TEST(sleep_without_an_alarm_is_timed_by_the_wait)
{
    static tusk__epoll_calls calls;
    tusk_loop *other;
    int64_t begin_us;

    calls = *counting_calls();
    if (_i == 0)
        calls.timerfd = no_timerfd;
    else
        calls.timerfd_settime = no_settime;
    w = world_open();
    w->os.poller_calls = &calls;
    other = loop_in(w);
    begin_us = tusk_loop_now_us(other);
    turn_ok(other, 0.02);
    turn_ok(other, 0.02);
    ck_assert_int_ge(tusk_loop_now_us(other) - begin_us, 40000);
    ck_assert_int_eq(n_timed_waits, 2);
    ck_assert_int_eq(n_settimes, _i == 0 ? 0 : 2);
    tusk_loop_free(other);
}
END_TEST

START_TEST(embedded_loop_leaves_its_alarm_to_the_host)
{
    tusk__timer far = {0};
    tusk_loop *other;

    w = world_open();
    w->os.poller_calls = counting_calls();
    other = loop_in(w);
    ck_assert_int_ge(tusk_loop_fd(other), 0);
    ck_assert_int_eq(tusk__timer_start(other, &far, 3600 * 1000000LL, never_due), TUSK_OK);
    ck_assert_int_eq(n_settimes, 1);
    turn_ok(other, 0.001);
    ck_assert_int_eq(n_timed_waits, 1);
    ck_assert_int_eq(n_settimes, 1);
    tusk_loop_free(other);
}
END_TEST

#endif

/* ---- the order of a turn ---------------------------------------------------------------------------------------------- */

typedef struct named_task {
    tusk__task task;
    const char *name;
    tusk__task *victim;
    bool is_again;
} named_task;

static void on_task(tusk__task *task)
{
    named_task *self = (named_task *)(void *)task;

    note(self->name);
    if (self->victim)
        tusk__task_cancel(self->victim);
    if (self->is_again)
        tusk__loop_defer(loop, task, on_task);
}

static void on_pipe(tusk__io *io, unsigned events)
{
    (void)events;
    tusk__io_stop(io);
    note("ready");
}

static void on_timer(tusk__timer *timer)
{
    (void)timer;
    note("timer");
}

START_TEST(phases_come_in_the_documented_order)
{
    named_task flush = {.name = "flush"}, deferred = {.name = "deferred"};
    tusk__timer timer = {0};
    tusk__io io;
    int fds[2];

    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(write(fds[1], "x", 1), 1);
    (void)tusk_loop_fd(loop); /* an embedded loop always looks at its descriptors */
    tusk__loop_defer(loop, &deferred.task, on_task);
    ck_assert_int_eq(tusk_loop_post(loop, note_user, named("posted")), TUSK_OK);
    ck_assert_int_eq(tusk__timer_start(loop, &timer, 0, on_timer), TUSK_OK);
    ck_assert_int_eq(tusk__io_start(&io, loop, fds[0], TUSK_READABLE, on_pipe, NULL), TUSK_OK);
    tusk__loop_flush_soon(loop, &flush.task, on_task);
    turn_ok(loop, TUSK_NONE);
    diary_is("flush ready timer posted deferred");
    close(fds[0]);
    close(fds[1]);
}
END_TEST

START_TEST(work_queued_by_deferred_work_waits_for_the_next_turn)
{
    named_task task = {.name = "task", .is_again = true};

    tusk__loop_defer(loop, &task.task, on_task);
    turn_ok(loop, 0);
    diary_is("task");
    turn_ok(loop, 0);
    diary_is("task");
    tusk__task_cancel(&task.task);
    turn_ok(loop, 0);
    diary_is("");
}
END_TEST

START_TEST(queuing_what_is_queued_does_nothing)
{
    named_task a = {.name = "a"}, b = {.name = "b"};

    tusk__loop_defer(loop, &a.task, on_task);
    tusk__loop_defer(loop, &b.task, on_task);
    tusk__loop_defer(loop, &a.task, on_task);
    turn_ok(loop, 0);
    diary_is("a b");
}
END_TEST

START_TEST(task_can_cancel_its_neighbour_in_the_same_batch)
{
    named_task c = {.name = "c"}, b = {.name = "b"}, a = {.name = "a", .victim = &b.task};

    tusk__loop_defer(loop, &a.task, on_task);
    tusk__loop_defer(loop, &b.task, on_task);
    tusk__loop_defer(loop, &c.task, on_task);
    turn_ok(loop, 0);
    diary_is("a c");
    tusk__task_cancel(&b.task); /* again is fine */
    tusk__loop_defer(loop, &b.task, on_task);
    turn_ok(loop, 0);
    diary_is("b");
}
END_TEST

START_TEST(work_that_begets_work_does_not_starve_the_sockets)
{
    named_task task = {.name = "t", .is_again = true};
    tusk__io io;
    int fds[2], n_turns = 0;

    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(write(fds[1], "x", 1), 1);
    ck_assert_int_eq(tusk__io_start(&io, loop, fds[0], TUSK_READABLE, on_pipe, NULL), TUSK_OK);
    tusk__loop_defer(loop, &task.task, on_task);
    while (io.fd >= 0) {
        turn_ok(loop, TUSK_NONE);
        ck_assert_int_lt(++n_turns, 20);
    }
    ck_assert_int_gt(n_turns, 1); /* a few turns do without the system call */
    tusk__task_cancel(&task.task);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

/* ---- sleeping --------------------------------------------------------------------------------------------------------- */

static void *post_one(void *arg)
{
    (void)arg;
    ck_assert_int_eq(tusk_loop_post(loop, note_user, named("woken")), TUSK_OK);
    return NULL;
}

START_TEST(idle_loop_makes_one_call_however_long_it_sleeps)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, post_one, NULL), 0);
    turn_ok(loop, TUSK_NONE);
    pthread_join(thread, NULL);
    diary_is("woken");
    ck_assert_int_eq(w->n_waits, 1);
    ck_assert(w->last_timeout_us == -1 || w->last_timeout_us == 0); /* 0: the post came first */
}
END_TEST

START_TEST(sleep_ends_with_the_next_timer)
{
    tusk__timer timer = {0};

    ck_assert_int_eq(tusk__timer_start(loop, &timer, 2500000, on_timer), TUSK_OK);
    turn_ok(loop, 1);
    ck_assert_int_eq(w->last_timeout_us, 1000000);
    diary_is("");
    turn_ok(loop, TUSK_NONE);
    ck_assert_int_eq(w->last_timeout_us, 1500000);
    diary_is("timer");
    ck_assert_int_eq(w->n_waits, 2);
}
END_TEST

static void nudge(tusk__task *task)
{
    (void)task;
    tusk__loop_nudge(loop);
}

START_TEST(nudged_turn_does_not_sleep_and_the_next_does)
{
    tusk__task task = {0};

    tusk__loop_flush_soon(loop, &task, nudge);
    turn_ok(loop, 5);
    ck_assert_int_eq(w->last_timeout_us, 0);
    turn_ok(loop, 5);
    ck_assert_int_eq(w->last_timeout_us, 5000000);
}
END_TEST

START_TEST(busy_poll_spends_its_budget_before_it_sleeps_and_learns)
{
    tusk_loop_config config = {.busy_poll = 0.001};
    tusk__timer timer = {0};
    tusk_loop *busy;
    int n_first, n_last = 0;

    w = world_open();
    busy = tusk__loop_open_on(&w->os, &config, NULL);
    ck_assert_int_eq(tusk__timer_start(busy, &timer, 3000, on_timer), TUSK_OK);
    turn_ok(busy, TUSK_NONE);
    n_first = w->n_zero_waits;
    ck_assert_int_gt(n_first, 0);
    for (int i = 0; i < 12; i++) {
        int before = w->n_zero_waits;
        ck_assert_int_eq(tusk__timer_start(busy, &timer, 2000, on_timer), TUSK_OK);
        turn_ok(busy, TUSK_NONE);
        n_last = w->n_zero_waits - before;
    }
    ck_assert_int_eq(n_last, 0); /* sleeps of 2 ms are never caught by polling for 1 ms */
    tusk__timer_stop(busy, &timer);
    tusk_loop_free(busy);
}
END_TEST

START_TEST(busy_poll_is_off_by_default)
{
    static const double off[] = {0, TUSK_NONE, NAN};
    tusk_loop_config config = {.busy_poll = off[_i]};
    tusk_loop *quiet = tusk__loop_open_on(&w->os, &config, NULL);

    turn_ok(quiet, 0.001);
    ck_assert_int_eq(w->n_waits, 1);
    ck_assert_int_eq(w->n_zero_waits, 0);
    tusk_loop_free(quiet);
}
END_TEST

/* ---- posts ------------------------------------------------------------------------------------------------------------ */

enum { N_THREADS = 4, N_POSTS = 2000 };

static int next_of[N_THREADS], n_run;

typedef struct numbered {
    int thread, n;
} numbered;

static void on_numbered(void *user)
{
    numbered *post = user;

    ck_assert_int_eq(post->n, next_of[post->thread]);
    next_of[post->thread]++;
    n_run++;
    free(post);
}

static void *post_many(void *arg)
{
    int thread = (int)(intptr_t)arg;

    for (int n = 0; n < N_POSTS; n++) {
        numbered *post = malloc(sizeof *post);
        *post = (numbered){thread, n};
        ck_assert_int_eq(tusk_loop_post(loop, on_numbered, post), TUSK_OK);
    }
    return NULL;
}

START_TEST(posts_of_four_threads_run_once_each_in_order)
{
    pthread_t threads[N_THREADS];

    for (intptr_t i = 0; i < N_THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, post_many, (void *)i), 0);
    while (n_run < N_THREADS * N_POSTS)
        turn_ok(loop, TUSK_NONE);
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(n_run, N_THREADS * N_POSTS);
}
END_TEST

static void post_again(void *user)
{
    note_user(user);
    ck_assert_int_eq(tusk_loop_post(loop, post_again, user), TUSK_OK);
}

START_TEST(post_from_a_posted_function_runs_in_the_next_turn)
{
    ck_assert_int_eq(tusk_loop_post(loop, post_again, named("p")), TUSK_OK);
    turn_ok(loop, TUSK_NONE);
    diary_is("p");
    turn_ok(loop, TUSK_NONE);
    diary_is("p");
}
END_TEST

START_TEST(several_posts_pay_for_one_wake_up)
{
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(tusk_loop_post(loop, note_user, named("p")), TUSK_OK);
    ck_assert_int_eq(w->n_wakes, 1);
    turn_ok(loop, TUSK_NONE);
    diary_is("p p p p p");
}
END_TEST

static int lock_at_wake = -1;

static int wake_and_see_the_lock(tusk__poller *poller)
{
    lock_at_wake = pthread_mutex_trylock(&loop->mailbox.lock);
    if (lock_at_wake == 0)
        pthread_mutex_unlock(&loop->mailbox.lock);
    return world_wake(poller);
}

/* Else the loop's thread, woken, runs into the lock and sleeps. */
START_TEST(loop_is_woken_when_the_posts_are_open_to_it)
{
    w->poller.wake = wake_and_see_the_lock;
    ck_assert_int_eq(tusk_loop_post(loop, note_user, named("p")), TUSK_OK);
    ck_assert_int_eq(w->n_wakes, 1);
    ck_assert_int_eq(lock_at_wake, 0);
    turn_ok(loop, TUSK_NONE);
    diary_is("p");
}
END_TEST

/* A poster that is slow to wake the loop, and is seen to be still at it, or not, when the loop's memory goes. */
static struct {
    heap h;
    tusk_loop *loop;
    atomic_bool has_run, is_freed, is_waking, was_waking;
} slow;

static int wake_slowly(tusk__poller *poller)
{
    int rc;

    atomic_store(&slow.is_waking, true);
    rc = world_wake(poller);
    for (int i = 0; i < 300000 && !atomic_load(&slow.is_freed); i++)
        sched_yield();
    atomic_store(&slow.is_waking, false);
    return rc;
}

static void free_seen(void *ptr, void *user)
{
    if (ptr == slow.loop && atomic_load(&slow.is_waking))
        atomic_store(&slow.was_waking, true);
    if (ptr == slow.loop)
        atomic_store(&slow.is_freed, true);
    heap_free(ptr, user);
}

static void note_run(void *user)
{
    (void)user;
    atomic_store(&slow.has_run, true);
}

static void *post_slowly(void *arg)
{
    (void)arg;
    ck_assert_int_eq(tusk_loop_post(slow.loop, note_run, NULL), TUSK_OK);
    return NULL;
}

START_TEST(loop_stays_until_who_posted_has_left_it)
{
    pthread_t thread;

    w->poller.wake = wake_slowly;
    heap_init(&slow.h);
    slow.h.allocator.free = free_seen;
    slow.loop = loop_on_heap(w, &slow.h, NULL);
    ck_assert_int_eq(pthread_create(&thread, NULL, post_slowly, NULL), 0);
    while (!atomic_load(&slow.has_run))
        turn_ok(slow.loop, TUSK_NONE);
    tusk_loop_free(slow.loop);
    pthread_join(thread, NULL);
    ck_assert(!atomic_load(&slow.was_waking));
    ck_assert_int_eq(atomic_load(&slow.h.n_live), 0);
}
END_TEST

static void post_at_the_end(tusk__child *child)
{
    (void)child;
    ck_assert_int_eq(tusk_loop_post(slow.loop, never, NULL), TUSK_OK);
}

START_TEST(post_by_what_ends_with_the_loop_goes_with_it)
{
    tusk__child child;

    heap_init(&slow.h);
    slow.loop = loop_on_heap(w, &slow.h, NULL);
    tusk__loop_adopt(slow.loop, &child, post_at_the_end);
    tusk_loop_free(slow.loop);
    ck_assert_int_eq(atomic_load(&slow.h.n_live), 0);
}
END_TEST

START_TEST(out_of_memory_is_told_to_who_posts)
{
    heap h;
    tusk_loop *poor;

    heap_init(&h);
    poor = loop_on_heap(w, &h, NULL);
    h.fail_at = 1, h.and_all_later = true;
    ck_assert_int_eq(tusk_loop_post(poor, never, NULL), TUSK_ERR_NOMEM);
    turn_ok(poor, 0);
    tusk_loop_free(poor);
    ck_assert_int_eq(atomic_load(&h.n_live), 0);
}
END_TEST

/* ---- run and stop ----------------------------------------------------------------------------------------------------- */

static void stop(void *user)
{
    note("stop");
    tusk_loop_stop(user);
}

START_TEST(run_ends_when_nothing_can_happen_any_more)
{
    run_ok(loop);
    ck_assert_int_eq(w->n_waits, 0);
    ck_assert_ptr_nonnull(tusk_timer_start(loop, 1, note_user, named("a")));
    ck_assert_ptr_nonnull(tusk_timer_start(loop, 2, note_user, named("b")));
    run_ok(loop);
    diary_is("a b");
}
END_TEST

START_TEST(run_ends_with_the_turn_in_which_it_is_stopped)
{
    ck_assert_ptr_nonnull(tusk_timer_start(loop, 1, stop, loop));
    ck_assert_ptr_nonnull(tusk_timer_start(loop, 1, note_user, named("same")));
    ck_assert_ptr_nonnull(tusk_timer_start(loop, 2, note_user, named("later")));
    run_ok(loop);
    diary_is("stop same");
    run_ok(loop);
    diary_is("later");
}
END_TEST

START_TEST(stop_before_run_ends_it_before_its_first_turn)
{
    ck_assert_ptr_nonnull(tusk_timer_start(loop, 1, note_user, named("a")));
    tusk_loop_stop(loop);
    run_ok(loop);
    diary_is("");
    run_ok(loop);
    diary_is("a");
}
END_TEST

static void release(void *user)
{
    tusk__loop_release(user);
}

START_TEST(run_goes_on_while_somebody_holds_the_loop)
{
    tusk__io io;
    int fds[2];

    ck_assert_int_eq(pipe(fds), 0);
    ck_assert_int_eq(tusk__io_start(&io, loop, fds[0], TUSK_READABLE, never_ready, NULL), TUSK_OK);
    tusk__loop_release(loop); /* it is in the background now */
    run_ok(loop);
    ck_assert_int_eq(w->n_waits, 0);
    tusk__loop_hold(loop);
    ck_assert_int_eq(tusk_loop_post(loop, release, loop), TUSK_OK);
    run_ok(loop);
    ck_assert_int_eq(w->n_waits, 1);
    tusk__loop_hold(loop);
    tusk__io_stop(&io);
    close(fds[0]);
    close(fds[1]);
}
END_TEST

/* ---- embedding -------------------------------------------------------------------------------------------------------- */

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    return poll(&poll_fd, 1, timeout_ms) == 1;
}

static named_task outside = {.name = "task"};
static tusk__timer embedded_timer;
static int embedded_pipe[2];
static tusk_watch *embedded_watch;

static void start_timer(void)
{
    ck_assert_int_eq(tusk__timer_start(loop, &embedded_timer, 2000, on_timer), TUSK_OK);
}

static void start_due_timer(void)
{
    ck_assert_int_eq(tusk__timer_start(loop, &embedded_timer, 0, on_timer), TUSK_OK);
}

static void defer(void)
{
    tusk__loop_defer(loop, &outside.task, on_task);
}

static void flush_soon(void)
{
    tusk__loop_flush_soon(loop, &outside.task, on_task);
}

static void post(void)
{
    ck_assert_int_eq(tusk_loop_post(loop, note_user, named("posted")), TUSK_OK);
}

static void post_from_thread(void)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, post_one, NULL), 0);
    pthread_join(thread, NULL);
}

static void on_watched(int fd, unsigned events, void *user)
{
    (void)fd, (void)events, (void)user;
    note("watched");
    tusk_watch_stop(embedded_watch);
    close(embedded_pipe[0]);
    close(embedded_pipe[1]);
}

static void watch(void)
{
    ck_assert_int_eq(pipe(embedded_pipe), 0);
    ck_assert_int_eq(write(embedded_pipe[1], "x", 1), 1);
    embedded_watch = tusk_watch_start(loop, embedded_pipe[0], TUSK_READABLE, on_watched, NULL, NULL);
    ck_assert_ptr_nonnull(embedded_watch);
}

static const struct {
    const char *name;
    void (*arise)(void);
    const char *seen;
} arising[] = {
    {"timer", start_timer, "timer"}, {"due timer", start_due_timer, "timer"},
    {"deferred", defer, "task"},     {"flush", flush_soon, "task"},
    {"post", post, "posted"},        {"post from a thread", post_from_thread, "woken"},
    {"watch", watch, "watched"},
};

enum { N_ARISING = (int)(sizeof arising / sizeof arising[0]) };

static void arise_inside(void *user)
{
    (void)user;
    arising[seen_code].arise();
}

static void host_until_seen(int fd, const char *name, const char *seen)
{
    int n_turns = 0;

    while (strstr(diary, seen) == NULL) {
        ck_assert_msg(is_readable(fd, 5000), "%s: the host is not told", name);
        turn_ok(loop, 0);
        ck_assert_int_lt(++n_turns, 20);
    }
    diary_is(seen);
}

/* A host that only watches the descriptor. What comes up does so before the first tusk_loop_fd(), outside a turn, or inside
 * one; the host polls, and turns without waiting whenever the descriptor is readable. */
static void host_by_descriptor(int row, int when)
{
    int fd;

    w = world_open();
    tusk_loop_free(loop);
    loop = loop_in(w);
    memset(&embedded_timer, 0, sizeof embedded_timer);
    if (when == 0)
        arising[row].arise();
    fd = tusk_loop_fd(loop);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(tusk_loop_fd(loop), fd);
    if (when == 1)
        arising[row].arise();
    if (when == 2) {
        seen_code = (tusk_code)row;
        ck_assert_int_eq(tusk_loop_post(loop, arise_inside, NULL), TUSK_OK);
    }
    host_until_seen(fd, arising[row].name, arising[row].seen);
    for (int i = 0; i < 3 && is_readable(fd, 0); i++)
        turn_ok(loop, 0);
    ck_assert_msg(!is_readable(fd, 0), "%s, %d: the host is told without end", arising[row].name, when);
    arising[row].arise(); /* and again */
    host_until_seen(fd, arising[row].name, arising[row].seen);
}

START_TEST(host_that_only_watches_the_descriptor_learns_of_everything)
{
    host_by_descriptor(_i % N_ARISING, _i / N_ARISING);
}
END_TEST

START_TEST(host_that_only_watches_the_descriptor_learns_of_each_timer)
{
    tusk__timer timers[3] = {{0}};
    int fd;

    tusk_loop_free(loop);
    loop = loop_in(world_open());
    fd = tusk_loop_fd(loop);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(tusk__timer_start(loop, &timers[i], 2000 * (i + 1), on_timer), TUSK_OK);
    host_until_seen(fd, "one timer after another", "timer timer timer");
}
END_TEST

/* A host that asks for the time-out, too: poll(fd, timeout), turn. */
START_TEST(host_with_descriptor_and_timeout_learns_of_everything)
{
    int fd, n_turns = 0;

    w = world_open();
    tusk_loop_free(loop);
    loop = loop_in(w);
    memset(&embedded_timer, 0, sizeof embedded_timer);
    fd = tusk_loop_fd(loop);
    ck_assert_int_eq(tusk_loop_timeout_us(loop), -1);
    arising[_i].arise();
    while (strstr(diary, arising[_i].seen) == NULL) {
        int64_t timeout_us = tusk_loop_timeout_us(loop);
        int timeout_ms = timeout_us < 0 ? 5000 : (int)((timeout_us + 999) / 1000);
        bool is_told = is_readable(fd, timeout_ms) || timeout_us >= 0;
        ck_assert_msg(is_told, "%s: the host is not told", arising[_i].name);
        turn_ok(loop, 0);
        ck_assert_int_lt(++n_turns, 10);
    }
    ck_assert_int_eq(tusk_loop_timeout_us(loop), -1);
}
END_TEST

START_TEST(timeout_for_the_host_is_the_time_to_the_next_turn)
{
    tusk__timer timer = {0};
    named_task task = {.name = "task"};

    ck_assert_int_eq(tusk_loop_timeout_us(loop), -1);
    ck_assert_int_eq(tusk__timer_start(loop, &timer, 1234, on_timer), TUSK_OK);
    ck_assert_int_eq(tusk_loop_timeout_us(loop), 1234);
    w->now_us += 1000;
    ck_assert_int_eq(tusk_loop_timeout_us(loop), 234);
    w->now_us += 1000;
    ck_assert_int_eq(tusk_loop_timeout_us(loop), 0);
    tusk__timer_stop(loop, &timer);
    tusk__loop_defer(loop, &task.task, on_task);
    ck_assert_int_eq(tusk_loop_timeout_us(loop), 0);
    turn_ok(loop, 0);
    ck_assert_int_eq(tusk_loop_timeout_us(loop), -1);
    ck_assert_int_eq(tusk_loop_post(loop, note_user, named("p")), TUSK_OK);
    ck_assert_int_eq(tusk_loop_timeout_us(loop), 0);
}
END_TEST

START_TEST(alarm_is_set_again_only_when_a_timer_is_due_earlier)
{
    tusk__timer timers[4] = {{0}};

    ck_assert_int_ge(tusk_loop_fd(loop), 0);
    ck_assert_int_eq(tusk__timer_start(loop, &timers[0], 50000000, on_timer), TUSK_OK);
    ck_assert_int_eq(w->n_alarms, 1);
    ck_assert_int_eq(tusk__timer_start(loop, &timers[1], 60000000, on_timer), TUSK_OK);
    tusk__timer_stop(loop, &timers[0]);
    ck_assert_int_eq(tusk__timer_start(loop, &timers[0], 55000000, on_timer), TUSK_OK);
    turn_ok(loop, 0);
    ck_assert_int_eq(w->n_alarms, 1);
    ck_assert_int_eq(tusk__timer_start(loop, &timers[2], 40000000, on_timer), TUSK_OK);
    ck_assert_int_eq(w->n_alarms, 2);
    for (int i = 0; i < 3; i++)
        tusk__timer_stop(loop, &timers[i]);
}
END_TEST

static void warn(tusk_log_level level, tusk_str message, void *user)
{
    (void)message;
    ck_assert_int_eq(level, TUSK_LOG_WARNING);
    note(user);
}

START_TEST(alarm_that_cannot_be_set_is_logged_and_tried_again)
{
    tusk_loop_config config = {.on_log = warn, .log_user = named("warned")};
    tusk_loop *other = tusk__loop_open_on(&w->os, &config, NULL);
    tusk__timer timer = {0};

    ck_assert_int_ge(tusk_loop_fd(other), 0);
    w->alarm_fails_with = EINVAL;
    ck_assert_int_eq(tusk__timer_start(other, &timer, 1000000, on_timer), TUSK_OK);
    diary_is("warned");
    w->alarm_fails_with = 0;
    turn_ok(other, 0);
    ck_assert_int_eq(w->n_alarms, 2);
    tusk__timer_stop(other, &timer);
    tusk_loop_free(other);
}
END_TEST

/* ---- the end ---------------------------------------------------------------------------------------------------------- */

typedef struct child {
    tusk__child child;
    const char *name;
    tusk__child *sibling;
} child;

static void on_free(tusk__child *base)
{
    child *self = (child *)(void *)base;

    note(self->name);
    ck_assert(tusk__loop_in_turn(loop));
    ck_assert_int_eq(tusk_loop_turn(loop, 0, NULL), TUSK_ERR_STATE);
    tusk__loop_disown(base); /* again is fine */
    if (self->sibling)
        tusk__loop_disown(self->sibling);
}

static void slot_freed(tusk_loop *owner, void *value)
{
    ck_assert_ptr_eq(owner, loop);
    note(value);
}

START_TEST(children_end_from_the_newest_to_the_oldest_then_slots)
{
    child a = {.name = "a"}, b = {.name = "b"}, c = {.name = "c", .sibling = &b.child}, d = {.name = "d"};
    child first = {.name = "first"}, last = {.name = "last"};

    tusk__loop_slot_set(loop, TUSK__SLOT_TLS, named("tls"), slot_freed);
    ck_assert_ptr_eq(tusk__loop_slot_get(loop, TUSK__SLOT_SCRAM), NULL);
    tusk__loop_adopt(loop, &a.child, on_free);
    tusk__loop_adopt(loop, &b.child, on_free);
    tusk__loop_adopt(loop, &c.child, on_free);
    tusk__loop_adopt(loop, &d.child, on_free);
    tusk__loop_adopt_last(loop, &first.child, on_free);
    tusk__loop_adopt_last(loop, &last.child, on_free);
    tusk__loop_disown(&d.child);
    tusk_loop_free(loop);
    diary_is("c a last first tls");
    loop = NULL;
}
END_TEST

START_TEST(what_was_posted_runs_before_the_loop_is_gone)
{
    child a = {.name = "child"};

    tusk__loop_adopt(loop, &a.child, on_free);
    ck_assert_int_eq(tusk_loop_post(loop, post_again, named("posted")), TUSK_OK);
    tusk_loop_free(loop);
    diary_is("posted child");
    loop = NULL;
}
END_TEST

START_TEST(what_was_decided_is_told_before_the_loop_is_gone)
{
    named_task task = {.name = "told"};

    tusk__loop_defer(loop, &task.task, on_task);
    tusk_loop_free(loop);
    diary_is("told");
    loop = NULL;
}
END_TEST

START_TEST(freeing_leaves_no_descriptor_and_no_memory)
{
    int n_fds = harness_open_fds(), fds[2];
    heap h;
    tusk_loop *full;

    heap_init(&h);
    ck_assert_int_eq(pipe(fds), 0);
    full = loop_on_heap(w, &h, NULL);
    ck_assert_int_ge(tusk_loop_fd(full), 0);
    ck_assert_ptr_nonnull(tusk_timer_start(full, 1, never, NULL));
    ck_assert_ptr_nonnull(tusk_watch_start(full, fds[0], TUSK_READABLE, never_fd, NULL, NULL));
    for (int i = 0; i < 8; i++)
        tusk__chunk_unref(tusk__chunk_get(full, 1));
    tusk_loop_free(full);
    tusk_loop_free(NULL);
    close(fds[0]);
    close(fds[1]);
    ck_assert_int_eq(atomic_load(&h.n_live), 0);
    ck_assert_int_eq(harness_open_fds(), n_fds);
}
END_TEST

/* ---- the log ---------------------------------------------------------------------------------------------------------- */

static void keep_any(tusk_log_level level, tusk_str message, void *user)
{
    (void)level;
    snprintf(user, 2000, TUSK_STR_FMT, TUSK_STR_ARG(message));
}

START_TEST(log_passes_only_its_level_and_no_control_characters)
{
    char line[2000] = "", long_text[1500];
    tusk_loop_config config = {.on_log = keep_any, .log_user = line, .log_level = TUSK_LOG_INFO};
    tusk_loop *logging = tusk_loop_open(&config, NULL);

    tusk__loop_log(logging, TUSK_LOG_DEBUG, "too fine");
    ck_assert_str_eq(line, "");
    ck_assert(!tusk__loop_logs(logging, TUSK_LOG_DEBUG) && tusk__loop_logs(logging, TUSK_LOG_INFO));
    tusk__loop_log(logging, TUSK_LOG_INFO, "two\nlines and %d\x7f", 7);
    ck_assert_str_eq(line, "two lines and 7 ");
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    tusk__loop_log(logging, TUSK_LOG_ERROR, "%s", long_text);
    ck_assert_int_lt((int)strlen(line), 1024);
    tusk__loop_log(loop, TUSK_LOG_ERROR, "nobody listens");
    tusk_loop_free(logging);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("loop");
    TCase *t = tcase_create("loop");

    suite_add_tcase(suite, t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, turn_inside_a_callback_is_refused);
    tcase_add_test(t, free_inside_a_callback_is_ignored_and_logged);
    tcase_add_test(t, turn_in_another_thread_is_refused);
    tcase_add_loop_test(t, forked_child_is_refused_and_disturbs_nobody, 0, 2);
    tcase_add_test(t, kernel_that_refuses_to_wait_is_reported_and_starves_nobody);
    tcase_add_test(t, out_of_memory_while_opening_is_an_error);
#if defined(__linux__) && !defined(TUSK_POLLER_KQUEUE)
    tcase_add_loop_test(t, opening_without_descriptors_leaks_none, 0, 3);
    tcase_add_test(t, no_descriptor_for_the_alarm_gives_minus_one_and_can_be_asked_again);
    tcase_add_test(t, old_kernel_waits_in_milliseconds_rounded_up);
    tcase_add_test(t, alarm_for_a_sleep_is_set_once_and_stays_over_many_waits);
    tcase_add_test(t, alarm_that_rings_for_nobody_any_more_does_not_end_a_sleep);
    tcase_add_loop_test(t, sleep_without_an_alarm_is_timed_by_the_wait, 0, 2);
    tcase_add_test(t, embedded_loop_leaves_its_alarm_to_the_host);
#endif
    tcase_add_test(t, phases_come_in_the_documented_order);
    tcase_add_test(t, work_queued_by_deferred_work_waits_for_the_next_turn);
    tcase_add_test(t, queuing_what_is_queued_does_nothing);
    tcase_add_test(t, task_can_cancel_its_neighbour_in_the_same_batch);
    tcase_add_test(t, work_that_begets_work_does_not_starve_the_sockets);
    tcase_add_test(t, idle_loop_makes_one_call_however_long_it_sleeps);
    tcase_add_test(t, sleep_ends_with_the_next_timer);
    tcase_add_test(t, nudged_turn_does_not_sleep_and_the_next_does);
    tcase_add_test(t, busy_poll_spends_its_budget_before_it_sleeps_and_learns);
    tcase_add_loop_test(t, busy_poll_is_off_by_default, 0, 3);
    tcase_add_test(t, posts_of_four_threads_run_once_each_in_order);
    tcase_add_test(t, post_from_a_posted_function_runs_in_the_next_turn);
    tcase_add_test(t, several_posts_pay_for_one_wake_up);
    tcase_add_test(t, loop_is_woken_when_the_posts_are_open_to_it);
    tcase_add_test(t, loop_stays_until_who_posted_has_left_it);
    tcase_add_test(t, post_by_what_ends_with_the_loop_goes_with_it);
    tcase_add_test(t, out_of_memory_is_told_to_who_posts);
    tcase_add_test(t, run_ends_when_nothing_can_happen_any_more);
    tcase_add_test(t, run_ends_with_the_turn_in_which_it_is_stopped);
    tcase_add_test(t, stop_before_run_ends_it_before_its_first_turn);
    tcase_add_test(t, run_goes_on_while_somebody_holds_the_loop);
    tcase_add_loop_test(t, host_that_only_watches_the_descriptor_learns_of_everything, 0, 3 * N_ARISING);
    tcase_add_test(t, host_that_only_watches_the_descriptor_learns_of_each_timer);
    tcase_add_loop_test(t, host_with_descriptor_and_timeout_learns_of_everything, 0, N_ARISING);
    tcase_add_test(t, timeout_for_the_host_is_the_time_to_the_next_turn);
    tcase_add_test(t, alarm_is_set_again_only_when_a_timer_is_due_earlier);
    tcase_add_test(t, alarm_that_cannot_be_set_is_logged_and_tried_again);
    tcase_add_test(t, children_end_from_the_newest_to_the_oldest_then_slots);
    tcase_add_test(t, what_was_posted_runs_before_the_loop_is_gone);
    tcase_add_test(t, what_was_decided_is_told_before_the_loop_is_gone);
    tcase_add_test(t, freeing_leaves_no_descriptor_and_no_memory);
    tcase_add_test(t, log_passes_only_its_level_and_no_control_characters);
    return suite;
}
