/* OpenSSL's error queue as one sentence that a user understands.
 * The queue belongs to the thread: it is emptied here, always, so that the next user of it does not find our errors.
 * Read first: lib/tls.h. */
#include <openssl/err.h>
#include <openssl/sslerr.h>

#include "lib/sources.h"
#include "lib/tls.h"
#include "proto/error_set.h"

tusk__tls_errors tusk__tls_take_errors(void)
{
    tusk__tls_errors errors = {0};
    unsigned long e;

    while ((e = ERR_get_error()) != 0) {
        if (errors.first == 0)
            errors.first = e;
        if (ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE)
            errors.no_memory = true;
    }
    return errors;
}

tusk_code tusk__tls_cannot_read(const char *what, const char *path, int os, tusk_error *err)
{
    bool is_first = err && err->code == TUSK_OK;

    (void)tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "the %s \"%s\" cannot be read: %s", what, path,
                          tusk__file_reason(os));
    if (is_first)
        err->os = os;
    return TUSK_ERR_CONFIG;
}

typedef struct sentence {
    long number;
    const char *text;
} sentence;

#define LOOK_UP(table, number) look_up(table, sizeof(table) / sizeof(table)[0], number)

static const char *look_up(const sentence *table, size_t n, long number)
{
    for (size_t i = 0; i < n; i++)
        if (table[i].number == number)
            return table[i].text;
    return NULL;
}

/* clang-format off */
static const sentence chain_sentences[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, "the server's certificate has expired"},
    {X509_V_ERR_CERT_NOT_YET_VALID, "the server's certificate is not valid yet"},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
     "the server's certificate is self-signed and not "},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
     "the server's certificate goes back to an authority that is not "},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
     "the server's certificate was issued by an authority that is not "},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
     "the server's certificate was issued by an authority that is not "},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
     "the server's certificate was issued by an authority that is not "},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, "the signature of the server's certificate is wrong"},
    {X509_V_ERR_CERT_REVOKED, "the server's certificate has been revoked"},
    {X509_V_ERR_UNABLE_TO_GET_CRL, "there is no revocation list of an authority in the server's chain"},
    {X509_V_ERR_CRL_HAS_EXPIRED, "a revocation list has expired"},
    {X509_V_ERR_CRL_NOT_YET_VALID, "a revocation list is not valid yet"},
    {X509_V_ERR_CRL_SIGNATURE_FAILURE, "the signature of a revocation list is wrong"},
    {X509_V_ERR_INVALID_PURPOSE, "the server's certificate is not meant for servers"},
    {X509_V_ERR_INVALID_CA, "the server's certificate was issued by a certificate that is no authority's"},
    {X509_V_ERR_EE_KEY_TOO_SMALL, "the key of the server's certificate is too short for this machine's policy"},
    {X509_V_ERR_CA_KEY_TOO_SMALL, "the key of the authority's certificate is too short for this machine's policy"},
    {X509_V_ERR_CA_MD_TOO_WEAK,
     "the server's certificate is signed with a hash that is too weak for this machine's policy"},
};

static const sentence reason_sentences[] = {
    {SSL_R_WRONG_VERSION_NUMBER, "what the server sent is no TLS"},
    {SSL_R_UNSUPPORTED_PROTOCOL, "the server speaks no version of TLS that is accepted here (1.2 or later, and what ssl_min_protocol_version and "
     "ssl_max_protocol_version leave of it)"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the server refuses this version of TLS"},
    {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, "the server refuses the handshake: nothing in common"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "the server does not accept our certificate"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "our certificate has expired, says the server"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, "our certificate has been revoked, says the server"},
    {SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, "the server does not take certificates like ours"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "the server does not accept our certificate"},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA, "the server does not know the authority of our certificate"},
    {SSL_R_TLSV1_ALERT_ACCESS_DENIED, "the server denies access"},
    {SSL_R_TLSV1_ALERT_INTERNAL_ERROR, "the server reports an internal error"},
    {SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY, "the server wants stronger ciphers"},
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "the server asks for a client certificate"},
    {SSL_R_TLSV1_UNRECOGNIZED_NAME, "the server does not know itself by this host name"},
    {SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL, "the server does not speak PostgreSQL here"},
    {SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, "what arrived was altered on its way"},
    {SSL_R_NO_PROTOCOLS_AVAILABLE, "this machine's policy allows no version of TLS"},
};
/* clang-format on */

tusk_code tusk__tls_explain(tusk__tls_errors errors, tusk_error *err)
{
    bool is_first = err && err->code == TUSK_OK;
    int reason = ERR_GET_REASON(errors.first);
    const char *text = ERR_GET_LIB(errors.first) == ERR_LIB_SSL ? LOOK_UP(reason_sentences, reason) : NULL;
    const char *fallback = errors.first ? ERR_reason_error_string(errors.first) : NULL;

    if (errors.no_memory)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory in TLS");
    if (text)
        (void)tusk__error_set(err, TUSK_ERR_TLS, NULL, "%s", text);
    else
        (void)tusk__error_set(err, TUSK_ERR_TLS, NULL, "TLS failed: %s", fallback ? fallback : "no reason is known");
    if (is_first)
        err->os = reason;
    return TUSK_ERR_TLS;
}

/* With whom the context trusts. */
static bool ends_with_roots(const char *text)
{
    return text[strlen(text) - 1] == ' ';
}

/* What a user may do about it. */
static const char *hint_for(long verify_result)
{
    return verify_result == X509_V_ERR_UNABLE_TO_GET_CRL ? "Each authority of the chain needs a list: in the file "
                                                           "sslcrl, or in the folder sslcrldir under its hash "
                                                           "(openssl rehash)."
                                                         : NULL;
}

tusk_code tusk__tls_explain_chain(const tusk__tls_context *context, tusk__tls_errors errors, long verify_result,
                                  tusk_error *err)
{
    bool is_first = err && err->code == TUSK_OK;
    const char *text = LOOK_UP(chain_sentences, verify_result);
    const char *roots = context->trust_system ? "among those that this machine trusts" : "in the root certificate file";
    const char *hint = hint_for(verify_result);

    if (errors.no_memory || verify_result == X509_V_ERR_OUT_OF_MEM)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory in TLS");
    if (text)
        (void)tusk__error_set(err, TUSK_ERR_TLS, NULL, "%s%s", text, ends_with_roots(text) ? roots : "");
    else
        (void)tusk__error_set(err, TUSK_ERR_TLS, NULL, "TLS failed: %s", X509_verify_cert_error_string(verify_result));
    if (is_first) {
        err->os = (int)verify_result;
        if (hint)
            tusk__error_hint(err, tusk_str_of(hint));
    }
    return TUSK_ERR_TLS;
}
