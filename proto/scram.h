/* SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, 7677, 5929), the client's side, as a state machine without I/O.
 * It frames no message (proto/auth does), knows no TLS and no OpenSSL, allocates nothing, keeps no password.
 * Read first: docs/internals/scram.md. */
#ifndef TUSK_PROTO_SCRAM_H
#define TUSK_PROTO_SCRAM_H

#include "proto/base64.h"
#include "proto/crypto.h"
#include "proto/pbkdf2.h"

/* What is accepted from a peer that has proved nothing yet. PostgreSQL sends a nonce of 48 characters, a salt of 16 bytes,
 * and server-first of some 90; anything near these limits is no PostgreSQL, and what is copied is bounded by them (D8). */
#define TUSK__SCRAM_MESSAGE_MAX 2000 /* server-first, server-final: bytes */
#define TUSK__SCRAM_NONCE_MAX 1024   /* client's and server's nonce together: characters */
#define TUSK__SCRAM_SALT_MAX TUSK__PBKDF2_SALT_MAX /* decoded: bytes */
#define TUSK__SCRAM_BINDING_MAX 64   /* certificate hash: SHA-512 is the longest */

#define TUSK__SCRAM_MAX_ITERATIONS 100000u /* the default of max_iterations (D25) */

/* Iterations for one turn of the loop: 0.4 ms with SHA instructions, some 2 ms without. It is also PostgreSQL's default
 * count, so that a usual login is done in one slice. */
#define TUSK__SCRAM_SLICE 4096u

#define TUSK__SCRAM_NONCE_BYTES 18 /* of our own nonce, before base64, as libpq */
#define TUSK__SCRAM_GS2_END_POINT "p=tls-server-end-point,,"

/* The connection parameter channel_binding. `require` has a second half that is not SCRAM's: no other authentication
 * method may be answered, and AuthenticationOk counts only if tusk__scram_is_verified(). */
typedef enum tusk__channel_binding {
    TUSK__CHANNEL_BINDING_PREFER = 0,
    TUSK__CHANNEL_BINDING_DISABLE,
    TUSK__CHANNEL_BINDING_REQUIRE
} tusk__channel_binding;

/* How the login is tied to the link below it: what the caller knows. */
typedef struct tusk__scram_channel {
    tusk__channel_binding policy;
    bool tls; /* the link is TLS */
    tusk_str
        binding; /* tls-server-end-point: the hash of the server's certificate. Empty: no TLS, or no hash is known for
                       * its signature (Ed25519). Borrowed until return */
} tusk__scram_channel;

/* The outcome of the choice: the gs2 flag, which also names the mechanism. */
typedef enum tusk__scram_gs2 {
    TUSK__SCRAM_GS2_N, /* "n,,"  SCRAM-SHA-256: we cannot or may not bind */
    TUSK__SCRAM_GS2_Y, /* "y,,"  SCRAM-SHA-256: we could, but the server did not offer -PLUS; it fails if it did */
    TUSK__SCRAM_GS2_P  /* "p=tls-server-end-point,,"  SCRAM-SHA-256-PLUS */
} tusk__scram_gs2;

/*
 * Choose by what the server offers. `offered` is the body of AuthenticationSASL behind its Int32: names, each ended by a
 * NUL, the list ended by an empty name, and nothing behind.
 *
 *   policy   link  hash known  -PLUS offered   → with SCRAM-SHA-256 offered
 *   any      plain  –          yes               08P01, the server lies about its link
 *   require  plain  –          no                28000
 *   require  TLS    –          no                28000
 *   require  TLS    no         yes               28000
 *   require  TLS    yes        yes               P
 *   prefer   TLS    yes        yes               P
 *   prefer   TLS    yes        no                Y
 *   prefer   TLS    no         any               N
 *   prefer   plain  –          no                N
 *   disable  any    any        any but row 1     N
 *
 * Where the row says N or Y and SCRAM-SHA-256 is not offered: 28000. Unknown names are passed over.
 * Errors  TUSK_ERR_AUTH 28000 · TUSK_ERR_PROTOCOL 08P01
 */
TUSK_MUST_CHECK
tusk_code tusk__scram_choose(tusk_str offered, const tusk__scram_channel *channel, tusk__scram_gs2 *choice,
                             tusk_error *err);

/* What PBKDF2 is good for: with them a login needs neither the password nor its iterations. As secret as the password. */
typedef struct tusk__scram_keys {
    uint8_t client_key[TUSK__SHA256_LEN];
    uint8_t server_key[TUSK__SHA256_LEN];
} tusk__scram_keys;

typedef struct tusk__scram_config {
    const tusk__crypto *crypto; /* must outlive the machine */
    tusk_str offered;           /* as tusk__scram_choose */
    tusk__scram_channel channel;
    uint32_t min_iterations; /* 0: 1, as libpq. RFC 7677 recommends 4096 */
    uint32_t max_iterations; /* 0: TUSK__SCRAM_MAX_ITERATIONS */
} tusk__scram_config;

typedef enum tusk__scram_state {
    TUSK__SCRAM_FAILED = 0,  /* also: cleared, never begun */
    TUSK__SCRAM_WAITS_FIRST, /* client-first is in `message`; server-first is awaited */
    TUSK__SCRAM_WANTS_KEYS,  /* server-first has come: a password, or keys, are to be handed in */
    TUSK__SCRAM_DERIVING,    /* tusk__scram_step() is to be called; nothing is awaited from the peer */
    TUSK__SCRAM_HAS_KEYS,    /* the same, but keys were handed in: the next step is the last */
    TUSK__SCRAM_WAITS_FINAL, /* client-final is in `message`; server-final is awaited */
    TUSK__SCRAM_VERIFIED     /* the server has proved that it knows the password's verifier */
} tusk__scram_state;

