/* The portal of a cursor over a prepared statement, as messages. Of one that is only a text: encode.c.
 * Read first: lib/cursor.h, docs/internals/cursor.md. */
#include "lib/cursor.h"
#include "lib/formats.h"
#include "proto/error_set.h"

/* The text without a name: the portal goes on when that is another's. The handle stays what it is, and its next run sees to itself. */
static tusk_code encode_anew(tusk_conn *conn, tusk_query *q, const tusk__request *r)
{
    const tusk_stmt *stmt = q->stmt;
    tusk_str unnamed = {NULL, 0};

    q->kind = TUSK__QUERY_PORTAL;
    TUSK_TRY(tusk__check_sql(conn, q, stmt->text));
    tusk__formats_assume(conn, q);
    if (!q->assumed && !q->text_results && !stmt->is_stale)
        q->assumed = tusk__desc_ref(stmt->desc);
    tusk__parse_write(&conn->out, unnamed, stmt->text, stmt->types, stmt->n_params);
    tusk__describe_write(&conn->out, 'S', unnamed);
    TUSK_TRY(tusk__write_bind(conn, q, unnamed, r->params, stmt->types, q->assumed));
    tusk__sync_write(&conn->out);
    return TUSK_OK;
}

tusk_code tusk__portal_run_encode(tusk_conn *conn, tusk_query *q, const tusk__request *r)
{
    const tusk_stmt *stmt = q->stmt;

    TUSK_TRY(tusk__check_params(q, r));
    if (stmt->is_stale || conn->is_pooled)
        return encode_anew(conn, q, r);
    TUSK_TRY(tusk__write_bind(conn, q, tusk_str_of(stmt->name), r->params, stmt->types, stmt->desc));
    tusk__sync_write(&conn->out);
    return TUSK_OK;
}
