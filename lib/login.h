/* The login: from StartupMessage to the first ReadyForQuery, as a machine without I/O. The connection feeds it the session's
 * events and sends what it writes.
 * Whether a retry on another route makes sense is the connection's business.
 * Read first: docs/internals/login.md, proto/session.h, proto/scram.h. */
#ifndef TUSK_LIB_LOGIN_H
#define TUSK_LIB_LOGIN_H

#include "lib/mechanism.h"
#include "lib/settings.h"
#include "lib/transport.h"
#include "proto/session.h"

typedef struct tusk__login tusk__login;

/* What the server told about itself on the way; read by the connection when the login is done. */
typedef struct tusk__login_facts {
    uint32_t protocol; /* negotiated version word */
    uint32_t backend_pid;
    tusk__auth_method method; /* by which it let us in */
    bool is_bound;            /* … and by SCRAM-SHA-256-PLUS */
    size_t cancel_key_len;
    uint8_t cancel_key[TUSK__CANCEL_KEY_MAX];
} tusk__login_facts;

/* A fresh login on a fresh transport. host is one of the settings', whose password it has; protocol is what is asked for. transport is borrowed for the channel
 * binding. Allocated with the loop's allocator. */
TUSK_MUST_CHECK
tusk_code tusk__login_new(tusk_loop *loop, tusk__settings *settings, const tusk__host *host, uint32_t protocol,
                          tusk__transport *transport, tusk__login **out, tusk_error *err);
void tusk__login_free(tusk__login *login); /* wipes; NULL is fine */

/* Write the StartupMessage and move the session to EXPECT_AUTHENTICATION. */
tusk_code tusk__login_start(tusk__login *login, tusk__session *session, tusk__writer *out, tusk_error *err);

/* One event of the login, before ReadyForQuery. TUSK_OK: go on (and send what was written) · TUSK_AGAIN: handle no further event
 * before it says TUSK_OK: either it wants a password, to be given to tusk__login_password(), or a mechanism is at work, which tells
 * the waker (tusk__login_on_wake()), or keys are being computed. In the last two cases call tusk__login_step(), in the last at once
 * · errors: the attempt is over.
 * Knows AUTHENTICATION, NEGOTIATE_PROTOCOL_VERSION, BACKEND_KEY_DATA and ERROR (which becomes TUSK_ERR_AUTH for class 28,
 * else TUSK_ERR_CONNECT, with the server's sqlstate, message, detail and hint, fate NOT_SENT); PARAMETER_STATUS, NOTICE and
 * READY are the connection's. */
tusk_code tusk__login_event(tusk__login *login, tusk__session *session, const tusk__event *ev, tusk__writer *out,
                            tusk_error *err);
/* After TUSK_AGAIN: is it a password of settings->on_password that is waited for? Once for each login at most. */
bool tusk__login_wants_password(const tusk__login *login);
/* Here it is, and not empty: copied, and wiped when it has been used. Results as tusk__login_event(). */
tusk_code tusk__login_password(tusk__login *login, tusk__session *session, tusk_str password, tusk__writer *out,
                               tusk_error *err);
/* After TUSK_AGAIN: is it a mechanism that is waited for? */
bool tusk__login_is_waiting(const tusk__login *login);
/* While it is waited for: whom it waits for itself, as an error's detail. */
void tusk__login_explain(const tusk__login *login, tusk_error *err);
/* Called, maybe inside one of these functions, when tusk__login_step() is wanted. */
void tusk__login_on_wake(tusk__login *login, void (*fn)(void *user), void *user);
/* One slice (≤ 1 ms) of the key derivation, or what the mechanism has found out. TUSK_AGAIN: more to do. */
tusk_code tusk__login_step(tusk__login *login, tusk__session *session, tusk__writer *out, tusk_error *err);

/* It has failed with err: because the server does not know the protocol, and might take 3.0, which is allowed? So says an error
 * instead of an answer (0A000, 08P01), or hanging up without a word. */
bool tusk__login_wants_old_protocol(const tusk__login *login, const tusk_error *err);

/* It has failed, and the same mechanism would do better on a fresh connection to the same address: take its exchange, and give it to
 * the login there before it is started. */
bool tusk__login_wants_retry(const tusk__login *login);
tusk__exchange *tusk__login_take_exchange(tusk__login *login);
void tusk__login_give_exchange(tusk__login *login, tusk__exchange *exchange);

const tusk__login_facts *tusk__login_facts_of(const tusk__login *login);

#endif
