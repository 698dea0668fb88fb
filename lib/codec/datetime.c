/* date, timestamp and timestamptz: days or microseconds from 2000-01-01 in binary; ISO 8601 as PostgreSQL writes it in text
 * (DateStyle ISO, the default; the order of day and month does not matter there).
 * timestamptz is printed in UTC, since the session's time zone is not known here; every offset is read.
 * Source: PostgreSQL docs, "Date/Time Types", "Date/Time Output". */
#include <stdio.h>

#include "lib/codec/scan.h"

static tusk_code decoded(int64_t n, tusk_value *out)
{
    out->kind = TUSK_KIND_INT;
    out->as.integer = n;
    return TUSK_OK;
}

static tusk_code beyond_range(tusk_error *err, int64_t n, const char *type_name)
{
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_DATETIME, "%lld is beyond the range of %s", (long long)n,
                           type_name);
}

static tusk_code text_beyond_range(tusk_error *err, tusk_str text, const char *type_name)
{
    char shown[48];

    tusk__error_copy(shown, sizeof shown, text);
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_DATETIME, "%s is beyond the range of %s", shown, type_name);
}

/* ---- reading text ------------------------------------------------------------------------------------------------------------------ */

/* 2024-02-29; the year is that of the era. date reaches 5874897. */
static bool take_ymd(tusk__scan *s, tusk__ymd *ymd)
{
    int year;

    if (!tusk__take_number(s, 4, 7, &year) || year == 0 || !tusk__take(s, '-') ||
        !tusk__take_number(s, 2, 2, &ymd->month) || !tusk__take(s, '-') || !tusk__take_number(s, 2, 2, &ymd->day))
        return false;
    ymd->year = year;
    return true;
}

/* The era comes last of all. 1 BC is the year 0. */
static bool take_end(tusk__scan *s, tusk__ymd *ymd)
{
    if (tusk__take_text(s, " BC"))
        ymd->year = 1 - ymd->year;
    return s->at == s->end;
}

static bool is_infinite(tusk_str text, bool *negative)
{
    *negative = tusk_str_is(text, "-infinity");
    return *negative || tusk_str_is(text, "infinity");
}

/* ---- writing text ------------------------------------------------------------------------------------------------------------------ */

#define TEXT_SIZE 80

/* Appends to a NUL-terminated text in TEXT_SIZE bytes, which is more than the widest timestamp needs. */
static void append(char text[TEXT_SIZE], const char *more)
{
    size_t len = strlen(text);

    tusk__print_str(tusk_str_of(more), text + len, TEXT_SIZE - len);
}

static const char *put_ymd(char text[TEXT_SIZE], int64_t days)
{
    tusk__ymd ymd = tusk__ymd_from_days(days);

    snprintf(text, TEXT_SIZE, "%04lld-%02d-%02d", (long long)(ymd.year > 0 ? ymd.year : 1 - ymd.year), ymd.month,
             ymd.day);
    return ymd.year > 0 ? "" : " BC";
}

static void append_time(char text[TEXT_SIZE], int64_t us)
{
    int64_t seconds = us / TUSK__US_PER_SECOND;
    int fraction = (int)(us % TUSK__US_PER_SECOND), n_digits = 6;
    char time[32];

    snprintf(time, sizeof time, " %02d:%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60),
             (int)(seconds % 60));
    append(text, time);
    if (fraction == 0)
        return;
    for (; fraction % 10 == 0; n_digits--)
        fraction /= 10;
    snprintf(time, sizeof time, ".%0*d", n_digits, fraction);
    append(text, time);
}

static size_t print_timestamp(int64_t us, const char *zone, char *buf, size_t size)
{
    int64_t days = tusk__floor_div(us, TUSK__US_PER_DAY);
    char text[TEXT_SIZE];
    const char *era;

    if (us == TUSK_TIMESTAMP_INFINITY || us == TUSK_TIMESTAMP_MINUS_INFINITY)
        return tusk__print_str(tusk_str_of(us > 0 ? "infinity" : "-infinity"), buf, size);
    era = put_ymd(text, days);
    append_time(text, us - days * TUSK__US_PER_DAY);
    append(text, zone);
    append(text, era);
    return tusk__print_str(tusk_str_of(text), buf, size);
}

/* ---- date -------------------------------------------------------------------------------------------------------------------------- */

tusk_code tusk__date_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    int32_t days = (int32_t)tusk__be32((const uint8_t *)bytes.ptr);

    return tusk__date_is_valid(days) ? decoded(days, out) : beyond_range(err, days, "date");
}

