/* Base64 as RFC 4648 section 4 writes it: what SCRAM's attributes are made of.
 * Strict: no whitespace, no missing padding, no other alphabet; it streams nothing and allocates nothing.
 * Read first: proto/scram.c, its one user. */
#ifndef TUSK_PROTO_BASE64_H
#define TUSK_PROTO_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include <tusk/error.h>
#include <tusk/str.h>

/* Characters for n bytes, as a constant expression; n must be a small number that we chose, not one of the peer's. */
#define TUSK__BASE64_LEN(n) (((size_t)(n) + 2) / 3 * 4)

/* Write `data` as text of *len characters, without a NUL. TUSK_ERR_LIMIT: more than `cap`; then nothing is written. */
TUSK_MUST_CHECK
tusk_code tusk__base64_encode(tusk_str data, char *out, size_t cap, size_t *len);

/* Read the whole of `text` into *len bytes. The empty text is no bytes. Only the canonical spelling is accepted: the bits
 * that padding leaves over must be zero. TUSK_ERR_VALUE: not base64. TUSK_ERR_LIMIT: more bytes than `cap`.
 * On failure *len is 0 and `out` may have been written to. */
TUSK_MUST_CHECK
tusk_code tusk__base64_decode(tusk_str text, uint8_t *out, size_t cap, size_t *len);

#endif
