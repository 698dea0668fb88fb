/*
 * The peer's thread and the making of certificates. See tls_peer.h.
 */
#include "test/harness/tls_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "test/harness/harness.h"

enum { DAY = 24 * 60 * 60, RSA_BITS = 2048, TIMEOUT_S = 20 };

/* ---- certificates ------------------------------------------------------------------------------------------------ */

/* One for all of a process, and freed with it: making one takes a tenth of a second, and under valgrind half a minute. */
static EVP_PKEY *rsa_key(void)
{
    static EVP_PKEY *key;

    if (!key)
        key = EVP_RSA_gen(RSA_BITS);
    return key && EVP_PKEY_up_ref(key) == 1 ? key : NULL;
}

static EVP_PKEY *new_key(tls_key kind)
{
    EVP_PKEY *key = NULL;

    switch (kind) {
    case TLS_KEY_EC:
        key = EVP_EC_gen("P-256");
        break;
    case TLS_KEY_RSA:
    case TLS_KEY_RSA_PSS:
        key = rsa_key();
        break;
    case TLS_KEY_ED25519:
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        break;
    }
    ck_assert_ptr_nonnull(key);
    return key;
}

static GENERAL_NAME *new_name(const tls_name *name)
{
    GENERAL_NAME *general = GENERAL_NAME_new();
    ASN1_STRING *text = ASN1_STRING_type_new(name->type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);

    ck_assert(general != NULL && text != NULL);
    ck_assert_int_eq(ASN1_STRING_set(text, name->bytes, (int)name->len), 1);
    GENERAL_NAME_set0_value(general, name->type, text);
    return general;
}

static void add_raw_names(X509 *x509, const char *bytes, size_t len)
{
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *extension;

    ck_assert_int_eq(ASN1_OCTET_STRING_set(value, (const unsigned char *)bytes, (int)len), 1);
    extension = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, value);
    ck_assert_int_eq(X509_add_ext(x509, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
}

static void add_names(X509 *x509, const tls_cert_spec *spec)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();

    for (size_t i = 0; i < sizeof spec->names / sizeof spec->names[0] && spec->names[i].bytes; i++)
        ck_assert_int_gt(sk_GENERAL_NAME_push(names, new_name(&spec->names[i])), 0);
    if (sk_GENERAL_NAME_num(names) > 0)
        ck_assert_int_eq(X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, 0), 1);
    GENERAL_NAMES_free(names);
    if (spec->raw_names)
        add_raw_names(x509, spec->raw_names, spec->raw_names_len);
}

static void add_subject(X509 *x509, const tls_cert_spec *spec)
{
    X509_NAME *name = X509_NAME_new();
    size_t len = spec->cn && spec->cn_len == 0 ? strlen(spec->cn) : spec->cn_len;
    X509_NAME_ENTRY *entry;

    if (spec->cn) {
        entry = X509_NAME_ENTRY_create_by_NID(NULL, NID_commonName, spec->cn_type ? spec->cn_type : V_ASN1_UTF8STRING,
                                              (const unsigned char *)spec->cn, (int)len);
        ck_assert_int_eq(X509_NAME_add_entry(name, entry, -1, 0), 1);
        X509_NAME_ENTRY_free(entry);
    }
    ck_assert_int_eq(X509_set_subject_name(x509, name), 1);
    X509_NAME_free(name);
}

static void add_constraints(X509 *x509)
{
    BASIC_CONSTRAINTS *constraints = BASIC_CONSTRAINTS_new();

    constraints->ca = 0xFF;
    ck_assert_int_eq(X509_add1_ext_i2d(x509, NID_basic_constraints, constraints, 1, 0), 1);
    BASIC_CONSTRAINTS_free(constraints);
}

static void sign(X509 *x509, const tls_cert_spec *spec, EVP_PKEY *key)
{
    const EVP_MD *md = spec->md ? spec->md : EVP_sha256();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_ctx;

    ck_assert_int_eq(EVP_DigestSignInit(ctx, &key_ctx, spec->key == TLS_KEY_ED25519 ? NULL : md, NULL, key), 1);
    if (spec->key == TLS_KEY_RSA_PSS)
        ck_assert_int_eq(EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING), 1);
    ck_assert_int_gt(X509_sign_ctx(x509, ctx), 0);
    EVP_MD_CTX_free(ctx);
}

