/* Tests of halves: each of the 65536 to a float and back, and the floats around each middle of two.
 * Read first: lib/codec/half.h. */
#include <math.h>
#include <string.h>

#include "lib/codec/half.h"
#include "test/harness/harness.h"

static uint32_t bits_of(float real)
{
    uint32_t bits;

    memcpy(&bits, &real, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float real;

    memcpy(&real, &bits, sizeof real);
    return real;
}

static uint32_t half_of(float real)
{
    return tusk__half_of_float(bits_of(real));
}

START_TEST(every_half_survives_as_a_float)
{
    for (uint32_t half = 0; half <= 0xFFFF; half++) {
        uint32_t bits = tusk__half_to_float(half);

        if ((half & 0x7FFF) > TUSK__HALF_INFINITY) {
            ck_assert_msg(isnan(float_of(bits)), "%04x", half);
            ck_assert_uint_eq(tusk__half_of_float(bits), (half & 0x8000) | 0x7E00);
        } else {
            ck_assert_msg(tusk__half_of_float(bits) == half, "%04x comes back as %04x", half,
                          tusk__half_of_float(bits));
        }
    }
}
END_TEST

/* Between each two neighbours lies a middle, which is a float: it goes to the even one, and its own neighbours to the nearer. 0x7BFF is followed by
 * what would be 65536. */
START_TEST(middles_go_to_the_even_and_all_else_to_the_nearer)
{
    for (uint32_t half = 0; half < 0x7C00; half++) {
        float low = float_of(tusk__half_to_float(half)),
              high = half == 0x7BFF ? 65536.0F : float_of(tusk__half_to_float(half + 1));
        float middle = (low + high) / 2;
        uint32_t even = half + (half & 1);

        ck_assert_msg(half_of(middle) == even, "the middle above %04x is %04x", half, half_of(middle));
        ck_assert_msg(half_of(-middle) == (0x8000 | even), "that below -%04x", half);
        ck_assert_msg(half_of(nextafterf(middle, 0.0F)) == half, "below the middle above %04x", half);
        ck_assert_msg(half_of(nextafterf(middle, (float)INFINITY)) == half + 1, "above the middle above %04x", half);
    }
}
END_TEST

static const struct {
    float real;
    uint32_t half;
} ends[] = {
    {0.0F, 0x0000},
    {-0.0F, 0x8000},
    {1.0F, 0x3C00},
    {-2.5F, 0xC100},
    {65504.0F, 0x7BFF},
    {65519.996F, 0x7BFF},
    {65520.0F, TUSK__HALF_INFINITY},
    {-65520.0F, 0x8000 | TUSK__HALF_INFINITY},
    {3.4028235e38F, TUSK__HALF_INFINITY},
    {0x1p-14F, 0x0400},
    {0x1.ff8p-15F, 0x03FF},
    {0x1p-24F, 0x0001},
    {0x1p-25F, 0x0000},
    {0x1.000002p-25F, 0x0001},
    {-0x1p-26F, 0x8000},
    {1.4e-45F, 0x0000},
    {-1.1754942e-38F, 0x8000},
    {(float)INFINITY, TUSK__HALF_INFINITY},
    {-(float)INFINITY, 0x8000 | TUSK__HALF_INFINITY},
};

START_TEST(the_ends_are_where_they_are)
{
    ck_assert_msg(half_of(ends[_i].real) == ends[_i].half, "%a is %04x, not %04x", (double)ends[_i].real,
                  half_of(ends[_i].real), ends[_i].half);
}
END_TEST

/* One that is told by its low bits alone, too: they are cut off, and it must not become an infinity. */
START_TEST(a_nan_stays_one)
{
    ck_assert_uint_eq(tusk__half_of_float(0x7FC00000), 0x7E00);
    ck_assert_uint_eq(tusk__half_of_float(0x7F800001), 0x7E00);
    ck_assert_uint_eq(tusk__half_of_float(0xFF800001), 0xFE00);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("half");
    TCase *tc = tcase_create("half");

    tcase_add_test(tc, every_half_survives_as_a_float);
    tcase_add_test(tc, middles_go_to_the_even_and_all_else_to_the_nearer);
    tcase_add_loop_test(tc, the_ends_are_where_they_are, 0, (int)(sizeof ends / sizeof *ends));
    tcase_add_test(tc, a_nan_stays_one);
    suite_add_tcase(suite, tc);
    return suite;
}
