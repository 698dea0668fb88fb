/* What has happened over all seeds, and what must have.
 * Read first: test/sim/units.h. */
#include <check.h>
#include <stdio.h>

#include "test/sim/units.h"

const char *const units_kind_names[N_KINDS] = {
    "row",     "rows",    "echo",   "nobin",   "sleep",    "error",  "path",      "insert",   "discard",
    "begin #", "begin",   "commit", "nested",  "rollback", "atomic", "atomic/in", "continue", "continue/in",
    "load",    "load/in", "each",   "each/in", "fetch",    "move",   "transact",  "drained",  "close"};

const char *const units_outcome_names[N_OUTCOMES] = {"ok",   "server",   "retry",   "canceled", "timeout",
                                                     "lost", "not sent", "unknown", "rolledb",  "state",
                                                     "full", "no conn",  "own",     "freed"};

size_t units_coverage[N_KINDS][N_OUTCOMES];
struct units_seen units_seen;
static pg_counts totals;

void units_add_counts(const pg_counts *counts)
{
    size_t *to = (size_t *)&totals;
    const size_t *from = (const size_t *)counts;

    for (size_t i = 0; i < sizeof totals / sizeof *to; i++)
        to[i] += from[i];
}

void units_print_coverage(void)
{
    printf("%-12s", "");
    for (int o = 0; o < N_OUTCOMES; o++)
        printf("%9s", units_outcome_names[o]);
    for (int k = 0; k < N_KINDS; k++) {
        printf("\n%-12s", units_kind_names[k]);
        for (int o = 0; o < N_OUTCOMES; o++)
            printf("%9zu", units_coverage[k][o]);
    }
    printf("\n%zu transactions kept, %zu undone, %zu unsure, %zu repeated, %zu blocking; %zu operations failed, %zu "
           "undone with their "
           "stack;\n%zu walks, %zu rows, %zu ended by an error; server: %zu runs of named statements, %zu losses, %zu "
           "alterations, "
           "%zu discards, %zu commits failed, %zu savepoints, %zu inserts undone to one, %zu cursors, %zu "
           "portals, %zu mishaps;\n%zu ends taken back, %zu given up on the wire, %zu begins by text, %zu of them in "
           "vain; %zu items, %zu failed, %zu for a lost statement, %zu pulls said not yet\n",
           units_seen.kept, units_seen.undone, units_seen.unsure, units_seen.again, units_seen.blocking,
           units_seen.failed_operations, units_seen.not_run_operations, units_seen.walks, units_seen.walked_rows,
           units_seen.refused_cursors, totals.runs_of_named, totals.losses, totals.alterations, totals.discards,
           totals.failures, totals.savepoints, totals.undone, totals.cursors, totals.portals, totals.mishaps,
           units_seen.taken_back, units_seen.given_up_ends, units_seen.texts, units_seen.void_texts, units_seen.items,
           units_seen.failed_items, units_seen.lost_items, units_seen.waits);
}

/* What must have happened over a couple of thousand seeds. */
static bool is_expected(kind k, outcome o)
{
    switch (o) {
    case O_OK:
        return k != K_ERROR;
    case O_SERVER:
        return k != K_DRAINED && k != K_CLOSE && k != K_ROLLBACK && k != K_TEXT_BEGIN && k != K_CONTINUE &&
               k != K_CONTINUE_INSIDE && k != K_EACH && k != K_EACH_INSIDE;
    case O_RETRY:
        return k == K_ROW || k == K_ROWS || k == K_ECHO || k == K_NOBIN || k == K_INSERT || k == K_LOAD || k == K_EACH;
    case O_CANCELED:
        return k < K_N_STATEMENTS || units_is_stack(k) || units_is_load(k) || (k >= K_TEXT_BEGIN && k <= K_ROLLBACK);
    case O_TIMEOUT:
        return k < K_N_STATEMENTS || units_is_stack(k) || units_is_load(k) || k == K_TEXT_BEGIN;
    case O_LOST:
        return k < K_N_STATEMENTS || units_is_stack(k) || units_is_load(k) || k == K_BEGIN || k == K_FETCH;
    case O_NOT_SENT:
        return k != K_CLOSE;
    case O_UNKNOWN:
        return k == K_COMMIT || k == K_ATOMIC || k == K_LOAD || k == K_TRANSACT;
    case O_ROLLED_BACK:
        return k == K_COMMIT || k == K_NESTED_COMMIT || k == K_TRANSACT;
    case O_FULL:
        return k <= K_BEGIN || units_is_stack(k) || units_is_load(k) || k == K_FETCH || k == K_TRANSACT;
    case O_OWN:
        return k == K_TRANSACT || units_is_load(k);
    case O_FREED:
        return k != K_TRANSACT;
    case O_STATE:
    case O_NO_CONNECTION:
    case N_OUTCOMES:
        return false;
    }
    return false;
}

void units_check_coverage(void)
{
    const size_t counts[] = {units_seen.kept,
                             units_seen.undone,
                             units_seen.unsure,
                             units_seen.again,
                             units_seen.blocking,
                             units_seen.failed_operations,
                             units_seen.not_run_operations,
                             units_seen.walks,
                             units_seen.walked_rows,
                             units_seen.refused_cursors,
                             units_seen.taken_back,
                             units_seen.given_up_ends,
                             units_seen.void_texts,
                             units_seen.items,
                             units_seen.failed_items,
                             units_seen.lost_items,
                             units_seen.waits,
                             totals.runs_of_named,
                             totals.losses,
                             totals.alterations,
                             totals.discards,
                             totals.failures,
                             totals.savepoints,
                             totals.undone,
                             totals.cursors,
                             totals.portals,
                             totals.mishaps};

    for (int k = 0; k < N_KINDS; k++)
        for (int o = 0; o < N_OUTCOMES; o++)
            ck_assert_msg(units_coverage[k][o] || !is_expected((kind)k, (outcome)o), "it never happened: %s, %s",
                          units_kind_names[k], units_outcome_names[o]);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        ck_assert_msg(counts[i] > 0, "count %zu of the last lines is 0", i);
}
