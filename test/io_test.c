/* Descriptors: events for stopped and reused slots are dropped, errors count as all that is watched, pausing is complete, and
 * nothing is told to the kernel twice.
 * Read first: loop/loop.h, "readiness"; tusk/loop.h, watches. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "test/loop_util.h"

static tusk_loop *loop;
static world *w;

static void setup(void)
{
    diary[0] = '\0';
    w = world_open();
    loop = loop_in(w);
}

static void teardown(void)
{
    tusk_loop_free(loop);
}

typedef struct end {
    tusk__io io;
    int fd, peer;
    const char *name;
    struct end *victim;
    void (*act)(struct end *self);
} end;

static void connect_pair(end *e, const char *name)
{
    int fds[2];

    memset(e, 0, sizeof *e);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    e->fd = fds[0];
    e->peer = fds[1];
    e->name = name;
}

static void close_pair(end *e)
{
    tusk__io_stop(&e->io);
    if (e->fd >= 0)
        close(e->fd);
    if (e->peer >= 0)
        close(e->peer);
}

static void on_ready(tusk__io *io, unsigned events)
{
    end *self = (end *)(void *)io;
    char text[64];

    snprintf(text, sizeof text, "%s%s%s%s", self->name, events & TUSK_READABLE ? "r" : "",
             events & TUSK_WRITABLE ? "w" : "", events & TUSK__ENDED ? "e" : "");
    note(text);
    if (self->act)
        self->act(self);
}

static void start(end *e, unsigned events)
{
    tusk_error err = {0};

    ck_assert_msg(tusk__io_start(&e->io, loop, e->fd, events, on_ready, &err) == TUSK_OK, "%s", err.message);
}

static void make_readable(end *e)
{
    ck_assert_int_eq(write(e->peer, "x", 1), 1);
}

/* ---- refusals --------------------------------------------------------------------------------------------------------- */

START_TEST(what_cannot_be_watched_is_refused_and_leaves_nothing_behind)
{
    tusk_error err[3] = {{0}};
    tusk__io io = {0};
    int closed[2];

    ck_assert_int_eq(tusk__io_start(&io, loop, -1, TUSK_READABLE, on_ready, &err[0]), TUSK_ERR_USAGE);
    ck_assert_int_eq(io.fd, -1);
    ck_assert_int_eq(pipe(closed), 0);
    close(closed[0]);
    ck_assert_int_eq(tusk__io_start(&io, loop, closed[0], TUSK_READABLE, on_ready, &err[1]), TUSK_ERR_SYSTEM);
    ck_assert_int_eq(err[1].os, EBADF);
    ck_assert_int_eq(io.fd, -1);
    close(closed[1]);
    tusk__io_stop(&io);
    run_ok(loop); /* nothing holds the loop */
}
END_TEST

#if defined(__linux__) && !defined(TUSK_POLLER_KQUEUE)
START_TEST(second_watch_on_one_descriptor_is_refused)
{
    end a;
    tusk__io second;
    tusk_error err = {0};

    connect_pair(&a, "a");
    start(&a, TUSK_READABLE);
    ck_assert_int_eq(tusk__io_start(&second, loop, a.fd, TUSK_READABLE, on_ready, &err), TUSK_ERR_USAGE);
    make_readable(&a);
    turn_ok(loop, 5);
    diary_is("ar");
    close_pair(&a);
}
END_TEST

START_TEST(regular_file_is_refused)
{
    tusk_error err = {0};
    tusk__io io;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    ck_assert_int_eq(tusk__io_start(&io, loop, fd, TUSK_READABLE, on_ready, &err), TUSK_ERR_SYSTEM);
    ck_assert_int_eq(err.os, EPERM);
    close(fd);
}
END_TEST
#endif

START_TEST(out_of_memory_for_a_slot_or_a_watch_is_an_error)
{
    end a;
    heap h;

    connect_pair(&a, "a");
    for (long n = 1; n <= 2; n++) {
        tusk_error err = {0};
        tusk_loop *poor;
        heap_init(&h);
        poor = loop_on_heap(w, &h, NULL);
        h.fail_at = atomic_load(&h.n_calls) + n;
        ck_assert_ptr_null(tusk_watch_start(poor, a.fd, TUSK_READABLE, NULL, NULL, &err));
        ck_assert_int_eq(err.code, TUSK_ERR_NOMEM);
        tusk_loop_free(poor);
        ck_assert_int_eq(atomic_load(&h.n_live), 0);
    }
    close_pair(&a);
}
END_TEST

