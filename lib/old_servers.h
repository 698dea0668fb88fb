/* Servers that refuse protocol 3.2 instead of negotiating, kept on the loop: the next connection asks them for 3.0 at once.
 * Read first: docs/internals/login.md, "Which protocol". */
#ifndef TUSK_LIB_OLD_SERVERS_H
#define TUSK_LIB_OLD_SERVERS_H

#include "lib/settings.h"
#include "loop/loop.h"

/* Enough for the servers of one loop; beyond it the one that was remembered first is asked anew. */
#define TUSK__OLD_SERVERS_MAX 64

bool tusk__old_servers_has(const tusk_loop *loop, const tusk__host *host);

/* A login in 3.0 has succeeded behind a refusal of 3.2. Out of memory it is not remembered, and nothing is wrong. */
void tusk__old_servers_add(tusk_loop *loop, const tusk__host *host);

#endif
