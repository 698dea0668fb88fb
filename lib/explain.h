/* EXPLAIN of a prepared statement, as messages.
 * Read first: tusk/query.h, tusk_stmt_explain(). */
#ifndef TUSK_LIB_EXPLAIN_H
#define TUSK_LIB_EXPLAIN_H

#include "lib/conn.h"

/* For EXPLAIN and ANALYZE. Of the latter the transaction status decides the form: nothing may be on the wire. */
TUSK_MUST_CHECK
tusk_code tusk__explain_encode(tusk_conn *conn, tusk_query *q, const tusk__request *r);

/* The position of its error becomes one in the statement, without what stands in front of that. */
TUSK_COLD
void tusk__explain_place(tusk_query *q);

/* Parse, Bind, Execute of what has neither parameters nor rows. */
void tusk__write_command(tusk__writer *b, const char *sql);

static inline bool tusk__is_analyze(const tusk_query *q)
{
    return q->kind == TUSK__QUERY_ANALYZE || q->kind == TUSK__QUERY_ANALYZE_INSIDE;
}

#endif
