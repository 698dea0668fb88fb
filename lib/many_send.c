/* What a load writes, and when: its items by portions, as far as the answers to earlier ones have come; then its end.
 * It is pulled from a task alone, never inside the caller's submit, nor while bytes are sent or answers read.
 * Read first: lib/many.h, docs/internals/many.md. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/catalog.h"
#include "lib/codec/types.h"
#include "lib/conn.h"
#include "lib/formats.h"
#include "lib/given.h"
#include "lib/lookup.h"
#include "lib/many.h"
#include "lib/objects.h"
#include "lib/transaction.h"
#include "proto/error_set.h"
#include "proto/fields.h"

/* Of what the socket has not taken: more is written only below this. */
#define OUT_HIGH (8 * 1024)

/* ---- forms ---- */

#define TABLE(name, ...) static const uint8_t name[] = {__VA_ARGS__, TUSK__MANY_STOP}
static const uint8_t nothing[] = {TUSK__MANY_STOP};
TABLE(item_alone, TUSK__MANY_ITEM);
TABLE(sync_alone, TUSK__MANY_SYNC);
TABLE(undo, TUSK__MANY_ROLLBACK, TUSK__MANY_SYNC);
TABLE(savepoint, TUSK__MANY_SAVEPOINT);
TABLE(keep_inside, TUSK__MANY_RELEASE, TUSK__MANY_SAVEPOINT, TUSK__MANY_SYNC, TUSK__MANY_ROLLBACK_TO,
      TUSK__MANY_RELEASE, TUSK__MANY_SYNC);
TABLE(undo_inside, TUSK__MANY_SYNC, TUSK__MANY_ROLLBACK_TO, TUSK__MANY_RELEASE, TUSK__MANY_SYNC);
TABLE(each_outside, TUSK__MANY_ITEM, TUSK__MANY_SYNC);
TABLE(each_parsed, TUSK__MANY_PARSE, TUSK__MANY_ITEM, TUSK__MANY_SYNC);
TABLE(savepoint_sync, TUSK__MANY_SAVEPOINT, TUSK__MANY_SYNC);
TABLE(each_inside, TUSK__MANY_ROLLBACK_TO, TUSK__MANY_ITEM, TUSK__MANY_RELEASE, TUSK__MANY_SAVEPOINT, TUSK__MANY_SYNC);
TABLE(each_inside_parsed, TUSK__MANY_ROLLBACK_TO, TUSK__MANY_PARSE, TUSK__MANY_ITEM, TUSK__MANY_RELEASE,
      TUSK__MANY_SAVEPOINT, TUSK__MANY_SYNC);
TABLE(each_end, TUSK__MANY_ROLLBACK_TO, TUSK__MANY_RELEASE, TUSK__MANY_SYNC);

static const tusk__many_form atomic_form = {nothing, item_alone, NULL, sync_alone, undo, true, false};
static const tusk__many_form atomic_inside_form = {savepoint, item_alone, NULL, keep_inside, undo_inside, true, true};
static const tusk__many_form each_form = {nothing, each_outside, each_parsed, sync_alone, sync_alone, false, false};
static const tusk__many_form each_inside_form = {savepoint_sync, each_inside, each_inside_parsed, each_end, each_end,
                                                 false,          true};

static const tusk__many_form *form_of(const tusk_conn *conn, const tusk__many *many)
{
    bool is_inside = conn->session.tx_status != 'I';

    if (many->mode == TUSK_MANY_ATOMIC)
        return is_inside ? &atomic_inside_form : &atomic_form;
    return is_inside ? &each_inside_form : &each_form;
}

/* ---- what is expected of it ---- */

typedef struct answers {
    uint8_t n, expects[3];
} answers;

static const answers answers_of[TUSK__N_MANY_STEPS] = {
    [TUSK__MANY_SAVEPOINT] = {3, {TUSK__EXPECT_PARSE, TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE}},
    [TUSK__MANY_ROLLBACK_TO] = {3, {TUSK__EXPECT_PARSE, TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE}},
    [TUSK__MANY_RELEASE] = {3, {TUSK__EXPECT_PARSE, TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE}},
    [TUSK__MANY_ROLLBACK] = {3, {TUSK__EXPECT_PARSE, TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE}},
    [TUSK__MANY_PARSE] = {2, {TUSK__EXPECT_PARSE, TUSK__EXPECT_DESCRIBE_STATEMENT}},
    [TUSK__MANY_ITEM] = {2, {TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE}},
    [TUSK__MANY_SYNC] = {1, {TUSK__EXPECT_SYNC}},
};

