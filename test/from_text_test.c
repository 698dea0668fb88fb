/* Tests of containers that are read from text: every sample becomes the server's bytes, in exactly as much room as there is; other ways to write
 * the same; what is none, and where; and the limits.
 * Read first: lib/codec/from_text.h, test/array_samples.h. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/codec/from_text.h"
#include "test/array_samples.h"
#include "test/container_checks.h"
#include "test/harness/harness.h"
#include "test/text_samples.h"

/* In a block of exactly that size: what lies beyond is seen by the sanitizer. The caller frees the room. */
static tusk_code read_text(uint32_t type, tusk_str text, size_t size, unsigned char **room, tusk_value *out,
                           tusk_error *err)
{
    tusk_str block = exact(text.ptr, text.len);
    tusk_code code;

    *room = malloc(size > 0 ? size : 1);
    ck_assert_ptr_nonnull(*room);
    memset(err, 0, sizeof *err);
    code = tusk_value_from_text(type, block, *room, size, out, err);
    ck_assert_int_eq(code, tusk_value_from_text(type, block, *room, size, out, NULL));
    ck_assert_int_eq(code, err->code);
    release(block);
    return code;
}

static bool is_unread(uint32_t type)
{
    return type == TUSK_OID_TSVECTOR_ARRAY || type == TUSK_OID_TSQUERY_ARRAY;
}

/* ---- samples ---------------------------------------------------------------------------------------------------------------------------- */

static void becomes(uint32_t type, tusk_str text, tusk_str wire)
{
    size_t size = tusk_value_from_text_size(type, text);
    unsigned char *room;
    tusk_value value;
    tusk_error err;

    ck_assert_uint_le(size, TUSK_FROM_TEXT_SIZE(text.len));
    ck_assert_msg(read_text(type, text, size, &room, &value, &err) == TUSK_OK, "%.80s: %s", text.ptr, err.message);
    ck_assert(value.type == type && value.kind == TUSK_KIND_WIRE && value.as.bytes.ptr == (const char *)room);
    ck_assert_msg(tusk_str_equal(value.as.bytes, wire), "%.80s is read as other bytes", text.ptr);
    free(room);
}

START_TEST(each_sample_of_each_array_type_becomes_its_bytes)
{
    uint32_t type = array_type_at(_i);

    for (int which = 0; which < ARRAY_SAMPLES && type != TUSK_OID_RECORD_ARRAY && !is_unread(type); which++) {
        array_sample s = array_sample_of(type, which);

        becomes(type, tusk_str_from(s.text, strlen(s.text)), tusk_str_from(s.wire, s.len));
        array_sample_free(&s);
    }
}
END_TEST

START_TEST(each_sample_of_each_other_container_becomes_its_bytes)
{
    const both_formats *c = &container_cases[_i];
    tusk_str wire = exact_hex(c->hex);

    becomes(c->type, tusk_str_of(c->text), wire);
    release(wire);
}
END_TEST

/* What has no reader of its own has none in an array. */
START_TEST(what_is_not_read_is_not_read_in_an_array)
{
    static const struct {
        uint32_t type;
        const char *text, *message;
    } cases[] = {
        {TUSK_OID_TSVECTOR_ARRAY, "{'a'}",
         "element 1 at offset 1: tsvector came in text format: take it with tusk_read_text()"},
        {TUSK_OID_TSQUERY_ARRAY, "{NULL,'a'}",
         "element 2 at offset 6: tsquery came in text format: take it with tusk_read_text()"},
        {TUSK_OID_REGCLASS_ARRAY, "{pg_class}",
         "element 1 at offset 1: regclass came in text format, which is a name: take it with tusk_read_text(), or cast "
         "it to oid"},
        {TUSK_OID_ANYARRAY, "{1,2}", "the text of an anyarray does not say of what it is"},
        {TUSK_OID_ANYARRAY, "{}", "the text of an anyarray does not say of what it is"},
        {TUSK_OID_ACLITEM_ARRAY, "{}", "_aclitem is not known, or not read from text"},
        {TUSK_OID_ACLITEM, "", "aclitem is not known, or not read from text"},
        {16400, "{}", "type 16400 is not known, or not read from text"},
    };
    unsigned char *room;
    tusk_value value;
    tusk_error err;

    for (size_t i = 0; i < N_OF(cases); i++) {
        ck_assert_uint_le(tusk_value_from_text_size(cases[i].type, tusk_str_of(cases[i].text)),
                          TUSK_FROM_TEXT_SIZE(strlen(cases[i].text)));
        ck_assert_int_eq(read_text(cases[i].type, tusk_str_of(cases[i].text), 100, &room, &value, &err), TUSK_ERR_TYPE);
        ck_assert_str_eq(err.message, cases[i].message);
        free(room);
    }
}
END_TEST

