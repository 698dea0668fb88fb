/* TLS as a transport: OpenSSL turns plaintext into ciphertext and back, in memory; the kernel is called once around it.
 * Which certificates are good is said by the context (tls_context.c) and tls_peer.c.
 * Read first: lib/tls.h, docs/internals/transport.md. */
#include "lib/tls.h"

#include <openssl/err.h>

#include "proto/error_set.h"

enum {
    RECORD_MAX = SSL3_RT_MAX_PLAIN_LENGTH,             /* plaintext of one record */
    RECORD_OVERHEAD = SSL3_RT_MAX_ENCRYPTED_OVERHEAD + /* at most, and a KeyUpdate that OpenSSL may put before it */
                      SSL3_RT_HEADER_LENGTH + 128,
    FILLS_MAX = 4 /* per call: a peer with nothing but empty records must not keep the loop */
};

typedef struct tls {
    tusk__transport base;
    tusk__tls_context *context;
    SSL *ssl;
    tusk__tls_flows flows;

    /* Why there is no more input, TUSK_OK while there may be. Kept because what came before it is handed out first. */
    tusk_code end;
    int end_os;
    tusk__tls_errors end_errors;

    /* The kernel takes no more output, with this errno. What it had received until then is still there: perhaps the alert that says
     * why, or the server's last words. */
    bool is_refused;
    int refused_os;

    bool is_established;
    bool may_have_more; /* the last fill took a whole chunk: the kernel need not be waited for */
    tusk_str host;      /* behind the struct */
} tls;

static const tusk__transport_ops tls_ops;

