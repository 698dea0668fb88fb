/* The failing world.
 * Read first: fail_os.h. */
#include "test/harness/fail_os.h"

#include <errno.h>
#include <string.h>

static const struct {
    const char *name;
    int errors[8];
} calls[N_OS_CALLS] = {
    [OS_SOCKET] = {"socket", {EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES, EAFNOSUPPORT}},
    [OS_CONNECT] = {"connect", {ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EINTR, EADDRNOTAVAIL, EACCES}},
    [OS_RECV] = {"recv", {ECONNRESET, ETIMEDOUT, EINTR, EAGAIN, ENOMEM, EIO}},
    [OS_SEND] = {"send", {EPIPE, ECONNRESET, EINTR, EAGAIN, ENOBUFS, ENOMEM}},
    [OS_SHUTDOWN] = {"shutdown", {ENOTCONN, EINTR}},
    [OS_CLOSE] = {"close", {EINTR, EIO}},
    [OS_GETSOCKOPT] = {"getsockopt", {ENOBUFS, ENOTSOCK}},
    [OS_SETSOCKOPT] = {"setsockopt", {ENOPROTOOPT, ENOMEM}},

    [OS_GETADDRINFO] = {"getaddrinfo", {EAI_NONAME, EAI_AGAIN, EAI_FAIL, EAI_MEMORY}},
    [OS_THREAD_START] = {"thread_start", {EAGAIN, ENOMEM}},
    [OS_EPOLL_CREATE] = {"epoll_create", {EMFILE, ENFILE, ENOMEM}},
    [OS_EPOLL_CTL] = {"epoll_ctl", {ENOMEM, ENOSPC}},
    [OS_EPOLL_WAIT] = {"epoll_wait", {EINTR}},
    [OS_EVENTFD] = {"eventfd", {EMFILE, ENFILE, ENOMEM}},
    [OS_TIMERFD] = {"timerfd", {EMFILE, ENFILE, ENOMEM}},
    [OS_TIMERFD_SETTIME] = {"timerfd_settime", {EINVAL, ECANCELED}},
    [OS_WRITE] = {"write", {EINTR}},
    [OS_FORK_GUARD] = {"fork_guard", {ENOSYS}},
};

const char *os_call_name(os_call call)
{
    return calls[call].name;
}

const int *os_call_errors(os_call call)
{
    return calls[call].errors;
}

/* 0, or the -errno that this call is to give. */
static int hit(void *ctx, os_call call)
{
    fail_os *fail = ctx;
    long n = atomic_fetch_add(&fail->n[call], 1) + 1;

    if (call != fail->call || fail->fail_at == 0 || (fail->from_then_on ? n < fail->fail_at : n != fail->fail_at))
        return 0;
    return -fail->error;
}

static const tusk__os *real(void)
{
    return tusk__os_real();
}

#define REAL (real()->ctx)

static int fail_socket(void *ctx, int family, int type)
{
    int rc = hit(ctx, OS_SOCKET);

    return rc ? rc : real()->socket(REAL, family, type);
}

static int fail_connect(void *ctx, int fd, const struct sockaddr *addr, socklen_t len)
{
    int rc = hit(ctx, OS_CONNECT);

    return rc ? rc : real()->connect(REAL, fd, addr, len);
}

static ssize_t fail_recv(void *ctx, int fd, void *buf, size_t len)
{
    int rc = hit(ctx, OS_RECV);

    return rc ? rc : real()->recv(REAL, fd, buf, ((fail_os *)ctx)->tiny && len > 1 ? 1 : len);
}

static ssize_t fail_send(void *ctx, int fd, const void *buf, size_t len)
{
    int rc = hit(ctx, OS_SEND);

    return rc ? rc : real()->send(REAL, fd, buf, ((fail_os *)ctx)->tiny && len > 1 ? 1 : len);
}

static int fail_shutdown(void *ctx, int fd, int how)
{
    int rc = hit(ctx, OS_SHUTDOWN);

    return rc ? rc : real()->shutdown(REAL, fd, how);
}

/* Linux closes the descriptor whatever it answers. */
static int fail_close(void *ctx, int fd)
{
    int rc = hit(ctx, OS_CLOSE), closed = real()->close(REAL, fd);

    return rc ? rc : closed;
}

static int fail_getsockopt(void *ctx, int fd, int level, int name, void *value, socklen_t *len)
{
    int rc = hit(ctx, OS_GETSOCKOPT);

    return rc ? rc : real()->getsockopt(REAL, fd, level, name, value, len);
}

