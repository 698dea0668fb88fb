/* A request as messages: one function per kind writes Parse, Describe, Bind, Execute, Sync … into the out buffer.
 * When they are written, and when not, is request.c's business.
 * Read first: proto/message.h, docs/internals/conn.md. */
#include "lib/array.h"
#include "lib/catalog.h"
#include "lib/codec/nested.h"
#include "lib/codec/own.h"
#include "lib/codec/plain.h"
#include "lib/command.h"
#include "lib/conn.h"
#include "lib/cursor.h"
#include "lib/explain.h"
#include "lib/formats.h"
#include "lib/lookup.h"
#include "lib/many.h"
#include "lib/objects.h"
#include "lib/pooler.h"
#include "lib/sql.h"
#include "lib/stack.h"
#include "lib/transaction.h"
#include "proto/error_set.h"
#include "proto/fields.h"
#include "proto/size.h"

#define SYNC_LEN 5

static const uint8_t expect_exec[] = {TUSK__EXPECT_PARSE, TUSK__EXPECT_DESCRIBE_STATEMENT, TUSK__EXPECT_BIND,
                                      TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC};
/* expect_exec is FIRST's, too. */
static const uint8_t expect_run[] = {TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC};
static const uint8_t expect_prepare[] = {TUSK__EXPECT_PARSE, TUSK__EXPECT_DESCRIBE_STATEMENT, TUSK__EXPECT_SYNC};
static const uint8_t expect_close[] = {TUSK__EXPECT_CLOSE, TUSK__EXPECT_SYNC};
static const uint8_t expect_portal[] = {TUSK__EXPECT_PARSE, TUSK__EXPECT_DESCRIBE_STATEMENT, TUSK__EXPECT_BIND,
                                        TUSK__EXPECT_SYNC};
static const uint8_t expect_portal_run[] = {TUSK__EXPECT_BIND, TUSK__EXPECT_SYNC};
static const uint8_t expect_fetch[] = {TUSK__EXPECT_DESCRIBE_PORTAL, TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC};
#define EXPECT_COMMAND TUSK__EXPECT_PARSE, TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE
#define EXPECT_PLAN TUSK__EXPECT_PARSE, TUSK__EXPECT_DESCRIBE_STATEMENT, TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE
static const uint8_t expect_analyze[] = {EXPECT_COMMAND, EXPECT_PLAN, TUSK__EXPECT_SYNC, EXPECT_COMMAND,
                                         TUSK__EXPECT_SYNC};
static const uint8_t expect_analyze_inside[] = {EXPECT_COMMAND, EXPECT_PLAN,    TUSK__EXPECT_SYNC,
                                                EXPECT_COMMAND, EXPECT_COMMAND, TUSK__EXPECT_SYNC};
static const uint8_t expect_script[] = {TUSK__EXPECT_QUERY};
static const uint8_t expect_control[] = {TUSK__EXPECT_PARSE, TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE,
                                         TUSK__EXPECT_SYNC};
static const uint8_t expect_rollback_to[] = {TUSK__EXPECT_PARSE, TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE,
                                             TUSK__EXPECT_PARSE, TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE,
                                             TUSK__EXPECT_SYNC};

static tusk_code encode_exec(tusk_conn *conn, tusk_query *q, const tusk__request *r);
static tusk_code encode_run(tusk_conn *conn, tusk_query *q, const tusk__request *r);
static tusk_code encode_prepare(tusk_conn *conn, tusk_query *q, const tusk__request *r);
static tusk_code encode_close(tusk_conn *conn, tusk_query *q, const tusk__request *r);
static tusk_code encode_close_portal(tusk_conn *conn, tusk_query *q, const tusk__request *r);
static tusk_code encode_portal(tusk_conn *conn, tusk_query *q, const tusk__request *r);
static tusk_code encode_fetch(tusk_conn *conn, tusk_query *q, const tusk__request *r);
static tusk_code encode_script(tusk_conn *conn, tusk_query *q, const tusk__request *r);
static tusk_code encode_control(tusk_conn *conn, tusk_query *q, const tusk__request *r);

