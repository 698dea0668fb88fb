/* Tests of proto/saslprep against a table that Python's stringprep and unicodedata computed, and its bounds.
 * Not tested here: every code point alone (the generator's reference covers the classes).
 * Read first: proto/saslprep_tables.py, which writes test/saslprep_cases.h. */
#include "proto/saslprep.h"
#include "test/harness/harness.h"
#include "test/saslprep_cases.h"

START_TEST(saslprep_agrees_with_the_reference)
{
    tusk_str in = tusk_str_from(cases[_i].in, cases[_i].in_len), out;
    tusk_str expected = cases[_i].out ? tusk_str_from(cases[_i].out, cases[_i].out_len) : in;
    tusk__saslprep_buf buf;

    ck_assert_int_eq(tusk__saslprep(in, &buf, &out), TUSK_OK);
    ck_assert_msg(tusk_str_equal(out, expected), "%s", cases[_i].name);
    if (!cases[_i].out)
        ck_assert_msg(out.ptr == in.ptr, "%s: used raw, so not copied", cases[_i].name);
}
END_TEST

/* What was prepared once is prepared: RFC 4013 results that are allowed again map to themselves. */
START_TEST(saslprep_is_stable)
{
    tusk_str out, again;
    tusk__saslprep_buf buf, buf2;

    if (!cases[_i].out)
        return;
    ck_assert_int_eq(tusk__saslprep(tusk_str_from(cases[_i].in, cases[_i].in_len), &buf, &out), TUSK_OK);
    ck_assert_int_eq(tusk__saslprep(out, &buf2, &again), TUSK_OK);
    ck_assert_msg(tusk_str_equal(out, again), "%s", cases[_i].name);
}
END_TEST

static tusk_code prepare_repeated(const char *unit, size_t n, size_t *len)
{
    static char in[8 * (TUSK__SASLPREP_MAX + 1)];
    size_t unit_len = strlen(unit);
    tusk__saslprep_buf buf;
    tusk_str out;
    tusk_code code;

    for (size_t i = 0; i < n; i++)
        memcpy(in + i * unit_len, unit, unit_len);
    code = tusk__saslprep(tusk_str_from(in, n * unit_len), &buf, &out);
    *len = out.len;
    return code;
}

/* units: code points that one character decomposes to */
static const struct {
    const char *name, *unit;
    size_t units, out_len;
} lengths[] = {
    {"stays one", "\303\237", 1, 2},           {"two, composed again", "\303\251", 2, 2},
    {"hangul of three", "\352\260\201", 3, 3}, {"ligature of eighteen", "\357\267\272", 18, 33},
    {"four bytes", "\360\220\220\250", 1, 4},
};

START_TEST(d5_saslprep_takes_what_fits_and_no_more)
{
    size_t most = TUSK__SASLPREP_MAX / lengths[_i].units, len;

    ck_assert_int_eq(prepare_repeated(lengths[_i].unit, most, &len), TUSK_OK);
    ck_assert_msg(len == most * lengths[_i].out_len, "%s: %zu bytes", lengths[_i].name, len);
    ck_assert_int_eq(prepare_repeated(lengths[_i].unit, most + 1, &len), TUSK_ERR_LIMIT);
}
END_TEST

START_TEST(saslprep_takes_ascii_of_any_length_as_it_is)
{
    static char in[100000];
    tusk__saslprep_buf buf;
    tusk_str out;

    memset(in, 'x', sizeof in);
    ck_assert_int_eq(tusk__saslprep(tusk_str_from(in, sizeof in), &buf, &out), TUSK_OK);
    ck_assert(out.ptr == in && out.len == sizeof in);
}
END_TEST

START_TEST(saslprep_of_a_long_text_that_is_not_utf8_is_raw_and_no_limit)
{
    static char in[3 * TUSK__SASLPREP_MAX + 1];
    tusk__saslprep_buf buf;
    tusk_str out;

    for (size_t i = 0; i + 1 < sizeof in; i++)
        in[i] = i % 2 ? '\251' : '\303';
    in[sizeof in - 1] = '\377';
    ck_assert_int_eq(tusk__saslprep(tusk_str_from(in, sizeof in), &buf, &out), TUSK_OK);
    ck_assert(out.ptr == in && out.len == sizeof in);
}
END_TEST

START_TEST(saslprep_takes_the_empty_password)
{
    tusk__saslprep_buf buf;
    tusk_str out;

    ck_assert_int_eq(tusk__saslprep(tusk_str_from(NULL, 0), &buf, &out), TUSK_OK);
    ck_assert_uint_eq(out.len, 0);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *s = suite_create("saslprep");
    TCase *t = tcase_create("saslprep");
    int n_cases = (int)(sizeof cases / sizeof cases[0]);

    tcase_add_loop_test(t, saslprep_agrees_with_the_reference, 0, n_cases);
    tcase_add_loop_test(t, saslprep_is_stable, 0, n_cases);
    tcase_add_loop_test(t, d5_saslprep_takes_what_fits_and_no_more, 0, (int)(sizeof lengths / sizeof lengths[0]));
    tcase_add_test(t, saslprep_takes_ascii_of_any_length_as_it_is);
    tcase_add_test(t, saslprep_of_a_long_text_that_is_not_utf8_is_raw_and_no_limit);
    tcase_add_test(t, saslprep_takes_the_empty_password);
    suite_add_tcase(s, t);
    return s;
}