tusk_code tusk__date_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    tusk__scan s = tusk__scan_of(text);
    tusk__ymd ymd;
    int64_t days;
    bool negative;

    if (is_infinite(text, &negative))
        return decoded(negative ? TUSK_DATE_MINUS_INFINITY : TUSK_DATE_INFINITY, out);
    if (!take_ymd(&s, &ymd) || !take_end(&s, &ymd) || !tusk__ymd_to_days(ymd, &days))
        return tusk__bad_text(err, "date", text);
    return days >= TUSK__DATE_MIN && days < TUSK__DATE_END ? decoded(days, out) : text_beyond_range(err, text, "date");
}

tusk_code tusk__date_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    if (!tusk__date_is_valid(value->as.integer))
        return beyond_range(err, value->as.integer, "date");
    tusk__write_u32(b, (uint32_t)value->as.integer);
    return TUSK_OK;
}

size_t tusk__date_print(const tusk_value *value, char *buf, size_t size)
{
    char text[TEXT_SIZE];
    int64_t days = value->as.integer;

    if (days == TUSK_DATE_INFINITY || days == TUSK_DATE_MINUS_INFINITY)
        return tusk__print_str(tusk_str_of(days > 0 ? "infinity" : "-infinity"), buf, size);
    append(text, put_ymd(text, days));
    return tusk__print_str(tusk_str_of(text), buf, size);
}

/* ---- timestamp and timestamptz ----------------------------------------------------------------------------------------------------- */

static tusk_code decode_timestamp(tusk_str bytes, const char *type_name, tusk_value *out, tusk_error *err)
{
    int64_t us = (int64_t)tusk__be64((const uint8_t *)bytes.ptr);

    return tusk__timestamp_is_valid(us) ? decoded(us, out) : beyond_range(err, us, type_name);
}

/* The year's seven digits cannot overflow: 10^7 years are 3·10^20 µs, so days are looked at first. */
static tusk_code parse_timestamp(tusk_str text, bool has_zone, const char *type_name, tusk_value *out, tusk_error *err)
{
    tusk__scan s = tusk__scan_of(text);
    tusk__ymd ymd;
    int64_t days, us, offset = 0;
    bool negative;

    if (is_infinite(text, &negative))
        return decoded(negative ? TUSK_TIMESTAMP_MINUS_INFINITY : TUSK_TIMESTAMP_INFINITY, out);
    if (!take_ymd(&s, &ymd) || !tusk__take(&s, ' ') || !tusk__take_time(&s, &us) ||
        (has_zone && !tusk__take_offset(&s, &offset)) || !take_end(&s, &ymd) || !tusk__ymd_to_days(ymd, &days))
        return tusk__bad_text(err, type_name, text);
    if (days < TUSK__TIMESTAMP_MIN / TUSK__US_PER_DAY - 1 || days > TUSK__TIMESTAMP_END / TUSK__US_PER_DAY)
        return text_beyond_range(err, text, type_name);
    us += days * TUSK__US_PER_DAY - offset;
    if (us < TUSK__TIMESTAMP_MIN || us >= TUSK__TIMESTAMP_END)
        return text_beyond_range(err, text, type_name);
    return decoded(us, out);
}

static tusk_code encode_timestamp(tusk__writer *b, int64_t us, const char *type_name, tusk_error *err)
{
    if (!tusk__timestamp_is_valid(us))
        return beyond_range(err, us, type_name);
    tusk__write_u64(b, (uint64_t)us);
    return TUSK_OK;
}

tusk_code tusk__timestamp_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    return decode_timestamp(bytes, "timestamp", out, err);
}

tusk_code tusk__timestamp_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    return parse_timestamp(text, false, "timestamp", out, err);
}

tusk_code tusk__timestamp_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    return encode_timestamp(b, value->as.integer, "timestamp", err);
}

size_t tusk__timestamp_print(const tusk_value *value, char *buf, size_t size)
{
    return print_timestamp(value->as.integer, "", buf, size);
}

tusk_code tusk__timestamptz_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    return decode_timestamp(bytes, "timestamptz", out, err);
}

tusk_code tusk__timestamptz_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    return parse_timestamp(text, true, "timestamptz", out, err);
}

tusk_code tusk__timestamptz_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    return encode_timestamp(b, value->as.integer, "timestamptz", err);
}

size_t tusk__timestamptz_print(const tusk_value *value, char *buf, size_t size)
{
    return print_timestamp(value->as.integer, "+00", buf, size);
}