static const uint8_t parse_alone[] = {TUSK__MANY_PARSE, TUSK__MANY_STOP};

static size_t n_answers(const uint8_t *table)
{
    size_t n = 0;

    for (; *table != TUSK__MANY_STOP; table++)
        n += answers_of[*table].n;
    return n;
}

static void expect(tusk__session *session, const uint8_t *table)
{
    for (; *table != TUSK__MANY_STOP; table++)
        tusk__session_expect(session, answers_of[*table].expects, answers_of[*table].n);
}

/* What was written since it was asked for the last time; nothing of it while it only waits for its turn. */
static size_t n_expects(const tusk_query *q)
{
    const tusk__many *many = q->many;
    size_t n = 0;

    if (!many->form)
        return 0;
    if (many->head_is_due)
        n += n_answers(many->form->head);
    if (many->parse_is_due)
        n += n_answers(parse_alone);
    if (many->n_items_due) /* more than one only before the first answer: they are alike */
        n += many->n_items_due * n_answers(tusk__many_item(many, many->n_pushed - 1));
    if (many->end_due)
        n += n_answers(many->end_due);
    return n;
}

static void expect_due(tusk__session *session, tusk_query *q)
{
    tusk__many *many = q->many;

    if (!many->form)
        return;
    if (many->head_is_due)
        expect(session, many->form->head);
    if (many->parse_is_due)
        expect(session, parse_alone);
    for (; many->n_items_due > 0; many->n_items_due--)
        expect(session, tusk__many_item(many, many->n_pushed - (int64_t)many->n_items_due));
    if (many->end_due)
        expect(session, many->end_due);
    many->head_is_due = many->parse_is_due = false;
    many->end_due = NULL;
}

size_t tusk__parts_n_expects(const tusk_query *q)
{
    return q->kind == TUSK__QUERY_MANY ? n_expects(q) : q->batch->n_expects + q->n_closes;
}

void tusk__parts_expect(tusk__session *session, tusk_query *q)
{
    static const uint8_t expect_closed[] = {TUSK__EXPECT_CLOSE};

    if (q->kind == TUSK__QUERY_MANY) {
        expect_due(session, q);
        return;
    }
    for (uint16_t i = 0; i < q->n_closes; i++)
        tusk__session_expect(session, expect_closed, 1);
    tusk__session_expect(session, q->batch->expects, q->batch->n_expects);
}

/* So many bytes more are in the buffer, with answers to come: of one that is sent already they are expected from here on. */
static void written(tusk_conn *conn, tusk_query *q, size_t n_before)
{
    q->out_end = conn->stream + (conn->out.len - conn->out_sent);
    if (q->stage == TUSK__STAGE_SENT)
        expect_due(&conn->session, q);
    else
        conn->n_reserved += n_expects(q) - n_before;
    tusk__send_soon(conn);
}

static tusk_code reserve(tusk_conn *conn, size_t n)
{
    return tusk__session_reserve(&conn->session, conn->n_reserved + n);
}

/* ---- steps ---- */

static void write_control(tusk_conn *conn, const tusk__many *many, const char *what)
{
    char text[64];

    (void)snprintf(text, sizeof text, "%s tusk_%" PRIu64, what, many->savepoint);
    tusk__control_write(conn, tusk_str_of(text));
}

static tusk_str name_of(const tusk_conn *conn, const tusk_query *q)
{
    return conn->is_pooled ? (tusk_str){NULL, 0} : tusk_str_of(q->stmt->name);
}

/* A handle keeps the types that its caller was told. One of ours has those of the first item, until the server has told the rest:
 * values are encoded by these. */
static void write_parse(tusk_conn *conn, const tusk_query *q)
{
    const tusk_stmt *stmt = q->stmt;
    bool is_told = !stmt->is_cached || (stmt->types && stmt->n_params == stmt->n_given);

    tusk__mind_secret(conn, stmt->text);
    tusk__parse_write(&conn->out, name_of(conn, q), stmt->text, is_told ? stmt->types : stmt->given,
                      is_told ? stmt->n_params : stmt->n_given);
    tusk__describe_write(&conn->out, 'S', name_of(conn, q));
}

