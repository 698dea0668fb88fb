/* Tests of framing (proto/frame): every length word that a peer can send, and the walk over a stream.
 * Not tested here: bodies.
 * Read first: proto/frame.h, proto/bounds.h. */
#include "proto/frame.h"

#include <stdlib.h>

#include "proto/message.h"
#include "test/harness/harness.h"

static void put_header(uint8_t header[TUSK__FRAME_HEADER], int type, uint32_t len)
{
    header[0] = (uint8_t)type;
    tusk__put32(header + 1, len);
}

static void assert_refused(tusk_code code, const tusk_error *err)
{
    ck_assert_int_eq(code, TUSK_ERR_PROTOCOL);
    ck_assert_int_eq(err->code, TUSK_ERR_PROTOCOL);
    ck_assert_str_eq(err->sqlstate, "08P01");
    ck_assert(err->message[0] != '\0');
}

START_TEST(d2_a_length_below_4_is_refused_for_every_type)
{
    uint8_t header[TUSK__FRAME_HEADER];

    for (int type = 0; type < 256; type++) {
        for (uint32_t len = 0; len <= 5; len++) {
            size_t maxima[] = {tusk__backend_body_max((uint8_t)type, false),
                               tusk__backend_body_max((uint8_t)type, true), tusk__frontend_body_max((uint8_t)type)};

            put_header(header, type, len);
            for (size_t i = 0; i < 3; i++) {
                size_t body_len = 99;
                tusk_error err = {0};
                tusk_code code = tusk__frame_check(header, maxima[i], &body_len, &err);

                if (len < 4) {
                    assert_refused(code, &err);
                    ck_assert_uint_eq(body_len, 99);
                } else {
                    ck_assert_int_eq(code, TUSK_OK);
                    ck_assert_uint_eq(body_len, len - 4);
                }
            }
        }
    }
}
END_TEST

START_TEST(d2_a_stream_stops_at_a_length_below_4)
{
    for (int type = 0; type < 256; type++) {
        for (uint32_t len = 0; len <= 5; len++) {
            for (int from_backend = 0; from_backend < 2; from_backend++) {
                uint8_t *bytes = malloc(6);
                tusk_str stream = tusk_str_from(bytes, 6), body;
                tusk_error err = {0};
                uint8_t got;
                tusk_code code;

                put_header(bytes, type, len);
                bytes[5] = 'x';
                code = tusk__frame_next(&stream, from_backend, false, &got, &body, &err);
                if (len < 4) {
                    assert_refused(code, &err);
                    ck_assert_uint_eq(stream.len, 6);
                } else {
                    ck_assert_int_eq(code, TUSK_OK);
                    ck_assert_uint_eq(got, (uint8_t)type);
                    ck_assert_uint_eq(body.len, len - 4);
                    ck_assert_uint_eq(stream.len, 5 - len);
                }
                free(bytes);
            }
        }
    }
}
END_TEST

/* The figures of libpq, written down a second time. */
static size_t expected_backend_max(int type, bool pre_login)
{
    if (type == 'R' || type == 'v')
        return 2000;
    if (strchr("dDEVNATt", type) && type && !pre_login)
        return 0x3fffffff - 1 - 4;
    return 30000;
}

START_TEST(d4_frame_each_type_has_its_bound_before_and_behind_the_login)
{
    for (int type = 0; type < 256; type++)
        for (int pre_login = 0; pre_login < 2; pre_login++)
            ck_assert_msg(tusk__backend_body_max((uint8_t)type, pre_login) == expected_backend_max(type, pre_login),
                          "type %d, pre_login %d", type, pre_login);
}
END_TEST

START_TEST(d4_frame_the_backend_side_has_its_bounds_too)
{
    for (int type = 0; type < 256; type++) {
        size_t expected = type == 0 ? 9996 : strchr("QPBFd", type) ? 0x3fffffff - 5 : type == 'p' ? 65535 : 30000;

        ck_assert_msg(tusk__frontend_body_max((uint8_t)type) == expected, "type %d", type);
    }
}
END_TEST

