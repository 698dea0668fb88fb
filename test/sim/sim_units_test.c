/* What belongs together, in a simulated world: transactions and savepoints, stacks, cursors, statements that the connection keeps
 * prepared, and full queues. The oracle: each request ends exactly once with its own answer, and the server's ledger agrees with
 * what was told of each insert: kept if its commit was told as success, undone if it was not, and never a part of what is whole.
 * Read first: docs/internals/sim.md, test/sim/pg_server.h; sim_driver_test.c plays single requests. */
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/harness/harness.h"
#include "test/sim/pg_server.h"
#include "test/sim/seeds.h"
#include "tusk/tusk.h"

enum {
    N_OPS = 150,
    MAX_LINES = 40,
    MAX_ASKS = 1200,
    MAX_LEVELS = 600,
    MAX_WRITES = 3000,
    MAX_CURSORS = 100,
    MAX_ATTEMPTS_SEEN = 200,
    MAX_PARTS = 3000,
    LIVE_US = 10 * 1000000, /* all must be finished so long after the last fault */
    LATE_US = 10 * 1000,    /* a deadline may be missed by so much */
};

typedef enum kind {
    K_ROW,
    K_ROWS,
    K_ECHO,
    K_NOBIN,
    K_SLEEP,
    K_ERROR,
    K_PATH,
    K_INSERT,
    K_N_STATEMENTS,
    K_DISCARD = K_N_STATEMENTS,
    K_BEGIN,
    K_COMMIT,
    K_NESTED_COMMIT,
    K_ROLLBACK,
    K_ATOMIC,
    K_ATOMIC_INSIDE,
    K_CONTINUE,
    K_CONTINUE_INSIDE,
    K_FETCH,
    K_MOVE,
    K_TRANSACT,
    K_DRAINED,
    K_CLOSE,
    N_KINDS
} kind;

static const char *const kind_names[N_KINDS] = {
    "row",         "rows",  "echo",   "nobin",    "sleep",    "error",  "path",      "insert",
    "discard",     "begin", "commit", "nested",   "rollback", "atomic", "atomic/in", "continue",
    "continue/in", "fetch", "move",   "transact", "drained",  "close"};

typedef enum outcome {
    O_OK,
    O_SERVER,
    O_RETRY, /* the server's error, and the driver says what to repeat */
    O_CANCELED,
    O_TIMEOUT,
    O_LOST,
    O_NOT_SENT, /* one of these three, and no byte has left */
    O_UNKNOWN,  /* commit */
    O_ROLLED_BACK,
    O_STATE,
    O_FULL,
    O_NO_CONNECTION,
    O_OWN, /* of a transaction: the reason that its function gave */
    O_FREED,
    N_OUTCOMES
} outcome;

static const char *const outcome_names[N_OUTCOMES] = {"ok",   "server",   "retry",   "canceled", "timeout",
                                                      "lost", "not sent", "unknown", "rolledb",  "state",
                                                      "full", "no conn",  "own",     "freed"};

/* What became of a transaction, or of one insert in its own eyes. */
typedef enum verdict { V_OPEN, V_KEPT, V_UNDONE, V_UNSURE } verdict;

typedef struct run run;
typedef struct level level;

typedef struct line {
    run *run;
    tusk_conn *conn;                    /* NULL: freed */
    level *level;                       /* the innermost that is open, as submitted */
    bool is_closing, is_fresh, is_busy; /* busy: a function of tusk_transact() has the transaction */
    int n_closed;
} line;

struct level {
    level *parent;
    verdict verdict;
    int seen; /* of its certain inserts: 0 none, 1 applied, 2 not */
};

typedef struct write {
    uint32_t token;
    level *level;   /* NULL: by itself */
    verdict own;    /* KEPT: it ran; UNDONE: it did not, or was undone by its stack */
    uint32_t group; /* those of the same are there together or not at all; 0: alone */
} write;

typedef struct part {
    kind kind;
    uint32_t token, number, operation;
} part;

typedef struct cursor {
    tusk_cursor *cursor; /* NULL: freed */
    line *line;
    uint32_t token, number, at;
    bool is_walked, is_certain;
} cursor;

typedef struct ask {
    run *run;
    kind kind;
    line *line;
    level *level, *ends; /* in which it is; which it ends */
    cursor *cursor;
    tusk_query *q; /* NULL: not ours any more */
    part part;
    size_t first_part, n_parts; /* of a stack */
    uint32_t first_group;
    bool has_done, is_over, is_freed, is_canceled, is_aside, was_full, was_closed;
    size_t canceled_turn;
    int64_t due_us;
    outcome outcome;
    bool has_failed; /* what is around it cannot be told as a success */
} ask;

/* tusk_transact() and tusk_transact_start(): the attempt that is being made. */
typedef struct attempts {
    run *run;
    line *line;
    tusk_attempt *attempt; /* NULL: none that has to be ended */
    level *level;          /* of the last one */
    unsigned n, max;
    ask *ask;
} attempts;

struct run {
    uint64_t seed;
    sim_world *world;
    pg_server *server;
    tusk_loop *loop;
    bool is_faulty, has_stalls, is_calm, is_inside, is_ending, is_calling;
    int n_ops;
    size_t n_turns;
    uint32_t n_tokens, n_groups;
    line lines[MAX_LINES];
    level levels[MAX_LEVELS];
    write writes[MAX_WRITES];
    part parts[MAX_PARTS];
    cursor cursors[MAX_CURSORS];
    ask asks[MAX_ASKS];
    attempts attempts[MAX_ATTEMPTS_SEEN];
    int group_seen[MAX_WRITES];
    size_t n_lines, n_levels, n_writes, n_parts, n_cursors, n_asks, n_over, n_attempts;
};

static size_t coverage[N_KINDS][N_OUTCOMES];
static pg_counts totals;
static struct {
    size_t walks, walked_rows, again, kept, undone, unsure, failed_operations, not_run_operations, blocking,
        refused_cursors;
} seen;
static bool is_logging;

__attribute__((format(printf, 2, 3))) static void say(const run *r, const char *fmt, ...)
{
    va_list args;

    if (!is_logging)
        return;
    va_start(args, fmt);
    fprintf(stderr, "%10.6f ", (double)sim_now(r->world) / 1e6);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
    va_end(args);
}

__attribute__((format(printf, 3, 4))) static void must(const run *r, bool is_true, const char *fmt, ...)
{
    char text[500];
    va_list args;

    if (is_true)
        return;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    ck_abort_msg("seed %llu at %.6f s: %s; replay: TUSK_SIM_SEED=%llu TUSK_SIM_LOG=1 CK_FORK=no",
                 (unsigned long long)r->seed, (double)sim_now(r->world) / 1e6, text, (unsigned long long)r->seed);
}

static uint32_t any(run *r, uint32_t n)
{
    return (uint32_t)sim_random(r->world, n);
}

static bool chance(run *r, int permille)
{
    return sim_chance(r->world, permille);
}

/* ---- transactions as the caller sees them ------------------------------------------------------------------------------------- */

