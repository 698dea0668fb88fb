/* A table of a loop from 64 bits to a description, or to the bare fact that there is an entry: that type has no binary output.
 * It does not compare texts: see known.h why it need not.
 * Read first: lib/known.h. */
#include "lib/known.h"

#include "lib/hash.h"

/* A power of two. */
#define BUCKETS (TUSK__KNOWN_MAX / 4)

typedef struct entry {
    uint64_t key;
    struct entry *chain;
    struct entry *newer, *older; /* by their last use */
    tusk__desc *desc;            /* NULL: a type */
} entry;

typedef struct known {
    const tusk_allocator *allocator;
    entry *buckets[BUCKETS];
    entry *newest, *oldest;
    size_t n, bytes;
} known;

static size_t weight_of(const tusk__desc *desc)
{
    size_t weight = sizeof(entry);

    if (!desc)
        return weight;
    weight += sizeof *desc + (size_t)desc->n_cols * sizeof desc->cols[0];
    for (int i = 0; i < desc->n_cols; i++)
        weight += desc->cols[i].name.len;
    return weight;
}

static entry **bucket_of(known *k, uint64_t key)
{
    return &k->buckets[key & (BUCKETS - 1)];
}

static void link_newest(known *k, entry *e)
{
    e->newer = NULL;
    e->older = k->newest;
    if (k->newest)
        k->newest->newer = e;
    else
        k->oldest = e;
    k->newest = e;
}

static void unlink_use(known *k, const entry *e)
{
    if (e->newer)
        e->newer->older = e->older;
    else
        k->newest = e->older;
    if (e->older)
        e->older->newer = e->newer;
    else
        k->oldest = e->newer;
}

static void drop(known *k, entry *e)
{
    entry **link = bucket_of(k, e->key);

    while (*link != e)
        link = &(*link)->chain;
    *link = e->chain;
    unlink_use(k, e);
    k->n--;
    k->bytes -= weight_of(e->desc);
    tusk__desc_unref(e->desc);
    k->allocator->free(e, k->allocator->user);
}

static void known_free(tusk_loop *loop, void *value)
{
    known *k = value;

    (void)loop;
    while (k->oldest)
        drop(k, k->oldest);
    k->allocator->free(k, k->allocator->user);
}

static known *known_of(tusk_loop *loop)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    known *k = tusk__loop_slot_get(loop, TUSK__SLOT_ENDPOINTS);

    if (k)
        return k;
    k = allocator->malloc(sizeof *k, allocator->user);
    if (!k)
        return NULL;
    memset(k, 0, sizeof *k);
    k->allocator = allocator;
    tusk__loop_slot_set(loop, TUSK__SLOT_ENDPOINTS, k, known_free);
    return k;
}

/* Found is used. */
static entry *find(tusk_loop *loop, uint64_t key)
{
    known *k = tusk__loop_slot_get(loop, TUSK__SLOT_ENDPOINTS);
    entry *e = k ? *bucket_of(k, key) : NULL;

    while (e && e->key != key)
        e = e->chain;
    if (e && e != k->newest) {
        unlink_use(k, e);
        link_newest(k, e);
    }
    return e;
}

static entry *add(tusk_loop *loop, uint64_t key)
{
    known *k = known_of(loop);
    entry *e = k ? k->allocator->malloc(sizeof *e, k->allocator->user) : NULL;

    if (!e)
        return NULL;
    *e = (entry){.key = key, .chain = *bucket_of(k, key)};
    *bucket_of(k, key) = e;
    link_newest(k, e);
    k->n++;
    k->bytes += sizeof *e;
    return e;
}

static void keep_within_bounds(tusk_loop *loop)
{
    known *k = tusk__loop_slot_get(loop, TUSK__SLOT_ENDPOINTS);

    while (k->n > TUSK__KNOWN_MAX || (k->bytes > TUSK__KNOWN_BYTES_MAX && k->n > 0))
        drop(k, k->oldest);
}

tusk__desc *tusk__known_find(tusk_loop *loop, uint64_t key)
{
    entry *e = find(loop, key);

    return e ? e->desc : NULL;
}

void tusk__known_set(tusk_loop *loop, uint64_t key, tusk__desc *desc)
{
    entry *e = find(loop, key);
    known *k;

    if (e && e->desc == desc)
        return;
    e = e ? e : add(loop, key);
    if (!e)
        return;
    k = tusk__loop_slot_get(loop, TUSK__SLOT_ENDPOINTS);
    k->bytes += weight_of(desc) - weight_of(e->desc);
    tusk__desc_unref(e->desc);
    e->desc = tusk__desc_ref(desc);
    keep_within_bounds(loop);
}

void tusk__known_forget(tusk_loop *loop, uint64_t key)
{
    entry *e = find(loop, key);

    if (e)
        drop(tusk__loop_slot_get(loop, TUSK__SLOT_ENDPOINTS), e);
}

/* Odd multiples keep it apart from the keys of statements as well as any hash does. */
static uint64_t key_of_type(uint64_t scope, uint32_t type)
{
    return tusk__hash_word(~scope, type);
}

bool tusk__known_is_text(tusk_loop *loop, uint64_t scope, uint32_t type)
{
    return find(loop, key_of_type(scope, type)) != NULL;
}

void tusk__known_set_text(tusk_loop *loop, uint64_t scope, uint32_t type)
{
    uint64_t key = key_of_type(scope, type);

    if (!find(loop, key) && add(loop, key))
        keep_within_bounds(loop);
}
