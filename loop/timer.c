/* Timers: a binary heap by due time, then by order of start. Starting and stopping cost O(log n), asking what is next O(1).
 * It does not wait and sets no alarm.
 * Read first: loop/loop.h. */
#include "loop/state.h"

static bool is_before(const tusk__timer_entry *a, const tusk__timer_entry *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->seq < b->seq;
}

static void put(tusk__timers *timers, size_t i, tusk__timer_entry entry)
{
    timers->heap[i] = entry;
    entry.timer->index = i + 1;
}

static void sift_up(tusk__timers *timers, size_t i, tusk__timer_entry entry)
{
    while (i > 0) {
        size_t parent = (i - 1) / 2;
        if (!is_before(&entry, &timers->heap[parent]))
            break;
        put(timers, i, timers->heap[parent]);
        i = parent;
    }
    put(timers, i, entry);
}

static void sift_down(tusk__timers *timers, size_t i, tusk__timer_entry entry)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= timers->n)
            break;
        if (child + 1 < timers->n && is_before(&timers->heap[child + 1], &timers->heap[child]))
            child++;
        if (!is_before(&timers->heap[child], &entry))
            break;
        put(timers, i, timers->heap[child]);
        i = child;
    }
    put(timers, i, entry);
}

/* The last entry fills the hole; whether it belongs above or below depends on where it came from. */
static void take_out(tusk__timers *timers, size_t i)
{
    tusk__timer_entry last = timers->heap[--timers->n];

    timers->heap[i].timer->index = 0;
    if (i == timers->n)
        return;
    if (i > 0 && is_before(&last, &timers->heap[(i - 1) / 2]))
        sift_up(timers, i, last);
    else
        sift_down(timers, i, last);
}

static int64_t due_after(int64_t now_us, int64_t delay_us)
{
    if (delay_us <= 0)
        return now_us;
    return delay_us > INT64_MAX - 1 - now_us ? INT64_MAX - 1 : now_us + delay_us;
}

tusk_code tusk__timer_start(tusk_loop *loop, tusk__timer *timer, int64_t delay_us, void (*fn)(tusk__timer *timer))
{
    tusk__timers *timers = &loop->timers;
    tusk__timer_entry entry;

    tusk__timer_stop(loop, timer);
    if (timers->n == timers->cap)
        TUSK_TRY(tusk__loop_grow(loop, (void **)&timers->heap, &timers->cap, sizeof *timers->heap));
    timer->due_us = due_after(loop->os->now_us(loop->os->ctx), delay_us);
    timer->seq = timers->next_seq++;
    timer->fn = fn;
    entry = (tusk__timer_entry){timer->due_us, timer->seq, timer};
    sift_up(timers, timers->n++, entry);
    if (timer->index == 1)
        tusk__loop_set_alarm(loop);
    return TUSK_OK;
}

void tusk__timer_stop(tusk_loop *loop, tusk__timer *timer)
{
    if (timer->index != 0)
        take_out(&loop->timers, timer->index - 1);
}

int64_t tusk__timers_next_due(const tusk_loop *loop)
{
    return loop->timers.n ? loop->timers.heap[0].due_us : INT64_MAX;
}

/* One reading of the clock for the whole phase, and nothing that is started in it: a timer that restarts itself with no
 * delay must not hold up the turn. */
void tusk__timers_run(tusk_loop *loop)
{
    tusk__timers *timers = &loop->timers;
    uint64_t end = timers->next_seq;
    int64_t now_us;

    if (timers->n == 0)
        return;
    now_us = loop->os->now_us(loop->os->ctx);
    while (timers->n && timers->heap[0].due_us <= now_us && timers->heap[0].seq < end) {
        tusk__timer *timer = timers->heap[0].timer;
        take_out(timers, 0);
        timer->fn(timer);
    }
}

void tusk__timers_clear(tusk_loop *loop)
{
    for (size_t i = 0; i < loop->timers.n; i++)
        loop->timers.heap[i].timer->index = 0;
    tusk__loop_mfree(loop, loop->timers.heap);
}

int64_t tusk__seconds_to_us(double seconds)
{
    double us = seconds * 1e6;
    int64_t whole;

    if (!(seconds >= 0))
        return -1;
    if (us >= 9.2e18)
        return INT64_MAX;
    whole = (int64_t)us;
    return (double)whole < us ? whole + 1 : whole;
}
