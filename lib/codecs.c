/* The list of a connection's codecs, and that of a loop: few, so they are walked.
 * Read first: lib/codecs.h. */
#include "lib/codecs.h"

#include "lib/codec/codec.h"
#include "lib/formats.h"
#include "lib/hash.h"
#include "lib/stmt.h"
#include "proto/error_set.h"
#include "proto/size.h"

/* ---- a codec ---- */

static char *copy_name(char **at, const char *name)
{
    size_t size = name ? strlen(name) + 1 : 0;
    char *copy = *at;

    if (!name)
        return NULL;
    memcpy(copy, name, size);
    *at += size;
    return copy;
}

static size_t name_size(const char *name)
{
    return name ? strlen(name) + 1 : 0;
}

static tusk__given_codec *given_new(const tusk_allocator *allocator, const tusk_codec *codec)
{
    size_t size = sizeof(tusk__given_codec) + name_size(codec->type_name) + name_size(codec->schema);
    tusk__given_codec *given = allocator->malloc(size, allocator->user);
    char *at;

    if (!given)
        return NULL;
    *given = (tusk__given_codec){.refs = 1, .allocator = allocator, .codec = *codec};
    at = (char *)(given + 1);
    given->codec.type_name = copy_name(&at, codec->type_name);
    given->codec.schema = copy_name(&at, codec->schema);
    return given;
}

static tusk__given_codec *given_ref(tusk__given_codec *given)
{
    given->refs++;
    return given;
}

void tusk__codecs_give_back(tusk__given_codec *given)
{
    if (--given->refs > 0)
        return;
    if (given->codec.on_release)
        given->codec.on_release(given->codec.user);
    given->allocator->free(given, given->allocator->user);
}

/* It was not taken: who gave it has it still. */
static void given_drop(tusk__given_codec *given)
{
    given->codec.on_release = NULL;
    tusk__codecs_give_back(given);
}

static bool is_json(uint32_t type)
{
    return type == TUSK_OID_JSON || type == TUSK_OID_JSONB;
}

static const char *fault_of(const tusk_codec *codec)
{
    if (!codec)
        return "there is no codec";
    if (!codec->encode && !codec->decode)
        return "the codec has neither a function to encode nor one to decode";
    if (codec->format != TUSK_CODEC_TEXT && codec->format != TUSK_CODEC_BINARY && codec->format != TUSK_CODEC_JSON)
        return "the codec's format is none";
    if (codec->type && codec->type_name)
        return "the codec's type is given by OID and by name";
    if (codec->format == TUSK_CODEC_JSON)
        return codec->type_name || (codec->type && !is_json(codec->type))
                   ? "TUSK_CODEC_JSON is for json and jsonb, by OID or without a type"
                   : NULL;
    return codec->type || codec->type_name ? NULL : "the codec has no type";
}

/* ---- a list ---- */

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* Set for the same type, as the caller says which? */
static bool is_of(const tusk__codec_slot *slot, const tusk_codec *codec)
{
    const tusk_codec *have = &slot->given->codec;

    if (codec->type)
        return slot->type == codec->type;
    if (!codec->type_name)
        return codec->format == TUSK_CODEC_JSON && (is_json(slot->type) || (!slot->type && !have->type_name));
    return is_same_text(have->type_name, codec->type_name) && is_same_text(have->schema, codec->schema);
}

static tusk__codec_slot *find(tusk__codec_slot *list, uint32_t type)
{
    while (list && list->type != type)
        list = list->next;
    return type ? list : NULL;
}

tusk__given_codec *tusk__codecs_take(const tusk_conn *conn, uint32_t type)
{
    tusk__codec_slot *slot = find(conn->codecs, type);

    return slot ? given_ref(slot->given) : NULL;
}

uint32_t tusk__codecs_type_of(const tusk_conn *conn, const tusk_codec *codec)
{
    const tusk__codec_slot *slot = conn->codecs;

    while (slot && !(slot->type && is_of(slot, codec)))
        slot = slot->next;
    return slot ? slot->type : 0;
}

static tusk__codec_slot *put(tusk__codec_slot **list, tusk__given_codec *given, uint32_t type)
{
    const tusk_allocator *allocator = given->allocator;
    tusk__codec_slot *slot = allocator->malloc(sizeof *slot, allocator->user);

    if (!slot)
        return NULL;
    *slot = (tusk__codec_slot){.next = *list, .type = type, .given = given_ref(given)};
    return *list = slot;
}

static void tell_reset(tusk_query *waiter)
{
    tusk__query_failf(waiter, TUSK_ERR_CANCELED, "57014", "the codec was reset before it was in use")->fate =
        TUSK_FATE_ANSWERED;
    tusk__query_complete_soon(waiter);
}

