/* Tests of ranges and multiranges, and of what all containers have in common: samples both ways, whatever a server may send instead, ranges
 * made of values.
 * Read first: tusk/range.h, lib/codec/nested.h. */
#include <stdio.h>
#include <stdlib.h>

#include "test/array_samples.h"
#include "test/container_checks.h"
#include "test/harness/harness.h"

/* ---- every type ------------------------------------------------------------------------------------------------------------------------ */

START_TEST(each_sample_survives_both_ways)
{
    const both_formats *c = &container_cases[_i];
    tusk_str bytes = exact_hex(c->hex);
    tusk_value value;
    tusk_error err;

    ck_assert_msg(decode(c->type, bytes, &value, &err) == TUSK_OK, "%s: %s", c->text, err.message);
    ck_assert_int_eq(value.kind, TUSK_KIND_WIRE);
    assert_prints(&value, c->text);
    assert_sent(&value, bytes.ptr, bytes.len);
    release(bytes);
}
END_TEST

/* Three each, as values of their own; array_test makes arrays of them. */
START_TEST(each_container_has_its_samples)
{
    for (uint32_t oid = 0; oid < 10000; oid++) {
        const tusk__codec *codec = tusk__codec_of(oid);

        if (codec && tusk__container_of(codec) && codec->decode != tusk__array_decode)
            ck_assert_msg(samples_of(oid)->n >= 3, "%s has too few samples", codec->name);
    }
}
END_TEST

START_TEST(printing_is_cut_and_says_the_whole_length)
{
    const both_formats *c = &container_cases[_i];
    tusk_str bytes = exact_hex(c->hex);
    size_t len = strlen(c->text);
    tusk_value value;
    tusk_error err;

    ck_assert_int_eq(decode(c->type, bytes, &value, &err), TUSK_OK);
    for (size_t size = 1; size <= len + 2; size++) {
        char *buf = malloc(size);
        size_t shown = size - 1 < len ? size - 1 : len;

        ck_assert_uint_eq(tusk__codec_of(c->type)->print(&value, buf, size), len);
        ck_assert_uint_eq(strlen(buf), shown);
        ck_assert(memcmp(buf, c->text, shown) == 0);
        free(buf);
    }
    release(bytes);
}
END_TEST

START_TEST(broken_bytes_are_refused_inside_their_block)
{
    const both_formats *c = &container_cases[_i];
    size_t whole = strlen(c->hex) / 2;
    tusk_value value;
    tusk_error err;

    for (size_t at = 0; at < whole; at++) {
        tusk_str bytes = exact_hex(c->hex), cut = exact(bytes.ptr, at);

        ck_assert_int_eq(decode(c->type, cut, &value, &err), TUSK_ERR_VALUE);
        release(cut);
        for (unsigned byte = 0; byte < 256; byte++) {
            mutable(bytes)[at] = (char)byte;
            if (decode(c->type, bytes, &value, &err) == TUSK_OK)
                assert_sent(&value, bytes.ptr, bytes.len);
            else
                ck_assert(err.code == TUSK_ERR_VALUE && err.message[0] != '\0');
        }
        release(bytes);
    }
}
END_TEST

/* ---- what is refused ------------------------------------------------------------------------------------------------------------------ */

