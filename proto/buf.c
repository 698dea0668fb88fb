/* The cursors' longer halves: strings, nullable fields, growth and wiping of the write buffer.
 * It does not know messages, only that one may be open (tusk__writer.limit).
 * Read first: proto/buf.h. */
#include "proto/buf.h"

#include "proto/bounds.h"
#include "proto/size.h"

/* The first allocation: most requests fit, so that a connection grows its buffer rarely. */
#define FIRST_CAP 1024

tusk_str tusk__read_cstr(tusk__reader *b)
{
    size_t left = tusk__reader_left(b);
    const uint8_t *start = b->ptr;
    const uint8_t *nul = left > 0 ? memchr(start, 0, left) : NULL;

    if (!nul) {
        b->bad = true;
        b->ptr = b->end;
        return tusk_str_from(NULL, 0);
    }
    b->ptr = nul + 1;
    return tusk_str_from(start, (size_t)(nul - start));
}

tusk_str tusk__read_field(tusk__reader *b, bool *is_null)
{
    int32_t len = tusk__read_i32(b);

    *is_null = len == -1;
    if (len >= 0)
        return tusk__read_bytes(b, (size_t)len);
    if (len != -1) {
        b->bad = true;
        b->ptr = b->end;
    }
    return tusk_str_from(NULL, 0);
}

void tusk__writer_init(tusk__writer *b, const tusk_allocator *allocator)
{
    memset(b, 0, sizeof *b);
    b->allocator = allocator;
}

void tusk__writer_clear(tusk__writer *b)
{
    size_t max = b->max;

    b->allocator->free(b->buf, b->allocator->user);
    tusk__writer_init(b, b->allocator);
    b->max = max;
}

/* All that is allocated: behind len may lie what was cut off. The pointer is volatile so that the call cannot be optimised
 * away as a store to memory that is freed next. */
void tusk__writer_wipe(tusk__writer *b)
{
    static void *(*const volatile overwrite)(void *, int, size_t) = memset;

    if (b->buf)
        overwrite(b->buf, 0, b->allocated);
    tusk__writer_clear(b);
}

void tusk__writer_limit(tusk__writer *b, size_t limit)
{
    b->limit = limit;
    b->cap = limit && limit < b->allocated ? limit : b->allocated;
}

/* How long the buffer may become now: the writer's own bound, and while a message is open the end of the longest one. */
static size_t writer_end(const tusk__writer *b)
{
    size_t max = b->max ? b->max : TUSK__WRITER_MAX;

    return b->limit && b->limit < max ? b->limit : max;
}

/* Doubles, so that a long message is moved O(1) times per byte; never beyond the writer's bound. */
static size_t next_cap(const tusk__writer *b, size_t need)
{
    size_t max = b->max ? b->max : TUSK__WRITER_MAX;
    size_t cap = FIRST_CAP;

    if (b->allocated >= cap && !tusk__size_mul(b->allocated, 2, &cap))
        cap = max;
    if (cap > max)
        cap = max;
    return cap > need ? cap : need;
}

bool tusk__writer_grow(tusk__writer *b, size_t n)
{
    size_t need, cap;
    uint8_t *buf;

    if (b->failed != TUSK_OK)
        return false;
    if (!tusk__size_add(b->len, n, &need) || need > writer_end(b)) {
        tusk__writer_fail(b, TUSK_ERR_LIMIT);
        return false;
    }
    if (need <= b->cap)
        return true;
    cap = next_cap(b, need);
    buf = b->allocator->realloc(b->buf, cap, b->allocator->user);
    if (!buf) {
        tusk__writer_fail(b, TUSK_ERR_NOMEM);
        return false;
    }
    b->buf = buf;
    b->allocated = cap;
    tusk__writer_limit(b, b->limit);
    return true;
}

/* Room for a string and what goes with it, before the string is looked at (D13). */
static bool room_for(tusk__writer *b, tusk_str s, size_t more)
{
    size_t size;

    if (tusk__size_add(s.len, more, &size))
        return tusk__writer_room(b, size);
    tusk__writer_fail(b, TUSK_ERR_LIMIT);
    return false;
}

void tusk__write_cstr(tusk__writer *b, tusk_str s)
{
    if (!room_for(b, s, 1))
        return;
    if (s.len > 0 && memchr(s.ptr, 0, s.len)) {
        tusk__writer_fail(b, TUSK_ERR_VALUE);
        return;
    }
    tusk__write_bytes(b, s);
    tusk__write_u8(b, 0);
}

void tusk__write_field(tusk__writer *b, tusk_str s, bool is_null)
{
    if (is_null) {
        tusk__write_u32(b, UINT32_MAX);
        return;
    }
    if (s.len > TUSK__MESSAGE_MAX)
        tusk__writer_fail(b, TUSK_ERR_LIMIT);
    if (!room_for(b, s, 4))
        return;
    tusk__write_u32(b, (uint32_t)s.len);
    tusk__write_bytes(b, s);
}

void tusk__write_count(tusk__writer *b, size_t n)
{
    if (n > UINT16_MAX)
        tusk__writer_fail(b, TUSK_ERR_LIMIT);
    tusk__write_u16(b, (uint16_t)n);
}
