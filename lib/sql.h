/* The little that Tusk looks at in SQL text: its first keyword, and its beginning for errors. Nothing is ever put into SQL text.
 * Read first: DESIGN "Barriers". */
#ifndef TUSK_LIB_SQL_H
#define TUSK_LIB_SQL_H

#include <stdbool.h>

#include <tusk/str.h>

/* Is `keyword` (lower case) the first word behind blanks and comments? */
bool tusk__sql_begins_with(tusk_str sql, const char *keyword);

/* Copy the beginning into head[size], for a reader to recognise the statement by. It ends, with "…", where `size` ends or where the
 * first literal begins: what stands in quotes may be a secret. Always terminated. */
void tusk__sql_head(tusk_str sql, char *head, size_t size);

#endif
