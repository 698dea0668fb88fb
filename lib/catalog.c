/* A table of an endpoint from OIDs to types, in the order in which they were learned.
 * Endpoints are compared text by text: a type's bytes are read by what is found here.
 * Read first: lib/catalog.h. */
#include "lib/catalog.h"

#include "lib/cache.h"
#include "lib/codec/nested.h"
#include "lib/codec/own.h"
#include "lib/hash.h"

/* A power of two. */
#define BUCKETS 256
/* host, hostaddr, port, dbname, user, server_version */
#define N_TEXTS 6

struct tusk__catalog {
    struct tusk__catalog *next, *prev; /* of the loop's */
    const tusk_allocator *allocator;
    tusk_loop *loop;
    tusk_conn *conns;        /* that have a part in it, linked by catalog_next */
    tusk_str texts[N_TEXTS]; /* they lie behind the struct */
    tusk__known_type *buckets[BUCKETS];
    tusk__known_type *oldest, *newest;
    size_t n, bytes;
};

/* The loop's slot: the head of the list. */
typedef struct shelf {
    struct tusk__catalog *first;
} shelf;

/* ---- endpoints ---- */

static void texts_of(const tusk_conn *conn, tusk_str texts[N_TEXTS])
{
    const tusk__host *host = tusk__conn_host(conn);

    texts[0] = host->host;
    texts[1] = host->hostaddr;
    texts[2] = host->port;
    texts[3] = conn->settings->dbname;
    texts[4] = conn->settings->user;
    texts[5] = tusk__params_get(&conn->params, tusk_str_of("server_version"));
}

static bool is_of(const struct tusk__catalog *catalog, const tusk_str texts[N_TEXTS])
{
    for (int i = 0; i < N_TEXTS; i++)
        if (!tusk_str_equal(catalog->texts[i], texts[i]))
            return false;
    return true;
}

static void shelf_free(tusk_loop *loop, void *value)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);

    allocator->free(value, allocator->user);
}

static shelf *shelf_of(tusk_loop *loop)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    shelf *s = tusk__loop_slot_get(loop, TUSK__SLOT_CATALOGS);

    if (s)
        return s;
    s = allocator->malloc(sizeof *s, allocator->user);
    if (!s)
        return NULL;
    s->first = NULL;
    tusk__loop_slot_set(loop, TUSK__SLOT_CATALOGS, s, shelf_free);
    return s;
}

static struct tusk__catalog *catalog_new(tusk_loop *loop, const tusk_str texts[N_TEXTS])
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    struct tusk__catalog *catalog;
    size_t size = sizeof *catalog;
    char *at;

    for (int i = 0; i < N_TEXTS; i++)
        size += texts[i].len;
    catalog = allocator->malloc(size, allocator->user);
    if (!catalog)
        return NULL;
    memset(catalog, 0, sizeof *catalog);
    catalog->allocator = allocator;
    catalog->loop = loop;
    at = (char *)(catalog + 1);
    for (int i = 0; i < N_TEXTS; i++) {
        if (texts[i].len)
            memcpy(at, texts[i].ptr, texts[i].len);
        catalog->texts[i] = tusk_str_from(at, texts[i].len);
        at += texts[i].len;
    }
    return catalog;
}

/* The one that there is. */
static struct tusk__catalog *look_on(const shelf *s, const tusk_str texts[N_TEXTS])
{
    struct tusk__catalog *catalog = s->first;

    while (catalog && !is_of(catalog, texts))
        catalog = catalog->next;
    return catalog;
}

static struct tusk__catalog *put_on(shelf *s, struct tusk__catalog *catalog)
{
    if (!catalog)
        return NULL;
    catalog->next = s->first;
    if (s->first)
        s->first->prev = catalog;
    return s->first = catalog;
}

static void enter(struct tusk__catalog *catalog, tusk_conn *conn)
{
    conn->catalog = catalog;
    conn->catalog_prev = NULL;
    conn->catalog_next = catalog->conns;
    if (catalog->conns)
        catalog->conns->catalog_prev = conn;
    catalog->conns = conn;
}

static void leave(struct tusk__catalog *catalog, tusk_conn *conn)
{
    conn->catalog = NULL;
    if (conn->catalog_next)
        conn->catalog_next->catalog_prev = conn->catalog_prev;
    if (conn->catalog_prev)
        conn->catalog_prev->catalog_next = conn->catalog_next;
    else
        catalog->conns = conn->catalog_next;
}

