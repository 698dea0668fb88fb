/* Cursors: fetched, moved, walked row by row.
 * Read first: test/sim/units.h. */
#include "test/sim/units.h"

#include <stdio.h>

void units_check_fetch(ask *a, bool is_ok)
{
    cursor *c = a->cursor;
    uint32_t left = c->number - c->at, n = a->part.number < left ? a->part.number : left;

    c->is_certain &= is_ok;
    if (!c->is_certain)
        return;
    if (a->kind == K_FETCH)
        units_check_rows(a, &(part){K_ROWS, c->token, c->number, 0}, c->at, n);
    else
        units_must(a->run, tusk_query_rows_affected(a->q) == (int64_t)n, "moved over %lld rows instead of %u",
                   (long long)tusk_query_rows_affected(a->q), n);
    c->at += n;
}

void units_open_cursor(line *l)
{
    run *r = l->run;
    cursor *c = &r->cursors[r->n_cursors];
    tusk_value value;
    char sql[64];

    if (r->n_cursors == MAX_CURSORS)
        return;
    r->n_cursors++;
    *c = (cursor){.line = l, .token = ++r->n_tokens, .number = units_any(r, 150), .is_certain = true};
    value = tusk_int8(c->token);
    (void)snprintf(sql, sizeof sql, "rows $1 %u", c->number);
    c->cursor = tusk_cursor_open(l->conn, &(tusk_cursor_request){.sql = sql,
                                                                 .params = tusk_params_of(&value, 1),
                                                                 .hold = units_chance(r, l->level ? 200 : 900),
                                                                 .batch_rows = 1 + (int)units_any(r, 60)});
    units_must(r, c->cursor != NULL, "out of memory");
    units_say(r, "cursor %u of %u rows on %d", c->token, c->number, (int)(l - r->lines));
}

void units_free_cursor(cursor *c)
{
    tusk_cursor *gone = c->cursor;

    c->cursor = NULL;
    c->is_certain = false;
    tusk_cursor_free(gone);
}

/* Row by row, from where it stood. */
static void walk(cursor *c)
{
    run *r = c->line->run;
    tusk_row row;

    c->is_walked = true;
    units_seen.walks++;
    r->is_inside = true;
    for (uint32_t n = units_any(r, 100); n > 0 && c->cursor && tusk_cursor_next_row(c->cursor, &row); n--) {
        units_must(r, units_is_own_row(&row, c->token, c->at, false),
                   "cursor %u has another's row, or lost one before %u", c->token, c->at);
        c->at++;
        units_seen.walked_rows++;
    }
    r->is_inside = false;
    if (c->cursor && tusk_cursor_error(c->cursor)->code != TUSK_OK)
        units_seen.refused_cursors++;
    units_check_world(r);
    units_poll_asks(r);
}

void units_use_cursor(cursor *c)
{
    run *r = c->line->run;
    uint32_t at = units_any(r, 100);
    bool may_walk = !r->is_inside && !r->has_stalls && c->at == 0;
    ask *a;

    if (at < 15 || !c->line->conn || c->line->is_closing) {
        units_free_cursor(c);
    } else if (c->is_walked || (may_walk && at < 50)) {
        for (const ask *b = r->asks; b < r->asks + r->n_asks && !c->is_walked; b++)
            if (b->cursor == c)
                return;
        if (!r->is_inside && !r->has_stalls)
            walk(c);
    } else {
        a = units_new_ask(c->line, at < 85 ? K_FETCH : K_MOVE);
        a->cursor = c;
        a->part = (part){K_ROWS, c->token, 1 + units_any(r, 40), 0};
        (void)units_take(a, a->kind == K_FETCH ? tusk_cursor_fetch(c->cursor, (int)a->part.number)
                                               : tusk_cursor_move(c->cursor, (int)a->part.number));
        a->has_done = true; /* in order, as each begins where the last one ended */
        tusk_query_on_done(a->q, units_on_done, a);
    }
}

cursor *units_any_cursor(run *r)
{
    cursor *found = NULL;
    uint32_t n = 0;

    for (size_t i = 0; i < r->n_cursors; i++)
        if (r->cursors[i].cursor && units_any(r, ++n) == 0)
            found = &r->cursors[i];
    return found;
}