/* ---- stopped and reused ----------------------------------------------------------------------------------------------- */

static void stop_victim(end *self)
{
    tusk__io_stop(&self->io);
    if (self->victim)
        tusk__io_stop(&self->victim->io);
}

/* Whichever comes first stops both. */
START_TEST(stopped_neighbour_in_the_same_batch_is_not_called)
{
    end a, b;

    connect_pair(&a, "a");
    connect_pair(&b, "b");
    a.victim = &b, b.victim = &a;
    a.act = b.act = stop_victim;
    start(&a, TUSK_READABLE);
    start(&b, TUSK_READABLE);
    make_readable(&a);
    make_readable(&b);
    turn_ok(loop, 5);
    ck_assert_msg(strcmp(diary, "ar") == 0 || strcmp(diary, "br") == 0, "%s", diary);
    close_pair(&a);
    close_pair(&b);
}
END_TEST

static end newcomer;

/* Close the victim, and open something that gets its descriptor number and its slot. */
static void replace_victim(end *self)
{
    end *victim = self->victim;
    int number = victim->fd;
    uint32_t slot = victim->io.slot;

    tusk__io_stop(&self->io);
    tusk__io_stop(&victim->io);
    close(victim->fd);
    victim->fd = -1;
    connect_pair(&newcomer, "new");
    if (newcomer.fd != number) {
        ck_assert_int_eq(dup2(newcomer.fd, number), number);
        close(newcomer.fd);
        newcomer.fd = number;
    }
    start(&newcomer, TUSK_READABLE);
    ck_assert_uint_eq(newcomer.io.slot, slot);
}

START_TEST(event_for_the_former_tenant_of_a_reused_slot_is_dropped)
{
    end a, b;

    connect_pair(&a, "a");
    connect_pair(&b, "b");
    a.victim = &b, b.victim = &a;
    a.act = b.act = replace_victim;
    start(&a, TUSK_READABLE);
    start(&b, TUSK_READABLE);
    make_readable(&a);
    make_readable(&b);
    turn_ok(loop, 5);
    ck_assert_msg(strcmp(diary, "ar") == 0 || strcmp(diary, "br") == 0, "%s", diary);
    diary[0] = '\0';
    turn_ok(loop, 0);
    diary_is("");
    make_readable(&newcomer);
    turn_ok(loop, 5);
    diary_is("newr");
    close_pair(&newcomer);
    close_pair(&a);
    close_pair(&b);
}
END_TEST

static void unwatch_victims_writing(end *self)
{
    ck_assert_int_eq(tusk__io_set(&self->victim->io, TUSK_READABLE, NULL), TUSK_OK);
    ck_assert_int_eq(tusk__io_set(&self->io, 0, NULL), TUSK_OK);
}

START_TEST(event_that_is_not_wanted_any_more_is_dropped)
{
    end a, b;

    connect_pair(&a, "a");
    connect_pair(&b, "b");
    a.victim = &b, b.victim = &a;
    a.act = b.act = unwatch_victims_writing;
    start(&a, TUSK_WRITABLE);
    start(&b, TUSK_WRITABLE);
    turn_ok(loop, 5);
    ck_assert_msg(strcmp(diary, "aw") == 0 || strcmp(diary, "bw") == 0, "%s", diary);
    close_pair(&a);
    close_pair(&b);
}
END_TEST

static void start_newcomer(end *self)
{
    tusk__io_stop(&self->io);
    connect_pair(&newcomer, "new");
    make_readable(&newcomer);
    start(&newcomer, TUSK_READABLE);
}

START_TEST(io_started_in_a_callback_is_called_in_a_later_turn)
{
    end a;

    connect_pair(&a, "a");
    a.act = start_newcomer;
    start(&a, TUSK_READABLE);
    make_readable(&a);
    turn_ok(loop, 5);
    diary_is("ar");
    turn_ok(loop, 5);
    diary_is("newr");
    close_pair(&a);
    close_pair(&newcomer);
}
END_TEST

