/* Tests of every message of the protocol (proto/{startup,auth,query,row,copy,notify,error_fields}): what a peer can lie about,
 * what a caller can ask too much of, and that what is written is what is read.
 * Not tested here: when a message is legal (session), and its header (frame).
 * Read first: test/messages.h, test/message_samples.h. */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test/harness/harness.h"
#include "test/message_samples.h"

#define N_SAMPLES ((int)N_OF(samples))

/* A block of exactly this size, so that the address sanitizer sees one byte too far. */
static char *exact(const char *bytes, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);

    if (!copy)
        ck_abort_msg("no memory");
    memcpy(copy, bytes, len);
    return copy;
}

/* Read a copy of the bytes; an error must say what is wrong. */
static tusk_code read_copy(const sample *s, const char *bytes, size_t len)
{
    char *copy = exact(bytes, len);
    tusk_error err = {0};
    tusk_code code = s->rewrite(tusk_str_from(copy, len), NULL, &err);

    free(copy);
    if (code != TUSK_OK && (code != TUSK_ERR_PROTOCOL || err.code != code || strcmp(err.sqlstate, "08P01") != 0 ||
                            !strchr(err.message, ':')))
        ck_abort_msg("%s: code %d, \"%s\"", s->name, (int)code, err.message);
    return code;
}

/* ---- what a peer can lie about: all messages --------------------------------------------------------------------------- */

START_TEST(a_message_cut_at_any_byte_is_refused)
{
    const sample *s = &samples[_i];

    for (size_t len = 0; len < s->len; len++)
        if (read_copy(s, s->bytes, len) == TUSK_OK && !s->is_open)
            ck_abort_msg("%s: accepted %zu of %zu bytes", s->name, len, s->len);
}
END_TEST

START_TEST(bytes_behind_the_end_are_refused)
{
    const sample *s = &samples[_i];

    for (int byte = 0; byte < 256 && !s->is_open; byte++) {
        char *longer = exact(s->bytes, s->len);

        longer = realloc(longer, s->len + 1);
        longer[s->len] = (char)byte;
        if (read_copy(s, longer, s->len + 1) == TUSK_OK)
            ck_abort_msg("%s: accepted byte %d behind its end", s->name, byte);
        free(longer);
    }
}
END_TEST

static void put_number(char *at, size_t width, uint32_t v)
{
    for (size_t i = 0; i < width; i++)
        at[i] = (char)(uint8_t)(v >> 8 * (width - 1 - i));
}

static uint32_t get_number(const char *at, size_t width)
{
    const uint8_t *p = (const uint8_t *)at;

    return width == 2 ? tusk__be16(p) : tusk__be32(p);
}

#define N_LIES 11

static uint32_t lie(size_t i, uint32_t n)
{
    const uint32_t lies[N_LIES] = {0xffffffffu, 0xfffffffeu, 0x80000000u, 0,     n,          n + 1,
                                   n - 1,       0x7fffffff,  65535,       32768, 0xffff0000u};

    return lies[i];
}

/* May a sample with this number be right all the same? */
static bool is_possible(char kind, uint32_t n, uint32_t v)
{
    if (v == n)
        return true;
    if (kind == 'f')
        return v <= 1;
    if (kind == 'l' && n == 0)
        return v == UINT32_MAX; /* NULL and the empty value take the same bytes */
    return kind == 'l' && n == UINT32_MAX && v == 0;
}

START_TEST(d1_d3_a_count_length_or_format_that_lies_is_refused)
{
    const sample *s = &samples[_i];

    for (const spot *at = s->spots; at->kind; at++) {
        size_t width = at->kind == 'l' || at->kind == 'N' ? 4 : 2;
        uint32_t n = get_number(s->bytes + at->at, width);

        for (size_t i = 0; i < N_LIES; i++) {
            uint32_t v = width == 2 ? lie(i, n) & 0xffff : lie(i, n);
            char *bytes = exact(s->bytes, s->len);
            tusk_code code;

            put_number(bytes + at->at, width, v);
            code = read_copy(s, bytes, s->len);
            if ((code == TUSK_OK) != is_possible(at->kind, n, v))
                ck_abort_msg("%s: '%c' at %d is %lu: code %d", s->name, at->kind, (int)at->at, (unsigned long)v,
                             (int)code);
            free(bytes);
        }
    }
}
END_TEST

/* Whatever number is anywhere: no reader goes too far. The sanitizer is the judge. */
START_TEST(d1_a_lie_at_any_offset_is_survived)
{
    const sample *s = &samples[_i];

    for (size_t width = 1; width <= 4; width *= 2) {
        for (size_t at = 0; at + width <= s->len; at++) {
            for (size_t i = 0; i < N_LIES; i++) {
                char *bytes = exact(s->bytes, s->len);

                put_number(bytes + at, width, lie(i, width == 4 ? get_number(s->bytes + at, 4) : (uint8_t)bytes[at]));
                (void)read_copy(s, bytes, s->len);
                free(bytes);
            }
        }
    }
}
END_TEST

START_TEST(what_is_written_is_what_was_read)
{
    const sample *s = &samples[_i];
    size_t header = s->type ? 5 : 4;
    tusk_error err = {0};
    tusk__writer b;

    tusk__writer_init(&b, tusk_allocator_default());
    ck_assert_msg(s->rewrite(tusk_str_from(s->bytes, s->len), &b, &err) == TUSK_OK, "%s: %s", s->name, err.message);
    ck_assert_int_eq(b.failed, TUSK_OK);
    ck_assert_msg(b.len == header + s->len, "%s: %zu bytes", s->name, b.len);
    if (s->type)
        ck_assert_int_eq(b.buf[0], s->type);
    ck_assert_uint_eq(tusk__be32(b.buf + header - 4), s->len + 4);
    ck_assert_msg(memcmp(b.buf + header, s->bytes, s->len) == 0, "%s", s->name);
    tusk__writer_clear(&b);
}
END_TEST

START_TEST(no_memory_takes_the_whole_message_back)
{
    const sample *s = &samples[_i];
    tusk_error err = {0};
    tusk__writer b;

    for (size_t max = 1; max < s->len + 4 + (s->type != 0); max++) {
        tusk__writer_init(&b, tusk_allocator_default());
        b.max = max;
        ck_assert_int_eq(s->rewrite(tusk_str_from(s->bytes, s->len), &b, &err), TUSK_OK);
        ck_assert_int_eq(b.failed, TUSK_ERR_LIMIT);
        ck_assert_msg(b.len == 0, "%s: %zu bytes are left", s->name, b.len);
        tusk__writer_clear(&b);
    }
}
END_TEST

