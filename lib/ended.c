/* What tusk_begin() began is ended by text: over, or, where AND CHAIN or a script begins another transaction at once, going on in that.
 * Ends that tusk_commit() and tusk_rollback() make are transaction.c's.
 * Read first: lib/transaction.h, docs/internals/units.md "Levels". */
#include "lib/command.h"
#include "lib/conn.h"
#include "lib/script.h"
#include "lib/transaction.h"
#include "proto/error_set.h"

static bool is_tagged(const tusk__result *result, const char *tag)
{
    return tusk_str_is(tusk_str_from(result->tag, result->tag_len), tag);
}

/* ---- scripts: by the first statement that ends a transaction, and by its tag ---- */

static bool is_end(tusk_str statement)
{
    tusk__command command = tusk__command_of(statement);

    return tusk__command_changes_status(command) && command != TUSK__COMMAND_BEGIN;
}

uint32_t tusk__script_n_to_end(tusk_str sql)
{
    tusk__tokens script = tusk__tokens_of(sql);
    tusk_str statement;

    for (uint32_t n = 1; tusk__script_next(&script, &statement, NULL) == TUSK_OK; n++)
        if (is_end(statement))
            return n;
    return 0;
}

void tusk__script_statement_over(tusk_query *q, tusk_str tag)
{
    if (--q->n_to_end == 0)
        q->ended = tusk_str_is(tag, "ROLLBACK") ? TUSK__LEVEL_UNDONE : TUSK__LEVEL_KEPT;
}

/* ---- levels ---- */

/* Is what stood open before undone, and not kept? */
static bool is_undone(const tusk_query *q)
{
    if (q->kind == TUSK__QUERY_SCRIPT && q->ended)
        return q->ended == TUSK__LEVEL_UNDONE;
    return is_tagged(&q->first, "ROLLBACK") || q->ends == TUSK__ENDS_PERHAPS || q->error.code == TUSK_ERR_SERVER;
}

/* The reason goes before whatever failed in it. */
static void end_level(tusk_query *q, tusk__level *level, const tusk_error *why)
{
    level->is_failed = level->is_over = true;
    level->ended = is_undone(q) ? TUSK__LEVEL_UNDONE : TUSK__LEVEL_KEPT;
    q->conn->allocator->free(level->cause, q->conn->allocator->user);
    level->cause = NULL;
    tusk__level_keep_cause(q->conn, level, why, false);
}

static void say_ended(const tusk_query *q, tusk_error *why)
{
    tusk_error end = {.code = TUSK_ERR_STATE};

    tusk__error_none(why);
    tusk__query_add_where(q, &end);
    (void)tusk__error_set(why, TUSK_ERR_STATE, "25P01", "it was ended by %s", end.where);
}

static bool has_chained(const tusk_query *q)
{
    return q->kind == TUSK__QUERY_SCRIPT ? q->ended != 0 : q->error.code == TUSK_OK;
}

/* What failed in it was undone with it. */
static void forget_cause(const tusk_query *q, tusk__level *level)
{
    if (!is_undone(q) || level->is_spoiled || level->inner_spoiled)
        return;
    q->conn->allocator->free(level->cause, q->conn->allocator->user);
    level->cause = NULL;
    level->cause_is_inner = false;
}

/* All is over, as nothing is open any more; or what had a savepoint is, and the block goes on in the transaction that is open now. */
void tusk__level_ended_by(tusk_query *q)
{
    bool is_open = q->conn->session.tx_status != 'I';
    tusk_error why;

    if (is_open && !has_chained(q))
        return;
    say_ended(q, &why);
    for (tusk__level *level = q->level; level; level = level->parent)
        if (!is_open || level->form == TUSK__LEVEL_SAVEPOINT)
            end_level(q, level, &why);
        else
            forget_cause(q, level);
}
