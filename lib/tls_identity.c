/* Who we are to the server: the client certificate and its key. Reads files, on the helper thread.
 * Whether the server asks for it is seen in the handshake (lib/tls_peer.c).
 * Read first: lib/tls.h; PostgreSQL docs, libpq, "Client Certificates". */
#include <errno.h>
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "lib/sources.h"
#include "lib/tls.h"
#include "proto/error_set.h"

#define CERTIFICATE_FILE "postgresql.crt"
#define KEY_FILE "postgresql.key"
#define KEY_FILE_MAX (1 << 20)

/* ---- the certificate --------------------------------------------------------------------------------------------- */

static tusk_code no_certificate(const tusk__tls_policy *policy, tusk_error *err)
{
    return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "sslcertmode=require needs a client certificate, and %s",
                           policy->home.len > 0 ? "there is no ~/.postgresql/" CERTIFICATE_FILE
                                                : "sslcert is not given");
}

static tusk_code certificate_failed(const char *path, tusk_error *err)
{
    tusk__tls_errors errors = tusk__tls_take_errors();
    bool is_system = ERR_SYSTEM_ERROR(errors.first);

    if (errors.no_memory)
        return tusk__tls_explain(errors, err);
    if (is_system && ERR_GET_REASON(errors.first) == ENOENT)
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "the client certificate file \"%s\" does not exist", path);
    if (is_system)
        return tusk__tls_cannot_read("client certificate file", path, ERR_GET_REASON(errors.first), err);
    return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "the client certificate file \"%s\" holds no usable certificate",
                           path);
}

/* ---- the key ----------------------------------------------------------------------------------------------------- */

typedef struct key_reader {
    const tusk__tls_policy *policy;
    bool was_asked; /* it is encrypted */
} key_reader;

/* Without a password it fails: OpenSSL's own way is to ask on the terminal. */
static int give_password(char *buf, int size, int is_writing, void *user)
{
    key_reader *reader = user;
    tusk_str password = reader->policy->key_password;

    (void)is_writing;
    reader->was_asked = true;
    if (password.len == 0 || password.len > (size_t)size)
        return -1;
    memcpy(buf, password.ptr, password.len);
    return (int)password.len;
}

static EVP_PKEY *read_pem(BIO *bio, key_reader *reader)
{
    return PEM_read_bio_PrivateKey(bio, NULL, give_password, reader);
}

static EVP_PKEY *read_der(BIO *bio, key_reader *reader)
{
    (void)reader;
    return d2i_PrivateKey_bio(bio, NULL);
}

static EVP_PKEY *read_encrypted_der(BIO *bio, key_reader *reader)
{
    return d2i_PKCS8PrivateKey_bio(bio, NULL, give_password, reader);
}

/* In one form after the other, as libpq; but not once it has turned out to be an encrypted one. */
static EVP_PKEY *read_key(const tusk__file *file, key_reader *reader)
{
    static EVP_PKEY *(*const forms[])(BIO * bio, key_reader * reader) = {read_pem, read_der, read_encrypted_der};
    EVP_PKEY *key = NULL;

    for (size_t i = 0; i < sizeof forms / sizeof forms[0] && !key && !reader->was_asked; i++) {
        BIO *bio = BIO_new_mem_buf(file->text, (int)file->len);
        if (bio)
            key = forms[i](bio, reader);
        BIO_free(bio);
    }
    return key;
}

static tusk_code key_is_encrypted(const char *path, const key_reader *reader, tusk_error *err)
{
    if (reader->policy->key_password.len > 0)
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL,
                               "the client key file \"%s\" is encrypted, and not with the password that was given",
                               path);
    if (reader->policy->ask_password)
        return TUSK_AGAIN;
    (void)tusk__error_set(err, TUSK_ERR_CONFIG, NULL,
                          "the client key file \"%s\" is encrypted, and no password for it was given", path);
    tusk__error_hint(err, tusk_str_of("Give it as sslpassword, or by tusk_config.on_key_password."));
    return TUSK_ERR_CONFIG;
}

static tusk_code key_failed(const char *path, const key_reader *reader, tusk_error *err)
{
    tusk__tls_errors errors = tusk__tls_take_errors();

    if (errors.no_memory)
        return tusk__tls_explain(errors, err);
    if (reader->was_asked)
        return key_is_encrypted(path, reader, err);
    return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "the client key file \"%s\" holds no usable key", path);
}

