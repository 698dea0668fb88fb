/* The automatic statement cache of a connection: one hash table, and the same statements in two orders, by use and by age.
 * Read first: lib/cache.h. */
#include "lib/cache.h"

#include "lib/array.h"
#include "lib/command.h"
#include "lib/conn.h"
#include "lib/hash.h"

#define BUCKETS_MIN 16

/* ---- looking up ---- */

uint64_t tusk__cache_hash(tusk_str sql, tusk_params params)
{
    uint64_t hash = tusk__hash_str(params.n, sql);

    for (size_t i = 0; i < params.n; i++)
        hash = tusk__hash_word(hash, params.values[i].type);
    return hash;
}

static bool is_same(const tusk_stmt *stmt, uint64_t hash, tusk_str sql, tusk_params params)
{
    if (stmt->place.hash != hash || stmt->text.len != sql.len || stmt->n_given != params.n ||
        (sql.len > 0 && memcmp(stmt->text.ptr, sql.ptr, sql.len) != 0))
        return false;
    for (size_t i = 0; i < params.n; i++)
        if (stmt->given[i] != params.values[i].type)
            return false;
    return true;
}

static tusk_stmt **bucket_of(const tusk__cache *cache, uint64_t hash)
{
    return &cache->buckets[hash & (cache->n_buckets - 1)];
}

/* ---- the two orders ---- */

static void use_link(tusk__cache *cache, tusk_stmt *stmt)
{
    stmt->place.newer = NULL;
    stmt->place.older = cache->newest;
    if (cache->newest)
        cache->newest->place.newer = stmt;
    else
        cache->oldest = stmt;
    cache->newest = stmt;
}

static void use_unlink(tusk__cache *cache, const tusk_stmt *stmt)
{
    if (stmt->place.newer)
        stmt->place.newer->place.older = stmt->place.older;
    else
        cache->newest = stmt->place.older;
    if (stmt->place.older)
        stmt->place.older->place.newer = stmt->place.newer;
    else
        cache->oldest = stmt->place.newer;
}

static void age_link(tusk__cache *cache, tusk_stmt *stmt)
{
    stmt->place.born_next = NULL;
    stmt->place.born_prev = cache->last_born;
    if (cache->last_born)
        cache->last_born->place.born_next = stmt;
    else
        cache->first_born = stmt;
    cache->last_born = stmt;
}

static void age_unlink(tusk__cache *cache, const tusk_stmt *stmt)
{
    if (stmt->place.born_prev)
        stmt->place.born_prev->place.born_next = stmt->place.born_next;
    else
        cache->first_born = stmt->place.born_next;
    if (stmt->place.born_next)
        stmt->place.born_next->place.born_prev = stmt->place.born_prev;
    else
        cache->last_born = stmt->place.born_prev;
}

/* ---- falling out ---- */

/* The reference goes to the list, or is let go. */
static void list_append(tusk_stmt **first, tusk_stmt **last, tusk_stmt *stmt)
{
    stmt->place.chain = NULL;
    if (*first)
        (*last)->place.chain = stmt;
    else
        *first = stmt;
    *last = stmt;
}

void tusk__cache_drop(tusk_stmt *stmt, bool exists)
{
    tusk__cache *cache = stmt->conn->cache;
    tusk_stmt **link;

    if (!cache || !stmt->is_listed)
        return;
    stmt->is_listed = false;
    link = bucket_of(cache, stmt->place.hash);
    while (*link != stmt)
        link = &(*link)->place.chain;
    *link = stmt->place.chain;
    use_unlink(cache, stmt);
    age_unlink(cache, stmt);
    cache->n--;
    if (exists)
        list_append(&cache->dropped, &cache->dropped_last, stmt);
    else
        tusk__stmt_unref(stmt);
}

void tusk__cache_drop_all(tusk_conn *conn, bool exist)
{
    tusk__cache *cache = conn->cache;

    while (cache && cache->oldest)
        tusk__cache_drop(cache->oldest, exist);
}

