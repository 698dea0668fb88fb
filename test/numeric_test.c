/* Tests of numeric's ways to text, integers and double and back, and of what each says when it would lose. The binary format is
 * codec_test's, and a server's opinion codec_live_test's.
 * Read first: tusk/numeric.h. */
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <tusk/tusk.h>

#include "test/harness/harness.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

/* In a block of exactly the size that is promised to be enough. */
static unsigned char *block;

static void clear(void)
{
    free(block);
    block = NULL;
}

static tusk_numeric_view from(const char *text)
{
    size_t size = TUSK_NUMERIC_SIZE(strlen(text));
    tusk_numeric_view n;
    tusk_error err = {0};

    clear();
    block = malloc(size);
    ck_assert_msg(tusk_numeric_from_text(tusk_str_of(text), block, size, &n, &err) == TUSK_OK, "%s: %s", text,
                  err.message);
    return n;
}

static void assert_text(tusk_numeric_view n, const char *want)
{
    char text[512];

    ck_assert_uint_eq(tusk_numeric_to_text(n, text, sizeof text), strlen(want));
    ck_assert_str_eq(text, want);
}

/* ---- text --------------------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *text, *printed; /* NULL: refused */
} texts[] = {
    {"+1", "1"},
    {".5", "0.5"},
    {"1.", "1"},
    {"00012.50", "12.50"},
    {"-0", "0"},
    {"-0.00", "0.00"},
    {"0e5", "0"},
    {"12340000", "12340000"},
    {"0.00001234", "0.00001234"},
    {"NaN", "NaN"},
    {"Infinity", "Infinity"},
    {"-Infinity", "-Infinity"},
    {"", NULL},
    {"-", NULL},
    {".", NULL},
    {"1e", NULL},
    {"1e+", NULL},
    {"e1", NULL},
    {"1.2.3", NULL},
    {" 1", NULL},
    {"1 ", NULL},
    {"1,5", NULL},
    {"0x1", NULL},
    {"1_000", NULL},
    {"--1", NULL},
    {"-NaN", NULL},
    {"infinity", NULL},
};

