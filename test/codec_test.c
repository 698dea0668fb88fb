/* Tests of the codecs one by one: both formats, both ends of each range and one beyond, and whatever the server may send
 * instead. Rows and parameters have tests of their own (row_test, value_test), digits of floats too (float_test).
 * Read first: lib/codec/codec.h, docs/types.md. */
#include <stdio.h>
#include <stdlib.h>

#include <tusk/row.h>

#include "lib/codec/types.h"
#include "test/codec_cases.h"
#include "test/harness/harness.h"

/* A block of exactly that size, so that one byte too far is seen. Nothing is the end of a block of one byte. */
static char *block_of(size_t len)
{
    char *block = malloc(len > 0 ? len : 1);

    ck_assert_ptr_nonnull(block);
    return len > 0 ? block : block + 1;
}

static tusk_str exact(const void *bytes, size_t len)
{
    char *block = block_of(len);

    if (len > 0)
        memcpy(block, bytes, len);
    return tusk_str_from(block, len);
}

static tusk_str exact_text(const char *text)
{
    return exact(text, strlen(text));
}

static tusk_str exact_hex(const char *hex)
{
    size_t len = strlen(hex) / 2;
    char *block = block_of(len);

    for (size_t i = 0; i < len; i++)
        block[i] = (char)(tusk__hex_digit(hex[2 * i]) << 4 | tusk__hex_digit(hex[2 * i + 1]));
    return tusk_str_from(block, len);
}

static void release(tusk_str s)
{
    union {
        const char *borrowed;
        char *owned;
    } block = {s.ptr};

    free(s.len > 0 ? block.owned : block.owned - 1);
}

static tusk_code decode(uint32_t type, uint16_t format, tusk_str bytes, tusk_value *out, tusk_error *err)
{
    memset(err, 0, sizeof *err);
    return tusk__value_decode(type, format, bytes, out, err);
}

static const tusk__codec *codec_of(uint32_t type)
{
    const tusk__codec *codec = tusk__codec_of(type);

    ck_assert_msg(codec != NULL, "no codec of %u", type);
    return codec;
}

/* The value's binary format, in b. */
static tusk_code encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    memset(err, 0, sizeof *err);
    tusk__writer_init(b, tusk_allocator_default());
    return codec_of(value->type)->encode(b, value, err);
}

static void assert_encodes_to(const tusk_value *value, tusk_str bytes, const char *what)
{
    tusk__writer b;
    tusk_error err;

    ck_assert_msg(encode(&b, value, &err) == TUSK_OK, "%s: %s", what, err.message);
    ck_assert_msg(tusk_str_equal(tusk_str_from(b.buf, b.len), bytes), "%s: other bytes", what);
    tusk__writer_clear(&b);
}

static void assert_prints(const tusk_value *value, const char *text)
{
    char *buf = malloc(strlen(text) + 1);

    ck_assert_uint_eq(codec_of(value->type)->print(value, buf, strlen(text) + 1), strlen(text));
    ck_assert_str_eq(buf, text);
    free(buf);
}

#define N_OF(array) (sizeof(array) / sizeof *(array))

static const uint32_t room_types[] = {TUSK_OID_BYTEA, TUSK_OID_NUMERIC, TUSK_OID_INET, TUSK_OID_CIDR,
                                      TUSK_OID_BIT,   TUSK_OID_VARBIT,  TUSK_OID_LINE, TUSK_OID_LSEG,
                                      TUSK_OID_BOX,   TUSK_OID_CIRCLE,  TUSK_OID_PATH, TUSK_OID_POLYGON};

/* ---- both formats -------------------------------------------------------------------------------------------------------------------- */

static void check_binary(uint32_t type, const char *text, const char *hex)
{
    tusk_str bytes = exact_hex(hex);
    tusk_value value;
    tusk_error err;

    ck_assert_msg(decode(type, 1, bytes, &value, &err) == TUSK_OK, "%.80s: %s", text, err.message);
    ck_assert_uint_eq(value.type, type);
    ck_assert_int_eq(value.kind, codec_of(type)->kind);
    assert_prints(&value, text);
    assert_encodes_to(&value, bytes, text);
    release(bytes);
}

static void check_text(uint32_t type, const char *text, const char *hex)
{
    tusk_str block = exact_text(text), bytes = exact_hex(hex);
    void *room = malloc(SAMPLE_ROOM);
    tusk_value value;
    tusk_error err = {0};

    ck_assert_msg(sample_from_text(type, block, room, &value, &err) == TUSK_OK, "%.80s: %s", text, err.message);
    ck_assert_uint_eq(value.type, type);
    assert_prints(&value, text);
    assert_encodes_to(&value, bytes, text);
    free(room);
    release(block);
    release(bytes);
}

START_TEST(binary_becomes_the_servers_text)
{
    check_binary(both_formats_cases[_i].type, both_formats_cases[_i].text, both_formats_cases[_i].hex);
}
END_TEST

START_TEST(text_becomes_the_servers_binary)
{
    check_text(both_formats_cases[_i].type, both_formats_cases[_i].text, both_formats_cases[_i].hex);
}
END_TEST

START_TEST(long_values_survive_both_ways)
{
    char *text = long_text(&long_values[_i]), *hex = long_hex(&long_values[_i]);

    ck_assert_uint_ge(strlen(text), 100000);
    check_binary(long_values[_i].type, text, hex);
    check_text(long_values[_i].type, text, hex);
    free(text);
    free(hex);
}
END_TEST

/* Their text is no view. */
START_TEST(what_needs_room_is_not_read_without_it)
{
    tusk_value value;
    tusk_error err;

    ck_assert_int_eq(decode(room_types[_i], 0, tusk_str_of("1"), &value, &err), TUSK_ERR_TYPE);
    ck_assert_ptr_nonnull(strstr(err.message, "_from_text()"));
}
END_TEST

static const struct {
    uint32_t type;
    const char *name;
} names[] = {
    {TUSK_OID_REGCLASS, "pg_class"}, {TUSK_OID_REGPROC, "pg_catalog.now"},         {TUSK_OID_REGROLE, "\"4\""},
    {TUSK_OID_REGOPER, "-"},         {TUSK_OID_REGOPERATOR, "+(integer,integer)"}, {TUSK_OID_REGTYPE, "integer[]"},
};

/* Nobody but the server knows whose it is. */
START_TEST(a_name_is_no_oid)
{
    tusk_value value;
    tusk_error err;

    ck_assert_int_eq(decode(names[_i].type, 0, tusk_str_of(names[_i].name), &value, &err), TUSK_ERR_TYPE);
    ck_assert_ptr_nonnull(strstr(err.message, "cast it to oid"));
    ck_assert_str_eq(err.sqlstate, "42804");
}
END_TEST

/* D6: each size that is too small says so and nothing is written behind it; the one that is not gives the value. */
START_TEST(a_text_is_read_into_as_much_room_as_it_takes)
{
    const both_formats *c = &both_formats_cases[_i];
    tusk_str text = exact_text(c->text);
    size_t need = strlen(c->hex) / 2;
    tusk_value value = {0};
    tusk_error err;

    for (size_t size = 0; codec_of(c->type)->read && size <= need; size++) {
        char *room = block_of(size);
        tusk_code code = tusk_value_from_text(c->type, text, room, size, &value, &err);

        ck_assert_msg(code == (size < need ? TUSK_ERR_LIMIT : TUSK_OK), "%s: %s", c->text, err.message);
        ck_assert_uint_eq(value.type, size < need ? 0 : c->type);
        if (size == need)
            assert_encodes_to(&value, tusk_str_from(room, need), c->text);
        release(tusk_str_from(room, size));
    }
    release(text);
}
END_TEST

