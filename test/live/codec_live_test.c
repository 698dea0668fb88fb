/* The codecs against the real server: what we print is what it prints, what it prints we read, in both formats, for fixed values
 * and for many random ones (a million of each kind with TUSK_TEST_FLOATS=1000000).
 * Read first: lib/codec/codec.h, test/codec_cases.h. */
#include <math.h>

#include "lib/codec/types.h"
#include "test/codec_cases.h"
#include "test/live/live.h"

/* So many random values per type: fewer where each costs fifty times as much. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define N_RANDOM 20000
#else
#define N_RANDOM 100000
#endif

static long n_random(void)
{
    return harness_number("TUSK_TEST_FLOATS", getenv("TUSK_RUN_UNDER") ? 5000 : N_RANDOM);
}

static uint64_t next_random(void)
{
    static uint64_t state = 88172645463325252u;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* ---- fixed values -------------------------------------------------------------------------------------------------------------------- */

static tusk_query *ask(const char *sql, tusk_value value, bool text_results)
{
    tusk_query *q =
        tusk_submit(db, &(tusk_request){.sql = sql, .params = tusk_params_of(&value, 1), .text_results = text_results});

    ck_ok(q);
    return q;
}

/* A sample, however long. */
typedef struct sample {
    uint32_t type;
    const char *text, *hex;
} sample;

/* $1 as that type; "char" needs its quotes. */
static const char *cast_of(uint32_t type, const char *what)
{
    return textf("select %s::pg_catalog.\"%s\"", what, tusk__type_name(type));
}

/* Decoded and encoded again, it is what came, and what the table says. */
static void check_bytes(const sample *c, tusk_str bytes)
{
    tusk_value value;
    tusk__writer b;
    tusk_error err = {0};

    tusk__writer_init(&b, tusk_allocator_default());
    ck_assert_msg(tusk__value_decode(c->type, 1, bytes, &value, &err) == TUSK_OK, "%.80s: %s", c->text, said(&err));
    ck_assert_msg(tusk__codec_of(c->type)->encode(&b, &value, &err) == TUSK_OK, "%.80s: %s", c->text, said(&err));
    ck_assert_msg(tusk_str_equal(tusk_str_from(b.buf, b.len), bytes), "%.80s goes out as other bytes", c->text);
    ck_assert_uint_eq(2 * bytes.len, strlen(c->hex));
    for (size_t i = 0; i < bytes.len; i++)
        ck_assert_int_eq((uint8_t)bytes.ptr[i],
                         tusk__hex_digit(c->hex[2 * i]) << 4 | tusk__hex_digit(c->hex[2 * i + 1]));
    tusk__writer_clear(&b);
}

/* The server reads the text, and answers in its binary, or in its text: either is printed as that text. */
static void check_printed(const sample *c, bool text_results)
{
    size_t size = strlen(c->text) + 2, len;
    char *text = malloc(size);
    tusk_query *q = ask(cast_of(c->type, "$1"), tusk_unknown(c->text), text_results);
    tusk_row row;
    tusk_error err = {0};

    ck_assert(tusk_next_row(q, &row));
    ck_assert_uint_eq(tusk_query_column(q, 0)->type, c->type);
    ck_assert_msg(tusk_format_value(&row, 0, text, size, &len, &err) == TUSK_OK, "%s", said(&err));
    ck_assert_str_eq(text, c->text);
    ck_assert_int_eq(tusk_format_value(&row, 0, text, size, NULL, &err), TUSK_OK);
    ck_assert_str_eq(text, c->text);
    if (!text_results)
        check_bytes(c, tusk_get_raw(&row, 0));
    tusk_query_free(q);
    free(text);
}

static tusk_str sample_bytes(const char *hex, char *room)
{
    size_t len = strlen(hex) / 2;

    for (size_t i = 0; i < len; i++)
        room[i] = (char)(tusk__hex_digit(hex[2 * i]) << 4 | tusk__hex_digit(hex[2 * i + 1]));
    return tusk_str_from(room, len);
}

