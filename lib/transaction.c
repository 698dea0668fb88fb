/* tusk_begin(), tusk_commit(), tusk_rollback(): the levels of a connection, what they are on the server, and what becomes of their ends.
 * Who shares a Sync with whom is unit.c's.
 * Read first: tusk/transaction.h, lib/transaction.h. */
#include "lib/transaction.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/conn.h"
#include "lib/sql.h"
#include "proto/error_set.h"

/* ---- levels ---- */

static tusk__level *level_new(tusk_conn *conn, const tusk_transaction *options)
{
    tusk__level *level = conn->free_levels;

    if (level)
        conn->free_levels = level->parent;
    else
        level = conn->allocator->malloc(sizeof *level, conn->allocator->user);
    if (!level)
        return NULL;
    memset(level, 0, sizeof *level);
    level->refs = 1;
    if (options)
        level->options = *options;
    return level;
}

void tusk__level_unref(tusk_conn *conn, tusk__level *level)
{
    while (level && --level->refs == 0) {
        tusk__level *parent = level->parent;

        conn->allocator->free(level->cause, conn->allocator->user);
        level->parent = conn->free_levels;
        conn->free_levels = level;
        level = parent;
    }
}

void tusk__level_leave(tusk_query *q)
{
    if (q->level->end == q)
        q->level->end = NULL;
    tusk__level_unref(q->conn, q->level);
    q->level = NULL;
}

void tusk__levels_clear(tusk_conn *conn)
{
    tusk__level *next;

    tusk__level_unref(conn, conn->level);
    tusk__level_unref(conn, conn->opening);
    conn->level = conn->opening = NULL;
    for (tusk__level *level = conn->free_levels; level; level = next) {
        next = level->parent;
        conn->allocator->free(level, conn->allocator->user);
    }
    conn->free_levels = NULL;
}

void tusk__level_keep_cause(tusk_conn *conn, tusk__level *level, const tusk_error *err, bool is_inner)
{
    if (level->cause)
        return;
    level->cause = conn->allocator->malloc(sizeof *err, conn->allocator->user);
    if (level->cause)
        *level->cause = *err;
    level->cause_is_inner = is_inner;
}

/* What went wrong in a level that is rolled back is nothing to those around it. */
static void forgive_inner(tusk_conn *conn, tusk__level *level)
{
    for (; level; level = level->parent) {
        level->inner_spoiled = false;
        if (!level->cause_is_inner)
            continue;
        conn->allocator->free(level->cause, conn->allocator->user);
        level->cause = NULL;
        level->cause_is_inner = false;
    }
}

static const tusk__level *failed_one(const tusk__level *level)
{
    while (level && !level->is_failed)
        level = level->parent;
    return level;
}

bool tusk__level_has_failed(const tusk__level *level)
{
    return failed_one(level) != NULL;
}

/* What a nested one has kept is its parent's. Of a block that was begun by text only the server knows. */
bool tusk__level_holds(const tusk__level *level, bool outlives_commit)
{
    for (; level && level->ended != TUSK__LEVEL_OPEN; level = level->parent) {
        if (level->ended == TUSK__LEVEL_UNDONE)
            return false;
        if (level->form == TUSK__LEVEL_BLOCK)
            return outlives_commit;
    }
    return true;
}

/* It did not begin, or is over, for this reason. */
static void not_begun(tusk_query *q, const tusk__level *level)
{
    const tusk_error *cause = level->cause;

    tusk__query_failf(q, cause ? cause->code : TUSK_ERR_STATE, cause ? cause->sqlstate : "25P01",
                      "not run: the transaction %s: %s", level->is_over ? "is over" : "did not begin",
                      cause ? cause->message : "out of memory for the reason");
}

/* By text: a rollback has something to tell. */
static bool is_kept(const tusk__level *level)
{
    return level->is_over && level->ended == TUSK__LEVEL_KEPT;
}

