/* Tests of rows into structs without a server: what a table may say, and what bytes are refused in each kind of field. What the server's
 * values come to is fields_live_test's.
 * Read first: tusk/fields.h, lib/fields.h. */
#include <stdlib.h>

#include "lib/fields.h"
#include "lib/query.h"
#include "test/harness/fail_alloc.h"
#include "test/harness/harness.h"

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

static tusk_loop *loop;
static fail_alloc memory;
static tusk_fields *fields;
static tusk_query query; /* of one result: its columns, and no rows */
static tusk_row row;
static uint8_t *body;
static tusk_error err;

static void set_up(void)
{
    fail_alloc_init(&memory, 0, false);
    loop = tusk_loop_open(&(tusk_loop_config){.allocator = &memory.allocator}, NULL);
    ck_assert_ptr_nonnull(loop);
    memset(&query, 0, sizeof query);
    query.present = query.filling = &query.first;
    fields = NULL;
    body = NULL;
}

static void tear_down(void)
{
    tusk_fields_free(fields);
    tusk__desc_unref(query.first.desc);
    tusk_loop_free(loop);
    free(body);
    ck_assert_int_eq(memory.live, 0);
}

/* ---- tables ------------------------------------------------------------------------------------------------------------------------------ */

struct user {
    int64_t id;
    tusk_str email;
    char nick[8];
    bool nick_is_null;
    tusk_array_view more;
    tusk_range_parts even_more; /* so that there is room for whatever a wrong table wants */
};

#define ID TUSK_FIELD(struct user, id, TUSK_OID_INT8)

static const struct {
    tusk_field field;
    const char *message;
} wrong_tables[] = {
    {{"id", 0, TUSK_OID_INT8, (tusk_c_type)0, 8, 0, false, 0}, "field 1 \"id\": there is no such C type"},
    {{"id", 0, TUSK_OID_INT8, (tusk_c_type)99, 8, 0, false, 0}, "field 1 \"id\": there is no such C type"},
    {{"id", 0, TUSK_OID_INT8, TUSK_C_INT64, 4, 0, false, 0}, "field 1 \"id\": its size is not that of its C type"},
    {{"id", 0, TUSK_OID_TEXT, TUSK_C_CHARS, 0, 0, false, 0}, "field 1 \"id\": its size is not that of its C type"},
    {{"id", 0, TUSK_OID_INT8, TUSK_C_INT64, 8, sizeof(struct user), false, 0},
     "field 1 \"id\": it does not lie inside the struct"},
    {{"id", 0, TUSK_OID_INT8, TUSK_C_INT64, 8, SIZE_MAX, false, 0},
     "field 1 \"id\": it does not lie inside the struct"},
    {{"id", 0, TUSK_OID_TEXT, TUSK_C_CHARS, SIZE_MAX, 8, false, 0},
     "field 1 \"id\": it does not lie inside the struct"},
    {{"id", 0, TUSK_OID_INT8, TUSK_C_INT64, 8, 0, true, sizeof(struct user)},
     "field 1 \"id\": its flag does not lie inside the struct"},
    {{"id", 0, TUSK_OID_INT4, TUSK_C_INT64, 8, 0, false, 0}, "field 1 \"id\": a int64_t does not hold int4"},
    {{"id", 0, TUSK_OID_BYTEA, TUSK_C_CHARS, 8, 0, false, 0}, "field 1 \"id\": a char[] does not hold bytea"},
    {{"id", 0, TUSK_OID_FLOAT4_ARRAY, TUSK_C_FLOATS, 6, 0, false, 0},
     "field 1 \"id\": its size is not that of its C type"},
    {{"id", 0, TUSK_OID_FLOAT4_ARRAY, TUSK_C_DOUBLES, 8, 0, false, 0},
     "field 1 \"id\": a double[] does not hold _float4"},
    {{"id", 0, TUSK_OID_INT8_ARRAY, TUSK_C_INT32S, 8, 0, false, 0}, "field 1 \"id\": a int32_t[] does not hold _int8"},
    {{"id", 0, TUSK_OID_FLOAT4, TUSK_C_FLOATS, 8, 0, false, 0}, "field 1 \"id\": a float[] does not hold float4"},
    {{"id", 0, TUSK_OID_BIT, TUSK_C_INET, sizeof(tusk_inet_parts), 0, false, 0},
     "field 1 \"id\": a tusk_inet_parts does not hold bit"},
    {{"id", 0, TUSK_OID_INET, TUSK_C_BITS, sizeof(tusk_bits_view), 0, false, 0},
     "field 1 \"id\": a tusk_bits_view does not hold inet"},
    {{"id", 0, TUSK_OID_POINT, TUSK_C_ARRAY, sizeof(tusk_array_view), 0, false, 0},
     "field 1 \"id\": a tusk_array_view does not hold point"},
    {{"id", 0, TUSK_OID_INT4_ARRAY, TUSK_C_RANGE, sizeof(tusk_range_parts), 0, false, 0},
     "field 1 \"id\": a tusk_range_parts does not hold _int4"},
    {{"id", 0, TUSK_OID_INT4RANGE, TUSK_C_MULTIRANGE, sizeof(tusk_multirange_view), 0, false, 0},
     "field 1 \"id\": a tusk_multirange_view does not hold int4range"},
    {{"id", 0, TUSK_OID_TEXT, TUSK_C_RECORD, sizeof(tusk_record_view), 0, false, 0},
     "field 1 \"id\": a tusk_record_view does not hold text"},
    {{"id", 0, TUSK_OID_TEXT, TUSK_C_HSTORE, sizeof(tusk_hstore_view), 0, false, 0},
     "field 1 \"id\": a tusk_hstore_view does not hold text"},
    {{"id", 0, 0, TUSK_C_POINT, sizeof(tusk_point_parts), 0, false, 0},
     "field 1 \"id\": a tusk_point_parts does not hold a column of a type that is not given"},
    {{"id", 0, 0, TUSK_C_DOUBLES, 16, 0, false, 0},
     "field 1 \"id\": a double[] does not hold a column of a type that is not given"},
    {{NULL, -1, TUSK_OID_INT8, TUSK_C_INT64, 8, 0, false, 0}, "field 1: it has neither name nor position"},
};

