/* interval: microseconds, days and months in binary; in text PostgreSQL's own style, which is printed, or ISO 8601.
 * The styles sql_standard and postgres_verbose are not read: nobody has them but who asked for them.
 * Source: PostgreSQL docs, "Interval Input", "Interval Output"; EncodeInterval in src/backend/utils/adt/datetime.c, interval_recv. */
#include <stdio.h>

#include "lib/codec/scan.h"

#define MONTHS_PER_YEAR 12
#define DAYS_PER_WEEK 7
#define US_PER_MINUTE (60 * TUSK__US_PER_SECOND)
#define US_PER_HOUR (60 * US_PER_MINUTE)

tusk_code tusk__interval_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    const uint8_t *p = (const uint8_t *)bytes.ptr;

    (void)err;
    out->kind = TUSK_KIND_INTERVAL;
    out->as.interval.us = (int64_t)tusk__be64(p);
    out->as.interval.days = (int32_t)tusk__be32(p + 8);
    out->as.interval.months = (int32_t)tusk__be32(p + 12);
    return TUSK_OK;
}

tusk_code tusk__interval_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    (void)err;
    tusk__write_u64(b, (uint64_t)value->as.interval.us);
    tusk__write_u32(b, (uint32_t)value->as.interval.days);
    tusk__write_u32(b, (uint32_t)value->as.interval.months);
    return TUSK_OK;
}

/* ---- reading text ------------------------------------------------------------------------------------------------------------------ */

/* Sums of what was read; in 64 bits, and narrowed at the end. is_over: something did not fit. */
typedef struct sums {
    int64_t months, days, us;
    bool is_over;
} sums;

static void add(sums *to, int64_t *sum, int64_t n, int64_t unit)
{
    int64_t product;

    if (__builtin_mul_overflow(n, unit, &product) || __builtin_add_overflow(*sum, product, sum))
        to->is_over = true;
}

/* An integer with or without a sign. *negative also of -0: of -0.5 the fraction needs it. More than 18 digits are beyond every unit. */
static bool take_integer(tusk__scan *s, int64_t *n, bool *negative, bool *is_over)
{
    const char *start;

    *negative = tusk__take(s, '-');
    if (!*negative)
        (void)tusk__take(s, '+');
    start = s->at;
    for (*n = 0; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++) {
        if (*n > INT64_C(99999999999999999))
            *is_over = true;
        else
            *n = *n * 10 + (*s->at - '0');
    }
    if (*negative)
        *n = -*n;
    return s->at > start;
}

/* [-]HHHH:MM:SS.ffffff, whose integer was read before its colon. */
static bool take_clock(tusk__scan *s, int64_t hours, bool negative, sums *to)
{
    int minutes, seconds, fraction, sign = negative ? -1 : 1;

    if (!tusk__take(s, ':') || !tusk__take_two(s, 60, &minutes) || !tusk__take(s, ':') ||
        !tusk__take_two(s, 60, &seconds) || !tusk__take_fraction(s, &fraction))
        return false;
    add(to, &to->us, hours, US_PER_HOUR);
    add(to, &to->us, sign * (minutes * US_PER_MINUTE + seconds * TUSK__US_PER_SECOND + fraction), 1);
    return s->at == s->end;
}

typedef enum place { BEFORE_YEARS, BEFORE_MONTHS, BEFORE_DAYS, BEFORE_TIME } place;

/* " years" and the like, in their order. */
static bool take_unit(tusk__scan *s, place *at, int64_t n, sums *to)
{
    if (*at <= BEFORE_YEARS && tusk__take_text(s, " year")) {
        add(to, &to->months, n, MONTHS_PER_YEAR);
        *at = BEFORE_MONTHS;
    } else if (*at <= BEFORE_MONTHS && tusk__take_text(s, " mon")) {
        add(to, &to->months, n, 1);
        *at = BEFORE_DAYS;
    } else if (*at <= BEFORE_DAYS && tusk__take_text(s, " day")) {
        add(to, &to->days, n, 1);
        *at = BEFORE_TIME;
    } else {
        return false;
    }
    (void)tusk__take(s, 's');
    return true;
}