/* ---- room ------------------------------------------------------------------------------------------------------------------------------- */

/* Any size: it is read, and in that size alone, or there is too little. Enough for one size is enough for each greater one. */
static void fits_from_some_size_on(uint32_t type, const char *text)
{
    size_t enough = tusk_value_from_text_size(type, tusk_str_of(text));
    tusk_code code = TUSK_ERR_LIMIT, last;
    unsigned char *room;
    tusk_value value;
    tusk_error err;
    char message[128];

    for (size_t size = 0; size <= enough; size++) {
        last = code;
        code = read_text(type, tusk_str_of(text), size, &room, &value, &err);
        free(room);
        ck_assert(code == TUSK_OK || (code == TUSK_ERR_LIMIT && last == TUSK_ERR_LIMIT));
        snprintf(message, sizeof message,
                 "a buffer of %zu bytes is too small: tusk_value_from_text_size() says what is enough", size);
        ck_assert(code == TUSK_OK || strcmp(err.message, message) == 0);
    }
    ck_assert_int_eq(code, TUSK_OK);
}

START_TEST(nothing_is_written_beyond_the_room)
{
    uint32_t type = array_type_at(_i);

    for (int which = 0; which < 3 && type != TUSK_OID_RECORD_ARRAY && !is_unread(type); which++) {
        array_sample s = array_sample_of(type, which);

        if (strlen(s.text) < 500)
            fits_from_some_size_on(type, s.text);
        array_sample_free(&s);
    }
}
END_TEST

START_TEST(nothing_of_other_containers_is_written_beyond_the_room)
{
    fits_from_some_size_on(container_cases[_i].type, container_cases[_i].text);
}
END_TEST

