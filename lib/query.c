/* Queries: their life from the submission to the last byte of the answer, and what the caller asks of them.
 * It does not know the wire: that is request.c, encode.c, answer.c.
 * Read first: lib/query.h, docs/internals/query.md. */
#include "lib/query.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/codec/codec.h"
#include "lib/conn.h"
#include "lib/crypto.h"
#include "lib/many.h"
#include "lib/named.h"
#include "lib/stack.h"
#include "lib/transaction.h"
#include "lib/sql.h"
#include "proto/error_set.h"
#include "proto/size.h"

/* Finished queries that a loop keeps for the next ones; more than that are given back to the allocator. */
#define FREE_MAX 512
/* Memory of a held request or of error fields that a recycled query keeps. */
#define HELD_KEPT 1024
/* The cap of a held request that may hold a secret: it is not used again, and wiped. */
#define HELD_SECRET SIZE_MAX

/* Every query of a loop, so that tusk_loop_free() can end those that nobody has freed. */
typedef struct query_pool {
    tusk_query *all;
    tusk_query *free;
    size_t n_free;
} query_pool;

/* The list of all: links that a recycled query keeps. */
typedef struct pooled_query {
    tusk_query q; /* first: one pointer serves for both */
    query_pool *pool;
    struct pooled_query *all_next, *all_prev;
} pooled_query;

/* ---- making and recycling ---- */

/* What is answered in parts. */
static void drop_parts(tusk_query *q)
{
    if (q->kind == TUSK__QUERY_MANY)
        tusk__many_free(q);
    else
        tusk__batch_free(q);
}

static void query_destroy(pooled_query *p)
{
    const tusk_allocator *allocator = tusk__loop_allocator(p->q.loop);
    query_pool *pool = p->pool;

    if (p->all_prev)
        p->all_prev->all_next = p->all_next;
    else
        pool->all = (tusk_query *)p->all_next;
    if (p->all_next)
        p->all_next->all_prev = p->all_prev;
    tusk__query_drop_rows(&p->q);
    if (p->q.stmt)
        tusk__stmt_unref(p->q.stmt);
    tusk__desc_unref(p->q.assumed);
    tusk_named_free(p->q.named);
    if (p->q.level)
        tusk__level_leave(&p->q);
    if (p->q.batch)
        drop_parts(&p->q);
    if (p->q.conn)
        tusk__conn_unpin(p->q.conn);
    tusk__result_free(&p->q.first, allocator);
    tusk__held_clear(&p->q.held, allocator);
    allocator->free(p->q.fields, allocator->user);
    allocator->free(p, allocator->user);
}

static void pool_free(tusk_loop *loop, void *value)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    query_pool *pool = value;

    while (pool->all)
        query_destroy((pooled_query *)pool->all);
    allocator->free(pool, allocator->user);
}

static query_pool *pool_of(tusk_loop *loop)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    query_pool *pool = tusk__loop_slot_get(loop, TUSK__SLOT_QUERIES);

    if (!pool) {
        pool = allocator->malloc(sizeof *pool, allocator->user);
        if (!pool)
            return NULL;
        *pool = (query_pool){0};
        tusk__loop_slot_set(loop, TUSK__SLOT_QUERIES, pool, pool_free);
    }
    return pool;
}

static tusk_query *query_alloc(query_pool *pool, tusk_loop *loop)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    pooled_query *p = allocator->malloc(sizeof *p, allocator->user);

    if (!p)
        return NULL;
    memset(p, 0, sizeof *p);
    p->pool = pool;
    p->all_next = (pooled_query *)pool->all;
    if (p->all_next)
        p->all_next->all_prev = p;
    pool->all = &p->q;
    p->q.loop = loop;
    return &p->q;
}

tusk_query *tusk__query_new(tusk_loop *loop, tusk_conn *conn, tusk__query_kind kind)
{
    query_pool *pool = pool_of(loop);
    tusk_query *q;

    if (!pool)
        return NULL;
    q = pool->free;
    if (q) {
        pool->free = q->next;
        pool->n_free--;
        q->next = NULL;
    } else {
        q = query_alloc(pool, loop);
        if (!q)
            return NULL;
    }
    q->conn = conn;
    tusk__conn_pin(conn);
    tusk__loop_hold(loop);
    q->kind = kind;
    q->stage = TUSK__STAGE_OUT;
    q->filling = q->present = &q->first;
    return q;
}

