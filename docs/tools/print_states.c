/*
 * Prints docs/states.md. The work is done in test/harness/print_states.c, where session_test can reach it too.
 */
#include "test/harness/print_states.h"

int main(void)
{
    print_states(stdout);
    return fflush(stdout) == 0 ? 0 : 1;
}