/* The slot is out of the list before the program hears of it. */
static void drop(tusk__codec_slot **link)
{
    tusk__codec_slot *slot = *link;
    tusk__given_codec *given = slot->given;

    *link = slot->next;
    if (slot->waiter)
        tell_reset(slot->waiter);
    given->allocator->free(slot, given->allocator->user);
    tusk__codecs_give_back(given);
}

static void drop_all(tusk__codec_slot **list)
{
    while (*list)
        drop(list);
}

/* Of that type, but for the newest. */
static void drop_older(tusk__codec_slot *newest)
{
    tusk__codec_slot **link = &newest->next;

    while (*link)
        if ((*link)->type == newest->type)
            drop(link);
        else
            link = &(*link)->next;
}

/* ---- what it means for formats ---- */

/* Once its type is known. */
static bool wants_text(const tusk__codec_slot *slot)
{
    return slot->given->codec.decode && slot->given->codec.format == TUSK_CODEC_TEXT;
}

bool tusk__codecs_want_text(const tusk_conn *conn, uint32_t type)
{
    const tusk__codec_slot *slot = find(conn->codecs, type);

    return slot && wants_text(slot);
}

bool tusk__codecs_want_any_text(const tusk_conn *conn)
{
    for (const tusk__codec_slot *slot = conn->codecs; slot; slot = slot->next)
        if (wants_text(slot))
            return true;
    return false;
}

bool tusk__codecs_may_want_more_text(const tusk_conn *conn)
{
    for (const tusk__codec_slot *slot = conn->codecs; slot; slot = slot->next)
        if (!slot->type && wants_text(slot))
            return true;
    return false;
}

bool tusk__codecs_agree(const tusk_conn *conn, const tusk__desc *desc)
{
    for (int i = 0; i < desc->n_cols; i++)
        if (desc->cols[i].format != 0 && tusk__codecs_want_text(conn, desc->cols[i].type))
            return false;
    return true;
}

void tusk__codecs_set_formats(const tusk_conn *conn, tusk__desc *desc)
{
    for (int i = 0; conn->codecs && i < desc->n_cols; i++)
        if (tusk__codecs_want_text(conn, desc->cols[i].type))
            desc->cols[i].format = 0;
}

/* In whatever order they were set. */
uint64_t tusk__codecs_scope(const tusk_conn *conn, uint64_t scope)
{
    uint64_t sum = 0;

    for (const tusk__codec_slot *slot = conn->codecs; slot; slot = slot->next)
        if (slot->type && wants_text(slot))
            sum += tusk__hash_word(0, slot->type);
    return sum ? tusk__hash_word(scope, sum) : scope;
}

static bool renew_formats(tusk_conn *conn, tusk_stmt *stmt, uint32_t type)
{
    tusk__desc *desc = stmt->desc ? tusk__formats_of_type(conn, stmt->desc, type) : NULL;

    if (!stmt->desc || desc == stmt->desc) {
        tusk__desc_unref(desc);
        return true;
    }
    if (!desc)
        return false;
    tusk__stmt_set_formats(stmt, desc);
    return true;
}

/* What was learned with other codecs counts for nothing, and handles ask for other formats from their next run on. */
static bool changed(tusk_conn *conn, uint32_t type)
{
    bool is_done = true;

    conn->scope = 0;
    tusk__cache_drop_all(conn, true);
    for (tusk_stmt *stmt = conn->stmts; stmt; stmt = stmt->next)
        is_done = renew_formats(conn, stmt, type) && is_done;
    return is_done;
}

/* ---- set ---- */

/* With an OID. */
static bool set(tusk_conn *conn, tusk__given_codec *given, uint32_t type)
{
    if (!put(&conn->codecs, given, type))
        return false;
    if (!changed(conn, type)) {
        drop(&conn->codecs);
        return false;
    }
    drop_older(conn->codecs);
    return true;
}

static bool set_json(tusk_conn *conn, tusk__given_codec *given)
{
    if (!set(conn, given, TUSK_OID_JSON))
        return false;
    if (set(conn, given, TUSK_OID_JSONB))
        return true;
    (void)tusk_reset_type_codec(conn, &(tusk_codec){.type = TUSK_OID_JSON});
    return false;
}

/* The types of a value: a domain's columns come as its base, and pseudo-types have no values of their own. */
static bool may_have_codec(char typtype)
{
    return typtype != 'd' && typtype != 'p';
}

static tusk__codec_slot **slot_of(tusk_conn *conn, const tusk_query *asking)
{
    tusk__codec_slot **link = &conn->codecs;

    while (*link && (*link)->asking != asking)
        link = &(*link)->next;
    return link;
}

