/* Whom a context trusts: the certificates of a root file, or those of the system. Reads files, on the helper thread, and all of
 * them at once: OpenSSL's own folders are looked into in the middle of a handshake, which is the loop's time.
 * Read first: lib/tls.h; PostgreSQL docs, libpq, "Client Verification of Server Certificates". */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include <openssl/err.h>

#include "lib/tls.h"
#include "proto/error_set.h"

#define ROOT_FILE "root.crt"

/* ---- one file ---------------------------------------------------------------------------------------------------- */

static tusk_code load_failed(const char *path, tusk_error *err)
{
    tusk__tls_errors errors = tusk__tls_take_errors();
    bool is_system = ERR_SYSTEM_ERROR(errors.first);

    if (errors.no_memory)
        return tusk__tls_explain(errors, err);
    if (is_system && ERR_GET_REASON(errors.first) == ENOENT)
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "the root certificate file \"%s\" does not exist", path);
    if (is_system)
        return tusk__tls_cannot_read("root certificate file", path, ERR_GET_REASON(errors.first), err);
    return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "the root certificate file \"%s\" holds no usable certificates",
                           path);
}

static tusk_code load_file(tusk__tls_context *context, const char *path, tusk_error *err)
{
    if (SSL_CTX_load_verify_file(context->ssl_ctx, path) != 1)
        return load_failed(path, err);
    context->verify_chain = true;
    return TUSK_OK;
}

static tusk_code no_root_file(const tusk__tls_policy *policy, tusk_error *err)
{
    (void)tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "sslmode=%s needs root certificates, and %s",
                          policy->verify == TUSK__TLS_VERIFY_HOST ? "verify-full" : "verify-ca",
                          policy->home.len > 0 ? "there is no ~/.postgresql/" ROOT_FILE : "sslrootcert is not given");
    tusk__error_hint(err,
                     tusk_str_of("Name a file with the certificates of the authorities you trust by sslrootcert, or "
                                 "trust those of the system by sslrootcert=system."));
    return TUSK_ERR_CONFIG;
}

/* As libpq: a root file that is there is used by every sslmode; a missing one matters only where it was asked for. */
static tusk_code load_root_file(tusk__tls_context *context, const tusk__tls_policy *policy, tusk_error *err)
{
    char path[TUSK__TLS_PATH_SIZE];

    if (policy->rootcert.len > 0) {
        TUSK_TRY(tusk__tls_path_of(policy->rootcert, path, "root certificate file", err));
        return load_file(context, path, err);
    }
    if (tusk__tls_default_path(policy, ROOT_FILE, path))
        return load_file(context, path, err);
    return policy->verify == TUSK__TLS_VERIFY_IF_ROOTS ? TUSK_OK : no_root_file(policy, err);
}

/* ---- the system's ------------------------------------------------------------------------------------------------ */

/* "1f2e3d4c.0", or "1f2e3d4c.r0": the names that OpenSSL would look for. */
static bool is_hashed(const char *name, const char *prefix)
{
    size_t len = strlen(prefix);

    if (strspn(name, "0123456789abcdef") != 8 || name[8] != '.' || strncmp(name + 9, prefix, len) != 0)
        return false;
    name += 9 + len;
    return name[0] && strspn(name, "0123456789") == strlen(name);
}

int tusk__tls_load_folder(X509_LOOKUP *lookup, const char *folder, const char *prefix, tusk__tls_load_fn *load)
{
    char path[TUSK__TLS_PATH_SIZE];
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    int n = 0;

    if (!dir)
        return -1;
    while ((entry = readdir(dir))) { /* NOLINT(concurrency-mt-unsafe): the stream is ours */
        int len = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);

        if (is_hashed(entry->d_name, prefix) && len > 0 && (size_t)len < sizeof path)
            n += load(lookup, path, X509_FILETYPE_PEM) > 0;
    }
    closedir(dir);
    return n;
}

/* How many of them hold certificates; what cannot be read counts as nothing, as with OpenSSL itself. */
static int add_folders(X509_LOOKUP *lookup, const char *folders)
{
    char folder[TUSK__TLS_PATH_SIZE];
    int n = 0;

    while (*folders) {
        size_t len = strcspn(folders, ":");

        if (len > 0 && len < sizeof folder) {
            memcpy(folder, folders, len);
            folder[len] = '\0';
            n += tusk__tls_load_folder(lookup, folder, "", X509_load_cert_file) > 0;
        }
        folders += len + (folders[len] == ':');
    }
    return n;
}

static tusk_code no_system_roots(const char *file, const char *folders, tusk_error *err)
{
    char text[sizeof err->detail];
    tusk__tls_errors errors = tusk__tls_take_errors();

    if (errors.no_memory)
        return tusk__tls_explain(errors, err);
    (void)tusk__error_set(err, TUSK_ERR_CONFIG, NULL,
                          "sslrootcert=system: this machine has no root certificates where OpenSSL looks for them");
    (void)snprintf(text, sizeof text, "These places are looked into: %.100s, %.100s", file, folders);
    tusk__error_detail(err, tusk_str_of(text));
    tusk__error_hint(err,
                     tusk_str_of("Install them (ca-certificates), or name them by SSL_CERT_FILE or SSL_CERT_DIR."));
    return TUSK_ERR_CONFIG;
}

static tusk_code load_system(tusk__tls_context *context, const tusk__tls_policy *policy, tusk_error *err)
{
    X509_LOOKUP *lookup = X509_STORE_add_lookup(SSL_CTX_get_cert_store(context->ssl_ctx), X509_LOOKUP_file());
    char file[TUSK__TLS_PATH_SIZE], folders[TUSK__TLS_PATH_SIZE];

    if (!lookup)
        return tusk__tls_explain(tusk__tls_take_errors(), err);
    if (policy->system_file.len > 0)
        TUSK_TRY(tusk__tls_path_of(policy->system_file, file, "file in SSL_CERT_FILE", err));
    else
        (void)snprintf(file, sizeof file, "%s", X509_get_default_cert_file());
    if (policy->system_folders.len > 0)
        TUSK_TRY(tusk__tls_path_of(policy->system_folders, folders, "list in SSL_CERT_DIR", err));
    else
        (void)snprintf(folders, sizeof folders, "%s", X509_get_default_cert_dir());
    if ((X509_load_cert_file(lookup, file, X509_FILETYPE_PEM) > 0) + add_folders(lookup, folders) == 0)
        return no_system_roots(file, folders, err);
    ERR_clear_error(); /* of files that could not be read */
    context->verify_chain = true;
    return TUSK_OK;
}

tusk_code tusk__tls_load_roots(tusk__tls_context *context, const tusk__tls_policy *policy, tusk_error *err)
{
    return policy->trust_system ? load_system(context, policy, err) : load_root_file(context, policy, err);
}
