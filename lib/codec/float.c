/* float4 and float8: IEEE 754 in binary; in text the shortest digits that read back as the same number, as PostgreSQL 12 and
 * later print them (extra_float_digits = 1).
 * Nothing here depends on the locale: strtod() is given digits and an exponent, never a decimal point, and of what snprintf()
 * writes only the digits are taken.
 * Source: PostgreSQL docs, "Floating-Point Types"; src/common/d2s.c and f2s.c for the choice among shortest digits. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/codec/types.h"

/* What the two types differ in. A float4 is held as the double of the same value. */
typedef struct tusk__float_type {
    const char *name;
    double (*nearest)(const char *text);
    double least_normal;
    int sure_digits;   /* so many digits always survive: decimal → binary → decimal (DBL_DIG) */
    int enough_digits; /* so many tell any two values apart */
} tusk__float_type;

static double nearest_float4(const char *text)
{
    return (double)strtof(text, NULL);
}

static double nearest_float8(const char *text)
{
    return strtod(text, NULL);
}

static const tusk__float_type float4_type = {"float4", nearest_float4, (double)FLT_MIN, FLT_DIG, 9};
static const tusk__float_type float8_type = {"float8", nearest_float8, DBL_MIN, DBL_DIG, 17};

static tusk_code decoded(double real, tusk_value *out)
{
    out->kind = TUSK_KIND_FLOAT;
    out->as.real = real;
    return TUSK_OK;
}

/* ---- from text --------------------------------------------------------------------------------------------------------------------- */

/* The exact value of a double, and of the middle between two, has at most 768 significant digits. More than that only tell on
 * which side of a middle a number lies, and one digit that is not 0 tells it as well. */
#define DIGITS_MAX 800
/* Beyond it every number of so many digits is 0 or infinite. */
#define EXPONENT_MAX 100000
/* Where reading the exponent's digits stops: far more than a text has bytes, so that no fraction brings it back. */
#define EXPONENT_READ_MAX INT64_C(1000000000000000)

typedef struct decimal {
    char digits[DIGITS_MAX + 24]; /* and room for the exponent */
    size_t n;
    int64_t exponent; /* value = digits × 10^exponent */
    bool is_zero;
} decimal;

static void add_digit(decimal *d, char digit)
{
    d->is_zero = d->is_zero && digit == '0';
    if (d->n > 0 && d->n < DIGITS_MAX)
        d->digits[d->n++] = digit;
    else if (d->n == 0 && digit != '0')
        d->digits[d->n++] = digit;
    else if (d->n == DIGITS_MAX) {
        d->exponent++;
        if (digit != '0')
            d->digits[DIGITS_MAX - 1] = '1';
    }
}

/* Digits from *at; returns how many there were. */
static size_t take_digits(tusk_str text, size_t *at, decimal *d)
{
    size_t start = *at;

    while (*at < text.len && text.ptr[*at] >= '0' && text.ptr[*at] <= '9')
        add_digit(d, text.ptr[(*at)++]);
    return *at - start;
}

/* e+12, to the end of the text. */
static bool take_exponent(tusk_str text, size_t at, decimal *d)
{
    bool negative;
    int64_t e = 0;

    if (at == text.len)
        return true;
    if (text.ptr[at] != 'e' && text.ptr[at] != 'E')
        return false;
    at++;
    negative = at < text.len && text.ptr[at] == '-';
    at += at < text.len && (text.ptr[at] == '-' || text.ptr[at] == '+');
    if (at == text.len)
        return false;
    for (; at < text.len; at++) {
        if (text.ptr[at] < '0' || text.ptr[at] > '9')
            return false;
        e = e < EXPONENT_READ_MAX ? e * 10 + (text.ptr[at] - '0') : e;
    }
    d->exponent += negative ? -e : e;
    return true;
}

/* 123, 123.45, .5, 1e-7: without the sign. */
static bool take_decimal(tusk_str text, decimal *d)
{
    size_t at = 0, n_whole, n_fraction = 0;

    d->n = 0;
    d->exponent = 0;
    d->is_zero = true;
    n_whole = take_digits(text, &at, d);
    if (at < text.len && text.ptr[at] == '.') {
        at++;
        n_fraction = take_digits(text, &at, d);
    }
    d->exponent -= (int64_t)n_fraction;
    return n_whole + n_fraction > 0 && take_exponent(text, at, d);
}

