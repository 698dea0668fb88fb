/* What a message means for the query at the head of the queue: one handler per kind of event.
 * Legality was checked by the session; here it is only carried out.
 * Read first: proto/session.h, DESIGN "The rules of the pipeline". */
#include "lib/conn.h"
#include "lib/explain.h"
#include "lib/formats.h"
#include "lib/known.h"
#include "lib/lookup.h"
#include "lib/many.h"
#include "lib/stack.h"
#include "lib/tokens.h"
#include "lib/transaction.h"
#include "proto/error_set.h"

/* The query that is being answered: NULL for what the server says unasked. */
static tusk_query *head_of(const tusk_conn *conn)
{
    return conn->first && conn->first->stage == TUSK__STAGE_SENT ? conn->first : NULL;
}

/* Is anybody still interested in what it brings? */
static bool is_wanted(const tusk_query *q)
{
    return !q->is_done && !q->is_released;
}

static void out_of_memory(tusk_query *q, const char *what)
{
    tusk__query_failf(q, TUSK_ERR_NOMEM, NULL, "out of memory for %s", what)->fate = TUSK_FATE_ANSWERED;
    tusk__query_spoil_rows(q);
}

/* ---- what is kept ---- */

static bool is_within_limit(const tusk_query *q)
{
    int64_t max = q->max_result_bytes;

    return max < 0 || q->earlier_bytes + q->filling->kept_bytes <= (uint64_t)max;
}

static void check_limit(tusk_query *q)
{
    if (is_within_limit(q))
        return;
    tusk__query_failf(q, TUSK_ERR_LIMIT, NULL, "the result is larger than max_result_bytes (%lld bytes)",
                      (long long)q->max_result_bytes)
        ->fate = TUSK_FATE_ANSWERED;
    tusk__query_spoil_rows(q);
}

/* Where the next rows, or the next tag, go: a script has many results, told apart by their descriptions and tags. NULL: nobody
 * wants them (any more). */
static tusk__result *next_result(tusk_query *q, bool has_rows)
{
    const tusk__result *filling = q->filling;

    if (!is_wanted(q) || q->error.code != TUSK_OK)
        return NULL;
    if (q->kind == TUSK__QUERY_SCRIPT && (filling->tag_len || (has_rows && filling->desc))) {
        if (tusk__query_add_result(q))
            check_limit(q);
        else
            out_of_memory(q, "a result");
    }
    return q->error.code == TUSK_OK ? q->filling : NULL;
}

/* ---- descriptions ---- */

static void on_parse_complete(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    (void)conn;
    (void)ev;
    if (q->kind == TUSK__QUERY_FIRST)
        q->stmt->is_parsed = true;
}

/* Of the cache's, in front of a request; that of a handle has a request of its own. */
static void on_close_complete(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    (void)ev;
    if (q->n_closes == 0)
        return;
    q->n_closes--;
    tusk__cache_closed(conn);
}

static void on_parameter_description(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    if (q->kind != TUSK__QUERY_PREPARE && q->kind != TUSK__QUERY_FIRST)
        return;
    if (tusk__stmt_set_params(q->stmt, &ev->parameter_description) != TUSK_OK && q->kind == TUSK__QUERY_PREPARE)
        out_of_memory(q, "the statement's parameters"); /* of a first execution: it is only not kept */
    tusk__lookup_params(conn, q, q->stmt->types, q->stmt->n_params);
}

/* What is known of a statement from now on: to it, if it has a name, and to all connections. */
static void learn_columns(tusk_conn *conn, tusk_query *q, tusk__desc *desc)
{
    bool is_first = q->kind == TUSK__QUERY_FIRST || q->kind == TUSK__QUERY_MANY;
    bool is_plan = q->kind == TUSK__QUERY_EXPLAIN || tusk__is_analyze(q) || tusk__is_lookup(q);
    tusk__desc *next = is_plan ? NULL : tusk__formats_for_next(conn, q, desc);

    if (!next)
        return; /* not ready, and not kept then */
    /* of one that runs once: all in binary is what is asked for without knowing anything */
    if (((q->kind == TUSK__QUERY_EXEC || q->kind == TUSK__QUERY_PORTAL) &&
         (q->assumed || !tusk__desc_is_all_binary(next))) ||
        (is_first && q->stmt->is_cached) || (q->kind == TUSK__QUERY_PREPARE && q->hash))
        tusk__known_set(conn->loop, tusk__known_key(conn, q->hash), next);
    if (!q->stmt) {
        tusk__desc_unref(next);
        return;
    }
    tusk__stmt_set_formats(q->stmt, next);
    if (is_first)
        tusk__stmt_first_described(q->stmt);
}

