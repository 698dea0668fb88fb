/* Tests of parameters: the constructors of tusk/value.h and the Bind field that each becomes, by the type that the statement
 * wants. The bytes of each type are codec_test's.
 * Read first: lib/codec/codec.h, tusk__param_encode(). */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <tusk/array.h>
#include <tusk/range.h>
#include <tusk/value.h>
#include <tusk/vector.h>

#include "lib/codec/types.h"
#include "proto/bounds.h"
#include "test/harness/harness.h"

/* One parameter, written. */
typedef struct outcome {
    tusk_code code;
    uint16_t format;
    tusk_error err;
    tusk__writer b;
} outcome;

static outcome encode(tusk_value value, uint32_t type)
{
    outcome o = {.format = 99};

    tusk__writer_init(&o.b, tusk_allocator_default());
    o.code = tusk__param_encode(&o.b, &value, type, &o.format, &o.err);
    if (o.code == TUSK_OK)
        ck_assert_uint_le(o.b.len, tusk__param_size(&value));
    else
        ck_assert_int_eq(o.code, o.err.code);
    return o;
}

static void assert_written(tusk_value value, uint32_t type, uint16_t format, const void *bytes, size_t len)
{
    outcome o = encode(value, type);

    ck_assert_msg(o.code == TUSK_OK, "%s", o.err.message);
    ck_assert_uint_eq(o.format, format);
    ck_assert_msg(tusk_str_equal(tusk_str_from(o.b.buf, o.b.len), tusk_str_from(bytes, len)),
                  "other bytes for %u as %u", value.type, type);
    tusk__writer_clear(&o.b);
}

static void assert_refused(tusk_value value, uint32_t type, tusk_code code, const char *sqlstate, const char *message)
{
    outcome o = encode(value, type);
    uint16_t format;

    ck_assert_msg(o.code == code, "%u as %u: %s", value.type, type, tusk_code_name(o.code));
    ck_assert_str_eq(o.err.sqlstate, sqlstate);
    ck_assert_msg(strstr(o.err.message, message) != NULL, "%s", o.err.message);
    tusk__writer_cut(&o.b, 0);
    ck_assert_int_eq(tusk__param_encode(&o.b, &value, type, &format, NULL), code);
    tusk__writer_clear(&o.b);
}

/* ---- each constructor, as its own type ----------------------------------------------------------------------------------------------- */

#define UUID_BYTES "\x0f\x1e\x2d\x3c\x4b\x5a\x69\x78\x87\x96\xa5\xb4\xc3\xd2\xe1\xf0"

