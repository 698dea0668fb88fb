/* The loop itself: open, turn, run, free. The turn is a page of named phases.
 * Each phase's work is in the file of its name; this one only says in which order.
 * Read first: loop/loop.h, docs/internals/loop.md. */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "loop/state.h"

/* ---- waiting ---------------------------------------------------------------------------------------------------------- */

static bool has_work(const tusk_loop *loop)
{
    return !tusk__tasks_empty(&loop->flush) || !tusk__tasks_empty(&loop->deferred);
}

static bool has_mail(tusk_loop *loop)
{
    return atomic_load(&loop->mailbox.is_awake);
}

static int64_t now_us(const tusk_loop *loop)
{
    return loop->os->now_us(loop->os->ctx);
}

/* How long may the loop sleep if the caller allows max_us (-1: for ever)? */
static int64_t sleep_limit(tusk_loop *loop, int64_t max_us)
{
    int64_t due_us = tusk__timers_next_due(loop), delay_us;

    if (max_us == 0 || loop->is_nudged || has_work(loop) || has_mail(loop))
        return 0;
    if (due_us == INT64_MAX)
        return max_us;
    delay_us = due_us - now_us(loop);
    if (delay_us < 0)
        delay_us = 0;
    return max_us < 0 || delay_us < max_us ? delay_us : max_us;
}

static int poll_kernel(tusk_loop *loop, int64_t timeout_us)
{
    return loop->os->poller->wait(loop->poller, loop->ready, TUSK__MAX_READY, timeout_us);
}

/* What the last wait took tells what to spend on the next: polling pays if the answer comes within max_us, and is given up
 * by halves when it does not. Nothing is spent at all after a few misses, until a sleep turns out to have been short. */
static void adapt_budget(tusk__busy_poll *busy, int64_t waited_us)
{
    if (waited_us > busy->max_us)
        busy->budget_us /= 2;
    else if (busy->budget_us < busy->max_us / 2)
        busy->budget_us = busy->budget_us * 2 + busy->max_us / 16 + 1;
    else
        busy->budget_us = busy->max_us;
}

static int poll_busily(tusk_loop *loop, int64_t limit_us)
{
    tusk__busy_poll *busy = &loop->busy_poll;
    int64_t start_us = now_us(loop), waited_us = 0;
    int n = 0;

    while (n == 0 && waited_us < busy->budget_us && (limit_us < 0 || waited_us < limit_us) && !has_mail(loop)) {
        n = poll_kernel(loop, 0);
        waited_us = now_us(loop) - start_us;
    }
    if (n == 0 && !has_mail(loop) && (limit_us < 0 || waited_us < limit_us))
        n = poll_kernel(loop, limit_us < 0 ? -1 : limit_us - waited_us);
    adapt_budget(busy, now_us(loop) - start_us);
    return n;
}

/* Deferred work is done without looking at the sockets first, which saves the system call; but only a few times in a row,
 * so that work which keeps begetting work does not starve them. An embedded loop always looks: that is what takes the
 * wake-up back that made the host call. */
static int wait_ready(tusk_loop *loop, int64_t max_us)
{
    int64_t limit_us = sleep_limit(loop, max_us);

    if (has_work(loop) && !loop->is_embedded && loop->n_skipped_waits < TUSK__MAX_SKIPPED_WAITS) {
        loop->n_skipped_waits++;
        return 0;
    }
    loop->n_skipped_waits = 0;
    loop->is_rung = false;
    if (limit_us == 0 || loop->busy_poll.max_us == 0)
        return poll_kernel(loop, limit_us);
    return poll_busily(loop, limit_us);
}

static bool is_alive(tusk_loop *loop)
{
    int64_t n = loop->n_holds + (int64_t)loop->ios.n_started + (int64_t)loop->timers.n + (int64_t)loop->n_jobs;

    return n > 0 || has_work(loop) || has_mail(loop);
}

/* ---- the turn --------------------------------------------------------------------------------------------------------- */