START_TEST(text_is_read_as_it_is_written)
{
    unsigned char buf[64];
    tusk_numeric_view n = {0};
    tusk_error err = {0};

    if (texts[_i].printed) {
        assert_text(from(texts[_i].text), texts[_i].printed);
        clear();
        return;
    }
    ck_assert_int_eq(tusk_numeric_from_text(tusk_str_of(texts[_i].text), buf, sizeof buf, &n, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.sqlstate, "22P02");
    ck_assert_ptr_null(n.wire);
}
END_TEST

static const struct {
    const char *text, *printed; /* NULL: beyond the range */
} exponents[] = {
    {"1e3", "1000"},
    {"1.5e-3", "0.0015"},
    {"1.50e1", "15.0"},
    {"12e-2", "0.12"},
    {"1E+2", "100"},
    {"1e131072", NULL},
    {"1e-16384", NULL},
    {"-1e99999999999999999999", NULL},
    {"1e-99999999999999999999", NULL},
};

/* Their size is not that of the text. */
START_TEST(exponents_move_the_point)
{
    unsigned char buf[64];
    tusk_numeric_view n;
    tusk_error err = {0};
    tusk_code code = tusk_numeric_from_text(tusk_str_of(exponents[_i].text), buf, sizeof buf, &n, &err);

    if (exponents[_i].printed) {
        ck_assert_int_eq(code, TUSK_OK);
        assert_text(n, exponents[_i].printed);
    } else {
        ck_assert_int_eq(code, TUSK_ERR_VALUE);
        ck_assert_str_eq(err.sqlstate, "22003");
    }
}
END_TEST

/* D6 */
START_TEST(what_does_not_fit_the_buffer_is_not_written)
{
    for (size_t size = 0; size <= 14; size++) {
        unsigned char *buf = malloc(size ? size : 1);
        tusk_numeric_view n;
        tusk_error err = {0};
        tusk_code code = tusk_numeric_from_text(tusk_str_of("-12345.678"), buf, size, &n, &err);

        ck_assert_int_eq(code, size < 8 + 2 * 3 ? TUSK_ERR_LIMIT : TUSK_OK);
        free(buf);
    }
}
END_TEST

/* ---- integers ----------------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    bool fits;
    int64_t n;
} integers[] = {
    {"0", true, 0},
    {"0.000", true, 0},
    {"-1.00", true, -1},
    {"10000", true, 10000},
    {"100000000", true, 100000000},
    {"9223372036854775807", true, INT64_MAX},
    {"-9223372036854775808", true, INT64_MIN},
    {"9223372036854775808", false, 0},
    {"-9223372036854775809", false, 0},
    {"0.5", false, 0},
    {"0.00001", false, 0},
    {"12345.0001", false, 0},
    {"100000000000000000000000000000000000000000", false, 0},
    {"NaN", false, 0},
    {"Infinity", false, 0},
    {"-Infinity", false, 0},
};

START_TEST(int64_is_told_when_it_would_lose)
{
    int64_t n = 4711;
    tusk_error err = {0};
    tusk_code code = tusk_numeric_to_int64(from(integers[_i].text), &n, &err);

    ck_assert_int_eq(code, integers[_i].fits ? TUSK_OK : TUSK_ERR_VALUE);
    ck_assert_int_eq(n, integers[_i].fits ? integers[_i].n : 4711);
    if (!integers[_i].fits) {
        ck_assert_str_eq(err.sqlstate, "22003");
        ck_assert_ptr_nonnull(strstr(err.message, "without loss"));
    }
    clear();
}
END_TEST

static void check_int64(int64_t integer)
{
    unsigned char buf[TUSK_NUMERIC_INT_SIZE];
    tusk_numeric_view n = tusk_numeric_from_int64(integer, buf);
    char text[32];
    int64_t back;

    snprintf(text, sizeof text, "%" PRId64, integer);
    assert_text(n, text);
    ck_assert(tusk_numeric_to_int64(n, &back, NULL) == TUSK_OK && back == integer);
}

START_TEST(each_int64_goes_both_ways)
{
    check_int64(INT64_MAX);
    check_int64(INT64_MIN);
    check_int64(0);
    for (int64_t n = 1; n < INT64_MAX / 10; n *= 10) {
        check_int64(n);
        check_int64(1 - n);
        check_int64(-7 * n);
    }
}
END_TEST

#ifdef __SIZEOF_INT128__
START_TEST(int128_has_both_ends)
{
    static const char most[] = "170141183460469231731687303715884105727",
                      least[] = "-170141183460469231731687303715884105728";
    tusk_int128 max = (tusk_int128)INT64_MIN * INT64_MIN - 1 + (tusk_int128)INT64_MIN * INT64_MIN, n = 0;
    unsigned char buf[TUSK_NUMERIC_INT_SIZE];

    assert_text(tusk_numeric_from_int128(max, buf), most);
    assert_text(tusk_numeric_from_int128(-max - 1, buf), least);
    ck_assert(tusk_numeric_to_int128(from(most), &n, NULL) == TUSK_OK && n == max);
    ck_assert(tusk_numeric_to_int128(from(least), &n, NULL) == TUSK_OK && n == -max - 1);
    ck_assert_int_eq(tusk_numeric_to_int128(from("170141183460469231731687303715884105728"), &n, NULL), TUSK_ERR_VALUE);
    ck_assert_int_eq(tusk_numeric_to_int128(from("-170141183460469231731687303715884105729"), &n, NULL),
                     TUSK_ERR_VALUE);
    clear();
}
END_TEST
#endif

/* ---- units of a scale --------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    int scale;
    bool fits;
    int64_t units;
} scaled[] = {
    {"1234.50", 2, true, 123450},
    {"1234.5", 2, true, 123450},
    {"-0.01", 2, true, -1},
    {"0.00", 2, true, 0},
    {"0.010000", 2, true, 1},
    {"7", 0, true, 7},
    {"7", 5, true, 700000},
    {"10000", 4, true, 100000000},
    {"0.0001", 4, true, 1},
    {"0.00000001", 8, true, 1},
    {"0.00000001", 9, true, 10},
    {"1e-20", 38, true, 1000000000000000000},
    {"92233720368547758.07", 2, true, INT64_MAX},
    {"-92233720368547758.08", 2, true, INT64_MIN},
    {"0.9223372036854775807", 19, true, INT64_MAX},
    {"0.0009223372036854775807", 22, true, INT64_MAX},
    {"92233720368547758.08", 2, false, 0},
    {"-92233720368547758.09", 2, false, 0},
    {"922337203685477580.8", 1, false, 0},
    {"1e20", 3, false, 0},
    {"1234.505", 2, false, 0},
    {"0.001", 2, false, 0},
    {"0.00001", 2, false, 0},
    {"0.000000000001", 4, false, 0},
    {"1e-20", 0, false, 0},
    {"1", 19, false, 0},
    {"1", 16383, false, 0},
    {"NaN", 2, false, 0},
    {"Infinity", 2, false, 0},
};

START_TEST(units_are_told_when_they_would_lose)
{
    int64_t units = 4711;
    tusk_error err = {0};
    tusk_code code = tusk_numeric_to_scaled(from(scaled[_i].text), scaled[_i].scale, &units, &err);

    ck_assert_msg(code == (scaled[_i].fits ? TUSK_OK : TUSK_ERR_VALUE), "%s: %s", scaled[_i].text, err.message);
    ck_assert_msg(units == (scaled[_i].fits ? scaled[_i].units : 4711), "%s: %" PRId64, scaled[_i].text, units);
    if (!scaled[_i].fits) {
        ck_assert_str_eq(err.sqlstate, "22003");
        ck_assert_ptr_nonnull(strstr(err.message, "without loss"));
    }
    clear();
}
END_TEST

/* What was written without us is what from_text reads. */
static void check_units(int64_t units, int scale)
{
    unsigned char buf[TUSK_NUMERIC_INT_SIZE];
    char digits[64], text[128];
    tusk_numeric_view n, want;
    int64_t back;
    int len;

    len = snprintf(digits, sizeof digits, "%s%0*" PRIu64, units < 0 ? "-" : "", scale + 1,
                   units < 0 ? 0 - (uint64_t)units : (uint64_t)units);
    snprintf(text, sizeof text, "%.*s%s%s", len - scale, digits, scale ? "." : "", digits + len - scale);
    ck_assert_int_eq(tusk_numeric_from_scaled(units, scale, buf, &n, NULL), TUSK_OK);
    assert_text(n, text);
    want = from(text);
    ck_assert_msg(n.n_digits == want.n_digits && memcmp(n.wire, want.wire, 8 + 2 * (size_t)n.n_digits) == 0, "%s",
                  text);
    ck_assert(tusk_numeric_to_scaled(n, scale, &back, NULL) == TUSK_OK && back == units);
    clear();
}

START_TEST(units_go_both_ways)
{
    for (int scale = 0; scale <= 40; scale++) {
        check_units(INT64_MAX, scale);
        check_units(INT64_MIN, scale);
        check_units(0, scale);
        for (int64_t n = 1; n < INT64_MAX / 10; n *= 10) {
            check_units(n, scale);
            check_units(1 - n, scale);
            check_units(-7 * n, scale);
        }
    }
}
END_TEST

START_TEST(scale_beyond_the_type_is_refused)
{
    static const int bad[] = {-1, INT_MIN, TUSK_NUMERIC_SCALE_MAX + 1, INT_MAX};
    unsigned char buf[TUSK_NUMERIC_INT_SIZE];
    tusk_numeric_view n = {0};
    tusk_error err;
    int64_t units = 3;

    for (size_t i = 0; i < N_OF(bad); i++) {
        ck_assert_int_eq(tusk_numeric_from_scaled(1, bad[i], buf, &n, &err), TUSK_ERR_USAGE);
        ck_assert_int_eq(tusk_numeric_to_scaled(from("1"), bad[i], &units, &err), TUSK_ERR_USAGE);
    }
    ck_assert(n.wire == NULL && units == 3);
    ck_assert_int_eq(tusk_numeric_from_scaled(-1, TUSK_NUMERIC_SCALE_MAX, buf, &n, NULL), TUSK_OK);
    ck_assert(tusk_numeric_to_scaled(n, TUSK_NUMERIC_SCALE_MAX, &units, NULL) == TUSK_OK && units == -1);
    clear();
}
END_TEST

/* ---- double ------------------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    double real;
    bool exact;
} doubles[] = {
    {"0", 0, true},
    {"0.5", 0.5, true},
    {"-1.50", -1.5, true},
    {"0.1", 0.1, false},
    {"10000000000000000", 1e16, true},
    {"9007199254740993", 9007199254740992.0, false}, /* a middle: the even one */
    {"9007199254740993.00000000000000000000000000000000000000000001", 9007199254740994.0, false},
    {"0.1000000000000000055511151231257827021181583404541015625", 0.1, true},
    {"123456789012345678901234567890", 123456789012345678901234567890.0, false},
};

