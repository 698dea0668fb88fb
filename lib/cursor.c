/* Cursors: a portal with a name, opened by Bind, or by DECLARE where it is to scroll or to be held; its batches as requests of their own; and
 * rows one by one, with the next batch on its way.
 * What ends it is the protocol's Close, as CLOSE of one that is gone would end the caller's transaction.
 * Read first: tusk/cursor.h, docs/internals/cursor.md. */
#include <tusk/cursor.h>

#include <limits.h>
#include <stdio.h>

#include "lib/command.h"
#include "lib/conn.h"
#include "lib/cursor.h"
#include "lib/named.h"
#include "lib/owner.h"
#include "lib/sql.h"
#include "lib/transaction.h"
#include "proto/error_set.h"

enum {
    BATCH_ROWS = 1000,
    FIRST_ROWS = 50, /* as nothing is known of their size; asyncpg's number, too */
    BATCH_BYTES = 1024 * 1024,
};

struct tusk_cursor {
    tusk_conn *conn; /* pinned */
    const tusk_allocator *allocator;
    tusk__child child;
    uint64_t number;    /* in the portal's name */
    uint64_t hash;      /* is_portal: of what is asked: lib/known.h */
    bool is_portal;     /* opened by Bind; else by DECLARE */
    bool holds;         /* it outlives a commit */
    tusk__level *level; /* counted; in which it was opened; NULL: in none of tusk_begin()'s */
    char sql[64];       /* the beginning of the caller's text, for errors */
    bool is_closed;     /* by the caller */
    bool is_walking;    /* tusk_cursor_next_row() was called */
    bool is_over;       /* … and nothing more comes */
    bool is_stalled;    /* its error is only that it could not wait where it was asked to */
    bool is_unopened;   /* its error is why it could not be opened */
    bool is_waiting,
        is_released; /* a frame on the stack still uses the struct; the caller has let go of it meanwhile */
    bool text_results, scrolls;
    int batch_rows;
    int64_t batch_bytes;
    int64_t max_result_bytes;
    double timeout;
    tusk_stmt *stmt;             /* counted; NULL: of a text */
    tusk_named *named;           /* counted; NULL: without names. For the positions of errors */
    tusk_query *opening;         /* NULL once it is answered */
    int head_len;                /* of DECLARE, in front of the caller's text */
    tusk_query *present, *ahead; /* batches: the one that is walked over, the one on its way */
    int n_asked;                 /* rows of the last batch that was asked for */
    size_t n_walked;             /* rows of the present one that were handed out */
    int64_t row_bytes;           /* of a row, as it was in the present one; 0: not known yet */
    bool is_settled;             /* the present one is here whole, and more was asked for, if there is more */
    tusk_error error;
};

/* ---- life ---- */

static void destroy(tusk_cursor *cursor)
{
    const tusk_allocator *allocator = cursor->allocator;

    tusk__loop_disown(&cursor->child);
    tusk_query_free(cursor->opening);
    tusk_query_free(cursor->present);
    tusk_query_free(cursor->ahead);
    tusk_named_free(cursor->named);
    if (cursor->stmt)
        tusk__stmt_unref(cursor->stmt);
    tusk__level_unref(cursor->conn, cursor->level);
    tusk__conn_unpin(cursor->conn);
    allocator->free(cursor, allocator->user);
}

/* tusk_loop_free(): the handle goes with the loop. */
static void on_loop_free(tusk__child *child)
{
    destroy(OWNER_OF(child, tusk_cursor, child));
}

/* As the caller has written it. */
static tusk_str text_of(const tusk_cursor_request *request)
{
    if (request->stmt)
        return request->stmt->text;
    return request->named ? tusk__named_text(request->named) : tusk_str_of(request->sql);
}