START_TEST(a_table_that_no_macro_made_is_looked_at)
{
    tusk_field table[] = {ID, wrong_tables[_i].field};

    ck_assert_ptr_null(tusk_fields_new(loop, sizeof(struct user), table, 2, &err));
    ck_assert_int_eq(err.code, TUSK_ERR_USAGE);
    ck_assert_str_eq(err.message, wrong_tables[_i].message);
    ck_assert_ptr_null(tusk_fields_new(loop, sizeof(struct user), table, 2, NULL));
}
END_TEST

START_TEST(a_table_needs_memory_and_says_so)
{
    static const tusk_field table[] = {ID};

    memory.fail_at = memory.n + 1;
    ck_assert_ptr_null(tusk_fields_new(loop, sizeof(struct user), table, 1, &err));
    ck_assert_int_eq(err.code, TUSK_ERR_NOMEM);
    ck_assert_str_eq(err.sqlstate, "53200");
    tusk_fields_free(NULL);
}
END_TEST

/* ---- rows --------------------------------------------------------------------------------------------------------------------------------- */

static tusk__column column_of(const char *name, uint32_t type, uint16_t format)
{
    return (tusk__column){.name = tusk_str_of(name), .type_oid = type, .typmod = -1, .format = format};
}

static void describe(const tusk__column *columns, size_t n)
{
    tusk__row_description description;
    tusk__writer b;

    tusk__writer_init(&b, tusk_allocator_default());
    tusk__row_description_write(&b, columns, n);
    ck_assert_int_eq(tusk__row_description_read(tusk_str_from(b.buf + 5, b.len - 5), &description, NULL), TUSK_OK);
    tusk__desc_unref(query.first.desc);
    ck_assert_int_eq(tusk__desc_new(&memory.allocator, &description, NULL, &query.first.desc, NULL), TUSK_OK);
    tusk__writer_clear(&b);
}

/* In a block of exactly its size. */
static void make_row(const tusk_str *values, size_t n)
{
    bool nulls[8];
    tusk__writer b;

    for (size_t i = 0; i < n; i++)
        nulls[i] = values[i].ptr == NULL;
    tusk__writer_init(&b, tusk_allocator_default());
    tusk__data_row_write(&b, values, nulls, n);
    free(body);
    body = malloc(b.len - 5);
    memcpy(body, b.buf + 5, b.len - 5);
    ck_assert_int_eq(tusk__data_row_check(tusk_str_from(body, b.len - 5), n, NULL), TUSK_OK);
    tusk__writer_clear(&b);
    tusk__row_init(&row, &query, body, (uint32_t)n);
}

