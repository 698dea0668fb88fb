/* PBKDF2-HMAC-SHA256 (RFC 8018, 5.2), one block of output, to be computed in slices: SCRAM's Hi() of RFC 5802, 2.2.
 * On the bare compression of SHA-256, which crypto.h lends: two of it for each iteration.
 * Read first: docs/internals/scram.md. */
#ifndef TUSK_PROTO_PBKDF2_H
#define TUSK_PROTO_PBKDF2_H

#include "proto/crypto.h"

#define TUSK__PBKDF2_SALT_MAX 512 /* bytes */

/* A value without pointers, and all of it secret: who holds it wipes it. */
typedef struct tusk__pbkdf2 {
    uint32_t inner[8], outer[8]; /* SHA-256 after the first block of HMAC, keyed with the password */
    uint8_t u[TUSK__SHA256_LEN]; /* the chain's last link */
    uint8_t key[TUSK__SHA256_LEN]; /* all links xored: after the last iteration, the derived key */
} tusk__pbkdf2;

/* Keys it; the password is not needed any more. Errors  as crypto->sha256, of a password longer than TUSK__SHA256_BLOCK */
TUSK_MUST_CHECK
tusk_code tusk__pbkdf2_init(tusk__pbkdf2 *p, const tusk__crypto *crypto, tusk_str password);

/* The first iteration. salt: at most TUSK__PBKDF2_SALT_MAX bytes */
void tusk__pbkdf2_begin(tusk__pbkdf2 *p, const tusk__crypto *crypto, tusk_str salt);

/* n more of them; some 0.1 us each with SHA instructions. */
void tusk__pbkdf2_run(tusk__pbkdf2 *p, const tusk__crypto *crypto, uint32_t n);

#endif
