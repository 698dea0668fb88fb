/* Tests of the two cursors (proto/buf) and of checked sizes (proto/size): reads at and behind the end, growth, failure.
 * Not tested here: messages.
 * Read first: proto/buf.h. */
#include "proto/buf.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

#include "proto/bounds.h"
#include "proto/size.h"
#include "test/harness/harness.h"

/* A block of exactly this size: the address sanitizer sees one byte too far. */
static tusk_str exact(const void *bytes, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);

    ck_assert_ptr_nonnull(copy);
    if (len > 0)
        memcpy(copy, bytes, len);
    return tusk_str_from(copy, len);
}

static void release(tusk_str s)
{
    union {
        const char *view;
        void *block;
    } owner = {s.ptr};

    free(owner.block);
}

/* An allocator that fails from the n-th call on, and remembers what it was asked for. */
typedef struct meter {
    size_t calls_left, n_calls, largest;
    bool was_zero;
    size_t len;
} meter;

static void *meter_realloc(void *ptr, size_t size, void *user)
{
    meter *m = user;

    m->n_calls++;
    if (m->calls_left == 0)
        return NULL;
    m->calls_left--;
    m->largest = size > m->largest ? size : m->largest;
    m->len = size;
    return realloc(ptr, size);
}

static void *meter_malloc(size_t size, void *user)
{
    return meter_realloc(NULL, size, user);
}

static void meter_free(void *ptr, void *user)
{
    meter *m = user;
    uint8_t *p = ptr;

    m->was_zero = true;
    for (size_t i = 0; p && i < m->len; i++)
        m->was_zero = m->was_zero && p[i] == 0;
    free(ptr);
}

static tusk_allocator meter_allocator(meter *m)
{
    tusk_allocator allocator = {meter_malloc, meter_realloc, meter_free, m};

    return allocator;
}

/* ---- reader --------------------------------------------------------------------------------------------------------- */

static size_t read_something(tusk__reader *b, int what)
{
    switch (what) {
    case 0:
        ck_assert_uint_eq(tusk__read_u8(b), 0);
        return 1;
    case 1:
        ck_assert_uint_eq(tusk__read_u16(b), 0);
        return 2;
    case 2:
        ck_assert_uint_eq(tusk__read_u32(b), 0);
        return 4;
    case 3:
        ck_assert_uint_eq(tusk__read_u64(b), 0);
        return 8;
    default:
        ck_assert_uint_eq(tusk__read_bytes(b, 5).len, 0);
        return 5;
    }
}

START_TEST(a_read_too_far_is_bad_and_yields_zeros_for_ever)
{
    size_t size = (size_t[]){1, 2, 4, 8, 5}[_i];

    for (size_t len = 0; len < size; len++) {
        tusk_str s = exact("\xff\xff\xff\xff\xff\xff\xff\xff", len);
        tusk__reader b = tusk__reader_of(s);

        read_something(&b, _i);
        ck_assert(b.bad);
        ck_assert_uint_eq(tusk__reader_left(&b), 0);
        ck_assert_uint_eq(tusk__read_u8(&b), 0);
        ck_assert(b.bad);
        release(s);
    }
}
END_TEST

START_TEST(bytes_of_any_huge_number_are_refused)
{
    size_t sizes[] = {4, 0x7fffffff, UINT32_MAX, SIZE_MAX, SIZE_MAX - 2, (size_t)PTRDIFF_MAX};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        tusk_str s = exact("abc", 3);
        tusk__reader b = tusk__reader_of(s);

        ck_assert_uint_eq(tusk__read_bytes(&b, sizes[i]).len, 0);
        ck_assert(b.bad);
        release(s);
    }
}
END_TEST

START_TEST(nothing_at_all_can_be_read_from)
{
    tusk__reader b = tusk__reader_of(tusk_str_from(NULL, 0));

    ck_assert_uint_eq(tusk__reader_left(&b), 0);
    ck_assert_uint_eq(tusk__read_bytes(&b, 0).len, 0);
    ck_assert(!b.bad);
    ck_assert_uint_eq(tusk__read_cstr(&b).len, 0);
    ck_assert(b.bad);
}
END_TEST

START_TEST(d10_a_string_without_its_nul_is_bad)
{
    for (size_t len = 0; len < 6; len++) {
        tusk_str s = exact("abcdef", len);
        tusk__reader b = tusk__reader_of(s);

        ck_assert_ptr_null(tusk__read_cstr(&b).ptr);
        ck_assert(b.bad);
        release(s);
    }
}
END_TEST

