/* numeric to and from C's integers, and units of a scale such as cents; each way tells when it loses.
 * The digits themselves, and text: lib/codec/numeric.c; double: lib/numeric_double.c.
 * Source: PostgreSQL docs, "Arbitrary Precision Numbers". */
#include <tusk/numeric.h>

#include <stdio.h>

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

static tusk_numeric_view from_magnitude(widest magnitude, bool negative, int scale, uint8_t *buf)
{
    static const unsigned tens[] = {1, 10, 100, 1000};
    int digits[DIGITS_MAX + 1], n = 0, n_zeros = 0, below = scale / 4, odd = scale % 4;

    if (odd > 0) { /* the last digit of base 10000 has so many decimals of the scale, and zeros behind them */
        digits[n++] = (int)((unsigned)(magnitude % tens[odd]) * tens[4 - odd]);
        magnitude /= tens[odd];
        below++;
    }
    for (; magnitude > 0; magnitude /= 10000)
        digits[n++] = (int)(magnitude % 10000);
    while (n > 0 && digits[n - 1] == 0)
        n--;
    while (n_zeros < n && digits[n_zeros] == 0)
        n_zeros++;
    for (int i = n - 1; i >= n_zeros; i--)
        tusk__put16(buf + 8 + 2 * (n - 1 - i), (uint16_t)digits[i]);
    return tusk__numeric_put(buf, (uint16_t)(n - n_zeros), (int16_t)(n > 0 ? n - 1 - below : 0),
                             negative ? TUSK_NUMERIC_NEGATIVE : TUSK_NUMERIC_POSITIVE, (uint16_t)scale);
}

static uint64_t magnitude_of(int64_t integer)
{
    return integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer;
}

static int64_t to_int64(widest magnitude, bool negative)
{
    return negative && magnitude > 0 ? -(int64_t)(magnitude - 1) - 1 : (int64_t)magnitude;
}

tusk_numeric_view tusk_numeric_from_int64(int64_t integer, unsigned char buf[TUSK_NUMERIC_INT_SIZE])
{
    return from_magnitude(magnitude_of(integer), integer < 0, 0, buf);
}

static unsigned digit_at(tusk_numeric_view n, int i)
{
    return i >= 0 && i < n.n_digits ? (unsigned)tusk_numeric_digit(n, (uint16_t)i) : 0;
}

static bool are_zero_from(tusk_numeric_view n, int i)
{
    for (i = i > 0 ? i : 0; i < n.n_digits; i++)
        if (tusk_numeric_digit(n, (uint16_t)i) != 0)
            return false;
    return true;
}

/* The number times 10^scale, without its sign; false if it is none, has a fraction, or is more than `most`. */
static bool to_magnitude(tusk_numeric_view n, int scale, widest most, widest *out)
{
    static const unsigned tens[] = {1, 10, 100, 1000, 10000};
    int last = n.weight + scale / 4, odd = scale % 4;
    unsigned part = odd ? digit_at(n, last + 1) : 0; /* of which the first decimals count */
    widest sum = 0;

    if (n.sign != TUSK_NUMERIC_POSITIVE && n.sign != TUSK_NUMERIC_NEGATIVE)
        return false;
    if (!are_zero_from(n, last + 1 + (odd > 0)) || part % tens[4 - odd] != 0)
        return false;
    for (int i = 0; i <= last && n.n_digits > 0; i++) {
        if (sum > (most - digit_at(n, i)) / 10000)
            return false;
        sum = sum * 10000 + digit_at(n, i);
    }
    part /= tens[4 - odd];
    if (part > most || sum > (most - part) / tens[odd])
        return false;
    *out = sum * tens[odd] + part;
    return true;
}

tusk_code tusk__numeric_would_lose(tusk_error *err, tusk_numeric_view n, const char *type_name)
{
    char text[64];
    size_t len = tusk_numeric_to_text(n, text, sizeof text);

    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_OUT_OF_RANGE, "%s%s does not fit %s without loss", text,
                           len >= sizeof text ? "\xE2\x80\xA6" : "", type_name);
}

static tusk_code to_signed(tusk_numeric_view n, int scale, widest max, const char *type_name, widest *out,
                           tusk_error *err)
{
    bool negative = n.sign == TUSK_NUMERIC_NEGATIVE;

    if (!n.wire)
        return tusk__error_set(err, TUSK_ERR_NULL, NULL, "there is no number in the view");
    if (!to_magnitude(n, scale, max + negative, out))
        return tusk__numeric_would_lose(err, n, type_name);
    return TUSK_OK;
}

tusk_code tusk_numeric_to_int64(tusk_numeric_view n, int64_t *out, tusk_error *err)
{
    widest magnitude = 0;

    tusk__error_begin(err);
    TUSK_TRY(to_signed(n, 0, INT64_MAX, "int64_t", &magnitude, err));
    *out = to_int64(magnitude, n.sign == TUSK_NUMERIC_NEGATIVE);
    return TUSK_OK;
}

/* ---- units of a scale ------------------------------------------------------------------------------------------------------------- */

static tusk_code check_scale(int scale, tusk_error *err)
{
    if (scale >= 0 && scale <= TUSK_NUMERIC_SCALE_MAX)
        return TUSK_OK;
    return tusk__error_set(err, TUSK_ERR_USAGE, NULL, "a scale of %d is not between 0 and %d", scale,
                           TUSK_NUMERIC_SCALE_MAX);
}

tusk_code tusk_numeric_to_scaled(tusk_numeric_view n, int scale, int64_t *out, tusk_error *err)
{
    widest magnitude = 0;
    char name[48];

    tusk__error_begin(err);
    TUSK_TRY(check_scale(scale, err));
    snprintf(name, sizeof name, "int64_t times 10^-%d", scale);
    TUSK_TRY(to_signed(n, scale, INT64_MAX, name, &magnitude, err));
    *out = to_int64(magnitude, n.sign == TUSK_NUMERIC_NEGATIVE);
    return TUSK_OK;
}

tusk_code tusk_numeric_from_scaled(int64_t units, int scale, unsigned char buf[TUSK_NUMERIC_INT_SIZE],
                                   tusk_numeric_view *out, tusk_error *err)
{
    tusk__error_begin(err);
    TUSK_TRY(check_scale(scale, err));
    *out = from_magnitude(magnitude_of(units), units < 0, scale, buf);
    return TUSK_OK;
}

#ifdef __SIZEOF_INT128__
tusk_numeric_view tusk_numeric_from_int128(tusk_int128 integer, unsigned char buf[TUSK_NUMERIC_INT_SIZE])
{
    widest magnitude = integer < 0 ? 0 - (widest)integer : (widest)integer;

    return from_magnitude(magnitude, integer < 0, 0, buf);
}

tusk_code tusk_numeric_to_int128(tusk_numeric_view n, tusk_int128 *out, tusk_error *err)
{
    widest magnitude = 0;

    tusk__error_begin(err);
    TUSK_TRY(to_signed(n, 0, ~(widest)0 >> 1, "a 128-bit integer", &magnitude, err));
    *out =
        n.sign == TUSK_NUMERIC_NEGATIVE && magnitude > 0 ? -(tusk_int128)(magnitude - 1) - 1 : (tusk_int128)magnitude;
    return TUSK_OK;
}
#endif
