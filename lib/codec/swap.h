/* Many numbers at once between the wire's order of bytes and the machine's: side by side, as in a vector, or each behind its length word, as in
 * an array. Plainly, and as wide as the processor can: both do the same.
 * Lengths are the caller's: n numbers are there, both ways, and the two places do not overlap.
 * Read first: docs/internals/codecs.md, "Numbers at once". */
#ifndef TUSK_LIB_CODEC_SWAP_H
#define TUSK_LIB_CODEC_SWAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Four bytes each. An array's element is its length, four, and four bytes. */
typedef struct tusk__swap4 {
    void (*copy)(void *to, const void *from, size_t n);             /* side by side */
    bool (*are_fields)(const uint8_t *fields, size_t n);            /* is each length four? */
    bool (*gather)(void *to, const uint8_t *fields, size_t n);      /* … and what they hold; false: *to is undefined */
    void (*scatter)(uint8_t *fields, const void *from, size_t n);
} tusk__swap4;

extern const tusk__swap4 tusk__swap4_plain;
/* The best that this processor has. */
const tusk__swap4 *tusk__swap4_best(void);

#if defined(__x86_64__) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define TUSK__HAVE_AVX2 1
extern const tusk__swap4 tusk__swap4_avx2;
#endif
#endif

/* Has each of n fields that fill n * (4 + width) bytes that width? Then they are uniform: none is NULL. */
bool tusk__fields_are_uniform(const uint8_t *fields, size_t n, size_t width);

#endif