/* snprintf's contract, at every size from 0 to one more than needed. */
START_TEST(printing_is_cut_and_says_the_whole_length)
{
    const both_formats *c = &both_formats_cases[_i];
    tusk_str bytes = exact_hex(c->hex);
    size_t len = strlen(c->text);
    tusk_value value;
    tusk_error err;

    ck_assert_int_eq(decode(c->type, 1, bytes, &value, &err), TUSK_OK);
    ck_assert_uint_eq(codec_of(c->type)->print(&value, NULL, 0), len);
    for (size_t size = 1; size <= len + 2; size++) {
        char *buf = malloc(size);
        size_t shown = size - 1 < len ? size - 1 : len;

        ck_assert_uint_eq(codec_of(c->type)->print(&value, buf, size), len);
        ck_assert_uint_eq(strlen(buf), shown);
        ck_assert(memcmp(buf, c->text, shown) == 0);
        free(buf);
    }
    release(bytes);
}
END_TEST

/* ---- enough samples ------------------------------------------------------------------------------------------------------------------ */

static const uint32_t all_types[] = {
    TUSK_OID_BOOL,         TUSK_OID_BYTEA,        TUSK_OID_NAME,          TUSK_OID_INT8,         TUSK_OID_INT2,
    TUSK_OID_INT4,         TUSK_OID_TEXT,         TUSK_OID_OID,           TUSK_OID_JSON,         TUSK_OID_FLOAT4,
    TUSK_OID_FLOAT8,       TUSK_OID_UNKNOWN,      TUSK_OID_BPCHAR,        TUSK_OID_VARCHAR,      TUSK_OID_DATE,
    TUSK_OID_TIMESTAMP,    TUSK_OID_UUID,         TUSK_OID_JSONB,         TUSK_OID_TIMESTAMPTZ,  TUSK_OID_NUMERIC,
    TUSK_OID_TIME,         TUSK_OID_TIMETZ,       TUSK_OID_INTERVAL,      TUSK_OID_MONEY,        TUSK_OID_XID,
    TUSK_OID_CID,          TUSK_OID_XID8,         TUSK_OID_PG_LSN,        TUSK_OID_XML,          TUSK_OID_REFCURSOR,
    TUSK_OID_MACADDR,      TUSK_OID_MACADDR8,     TUSK_OID_INET,          TUSK_OID_CIDR,         TUSK_OID_BIT,
    TUSK_OID_VARBIT,       TUSK_OID_POINT,        TUSK_OID_LINE,          TUSK_OID_LSEG,         TUSK_OID_BOX,
    TUSK_OID_CIRCLE,       TUSK_OID_PATH,         TUSK_OID_POLYGON,       TUSK_OID_CHAR,         TUSK_OID_TID,
    TUSK_OID_REGPROC,      TUSK_OID_REGPROCEDURE, TUSK_OID_REGOPER,       TUSK_OID_REGOPERATOR,  TUSK_OID_REGCLASS,
    TUSK_OID_REGTYPE,      TUSK_OID_REGCONFIG,    TUSK_OID_REGDICTIONARY, TUSK_OID_REGNAMESPACE, TUSK_OID_REGROLE,
    TUSK_OID_REGCOLLATION, TUSK_OID_JSONPATH,     TUSK_OID_PG_NODE_TREE,  TUSK_OID_CSTRING,      TUSK_OID_VOID};
#define N_TYPES (sizeof all_types / sizeof *all_types)
#define SAMPLES_MIN 8

static size_t n_values(uint32_t type)
{
    size_t n = 0;

    for (size_t i = 0; i < N_OF(both_formats_cases); i++) {
        bool is_new = both_formats_cases[i].type == type;

        for (size_t j = 0; j < i && is_new; j++)
            is_new = both_formats_cases[j].type != type ||
                     strcmp(both_formats_cases[j].text, both_formats_cases[i].text) != 0;
        n += is_new;
    }
    return n;
}

static size_t n_beyond(uint32_t type)
{
    size_t n = 0;

    for (size_t i = 0; i < N_OF(beyond_values); i++)
        n += beyond_values[i].type == type;
    return n;
}

static size_t n_long(uint32_t type)
{
    size_t n = 0;

    for (size_t i = 0; i < N_OF(long_values); i++)
        n += long_values[i].type == type;
    return n;
}

/* Of no fixed width, but never long. */
static bool is_short(uint32_t type)
{
    return type == TUSK_OID_NAME || type == TUSK_OID_INET || type == TUSK_OID_CIDR;
}

/* Their values are the server's alone to make: no column and no parameter is of type unknown, no parameter of the others. */
static bool is_output_alone(uint32_t type)
{
    return type == TUSK_OID_UNKNOWN || type == TUSK_OID_PG_NODE_TREE || type == TUSK_OID_CSTRING ||
           type == TUSK_OID_VOID;
}

/* One more is NULL: every codec is asked for it (codec_live_test). Nothing lies beyond "char": the server takes a text's first byte. */
START_TEST(each_type_has_its_samples)
{
    const tusk__codec *codec = codec_of(all_types[_i]);
    size_t n = n_values(codec->type) + n_beyond(codec->type) + n_long(codec->type) + 1;

    if (is_output_alone(codec->type))
        return;
    ck_assert_msg(n >= SAMPLES_MIN, "%s has %zu samples", codec->name, n);
    ck_assert_msg(n_beyond(codec->type) >= 2 || codec->type == TUSK_OID_CHAR, "%s has %zu samples beyond its ends",
                  codec->name, n_beyond(codec->type));
    if (codec->width < 0 && !is_short(codec->type))
        ck_assert_msg(n_long(codec->type) >= 1, "%s has no long sample", codec->name);
}
END_TEST

/* ---- what is refused ----------------------------------------------------------------------------------------------------------------- */

typedef struct refused {
    uint32_t type;
    const char *bytes; /* text, or hex if binary */
    const char *sqlstate;
} refused;