static level *push_level(line *l)
{
    run *r = l->run;
    level *made = &r->levels[r->n_levels++];

    must(r, r->n_levels < MAX_LEVELS, "too many transactions");
    *made = (level){.parent = l->level};
    return l->level = made;
}

static level *pop_level(line *l)
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
        if (lv->verdict == V_UNDONE || lv->verdict == V_OPEN)
            return V_UNDONE;
        if (lv->verdict == V_UNSURE)
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

static void note_write(run *r, uint32_t token, level *lv, verdict own, uint32_t group)
{
    must(r, r->n_writes < MAX_WRITES, "too many inserts");
    r->writes[r->n_writes++] = (write){token, lv, own, group};
}

/* ---- rows --------------------------------------------------------------------------------------------------------------------- */

static bool is_own_row(const tusk_row *row, uint32_t token, uint32_t number, bool is_echo)
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
static void check_rows(const ask *a, const part *p, uint32_t from, uint32_t n)
{
    tusk_row row;
    uint32_t at = 0;

    for (; tusk_next_row(a->q, &row); at++)
        must(a->run, at < n && is_own_row(&row, p->token, from + at, p->kind == K_ECHO),
             "%s %u got another's row, or one too many", kind_names[p->kind], p->token);
    must(a->run, at == n, "%s %u has %u rows instead of %u", kind_names[p->kind], p->token, at, n);
}

static uint32_t rows_of(const part *p)
{
    return p->kind == K_ROWS ? p->number : p->kind == K_INSERT || p->kind == K_ERROR || p->kind == K_DISCARD ? 0 : 1;
}

static void check_part(const ask *a, const part *p)
{
    const pg_fact *fact = pg_fact_of(a->run->server, p->token);

    must(a->run, p->kind != K_ERROR, "%u cannot succeed", p->token);
    must(a->run,
         p->kind == K_DISCARD || (fact->is_answered && (fact->n_run == 1 || (fact->n_run == 2 && fact->owns_tx))),
         "%s %u succeeds, but was run %d times", kind_names[p->kind], p->token, fact->n_run);
    if (p->kind == K_INSERT)
        must(a->run, tusk_query_rows_affected(a->q) == (int64_t)p->token, "insert %u has another's tag", p->token);
    check_rows(a, p, 0, rows_of(p));
}

/* ---- stacks ------------------------------------------------------------------------------------------------------------------- */

static verdict verdict_by(const tusk_error *err)
{
    if (err->code == TUSK_OK)
        return V_KEPT;
    return err->fate == TUSK_FATE_UNKNOWN ? V_UNSURE : V_UNDONE;
}

/* The server's error is about one of its own statements, or, 0, about one of ours. */
static void check_server_error(const run *r, const tusk_error *err, const part *parts, size_t n)
{
    uint32_t token = 0;
    bool is_own = false;

    if (strcmp(err->sqlstate, "25P02") == 0 && strncmp(err->message, "not run: ", 9) == 0)
        return;
    if (sscanf(err->message, "token %u", &token) != 1)
        return; /* one of the driver's own: of a BEGIN that failed, say */
    for (size_t i = 0; i < n; i++)
        is_own |= parts[i].token == token;
    must(r, token == 0 || is_own, "somebody got the error of %u", token);
    must(r, strcmp(err->sqlstate, "57014") != 0, "a request was hit by another's cancel");
    must(r, strcmp(err->sqlstate, "42P05") != 0, "a name was used twice");
}

static void note_stack_writes(const ask *a, const tusk_error *const *errors)
{
    run *r = a->run;
    bool is_atomic = a->kind == K_ATOMIC || a->kind == K_ATOMIC_INSIDE;

    for (size_t i = 0; i < a->n_parts; i++) {
        const part *p = &r->parts[a->first_part + i];
        const tusk_error *err = errors ? errors[i] : tusk_query_error(a->q);
        if (p->kind == K_INSERT)
            note_write(r, p->token, a->level, a->is_freed ? V_UNSURE : verdict_by(err),
                       a->first_group + (is_atomic ? 0 : p->operation));
    }
}

/* Of a stack that continues, nobody is undone, or not run, because of another operation. */
static void check_alone(const run *r, const part *p, const tusk_error *err)
{
    bool is_not_run = strncmp(err->message, "not run: ", 9) == 0;

    must(r, (err->code != TUSK_ERR_ROLLED_BACK && !is_not_run) || err->item == (int)p->operation || err->item < 0,
         "operation %u ends because of operation %d", p->operation, (int)err->item);
}

/* An operation has failed, and its stack is undone: the transaction around it goes on. */
static void check_around(const ask *a, const tusk_error *err)
{
    tusk_conn *conn = a->line->conn;
    uint32_t token = 0;

    if (a->kind != K_ATOMIC_INSIDE || !a->has_done || err->code != TUSK_ERR_SERVER ||
        strcmp(err->sqlstate, "25P02") == 0 || tusk_conn_get_state(conn) != TUSK_CONN_READY ||
        sscanf(err->message, "token %u", &token) != 1 || token == 0)
        return;
    must(a->run, tusk_conn_tx_status(conn) == TUSK_TX_IN_TRANSACTION, "a stack has failed its caller's transaction");
}

/* One result for each statement, in order, whatever became of it; none if nothing was sent. */
static void check_stack(ask *a)
{
    run *r = a->run;
    const tusk_error *err = tusk_query_error(a->q), *errors[64];
    bool is_atomic = a->kind == K_ATOMIC || a->kind == K_ATOMIC_INSIDE;
    size_t i = 0;

    if (tusk_query_result_operation(a->q) < 0) {
        must(r, err->code != TUSK_OK, "a stack succeeds without results");
        note_stack_writes(a, NULL);
        return;
    }
    do {
        const part *p = &r->parts[a->first_part + i];
        must(r, i < a->n_parts && tusk_query_result_operation(a->q) == (int)p->operation,
             "result %zu is of operation %d", i, tusk_query_result_operation(a->q));
        errors[i] = tusk_query_result_error(a->q);
        must(r,
             !is_atomic || (err->code != TUSK_ERR_SERVER && err->code != TUSK_ERR_ROLLED_BACK) ||
                 errors[i]->code != TUSK_OK,
             "%u is kept of a stack that failed", p->token);
        must(r, !is_atomic || err->code != TUSK_OK || errors[i]->code == TUSK_OK, "%u failed, and the stack did not",
             p->token);
        if (errors[i]->code == TUSK_OK && err->code == TUSK_OK)
            check_part(a, p);
        else if (errors[i]->code == TUSK_ERR_SERVER)
            check_server_error(r, errors[i], &r->parts[a->first_part], a->n_parts);
        if (!is_atomic)
            check_alone(r, p, errors[i]);
        seen.failed_operations += errors[i]->code == TUSK_ERR_SERVER;
        seen.not_run_operations += errors[i]->code == TUSK_ERR_ROLLED_BACK;
        i++;
    } while (tusk_next_result(a->q));
    if (i < a->n_parts) {
        must(r, err->code != TUSK_OK, "the stack has %zu results of %zu", i, a->n_parts);
        for (size_t left = i; left < a->n_parts; left++)
            errors[left] = err;
    }
    note_stack_writes(a, errors);
    check_around(a, err);
}

