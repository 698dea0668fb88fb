/* One character of UTF-8, strictly (RFC 3629): no surrogates, no longer spelling than need be, nothing beyond U+10FFFF.
 * Read first: RFC 3629, 3. */
#ifndef TUSK_PROTO_UTF8_H
#define TUSK_PROTO_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* At p, where at least one byte is left. Returns its length; 0: there is none. */
size_t tusk__utf8_read(const uint8_t *p, size_t left, uint32_t *code);

/* Write a character, at most 4 bytes, and return its length. code: not a surrogate, not beyond U+10FFFF. */
size_t tusk__utf8_write(uint32_t code, char *out);

#endif