/* clang-format off */
static const refused refused_text[] = {
    {TUSK_OID_BOOL, "", "22P02"}, {TUSK_OID_BOOL, "true", "22P02"}, {TUSK_OID_BOOL, "1", "22P02"}, {TUSK_OID_BOOL, "T", "22P02"},
    {TUSK_OID_INT2, "", "22P02"}, {TUSK_OID_INT2, "-", "22P02"}, {TUSK_OID_INT2, "32768", "22003"},
    {TUSK_OID_INT2, "-32769", "22003"}, {TUSK_OID_INT2, " 1", "22P02"}, {TUSK_OID_INT2, "1 ", "22P02"},
    {TUSK_OID_INT2, "+1", "22P02"}, {TUSK_OID_INT2, "1e3", "22P02"}, {TUSK_OID_INT2, "0x1", "22P02"},
    {TUSK_OID_INT4, "2147483648", "22003"}, {TUSK_OID_INT4, "-2147483649", "22003"}, {TUSK_OID_INT4, "--1", "22P02"},
    {TUSK_OID_INT8, "9223372036854775808", "22P02"}, {TUSK_OID_INT8, "-9223372036854775809", "22P02"},
    {TUSK_OID_INT8, "99999999999999999999999", "22P02"},
    {TUSK_OID_OID, "-1", "22003"}, {TUSK_OID_OID, "4294967296", "22003"},
    {TUSK_OID_UUID, "", "22P02"}, {TUSK_OID_UUID, "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f", "22P02"},
    {TUSK_OID_UUID, "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f00", "22P02"},
    {TUSK_OID_UUID, "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1fg", "22P02"},
    {TUSK_OID_UUID, "0f1e2d3c04b5a-6978-8796-a5b4c3d2e1f0", "22P02"},
    {TUSK_OID_UUID, "0f1e2d3c4b5a69788796a5b4c3d2e1f00000", "22P02"},
    {TUSK_OID_FLOAT8, "", "22P02"}, {TUSK_OID_FLOAT8, "-", "22P02"}, {TUSK_OID_FLOAT8, ".", "22P02"},
    {TUSK_OID_FLOAT8, "1e", "22P02"}, {TUSK_OID_FLOAT8, "1e+", "22P02"}, {TUSK_OID_FLOAT8, "e5", "22P02"},
    {TUSK_OID_FLOAT8, "1.2.3", "22P02"}, {TUSK_OID_FLOAT8, "1,5", "22P02"}, {TUSK_OID_FLOAT8, "0x10", "22P02"},
    {TUSK_OID_FLOAT8, "nan(1)", "22P02"}, {TUSK_OID_FLOAT8, "inf", "22P02"}, {TUSK_OID_FLOAT8, " 1", "22P02"},
    {TUSK_OID_FLOAT8, "1e5 ", "22P02"}, {TUSK_OID_FLOAT8, "-NaN", "22P02"},
    {TUSK_OID_FLOAT8, "1.8e308", "22003"}, {TUSK_OID_FLOAT8, "1e-400", "22003"}, {TUSK_OID_FLOAT8, "1e99999999999999999999", "22003"},
    {TUSK_OID_FLOAT8, "1e-99999999999999999999", "22003"},
    {TUSK_OID_FLOAT4, "3.5e38", "22003"}, {TUSK_OID_FLOAT4, "-1e-46", "22003"}, {TUSK_OID_FLOAT4, "x", "22P02"},
    {TUSK_OID_DATE, "", "22P02"}, {TUSK_OID_DATE, "2024-02-30", "22P02"}, {TUSK_OID_DATE, "2023-02-29", "22P02"},
    {TUSK_OID_DATE, "1900-02-29", "22P02"}, {TUSK_OID_DATE, "2024-00-01", "22P02"}, {TUSK_OID_DATE, "2024-13-01", "22P02"},
    {TUSK_OID_DATE, "2024-01-00", "22P02"}, {TUSK_OID_DATE, "0000-01-01", "22P02"}, {TUSK_OID_DATE, "2024-1-1", "22P02"},
    {TUSK_OID_DATE, "2024-01-01 AD", "22P02"}, {TUSK_OID_DATE, "2024-01-01BC", "22P02"}, {TUSK_OID_DATE, "01/02/2024", "22P02"},
    {TUSK_OID_DATE, "-2024-01-01", "22P02"}, {TUSK_OID_DATE, "Infinity", "22P02"}, {TUSK_OID_DATE, "+infinity", "22P02"},
    {TUSK_OID_DATE, "4714-11-23 BC", "22008"}, {TUSK_OID_DATE, "5874898-01-01", "22008"}, {TUSK_OID_DATE, "99999999-01-01", "22P02"},
    {TUSK_OID_TIMESTAMP, "", "22P02"}, {TUSK_OID_TIMESTAMP, "2024-01-01", "22P02"},
    {TUSK_OID_TIMESTAMP, "2024-01-01T00:00:00", "22P02"}, {TUSK_OID_TIMESTAMP, "2024-01-01 24:00:00", "22P02"},
    {TUSK_OID_TIMESTAMP, "2024-01-01 00:60:00", "22P02"}, {TUSK_OID_TIMESTAMP, "2024-01-01 00:00:60", "22P02"},
    {TUSK_OID_TIMESTAMP, "2024-01-01 00:00:00.", "22P02"}, {TUSK_OID_TIMESTAMP, "2024-01-01 00:00:00.1234567", "22P02"},
    {TUSK_OID_TIMESTAMP, "2024-01-01 00:00:00+00", "22P02"}, {TUSK_OID_TIMESTAMP, "4714-11-23 23:59:59.999999 BC", "22008"},
    {TUSK_OID_TIMESTAMP, "294277-01-01 00:00:00", "22008"}, {TUSK_OID_TIMESTAMP, "5874897-01-01 00:00:00", "22008"},
    {TUSK_OID_TIMESTAMP, "5874897-01-01 00:00:00 BC", "22008"},
    {TUSK_OID_TIMESTAMPTZ, "2024-01-01 00:00:00", "22P02"}, {TUSK_OID_TIMESTAMPTZ, "2024-01-01 00:00:00+16", "22P02"},
    {TUSK_OID_TIMESTAMPTZ, "2024-01-01 00:00:00+1", "22P02"}, {TUSK_OID_TIMESTAMPTZ, "2024-01-01 00:00:00+01:60", "22P02"},
    {TUSK_OID_TIMESTAMPTZ, "2024-01-01 00:00:00+01:00:60", "22P02"}, {TUSK_OID_TIMESTAMPTZ, "2024-01-01 00:00:00 UTC", "22P02"},
    {TUSK_OID_TIMESTAMPTZ, "2024-01-01 00:00:00+01:", "22P02"}, {TUSK_OID_TIMESTAMPTZ, "4714-11-24 00:00:00+00:00:01 BC", "22008"},
    {TUSK_OID_TIMESTAMPTZ, "294276-12-31 23:59:59.999999-00:00:01", "22008"},
    {TUSK_OID_TIME, "", "22P02"}, {TUSK_OID_TIME, "00:00", "22P02"}, {TUSK_OID_TIME, "24:00:00.5", "22P02"},
    {TUSK_OID_TIME, "24:00:01", "22P02"}, {TUSK_OID_TIME, "00:00:00+00", "22P02"}, {TUSK_OID_TIME, "00:00:60", "22P02"},
    {TUSK_OID_TIMETZ, "00:00:00", "22P02"}, {TUSK_OID_TIMETZ, "00:00:00+16", "22P02"}, {TUSK_OID_TIMETZ, "00:00:00+00:00:60", "22P02"},
    {TUSK_OID_TIMETZ, "00:00:00+01 ", "22P02"}, {TUSK_OID_TIMETZ, "00:00:00 UTC", "22P02"},
    {TUSK_OID_INTERVAL, "", "22P02"}, {TUSK_OID_INTERVAL, "1", "22P02"}, {TUSK_OID_INTERVAL, "1 day ", "22P02"},
    {TUSK_OID_INTERVAL, "1 day 1 year", "22P02"}, {TUSK_OID_INTERVAL, "1 day 2 days", "22P02"}, {TUSK_OID_INTERVAL, "1 dayss", "22P02"},
    {TUSK_OID_INTERVAL, "1 week", "22P02"}, {TUSK_OID_INTERVAL, "00:00", "22P02"}, {TUSK_OID_INTERVAL, "00:60:00", "22P02"},
    {TUSK_OID_INTERVAL, "00:00:00 1 day", "22P02"}, {TUSK_OID_INTERVAL, "--1 day", "22P02"}, {TUSK_OID_INTERVAL, "@ 1 day", "22P02"},
    {TUSK_OID_INTERVAL, "+infinity", "22P02"}, {TUSK_OID_INTERVAL, "P", "22P02"}, {TUSK_OID_INTERVAL, "PT", "22P02"},
    {TUSK_OID_INTERVAL, "P1", "22P02"}, {TUSK_OID_INTERVAL, "P1YT", "22P02"}, {TUSK_OID_INTERVAL, "P1D1Y", "22P02"},
    {TUSK_OID_INTERVAL, "P1S", "22P02"}, {TUSK_OID_INTERVAL, "PT1Y", "22P02"}, {TUSK_OID_INTERVAL, "P1.5Y", "22P02"},
    {TUSK_OID_INTERVAL, "PT1.1234567S", "22P02"}, {TUSK_OID_INTERVAL, "PT1MT1S", "22P02"},
    {TUSK_OID_INTERVAL, "178956970 years 8 mons", "22008"}, {TUSK_OID_INTERVAL, "99999999999999999999 days", "22008"},
    {TUSK_OID_INTERVAL, "1000000000000000000 years", "22008"}, {TUSK_OID_INTERVAL, "PT-9223372036855S", "22008"},
    {TUSK_OID_INTERVAL, "P306783379W", "22008"},
    {TUSK_OID_MONEY, "", "22P02"}, {TUSK_OID_MONEY, "$", "22P02"}, {TUSK_OID_MONEY, "1.00", "22P02"}, {TUSK_OID_MONEY, "$1", "22P02"},
    {TUSK_OID_MONEY, "$1000.00", "22P02"}, {TUSK_OID_MONEY, "$1,00.00", "22P02"}, {TUSK_OID_MONEY, "$1.000", "22P02"},
    {TUSK_OID_MONEY, "$,000.00", "22P02"}, {TUSK_OID_MONEY, "1.00 €", "22P02"}, {TUSK_OID_MONEY, "($1.00)", "22P02"},
    {TUSK_OID_MONEY, "$92,233,720,368,547,758.08", "22P02"}, {TUSK_OID_MONEY, "$999,999,999,999,999,999,999.00", "22P02"},
    {TUSK_OID_XID, "", "22P02"}, {TUSK_OID_XID, "-1", "22P02"}, {TUSK_OID_XID, "4294967296", "22P02"}, {TUSK_OID_CID, "1 ", "22P02"},
    {TUSK_OID_XID8, "", "22P02"}, {TUSK_OID_XID8, "18446744073709551616", "22P02"}, {TUSK_OID_XID8, "99999999999999999999", "22P02"},
    {TUSK_OID_PG_LSN, "", "22P02"}, {TUSK_OID_PG_LSN, "0/", "22P02"}, {TUSK_OID_PG_LSN, "/0", "22P02"},
    {TUSK_OID_PG_LSN, "000000000/0", "22P02"}, {TUSK_OID_PG_LSN, "0/000000000", "22P02"}, {TUSK_OID_PG_LSN, "0/0 ", "22P02"},
    {TUSK_OID_PG_LSN, "0/G", "22P02"}, {TUSK_OID_PG_LSN, "00", "22P02"},
    {TUSK_OID_MACADDR, "", "22P02"}, {TUSK_OID_MACADDR, "08002b010203", "22P02"}, {TUSK_OID_MACADDR, "08-00-2b-01-02-03", "22P02"},
    {TUSK_OID_MACADDR, "8:0:2b:1:2:3", "22P02"}, {TUSK_OID_MACADDR, "08:00:2b:01:02:03:", "22P02"}, {TUSK_OID_MACADDR, "08:00:2b:01:02:0", "22P02"},
    {TUSK_OID_MACADDR8, "", "22P02"}, {TUSK_OID_MACADDR8, "08:00:2b:01:02:03", "22P02"}, {TUSK_OID_MACADDR8, "08:00:2b:01:02:03:04:05 ", "22P02"},
    {TUSK_OID_MACADDR8, "08002b0102030405", "22P02"},
    {TUSK_OID_INET, "", "22P02"}, {TUSK_OID_INET, "1.2.3", "22P02"}, {TUSK_OID_INET, "1.2.3.4/", "22P02"}, {TUSK_OID_INET, "1.2.3.4/033", "22P02"},
    {TUSK_OID_INET, "01.2.3.4", "22P02"}, {TUSK_OID_INET, "1.2.3.4 ", "22P02"}, {TUSK_OID_INET, "1.2..4", "22P02"}, {TUSK_OID_INET, "1.2.3.-4", "22P02"},
    {TUSK_OID_INET, "1.2.3.4/-1", "22P02"}, {TUSK_OID_INET, ":", "22P02"}, {TUSK_OID_INET, ":::", "22P02"}, {TUSK_OID_INET, "1:2:3:4:5:6:7", "22P02"},
    {TUSK_OID_INET, "1:2:3:4:5:6:7::8", "22P02"}, {TUSK_OID_INET, "1:2:3:4:5:6:7:", "22P02"}, {TUSK_OID_INET, "1:2:3:4:5:6:7:1.2.3.4", "22P02"},
    {TUSK_OID_INET, "::1.2.3", "22P02"}, {TUSK_OID_INET, "::1.2.3.4:5", "22P02"}, {TUSK_OID_INET, "1:", "22P02"}, {TUSK_OID_INET, "::1:", "22P02"},
    {TUSK_OID_INET, "1:2:3:4:5:6:1.2.3.4:7", "22P02"}, {TUSK_OID_INET, "::1/12x", "22P02"}, {TUSK_OID_INET, "fe80::1%eth0", "22P02"},
    {TUSK_OID_POINT, "", "22P02"}, {TUSK_OID_POINT, "1,2", "22P02"}, {TUSK_OID_POINT, "(1,2) ", "22P02"}, {TUSK_OID_POINT, "( 1,2)", "22P02"},
    {TUSK_OID_POINT, "(1,)", "22P02"}, {TUSK_OID_POINT, "(,2)", "22P02"}, {TUSK_OID_POINT, "[1,2]", "22P02"},
    {TUSK_OID_LINE, "", "22P02"}, {TUSK_OID_LINE, "[(0,0),(1,1)]", "22P02"}, {TUSK_OID_LINE, "{1,2,3,4}", "22P02"}, {TUSK_OID_LINE, "{1,2,3", "22P02"},
    {TUSK_OID_LSEG, "(1,2),(3,4)", "22P02"}, {TUSK_OID_LSEG, "[(1,2),(3,4)],", "22P02"}, {TUSK_OID_LSEG, "[(1,2)(3,4)]", "22P02"},
    {TUSK_OID_BOX, "((1,2),(3,4))", "22P02"}, {TUSK_OID_BOX, "(1,2),(3,4),", "22P02"}, {TUSK_OID_BOX, "1,2,3,4", "22P02"},
    {TUSK_OID_CIRCLE, "((0,0),1)", "22P02"}, {TUSK_OID_CIRCLE, "<(0,0),-Infinity>", "22P02"}, {TUSK_OID_CIRCLE, "<0,0,1>", "22P02"},
    {TUSK_OID_PATH, "", "22P02"}, {TUSK_OID_PATH, "(1,2),(3,4)", "22P02"}, {TUSK_OID_PATH, "[(1,2)),", "22P02"}, {TUSK_OID_PATH, "[(1,2),]", "22P02"},
    {TUSK_OID_PATH, "((1,2)]", "22P02"}, {TUSK_OID_PATH, "[(1,2)]]", "22P02"}, {TUSK_OID_PATH, "[", "22P02"},
    {TUSK_OID_POLYGON, "", "22P02"}, {TUSK_OID_POLYGON, "(1,2)", "22P02"}, {TUSK_OID_POLYGON, "((1,2),", "22P02"}, {TUSK_OID_POLYGON, "((1,2)(3,4))", "22P02"},
    {TUSK_OID_CHAR, "ab", "22P02"}, {TUSK_OID_CHAR, "\\400", "22P02"}, {TUSK_OID_CHAR, "\\080", "22P02"}, {TUSK_OID_CHAR, "\\008", "22P02"},
    {TUSK_OID_CHAR, "/101", "22P02"}, {TUSK_OID_CHAR, "\\1011", "22P02"}, {TUSK_OID_CHAR, "ü", "22P02"},
    {TUSK_OID_TID, "", "22P02"}, {TUSK_OID_TID, "(0,)", "22P02"}, {TUSK_OID_TID, "(,0)", "22P02"}, {TUSK_OID_TID, "(-1,0)", "22P02"},
    {TUSK_OID_TID, "(0,0) ", "22P02"}, {TUSK_OID_TID, "(99999999999999999999999,0)", "22P02"}, {TUSK_OID_TID, "(0.0)", "22P02"},
    {TUSK_OID_REGCLASS, "", "22P02"}, {TUSK_OID_REGCLASS, "1a", "22P02"}, {TUSK_OID_REGPROC, "99999999999999999999999", "22P02"},
    {TUSK_OID_REGOPER, "4294967296", "22P02"},
    {TUSK_OID_CIDR, "", "22P02"}, {TUSK_OID_CIDR, "10/8", "22P02"}, {TUSK_OID_CIDR, "::1/0", "22P02"},
    {TUSK_OID_BIT, "x", "22P02"}, {TUSK_OID_BIT, " 1", "22P02"}, {TUSK_OID_VARBIT, "x1F", "22P02"},
};

