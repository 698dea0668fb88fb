/* Prepared statements: handles that outlive neither their connection's session nor a failed Parse.
 * The wire is encode.c's and answer.c's.
 * Read first: lib/stmt.h; DESIGN "Cached statements". */
#include "lib/stmt.h"

#include <stdio.h>

#include "lib/array.h"
#include "lib/codec/codec.h"
#include "lib/command.h"
#include "lib/conn.h"
#include "lib/crypto.h"
#include "lib/named.h"
#include "lib/sql.h"
#include "proto/error_set.h"

tusk_stmt *tusk__stmt_ref(tusk_stmt *stmt)
{
    stmt->refs++;
    return stmt;
}

static void unlink_from_conn(tusk_stmt *stmt)
{
    tusk_stmt **link = &stmt->conn->stmts;

    while (*link && *link != stmt)
        link = &(*link)->next;
    if (*link)
        *link = stmt->next;
}

static void wipe_text(const tusk_stmt *stmt)
{
    char *text = (char *)(stmt->given + stmt->n_given);

    tusk__crypto_openssl()->wipe(text, stmt->text.len);
}

void tusk__stmt_unref(tusk_stmt *stmt)
{
    if (--stmt->refs > 0)
        return;
    if (!stmt->is_cached) {
        tusk__loop_disown(&stmt->child);
        unlink_from_conn(stmt);
    }
    tusk__conn_unpin(stmt->conn);
    tusk__desc_unref(stmt->desc);
    tusk__writer_clear(&stmt->frame.bytes);
    stmt->allocator->free(stmt->types, stmt->allocator->user);
    stmt->allocator->free(stmt->error, stmt->allocator->user);
    if (tusk__sql_may_hold_secret(stmt->text))
        wipe_text(stmt);
    stmt->allocator->free(stmt, stmt->allocator->user);
}

/* ---- what the server answers ---- */

tusk_code tusk__stmt_set_params(tusk_stmt *stmt, const tusk__parameter_description *description)
{
    size_t n = description->n_params;
    uint32_t *types = tusk__array_new(stmt->allocator, n, sizeof *types);

    if (!types)
        return TUSK_ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        types[i] = tusk__be32((const uint8_t *)description->types.ptr + 4 * i);
    stmt->allocator->free(stmt->types, stmt->allocator->user);
    stmt->types = types;
    stmt->n_params = n;
    return TUSK_OK;
}

void tusk__stmt_set_formats(tusk_stmt *stmt, tusk__desc *desc)
{
    tusk__desc_unref(stmt->desc);
    stmt->desc = desc;
    tusk__writer_clear(&stmt->frame.bytes); /* the formats are in it */
}

/* One that wants more parameters than it was given could never be run as it was asked for. */
void tusk__stmt_first_described(tusk_stmt *stmt)
{
    if (!stmt->types || (stmt->is_cached && stmt->n_params != stmt->n_given))
        return;
    stmt->state = TUSK__STMT_READY;
    stmt->is_stale = false;
}

void tusk__stmt_first_failed(tusk_stmt *stmt, bool sent)
{
    if (stmt->state != TUSK__STMT_PREPARING)
        return;
    if (stmt->is_cached) {
        tusk__cache_drop(stmt, sent && stmt->is_parsed);
        return;
    }
    stmt->state = TUSK__STMT_READY;
    tusk__stmt_renew(stmt, sent && stmt->is_parsed);
}

/* They begin anywhere: behind a pooler that nobody has told us of, a name of another client's would be another statement, which runs
 * and answers. */
static uint64_t first_number(tusk_loop *loop)
{
    const tusk__os *os = tusk__loop_os(loop);
    uint64_t number = 0;

    if (os->random(os->ctx, &number, sizeof number) < 0)
        number = (uint64_t)tusk_loop_now_us(loop) << 16;
    return number >> 4 | 1;
}

uint64_t tusk__name_number(tusk_conn *conn)
{
    if (conn->stmt_number == 0)
        conn->stmt_number = first_number(conn->loop);
    return conn->stmt_number++;
}

static void new_name(tusk_stmt *stmt)
{
    (void)snprintf(stmt->name, sizeof stmt->name, "tusk_%llx", (unsigned long long)tusk__name_number(stmt->conn));
}

void tusk__stmt_renew(tusk_stmt *stmt, bool exists)
{
    if (stmt->is_cached) {
        tusk__cache_drop(stmt, exists);
        return;
    }
    if (exists)
        tusk__cache_drop_name(stmt->conn, stmt->name);
    new_name(stmt);
    tusk__writer_clear(&stmt->frame.bytes);
    stmt->is_parsed = false;
    stmt->is_stale = true;
}

