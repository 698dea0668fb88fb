/* Tests of SQLSTATEs as numbers and names: the generated table is PostgreSQL's, the look-up is ours.
 * Read first: tusk/sqlstate.h. */
#include <tusk/error.h>
#include <tusk/sqlstate.h>

#include "test/harness/harness.h"

static const struct {
    const char *text;
    uint32_t number;
    const char *name;
} known[] = {
    {"00000", TUSK_SQLSTATE_SUCCESSFUL_COMPLETION, "successful_completion"},
    {"01000", TUSK_SQLSTATE_WARNING, "warning"},
    {"08P01", TUSK_SQLSTATE_PROTOCOL_VIOLATION, "protocol_violation"},
    {"23505", TUSK_SQLSTATE_UNIQUE_VIOLATION, "unique_violation"},
    {"26000", TUSK_SQLSTATE_INVALID_SQL_STATEMENT_NAME, "invalid_sql_statement_name"},
    {"26000", TUSK_SQLSTATE_UNDEFINED_PSTATEMENT, "invalid_sql_statement_name"}, /* two macros, one state */
    {"2202E", TUSK_SQLSTATE_ARRAY_SUBSCRIPT_ERROR, "array_subscript_error"},
    {"40001", TUSK_SQLSTATE_T_R_SERIALIZATION_FAILURE, "serialization_failure"},
    {"42P05", TUSK_SQLSTATE_DUPLICATE_PSTATEMENT, "duplicate_prepared_statement"},
    {"57014", TUSK_SQLSTATE_QUERY_CANCELED, "query_canceled"},
    {"P0001", TUSK_SQLSTATE_RAISE_EXCEPTION, "raise_exception"},
    {"XX002", TUSK_SQLSTATE_INDEX_CORRUPTED, "index_corrupted"},
};

START_TEST(a_state_is_a_number_and_has_a_name)
{
    ck_assert_uint_eq(tusk_sqlstate_of(known[_i].text), known[_i].number);
    ck_assert_str_eq(tusk_sqlstate_name(known[_i].text), known[_i].name);
}
END_TEST

START_TEST(what_is_no_state_is_zero_and_has_no_name)
{
    static const char *const wrong[] = {"", "2350", "235050", "2350x", "23 05", "-1000", "23505 ", "\303\274505"};

    ck_assert_uint_eq(tusk_sqlstate_of(NULL), 0);
    ck_assert_ptr_null(tusk_sqlstate_name(NULL));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_uint_eq(tusk_sqlstate_of(wrong[i]), 0);
        ck_assert_ptr_null(tusk_sqlstate_name(wrong[i]));
    }
}
END_TEST

START_TEST(an_unknown_state_has_a_number_and_no_name)
{
    ck_assert_uint_eq(tusk_sqlstate_of("ZZZZZ"), 36u * 36u * 36u * 36u * 36u - 1);
    ck_assert_uint_eq(tusk_sqlstate_of("00001"), 1);
    ck_assert_ptr_null(tusk_sqlstate_name("ZZZZZ"));
    ck_assert_ptr_null(tusk_sqlstate_name("00001"));
}
END_TEST

START_TEST(a_class_is_asked_for_as_a_number)
{
    ck_assert_uint_eq(tusk_sqlstate_class(tusk_sqlstate_of("23505")), TUSK_SQLSTATE_INTEGRITY_CONSTRAINT_VIOLATION);
    ck_assert_uint_eq(tusk_sqlstate_class(TUSK_SQLSTATE_INTEGRITY_CONSTRAINT_VIOLATION),
                      TUSK_SQLSTATE_INTEGRITY_CONSTRAINT_VIOLATION);
    ck_assert_uint_eq(tusk_sqlstate_class(tusk_sqlstate_of("23ZZZ")), TUSK_SQLSTATE_INTEGRITY_CONSTRAINT_VIOLATION);
    ck_assert_uint_ne(tusk_sqlstate_class(tusk_sqlstate_of("24000")), TUSK_SQLSTATE_INTEGRITY_CONSTRAINT_VIOLATION);
}
END_TEST

/* An error without one, as tusk_error starts, is 0. */
START_TEST(numbers_serve_in_a_switch)
{
    tusk_error err = {0};

    switch (tusk_sqlstate_of(err.sqlstate)) {
    case TUSK_SQLSTATE_UNIQUE_VIOLATION:
    case TUSK_SQLSTATE_T_R_DEADLOCK_DETECTED:
        ck_abort();
    case 0:
        break;
    default:
        ck_abort();
    }
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("sqlstate");
    TCase *tc = tcase_create("sqlstate");

    tcase_add_test(tc, what_is_no_state_is_zero_and_has_no_name);
    tcase_add_test(tc, an_unknown_state_has_a_number_and_no_name);
    tcase_add_loop_test(tc, a_state_is_a_number_and_has_a_name, 0, (int)(sizeof known / sizeof *known));
    tcase_add_test(tc, a_class_is_asked_for_as_a_number);
    tcase_add_test(tc, numbers_serve_in_a_switch);
    suite_add_tcase(suite, tc);
    return suite;
}