void tusk__level_refuse(tusk_query *q)
{
    tusk__level *level = q->level;

    if ((q->kind == TUSK__QUERY_ROLLBACK || q->kind == TUSK__QUERY_ROLLBACK_TO) && !is_kept(level)) {
        if (level->is_failed && !level->is_behind)
            forgive_inner(q->conn, level->parent);
        return;
    }
    if (q->kind == TUSK__QUERY_COMMIT && level->is_failed && level->parent && !level->is_behind)
        level->parent->is_spoiled = true; /* what was to be kept is not there */
    not_begun(q, failed_one(level));
    q->error.fate = TUSK_FATE_NOT_SENT;
}

/* ---- what was not sent ---- */

/* Where the text of a Parse without a name begins: behind its type, its length, and the name's NUL. */
#define TEXT_AT 6

/* In place, if not a byte of it was tried yet: of the same length, and undone instead of kept. */
static void turn_end(tusk_conn *conn, tusk_query *end)
{
    static const char *const texts[][2] = {
        {"commit", "abort "},
        {"release savepoint     ", "rollback to savepoint "},
    };
    const char *const *text = texts[end->level->form == TUSK__LEVEL_SAVEPOINT];
    size_t at = (size_t)(end->out_begin - conn->stream) + conn->out_sent + TEXT_AT;

    if (end->stage != TUSK__STAGE_ENCODED || end->kind != TUSK__QUERY_COMMIT)
        return;
    assert(memcmp(conn->out.buf + at, text[0], strlen(text[0])) == 0 ||
           memcmp(conn->out.buf + at, text[1], strlen(text[1])) == 0);
    memcpy(conn->out.buf + at, text[1], strlen(text[1]));
    end->level->ended = TUSK__LEVEL_UNDONE;
}

/* Those around it, too: what is submitted together is kept together. */
static void spoil(tusk_conn *conn, tusk__level *level, const tusk_error *err)
{
    level->is_spoiled = true;
    for (tusk__level *outer = level; outer; outer = outer->parent) {
        outer->inner_spoiled |= outer != level;
        tusk__level_keep_cause(conn, outer, err, outer != level);
        if (!outer->end)
            continue;
        turn_end(conn, outer->end);
        if (outer->end->kind == TUSK__QUERY_ROLLBACK_TO)
            return;
    }
}

/* All that is encoded in it is taken back. */
static void refuse_behind(tusk_conn *conn, const tusk_query *begin)
{
    tusk_query *next;

    for (tusk_query *q = begin->next; q; q = next) {
        next = q->next;
        if (q->stage == TUSK__STAGE_ENCODED && q->level && tusk__level_has_failed(q->level)) {
            tusk__request_refuse(conn, q);
            tusk__level_refuse(q);
        }
    }
}

void tusk__level_not_run(tusk_conn *conn, tusk_query *q)
{
    tusk__level *level = q->level;

    if (tusk__level_has_failed(level))
        return;
    if (tusk__is_end(q)) {
        tusk__level_reopen(conn, q);
        return;
    }
    if (q->kind != TUSK__QUERY_BEGIN) {
        spoil(conn, level, &q->error);
        return;
    }
    level->is_failed = true;
    q->shares_sync = false; /* it is not there any more */
    tusk__level_keep_cause(conn, level, &q->error, false);
    if (level->parent)
        spoil(conn, level, &q->error); /* unless it is rolled back, those around it lack a part */
    if (level->form == TUSK__LEVEL_BLOCK && conn->opening == level)
        tusk__unit_ready(conn);
    refuse_behind(conn, q);
}

/* Then nobody could look at q before. */
static bool is_committed_behind(const tusk_query *q)
{
    for (const tusk_query *end = q->next; end; end = end->next)
        if (end->kind == TUSK__QUERY_COMMIT && end->level == q->level)
            return true;
    return false;
}