static tusk_code parse_finite(const tusk__float_type *type, tusk_str text, tusk_value *out, tusk_error *err)
{
    bool negative = text.len > 0 && text.ptr[0] == '-';
    decimal d;
    double real = 0;

    if (!take_decimal(tusk_str_from(text.ptr + negative, text.len - negative), &d))
        return tusk__bad_text(err, type->name, text);
    if (!d.is_zero) {
        if (d.exponent > EXPONENT_MAX || d.exponent < -EXPONENT_MAX)
            d.exponent = d.exponent > 0 ? EXPONENT_MAX : -EXPONENT_MAX;
        snprintf(d.digits + d.n, sizeof d.digits - d.n, "e%d", (int)d.exponent);
        real = type->nearest(d.digits);
        if (real == 0 || isinf(real))
            return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_OUT_OF_RANGE, "%.*s%s does not fit %s",
                                   text.len > 40 ? 40 : (int)text.len, text.ptr, text.len > 40 ? "\xE2\x80\xA6" : "",
                                   type->name);
    }
    return decoded(negative ? -real : real, out);
}

static tusk_code parse_float(const tusk__float_type *type, tusk_str text, tusk_value *out, tusk_error *err)
{
    if (text.len == 0)
        return tusk__bad_text(err, type->name, text);
    if (tusk_str_is(text, "NaN"))
        return decoded((double)NAN, out);
    if (tusk_str_is(text, "Infinity"))
        return decoded((double)INFINITY, out);
    if (tusk_str_is(text, "-Infinity"))
        return decoded(-(double)INFINITY, out);
    return parse_finite(type, text, out, err);
}

/* ---- to text ----------------------------------------------------------------------------------------------------------------------- */

typedef struct shortest {
    char digits[40]; /* an integer, NUL-terminated: long enough for the widest %e there is */
    int n;
    int exponent; /* of the first digit: d.ddd × 10^exponent */
} shortest;

/* The n digits nearest to real, which is finite and above 0. snprintf writes d?ddde±dd, where ? is the locale's point. */
static void nearest_digits(double real, int n, shortest *s)
{
    char text[64];
    const char *p = text;

    snprintf(text, sizeof text, "%.*e", n - 1, real);
    s->n = 0;
    for (; *p != 'e'; p++)
        if (*p >= '0' && *p <= '9')
            s->digits[s->n++] = *p;
    s->digits[s->n] = '\0';
    s->exponent = (int)strtol(p + 1, NULL, 10);
}

/* Does `digits`, a hair more or less, still read as real? */
static bool reads_as(const tusk__float_type *type, const shortest *s, long long digits, const char *hair, double real)
{
    char text[128];

    snprintf(text, sizeof text, "%lld%se%d", digits, hair, s->exponent - s->n + 1 - (int)strlen(hair));
    return type->nearest(text) == real;
}

/* Is s strictly inside the interval of the numbers that read as real? Its ends, the middles to the neighbours, do not count,
 * although reading them rounds to even and may give real: PostgreSQL does not rely on that. A middle has too few digits to lie
 * within one part in 10^50 of a number of 17 digits without being that number, so that reading s a hair above and a hair below
 * decides it exactly. */
static bool is_inside(const tusk__float_type *type, const shortest *s, double real)
{
    static const char above[] = "00000000000000000000000000000000000000000000000001";
    static const char below[] = "99999999999999999999999999999999999999999999999999";
    long long digits = strtoll(s->digits, NULL, 10);

    return reads_as(type, s, digits, above, real) && reads_as(type, s, digits - 1, below, real);
}

/* Below a power of two the neighbour is only half as far away as above it. So the nearest number of n digits may be outside
 * below while the next one above is inside. */
static bool next_is_inside(const tusk__float_type *type, shortest *s, double real)
{
    int exponent, n = s->n;

    if (frexp(real, &exponent) != 0.5)
        return false;
    s->n = snprintf(s->digits, sizeof s->digits, "%lld", strtoll(s->digits, NULL, 10) + 1);
    s->exponent += s->n - n; /* 999 + 1 has a digit more */
    return is_inside(type, s, real);
}