/* Of a script or a portal, the server tells the formats; a statement's description cannot: they are those that our Bind asked for. */
static tusk__desc *desc_of(tusk_conn *conn, const tusk_query *q, const tusk__row_description *description)
{
    tusk__desc *desc;

    if (!tusk__query_is_told_formats(q))
        return tusk__formats_described(conn, q, description);
    return tusk__desc_new(conn->allocator, description, &q->filling->spare, &desc, NULL) == TUSK_OK ? desc : NULL;
}

void tusk__answer_columns(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    tusk__result *result = q->kind == TUSK__QUERY_PREPARE ? NULL : next_result(q, true);
    tusk__desc *desc;

    if (!result && q->kind == TUSK__QUERY_SCRIPT)
        return;
    desc = desc_of(conn, q, &ev->row_description);
    if (!desc) {
        out_of_memory(q, "the description of the columns");
        return;
    }
    if (!tusk__query_is_told_formats(q))
        learn_columns(conn, q, desc);
    tusk__lookup_columns(conn, q, desc);
    if (result) {
        tusk__desc_unref(result->desc);
        result->desc = desc;
    } else {
        tusk__desc_unref(desc);
    }
}

static void on_no_data(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    (void)conn;
    (void)ev;
    if (q->kind != TUSK__QUERY_FIRST)
        return;
    tusk__stmt_set_formats(q->stmt, NULL);
    tusk__stmt_first_described(q->stmt);
}

/* ---- rows ---- */

static void hand_out(tusk_conn *conn, tusk_query *q, tusk_str body)
{
    tusk_row row;

    (void)conn;
    q->present = q->filling;
    q->rows_given = true;
    q->filling->n_rows++;
    tusk__row_init(&row, q, (const uint8_t *)body.ptr, (uint32_t)q->filling->desc->n_cols);
    q->in_callback = true;
    q->on_row(q, &row, q->user);
    q->in_callback = false;
    if (q->is_released)
        tusk__query_drop_rows(q);
}

/* The row, and those behind it that are here already: one by one through the session they would take three times as long. */
static void keep(tusk_conn *conn, tusk_query *q, tusk_str body)
{
    tusk_str rows;
    size_t n;

    if (tusk__result_keep(q->filling, conn->allocator, conn->chunk, body) != TUSK_OK) {
        out_of_memory(q, "a row");
        return;
    }
    n = tusk__session_is_at_row(&conn->session) ? tusk__session_more_rows(&conn->session, &rows) : 0;
    if (n > 0)
        tusk__result_keep_more(q->filling, rows, n);
    check_limit(q);
}

void tusk__answer_row(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    if (!is_wanted(q) || q->error.code != TUSK_OK)
        return;
    if (q->on_row)
        hand_out(conn, q, ev->body);
    else
        keep(conn, q, ev->body);
}

/* ---- the end of a statement ---- */

static void send_owed_sync(tusk_conn *conn, tusk_query *q)
{
    static const uint8_t expect_sync[] = {TUSK__EXPECT_SYNC};

    if (!q->owes_sync)
        return;
    q->owes_sync = false;
    tusk__sync_write(&conn->out);
    if (conn->out.failed != TUSK_OK || tusk__session_reserve(&conn->session, 1) != TUSK_OK) {
        tusk_error err = {0};

        (void)tusk__error_set(&err, TUSK_ERR_NOMEM, NULL, "out of memory for Sync");
        tusk__conn_fail(conn, &err);
        return;
    }
    tusk__session_expect(&conn->session, expect_sync, 1);
    tusk__send_soon(conn);
}

/* The caller has had all prepared statements dropped, ours among them. */
void tusk__answer_tag(tusk_conn *conn, tusk_str tag)
{
    if (tag.len > 0 && tag.ptr[0] == 'D' && (tusk_str_is(tag, "DISCARD ALL") || tusk_str_is(tag, "DEALLOCATE ALL")))
        tusk__cache_lost(conn);
}

static void settle_stmt(tusk_query *q);
static void end_head(tusk_conn *conn, tusk_query *q);

/* It has its answer, and its neighbours in the unit go on: no ReadyForQuery is its own. */
static void end_member(tusk_conn *conn, tusk_query *q)
{
    settle_stmt(q);
    if (!q->lookup || !tusk__lookup_waits(conn, q))
        end_head(conn, q);
    tusk__deadline_next_head(conn);
}