void tusk__level_undone(tusk_query *q)
{
    tusk_error given_up;

    if (!q->level || tusk__level_has_failed(q->level) || !(q->is_released || is_committed_behind(q)))
        return;
    tusk__error_none(&given_up);
    (void)tusk__error_set(&given_up, TUSK_ERR_CANCELED, NULL, "a load was given up before its end");
    for (tusk__level *level = q->level; level; level = level->parent)
        level->is_undone = true;
    spoil(q->conn, q->level, q->error.code == TUSK_OK ? &given_up : &q->error);
}

/* ---- encoding ---- */

void tusk__control_write(tusk_conn *conn, tusk_str sql)
{
    static const uint16_t binary = 1;
    tusk__writer *b = &conn->out;
    tusk_str unnamed = {NULL, 0};

    tusk__parse_write(b, unnamed, sql, NULL, 0);
    tusk__bind_end(b, tusk__bind_begin(b, unnamed, unnamed, NULL, 0), &binary, 1);
    tusk__execute_write(b, unnamed, 0);
}

/* For errors, without the blanks that keep two texts at one length. */
static void name_control(tusk_query *q, const char *sql)
{
    size_t n = 0;

    for (const char *c = sql; *c && n + 1 < sizeof q->sql; c++)
        if (*c != ' ' || (c[1] != ' ' && c[1]))
            q->sql[n++] = *c;
    q->sql[n] = 0;
}

static void write_control(tusk_conn *conn, tusk_query *q, const char *sql)
{
    name_control(q, sql);
    tusk__control_write(conn, tusk_str_of(sql));
}

tusk_code tusk__begin_text(const tusk_transaction *t, char *text, size_t size)
{
    static const char *const isolations[] = {
        [TUSK_ISOLATION_DEFAULT] = "",
        [TUSK_READ_UNCOMMITTED] = " isolation level read uncommitted",
        [TUSK_READ_COMMITTED] = " isolation level read committed",
        [TUSK_REPEATABLE_READ] = " isolation level repeatable read",
        [TUSK_SERIALIZABLE] = " isolation level serializable",
    };

    if ((size_t)t->isolation >= sizeof isolations / sizeof isolations[0])
        return TUSK_ERR_USAGE;
    (void)snprintf(text, size, "begin%s%s%s", isolations[t->isolation], t->read_only ? " read only" : "",
                   t->deferrable ? " deferrable" : "");
    return TUSK_OK;
}

static tusk_code encode_savepoint(tusk_conn *conn, tusk_query *q)
{
    tusk__level *level = q->level;
    char text[48];

    if (level->options.isolation || level->options.read_only || level->options.deferrable) {
        tusk__query_failf(q, TUSK_ERR_USAGE, "25001",
                          "a transaction inside another one has its isolation, read_only and deferrable from that one");
        return TUSK_ERR_USAGE;
    }
    level->form = TUSK__LEVEL_SAVEPOINT;
    level->savepoint = ++conn->savepoint_number;
    (void)snprintf(text, sizeof text, "savepoint tusk_%" PRIu64, level->savepoint);
    write_control(conn, q, text);
    return TUSK_OK;
}

tusk_code tusk__encode_begin(tusk_conn *conn, tusk_query *q)
{
    char text[96];

    if (conn->session.tx_status != 'I') {
        TUSK_TRY(encode_savepoint(conn, q));
    } else {
        if (tusk__begin_text(&q->level->options, text, sizeof text) != TUSK_OK) {
            tusk__query_failf(q, TUSK_ERR_USAGE, NULL, "there is no isolation level %d",
                              (int)q->level->options.isolation);
            return TUSK_ERR_USAGE;
        }
        q->level->form = TUSK__LEVEL_BLOCK;
        q->changes_status = q->in_unit = true;
        write_control(conn, q, text);
    }
    tusk__sync_write(&conn->out);
    return TUSK_OK;
}