/* A Parse that has not been answered stands behind the server's loss. */
void tusk__cache_lost(tusk_conn *conn)
{
    tusk__cache *cache = conn->cache;

    while (cache && cache->oldest)
        tusk__cache_drop(cache->oldest, cache->oldest->state != TUSK__STMT_READY);
    for (tusk_stmt *stmt = conn->stmts; stmt; stmt = stmt->next)
        if (stmt->state == TUSK__STMT_READY)
            tusk__stmt_renew(stmt, false);
}

void tusk__cache_drop_frames(tusk_conn *conn)
{
    for (tusk_stmt *stmt = conn->cache ? conn->cache->oldest : NULL; stmt; stmt = stmt->place.newer)
        tusk__writer_clear(&stmt->frame.bytes);
    for (tusk_stmt *stmt = conn->stmts; stmt; stmt = stmt->next)
        tusk__writer_clear(&stmt->frame.bytes);
}

/* Those in flight, too: their Close comes behind their Parse. */
static void drop_expired(tusk_conn *conn)
{
    int64_t lifetime_us = conn->settings->max_cached_statement_lifetime_us;
    tusk__cache *cache = conn->cache;
    int64_t now_us;

    if (lifetime_us < 0 || !cache->first_born)
        return;
    now_us = tusk_loop_now_us(conn->loop);
    while (cache->first_born && now_us - cache->first_born->place.born_us >= lifetime_us)
        tusk__cache_drop(cache->first_born, true);
}

tusk_stmt *tusk__cache_find(tusk_conn *conn, uint64_t hash, tusk_str sql, tusk_params params)
{
    tusk__cache *cache = conn->cache;
    tusk_stmt *stmt;

    if (!cache || cache->n == 0)
        return NULL;
    drop_expired(conn);
    stmt = *bucket_of(cache, hash);
    while (stmt && !is_same(stmt, hash, sql, params))
        stmt = stmt->place.chain;
    if (stmt && stmt != cache->newest) {
        use_unlink(cache, stmt);
        use_link(cache, stmt);
    }
    return stmt;
}

/* ---- coming in ---- */

static bool grow(tusk__cache *cache)
{
    size_t n = cache->n_buckets ? 2 * cache->n_buckets : BUCKETS_MIN;
    tusk_stmt **buckets = tusk__array_new(cache->allocator, n, sizeof(tusk_stmt *));

    if (!buckets)
        return false;
    for (size_t i = 0; i < n; i++)
        buckets[i] = NULL;
    cache->allocator->free(cache->buckets, cache->allocator->user);
    cache->buckets = buckets;
    cache->n_buckets = n;
    for (tusk_stmt *stmt = cache->oldest; stmt; stmt = stmt->place.newer) {
        tusk_stmt **bucket = bucket_of(cache, stmt->place.hash);

        stmt->place.chain = *bucket;
        *bucket = stmt;
    }
    return true;
}

static tusk__cache *cache_of(tusk_conn *conn)
{
    if (!conn->cache) {
        conn->cache = conn->allocator->malloc(sizeof *conn->cache, conn->allocator->user);
        if (!conn->cache)
            return NULL;
        *conn->cache = (tusk__cache){.allocator = conn->allocator};
    }
    if (conn->cache->n >= conn->cache->n_buckets && !grow(conn->cache) && !conn->cache->buckets)
        return NULL; /* with some, the chains only become longer */
    return conn->cache;
}

static tusk_stmt *stmt_of(tusk_conn *conn, tusk_str sql, tusk_params params)
{
    tusk_stmt *stmt = tusk__stmt_new(conn, sql, params.n);

    if (!stmt)
        return NULL;
    stmt->is_cached = true;
    for (size_t i = 0; i < params.n; i++)
        stmt->given[i] = params.values[i].type;
    return stmt;
}

static bool is_cacheable(const tusk_conn *conn, tusk_str sql)
{
    int32_t max = conn->settings->max_cacheable_statement_size;

    return conn->settings->statement_cache_size > 0 && !conn->is_pooled && (max == 0 || sql.len <= (size_t)max) &&
           !tusk__command_gives_password(sql);
}

