/* JSON by jansson against the real server: what is sent comes back as the same document, and as the server prints it.
 * Read first: tusk/json.h, test/jansson_test.c. */
#include <jansson.h>

#include <tusk/json.h>

#include "test/live/live.h"

static const char *const documents[] = {
    "null",
    "true",
    "-9223372036854775808",
    "0.5",
    "\"gr\u00fc\u00dfe \\\" \\\\ \\n\"",
    "[]",
    "{}",
    "{\"a\": [1, 2.5, {\"b\": null}], \"long name of a member\": \"\\t\"}",
};

START_TEST(a_document_goes_to_the_server_and_comes_back)
{
    static const uint32_t types[] = {TUSK_OID_JSON, TUSK_OID_JSONB};
    json_t *sent = json_loads(documents[_i / 2], JSON_DECODE_ANY, NULL), *came = NULL;
    tusk_error err = {0};
    tusk_query *q;
    tusk_row row;
    char text[256];
    size_t len;

    ck_assert_ptr_nonnull(sent);
    ck_assert_int_eq(tusk_json_to_text(sent, text, sizeof text, &len, &err), TUSK_OK);
    q = tusk_exec(
        db, _i % 2 ? "select $1::jsonb, $1 = $2::jsonb" : "select $1::json, $1::jsonb = $2::jsonb",
        TUSK_PARAMS(tusk_text_str_of(types[_i % 2], tusk_str_from(text, len)), tusk_jsonb_text(documents[_i / 2])));
    ck_assert_msg(tusk_query_one(q, &row, &err) == TUSK_OK, "%s", said(&err));
    ck_assert(tusk_get_bool(&row, 1)); /* the server takes both for the same */
    ck_assert_msg(tusk_read_json(&row, 0, &came, &err) == TUSK_OK, "%s", said(&err));
    ck_assert(json_equal(came, sent));
    json_decref(came);
    json_decref(sent);
    tusk_query_free(q);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("jansson_live");
    TCase *tcase = tcase_create("jansson_live");

    tcase_add_checked_fixture(tcase, live_up, live_down);
    tcase_add_loop_test(tcase, a_document_goes_to_the_server_and_comes_back, 0, 2 * N_OF(documents));
    suite_add_tcase(suite, tcase);
    return suite;
}
