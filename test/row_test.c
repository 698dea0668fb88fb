/* Tests of rows: finding fields, taking values by the column's type and format, and what is said when that cannot be. The bytes
 * of each type are codec_test's. The query behind the rows is a small one of our own.
 * Read first: tusk/row.h, lib/row.h. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/codec/nested.h"
#include "lib/row.h"
#include "proto/message.h"
#include "test/harness/harness.h"

/* ---- a query and its row ------------------------------------------------------------------------------------------------------------- */

struct tusk_query {
    const tusk_column *columns;
    int n_cols, n_errors;
    tusk_error first;
};

const tusk_column *tusk__query_row_column(const tusk_query *q, int col)
{
    return col < q->n_cols ? &q->columns[col] : NULL;
}

void tusk__query_keep_value_error(tusk_query *q, const tusk_error *err)
{
    ck_assert_int_ne(err->code, TUSK_OK);
    ck_assert_int_ne(err->code, TUSK_ERR_NULL);
    if (q->n_errors++ == 0)
        q->first = *err;
}

/* None of the database's own types is known here: own_test, extension_live_test. */
bool tusk__query_awaits_type(const tusk_query *q, uint32_t type)
{
    (void)q;
    (void)type;
    return false;
}

const tusk__codec *tusk__query_own_codec(const tusk_query *q, uint32_t type)
{
    (void)q;
    (void)type;
    return NULL;
}

static void find_nothing(const void *user, uint32_t type, tusk__resolved *out)
{
    (void)user;
    (void)type;
    (void)out;
}

tusk__types tusk__query_types(const tusk_query *q)
{
    return (tusk__types){find_nothing, q, NULL};
}

#define MOST_COLUMNS 2000

static tusk_column columns[MOST_COLUMNS];
static tusk_str values[MOST_COLUMNS];
static bool nulls[MOST_COLUMNS];
static tusk_query query;
static tusk_row row;
static uint8_t *body; /* a block of exactly the message's size */
static int n_added;

static void add(const char *name, uint32_t type, uint16_t format, const void *bytes, size_t len)
{
    tusk_column column = {.name = tusk_str_of(name), .type = type, .typmod = -1, .format = format};

    columns[n_added] = column;
    values[n_added] = tusk_str_from(bytes, len);
    nulls[n_added++] = bytes == NULL;
}

static void add_text(const char *name, uint32_t type, const char *text)
{
    add(name, type, 0, text, text ? strlen(text) : 0);
}

static void make_row(void)
{
    tusk__writer b;

    tusk__writer_init(&b, tusk_allocator_default());
    tusk__data_row_write(&b, values, nulls, (size_t)n_added);
    ck_assert_int_eq(b.failed, TUSK_OK);
    body = malloc(b.len - 5);
    memcpy(body, b.buf + 5, b.len - 5);
    ck_assert_int_eq(tusk__data_row_check(tusk_str_from(body, b.len - 5), (size_t)n_added, NULL), TUSK_OK);
    tusk__writer_clear(&b);
    query.columns = columns;
    query.n_cols = n_added;
    tusk__row_init(&row, &query, body, (uint32_t)n_added);
}

static void set_up(void)
{
    memset(&query, 0, sizeof query);
    memset(&row, 0, sizeof row);
    body = NULL;
    n_added = 0;
}

static void tear_down(void)
{
    free(body);
}

/* ---- finding fields ------------------------------------------------------------------------------------------------------------------ */

static const int widths[] = {0, 1, 2, 15, 16, 17, 31, 32, 33, 100, 1600, MOST_COLUMNS};

/* Every column of rows of each width: values of any length, empty ones and NULLs between them. */
START_TEST(each_field_is_found_whatever_the_width_of_the_row)
{
    static const char text[] = "abcdefghijklmnopqrstuvwxyz";
    int n = widths[_i];

    for (int col = 0; col < n; col++)
        add("c", TUSK_OID_TEXT, 1, col % 7 == 3 ? NULL : text, col % 7 == 3 ? 0 : (size_t)(col * 5 % 27));
    make_row();
    for (int col = n - 1; col >= 0; col--) {
        tusk_str bytes = {NULL, 99};
        bool is_null;

        ck_assert(tusk__row_field(&row, col, &bytes, &is_null));
        ck_assert_int_eq(is_null, nulls[col]);
        ck_assert_int_eq(tusk_is_null(&row, col), nulls[col]);
        ck_assert(tusk_str_equal(bytes, values[col]));
        ck_assert(tusk_str_equal(tusk_get_text(&row, col), values[col]));
        ck_assert((tusk_get_text(&row, col).ptr == NULL) == nulls[col]);
    }
    ck_assert_int_eq(query.n_errors, 0);
}
END_TEST

/* At most stride - 1 fields are walked, and none up to 16 columns. */
START_TEST(marks_are_as_dense_as_they_can_be)
{
    uint32_t n = (uint32_t)widths[_i];

    for (uint32_t col = 0; col < n; col++)
        add("c", TUSK_OID_BOOL, 1, "\1", 1);
    make_row();
    ck_assert_uint_le(n, row.stride * TUSK__ROW_MARKS);
    ck_assert(row.stride == 1 || n > row.stride / 2 * TUSK__ROW_MARKS);
    for (uint32_t mark = 0; mark * row.stride < n; mark++)
        ck_assert_uint_eq(row.marks[mark], 2 + mark * row.stride * 5);
}
END_TEST

START_TEST(a_column_that_is_not_there_is_an_error)
{
    static const int cols[] = {-1, 1, 2, INT32_MAX, INT32_MIN};
    tusk_error err = {0};
    int64_t n = 5;

    add("only", TUSK_OID_INT8, 1, "\0\0\0\0\0\0\0\1", 8);
    make_row();
    ck_assert_int_eq(tusk_read_int8(&row, cols[_i], &n, &err), TUSK_ERR_USAGE);
    ck_assert_int_eq(err.column, cols[_i]);
    ck_assert_ptr_nonnull(strstr(err.message, "the row has 1"));
    ck_assert_int_eq(n, 5);
    ck_assert(tusk_is_null(&row, cols[_i]));
    ck_assert_int_eq(tusk_get_int8(&row, cols[_i]), 0);
    ck_assert_uint_eq(tusk_get_text(&row, cols[_i]).len, 0);
    ck_assert_int_eq(query.n_errors, 2);
    ck_assert_int_eq(query.first.code, TUSK_ERR_USAGE);
}
END_TEST

START_TEST(a_row_that_was_never_filled_is_empty)
{
    ck_assert(tusk_is_null(&row, 0));
    ck_assert_int_eq(tusk_get_int4(&row, 0), 0);
    ck_assert_uint_eq(tusk_get_text(&row, 0).len, 0);
    ck_assert_uint_eq(tusk_get_uuid(&row, 0).len, 0);
}
END_TEST

/* A script's query has gone on to a result of other columns: a row keeps to its own. */
START_TEST(a_row_keeps_its_columns)
{
    tusk_column others[] = {{.name = {"b", 1}, .type = TUSK_OID_TEXT, .format = 1}};

    add("a", TUSK_OID_INT4, 1, "\0\0\0\1", 4);
    add("b", TUSK_OID_INT4, 1, "\0\0\0\2", 4);
    make_row();
    query.columns = others;
    query.n_cols = 1;
    ck_assert_int_eq(tusk_get_int4(&row, 0), 1);
    ck_assert_int_eq(tusk_get_int4(&row, 1), 2);
    ck_assert_uint_eq(tusk_get_text(&row, 0).len, 0);
    ck_assert_str_eq(query.first.message, "column 0 \"a\" is int4, not text");
}
END_TEST

/* ---- reading ------------------------------------------------------------------------------------------------------------------------- */

#define UUID_BYTES "\x0f\x1e\x2d\x3c\x4b\x5a\x69\x78\x87\x96\xa5\xb4\xc3\xd2\xe1\xf0"
#define UUID_TEXT "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"

