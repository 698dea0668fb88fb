/* Units: requests that share one Sync, so that the first error ends all that is behind it. Each one is written with a Sync; who joins
 * it takes that away, so the out buffer can be sent at any time.
 * Which requests do so, only the transactions decide; what the messages mean is answer.c's.
 * Read first: lib/transaction.h, docs/internals/units.md. */
#include "lib/command.h"
#include "lib/conn.h"
#include "lib/stack.h"
#include "lib/transaction.h"
#include "proto/error_set.h"

#define SYNC_LEN 5

static bool is_within(const tusk__level *level, const tusk__level *outer)
{
    while (level && level != outer)
        level = level->parent;
    return level != NULL;
}

/* Is a BEGIN in front of q on its way, with no ReadyForQuery behind it yet? */
static bool is_opening(const tusk_conn *conn, const tusk_query *q)
{
    return conn->opening && is_within(q->level, conn->opening);
}

static bool is_of_portal(const tusk_query *q)
{
    return tusk__query_opens_portal(q) || q->kind == TUSK__QUERY_FETCH;
}

/* Only plain statements: not what may pause, what ends the transaction, and what has a Sync of its own for other reasons. */
static bool may_share(const tusk_query *q, tusk_str sql)
{
    tusk__command command;

    if (tusk__query_is_barrier(q))
        return false;
    if (is_of_portal(q))
        return true; /* what it runs was looked at when the cursor was opened */
    if (q->kind == TUSK__QUERY_RUN)
        return !q->stmt->is_copy && !q->stmt->changes_status;
    if (q->kind != TUSK__QUERY_EXEC)
        return false;
    command = tusk__command_of(sql);
    return command != TUSK__COMMAND_COPY && !tusk__command_is_transaction_control(command);
}

/* Not a byte of the unit was tried yet, and nothing else is behind it. */
static bool is_open(const tusk_conn *conn)
{
    return conn->wire_last && conn->wire_last->in_unit && conn->wire_last->stage == TUSK__STAGE_ENCODED;
}

/* Is something on its way that may end q's transaction by text? Behind that q would be run in autocommit. */
static bool is_ending(const tusk_conn *conn, const tusk_query *q)
{
    const tusk_query *last = conn->status_last;

    return q->level && last && last->level && last->ends != TUSK__ENDS_NOTHING && last->kind < TUSK__QUERY_BEGIN;
}

bool tusk__unit_may_go(const tusk_conn *conn, const tusk_query *q, tusk_str sql)
{
    if (q->kind == TUSK__QUERY_LOOKUP)
        return !conn->wire_last;
    if (is_ending(conn, q))
        return false;
    if (tusk__query_needs_status(q))
        return !conn->status_last && !conn->opening &&
               !(q->kind == TUSK__QUERY_STACK && q->batch && tusk__batch_is_pending(q->batch));
    if (!is_opening(conn, q) || q->kind == TUSK__QUERY_COMMIT || q->kind == TUSK__QUERY_ROLLBACK)
        return true;
    return is_open(conn) && may_share(q, sql);
}

size_t tusk__unit_join(tusk_conn *conn, tusk_query *q, size_t len)
{
    tusk_query *before = conn->wire_last;
    uint8_t *at = conn->out.buf + len;

    if (!is_opening(conn, q) || !is_open(conn) || (q->kind > TUSK__QUERY_RUN && !is_of_portal(q)))
        return len;
    memmove(at - SYNC_LEN, at, conn->out.len - len);
    conn->out.len -= SYNC_LEN;
    before->out_end -= SYNC_LEN;
    before->shares_sync = true;
    conn->n_reserved--;
    q->in_unit = true;
    return len - SYNC_LEN;
}

/* The one whose Sync q's is, too. */
static tusk_query *sharing_before(const tusk_query *q)
{
    tusk_query *before = q->prev;

    while (before && before->stage == TUSK__STAGE_REFUSED)
        before = before->prev;
    return before && before->stage == TUSK__STAGE_ENCODED && before->shares_sync ? before : NULL;
}

size_t tusk__unit_part(tusk_conn *conn, tusk_query *q)
{
    tusk_query *before = q->shares_sync || !q->in_unit ? NULL : sharing_before(q);

    if (!before)
        return 0;
    before->shares_sync = false;
    before->out_end += SYNC_LEN;
    conn->n_reserved++;
    return SYNC_LEN;
}

/* ---- answers ---- */

static tusk_query *follower(tusk_query *q)
{
    return tusk__queue_next(q->next, TUSK__STAGE_SENT);
}

tusk_query *tusk__unit_last(tusk_query *q)
{
    while (q->shares_sync && follower(q))
        q = follower(q);
    return q;
}

static void not_run(tusk_query *q, const tusk_error *why)
{
    if (q->error.code != TUSK_OK)
        return;
    tusk__query_failf(q, TUSK_ERR_SERVER, "25P02", "not run: %s failed before it in the same unit",
                      why->where[0] ? why->where : "a request");
    q->error.fate = TUSK_FATE_ANSWERED;
    tusk__error_detail(&q->error, tusk_str_of(why->message));
}

size_t tusk__unit_not_run(tusk_query *q)
{
    const tusk_query *last = tusk__unit_last(q);
    tusk_error why = q->error;
    size_t n = 0;

    tusk__query_add_where(q, &why);
    for (tusk_query *next = q; next != last; n++) {
        next = follower(next);
        not_run(next, &why);
    }
    return n;
}

void tusk__unit_ready(tusk_conn *conn)
{
    tusk__level *level = conn->opening;

    if (!level->has_begun && !level->is_failed)
        return; /* of what was in front of it */
    conn->opening = NULL;
    tusk__level_unref(conn, level);
}
