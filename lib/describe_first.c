/* What is not known is prepared and run by a handle of our own, which is closed behind it; by then its columns are known, and the next time
 * it goes the usual way.
 * Read first: lib/describe_first.h. */
#include "lib/describe_first.h"

#include "lib/array.h"
#include "lib/codecs.h"
#include "lib/command.h"
#include "lib/formats.h"
#include "lib/known.h"
#include "lib/objects.h"
#include "proto/error_set.h"

bool tusk__describes_first(const tusk_conn *conn, const tusk_query *q, tusk_str sql)
{
    return q->kind == TUSK__QUERY_EXEC && q->error.code == TUSK_OK && !q->text_results &&
           conn->phase <= TUSK__PHASE_READY && tusk__codecs_want_any_text(conn) && !tusk__command_may_alter(sql);
}

static bool is_known(tusk_conn *conn, uint64_t hash, tusk_str sql, tusk_params params)
{
    const tusk_stmt *stmt;

    if (conn->phase != TUSK__PHASE_READY || tusk__codecs_may_want_more_text(conn))
        return false; /* nor is where it will be, or what is asked for there */
    stmt = conn->cache ? tusk__cache_find(conn, hash, sql, params) : NULL;
    return (stmt && stmt->state == TUSK__STMT_READY) || tusk__known_find(conn->loop, tusk__known_key(conn, hash));
}

static tusk_stmt *describe(tusk_conn *conn, tusk_str sql, tusk_params params, const tusk_query *run)
{
    uint32_t *types = tusk__array_new(conn->allocator, params.n, sizeof *types);
    tusk_stmt *stmt;

    if (!types)
        return NULL;
    for (size_t i = 0; i < params.n; i++)
        types[i] = params.values[i].type;
    stmt = tusk__stmt_describe(conn, sql, types, params.n, run);
    conn->allocator->free(types, conn->allocator->user);
    return stmt;
}

void tusk__describe_first(tusk_conn *conn, tusk_query *q, tusk_str sql, tusk_params params)
{
    tusk_stmt *stmt = NULL;

    if (params.n <= TUSK__PARAMS_MAX && tusk__has_objects(params) && tusk__objects_hold(q, sql, params) == TUSK_OK)
        params = q->held.params;
    q->hash = tusk__cache_hash(sql, params);
    if (q->error.code == TUSK_OK && params.n <= TUSK__PARAMS_MAX && !is_known(conn, q->hash, sql, params)) {
        stmt = describe(conn, sql, params, q);
        if (!stmt)
            tusk__query_failf(q, TUSK_ERR_NOMEM, NULL, "out of memory for the request")->fate = TUSK_FATE_NOT_SENT;
    }
    if (!stmt) {
        tusk__request_submit(conn, q, sql, params);
        return;
    }
    q->stmt = tusk__stmt_ref(stmt);
    q->kind = TUSK__QUERY_RUN;
    tusk__request_submit(conn, q, (tusk_str){NULL, 0}, params);
    tusk_stmt_free(stmt);
}