/* It is found: the newest of its type, whatever was set since. */
static bool settle(tusk_conn *conn, tusk__codec_slot **link, uint32_t type)
{
    tusk__codec_slot *slot = *link;

    *link = slot->next;
    slot->next = conn->codecs;
    slot->type = type;
    conn->codecs = slot;
    drop_older(slot);
    return changed(conn, type);
}

/* As a row callback: nothing is sent behind it before it is over. */
static void got_type(tusk_query *q, const tusk_row *row, void *user)
{
    tusk__codec_slot **link = slot_of(q->conn, q);

    (void)user;
    if (!*link)
        return; /* it was reset meanwhile */
    if (!may_have_codec(tusk_get_char(row, 1)))
        tusk__query_failf(q, TUSK_ERR_TYPE, NULL,
                          "a domain, or a pseudo-type, has no codec: its columns come as another type")
            ->fate = TUSK_FATE_ANSWERED;
    else if (!settle(q->conn, link, tusk_get_oid(row, 0)))
        tusk__query_failf(q, TUSK_ERR_NOMEM, NULL, "out of memory for the codec")->fate = TUSK_FATE_ANSWERED;
}

static void tell(tusk_query *waiter, const tusk_query *q, const tusk_codec *codec)
{
    tusk_error err = q->error;

    err.where[0] = '\0';
    tusk__error_where(&err, "set the codec of \"%s\"", codec->type_name);
    err.position = 0;
    if (err.code != TUSK_OK)
        tusk__query_fail(waiter, &err);
    tusk__query_complete(waiter);
}

static void log_missing(const tusk_query *q, const tusk_codec *codec)
{
    if (q->error.code != TUSK_OK && tusk__loop_logs(q->loop, TUSK_LOG_DEBUG))
        tusk__loop_log(q->loop, TUSK_LOG_DEBUG, "the codec of \"%s\" is not in use: %s", codec->type_name,
                       q->error.message);
}

/* The waiter's callback may do whatever it likes: the slot is settled before, and the codec counted. */
static void asked(tusk_query *q, void *user)
{
    tusk__codec_slot **link = slot_of(q->conn, q), *slot = *link;
    tusk__given_codec *given;
    tusk_query *waiter;

    (void)user;
    if (!slot)
        return;
    given = given_ref(slot->given);
    waiter = slot->waiter;
    slot->waiter = NULL;
    slot->asking = NULL;
    if (q->error.code != TUSK_OK)
        drop(link);
    if (waiter)
        tell(waiter, q, &given->codec);
    else
        log_missing(q, &given->codec);
    tusk__codecs_give_back(given);
}

/* Every name and operator is the catalogue's own, but for the type's. */
static const char question[] =
    "select t.oid, t.typtype from pg_catalog.pg_type t where t.oid operator(pg_catalog.=) "
    "(case when $2 is null then pg_catalog.quote_ident($1) else pg_catalog.quote_ident($2) operator(pg_catalog.||) '.' "
    "operator(pg_catalog.||) pg_catalog.quote_ident($1) end)::pg_catalog.regtype::pg_catalog.oid";

/* waiter: NULL: nobody. False: out of memory, and nothing has happened. */
static bool ask(tusk_conn *conn, tusk__given_codec *given, tusk_query *waiter)
{
    tusk__codec_slot *slot = put(&conn->codecs, given, 0);
    tusk_query *q = slot ? tusk__query_new(conn->loop, conn, TUSK__QUERY_EXEC) : NULL;

    if (!q) {
        if (slot)
            drop(&conn->codecs);
        return false;
    }
    slot->asking = q;
    slot->waiter = waiter;
    q->is_unnamed = true;
    q->on_row = got_type;
    q->on_done = asked;
    q->max_result_bytes = TUSK__MAX_RESULT_BYTES;
    tusk__deadline_start(q, 0);
    tusk__request_submit(conn, q, tusk_str_of(question),
                         TUSK_PARAMS(tusk_text(given->codec.type_name), tusk_text(given->codec.schema)));
    return true;
}

bool tusk__codecs_stop_waiting(tusk_conn *conn, const tusk_query *q)
{
    for (tusk__codec_slot *slot = conn->codecs; slot; slot = slot->next)
        if (slot->waiter == q) {
            slot->waiter = NULL;
            return true;
        }
    return false;
}

static bool begin(tusk_conn *conn, tusk_query *waiter, tusk__given_codec *given)
{
    const tusk_codec *codec = &given->codec;

    if (codec->type_name)
        return ask(conn, given, waiter);
    return codec->type ? set(conn, given, codec->type) : set_json(conn, given);
}