/* All but an item. */
static void write_step(tusk_conn *conn, tusk_query *q, uint8_t step)
{
    switch (step) {
    case TUSK__MANY_SAVEPOINT:
        write_control(conn, q->many, "savepoint");
        break;
    case TUSK__MANY_ROLLBACK_TO:
        write_control(conn, q->many, "rollback to savepoint");
        break;
    case TUSK__MANY_RELEASE:
        write_control(conn, q->many, "release savepoint");
        break;
    case TUSK__MANY_ROLLBACK:
        tusk__control_write(conn, tusk_str_of("rollback"));
        break;
    case TUSK__MANY_PARSE:
        write_parse(conn, q);
        break;
    case TUSK__MANY_SYNC:
        tusk__sync_write(&conn->out);
        break;
    default:
        break;
    }
}

static void write_steps(tusk_conn *conn, tusk_query *q, const uint8_t *table)
{
    for (; *table != TUSK__MANY_STOP; table++)
        write_step(conn, q, *table);
}

/* ---- the statement, chosen when the first item is there ---- */

/* Not kept by the cache: without a name, but with what a statement knows of itself. */
static tusk_stmt *unnamed_stmt(tusk_conn *conn, tusk_str sql, tusk_params params)
{
    tusk_stmt *stmt = tusk__stmt_new(conn, sql, params.n);

    if (!stmt)
        return NULL;
    stmt->is_cached = true; /* nobody has a handle */
    stmt->name[0] = '\0';
    for (size_t i = 0; i < params.n; i++)
        stmt->given[i] = params.values[i].type;
    return stmt;
}

static tusk_code find_stmt(tusk_conn *conn, tusk_query *q, tusk_params params)
{
    tusk__many *many = q->many;
    tusk_stmt *stmt;

    q->hash = tusk__cache_hash(many->sql, params);
    stmt = tusk__cache_find(conn, q->hash, many->sql, params);
    if (stmt && stmt->state == TUSK__STMT_READY) {
        q->stmt = tusk__stmt_ref(stmt);
        return TUSK_OK;
    }
    stmt = stmt ? NULL : tusk__cache_add(conn, q->hash, many->sql, params);
    q->stmt = stmt ? tusk__stmt_ref(stmt) : unnamed_stmt(conn, many->sql, params);
    many->parses = true;
    if (!q->stmt)
        return TUSK_ERR_NOMEM;
    tusk__formats_assume(conn, q);
    return TUSK_OK;
}

static void find_handle(tusk_conn *conn, tusk_query *q)
{
    tusk_stmt *stmt = q->stmt;

    q->many->parses = stmt->is_stale || conn->is_pooled;
    if (stmt->is_stale && !conn->is_pooled)
        stmt->state = TUSK__STMT_PREPARING;
    if (conn->is_pooled && !q->text_results) {
        tusk__desc_unref(q->assumed);
        q->assumed = tusk__desc_ref(stmt->desc);
    }
}

/* ---- the frame: what each item says but for its values ---- */

static void write_formats(tusk__writer *b, const tusk_query *q, const tusk__desc *desc)
{
    if (!desc || q->text_results || tusk__desc_is_all_binary(desc)) {
        tusk__write_u16(b, 1);
        tusk__write_u16(b, !q->text_results);
        return;
    }
    tusk__write_count(b, (size_t)desc->n_cols);
    for (int i = 0; i < desc->n_cols; i++)
        tusk__write_u16(b, desc->cols[i].format);
}

static tusk_code make_frame(tusk_conn *conn, tusk_query *q, size_t n_params)
{
    tusk__many *many = q->many;
    tusk__writer *b = &many->frame.bytes;
    tusk_code code;

    tusk__writer_clear(b);
    many->n_params = n_params;
    tusk__write_u8(b, TUSK__F_BIND);
    tusk__write_u32(b, 0);
    tusk__write_cstr(b, (tusk_str){NULL, 0});
    tusk__write_cstr(b, name_of(conn, q));
    tusk__write_u16(b, (uint16_t)n_params);
    many->frame.head = b->len;
    write_formats(b, q, many->parses ? q->assumed : q->stmt->desc);
    many->frame.bind = b->len;
    tusk__execute_write(b, (tusk_str){NULL, 0}, 0);
    code = b->failed;
    if (code != TUSK_OK)
        tusk__writer_clear(b);
    return code;
}

/* ---- lost and prepared again ---- */

