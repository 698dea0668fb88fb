/* numeric: in binary four Int16 (number of digits, weight, sign, decimals shown) and the digits of base 10000; in text decimal.
 * A value is its binary format, checked: a view. Text has to be turned into that, which needs room: tusk_numeric_from_text().
 * Conversions to C's numbers: lib/numeric.c.
 * Source: PostgreSQL docs, "Arbitrary Precision Numbers"; numeric_send, numeric_recv and set_var_from_str in
 * src/backend/utils/adt/numeric.c. */
#include <tusk/numeric.h>

#include "lib/codec/printer.h"

#define HEADER 8
#define DSCALE_MAX 0x3FFF
#define WEIGHT_MAX INT16_MAX
#define INFINITY_DSCALE 32 /* what numeric_send writes there */

/* ---- the binary format ----------------------------------------------------------------------------------------------------------- */

static bool is_special(uint16_t sign)
{
    return sign == TUSK_NUMERIC_NAN || sign == TUSK_NUMERIC_INFINITY || sign == TUSK_NUMERIC_MINUS_INFINITY;
}

/* How many of a digit's four decimals are not 0 at its end: 1200 has two. */
static int n_decimals(int digit)
{
    int n = 4;

    for (; n > 0 && digit % 10 == 0; n--)
        digit /= 10;
    return n;
}

/* No digit behind the decimals that are shown: the server cuts such off, and we would not show them (numeric_recv). */
static bool are_shown(tusk_numeric_view n)
{
    for (int i = n.n_digits - 1; i >= 0 && i > n.weight; i--) {
        int digit = tusk_numeric_digit(n, (uint16_t)i);

        if (digit != 0)
            return (i - n.weight - 1) * 4 + n_decimals(digit) <= n.dscale;
    }
    return true;
}

static bool has_good_digits(tusk_numeric_view n)
{
    for (int i = 0; i < n.n_digits; i++)
        if (tusk_numeric_digit(n, (uint16_t)i) > 9999)
            return false;
    return true;
}

static tusk_numeric_view view_of(tusk_str wire)
{
    const uint8_t *p = (const uint8_t *)wire.ptr;
    tusk_numeric_view n = {p, tusk__be16(p), (int16_t)tusk__be16(p + 2), tusk__be16(p + 4), tusk__be16(p + 6)};

    return n;
}

static tusk_code bad(tusk_error *err, const char *what)
{
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_BAD_BINARY, "numeric in binary %s", what);
}

tusk_code tusk__numeric_view_of(tusk_str wire, tusk_numeric_view *out, tusk_error *err)
{
    tusk_numeric_view n;

    if (wire.len < HEADER)
        return bad(err, "without its header");
    n = view_of(wire);
    if (wire.len != HEADER + 2 * (size_t)n.n_digits)
        return bad(err, "with more or fewer digits than it says");
    if (is_special(n.sign) ? n.n_digits != 0 : n.sign != TUSK_NUMERIC_POSITIVE && n.sign != TUSK_NUMERIC_NEGATIVE)
        return bad(err, "with a sign that is none");
    if (n.dscale > DSCALE_MAX)
        return bad(err, "with more than 16383 decimals");
    if (!has_good_digits(n))
        return bad(err, "with a digit above 9999");
    if (!are_shown(n))
        return bad(err, "with digits behind its last decimal");
    *out = n;
    return TUSK_OK;
}

tusk_code tusk__numeric_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    tusk_numeric_view n;

    TUSK_TRY(tusk__numeric_view_of(bytes, &n, err));
    out->kind = TUSK_KIND_WIRE;
    out->as.bytes = bytes;
    return TUSK_OK;
}

/* A view may be of the caller's making: checked again. */
tusk_code tusk__numeric_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    tusk_numeric_view n;

    TUSK_TRY(tusk__numeric_view_of(value->as.bytes, &n, err));
    tusk__write_bytes(b, value->as.bytes);
    return TUSK_OK;
}

tusk_numeric_view tusk__numeric_put(uint8_t *buf, uint16_t n_digits, int16_t weight, uint16_t sign, uint16_t dscale)
{
    tusk__put16(buf, n_digits);
    tusk__put16(buf + 2, (uint16_t)weight);
    tusk__put16(buf + 4, sign);
    tusk__put16(buf + 6, dscale);
    return view_of(tusk_str_from(buf, HEADER));
}

