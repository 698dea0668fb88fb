/* The kqueue back end, for the BSDs and macOS: level triggered, one system call per turn.
 * It knows neither timers nor callbacks. Linux compiles it in `make lint` only.
 * Read first: loop/poller.h, kqueue(2). */
#include "loop/kqueue.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { MAX_EVENTS = 128 };

#define ALARM_IDENT 1
#define WAKE_IDENT 2

/* What is watched is kept by descriptor, not in the kernel's `udata`: that is too narrow for a token where pointers are, and
 * its type differs from system to system. */
typedef struct watched {
    uint64_t token;
    unsigned events;
} watched;

struct tusk__poller {
    const tusk__os *os;
    const tusk__kqueue_calls *calls;
    tusk_allocator allocator;
    int kqueue_fd;
    int wake_fds[2]; /* a pipe where there is no EVFILT_USER; else -1 */
    watched *by_fd;
    size_t n_by_fd;
    struct kevent events[MAX_EVENTS];
};

/* ---- the real calls -------------------------------------------------------------------------------------------------- */

static int set_flags(int fd, int status_flags)
{
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    return fcntl(fd, F_SETFL, status_flags) < 0 ? -errno : 0;
}

static int real_create(void *ctx)
{
    int fd = kqueue();

    (void)ctx;
    if (fd < 0)
        return -errno;
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC); /* a child does not inherit it anyway; exec alone would */
    return fd;
}

static int real_kevent(void *ctx, int kqueue_fd, const struct kevent *changes, int n_changes, struct kevent *events,
                       int n_events, const struct timespec *timeout)
{
    int n = kevent(kqueue_fd, changes, n_changes, events, n_events, timeout);

    (void)ctx;
    return n < 0 ? -errno : n;
}

static int real_pipe(void *ctx, int fds[2])
{
    int rc;

    (void)ctx;
    if (pipe(fds) < 0)
        return -errno;
    rc = set_flags(fds[0], O_NONBLOCK);
    if (rc == 0)
        rc = set_flags(fds[1], O_NONBLOCK);
    if (rc == 0)
        return 0;
    (void)close(fds[0]);
    (void)close(fds[1]);
    return rc;
}

static ssize_t real_read(void *ctx, int fd, void *buf, size_t len)
{
    ssize_t n = read(fd, buf, len);

    (void)ctx;
    return n < 0 ? -errno : n;
}

static ssize_t real_write(void *ctx, int fd, const void *buf, size_t len)
{
    ssize_t n = write(fd, buf, len);

    (void)ctx;
    return n < 0 ? -errno : n;
}

const tusk__kqueue_calls tusk__kqueue_calls_real = {
    .create = real_create,
    .kevent = real_kevent,
    .pipe = real_pipe,
    .read = real_read,
    .write = real_write,
};

/* ---- changes ---------------------------------------------------------------------------------------------------------- */

static struct kevent change_of(uintptr_t ident, short filter, unsigned short flags)
{
    struct kevent change;

    memset(&change, 0, sizeof change);
    change.ident = ident;
    change.filter = filter;
    change.flags = flags;
    return change;
}

/* With no room for events the kernel reports the first change that fails as the call's error. */
static int apply(tusk__poller *poller, const struct kevent *changes, int n)
{
    const struct timespec at_once = {0, 0};
    int rc;

    do
        rc = poller->calls->kevent(poller->os->ctx, poller->kqueue_fd, changes, n, NULL, 0, &at_once);
    while (rc == -EINTR);
    return rc < 0 ? rc : 0;
}

static int set_filter(tusk__poller *poller, int fd, short filter, bool before, bool now)
{
    struct kevent change = change_of((uintptr_t)fd, filter, now ? EV_ADD : EV_DELETE);

    return before == now ? 0 : apply(poller, &change, 1);
}

