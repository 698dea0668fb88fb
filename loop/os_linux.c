/* The real outside, as far as it is Linux's own: sockets, randomness, the fork guard.
 * Empty elsewhere; readiness is in loop/epoll.c.
 * Read first: loop/os_platform.h; madvise(2) MADV_WIPEONFORK, getrandom(2). */
#if defined(__linux__)

#include <errno.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "loop/os_platform.h"

#if !defined(MADV_WIPEONFORK)
#define MADV_WIPEONFORK 18 /* Linux 4.14; older headers */
#endif

int tusk__platform_socket(void *ctx, int family, int type)
{
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    (void)ctx;
    return fd < 0 ? -errno : fd;
}

/* unix(7), SO_PEERCRED: as it was when the other side called listen(2). */
int tusk__platform_peer_account(void *ctx, int fd, uint32_t *id)
{
    struct ucred credentials;
    socklen_t len = sizeof credentials;

    (void)ctx;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) < 0)
        return -errno;
    *id = credentials.uid;
    return 0;
}

int tusk__platform_random(void *ctx, void *buf, size_t len)
{
    uint8_t *at = buf;

    (void)ctx;
    while (len > 0) {
        ssize_t n = getrandom(at, len, 0);
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

const volatile unsigned *tusk__platform_fork_guard_new(void *ctx)
{
    void *page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)ctx;
    if (page == MAP_FAILED)
        return NULL;
    if (madvise(page, page_size(), MADV_WIPEONFORK) < 0) {
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
typedef int tusk__no_linux_here; /* a translation unit must not be empty */
#endif
