/* Connection strings by chance: right ones, and ones with a fault somewhere.
 * Read first: test/compare/compare.c. */
#ifndef TUSK_TEST_COMPARE_GENERATE_H
#define TUSK_TEST_COMPARE_GENERATE_H

#include <stddef.h>
#include <stdint.h>

#define STRING_MAX 1024

/* Repeatable: the same seed, the same strings. */
typedef struct chance {
    uint64_t state;
} chance;

uint32_t chance_below(chance *c, uint32_t n);
int chance_in(chance *c, uint32_t one_in);

/* A string of at most STRING_MAX - 1 bytes without NUL. Names are drawn from `names`. */
void generate_string(chance *c, const char *const *names, size_t n_names, char out[STRING_MAX]);

#endif