START_TEST(each_constructor_is_sent_in_binary)
{
    static const uint8_t uuid[] = UUID_BYTES;
    unsigned char numeric[TUSK_NUMERIC_INT_SIZE];

    assert_written(tusk_bool(true), 0, 1, "\0\0\0\1\1", 5);
    assert_written(tusk_bool(false), 0, 1, "\0\0\0\1\0", 5);
    assert_written(tusk_int2(-2), 0, 1, "\0\0\0\2\xff\xfe", 6);
    assert_written(tusk_int4(18), 0, 1, "\0\0\0\4\0\0\0\x12", 8);
    assert_written(tusk_int8(INT64_MIN), 0, 1, "\0\0\0\x08\x80\0\0\0\0\0\0\0", 12);
    assert_written(tusk_oid(UINT32_MAX), 0, 1, "\0\0\0\4\xff\xff\xff\xff", 8);
    assert_written(tusk_float4(1.5f), 0, 1, "\0\0\0\4\x3f\xc0\0\0", 8);
    assert_written(tusk_float8(-0.0), 0, 1, "\0\0\0\x08\x80\0\0\0\0\0\0\0", 12);
    assert_written(tusk_numeric(tusk_numeric_from_int64(-7, numeric)), 0, 1, "\0\0\0\x0a\0\1\0\0\x40\0\0\0\0\7", 14);
    assert_written(tusk_date(-1), 0, 1, "\0\0\0\4\xff\xff\xff\xff", 8);
    assert_written(tusk_timestamp(1), 0, 1, "\0\0\0\x08\0\0\0\0\0\0\0\1", 12);
    assert_written(tusk_timestamptz(TUSK_TIMESTAMP_INFINITY), 0, 1, "\0\0\0\x08\x7f\xff\xff\xff\xff\xff\xff\xff", 12);
    assert_written(tusk_time(1), 0, 1, "\0\0\0\x08\0\0\0\0\0\0\0\1", 12);
    assert_written(tusk_timetz((tusk_timetz_parts){1, 7200}), 0, 1, "\0\0\0\x0c\0\0\0\0\0\0\0\1\xff\xff\xe3\xe0", 16);
    assert_written(tusk_interval((tusk_interval_parts){1, -1, 2}), 0, 1,
                   "\0\0\0\x10\0\0\0\0\0\0\0\2\xff\xff\xff\xff\0\0\0\1", 20);
    assert_written(tusk_money(-1), 0, 1, "\0\0\0\x08\xff\xff\xff\xff\xff\xff\xff\xff", 12);
    assert_written(tusk_xid(UINT32_MAX), 0, 1, "\0\0\0\4\xff\xff\xff\xff", 8);
    assert_written(tusk_cid(1), 0, 1, "\0\0\0\4\0\0\0\1", 8);
    assert_written(tusk_xid8(UINT64_MAX), 0, 1, "\0\0\0\x08\xff\xff\xff\xff\xff\xff\xff\xff", 12);
    assert_written(tusk_pg_lsn(1), 0, 1, "\0\0\0\x08\0\0\0\0\0\0\0\1", 12);
    assert_written(tusk_xml_text("<a/>"), 0, 1, "\0\0\0\4<a/>", 8);
    assert_written(tusk_refcursor("c"), 0, 1, "\0\0\0\1c", 5);
    assert_written(tusk_uuid(uuid), 0, 1, "\0\0\0\x10" UUID_BYTES, 20);
    assert_written(tusk_text("active"), 0, 1, "\0\0\0\6active", 10);
    assert_written(tusk_text_str(tusk_str_from("activex", 6)), 0, 1, "\0\0\0\6active", 10);
    assert_written(tusk_text(""), 0, 1, "\0\0\0\0", 4);
    assert_written(tusk_varchar("v"), 0, 1, "\0\0\0\1v", 5);
    assert_written(tusk_bpchar("b "), 0, 1, "\0\0\0\2b ", 6);
    assert_written(tusk_name("n"), 0, 1, "\0\0\0\1n", 5);
    assert_written(tusk_json_text("{}"), 0, 1, "\0\0\0\2{}", 6);
    assert_written(tusk_jsonb_text("{}"), 0, 1, "\0\0\0\3\1{}", 7);
    assert_written(tusk_bytea("\0\xff", 2), 0, 1, "\0\0\0\2\0\xff", 6);
    assert_written(tusk_bytea("", 0), 0, 1, "\0\0\0\0", 4);
    assert_written(tusk_text_str(tusk_str_from("", 0)), 0, 1, "\0\0\0\0", 4);
    assert_written(tusk_oid(1259), TUSK_OID_REGCLASS, 1, "\0\0\0\4\0\0\4\xeb", 8);
    assert_written(tusk_reg(TUSK_OID_REGCLASS, 1259), TUSK_OID_OID, 1, "\0\0\0\4\0\0\4\xeb", 8);
    assert_written(tusk_text_of(TUSK_OID_REGCLASS, "pg_class"), TUSK_OID_REGCLASS, 0, "\0\0\0\x08pg_class", 12);
    assert_written(tusk_char('\xff'), 0, 1, "\0\0\0\1\xff", 5);
    assert_written(tusk_raw(TUSK_OID_POINT, "\1\2\3", 3), 0, 1, "\0\0\0\3\1\2\3", 7);
}
END_TEST

START_TEST(null_is_null_of_any_type)
{
    static const uint32_t types[] = {0, TUSK_OID_INT4, TUSK_OID_JSONB, TUSK_OID_POINT, 16402};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        assert_written(tusk_null(), types[i], 1, "\xff\xff\xff\xff", 4);
        assert_written(tusk_null_of(TUSK_OID_TEXT), types[i], 1, "\xff\xff\xff\xff", 4);
        assert_written(tusk_text(NULL), types[i], 1, "\xff\xff\xff\xff", 4);
    }
    ck_assert_uint_eq(tusk_null().type, 0);
    ck_assert_uint_eq(tusk_text(NULL).type, TUSK_OID_TEXT);
    ck_assert_int_eq(tusk_unknown(NULL).kind, TUSK_KIND_NULL);
}
END_TEST