/* The one of the connection's endpoint, from now on its own, too. NULL: out of memory. */
static struct tusk__catalog *catalog_of(tusk_conn *conn)
{
    shelf *s = conn->catalog ? NULL : shelf_of(conn->loop);
    struct tusk__catalog *catalog;
    tusk_str texts[N_TEXTS];

    if (!s)
        return conn->catalog;
    texts_of(conn, texts);
    catalog = look_on(s, texts);
    if (!catalog)
        catalog = put_on(s, catalog_new(conn->loop, texts));
    if (catalog)
        enter(catalog, conn);
    return catalog;
}

/* The same without a part in it: of a connection that has not met a type of the database's own. */
static struct tusk__catalog *catalog_at(const tusk_conn *conn)
{
    const shelf *s = conn->catalog ? NULL : tusk__loop_slot_get(conn->loop, TUSK__SLOT_CATALOGS);
    tusk_str texts[N_TEXTS];

    if (!s || conn->phase < TUSK__PHASE_READY || !conn->settings)
        return conn->catalog;
    texts_of(conn, texts);
    return look_on(s, texts);
}

/* ---- types ---- */

static tusk__known_type **bucket_of(struct tusk__catalog *catalog, uint32_t oid)
{
    return &catalog->buckets[tusk__hash_word(0, oid) & (BUCKETS - 1)];
}

static tusk__known_type *find(struct tusk__catalog *catalog, uint32_t oid)
{
    tusk__known_type *t = *bucket_of(catalog, oid);

    while (t && t->type.oid != oid)
        t = t->chain;
    return t;
}

static void drop_oldest(struct tusk__catalog *catalog)
{
    tusk__known_type *t = catalog->oldest, **link = bucket_of(catalog, t->type.oid);

    while (*link != t)
        link = &(*link)->chain;
    *link = t->chain;
    catalog->oldest = t->newer;
    if (!catalog->oldest)
        catalog->newest = NULL;
    catalog->n--;
    catalog->bytes -= t->size;
    catalog->allocator->free(t, catalog->allocator->user);
}

/* In front of an older one of the same OID, which is not found any more and falls out when it is its turn. */
static void put(struct tusk__catalog *catalog, tusk__known_type *t)
{
    tusk__known_type **bucket = bucket_of(catalog, t->type.oid);

    t->chain = *bucket;
    *bucket = t;
    if (catalog->newest)
        catalog->newest->newer = t;
    else
        catalog->oldest = t;
    catalog->newest = t;
    catalog->n++;
    catalog->bytes += t->size;
    while (catalog->oldest != t && (catalog->n > TUSK__CATALOG_TYPES_MAX || catalog->bytes > TUSK__CATALOG_BYTES_MAX))
        drop_oldest(catalog);
}

static size_t size_of(const tusk_type *type)
{
    size_t size = sizeof(tusk__known_type) + (size_t)type->n_attributes * sizeof *type->attributes;

    size += type->name.len + type->schema.len;
    for (int i = 0; i < type->n_attributes; i++)
        size += type->attributes[i].name.len;
    return size;
}

static tusk_str copy_text(char **at, tusk_str text)
{
    tusk_str copy = tusk_str_from(*at, text.len);

    if (text.len)
        memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return copy;
}

/* Behind the struct: attributes, then texts. */
static void copy_type(tusk__known_type *t, const tusk_type *type)
{
    tusk_type_attribute *attributes = (tusk_type_attribute *)(void *)(t + 1);
    char *at = (char *)(attributes + type->n_attributes);

    t->type = *type;
    t->type.name = copy_text(&at, type->name);
    t->type.schema = copy_text(&at, type->schema);
    t->type.attributes = type->n_attributes ? attributes : NULL;
    for (int i = 0; i < type->n_attributes; i++)
        attributes[i] = (tusk_type_attribute){copy_text(&at, type->attributes[i].name), type->attributes[i].type};
}

static void add(tusk_conn *conn, const tusk_type *type, bool exists)
{
    struct tusk__catalog *catalog = catalog_of(conn);
    size_t size = size_of(type);
    tusk__known_type *t = catalog ? catalog->allocator->malloc(size, catalog->allocator->user) : NULL;

    if (!t)
        return;
    memset(t, 0, sizeof *t);
    t->size = size;
    t->exists = exists;
    copy_type(t, type);
    t->codec = exists ? tusk__own_codec_of(&t->type) : NULL;
    put(catalog, t);
}

void tusk__catalog_add(tusk_conn *conn, const tusk_type *type)
{
    add(conn, type, true);
}

void tusk__catalog_add_missing(tusk_conn *conn, uint32_t oid)
{
    add(conn, &(tusk_type){.oid = oid}, false);
}

