/* Tests of records, and of the database's own types in containers: samples both ways, whatever a server may send instead, fields by order,
 * position and name. What types there are is said here, not by a catalogue: record_live_test.
 * Read first: tusk/record.h, lib/codec/nested.h. */
#include <stdio.h>
#include <stdlib.h>

#include "test/container_checks.h"
#include "test/harness/harness.h"
#include "test/own_types.h"
#include "test/record_samples.h"

/* ---- samples ---------------------------------------------------------------------------------------------------------------------------- */

START_TEST(each_sample_survives_both_ways)
{
    const both_formats *c = &record_cases[_i];
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

START_TEST(printing_is_cut_and_says_the_whole_length)
{
    const both_formats *c = &record_cases[_i];
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
    const both_formats *c = &record_cases[_i];
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

static const struct {
    const char *hex, *message;
} bad[] = {
    {"", "record in binary without its header"},
    {"000000", "record in binary without its header"},
    {"00000001", "record in binary with more or fewer fields than it says"},
    {"0000000000", "record in binary with more or fewer fields than it says"},
    {"ffffffff", "record in binary with more fields than a record can have"},
    {"00000681", "record in binary with more fields than a record can have"},
    {"00000680", "record in binary with more or fewer fields than it says"},
    {"00000001000000170000000400000001ff", "record in binary with more or fewer fields than it says"},
    {"000000010000001700000004000000", "record in binary with more or fewer fields than it says"},
    {"0000000100000017fffffffe", "record in binary with more or fewer fields than it says"},
    {"00000001000000177fffffff00000001", "record in binary with more or fewer fields than it says"},
    {"000000010000001700000000", "field 1 of 1: int4 in binary has 4 bytes, not 0"},
    {"0000000200000017ffffffff00000010000000010f", "field 2 of 2: 15 is not a bool"},
    {"00000001000008c9000000040000000f", "field 1 of 1: record in binary with more or fewer fields than it says"},
    {"00000001000008c900000009000000010000001000",
     "field 1 of 1: record in binary with more or fewer fields than it says"},
    {"00000001000003ef0000000101", "field 1 of 1: _int4 in binary without its header"},
};

START_TEST(bytes_of_no_record_are_refused)
{
    tusk_str bytes = exact_hex(bad[_i].hex);
    tusk_value value;
    tusk_error err;

    ck_assert_int_eq(decode(TUSK_OID_RECORD, bytes, &value, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.message, bad[_i].message);
    ck_assert_int_eq(tusk__value_decode(TUSK_OID_RECORD, 1, bytes, &value, NULL), TUSK_ERR_VALUE);
    release(bytes);
}
END_TEST

/* ---- bounds ----------------------------------------------------------------------------------------------------------------------------- */

/* So many in each other, the innermost without fields. */
static tusk_str nested_records(int depth)
{
    char *block = malloc(4 + 12 * (size_t)depth);

    for (int i = 0; i <= depth; i++) {
        uint8_t *p = (uint8_t *)block + 12 * i;

        tusk__put32(p, i < depth);
        if (i == depth)
            break;
        tusk__put32(p + 4, TUSK_OID_RECORD);
        tusk__put32(p + 8, 4 + 12 * (uint32_t)(depth - 1 - i));
    }
    return tusk_str_from(block, 4 + 12 * (size_t)depth);
}

START_TEST(records_lie_in_each_other_down_to_the_bound)
{
    tusk_str fits = nested_records(TUSK__DEPTH_MAX), deeper = nested_records(TUSK__DEPTH_MAX + 1);
    tusk_value value;
    tusk_error err;

    ck_assert_int_eq(decode(TUSK_OID_RECORD, fits, &value, &err), TUSK_OK);
    ck_assert_int_eq(decode(TUSK_OID_RECORD, deeper, &value, &err), TUSK_ERR_VALUE);
    ck_assert_ptr_nonnull(strstr(err.message, "field 1 of 1: field 1 of 1: "));
    release(fits);
    release(deeper);
}
END_TEST

/* Each quoting doubles the quotes of those inside: 64 of them are more than any memory. The length is told at once, and what fits is written. */
START_TEST(what_would_be_endless_in_quotes_is_counted)
{
    const tusk__codec *codec = tusk__codec_of(TUSK_OID_RECORD);
    tusk_value value;
    tusk_error err;
    char text[32];

    for (int depth = 1; depth <= TUSK__DEPTH_MAX; depth++) {
        tusk_str bytes = nested_records(depth);
        size_t len;

        ck_assert_int_eq(decode(TUSK_OID_RECORD, bytes, &value, &err), TUSK_OK);
        len = codec->print(&value, text, sizeof text);
        ck_assert_uint_eq(len, codec->print(&value, NULL, 0));
        ck_assert_uint_eq(len, depth < 60 ? 2 * (size_t)depth + ((size_t)2 << depth) : len);
        ck_assert(len <= SIZE_MAX / 2 && (depth < 60 || len >= SIZE_MAX / 32));
        ck_assert_uint_eq(strlen(text), len < sizeof text ? len : sizeof text - 1);
        release(bytes);
    }
    ck_assert_str_eq(text, "(\"(\"\"(\"\"\"\"(\"\"\"\"\"\"\"\"(\"\"\"\"\"\"\"\"\"\"\"");
}
END_TEST

START_TEST(record_has_as_many_fields_as_a_row_can_have)
{
    size_t len = 4 + 8 * (size_t)TUSK_RECORD_FIELDS_MAX;
    uint8_t *block = malloc(len);
    tusk_str bytes = tusk_str_from(block, len);
    tusk_record_view view;
    tusk_value value;
    tusk_error err;

    tusk__put32(block, TUSK_RECORD_FIELDS_MAX);
    for (size_t i = 0; i < TUSK_RECORD_FIELDS_MAX; i++) {
        tusk__put32(block + 4 + 8 * i, TUSK_OID_INT4);
        tusk__put32(block + 8 + 8 * i, UINT32_MAX);
    }
    ck_assert_int_eq(decode(TUSK_OID_RECORD, bytes, &value, &err), TUSK_OK);
    ck_assert_uint_eq(tusk__codec_of(value.type)->print(&value, NULL, 0), TUSK_RECORD_FIELDS_MAX + 1);
    ck_assert_int_eq(tusk_value_to_record(&value, &view, &err), TUSK_OK);
    ck_assert_uint_eq(view.n, TUSK_RECORD_FIELDS_MAX);
    ck_assert_int_eq(tusk_record_at(&view, TUSK_RECORD_FIELDS_MAX - 1, &value, &err), TUSK_OK);
    ck_assert(value.kind == TUSK_KIND_NULL && value.type == TUSK_OID_INT4);
    free(block);
}
END_TEST

/* ---- fields ----------------------------------------------------------------------------------------------------------------------------- */

/* In order and by position they are the same. */
START_TEST(each_field_is_found_by_its_position)
{
    tusk_str bytes = exact_hex(record_cases[_i].hex);
    tusk_value value = tusk__bytes_of(TUSK_OID_RECORD, TUSK_KIND_WIRE, bytes), in_order, by_position;
    tusk_record_view view;
    tusk_record_iter it;
    tusk_error err;
    size_t n = 0;

    ck_assert_int_eq(tusk_value_to_record(&value, &view, &err), TUSK_OK);
    it = tusk_record_begin(&view);
    for (; tusk_record_next(&it, &in_order, &err) == TUSK_OK; n++) {
        ck_assert_int_eq(tusk_record_at(&view, n, &by_position, &err), TUSK_OK);
        ck_assert(by_position.type == in_order.type && by_position.kind == in_order.kind);
        if (tusk__has_bytes(in_order.kind))
            ck_assert(by_position.as.bytes.ptr == in_order.as.bytes.ptr);
    }
    ck_assert_uint_eq(n, view.n);
    ck_assert_int_eq(tusk_record_at(&view, n, &by_position, &err), TUSK_ERR_USAGE);
    ck_assert_int_eq(tusk_record_index(&view, "a", &n, &err), TUSK_ERR_TYPE);
    release(bytes);
}
END_TEST

START_TEST(malformed_field_leaves_the_others)
{
    tusk_str bytes = exact_hex("00000002000000170000000100"
                               "000000170000000400000007");
    tusk_value value = tusk__bytes_of(TUSK_OID_RECORD, TUSK_KIND_WIRE, bytes), field = tusk_int4(-1);
    tusk_record_view view;
    tusk_record_iter it;
    tusk_error err;

    ck_assert_int_eq(tusk_value_to_record(&value, &view, &err), TUSK_OK);
    it = tusk_record_begin(&view);
    ck_assert_int_eq(tusk_record_next(&it, &field, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.message, "field 1 of 2: int4 in binary has 4 bytes, not 1");
    ck_assert_int_eq(field.as.integer, -1);
    ck_assert_int_eq(tusk_record_next(&it, &field, &err), TUSK_OK);
    ck_assert_int_eq(field.as.integer, 7);
    ck_assert_int_eq(tusk_record_next(&it, &field, &err), TUSK_DONE);
    release(bytes);
}
END_TEST

START_TEST(what_is_no_record_has_no_view)
{
    tusk_value value = tusk_int4(5);
    tusk_record_view view;
    tusk_error err;

    ck_assert_int_eq(tusk_value_to_record(&value, &view, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, "the value is int4, not a record");
    value = tusk_null_of(TUSK_OID_RECORD);
    ck_assert_int_eq(tusk_value_to_record(&value, &view, &err), TUSK_ERR_NULL);
    value = tusk_text_of(TUSK_OID_RECORD, "(1)");
    ck_assert_int_eq(tusk_value_to_record(&value, &view, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, "the value is record, not a record as the server sends it");
    memset(&view, 0, sizeof view);
    ck_assert_int_eq(tusk_record_at(&view, 0, &value, &err), TUSK_ERR_USAGE);
    ck_assert_int_eq(tusk_record_named(&view, "a", &value, &err), TUSK_ERR_NULL);
    ck_assert_str_eq(err.message, "there is no record in the view");
}
END_TEST

/* ---- types of the database's own -------------------------------------------------------------------------------------------------------- */

#define INT4(n) "00000004" n
#define A_PAIR                                                                                                         \
    "00000004"                                                                                                         \
    "00000017" INT4("00000001") "00004010"                                                                             \
                                "00000002"                                                                             \
                                "6f6b"                                                                                 \
                                "00004011" INT4("00000007") "00004013"                                                 \
                                                            "0000001f"                                                 \
                                                            "00000001"                                                 \
                                                            "00000000"                                                 \
                                                            "00004010"                                                 \
                                                            "00000001"                                                 \
                                                            "00000001"                                                 \
                                                            "00000007"                                                 \
                                                            "6120222c5c2862"

/* clang-format off */
static const both_formats own_cases[] = {
    {MOOD, "ok", "6f6b"},
    {POS, "7", "00000007"},
    {CHEER, "ok", "6f6b"},
    {MOODS, "{ok,\"so so\",NULL}", "00000001" "00000001" "00004010" "00000003" "00000001" "00000002" "6f6b" "00000005" "736f20736f" "ffffffff"},
    {MOODS, "{}", "00000000" "00000000" "00004010"},
    {PAIR, "(1,ok,7,\"{\"\"a \\\\\"\",\\\\\\\\(b\"\"}\")", A_PAIR},
    {POSRANGE, "[1,5)", "02" INT4("00000001") INT4("00000005")},
    {POSRANGE, "empty", "01"},
    {POSMULTIRANGE, "{[1,5),[7,)}", "00000002" "00000011" "02" INT4("00000001") INT4("00000005") "00000009" "12" INT4("00000007")},
    {PAIRS, "{\"(1,ok,7,\\\"{\\\"\\\"a \\\\\\\\\\\"\\\",\\\\\\\\\\\\\\\\(b\\\"\\\"}\\\")\",NULL}", "00000001" "00000001" "00004014" "00000002" "00000001" "0000004d" A_PAIR "ffffffff"},
    {TUSK_OID_RECORD, "(ok,7,ok)", "00000003" "00004010" "00000002" "6f6b" "00004011" INT4("00000007") "00004012" "00000002" "6f6b"},
};
/* clang-format on */

static tusk_code print_own(const tusk_value *value, const tusk__types *types, char *buf, size_t size, tusk_error *err)
{
    size_t len = 0, whole = 0;
    const tusk__codec *codec = tusk__resolve_type(&all_types, value->type).codec;
    tusk_code code = tusk__nested_print(types, codec, value, buf, size, &len, err);

    ck_assert_int_eq(tusk__nested_print(types, codec, value, NULL, 0, &whole, NULL), code);
    ck_assert_uint_eq(whole, len);
    return code;
}

static tusk_str record_of_one(uint32_t type, tusk_str field)
{
    size_t len = 4 + 8 + field.len;
    char *block = malloc(len);

    tusk__put32((uint8_t *)block, 1);
    tusk__put32((uint8_t *)block + 4, type);
    tusk__put32((uint8_t *)block + 8, (uint32_t)field.len);
    memcpy(block + 12, field.ptr, field.len);
    return tusk_str_from(block, len);
}

/* The right type of what is inside comes from the catalogue, or with the bytes. */
START_TEST(own_types_are_read_by_what_is_known)
{
    const both_formats *c = &own_cases[_i];
    tusk_str bytes = exact_hex(c->hex);
    tusk_value value;
    tusk_error err = {0};
    char text[256];

    ck_assert_msg(tusk__nested_decode(&all_types, c->type, bytes, 0, &value, &err) == TUSK_OK, "%s: %s", c->text,
                  err.message);
    ck_assert_int_eq(print_own(&value, &all_types, text, sizeof text, &err), TUSK_OK);
    ck_assert_str_eq(text, c->text);
    if (value.kind == TUSK_KIND_WIRE)
        assert_sent(&value, bytes.ptr, bytes.len);
    release(bytes);
}
END_TEST

START_TEST(broken_bytes_of_own_types_are_refused_inside_their_block)
{
    const both_formats *c = &own_cases[_i];
    size_t whole = strlen(c->hex) / 2;
    char text[256];

    for (size_t at = 0; at < whole; at++) {
        tusk_str bytes = exact_hex(c->hex), cut = exact(bytes.ptr, at);
        tusk_value value;
        tusk_error err = {0};

        (void)tusk__nested_decode(&all_types, c->type, cut, 0, &value, &err);
        release(cut);
        for (unsigned byte = 0; byte < 256; byte++) {
            memset(&err, 0, sizeof err);
            mutable(bytes)[at] = (char)byte;
            if (tusk__nested_decode(&all_types, c->type, bytes, 0, &value, &err) == TUSK_OK)
                (void)print_own(&value, &all_types, text, sizeof text, &err);
            else
                ck_assert(err.code == TUSK_ERR_VALUE && err.message[0] != '\0');
        }
        release(bytes);
    }
}
END_TEST

/* As raw bytes, in a walk; and nothing is printed of which a part would be missing. */
START_TEST(own_types_that_nobody_knows_are_raw)
{
    tusk_str bytes = exact_hex(own_cases[N_OF(own_cases) - 1].hex);
    tusk_value value, field;
    tusk_record_view view;
    tusk_error err = {0};
    char text[256];

    ck_assert_int_eq(decode(TUSK_OID_RECORD, bytes, &value, &err), TUSK_OK);
    ck_assert_int_eq(tusk_value_to_record(&value, &view, &err), TUSK_OK);
    ck_assert_int_eq(tusk_record_at(&view, 2, &field, &err), TUSK_OK);
    ck_assert(field.kind == TUSK_KIND_RAW && field.type == CHEER && tusk_str_is(field.as.bytes, "ok"));
    ck_assert_int_eq(
        tusk__nested_print(NULL, tusk__codec_of(value.type), &value, text, sizeof text, &(size_t){0}, &err),
        TUSK_ERR_TYPE);
    ck_assert_ptr_nonnull(strstr(err.message, "a value of type 16400, which is not known"));
    release(bytes);
}
END_TEST

START_TEST(elements_of_own_types_have_the_type_of_what_they_are)
{
    tusk_str bytes = exact_hex("00000002"
                               "00004011" INT4("00000007") "00004012"
                                                           "00000002"
                                                           "6f6b");
    tusk_value value;
    tusk_error err = {0};
    tusk__resolved record = tusk__resolve_type(NULL, TUSK_OID_RECORD);
    tusk_str moods = exact_hex(own_cases[3].hex);

    ck_assert_int_eq(tusk__nested_decode(&all_types, POS, tusk_str_from("\0\0\0\7", 4), 0, &value, &err), TUSK_OK);
    ck_assert(value.type == TUSK_OID_INT4 && value.kind == TUSK_KIND_INT && value.as.integer == 7);
    ck_assert_int_eq(tusk__nested_decode(&all_types, CHEER, tusk_str_of("ok"), 0, &value, &err), TUSK_OK);
    ck_assert(value.type == MOOD && value.kind == TUSK_KIND_TEXT);
    ck_assert_int_eq(tusk__record_check(&all_types, &record, bytes, 0, &err), TUSK_OK);
    ck_assert_int_eq(tusk__nested_decode(&all_types, POS, tusk_str_from("\0\0\0", 3), 0, &value, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.message, "int4 in binary has 4 bytes, not 3");
    release(bytes);
    release(moods);
}
END_TEST

/* Longer than what a value is printed into before it is looked at (512 bytes). Both put quotes and backslashes into it. */
START_TEST(long_hstores_are_escaped_in_containers)
{
    enum { LEN = 700 };
    char wire[12 + LEN], text[8 * LEN], want[8 * LEN] = "(\"\"\"";
    uint8_t *p = (uint8_t *)wire;
    size_t at = strlen(want);
    tusk_value value;
    tusk_str bytes;
    tusk_error err = {0};

    tusk__put32(p, 1);
    tusk__put32(p + 4, LEN);
    for (int i = 0; i < LEN; i++) {
        wire[8 + i] = "a\"\\"[i % 3];
        at += (size_t)snprintf(want + at, sizeof want - at, "%s",
                               (const char *const[]){"a", "\\\\\"\"", "\\\\\\\\"}[i % 3]);
    }
    tusk__put32(p + 8 + LEN, UINT32_MAX);
    snprintf(want + at, sizeof want - at, "\"\"=>NULL\")");
    bytes = record_of_one(HSTORE, tusk_str_from(wire, sizeof wire));
    ck_assert_int_eq(tusk__nested_decode(&all_types, TUSK_OID_RECORD, bytes, 0, &value, &err), TUSK_OK);
    ck_assert_int_eq(print_own(&value, &all_types, text, sizeof text, &err), TUSK_OK);
    ck_assert_str_eq(text, want);
    release(bytes);
}
END_TEST

/* As PostGIS prints it, not as bytea; short and long. */
START_TEST(geometries_are_digits_in_containers)
{
    for (size_t len = 2; len < 1000; len += 499) {
        char ewkb[1000], text[2100], want[2100] = "(";
        tusk_value value;
        tusk_str bytes;
        tusk_error err = {0};

        memset(ewkb, 0xAB, sizeof ewkb);
        memset(want + 1, 'A', 2 * len);
        for (size_t i = 0; i < len; i++)
            want[2 + 2 * i] = 'B';
        want[1 + 2 * len] = ')';
        bytes = record_of_one(GEOMETRY, tusk_str_from(ewkb, len));
        ck_assert_int_eq(tusk__nested_decode(&all_types, TUSK_OID_RECORD, bytes, 0, &value, &err), TUSK_OK);
        ck_assert_int_eq(print_own(&value, &all_types, text, sizeof text, &err), TUSK_OK);
        ck_assert_str_eq(text, want);
        release(bytes);
    }
}
END_TEST

/* Which one that is, pg_type.typdelim says; a comma needs no quotes then. */
START_TEST(arrays_have_the_delimiter_of_their_elements)
{
    static const both_formats c[] = {
        {GEOMETRIES, "{AB:CD}",
         "00000001"
         "00000000"
         "0000401a"
         "00000002"
         "00000001"
         "00000001ab"
         "00000001cd"},
        {POINTS, "{\"(1;2)\";NULL;a,b}",
         "00000001"
         "00000001"
         "0000401c"
         "00000003"
         "00000001"
         "00000005"
         "28313b3229"
         "ffffffff"
         "00000003"
         "612c62"},
    };

    for (size_t i = 0; i < N_OF(c); i++) {
        tusk_str bytes = exact_hex(c[i].hex);
        tusk_value value;
        tusk_error err = {0};
        char text[64];

        ck_assert_int_eq(tusk__nested_decode(&all_types, c[i].type, bytes, 0, &value, &err), TUSK_OK);
        ck_assert_int_eq(print_own(&value, &all_types, text, sizeof text, &err), TUSK_OK);
        ck_assert_str_eq(text, c[i].text);
        release(bytes);
    }
}
END_TEST

#define LOOP(tc, test, cases) tcase_add_loop_test(tc, test, 0, (int)N_OF(cases))

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("record");
    TCase *tc = tcase_create("record");

    tcase_set_timeout(tc, 120);
    LOOP(tc, each_sample_survives_both_ways, record_cases);
    LOOP(tc, printing_is_cut_and_says_the_whole_length, record_cases);
    LOOP(tc, broken_bytes_are_refused_inside_their_block, record_cases);
    LOOP(tc, bytes_of_no_record_are_refused, bad);
    tcase_add_test(tc, records_lie_in_each_other_down_to_the_bound);
    tcase_add_test(tc, what_would_be_endless_in_quotes_is_counted);
    tcase_add_test(tc, record_has_as_many_fields_as_a_row_can_have);
    LOOP(tc, each_field_is_found_by_its_position, record_cases);
    tcase_add_test(tc, malformed_field_leaves_the_others);
    tcase_add_test(tc, what_is_no_record_has_no_view);
    LOOP(tc, own_types_are_read_by_what_is_known, own_cases);
    LOOP(tc, broken_bytes_of_own_types_are_refused_inside_their_block, own_cases);
    tcase_add_test(tc, own_types_that_nobody_knows_are_raw);
    tcase_add_test(tc, elements_of_own_types_have_the_type_of_what_they_are);
    tcase_add_test(tc, long_hstores_are_escaped_in_containers);
    tcase_add_test(tc, geometries_are_digits_in_containers);
    tcase_add_test(tc, arrays_have_the_delimiter_of_their_elements);
    suite_add_tcase(suite, tc);
    return suite;
}