START_TEST(d1_a_field_is_null_or_inside_the_rest)
{
    static const struct {
        int32_t len;
        bool is_good, is_null;
    } cases[] = {
        {-1, true, true},
        {-2, false, false},
        {INT32_MIN, false, false},
        {INT32_MIN + 1, false, false},
        {0, true, false},
        {3, true, false},
        {4, false, false},
        {65535, false, false},
        {INT32_MAX, false, false},
        {-65536, false, false},
        {INT32_MAX - 1, false, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[7] = {0, 0, 0, 0, 'a', 'b', 'c'};
        bool is_null;
        tusk__put32(bytes, (uint32_t)cases[i].len);
        tusk_str s = exact(bytes, sizeof bytes);
        tusk__reader b = tusk__reader_of(s);
        tusk_str field = tusk__read_field(&b, &is_null);

        ck_assert_msg(b.bad == !cases[i].is_good, "length %d", (int)cases[i].len);
        ck_assert(is_null == cases[i].is_null);
        ck_assert_uint_eq(field.len, cases[i].is_good && cases[i].len > 0 ? (size_t)cases[i].len : 0);
        release(s);
    }
}
END_TEST

START_TEST(values_are_big_endian_both_ways)
{
    tusk__writer w;
    tusk__reader b;

    tusk__writer_init(&w, tusk_allocator_default());
    tusk__write_u8(&w, 0x81);
    tusk__write_u16(&w, 0x8283);
    tusk__write_u32(&w, 0x84858687);
    tusk__write_u64(&w, 0x88898a8b8c8d8e8f);
    ck_assert_mem_eq(w.buf, "\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f", 15);
    b = tusk__reader_of(tusk_str_from(w.buf, w.len));
    ck_assert_uint_eq(tusk__read_u8(&b), 0x81);
    ck_assert_uint_eq(tusk__read_u16(&b), 0x8283);
    ck_assert_int_eq(tusk__read_i32(&b), (int32_t)0x84858687);
    ck_assert(tusk__read_u64(&b) == 0x88898a8b8c8d8e8f);
    ck_assert(!b.bad && tusk__reader_left(&b) == 0);
    tusk__writer_clear(&w);
}
END_TEST

/* ---- writer --------------------------------------------------------------------------------------------------------- */

START_TEST(no_memory_sticks_and_nothing_is_written_behind_it)
{
    meter m = {.calls_left = 1};
    tusk_allocator allocator = meter_allocator(&m);
    tusk__writer b;
    size_t len;

    tusk__writer_init(&b, &allocator);
    tusk__write_cstr(&b, tusk_str_of("first"));
    ck_assert_int_eq(b.failed, TUSK_OK);
    len = b.len;
    ck_assert_ptr_null(tusk__write_space(&b, b.cap));
    ck_assert_int_eq(b.failed, TUSK_ERR_NOMEM);
    tusk__write_u8(&b, 1);
    tusk__write_u16(&b, 1);
    tusk__write_u32(&b, 1);
    tusk__write_u64(&b, 1);
    tusk__write_cstr(&b, tusk_str_of("a\0b"));
    tusk__write_bytes(&b, tusk_str_of("x"));
    tusk__write_field(&b, tusk_str_of("x"), false);
    tusk__write_field(&b, tusk_str_of("x"), true);
    tusk__write_count(&b, 70000);
    ck_assert_int_eq(b.failed, TUSK_ERR_NOMEM);
    ck_assert_uint_eq(b.len, len);
    ck_assert_uint_eq(m.n_calls, 2);
    tusk__writer_cut(&b, len);
    tusk__write_u8(&b, 7);
    ck_assert_uint_eq(b.len, len + 1);
    tusk__writer_clear(&b);
}
END_TEST

START_TEST(no_memory_at_the_first_byte)
{
    meter m = {.calls_left = 0};
    tusk_allocator allocator = meter_allocator(&m);
    tusk__writer b;

    tusk__writer_init(&b, &allocator);
    tusk__write_u32(&b, 1);
    ck_assert_int_eq(b.failed, TUSK_ERR_NOMEM);
    ck_assert_uint_eq(b.len, 0);
    tusk__writer_wipe(&b);
    tusk__writer_clear(&b);
}
END_TEST

START_TEST(a_writer_never_grows_beyond_its_bound)
{
    meter m = {.calls_left = SIZE_MAX};
    tusk_allocator allocator = meter_allocator(&m);
    tusk__writer b;
    size_t n = 0;

    tusk__writer_init(&b, &allocator);
    b.max = 3000;
    for (; b.failed == TUSK_OK; n++)
        tusk__write_u8(&b, (uint8_t)n);
    ck_assert_int_eq(b.failed, TUSK_ERR_LIMIT);
    ck_assert_uint_eq(b.len, 3000);
    ck_assert_uint_eq(m.largest, 3000);
    for (size_t i = 0; i < b.len; i++)
        ck_assert_uint_eq(b.buf[i], i & 0xff);
    tusk__writer_clear(&b);
    ck_assert_uint_eq(b.max, 3000);
}
END_TEST

START_TEST(d5_a_size_that_wraps_is_too_long)
{
    size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 4, SIZE_MAX - 9, SIZE_MAX / 2, (size_t)TUSK__WRITER_MAX + 1};
    char page[1];
    tusk__writer b;

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        tusk_str s = tusk_str_from(page, sizes[i]);

        tusk__writer_init(&b, tusk_allocator_default());
        tusk__write_u64(&b, 0);
        for (int what = 0; what < 4; what++) {
            if (what == 0)
                tusk__write_bytes(&b, s);
            else if (what == 1)
                tusk__write_cstr(&b, s);
            else if (what == 2)
                tusk__write_field(&b, s, false);
            else
                ck_assert_ptr_null(tusk__write_space(&b, s.len));
            ck_assert_int_eq(b.failed, TUSK_ERR_LIMIT);
            ck_assert_uint_eq(b.len, 8);
            tusk__writer_cut(&b, 8);
        }
        tusk__writer_clear(&b);
    }
}
END_TEST

