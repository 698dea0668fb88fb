/* The list of attempts from inside: its rows, and what the files that work on it share.
 * Read first: lib/attempts.h, docs/internals/connect.md. */
#ifndef TUSK_LIB_ATTEMPTS_LIST_H
#define TUSK_LIB_ATTEMPTS_LIST_H

#include "lib/attempts.h"

typedef enum tusk__attempt_state {
    TUSK__ATTEMPT_WAITING, /* not begun */
    TUSK__ATTEMPT_DIALING,
    TUSK__ATTEMPT_PARKED, /* reached, while the owner was busy with another */
    TUSK__ATTEMPT_TAKEN,  /* the owner has it; one at most */
    TUSK__ATTEMPT_OVER,   /* failed: err */
    TUSK__N_ATTEMPT_STATES
} tusk__attempt_state;

/* Fresh for each attempt: nothing of a failed one survives it but its error (D28). */
typedef struct tusk__attempt {
    struct tusk__attempt *next;
    tusk__attempts *list;
    tusk__attempt_state state;
    tusk__route route;
    tusk__dial *dial;           /* DIALING */
    tusk__transport *transport; /* PARKED */
    tusk__timer deadline;       /* DIALING, TAKEN */
    tusk_error err;
} tusk__attempt;

struct tusk__attempts {
    tusk_loop *loop;
    tusk__settings *settings;
    tusk__attempts_owner owner;
    tusk__attempt *first; /* those that are not over; the rows of one host stand together */
    tusk__attempt *over, *over_last;
    size_t n_rows[TUSK__N_ATTEMPT_STATES]; /* by state: thousands may wait, and none is to be looked for where there is none */
    bool takes_any;      /* the second pass of prefer-standby: the first has found none */
    bool gave_up;        /* … and there is none behind what ends the list */
    tusk__timer stagger; /* runs: the next row is not due yet */
    tusk__task task;
};

/* attempts_list.c */
tusk__attempt *tusk__attempts_find(const tusk__attempts *a, tusk__attempt_state wanted); /* the first that is so, but for OVER; NULL */
void tusk__attempt_become(tusk__attempt *at, tusk__attempt_state state);
void tusk__attempt_put_away(tusk__attempt *at); /* OVER: behind the others that are */
void tusk__attempts_clear(tusk__attempts *a);
TUSK_MUST_CHECK
tusk_code tusk__attempts_insert(tusk__attempts *a, tusk__attempt **place, const tusk__route *route, tusk_error *err);
void tusk__attempt_stop(tusk__attempt *at); /* give up what it is doing */
void tusk__attempt_remove(tusk__attempt **place);

/* attempts_addresses.c: 0 … n-1, in this order or, with load_balance_hosts, in any; the addresses of one row's name. */
TUSK_MUST_CHECK
tusk_code tusk__attempts_put_in_order(const tusk__attempts *a, size_t *order, size_t n, tusk_error *err);
tusk_code tusk__attempt_on_addresses(const tusk__address *addresses, size_t n, size_t *mine, void *user, tusk_error *err);
TUSK_MUST_CHECK
tusk_code tusk__attempts_start_stagger(tusk__attempts *a, tusk_error *err);

/* attempts_end.c: one attempt ends, and what that means for the others. */
void tusk__attempt_end(tusk__attempt *at, const tusk_error *err, tusk__verdict verdict);
tusk__verdict tusk__attempt_judge(const tusk__dial *dial, const tusk__route *route, const tusk_error *err);
TUSK_MUST_CHECK
tusk_code tusk__attempt_start_deadline(tusk__attempt *at, tusk_error *err);

/* attempts_error.c: which error tells most, and the others in its detail. */
const tusk__attempt *tusk__attempts_most_telling(const tusk__attempts *a);
void tusk__attempts_name_others(const tusk__attempts *a, const tusk__attempt *told, tusk_error *err);

/* attempts.c: who is next? Asked in the next phase of the loop. */
void tusk__attempts_look_soon(tusk__attempts *a);

#endif
