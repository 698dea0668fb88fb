/* Loads: pulls that answer, say "not yet", fail and end, and what is told of each item.
 * Read first: test/sim/units.h. */
#include "test/sim/units.h"

#include <stdio.h>
#include <string.h>

bool units_is_load(kind k)
{
    return k >= K_LOAD && k <= K_EACH_INSIDE;
}

static const part *item_of(const load *ld, uint32_t item)
{
    return &ld->ask->run->parts[ld->ask->first_part + item];
}

/* ---- what is told ---- */

static verdict verdict_of_item(const load *ld, uint32_t item, verdict whole)
{
    if (item >= ld->n_given)
        return V_UNDONE; /* it was never asked for */
    if (!ld->is_each)
        return whole;
    if (item < ld->n_told)
        return ld->told[item];
    return whole == V_UNDONE && ld->n_given == 0 ? V_UNDONE : V_UNSURE;
}

void units_note_load_writes(const ask *a, const tusk_error *err)
{
    verdict whole = err ? units_verdict_by(err) : V_UNSURE;

    for (uint32_t i = 0; i < a->load->n; i++)
        if (item_of(a->load, i)->kind == K_INSERT)
            units_note_write(a->run, item_of(a->load, i)->token, a->level, verdict_of_item(a->load, i, whole),
                             a->load->is_each ? 0 : a->first_group);
}

/* In order, and none that was not given; an error is its own. */
static void told(tusk_query *q, int64_t item, int64_t rows, const tusk_error *err, void *user)
{
    load *ld = user;
    const ask *a = ld->ask;
    const part *p = item_of(ld, (uint32_t)item);

    units_must(a->run, !a->is_over && !a->is_freed && !a->is_canceled, "an item is told of a load that is over");
    units_must(a->run, item == (int64_t)ld->n_told && ld->n_told < ld->n_given && tusk_many_n_answered(q) == item + 1,
               "item %lld is told behind %u of %u", (long long)item, ld->n_told, ld->n_given);
    if (err) {
        units_must(a->run, ld->is_each && err->item == item && rows == -1, "item %lld fails alone", (long long)item);
        if (err->code == TUSK_ERR_SERVER)
            units_check_server_error(a->run, err, p, 1);
        units_seen.failed_items++;
        units_seen.lost_items += strcmp(err->sqlstate, "26000") == 0;
    } else {
        units_must(a->run, rows == (p->kind == K_INSERT ? (int64_t)p->token : (int64_t)units_rows_of(p)),
                   "item %lld has another's tag", (long long)item);
    }
    ld->told[ld->n_told++] = err ? units_verdict_by(err) : V_KEPT;
    units_seen.items++;
    units_act_in_callback(a->run, 10);
}

/* ---- how it ends ---- */

/* The rows of those that did not fail, one item behind the other. */
static void check_rows(const ask *a)
{
    const load *ld = a->load;
    int64_t affected = 0;
    tusk_row row;

    for (uint32_t i = 0; i < ld->n; i++) {
        const part *p = item_of(ld, i);

        if (ld->told[i] != V_KEPT)
            continue;
        affected += p->kind == K_INSERT ? (int64_t)p->token : (int64_t)units_rows_of(p);
        units_must(a->run, pg_fact_of(a->run->server, p->token)->n_run == 1, "item %u was run %d times", i,
                   pg_fact_of(a->run->server, p->token)->n_run);
        for (uint32_t n = 0; n < units_rows_of(p); n++)
            units_must(a->run, tusk_next_row(a->q, &row) && units_is_own_row(&row, p->token, n, p->kind == K_ECHO),
                       "item %u has not its rows", i);
    }
    units_must(a->run, !tusk_next_row(a->q, &row), "a load has a row too many");
    units_must(a->run, tusk_query_rows_affected(a->q) == affected, "a load has not the rows of its items");
}

/* The first item that failed is named. */
static void check_failure(const ask *a, const tusk_error *err)
{
    uint32_t token = 0;

    if (err->code != TUSK_ERR_SERVER)
        return;
    units_check_server_error(a->run, err, &a->run->parts[a->first_part], a->n_parts);
    if (err->item < 0 || sscanf(err->message, "token %u", &token) != 1 || token == 0)
        return;
    units_must(a->run, err->item < (int64_t)a->load->n_given && item_of(a->load, (uint32_t)err->item)->token == token,
               "the error of %u is told of item %lld", token, (long long)err->item);
}

void units_check_load(ask *a)
{
    const tusk_error *err = tusk_query_error(a->q);
    const load *ld = a->load;

    if (err->code == TUSK_OK) {
        units_must(a->run, ld->n_given == ld->n && ld->n_told == ld->n && ld->fails_at >= ld->n,
                   "a load of %u succeeds with %u given, %u told", ld->n, ld->n_given, ld->n_told);
        check_rows(a);
    } else {
        units_must(a->run, ld->is_each || tusk_query_n_rows(a->q) == 0, "a load that failed has rows");
        check_failure(a, err);
    }
    units_note_load_writes(a, err);
}

/* ---- the pull ---- */

static void resume(void *user)
{
    const load *ld = user;
    const ask *a = ld->ask;

    if (a->q && !a->is_over && !a->run->is_ending)
        (void)tusk_many_resume(a->q);
}