START_TEST(stopping_twice_or_never_started_is_fine)
{
    tusk__io zeroed = {0};
    end a;

    tusk__io_stop(&zeroed);
    connect_pair(&a, "a");
    start(&a, TUSK_READABLE);
    tusk__io_stop(&a.io);
    tusk__io_stop(&a.io);
    ck_assert_int_eq(a.io.fd, -1);
    close_pair(&a);
    run_ok(loop);
}
END_TEST

/* ---- what is reported ------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    unsigned events;
    bool is_readable, is_hung_up;
    const char *seen;
} reports[] = {
    {"quiet", TUSK_READABLE, false, false, ""},
    {"readable", TUSK_READABLE, true, false, "ar"},
    {"writable", TUSK_WRITABLE, false, false, "aw"},
    {"both", TUSK_READABLE | TUSK_WRITABLE, true, false, "arw"},
    {"hang-up, reading", TUSK_READABLE, false, true, "ar"},
    {"hang-up, writing", TUSK_WRITABLE, false, true, "aw"},
    {"hang-up, both", TUSK_READABLE | TUSK_WRITABLE, false, true, "arw"},
    {"paused", 0, true, false, ""},
    {"paused and hung up", 0, true, true, ""},
};

/* A back end with a filter per direction may report both in two calls. */
static bool is_seen(const char *seen)
{
    return strcmp(diary, seen) == 0 || (strcmp(seen, "arw") == 0 && strcmp(diary, "ar aw") == 0) ||
           (strcmp(seen, "arw") == 0 && strcmp(diary, "aw ar") == 0);
}

START_TEST(readiness_is_reported_as_far_as_it_is_watched)
{
    end a;

    connect_pair(&a, "a");
    start(&a, reports[_i].events);
    if (reports[_i].is_readable)
        make_readable(&a);
    if (reports[_i].is_hung_up) {
        close(a.peer);
        a.peer = -1;
    }
    turn_ok(loop, 0);
    ck_assert_msg(is_seen(reports[_i].seen), "%s: \"%s\"", reports[_i].name, diary);
    diary[0] = '\0';
    turn_ok(loop, 0); /* level triggered */
    ck_assert_msg(is_seen(reports[_i].seen), "%s again: \"%s\"", reports[_i].name, diary);
    close_pair(&a);
}
END_TEST

static void turn_tells(const char *seen)
{
    diary[0] = '\0';
    turn_ok(loop, 0);
    ck_assert_msg(is_seen(seen), "\"%s\" instead of \"%s\"", diary, seen);
}

static void watch_for(end *e, unsigned events)
{
    tusk_error err = {0};

    ck_assert_int_eq(tusk__io_set(&e->io, events, &err), TUSK_OK);
}

/* A back end without edges tells of all that is there, again and again. */
static bool has_edges(void)
{
    return strcmp(tusk__loop_os(loop)->poller->name, "epoll") == 0;
}

START_TEST(edge_is_told_again_with_what_is_new_and_after_each_set)
{
    end a;

    connect_pair(&a, "a");
    start(&a, TUSK_READABLE | TUSK__EDGE);
    turn_tells("");
    make_readable(&a);
    turn_tells("ar");
    turn_tells(has_edges() ? "" : "ar");
    make_readable(&a);
    turn_tells("ar");
    watch_for(&a, TUSK_READABLE | TUSK_WRITABLE | TUSK__EDGE);
    turn_tells("arw");
    turn_tells("arw");
    watch_for(&a, TUSK_READABLE | TUSK__EDGE);
    turn_tells("ar");
    turn_tells(has_edges() ? "" : "ar");
    watch_for(&a, 0);
    watch_for(&a, TUSK_READABLE | TUSK__EDGE);
    turn_tells("ar");
    close_pair(&a);
}
END_TEST