static const refused refused_binary[] = {
    {TUSK_OID_BOOL, "02", "22P03"}, {TUSK_OID_BOOL, "ff", "22P03"},
    {TUSK_OID_DATE, "ffda97a6", "22008"}, /* 4714-11-23 BC */
    {TUSK_OID_DATE, "7fda970d", "22008"}, /* 5874898-01-01 */
    {TUSK_OID_DATE, "7ffffffe", "22008"}, {TUSK_OID_DATE, "80000001", "22008"},
    {TUSK_OID_TIMESTAMP, "fd0f7cc1411f9fff", "22008"}, {TUSK_OID_TIMESTAMP, "7ffffffffffffffe", "22008"},
    {TUSK_OID_TIMESTAMPTZ, "8000000000000001", "22008"}, {TUSK_OID_TIMESTAMPTZ, "7fffff5bb3b2a000", "22008"},
    {TUSK_OID_NUMERIC, "", "22P03"}, {TUSK_OID_NUMERIC, "00000000000000", "22P03"}, /* cut */
    {TUSK_OID_NUMERIC, "0001000000000000", "22P03"}, {TUSK_OID_NUMERIC, "00000000000000000001", "22P03"}, /* of other length */
    {TUSK_OID_NUMERIC, "ffff00000000000000010001", "22P03"},
    {TUSK_OID_NUMERIC, "00010000000000002710", "22P03"}, {TUSK_OID_NUMERIC, "0001000000000000ffff", "22P03"}, /* 10000 */
    {TUSK_OID_NUMERIC, "0000000080000000", "22P03"}, {TUSK_OID_NUMERIC, "00010000c00000000001", "22P03"}, /* signs */
    {TUSK_OID_NUMERIC, "0000000000004000", "22P03"}, /* 16384 decimals */
    {TUSK_OID_NUMERIC, "0001ffff000000030001", "22P03"}, {TUSK_OID_NUMERIC, "0001ffff000000000bb8", "22P03"}, /* hidden */
    {TUSK_OID_TIME, "ffffffffffffffff", "22008"}, {TUSK_OID_TIME, "000000141dd76001", "22008"},
    {TUSK_OID_TIMETZ, "000000141dd7600100000000", "22008"}, {TUSK_OID_TIMETZ, "80000000000000000000e100", "22008"},
    {TUSK_OID_TIMETZ, "00000000000000000000e100", "22009"}, {TUSK_OID_TIMETZ, "0000000000000000ffff1f00", "22009"},
    {TUSK_OID_TIMETZ, "000000000000000080000000", "22009"}, {TUSK_OID_TIMETZ, "00000000000000007fffffff", "22009"},
    {TUSK_OID_INET, "", "22P03"}, {TUSK_OID_INET, "022000", "22P03"}, {TUSK_OID_INET, "02200004", "22P03"}, /* cut */
    {TUSK_OID_INET, "0120000400000000", "22P03"}, {TUSK_OID_INET, "0a20000400000000", "22P03"}, /* families */
    {TUSK_OID_INET, "0221000400000000", "22P03"}, {TUSK_OID_INET, "02ff000400000000", "22P03"}, /* bits */
    {TUSK_OID_INET, "0381001000000000000000000000000000000001", "22P03"},
    {TUSK_OID_INET, "0220000300000000", "22P03"}, {TUSK_OID_INET, "0220001000000000000000000000000000000000", "22P03"}, /* lengths */
    {TUSK_OID_INET, "0320000400000000", "22P03"}, {TUSK_OID_INET, "022000040000000000", "22P03"}, {TUSK_OID_INET, "02200004000000", "22P03"},
    {TUSK_OID_INET, "0220010400000000", "22P03"}, {TUSK_OID_INET, "0220020400000000", "22P03"}, {TUSK_OID_CIDR, "0220000400000000", "22P03"}, /* the other */
    {TUSK_OID_CIDR, "0218010400000001", "22P03"}, {TUSK_OID_CIDR, "0200010480000000", "22P03"}, /* a host */
    {TUSK_OID_BIT, "", "22P03"}, {TUSK_OID_BIT, "000000", "22P03"}, {TUSK_OID_BIT, "00000001", "22P03"}, {TUSK_OID_BIT, "000000018000", "22P03"},
    {TUSK_OID_BIT, "0000000000", "22P03"}, {TUSK_OID_BIT, "0000000140", "22P03"}, {TUSK_OID_BIT, "00000007ff", "22P03"}, /* padding */
    {TUSK_OID_VARBIT, "ffffffff", "22P03"}, {TUSK_OID_VARBIT, "7ffffff9", "22P03"}, {TUSK_OID_VARBIT, "7ffffff8ff", "22P03"},
    {TUSK_OID_VARBIT, "00000009ffff", "22P03"},
    {TUSK_OID_LINE, "000000000000000000000000000000003ff0000000000000", "22P03"}, {TUSK_OID_LINE, "3eb0c6f7a0b5ed8dbeb0c6f7a0b5ed8d0000000000000000", "22P03"},
    {TUSK_OID_CIRCLE, "00000000000000000000000000000000bff0000000000000", "22P03"}, {TUSK_OID_CIRCLE, "000000000000000000000000000000008000000000000001", "22P03"},
    {TUSK_OID_PATH, "", "22P03"}, {TUSK_OID_PATH, "00000000", "22P03"}, {TUSK_OID_PATH, "0000000000", "22P03"}, /* cut, no points */
    {TUSK_OID_PATH, "020000000100000000000000000000000000000000", "22P03"}, {TUSK_OID_PATH, "ff0000000100000000000000000000000000000000", "22P03"},
    {TUSK_OID_PATH, "000000000200000000000000000000000000000000", "22P03"}, {TUSK_OID_PATH, "00000000010000000000000000000000000000000000", "22P03"},
    {TUSK_OID_PATH, "0000000001000000000000000000000000000000", "22P03"}, {TUSK_OID_PATH, "00ffffffff00000000000000000000000000000000", "22P03"},
    {TUSK_OID_PATH, "001000000100000000000000000000000000000000", "22P03"}, /* its 16 bytes wrap 32 bits */
    {TUSK_OID_POLYGON, "", "22P03"}, {TUSK_OID_POLYGON, "000000", "22P03"}, {TUSK_OID_POLYGON, "00000000", "22P03"}, {TUSK_OID_POLYGON, "00000001", "22P03"},
    {TUSK_OID_POLYGON, "0000000200000000000000000000000000000000", "22P03"}, {TUSK_OID_POLYGON, "1000000100000000000000000000000000000000", "22P03"},
    {TUSK_OID_POLYGON, "000000010000000000000000000000000000000000", "22P03"},
    {TUSK_OID_JSONPATH, "", "22P03"}, {TUSK_OID_JSONPATH, "0224", "22P03"},
    {TUSK_OID_JSONB, "", "22P03"}, {TUSK_OID_JSONB, "00", "22P03"}, {TUSK_OID_JSONB, "027b7d", "22P03"},
};
/* clang-format on */

