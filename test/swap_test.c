/* Tests of numbers at once: the plain way against the definition, and what the processor has against both; in blocks of exact size, from places
 * that are aligned to nothing.
 * Read first: lib/codec/swap.h. */
#include <stdlib.h>

#include "lib/codec/swap.h"
#include "proto/buf.h"
#include "test/container_checks.h"
#include "test/harness/harness.h"

#define MOST 70 /* elements: several rounds of the widest, and each number that is left over */

/* Row 0 is the plain way; each further one is skipped aloud where the processor has it not. */
static const tusk__swap4 *way(int i)
{
    if (i == 0)
        return &tusk__swap4_plain;
    if (tusk__swap4_best() == &tusk__swap4_plain) {
        harness_skip("numbers eight at a time", "this processor, or compiler, has no AVX2");
        return NULL;
    }
    return tusk__swap4_best();
}

static uint32_t number(size_t i)
{
    return (uint32_t)(0x01020304u * (i + 1)) ^ 0x80000000u;
}

/* As the wire has them, behind `skew` bytes. */
static uint8_t *numbers(size_t n, size_t skew)
{
    uint8_t *block = malloc(skew + 4 * n + !(skew + n));

    ck_assert_ptr_nonnull(block);
    for (size_t i = 0; i < n; i++)
        tusk__put32(block + skew + 4 * i, number(i));
    return block;
}

static uint8_t *fields(size_t n, size_t skew)
{
    uint8_t *block = malloc(skew + 8 * n + !(skew + n));

    ck_assert_ptr_nonnull(block);
    for (size_t i = 0; i < n; i++) {
        tusk__put32(block + skew + 8 * i, 4);
        tusk__put32(block + skew + 8 * i + 4, number(i));
    }
    return block;
}

static uint8_t *room(size_t len)
{
    uint8_t *block = malloc(len > 0 ? len : 1);

    ck_assert_ptr_nonnull(block);
    return block;
}

static void assert_numbers(const uint8_t *native, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t got;

        memcpy(&got, native + 4 * i, sizeof got);
        ck_assert_msg(got == number(i), "number %zu of %zu is %08x, not %08x", i, n, got, number(i));
    }
}

START_TEST(numbers_side_by_side_are_turned_and_turned_back)
{
    const tusk__swap4 *swap = way(_i);

    for (size_t n = 0; swap && n <= MOST; n++)
        for (size_t skew = 0; skew < 4; skew++) {
            uint8_t *wire = numbers(n, skew), *native = room(4 * n), *back = room(skew + 4 * n);

            swap->copy(native, wire + skew, n);
            assert_numbers(native, n);
            swap->copy(back + skew, native, n);
            ck_assert(memcmp(back + skew, wire + skew, 4 * n) == 0);
            free(wire);
            free(native);
            free(back);
        }
}
END_TEST

START_TEST(fields_are_gathered_and_scattered)
{
    const tusk__swap4 *swap = way(_i);

    for (size_t n = 0; swap && n <= MOST; n++)
        for (size_t skew = 0; skew < 4; skew++) {
            uint8_t *wire = fields(n, skew), *native = room(4 * n), *back = room(skew + 8 * n);

            ck_assert(swap->are_fields(wire + skew, n));
            ck_assert(swap->gather(native, wire + skew, n));
            assert_numbers(native, n);
            swap->scatter(back + skew, native, n);
            ck_assert(memcmp(back + skew, wire + skew, 8 * n) == 0);
            free(wire);
            free(native);
            free(back);
        }
}
END_TEST

START_TEST(one_wrong_bit_of_a_length_is_found_wherever_it_is)
{
    const tusk__swap4 *swap = way(_i);

    for (size_t n = 1; swap && n <= MOST; n++) {
        uint8_t *wire = fields(n, 1), *native = room(4 * n);

        for (size_t i = 0; i < n; i++)
            for (int bit = 0; bit < 32; bit++) {
                tusk__put32(wire + 1 + 8 * i, 4 ^ UINT32_C(1) << bit);
                ck_assert_msg(!swap->are_fields(wire + 1, n), "bit %d of %zu of %zu", bit, i, n);
                ck_assert_msg(!swap->gather(native, wire + 1, n), "bit %d of %zu of %zu", bit, i, n);
                tusk__put32(wire + 1 + 8 * i, 4);
            }
        free(wire);
        free(native);
    }
}
END_TEST

static const size_t widths[] = {1, 2, 4, 6, 8, 16};

START_TEST(fields_of_any_width_are_uniform_or_not)
{
    size_t width = widths[_i], stride = 4 + width;

    for (size_t n = 0; n <= 20; n++) {
        uint8_t *wire = room(n * stride);

        memset(wire, 0xEE, n * stride);
        for (size_t i = 0; i < n; i++)
            tusk__put32(wire + i * stride, (uint32_t)width);
        ck_assert(tusk__fields_are_uniform(wire, n, width));
        for (size_t i = 0; i < n; i++) {
            tusk__put32(wire + i * stride, UINT32_MAX);
            ck_assert(!tusk__fields_are_uniform(wire, n, width));
            tusk__put32(wire + i * stride, (uint32_t)width);
        }
        free(wire);
    }
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("swap");
    TCase *tc = tcase_create("numbers at once");

    tcase_add_loop_test(tc, numbers_side_by_side_are_turned_and_turned_back, 0, 2);
    tcase_add_loop_test(tc, fields_are_gathered_and_scattered, 0, 2);
    tcase_add_loop_test(tc, one_wrong_bit_of_a_length_is_found_wherever_it_is, 0, 2);
    tcase_add_loop_test(tc, fields_of_any_width_are_uniform_or_not, 0, (int)N_OF(widths));
    suite_add_tcase(suite, tc);
    return suite;
}
