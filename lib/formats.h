/* Which format each column is asked for, and what was asked for that which came.
 * Read first: lib/known.h, lib/result.h. */
#ifndef TUSK_LIB_FORMATS_H
#define TUSK_LIB_FORMATS_H

#include "lib/conn.h"

bool tusk__desc_is_all_binary(const tusk__desc *desc);

/* What is known of q's statement, as its Bind's formats: counted in q->assumed; NULL: nothing, so all in binary. Only for what
 * brings its own description. */
void tusk__formats_assume(tusk_conn *conn, tusk_query *q);

/* Are these its columns? Formats aside. */
bool tusk__formats_match(const tusk__desc *desc, const tusk__row_description *description);

/* What the server described, in the formats that q's Bind asked for. NULL: out of memory. Counted. */
tusk__desc *tusk__formats_described(tusk_conn *conn, const tusk_query *q, const tusk__row_description *description);

/* The same columns in the formats to ask for the next time: desc itself, if they are these. NULL: out of memory. Counted. */
tusk__desc *tusk__formats_for_next(tusk_conn *conn, const tusk_query *q, tusk__desc *desc);

/* The same columns, those of that type in the format to ask for the next time: desc itself, if they are. NULL: out of memory. Counted. */
tusk__desc *tusk__formats_of_type(tusk_conn *conn, tusk__desc *desc, uint32_t type);

/* Binary output was refused for one of these columns: a copy with text for all that it may have been, and what is sure is learned for
 * all statements. NULL: out of memory. Counted. */
tusk__desc *tusk__formats_refused(tusk_conn *conn, const tusk__desc *desc);

/* The key of a statement with that hash in the table of known ones. */
uint64_t tusk__known_key(tusk_conn *conn, uint64_t hash);

#endif