static void assert_refused(const refused *c, uint16_t format, tusk_str bytes)
{
    static char room[256];
    tusk_value value;
    tusk_error err;
    tusk_code code = format ? decode(c->type, format, bytes, &value, &err)
                            : tusk_value_from_text(c->type, bytes, room, sizeof room, &value, &err);

    ck_assert_msg(code == TUSK_ERR_VALUE, "%s is accepted", c->bytes);
    ck_assert_str_eq(err.sqlstate, c->sqlstate);
    ck_assert_str_ne(err.message, "");
    code = format ? tusk__value_decode(c->type, format, bytes, &value, NULL)
                  : tusk_value_from_text(c->type, bytes, room, sizeof room, &value, NULL);
    ck_assert_int_eq(code, TUSK_ERR_VALUE);
    release(bytes);
}

START_TEST(text_that_postgresql_does_not_print_is_refused)
{
    assert_refused(&refused_text[_i], 0, exact_text(refused_text[_i].bytes));
}
END_TEST

START_TEST(binary_outside_the_type_is_refused)
{
    assert_refused(&refused_binary[_i], 1, exact_hex(refused_binary[_i].bytes));
}
END_TEST

/* Reading refuses it, or sending does (text is not looked at on its way in). */
START_TEST(what_lies_beyond_a_type_is_refused)
{
    const beyond *c = &beyond_values[_i];
    tusk_str text = exact_text(c->text);
    void *room = malloc(SAMPLE_ROOM);
    tusk_value value;
    tusk_error err = {0};
    tusk__writer b;
    tusk_code code = sample_from_text(c->type, text, room, &value, &err);

    if (code == TUSK_OK) {
        code = encode(&b, &value, &err);
        tusk__writer_clear(&b);
    }
    ck_assert_msg(code == TUSK_ERR_VALUE, "%s %s is accepted", codec_of(c->type)->name, c->text);
    ck_assert_str_ne(err.message, "");
    free(room);
    release(text);
}
END_TEST

