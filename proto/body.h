/* The reader of one message body: the cursor of buf.h that also knows the message's name, so that the first broken promise
 * is told with message, field and numbers. After it every read yields zeros, and tusk__body_end() returns the error.
 * It knows no message by itself, and is not for rows: see tusk__data_row_check().
 * Read first: proto/buf.h; then startup.c, where it is used. */
#ifndef TUSK_PROTO_BODY_H
#define TUSK_PROTO_BODY_H

#include "proto/buf.h"

typedef struct tusk__body {
    tusk__reader in;
    const char *message; /* as in "Message Formats" */
    tusk_error *err;     /* may be NULL */
    tusk_code code;
} tusk__body;

tusk__body tusk__body_of(tusk_str body, const char *message, tusk_error *err);

static inline size_t tusk__body_left(const tusk__body *b)
{
    return tusk__reader_left(&b->in);
}

/* The peer broke a promise: the first one is kept, and nothing more is read. fmt continues "Message: ". */
void tusk__body_fail(tusk__body *b, const char *fmt, ...) TUSK_PRINTF(2, 3);

uint8_t tusk__body_u8(tusk__body *b, const char *field);
uint16_t tusk__body_u16(tusk__body *b, const char *field);
uint32_t tusk__body_u32(tusk__body *b, const char *field);
tusk_str tusk__body_cstr(tusk__body *b, const char *field);
tusk_str tusk__body_bytes(tusk__body *b, const char *field, size_t n);
tusk_str tusk__body_rest(tusk__body *b);

/* An Int32 length, -1 for NULL, and so many bytes. index is told in the error, counted from 1. */
tusk_str tusk__body_field(tusk__body *b, const char *field, size_t index, bool *is_null);

/* A cancel key: all that is left, 4 to 256 bytes. */
tusk_str tusk__body_cancel_key(tusk__body *b);

/* An unsigned Int16 count of items that take at least min_size bytes each: refused before anything is done n times. */
size_t tusk__body_count(tusk__body *b, const char *items, size_t min_size);
/* The same check for a count of another width. */
void tusk__body_check_count(tusk__body *b, const char *items, size_t n, size_t min_size);

/* A format code at index (from 1): 0 text, 1 binary, nothing else. */
void tusk__body_check_format(tusk__body *b, size_t index, uint16_t format);
/* An Int16 count and so many format codes, as a view of the codes. */
tusk_str tusk__body_formats(tusk__body *b, const char *items, size_t *n);

/* The verdict. Bytes that are left are a broken promise too. */
tusk_code tusk__body_end(tusk__body *b);

#endif
