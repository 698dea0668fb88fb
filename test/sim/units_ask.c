/* Statements: one of a few texts with ever new parameters. And what all requests are made by.
 * Read first: test/sim/units.h. */
#include "test/sim/units.h"

#include <stdio.h>

void units_act_in_callback(run *r, int permille)
{
    bool was_inside = r->is_inside;

    r->is_inside = true;
    while (!r->is_ending && !r->is_calm && units_chance(r, permille))
        units_act(r);
    r->is_inside = was_inside;
}

void units_on_done(tusk_query *q, void *user)
{
    ask *a = user;

    a->q = q;
    units_completed(a, q);
    units_act_in_callback(a->run, 200);
    a->q = NULL;
}

ask *units_new_ask(line *l, kind k)
{
    run *r = l->run;
    ask *a = &r->asks[r->n_asks++];

    units_must(r, r->n_asks < MAX_ASKS && r->n_tokens < PG_MAX_TOKENS - 64, "too many requests");
    *a = (ask){.run = r, .kind = k, .line = l, .level = l->level, .outcome = N_OUTCOMES};
    a->was_closed = l->conn && tusk_conn_get_state(l->conn) == TUSK_CONN_CLOSED;
    a->was_full = l->conn && tusk_conn_get_state(l->conn) < TUSK_CONN_CLOSING && !tusk_conn_is_writable(l->conn);
    return a;
}

/* The request's query, which may have a callback. */
ask *units_take(ask *a, tusk_query *q)
{
    run *r = a->run;

    units_must(r, q != NULL, "out of memory");
    a->q = q;
    sim_trace(r->world, "submit", (uint64_t)a->kind);
    units_say(r, "%d: %s %u on %d%s due %.6f", (int)(a - r->asks), units_kind_names[a->kind], a->part.token,
              (int)(a->line - r->lines), a->has_done ? " done" : "", (double)a->due_us / 1e6);
    return a;
}

ask *units_take_with_done(ask *a, tusk_query *q)
{
    a->has_done = units_chance(a->run, 400);
    if (a->has_done && q)
        tusk_query_on_done(q, units_on_done, a);
    return units_take(a, q);
}

/* Few texts, so that they are met again; the token comes as $1. */
part units_any_part(run *r, kind k, uint32_t operation, char *sql, size_t size, bool in_text)
{
    static const uint32_t numbers[] = {0, 3, 17};
    static const uint32_t errors[] = {22012, 40001};
    part p = {k, ++r->n_tokens, 0, operation};
    char token[24];

    p.number = k == K_ROWS    ? numbers[units_any(r, 3)]
               : k == K_ERROR ? errors[units_any(r, 2)]
               : k == K_SLEEP ? 500 + 4000 * units_any(r, 2)
                              : 0;
    (void)snprintf(token, sizeof token, in_text ? "#%u" : "$1", p.token);
    (void)snprintf(sql, size, "%s %s%s %u", units_kind_names[k], token, k == K_ECHO ? " $2" : "", p.number);
    return p;
}

size_t units_any_values(const part *p, char echo[32], tusk_value values[2])
{
    (void)snprintf(echo, 32, "echo %u", p->token);
    values[0] = tusk_int8(p->token);
    values[1] = tusk_text(echo);
    return p->kind == K_ECHO ? 2 : 1;
}

int64_t units_any_timeout(run *r, ask *a, double *timeout)
{
    if (a->line->is_fresh || !units_chance(r, 200))
        return 0;
    *timeout = (1 + units_any(r, units_chance(r, 500) ? 20 : 2000)) / 1e3;
    return a->due_us = sim_now(r->world) + (int64_t)(*timeout * 1e6);
}

kind units_any_statement(run *r)
{
    static const kind kinds[] = {K_ROW,   K_ROWS, K_ROWS,   K_ECHO,   K_NOBIN,  K_SLEEP,
                                 K_ERROR, K_PATH, K_INSERT, K_INSERT, K_INSERT, K_INSERT};

    return kinds[units_any(r, sizeof kinds / sizeof kinds[0])];
}

ask *units_submit_statement(line *l, kind k)
{
    run *r = l->run;
    ask *a = units_new_ask(l, k);
    tusk_request request = {.user = a};
    tusk_value values[2];
    char sql[100], echo[32];

    if (k == K_DISCARD)
        (void)snprintf(sql, sizeof sql, "discard all");
    else
        a->part = units_any_part(r, k, 0, sql, sizeof sql, false);
    a->part.kind = k;
    request.sql = sql;
    request.params = tusk_params_of(values, k == K_DISCARD ? 0 : units_any_values(&a->part, echo, values));
    request.text_results = !l->is_fresh && units_chance(r, 100);
    request.cancelable = !l->is_fresh && units_chance(r, 60);
    (void)units_any_timeout(r, a, &request.timeout);
    a->has_done = units_chance(r, 500);
    request.on_done = a->has_done ? units_on_done : NULL;
    return units_take(a, tusk_submit(l->conn, &request));
}
