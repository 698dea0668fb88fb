/* What the messages of a load's answer mean: it walks the same tables as the writer, behind it, and keeps counts, not items.
 * Legality was checked by the session; here it is only carried out.
 * Read first: lib/many.h, docs/internals/many.md. */
#include "lib/command.h"
#include "lib/conn.h"
#include "lib/formats.h"
#include "lib/lookup.h"
#include "lib/many.h"
#include "lib/mishap.h"
#include "lib/transaction.h"
#include "proto/error_set.h"

/* Is anybody still interested in what it brings? */
static bool is_wanted(const tusk_query *q)
{
    return !q->is_done && !q->is_released;
}

/* ---- the walk ---- */

static const uint8_t *table_of(const tusk__many *many)
{
    static const uint8_t parse_alone[] = {TUSK__MANY_PARSE, TUSK__MANY_STOP};
    static const uint8_t nothing[] = {TUSK__MANY_STOP};

    switch (many->section) {
    case TUSK__MANY_IN_HEAD:
        return many->form->head;
    case TUSK__MANY_IN_PARSE:
        return many->parses_in_front ? parse_alone : nothing;
    case TUSK__MANY_IN_ITEM:
        return tusk__many_item(many, many->n_answered);
    case TUSK__MANY_IN_END:
        break;
    }
    return many->end ? many->end : many->form->failed; /* what failed before its end ends so */
}

/* The step that is answered next. */
static uint8_t current(tusk__many *many)
{
    while (table_of(many)[many->at] == TUSK__MANY_STOP && many->section < TUSK__MANY_IN_ITEM) {
        many->section++;
        many->at = 0;
    }
    if (many->section == TUSK__MANY_IN_ITEM && many->at == 0 && many->n_answered == many->n_pushed && many->is_ended)
        many->section = TUSK__MANY_IN_END;
    return table_of(many)[many->at];
}

/* So many portions are through that more may be asked for. */
static void retire(tusk_query *q)
{
    tusk__many *many = q->many;

    if (many->n_portions == 0 || many->n_answered < many->marks[many->first_portion])
        return;
    many->first_portion = (many->first_portion + 1) % many->max_portions;
    many->n_portions--;
    tusk__many_pump_soon(q);
}

static void tell_item(tusk_query *q, int64_t item, int64_t rows, const tusk_error *err)
{
    if (!q->many->on_item || !is_wanted(q) || q->is_given_up || (q->many->cannot_run && err))
        return;
    q->in_callback = true;
    q->many->on_item(q, item, rows, err, q->many->user);
    q->in_callback = false;
    if (q->is_released)
        tusk__query_drop_rows(q);
}

/* Answered, with or without an error of its own. */
static void item_over(tusk_query *q)
{
    tusk__many *many = q->many;
    int64_t item = many->n_answered++;

    many->at = 0;
    if (many->item_failed)
        many->n_failed++;
    else if (many->item_rows > 0)
        many->rows_affected += many->item_rows;
    tell_item(q, item, many->item_failed ? -1 : many->item_rows, many->item_failed ? &many->item_error : NULL);
    many->item_failed = false;
    many->renews |= many->is_lost;
    many->is_lost = false;
    retire(q);
}

static void step_over(tusk_query *q)
{
    tusk__many *many = q->many;

    many->at++;
    if (many->section == TUSK__MANY_IN_ITEM && table_of(many)[many->at] == TUSK__MANY_STOP)
        item_over(q);
}

/* ---- results ---- */

static void out_of_memory(tusk_query *q, const char *what)
{
    tusk__query_failf(q, TUSK_ERR_NOMEM, NULL, "out of memory for %s", what)->fate = TUSK_FATE_ANSWERED;
    tusk__query_spoil_rows(q);
}

/* Rows or results did not fit: then the load fails, if its end is not written yet. */
static void check_kept(tusk_query *q)
{
    tusk__many *many = q->many;

    if (q->error.code == TUSK_OK || many->has_failed || many->is_ended || q->is_given_up)
        return;
    many->has_failed = true;
    tusk__many_place(q, &q->error, many->n_answered);
    tusk__many_pump_soon(q);
}

/* Each item has one, if they are asked for, in order. */
static bool wants_result(const tusk_query *q)
{
    return q->many->item_results && is_wanted(q) && q->error.code == TUSK_OK;
}

static void begin_result(tusk_query *q)
{
    tusk__desc *desc = q->filling->desc;

    if (!wants_result(q) || q->many->n_results > q->many->n_answered)
        return;
    if (q->many->n_results++ == 0)
        return; /* the one that is always there */
    if (tusk__query_add_result(q)) {
        q->filling->desc = tusk__desc_ref(desc);
        q->filling->item = (uint32_t)q->many->n_results - 1;
    } else {
        out_of_memory(q, "a result");
    }
    check_kept(q);
}

