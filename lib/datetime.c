/* The calendar, and the public helpers between PostgreSQL's dates and C's.
 * Text is not here: lib/codec/datetime.c. No time zone either: everything is UTC.
 * Source: PostgreSQL docs, "Date/Time Types" and Appendix B. */
#include <tusk/row.h>

#include "lib/codec/types.h"

/* ---- the proleptic Gregorian calendar ---------------------------------------------------------------------------------------------- */

/* Years are counted from March here, so that the leap day is the last of its year and centuries repeat exactly. */
#define DAYS_PER_400_YEARS 146097
#define DAYS_PER_100_YEARS 36524
#define DAYS_PER_4_YEARS 1461
#define DAYS_PER_YEAR 365
#define MARCH_1_OF_YEAR_0 (-730425) /* in days from 2000-01-01 */

/* Days before each month of a year that begins in March. */
static const int days_before[] = {0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337};

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

bool tusk__ymd_to_days(tusk__ymd ymd, int64_t *days)
{
    int month;
    int64_t year;

    if (ymd.month < 1 || ymd.month > 12 || ymd.day < 1 || ymd.day > days_of_month(ymd.year, ymd.month))
        return false;
    month = (ymd.month + 9) % 12;
    year = ymd.year - (ymd.month < 3);
    *days = MARCH_1_OF_YEAR_0 + year * DAYS_PER_YEAR + tusk__floor_div(year, 4) - tusk__floor_div(year, 100) +
            tusk__floor_div(year, 400) + days_before[month] + ymd.day - 1;
    return true;
}

/* Take as many whole units out of *days as there are, but at most `most`: the last unit may be a day longer. */
static int64_t take_units(int64_t *days, int64_t unit, int64_t most)
{
    int64_t n = *days / unit;

    if (n > most)
        n = most;
    *days -= n * unit;
    return n;
}

tusk__ymd tusk__ymd_from_days(int64_t days)
{
    int64_t since = days - MARCH_1_OF_YEAR_0;
    int64_t year = 400 * tusk__floor_div(since, DAYS_PER_400_YEARS);
    int month = 11;
    tusk__ymd ymd;

    since -= year / 400 * DAYS_PER_400_YEARS;
    year += 100 * take_units(&since, DAYS_PER_100_YEARS, 3);
    year += 4 * take_units(&since, DAYS_PER_4_YEARS, 24);
    year += take_units(&since, DAYS_PER_YEAR, 3);
    while (days_before[month] > since)
        month--;
    ymd.year = year + (month >= 10);
    ymd.month = (month + 2) % 12 + 1;
    ymd.day = (int)since - days_before[month] + 1;
    return ymd;
}

/* ---- public ------------------------------------------------------------------------------------------------------------------------ */

tusk_code tusk_date_from_ymd(int year, int month, int day, int32_t *out, tusk_error *err)
{
    tusk__ymd ymd = {year, month, day};
    int64_t days;

    tusk__error_begin(err);
    if (!tusk__ymd_to_days(ymd, &days))
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_DATETIME, "there is no day %d-%02d-%02d", year, month,
                               day);
    if (days < TUSK__DATE_MIN || days >= TUSK__DATE_END)
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_DATETIME, "%d-%02d-%02d is beyond the range of date",
                               year, month, day);
    *out = (int32_t)days;
    return TUSK_OK;
}

tusk_code tusk_date_to_ymd(int32_t date, int *year, int *month, int *day, tusk_error *err)
{
    tusk__ymd ymd;

    tusk__error_begin(err);
    if (date == TUSK_DATE_INFINITY || date == TUSK_DATE_MINUS_INFINITY)
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_DATETIME, "an infinite date has no year");
    ymd = tusk__ymd_from_days(date);
    *year = (int)ymd.year;
    *month = ymd.month;
    *day = ymd.day;
    return TUSK_OK;
}

/* 2000-01-01 in seconds from 1970-01-01 */
#define EPOCH_2000 INT64_C(946684800)

tusk_code tusk_timestamptz_from_timespec(struct timespec ts, int64_t *out, tusk_error *err)
{
    int64_t seconds = ts.tv_sec;

    tusk__error_begin(err);
    if (ts.tv_nsec < 0 || ts.tv_nsec > 999999999)
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_DATETIME, "tv_nsec is %ld, not 0…999999999",
                               (long)ts.tv_nsec);
    if (seconds < EPOCH_2000 + TUSK__TIMESTAMP_MIN / TUSK__US_PER_SECOND ||
        seconds >= EPOCH_2000 + TUSK__TIMESTAMP_END / TUSK__US_PER_SECOND)
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_DATETIME, "%lld s are beyond the range of timestamptz",
                               (long long)seconds);
    *out = (seconds - EPOCH_2000) * TUSK__US_PER_SECOND + ts.tv_nsec / 1000;
    return TUSK_OK;
}

tusk_code tusk_timestamptz_to_timespec(int64_t timestamptz, struct timespec *out, tusk_error *err)
{
    int64_t seconds = tusk__floor_div(timestamptz, TUSK__US_PER_SECOND);
    int64_t since_1970 = seconds + EPOCH_2000;

    tusk__error_begin(err);
    if (timestamptz == TUSK_TIMESTAMP_INFINITY || timestamptz == TUSK_TIMESTAMP_MINUS_INFINITY)
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_DATETIME, "an infinite timestamptz has no timespec");
    if ((time_t)since_1970 != since_1970)
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_DATETIME, "%lld s do not fit this system's time_t",
                               (long long)since_1970);
    out->tv_sec = (time_t)since_1970;
    out->tv_nsec = (long)(timestamptz - seconds * TUSK__US_PER_SECOND) * 1000;
    return TUSK_OK;
}
