/* Reading the text of a value from left to right. A step that does not find what it wants fails, and the text as a whole is refused then.
 * What dates, times and intervals have in common lies here; what a type's text is as a whole is known in its file.
 * Read first: lib/codec/datetime.c. */
#ifndef TUSK_LIB_CODEC_SCAN_H
#define TUSK_LIB_CODEC_SCAN_H

#include "lib/codec/types.h"

/* What is left of the text. */
typedef struct tusk__scan {
    const char *at, *end;
} tusk__scan;

static inline tusk__scan tusk__scan_of(tusk_str text)
{
    const char *start = text.ptr ? text.ptr : "";
    tusk__scan s = {start, start + text.len};

    return s;
}

static inline bool tusk__take(tusk__scan *s, char c)
{
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

static inline bool tusk__take_text(tusk__scan *s, const char *text)
{
    size_t len = strlen(text);

    if ((size_t)(s->end - s->at) < len || memcmp(s->at, text, len) != 0)
        return false;
    s->at += len;
    return true;
}

/* min to max digits, and no more of them behind. */
static inline bool tusk__take_number(tusk__scan *s, int min, int max, int *out)
{
    int n = 0, value = 0;

    for (; s->at < s->end && *s->at >= '0' && *s->at <= '9'; n++, s->at++) {
        if (n == max)
            return false;
        value = value * 10 + (*s->at - '0');
    }
    *out = value;
    return n >= min;
}

static inline bool tusk__take_two(tusk__scan *s, int limit, int *out)
{
    return tusk__take_number(s, 2, 2, out) && *out < limit;
}

/* .5 is 500000: up to six digits. */
static inline bool tusk__take_fraction(tusk__scan *s, int *us)
{
    const char *start;

    *us = 0;
    if (!tusk__take(s, '.'))
        return true;
    start = s->at;
    if (!tusk__take_number(s, 1, 6, us))
        return false;
    for (long n = s->at - start; n < 6; n++)
        *us *= 10;
    return true;
}

/* 23:59:59.999999 */
static inline bool tusk__take_time(tusk__scan *s, int64_t *us)
{
    int hour, minute, second, fraction;

    if (!tusk__take_two(s, 24, &hour) || !tusk__take(s, ':') || !tusk__take_two(s, 60, &minute) || !tusk__take(s, ':') ||
        !tusk__take_two(s, 60, &second) || !tusk__take_fraction(s, &fraction))
        return false;
    *us = ((hour * INT64_C(60) + minute) * 60 + second) * TUSK__US_PER_SECOND + fraction;
    return true;
}

/* +05, -03:30, +00:19:32; PostgreSQL's zones lie less than 16 hours from UTC. */
static inline bool tusk__take_offset(tusk__scan *s, int64_t *us)
{
    bool negative = s->at < s->end && *s->at == '-';
    int hour, minute = 0, second = 0;

    if (!tusk__take(s, '-') && !tusk__take(s, '+'))
        return false;
    if (!tusk__take_two(s, 16, &hour) || (tusk__take(s, ':') && !tusk__take_two(s, 60, &minute)) ||
        (tusk__take(s, ':') && !tusk__take_two(s, 60, &second)))
        return false;
    *us = ((hour * INT64_C(60) + minute) * 60 + second) * TUSK__US_PER_SECOND * (negative ? -1 : 1);
    return true;
}

#endif