/* Back to the state in which tusk__query_new() finds it. The struct is large because of its errors: only their heads are
 * cleared, the texts are written before they are read. */
static void query_clear(tusk_query *q)
{
    const tusk_allocator *allocator = tusk__loop_allocator(q->loop);

    tusk__query_drop_rows(q);
    if (q->held.cap > HELD_KEPT)
        tusk__held_clear(&q->held, allocator);
    if (q->fields_cap > HELD_KEPT) {
        allocator->free(q->fields, allocator->user);
        q->fields = NULL;
        q->fields_cap = 0;
    }
    if (q->stmt)
        tusk__stmt_unref(q->stmt);
    q->stmt = NULL;
    tusk__desc_unref(q->assumed);
    q->assumed = NULL;
    if (q->named)
        tusk__named_unref(q->named);
    q->named = NULL;
    if (q->level)
        tusk__level_leave(q);
    if (q->batch)
        drop_parts(q);
    q->held.sql = (tusk_str){NULL, 0};
    q->held.params = (tusk_params){NULL, 0};
    q->fields_len = 0;
    q->sql[0] = '\0';
    q->is_done = q->is_released = q->is_kept = q->is_given_up = q->in_callback = false;
    q->text_results = q->cancelable = false;
    q->paused = 0;
    q->streaming = TUSK__STREAMS_NOT;
    q->rows_given = q->is_repeated = q->is_repeatable = q->is_unnamed = q->timeout_is_default = false;
    q->ends = TUSK__ENDS_NOTHING;
    q->is_copy = q->owes_sync = q->copy_refused = false;
    q->changes_status = q->in_unit = q->shares_sync = false;
    q->status_before = 0;
    q->n_closes = 0;
    q->n_more_syncs = q->lookup = 0;
    q->has_begun = false;
    q->cursor_part = TUSK__CURSOR_NONE;
    q->max_result_bytes = 0;
    q->on_row = NULL;
    q->on_done = NULL;
    q->user = NULL;
    q->error.code = q->value_error.code = TUSK_OK;
    q->out_begin = q->out_end = 0;
}

void tusk__query_recycle_if_unused(tusk_query *q)
{
    query_pool *pool;

    if (!q->is_released || !q->is_done || q->stage != TUSK__STAGE_OUT || q->pins || q->in_callback)
        return;
    pool = ((pooled_query *)q)->pool;
    tusk__task_cancel(&q->done_task);
    tusk__timer_stop(q->loop, &q->deadline);
    query_clear(q);
    tusk__conn_unpin(q->conn);
    q->conn = NULL;
    if (pool->n_free >= FREE_MAX) {
        query_destroy((pooled_query *)q);
        return;
    }
    q->next = pool->free;
    pool->free = q;
    pool->n_free++;
}

/* ---- completing ---- */

static void run_on_done(tusk_query *q)
{
    tusk_done_fn on_done = q->on_done;

    q->in_callback = true;
    on_done(q, q->user);
    q->in_callback = false;
    if (!q->is_kept)
        q->is_released = true;
    tusk__query_recycle_if_unused(q);
}

void tusk__query_add_where(const tusk_query *q, tusk_error *err)
{
    static const char *const acts[TUSK__N_WIRE_KINDS] = {
        [TUSK__QUERY_EXEC] = "exec",
        [TUSK__QUERY_FIRST] = "exec",
        [TUSK__QUERY_RUN] = "run",
        [TUSK__QUERY_PREPARE] = "prepare",
        [TUSK__QUERY_CLOSE] = "close",
        [TUSK__QUERY_CLOSE_PORTAL] = "close",
        [TUSK__QUERY_PORTAL] = "open",
        [TUSK__QUERY_PORTAL_RUN] = "open",
        [TUSK__QUERY_FETCH] = "fetch",
        [TUSK__QUERY_SCRIPT] = "script",
        [TUSK__QUERY_EXPLAIN] = "explain",
        [TUSK__QUERY_ANALYZE] = "explain",
        [TUSK__QUERY_ANALYZE_INSIDE] = "explain",
        [TUSK__QUERY_FENCE] = "fence",
        [TUSK__QUERY_LOOKUP] = "look up",
        [TUSK__QUERY_LOOKUP_INSIDE] = "look up",
        [TUSK__QUERY_BEGIN] = "begin",
        [TUSK__QUERY_COMMIT] = "commit",
        [TUSK__QUERY_ROLLBACK] = "rollback",
        [TUSK__QUERY_ROLLBACK_TO] = "rollback",
        [TUSK__QUERY_STACK] = "stack",
        [TUSK__QUERY_MANY] = "execute-many",
    };

    char text[sizeof q->sql];

    if (q->kind == TUSK__QUERY_WAIT || (err && err->where[0]))
        return;
    if (q->stmt && !q->named) {
        tusk__sql_head(q->stmt->text, text, sizeof text);
    } else if (!q->sql[0]) { /* an empty stack; what was not written, as a BEGIN */
        tusk__error_where(err, "%s", acts[q->kind]);
        return;
    }
    tusk__error_where(err, "%s \"%s\"",
                      q->stmt && q->stmt->is_cached && q->kind != TUSK__QUERY_MANY ? "exec" : acts[q->kind],
                      q->stmt && !q->named ? text : q->sql);
}

