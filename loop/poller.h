/* The seam between the loop and the kernel's way of telling what is ready: epoll, kqueue, or a simulated world.
 * It knows descriptors and tokens, nothing of what they are for.
 * Read first: loop/os.h; the smallest back end is loop/epoll.c. */
#ifndef TUSK_LOOP_POLLER_H
#define TUSK_LOOP_POLLER_H

#include <stdbool.h>
#include <stdint.h>

#include "loop/os.h"

typedef struct tusk__poller tusk__poller; /* the back end's own; each defines it for itself */

typedef struct tusk__poll_event {
    uint64_t token;
    unsigned events; /* TUSK_READABLE | TUSK_WRITABLE; an error or hang-up is both */
} tusk__poll_event;

/* Level triggered. The same token may come twice in one batch, and an event may be spurious. Failures are -errno. */
struct tusk__poller_ops {
    const char *name;

    int (*open)(const tusk__os *os, const tusk_allocator *allocator, tusk__poller **out);

    /* forked: this is a child's copy; release its memory and descriptors and leave alone what the parent shares */
    void (*close)(tusk__poller *poller, bool forked);

    /* Watch fd for `now` instead of `before`; 0 is "not watched", so 0 → x adds and x → 0 removes. */
    int (*set)(tusk__poller *poller, int fd, unsigned before, unsigned now, uint64_t token);

    /* Sleep until something is ready, at most timeout_us (-1: for ever; never less than asked for unless something
     * happened). Returns the number of events, 0 after a wake-up, a signal or the time-out. */
    int (*wait)(tusk__poller *poller, tusk__poll_event *events, int max, int64_t timeout_us);

    /* End a wait() now or the next one at once. Any thread. */
    int (*wake)(tusk__poller *poller);

    /* Embedding. fd: the descriptor a host watches for reading, it is readable while wait() would not sleep; the first
     * call may create what alarm() needs. alarm: make it readable in delay_us, in place of the alarm set before. */
    int (*fd)(tusk__poller *poller);
    int (*alarm)(tusk__poller *poller, int64_t delay_us);
};

#endif