/* What has no pointer is NULL, of the type that it would have had. */
START_TEST(no_pointer_is_null)
{
    const tusk_str none = {NULL, 0};
    const tusk_array_view no_array = {.type = TUSK_OID_INT4_ARRAY};
    const tusk_range_parts no_range = {.type = 0};
    const tusk_multirange_view no_multirange = {.type = TUSK_OID_INT4MULTIRANGE};
    const tusk_value values[] = {
        tusk_text_str(none),
        tusk_text_str_of(TUSK_OID_JSONB, none),
        tusk_bytea(NULL, 0),
        tusk_raw(TUSK_OID_POINT, NULL, 0),
        tusk_uuid(NULL),
        tusk_inet(NULL),
        tusk_cidr(NULL),
        tusk_array_of(TUSK_OID_INT4_ARRAY, NULL),
        tusk_array(NULL),
        tusk_array(&no_array),
        tusk_range(NULL),
        tusk_range(&no_range),
        tusk_multirange_of(NULL),
        tusk_multirange(NULL),
        tusk_multirange(&no_multirange),
        tusk_vector(NULL, 3),
    };
    static const uint32_t types[] = {TUSK_OID_TEXT,
                                     TUSK_OID_JSONB,
                                     TUSK_OID_BYTEA,
                                     TUSK_OID_POINT,
                                     TUSK_OID_UUID,
                                     TUSK_OID_INET,
                                     TUSK_OID_CIDR,
                                     TUSK_OID_INT4_ARRAY,
                                     0,
                                     TUSK_OID_INT4_ARRAY,
                                     0,
                                     0,
                                     0,
                                     0,
                                     TUSK_OID_INT4MULTIRANGE,
                                     0};

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        assert_written(values[i], 0, 1, "\xff\xff\xff\xff", 4);
        ck_assert_msg(values[i].type == types[i], "value %zu is of type %u", i, values[i].type);
    }
}
END_TEST

/* {a,NULL} as tusk_array_to_text() gives it goes back as it came. */
START_TEST(text_without_a_pointer_is_null_in_an_array)
{
    const tusk_str texts[] = {{"a", 1}, {NULL, 0}, {"", 0}};

    assert_written(tusk_array_of_text(texts, 3), 0, 1,
                   "\0\0\0\x21\0\0\0\1\0\0\0\1\0\0\0\x19\0\0\0\3\0\0\0\1\0\0\0\1a\xff\xff\xff\xff\0\0\0\0", 37);
    assert_written(tusk_array_of_text(texts, 1), 0, 1, "\0\0\0\x19\0\0\0\1\0\0\0\0\0\0\0\x19\0\0\0\1\0\0\0\1\0\0\0\1a",
                   29);
}
END_TEST

START_TEST(untyped_text_goes_to_any_type_as_text)
{
    assert_written(tusk_unknown("12"), 0, 0, "\0\0\0\00212", 6);
    assert_written(tusk_unknown("12"), TUSK_OID_INT4, 0, "\0\0\0\00212", 6);
    assert_written(tusk_unknown("(1,2)"), 16402, 0, "\0\0\0\5(1,2)", 9);
    assert_refused(tusk_unknown("\xff"), TUSK_OID_INT4, TUSK_ERR_VALUE, "22021", "not UTF-8 at offset 0");
}
END_TEST

/* tusk_text_of() with a type whose binary is not text: the server reads it by that type's input function. */
START_TEST(text_of_another_type_is_sent_as_text)
{
    assert_written(tusk_text_of(TUSK_OID_NUMERIC, "1.50"), 0, 0, "\0\0\0\0041.50", 8);
    assert_written(tusk_text_of(TUSK_OID_NUMERIC, "1.50"), TUSK_OID_NUMERIC, 0, "\0\0\0\0041.50", 8);
    assert_written(tusk_text_of(TUSK_OID_INT4, "7"), TUSK_OID_INT4, 0, "\0\0\0\0017", 5);
    assert_refused(tusk_text_of(TUSK_OID_NUMERIC, "1"), TUSK_OID_INT4, TUSK_ERR_TYPE, "42804",
                   "the statement wants int4 here, not numeric");
}
END_TEST