static const struct {
    uint32_t type;
    const char *hex, *message;
} bad[] = {
    {TUSK_OID_INT4RANGE, "", "int4range in binary with flags that are none"},
    {TUSK_OID_INT4RANGE, "03", "int4range in binary with flags that are none"}, /* empty, and inclusive */
    {TUSK_OID_INT4RANGE, "0a0000000400000001", "int4range in binary with flags that are none"},
    {TUSK_OID_INT4RANGE, "140000000400000001", "int4range in binary with flags that are none"},
    {TUSK_OID_INT4RANGE, "38", "int4range in binary with flags that are none"},
    {TUSK_OID_INT4RANGE, "58", "int4range in binary with flags that are none"},
    {TUSK_OID_INT4RANGE, "98", "int4range in binary with flags that are none"},
    {TUSK_OID_INT4RANGE, "0100", "int4range in binary with more than its bounds"},
    {TUSK_OID_INT4RANGE, "1800", "int4range in binary with more than its bounds"},
    {TUSK_OID_INT4RANGE, "02", "int4range in binary without its lower bound"},
    {TUSK_OID_INT4RANGE, "0200000004000000", "int4range in binary without its lower bound"},
    {TUSK_OID_INT4RANGE, "12ffffffff", "int4range in binary without its lower bound"},
    {TUSK_OID_INT4RANGE, "12fffffffe", "int4range in binary without its lower bound"},
    {TUSK_OID_INT4RANGE, "020000000400000001", "int4range in binary without its upper bound"},
    {TUSK_OID_INT4RANGE, "08ffffffff", "int4range in binary without its upper bound"},
    {TUSK_OID_INT4RANGE, "0800000003000001", "upper bound: int4 in binary has 4 bytes, not 3"},
    {TUSK_OID_DATERANGE, "12000000047ffffffe", "lower bound: 2147483646 is beyond the range of date"},
    {TUSK_OID_INT4MULTIRANGE, "000000", "int4multirange in binary without its header"},
    {TUSK_OID_INT4MULTIRANGE, "00000001", "int4multirange in binary with fewer ranges than it says"},
    {TUSK_OID_INT4MULTIRANGE, "ffffffff0000000101", "int4multirange in binary with fewer ranges than it says"},
    {TUSK_OID_INT4MULTIRANGE, "000000000000000101", "int4multirange in binary with more or fewer ranges than it says"},
    {TUSK_OID_INT4MULTIRANGE, "000000010000000201", "int4multirange in binary with more or fewer ranges than it says"},
    {TUSK_OID_INT4MULTIRANGE, "00000001ffffffff00", "int4multirange in binary with a NULL"},
    {TUSK_OID_INT4MULTIRANGE, "00000001fffffffe00", "int4multirange in binary with more or fewer ranges than it says"},
    {TUSK_OID_INT4MULTIRANGE, "00000002000000011800000001ff",
     "range 2 of 2: int4range in binary with flags that are none"},
    {TUSK_OID_INT4MULTIRANGE, "000000010000000000", "int4multirange in binary with more or fewer ranges than it says"},
    {TUSK_OID_INT4RANGE_ARRAY,
     "00000001"
     "00000000"
     "00000f40"
     "00000001"
     "00000001"
     "0000000103",
     "element 1 of 1: int4range in binary with flags that are none"},
};

