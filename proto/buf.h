/* The two cursors of proto/: one reads, one writes. All access to bytes of the wire goes through them, or through a function
 * that checked the whole message before.
 * They do not know messages.
 * Read first: CRAFT 7; then proto/frame.h. */
#ifndef TUSK_PROTO_BUF_H
#define TUSK_PROTO_BUF_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include <tusk/alloc.h>
#include <tusk/error.h>

/* ---- reading: a view that only shrinks. One read too far sets `bad`, yields zeros from there on, and is asked once, at
 * the end of the message. Nothing before `ptr` or behind `end` is ever touched. */
typedef struct tusk__reader {
    const uint8_t *ptr, *end;
    bool bad;
} tusk__reader;

static inline tusk__reader tusk__reader_of(tusk_str bytes)
{
    /* nothing is never NULL: adding 0 to NULL is undefined */
    const uint8_t *start = (const uint8_t *)(bytes.ptr ? bytes.ptr : "");
    tusk__reader b = {start, start + bytes.len, false};
    return b;
}

static inline size_t tusk__reader_left(const tusk__reader *b)
{
    return (size_t)(b->end - b->ptr);
}

/* The next n bytes, or NULL and bad. */
static inline const uint8_t *tusk__read_raw(tusk__reader *b, size_t n)
{
    const uint8_t *p = b->ptr;

    if (tusk__reader_left(b) < n) {
        b->bad = true;
        b->ptr = b->end;
        return NULL;
    }
    b->ptr += n;
    return p;
}

/* Big-endian values at a place that is known to hold them. */
static inline uint16_t tusk__be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}
static inline uint32_t tusk__be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline uint64_t tusk__be64(const uint8_t *p)
{
    return (uint64_t)tusk__be32(p) << 32 | tusk__be32(p + 4);
}
static inline void tusk__put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8), p[1] = (uint8_t)v;
}
static inline void tusk__put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24), p[1] = (uint8_t)(v >> 16), p[2] = (uint8_t)(v >> 8), p[3] = (uint8_t)v;
}
static inline void tusk__put64(uint8_t *p, uint64_t v)
{
    tusk__put32(p, (uint32_t)(v >> 32)), tusk__put32(p + 4, (uint32_t)v);
}

static inline uint8_t tusk__read_u8(tusk__reader *b)
{
    const uint8_t *p = tusk__read_raw(b, 1);
    return p ? *p : 0;
}
static inline uint16_t tusk__read_u16(tusk__reader *b)
{
    const uint8_t *p = tusk__read_raw(b, 2);
    return p ? tusk__be16(p) : 0;
}
static inline uint32_t tusk__read_u32(tusk__reader *b)
{
    const uint8_t *p = tusk__read_raw(b, 4);
    return p ? tusk__be32(p) : 0;
}
static inline uint64_t tusk__read_u64(tusk__reader *b)
{
    const uint8_t *p = tusk__read_raw(b, 8);
    return p ? tusk__be64(p) : 0;
}
static inline int32_t tusk__read_i32(tusk__reader *b)
{
    return (int32_t)tusk__read_u32(b);
}

static inline tusk_str tusk__read_bytes(tusk__reader *b, size_t n)
{
    const uint8_t *p = tusk__read_raw(b, n);
    return tusk_str_from(p, p ? n : 0);
}

/* A NUL-terminated string without its NUL. A missing NUL is bad (D10). */
tusk_str tusk__read_cstr(tusk__reader *b);

/* An Int32 length and so many bytes: -1 is NULL (*is_null), every other negative and whatever exceeds the rest is bad (D1). */
tusk_str tusk__read_field(tusk__reader *b, bool *is_null);

/* ---- writing: grows by the allocator up to `max`. The first failure sticks in `failed` (TUSK_ERR_NOMEM, _LIMIT, _VALUE):
 * later writes do nothing, and the caller takes the whole message back by tusk__writer_cut(). */
