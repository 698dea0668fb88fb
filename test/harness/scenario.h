/* What is done while something fails: connect over TLS with SCRAM, ask, prepare, ask again, close; and what may come of it.
 * Each run has a process of its own, so that a crash is one outcome among others and OpenSSL begins anew.
 * Read first: reliability G2, G3. */
#ifndef TUSK_TEST_SCENARIO_H
#define TUSK_TEST_SCENARIO_H

#include <stdbool.h>

#include <tusk/tusk.h>

#include "loop/os.h"

typedef enum outcome {
    OUTCOME_RIGHT,       /* all rows, and right ones */
    OUTCOME_ERROR,       /* an error, told cleanly */
    OUTCOME_NO_LOOP,     /* not even a loop */
    OUTCOME_NOT_OURS,    /* a hang, in which OpenSSL hangs without us, too */
    /* the bad ones */
    OUTCOME_UNVERIFIED,  /* connected, though it must not be possible, or without TLS */
    OUTCOME_WRONG,       /* a wrong row, or success without all of them */
    OUTCOME_SILENT,      /* failed without a code, sqlstate or message */
    OUTCOME_LEAK,        /* memory or descriptors of ours are left */
    OUTCOME_HANG,
    OUTCOME_CRASH,
    N_OUTCOMES
} outcome;

const char *outcome_name(outcome o);
static inline bool outcome_is_bad(outcome o)
{
    return o >= OUTCOME_UNVERIFIED;
}

/* The scenario on a loop in the world of os, with this allocator. dsn NULL: the harness's own, which works; otherwise one under
 * which no connection may come about. */
outcome scenario_run(const tusk__os *os, const tusk_allocator *allocator, const char *dsn);

/* A DSN whose certificate cannot be right: the server's is not for that name. */
const char *scenario_impossible_dsn(void);

/* fn(arg) in a child process; what it returned, or HANG after some seconds, or CRASH. */
outcome scenario_in_child(outcome (*fn)(void *arg), void *arg);

/* Count and print: "alloc once, 143 indices: 12 right, 131 error". Fails the test if there is a bad one, naming the indices. */
typedef struct tally {
    long n[N_OUTCOMES];
    char bad[512];
} tally;
void tally_add(tally *t, outcome o, const char *what, long index);
void tally_print(const tally *t, const char *title);

#endif
