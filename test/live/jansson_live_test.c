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

/* Without a text in between; the document may go, and change, when it is submitted. */
START_TEST(a_document_is_a_parameter)
{
    json_t *sent = json_loads(documents[_i / 2], JSON_DECODE_ANY, NULL), *came = NULL;
    tusk_error err = {0};

    for (int i = 0; i < 3; i++) {
        json_t *copy = json_deep_copy(sent);
        tusk_query *q = tusk_exec(db, "select $1, $2::text, $1::text = $2::text",
                                  TUSK_PARAMS(_i % 2 ? tusk_jsonb(copy) : tusk_json(copy), tusk_json(sent)));
        tusk_row row;

        if (json_is_object(copy))
            json_object_clear(copy);
        json_decref(copy);
        ck_assert_msg(tusk_query_one(q, &row, &err) == TUSK_OK, "%s", said(&err));
        ck_assert_uint_eq(tusk_query_column(q, 0)->type, _i % 2 ? TUSK_OID_JSONB : TUSK_OID_JSON);
        ck_assert_int_eq(tusk_query_column(q, 0)->format, 1);
        ck_assert_msg(tusk_read_json(&row, 0, &came, &err) == TUSK_OK, "%s", said(&err));
        ck_assert(json_equal(came, sent));
        json_decref(came);
        ck_assert_msg(tusk_read_json(&row, 1, &came, &err) == TUSK_OK, "%s", said(&err));
        ck_assert(json_equal(came, sent));
        ck_assert(_i % 2 || tusk_get_bool(&row, 2));
        json_decref(came);
        tusk_query_free(q);
    }
    json_decref(sent);
}
END_TEST

START_TEST(what_is_no_document_is_null_or_refused)
{
    json_t *list = json_array(), *real = json_real(0.5);
    tusk_query *q = tusk_exec(db, "select $1::jsonb is null, $2::jsonb = 'null'",
                              TUSK_PARAMS(tusk_jsonb(NULL), tusk_jsonb(json_null())));
    tusk_row row;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert(tusk_get_bool(&row, 0) && tusk_get_bool(&row, 1));
    tusk_query_free(q);
    json_array_append(list, real);
    json_array_append_new(list, json_stringn_nocheck("\xff", 1)); /* jansson does not write it */
    q = tusk_exec(db, "select $1", TUSK_PARAMS(tusk_jsonb(list)));
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_VALUE);
    ck_assert_str_eq(tusk_query_error(q)->sqlstate, "22P02");
    ck_assert_str_eq(tusk_query_error(q)->where, "bind $1 (jsonb)");
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    tusk_query_free(q);
    json_decref(list);
    json_decref(real);
    ck_usable(db);
}
END_TEST

/* jsonb's 1 in front of it or not: the server would refuse one too few, and read one too many as text. */
START_TEST(stacks_take_documents)
{
    json_t *doc = json_pack("{s:i}", "a", 1);
    tusk_stack *stack = tusk_stack_new(db);
    tusk_query *q;
    tusk_row row;

    ck_assert_int_eq(tusk_stack_push(stack, "select $1 ->> 'a'", TUSK_PARAMS(tusk_jsonb(doc))), TUSK_OK);
    json_decref(doc);
    q = tusk_stack_run(stack, TUSK_STACK_CONTINUE);
    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert(tusk_str_is(tusk_get_text(&row, 0), "1"));
    tusk_query_free(q);
    tusk_stack_free(stack);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("jansson_live");
    TCase *tcase = tcase_create("jansson_live");

    tcase_add_checked_fixture(tcase, live_up, live_down);
    tcase_add_loop_test(tcase, a_document_goes_to_the_server_and_comes_back, 0, 2 * N_OF(documents));
    tcase_add_loop_test(tcase, a_document_is_a_parameter, 0, 2 * N_OF(documents));
    tcase_add_test(tcase, what_is_no_document_is_null_or_refused);
    tcase_add_test(tcase, stacks_take_documents);
    suite_add_tcase(suite, tcase);
    return suite;
}
