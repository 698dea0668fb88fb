/* The cache of SCRAM keys: a short array, searched from end to end, since 64 comparisons are nothing beside a login.
 * An entry's name is an HMAC under a random key of the loop: neither the password nor its plain hash lies in memory for it.
 * Read first: lib/scram_cache.h. */
#include "lib/scram_cache.h"

#include "proto/buf.h"

typedef struct entry {
    tusk__scram_name name;
    tusk__scram_keys keys;
    uint64_t last_use; /* 0: free */
} entry;

typedef struct cache {
    const tusk__crypto *crypto;
    uint64_t uses;
    uint8_t key[TUSK__SHA256_LEN]; /* random, of this loop */
    entry entries[TUSK__SCRAM_CACHE_MAX];
} cache;

static void free_cache(tusk_loop *loop, void *value)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    cache *c = value;

    c->crypto->wipe(c, sizeof *c);
    allocator->free(c, allocator->user);
}

static cache *make_cache(tusk_loop *loop, const tusk__crypto *crypto)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    cache *c = allocator->malloc(sizeof *c, allocator->user);

    if (!c)
        return NULL;
    memset(c, 0, sizeof *c);
    c->crypto = crypto;
    if (crypto->random(crypto->user, c->key, sizeof c->key) != TUSK_OK) {
        allocator->free(c, allocator->user);
        return NULL;
    }
    tusk__loop_slot_set(loop, TUSK__SLOT_SCRAM, c, free_cache);
    return c;
}

/* The salt's length and the count stand in front with fixed width: no two sources make the same bytes. */
bool tusk__scram_cache_name(tusk_loop *loop, const tusk__crypto *crypto, const tusk__scram_source *source,
                            tusk__scram_name *out)
{
    cache *c = tusk__loop_slot_get(loop, TUSK__SLOT_SCRAM);
    uint8_t numbers[8];
    const tusk_str parts[] = {tusk_str_from(numbers, sizeof numbers), source->salt, source->password};

    if (!c)
        c = make_cache(loop, crypto);
    if (!c)
        return false;
    tusk__put32(numbers, (uint32_t)source->salt.len);
    tusk__put32(numbers + 4, source->iterations);
    return crypto->hmac_sha256(crypto->user, c->key, sizeof c->key, parts, 3, out->bytes) == TUSK_OK;
}

static entry *find(cache *c, const tusk__scram_name *name)
{
    for (size_t i = 0; c && i < TUSK__SCRAM_CACHE_MAX; i++)
        if (c->entries[i].last_use != 0 && c->crypto->equal(&c->entries[i].name, name, sizeof *name))
            return &c->entries[i];
    return NULL;
}

/* A free place, else that of the least recently used. */
static entry *find_place(cache *c)
{
    entry *place = &c->entries[0];

    for (size_t i = 1; i < TUSK__SCRAM_CACHE_MAX; i++)
        if (c->entries[i].last_use < place->last_use)
            place = &c->entries[i];
    return place;
}

bool tusk__scram_cache_get(tusk_loop *loop, const tusk__scram_name *name, tusk__scram_keys *out)
{
    cache *c = tusk__loop_slot_get(loop, TUSK__SLOT_SCRAM);
    entry *e = find(c, name);

    if (!e)
        return false;
    e->last_use = ++c->uses;
    *out = e->keys;
    return true;
}

void tusk__scram_cache_put(tusk_loop *loop, const tusk__scram_name *name, const tusk__scram_keys *keys)
{
    cache *c = tusk__loop_slot_get(loop, TUSK__SLOT_SCRAM);
    entry *e = find(c, name);

    if (!c)
        return;
    if (!e)
        e = find_place(c);
    *e = (entry){.name = *name, .keys = *keys, .last_use = ++c->uses};
}

void tusk__scram_cache_drop(tusk_loop *loop, const tusk__scram_name *name)
{
    cache *c = tusk__loop_slot_get(loop, TUSK__SLOT_SCRAM);
    entry *e = find(c, name);

    if (e)
        c->crypto->wipe(e, sizeof *e);
}