static void keep_item_error(tusk_query *q)
{
    struct tusk__many_error *kept;

    begin_result(q);
    if (!wants_result(q))
        return;
    kept = q->many->allocator->malloc(sizeof *kept, q->many->allocator->user);
    if (!kept) {
        out_of_memory(q, "an item's error");
        check_kept(q);
        return;
    }
    kept->next = q->many->errors;
    q->many->errors = kept;
    kept->err = q->many->item_error;
    kept->outcome = (tusk__outcome){.error = &kept->err, .has_result = true};
    tusk__result_drop_rows(q->filling);
    q->filling->outcome = &kept->outcome;
}

/* ---- the statement ---- */

/* The load itself has gone on meanwhile: it is the next one of the statement's that knows what its own types are. */
static void on_parameters(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    tusk_error err;

    if (q->many->is_described || tusk__stmt_set_params(q->stmt, &ev->parameter_description) == TUSK_OK) {
        tusk__lookup_params(conn, q, q->stmt->types, q->stmt->n_params);
        return;
    }
    tusk__error_none(&err);
    (void)tusk__error_set(&err, TUSK_ERR_NOMEM, NULL, "out of memory for the statement's parameters");
    err.fate = TUSK_FATE_ANSWERED;
    tusk__many_fail(q, &err);
}

/* By a Parse behind the first one. What was kept so far has columns; rows of others are not decoded by these. */
static void on_described_again(tusk_query *q, const tusk__event *ev)
{
    const tusk__desc *desc = q->filling->desc;

    tusk__stmt_first_described(q->stmt);
    if (ev->kind != TUSK__EV_ROW_DESCRIPTION)
        return;
    q->many->n_cols = (int32_t)ev->row_description.n_cols;
    if (!is_wanted(q) || q->error.code != TUSK_OK || (desc && tusk__formats_match(desc, &ev->row_description)))
        return;
    tusk__query_failf(q, TUSK_ERR_TYPE, "0A000", "the statement's columns have changed since the first item");
    q->error.fate = TUSK_FATE_ANSWERED;
    tusk__many_place(q, &q->error, q->many->n_answered);
    tusk__query_spoil_rows(q);
    q->many->has_failed = true;
    tusk__many_pump_soon(q);
}

static void on_described(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    tusk__many *many = q->many;

    if (many->is_described)
        on_described_again(q, ev);
    else if (ev->kind == TUSK__EV_ROW_DESCRIPTION) {
        many->n_cols = (int32_t)ev->row_description.n_cols;
        tusk__answer_columns(conn, q, ev);
        check_kept(q);
    } else {
        tusk__stmt_set_formats(q->stmt, NULL);
        tusk__stmt_first_described(q->stmt);
    }
    many->is_described = q->stmt->types != NULL;
    if (many->has_held)
        tusk__many_pump_soon(q);
    step_over(q);
}

/* ---- items ---- */

static void on_complete(tusk_conn *conn, tusk_query *q, const tusk__event *ev, bool is_item)
{
    tusk_str tag = ev->kind == TUSK__EV_COMMAND_COMPLETE ? ev->tag : (tusk_str){NULL, 0};
    tusk__result *result = q->filling;

    if (is_item) {
        tusk__answer_tag(conn, tag);
        q->many->item_rows = tusk__command_tag_rows(tag);
        if (is_wanted(q) && q->error.code == TUSK_OK) {
            result->tag_len = (uint8_t)(tag.len < sizeof result->tag ? tag.len : sizeof result->tag);
            if (tag.len)
                memcpy(result->tag, tag.ptr, result->tag_len);
        }
    }
    step_over(q);
}

/* ---- errors ---- */

/* Of the whole load. It is of an earlier item than what a pull, or a push, has failed with since. */
static void fail_by_server(tusk_query *q, const tusk__event *ev, int64_t item)
{
    tusk__many *many = q->many;

    if (!q->is_done && !q->is_given_up && q->error.code != TUSK_OK && q->error.item > item && item >= 0)
        q->error.code = TUSK_OK;
    if (q->error.code == TUSK_OK) {
        tusk__query_fail_fields(q, ev->body);
        q->failed_at = (uint8_t)ev->expect;
        if (item >= 0)
            tusk__many_place(q, &q->error, item);
        tusk__query_spoil_rows(q);
    }
    many->has_failed = true;
    q->paused &= (uint8_t)~TUSK__PAUSED_PULL;
    tusk__many_pump_soon(q);
}