/* By itself: it is larger than all the rest, and few ever have one. */
static void keep_error(tusk_stmt *stmt, const tusk_error *err)
{
    stmt->error = stmt->allocator->malloc(sizeof *stmt->error, stmt->allocator->user);
    if (stmt->error)
        *stmt->error = *err;
}

const tusk_error *tusk__stmt_error(const tusk_stmt *stmt)
{
    return stmt->error ? stmt->error : tusk_query_error(NULL); /* out of memory */
}

static void fail_waiter(const tusk_stmt *stmt, tusk_query *q)
{
    char text[sizeof q->sql];

    tusk__query_fail(q, tusk__stmt_error(stmt));
    tusk__sql_head(stmt->text, text, sizeof text);
    if (!q->error.where[0])
        tusk__error_where(&q->error, "prepare \"%s\"", text);
}

void tusk__stmt_finish(tusk_stmt *stmt, const tusk_error *err)
{
    tusk_query *q;

    stmt->state = err ? TUSK__STMT_FAILED : TUSK__STMT_READY;
    stmt->is_stale = false;
    if (err)
        keep_error(stmt, err);
    tusk__stmt_ref(stmt); /* a callback may free the handle */
    while ((q = stmt->waiters)) {
        stmt->waiters = q->next;
        q->next = NULL;
        if (err)
            fail_waiter(stmt, q);
        tusk__query_complete(q);
    }
    tusk__stmt_unref(stmt);
}

/* ---- the caller's side ---- */

/* tusk_loop_free(): the handle goes with the loop. */
static void on_loop_free(tusk__child *child)
{
    tusk_stmt *stmt = (tusk_stmt *)(void *)((char *)child - offsetof(tusk_stmt, child));

    if (!stmt->is_released) {
        stmt->is_released = true;
        tusk__stmt_unref(stmt);
    }
}

/* The struct, the types that are given, and the text. */
static tusk_stmt *stmt_alloc(const tusk_allocator *allocator, tusk_str sql, size_t n_given)
{
    tusk_stmt *stmt;
    size_t size;

    if (!tusk__size_mul(n_given, sizeof *stmt->given, &size) || !tusk__size_add(size, sizeof *stmt, &size) ||
        !tusk__size_add(size, sql.len, &size))
        return NULL;
    stmt = allocator->malloc(size, allocator->user);
    if (!stmt)
        return NULL;
    memset(stmt, 0, sizeof *stmt);
    stmt->given = (uint32_t *)(void *)(stmt + 1);
    stmt->n_given = n_given;
    stmt->text = tusk_str_from(stmt->given + n_given, sql.len);
    if (sql.len > 0)
        memcpy(stmt->given + n_given, sql.ptr, sql.len);
    return stmt;
}

tusk_stmt *tusk__stmt_new(tusk_conn *conn, tusk_str sql, size_t n_given)
{
    const tusk_allocator *allocator = conn->allocator;
    tusk_stmt *stmt = stmt_alloc(allocator, sql, n_given);
    tusk__command command = tusk__command_of(sql);

    if (!stmt)
        return NULL;
    stmt->refs = 1;
    stmt->allocator = allocator;
    tusk__writer_init(&stmt->frame.bytes, allocator);
    stmt->conn = conn;
    tusk__conn_pin(conn);
    stmt->is_copy = command == TUSK__COMMAND_COPY;
    stmt->ends = (uint8_t)tusk__command_ends(command);
    stmt->changes_status = tusk__command_changes_status(command);
    new_name(stmt);
    return stmt;
}

/* As the last one, for a handle of the caller's. */
static tusk_stmt *handle_new(tusk_conn *conn, tusk_str sql, const uint32_t *types, size_t n)
{
    tusk_stmt *stmt = tusk__stmt_new(conn, sql, n);

    if (!stmt)
        return NULL;
    if (n)
        memcpy(stmt->given, types, n * sizeof *types);
    stmt->next = conn->stmts;
    conn->stmts = stmt;
    tusk__loop_adopt_last(conn->loop, &stmt->child, on_loop_free);
    return stmt;
}