void tusk__query_complete(tusk_query *q)
{
    assert(!q->is_done);
    assert(tusk__loop_in_turn(q->loop));
    if (q->error.code != TUSK_OK)
        tusk__query_add_where(q, &q->error);
    q->is_done = true;
    tusk__loop_release(q->loop);
    tusk__loop_nudge(q->loop); /* it may have ended in the flush phase, and its awaiter is not to sleep through that */
    tusk__task_cancel(&q->done_task);
    tusk__timer_stop(q->loop, &q->deadline);
    if (q->is_released)
        tusk__query_recycle_if_unused(q);
    else if (q->on_done)
        run_on_done(q);
}

static void complete_task(tusk__task *task)
{
    tusk__query_complete((tusk_query *)((char *)task - offsetof(tusk_query, done_task)));
}

void tusk__query_complete_soon(tusk_query *q)
{
    tusk__loop_defer(q->loop, &q->done_task, complete_task);
}

void tusk__query_leave(tusk_query *q)
{
    q->stage = TUSK__STAGE_OUT;
    tusk__query_recycle_if_unused(q);
}

void tusk__query_fail(tusk_query *q, const tusk_error *err)
{
    if (q->error.code == TUSK_OK)
        q->error = *err;
}

tusk_error *tusk__query_failf(tusk_query *q, tusk_code code, const char *sqlstate, const char *fmt, ...)
{
    char text[sizeof q->error.message * 2];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    (void)tusk__error_set(&q->error, code, sqlstate, "%s", text);
    return &q->error;
}

void tusk__query_fail_fields(tusk_query *q, tusk_str fields)
{
    const tusk_allocator *allocator = tusk__loop_allocator(q->loop);

    if (q->error.code != TUSK_OK)
        return;
    tusk__error_fields_to_error(fields, &q->error);
    if (q->named)
        q->error.position = tusk_named_position(q->named, q->error.position);
    if (q->fields_cap < fields.len) {
        size_t cap = fields.len < HELD_KEPT ? HELD_KEPT : fields.len; /* for the next one, too */
        uint8_t *memory = allocator->realloc(q->fields, cap, allocator->user);

        if (!memory)
            return; /* the summary stands; only the uncut fields are missing */
        q->fields = memory;
        q->fields_cap = cap;
    }
    if (fields.len)
        memcpy(q->fields, fields.ptr, fields.len);
    q->fields_len = fields.len;
}

void tusk__query_forget_answer(tusk_query *q)
{
    tusk__query_drop_rows(q);
    q->error.code = TUSK_OK;
    q->fields_len = 0;
}

/* ---- results ---- */

tusk__result *tusk__query_add_result(tusk_query *q)
{
    const tusk_allocator *allocator = tusk__loop_allocator(q->loop);
    tusk__result *result = allocator->malloc(sizeof *result, allocator->user);

    if (!result)
        return NULL;
    memset(result, 0, sizeof *result);
    q->earlier_bytes += sizeof *result + q->filling->kept_bytes;
    if (q->filling->desc)
        q->earlier_bytes += (size_t)q->filling->desc->n_cols * sizeof(tusk_column);
    q->filling->next = result;
    q->filling = result;
    return result;
}