/* One login. A value without pointers of its own: it may lie in another struct and be moved. About 4 KiB, needed only while
 * a connection logs in. The fields are the machine's own; ask with the functions below. */
typedef struct tusk__scram {
    tusk__scram_state state;
    tusk__scram_gs2 gs2;
    const tusk__crypto *crypto;
    uint32_t min_iterations, max_iterations;
    uint32_t iterations, iterations_left;

    size_t nonce_len, bare_len, binding_len, server_first_len, server_nonce_len, salt_len, message_len;
    char nonce[TUSK__BASE64_LEN(TUSK__SCRAM_NONCE_BYTES)]; /* ours */
    char bare[48];                                         /* client-first-message-bare: "n=,r=<nonce>" */
    char binding[TUSK__BASE64_LEN(sizeof TUSK__SCRAM_GS2_END_POINT - 1 + TUSK__SCRAM_BINDING_MAX)]; /* value of c= */
    char server_first[TUSK__SCRAM_MESSAGE_MAX]; /* begins "r=<server nonce>," */
    uint8_t salt[TUSK__SCRAM_SALT_MAX];
    char message[TUSK__SCRAM_NONCE_MAX + 256]; /* what is to be sent */

    struct { /* wiped as soon as it is not needed, and by every failure */
        tusk__pbkdf2 chain; /* its key is the salted password */
        tusk__scram_keys keys;
        uint8_t server_signature[TUSK__SHA256_LEN]; /* the one that is expected */
    } secret;
} tusk__scram;

/*
 * Begin: choose the mechanism, draw a nonce. tusk__scram_message() is then client-first, to be sent as SASLInitialResponse.
 * Any failure, here and below, leaves the machine FAILED and wiped; tusk__scram_clear() is due nevertheless after each init.
 *
 * Errors  those of tusk__scram_choose · TUSK_ERR_NOMEM, TUSK_ERR_SYSTEM from the crypto library
 */
TUSK_MUST_CHECK
tusk_code tusk__scram_init(tusk__scram *s, const tusk__scram_config *config, tusk_error *err);

/* "SCRAM-SHA-256" or "SCRAM-SHA-256-PLUS". Static. */
const char *tusk__scram_mechanism(const tusk__scram *s);

/* The bytes to send: client-first after init, client-final after step. Borrowed until the next call that changes s. */
tusk_str tusk__scram_message(const tusk__scram *s);

/*
 * Take AuthenticationSASLContinue: server-first. It is checked to its last byte, the iterations against their limits, before
 * anything is computed; extensions (m= and any other) are refused, as in libpq.
 * Errors  TUSK_ERR_PROTOCOL 08P01 malformed, too long, another's nonce, or not its turn · TUSK_ERR_AUTH 28000 the count of
 *         iterations is outside the limits
 */
TUSK_MUST_CHECK
tusk_code tusk__scram_continue(tusk__scram *s, tusk_str server_first, tusk_error *err);

/* After continue: the key of a cache of derived keys, beside the password. The view is borrowed until clear. */
tusk_str tusk__scram_salt(const tusk__scram *s);
uint32_t tusk__scram_iterations(const tusk__scram *s);

/* After continue, this: keys kept from an earlier login with this password, salt and count. The next step finishes at once. If they
 * are wrong the server refuses the login, and the caller drops them. */
void tusk__scram_use_keys(tusk__scram *s, const tusk__scram_keys *keys);

/*
 * After continue, or that: what the keys are derived from. UTF-8 or any bytes; goes through SASLprep. Borrowed until return, never kept.
 * Errors  TUSK_ERR_AUTH 28P01 no password · TUSK_ERR_LIMIT the password, not being ASCII, is longer than SASLprep takes ·
 *         TUSK_ERR_NOMEM, TUSK_ERR_SYSTEM from the crypto library
 */
TUSK_MUST_CHECK
tusk_code tusk__scram_use_password(tusk__scram *s, tusk_str password, tusk_error *err);

/*
 * Compute at most n_iterations more (0 counts as 1; usual: TUSK__SCRAM_SLICE) of PBKDF2.
 * Returns  TUSK_AGAIN: call again, in another turn of the loop. TUSK_OK: tusk__scram_message() is client-final, to be sent
 *          as SASLResponse
 * Errors   TUSK_ERR_STATE there is nothing to compute · TUSK_ERR_NOMEM, TUSK_ERR_SYSTEM from the crypto library
 */
TUSK_MUST_CHECK
tusk_code tusk__scram_step(tusk__scram *s, uint32_t n_iterations, tusk_error *err);

/*
 * Take AuthenticationSASLFinal: server-final, which is compared in constant time. Without it AuthenticationOk proves nothing.
 * Errors  TUSK_ERR_PROTOCOL 08P01 malformed, or not its turn · TUSK_ERR_AUTH 28000 the signature is wrong, or the server
 *         sent e= (28P01 where that speaks of the proof or the user)
 */
TUSK_MUST_CHECK
tusk_code tusk__scram_final(tusk__scram *s, tusk_str server_final, tusk_error *err);

/* Has the server proved itself? To be asked at AuthenticationOk, whenever SCRAM was begun or channel binding is required. */
bool tusk__scram_is_verified(const tusk__scram *s);

/* Does the verified login also rest on the certificate of the link (-PLUS)? What channel_binding=require asks. */
bool tusk__scram_is_bound(const tusk__scram *s);

/* The derived keys, to be kept for the next login; NULL unless verified. Borrowed until clear. */
const tusk__scram_keys *tusk__scram_verified_keys(const tusk__scram *s);

/* Wipe everything. Also of a machine that failed, was cleared, or is all zero. */
void tusk__scram_clear(tusk__scram *s);

#endif