/* ---- what the statement wants -------------------------------------------------------------------------------------------------------- */

static const uint32_t integer_types[] = {TUSK_OID_INT2, TUSK_OID_INT4, TUSK_OID_INT8, TUSK_OID_OID};
static const int64_t integer_min[] = {INT16_MIN, INT32_MIN, INT64_MIN, 0};
static const int64_t integer_max[] = {INT16_MAX, INT32_MAX, INT64_MAX, UINT32_MAX};
static const size_t integer_width[] = {2, 4, 8, 4};

/* Each of the four types into each, at both ends of both and one beyond. */
START_TEST(integers_go_where_they_fit)
{
    int have = _i / 4, want = _i % 4;
    int64_t numbers[] = {integer_min[have],
                         integer_max[have],
                         0,
                         1,
                         integer_min[want],
                         integer_max[want],
                         integer_min[want] - (integer_min[want] > INT64_MIN),
                         integer_max[want] + (integer_max[want] < INT64_MAX)};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int64_t n = numbers[i];
        char shown[32];

        if (n < integer_min[have] || n > integer_max[have])
            continue;
        snprintf(shown, sizeof shown, "%lld does not fit", (long long)n);
        if (n < integer_min[want] || n > integer_max[want]) {
            assert_refused(tusk__int_of(integer_types[have], n), integer_types[want], TUSK_ERR_VALUE, "22003", shown);
        } else {
            outcome o = encode(tusk__int_of(integer_types[have], n), integer_types[want]);

            ck_assert_int_eq(o.code, TUSK_OK);
            ck_assert_uint_eq(o.b.len, 4 + integer_width[want]);
            ck_assert_uint_eq(tusk__be32(o.b.buf), integer_width[want]);
            for (size_t k = 0; k < integer_width[want]; k++)
                ck_assert_uint_eq(o.b.buf[4 + k], (uint8_t)((uint64_t)n >> 8 * (integer_width[want] - 1 - k)));
            tusk__writer_clear(&o.b);
        }
    }
}
END_TEST

START_TEST(floats_go_where_nothing_is_lost)
{
    assert_written(tusk_float4(1.5f), TUSK_OID_FLOAT8, 1, "\0\0\0\x08\x3f\xf8\0\0\0\0\0\0", 12);
    assert_written(tusk_float8(1.5), TUSK_OID_FLOAT4, 1, "\0\0\0\4\x3f\xc0\0\0", 8);
    assert_refused(tusk_float8(0.1), TUSK_OID_FLOAT4, TUSK_ERR_VALUE, "22003", "0.1 does not fit float4 without loss");
    assert_refused(tusk_float8(1e300), TUSK_OID_FLOAT4, TUSK_ERR_VALUE, "22003", "1e+300 does not fit float4");
}
END_TEST

START_TEST(text_goes_to_what_is_text)
{
    assert_written(tusk_text("{}"), TUSK_OID_JSONB, 1, "\0\0\0\3\1{}", 7);
    assert_written(tusk_jsonb_text("{}"), TUSK_OID_TEXT, 1, "\0\0\0\2{}", 6);
    assert_written(tusk_text("x"), TUSK_OID_VARCHAR, 1, "\0\0\0\1x", 5);
    assert_written(tusk_varchar("x"), TUSK_OID_NAME, 1, "\0\0\0\1x", 5);
    assert_written(tusk_json_text("1"), TUSK_OID_UNKNOWN, 1, "\0\0\0\0011", 5);
}
END_TEST