/* Our binary, of what we read from the text, is what the server takes for that value. */
static void check_sent(const sample *c)
{
    char *room = malloc(SAMPLE_ROOM);
    tusk_value value;
    tusk_query *q;
    tusk_row row;
    tusk_error err = {0};

    if (sample_is_unread(c->type))
        ck_assert_int_eq(tusk__value_decode(c->type, 1, sample_bytes(c->hex, room), &value, &err), TUSK_OK);
    else
        ck_assert_msg(sample_from_text(c->type, tusk_str_of(c->text), room, &value, &err) == TUSK_OK, "%.80s: %s",
                      c->text, said(&err));
    q = ask(cast_of(c->type, "$1"), value, true);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_msg(tusk_str_is(tusk_get_text(&row, 0), c->text), "%.80s comes back as %.80s", c->text,
                  tusk_get_text(&row, 0).ptr);
    tusk_query_free(q);
    free(room);
}

/* Known behind the login, which the first question awaits. */
static int server_num(void)
{
    int num;

    ck_assert_int_eq(tusk_await_free(tusk_conn_ready(db), NULL), TUSK_OK);
    num = tusk_conn_server_version(db).num;
    ck_assert_int_gt(num, 0);
    return num;
}

/* What an older server does not read: samples of a type whose text holds `part`. */
static const struct {
    uint32_t type;
    const char *part;
    int since;
    const char *what, *reason;
} newer[] = {
    {TUSK_OID_CHAR, "\\", 150000, "\"char\" beyond ASCII", "this server is older than 15 and shows the byte itself"},
    {TUSK_OID_INTERVAL, "infinity", 170000, "infinite intervals", "this server is older than 17 and has none"},
    {TUSK_OID_INTERVAL, "2562047788:00:54", 150000, "the ends of interval",
     "this server is older than 15 and does not read them"},
};

static bool is_too_new(const sample *c)
{
    for (size_t i = 0; i < N_OF(newer); i++) {
        if (newer[i].type != c->type || !strstr(c->text, newer[i].part) || server_num() >= newer[i].since)
            continue;
        harness_skip(newer[i].what, newer[i].reason);
        return true;
    }
    return false;
}

static void check_three_ways(const sample *c)
{
    if (is_too_new(c))
        return;
    run("set timezone to 'UTC'");
    run("set lc_monetary to 'C'");
    check_printed(c, false);
    check_printed(c, true);
    check_sent(c);
}

START_TEST(the_server_agrees_on_each_value_in_both_formats)
{
    const both_formats *c = &both_formats_cases[_i];

    check_three_ways(&(sample){c->type, c->text, c->hex});
}
END_TEST

START_TEST(the_server_agrees_on_each_long_value)
{
    char *text = long_text(&long_values[_i]), *hex = long_hex(&long_values[_i]);

    check_three_ways(&(sample){long_values[_i].type, text, hex});
    free(text);
    free(hex);
}
END_TEST

/* Of every codec that there is. */
START_TEST(null_of_each_type_goes_both_ways)
{
    for (uint32_t type = 0; type < 10000; type++) {
        tusk_query *q;
        tusk_row row;

        if (!tusk__codec_of(type) || type == TUSK_OID_UNKNOWN || type == TUSK_OID_CSTRING || type == TUSK_OID_VOID)
            continue;
        q = ask(cast_of(type, "$1"), tusk_null_of(type), false);
        ck_assert(tusk_next_row(q, &row));
        ck_assert(tusk_is_null(&row, 0));
        ck_assert_uint_eq(tusk_query_column(q, 0)->type, type);
        tusk_query_free(q);
    }
}
END_TEST

/* Before PostgreSQL 16 they are read by strtoul(), which minds nothing; before 15 a tid's block is. */
static bool takes_anything(uint32_t type)
{
    return ((type == TUSK_OID_XID || type == TUSK_OID_CID || type == TUSK_OID_XID8) && server_num() < 160000) ||
           (type == TUSK_OID_TID && server_num() < 150000);
}

/* As bytes, so that no check of ours is in the way. Class 22: data exception. */
START_TEST(the_server_refuses_what_lies_beyond_a_type)
{
    const beyond *c = &beyond_values[_i];
    tusk_query *q;

    if (takes_anything(c->type)) {
        harness_skip(c->type == TUSK_OID_TID ? "what lies beyond tid" : "what lies beyond xid, cid and xid8",
                     "this server is older than 16 and takes anything");
        return;
    }
    q = tusk_exec(db, cast_of(c->type, "convert_from($1, 'UTF8')"), TUSK_PARAMS(tusk_bytea(c->text, strlen(c->text))));

    ck_assert_msg(tusk_await(q) == TUSK_ERR_SERVER, "%s %s is accepted", tusk__type_name(c->type), c->text);
    ck_assert_msg(strncmp(tusk_query_error(q)->sqlstate, "22", 2) == 0 || c->type == TUSK_OID_REGCLASS, "%s",
                  said(tusk_query_error(q))); /* whose cast from text wants a name */
    tusk_query_free(q);
}
END_TEST

