/* SASLprep (RFC 4013) of a password, as PostgreSQL's client and server do it before they hash.
 * It never refuses a password for its content: what is not UTF-8, or not allowed, is used as the bytes that it is.
 * Read first: docs/internals/scram.md, "SASLprep". */
#ifndef TUSK_PROTO_SASLPREP_H
#define TUSK_PROTO_SASLPREP_H

#include <stdint.h>

#include <tusk/error.h>
#include <tusk/str.h>

/* Code points of a password that is not plain ASCII, after decomposition (one character may become 18). With this bound
 * the ordering of combining marks, which is quadratic, stays below a millisecond. ASCII has no bound. */
#define TUSK__SASLPREP_MAX 1024

/* Where the work is done; 4 KiB, for the stack. It holds the password afterwards: the caller wipes it. */
typedef struct tusk__saslprep_buf {
    uint32_t codes[TUSK__SASLPREP_MAX];
} tusk__saslprep_buf;

/* *out is `password` itself (all ASCII, or used raw) or a text in *buf.
 * Errors  TUSK_ERR_LIMIT more than TUSK__SASLPREP_MAX code points */
TUSK_MUST_CHECK
tusk_code tusk__saslprep(tusk_str password, tusk__saslprep_buf *buf, tusk_str *out);

#endif
