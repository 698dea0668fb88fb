/* What the files of the login share: its state, and what one half needs of another.
 *
 *   login.c            its life, what is not authentication, what the connection asks
 *   login_auth.c       which method, and whether it is allowed
 *   login_password.c   cleartext, MD5
 *   login_scram.c      SASL, SCRAM-SHA-256
 *   login_mechanism.c  what the program has named: GSSAPI, OAUTHBEARER
 *
 * Read first: lib/login.h, docs/internals/login.md. */
#ifndef TUSK_LIB_LOGIN_PARTS_H
#define TUSK_LIB_LOGIN_PARTS_H

#include "lib/crypto.h"
#include "lib/login.h"
#include "lib/scram_cache.h"
#include "proto/scram.h"

struct tusk__login {
    tusk_loop *loop;
    tusk__settings *settings;
    const tusk__host *host; /* of them */
    tusk_str password;      /* a view into them, or `given`; empty: none */
    char *given;            /* by the program, when it was asked; NULL: nothing, or it is used up */
    bool wants_password;
    uint32_t held_kind; /* while wants_password: what the server asks for */
    size_t held_len;
    char held[TUSK__AUTH_MESSAGE_MAX]; /* … its data; zeroes behind it, as SASL's list ends */
    tusk__transport *transport;
    const tusk__crypto *crypto;
    tusk__scram scram; /* all zero until the server asks for SASL */
    tusk__exchange
        *exchange; /* of a mechanism that the program has named, from the server's asking for it on; else NULL */
    tusk__exchange *again; /* of the login before, until the server asks for it */
    tusk_error refusal;    /* the server's, while the mechanism thinks about it */
    void (*on_wake)(void *user);
    void *wake_user;
    bool has_heard;           /* a word of the server's */
    bool was_version_refused; /* which was an error about the protocol */
    bool has_begun_sasl;      /* from then on AuthenticationOk needs a verified server */
    bool has_answered;        /* a password was sent, or a mechanism is at its end: AuthenticationOk is no gift */
    bool has_name;            /* of the keys in the loop's cache: */
    tusk__scram_name name;
    tusk__login_facts facts;
};

/* One message. Results as tusk__login_event(). */
typedef tusk_code tusk__login_handler(tusk__login *login, tusk__session *session, const tusk__event *ev, tusk__writer *out,
                                      tusk_error *err);

tusk__login_handler tusk__login_on_authentication;
/* … and by its number: */
tusk__login_handler tusk__login_on_cleartext, tusk__login_on_md5, tusk__login_on_gss, tusk__login_on_gss_continue,
    tusk__login_on_sasl, tusk__login_on_sasl_continue, tusk__login_on_sasl_final;

/* What a writer's failure means, if it failed. The message is taken back whole, to `at`. */
tusk_code tusk__login_written(tusk__writer *out, size_t at, const char *message, tusk_error *err);

/* ---- what is allowed ---- */

bool tusk__login_requires_binding(const tusk__login *login);
tusk_code tusk__login_refuse_method(uint32_t kind, tusk_error *err);
/* name: of what the server asks for */
tusk_code tusk__login_not_allowed(const tusk__login *login, const char *name, tusk__auth_method method, tusk_error *err);
/* Is any of the list of SASL's mechanisms that we would take allowed by require_auth? */
tusk_code tusk__login_check_offer(const tusk__login *login, tusk_str offered, tusk_error *err);

/* ---- passwords ---- */

/* By its certificate, or, on this machine, by the account that the dial has compared. */
bool tusk__login_is_server_proved(const tusk__login *login);
/* TUSK_OK: it is there · TUSK_AGAIN: it is asked for · TUSK_ERR_AUTH: there is none. method: for the reader */
tusk_code tusk__login_need_password(tusk__login *login, const tusk__event *ev, const char *method, tusk_error *err);
/* The program's is used once, and wiped. */
void tusk__login_forget_password(tusk__login *login);

/* ---- SCRAM ---- */

/* One slice of the key derivation, and at its end the SASLResponse. */
tusk_code tusk__login_compute(tusk__login *login, tusk__session *session, tusk__writer *out, tusk_error *err);

/* ---- mechanisms ---- */

tusk_code tusk__login_begin_mechanism(tusk__login *login, tusk__session *session, const tusk_auth_mechanism *mechanism,
                                      tusk__writer *out, tusk_error *err);
tusk_code tusk__login_step_exchange(tusk__login *login, tusk__session *session, tusk_str input, tusk__writer *out,
                                    tusk_error *err);
/* It was waited for, and has found out. */
tusk_code tusk__login_resume_exchange(tusk__login *login, tusk__session *session, tusk__writer *out, tusk_error *err);
/* The server's error while it was at work: it may know a way on. */
tusk_code tusk__login_refuse_exchange(tusk__login *login, const tusk_error *error, tusk_error *err);

#endif