/* ---- random floats ------------------------------------------------------------------------------------------------------------------- */

#define BATCH 1000

/* select $1::text, … $1000::text */
static tusk_stmt *prepare_batch(uint32_t type)
{
    static char sql[32 * BATCH];
    uint32_t types[BATCH];
    size_t len = (size_t)snprintf(sql, sizeof sql, "select ");
    tusk_stmt *stmt;

    for (int i = 0; i < BATCH; i++) {
        types[i] = type;
        len += (size_t)snprintf(sql + len, sizeof sql - len, "%s$%d::text", i ? "," : "", i + 1);
    }
    stmt = tusk_prepare(db, sql, types, BATCH);
    ck_assert_ptr_nonnull(stmt);
    return stmt;
}

static tusk_value random_float(bool is_float4)
{
    uint64_t bits = next_random();
    uint32_t narrow = (uint32_t)bits;
    double wide;
    float real;

    memcpy(&wide, &bits, sizeof wide);
    memcpy(&real, &narrow, sizeof real);
    /* every second one of those that people write, and where middles between floats have few digits */
    if (bits % 2 == 1 || !isfinite(wide) || !isfinite(real)) {
        wide = (double)(bits >> 8) / pow(10, (double)(bits % 16));
        real = (float)(bits >> 34) * powf(2, (float)(bits % 20));
    }
    return is_float4 ? tusk_float4(real) : tusk_float8(wide);
}

static void compare_batch(tusk_stmt *stmt, bool is_float4)
{
    tusk_value values[BATCH];
    tusk_query *q;
    tusk_row row;

    for (int i = 0; i < BATCH; i++)
        values[i] = random_float(is_float4);
    q = tusk_stmt_exec(stmt, tusk_params_of(values, BATCH));
    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    for (int i = 0; i < BATCH; i++) {
        char text[64];
        tusk_str its = tusk_get_text(&row, i);
        tusk_value back;

        tusk__codec_of(values[i].type)->print(&values[i], text, sizeof text);
        if (!tusk_str_is(its, text))
            ck_abort_msg("%a: the server prints " TUSK_STR_FMT ", we %s", values[i].as.real, TUSK_STR_ARG(its), text);
        if (tusk__value_decode(values[i].type, 0, its, &back, NULL) != TUSK_OK ||
            memcmp(&back.as.real, &values[i].as.real, sizeof(double)) != 0)
            ck_abort_msg("%a: %s is read as %a", values[i].as.real, text, back.as.real);
    }
    tusk_query_free(q);
}

START_TEST(random_floats_have_the_servers_digits)
{
    tusk_stmt *stmt = prepare_batch(_i ? TUSK_OID_FLOAT4 : TUSK_OID_FLOAT8);

    for (long n = 0; n < n_random(); n += BATCH)
        compare_batch(stmt, _i);
    tusk_stmt_free(stmt);
}
END_TEST

/* ---- random values of the server's -------------------------------------------------------------------------------------------------------- */

static bool is_written_as(const tusk_value *value, tusk_str bytes)
{
    tusk__writer b;
    bool is_so;

    tusk__writer_init(&b, tusk_allocator_default());
    ck_assert_int_eq(tusk__codec_of(value->type)->encode(&b, value, NULL), TUSK_OK);
    is_so = tusk_str_equal(tusk_str_from(b.buf, b.len), bytes);
    tusk__writer_clear(&b);
    return is_so;
}

/* Each row: a value in binary, and its text. We print the one as the other, unless it is shown in another time zone, and read the
 * other as the one. */