/* Are so many zeros a value? Of a type that is its binary format only a header without digits, bits …, if that is one. */
static bool zeros_are_one(const tusk__codec *codec, size_t len)
{
    switch (codec->type) {
    case TUSK_OID_NUMERIC:
        return len == 8;
    case TUSK_OID_BIT:
    case TUSK_OID_VARBIT:
        return len == 4;
    case TUSK_OID_INET:
    case TUSK_OID_CIDR:
    case TUSK_OID_LINE:
    case TUSK_OID_PATH:
    case TUSK_OID_POLYGON:
    case TUSK_OID_JSONB: /* its version is not 0 */
    case TUSK_OID_JSONPATH:
        return false;
    default:
        return codec->width < 0 || len == (size_t)codec->width;
    }
}

/* D3: a one-byte int8 must not be read as eight. */
START_TEST(d3_fixed_width_codecs_check_their_width)
{
    const tusk__codec *codec = codec_of(all_types[_i]);
    size_t most = codec->width > 0 ? 2 * (size_t)codec->width : 40;
    char zeros[64] = {0};

    for (size_t len = 0; len <= most; len++) {
        tusk_str bytes = exact(zeros, len);
        bool fits = zeros_are_one(codec, len);
        tusk_value value;
        tusk_error err;
        tusk_code code = decode(codec->type, 1, bytes, &value, &err);

        ck_assert_msg(code == (fits ? TUSK_OK : TUSK_ERR_VALUE), "%s of %zu bytes: %s", codec->name, len, err.message);
        if (!fits)
            ck_assert_str_eq(err.sqlstate, "22P03");
        release(bytes);
    }
}
END_TEST

/* D10: no codec counts on a byte behind its text, or on a prefix. Every beginning of every text, and each byte replaced. */
START_TEST(d10_text_decoders_stay_inside_their_bytes)
{
    const both_formats *c = &both_formats_cases[_i];
    size_t whole = strlen(c->text);
    char *room = malloc(SAMPLE_ROOM);

    for (size_t len = 0; len <= whole; len++) {
        for (unsigned byte = 0; byte < 256; byte += 5) {
            tusk_str text = exact(c->text, len);
            union {
                const char *borrowed;
                char *owned;
            } block = {text.ptr};
            tusk_value value;
            tusk_error err;
            tusk_code code;

            if (len > 0)
                block.owned[len - 1] = (char)byte;
            code = tusk_value_from_text(c->type, text, room, SAMPLE_ROOM, &value, &err);
            ck_assert(code == TUSK_OK || code == TUSK_ERR_VALUE || (code == TUSK_ERR_TYPE && tusk__is_reg(c->type)));
            release(text);
        }
    }
    free(room);
}
END_TEST

/* ---- the table ----------------------------------------------------------------------------------------------------------------------- */

START_TEST(each_codec_is_found_by_its_own_oid_and_only_by_it)
{
    size_t n = 0;

    for (uint32_t oid = 0; oid < 70000; oid++) {
        const tusk__codec *codec = tusk__codec_of(oid);

        if (!codec || tusk__is_array(codec)) /* array_test */
            continue;
        n++;
        ck_assert_uint_eq(codec->type, oid);
        ck_assert_str_eq(codec->name, tusk__type_name(oid));
        ck_assert(codec->binary_output && tusk__type_has_send(oid));
        ck_assert(codec->decode && codec->parse && codec->encode && codec->print);
    }
    ck_assert_uint_eq(n, N_TYPES);
    ck_assert_ptr_null(tusk__codec_of(UINT32_MAX));
}
END_TEST

START_TEST(the_catalogue_knows_names_and_send_functions)
{
    char label[TUSK__TYPE_LABEL_SIZE];

    ck_assert_str_eq(tusk__type_name(TUSK_OID_INT4_ARRAY), "_int4");
    ck_assert_str_eq(tusk__type_name(TUSK_OID_TSMULTIRANGE), "tsmultirange");
    ck_assert_ptr_null(tusk__type_name(0));
    ck_assert_ptr_null(tusk__type_name(16402));
    ck_assert_str_eq(tusk__type_label(TUSK_OID_BOOL, label), "bool");
    ck_assert_str_eq(tusk__type_label(16402, label), "type 16402");
    ck_assert(tusk__type_has_send(TUSK_OID_NUMERIC));
    ck_assert(tusk__type_has_send(TUSK_OID_INT4_ARRAY));
    ck_assert(tusk__type_has_send(16402)); /* unknown: asked for, and learned */
    ck_assert(!tusk__type_has_send(TUSK_OID_ACLITEM));
    ck_assert(!tusk__type_has_send(TUSK_OID_ACLITEM_ARRAY)); /* has array_send, but its element cannot be sent */
    ck_assert(!tusk__type_has_send(TUSK_OID_GTSVECTOR));
}
END_TEST

START_TEST(a_type_without_codec_stays_raw)
{
    tusk_value value;
    tusk_error err;

    ck_assert_int_eq(decode(TUSK_OID_PG_MCV_LIST, 1, tusk_str_of("\1\2"), &value, &err), TUSK_OK);
    ck_assert_int_eq(value.kind, TUSK_KIND_RAW);
    ck_assert_uint_eq(value.type, TUSK_OID_PG_MCV_LIST);
    ck_assert_uint_eq(value.as.bytes.len, 2);
    ck_assert_int_eq(decode(16402, 0, tusk_str_of("(1,2)"), &value, &err), TUSK_OK);
    ck_assert_int_eq(value.kind, TUSK_KIND_TEXT);
    ck_assert(tusk_str_is(value.as.bytes, "(1,2)"));
}
END_TEST

/* ---- encode checks ------------------------------------------------------------------------------------------------------------------- */