/* One row per kind: how it is written and what it is answered with. */
static const struct {
    tusk_code (*encode)(tusk_conn *conn, tusk_query *q, const tusk__request *r);
    const uint8_t *expects;
    size_t n_expects;
} kinds[TUSK__N_WIRE_KINDS] = {
    [TUSK__QUERY_EXEC] = {encode_exec, expect_exec, sizeof expect_exec},
    [TUSK__QUERY_FIRST] = {NULL, expect_exec,
                           sizeof expect_exec}, /* what encode_exec() or encode_run() make of theirs */
    [TUSK__QUERY_RUN] = {encode_run, expect_run, sizeof expect_run},
    [TUSK__QUERY_PREPARE] = {encode_prepare, expect_prepare, sizeof expect_prepare},
    [TUSK__QUERY_CLOSE] = {encode_close, expect_close, sizeof expect_close},
    [TUSK__QUERY_CLOSE_PORTAL] = {encode_close_portal, expect_close, sizeof expect_close},
    [TUSK__QUERY_PORTAL] = {encode_portal, expect_portal, sizeof expect_portal},
    [TUSK__QUERY_PORTAL_RUN] = {tusk__portal_run_encode, expect_portal_run, sizeof expect_portal_run},
    [TUSK__QUERY_FETCH] = {encode_fetch, expect_fetch, sizeof expect_fetch},
    [TUSK__QUERY_EXPLAIN] = {tusk__explain_encode, expect_exec, sizeof expect_exec},
    [TUSK__QUERY_ANALYZE] = {tusk__explain_encode, expect_analyze, sizeof expect_analyze},
    [TUSK__QUERY_ANALYZE_INSIDE] = {NULL, expect_analyze_inside,
                                    sizeof expect_analyze_inside}, /* what that makes of it */
    [TUSK__QUERY_SCRIPT] = {encode_script, expect_script, sizeof expect_script},
    [TUSK__QUERY_FENCE] = {encode_script, expect_script, sizeof expect_script},
    [TUSK__QUERY_LOOKUP] = {tusk__lookup_encode, expect_exec, sizeof expect_exec},
    [TUSK__QUERY_LOOKUP_INSIDE] = {NULL, expect_analyze_inside,
                                   sizeof expect_analyze_inside}, /* what that makes of it */
    [TUSK__QUERY_BEGIN] = {encode_control, expect_control, sizeof expect_control},
    [TUSK__QUERY_COMMIT] = {encode_control, expect_control, sizeof expect_control},
    [TUSK__QUERY_ROLLBACK] = {encode_control, expect_control, sizeof expect_control},
    [TUSK__QUERY_STACK] = {encode_control, NULL, 0},
    [TUSK__QUERY_MANY] = {encode_control, NULL, 0},
    [TUSK__QUERY_ROLLBACK_TO] = {NULL, expect_rollback_to, sizeof expect_rollback_to},
};

/* ---- messages ---- */

/* Of a request that has objects: from now on it is the copy that holds them as bytes. */
static TUSK_COLD tusk_code check_objects(tusk_query *q, tusk__request *r)
{
    TUSK_TRY(tusk__objects_hold(q, q->stmt ? (tusk_str){NULL, 0} : r->sql, r->params));
    r->params = q->held.params;
    return tusk__check_size(q, r);
}

tusk_code tusk__check_size(tusk_query *q, tusk__request *r)
{
    size_t size = r->sql.len;
    bool fits = true;

    if (r->params.n > TUSK__PARAMS_MAX) {
        tusk__query_failf(q, TUSK_ERR_LIMIT, NULL, "%zu parameters, but a statement takes at most %d", r->params.n,
                          TUSK__PARAMS_MAX);
        return TUSK_ERR_LIMIT;
    }
    for (size_t i = 0; i < r->params.n && fits; i++)
        fits = tusk__size_add(size, tusk__param_size(&r->params.values[i]), &size);
    if (fits && size <= TUSK__MESSAGE_MAX)
        return TUSK_OK;
    if (tusk__has_objects(r->params))
        return check_objects(q, r);
    tusk__query_failf(q, TUSK_ERR_LIMIT, NULL,
                      "the statement and its parameters are longer than a message can be (%d bytes)",
                      TUSK__MESSAGE_MAX);
    return TUSK_ERR_LIMIT;
}

void tusk__mind_secret(tusk_conn *conn, tusk_str sql)
{
    conn->wipes_out = conn->wipes_out || tusk__sql_may_hold_secret(sql);
}