tls_cert tls_cert_new(const tls_cert_spec *spec)
{
    static atomic_long serial = 1;
    tls_cert cert = {new_key(spec->key), X509_new()};
    bool is_default = spec->starts_days == 0 && spec->ends_days == 0;

    ck_assert_int_eq(X509_set_version(cert.x509, X509_VERSION_3), 1);
    ck_assert_int_eq(ASN1_INTEGER_set(X509_get_serialNumber(cert.x509), serial++), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert.x509), (is_default ? -1 : spec->starts_days) * DAY);
    X509_gmtime_adj(X509_getm_notAfter(cert.x509), (is_default ? 1 : spec->ends_days) * DAY);
    ck_assert_int_eq(X509_set_pubkey(cert.x509, cert.key), 1);
    add_subject(cert.x509, spec);
    ck_assert_int_eq(
        X509_set_issuer_name(cert.x509, X509_get_subject_name(spec->issuer ? spec->issuer->x509 : cert.x509)), 1);
    if (spec->is_authority)
        add_constraints(cert.x509);
    add_names(cert.x509, spec);
    sign(cert.x509, spec, spec->issuer ? spec->issuer->key : cert.key);
    return cert;
}

void tls_cert_free(tls_cert *cert)
{
    EVP_PKEY_free(cert->key);
    X509_free(cert->x509);
    *cert = (tls_cert){NULL, NULL};
}

void tls_cert_write(const tls_cert *cert, const char *path)
{
    FILE *file = fopen(path, "w");

    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(PEM_write_X509(file, cert->x509), 1);
    fclose(file);
}

static int write_key(BIO *bio, EVP_PKEY *key, tls_form form, const char *password)
{
    const EVP_CIPHER *cipher = password ? EVP_aes_256_cbc() : NULL;
    int len = password ? (int)strlen(password) : 0;

    switch (form) {
    case TLS_PEM:
        return PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, password, len, NULL, NULL);
    case TLS_PEM_TRADITIONAL:
        return PEM_write_bio_PrivateKey_traditional(bio, key, cipher, (const unsigned char *)password, len, NULL, NULL);
    case TLS_DER:
    case TLS_N_FORMS:
        break;
    }
    return password ? i2d_PKCS8PrivateKey_bio(bio, key, cipher, password, len, NULL, NULL)
                    : i2d_PrivateKey_bio(bio, key);
}

void tls_key_write(const tls_cert *cert, const char *path, tls_form form, const char *password, unsigned mode)
{
    BIO *bio;

    (void)unlink(path);
    bio = BIO_new_file(path, "wb");
    ck_assert_ptr_nonnull(bio);
    ck_assert_int_eq(write_key(bio, cert->key, form, password), 1);
    BIO_free(bio);
    ck_assert_int_eq(chmod(path, mode), 0);
}

static void add_revoked(X509_CRL *crl, const tls_cert *cert)
{
    X509_REVOKED *entry = X509_REVOKED_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, -DAY);

    ck_assert_int_eq(X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(cert->x509)), 1);
    ck_assert_int_eq(X509_REVOKED_set_revocationDate(entry, now), 1);
    ck_assert_int_eq(X509_CRL_add0_revoked(crl, entry), 1);
    ASN1_TIME_free(now);
}

void tls_crl_append(const tls_crl_spec *spec, const char *path)
{
    bool is_default = spec->starts_days == 0 && spec->ends_days == 0;
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *starts = X509_gmtime_adj(NULL, (is_default ? -1 : spec->starts_days) * DAY);
    ASN1_TIME *ends = X509_gmtime_adj(NULL, (is_default ? 1 : spec->ends_days) * DAY);
    FILE *file = fopen(path, "a");

    ck_assert_int_eq(X509_CRL_set_version(crl, X509_CRL_VERSION_2), 1);
    ck_assert_int_eq(X509_CRL_set_issuer_name(crl, X509_get_subject_name(spec->issuer->x509)), 1);
    ck_assert_int_eq(X509_CRL_set1_lastUpdate(crl, starts), 1);
    ck_assert_int_eq(X509_CRL_set1_nextUpdate(crl, ends), 1);
    if (spec->revoked)
        add_revoked(crl, spec->revoked);
    ck_assert_int_gt(X509_CRL_sign(crl, spec->key_of ? spec->key_of->key : spec->issuer->key, EVP_sha256()), 0);
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(PEM_write_X509_CRL(file, crl), 1);
    fclose(file);
    ASN1_TIME_free(starts);
    ASN1_TIME_free(ends);
    X509_CRL_free(crl);
}

SSL_CTX *tls_server_new(const tls_cert *cert)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    ck_assert_ptr_nonnull(ctx);
    ck_assert_int_eq(SSL_CTX_use_certificate(ctx, cert->x509), 1);
    ck_assert_int_eq(SSL_CTX_use_PrivateKey(ctx, cert->key), 1);
    SSL_CTX_set_num_tickets(ctx, 0); /* as PostgreSQL */
    return ctx;
}

