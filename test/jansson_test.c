/* Tests of JSON by jansson: what a text becomes, what is refused and where it says so, and what comes of it when jansson has no memory.
 * Read first: tusk/json.h, lib/jansson.c. */
#include <jansson.h>
#include <stdlib.h>

#include <tusk/json.h>

#include "lib/query.h"
#include "test/harness/fail_alloc.h"
#include "test/harness/harness.h"

#define N_OF(array) (int)(sizeof(array) / sizeof(array)[0])

static tusk_loop *loop;
static fail_alloc memory, janssons;
static tusk_query query;
static tusk_row row;
static uint8_t *body;
static tusk_error err;

static void *jansson_malloc(size_t size)
{
    return janssons.allocator.malloc(size, janssons.allocator.user);
}

static void jansson_free(void *ptr)
{
    janssons.allocator.free(ptr, janssons.allocator.user);
}

static void set_up(void)
{
    fail_alloc_init(&memory, 0, false);
    fail_alloc_init(&janssons, 0, false);
    json_set_alloc_funcs(jansson_malloc, jansson_free);
    loop = tusk_loop_open(&(tusk_loop_config){.allocator = &memory.allocator}, NULL);
    ck_assert_ptr_nonnull(loop);
    memset(&query, 0, sizeof query);
    query.loop = loop;
    query.present = query.filling = &query.first;
    body = NULL;
}

static void tear_down(void)
{
    tusk__desc_unref(query.first.desc);
    tusk_loop_free(loop);
    free(body);
    ck_assert_int_eq(memory.live, 0);
    ck_assert_int_eq(janssons.live, 0);
}

/* A row of one column, "doc", in a block of exactly its size. */
static void make_row(uint32_t type, uint16_t format, tusk_str value)
{
    tusk__column column = {.name = tusk_str_of("doc"), .type_oid = type, .typmod = -1, .format = format};
    tusk__row_description description;
    bool is_null = value.ptr == NULL;
    tusk__writer b;

    tusk__writer_init(&b, tusk_allocator_default());
    tusk__row_description_write(&b, &column, 1);
    ck_assert_int_eq(tusk__row_description_read(tusk_str_from(b.buf + 5, b.len - 5), &description, NULL), TUSK_OK);
    tusk__desc_unref(query.first.desc);
    ck_assert_int_eq(tusk__desc_new(&memory.allocator, &description, NULL, &query.first.desc, NULL), TUSK_OK);
    b.len = 0;
    tusk__data_row_write(&b, &value, &is_null, 1);
    free(body);
    body = malloc(b.len - 5);
    memcpy(body, b.buf + 5, b.len - 5);
    tusk__writer_clear(&b);
    tusk__row_init(&row, &query, body, 1);
}

static void make_text(const char *text)
{
    make_row(TUSK_OID_JSON, 1, tusk_str_of(text));
}

