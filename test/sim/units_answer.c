/* Requests that end: each once, in order, with its own rows and errors, and for a reason.
 * Read first: test/sim/units.h. */
#include "test/sim/units.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* ---- rows ---- */

bool units_is_own_row(const tusk_row *row, uint32_t token, uint32_t number, bool is_echo)
{
    tusk_str text = tusk_get_raw(row, 2);
    char echo[32];

    if (tusk_get_int8(row, 0) != (int64_t)token || tusk_get_int4(row, 1) != (int32_t)number)
        return false;
    (void)snprintf(echo, sizeof echo, "echo %u", token);
    if (is_echo)
        return tusk_str_is(text, echo);
    if (text.len != pg_text_len(token, number))
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != pg_text(token, i))
            return false;
    return true;
}

/* The rows of the present result: `n` from number `from` on. */
void units_check_rows(const ask *a, const part *p, uint32_t from, uint32_t n)
{
    tusk_row row;
    uint32_t at = 0;

    for (; tusk_next_row(a->q, &row); at++)
        units_must(a->run, at < n && units_is_own_row(&row, p->token, from + at, p->kind == K_ECHO),
                   "%s %u got another's row, or one too many", units_kind_names[p->kind], p->token);
    units_must(a->run, at == n, "%s %u has %u rows instead of %u", units_kind_names[p->kind], p->token, at, n);
}

uint32_t units_rows_of(const part *p)
{
    return p->kind == K_ROWS ? p->number : p->kind == K_INSERT || p->kind == K_ERROR || p->kind == K_DISCARD ? 0 : 1;
}

void units_check_part(const ask *a, const part *p)
{
    const pg_fact *fact = pg_fact_of(a->run->server, p->token);

    units_must(a->run, p->kind != K_ERROR, "%u cannot succeed", p->token);
    units_must(a->run,
               p->kind == K_DISCARD || (fact->is_answered && (fact->n_run == 1 || (fact->n_run == 2 && fact->owns_tx))),
               "%s %u succeeds, but was run %d times", units_kind_names[p->kind], p->token, fact->n_run);
    if (p->kind == K_INSERT)
        units_must(a->run, tusk_query_rows_affected(a->q) == (int64_t)p->token, "insert %u has another's tag",
                   p->token);
    units_check_rows(a, p, 0, units_rows_of(p));
}

/* The server's error is about one of its own statements, or, 0, about one of ours. */
void units_check_server_error(const run *r, const tusk_error *err, const part *parts, size_t n)
{
    uint32_t token = 0;
    bool is_own = false;

    if (strcmp(err->sqlstate, "25P02") == 0 && strncmp(err->message, "not run: ", 9) == 0)
        return;
    if (sscanf(err->message, "token %u", &token) != 1)
        return; /* one of the driver's own: of a BEGIN that failed, say */
    for (size_t i = 0; i < n; i++)
        is_own |= parts[i].token == token;
    units_must(r, token == 0 || is_own, "somebody got the error of %u", token);
    units_must(r, strcmp(err->sqlstate, "57014") != 0, "a request was hit by another's cancel");
    units_must(r, strcmp(err->sqlstate, "42P05") != 0, "a name was used twice");
}

/* ---- completion ---- */

bool units_is_stack(kind k)
{
    return k >= K_ATOMIC && k <= K_CONTINUE_INSIDE;
}

outcome units_outcome_of(const ask *a, const tusk_error *err)
{
    switch ((int)err->code) {
    case TUSK_OK:
        return O_OK;
    case TUSK_ERR_SERVER:
        return err->retry ? O_RETRY : O_SERVER;
    case TUSK_ERR_CANCELED:
        return err->fate == TUSK_FATE_NOT_SENT ? O_NOT_SENT : O_CANCELED;
    case TUSK_ERR_TIMEOUT:
        return err->fate == TUSK_FATE_NOT_SENT ? O_NOT_SENT : O_TIMEOUT;
    case TUSK_ERR_LOST:
        return err->fate == TUSK_FATE_NOT_SENT ? O_NOT_SENT : O_LOST;
    case TUSK_ERR_COMMIT_UNKNOWN:
        return O_UNKNOWN;
    case TUSK_ERR_ROLLED_BACK:
        return O_ROLLED_BACK;
    case TUSK_ERR_STATE:
        return O_STATE;
    case TUSK_ERR_LIMIT:
        return strcmp(err->sqlstate, "53400") == 0 ? O_FULL : O_NO_CONNECTION;
    case TUSK_ERR_VALUE:
        return O_OWN;
    case TUSK_ERR_CONNECT:
    case TUSK_ERR_RESOLVE:
    case TUSK_ERR_AUTH:
    case TUSK_ERR_SYSTEM:
        return O_NO_CONNECTION;
    default:
        units_must(a->run, false, "%s %u ends with %s: %s", units_kind_names[a->kind], a->part.token,
                   tusk_code_name(err->code), err->message);
        return O_OK;
    }
}

