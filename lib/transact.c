/* tusk_transact(): a transaction that is repeated while the server asks for that, blocking and with callbacks.
 * What is begun, committed and rolled back is transaction.c's.
 * Read first: tusk/transaction.h; PostgreSQL docs, "Serialization Failure Handling". */
#include <tusk/transaction.h>

#include "lib/conn.h"
#include "lib/given.h"
#include "lib/transaction.h"
#include "proto/error_set.h"

#define MAX_ATTEMPTS 5
#define MIN_DELAY 0.01
#define MAX_DELAY 1.0

static tusk_transact_options completed(const tusk_conn *conn, const tusk_transact_options *given)
{
    tusk_transact_options options = given ? *given : (tusk_transact_options){0};
    bool is_inside = conn->level || (conn->phase == TUSK__PHASE_READY && conn->session.tx_status != 'I');

    if (options.max_attempts == 0)
        options.max_attempts = MAX_ATTEMPTS;
    if (is_inside)
        options.max_attempts = 1;
    if (!(options.min_delay > 0))
        options.min_delay = MIN_DELAY;
    if (!(options.max_delay > 0))
        options.max_delay = MAX_DELAY;
    return options;
}

/* Is another attempt to be made behind this one, which failed? */
static bool is_to_be_repeated(const tusk_conn *conn, const tusk_transact_options *options, unsigned attempt,
                              const tusk_error *err)
{
    bool is_asked = memcmp(err->sqlstate, "40001", 5) == 0 || memcmp(err->sqlstate, "40P01", 5) == 0;

    return is_asked && err->code != TUSK_ERR_COMMIT_UNKNOWN && attempt < options->max_attempts &&
           conn->phase == TUSK__PHASE_READY;
}

/* Exponential, with full jitter: who collided does not meet again. */
static double pause_behind(tusk_conn *conn, const tusk_transact_options *options, unsigned attempt)
{
    const tusk__os *os = tusk__loop_os(conn->loop);
    double most = options->min_delay;
    uint32_t number = 0;

    for (unsigned i = 1; i < attempt && most < options->max_delay; i++)
        most *= 2;
    if (most > options->max_delay)
        most = options->max_delay;
    if (os->random(os->ctx, &number, sizeof number) < 0)
        return most;
    return most * ((double)number / (double)UINT32_MAX);
}

static bool is_open(const tusk_conn *conn, const tusk__level *own)
{
    const tusk__level *level = conn->level;

    while (level && level != own)
        level = level->parent;
    return level != NULL;
}

/* What was begun in an attempt's own transaction ends. By the level itself, not by how many are open: there is one more where the end of one
 * in front of it was taken back meanwhile, and that is not ours to end. A reason that *err has already stays. False: there is nothing to
 * be ended any more, or no memory to end it. */
static bool end_inner(tusk_conn *conn, const tusk__level *own, tusk_error *err)
{
    const tusk__level *tried = NULL;

    if (!is_open(conn, own)) {
        (void)tusk__error_set(err, TUSK_ERR_USAGE, NULL, "the transaction was ended inside of it");
        return false;
    }
    if (conn->level != own)
        (void)tusk__error_set(err, TUSK_ERR_USAGE, NULL, "a transaction inside of it was begun and not ended");
    while (conn->level != own && conn->level != tried) {
        tried = conn->level;
        tusk_query_free(tusk_rollback(conn)); /* which may not even be queued, without memory */
    }
    return conn->level == own;
}

/* The statement that was looked at may only have met a transaction that had failed (25P02) because of the one that was not. */
static void prefer_cause(const tusk_conn *conn, tusk_error *err)
{
    const tusk__level *level = conn->level;

    if (err->code != TUSK_OK && level && level->cause && !level->cause_is_inner &&
        tusk_error_is_retriable(level->cause))
        *err = *level->cause;
}

/* ---- blocking ---- */

/* What the function said: nothing, TUSK_DONE among it, which rolls back and is no error. */
static void take_reason(tusk_code code, tusk_error *err)
{
    if (code == TUSK_OK || code == TUSK_DONE)
        tusk__error_none(err);
    else
        tusk__given_error(err, tusk__given_is_error(err->code) ? err->code : code,
                          "the function that makes the transaction");
}

