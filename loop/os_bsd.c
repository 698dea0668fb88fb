/* The real outside, as far as it is the BSDs' and macOS's own: sockets, randomness, the fork guard.
 * Empty on Linux; readiness is in loop/kqueue.c.
 * Read first: loop/os_platform.h; minherit(2) INHERIT_ZERO, arc4random(3). */
#if !defined(__linux__)

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "loop/os_platform.h"

#if defined(SOCK_NONBLOCK) && defined(SOCK_CLOEXEC)
static int open_socket(int family, int type)
{
    return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}
#else
/* macOS: a fork in another thread between these calls lets a child inherit the descriptor; there is no better way. */
static int open_socket(int family, int type)
{
    int fd = socket(family, type, 0);

    if (fd < 0)
        return -1;
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
        return fd;
    (void)close(fd);
    return -1;
}
#endif

#if defined(SO_NOSIGPIPE)
static int silence(int fd)
{
    const int on = 1;

    return setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
}
#else
static int silence(int fd)
{
    (void)fd; /* MSG_NOSIGNAL goes with every send */
    return 0;
}
#endif

int tusk__platform_socket(void *ctx, int family, int type)
{
    int fd = open_socket(family, type), rc;

    (void)ctx;
    if (fd < 0)
        return -errno;
    if (silence(fd) == 0)
        return fd;
    rc = -errno;
    (void)close(fd);
    return rc;
}

int tusk__platform_peer_account(void *ctx, int fd, uint32_t *id)
{
    uid_t uid;
    gid_t gid;

    (void)ctx;
    if (getpeereid(fd, &uid, &gid) < 0)
        return -errno;
    *id = uid;
    return 0;
}

int tusk__platform_random(void *ctx, void *buf, size_t len)
{
    (void)ctx;
    arc4random_buf(buf, len);
    return 0;
}

#if defined(INHERIT_ZERO)
static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

const volatile unsigned *tusk__platform_fork_guard_new(void *ctx)
{
    void *page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);

    (void)ctx;
    if (page == MAP_FAILED)
        return NULL;
    if (minherit(page, page_size(), INHERIT_ZERO) < 0) {
        (void)munmap(page, page_size());
        return NULL;
    }
    *(volatile unsigned *)page = 1;
    return page;
}

void tusk__platform_fork_guard_free(void *ctx, const volatile unsigned *guard)
{
    (void)ctx;
    (void)munmap((void *)(uintptr_t)guard, page_size());
}
#else
/* macOS and NetBSD: the process id is asked instead. */
const volatile unsigned *tusk__platform_fork_guard_new(void *ctx)
{
    (void)ctx;
    return NULL;
}

void tusk__platform_fork_guard_free(void *ctx, const volatile unsigned *guard)
{
    (void)ctx;
    (void)guard;
}
#endif

#else
typedef int tusk__no_bsd_here; /* a translation unit must not be empty */
#endif
