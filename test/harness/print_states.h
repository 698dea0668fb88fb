/*
 * docs/states.md, printed from the tables of proto/session_table.c: docs/generate writes it, session_test compares it.
 */
#ifndef TUSK_TEST_PRINT_STATES_H
#define TUSK_TEST_PRINT_STATES_H

#include <stdio.h>

void print_states(FILE *out);

#endif
