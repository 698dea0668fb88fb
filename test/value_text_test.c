/* Values without a row: from bytes of the wire, and as text. Of built-in types; those of the database's own are lookup_live_test's.
 * Read first: tusk/value.h, lib/value.c. */
#include "lib/codec/own.h"
#include "test/array_samples.h"
#include "test/harness/harness.h"

#define N_OF(array) (int)(sizeof(array) / sizeof *(array))

static tusk_error err;

static unsigned char *unhex(const char *hex, size_t *len)
{
    unsigned char *bytes;

    *len = strlen(hex) / 2;
    bytes = malloc(*len ? *len : 1); /* of exactly the size */
    for (size_t i = 0; i < *len; i++)
        bytes[i] = (unsigned char)(tusk__hex_digit(hex[2 * i]) << 4 | tusk__hex_digit(hex[2 * i + 1]));
    return bytes;
}

static void check_text(const tusk_value *value, const char *want)
{
    size_t len = 0, want_len = strlen(want);
    char *text = malloc(want_len + 1);

    ck_assert_msg(tusk_value_to_text(NULL, value, text, want_len + 1, &len, &err) == TUSK_OK, "%s: %s", want,
                  err.message);
    ck_assert_msg(len == want_len && strcmp(text, want) == 0, "%s, not %s", text, want);
    memset(text, '#', want_len + 1);
    ck_assert_int_eq(tusk_value_to_text(NULL, value, text, want_len, &len, NULL), TUSK_OK); /* cut, and not beyond */
    ck_assert(len == want_len && text[want_len] == '#');
    ck_assert_int_eq(tusk_value_to_text(NULL, value, text, want_len + 1, NULL, NULL), TUSK_OK);
    ck_assert_str_eq(text, want);
    free(text);
}

static void check_both(uint32_t type, const char *hex, const char *text)
{
    size_t len;
    unsigned char *bytes = unhex(hex, &len);
    tusk_value value;

    ck_assert_msg(tusk_value_from_wire(NULL, type, tusk_str_from(bytes, len), &value, &err) == TUSK_OK, "%s: %s", text,
                  err.message);
    ck_assert_uint_eq(value.type, type);
    check_text(&value, text);
    free(bytes);
}

START_TEST(each_sample_comes_from_the_wire_and_is_printed)
{
    for (int i = 0; i < N_OF(both_formats_cases); i++)
        check_both(both_formats_cases[i].type, both_formats_cases[i].hex, both_formats_cases[i].text);
    for (int i = 0; i < N_OF(container_cases); i++)
        check_both(container_cases[i].type, container_cases[i].hex, container_cases[i].text);
}
END_TEST

/* Whatever is cut off: refused, or a value; and nothing is read behind it. Bytes that a caller calls a value are looked at as well. */
START_TEST(bytes_that_are_cut_are_refused_or_read)
{
    for (int i = 0; i < N_OF(both_formats_cases) + N_OF(container_cases); i++) {
        const both_formats *c =
            i < N_OF(both_formats_cases) ? &both_formats_cases[i] : &container_cases[i - N_OF(both_formats_cases)];
        size_t len, text_len;
        unsigned char *bytes = unhex(c->hex, &len);

        for (size_t n = 0; n < len; n++) {
            unsigned char *cut = malloc(n ? n : 1);
            tusk_value value = tusk_null_of(4711);
            tusk_value given = tusk__bytes_of(c->type, TUSK_KIND_WIRE, tusk_str_from(cut, n));
            tusk_code code;
            char text[256];

            memcpy(cut, bytes, n);
            code = tusk_value_from_wire(NULL, c->type, tusk_str_from(cut, n), &value, &err);
            ck_assert(code == TUSK_OK || code == TUSK_ERR_VALUE);
            ck_assert_uint_eq(value.type, code == TUSK_OK ? c->type : 4711);
            ck_assert_int_eq(tusk_value_to_text(NULL, &given, text, sizeof text, &text_len, NULL), code);
            free(cut);
        }
        free(bytes);
    }
}
END_TEST

static const tusk_point_parts here = {1, 2};

START_TEST(values_of_the_caller_s_making_are_printed)
{
    static const float floats[] = {1, -2.5F};
    unsigned char buf[64];
    tusk_inet_parts inet;
    tusk_hstore_pair pairs[] = {{{"a", 1}, {"b", 1}}};
    tusk_hstore_view h;

    check_text(&(tusk_value[]){tusk_bool(true)}[0], "t");
    check_text(&(tusk_value[]){tusk_int8(INT64_MIN)}[0], "-9223372036854775808");
    check_text(&(tusk_value[]){tusk_float4(0.1F)}[0], "0.1");
    check_text(&(tusk_value[]){tusk_date(0)}[0], "2000-01-01");
    check_text(&(tusk_value[]){tusk_point(here)}[0], "(1,2)");
    check_text(&(tusk_value[]){tusk_interval((tusk_interval_parts){.months = 1})}[0], "1 mon");
    check_text(&(tusk_value[]){tusk_text("as it is")}[0], "as it is");
    check_text(&(tusk_value[]){tusk_unknown("untyped")}[0], "untyped");
    check_text(&(tusk_value[]){tusk_jsonb_text("[1]")}[0], "[1]");
    check_text(&(tusk_value[]){tusk_bytea("\1\377", 2)}[0], "\\x01ff");
    check_text(&(tusk_value[]){tusk_numeric(tusk_numeric_from_int64(-7, buf))}[0], "-7");
    ck_assert_int_eq(tusk_inet_from_text(tusk_str_of("::1"), &inet, NULL), TUSK_OK);
    check_text(&(tusk_value[]){tusk_inet(&inet)}[0], "::1");
    check_text(&(tusk_value[]){tusk_vector(floats, 2)}[0], "[1,-2.5]");
    ck_assert_int_eq(tusk_hstore_from_pairs(pairs, 1, buf, sizeof buf, &h, NULL), TUSK_OK);
    check_text(&(tusk_value[]){tusk_hstore(h)}[0], "\"a\"=>\"b\"");
    check_text(&(tusk_value[]){tusk_raw(TUSK_OID_INT4, "\0\0\0\7", 4)}[0], "7");
}
END_TEST