tusk_code tusk__encode_commit(tusk_conn *conn, tusk_query *q)
{
    tusk__level *level = q->level;
    bool is_spoiled = level && (level->is_spoiled || level->inner_spoiled);
    char text[64];

    if (is_spoiled)
        level->ended = TUSK__LEVEL_UNDONE;
    if (is_spoiled && level->parent)
        level->parent->is_spoiled = true;
    if (level && level->form == TUSK__LEVEL_SAVEPOINT) {
        (void)snprintf(text, sizeof text, "%s tusk_%" PRIu64,
                       is_spoiled ? "rollback to savepoint" : "release savepoint    ", level->savepoint);
        write_control(conn, q, text);
    } else {
        q->changes_status = true;
        q->ends = TUSK__ENDS_BY_COMMIT;
        name_control(q, "commit"); /* as it was called */
        tusk__control_write(conn, tusk_str_of(is_spoiled ? "abort " : "commit"));
    }
    tusk__sync_write(&conn->out);
    return TUSK_OK;
}

tusk_code tusk__encode_rollback(tusk_conn *conn, tusk_query *q)
{
    tusk__level *level = q->level;
    char text[64];

    if (level && level->form == TUSK__LEVEL_SAVEPOINT) {
        forgive_inner(conn, level->parent);
        q->kind = TUSK__QUERY_ROLLBACK_TO;
        (void)snprintf(text, sizeof text, "rollback to savepoint tusk_%" PRIu64, level->savepoint);
        write_control(conn, q, text);
        (void)snprintf(text, sizeof text, "release savepoint tusk_%" PRIu64, level->savepoint);
        tusk__control_write(conn, tusk_str_of(text));
    } else {
        q->changes_status = true;
        write_control(conn, q, "rollback");
    }
    tusk__sync_write(&conn->out);
    return TUSK_OK;
}

void tusk__transaction_encoded(tusk_conn *conn, tusk_query *q)
{
    if (q->kind == TUSK__QUERY_BEGIN && q->level->form == TUSK__LEVEL_BLOCK)
        conn->opening = tusk__level_ref(q->level);
    else if (tusk__is_end(q) && q->level)
        q->level->end = q;
}

/* ---- answers ---- */

/* A SAVEPOINT fails in the transaction around it: no rollback of what it did not begin can mend that. */
void tusk__level_error(tusk_query *q, tusk_str fields)
{
    bool is_begin = q->kind == TUSK__QUERY_BEGIN;
    const tusk__level *failed = is_begin && q->level->parent ? q->level->parent : q->level;
    tusk_error err;

    tusk__error_none(&err);
    tusk__error_fields_to_error(fields, &err);
    tusk__query_add_where(q, &err);
    q->level->is_failed |= is_begin;
    for (tusk__level *level = q->level; level; level = level->parent)
        tusk__level_keep_cause(q->conn, level, &err, level != q->level && level != failed);
}

bool tusk__rollback_is_of_nothing(const tusk_query *q)
{
    return q->kind == TUSK__QUERY_ROLLBACK_TO && q->level->is_failed;
}

/* Only the first error in a transaction is anything else than 25P02: the levels have kept it. */
void tusk__level_advise(const tusk_query *q)
{
    for (tusk__level *level = q->level; level; level = level->parent)
        if (level->cause && strcmp(level->cause->sqlstate, q->error.sqlstate) == 0)
            level->cause->retry = q->error.retry;
}

void tusk__transaction_complete(tusk_conn *conn, tusk_query *q)
{
    if (q->kind == TUSK__QUERY_BEGIN)
        q->level->has_begun = true;
    else if (q->kind == TUSK__QUERY_ROLLBACK_TO)
        forgive_inner(conn, q->level->parent);
    else if (q->kind == TUSK__QUERY_COMMIT)
        q->status_before = conn->session.tx_status;
}

static const char *reason_of(const tusk__level *level)
{
    if (!level || !(level->is_spoiled || level->inner_spoiled))
        return "a statement in it failed";
    return level->is_undone ? "a load in it was undone" : "a request in it was never sent";
}

