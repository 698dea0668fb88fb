/* The parameter requirepeer: does the server behind a Unix-domain socket run as the account that the caller expects?
 * It looks no name up; the configuration has done that. Over TCP there is nothing to ask.
 * Read first: PostgreSQL docs, libpq, "requirepeer". */
#ifndef TUSK_LIB_PEER_H
#define TUSK_LIB_PEER_H

#include "lib/settings.h"
#include "loop/loop.h"

/* fd is a connected Unix-domain socket. TUSK_OK: requirepeer is not given, or it is that account. Errors: TUSK_ERR_AUTH 28000
 * another account, or one that this machine does not have · TUSK_ERR_SYSTEM the kernel does not say */
TUSK_MUST_CHECK
tusk_code tusk__peer_check(tusk_loop *loop, int fd, const tusk__settings *settings, tusk_error *err);

#endif
