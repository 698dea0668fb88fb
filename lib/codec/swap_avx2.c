/* Numbers of four bytes, eight at a time, on x86-64 processors that have AVX2; the rest of fewer than eight is done plainly.
 * Compiled for all and run on those alone: tusk__swap4_best(). Elsewhere the file is empty.
 * Read first: lib/codec/swap.h. */
#include "lib/codec/swap.h"

#ifdef TUSK__HAVE_AVX2

#include <string.h>

#define AVX2 __attribute__((target("avx2")))

typedef uint8_t bytes __attribute__((vector_size(32)));
typedef uint32_t words __attribute__((vector_size(32)));

/* The bytes of each word, the other way round. A macro: functions cannot pass what only some processors have. */
#define SWAPPED(v)                                                                                                     \
    ((words)__builtin_shufflevector((bytes)(v), (bytes)(v), 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12, 19,  \
                                    18, 17, 16, 23, 22, 21, 20, 27, 26, 25, 24, 31, 30, 29, 28))

/* Length words as they lie in memory: four, big-endian, in every other word. */
#define FOUR 0x04000000
static const words lengths = {FOUR, 0, FOUR, 0, FOUR, 0, FOUR, 0};
static const words length_bits = {UINT32_MAX, 0, UINT32_MAX, 0, UINT32_MAX, 0, UINT32_MAX, 0};

static AVX2 void copy(void *to, const void *from, size_t n)
{
    const uint8_t *in = from;
    uint8_t *out = to;
    words v, w;

    for (; n >= 16; n -= 16, in += 64, out += 64) {
        memcpy(&v, in, 32);
        memcpy(&w, in + 32, 32);
        v = SWAPPED(v);
        w = SWAPPED(w);
        memcpy(out, &v, 32);
        memcpy(out + 32, &w, 32);
    }
    tusk__swap4_plain.copy(out, in, n);
}

static AVX2 bool are_zero(words v)
{
    uint32_t sum = 0;

    for (int i = 0; i < 8; i++)
        sum |= v[i];
    return sum == 0;
}

static AVX2 bool are_fields(const uint8_t *fields, size_t n)
{
    words others = {0}, v, w;

    for (; n >= 8; n -= 8, fields += 64) {
        memcpy(&v, fields, 32);
        memcpy(&w, fields + 32, 32);
        others |= (v ^ lengths) | (w ^ lengths);
    }
    return are_zero(others & length_bits) && tusk__swap4_plain.are_fields(fields, n);
}

static AVX2 bool gather(void *to, const uint8_t *fields, size_t n)
{
    uint8_t *out = to;
    words others = {0}, v, w;

    for (; n >= 8; n -= 8, fields += 64, out += 32) {
        memcpy(&v, fields, 32);
        memcpy(&w, fields + 32, 32);
        others |= (v ^ lengths) | (w ^ lengths);
        v = __builtin_shufflevector(v, w, 1, 3, 9, 11, 5, 7, 13, 15); /* within each half of a register … */
        v = SWAPPED(v);
        v = __builtin_shufflevector(v, v, 0, 1, 4, 5, 2, 3, 6, 7); /* … and the halves put in order */
        memcpy(out, &v, 32);
    }
    return are_zero(others & length_bits) && tusk__swap4_plain.gather(out, fields, n);
}

static AVX2 void scatter(uint8_t *fields, const void *from, size_t n)
{
    const uint8_t *in = from;
    words v, low, high;

    for (; n >= 8; n -= 8, in += 32, fields += 64) {
        memcpy(&v, in, 32);
        v = SWAPPED(v);
        v = __builtin_shufflevector(v, v, 0, 1, 4, 5, 2, 3, 6, 7);
        low = __builtin_shufflevector(lengths, v, 0, 8, 0, 9, 4, 12, 4, 13);
        high = __builtin_shufflevector(lengths, v, 0, 10, 0, 11, 4, 14, 4, 15);
        memcpy(fields, &low, 32);
        memcpy(fields + 32, &high, 32);
    }
    tusk__swap4_plain.scatter(fields, in, n);
}

const tusk__swap4 tusk__swap4_avx2 = {copy, are_fields, gather, scatter};

#endif