/* A Parse without a name serves until the next one without a name: the savepoints' inside, anybody's behind a pooler. */
static bool is_parsed_each_time(const tusk_conn *conn, const tusk_query *q)
{
    return !q->many->form->is_atomic && name_of(conn, q).len == 0 && (q->many->form->is_inside || conn->is_pooled);
}

static void parse_with(const tusk_conn *conn, tusk_query *q, int64_t item)
{
    q->many->parse_from = item;
    q->many->parse_to = is_parsed_each_time(conn, q) ? INT64_MAX : item + 1;
}

/* The item that is written next brings it, a handle's by the new name that it has by now. One of ours has left the cache, and goes on without a name: nobody else knows that. */
static tusk_code renew(tusk_conn *conn, tusk_query *q)
{
    if (q->stmt->is_cached)
        q->stmt->name[0] = '\0';
    TUSK_TRY(make_frame(conn, q, q->many->n_params));
    parse_with(conn, q, q->many->n_pushed);
    q->many->renews = false;
    return TUSK_OK;
}

/* ---- an item ---- */

static const uint32_t *types_of(const tusk_query *q)
{
    return q->many->is_described || !q->many->parses || !q->stmt->is_cached ? q->stmt->types : q->stmt->given;
}

/* One whose type the server has not told yet can only be sent as text. */
static bool waits_for_types(const tusk_query *q, tusk_params params)
{
    const uint32_t *types = types_of(q);

    if (types != q->stmt->given)
        return false;
    for (size_t i = 0; i < params.n; i++) {
        const tusk_value *v = &params.values[i];

        if (types[i] == 0 && v->kind != TUSK_KIND_NULL && (v->type != 0 || v->kind != TUSK_KIND_TEXT))
            return true;
    }
    return false;
}

static tusk_code check_count(tusk_query *q, tusk_params params)
{
    if (params.n == q->many->n_params)
        return TUSK_OK;
    return tusk__refuse_count(q, q->many->n_params, params.n);
}

static tusk_code write_item(tusk_conn *conn, tusk_query *q, tusk_params params)
{
    const uint8_t *step;
    tusk__request r = {{NULL, 0}, params};

    TUSK_TRY(check_count(q, params));
    TUSK_TRY(tusk__check_size(q, &r));
    if (q->many->renews)
        TUSK_TRY(renew(conn, q));
    for (step = tusk__many_item(q->many, q->many->n_pushed); *step != TUSK__MANY_STOP; step++) {
        if (*step == TUSK__MANY_ITEM)
            TUSK_TRY(tusk__frame_write(&conn->out, q, &q->many->frame, types_of(q), params));
        else
            write_step(conn, q, *step);
    }
    return conn->out.failed;
}

/* ---- the first one ---- */

static tusk_code begin(tusk_conn *conn, tusk_query *q, tusk_params params)
{
    tusk__many *many = q->many;
    tusk__request r = {{NULL, 0}, params};
    bool has_handle = q->stmt != NULL;

    TUSK_TRY(tusk__check_size(q, &r));
    if (has_handle)
        find_handle(conn, q);
    else
        TUSK_TRY(find_stmt(conn, q, params));
    if (has_handle || !many->parses)
        TUSK_TRY(tusk__check_params(q, &r));
    if (!many->parses) {
        TUSK_TRY(tusk__run_desc(q));
        many->n_cols = q->n_cols;
        many->is_described = true;
        tusk__lookup_columns(conn, q, q->first.desc); /* nothing describes them again */
    }
    TUSK_TRY(make_frame(conn, q, params.n));
    many->form = form_of(conn, many);
    if (many->form->is_inside)
        many->savepoint = ++conn->savepoint_number;
    many->head_is_due = many->form->head[0] != TUSK__MANY_STOP;
    write_steps(conn, q, many->form->head);
    if (many->parses && is_parsed_each_time(conn, q)) {
        parse_with(conn, q, 0);
    } else if (many->parses) {
        many->parse_is_due = many->parses_in_front = true;
        write_steps(conn, q, parse_alone);
    }
    return conn->out.failed;
}

/* Nothing of it was written after all: other values may make another statement of it. */
static void unbegin(tusk_query *q)
{
    tusk__many *many = q->many;

    many->form = NULL;
    many->head_is_due = many->parse_is_due = many->parses_in_front = false;
    many->is_described = false;
    many->parse_to = 0;
    if (!q->stmt)
        return;
    tusk__stmt_first_failed(q->stmt, false);
    if (!many->sql.len)
        return; /* the caller's */
    tusk__stmt_unref(q->stmt);
    q->stmt = NULL;
    many->parses = false;
}