/* ---- the statement's mishaps: of the item at hand, which has not run ---- */

static tusk__tried tried_of(const tusk_query *q, const tusk__event *ev)
{
    const tusk__many *many = q->many;

    return (tusk__tried){.stmt = q->stmt,
                         .is_run = tusk__many_item(many, many->n_answered) == many->form->item,
                         .text_results = q->text_results,
                         .failed_at = (uint8_t)ev->expect,
                         .hash = q->hash,
                         .assumed = q->assumed,
                         .desc = q->first.desc,
                         .error = &many->item_error,
                         .routine = tusk__error_field(ev->body, 'R')};
}

static tusk__mishap mishap_of(const tusk__tried *tried)
{
    tusk__mishap why = tusk__mishap_of(tried);
    bool is_call = tusk__mishap_is_late(why) && tusk__command_of(tried->stmt->text) == TUSK__COMMAND_CALL;

    return is_call ? TUSK__MISHAP_NONE : why; /* it may have committed before its result could not be sent */
}

static bool is_lost(tusk__mishap why)
{
    return why == TUSK__MISHAP_LOST || why == TUSK__MISHAP_TAKEN;
}

/* Those that were on the wire behind the first one that told of it fail in the same way. */
static bool is_known_as_lost(const tusk__many *many)
{
    return many->is_lost || many->renews || many->n_answered < many->parse_from;
}

static void learn_lost(tusk_conn *conn, tusk_query *q, const tusk__tried *tried, tusk__mishap why)
{
    if (is_known_as_lost(q->many))
        return;
    (void)tusk__mishap_learn(conn, tried, why);
    q->many->is_lost = true;
}

/* Of one item of many; the load goes on. Not where all behind it would fail as it did: columns that have changed are for whoever
 * repeats the rest, who sees them described. */
static void fail_item(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    tusk__many *many = q->many;
    tusk__tried tried = tried_of(q, ev);
    tusk__mishap why;

    many->item_failed = true;
    tusk__error_none(&many->item_error);
    tusk__error_fields_to_error(ev->body, &many->item_error);
    tusk__many_place(q, &many->item_error, many->n_answered);
    why = mishap_of(&tried);
    if (why != TUSK__MISHAP_NONE)
        tusk__mishap_advise(&many->item_error, why, TUSK_RETRY_REQUEST);
    keep_item_error(q);
    if (is_lost(why))
        learn_lost(conn, q, &tried, why);
    else if (why != TUSK__MISHAP_NONE)
        fail_by_server(q, ev, many->n_answered);
}

static void cannot_run(tusk_query *q, const tusk__event *ev)
{
    q->many->cannot_run |= q->many->section != TUSK__MANY_IN_END;
    fail_by_server(q, ev, -1);
}

static void on_error(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    tusk__many *many = q->many;
    uint8_t step = current(many);
    bool is_item = many->section == TUSK__MANY_IN_ITEM;

    if (many->is_skipping)
        return;
    if (many->form->is_atomic)
        fail_by_server(q, ev, is_item ? many->n_answered : -1);
    else if (!is_item || (step == TUSK__MANY_PARSE && many->n_answered == 0))
        cannot_run(q, ev);
    else if (!many->cannot_run)
        fail_item(conn, q, ev);
    many->is_skipping = true;
    if (many->form->is_atomic && many->section != TUSK__MANY_IN_END) {
        many->section = TUSK__MANY_IN_END;
        many->at = 0;
    } else if (many->section == TUSK__MANY_IN_PARSE) {
        many->section = TUSK__MANY_IN_ITEM;
        many->at = 0;
    }
}

/* ---- Sync ---- */

/* Past the Sync that was skipped to. */
static void skip_to_sync(tusk__many *many)
{
    const uint8_t *table = table_of(many);

    while (table[many->at] != TUSK__MANY_SYNC)
        many->at++;
    if (many->section == TUSK__MANY_IN_ITEM)
        many->item_failed = true;
    many->is_skipping = false;
}

static void settle(tusk_query *q)
{
    const tusk__many *many = q->many;

    tusk__stmt_first_failed(q->stmt, true); /* unless it was described */
    if (q->error.code == TUSK_OK || q->is_done)
        return;
    q->error.fate = TUSK_FATE_ANSWERED;
    if (many->has_failed) {
        tusk__level_undone(q);
        if (many->form->is_atomic)
            tusk__query_spoil_rows(q);
    }
    if ((q->error.code == TUSK_ERR_LIMIT || q->error.code == TUSK_ERR_NOMEM) && !many->has_failed)
        tusk__error_hint(&q->error, tusk_str_of("All items were run; only their rows are missing."));
}