/* The most that a text of that length can become. */
START_TEST(the_room_is_enough_for_texts_that_grow_most)
{
    static const struct {
        uint32_t type;
        const char *head, *unit, *end;
    } cases[] = {
        {TUSK_OID_INT8_ARRAY, "{1", ",1", "}"},
        {TUSK_OID_INT2_ARRAY, "{{{{{{1", ",1", "}}}}}}"},
        {TUSK_OID_NUMERIC_ARRAY, "{1", ",1", "}"},
        {TUSK_OID_NUMERIC_ARRAY, "{1.1", ",1.1", "}"},
        {TUSK_OID_INET_ARRAY, "{::", ",::", "}"},
        {TUSK_OID_INTERVAL_ARRAY, "{PT0S", ",PT0S", "}"},
        {TUSK_OID_TEXT_ARRAY, "{a", ",a", "}"},
        {TUSK_OID_TEXT_ARRAY, "{\"\"", ",\"\"", "}"},
        {TUSK_OID_TEXT_ARRAY, "{\\a", ",\\a", "}"},
        {TUSK_OID_TEXT_ARRAY, "{\\a", "\\a", "}"},
        {TUSK_OID_JSONB_ARRAY, "{\"\"", ",\"\"", "}"},
        {TUSK_OID_BYTEA_ARRAY, "{a", "a", "}"},
        {TUSK_OID_BYTEA_ARRAY, "{\"\\\\x00\"", ",\"\\\\x00\"", "}"},
        {TUSK_OID_BIT_ARRAY, "{1", ",1", "}"},
        {TUSK_OID_PATH_ARRAY, "{\"[(0,0)", ",(0,0)", "]\"}"},
        {TUSK_OID_POLYGON_ARRAY, "{\"((0,0))\"", ",\"((0,0))\"", "}"},
        {TUSK_OID_BOX_ARRAY, "{(0,0),(0,0)", ";(0,0),(0,0)", "}"},
        {TUSK_OID_PG_SNAPSHOT_ARRAY, "{1:1:", ",1:1:", "}"},
        {TUSK_OID_OIDVECTOR, "1", " 1", ""},
        {TUSK_OID_OIDVECTOR_ARRAY, "{1", ",1", "}"},
        {TUSK_OID_OIDVECTOR_ARRAY, "{1", ",\"1 1\"", "}"},
        {TUSK_OID_OIDVECTOR_ARRAY, "{\"\"", ",\"\"", "}"},
        {TUSK_OID_NUMRANGE_ARRAY, "{\"[1,1]\"", ",\"[1,1]\"", "}"},
        {TUSK_OID_NUMRANGE_ARRAY, "{empty", ",empty", "}"},
        {TUSK_OID_INT8MULTIRANGE, "{[1,1]", ",[1,1]", "}"},
        {TUSK_OID_INT8MULTIRANGE_ARRAY, "{\"{[1,1]}\"", ",\"{[1,1]}\"", "}"},
        {TUSK_OID_INT8MULTIRANGE_ARRAY, "{\"{}\"", ",\"{}\"", "}"},
        {TUSK_OID_INT4RANGE_ARRAY, "{\"[\\\"1\\\",\\\"1\\\"]\"", ",\"[\\\"1\\\",\\\"1\\\"]\"", "}"},
        {TUSK_OID_RECORD, "(", ",", ")"},
        {TUSK_OID_RECORD_ARRAY, "{()", ",()", "}"},
    };

    for (size_t n = 0; n < 200; n += n < 4 ? 1 : 98) {
        char *text = sample_joined(cases[_i].head, cases[_i].unit, n, cases[_i].end, false);
        size_t size = tusk_value_from_text_size(cases[_i].type, tusk_str_of(text));
        unsigned char *room;
        tusk_value value;
        tusk_error err;

        ck_assert_uint_le(size, TUSK_FROM_TEXT_SIZE(strlen(text)));
        ck_assert_msg(read_text(cases[_i].type, tusk_str_of(text), size, &room, &value, &err) == TUSK_OK, "%.80s: %s",
                      text, err.message);
        ck_assert_int_eq(tusk__value_decode(cases[_i].type, 1, value.as.bytes, &value, &err), TUSK_OK);
        free(room);
        free(text);
    }
}
END_TEST
#define N_GREEDY 30

START_TEST(how_much_room_is_said_by_what_is_in_the_text)
{
    ck_assert_uint_eq(tusk_value_from_text_size(TUSK_OID_INT8_ARRAY, tusk_str_of("{1,2,3}")), 60 + 3 * 12);
    ck_assert_uint_eq(tusk_value_from_text_size(TUSK_OID_TEXT_ARRAY, tusk_str_of("{abc,\"x y\"}")), 60 + 2 * 5 + 11);
    ck_assert_uint_eq(tusk_value_from_text_size(TUSK_OID_TEXT_ARRAY, tusk_str_of("{a\\bc,x}")), 60 + 2 * 5 + 2 * 8);
    ck_assert_uint_eq(tusk_value_from_text_size(TUSK_OID_INT4, tusk_str_of("1")), 4);
    ck_assert_uint_eq(tusk_value_from_text_size(16400, tusk_str_of("12345")), TUSK_FROM_TEXT_SIZE(5));
    ck_assert_uint_eq(tusk_value_from_text_size(TUSK_OID_RECORD, tusk_str_of("(1)")), TUSK_FROM_TEXT_SIZE(3));
    ck_assert_uint_eq(tusk_value_from_text_size(TUSK_OID_TEXT_ARRAY, (tusk_str){NULL, 0}), TUSK_FROM_TEXT_SIZE(0));
}
END_TEST

/* ---- the same in other words -------------------------------------------------------------------------------------------------------------- */