tusk_code tusk__check_sql(tusk_conn *conn, tusk_query *q, tusk_str sql)
{
    tusk__mind_secret(conn, sql);
    if (sql.len && memchr(sql.ptr, 0, sql.len))
        tusk__query_failf(q, TUSK_ERR_VALUE, "22021", "the SQL text holds a NUL byte");
    else if (!tusk__utf8_is_valid(sql))
        tusk__query_failf(q, TUSK_ERR_VALUE, "22021", "the SQL text is not valid UTF-8");
    else if (conn->settings->pooler == TUSK__POOLER_TRANSACTION)
        return tusk__pooler_check(sql, &q->error);
    return q->error.code;
}

static void write_parse(tusk__writer *b, tusk_str name, tusk_str sql, tusk_params params)
{
    size_t at = tusk__message_begin(b, TUSK__F_PARSE);

    tusk__write_cstr(b, name);
    tusk__write_cstr(b, sql);
    tusk__write_u16(b, (uint16_t)params.n);
    for (size_t i = 0; i < params.n; i++)
        tusk__write_u32(b, params.values[i].type);
    tusk__message_end(b, at);
}

/* A domain, an enum …: what the server would make of the value is for the server to say. */
static TUSK_COLD void advise_on_own_type(const tusk_conn *conn, tusk_error *err, uint32_t type, size_t number)
{
    char label[TUSK__TYPE_LABEL_SIZE];

    tusk__error_where(err, "bind $%zu (%s)", number, tusk__conn_type_label(conn, type, label));
    if (err->code == TUSK_ERR_TYPE)
        tusk__error_hint(
            err, tusk_str_of("It is a type of the database's own, such as a domain. Give tusk_prepare() the type that "
                             "you send, and the server converts it; or let it read text: tusk_unknown()."));
}

/* Of a kind whose OID is not the same everywhere: as what the statement wants, as far as that is known. */
static tusk_code write_own(tusk__writer *b, tusk_query *q, const tusk_value *value, uint32_t type, uint16_t *format,
                           tusk_error *err)
{
    tusk__types types = tusk__query_types(q);
    uint32_t want = type ? type : value->type;

    tusk__lookup_params(q->conn, q, &want, 1); /* it may have been forgotten since the statement was described */
    return tusk__own_param_encode(b, &types, value, want, format, err);
}

/* One parameter that tusk__plain_encode() has not taken; its format goes to the place that was left free for it. */
static __attribute__((noinline)) tusk_code write_any_param(tusk__writer *b, tusk_query *q, size_t i,
                                                           const tusk_value *value, uint32_t type, size_t formats_at)
{
    uint16_t format = 1;
    tusk_error err;
    const char *type_name;
    tusk_code code;

    tusk__error_none(&err);
    code = tusk__param_encode(b, value, type, &format, &err);
    if (code != TUSK_OK && (code != TUSK_AGAIN || write_own(b, q, value, type, &format, &err) != TUSK_OK)) {
        type_name = tusk__type_name(type ? type : value->type);
        err.param = (int)i + 1;
        if (type && !type_name)
            advise_on_own_type(q->conn, &err, type, i + 1);
        else
            tusk__error_where(&err, "bind $%zu (%s)", i + 1, type_name ? type_name : "unknown");
        err.fate = TUSK_FATE_NOT_SENT;
        tusk__query_fail(q, &err);
        return err.code;
    }
    if (b->failed == TUSK_OK)
        tusk__put16(b->buf + formats_at + 2 * i, format);
    return TUSK_OK;
}

static inline tusk_code write_param(tusk__writer *b, tusk_query *q, size_t i, const tusk_value *value, uint32_t type,
                                    size_t formats_at)
{
    if (!tusk__plain_encode(b, value, type ? type : value->type))
        return write_any_param(b, q, i, value, type, formats_at);
    tusk__put16(b->buf + formats_at + 2 * i, 1);
    return TUSK_OK;
}

/* The formats of the result columns: one for all, or one per column where the description has a say. */
static tusk_code write_result_formats(tusk__writer *b, const tusk_query *q, size_t at, const tusk__desc *desc)
{
    const tusk_allocator *allocator = tusk__loop_allocator(q->loop);
    uint16_t one = !q->text_results, *formats;
    size_t n = desc ? (size_t)desc->n_cols : 0;

    if (n == 0 || q->text_results || tusk__desc_is_all_binary(desc)) {
        tusk__bind_end(b, at, &one, 1);
        return TUSK_OK;
    }
    formats = tusk__array_new(allocator, n, sizeof *formats);
    if (!formats)
        return TUSK_ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        formats[i] = desc->cols[i].format;
    tusk__bind_end(b, at, formats, n);
    allocator->free(formats, allocator->user);
    return TUSK_OK;
}

