/* What the files of TLS share: lib/tls.c (the transport), tls_context.c (policies), tls_roots.c (whom they trust), tls_crl.c (and no more),
 * tls_identity.c (who we are), tls_keylog.c (keys for debugging), tls_bio.c (ciphertext in lent chunks),
 * tls_peer.c (what is asked of the other side), tls_error.c (OpenSSL's errors as sentences), tls_verify.c (names and hashes of
 * certificates). Nobody else includes it.
 * OpenSSL's default library context is used as the program or the machine has set it up, since their policy (FIPS, least
 * versions, providers) is meant for us too; nothing of it is changed, and no index, engine or callback is registered in it.
 * Read first: docs/internals/transport.md. */
#ifndef TUSK_LIB_TLS_H
#define TUSK_LIB_TLS_H

#include <openssl/ssl.h>

#include "lib/transport.h"

/* ---- tls_context.c ----------------------------------------------------------------------------------------------- */
struct tusk__tls_context {
    uint32_t refs;
    tusk_allocator allocator;
    SSL_CTX *ssl_ctx;
    BIO_METHOD *bio_method;
    bool verify_chain, verify_host, must_alpn, must_show_certificate, no_sni;
    bool trust_system; /* for errors: whose authorities they are */
    int key_log_fd; /* -1: none */
};

/* A file of the user's: ~/.postgresql/name. False: it is not there. */
#define TUSK__TLS_PATH_SIZE 4096
bool tusk__tls_default_path(const tusk__tls_policy *policy, const char *name, char path[TUSK__TLS_PATH_SIZE]);
/* A given path with a NUL behind it; `what` is for the error, TUSK_ERR_CONFIG. */
TUSK_MUST_CHECK
tusk_code tusk__tls_path_of(tusk_str given, char path[TUSK__TLS_PATH_SIZE], const char *what, tusk_error *err);

/* ---- tls_roots.c: whom it trusts ----------------------------------------------------------------------------------- */
TUSK_MUST_CHECK
tusk_code tusk__tls_load_roots(tusk__tls_context *context, const tusk__tls_policy *policy, tusk_error *err);

/* All files of a folder whose names are hashes, with `prefix` in front of their numbers. How many could be loaded; -1: it cannot be
 * read. OpenSSL's errors stay in the queue. */
typedef int tusk__tls_load_fn(X509_LOOKUP *lookup, const char *path, int type);
int tusk__tls_load_folder(X509_LOOKUP *lookup, const char *folder, const char *prefix, tusk__tls_load_fn *load);

/* ---- tls_crl.c: what is revoked; behind the roots ----------------------------------------------------------------- */
TUSK_MUST_CHECK
tusk_code tusk__tls_load_crl(tusk__tls_context *context, const tusk__tls_policy *policy, tusk_error *err);

/* ---- tls_keylog.c -------------------------------------------------------------------------------------------------- */
TUSK_MUST_CHECK
tusk_code tusk__tls_open_key_log(tusk__tls_context *context, const tusk__tls_policy *policy, tusk_error *err);
void tusk__tls_close_key_log(tusk__tls_context *context);

/* ---- tls_identity.c: who we are. TUSK_AGAIN: the key's password is to be asked for -------------------------------- */
TUSK_MUST_CHECK
tusk_code tusk__tls_load_identity(tusk__tls_context *context, const tusk__tls_policy *policy, tusk_error *err);

/* ---- tls_bio.c: the two directions of ciphertext. A chunk is lent from the loop while it holds bytes, and given back.  */
typedef struct tusk__tls_flow {
    tusk__chunk *chunk; /* NULL: no bytes */
    size_t start, end;  /* the bytes */
} tusk__tls_flow;

typedef struct tusk__tls_flows {
    tusk_loop *loop;
    tusk__tls_flow in, out;
    bool no_memory; /* a chunk was not to be had while OpenSSL asked for one */
    bool was_asked; /* for a client certificate; here, since this is what OpenSSL's callbacks find */
} tusk__tls_flows;

BIO_METHOD *tusk__tls_bio_method_new(void);
static inline size_t tusk__tls_flow_len(const tusk__tls_flow *flow)
{
    return flow->end - flow->start;
}
/* One recv of all that the kernel has, up to a chunk; only when `in` is empty. *is_full: it may have more. Results as
 * ops->recv; TUSK_ERR_NOMEM, with *err untouched: no chunk, and nothing was received. */
tusk_code tusk__tls_fill(tusk__tls_flows *flows, int fd, bool *is_full, tusk_error *err);
/* One send of what is there; the rest stays. TUSK_OK also if the kernel took nothing. */
tusk_code tusk__tls_flush(tusk__tls_flows *flows, int fd, tusk_error *err);
/* Room for output behind what waits, a chunk at hand. 0: out of memory, or full. */
size_t tusk__tls_out_room(tusk__tls_flows *flows);
void tusk__tls_flow_clear(tusk__tls_flow *flow);

/* ---- tls_error.c ------------------------------------------------------------------------------------------------- */

/* The errors that OpenSSL has queued in this thread, taken off: the first one, and whether memory was short. */
typedef struct tusk__tls_errors {
    unsigned long first; /* 0: none */
    bool no_memory;
} tusk__tls_errors;
tusk__tls_errors tusk__tls_take_errors(void);

/* A file that is named and cannot be read: what it is for, and the system's reason. */
tusk_code tusk__tls_cannot_read(const char *what, const char *path, int os, tusk_error *err);

/* One sentence; TUSK_ERR_NOMEM or TUSK_ERR_TLS. */
tusk_code tusk__tls_explain(tusk__tls_errors errors, tusk_error *err);
/* The same of a chain that was not accepted: verify_result, not X509_V_OK, says why. */
tusk_code tusk__tls_explain_chain(const tusk__tls_context *context, tusk__tls_errors errors, long verify_result,
                                  tusk_error *err);

/* ---- tls_peer.c -------------------------------------------------------------------------------------------------- */

/* Behind a handshake: protocol and certificate of the other side. TUSK_OK, TUSK_ERR_TLS or TUSK_ERR_NOMEM. */
TUSK_MUST_CHECK
tusk_code tusk__tls_check_peer(const SSL *ssl, const tusk__tls_context *context, tusk_str host, tusk_error *err);

/* SSL_CTX_set_cert_cb(): the server asks for our certificate. */
int tusk__tls_on_certificate_request(SSL *ssl, void *user);

/* ---- tls_verify.c ------------------------------------------------------------------------------------------------ */

/* Does the certificate name the host? reliability 1.4; TUSK_OK, TUSK_ERR_TLS or TUSK_ERR_NOMEM. */
TUSK_MUST_CHECK
tusk_code tusk__tls_check_host(const X509 *certificate, tusk_str host, tusk_error *err);

/* Is it an address, or something that getaddrinfo would take for one ("127.1")? No SNI, no wildcard then. */
bool tusk__tls_is_address(tusk_str host);

/* RFC 5929, 4.1. TUSK_OK with *len 0: not defined for this signature. */
TUSK_MUST_CHECK
tusk_code tusk__tls_certificate_hash(X509 *certificate, uint8_t out[64], size_t *len, tusk_error *err);

#endif
