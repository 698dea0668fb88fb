/* Halves: 1 bit of sign, 5 of exponent (bias 15), 10 of fraction; floats: 1, 8 (bias 127), 23.
 * Source: IEEE 754-2019, clauses 3.4 and 4.3.1.
 * Read first: lib/codec/half.h. */
#include "lib/codec/half.h"

#include <string.h>

#define FRACTION_BITS 13                  /* that a float has more */
#define BIAS (UINT32_C(112) << 23)        /* what a float's exponent is greater by */
#define LEAST_NORMAL UINT32_C(0x38800000) /* 2^-14, as a float */
#define INFINITE UINT32_C(0x7F800000)
#define QUIET_NAN 0x7E00u

/* fraction * 2^-24 */
static uint32_t small_half(uint32_t fraction)
{
    float real = (float)fraction * 0x1p-24F;
    uint32_t bits;

    memcpy(&bits, &real, sizeof bits);
    return bits;
}

uint32_t tusk__half_to_float(uint32_t half)
{
    uint32_t sign = (half & 0x8000) << 16, magnitude = half & 0x7FFF;

    if (magnitude >= TUSK__HALF_INFINITY)
        return sign | INFINITE | (magnitude & 0x3FF) << FRACTION_BITS;
    if (magnitude < 0x400)
        return sign | small_half(magnitude);
    return sign | ((magnitude << FRACTION_BITS) + BIAS);
}

/* n / 2^shift, of two as near the even one. */
static uint32_t rounded(uint32_t n, uint32_t shift)
{
    uint32_t half = UINT32_C(1) << (shift - 1), is_odd = n >> shift & 1;

    return (n + half - 1 + is_odd) >> shift;
}

uint32_t tusk__half_of_float(uint32_t bits)
{
    uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7FFFFFFF, exponent = magnitude >> 23, half;

    if (magnitude > INFINITE)
        return sign | QUIET_NAN;
    if (magnitude >= LEAST_NORMAL) {
        half = rounded(magnitude - BIAS, FRACTION_BITS);
        return sign | (half < TUSK__HALF_INFINITY ? half : TUSK__HALF_INFINITY);
    }
    if (exponent < 102) /* below half of 2^-24 */
        return sign;
    return sign | rounded((magnitude & 0x7FFFFF) | 0x800000, 126 - exponent);
}