static void compare_with_text(const char *sql, bool same_zone)
{
    tusk_query *q = tusk_exec(db, sql, TUSK_NO_PARAMS);
    size_t n = 0;

    for (tusk_row row; tusk_next_row(q, &row); n++) {
        uint32_t type = tusk_query_column(q, 0)->type;
        tusk_str text = tusk_get_text(&row, 1);
        tusk_value a, b;
        char printed[1024], room[1024];

        ck_assert_int_eq(tusk__value_decode(type, 1, tusk_get_raw(&row, 0), &a, NULL), TUSK_OK);
        tusk__codec_of(type)->print(&a, printed, sizeof printed);
        if (same_zone && !tusk_str_is(text, printed))
            ck_abort_msg("the server prints " TUSK_STR_FMT ", we %s", TUSK_STR_ARG(text), printed);
        if (sample_is_unread(type)) {
            ck_assert(is_written_as(&a, tusk_get_raw(&row, 0)));
            continue;
        }
        if (tusk_value_from_text(type, text, room, sizeof room, &b, NULL) != TUSK_OK ||
            !is_written_as(&b, tusk_get_raw(&row, 0)))
            ck_abort_msg(TUSK_STR_FMT " is read as another value", TUSK_STR_ARG(text));
    }
    ck_assert_msg(tusk_query_code(q) == TUSK_OK, "%s", said(tusk_query_error(q)));
    ck_assert_uint_gt(n, 0);
    tusk_query_free(q);
}

static const char *const random_values[] = {
    "(random() * 65535 - 32768)::int2",
    "(random() * 4294967295 - 2147483648)::int4",
    "(random() * 1e18 * case when random() < 0.5 then -1 else 1 end)::int8",
    "(random() * 4294967295)::int8::oid",
    "'4714-11-24 BC'::date + (random() * 2147483493)::int8::int4",
    "'0044-03-15 BC'::date + (random() * 800000)::int4",
    "'epoch'::timestamp + make_interval(secs => (random() - 0.2) * 3e11)",
    "'epoch'::timestamp + make_interval(secs => random() * 4e9)",
    "'epoch'::timestamptz + make_interval(secs => (random() - 0.2) * 3e11)",
    "'00:00'::time + make_interval(secs => random() * 86399)",
    "('00:00'::time + make_interval(secs => random() * 86399)) at time zone make_interval(secs => (random() * 100000 - "
    "50000)::int8)",
    "make_interval((random() * 9 - 4)::int4, (random() * 20 - 10)::int4, 0, (random() * 9 - 4)::int4, 0, 0, random() * "
    "1e5 - 5e4)",
    "make_interval((random() * 3e8 - 15e7)::int4, 0, 0, (random() * 4e9 - 2e9)::int4, 0, 0, random() * 1e12 - 5e11)",
    "(random() * 1e16 - 5e15)::numeric(20, 2)::money",
    "(random() * 9e18)::int8::text::xid8",
    "substr(md5(random()::text), 1, 12)::macaddr",
    "substr(md5(random()::text), 1, 16)::macaddr8",
    "set_masklen('0.0.0.0'::inet + (random() * 4294967295)::int8, (random() * 32)::int4)",
    "set_masklen((select string_agg(case when random() < 0.5 then '0' else to_hex((random() * 65535)::int4) end, ':')"
    " from generate_series(1, 8 + 0 * i))::inet, (random() * 128)::int4)",
    "point((random() - 0.5) * 10 ^ (random() * 600 - 300)::int4, random() - 0.5)",
    "line(point(random() - 0.5, random()), point(random() - 0.5, random() + 1))",
    "lseg(point(random() - 0.5, random()), point(random() * 1e9, 0.1 * (random() * 20)::int4))",
    "box(point(random() - 0.5, random()), point(random() * 1e9, 0.1 * (random() * 20)::int4))",
    "circle(point(random() - 0.5, random()), random() * 10 ^ (random() * 600 - 300)::int4)",
    "(select case when random() < 0.5 then popen(path(polygon(n, circle(point(random(), random()), 1)))) else "
    "path(polygon(n,"
    " circle(point(random(), random()), 1))) end from (select 3 + i % 3 as n) k)",
    "polygon(3 + i % 3, circle(point(random(), random()), random()))",
    "format('(%s,%s)', (random() * 4294967295)::int8, (random() * 65535)::int4)::tid",
    "(random() * 127)::int4::\"char\"",
    "(select format('%s:%s:%s', 1, 100000, string_agg(n::text, ',' order by n)) from (select distinct (random() * "
    "9999)::int4 + 1 as n"
    " from generate_series(1, (random() * 5 + 0 * i)::int4)) k)::pg_snapshot",
    "setweight(to_tsvector('simple', md5(random()::text) || ' ' || (random() * 9)::int4 || ' it''s ' || md5(i::text)), "
    "'B') ||"
    " to_tsvector('simple', i || ' a\\b ' || (random() * 9)::int4)",
    "format('%s %s ( %s %s !%s ) %s ( %s %s ( %s %s %s ) )', i % 7, (array['&', '|', '<->', '<3>'])[1 + i % 4], 'b:*', "
    "(array['&', '|',"
    " '<->', '<3>'])[1 + i / 4 % 4], 'c:AD', (array['&', '|', '<->', '<3>'])[1 + i / 16 % 4], 'd', (array['&', '|', "
    "'<->', '<3>'])[1 + i / 64"
    " % 4], 'e', (array['&', '|', '<->', '<3>'])[1 + i / 256 % 4], '''it''''s''')::tsquery",
    "network(set_masklen('0.0.0.0'::inet + (random() * 4294967295)::int8, (random() * 32)::int4))",
    "substr((random() * 9e18)::int8::bit(64)::text, 1, (random() * 64)::int4)::pg_catalog.\"bit\"",
    "substr((random() * 9e18)::int8::bit(64)::text, 1, (random() * 64)::int4)::varbit",
    "'0/0'::pg_lsn + (random() * 18446744073709551615)::numeric",
};

