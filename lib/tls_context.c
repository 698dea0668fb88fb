/* TLS contexts: a policy becomes an SSL_CTX. Reads files, on the helper thread.
 * It verifies nothing itself: OpenSSL does the chain, lib/tls_verify.c the name. Whom it trusts is lib/tls_roots.c's, who
 * we are lib/tls_identity.c's.
 * Read first: lib/transport.h, "TLS"; PostgreSQL docs, libpq, "SSL Support". */
#include <stdio.h>
#include <sys/stat.h>

#include <openssl/err.h>

#include "lib/tls.h"
#include "proto/error_set.h"

/* The length in front of each name, RFC 7301. */
static const unsigned char alpn[] = {10, 'p', 'o', 's', 't', 'g', 'r', 'e', 's', 'q', 'l'};

/* ---- files ------------------------------------------------------------------------------------------------------- */

bool tusk__tls_default_path(const tusk__tls_policy *policy, const char *name, char path[TUSK__TLS_PATH_SIZE])
{
    struct stat status;
    int n;

    if (policy->home.len == 0)
        return false;
    n = snprintf(path, TUSK__TLS_PATH_SIZE, TUSK_STR_FMT "/.postgresql/%s", TUSK_STR_ARG(policy->home), name);
    return n > 0 && n < TUSK__TLS_PATH_SIZE && stat(path, &status) == 0;
}

tusk_code tusk__tls_path_of(tusk_str given, char path[TUSK__TLS_PATH_SIZE], const char *what, tusk_error *err)
{
    int n = snprintf(path, TUSK__TLS_PATH_SIZE, TUSK_STR_FMT, TUSK_STR_ARG(given));

    if (n < 0 || n >= TUSK__TLS_PATH_SIZE || memchr(given.ptr, '\0', given.len))
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "the path of the %s is not usable", what);
    return TUSK_OK;
}

/* ---- the context ------------------------------------------------------------------------------------------------- */

/* The machine's policy may be stricter on either side: then it counts. */
static bool limit_versions(SSL_CTX *ctx, const tusk__tls_policy *policy)
{
    long least = policy->min_version > 0 ? (long)policy->min_version : TLS1_2_VERSION;
    long most = (long)policy->max_version, machines_most = SSL_CTX_get_max_proto_version(ctx);

    if (SSL_CTX_get_min_proto_version(ctx) < least && SSL_CTX_set_min_proto_version(ctx, least) != 1)
        return false;
    return most == 0 || (machines_most > 0 && machines_most <= most) || SSL_CTX_set_max_proto_version(ctx, most) == 1;
}

/* Tickets and sessions: PostgreSQL has them off, so nothing could be resumed. Buffers are released when idle: that
 * costs OpenSSL two allocations per query, and saves 33 KiB per idle connection. */
static bool configure(SSL_CTX *ctx, const tusk__tls_policy *policy)
{
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    if (!limit_versions(ctx, policy))
        return false;
    return SSL_CTX_set_alpn_protos(ctx, alpn, sizeof alpn) == 0; /* this one says 0 for success */
}

static tusk_code fill(tusk__tls_context *context, const tusk__tls_policy *policy, tusk_error *err)
{
    context->bio_method = tusk__tls_bio_method_new();
    context->ssl_ctx = SSL_CTX_new(TLS_client_method());
    if (!context->bio_method || !context->ssl_ctx || !configure(context->ssl_ctx, policy))
        return tusk__tls_explain(tusk__tls_take_errors(), err);
    context->verify_host = policy->verify == TUSK__TLS_VERIFY_HOST;
    context->must_alpn = policy->must_alpn;
    context->must_show_certificate = policy->must_show_certificate;
    context->no_sni = policy->no_sni;
    context->trust_system = policy->trust_system;
    TUSK_TRY(tusk__tls_load_roots(context, policy, err));
    TUSK_TRY(tusk__tls_load_crl(context, policy, err));
    TUSK_TRY(tusk__tls_load_identity(context, policy, err));
    TUSK_TRY(tusk__tls_open_key_log(context, policy, err));
    if (context->must_show_certificate)
        SSL_CTX_set_cert_cb(context->ssl_ctx, tusk__tls_on_certificate_request, NULL);
    SSL_CTX_set_verify(context->ssl_ctx, context->verify_chain ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    return TUSK_OK;
}

tusk_code tusk__tls_context_new(const tusk_allocator *allocator, const tusk__tls_policy *policy,
                                tusk__tls_context **out, tusk_error *err)
{
    tusk__tls_context *context = allocator->malloc(sizeof *context, allocator->user);
    tusk_code code;

    *out = NULL;
    if (!context)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a TLS context");
    *context = (tusk__tls_context){.refs = 1, .allocator = *allocator, .key_log_fd = -1};
    ERR_clear_error();
    code = fill(context, policy, err);
    ERR_clear_error();
    if (code == TUSK_OK)
        *out = context;
    else
        tusk__tls_context_unref(context);
    return code;
}

void tusk__tls_thread_stop(void)
{
    OPENSSL_thread_stop();
}

tusk__tls_context *tusk__tls_context_ref(tusk__tls_context *context)
{
    context->refs++;
    return context;
}

void tusk__tls_context_unref(tusk__tls_context *context)
{
    tusk_allocator allocator;

    if (!context || --context->refs > 0)
        return;
    allocator = context->allocator;
    tusk__tls_close_key_log(context);
    SSL_CTX_free(context->ssl_ctx);
    BIO_meth_free(context->bio_method);
    allocator.free(context, allocator.user);
}
