/* The crypto functions of proto/crypto.h, filled with OpenSSL, and random bytes with the kernel's.
 * It keeps no state, knows no protocol and no TLS (that is lib/tls.c).
 * Read first: proto/crypto.h. */
#ifndef TUSK_LIB_CRYPTO_H
#define TUSK_LIB_CRYPTO_H

#include "proto/crypto.h"

/* The table. Static and constant; copy it to put another `random` in. Any thread may call what is in it.
 * md5 may allocate inside OpenSSL and fail with TUSK_ERR_NOMEM; the rest allocates nothing. A failing call leaves this thread's
 * OpenSSL error queue empty. */
const tusk__crypto *tusk__crypto_openssl(void);

/* Before anything else is asked of OpenSSL, but for hashes: unless the program has set it up already, it takes itself down at no exit().
 * A helper thread may be in it then, for a loop that was freed, and would find its tables gone. */
void tusk__crypto_begin(void);

#endif
