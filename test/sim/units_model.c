/* What its callers know of transactions and inserts, and, at the end of a run, that held against the server's ledger.
 * Read first: test/sim/units.h. */
#include "test/sim/units.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>

#include "test/sim/seeds.h"

bool units_is_logging;

void units_say(const run *r, const char *fmt, ...)
{
    va_list args;

    if (!units_is_logging)
        return;
    va_start(args, fmt);
    fprintf(stderr, "%10.6f ", (double)sim_now(r->world) / 1e6);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
}

void units_must(const run *r, bool is_true, const char *fmt, ...)
{
    va_list args;

    if (is_true)
        return;
    va_start(args, fmt);
    sim_fail(r->world, r->seed, fmt, args);
    va_end(args);
}

uint32_t units_any(run *r, uint32_t n)
{
    return (uint32_t)sim_random(r->world, n);
}

bool units_chance(run *r, int permille)
{
    return sim_chance(r->world, permille);
}

/* ---- transactions as the caller sees them ---- */

int units_depth(const line *l)
{
    int depth = 0;

    for (const level *lv = l->level; lv; lv = lv->parent)
        depth++;
    return depth;
}

int units_depth_begun(const line *l)
{
    int depth = 0;

    for (const level *lv = l->level; lv; lv = lv->parent)
        depth += lv->text == T_NONE;
    return depth;
}

bool units_is_sure(const level *lv)
{
    while (lv && lv->text != T_ASKED && lv->text != T_VOID)
        lv = lv->parent;
    return !lv;
}

level *units_push_level(line *l)
{
    run *r = l->run;
    level *made = &r->levels[r->n_levels++];

    units_must(r, r->n_levels < MAX_LEVELS, "too many transactions");
    *made = (level){.parent = l->level};
    return l->level = made;
}

level *units_pop_level(line *l)
{
    level *ended = l->level;

    l->level = ended->parent;
    return ended;
}

/* Of all that is around: undone wins, then what nobody knows. One that was never ended is undone. */
static verdict verdict_of(const level *lv)
{
    verdict all = V_KEPT;

    for (; lv; lv = lv->parent) {
        if (lv->text == T_VOID || lv->verdict == V_KEPT)
            continue;
        if (lv->verdict != V_UNSURE && lv->text != T_ASKED)
            return V_UNDONE;
        all = V_UNSURE;
    }
    return all;
}

static level *root_of(level *lv)
{
    while (lv->parent)
        lv = lv->parent;
    return lv;
}

static bool is_certain_up_to_root(const level *lv)
{
    while (lv->parent && lv->verdict == V_KEPT)
        lv = lv->parent;
    return !lv->parent;
}

verdict units_verdict_by(const tusk_error *err)
{
    if (err->code == TUSK_OK)
        return V_KEPT;
    return err->fate == TUSK_FATE_UNKNOWN ? V_UNSURE : V_UNDONE;
}

void units_note_write(run *r, uint32_t token, level *lv, verdict own, uint32_t group)
{
    units_must(r, r->n_writes < MAX_WRITES, "too many inserts");
    r->writes[r->n_writes++] = (write){token, lv, own, group};
}

/* ---- the ledger: what was told, and what is ---- */

static void check_whole(const run *r, int *before, bool is_applied, uint32_t token)
{
    int now = is_applied ? 1 : 2;

    units_must(r, *before == 0 || *before == now, "insert %u: only a part of what is whole was kept", token);
    *before = now;
}

void units_check_writes(run *r)
{
    for (const write *w = r->writes; w < r->writes + r->n_writes; w++) {
        const pg_fact *fact = pg_fact_of(r->server, w->token);
        bool is_applied = fact->is_applied;
        verdict around = verdict_of(w->level);

        units_must(r, fact->n_run <= (fact->owns_tx ? 2 : 1), "insert %u was run twice", w->token);
        units_must(r, !is_applied || (w->own != V_UNDONE && around != V_UNDONE),
                   "insert %u is there, and was told to be undone", w->token);
        units_must(r, is_applied || w->own != V_KEPT || around != V_KEPT,
                   "insert %u is not there, and was told to be kept", w->token);
        if (w->group && w->own != V_UNDONE && around != V_UNDONE)
            check_whole(r, &r->group_seen[w->group], is_applied, w->token);
        if (w->level && w->own == V_KEPT && around == V_UNSURE && units_is_sure(w->level) &&
            is_certain_up_to_root(w->level))
            check_whole(r, &root_of(w->level)->seen, is_applied, w->token);
    }
}

/* A transaction that was told as kept has nothing in it that failed. */
void units_check_commits(const run *r)
{
    for (const ask *a = r->asks; a < r->asks + r->n_asks; a++) {
        units_must(r, a->is_over || r->is_ending, "%s %u never ends", units_kind_names[a->kind], a->part.token);
        units_must(r, !a->has_failed || !a->level || !units_is_sure(a->level) || verdict_of(a->level) != V_KEPT,
                   "a transaction was told as kept, though %d (%s %u) in it failed", (int)(a - r->asks),
                   units_kind_names[a->kind], a->part.token);
    }
}
