/* The seam between the loop and the kernel's way of telling what is ready: epoll, kqueue, or a simulated world.
 * It knows descriptors and tokens, nothing of what they are for.
 * Read first: loop/os.h; the smallest back end is loop/epoll.c. */
#ifndef TUSK_LOOP_POLLER_H
#define TUSK_LOOP_POLLER_H

#include <stdbool.h>
#include <stdint.h>

#include "loop/os.h"

typedef struct tusk__poller tusk__poller; /* the back end's own; each defines it for itself */

/* Beside TUSK_READABLE and TUSK_WRITABLE, for who reads a stream until it is empty.
 * EDGE, with READABLE: what was told need not be told again before something new arrives, or set() is called; a back end that
 * knows no edges tells it again. A read that gave less than was asked for has emptied the stream.
 * ENDED, of an event of a back end with edges: the peer writes no more, or an error waits. Nothing new will arrive: read until
 * that is seen. */
enum { TUSK__EDGE = 4, TUSK__ENDED = 8 };

typedef struct tusk__poll_event {
    uint64_t token;
    unsigned events; /* TUSK_READABLE | TUSK_WRITABLE; an error or hang-up is both, and TUSK__ENDED */
} tusk__poll_event;

/* Level triggered, but for TUSK__EDGE. The same token may come twice in one batch, and an event may be spurious. Failures are
 * -errno. */
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
