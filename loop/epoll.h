/* The calls that only the epoll back end makes, as a table: it hangs at tusk__os.poller_calls, so that each can fail.
 * Errors come back as -errno. The first argument is tusk__os.ctx.
 * Read first: loop/os.h, loop/poller.h. */
#ifndef TUSK_LOOP_EPOLL_H
#define TUSK_LOOP_EPOLL_H

#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "loop/poller.h"

typedef struct tusk__epoll_calls {
    int (*create)(void *ctx);
    int (*ctl)(void *ctx, int epoll_fd, int op, int fd, struct epoll_event *event);
    int (*wait)(void *ctx, int epoll_fd, struct epoll_event *events, int max, int timeout_ms);
    int (*wait_us)(void *ctx, int epoll_fd, struct epoll_event *events, int max,
                   int64_t timeout_us); /* -ENOSYS: none */
    int (*eventfd)(void *ctx);
    int (*timerfd)(void *ctx);
    int (*timerfd_settime)(void *ctx, int fd, const struct itimerspec *when);
    ssize_t (*write)(void *ctx, int fd, const void *buf, size_t len);
} tusk__epoll_calls;

extern const tusk__epoll_calls tusk__epoll_calls_real;
extern const tusk__poller_ops tusk__epoll_ops;

#endif