/* ---- rows ------------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *bytes;
    size_t len, n_cols;
    const char *message;
} bad_rows[] = {
    {BYTES(""), 0, "DataRow: number of fields needs 2 bytes where 0 are left"},
    {BYTES("\0"), 0, "DataRow: number of fields needs 2 bytes where 1 are left"},
    {BYTES("\0\1\0\0\0\0"), 2, "DataRow: 1 fields where 2 columns are described"},
    {BYTES("\0\1\0\0\0\0"), 0, "DataRow: 1 fields where 0 columns are described"},
    {BYTES("\0\1\0\0\0\0"), 65537, "DataRow: 1 fields where 65537 columns are described"},
    {BYTES("\0\0"), 65535, "DataRow: 0 fields where 65535 columns are described"},
    {BYTES("\0\0"), 65536, "DataRow: 0 fields where 65536 columns are described"},
    {BYTES("\xff\xff"), 65535, "DataRow: 65535 fields are announced where 0 bytes are left"},
    {BYTES("\0\2\0\0\0\0\0\0\0"), 2, "DataRow: 2 fields are announced where 7 bytes are left"},
    {BYTES("\0\1\0\0\0\1"), 1, "DataRow: field 1 has length 1 where 0 bytes are left"},
    {BYTES("\0\2\0\0\0\1x\0\0\0\2y"), 2, "DataRow: field 2 has length 2 where 1 bytes are left"},
    {BYTES("\0\2\0\0\0\3x\0\0\0\0"), 2, "DataRow: field 2 needs 4 bytes where 2 are left"},
    {BYTES("\0\1\xff\xff\xff\xfe"), 1, "DataRow: field 1 has length -2 where 0 bytes are left"},
    {BYTES("\0\1\x80\0\0\0"), 1, "DataRow: field 1 has length -2147483648 where 0 bytes are left"},
    {BYTES("\0\1\xff\xff\xff\xff"
           "x"),
     1, "DataRow: 1 bytes behind the end of the message"},
    {BYTES("\0\1\0\0\0\1xy"), 1, "DataRow: 1 bytes behind the end of the message"},
    {BYTES("\0\0"
           "x"),
     0, "DataRow: 1 bytes behind the end of the message"},
};

START_TEST(d3_a_row_that_lies_is_refused_with_its_numbers)
{
    char *copy = exact(bad_rows[_i].bytes, bad_rows[_i].len);
    tusk_error err = {0};
    const char *expected = bad_rows[_i].message;

    ck_assert_int_eq(tusk__data_row_check(tusk_str_from(copy, bad_rows[_i].len), bad_rows[_i].n_cols, &err),
                     TUSK_ERR_PROTOCOL);
    if (strstr(expected, "field 2 needs"))
        expected = "DataRow: field needs 4 bytes where 2 are left";
    ck_assert_str_eq(err.message, expected);
    ck_assert_str_eq(err.sqlstate, "08P01");
    ck_assert_int_eq(tusk__data_row_check(tusk_str_from(copy, bad_rows[_i].len), bad_rows[_i].n_cols, NULL),
                     TUSK_ERR_PROTOCOL);
    free(copy);
}
END_TEST

START_TEST(d3_a_row_has_as_many_fields_as_there_are_columns)
{
    const size_t counts[] = {0, 1, 2, 3, 4, 5, 65534, 65535, 65536, 65540, SIZE_MAX};
    tusk_str body = tusk_str_from("\0\4\xff\xff\xff\xff\0\0\0\0\0\0\0\1x\0\0\0\2yz", 2 + 16 + 3);

    for (size_t i = 0; i < N_OF(counts); i++)
        ck_assert_int_eq(tusk__data_row_check(body, counts[i], NULL), counts[i] == 4 ? TUSK_OK : TUSK_ERR_PROTOCOL);
}
END_TEST

START_TEST(d3_the_number_of_fields_is_compared_itself)
{
    for (unsigned n = 0; n < 65536; n++) {
        uint8_t row[2 + 8] = {(uint8_t)(n >> 8), (uint8_t)n, 0xff, 0xff, 0xff, 0xff};
        tusk_code code = tusk__data_row_check(tusk_str_from(row, sizeof row), 2, NULL);

        if ((code == TUSK_OK) != (n == 2))
            ck_abort_msg("%u fields announced, 2 there and described: code %d", n, (int)code);
    }
}
END_TEST

START_TEST(d1_a_row_longer_than_any_message_is_refused_unread)
{
    char *row = exact("\0\1\xff\xff\xff\xfe", 6);
    tusk_error err = {0};

    ck_assert_int_eq(tusk__data_row_check(tusk_str_from(row, (size_t)TUSK__MESSAGE_MAX + 3), 1, &err),
                     TUSK_ERR_PROTOCOL);
    ck_assert_str_eq(err.message, "DataRow: 1073741821 bytes are more than a message has");
#if SIZE_MAX > UINT32_MAX
    /* -2 would be the length of a value that fits */
    ck_assert_int_eq(tusk__data_row_check(tusk_str_from(row, 6 + (size_t)0xfffffffe), 1, NULL), TUSK_ERR_PROTOCOL);
#endif
    free(row);
}
END_TEST

/* ---- counts up to 65535, and one more ------------------------------------------------------------------------------------ */

typedef void write_n_fn(tusk__writer *b, size_t n);

static uint32_t types[65536];
static uint16_t formats[65536];
static tusk_str values[65536];
static bool is_null[65536];
static tusk__column columns[65536];

static void parse_n(tusk__writer *b, size_t n)
{
    tusk__parse_write(b, tusk_str_of("s"), tusk_str_of("select"), types, n);
}

static void bind_n(tusk__writer *b, size_t n)
{
    size_t at = tusk__bind_begin(b, tusk_str_of(""), tusk_str_of("s"), formats, n);

    for (size_t i = 0; i < n; i++)
        tusk__write_field(b, values[i], false);
    tusk__bind_end(b, at, NULL, 0);
}

static void result_formats_n(tusk__writer *b, size_t n)
{
    tusk__bind_end(b, tusk__bind_begin(b, tusk_str_of(""), tusk_str_of("s"), NULL, 0), formats, n);
}

static void row_description_n(tusk__writer *b, size_t n)
{
    tusk__row_description_write(b, columns, n);
}

static void parameter_description_n(tusk__writer *b, size_t n)
{
    tusk__parameter_description_write(b, types, n);
}

static void data_row_n(tusk__writer *b, size_t n)
{
    tusk__data_row_write(b, values, is_null, n);
}

static void copy_response_n(tusk__writer *b, size_t n)
{
    static const char zeros[2 * 65536];
    tusk__copy_response copy = {0, n, tusk_str_from(zeros, 2 * n)};

    tusk__copy_response_write(b, TUSK__B_COPY_IN_RESPONSE, &copy);
}

static const struct {
    const char *name;
    write_n_fn *write;
    rewrite_fn *rewrite;
} counted[] = {
    {"Parse", parse_n, rewrite_parse},
    {"Bind", bind_n, rewrite_bind},
    {"Bind, result formats", result_formats_n, rewrite_bind},
    {"RowDescription", row_description_n, rewrite_row_description},
    {"ParameterDescription", parameter_description_n, rewrite_parameter_description},
    {"DataRow", data_row_n, rewrite_data_row},
    {"CopyInResponse", copy_response_n, rewrite_copy_in},
};

START_TEST(d13_65535_items_are_written_and_65536_are_not)
{
    tusk_error err = {0};
    tusk__writer b, again;

    tusk__writer_init(&b, tusk_allocator_default());
    tusk__writer_init(&again, tusk_allocator_default());
    counted[_i].write(&b, 65536);
    ck_assert_msg(b.failed == TUSK_ERR_LIMIT && b.len == 0, "%s", counted[_i].name);
    tusk__writer_cut(&b, 0);
    counted[_i].write(&b, 65535);
    ck_assert_msg(b.failed == TUSK_OK, "%s", counted[_i].name);
    ck_assert_msg(counted[_i].rewrite(tusk_str_from(b.buf + 5, b.len - 5), &again, &err) == TUSK_OK, "%s", err.message);
    ck_assert(again.len == b.len && memcmp(again.buf, b.buf, b.len) == 0);
    tusk__writer_clear(&b);
    tusk__writer_clear(&again);
}
END_TEST

START_TEST(d13_parameters_that_are_not_those_announced_are_refused)
{
    tusk__writer b;

    for (int n = 0; n < 4; n++) {
        size_t at;

        tusk__writer_init(&b, tusk_allocator_default());
        at = tusk__bind_begin(&b, tusk_str_of(""), tusk_str_of(""), NULL, 2);
        for (int i = 0; i < n; i++)
            tusk__write_field(&b, tusk_str_of("abc"), false);
        tusk__bind_end(&b, at, NULL, 0);
        ck_assert_int_eq(b.failed, n == 2 ? TUSK_OK : TUSK_ERR_USAGE);
        ck_assert(n == 2 || b.len == 0);
        tusk__writer_clear(&b);
    }
    for (uint32_t len = 0; len < 6; len++) { /* a codec that declares another length than it writes */
        size_t at;

        tusk__writer_init(&b, tusk_allocator_default());
        at = tusk__bind_begin(&b, tusk_str_of(""), tusk_str_of(""), NULL, 1);
        tusk__write_u32(&b, len);
        tusk__write_bytes(&b, tusk_str_of("abc"));
        tusk__bind_end(&b, at, NULL, 0);
        ck_assert_int_eq(b.failed, len == 3 ? TUSK_OK : TUSK_ERR_USAGE);
        tusk__writer_clear(&b);
    }
}
END_TEST

