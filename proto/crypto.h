/* The crypto functions that proto/ is handed: hash, HMAC, random bytes, constant-time comparison, wiping.
 * It holds no cryptography: lib/crypto.c fills the table with OpenSSL, a test or a fuzzer with what it likes.
 * Read first: docs/internals/scram.md. */
#ifndef TUSK_PROTO_CRYPTO_H
#define TUSK_PROTO_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tusk/error.h>
#include <tusk/str.h>

#define TUSK__SHA256_LEN 32
#define TUSK__SHA256_BLOCK 64
#define TUSK__MD5_LEN 16

/* A message is given in parts, so that nobody needs a buffer only to join them.
 * What returns a code returns TUSK_OK, TUSK_ERR_NOMEM, or TUSK_ERR_SYSTEM (the library refuses: MD5 under FIPS, no
 * entropy); on failure `out` is not to be read. `user` is handed back as it is: the loop, or a simulation, may put its own
 * random bytes here. All of it is called on the loop's thread. */
typedef struct tusk__crypto {
    void *user;
    tusk_code (*hmac_sha256)(void *user, const uint8_t *key, size_t key_len, const tusk_str *parts, size_t n_parts,
                             uint8_t out[TUSK__SHA256_LEN]);
    tusk_code (*sha256)(void *user, tusk_str data, uint8_t out[TUSK__SHA256_LEN]);
    tusk_code (*md5)(void *user, const tusk_str *parts, size_t n_parts, uint8_t out[TUSK__MD5_LEN]);
    tusk_code (*random)(void *user, uint8_t *out, size_t len);

    /* One compression of SHA-256 (FIPS 180-4, 6.2.2): state is eight words in host order. It cannot fail. PBKDF2 runs on
     * it: two calls an iteration, where a general HMAC needs four and its own bookkeeping. */
    void (*sha256_block)(uint32_t state[8], const uint8_t block[TUSK__SHA256_BLOCK]);

    bool (*equal)(const void *a, const void *b, size_t len); /* its time depends on len alone */
    void (*wipe)(void *p, size_t len);                       /* is not optimised away; len may be 0 */
} tusk__crypto;

#endif
