/* The rules of the conversation, as data: which message may meet which state, what it yields and where it leads.
 * Private to session.c and session_table.c; everybody else asks tusk__session_rule().
 * Read first: PostgreSQL docs, "Message Flow"; then session_table.c. */
#ifndef TUSK_PROTO_SESSION_TABLE_H
#define TUSK_PROTO_SESSION_TABLE_H

#include "proto/session.h"

/* Where a rule leads: a tusk__expect, or one of these. */
enum {
    TUSK__NEXT_SAME = TUSK__N_EXPECT, /* stay */
    TUSK__NEXT_EXPECTATION,           /* this one is answered: on to the next in the ring */
    TUSK__NEXT_FIRST,                 /* the login is over: on to the first in the ring */
    TUSK__NEXT_BY_KIND,               /* as tusk__session_auth says */
    TUSK__NEXT_SKIP,                  /* drop everything up to the next Sync */
    TUSK__NEXT_COPY_FAILED,           /* EXPECT_QUERY_ERROR in a simple query, otherwise NEXT_SKIP */
    TUSK__NEXT_COPY_COMPLETE,         /* EXPECT_QUERY_MORE in a simple query, otherwise NEXT_EXPECTATION */
    TUSK__NEXT_COPY_BOTH_DONE,        /* EXPECT_QUERY in a simple query, otherwise EXPECT_COPY_END */
    TUSK__NEXT_ILLEGAL,               /* tusk__session_auth only */
};

typedef struct tusk__session_row {
    uint8_t event; /* tusk__event_kind; 0: illegal */
    uint8_t next;
} tusk__session_row;

/* All letters of the backend are ASCII. */
#define TUSK__N_TYPES 128

extern const tusk__session_row tusk__session_table[TUSK__N_EXPECT][TUSK__N_TYPES];

/* The three messages that may come between any two others. */
typedef struct tusk__session_async {
    uint8_t type, event;
    bool before_login; /* may also come before AuthenticationOk */
} tusk__session_async;
#define TUSK__N_ASYNC 3
extern const tusk__session_async tusk__session_async_table[TUSK__N_ASYNC];

/* Where an Authentication message of this kind leads; a kind of 13 or more counts as TUSK__AUTH_UNKNOWN. */
#define TUSK__AUTH_UNKNOWN 13
uint8_t tusk__session_auth_next(tusk__expect state, uint32_t kind);

static inline bool tusk__expect_is_login(tusk__expect state)
{
    return state >= TUSK__EXPECT_OUR_TURN && state <= TUSK__EXPECT_SETTINGS;
}

/* The rule for this pair; .event 0: illegal. The asynchronous messages have no place in the big table (a test holds that),
 * so looking there first changes nothing but the price of a DataRow. */
tusk__session_row tusk__session_async_row(tusk__expect state, uint8_t type);
static inline tusk__session_row tusk__session_row_of(tusk__expect state, uint8_t type)
{
    if (type < TUSK__N_TYPES && tusk__session_table[state][type].event != 0)
        return tusk__session_table[state][type];
    return tusk__session_async_row(state, type);
}

#endif