/* A prepared statement's rows look as they were described when it was prepared, in the formats that its Bind asked for. */
static void on_bind_complete(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    (void)ev;
    if (q->kind == TUSK__QUERY_RUN)
        tusk__session_expect_columns(&conn->session, q->n_cols);
    else if (tusk__query_opens_portal(q) && q->shares_sync)
        end_member(conn, q); /* nothing more is asked of it */
}

/* Of EXPLAIN ANALYZE: is this answer one to what was put around it? */
static bool is_around(tusk_query *q)
{
    bool is_first = !q->has_begun;

    if (!tusk__is_analyze(q))
        return false;
    q->has_begun = true;
    return is_first || q->n_more_syncs == 0;
}

static void on_command_complete(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    tusk__result *result = is_around(q) ? NULL : next_result(q, false);

    if (ev->kind == TUSK__EV_COMMAND_COMPLETE)
        tusk__answer_tag(conn, ev->tag);
    if (q->kind == TUSK__QUERY_SCRIPT && q->n_to_end > 0)
        tusk__script_statement_over(q, ev->tag);
    if (result && ev->kind == TUSK__EV_COMMAND_COMPLETE) {
        result->tag_len = (uint8_t)(ev->tag.len < sizeof result->tag ? ev->tag.len : sizeof result->tag);
        memcpy(result->tag, ev->tag.ptr, result->tag_len);
    }
    if (q->kind >= TUSK__QUERY_BEGIN)
        tusk__transaction_complete(conn, q);
    if (q->shares_sync)
        end_member(conn, q);
    else
        send_owed_sync(conn, q);
}

/* By the routine: the message may be in any language. */
static bool is_several_statements(const tusk_query *q, const tusk__event *ev)
{
    return ev->expect == TUSK__EXPECT_PARSE && memcmp(q->error.sqlstate, "42601", 5) == 0 &&
           tusk_str_is(tusk__error_field(ev->body, 'R'), "exec_parse_message");
}

/* The server speaks of a "bind message" and of a statement by the name that we gave it: nothing that the caller has written. */
static void add_hint(tusk_query *q, const tusk__event *ev)
{
    if (ev->expect == TUSK__EXPECT_BIND && memcmp(q->error.sqlstate, "08P01", 5) == 0 && !q->error.hint[0])
        tusk__error_hint(&q->error,
                         tusk_str_of("Give one parameter for each of $1 to the highest $n of the statement."));
    else if (is_several_statements(q, ev))
        tusk__error_hint(&q->error,
                         tusk_str_of("Several statements in one string go by tusk_script(), without parameters."));
}

static void on_error(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    if (tusk__rollback_is_of_nothing(q)) {
        tusk__transaction_complete(conn, q);
        return;
    }
    tusk__query_fail_fields(q, ev->body);
    if (q->kind == TUSK__QUERY_EXPLAIN || tusk__is_analyze(q))
        tusk__explain_place(q);
    if (q->level)
        tusk__level_error(q, ev->body);
    add_hint(q, ev);
    tusk__query_drop_unfinished(q);
    q->failed_at = (uint8_t)ev->expect;
    send_owed_sync(conn, q);
}

/* ---- COPY through the plain call: refused, and the connection stays usable ---- */

static void refuse_copy(tusk_query *q, const char *direction, const char *hint)
{
    tusk_error *err =
        tusk__query_failf(q, TUSK_ERR_USAGE, "0A000", "COPY %s the client cannot go through a plain query", direction);

    err->fate = TUSK_FATE_ANSWERED;
    tusk__error_hint(err, tusk_str_of(hint));
}

void tusk__answer_copy_unasked(tusk_conn *conn)
{
    tusk_error err = {0};

    (void)tusk__error_set(&err, TUSK_ERR_PROTOCOL, NULL, "the server starts COPY, but no COPY was asked for");
    tusk__conn_where(conn, &err);
    tusk__conn_fail(conn, &err);
}

static void on_copy_in(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    (void)ev;
    if (!q->is_copy && q->kind != TUSK__QUERY_SCRIPT) {
        tusk__copy_fail_write(&conn->out, tusk_str_of("no COPY was asked for"));
        tusk__send_now(conn);
        tusk__answer_copy_unasked(conn);
        return;
    }
    if (q->copy_refused) {
        tusk_error err = {0};

        (void)tusk__error_set(&err, TUSK_ERR_PROTOCOL, NULL, "the server starts COPY again, though it was refused");
        tusk__conn_where(conn, &err);
        tusk__conn_fail(conn, &err);
        return;
    }
    q->copy_refused = true;
    refuse_copy(
        q, "from",
        "nothing was copied; COPY between a table and a file of the server, or INSERT, works through a plain query");
    tusk__copy_fail_write(&conn->out, tusk_str_of("the client has no data to copy"));
    send_owed_sync(conn, q);
    tusk__send_soon(conn);
}