tusk_code tusk__write_bind(tusk_conn *conn, tusk_query *q, tusk_str name, tusk_params params, const uint32_t *types,
                           const tusk__desc *desc)
{
    tusk__writer *b = &conn->out;
    size_t at = tusk__message_begin(b, TUSK__F_BIND), formats_at;

    if (tusk__query_opens_portal(q))
        tusk__write_cstr(b, tusk_str_of(tusk__portal_name_of(q->portal).text));
    else
        tusk__write_cstr(b, (tusk_str){NULL, 0});
    tusk__write_cstr(b, name);
    tusk__write_u16(b, (uint16_t)params.n);
    formats_at = b->len;
    (void)tusk__write_space(b, 2 * params.n);
    tusk__bind_params(b, params.n);
    for (size_t i = 0; i < params.n; i++)
        TUSK_TRY(write_param(b, q, i, &params.values[i], types ? types[i] : 0, formats_at));
    return write_result_formats(b, q, at, desc);
}

static void write_execute(tusk__writer *b, bool is_copy)
{
    tusk__execute_write(b, (tusk_str){NULL, 0}, 0);
    if (is_copy)
        tusk__flush_write(b);
    else
        tusk__sync_write(b);
}

static void write_close(tusk__writer *b, tusk_str name)
{
    tusk__close_write(b, 'S', name);
}

/* In front: there nothing can make the server skip them, unless a BEGIN stands before that. */
void tusk__close_dropped(tusk_conn *conn, tusk_query *q)
{
    q->n_closes = conn->cache && !conn->opening ? tusk__cache_close_dropped(conn, q, write_close) : 0;
}

/* Prepared by its first execution, if it is to be kept. */
static tusk_str name_of(tusk_conn *conn, tusk_query *q, const tusk__request *r)
{
    tusk_stmt *stmt = q->is_copy || q->is_unnamed ? NULL : tusk__cache_add(conn, q->hash, r->sql, r->params);

    if (!stmt)
        return (tusk_str){NULL, 0};
    q->stmt = tusk__stmt_ref(stmt);
    q->kind = TUSK__QUERY_FIRST;
    return tusk_str_of(stmt->name);
}

static tusk_code encode_exec(tusk_conn *conn, tusk_query *q, const tusk__request *r)
{
    tusk__writer *b = &conn->out;
    tusk__command command;
    tusk_str name;

    TUSK_TRY(tusk__check_sql(conn, q, r->sql));
    command = tusk__command_of(r->sql);
    q->is_copy = command == TUSK__COMMAND_COPY;
    q->ends = (uint8_t)tusk__command_ends(command);
    q->changes_status = tusk__command_changes_status(command);
    name = name_of(conn, q, r);
    tusk__close_dropped(conn, q);
    tusk__formats_assume(conn, q);
    write_parse(b, name, r->sql, r->params);
    tusk__describe_write(b, 'S', name);
    TUSK_TRY(tusk__write_bind(conn, q, name, r->params, NULL, q->assumed));
    write_execute(b, q->is_copy);
    return TUSK_OK;
}

tusk_code tusk__refuse_count(tusk_query *q, size_t wanted, size_t given)
{
    tusk__query_failf(q, TUSK_ERR_USAGE, "08P01", "the statement takes %zu parameter%s, not %zu", wanted,
                      wanted == 1 ? "" : "s", given);
    return TUSK_ERR_USAGE;
}

tusk_code tusk__check_params(tusk_query *q, const tusk__request *r)
{
    if (r->params.n == q->stmt->n_params)
        return TUSK_OK;
    return tusk__refuse_count(q, q->stmt->n_params, r->params.n);
}

/* The description that the rows of this run will have: the statement's, or one of its own where other formats are asked for. */
static tusk_code set_run_desc(tusk_query *q)
{
    tusk__desc *desc = q->stmt->desc;

    q->n_cols = desc ? desc->n_cols : -1;
    tusk__desc_unref(q->first.desc);
    q->first.desc = NULL;
    if (!desc)
        return TUSK_OK;
    if (!q->text_results) {
        q->first.desc = tusk__desc_ref(desc);
        return TUSK_OK;
    }
    q->first.desc = tusk__desc_copy(desc, &q->first.spare);
    if (!q->first.desc)
        return TUSK_ERR_NOMEM;
    tusk__desc_set_formats(q->first.desc, TUSK__FORMATS_TEXT);
    return TUSK_OK;
}

