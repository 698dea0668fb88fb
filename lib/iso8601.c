/* Timestamps as struct tm and as ISO 8601, both ways. PostgreSQL's own text is in lib/codec/datetime.c.
 * Everything is UTC or in no zone; years are counted astronomically: 0 is 1 BC.
 * Source: RFC 3339; ISO 8601-1:2019, 5.2.2.3 (expanded years). */
#include <stdio.h>

#include <tusk/value.h>

#include "lib/codec/scan.h"

static tusk_code refuse(tusk_error *err, const char *why)
{
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_DATETIME, "%s", why);
}

static bool is_infinite(int64_t us)
{
    return us == TUSK_TIMESTAMP_INFINITY || us == TUSK_TIMESTAMP_MINUS_INFINITY;
}

/* ---- struct tm ---------------------------------------------------------------------------------------------------------------------- */

#define SATURDAY 6 /* 2000-01-01 */

static int64_t new_year(int64_t year)
{
    tusk__ymd first = {year, 1, 1};
    int64_t days = 0;

    (void)tusk__ymd_to_days(first, &days);
    return days;
}

tusk_code tusk_timestamp_to_tm(int64_t timestamp, struct tm *out, int32_t *us, tusk_error *err)
{
    int64_t days = tusk__floor_div(timestamp, TUSK__US_PER_DAY), rest, seconds;
    tusk__ymd ymd;

    tusk__error_begin(err);
    if (is_infinite(timestamp))
        return refuse(err, "an infinite timestamp has no struct tm");
    rest = timestamp - days * TUSK__US_PER_DAY;
    seconds = rest / TUSK__US_PER_SECOND;
    ymd = tusk__ymd_from_days(days);
    memset(out, 0, sizeof *out);
    out->tm_year = (int)(ymd.year - 1900);
    out->tm_mon = ymd.month - 1;
    out->tm_mday = ymd.day;
    out->tm_hour = (int)(seconds / 3600);
    out->tm_min = (int)(seconds / 60 % 60);
    out->tm_sec = (int)(seconds % 60);
    out->tm_wday = (int)(days + SATURDAY - 7 * tusk__floor_div(days + SATURDAY, 7));
    out->tm_yday = (int)(days - new_year(ymd.year));
    *us = (int32_t)(rest % TUSK__US_PER_SECOND);
    return TUSK_OK;
}

tusk_code tusk_timestamp_from_tm(const struct tm *tm, int32_t us, int64_t *out, tusk_error *err)
{
    tusk__ymd ymd = {tm->tm_year + INT64_C(1900), 0, tm->tm_mday};
    int64_t days, seconds;

    tusk__error_begin(err);
    if (tm->tm_hour < 0 || tm->tm_hour > 23 || tm->tm_min < 0 || tm->tm_min > 59 || tm->tm_sec < 0 || tm->tm_sec > 59 ||
        us < 0 || us > 999999)
        return refuse(err, "a struct tm with an hour, minute, second or microsecond that is none");
    if (tm->tm_mon >= 0 && tm->tm_mon < 12)
        ymd.month = tm->tm_mon + 1;
    if (!tusk__ymd_to_days(ymd, &days))
        return refuse(err, "a struct tm whose day does not exist");
    seconds = (tm->tm_hour * INT64_C(60) + tm->tm_min) * 60 + tm->tm_sec;
    if (!tusk__timestamp_join(days, seconds * TUSK__US_PER_SECOND + us, out))
        return refuse(err, "a struct tm beyond the range of timestamp");
    return TUSK_OK;
}

/* ---- ISO 8601, out ---------------------------------------------------------------------------------------------------------------- */

static size_t print(int64_t us, const char *zone, char *buf, size_t size)
{
    int64_t days = tusk__floor_div(us, TUSK__US_PER_DAY);
    tusk__ymd ymd;
    char text[TUSK_ISO8601_SIZE], clock[TUSK__CLOCK_SIZE];

    if (is_infinite(us))
        return tusk__print_str(tusk_str_of(us > 0 ? "infinity" : "-infinity"), buf, size);
    ymd = tusk__ymd_from_days(days);
    tusk__clock_print((uint64_t)(us - days * TUSK__US_PER_DAY), clock, sizeof clock);
    snprintf(text, sizeof text, "%s%04lld-%02d-%02dT%s%s",
             ymd.year < 0      ? "-"
             : ymd.year > 9999 ? "+"
                               : "",
             (long long)(ymd.year < 0 ? -ymd.year : ymd.year), ymd.month, ymd.day, clock, zone);
    return tusk__print_str(tusk_str_of(text), buf, size);
}

size_t tusk_timestamptz_to_iso8601(int64_t timestamptz, char *buf, size_t size)
{
    return print(timestamptz, "Z", buf, size);
}

size_t tusk_timestamp_to_iso8601(int64_t timestamp, char *buf, size_t size)
{
    return print(timestamp, "", buf, size);
}

/* ---- ISO 8601, in ----------------------------------------------------------------------------------------------------------------- */

/* Four digits, or a sign and four or more; -0000 is nothing. */
static bool take_year(tusk__scan *s, int64_t *year)
{
    bool negative = tusk__take(s, '-'), is_expanded = negative || tusk__take(s, '+');
    int n;

    if (!tusk__take_number(s, 4, is_expanded ? 7 : 4, &n) || (negative && n == 0))
        return false;
    *year = negative ? -n : n;
    return true;
}

static bool take_date(tusk__scan *s, int64_t *days)
{
    tusk__ymd ymd;

    return take_year(s, &ymd.year) && tusk__take(s, '-') && tusk__take_number(s, 2, 2, &ymd.month) &&
           tusk__take(s, '-') && tusk__take_number(s, 2, 2, &ymd.day) && tusk__ymd_to_days(ymd, days);
}

static bool take_zone(tusk__scan *s, int64_t *offset)
{
    *offset = 0;
    return tusk__take(s, 'Z') || tusk__take(s, 'z') || tusk__take_offset(s, offset);
}

static tusk_code read(tusk_str text, bool has_zone, int64_t *out, tusk_error *err)
{
    const char *type_name = has_zone ? "timestamptz in ISO 8601" : "timestamp in ISO 8601";
    tusk__scan s = tusk__scan_of(text);
    int64_t days, us, offset = 0;

    tusk__error_begin(err);
    if (tusk_str_is(text, "infinity") || tusk_str_is(text, "-infinity")) {
        *out = text.ptr[0] == '-' ? TUSK_TIMESTAMP_MINUS_INFINITY : TUSK_TIMESTAMP_INFINITY;
        return TUSK_OK;
    }
    if (!take_date(&s, &days) || !(tusk__take(&s, 'T') || tusk__take(&s, 't') || tusk__take(&s, ' ')) ||
        !tusk__take_time(&s, &us) || (has_zone && !take_zone(&s, &offset)) || s.at != s.end)
        return tusk__bad_text(err, type_name, text);
    if (!tusk__timestamp_join(days, us - offset, out))
        return refuse(err, "a time in ISO 8601 that is beyond the range of timestamp");
    return TUSK_OK;
}

tusk_code tusk_timestamptz_from_iso8601(tusk_str text, int64_t *out, tusk_error *err)
{
    return read(text, true, out, err);
}

tusk_code tusk_timestamp_from_iso8601(tusk_str text, int64_t *out, tusk_error *err)
{
    return read(text, false, out, err);
}
