/* time and timetz: microseconds since midnight, and for timetz the zone in seconds west of UTC, which is seconds east in C; in text as
 * PostgreSQL writes them. 24:00:00 is a value of its own.
 * Source: PostgreSQL docs, "Date/Time Types"; time_recv and timetz_recv in src/backend/utils/adt/date.c. */
#include <stdio.h>

#include "lib/codec/scan.h"

/* PostgreSQL docs, "PostgreSQL Error Codes": invalid_time_zone_displacement_value */
#define STATE_DISPLACEMENT "22009"

static tusk_code beyond_midnight(tusk_error *err, int64_t us, const char *type_name)
{
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_DATETIME,
                           "%lld is beyond the range of %s: 0 to 86400000000", (long long)us, type_name);
}

static bool take_clock(tusk__scan *s, int64_t *us)
{
    if (tusk__take_text(s, "24:00:00")) {
        *us = TUSK__US_PER_DAY;
        return true;
    }
    return tusk__take_time(s, us);
}

/* ---- time -------------------------------------------------------------------------------------------------------------------------- */

tusk_code tusk__time_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    int64_t us = (int64_t)tusk__be64((const uint8_t *)bytes.ptr);

    if (!tusk__time_is_valid(us))
        return beyond_midnight(err, us, "time");
    out->kind = TUSK_KIND_INT;
    out->as.integer = us;
    return TUSK_OK;
}

tusk_code tusk__time_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    tusk__scan s = tusk__scan_of(text);
    int64_t us;

    if (!take_clock(&s, &us) || s.at != s.end)
        return tusk__bad_text(err, "time", text);
    out->kind = TUSK_KIND_INT;
    out->as.integer = us;
    return TUSK_OK;
}

tusk_code tusk__time_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    if (!tusk__time_is_valid(value->as.integer))
        return beyond_midnight(err, value->as.integer, "time");
    tusk__write_u64(b, (uint64_t)value->as.integer);
    return TUSK_OK;
}

size_t tusk__time_print(const tusk_value *value, char *buf, size_t size)
{
    char text[TUSK__CLOCK_SIZE];

    tusk__clock_print((uint64_t)value->as.integer, text, sizeof text);
    return tusk__print_str(tusk_str_of(text), buf, size);
}

/* ---- timetz ------------------------------------------------------------------------------------------------------------------------ */

static tusk_code check_timetz(tusk_timetz_parts timetz, tusk_error *err)
{
    if (!tusk__time_is_valid(timetz.us))
        return beyond_midnight(err, timetz.us, "timetz");
    if (!tusk__offset_is_valid(timetz.offset))
        return tusk__error_set(err, TUSK_ERR_VALUE, STATE_DISPLACEMENT,
                               "timetz with an offset of 16 hours or more: %d s", (int)timetz.offset);
    return TUSK_OK;
}

/* The lowest Int32 has no opposite, and is no offset. */
tusk_code tusk__timetz_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    const uint8_t *p = (const uint8_t *)bytes.ptr;
    int32_t west = (int32_t)tusk__be32(p + 8);
    tusk_timetz_parts timetz = {(int64_t)tusk__be64(p), west == INT32_MIN ? INT32_MAX : -west};

    TUSK_TRY(check_timetz(timetz, err));
    out->kind = TUSK_KIND_TIMETZ;
    out->as.timetz = timetz;
    return TUSK_OK;
}

tusk_code tusk__timetz_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    tusk__scan s = tusk__scan_of(text);
    int64_t us, offset;

    if (!take_clock(&s, &us) || !tusk__take_offset(&s, &offset) || s.at != s.end)
        return tusk__bad_text(err, "timetz", text);
    out->kind = TUSK_KIND_TIMETZ;
    out->as.timetz = (tusk_timetz_parts){us, (int32_t)(offset / TUSK__US_PER_SECOND)};
    return TUSK_OK;
}

tusk_code tusk__timetz_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    tusk_timetz_parts timetz = value->as.timetz;

    TUSK_TRY(check_timetz(timetz, err));
    tusk__write_u64(b, (uint64_t)timetz.us);
    tusk__write_u32(b, (uint32_t)-timetz.offset);
    return TUSK_OK;
}

/* +05, -03:30, +00:19:32 */
static void print_offset(int32_t offset, char *buf, size_t size)
{
    int32_t s = offset < 0 ? -offset : offset;
    int n = snprintf(buf, size, "%c%02d", offset < 0 ? '-' : '+', (int)(s / 3600));

    if (s % 3600 != 0)
        n += snprintf(buf + n, size - (size_t)n, ":%02d", (int)(s / 60 % 60));
    if (s % 60 != 0)
        snprintf(buf + n, size - (size_t)n, ":%02d", (int)(s % 60));
}

size_t tusk__timetz_print(const tusk_value *value, char *buf, size_t size)
{
    char text[2 * TUSK__CLOCK_SIZE];
    size_t n = tusk__clock_print((uint64_t)value->as.timetz.us, text, sizeof text);

    print_offset(value->as.timetz.offset, text + n, sizeof text - n);
    return tusk__print_str(tusk_str_of(text), buf, size);
}
