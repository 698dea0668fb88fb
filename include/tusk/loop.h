/* The loop: one thread's reactor. It owns every connection, query, timer and watch made on it.
 * It has never heard of PostgreSQL.
 * Read first: docs/threads-and-callbacks.md. */
#ifndef TUSK_LOOP_H
#define TUSK_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include <tusk/alloc.h>
#include <tusk/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** In C structs 0 means "the default"; TUSK_NONE means what 0 means to PostgreSQL: off, none, for ever. */
#define TUSK_NONE (-1)

typedef struct tusk_loop tusk_loop;

typedef enum tusk_log_level { TUSK_LOG_DEBUG = 1, TUSK_LOG_INFO, TUSK_LOG_WARNING, TUSK_LOG_ERROR } tusk_log_level;

/** A line for the caller's log: no newline, no secret. `message` is valid until the function returns. Loop's thread. */
typedef void (*tusk_log_fn)(tusk_log_level level, tusk_str message, void *user);

/** How a loop is made. Zero everywhere is a good loop. */
typedef struct tusk_loop_config {
    const tusk_allocator *allocator; /* default tusk_allocator_default(); copied */
    double busy_poll;                /* seconds to poll before sleeping; default and TUSK_NONE: off. It shortens the
                                        answer of one query at a time and burns the core meanwhile */
    tusk_log_fn on_log;              /* default: nothing is logged */
    void *log_user;
    tusk_log_level log_level;        /* the least level passed on; default TUSK_LOG_WARNING */
} tusk_loop_config;

/**
 * A loop with default options.
 *
 * Returns   the loop, owned by the caller: tusk_loop_free(). NULL if memory or descriptors are short;
 *           tusk_loop_open() tells which
 * Thread    the calling thread becomes the loop's thread
 */
TUSK_MUST_CHECK
tusk_loop *tusk_loop_new(void);

/**
 * A loop with options.
 *
 * config    may be NULL; borrowed until return
 * Returns   the loop, owned by the caller; NULL and *err on failure
 * Errors    TUSK_ERR_NOMEM · TUSK_ERR_SYSTEM (os = EMFILE, ENFILE …)
 */
TUSK_MUST_CHECK
tusk_loop *tusk_loop_open(const tusk_loop_config *config, tusk_error *err);

/**
 * End everything on the loop and free it. NULL is fine; inside a callback it is not (the call is ignored and logged).
 *
 * Requests that are still open complete with TUSK_ERR_CANCELED, their callbacks run during this call (what these submit is
 * dropped, and tusk_conn_open() gives them NULL); connections are closed without waiting for the peer. To close politely, await tusk_close() first. In these callbacks
 * all objects of the loop are still there, to be stopped, closed or freed as ever: timers, watches, connections and statements go
 * when the last one has run. Afterwards all pointers to objects of the loop are invalid, queries included.
 */
void tusk_loop_free(tusk_loop *loop);

/**
 * One turn: write what is queued, wait, read what is ready, run due timers, posted functions and callbacks.
 *
 * max_wait  seconds to wait at most for something to happen; 0 does not wait, TUSK_NONE waits for ever
 * Returns   TUSK_OK, also when nothing happened
 * Errors    TUSK_ERR_STATE inside a callback of this loop, in another thread's or a forked child's hands ·
 *           TUSK_ERR_SYSTEM the kernel refuses to wait
 */
tusk_code tusk_loop_turn(tusk_loop *loop, double max_wait, tusk_error *err);

/** Turn until tusk_loop_stop(), or until nothing is left that could ever happen: no request, timer or watch. Posts that other threads
 * may make one day do not count; to wait for those, keep a timer or a watch. Errors as tusk_loop_turn(). */
tusk_code tusk_loop_run(tusk_loop *loop, tusk_error *err);

/** Make tusk_loop_run() return after the present turn. Loop's thread; another one posts it. */
void tusk_loop_stop(tusk_loop *loop);

/**
 * Run `fn(user)` on the loop's thread, in a turn to come. Wakes the loop.
 * Thread    ANY. It is the one call of Tusk that another thread may make, as long as the loop is not freed meanwhile
 * Errors    TUSK_ERR_NOMEM
 */
TUSK_MUST_CHECK
tusk_code tusk_loop_post(tusk_loop *loop, void (*fn)(void *user), void *user);

/* ---- A loop inside another loop ------------------------------------------------------------------------------------
 * Watch tusk_loop_fd() for reading, wait no longer than tusk_loop_timeout_us(), then call tusk_loop_turn(loop, 0, err).
 * A host that can only watch a descriptor leaves the timeout out: from the first call of tusk_loop_fd() on, the descriptor
 * also becomes readable for due timers and for work that arose outside a turn. */

/** The descriptor to watch for reading; -1 if the kernel gave none. Owned by the loop. */
int tusk_loop_fd(tusk_loop *loop);

/** Microseconds until the loop wants its next turn: 0 when work is pending, -1 when only the descriptor matters. */
int64_t tusk_loop_timeout_us(tusk_loop *loop);

/** The loop's monotonic clock, read now. Microseconds; only differences mean something. */
int64_t tusk_loop_now_us(tusk_loop *loop);

/* ---- The caller's own timers and descriptors ------------------------------------------------------------------------ */

typedef struct tusk_timer tusk_timer;
typedef struct tusk_watch tusk_watch;

/**
 * Call `fn(user)` once, `seconds` from now, never early. Timers with the same due time fire in the order of their start.
 * Returns   the timer, owned by the loop: it is freed after fn returned, or by tusk_timer_stop(). NULL: out of memory
 */
tusk_timer *tusk_timer_start(tusk_loop *loop, double seconds, void (*fn)(void *user), void *user);

/** Stop and free a timer that has not fired. NULL is fine. Ignored in the timer's own callback. */
void tusk_timer_stop(tusk_timer *timer);

enum { TUSK_READABLE = 1, TUSK_WRITABLE = 2 };

/**
 * Call `fn(fd, events, user)` whenever fd is ready (level triggered). An error or hang-up counts as all that is watched.
 *
 * fd        stays the caller's; stop the watch before closing it. One watch per descriptor
 * events    TUSK_READABLE | TUSK_WRITABLE
 * Returns   the watch, owned by the loop until tusk_watch_stop(); NULL and *err on failure
 */
tusk_watch *tusk_watch_start(tusk_loop *loop, int fd, unsigned events,
                             void (*fn)(int fd, unsigned events, void *user), void *user, tusk_error *err);

/** Change what is watched; 0 pauses. */
tusk_code tusk_watch_set(tusk_watch *watch, unsigned events, tusk_error *err);

/** Stop and free. Allowed in every callback, its own included. NULL is fine. */
void tusk_watch_stop(tusk_watch *watch);

#ifdef __cplusplus
}
#endif

#endif
