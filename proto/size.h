/* Sums and products of sizes that cannot wrap (D5). Whoever adds to a length that came from elsewhere does it here.
 * It allocates nothing and reports nothing: false means "does not fit".
 * Read first: reliability D5; proto/bounds.h. */
#ifndef TUSK_PROTO_SIZE_H
#define TUSK_PROTO_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tusk/str.h>

/* *sum = a + b; false, and *sum unspecified, if that is more than a size_t holds. */
TUSK_MUST_CHECK
static inline bool tusk__size_add(size_t a, size_t b, size_t *sum)
{
    return !__builtin_add_overflow(a, b, sum);
}

/* *product = a * b; false, and *product unspecified, if that is more than a size_t holds. */
TUSK_MUST_CHECK
static inline bool tusk__size_mul(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

/* Rounded up, for memory that is kept for a next use that may want a little more. */
static inline size_t tusk__size_roomy(size_t size)
{
    return size <= SIZE_MAX - 255 ? (size + 255) & ~(size_t)255 : size;
}

#endif