/* ---- completion ------------------------------------------------------------------------------------------------------------------ */

static bool is_stack(kind k)
{
    return k >= K_ATOMIC && k <= K_CONTINUE_INSIDE;
}

static outcome outcome_of(const ask *a, const tusk_error *err)
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
        must(a->run, false, "%s %u ends with %s: %s", kind_names[a->kind], a->part.token, tusk_code_name(err->code),
             err->message);
        return O_OK;
    }
}

/* What ended a transaction: kept only if it was told so, unsure where nobody can know. */
static void judge_level(ask *a, const tusk_error *err)
{
    if (!a->ends || a->ends->verdict != V_OPEN)
        return;
    a->ends->verdict = verdict_by(err);
    seen.kept += a->ends->verdict == V_KEPT;
    seen.unsure += a->ends->verdict == V_UNSURE;
    a->has_failed = a->kind != K_TRANSACT && err->code != TUSK_OK && a->ends->verdict == V_UNDONE;
}

static void check_fetch(ask *a, bool is_ok)
{
    cursor *c = a->cursor;
    uint32_t left = c->number - c->at, n = a->part.number < left ? a->part.number : left;

    c->is_certain &= is_ok;
    if (!c->is_certain)
        return;
    if (a->kind == K_FETCH)
        check_rows(a, &(part){K_ROWS, c->token, c->number, 0}, c->at, n);
    else
        must(a->run, tusk_query_rows_affected(a->q) == (int64_t)n, "moved over %lld rows instead of %u",
             (long long)tusk_query_rows_affected(a->q), n);
    c->at += n;
}

/* All that was submitted before it on its connection has ended, but for what was given up. */
static void check_order(const ask *a)
{
    const run *r = a->run;

    if (a->is_canceled || a->is_aside || a->was_full || (a->due_us && sim_now(r->world) >= a->due_us))
        return;
    for (const ask *b = r->asks + r->n_over; b < a; b++)
        must(r,
             b->line != a->line || b->is_over || b->is_canceled || b->is_aside || b->was_full || !b->q ||
                 (!b->has_done && tusk_query_is_done(b->q)),
             "%s %u ends before %s %u", kind_names[a->kind], a->part.token, kind_names[b->kind], b->part.token);
}

static void check_error(const ask *a, const tusk_error *err)
{
    const run *r = a->run;
    int64_t now_us = sim_now(r->world);
    bool ends_line = a->line->is_closing || r->is_ending;
    bool is_not_run = strncmp(err->message, "not run: ", 9) == 0; /* with the code of what was in front */

    must(r, err->sqlstate[0] && err->message[0], "an error says nothing");
    must(r, !a->line->is_fresh, "%s %u on a fresh connection: %s", kind_names[a->kind], a->part.token, err->message);
    if (err->code == TUSK_ERR_SERVER && !is_stack(a->kind) && a->kind != K_TRANSACT)
        check_server_error(r, err, &a->part, 1);
    if (err->code == TUSK_ERR_CANCELED && a->kind != K_TRANSACT)
        must(r, a->is_canceled || ends_line || is_not_run, "%s %u is canceled by nobody", kind_names[a->kind],
             a->part.token);
    if (err->code == TUSK_ERR_TIMEOUT && !is_not_run)
        must(r, a->due_us && now_us >= a->due_us, "%s %u ends before its deadline", kind_names[a->kind], a->part.token);
    if (a->outcome == O_LOST || a->outcome == O_UNKNOWN)
        must(r, r->is_faulty, "%s %u is lost for no reason: %s", kind_names[a->kind], a->part.token, err->message);
    if (a->outcome == O_FULL && a->kind != K_TRANSACT)
        must(r, err->fate == TUSK_FATE_NOT_SENT, "%u was not queued, but sent", a->part.token);
    if (a->outcome == O_STATE)
        must(r,
             ends_line || a->kind >= K_BEGIN || a->level ||
                 (a->line->conn && tusk_conn_get_state(a->line->conn) >= TUSK_CONN_CLOSING),
             "%s %u: %s", kind_names[a->kind], a->part.token, err->message);
    if (err->fate == TUSK_FATE_NOT_SENT && a->kind < K_N_STATEMENTS)
        must(r, pg_fact_of(r->server, a->part.token)->n_run == 0, "%u was run, but told as not sent", a->part.token);
}

static void check_answer(ask *a, const tusk_error *err)
{
    bool is_ok = err->code == TUSK_OK;

    if (is_stack(a->kind)) {
        check_stack(a);
    } else if (a->kind == K_FETCH || a->kind == K_MOVE) {
        check_fetch(a, is_ok);
    } else if (a->kind <= K_DISCARD && is_ok) {
        check_part(a, &a->part);
    }
    if (a->kind == K_INSERT)
        note_write(a->run, a->part.token, a->level, verdict_by(err), 0);
    a->has_failed = a->kind <= K_MOVE && !is_ok && a->kind != K_ROLLBACK && a->kind != K_COMMIT &&
                    (err->fate == TUSK_FATE_NOT_SENT || (err->code == TUSK_ERR_SERVER && !is_stack(a->kind)));
    judge_level(a, err);
}

static void completed(ask *a, tusk_query *q)
{
    run *r = a->run;
    const tusk_error *err = tusk_query_error(q);

    must(r, !r->is_calling, "%s %u completes inside a call", kind_names[a->kind], a->part.token);
    must(r, !a->is_over && !a->is_freed, "%s %u completes twice, or though freed", kind_names[a->kind], a->part.token);
    must(r, !a->is_canceled || err->code != TUSK_OK || a->is_aside, "%u was canceled, and succeeds", a->part.token);
    a->is_over = true;
    a->outcome = outcome_of(a, err);
    coverage[a->kind][a->outcome]++;
    sim_trace(r->world, "completed", (uint64_t)(a - r->asks) << 8 | a->outcome);
    say(r, "  %d (%s %u) on %d: %s %s", (int)(a - r->asks), kind_names[a->kind], a->part.token,
        (int)(a->line - r->lines), outcome_names[a->outcome], err->message);
    check_order(a);
    if (a->outcome != O_OK)
        check_error(a, err);
    check_answer(a, err);
    if (a->due_us && a->has_done)
        must(r, sim_now(r->world) <= a->due_us + LATE_US, "%u ends behind its deadline", a->part.token);
}

static void let_go(ask *a)
{
    tusk_query *q = a->q;
    run *r = a->run;

    if (!a->is_over) {
        a->is_over = a->is_freed = true;
        coverage[a->kind][O_FREED]++;
        if (is_stack(a->kind))
            note_stack_writes(a, NULL);
        if (a->kind == K_INSERT)
            note_write(r, a->part.token, a->level, V_UNSURE, 0);
        if (a->ends && a->ends->verdict == V_OPEN)
            a->ends->verdict = V_UNSURE;
        if (a->cursor)
            a->cursor->is_certain = false;
    }
    a->q = NULL;
    r->is_calling = true;
    tusk_query_free(q);
    r->is_calling = false;
}