void tusk__many_retracted(tusk_query *q)
{
    if (q->stmt && q->many->parses)
        tusk__stmt_first_failed(q->stmt, false);
}

/* ---- pushing ---- */

static tusk_code hold(tusk_conn *conn, tusk_query *q, tusk_params params)
{
    TUSK_TRY(check_count(q, params));
    if (!q->held.params.values || q->held.params.values != params.values) /* one that had objects is a copy already */
        TUSK_TRY(tusk__held_copy(&q->held, conn->allocator, (tusk_str){NULL, 0}, params));
    q->many->has_held = true;
    return TUSK_OK;
}

/* Of the first item what stands before it: its types are not told, unless the server is asked to. */
static tusk_code ask_for_types(tusk_conn *conn, tusk_query *q, size_t n_before)
{
    tusk__flush_write(&conn->out);
    TUSK_TRY(conn->out.failed);
    TUSK_TRY(reserve(conn, n_expects(q) - n_before));
    written(conn, q, n_before);
    return TUSK_OK;
}

/* The item as messages, or nothing of it. */
static tusk_code write_next(tusk_conn *conn, tusk_query *q, tusk_params params)
{
    tusk__many *many = q->many;
    size_t at = conn->out.len, n_before = n_expects(q);
    bool is_first = !many->form, waits;
    tusk_code code = is_first ? begin(conn, q, params) : TUSK_OK;

    waits = code == TUSK_OK && params.n == many->n_params && waits_for_types(q, params);
    if (waits)
        code = hold(conn, q, params);
    if (waits && code == TUSK_OK && is_first)
        code = ask_for_types(conn, q, n_before);
    if (waits && code == TUSK_OK)
        return TUSK_OK;
    if (code == TUSK_OK)
        code = write_item(conn, q, params);
    if (code == TUSK_OK) {
        many->n_items_due++;
        many->n_pushed++;
        code = reserve(conn, n_expects(q) - n_before);
        many->n_items_due -= code != TUSK_OK;
        many->n_pushed -= code != TUSK_OK;
    }
    if (code != TUSK_OK) {
        many->has_held = false;
        tusk__writer_cut(&conn->out, at);
        if (is_first)
            unbegin(q);
        return code;
    }
    many->portion_items++;
    many->portion_bytes += conn->out.len - at;
    written(conn, q, n_before);
    return TUSK_OK;
}

/* Objects of the program's as bytes: they are its own again when pull returns. */
static tusk_code write_objects(tusk_query *q, tusk_params params)
{
    TUSK_TRY(tusk__objects_hold(q, (tusk_str){NULL, 0}, params));
    return write_next(q->conn, q, q->held.params);
}

/* Who pushes an int4 first and then more than it holds: where the type comes from. */
static TUSK_COLD void advise_on_first(tusk_query *q)
{
    size_t i = (size_t)q->error.param - 1;
    char label[TUSK__TYPE_LABEL_SIZE], hint[TUSK__TYPE_LABEL_SIZE + 64];

    if (q->error.param < 1 || q->many->n_pushed == 0 || !q->stmt->is_cached || i >= q->stmt->n_given ||
        !q->stmt->given[i] || q->error.hint[0])
        return;
    snprintf(hint, sizeof hint, "$%zu has the type of the first item's value: %s", i + 1,
             tusk__conn_type_label(q->conn, q->stmt->given[i], label));
    tusk__error_hint(&q->error, tusk_str_of(hint));
}

/* Why, as the query will tell it; the code. */
static tusk_code refuse(tusk_query *q, tusk_code code)
{
    tusk__many *many = q->many;

    tusk__query_failf(q, code, NULL, "%s",
                      code == TUSK_ERR_NOMEM ? "out of memory for the item" : "the item is too long for one message");
    q->error.fate = TUSK_FATE_NOT_SENT;
    advise_on_first(q);
    tusk__many_place(q, &q->error, many->n_pushed);
    many->refusal = q->error;
    q->error.code = TUSK_OK;
    return many->refusal.code;
}

