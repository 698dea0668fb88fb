/* The calls that only the kqueue back end makes, as a table: it hangs at tusk__os.poller_calls, so that each can fail.
 * Errors come back as -errno. The first argument is tusk__os.ctx.
 * Read first: loop/os.h, loop/poller.h. */
#ifndef TUSK_LOOP_KQUEUE_H
#define TUSK_LOOP_KQUEUE_H

#include <sys/types.h>

#include <sys/event.h> /* after sys/types.h, which some BSDs need */

#include "loop/poller.h"

typedef struct tusk__kqueue_calls {
    int (*create)(void *ctx);
    int (*kevent)(void *ctx, int kqueue_fd, const struct kevent *changes, int n_changes, struct kevent *events,
                  int n_events, const struct timespec *timeout);
    int (*pipe)(void *ctx, int fds[2]); /* the wake-up where EVFILT_USER is missing */
    ssize_t (*read)(void *ctx, int fd, void *buf, size_t len);
    ssize_t (*write)(void *ctx, int fd, const void *buf, size_t len);
} tusk__kqueue_calls;

extern const tusk__kqueue_calls tusk__kqueue_calls_real;
extern const tusk__poller_ops tusk__kqueue_ops;

#endif