static bool read_postgres(tusk__scan s, sums *to)
{
    place at = BEFORE_YEARS;
    int64_t n;
    bool negative;

    do {
        if (!take_integer(&s, &n, &negative, &to->is_over))
            return false;
        if (!take_unit(&s, &at, n, to))
            return take_clock(&s, n, negative, to);
    } while (tusk__take(&s, ' '));
    return s.at == s.end;
}

/* What stands in front of and behind the T, in order; only seconds have a fraction. */
typedef struct designator {
    char letter;
    bool is_time;
    enum { MONTHS, DAYS, MICROSECONDS } sum;
    int64_t unit;
} designator;

static const designator designators[] = {
    {'Y', false, MONTHS, MONTHS_PER_YEAR},
    {'M', false, MONTHS, 1},
    {'W', false, DAYS, DAYS_PER_WEEK},
    {'D', false, DAYS, 1},
    {'H', true, MICROSECONDS, US_PER_HOUR},
    {'M', true, MICROSECONDS, US_PER_MINUTE},
    {'S', true, MICROSECONDS, TUSK__US_PER_SECOND},
};
#define N_DESIGNATORS (sizeof designators / sizeof *designators)

static bool take_designator(tusk__scan *s, bool is_time, size_t *next, const designator **d)
{
    for (; *next < N_DESIGNATORS; ++*next) {
        *d = &designators[*next];
        if ((*d)->is_time == is_time && tusk__take(s, (*d)->letter)) {
            ++*next;
            return true;
        }
    }
    return false;
}

static bool read_iso8601(tusk__scan s, sums *to)
{
    int64_t *const sum_of[] = {&to->months, &to->days, &to->us};
    bool is_time = false, negative;
    size_t next = 0;

    do {
        const designator *d;
        int64_t n;
        int fraction;

        if (!is_time && tusk__take(&s, 'T'))
            is_time = true;
        if (!take_integer(&s, &n, &negative, &to->is_over) || !tusk__take_fraction(&s, &fraction) ||
            !take_designator(&s, is_time, &next, &d) || (fraction != 0 && d->letter != 'S'))
            return false;
        add(to, sum_of[d->sum], n, d->unit);
        add(to, &to->us, negative ? -fraction : fraction, 1);
    } while (s.at < s.end);
    return true;
}

static tusk_code beyond_range(tusk_error *err, tusk_str text)
{
    char shown[48];

    tusk__error_copy(shown, sizeof shown, text);
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_DATETIME, "%s is beyond the range of interval", shown);
}

tusk_code tusk__interval_read(tusk_str text, tusk_interval_parts *out, tusk_error *err)
{
    tusk__scan s = tusk__scan_of(text);
    sums to = {0};

    if (tusk_str_is(text, "infinity") || tusk_str_is(text, "-infinity")) {
        *out = text.ptr[0] == '-' ? tusk_interval_minus_infinity() : tusk_interval_infinity();
        return TUSK_OK;
    }
    if (!(tusk__take(&s, 'P') ? read_iso8601(s, &to) : read_postgres(s, &to)))
        return tusk__bad_text(err, "interval", text);
    if (to.is_over || to.months < INT32_MIN || to.months > INT32_MAX || to.days < INT32_MIN || to.days > INT32_MAX)
        return beyond_range(err, text);
    *out = (tusk_interval_parts){(int32_t)to.months, (int32_t)to.days, to.us};
    return TUSK_OK;
}

tusk_code tusk__interval_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    out->kind = TUSK_KIND_INTERVAL;
    return tusk__interval_read(text, &out->as.interval, err);
}

tusk_code tusk_interval_from_text(tusk_str text, tusk_interval_parts *out, tusk_error *err)
{
    tusk_interval_parts i;

    tusk__error_begin(err);
    TUSK_TRY(tusk__interval_read(text, &i, err));
    *out = i;
    return TUSK_OK;
}