tusk_stmt *tusk_prepare(tusk_conn *conn, const char *sql, const uint32_t *types, size_t n_types)
{
    size_t n = types && n_types <= TUSK__PARAMS_MAX ? n_types : 0;
    tusk_stmt *stmt = conn ? handle_new(conn, tusk_str_of(sql), types, n) : NULL;
    tusk_query *q = stmt ? tusk__query_new(conn->loop, conn, TUSK__QUERY_PREPARE) : NULL;

    if (!q) {
        if (stmt)
            tusk__stmt_unref(stmt);
        return NULL;
    }
    if (!sql)
        tusk__query_failf(q, TUSK_ERR_USAGE, NULL, "there is no sql to prepare")->fate = TUSK_FATE_NOT_SENT;
    if (types && n_types > TUSK__PARAMS_MAX)
        tusk__query_failf(q, TUSK_ERR_LIMIT, NULL, "%zu parameters, but a statement takes at most %d", n_types,
                          TUSK__PARAMS_MAX)
            ->fate = TUSK_FATE_NOT_SENT;
    q->stmt = tusk__stmt_ref(stmt);
    q->is_released = true; /* it is ours: the caller asks tusk_stmt_ready() */
    tusk__request_submit(conn, q, tusk_str_of(sql), TUSK_NO_PARAMS);
    return stmt;
}

tusk_stmt *tusk__stmt_describe(tusk_conn *conn, tusk_str sql, const uint32_t *types, size_t n, const tusk_query *run)
{
    tusk_stmt *stmt = handle_new(conn, sql, types, n);
    tusk_query *q = stmt ? tusk__query_new(conn->loop, conn, TUSK__QUERY_PREPARE) : NULL;

    if (!q) {
        if (stmt)
            tusk__stmt_unref(stmt);
        return NULL;
    }
    q->stmt = tusk__stmt_ref(stmt);
    q->hash = run->hash;
    q->named = run->named ? tusk__named_ref(run->named) : NULL;
    q->is_released = true;
    tusk__request_submit(conn, q, sql, TUSK_NO_PARAMS);
    return stmt;
}

tusk_query *tusk_stmt_ready(tusk_stmt *stmt)
{
    tusk_query *q = stmt ? tusk__query_new(stmt->conn->loop, stmt->conn, TUSK__QUERY_WAIT) : NULL, **link;

    if (!q)
        return NULL;
    link = &stmt->waiters;
    if (stmt->state == TUSK__STMT_PREPARING) {
        while (*link)
            link = &(*link)->next;
        tusk__deadline_start(q, 0);
        *link = q;
        return q;
    }
    if (stmt->state == TUSK__STMT_FAILED)
        fail_waiter(stmt, q);
    else if (stmt->state != TUSK__STMT_READY || stmt->is_closing)
        tusk__query_failf(q, TUSK_ERR_STATE, NULL, "the prepared statement is closed")->fate = TUSK_FATE_NOT_SENT;
    tusk__query_complete_soon(q);
    return q;
}

tusk_query *tusk_stmt_close(tusk_stmt *stmt)
{
    tusk_query *q = stmt ? tusk__query_new(stmt->conn->loop, stmt->conn, TUSK__QUERY_CLOSE) : NULL;

    if (!q)
        return NULL;
    if (stmt->is_closing || stmt->state > TUSK__STMT_READY) {
        tusk__query_complete_soon(q); /* nothing is there to be closed */
        return q;
    }
    q->stmt = tusk__stmt_ref(stmt);
    tusk__request_submit(stmt->conn, q, (tusk_str){NULL, 0}, TUSK_NO_PARAMS);
    stmt->is_closing = true;
    return q;
}

void tusk_stmt_free(tusk_stmt *stmt)
{
    if (!stmt || stmt->is_released)
        return;
    stmt->is_released = true;
    if (!stmt->is_closing && stmt->state <= TUSK__STMT_READY && stmt->conn->phase < TUSK__PHASE_CLOSING)
        tusk_query_free(tusk_stmt_close(stmt));
    tusk__stmt_unref(stmt);
}

int tusk_stmt_n_params(const tusk_stmt *stmt)
{
    return stmt->state == TUSK__STMT_READY ? (int)stmt->n_params : 0;
}

uint32_t tusk_stmt_param_type(const tusk_stmt *stmt, int param)
{
    return param >= 0 && param < tusk_stmt_n_params(stmt) ? stmt->types[param] : 0;
}

int tusk_stmt_n_cols(const tusk_stmt *stmt)
{
    return stmt->desc ? stmt->desc->n_cols : 0;
}

const tusk_column *tusk_stmt_column(const tusk_stmt *stmt, int col)
{
    return col >= 0 && col < tusk_stmt_n_cols(stmt) ? &stmt->desc->cols[col] : NULL;
}