static int fail_setsockopt(void *ctx, int fd, int level, int name, const void *value, socklen_t len)
{
    int rc = hit(ctx, OS_SETSOCKOPT);

    return rc ? rc : real()->setsockopt(REAL, fd, level, name, value, len);
}

static int fail_getaddrinfo(void *ctx, const char *host, const char *service, const struct addrinfo *hints,
                            struct addrinfo **list, int *os_error)
{
    int rc = hit(ctx, OS_GETADDRINFO);

    return rc ? -rc : real()->getaddrinfo(REAL, host, service, hints, list, os_error);
}

static int fail_thread_start(void *ctx, void *(*fn)(void *arg), void *arg)
{
    int rc = hit(ctx, OS_THREAD_START);

    return rc ? rc : real()->thread_start(REAL, fn, arg);
}

static const volatile unsigned *fail_fork_guard_new(void *ctx)
{
    return hit(ctx, OS_FORK_GUARD) ? NULL : real()->fork_guard_new(REAL);
}

static int fail_epoll_create(void *ctx)
{
    int rc = hit(ctx, OS_EPOLL_CREATE);

    return rc ? rc : tusk__epoll_calls_real.create(REAL);
}

/* A recv that lies (EAGAIN, one byte) cannot make the kernel tell of the rest once more: a level does. */
static int fail_epoll_ctl(void *ctx, int epoll_fd, int op, int fd, struct epoll_event *event)
{
    int rc = op == EPOLL_CTL_DEL ? 0 : hit(ctx, OS_EPOLL_CTL);

    if (event && event->events & EPOLLRDHUP)
        event->events &= ~(uint32_t)EPOLLET;
    return rc ? rc : tusk__epoll_calls_real.ctl(REAL, epoll_fd, op, fd, event);
}

static int fail_epoll_wait(void *ctx, int epoll_fd, struct epoll_event *events, int max, int timeout_ms)
{
    int rc = hit(ctx, OS_EPOLL_WAIT);

    return rc ? rc : tusk__epoll_calls_real.wait(REAL, epoll_fd, events, max, timeout_ms);
}

static int fail_epoll_wait_us(void *ctx, int epoll_fd, struct epoll_event *events, int max, int64_t timeout_us)
{
    int rc = hit(ctx, OS_EPOLL_WAIT);

    return rc ? rc : tusk__epoll_calls_real.wait_us(REAL, epoll_fd, events, max, timeout_us);
}

static int fail_eventfd(void *ctx)
{
    int rc = hit(ctx, OS_EVENTFD);

    return rc ? rc : tusk__epoll_calls_real.eventfd(REAL);
}

static int fail_timerfd(void *ctx)
{
    int rc = hit(ctx, OS_TIMERFD);

    return rc ? rc : tusk__epoll_calls_real.timerfd(REAL);
}

static int fail_timerfd_settime(void *ctx, int fd, const struct itimerspec *when)
{
    int rc = hit(ctx, OS_TIMERFD_SETTIME);

    return rc ? rc : tusk__epoll_calls_real.timerfd_settime(REAL, fd, when);
}

static ssize_t fail_write(void *ctx, int fd, const void *buf, size_t len)
{
    int rc = hit(ctx, OS_WRITE);

    return rc ? rc : tusk__epoll_calls_real.write(REAL, fd, buf, len);
}

void fail_os_init(fail_os *fail, os_call call, long fail_at, int error, bool from_then_on)
{
    memset(fail, 0, sizeof *fail);
    fail->os = *real();
    fail->epoll = tusk__epoll_calls_real;
    fail->call = call;
    fail->fail_at = fail_at;
    fail->error = error;
    fail->from_then_on = from_then_on;
    fail->os.ctx = fail;
    fail->os.socket = fail_socket;
    fail->os.connect = fail_connect;
    fail->os.recv = fail_recv;
    fail->os.send = fail_send;
    fail->os.shutdown = fail_shutdown;
    fail->os.close = fail_close;
    fail->os.getsockopt = fail_getsockopt;
    fail->os.setsockopt = fail_setsockopt;
    fail->os.getaddrinfo = fail_getaddrinfo;
    fail->os.thread_start = fail_thread_start;
    fail->os.fork_guard_new = fail_fork_guard_new;
    fail->epoll.create = fail_epoll_create;
    fail->epoll.ctl = fail_epoll_ctl;
    fail->epoll.wait = fail_epoll_wait;
    fail->epoll.wait_us = fail_epoll_wait_us;
    fail->epoll.eventfd = fail_eventfd;
    fail->epoll.timerfd = fail_timerfd;
    fail->epoll.timerfd_settime = fail_timerfd_settime;
    fail->epoll.write = fail_write;
    fail->os.poller_calls = &fail->epoll;
}
