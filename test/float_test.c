/* Tests of the digits of floats, with lib/codec/float.c inside: its snprintf() writes a comma where C's would write a point, and
 * its strtod() refuses a point, so that whatever passes here passes in every locale.
 * Digits are compared with the server's own in test/live/.
 * Read first: lib/codec/float.c. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "test/harness/harness.h"

static int snprintf_with_comma(char *buf, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static double strtod_without_point(const char *text, char **end);
static float strtof_without_point(const char *text, char **end);

#define snprintf snprintf_with_comma
#define strtod strtod_without_point
#define strtof strtof_without_point
#include "lib/codec/float.c"
#undef snprintf
#undef strtod
#undef strtof

static int snprintf_with_comma(char *buf, size_t size, const char *fmt, ...)
{
    char *point;
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(buf, size, fmt, args);
    va_end(args);
    point = strcmp(fmt, "%.*e") == 0 ? strchr(buf, '.') : NULL;
    if (point)
        *point = ',';
    return n;
}

static double strtod_without_point(const char *text, char **end)
{
    ck_assert_ptr_null(strpbrk(text, ".,"));
    return strtod(text, end);
}

static float strtof_without_point(const char *text, char **end)
{
    ck_assert_ptr_null(strpbrk(text, ".,"));
    return strtof(text, end);
}

/* So many random numbers per test, fewer where each costs fifty times as much. TUSK_TEST_FLOATS=1000000 for the long run. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define N_RANDOM 20000
#else
#define N_RANDOM 100000
#endif

static long n_random(void)
{
    return harness_number("TUSK_TEST_FLOATS", getenv("TUSK_RUN_UNDER") ? 5000 : N_RANDOM);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static double float8_of(uint64_t bits)
{
    double real;

    memcpy(&real, &bits, sizeof real);
    return real;
}

static float float4_of(uint32_t bits)
{
    float real;

    memcpy(&real, &bits, sizeof real);
    return real;
}

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* print → parse gives the number; and C reads the digits as the same number, so that they are right and not only consistent. */
static void assert_survives(double real, bool is_float4)
{
    tusk_value value = is_float4 ? tusk_float4((float)real) : tusk_float8(real), back = value;
    char text[64];
    size_t len =
        is_float4 ? tusk__float4_print(&value, text, sizeof text) : tusk__float8_print(&value, text, sizeof text);
    tusk_str digits = tusk_str_from(text, len);
    tusk_code code = is_float4 ? tusk__float4_parse(digits, &back, NULL) : tusk__float8_parse(digits, &back, NULL);
    double c = is_float4 ? (double)strtof(text, NULL) : strtod(text, NULL);

    if (code != TUSK_OK || !same_bits(back.as.real, real) || !same_bits(c, real))
        ck_abort_msg("%a is printed as %s", real, text);
}

START_TEST(random_float8_survive_their_text)
{
    uint64_t state = 88172645463325252u;

    for (long i = 0; i < n_random(); i++) {
        double real = float8_of(next_random(&state));

        if (isfinite(real))
            assert_survives(real, false);
    }
}
END_TEST

START_TEST(random_float4_survive_their_text)
{
    uint64_t state = 362436069;

    for (long i = 0; i < n_random(); i++) {
        float real = float4_of((uint32_t)next_random(&state));

        if (isfinite(real))
            assert_survives((double)real, true);
    }
}
END_TEST

/* Where the interval is lopsided, and where precision fades. */
START_TEST(powers_of_two_and_their_neighbours_survive)
{
    for (uint64_t e = 0; e < 2047; e++)
        for (int d = -1; d <= 1; d++)
            assert_survives(float8_of((e << 52) + (uint64_t)(int64_t)(e > 0 ? d : d * d)), false);
    for (int e = 0; e < 52; e++)
        assert_survives(float8_of(UINT64_C(1) << e), false);
    for (uint32_t e = 0; e < 255; e++)
        for (int d = -1; d <= 1; d++)
            assert_survives((double)float4_of((e << 23) + (uint32_t)(e > 0 ? d : d * d)), true);
}
END_TEST