static tusk_cursor *cursor_new(tusk_conn *conn, const tusk_cursor_request *request)
{
    const tusk_allocator *allocator = conn->allocator;
    tusk_cursor *cursor = allocator->malloc(sizeof *cursor, allocator->user);

    if (!cursor)
        return NULL;
    *cursor = (tusk_cursor){.conn = conn,
                            .allocator = allocator,
                            .text_results = request->text_results,
                            .scrolls = request->scroll,
                            .holds = request->hold,
                            .is_portal = !request->scroll && !request->hold,
                            .batch_rows = request->batch_rows ? request->batch_rows : BATCH_ROWS,
                            .batch_bytes = request->batch_bytes ? request->batch_bytes : BATCH_BYTES,
                            .max_result_bytes =
                                request->max_result_bytes ? request->max_result_bytes : TUSK__MAX_RESULT_BYTES,
                            .timeout = request->timeout};
    tusk__conn_pin(conn);
    tusk__loop_adopt(conn->loop, &cursor->child, on_loop_free);
    if (request->stmt)
        cursor->stmt = tusk__stmt_ref(request->stmt);
    tusk__sql_head(text_of(request), cursor->sql, sizeof cursor->sql);
    cursor->number = tusk__name_number(conn);
    return cursor;
}

static void advise(tusk_error *err)
{
    static const struct {
        const char *sqlstate, *hint;
    } hints[] = {
        {"25P01", "Begin a transaction in front of it, or set .hold, which needs none."},
        {"34000",
         "The transaction, or the savepoint, in which it was opened has ended; one with .hold outlives a commit."},
    };

    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++)
        if (strcmp(err->sqlstate, hints[i].sqlstate) == 0)
            tusk__error_hint(err, tusk_str_of(hints[i].hint));
}

/* The first error is the one that counts: that of the opening says more than what comes of it. */
static void keep_error(tusk_cursor *cursor, const tusk_error *err)
{
    if (cursor->error.code != TUSK_OK)
        return;
    cursor->error = *err;
    advise(&cursor->error);
}

/* A portal is gone at once where no transaction is open. In the unit of a BEGIN one is, though no ReadyForQuery has said so yet. */
static bool has_no_transaction(const tusk_cursor *cursor, const tusk_query *q)
{
    return cursor->is_portal && !q->in_unit && cursor->conn->session.tx_status == 'I';
}

/* Whatever was said before is only what came of it. */
static void keep_refusal(tusk_cursor *cursor, tusk_query *opening)
{
    if (cursor->is_unopened)
        return;
    cursor->is_unopened = true;
    cursor->is_stalled = false;
    tusk__query_add_where(opening, &opening->error);
    cursor->error = opening->error;
    advise(&cursor->error);
    if (cursor->error.position > cursor->head_len)
        cursor->error.position -= cursor->head_len; /* in the caller's text */
    if (cursor->named)
        cursor->error.position = tusk_named_position(cursor->named, cursor->error.position);
}

static void opened(tusk_query *q, void *user)
{
    tusk_cursor *cursor = user;

    cursor->opening = NULL;
    if (q->error.code == TUSK_OK && has_no_transaction(cursor, q))
        tusk__query_failf(q, TUSK_ERR_STATE, "25P01", "a cursor lives in a transaction, and none is open")->fate =
            TUSK_FATE_ANSWERED;
    if (q->error.code != TUSK_OK)
        keep_refusal(cursor, q);
}

/* ---- requests ---- */

/* None of it is kept prepared: texts with the cursor's name in them come once, and would drive the caller's own statements out. */
static tusk_query *new_request(tusk_cursor *cursor, tusk__query_kind kind)
{
    tusk_query *q = tusk__query_new(cursor->conn->loop, cursor->conn, kind);

    if (!q)
        return NULL;
    q->is_unnamed = true;
    q->text_results = cursor->text_results;
    q->max_result_bytes = cursor->max_result_bytes;
    q->portal = cursor->number;
    q->cursor_part = TUSK__CURSOR_TAKES;
    q->hash = cursor->hash;
    if (cursor->stmt && kind != TUSK__QUERY_EXEC) /* what the rows teach of formats is the statement's */
        q->stmt = tusk__stmt_ref(cursor->stmt);
    return q;
}

static tusk_query *submit(tusk_cursor *cursor, tusk_query *q, tusk_str sql, tusk_params params)
{
    if (!q)
        return NULL;
    tusk__deadline_start(q, cursor->timeout);
    tusk__request_submit(cursor->conn, q, sql, params);
    memcpy(q->sql, cursor->sql, sizeof q->sql); /* what the caller wrote, not what became of it */
    return q;
}

