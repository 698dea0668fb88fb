/* Tests of the calendar and of the public date helpers. Dates as text: codec_test.
 * Read first: tusk/row.h, "dates and times". */
#include <tusk/row.h>

#include "lib/codec/types.h"
#include "test/harness/harness.h"

static const struct {
    int year, month, day;
    int32_t days;
} known_days[] = {
    {2000, 1, 1, 0},      {1999, 12, 31, -1},  {2000, 2, 29, 59},         {1970, 1, 1, -10957},
    {0, 12, 31, -730120}, {1, 1, 1, -730119},  {-4713, 11, 24, -2451545}, {5874897, 12, 31, 2145031948},
    {2024, 2, 29, 8825},  {2100, 3, 1, 36584}, {1582, 10, 15, -152384},
};

START_TEST(days_count_from_2000)
{
    int32_t days = 1;
    int year, month, day;
    tusk_error err = {0};

    ck_assert_int_eq(tusk_date_from_ymd(known_days[_i].year, known_days[_i].month, known_days[_i].day, &days, &err),
                     TUSK_OK);
    ck_assert_int_eq(days, known_days[_i].days);
    ck_assert_int_eq(tusk_date_to_ymd(days, &year, &month, &day, &err), TUSK_OK);
    ck_assert_int_eq(year, known_days[_i].year);
    ck_assert_int_eq(month, known_days[_i].month);
    ck_assert_int_eq(day, known_days[_i].day);
}
END_TEST

static const struct {
    int year, month, day;
} no_days[] = {
    {2024, 0, 1},
    {2024, 13, 1},
    {2024, 1, 0},
    {2024, 1, 32},
    {2023, 2, 29},
    {1900, 2, 29},
    {2024, 4, 31},
    {2024, -1, 1},
    {2024, 1, -1},
    {-4713, 11, 23},
    {5874898, 1, 1},
    {-1, 2, 29},
    {INT32_MAX, 1, 1},
    {INT32_MIN, 12, 31},
    {INT32_MAX, INT32_MAX, INT32_MAX},
    {INT32_MIN, INT32_MIN, INT32_MIN},
};

START_TEST(days_that_are_not_are_refused)
{
    int32_t days = 77;
    tusk_error err = {0};

    ck_assert_int_eq(tusk_date_from_ymd(no_days[_i].year, no_days[_i].month, no_days[_i].day, &days, &err),
                     TUSK_ERR_VALUE);
    ck_assert_str_eq(err.sqlstate, "22008");
    ck_assert_int_eq(days, 77);
    ck_assert_int_eq(tusk_date_from_ymd(no_days[_i].year, no_days[_i].month, no_days[_i].day, &days, NULL),
                     TUSK_ERR_VALUE);
}
END_TEST

static int length_of(int64_t year, int month)
{
    if (month == 2)
        return 28 + (((year % 4 == 0) && (year % 100 != 0)) || year % 400 == 0);
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* Day by day, by counting: the first thousand years of the range, and those of now. */
static void count_days(tusk__ymd ymd, int64_t days, int64_t n)
{
    for (; n > 0; n--, days++) {
        tusk__ymd got = tusk__ymd_from_days(days);
        int64_t back;

        if (got.year != ymd.year || got.month != ymd.month || got.day != ymd.day || !tusk__ymd_to_days(ymd, &back) ||
            back != days)
            ck_abort_msg("day %lld", (long long)days);
        if (++ymd.day <= length_of(ymd.year, ymd.month))
            continue;
        ymd.day = 1;
        ymd.year += ymd.month == 12;
        ymd.month = ymd.month % 12 + 1;
    }
}

START_TEST(the_calendar_agrees_with_counting)
{
    tusk__ymd first = {-4713, 11, 24}, recent = {1600, 1, 1}, era = {-400, 3, 1};

    count_days(first, -2451545, 365250);
    count_days(recent, -146097, 365250);
    count_days(era, -876522, 365250);
}
END_TEST

START_TEST(both_ends_of_date_are_reached)
{
    int year, month, day;
    int32_t out;
    tusk_error err = {0};

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(tusk_date_to_ymd(i ? TUSK_DATE_INFINITY : TUSK_DATE_MINUS_INFINITY, &year, &month, &day, NULL),
                         TUSK_ERR_VALUE);
    }
    ck_assert_int_eq(tusk_date_to_ymd(TUSK__DATE_END - 1, &year, &month, &day, &err), TUSK_OK);
    ck_assert_int_eq(year, 5874897);
    ck_assert_int_eq(tusk_date_from_ymd(year, month, day, &out, &err), TUSK_OK);
    ck_assert_int_eq(out, TUSK__DATE_END - 1);
}
END_TEST

