/* bit and varbit: strings of bits, as a view of the wire, and the ways to text and bytes and back.
 * Nothing here allocates; what is made lies in the caller's memory.
 * Read first: docs/types.md, "bit, varbit". */
#ifndef TUSK_BITS_H
#define TUSK_BITS_H

#include <stdbool.h>
#include <stdint.h>

#include <tusk/error.h>
#include <tusk/str.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * One string of bits, checked. It borrows its bytes: those of a row as long as the row's, those that the functions below wrote as long as
 * the buffer they were given.
 */
typedef struct tusk_bits_view {
    const unsigned char *wire; /* the binary format as a whole: 4 bytes and those of the bits; NULL: none (SQL NULL) */
    uint32_t n_bits;
} tusk_bits_view;

/** The first bit is the highest of the first byte; those of the last byte that are none of the string are 0. */
static inline const unsigned char *tusk_bits_bytes(tusk_bits_view bits) { return bits.wire ? bits.wire + 4 : NULL; }
/** Bit i < n_bits, counted from the left as text shows them. */
static inline bool tusk_bits_at(tusk_bits_view bits, uint32_t i) { return bits.wire[4 + i / 8] >> (7 - i % 8) & 1; }

/** Bytes that so many bits take. */
#define TUSK_BITS_SIZE(n_bits) (4 + ((size_t)(n_bits) + 7) / 8)
#define TUSK_BITS_MAX 2147483640u

/**
 * Read 0s and 1s.
 *
 * buf       gets the bits; *out points into it
 * Errors    TUSK_ERR_VALUE not such a text (22P02), more than TUSK_BITS_MAX (22003)
 *           TUSK_ERR_LIMIT buf is too small: TUSK_BITS_SIZE()
 */
tusk_code tusk_bits_from_text(tusk_str text, void *buf, size_t size, tusk_bits_view *out, tusk_error *err);
/** The first n_bits of bytes, from the highest of the first one on. Errors as above. */
tusk_code tusk_bits_from_bytes(const void *bytes, uint32_t n_bits, void *buf, size_t size, tusk_bits_view *out, tusk_error *err);
/** snprintf's contract. */
size_t tusk_bits_to_text(tusk_bits_view bits, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif
