/* Numbers of four bytes between the wire's order and the machine's, two at a time where a register has eight; and the choice of who does it.
 * Read first: lib/codec/swap.h. */
#include "lib/codec/swap.h"

#include <string.h>

#include "proto/buf.h"

static void copy_one(uint8_t *to, const uint8_t *from)
{
    uint32_t word = tusk__be32(from);

    memcpy(to, &word, sizeof word);
}

/* Swapping eight bytes swaps two numbers, too: they are put in their order again. */
static void copy(void *to, const void *from, size_t n)
{
    const uint8_t *in = from;
    uint8_t *out = to;
    uint64_t pair;

    for (; n >= 2; n -= 2, in += 8, out += 8) {
        pair = tusk__be64(in);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        pair = pair << 32 | pair >> 32;
#endif
        memcpy(out, &pair, sizeof pair);
    }
    if (n > 0)
        copy_one(out, in);
}

static bool are_fields(const uint8_t *fields, size_t n)
{
    uint32_t others = 0;

    for (size_t i = 0; i < n; i++)
        others |= tusk__be32(fields + 8 * i) ^ 4;
    return others == 0;
}

/* The length and the number in one load. */
static bool gather(void *to, const uint8_t *fields, size_t n)
{
    uint8_t *out = to;
    uint64_t others = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t field = tusk__be64(fields + 8 * i);
        uint32_t word = (uint32_t)field;

        others |= field ^ UINT64_C(4) << 32;
        memcpy(out + 4 * i, &word, sizeof word);
    }
    return others >> 32 == 0;
}

static void scatter(uint8_t *fields, const void *from, size_t n)
{
    const uint8_t *in = from;

    for (size_t i = 0; i < n; i++) {
        uint32_t word;

        memcpy(&word, in + 4 * i, sizeof word);
        tusk__put64(fields + 8 * i, UINT64_C(4) << 32 | word);
    }
}

const tusk__swap4 tusk__swap4_plain = {copy, are_fields, gather, scatter};

const tusk__swap4 *tusk__swap4_best(void)
{
#ifdef TUSK__HAVE_AVX2
    if (__builtin_cpu_supports("avx2"))
        return &tusk__swap4_avx2;
#endif
    return &tusk__swap4_plain;
}

bool tusk__fields_are_uniform(const uint8_t *fields, size_t n, size_t width)
{
    uint32_t others = 0;

    if (width == 4)
        return tusk__swap4_best()->are_fields(fields, n);
    for (size_t i = 0; i < n; i++)
        others |= tusk__be32(fields + i * (4 + width)) ^ (uint32_t)width;
    return others == 0;
}