/* For many_send.c. The way of nearly all queries has it inline. */
tusk_code tusk__run_desc(tusk_query *q)
{
    return set_run_desc(q);
}

/* What every run of a statement says but for its parameters, written once: Bind up to their number, the result formats,
 * Execute, Sync. Message by message, and field by field, it took a third of the instructions of a small query. */
static tusk_code make_frame(tusk_conn *conn, tusk_query *q, tusk_stmt *stmt)
{
    tusk__writer *b = &stmt->frame.bytes;
    const tusk__desc *desc = stmt->desc;

    tusk__lookup_columns(conn, q, desc);
    tusk__write_u8(b, TUSK__F_BIND);
    tusk__write_u32(b, 0);
    tusk__write_cstr(b, (tusk_str){NULL, 0});
    tusk__write_cstr(b, tusk_str_of(stmt->name));
    tusk__write_u16(b, (uint16_t)stmt->n_params);
    stmt->frame.head = b->len;
    if (!desc || tusk__desc_is_all_binary(desc)) {
        tusk__write_u16(b, 1);
        tusk__write_u16(b, 1);
    } else {
        tusk__write_count(b, (size_t)desc->n_cols);
        for (int i = 0; i < desc->n_cols; i++)
            tusk__write_u16(b, desc->cols[i].format);
    }
    stmt->frame.bind = b->len;
    write_execute(b, stmt->is_copy);
    if (b->failed != TUSK_OK) {
        tusk__writer_clear(b);
        return TUSK_ERR_NOMEM;
    }
    return TUSK_OK;
}

/* Inline in its callers here: the one is the way of nearly all queries. */
static inline __attribute__((always_inline)) tusk_code
write_frame(tusk__writer *b, tusk_query *q, const tusk__frame *frame, const uint32_t *types, tusk_params params)
{
    size_t at = b->len, formats_at, fields_at, len;

    tusk__write_bytes(b, tusk_str_from(frame->bytes.buf, frame->head));
    formats_at = b->len;
    (void)tusk__write_space(b, 2 * params.n);
    tusk__write_u16(b, (uint16_t)params.n);
    fields_at = b->len;
    for (size_t i = 0; i < params.n; i++)
        TUSK_TRY(write_param(b, q, i, &params.values[i], types[i], formats_at));
    TUSK_TRY(b->failed);
    if (!tusk__fields_fill(b->buf + fields_at, b->len - fields_at, params.n))
        return TUSK_ERR_USAGE; /* as tusk__bind_end(): a codec's wrong length would be read as something else (D13) */
    len = b->len - at + frame->bind - frame->head;
    if (len > TUSK__MESSAGE_MAX)
        return TUSK_ERR_LIMIT;
    tusk__write_bytes(b, tusk_str_from(frame->bytes.buf + frame->head, frame->bytes.len - frame->head));
    TUSK_TRY(b->failed);
    tusk__put32(b->buf + at + 1, (uint32_t)len - 1);
    return TUSK_OK;
}

tusk_code tusk__frame_write(tusk__writer *b, tusk_query *q, const tusk__frame *frame, const uint32_t *types,
                            tusk_params params)
{
    return write_frame(b, q, frame, types, params);
}

static inline __attribute__((always_inline)) tusk_code write_by_frame(tusk_conn *conn, tusk_query *q, tusk_stmt *stmt,
                                                                      tusk_params params)
{
    if (stmt->frame.bytes.len == 0)
        TUSK_TRY(make_frame(conn, q, stmt));
    return write_frame(&conn->out, q, &stmt->frame, stmt->types, params);
}

/* Behind a pooler that changes sessions a handle has no name there: each run brings the text. */
static tusk_str handle_name(const tusk_conn *conn, const tusk_stmt *stmt)
{
    return conn->is_pooled ? (tusk_str){NULL, 0} : tusk_str_of(stmt->name);
}

static void take_traits(tusk_query *q, const tusk_stmt *stmt)
{
    q->is_copy = stmt->is_copy;
    q->ends = stmt->ends;
    q->changes_status = stmt->changes_status;
}

