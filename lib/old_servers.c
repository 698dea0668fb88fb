/* A ring of hashes of host, address and port. Two servers with the same hash cost one of them 3.2, and nothing else.
 * Read first: lib/old_servers.h. */
#include "lib/old_servers.h"

typedef struct ring {
    size_t n; /* ever added */
    uint64_t hashes[TUSK__OLD_SERVERS_MAX];
} ring;

/* FNV-1a, 64 bits; each text with an end of its own. */
static uint64_t add_text(uint64_t hash, tusk_str text)
{
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (uint8_t)text.ptr[i]) * 0x100000001B3u;
    return (hash ^ 0xFF) * 0x100000001B3u;
}

static uint64_t hash_of(const tusk__host *host)
{
    return add_text(add_text(add_text(0xCBF29CE484222325u, host->host), host->hostaddr), host->port);
}

bool tusk__old_servers_has(const tusk_loop *loop, const tusk__host *host)
{
    const ring *r = tusk__loop_slot_get(loop, TUSK__SLOT_OLD_SERVERS);
    uint64_t hash = hash_of(host);

    for (size_t i = 0; r && i < r->n && i < TUSK__OLD_SERVERS_MAX; i++)
        if (r->hashes[i] == hash)
            return true;
    return false;
}

static void free_ring(tusk_loop *loop, void *value)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);

    allocator->free(value, allocator->user);
}

void tusk__old_servers_add(tusk_loop *loop, const tusk__host *host)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    ring *r = tusk__loop_slot_get(loop, TUSK__SLOT_OLD_SERVERS);

    if (tusk__old_servers_has(loop, host))
        return;
    if (!r) {
        r = allocator->malloc(sizeof *r, allocator->user);
        if (!r)
            return;
        r->n = 0;
        tusk__loop_slot_set(loop, TUSK__SLOT_OLD_SERVERS, r, free_ring);
    }
    r->hashes[r->n++ % TUSK__OLD_SERVERS_MAX] = hash_of(host);
}
