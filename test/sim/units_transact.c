/* Transactions, by hand and repeated by tusk_transact().
 * Read first: test/sim/units.h. */
#include "test/sim/units.h"

#include <stdio.h>

void units_begin_level(line *l)
{
    ask *a = units_new_ask(l, K_BEGIN);
    tusk_transaction options = {.isolation = units_chance(l->run, 300) && !l->level ? TUSK_SERIALIZABLE
                                                                                    : TUSK_ISOLATION_DEFAULT};

    a->level = units_push_level(l);
    (void)units_take_with_done(a, tusk_begin(l->conn, &options));
}

/* What was begun by text may be ended by text, too: if there is room for that, since otherwise it is not ended. */
static tusk_query *ask_for_end(const ask *a, bool is_commit)
{
    tusk_conn *conn = a->line->conn;

    if (a->ends->text && !a->was_full && units_chance(a->run, 300))
        return tusk_exec(conn, is_commit ? "commit" : "rollback", TUSK_NO_PARAMS);
    return is_commit ? tusk_commit(conn) : tusk_rollback(conn);
}

void units_end_level(line *l, bool is_commit)
{
    ask *a = units_new_ask(l, !is_commit ? K_ROLLBACK : l->level->parent ? K_NESTED_COMMIT : K_COMMIT);
    tusk_query *q;

    a->ends = units_pop_level(l);
    a->level = l->level;
    if (!is_commit) {
        a->ends->verdict = V_UNDONE; /* also if it never comes there: then nothing around it is kept either */
        units_seen.undone++;
    }
    q = ask_for_end(a, is_commit);
    a->was_full = false; /* it is taken in any case */
    (void)units_take_with_done(a, q);
}

/* Nothing that is behind it counts before the driver has said what became of it. */
void units_begin_by_text(line *l)
{
    run *r = l->run;
    ask *a = units_new_ask(l, K_TEXT_BEGIN);
    tusk_request request = {.sql = "begin", .user = a};

    units_seen.texts++;
    a->level = units_push_level(l);
    a->level->text = T_ASKED;
    (void)units_any_timeout(r, a, &request.timeout);
    a->has_done = units_chance(r, 500);
    request.on_done = a->has_done ? units_on_done : NULL;
    (void)units_take(a, tusk_submit(l->conn, &request));
}

void units_roll_back_astray(line *l)
{
    ask *a = units_new_ask(l, K_ROLLBACK);

    a->was_full = false;
    (void)units_take_with_done(a, tusk_rollback(l->conn));
}

static bool is_around(const level *outer, const level *lv)
{
    while (lv && lv != outer)
        lv = lv->parent;
    return lv != NULL;
}

/* Under what was begun behind its end. A text there is not run, and the driver has nothing of its own for it. */
static void put_back(line *l, level *lv)
{
    level **link = &l->level;

    while (*link && !is_around(*link, lv)) {
        level *behind = *link;

        if (behind->text) {
            behind->text = T_VOID;
            *link = behind->parent;
        } else {
            behind->is_behind = true;
            link = &behind->parent;
        }
    }
    *link = lv;
}

/* So are the ends behind it as if not called; what else is behind it is not run, and will say so. */
void units_reopen(ask *a)
{
    line *l = a->line;

    if (units_depth_begun(l) == tusk_conn_tx_depth(l->conn)) {
        l->is_astray = true;
        units_seen.given_up_ends++;
        return;
    }
    units_seen.taken_back++;
    put_back(l, a->ends);
    for (ask *b = a; b < a->run->asks + a->run->n_asks; b++)
        if (b->line == l && b->ends && b->kind != K_TRANSACT && !b->is_over) {
            b->is_taken_back = true;
            b->ends->verdict = V_OPEN;
        }
}

static bool is_pending_on(const run *r, const line *l)
{
    for (const ask *a = r->asks + r->n_over; a < r->asks + r->n_asks; a++)
        if (a->line == l && !a->is_over)
            return true;
    return false;
}

/* All that was begun has ended: the server has no transaction open either. */
void units_check_idle(const run *r)
{
    for (const line *l = r->lines; l < r->lines + r->n_lines; l++)
        if (units_is_alive(l) && tusk_conn_get_state(l->conn) == TUSK_CONN_READY && !l->level && !l->is_astray &&
            !is_pending_on(r, l))
            units_must(r, tusk_conn_tx_status(l->conn) == TUSK_TX_IDLE, "on %d a transaction stays open",
                       (int)(l - r->lines));
}

void units_check_depth(const run *r)
{
    for (const line *l = r->lines; l < r->lines + r->n_lines; l++)
        units_must(r, !units_is_alive(l) || units_depth_begun(l) == tusk_conn_tx_depth(l->conn),
                   "%d transactions are open on %d, and the driver counts %d", units_depth_begun(l),
                   (int)(l - r->lines), tusk_conn_tx_depth(l->conn));
}

/* ---- transactions that are repeated ---- */