/* Resumed at once, later, or never, if its deadline ends that. */
static tusk_code wait_for_more(tusk_query *q, load *ld)
{
    run *r = ld->ask->run;

    ld->has_waited = true;
    units_seen.waits++;
    if (units_chance(r, 300))
        units_must(r, tusk_many_resume(q) == TUSK_OK, "a pull cannot be resumed from inside");
    else if (!ld->ask->due_us || units_chance(r, 500))
        units_must(r, tusk_timer_start(r->loop, units_any(r, 20) / 1e3, resume, ld) != NULL, "no timer");
    return TUSK_AGAIN;
}

static tusk_code fail(tusk_error *err)
{
    *err = (tusk_error){.code = TUSK_ERR_VALUE, .sqlstate = "22023", .message = "as we like it", .item = -1};
    return TUSK_ERR_VALUE;
}

static tusk_code push(tusk_query *q, const load *ld, uint32_t item)
{
    tusk_value values[2];
    char echo[32];

    return tusk_many_push(q, tusk_params_of(values, units_any_values(item_of(ld, item), echo, values)));
}

static tusk_code give(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    load *ld = user;
    const ask *a = ld->ask;
    run *r = a->run;

    units_must(r, !r->is_calling && !a->is_over && !a->is_freed && !a->is_canceled && item == (int64_t)ld->n_given,
               "item %lld is asked for behind %u", (long long)item, ld->n_given);
    units_act_in_callback(r, 20);
    if (a->is_freed || a->is_canceled || a->line->is_closing) {
        units_must(r, push(q, ld, 0) == TUSK_ERR_CANCELED, "a load that is over takes an item");
        return TUSK_AGAIN;
    }
    if (ld->n_given == ld->waits_at && !ld->has_waited)
        return wait_for_more(q, ld);
    if (ld->n_given == ld->fails_at)
        return fail(err);
    if (ld->n_given == ld->n)
        return TUSK_DONE;
    units_must(r, push(q, ld, ld->n_given) == TUSK_OK, "an item is refused");
    ld->n_given++;
    return ld->n_given == ld->n && ld->fails_at > ld->n && units_chance(r, 300) ? TUSK_DONE : TUSK_OK;
}

/* ---- submitting ---- */

/* Inserts may fail for some tokens. */
static void any_items(ask *a, char *sql, size_t size)
{
    static const kind kinds[] = {K_ROWS, K_ECHO, K_NOBIN, K_INSERT, K_INSERT, K_INSERT, K_INSERT, K_INSERT};
    static const uint32_t fails[] = {0, 0, 11, 40};
    run *r = a->run;
    kind k = kinds[units_any(r, sizeof kinds / sizeof kinds[0])];
    uint32_t number = fails[units_any(r, 4)];
    char unused[100];

    for (uint32_t i = 0; i < a->load->n; i++) {
        part p = units_any_part(r, k, i, i ? unused : sql, i ? sizeof unused : size, false);

        if (i == 0 && k != K_INSERT)
            number = p.number;
        p.number = number;
        units_must(r, r->n_parts < MAX_PARTS, "too many statements");
        r->parts[r->n_parts++] = p;
    }
    if (k == K_INSERT)
        (void)snprintf(sql, size, "insert $1 %u", number);
}

static bool by_handle(run *r)
{
    return units_chance(r, 300);
}

/* Of its own, which is let go at once: the load waits for its Parse, and its Close stands behind the load. */
static ask *submit_by_handle(ask *a, tusk_many_request *request)
{
    tusk_stmt *stmt = tusk_prepare(a->line->conn, request->sql, NULL, 0);

    if (!stmt)
        return units_take_with_done(a, tusk_many_submit(a->line->conn, request));
    if (tusk_conn_get_state(a->line->conn) < TUSK_CONN_CLOSING)
        a->was_full |= !tusk_conn_is_writable(a->line->conn); /* the Parse takes a place, too */
    request->sql = NULL;
    request->stmt = stmt;
    a = units_take_with_done(a, tusk_many_submit(a->line->conn, request));
    tusk_stmt_free(stmt);
    return a;
}

ask *units_submit_load(line *l, tusk_many_mode mode)
{
    run *r = l->run;
    kind outside = mode == TUSK_MANY_ATOMIC ? K_LOAD : K_EACH;
    ask *a = units_new_ask(l, l->level ? outside + 1 : outside);
    load *ld = &r->loads[r->n_loads++];
    tusk_many_request request = {.pull = give, .on_item = told, .mode = mode, .user = ld};
    char sql[100];

    *ld = (load){.ask = a, .n = 1 + units_any(r, MAX_ITEMS), .is_each = mode == TUSK_MANY_EACH};
    ld->fails_at = units_chance(r, 150) ? units_any(r, ld->n + 1) : ld->n + 1;
    ld->waits_at = units_chance(r, 400) ? units_any(r, ld->n + 1) : ld->n + 1;
    a->load = ld;
    a->first_part = r->n_parts;
    a->n_parts = ld->n;
    a->first_group = ++r->n_groups;
    any_items(a, sql, sizeof sql);
    a->part.token = item_of(ld, 0)->token;
    request.sql = sql;
    request.text_results = units_chance(r, 200);
    request.flight_bytes = units_chance(r, 600) ? 100 + (int64_t)units_any(r, 600) : 0;
    (void)units_any_timeout(r, a, &request.timeout);
    return by_handle(r) ? submit_by_handle(a, &request) : units_take_with_done(a, tusk_many_submit(l->conn, &request));
}
