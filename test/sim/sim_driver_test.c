/* The whole driver in a simulated world: callers that do anything at any time, servers and a network that do so too.
 * Safety: each request completes exactly once, with its own answer, in its order, and with a fate that the server's ledger
 * confirms. Liveness: once the faults stop, everything finishes within ten virtual seconds. One seed is one run; the same
 * seed gives the same trace. TUSK_SIM_SEED=n plays one seed, TUSK_SIM_LOG=1 tells what happens in it.
 * Read first: docs/internals/sim.md, test/sim/world.h, test/sim/pg_server.h. */
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
    N_OPS = 240, /* a run does so many things before the faults stop */
    MAX_WANTS = 1500,
    MAX_LINKS = 100,
    MAX_STMTS = 200,
    LIVE_US = 10 * 1000000,   /* all must be finished so long after the last fault */
    LATE_US = 10 * 1000,      /* a deadline may be missed by so much */
    EXPIRED_US = 5 * 1000000, /* docs/guarantees.md: then a connection is closed whose head is past its deadline */
};

/* What is asked of the server; the first ones are its commands. */
typedef enum kind {
    K_ROW,
    K_ROWS,
    K_BIG,
    K_ECHO,
    K_SLEEP,
    K_NOTICE,
    K_SETTING,
    K_NOBIN,
    K_LATE,
    K_ERROR,
    K_BAD,
    K_INSERT,
    K_BEGIN,
    K_COMMIT,
    K_ROLLBACK,
    K_COPY_IN,
    K_COPY_OUT,
    K_FATAL,
    K_HANGUP,
    K_N_COMMANDS,
    K_SCRIPT = K_N_COMMANDS,
    K_RUN,     /* of a prepared statement */
    K_REFUSED, /* what the driver does not send: a NUL in the text, a parameter that is no UTF-8 */
    K_LIMITED, /* big, and larger than max_result_bytes */
    K_STMT_CLOSE,
    K_N_WIRE,
    K_STMT_READY = K_N_WIRE, /* the rest waits outside the queue */
    K_CONN_READY,
    K_DRAINED,
    K_CLOSE,
    N_KINDS
} kind;

static const struct {
    const char *name;
    int weight;
    bool has_rows;
} kinds[N_KINDS] = {
    [K_ROW] = {"row", 20, true},
    [K_ROWS] = {"rows", 20, true},
    [K_BIG] = {"big", 3, true},
    [K_ECHO] = {"echo", 20, true},
    [K_SLEEP] = {"sleep", 18, true},
    [K_NOTICE] = {"notice", 3, true},
    [K_SETTING] = {"setting", 3, true},
    [K_NOBIN] = {"nobin", 5, true},
    [K_LATE] = {"late", 5, true},
    [K_ERROR] = {"error", 5, false},
    [K_BAD] = {"bad", 4, false},
    [K_INSERT] = {"insert", 10, false},
    [K_BEGIN] = {"begin", 4, false},
    [K_COMMIT] = {"commit", 9, false},
    [K_ROLLBACK] = {"rollback", 4, false},
    [K_COPY_IN] = {"copy in", 3, false},
    [K_COPY_OUT] = {"copy out", 3, false},
    [K_FATAL] = {"fatal", 1, false},
    [K_HANGUP] = {"hangup", 1, false},
    [K_SCRIPT] = {"script", 0, true},
    [K_RUN] = {"run", 0, true},
    [K_REFUSED] = {"refused", 0, false},
    [K_LIMITED] = {"limited", 0, true},
    [K_STMT_CLOSE] = {"stmt close", 0, false},
    [K_STMT_READY] = {"stmt ready", 0, false},
    [K_CONN_READY] = {"conn ready", 0, false},
    [K_DRAINED] = {"drained", 0, false},
    [K_CLOSE] = {"close", 0, false},
};

typedef enum outcome {
    O_OK,
    O_SERVER,
    O_CANCELED_NOT_SENT,
    O_CANCELED,
    O_TIMEOUT_NOT_SENT,
    O_TIMEOUT,
    O_LOST_NOT_SENT,
    O_LOST,
    O_PROTOCOL_NOT_SENT,
    O_PROTOCOL,
    O_COMMIT_UNKNOWN,
    O_ROLLED_BACK,
    O_STATE,
    O_NO_CONNECTION,
    O_REFUSED,
    O_FULL,
    O_FREED,
    N_OUTCOMES
} outcome;

static const char *const outcome_names[N_OUTCOMES] = {"ok",      "server",  "canc/ns", "canceled", "time/ns", "timeout",
                                                      "lost/ns", "lost",    "prot/ns", "protocol", "unknown", "rolledb",
                                                      "state",   "no conn", "refused", "full",     "freed"};

/* ---- the model -------------------------------------------------------------------------------------------------------------- */

typedef struct run run;
typedef struct want want;

/* One connection, from tusk_conn_open() to the end of the run. */
typedef struct line {
    run *run;
    tusk_conn *conn; /* NULL: freed */
    bool is_closing; /* tusk_close() or tusk_conn_free() was called */
    bool is_rough;   /* somebody canceled, had a deadline or asked for FATAL: it may be lost */
    bool is_fresh;   /* made when all faults were over */
    bool is_wrong;   /* its configuration cannot succeed */
    bool is_doomed;  /* somebody asked for FATAL, or for what takes longer than the driver waits */
    bool was_ready;
    const char *password;
    int n_closed;          /* calls of on_closed */
    uint32_t hidden_token; /* behind which a Parse or a Close was submitted that is no request of ours; 0: none */
    const want *closer;    /* the first tusk_close() */
    size_t closing_turn;   /* when is_closing was set */
    int64_t opened_us, connect_timeout_us;
    int max_queued;   /* requests; 0: as many as it likes */
    int64_t stuck_us; /* since when stuck_token is at its head, past its deadline */
    uint32_t stuck_token, stuck_from;
} line;

typedef struct question {
    line *link;
    tusk_password_request *request; /* NULL: answered */
} question;

enum { MAX_QUESTIONS = 512 };

typedef struct handle {
    tusk_stmt *stmt; /* NULL: freed */
    line *link;
    kind kind;
    uint32_t token; /* of its Parse */
    uint32_t number;
    bool is_closing;
    bool is_learned; /* that it has a column without binary output */
    bool was_full;   /* its connection took no more when it was prepared */
} handle;

/* What is known of a token before it is sent. */
typedef struct part {
    kind kind;
    uint32_t number;
} part;

/* One request and all that happens to it. */
struct want {
    run *run;
    kind kind;
    line *link;
    handle *handle;
    uint32_t token, n_tokens;
    tusk_query *q; /* NULL: not ours any more */
    bool has_done, has_row, is_streaming, is_kept;
    bool is_freed, is_canceled, is_paused;
    uint32_t alone_from;     /* nothing from this token on is sent until it has ended; 0: anything may be */
    bool is_dropped;         /* … until it is answered: given up with nothing sent behind it */
    bool was_closed;         /* its connection was so already */
    bool was_full;           /* it took no more */
    bool is_text, is_warned; /* it need not fail for want of binary output */
    bool is_gone;            /* tusk_query_free() was called, be it behind its end */
    bool is_aside;           /* it does not wait in the connection's queue, or need not */
    int n_done;
    outcome outcome;
    tusk_code code;
    bool is_not_sent; /* it told so: the server must never see it */
    size_t submitted_turn;
    size_t canceled_turn;      /* when: it ends in the next one */
    int64_t due_us;            /* 0: no deadline */
    int64_t done_us;           /* when it completed, as far as on_done told */
    uint32_t at_token, n_rows; /* rows seen of at_token */
    bool stops_early;          /* freed or canceled while rows were coming */
    bool has_given;            /* a stream has given the row at hand, of row_token */
    tusk_row row;
    uint32_t row_token, row_number;
};

struct run {
    uint64_t seed;
    sim_world *world;
    pg_server *server;
    tusk_loop *loop;
    bool is_faulty, has_stalls, has_slow_cancels, has_nonsense, is_calm, is_inside, is_ending;
    int n_links_wanted, n_ops;
    line links[MAX_LINKS];
    size_t n_links;
    handle handles[MAX_STMTS];
    size_t n_handles;
    want wants[MAX_WANTS];
    size_t n_wants, n_over; /* the first n_over of them need no poll any more */
    part parts[PG_MAX_TOKENS];
    uint32_t n_tokens;
    int64_t last_poll_us;
    size_t n_turns;
    bool is_calling; /* the driver, and it must not call back */
    question questions[MAX_QUESTIONS];
    size_t n_questions;
};

static size_t coverage[N_KINDS][N_OUTCOMES];
static pg_counts totals;
static size_t n_requests, n_awaits, n_pauses, n_streams, n_questions, n_canceled_questions;
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
    va_list args;

    if (is_true)
        return;
    va_start(args, fmt);
    sim_fail(r->world, r->seed, fmt, args);
    va_end(args);
}