static void fill_attempt(line *l)
{
    run *r = l->run;

    for (uint32_t n = units_any(r, 4); n > 0; n--)
        (void)units_submit_statement(l, units_chance(r, 700) ? K_INSERT : units_any_statement(r));
    if (units_chance(r, 200))
        (void)units_submit_stack(l, TUSK_STACK_ATOMIC);
    if (units_chance(r, 200)) {
        units_begin_level(l);
        (void)units_submit_statement(l, K_INSERT);
        units_end_level(l, units_chance(r, 500));
    }
}

/* A further one: what was before it is undone. */
static void begin_attempt(attempts *t)
{
    run *r = t->run;

    t->n++;
    units_must(r, t->n <= t->max, "attempt %u of %u", t->n, t->max);
    units_must(r, t->n == 1 || t->level->verdict != V_KEPT, "an attempt is repeated that was kept");
    if (t->n > 1) {
        t->level->verdict = V_UNDONE;
        units_seen.again++;
    }
    t->level = units_push_level(t->line);
    t->level->is_attempts = true;
    t->ask->ends = t->level;
    t->line->is_busy = true;
}

void units_end_attempt(void *user)
{
    attempts *t = user;
    tusk_attempt *attempt = t->attempt;
    tusk_error err = {.code = TUSK_ERR_VALUE, .sqlstate = "22023", .message = "as we like it"};
    bool is_rollback;

    if (!attempt || t->run->is_ending)
        return;
    is_rollback = units_chance(t->run, 150);
    t->attempt = NULL;
    t->line->is_busy = false;
    (void)units_pop_level(t->line);
    if (is_rollback)
        t->level->verdict = V_UNDONE;
    t->run->is_calling = true;
    tusk_attempt_end(attempt, is_rollback ? &err : NULL);
    t->run->is_calling = false;
}

static void on_attempt(tusk_attempt *attempt, void *user)
{
    attempts *t = user;
    run *r = t->run;
    bool was_busy = t->line->is_busy;

    if (r->is_ending)
        return;
    if (was_busy || r->n_ops >= N_OPS * 3 || r->is_calm) { /* inside of somebody else's, or too late */
        begin_attempt(t);
        t->attempt = attempt;
        units_end_attempt(t);
        t->line->is_busy = was_busy;
        return;
    }
    begin_attempt(t);
    t->attempt = attempt;
    fill_attempt(t->line);
    if (units_chance(r, 500))
        units_end_attempt(t);
    else
        units_must(r, tusk_timer_start(r->loop, units_any(r, 20) / 1e3, units_end_attempt, t) != NULL, "no timer");
}

static attempts *new_attempts(line *l, ask *a)
{
    run *r = l->run;
    attempts *t = &r->attempts[r->n_attempts++];

    *t = (attempts){.run = r, .line = l, .ask = a, .max = 1 + units_any(r, 3)};
    a->is_aside = true;
    return t;
}

void units_start_transact(line *l)
{
    run *r = l->run;
    ask *a = units_new_ask(l, K_TRANSACT);
    attempts *t = new_attempts(l, a);

    (void)units_take_with_done(
        a, tusk_transact_start(l->conn, &(tusk_transact_options){.max_attempts = t->max}, on_attempt, t));
    (void)r;
}

static tusk_code in_transact(tusk_conn *conn, void *user, tusk_error *err)
{
    attempts *t = user;
    bool was_busy = t->line->is_busy; /* begun while it waited for its next attempt: this one is in that */
    ask *a;

    (void)conn;
    begin_attempt(t);
    fill_attempt(t->line);
    a = units_submit_statement(t->line, units_chance(t->run, 800) ? K_INSERT : K_ERROR);
    if (a->q && units_chance(t->run, 700)) {
        bool has_done = a->has_done;
        tusk_code code = tusk_await(a->q);
        if (code != TUSK_OK && !has_done && a->q && tusk_query_is_done(a->q))
            *err = *tusk_query_error(a->q);
    }
    (void)units_pop_level(t->line);
    t->line->is_busy = was_busy;
    if (err->code != TUSK_OK)
        t->level->verdict = V_UNDONE;
    else if (t->level->verdict == V_UNDONE)
        t->level->verdict = V_OPEN;
    return err->code;
}

/* Its query is the model's alone. */
void units_do_transact(line *l)
{
    run *r = l->run;
    ask *a = units_new_ask(l, K_TRANSACT);
    attempts *t = new_attempts(l, a);
    tusk_error err = {0};
    tusk_code code;

    units_seen.blocking++;
    r->is_inside = true;
    code = tusk_transact(l->conn, &(tusk_transact_options){.max_attempts = t->max}, in_transact, t, &err);
    r->is_inside = false;
    units_must(r, code == err.code || code == TUSK_OK, "two codes");
    a->is_over = true;
    a->outcome = units_outcome_of(a, &err);
    units_coverage[K_TRANSACT][a->outcome]++;
    units_say(r, "transact on %d: %s %s", (int)(l - r->lines), units_outcome_names[a->outcome], err.message);
    units_judge_level(a, &err);
    units_check_world(r);
    units_poll_asks(r);
}