/* ---- what is read, and written again ------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *text, *again;
} documents[] = {
    {"null", "null"},
    {" true ", "true"},
    {"false", "false"},
    {"0", "0"},
    {"-9223372036854775808", "-9223372036854775808"},
    {"9223372036854775807", "9223372036854775807"},
    {"1.5", "1.5"},
    {"1e2", "100.0"},
    {"0.1", "0.1"},
    {"[1e300, 5e-324, 12345678901234567890.0, 0.30000000000000004]",
     "[1e+300,5e-324,1.2345678901234567e+19,0.30000000000000004]"},
    {"\"\\u0001\\b\\f\\r\\t\\\"\\\\/\\u007f\"", "\"\\u0001\\b\\f\\r\\t\\\"\\\\/\x7f\""},
    {"-0.0", "-0.0"},
    {"\"\"", "\"\""},
    {"\"gr\\u00fc\u00dfe\\n\\ud83d\\ude00\"", "\"gr\u00fc\u00dfe\\n\U0001F600\""},
    {"[]", "[]"},
    {"{}", "{}"},
    {"[1, [2, []], {\"a\" : null}]", "[1,[2,[]],{\"a\":null}]"},
    {"{\"a\": {\"b\": \"c\"}, \"\": [true]}", "{\"a\":{\"b\":\"c\"},\"\":[true]}"},
    {"{\"a\": 1, \"b\": 2, \"a\": 3}", "{\"a\":3,\"b\":2}"},
};

static void check_document(int i)
{
    char text[256];
    size_t len;
    json_t *json = NULL;

    ck_assert_msg(tusk_read_json(&row, 0, &json, &err) == TUSK_OK, "%s: %s", documents[i].text, err.message);
    ck_assert_int_eq(tusk_json_to_text(json, text, sizeof text, &len, &err), TUSK_OK);
    ck_assert_uint_eq(len, strlen(documents[i].again));
    ck_assert_mem_eq(text, documents[i].again, len);
    ck_assert_int_eq(tusk_json_to_text(json, text, len - 1, &len, &err), TUSK_ERR_LIMIT);
    ck_assert_uint_eq(len, strlen(documents[i].again));
    json_decref(json);
}

START_TEST(a_document_is_read_and_written_again)
{
    char binary[128] = "\1";

    make_text(documents[_i].text);
    check_document(_i);
    make_row(TUSK_OID_TEXT, 1, tusk_str_of(documents[_i].text));
    check_document(_i);
    make_row(TUSK_OID_JSONB, 0, tusk_str_of(documents[_i].text));
    check_document(_i);
    memcpy(binary + 1, documents[_i].text, strlen(documents[_i].text));
    make_row(TUSK_OID_JSONB, 1, tusk_str_from(binary, 1 + strlen(documents[_i].text)));
    check_document(_i);
}
END_TEST

/* ---- what is refused --------------------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    tusk_code code;
    const char *sqlstate, *message; /* behind "column 0 "doc": " */
} refused[] = {
    {"", TUSK_ERR_VALUE, "22P02", "line 1, byte 1: the document ends too early"},
    {"[1,\n  2,\n  x]", TUSK_ERR_VALUE, "22P02", "line 3, byte 3: this is not JSON"},
    {"{\"a\" 1}", TUSK_ERR_VALUE, "22P02", "line 1, byte 6: this is not JSON"},
    {"{\"a\"", TUSK_ERR_VALUE, "22P02", "line 1, byte 5: the document ends too early"},
    {"\"abc", TUSK_ERR_VALUE, "22P02", "line 1, byte 5: the document ends too early"},
    {"[1 2]", TUSK_ERR_VALUE, "22P02", "line 1, byte 4: this is not JSON"},
    {"1 2", TUSK_ERR_VALUE, "22P02", "line 1, byte 3: there is more behind the document"},
    {"\"\xff\"", TUSK_ERR_VALUE, "22021", "line 1, byte 2: this is not UTF-8"},
    {"[\"a\\u0000b\"]", TUSK_ERR_VALUE, "22P05", "line 1, byte 4: a text with a NUL: read the column as text"},
    {"9223372036854775808", TUSK_ERR_VALUE, "22003",
     "line 1, byte 1: a number that neither int64 nor double holds: read the column as text"},
    {"[1e999]", TUSK_ERR_VALUE, "22003",
     "line 1, byte 2: a number that neither int64 nor double holds: read the column as text"},
    {"\"\\ud800\"", TUSK_ERR_VALUE, "22P02", NULL},
    {"01", TUSK_ERR_VALUE, "22P02", NULL},
    {"nul", TUSK_ERR_VALUE, "22P02", NULL},
    {"[1,]", TUSK_ERR_VALUE, "22P02", NULL},
};

START_TEST(what_is_no_document_is_told_by_its_place)
{
    json_t *json = (json_t *)&row;

    make_text(refused[_i].text);
    ck_assert_int_eq(tusk_read_json(&row, 0, &json, &err), refused[_i].code);
    ck_assert_ptr_eq(json, &row);
    ck_assert_str_eq(err.sqlstate, refused[_i].sqlstate);
    ck_assert_str_eq(err.where, "read json");
    ck_assert_int_eq(err.column, 0);
    ck_assert_int_eq(strncmp(err.message, "column 0 \"doc\": ", 16), 0);
    if (refused[_i].message)
        ck_assert_str_eq(err.message + 16, refused[_i].message);
    ck_assert_ptr_null(tusk_get_json(&row, 0));
    ck_assert_int_eq(query.value_error.code, refused[_i].code);
}
END_TEST