static uint32_t any(run *r, uint32_t n)
{
    return (uint32_t)sim_random(r->world, n);
}

static bool chance(run *r, int permille)
{
    return sim_chance(r->world, permille);
}

/* ---- rows: each must be the request's own ------------------------------------------------------------------------------------- */

static uint32_t rows_of(const part *p)
{
    if (p->kind == K_ROWS || p->kind == K_LATE)
        return p->number;
    return kinds[p->kind].has_rows ? 1 : 0;
}

static bool is_own_text(const run *r, uint32_t token, uint32_t number, tusk_str text)
{
    const part *p = &r->parts[token];
    char echo[32];
    size_t len = p->kind == K_BIG ? p->number : pg_text_len(token, number);

    if (p->kind == K_ECHO) {
        (void)snprintf(echo, sizeof echo, "echo %u", token);
        return tusk_str_is(text, echo);
    }
    if (text.len != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (text.ptr[i] != pg_text(token, i))
            return false;
    return true;
}

static bool is_row(const run *r, const tusk_row *row, uint32_t token, uint32_t number)
{
    return tusk_get_int8(row, 0) == (int64_t)token && tusk_get_int4(row, 1) == (int32_t)number &&
           is_own_text(r, token, number, tusk_get_raw(row, 2));
}

/* Rows come in order, part by part, none left out. */
static void check_row(want *w, const tusk_row *row)
{
    run *r = w->run;
    uint32_t token = (uint32_t)tusk_get_int8(row, 0), number = (uint32_t)tusk_get_int4(row, 1);

    while (w->at_token < w->token + w->n_tokens && w->n_rows == rows_of(&r->parts[w->at_token]))
        w->at_token++, w->n_rows = 0;
    must(r, token == w->at_token, "request %u got a row of token %u instead of %u", w->token, token, w->at_token);
    must(r, number == w->n_rows, "request %u got row %u instead of %u", w->token, number, w->n_rows);
    must(r, is_own_text(r, token, number, tusk_get_raw(row, 2)), "request %u got another's text", w->token);
    w->n_rows++;
}

static void pass_whole_parts(want *w)
{
    while (w->at_token < w->token + w->n_tokens && w->n_rows == rows_of(&w->run->parts[w->at_token]))
        w->at_token++, w->n_rows = 0;
}

static void check_all_rows_came(want *w)
{
    pass_whole_parts(w);
    must(w->run, w->at_token == w->token + w->n_tokens, "request %u has lost rows of %u", w->token, w->at_token);
}

/* What failed has no rows, but for the whole results of a script. */
static void check_failed_rows(want *w)
{
    bool has_rows;

    pass_whole_parts(w);
    has_rows = w->n_rows > 0 || (w->kind != K_SCRIPT && w->at_token > w->token && rows_of(&w->run->parts[w->token]));
    must(w->run, !has_rows, "request %u (%s) failed, and keeps rows", w->token, kinds[w->kind].name);
}

/* What a stream gave lives until the next call of tusk_next_row(). */
static void check_given_row(const want *w)
{
    if (w->has_given && w->q)
        must(w->run, is_row(w->run, &w->row, w->row_token, w->row_number), "the row %u of %u was spoiled",
             w->row_number, w->row_token);
}

/* ---- completion: once, in order, and true ------------------------------------------------------------------------------------------ */

static bool is_alive(const line *l)
{
    return l->conn && tusk_conn_get_state(l->conn) < TUSK_CONN_CLOSING;
}

static bool is_over(const want *w)
{
    return w->n_done || w->is_freed;
}

static outcome outcome_of(const want *w, const tusk_error *err)
{
    bool is_not_sent = err->fate == TUSK_FATE_NOT_SENT;

    switch ((int)err->code) {
    case TUSK_OK:
        return O_OK;
    case TUSK_ERR_SERVER:
        return O_SERVER;
    case TUSK_ERR_CANCELED:
        return is_not_sent ? O_CANCELED_NOT_SENT : O_CANCELED;
    case TUSK_ERR_TIMEOUT:
        return is_not_sent ? O_TIMEOUT_NOT_SENT : O_TIMEOUT;
    case TUSK_ERR_LOST:
        return is_not_sent ? O_LOST_NOT_SENT : O_LOST;
    case TUSK_ERR_PROTOCOL:
        return is_not_sent ? O_PROTOCOL_NOT_SENT : O_PROTOCOL;
    case TUSK_ERR_COMMIT_UNKNOWN:
        return O_COMMIT_UNKNOWN;
    case TUSK_ERR_ROLLED_BACK:
        return O_ROLLED_BACK;
    case TUSK_ERR_STATE:
        return O_STATE;
    case TUSK_ERR_CONNECT:
    case TUSK_ERR_RESOLVE:
    case TUSK_ERR_AUTH:
    case TUSK_ERR_SYSTEM:
        return O_NO_CONNECTION;
    case TUSK_ERR_LIMIT:
        if (strcmp(err->sqlstate, "53400") == 0)
            return O_FULL;
        return w->kind == K_LIMITED && !is_not_sent ? O_REFUSED : O_NO_CONNECTION;
    case TUSK_ERR_USAGE:
    case TUSK_ERR_VALUE:
        return O_REFUSED;
    default:
        must(w->run, false, "request %u (%s) ends with %s: %s", w->token, kinds[w->kind].name,
             tusk_code_name(err->code), err->message);
        return O_OK;
    }
}

/* The kind that counts: a run's is its statement's. */
static kind kind_of(const want *w)
{
    return w->kind == K_RUN ? w->handle->kind : w->kind;
}

/* At most half of what may wait does; others may have filled it since, if it had never to be waited for. */
static void check_drained(const want *w)
{
    run *r = w->run;
    int n = 0;

    if (!w->was_full || !w->has_done || !w->link->max_queued)
        return;
    for (const want *other = r->wants; other < r->wants + r->n_wants; other++)
        n += other->link == w->link && !other->is_aside && !other->was_full && !other->is_canceled && other->q &&
             !tusk_query_is_done(other->q);
    must(r, n <= w->link->max_queued / 2, "%d requests wait, and the queue is told to be drained", n);
}

static void check_ok(want *w, tusk_query *q)
{
    run *r = w->run;
    kind k = kind_of(w);

    must(r, !w->is_canceled || w->is_aside, "request %u was canceled, and succeeds", w->token);
    must(r, !w->was_full || w->kind >= K_STMT_CLOSE, "request %u was not to be taken, and succeeds", w->token);
    must(r, !w->was_closed || w->kind == K_CLOSE || w->kind == K_STMT_CLOSE,
         "request %u (%s) on what is closed succeeds", w->token, kinds[w->kind].name);
    for (uint32_t token = w->token; token < w->token + w->n_tokens; token++) {
        const pg_fact *fact = pg_fact_of(r->server, token);
        must(r, fact->is_answered && fact->n_run == 1 && (!fact->sqlstate[0] || k == K_NOBIN),
             "request %u succeeds, but %u was run %d times", w->token, token, fact->n_run);
        must(r, !fact->is_untrue, "request %u succeeds, but %u was answered by a liar", w->token, token);
    }
    must(r,
         k != K_BAD && k != K_ERROR && k != K_LATE && k != K_COPY_IN && k != K_COPY_OUT && k != K_FATAL &&
             k != K_HANGUP,
         "request %u (%s) cannot succeed", w->token, kinds[k].name);
    if (k == K_DRAINED)
        check_drained(w);
    if (k == K_COMMIT)
        must(r, pg_fact_of(r->server, w->token)->is_committed, "commit %u was told as success", w->token);
    if (w->kind == K_RUN && k == K_NOBIN && !w->is_text)
        w->handle->is_learned = true;
    if (k == K_INSERT) {
        must(r, tusk_query_rows_affected(q) == (int64_t)w->token, "insert %u has another's tag", w->token);
        if (w->has_done && w->link->conn && tusk_conn_tx_status(w->link->conn) == TUSK_TX_IDLE)
            must(r, pg_fact_of(r->server, w->token)->is_applied, "insert %u is not there", w->token);
    }
}

/* Is it the error of one of its own statements, or that of the statement which it could not run? */
static void check_server_error(const want *w, const tusk_error *err)
{
    run *r = w->run;
    uint32_t token = 0;
    bool is_own;

    if (sscanf(err->message, "token %u", &token) != 1)
        token = 0;
    is_own = token >= w->token && token < w->token + w->n_tokens;
    if (!is_own && w->handle)
        is_own = token == w->handle->token;
    must(r, is_own, "request %u got the error of %u", w->token, token);
    must(r, strcmp(err->sqlstate, pg_fact_of(r->server, token)->sqlstate) == 0, "request %u got %s", w->token,
         err->sqlstate);
    must(r, strcmp(err->sqlstate, "57014") != 0 || pg_fact_of(r->server, token)->is_timed_out,
         "request %u was hit by another's cancel", w->token);
    must(r, !w->was_full || w->kind >= K_STMT_CLOSE, "request %u was not to be taken, and was answered", w->token);
    must(r, strcmp(err->sqlstate, "26000") != 0 && strcmp(err->sqlstate, "42P05") != 0,
         "request %u mistook its statement: %s", w->token, err->sqlstate);
    must(r, !w->is_warned || strcmp(err->sqlstate, "42883") != 0, "request %u asks in vain for binary again", w->token);
    must(r, !pg_fact_of(r->server, token)->is_untrue, "request %u was answered by a liar", w->token);
    must(r, err->fate == TUSK_FATE_ANSWERED || w->handle, "the server's error of %u is not an answer", w->token);
}

static bool is_commit(const want *w)
{
    kind k = kind_of(w);

    return k == K_COMMIT || (k == K_SCRIPT && w->run->parts[w->token].kind == K_COMMIT);
}

/* Only what went wrong may cost a connection: in a world without faults nothing but what the caller asked for. */
static bool may_be_lost(const line *l)
{
    return l->run->is_faulty || l->is_doomed || (l->is_rough && l->run->has_slow_cancels);
}

static void check_error(const want *w, const tusk_error *err)
{
    run *r = w->run;
    const line *l = w->link;
    int64_t now_us = sim_now(r->world);

    must(r, err->sqlstate[0] && err->message[0], "the error of %u says nothing", w->token);
    must(r, !l->is_fresh || kind_of(w) == K_ERROR, "request %u on a fresh connection: %s", w->token, err->message);
    switch (w->outcome) {
    case O_OK:
    case O_FREED:
    case N_OUTCOMES:
        break;
    case O_FULL:
        must(r, w->was_full || (w->handle && w->handle->was_full), "request %u: there was room", w->token);
        must(r, err->fate == TUSK_FATE_NOT_SENT, "request %u was not queued, but sent", w->token);
        break;
    case O_SERVER:
        check_server_error(w, err);
        break;
    case O_CANCELED_NOT_SENT:
    case O_CANCELED:
        must(r, w->is_canceled || l->is_closing || r->is_ending, "request %u is canceled by nobody", w->token);
        break;
    case O_TIMEOUT_NOT_SENT:
    case O_TIMEOUT:
        must(r,
             (w->due_us && now_us >= w->due_us) ||
                 (l->connect_timeout_us && !l->was_ready && now_us >= l->opened_us + l->connect_timeout_us),
             "request %u ends before its deadline", w->token);
        break;
    case O_LOST:
        must(r, !is_commit(w), "the fate of commit %u is not told as such", w->token);
        __attribute__((fallthrough));
    case O_LOST_NOT_SENT:
    case O_COMMIT_UNKNOWN:
        must(r, may_be_lost(l), "request %u is lost for no reason: %s", w->token, err->message);
        must(r, w->outcome != O_COMMIT_UNKNOWN || (is_commit(w) && err->fate == TUSK_FATE_UNKNOWN),
             "request %u is no commit, or was not sent", w->token);
        break;
    case O_PROTOCOL_NOT_SENT:
    case O_PROTOCOL:
        must(r, r->has_nonsense, "request %u: %s", w->token, err->message);
        must(r, w->outcome == O_PROTOCOL_NOT_SENT || !is_commit(w), "the fate of commit %u is not told as such",
             w->token);
        break;
    case O_ROLLED_BACK:
        must(r, is_commit(w) && pg_fact_of(r->server, w->token)->is_rolled_back, "commit %u was not rolled back",
             w->token);
        break;
    case O_STATE:
        must(r,
             l->is_closing || (w->handle && w->handle->is_closing) ||
                 (w->handle && l->conn && tusk_conn_get_state(l->conn) == TUSK_CONN_CLOSED),
             "request %u: %s", w->token, err->message);
        break;
    case O_NO_CONNECTION:
        must(r, r->is_faulty || l->is_wrong, "request %u: %s", w->token, err->message);
        must(r, err->fate == TUSK_FATE_NOT_SENT || w->kind >= K_N_WIRE || r->is_faulty,
             "request %u: sent without a connection?", w->token);
        break;
    case O_REFUSED:
        must(r,
             w->kind == K_REFUSED || w->kind == K_LIMITED || w->kind == K_SCRIPT || kind_of(w) == K_COPY_IN ||
                 kind_of(w) == K_COPY_OUT,
             "request %u is refused: %s", w->token, err->message);
        must(r, err->fate != TUSK_FATE_ANSWERED || !w->has_done || !w->link->conn || is_alive(w->link),
             "request %u ends with its connection, and is told as answered", w->token);
        must(r, err->fate != TUSK_FATE_ANSWERED || w->n_tokens != 1 || pg_fact_of(r->server, w->token)->is_answered,
             "request %u is told as answered", w->token);
        break;
    }
}

/* All that was submitted before it on its connection is done, but for what was given up. A second close ends with the first. */
static void check_order(const want *w)
{
    run *r = w->run;
    bool is_close = w->kind == K_CLOSE, is_overdue = w->due_us && sim_now(r->world) >= w->due_us;

    if (w->is_canceled || is_overdue || w->was_full || (w->is_aside && !is_close))
        return;
    for (want *earlier = r->wants + r->n_over; earlier < (is_close ? w->link->closer : w); earlier++) {
        if (earlier->link != w->link || is_over(earlier) || earlier->is_canceled || (earlier->was_full && !is_close) ||
            (earlier->is_aside && !is_close) || (earlier->was_closed && is_close))
            continue;
        must(r, !earlier->has_done && tusk_query_is_done(earlier->q), "%u (%s) ends before %u (%s)", w->token,
             kinds[w->kind].name, earlier->token, kinds[earlier->kind].name);
    }
}

static void check_time(const want *w)
{
    run *r = w->run;
    int64_t at_us = w->has_done ? sim_now(r->world) : r->last_poll_us;

    if (w->due_us)
        must(r, at_us <= w->due_us + LATE_US, "request %u (%s) ends %lld us behind its deadline", w->token,
             kinds[w->kind].name, (long long)(at_us - w->due_us));
}

/* Nothing before it can still be unanswered, be it a Parse or a Close that is no request of ours. */
static bool is_first(const want *w)
{
    const line *l = w->link;
    bool is_answered = l->hidden_token == 0;

    for (const want *earlier = w->run->wants; earlier < w; earlier++) {
        if (earlier->link != l || earlier->is_aside || earlier->is_not_sent)
            continue;
        if (earlier->outcome != O_OK && earlier->outcome != O_SERVER && earlier->outcome != O_REFUSED)
            return false;
        is_answered |= earlier->outcome == O_OK && earlier->n_tokens && earlier->token > l->hidden_token;
    }
    return is_answered;
}

/* Was nothing submitted behind it? */
static bool is_last(const want *w)
{
    const run *r = w->run;

    for (const want *later = w + 1; later < r->wants + r->n_wants; later++)
        if (later->link == w->link && !later->is_aside)
            return false;
    return !w->is_aside && w->n_tokens > 0 && w->link->hidden_token < w->token;
}

static void completed(want *w, tusk_query *q)
{
    run *r = w->run;
    const tusk_error *err = tusk_query_error(q);

    must(r, !r->is_calling, "request %u completes inside a call", w->token);
    must(r, w->n_done == 0 && !w->is_freed, "request %u completes %s", w->token,
         w->is_freed ? "though freed" : "twice");
    must(r, tusk_query_is_done(q) && tusk_query_code(q) == err->code, "request %u is not done", w->token);
    w->n_done = 1;
    w->done_us = w->has_done ? sim_now(r->world) : 0;
    w->code = err->code;
    w->outcome = outcome_of(w, err);
    w->is_not_sent = err->code != TUSK_OK && err->fate == TUSK_FATE_NOT_SENT && w->kind < K_N_WIRE;
    coverage[w->kind][w->outcome]++;
    sim_trace(r->world, "completed", (uint64_t)w->token << 8 | w->outcome);
    say(r, "  %u (%s) on %d: %s %s", w->token, kinds[w->kind].name, (int)(w->link - r->links),
        outcome_names[w->outcome], err->message);
    if (w->outcome == O_OK)
        check_ok(w, q);
    else
        check_error(w, err);
    if (w->outcome == O_TIMEOUT && w->n_tokens == 1 && is_first(w)) {
        w->link->stuck_us = sim_now(r->world);
        w->link->stuck_token = w->token;
        w->link->stuck_from = r->n_tokens + 1;
    }
    w->is_dropped |= w->outcome == O_TIMEOUT && w->has_done && is_last(w);
    check_order(w);
    check_time(w);
}

static void walk_rows(want *w)
{
    tusk_row row;

    do
        while (tusk_next_row(w->q, &row))
            check_row(w, &row);
    while (tusk_next_result(w->q));
}

static void check_kept_rows(want *w)
{
    walk_rows(w);
    if (!w->is_streaming && w->kind < K_STMT_CLOSE) {
        tusk_rewind(w->q);
        w->at_token = w->token, w->n_rows = 0;
        walk_rows(w);
    }
    if (w->outcome == O_OK && !w->stops_early && w->kind < K_STMT_CLOSE)
        check_all_rows_came(w);
    if (w->outcome != O_OK && !w->is_streaming)
        check_failed_rows(w);
}

static void let_go(want *w)
{
    tusk_query *q = w->q;

    if (!is_over(w)) {
        w->is_freed = true;
        coverage[w->kind][O_FREED]++;
    }
    w->q = NULL;
    w->is_gone = true;
    w->run->is_calling = true;
    tusk_query_free(q);
    w->run->is_calling = false;
}

/* on_closed is called once, if the connection ends and its caller did not ask for that. */
static void check_closed(line *l)
{
    bool is_gone = l->conn && tusk_conn_get_state(l->conn) == TUSK_CONN_CLOSED;

    l->was_ready |= l->conn && tusk_conn_get_state(l->conn) == TUSK_CONN_READY;
    if (!l->is_closing)
        must(l->run, l->n_closed == is_gone, "connection %d is %s, and on_closed was called %d times",
             (int)(l - l->run->links), is_gone ? "gone" : "there", l->n_closed);
}

/* What had to be over by now? */
static void check_overdue(run *r)
{
    int64_t now_us = sim_now(r->world);

    for (size_t i = r->n_over; i < r->n_wants; i++) {
        const want *w = &r->wants[i];
        if (is_over(w))
            continue;
        must(r, !w->is_canceled || r->n_turns <= w->canceled_turn + 1, "%u (%s) was canceled, and goes on", w->token,
             kinds[w->kind].name);
        must(r,
             !w->link->is_closing || w->is_aside || w->is_canceled || r->n_turns <= w->link->closing_turn + 1 ||
                 r->n_turns <= w->submitted_turn + 1,
             "%u (%s) goes on, though its connection closes", w->token, kinds[w->kind].name);
        must(r, !w->was_full || w->is_aside || r->n_turns <= w->submitted_turn + 1,
             "%u (%s) was not taken, and goes on", w->token, kinds[w->kind].name);
        must(r, !w->due_us || now_us <= w->due_us + LATE_US, "%u (%s) goes on behind its deadline", w->token,
             kinds[w->kind].name);
    }
    for (size_t i = 0; i < r->n_links; i++) {
        line *l = &r->links[i];
        check_closed(l);
        must(r,
             !l->conn || !l->connect_timeout_us || now_us <= l->opened_us + l->connect_timeout_us + LATE_US ||
                 tusk_conn_get_state(l->conn) != TUSK_CONN_CONNECTING,
             "connection %zu is not given up in time", i);
        must(r,
             !l->conn || !l->stuck_us || now_us <= l->stuck_us + EXPIRED_US + LATE_US ||
                 tusk_conn_get_state(l->conn) != TUSK_CONN_READY || pg_fact_of(r->server, l->stuck_token)->is_answered,
             "connection %zu waits for ever for %u", i, l->stuck_token);
    }
}

/* What has no callback is asked. */
static void poll_wants(run *r)
{
    for (size_t i = r->n_over; i < r->n_wants; i++) {
        want *w = &r->wants[i];

        check_given_row(w);
        if (w->q && !w->has_done && !is_over(w) && tusk_query_is_done(w->q)) {
            completed(w, w->q);
            w->has_given = false;
            if (!w->has_row)
                check_kept_rows(w);
            if (chance(r, 800))
                let_go(w);
        }
    }
    while (r->n_over < r->n_wants && is_over(&r->wants[r->n_over]))
        r->n_over++;
    check_overdue(r);
    r->last_poll_us = sim_now(r->world);
}

/* ---- acting ----------------------------------------------------------------------------------------------------------------------------- */

static void act(run *r);
static void close_link(run *r, line *l);

static void act_in_callback(run *r, int permille)
{
    bool was_inside = r->is_inside;

    r->is_inside = true;
    while (!r->is_ending && !r->is_calm && chance(r, permille))
        act(r);
    r->is_inside = was_inside;
}

static void resume(void *user)
{
    want *w = user;

    w->is_paused = false;
    if (w->run->is_ending || !w->q || is_over(w))
        return;
    if (chance(w->run, 100))
        let_go(w);
    else
        (void)tusk_query_resume(w->q);
}

static void cancel(want *w)
{
    if (!tusk_query_is_done(w->q)) {
        say(w->run, "cancel %u", w->token);
        w->is_canceled = w->link->is_rough = true;
        w->canceled_turn = w->run->n_turns;
        w->is_dropped = is_last(w);
    }
    w->run->is_calling = true;
    tusk_query_cancel(w->q);
    w->run->is_calling = false;
}

static void on_row(tusk_query *q, const tusk_row *row, void *user)
{
    want *w = user;
    run *r = w->run;
    uint32_t token, number;

    must(r, !is_over(w) && !w->is_canceled, "request %u gets a row behind its end", w->token);
    must(r, !w->is_paused, "request %u is paused, and gets a row", w->token);
    check_row(w, row);
    token = w->at_token, number = w->n_rows - 1;
    if (!r->is_ending && !r->is_calm && chance(r, 60)) {
        n_pauses++;
        must(r, tusk_query_pause(q) == TUSK_OK, "request %u cannot be paused", w->token);
        w->is_paused = true;
        must(r, tusk_timer_start(r->loop, (1 + any(r, 30)) / 1e3, resume, w) != NULL, "no timer");
    }
    act_in_callback(r, 50);
    if (w->q && chance(r, 8)) {
        let_go(w);
    } else if (w->q && chance(r, 8)) {
        cancel(w);
    }
    must(r, is_row(r, row, token, number), "row %u of %u is spoiled while its callback runs", number, token);
}

/* In a callback of tusk_loop_free(): harmless, and nobody will say what became of it. */
static void submit_in_vain(want *w)
{
    (void)tusk_submit(tusk_query_conn(w->q), &(tusk_request){.sql = "row #0"});
}

static void on_done(tusk_query *q, void *user)
{
    want *w = user;
    run *r = w->run;

    completed(w, q);
    if (w->has_row) {
        if (w->outcome == O_OK)
            check_all_rows_came(w);
    } else {
        check_kept_rows(w);
    }
    must(r, r->is_ending || tusk_await(q) == TUSK_ERR_STATE, "request %u can be awaited in its callback", w->token);
    act_in_callback(r, 250);
    if (w->link->conn && !r->is_ending && chance(r, 10))
        close_link(r, w->link);
    if (r->is_ending && chance(r, 200))
        submit_in_vain(w);
    if (!w->q)
        return; /* freed by what was just done */
    if (chance(r, 50)) {
        tusk_query_keep(q);
        w->is_kept = true;
    } else {
        if (chance(r, 100))
            let_go(w);
        w->q = NULL;
    }
}

/* Will it take no more, and say so? */
static bool is_full(const line *l)
{
    return l->conn && !l->is_closing && is_alive(l) && !tusk_conn_is_writable(l->conn);
}

static want *new_want(run *r, line *l, kind k, uint32_t n_tokens)
{
    want *w = &r->wants[r->n_wants++];

    must(r, r->n_wants < MAX_WANTS && r->n_tokens + n_tokens < PG_MAX_TOKENS, "too many requests");
    *w = (want){.run = r, .kind = k, .link = l, .token = r->n_tokens + 1, .n_tokens = n_tokens, .outcome = N_OUTCOMES};
    w->submitted_turn = r->n_turns;
    w->was_closed = l->conn && tusk_conn_get_state(l->conn) == TUSK_CONN_CLOSED;
    w->was_full = is_full(l);
    w->at_token = w->token;
    r->n_tokens += n_tokens;
    n_requests++;
    return w;
}

static kind any_command(run *r)
{
    int total = 0, at;
    kind k;

    for (k = K_ROW; k < K_N_COMMANDS; k++)
        total += kinds[k].weight;
    at = (int)any(r, (uint32_t)total);
    for (k = K_ROW; at >= kinds[k].weight; k++)
        at -= kinds[k].weight;
    return k;
}

static uint32_t any_number(run *r, kind k)
{
    switch ((int)k) {
    case K_ROWS:
        return any(r, 30);
    case K_LATE:
        return 1 + any(r, 20);
    case K_BIG:
        return chance(r, 100) ? 300000u << any(r, 4) : any(r, 40000); /* more than is read in one turn, too */
    case K_ERROR:
        return 22012;
    case K_SLEEP:
        return chance(r, 30) ? 3000000 : chance(r, 300) ? any(r, 300000) : any(r, 20000);
    default:
        return 0;
    }
}

/* A statement's text; is_run: its token comes as $1. */
static void write_sql(char *sql, size_t size, kind k, bool is_run, uint32_t token, uint32_t number)
{
    const char *params = k == K_ECHO ? " $1 $2" : is_run && k != K_BAD ? " $1" : "";

    (void)snprintf(sql, size, "%s%s #%u %u", kinds[k].name, params, token, number);
}

/* A part of a request, remembered. */
static void write_part(run *r, uint32_t token, kind k, char *sql, size_t size)
{
    part p = {k, any_number(r, k)};

    if (k == K_LIMITED)
        p = (part){K_BIG, 50000};
    r->parts[token] = p;
    write_sql(sql, size, p.kind, false, token, p.number);
}

/* Has it the connection to itself? */
static bool is_alone(const want *w, const tusk_request *request)
{
    kind k = kind_of(w);

    return request->on_row || request->cancelable || k == K_SCRIPT || k == K_COPY_IN || k == K_COPY_OUT;
}

static void set_options(run *r, want *w, tusk_request *request)
{
    request->text_results = w->is_text = chance(r, 100);
    request->cancelable = chance(r, 150);
    if (chance(r, 350)) {
        request->timeout = (1 + any(r, chance(r, 500) ? 40 : 3000)) / 1e3;
        w->due_us = sim_now(r->world) + (int64_t)(request->timeout * 1e6);
        w->link->is_rough = true;
    }
    w->has_row = chance(r, 250);
    w->has_done = w->has_row ? chance(r, 900) : chance(r, 600);
    request->on_row = w->has_row ? on_row : NULL;
    request->on_done = w->has_done ? on_done : NULL;
    request->user = w;
}

static void submit(run *r, want *w, tusk_request *request)
{
    w->alone_from = is_alone(w, request) ? w->token + w->n_tokens : 0;
    r->is_calling = true;
    w->q = tusk_submit(w->link->conn, request);
    r->is_calling = false;
    must(r, w->q != NULL, "request %u: out of memory", w->token);
    sim_trace(r->world, "submit", w->token);
    say(r, "submit %u..%u (%s) on %d%s%s%s%s due %.6f", w->token, w->token + w->n_tokens - 1,
        request->sql ? request->sql : kinds[w->kind].name, (int)(w->link - r->links), w->has_done ? " done" : "",
        w->has_row ? " row" : "", request->cancelable ? " cancelable" : "", request->text_results ? " text" : "",
        (double)w->due_us / 1e6);
    if (!w->link->is_fresh && chance(r, 30))
        cancel(w); /* before a byte of it was sent, often between others */
}

static want *submit_command(run *r, line *l, kind k)
{
    want *w = new_want(r, l, k, 1);
    tusk_request request = {.sql = NULL};
    char sql[100], echo[32];
    tusk_value values[2];

    write_part(r, w->token, k, sql, sizeof sql);
    request.sql = sql;
    if (k == K_ECHO) {
        (void)snprintf(echo, sizeof echo, "echo %u", w->token);
        values[0] = tusk_int8(w->token);
        values[1] = tusk_text(echo);
        request.params = tusk_params_of(values, 2);
    }
    if (k == K_FATAL || k == K_HANGUP)
        l->is_doomed = true;
    if (!l->is_fresh)
        set_options(r, w, &request);
    if (k == K_ROW && chance(r, 200))
        request.max_result_bytes = 1000; /* it needs a tenth of that */
    if (k == K_LIMITED) {
        request.max_result_bytes = 20000;
        request.on_row = NULL;
        w->has_row = false;
    }
    submit(r, w, &request);
    return w;
}

static want *submit_script(run *r, line *l)
{
    uint32_t n = 1 + any(r, 4);
    want *w = new_want(r, l, K_SCRIPT, n);
    tusk_request request = {.script = true};
    char sql[500] = "", one[100];
    size_t len = 0;

    for (uint32_t i = 0; i < n; i++) {
        kind k = l->is_fresh ? K_ROWS : any_command(r);
        if (k == K_ECHO || k == K_FATAL || k == K_HANGUP)
            k = K_ROW;
        write_part(r, w->token + i, k, one, sizeof one);
        l->is_doomed |= k == K_SLEEP && r->parts[w->token + i].number > 1000000;
        len += (size_t)snprintf(sql + len, sizeof sql - len, "%s%s", i ? ";" : "", one);
    }
    request.sql = sql;
    if (!l->is_fresh)
        set_options(r, w, &request);
    submit(r, w, &request);
    return w;
}

static void submit_refused(run *r, line *l)
{
    want *w = new_want(r, l, K_REFUSED, 1);
    tusk_value values[2] = {tusk_int8(w->token), tusk_text("\xff")};
    tusk_request request = {.sql_str = tusk_str_from("row\0", 4)};

    if (chance(r, 500))
        request = (tusk_request){.sql = "echo $1 $2", .params = tusk_params_of(values, 2)};
    set_options(r, w, &request);
    submit(r, w, &request);
}

/* ---- statements ---------------------------------------------------------------------------------------------------------------------------- */

static void prepare(run *r, line *l)
{
    static const kind choices[] = {K_ECHO, K_ROW, K_ROWS, K_ERROR, K_INSERT, K_NOBIN, K_SLEEP, K_COMMIT, K_BAD, K_LATE};
    kind k = choices[any(r, sizeof choices / sizeof choices[0])];
    handle *h = &r->handles[r->n_handles];
    char sql[40];

    if (r->n_handles == MAX_STMTS)
        return;
    r->n_handles++;
    *h = (handle){.link = l, .kind = k, .token = ++r->n_tokens, .number = k == K_ROWS ? 4 : any_number(r, k) % 3000};
    write_sql(sql, sizeof sql, k, true, h->token, k == K_ERROR ? 22012 : h->number);
    h->was_full = is_full(l);
    h->stmt = tusk_prepare(l->conn, sql, NULL, 0);
    l->hidden_token = r->n_tokens;
    must(r, h->stmt != NULL, "out of memory");
    say(r, "prepare %d (%s) on %d", (int)(h - r->handles), sql, (int)(l - r->links));
}

static void run_stmt(run *r, handle *h)
{
    want *w = new_want(r, h->link, K_RUN, 1);
    char echo[32];
    tusk_value values[2] = {tusk_int8(w->token)};
    tusk_request request = {.stmt = h->stmt};

    w->handle = h;
    w->is_warned = h->is_learned;
    r->parts[w->token] = (part){h->kind, h->number};
    (void)snprintf(echo, sizeof echo, "echo %u", w->token);
    values[1] = tusk_text(echo);
    request.params = tusk_params_of(values, h->kind == K_ECHO ? 2 : 1);
    set_options(r, w, &request);
    submit(r, w, &request);
}

static void wait_for(run *r, line *l, kind k, handle *h, tusk_query *q)
{
    want *w = new_want(r, l, k, 0);

    w->is_aside = true;
    w->handle = h;
    w->q = q;
    must(r, q != NULL, "out of memory");
    w->has_done = chance(r, 300);
    if (w->has_done)
        tusk_query_on_done(q, on_done, w);
    say(r, "%d: %s on %d", (int)(w - r->wants), kinds[k].name, (int)(l - r->links));
}

static void use_stmt(run *r, handle *h)
{
    uint32_t at = is_alive(h->link) ? any(r, 100) : 50 + any(r, 50);

    if (at < 75 && h->link->conn) {
        run_stmt(r, h);
    } else if (at < 85) {
        wait_for(r, h->link, K_STMT_READY, h, tusk_stmt_ready(h->stmt));
    } else if (at < 92) {
        wait_for(r, h->link, K_STMT_CLOSE, h, tusk_stmt_close(h->stmt));
        h->is_closing = true;
        h->link->hidden_token = r->n_tokens;
    } else {
        say(r, "free statement %d", (int)(h - r->handles));
        tusk_stmt_free(h->stmt);
        h->stmt = NULL;
        h->link->hidden_token = r->n_tokens;
    }
}

/* ---- connections --------------------------------------------------------------------------------------------------------------------------- */

static void on_notice(tusk_conn *conn, const tusk_notice *notice, void *user)
{
    const line *l = user;
    tusk_str text = tusk_notice_field(notice, 'M');

    (void)conn;
    must(l->run, tusk_str_is(text, "as asked") || tusk_str_is(text, "by the way"), "a strange notice");
    act_in_callback(l->run, 200);
}

static void on_parameter(tusk_conn *conn, tusk_str name, tusk_str value, void *user)
{
    const line *l = user;

    if (tusk_str_is(name, "TimeZone"))
        must(l->run, tusk_str_equal(tusk_conn_parameter(conn, "TimeZone"), value), "a parameter is not kept");
    act_in_callback(l->run, 50);
}

/* The last that is heard of a connection which its caller did not close: all its requests have ended. */
static void on_closed(tusk_conn *conn, const tusk_error *err, void *user)
{
    line *l = user;
    run *r = l->run;

    l->n_closed++;
    must(r, l->n_closed == 1 && conn == l->conn && err->code != TUSK_OK, "on_closed is called without need: %s",
         err->message);
    must(r, !l->closer || l->closer->was_closed, "on_closed is called for what its caller closed");
    must(r, may_be_lost(l) || !l->was_ready, "connection %d is closed for no reason: %s", (int)(l - r->links),
         err->message);
    for (const want *w = r->wants + r->n_over; w < r->wants + r->n_wants; w++)
        must(r, w->link != l || is_over(w) || w->was_closed || w->is_aside || !w->q || tusk_query_is_done(w->q),
             "on_closed is called before %u (%s) ends", w->token, kinds[w->kind].name);
    act_in_callback(r, 100);
}

/* ---- passwords that the program makes ------------------------------------------------------------------------------------- */

static void give_password(void *user)
{
    question *ask = user;
    tusk_password_request *request = ask->request;

    ask->request = NULL;
    if (request)
        tusk_password_give(request, tusk_str_of(ask->link->password));
}

/* Its timer, if there is one, finds nothing to do. */
static void on_password_canceled(tusk_password_request *request, void *user)
{
    question *ask = user;
    run *r = ask->link->run;

    must(r, !r->is_calling, "a question is canceled inside a call");
    must(r, ask->request == request && tusk_password_is_canceled(request), "another question is canceled");
    n_canceled_questions++;
    give_password(ask);
}

static void on_password(tusk_password_request *request, void *user)
{
    line *l = user;
    run *r = l->run;
    question *ask = &r->questions[r->n_questions++];

    n_questions++;
    must(r, !r->is_calling, "a password is asked for inside a call");
    must(r, l->conn && !l->is_closing && !l->was_ready, "a password is asked for that nobody needs");
    must(r, r->n_questions <= MAX_QUESTIONS, "too many questions");
    must(r, tusk_str_is(tusk_password_user(request), "sim"), "who is asked for?");
    *ask = (question){l, request};
    tusk_password_on_cancel(request, on_password_canceled, ask);
    if (!r->is_calm && chance(r, 100))
        close_link(r, l);
    if (chance(r, 300))
        give_password(ask);
    else
        must(r, tusk_timer_start(r->loop, any(r, 300) / 1e3, give_password, ask) != NULL, "no timer");
}

static line *open_link(run *r, bool is_fresh)
{
    static const char *const hosts[] = {"db1", "db1", "10.0.0.1", "10.0.0.1", "::1", "/sim"};
    line *l = &r->links[r->n_links++];
    char dsn[200];
    tusk_config config = {
        .dsn = dsn, .on_notice = on_notice, .on_parameter = on_parameter, .on_closed = on_closed, .user_data = l};
    const char *host = hosts[any(r, 6)], *password = "secret";
    bool needs_no_thread = is_fresh && r->has_stalls; /* the helper thread may still be stalled */
    int port = 5432;

    must(r, r->n_links < MAX_LINKS, "too many connections");
    *l = (line){.run = r, .is_fresh = is_fresh, .opened_us = sim_now(r->world)};
    if (is_fresh) {
        host = hosts[2 + any(r, 4)];
    } else if (chance(r, 60)) {
        l->is_wrong = true;
        if (chance(r, 333))
            host = "nowhere";
        else if (chance(r, 500))
            port = 9;
        else
            password = "wrong";
    }
    if (!is_fresh && chance(r, 500)) {
        config.connect_timeout = (1 + any(r, chance(r, 200) ? 20 : 3000)) / 1e3;
        l->connect_timeout_us = (int64_t)(config.connect_timeout * 1e6);
    }
    l->password = password;
    if (chance(r, 300))
        config.on_password = on_password;
    if (chance(r, 500) && !needs_no_thread)
        config.requirepeer = "root"; /* whose all servers are: the helper thread asks who that is */
    (void)snprintf(dsn, sizeof dsn,
                   "host=%s port=%d user=sim dbname=sim password=%s sslmode=%s max_protocol_version=%s "
                   "require_auth=none,password,md5,scram-sha-256",
                   host, port, password, needs_no_thread || chance(r, 500) ? "disable" : "prefer",
                   chance(r, 300) ? "latest" : "3.0");
    if (!is_fresh && chance(r, 120))
        config.max_queued_requests = l->max_queued = 1 + (int)any(r, 8);
    if (!is_fresh && chance(r, 60))
        config.max_queued_bytes = 1 + any(r, 2000);
    l->conn = tusk_conn_open(r->loop, &config);
    must(r, l->conn != NULL, "out of memory");
    say(r, "connect %d: %s, timeout %g", (int)(l - r->links), dsn, config.connect_timeout);
    return l;
}

static void begin_closing(const run *r, line *l)
{
    if (!l->is_closing)
        l->closing_turn = r->n_turns;
    l->is_closing = true;
}

static void close_link(run *r, line *l)
{
    begin_closing(r, l);
    wait_for(r, l, K_CLOSE, NULL, tusk_close(l->conn));
    if (!l->closer)
        l->closer = &r->wants[r->n_wants - 1];
}

static void free_link(run *r, line *l)
{
    say(r, "free connection %d", (int)(l - r->links));
    begin_closing(r, l);
    r->is_calling = true;
    tusk_conn_free(l->conn);
    r->is_calling = false;
    l->conn = NULL;
}

/* Mostly one that is alive; what is dead is tried now and then, and let go of. */
static line *any_link(run *r)
{
    line *alive = NULL, *dead = NULL;
    uint32_t n_alive = 0, n_dead = 0;

    for (size_t i = 0; i < r->n_links; i++) {
        line *l = &r->links[i];
        if (!l->conn)
            continue;
        if (is_alive(l) && any(r, ++n_alive) == 0)
            alive = l;
        else if (!is_alive(l) && any(r, ++n_dead) == 0)
            dead = l;
    }
    if (dead && chance(r, 100))
        return dead;
    if (dead && chance(r, 100))
        free_link(r, dead);
    if (n_alive < (uint32_t)r->n_links_wanted && r->n_links < MAX_LINKS - 4 && chance(r, n_alive ? 100 : 700))
        return open_link(r, false);
    return alive ? alive : dead && dead->conn ? dead : open_link(r, false);
}

/* ---- one thing, whichever ------------------------------------------------------------------------------------------------------------------ */

static want *any_want(run *r)
{
    want *found = NULL;
    uint32_t n = 0;

    for (size_t i = r->n_over; i < r->n_wants; i++)
        if (r->wants[i].q && any(r, ++n) == 0)
            found = &r->wants[i];
    return found;
}

static handle *any_handle(run *r)
{
    handle *found = NULL;
    uint32_t n = 0;

    for (size_t i = 0; i < r->n_handles; i++)
        if (r->handles[i].stmt && any(r, ++n) == 0)
            found = &r->handles[i];
    return found;
}

static void check_world(run *r)
{
    const char *trouble = sim_trouble(r->world), *complaint = pg_complaint(r->server);

    must(r, !trouble, "%s", trouble ? trouble : "");
    must(r, !complaint, "%s", complaint ? complaint : "");
}

/* Will it end even if nobody does anything more? */
static bool ends_by_itself(const run *r, const want *w)
{
    return w->due_us || !r->has_stalls;
}

static bool has_open_stream(const run *r, const line *l)
{
    for (size_t i = r->n_over; i < r->n_wants; i++)
        if (r->wants[i].link == l && r->wants[i].is_streaming && !is_over(&r->wants[i]))
            return true;
    return false;
}

static void await(run *r, want *w)
{
    tusk_query *q = w->q;
    bool was_done = w->n_done > 0, has_stream = has_open_stream(r, w->link), is_gone;
    tusk_code code;

    if (!was_done && !ends_by_itself(r, w))
        return;
    n_awaits++;
    say(r, "await %u", w->token);
    if (w->is_streaming)
        w->alone_from = 0;
    r->is_inside = true; /* callbacks may act, but not wait */
    code = tusk_await(q);
    r->is_inside = false;
    must(r, was_done || !w->done_us || sim_now(r->world) <= w->done_us + LATE_US, "who awaits %u is told late",
         w->token);
    is_gone = w->is_gone;
    check_world(r);
    poll_wants(r);
    if (code == TUSK_ERR_STATE && w->code != TUSK_ERR_STATE) {
        must(r, has_stream || w->has_row, "request %u cannot be awaited", w->token);
        return;
    }
    if (is_gone)
        must(r, code == TUSK_ERR_CANCELED || code == w->code, "request %u was freed and is still awaited", w->token);
    else
        must(r, w->n_done == 1 && code == w->code, "request %u: awaited with %s", w->token, tusk_code_name(code));
}

static void stream(run *r, want *w)
{
    tusk_row row;
    bool was_inside = r->is_inside;

    if (is_over(w) || w->has_row || w->has_done || w->kind >= K_N_COMMANDS || !ends_by_itself(r, w))
        return;
    n_streams++;
    w->is_streaming = true;
    r->is_inside = true;
    for (uint32_t n = any(r, chance(r, 500) ? 4 : 40); n > 0; n--) {
        w->has_given = false;
        if (!tusk_next_row(w->q, &row))
            break;
        check_row(w, &row);
        w->has_given = true;
        w->row = row, w->row_token = w->at_token, w->row_number = w->n_rows - 1;
        if (!w->q || chance(r, 30))
            break;
    }
    if (w->q && !w->n_done && !tusk_query_is_done(w->q) && tusk_query_value_error(w->q)->code == TUSK_OK &&
        w->has_given && is_last(w))
        w->alone_from = r->n_tokens + 1;
    r->is_inside = was_inside;
    check_world(r);
    poll_wants(r);
}

static void use_want(run *r, want *w)
{
    uint32_t at = any(r, 100);

    if (at < 15)
        cancel(w);
    else if (at < 25)
        let_go(w);
    else if (r->is_inside)
        return;
    else if (at < 60)
        await(r, w);
    else
        stream(r, w);
}

static void use_link(run *r, line *l)
{
    uint32_t at = any(r, 1000);

    if (at < 6)
        close_link(r, l);
    else if (at < 12)
        free_link(r, l);
    else if (at < 40)
        wait_for(r, l, K_CONN_READY, NULL, tusk_conn_ready(l->conn));
    else if (at < 50 || (at >= 800 && is_full(l)))
        wait_for(r, l, K_DRAINED, NULL, tusk_conn_drained(l->conn));
    else if (at < 100 && r->n_handles < MAX_STMTS)
        prepare(r, l);
    else if (at < 110)
        submit_refused(r, l);
    else if (at < 130)
        (void)submit_command(r, l, K_LIMITED);
    else if (at < 200)
        (void)submit_script(r, l);
    else
        (void)submit_command(r, l, any_command(r));
}

static void act(run *r)
{
    uint32_t at = any(r, 100);
    handle *h = at < 18 ? any_handle(r) : NULL;
    want *w = at >= 18 && at < 36 ? any_want(r) : NULL;

    if (r->n_ops >= N_OPS * 3)
        return;
    r->n_ops++;
    if (h)
        use_stmt(r, h);
    else if (w)
        use_want(r, w);
    else
        use_link(r, any_link(r));
}

/* ---- a run ---------------------------------------------------------------------------------------------------------------------------------- */

static void turn(run *r, double max_wait)
{
    tusk_error err = {0};
    tusk_code code = tusk_loop_turn(r->loop, max_wait, &err);

    r->n_turns++;
    check_world(r);
    must(r, code == TUSK_OK, "turn: %s", err.message);
    poll_wants(r);
}

static void tick(void *user)
{
    run *r = user;

    act_in_callback(r, 400);
    if (!r->is_calm && !r->is_ending)
        must(r, tusk_timer_start(r->loop, (1 + any(r, 50)) / 1e3, tick, r) != NULL, "no timer");
}

static want *want_of(run *r, uint32_t token)
{
    want *w = r->wants;

    while (w < r->wants + r->n_wants && !(token >= w->token && token < w->token + w->n_tokens))
        w++;
    return w;
}

/* What has the connection to itself is over before anything else comes. */
static void on_seen(uint32_t token, void *user)
{
    run *r = user;
    const want *w = want_of(r, token);

    for (const want *earlier = r->wants + r->n_over; earlier < w && w < r->wants + r->n_wants; earlier++)
        if (earlier->link == w->link && earlier->alone_from && token >= earlier->alone_from &&
            pg_fact_of(r->server, earlier->token)->n_seen)
            must(r, is_over(earlier) || tusk_query_is_done(earlier->q), "%u is sent behind %u, which was to be alone",
                 token, earlier->token);
}

/* What was given up as the last one has nothing behind it, and a head past its deadline nothing that was submitted later. */
static void on_waiting(uint32_t token, void *user)
{
    run *r = user;
    const want *w = want_of(r, token);
    const line *l = w->link;

    if (w == r->wants + r->n_wants)
        return; /* a Parse */
    for (const want *earlier = r->wants; earlier < w; earlier++) {
        const pg_fact *fact = pg_fact_of(r->server, earlier->token);
        must(r, earlier->link != l || !earlier->is_dropped || !fact->n_seen || fact->is_answered,
             "%u is sent behind %u, which was given up", token, earlier->token);
    }
    must(r, !l->stuck_us || token < l->stuck_from || pg_fact_of(r->server, l->stuck_token)->is_answered,
         "%u is sent, though %u is past its deadline", token, l->stuck_token);
}

static void on_cancel(uint32_t token, void *user)
{
    run *r = user;
    const want *w = want_of(r, token);

    must(r, w < r->wants + r->n_wants, "a cancel hits %u", token);
    must(r, w->is_canceled || (w->due_us && sim_now(r->world) >= w->due_us), "a cancel hits %u, which nobody gave up",
         token);
}

static void begin(run *r, uint64_t seed)
{
    static const char *const cures[] = {"10.0.0.1", "10.0.0.2", "::1"};
    /* one run in four has only such as cost no connection, or none at all: there nothing else may cost one either */
    sim_faults faults = seed % 4 ? sim_faults_of(seed) : sim_harmless_faults_of(seed);
    pg_options options = {.user = "sim", .password = "secret"};
    tusk_error err = {0};

    memset(r, 0, sizeof *r);
    r->seed = seed;
    r->world = sim_new(seed, &faults);
    r->is_faulty = seed % 4 != 0;
    r->has_stalls = faults.stall || faults.stall_connect || faults.thread_stalls;
    options.login = (pg_login)any(r, PG_N_LOGINS);
    options.scram_iterations = chance(r, 50) ? 10000 : 16; /* the first takes more than one turn */
    options.knows_3_2 = chance(r, 500);
    options.statement_timeout_us = chance(r, 250) ? 1000 + any(r, 20000) : 0;
    options.max_cancel_delay_us = chance(r, 100) ? 4000000 : any(r, 3) ? (int64_t)any(r, 5000) : 0;
    if (r->is_faulty) {
        options.refuse = chance(r, 300) ? 50 : 0;
        options.mishap = chance(r, 300) ? 20 : 0;
        options.early_death = chance(r, 200) ? 300 : 0;
        options.chatter = chance(r, 300) ? 100 : 0;
        options.nonsense = chance(r, 150) ? 10 : 0;
        options.impostor = chance(r, 300) ? 200 : 0;
        options.may_fall_silent = chance(r, 300);
        r->has_stalls |= options.may_fall_silent;
    }
    r->has_nonsense = options.nonsense || options.impostor;
    r->has_slow_cancels = options.max_cancel_delay_us > 1000000;
    r->server = pg_server_new(r->world, &options);
    pg_watch(r->server, &(pg_watcher){on_seen, on_waiting, on_cancel, r});
    for (size_t i = 0; i < sizeof cures / sizeof cures[0]; i++)
        pg_listen(r->server, cures[i], 5432);
    pg_listen(r->server, "/sim/.s.PGSQL.5432", 0);
    if (chance(r, 300))
        sim_name(r->world, "db1", "10.0.0.9"); /* where nobody is */
    sim_name(r->world, "db1", "10.0.0.1");
    sim_name(r->world, "db1", "10.0.0.2");
    r->loop = tusk__loop_open_on(sim_os(r->world), &(tusk_loop_config){.allocator = &sim_counting}, &err);
    must(r, r->loop != NULL, "%s", err.message);
    r->n_links_wanted = 1 + (int)any(r, 3);
    tick(r);
}

static void safety(run *r)
{
    while (r->n_ops < N_OPS) {
        act(r);
        if (chance(r, 500))
            turn(r, chance(r, 300) ? 0 : any(r, 30) / 1e3);
    }
}

static size_t n_pending(const run *r)
{
    size_t n = 0;

    for (size_t i = r->n_over; i < r->n_wants; i++)
        n += !is_over(&r->wants[i]);
    return n;
}

static void close_all(run *r, bool fresh_too)
{
    for (size_t i = 0; i < r->n_links; i++)
        if (r->links[i].conn && !r->links[i].is_closing && (fresh_too || !r->links[i].is_fresh))
            close_link(r, &r->links[i]);
}

static void say_pending(const run *r)
{
    for (size_t i = r->n_over; i < r->n_wants; i++)
        if (!is_over(&r->wants[i]))
            must(r, false, "%u (%s) on %d does not end", r->wants[i].token, kinds[r->wants[i].kind].name,
                 (int)(r->wants[i].link - r->links));
}

/* What has fallen silent stays silent, and who waits for it without a deadline gives up at some time. */
static void finish(run *r, int64_t give_up_us, bool fresh_too)
{
    int64_t end_us = sim_now(r->world) + LIVE_US;
    bool gives_up = r->has_stalls || fresh_too;

    while (n_pending(r) || gives_up) {
        if (gives_up && sim_now(r->world) >= give_up_us) {
            close_all(r, fresh_too);
            gives_up = false;
        }
        turn(r, 0.01);
        if (sim_now(r->world) > end_us)
            say_pending(r);
    }
}

static void begin_fresh(run *r)
{
    line *l = open_link(r, true);

    for (int i = 0; i < 6; i++) {
        static const kind choices[] = {K_ROW, K_ROWS, K_ECHO, K_INSERT, K_NOTICE, K_BIG};
        (void)submit_command(r, l, choices[any(r, 6)]);
    }
    (void)submit_script(r, l);
    (void)submit_command(r, l, K_ROW);
}

/* The last request, and all that it takes, is waited for; connections that idle keep nobody waiting, and stay. */
static void run_idle(run *r)
{
    tusk_error err = {0};
    int64_t end_us = sim_now(r->world) + (chance(r, 500) ? EXPIRED_US : 0);

    (void)submit_command(r, &r->links[r->n_links - 1], K_ROW);
    must(r, tusk_loop_run(r->loop, &err) == TUSK_OK, "run: %s", err.message);
    check_world(r);
    poll_wants(r);
    must(r, n_pending(r) == 0, "the run ends before its last request");
    while (sim_now(r->world) < end_us)
        turn(r, 1);
}

static void liveness(run *r)
{
    sim_stop_faults(r->world);
    pg_calm(r->server);
    r->is_calm = true;
    say(r, "calm");
    for (size_t i = r->n_over; i < r->n_wants; i++)
        if (r->wants[i].q && r->wants[i].is_streaming)
            let_go(&r->wants[i]);
    begin_fresh(r);
    finish(r, sim_now(r->world) + (chance(r, 500) ? 0 : LIVE_US * 8 / 10), false);
    run_idle(r);
    finish(r, 0, true);
}

/* A statement that is waiting to be repeated counts as not sent: nothing has come of it. */
static bool is_as_not_sent(const want *w, const pg_fact *fact)
{
    bool may_repeat = kind_of(w) == K_NOBIN || kind_of(w) == K_LATE;

    return fact->n_seen == 0 || (may_repeat && fact->n_run == 0 && strcmp(fact->sqlstate, "42883") == 0);
}

static void check_ledger(run *r)
{
    for (size_t i = 0; i < r->n_wants; i++) {
        want *w = &r->wants[i];

        must(r, is_over(w) || !w->has_done, "%u (%s) never completes", w->token, kinds[w->kind].name);
        for (uint32_t token = w->token; token < w->token + w->n_tokens; token++) {
            const pg_fact *fact = pg_fact_of(r->server, token);
            must(r, !w->is_not_sent || is_as_not_sent(w, fact), "%u was seen by the server, but told as not sent",
                 token);
            must(r, fact->n_run <= 1, "%u was run %d times", token, fact->n_run);
        }
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
    for (size_t i = 0; i < r->n_handles; i++)
        if (r->handles[i].stmt && chance(r, 500))
            tusk_stmt_free(r->handles[i].stmt);
    for (size_t i = 0; i < r->n_links; i++)
        if (r->links[i].conn && chance(r, 500))
            free_link(r, &r->links[i]);
    if (chance(r, 500) && !r->is_ending && r->is_calm)
        turn(r, 0);
    say(r, "free the loop");
    r->is_ending = true;
    tusk_loop_free(r->loop);
    check_world(r);
    must(r, sim_open_sockets(r->world) == 0, "%zu sockets are left", sim_open_sockets(r->world));
    check_ledger(r);
}

/* Returns the trace's hash. */
static uint64_t play(uint64_t seed)
{
    static run r;
    long n_before = sim_n_blocks;
    uint64_t hash;

    sim_name_seed_of_crash(seed);
    begin(&r, seed);
    safety(&r);
    if (!chance(&r, 100))
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

static void print_coverage(void)
{
    printf("%-11s", "");
    for (int o = 0; o < N_OUTCOMES; o++)
        printf("%9s", outcome_names[o]);
    for (int k = 0; k < N_KINDS; k++) {
        printf("\n%-11s", kinds[k].name);
        for (int o = 0; o < N_OUTCOMES; o++)
            printf("%9zu", coverage[k][o]);
    }
    printf("\n%zu requests, %zu awaits, %zu pauses, %zu streams; %zu logins, %zu refused, %zu negotiated, %zu "
           "impostors,\n"
           "%zu statements, %zu mishaps, %zu early deaths, %zu times nonsense; %zu cancels: %zu of nobody, %zu while "
           "running, %zu while idle, %zu on the "
           "fence; "
           "%zu copies failed; %zu statements timed out; %zu questions for a password, %zu canceled\n",
           n_requests, n_awaits, n_pauses, n_streams, totals.logins, totals.refused, totals.negotiated,
           totals.impostors, totals.statements, totals.mishaps, totals.early_deaths, totals.nonsense, totals.cancels,
           totals.cancels_of_nobody, totals.cancels_while_running, totals.cancels_while_idle, totals.cancels_on_fence,
           totals.copies_failed, totals.timed_out, n_questions, n_canceled_questions);
}

/* Can it happen at all? Then it must, over a couple of thousand seeds. */
static bool is_possible(kind k, outcome o)
{
    bool ends_session = k == K_FATAL || k == K_HANGUP, is_copy = k == K_COPY_IN || k == K_COPY_OUT;

    if (k == K_DRAINED)
        return o == O_OK || o == O_CANCELED_NOT_SENT || o == O_FREED;
    if (k == K_CLOSE)
        return o == O_OK || o == O_CANCELED_NOT_SENT || o == O_FREED;
    switch (o) {
    case O_OK:
        return k != K_ERROR && k != K_LATE && k != K_BAD && k != K_REFUSED && k != K_LIMITED && !ends_session &&
               !is_copy;
    case O_SERVER:
        return k != K_COMMIT && k != K_ROLLBACK && k != K_REFUSED && k != K_STMT_CLOSE && k != K_CONN_READY;
    case O_CANCELED:
        return k != K_REFUSED && k < K_STMT_CLOSE;
    case O_TIMEOUT:
        return k != K_REFUSED && k < K_STMT_CLOSE && !ends_session;
    case O_TIMEOUT_NOT_SENT:
        return k != K_STMT_CLOSE;
    case O_LOST:
        return k != K_REFUSED && k != K_COMMIT; /* that is "unknown" */
    case O_PROTOCOL:
    case O_PROTOCOL_NOT_SENT:
        return false; /* or so seldom that a thousand seeds may lack it */
    case O_COMMIT_UNKNOWN:
    case O_ROLLED_BACK:
        return k == K_COMMIT || k == K_SCRIPT || k == K_RUN;
    case O_FULL:
        return k == K_ROW || k == K_ROWS || k == K_ECHO || k == K_SLEEP || k == K_INSERT || k == K_SCRIPT || k == K_RUN;
    case O_REFUSED:
        return is_copy || k == K_REFUSED || k == K_LIMITED || k == K_SCRIPT;
    case O_STATE:
        return k != K_CONN_READY;
    case O_CANCELED_NOT_SENT:
    case O_LOST_NOT_SENT:
    case O_NO_CONNECTION:
    case O_FREED:
    case N_OUTCOMES:
        return true;
    }
    return false;
}

static void check_coverage(void)
{
    const size_t counts[] = {n_awaits,
                             n_pauses,
                             n_streams,
                             n_questions,
                             n_canceled_questions,
                             totals.refused,
                             totals.negotiated,
                             totals.mishaps,
                             totals.early_deaths,
                             totals.impostors,
                             totals.nonsense,
                             totals.cancels_of_nobody,
                             totals.cancels_while_running,
                             totals.cancels_while_idle,
                             totals.cancels_on_fence,
                             totals.copies_failed,
                             totals.timed_out};

    for (int k = 0; k < N_KINDS; k++)
        for (int o = 0; o < N_OUTCOMES; o++)
            ck_assert_msg(coverage[k][o] || !is_possible((kind)k, (outcome)o), "it never happened: %s, %s",
                          kinds[k].name, outcome_names[o]);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        ck_assert_msg(counts[i] > 0, "count %zu of the last lines is 0", i);
}

START_TEST(each_request_completes_once_and_truly)
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
    Suite *suite = suite_create("sim_driver");
    TCase *t = tcase_create("runs");

    suite_add_tcase(suite, t);
    tcase_set_timeout(t, 3600);
    tcase_add_test(t, each_request_completes_once_and_truly);
    tcase_add_test(t, same_seed_gives_the_same_trace);
    return suite;
}