static tusk_code attempt_once(tusk_conn *conn, const tusk_transact_options *options, tusk_transact_fn fn, void *user,
                              tusk_error *err)
{
    tusk_query *begin = tusk_begin(conn, &options->transaction);
    const tusk__level *own = conn->level;
    tusk_code code;

    if (!begin)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory");
    tusk_query_free(begin);
    *err = (tusk_error){.column = -1, .item = -1};
    code = fn(conn, user, err);
    take_reason(code, err);
    if (!end_inner(conn, own, err))
        return err->code;
    if (code == TUSK_OK && err->code == TUSK_OK)
        return tusk_await_free(tusk_commit(conn), err);
    prefer_cause(conn, err);
    (void)tusk_await_free(tusk_rollback(conn), NULL);
    return err->code == TUSK_OK ? code : err->code;
}

static void set_true(void *user)
{
    *(bool *)user = true;
}

static tusk_code wait_a_while(tusk_conn *conn, double seconds, tusk_error *err)
{
    bool is_over = false;
    tusk_timer *timer = tusk_timer_start(conn->loop, seconds, set_true, &is_over);
    tusk_code code = TUSK_OK;

    if (!timer)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a timer");
    while (!is_over && code == TUSK_OK)
        code = tusk_loop_turn(conn->loop, TUSK_NONE, err);
    if (!is_over)
        tusk_timer_stop(timer);
    return code;
}

static tusk_code transact(tusk_conn *conn, const tusk_transact_options *options, tusk_transact_fn fn, void *user,
                          tusk_error *err)
{
    tusk_code code = TUSK_AGAIN;

    for (unsigned attempt = 1; code == TUSK_AGAIN; attempt++) {
        tusk__error_begin(err);
        code = attempt_once(conn, options, fn, user, err);
        if (code == TUSK_OK || !is_to_be_repeated(conn, options, attempt, err))
            break;
        TUSK_TRY(wait_a_while(conn, pause_behind(conn, options, attempt), err));
        code = TUSK_AGAIN;
    }
    return code;
}

tusk_code tusk_transact(tusk_conn *conn, const tusk_transact_options *options, tusk_transact_fn fn, void *user,
                        tusk_error *err)
{
    tusk_transact_options complete;
    tusk_error own;
    tusk_code code;

    err = err ? err : &own;
    tusk__error_begin(err);
    if (!conn)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory");
    TUSK_TRY(tusk__loop_check(conn->loop, err));
    if (tusk__loop_in_turn(conn->loop))
        return tusk__error_set(err, TUSK_ERR_STATE, NULL,
                               "a transaction cannot be waited for inside a callback: use tusk_transact_start()");
    complete = completed(conn, options);
    tusk__conn_pin(conn); /* fn may free it */
    code = transact(conn, &complete, fn, user, err);
    tusk__conn_unpin(conn);
    return code;
}

/* ---- with callbacks ---- */

struct tusk_attempt {
    tusk__child child;
    tusk_query *q;   /* not recycled before it is done */
    tusk_query *end; /* its commit or rollback, in flight */
    const tusk_allocator *allocator;
    tusk_transact_options options;
    tusk_attempt_fn fn;
    void *user;
    unsigned number;
    const tusk__level *level; /* only to be looked for among those that are open */
    bool is_ended;
    tusk_error why; /* of the attempt */
    tusk__task task;
    tusk__timer timer;
};

/* The end: committed, or given up. */
static void finish(tusk_attempt *attempt)
{
    tusk_query *q = attempt->q;

    if (attempt->why.code != TUSK_OK)
        tusk__query_fail(q, &attempt->why);
    tusk_query_free(attempt->end);
    tusk__loop_disown(&attempt->child);
    tusk__task_cancel(&attempt->task);
    tusk__timer_stop(q->loop, &attempt->timer);
    attempt->allocator->free(attempt, attempt->allocator->user);
    tusk__query_complete(q);
}