static tls *tls_of(tusk__transport *t)
{
    return (tls *)(void *)t;
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static tusk_code set_end(tls *t, tusk_code code, int os)
{
    if (t->end == TUSK_OK) {
        t->end = code;
        t->end_os = os;
    }
    return t->end;
}

/* OpenSSL has failed. A lack of memory inside it leaves the stream broken as well. */
static tusk_code set_end_by_openssl(tls *t)
{
    tusk__tls_errors errors = tusk__tls_take_errors();

    errors.no_memory = errors.no_memory || t->flows.no_memory;
    if (t->end == TUSK_OK)
        t->end_errors = errors;
    return set_end(t, errors.no_memory ? TUSK_ERR_NOMEM : TUSK_ERR_TLS, 0);
}

/* An end of the bytes that no close_notify announced may be an attacker's: it is never an orderly one. If output was refused before,
 * that says more. */
static tusk_code set_end_by_kernel(tls *t, tusk_code code, const tusk_error *err)
{
    return set_end(t, code == TUSK_DONE ? TUSK_ERR_LOST : code, code == TUSK_DONE ? t->refused_os : err->os);
}

static tusk_code set_end_by_refusal(tls *t)
{
    return set_end(t, TUSK_ERR_LOST, t->refused_os);
}

static tusk_code report_loss(const tls *t, int os, tusk_error *err)
{
    bool is_first = err && err->code == TUSK_OK;

    if (os != 0)
        (void)tusk__error_set(err, TUSK_ERR_LOST, NULL, "the connection was lost: %s", tusk__os_text(os));
    else if (t->is_established)
        (void)tusk__error_set(err, TUSK_ERR_LOST, NULL,
                              "the connection was lost: it was closed without the goodbye that TLS asks for");
    else
        (void)tusk__error_set(err, TUSK_ERR_LOST, NULL, "the server closed the connection during the TLS handshake");
    if (is_first)
        err->os = os;
    return TUSK_ERR_LOST;
}

static tusk_code report_end(const tls *t, tusk_error *err)
{
    long verify_result = t->context->verify_chain && !t->is_established ? SSL_get_verify_result(t->ssl) : X509_V_OK;

    if (t->end == TUSK_ERR_LOST)
        return report_loss(t, t->end_os, err);
    if (verify_result != X509_V_OK && (t->end == TUSK_ERR_TLS || t->end == TUSK_ERR_NOMEM))
        return tusk__tls_explain_chain(t->context, t->end_errors, verify_result, err);
    if (t->end == TUSK_ERR_TLS || t->end == TUSK_ERR_NOMEM)
        return tusk__tls_explain(t->end_errors, err);
    return t->end;
}

/* Of a lent chunk: the call can be repeated. */
static tusk_code out_of_memory(tusk_error *err)
{
    return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a buffer of TLS");
}

/* ---- to and from the kernel -------------------------------------------------------------------------------------- */

/* What somebody put into the clear behind the 'S' comes first here, and is no TLS: OpenSSL refuses it (D21). A chunk that
 * was not to be had breaks nothing. */
static tusk_code fill(tls *t)
{
    tusk_error err = {0};
    tusk_code code = tusk__tls_fill(&t->flows, t->base.fd, &t->may_have_more, &err);

    if (code == TUSK_OK || code == TUSK_AGAIN || code == TUSK_ERR_NOMEM)
        return code;
    return set_end_by_kernel(t, code, &err);
}

static tusk_code flush(tls *t)
{
    tusk_error err = {0};

    if (!t->is_refused && tusk__tls_flush(&t->flows, t->base.fd, &err) == TUSK_OK)
        return TUSK_OK;
    if (!t->is_refused)
        t->refused_os = err.os;
    t->is_refused = true;
    tusk__tls_flow_clear(&t->flows.out);
    return TUSK_ERR_LOST;
}

static bool tls_wants_write(const tusk__transport *base)
{
    const tls *t = (const tls *)(const void *)base;

    return tusk__tls_flow_len(&t->flows.out) > 0;
}

/* ---- handshake --------------------------------------------------------------------------------------------------- */

/* One step: TUSK_OK the handshake is done · TUSK_AGAIN OpenSSL needs input, or room for output · the end. */
static tusk_code shake(tls *t, bool *wants_input)
{
    int rc;

    ERR_clear_error();
    rc = SSL_do_handshake(t->ssl);
    *wants_input = rc != 1 && SSL_get_error(t->ssl, rc) == SSL_ERROR_WANT_READ;
    if (rc == 1)
        return TUSK_OK;
    if (*wants_input || SSL_get_error(t->ssl, rc) == SSL_ERROR_WANT_WRITE)
        return TUSK_AGAIN;
    return set_end_by_openssl(t);
}

/* TUSK_DONE: there was progress, go on. Whatever OpenSSL wants to say leaves before we wait, the alert that tells the server
 * why we refuse it included. The last fill is one that is not made: what it brought would lie in memory, unreported by the
 * kernel, while everybody waits. */
static tusk_code shake_and_flush(tls *t, int *fills)
{
    bool wants_input;
    tusk_code code = shake(t, &wants_input), flushed = flush(t);

    if (code != TUSK_OK && code != TUSK_AGAIN)
        return code;
    if (flushed != TUSK_OK)
        return (*fills)++ < FILLS_MAX && fill(t) == TUSK_OK ? TUSK_DONE : set_end_by_refusal(t);
    if (!wants_input && tls_wants_write(&t->base))
        return TUSK_AGAIN;
    if (code == TUSK_OK)
        return TUSK_OK;
    if (wants_input && (*fills)++ == FILLS_MAX)
        return TUSK_AGAIN;
    code = wants_input ? fill(t) : TUSK_OK;
    return code == TUSK_OK ? TUSK_DONE : code;
}

tusk_code tusk__tls_handshake(tusk__transport *base, tusk_error *err)
{
    tls *t = tls_of(base);
    tusk_code code = TUSK_DONE;
    int fills = 0;

    if (t->end != TUSK_OK)
        return report_end(t, err);
    while (code == TUSK_DONE)
        code = shake_and_flush(t, &fills);
    if (code == TUSK_AGAIN)
        return TUSK_AGAIN;
    if (t->end == TUSK_OK && code == TUSK_ERR_NOMEM)
        return out_of_memory(err);
    if (code != TUSK_OK)
        return report_end(t, err);
    TUSK_TRY(tusk__tls_check_peer(t->ssl, t->context, t->host, err));
    t->is_established = true;
    return TUSK_OK;
}

/* ---- receiving --------------------------------------------------------------------------------------------------- */

static bool tls_has_input(const tusk__transport *base)
{
    const tls *t = (const tls *)(const void *)base;

    return t->end != TUSK_OK || t->is_refused || t->may_have_more || tusk__tls_flow_len(&t->flows.in) > 0 ||
           SSL_pending(t->ssl) > 0;
}

/* TUSK_OK: *n bytes, possibly none · else the end. */
static tusk_code decrypt(tls *t, void *buf, size_t len, size_t *n)
{
    int reason;

    *n = 0;
    ERR_clear_error();
    if (SSL_read_ex(t->ssl, buf, len, n) == 1)
        return TUSK_OK;
    reason = SSL_get_error(t->ssl, 0);
    if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE)
        return TUSK_OK;
    if (reason == SSL_ERROR_ZERO_RETURN)
        return set_end(t, TUSK_DONE, 0);
    return set_end_by_openssl(t);
}