typedef struct tusk__writer {
    const tusk_allocator *allocator;
    uint8_t *buf;
    size_t len;
    size_t cap; /* how far the buffer may be filled now: `allocated`, or `limit` if that is less */
    size_t allocated;
    size_t max;                 /* 0: TUSK__WRITER_MAX */
    size_t limit;               /* while a message is open: where its longest body would end; else 0 */
    size_t fields_at, n_fields; /* while a Bind is open: where its parameters begin (else 0), how many were announced */
    tusk_code failed;
} tusk__writer;

#define TUSK__WRITER_MAX ((size_t)0x7fffffff)

void tusk__writer_init(tusk__writer *b, const tusk_allocator *allocator);
void tusk__writer_clear(tusk__writer *b); /* frees the memory; the writer can be used again */
/* Overwrites what was written (secrets), then clears. Growing moves the buffer and leaves a copy behind, but never in the
 * middle of a string: room for all of it is made first. So wipe before something else is appended. */
void tusk__writer_wipe(tusk__writer *b);

/* Room for n more bytes; false and `failed` if there is none: TUSK_ERR_LIMIT beyond `max` and beyond the end of the longest
 * message, so that a parameter of gigabytes is refused before it is copied (D13). */
bool tusk__writer_grow(tusk__writer *b, size_t n);
static inline bool tusk__writer_room(tusk__writer *b, size_t n)
{
    return b->failed == TUSK_OK && (b->cap - b->len >= n || tusk__writer_grow(b, n));
}

/* Until the message ends, the buffer is not filled beyond `limit`; 0 ends that. */
void tusk__writer_limit(tusk__writer *b, size_t limit);

/* Take back all behind `len` and forget the failure. */
static inline void tusk__writer_cut(tusk__writer *b, size_t len)
{
    assert(len <= b->len);
    b->len = len;
    b->limit = 0;
    b->cap = b->allocated;
    b->failed = TUSK_OK;
}

static inline void tusk__writer_fail(tusk__writer *b, tusk_code code)
{
    if (b->failed == TUSK_OK)
        b->failed = code;
}

/* n bytes to be filled by the caller at once; NULL on failure. Valid until the next write. */
static inline uint8_t *tusk__write_space(tusk__writer *b, size_t n)
{
    uint8_t *p;

    if (!tusk__writer_room(b, n))
        return NULL;
    p = b->buf + b->len;
    b->len += n;
    return p;
}

static inline void tusk__write_u8(tusk__writer *b, uint8_t v)
{
    uint8_t *p = tusk__write_space(b, 1);
    if (p)
        *p = v;
}
static inline void tusk__write_u16(tusk__writer *b, uint16_t v)
{
    uint8_t *p = tusk__write_space(b, 2);
    if (p)
        tusk__put16(p, v);
}
static inline void tusk__write_u32(tusk__writer *b, uint32_t v)
{
    uint8_t *p = tusk__write_space(b, 4);
    if (p)
        tusk__put32(p, v);
}
static inline void tusk__write_u64(tusk__writer *b, uint64_t v)
{
    uint8_t *p = tusk__write_space(b, 8);
    if (p)
        tusk__put64(p, v);
}
static inline void tusk__write_bytes(tusk__writer *b, tusk_str s)
{
    /* nothing written to a writer that has no memory yet must not add 0 to NULL */
    uint8_t *p = s.len > 0 ? tusk__write_space(b, s.len) : NULL;
    if (p)
        memcpy(p, s.ptr, s.len);
}

/* The string and a NUL. A NUL inside the string fails with TUSK_ERR_VALUE (D14). */
void tusk__write_cstr(tusk__writer *b, tusk_str s);

/* An Int32 length and the bytes; is_null writes -1 and no bytes. */
void tusk__write_field(tusk__writer *b, tusk_str s, bool is_null);

/* An Int16 count, which the wire takes as unsigned. More than 65535 fails with TUSK_ERR_LIMIT. */
void tusk__write_count(tusk__writer *b, size_t n);

#endif
