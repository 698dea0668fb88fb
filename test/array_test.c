/* Tests of arrays: the samples of every array type both ways, whatever a server may send instead, C's arrays, and arrays made of values.
 * Read first: tusk/array.h, lib/codec/nested.h. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "test/array_samples.h"
#include "test/container_checks.h"
#include "test/harness/harness.h"

/* ---- every type ------------------------------------------------------------------------------------------------------------------------ */

static void check_view(const array_sample *s, tusk_str bytes)
{
    tusk_array_view view;
    tusk_error err;

    ck_assert_int_eq(tusk__array_view_of(s->type, bytes, &view, NULL), TUSK_OK);
    ck_assert_uint_eq(view.type, s->type);
    ck_assert_uint_eq(view.element, s->element);
    ck_assert_uint_eq(view.n, s->n);
    ck_assert_uint_eq(view.n_nulls, s->n_nulls);
    for (tusk_array_iter it = tusk_array_begin(&view);;) {
        tusk_value value;
        size_t i = view.n - it.left;
        tusk_code code = tusk_array_next(&it, &value, &err);
        const both_formats *c = element_sample(s->element, i);

        if (code == TUSK_DONE) {
            ck_assert_uint_eq(i, s->n);
            return;
        }
        ck_assert_int_eq(code, TUSK_OK);
        ck_assert_uint_eq(value.type, s->element);
        if (value.kind != TUSK_KIND_NULL)
            assert_prints(&value, c->text);
    }
}

START_TEST(each_array_type_has_samples_that_survive_both_ways)
{
    uint32_t type = array_type_at(_i);

    ck_assert_str_eq(tusk__codec_of(type)->name, tusk__type_name(type));
    ck_assert_msg(samples_of(tusk__type_element(type))->n >= 2, "%s has too few samples", tusk__type_name(type));
    for (int which = 0; which < ARRAY_SAMPLES; which++) {
        array_sample s = array_sample_of(type, which);
        tusk_str bytes = exact(s.wire, s.len);
        tusk_value value;
        tusk_error err;

        ck_assert_msg(decode(type, bytes, &value, &err) == TUSK_OK, "%.80s: %s", s.text, err.message);
        ck_assert_int_eq(value.kind, TUSK_KIND_WIRE);
        assert_prints(&value, s.text);
        assert_sent(&value, s.wire, s.len);
        if (which < 3)
            check_view(&s, bytes);
        ck_assert(which < 3 || s.len >= 100000);
        release(bytes);
        array_sample_free(&s);
    }
}
END_TEST

/* Values from the walk, put together again, are the same bytes. */
START_TEST(an_array_made_of_its_elements_is_the_same)
{
    array_sample s = array_sample_of(array_type_at(_i), 1);
    tusk_value values[64];
    tusk_array_view view;
    tusk_array_parts parts = {.values = values};
    tusk_value value;

    ck_assert_int_eq(tusk__array_view_of(s.type, tusk_str_from(s.wire, s.len), &view, NULL), TUSK_OK);
    for (tusk_array_iter it = tusk_array_begin(&view); tusk_array_next(&it, &values[parts.n], NULL) == TUSK_OK;)
        parts.n++;
    value = tusk_array_of(s.type, &parts);
    assert_sent(&value, s.wire, s.len);
    parts.ndim = view.ndim;
    parts.dims = view.dims;
    parts.lower = view.lower;
    assert_sent(&value, s.wire, s.len);
    value = tusk_array(&view);
    assert_sent(&value, s.wire, s.len);
    array_sample_free(&s);
}
END_TEST

/* Of these there is no column and no parameter. */
static bool has_none(uint32_t type)
{
    return type == TUSK_OID_UNKNOWN || type == TUSK_OID_PG_NODE_TREE || type == TUSK_OID_CSTRING ||
           type == TUSK_OID_VOID;
}

START_TEST(every_codec_of_an_element_has_its_array)
{
    for (uint32_t oid = 0; oid < 10000; oid++) {
        const tusk__codec *codec = tusk__codec_of(oid);

        if (!codec || codec->decode == tusk__array_decode || has_none(oid))
            continue;
        for (uint32_t array = 1; array < 10000; array++) {
            const tusk__codec *its = tusk__codec_of(array);

            if (its && its->decode == tusk__array_decode && tusk__type_element(array) == oid)
                codec = NULL;
        }
        ck_assert_msg(codec == NULL, "%s has no array", tusk__type_name(oid));
    }
}
END_TEST

/* snprintf's contract, at every size. */
START_TEST(printing_is_cut_and_says_the_whole_length)
{
    array_sample s = array_sample_of(array_type_at(_i), 1);
    size_t len = strlen(s.text);
    tusk_value value;
    tusk_error err;

    ck_assert_int_eq(decode(s.type, tusk_str_from(s.wire, s.len), &value, &err), TUSK_OK);
    for (size_t size = 1; size <= len + 2; size += 1 + size / 100) {
        char *buf = malloc(size);
        size_t shown = size - 1 < len ? size - 1 : len;

        ck_assert_uint_eq(tusk__codec_of(s.type)->print(&value, buf, size), len);
        ck_assert_uint_eq(strlen(buf), shown);
        ck_assert(memcmp(buf, s.text, shown) == 0);
        free(buf);
    }
    array_sample_free(&s);
}
END_TEST

/* Every beginning of it, and each of its bytes replaced: read inside the block, or refused with a reason. */
START_TEST(a_broken_array_is_refused_inside_its_block)
{
    array_sample s = array_sample_of(array_type_at(_i), 2);
    tusk_value value;
    tusk_error err;

    for (size_t len = 0; len < s.len; len++) {
        tusk_str bytes = exact(s.wire, len);

        ck_assert_int_eq(decode(s.type, bytes, &value, &err), TUSK_ERR_VALUE);
        ck_assert_str_eq(err.sqlstate, "22P03");
        release(bytes);
    }
    for (size_t at = 0; at < s.len; at++) {
        tusk_str bytes = exact(s.wire, s.len);

        for (unsigned byte = 0; byte < 256; byte += 15) {
            mutable(bytes)[at] = (char)byte;
            if (decode(s.type, bytes, &value, &err) == TUSK_OK)
                assert_sent(&value, bytes.ptr, bytes.len);
            else
                ck_assert(err.code == TUSK_ERR_VALUE && err.message[0] != '\0');
        }
        release(bytes);
    }
    array_sample_free(&s);
}
END_TEST

