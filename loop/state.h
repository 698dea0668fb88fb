/* The loop from within: one struct, and the functions by which the files of loop/ call each other.
 * Nothing outside loop/ includes it (tests of loop/ may).
 * Read first: loop/loop.h, docs/internals/loop.md. */
#ifndef TUSK_LOOP_STATE_H
#define TUSK_LOOP_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "loop/error.h"
#include "loop/loop.h"
#include "loop/poller.h"

enum {
    TUSK__MAX_READY = 128,      /* events taken from the kernel at once; the rest comes with the next turn */
    TUSK__MAX_SKIPPED_WAITS = 8 /* turns in a row that deferred work may keep from looking at the sockets */
};

typedef struct tusk__io_slot {
    tusk__io *io;        /* NULL: free */
    uint32_t generation; /* one more each time the slot is left: what the kernel still reports for before is dropped */
    uint32_t next_free;
} tusk__io_slot;

typedef struct tusk__ios {
    tusk__io_slot *slots;
    size_t n_slots, cap;
    uint32_t first_free; /* UINT32_MAX: none */
    uint32_t n_started;
} tusk__ios;

typedef struct tusk__timer_entry {
    int64_t due_us;
    uint64_t seq;
    tusk__timer *timer;
} tusk__timer_entry;

typedef struct tusk__timers {
    tusk__timer_entry *heap; /* heap[0] is due first; heap[i].timer->index == i + 1 */
    size_t n, cap;
    uint64_t next_seq;
} tusk__timers;

typedef struct tusk__chunks {
    tusk__chunk *free; /* all of the standard size */
    size_t n_free;
    size_t least_free; /* since the last trim: so many nobody has needed */
    tusk__timer trim;
} tusk__chunks;

typedef struct tusk__post tusk__post;
typedef struct tusk__jobs tusk__jobs;

typedef struct tusk__mailbox {
    /* Held for some instructions; nobody calls the kernel under it. */
    pthread_mutex_t lock;
    pthread_mutex_t waking; /* taken before it, by who posts: as long as it is held the loop is there */
    tusk__post *first, **end; /* under lock */
    atomic_bool is_awake;     /* a wake-up is under way: further posts need none */
} tusk__mailbox;

typedef struct tusk__busy_poll {
    int64_t max_us;    /* 0: off */
    int64_t budget_us; /* what is spent before sleeping now; it follows what the last waits were like */
} tusk__busy_poll;

struct tusk_loop {
    const tusk__os *os;
    tusk_allocator allocator;
    tusk__poller *poller;
    tusk_log_fn on_log;
    void *log_user;
    tusk_log_level log_level;

    const volatile unsigned *fork_guard;
    int process_id;   /* asked where there is no guard */
    pthread_t thread; /* whose turns these are */

    bool in_turn;
    bool is_ending; /* being freed: nothing new is begun */
    bool is_stopped;
    bool is_run;          /* by tusk_loop_run(): a turn does not wait when nothing can happen any more */
    bool is_nudged;       /* this turn's wait is not to sleep */
    bool is_embedded;     /* a host may be watching the poller's descriptor alone */
    bool is_rung;         /* … which is readable already */
    int64_t alarm_due_us; /* what the alarm is set to; INT64_MAX: it has rung or is not set */
    int n_skipped_waits;
    int64_t n_holds; /* may be negative: see tusk__loop_hold() */
    size_t n_jobs;   /* started, neither done nor abandoned */

    tusk__task flush, deferred; /* heads of circular lists */
    tusk__child children, last; /* likewise; the second are those that outlive the first */
    tusk__ios ios;
    tusk__timers timers;
    tusk__chunks chunks;
    tusk__mailbox mailbox;
    tusk__jobs *jobs; /* NULL until the first job */
    tusk__timer jobs_retry;
    tusk__busy_poll busy_poll;

    struct {
        void *value;
        void (*on_free)(tusk_loop *loop, void *value);
    } slots[TUSK__N_SLOTS];
    tusk__poll_event ready[TUSK__MAX_READY];
};

/* The struct that `ptr` is the member of. */
#define TUSK__OWNER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

void *tusk__loop_malloc(const tusk_loop *loop, size_t size);
void tusk__loop_mfree(const tusk_loop *loop, void *ptr);

/* Grow an array of `size`-byte elements to hold at least one more than *cap does; *cap is updated. */
TUSK_MUST_CHECK
tusk_code tusk__loop_grow(const tusk_loop *loop, void **array, size_t *cap, size_t size);

bool tusk__loop_is_forked(const tusk_loop *loop);

/* Something came up outside a turn: a host that watches nothing but the descriptor must come to know. */
void tusk__loop_ring(tusk_loop *loop);
/* At the end of a turn, and when a timer is started outside one: set the alarm if the earliest due time came nearer. */
void tusk__loop_set_alarm(tusk_loop *loop);

void tusk__tasks_init(tusk__task *list);
bool tusk__tasks_empty(const tusk__task *list);
void tusk__tasks_run(tusk__task *list); /* those that are queued now, not those that they queue */

void tusk__ios_dispatch(tusk_loop *loop, const tusk__poll_event *events, int n);
void tusk__ios_clear(tusk_loop *loop);

int64_t tusk__timers_next_due(const tusk_loop *loop); /* INT64_MAX: none */
void tusk__timers_run(tusk_loop *loop);
void tusk__timers_clear(tusk_loop *loop);

void tusk__chunks_clear(tusk_loop *loop);

tusk_code tusk__mailbox_init(tusk_loop *loop, tusk_error *err);
void tusk__mailbox_run(tusk_loop *loop); /* posted functions, then finished jobs */
void tusk__mailbox_clear(tusk_loop *loop); /* what was posted runs */
void tusk__mailbox_close(tusk_loop *loop); /* … and what came behind it does not; posters are gone */
void tusk__loop_wake(tusk_loop *loop); /* any thread */

void tusk__jobs_run_finished(tusk_loop *loop);
void tusk__jobs_clear(tusk_loop *loop);

#endif
