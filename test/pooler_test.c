/* Is a pooler in between? What is said of it counts; where nothing is, the process that the login names.
 * Read first: lib/pooler.h. */
#include "test/harness/harness.h"

#include "lib/pooler.h"

static const struct {
    tusk__pooler said;
    uint32_t pid;
    bool changes;
} cases[] = {
    {TUSK__POOLER_AUTO, 0, false},
    {TUSK__POOLER_AUTO, 1, false},
    {TUSK__POOLER_AUTO, 4194304, false},
    {TUSK__POOLER_AUTO, 4194305, true},
    {TUSK__POOLER_AUTO, UINT32_MAX, true},
    {TUSK__POOLER_NONE, UINT32_MAX, false},
    {TUSK__POOLER_SESSION, UINT32_MAX, false},
    {TUSK__POOLER_TRANSACTION, 1, true},
    {TUSK__POOLER_TRANSACTION, UINT32_MAX, true},
};

START_TEST(sessions_change_where_it_is_said_or_no_process_can_be_meant)
{
    ck_assert_int_eq(tusk__pooler_changes_sessions(cases[_i].said, cases[_i].pid), cases[_i].changes);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("pooler");
    TCase *tcase = tcase_create("auto");

    tcase_add_loop_test(tcase, sessions_change_where_it_is_said_or_no_process_can_be_meant, 0,
                        (int)(sizeof cases / sizeof cases[0]));
    suite_add_tcase(suite, tcase);
    return suite;
}