static const int32_t numbers[] = {1};

static const struct {
    tusk_value value;
    tusk_code code;
    const char *sqlstate, *message;
} refused[] = {
    {{.type = TUSK_OID_INT4}, TUSK_ERR_NULL, "22004", "the value is NULL"},
    {{.type = TUSK_OID_DATE, .kind = TUSK_KIND_INT, .as.integer = INT32_MAX - 1}, TUSK_ERR_VALUE, "22008", NULL},
    {{.type = TUSK_OID_INT2, .kind = TUSK_KIND_INT, .as.integer = 32768}, TUSK_ERR_VALUE, "22003", NULL},
    {{.type = TUSK_OID_TIMESTAMPTZ, .kind = TUSK_KIND_INT, .as.integer = INT64_MAX - 1}, TUSK_ERR_VALUE, "22008", NULL},
    {{.type = TUSK_OID_TEXT, .kind = TUSK_KIND_INT},
     TUSK_ERR_TYPE,
     "42804",
     "a value of text and of a kind that its type does not have"},
    {{.type = 0, .kind = TUSK_KIND_INT},
     TUSK_ERR_TYPE,
     "42804",
     "a value of no type and of a kind that its type does not have"},
    {{.type = TUSK_OID_INT4, .kind = TUSK_KIND_BYTES},
     TUSK_ERR_TYPE,
     "42804",
     "a value of int4 and of a kind that its type does not have"},
    {{.type = TUSK_OID_NUMERIC, .kind = TUSK_KIND_WIRE, .as.bytes = {"\0\1", 2}}, TUSK_ERR_VALUE, "22P03", NULL},
    {{.kind = TUSK_KIND_HSTORE, .as.bytes = {"\0\0\0\1", 4}}, TUSK_ERR_VALUE, "22P03", NULL},
    {{.kind = TUSK_KIND_VECTOR, .as.bytes = {"", 0}}, TUSK_ERR_VALUE, "22003", NULL},
    {{.type = 16400, .kind = TUSK_KIND_RAW, .as.bytes = {"x", 1}},
     TUSK_ERR_TYPE,
     "42804",
     "a value of type 16400 is printed by the server alone: its type is not known, or has no codec"},
    {{.type = TUSK_OID_JSON, .kind = TUSK_KIND_OBJECT},
     TUSK_ERR_TYPE,
     "42804",
     "a value of json is an object of the program's"},
    {{.type = TUSK_OID_INT4_ARRAY, .kind = TUSK_KIND_C_ARRAY, .as.bytes = {(const char *)numbers, 4}},
     TUSK_ERR_TYPE,
     "42804",
     "a value of _int4 is made of others, which takes a connection's memory"},
};

START_TEST(what_is_no_value_is_refused)
{
    char text[64];
    size_t len = 4711;

    ck_assert_msg(tusk_value_to_text(NULL, &refused[_i].value, text, sizeof text, &len, &err) == refused[_i].code, "%s",
                  err.message);
    ck_assert_uint_eq(len, 4711);
    ck_assert_str_eq(err.sqlstate, refused[_i].sqlstate);
    if (refused[_i].message)
        ck_assert_str_eq(err.message, refused[_i].message);
    ck_assert_int_eq(tusk_value_to_text(NULL, &refused[_i].value, text, sizeof text, &len, NULL), refused[_i].code);
}
END_TEST

START_TEST(nothing_is_null_and_unknown_types_are_raw)
{
    tusk_value value;

    ck_assert_int_eq(tusk_value_from_wire(NULL, TUSK_OID_INT4, tusk_str_from(NULL, 0), &value, &err), TUSK_OK);
    ck_assert(value.kind == TUSK_KIND_NULL && value.type == TUSK_OID_INT4);
    ck_assert_int_eq(tusk_value_from_wire(NULL, 16400, tusk_str_of("x"), &value, &err), TUSK_OK);
    ck_assert(value.kind == TUSK_KIND_RAW && value.type == 16400 && tusk_str_is(value.as.bytes, "x"));
}
END_TEST

/* As pg_stats has them: an array of whatever its bytes say. */
START_TEST(anyarray_is_an_array)
{
    check_both(TUSK_OID_ANYARRAY,
               "00000001000000000000001900000002000000010000000161"
               "00000003622063",
               "{a,\"b c\"}");
    check_both(TUSK_OID_ANYARRAY, "000000000000000000000017", "{}");
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("value_text");
    TCase *tc = tcase_create("value_text");

    tcase_add_test(tc, each_sample_comes_from_the_wire_and_is_printed);
    tcase_add_test(tc, bytes_that_are_cut_are_refused_or_read);
    tcase_add_test(tc, values_of_the_caller_s_making_are_printed);
    tcase_add_loop_test(tc, what_is_no_value_is_refused, 0, N_OF(refused));
    tcase_add_test(tc, nothing_is_null_and_unknown_types_are_raw);
    tcase_add_test(tc, anyarray_is_an_array);
    suite_add_tcase(suite, tc);
    return suite;
}