void tusk__query_drop_rows(tusk_query *q)
{
    const tusk_allocator *allocator = tusk__loop_allocator(q->loop);
    tusk__result *next = q->first.next;

    while (next) {
        tusk__result *result = next;

        next = result->next;
        tusk__result_free(result, allocator);
        allocator->free(result, allocator->user);
    }
    tusk__result_reset(&q->first, allocator);
    q->filling = q->present = &q->first;
    q->earlier_bytes = 0;
}

void tusk__query_drop_unfinished(tusk_query *q)
{
    if (q->streaming || ((q->kind == TUSK__QUERY_SCRIPT || q->batch) && q->filling->tag_len))
        return;
    if (q->rows_given && !q->on_row)
        tusk__result_cut(q->filling);
    else
        tusk__result_drop_rows(q->filling);
}

void tusk__query_spoil_rows(tusk_query *q)
{
    if (!q->rows_given || q->on_row)
        tusk__query_drop_rows(q);
    for (tusk__result *result = &q->first; result; result = result->next)
        tusk__result_cut(result);
}

/* ---- held requests ---- */

/* False: more than there can be. */
static bool held_size(tusk_str sql, tusk_params params, size_t *size)
{
    if (!tusk__size_mul(params.n, sizeof(tusk_value), size) || !tusk__size_add(*size, sql.len, size))
        return false;
    for (size_t i = 0; i < params.n; i++)
        if (!tusk__is_flat(params.values[i].kind) && !tusk__value_held_size(&params.values[i], size))
            return false;
    return true;
}

static uint8_t *held_room(tusk__held *held, const tusk_allocator *allocator, size_t size)
{
    uint8_t *memory;

    if (held->cap >= size && held->cap != HELD_SECRET)
        return held->memory;
    size = tusk__size_roomy(size);
    memory = allocator->malloc(size, allocator->user);
    if (!memory)
        return NULL;
    tusk__held_clear(held, allocator);
    held->memory = memory;
    held->cap = size;
    return memory;
}

static tusk_str held_bytes(uint8_t **at, tusk_str bytes)
{
    tusk_str copy = tusk_str_from(*at, bytes.len);

    if (bytes.len)
        memcpy(*at, bytes.ptr, bytes.len);
    *at += bytes.len;
    return copy;
}

tusk_code tusk__held_copy(tusk__held *held, const tusk_allocator *allocator, tusk_str sql, tusk_params params)
{
    tusk_value *values;
    uint8_t *at;
    size_t size;

    if (!held_size(sql, params, &size))
        return TUSK_ERR_LIMIT;
    at = held_room(held, allocator, size ? size : 1);
    values = (tusk_value *)(void *)at;
    if (!at)
        return TUSK_ERR_NOMEM;
    at += params.n * sizeof *values;
    for (size_t i = 0; i < params.n; i++) {
        values[i] = params.values[i];
        if (!tusk__is_flat(values[i].kind))
            tusk__value_hold(&values[i], &at);
    }
    held->size = size;
    held->params = (tusk_params){values, params.n};
    held->sql = held_bytes(&at, sql);
    if (tusk__sql_may_hold_secret(sql))
        held->cap = HELD_SECRET;
    return TUSK_OK;
}

void tusk__held_clear(tusk__held *held, const tusk_allocator *allocator)
{
    if (held->cap == HELD_SECRET)
        tusk__crypto_openssl()->wipe(held->memory, held->size);
    allocator->free(held->memory, allocator->user);
    *held = (tusk__held){0};
}

/* ---- what the caller asks ---- */

void tusk_query_free(tusk_query *q)
{
    if (!q || q->is_released)
        return;
    q->is_released = true;
    q->on_row = NULL;
    q->on_done = NULL;
    q->paused = 0;
    q->streaming = TUSK__STREAMS_NOT;
    if (q->is_done && q->stage == TUSK__STAGE_OUT && !q->pins && !q->in_callback) {
        tusk__query_recycle_if_unused(q); /* the way of nearly all: its rows go with it, and it holds nobody up */
        return;
    }
    if (!q->in_callback)
        tusk__query_drop_rows(q);
    if (!q->is_done && q->kind == TUSK__QUERY_MANY)
        tusk__many_stop(q); /* its pull may be gone with it */
    tusk__receive_review(q->conn);
    if (q->is_done)
        tusk__query_recycle_if_unused(q);
}

void tusk_query_keep(tusk_query *q)
{
    if (q)
        q->is_kept = true;
}