START_TEST(d5_sums_and_products_that_wrap_are_refused)
{
    size_t r;

    ck_assert(!tusk__size_add(SIZE_MAX, 1, &r));
    ck_assert(!tusk__size_add(1, SIZE_MAX, &r));
    ck_assert(!tusk__size_add(SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 1, &r));
    ck_assert(!tusk__size_mul(SIZE_MAX / 2 + 1, 2, &r));
    ck_assert(!tusk__size_mul(SIZE_MAX, SIZE_MAX, &r));
    ck_assert(tusk__size_add(SIZE_MAX, 0, &r) && r == SIZE_MAX);
    ck_assert(tusk__size_mul(SIZE_MAX, 1, &r) && r == SIZE_MAX);
    ck_assert(tusk__size_mul(SIZE_MAX / 2, 2, &r) && r == SIZE_MAX - 1);
    ck_assert(tusk__size_mul(0, SIZE_MAX, &r) && r == 0);
}
END_TEST

START_TEST(d14_a_nul_at_each_position_of_a_string_is_refused)
{
    char text[9];
    tusk__writer b;

    tusk__writer_init(&b, tusk_allocator_default());
    for (size_t at = 0; at < sizeof text; at++) {
        memset(text, 'x', sizeof text);
        text[at] = '\0';
        tusk__write_cstr(&b, tusk_str_from(text, sizeof text));
        ck_assert_int_eq(b.failed, TUSK_ERR_VALUE);
        ck_assert_uint_eq(b.len, 0);
        tusk__writer_cut(&b, 0);
    }
    tusk__writer_clear(&b);
}
END_TEST

START_TEST(a_count_is_at_most_65535)
{
    tusk__writer b;

    tusk__writer_init(&b, tusk_allocator_default());
    tusk__write_count(&b, 65536);
    ck_assert_int_eq(b.failed, TUSK_ERR_LIMIT);
    tusk__writer_cut(&b, 0);
    tusk__write_count(&b, SIZE_MAX);
    ck_assert_int_eq(b.failed, TUSK_ERR_LIMIT);
    tusk__writer_cut(&b, 0);
    tusk__write_count(&b, 65535);
    tusk__write_count(&b, 0);
    ck_assert_int_eq(b.failed, TUSK_OK);
    ck_assert_mem_eq(b.buf, "\xff\xff\0\0", 4);
    tusk__writer_clear(&b);
}
END_TEST

