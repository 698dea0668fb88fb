/* The effective configuration of a connection: every source read, checked and put in one immutable, counted struct.
 * It reaches nobody and knows no sockets.
 * Read first: tusk/config.h, docs/config.md. */
#ifndef TUSK_LIB_SETTINGS_H
#define TUSK_LIB_SETTINGS_H

#include <tusk/config.h>
#include <tusk/loop.h>

#include "proto/scram.h" /* tusk__channel_binding */

typedef enum tusk__sslmode { TUSK__SSL_DISABLE, TUSK__SSL_PREFER, TUSK__SSL_REQUIRE, TUSK__SSL_VERIFY_FULL } tusk__sslmode;

typedef struct tusk__settings {
    uint32_t refs;
    size_t size; /* of the block, texts included: wiped whole */
    const tusk_allocator *allocator;

    /* strings live behind the struct, each with a NUL behind it for the calls that need one; empty means not given */
    tusk_str host;     /* never empty: a name, an address, or a socket folder ("/tmp"); the default is libpq's */
    tusk_str hostaddr; /* connect here, verify against host */
    tusk_str port;     /* never empty, 1..65535 */
    tusk_str dbname;   /* never empty */
    tusk_str user;     /* never empty */
    tusk_str password;
    bool has_password;
    tusk_str application_name, options, sslrootcert, client_encoding_given;

    uint16_t port_number;
    tusk__sslmode sslmode;
    tusk__channel_binding channel_binding;
    uint32_t max_protocol, min_protocol; /* version words */
    int64_t connect_timeout_us; /* -1 none */
    uint32_t scram_max_iterations;

    tusk_notice_fn on_notice;
    tusk_closed_fn on_closed;
    tusk_parameter_fn on_parameter;
    void *user_data;
} tusk__settings;

/* Read the dsn and the fields of `config` over it, fill in defaults, check. TUSK_ERR_CONFIG names the parameter and what is
 * allowed; a malformed dsn by the position of the fault, never by its text (it may hold a password, D31).
 * *out has one reference. */
TUSK_MUST_CHECK
tusk_code tusk__settings_new(const tusk_allocator *allocator, const tusk_config *config, tusk__settings **out,
                             tusk_error *err);
static inline tusk__settings *tusk__settings_ref(tusk__settings *settings)
{
    settings->refs++;
    return settings;
}
void tusk__settings_unref(tusk__settings *settings); /* NULL is fine; wipes the password with the last reference */

#endif