static void on_done_task(tusk__task *task)
{
    run_on_done((tusk_query *)((char *)task - offsetof(tusk_query, done_task)));
}

void tusk_query_on_done(tusk_query *q, tusk_done_fn on_done, void *user)
{
    if (!q || q->is_released)
        return;
    q->on_done = on_done;
    q->user = user;
    if (q->is_done && on_done)
        tusk__loop_defer(q->loop, &q->done_task, on_done_task);
}

bool tusk_query_is_done(const tusk_query *q)
{
    return !q || q->is_done;
}

tusk_code tusk_query_code(const tusk_query *q)
{
    if (!q)
        return TUSK_ERR_NOMEM;
    return q->is_done ? q->error.code : TUSK_AGAIN;
}

static const tusk_error no_error = {.fate = TUSK_FATE_ANSWERED, .column = -1, .item = -1};
static const tusk_error no_memory = {.code = TUSK_ERR_NOMEM,
                                     .fate = TUSK_FATE_NOT_SENT,
                                     .sqlstate = "53200",
                                     .column = -1,
                                     .item = -1,
                                     .message = "out of memory"};

const tusk_error *tusk_query_error(const tusk_query *q)
{
    if (!q)
        return &no_memory;
    return q->error.code == TUSK_OK ? &no_error : &q->error;
}

const tusk_error *tusk_query_value_error(const tusk_query *q)
{
    if (!q)
        return &no_memory;
    return q->value_error.code == TUSK_OK ? &no_error : &q->value_error;
}

void tusk__query_keep_value_error(tusk_query *q, const tusk_error *err)
{
    if (q->value_error.code == TUSK_OK)
        q->value_error = *err;
}

tusk_str tusk_query_error_field(const tusk_query *q, char field)
{
    if (!q || q->fields_len == 0)
        return (tusk_str){NULL, 0};
    return tusk__error_field(tusk_str_from(q->fields, q->fields_len), field);
}

tusk_conn *tusk_query_conn(const tusk_query *q)
{
    return q ? q->conn : NULL;
}

tusk_code tusk_query_pause(tusk_query *q)
{
    if (!q || !q->on_row || q->is_done)
        return TUSK_ERR_STATE;
    q->paused |= TUSK__PAUSED_ROWS;
    tusk__receive_review(q->conn);
    return TUSK_OK;
}

tusk_code tusk_query_resume(tusk_query *q)
{
    if (!q || !(q->paused & TUSK__PAUSED_ROWS))
        return TUSK_ERR_STATE;
    q->paused &= (uint8_t)~TUSK__PAUSED_ROWS;
    tusk__receive_review(q->conn);
    return TUSK_OK;
}

void tusk_rewind(tusk_query *q)
{
    if (!q)
        return;
    for (tusk__result *result = &q->first; result; result = result->next)
        tusk__result_rewind(result);
    q->present = &q->first;
}

size_t tusk_query_n_rows(const tusk_query *q)
{
    return q ? q->present->n_rows : 0;
}

int tusk_query_n_cols(const tusk_query *q)
{
    return q && q->present->desc ? q->present->desc->n_cols : 0;
}

const tusk_column *tusk_query_column(const tusk_query *q, int col)
{
    const tusk__desc *desc = q ? q->present->desc : NULL;

    return desc && col >= 0 && col < desc->n_cols ? &desc->cols[col] : NULL;
}

tusk__desc *tusk__row_desc(const tusk_row *row)
{
    for (const tusk__result *result = &row->query->first; result; result = result->next)
        if (result->desc && result->desc->cols == row->columns)
            return result->desc;
    return NULL;
}

const tusk_column *tusk__query_row_column(const tusk_query *q, int col)
{
    return tusk_query_column(q, col);
}

int tusk_query_column_index(const tusk_query *q, const char *name)
{
    for (int i = 0; i < tusk_query_n_cols(q); i++)
        if (tusk_str_is(q->present->desc->cols[i].name, name))
            return i;
    return -1;
}

tusk_str tusk_query_tag(const tusk_query *q)
{
    return q ? tusk_str_from(q->present->tag, q->present->tag_len) : (tusk_str){NULL, 0};
}

int64_t tusk_query_rows_affected(const tusk_query *q)
{
    if (q && q->kind == TUSK__QUERY_MANY && q->many && !q->many->item_results)
        return q->many->rows_affected;
    return tusk__command_tag_rows(tusk_query_tag(q));
}