static void find_shortest(const tusk__float_type *type, double real, shortest *s)
{
    /* if fewer digits do, then these end in zeros; numbers below the least normal one have less precision */
    int n = real < type->least_normal ? 1 : type->sure_digits;

    for (; n < type->enough_digits; n++) {
        nearest_digits(real, n, s);
        if (is_inside(type, s, real) || next_is_inside(type, s, real))
            break;
    }
    if (n == type->enough_digits)
        nearest_digits(real, n, s);
    while (s->n > 1 && s->digits[s->n - 1] == '0')
        s->n--;
}

/* 1.5e-07: at least two digits of exponent. */
static int put_scientific(const shortest *s, char *text, size_t size)
{
    return snprintf(text, size, "%c%s%.*se%c%02d", s->digits[0], s->n > 1 ? "." : "", s->n - 1, s->digits + 1,
                    s->exponent < 0 ? '-' : '+', abs(s->exponent));
}

static int put_fixed(const shortest *s, char *text, size_t size)
{
    static const char zeros[] = "00000000000000000000";
    int n_whole = s->exponent + 1;

    if (n_whole <= 0)
        return snprintf(text, size, "0.%.*s%.*s", -n_whole, zeros, s->n, s->digits);
    if (n_whole >= s->n)
        return snprintf(text, size, "%.*s%.*s", s->n, s->digits, n_whole - s->n, zeros);
    return snprintf(text, size, "%.*s.%.*s", n_whole, s->digits, s->n - n_whole, s->digits + n_whole);
}

/* From 10^-4 on, and below 10^15 (float8) or 10^6 (float4), without an exponent. */
static void print_finite(const tusk__float_type *type, double real, char *text, size_t size)
{
    shortest s;

    if (real == 0) {
        snprintf(text, size, "0");
        return;
    }
    find_shortest(type, real, &s);
    if (s.exponent < -4 || s.exponent >= type->sure_digits)
        put_scientific(&s, text, size);
    else
        put_fixed(&s, text, size);
}

static size_t print_float(const tusk__float_type *type, double real, char *buf, size_t size)
{
    char text[64] = "-";
    bool negative = signbit(real);

    if (isnan(real))
        return tusk__print_str(tusk_str_of("NaN"), buf, size);
    if (isinf(real))
        return tusk__print_str(tusk_str_of(negative ? "-Infinity" : "Infinity"), buf, size);
    print_finite(type, fabs(real), text + negative, sizeof text - negative);
    return tusk__print_str(tusk_str_of(text), buf, size);
}

/* ---- float4 ------------------------------------------------------------------------------------------------------------------------ */

tusk_code tusk__float4_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    uint32_t bits = tusk__be32((const uint8_t *)bytes.ptr);
    float real;

    (void)err;
    memcpy(&real, &bits, sizeof real);
    return decoded((double)real, out);
}

tusk_code tusk__float4_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    return parse_float(&float4_type, text, out, err);
}

/* Is it a float4's value? Not asked by a conversion to float: out of range that is undefined. */
bool tusk__fits_float4(double real)
{
    return isnan(real) || isinf(real) || (fabs(real) <= (double)FLT_MAX && (double)(float)real == real);
}

tusk_code tusk__float4_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    float real;
    uint32_t bits;

    if (!tusk__fits_float4(value->as.real))
        return tusk__float_does_not_fit(err, value->as.real);
    real = (float)value->as.real;
    memcpy(&bits, &real, sizeof bits);
    tusk__write_u32(b, bits);
    return TUSK_OK;
}

size_t tusk__float4_print(const tusk_value *value, char *buf, size_t size)
{
    return print_float(&float4_type, value->as.real, buf, size);
}

/* ---- float8 ------------------------------------------------------------------------------------------------------------------------ */

tusk_code tusk__float8_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    uint64_t bits = tusk__be64((const uint8_t *)bytes.ptr);
    double real;

    (void)err;
    memcpy(&real, &bits, sizeof real);
    return decoded(real, out);
}

tusk_code tusk__float8_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    return parse_float(&float8_type, text, out, err);
}

tusk_code tusk__float8_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    uint64_t bits;

    (void)err;
    memcpy(&bits, &value->as.real, sizeof bits);
    tusk__write_u64(b, bits);
    return TUSK_OK;
}

size_t tusk__float8_print(const tusk_value *value, char *buf, size_t size)
{
    return print_float(&float8_type, value->as.real, buf, size);
}

tusk_code tusk__float_does_not_fit(tusk_error *err, double real)
{
    char text[64];

    print_float(&float8_type, real, text, sizeof text);
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_OUT_OF_RANGE, "%s does not fit float4 without loss", text);
}
