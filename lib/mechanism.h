/* The seam for ways of logging in that are not in the core: GSSAPI, and SASL's by their names. A mechanism is a table of functions;
 * an exchange is one of them at work for one login, or for two if it says so.
 * It knows no messages: what is asked and answered in which message, and whether it may be, is lib/login.c's business.
 * Read first: docs/internals/login.md, "Mechanisms". */
#ifndef TUSK_LIB_MECHANISM_H
#define TUSK_LIB_MECHANISM_H

#include <tusk/auth.h>

#include "lib/settings.h"

/* Where an exchange is when a step is done. */
typedef enum tusk__standing {
    TUSK__STANDING_GOES_ON = 0, /* the server has to go on; AuthenticationOk now would be a lie (D24) */
    TUSK__STANDING_DONE,        /* all is said, and proved where the mechanism can prove it: AuthenticationOk counts */
    TUSK__STANDING_REFUSED,     /* the server will not: nothing but its error may come */
    TUSK__STANDING_BEGINS_AGAIN /* behind refused() alone: the same exchange, on a fresh connection to the same address, will do
                                   better. Once: the second time it is REFUSED */
} tusk__standing;

/* What a step comes to; all zero when it is handed in. */
typedef struct tusk__reply {
    tusk_str data; /* for the server; ptr NULL: nothing, which is not the same as empty. The mechanism's memory: it lives until the
                      mechanism is called again, and what is secret in it is wiped by it then */
    tusk__standing standing;
} tusk__reply;

/* One mechanism at work. What the mechanism may read comes first; the rest is the seam's. */
typedef struct tusk__exchange {
    tusk_loop *loop;
    tusk__settings *settings;
    const tusk__host *host; /* of them: the one that was reached */
    bool is_server_proved;  /* by its certificate under sslmode=verify-full, or by requirepeer: a secret may go there */

    const tusk_auth_mechanism *mechanism;
    void *state; /* the mechanism's */
    tusk__standing standing;
    bool is_begun;     /* its first answer in this login has left */
    bool is_waiting;   /* the last call said TUSK_AGAIN */
    bool is_refused;   /* the server's error has come: what is said from here on is said to nobody */
    bool was_repeated; /* it has begun again */
    void (*on_wake)(void *user);
    void *wake_user;
} tusk__exchange;

/*
 * What a mechanism is made of. Its functions run on the loop's thread, from the loop. They may not block, nor take longer than some
 * 1 ms: what does is a job of the helper thread (loop/loop.h), or a question to the program, and the step says TUSK_AGAIN.
 *
 * Results of step(), resume() and refused():
 *   TUSK_OK     *reply says what to send and how things stand
 *   TUSK_AGAIN  not yet. The mechanism calls tusk__exchange_wake() when it knows more; then resume() is called, which may say
 *               TUSK_AGAIN again. Meanwhile nothing of the server's is read, the time-outs run, and free() may come at any moment
 *   errors      the login is over. err is filled, without any secret: TUSK_ERR_AUTH (28000) unless it is something else
 */
struct tusk_auth_mechanism {
    const char *name;         /* for SASL its registered name; and for the reader of an error */
    tusk__auth_method method; /* what require_auth calls it; of one method there is one mechanism */
    bool is_sasl;             /* offered by its name in AuthenticationSASL; else asked for by AuthenticationGSS (or …SSPI) */

    /* Does the configuration do? Called once, when it is read; TUSK_ERR_CONFIG. NULL: it always does. */
    tusk_code (*check)(const tusk__settings *settings, tusk_error *err);
    /* *state is what the others are given; it may keep x, which lives as long as it does. */
    tusk_code (*start)(tusk__exchange *x, void **state, tusk_error *err);
    /* The server's turn is over. input: the bytes of its SASLContinue or GSSContinue, which are gone when step() returns; ptr NULL: it
     * has asked for the mechanism, in this login for the first time. */
    tusk_code (*step)(void *state, tusk_str input, tusk__reply *reply, tusk_error *err);
    /* After tusk__exchange_wake(): the rest of the step, or of refused(). NULL: it never says TUSK_AGAIN. */
    tusk_code (*resume)(void *state, tusk__reply *reply, tusk_error *err);
    /* The server has answered with an error, which is what the login will fail with; hint and detail may be added to it where they
     * are empty. reply->data does not count. NULL: nothing to say to that. */
    tusk_code (*refused)(void *state, tusk_error *error, tusk__reply *reply, tusk_error *err);
    /* It waits, and the login's time is over: whom for, as the detail of that error. NULL: for the server. */
    void (*explain)(const void *state, tusk_error *err);
    /* At any time, also while it waits; never inside another call of the same state. What is under way is abandoned, secrets are
     * wiped. */
    void (*free)(void *state);
};

/* For the mechanism: resume() is wanted. From the loop's thread, once for each TUSK_AGAIN, at the earliest inside the call that says
 * it. resume() follows in a later phase of the loop. */
void tusk__exchange_wake(tusk__exchange *x);

/* ---- for the configuration ---- */

/* NULL: the program has named none. */
const tusk_auth_mechanism *tusk__mechanism_of_method(const tusk__settings *settings, tusk__auth_method method);
const tusk_auth_mechanism *tusk__mechanism_of_sasl(const tusk__settings *settings, tusk_str name);
/* What is to be named in tusk_config.auth_mechanisms for a method that needs it: "tusk_oauth()"; NULL: nothing, it is in the core or
 * in nothing. */
const char *tusk__mechanism_to_name(tusk__auth_method method);
/* To name that and where, as the hint of err. */
void tusk__mechanism_hint(tusk__auth_method method, tusk_error *err);

/* ---- for the login ---- */

/* settings are referenced. */
TUSK_MUST_CHECK
tusk_code tusk__exchange_new(tusk_loop *loop, tusk__settings *settings, const tusk__host *host,
                             const tusk_auth_mechanism *mechanism, tusk__exchange **out, tusk_error *err);
void tusk__exchange_free(tusk__exchange *x); /* NULL is fine */

/* As the mechanism's functions, with what they may answer held to the rules above. resume() only when is_waiting. */
tusk_code tusk__exchange_step(tusk__exchange *x, tusk_str input, tusk__reply *reply, tusk_error *err);
tusk_code tusk__exchange_resume(tusk__exchange *x, tusk__reply *reply, tusk_error *err);
tusk_code tusk__exchange_refused(tusk__exchange *x, tusk_error *error, tusk__reply *reply, tusk_error *err);

#endif
