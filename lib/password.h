/* The connection's side of a question for a password.
 * Read first: tusk/password.h, lib/question.h. */
#ifndef TUSK_LIB_PASSWORD_H
#define TUSK_LIB_PASSWORD_H

#include "lib/question.h"
#include "lib/settings.h"

/* Ask settings->on_password for the password of a host: as tusk__question_new(). It is not empty. */
TUSK_MUST_CHECK
tusk_code tusk__password_ask(tusk_loop *loop, const tusk__settings *settings, const tusk__host *host,
                             tusk__answer_fn on_answer, void *user, tusk__question **mine, tusk_error *err);

#endif