static const char *mistake_with_stmt(const tusk_cursor_request *request, const tusk_conn *conn)
{
    if (request->sql || request->named)
        return "stmt is given together with sql or named";
    if (request->args.items)
        return "a prepared statement takes values by number: tusk_named_bind() makes them of names";
    if (request->hold || request->scroll)
        return "with .hold or .scroll a cursor is of a text, as DECLARE knows no prepared statement: give its sql "
               "instead of stmt";
    if (request->stmt->conn != conn)
        return "the prepared statement belongs to another connection";
    return NULL;
}

static const char *mistake_in(const tusk_cursor_request *request, const tusk_conn *conn)
{
    const char *mistake = request->stmt ? mistake_with_stmt(request, conn) : NULL;

    if (mistake)
        return mistake;
    if (!request->sql && !request->named && !request->stmt)
        return "there is neither sql nor stmt";
    if (request->sql && request->named)
        return "named is given together with sql";
    if (tusk__are_missing(request->params))
        return TUSK__PARAMS_MISSING;
    if (request->params.n && (request->args.items || request->named))
        return "values are given by number where names are used";
    if (request->batch_rows < 0 || request->batch_bytes < 0)
        return "a batch has at least one row, and one byte";
    return NULL;
}

/* Names become numbers: the text to send, and its parameters. */
static tusk_code resolve_names(tusk_cursor *cursor, const tusk_cursor_request *request, tusk_str *sql,
                               tusk_params *params, tusk_error *fault)
{
    if (request->named)
        cursor->named = tusk__named_ref(request->named);
    else
        cursor->named = tusk_named_parse(tusk_str_of(request->sql), cursor->allocator, fault);
    if (!cursor->named)
        return fault->code;
    *sql = tusk__named_numbered(cursor->named);
    return tusk_named_bind(cursor->named, request->args, params, fault);
}

/* What a portal could not be of, as the server would find out too late. */
static const char *unfit(tusk_str sql)
{
    tusk__command command = tusk__command_of(sql);

    if (command == TUSK__COMMAND_EMPTY)
        return "there is no statement in the text";
    if (command == TUSK__COMMAND_COPY)
        return "a cursor cannot be of COPY";
    if (tusk__command_is_transaction_control(command))
        return "a cursor cannot be of what begins or ends a transaction";
    return NULL;
}

/* What is asked, as text and values by number; or what is wrong with it. */
static void take_question(tusk_cursor *cursor, const tusk_cursor_request *request, tusk__request *question,
                          tusk_error *fault)
{
    const char *mistake = mistake_in(request, cursor->conn);

    tusk__error_none(fault);
    *question = (tusk__request){text_of(request), request->params};
    if (!mistake && (request->args.items || request->named))
        (void)resolve_names(cursor, request, &question->sql, &question->params, fault);
    if (!mistake && fault->code == TUSK_OK && cursor->is_portal)
        mistake = unfit(question->sql);
    if (mistake)
        (void)tusk__error_set(fault, TUSK_ERR_USAGE, NULL, "%s", mistake);
    fault->fate = TUSK_FATE_NOT_SENT;
}

static void bind_portal(tusk_cursor *cursor, tusk_query *q, const tusk__request *question)
{
    q->hash = cursor->hash = tusk__cache_hash(question->sql, question->params);
    (void)submit(cursor, q, cursor->stmt ? (tusk_str){NULL, 0} : question->sql, question->params);
}

/* The text of DECLARE: what stands in front, and the caller's own, behind which nothing comes. */
static void declare(tusk_cursor *cursor, tusk_query *q, const tusk__request *question)
{
    char head[96];
    int n = snprintf(head, sizeof head, "declare %s %scursor %sfor ", tusk__portal_name_of(cursor->number).text,
                     cursor->scrolls ? "scroll " : "no scroll ", cursor->holds ? "with hold " : "");
    size_t head_len = n > 0 ? (size_t)n : 0, len = head_len + question->sql.len;
    char *text = cursor->allocator->malloc(len, cursor->allocator->user);

    if (!text) {
        tusk__query_failf(q, TUSK_ERR_NOMEM, NULL, "out of memory for the text of DECLARE")->fate = TUSK_FATE_NOT_SENT;
        (void)submit(cursor, q, (tusk_str){NULL, 0}, TUSK_NO_PARAMS);
        return;
    }
    memcpy(text, head, head_len);
    if (question->sql.len)
        memcpy(text + head_len, question->sql.ptr, question->sql.len);
    cursor->head_len = (int)head_len;
    (void)submit(cursor, q, tusk_str_from(text, len), question->params);
    cursor->allocator->free(text, cursor->allocator->user);
}