/* Of one that was asked for by text the commit alone may tell. */
static bool is_end_of_none(const ask *a, const tusk_error *err)
{
    return a->ends->text == T_ASKED && err->code == TUSK_ERR_STATE && strcmp(err->sqlstate, "25P01") == 0;
}

/* What ended a transaction: kept only if it was told so, unsure where nobody can know. */
void units_judge_level(ask *a, const tusk_error *err)
{
    if (a->kind == K_TEXT_BEGIN && err->code == TUSK_OK)
        a->level->text = T_BEGUN;
    else if (a->kind == K_TEXT_BEGIN && err->fate != TUSK_FATE_UNKNOWN)
        a->level->text = T_VOID;
    units_seen.void_texts += a->kind == K_TEXT_BEGIN && a->level->text == T_VOID;
    if (!a->ends || a->ends->verdict != V_OPEN || a->is_taken_back)
        return;
    if (is_end_of_none(a, err)) {
        a->ends->text = T_VOID;
        return;
    }
    a->ends->verdict = units_verdict_by(err);
    units_seen.kept += a->ends->verdict == V_KEPT;
    units_seen.unsure += a->ends->verdict == V_UNSURE;
    a->has_failed = a->kind != K_TRANSACT && err->code != TUSK_OK && a->ends->verdict == V_UNDONE &&
                    !(a->level && a->level->text) && !a->ends->is_behind;
}

/* All that was submitted before it on its connection has ended, but for what was given up. */
static void check_order(const ask *a)
{
    const run *r = a->run;

    if (a->is_canceled || a->is_aside || a->was_full || (a->due_us && sim_now(r->world) >= a->due_us))
        return;
    for (const ask *b = r->asks + r->n_over; b < a; b++)
        units_must(r,
                   b->line != a->line || b->is_over || b->is_canceled || b->is_aside || b->was_full || !b->q ||
                       (!b->has_done && tusk_query_is_done(b->q)),
                   "%s %u ends before %s %u", units_kind_names[a->kind], a->part.token, units_kind_names[b->kind],
                   b->part.token);
}

static void check_error(const ask *a, const tusk_error *err)
{
    const run *r = a->run;
    int64_t now_us = sim_now(r->world);
    bool ends_line = a->line->is_closing || r->is_ending;
    bool is_not_run = strncmp(err->message, "not run: ", 9) == 0; /* with the code of what was in front */

    units_must(r, err->sqlstate[0] && err->message[0], "an error says nothing");
    units_must(r, !a->line->is_fresh, "%s %u on a fresh connection: %s", units_kind_names[a->kind], a->part.token,
               err->message);
    if (err->code == TUSK_ERR_SERVER && !units_is_stack(a->kind) && !units_is_load(a->kind) && a->kind != K_TRANSACT)
        units_check_server_error(r, err, &a->part, 1);
    if (err->code == TUSK_ERR_CANCELED && a->kind != K_TRANSACT)
        units_must(r, a->is_canceled || ends_line || is_not_run, "%s %u is canceled by nobody",
                   units_kind_names[a->kind], a->part.token);
    if (err->code == TUSK_ERR_TIMEOUT && !is_not_run)
        units_must(r, a->due_us && now_us >= a->due_us, "%s %u ends before its deadline", units_kind_names[a->kind],
                   a->part.token);
    if (a->outcome == O_LOST || a->outcome == O_UNKNOWN)
        units_must(r, r->is_faulty, "%s %u is lost for no reason: %s", units_kind_names[a->kind], a->part.token,
                   err->message);
    if (a->kind == K_ROLLBACK)
        units_must(r, err->code != TUSK_ERR_SERVER, "a rollback is refused: %s, %s", err->sqlstate, err->message);
    if (a->ends && a->is_canceled && !a->is_taken_back && units_is_alive(a->line))
        units_must(r, err->code != TUSK_ERR_CANCELED || err->fate != TUSK_FATE_NOT_SENT || is_not_run,
                   "%s is told as not called, but nothing is open again", units_kind_names[a->kind]);
    if (a->outcome == O_FULL && a->kind != K_TRANSACT)
        units_must(r, err->fate == TUSK_FATE_NOT_SENT, "%u was not queued, but sent", a->part.token);
    if (a->outcome == O_STATE)
        units_must(r,
                   ends_line || a->kind >= K_BEGIN || a->level ||
                       (a->line->conn && tusk_conn_get_state(a->line->conn) >= TUSK_CONN_CLOSING),
                   "%s %u: %s", units_kind_names[a->kind], a->part.token, err->message);
    if (err->fate == TUSK_FATE_NOT_SENT && a->kind < K_N_STATEMENTS)
        units_must(r, pg_fact_of(r->server, a->part.token)->n_run == 0, "%u was run, but told as not sent",
                   a->part.token);
}