#define BYTES(text)                                                                                                    \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }

#define HEAD_OF_TWO "\0\0\0\1\0\0\0\1\0\0\2\xbc\0\0\0\2\0\0\0\1"
#define TWO_FLOATS HEAD_OF_TWO "\0\0\0\4\x3f\x80\0\0\0\0\0\4\x40\0\0\0"
#define FLOAT_AND_NULL HEAD_OF_TWO "\0\0\0\4\x3f\x80\0\0\xff\xff\xff\xff"

static const struct {
    uint32_t have; /* of the column */
    uint16_t format;
    uint32_t want;
    tusk_c_type c_type;
    size_t size;
    tusk_str bytes;
    tusk_code code;
    const char *sqlstate, *message;
} refused[] = {
#define WIDTH(type, size, text)                                                                                        \
    TUSK_ERR_VALUE, "22P03", "column 0 \"c\": " type " in binary has " #size " bytes, not " text
    {TUSK_OID_BOOL, 1, TUSK_OID_BOOL, TUSK_C_BOOL, 1, BYTES(""), WIDTH("bool", 1, "0")},
    {TUSK_OID_BOOL, 1, TUSK_OID_BOOL, TUSK_C_BOOL, 1, BYTES("\1\1"), WIDTH("bool", 1, "2")},
    {TUSK_OID_BOOL, 1, TUSK_OID_BOOL, TUSK_C_BOOL, 1, BYTES("\2"), TUSK_ERR_VALUE, "22P03", NULL},
    {TUSK_OID_INT2, 1, TUSK_OID_INT2, TUSK_C_INT16, 2, BYTES("1"), WIDTH("int2", 2, "1")},
    {TUSK_OID_INT2, 1, TUSK_OID_INT4, TUSK_C_INT32, 4, BYTES("1234"), WIDTH("int2", 2, "4")},
    {TUSK_OID_INT2, 1, TUSK_OID_INT8, TUSK_C_INT64, 8, BYTES("12345678"), WIDTH("int2", 2, "8")},
    {TUSK_OID_INT4, 1, TUSK_OID_INT4, TUSK_C_INT32, 4, BYTES("12345"), WIDTH("int4", 4, "5")},
    {TUSK_OID_INT4, 1, TUSK_OID_INT8, TUSK_C_INT64, 8, BYTES("12345678"), WIDTH("int4", 4, "8")},
    {TUSK_OID_INT8, 1, TUSK_OID_INT8, TUSK_C_INT64, 8, BYTES("1234567"), WIDTH("int8", 8, "7")},
    {TUSK_OID_OID, 1, TUSK_OID_INT8, TUSK_C_INT64, 8, BYTES(""), WIDTH("oid", 4, "0")},
    {TUSK_OID_FLOAT4, 1, TUSK_OID_FLOAT8, TUSK_C_DOUBLE, 8, BYTES("12345678"), WIDTH("float4", 4, "8")},
    {TUSK_OID_DATE, 1, TUSK_OID_DATE, TUSK_C_INT32, 4, BYTES("123"), WIDTH("date", 4, "3")},
    {TUSK_OID_DATE, 1, TUSK_OID_DATE, TUSK_C_INT32, 4, BYTES("\x7f\xff\xff\xfe"), TUSK_ERR_VALUE, "22008", NULL},
    {TUSK_OID_TIME, 1, TUSK_OID_TIME, TUSK_C_INT64, 8, BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), TUSK_ERR_VALUE,
     "22008", NULL},
    {TUSK_OID_TIME, 1, TUSK_OID_TIME, TUSK_C_INT64, 8, BYTES("1234"), WIDTH("time", 8, "4")},
    {TUSK_OID_TIMESTAMP, 1, TUSK_OID_TIMESTAMP, TUSK_C_INT64, 8, BYTES("\x7f\xff\xff\xff\xff\xff\xff\xfe"),
     TUSK_ERR_VALUE, "22008", NULL},
    {TUSK_OID_TIMESTAMPTZ, 1, TUSK_OID_TIMESTAMPTZ, TUSK_C_INT64, 8, BYTES("1"), WIDTH("timestamptz", 8, "1")},
    {TUSK_OID_UUID, 1, TUSK_OID_UUID, TUSK_C_UUID, 16, BYTES("123456789012345"), WIDTH("uuid", 16, "15")},
    {TUSK_OID_NUMERIC, 1, TUSK_OID_NUMERIC, TUSK_C_NUMERIC, sizeof(tusk_numeric_view), BYTES("1234567"), TUSK_ERR_VALUE,
     "22P03", NULL},
    {TUSK_OID_INTERVAL, 1, TUSK_OID_INTERVAL, TUSK_C_INTERVAL, 16, BYTES("12345678"), WIDTH("interval", 16, "8")},
    {TUSK_OID_JSONB, 1, TUSK_OID_JSONB, TUSK_C_STR, sizeof(tusk_str), BYTES(""), TUSK_ERR_VALUE, "22P03", NULL},
    {TUSK_OID_JSONB, 1, TUSK_OID_JSONB, TUSK_C_STR, sizeof(tusk_str), BYTES("\2{}"), TUSK_ERR_VALUE, "22P03", NULL},
    {TUSK_OID_JSONB, 1, TUSK_OID_JSONB, TUSK_C_CHARS, 4, BYTES("\1\"ab\""), TUSK_ERR_LIMIT, "54000",
     "column 0 \"c\": 4 bytes and a NUL are too long for a char[4]"},
    {TUSK_OID_TEXT, 1, TUSK_OID_TEXT, TUSK_C_CHARS, 8, BYTES("12345678"), TUSK_ERR_LIMIT, "54000",
     "column 0 \"c\": 8 bytes and a NUL are too long for a char[8]"},
    {TUSK_OID_TEXT, 1, TUSK_OID_TEXT, TUSK_C_CHARS, 1, BYTES("1"), TUSK_ERR_LIMIT, "54000",
     "column 0 \"c\": 1 bytes and a NUL are too long for a char[1]"},
    {TUSK_OID_TEXT, 1, TUSK_OID_TEXT, TUSK_C_CHARS, 8, BYTES("a\0b"), TUSK_ERR_VALUE, "22021",
     "column 0 \"c\": a NUL byte would end the text of a char[8]"},
    {TUSK_OID_TEXT,
     1,
     TUSK_OID_TEXT,
     TUSK_C_CHARS,
     8,
     {NULL, 0},
     TUSK_ERR_NULL,
     "22004",
     "column 0 \"c\" is NULL, and its field has no flag for that"},
    {TUSK_OID_TEXT,
     1,
     TUSK_OID_TEXT,
     TUSK_C_STR,
     sizeof(tusk_str),
     {NULL, 0},
     TUSK_ERR_NULL,
     "22004",
     "column 0 \"c\" is NULL, and its field has no flag for that"},
    {TUSK_OID_INET, 1, TUSK_OID_INET, TUSK_C_INET, sizeof(tusk_inet_parts), BYTES("\2\x20\0\3\1\2\3"), TUSK_ERR_VALUE,
     "22P03", NULL},
    {TUSK_OID_VARBIT, 1, TUSK_OID_VARBIT, TUSK_C_BITS, sizeof(tusk_bits_view), BYTES("\0\0\0\x09\xff"), TUSK_ERR_VALUE,
     "22P03", NULL},
    {TUSK_OID_FLOAT4_ARRAY, 1, TUSK_OID_FLOAT4_ARRAY, TUSK_C_ARRAY, sizeof(tusk_array_view), BYTES("\0\0\0\1"),
     TUSK_ERR_VALUE, "22P03", "column 0 \"c\": _float4 in binary without its header"},
    {TUSK_OID_FLOAT4_ARRAY, 1, TUSK_OID_FLOAT4_ARRAY, TUSK_C_FLOATS, 4, BYTES(TWO_FLOATS), TUSK_ERR_LIMIT, "54000",
     "column 0 \"c\": an array of 2 elements, and its field has places for 1"},
    {TUSK_OID_FLOAT4_ARRAY, 1, TUSK_OID_FLOAT4_ARRAY, TUSK_C_FLOATS, 12, BYTES(TWO_FLOATS), TUSK_ERR_LIMIT, "54000",
     "column 0 \"c\": an array of 2 elements, and its field has places for 3"},
    {TUSK_OID_FLOAT4_ARRAY, 1, TUSK_OID_FLOAT4_ARRAY, TUSK_C_FLOATS, 8, BYTES(FLOAT_AND_NULL), TUSK_ERR_NULL, "22004",
     "column 0 \"c\": 1 of the 2 elements are NULL, which its field cannot hold"},
    {TUSK_OID_DATE_ARRAY, 1, TUSK_OID_DATE_ARRAY, TUSK_C_INT32S, 4,
     BYTES("\0\0\0\1\0\0\0\0\0\0\4\x3a\0\0\0\1\0\0\0\1\0\0\0\4\x7f\xff\xff\xfe"), TUSK_ERR_VALUE, "22008", NULL},
    {TUSK_OID_INT8, 0, TUSK_OID_INT8, TUSK_C_INT64, 8, BYTES("1x"), TUSK_ERR_VALUE, "22P02",
     "column 0 \"c\": \"1x\" is not int8"},
    {TUSK_OID_INT2, 0, TUSK_OID_INT4, TUSK_C_INT32, 4, BYTES("40000"), TUSK_ERR_VALUE, "22003",
     "column 0 \"c\": 40000 does not fit int2"},
};

