/* numeric: every digit, as a view of the digits of the wire, and the ways to text, to integers and to double and back.
 * No arithmetic. Nothing here allocates; what is made lies in the caller's memory.
 * Read first: docs/types.md, "numeric". */
#ifndef TUSK_NUMERIC_H
#define TUSK_NUMERIC_H

#include <stdbool.h>
#include <stdint.h>

#include <tusk/error.h>
#include <tusk/str.h>

#ifdef __cplusplus
extern "C" {
#endif

/** tusk_numeric_view.sign */
#define TUSK_NUMERIC_POSITIVE 0x0000
#define TUSK_NUMERIC_NEGATIVE 0x4000
#define TUSK_NUMERIC_NAN 0xC000
#define TUSK_NUMERIC_INFINITY 0xD000
#define TUSK_NUMERIC_MINUS_INFINITY 0xF000

/**
 * One numeric, checked. It borrows its bytes: those of a row as long as the row's, those that the functions below wrote as long as the
 * buffer they were given. The value is the sum of digit i (0…9999) times 10000^(weight − i); zero has no digits.
 */
typedef struct tusk_numeric_view {
    const unsigned char *wire; /* the binary format as a whole: 8 bytes and 2 for each digit; NULL: no number (SQL NULL) */
    uint16_t n_digits;
    int16_t weight;
    uint16_t sign;
    uint16_t dscale; /* decimals that are shown: 2 of 1.00 */
} tusk_numeric_view;

/** Digit i < n_digits of base 10000. */
static inline int tusk_numeric_digit(tusk_numeric_view n, uint16_t i)
{
    return n.wire[8 + 2 * i] << 8 | n.wire[9 + 2 * i];
}
static inline bool tusk_numeric_is_nan(tusk_numeric_view n) { return n.sign == TUSK_NUMERIC_NAN; }
/** Either infinity. */
static inline bool tusk_numeric_is_infinite(tusk_numeric_view n)
{
    return n.sign == TUSK_NUMERIC_INFINITY || n.sign == TUSK_NUMERIC_MINUS_INFINITY;
}

/** Bytes that a text of so many characters takes at most, if it has no exponent; and any integer, and any double. */
#define TUSK_NUMERIC_SIZE(text_len) (12 + (text_len) / 4 * 2)
#define TUSK_NUMERIC_INT_SIZE 32
#define TUSK_NUMERIC_DOUBLE_SIZE 32

/**
 * Read a number: 12, -0.50, .5, 1e-7, NaN, Infinity, -Infinity. All decimals that are written are kept, trailing zeros too.
 *
 * buf       gets the digits; *out points into it
 * Errors    TUSK_ERR_VALUE not such a text (22P02), beyond numeric's range: 131072 digits before the point, 16383 behind (22003)
 *           TUSK_ERR_LIMIT buf is too small: TUSK_NUMERIC_SIZE()
 */
tusk_code tusk_numeric_from_text(tusk_str text, void *buf, size_t size, tusk_numeric_view *out, tusk_error *err);
/** As PostgreSQL prints it, all digits and decimals, into buf: snprintf's contract. Of a view without a number nothing: "", and 0 for its length. */
size_t tusk_numeric_to_text(tusk_numeric_view n, char *buf, size_t size);

tusk_numeric_view tusk_numeric_from_int64(int64_t integer, unsigned char buf[TUSK_NUMERIC_INT_SIZE]);
/**
 * TUSK_ERR_VALUE (22003) if anything would be lost: a fraction that is not 0, a number beyond the type, NaN, the infinities. *out is
 * untouched then. TUSK_ERR_NULL: the view holds no number.
 */
tusk_code tusk_numeric_to_int64(tusk_numeric_view n, int64_t *out, tusk_error *err);

#ifdef __SIZEOF_INT128__
/** Where the compiler has it. */
__extension__ typedef __int128 tusk_int128;
tusk_numeric_view tusk_numeric_from_int128(tusk_int128 integer, unsigned char buf[TUSK_NUMERIC_INT_SIZE]);
/** As tusk_numeric_to_int64(). */
tusk_code tusk_numeric_to_int128(tusk_numeric_view n, tusk_int128 *out, tusk_error *err);
#endif

/**
 * A number as so many units of 10^-scale: with a scale of 2, cents: 123450 of 1234.5. Decimals beyond the scale are a loss, unless they are 0.
 *
 * scale     0 to TUSK_NUMERIC_SCALE_MAX
 * Errors    as tusk_numeric_to_int64() · TUSK_ERR_USAGE another scale
 */
tusk_code tusk_numeric_to_scaled(tusk_numeric_view n, int scale, int64_t *out, tusk_error *err);
/**
 * The way back: 123450 of a scale of 2 is 1234.50, with as many decimals as the scale has, for a column numeric(p,2).
 * Errors    TUSK_ERR_USAGE another scale
 */
tusk_code tusk_numeric_from_scaled(int64_t units, int scale, unsigned char buf[TUSK_NUMERIC_INT_SIZE], tusk_numeric_view *out,
                                   tusk_error *err);
/** Decimals that a numeric can have. */
#define TUSK_NUMERIC_SCALE_MAX 16383

/** The shortest decimal that reads back as the same double, as PostgreSQL prints a float8. NaN and the infinities are themselves. */
tusk_numeric_view tusk_numeric_from_double(double real, unsigned char buf[TUSK_NUMERIC_DOUBLE_SIZE]);
/**
 * The nearest double. NaN and the infinities are themselves.
 *
 * exact     whether it is the very same number; may be NULL
 * Errors    TUSK_ERR_VALUE (22003) beyond double's range, or so small that nothing but 0 is left
 */
tusk_code tusk_numeric_to_double(tusk_numeric_view n, double *out, bool *exact, tusk_error *err);

#ifdef __cplusplus
}
#endif

#endif
