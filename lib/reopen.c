/* An end that was never sent: the transaction goes on, and counts as open again.
 * What becomes of an end that was sent is transaction.c's.
 * Read first: lib/transaction.h, docs/internals/units.md "Ends that were never sent". */
#include "lib/conn.h"
#include "lib/transaction.h"
#include "proto/error_set.h"

/* Prepare and Close are the same inside and outside. */
static bool is_of_transaction(const tusk_query *q)
{
    return q->kind != TUSK__QUERY_PREPARE && q->kind != TUSK__QUERY_CLOSE && q->kind != TUSK__QUERY_CLOSE_PORTAL;
}

static void say_not_run(tusk_query *q, const tusk_error *why)
{
    tusk__query_failf(q, why->code, why->sqlstate,
                      "not run: the end of the transaction in front of it was not sent: %s", why->message);
    q->error.fate = TUSK_FATE_NOT_SENT;
}

static void forget_end(tusk__level *level)
{
    level->end = NULL;
    level->ended = TUSK__LEVEL_OPEN;
}

static void refuse(tusk_conn *conn, tusk_query *q, const tusk_error *why)
{
    tusk__request_refuse(conn, q);
    if (q->level && tusk__level_has_failed(q->level)) {
        tusk__level_refuse(q);
        return;
    }
    say_not_run(q, why);
    if (!q->level)
        return;
    if (tusk__is_end(q))
        forget_end(q->level);
    else
        tusk__level_not_run(conn, q);
}

/* It was submitted for what comes after the transaction: in it, it would be kept or undone against its caller's back. */
static void refuse_behind(tusk_conn *conn, const tusk_query *end)
{
    for (tusk_query *q = end->next; q; q = q->next)
        if (q->stage != TUSK__STAGE_REFUSED && is_of_transaction(q))
            refuse(conn, q, &end->error);
}

/* Is that one level itself, or around it? */
static bool holds(const tusk__level *outer, const tusk__level *level)
{
    while (level && level != outer)
        level = level->parent;
    return level != NULL;
}

/* Under those that were begun behind its end, and have failed with that. */
static void put_back(tusk_conn *conn, tusk__level *level)
{
    tusk__level **link = &conn->level, *outer;

    while (*link && !holds(*link, level)) {
        (*link)->is_behind = true;
        link = &(*link)->parent;
    }
    outer = *link;
    *link = tusk__level_ref(level);
    tusk__level_unref(conn, outer);
}

void tusk__level_reopen(tusk_conn *conn, tusk_query *end)
{
    if (conn->phase >= TUSK__PHASE_CLOSING)
        return; /* it ends with the connection */
    forget_end(end->level);
    refuse_behind(conn, end);
    put_back(conn, end->level);
}
