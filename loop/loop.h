/* The loop as lib/ sees it: readiness, timers, deferred work, jobs on the helper thread, lent chunks.
 * All objects are embedded in their owner: starting one allocates nothing per call in steady state.
 * Read first: tusk/loop.h, loop/os.h, docs/internals/loop.md. */
#ifndef TUSK_LOOP_LOOP_H
#define TUSK_LOOP_LOOP_H

#include <tusk/loop.h>

#include "loop/os.h"
#include "loop/poller.h"

const tusk__os *tusk__loop_os(const tusk_loop *loop);
const tusk_allocator *tusk__loop_allocator(const tusk_loop *loop);

/* Is this loop usable by the calling process (not a forked child) and, if not NULL, fill err (TUSK_ERR_STATE). Cheap: no
 * system call. */
tusk_code tusk__loop_check(const tusk_loop *loop, tusk_error *err);

/* Are we inside one of this loop's callbacks, that is, inside tusk_loop_turn() or tusk_loop_free()? */
bool tusk__loop_in_turn(const tusk_loop *loop);
/* Is it being freed, and what lives on it being ended? */
bool tusk__loop_is_ending(const tusk_loop *loop);

TUSK_COLD
void tusk__loop_log(tusk_loop *loop, tusk_log_level level, const char *fmt, ...) TUSK_PRINTF(3, 4);
bool tusk__loop_logs(const tusk_loop *loop, tusk_log_level level); /* ask before building an expensive message */

/* ---- phases of a turn, in this order -------------------------------------------------------------------------------
 *   1 flush    tasks of tusk__loop_flush_soon(): each connection with queued output sends once
 *   2 wait     not at all if deferred work is pending
 *   3 ready    every ready descriptor's on_ready: it drains its socket
 *   4 timers   due timers, in order of due time, then of start
 *   5 posted   functions posted by other threads and finished jobs
 *   6 deferred tasks of tusk__loop_defer(), those queued before this phase began; later ones in the next turn
 */

/* A unit of work embedded in its owner. Zero-initialised is "not queued". Queuing a queued task does nothing. */
typedef struct tusk__task {
    struct tusk__task *next, *prev; /* NULL when not queued */
    void (*fn)(struct tusk__task *task);
} tusk__task;

void tusk__loop_flush_soon(tusk_loop *loop, tusk__task *task, void (*fn)(tusk__task *task));
void tusk__loop_defer(tusk_loop *loop, tusk__task *task, void (*fn)(tusk__task *task));
void tusk__task_unlink(tusk__task *task);
static inline void tusk__task_cancel(tusk__task *task) /* takes it off its list, if it is on one */
{
    if (task->next)
        tusk__task_unlink(task);
}

/* Something has happened that somebody may be waiting for: if the wait of this turn is still to come, it does not sleep. */
void tusk__loop_nudge(tusk_loop *loop);

/* Can nothing that was started here ever call back: no timer, no watched descriptor, no job, no work? Only a post could. */
bool tusk__loop_is_quiet(tusk_loop *loop);

/* ---- readiness ------------------------------------------------------------------------------------------------------
 * on_ready may stop or start any io, its own included: an event for a stopped or reused slot is dropped. Only who watches
 * with TUSK__EDGE is told TUSK__ENDED. */
typedef struct tusk__io {
    tusk_loop *loop;
    int fd;          /* -1 when stopped */
    unsigned events; /* TUSK_READABLE | TUSK_WRITABLE | TUSK__EDGE, what is watched now */
    uint32_t slot;
    void (*on_ready)(struct tusk__io *io, unsigned events);
} tusk__io;

tusk_code tusk__io_start(tusk__io *io, tusk_loop *loop, int fd, unsigned events,
                         void (*on_ready)(tusk__io *io, unsigned events), tusk_error *err);
tusk_code tusk__io_set(tusk__io *io, unsigned events, tusk_error *err); /* no system call if nothing changes */
void tusk__io_stop(tusk__io *io);                                       /* before the fd is closed; again is fine */
/* tusk__loop_is_quiet(), whatever this descriptor may bring. */
bool tusk__loop_is_quiet_but(tusk_loop *loop, const tusk__io *io);

/* ---- timers: a heap, ties broken by start order -------------------------------------------------------------------- */
typedef struct tusk__timer {
    int64_t due_us;
    uint64_t seq;
    size_t index; /* 1-based place in the heap, 0 when stopped */
    void (*fn)(struct tusk__timer *timer);
} tusk__timer;

/* (Re)start: due `delay_us` from the clock read now. TUSK_ERR_NOMEM if the heap cannot grow. */
TUSK_MUST_CHECK
tusk_code tusk__timer_start(tusk_loop *loop, tusk__timer *timer, int64_t delay_us, void (*fn)(tusk__timer *timer));
void tusk__timer_stop(tusk_loop *loop, tusk__timer *timer);
static inline bool tusk__timer_is_active(const tusk__timer *timer)
{
    return timer->index != 0;
}

/* Seconds as in public structs to microseconds: rounds up, saturates; negative and NaN give -1 ("none"). */
int64_t tusk__seconds_to_us(double seconds);