/* ---- D13 and D14: one string of the caller in each field of each message ------------------------------------------------- */

typedef void write_string_fn(tusk__writer *b, tusk_str s);
#define X tusk_str_of("x")
#define WRITER(name) static void name(tusk__writer *b, tusk_str s)

/* clang-format off */
WRITER(startup_name) { tusk__startup_param p = {s, X}; tusk__startup_message_write(b, TUSK__PROTOCOL_3_0, &p, 1); }
WRITER(startup_value) { tusk__startup_param p = {X, s}; tusk__startup_message_write(b, TUSK__PROTOCOL_3_0, &p, 1); }
WRITER(password) { tusk__password_message_write(b, s); }
WRITER(sasl_mechanism) { tusk__sasl_initial_response_write(b, s, X); }
WRITER(sasl_initial_data) { tusk__sasl_initial_response_write(b, X, s); }
WRITER(sasl_data) { tusk__sasl_response_write(b, s); }
WRITER(query) { tusk__query_write(b, s); }
WRITER(parse_name) { tusk__parse_write(b, s, X, NULL, 0); }
WRITER(parse_sql) { tusk__parse_write(b, X, s, NULL, 0); }
WRITER(describe_statement) { tusk__describe_write(b, 'S', s); }
WRITER(describe_portal) { tusk__describe_write(b, 'P', s); }
WRITER(close_statement) { tusk__close_write(b, 'S', s); }
WRITER(close_portal) { tusk__close_write(b, 'P', s); }
WRITER(execute_portal) { tusk__execute_write(b, s, 0); }
WRITER(bind_portal) { tusk__bind_end(b, tusk__bind_begin(b, s, X, NULL, 0), NULL, 0); }
WRITER(bind_statement) { tusk__bind_end(b, tusk__bind_begin(b, X, s, NULL, 0), NULL, 0); }
WRITER(bind_param)
{
    size_t at = tusk__bind_begin(b, X, X, NULL, 2);
    tusk__write_field(b, X, true);
    tusk__write_field(b, s, false);
    tusk__bind_end(b, at, NULL, 0);
}
WRITER(bind_param_piecemeal)
{
    size_t at = tusk__bind_begin(b, X, X, NULL, 1);
    tusk__write_u32(b, (uint32_t)s.len);
    tusk__write_bytes(b, s);
    tusk__bind_end(b, at, NULL, 0);
}
WRITER(copy_data) { tusk__copy_data_write(b, s); }
WRITER(copy_fail) { tusk__copy_fail_write(b, s); }
WRITER(parameter_name) { tusk__parameter_status p = {s, X}; tusk__parameter_status_write(b, &p); }
WRITER(parameter_value) { tusk__parameter_status p = {X, s}; tusk__parameter_status_write(b, &p); }
WRITER(column_name) { tusk__column c = {.name = s}; tusk__row_description_write(b, &c, 1); }
WRITER(row_field) { bool no = false; tusk__data_row_write(b, &s, &no, 1); }
WRITER(command_tag) { tusk__command_complete_write(b, s); }
WRITER(function_result) { tusk__function_call_response_write(b, s, false); }
WRITER(channel) { tusk__notification n = {1, s, X}; tusk__notification_response_write(b, &n); }
WRITER(payload) { tusk__notification n = {1, X, s}; tusk__notification_response_write(b, &n); }
WRITER(error_message) { tusk__error_field_value f = {'M', s}; tusk__error_fields_write(b, 'E', &f, 1); }
/* clang-format on */

#define ROW(write, is_cstr, max)                                                                                       \
    {                                                                                                                  \
#write, write, is_cstr, max                                                                                    \
    }
static const struct string_field {
    const char *name;
    write_string_fn *write;
    bool is_cstr;
    size_t max; /* body */
} string_fields[] = {
    ROW(startup_name, true, TUSK__STARTUP_PACKET_MAX - 4),
    ROW(startup_value, true, TUSK__STARTUP_PACKET_MAX - 4),
    ROW(password, true, TUSK__MESSAGE_MAX),
    ROW(sasl_mechanism, true, TUSK__MESSAGE_MAX),
    ROW(sasl_initial_data, false, TUSK__MESSAGE_MAX),
    ROW(sasl_data, false, TUSK__MESSAGE_MAX),
    ROW(query, true, TUSK__MESSAGE_MAX),
    ROW(parse_name, true, TUSK__MESSAGE_MAX),
    ROW(parse_sql, true, TUSK__MESSAGE_MAX),
    ROW(describe_statement, true, TUSK__MESSAGE_MAX),
    ROW(describe_portal, true, TUSK__MESSAGE_MAX),
    ROW(close_statement, true, TUSK__MESSAGE_MAX),
    ROW(close_portal, true, TUSK__MESSAGE_MAX),
    ROW(execute_portal, true, TUSK__MESSAGE_MAX),
    ROW(bind_portal, true, TUSK__MESSAGE_MAX),
    ROW(bind_statement, true, TUSK__MESSAGE_MAX),
    ROW(bind_param, false, TUSK__MESSAGE_MAX),
    ROW(bind_param_piecemeal, false, TUSK__MESSAGE_MAX),
    ROW(copy_data, false, TUSK__MESSAGE_MAX),
    ROW(copy_fail, true, TUSK__MESSAGE_MAX),
    ROW(parameter_name, true, TUSK__MESSAGE_MAX),
    ROW(parameter_value, true, TUSK__MESSAGE_MAX),
    ROW(column_name, true, TUSK__MESSAGE_MAX),
    ROW(row_field, false, TUSK__MESSAGE_MAX),
    ROW(command_tag, true, TUSK__MESSAGE_MAX),
    ROW(function_result, false, TUSK__MESSAGE_MAX),
    ROW(channel, true, TUSK__MESSAGE_MAX),
    ROW(payload, true, TUSK__MESSAGE_MAX),
    ROW(error_message, true, TUSK__MESSAGE_MAX),
};
#define N_STRING_FIELDS ((int)N_OF(string_fields))

START_TEST(d14_a_nul_in_a_string_puts_nothing_on_the_wire)
{
    const struct string_field *f = &string_fields[_i];
    tusk__writer b;

    tusk__writer_init(&b, tusk_allocator_default());
    tusk__sync_write(&b);
    for (size_t at = 0; at < 40; at++) {
        char text[40];

        memset(text, 'x', sizeof text);
        text[at] = '\0';
        f->write(&b, tusk_str_from(text, sizeof text));
        ck_assert_msg(b.failed == (f->is_cstr ? TUSK_ERR_VALUE : TUSK_OK), "%s, NUL at %zu", f->name, at);
        ck_assert_msg(b.len == 5 || !f->is_cstr, "%s, NUL at %zu: %zu bytes", f->name, at, b.len);
        tusk__writer_cut(&b, 5);
    }
    tusk__writer_clear(&b);
}
END_TEST

/* How many bytes of the body are not the string's, and how many of them come behind it. */
static size_t overhead_of(const struct string_field *f, size_t *behind)
{
    tusk__writer b;
    size_t len;

    tusk__writer_init(&b, tusk_allocator_default());
    f->write(&b, tusk_str_of("y"));
    ck_assert_int_eq(b.failed, TUSK_OK);
    len = b.len - (f->max == TUSK__MESSAGE_MAX ? 5 : 4) - 1;
    for (*behind = 0; b.buf[b.len - 1 - *behind] != 'y'; ++*behind)
        continue;
    *behind -= f->is_cstr; /* its NUL is its own */
    tusk__writer_clear(&b);
    return len;
}

