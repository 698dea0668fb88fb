/* The statements that a connection keeps prepared by itself: looked up by text and parameter types, those used last, none longer
 * than its time. A statement is in the table from the moment when its Parse is written; what falls out of it is closed on the server
 * in front of the next request, in the same flight.
 * It writes nothing: that is encode.c's, and what an answer means answer.c's.
 * Read first: DESIGN "Cached statements", docs/internals/cache.md. */
#ifndef TUSK_LIB_CACHE_H
#define TUSK_LIB_CACHE_H

#include "lib/stmt.h"

typedef struct tusk__cache {
    const tusk_allocator *allocator;
    tusk_stmt **buckets; /* a power of two of them */
    size_t n_buckets, n;
    tusk_stmt *newest, *oldest;           /* by their last use */
    tusk_stmt *first_born, *last_born;    /* by their age */
    tusk_stmt *dropped, *dropped_last;    /* to be closed; linked by chain */
    tusk_stmt *closing, *closing_last;    /* their Close is written, in this order; linked by chain */
} tusk__cache;

/* The hash of what a statement is looked up by. */
uint64_t tusk__cache_hash(tusk_str sql, tusk_params params);

/* The one of this text with these types; NULL: none. One that is found was used last. What is past its time falls out first. */
tusk_stmt *tusk__cache_find(tusk_conn *conn, uint64_t hash, tusk_str sql, tusk_params params);

/* A new one, PREPARING, in the table; the one that was used longest ago falls out if it is full. NULL: not a statement to be kept,
 * there is one that is being prepared, or there is no memory. The table has the reference. */
tusk_stmt *tusk__cache_add(tusk_conn *conn, uint64_t hash, tusk_str sql, tusk_params params);

/* Out of the table. exists: the server may have it, and it is to be closed. No-op for one that is not in it. */
void tusk__cache_drop(tusk_stmt *stmt, bool exists);
void tusk__cache_drop_all(tusk_conn *conn, bool exist);

/* The server has dropped all statements that it had, those of handles, too. */
void tusk__cache_lost(tusk_conn *conn);
/* All statements, those of handles, too, make what they send anew in their next run: it looks at the types of their columns again. */
void tusk__cache_drop_frames(tusk_conn *conn);
/* A name of a handle's that the server need not have any more. */
void tusk__cache_drop_name(tusk_conn *conn, const char *name);

/* What fell out goes with q's flight: hands each of them to write_close, and returns how many. */
uint16_t tusk__cache_close_dropped(tusk_conn *conn, const tusk_query *q, void (*write_close)(tusk__writer *b, tusk_str name));
/* CloseComplete: the first of those is gone. */
void tusk__cache_closed(tusk_conn *conn);
/* q's flight is over, or did not take place: what of it was not closed is gone (over), or is still to be closed. */
void tusk__cache_unit_over(tusk_conn *conn, const tusk_query *q);
void tusk__cache_unit_retracted(tusk_conn *conn, const tusk_query *q);

/* The connection is over. */
void tusk__cache_free(tusk_conn *conn);

#endif