/* Decrypts what is at hand, and asks the kernel only when that is used up and nothing was found, or when it filled a whole
 * chunk last time and so may have more. */
static tusk_code receive(tls *t, uint8_t *buf, size_t len, size_t *n)
{
    tusk_code code = TUSK_OK;
    size_t got;

    for (int fills = 0; code == TUSK_OK && *n < len;) {
        if (tusk__tls_flow_len(&t->flows.in) == 0 && SSL_pending(t->ssl) == 0) {
            if ((*n > 0 && !t->may_have_more) || fills++ == FILLS_MAX)
                break;
            code = fill(t);
        }
        if (code == TUSK_OK) {
            code = decrypt(t, buf + *n, len - *n, &got);
            *n += got;
        }
    }
    return code;
}

/* OpenSSL answers some of what it reads (KeyUpdate, alerts): that leaves here, and only that. */
static tusk_code tls_recv(tusk__transport *base, void *buf, size_t len, size_t *n, tusk_error *err)
{
    tls *t = tls_of(base);
    size_t waiting = tusk__tls_flow_len(&t->flows.out);
    tusk_code code = TUSK_OK;

    *n = 0;
    if (t->end == TUSK_OK)
        code = receive(t, buf, len, n);
    if (tusk__tls_flow_len(&t->flows.out) > waiting)
        (void)flush(t);
    if (*n > 0)
        return TUSK_OK;
    if (t->is_refused && code == TUSK_AGAIN)
        (void)set_end_by_refusal(t); /* all is read that came before */
    if (t->end != TUSK_OK)
        return report_end(t, err);
    return code == TUSK_ERR_NOMEM ? out_of_memory(err) : TUSK_AGAIN;
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

/* The plaintext of the next record; 0: there is no room for one before the next flush. */
static size_t record_len(size_t len, size_t room)
{
    size_t most = room > RECORD_OVERHEAD ? room - RECORD_OVERHEAD : 0;

    if (most > RECORD_MAX)
        most = RECORD_MAX;
    return len < most ? len : most;
}

/* One record. TUSK_AGAIN: no room now. A record for which there is room cannot stay half-way in OpenSSL. */
static tusk_code encrypt(tls *t, const uint8_t *buf, size_t len, size_t *n)
{
    int reason;

    *n = 0;
    ERR_clear_error();
    if (SSL_write_ex(t->ssl, buf, len, n) == 1)
        return TUSK_OK;
    reason = SSL_get_error(t->ssl, 0);
    if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE)
        return TUSK_AGAIN;
    return set_end_by_openssl(t);
}

static tusk_code encrypt_all(tls *t, const uint8_t *buf, size_t len, size_t *n)
{
    tusk_code code = TUSK_OK;
    size_t piece, done;

    while (code == TUSK_OK && *n < len) {
        piece = record_len(len - *n, tusk__tls_out_room(&t->flows));
        if (piece == 0)
            break;
        code = encrypt(t, buf + *n, piece, &done);
        *n += done;
    }
    if (!t->flows.out.chunk)
        return TUSK_ERR_NOMEM; /* nothing is broken: it can be tried again */
    return code == TUSK_AGAIN ? TUSK_OK : code;
}

/* What waits goes first: the new records are put behind it, and one call sends what the kernel takes of both. */
static tusk_code tls_send(tusk__transport *base, const void *buf, size_t len, size_t *n, tusk_error *err)
{
    tls *t = tls_of(base);
    tusk_code code = TUSK_OK;

    *n = 0;
    if (t->end != TUSK_OK && t->end != TUSK_DONE)
        return report_end(t, err);
    if (t->is_refused)
        return report_loss(t, t->refused_os, err);
    if (len > 0)
        code = encrypt_all(t, buf, len, n);
    if (code == TUSK_ERR_NOMEM && t->end == TUSK_OK)
        return out_of_memory(err);
    if (code != TUSK_OK)
        return report_end(t, err);
    if (flush(t) != TUSK_OK) {
        *n = 0;
        return report_loss(t, t->refused_os, err);
    }
    return *n > 0 || len == 0 ? TUSK_OK : TUSK_AGAIN;
}