static const struct {
    uint32_t type;
    tusk_kind kind;
    uint32_t want;
} misfits[] = {
    {TUSK_OID_INT4, TUSK_KIND_INT, TUSK_OID_TEXT},
    {TUSK_OID_INT4, TUSK_KIND_INT, TUSK_OID_BOOL},
    {TUSK_OID_INT4, TUSK_KIND_INT, TUSK_OID_FLOAT8},
    {TUSK_OID_INT4, TUSK_KIND_INT, TUSK_OID_DATE},
    {TUSK_OID_INT8, TUSK_KIND_INT, TUSK_OID_TIMESTAMP},
    {TUSK_OID_DATE, TUSK_KIND_INT, TUSK_OID_INT4},
    {TUSK_OID_DATE, TUSK_KIND_INT, TUSK_OID_TIMESTAMP},
    {TUSK_OID_TIMESTAMP, TUSK_KIND_INT, TUSK_OID_TIMESTAMPTZ},
    {TUSK_OID_TIMESTAMPTZ, TUSK_KIND_INT, TUSK_OID_INT8},
    {TUSK_OID_INT8, TUSK_KIND_INT, TUSK_OID_MONEY},
    {TUSK_OID_MONEY, TUSK_KIND_INT, TUSK_OID_INT8},
    {TUSK_OID_TIME, TUSK_KIND_INT, TUSK_OID_TIMETZ},
    {TUSK_OID_TIMETZ, TUSK_KIND_TIMETZ, TUSK_OID_TIME},
    {TUSK_OID_INTERVAL, TUSK_KIND_INTERVAL, TUSK_OID_TIME},
    {TUSK_OID_INTERVAL, TUSK_KIND_INT, TUSK_OID_INTERVAL},
    {TUSK_OID_FLOAT8, TUSK_KIND_FLOAT, TUSK_OID_INT4},
    {TUSK_OID_BOOL, TUSK_KIND_BOOL, TUSK_OID_INT4},
    {TUSK_OID_TEXT, TUSK_KIND_TEXT, TUSK_OID_INT4},
    {TUSK_OID_TEXT, TUSK_KIND_TEXT, TUSK_OID_BYTEA},
    {TUSK_OID_BYTEA, TUSK_KIND_BYTES, TUSK_OID_TEXT},
    {TUSK_OID_UUID, TUSK_KIND_UUID, TUSK_OID_BYTEA},
    {TUSK_OID_MACADDR, TUSK_KIND_MACADDR, TUSK_OID_MACADDR8},
    {TUSK_OID_MACADDR8, TUSK_KIND_MACADDR8, TUSK_OID_MACADDR},
    {TUSK_OID_MACADDR8, TUSK_KIND_MACADDR, TUSK_OID_MACADDR8},
    {TUSK_OID_INET, TUSK_KIND_WIRE, TUSK_OID_CIDR},
    {TUSK_OID_BIT, TUSK_KIND_WIRE, TUSK_OID_VARBIT},
    {TUSK_OID_OID, TUSK_KIND_INT, TUSK_OID_NUMERIC},
    {TUSK_OID_POINT, TUSK_KIND_RAW, TUSK_OID_BOX},
    {TUSK_OID_POINT, TUSK_KIND_POINT, TUSK_OID_BOX},
    {TUSK_OID_BOX, TUSK_KIND_WIRE, TUSK_OID_LSEG},
    {TUSK_OID_INT4, TUSK_KIND_INT, TUSK_OID_REGCLASS},
    {TUSK_OID_REGCLASS, TUSK_KIND_INT, TUSK_OID_REGTYPE},
    {TUSK_OID_REGCLASS, TUSK_KIND_INT, TUSK_OID_INT4},
    {TUSK_OID_XID, TUSK_KIND_INT, TUSK_OID_REGCLASS},
    {TUSK_OID_INT4, TUSK_KIND_TEXT, TUSK_OID_INT8},
    {TUSK_OID_TEXT, TUSK_KIND_INT, TUSK_OID_TEXT},
    {TUSK_OID_INT4, TUSK_KIND_FLOAT, TUSK_OID_INT4},
    {0, TUSK_KIND_INT, TUSK_OID_INT4},
    {0, TUSK_KIND_INT, 0},
    {0, TUSK_KIND_RAW, 0},
    {TUSK_OID_POINT, TUSK_KIND_BYTES, TUSK_OID_POINT},
};

