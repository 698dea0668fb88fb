/* Transactions as lib/ sees them: one level for each tusk_begin(), shared by the requests that were submitted in it; and units,
 * requests that share one Sync, because the BEGIN in front of them may fail.
 * Read first: tusk/transaction.h; DESIGN "Transactions"; docs/internals/units.md. */
#ifndef TUSK_LIB_TRANSACTION_H
#define TUSK_LIB_TRANSACTION_H

#include <tusk/transaction.h>

#include "lib/query.h"

/* What a level is on the server: known when its BEGIN is encoded. */
typedef enum tusk__level_form {
    TUSK__LEVEL_UNKNOWN = 0,
    TUSK__LEVEL_BLOCK,    /* BEGIN … COMMIT */
    TUSK__LEVEL_SAVEPOINT /* in a transaction that is there already */
} tusk__level_form;

/* What its end was, as submitted. */
typedef enum tusk__level_end { TUSK__LEVEL_OPEN = 0, TUSK__LEVEL_KEPT, TUSK__LEVEL_UNDONE } tusk__level_end;

typedef struct tusk__level {
    uint32_t refs; /* the connection while it is open, each request in it, each level in it */
    struct tusk__level *parent; /* counted; in the free list: the next */
    tusk_transaction options;
    tusk__level_form form;
    tusk__level_end ended;
    uint64_t savepoint; /* its number */
    bool has_begun;     /* BEGIN was answered, but perhaps not its ReadyForQuery */
    bool is_failed;     /* it never began, or is over: nothing in it is run */
    bool is_over;       /* … it was ended by text */
    bool is_spoiled;    /* a request in it was never sent: its end is a rollback */
    bool inner_spoiled; /* … in a level in it that may still be rolled back */
    bool is_undone;     /* … or was sent, and is rolled back to its own savepoint unseen: a load */
    bool is_behind;     /* it was begun behind an end that was taken back, of what is around it now: it is no part of that */
    tusk_query *end;    /* its COMMIT, RELEASE or ROLLBACK, once that is encoded */
    tusk_error *cause;  /* the first error in it; NULL: none, or no memory for it */
    bool cause_is_inner;
} tusk__level;

/* COMMIT, RELEASE, ROLLBACK. */
static inline bool tusk__is_end(const tusk_query *q)
{
    return q->kind == TUSK__QUERY_COMMIT || q->kind == TUSK__QUERY_ROLLBACK || q->kind == TUSK__QUERY_ROLLBACK_TO;
}

static inline tusk__level *tusk__level_ref(tusk__level *level)
{
    level->refs++;
    return level;
}
void tusk__level_unref(tusk_conn *conn, tusk__level *level); /* NULL is fine */
/* A request lets go of its level. */
void tusk__level_leave(tusk_query *q);
void tusk__levels_clear(tusk_conn *conn);

/* Is it known that this one, or one around it, never began, or is over? */
bool tusk__level_has_failed(const tusk__level *level);
/* q is in a level that has failed: its error; a rollback has nothing to do. */
void tusk__level_refuse(tusk_query *q);

/* Is it there still, as far as is known here, what was made in that level, and may outlive a COMMIT or not? Of none: yes. */
bool tusk__level_holds(const tusk__level *level, bool outlives_commit);

/* q was refused, or taken back, before a byte of it was sent. */
void tusk__level_not_run(tusk_conn *conn, tusk_query *q);
/* What q has done in its level is undone by a savepoint of its own; a commit that was submitted before anybody could know that, or after
 * q was let go, must not keep the rest. */
void tusk__level_undone(tusk_query *q);
/* … an end: its level is open as before, and what stands behind it is refused (reopen.c). */
void tusk__level_reopen(tusk_conn *conn, tusk_query *end);
/* q, a text, may have ended the transaction that its level is in. If it has, what follows in it is not run, as it would be in autocommit; if it
 * has begun another one at once, what was a savepoint is over (ended.c). */
void tusk__level_ended_by(tusk_query *q);
/* In a script: when so many statements are completed, the first that ends a transaction is; 0: there is none. */
uint32_t tusk__script_n_to_end(tusk_str sql);
/* One of its statements is completed, and the one that ends a transaction is not behind. */
void tusk__script_statement_over(tusk_query *q, tusk_str tag);
/* The first error is the one that the end will tell. Without memory it will tell less. */
void tusk__level_keep_cause(tusk_conn *conn, tusk__level *level, const tusk_error *err, bool is_inner);
/* The server answers q, which is in a level, with an error. */
void tusk__level_error(tusk_query *q, tusk_str fields);
/* … of which it became known that the transaction may be retried: so its end will say, too. */
void tusk__level_advise(const tusk_query *q);

/* "begin isolation level …" */
TUSK_MUST_CHECK
tusk_code tusk__begin_text(const tusk_transaction *t, char *text, size_t size);

/* Parse, Bind, Execute of a statement of our own. */
void tusk__control_write(tusk_conn *conn, tusk_str sql);

/* The kinds of transaction.c. */
tusk_code tusk__encode_begin(tusk_conn *conn, tusk_query *q);
tusk_code tusk__encode_commit(tusk_conn *conn, tusk_query *q);
tusk_code tusk__encode_rollback(tusk_conn *conn, tusk_query *q);
void tusk__transaction_encoded(tusk_conn *conn, tusk_query *q);
void tusk__transaction_complete(tusk_conn *conn, tusk_query *q); /* CommandComplete */
/* Is q the rollback of a savepoint that was not made? It was on its way when that became known: the server's error is none. */
bool tusk__rollback_is_of_nothing(const tusk_query *q);
void tusk__transaction_check(tusk_query *q);                     /* a commit at its ReadyForQuery: was it one? */

/* ---- units (unit.c) ---- */

/* May q be encoded now, as far as the transactions in front of it are concerned? */
bool tusk__unit_may_go(const tusk_conn *conn, const tusk_query *q, tusk_str sql);
/* q, which may go, was written from `len` of the out buffer on: does it share the Sync of what is in front, or have its own? Returns
 * where it begins now. */
size_t tusk__unit_join(tusk_conn *conn, tusk_query *q, size_t len);
/* q is about to be taken out of the out buffer. Returns how many bytes at its end must stay: the Sync of those in front. */
size_t tusk__unit_part(tusk_conn *conn, tusk_query *q);
/* The last of the unit that begins with q. */
tusk_query *tusk__unit_last(tusk_query *q);
/* ReadyForQuery came while q is the head, though its Sync is not the last of its messages: it failed, and those behind it were not run.
 * Returns how many they are; they have their errors. */
size_t tusk__unit_not_run(tusk_query *q);
/* ReadyForQuery: a BEGIN that succeeded has a transaction now. */
void tusk__unit_ready(tusk_conn *conn);

#endif
