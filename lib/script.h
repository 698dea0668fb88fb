/* A script, cut into its statements where the server, and psql, cut it: at each ; that stands neither in quotes, comments and
 * parentheses nor in the BEGIN ATOMIC … END of a function.
 * Read first: lib/tokens.h, docs/internals/tokens.md. */
#ifndef TUSK_LIB_SCRIPT_H
#define TUSK_LIB_SCRIPT_H

#include "lib/tokens.h"

/* The next statement: a view from behind the blanks in front of it up to its ;, comments included (hints stand in them). What is
 * empty but for comments is passed over. For the position in the script of an error at position p of the statement:
 * tusk__script_position().
 * Returns   TUSK_OK · TUSK_DONE there is none · TUSK_ERR_USAGE, 42601 a quote or comment has no end: its position in the script */
TUSK_MUST_CHECK
tusk_code tusk__script_next(tusk__tokens *script, tusk_str *statement, tusk_error *err);

/* The position in the script that `position` of one of its statements is; 0 stays 0. */
int tusk__script_position(tusk_str script, tusk_str statement, int position);

#endif