START_TEST(other_types_do_not_mix)
{
    tusk_value value = tusk_null_of(misfits[_i].type);

    value.kind = misfits[_i].kind;
    assert_refused(value, misfits[_i].want, TUSK_ERR_TYPE, "42804", "");
}
END_TEST

START_TEST(a_type_error_names_both_types_and_the_way_out)
{
    outcome o = encode(tusk_text("5"), TUSK_OID_NUMERIC);

    ck_assert_str_eq(o.err.message, "the statement wants numeric here, not text");
    ck_assert_ptr_nonnull(strstr(o.err.hint, "tusk_unknown()"));
    tusk__writer_clear(&o.b);
    o = encode(tusk_int4(5), TUSK_OID_JSONPATH);
    ck_assert_str_eq(o.err.message, "the statement wants jsonpath here, not int4");
    ck_assert_str_eq(o.err.hint, "");
    tusk__writer_clear(&o.b);
}
END_TEST

START_TEST(raw_bytes_take_the_wanted_type)
{
    assert_written(tusk_raw(0, "\7", 1), 16402, 1, "\0\0\0\1\7", 5);
    assert_written(tusk_raw(16402, "\7", 1), 16402, 1, "\0\0\0\1\7", 5);
    assert_written(tusk_raw(TUSK_OID_TEXT, "\xff", 1), 0, 1, "\0\0\0\1\xff", 5); /* unchecked, as promised */
}
END_TEST

/* The first error stays, and its hint with it. */
START_TEST(an_error_that_is_set_is_not_replaced)
{
    tusk_value value = tusk_text("x");
    uint16_t format;
    tusk__writer b;
    tusk_error err = {.code = TUSK_ERR_LOST, .message = "gone"};

    tusk__writer_init(&b, tusk_allocator_default());
    ck_assert_int_eq(tusk__param_encode(&b, &value, TUSK_OID_INT4, &format, &err), TUSK_ERR_TYPE);
    ck_assert_int_eq(err.code, TUSK_ERR_LOST);
    ck_assert_str_eq(err.message, "gone");
    ck_assert_str_eq(err.hint, "");
    tusk__writer_clear(&b);
}
END_TEST

/* ---- size and memory ----------------------------------------------------------------------------------------------------------------- */

START_TEST(a_size_never_wraps)
{
    tusk_value value = tusk_bytea("x", SIZE_MAX - 2);

    ck_assert_uint_eq(tusk__param_size(&value), SIZE_MAX);
    value = tusk_null();
    ck_assert_uint_ge(tusk__param_size(&value), 4);
}
END_TEST

/* D13: a parameter of gigabytes is refused unread: its pages cannot be read at all. */
START_TEST(d13_what_is_too_long_is_refused_unread)
{
    static const size_t lengths[] = {TUSK__MESSAGE_MAX + (size_t)1, (size_t)1 << 31, ((size_t)1 << 32) + 7};
    size_t len = lengths[_i / 4];
    void *nothing = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    tusk_str s = tusk_str_from(nothing, len);
    tusk_value values[] = {tusk_text_str(s), tusk__bytes_of(0, TUSK_KIND_TEXT, s),
                           tusk__bytes_of(TUSK_OID_BYTEA, TUSK_KIND_BYTES, s),
                           tusk__bytes_of(TUSK_OID_POINT, TUSK_KIND_RAW, s)};
    uint16_t format;
    tusk__writer b;
    tusk_error err = {0};

    ck_assert_ptr_ne(nothing, MAP_FAILED);
    tusk__writer_init(&b, tusk_allocator_default());
    b.max = TUSK__MESSAGE_MAX;
    ck_assert_int_eq(tusk__param_encode(&b, &values[_i % 4], 0, &format, &err), TUSK_ERR_LIMIT);
    ck_assert_str_eq(err.sqlstate, "54000");
    ck_assert_uint_ge(tusk__param_size(&values[_i % 4]), len);
    tusk__writer_clear(&b);
    munmap(nothing, len);
}
END_TEST