/* What has no callback is asked; what had to be over by now is. */
static void poll_asks(run *r)
{
    for (size_t i = r->n_over; i < r->n_asks; i++) {
        ask *a = &r->asks[i];

        if (a->q && !a->has_done && !a->is_over && tusk_query_is_done(a->q)) {
            completed(a, a->q);
            if (chance(r, 800))
                let_go(a);
        }
        must(r, a->is_over || !a->is_canceled || r->n_turns <= a->canceled_turn + 1, "%u was canceled, and goes on",
             a->part.token);
        must(r, a->is_over || !a->due_us || sim_now(r->world) <= a->due_us + LATE_US, "%u goes on behind its deadline",
             a->part.token);
    }
    while (r->n_over < r->n_asks && r->asks[r->n_over].is_over)
        r->n_over++;
}

/* ---- acting -------------------------------------------------------------------------------------------------------------------------- */

static void act(run *r);

static void act_in_callback(run *r, int permille)
{
    bool was_inside = r->is_inside;

    r->is_inside = true;
    while (!r->is_ending && !r->is_calm && chance(r, permille))
        act(r);
    r->is_inside = was_inside;
}

static void on_done(tusk_query *q, void *user)
{
    ask *a = user;

    a->q = q;
    completed(a, q);
    act_in_callback(a->run, 200);
    a->q = NULL;
}

static ask *new_ask(line *l, kind k)
{
    run *r = l->run;
    ask *a = &r->asks[r->n_asks++];

    must(r, r->n_asks < MAX_ASKS && r->n_tokens < PG_MAX_TOKENS - 64, "too many requests");
    *a = (ask){.run = r, .kind = k, .line = l, .level = l->level, .outcome = N_OUTCOMES};
    a->was_closed = l->conn && tusk_conn_get_state(l->conn) == TUSK_CONN_CLOSED;
    a->was_full = l->conn && tusk_conn_get_state(l->conn) < TUSK_CONN_CLOSING && !tusk_conn_is_writable(l->conn);
    return a;
}

/* The request's query, which may have a callback. */
static ask *take(ask *a, tusk_query *q)
{
    run *r = a->run;

    must(r, q != NULL, "out of memory");
    a->q = q;
    sim_trace(r->world, "submit", (uint64_t)a->kind);
    say(r, "%d: %s %u on %d%s due %.6f", (int)(a - r->asks), kind_names[a->kind], a->part.token,
        (int)(a->line - r->lines), a->has_done ? " done" : "", (double)a->due_us / 1e6);
    return a;
}

static ask *take_with_done(ask *a, tusk_query *q)
{
    a->has_done = chance(a->run, 400);
    if (a->has_done && q)
        tusk_query_on_done(q, on_done, a);
    return take(a, q);
}

/* Few texts, so that they are met again; the token comes as $1. */
static part any_part(run *r, kind k, uint32_t operation, char *sql, size_t size, bool in_text)
{
    static const uint32_t numbers[] = {0, 3, 17};
    static const uint32_t errors[] = {22012, 40001};
    part p = {k, ++r->n_tokens, 0, operation};
    char token[24];

    p.number = k == K_ROWS    ? numbers[any(r, 3)]
               : k == K_ERROR ? errors[any(r, 2)]
               : k == K_SLEEP ? 500 + 4000 * any(r, 2)
                              : 0;
    (void)snprintf(token, sizeof token, in_text ? "#%u" : "$1", p.token);
    (void)snprintf(sql, size, "%s %s%s %u", kind_names[k], token, k == K_ECHO ? " $2" : "", p.number);
    return p;
}

static size_t any_values(const part *p, char echo[32], tusk_value values[2])
{
    (void)snprintf(echo, 32, "echo %u", p->token);
    values[0] = tusk_int8(p->token);
    values[1] = tusk_text(echo);
    return p->kind == K_ECHO ? 2 : 1;
}

static int64_t any_timeout(run *r, ask *a, double *timeout)
{
    if (a->line->is_fresh || !chance(r, 200))
        return 0;
    *timeout = (1 + any(r, chance(r, 500) ? 20 : 2000)) / 1e3;
    return a->due_us = sim_now(r->world) + (int64_t)(*timeout * 1e6);
}

static kind any_statement(run *r)
{
    static const kind kinds[] = {K_ROW,   K_ROWS, K_ROWS,   K_ECHO,   K_NOBIN,  K_SLEEP,
                                 K_ERROR, K_PATH, K_INSERT, K_INSERT, K_INSERT, K_INSERT};

    return kinds[any(r, sizeof kinds / sizeof kinds[0])];
}

static ask *submit_statement(line *l, kind k)
{
    run *r = l->run;
    ask *a = new_ask(l, k);
    tusk_request request = {.user = a};
    tusk_value values[2];
    char sql[100], echo[32];

    if (k == K_DISCARD)
        (void)snprintf(sql, sizeof sql, "discard all");
    else
        a->part = any_part(r, k, 0, sql, sizeof sql, false);
    a->part.kind = k;
    request.sql = sql;
    request.params = tusk_params_of(values, k == K_DISCARD ? 0 : any_values(&a->part, echo, values));
    request.text_results = !l->is_fresh && chance(r, 100);
    request.cancelable = !l->is_fresh && chance(r, 60);
    (void)any_timeout(r, a, &request.timeout);
    a->has_done = chance(r, 500);
    request.on_done = a->has_done ? on_done : NULL;
    return take(a, tusk_submit(l->conn, &request));
}

/* A statement, one with several sets of values, or a script. */
static void push_operation(run *r, ask *a, tusk_stack *stack, uint32_t operation)
{
    static const kind kinds[] = {K_ROW, K_ROWS, K_ECHO, K_PATH, K_INSERT, K_INSERT, K_INSERT, K_INSERT, K_INSERT};
    kind k = chance(r, 60) ? K_ERROR : kinds[any(r, sizeof kinds / sizeof kinds[0])];
    bool is_script = k != K_ECHO && chance(r, 100);
    uint32_t n = is_script || chance(r, 200) ? 1 + any(r, 3) : 1;
    char first[100] = "", sql[100], script[400] = "", echo[3][32];
    tusk_value values[3][2];
    tusk_params sets[3];
    size_t len = 0;

    for (uint32_t i = 0; i < n; i++) {
        part p = any_part(r, k, operation, sql, sizeof sql, is_script);
        if (i == 0)
            (void)snprintf(first, sizeof first, "%s", sql);
        else if (!is_script)
            p.number = r->parts[r->n_parts - 1].number; /* the text is the first one's */
        must(r, r->n_parts < MAX_PARTS, "too many statements");
        r->parts[r->n_parts++] = p;
        a->n_parts++;
        sets[i] = tusk_params_of(values[i], any_values(&p, echo[i], values[i]));
        len += (size_t)snprintf(script + len, sizeof script - len, "%s%s", i ? "; " : "", sql);
    }
    must(r,
         (is_script ? tusk_stack_push_script(stack, script) : tusk_stack_push_many(stack, first, sets, n)) == TUSK_OK,
         "an operation is refused");
}