/* Neither read, nor sent as what somebody else has read. */
START_TEST(bytes_of_no_range_are_refused)
{
    tusk_str bytes = exact_hex(bad[_i].hex);
    tusk_value value, given = tusk__bytes_of(bad[_i].type, TUSK_KIND_WIRE, bytes);
    tusk_error err;

    ck_assert_int_eq(decode(bad[_i].type, bytes, &value, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.message, bad[_i].message);
    ck_assert_int_eq(tusk__value_decode(bad[_i].type, 1, bytes, &value, NULL), TUSK_ERR_VALUE);
    refused(&given, TUSK_ERR_VALUE, err.sqlstate, bad[_i].message);
    release(bytes);
}
END_TEST

/* ---- parts ------------------------------------------------------------------------------------------------------------------------------ */

/* Taken apart and put together, each is the same bytes. */
START_TEST(parts_make_the_same_bytes)
{
    const both_formats *c = &container_cases[_i];
    tusk_str bytes = exact_hex(c->hex);
    tusk_value value, made;
    tusk_range_parts range, ranges[8];
    tusk_multirange_view view;
    tusk_multirange_parts parts = {c->type, ranges, 0};
    tusk_error err;

    ck_assert_int_eq(decode(c->type, bytes, &value, &err), TUSK_OK);
    if (tusk_value_to_range(&value, &range, &err) == TUSK_OK) {
        made = tusk_range(&range);
        assert_sent(&made, bytes.ptr, bytes.len);
    }
    if (tusk_value_to_multirange(&value, &view, &err) == TUSK_OK) {
        for (tusk_multirange_iter it = tusk_multirange_begin(&view);
             tusk_multirange_next(&it, &ranges[parts.n], &err) == TUSK_OK;)
            parts.n++;
        ck_assert_uint_eq(parts.n, view.n);
        made = tusk_multirange_of(&parts);
        assert_sent(&made, bytes.ptr, bytes.len);
        made = tusk_multirange(&view);
        assert_sent(&made, bytes.ptr, bytes.len);
    }
    release(bytes);
}
END_TEST

START_TEST(what_is_in_a_range_is_told)
{
    tusk_str bytes = exact_hex("060000000c0002000000000002000113880000000800000000c0000000");
    tusk_value value = tusk__bytes_of(TUSK_OID_NUMRANGE, TUSK_KIND_WIRE, bytes);
    tusk_range_parts range;
    tusk_numeric_view n;
    tusk_error err;

    ck_assert_int_eq(tusk_value_to_range(&value, &range, &err), TUSK_OK);
    ck_assert(!range.is_empty && !range.lower_exclusive && range.upper_inclusive);
    ck_assert_int_eq(tusk_value_to_numeric(&range.lower, &n, &err), TUSK_OK);
    ck_assert_int_eq(n.dscale, 2);
    ck_assert_int_eq(tusk_value_to_numeric(&range.upper, &n, &err), TUSK_OK);
    ck_assert(tusk_numeric_is_nan(n));
    ck_assert_int_eq(tusk_value_to_array(&value, &(tusk_array_view){0}, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, "the value is numrange, not an array");
    ck_assert_int_eq(tusk_value_to_numeric(&value, &n, &err), TUSK_ERR_TYPE);
    release(bytes);
}
END_TEST

START_TEST(a_bound_that_does_not_fit_is_named)
{
    tusk_range_parts range = {.type = TUSK_OID_INT4RANGE, .lower = tusk_int8(INT64_C(1) << 40)};
    tusk_multirange_parts multirange = {TUSK_OID_INT4MULTIRANGE, &range, 1};
    tusk_value value = tusk_range(&range);

    refused(&value, TUSK_ERR_VALUE, "22003", "lower bound: 1099511627776 does not fit int4");
    range.lower = tusk_null();
    range.upper = tusk_text("5");
    refused(&value, TUSK_ERR_TYPE, "42804", "upper bound: the statement wants int4 here, not text");
    value = tusk_multirange_of(&multirange);
    refused(&value, TUSK_ERR_TYPE, "42804", "range 1 of 1: upper bound: the statement wants int4 here, not text");
    range.type = TUSK_OID_INT8RANGE;
    refused(&value, TUSK_ERR_TYPE, "42804", "range 1 of 1: the statement wants int4range here, not int8range");
    range.type = 0;
    range.upper = tusk_int4(3);
    release(sent(&value));
    range.type = TUSK_OID_INT4;
    value = tusk_range(&range);
    refused(&value, TUSK_ERR_TYPE, "42804",
            "a tusk_value of int4 and of kind TUSK_KIND_RANGE: that type has TUSK_KIND_INT");
}
END_TEST

START_TEST(held_ranges_need_nothing_of_the_callers)
{
    unsigned char digits[2][TUSK_NUMERIC_INT_SIZE];
    tusk_range_parts ranges[] = {
        {.type = TUSK_OID_NUMRANGE, .lower = tusk_numeric(tusk_numeric_from_int64(12345, digits[0]))},
        {.type = TUSK_OID_NUMRANGE, .upper = tusk_numeric(tusk_numeric_from_int64(-7, digits[1]))}};
    tusk_multirange_parts multirange = {TUSK_OID_NUMMULTIRANGE, ranges, 2};
    tusk_value before[] = {tusk_range(&ranges[0]), tusk_multirange_of(&multirange)}, held[2];
    tusk_str bytes[2];
    size_t size = 0;
    uint8_t *memory, *at;

    for (int i = 0; i < 2; i++) {
        ck_assert(tusk__value_held_size(&before[i], &size));
        bytes[i] = sent(&before[i]);
        held[i] = before[i];
    }
    at = memory = malloc(size);
    for (int i = 0; i < 2; i++)
        tusk__value_hold(&held[i], &at);
    ck_assert_uint_le((size_t)(at - memory), size);
    memset(digits, 0x7f, sizeof digits);
    memset(ranges, 0x7f, sizeof ranges);
    memset(&multirange, 0x7f, sizeof multirange);
    for (int i = 0; i < 2; i++) {
        assert_sent(&held[i], bytes[i].ptr, bytes[i].len);
        release(bytes[i]);
    }
    free(memory);
}
END_TEST

/* A bound that is the range itself: no copy, and no message. */
START_TEST(a_value_that_holds_itself_is_refused)
{
    tusk_range_parts range = {.type = TUSK_OID_INT4RANGE};
    tusk_value value = tusk_range(&range);
    size_t size = 0;

    range.lower = value;
    ck_assert(!tusk__value_held_size(&value, &size));
    ck_assert_uint_eq(tusk__param_size(&value), SIZE_MAX);
}
END_TEST

#define LOOP(tc, test, cases) tcase_add_loop_test(tc, test, 0, (int)N_OF(cases))

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("range");
    TCase *tc = tcase_create("range");

    tcase_set_timeout(tc, 120);
    LOOP(tc, each_sample_survives_both_ways, container_cases);
    LOOP(tc, printing_is_cut_and_says_the_whole_length, container_cases);
    LOOP(tc, broken_bytes_are_refused_inside_their_block, container_cases);
    LOOP(tc, parts_make_the_same_bytes, container_cases);
    LOOP(tc, bytes_of_no_range_are_refused, bad);
    tcase_add_test(tc, each_container_has_its_samples);
    tcase_add_test(tc, what_is_in_a_range_is_told);
    tcase_add_test(tc, a_bound_that_does_not_fit_is_named);
    tcase_add_test(tc, held_ranges_need_nothing_of_the_callers);
    tcase_add_test(tc, a_value_that_holds_itself_is_refused);
    suite_add_tcase(suite, tc);
    return suite;
}