/* Also by a writer that has the room already: it was grown by an earlier request. */
START_TEST(d13_room_from_before_does_not_help)
{
    size_t size = ((size_t)TUSK__MESSAGE_MAX + 8192) / 4096 * 4096;
    char *nowhere = mmap(NULL, 3 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    const struct string_field *f = &string_fields[_i];
    size_t behind, limit = f->max - overhead_of(f, &behind) + behind;
    tusk__writer b;

    if (nowhere == MAP_FAILED) {
        harness_skip("a writer of three gigabytes", "no address space");
        return;
    }
    ck_assert_int_eq(mprotect(nowhere, 4096, PROT_READ | PROT_WRITE), 0);
    tusk__writer_init(&b, tusk_allocator_default());
    b.buf = (uint8_t *)nowhere;
    b.cap = b.allocated = 3 * size;
    b.max = SIZE_MAX;
    f->write(&b, tusk_str_from(nowhere + size, limit + 1));
    ck_assert_int_eq(b.failed, TUSK_ERR_LIMIT);
    ck_assert_uint_eq(b.len, 0);
    ck_assert_uint_eq(b.cap, 3 * size);
    munmap(nowhere, 3 * size);
}
END_TEST

/* The string lies where nobody may read: who looks at it before its length dies here. What is written behind a string is not
 * known when it is judged, so a string too long by less than that is copied first and refused at the end. */
START_TEST(d13_a_string_too_long_is_refused_untouched)
{
    const struct string_field *f = &string_fields[_i];
    size_t behind, limit = f->max - overhead_of(f, &behind) + behind;
    const uint64_t lens[] = {limit + 1,   limit + 2,   limit + 5,   0x3ffffffe,     0x3fffffff,     0x40000000,
                             0x7ffffffb,  0x7ffffffe,  0x7fffffff,  0x80000000,     0x80000001,     0xfffffff0,
                             0xfffffffb,  0xffffffff,  0x100000000, 0x100000001,    0x100000004,    0x100000005,
                             0x100000040, 0x100010000, 0x200000000, UINT64_MAX - 5, UINT64_MAX - 1, UINT64_MAX};
    char *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    tusk__writer b;

    ck_assert(nowhere != MAP_FAILED);
    for (size_t i = 0; i < N_OF(lens); i++) {
        if (lens[i] > SIZE_MAX || lens[i] <= limit)
            continue;
        tusk__writer_init(&b, tusk_allocator_default());
        tusk__sync_write(&b);
        f->write(&b, tusk_str_from(nowhere, (size_t)lens[i]));
        ck_assert_msg(b.failed == TUSK_ERR_LIMIT, "%s, %llu bytes: code %d", f->name, (unsigned long long)lens[i],
                      (int)b.failed);
        ck_assert_uint_eq(b.len, 5);
        ck_assert_uint_le(b.cap, 1024);
        tusk__writer_clear(&b);
    }
    munmap(nowhere, 4096);
}
END_TEST

/* A gigabyte that is one MiB, again and again: `size` bytes of 'x' to read, or to write what nobody reads. */
#define PIECE ((size_t)1 << 20)
static char *repeated_memory(size_t size)
{
    FILE *file = tmpfile();
    char *block = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (!file || block == MAP_FAILED || ftruncate(fileno(file), (off_t)PIECE) != 0)
        return NULL;
    for (size_t at = 0; at < size; at += PIECE) {
        size_t n = size - at < PIECE ? size - at : PIECE;

        if (mmap(block + at, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fileno(file), 0) == MAP_FAILED)
            return NULL;
    }
    fclose(file);
    /* the first piece is itself: a message keeps its head */
    if (mmap(block, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        return NULL;
    memset(block, 'x', size < 2 * PIECE ? size : 2 * PIECE);
    return block;
}

static void *giant_realloc(void *ptr, size_t size, void *user)
{
    (void)ptr;
    return size <= (size_t)TUSK__MESSAGE_MAX + 4096 ? user : NULL;
}

static void *giant_malloc(size_t size, void *user)
{
    return giant_realloc(NULL, size, user);
}

static void giant_free(void *ptr, void *user)
{
    (void)ptr, (void)user;
}

static const struct {
    write_string_fn *write;
    bool is_cstr;
    int above; /* the limit */
} longest[] = {
    {bind_param, false, -1}, {bind_param, false, 0}, {bind_param, false, 1}, {query, true, 0}, {copy_data, false, 0}};

START_TEST(d13_the_longest_message_is_written_and_one_byte_more_is_not)
{
    size_t size = ((size_t)TUSK__MESSAGE_MAX + 8192) / 4096 * 4096;
    char *from = repeated_memory(size), *to = repeated_memory(size);
    tusk_allocator allocator = {giant_malloc, giant_realloc, giant_free, to};
    struct string_field f = {"", longest[_i].write, longest[_i].is_cstr, TUSK__MESSAGE_MAX};
    size_t body = (size_t)(TUSK__MESSAGE_MAX + longest[_i].above), behind;
    tusk__writer b;

    if (!from || !to) {
        harness_skip("a message of a gigabyte", "no address space or no temporary file");
        return;
    }
    tusk__writer_init(&b, &allocator);
    b.max = (size_t)TUSK__MESSAGE_MAX + 4096;
    f.write(&b, tusk_str_from(from, body - overhead_of(&f, &behind)));
    ck_assert_int_eq(b.failed, longest[_i].above > 0 ? TUSK_ERR_LIMIT : TUSK_OK);
    ck_assert_uint_eq(b.len, longest[_i].above > 0 ? 0 : body + 5);
    munmap(from, size);
    munmap(to, size);
}
END_TEST

/* Each field is short enough, all together are not: refused before the one that is too much is copied. */
START_TEST(d13_the_sum_of_parameters_is_judged)
{
    size_t size = ((size_t)TUSK__MESSAGE_MAX + 8192) / 4096 * 4096;
    char *to = repeated_memory(size), *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *from = repeated_memory(PIECE);
    tusk_allocator allocator = {giant_malloc, giant_realloc, giant_free, to};
    tusk__writer b;
    size_t at;

    if (!from || !to) {
        harness_skip("a message of a gigabyte", "no address space or no temporary file");
        return;
    }
    tusk__writer_init(&b, &allocator);
    at = tusk__bind_begin(&b, X, X, NULL, 3);
    tusk__write_field(&b, tusk_str_from(from, PIECE), false);
    tusk__write_field(&b, tusk_str_from(from, PIECE), false);
    tusk__write_field(&b, tusk_str_from(nowhere, (size_t)TUSK__MESSAGE_MAX - 2 * PIECE), false);
    ck_assert_int_eq(b.failed, TUSK_ERR_LIMIT);
    tusk__bind_end(&b, at, NULL, 0);
    ck_assert_uint_eq(b.len, 0);
    munmap(from, PIECE);
    munmap(to, size);
    munmap(nowhere, 4096);
}
END_TEST

/* ---- login ----------------------------------------------------------------------------------------------------------- */

START_TEST(a_startup_packet_above_10000_bytes_is_refused)
{
    static char text[10001];
    const size_t fixed = 4 + 4 + sizeof "user" + 1 + 1; /* length, version, name, NUL of the value, NUL of the list */
    tusk__startup_param p = {tusk_str_of("user"), {text, 0}};
    tusk__writer b;

    memset(text, 'x', sizeof text);
    tusk__writer_init(&b, tusk_allocator_default());
    p.value.len = 10000 - fixed + 1;
    tusk__startup_message_write(&b, TUSK__PROTOCOL_3_0, &p, 1);
    ck_assert_int_eq(b.failed, TUSK_ERR_LIMIT);
    ck_assert_uint_eq(b.len, 0);
    tusk__writer_cut(&b, 0);
    p.value.len = 10000 - fixed;
    tusk__startup_message_write(&b, TUSK__PROTOCOL_3_0, &p, 1);
    ck_assert_int_eq(b.failed, TUSK_OK);
    ck_assert_uint_eq(b.len, 10000);
    tusk__writer_clear(&b);
}
END_TEST

START_TEST(d14_a_startup_parameter_without_a_name_is_refused)
{
    tusk__startup_param p[] = {{tusk_str_of("user"), X}, {tusk_str_of(""), X}};
    tusk__writer b;

    tusk__writer_init(&b, tusk_allocator_default());
    tusk__startup_message_write(&b, TUSK__PROTOCOL_3_0, p, 2);
    ck_assert_int_eq(b.failed, TUSK_ERR_VALUE);
    ck_assert_uint_eq(b.len, 0);
    tusk__writer_clear(&b);
}
END_TEST

START_TEST(a_first_packet_of_another_protocol_is_refused)
{
    static const uint32_t codes[] = {0, 0x00020000, 0x0002ffff, 0x00040000, 0x12345678, 0xffffffff, 80877101, 80877105};
    uint8_t body[] = {0, 0, 0, 0, 'a', 0, 'b', 0, 0};
    tusk__first_packet packet;
    tusk_error err = {0};

    for (size_t i = 0; i < N_OF(codes); i++) {
        tusk__put32(body, codes[i]);
        ck_assert_int_eq(tusk__first_packet_read(tusk_str_from(body, sizeof body), &packet, &err), TUSK_ERR_PROTOCOL);
    }
    tusk__put32(body, 0x0003270f); /* a version to come is answered, not refused */
    ck_assert_int_eq(tusk__first_packet_read(tusk_str_from(body, sizeof body), &packet, &err), TUSK_OK);
}
END_TEST

START_TEST(a_cancel_key_has_4_to_256_bytes)
{
    for (size_t len = 0; len < 300; len++) {
        bool is_good = len >= 4 && len <= 256;
        char *body = exact((char[304]){0}, 4 + len), *cancel = exact((char[308]){4, (char)0xd2, 0x16, 0x2e}, 8 + len);
        tusk__backend_key key;
        tusk__first_packet packet;
        tusk_error err = {0};
        tusk__writer b;

        ck_assert_int_eq(tusk__backend_key_data_read(tusk_str_from(body, 4 + len), &key, &err),
                         is_good ? TUSK_OK : TUSK_ERR_PROTOCOL);
        ck_assert_int_eq(tusk__first_packet_read(tusk_str_from(cancel, 8 + len), &packet, &err),
                         is_good ? TUSK_OK : TUSK_ERR_PROTOCOL);
        tusk__writer_init(&b, tusk_allocator_default());
        tusk__cancel_request_write(&b, 1, tusk_str_from(body, len));
        ck_assert_int_eq(b.failed, is_good ? TUSK_OK : TUSK_ERR_VALUE);
        ck_assert_uint_eq(b.len, is_good ? 12 + len : 0);
        tusk__writer_clear(&b);
        free(body);
        free(cancel);
    }
}
END_TEST

START_TEST(a_transaction_status_is_i_t_or_e)
{
    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        uint8_t status;
        tusk_error err = {0};
        tusk_code code = tusk__ready_for_query_read(tusk_str_from(&byte, 1), &status, &err);

        ck_assert_int_eq(code, c == 'I' || c == 'T' || c == 'E' ? TUSK_OK : TUSK_ERR_PROTOCOL);
    }
}
END_TEST

START_TEST(startup_parameters_come_in_their_order)
{
    tusk_str body = tusk_str_from("\0\3\0\0user\0joe\0options\0\0\0", 4 + 9 + 9 + 1);
    tusk__startup_param param;
    tusk__first_packet packet;

    ck_assert_int_eq(tusk__first_packet_read(body, &packet, NULL), TUSK_OK);
    ck_assert_uint_eq(packet.code, TUSK__PROTOCOL_3_0);
    ck_assert(tusk__startup_next(&packet.params, &param));
    ck_assert(tusk_str_is(param.name, "user") && tusk_str_is(param.value, "joe"));
    ck_assert(tusk__startup_next(&packet.params, &param));
    ck_assert(tusk_str_is(param.name, "options") && tusk_str_is(param.value, ""));
    ck_assert(!tusk__startup_next(&packet.params, &param));
}
END_TEST

START_TEST(sasl_mechanisms_come_in_their_order)
{
    tusk_str body = tusk_str_from("\0\0\0\x0a"
                                  "A\0BC\0\0",
                                  10),
             name;
    tusk__authentication auth;

    ck_assert_int_eq(tusk__authentication_read(body, &auth, NULL), TUSK_OK);
    ck_assert(tusk__sasl_next(&auth.data, &name) && tusk_str_is(name, "A"));
    ck_assert(tusk__sasl_next(&auth.data, &name) && tusk_str_is(name, "BC"));
    ck_assert(!tusk__sasl_next(&auth.data, &name));
    ck_assert_int_eq(tusk__authentication_read(tusk_str_from("\0\0\0\x0a\0", 5), &auth, NULL), TUSK_OK);
    ck_assert(!tusk__sasl_next(&auth.data, &name));
}
END_TEST

START_TEST(no_initial_response_is_not_an_empty_one)
{
    tusk_str mechanism, data;
    tusk__writer b;

    tusk__writer_init(&b, tusk_allocator_default());
    tusk__sasl_initial_response_write(&b, X, tusk_str_from(NULL, 0));
    ck_assert_int_eq(tusk__sasl_initial_response_read(tusk_str_from(b.buf + 5, b.len - 5), &mechanism, &data, NULL),
                     TUSK_OK);
    ck_assert_ptr_null(data.ptr);
    tusk__writer_cut(&b, 0);
    tusk__sasl_initial_response_write(&b, X, tusk_str_of(""));
    ck_assert_int_eq(tusk__sasl_initial_response_read(tusk_str_from(b.buf + 5, b.len - 5), &mechanism, &data, NULL),
                     TUSK_OK);
    ck_assert_ptr_nonnull(data.ptr);
    tusk__writer_clear(&b);
}
END_TEST

/* An allocator whose blocks stay readable, to see what growing leaves behind. */
static char kept[4][4096];
static size_t n_kept;

static void *keeping_realloc(void *ptr, size_t size, void *user)
{
    char *block = kept[n_kept++];

    (void)user;
    ck_assert(n_kept <= N_OF(kept) && size <= sizeof kept[0]);
    if (ptr)
        memmove(block, ptr, sizeof kept[0]);
    return block;
}

START_TEST(growing_for_a_password_leaves_no_copy_behind)
{
    static const tusk_allocator allocator = {giant_malloc, keeping_realloc, giant_free, NULL};
    static const char secret[] = "open sesame, open sesame, open sesame";
    tusk__writer b;

    for (int what = 0; what < 3; what++) {
        n_kept = 0;
        memset(kept, 0, sizeof kept);
        tusk__writer_init(&b, &allocator);
        memset(tusk__write_space(&b, 1010), 'x', 1010); /* room for the header, not for the rest */
        if (what == 0)
            tusk__password_message_write(&b, tusk_str_of(secret));
        else if (what == 1)
            tusk__sasl_initial_response_write(&b, X, tusk_str_of(secret));
        else
            tusk__sasl_response_write(&b, tusk_str_of(secret));
        ck_assert_uint_eq(n_kept, 2);
        tusk__writer_wipe(&b);
        for (size_t i = 0; i < N_OF(kept); i++)
            for (size_t at = 0; at + 4 < sizeof kept[i]; at++)
                ck_assert_msg(memcmp(kept[i] + at, "sesa", 4) != 0, "message %d, block %zu", what, i);
    }
}
END_TEST

/* ---- queries ---------------------------------------------------------------------------------------------------------- */

START_TEST(describe_is_of_a_statement_or_a_portal)
{
    for (int c = 0; c < 256; c++) {
        char body[] = {(char)c, 'x', 0};
        uint8_t what;
        tusk_str name;

        ck_assert_int_eq(tusk__describe_read(tusk_str_from(body, 3), &what, &name, NULL),
                         c == 'S' || c == 'P' ? TUSK_OK : TUSK_ERR_PROTOCOL);
    }
}
END_TEST

START_TEST(d3_a_format_code_is_0_or_1)
{
    uint8_t row[] = "\0\1x\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    uint8_t bind[] = "\0\0\0\1\0\0\0\0\0\0";
    uint8_t copy[] = "\1\0\1\0\0";

    for (uint32_t code = 0; code < 65536; code++) {
        tusk_code expected = code <= 1 ? TUSK_OK : TUSK_ERR_PROTOCOL;
        tusk__row_description desc;
        tusk__copy_response response;
        tusk__bind b;

        tusk__put16(row + sizeof row - 1 - 1, (uint16_t)code);
        tusk__put16(bind + 4, (uint16_t)code);
        tusk__put16(copy + 3, (uint16_t)code);
        if (tusk__row_description_read(tusk_str_from(row, sizeof row), &desc, NULL) != expected ||
            tusk__bind_read(tusk_str_from(bind, sizeof bind - 1), &b, NULL) != expected ||
            tusk__copy_response_read(tusk_str_from(copy, sizeof copy - 1), &response, NULL) != expected)
            ck_abort_msg("format code %u", (unsigned)code);
    }
}
END_TEST

START_TEST(parameters_have_no_one_or_each_its_format)
{
    for (unsigned n_formats = 0; n_formats < 5; n_formats++) {
        for (unsigned n_params = 0; n_params < 5; n_params++) {
            bool is_good = n_formats <= 1 || n_formats == n_params;
            tusk__bind bind;
            tusk__writer b;

            tusk__writer_init(&b, tusk_allocator_default());
            tusk__write_bytes(&b, tusk_str_from("\0\0", 2));
            tusk__write_count(&b, n_formats);
            for (unsigned i = 0; i < n_formats; i++)
                tusk__write_u16(&b, 1);
            tusk__write_count(&b, n_params);
            for (unsigned i = 0; i < n_params; i++)
                tusk__write_field(&b, X, i % 2);
            tusk__write_count(&b, 0);
            ck_assert_int_eq(tusk__bind_read(tusk_str_from(b.buf, b.len), &bind, NULL),
                             is_good ? TUSK_OK : TUSK_ERR_PROTOCOL);
            tusk__writer_clear(&b);
        }
    }
}
END_TEST

START_TEST(a_column_keeps_its_signs)
{
    tusk__column in = {tusk_str_of("c"), 0xfffffff0u, 65535, 0xffffffffu, -2, -1, 1}, out;
    tusk__row_description desc;
    tusk__writer b;

    tusk__writer_init(&b, tusk_allocator_default());
    tusk__row_description_write(&b, &in, 1);
    ck_assert_int_eq(tusk__row_description_read(tusk_str_from(b.buf + 5, b.len - 5), &desc, NULL), TUSK_OK);
    ck_assert_uint_eq(desc.n_cols, 1);
    tusk__row_description_next(&desc.columns, &out);
    ck_assert(tusk_str_is(out.name, "c") && out.table_oid == in.table_oid && out.attnum == in.attnum);
    ck_assert(out.type_oid == in.type_oid && out.type_len == -2 && out.typmod == -1 && out.format == 1);
    ck_assert_uint_eq(desc.columns.len, 0);
    tusk__writer_clear(&b);
}
END_TEST

static const struct {
    const char *tag;
    int64_t rows;
} tags[] = {
    {"", -1},
    {" ", -1},
    {"BEGIN", -1},
    {"CREATE TABLE", -1},
    {"5", -1},
    {"SELECT ", -1},
    {"SELECT -3", -1},
    {"SELECT 3x", -1},
    {"SELECT 9223372036854775808", -1},
    {"SELECT 99999999999999999999999", -1},
    {"SELECT 9223372036854775807", INT64_MAX},
    {"SELECT 0", 0},
    {"SELECT 3", 3},
    {"INSERT 0 5", 5},
    {"COPY 7", 7},
};

START_TEST(a_tag_ends_with_its_number_of_rows)
{
    ck_assert_msg(tusk__command_tag_rows(tusk_str_of(tags[_i].tag)) == tags[_i].rows, "\"%s\"", tags[_i].tag);
}
END_TEST

START_TEST(messages_without_content_are_five_bytes)
{
    static const uint8_t empty[] = "123nIscSHX";
    tusk__writer b;

    for (size_t i = 0; i < sizeof empty - 1; i++) {
        tusk__writer_init(&b, tusk_allocator_default());
        tusk__empty_message_write(&b, empty[i]);
        ck_assert(b.len == 5 && b.buf[0] == empty[i] && memcmp(b.buf + 1, "\0\0\0\4", 4) == 0);
        tusk__writer_clear(&b);
    }
    tusk__writer_init(&b, tusk_allocator_default());
    tusk__sync_write(&b);
    tusk__flush_write(&b);
    tusk__terminate_write(&b);
    tusk__function_call_response_write(&b, X, true);
    ck_assert_mem_eq(b.buf, "S\0\0\0\4H\0\0\0\4X\0\0\0\4V\0\0\0\x08\xff\xff\xff\xff", 24);
    tusk__writer_clear(&b);
}
END_TEST

/* ---- errors and notices ------------------------------------------------------------------------------------------------ */

static const char field_kinds[] = "SVCMDHPpqWstcdnFLR";

/* Compares what is read of a mask's fields; false says that something differs. Asserts would write a mark for each. */
static bool fields_agree(uint32_t mask, tusk_str body)
{
    tusk_str rest = body, value;
    char kind;

    for (size_t i = 0; i < 18; i++) {
        if (!(mask >> i & 1))
            continue;
        if (!tusk__error_fields_next(&rest, &kind, &value) || kind != field_kinds[i] || value.len != 3 ||
            value.ptr[0] != kind)
            return false;
    }
    return !tusk__error_fields_next(&rest, &kind, &value);
}

static bool summary_agrees(uint32_t mask, tusk_str body)
{
    tusk_error err = {0};

    tusk__error_fields_to_error(body, &err);
    return err.code == TUSK_ERR_SERVER && err.fate == TUSK_FATE_ANSWERED && strcmp(err.sqlstate, "XX000") == 0 &&
           err.position == 0 && (strcmp(err.message, "Mab") == 0) == (mask >> 3 & 1) && err.message[0] &&
           (strcmp(err.detail, "Dab") == 0) == (mask >> 4 & 1) && (strcmp(err.hint, "Hab") == 0) == (mask >> 5 & 1) &&
           (tusk__error_field(body, 'R').ptr != NULL) == (mask >> 17 & 1) && !tusk__error_fields_is_fatal(body);
}

START_TEST(d9_any_set_of_fields_is_read)
{
    for (uint32_t mask = 0; mask < 1u << 18; mask++) {
        char body[18 * 5 + 1];
        size_t len = 0;

        for (size_t i = 0; i < 18; i++) {
            if (!(mask >> i & 1))
                continue;
            body[len] = body[len + 1] = field_kinds[i];
            memcpy(body + len + 2, "ab", 3);
            len += 5;
        }
        body[len++] = '\0';
        for (size_t n = len - 1; n <= len; n++) { /* the terminator may be missing */
            tusk_str view = tusk_str_from(body, n);

            if (tusk__error_fields_read(view, NULL) != TUSK_OK || !fields_agree(mask, view) ||
                !summary_agrees(mask, view))
                ck_abort_msg("mask 0x%x, %zu bytes", (unsigned)mask, n);
        }
    }
}
END_TEST

static const struct {
    const char *name, *bytes;
    size_t len;
    bool is_good, is_fatal;
    const char *sqlstate, *message;
    int position;
} field_cases[] = {
    {"a field without its NUL", BYTES("Mtext"), false, false, "XX000", "", 0},
    {"only a letter", BYTES("M"), false, false, "XX000", "", 0},
    {"the second without its NUL", BYTES("Ma\0C"), false, false, "XX000", "", 0},
    {"bytes behind the terminator", BYTES("Ma\0\0x"), false, false, "XX000", "", 0},
    {"two terminators", BYTES("Ma\0\0\0"), false, false, "XX000", "", 0},
    {"nothing", BYTES(""), true, false, "XX000", "the server sent an error without a message", 0},
    {"only the terminator", BYTES("\0"), true, false, "XX000", "the server sent an error without a message", 0},
    {"an empty message", BYTES("M\0\0"), true, false, "XX000", "the server sent an error without a message", 0},
    {"the first of two wins", BYTES("Mone\0Mtwo\0C22012\0C23505\0\0"), true, false, "22012", "one", 0},
    {"an unknown field", BYTES("ywhat\0\x01why\0\xffwho\0Mone\0\0"), true, false, "XX000", "one", 0},
    {"a short sqlstate", BYTES("C2201\0Mone\0\0"), true, false, "XX000", "one", 0},
    {"a long sqlstate", BYTES("C220122\0Mone\0\0"), true, false, "XX000", "one", 0},
    {"an empty sqlstate", BYTES("C\0Mone\0\0"), true, false, "XX000", "one", 0},
    {"a sqlstate of other characters", BYTES("C22o12\0Mone\0\0"), true, false, "XX000", "one", 0},
    {"the sqlstate of success", BYTES("C00000\0Mone\0\0"), true, false, "XX000", "one", 0},
    {"control characters", BYTES("Mone\n\x1b[2Jtwo\0\0"), true, false, "XX000", "one  [2Jtwo", 0},
    {"fatal by V", BYTES("SFATALE\0VFATAL\0C57P01\0Mbye\0\0"), true, true, "57P01", "bye", 0},
    {"panic by V", BYTES("VPANIC\0Mbye\0\0"), true, true, "XX000", "bye", 0},
    {"V goes before S", BYTES("SFATAL\0VERROR\0Mone\0\0"), true, false, "XX000", "one", 0},
    {"an empty V goes before S", BYTES("SFATAL\0V\0Mone\0\0"), true, false, "XX000", "one", 0},
    {"fatal by S", BYTES("SFATAL\0Mbye\0\0"), true, true, "XX000", "bye", 0},
    {"fatal spelled otherwise", BYTES("VFATALE\0Mbye\0\0"), true, false, "XX000", "bye", 0},
    {"a position", BYTES("Mone\0P17\0\0"), true, false, "XX000", "one", 17},
    {"the largest position", BYTES("Mone\0P2147483647\0\0"), true, false, "XX000", "one", INT_MAX},
    {"a position too large", BYTES("Mone\0P2147483648\0\0"), true, false, "XX000", "one", 0},
    {"a negative position", BYTES("Mone\0P-3\0\0"), true, false, "XX000", "one", 0},
    {"an empty position", BYTES("Mone\0P\0\0"), true, false, "XX000", "one", 0},
};

START_TEST(d9_odd_fields)
{
    char *copy = exact(field_cases[_i].bytes, field_cases[_i].len);
    tusk_str body = tusk_str_from(copy, field_cases[_i].len);
    tusk_error err = {0}, summary = {0};
    const char *name = field_cases[_i].name;

    ck_assert_msg(tusk__error_fields_read(body, &err) == (field_cases[_i].is_good ? TUSK_OK : TUSK_ERR_PROTOCOL), "%s",
                  name);
    tusk__error_fields_to_error(body, &summary); /* on unchecked fields too: nothing is read behind their end */
    ck_assert_msg(tusk__error_fields_is_fatal(body) == field_cases[_i].is_fatal, "%s", name);
    if (field_cases[_i].is_good) {
        ck_assert_msg(strcmp(summary.sqlstate, field_cases[_i].sqlstate) == 0, "%s: %s", name, summary.sqlstate);
        ck_assert_msg(strcmp(summary.message, field_cases[_i].message) == 0, "%s: %s", name, summary.message);
        ck_assert_msg(summary.position == field_cases[_i].position, "%s: %d", name, summary.position);
    }
    free(copy);
}
END_TEST

START_TEST(d9_a_field_without_its_nul_is_not_handed_out)
{
    tusk_str rest = tusk_str_from("Ma\0Cb", 5), value;
    char kind;

    ck_assert(tusk__error_fields_next(&rest, &kind, &value) && kind == 'M' && tusk_str_is(value, "a"));
    ck_assert(!tusk__error_fields_next(&rest, &kind, &value));
    ck_assert(!tusk__error_fields_next(&rest, &kind, &value));
}
END_TEST

START_TEST(d9_a_message_text_of_a_mebibyte)
{
    size_t len = (size_t)1 << 20;
    char *body = malloc(1 + len + 2);
    tusk_error err = {0};

    memset(body, 'M', 1 + len);
    memset(body + 1 + len, 0, 2);
    ck_assert_int_eq(tusk__error_fields_read(tusk_str_from(body, 1 + len + 2), &err), TUSK_OK);
    ck_assert_uint_eq(tusk__error_field(tusk_str_from(body, 1 + len + 2), 'M').len, len);
    tusk__error_fields_to_error(tusk_str_from(body, 1 + len + 2), &err);
    ck_assert_uint_eq(strlen(err.message), sizeof err.message - 1);
    ck_assert_int_eq(tusk__error_fields_read(tusk_str_from(body, 1 + len), NULL), TUSK_ERR_PROTOCOL);
    free(body);
}
END_TEST

START_TEST(d9_one_field_sixty_thousand_times)
{
    size_t n = 60000, len = n * 3 + 1, count = 0;
    char *body = calloc(1, len), kind;
    tusk_str rest = tusk_str_from(body, len), value;

    for (size_t i = 0; i < n; i++)
        memcpy(body + 3 * i, "Mx", 3);
    ck_assert_int_eq(tusk__error_fields_read(rest, NULL), TUSK_OK);
    while (tusk__error_fields_next(&rest, &kind, &value))
        count++;
    ck_assert_uint_eq(count, n);
    free(body);
}
END_TEST

/* What servers say where, and what only looks like it. */
START_TEST(the_parameter_is_read_from_the_context)
{
    static const struct {
        const char *context;
        int param;
    } rows[] = {
        {"unnamed portal parameter $2", 2},
        {"unnamed portal parameter $12 = '...'", 12},
        {"portal \"tusk_c1\" parameter $3 = 'portal parameter $4'", 3},
        {"JSON data, line 1: x\nunnamed portal parameter $1 = 'x'", 1},
        {"unnamed portal parameter $65535", 65535},
        {"unnamed portal parameter $999999999999", 0},
        {"unnamed portal parameter $", 0},
        {"portal parameter", 0},
        {"SQL statement \"select $1\"", 0},
        {"", 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char body[128];
        tusk_error err = {0};
        int len = snprintf(body, sizeof body, "C22P02%cW%s%cMm%c", 0, rows[i].context, 0, 0);

        tusk__error_fields_to_error(tusk_str_from(body, (size_t)len + 1), &err);
        ck_assert_msg(err.param == rows[i].param, "%s: %d", rows[i].context, err.param);
    }
}
END_TEST

START_TEST(an_error_that_is_set_is_not_replaced)
{
    tusk_error err = {0};

    tusk__error_set(&err, TUSK_ERR_LOST, NULL, "gone");
    tusk__error_fields_to_error(tusk_str_from("C22012\0Mone\0\0", 13), &err);
    ck_assert_int_eq(err.code, TUSK_ERR_LOST);
    ck_assert_str_eq(err.message, "gone");
    tusk__error_fields_to_error(tusk_str_from("C22012\0Mone\0\0", 13), NULL);
    ck_assert_int_eq(tusk__query_read(tusk_str_of("no end"), &(tusk_str){0}, &err), TUSK_ERR_PROTOCOL);
    ck_assert_str_eq(err.message, "gone");
}
END_TEST

START_TEST(a_field_without_a_letter_is_not_written)
{
    tusk__error_field_value f[] = {{'M', X}, {0, X}};
    tusk__writer b;

    tusk__writer_init(&b, tusk_allocator_default());
    tusk__error_fields_write(&b, 'E', f, 2);
    ck_assert_int_eq(b.failed, TUSK_ERR_VALUE);
    ck_assert_uint_eq(b.len, 0);
    tusk__writer_clear(&b);
}
END_TEST

/* ---- the sentences ----------------------------------------------------------------------------------------------------- */

static const struct {
    rewrite_fn *rewrite;
    const char *bytes;
    size_t len;
    const char *message;
} sentences[] = {
    {rewrite_parameter_status, BYTES("TimeZone"), "ParameterStatus: name has no terminating NUL in the 8 bytes left"},
    {rewrite_parameter_status, BYTES("TimeZone\0UTC"),
     "ParameterStatus: value has no terminating NUL in the 3 bytes left"},
    {rewrite_row_description, BYTES("\0\2abcd"), "RowDescription: 2 columns are announced where 4 bytes are left"},
    {rewrite_backend_key, BYTES("\0\0\0\1abc"),
     "BackendKeyData: the cancel key has 3 bytes where 4 to 256 are possible"},
    {rewrite_ready, BYTES("X"), "ReadyForQuery: transaction status is 0x58 where I, T and E are possible"},
    {rewrite_ready, BYTES("II"), "ReadyForQuery: 1 bytes behind the end of the message"},
    {rewrite_copy_in, BYTES("\0\0\1\0\1"), "CopyResponse: format code 1 is binary in a textual copy"},
    {rewrite_copy_in, BYTES("\2\0\0"), "CopyResponse: the overall format is 2 where 0 and 1 are possible"},
    {rewrite_authentication, BYTES("\0\0\0\5abc"), "Authentication: salt needs 4 bytes where 3 are left"},
    {rewrite_negotiate, BYTES("\0\3\0\0\xff\xff\xff\xff"),
     "NegotiateProtocolVersion: 4294967295 options are announced where 0 bytes are left"},
    {rewrite_bind, BYTES("\0\0\0\2\0\0\0\0\0\0\0\0"), "Bind: 2 format codes for 0 parameters"},
};

START_TEST(a_refusal_names_message_field_and_numbers)
{
    tusk_error err = {0};

    ck_assert_int_eq(sentences[_i].rewrite(tusk_str_from(sentences[_i].bytes, sentences[_i].len), NULL, &err),
                     TUSK_ERR_PROTOCOL);
    ck_assert_str_eq(err.message, sentences[_i].message);
}
END_TEST

static void add_all_messages(Suite *suite)
{
    TCase *t = tcase_create("all messages");

    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, a_message_cut_at_any_byte_is_refused, 0, N_SAMPLES);
    tcase_add_loop_test(t, bytes_behind_the_end_are_refused, 0, N_SAMPLES);
    tcase_add_loop_test(t, d1_d3_a_count_length_or_format_that_lies_is_refused, 0, N_SAMPLES);
    tcase_add_loop_test(t, d1_a_lie_at_any_offset_is_survived, 0, N_SAMPLES);
    tcase_add_loop_test(t, no_memory_takes_the_whole_message_back, 0, N_SAMPLES);
    tcase_add_loop_test(t, a_refusal_names_message_field_and_numbers, 0, (int)N_OF(sentences));
    tcase_add_loop_test(t, what_is_written_is_what_was_read, 0, N_SAMPLES);
    suite_add_tcase(suite, t);
}

static void add_limits(Suite *suite)
{
    TCase *t = tcase_create("limits");

    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, d13_65535_items_are_written_and_65536_are_not, 0, (int)N_OF(counted));
    tcase_add_test(t, d13_parameters_that_are_not_those_announced_are_refused);
    tcase_add_loop_test(t, d13_a_string_too_long_is_refused_untouched, 0, N_STRING_FIELDS);
    tcase_add_loop_test(t, d13_room_from_before_does_not_help, 0, N_STRING_FIELDS);
    tcase_add_test(t, d13_the_sum_of_parameters_is_judged);
    tcase_add_loop_test(t, d13_the_longest_message_is_written_and_one_byte_more_is_not, 0, (int)N_OF(longest));
    tcase_add_loop_test(t, d14_a_nul_in_a_string_puts_nothing_on_the_wire, 0, N_STRING_FIELDS);
    suite_add_tcase(suite, t);
}

static void add_login(Suite *suite)
{
    TCase *t = tcase_create("login");

    tcase_add_test(t, a_startup_packet_above_10000_bytes_is_refused);
    tcase_add_test(t, d14_a_startup_parameter_without_a_name_is_refused);
    tcase_add_test(t, a_first_packet_of_another_protocol_is_refused);
    tcase_add_test(t, a_cancel_key_has_4_to_256_bytes);
    tcase_add_test(t, a_transaction_status_is_i_t_or_e);
    tcase_add_test(t, startup_parameters_come_in_their_order);
    tcase_add_test(t, sasl_mechanisms_come_in_their_order);
    tcase_add_test(t, no_initial_response_is_not_an_empty_one);
    tcase_add_test(t, growing_for_a_password_leaves_no_copy_behind);
    suite_add_tcase(suite, t);
}

static void add_queries(Suite *suite)
{
    TCase *t = tcase_create("queries");

    tcase_add_loop_test(t, d3_a_row_that_lies_is_refused_with_its_numbers, 0, (int)N_OF(bad_rows));
    tcase_add_test(t, d3_a_row_has_as_many_fields_as_there_are_columns);
    tcase_add_test(t, d3_the_number_of_fields_is_compared_itself);
    tcase_add_test(t, d1_a_row_longer_than_any_message_is_refused_unread);
    tcase_add_test(t, describe_is_of_a_statement_or_a_portal);
    tcase_add_test(t, d3_a_format_code_is_0_or_1);
    tcase_add_test(t, parameters_have_no_one_or_each_its_format);
    tcase_add_test(t, a_column_keeps_its_signs);
    tcase_add_loop_test(t, a_tag_ends_with_its_number_of_rows, 0, (int)N_OF(tags));
    tcase_add_test(t, messages_without_content_are_five_bytes);
    suite_add_tcase(suite, t);
}

static void add_errors(Suite *suite)
{
    TCase *t = tcase_create("errors");

    tcase_set_timeout(t, 60);
    tcase_add_test(t, d9_any_set_of_fields_is_read);
    tcase_add_loop_test(t, d9_odd_fields, 0, (int)N_OF(field_cases));
    tcase_add_test(t, d9_a_field_without_its_nul_is_not_handed_out);
    tcase_add_test(t, d9_a_message_text_of_a_mebibyte);
    tcase_add_test(t, d9_one_field_sixty_thousand_times);
    tcase_add_test(t, the_parameter_is_read_from_the_context);
    tcase_add_test(t, an_error_that_is_set_is_not_replaced);
    tcase_add_test(t, a_field_without_a_letter_is_not_written);
    suite_add_tcase(suite, t);
}

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("message");

    add_all_messages(suite);
    add_limits(suite);
    add_login(suite);
    add_queries(suite);
    add_errors(suite);
    return suite;
}