static ask *submit_stack(line *l, tusk_stack_mode mode)
{
    run *r = l->run;
    kind outside = mode == TUSK_STACK_ATOMIC ? K_ATOMIC : K_CONTINUE;
    ask *a = new_ask(l, l->level ? outside + 1 : outside);
    tusk_stack *stack = tusk_stack_new(l->conn);
    tusk_stack_options options = {.mode = mode, .user = a};
    uint32_t n = 1 + any(r, 5);

    must(r, stack != NULL, "out of memory");
    a->first_part = r->n_parts;
    a->first_group = r->n_groups + 1;
    r->n_groups += n;
    for (uint32_t i = 0; i < n; i++)
        push_operation(r, a, stack, i);
    for (size_t i = 0; i < a->n_parts && a->kind == K_ATOMIC; i++)
        pg_let_repeat(r->server, r->parts[a->first_part + i].token);
    a->part.token = r->parts[a->first_part].token;
    options.text_results = chance(r, 200);
    if (mode == TUSK_STACK_ATOMIC && !l->level && chance(r, 300))
        options.transaction.isolation = TUSK_SERIALIZABLE;
    (void)any_timeout(r, a, &options.timeout);
    a->has_done = chance(r, 500);
    options.on_done = a->has_done ? on_done : NULL;
    (void)take(a, tusk_stack_submit(stack, &options));
    tusk_stack_free(stack);
    return a;
}

static void begin_level(line *l)
{
    ask *a = new_ask(l, K_BEGIN);
    tusk_transaction options = {.isolation =
                                    chance(l->run, 300) && !l->level ? TUSK_SERIALIZABLE : TUSK_ISOLATION_DEFAULT};

    a->level = push_level(l);
    (void)take_with_done(a, tusk_begin(l->conn, &options));
}

static void end_level(line *l, bool is_commit)
{
    ask *a = new_ask(l, !is_commit ? K_ROLLBACK : l->level->parent ? K_NESTED_COMMIT : K_COMMIT);

    a->ends = pop_level(l);
    a->level = l->level;
    a->was_full = false; /* it is taken in any case */
    if (!is_commit) {
        a->ends->verdict = V_UNDONE; /* also if it never comes there: then nothing around it is kept either */
        seen.undone++;
    }
    (void)take_with_done(a, is_commit ? tusk_commit(l->conn) : tusk_rollback(l->conn));
}

/* ---- transactions that are repeated -------------------------------------------------------------------------------------------- */

static void fill_attempt(line *l)
{
    run *r = l->run;

    for (uint32_t n = any(r, 4); n > 0; n--)
        (void)submit_statement(l, chance(r, 700) ? K_INSERT : any_statement(r));
    if (chance(r, 200))
        (void)submit_stack(l, TUSK_STACK_ATOMIC);
    if (chance(r, 200)) {
        begin_level(l);
        (void)submit_statement(l, K_INSERT);
        end_level(l, chance(r, 500));
    }
}

/* A further one: what was before it is undone. */
static void begin_attempt(attempts *t)
{
    run *r = t->run;

    t->n++;
    must(r, t->n <= t->max, "attempt %u of %u", t->n, t->max);
    must(r, t->n == 1 || t->level->verdict != V_KEPT, "an attempt is repeated that was kept");
    if (t->n > 1) {
        t->level->verdict = V_UNDONE;
        seen.again++;
    }
    t->level = push_level(t->line);
    t->ask->ends = t->level;
    t->line->is_busy = true;
}

static void end_attempt(void *user)
{
    attempts *t = user;
    tusk_attempt *attempt = t->attempt;
    tusk_error err = {.code = TUSK_ERR_VALUE, .sqlstate = "22023", .message = "as we like it"};
    bool is_rollback;

    if (!attempt || t->run->is_ending)
        return;
    is_rollback = chance(t->run, 150);
    t->attempt = NULL;
    t->line->is_busy = false;
    (void)pop_level(t->line);
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
        end_attempt(t);
        t->line->is_busy = was_busy;
        return;
    }
    begin_attempt(t);
    t->attempt = attempt;
    fill_attempt(t->line);
    if (chance(r, 500))
        end_attempt(t);
    else
        must(r, tusk_timer_start(r->loop, any(r, 20) / 1e3, end_attempt, t) != NULL, "no timer");
}

static attempts *new_attempts(line *l, ask *a)
{
    run *r = l->run;
    attempts *t = &r->attempts[r->n_attempts++];

    *t = (attempts){.run = r, .line = l, .ask = a, .max = 1 + any(r, 3)};
    a->is_aside = true;
    return t;
}

static void start_transact(line *l)
{
    run *r = l->run;
    ask *a = new_ask(l, K_TRANSACT);
    attempts *t = new_attempts(l, a);

    (void)take_with_done(a,
                         tusk_transact_start(l->conn, &(tusk_transact_options){.max_attempts = t->max}, on_attempt, t));
    (void)r;
}

static void act(run *r);
static bool ends_by_itself(const run *r, const ask *a);
static void check_world(run *r);

static tusk_code in_transact(tusk_conn *conn, void *user, tusk_error *err)
{
    attempts *t = user;
    ask *a;

    (void)conn;
    begin_attempt(t);
    fill_attempt(t->line);
    a = submit_statement(t->line, chance(t->run, 800) ? K_INSERT : K_ERROR);
    if (a->q && chance(t->run, 700)) {
        bool has_done = a->has_done;
        tusk_code code = tusk_await(a->q);
        if (code != TUSK_OK && !has_done && a->q && tusk_query_is_done(a->q))
            *err = *tusk_query_error(a->q);
    }
    (void)pop_level(t->line);
    t->line->is_busy = false;
    if (err->code != TUSK_OK)
        t->level->verdict = V_UNDONE;
    else if (t->level->verdict == V_UNDONE)
        t->level->verdict = V_OPEN;
    return err->code;
}

/* Its query is the model's alone. */
static void do_transact(line *l)
{
    run *r = l->run;
    ask *a = new_ask(l, K_TRANSACT);
    attempts *t = new_attempts(l, a);
    tusk_error err = {0};
    tusk_code code;

    seen.blocking++;
    r->is_inside = true;
    code = tusk_transact(l->conn, &(tusk_transact_options){.max_attempts = t->max}, in_transact, t, &err);
    r->is_inside = false;
    must(r, code == err.code || code == TUSK_OK, "two codes");
    a->is_over = true;
    a->outcome = outcome_of(a, &err);
    coverage[K_TRANSACT][a->outcome]++;
    say(r, "transact on %d: %s %s", (int)(l - r->lines), outcome_names[a->outcome], err.message);
    judge_level(a, &err);
    check_world(r);
    poll_asks(r);
}

/* ---- cursors --------------------------------------------------------------------------------------------------------------------- */