/* A handle's statement that has to be parsed again: its run brings it along. The parameters keep the types that the caller was told. */
static tusk_code encode_anew(tusk_conn *conn, tusk_query *q, const tusk__request *r)
{
    tusk_stmt *stmt = q->stmt;
    tusk_str name = handle_name(conn, stmt);

    q->kind = TUSK__QUERY_FIRST;
    take_traits(q, stmt);
    tusk__desc_unref(q->assumed);
    q->assumed = conn->is_pooled && !q->text_results ? tusk__desc_ref(stmt->desc) : NULL;
    if (!conn->is_pooled)
        stmt->state = TUSK__STMT_PREPARING; /* the next run waits for its name */
    tusk__close_dropped(conn, q);
    tusk__mind_secret(conn, stmt->text);
    tusk__parse_write(&conn->out, name, stmt->text, stmt->types, stmt->n_params);
    tusk__describe_write(&conn->out, 'S', name);
    TUSK_TRY(tusk__write_bind(conn, q, name, r->params, stmt->types, q->assumed));
    write_execute(&conn->out, q->is_copy);
    return TUSK_OK;
}

static tusk_code encode_run(tusk_conn *conn, tusk_query *q, const tusk__request *r)
{
    const tusk_stmt *stmt = q->stmt;

    TUSK_TRY(tusk__check_params(q, r));
    if (stmt->is_stale || conn->is_pooled)
        return encode_anew(conn, q, r);
    TUSK_TRY(set_run_desc(q));
    take_traits(q, stmt);
    tusk__close_dropped(conn, q);
    if (!q->text_results)
        return write_by_frame(conn, q, q->stmt, r->params);
    TUSK_TRY(tusk__write_bind(conn, q, tusk_str_of(stmt->name), r->params, stmt->types, q->first.desc));
    write_execute(&conn->out, q->is_copy);
    return TUSK_OK;
}

static tusk_code write_parse_of(tusk_conn *conn, tusk_query *q, const tusk__request *r, const tusk_stmt *handle,
                                tusk_str name)
{
    tusk_str sql = handle ? handle->text : r->sql;

    TUSK_TRY(tusk__check_sql(conn, q, sql));
    if (handle)
        tusk__parse_write(&conn->out, name, sql, handle->types, handle->n_params);
    else
        write_parse(&conn->out, name, sql, r->params);
    tusk__describe_write(&conn->out, 'S', name);
    return TUSK_OK;
}

tusk_code tusk__part_write(tusk_conn *conn, tusk_query *q, tusk__request *r, const tusk__part *part)
{
    const tusk_stmt *handle = part->stmt && !part->stmt->is_cached ? part->stmt : NULL;
    tusk_str name = part->is_named ? tusk_str_of(part->stmt->name) : (tusk_str){NULL, 0};

    assert(part->stmt || !part->is_ready);
    TUSK_TRY(tusk__check_size(q, r));
    if (part->is_ready && !q->text_results) {
        TUSK_TRY(write_by_frame(conn, q, part->stmt, r->params));
        tusk__writer_cut(&conn->out, conn->out.len - SYNC_LEN);
        return TUSK_OK;
    }
    if (!part->is_parsed)
        TUSK_TRY(write_parse_of(conn, q, r, handle, name));
    TUSK_TRY(
        tusk__write_bind(conn, q, name, r->params, handle || part->is_ready ? part->stmt->types : NULL, part->desc));
    tusk__execute_write(&conn->out, (tusk_str){NULL, 0}, 0);
    return TUSK_OK;
}

static tusk_code encode_prepare(tusk_conn *conn, tusk_query *q, const tusk__request *r)
{
    tusk_str name = handle_name(conn, q->stmt);

    TUSK_TRY(tusk__check_sql(conn, q, r->sql));
    tusk__close_dropped(conn, q);
    tusk__parse_write(&conn->out, name, r->sql, q->stmt->given, q->stmt->n_given);
    tusk__describe_write(&conn->out, 'S', name);
    tusk__sync_write(&conn->out);
    return TUSK_OK;
}

static tusk_code encode_close(tusk_conn *conn, tusk_query *q, const tusk__request *r)
{
    (void)r;
    tusk__close_write(&conn->out, 'S', tusk_str_of(q->stmt->name));
    tusk__sync_write(&conn->out);
    return TUSK_OK;
}

static tusk_code encode_close_portal(tusk_conn *conn, tusk_query *q, const tusk__request *r)
{
    (void)q;
    tusk__close_write(&conn->out, 'P', r->sql);
    tusk__sync_write(&conn->out);
    return TUSK_OK;
}

