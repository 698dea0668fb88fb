/* Chunks: counted 64 KiB pieces of memory that the loop lends. The free ones form a bounded list: what a second's work
 * needs stays, what nobody needed for a second goes back to the allocator, and an idle loop keeps a few.
 * It does not know what is in them.
 * Read first: loop/loop.h, "chunks". */
#include <assert.h>
#include <string.h>

#include "loop/state.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif

#if defined(HAS_ASAN)
#include <sanitizer/asan_interface.h>
#define POISON(ptr, size) ASAN_POISON_MEMORY_REGION(ptr, size)
#define UNPOISON(ptr, size) ASAN_UNPOISON_MEMORY_REGION(ptr, size)
#else
#define POISON(ptr, size) ((void)(ptr), (void)(size))
#define UNPOISON(ptr, size) ((void)(ptr), (void)(size))
#endif

#if defined(HAS_ASAN) || defined(TUSK_DEBUG)
#define SPOIL(ptr, size) memset(ptr, 0xDD, size)
#else
#define SPOIL(ptr, size) ((void)(ptr), (void)(size))
#endif

enum {
    KEPT_WHEN_IDLE = 4, /* 256 KiB */
    MAX_FREE = 64,      /* 4 MiB: a burst beyond it goes straight back */
    TRIM_AFTER_US = 1000000
};

static void release(tusk_loop *loop, tusk__chunk *chunk)
{
    UNPOISON(chunk->data, chunk->cap);
    tusk__loop_mfree(loop, chunk);
}

static tusk__chunk *take_free(tusk__chunks *chunks)
{
    tusk__chunk *chunk = chunks->free;

    if (!chunk)
        return NULL;
    chunks->free = chunk->next;
    chunks->n_free--;
    if (chunks->n_free < chunks->least_free)
        chunks->least_free = chunks->n_free;
    UNPOISON(chunk->data, chunk->cap);
    return chunk;
}

static tusk__chunk *new_chunk(tusk_loop *loop, size_t cap)
{
    tusk__chunk *chunk = NULL;

    if (cap <= SIZE_MAX - sizeof *chunk)
        chunk = tusk__loop_malloc(loop, sizeof *chunk + cap);
    if (chunk) {
        chunk->loop = loop;
        chunk->cap = cap;
    }
    return chunk;
}

tusk__chunk *tusk__chunk_get(tusk_loop *loop, size_t min_cap)
{
    tusk__chunk *chunk;

    if (min_cap > TUSK__CHUNK_SIZE)
        chunk = new_chunk(loop, min_cap);
    else if ((chunk = take_free(&loop->chunks)) == NULL)
        chunk = new_chunk(loop, TUSK__CHUNK_SIZE);
    if (chunk) {
        chunk->next = NULL;
        chunk->refs = 1;
    }
    return chunk;
}

static void on_trim(tusk__timer *timer);

/* The trimming timer is no reason for tusk_loop_run() to go on. */
static bool start_trimming(tusk_loop *loop)
{
    if (tusk__timer_is_active(&loop->chunks.trim))
        return true;
    if (tusk__timer_start(loop, &loop->chunks.trim, TRIM_AFTER_US, on_trim) != TUSK_OK)
        return false;
    loop->chunks.least_free = loop->chunks.n_free;
    tusk__loop_release(loop);
    return true;
}

static void on_trim(tusk__timer *timer)
{
    tusk_loop *loop = TUSK__OWNER_OF(timer, tusk_loop, chunks.trim);
    tusk__chunks *chunks = &loop->chunks;

    tusk__loop_hold(loop);
    for (size_t n = chunks->least_free; n > 0 && chunks->n_free > KEPT_WHEN_IDLE; n--)
        release(loop, take_free(chunks));
    if (chunks->n_free > KEPT_WHEN_IDLE)
        (void)start_trimming(loop); /* cannot fail: this timer has just left its place in the heap */
}

static bool wants_it_back(tusk_loop *loop, const tusk__chunk *chunk)
{
    if (chunk->cap != TUSK__CHUNK_SIZE || loop->chunks.n_free >= MAX_FREE)
        return false;
    return loop->chunks.n_free < KEPT_WHEN_IDLE || start_trimming(loop);
}

void tusk__chunk_give_back(tusk__chunk *chunk)
{
    tusk_loop *loop = chunk->loop;

    assert(chunk->refs == 0);
    if (!wants_it_back(loop, chunk)) {
        tusk__loop_mfree(loop, chunk);
        return;
    }
    SPOIL(chunk->data, chunk->cap);
    POISON(chunk->data, chunk->cap);
    chunk->next = loop->chunks.free;
    loop->chunks.free = chunk;
    loop->chunks.n_free++;
}

void tusk__chunks_clear(tusk_loop *loop)
{
    while (loop->chunks.free)
        release(loop, take_free(&loop->chunks));
}