const tusk__known_type *tusk__catalog_find(const tusk_conn *conn, uint32_t oid)
{
    struct tusk__catalog *catalog = catalog_at(conn);

    return catalog ? find(catalog, oid) : NULL;
}

bool tusk__catalog_misses(tusk_conn *conn, uint32_t oid)
{
    struct tusk__catalog *catalog;

    if (oid == 0 || tusk__codec_of(oid) || (oid < TUSK__FIRST_OWN_OID && tusk__type_name(oid)))
        return false;
    catalog = catalog_of(conn);
    return !catalog || !find(catalog, oid);
}

/* How many domains may lie above each other. */
#define DOMAINS_MAX 64

const tusk__codec *tusk__catalog_codec(const tusk_conn *conn, uint32_t oid)
{
    const tusk__codec *codec = tusk__codec_of(oid);
    const tusk__known_type *t;

    for (int i = 0; i < DOMAINS_MAX && !codec; i++) {
        t = tusk__catalog_find(conn, oid);
        if (!t || t->type.kind != TUSK_TYPE_DOMAIN)
            return t ? t->codec : NULL;
        oid = t->type.element;
        codec = tusk__codec_of(oid);
    }
    return codec;
}

const tusk__codec *tusk__query_own_codec(const tusk_query *q, uint32_t type)
{
    return q && q->conn ? tusk__catalog_codec(q->conn, type) : NULL;
}

bool tusk__query_awaits_type(const tusk_query *q, uint32_t type)
{
    return q && q->conn && !tusk__catalog_find(q->conn, type);
}

/* A domain as its base, all the way down. */
static void find_type(const void *user, uint32_t oid, tusk__resolved *out)
{
    const tusk_conn *conn = user;
    const tusk__known_type *t = conn ? tusk__catalog_find(conn, oid) : NULL;

    for (int i = 0; i < DOMAINS_MAX && t && t->type.kind == TUSK_TYPE_DOMAIN; i++) {
        out->type = t->type.element;
        out->codec = tusk__codec_of(out->type);
        if (out->codec)
            return;
        t = tusk__catalog_find(conn, out->type);
    }
    if (!t || !t->exists)
        return;
    out->own = &t->type;
    out->element = t->type.element;
    out->codec = t->codec;
}

const char *tusk__conn_type_label(const tusk_conn *conn, uint32_t type, char buf[TUSK__TYPE_LABEL_SIZE])
{
    size_t len;

    if (type >= TUSK__FIRST_OWN_OID && tusk_type_format(conn, type, -1, buf, TUSK__TYPE_LABEL_SIZE, &len) == TUSK_OK)
        return buf;
    return tusk__type_label(type, buf);
}

static const char *label_of(const void *user, uint32_t type, char *buf)
{
    return tusk__conn_type_label(user, type, buf);
}

tusk__types tusk__conn_types(const tusk_conn *conn)
{
    return (tusk__types){find_type, conn, label_of};
}

tusk__types tusk__query_types(const tusk_query *q)
{
    return tusk__conn_types(q ? q->conn : NULL);
}

static void forget_all(struct tusk__catalog *catalog)
{
    while (catalog->oldest)
        drop_oldest(catalog);
}

void tusk__catalog_leave(tusk_conn *conn)
{
    struct tusk__catalog *catalog = conn->catalog;
    shelf *s;

    if (!catalog)
        return;
    leave(catalog, conn);
    if (catalog->conns)
        return;
    s = tusk__loop_slot_get(catalog->loop, TUSK__SLOT_CATALOGS);
    if (catalog->next)
        catalog->next->prev = catalog->prev;
    if (catalog->prev)
        catalog->prev->next = catalog->next;
    else if (s)
        s->first = catalog->next;
    forget_all(catalog);
    catalog->allocator->free(catalog, catalog->allocator->user);
}

/* ---- what the caller asks ---- */

tusk_code tusk_type_of(const tusk_conn *conn, uint32_t oid, tusk_type *out)
{
    const tusk__known_type *t;

    if (tusk__type_describe(oid, out))
        return TUSK_OK;
    t = conn ? tusk__catalog_find(conn, oid) : NULL;
    if (!t)
        return TUSK_AGAIN;
    if (!t->exists)
        return TUSK_DONE;
    *out = t->type;
    return TUSK_OK;
}

void tusk_types_forget(tusk_conn *conn)
{
    struct tusk__catalog *catalog = conn ? catalog_at(conn) : NULL;

    if (!catalog)
        return;
    forget_all(catalog);
    for (conn = catalog->conns; conn; conn = conn->catalog_next)
        tusk__cache_drop_frames(conn);
}