static void open_cursor(line *l)
{
    run *r = l->run;
    cursor *c = &r->cursors[r->n_cursors];
    tusk_value value;
    char sql[64];

    if (r->n_cursors == MAX_CURSORS)
        return;
    r->n_cursors++;
    *c = (cursor){.line = l, .token = ++r->n_tokens, .number = any(r, 150), .is_certain = true};
    value = tusk_int8(c->token);
    (void)snprintf(sql, sizeof sql, "rows $1 %u", c->number);
    c->cursor = tusk_cursor_open(l->conn, &(tusk_cursor_request){.sql = sql,
                                                                 .params = tusk_params_of(&value, 1),
                                                                 .hold = chance(r, l->level ? 200 : 900),
                                                                 .batch_rows = 1 + (int)any(r, 60)});
    must(r, c->cursor != NULL, "out of memory");
    say(r, "cursor %u of %u rows on %d", c->token, c->number, (int)(l - r->lines));
}

static void free_cursor(cursor *c)
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
    seen.walks++;
    r->is_inside = true;
    for (uint32_t n = any(r, 100); n > 0 && c->cursor && tusk_cursor_next_row(c->cursor, &row); n--) {
        must(r, is_own_row(&row, c->token, c->at, false), "cursor %u has another's row, or lost one before %u",
             c->token, c->at);
        c->at++;
        seen.walked_rows++;
    }
    r->is_inside = false;
    if (c->cursor && tusk_cursor_error(c->cursor)->code != TUSK_OK)
        seen.refused_cursors++;
    check_world(r);
    poll_asks(r);
}

static void use_cursor(cursor *c)
{
    run *r = c->line->run;
    uint32_t at = any(r, 100);
    bool may_walk = !r->is_inside && !r->has_stalls && c->at == 0;
    ask *a;

    if (at < 15 || !c->line->conn || c->line->is_closing) {
        free_cursor(c);
    } else if (c->is_walked || (may_walk && at < 50)) {
        for (const ask *b = r->asks; b < r->asks + r->n_asks && !c->is_walked; b++)
            if (b->cursor == c)
                return;
        if (!r->is_inside && !r->has_stalls)
            walk(c);
    } else {
        a = new_ask(c->line, at < 85 ? K_FETCH : K_MOVE);
        a->cursor = c;
        a->part = (part){K_ROWS, c->token, 1 + any(r, 40), 0};
        (void)take(a, a->kind == K_FETCH ? tusk_cursor_fetch(c->cursor, (int)a->part.number)
                                         : tusk_cursor_move(c->cursor, (int)a->part.number));
        a->has_done = true; /* in order, as each begins where the last one ended */
        tusk_query_on_done(a->q, on_done, a);
    }
}

/* ---- connections ------------------------------------------------------------------------------------------------------------------- */

static bool is_alive(const line *l)
{
    return l->conn && !l->is_closing && tusk_conn_get_state(l->conn) < TUSK_CONN_CLOSING;
}

/* Behind all its requests. */
static void on_closed(tusk_conn *conn, const tusk_error *err, void *user)
{
    line *l = user;
    run *r = l->run;

    must(r, ++l->n_closed == 1 && conn == l->conn && err->code != TUSK_OK, "on_closed is called without need");
    must(r, r->is_faulty, "connection %d is closed for no reason: %s", (int)(l - r->lines), err->message);
    for (const ask *a = r->asks + r->n_over; a < r->asks + r->n_asks; a++)
        must(r, a->line != l || a->is_over || a->was_closed || a->is_aside || !a->q || tusk_query_is_done(a->q),
             "on_closed is called before %s %u ends", kind_names[a->kind], a->part.token);
    act_in_callback(r, 100);
}

static line *open_line(run *r, bool is_fresh)
{
    static const int sizes[] = {0, 0, TUSK_NONE, 1, 2, 4};
    line *l = &r->lines[r->n_lines++];
    tusk_config config = {.dsn = "host=10.0.0.1 port=5432 user=sim dbname=sim password=secret sslmode=disable",
                          .on_closed = on_closed,
                          .user_data = l};

    must(r, r->n_lines < MAX_LINES, "too many connections");
    *l = (line){.run = r, .is_fresh = is_fresh};
    config.statement_cache_size = sizes[any(r, 6)];
    if (!is_fresh && chance(r, 200))
        config.max_queued_requests = 1 + (int)any(r, 8);
    if (!is_fresh && chance(r, 100))
        config.max_queued_bytes = 1 + any(r, 1500);
    l->conn = tusk_conn_open(r->loop, &config);
    must(r, l->conn != NULL, "out of memory");
    say(r, "connect %d, cache %d", (int)(l - r->lines), config.statement_cache_size);
    return l;
}

static void close_line(line *l)
{
    ask *a = new_ask(l, K_CLOSE);

    l->is_closing = true;
    a->is_aside = true;
    (void)take_with_done(a, tusk_close(l->conn));
}

static line *any_line(run *r)
{
    line *alive = NULL;
    uint32_t n = 0;

    for (size_t i = 0; i < r->n_lines; i++)
        if (is_alive(&r->lines[i]) && any(r, ++n) == 0)
            alive = &r->lines[i];
    if (r->n_lines < MAX_LINES - 4 && (!alive || (n < 2 && chance(r, 20))))
        return open_line(r, false);
    return alive;
}

static ask *any_ask(run *r)
{
    ask *found = NULL;
    uint32_t n = 0;

    for (size_t i = r->n_over; i < r->n_asks; i++)
        if (r->asks[i].q && !r->asks[i].is_over && any(r, ++n) == 0)
            found = &r->asks[i];
    return found;
}

static cursor *any_cursor(run *r)
{
    cursor *found = NULL;
    uint32_t n = 0;

    for (size_t i = 0; i < r->n_cursors; i++)
        if (r->cursors[i].cursor && any(r, ++n) == 0)
            found = &r->cursors[i];
    return found;
}

static void check_world(run *r)
{
    const char *trouble = sim_trouble(r->world), *complaint = pg_complaint(r->server);

    must(r, !trouble, "%s", trouble ? trouble : "");
    must(r, !complaint, "%s", complaint ? complaint : "");
}

static bool ends_by_itself(const run *r, const ask *a)
{
    return (a->due_us || !r->has_stalls) && a->kind != K_TRANSACT && a->kind != K_DRAINED;
}

static void cancel(ask *a)
{
    if (tusk_query_is_done(a->q))
        return;
    say(a->run, "cancel %d", (int)(a - a->run->asks));
    a->is_canceled = true;
    if (a->cursor)
        a->cursor->is_certain = false;
    a->canceled_turn = a->run->n_turns;
    a->run->is_calling = true;
    tusk_query_cancel(a->q);
    a->run->is_calling = false;
}

/* The end of a transaction is not taken back: what is begun would stay. */
static void use_ask(ask *a)
{
    run *r = a->run;
    uint32_t at = any(r, 100);

    if (at < 20 && !a->ends && a->kind != K_TRANSACT && a->kind != K_CLOSE) {
        cancel(a);
    } else if (at < 35 && (a->kind != K_TRANSACT || a->is_over)) {
        let_go(a);
    } else if (at < 70 && !r->is_inside && ends_by_itself(r, a)) {
        r->is_inside = true;
        (void)tusk_await(a->q);
        r->is_inside = false;
        check_world(r);
        poll_asks(r);
    }
}

