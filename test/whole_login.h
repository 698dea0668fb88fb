/* The login in one piece, for tests that put a link of theirs below it by a macro.
 * Read first: lib/login_parts.h. */
#ifndef TUSK_TEST_WHOLE_LOGIN_H
#define TUSK_TEST_WHOLE_LOGIN_H

#include "lib/login.c"
#include "lib/login_auth.c"
#include "lib/login_mechanism.c"
#include "lib/login_password.c"
#include "lib/login_scram.c"

#endif