/* ---- what is refused ------------------------------------------------------------------------------------------------------------------ */

#define INT4 "00000017"
#define ONE "00000001"
#define SEVEN_LONG                                                                                                     \
    "00000007"                                                                                                         \
    "00000000" INT4 ONE ONE ONE ONE ONE ONE ONE ONE ONE ONE ONE ONE ONE ONE "00000004"                                 \
    "00000009"

static const struct {
    const char *hex, *message;
} bad_arrays[] = {
    {"", "_int4 in binary without its header"},
    {"0000000000000000000000", "_int4 in binary without its header"},
    {ONE "00000000" INT4 ONE, "_int4 in binary without its header"},
    {SEVEN_LONG, "_int4 in binary with 7 dimensions"},
    {"ffffffff00000000" INT4, "_int4 in binary with 4294967295 dimensions"},
    {"0000000000000002" INT4, "_int4 in binary with flags that are none"},
    {"0000000000000000"
     "00000014",
     "_int4 in binary with elements of type 20"},
    {ONE "00000000" INT4 "ffffffff" ONE, "_int4 in binary with a dimension of less than nothing"},
    {ONE "00000000" INT4 "80000000" ONE, "_int4 in binary with a dimension of less than nothing"},
    {ONE "00000000" INT4 "08000000" ONE, "_int4 in binary with more elements than an array can have"},
    {"00000002"
     "00000000" INT4 "00010000" ONE "00010000" ONE,
     "_int4 in binary with more elements than an array can have"},
    {"00000006"
     "00000000" INT4 "00000020" ONE "00000020" ONE "00000020" ONE "00000020" ONE "00000020" ONE "00000020" ONE,
     "_int4 in binary with more elements than an array can have"},
    {ONE "00000000" INT4 ONE "7fffffff"
         "00000004"
         "00000009",
     "_int4 in binary with a lower bound that is too high for its length"},
    {ONE "00000000" INT4 "07ffffff" ONE "0000000400000009", "_int4 in binary with fewer elements than it says"},
    {ONE "00000000" INT4 "00000002" ONE "0000000400000009", "_int4 in binary with more or fewer elements than it says"},
    {ONE "00000000" INT4 ONE ONE "000000040000000900", "_int4 in binary with more or fewer elements than it says"},
    {"0000000000000000" INT4 "0000000400000009", "_int4 in binary with more or fewer elements than it says"},
    {ONE "00000000" INT4 ONE ONE "00000005"
         "00000009",
     "_int4 in binary with more or fewer elements than it says"},
    {ONE "00000000" INT4 ONE ONE "fffffffe"
         "00000009",
     "_int4 in binary with more or fewer elements than it says"},
    {ONE "00000000" INT4 ONE ONE "80000000"
         "00000009",
     "_int4 in binary with more or fewer elements than it says"},
    {ONE "00000000" INT4 ONE ONE "ffffffff", "_int4 in binary with a NULL that it says is not there"},
    {ONE "00000000" INT4 ONE ONE "00000003"
         "000009",
     "element 1 of 1: int4 in binary has 4 bytes, not 3"},
};