START_TEST(double_is_the_nearest_and_tells_if_it_is_exact)
{
    double real = 0;
    bool exact = !doubles[_i].exact;

    ck_assert_int_eq(tusk_numeric_to_double(from(doubles[_i].text), &real, &exact, NULL), TUSK_OK);
    ck_assert_msg(real == doubles[_i].real, "%s is %a", doubles[_i].text, real);
    ck_assert_int_eq(exact, doubles[_i].exact);
    clear();
}
END_TEST

/* The same number as the double's own decimals, all of them? Zeros at the end, and a point without decimals, do not count. */
static bool is_printed_as(double real, const char *text)
{
    char decimals[1500];
    size_t len = (size_t)snprintf(decimals, sizeof decimals, "%.1100f", real), text_len = strlen(text);

    while (decimals[len - 1] == '0')
        len--;
    if (strchr(text, '.'))
        while (text[text_len - 1] == '0')
            text_len--;
    else
        len--;
    return len == text_len && memcmp(decimals, text, len) == 0;
}

/* Random integers of any length up to 19 figures, with the point anywhere from 24 figures behind them to 24 in front: on both sides of each
 * bound of the short way. strtod() and printf() are the oracles. */
START_TEST(random_doubles_are_the_nearest_and_tell_if_they_are_exact)
{
    uint64_t state = 88172645463325252u;
    int n_exact = 0;

    for (int i = 0; i < 20000; i++) {
        char digits[32], text[128];
        double real = 0;
        bool exact;
        int point;

        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        snprintf(digits, sizeof digits, "%llu", (unsigned long long)(state >> state % 60 | 1) << state / 64 % 4);
        point = (int)(state / 256 % 49) - 24;
        if (point >= 0)
            snprintf(text, sizeof text, "%s%.*s", digits, point, "000000000000000000000000");
        else
            snprintf(text, sizeof text, "0.%.*s%s", -point, "000000000000000000000000", digits);
        ck_assert_int_eq(tusk_numeric_to_double(from(text), &real, &exact, NULL), TUSK_OK);
        ck_assert_msg(real == strtod(text, NULL), "%s is %a", text, real);
        ck_assert_msg(exact == is_printed_as(real, text), "%s is %sexact", text, exact ? "" : "not ");
        n_exact += exact;
        clear();
    }
    ck_assert_int_gt(n_exact, 2000);
    ck_assert_int_lt(n_exact, 18000);
}
END_TEST

