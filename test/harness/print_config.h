/*
 * The page docs/config.md, from the table of parameters in lib/config_table.c.
 */
#ifndef TUSK_TEST_PRINT_CONFIG_H
#define TUSK_TEST_PRINT_CONFIG_H

#include <stdio.h>

void print_config(FILE *out);

#endif