/* If the kernel refuses to wait, all that does not need it is done nevertheless. */
static tusk_code turn(tusk_loop *loop, int64_t max_us, tusk_error *err)
{
    int n_ready;

    loop->in_turn = true;
    loop->is_nudged = false;
    tusk__tasks_run(&loop->flush);
    n_ready = wait_ready(loop, loop->is_run && !is_alive(loop) ? 0 : max_us);
    tusk__ios_dispatch(loop, loop->ready, n_ready);
    tusk__timers_run(loop);
    tusk__mailbox_run(loop);
    tusk__tasks_run(&loop->deferred);
    loop->in_turn = false;

    tusk__loop_set_alarm(loop);
    if (has_work(loop))
        tusk__loop_ring(loop);
    return n_ready < 0 ? tusk__system_error(err, n_ready, "waiting for events") : TUSK_OK;
}

static tusk_code check_turn(const tusk_loop *loop, tusk_error *err)
{
    if (!loop)
        return tusk__loop_error(err, TUSK_ERR_USAGE, "there is no loop");
    TUSK_TRY(tusk__loop_check(loop, err));
    if (loop->in_turn)
        return tusk__loop_error(err, TUSK_ERR_STATE, "the loop cannot be turned inside one of its own callbacks");
    if (!pthread_equal(loop->thread, pthread_self()))
        return tusk__loop_error(err, TUSK_ERR_STATE, "the loop belongs to another thread");
    return TUSK_OK;
}

tusk_code tusk_loop_turn(tusk_loop *loop, double max_wait, tusk_error *err)
{
    tusk__loop_error_begin(err);
    TUSK_TRY(check_turn(loop, err));
    return turn(loop, tusk__seconds_to_us(max_wait), err);
}

/* A stop that came before the run ends it before its first turn: it may have been posted during an await. */
tusk_code tusk_loop_run(tusk_loop *loop, tusk_error *err)
{
    tusk_code code;

    tusk__loop_error_begin(err);
    code = check_turn(loop, err);
    if (code != TUSK_OK)
        return code;
    loop->is_run = true;
    while (code == TUSK_OK && !loop->is_stopped && is_alive(loop))
        code = turn(loop, -1, err);
    loop->is_run = loop->is_stopped = false;
    return code;
}

bool tusk__loop_is_quiet_but(tusk_loop *loop, const tusk__io *io)
{
    for (size_t i = 0; i < loop->ios.n_slots; i++)
        if (loop->ios.slots[i].io && loop->ios.slots[i].io != io && loop->ios.slots[i].io->events)
            return false;
    return loop->timers.n == 0 && loop->n_jobs == 0 && !has_work(loop) && !has_mail(loop);
}

bool tusk__loop_is_quiet(tusk_loop *loop)
{
    return tusk__loop_is_quiet_but(loop, NULL);
}

void tusk_loop_stop(tusk_loop *loop)
{
    loop->is_stopped = true;
}

void tusk__loop_nudge(tusk_loop *loop)
{
    loop->is_nudged = true;
}

/* ---- a loop inside another loop --------------------------------------------------------------------------------------- */

void tusk__loop_ring(tusk_loop *loop)
{
    if (!loop->is_embedded || loop->in_turn || loop->is_rung || tusk__loop_is_forked(loop))
        return;
    loop->is_rung = loop->os->poller->wake(loop->poller) == 0;
}

void tusk__loop_set_alarm(tusk_loop *loop)
{
    int64_t due_us = tusk__timers_next_due(loop), at_us;
    int rc;

    if (!loop->is_embedded || loop->in_turn || due_us == INT64_MAX || tusk__loop_is_forked(loop))
        return;
    at_us = now_us(loop);
    if (loop->alarm_due_us > at_us && loop->alarm_due_us <= due_us)
        return;
    rc = loop->os->poller->alarm(loop->poller, due_us > at_us ? due_us - at_us : 0);
    loop->alarm_due_us = rc == 0 ? due_us : INT64_MAX;
    if (rc < 0)
        tusk__loop_log(loop, TUSK_LOG_WARNING, "the alarm for an embedding host cannot be set: %s", strerror(-rc));
}

int tusk_loop_fd(tusk_loop *loop)
{
    int fd;

    if (tusk__loop_check(loop, NULL) != TUSK_OK)
        return -1;
    fd = loop->os->poller->fd(loop->poller);
    if (fd < 0)
        return -1;
    if (!loop->is_embedded) {
        loop->is_embedded = true;
        tusk__loop_set_alarm(loop);
        if (has_work(loop))
            tusk__loop_ring(loop);
    }
    return fd;
}

