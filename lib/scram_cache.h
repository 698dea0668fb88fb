/* SCRAM keys kept on the loop: PBKDF2 costs a millisecond or more per login, and a pool logs in often with one password.
 * What is kept lets its holder log in, so it is treated like the password: kept only after the server has proved itself,
 * found only by who knows the password, bounded, wiped with the loop.
 * Read first: docs/internals/login.md; DESIGN, "SCRAM keys". */
#ifndef TUSK_LIB_SCRAM_CACHE_H
#define TUSK_LIB_SCRAM_CACHE_H

#include "loop/loop.h"
#include "proto/scram.h"

/* Enough for the users and servers of one loop; beyond it the least recently used goes. */
#define TUSK__SCRAM_CACHE_MAX 64

/* What keys were derived from. */
typedef struct tusk__scram_source {
    tusk_str password, salt;
    uint32_t iterations;
} tusk__scram_source;

/* The same source on the same loop, without the password in it: an HMAC under a random key of the loop. */
typedef struct tusk__scram_name {
    uint8_t bytes[TUSK__SHA256_LEN];
} tusk__scram_name;

/* Name a source. False: no memory or no random bytes; then nothing is kept, and nothing is wrong. crypto outlives the loop. */
bool tusk__scram_cache_name(tusk_loop *loop, const tusk__crypto *crypto, const tusk__scram_source *source,
                            tusk__scram_name *out);

/* Are there keys of that name? They are copied to *out, which the caller wipes. */
bool tusk__scram_cache_get(tusk_loop *loop, const tusk__scram_name *name, tusk__scram_keys *out);

/* Keep the keys of a verified login. */
void tusk__scram_cache_put(tusk_loop *loop, const tusk__scram_name *name, const tusk__scram_keys *keys);

/* Forget them: a login from this source failed. */
void tusk__scram_cache_drop(tusk_loop *loop, const tusk__scram_name *name);

#endif
