/* One attempt to reach a server: from a route to a transport that is ready for a StartupMessage or a CancelRequest. Name,
 * socket, SSLRequest, handshake; the same for connections and cancels, so that both always use the same TLS policy (D29).
 * It knows no login. It owns nothing but itself: an attempt is a fresh struct, only the settings survive it (D28).
 * Read first: docs/internals/connect.md. */
#ifndef TUSK_LIB_DIAL_H
#define TUSK_LIB_DIAL_H

#include "lib/settings.h"
#include "lib/transport.h"

/* One row of the list of attempts that a configuration yields. The strings live in the settings. */
typedef struct tusk__route {
    size_t host_number; /* in the settings' list */
    tusk_str host;     /* name, address or socket folder; what TLS verifies */
    tusk_str hostaddr; /* if not empty, connect here */
    uint16_t port;
    bool use_tls;      /* send SSLRequest first */
    bool must_tls;     /* 'N' is an error (require and stronger), else the attempt goes on in the clear */
    bool has_address;  /* connect to exactly `address` (a cancel goes to where its connection went, and with must_tls set if
                          that one is encrypted: else a forged 'N' would bring the key into the clear) */
    tusk__address address;
    bool old_protocol; /* not the dial's business: the login is to ask for 3.0 */
} tusk__route;

typedef struct tusk__dial tusk__dial;

/* What came of it. On TUSK_OK the transport is the callee's (taken), address says where it went. *err else, with where =
 * "connect db1:5432" or "connect db1:5432: tls handshake" …, fate NOT_SENT; what else is tried after it is lib/attempts.c's to
 * say.
 *   TUSK_ERR_CONNECT  the network, or the server said no        TUSK_ERR_PROTOCOL  a strange answer to SSLRequest
 *   TUSK_ERR_RESOLVE, TUSK_ERR_CONFIG (root file, socket path), TUSK_ERR_NOMEM, TUSK_ERR_SYSTEM, TUSK_ERR_LIMIT */
typedef void (*tusk__dial_fn)(tusk__dial *dial, tusk__transport *transport, const tusk__address *address,
                              const tusk_error *err, void *user);

/* Start. on_done is called once, never inside this call, unless canceled. The dial frees itself after on_done, in which
 * everything is allowed, but canceling this very dial. It has no deadline and is no child of the loop: its owner is.
 * settings is referenced for as long as it takes. NULL and *err: not even that could be allocated. */
TUSK_MUST_CHECK
tusk__dial *tusk__dial_start(tusk_loop *loop, tusk__settings *settings, const tusk__route *route, tusk__dial_fn on_done,
                             void *user, tusk_error *err);
void tusk__dial_cancel(tusk__dial *dial); /* before on_done only */

/* A name has n addresses, and a dial goes to one: *mine, which on_addresses may choose. The others are its owner's to try. Called
 * once at most, before on_done; an error in *err is the dial's. */
typedef tusk_code (*tusk__dial_addresses_fn)(const tusk__address *addresses, size_t n, size_t *mine, void *user,
                                             tusk_error *err);
void tusk__dial_share(tusk__dial *dial, tusk__dial_addresses_fn on_addresses);

/* In on_done, with an error: did the server answer the request for TLS by 'N', 'E' or a strange byte? Then nothing else is tried,
 * least of all in the clear (D22). */
bool tusk__dial_was_answered(const tusk__dial *dial);
void tusk__dial_where(const tusk__dial *dial, tusk_error *err); /* what it is doing, for whoever gives it up */

/* The ways to one host of the settings, in order: prefer gives TLS and then plain, allow the reverse. At most `cap` rows; returns
 * how many. */
size_t tusk__routes_of(const tusk__settings *settings, size_t host_number, tusk__route *routes, size_t cap);
#define TUSK__ROUTES_MAX 2

/* Send a CancelRequest along a route and wait for the server to hang up. on_done(err, user): TUSK_OK once EOF came, an orderly
 * one; called once, never inside this call, then it frees itself. Own deadline: timeout_us (-1: none). Copies pid and key.
 * No child of the loop: its owner abandons it. */
typedef struct tusk__cancel tusk__cancel;
TUSK_MUST_CHECK
tusk__cancel *tusk__cancel_start(tusk_loop *loop, tusk__settings *settings, const tusk__route *route, uint32_t pid,
                                 tusk_str key, int64_t timeout_us, void (*on_done)(const tusk_error *err, void *user),
                                 void *user, tusk_error *err);
void tusk__cancel_abandon(tusk__cancel *cancel); /* on_done will not be called; the request may still arrive */

#endif