/* 2^53 + 1 is a middle, and a figure far behind it tells on which side the number lies. */
START_TEST(no_figure_is_too_far_behind_to_decide)
{
    char text[1024];
    double real = 0;
    bool exact = true;

    snprintf(text, sizeof text, "9007199254740993.%0900d", 1);
    ck_assert_int_eq(tusk_numeric_to_double(from(text), &real, &exact, NULL), TUSK_OK);
    ck_assert_msg(real == 9007199254740994.0, "%a", real);
    ck_assert(!exact);
    clear();
}
END_TEST

START_TEST(what_double_cannot_hold_is_refused)
{
    static const char *const beyond[] = {"1.8e308", "-1.8e308", "1e-400"};
    unsigned char buf[1024];
    double real;

    for (size_t i = 0; i < N_OF(beyond); i++) {
        tusk_numeric_view n;
        tusk_error err = {0};

        ck_assert_int_eq(tusk_numeric_from_text(tusk_str_of(beyond[i]), buf, sizeof buf, &n, NULL), TUSK_OK);
        ck_assert_int_eq(tusk_numeric_to_double(n, &real, NULL, &err), TUSK_ERR_VALUE);
        ck_assert_str_eq(err.sqlstate, "22003");
    }
}
END_TEST

static void check_double(double real)
{
    unsigned char *buf = malloc(TUSK_NUMERIC_DOUBLE_SIZE);
    double back;

    ck_assert_int_eq(tusk_numeric_to_double(tusk_numeric_from_double(real, buf), &back, NULL, NULL), TUSK_OK);
    ck_assert_msg(back == real || (isnan(real) && isnan(back)), "%a becomes %a", real, back);
    free(buf);
}

