/* Tests of the message printer (proto/trace): its lines, what must not be in them, and rubbish.
 * Not tested here: whether the readers are right (message_test).
 * Read first: proto/trace.h, test/message_samples.h, which holds the line of each sample. */
#include "proto/trace.h"

#include <stdlib.h>

#include "test/harness/harness.h"
#include "test/message_samples.h"

#define N_SAMPLES ((int)N_OF(samples))

static const tusk__trace_options all_shown = {.show_values = true, .max_value = 1000};

static tusk__direction direction_of(const sample *s)
{
    return s->from_backend ? TUSK__TO_FRONTEND : TUSK__TO_BACKEND;
}

/* The line of a body that lies in a block of exactly its size; to be freed. */
static char *line_of(const sample *s, const char *bytes, size_t len, const tusk__trace_options *options)
{
    char *copy = malloc(len > 0 ? len : 1), *line;
    size_t n;

    memcpy(copy, bytes, len);
    n = tusk__trace_message(direction_of(s), s->type, tusk_str_from(copy, len), options, NULL, 0);
    line = malloc(n + 1);
    if (tusk__trace_message(direction_of(s), s->type, tusk_str_from(copy, len), options, line, n + 1) != n ||
        strlen(line) != n)
        ck_abort_msg("%s: two lengths of one line", s->name);
    free(copy);
    return line;
}

static void assert_is_one_line(const sample *s, const char *line)
{
    for (const char *p = line; *p; p++)
        if ((uint8_t)*p < 0x20 || *p == 0x7f)
            ck_abort_msg("%s: control character 0x%02x in \"%s\"", s->name, (unsigned)(uint8_t)*p, line);
}

START_TEST(no_secret_is_in_a_line_even_if_values_are_shown)
{
    const sample *s = &samples[_i];

    for (size_t len = 0; len <= s->len; len++) { /* cut ones are malformed, and no reason to show more */
        char *line = line_of(s, s->bytes, len, &all_shown);

        if (s->words[0] && strstr(line, s->words))
            ck_abort_msg("%s: \"%s\"", s->name, line);
        free(line);
    }
}
END_TEST

START_TEST(a_message_cut_anywhere_is_printed_as_malformed)
{
    const sample *s = &samples[_i];

    for (size_t len = 0; len < s->len; len++) {
        char *line = line_of(s, s->bytes, len, &all_shown);

        assert_is_one_line(s, line);
        if (!s->is_open && s->type != 'p' && !strstr(line, "(malformed: "))
            ck_abort_msg("%s, %zu bytes: \"%s\"", s->name, len, line);
        free(line);
    }
}
END_TEST

START_TEST(a_byte_changed_anywhere_is_survived)
{
    static const uint8_t values[] = {0, 1, 0x0a, 0x1b, 0x22, 0x5c, 0x7f, 0x80, 0x9b, 0xc2, 0xe2, 0xff};
    const sample *s = &samples[_i];

    for (size_t at = 0; at < s->len; at++) {
        for (size_t i = 0; i < N_OF(values); i++) {
            char *bytes = malloc(s->len), *line;

            memcpy(bytes, s->bytes, s->len);
            bytes[at] = (char)values[i];
            line = line_of(s, bytes, s->len, i % 2 ? &all_shown : NULL);
            assert_is_one_line(s, line);
            free(line);
            free(bytes);
        }
    }
}
END_TEST

START_TEST(any_type_with_any_bytes_is_one_line)
{
    static const char *const bodies[] = {"", "\n", "abcdefgh", "\xff\xff\xff\xff\xff\xff\xff\xff\xff",
                                         "\x01\x02\x03\x04\x1b[2J"};

    for (int type = 0; type < 256; type++) {
        for (int from_backend = 0; from_backend < 2; from_backend++) {
            for (size_t i = 0; i < N_OF(bodies); i++) {
                sample s = {.name = "rubbish", .from_backend = from_backend, .type = (uint8_t)type};
                char *line = line_of(&s, bodies[i], strlen(bodies[i]), &all_shown);

                assert_is_one_line(&s, line);
                ck_assert(line[0] == (from_backend ? 'B' : 'F') && line[1] == ' ' && line[2] != '\0');
                free(line);
            }
        }
    }
}
END_TEST

START_TEST(a_buffer_too_small_holds_the_start)
{
    const sample *s = &samples[_i];
    char *whole = line_of(s, s->bytes, s->len, NULL);
    size_t len = strlen(whole);

    for (size_t size = 0; size <= len + 2; size++) {
        char *buf = malloc(size > 0 ? size : 1);
        size_t kept = size == 0 ? 0 : size - 1 < len ? size - 1 : len;

        ck_assert_uint_eq(
            tusk__trace_message(direction_of(s), s->type, tusk_str_from(s->bytes, s->len), NULL, buf, size), len);
        if (size > 0 && (strlen(buf) != kept || memcmp(buf, whole, kept) != 0))
            ck_abort_msg("%s, %zu bytes: \"%s\"", s->name, size, buf);
        free(buf);
    }
    free(whole);
}
END_TEST

