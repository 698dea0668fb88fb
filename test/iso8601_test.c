/* Tests of timestamps as struct tm and as ISO 8601. Intervals are codec_test's.
 * Read first: tusk/datetime.h. */
#include <stdio.h>
#include <stdlib.h>

#include <tusk/value.h>

#include "lib/codec/types.h"
#include "test/harness/harness.h"

/* ---- ISO 8601 --------------------------------------------------------------------------------------------------------------------- */

static const struct {
    int64_t us;
    const char *text; /* without its zone */
} instants[] = {
    {0, "2000-01-01T00:00:00"},
    {-1, "1999-12-31T23:59:59.999999"},
    {INT64_C(762525296500000), "2024-02-29T12:34:56.5"},
    {TUSK__TIMESTAMP_END - 1, "+294276-12-31T23:59:59.999999"},
    {TUSK__TIMESTAMP_MIN, "-4713-11-24T00:00:00"},
    {INT64_C(252455616000000000), "+10000-01-01T00:00:00"},
    {INT64_C(252455615999999999), "9999-12-31T23:59:59.999999"},
    {INT64_C(-63113904000000000), "0000-01-01T00:00:00"},
    {INT64_C(-63113904000000001), "-0001-12-31T23:59:59.999999"},
    {TUSK_TIMESTAMP_INFINITY, "infinity"},
    {TUSK_TIMESTAMP_MINUS_INFINITY, "-infinity"},
};

START_TEST(timestamps_go_to_iso_8601_and_back)
{
    bool is_finite = strstr(instants[_i].text, "inf") == NULL;
    char want[TUSK_ISO8601_SIZE], text[TUSK_ISO8601_SIZE];
    int64_t us = instants[_i].us, back = 5;

    ck_assert_uint_eq(tusk_timestamp_to_iso8601(us, text, sizeof text), strlen(instants[_i].text));
    ck_assert_str_eq(text, instants[_i].text);
    ck_assert(tusk_timestamp_from_iso8601(tusk_str_of(text), &back, NULL) == TUSK_OK && back == us);
    snprintf(want, sizeof want, "%s%s", instants[_i].text, is_finite ? "Z" : "");
    ck_assert_uint_eq(tusk_timestamptz_to_iso8601(us, text, sizeof text), strlen(want));
    ck_assert_str_eq(text, want);
    ck_assert(tusk_timestamptz_from_iso8601(tusk_str_of(text), &back, NULL) == TUSK_OK && back == us);
    ck_assert_uint_eq(tusk_timestamptz_to_iso8601(us, text, 4), strlen(want));
    ck_assert_uint_eq(strlen(text), 3);
    ck_assert_uint_eq(tusk_timestamptz_to_iso8601(us, NULL, 0), strlen(want));
}
END_TEST

static const char *const the_same[] = {
    "2024-02-29T12:34:56Z",      "2024-02-29t12:34:56z",   "2024-02-29 12:34:56+00",    "2024-02-29T13:34:56+01:00",
    "2024-02-29T09:04:56-03:30", "2024-03-01T00:34:56+12", "+2024-02-29T12:34:56.000Z", "2024-02-29T12:34:57+00:00:01",
};

START_TEST(every_offset_is_read)
{
    int64_t us = 0;

    ck_assert_int_eq(tusk_timestamptz_from_iso8601(tusk_str_of(the_same[_i]), &us, NULL), TUSK_OK);
    ck_assert_int_eq(us, INT64_C(762525296000000));
}
END_TEST

static const struct {
    const char *text, *sqlstate;
} refused[] = {
    {"", "22P02"},
    {"2024-02-29T12:34:56", "22P02"}, /* no zone */
    {"2024-02-29", "22P02"},
    {"2024-02-30T00:00:00Z", "22P02"},
    {"2024-13-01T00:00:00Z", "22P02"},
    {"2024-02-29T24:00:00Z", "22P02"},
    {"2024-02-29T12:34:60Z", "22P02"},
    {"2024-02-29T12:34:56.1234567Z", "22P02"},
    {"2024-02-29T12:34:56ZZ", "22P02"},
    {"2024-02-29_12:34:56Z", "22P02"},
    {"20240229T123456Z", "22P02"},
    {"-0000-01-01T00:00:00Z", "22P02"},
    {"10000-01-01T00:00:00Z", "22P02"},
    {"+99999999-01-01T00:00:00Z", "22P02"},
    {"+Infinity", "22P02"},
    {"-4713-11-23T23:59:59.999999Z", "22008"},
    {"+294277-01-01T00:00:00Z", "22008"},
    {"+9999999-01-01T00:00:00Z", "22008"},
    {"-9999999-01-01T00:00:00Z", "22008"},
};