static int set_filters(tusk__poller *poller, int fd, unsigned before, unsigned now)
{
    int rc = set_filter(poller, fd, EVFILT_READ, before & TUSK_READABLE, now & TUSK_READABLE);

    if (rc == 0)
        rc = set_filter(poller, fd, EVFILT_WRITE, before & TUSK_WRITABLE, now & TUSK_WRITABLE);
    return rc;
}

static int grow_by_fd(tusk__poller *poller, size_t fd)
{
    size_t n = poller->n_by_fd ? poller->n_by_fd : 64;
    size_t n_bytes;
    watched *grown;

    while (n <= fd)
        n *= 2;
    n_bytes = n * sizeof *grown;
    grown = poller->allocator.realloc(poller->by_fd, n_bytes, poller->allocator.user);
    if (!grown)
        return -ENOMEM;
    memset(grown + poller->n_by_fd, 0, (n - poller->n_by_fd) * sizeof *grown);
    poller->by_fd = grown;
    poller->n_by_fd = n;
    return 0;
}

static int kqueue_set(tusk__poller *poller, int fd, unsigned before, unsigned now, uint64_t token)
{
    watched *entry;
    int rc;

    if (before == now)
        return 0;
    if ((size_t)fd >= poller->n_by_fd && (rc = grow_by_fd(poller, (size_t)fd)) < 0)
        return rc;
    entry = &poller->by_fd[fd];
    if (before == 0 && entry->events != 0)
        return -EEXIST; /* the kernel would let the second watch replace the first */
    rc = set_filters(poller, fd, before, now);
    if (rc < 0 && now != 0) {
        (void)set_filters(poller, fd, now, before); /* half of it may have been done */
        return rc;
    }
    entry->token = token;
    entry->events = now;
    return rc;
}

/* ---- the wake-up ------------------------------------------------------------------------------------------------------ */

#if defined(EVFILT_USER)

static int open_wake(tusk__poller *poller)
{
    struct kevent change = change_of(WAKE_IDENT, EVFILT_USER, EV_ADD | EV_CLEAR);

    return apply(poller, &change, 1);
}

static int kqueue_wake(tusk__poller *poller)
{
    struct kevent change = change_of(WAKE_IDENT, EVFILT_USER, 0);

    change.fflags = NOTE_TRIGGER;
    return apply(poller, &change, 1);
}

static bool takes_wake(tusk__poller *poller, const struct kevent *event)
{
    (void)poller;
    return event->filter == EVFILT_USER;
}

#else

static int open_wake(tusk__poller *poller)
{
    struct kevent change;
    int rc = poller->calls->pipe(poller->os->ctx, poller->wake_fds);

    if (rc < 0) {
        poller->wake_fds[0] = poller->wake_fds[1] = -1;
        return rc;
    }
    change = change_of((uintptr_t)poller->wake_fds[0], EVFILT_READ, EV_ADD);
    return apply(poller, &change, 1);
}

/* EAGAIN: the pipe is full of wake-ups. */
static int kqueue_wake(tusk__poller *poller)
{
    ssize_t n;

    do
        n = poller->calls->write(poller->os->ctx, poller->wake_fds[1], "", 1);
    while (n == -EINTR);
    return n < 0 && n != -EAGAIN ? (int)n : 0;
}

/* One read: what it leaves is reported again. */
static bool takes_wake(tusk__poller *poller, const struct kevent *event)
{
    char bytes[256];

    if (event->filter != EVFILT_READ || event->ident != (uintptr_t)poller->wake_fds[0])
        return false;
    (void)poller->calls->read(poller->os->ctx, poller->wake_fds[0], bytes, sizeof bytes);
    return true;
}

#endif

/* ---- the alarm -------------------------------------------------------------------------------------------------------- */

static int kqueue_fd(tusk__poller *poller)
{
    return poller->kqueue_fd;
}

static intptr_t at_most(int64_t n)
{
    return n < INTPTR_MAX ? (intptr_t)n : INTPTR_MAX;
}