START_TEST(a_column_that_is_no_text_is_refused)
{
    json_t *json;

    make_row(TUSK_OID_INT4, 1, tusk_str_from("\0\0\0\1", 4));
    ck_assert_int_eq(tusk_read_json(&row, 0, &json, &err), TUSK_ERR_TYPE);
    ck_assert_int_eq(tusk_read_json(&row, 1, &json, NULL), TUSK_ERR_USAGE);
    make_row(TUSK_OID_JSONB, 1, tusk_str_from("\2{}", 3));
    ck_assert_int_eq(tusk_read_json(&row, 0, &json, NULL), TUSK_ERR_VALUE);
    make_row(TUSK_OID_JSONB, 1, tusk_str_from(NULL, 0));
    ck_assert_int_eq(tusk_read_json(&row, 0, &json, &err), TUSK_ERR_NULL);
    query.value_error.code = TUSK_OK;
    ck_assert_ptr_null(tusk_get_json(&row, 0));
    ck_assert_int_eq(query.value_error.code, TUSK_OK);
}
END_TEST

/* n arrays inside each other. */
static void make_deep(size_t n)
{
    char *text = malloc(2 * n);

    memset(text, '[', n);
    memset(text + n, ']', n);
    make_row(TUSK_OID_JSON, 1, tusk_str_from(text, 2 * n));
    free(text);
}

START_TEST(a_document_may_be_deep_but_not_without_end)
{
    json_t *json;

    make_deep(512);
    ck_assert_int_eq(tusk_read_json(&row, 0, &json, &err), TUSK_OK);
    json_decref(json);
    make_deep(513);
    ck_assert_int_eq(tusk_read_json(&row, 0, &json, &err), TUSK_ERR_LIMIT);
    ck_assert_str_eq(err.message,
                     "column 0 \"doc\": line 1, byte 513: more than 512 arrays and objects inside each other");
    make_deep(1000000);
    ck_assert_int_eq(tusk_read_json(&row, 0, &json, NULL), TUSK_ERR_LIMIT);
}
END_TEST

/* ---- memory --------------------------------------------------------------------------------------------------------------------------------- */

/* Ours and jansson's, each in turn: an error and no leak, or the whole document. */
START_TEST(without_memory_there_is_no_document)
{
    static const char text[] =
        "{\"a\": [1, 2.5, \"three\", null, true, {}, [4, 5, 6, 7, 8, 9]], \"b\": {\"c\": \"d\"}, \"e\": []}";
    fail_alloc *failing = _i ? &janssons : &memory;
    json_t *whole, *json;
    long n;

    make_text(text);
    n = failing->n;
    ck_assert_int_eq(tusk_read_json(&row, 0, &whole, &err), TUSK_OK);
    n = failing->n - n;
    ck_assert_int_ge(n, _i ? 20 : 1);
    for (long i = 1; i <= n; i++) {
        long live = janssons.live;

        failing->fail_at = failing->n + i;
        if (tusk_read_json(&row, 0, &json, &err) == TUSK_OK) {
            ck_assert(json_equal(json, whole));
            json_decref(json);
        } else {
            ck_assert_int_eq(err.code, TUSK_ERR_NOMEM);
            ck_assert_str_eq(err.sqlstate, "53200");
        }
        ck_assert_int_eq(janssons.live, live);
    }
    json_decref(whole);
}
END_TEST

START_TEST(a_document_that_holds_itself_is_not_written)
{
    json_t *json = json_array();
    char text[64];
    size_t len;

    json_array_append_new(json, json_array());
    json_array_append(json_array_get(json, 0), json);
    ck_assert_int_eq(tusk_json_to_text(json, text, sizeof text, &len, &err), TUSK_ERR_VALUE);
    json_array_clear(json_array_get(json, 0));
    json_decref(json);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("jansson");
    TCase *tcase = tcase_create("jansson");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, a_document_is_read_and_written_again, 0, N_OF(documents));
    tcase_add_loop_test(tcase, what_is_no_document_is_told_by_its_place, 0, N_OF(refused));
    tcase_add_test(tcase, a_column_that_is_no_text_is_refused);
    tcase_add_test(tcase, a_document_may_be_deep_but_not_without_end);
    tcase_add_loop_test(tcase, without_memory_there_is_no_document, 0, 2);
    tcase_add_test(tcase, a_document_that_holds_itself_is_not_written);
    suite_add_tcase(suite, tcase);
    return suite;
}