static void use_transaction(line *l)
{
    run *r = l->run;
    int depth = 0;

    for (const level *lv = l->level; lv; lv = lv->parent)
        depth++;
    if (l->is_busy)
        (void)submit_statement(l, any_statement(r));
    else if (depth == 0 || (depth < 3 && chance(r, 300)))
        begin_level(l);
    else
        end_level(l, chance(r, 750));
}

static void use_line(line *l)
{
    run *r = l->run;
    uint32_t at = any(r, 1000);

    if (at < 4 && !l->is_busy)
        close_line(l);
    else if (at < 30) {
        ask *a = new_ask(l, K_DRAINED);
        a->is_aside = true;
        (void)take_with_done(a, tusk_conn_drained(l->conn));
    } else if (at < 45)
        (void)submit_statement(l, K_DISCARD);
    else if (at < 90)
        open_cursor(l);
    else if (at < 130 && r->n_attempts < MAX_ATTEMPTS_SEEN)
        start_transact(l);
    else if (at < 150 && !r->is_inside && !r->has_stalls && !l->is_busy && r->n_attempts < MAX_ATTEMPTS_SEEN)
        do_transact(l);
    else if (at < 330)
        use_transaction(l);
    else if (at < 480)
        (void)submit_stack(l, chance(r, 500) ? TUSK_STACK_ATOMIC : TUSK_STACK_CONTINUE);
    else
        (void)submit_statement(l, any_statement(r));
}

static void act(run *r)
{
    uint32_t at = any(r, 100);
    ask *a = at < 12 ? any_ask(r) : NULL;
    cursor *c = at >= 12 && at < 22 ? any_cursor(r) : NULL;
    line *l;

    if (r->n_ops >= N_OPS * 3)
        return;
    r->n_ops++;
    if (a) {
        use_ask(a);
    } else if (c) {
        use_cursor(c);
    } else {
        l = any_line(r);
        if (l)
            use_line(l);
    }
}

/* ---- a run --------------------------------------------------------------------------------------------------------------------------- */

static void turn(run *r, double max_wait)
{
    tusk_error err = {0};
    tusk_code code = tusk_loop_turn(r->loop, max_wait, &err);

    r->n_turns++;
    check_world(r);
    must(r, code == TUSK_OK, "turn: %s", err.message);
    poll_asks(r);
}

static void on_cancel(uint32_t token, void *user)
{
    const run *r = user;

    for (const ask *a = r->asks; a < r->asks + r->n_asks; a++) {
        bool is_its = a->part.token == token;
        for (size_t i = 0; i < a->n_parts; i++)
            is_its |= r->parts[a->first_part + i].token == token;
        if (is_its && (a->is_canceled || (a->due_us && sim_now(r->world) >= a->due_us)))
            return;
    }
    must(r, false, "a cancel hits %u, which nobody gave up", token);
}

static void begin(run *r, uint64_t seed)
{
    sim_faults faults = seed % 4 ? sim_faults_of(seed) : sim_harmless_faults_of(seed);
    pg_options options = {.login = PG_TRUST, .user = "sim", .password = "secret"};
    tusk_error err = {0};

    memset(r, 0, sizeof *r);
    r->seed = seed;
    r->world = sim_new(seed, &faults);
    r->is_faulty = seed % 4 != 0;
    r->has_stalls = faults.stall || faults.stall_connect || faults.thread_stalls;
    options.max_cancel_delay_us = any(r, 3) ? (int64_t)any(r, 5000) : 0;
    options.loss = chance(r, 300) ? 60 : 0;
    options.alteration = chance(r, 300) ? 60 : 0;
    options.failure = chance(r, 400) ? 200 : 0;
    if (r->is_faulty) {
        options.mishap = chance(r, 400) ? 8 : 0;
        options.early_death = chance(r, 200) ? 300 : 0;
        options.chatter = chance(r, 200) ? 100 : 0;
    }
    r->server = pg_server_new(r->world, &options);
    pg_watch(r->server, &(pg_watcher){NULL, NULL, on_cancel, r});
    pg_listen(r->server, "10.0.0.1", 5432);
    r->loop = tusk__loop_open_on(sim_os(r->world), &(tusk_loop_config){.allocator = &sim_counting}, &err);
    must(r, r->loop != NULL, "%s", err.message);
}

static size_t n_pending(const run *r)
{
    size_t n = 0;

    for (size_t i = r->n_over; i < r->n_asks; i++)
        n += !r->asks[i].is_over;
    return n;
}

/* What is open is ended, one after the other. */
static void end_levels(run *r)
{
    for (size_t i = 0; i < r->n_attempts; i++)
        end_attempt(&r->attempts[i]);
    for (size_t i = 0; i < r->n_lines; i++)
        while (r->lines[i].level && is_alive(&r->lines[i]))
            end_level(&r->lines[i], chance(r, 700));
}

static void close_all(run *r)
{
    for (size_t i = 0; i < r->n_lines; i++)
        if (r->lines[i].conn && !r->lines[i].is_closing)
            close_line(&r->lines[i]);
}

static void liveness(run *r)
{
    int64_t end_us;
    line *l;

    sim_stop_faults(r->world);
    pg_calm(r->server);
    r->is_calm = true;
    say(r, "calm");
    end_levels(r);
    end_us = sim_now(r->world) + LIVE_US;
    l = open_line(r, true);
    begin_level(l);
    (void)submit_statement(l, K_INSERT);
    (void)submit_statement(l, K_ROWS);
    end_level(l, true);
    for (int i = 0; i < 400 && n_pending(r); i++)
        turn(r, 0.02);
    close_all(r);
    while (n_pending(r)) {
        end_levels(r);
        turn(r, 0.01);
        must(r, sim_now(r->world) < end_us + LIVE_US, "%s %u on %d does not end", kind_names[r->asks[r->n_over].kind],
             r->asks[r->n_over].part.token, (int)(r->asks[r->n_over].line - r->lines));
    }
}

/* ---- the ledger: what was told, and what is ------------------------------------------------------------------------------------ */

static void check_whole(const run *r, int *before, bool is_applied, uint32_t token)
{
    int now = is_applied ? 1 : 2;

    must(r, *before == 0 || *before == now, "insert %u: only a part of what is whole was kept", token);
    *before = now;
}

static void check_writes(run *r)
{
    for (const write *w = r->writes; w < r->writes + r->n_writes; w++) {
        const pg_fact *fact = pg_fact_of(r->server, w->token);
        bool is_applied = fact->is_applied;
        verdict around = verdict_of(w->level);

        must(r, fact->n_run <= (fact->owns_tx ? 2 : 1), "insert %u was run twice", w->token);
        must(r, !is_applied || (w->own != V_UNDONE && around != V_UNDONE),
             "insert %u is there, and was told to be undone", w->token);
        must(r, is_applied || w->own != V_KEPT || around != V_KEPT, "insert %u is not there, and was told to be kept",
             w->token);
        if (w->group && w->own != V_UNDONE && around != V_UNDONE)
            check_whole(r, &r->group_seen[w->group], is_applied, w->token);
        if (w->level && w->own == V_KEPT && around == V_UNSURE && is_certain_up_to_root(w->level))
            check_whole(r, &root_of(w->level)->seen, is_applied, w->token);
    }
}