/* The struct is a block of the member's size: a write behind it is one behind the block. */
START_TEST(malformed_bytes_are_refused_and_nothing_is_written_behind_the_struct)
{
    const tusk_field field = {"c", 0, refused[_i].want, refused[_i].c_type, refused[_i].size, 0, false, 0};
    void *out = malloc(refused[_i].size);
    tusk__column column = column_of("c", refused[_i].have, refused[_i].format);

    describe(&column, 1);
    make_row(&refused[_i].bytes, 1);
    fields = tusk_fields_new(loop, refused[_i].size, &field, 1, &err);
    ck_assert_msg(fields != NULL, "%s", err.message);
    ck_assert_int_eq(tusk_fields_read(fields, &row, out, &err), refused[_i].code);
    ck_assert_int_eq(err.code, refused[_i].code);
    ck_assert_str_eq(err.sqlstate, refused[_i].sqlstate);
    ck_assert_str_eq(err.where, "read fields");
    ck_assert_int_eq(err.column, 0);
    ck_assert_int_eq(err.fate, TUSK_FATE_ANSWERED);
    if (refused[_i].message)
        ck_assert_str_eq(err.message, refused[_i].message);
    else
        ck_assert_int_eq(strncmp(err.message, "column 0 \"c\": ", 14), 0);
    ck_assert_int_eq(tusk_fields_read(fields, &row, out, NULL), refused[_i].code);
    free(out);
}
END_TEST