START_TEST(wiping_overwrites_what_was_cut_off_too)
{
    meter m = {.calls_left = SIZE_MAX};
    tusk_allocator allocator = meter_allocator(&m);
    tusk__writer b;

    tusk__writer_init(&b, &allocator);
    memset(tusk__write_space(&b, 1024), 'x', 1024);
    tusk__writer_cut(&b, 3);
    tusk__writer_wipe(&b);
    ck_assert(m.was_zero);
    ck_assert_uint_eq(b.len, 0);
    tusk__write_u8(&b, 1);
    ck_assert_int_eq(b.failed, TUSK_OK);
    tusk__writer_clear(&b);
    ck_assert(!m.was_zero);
}
END_TEST

START_TEST(growing_takes_few_calls_and_keeps_all)
{
    meter m = {.calls_left = SIZE_MAX};
    tusk_allocator allocator = meter_allocator(&m);
    tusk__writer b;

    tusk__writer_init(&b, &allocator);
    for (uint32_t i = 0; i < 100000; i++)
        tusk__write_u32(&b, i);
    ck_assert_uint_le(m.n_calls, 12);
    for (uint32_t i = 0; i < 100000; i++)
        ck_assert_uint_eq(tusk__be32(b.buf + 4 * (size_t)i), i);
    tusk__writer_cut(&b, 0);
    m.n_calls = 0;
    for (uint32_t i = 0; i < 100000; i++)
        tusk__write_u32(&b, i);
    ck_assert_uint_eq(m.n_calls, 0);
    tusk__writer_clear(&b);
}
END_TEST

START_TEST(strings_and_fields_come_back_as_they_were)
{
    tusk__writer w;
    tusk__reader b;
    bool is_null;

    tusk__writer_init(&w, tusk_allocator_default());
    tusk__write_cstr(&w, tusk_str_of("name"));
    tusk__write_cstr(&w, tusk_str_from(NULL, 0));
    tusk__write_field(&w, tusk_str_from("a\0b", 3), false);
    tusk__write_field(&w, tusk_str_from(NULL, 0), false);
    tusk__write_field(&w, tusk_str_of("unused"), true);
    ck_assert_uint_eq(w.len, 5 + 1 + 7 + 4 + 4);
    b = tusk__reader_of(tusk_str_from(w.buf, w.len));
    ck_assert(tusk_str_is(tusk__read_cstr(&b), "name"));
    ck_assert_uint_eq(tusk__read_cstr(&b).len, 0);
    ck_assert(tusk_str_equal(tusk__read_field(&b, &is_null), tusk_str_from("a\0b", 3)) && !is_null);
    ck_assert(tusk__read_field(&b, &is_null).len == 0 && !is_null);
    ck_assert(tusk__read_field(&b, &is_null).len == 0 && is_null);
    ck_assert(!b.bad && tusk__reader_left(&b) == 0);
    tusk__writer_clear(&w);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("buf");
    TCase *reader = tcase_create("reader"), *writer = tcase_create("writer");

    tcase_add_loop_test(reader, a_read_too_far_is_bad_and_yields_zeros_for_ever, 0, 5);
    tcase_add_test(reader, bytes_of_any_huge_number_are_refused);
    tcase_add_test(reader, nothing_at_all_can_be_read_from);
    tcase_add_test(reader, d10_a_string_without_its_nul_is_bad);
    tcase_add_test(reader, d1_a_field_is_null_or_inside_the_rest);
    tcase_add_test(reader, values_are_big_endian_both_ways);
    suite_add_tcase(suite, reader);

    tcase_add_test(writer, no_memory_sticks_and_nothing_is_written_behind_it);
    tcase_add_test(writer, no_memory_at_the_first_byte);
    tcase_add_test(writer, a_writer_never_grows_beyond_its_bound);
    tcase_add_test(writer, d5_a_size_that_wraps_is_too_long);
    tcase_add_test(writer, d5_sums_and_products_that_wrap_are_refused);
    tcase_add_test(writer, d14_a_nul_at_each_position_of_a_string_is_refused);
    tcase_add_test(writer, a_count_is_at_most_65535);
    tcase_add_test(writer, wiping_overwrites_what_was_cut_off_too);
    tcase_add_test(writer, growing_takes_few_calls_and_keeps_all);
    tcase_add_test(writer, strings_and_fields_come_back_as_they_were);
    suite_add_tcase(suite, writer);
    return suite;
}