/* ---- the end of life --------------------------------------------------------------------------------------------- */

static void tls_shutdown(tusk__transport *base)
{
    tls *t = tls_of(base);
    const tusk__os *os = tusk__loop_os(base->loop);

    if (t->is_established && !t->is_refused && (t->end == TUSK_OK || t->end == TUSK_DONE)) {
        ERR_clear_error();
        (void)SSL_shutdown(t->ssl);
        ERR_clear_error();
        (void)flush(t);
    }
    (void)os->shutdown(os->ctx, base->fd, SHUT_WR);
}

static void free_tls(tls *t)
{
    const tusk_allocator *allocator = tusk__loop_allocator(t->base.loop);

    SSL_free(t->ssl);
    tusk__tls_flow_clear(&t->flows.in);
    tusk__tls_flow_clear(&t->flows.out);
    tusk__tls_context_unref(t->context);
    allocator->free(t, allocator->user);
}

static void tls_close(tusk__transport *base)
{
    const tusk__os *os = tusk__loop_os(base->loop);

    (void)os->close(os->ctx, base->fd);
    free_tls(tls_of(base));
}

static const tusk__transport_ops tls_ops = {
    .recv = tls_recv,
    .send = tls_send,
    .has_input = tls_has_input,
    .wants_write = tls_wants_write,
    .shutdown = tls_shutdown,
    .close = tls_close,
};

/* ---- new --------------------------------------------------------------------------------------------------------- */

/* name is t->host with a NUL behind it. A NUL inside would cut it here; the resolver refuses such a host, and no certificate
 * matches it. */
static bool set_sni(const tls *t, char *name)
{
    if (t->context->no_sni || t->host.len == 0 || t->host.len > TLSEXT_MAXLEN_host_name ||
        tusk__tls_is_address(t->host))
        return true;
    return SSL_set_tlsext_host_name(t->ssl, name) == 1;
}

static bool attach(tls *t)
{
    BIO *bio = BIO_new(t->context->bio_method);

    if (!bio)
        return false;
    BIO_set_data(bio, &t->flows);
    SSL_set_bio(t->ssl, bio, bio); /* takes it */
    SSL_set_connect_state(t->ssl);
    return true;
}

tusk_code tusk__tls_new(tusk_loop *loop, int fd, tusk__tls_context *context, tusk_str host, tusk__transport **out,
                        tusk_error *err)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    tls *t = allocator->malloc(sizeof *t + host.len + 1, allocator->user);
    char *name = (char *)(t + 1);
    tusk_code code;

    *out = NULL;
    if (!t)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a TLS connection");
    *t = (tls){.base = {.ops = &tls_ops, .loop = loop, .fd = fd},
               .context = tusk__tls_context_ref(context),
               .flows = {.loop = loop},
               .host = tusk_str_from(name, host.len)};
    if (host.len > 0)
        memcpy(name, host.ptr, host.len);
    name[host.len] = '\0';

    ERR_clear_error();
    t->ssl = SSL_new(context->ssl_ctx);
    if (t->ssl && attach(t) && set_sni(t, name)) {
        *out = &t->base;
        return TUSK_OK;
    }
    code = tusk__tls_explain(tusk__tls_take_errors(), err);
    free_tls(t);
    return code;
}

/* ---- what is asked of a transport -------------------------------------------------------------------------------- */

tusk_code tusk__tls_endpoint_hash(tusk__transport *base, uint8_t out[64], size_t *len, tusk_error *err)
{
    X509 *certificate;

    *len = 0;
    if (base->ops != &tls_ops)
        return TUSK_OK;
    certificate = SSL_get0_peer_certificate(tls_of(base)->ssl);
    return certificate ? tusk__tls_certificate_hash(certificate, out, len, err) : TUSK_OK;
}

const char *tusk__transport_tls_version(const tusk__transport *base)
{
    return base->ops == &tls_ops ? SSL_get_version(((const tls *)(const void *)base)->ssl) : "";
}

const char *tusk__transport_tls_cipher(const tusk__transport *base)
{
    return base->ops == &tls_ops ? SSL_get_cipher_name(((const tls *)(const void *)base)->ssl) : "";
}