/* ---- vectors --------------------------------------------------------------------------------------------------------------------------- */

/* Of two places: what goes in, and what does not. Which column is one, the catalogue knows: extension_live_test. */
static const struct {
    tusk__store store;
    tusk_str bytes;
    tusk_code code;
    const char *message;
} vectors[] = {
    {TUSK__STORE_VECTOR, {"\0\2\0\0\x3f\x80\0\0\xbf\0\0\0", 12}, TUSK_OK, NULL},
    {TUSK__STORE_HALFVEC, {"\0\2\0\0\x3c\0\xb8\0", 8}, TUSK_OK, NULL},
    {TUSK__STORE_VECTOR,
     {"\0\1\0\0\x3f\x80\0\0", 8},
     TUSK_ERR_LIMIT,
     "a vector of 1 elements, and its field has places for 2"},
    {TUSK__STORE_HALFVEC,
     {"\0\3\0\0\x3c\0\xb8\0\xb8\0", 10},
     TUSK_ERR_LIMIT,
     "a halfvec of 3 elements, and its field has places for 2"},
    {TUSK__STORE_VECTOR, {"\0\2\0\0\x3f\x80\0\0", 8}, TUSK_ERR_VALUE, NULL},
    {TUSK__STORE_HALFVEC, {"\0\2\0", 3}, TUSK_ERR_VALUE, NULL},
};

