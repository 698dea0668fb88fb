/* Mishaps: errors that are about what we have prepared or assumed of a statement, and not about what the caller asked. What can be learned
 * from them is learned here; whether the question is asked once more is repeat.c's business.
 * Read first: DESIGN "Repetition", docs/internals/cache.md. */
#ifndef TUSK_LIB_MISHAP_H
#define TUSK_LIB_MISHAP_H

#include "lib/conn.h"

typedef enum tusk__mishap {
    TUSK__MISHAP_NONE,
    TUSK__MISHAP_STALE,   /* the columns are others than when it was prepared */
    TUSK__MISHAP_LOST,    /* the server does not have it */
    TUSK__MISHAP_TAKEN,   /* the server has another one of that name */
    TUSK__MISHAP_OUTPUT,  /* a column's type has no binary output */
    TUSK__MISHAP_COLUMNS, /* there are more or fewer columns than formats were chosen for */
    TUSK__MISHAP_TYPE,    /* a type that it names was dropped, and perhaps made again */
    TUSK__N_MISHAPS
} tusk__mishap;

/* One statement as it was tried, and what the server said of it. All is borrowed. */
typedef struct tusk__tried {
    tusk_stmt *stmt; /* by a name; NULL: without one */
    bool is_run;     /* it was prepared before */
    bool text_results;
    uint8_t failed_at; /* tusk__expect */
    uint64_t hash;
    const tusk__desc *assumed, *desc; /* what its Bind went by; and its columns, NULL: not described */
    const tusk_error *error;
    tusk_str routine; /* the function of the server that raised it; empty: some servers do not say */
} tusk__tried;

tusk__mishap tusk__mishap_of(const tusk__tried *tried);

/* Is it met when a result is to be sent? A procedure may have committed before. */
static inline bool tusk__mishap_is_late(tusk__mishap why)
{
    return why == TUSK__MISHAP_OUTPUT || why == TUSK__MISHAP_TYPE;
}

/* False: as far as it goes, the second try would not differ from the first. */
bool tusk__mishap_learn(tusk_conn *conn, const tusk__tried *tried, tusk__mishap why);

/* What is left where it is not repeated: for whoever has to do that. */
void tusk__mishap_advise(tusk_error *err, tusk__mishap why, tusk_retry retry);

#endif
