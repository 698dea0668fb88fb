/* The epoll back end: one system call per turn, level triggered but for TUSK__EDGE, which saves the kernel a second look at the
 * socket in each wait.
 * It knows neither timers nor callbacks; it is empty where there is no epoll.
 * Read first: loop/poller.h, epoll(7), eventfd(2), timerfd_create(2). */
#if defined(__linux__)

#include "loop/epoll.h"

#include <errno.h>
#include <limits.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAX_EVENTS = 128 };

/* Tokens of our own descriptors. The loop's tokens are slot + generation, and slots stay far below these. */
#define TOKEN_WAKE UINT64_MAX
#define TOKEN_ALARM (UINT64_MAX - 1)

struct tusk__poller {
    const tusk__os *os;
    const tusk__epoll_calls *calls;
    tusk_allocator allocator;
    int epoll_fd;
    int wake_fd;      /* eventfd, edge triggered: each write is an edge, so nobody ever has to read it */
    int alarm_fd;     /* timerfd, edge triggered likewise; -1 until somebody sleeps for a time, or embeds the loop */
    bool is_embedded; /* the alarm is the host's */
    int64_t alarm_due_us; /* else: what it is set to, by the loop's clock; 0: it is not, or has rung */
    bool has_wait_us;
    struct epoll_event events[MAX_EVENTS];
};

/* ---- the real calls -------------------------------------------------------------------------------------------------- */

static int real_create(void *ctx)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);

    (void)ctx;
    return fd < 0 ? -errno : fd;
}

static int real_ctl(void *ctx, int epoll_fd, int op, int fd, struct epoll_event *event)
{
    (void)ctx;
    return epoll_ctl(epoll_fd, op, fd, event) < 0 ? -errno : 0;
}

static int real_wait(void *ctx, int epoll_fd, struct epoll_event *events, int max, int timeout_ms)
{
    int n = epoll_wait(epoll_fd, events, max, timeout_ms);

    (void)ctx;
    return n < 0 ? -errno : n;
}

/* By number, because musl and glibc before 2.35 have no wrapper; the kernel's time is 64 bits wide everywhere. */
static int real_wait_us(void *ctx, int epoll_fd, struct epoll_event *events, int max, int64_t timeout_us)
{
#if defined(SYS_epoll_pwait2)
    const struct {
        int64_t sec, nsec;
    } timeout = {timeout_us / 1000000, timeout_us % 1000000 * 1000};
    long n = syscall(SYS_epoll_pwait2, epoll_fd, events, max, &timeout, NULL, (size_t)0);

    (void)ctx;
    return n < 0 ? -errno : (int)n;
#else
    (void)ctx, (void)epoll_fd, (void)events, (void)max, (void)timeout_us;
    return -ENOSYS;
#endif
}

static int real_eventfd(void *ctx)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    (void)ctx;
    return fd < 0 ? -errno : fd;
}

static int real_timerfd(void *ctx)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

    (void)ctx;
    return fd < 0 ? -errno : fd;
}

static int real_timerfd_settime(void *ctx, int fd, const struct itimerspec *when)
{
    (void)ctx;
    return timerfd_settime(fd, 0, when, NULL) < 0 ? -errno : 0;
}

static ssize_t real_write(void *ctx, int fd, const void *buf, size_t len)
{
    ssize_t n = write(fd, buf, len);

    (void)ctx;
    return n < 0 ? -errno : n;
}

const tusk__epoll_calls tusk__epoll_calls_real = {
    .create = real_create,
    .ctl = real_ctl,
    .wait = real_wait,
    .wait_us = real_wait_us,
    .eventfd = real_eventfd,
    .timerfd = real_timerfd,
    .timerfd_settime = real_timerfd_settime,
    .write = real_write,
};

/* ---- the seam -------------------------------------------------------------------------------------------------------- */

static void close_fd(tusk__poller *poller, int fd)
{
    if (fd >= 0)
        poller->os->close(poller->os->ctx, fd);
}

/* Closing a child's copies disturbs nobody: the parent's registrations belong to the open files, which stay open. */
static void epoll_close(tusk__poller *poller, bool forked)
{
    tusk_allocator allocator = poller->allocator;

    (void)forked;
    close_fd(poller, poller->alarm_fd);
    close_fd(poller, poller->wake_fd);
    close_fd(poller, poller->epoll_fd);
    allocator.free(poller, allocator.user);
}

