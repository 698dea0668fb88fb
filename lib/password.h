/* The connection's side of a question for a password.
 * It knows no login: whoever asks is told once, from the loop, or asks no more.
 * Read first: tusk/password.h, docs/internals/login.md. */
#ifndef TUSK_LIB_PASSWORD_H
#define TUSK_LIB_PASSWORD_H

#include "lib/settings.h"

/* err->code TUSK_OK: the password, which lives until this returns and is then wiped. Everything is allowed. */
typedef void (*tusk__password_answer_fn)(tusk_str password, const tusk_error *err, void *user);

/* Ask settings->on_password for the password of a host, in a later phase of the loop. *mine is set, and becomes NULL when the answer
 * is delivered or nobody is left to give one; until then on_answer is outstanding. */
TUSK_MUST_CHECK
tusk_code tusk__password_ask(tusk_loop *loop, const tusk__settings *settings, const tusk__host *host,
                             tusk__password_answer_fn on_answer, void *user, tusk_password_request **mine,
                             tusk_error *err);
/* on_answer will not be called; *mine is NULL. Again is fine. */
void tusk__password_abandon(tusk_password_request **mine);

#endif
