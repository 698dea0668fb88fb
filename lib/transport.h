/* A connected byte stream: plain or TLS over the os table's sockets. The same four calls, chosen at connect, unknown to whoever
 * reads and writes.
 * It does not wait, does not know PostgreSQL and holds no buffer while it is idle.
 * Read first: docs/internals/transport.md. */
#ifndef TUSK_LIB_TRANSPORT_H
#define TUSK_LIB_TRANSPORT_H

#include "loop/loop.h"

typedef struct tusk__transport tusk__transport;

typedef struct tusk__transport_ops {
    /* TUSK_OK: 1 ≤ *n ≤ len · TUSK_AGAIN: nothing there now · TUSK_DONE: orderly end (TLS: close_notify, else it is
     * TUSK_ERR_LOST) · TUSK_ERR_LOST with os · TUSK_ERR_TLS. A short read means: the kernel had no more. */
    tusk_code (*recv)(tusk__transport *t, void *buf, size_t len, size_t *n, tusk_error *err);
    /* TUSK_OK: *n of len bytes are taken, possibly fewer; all taken but wants_write: the rest leaves at flush ·
     * TUSK_AGAIN: nothing taken · errors as recv. At most one system call per 64 KiB. */
    tusk_code (*send)(tusk__transport *t, const void *buf, size_t len, size_t *n, tusk_error *err);
    /* Are bytes already in memory that recv would hand out, though the kernel reports nothing? */
    bool (*has_input)(const tusk__transport *t);
    /* Is ciphertext waiting for the socket to become writable? Then call send with len 0 when it is. To be asked after recv
     * as well: TLS answers some of what it receives. */
    bool (*wants_write)(const tusk__transport *t);
    /* Say goodbye: close_notify, then shutdown(SHUT_WR). Best effort. */
    void (*shutdown)(tusk__transport *t);
    /* Close the socket and free. The io that watches fd is stopped before. */
    void (*close)(tusk__transport *t);
} tusk__transport_ops;

struct tusk__transport {
    const tusk__transport_ops *ops;
    tusk_loop *loop;
    int fd;
};

/* Take fd over. NULL: out of memory, fd stays the caller's. */
TUSK_MUST_CHECK
tusk__transport *tusk__plain_new(tusk_loop *loop, int fd);

/* ---- the bare socket, for both transports and for the dial's first byte ---- */

/* One recv or send of the os table, with the results of ops->recv and ops->send. EINTR is TUSK_AGAIN: the loop asks again. */
tusk_code tusk__socket_recv(tusk_loop *loop, int fd, void *buf, size_t len, size_t *n, tusk_error *err);
tusk_code tusk__socket_send(tusk_loop *loop, int fd, const void *buf, size_t len, size_t *n, tusk_error *err);

/* What a user understands of an errno: "connection refused", "no route to the host". Static, never NULL. */
const char *tusk__os_text(int os);

/* ---- TLS (lib/tls*.c, the only files beside lib/crypto.c that include OpenSSL) ---- */

typedef struct tusk__tls_context tusk__tls_context;

/* The password of an encrypted client key, from the program: tusk_config.on_key_password. */
typedef size_t (*tusk__tls_password_fn)(char *buf, size_t size, void *user);

typedef enum tusk__tls_verify {
    TUSK__TLS_VERIFY_IF_ROOTS, /* the chain, if there is a root file, as libpq */
    TUSK__TLS_VERIFY_CHAIN,    /* the chain; no root file is an error */
    TUSK__TLS_VERIFY_HOST      /* chain and name */
} tusk__tls_verify;

/* All that makes a context. The host is not here: tusk__tls_new() is given it, so that one context serves many. A text more must be
 * named in lib/tls_cache.c too. */
typedef struct tusk__tls_policy {
    tusk__tls_verify verify;
    uint32_t min_version, max_version; /* as in records: 0x0303 is TLS 1.2; 0: the least we take, the machine's highest */
    bool no_sni;             /* do not tell the host's name in the clear */
    tusk_str crl, crl_folder; /* file and folder of revocation lists; both empty: ~/.postgresql/root.crl, if there */
    tusk_str key_log;        /* file for the keys; empty: none */
    bool must_alpn;          /* the server must name the protocol: TLS that begins without a question (D30) */
    bool trust_system;       /* not a file's authorities, but the system's */
    tusk_str rootcert;       /* file; empty: ~/.postgresql/root.crt, if there */
    tusk_str home;           /* what ~ is; empty: no default file is looked for */
    tusk_str system_file;    /* the system's authorities; empty: where OpenSSL was told to look when it was built */
    tusk_str system_folders; /* …, a list with colons */

    bool no_certificate;        /* show none, whatever there is */
    bool must_show_certificate; /* the server must ask for one, and there must be one */
    tusk_str certificate;       /* file; empty: ~/.postgresql/postgresql.crt, if there */
    tusk_str key;               /* file; empty: ~/.postgresql/postgresql.key */
    tusk_str key_password;      /* secret */
    tusk__tls_password_fn ask_password; /* if key_password is empty; NULL: nobody is asked. lib/tls_cache.h does the asking */
    void *ask_user;
} tusk__tls_policy;

/* Build a context for a policy; reads files: on the helper thread for real connects. Counted; shared by all connections
 * with the same policy through the loop (TUSK__SLOT_TLS, lib/tls_cache.h). TUSK_ERR_CONFIG: a file is missing, or not what it
 * should be · TUSK_AGAIN: the key is encrypted; build again with its password, which policy->ask_password knows. */
TUSK_MUST_CHECK
tusk_code tusk__tls_context_new(const tusk_allocator *allocator, const tusk__tls_policy *policy, tusk__tls_context **out,
                                tusk_error *err);
/* Give back what OpenSSL keeps for the calling thread. A helper thread does before it reports its job done: else a program that
 * exits at that moment would find OpenSSL freeing the same things in both threads. */
void tusk__tls_thread_stop(void);
tusk__tls_context *tusk__tls_context_ref(tusk__tls_context *context);
void tusk__tls_context_unref(tusk__tls_context *context); /* NULL is fine */

/* A transport that will speak TLS on fd (taken on success only). Then handshake until TUSK_OK. host, copied: what the
 * certificate is held against (context's policy), and SNI unless it is an address; never hostaddr. */
TUSK_MUST_CHECK
tusk_code tusk__tls_new(tusk_loop *loop, int fd, tusk__tls_context *context, tusk_str host, tusk__transport **out,
                        tusk_error *err);
/* TUSK_OK: done, and no plain byte had slipped in (D21) · TUSK_AGAIN: wait for readable, or writable if ops->wants_write ·
 * TUSK_ERR_TLS, TUSK_ERR_LOST, TUSK_ERR_NOMEM */
TUSK_MUST_CHECK
tusk_code tusk__tls_handshake(tusk__transport *t, tusk_error *err);

/* For channel binding tls-server-end-point (RFC 5929, 4.1): the certificate's hash, *len 0 if none is defined (Ed25519). */
TUSK_MUST_CHECK
tusk_code tusk__tls_endpoint_hash(tusk__transport *t, uint8_t out[64], size_t *len, tusk_error *err);
/* "TLSv1.3", "" for plain. Static. */
const char *tusk__transport_tls_version(const tusk__transport *t);
/* "TLS_AES_256_GCM_SHA384", "" for plain. Static. */
const char *tusk__transport_tls_cipher(const tusk__transport *t);

#endif
