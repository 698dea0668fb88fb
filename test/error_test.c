/* Tests of proto/error_set: how an error is written, and what it answers to questions. What makes errors is tested where it is made.
 * Read first: tusk/error.h, proto/error_set.h. */
#include <string.h>

#include "proto/error_set.h"
#include "test/harness/harness.h"

#define N_OF(array) (int)(sizeof(array) / sizeof(array)[0])

/* ---- texts ------------------------------------------------------------------------------------------------------------------- */

#define DOTS "\xE2\x80\xA6"

static const struct {
    const char *name;
    size_t size;
    const char *text, *want;
} copies[] = {
    {"fits", 8, "1234567", "1234567"},
    {"nothing", 8, "", ""},
    {"one too many", 8, "12345678", "1234" DOTS},
    {"cut in front of a character", 8, "123\xC3\xBC\x35\x36\x37\x38", "123" DOTS},
    {"cut behind a character", 8, "12\xC3\xBC\x35\x36\x37\x38", "12\xC3\xBC" DOTS},
    {"lines", 16, "a\nb\r\nc\td", "a b  c d"},
    {"a terminal's", 16, "\x1b[31m\x7f", " [31m "},
    {"a terminal's, of Latin-1", 16, "a\xC2\x9B\x62", "a??b"},
    {"Latin-1", 16, "gr\xFC\xDF\x65", "gr??e"},
    {"too long a form", 16, "\xC0\xAF", "??"},
    {"a surrogate", 16, "\xED\xA0\x80", "???"},
    {"above Unicode", 16, "\xF4\x90\x80\x80", "????"},
    {"begun and not ended", 16, "a\xE2\x80", "a??"},
    {"tails alone, cut", 8, "\x80\x80\x80\x80\x80\x80\x80\x80\x80", "????" DOTS},
    {"the highest", 16, "\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},
};

START_TEST(text_in_an_error_is_one_line_of_utf8)
{
    char out[16];

    memset(out, 'X', sizeof out);
    tusk__error_copy(out, copies[_i].size, tusk_str_of(copies[_i].text));
    ck_assert_msg(strcmp(out, copies[_i].want) == 0, "%s: %s", copies[_i].name, out);
}
END_TEST

START_TEST(text_may_be_copied_onto_itself)
{
    char out[16] = "a\nb\xFF\xC3\xBC";

    tusk__error_copy(out, sizeof out, tusk_str_of(out));
    ck_assert_str_eq(out, "a b?\xC3\xBC");
}
END_TEST

/* ---- questions --------------------------------------------------------------------------------------------------------------- */

static const struct {
    tusk_error err;
    bool is_fatal, is_retriable;
} questions[] = {
    {{.code = TUSK_OK, .sqlstate = ""}, false, false},
    {{.code = TUSK_OK, .sqlstate = "", .is_fatal = true}, false, false},
    {{.code = TUSK_ERR_SERVER, .sqlstate = "42601", .fate = TUSK_FATE_ANSWERED}, false, false},
    {{.code = TUSK_ERR_SERVER, .sqlstate = "40001", .fate = TUSK_FATE_ANSWERED}, false, true},
    {{.code = TUSK_ERR_SERVER, .sqlstate = "40P01", .fate = TUSK_FATE_ANSWERED}, false, true},
    {{.code = TUSK_ERR_LOST, .sqlstate = "08006"}, true, false},
    {{.code = TUSK_ERR_LOST, .sqlstate = "08006", .fate = TUSK_FATE_NOT_SENT}, true, true},
    {{.code = TUSK_ERR_PROTOCOL, .sqlstate = "08P01", .fate = TUSK_FATE_NOT_SENT}, true, false},
    {{.code = TUSK_ERR_CONFIG, .sqlstate = "08001", .fate = TUSK_FATE_NOT_SENT}, true, false},
    {{.code = TUSK_ERR_CONNECT, .sqlstate = "08001", .fate = TUSK_FATE_NOT_SENT}, true, true},
    {{.code = TUSK_ERR_CONNECT, .sqlstate = "0A000", .fate = TUSK_FATE_NOT_SENT}, true, false},
    {{.code = TUSK_ERR_CONNECT, .sqlstate = "57P03", .fate = TUSK_FATE_NOT_SENT}, true, true},
    {{.code = TUSK_ERR_CONNECT, .sqlstate = "53300", .fate = TUSK_FATE_NOT_SENT}, true, true},
    {{.code = TUSK_ERR_CONNECT, .sqlstate = "3D000", .fate = TUSK_FATE_NOT_SENT}, true, false},
    {{.code = TUSK_ERR_TLS, .sqlstate = "08001", .fate = TUSK_FATE_NOT_SENT}, true, false},
    {{.code = TUSK_ERR_TLS, .sqlstate = "08006", .fate = TUSK_FATE_NOT_SENT}, true, true},
    {{.code = TUSK_ERR_AUTH, .sqlstate = "28P01", .fate = TUSK_FATE_NOT_SENT}, true, false},
    {{.code = TUSK_ERR_TIMEOUT, .sqlstate = "57014"}, false, false},
    {{.code = TUSK_ERR_TIMEOUT, .sqlstate = "57014", .is_fatal = true}, true, false},
    {{.code = TUSK_ERR_TIMEOUT, .sqlstate = "08001", .fate = TUSK_FATE_NOT_SENT}, true, true},
    {{.code = TUSK_ERR_VALUE, .sqlstate = "22P03"}, false, false},
    {{.code = TUSK_ERR_VALUE, .sqlstate = "22P03", .fate = TUSK_FATE_NOT_SENT, .is_fatal = true}, true, false},
    {{.code = TUSK_ERR_NOMEM, .sqlstate = "53200"}, false, false},
    {{.code = TUSK_ERR_NOMEM, .sqlstate = "53200", .fate = TUSK_FATE_NOT_SENT, .is_fatal = true}, true, false},
    {{.code = (tusk_code)4711, .sqlstate = "?????", .is_fatal = true}, false, false},
};

START_TEST(error_says_whether_the_connection_is_gone_and_whether_to_try_again)
{
    const tusk_error *err = &questions[_i].err;

    ck_assert_msg(tusk_error_is_fatal(err) == questions[_i].is_fatal, "%s %s", tusk_code_name(err->code),
                  err->sqlstate);
    ck_assert_msg(tusk_error_is_retriable(err) == questions[_i].is_retriable, "%s %s", tusk_code_name(err->code),
                  err->sqlstate);
}
END_TEST

START_TEST(what_an_error_struct_held_before_does_not_count)
{
    tusk_error err;

    memset(&err, 0xff, sizeof err);
    tusk__error_begin(&err);
    ck_assert_int_eq(tusk__error_set(&err, TUSK_ERR_VALUE, NULL, "a %s", "message"), TUSK_ERR_VALUE);
    ck_assert(!tusk_error_is_fatal(&err));
    ck_assert_str_eq(err.sqlstate, "22P03");
    ck_assert_str_eq(err.where, "");
    ck_assert_int_eq(tusk__error_set(&err, TUSK_ERR_LOST, NULL, "another"), TUSK_ERR_LOST);
    ck_assert_str_eq(err.message, "a message"); /* the first wins */
    tusk__error_where(&err, "inner");
    tusk__error_where(&err, "outer %d", 1);
    ck_assert_str_eq(err.where, "outer 1: inner");
}
END_TEST

/* ---- several lines ---- */

static const struct {
    tusk_error err;
    const char *sql, *text;
} multi[] = {
    {{.code = TUSK_OK}, "select 1", "no error\n"},
    {{.code = TUSK_ERR_LOST, .sqlstate = "08006", .message = "gone"}, NULL, "gone (08006)\n"},
    {{.code = TUSK_ERR_SERVER,
      .sqlstate = "42703",
      .where = "exec \"select nam\"",
      .message = "no such column",
      .hint = "Try name.",
      .detail = "It is so.",
      .position = 8},
     "select nam",
     "exec \"select nam\": no such column (42703)\nLINE 1: select nam\n               ^\nDETAIL:  It is so.\nHINT:  "
     "Try name.\n"},
    {{.code = TUSK_ERR_SERVER, .sqlstate = "42601", .message = "m", .position = 8}, NULL, "m (42601)\n"},
    {{.code = TUSK_ERR_SERVER, .sqlstate = "42601", .message = "m", .position = 0}, "x", "m (42601)\n"},
    {{.code = TUSK_ERR_SERVER, .sqlstate = "42601", .message = "m", .position = 3}, "x", "m (42601)\n"},
    {{.code = TUSK_ERR_SERVER, .sqlstate = "42601", .message = "m", .position = 2},
     "x",
     "m (42601)\nLINE 1: x\n         ^\n"},
    {{.code = TUSK_ERR_SERVER, .sqlstate = "42601", .message = "m", .position = 7},
     "a\n\xC3\xA4\t\x1B[\xC2\x9Bz\nb",
     "m (42601)\nLINE 2: \xC3\xA4  [ z\n            ^\n"},
    {{.code = TUSK_ERR_SERVER, .sqlstate = "42601", .message = "m", .position = 1},
     "0123456789012345678901234567890123456789012345678901234567890123456789",
     "m (42601)\nLINE 1: 012345678901234567890123456789012345678901234567890123456789...\n        ^\n"},
    {{.code = TUSK_ERR_SERVER, .sqlstate = "42601", .message = "m", .position = 41},
     "0123456789012345678901234567890123456789012345678901234567890123456789",
     "m (42601)\nLINE 1: ...012345678901234567890123456789012345678901234567890123456789\n"
     "                                         ^\n"},
    {{.code = TUSK_ERR_SERVER, .sqlstate = "42601", .message = "m", .position = 40},
     "0123456789012345678901234567890123456789012345678901234567890123456789",
     "m (42601)\nLINE 1: ...901234567890123456789012345678901234567890123456789012345678...\n"
     "                                         ^\n"},
};

/* Whole, and cut wherever it may be: NUL-terminated, nothing behind, and the length is that of the whole. */
START_TEST(lines_are_as_psql_prints_them)
{
    const tusk_error *err = &multi[_i].err;
    const char *want = multi[_i].text;
    char text[512];

    ck_assert_uint_eq(tusk_error_format_lines(err, multi[_i].sql, text, sizeof text), strlen(want));
    ck_assert_str_eq(text, want);
    for (size_t size = 0; size <= strlen(want); size++) {
        memset(text, '#', sizeof text);
        ck_assert_uint_eq(tusk_error_format_lines(err, multi[_i].sql, text, size), strlen(want));
        if (size > 0)
            ck_assert_uint_eq(strlen(text), size - 1);
        ck_assert_int_eq(memcmp(text, want, size ? size - 1 : 0), 0);
        ck_assert_int_eq(text[size], '#');
    }
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("error");
    TCase *tcase = tcase_create("error");

    tcase_add_loop_test(tcase, text_in_an_error_is_one_line_of_utf8, 0, N_OF(copies));
    tcase_add_test(tcase, text_may_be_copied_onto_itself);
    tcase_add_loop_test(tcase, error_says_whether_the_connection_is_gone_and_whether_to_try_again, 0, N_OF(questions));
    tcase_add_test(tcase, what_an_error_struct_held_before_does_not_count);
    tcase_add_loop_test(tcase, lines_are_as_psql_prints_them, 0, (int)(sizeof multi / sizeof multi[0]));
    suite_add_tcase(suite, tcase);
    return suite;
}
