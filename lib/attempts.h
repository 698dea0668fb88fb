/* The attempts of one connection: every host of the list, every address of its name, with TLS and without, as rows of one list.
 * They are started staggered, so that a dead address costs little; what is reached is handed to the owner, who logs in and says
 * whether it will do.
 * It knows no login. Read first: docs/internals/connect.md, lib/dial.h. */
#ifndef TUSK_LIB_ATTEMPTS_H
#define TUSK_LIB_ATTEMPTS_H

#include "lib/dial.h"

/* A row that has brought nothing after this time does not hold up the next one (RFC 8305, "Connection Attempt Delay"). */
#define TUSK__STAGGER_US 250000

/* What an attempt's end means for the rest of the list. */
typedef enum tusk__verdict {
    TUSK__NEXT_ADDRESS, /* the network's fault: whatever comes next */
    TUSK__NEXT_HOST,    /* this host's: its other addresses are not asked, and those that were begun are dropped */
    TUSK__OTHER_WAY,    /* the same address without TLS, or with it, if sslmode has such a second way, else GIVE_UP */
    TUSK__OLD_PROTOCOL, /* the same address, in protocol 3.0 */
    TUSK__SAME_AGAIN,   /* the same address in the same way, as if this had not been */
    TUSK__GIVE_UP       /* nothing behind it is tried; what was begun before it still may win */
} tusk__verdict;

typedef struct tusk__attempts tusk__attempts;

/* Never called inside a call of the owner's. Everything is allowed in them, freeing the attempts included. */
typedef struct tusk__attempts_owner {
    /* Reached: the transport is the owner's (taken), route says where it went and how (address, TLS). The others wait until
     * tusk__attempts_failed() or tusk__attempts_free(). */
    void (*on_reached)(tusk__transport *transport, const tusk__route *route, void *user);
    /* connect_timeout has passed while the owner was busy with what it was given: it drops that, and says so by
     * tusk__attempts_failed(). */
    void (*on_expired)(const tusk_error *err, void *user);
    /* No attempt is left. err is the most telling error, its detail names all the other attempts; fate NOT_SENT. */
    void (*on_failed)(const tusk_error *err, void *user);
    void *user;
} tusk__attempts_owner;

/* NULL and *err: out of memory, or no randomness for load_balance_hosts. settings is referenced. No child of the loop. */
TUSK_MUST_CHECK
tusk__attempts *tusk__attempts_start(tusk_loop *loop, tusk__settings *settings, const tusk__attempts_owner *owner,
                                     tusk_error *err);
void tusk__attempts_free(tusk__attempts *attempts); /* all that is under way is canceled; NULL is fine */

/* What was reached last will not do, for this reason: on_reached() or on_failed() follows. */
void tusk__attempts_failed(tusk__attempts *attempts, const tusk_error *err, tusk__verdict verdict);

/* What a server must be like at present: target_session_attrs; prefer-standby wants nothing any more in its second pass. */
tusk__session_attrs tusk__attempts_wants(const tusk__attempts *attempts);

/* For whoever ends it all: where the youngest attempt is, and what became of the others. */
void tusk__attempts_explain(const tusk__attempts *attempts, tusk_error *err);

/* The IP address of a route, "" if it has none; snprintf's contract. */
size_t tusk__address_print(const tusk__route *route, char *buf, size_t size);

/* Each attempt that was begun on a line of its own, with what became of it, uncut. The caller's, from that allocator; NULL: no memory. */
char *tusk__attempts_text(const tusk__attempts *attempts, const tusk_allocator *allocator);

#endif
