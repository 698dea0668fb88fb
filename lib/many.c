/* Execute-many: how a load is submitted, and how it ends before its time; what is asked of it.
 * What it writes, and when: many_send.c; what is answered: many_answer.c.
 * Read first: tusk/many.h, lib/many.h. */
#include "lib/many.h"

#include <inttypes.h>

#include "lib/command.h"
#include "lib/conn.h"
#include "lib/crypto.h"
#include "lib/sql.h"
#include "lib/transaction.h"
#include "proto/error_set.h"
#include "proto/size.h"

#define FLIGHT_BYTES (256 * 1024)

/* ---- life ---- */

void tusk__many_free(tusk_query *q)
{
    tusk__many *many = q->many;
    const tusk_allocator *allocator = many->allocator;
    struct tusk__many_error *next;

    tusk__task_cancel(&many->pump_task);
    tusk__writer_clear(&many->frame.bytes);
    for (struct tusk__many_error *kept = many->errors; kept; kept = next) {
        next = kept->next;
        allocator->free(kept, allocator->user);
    }
    if (tusk__sql_may_hold_secret(many->sql))
        tusk__crypto_openssl()->wipe(&many->marks[many->max_portions], many->sql.len);
    allocator->free(many, allocator->user);
    q->many = NULL;
}

static size_t portions_of(int64_t flight_bytes, size_t portion)
{
    int64_t n = flight_bytes / (int64_t)portion;

    return n < 2 ? 2 : n > TUSK__PORTIONS_MAX ? TUSK__PORTIONS_MAX : (size_t)n;
}

static size_t portion_of(int64_t flight_bytes)
{
    return flight_bytes / 2 < TUSK__PORTION_BYTES ? (size_t)(flight_bytes / 2) + 1 : TUSK__PORTION_BYTES;
}

static tusk__many *many_new(tusk_query *q, const tusk_many_request *request, tusk_str sql)
{
    const tusk_allocator *allocator = tusk__loop_allocator(q->loop);
    int64_t flight = request->flight_bytes > 0 ? request->flight_bytes : FLIGHT_BYTES;
    size_t n = portions_of(flight, portion_of(flight)), size;
    tusk__many *many;

    if (!tusk__size_add(sizeof *many + n * sizeof many->marks[0], sql.len, &size))
        return NULL;
    many = allocator->malloc(size, allocator->user);
    if (!many)
        return NULL;
    memset(many, 0, sizeof *many);
    many->allocator = allocator;
    many->q = q;
    many->pull = request->pull;
    many->on_item = request->on_item;
    many->user = request->user;
    many->mode = request->mode;
    many->item_results = request->item_results;
    many->is_of_handle = request->stmt != NULL;
    many->max_portion = portion_of(flight);
    many->max_portions = n;
    many->n_cols = -1;
    many->pull_error.column = -1;
    many->pull_error.item = -1;
    tusk__writer_init(&many->frame.bytes, allocator);
    many->sql = tusk_str_from(&many->marks[n], sql.len);
    if (sql.len)
        memcpy(&many->marks[n], sql.ptr, sql.len);
    return many;
}

/* ---- submitting ---- */

static const char *fault_of_text(const tusk_many_request *request, tusk_str sql)
{
    tusk__command command = tusk__command_of(sql);

    if (command == TUSK__COMMAND_EMPTY)
        return "there is no statement";
    if (command == TUSK__COMMAND_COPY)
        return "COPY cannot be run by execute-many";
    if (tusk__command_is_transaction_control(command))
        return "transaction control cannot be run by execute-many, which has its own";
    if (request->mode == TUSK_MANY_ATOMIC && (command == TUSK__COMMAND_ALONE || command == TUSK__COMMAND_CALL))
        return "the statement may commit by itself: TUSK_MANY_EACH runs it";
    return NULL;
}

/* Contradictions that can only be mistakes. */
static const char *fault_of(const tusk_conn *conn, const tusk_many_request *request, tusk_str sql)
{
    bool has_sql = request->sql || request->sql_str.ptr;

    if (!request->pull)
        return "there is no pull that could be asked for values";
    if (request->mode != TUSK_MANY_ATOMIC && request->mode != TUSK_MANY_EACH)
        return "there is no such mode";
    if (request->flight_bytes < 0)
        return "flight_bytes is negative";
    if (request->stmt && has_sql)
        return "sql and stmt are both given";
    if (!request->stmt && !has_sql)
        return "neither sql nor stmt is given";
    if (request->stmt && request->stmt->conn != conn)
        return "the prepared statement belongs to another connection";
    return fault_of_text(request, sql);
}

static void set_options(tusk_query *q, const tusk_many_request *request)
{
    q->text_results = request->text_results;
    q->cancelable = true; /* nothing is sent behind it */
    q->max_result_bytes = request->max_result_bytes ? request->max_result_bytes : TUSK__MAX_RESULT_BYTES;
    q->on_row = request->on_row;
    q->on_done = request->on_done;
    q->user = request->user;
    q->failed_at = TUSK__EXPECT_NOTHING;
    if (request->stmt)
        q->stmt = tusk__stmt_ref(request->stmt);
}

static tusk_str text_of(const tusk_many_request *request)
{
    if (request->stmt)
        return request->stmt->text;
    return request->sql_str.ptr ? request->sql_str : tusk_str_of(request->sql);
}

