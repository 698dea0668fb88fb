/* The keys of TLS connections, for whoever must look at their bytes: a line for each secret, in the form that Wireshark reads (NSS
 * key log). Only the program itself or the variable SSLKEYLOGFILE may ask for it, never a connection string (D20).
 * The lines are written on the loop's thread, in the handshake: it is for finding faults, not for running.
 * Read first: lib/tls.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "lib/tls.h"
#include "proto/error_set.h"

enum { LINE_MAX_LEN = 512 };

/* In one write behind all others, so that lines of several threads and processes stay whole. What cannot be written is lost: a
 * connection does not fail for want of a record of it. */
static void write_line(const SSL *ssl, const char *line)
{
    const tusk__tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    char text[LINE_MAX_LEN];
    int len = snprintf(text, sizeof text, "%s\n", line);

    if (len > 0 && (size_t)len < sizeof text)
        while (write(context->key_log_fd, text, (size_t)len) < 0 && errno == EINTR)
            ;
    OPENSSL_cleanse(text, sizeof text);
}

tusk_code tusk__tls_open_key_log(tusk__tls_context *context, const tusk__tls_policy *policy, tusk_error *err)
{
    char path[TUSK__TLS_PATH_SIZE];

    if (policy->key_log.len == 0)
        return TUSK_OK;
    TUSK_TRY(tusk__tls_path_of(policy->key_log, path, "key log file", err));
    context->key_log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
    if (context->key_log_fd < 0) {
        int os = errno;

        (void)tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "the key log file \"%s\" cannot be opened", path);
        if (err)
            err->os = os;
        return TUSK_ERR_CONFIG;
    }
    (void)SSL_CTX_set_app_data(context->ssl_ctx, context);
    SSL_CTX_set_keylog_callback(context->ssl_ctx, write_line);
    return TUSK_OK;
}

void tusk__tls_close_key_log(tusk__tls_context *context)
{
    if (context->key_log_fd >= 0)
        (void)close(context->key_log_fd);
    context->key_log_fd = -1;
}
