/* What a pooler in transaction mode cannot keep a promise of: the session behind the next request may be another one.
 * Read first: DESIGN "Poolers"; docs/guide.md, "Behind a pooler". */
#ifndef TUSK_LIB_POOLER_H
#define TUSK_LIB_POOLER_H

#include <tusk/error.h>

typedef enum tusk__pooler {
    TUSK__POOLER_AUTO, /* nobody has said */
    TUSK__POOLER_NONE,
    TUSK__POOLER_SESSION,    /* each connection has a session of the server's for itself: as without */
    TUSK__POOLER_TRANSACTION /* for one transaction at a time */
} tusk__pooler;

/* May another session be behind the next request? Nothing in the protocol says so, but a pooler makes up the process that it names at the
 * login (pid), out of 32 bits, and a server's processes have 22 at most. */
bool tusk__pooler_changes_sessions(uint32_t said, uint32_t pid);

/* TUSK_ERR_USAGE, 0A000: one of these statements would leave something with a session, or look for it there. Others it may be called
 * by (a function that takes a lock) are not seen. */
TUSK_MUST_CHECK
tusk_code tusk__pooler_check(tusk_str sql, tusk_error *err);

#endif