static tusk__query_kind opening_of(const tusk_cursor *cursor)
{
    if (!cursor->is_portal)
        return TUSK__QUERY_EXEC;
    return cursor->stmt ? TUSK__QUERY_PORTAL_RUN : TUSK__QUERY_PORTAL;
}

static tusk_query *open_by(tusk_cursor *cursor, const tusk_cursor_request *request)
{
    tusk_query *q = new_request(cursor, opening_of(cursor));
    tusk__request question;
    tusk_error fault;

    if (!q)
        return NULL;
    q->cursor_part = TUSK__CURSOR_OPENS;
    q->on_done = opened;
    q->user = cursor;
    take_question(cursor, request, &question, &fault);
    if (fault.code != TUSK_OK)
        tusk__query_fail(q, &fault);
    if (cursor->is_portal)
        bind_portal(cursor, q, &question);
    else
        declare(cursor, q, &question);
    if (q->level)
        cursor->level = tusk__level_ref(q->level);
    return q;
}

tusk_cursor *tusk_cursor_open(tusk_conn *conn, const tusk_cursor_request *request)
{
    tusk_cursor *cursor = conn ? cursor_new(conn, request) : NULL;

    if (!cursor)
        return NULL;
    cursor->opening = open_by(cursor, request);
    if (!cursor->opening) {
        destroy(cursor);
        return NULL;
    }
    return cursor;
}

static tusk_query *close_portal(tusk_cursor *cursor)
{
    tusk_query *q = tusk__query_new(cursor->conn->loop, cursor->conn, TUSK__QUERY_CLOSE_PORTAL);

    cursor->is_closed = true;
    if (q)
        tusk__request_submit(cursor->conn, q, tusk_str_of(tusk__portal_name_of(cursor->number).text), TUSK_NO_PARAMS);
    return q;
}

tusk_query *tusk_cursor_close(tusk_cursor *cursor)
{
    tusk_query *q;

    if (!cursor)
        return NULL;
    if (!cursor->is_closed)
        return close_portal(cursor);
    q = tusk__query_new(cursor->conn->loop, cursor->conn, TUSK__QUERY_WAIT);
    if (q)
        tusk__query_complete_soon(q); /* nothing is there to be closed */
    return q;
}

void tusk_cursor_free(tusk_cursor *cursor)
{
    if (!cursor)
        return;
    if (!cursor->is_closed && cursor->conn->phase < TUSK__PHASE_CLOSING)
        tusk_query_free(close_portal(cursor));
    cursor->is_released = true;
    if (!cursor->is_waiting)
        destroy(cursor);
}

/* ---- batches ---- */

/* Is it known that the server has no such cursor (any more)? To ask for its rows would fail there, and so end the transaction that is open
 * now. */
static bool is_absent(tusk_cursor *cursor, tusk_error *why)
{
    tusk_query *opening = cursor->opening;

    if (opening && opening->error.code != TUSK_OK && opening->stage >= TUSK__STAGE_REFUSED)
        keep_refusal(cursor, opening);
    tusk__error_none(why);
    if (cursor->is_unopened) {
        *why = cursor->error;
    } else if (!tusk__level_holds(cursor->level, cursor->holds)) {
        (void)tusk__error_set(why, TUSK_ERR_STATE, "34000", "the cursor has gone with what it was opened in");
        advise(why);
    }
    why->fate = TUSK_FATE_NOT_SENT;
    return why->code != TUSK_OK;
}

/* In its place. As a FETCH it is of the transaction that is open, which is rolled back for it, as for whatever fails in one; as a Close of
 * none: it was not the caller who asked. */
static tusk_query *refuse_absent(tusk_cursor *cursor, tusk__query_kind kind, const tusk_error *why)
{
    tusk_query *q = tusk__query_new(cursor->conn->loop, cursor->conn, kind);

    if (!q)
        return NULL;
    tusk__query_fail(q, why);
    if (!why->where[0])
        tusk__error_where(&q->error, "fetch \"%s\"", cursor->sql);
    tusk__request_submit(cursor->conn, q, (tusk_str){NULL, 0}, TUSK_NO_PARAMS);
    return q;
}