static void add_each_type_in_binary(void)
{
    add("bool", TUSK_OID_BOOL, 1, "\1", 1);
    add("int2", TUSK_OID_INT2, 1, "\xff\xfe", 2);
    add("int4", TUSK_OID_INT4, 1, "\xff\xff\xff\xfd", 4);
    add("int8", TUSK_OID_INT8, 1, "\x80\0\0\0\0\0\0\0", 8);
    add("oid", TUSK_OID_OID, 1, "\xff\xff\xff\xff", 4);
    add("float4", TUSK_OID_FLOAT4, 1, "\x3f\xc0\0\0", 4);
    add("float8", TUSK_OID_FLOAT8, 1, "\xbf\xf8\0\0\0\0\0\0", 8);
    add("date", TUSK_OID_DATE, 1, "\xff\xff\xff\xff", 4);
    add("timestamp", TUSK_OID_TIMESTAMP, 1, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    add("timestamptz", TUSK_OID_TIMESTAMPTZ, 1, "\x7f\xff\xff\xff\xff\xff\xff\xff", 8);
    add("text", TUSK_OID_TEXT, 1, "active", 6);
    add("bytea", TUSK_OID_BYTEA, 1, "\0\xff", 2);
    add("uuid", TUSK_OID_UUID, 1, UUID_BYTES, 16);
    add("time", TUSK_OID_TIME, 1, "\0\0\0\x14\x1d\xd7\x60\0", 8);
    add("timetz", TUSK_OID_TIMETZ, 1, "\0\0\0\0\0\0\0\1\xff\xff\xe3\xe0", 12);
    add("interval", TUSK_OID_INTERVAL, 1, "\0\0\0\0\0\0\0\2\xff\xff\xff\xff\0\0\0\1", 16);
    add("money", TUSK_OID_MONEY, 1, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
}

static void add_each_type_in_text(void)
{
    add_text("bool", TUSK_OID_BOOL, "t");
    add_text("int2", TUSK_OID_INT2, "-2");
    add_text("int4", TUSK_OID_INT4, "-3");
    add_text("int8", TUSK_OID_INT8, "-9223372036854775808");
    add_text("oid", TUSK_OID_OID, "4294967295");
    add_text("float4", TUSK_OID_FLOAT4, "1.5");
    add_text("float8", TUSK_OID_FLOAT8, "-1.5");
    add_text("date", TUSK_OID_DATE, "1999-12-31");
    add_text("timestamp", TUSK_OID_TIMESTAMP, "1999-12-31 23:59:59.999999");
    add_text("timestamptz", TUSK_OID_TIMESTAMPTZ, "infinity");
    add_text("text", TUSK_OID_TEXT, "active");
    add_text("bytea", TUSK_OID_BYTEA, "\\x00ff");
    add_text("uuid", TUSK_OID_UUID, UUID_TEXT);
    add_text("time", TUSK_OID_TIME, "24:00:00");
    add_text("timetz", TUSK_OID_TIMETZ, "00:00:00.000001+02");
    add_text("interval", TUSK_OID_INTERVAL, "1 mon -1 days +00:00:00.000002");
    add_text("money", TUSK_OID_MONEY, "-$0.01");
}

START_TEST(long_and_short_form_give_the_same_in_both_formats)
{
    bool b;
    int16_t int2;
    int32_t int4, date;
    int64_t int8, timestamp, timestamptz;
    uint32_t oid;
    float float4;
    double float8;
    tusk_str text;
    uint8_t uuid[16];

    if (_i == 0)
        add_each_type_in_binary();
    else
        add_each_type_in_text();
    make_row();
    ck_assert(tusk_read_bool(&row, 0, &b, NULL) == TUSK_OK && b && tusk_get_bool(&row, 0));
    ck_assert(tusk_read_int2(&row, 1, &int2, NULL) == TUSK_OK && int2 == -2 && tusk_get_int2(&row, 1) == -2);
    ck_assert(tusk_read_int4(&row, 2, &int4, NULL) == TUSK_OK && int4 == -3 && tusk_get_int4(&row, 2) == -3);
    ck_assert(tusk_read_int8(&row, 3, &int8, NULL) == TUSK_OK && int8 == INT64_MIN &&
              tusk_get_int8(&row, 3) == INT64_MIN);
    ck_assert(tusk_read_oid(&row, 4, &oid, NULL) == TUSK_OK && oid == UINT32_MAX &&
              tusk_get_oid(&row, 4) == UINT32_MAX);
    ck_assert(tusk_read_float4(&row, 5, &float4, NULL) == TUSK_OK && float4 == 1.5f &&
              tusk_get_float4(&row, 5) == 1.5f);
    ck_assert(tusk_read_float8(&row, 6, &float8, NULL) == TUSK_OK && float8 == -1.5 &&
              tusk_get_float8(&row, 6) == -1.5);
    ck_assert(tusk_read_date(&row, 7, &date, NULL) == TUSK_OK && date == -1 && tusk_get_date(&row, 7) == -1);
    ck_assert(tusk_read_timestamp(&row, 8, &timestamp, NULL) == TUSK_OK && timestamp == -1 &&
              tusk_get_timestamp(&row, 8) == -1);
    ck_assert(tusk_read_timestamptz(&row, 9, &timestamptz, NULL) == TUSK_OK && timestamptz == TUSK_TIMESTAMP_INFINITY);
    ck_assert_int_eq(tusk_get_timestamptz(&row, 9), TUSK_TIMESTAMP_INFINITY);
    ck_assert(tusk_read_text(&row, 10, &text, NULL) == TUSK_OK && tusk_str_is(text, "active"));
    ck_assert(tusk_str_is(tusk_get_text(&row, 10), "active"));
    ck_assert(tusk_read_uuid(&row, 12, uuid, NULL) == TUSK_OK && memcmp(uuid, UUID_BYTES, 16) == 0);
    ck_assert_int_eq(query.n_errors, 0);
}
END_TEST

START_TEST(times_are_the_same_in_both_formats)
{
    int64_t time = 0, money = 0;
    tusk_timetz_parts timetz = {0, 0};
    tusk_interval_parts interval = {0, 0, 0};

    if (_i == 0)
        add_each_type_in_binary();
    else
        add_each_type_in_text();
    make_row();
    ck_assert(tusk_read_time(&row, 13, &time, NULL) == TUSK_OK && time == INT64_C(86400000000));
    ck_assert_int_eq(tusk_get_time(&row, 13), time);
    ck_assert(tusk_read_timetz(&row, 14, &timetz, NULL) == TUSK_OK && timetz.us == 1 && timetz.offset == 7200);
    timetz = tusk_get_timetz(&row, 14);
    ck_assert(timetz.us == 1 && timetz.offset == 7200);
    ck_assert_int_eq(tusk_read_interval(&row, 15, &interval, NULL), TUSK_OK);
    ck_assert(interval.months == 1 && interval.days == -1 && interval.us == 2);
    interval = tusk_get_interval(&row, 15);
    ck_assert(interval.months == 1 && interval.days == -1 && interval.us == 2);
    ck_assert(tusk_read_money(&row, 16, &money, NULL) == TUSK_OK && money == -1 && tusk_get_money(&row, 16) == -1);
    ck_assert_int_eq(query.n_errors, 0);
}
END_TEST

START_TEST(hardware_addresses_are_read_in_either_format)
{
    static const uint8_t octets[] = {0x08, 0x00, 0x2b, 0x01, 0x02, 0x03, 0x04, 0xff};
    tusk_macaddr_octets mac = {{0}};
    tusk_macaddr8_octets mac8 = {{0}};

    add("mac", TUSK_OID_MACADDR, 1, "\x08\x00\x2b\x01\x02\x03", 6);
    add_text("mac", TUSK_OID_MACADDR, "08:00:2b:01:02:03");
    add("mac8", TUSK_OID_MACADDR8, 1, "\x08\x00\x2b\x01\x02\x03\x04\xff", 8);
    add_text("mac8", TUSK_OID_MACADDR8, "08:00:2b:01:02:03:04:ff");
    make_row();
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(tusk_read_macaddr(&row, i, &mac, NULL), TUSK_OK);
        ck_assert(memcmp(mac.octet, octets, 6) == 0);
        mac = tusk_get_macaddr(&row, i);
        ck_assert(memcmp(mac.octet, octets, 6) == 0);
        ck_assert_int_eq(tusk_read_macaddr8(&row, 2 + i, &mac8, NULL), TUSK_OK);
        ck_assert(memcmp(mac8.octet, octets, 8) == 0);
        mac8 = tusk_get_macaddr8(&row, 2 + i);
        ck_assert(memcmp(mac8.octet, octets, 8) == 0);
    }
    ck_assert_int_eq(query.n_errors, 0);
    ck_assert_int_eq(tusk_read_macaddr8(&row, 0, &mac8, NULL), TUSK_ERR_TYPE);
    ck_assert(memcmp(mac8.octet, octets, 8) == 0);
}
END_TEST

START_TEST(network_addresses_are_read_in_either_format)
{
    static const uint8_t v4[] = {192, 0, 2, 1};
    tusk_inet_parts inet;
    tusk_error err = {0};

    add("inet", TUSK_OID_INET, 1, "\2\x18\0\4\xc0\0\2\1", 8);
    add_text("inet", TUSK_OID_INET, "192.0.2.1/24");
    add("cidr", TUSK_OID_CIDR, 1, "\2\x20\1\4\xc0\0\2\1", 8);
    add_text("cidr", TUSK_OID_CIDR, "192.0.2.1/32");
    add("null", TUSK_OID_INET, 0, NULL, 0);
    add_text("bad", TUSK_OID_INET, "192.0.2");
    make_row();
    for (int i = 0; i < 2; i++) {
        inet = tusk_get_inet(&row, i);
        ck_assert(inet.family == TUSK_INET_V4 && inet.bits == 24 && inet.len == 4 && !inet.is_cidr);
        ck_assert(memcmp(inet.address, v4, 4) == 0);
        ck_assert_int_eq(tusk_read_cidr(&row, 2 + i, &inet, NULL), TUSK_OK);
        ck_assert(inet.family == TUSK_INET_V4 && inet.bits == 32 && inet.len == 4 && inet.is_cidr);
        ck_assert(memcmp(inet.address, v4, 4) == 0 && inet.address[4] == 0);
    }
    ck_assert_int_eq(tusk_get_inet(&row, 4).family, 0);
    ck_assert_int_eq(tusk_read_inet(&row, 4, &inet, NULL), TUSK_ERR_NULL);
    ck_assert_int_eq(query.n_errors, 0);
    ck_assert_int_eq(tusk_read_inet(&row, 5, &inet, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.message, "column 5 \"bad\": \"192.0.2\" is not inet");
    ck_assert_int_eq(err.column, 5);
    ck_assert_int_eq(tusk_read_inet(&row, 5, &inet, NULL), TUSK_ERR_VALUE);
    ck_assert_int_eq(tusk_read_inet(&row, 2, &inet, NULL), TUSK_ERR_TYPE);
    ck_assert_int_eq(tusk_read_inet(&row, 3, &inet, NULL), TUSK_ERR_TYPE);
    ck_assert_int_eq(tusk_read_inet(&row, 6, &inet, NULL), TUSK_ERR_USAGE);
    ck_assert_int_eq(inet.bits, 32);
    ck_assert_int_eq(tusk_get_inet(&row, 5).family, 0);
    ck_assert_int_eq(query.n_errors, 1);
}
END_TEST

START_TEST(bits_are_a_view_in_binary)
{
    tusk_bits_view bits;
    unsigned char buf[TUSK_BITS_SIZE(9)];
    tusk_error err = {0};

    add("bit", TUSK_OID_BIT, 1, "\0\0\0\x0a\x80\x40", 6);
    add("varbit", TUSK_OID_VARBIT, 1, "\0\0\0\0", 4);
    add("null", TUSK_OID_BIT, 1, NULL, 0);
    add_text("text", TUSK_OID_VARBIT, "101");
    make_row();
    ck_assert_int_eq(tusk_read_bit(&row, 0, &bits, NULL), TUSK_OK);
    ck_assert(bits.n_bits == 10 && tusk_bits_at(bits, 0) && !tusk_bits_at(bits, 8) && tusk_bits_at(bits, 9));
    ck_assert(bits.wire > body && tusk_bits_bytes(bits) == bits.wire + 4 && tusk_get_bit(&row, 0).wire == bits.wire);
    ck_assert(tusk_get_varbit(&row, 1).n_bits == 0 && tusk_get_varbit(&row, 1).wire != NULL);
    ck_assert_ptr_null(tusk_get_bit(&row, 2).wire);
    ck_assert_int_eq(query.n_errors, 0);
    ck_assert_int_eq(tusk_read_varbit(&row, 3, &bits, &err), TUSK_ERR_TYPE);
    ck_assert_ptr_nonnull(strstr(err.message, "tusk_bits_from_text()"));
    ck_assert_int_eq(tusk_read_bit(&row, 1, &bits, NULL), TUSK_ERR_TYPE);
    ck_assert_uint_eq(bits.n_bits, 10);
    ck_assert_int_eq(tusk_bits_from_bytes("\xff\xff", 9, buf, sizeof buf - 1, &bits, NULL), TUSK_ERR_LIMIT);
    ck_assert_uint_eq(bits.n_bits, 10);
    ck_assert_int_eq(tusk_bits_from_bytes("\xff\xff", 9, buf, sizeof buf, &bits, NULL), TUSK_OK);
    ck_assert(bits.n_bits == 9 && memcmp(buf, "\0\0\0\x09\xff\x80", 6) == 0);
}
END_TEST

/* The numbers 1, 2, 3 and 4, of which each type has its own many. */
static const char four[] = "\x3f\xf0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\x40\x08\0\0\0\0\0\0\x40\x10\0\0\0\0\0";

START_TEST(shapes_are_read_in_either_format)
{
    tusk_point_parts point;
    tusk_line_parts line;
    tusk_lseg_parts lseg;
    tusk_box_parts box;
    tusk_circle_parts circle;

    add("point", TUSK_OID_POINT, 1, four, 16);
    add_text("point", TUSK_OID_POINT, "(1,2)");
    add("line", TUSK_OID_LINE, 1, four, 24);
    add_text("line", TUSK_OID_LINE, "{1,2,3}");
    add("lseg", TUSK_OID_LSEG, 1, four, 32);
    add_text("lseg", TUSK_OID_LSEG, "[(1,2),(3,4)]");
    add("box", TUSK_OID_BOX, 1, four, 32);
    add_text("box", TUSK_OID_BOX, "(1,2),(3,4)");
    add("circle", TUSK_OID_CIRCLE, 1, four, 24);
    add_text("circle", TUSK_OID_CIRCLE, "<(1,2),3>");
    add("null", TUSK_OID_BOX, 0, NULL, 0);
    make_row();
    for (int i = 0; i < 2; i++) {
        point = tusk_get_point(&row, i);
        ck_assert(point.x == 1 && point.y == 2);
        line = tusk_get_line(&row, 2 + i);
        ck_assert(line.a == 1 && line.b == 2 && line.c == 3);
        lseg = tusk_get_lseg(&row, 4 + i);
        ck_assert(lseg.from.x == 1 && lseg.from.y == 2 && lseg.to.x == 3 && lseg.to.y == 4);
        box = tusk_get_box(&row, 6 + i);
        ck_assert(box.high.x == 1 && box.high.y == 2 && box.low.x == 3 && box.low.y == 4);
        circle = tusk_get_circle(&row, 8 + i);
        ck_assert(circle.center.x == 1 && circle.center.y == 2 && circle.radius == 3);
    }
    ck_assert(tusk_get_box(&row, 10).high.x == 0);
    ck_assert_int_eq(query.n_errors, 0);
    ck_assert_int_eq(tusk_read_box(&row, 5, &box, NULL), TUSK_ERR_TYPE);
    ck_assert(tusk_get_circle(&row, 2).radius == 0);
    ck_assert_int_eq(query.n_errors, 1);
}
END_TEST

START_TEST(paths_and_polygons_are_views_in_binary)
{
    tusk_path_view path;
    tusk_polygon_view polygon;
    char wire[TUSK_PATH_SIZE(1)] = "\1\0\0\0\1";
    tusk_error err = {0};

    memcpy(wire + 5, four, 16);
    add("path", TUSK_OID_PATH, 1, wire, sizeof wire);
    add("polygon", TUSK_OID_POLYGON, 1, wire + 1, sizeof wire - 1);
    add("null", TUSK_OID_PATH, 1, NULL, 0);
    add_text("text", TUSK_OID_POLYGON, "((1,2))");
    make_row();
    path = tusk_get_path(&row, 0);
    ck_assert(path.n_points == 1 && path.is_closed && path.wire > body);
    ck_assert(tusk_path_point(path, 0).x == 1 && tusk_path_point(path, 0).y == 2);
    ck_assert_int_eq(tusk_read_polygon(&row, 1, &polygon, NULL), TUSK_OK);
    ck_assert(polygon.n_points == 1 && tusk_polygon_point(polygon, 0).x == 1 && tusk_polygon_point(polygon, 0).y == 2);
    ck_assert_ptr_null(tusk_get_path(&row, 2).wire);
    ck_assert_int_eq(query.n_errors, 0);
    ck_assert_int_eq(tusk_read_polygon(&row, 3, &polygon, &err), TUSK_ERR_TYPE);
    ck_assert_ptr_nonnull(strstr(err.message, "tusk_value_from_text()"));
}
END_TEST

START_TEST(snapshots_and_lexemes_are_views_in_binary)
{
    tusk_snapshot_view snapshot;
    tusk_tsvector_view vector;
    tusk_lexeme lexeme;

    add("snapshot", TUSK_OID_PG_SNAPSHOT, 1, "\0\0\0\1\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\x06", 28);
    add("vector", TUSK_OID_TSVECTOR, 1,
        "\0\0\0\2a\0\0\2\xc0\1\x7f\xff"
        "b\0\0\0",
        16);
    add("null", TUSK_OID_TSVECTOR, 1, NULL, 0);
    add("null", TUSK_OID_TXID_SNAPSHOT, 1, NULL, 0);
    add_text("text", TUSK_OID_TSVECTOR, "'a'");
    make_row();
    ck_assert_int_eq(tusk_read_pg_snapshot(&row, 0, &snapshot, NULL), TUSK_OK);
    ck_assert(snapshot.xmin == 5 && snapshot.xmax == 7 && snapshot.n_xips == 1 && tusk_snapshot_xip(snapshot, 0) == 6);
    vector = tusk_get_tsvector(&row, 1);
    ck_assert_uint_eq(vector.n_lexemes, 2);
    ck_assert(tusk_tsvector_next(&vector, &lexeme) && tusk_str_is(lexeme.text, "a") && lexeme.n_positions == 2);
    ck_assert(tusk_lexeme_position(lexeme, 0) == 1 && tusk_lexeme_weight(lexeme, 0) == 'A');
    ck_assert(tusk_lexeme_position(lexeme, 1) == 16383 && tusk_lexeme_weight(lexeme, 1) == 'C');
    ck_assert(tusk_tsvector_next(&vector, &lexeme) && tusk_str_is(lexeme.text, "b") && lexeme.n_positions == 0);
    ck_assert(!tusk_tsvector_next(&vector, &lexeme));
    vector = tusk_get_tsvector(&row, 2);
    ck_assert(vector.at == NULL && !tusk_tsvector_next(&vector, &lexeme));
    ck_assert_ptr_null(tusk_get_txid_snapshot(&row, 3).wire);
    ck_assert_int_eq(query.n_errors, 0);
    ck_assert_int_eq(tusk_read_tsvector(&row, 4, &vector, NULL), TUSK_ERR_TYPE);
    ck_assert_int_eq(tusk_read_txid_snapshot(&row, 0, &snapshot, NULL), TUSK_ERR_TYPE);
}
END_TEST

START_TEST(objects_are_read_as_their_oid)
{
    uint32_t oid = 7;
    tusk_error err = {0};
    tusk_value value;

    add("class", TUSK_OID_REGCLASS, 1, "\xff\xff\xff\xfe", 4);
    add_text("number", TUSK_OID_REGPROC, "4294967294");
    add_text("name", TUSK_OID_REGCLASS, "pg_class");
    add("xid", TUSK_OID_XID, 1, "\xff\xff\xff\xfe", 4);
    make_row();
    ck_assert_uint_eq(tusk_get_oid(&row, 0), 4294967294u);
    ck_assert_uint_eq(tusk_get_oid(&row, 1), 4294967294u);
    ck_assert_int_eq(query.n_errors, 0);
    ck_assert_int_eq(tusk_read_oid(&row, 2, &oid, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(
        err.message,
        "column 2 \"name\": regclass came in text format, which is a name: take it with tusk_read_text(), or "
        "cast it to oid");
    ck_assert_int_eq(tusk_read_oid(&row, 3, &oid, NULL), TUSK_ERR_TYPE);
    ck_assert_int_eq(tusk_read_int8(&row, 0, &(int64_t){0}, NULL), TUSK_ERR_TYPE);
    ck_assert_uint_eq(oid, 7);
    ck_assert_int_eq(tusk_read_value(&row, 2, &value, NULL), TUSK_OK);
    ck_assert(value.kind == TUSK_KIND_TEXT && value.type == TUSK_OID_REGCLASS);
}
END_TEST

START_TEST(places_and_bytes_are_read_in_either_format)
{
    tusk_tid_parts tid;
    char c;

    add("tid", TUSK_OID_TID, 1, "\0\1\0\2\0\3", 6);
    add_text("tid", TUSK_OID_TID, "(65538,3)");
    add("char", TUSK_OID_CHAR, 1, "\xff", 1);
    add_text("char", TUSK_OID_CHAR, "\\377");
    make_row();
    for (int i = 0; i < 2; i++) {
        tid = tusk_get_tid(&row, i);
        ck_assert(tid.block == 65538 && tid.row == 3);
        ck_assert_int_eq(tusk_get_char(&row, 2 + i), '\xff');
        ck_assert(tusk_read_char(&row, 2 + i, &c, NULL) == TUSK_OK && c == '\xff');
    }
    ck_assert_int_eq(query.n_errors, 0);
    ck_assert_int_eq(tusk_read_tid(&row, 2, &tid, NULL), TUSK_ERR_TYPE);
}
END_TEST

START_TEST(unsigned_identifiers_are_read_whole)
{
    uint32_t n = 0;
    uint64_t wide = 0;

    add("xid", TUSK_OID_XID, 1, "\xff\xff\xff\xff", 4);
    add_text("cid", TUSK_OID_CID, "4294967295");
    add_text("xid8", TUSK_OID_XID8, "18446744073709551615");
    add("lsn", TUSK_OID_PG_LSN, 1, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    make_row();
    ck_assert(tusk_read_xid(&row, 0, &n, NULL) == TUSK_OK && n == UINT32_MAX && tusk_get_xid(&row, 0) == n);
    ck_assert(tusk_read_cid(&row, 1, &n, NULL) == TUSK_OK && n == UINT32_MAX && tusk_get_cid(&row, 1) == n);
    ck_assert(tusk_read_xid8(&row, 2, &wide, NULL) == TUSK_OK && wide == UINT64_MAX && tusk_get_xid8(&row, 2) == wide);
    ck_assert(tusk_read_pg_lsn(&row, 3, &wide, NULL) == TUSK_OK && wide == UINT64_MAX);
    ck_assert(tusk_get_pg_lsn(&row, 3) == wide);
    ck_assert_int_eq(tusk_read_oid(&row, 0, &n, NULL), TUSK_ERR_TYPE);
    ck_assert_int_eq(tusk_read_cid(&row, 0, &n, NULL), TUSK_ERR_TYPE);
}
END_TEST

/* NULL, another type, a malformed value: nothing is handed out, and the first real error is kept. */
START_TEST(times_that_cannot_be_read_are_zero)
{
    tusk_interval_parts interval = {7, 7, 7};
    tusk_error err = {0};

    add("null", TUSK_OID_INTERVAL, 1, NULL, 0);
    add("cut", TUSK_OID_INTERVAL, 1, "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1", 15);
    add("late", TUSK_OID_TIMETZ, 1, "\x7f\1\1\1\1\1\1\1\0\0\0\0", 12);
    make_row();
    ck_assert_int_eq(tusk_get_interval(&row, 0).days, 0);
    ck_assert_int_eq(query.n_errors, 0);
    ck_assert_int_eq(tusk_read_interval(&row, 0, &interval, &err), TUSK_ERR_NULL);
    ck_assert_int_eq(tusk_get_interval(&row, 1).days, 0);
    ck_assert_str_eq(query.first.message, "column 1 \"cut\": interval in binary has 16 bytes, not 15");
    ck_assert_int_eq(tusk_get_timetz(&row, 2).us, 0);
    ck_assert_int_eq(tusk_get_time(&row, 3), 0);
    ck_assert_int_eq(query.n_errors, 3);
    ck_assert_int_eq(tusk_read_interval(&row, 1, &interval, &err), TUSK_ERR_VALUE);
    ck_assert_int_eq(tusk_read_interval(&row, 2, &interval, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, "column 2 \"late\" is timetz, not interval");
    ck_assert_int_eq(tusk_read_interval(&row, 3, &interval, &err), TUSK_ERR_USAGE);
    ck_assert_int_eq(interval.us, 7);
}
END_TEST

START_TEST(a_column_of_any_type_is_a_value)
{
    tusk_value value;
    tusk_error err = {0};

    add("int2", TUSK_OID_INT2, 1, "\xff\xfe", 2);
    add("interval", TUSK_OID_INTERVAL, 0, "P1D", 3);
    add("null", TUSK_OID_INT4, 1, NULL, 0);
    add("numeric", TUSK_OID_NUMERIC, 0, "1.50", 4);
    add("unknown", 70000, 1, "\1\2", 2);
    add("unknown", 70000, 0, "{}", 2);
    add("cut", TUSK_OID_INT4, 1, "\1", 1);
    make_row();
    ck_assert_int_eq(tusk_read_value(&row, 0, &value, &err), TUSK_OK);
    ck_assert(value.type == TUSK_OID_INT2 && value.kind == TUSK_KIND_INT && value.as.integer == -2);
    ck_assert_int_eq(tusk_read_value(&row, 1, &value, &err), TUSK_OK);
    ck_assert(value.kind == TUSK_KIND_INTERVAL && value.as.interval.days == 1);
    ck_assert_int_eq(tusk_read_value(&row, 2, &value, &err), TUSK_OK);
    ck_assert(value.type == TUSK_OID_INT4 && value.kind == TUSK_KIND_NULL && err.code == TUSK_OK);
    ck_assert_int_eq(tusk_read_value(&row, 3, &value, &err), TUSK_OK);
    ck_assert(value.type == TUSK_OID_NUMERIC && value.kind == TUSK_KIND_TEXT && tusk_str_is(value.as.bytes, "1.50"));
    ck_assert(tusk_read_value(&row, 4, &value, &err) == TUSK_OK && value.kind == TUSK_KIND_RAW && value.type == 70000);
    ck_assert(tusk_read_value(&row, 5, &value, &err) == TUSK_OK && value.kind == TUSK_KIND_TEXT && value.type == 70000);
    ck_assert_int_eq(tusk_read_value(&row, 6, &value, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.message, "column 6 \"cut\": int4 in binary has 4 bytes, not 1");
    ck_assert_int_eq(tusk_read_value(&row, 7, &value, &err), TUSK_ERR_USAGE);
    ck_assert(value.kind == TUSK_KIND_TEXT && value.type == 70000);
}
END_TEST

START_TEST(bytea_and_uuid_are_views_in_binary)
{
    tusk_str view;

    add_each_type_in_binary();
    make_row();
    ck_assert(tusk_read_bytea(&row, 11, &view, NULL) == TUSK_OK && tusk_str_equal(view, tusk_str_from("\0\xff", 2)));
    ck_assert(tusk_str_equal(tusk_get_bytea(&row, 11), view));
    ck_assert(tusk_str_equal(tusk_get_uuid(&row, 12), tusk_str_from(UUID_BYTES, 16)));
    ck_assert(tusk_str_equal(tusk_get_raw(&row, 12), tusk_str_from(UUID_BYTES, 16)));
    ck_assert((const uint8_t *)view.ptr > body);
    ck_assert_int_eq(query.n_errors, 0);
}
END_TEST

/* What needs room of the caller's says which call has it. */
START_TEST(bytea_and_uuid_in_text_name_the_call_to_take)
{
    tusk_str view = {NULL, 0};
    tusk_error err = {0};

    add_each_type_in_text();
    make_row();
    ck_assert_uint_eq(tusk_get_uuid(&row, 12).len, 0);
    ck_assert_int_eq(query.n_errors, 1);
    ck_assert_ptr_nonnull(strstr(query.first.message, "tusk_read_uuid()"));
    ck_assert_int_eq(tusk_read_bytea(&row, 11, &view, &err), TUSK_ERR_TYPE);
    ck_assert_ptr_nonnull(strstr(err.message, "tusk_bytea_from_text()"));
    ck_assert_str_eq(err.sqlstate, "42804");
    ck_assert(tusk_str_is(tusk_get_text(&row, 11), "\\x00ff"));
}
END_TEST

START_TEST(numeric_is_a_view_in_binary)
{
    tusk_numeric_view n = {0};
    int64_t integer;
    tusk_error err = {0};

    add("n", TUSK_OID_NUMERIC, 1, "\0\1\0\0\x40\0\0\2\0\7", 10);
    add_text("t", TUSK_OID_NUMERIC, "1.50");
    add("null", TUSK_OID_NUMERIC, 1, NULL, 0);
    add("cut", TUSK_OID_NUMERIC, 1, "\0\1\0\0\x40\0\0\2", 8);
    make_row();
    ck_assert_int_eq(tusk_read_numeric(&row, 0, &n, NULL), TUSK_OK);
    ck_assert(n.dscale == 2 && n.wire > body && tusk_get_numeric(&row, 0).wire == n.wire);
    ck_assert(tusk_numeric_to_int64(n, &integer, NULL) == TUSK_OK && integer == -7);
    ck_assert_ptr_null(tusk_get_numeric(&row, 2).wire);
    ck_assert_int_eq(query.n_errors, 0);
    ck_assert_int_eq(tusk_read_numeric(&row, 1, &n, &err), TUSK_ERR_TYPE);
    ck_assert_ptr_nonnull(strstr(err.message, "tusk_numeric_from_text()"));
    ck_assert_int_eq(tusk_read_numeric(&row, 3, &n, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.sqlstate, "22P03");
    ck_assert_ptr_null(tusk_get_numeric(&row, 3).wire);
    ck_assert_int_eq(query.n_errors, 1);
}
END_TEST

START_TEST(everything_that_came_as_text_is_text)
{
    add_each_type_in_text();
    add_text("numeric", TUSK_OID_NUMERIC, "1.50");
    add_text("own", 16402, "(1,2)");
    make_row();
    for (int col = 0; col < n_added; col++) {
        ck_assert(tusk_str_equal(tusk_get_text(&row, col), values[col]));
        ck_assert(tusk_str_equal(tusk_get_raw(&row, col), values[col]));
    }
    ck_assert_int_eq(query.n_errors, 0);
}
END_TEST

START_TEST(text_types_in_binary_are_text)
{
    static const uint32_t types[] = {TUSK_OID_TEXT, TUSK_OID_VARCHAR, TUSK_OID_BPCHAR,
                                     TUSK_OID_NAME, TUSK_OID_UNKNOWN, TUSK_OID_JSON};

    for (int i = 0; i < 6; i++)
        add("t", types[i], 1, "\"x\"", 3);
    add("jsonb", TUSK_OID_JSONB, 1, "\1\"x\"", 4);
    make_row();
    for (int col = 0; col < 7; col++)
        ck_assert(tusk_str_is(tusk_get_text(&row, col), "\"x\""));
    ck_assert(tusk_str_equal(tusk_get_raw(&row, 6), tusk_str_from("\1\"x\"", 4)));
    ck_assert_int_eq(query.n_errors, 0);
}
END_TEST

/* The server of an SQL_ASCII database sends what it has. */
START_TEST(text_is_handed_out_as_it_came)
{
    add("t", TUSK_OID_TEXT, 1, "\xff\0x", 3);
    make_row();
    ck_assert(tusk_str_equal(tusk_get_text(&row, 0), values[0]));
}
END_TEST

/* ---- numbers of other widths --------------------------------------------------------------------------------------------------------- */

static const struct {
    uint32_t type;
    const char *text;
    bool int2, int4, int8, oid;
} fits[] = {
    {TUSK_OID_INT2, "32767", true, true, true, true},
    {TUSK_OID_INT2, "-32768", true, true, true, false},
    {TUSK_OID_INT4, "32768", false, true, true, true},
    {TUSK_OID_INT4, "-32769", false, true, true, false},
    {TUSK_OID_INT8, "2147483647", false, true, true, true},
    {TUSK_OID_INT8, "2147483648", false, false, true, true},
    {TUSK_OID_INT8, "-2147483649", false, false, true, false},
    {TUSK_OID_INT8, "4294967295", false, false, true, true},
    {TUSK_OID_INT8, "4294967296", false, false, true, false},
    {TUSK_OID_OID, "4294967295", false, false, true, true},
    {TUSK_OID_OID, "7", true, true, true, true},
    {TUSK_OID_INT8, "-9223372036854775808", false, false, true, false},
};

static void assert_fits(tusk_code code, bool fit, int64_t got, int64_t expected)
{
    ck_assert_int_eq(code, fit ? TUSK_OK : TUSK_ERR_VALUE);
    ck_assert_int_eq(got, fit ? expected : 77);
}

START_TEST(integers_are_read_where_they_fit)
{
    int64_t expected = strtoll(fits[_i].text, NULL, 10), int8 = 77;
    int16_t int2 = 77;
    int32_t int4 = 77;
    uint32_t oid = 77;
    tusk_code code;

    add_text("n", fits[_i].type, fits[_i].text);
    make_row();
    code = tusk_read_int2(&row, 0, &int2, NULL);
    assert_fits(code, fits[_i].int2, int2, expected);
    code = tusk_read_int4(&row, 0, &int4, NULL);
    assert_fits(code, fits[_i].int4, int4, expected);
    code = tusk_read_int8(&row, 0, &int8, NULL);
    assert_fits(code, fits[_i].int8, int8, expected);
    code = tusk_read_oid(&row, 0, &oid, NULL);
    assert_fits(code, fits[_i].oid, oid, expected);
    ck_assert_int_eq(tusk_get_int2(&row, 0), fits[_i].int2 ? expected : 0);
    ck_assert_int_eq(tusk_get_int4(&row, 0), fits[_i].int4 ? expected : 0);
    ck_assert_int_eq(tusk_get_int8(&row, 0), fits[_i].int8 ? expected : 0);
    ck_assert_int_eq(tusk_get_oid(&row, 0), fits[_i].oid ? expected : 0);
}
END_TEST

START_TEST(floats_are_read_where_nothing_is_lost)
{
    tusk_error err = {0};
    float float4 = 77;
    double float8;

    add("float4", TUSK_OID_FLOAT4, 1, "\x3f\xc0\0\0", 4);
    add("exact", TUSK_OID_FLOAT8, 1, "\x3f\xf8\0\0\0\0\0\0", 8);
    add("inexact", TUSK_OID_FLOAT8, 1, "\x3f\xb9\x99\x99\x99\x99\x99\x9a", 8);
    make_row();
    ck_assert(tusk_read_float8(&row, 0, &float8, NULL) == TUSK_OK && float8 == 1.5 && tusk_get_float8(&row, 0) == 1.5);
    ck_assert(tusk_read_float4(&row, 1, &float4, NULL) == TUSK_OK && float4 == 1.5f &&
              tusk_get_float4(&row, 1) == 1.5f);
    float4 = 77;
    ck_assert_int_eq(tusk_read_float4(&row, 2, &float4, &err), TUSK_ERR_VALUE);
    ck_assert(float4 == 77.0f && tusk_get_float4(&row, 2) == 0.0f);
    ck_assert_str_eq(err.message, "column 2 \"inexact\": 0.1 does not fit float4 without loss");
    ck_assert_int_eq(query.n_errors, 1);
}
END_TEST

/* ---- what is said -------------------------------------------------------------------------------------------------------------------- */

START_TEST(an_error_names_column_value_and_types)
{
    tusk_error err = {0};
    int32_t int4 = 77;
    tusk_str text;
    char line[256];

    add("id", TUSK_OID_INT8, 1, "\0\0\0\0\0\0\0\1", 8);
    add("n", TUSK_OID_INT8, 1, "\0\0\0\0\xb2\xd0\x5e\0", 8);
    add("age", TUSK_OID_INT4, 1, NULL, 0);
    add("own", 16402, 1, "\1", 1);
    make_row();
    ck_assert_int_eq(tusk_read_text(&row, 0, &text, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, "column 0 \"id\" is int8, not text");
    ck_assert_str_eq(err.where, "read text");
    ck_assert_str_eq(err.sqlstate, "42804");
    ck_assert_int_eq(err.column, 0);
    ck_assert_int_eq(err.fate, TUSK_FATE_ANSWERED);
    memset(&err, 0, sizeof err);
    ck_assert_int_eq(tusk_read_int4(&row, 1, &int4, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.message, "column 1 \"n\": 3000000000 does not fit int4");
    ck_assert_str_eq(err.sqlstate, "22003");
    ck_assert_int_eq(err.column, 1);
    memset(&err, 0, sizeof err);
    ck_assert_int_eq(tusk_read_int4(&row, 2, &int4, &err), TUSK_ERR_NULL);
    ck_assert_int_eq(int4, 77);
    tusk_error_format(&err, line, sizeof line);
    ck_assert_str_eq(line, "read int4: column 2 \"age\" is NULL (22004)");
    memset(&err, 0, sizeof err);
    ck_assert_int_eq(tusk_read_int4(&row, 3, &int4, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, "column 3 \"own\" is type 16402, not int4");
}
END_TEST

/* One tusk_error serves for many calls: what it held before does not count. */
START_TEST(an_error_struct_can_be_used_again)
{
    tusk_error err = {.code = TUSK_ERR_LOST, .column = -1, .where = "connect", .message = "gone", .hint = "try again"};
    int32_t n;

    add("age", TUSK_OID_INT4, 1, NULL, 0);
    add("n", TUSK_OID_INT4, 1, "\0\0\0\7", 4);
    make_row();
    ck_assert_int_eq(tusk_read_int4(&row, 0, &n, &err), TUSK_ERR_NULL);
    ck_assert_int_eq(err.code, TUSK_ERR_NULL);
    ck_assert_int_eq(err.column, 0);
    ck_assert_str_eq(err.where, "read int4");
    ck_assert_str_eq(err.message, "column 0 \"age\" is NULL");
    ck_assert_str_eq(err.hint, "");
    ck_assert_int_eq(tusk_read_int4(&row, 1, &n, &err), TUSK_OK);
    ck_assert_int_eq(err.code, TUSK_OK);
}
END_TEST

/* A name of the server's choice: long, with line ends. */
START_TEST(a_hostile_column_name_does_not_break_the_message)
{
    static char name[5000];
    tusk_error err = {0};
    int32_t n;

    memset(name, 'x', sizeof name - 1);
    name[1] = '\n';
    add(name, TUSK_OID_TEXT, 1, "a", 1);
    make_row();
    ck_assert_int_eq(tusk_read_int4(&row, 0, &n, &err), TUSK_ERR_TYPE);
    ck_assert_ptr_null(strchr(err.message, '\n'));
    ck_assert_uint_lt(strlen(err.message), sizeof err.message);
}
END_TEST

START_TEST(short_getters_give_nothing_for_null_and_keep_no_error)
{
    add_each_type_in_binary();
    for (int col = 0; col < n_added; col++)
        nulls[col] = true;
    make_row();
    ck_assert(!tusk_get_bool(&row, 0));
    ck_assert_int_eq(tusk_get_int2(&row, 1), 0);
    ck_assert_int_eq(tusk_get_int4(&row, 2), 0);
    ck_assert_int_eq(tusk_get_int8(&row, 3), 0);
    ck_assert_uint_eq(tusk_get_oid(&row, 4), 0);
    ck_assert(tusk_get_float4(&row, 5) == 0.0f && tusk_get_float8(&row, 6) == 0.0);
    ck_assert_int_eq(tusk_get_date(&row, 7), 0);
    ck_assert_int_eq(tusk_get_timestamp(&row, 8), 0);
    ck_assert_int_eq(tusk_get_timestamptz(&row, 9), 0);
    ck_assert_ptr_null(tusk_get_text(&row, 10).ptr);
    ck_assert_ptr_null(tusk_get_bytea(&row, 11).ptr);
    ck_assert_ptr_null(tusk_get_uuid(&row, 12).ptr);
    ck_assert_ptr_null(tusk_get_raw(&row, 12).ptr);
    ck_assert_int_eq(query.n_errors, 0);
}
END_TEST

/* Each getter on each column: its own type, the relatives that fit, and nothing else. */
START_TEST(no_getter_takes_another_type)
{
    static const bool integer[] = {false, true, true, true, true};
    bool b;
    int16_t int2;
    int32_t int4;
    int64_t int8;
    uint32_t oid;
    float float4;
    double float8;
    uint8_t uuid[16];
    tusk_timetz_parts timetz;
    tusk_interval_parts interval;
    tusk_str view;
    int i = _i;

    add_each_type_in_binary();
    make_row();
#define IS_TYPE_ERROR(call) ((call) == TUSK_ERR_TYPE)
    ck_assert_int_eq(IS_TYPE_ERROR(tusk_read_bool(&row, i, &b, NULL)), i != 0);
    ck_assert_int_eq(IS_TYPE_ERROR(tusk_read_int2(&row, i, &int2, NULL)), !(i < 5 && integer[i]));
    ck_assert_int_eq(IS_TYPE_ERROR(tusk_read_int4(&row, i, &int4, NULL)), !(i < 5 && integer[i]));
    ck_assert_int_eq(IS_TYPE_ERROR(tusk_read_int8(&row, i, &int8, NULL)), !(i < 5 && integer[i]));
    ck_assert_int_eq(IS_TYPE_ERROR(tusk_read_oid(&row, i, &oid, NULL)), !(i < 5 && integer[i]));
    ck_assert_int_eq(IS_TYPE_ERROR(tusk_read_float4(&row, i, &float4, NULL)), i != 5 && i != 6);
    ck_assert_int_eq(IS_TYPE_ERROR(tusk_read_float8(&row, i, &float8, NULL)), i != 5 && i != 6);
    ck_assert_int_eq(IS_TYPE_ERROR(tusk_read_date(&row, i, &int4, NULL)), i != 7);
    ck_assert_int_eq(IS_TYPE_ERROR(tusk_read_timestamp(&row, i, &int8, NULL)), i != 8);
    ck_assert_int_eq(IS_TYPE_ERROR(tusk_read_timestamptz(&row, i, &int8, NULL)), i != 9);
    ck_assert_int_eq(IS_TYPE_ERROR(tusk_read_text(&row, i, &view, NULL)), i != 10);
    ck_assert_int_eq(IS_TYPE_ERROR(tusk_read_bytea(&row, i, &view, NULL)), i != 11);
    ck_assert_int_eq(IS_TYPE_ERROR(tusk_read_uuid(&row, i, uuid, NULL)), i != 12);
    ck_assert_int_eq(IS_TYPE_ERROR(tusk_read_time(&row, i, &int8, NULL)), i != 13);
    ck_assert_int_eq(IS_TYPE_ERROR(tusk_read_timetz(&row, i, &timetz, NULL)), i != 14);
    ck_assert_int_eq(IS_TYPE_ERROR(tusk_read_interval(&row, i, &interval, NULL)), i != 15);
    ck_assert_int_eq(IS_TYPE_ERROR(tusk_read_money(&row, i, &int8, NULL)), i != 16);
    ck_assert_int_eq(tusk_read_raw(&row, i, &view, NULL), TUSK_OK);
    ck_assert_int_eq(query.n_errors, 0);
#define IS_KEPT(call)                                                                                                  \
    ((void)(call), query.n_errors > 0 ? (query.n_errors = 0, query.first.code == TUSK_ERR_TYPE) : false)
    ck_assert_int_eq(IS_KEPT(tusk_get_bool(&row, i)), i != 0);
    ck_assert_int_eq(IS_KEPT(tusk_get_int2(&row, i)), !(i < 5 && integer[i]));
    ck_assert_int_eq(IS_KEPT(tusk_get_int4(&row, i)), !(i < 5 && integer[i]));
    ck_assert_int_eq(IS_KEPT(tusk_get_int8(&row, i)), !(i < 5 && integer[i]));
    ck_assert_int_eq(IS_KEPT(tusk_get_oid(&row, i)), !(i < 5 && integer[i]));
    ck_assert_int_eq(IS_KEPT(tusk_get_float4(&row, i)), i != 5 && i != 6);
    ck_assert_int_eq(IS_KEPT(tusk_get_float8(&row, i)), i != 5 && i != 6);
    ck_assert_int_eq(IS_KEPT(tusk_get_date(&row, i)), i != 7);
    ck_assert_int_eq(IS_KEPT(tusk_get_timestamp(&row, i)), i != 8);
    ck_assert_int_eq(IS_KEPT(tusk_get_timestamptz(&row, i)), i != 9);
    ck_assert_int_eq(IS_KEPT(tusk_get_text(&row, i)), i != 10);
    ck_assert_int_eq(IS_KEPT(tusk_get_bytea(&row, i)), i != 11);
    ck_assert_int_eq(IS_KEPT(tusk_get_uuid(&row, i)), i != 12);
    ck_assert_int_eq(IS_KEPT(tusk_get_time(&row, i)), i != 13);
    ck_assert_int_eq(IS_KEPT(tusk_get_timetz(&row, i)), i != 14);
    ck_assert_int_eq(IS_KEPT(tusk_get_interval(&row, i)), i != 15);
    ck_assert_int_eq(IS_KEPT(tusk_get_money(&row, i)), i != 16);
}
END_TEST

START_TEST(a_short_getter_keeps_the_first_error)
{
    add("id", TUSK_OID_TEXT, 1, "x", 1);
    add("n", TUSK_OID_INT8, 1, "\1\0\0\0\0\0\0\0", 8);
    make_row();
    ck_assert_int_eq(tusk_get_int8(&row, 0), 0);
    ck_assert_int_eq(tusk_get_int4(&row, 1), 0);
    ck_assert(tusk_get_float8(&row, 1) == 0.0);
    ck_assert_uint_eq(tusk_get_bytea(&row, 1).len, 0);
    ck_assert_int_eq(query.n_errors, 4);
    ck_assert_str_eq(query.first.message, "column 0 \"id\" is text, not int8");
    ck_assert_str_eq(query.first.where, "read int8");
}
END_TEST

/* ---- what the server gets wrong ------------------------------------------------------------------------------------------------------ */

/* D3: the short ways look at the width as well: a value of every length from 0 to twice what is right. */
START_TEST(d3_getters_check_the_width)
{
    static const struct {
        uint32_t type;
        size_t width;
    } fixed[] = {{TUSK_OID_BOOL, 1},      {TUSK_OID_INT2, 2},   {TUSK_OID_INT4, 4},       {TUSK_OID_INT8, 8},
                 {TUSK_OID_OID, 4},       {TUSK_OID_FLOAT4, 4}, {TUSK_OID_FLOAT8, 8},     {TUSK_OID_DATE, 4},
                 {TUSK_OID_TIMESTAMP, 8}, {TUSK_OID_UUID, 16},  {TUSK_OID_TIMESTAMPTZ, 8}};
    static const char bytes[32] = {[1] = 1, [3] = 1, [7] = 1};
    size_t width = fixed[_i].width;

    for (size_t len = 0; len <= 2 * width; len++)
        add("c", fixed[_i].type, 1, bytes, len);
    make_row();
    for (int col = 0; col < n_added; col++) {
        int before = query.n_errors;

        tusk_get_bool(&row, col);
        tusk_get_int2(&row, col);
        tusk_get_int4(&row, col);
        tusk_get_int8(&row, col);
        tusk_get_oid(&row, col);
        tusk_get_float4(&row, col);
        tusk_get_float8(&row, col);
        tusk_get_date(&row, col);
        tusk_get_timestamp(&row, col);
        tusk_get_timestamptz(&row, col);
        tusk_get_uuid(&row, col);
        ck_assert_msg((query.n_errors - before == 11) == ((size_t)col != width), "%d bytes", col);
    }
}
END_TEST

/* The short ways refuse what the codecs refuse. */
START_TEST(values_beyond_their_type_are_not_handed_out)
{
    int64_t us = 77;

    add("t", TUSK_OID_TIMESTAMPTZ, 1, "\x7f\xff\xff\xff\xff\xff\xff\xfe", 8);
    add("t", TUSK_OID_TIMESTAMP, 1, "\x7f\xff\xff\xff\xff\xff\xff\xfe", 8);
    add("d", TUSK_OID_DATE, 1, "\x7f\xff\xff\xfe", 4);
    add("b", TUSK_OID_BOOL, 1, "\2", 1);
    make_row();
    ck_assert_int_eq(tusk_get_timestamptz(&row, 0), 0);
    ck_assert_int_eq(query.n_errors, 1);
    ck_assert_str_eq(query.first.sqlstate, "22008");
    ck_assert_int_eq(tusk_get_timestamp(&row, 1), 0);
    ck_assert_int_eq(tusk_get_date(&row, 2), 0);
    ck_assert(!tusk_get_bool(&row, 3));
    ck_assert_int_eq(query.n_errors, 4);
    ck_assert_int_eq(tusk_read_timestamptz(&row, 0, &us, NULL), TUSK_ERR_VALUE);
    ck_assert_int_eq(us, 77);
}
END_TEST

/* D11: a bad value in one column, of each kind in each place; all the others are read as if nothing had been. */
START_TEST(d11_a_codec_error_consumes_only_its_value)
{
    static const struct {
        uint32_t type;
        uint16_t format;
        const char *bytes;
        size_t len;
    } bad[] = {{TUSK_OID_INT8, 1, "\1", 1},
               {TUSK_OID_INT8, 0, "many", 4},
               {TUSK_OID_BOOL, 1, "\7", 1},
               {TUSK_OID_JSONB, 1, "\2{}", 3},
               {TUSK_OID_DATE, 1, "\x7f\xff\xff\xfe", 4},
               {TUSK_OID_UUID, 1, "short", 5},
               {TUSK_OID_DATE, 0, "yesterday", 9},
               {TUSK_OID_FLOAT8, 0, "1,5", 3}};

    for (int kind = 0; kind < 8; kind++)
        for (int at = 0; at < 20; at++) {
            set_up();
            for (int col = 0; col < 20; col++)
                if (col == at)
                    add("bad", bad[kind].type, bad[kind].format, bad[kind].bytes, bad[kind].len);
                else
                    add("good", TUSK_OID_INT8, 1, "\0\0\0\0\0\0\0\5", 8);
            make_row();
            for (int col = 0; col < 20; col++) {
                char text[64];
                size_t len;
                tusk_error err = {0};
                tusk_code code = bad[kind].format == 0 ? TUSK_OK : TUSK_ERR_VALUE;

                ck_assert_int_eq(tusk_format_value(&row, col, text, sizeof text, &len, &err),
                                 col == at ? code : TUSK_OK);
                ck_assert_int_eq(tusk_get_int8(&row, col), col == at ? 0 : 5);
            }
            ck_assert_int_eq(query.n_errors, 1);
            ck_assert_int_eq(query.first.column, at);
            tear_down();
        }
    body = NULL;
}
END_TEST

START_TEST(a_codecs_reason_comes_with_the_column)
{
    tusk_error err = {0};
    int64_t n;

    add_text("n", TUSK_OID_INT8, "many");
    add("short", TUSK_OID_INT8, 1, "\1", 1);
    make_row();
    ck_assert_int_eq(tusk_read_int8(&row, 0, &n, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.message, "column 0 \"n\": \"many\" is not int8");
    ck_assert_str_eq(err.sqlstate, "22P02");
    memset(&err, 0, sizeof err);
    ck_assert_int_eq(tusk_read_int8(&row, 1, &n, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.message, "column 1 \"short\": int8 in binary has 8 bytes, not 1");
    ck_assert_str_eq(err.sqlstate, "22P03");
}
END_TEST

/* ---- as text ------------------------------------------------------------------------------------------------------------------------- */

START_TEST(values_are_printed_the_same_from_both_formats)
{
    static const char *const texts[] = {"t",
                                        "-2",
                                        "-3",
                                        "-9223372036854775808",
                                        "4294967295",
                                        "1.5",
                                        "-1.5",
                                        "1999-12-31",
                                        "1999-12-31 23:59:59.999999",
                                        "infinity",
                                        "active",
                                        "\\x00ff",
                                        UUID_TEXT,
                                        "24:00:00",
                                        "00:00:00.000001+02",
                                        "1 mon -1 days +00:00:00.000002",
                                        "-$0.01"};

    if (_i == 0)
        add_each_type_in_binary();
    else
        add_each_type_in_text();
    make_row();
    for (int col = 0; col < n_added; col++) {
        char text[64];
        size_t len;

        ck_assert_int_eq(tusk_format_value(&row, col, text, sizeof text, &len, NULL), TUSK_OK);
        ck_assert_str_eq(text, texts[col]);
        ck_assert_uint_eq(len, strlen(texts[col]));
        ck_assert_int_eq(tusk_format_value(&row, col, text, 2, &len, NULL), TUSK_OK);
        ck_assert_uint_eq(len, strlen(texts[col]));
        ck_assert_uint_eq(strlen(text), 1);
    }
}
END_TEST

START_TEST(what_cannot_be_printed_says_so)
{
    tusk_error err = {0};
    char text[8];
    size_t len = 77;

    add("x", TUSK_OID_PG_MCV_LIST, 1, "\1", 1);
    add("null", TUSK_OID_INT4, 1, NULL, 0);
    make_row();
    ck_assert_int_eq(tusk_format_value(&row, 0, text, sizeof text, &len, &err), TUSK_ERR_TYPE);
    ck_assert_ptr_nonnull(strstr(err.message, "column 0 \"x\" is pg_mcv_list"));
    ck_assert_ptr_nonnull(strstr(err.message, "text_results"));
    ck_assert_int_eq(tusk_format_value(&row, 1, text, sizeof text, &len, NULL), TUSK_ERR_NULL);
    ck_assert_int_eq(tusk_format_value(&row, 2, text, sizeof text, &len, NULL), TUSK_ERR_USAGE);
    ck_assert_uint_eq(len, 77);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("row");
    TCase *tc = tcase_create("row");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, a_column_that_is_not_there_is_an_error, 0, 5);
    tcase_add_test(tc, a_row_that_was_never_filled_is_empty);
    tcase_add_test(tc, a_row_keeps_its_columns);
    tcase_add_loop_test(tc, d3_getters_check_the_width, 0, 11);
    tcase_add_test(tc, d11_a_codec_error_consumes_only_its_value);
    tcase_add_test(tc, values_beyond_their_type_are_not_handed_out);
    tcase_add_test(tc, a_codecs_reason_comes_with_the_column);
    tcase_add_test(tc, an_error_names_column_value_and_types);
    tcase_add_test(tc, an_error_struct_can_be_used_again);
    tcase_add_test(tc, a_hostile_column_name_does_not_break_the_message);
    tcase_add_test(tc, a_short_getter_keeps_the_first_error);
    tcase_add_test(tc, short_getters_give_nothing_for_null_and_keep_no_error);
    tcase_add_loop_test(tc, no_getter_takes_another_type, 0, 17);
    tcase_add_loop_test(tc, times_are_the_same_in_both_formats, 0, 2);
    tcase_add_test(tc, unsigned_identifiers_are_read_whole);
    tcase_add_test(tc, hardware_addresses_are_read_in_either_format);
    tcase_add_test(tc, network_addresses_are_read_in_either_format);
    tcase_add_test(tc, bits_are_a_view_in_binary);
    tcase_add_test(tc, objects_are_read_as_their_oid);
    tcase_add_test(tc, snapshots_and_lexemes_are_views_in_binary);
    tcase_add_test(tc, places_and_bytes_are_read_in_either_format);
    tcase_add_test(tc, shapes_are_read_in_either_format);
    tcase_add_test(tc, paths_and_polygons_are_views_in_binary);
    tcase_add_test(tc, times_that_cannot_be_read_are_zero);
    tcase_add_test(tc, a_column_of_any_type_is_a_value);
    tcase_add_test(tc, bytea_and_uuid_in_text_name_the_call_to_take);
    tcase_add_test(tc, what_cannot_be_printed_says_so);
    tcase_add_loop_test(tc, each_field_is_found_whatever_the_width_of_the_row, 0,
                        (int)(sizeof widths / sizeof *widths));
    tcase_add_loop_test(tc, marks_are_as_dense_as_they_can_be, 0, (int)(sizeof widths / sizeof *widths));
    tcase_add_loop_test(tc, long_and_short_form_give_the_same_in_both_formats, 0, 2);
    tcase_add_test(tc, bytea_and_uuid_are_views_in_binary);
    tcase_add_test(tc, numeric_is_a_view_in_binary);
    tcase_add_test(tc, everything_that_came_as_text_is_text);
    tcase_add_test(tc, text_types_in_binary_are_text);
    tcase_add_test(tc, text_is_handed_out_as_it_came);
    tcase_add_loop_test(tc, integers_are_read_where_they_fit, 0, (int)(sizeof fits / sizeof *fits));
    tcase_add_test(tc, floats_are_read_where_nothing_is_lost);
    tcase_add_loop_test(tc, values_are_printed_the_same_from_both_formats, 0, 2);
    suite_add_tcase(suite, tc);
    return suite;
}
