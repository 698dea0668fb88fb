/* Connections, and what is done with them: one random thing after the other.
 * Read first: test/sim/units.h. */
#include "test/sim/units.h"

#include <stdio.h>

/* ---- connections ---- */

bool units_is_alive(const line *l)
{
    return l->conn && !l->is_closing && tusk_conn_get_state(l->conn) < TUSK_CONN_CLOSING;
}

/* Behind all its requests. */
static void on_closed(tusk_conn *conn, const tusk_error *err, void *user)
{
    line *l = user;
    run *r = l->run;

    units_must(r, ++l->n_closed == 1 && conn == l->conn && err->code != TUSK_OK, "on_closed is called without need");
    units_must(r, r->is_faulty, "connection %d is closed for no reason: %s", (int)(l - r->lines), err->message);
    for (const ask *a = r->asks + r->n_over; a < r->asks + r->n_asks; a++)
        units_must(r, a->line != l || a->is_over || a->was_closed || a->is_aside || !a->q || tusk_query_is_done(a->q),
                   "on_closed is called before %s %u ends", units_kind_names[a->kind], a->part.token);
    units_act_in_callback(r, 100);
}

line *units_open_line(run *r, bool is_fresh)
{
    static const int sizes[] = {0, 0, TUSK_NONE, 1, 2, 4};
    line *l = &r->lines[r->n_lines++];
    tusk_config config = {.dsn = "host=10.0.0.1 port=5432 user=sim dbname=sim password=secret sslmode=disable",
                          .on_closed = on_closed,
                          .user_data = l};

    units_must(r, r->n_lines < MAX_LINES, "too many connections");
    *l = (line){.run = r, .is_fresh = is_fresh};
    config.statement_cache_size = sizes[units_any(r, 6)];
    if (!is_fresh && units_chance(r, 200))
        config.max_queued_requests = 1 + (int)units_any(r, 8);
    if (!is_fresh && units_chance(r, 100))
        config.max_queued_bytes = 1 + units_any(r, 1500);
    l->conn = tusk_conn_open(r->loop, &config);
    units_must(r, l->conn != NULL, "out of memory");
    units_say(r, "connect %d, cache %d", (int)(l - r->lines), config.statement_cache_size);
    return l;
}

void units_close_line(line *l)
{
    ask *a = units_new_ask(l, K_CLOSE);

    l->is_closing = true;
    a->is_aside = true;
    (void)units_take_with_done(a, tusk_close(l->conn));
}

static line *any_line(run *r)
{
    line *alive = NULL;
    uint32_t n = 0;

    for (size_t i = 0; i < r->n_lines; i++)
        if (units_is_alive(&r->lines[i]) && units_any(r, ++n) == 0)
            alive = &r->lines[i];
    if (r->n_lines < MAX_LINES - 4 && (!alive || (n < 2 && units_chance(r, 20))))
        return units_open_line(r, false);
    return alive;
}

/* ---- acting ---- */

static ask *any_ask(run *r)
{
    ask *found = NULL;
    uint32_t n = 0;

    for (size_t i = r->n_over; i < r->n_asks; i++)
        if (r->asks[i].q && !r->asks[i].is_over && units_any(r, ++n) == 0)
            found = &r->asks[i];
    return found;
}

void units_check_world(run *r)
{
    const char *trouble = sim_trouble(r->world), *complaint = pg_complaint(r->server);

    units_must(r, !trouble, "%s", trouble ? trouble : "");
    units_must(r, !complaint, "%s", complaint ? complaint : "");
}

static bool ends_by_itself(const run *r, const ask *a)
{
    return (a->due_us || !r->has_stalls) && a->kind != K_TRANSACT && a->kind != K_DRAINED;
}

static void cancel(ask *a)
{
    if (tusk_query_is_done(a->q))
        return;
    units_say(a->run, "cancel %d", (int)(a - a->run->asks));
    a->is_canceled = true;
    if (a->cursor)
        a->cursor->is_certain = false;
    a->canceled_turn = a->run->n_turns;
    a->run->is_calling = true;
    tusk_query_cancel(a->q);
    a->run->is_calling = false;
    if (a->ends)
        units_reopen(a);
}

/* Of one that was begun by text the driver would not know that it is open again, and tusk_transact() wants all in it to be ended. */
static bool may_cancel(const ask *a)
{
    bool may = a->kind != K_TRANSACT && a->kind != K_CLOSE && !(a->ends && a->ends->text);

    for (const level *lv = a->ends; lv; lv = lv->parent)
        may &= !lv->is_attempts;
    return may;
}

static void use_ask(ask *a)
{
    run *r = a->run;
    uint32_t at = units_any(r, 100);

    if (at < 20 && may_cancel(a)) {
        cancel(a);
    } else if (at < 35 && (a->kind != K_TRANSACT || a->is_over)) {
        units_let_go(a);
    } else if (at < 70 && !r->is_inside && ends_by_itself(r, a)) {
        r->is_inside = true;
        (void)tusk_await(a->q);
        r->is_inside = false;
        units_check_world(r);
        units_poll_asks(r);
    }
}

static void use_transaction(line *l)
{
    run *r = l->run;
    int depth = units_depth(l);

    if (l->is_busy)
        (void)units_submit_statement(l, units_any_statement(r));
    else if (depth == 0 && tusk_conn_tx_status(l->conn) == TUSK_TX_IN_ERROR)
        units_roll_back_astray(l);
    else if (depth == 0 && units_chance(r, 150))
        units_begin_by_text(l);
    else if (depth == 0 || (depth < 3 && units_chance(r, 300)))
        units_begin_level(l);
    else
        units_end_level(l, units_chance(r, 750));
}

static void use_line(line *l)
{
    run *r = l->run;
    uint32_t at = units_any(r, 1000);

    if (at < 4 && !l->is_busy)
        units_close_line(l);
    else if (at < 30) {
        ask *a = units_new_ask(l, K_DRAINED);
        a->is_aside = true;
        (void)units_take_with_done(a, tusk_conn_drained(l->conn));
    } else if (at < 45)
        (void)units_submit_statement(l, K_DISCARD);
    else if (at < 90)
        units_open_cursor(l);
    else if (at < 130 && r->n_attempts < MAX_ATTEMPTS_SEEN)
        units_start_transact(l);
    else if (at < 150 && !r->is_inside && !r->has_stalls && !l->is_busy && r->n_attempts < MAX_ATTEMPTS_SEEN)
        units_do_transact(l);
    else if (at < 330)
        use_transaction(l);
    else if (at < 390 && r->n_loads < MAX_LOADS)
        (void)units_submit_load(l, units_chance(r, 500) ? TUSK_MANY_ATOMIC : TUSK_MANY_EACH);
    else if (at < 520)
        (void)units_submit_stack(l, units_chance(r, 500) ? TUSK_STACK_ATOMIC : TUSK_STACK_CONTINUE);
    else
        (void)units_submit_statement(l, units_any_statement(r));
}

void units_act(run *r)
{
    uint32_t at = units_any(r, 100);
    ask *a = at < 12 ? any_ask(r) : NULL;
    cursor *c = at >= 12 && at < 22 ? units_any_cursor(r) : NULL;
    line *l;

    if (r->n_ops >= N_OPS * 3)
        return;
    r->n_ops++;
    units_check_depth(r);
    if (a) {
        use_ask(a);
    } else if (c) {
        units_use_cursor(c);
    } else {
        l = any_line(r);
        if (l)
            use_line(l);
    }
}