START_TEST(each_message_has_its_line)
{
    const sample *s = &samples[_i];
    char *line = line_of(s, s->bytes, s->len, NULL);

    ck_assert_str_eq(line, s->line);
    free(line);
}
END_TEST

static const struct {
    bool from_backend;
    uint8_t type;
    const char *bytes;
    size_t len;
    tusk__trace_options options;
    const char *line;
} lines[] = {
    {true,
     'D',
     BYTES("\0\2\0\0\0\1\n\0\0\0\5\x80\xc3\xa4\"\\"),
     {true, 0},
     "B DataRow 2 (\"\\n\", \"\\x80\xc3\xa4\\\"\\\\\")"},
    {true, 'D', BYTES("\0\1\0\0\0\4\xc2\x9b\xed\xa0"), {true, 0}, "B DataRow 1 (\"\\xc2\\x9b\\xed\\xa0\")"},
    {true, 'D', BYTES("\0\1\0\0\0\5\xf0\x9f\x90\x98\xf0"), {true, 0}, "B DataRow 1 (\"\xf0\x9f\x90\x98\\xf0\")"},
    {true, 'D', BYTES("\0\1\0\0\0\6abcdef"), {true, 4}, "B DataRow 1 (\"abcd\"+2)"},
    {true, 'D', BYTES("\0\1\0\0\0\4abc\xc3"), {true, 3}, "B DataRow 1 (\"abc\"+1)"},
    {true, 'D', BYTES("\0\1\0\0\0\5abc\xc3\xa4"), {true, 4}, "B DataRow 1 (\"abc\xc3\xa4\")"},
    {true, 'D', BYTES("\0\1\0\0\0\6abcdef"), {false, 4}, "B DataRow 1 (6)"},
    {false, 'Q', BYTES("select 1, 2\0"), {false, 6}, "F Query \"select\"+5"},
    {false, 'E', BYTES("\0\0\0\0\0"), {false, 0}, "F Execute \"\""},
    {false, 'd', BYTES("a\tb"), {true, 0}, "F CopyData \"a\\x09b\""},
    {true, 'A', BYTES("\0\0\0\1c\0secret\0"), {true, 0}, "B NotificationResponse 1 c \"secret\""},
    {true, 'N', BYTES("\n1\0Mx\0"), {true, 0}, "B NoticeResponse \\n=\"1\" M=x"},
    {true, 'V', BYTES("\0\0\0\1x"), {true, 0}, "B FunctionCallResponse (5 bytes)"},
    {true, '1', BYTES(""), {true, 0}, "B ParseComplete"},
    {true, '1', BYTES("x"), {true, 0}, "B ParseComplete (malformed: 1 bytes in a message without content)"},
    {false, 'S', BYTES(""), {true, 0}, "F Sync"},
    {false, 'F', BYTES("abc"), {true, 0}, "F FunctionCall (3 bytes)"},
    {true, 'y', BYTES("abc"), {true, 0}, "B unknown message 0x79 (3 bytes)"},
    {true, 0, BYTES("abc"), {true, 0}, "B unknown message 0x00 (3 bytes)"},
    {true,
     'Z',
     BYTES("\n"),
     {true, 0},
     "B ReadyForQuery (malformed: ReadyForQuery: transaction status is 0x0a where I, T and E are possible)"},
    {false,
     0,
     BYTES("\0\0\0\1"),
     {true, 0},
     "F first packet (malformed: first packet: 1 is neither protocol 3 nor a request code)"},
};

START_TEST(values_are_escaped_and_cut)
{
    char line[300];

    tusk__trace_message(lines[_i].from_backend ? TUSK__TO_FRONTEND : TUSK__TO_BACKEND, lines[_i].type,
                        tusk_str_from(lines[_i].bytes, lines[_i].len), &lines[_i].options, line, sizeof line);
    ck_assert_str_eq(line, lines[_i].line);
}
END_TEST

START_TEST(a_message_of_nothing_at_all_is_printed)
{
    char line[100];

    for (int type = 0; type < 256; type++) {
        tusk__trace_message(TUSK__TO_BACKEND, (uint8_t)type, tusk_str_from(NULL, 0), NULL, line, sizeof line);
        tusk__trace_message(TUSK__TO_FRONTEND, (uint8_t)type, tusk_str_from(NULL, 0), &all_shown, line, sizeof line);
    }
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("trace");
    TCase *t = tcase_create("trace");

    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, no_secret_is_in_a_line_even_if_values_are_shown, 0, N_SAMPLES);
    tcase_add_loop_test(t, a_message_cut_anywhere_is_printed_as_malformed, 0, N_SAMPLES);
    tcase_add_loop_test(t, a_byte_changed_anywhere_is_survived, 0, N_SAMPLES);
    tcase_add_test(t, any_type_with_any_bytes_is_one_line);
    tcase_add_test(t, a_message_of_nothing_at_all_is_printed);
    tcase_add_loop_test(t, a_buffer_too_small_holds_the_start, 0, N_SAMPLES);
    tcase_add_loop_test(t, each_message_has_its_line, 0, N_SAMPLES);
    tcase_add_loop_test(t, values_are_escaped_and_cut, 0, (int)N_OF(lines));
    suite_add_tcase(suite, t);
    return suite;
}