/* Milliseconds where the kernel knows nothing finer, and where a narrow `data` could not hold the microseconds. */
static void set_delay(struct kevent *change, int64_t delay_us)
{
#if defined(NOTE_USECONDS)
    if (delay_us < INTPTR_MAX) {
        change->fflags = NOTE_USECONDS;
        change->data = at_most(delay_us);
        return;
    }
#endif
    change->data = at_most(delay_us / 1000 + 1);
}

/* Adding the same timer again replaces it. */
static int kqueue_alarm(tusk__poller *poller, int64_t delay_us)
{
    struct kevent change = change_of(ALARM_IDENT, EVFILT_TIMER, EV_ADD | EV_ONESHOT);

    set_delay(&change, delay_us > 0 ? delay_us : 1);
    return apply(poller, &change, 1);
}

/* ---- waiting ---------------------------------------------------------------------------------------------------------- */

/* The token is looked up now, before any callback: an event of this batch belongs to who watched the descriptor then. */
static bool translate(tusk__poller *poller, const struct kevent *event, tusk__poll_event *out)
{
    if (takes_wake(poller, event) || event->filter == EVFILT_TIMER || event->ident >= poller->n_by_fd)
        return false;
    out->token = poller->by_fd[event->ident].token;
    if (event->flags & EV_ERROR)
        out->events = TUSK_READABLE | TUSK_WRITABLE;
    else
        out->events = event->filter == EVFILT_WRITE ? TUSK_WRITABLE : TUSK_READABLE;
    return poller->by_fd[event->ident].events != 0;
}

static int kqueue_wait(tusk__poller *poller, tusk__poll_event *events, int max, int64_t timeout_us)
{
    struct timespec timeout = {.tv_sec = (time_t)(timeout_us / 1000000),
                               .tv_nsec = (long)(timeout_us % 1000000 * 1000)};
    int n, n_out = 0;

    if (max > MAX_EVENTS)
        max = MAX_EVENTS;
    n = poller->calls->kevent(poller->os->ctx, poller->kqueue_fd, NULL, 0, poller->events, max,
                              timeout_us < 0 ? NULL : &timeout);
    if (n < 0)
        return n == -EINTR ? 0 : n;
    for (int i = 0; i < n; i++)
        n_out += translate(poller, &poller->events[i], &events[n_out]);
    return n_out;
}

/* ---- open and close --------------------------------------------------------------------------------------------------- */

static void close_fd(tusk__poller *poller, int fd)
{
    if (fd >= 0)
        poller->os->close(poller->os->ctx, fd);
}

/* A forked child has not inherited the kqueue: its number may be anything by now. */
static void kqueue_close(tusk__poller *poller, bool forked)
{
    tusk_allocator allocator = poller->allocator;

    close_fd(poller, poller->wake_fds[0]);
    close_fd(poller, poller->wake_fds[1]);
    if (!forked)
        close_fd(poller, poller->kqueue_fd);
    allocator.free(poller->by_fd, allocator.user);
    allocator.free(poller, allocator.user);
}

static int kqueue_open(const tusk__os *os, const tusk_allocator *allocator, tusk__poller **out)
{
    tusk__poller *poller = allocator->malloc(sizeof *poller, allocator->user);
    int rc;

    if (!poller)
        return -ENOMEM;
    memset(poller, 0, sizeof *poller);
    poller->os = os;
    poller->calls = os->poller_calls;
    poller->allocator = *allocator;
    poller->wake_fds[0] = poller->wake_fds[1] = -1;
    rc = poller->kqueue_fd = poller->calls->create(os->ctx);
    if (rc >= 0)
        rc = open_wake(poller);
    if (rc < 0)
        kqueue_close(poller, false);
    else
        *out = poller;
    return rc < 0 ? rc : 0;
}

const tusk__poller_ops tusk__kqueue_ops = {
    .name = "kqueue",
    .open = kqueue_open,
    .close = kqueue_close,
    .set = kqueue_set,
    .wait = kqueue_wait,
    .wake = kqueue_wake,
    .fd = kqueue_fd,
    .alarm = kqueue_alarm,
};