static int watch_own(tusk__poller *poller, int fd, uint64_t token)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = token};

    return poller->calls->ctl(poller->os->ctx, poller->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static int open_descriptors(tusk__poller *poller)
{
    void *ctx = poller->os->ctx;

    poller->epoll_fd = poller->calls->create(ctx);
    if (poller->epoll_fd < 0)
        return poller->epoll_fd;
    poller->wake_fd = poller->calls->eventfd(ctx);
    if (poller->wake_fd < 0)
        return poller->wake_fd;
    return watch_own(poller, poller->wake_fd, TOKEN_WAKE);
}

static int epoll_open(const tusk__os *os, const tusk_allocator *allocator, tusk__poller **out)
{
    tusk__poller *poller = allocator->malloc(sizeof *poller, allocator->user);
    int rc;

    if (!poller)
        return -ENOMEM;
    poller->os = os;
    poller->calls = os->poller_calls;
    poller->allocator = *allocator;
    poller->epoll_fd = poller->wake_fd = poller->alarm_fd = -1;
    poller->is_embedded = false;
    poller->alarm_due_us = 0;
    poller->has_wait_us = true;
    rc = open_descriptors(poller);
    if (rc < 0)
        epoll_close(poller, false);
    else
        *out = poller;
    return rc < 0 ? rc : 0;
}

/* Edges are for reading alone: who could not write wants to hear of it as long as it lasts. */
static uint32_t mask_of(unsigned events)
{
    if (events == (TUSK_READABLE | TUSK__EDGE))
        return EPOLLIN | EPOLLRDHUP | EPOLLET;
    return (events & TUSK_READABLE ? (uint32_t)EPOLLIN : 0u) | (events & TUSK_WRITABLE ? (uint32_t)EPOLLOUT : 0u);
}

/* Not watched means not in the set: a descriptor with an empty mask would still report errors and hang-ups, for ever. */
static int epoll_set(tusk__poller *poller, int fd, unsigned before, unsigned now, uint64_t token)
{
    struct epoll_event event = {.events = mask_of(now), .data.u64 = token};
    int op = now == 0 ? EPOLL_CTL_DEL : before == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

    if (before == now)
        return 0;
    return poller->calls->ctl(poller->os->ctx, poller->epoll_fd, op, fd, &event);
}

static int round_up_to_ms(int64_t timeout_us)
{
    return timeout_us > (int64_t)INT_MAX * 1000 ? INT_MAX : (int)((timeout_us + 999) / 1000);
}

/* With a time-out of the call's own. */
static int wait_timed(tusk__poller *poller, int max, int64_t timeout_us)
{
    const tusk__epoll_calls *calls = poller->calls;
    void *ctx = poller->os->ctx;

    if (poller->has_wait_us) {
        int n = calls->wait_us(ctx, poller->epoll_fd, poller->events, max, timeout_us);
        if (n != -ENOSYS && n != -EPERM) /* EPERM: a seccomp filter older than the call */
            return n;
        poller->has_wait_us = false;
    }
    return calls->wait(ctx, poller->epoll_fd, poller->events, max, round_up_to_ms(timeout_us));
}

/* ---- the alarm ------------------------------------------------------------------------------------------------------- */

static int open_alarm(tusk__poller *poller)
{
    int fd, rc;

    if (poller->alarm_fd >= 0)
        return 0;
    fd = poller->calls->timerfd(poller->os->ctx);
    if (fd < 0)
        return fd;
    rc = watch_own(poller, fd, TOKEN_ALARM);
    if (rc < 0) {
        close_fd(poller, fd);
        return rc;
    }
    poller->alarm_fd = fd;
    return 0;
}

/* A zero it_value would disarm: an alarm that is due rings in a nanosecond. */
static int set_alarm(tusk__poller *poller, int64_t delay_us)
{
    struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(delay_us / 1000000), .tv_nsec = (long)(delay_us % 1000000 * 1000)}};

    if (delay_us <= 0)
        when.it_value = (struct timespec){.tv_sec = 0, .tv_nsec = 1};
    return poller->calls->timerfd_settime(poller->os->ctx, poller->alarm_fd, &when);
}

/* The loop has read the clock before we do, and how long before differs from wait to wait. So the same due time looks a little
 * later or sooner each time, and a little late is in time. */