/* As PostgreSQL 18 prints them; what each row is good for is said behind it. */
static const struct {
    uint64_t bits;
    const char *text;
} float8_texts[] = {
    {0x44b52d02c7e14af6, "9.999999999999999e+22"}, /* 1e+23 reads as this too, but is a middle that rounds to even */
    {0x4340000000000000, "9.007199254740992e+15"}, /* 2^53 */
    {0x4340000000000001, "9.007199254740994e+15"},
    {0x4361fb77d70e0a9c, "4.0492533854262496e+16"}, /* the middle has 16 digits */
    {0x0060000000000000, "7.120236347223045e-307"}, /* 2^-1017: the nearest of 16 digits is below its interval */
    {0x1690000000000000, "5.225680706521042e-200"},
    {0x0000000000000001, "5e-324"},
    {0x0000000000000002, "1e-323"},
    {0x0010000000000000, "2.2250738585072014e-308"}, /* the least normal number */
    {0x000fffffffffffff, "2.225073858507201e-308"},
    {0x7fefffffffffffff, "1.7976931348623157e+308"},
    {0x42d6bcc41e8fffff, "99999999999999.98"}, /* just below 1e+14 */
    {0x430c6bf526340000, "1e+15"},
    {0x430c6bf52633fff8, "999999999999999"},
    {0x3f1a36e2eb1c432d, "0.0001"},
    {0x3f1a36e2eb1c432c, "9.999999999999999e-05"},
    {0xbff8000000000000, "-1.5"},
};

START_TEST(float8_has_the_servers_digits)
{
    tusk_value value = tusk_float8(float8_of(float8_texts[_i].bits));
    char text[64];

    tusk__float8_print(&value, text, sizeof text);
    ck_assert_str_eq(text, float8_texts[_i].text);
}
END_TEST

static const struct {
    uint32_t bits;
    const char *text;
} float4_texts[] = {
    {0x4d2e4a9a, "1.8275779e+08"}, /* 182757800 reads as this too, but is a middle that rounds to even */
    {0x4d84a1f4, "2.7815078e+08"}, {0x0f800000, "1.2621775e-29"}, /* 2^-96: the nearest of eight digits is below its interval, the next one inside */
    {0x6c800000, "1.2379401e+27"},                                /* 2^90: the same */
    {0x00000001, "1e-45"},         {0x00800000, "1.1754944e-38"}, /* the least normal number */
    {0x007fffff, "1.1754942e-38"}, {0x7f7fffff, "3.4028235e+38"}, {0x4b800000, "1.6777216e+07"},
    {0x49742400, "1e+06"},         {0x497423f0, "999999"},        {0x497423ff, "999999.94"},
    {0x38d1b717, "0.0001"},        {0x38d1b68e, "9.9999e-05"},    {0xbdcccccd, "-0.1"},
};

START_TEST(float4_has_the_servers_digits)
{
    tusk_value value = tusk_float4(float4_of(float4_texts[_i].bits));
    char text[64];

    tusk__float4_print(&value, text, sizeof text);
    ck_assert_str_eq(text, float4_texts[_i].text);
}
END_TEST

/* ---- reading ------------------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    double real;
} readings[] = {
    {"1", 1},
    {"-1", -1},
    {"001.500", 1.5},
    {".5", 0.5},
    {"5.", 5},
    {"1e3", 1000},
    {"1E+3", 1000},
    {"125e-3", 0.125},
    {"0e999999999999999999999", 0},
    {"0.1", 0.1},
    {"9007199254740993", 9007199254740992.0},                               /* a middle rounds to even */
    {"9007199254740993.00000000000000000000000000001", 9007199254740994.0}, /* and a hair above it up */
    {"17976931348623157e292", 1.7976931348623157e308},
    {"5e-324", 4.9406564584124654e-324},
};

START_TEST(decimals_are_read_exactly)
{
    tusk_value value = tusk_null();

    ck_assert_int_eq(tusk__float8_parse(tusk_str_of(readings[_i].text), &value, NULL), TUSK_OK);
    ck_assert_msg(same_bits(value.as.real, readings[_i].real), "%s is read as %a", readings[_i].text, value.as.real);
}
END_TEST

START_TEST(minus_zero_stays)
{
    tusk_value value = tusk_null();
    char text[8];

    ck_assert_int_eq(tusk__float8_parse(tusk_str_of("-0"), &value, NULL), TUSK_OK);
    ck_assert(signbit(value.as.real) && value.as.real == 0);
    tusk__float8_print(&value, text, sizeof text);
    ck_assert_str_eq(text, "-0");
}
END_TEST

/* Thousands of digits, the last of which decides. */
START_TEST(a_digit_far_behind_decides)
{
    static char text[5000];
    const char *middle = "9007199254740993.";
    tusk_value value = tusk_null();

    memset(text, '0', sizeof text);
    memcpy(text, middle, strlen(middle));
    ck_assert_int_eq(tusk__float8_parse(tusk_str_from(text, sizeof text), &value, NULL), TUSK_OK);
    ck_assert(same_bits(value.as.real, 9007199254740992.0));
    text[sizeof text - 1] = '1';
    ck_assert_int_eq(tusk__float8_parse(tusk_str_from(text, sizeof text), &value, NULL), TUSK_OK);
    ck_assert(same_bits(value.as.real, 9007199254740994.0));
}
END_TEST

