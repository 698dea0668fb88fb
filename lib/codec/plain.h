/* Parameters that most parameters are, written without the codec table: integers, doubles and ASCII text on their way to their own type.
 * What it does not take is no error: tusk__param_encode() looks at it, and writes the same bytes for what is taken here.
 * Read first: lib/codec/codec.h. */
#ifndef TUSK_LIB_CODEC_PLAIN_H
#define TUSK_LIB_CODEC_PLAIN_H

#include "lib/codec/codec.h"

/* Has none of eight bytes its high bit, and is none of them 0? Less one, a 0 has it; a byte with it below borrows from its neighbour, but then
 * the answer is no already. */
static inline bool tusk__is_plain_word(uint64_t word)
{
    return ((word | (word - UINT64_C(0x0101010101010101))) & UINT64_C(0x8080808080808080)) == 0;
}

static inline bool tusk__is_plain_at(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return tusk__is_plain_word(word);
}

/* ASCII without NUL: text that every encoding of a server holds. The last word overlaps the one before it. */
static inline bool tusk__is_plain_text(tusk_str text)
{
    size_t i = 0;

    if (text.len < 8) {
        for (; i < text.len; i++)
            if ((unsigned char)text.ptr[i] - 1u >= 127)
                return false;
        return true;
    }
    for (; text.len - i > 8; i += 8)
        if (!tusk__is_plain_at(text.ptr + i))
            return false;
    return tusk__is_plain_at(text.ptr + text.len - 8);
}

/* n bytes of what there is room for without growing; else NULL. So nothing is called on the way of a number. */
static inline uint8_t *tusk__plain_space(tusk__writer *b, size_t n)
{
    uint8_t *p = b->buf + b->len;

    if (b->failed != TUSK_OK || b->cap - b->len < n)
        return NULL;
    b->len += n;
    return p;
}

static inline bool tusk__plain_write8(tusk__writer *b, uint64_t bits)
{
    uint8_t *p = tusk__plain_space(b, 4 + 8);

    if (!p)
        return false;
    tusk__put32(p, 8);
    tusk__put64(p + 4, bits);
    return true;
}

static inline bool tusk__plain_write4(tusk__writer *b, uint32_t bits)
{
    uint8_t *p = tusk__plain_space(b, 4 + 4);

    if (!p)
        return false;
    tusk__put32(p, 4);
    tusk__put32(p + 4, bits);
    return true;
}

/* Room before a look at it (D13): 2^31 bytes are more than any buffer has room for. Not inline: it calls memcpy(), and numbers would save registers
 * for that. */
static __attribute__((noinline)) bool tusk__plain_write_text(tusk__writer *b, tusk_str text)
{
    uint8_t *p;

    if (text.len > INT32_MAX || b->failed != TUSK_OK || b->cap - b->len < 4 + text.len || !tusk__is_plain_text(text))
        return false;
    p = b->buf + b->len;
    b->len += 4 + text.len;
    tusk__put32(p, (uint32_t)text.len);
    if (text.len > 0)
        memcpy(p + 4, text.ptr, text.len);
    return true;
}

/* The value as a whole field of a Bind in binary. False: nothing was written, and tusk__param_encode() has to say what it is. */
static inline bool tusk__plain_encode(tusk__writer *b, const tusk_value *value, uint32_t want)
{
    uint64_t bits;

    if (value->type != want)
        return false;
    if (value->kind == TUSK_KIND_INT) {
        if (want == TUSK_OID_INT8)
            return tusk__plain_write8(b, (uint64_t)value->as.integer);
        return want == TUSK_OID_INT4 && value->as.integer == (int32_t)value->as.integer &&
               tusk__plain_write4(b, (uint32_t)value->as.integer);
    }
    if (value->kind == TUSK_KIND_TEXT)
        return (want == TUSK_OID_TEXT || want == TUSK_OID_VARCHAR) && tusk__plain_write_text(b, value->as.bytes);
    if (value->kind != TUSK_KIND_FLOAT || want != TUSK_OID_FLOAT8)
        return false;
    memcpy(&bits, &value->as.real, sizeof bits);
    return tusk__plain_write8(b, bits);
}

#endif
