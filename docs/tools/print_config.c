/*
 * Prints docs/config.md. The work is done in test/harness/print_config.c, where settings_test can reach it too.
 */
#include "test/harness/print_config.h"

int main(void)
{
    print_config(stdout);
    return fflush(stdout) == 0 ? 0 : 1;
}
