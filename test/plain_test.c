/* Tests of the short way of common parameters: what it takes is written as by the codec table, what it does not take leaves no trace.
 * Read first: lib/codec/plain.h. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "lib/codec/plain.h"
#include "proto/bounds.h"
#include "test/container_checks.h"
#include "test/harness/harness.h"

#define LONG_TEXT "the quick brown fox jumps over the lazy dog, and then some more of the same"

#define INT(oid, n)                                                                                                    \
    {                                                                                                                  \
        .type = oid, .kind = TUSK_KIND_INT, .as.integer = n                                                            \
    }
#define FLOAT(oid, n)                                                                                                  \
    {                                                                                                                  \
        .type = oid, .kind = TUSK_KIND_FLOAT, .as.real = n                                                             \
    }
#define TEXT(oid, s)                                                                                                   \
    {                                                                                                                  \
        .type = oid, .kind = TUSK_KIND_TEXT, .as.bytes = { s, sizeof(s) - 1 }                                          \
    }

/* clang-format off */
static const struct {
    const char *name;
    tusk_value value;
    uint32_t want;
    bool is_taken;
} cases[] = {
    {"int8", INT(TUSK_OID_INT8, 1), TUSK_OID_INT8, true},
    {"least int8", INT(TUSK_OID_INT8, INT64_MIN), TUSK_OID_INT8, true},
    {"greatest int8", INT(TUSK_OID_INT8, INT64_MAX), TUSK_OID_INT8, true},
    {"int4", INT(TUSK_OID_INT4, -7), TUSK_OID_INT4, true},
    {"least int4", INT(TUSK_OID_INT4, INT32_MIN), TUSK_OID_INT4, true},
    {"greatest int4", INT(TUSK_OID_INT4, INT32_MAX), TUSK_OID_INT4, true},
    {"float8", FLOAT(TUSK_OID_FLOAT8, 0.1), TUSK_OID_FLOAT8, true},
    {"minus zero", FLOAT(TUSK_OID_FLOAT8, -0.0), TUSK_OID_FLOAT8, true},
    {"NaN", FLOAT(TUSK_OID_FLOAT8, (double)NAN), TUSK_OID_FLOAT8, true},
    {"text", TEXT(TUSK_OID_TEXT, LONG_TEXT), TUSK_OID_TEXT, true},
    {"varchar", TEXT(TUSK_OID_VARCHAR, "abc"), TUSK_OID_VARCHAR, true},
    {"no text", TEXT(TUSK_OID_TEXT, ""), TUSK_OID_TEXT, true},
    {"text that is not ASCII", TEXT(TUSK_OID_TEXT, "Gr\xc3\xbc\xc3\x9f"), TUSK_OID_TEXT, false},
    {"an int4 beyond its end", INT(TUSK_OID_INT4, INT64_C(2147483648)), TUSK_OID_INT4, false},
    {"an int4 below its end", INT(TUSK_OID_INT4, INT64_C(-2147483649)), TUSK_OID_INT4, false},
    {"an int4 for an int8", INT(TUSK_OID_INT4, 1), TUSK_OID_INT8, false},
    {"an int8 for an int4", INT(TUSK_OID_INT8, 1), TUSK_OID_INT4, false},
    {"an int8 of the kind of doubles", FLOAT(TUSK_OID_INT8, 1), TUSK_OID_INT8, false},
    {"a double of the kind of integers", INT(TUSK_OID_FLOAT8, 1), TUSK_OID_FLOAT8, false},
    {"text of the kind of integers", INT(TUSK_OID_TEXT, 1), TUSK_OID_TEXT, false},
    {"int2", INT(TUSK_OID_INT2, 1), TUSK_OID_INT2, false},
    {"a date", INT(TUSK_OID_DATE, 1), TUSK_OID_DATE, false},
    {"a timestamp", INT(TUSK_OID_TIMESTAMP, 1), TUSK_OID_TIMESTAMP, false},
    {"a float4", FLOAT(TUSK_OID_FLOAT4, 1), TUSK_OID_FLOAT4, false},
    {"a jsonb", TEXT(TUSK_OID_JSONB, "1"), TUSK_OID_JSONB, false},
    {"text of no type", TEXT(0, "1"), 0, false},
    {"NULL", {.type = TUSK_OID_INT8, .kind = TUSK_KIND_NULL}, TUSK_OID_INT8, false},
    {"raw bytes", {.type = TUSK_OID_INT8, .kind = TUSK_KIND_RAW, .as.bytes = {"12345678", 8}}, TUSK_OID_INT8, false},
};
/* clang-format on */

static tusk__writer roomy_writer(void)
{
    tusk__writer b;

    tusk__writer_init(&b, tusk_allocator_default());
    ck_assert(tusk__writer_room(&b, 256));
    return b;
}