/* The portal goes on after the statement without a name has become another one. */
static tusk_code encode_portal(tusk_conn *conn, tusk_query *q, const tusk__request *r)
{
    tusk_str unnamed = {NULL, 0};

    TUSK_TRY(tusk__check_sql(conn, q, r->sql));
    tusk__formats_assume(conn, q);
    write_parse(&conn->out, unnamed, r->sql, r->params);
    tusk__describe_write(&conn->out, 'S', unnamed);
    TUSK_TRY(tusk__write_bind(conn, q, unnamed, r->params, NULL, q->assumed));
    tusk__sync_write(&conn->out);
    return TUSK_OK;
}

/* Described each time: what the rows look like is not to be assumed, and it is one message for a whole batch. */
static tusk_code encode_fetch(tusk_conn *conn, tusk_query *q, const tusk__request *r)
{
    tusk__portal_name name = tusk__portal_name_of(q->portal);

    (void)r;
    tusk__describe_write(&conn->out, 'P', tusk_str_of(name.text));
    tusk__execute_write(&conn->out, tusk_str_of(name.text), q->fetch_rows);
    tusk__sync_write(&conn->out);
    return TUSK_OK;
}

static tusk_code encode_script(tusk_conn *conn, tusk_query *q, const tusk__request *r)
{
    TUSK_TRY(tusk__check_sql(conn, q, r->sql));
    q->ends = (uint8_t)tusk__command_ends(tusk__command_of(r->sql));
    if (q->level && q->ends == TUSK__ENDS_NOTHING)
        q->ends = TUSK__ENDS_PERHAPS; /* by a statement further behind */
    q->ended = TUSK__LEVEL_OPEN;
    q->n_to_end = q->level ? tusk__script_n_to_end(r->sql) : 0;
    tusk__query_write(&conn->out, r->sql);
    return TUSK_OK;
}

static tusk_code encode_control(tusk_conn *conn, tusk_query *q, const tusk__request *r)
{
    (void)r;
    if (q->kind == TUSK__QUERY_STACK)
        return tusk__encode_batch(conn, q);
    if (q->kind == TUSK__QUERY_MANY)
        return tusk__many_encode(conn, q);
    if (q->kind == TUSK__QUERY_BEGIN)
        return tusk__encode_begin(conn, q);
    return q->kind == TUSK__QUERY_COMMIT ? tusk__encode_commit(conn, q) : tusk__encode_rollback(conn, q);
}

/* ---- one request ---- */

size_t tusk__n_expects(const tusk_query *q)
{
    if (q->batch)
        return tusk__parts_n_expects(q);
    return kinds[q->kind].n_expects - (q->is_copy || q->shares_sync ? 1 : 0) + q->n_closes;
}

void tusk__expect_answers(tusk__session *session, tusk_query *q)
{
    static const uint8_t expect_closed[] = {TUSK__EXPECT_CLOSE};

    if (q->batch) {
        tusk__parts_expect(session, q);
        return;
    }

    for (uint16_t i = 0; i < q->n_closes; i++)
        tusk__session_expect(session, expect_closed, 1);
    tusk__session_expect(session, kinds[q->kind].expects, tusk__n_expects(q) - q->n_closes);
}

/* The statement that the cache has for it, if there is one that can be run. */
static void find_cached(tusk_conn *conn, tusk_query *q, const tusk__request *r)
{
    tusk_stmt *stmt;

    q->hash = tusk__cache_hash(r->sql, r->params);
    if (!conn->cache || q->is_unnamed)
        return;
    stmt = tusk__cache_find(conn, q->hash, r->sql, r->params);
    if (stmt && stmt->state == TUSK__STMT_READY) {
        q->stmt = tusk__stmt_ref(stmt);
        q->kind = TUSK__QUERY_RUN;
    } else if (stmt) {
        q->is_unnamed = true; /* its Parse is in flight, and may fail */
    }
}

tusk_code tusk__encode(tusk_conn *conn, tusk_query *q, tusk__request *r)
{
    TUSK_TRY(tusk__check_size(q, r));
    if (q->kind == TUSK__QUERY_EXEC)
        find_cached(conn, q, r);
    TUSK_TRY(kinds[q->kind].encode(conn, q, r));
    TUSK_TRY(conn->out.failed);
    TUSK_TRY(tusk__session_reserve(&conn->session, conn->n_reserved + tusk__n_expects(q)));
    return TUSK_OK;
}