int64_t tusk_loop_timeout_us(tusk_loop *loop)
{
    return tusk__loop_check(loop, NULL) == TUSK_OK ? sleep_limit(loop, -1) : -1;
}

int64_t tusk_loop_now_us(tusk_loop *loop)
{
    return now_us(loop);
}

/* ---- what lives on a loop --------------------------------------------------------------------------------------------- */

static void list_child(tusk__child *list, tusk__child *child, void (*on_free)(tusk__child *child))
{
    child->on_free = on_free;
    child->prev = list;
    child->next = list->next;
    child->next->prev = child;
    list->next = child;
}

void tusk__loop_adopt(tusk_loop *loop, tusk__child *child, void (*on_free)(tusk__child *child))
{
    list_child(&loop->children, child, on_free);
}

void tusk__loop_adopt_last(tusk_loop *loop, tusk__child *child, void (*on_free)(tusk__child *child))
{
    list_child(&loop->last, child, on_free);
}

void tusk__loop_disown(tusk__child *child)
{
    if (!child->next)
        return;
    child->next->prev = child->prev;
    child->prev->next = child->next;
    child->next = child->prev = NULL;
}

void tusk__loop_hold(tusk_loop *loop)
{
    loop->n_holds++;
}

void tusk__loop_release(tusk_loop *loop)
{
    loop->n_holds--;
}

void *tusk__loop_slot_get(const tusk_loop *loop, tusk__loop_slot slot)
{
    return loop->slots[slot].value;
}

void tusk__loop_slot_set(tusk_loop *loop, tusk__loop_slot slot, void *value,
                         void (*on_free)(tusk_loop *loop, void *value))
{
    loop->slots[slot].value = value;
    loop->slots[slot].on_free = on_free;
}

/* ---- open and free ---------------------------------------------------------------------------------------------------- */

static void configure(tusk_loop *loop, const tusk_loop_config *config)
{
    int64_t busy_us = tusk__seconds_to_us(config->busy_poll);

    loop->on_log = config->on_log;
    loop->log_user = config->log_user;
    loop->log_level = config->log_level ? config->log_level : TUSK_LOG_WARNING;
    loop->busy_poll.max_us = loop->busy_poll.budget_us = busy_us > 0 ? busy_us : 0;
}

static void init(tusk_loop *loop, const tusk__os *os, const tusk_allocator *allocator)
{
    memset(loop, 0, sizeof *loop);
    loop->os = os;
    loop->allocator = *allocator;
    loop->thread = pthread_self();
    loop->fork_guard = os->fork_guard_new(os->ctx);
    loop->process_id = loop->fork_guard ? 0 : os->process_id(os->ctx);
    loop->alarm_due_us = INT64_MAX;
    loop->ios.first_free = UINT32_MAX;
    loop->children.next = loop->children.prev = &loop->children;
    loop->last.next = loop->last.prev = &loop->last;
    tusk__tasks_init(&loop->flush);
    tusk__tasks_init(&loop->deferred);
}

/* The loop's own memory, without the mailbox: what is left when opening fails half-way, too. */
static void free_rest(tusk_loop *loop, bool forked)
{
    tusk_allocator allocator = loop->allocator;

    if (loop->poller)
        loop->os->poller->close(loop->poller, forked);
    if (loop->fork_guard)
        loop->os->fork_guard_free(loop->os->ctx, loop->fork_guard);
    allocator.free(loop, allocator.user);
}

tusk_loop *tusk__loop_open_on(const tusk__os *os, const tusk_loop_config *config, tusk_error *err)
{
    static const tusk_loop_config defaults = {0};
    const tusk_allocator *allocator;
    tusk_loop *loop;
    int rc;

    tusk__loop_error_begin(err);
    if (!config)
        config = &defaults;
    allocator = config->allocator ? config->allocator : tusk_allocator_default();
    loop = allocator->malloc(sizeof *loop, allocator->user);
    if (!loop) {
        (void)tusk__loop_error(err, TUSK_ERR_NOMEM, "out of memory for a loop");
        return NULL;
    }
    init(loop, os, allocator);
    configure(loop, config);
    rc = os->poller->open(os, &loop->allocator, &loop->poller);
    if (rc == -ENOMEM)
        (void)tusk__loop_error(err, TUSK_ERR_NOMEM, "out of memory for a loop");
    else if (rc < 0)
        (void)tusk__system_error(err, rc, "opening the loop");
    if (rc == 0 && tusk__mailbox_init(loop, err) == TUSK_OK)
        return loop;
    free_rest(loop, false);
    return NULL;
}