START_TEST(random_values_are_the_servers_text)
{
    run("set timezone to 'UTC'");
    run("set lc_monetary to 'C'");
    compare_with_text(
        textf("select x, format('%%s', x) from (select %s as x from generate_series(1, %ld) i offset 0) s",
              random_values[_i], n_random() / 20),
        true);
}
END_TEST

/* Among them half hours, seconds (before standard time), and a sign that changes. */
static const char *const zones[] = {"America/New_York", "Asia/Kolkata", "Europe/Amsterdam",
                                    "Pacific/Apia",     "-15:59",       "+12"};

START_TEST(timestamptz_is_read_in_every_zone)
{
    run(textf("set timezone to '%s'", zones[_i]));
    compare_with_text(
        textf("select x, x::text from (select 'epoch'::timestamptz + make_interval(secs => (random() - 0.5) * 8e9)"
              " as x from generate_series(1, %ld) offset 0) s",
              n_random() / 50),
        false);
    compare_with_text(
        "select x, x::text from (values ('4714-11-24 00:00:00+00 BC'::timestamptz),"
        " ('294276-12-31 23:59:59.999999+00'), ('infinity'), ('-infinity'), ('0001-01-01 00:00:00+00')) s(x)",
        false);
}
END_TEST

/* The second style, both ways: the server prints what we print, and we read it. */
START_TEST(intervals_are_the_servers_in_iso_8601)
{
    tusk_query *q;

    run("set intervalstyle to 'iso_8601'");
    q = tusk_exec(
        db,
        textf("select x, x::text from (select %s as x from generate_series(1, 1000) offset 0) s", random_values[_i]),
        TUSK_NO_PARAMS);
    for (tusk_row row; tusk_next_row(q, &row);) {
        tusk_str text = tusk_get_text(&row, 1);
        tusk_value value;
        char printed[128];

        tusk_interval_to_iso8601(tusk_get_interval(&row, 0), printed, sizeof printed);
        if (!tusk_str_is(text, printed))
            ck_abort_msg("the server prints " TUSK_STR_FMT ", we %s", TUSK_STR_ARG(text), printed);
        ck_assert_int_eq(tusk__value_decode(TUSK_OID_INTERVAL, 0, text, &value, NULL), TUSK_OK);
        ck_assert(is_written_as(&value, tusk_get_raw(&row, 0)));
    }
    ck_assert_int_eq(tusk_query_code(q), TUSK_OK);
    ck_assert_uint_eq(tusk_query_n_rows(q), 1000);
    tusk_query_free(q);
}
END_TEST

/* ---- bytes and text ---------------------------------------------------------------------------------------------------------------------- */