/* A transaction that was told as kept has nothing in it that failed. */
static void check_commits(const run *r)
{
    for (const ask *a = r->asks; a < r->asks + r->n_asks; a++) {
        must(r, a->is_over || r->is_ending, "%s %u never ends", kind_names[a->kind], a->part.token);
        must(r, !a->has_failed || !a->level || verdict_of(a->level) != V_KEPT,
             "a transaction was told as kept, though %d (%s %u) in it failed", (int)(a - r->asks), kind_names[a->kind],
             a->part.token);
    }
}

static void add_counts(const pg_counts *counts)
{
    size_t *to = (size_t *)&totals;
    const size_t *from = (const size_t *)counts;

    for (size_t i = 0; i < sizeof totals / sizeof *to; i++)
        to[i] += from[i];
}

static void end(run *r)
{
    for (size_t i = 0; i < r->n_cursors; i++)
        if (r->cursors[i].cursor && chance(r, 500))
            free_cursor(&r->cursors[i]);
    say(r, "free the loop");
    r->is_ending = true;
    tusk_loop_free(r->loop);
    check_world(r);
    must(r, sim_open_sockets(r->world) == 0, "%zu sockets are left", sim_open_sockets(r->world));
    check_writes(r);
    check_commits(r);
}

static uint64_t play(uint64_t seed)
{
    static run r;
    long n_before = sim_n_blocks;
    uint64_t hash;

    sim_name_seed_of_crash(seed);
    begin(&r, seed);
    while (r.n_ops < N_OPS) {
        act(&r);
        if (chance(&r, 400))
            turn(&r, chance(&r, 300) ? 0 : any(&r, 20) / 1e3);
    }
    liveness(&r);
    end(&r);
    hash = sim_trace_hash(r.world);
    add_counts(pg_counts_of(r.server));
    sim_free(r.world);
    pg_server_free(r.server);
    ck_assert_msg(sim_n_blocks == n_before, "seed %llu: %ld blocks are left", (unsigned long long)seed,
                  sim_n_blocks - n_before);
    return hash;
}

/* ---- coverage ---------------------------------------------------------------------------------------------------------------------- */

static void print_coverage(void)
{
    printf("%-12s", "");
    for (int o = 0; o < N_OUTCOMES; o++)
        printf("%9s", outcome_names[o]);
    for (int k = 0; k < N_KINDS; k++) {
        printf("\n%-12s", kind_names[k]);
        for (int o = 0; o < N_OUTCOMES; o++)
            printf("%9zu", coverage[k][o]);
    }
    printf("\n%zu transactions kept, %zu undone, %zu unsure, %zu repeated, %zu blocking; %zu operations failed, %zu "
           "undone with their "
           "stack;\n%zu walks, %zu rows, %zu ended by an error; server: %zu runs of named statements, %zu losses, %zu "
           "alterations, "
           "%zu discards, %zu commits failed, %zu savepoints, %zu inserts undone to one, %zu cursors, %zu "
           "portals, %zu mishaps\n",
           seen.kept, seen.undone, seen.unsure, seen.again, seen.blocking, seen.failed_operations,
           seen.not_run_operations, seen.walks, seen.walked_rows, seen.refused_cursors, totals.runs_of_named,
           totals.losses, totals.alterations, totals.discards, totals.failures, totals.savepoints, totals.undone,
           totals.cursors, totals.portals, totals.mishaps);
}

/* What must have happened over a couple of thousand seeds. */
static bool is_expected(kind k, outcome o)
{
    switch (o) {
    case O_OK:
        return k != K_ERROR;
    case O_SERVER:
        return k != K_DRAINED && k != K_CLOSE && k != K_ROLLBACK && k != K_CONTINUE && k != K_CONTINUE_INSIDE;
    case O_RETRY:
        return k == K_ROW || k == K_ROWS || k == K_ECHO || k == K_NOBIN || k == K_INSERT;
    case O_CANCELED:
    case O_TIMEOUT:
        return k < K_N_STATEMENTS || is_stack(k);
    case O_LOST:
        return k < K_N_STATEMENTS || is_stack(k) || k == K_BEGIN || k == K_FETCH;
    case O_NOT_SENT:
        return k != K_CLOSE;
    case O_UNKNOWN:
        return k == K_COMMIT || k == K_ATOMIC || k == K_TRANSACT;
    case O_ROLLED_BACK:
        return k == K_COMMIT || k == K_NESTED_COMMIT || k == K_TRANSACT;
    case O_FULL:
        return k <= K_BEGIN || is_stack(k) || k == K_FETCH || k == K_TRANSACT;
    case O_OWN:
        return k == K_TRANSACT;
    case O_FREED:
        return k != K_TRANSACT;
    case O_STATE:
    case O_NO_CONNECTION:
    case N_OUTCOMES:
        return false;
    }
    return false;
}

static void check_coverage(void)
{
    const size_t counts[] = {seen.kept,
                             seen.undone,
                             seen.unsure,
                             seen.again,
                             seen.blocking,
                             seen.failed_operations,
                             seen.not_run_operations,
                             seen.walks,
                             seen.walked_rows,
                             seen.refused_cursors,
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
            ck_assert_msg(coverage[k][o] || !is_expected((kind)k, (outcome)o), "it never happened: %s, %s",
                          kind_names[k], outcome_names[o]);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        ck_assert_msg(counts[i] > 0, "count %zu of the last lines is 0", i);
}

START_TEST(what_is_told_of_transactions_and_stacks_is_what_the_server_has)
{
    is_logging = harness_number("TUSK_SIM_LOG", 0);
    if (sim_one_seed()) {
        play(sim_one_seed());
        return;
    }
    for (uint64_t seed = sim_first_seed(); seed < sim_first_seed() + sim_n_seeds(); seed++)
        play(seed);
    print_coverage();
    if (sim_n_seeds() >= 2000)
        check_coverage();
}
END_TEST

START_TEST(same_seed_gives_the_same_trace)
{
    if (sim_one_seed())
        return;
    for (uint64_t seed = sim_first_seed(); seed < sim_first_seed() + sim_n_seeds() / 10; seed++) {
        uint64_t hash = play(seed);
        ck_assert_msg(play(seed) == hash, "seed %llu", (unsigned long long)seed);
    }
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("sim_units");
    TCase *t = tcase_create("runs");

    suite_add_tcase(suite, t);
    tcase_set_timeout(t, 3600);
    tcase_add_test(t, what_is_told_of_transactions_and_stacks_is_what_the_server_has);
    tcase_add_test(t, same_seed_gives_the_same_trace);
    return suite;
}