static const struct {
    uint32_t type;
    int64_t n;
    bool fits;
} encoded_integers[] = {
    {TUSK_OID_CHAR, 255, true},
    {TUSK_OID_CHAR, 256, false},
    {TUSK_OID_CHAR, -1, false},
    {TUSK_OID_REGCLASS, UINT32_MAX, true},
    {TUSK_OID_REGCLASS, INT64_C(4294967296), false},
    {TUSK_OID_REGCLASS, -1, false},
    {TUSK_OID_INT2, INT16_MAX, true},
    {TUSK_OID_INT2, INT16_MAX + 1, false},
    {TUSK_OID_INT2, INT16_MIN, true},
    {TUSK_OID_INT2, INT16_MIN - 1, false},
    {TUSK_OID_INT4, INT32_MAX, true},
    {TUSK_OID_INT4, INT64_C(2147483648), false},
    {TUSK_OID_INT4, INT32_MIN, true},
    {TUSK_OID_INT4, INT64_C(-2147483649), false},
    {TUSK_OID_OID, UINT32_MAX, true},
    {TUSK_OID_OID, INT64_C(4294967296), false},
    {TUSK_OID_OID, -1, false},
    {TUSK_OID_XID, UINT32_MAX, true},
    {TUSK_OID_XID, INT64_C(4294967296), false},
    {TUSK_OID_CID, -1, false},
    {TUSK_OID_DATE, TUSK__DATE_MIN, true},
    {TUSK_OID_DATE, TUSK__DATE_MIN - 1, false},
    {TUSK_OID_DATE, TUSK__DATE_END - 1, true},
    {TUSK_OID_DATE, TUSK__DATE_END, false},
    {TUSK_OID_DATE, TUSK_DATE_INFINITY, true},
    {TUSK_OID_DATE, TUSK_DATE_MINUS_INFINITY, true},
    {TUSK_OID_TIME, 0, true},
    {TUSK_OID_TIME, -1, false},
    {TUSK_OID_TIME, TUSK__US_PER_DAY, true},
    {TUSK_OID_TIME, TUSK__US_PER_DAY + 1, false},
    {TUSK_OID_TIMESTAMP, TUSK__TIMESTAMP_MIN, true},
    {TUSK_OID_TIMESTAMP, TUSK__TIMESTAMP_MIN - 1, false},
    {TUSK_OID_TIMESTAMPTZ, TUSK__TIMESTAMP_END - 1, true},
    {TUSK_OID_TIMESTAMPTZ, TUSK__TIMESTAMP_END, false},
    {TUSK_OID_TIMESTAMPTZ, TUSK_TIMESTAMP_INFINITY, true},
    {TUSK_OID_TIMESTAMP, TUSK_TIMESTAMP_MINUS_INFINITY, true},
};

START_TEST(integers_beyond_their_type_are_not_encoded)
{
    tusk_value value = tusk__int_of(encoded_integers[_i].type, encoded_integers[_i].n);
    tusk__writer b;
    tusk_error err;

    ck_assert_int_eq(encode(&b, &value, &err), encoded_integers[_i].fits ? TUSK_OK : TUSK_ERR_VALUE);
    ck_assert_uint_eq(b.len, encoded_integers[_i].fits ? (size_t)codec_of(value.type)->width : 0);
    tusk__writer_clear(&b);
}
END_TEST

/* ---- UTF-8 --------------------------------------------------------------------------------------------------------------------------- */

/* What Unicode says, slowly: the length of the character at p, 0 if there is none. */
static size_t character(const uint8_t *p, size_t len)
{
    static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xF8 ? 0 : p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : p[0] >= 0xC0 ? 2 : 0;
    int32_t c = n == 1 ? p[0] : p[0] & (0x7F >> n);

    if (n == 0 || n > len)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3F);
    }
    return c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF) ? 0 : n;
}

static bool is_unicode(const uint8_t *p, size_t len)
{
    while (len > 0) {
        size_t n = character(p, len);

        if (n == 0)
            return false;
        p += n;
        len -= n;
    }
    return true;
}

/* All of two bytes, and what follows them on its borders, cut anywhere. */
START_TEST(utf8_is_what_unicode_says)
{
    static const uint8_t border[] = {0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF};
    int n_valid = 0;

    for (unsigned pair = 0; pair < 65536; pair++)
        for (unsigned third = 0; third < 6 * 6; third++) {
            uint8_t p[4] = {(uint8_t)(pair >> 8), (uint8_t)pair, border[third / 6], border[third % 6]};

            for (size_t len = 1; len <= 4; len++) {
                bool is_valid = tusk__utf8_is_valid(tusk_str_from(p, len));

                n_valid += is_valid;
                if (is_valid != is_unicode(p, len))
                    ck_abort_msg("%02x %02x %02x %02x, %zu bytes", p[0], p[1], p[2], p[3], len);
            }
        }
    ck_assert_int_gt(n_valid, 100000);
}
END_TEST

/* The last byte of the block is the first of a character: nothing behind it is looked at. */
START_TEST(a_cut_character_is_not_read_beyond)
{
    static const char *const cut[] = {"\xC3", "\xE2\x82", "\xE2", "\xF0\x9F\x90", "\xF0\x9F", "\xF0"};

    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
        tusk_str block = exact_text(cut[i]);

        ck_assert(!tusk__utf8_is_valid(block));
        release(block);
    }
}
END_TEST

/* Whatever lies in front of it, and wherever a block of eight ends. */
START_TEST(a_bad_byte_is_found_at_every_offset)
{
    for (size_t len = 1; len <= 40; len++)
        for (size_t at = 0; at < len; at++) {
            char text[40];
            tusk_str block;
            tusk_error err = {0};
            char expected[40];

            memset(text, 'a', sizeof text);
            text[at] = (char)0xFF;
            block = exact(text, len);
            ck_assert(!tusk__utf8_is_valid(block));
            ck_assert_int_eq(tusk__text_check(block, &err), TUSK_ERR_VALUE);
            snprintf(expected, sizeof expected, "offset %zu", at);
            ck_assert_msg(strstr(err.message, expected) != NULL, "%s", err.message);
            ck_assert_str_eq(err.sqlstate, "22021");
            release(block);
        }
}
END_TEST

START_TEST(a_nul_byte_is_no_text)
{
    tusk_value value = tusk_text_str(tusk_str_from("user\0admin", 10));
    tusk__writer b;
    tusk_error err;

    ck_assert_int_eq(encode(&b, &value, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.sqlstate, "22021");
    ck_assert_ptr_nonnull(strstr(err.message, "NUL byte at offset 4"));
    ck_assert_uint_eq(b.len, 0);
    tusk__writer_clear(&b);
}
END_TEST

/* ---- bytea's text -------------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *text, *hex; /* hex NULL: refused */
} bytea_texts[] = {
    {"\\x", ""},
    {"\\x00ff", "00ff"},
    {"\\xABcd", "abcd"},
    {"", ""},
    {"abc", "616263"},
    {"\\\\", "5c"},
    {"\\000\\377", "00ff"},
    {"a\\\\b", "615c62"},
    {"\\\\x41", "5c783431"},
    {"\\x0", NULL},
    {"\\xzz", NULL},
    {"\\", NULL},
    {"\\4", NULL},
    {"\\400", NULL},
    {"\\08", NULL},
    {"\\0000", "0030"},
    {"\\y00", NULL},
    {"\\x 0", NULL},
};

START_TEST(bytea_is_read_from_both_output_formats)
{
    tusk_str text = exact_text(bytea_texts[_i].text);
    tusk_str bytes = exact_hex(bytea_texts[_i].hex ? bytea_texts[_i].hex : "");
    uint8_t *buf = malloc(bytes.len + 1);
    size_t len = 99;
    tusk_error err = {0};
    tusk_code code = tusk_bytea_from_text(text, buf, bytes.len, &len, &err);

    if (bytea_texts[_i].hex) {
        ck_assert_msg(code == TUSK_OK, "%s: %s", bytea_texts[_i].text, err.message);
        ck_assert(tusk_str_equal(tusk_str_from(buf, len), bytes));
    } else {
        ck_assert_int_eq(code, TUSK_ERR_VALUE);
        ck_assert_str_eq(err.sqlstate, "22P02");
        ck_assert_uint_eq(len, 99);
    }
    free(buf);
    release(text);
    release(bytes);
}
END_TEST

