/* numeric to and from C's numbers; each way tells when it loses.
 * The digits themselves, and text: lib/codec/numeric.c. Nothing depends on the locale: see lib/codec/float.c.
 * Source: PostgreSQL docs, "Arbitrary Precision Numbers". */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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

static tusk_code would_lose(tusk_error *err, tusk_numeric_view n, const char *type_name)
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
        return would_lose(err, n, type_name);
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

/* ---- double ----------------------------------------------------------------------------------------------------------------------- */

/* No double, and no middle between two, has more significant figures: of more it is enough to know that they are not all 0. */
#define FIGURES_MAX 772

/* Significant figures, without zeros at either end, and the power of ten of the last one. */
typedef struct figures {
    char text[FIGURES_MAX + 32]; /* and room for the exponent */
    int n;
    int64_t power;
    bool is_cut; /* there are more of them */
} figures;

static void trim(figures *f)
{
    for (; f->n > 0 && f->text[f->n - 1] == '0'; f->n--)
        f->power++;
}

static void add_figure(figures *f, int figure)
{
    f->power--;
    if (f->n == 0 && figure == 0)
        return;
    if (f->n < FIGURES_MAX) {
        f->text[f->n++] = (char)('0' + figure);
    } else {
        f->power++;
        f->is_cut = f->is_cut || figure != 0;
    }
}

static void figures_of(tusk_numeric_view n, figures *f)
{
    f->n = 0;
    f->is_cut = false;
    f->power = 4 * ((int64_t)n.weight + 1);
    for (int i = 0; i < n.n_digits; i++) {
        int digit = tusk_numeric_digit(n, (uint16_t)i);

        add_figure(f, digit / 1000);
        add_figure(f, digit / 100 % 10);
        add_figure(f, digit / 10 % 10);
        add_figure(f, digit % 10);
    }
    trim(f);
}

/* All figures of a double: printf gives each of them, if it is asked for enough. The point is skipped, whatever the locale's is. */
static void figures_of_double(double real, figures *f)
{
    char text[FIGURES_MAX + 64];
    const char *e;

    snprintf(text, sizeof text, "%.*e", FIGURES_MAX, fabs(real));
    e = strchr(text, 'e');
    f->n = 0;
    f->is_cut = false;
    for (const char *p = text; p < e; p++)
        if (*p >= '0' && *p <= '9' && f->n < FIGURES_MAX)
            f->text[f->n++] = *p;
    f->power = strtol(e + 1, NULL, 10) - f->n + 1;
    trim(f);
}

static bool are_same(const figures *a, const figures *b)
{
    return !a->is_cut && a->n == b->n && a->power == b->power && memcmp(a->text, b->text, (size_t)a->n) == 0;
}

static double special_of(tusk_numeric_view n)
{
    if (tusk_numeric_is_nan(n))
        return (double)NAN;
    return n.sign == TUSK_NUMERIC_INFINITY ? (double)INFINITY : -(double)INFINITY;
}

tusk_code tusk_numeric_to_double(tusk_numeric_view n, double *out, bool *exact, tusk_error *err)
{
    bool is_exact = true;
    double real = 0;
    figures f, of_double;

    tusk__error_begin(err);
    if (!n.wire)
        return tusk__error_set(err, TUSK_ERR_NULL, NULL, "there is no number in the view");
    figures_of(n, &f);
    if (tusk_numeric_is_nan(n) || tusk_numeric_is_infinite(n)) {
        real = special_of(n);
    } else if (f.n > 0) {
        snprintf(f.text + f.n, sizeof f.text - (size_t)f.n, "%se%lld", f.is_cut ? "1" : "",
                 (long long)f.power - f.is_cut);
        real = strtod(f.text, NULL);
        if (isinf(real) || real == 0)
            return would_lose(err, n, "double");
        figures_of_double(real, &of_double);
        is_exact = are_same(&f, &of_double);
    }
    *out = n.sign == TUSK_NUMERIC_NEGATIVE && f.n > 0 ? -real : real;
    if (exact)
        *exact = is_exact;
    return TUSK_OK;
}

tusk_numeric_view tusk_numeric_from_double(double real, unsigned char buf[TUSK_NUMERIC_DOUBLE_SIZE])
{
    tusk_value value = tusk_float8(real);
    tusk_numeric_view n = {0};
    char text[64];
    size_t len = tusk__float8_print(&value, text, sizeof text);

    (void)tusk_numeric_from_text(tusk_str_from(text, len), buf, TUSK_NUMERIC_DOUBLE_SIZE, &n, NULL);
    return n;
}
