/* Formats: chosen by what is known, noted for what comes.
 * Read first: lib/formats.h. */
#include "lib/formats.h"

#include "lib/codec/codec.h"
#include "lib/codecs.h"
#include "lib/hash.h"
#include "lib/known.h"

bool tusk__desc_is_all_binary(const tusk__desc *desc)
{
    for (int i = 0; i < desc->n_cols; i++)
        if (desc->cols[i].format != 1)
            return false;
    return true;
}

/* ---- where things are known ---- */

/* Host and port or socket, dbname, user; the search_path, where the server tells it (PostgreSQL 18); and what the program's own codecs ask for. */
static uint64_t scope_of(tusk_conn *conn)
{
    const tusk__host *host;
    uint64_t scope = 0;

    if (conn->scope != 0)
        return conn->scope;
    host = tusk__conn_host(conn);
    scope = tusk__hash_str(scope, host->host);
    scope = tusk__hash_str(scope, host->hostaddr);
    scope = tusk__hash_str(scope, host->port);
    scope = tusk__hash_str(scope, conn->settings->dbname);
    scope = tusk__hash_str(scope, conn->settings->user);
    scope = tusk__hash_str(scope, tusk__params_get(&conn->params, tusk_str_of("search_path")));
    if (conn->codecs)
        scope = tusk__codecs_scope(conn, scope);
    return conn->scope = scope | 1;
}

uint64_t tusk__known_key(tusk_conn *conn, uint64_t hash)
{
    return tusk__hash_word(scope_of(conn), hash);
}

void tusk__formats_assume(tusk_conn *conn, tusk_query *q)
{
    tusk__desc *desc = q->text_results ? NULL : tusk__known_find(conn->loop, tusk__known_key(conn, q->hash));

    tusk__desc_ref(desc);
    tusk__desc_unref(q->assumed);
    q->assumed = desc;
}

/* ---- what came ---- */

static bool is_same_column(const tusk_column *a, const tusk__column *b)
{
    return a->type == b->type_oid && a->table_oid == b->table_oid && a->attnum == b->attnum && a->typmod == b->typmod &&
           a->type_len == b->type_len && tusk_str_equal(a->name, b->name);
}

bool tusk__formats_match(const tusk__desc *desc, const tusk__row_description *description)
{
    tusk_str columns = description->columns;
    tusk__column c;

    if ((size_t)desc->n_cols != description->n_cols)
        return false;
    for (int i = 0; i < desc->n_cols; i++) {
        tusk__row_description_next(&columns, &c);
        if (!is_same_column(&desc->cols[i], &c))
            return false;
    }
    return true;
}

/* The formats are told by place: those of the Bind, whatever the columns have turned out to be. */
static void note_formats(const tusk_query *q, tusk__desc *desc)
{
    bool by_place = q->assumed && !tusk__desc_is_all_binary(q->assumed);

    tusk__desc_set_formats(desc, q->text_results ? TUSK__FORMATS_TEXT : TUSK__FORMATS_BINARY);
    for (int i = 0; by_place && i < desc->n_cols && i < q->assumed->n_cols; i++)
        desc->cols[i].format = q->assumed->cols[i].format;
}

tusk__desc *tusk__formats_described(tusk_conn *conn, const tusk_query *q, const tusk__row_description *description)
{
    tusk__desc *desc;

    if (q->assumed && tusk__formats_match(q->assumed, description))
        return tusk__desc_ref(q->assumed);
    if (tusk__desc_new(conn->allocator, description, &q->filling->spare, &desc, NULL) != TUSK_OK)
        return NULL;
    note_formats(q, desc);
    return desc;
}

/* ---- the next time ---- */

static uint16_t next_format(tusk_conn *conn, uint32_t type)
{
    uint16_t format = tusk__format_of(type, TUSK__FORMATS_KNOWN);

    if (conn->codecs && tusk__codecs_want_text(conn, type))
        return 0;
    if (format == 1 && !tusk__type_name(type) && tusk__known_is_text(conn->loop, scope_of(conn), type))
        format = 0;
    return format;
}

/* type: 0: of all types. */
static tusk__desc *formats_of(tusk_conn *conn, tusk__desc *desc, uint32_t type)
{
    tusk__desc *next = NULL;

    for (int i = 0; i < desc->n_cols; i++) {
        uint16_t format = desc->cols[i].format;

        if (type == 0 || desc->cols[i].type == type)
            format = next_format(conn, desc->cols[i].type);
        if (format == desc->cols[i].format)
            continue;
        if (!next)
            next = tusk__desc_copy(desc, NULL);
        if (!next)
            return NULL;
        next->cols[i].format = format;
    }
    return next ? next : tusk__desc_ref(desc);
}

tusk__desc *tusk__formats_of_type(tusk_conn *conn, tusk__desc *desc, uint32_t type)
{
    return formats_of(conn, desc, type);
}

/* A codec may have been set since they were assumed. */
static tusk__desc *with_codecs(const tusk_conn *conn, tusk__desc *desc)
{
    tusk__desc *next;

    if (!conn->codecs || tusk__codecs_agree(conn, desc))
        return tusk__desc_ref(desc);
    next = tusk__desc_copy(desc, NULL);
    if (next)
        tusk__codecs_set_formats(conn, next);
    return next;
}

tusk__desc *tusk__formats_for_next(tusk_conn *conn, const tusk_query *q, tusk__desc *desc)
{
    if (desc == q->assumed) /* with what its statement has learned by itself */
        return with_codecs(conn, desc);
    return formats_of(conn, desc, 0);
}

/* The one type that it must have been; 0: it may have been several, or a record, which another time may hold others. */
static uint32_t only_suspect(const tusk__desc *desc)
{
    uint32_t suspect = 0;

    for (int i = 0; i < desc->n_cols; i++) {
        uint32_t type = desc->cols[i].type;

        if (desc->cols[i].format != 1 || tusk__type_surely_has_send(type) || type == suspect)
            continue;
        if (suspect || tusk__type_name(type))
            return 0;
        suspect = type;
    }
    return suspect;
}

tusk__desc *tusk__formats_refused(tusk_conn *conn, const tusk__desc *desc)
{
    uint32_t suspect = only_suspect(desc);
    tusk__desc *next = tusk__desc_copy(desc, NULL);

    if (suspect)
        tusk__known_set_text(conn->loop, scope_of(conn), suspect);
    if (next) {
        tusk__desc_set_formats(next, TUSK__FORMATS_REFUSED);
        tusk__codecs_set_formats(conn, next);
    }
    return next;
}
