/* Looking up types of the database's own that are met in a description and not known at the endpoint: one question to the catalogue, sent
 * when nothing else is on the wire, in front of what is held back. A kept result that has such a type is told when that is answered, and so
 * is, for order's sake, what was on the wire behind it.
 * Whatever becomes of the question, it is never the error of a request.
 * Read first: docs/internals/types-known.md. */
#ifndef TUSK_LIB_LOOKUP_H
#define TUSK_LIB_LOOKUP_H

#include "lib/conn.h"

/* Types that a question asks for. */
#define TUSK__LOOKUP_MAX 64
/* … that are noted, and asked for by one question behind the other: as many as a result can have columns. What is beyond is asked for when it
 * is met the next time. */
#define TUSK__WANTED_MAX 1664

/* tusk_query.lookup: bits. With any of them set, n_more_syncs counts one more: the way of all other queries does not ask. */
typedef enum tusk__looks {
    TUSK__LOOKS_UP = 1,  /* types were met that are not known */
    TUSK__LOOKS_WAITS = 2, /* it is not told before the look-up is over, if it can wait */
    TUSK__LOOKS_LEARNS = 4 /* its rows are the answer to tusk_types_look_up() */
} tusk__looks;

/* q's result, or what it prepared, has these columns: types that are not known are noted. NULL is fine. */
void tusk__lookup_columns(tusk_conn *conn, tusk_query *q, const tusk__desc *desc);

/* … or parameters of these types: q does not wait for what they are. types may be NULL. */
void tusk__lookup_params(tusk_conn *conn, tusk_query *q, const uint32_t *types, size_t n);

/* q goes once more, and notes anew what it meets then. Nothing more is expected of the server for its mark. */
void tusk__lookup_unmark(tusk_query *q);

/* q is answered and still at the head of the queue: what it noted is going to be asked. True: it has to wait, and left the queue. */
bool tusk__lookup_waits(tusk_conn *conn, tusk_query *q);

/* Does anybody in front of q, which is out of the queue, wait? Then q waits with him, and is told behind him. */
bool tusk__lookup_queues(tusk_conn *conn, tusk_query *q);

/* q does not wait any more, whoever is in front of it: the caller completes it. */
void tusk__lookup_let_go(tusk_query *q);

/* All that wait are told now, in order. */
void tusk__lookup_tell(tusk_conn *conn);

/* The connection is destroyed. */
void tusk__lookup_free(tusk_conn *conn);

/* encode.c */
TUSK_MUST_CHECK
tusk_code tusk__lookup_encode(tusk_conn *conn, tusk_query *q, const tusk__request *r);

static inline bool tusk__is_lookup(const tusk_query *q)
{
    return q->kind == TUSK__QUERY_LOOKUP || q->kind == TUSK__QUERY_LOOKUP_INSIDE;
}

#endif