START_TEST(bytea_is_read_in_both_output_formats)
{
    tusk_query *q;

    run(textf("set bytea_output to '%s'", _i ? "escape" : "hex"));
    q = tusk_exec(db,
                  "select x, x::text from (select decode(md5(i::text), 'hex') || decode('005c78', 'hex') as x"
                  " from generate_series(1, 500) i) s",
                  TUSK_NO_PARAMS);
    for (tusk_row row; tusk_next_row(q, &row);) {
        tusk_str bytes = tusk_get_bytea(&row, 0);
        uint8_t buf[32];
        size_t len;

        ck_assert_int_eq(tusk_bytea_from_text(tusk_get_text(&row, 1), buf, sizeof buf, &len, NULL), TUSK_OK);
        ck_assert(tusk_str_equal(tusk_str_from(buf, len), bytes));
    }
    ck_assert_int_eq(tusk_query_code(q), TUSK_OK);
    ck_assert_uint_eq(tusk_query_n_rows(q), 500);
    ck_assert_int_eq(tusk_query_value_error(q)->code, TUSK_OK);
    tusk_query_free(q);
}
END_TEST

/* Each character that there is, and each that is none: what we let pass the server takes, what we refuse it would refuse. */
START_TEST(the_server_agrees_on_what_is_utf8)
{
    static const char *const texts[] = {
        "\xC2\x80",         "\xDF\xBF",         "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xEF\xBF\xBF",
        "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "\xC1\xBF",     "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC2",         "\x80"};
    tusk_str s = tusk_str_of(texts[_i]);
    tusk_query *q = tusk_exec(db, "select convert_from($1, 'UTF8')", TUSK_PARAMS(tusk_bytea(s.ptr, s.len)));
    tusk_code code = tusk_await(q);

    ck_assert_int_eq(code == TUSK_OK, tusk__utf8_is_valid(s));
    tusk_query_free(q);
    q = tusk_exec(db, "select $1", TUSK_PARAMS(tusk_text_str(s)));
    ck_assert_int_eq(tusk_await(q), code == TUSK_OK ? TUSK_OK : TUSK_ERR_VALUE);
    tusk_query_free(q);
}
END_TEST

/* ---- the catalogue ----------------------------------------------------------------------------------------------------------------------- */

/* The generated table is of the newest server; an older one has fewer types, and no others under the same OID. */
START_TEST(the_table_of_types_is_the_servers)
{
    tusk_query *q = tusk_exec(db,
                              "select t.oid, t.typname::text, t.typsend = 0 from pg_catalog.pg_type t"
                              " where t.oid < 10000 order by 1",
                              TUSK_NO_PARAMS);

    for (tusk_row row; tusk_next_row(q, &row);) {
        uint32_t type = tusk_get_oid(&row, 0);
        const char *name = tusk__type_name(type);
        tusk_str its = tusk_get_text(&row, 1);

        if (!name || !tusk_str_is(its, name))
            ck_abort_msg("%u is " TUSK_STR_FMT ", not %s", type, TUSK_STR_ARG(its), name ? name : "known");
        if (tusk_get_bool(&row, 2))
            ck_assert_msg(!tusk__type_has_send(type), "%s has no send function", name);
    }
    ck_assert_int_eq(tusk_query_code(q), TUSK_OK);
    ck_assert_uint_gt(tusk_query_n_rows(q), 150);
    tusk_query_free(q);
}
END_TEST

/* What the server has and we have no codec for. Arrays, ranges, multiranges and composites have theirs by their elements. */
static const struct {
    const char *name, *why;
} without_codec[] = {
    {"aclitem", "has no binary format: text"},
    {"gtsvector", "has no binary format: text"},
    {"pg_ndistinct", "what a planner's statistics look like inside: raw bytes"},
    {"pg_dependencies", "the same"},
    {"pg_mcv_list", "the same"},
    {"pg_brin_bloom_summary", "what an index looks like inside: raw bytes"},
    {"pg_brin_minmax_multi_summary", "the same"},
};

static bool is_excused(tusk_str name)
{
    for (size_t i = 0; i < N_OF(without_codec); i++)
        if (tusk_str_is(name, without_codec[i].name))
            return true;
    return false;
}

/* Pseudo-types but those that a column may have. */
START_TEST(each_type_of_the_server_has_a_codec_or_a_reason)
{
    tusk_query *q =
        tusk_exec(db,
                  "select t.oid, t.typname::text from pg_catalog.pg_type t where t.oid < 10000 and t.typcategory <> 'A'"
                  " and (t.typtype = 'b' or t.typname in ('void', 'cstring', 'unknown'))",
                  TUSK_NO_PARAMS);

    for (tusk_row row; tusk_next_row(q, &row);) {
        tusk_str name = tusk_get_text(&row, 1);

        if ((tusk__codec_of(tusk_get_oid(&row, 0)) != NULL) == is_excused(name))
            ck_abort_msg(TUSK_STR_FMT " has neither a codec nor a reason, or both", TUSK_STR_ARG(name));
    }
    ck_assert_int_eq(tusk_query_code(q), TUSK_OK);
    ck_assert_uint_gt(tusk_query_n_rows(q), 60);
    tusk_query_free(q);
}
END_TEST

/* Types that the server does not take as input: as it makes them. */
static const char *const made_by_the_server[] = {
    "select ev_action, ev_action::text from pg_catalog.pg_rewrite order by oid limit 20",
    "select pg_catalog.cstring_out('x'), 'x'",
    "select s.x, '' from pg_catalog.pg_advisory_lock(7) s(x)",
};

START_TEST(what_only_the_server_makes_is_text)
{
    tusk_query *q = tusk_exec(db, made_by_the_server[_i], TUSK_NO_PARAMS);

    for (tusk_row row; tusk_next_row(q, &row);) {
        ck_assert_int_eq(tusk_query_column(q, 0)->format, 1);
        ck_assert(tusk_str_equal(tusk_get_text(&row, 0), tusk_get_text(&row, 1)));
        ck_assert(!tusk_is_null(&row, 0));
    }
    ck_assert_msg(tusk_query_code(q) == TUSK_OK, "%s", said(tusk_query_error(q)));
    ck_assert_uint_gt(tusk_query_n_rows(q), 0);
    ck_assert_int_eq(tusk_query_value_error(q)->code, TUSK_OK);
    tusk_query_free(q);
}
END_TEST

/* Names of objects go as text, their numbers as oid, and both are the same object. */
START_TEST(objects_go_by_name_and_by_oid)
{
    tusk_query *q =
        tusk_exec(db, "select $1::regclass = $2::regclass, $2::regclass::text, $1::regclass",
                  TUSK_PARAMS(tusk_text_of(TUSK_OID_REGCLASS, "pg_class"), tusk_reg(TUSK_OID_REGCLASS, 1259)));
    tusk_row row;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert(tusk_get_bool(&row, 0));
    ck_assert(tusk_str_is(tusk_get_text(&row, 1), "pg_class"));
    ck_assert_uint_eq(tusk_get_oid(&row, 2), 1259);
    tusk_query_free(q);
}
END_TEST

#define LOOP(tc, test, cases) tcase_add_loop_test(tc, test, 0, (int)(sizeof(cases) / sizeof *(cases)))

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("codec, live");
    TCase *tc = tcase_create("codec");

    tcase_add_checked_fixture(tc, live_up, live_down);
    tcase_set_timeout(tc, 60);
    LOOP(tc, the_server_agrees_on_each_value_in_both_formats, both_formats_cases);
    LOOP(tc, the_server_agrees_on_each_long_value, long_values);
    LOOP(tc, the_server_refuses_what_lies_beyond_a_type, beyond_values);
    tcase_add_test(tc, null_of_each_type_goes_both_ways);
    tcase_add_test(tc, each_type_of_the_server_has_a_codec_or_a_reason);
    LOOP(tc, what_only_the_server_makes_is_text, made_by_the_server);
    tcase_add_test(tc, objects_go_by_name_and_by_oid);
    tcase_add_loop_test(tc, random_floats_have_the_servers_digits, 0, 2);
    LOOP(tc, random_values_are_the_servers_text, random_values);
    tcase_add_loop_test(tc, intervals_are_the_servers_in_iso_8601, 11, 13);
    LOOP(tc, timestamptz_is_read_in_every_zone, zones);
    tcase_add_loop_test(tc, bytea_is_read_in_both_output_formats, 0, 2);
    tcase_add_loop_test(tc, the_server_agrees_on_what_is_utf8, 0, 16);
    tcase_add_test(tc, the_table_of_types_is_the_servers);
    suite_add_tcase(suite, tc);
    return suite;
}
