/* The answer to AuthenticationMD5Password.
 * It does not decide whether MD5 may be answered at all (require_auth, channel_binding): that is the caller's policy.
 * Read first: PostgreSQL docs, Frontend/Backend Protocol, "Start-up", AuthenticationMD5Password. */
#ifndef TUSK_PROTO_MD5AUTH_H
#define TUSK_PROTO_MD5AUTH_H

#include "proto/crypto.h"

#define TUSK__MD5AUTH_LEN 35 /* "md5" and 32 hexadecimal digits */

/* Write "md5" md5(hex(md5(password user)) salt): the text of the PasswordMessage, without its terminating NUL.
 * Errors  TUSK_ERR_AUTH no password · TUSK_ERR_NOMEM · TUSK_ERR_SYSTEM the crypto library has no MD5 (FIPS) */
TUSK_MUST_CHECK
tusk_code tusk__md5auth(const tusk__crypto *crypto, tusk_str user, tusk_str password, const uint8_t salt[4],
                        char out[TUSK__MD5AUTH_LEN], tusk_error *err);

#endif