/* Only the header is there: it is judged before any byte of a body has come, and nothing is believed. */
START_TEST(d4_frame_a_header_alone_is_judged)
{
    for (int type = 0; type < 256; type++) {
        for (int pre_login = 0; pre_login < 2; pre_login++) {
            uint32_t max = (uint32_t)tusk__backend_body_max((uint8_t)type, pre_login) + 4;
            const uint32_t lens[] = {max - 1,     max,         max + 1,     0x3fffffff - 1, 0x3fffffff, 0x7fffffff,
                                     0x80000000u, 0x80000003u, 0x80000004u, 0xfffffffeu,    0xffffffffu};

            for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
                uint8_t header[TUSK__FRAME_HEADER];
                size_t body_len;
                tusk_error err = {0};
                tusk_code code;

                put_header(header, type, lens[i]);
                code = tusk__frame_check(header, max - 4, &body_len, &err);
                if (lens[i] <= max) {
                    ck_assert_int_eq(code, TUSK_OK);
                    ck_assert_uint_eq(body_len, lens[i] - 4);
                } else {
                    assert_refused(code, &err);
                }
            }
        }
    }
}
END_TEST

START_TEST(d13_frame_a_length_above_the_hard_limit_is_refused_in_both_directions)
{
    static const uint8_t types[] = {'D', 'd', 'E', 'V', 'N', 'A', 'T', 't', 'Q', 'P', 'B', 'F'};

    for (size_t i = 0; i < sizeof types; i++) {
        for (uint32_t k = 0; k < 3; k++) {
            uint8_t header[TUSK__FRAME_HEADER];
            tusk_str stream = tusk_str_from(header, sizeof header), body;
            tusk_error err = {0};
            uint8_t type;

            put_header(header, types[i], 0x3fffffff + k);
            assert_refused(tusk__frame_next(&stream, i < 8, false, &type, &body, &err), &err);
        }
    }
}
END_TEST

START_TEST(a_refusal_names_type_and_numbers)
{
    tusk_error err = {0};
    size_t body_len;

    ck_assert_int_eq(tusk__frame_check((const uint8_t *)"D\0\0\0\3", 100, &body_len, &err), TUSK_ERR_PROTOCOL);
    ck_assert_str_eq(err.message, "message 'D' has length 3 where 4 to 104 are possible");
    memset(&err, 0, sizeof err);
    ck_assert_int_eq(tusk__frame_check((const uint8_t *)"\a\xff\xff\xff\xff", 100, &body_len, &err), TUSK_ERR_PROTOCOL);
    ck_assert_str_eq(err.message, "message 0x07 has length 4294967295 where 4 to 104 are possible");
    ck_assert_int_eq(tusk__frame_check((const uint8_t *)"D\0\0\0\3", 100, &body_len, NULL), TUSK_ERR_PROTOCOL);
}
END_TEST

START_TEST(a_first_packet_is_between_4_and_10000_bytes)
{
    static const struct {
        uint32_t len;
        bool is_good;
    } cases[] = {{0, false},     {3, false},       {4, true},           {8, true},           {10000, true},
                 {10001, false}, {0x10000, false}, {0x7fffffff, false}, {0xffffffffu, false}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t *bytes = calloc(1, 10000);
        tusk_str stream = tusk_str_from(bytes, 10000), body;
        tusk_error err = {0};
        uint8_t type = 99;
        tusk_code code;

        tusk__put32(bytes, cases[i].len);
        code = tusk__frame_next(&stream, false, true, &type, &body, &err);
        if (cases[i].is_good) {
            ck_assert_int_eq(code, TUSK_OK);
            ck_assert_uint_eq(type, 0);
            ck_assert_uint_eq(body.len, cases[i].len - 4);
        } else {
            assert_refused(code, &err);
        }
        free(bytes);
    }
}
END_TEST

START_TEST(a_stream_that_is_not_whole_is_left_alone)
{
    static const char bytes[] = "Z\0\0\0\5I";

    for (size_t len = 0; len < 6; len++) {
        char *copy = malloc(len > 0 ? len : 1);
        tusk_str stream, body;
        tusk_error err = {0};
        uint8_t type;

        memcpy(copy, bytes, len);
        stream = tusk_str_from(copy, len);
        ck_assert_int_eq(tusk__frame_next(&stream, true, false, &type, &body, &err), TUSK_AGAIN);
        ck_assert(stream.ptr == copy && stream.len == len);
        ck_assert_int_eq(err.code, TUSK_OK);
        free(copy);
    }
}
END_TEST

