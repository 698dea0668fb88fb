/* TLS contexts of a loop: each policy's is built once, on the helper thread, and shared by whoever asks for it.
 * It includes no OpenSSL and opens no file.
 * Read first: lib/transport.h, "TLS". */
#ifndef TUSK_LIB_TLS_CACHE_H
#define TUSK_LIB_TLS_CACHE_H

#include "lib/transport.h"

/* A request that waits, embedded in its owner. */
typedef struct tusk__tls_waiter {
    struct tusk__tls_waiter *next, *prev; /* NULL when it does not wait */
    void (*on_done)(struct tusk__tls_waiter *waiter, tusk__tls_context *context, const tusk_error *err);
} tusk__tls_waiter;

/* TUSK_OK: *out has a reference that is yours · TUSK_AGAIN: on_done is called once, from the loop, with a context that is yours
 * or with the error; waiter is zeroed or has been called · errors. The policy is copied. */
TUSK_MUST_CHECK
tusk_code tusk__tls_cache_get(tusk_loop *loop, const tusk__tls_policy *policy, tusk__tls_waiter *waiter,
                              void (*on_done)(tusk__tls_waiter *waiter, tusk__tls_context *context,
                                              const tusk_error *err),
                              tusk__tls_context **out, tusk_error *err);
void tusk__tls_cache_leave(tusk__tls_waiter *waiter); /* on_done will not be called; again is fine */

#endif
