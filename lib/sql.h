/* The beginning of SQL text, for errors. What it says is lib/command.h's.
 * Read first: tusk/error.h, where. */
#ifndef TUSK_LIB_SQL_H
#define TUSK_LIB_SQL_H

#include <stdbool.h>

#include <tusk/str.h>

/* Copy the beginning into head[size], for a reader to recognise the statement by. It ends, with "…", where `size` ends or where the
 * first literal begins: what stands in quotes may be a secret. Always terminated. */
void tusk__sql_head(tusk_str sql, char *head, size_t size);

/* Does it say "password" anywhere? Then no copy of it is left in memory. */
bool tusk__sql_may_hold_secret(tusk_str sql);

#endif