tusk_code tusk_many_push(tusk_query *q, tusk_params params)
{
    tusk__many *many = q && q->kind == TUSK__QUERY_MANY ? q->many : NULL;
    tusk_code code;

    if (!many || !many->in_pull)
        return TUSK_ERR_STATE;
    if (q->is_released || q->is_given_up || q->error.code != TUSK_OK || q->conn->phase != TUSK__PHASE_READY)
        return TUSK_ERR_CANCELED;
    if (many->is_pushed) {
        tusk__query_failf(q, TUSK_ERR_USAGE, NULL, "pull has pushed a second item in one call");
        return refuse(q, TUSK_ERR_USAGE);
    }
    if (tusk__are_missing(params)) {
        tusk__query_failf(q, TUSK_ERR_USAGE, NULL, TUSK__PARAMS_MISSING);
        return refuse(q, TUSK_ERR_USAGE);
    }
    code = tusk__has_objects(params) ? write_objects(q, params) : write_next(q->conn, q, params);
    if (code != TUSK_OK)
        return refuse(q, code);
    many->is_pushed = true;
    many->refusal.code = TUSK_OK;
    return TUSK_OK;
}

/* ---- pulling ---- */

static bool is_on_wire(const tusk_query *q)
{
    return q->stage == TUSK__STAGE_ENCODED || q->stage == TUSK__STAGE_SENT;
}

/* As far as the answers have come. */
static bool wants_more(const tusk_conn *conn, const tusk_query *q)
{
    const tusk__many *many = q->many;

    return !many->is_ended && !many->is_dry && !many->has_failed && !many->has_held &&
           !(q->paused & TUSK__PAUSED_PULL) && !q->is_given_up && !q->is_released && is_on_wire(q) &&
           conn->phase == TUSK__PHASE_READY && many->n_portions < many->max_portions;
}

/* A portion that was begun is written whole; and without one on the wire nobody would ask again, however much stands in front. */
static bool may_pull(const tusk_conn *conn, const tusk_query *q)
{
    const tusk__many *many = q->many;

    return wants_more(conn, q) && (many->portion_items > 0 || many->n_portions == 0 || conn->out.len <= OUT_HIGH);
}

/* What the program has written into it, or only the code. */
static void complete_error(tusk_error *err, tusk_code code)
{
    if (code == TUSK_OK) {
        err->code = TUSK_OK;
        code = tusk__error_set(err, TUSK_ERR_USAGE, NULL, "pull has returned TUSK_OK and pushed nothing");
    }
    tusk__given_error(err, code, "pull");
    err->column = -1;
    err->fate = TUSK_FATE_NOT_SENT;
}

static void pull_failed(tusk_query *q, tusk_code code)
{
    tusk__many *many = q->many;

    if (many->refusal.code != TUSK_OK && (code == TUSK_OK || code == many->refusal.code)) {
        tusk__many_fail(q, &many->refusal);
        return;
    }
    complete_error(&many->pull_error, code);
    tusk__many_place(q, &many->pull_error, many->n_pushed);
    tusk__many_fail(q, &many->pull_error);
}

static void pulled(tusk_query *q, tusk_code code)
{
    tusk__many *many = q->many;

    switch ((int)code) {
    case TUSK_OK:
        if (!many->is_pushed || many->refusal.code != TUSK_OK)
            pull_failed(q, code);
        break;
    case TUSK_DONE:
        many->is_dry = true;
        break;
    case TUSK_AGAIN:
        if (many->is_resumed)
            tusk__many_pump_soon(q);
        else
            q->paused |= TUSK__PAUSED_PULL;
        break;
    default:
        pull_failed(q, code);
        break;
    }
}

/* False: not this turn any more. */
static bool pull(tusk_query *q)
{
    tusk__many *many = q->many;
    tusk_code code;

    many->in_pull = true;
    many->is_pushed = many->is_resumed = false;
    many->refusal.code = TUSK_OK;
    q->in_callback = true;
    code = many->pull(q, many->n_pushed, &many->pull_error, many->user);
    q->in_callback = false;
    many->in_pull = false;
    if (!is_on_wire(q) || q->is_given_up || q->is_released)
        return false;
    pulled(q, code);
    return code == TUSK_OK;
}

/* ---- portions ---- */