START_TEST(who_watches_for_edges_is_told_that_the_peer_has_ended)
{
    char bytes[8];
    end a;

    connect_pair(&a, "a");
    start(&a, TUSK_READABLE | TUSK__EDGE);
    make_readable(&a);
    ck_assert_int_eq(shutdown(a.peer, SHUT_WR), 0);
    turn_tells(has_edges() ? "are" : "ar");
    ck_assert_int_eq(read(a.fd, bytes, sizeof bytes), 1);
    close_pair(&a);
}
END_TEST

/* Of a pipe's empty reading end the kernel says "hung up", not "readable". */
START_TEST(hang_up_alone_counts_as_readable)
{
    int fds[2];
    end a = {.name = "a"};

    ck_assert_int_eq(pipe(fds), 0);
    a.fd = fds[0];
    a.peer = -1;
    start(&a, TUSK_READABLE);
    close(fds[1]);
    turn_ok(loop, 0);
    diary_is("ar");
    close_pair(&a);
}
END_TEST

START_TEST(paused_io_lets_the_loop_sleep_and_can_be_resumed)
{
    end a;

    connect_pair(&a, "a");
    start(&a, TUSK_READABLE);
    make_readable(&a);
    ck_assert_int_eq(tusk__io_set(&a.io, 0, NULL), TUSK_OK);
    turn_ok(loop, 0.001);
    diary_is("");
    ck_assert_int_eq(tusk__io_set(&a.io, TUSK_READABLE | TUSK_WRITABLE, NULL), TUSK_OK);
    turn_ok(loop, 5);
    ck_assert(is_seen("arw"));
    close_pair(&a);
}
END_TEST

START_TEST(setting_what_is_set_makes_no_system_call)
{
    end a;

    connect_pair(&a, "a");
    start(&a, TUSK_READABLE);
    ck_assert_int_eq(w->n_sets, 1);
    ck_assert_int_eq(tusk__io_set(&a.io, TUSK_READABLE, NULL), TUSK_OK);
    ck_assert_int_eq(w->n_sets, 1);
    ck_assert_int_eq(tusk__io_set(&a.io, TUSK_WRITABLE, NULL), TUSK_OK);
    ck_assert_int_eq(w->n_sets, 2);
    close_pair(&a);
}
END_TEST

static void answer(end *self)
{
    char byte;

    ck_assert_int_eq(tusk__os_real()->recv(NULL, self->fd, &byte, 1), 1);
}

START_TEST(round_trip_is_one_send_one_wait_one_receive)
{
    end a;

    connect_pair(&a, "a");
    a.act = answer;
    start(&a, TUSK_READABLE);
    ck_assert_int_eq(tusk__os_real()->send(NULL, a.fd, "q", 1), 1);
    make_readable(&a);
    w->n_waits = w->n_sets = 0;
    turn_ok(loop, TUSK_NONE);
    diary_is("ar");
    ck_assert_int_eq(w->n_waits, 1);
    ck_assert_int_eq(w->n_sets + w->n_wakes + w->n_alarms, 0);
    close_pair(&a);
}
END_TEST

static int n_served;

static void serve_once(end *self)
{
    tusk__io_stop(&self->io);
    n_served++;
    diary[0] = '\0';
}

/* More than one batch of the kernel's. */
START_TEST(three_hundred_ready_descriptors_are_all_served)
{
    enum { N = 300 };
    static end ends[N];
    struct rlimit limit;
    int n_turns = 0;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 2 * N + 32) {
        limit.rlim_cur = 2 * N + 32;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    }
    for (int i = 0; i < N; i++) {
        connect_pair(&ends[i], "e");
        ends[i].act = serve_once;
        start(&ends[i], TUSK_READABLE);
        make_readable(&ends[i]);
    }
    while (n_served < N) {
        turn_ok(loop, 5);
        ck_assert_int_lt(++n_turns, 20);
    }
    for (int i = 0; i < N; i++)
        close_pair(&ends[i]);
}
END_TEST

START_TEST(send_to_a_closed_peer_is_an_error_and_no_signal)
{
    end a;

    connect_pair(&a, "a");
    close(a.peer);
    a.peer = -1;
    ck_assert_int_eq(tusk__os_real()->send(NULL, a.fd, "x", 1), -EPIPE);
    close_pair(&a);
}
END_TEST

