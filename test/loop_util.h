/* What the tests of loop/ share: the real world with a clock of ours, counted calls, and an n-th call that fails; an
 * allocator that counts and fails likewise. One world at a time.
 * Read first: loop/os.h, loop/poller.h. */
#ifndef TUSK_TEST_LOOP_UTIL_H
#define TUSK_TEST_LOOP_UTIL_H

#include <check.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loop/loop.h"
#include "loop/os_platform.h"
#include "test/harness/harness.h"

/* ---- a world ---------------------------------------------------------------------------------------------------------- */

typedef struct world {
    tusk__os os;
    tusk__poller_ops poller;
    bool has_own_clock; /* then waiting takes no time: the clock jumps to the end of the time-out */
    int64_t now_us;
    int n_waits, n_zero_waits, n_sets, n_wakes, n_alarms;
    int64_t last_timeout_us;
    int wait_fails_with, alarm_fails_with;
    int (*thread_start)(void *ctx, void *(*fn)(void *arg), void *arg);
} world;

static world the_world;

static inline int64_t world_now_us(void *ctx)
{
    (void)ctx;
    return the_world.has_own_clock ? the_world.now_us : tusk__os_real()->now_us(NULL);
}

static inline int world_wait(tusk__poller *poller, tusk__poll_event *events, int max, int64_t timeout_us)
{
    int n;

    the_world.n_waits++;
    the_world.n_zero_waits += timeout_us == 0;
    the_world.last_timeout_us = timeout_us;
    if (the_world.wait_fails_with)
        return -the_world.wait_fails_with;
    if (!the_world.has_own_clock || timeout_us < 0)
        return tusk__os_real()->poller->wait(poller, events, max, timeout_us);
    n = tusk__os_real()->poller->wait(poller, events, max, 0);
    if (n == 0)
        the_world.now_us += timeout_us;
    return n;
}

static inline int world_set(tusk__poller *poller, int fd, unsigned before, unsigned now, uint64_t token)
{
    the_world.n_sets++;
    return tusk__os_real()->poller->set(poller, fd, before, now, token);
}

static inline int world_wake(tusk__poller *poller)
{
    the_world.n_wakes++;
    return tusk__os_real()->poller->wake(poller);
}

static inline int world_alarm(tusk__poller *poller, int64_t delay_us)
{
    the_world.n_alarms++;
    return the_world.alarm_fails_with ? -the_world.alarm_fails_with : tusk__os_real()->poller->alarm(poller, delay_us);
}

/* The real world, counted. */
static inline world *world_open(void)
{
    memset(&the_world, 0, sizeof the_world);
    the_world.poller = *tusk__os_real()->poller;
    the_world.poller.wait = world_wait;
    the_world.poller.set = world_set;
    the_world.poller.wake = world_wake;
    the_world.poller.alarm = world_alarm;
    the_world.os = *tusk__os_real();
    the_world.os.poller = &the_world.poller;
    the_world.os.now_us = world_now_us;
    return &the_world;
}

/* … with a clock that stands still unless somebody waits. */
static inline world *world_open_timeless(void)
{
    world_open();
    the_world.has_own_clock = true;
    the_world.now_us = 1000000;
    return &the_world;
}

static inline tusk_loop *loop_in(world *w)
{
    tusk_error err = {0};
    tusk_loop *loop = tusk__loop_open_on(&w->os, NULL, &err);

    ck_assert_msg(loop != NULL, "%s", err.message);
    return loop;
}

static inline void turn_ok(tusk_loop *loop, double max_wait)
{
    tusk_error err = {0};

    ck_assert_msg(tusk_loop_turn(loop, max_wait, &err) == TUSK_OK, "%s", err.message);
}

static inline void run_ok(tusk_loop *loop)
{
    tusk_error err = {0};

    ck_assert_msg(tusk_loop_run(loop, &err) == TUSK_OK, "%s", err.message);
}

/* ---- an allocator ----------------------------------------------------------------------------------------------------- */

typedef struct heap {
    tusk_allocator allocator;
    atomic_long n_calls, n_live;
    long fail_at; /* the n-th call fails, counted from 1; 0: none */
    bool and_all_later;
} heap;

static inline bool heap_fails(heap *h)
{
    long n = atomic_fetch_add(&h->n_calls, 1) + 1;

    return h->fail_at && (n == h->fail_at || (h->and_all_later && n > h->fail_at));
}

static inline void *heap_malloc(size_t size, void *user)
{
    heap *h = user;
    void *ptr = heap_fails(h) ? NULL : malloc(size);

    if (ptr)
        atomic_fetch_add(&h->n_live, 1);
    return ptr;
}

static inline void *heap_realloc(void *old, size_t size, void *user)
{
    heap *h = user;
    void *ptr = heap_fails(h) ? NULL : realloc(old, size);

    if (ptr && !old)
        atomic_fetch_add(&h->n_live, 1);
    return ptr;
}

static inline void heap_free(void *ptr, void *user)
{
    heap *h = user;

    if (ptr)
        atomic_fetch_sub(&h->n_live, 1);
    free(ptr);
}

static inline void heap_init(heap *h)
{
    memset(h, 0, sizeof *h);
    h->allocator = (tusk_allocator){heap_malloc, heap_realloc, heap_free, h};
}

static inline tusk_loop *loop_on_heap(world *w, heap *h, tusk_error *err)
{
    tusk_loop_config config = {.allocator = &h->allocator};

    return tusk__loop_open_on(&w->os, &config, err);
}

/* ---- a diary of what happened, in order ------------------------------------------------------------------------------- */

static char diary[4096];

static inline void note(const char *text)
{
    size_t len = strlen(diary);

    ck_assert(len + strlen(text) + 2 < sizeof diary);
    if (len)
        diary[len++] = ' ';
    memcpy(diary + len, text, strlen(text) + 1);
}

static inline void note_user(void *user)
{
    note(user);
}

/* So that a (const) string can be a `user`. */
static inline void *named(const char *name)
{
    return (void *)(uintptr_t)name;
}

static inline void diary_is(const char *expected)
{
    ck_assert_str_eq(diary, expected);
    diary[0] = '\0';
}

#endif
