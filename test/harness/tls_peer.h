/*
 * The other side of a TLS connection, for tests: a thread that accepts connections and runs the test's script on each, and
 * certificates of every kind, made on the spot.
 * It speaks no PostgreSQL beyond the SSLRequest. It uses OpenSSL by itself and nothing of the driver.
 */
#ifndef TUSK_TEST_TLS_PEER_H
#define TUSK_TEST_TLS_PEER_H

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- certificates ------------------------------------------------------------------------------------------------ */

typedef enum tls_key { TLS_KEY_EC, TLS_KEY_RSA, TLS_KEY_RSA_PSS, TLS_KEY_ED25519 } tls_key;

/* One alternative name: type GEN_DNS, GEN_IPADD, GEN_EMAIL or GEN_URI, and its bytes as they are to be stored. */
typedef struct tls_name {
    int type;
    const char *bytes;
    size_t len;
} tls_name;
#define TLS_DNS(text)                                                                                                  \
    {                                                                                                                  \
        GEN_DNS, text, sizeof(text) - 1                                                                                \
    }
#define TLS_IP(text)                                                                                                   \
    {                                                                                                                  \
        GEN_IPADD, text, sizeof(text) - 1                                                                              \
    }

typedef struct tls_cert {
    EVP_PKEY *key;
    X509 *x509;
} tls_cert;

typedef struct tls_cert_spec {
    const char *cn;        /* NULL: none */
    size_t cn_len;         /* 0: strlen(cn) */
    int cn_type;           /* 0: V_ASN1_UTF8STRING; the bytes are stored as they are */
    tls_name names[4];     /* up to the first without bytes */
    const char *raw_names; /* the extension's bytes instead */
    size_t raw_names_len;
    tls_key key;
    const EVP_MD *md;       /* default SHA-256; none for Ed25519 */
    const tls_cert *issuer; /* NULL: self-signed */
    bool is_authority;
    long starts_days, ends_days; /* from now; 0, 0: yesterday to tomorrow */
} tls_cert_spec;

/* Owned by the caller. Any failure fails the test. */
tls_cert tls_cert_new(const tls_cert_spec *spec);
void tls_cert_free(tls_cert *cert);
void tls_cert_write(const tls_cert *cert, const char *path); /* the certificate alone, PEM */

/* The key as client programs keep it; password NULL: not encrypted. TRADITIONAL is OpenSSL's old kind of encryption. */
typedef enum tls_form { TLS_PEM, TLS_PEM_TRADITIONAL, TLS_DER, TLS_N_FORMS } tls_form;
void tls_key_write(const tls_cert *cert, const char *path, tls_form form, const char *password, unsigned mode);

/* A list of revoked certificates, PEM, appended to the file; signed by `key_of`, in the name of `issuer`. starts and ends as in
 * tls_cert_spec. */
typedef struct tls_crl_spec {
    const tls_cert *issuer, *key_of; /* key_of NULL: issuer */
    const tls_cert *revoked;         /* NULL: none */
    long starts_days, ends_days;
} tls_crl_spec;
void tls_crl_append(const tls_crl_spec *spec, const char *path);

/* A server's context: it shows cert. */
SSL_CTX *tls_server_new(const tls_cert *cert);
/* It asks for a certificate, of that authority, and refuses who has none if it is a must. */
void tls_server_ask(SSL_CTX *ctx, const tls_cert *authority, bool is_must);

/* ---- the peer ---------------------------------------------------------------------------------------------------- */

typedef struct tls_peer tls_peer;

/* Runs on the peer's thread, with a blocking socket on which no call takes longer than 20 s; n counts connections from 0.
 * The socket is closed when it returns. */
typedef void (*tls_peer_fn)(int fd, int n, void *user);

tls_peer *tls_peer_start(const char *ip, uint16_t port, tls_peer_fn fn, void *user); /* port 0: any */
tls_peer *tls_peer_start_local(const char *path, tls_peer_fn fn, void *user);        /* path "@…": abstract */
uint16_t tls_peer_port(const tls_peer *peer);
int tls_peer_connections(const tls_peer *peer); /* accepted so far */
void tls_peer_stop(tls_peer *peer);             /* waits for the script to return */

/* For scripts. */
bool tls_peer_read(int fd, void *buf, size_t len); /* all of it, or false */
bool tls_peer_write(int fd, const void *buf, size_t len);
size_t tls_peer_drain(int fd);              /* until the end; how many bytes came */
bool tls_peer_ssl_request(int fd);          /* reads it and checks its 8 bytes */
void tls_peer_reset(int fd);                /* the close will send RST */
SSL *tls_peer_accept(int fd, SSL_CTX *ctx); /* handshake; NULL if it failed. SSL_free() is the caller's */

#endif