/* A Flush behind it: else the last answers stay in the server's buffer until something more is asked of it. */
static void end_portion(tusk_conn *conn, tusk_query *q)
{
    tusk__many *many = q->many;

    if (many->portion_items == 0)
        return;
    tusk__flush_write(&conn->out);
    if (conn->out.failed != TUSK_OK) {
        tusk__writer_cut(&conn->out, (size_t)(q->out_end - conn->stream) + conn->out_sent);
        tusk__query_failf(q, TUSK_ERR_NOMEM, NULL, "out of memory for Flush");
        many->has_failed = true;
    }
    q->out_end = conn->stream + (conn->out.len - conn->out_sent);
    many->marks[(many->first_portion + many->n_portions) % many->max_portions] = many->n_pushed;
    many->n_portions++;
    many->portion_items = many->portion_bytes = 0;
}

static void pull_portion(tusk_conn *conn, tusk_query *q)
{
    const tusk__many *many = q->many;

    while (may_pull(conn, q) && pull(q) && many->portion_items < TUSK__PORTION_ITEMS &&
           many->portion_bytes < many->max_portion)
        continue;
}

/* The one that waited for its types. */
static void write_held(tusk_conn *conn, tusk_query *q)
{
    tusk__many *many = q->many;
    tusk_code code;

    if (!many->has_held || !many->is_described || many->has_failed)
        return;
    many->has_held = false;
    code = write_next(conn, q, q->held.params);
    if (code == TUSK_OK)
        return;
    (void)refuse(q, code);
    tusk__many_fail(q, &many->refusal);
}

/* ---- the end ---- */

static bool is_over(const tusk_query *q)
{
    const tusk__many *many = q->many;

    return !many->is_ended &&
           (many->has_failed || q->is_given_up || q->is_released || (many->is_dry && !many->has_held));
}

/* It has not a byte on the wire: it ends in its place. */
static void end_unwritten(tusk_conn *conn, tusk_query *q)
{
    q->many->is_ended = true;
    if (q->error.code == TUSK_OK && q->is_released)
        tusk__query_failf(q, TUSK_ERR_CANCELED, NULL, "freed by the caller");
    if (q->error.code != TUSK_OK) {
        q->error.fate = TUSK_FATE_NOT_SENT;
        tusk__level_undone(q);
    }
    tusk__request_end_unwritten(conn, q);
}

static void no_memory_for_end(tusk_conn *conn)
{
    tusk_error err = {0};

    (void)tusk__error_set(&err, TUSK_ERR_NOMEM, NULL, "out of memory for the end of a load");
    tusk__conn_fail(conn, &err);
}

static void write_end(tusk_conn *conn, tusk_query *q)
{
    tusk__many *many = q->many;
    bool is_good = many->is_dry && !many->has_failed && !q->is_given_up && !q->is_released;
    const uint8_t *table = is_good ? many->form->done : many->form->failed;
    size_t n_before = n_expects(q);

    many->is_ended = true;
    many->has_failed = !is_good;
    write_steps(conn, q, table);
    if (conn->out.failed != TUSK_OK || reserve(conn, n_answers(table)) != TUSK_OK) {
        no_memory_for_end(conn);
        return;
    }
    many->end = many->end_due = table;
    written(conn, q, n_before);
}

void tusk__many_pump(tusk__task *task)
{
    tusk__many *many = (tusk__many *)(void *)((char *)task - offsetof(tusk__many, pump_task));
    tusk_query *q = many->q;
    tusk_conn *conn = q->conn;
    int64_t n_before = many->n_pushed;

    if (!is_on_wire(q) || many->is_ended || conn->phase < TUSK__PHASE_READY || conn->phase >= TUSK__PHASE_CLOSING)
        return;
    tusk__conn_pin(conn);
    write_held(conn, q);
    pull_portion(conn, q);
    if (!is_on_wire(q) || conn->phase >= TUSK__PHASE_CLOSING) {
        /* taken back, or closed, by pull */
    } else if (is_over(q)) {
        if (many->form)
            write_end(conn, q);
        else
            end_unwritten(conn, q);
    } else {
        end_portion(conn, q);
        if (is_over(q) || (wants_more(conn, q) && many->n_pushed > n_before))
            tusk__many_pump_soon(q); /* what was written leaves first; then, or with the next answers, there is room */
    }
    tusk__conn_unpin(conn);
}

/* None of the pulls runs inside the caller's submit: the first is asked for in a turn to come. */
tusk_code tusk__many_encode(tusk_conn *conn, tusk_query *q)
{
    TUSK_TRY(tusk__check_sql(conn, q, q->stmt ? q->stmt->text : q->many->sql));
    tusk__many_pump_soon(q);
    return TUSK_OK;
}