void tls_server_ask(SSL_CTX *ctx, const tls_cert *authority, bool is_must)
{
    ck_assert_int_eq(X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), authority->x509), 1);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | (is_must ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
}

/* ---- the peer ---------------------------------------------------------------------------------------------------- */

struct tls_peer {
    pthread_t thread;
    int listener, stop[2];
    uint16_t port;
    atomic_int n;
    tls_peer_fn fn;
    void *user;
};

static void *peer_main(void *arg)
{
    tls_peer *peer = arg;
    struct pollfd fds[2] = {{.fd = peer->listener, .events = POLLIN}, {.fd = peer->stop[0], .events = POLLIN}};
    const struct timeval limit = {.tv_sec = TIMEOUT_S};
    const int on = 1;
    sigset_t set;

    (void)sigemptyset(&set); /* OpenSSL's own sockets raise SIGPIPE; the driver's thread must not be spared it */
    (void)sigaddset(&set, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    while (poll(fds, 2, -1) > 0 && fds[1].revents == 0) {
        int fd = accept(peer->listener, NULL, NULL);
        if (fd < 0)
            continue;
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        peer->fn(fd, peer->n++, peer->user);
        close(fd);
    }
    ERR_clear_error();
    return NULL;
}

static tls_peer *start(int family, const struct sockaddr *addr, socklen_t len, tls_peer_fn fn, void *user)
{
    tls_peer *peer = calloc(1, sizeof *peer);
    const int on = 1;

    ck_assert_ptr_nonnull(peer);
    peer->fn = fn;
    peer->user = user;
    peer->listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(peer->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ck_assert_msg(bind(peer->listener, addr, len) == 0, "the peer cannot bind");
    ck_assert_int_eq(listen(peer->listener, 64), 0);
    ck_assert_int_eq(pipe(peer->stop), 0);
    ck_assert_int_eq(pthread_create(&peer->thread, NULL, peer_main, peer), 0);
    return peer;
}

tls_peer *tls_peer_start(const char *ip, uint16_t port, tls_peer_fn fn, void *user)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t len = sizeof in;
    tls_peer *peer;

    ck_assert_int_eq(inet_pton(AF_INET, ip, &in.sin_addr), 1);
    peer = start(AF_INET, (const struct sockaddr *)&in, sizeof in, fn, user);
    ck_assert_int_eq(getsockname(peer->listener, (struct sockaddr *)&in, &len), 0);
    peer->port = ntohs(in.sin_port);
    return peer;
}

tls_peer *tls_peer_start_local(const char *path, tls_peer_fn fn, void *user)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t len = strlen(path);

    ck_assert_uint_lt(len, sizeof un.sun_path);
    memcpy(un.sun_path, path, len);
    if (path[0] != '@')
        return start(AF_UNIX, (const struct sockaddr *)&un, sizeof un, fn, user);
    un.sun_path[0] = '\0';
    return start(AF_UNIX, (const struct sockaddr *)&un, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len), fn,
                 user);
}

uint16_t tls_peer_port(const tls_peer *peer)
{
    return peer->port;
}

int tls_peer_connections(const tls_peer *peer)
{
    return peer->n;
}

void tls_peer_stop(tls_peer *peer)
{
    ck_assert_int_eq((int)write(peer->stop[1], "", 1), 1);
    ck_assert_int_eq(pthread_join(peer->thread, NULL), 0);
    close(peer->listener);
    close(peer->stop[0]);
    close(peer->stop[1]);
    free(peer);
}

/* ---- for scripts ------------------------------------------------------------------------------------------------- */

bool tls_peer_read(int fd, void *buf, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = recv(fd, (char *)buf + at, len - at, 0);
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

bool tls_peer_write(int fd, const void *buf, size_t len)
{
    return send(fd, buf, len, MSG_NOSIGNAL) == (ssize_t)len;
}

size_t tls_peer_drain(int fd)
{
    char buf[4096];
    size_t total = 0;
    ssize_t n;

    while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
        total += (size_t)n;
    return total;
}

bool tls_peer_ssl_request(int fd)
{
    static const unsigned char request[] = {0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F};
    unsigned char packet[sizeof request];

    return tls_peer_read(fd, packet, sizeof packet) && memcmp(packet, request, sizeof request) == 0;
}

void tls_peer_reset(int fd)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

SSL *tls_peer_accept(int fd, SSL_CTX *ctx)
{
    SSL *ssl = SSL_new(ctx);
    BIO *bio = BIO_new_socket(fd, BIO_NOCLOSE);

    SSL_set_bio(ssl, bio, bio);
    if (SSL_accept(ssl) == 1)
        return ssl;
    ERR_clear_error();
    SSL_free(ssl);
    return NULL;
}
