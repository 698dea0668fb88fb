/* Is it the one we want? What is asked of the other side when the handshake is done, before a byte is exchanged.
 * The chain of signatures was OpenSSL's business, names are lib/tls_verify.c's.
 * Read first: lib/tls.h; PostgreSQL docs, "SSL Session Encryption". */
#include "lib/tls.h"
#include "proto/error_set.h"

/* OpenSSL refuses an answer that was not offered; this is behind it. Asked directly, whatever listens on that port may speak TLS:
 * only the name says that it speaks PostgreSQL below it, and that nobody passes what was meant for another protocol (ALPACA). */
static tusk_code check_alpn(const SSL *ssl, bool is_must, tusk_error *err)
{
    const unsigned char *name = NULL;
    unsigned len = 0;

    SSL_get0_alpn_selected(ssl, &name, &len);
    if (len == 0 && is_must)
        return tusk__error_set(err, TUSK_ERR_TLS, NULL,
                               "the server did not say by ALPN that it speaks PostgreSQL, as it must with "
                               "sslnegotiation=direct");
    if (len == 0 || tusk_str_is(tusk_str_from(name, len), "postgresql"))
        return TUSK_OK;
    return tusk__error_set(err, TUSK_ERR_TLS, NULL, "the server chose a protocol that was not offered to it (ALPN)");
}

static tusk_code check_certificate(const SSL *ssl, const tusk__tls_context *context, tusk_str host, tusk_error *err)
{
    const X509 *certificate = SSL_get0_peer_certificate(ssl);

    if (!context->verify_chain)
        return TUSK_OK;
    if (!certificate) /* a cipher without certificates, which OpenSSL does not offer */
        return tusk__error_set(err, TUSK_ERR_TLS, NULL, "the server has shown no certificate");
    if (SSL_get_verify_result(ssl) != X509_V_OK)
        return tusk__tls_explain_chain(context, (tusk__tls_errors){0}, SSL_get_verify_result(ssl), err);
    return context->verify_host ? tusk__tls_check_host(certificate, host, err) : TUSK_OK;
}

/* ---- our certificate --------------------------------------------------------------------------------------------- */

static tusk__tls_flows *flows_of(const SSL *ssl)
{
    return BIO_get_data(SSL_get_rbio(ssl));
}

int tusk__tls_on_certificate_request(SSL *ssl, void *user)
{
    (void)user;
    flows_of(ssl)->was_asked = true;
    return 1;
}

/* sslcertmode=require is held before the login, where libpq lets the password go first. */
static tusk_code check_was_asked(const SSL *ssl, const tusk__tls_context *context, tusk_error *err)
{
    if (!context->must_show_certificate || flows_of(ssl)->was_asked)
        return TUSK_OK;
    return tusk__error_set(err, TUSK_ERR_TLS, NULL,
                           "the server did not ask for a client certificate, as sslcertmode=require wants it to");
}

tusk_code tusk__tls_check_peer(const SSL *ssl, const tusk__tls_context *context, tusk_str host, tusk_error *err)
{
    TUSK_TRY(check_alpn(ssl, context->must_alpn, err));
    TUSK_TRY(check_certificate(ssl, context, host, err));
    return check_was_asked(ssl, context, err);
}