/* D6: what does not fit the caller's buffer is not written. */
START_TEST(bytea_into_a_small_buffer_says_what_it_takes)
{
    static const char *const texts[] = {"\\x01020304", "\\001\\002\\003\\004"};

    for (int i = 0; i < 2; i++) {
        uint8_t *buf = malloc(3);
        size_t len;
        tusk_error err = {0};

        ck_assert_int_eq(tusk_bytea_from_text(tusk_str_of(texts[i]), buf, 3, &len, &err), TUSK_ERR_LIMIT);
        ck_assert_uint_eq(len, 4);
        ck_assert_int_eq(buf[2], 3);
        free(buf);
    }
}
END_TEST

/* ---- times --------------------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *text, *utc;
} zoned[] = {
    {"2024-01-01 00:00:00+01", "2023-12-31 23:00:00+00"},
    {"2024-01-01 00:00:00-03:30", "2024-01-01 03:30:00+00"},
    {"1900-01-01 00:19:32+00:19:32", "1900-01-01 00:00:00+00"},
    {"2024-01-01 00:00:00.25+15:59:59", "2023-12-31 08:00:01.25+00"},
    {"0001-01-01 00:00:00+01", "0001-12-31 23:00:00+00 BC"},
    {"0001-12-31 23:59:59-00:00:01 BC", "0001-01-01 00:00:00+00"},
    {"4714-11-23 19:00:00-05 BC", "4714-11-24 00:00:00+00 BC"}, /* what a session west of UTC shows of the first one */
    {"294277-01-01 00:59:59+01", "294276-12-31 23:59:59+00"},   /* and one east of it of the last */
};

START_TEST(every_offset_is_read)
{
    tusk_str text = exact_text(zoned[_i].text);
    tusk_value value;
    tusk_error err;

    ck_assert_msg(decode(TUSK_OID_TIMESTAMPTZ, 0, text, &value, &err) == TUSK_OK, "%s: %s", zoned[_i].text,
                  err.message);
    assert_prints(&value, zoned[_i].utc);
    release(text);
}
END_TEST

/* ---- other texts of intervals ------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *text;
    tusk_interval_parts parts;
    const char *iso8601; /* as which it is printed */
} intervals[] = {
    {"P1Y2M-3DT4H5M6.7S", {14, -3, INT64_C(14706700000)}, "P1Y2M-3DT4H5M6.7S"},
    {"PT0S", {0, 0, 0}, "PT0S"},
    {"P2W", {0, 14, 0}, "P14D"},
    {"P1W-1D", {0, 6, 0}, "P6D"},
    {"PT-0.000001S", {0, 0, -1}, "PT-0.000001S"},
    {"PT-1H-0.5S", {0, 0, INT64_C(-3600500000)}, "PT-1H-0.5S"},
    {"PT90M", {0, 0, INT64_C(5400000000)}, "PT1H30M"},
    {"P+1D", {0, 1, 0}, "P1D"},
    {"PT2562047788H54.775807S", {0, 0, INT64_MAX}, "PT2562047788H54.775807S"},
    {"PT-2562047788H-54.775808S", {0, 0, INT64_MIN}, "PT-2562047788H-54.775808S"},
    {"P-178956970Y-8M-2147483648D", {INT32_MIN, INT32_MIN, 0}, "P-178956970Y-8M-2147483648D"},
    {"1 mon 2 days", {1, 2, 0}, "P1M2D"},
    {"-1 days +02:03:04", {0, -1, INT64_C(7384000000)}, "P-1DT2H3M4S"},
    {"-00:00:00.5", {0, 0, -500000}, "PT-0.5S"},
    {"infinity", {INT32_MAX, INT32_MAX, INT64_MAX}, "infinity"},
    {"-infinity", {INT32_MIN, INT32_MIN, INT64_MIN}, "-infinity"},
};

START_TEST(intervals_are_read_in_both_styles)
{
    tusk_str text = exact_text(intervals[_i].text);
    tusk_interval_parts want = intervals[_i].parts, i = {7, 7, 7};
    char buf[128];
    size_t len = strlen(intervals[_i].iso8601);
    tusk_error err;

    ck_assert_msg(tusk_interval_from_text(text, &i, &err) == TUSK_OK, "%s: %s", intervals[_i].text, err.message);
    ck_assert_int_eq(i.months, want.months);
    ck_assert_int_eq(i.days, want.days);
    ck_assert_int_eq(i.us, want.us);
    ck_assert_uint_eq(tusk_interval_to_iso8601(i, buf, sizeof buf), len);
    ck_assert_str_eq(buf, intervals[_i].iso8601);
    ck_assert_uint_eq(tusk_interval_to_iso8601(i, NULL, 0), len);
    ck_assert_int_eq(tusk_interval_from_text(tusk_str_of("1 fortnight"), &i, &err), TUSK_ERR_VALUE);
    ck_assert_int_eq(i.us, want.us);
    release(text);
}
END_TEST

START_TEST(no_time_or_offset_beyond_its_range_is_encoded)
{
    static const tusk_timetz_parts bad[] = {
        {-1, 0}, {TUSK__US_PER_DAY + 1, 0}, {0, 57600}, {0, -57600}, {0, INT32_MIN}, {0, INT32_MAX}};
    tusk__writer b;
    tusk_error err;

    for (size_t i = 0; i < N_OF(bad); i++) {
        tusk_value value = tusk_timetz(bad[i]);

        ck_assert_int_eq(encode(&b, &value, &err), TUSK_ERR_VALUE);
        ck_assert_str_eq(err.sqlstate, i < 2 ? "22008" : "22009");
        ck_assert_uint_eq(b.len, 0);
        tusk__writer_clear(&b);
    }
}
END_TEST

#define LOOP(tc, test, cases) tcase_add_loop_test(tc, test, 0, (int)N_OF(cases))

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("codec");
    TCase *tc = tcase_create("codec");

    tcase_set_timeout(tc, 120);
    LOOP(tc, each_type_has_its_samples, all_types);
    LOOP(tc, what_lies_beyond_a_type_is_refused, beyond_values);
    LOOP(tc, long_values_survive_both_ways, long_values);
    LOOP(tc, what_needs_room_is_not_read_without_it, room_types);
    LOOP(tc, a_name_is_no_oid, names);
    LOOP(tc, a_text_is_read_into_as_much_room_as_it_takes, both_formats_cases);
    LOOP(tc, text_that_postgresql_does_not_print_is_refused, refused_text);
    LOOP(tc, binary_outside_the_type_is_refused, refused_binary);
    LOOP(tc, d3_fixed_width_codecs_check_their_width, all_types);
    LOOP(tc, d10_text_decoders_stay_inside_their_bytes, both_formats_cases);
    LOOP(tc, binary_becomes_the_servers_text, both_formats_cases);
    LOOP(tc, text_becomes_the_servers_binary, both_formats_cases);
    LOOP(tc, printing_is_cut_and_says_the_whole_length, both_formats_cases);
    LOOP(tc, integers_beyond_their_type_are_not_encoded, encoded_integers);
    LOOP(tc, bytea_is_read_from_both_output_formats, bytea_texts);
    LOOP(tc, every_offset_is_read, zoned);
    LOOP(tc, intervals_are_read_in_both_styles, intervals);
    tcase_add_test(tc, no_time_or_offset_beyond_its_range_is_encoded);
    tcase_add_test(tc, bytea_into_a_small_buffer_says_what_it_takes);
    tcase_add_test(tc, each_codec_is_found_by_its_own_oid_and_only_by_it);
    tcase_add_test(tc, the_catalogue_knows_names_and_send_functions);
    tcase_add_test(tc, a_type_without_codec_stays_raw);
    tcase_add_test(tc, utf8_is_what_unicode_says);
    tcase_add_test(tc, a_cut_character_is_not_read_beyond);
    tcase_add_test(tc, a_bad_byte_is_found_at_every_offset);
    tcase_add_test(tc, a_nul_byte_is_no_text);
    suite_add_tcase(suite, tc);
    return suite;
}
