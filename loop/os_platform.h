/* What differs between the systems: each of loop/os_linux.c and loop/os_bsd.c implements all of it.
 * Only loop/os*.c include it.
 * Read first: loop/os.h. */
#ifndef TUSK_LOOP_OS_PLATFORM_H
#define TUSK_LOOP_OS_PLATFORM_H

#include "loop/poller.h"

#if defined(MSG_NOSIGNAL)
#define TUSK__SEND_FLAGS MSG_NOSIGNAL
#else
#define TUSK__SEND_FLAGS 0 /* macOS: SO_NOSIGPIPE on the socket */
#endif

int tusk__platform_socket(void *ctx, int family, int type);
int tusk__platform_peer_account(void *ctx, int fd, uint32_t *id);
int tusk__platform_random(void *ctx, void *buf, size_t len);
const volatile unsigned *tusk__platform_fork_guard_new(void *ctx);
void tusk__platform_fork_guard_free(void *ctx, const volatile unsigned *guard);

/* TUSK_POLLER_KQUEUE asks for kqueue where both exist. */
#if defined(__linux__) && !defined(TUSK_POLLER_KQUEUE)
#include "loop/epoll.h"
#define TUSK__PLATFORM_POLLER (&tusk__epoll_ops)
#define TUSK__PLATFORM_POLLER_CALLS (&tusk__epoll_calls_real)
#else
#include "loop/kqueue.h"
#define TUSK__PLATFORM_POLLER (&tusk__kqueue_ops)
#define TUSK__PLATFORM_POLLER_CALLS (&tusk__kqueue_calls_real)
#endif

#endif