START_TEST(other_texts_are_refused)
{
    size_t len = strlen(refused[_i].text);
    char *block = malloc(len + 1), *text = block + 1;
    int64_t us = 5;
    tusk_error err = {0};

    memcpy(text, refused[_i].text, len); /* the block ends with it */
    ck_assert_int_eq(tusk_timestamptz_from_iso8601(tusk_str_from(text, len), &us, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.sqlstate, refused[_i].sqlstate);
    ck_assert_int_eq(us, 5);
    free(block);
    ck_assert_int_eq(tusk_timestamp_from_iso8601(tusk_str_of("2024-02-29T12:34:56Z"), &us, NULL), TUSK_ERR_VALUE);
}
END_TEST

/* ---- struct tm -------------------------------------------------------------------------------------------------------------------- */

static const struct {
    int64_t us;
    int year, yday, wday;
} days[] = {
    {0, 2000, 0, 6},
    {-1, 1999, 364, 5},
    {INT64_C(762525296500000), 2024, 59, 4},
    {TUSK__TIMESTAMP_MIN, -4713, 327, 1},
    {TUSK__TIMESTAMP_END - 1, 294276, 365, 0},
};

START_TEST(timestamps_go_to_tm_and_back)
{
    struct tm tm;
    int32_t us = -1;
    int64_t back = 5;

    ck_assert_int_eq(tusk_timestamp_to_tm(days[_i].us, &tm, &us, NULL), TUSK_OK);
    ck_assert_int_eq(tm.tm_year + 1900, days[_i].year);
    ck_assert_int_eq(tm.tm_yday, days[_i].yday);
    ck_assert_int_eq(tm.tm_wday, days[_i].wday);
    ck_assert_int_eq(tusk_timestamp_from_tm(&tm, us, &back, NULL), TUSK_OK);
    ck_assert_int_eq(back, days[_i].us);
}
END_TEST

/* Where both have the day, the C library's calendar is ours. */
START_TEST(tm_is_the_c_librarys)
{
    for (int64_t s = INT64_C(-60000000000); s < INT64_C(200000000000); s += 98765437) {
        time_t t = (time_t)s;
        struct tm tm, want;
        struct timespec ts = {t, 0};
        int32_t us;
        int64_t timestamp;

        ck_assert_ptr_nonnull(gmtime_r(&t, &want));
        ck_assert_int_eq(tusk_timestamptz_from_timespec(ts, &timestamp, NULL), TUSK_OK);
        ck_assert_int_eq(tusk_timestamp_to_tm(timestamp, &tm, &us, NULL), TUSK_OK);
        ck_assert(tm.tm_year == want.tm_year && tm.tm_mon == want.tm_mon && tm.tm_mday == want.tm_mday);
        ck_assert(tm.tm_hour == want.tm_hour && tm.tm_min == want.tm_min && tm.tm_sec == want.tm_sec);
        ck_assert(tm.tm_wday == want.tm_wday && tm.tm_yday == want.tm_yday && us == 0);
    }
}
END_TEST

static const struct {
    struct tm tm;
    int32_t us;
} wrong[] = {
    {{.tm_year = 100, .tm_mon = 12, .tm_mday = 1}, 0},
    {{.tm_year = 100, .tm_mon = -1, .tm_mday = 1}, 0},
    {{.tm_year = 100, .tm_mday = 0}, 0},
    {{.tm_year = 123, .tm_mon = 1, .tm_mday = 29}, 0},
    {{.tm_year = 100, .tm_mday = 1, .tm_hour = 24}, 0},
    {{.tm_year = 100, .tm_mday = 1, .tm_min = 60}, 0},
    {{.tm_year = 100, .tm_mday = 1, .tm_sec = 60}, 0},
    {{.tm_year = 100, .tm_mday = 1, .tm_sec = -1}, 0},
    {{.tm_year = 100, .tm_mday = 1}, 1000000},
    {{.tm_year = 100, .tm_mday = 1}, -1},
    {{.tm_year = 292377, .tm_mday = 1}, 0},
    {{.tm_year = INT32_MAX, .tm_mday = 1}, 0},
    {{.tm_year = INT32_MIN, .tm_mday = 1}, 0},
};

START_TEST(what_is_no_tm_is_refused)
{
    int64_t us = 5;
    struct tm tm;
    int32_t fraction;
    tusk_error err = {0};

    ck_assert_int_eq(tusk_timestamp_from_tm(&wrong[_i].tm, wrong[_i].us, &us, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.sqlstate, "22008");
    ck_assert_int_eq(us, 5);
    ck_assert_int_eq(tusk_timestamp_to_tm(TUSK_TIMESTAMP_INFINITY, &tm, &fraction, NULL), TUSK_ERR_VALUE);
    ck_assert_int_eq(tusk_timestamp_to_tm(TUSK_TIMESTAMP_MINUS_INFINITY, &tm, &fraction, NULL), TUSK_ERR_VALUE);
}
END_TEST

#define LOOP(tc, test, cases) tcase_add_loop_test(tc, test, 0, (int)(sizeof(cases) / sizeof *(cases)))

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("iso8601");
    TCase *tc = tcase_create("iso8601");

    LOOP(tc, other_texts_are_refused, refused);
    LOOP(tc, what_is_no_tm_is_refused, wrong);
    LOOP(tc, timestamps_go_to_iso_8601_and_back, instants);
    LOOP(tc, every_offset_is_read, the_same);
    LOOP(tc, timestamps_go_to_tm_and_back, days);
    tcase_add_test(tc, tm_is_the_c_librarys);
    suite_add_tcase(suite, tc);
    return suite;
}