static void on_copy_out(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    (void)ev;
    if (!q->is_copy && q->kind != TUSK__QUERY_SCRIPT) {
        tusk__answer_copy_unasked(conn);
        return;
    }
    refuse_copy(q, "to",
                q->kind == TUSK__QUERY_SCRIPT
                    ? "the data was thrown away, and the rest of the script has run; SELECT works through a script"
                    : "the data was thrown away; COPY to a file of the server, or SELECT, works through a plain query");
    send_owed_sync(conn, q);
}

static void on_copy_both(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    (void)q;
    (void)ev;
    tusk__answer_copy_unasked(conn);
}

static void ignore(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    (void)conn;
    (void)q;
    (void)ev;
}

/* ---- the end of a query ---- */

static void forget_farewell(tusk_conn *conn)
{
    if (!conn->has_farewell)
        return;
    conn->has_farewell = false;
    conn->fields_len = 0;
}

/* Of the statements that commit, one begins with PREPARE. */
static const char *commit_name(const tusk_query *q)
{
    tusk__tokens tokens = tusk__tokens_of(q->stmt ? q->stmt->text : tusk_str_of(q->sql));

    return tusk__tokens_take_words(&tokens, "prepare") ? "PREPARE TRANSACTION" : "COMMIT";
}

static void check_end(tusk_query *q)
{
    tusk_str tag = tusk_str_from(q->first.tag, q->first.tag_len); /* of a script: the COMMIT is in front */

    if (q->ends == TUSK__ENDS_NOTHING)
        return;
    if (q->level)
        tusk__level_ended_by(q);
    if (q->ends == TUSK__ENDS_BY_COMMIT && q->error.code == TUSK_OK && tusk_str_is(tag, "ROLLBACK")) {
        tusk_error *err =
            tusk__query_failf(q, TUSK_ERR_ROLLED_BACK, NULL,
                              "%s was answered with ROLLBACK: the transaction had failed before", commit_name(q));

        err->fate = TUSK_FATE_ANSWERED;
    }
}

static void settle_stmt(tusk_query *q)
{
    if (!q->stmt)
        return;
    if (q->kind == TUSK__QUERY_PREPARE)
        tusk__stmt_finish(q->stmt, q->error.code == TUSK_OK ? NULL : &q->error);
    else if (q->kind == TUSK__QUERY_CLOSE)
        q->stmt->state = TUSK__STMT_CLOSED;
    else if (q->kind == TUSK__QUERY_FIRST)
        tusk__stmt_first_failed(q->stmt, true); /* unless it was described */
}

/* It leaves the queue and completes. */
static void end_head(tusk_conn *conn, tusk_query *q)
{
    (void)tusk__queue_pop(conn);
    q->stage = TUSK__STAGE_OUT;
    if (q->is_done) {
        tusk__query_leave(q);
        return;
    }
    if (q->error.code != TUSK_OK) /* canceled in this turn, or refused on behalf of a COPY */
        tusk__query_drop_unfinished(q);
    for (tusk__result *result = &q->first; result && !q->rows_given; result = result->next)
        tusk__result_compact(result, conn->allocator);
    tusk__query_complete(q);
}

/* The same, unless it waits for a look-up, or for somebody in front of it who does. */
static void end_or_wait(tusk_conn *conn, tusk_query *q)
{
    if (!tusk__lookup_waits(conn, q)) {
        end_head(conn, q);
        return;
    }
    if (q->error.code != TUSK_OK)
        tusk__query_drop_unfinished(q);
    for (tusk__result *result = &q->first; result && !q->rows_given; result = result->next)
        tusk__result_compact(result, conn->allocator);
}

/* Those behind the head that were not run because of it. A callback may end the connection, and them with it. */
static void end_not_run(tusk_conn *conn, size_t n)
{
    while (n-- > 0) {
        tusk__request_advance(conn);
        if (!head_of(conn))
            return;
        settle_stmt(head_of(conn));
        end_or_wait(conn, head_of(conn));
    }
}

