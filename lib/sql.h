/* The little that Tusk looks at in SQL text: its first keyword. Nothing is ever put into SQL text.
 * Read first: DESIGN "Barriers". */
#ifndef TUSK_LIB_SQL_H
#define TUSK_LIB_SQL_H

#include <stdbool.h>

#include <tusk/str.h>

/* Is `keyword` (lower case) the first word behind blanks and comments? */
bool tusk__sql_begins_with(tusk_str sql, const char *keyword);

#endif