tusk_stmt *tusk__cache_add(tusk_conn *conn, uint64_t hash, tusk_str sql, tusk_params params)
{
    tusk__cache *cache = is_cacheable(conn, sql) ? cache_of(conn) : NULL;
    tusk_stmt *stmt = cache ? stmt_of(conn, sql, params) : NULL;

    if (!stmt)
        return NULL;
    if (cache->n >= (size_t)conn->settings->statement_cache_size)
        tusk__cache_drop(cache->oldest, true);
    stmt->is_listed = true;
    stmt->place.hash = hash;
    stmt->place.born_us = tusk_loop_now_us(conn->loop);
    stmt->place.chain = *bucket_of(cache, hash);
    *bucket_of(cache, hash) = stmt;
    use_link(cache, stmt);
    age_link(cache, stmt);
    cache->n++;
    return stmt;
}

/* Without memory for it, the server has one statement too many until the session ends. */
void tusk__cache_drop_name(tusk_conn *conn, const char *name)
{
    tusk__cache *cache = cache_of(conn);
    tusk_stmt *stmt = cache ? tusk__stmt_new(conn, (tusk_str){NULL, 0}, 0) : NULL;

    if (!stmt)
        return;
    stmt->is_cached = true;
    memcpy(stmt->name, name, sizeof stmt->name);
    list_append(&cache->dropped, &cache->dropped_last, stmt);
}

/* ---- closing what fell out ---- */

static tusk_stmt *list_take(tusk_stmt **first, tusk_stmt **last)
{
    tusk_stmt *stmt = *first;

    *first = stmt->place.chain;
    if (!*first)
        *last = NULL;
    return stmt;
}

uint16_t tusk__cache_close_dropped(tusk_conn *conn, const tusk_query *q,
                                   void (*write_close)(tusk__writer *b, tusk_str name))
{
    tusk__cache *cache = conn->cache;
    uint16_t n = 0;

    for (; cache && cache->dropped && n < UINT16_MAX; n++) {
        tusk_stmt *stmt = list_take(&cache->dropped, &cache->dropped_last);

        write_close(&conn->out, tusk_str_of(stmt->name));
        stmt->place.closer = q;
        list_append(&cache->closing, &cache->closing_last, stmt);
    }
    return n;
}

void tusk__cache_closed(tusk_conn *conn)
{
    tusk__cache *cache = conn->cache;

    if (cache && cache->closing)
        tusk__stmt_unref(list_take(&cache->closing, &cache->closing_last));
}

static void take_back(tusk_conn *conn, const tusk_query *q, bool is_over)
{
    tusk__cache *cache = conn->cache;
    tusk_stmt *stmt = cache ? cache->closing : NULL;

    if (!stmt)
        return;
    cache->closing = cache->closing_last = NULL;
    while (stmt) {
        tusk_stmt *next = stmt->place.chain;

        if (stmt->place.closer != q)
            list_append(&cache->closing, &cache->closing_last, stmt);
        else if (is_over)
            tusk__stmt_unref(stmt);
        else
            list_append(&cache->dropped, &cache->dropped_last, stmt);
        stmt = next;
    }
}

/* A server that fails a Close would fail it again, and a request of the caller's with it: better one statement too many there. */
void tusk__cache_unit_over(tusk_conn *conn, const tusk_query *q)
{
    take_back(conn, q, true);
}

void tusk__cache_unit_retracted(tusk_conn *conn, const tusk_query *q)
{
    take_back(conn, q, false);
}

/* ---- the end ---- */

static void list_free(tusk_stmt *stmt)
{
    while (stmt) {
        tusk_stmt *next = stmt->place.chain;

        tusk__stmt_unref(stmt);
        stmt = next;
    }
}

void tusk__cache_free(tusk_conn *conn)
{
    tusk__cache *cache = conn->cache;

    if (!cache)
        return;
    tusk__cache_drop_all(conn, false);
    list_free(cache->dropped);
    list_free(cache->closing);
    conn->cache = NULL;
    cache->allocator->free(cache->buckets, cache->allocator->user);
    cache->allocator->free(cache, cache->allocator->user);
}