START_TEST(what_the_server_takes_is_taken)
{
    tusk_str text = tusk_str_of(other_words[_i].text);
    size_t size = tusk_value_from_text_size(other_words[_i].type, text);
    unsigned char *room;
    tusk_value value;
    tusk_error err;
    tusk_code code = read_text(other_words[_i].type, text, size, &room, &value, &err);

    ck_assert_msg(code == TUSK_OK, "%s: %s", text.ptr, err.message);
    assert_prints(&value, other_words[_i].printed);
    ck_assert_int_eq(tusk__value_decode(value.type, 1, value.as.bytes, &value, &err), TUSK_OK);
    free(room);
}
END_TEST

/* ---- what is none ------------------------------------------------------------------------------------------------------------------------- */

START_TEST(what_is_malformed_is_told_and_where)
{
    unsigned char *room;
    tusk_value value = tusk_int4(7);
    tusk_error err;
    tusk_str text = tusk_str_of(malformed[_i].text);

    ck_assert_int_eq(read_text(malformed[_i].type, text, TUSK_FROM_TEXT_SIZE(text.len), &room, &value, &err),
                     TUSK_ERR_VALUE);
    ck_assert_str_eq(err.message, malformed[_i].message);
    ck_assert_str_eq(err.sqlstate, malformed[_i].sqlstate);
    ck_assert(value.kind == TUSK_KIND_INT && value.as.integer == 7);
    free(room);
}
END_TEST

/* Cut anywhere, and with any sign anywhere: refused, or of bytes that are good. */
static void play(uint32_t type, tusk_str text)
{
    unsigned char *room;
    tusk_value value;
    tusk_error err;
    tusk_code code = read_text(type, text, tusk_value_from_text_size(type, text), &room, &value, &err);

    if (code == TUSK_OK)
        ck_assert_msg(tusk__value_decode(type, 1, value.as.bytes, &value, &err) == TUSK_OK, "%s", err.message);
    else
        ck_assert((code == TUSK_ERR_VALUE || code == TUSK_ERR_TYPE) && err.message[0]);
    free(room);
}

static void break_everywhere(uint32_t type, const char *text)
{
    static const char signs[] = "{}[](),;\"\\: \t=nN0-x";
    size_t len = strlen(text);

    for (size_t at = 0; at < len && len < 100; at++) {
        tusk_str whole = exact(text, len);

        play(type, tusk_str_from(text, at));
        for (size_t i = 0; i < sizeof signs; i++) {
            mutable(whole)[at] = signs[i];
            play(type, whole);
        }
        release(whole);
    }
}

START_TEST(broken_text_is_refused_inside_its_block)
{
    break_everywhere(other_words[_i].type, other_words[_i].text);
}
END_TEST

START_TEST(broken_samples_are_refused_inside_their_block)
{
    break_everywhere(container_cases[_i].type, container_cases[_i].text);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("containers from text");
    TCase *tc = tcase_create("from text");

    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, each_sample_of_each_array_type_becomes_its_bytes, 0, n_array_types());
    tcase_add_loop_test(tc, each_sample_of_each_other_container_becomes_its_bytes, 0, N_OF(container_cases));
    tcase_add_test(tc, what_is_not_read_is_not_read_in_an_array);
    tcase_add_loop_test(tc, nothing_is_written_beyond_the_room, 0, n_array_types());
    tcase_add_loop_test(tc, nothing_of_other_containers_is_written_beyond_the_room, 0, N_OF(container_cases));
    tcase_add_loop_test(tc, the_room_is_enough_for_texts_that_grow_most, 0, N_GREEDY);
    tcase_add_test(tc, how_much_room_is_said_by_what_is_in_the_text);
    tcase_add_loop_test(tc, what_the_server_takes_is_taken, 0, N_OF(other_words));
    tcase_add_loop_test(tc, what_is_malformed_is_told_and_where, 0, N_OF(malformed));
    tcase_add_loop_test(tc, broken_text_is_refused_inside_its_block, 0, N_OF(other_words));
    tcase_add_loop_test(tc, broken_samples_are_refused_inside_their_block, 0, N_OF(container_cases));
    suite_add_tcase(suite, tc);
    return suite;
}
