/* A statement whose columns are not known, on a connection with codecs that read text: prepared, so that its columns are asked for in the
 * right format the first time, too.
 * Read first: docs/internals/own-codecs.md. */
#ifndef TUSK_LIB_DESCRIBE_FIRST_H
#define TUSK_LIB_DESCRIBE_FIRST_H

#include "lib/conn.h"

/* Might it need that? Only of a connection that has codecs. */
bool tusk__describes_first(const tusk_conn *conn, const tusk_query *q, tusk_str sql);
/* Submit it, as whatever it needs. */
void tusk__describe_first(tusk_conn *conn, tusk_query *q, tusk_str sql, tusk_params params);

#endif
