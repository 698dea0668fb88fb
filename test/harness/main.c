/*
 * main() of every test program. Which tests run, whether each in a process of its own, how long they may take and how much is
 * said is Check's business: CK_RUN_SUITE, CK_RUN_CASE, CK_FORK, CK_DEFAULT_TIMEOUT, CK_TIMEOUT_MULTIPLIER, CK_VERBOSITY.
 */
#include "test/harness/harness.h"

#include <stdlib.h>

int main(void)
{
    SRunner *runner = srunner_create(tusk_suite());

    srunner_run_all(runner, CK_ENV);
    int n_failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
