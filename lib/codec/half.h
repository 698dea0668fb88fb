/* IEEE 754 binary16 and binary32, bit by bit: no rounding mode of the processor's has a say.
 * Read first: lib/codec/vector.c. */
#ifndef TUSK_LIB_CODEC_HALF_H
#define TUSK_LIB_CODEC_HALF_H

#include <stdint.h>

#define TUSK__HALF_INFINITY 0x7C00u

/* The bits of a half as those of a float: each is one, exactly. */
uint32_t tusk__half_to_float(uint32_t half);

/* The nearest half, of two as near the even one; small ones become multiples of 2^-24, or 0. Infinity stays, a NaN is a quiet one. What is nearer to
 * 65536 than to 65504, the greatest half, is infinity, too. */
uint32_t tusk__half_of_float(uint32_t bits);

#endif