/* What a ReadyForQuery means for the connection, and for the head and its statement. n_not_run: of those behind it. False: the head
 * goes on, or the connection is over. Inline in each of its two callers: the one is the way of nearly all queries. */
static inline __attribute__((always_inline)) bool settle_head(tusk_conn *conn, tusk_query *q, size_t *n_not_run)
{
    const tusk_query *last = q->shares_sync ? tusk__unit_last(q) : q;

    if (conn->stream < last->out_end) { /* Sync is its last message: nobody can have read it */
        tusk_error err = {0};

        (void)tusk__error_set(&err, TUSK_ERR_PROTOCOL, NULL, "the server answers what was not sent whole");
        tusk__conn_where(conn, &err);
        tusk__conn_fail(conn, &err);
        return false;
    }
    forget_farewell(conn);
    if (q->n_closes > 0)
        tusk__cache_unit_over(conn, q);
    q->n_closes = 0;
    if (q->error.code != TUSK_OK && tusk__repeat(conn, q))
        return false;
    if (conn->phase == TUSK__PHASE_FENCE && q->kind == TUSK__QUERY_FENCE)
        conn->phase = TUSK__PHASE_READY;
    if (conn->opening)
        tusk__unit_ready(conn);
    if (q->kind == TUSK__QUERY_COMMIT)
        tusk__transaction_check(q);
    else
        check_end(q);
    settle_stmt(q);
    *n_not_run = q->shares_sync ? tusk__unit_not_run(q) : 0;
    return true;
}

/* There are more to come; or it noted types that are to be looked up before it is told, or is behind one that did. */
static __attribute__((noinline)) void ready_slowly(tusk_conn *conn, tusk_query *q)
{
    size_t n_not_run;

    if (q->n_more_syncs > (q->lookup != 0)) {
        q->n_more_syncs--;
        return;
    }
    if (!settle_head(conn, q, &n_not_run))
        return;
    end_or_wait(conn, q);
    if (n_not_run > 0)
        end_not_run(conn, n_not_run);
    tusk__deadline_after_answer(conn);
    tusk__request_release(conn);
}

void tusk__answer_ready(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    size_t n_not_run;

    (void)ev;
    if (q->n_more_syncs > 0) {
        ready_slowly(conn, q);
        return;
    }
    if (!settle_head(conn, q, &n_not_run))
        return;
    end_head(conn, q);
    if (n_not_run > 0)
        end_not_run(conn, n_not_run);
    tusk__deadline_after_answer(conn);
    tusk__request_release(conn);
}

/* ---- what the server says unasked ---- */

static void log_notice(tusk_conn *conn, tusk_str fields)
{
    tusk_str severity = tusk__error_field(fields, 'V'), message = tusk__error_field(fields, 'M');
    tusk_log_level level = tusk_str_is(severity, "WARNING") ? TUSK_LOG_WARNING : TUSK_LOG_INFO;

    if (tusk__loop_logs(conn->loop, level))
        tusk__loop_log(conn->loop, level, "%.*s: %.*s", TUSK_STR_ARG(severity), TUSK_STR_ARG(message));
}

struct tusk_notice {
    tusk_str fields;
};

tusk_str tusk_notice_field(const tusk_notice *notice, char field)
{
    return tusk__error_field(notice->fields, field);
}

/* A server that is stopped at once, or whose neighbour has crashed, says so in a warning and hangs up (quickdie() in postgres.c);
 * a query's own RAISE may look the same, but has a ReadyForQuery behind it. */
static bool is_farewell(tusk_str fields)
{
    tusk_str sqlstate = tusk__error_field(fields, 'C');

    return tusk_str_is(tusk__error_field(fields, 'V'), "WARNING") &&
           (tusk_str_is(sqlstate, "57P01") || tusk_str_is(sqlstate, "57P02"));
}

void tusk__answer_farewell(const tusk_conn *conn, tusk_error *err)
{
    int os = err->os;

    if (!conn->has_farewell || err->code != TUSK_ERR_LOST)
        return;
    tusk__error_none(err);
    tusk__error_fields_to_error(tusk_str_from(conn->fields, conn->fields_len), err);
    err->code = TUSK_ERR_LOST;
    err->os = os;
}

void tusk__answer_notice(tusk_conn *conn, const tusk__event *ev)
{
    tusk_notice notice = {ev->body};

    if (is_farewell(ev->body))
        conn->has_farewell = tusk__conn_keep_fields(conn, ev->body);
    if (conn->settings->on_notice)
        conn->settings->on_notice(conn, &notice, conn->settings->user_data);
    else
        log_notice(conn, ev->body);
}