/* ---- jobs: what cannot be sliced, on the loop's one helper thread -----------------------------------------------------
 * `work` runs on the helper thread and touches nothing but the job's own memory; `done` runs on the loop (phase 5).
 * A job is heap memory made by its user with the loop's allocator; after `done` it is the user's again.
 * Abandoning: `done` will not be called; `drop` is, at some time, on any thread, and frees the job. A job that is being
 * worked on takes its thread with it (detached, at most 4 at a time), and the next job gets a fresh thread; if there are 4, it waits
 * for the first that comes back. */
typedef struct tusk__job {
    void (*work)(struct tusk__job *job);
    void (*done)(struct tusk__job *job);
    void (*drop)(struct tusk__job *job);
    void *internal[4];
} tusk__job;

TUSK_MUST_CHECK
tusk_code tusk__job_start(tusk_loop *loop, tusk__job *job, tusk_error *err);
void tusk__job_abandon(tusk_loop *loop, tusk__job *job);

/* ---- resolution: one job per name ------------------------------------------------------------------------------------ */
typedef struct tusk__address {
    int family;
    socklen_t len;
    struct sockaddr_storage addr;
} tusk__address;

typedef struct tusk__resolve tusk__resolve;

/* All stream addresses of host:port, both families, in the resolver's order (RFC 6724), duplicates removed.
 * host is copied. on_done is called once, from the loop, never inside this call, unless canceled:
 *   err->code == TUSK_OK: addresses[0..n), borrowed until it returns; else TUSK_ERR_RESOLVE with where and os = EAI_…
 * Returns NULL and *err if it cannot be started. */
tusk__resolve *tusk__resolve_start(tusk_loop *loop, tusk_str host, uint16_t port,
                                   void (*on_done)(const tusk__address *addresses, size_t n, const tusk_error *err,
                                                   void *user),
                                   void *user, tusk_error *err);
void tusk__resolve_cancel(tusk__resolve *resolve); /* abandons the job; before on_done only */

/* ---- chunks: memory lent by the loop -----------------------------------------------------------------------------------
 * Counted. The standard size is 64 KiB, header included; the loop keeps a few free ones for the next borrower, so that in
 * steady state nothing is allocated. */
typedef struct tusk__chunk {
    struct tusk__chunk *next; /* the borrower's, to chain them */
    tusk_loop *loop;
    uint32_t refs;
    size_t cap;
    uint8_t data[];
} tusk__chunk;

#define TUSK__CHUNK_SIZE (64 * 1024 - sizeof(tusk__chunk)) /* the standard cap */

tusk__chunk *tusk__chunk_get(tusk_loop *loop, size_t min_cap); /* one reference; NULL: out of memory */
static inline tusk__chunk *tusk__chunk_ref(tusk__chunk *chunk)
{
    chunk->refs++;
    return chunk;
}
void tusk__chunk_give_back(tusk__chunk *chunk); /* nobody's any more; under ASan it is poisoned */
static inline void tusk__chunk_unref(tusk__chunk *chunk) /* NULL is fine */
{
    if (chunk && --chunk->refs == 0)
        tusk__chunk_give_back(chunk);
}

/* ---- what lives on a loop ------------------------------------------------------------------------------------------------
 * An owner registers so that tusk_loop_free() can end it: on_free is called once per child, from the newest to the oldest,
 * and must leave no io, timer or task behind; it may register and unregister itself and others. First come those whose end calls the
 * program, then the last ones: whatever the program has a handle of and may still use in those calls. */
typedef struct tusk__child {
    struct tusk__child *next, *prev;
    void (*on_free)(struct tusk__child *child);
} tusk__child;

void tusk__loop_adopt(tusk_loop *loop, tusk__child *child, void (*on_free)(tusk__child *child));
void tusk__loop_adopt_last(tusk_loop *loop, tusk__child *child, void (*on_free)(tusk__child *child));
void tusk__loop_disown(tusk__child *child);

/* tusk_loop_run() returns when nobody holds the loop alive. A started io, timer, job or watch holds it by itself; a
 * background one (an idle connection's io) does not: tusk__loop_hold/release count what lib/ wants waited for. Both add to
 * one signed sum with the started things, so who has a background io calls release once when it becomes that, and hold when
 * it is foreground again or stopped. */
void tusk__loop_hold(tusk_loop *loop);
void tusk__loop_release(tusk_loop *loop);

/* One place for each module of lib/ to keep a thing per loop (recycled queries, kept SCRAM keys, TLS contexts …). */
typedef enum tusk__loop_slot {
    TUSK__SLOT_QUERIES,
    TUSK__SLOT_SCRAM,
    TUSK__SLOT_TLS,
    TUSK__SLOT_ENDPOINTS,
    TUSK__SLOT_OLD_SERVERS,
    TUSK__SLOT_CATALOGS,
    TUSK__SLOT_CODECS,
    TUSK__N_SLOTS
} tusk__loop_slot;
void *tusk__loop_slot_get(const tusk_loop *loop, tusk__loop_slot slot);
void tusk__loop_slot_set(tusk_loop *loop, tusk__loop_slot slot, void *value,
                         void (*on_free)(tusk_loop *loop, void *value));

#endif