START_TEST(a_vector_goes_into_as_many_floats)
{
    tusk__slot slot = {.store = (uint8_t)vectors[_i].store, .c_type = TUSK_C_FLOATS, .size = 2 * sizeof(float)};
    float *out = malloc(slot.size);
    char *bytes = malloc(vectors[_i].bytes.len);

    memcpy(bytes, vectors[_i].bytes.ptr, vectors[_i].bytes.len);
    err.code = TUSK_OK;
    ck_assert_int_eq(tusk__fields_put_many(&slot, NULL, 16400, tusk_str_from(bytes, vectors[_i].bytes.len), out, &err),
                     vectors[_i].code);
    if (vectors[_i].code == TUSK_OK)
        ck_assert(out[0] == 1 && out[1] == -0.5F);
    if (vectors[_i].message)
        ck_assert_str_eq(err.message, vectors[_i].message);
    free(bytes);
    free(out);
}
END_TEST

/* ---- columns ------------------------------------------------------------------------------------------------------------------------------- */

static const struct {
    tusk_field field;
    tusk_code code;
    const char *message;
    int column;
} unbound[] = {
    {TUSK_FIELD_AS(struct user, id, TUSK_OID_INT8, "Id"), TUSK_ERR_USAGE,
     "field 1: no column is named \"Id\"; the result has 6", -1},
    {TUSK_FIELD_AS(struct user, id, TUSK_OID_INT8, "twice"), TUSK_ERR_USAGE,
     "field 1: columns 3 and 4 are both named \"twice\"", -1},
    {TUSK_FIELD_AT(struct user, id, TUSK_OID_INT8, 6), TUSK_ERR_USAGE,
     "field 1: there is no column 6; the result has 6", -1},
    {TUSK_FIELD_AS(struct user, id, TUSK_OID_INT8, "email"), TUSK_ERR_TYPE,
     "column 1 \"email\" is text, but its field is int8 (int64_t)", 1},
    {TUSK_FIELD_AS(struct user, id, TUSK_OID_TIMESTAMPTZ, "id"), TUSK_ERR_TYPE,
     "column 0 \"id\" is int8, but its field is timestamptz (int64_t)", 0},
    {TUSK_FIELD_AS(struct user, email, TUSK_OID_TEXT, "id"), TUSK_ERR_TYPE,
     "column 0 \"id\" is int8, but its field is text (tusk_str)", 0},
    {TUSK_FIELD_AS(struct user, nick, 0, "id"), TUSK_ERR_TYPE,
     "column 0 \"id\" is int8, but its field is text (char[])", 0},
    {TUSK_FIELD_AS(struct user, more, TUSK_OID_INT4_ARRAY, "id"), TUSK_ERR_TYPE,
     "column 0 \"id\" is int8, but its field is _int4 (tusk_array_view)", 0},
    {TUSK_FIELD_AS(struct user, more, TUSK_OID_INT4_ARRAY, "a"), TUSK_ERR_TYPE,
     "column 5 \"a\" is _int4 in text format, but its field is _int4 (tusk_array_view)", 5},
    {TUSK_FIELD_AS(struct user, email, TUSK_OID_BYTEA, "b"), TUSK_ERR_TYPE,
     "column 2 \"b\" is bytea in text format, but its field is bytea (tusk_str)", 2},
};

static void describe_user(void)
{
    tusk__column columns[] = {column_of("id", TUSK_OID_INT8, 1),    column_of("email", TUSK_OID_TEXT, 1),
                              column_of("b", TUSK_OID_BYTEA, 0),    column_of("twice", TUSK_OID_INT8, 1),
                              column_of("twice", TUSK_OID_INT8, 1), column_of("a", TUSK_OID_INT4_ARRAY, 0)};

    describe(columns, N_OF(columns));
}

START_TEST(a_field_that_finds_no_column_of_its_type_names_it)
{
    tusk_field table[] = {ID, unbound[_i].field};

    describe_user();
    fields = tusk_fields_new(loop, sizeof(struct user), table, 2, &err);
    ck_assert_int_eq(tusk_fields_check(fields, &query, &err), unbound[_i].code);
    ck_assert_str_eq(err.message, unbound[_i].message);
    ck_assert_str_eq(err.where, "bind fields");
    ck_assert_int_eq(err.column, unbound[_i].column);
    ck_assert_int_eq(tusk_fields_check(fields, &query, NULL), unbound[_i].code); /* again: a failure is not kept */
}
END_TEST

