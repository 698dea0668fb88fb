/* Prepared statements: handles that outlive neither their connection's session nor a failed Parse.
 * The wire is encode.c's and answer.c's.
 * Read first: lib/stmt.h; DESIGN "Cached statements". */
#include "lib/stmt.h"

#include <stdio.h>

#include "lib/array.h"
#include "lib/codec/codec.h"
#include "lib/command.h"
#include "lib/conn.h"
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

    while (*link != stmt)
        link = &(*link)->next;
    *link = stmt->next;
    tusk__conn_unpin(stmt->conn);
}

void tusk__stmt_unref(tusk_stmt *stmt)
{
    if (--stmt->refs > 0)
        return;
    tusk__loop_disown(&stmt->child);
    unlink_from_conn(stmt);
    tusk__desc_unref(stmt->desc);
    tusk__writer_clear(&stmt->frame);
    stmt->allocator->free(stmt->types, stmt->allocator->user);
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

void tusk__stmt_set_desc(tusk_stmt *stmt, tusk__desc *desc)
{
    tusk__desc_set_formats(desc, TUSK__FORMATS_KNOWN);
    for (int i = 0; i < desc->n_cols; i++)
        stmt->formats_unproven |= desc->cols[i].format == 1 && !tusk__type_name(desc->cols[i].type);
    tusk__desc_unref(stmt->desc);
    stmt->desc = desc;
}

/* In a copy: results that are still there look at the old description. */
void tusk__stmt_learn_formats(tusk_stmt *stmt)
{
    tusk__desc *desc = stmt->desc ? tusk__desc_copy(stmt->desc) : NULL;

    if (!desc)
        return; /* learned the next time */
    tusk__desc_set_formats(desc, TUSK__FORMATS_REFUSED);
    tusk__desc_unref(stmt->desc);
    stmt->desc = desc;
    tusk__writer_clear(&stmt->frame); /* the formats are in it */
    stmt->formats_unproven = false;
}

void tusk__stmt_finish(tusk_stmt *stmt, const tusk_error *err)
{
    tusk_query *q;

    stmt->state = err ? TUSK__STMT_FAILED : TUSK__STMT_READY;
    if (err)
        stmt->error = *err;
    tusk__stmt_ref(stmt); /* a callback may free the handle */
    while ((q = stmt->waiters)) {
        stmt->waiters = q->next;
        q->next = NULL;
        if (err)
            tusk__query_fail(q, err);
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

static tusk_stmt *stmt_new(tusk_conn *conn, const char *sql, const uint32_t *types, size_t n)
{
    const tusk_allocator *allocator = conn->allocator;
    tusk_stmt *stmt = allocator->malloc(sizeof *stmt, allocator->user);
    tusk__command command = tusk__command_of(tusk_str_of(sql));

    if (!stmt)
        return NULL;
    memset(stmt, 0, sizeof *stmt);
    stmt->refs = 1;
    stmt->allocator = allocator;
    tusk__writer_init(&stmt->frame, allocator);
    stmt->conn = conn;
    tusk__conn_pin(conn);
    stmt->next = conn->stmts;
    conn->stmts = stmt;
    tusk__loop_adopt(conn->loop, &stmt->child, on_loop_free);
    stmt->types = tusk__array_new(allocator, n, sizeof *types);
    if (!stmt->types) {
        tusk__stmt_unref(stmt);
        return NULL;
    }
    if (n)
        memcpy(stmt->types, types, n * sizeof *types);
    stmt->n_params = n;
    stmt->is_copy = command == TUSK__COMMAND_COPY;
    stmt->is_commit = tusk__command_is_commit(command);
    stmt->changes_status = tusk__command_changes_status(command);
    (void)snprintf(stmt->name, sizeof stmt->name, "tusk_%llu", (unsigned long long)++conn->stmt_number);
    tusk__sql_head(tusk_str_of(sql), stmt->sql, sizeof stmt->sql);
    return stmt;
}

tusk_stmt *tusk_prepare(tusk_conn *conn, const char *sql, const uint32_t *types, size_t n_types)
{
    size_t n = types && n_types <= TUSK__PARAMS_MAX ? n_types : 0;
    tusk_stmt *stmt = conn ? stmt_new(conn, sql ? sql : "", types, n) : NULL;
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

tusk_query *tusk_stmt_ready(tusk_stmt *stmt)
{
    tusk_query *q = stmt ? tusk__query_new(stmt->conn->loop, stmt->conn, TUSK__QUERY_WAIT) : NULL, **link;

    if (!q)
        return NULL;
    link = &stmt->waiters;
    if (stmt->state == TUSK__STMT_PREPARING) {
        while (*link)
            link = &(*link)->next;
        *link = q;
        return q;
    }
    if (stmt->state == TUSK__STMT_FAILED)
        tusk__query_fail(q, &stmt->error);
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