#define GRAIN_US 50

/* One that is set already, and rings no later, will do. False: sleep by the call's own time-out. */
static bool set_alarm_for_sleep(tusk__poller *poller, int64_t now_us, int64_t due_us)
{
    if (poller->is_embedded || open_alarm(poller) < 0)
        return false;
    if (poller->alarm_due_us > now_us && poller->alarm_due_us <= due_us + GRAIN_US)
        return true;
    poller->alarm_due_us = 0;
    if (set_alarm(poller, due_us - now_us) < 0)
        return false;
    poller->alarm_due_us = due_us;
    return true;
}

/* For a time-out of epoll_wait() the kernel sets a timer up in each wait, and takes it back when something was ready: a microsecond
 * of the 25 that a small query takes. Most deadlines never come, and the next one is rarely sooner: so an alarm is set once and
 * stays over many waits. One that rings for nobody any more costs a look. */
static int wait_by_alarm(tusk__poller *poller, int max, int64_t timeout_us)
{
    const tusk__os *os = poller->os;
    int64_t now_us = os->now_us(os->ctx), due_us = now_us + timeout_us;

    while (set_alarm_for_sleep(poller, now_us, due_us)) {
        int n = poller->calls->wait(os->ctx, poller->epoll_fd, poller->events, max, -1);
        int64_t rung_us = poller->alarm_due_us;

        if (n != 1 || poller->events[0].data.u64 != TOKEN_ALARM)
            return n;
        poller->alarm_due_us = 0;
        if (rung_us >= due_us)
            return 0;
        now_us = os->now_us(os->ctx);
        if (now_us >= due_us)
            return 0;
    }
    return wait_timed(poller, max, due_us - now_us);
}

/* ---- waiting --------------------------------------------------------------------------------------------------------- */

#define SLEEP_MAX_US ((int64_t)1000000 * 86400 * 365)

static int wait_once(tusk__poller *poller, int max, int64_t timeout_us)
{
    if (timeout_us <= 0)
        return poller->calls->wait(poller->os->ctx, poller->epoll_fd, poller->events, max, timeout_us < 0 ? -1 : 0);
    return wait_by_alarm(poller, max, timeout_us < SLEEP_MAX_US ? timeout_us : SLEEP_MAX_US);
}

static unsigned ready_events(uint32_t events)
{
    if (events & (EPOLLERR | EPOLLHUP))
        return TUSK_READABLE | TUSK_WRITABLE | TUSK__ENDED;
    return (events & EPOLLIN ? (unsigned)TUSK_READABLE : 0u) | (events & EPOLLOUT ? (unsigned)TUSK_WRITABLE : 0u) |
           (events & EPOLLRDHUP ? (unsigned)TUSK__ENDED : 0u);
}

static int epoll_wait_ready(tusk__poller *poller, tusk__poll_event *events, int max, int64_t timeout_us)
{
    int n = wait_once(poller, max < MAX_EVENTS ? max : MAX_EVENTS, timeout_us), n_out = 0;

    if (n < 0)
        return n == -EINTR ? 0 : n;
    for (int i = 0; i < n; i++) {
        const struct epoll_event *event = &poller->events[i];
        if (event->data.u64 >= TOKEN_ALARM)
            continue;
        events[n_out].token = event->data.u64;
        events[n_out++].events = ready_events(event->events);
    }
    return n_out;
}

/* EAGAIN would mean 2^64 - 2 wake-ups: not seen in this universe. */
static int epoll_wake(tusk__poller *poller)
{
    const uint64_t one = 1;
    ssize_t n;

    do
        n = poller->calls->write(poller->os->ctx, poller->wake_fd, &one, sizeof one);
    while (n == -EINTR);
    return n < 0 ? (int)n : 0;
}

static int epoll_fd(tusk__poller *poller)
{
    int rc = open_alarm(poller);

    if (rc < 0)
        return rc;
    poller->is_embedded = true;
    return poller->epoll_fd;
}

const tusk__poller_ops tusk__epoll_ops = {
    .name = "epoll",
    .open = epoll_open,
    .close = epoll_close,
    .set = epoll_set,
    .wait = epoll_wait_ready,
    .wake = epoll_wake,
    .fd = epoll_fd,
    .alarm = set_alarm,
};

#else
typedef int tusk__no_epoll_here; /* a translation unit must not be empty */
#endif