/* tusk_loop_free(): its connection may be gone already. */
static void on_loop_free(tusk__child *child)
{
    tusk_attempt *attempt = (tusk_attempt *)(void *)((char *)child - offsetof(tusk_attempt, child));

    if (attempt->why.code == TUSK_OK)
        (void)tusk__error_set(&attempt->why, TUSK_ERR_CANCELED, "57014", "the loop was freed");
    finish(attempt);
}

static void begin_task(tusk__task *task)
{
    tusk_attempt *attempt = (tusk_attempt *)(void *)((char *)task - offsetof(tusk_attempt, task));
    tusk_query *begin;

    tusk__error_none(&attempt->why);
    attempt->is_ended = false;
    attempt->number++;
    begin = tusk_begin(attempt->q->conn, &attempt->options.transaction);
    if (!begin) {
        (void)tusk__error_set(&attempt->why, TUSK_ERR_NOMEM, NULL, "out of memory");
        finish(attempt);
        return;
    }
    tusk_query_free(begin);
    attempt->level = attempt->q->conn->level;
    attempt->fn(attempt, attempt->user);
}

static void on_pause_over(tusk__timer *timer)
{
    tusk_attempt *attempt = (tusk_attempt *)(void *)((char *)timer - offsetof(tusk_attempt, timer));

    begin_task(&attempt->task);
}

static void on_ended(tusk_query *end, void *user)
{
    tusk_attempt *attempt = user;
    tusk_conn *conn = attempt->q->conn;

    attempt->end = NULL;
    if (attempt->why.code == TUSK_OK && tusk_query_code(end) != TUSK_OK)
        attempt->why = *tusk_query_error(end);
    if (attempt->why.code != TUSK_OK && is_to_be_repeated(conn, &attempt->options, attempt->number, &attempt->why) &&
        tusk__timer_start(conn->loop, &attempt->timer,
                          tusk__seconds_to_us(pause_behind(conn, &attempt->options, attempt->number)),
                          on_pause_over) == TUSK_OK)
        return;
    finish(attempt);
}

static void finish_task(tusk__task *task)
{
    finish((tusk_attempt *)(void *)((char *)task - offsetof(tusk_attempt, task)));
}

tusk_query *tusk_transact_start(tusk_conn *conn, const tusk_transact_options *options, tusk_attempt_fn fn, void *user)
{
    const tusk_allocator *allocator = conn ? conn->allocator : NULL;
    tusk_attempt *attempt = conn ? allocator->malloc(sizeof *attempt, allocator->user) : NULL;

    if (!attempt)
        return NULL;
    memset(attempt, 0, sizeof *attempt);
    attempt->q = tusk__query_new(conn->loop, conn, TUSK__QUERY_WAIT);
    if (!attempt->q) {
        allocator->free(attempt, allocator->user);
        return NULL;
    }
    attempt->allocator = allocator;
    attempt->options = completed(conn, options);
    attempt->fn = fn;
    attempt->user = user;
    tusk__loop_adopt(conn->loop, &attempt->child, on_loop_free);
    tusk__loop_defer(conn->loop, &attempt->task, begin_task);
    return attempt->q;
}

tusk_conn *tusk_attempt_conn(const tusk_attempt *attempt)
{
    return attempt->q->conn;
}

unsigned tusk_attempt_number(const tusk_attempt *attempt)
{
    return attempt->number;
}

void tusk_attempt_end(tusk_attempt *attempt, const tusk_error *err)
{
    tusk_conn *conn = attempt->q->conn;

    if (attempt->is_ended)
        return;
    attempt->is_ended = true;
    if (err && err->code != TUSK_OK) {
        attempt->why = *err;
        tusk__given_error(&attempt->why, err->code, "the attempt");
    }
    if (end_inner(conn, attempt->level, &attempt->why)) {
        if (attempt->why.code != TUSK_OK)
            prefer_cause(conn, &attempt->why);
        attempt->end = attempt->why.code == TUSK_OK ? tusk_commit(conn) : tusk_rollback(conn);
        if (attempt->end) {
            tusk_query_on_done(attempt->end, on_ended, attempt);
            return;
        }
        (void)tusk__error_set(&attempt->why, TUSK_ERR_NOMEM, NULL, "out of memory: the transaction is still open");
    }
    tusk__loop_defer(conn->loop, &attempt->task, finish_task);
}
