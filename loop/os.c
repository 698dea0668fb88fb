/* The real outside: the system calls that are the same on every POSIX system, and the table of all.
 * What differs is in loop/os_linux.c and loop/os_bsd.c. It decides nothing and repeats nothing.
 * Read first: loop/os.h. */
#include "loop/os.h"

#include <errno.h>
#include <net/if.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "loop/os_platform.h"

static int real_connect(void *ctx, int fd, const struct sockaddr *addr, socklen_t len)
{
    (void)ctx;
    return connect(fd, addr, len) < 0 ? -errno : 0;
}

static ssize_t real_recv(void *ctx, int fd, void *buf, size_t len)
{
    ssize_t n = recv(fd, buf, len, 0);

    (void)ctx;
    return n < 0 ? -errno : n;
}

static ssize_t real_send(void *ctx, int fd, const void *buf, size_t len)
{
    ssize_t n = send(fd, buf, len, TUSK__SEND_FLAGS);

    (void)ctx;
    return n < 0 ? -errno : n;
}

static int real_shutdown(void *ctx, int fd, int how)
{
    (void)ctx;
    return shutdown(fd, how) < 0 ? -errno : 0;
}

/* Never repeated: after EINTR the descriptor is gone, and its number may be somebody else's already. */
static int real_close(void *ctx, int fd)
{
    (void)ctx;
    return close(fd) < 0 ? -errno : 0;
}

static int real_getsockopt(void *ctx, int fd, int level, int name, void *value, socklen_t *len)
{
    (void)ctx;
    return getsockopt(fd, level, name, value, len) < 0 ? -errno : 0;
}

static int real_setsockopt(void *ctx, int fd, int level, int name, const void *value, socklen_t len)
{
    (void)ctx;
    return setsockopt(fd, level, name, value, len) < 0 ? -errno : 0;
}

static int64_t real_now_us(void *ctx)
{
    struct timespec now;

    (void)ctx;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int real_getaddrinfo(void *ctx, const char *host, const char *service, const struct addrinfo *hints,
                            struct addrinfo **list, int *os_error)
{
    int code = getaddrinfo(host, service, hints, list);

    (void)ctx;
    *os_error = code == EAI_SYSTEM ? errno : 0;
    return code;
}

static void real_freeaddrinfo(void *ctx, struct addrinfo *list)
{
    (void)ctx;
    freeaddrinfo(list);
}

static unsigned real_interface_index(void *ctx, const char *name)
{
    (void)ctx;
    return if_nametoindex(name);
}

static int real_process_id(void *ctx)
{
    (void)ctx;
    return (int)getpid();
}

static int start_detached(void *(*fn)(void *arg), void *arg)
{
    pthread_attr_t attr;
    pthread_t thread;
    int rc = pthread_attr_init(&attr);

    if (rc != 0)
        return -rc;
    rc = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (rc == 0)
        rc = pthread_create(&thread, &attr, fn, arg);
    (void)pthread_attr_destroy(&attr);
    return -rc;
}

/* A thread inherits its starter's mask: with all blocked, the program's signals never land on the helper thread. */
static int real_thread_start(void *ctx, void *(*fn)(void *arg), void *arg)
{
    sigset_t all, before;
    int rc;

    (void)ctx;
    (void)sigfillset(&all);
    rc = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (rc != 0)
        return -rc;
    rc = start_detached(fn, arg);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

const tusk__os *tusk__os_real(void)
{
    static const tusk__os os = {
        .socket = tusk__platform_socket,
        .connect = real_connect,
        .recv = real_recv,
        .send = real_send,
        .shutdown = real_shutdown,
        .close = real_close,
        .getsockopt = real_getsockopt,
        .setsockopt = real_setsockopt,
        .peer_account = tusk__platform_peer_account,
        .now_us = real_now_us,
        .random = tusk__platform_random,
        .getaddrinfo = real_getaddrinfo,
        .freeaddrinfo = real_freeaddrinfo,
        .interface_index = real_interface_index,
        .fork_guard_new = tusk__platform_fork_guard_new,
        .fork_guard_free = tusk__platform_fork_guard_free,
        .process_id = real_process_id,
        .thread_start = real_thread_start,
        .poller = TUSK__PLATFORM_POLLER,
        .poller_calls = TUSK__PLATFORM_POLLER_CALLS,
    };

    return &os;
}