/* ---- timespec ------------------------------------------------------------------------------------------------------------------------ */

static const struct {
    int64_t seconds;
    long nanoseconds;
    int64_t us;
} instants[] = {
    {946684800, 0, 0},
    {0, 0, INT64_C(-946684800000000)},
    {946684799, 999999999, -1}, /* towards the past */
    {946684800, 1999, 1},
    {-1, 500000000, INT64_C(-946684800500000)},
    {INT64_C(-210866803200), 0, TUSK__TIMESTAMP_MIN},
    {INT64_C(9224318015999), 999999999, TUSK__TIMESTAMP_END - 1},
};

START_TEST(timespec_and_timestamptz_are_the_same_instant)
{
    struct timespec ts = {(time_t)instants[_i].seconds, instants[_i].nanoseconds}, back;
    int64_t us;
    tusk_error err = {0};

    ck_assert_msg(tusk_timestamptz_from_timespec(ts, &us, &err) == TUSK_OK, "%s", err.message);
    ck_assert_int_eq(us, instants[_i].us);
    ck_assert_int_eq(tusk_timestamptz_to_timespec(us, &back, &err), TUSK_OK);
    ck_assert_int_eq(back.tv_sec, ts.tv_sec);
    ck_assert_int_eq(back.tv_nsec, ts.tv_nsec / 1000 * 1000);
}
END_TEST

START_TEST(timespecs_that_are_no_timestamptz_are_refused)
{
    static const struct timespec wrong[] = {{0, -1},
                                            {0, 1000000000},
                                            {(time_t)INT64_C(-210866803201), 999999999},
                                            {(time_t)INT64_C(9224318016000), 0},
                                            {(time_t)INT64_MAX, 0},
                                            {(time_t)INT64_MIN, 0}};
    int64_t us = 5;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        tusk_error err = {0};

        ck_assert_int_eq(tusk_timestamptz_from_timespec(wrong[i], &us, &err), TUSK_ERR_VALUE);
        ck_assert_str_eq(err.sqlstate, "22008");
    }
    ck_assert_int_eq(us, 5);
}
END_TEST

START_TEST(infinities_have_no_timespec)
{
    struct timespec ts;
    tusk_error err = {0};

    ck_assert_int_eq(tusk_timestamptz_to_timespec(TUSK_TIMESTAMP_INFINITY, &ts, &err), TUSK_ERR_VALUE);
    ck_assert_int_eq(tusk_timestamptz_to_timespec(TUSK_TIMESTAMP_MINUS_INFINITY, &ts, NULL), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.sqlstate, "22008");
}
END_TEST

#define LOOP(tc, test, cases) tcase_add_loop_test(tc, test, 0, (int)(sizeof(cases) / sizeof *(cases)))

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("datetime");
    TCase *tc = tcase_create("datetime");

    tcase_set_timeout(tc, 120);
    LOOP(tc, days_that_are_not_are_refused, no_days);
    tcase_add_test(tc, timespecs_that_are_no_timestamptz_are_refused);
    tcase_add_test(tc, infinities_have_no_timespec);
    LOOP(tc, days_count_from_2000, known_days);
    tcase_add_test(tc, the_calendar_agrees_with_counting);
    tcase_add_test(tc, both_ends_of_date_are_reached);
    LOOP(tc, timespec_and_timestamptz_are_the_same_instant, instants);
    suite_add_tcase(suite, tc);
    return suite;
}