START_TEST(a_stream_is_taken_message_by_message)
{
    tusk_str stream = tusk_str_from("1\0\0\0\4Z\0\0\0\5Id\0\0\0\6ab", 5 + 6 + 7), body;
    tusk_error err = {0};
    uint8_t type;

    ck_assert_int_eq(tusk__frame_next(&stream, true, false, &type, &body, &err), TUSK_OK);
    ck_assert(type == '1' && body.len == 0);
    ck_assert_int_eq(tusk__frame_next(&stream, true, false, &type, &body, &err), TUSK_OK);
    ck_assert(type == 'Z' && tusk_str_is(body, "I"));
    ck_assert_int_eq(tusk__frame_next(&stream, true, false, &type, &body, &err), TUSK_OK);
    ck_assert(type == 'd' && tusk_str_is(body, "ab"));
    ck_assert_uint_eq(stream.len, 0);
    ck_assert_int_eq(tusk__frame_next(&stream, true, false, &type, &body, &err), TUSK_AGAIN);
}
END_TEST

START_TEST(a_message_that_failed_leaves_nothing_and_those_before_it_whole)
{
    tusk__writer b;
    size_t at;

    tusk__writer_init(&b, tusk_allocator_default());
    tusk__sync_write(&b);
    at = tusk__message_begin(&b, 'Q');
    tusk__write_cstr(&b, tusk_str_of("select"));
    tusk__writer_fail(&b, TUSK_ERR_VALUE);
    tusk__message_end(&b, at);
    ck_assert_int_eq(b.failed, TUSK_ERR_VALUE);
    ck_assert_uint_eq(b.len, 5);
    tusk__sync_write(&b); /* still failed: nothing */
    ck_assert_uint_eq(b.len, 5);
    tusk__writer_cut(&b, 5);
    tusk__flush_write(&b);
    ck_assert_mem_eq(b.buf, "S\0\0\0\4H\0\0\0\4", 10);
    tusk__writer_clear(&b);
}
END_TEST

START_TEST(a_message_written_piecemeal_is_framed)
{
    tusk__writer b;
    size_t at;

    tusk__writer_init(&b, tusk_allocator_default());
    at = tusk__message_begin(&b, 0);
    tusk__write_u32(&b, TUSK__SSL_REQUEST_CODE);
    tusk__message_end(&b, at);
    at = tusk__message_begin(&b, 'd');
    tusk__write_u8(&b, 'x');
    tusk__writer_cut(&b, at + 5); /* a codec may take back what it wrote */
    tusk__write_bytes(&b, tusk_str_of("yz"));
    tusk__message_end(&b, at);
    ck_assert_uint_eq(b.len, 8 + 7);
    ck_assert_mem_eq(b.buf,
                     "\0\0\0\x08\x04\xd2\x16\x2f"
                     "d\0\0\0\6yz",
                     15);
    tusk__writer_clear(&b);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("frame");
    TCase *lengths = tcase_create("lengths"), *streams = tcase_create("streams");

    tcase_add_test(lengths, d2_a_length_below_4_is_refused_for_every_type);
    tcase_add_test(lengths, d2_a_stream_stops_at_a_length_below_4);
    tcase_add_test(lengths, d4_frame_each_type_has_its_bound_before_and_behind_the_login);
    tcase_add_test(lengths, d4_frame_the_backend_side_has_its_bounds_too);
    tcase_add_test(lengths, d4_frame_a_header_alone_is_judged);
    tcase_add_test(lengths, d13_frame_a_length_above_the_hard_limit_is_refused_in_both_directions);
    tcase_add_test(lengths, a_refusal_names_type_and_numbers);
    tcase_add_test(lengths, a_first_packet_is_between_4_and_10000_bytes);
    suite_add_tcase(suite, lengths);

    tcase_add_test(streams, a_stream_that_is_not_whole_is_left_alone);
    tcase_add_test(streams, a_stream_is_taken_message_by_message);
    tcase_add_test(streams, a_message_that_failed_leaves_nothing_and_those_before_it_whole);
    tcase_add_test(streams, a_message_written_piecemeal_is_framed);
    suite_add_tcase(suite, streams);
    return suite;
}