tusk_loop *tusk_loop_open(const tusk_loop_config *config, tusk_error *err)
{
    return tusk__loop_open_on(tusk__os_real(), config, err);
}

tusk_loop *tusk_loop_new(void)
{
    return tusk_loop_open(NULL, NULL);
}

static void end_list(tusk__child *list)
{
    while (list->next != list) {
        tusk__child *child = list->next;
        tusk__loop_disown(child);
        child->on_free(child);
    }
}

static void end_children(tusk_loop *loop)
{
    end_list(&loop->children);
    end_list(&loop->last);
    for (int i = 0; i < TUSK__N_SLOTS; i++)
        if (loop->slots[i].value && loop->slots[i].on_free)
            loop->slots[i].on_free(loop, loop->slots[i].value);
}

void tusk_loop_free(tusk_loop *loop)
{
    bool forked;

    if (!loop)
        return;
    if (loop->in_turn) {
        tusk__loop_log(loop, TUSK_LOG_ERROR, "tusk_loop_free() inside a callback of the same loop is ignored");
        return;
    }
    forked = tusk__loop_is_forked(loop);
    loop->in_turn = true;
    if (!forked)
        tusk__tasks_run(&loop->deferred); /* what is decided already is told, too */
    tusk__mailbox_clear(loop);
    loop->is_ending = true;
    end_children(loop);
    tusk__jobs_clear(loop);
    tusk__ios_clear(loop);
    tusk__timers_clear(loop);
    tusk__chunks_clear(loop);
    tusk__mailbox_close(loop);
    free_rest(loop, forked);
}

/* ---- small services --------------------------------------------------------------------------------------------------- */

const tusk__os *tusk__loop_os(const tusk_loop *loop)
{
    return loop->os;
}

const tusk_allocator *tusk__loop_allocator(const tusk_loop *loop)
{
    return &loop->allocator;
}

bool tusk__loop_is_forked(const tusk_loop *loop)
{
    if (loop->fork_guard)
        return *loop->fork_guard == 0;
    return loop->os->process_id(loop->os->ctx) != loop->process_id;
}

tusk_code tusk__loop_check(const tusk_loop *loop, tusk_error *err)
{
    if (tusk__loop_is_forked(loop))
        return tusk__loop_error(err, TUSK_ERR_STATE, "the process was forked: the loop stays with the parent");
    return TUSK_OK;
}

bool tusk__loop_in_turn(const tusk_loop *loop)
{
    return loop->in_turn;
}

bool tusk__loop_is_ending(const tusk_loop *loop)
{
    return loop->is_ending;
}

bool tusk__loop_logs(const tusk_loop *loop, tusk_log_level level)
{
    return loop->on_log && level >= loop->log_level;
}

void tusk__loop_log(tusk_loop *loop, tusk_log_level level, const char *fmt, ...)
{
    char text[1024], line[1024];
    va_list args;
    int n;

    if (!tusk__loop_logs(loop, level))
        return;
    va_start(args, fmt);
    n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (n >= (int)sizeof text)
        n = (int)sizeof text - 1;
    tusk__loop_copy_text(line, sizeof line, text, n > 0 ? (size_t)n : 0);
    loop->on_log(level, tusk_str_of(line), loop->log_user);
}

void *tusk__loop_malloc(const tusk_loop *loop, size_t size)
{
    return loop->allocator.malloc(size, loop->allocator.user);
}

void tusk__loop_mfree(const tusk_loop *loop, void *ptr)
{
    loop->allocator.free(ptr, loop->allocator.user);
}

tusk_code tusk__loop_grow(const tusk_loop *loop, void **array, size_t *cap, size_t size)
{
    size_t new_cap = *cap ? *cap * 2 : 16;
    size_t n_bytes = new_cap * size;
    void *grown;

    if (new_cap > SIZE_MAX / 2 / size)
        return TUSK_ERR_NOMEM;
    grown = loop->allocator.realloc(*array, n_bytes, loop->allocator.user);
    if (!grown)
        return TUSK_ERR_NOMEM;
    *array = grown;
    *cap = new_cap;
    return TUSK_OK;
}