static tusk_query *ask_by_text(tusk_cursor *cursor, const char *verb, int n)
{
    char sql[96];

    (void)snprintf(sql, sizeof sql, "%s %d from %s", verb, n, tusk__portal_name_of(cursor->number).text);
    return submit(cursor, new_request(cursor, TUSK__QUERY_EXEC), tusk_str_of(sql), TUSK_NO_PARAMS);
}

static tusk_query *fetch(tusk_cursor *cursor, int n)
{
    tusk_query *q;

    if (!cursor->is_portal)
        return ask_by_text(cursor, "fetch forward", n);
    q = new_request(cursor, TUSK__QUERY_FETCH);
    if (q)
        q->fetch_rows = (uint32_t)n;
    return submit(cursor, q, (tusk_str){NULL, 0}, TUSK_NO_PARAMS);
}

static tusk_query *refuse(const tusk_cursor *cursor, tusk_code code, const char *why)
{
    tusk_query *q = tusk__query_new(cursor->conn->loop, cursor->conn, TUSK__QUERY_WAIT);

    if (!q)
        return NULL;
    tusk__query_failf(q, code, NULL, "%s", why)->fate = TUSK_FATE_NOT_SENT;
    tusk__query_complete_soon(q);
    return q;
}

static const char *fault_of(const tusk_cursor *cursor)
{
    if (cursor->is_closed)
        return "the cursor is closed";
    if (cursor->is_walking)
        return "tusk_cursor_next_row() has read ahead: the cursor stands elsewhere than its caller";
    return NULL;
}

tusk_query *tusk_cursor_fetch(tusk_cursor *cursor, int n)
{
    const char *fault;
    tusk_error why;

    if (!cursor)
        return NULL;
    fault = fault_of(cursor);
    if (fault)
        return refuse(cursor, TUSK_ERR_STATE, fault);
    if (n < 1)
        return refuse(cursor, TUSK_ERR_USAGE, "a batch has at least one row");
    return is_absent(cursor, &why) ? refuse_absent(cursor, TUSK__QUERY_FETCH, &why) : fetch(cursor, n);
}

tusk_query *tusk_cursor_move(tusk_cursor *cursor, int n)
{
    const char *fault;
    tusk_error why;

    if (!cursor)
        return NULL;
    fault = fault_of(cursor);
    if (fault)
        return refuse(cursor, TUSK_ERR_STATE, fault);
    if (n == INT_MIN)
        return refuse(cursor, TUSK_ERR_USAGE, "so many rows cannot be passed over at once");
    if (n < 0 && !cursor->scrolls)
        return refuse(cursor, TUSK_ERR_USAGE, "only a cursor that was opened with .scroll goes backward");
    if (is_absent(cursor, &why))
        return refuse_absent(cursor, TUSK__QUERY_FETCH, &why);
    return n < 0 ? ask_by_text(cursor, "move backward", -n) : ask_by_text(cursor, "move forward", n);
}

/* ---- rows one by one ---- */

static int smaller(int a, int64_t b)
{
    return b < a ? (int)b : a;
}

/* As many rows as would have filled the budget in the batch before. */
static int next_size(const tusk_cursor *cursor)
{
    int64_t each = cursor->row_bytes;

    if (!each)
        return smaller(cursor->batch_rows, FIRST_ROWS);
    return smaller(cursor->batch_rows, each < cursor->batch_bytes ? cursor->batch_bytes / each : 1);
}

/* What the rows that are here take, on average: at the end of a large batch they may be others than at its beginning. */
static void learn_size(tusk_cursor *cursor)
{
    const tusk_query *q = cursor->present;
    size_t n = q->first.n_rows - cursor->n_walked;

    if (n > 0)
        cursor->row_bytes = (int64_t)(q->first.kept_bytes / n) + 1;
}

static void ask_ahead(tusk_cursor *cursor)
{
    tusk_error why;

    cursor->n_asked = next_size(cursor);
    cursor->ahead = is_absent(cursor, &why) ? refuse_absent(cursor, TUSK__QUERY_CLOSE_PORTAL, &why)
                                            : fetch(cursor, cursor->n_asked);
    if (cursor->ahead)
        cursor->ahead->streaming = TUSK__STREAMS_BATCH;
}