static void on_ready(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    tusk__many *many = q->many;
    bool is_last;

    (void)current(many);
    if (many->is_skipping)
        skip_to_sync(many);
    is_last = many->section == TUSK__MANY_IN_END && table_of(many)[many->at + 1] == TUSK__MANY_STOP;
    if (!is_last) {
        step_over(q);
        tusk__deadline_after_answer(conn);
        return;
    }
    settle(q);
    tusk__answer_ready(conn, q, ev);
}

/* ---- dispatch ---- */

static void on_row(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    tusk__answer_row(conn, q, ev);
    check_kept(q);
}

static void many_event(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    uint8_t step = current(q->many);

    switch (ev->kind) {
    case TUSK__EV_PARSE_COMPLETE:
        if (step == TUSK__MANY_PARSE)
            q->stmt->is_parsed = true;
        break;
    case TUSK__EV_PARAMETER_DESCRIPTION:
        on_parameters(conn, q, ev);
        break;
    case TUSK__EV_ROW_DESCRIPTION:
    case TUSK__EV_NO_DATA:
        on_described(conn, q, ev);
        break;
    case TUSK__EV_BIND_COMPLETE:
        if (step == TUSK__MANY_ITEM) {
            begin_result(q);
            tusk__session_expect_columns(&conn->session, q->many->n_cols);
        }
        break;
    case TUSK__EV_ROW:
        on_row(conn, q, ev);
        break;
    case TUSK__EV_COMMAND_COMPLETE:
    case TUSK__EV_EMPTY_QUERY:
    case TUSK__EV_PORTAL_SUSPENDED:
        on_complete(conn, q, ev, step == TUSK__MANY_ITEM);
        break;
    case TUSK__EV_ERROR:
        on_error(conn, q, ev);
        break;
    case TUSK__EV_READY:
        on_ready(conn, q, ev);
        break;
    case TUSK__EV_COPY_IN:
    case TUSK__EV_COPY_OUT:
    case TUSK__EV_COPY_BOTH:
        tusk__answer_copy_unasked(conn);
        break;
    case TUSK__EV_CLOSE_COMPLETE:
    case TUSK__EV_COPY_DATA:
    case TUSK__EV_COPY_DONE:
    case TUSK__EV_AUTHENTICATION:
    case TUSK__EV_NEGOTIATE_PROTOCOL_VERSION:
    case TUSK__EV_BACKEND_KEY_DATA:
    case TUSK__EV_PARAMETER_STATUS:
    case TUSK__EV_NOTICE:
    case TUSK__EV_NOTIFICATION:
        break;
    }
}

void tusk__parts_event(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    if (q->kind == TUSK__QUERY_MANY)
        many_event(conn, q, ev);
    else
        tusk__batch_event(conn, q, ev);
}

/* Outside a transaction block ROLLBACK does what it is for, and warns. */
static bool is_own_notice(tusk_query *q, tusk_str fields)
{
    return q->kind == TUSK__QUERY_MANY && q->many->form && current(q->many) == TUSK__MANY_ROLLBACK &&
           !q->many->is_skipping && tusk_str_is(tusk__error_field(fields, 'C'), "25P01");
}

void tusk__parts_notice(tusk_conn *conn, tusk_query *q, const tusk__event *ev)
{
    if (!q || !is_own_notice(q, ev->body))
        tusk__answer_notice(conn, ev);
}

/* ---- the connection is gone ---- */

/* The server commits an implicit transaction at its Sync, and not before: until that was sent whole, nothing can have been kept. */
void tusk__many_lost(tusk_query *q)
{
    const tusk__many *many = q->many;
    const tusk_conn *conn = q->conn;

    if (q->is_done || !many || !many->form || !many->form->is_atomic)
        return;
    tusk__query_spoil_rows(q);
    if (many->form->is_inside || !tusk__send_started(conn, q) || q->error.code == TUSK_ERR_SERVER)
        return;
    if (many->end == many->form->done && conn->stream >= q->out_end) {
        if (!conn->is_closing && q->error.code != TUSK_ERR_LIMIT && q->error.code != TUSK_ERR_NOMEM)
            q->error.code = TUSK_ERR_COMMIT_UNKNOWN;
        return;
    }
    q->error.fate = TUSK_FATE_ANSWERED;
    q->error.retry = TUSK_RETRY_REQUEST;
    tusk__error_hint(&q->error, tusk_str_of("Nothing of the load was kept: the server had not been asked to commit."));
}