START_TEST(a_header_that_lies_is_refused)
{
    tusk_str bytes = exact_hex(bad_arrays[_i].hex);
    tusk_value value;
    tusk_error err;

    ck_assert_int_eq(decode(TUSK_OID_INT4_ARRAY, bytes, &value, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.message, bad_arrays[_i].message);
    ck_assert_str_eq(err.sqlstate, "22P03");
    ck_assert_int_eq(tusk__value_decode(TUSK_OID_INT4_ARRAY, 1, bytes, &value, NULL), TUSK_ERR_VALUE);
    release(bytes);
}
END_TEST

/* On their borders such headers are right: dimensions of nothing, a flag without a NULL, the highest bound. */
START_TEST(a_header_at_its_ends_is_taken)
{
    static const struct {
        const char *hex, *text;
    } good[] = {
        {"0000000000000000" INT4, "{}"},
        {"0000000000000001" INT4, "{}"},
        {ONE "00000000" INT4 "00000000" ONE, "{}"},
        {"00000002"
         "00000000" INT4 "07ffffff" ONE "00000000"
         "7fffffff",
         "{}"},
        {ONE ONE INT4 ONE ONE "00000004"
                              "00000009",
         "{9}"},
        {ONE ONE INT4 ONE ONE "ffffffff", "{NULL}"},
        {ONE "00000000" INT4 ONE "7ffffffe"
             "00000004"
             "00000009",
         "[2147483646:2147483646]={9}"},
        {ONE "00000000" INT4 ONE "80000000"
             "00000004"
             "00000009",
         "[-2147483648:-2147483648]={9}"},
        {"00000006"
         "00000000" INT4 ONE ONE ONE ONE ONE ONE ONE ONE ONE ONE "00000002" ONE "00000004"
         "00000009"
         "00000004"
         "00000008",
         "{{{{{{9,8}}}}}}"},
        {"00000003"
         "00000000" INT4 "00000002" ONE ONE ONE "00000002" ONE "0000000400000001"
         "0000000400000002"
         "0000000400000003"
         "0000000400000004",
         "{{{1,2}},{{3,4}}}"},
    };

    for (size_t i = 0; i < N_OF(good); i++) {
        tusk_str bytes = exact_hex(good[i].hex);
        tusk_value value;
        tusk_error err;

        ck_assert_msg(decode(TUSK_OID_INT4_ARRAY, bytes, &value, &err) == TUSK_OK, "%s: %s", good[i].text, err.message);
        assert_prints(&value, good[i].text);
        assert_sent(&value, bytes.ptr, bytes.len);
        release(bytes);
    }
}
END_TEST

/* The view is made without looking into elements; the walk names the one, and goes on behind it. */
START_TEST(one_bad_element_leaves_the_others)
{
    tusk_str bytes = exact_hex("00000001"
                               "00000000"
                               "00000010"
                               "00000003"
                               "00000001"
                               "0000000101"
                               "0000000102"
                               "0000000100");
    tusk_array_view view;
    tusk_array_iter it;
    tusk_value value = tusk_null();
    tusk_error err;

    ck_assert_int_eq(tusk__array_view_of(TUSK_OID_BOOL_ARRAY, bytes, &view, NULL), TUSK_OK);
    it = tusk_array_begin(&view);
    ck_assert_int_eq(tusk_array_next(&it, &value, &err), TUSK_OK);
    ck_assert(value.as.boolean);
    ck_assert_int_eq(tusk_array_next(&it, &value, &err), TUSK_ERR_VALUE);
    ck_assert_ptr_nonnull(strstr(err.message, "element 2 of 3: "));
    ck_assert(value.as.boolean);
    ck_assert_int_eq(tusk_array_next(&it, &value, &err), TUSK_OK);
    ck_assert(!value.as.boolean);
    ck_assert_int_eq(tusk_array_next(&it, &value, &err), TUSK_DONE);
    ck_assert_int_eq(tusk_array_next(&it, &value, NULL), TUSK_DONE);
    ck_assert_int_eq(decode(TUSK_OID_BOOL_ARRAY, bytes, &value, &err), TUSK_ERR_VALUE);
    release(bytes);
}
END_TEST

static uint32_t array_of(uint32_t element)
{
    for (int i = 0; array_type_at(i); i++)
        if (tusk__type_element(array_type_at(i)) == element)
            return array_type_at(i);
    ck_abort_msg("%u has no array", element);
    return 0;
}

/* ---- quoting -------------------------------------------------------------------------------------------------------------------------- */

/* As PostgreSQL prints them. */
START_TEST(texts_are_quoted_as_postgresql_quotes_them)
{
    static const tusk_str texts[] = {{"", 0},   {"null", 4}, {"NuLL", 4}, {"nulls", 5}, {"a b", 3}, {"{", 1},
                                     {"}", 1},  {",", 1},    {";", 1},    {"\"", 1},    {"\\", 1},  {"a\"\\b", 4},
                                     {"\t", 1}, {"\v", 1},   {"'", 1},    {"()", 2},    {"ü", 2}};
    tusk_value value = tusk_array_of_text(texts, N_OF(texts)), back;
    tusk_str bytes = sent(&value);
    tusk_error err;

    ck_assert_int_eq(decode(TUSK_OID_TEXT_ARRAY, bytes, &back, &err), TUSK_OK);
    assert_prints(&back, "{\"\",\"null\",\"NuLL\",nulls,\"a "
                         "b\",\"{\",\"}\",\",\",;,\"\\\"\",\"\\\\\",\"a\\\"\\\\b\",\"\t\",\"\v\",',(),ü}");
    release(bytes);
}
END_TEST

/* Long elements are written without memory of their own, wherever the buffer ends. */
START_TEST(long_elements_are_printed_whole_and_cut)
{
    const long_value *v = &long_values[_i];
    char *text = long_text(v), *hex = long_hex(v), *buf = malloc(strlen(text) + 64);
    array_maker m = {.text = NULL};
    tusk_str element = exact_hex(hex), bytes;
    tusk_value value = tusk_raw(v->type, element.ptr, element.len), back;
    tusk_array_parts parts = {.values = &value, .n = 1};
    tusk_value array;
    size_t len;
    tusk_error err;

    say(&m, "{", 1);
    say_quoted(&m, text, ',');
    say(&m, "}", 1);
    array = tusk_array_of(array_of(v->type), &parts);
    bytes = sent(&array);
    ck_assert_msg(decode(array.type, bytes, &back, &err) == TUSK_OK, "%s", err.message);
    assert_prints(&back, m.text);
    for (size_t size = 500; size < 530; size++) {
        len = tusk__codec_of(array.type)->print(&back, buf, size);
        ck_assert_uint_eq(len, m.len);
        ck_assert_uint_eq(strlen(buf), size - 1);
        ck_assert(memcmp(buf, m.text, size - 1) == 0);
    }
    release(bytes);
    release(element);
    free(m.text);
    free(text);
    free(hex);
    free(buf);
}
END_TEST

/* One lexeme of 1000 quotes: each is escaped, also where the element is longer than any scratch. */
START_TEST(a_long_element_is_escaped_to_its_end)
{
    char wire[4 + 1000 + 1 + 2] = {0, 0, 0, 1}, expected[2 * 1000 + 7] = "{\"'", buf[sizeof expected];
    tusk_value value = tusk_raw(TUSK_OID_TSVECTOR, wire, sizeof wire), array, back;
    tusk_array_parts parts = {.values = &value, .n = 1};
    tusk_str bytes;
    tusk_error err;

    memset(wire + 4, '"', 1000);
    for (size_t i = 3; i < 2003; i++)
        expected[i] = i % 2 ? '\\' : '"';
    memcpy(expected + 2003, "'\"}", 4);
    array = tusk_array_of(TUSK_OID_TSVECTOR_ARRAY, &parts);
    bytes = sent(&array);
    ck_assert_msg(decode(array.type, bytes, &back, &err) == TUSK_OK, "%s", err.message);
    assert_prints(&back, expected);
    ck_assert_uint_eq(tusk__codec_of(array.type)->print(&back, buf, 1500), strlen(expected));
    ck_assert(strlen(buf) == 1499 && memcmp(buf, expected, 1499) == 0);
    release(bytes);
}
END_TEST

/* ---- C's arrays ------------------------------------------------------------------------------------------------------------------------ */

static tusk_array_view view_of(tusk_value value, tusk_str *bytes)
{
    tusk_array_view view;

    *bytes = sent(&value);
    ck_assert_int_eq(tusk__array_view_of(value.type, *bytes, &view, NULL), TUSK_OK);
    return view;
}

#define BOTH_WAYS(name, c_type, ...)                                                                                   \
    START_TEST(a_c_array_of_##name##_goes_both_ways)                                                                   \
    {                                                                                                                  \
        static const c_type there[] = {__VA_ARGS__};                                                                   \
        c_type back[N_OF(there)];                                                                                      \
        uint8_t valid[2] = {0, 0};                                                                                     \
        tusk_str bytes;                                                                                                \
        tusk_array_view view = view_of(tusk_array_of_##name(there, N_OF(there)), &bytes);                              \
        tusk_value none = tusk_array_of_##name(there, 0);                                                              \
                                                                                                                       \
        ck_assert_int_eq(tusk_array_to_##name(&view, back, N_OF(there), NULL, NULL), TUSK_OK);                         \
        ck_assert(memcmp(there, back, sizeof there) == 0);                                                             \
        memset(back, 0xAA, sizeof back);                                                                               \
        ck_assert_int_eq(tusk_array_to_##name(&view, back, N_OF(there), valid, NULL), TUSK_OK);                        \
        ck_assert(memcmp(there, back, sizeof there) == 0);                                                             \
        ck_assert_uint_eq(valid[0], (1 << N_OF(there)) - 1);                                                           \
        ck_assert_int_eq(tusk_array_to_##name(&view, back, N_OF(there) - 1, NULL, NULL), TUSK_ERR_LIMIT);              \
        release(bytes);                                                                                                \
        view = view_of(none, &bytes);                                                                                  \
        ck_assert_int_eq(view.ndim, 0);                                                                                \
        ck_assert_int_eq(tusk_array_to_##name(&view, back, 0, valid, NULL), TUSK_OK);                                  \
        ck_assert_uint_eq(valid[0], (1 << N_OF(there)) - 1);                                                           \
        release(bytes);                                                                                                \
    }                                                                                                                  \
    END_TEST

BOTH_WAYS(bool, bool, true, false, true)
BOTH_WAYS(int2, int16_t, 0x0102, INT16_MIN, -1)
BOTH_WAYS(int4, int32_t, 0x01020304, INT32_MIN, -1)
BOTH_WAYS(int8, int64_t, INT64_C(0x0102030405060708), INT64_MIN, -1)
BOTH_WAYS(oid, uint32_t, 0x01020304, UINT32_MAX, 0)
BOTH_WAYS(float4, float, 1.5f, -0.1f, 1e-45f)
BOTH_WAYS(float8, double, 1.5, -0.1, 5e-324)
BOTH_WAYS(date, int32_t, TUSK_DATE_INFINITY, TUSK__DATE_MIN, 7)
BOTH_WAYS(time, int64_t, 0, TUSK__US_PER_DAY, 0x010203)
BOTH_WAYS(timestamp, int64_t, TUSK_TIMESTAMP_INFINITY, TUSK__TIMESTAMP_MIN, 7)
BOTH_WAYS(timestamptz, int64_t, TUSK_TIMESTAMP_MINUS_INFINITY, TUSK__TIMESTAMP_END - 1, 0x0102030405)

START_TEST(c_arrays_of_texts_bytes_and_uuids_go_both_ways)
{
    static const tusk_str texts[] = {{"a", 1}, {"", 0}, {"größer", 8}};
    uint8_t uuids[2][16], back_uuids[2][16];
    tusk_str back[3], bytes;
    tusk_array_view view = view_of(tusk_array_of_text(texts, 3), &bytes);

    ck_assert_int_eq(tusk_array_to_text(&view, back, 3, NULL, NULL), TUSK_OK);
    for (int i = 0; i < 3; i++) {
        ck_assert(tusk_str_equal(back[i], texts[i]));
        ck_assert_ptr_nonnull(back[i].ptr);
    }
    ck_assert_int_eq(tusk_array_to_bytea(&view, back, 3, NULL, NULL), TUSK_ERR_TYPE);
    release(bytes);
    view = view_of(tusk_array_of_bytea(texts, 3), &bytes);
    ck_assert_int_eq(tusk_array_to_bytea(&view, back, 3, NULL, NULL), TUSK_OK);
    ck_assert(tusk_str_equal(back[2], texts[2]));
    release(bytes);
    for (int i = 0; i < 32; i++)
        uuids[i / 16][i % 16] = (uint8_t)(i * 7);
    view = view_of(tusk_array_of_uuid(uuids[0], 2), &bytes);
    ck_assert_int_eq(tusk_array_to_uuid(&view, back_uuids, 2, NULL, NULL), TUSK_OK);
    ck_assert(memcmp(uuids, back_uuids, sizeof uuids) == 0);
    release(bytes);
}
END_TEST

/* Bit i % 8 of byte i / 8, from the lowest; those behind the last are 0, and no byte more is touched. */
START_TEST(the_bitmap_lies_as_arrow_lays_it)
{
    for (size_t n = 1; n <= 17; n++) {
        tusk_value values[17];
        tusk_array_parts parts = {.values = values, .n = n};
        uint8_t valid[] = {0x55, 0x55, 0x55, 0x55};
        int32_t out[17];
        tusk_str bytes;
        tusk_array_view view;

        for (size_t i = 0; i < n; i++)
            values[i] = i % 3 == 1 ? tusk_null() : tusk_int4((int32_t)i + 1);
        view = view_of(tusk_array_of(TUSK_OID_INT4_ARRAY, &parts), &bytes);
        ck_assert_int_eq(tusk_array_to_int4(&view, out, n, valid, NULL), TUSK_OK);
        for (size_t i = 0; i < 8 * ((n + 7) / 8); i++)
            ck_assert_int_eq(valid[i / 8] >> i % 8 & 1, i < n && i % 3 != 1);
        ck_assert_uint_eq(valid[(n + 7) / 8], 0x55);
        for (size_t i = 0; i < n; i++)
            ck_assert_int_eq(out[i], i % 3 == 1 ? 0 : (int32_t)i + 1);
        ck_assert_uint_eq(view.n_nulls, (n + 1) / 3);
        ck_assert_int_eq(tusk_array_to_int4(&view, out, n, NULL, NULL), n == 1 ? TUSK_OK : TUSK_ERR_NULL);
        release(bytes);
    }
}
END_TEST

/* As the getters of that name: what fits is read, what does not is named. */
START_TEST(elements_of_relatives_are_read_if_they_fit)
{
    static const int64_t wide[] = {1, -32768, 32767, 40000};
    static const double reals[] = {0.5, 0.1};
    int16_t two[4];
    int32_t four[4];
    uint32_t oids[4];
    float narrow[2];
    double real[2];
    tusk_str bytes;
    tusk_array_view view = view_of(tusk_array_of_int8(wide, 4), &bytes);
    tusk_error err;

    ck_assert_int_eq(tusk_array_to_int4(&view, four, 4, NULL, &err), TUSK_OK);
    ck_assert_int_eq(four[3], 40000);
    ck_assert_int_eq(tusk_array_to_int2(&view, two, 4, NULL, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.message, "element 4 of 4: 40000 does not fit int2");
    ck_assert_str_eq(err.sqlstate, "22003");
    ck_assert_int_eq(tusk_array_to_oid(&view, oids, 4, NULL, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.message, "element 2 of 4: -32768 does not fit oid");
    ck_assert_int_eq(tusk_array_to_float8(&view, real, 4, NULL, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, "the array is of int8, not float8");
    ck_assert_int_eq(tusk_array_to_timestamp(&view, (int64_t[4]){0}, 4, NULL, &err), TUSK_ERR_TYPE);
    ck_assert_int_eq(tusk_array_to_int4(&view, four, 3, NULL, &err), TUSK_ERR_LIMIT);
    ck_assert_str_eq(err.message, "the array has 4 elements, more than 3");
    release(bytes);
    view = view_of(tusk_array_of_float8(reals, 2), &bytes);
    ck_assert_int_eq(tusk_array_to_float4(&view, narrow, 2, NULL, &err), TUSK_ERR_VALUE);
    ck_assert_ptr_nonnull(strstr(err.message, "element 2 of 2: "));
    release(bytes);
    view = view_of(tusk_array_of_float4((const float[]){0.1f, 2}, 2), &bytes);
    ck_assert_int_eq(tusk_array_to_float8(&view, real, 2, NULL, &err), TUSK_OK);
    ck_assert(real[0] == (double)0.1f && real[1] == 2);
    release(bytes);
}
END_TEST

START_TEST(a_number_of_another_width_is_not_read_as_the_array_says)
{
    tusk_str bytes = exact_hex("00000001"
                               "00000000"
                               "00000017"
                               "00000002"
                               "00000001"
                               "000000030000ff"
                               "00000005000000ff00");
    tusk_array_view view = {0};
    int32_t out[2];
    tusk_error err;

    ck_assert_int_eq(tusk__array_view_of(TUSK_OID_INT4_ARRAY, bytes, &view, NULL), TUSK_OK);
    ck_assert_int_eq(tusk_array_to_int4(&view, out, 2, NULL, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.message, "element 1 of 2: int4 in binary has 4 bytes, not 3");
    release(bytes);
}
END_TEST

/* n float4, each its own index, in one dimension. */
static tusk_str uniform(size_t n)
{
    uint8_t head[20] = {0}, *p;
    tusk_str block;

    tusk__put32(head, 1);
    tusk__put32(head + 4, 1); /* there may be NULLs */
    tusk__put32(head + 8, TUSK_OID_FLOAT4);
    tusk__put32(head + 12, (uint32_t)n);
    tusk__put32(head + 16, 1);
    p = malloc(sizeof head + 8 * n);
    ck_assert_ptr_nonnull(p);
    memcpy(p, head, sizeof head);
    for (size_t i = 0; i < n; i++) {
        float real = (float)i;
        uint32_t bits;

        memcpy(&bits, &real, sizeof bits);
        tusk__put32(p + 20 + 8 * i, 4);
        tusk__put32(p + 24 + 8 * i, bits);
    }
    block = tusk_str_from(p, sizeof head + 8 * n);
    return block;
}

#define UNIFORM_MOST 40

/* Element i says that it has no bytes, or that it is NULL, and element j has its four: as long as a uniform array in all. */
static void shift(uint8_t *p, size_t i, size_t j, uint32_t len)
{
    memmove(p + 20 + 8 * i + 4, p + 20 + 8 * i + 8, 8 * (j - i));
    tusk__put32(p + 20 + 8 * i, len);
    tusk__put32(p + 20 + 8 * j - 4, 8);
}

START_TEST(an_array_as_long_as_a_uniform_one_is_none)
{
    static const uint32_t lengths[] = {0, UINT32_MAX};
    float floats[UNIFORM_MOST];
    uint8_t valid[(UNIFORM_MOST + 7) / 8];

    for (size_t n = 2; n <= UNIFORM_MOST; n++)
        for (size_t i = 0; i + 1 < n; i++) {
            tusk_str bytes = uniform(n);
            tusk_array_view view;
            tusk_error err;
            char where[64];

            shift((uint8_t *)(void *)mutable(bytes), i, n - 1, lengths[_i]);
            ck_assert_int_eq(tusk__array_view_of(TUSK_OID_FLOAT4_ARRAY, bytes, &view, NULL), TUSK_OK);
            ck_assert_uint_eq(view.n_nulls, (size_t)_i);
            ck_assert_int_eq(tusk_array_to_float4(&view, floats, n, valid, &err), TUSK_ERR_VALUE);
            (void)snprintf(where, sizeof where, "element %zu of %zu:", (_i ? n - 1 : i) + 1, n);
            ck_assert_msg(strncmp(err.message, where, strlen(where)) == 0, "%s, not %s", err.message, where);
            release(bytes);
        }
}
END_TEST

START_TEST(a_wrong_length_in_a_uniform_array_is_refused_wherever_it_is)
{
    static const uint32_t lengths[] = {0, 3, 5, 0x04000000, 0x104, 0x80000004, UINT32_MAX};

    for (size_t n = 1; n <= UNIFORM_MOST; n++)
        for (size_t i = 0; i < n; i++) {
            tusk_str bytes = uniform(n);
            tusk_array_view view;

            tusk__put32((uint8_t *)(void *)mutable(bytes) + 20 + 8 * i, lengths[_i]);
            ck_assert_msg(tusk__array_view_of(TUSK_OID_FLOAT4_ARRAY, bytes, &view, NULL) == TUSK_ERR_VALUE,
                          "%zu of %zu: %#x", i, n, lengths[_i]);
            release(bytes);
        }
}
END_TEST

/* Element i is NULL, and its four bytes are not there. */
START_TEST(a_null_in_the_middle_of_numbers_is_one)
{
    float floats[UNIFORM_MOST];
    uint8_t valid[(UNIFORM_MOST + 7) / 8];

    for (size_t n = 1; n <= UNIFORM_MOST; n++)
        for (size_t i = 0; i < n; i++) {
            tusk_str whole = uniform(n), bytes;
            uint8_t *p = (uint8_t *)(void *)mutable(whole);
            tusk_array_view view;

            memmove(p + 20 + 8 * i + 4, p + 20 + 8 * i + 8, 8 * (n - 1 - i));
            tusk__put32(p + 20 + 8 * i, UINT32_MAX);
            bytes = exact(whole.ptr, whole.len - 4);
            ck_assert_int_eq(tusk__array_view_of(TUSK_OID_FLOAT4_ARRAY, bytes, &view, NULL), TUSK_OK);
            ck_assert_uint_eq(view.n_nulls, 1);
            ck_assert_int_eq(tusk_array_to_float4(&view, floats, n, NULL, NULL), TUSK_ERR_NULL);
            ck_assert_int_eq(tusk_array_to_float4(&view, floats, n, valid, NULL), TUSK_OK);
            for (size_t j = 0; j < n; j++) {
                ck_assert(floats[j] == (j == i ? 0.0F : (float)j));
                ck_assert_int_eq(valid[j / 8] >> j % 8 & 1, j != i);
            }
            release(whole);
            release(bytes);
        }
}
END_TEST

START_TEST(there_is_nothing_in_an_array_that_is_null)
{
    tusk_array_view none = {0};
    tusk_array_iter it = tusk_array_begin(&none);
    tusk_value value = tusk_array(&none);
    int32_t out[1];
    tusk_error err;

    ck_assert_int_eq(value.kind, TUSK_KIND_NULL);
    ck_assert_int_eq(tusk_array_next(&it, &value, &err), TUSK_DONE);
    ck_assert_int_eq(tusk_array_to_int4(&none, out, 1, NULL, &err), TUSK_ERR_NULL);
    ck_assert_int_eq(tusk_array_of(TUSK_OID_INT4_ARRAY, NULL).kind, TUSK_KIND_NULL);
}
END_TEST

/* ---- made of values ------------------------------------------------------------------------------------------------------------------ */

static const tusk_value four_ints[] = {{TUSK_OID_INT4, TUSK_KIND_INT, {.integer = 1}},
                                       {TUSK_OID_INT8, TUSK_KIND_INT, {.integer = 2}},
                                       {TUSK_OID_INT2, TUSK_KIND_INT, {.integer = 3}},
                                       {TUSK_OID_INT4, TUSK_KIND_NULL, {.integer = 0}}};

START_TEST(a_shape_of_values_is_sent_as_it_is)
{
    tusk_array_parts parts = {
        .values = four_ints, .n = 4, .ndim = 2, .dims = (const int32_t[]){2, 2}, .lower = (const int32_t[]){0, -5}};
    tusk_value value = tusk_array_of(TUSK_OID_INT4_ARRAY, &parts), back;
    tusk_str bytes = sent(&value);
    tusk_error err;

    ck_assert_int_eq(decode(TUSK_OID_INT4_ARRAY, bytes, &back, &err), TUSK_OK);
    assert_prints(&back, "[0:1][-5:-4]={{1,2},{3,NULL}}");
    release(bytes);
    value = tusk_array_of(TUSK_OID_TEXT_ARRAY, TUSK_ARRAY(tusk_text("a"), tusk_varchar("b"), tusk_null()));
    bytes = sent(&value);
    ck_assert_int_eq(decode(TUSK_OID_TEXT_ARRAY, bytes, &back, &err), TUSK_OK);
    assert_prints(&back, "{a,b,NULL}");
    release(bytes);
    value = tusk_array_of(TUSK_OID_JSONB_ARRAY, TUSK_ARRAY(tusk_text("1"), tusk_jsonb_text("[]")));
    release(sent(&value)); /* each has a version: no more than was foretold */
}
END_TEST

START_TEST(a_wrong_shape_is_refused_before_it_is_sent)
{
    static const int32_t twos[] = {2, 2, 2, 2, 2, 2, 2}, one_and_three[] = {1, 3}, minus[] = {-2, -2};
    static const int32_t high[] = {INT32_MAX - 3, 1};
    tusk_array_parts parts = {.values = four_ints, .n = 4, .ndim = 7, .dims = twos};
    tusk_value value = tusk_array_of(TUSK_OID_INT4_ARRAY, &parts);

    refused(&value, TUSK_ERR_VALUE, "54000", "an array with 7 dimensions: there are 1 to 6");
    parts.ndim = -1;
    refused(&value, TUSK_ERR_VALUE, "54000", "an array with -1 dimensions: there are 1 to 6");
    parts.ndim = 2;
    parts.dims = one_and_three;
    refused(&value, TUSK_ERR_VALUE, "2202E", "an array of 4 values whose dimensions make 3");
    parts.dims = minus;
    refused(&value, TUSK_ERR_VALUE, "54000", "an array with a dimension of less than nothing");
    parts.ndim = 0;
    parts.lower = high;
    refused(&value, TUSK_ERR_VALUE, "54000", "an array with a lower bound that is too high for its length");
    parts.lower = NULL;
    parts.n = (size_t)1 << 40;
    refused(&value, TUSK_ERR_VALUE, "54000", "an array with more elements than an array can have");
}
END_TEST

START_TEST(an_element_that_does_not_fit_is_named)
{
    tusk_value value = tusk_array_of(TUSK_OID_INT2_ARRAY, TUSK_ARRAY(tusk_int4(1), tusk_int4(40000)));

    refused(&value, TUSK_ERR_VALUE, "22003", "element 2 of 2: 40000 does not fit int2");
    value = tusk_array_of(TUSK_OID_INT2_ARRAY, TUSK_ARRAY(tusk_text("1")));
    refused(&value, TUSK_ERR_TYPE, "42804", "element 1 of 1: the statement wants int2 here, not text");
    value = tusk_array_of(TUSK_OID_TEXT_ARRAY, TUSK_ARRAY(tusk_text("a"), tusk_text("\xFF")));
    refused(&value, TUSK_ERR_VALUE, "22021", "element 2 of 2: text that is not UTF-8 at offset 0");
    value = tusk_array_of(TUSK_OID_INT4, TUSK_ARRAY(tusk_int4(1)));
    refused(&value, TUSK_ERR_TYPE, "42804",
            "a tusk_value of int4 and of kind TUSK_KIND_ARRAY: that type has TUSK_KIND_INT");
    value = tusk_array_of_date((const int32_t[]){1, INT32_MAX - 1}, 2);
    refused(&value, TUSK_ERR_VALUE, "22008", "element 2 of 2: 2147483646 is beyond the range of date");
    value = tusk__c_array_of(TUSK_OID_NUMERIC_ARRAY, "", 0, 1);
    refused(&value, TUSK_ERR_TYPE, "42804", "C has no arrays of that type: make it of values");
}
END_TEST

/* A request that has to wait holds copies: nothing of the caller's is looked at later. */
START_TEST(a_held_array_needs_nothing_of_the_callers)
{
    char text[] = "text";
    int32_t dims[] = {1, 2}, lower[] = {4, 5}, ints[] = {7, 8};
    tusk_value values[] = {tusk_text(text), tusk_null()}, before[3], held[3];
    tusk_array_parts parts = {values, 2, 2, dims, lower};
    tusk_str strings[] = {tusk_str_from(text, 4), tusk_str_from(text, 2)}, bytes[3];
    size_t size = 0;
    uint8_t *memory, *at;

    before[0] = tusk_array_of(TUSK_OID_TEXT_ARRAY, &parts);
    before[1] = tusk_array_of_int4(ints, 2);
    before[2] = tusk_array_of_text(strings, 2);
    for (int i = 0; i < 3; i++) {
        ck_assert(tusk__value_held_size(&before[i], &size));
        bytes[i] = sent(&before[i]);
        held[i] = before[i];
    }
    at = memory = malloc(size);
    for (int i = 0; i < 3; i++)
        tusk__value_hold(&held[i], &at);
    ck_assert_uint_le((size_t)(at - memory), size);
    memset(text, '?', sizeof text);
    memset(dims, 0x7f, sizeof dims);
    memset(lower, 0x7f, sizeof lower);
    memset(ints, 0x7f, sizeof ints);
    memset(values, 0x7f, sizeof values);
    memset(&parts, 0x7f, sizeof parts);
    memset(strings, 0x7f, sizeof strings);
    for (int i = 0; i < 3; i++) {
        assert_sent(&held[i], bytes[i].ptr, bytes[i].len);
        release(bytes[i]);
    }
    free(memory);
}
END_TEST

/* ---- int2vector, oidvector --------------------------------------------------------------------------------------------------------------- */

static const struct {
    uint32_t type;
    const char *hex;
} bad_vectors[] = {
    {TUSK_OID_INT2VECTOR, "0000000000000000"
                          "00000015"},
    {TUSK_OID_INT2VECTOR, ONE "00000000"
                              "00000015" ONE ONE "00000002ffff"},
    {TUSK_OID_INT2VECTOR, ONE ONE "00000015" ONE "00000000"
                                  "ffffffff"},
    {TUSK_OID_OIDVECTOR, ONE "00000000"
                             "00000015" ONE "00000000"
                             "00000002ffff"},
    {TUSK_OID_OIDVECTOR, "00000002"
                         "00000000"
                         "0000001a" ONE "00000000" ONE "00000000"
                         "00000004ffffffff"},
};

START_TEST(a_vector_of_another_shape_is_refused)
{
    tusk_str bytes = exact_hex(bad_vectors[_i].hex);
    tusk_value value;
    tusk_error err;

    ck_assert_int_eq(decode(bad_vectors[_i].type, bytes, &value, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.sqlstate, "22P03");
    release(bytes);
}
END_TEST

/* The server has them, and sends them; it takes none in binary, but says so. */
START_TEST(an_empty_vector_has_a_dimension_of_nothing)
{
    tusk_str bytes = exact_hex(ONE "00000000"
                                   "00000015"
                                   "00000000"
                                   "00000000");
    tusk_value value;
    tusk_error err;

    ck_assert_int_eq(decode(TUSK_OID_INT2VECTOR, bytes, &value, &err), TUSK_OK);
    assert_prints(&value, "");
    assert_sent(&value, bytes.ptr, bytes.len);
    release(bytes);
}
END_TEST

START_TEST(vectors_are_made_from_0_on)
{
    tusk_value value = tusk_array_of(TUSK_OID_INT2VECTOR, TUSK_ARRAY(tusk_int2(1), tusk_int2(2))), back;
    tusk_str bytes = sent(&value);
    tusk_error err;
    tusk_array_view view;

    ck_assert_int_eq(decode(TUSK_OID_INT2VECTOR, bytes, &back, &err), TUSK_OK);
    assert_prints(&back, "1 2");
    ck_assert_int_eq(tusk_value_to_array(&back, &view, &err), TUSK_OK);
    ck_assert_int_eq(view.lower[0], 0);
    release(bytes);
    value = tusk_array_of(TUSK_OID_INT2VECTOR, TUSK_ARRAY(tusk_null()));
    refused(&value, TUSK_ERR_VALUE, "22P03", "an array that is no vector: one dimension from 0 on, without NULLs");
}
END_TEST

/* ---- any array ------------------------------------------------------------------------------------------------------------------------ */

START_TEST(an_array_of_an_unknown_type_is_taken_by_the_callers_word)
{
    tusk_str bytes = exact_hex(ONE "00000000"
                                   "00004001" ONE ONE "0000000161");
    tusk_value value = tusk_raw(16400, bytes.ptr, bytes.len);
    tusk_array_view view;
    tusk_array_iter it;
    tusk_error err;

    ck_assert_int_eq(tusk_value_to_array(&value, &view, &err), TUSK_OK);
    ck_assert_uint_eq(view.element, 16385);
    it = tusk_array_begin(&view);
    ck_assert_int_eq(tusk_array_next(&it, &value, &err), TUSK_OK);
    ck_assert_int_eq(value.kind, TUSK_KIND_RAW);
    ck_assert(tusk_str_is(value.as.bytes, "a"));
    value = tusk_raw(TUSK_OID_INT4, bytes.ptr, bytes.len);
    ck_assert_int_eq(tusk_value_to_array(&value, &view, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, "the value is int4, not an array");
    value = tusk_null_of(TUSK_OID_INT4_ARRAY);
    ck_assert_int_eq(tusk_value_to_array(&value, &view, &err), TUSK_ERR_NULL);
    value = tusk_array_of_int4(&(int32_t){0}, 0);
    ck_assert_int_eq(tusk_value_to_array(&value, &view, &err), TUSK_ERR_TYPE);
    release(bytes);
}
END_TEST

START_TEST(a_null_pointer_is_null)
{
    ck_assert_int_eq(tusk_array_of_int4(NULL, 3).kind, TUSK_KIND_NULL);
    ck_assert_uint_eq(tusk_array_of_int4(NULL, 3).type, TUSK_OID_INT4_ARRAY);
    ck_assert_int_eq(tusk_array_of_text(NULL, 2).kind, TUSK_KIND_NULL);
    ck_assert_int_eq(tusk_array_of_uuid(NULL, 0).kind, TUSK_KIND_NULL);
    ck_assert_int_eq(tusk_array_of_int4(&(int32_t){0}, 0).kind, TUSK_KIND_C_ARRAY);
}
END_TEST

/* More than memory holds: nothing of it is looked at. */
START_TEST(what_cannot_be_so_long_is_not_looked_at)
{
    const size_t much = ((size_t)1 << 62) + 2;
    const int32_t ints[] = {1};
    const tusk_str strings[] = {{"a", 1}};
    const tusk_range_parts range = {.lower = tusk_int4(1)};
    const tusk_value values[] = {
        tusk_array_of_int4(ints, much),
        tusk_array_of_text(strings, much),
        tusk_array_of_text(strings, (size_t)1 << 30),
        tusk_array_of_uuid((const uint8_t *)"0123456789abcdef", much),
        tusk_array_of(TUSK_OID_INT4_ARRAY, &(tusk_array_parts){.values = four_ints, .n = (size_t)1 << 30}),
        tusk_record_of(0, &(tusk_record_parts){.values = four_ints, .n = (size_t)1 << 30}),
        tusk_multirange_as(TUSK_OID_INT4MULTIRANGE, &(tusk_multirange_parts){.ranges = &range, .n = (size_t)1 << 30}),
    };

    for (size_t i = 0; i < N_OF(values); i++) {
        size_t size = 0;

        ck_assert_uint_eq(tusk__param_size(&values[i]), SIZE_MAX);
        if (i != 0 && i != 3) /* of which only the bytes are copied, and there is no memory for so many */
            ck_assert(!tusk__value_held_size(&values[i], &size));
    }
}
END_TEST

/* As given, and as a copy. */
static void refused_held_too(tusk_value *value, const char *sqlstate, const char *message)
{
    tusk_value held = *value;
    uint8_t *memory, *at;
    size_t size = 0;

    refused(value, TUSK_ERR_VALUE, sqlstate, message);
    ck_assert(tusk__value_held_size(value, &size));
    at = memory = malloc(size);
    tusk__value_hold(&held, &at);
    ck_assert_uint_le((size_t)(at - memory), size);
    refused(&held, TUSK_ERR_VALUE, sqlstate, message);
    free(memory);
}

START_TEST(what_is_not_there_is_refused)
{
    tusk_array_parts parts = {.values = four_ints, .n = 4, .ndim = 1};
    tusk_multirange_parts ranges = {.n = 2};
    tusk_value value = tusk_array_of(TUSK_OID_INT4_ARRAY, &parts);

    refused_held_too(&value, "2202E", "an array whose dims are a NULL pointer");
    parts = (tusk_array_parts){.n = 4};
    ck_assert_uint_lt(tusk__param_size(&value), SIZE_MAX);
    refused_held_too(&value, "2202E", "an array whose values are a NULL pointer");
    value = tusk_multirange_as(TUSK_OID_INT4MULTIRANGE, &ranges);
    ck_assert_uint_lt(tusk__param_size(&value), SIZE_MAX);
    refused_held_too(&value, "22P03", "a multirange whose ranges are a NULL pointer");
}
END_TEST

#define LOOP(tc, test, cases) tcase_add_loop_test(tc, test, 0, (int)N_OF(cases))

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("array");
    TCase *tc = tcase_create("array");

    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, each_array_type_has_samples_that_survive_both_ways, 0, n_array_types());
    tcase_add_loop_test(tc, an_array_made_of_its_elements_is_the_same, 0, n_array_types());
    tcase_add_loop_test(tc, printing_is_cut_and_says_the_whole_length, 0, n_array_types());
    tcase_add_loop_test(tc, a_broken_array_is_refused_inside_its_block, 0, n_array_types());
    tcase_add_test(tc, every_codec_of_an_element_has_its_array);
    tcase_add_test(tc, a_null_pointer_is_null);
    tcase_add_test(tc, what_cannot_be_so_long_is_not_looked_at);
    tcase_add_test(tc, what_is_not_there_is_refused);
    LOOP(tc, a_header_that_lies_is_refused, bad_arrays);
    tcase_add_test(tc, a_header_at_its_ends_is_taken);
    tcase_add_test(tc, one_bad_element_leaves_the_others);
    tcase_add_test(tc, texts_are_quoted_as_postgresql_quotes_them);
    tcase_add_test(tc, a_long_element_is_escaped_to_its_end);
    LOOP(tc, long_elements_are_printed_whole_and_cut, long_values);
    tcase_add_test(tc, a_c_array_of_bool_goes_both_ways);
    tcase_add_test(tc, a_c_array_of_int2_goes_both_ways);
    tcase_add_test(tc, a_c_array_of_int4_goes_both_ways);
    tcase_add_test(tc, a_c_array_of_int8_goes_both_ways);
    tcase_add_test(tc, a_c_array_of_oid_goes_both_ways);
    tcase_add_test(tc, a_c_array_of_float4_goes_both_ways);
    tcase_add_test(tc, a_c_array_of_float8_goes_both_ways);
    tcase_add_test(tc, a_c_array_of_date_goes_both_ways);
    tcase_add_test(tc, a_c_array_of_time_goes_both_ways);
    tcase_add_test(tc, a_c_array_of_timestamp_goes_both_ways);
    tcase_add_test(tc, a_c_array_of_timestamptz_goes_both_ways);
    tcase_add_test(tc, c_arrays_of_texts_bytes_and_uuids_go_both_ways);
    tcase_add_test(tc, the_bitmap_lies_as_arrow_lays_it);
    tcase_add_test(tc, elements_of_relatives_are_read_if_they_fit);
    tcase_add_test(tc, a_number_of_another_width_is_not_read_as_the_array_says);
    tcase_add_loop_test(tc, an_array_as_long_as_a_uniform_one_is_none, 0, 2);
    tcase_add_loop_test(tc, a_wrong_length_in_a_uniform_array_is_refused_wherever_it_is, 0, 7);
    tcase_add_test(tc, a_null_in_the_middle_of_numbers_is_one);
    tcase_add_test(tc, there_is_nothing_in_an_array_that_is_null);
    tcase_add_test(tc, a_shape_of_values_is_sent_as_it_is);
    tcase_add_test(tc, a_wrong_shape_is_refused_before_it_is_sent);
    tcase_add_test(tc, an_element_that_does_not_fit_is_named);
    tcase_add_test(tc, a_held_array_needs_nothing_of_the_callers);
    LOOP(tc, a_vector_of_another_shape_is_refused, bad_vectors);
    tcase_add_test(tc, an_empty_vector_has_a_dimension_of_nothing);
    tcase_add_test(tc, vectors_are_made_from_0_on);
    tcase_add_test(tc, an_array_of_an_unknown_type_is_taken_by_the_callers_word);
    suite_add_tcase(suite, tc);
    return suite;
}