static void *refuse_malloc(size_t size, void *user)
{
    (void)size, (void)user;
    return NULL;
}
static void *refuse_realloc(void *ptr, size_t size, void *user)
{
    (void)ptr, (void)size, (void)user;
    return NULL;
}
static void free_nothing(void *ptr, void *user)
{
    (void)user;
    ck_assert_ptr_null(ptr);
}

START_TEST(no_memory_is_an_error)
{
    static const tusk_allocator none = {refuse_malloc, refuse_realloc, free_nothing, NULL};
    static const uint8_t uuid[16];
    tusk_value values[] = {
        tusk_null(),       tusk_bool(true),      tusk_int2(1),        tusk_int4(1),
        tusk_int8(1),      tusk_oid(1),          tusk_float4(1),      tusk_float8(1),
        tusk_text("x"),    tusk_jsonb_text("1"), tusk_bytea("x", 1),  tusk_uuid(uuid),
        tusk_unknown("x"), tusk_date(1),         tusk_timestamptz(1), tusk_raw(TUSK_OID_POINT, "x", 1)};

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        uint16_t format;
        tusk__writer b;
        tusk_error err = {0};

        tusk__writer_init(&b, &none);
        ck_assert_int_eq(tusk__param_encode(&b, &values[i], 0, &format, &err), TUSK_ERR_NOMEM);
        ck_assert_str_eq(err.sqlstate, "53200");
        tusk__writer_clear(&b);
    }
}
END_TEST

/* A refused value leaves nothing behind that the caller cannot cut. */
START_TEST(a_refused_value_can_be_cut_off)
{
    outcome o = encode(tusk_int4(7), 0);
    tusk_value bad = tusk_text("\xff"), good = tusk_int4(8);
    size_t before = o.b.len;
    uint16_t format;

    ck_assert_int_eq(tusk__param_encode(&o.b, &bad, 0, &format, NULL), TUSK_ERR_VALUE);
    tusk__writer_cut(&o.b, before);
    ck_assert_int_eq(tusk__param_encode(&o.b, &good, 0, &format, NULL), TUSK_OK);
    ck_assert(tusk_str_equal(tusk_str_from(o.b.buf, o.b.len), tusk_str_from("\0\0\0\4\0\0\0\7\0\0\0\4\0\0\0\x08", 16)));
    tusk__writer_clear(&o.b);
}
END_TEST

START_TEST(params_are_an_array_and_its_length)
{
    tusk_params params = TUSK_PARAMS(tusk_int4(18), tusk_text("active"), tusk_null());
    tusk_params none = TUSK_NO_PARAMS;

    ck_assert_uint_eq(params.n, 3);
    ck_assert_uint_eq(params.values[1].type, TUSK_OID_TEXT);
    ck_assert_uint_eq(none.n, 0);
    ck_assert_ptr_null(none.values);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("value");
    TCase *tc = tcase_create("value");

    tcase_add_loop_test(tc, other_types_do_not_mix, 0, (int)(sizeof misfits / sizeof *misfits));
    tcase_add_loop_test(tc, d13_what_is_too_long_is_refused_unread, 0, 12);
    tcase_add_test(tc, no_memory_is_an_error);
    tcase_add_test(tc, a_refused_value_can_be_cut_off);
    tcase_add_test(tc, an_error_that_is_set_is_not_replaced);
    tcase_add_test(tc, a_type_error_names_both_types_and_the_way_out);
    tcase_add_test(tc, a_size_never_wraps);
    tcase_add_loop_test(tc, integers_go_where_they_fit, 0, 16);
    tcase_add_test(tc, floats_go_where_nothing_is_lost);
    tcase_add_test(tc, text_goes_to_what_is_text);
    tcase_add_test(tc, each_constructor_is_sent_in_binary);
    tcase_add_test(tc, null_is_null_of_any_type);
    tcase_add_test(tc, no_pointer_is_null);
    tcase_add_test(tc, text_without_a_pointer_is_null_in_an_array);
    tcase_add_test(tc, untyped_text_goes_to_any_type_as_text);
    tcase_add_test(tc, text_of_another_type_is_sent_as_text);
    tcase_add_test(tc, raw_bytes_take_the_wanted_type);
    tcase_add_test(tc, params_are_an_array_and_its_length);
    suite_add_tcase(suite, tc);
    return suite;
}
