/* Is the peer still there? Asked only while something is awaited of it, and answered by the kernel: a server that merely does not
 * read, or thinks for hours, acknowledges; a dead one does not.
 * An idle connection is the keepalive's (lib/dial.c). Read first: docs/internals/connect.md "Dead peers", DESIGN "Dead peers". */
#ifndef TUSK_LIB_PROGRESS_H
#define TUSK_LIB_PROGRESS_H

#include "loop/loop.h"

/* No time is taken where bytes go out and come in: the ticks count. */
typedef struct tusk__progress {
    tusk__timer tick;     /* runs: something was sent, and no tick since has found nothing awaited */
    uint32_t heard, seen; /* how often bytes came; at the last tick */
    uint32_t n_quiet;     /* ticks in a row at which something was awaited and nothing had come */
} tusk__progress;

#define TUSK__PROGRESS_TICK_US 2000000
#define TUSK__PROGRESS_QUIET_US 30000000 /* of silence and no acknowledgement, with something unanswered */

#endif