/* Whoever names his certificate alone may not know where its key is expected. */
static tusk_code key_is_absent(const tusk__tls_policy *policy, const char *path, int os, tusk_error *err)
{
    (void)tusk__tls_cannot_read("client key file", path, os, err);
    if (policy->key.len == 0)
        tusk__error_hint(err,
                         tusk_str_of("The key of the client certificate is expected there unless sslkey names it."));
    return TUSK_ERR_CONFIG;
}

static tusk_code file_failed(const char *path, tusk__file_result result, tusk_error *err)
{
    static const char *const what[] = {
        [TUSK__FILE_READ] = NULL,
        [TUSK__FILE_ABSENT] = NULL,
        [TUSK__FILE_NOT_PLAIN] = "is not a plain file",
        [TUSK__FILE_NOT_SECRET] = "is open to its group or to others",
        [TUSK__FILE_TOO_LONG] = "is too long for a key",
        [TUSK__FILE_NO_MEMORY] = NULL,
    };

    if (result == TUSK__FILE_NO_MEMORY)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for the client key");
    (void)tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "the client key file \"%s\" %s", path, what[result]);
    if (result == TUSK__FILE_NOT_SECRET)
        tusk__error_hint(err, tusk_str_of("Its permissions should be 0600 or less, or 0640 or less if root owns it."));
    return TUSK_ERR_CONFIG;
}

static tusk_code use_key(SSL_CTX *ctx, const char *path, EVP_PKEY *key, tusk_error *err)
{
    tusk__tls_errors errors;

    if (SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1)
        return TUSK_OK;
    errors = tusk__tls_take_errors();
    if (errors.no_memory)
        return tusk__tls_explain(errors, err);
    return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "the client key in \"%s\" is not that of the client certificate",
                           path);
}

static tusk_code load_key_file(tusk__tls_context *context, const tusk__tls_policy *policy, const char *path,
                               tusk_error *err)
{
    key_reader reader = {.policy = policy};
    tusk__file file;
    EVP_PKEY *key = NULL;
    int os;
    tusk__file_result result = tusk__file_read(&context->allocator, path, KEY_FILE_MAX, TUSK__FILE_KEY, &file, &os);
    tusk_code code;

    if (result == TUSK__FILE_READ)
        key = read_key(&file, &reader);
    tusk__file_clear(&file);
    if (result == TUSK__FILE_ABSENT)
        return key_is_absent(policy, path, os, err);
    if (result != TUSK__FILE_READ)
        return file_failed(path, result, err);
    if (!key)
        return key_failed(path, &reader, err);
    code = use_key(context->ssl_ctx, path, key, err);
    EVP_PKEY_free(key);
    return code;
}

static tusk_code load_key(tusk__tls_context *context, const tusk__tls_policy *policy, tusk_error *err)
{
    char path[TUSK__TLS_PATH_SIZE];

    if (policy->key.len == 0 && policy->home.len == 0)
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "the client certificate needs its key: sslkey is not given");
    if (policy->key.len > 0)
        TUSK_TRY(tusk__tls_path_of(policy->key, path, "client key file", err));
    else
        (void)tusk__tls_default_path(policy, KEY_FILE, path); /* the error names it */
    return load_key_file(context, policy, path, err);
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

/* OpenSSL's way, where a file is encrypted that should not be, is to ask on the terminal. */
static int give_none(char *buf, int size, int is_writing, void *user)
{
    (void)buf, (void)size, (void)is_writing, (void)user;
    return -1;
}

static tusk_code load_pair(tusk__tls_context *context, const tusk__tls_policy *policy, const char *path,
                           tusk_error *err)
{
    SSL_CTX_set_default_passwd_cb(context->ssl_ctx, give_none);
    if (SSL_CTX_use_certificate_chain_file(context->ssl_ctx, path) != 1)
        return certificate_failed(path, err);
    return load_key(context, policy, err);
}

tusk_code tusk__tls_load_identity(tusk__tls_context *context, const tusk__tls_policy *policy, tusk_error *err)
{
    char path[TUSK__TLS_PATH_SIZE];

    if (policy->no_certificate)
        return TUSK_OK;
    if (policy->certificate.len > 0) {
        TUSK_TRY(tusk__tls_path_of(policy->certificate, path, "client certificate file", err));
        return load_pair(context, policy, path, err);
    }
    if (tusk__tls_default_path(policy, CERTIFICATE_FILE, path))
        return load_pair(context, policy, path, err);
    return policy->must_show_certificate ? no_certificate(policy, err) : TUSK_OK;
}