/* Whatever becomes of it: it was given, and is given back once. */
static void refuse(tusk_query *q, const tusk_codec *codec, const char *fault)
{
    tusk__query_failf(q, fault ? TUSK_ERR_USAGE : TUSK_ERR_NOMEM, NULL, "%s",
                      fault ? fault : "out of memory for the codec")
        ->fate = TUSK_FATE_NOT_SENT;
    if (codec && codec->on_release)
        codec->on_release(codec->user);
    tusk__query_complete_soon(q);
}

tusk_query *tusk_set_type_codec(tusk_conn *conn, const tusk_codec *codec)
{
    tusk_query *q = conn ? tusk__query_new(conn->loop, conn, TUSK__QUERY_WAIT) : NULL;
    const char *fault = fault_of(codec);
    tusk__given_codec *given = q && !fault ? given_new(conn->allocator, codec) : NULL;

    if (!q)
        return NULL;
    if (!given) {
        refuse(q, codec, fault);
        return q;
    }
    if (begin(conn, q, given)) {
        if (!codec->type_name)
            tusk__query_complete_soon(q);
        tusk__codecs_give_back(given);
    } else {
        given_drop(given);
        refuse(q, codec, NULL);
    }
    return q;
}

static tusk_code reset(tusk__codec_slot **list, const tusk_codec *codec, tusk_conn *conn)
{
    tusk_code code = TUSK_DONE;

    for (tusk__codec_slot **link = list; *link;) {
        uint32_t type = (*link)->type;

        if (!is_of(*link, codec)) {
            link = &(*link)->next;
            continue;
        }
        drop(link);
        if (conn && type)
            (void)changed(conn, type);
        code = TUSK_OK;
    }
    return code;
}

tusk_code tusk_reset_type_codec(tusk_conn *conn, const tusk_codec *codec)
{
    return conn && codec ? reset(&conn->codecs, codec, conn) : TUSK_DONE;
}

/* ---- the loop's ---- */

typedef struct shelf {
    tusk__codec_slot *first;
} shelf;

static void shelf_free(tusk_loop *loop, void *value)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    shelf *s = value;

    drop_all(&s->first);
    allocator->free(s, allocator->user);
}

static shelf *shelf_of(tusk_loop *loop)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    shelf *s = tusk__loop_slot_get(loop, TUSK__SLOT_CODECS);

    if (s)
        return s;
    s = allocator->malloc(sizeof *s, allocator->user);
    if (!s)
        return NULL;
    s->first = NULL;
    tusk__loop_slot_set(loop, TUSK__SLOT_CODECS, s, shelf_free);
    return s;
}

tusk_code tusk_loop_set_type_codec(tusk_loop *loop, const tusk_codec *codec, tusk_error *err)
{
    const char *fault = fault_of(codec);
    tusk__given_codec *given;
    shelf *s;

    tusk__error_begin(err);
    if (fault || !loop)
        return tusk__error_set(err, TUSK_ERR_USAGE, NULL, "%s", fault ? fault : "there is no loop");
    s = shelf_of(loop);
    given = s ? given_new(tusk__loop_allocator(loop), codec) : NULL;
    if (!given)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for the codec");
    if (!put(&s->first, given, codec->type)) {
        given_drop(given);
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for the codec");
    }
    tusk__codecs_give_back(given);
    for (tusk__codec_slot **link = &s->first->next; *link;)
        if (is_of(*link, codec))
            drop(link);
        else
            link = &(*link)->next;
    return TUSK_OK;
}

tusk_code tusk_loop_reset_type_codec(tusk_loop *loop, const tusk_codec *codec)
{
    shelf *s = loop && codec ? tusk__loop_slot_get(loop, TUSK__SLOT_CODECS) : NULL;

    return s ? reset(&s->first, codec, NULL) : TUSK_DONE;
}

/* The oldest first: the newest of a type is the one that stays. */
static bool inherit_all(tusk_conn *conn, const tusk__codec_slot *first)
{
    const tusk__codec_slot *end = NULL, *slot;

    for (; end != first; end = slot) {
        for (slot = first; slot->next != end;)
            slot = slot->next;
        if (!begin(conn, NULL, slot->given))
            return false;
    }
    return true;
}

tusk_code tusk__codecs_inherit(tusk_conn *conn, tusk_error *err)
{
    const shelf *s = tusk__loop_slot_get(conn->loop, TUSK__SLOT_CODECS);

    if (!s || inherit_all(conn, s->first))
        return TUSK_OK;
    return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for the loop's codecs");
}

void tusk__codecs_leave(tusk_conn *conn)
{
    drop_all(&conn->codecs);
}