/* ---- to text ---------------------------------------------------------------------------------------------------------------------- */

/* The digit that counts 10000^exponent. */
static int digit_at(tusk_numeric_view n, int exponent)
{
    int i = n.weight - exponent;

    return i >= 0 && i < n.n_digits ? tusk_numeric_digit(n, (uint16_t)i) : 0;
}

/* Character k = 0…3 of a digit's four. */
static int figure(int digit, int k)
{
    static const int unit[] = {1000, 100, 10, 1};

    return digit / unit[k] % 10;
}

static void put_whole(tusk__printer *p, tusk_numeric_view n)
{
    bool begun = false;

    for (int exponent = n.weight; exponent >= 0; exponent--)
        for (int k = 0; k < 4; k++) {
            int c = figure(digit_at(n, exponent), k);

            begun = begun || c != 0;
            if (begun)
                tusk__print_char(p, (char)('0' + c));
        }
    if (!begun)
        tusk__print_char(p, '0');
}

static bool is_zero(tusk_numeric_view n)
{
    for (int i = 0; i < n.n_digits; i++)
        if (tusk_numeric_digit(n, (uint16_t)i) != 0)
            return false;
    return true;
}

size_t tusk_numeric_to_text(tusk_numeric_view n, char *buf, size_t size)
{
    tusk__printer p = tusk__printer_of(buf, size);

    if (!n.wire)
        return tusk__print_str((tusk_str){NULL, 0}, buf, size);
    if (tusk_numeric_is_nan(n))
        return tusk__print_str(tusk_str_of("NaN"), buf, size);
    if (tusk_numeric_is_infinite(n))
        return tusk__print_str(tusk_str_of(n.sign == TUSK_NUMERIC_INFINITY ? "Infinity" : "-Infinity"), buf, size);
    if (n.sign == TUSK_NUMERIC_NEGATIVE && !is_zero(n))
        tusk__print_char(&p, '-');
    put_whole(&p, n);
    if (n.dscale > 0)
        tusk__print_char(&p, '.');
    for (int i = 0; i < n.dscale; i++)
        tusk__print_char(&p, (char)('0' + figure(digit_at(n, -1 - i / 4), i % 4)));
    return tusk__print_end(&p);
}

size_t tusk__numeric_print(const tusk_value *value, char *buf, size_t size)
{
    return tusk_numeric_to_text(view_of(value->as.bytes), buf, size);
}

/* ---- from text -------------------------------------------------------------------------------------------------------------------- */

/* Where reading the exponent stops: no text has so many digits that it came back into the range. */
#define EXPONENT_READ_MAX INT64_C(1000000000000000)

/* The figures of a text: those before its point and those behind, and what they are multiplied by. */
typedef struct decimal {
    tusk_str whole, fraction;
    int64_t exponent;
    bool negative;
} decimal;

static tusk_str take_figures(tusk_str *text)
{
    tusk_str figures = tusk_str_from(text->ptr, 0);

    while (text->len > 0 && text->ptr[0] >= '0' && text->ptr[0] <= '9') {
        text->ptr++;
        text->len--;
        figures.len++;
    }
    return figures;
}

static bool take(tusk_str *text, char c)
{
    if (text->len == 0 || text->ptr[0] != c)
        return false;
    text->ptr++;
    text->len--;
    return true;
}

static bool take_sign(tusk_str *text)
{
    bool negative = take(text, '-');

    if (!negative)
        (void)take(text, '+');
    return negative;
}

static bool take_exponent(tusk_str *text, int64_t *exponent)
{
    bool negative;
    tusk_str figures;

    *exponent = 0;
    if (!take(text, 'e') && !take(text, 'E'))
        return true;
    negative = take_sign(text);
    figures = take_figures(text);
    for (size_t i = 0; i < figures.len && *exponent < EXPONENT_READ_MAX; i++)
        *exponent = *exponent * 10 + (figures.ptr[i] - '0');
    if (negative)
        *exponent = -*exponent;
    return figures.len > 0;
}