/* Nobody else is on the way to the struct while a callback may free it. False: it is gone. */
static bool is_still_there(tusk_cursor *cursor)
{
    cursor->is_waiting = false;
    if (cursor->is_released)
        destroy(cursor);
    else
        return true;
    return false;
}

/* It could not be waited for where it was asked to; it may be elsewhere. */
static void stall(tusk_cursor *cursor, const tusk_error *why)
{
    cursor->is_stalled = true;
    keep_error(cursor, why);
}

/* The present batch is here whole: if more follows it comes while the caller works. */
static void settle(tusk_cursor *cursor)
{
    const tusk_query *q = cursor->present;

    cursor->is_settled = true;
    cursor->is_over = q->error.code != TUSK_OK || tusk_query_n_rows(q) < (size_t)cursor->n_asked;
    if (q->error.code != TUSK_OK)
        keep_error(cursor, &q->error);
    learn_size(cursor);
    if (!cursor->is_over)
        ask_ahead(cursor);
}

/* The next batch, whole, or as much of it as may lie here. False: nothing more comes, for now. */
static bool take_batch(tusk_cursor *cursor)
{
    tusk_error err = {0};
    tusk_code code;

    if (!cursor->ahead)
        ask_ahead(cursor);
    if (!cursor->ahead) {
        cursor->is_over = true;
        keep_error(cursor, tusk_query_error(NULL));
        return false;
    }
    cursor->is_waiting = true;
    code = tusk__query_gather(cursor->ahead, &err);
    if (!is_still_there(cursor))
        return false;
    if (code != TUSK_OK && code != TUSK_AGAIN && !tusk_query_is_done(cursor->ahead)) {
        stall(cursor, &err);
        return false;
    }
    tusk_query_free(cursor->present);
    cursor->present = cursor->ahead;
    cursor->ahead = NULL;
    cursor->n_walked = 0;
    cursor->is_settled = false;
    learn_size(cursor);
    if (code != TUSK_AGAIN)
        settle(cursor);
    return cursor->error.code == TUSK_OK;
}

/* Of the present batch; TUSK_DONE: it has no more. Where it is larger than what may lie here, its rest comes as its rows are taken. */
static tusk_code next_here(tusk_cursor *cursor, tusk_row *row)
{
    tusk_query *q = cursor->present;
    bool has_row;

    cursor->is_waiting = true;
    has_row = tusk_next_row(q, row);
    if (!is_still_there(cursor))
        return TUSK_ERR_CANCELED;
    cursor->n_walked += has_row;
    if (!cursor->is_settled && tusk_query_is_done(q))
        settle(cursor);
    if (has_row)
        return TUSK_OK;
    if (cursor->is_settled)
        return TUSK_DONE;
    stall(cursor, tusk_query_value_error(q));
    return TUSK_ERR_STATE;
}

static bool may_walk(tusk_cursor *cursor)
{
    tusk_error err = {0};

    if (cursor->is_closed) {
        (void)tusk__error_set(&err, TUSK_ERR_STATE, NULL, "the cursor is closed");
        keep_error(cursor, &err);
        return false;
    }
    if (cursor->is_stalled)
        cursor->error.code = TUSK_OK;
    cursor->is_stalled = false;
    cursor->is_walking = true;
    return !cursor->is_over || cursor->error.code == TUSK_OK;
}

bool tusk_cursor_next_row(tusk_cursor *cursor, tusk_row *row)
{
    tusk_code code;

    if (!cursor || !may_walk(cursor))
        return false;
    code = cursor->present ? next_here(cursor, row) : TUSK_DONE;
    while (code == TUSK_DONE && !cursor->is_over && take_batch(cursor))
        code = next_here(cursor, row);
    return code == TUSK_OK;
}

const tusk_error *tusk_cursor_error(const tusk_cursor *cursor)
{
    static const tusk_error no_error = {.fate = TUSK_FATE_ANSWERED, .column = -1, .item = -1};

    if (!cursor)
        return tusk_query_error(NULL);
    return cursor->error.code == TUSK_OK ? &no_error : &cursor->error;
}