START_TEST(what_is_taken_is_written_as_by_the_table)
{
    tusk_value value = cases[_i].value;
    tusk__writer plain, table;
    uint16_t format = 99;

    plain = roomy_writer();
    tusk__writer_init(&table, tusk_allocator_default());
    ck_assert_msg(tusk__plain_encode(&plain, &value, cases[_i].want) == cases[_i].is_taken, "%s", cases[_i].name);
    if (cases[_i].is_taken) {
        ck_assert_int_eq(tusk__param_encode(&table, &value, cases[_i].want, &format, NULL), TUSK_OK);
        ck_assert_uint_eq(format, 1);
        ck_assert_msg(tusk_str_equal(tusk_str_from(plain.buf, plain.len), tusk_str_from(table.buf, table.len)), "%s",
                      cases[_i].name);
        ck_assert_uint_le(plain.len, tusk__param_size(&value));
    } else {
        ck_assert_uint_eq(plain.len, 0);
        ck_assert_int_eq(plain.failed, TUSK_OK);
    }
    tusk__writer_clear(&plain);
    tusk__writer_clear(&table);
}
END_TEST

static bool is_taken(tusk_str text)
{
    tusk_value value = tusk_text_str(text);
    tusk__writer b;
    bool taken;

    b = roomy_writer();
    taken = tusk__plain_encode(&b, &value, TUSK_OID_TEXT);
    ck_assert_uint_eq(b.len, taken ? 4 + text.len : 0);
    if (taken && text.len > 0)
        ck_assert(memcmp(b.buf + 4, text.ptr, text.len) == 0);
    tusk__writer_clear(&b);
    return taken;
}

/* Blocks of exact size: a word too far is seen under the sanitizers. */
START_TEST(one_byte_that_is_not_plain_is_found_wherever_it_stands)
{
    static const unsigned char odd[] = {0x00, 0x80, 0xC3, 0xFF};
    char text[41];

    memset(text, 'x', sizeof text);
    for (size_t len = 0; len < sizeof text; len++) {
        tusk_str block = exact(text, len);

        ck_assert_msg(is_taken(block), "%zu", len);
        for (size_t at = 0; at < len; at++) {
            for (size_t i = 0; i < sizeof odd; i++) {
                mutable(block)[at] = (char)odd[i];
                ck_assert_msg(!is_taken(block), "%#x at %zu of %zu", odd[i], at, len);
            }
            mutable(block)[at] = 0x01;
            ck_assert(is_taken(block));
            mutable(block)[at] = 0x7F;
            ck_assert(is_taken(block));
            mutable(block)[at] = 'x';
        }
        release(block);
    }
}
END_TEST

START_TEST(what_there_is_no_room_for_is_not_read)
{
    static const size_t lengths[] = {253, TUSK__MESSAGE_MAX, (size_t)1 << 32, SIZE_MAX - 3, SIZE_MAX};

    for (size_t i = 0; i < N_OF(lengths); i++) {
        void *unreadable = mmap(NULL, 1, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        tusk_value value = tusk_text_str(tusk_str_from(unreadable, lengths[i]));
        tusk__writer b = roomy_writer();

        ck_assert(unreadable != MAP_FAILED);
        b.cap = 256;
        ck_assert(!tusk__plain_encode(&b, &value, TUSK_OID_TEXT));
        ck_assert_uint_eq(b.len, 0);
        tusk__writer_clear(&b);
        ck_assert_int_eq(munmap(unreadable, 1), 0);
    }
}
END_TEST

static const tusk_value *some_value(size_t i)
{
    static const tusk_value values[] = {INT(TUSK_OID_INT8, 1), INT(TUSK_OID_INT4, 1), FLOAT(TUSK_OID_FLOAT8, 1),
                                        TEXT(TUSK_OID_TEXT, "12345678")};

    return i < N_OF(values) ? &values[i] : NULL;
}

START_TEST(a_value_fills_the_room_to_the_last_byte_and_no_further)
{
    for (size_t i = 0; some_value(i); i++) {
        size_t need = some_value(i)->type == TUSK_OID_INT4 ? 8 : 12;
        tusk__writer b = roomy_writer();

        b.cap = need - 1;
        ck_assert(!tusk__plain_encode(&b, some_value(i), some_value(i)->type));
        ck_assert_uint_eq(b.len, 0);
        b.cap = need;
        ck_assert(tusk__plain_encode(&b, some_value(i), some_value(i)->type));
        ck_assert_uint_eq(b.len, need);
        tusk__writer_clear(&b);
    }
}
END_TEST

START_TEST(a_writer_that_failed_takes_nothing)
{
    for (size_t i = 0; some_value(i); i++) {
        tusk__writer b = roomy_writer();

        tusk__writer_fail(&b, TUSK_ERR_LIMIT);
        ck_assert(!tusk__plain_encode(&b, some_value(i), some_value(i)->type));
        ck_assert_uint_eq(b.len, 0);
        tusk__writer_clear(&b);
    }
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("plain");
    TCase *tc = tcase_create("plain");

    tcase_add_loop_test(tc, what_is_taken_is_written_as_by_the_table, 0, (int)N_OF(cases));
    tcase_add_test(tc, one_byte_that_is_not_plain_is_found_wherever_it_stands);
    tcase_add_test(tc, what_there_is_no_room_for_is_not_read);
    tcase_add_test(tc, a_value_fills_the_room_to_the_last_byte_and_no_further);
    tcase_add_test(tc, a_writer_that_failed_takes_nothing);
    suite_add_tcase(suite, tc);
    return suite;
}