/* What was never sent, and an inner one that is undone for that, fails what tusk_begin() began, but not what a text did. Of a load whose
 * pull has failed nothing is there, whether or not it had given something before. */
static bool fails_what_is_around(const ask *a, const tusk_error *err)
{
    if (units_is_load(a->kind) && a->outcome == O_OWN)
        return false;
    if (a->kind == K_ROLLBACK || a->kind == K_COMMIT || a->is_taken_back || (a->ends && a->ends->is_behind))
        return false;
    if (err->fate == TUSK_FATE_NOT_SENT)
        return !a->level || a->level->text == T_NONE;
    return err->code == TUSK_ERR_SERVER && !units_is_stack(a->kind) && !units_is_load(a->kind);
}

static void check_answer(ask *a, const tusk_error *err)
{
    bool is_ok = err->code == TUSK_OK;

    if (units_is_stack(a->kind)) {
        units_check_stack(a);
    } else if (units_is_load(a->kind)) {
        units_check_load(a);
    } else if (a->kind == K_FETCH || a->kind == K_MOVE) {
        units_check_fetch(a, is_ok);
    } else if (a->kind <= K_DISCARD && is_ok) {
        units_check_part(a, &a->part);
    }
    if (a->kind == K_INSERT)
        units_note_write(a->run, a->part.token, a->level, units_verdict_by(err), 0);
    a->has_failed = a->kind <= K_MOVE && !is_ok && fails_what_is_around(a, err);
    units_judge_level(a, err);
}

void units_completed(ask *a, tusk_query *q)
{
    run *r = a->run;
    const tusk_error *err = tusk_query_error(q);

    units_must(r, !r->is_calling, "%s %u completes inside a call", units_kind_names[a->kind], a->part.token);
    units_must(r, !a->is_over && !a->is_freed, "%s %u completes twice, or though freed", units_kind_names[a->kind],
               a->part.token);
    units_must(r, !a->is_canceled || err->code != TUSK_OK || a->is_aside || a->kind == K_ROLLBACK,
               "%u was canceled, and succeeds", a->part.token);
    a->is_over = true;
    a->outcome = units_outcome_of(a, err);
    units_coverage[a->kind][a->outcome]++;
    sim_trace(r->world, "completed", (uint64_t)(a - r->asks) << 8 | a->outcome);
    units_say(r, "  %d (%s %u) on %d: %s %s", (int)(a - r->asks), units_kind_names[a->kind], a->part.token,
              (int)(a->line - r->lines), units_outcome_names[a->outcome], err->message);
    check_order(a);
    if (a->outcome != O_OK)
        check_error(a, err);
    a->line->is_astray |= a->kind == K_ATOMIC && err->code != TUSK_OK && err->fate == TUSK_FATE_UNKNOWN;
    check_answer(a, err);
    if (a->due_us && a->has_done)
        units_must(r, sim_now(r->world) <= a->due_us + LATE_US, "%u ends behind its deadline", a->part.token);
}

void units_let_go(ask *a)
{
    tusk_query *q = a->q;
    run *r = a->run;

    if (!a->is_over) {
        a->is_over = a->is_freed = true;
        units_coverage[a->kind][O_FREED]++;
        if (units_is_stack(a->kind))
            units_note_stack_writes(a, NULL);
        if (units_is_load(a->kind))
            units_note_load_writes(a, NULL);
        if (a->kind == K_INSERT)
            units_note_write(r, a->part.token, a->level, V_UNSURE, 0);
        if (a->ends && a->ends->verdict == V_OPEN)
            a->ends->verdict = V_UNSURE;
        a->line->is_astray |= a->kind >= K_COMMIT && a->kind <= K_ATOMIC;
        if (a->cursor)
            a->cursor->is_certain = false;
    }
    a->q = NULL;
    r->is_calling = true;
    tusk_query_free(q);
    r->is_calling = false;
}

/* What has no callback is asked; what had to be over by now is. */
void units_poll_asks(run *r)
{
    for (size_t i = r->n_over; i < r->n_asks; i++) {
        ask *a = &r->asks[i];

        if (a->q && !a->has_done && !a->is_over && tusk_query_is_done(a->q)) {
            units_completed(a, a->q);
            if (units_chance(r, 800))
                units_let_go(a);
        }
        units_must(r, a->is_over || !a->is_canceled || r->n_turns <= a->canceled_turn + 1,
                   "%u was canceled, and goes on", a->part.token);
        units_must(r, a->is_over || !a->due_us || sim_now(r->world) <= a->due_us + LATE_US,
                   "%u goes on behind its deadline", a->part.token);
    }
    while (r->n_over < r->n_asks && r->asks[r->n_over].is_over)
        r->n_over++;
}