START_TEST(without_columns_nothing_is_bound)
{
    static const tusk_field table[] = {ID};

    fields = tusk_fields_new(loop, sizeof(struct user), table, 1, &err);
    ck_assert_int_eq(tusk_fields_check(fields, &query, &err), TUSK_ERR_USAGE);
    ck_assert_str_eq(err.message, "there are no columns to be put into fields");
    ck_assert_int_eq(tusk_fields_check(fields, NULL, NULL), TUSK_ERR_USAGE);
    ck_assert_int_eq(tusk_fields_check_stmt(fields, NULL, NULL), TUSK_ERR_USAGE);
}
END_TEST

/* Columns in any order, one taken twice, one not at all; and NULL where there is a flag. */
START_TEST(members_are_filled_whatever_the_order_of_the_columns)
{
    static const tusk_field table[] = {
        TUSK_FIELD_AT(struct user, id, TUSK_OID_INT8, 3),
        TUSK_NULLABLE_AS(struct user, nick, TUSK_OID_TEXT, "email", nick_is_null),
        TUSK_FIELD(struct user, email, TUSK_OID_TEXT),
    };
    tusk_str values[] = {BYTES("\0\0\0\0\0\0\0\1"), BYTES("a@b.c"), {NULL, 0}, BYTES("\0\0\0\0\0\0\0\2"), BYTES("1")};
    struct user user;

    describe_user();
    make_row(values, N_OF(values));
    memset(&user, 0x55, sizeof user);
    fields = tusk_fields_new(loop, sizeof user, table, N_OF(table), &err);
    ck_assert_msg(tusk_fields_read(fields, &row, &user, &err) == TUSK_OK, "%s", err.message);
    ck_assert_int_eq(user.id, 2);
    ck_assert_str_eq(user.nick, "a@b.c");
    ck_assert_int_eq(user.nick[7], 0); /* no rest of what was there */
    ck_assert(!user.nick_is_null);
    ck_assert(tusk_str_is(user.email, "a@b.c"));
    ck_assert(user.email.ptr > (const char *)body);

    values[1] = (tusk_str){NULL, 0};
    make_row(values, N_OF(values));
    ck_assert_int_eq(tusk_fields_read(fields, &row, &user, &err), TUSK_ERR_NULL); /* email has no flag */
    ck_assert(user.nick_is_null);
    for (size_t i = 0; i < sizeof user.nick; i++)
        ck_assert_int_eq(user.nick[i], 0);
}
END_TEST

/* The columns of another result at the address of the last one are other columns. */
START_TEST(rows_of_other_columns_are_bound_anew)
{
    static const tusk_field table[] = {ID};
    tusk__column narrow = column_of("id", TUSK_OID_INT4, 1), wrong = column_of("id", TUSK_OID_FLOAT8, 1);
    tusk_str four = BYTES("\0\0\0\7"), eight = BYTES("\0\0\0\0\0\0\0\7");
    struct user user = {0};

    fields = tusk_fields_new(loop, sizeof user, table, 1, &err);
    describe(&narrow, 1);
    make_row(&four, 1);
    ck_assert_int_eq(tusk_fields_read(fields, &row, &user, NULL), TUSK_OK);
    ck_assert_int_eq(user.id, 7);
    describe(&wrong, 1);
    make_row(&eight, 1);
    ck_assert_int_eq(tusk_fields_read(fields, &row, &user, NULL), TUSK_ERR_TYPE);
    describe(&narrow, 1);
    make_row(&four, 1);
    ck_assert_int_eq(tusk_fields_read(fields, &row, &user, NULL), TUSK_OK);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("fields");
    TCase *tcase = tcase_create("fields");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_table_that_no_macro_made_is_looked_at, 0, (int)N_OF(wrong_tables));
    tcase_add_test(tcase, a_table_needs_memory_and_says_so);
    tcase_add_loop_test(tcase, malformed_bytes_are_refused_and_nothing_is_written_behind_the_struct, 0,
                        (int)N_OF(refused));
    tcase_add_loop_test(tcase, a_vector_goes_into_as_many_floats, 0, (int)N_OF(vectors));
    tcase_add_loop_test(tcase, a_field_that_finds_no_column_of_its_type_names_it, 0, (int)N_OF(unbound));
    tcase_add_test(tcase, without_columns_nothing_is_bound);
    tcase_add_test(tcase, members_are_filled_whatever_the_order_of_the_columns);
    tcase_add_test(tcase, rows_of_other_columns_are_bound_anew);
    suite_add_tcase(suite, tcase);
    return suite;
}
