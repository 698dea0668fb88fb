/* SQLSTATEs: text to number, text to condition name.
 * It does not judge them: tusk_error_is_retriable() and its kin do.
 * Read first: tusk/sqlstate.h; PostgreSQL docs, "PostgreSQL Error Codes". */
#include <tusk/sqlstate.h>

#include <stddef.h>

typedef struct tusk__sqlstate {
    uint32_t number;
    const char *name;
} tusk__sqlstate;

static const tusk__sqlstate states[] = {
#include "lib/sqlstate_table.h"
};

/* 0…35, or -1. Not isalnum(): the answer must not hang on a locale. */
static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'Z' ? c - 'A' + 10 : -1;
}

/* Five digits, then the end. */
static int number_of(const char *sqlstate, uint32_t *out)
{
    uint32_t n = 0;

    for (int i = 0; i < 5; i++) {
        int digit = digit_of(sqlstate[i]);

        if (digit < 0)
            return 0;
        n = n * 36 + (uint32_t)digit;
    }
    *out = n;
    return sqlstate[5] == '\0';
}

uint32_t tusk_sqlstate_of(const char *sqlstate)
{
    uint32_t n;

    return sqlstate && number_of(sqlstate, &n) ? n : 0;
}

const char *tusk_sqlstate_name(const char *sqlstate)
{
    size_t low = 0, high = sizeof states / sizeof *states;
    uint32_t n;

    if (!sqlstate || !number_of(sqlstate, &n))
        return NULL;
    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (states[mid].number == n)
            return states[mid].name;
        if (states[mid].number < n)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}