/* PostgreSQL 18 reports it: what was prepared under another one may mean other tables now. The server would find that out, too, but
 * only by an error where the columns are not the same. */
static void note_search_path(tusk_conn *conn, tusk_str value)
{
    if (tusk_str_equal(value, tusk__params_get(&conn->params, tusk_str_of("search_path"))))
        return;
    tusk__cache_drop_all(conn, true);
    conn->scope = 0;
}

static tusk_code keep_parameter(tusk_conn *conn, const tusk__parameter_status *p, tusk_error *err)
{
    tusk_code code = tusk__params_set(&conn->params, conn->allocator, p->name, p->value, err);

    if (code == TUSK_OK && tusk_str_is(p->name, "client_encoding") && !tusk_str_is(p->value, "UTF8"))
        code = tusk__error_set(err, TUSK_ERR_PROTOCOL, "08P01",
                               "client_encoding was changed to something else than UTF8; all text would be misread");
    return code;
}

void tusk__answer_parameter(tusk_conn *conn, const tusk__event *ev)
{
    const tusk__parameter_status *p = &ev->parameter_status;
    tusk_error err;

    tusk__error_none(&err);
    if (tusk_str_is(p->name, "search_path"))
        note_search_path(conn, p->value);

    if (keep_parameter(conn, p, &err) != TUSK_OK) {
        tusk__conn_where(conn, &err);
        tusk__conn_fail(conn, &err);
    } else if (conn->settings->on_parameter) {
        conn->settings->on_parameter(conn, p->name, p->value, conn->settings->user_data);
    }
}

/* FATAL: the backend is gone; the query in flight cannot know how far it came. */
static void on_fatal(tusk_conn *conn, const tusk__event *ev)
{
    tusk_error err = {0};

    (void)tusk__conn_keep_fields(conn, ev->body);
    tusk__error_fields_to_error(ev->body, &err);
    err.code = TUSK_ERR_LOST;
    tusk__conn_where(conn, &err);
    tusk__conn_fail(conn, &err);
}

/* ---- dispatch ---- */

static const struct {
    void (*fn)(tusk_conn *conn, tusk_query *q, const tusk__event *ev);
} handlers[] = {
    [TUSK__EV_READY] = {tusk__answer_ready},
    [TUSK__EV_PARSE_COMPLETE] = {on_parse_complete},
    [TUSK__EV_BIND_COMPLETE] = {on_bind_complete},
    [TUSK__EV_CLOSE_COMPLETE] = {on_close_complete},
    [TUSK__EV_PARAMETER_DESCRIPTION] = {on_parameter_description},
    [TUSK__EV_ROW_DESCRIPTION] = {tusk__answer_columns},
    [TUSK__EV_NO_DATA] = {on_no_data},
    [TUSK__EV_ROW] = {tusk__answer_row},
    [TUSK__EV_COMMAND_COMPLETE] = {on_command_complete},
    [TUSK__EV_EMPTY_QUERY] = {on_command_complete},
    [TUSK__EV_PORTAL_SUSPENDED] = {on_command_complete},
    [TUSK__EV_COPY_IN] = {on_copy_in},
    [TUSK__EV_COPY_OUT] = {on_copy_out},
    [TUSK__EV_COPY_BOTH] = {on_copy_both},
    [TUSK__EV_COPY_DATA] = {ignore},
    [TUSK__EV_COPY_DONE] = {ignore},
    [TUSK__EV_ERROR] = {on_error},
    [TUSK__EV_NOTIFICATION] = {NULL},
};

void tusk__answer_event(tusk_conn *conn, const tusk__event *ev)
{
    tusk_query *q;

    if (conn->first && conn->first->stage == TUSK__STAGE_REFUSED) {
        tusk__request_advance(conn);
        if (conn->phase >= TUSK__PHASE_CLOSING)
            return; /* in a callback of those */
    }
    q = head_of(conn);
    if (ev->kind == TUSK__EV_NOTICE)
        tusk__parts_notice(conn, q, ev);
    else if (ev->kind == TUSK__EV_PARAMETER_STATUS)
        tusk__answer_parameter(conn, ev);
    else if (ev->kind == TUSK__EV_ERROR && (ev->is_fatal || !q))
        on_fatal(conn, ev);
    else if (q && q->batch)
        tusk__parts_event(conn, q, ev);
    else if (q && handlers[ev->kind].fn)
        handlers[ev->kind].fn(conn, q, ev);
}