tusk_query *tusk_many_submit(tusk_conn *conn, const tusk_many_request *request)
{
    tusk_query *q = conn ? tusk__query_new(conn->loop, conn, TUSK__QUERY_MANY) : NULL;
    tusk_str sql = text_of(request);
    const char *fault;

    if (!q)
        return NULL;
    fault = fault_of(conn, request, sql);
    set_options(q, request);
    if (fault)
        tusk__query_failf(q, TUSK_ERR_USAGE, NULL, "%s", fault)->fate = TUSK_FATE_NOT_SENT;
    if (q->error.code == TUSK_OK)
        tusk__deadline_start(q, request->timeout);
    q->many = many_new(q, request, request->stmt ? (tusk_str){NULL, 0} : sql);
    if (!q->many)
        tusk__query_failf(q, TUSK_ERR_NOMEM, NULL, "out of memory for the load");
    if (q->error.code != TUSK_OK)
        q->error.fate = TUSK_FATE_NOT_SENT;
    tusk__sql_head(sql, q->sql, sizeof q->sql);
    tusk__request_submit(conn, q, (tusk_str){NULL, 0}, TUSK_NO_PARAMS);
    return q;
}

tusk_query *tusk_exec_many(tusk_conn *conn, const char *sql, tusk_pull_fn pull, void *user)
{
    return tusk_many_submit(conn, &(tusk_many_request){.sql = sql, .pull = pull, .user = user});
}

/* ---- what comes in between ---- */

static tusk__many *many_of(const tusk_query *q)
{
    return q && q->kind == TUSK__QUERY_MANY ? q->many : NULL;
}

void tusk__many_pump_soon(tusk_query *q)
{
    if (!q->many->is_ended)
        tusk__loop_defer(q->loop, &q->many->pump_task, tusk__many_pump);
}

void tusk__many_fail(tusk_query *q, const tusk_error *err)
{
    tusk__query_fail(q, err);
    q->many->has_failed = true;
    q->paused &= (uint8_t)~TUSK__PAUSED_PULL;
    tusk__many_pump_soon(q);
}

const uint8_t *tusk__many_item(const tusk__many *many, int64_t item)
{
    return item >= many->parse_from && item < many->parse_to ? many->form->parsed : many->form->item;
}

void tusk__many_place(const tusk_query *q, tusk_error *err, int64_t item)
{
    if (err->where[0])
        tusk__error_where(err, "item %" PRId64, item);
    else
        tusk__error_where(err, "item %" PRId64 " \"%s\"", item, q->sql);
    err->item = item;
}

void tusk__many_stop(tusk_query *q)
{
    tusk__many *many = q->many;

    if (!many)
        return;                                        /* it was refused, for want of memory */
    if (!many->form && q->stage == TUSK__STAGE_SENT) { /* what stands in front of it was, and it has written nothing */
        q->stage = TUSK__STAGE_ENCODED;
        if (!q->conn->to_send)
            q->conn->to_send = q;
    }
    many->has_failed = true;
    tusk__level_undone(q);
    q->paused &= (uint8_t)~TUSK__PAUSED_PULL;
    if (q->stage == TUSK__STAGE_SENT || q->stage == TUSK__STAGE_ENCODED)
        tusk__many_pump_soon(q);
}

void tusk__many_given_up(tusk_query *q)
{
    const tusk__many *many = q->many;

    if (!many || !many->form || !many->form->is_atomic || many->end == many->form->done ||
        q->error.code == TUSK_ERR_SERVER)
        return;
    q->error.fate = TUSK_FATE_ANSWERED;
    if (!many->form->is_inside)
        q->error.retry = TUSK_RETRY_REQUEST;
    if (!q->error.hint[0])
        tusk__error_hint(&q->error, tusk_str_of("Nothing of the load is kept: its end was not sent."));
}

bool tusk__many_is_idle(const tusk_query *q)
{
    return (q->paused & TUSK__PAUSED_PULL) && q->many->n_answered == q->many->n_pushed;
}

bool tusk__many_is_starved(const tusk_query *q)
{
    return tusk__many_is_idle(q) && tusk__loop_is_quiet_but(q->loop, &q->conn->io);
}

tusk_code tusk_many_resume(tusk_query *q)
{
    tusk__many *many = many_of(q);

    if (!many || q->is_done || q->is_released)
        return TUSK_ERR_STATE;
    many->is_resumed = many->in_pull;
    if (q->paused & TUSK__PAUSED_PULL) {
        q->paused &= (uint8_t)~TUSK__PAUSED_PULL;
        tusk__many_pump_soon(q);
    }
    return TUSK_OK;
}

/* ---- what is asked of it ---- */

int tusk__many_result_item(const tusk_query *q)
{
    return q->many && q->many->item_results && q->many->n_results > 0 ? (int)q->present->item : -1;
}

tusk_str tusk__many_text(const tusk_query *q)
{
    if (!q->many)
        return (tusk_str){NULL, 0};
    return q->many->is_of_handle && q->stmt ? q->stmt->text : q->many->sql;
}

int64_t tusk_many_n_items(const tusk_query *q)
{
    return many_of(q) ? q->many->n_pushed : 0;
}

int64_t tusk_many_n_answered(const tusk_query *q)
{
    return many_of(q) ? q->many->n_answered : 0;
}

int64_t tusk_many_n_failed(const tusk_query *q)
{
    return many_of(q) ? q->many->n_failed : 0;
}
