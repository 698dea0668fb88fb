/* numeric to and from double: the nearest one, and whether it is the very number.
 * Nothing depends on the locale: see lib/codec/float.c. Integers: lib/numeric.c.
 * Source: PostgreSQL docs, "Arbitrary Precision Numbers". */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <tusk/numeric.h>

#include "lib/codec/types.h"

/* ---- the short way ------------------------------------------------------------------------------------------------------------------ */

/* What a double holds exactly: each integer up to 2^53, and the powers of ten up to 10^22. */
#define INTEGER_MOST ((uint64_t)1 << DBL_MANT_DIG)
#define POWER_MOST 22
static const double tens[POWER_MOST + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                            1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* integer * 10^power has nothing left of its fives below the point, or fits once its twos are taken out. */
static bool is_exact_product(uint64_t integer, int power)
{
    uint64_t fives = 1;

    for (int i = 0; i < abs(power); i++)
        fives *= 5;
    if (power < 0)
        return integer % fives == 0;
    while (integer > 0 && integer % 2 == 0)
        integer /= 2;
    return integer <= INTEGER_MOST / fives;
}

/* Most numbers are few digits and a small power: then the nearest double is one multiplication or division away, which rounds once. */
static bool short_way(tusk_numeric_view n, double *real, bool *exact)
{
    int power = n.n_digits == 0 ? 0 : 4 * (n.weight + 1 - n.n_digits);
    uint64_t integer = 0;

    if (FLT_EVAL_METHOD != 0 || abs(power) > POWER_MOST)
        return false;
    for (int i = 0; i < n.n_digits; i++) {
        uint64_t digit = (uint64_t)tusk_numeric_digit(n, (uint16_t)i);

        if (integer > (INTEGER_MOST - digit) / 10000)
            return false;
        integer = integer * 10000 + digit;
    }
    *real = power < 0 ? (double)integer / tens[-power] : (double)integer * tens[power];
    if (exact)
        *exact = is_exact_product(integer, power);
    return true;
}

/* ---- any number --------------------------------------------------------------------------------------------------------------------- */

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

/* The nearest double to all the figures; false: beyond its range. */
static bool long_way(tusk_numeric_view n, double *real, bool *exact)
{
    figures f, of_double;

    figures_of(n, &f);
    snprintf(f.text + f.n, sizeof f.text - (size_t)f.n, "%se%lld", f.is_cut ? "1" : "", (long long)f.power - f.is_cut);
    *real = strtod(f.text, NULL);
    if (isinf(*real) || *real == 0)
        return false;
    if (exact) {
        figures_of_double(*real, &of_double);
        *exact = are_same(&f, &of_double);
    }
    return true;
}

static bool is_special(tusk_numeric_view n)
{
    return tusk_numeric_is_nan(n) || tusk_numeric_is_infinite(n);
}

tusk_code tusk_numeric_to_double(tusk_numeric_view n, double *out, bool *exact, tusk_error *err)
{
    double real;

    tusk__error_begin(err);
    if (!n.wire)
        return tusk__error_set(err, TUSK_ERR_NULL, NULL, "there is no number in the view");
    if (is_special(n)) {
        real = special_of(n);
        if (exact)
            *exact = true;
    } else if (!short_way(n, &real, exact) && !long_way(n, &real, exact)) {
        return tusk__numeric_would_lose(err, n, "double");
    }
    *out = n.sign == TUSK_NUMERIC_NEGATIVE && real > 0 ? -real : real;
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