START_TEST(sockets_are_non_blocking_and_closed_by_exec)
{
    int fd = tusk__os_real()->socket(NULL, AF_INET, SOCK_STREAM);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_eq(tusk__os_real()->close(NULL, fd), 0);
    ck_assert_int_eq(tusk__os_real()->close(NULL, fd), -EBADF);
}
END_TEST

/* ---- watches ---------------------------------------------------------------------------------------------------------- */

static tusk_watch *watch;

static void on_watch(int fd, unsigned events, void *user)
{
    (void)fd;
    note(events & TUSK_READABLE ? "r" : "w");
    if (user)
        tusk_watch_stop(watch);
}

START_TEST(watch_can_be_stopped_in_its_own_callback)
{
    end a;

    tusk_watch_stop(NULL);
    connect_pair(&a, "a");
    watch = tusk_watch_start(loop, a.fd, TUSK_READABLE, on_watch, &a, NULL);
    ck_assert_ptr_nonnull(watch);
    make_readable(&a);
    run_ok(loop); /* ends, since nothing is left */
    diary_is("r");
    close_pair(&a);
}
END_TEST

START_TEST(watch_is_changed_and_paused)
{
    tusk_error err = {0};
    end a;

    connect_pair(&a, "a");
    ck_assert_ptr_null(tusk_watch_start(loop, a.fd, 4, on_watch, NULL, &err));
    ck_assert_int_eq(err.code, TUSK_ERR_USAGE);
    watch = tusk_watch_start(loop, a.fd, TUSK_READABLE, on_watch, NULL, NULL);
    ck_assert_int_eq(tusk_watch_set(watch, 8, NULL), TUSK_ERR_USAGE);
    turn_ok(loop, 0);
    diary_is("");
    ck_assert_int_eq(tusk_watch_set(watch, TUSK_WRITABLE, NULL), TUSK_OK);
    turn_ok(loop, 0);
    diary_is("w");
    ck_assert_int_eq(tusk_watch_set(watch, 0, NULL), TUSK_OK);
    turn_ok(loop, 0);
    diary_is("");
    tusk_watch_stop(watch);
    close_pair(&a);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("io");
    TCase *t = tcase_create("io");

    suite_add_tcase(suite, t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, what_cannot_be_watched_is_refused_and_leaves_nothing_behind);
#if defined(__linux__) && !defined(TUSK_POLLER_KQUEUE)
    tcase_add_test(t, second_watch_on_one_descriptor_is_refused);
    tcase_add_test(t, regular_file_is_refused);
#endif
    tcase_add_test(t, out_of_memory_for_a_slot_or_a_watch_is_an_error);
    tcase_add_test(t, stopped_neighbour_in_the_same_batch_is_not_called);
    tcase_add_test(t, event_for_the_former_tenant_of_a_reused_slot_is_dropped);
    tcase_add_test(t, event_that_is_not_wanted_any_more_is_dropped);
    tcase_add_test(t, io_started_in_a_callback_is_called_in_a_later_turn);
    tcase_add_test(t, stopping_twice_or_never_started_is_fine);
    tcase_add_loop_test(t, readiness_is_reported_as_far_as_it_is_watched, 0, (int)(sizeof reports / sizeof reports[0]));
    tcase_add_test(t, edge_is_told_again_with_what_is_new_and_after_each_set);
    tcase_add_test(t, who_watches_for_edges_is_told_that_the_peer_has_ended);
    tcase_add_test(t, hang_up_alone_counts_as_readable);
    tcase_add_test(t, paused_io_lets_the_loop_sleep_and_can_be_resumed);
    tcase_add_test(t, setting_what_is_set_makes_no_system_call);
    tcase_add_test(t, round_trip_is_one_send_one_wait_one_receive);
    tcase_add_test(t, three_hundred_ready_descriptors_are_all_served);
    tcase_add_test(t, send_to_a_closed_peer_is_an_error_and_no_signal);
    tcase_add_test(t, sockets_are_non_blocking_and_closed_by_exec);
    tcase_add_test(t, watch_can_be_stopped_in_its_own_callback);
    tcase_add_test(t, watch_is_changed_and_paused);
    return suite;
}
