/* The caller's own timers and descriptors: what lib/ embeds, on the heap and with (fn, user).
 * It adds no mechanism of its own.
 * Read first: tusk/loop.h; loop/timer.c and loop/io.c do the work. */
#include "loop/state.h"

struct tusk_timer {
    tusk__timer timer;
    tusk__child child;
    tusk_loop *loop;
    bool is_firing; /* it is freed when fn returns, by whom it fired */
    void (*fn)(void *user);
    void *user;
};

struct tusk_watch {
    tusk__io io;
    tusk__child child;
    void (*fn)(int fd, unsigned events, void *user);
    void *user;
};

/* ---- timers ----------------------------------------------------------------------------------------------------------- */

static void free_timer(tusk_timer *timer)
{
    tusk__timer_stop(timer->loop, &timer->timer);
    tusk__loop_disown(&timer->child);
    tusk__loop_mfree(timer->loop, timer);
}

static void on_timer(tusk__timer *inner)
{
    tusk_timer *timer = TUSK__OWNER_OF(inner, tusk_timer, timer);

    timer->is_firing = true;
    timer->fn(timer->user);
    free_timer(timer);
}

static void on_timer_loop_free(tusk__child *child)
{
    free_timer(TUSK__OWNER_OF(child, tusk_timer, child));
}

tusk_timer *tusk_timer_start(tusk_loop *loop, double seconds, void (*fn)(void *user), void *user)
{
    tusk_timer *timer;

    if (tusk__loop_check(loop, NULL) != TUSK_OK)
        return NULL;
    timer = tusk__loop_malloc(loop, sizeof *timer);
    if (!timer)
        return NULL;
    *timer = (tusk_timer){.loop = loop, .fn = fn, .user = user};
    if (tusk__timer_start(loop, &timer->timer, tusk__seconds_to_us(seconds), on_timer) != TUSK_OK) {
        tusk__loop_mfree(loop, timer);
        return NULL;
    }
    tusk__loop_adopt_last(loop, &timer->child, on_timer_loop_free);
    return timer;
}

void tusk_timer_stop(tusk_timer *timer)
{
    if (timer && !timer->is_firing)
        free_timer(timer);
}

/* ---- watches ---------------------------------------------------------------------------------------------------------- */

static void on_watch_ready(tusk__io *io, unsigned events)
{
    tusk_watch *watch = TUSK__OWNER_OF(io, tusk_watch, io);

    watch->fn(io->fd, events, watch->user);
}

static void on_watch_loop_free(tusk__child *child)
{
    tusk_watch_stop(TUSK__OWNER_OF(child, tusk_watch, child));
}

static tusk_code check_events(unsigned events, tusk_error *err)
{
    if (events & ~(unsigned)(TUSK_READABLE | TUSK_WRITABLE))
        return tusk__loop_error(err, TUSK_ERR_USAGE, "events must be TUSK_READABLE, TUSK_WRITABLE or both");
    return TUSK_OK;
}

tusk_watch *tusk_watch_start(tusk_loop *loop, int fd, unsigned events, void (*fn)(int fd, unsigned events, void *user),
                             void *user, tusk_error *err)
{
    tusk_watch *watch;

    tusk__loop_error_begin(err);
    if (tusk__loop_check(loop, err) != TUSK_OK || check_events(events, err) != TUSK_OK)
        return NULL;
    watch = tusk__loop_malloc(loop, sizeof *watch);
    if (!watch) {
        (void)tusk__loop_error(err, TUSK_ERR_NOMEM, "out of memory for a watch");
        return NULL;
    }
    *watch = (tusk_watch){.fn = fn, .user = user};
    if (tusk__io_start(&watch->io, loop, fd, events, on_watch_ready, err) != TUSK_OK) {
        tusk__loop_mfree(loop, watch);
        return NULL;
    }
    tusk__loop_adopt_last(loop, &watch->child, on_watch_loop_free);
    return watch;
}

tusk_code tusk_watch_set(tusk_watch *watch, unsigned events, tusk_error *err)
{
    tusk__loop_error_begin(err);
    TUSK_TRY(check_events(events, err));
    return tusk__io_set(&watch->io, events, err);
}

void tusk_watch_stop(tusk_watch *watch)
{
    if (!watch)
        return;
    tusk__io_stop(&watch->io);
    tusk__loop_disown(&watch->child);
    tusk__loop_mfree(watch->io.loop, watch);
}