/* ---- writing text ------------------------------------------------------------------------------------------------------------------ */

/* More than the widest takes: -178956970 years -8 mons -2147483648 days -2562047788:00:54.775808 */
#define TEXT_SIZE 128

typedef struct printer {
    char text[TEXT_SIZE];
    size_t len;
    bool is_before; /* the last number was negative: a positive one behind it shows its sign */
} printer;

static void put(printer *p, const char *text)
{
    p->len += tusk__print_str(tusk_str_of(text), p->text + p->len, sizeof p->text - p->len);
}

static uint64_t magnitude(int64_t n)
{
    return n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
}

static void put_unit(printer *p, int n, const char *unit)
{
    char part[40];

    if (n == 0)
        return;
    snprintf(part, sizeof part, "%s%s%d %s%s", p->len > 0 ? " " : "", p->is_before && n > 0 ? "+" : "", n, unit,
             n != 1 ? "s" : "");
    put(p, part);
    p->is_before = n < 0;
}

static void put_clock(printer *p, int64_t us)
{
    char clock[TUSK__CLOCK_SIZE];

    if (us == 0 && p->len > 0)
        return;
    if (p->len > 0)
        put(p, " ");
    put(p, us < 0 ? "-" : p->is_before ? "+" : "");
    tusk__clock_print(magnitude(us), clock, sizeof clock);
    put(p, clock);
}

static size_t print_infinity(tusk_interval_parts i, char *buf, size_t size)
{
    return tusk__print_str(tusk_str_of(i.us > 0 ? "infinity" : "-infinity"), buf, size);
}

size_t tusk_interval_to_text(tusk_interval_parts interval, char *buf, size_t size)
{
    printer p = {.len = 0};

    if (tusk__interval_is_infinite(interval))
        return print_infinity(interval, buf, size);
    put_unit(&p, interval.months / MONTHS_PER_YEAR, "year");
    put_unit(&p, interval.months % MONTHS_PER_YEAR, "mon");
    put_unit(&p, interval.days, "day");
    put_clock(&p, interval.us);
    return tusk__print_str(tusk_str_from(p.text, p.len), buf, size);
}

size_t tusk__interval_print(const tusk_value *value, char *buf, size_t size)
{
    return tusk_interval_to_text(value->as.interval, buf, size);
}

static void put_designated(printer *p, int64_t n, char letter)
{
    char part[32];

    if (n == 0)
        return;
    snprintf(part, sizeof part, "%lld%c", (long long)n, letter);
    put(p, part);
}

/* The seconds alone have a fraction: their text is the end of a clock's, 00:00:05.25, without its zero. */
static void put_seconds(printer *p, int64_t us)
{
    char clock[TUSK__CLOCK_SIZE];
    const char *seconds = clock + 6;

    if (us == 0)
        return;
    tusk__clock_print(magnitude(us), clock, sizeof clock);
    put(p, us < 0 ? "-" : "");
    put(p, seconds[0] == '0' ? seconds + 1 : seconds);
    put(p, "S");
}

size_t tusk_interval_to_iso8601(tusk_interval_parts interval, char *buf, size_t size)
{
    printer p = {.len = 0};

    if (tusk__interval_is_infinite(interval))
        return print_infinity(interval, buf, size);
    put(&p, "P");
    put_designated(&p, interval.months / MONTHS_PER_YEAR, 'Y');
    put_designated(&p, interval.months % MONTHS_PER_YEAR, 'M');
    put_designated(&p, interval.days, 'D');
    if (interval.us != 0)
        put(&p, "T");
    put_designated(&p, interval.us / US_PER_HOUR, 'H');
    put_designated(&p, interval.us % US_PER_HOUR / US_PER_MINUTE, 'M');
    put_seconds(&p, interval.us % US_PER_MINUTE);
    if (p.len == 1)
        put(&p, "T0S");
    return tusk__print_str(tusk_str_from(p.text, p.len), buf, size);
}