START_TEST(each_double_goes_both_ways)
{
    check_double((double)NAN);
    check_double((double)INFINITY);
    check_double(-(double)INFINITY);
    for (int e = -1074; e < 1024; e++) {
        check_double(ldexp(1, e));
        check_double(-ldexp(1.2345678901234567, e));
    }
}
END_TEST

/* ---- the view of nothing -------------------------------------------------------------------------------------------------------------- */

START_TEST(a_view_without_a_number_is_null)
{
    tusk_numeric_view none = {0};
    int64_t integer;
    double real;
    char text[] = "x";

    ck_assert_uint_eq(tusk_numeric_to_text(none, text, sizeof text), 0);
    ck_assert_str_eq(text, "");
    ck_assert_uint_eq(tusk_numeric_to_text(none, NULL, 0), 0);
    ck_assert_int_eq(tusk_numeric(none).kind, TUSK_KIND_NULL);
    ck_assert_uint_eq(tusk_numeric(none).type, TUSK_OID_NUMERIC);
    ck_assert_int_eq(tusk_numeric_to_int64(none, &integer, NULL), TUSK_ERR_NULL);
    ck_assert_int_eq(tusk_numeric_to_double(none, &real, NULL, NULL), TUSK_ERR_NULL);
}
END_TEST

#define LOOP(tc, test, cases) tcase_add_loop_test(tc, test, 0, (int)N_OF(cases))

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("numeric");
    TCase *tc = tcase_create("numeric");

    LOOP(tc, text_is_read_as_it_is_written, texts);
    LOOP(tc, exponents_move_the_point, exponents);
    tcase_add_test(tc, what_does_not_fit_the_buffer_is_not_written);
    LOOP(tc, int64_is_told_when_it_would_lose, integers);
    tcase_add_test(tc, each_int64_goes_both_ways);
#ifdef __SIZEOF_INT128__
    tcase_add_test(tc, int128_has_both_ends);
#endif
    LOOP(tc, units_are_told_when_they_would_lose, scaled);
    tcase_add_test(tc, units_go_both_ways);
    tcase_add_test(tc, scale_beyond_the_type_is_refused);
    LOOP(tc, double_is_the_nearest_and_tells_if_it_is_exact, doubles);
    tcase_add_test(tc, random_doubles_are_the_nearest_and_tell_if_they_are_exact);
    tcase_add_test(tc, no_figure_is_too_far_behind_to_decide);
    tcase_add_test(tc, what_double_cannot_hold_is_refused);
    tcase_add_test(tc, each_double_goes_both_ways);
    tcase_add_test(tc, a_view_without_a_number_is_null);
    suite_add_tcase(suite, tc);
    return suite;
}