/* And whole ones: the point is not where the digits end. */
START_TEST(digits_beyond_the_buffer_still_count_as_places)
{
    static char text[1100];
    tusk_value value = tusk_null();

    memset(text, '0', sizeof text);
    text[0] = '1';
    memcpy(text + sizeof text - 6, "e-1094", 6);
    ck_assert_int_eq(tusk__float8_parse(tusk_str_from(text, sizeof text), &value, NULL), TUSK_OK);
    ck_assert(same_bits(value.as.real, 0.1));
}
END_TEST

/* A float4 is not rounded twice: this decimal is a hair above the middle of two float4, and nearest to that middle as float8. */
START_TEST(float4_is_rounded_once)
{
    tusk_value value = tusk_null();

    ck_assert_int_eq(tusk__float4_parse(tusk_str_of("16777217.0000000001"), &value, NULL), TUSK_OK);
    ck_assert(same_bits(value.as.real, 16777218.0));
}
END_TEST

/* ---- binary -------------------------------------------------------------------------------------------------------------------------- */

/* The payload of a NaN is kept in float8, and the bits of a quiet one in float4. */
START_TEST(nan_payloads_pass_through)
{
    static const unsigned char bytes[] = {0xFF, 0xF8, 0, 0, 0xDE, 0xAD, 0xBE, 0xEF};
    static const unsigned char narrow[] = {0x7F, 0xC1, 0x23, 0x45};
    tusk_value value = tusk_null();
    tusk__writer b;
    char text[8];

    tusk__writer_init(&b, tusk_allocator_default());
    ck_assert_int_eq(tusk__float8_decode(tusk_str_from(bytes, 8), &value, NULL), TUSK_OK);
    ck_assert_int_eq(tusk__float8_encode(&b, &value, NULL), TUSK_OK);
    ck_assert(memcmp(b.buf, bytes, 8) == 0);
    tusk__float8_print(&value, text, sizeof text);
    ck_assert_str_eq(text, "NaN");
    ck_assert_int_eq(tusk__float4_decode(tusk_str_from(narrow, 4), &value, NULL), TUSK_OK);
    tusk__writer_cut(&b, 0);
    ck_assert_int_eq(tusk__float4_encode(&b, &value, NULL), TUSK_OK);
    ck_assert(memcmp(b.buf, narrow, 4) == 0);
    tusk__writer_clear(&b);
}
END_TEST

static const struct {
    double real;
    bool fits;
} narrowings[] = {
    {0.5, true},
    {-0.0, true},
    {0.1, false},
    {16777217, false},
    {3.4028234663852886e38, true},
    {3.4028235e38, false},
    {1e300, false},
    {-1e300, false},
    {1.401298464324817e-45, true},
    {1e-46, false},
    {(double)INFINITY, true},
    {-(double)INFINITY, true},
    {(double)NAN, true},
};

START_TEST(float8_narrows_only_without_loss)
{
    tusk_value value = tusk_float8(narrowings[_i].real);
    tusk__writer b;
    tusk_error err = {0};

    tusk__writer_init(&b, tusk_allocator_default());
    ck_assert_int_eq(tusk__float4_encode(&b, &value, &err), narrowings[_i].fits ? TUSK_OK : TUSK_ERR_VALUE);
    if (!narrowings[_i].fits)
        ck_assert_str_eq(err.sqlstate, "22003");
    tusk__writer_clear(&b);
}
END_TEST

#define LOOP(tc, test, cases) tcase_add_loop_test(tc, test, 0, (int)(sizeof(cases) / sizeof *(cases)))

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("float");
    TCase *tc = tcase_create("float");

    tcase_set_timeout(tc, 300);
    LOOP(tc, float8_narrows_only_without_loss, narrowings);
    LOOP(tc, float8_has_the_servers_digits, float8_texts);
    LOOP(tc, float4_has_the_servers_digits, float4_texts);
    tcase_add_test(tc, powers_of_two_and_their_neighbours_survive);
    tcase_add_test(tc, random_float8_survive_their_text);
    tcase_add_test(tc, random_float4_survive_their_text);
    LOOP(tc, decimals_are_read_exactly, readings);
    tcase_add_test(tc, minus_zero_stays);
    tcase_add_test(tc, a_digit_far_behind_decides);
    tcase_add_test(tc, digits_beyond_the_buffer_still_count_as_places);
    tcase_add_test(tc, float4_is_rounded_once);
    tcase_add_test(tc, nan_payloads_pass_through);
    suite_add_tcase(suite, tc);
    return suite;
}
