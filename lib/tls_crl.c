/* Which certificates are revoked: the lists of a file or a folder, for the whole chain. Reads them on the helper thread, and all at
 * once: OpenSSL would look into the folder in the middle of a handshake, which is the loop's time.
 * Read first: lib/tls.h; PostgreSQL docs, libpq, "sslcrl". */
#include <errno.h>
#include <stdio.h>

#include <openssl/err.h>

#include "lib/tls.h"
#include "proto/error_set.h"

#define CRL_FILE "root.crl"

static tusk_code file_failed(const char *path, tusk_error *err)
{
    tusk__tls_errors errors = tusk__tls_take_errors();

    if (errors.no_memory)
        return tusk__tls_explain(errors, err);
    if (ERR_SYSTEM_ERROR(errors.first))
        return tusk__tls_cannot_read("revocation list file", path, ERR_GET_REASON(errors.first), err);
    return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "the revocation list file \"%s\" holds no usable list", path);
}

static tusk_code load_file(X509_LOOKUP *lookup, const char *path, tusk_error *err)
{
    return X509_load_crl_file(lookup, path, X509_FILETYPE_PEM) > 0 ? TUSK_OK : file_failed(path, err);
}

/* An empty one is no error here: then no certificate can be held against a list, and none is accepted. */
static tusk_code load_folder(X509_LOOKUP *lookup, const char *path, tusk_error *err)
{
    tusk__tls_errors errors;

    if (tusk__tls_load_folder(lookup, path, "r", X509_load_crl_file) < 0)
        return tusk__tls_cannot_read("folder of revocation lists", path, errno, err);
    errors = tusk__tls_take_errors(); /* of files that are no lists */
    return errors.no_memory ? tusk__tls_explain(errors, err) : TUSK_OK;
}

static tusk_code load_given(X509_LOOKUP *lookup, const tusk__tls_policy *policy, tusk_error *err)
{
    char path[TUSK__TLS_PATH_SIZE];

    if (policy->crl.len > 0) {
        TUSK_TRY(tusk__tls_path_of(policy->crl, path, "revocation list file", err));
        TUSK_TRY(load_file(lookup, path, err));
    }
    if (policy->crl_folder.len > 0) {
        TUSK_TRY(tusk__tls_path_of(policy->crl_folder, path, "folder of revocation lists", err));
        TUSK_TRY(load_folder(lookup, path, err));
    }
    return TUSK_OK;
}

/* The default file goes with a root file: of the system's authorities it would have to know all. */
static bool find_default(const tusk__tls_policy *policy, char path[TUSK__TLS_PATH_SIZE])
{
    return !policy->trust_system && tusk__tls_default_path(policy, CRL_FILE, path);
}

tusk_code tusk__tls_load_crl(tusk__tls_context *context, const tusk__tls_policy *policy, tusk_error *err)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context->ssl_ctx);
    bool is_given = policy->crl.len > 0 || policy->crl_folder.len > 0;
    char path[TUSK__TLS_PATH_SIZE];
    X509_LOOKUP *lookup;

    if (!context->verify_chain || (!is_given && !find_default(policy, path)))
        return TUSK_OK;
    lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    if (!lookup)
        return tusk__tls_explain(tusk__tls_take_errors(), err);
    TUSK_TRY(is_given ? load_given(lookup, policy, err) : load_file(lookup, path, err));
    if (X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) != 1)
        return tusk__tls_explain(tusk__tls_take_errors(), err);
    return TUSK_OK;
}
