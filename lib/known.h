/* What the connections of a loop have learned, for each other: how the columns of a statement look, and which types the server cannot
 * send in binary. Both only choose formats: what comes is decoded by the description that came with it, so an entry that is wrong
 * by now, or another statement's by its hash, costs a repetition at most and never a value.
 * Kept per endpoint (host and port or socket, dbname, user) and search_path, as far as the server tells it; bounded, those used last.
 * Read first: DESIGN principle 5, docs/internals/cache.md. */
#ifndef TUSK_LIB_KNOWN_H
#define TUSK_LIB_KNOWN_H

#include "lib/result.h"

/* Entries of a loop, and bytes of the descriptions in them. */
#define TUSK__KNOWN_MAX 4096
#define TUSK__KNOWN_BYTES_MAX (4 * 1024 * 1024)

/* With the formats to ask for. NULL: nothing is known. Borrowed until the next call of any of these. */
tusk__desc *tusk__known_find(tusk_loop *loop, uint64_t key);
/* Takes a reference of its own. Without memory for it, nothing is learned. */
void tusk__known_set(tusk_loop *loop, uint64_t key, tusk__desc *desc);
void tusk__known_forget(tusk_loop *loop, uint64_t key);

/* A type that has no binary output, at the endpoint of that scope (tusk__known_scope()). */
bool tusk__known_is_text(tusk_loop *loop, uint64_t scope, uint32_t type);
void tusk__known_set_text(tusk_loop *loop, uint64_t scope, uint32_t type);

#endif