static bool take_decimal(tusk_str text, decimal *d)
{
    d->negative = take_sign(&text);
    d->whole = take_figures(&text);
    d->fraction = take(&text, '.') ? take_figures(&text) : tusk_str_from(text.ptr, 0);
    return d->whole.len + d->fraction.len > 0 && take_exponent(&text, &d->exponent) && text.len == 0;
}

static int figure_of(const decimal *d, size_t i)
{
    return (i < d->whole.len ? d->whole.ptr[i] : d->fraction.ptr[i - d->whole.len]) - '0';
}

/* Figure i counts 10^power. */
static int64_t power_of(const decimal *d, size_t i)
{
    return (int64_t)d->whole.len - 1 - (int64_t)i + d->exponent;
}

static tusk_code beyond_range(tusk_error *err, tusk_str text)
{
    char shown[48];

    tusk__error_copy(shown, sizeof shown, text);
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_OUT_OF_RANGE, "%s does not fit numeric", shown);
}

/* Adds up each digit from its figures first to last, which are not 0. */
static void put_digits(uint8_t *digits, const decimal *d, size_t first, size_t last, int64_t weight)
{
    static const int unit[] = {1, 10, 100, 1000};

    for (size_t i = first; i <= last; i++) {
        int64_t power = power_of(d, i), exponent = tusk__floor_div(power, 4);
        uint8_t *digit = digits + 2 * (weight - exponent);

        tusk__put16(digit, (uint16_t)(tusk__be16(digit) + figure_of(d, i) * unit[power - 4 * exponent]));
    }
}

static tusk_code write_decimal(tusk_str text, const decimal *d, uint8_t *buf, size_t size, tusk_numeric_view *out,
                               tusk_error *err)
{
    size_t n = d->whole.len + d->fraction.len, first = 0, last = n;
    int64_t dscale = (int64_t)d->fraction.len - d->exponent, weight = 0, n_digits = 0;

    while (first < n && figure_of(d, first) == 0)
        first++;
    while (last > first && figure_of(d, last - 1) == 0)
        last--;
    if (first < last) {
        weight = tusk__floor_div(power_of(d, first), 4);
        n_digits = weight - tusk__floor_div(power_of(d, last - 1), 4) + 1;
    }
    if (weight > WEIGHT_MAX || dscale > DSCALE_MAX)
        return beyond_range(err, text);
    if (size < HEADER + 2 * (size_t)n_digits)
        return tusk__too_small(err, HEADER + 2 * (size_t)n_digits, size);
    memset(buf, 0, HEADER + 2 * (size_t)n_digits);
    if (n_digits > 0)
        put_digits(buf + HEADER, d, first, last - 1, weight);
    *out = tusk__numeric_put(buf, (uint16_t)n_digits, (int16_t)weight,
                             d->negative && n_digits > 0 ? TUSK_NUMERIC_NEGATIVE : TUSK_NUMERIC_POSITIVE,
                             (uint16_t)(dscale > 0 ? dscale : 0));
    return TUSK_OK;
}

static uint16_t special_sign(tusk_str text)
{
    if (tusk_str_is(text, "NaN"))
        return TUSK_NUMERIC_NAN;
    if (tusk_str_is(text, "Infinity"))
        return TUSK_NUMERIC_INFINITY;
    return tusk_str_is(text, "-Infinity") ? TUSK_NUMERIC_MINUS_INFINITY : 0;
}

tusk_code tusk_numeric_from_text(tusk_str text, void *buf, size_t size, tusk_numeric_view *out, tusk_error *err)
{
    uint16_t sign = special_sign(text);
    decimal d;

    tusk__error_begin(err);
    if (sign != 0 && size < HEADER)
        return tusk__too_small(err, HEADER, size);
    if (sign != 0) {
        *out = tusk__numeric_put(buf, 0, 0, sign, sign == TUSK_NUMERIC_NAN ? 0 : INFINITY_DSCALE);
        return TUSK_OK;
    }
    if (!take_decimal(text, &d))
        return tusk__bad_text(err, "numeric", text);
    return write_decimal(text, &d, buf, size, out, err);
}

tusk_code tusk__numeric_read(tusk_str text, tusk__room room, tusk_value *out, tusk_error *err)
{
    tusk_numeric_view n;

    TUSK_TRY(tusk_numeric_from_text(text, room.ptr, room.size, &n, err));
    *out = tusk_numeric(n);
    return TUSK_OK;
}
