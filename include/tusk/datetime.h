/* Dates, times and intervals: the structs of what one integer does not hold, and the ways to C's time and to ISO 8601 and back.
 * No time zone but UTC, no arithmetic, no clock. Nothing here allocates.
 * Read first: docs/types.md, "date". */
#ifndef TUSK_DATETIME_H
#define TUSK_DATETIME_H

#include <stdint.h>
#include <time.h>

#include <tusk/error.h>
#include <tusk/str.h>

#ifdef __cplusplus
extern "C" {
#endif

/** date: days since 2000-01-01; the type's infinities. */
#define TUSK_DATE_INFINITY INT32_MAX
#define TUSK_DATE_MINUS_INFINITY INT32_MIN
/** timestamp and timestamptz: microseconds since 2000-01-01 00:00 (UTC); the types' infinities. */
#define TUSK_TIMESTAMP_INFINITY INT64_MAX
#define TUSK_TIMESTAMP_MINUS_INFINITY INT64_MIN

/** timetz: a reading of a clock, and where it hangs. */
typedef struct tusk_timetz_parts {
    int64_t us;     /* since midnight there, 0 to 86400000000 (24:00:00) */
    int32_t offset; /* seconds east of UTC, less than 16 hours either way: 7200 is +02 (the wire counts them west) */
} tusk_timetz_parts;

/** interval: three numbers that are none of each other's; each has a sign of its own. */
typedef struct tusk_interval_parts {
    int32_t months, days;
    int64_t us;
} tusk_interval_parts;

/** The infinities of PostgreSQL 17: all three at their ends. To an older server they are intervals like any other. */
static inline tusk_interval_parts tusk_interval_infinity(void)
{
    tusk_interval_parts i = {INT32_MAX, INT32_MAX, INT64_MAX};
    return i;
}
static inline tusk_interval_parts tusk_interval_minus_infinity(void)
{
    tusk_interval_parts i = {INT32_MIN, INT32_MIN, INT64_MIN};
    return i;
}

/** Proleptic Gregorian calendar, year 0 is 1 BC. TUSK_ERR_VALUE: no such day, or beyond date's range (4713 BC … 5874897). */
tusk_code tusk_date_from_ymd(int year, int month, int day, int32_t *out, tusk_error *err);
/** TUSK_ERR_VALUE for the infinities. */
tusk_code tusk_date_to_ymd(int32_t date, int *year, int *month, int *day, tusk_error *err);
/** struct timespec counts from 1970-01-01 UTC. Nanoseconds below a microsecond are cut off towards the past. */
tusk_code tusk_timestamptz_from_timespec(struct timespec ts, int64_t *out, tusk_error *err);
tusk_code tusk_timestamptz_to_timespec(int64_t timestamptz, struct timespec *out, tusk_error *err);


/** A timestamp, or a timestamptz in UTC, as a struct tm and the microseconds of its second; tm_isdst is 0. TUSK_ERR_VALUE for the infinities. */
tusk_code tusk_timestamp_to_tm(int64_t timestamp, struct tm *out, int32_t *us, tusk_error *err);
/** The same back. tm_wday, tm_yday and tm_isdst are not looked at. TUSK_ERR_VALUE: a field beyond its range (nothing is carried), no such
 * day, or beyond timestamp's range. */
tusk_code tusk_timestamp_from_tm(const struct tm *tm, int32_t us, int64_t *out, tusk_error *err);

/** What the longest text of the functions below takes, with its NUL. */
#define TUSK_ISO8601_SIZE 96

/**
 * ISO 8601, as RFC 3339 narrows it: 2024-02-29T12:34:56.5Z. A year beyond 9999 or before 0 has a sign (+10000, -0043), and 0000 is 1 BC.
 * The infinities, which the standard has not, are infinity and -infinity. snprintf's contract.
 */
size_t tusk_timestamptz_to_iso8601(int64_t timestamptz, char *buf, size_t size);
/** The same without a zone: 2024-02-29T12:34:56.5 */
size_t tusk_timestamp_to_iso8601(int64_t timestamp, char *buf, size_t size);

/**
 * Read what the functions above write, and any offset: 2024-02-29T12:34:56+01:00. One without an offset is refused as timestamptz, one with
 * an offset as timestamp. A space or a small t instead of T, a small z, +01 and +0100 are taken, as are up to 6 decimals.
 * Errors    TUSK_ERR_VALUE not such a text (22P02), beyond the range (22008)
 */
tusk_code tusk_timestamptz_from_iso8601(tusk_str text, int64_t *out, tusk_error *err);
tusk_code tusk_timestamp_from_iso8601(tusk_str text, int64_t *out, tusk_error *err);

/** As PostgreSQL prints it with IntervalStyle postgres, the default: 1 year 2 mons -3 days 04:05:06.7. snprintf's contract. */
size_t tusk_interval_to_text(tusk_interval_parts interval, char *buf, size_t size);
/** As it does with IntervalStyle iso_8601: P1Y2M-3DT4H5M6.7S. snprintf's contract. */
size_t tusk_interval_to_iso8601(tusk_interval_parts interval, char *buf, size_t size);
/**
 * Read either of the two; of ISO 8601 also weeks (P2W).
 * Errors    TUSK_ERR_VALUE not such a text (22P02), beyond the range (22008)
 */
tusk_code tusk_interval_from_text(tusk_str text, tusk_interval_parts *out, tusk_error *err);

#ifdef __cplusplus
}
#endif

#endif
