/* numeric to and from C's integers; each way tells when it loses.
 * The digits themselves, and text: lib/codec/numeric.c; double: lib/numeric_double.c.
 * Source: PostgreSQL docs, "Arbitrary Precision Numbers". */
#include <tusk/numeric.h>

#include "lib/codec/types.h"

/* ---- integers --------------------------------------------------------------------------------------------------------------------- */

/* The widest that there is, and the digits of base 10000 that it has at most. */
#ifdef __SIZEOF_INT128__
__extension__ typedef unsigned __int128 widest;
#define DIGITS_MAX 10
#else
typedef uint64_t widest;
#define DIGITS_MAX 5
#endif

static tusk_numeric_view from_magnitude(widest magnitude, bool negative, uint8_t *buf)
{
    int digits[DIGITS_MAX], n = 0, n_zeros = 0;

    for (; magnitude > 0; magnitude /= 10000)
        digits[n++] = (int)(magnitude % 10000);
    while (n_zeros < n && digits[n_zeros] == 0)
        n_zeros++;
    for (int i = n - 1; i >= n_zeros; i--)
        tusk__put16(buf + 8 + 2 * (n - 1 - i), (uint16_t)digits[i]);
    return tusk__numeric_put(buf, (uint16_t)(n - n_zeros), (int16_t)(n > 0 ? n - 1 : 0),
                             negative ? TUSK_NUMERIC_NEGATIVE : TUSK_NUMERIC_POSITIVE, 0);
}

tusk_numeric_view tusk_numeric_from_int64(int64_t integer, unsigned char buf[TUSK_NUMERIC_INT_SIZE])
{
    uint64_t magnitude = integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;

    return from_magnitude(magnitude, integer < 0, buf);
}

/* The number without its sign; false if it is none, has a fraction, or is more than `most`. */
static bool to_magnitude(tusk_numeric_view n, widest most, widest *out)
{
    widest sum = 0;

    if (n.sign != TUSK_NUMERIC_POSITIVE && n.sign != TUSK_NUMERIC_NEGATIVE)
        return false;
    for (int i = n.weight + 1 > 0 ? n.weight + 1 : 0; i < n.n_digits; i++)
        if (tusk_numeric_digit(n, (uint16_t)i) != 0)
            return false;
    for (int i = 0; i <= n.weight; i++) {
        unsigned digit = i < n.n_digits ? (unsigned)tusk_numeric_digit(n, (uint16_t)i) : 0;

        if (sum > (most - digit) / 10000)
            return false;
        sum = sum * 10000 + digit;
        if (n.n_digits == 0)
            break;
    }
    *out = sum;
    return true;
}

tusk_code tusk__numeric_would_lose(tusk_error *err, tusk_numeric_view n, const char *type_name)
{
    char text[64];
    size_t len = tusk_numeric_to_text(n, text, sizeof text);

    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_OUT_OF_RANGE, "%s%s does not fit %s without loss", text,
                           len >= sizeof text ? "\xE2\x80\xA6" : "", type_name);
}

static tusk_code to_signed(tusk_numeric_view n, widest max, const char *type_name, widest *out, tusk_error *err)
{
    bool negative = n.sign == TUSK_NUMERIC_NEGATIVE;

    tusk__error_begin(err);
    if (!n.wire)
        return tusk__error_set(err, TUSK_ERR_NULL, NULL, "there is no number in the view");
    if (!to_magnitude(n, max + negative, out))
        return tusk__numeric_would_lose(err, n, type_name);
    return TUSK_OK;
}

tusk_code tusk_numeric_to_int64(tusk_numeric_view n, int64_t *out, tusk_error *err)
{
    widest magnitude = 0;

    TUSK_TRY(to_signed(n, INT64_MAX, "int64_t", &magnitude, err));
    *out = n.sign == TUSK_NUMERIC_NEGATIVE && magnitude > 0 ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
    return TUSK_OK;
}

#ifdef __SIZEOF_INT128__
tusk_numeric_view tusk_numeric_from_int128(tusk_int128 integer, unsigned char buf[TUSK_NUMERIC_INT_SIZE])
{
    widest magnitude = integer < 0 ? 0 - (widest)integer : (widest)integer;

    return from_magnitude(magnitude, integer < 0, buf);
}

tusk_code tusk_numeric_to_int128(tusk_numeric_view n, tusk_int128 *out, tusk_error *err)
{
    widest magnitude = 0;

    TUSK_TRY(to_signed(n, ~(widest)0 >> 1, "a 128-bit integer", &magnitude, err));
    *out =
        n.sign == TUSK_NUMERIC_NEGATIVE && magnitude > 0 ? -(tusk_int128)(magnitude - 1) - 1 : (tusk_int128)magnitude;
    return TUSK_OK;
}
#endif