/* Undone, for the first reason in it. What the server wants repeated is told as such; what we do by `retry`. */
static void rolled_back(tusk_query *q, const tusk_error *cause)
{
    bool is_retriable = cause && tusk_error_is_retriable(cause);
    tusk_error *err = tusk__query_failf(q, TUSK_ERR_ROLLED_BACK,
                                        is_retriable && cause->retry == TUSK_RETRY_UNKNOWN ? cause->sqlstate : NULL,
                                        "the transaction was rolled back: %s", reason_of(q->level));

    err->fate = TUSK_FATE_ANSWERED;
    if (!cause)
        return;
    err->retry = cause->retry;
    tusk__error_detail(err, tusk_str_of(cause->message));
}

/* RELEASE cannot tell more than that something in front of it has failed. */
static bool is_release_of_failed(const tusk_query *q)
{
    return q->level && q->level->form == TUSK__LEVEL_SAVEPOINT && q->error.code == TUSK_ERR_SERVER &&
           strcmp(q->error.sqlstate, "25P02") == 0;
}

/* The server's tag says whether it was a commit, and its ReadyForQuery before whether there was anything to be committed. */
void tusk__transaction_check(tusk_query *q)
{
    tusk_str tag = tusk_str_from(q->first.tag, q->first.tag_len);
    const tusk_error *cause = q->level ? q->level->cause : NULL;

    if (is_release_of_failed(q)) {
        tusk__error_none(&q->error);
        rolled_back(q, cause);
    }
    if (q->error.code != TUSK_OK)
        return;
    if (q->status_before == 'I') {
        if (q->level)
            not_begun(q, q->level);
        else
            tusk__query_failf(q, TUSK_ERR_STATE, "25P01", "there is no transaction to commit");
        q->error.fate = TUSK_FATE_ANSWERED;
    } else if (tusk_str_is(tag, "ROLLBACK")) {
        rolled_back(q, cause);
    }
}

/* ---- submitting ---- */

static tusk_query *submit(tusk_conn *conn, tusk_query *q)
{
    if (!q)
        return NULL;
    tusk__deadline_start(q, 0);
    tusk__request_submit(conn, q, (tusk_str){NULL, 0}, TUSK_NO_PARAMS);
    return q;
}

tusk_query *tusk_begin(tusk_conn *conn, const tusk_transaction *options)
{
    tusk__level *level = conn ? level_new(conn, options) : NULL;
    tusk_query *q = level ? tusk__query_new(conn->loop, conn, TUSK__QUERY_BEGIN) : NULL;

    if (!q) {
        if (level)
            tusk__level_unref(conn, level);
        return NULL;
    }
    level->parent = conn->level;
    conn->level = level;
    q->level = tusk__level_ref(level);
    return submit(conn, q);
}

/* The innermost one is over for whoever submits next; the connection's reference becomes the query's. */
static tusk_query *end_level(tusk_conn *conn, tusk__query_kind kind)
{
    tusk_query *q = conn ? tusk__query_new(conn->loop, conn, kind) : NULL;

    if (!q)
        return NULL;
    q->level = conn->level;
    if (conn->level) {
        if (!conn->level->is_over)
            conn->level->ended = kind == TUSK__QUERY_COMMIT ? TUSK__LEVEL_KEPT : TUSK__LEVEL_UNDONE;
        conn->level = conn->level->parent;
        if (conn->level)
            tusk__level_ref(conn->level);
    }
    return submit(conn, q);
}

tusk_query *tusk_commit(tusk_conn *conn)
{
    return end_level(conn, TUSK__QUERY_COMMIT);
}

tusk_query *tusk_rollback(tusk_conn *conn)
{
    return end_level(conn, TUSK__QUERY_ROLLBACK);
}

int tusk_conn_tx_depth(const tusk_conn *conn)
{
    int depth = 0;

    for (const tusk__level *level = conn ? conn->level : NULL; level; level = level->parent)
        depth++;
    return depth;
}
