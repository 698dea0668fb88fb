/* Reading of message bodies, with errors that name message, field and numbers.
 * It knows no message by itself.
 * Read first: proto/body.h. */
#include "proto/body.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/bounds.h"
#include "proto/error_set.h"

tusk__body tusk__body_of(tusk_str body, const char *message, tusk_error *err)
{
    tusk__body b = {tusk__reader_of(body), message, err, TUSK_OK};

    return b;
}

void tusk__body_fail(tusk__body *b, const char *fmt, ...)
{
    char what[256];
    va_list args;

    if (b->code != TUSK_OK)
        return;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    b->in.ptr = b->in.end;
    b->code = tusk__error_set(b->err, TUSK_ERR_PROTOCOL, NULL, "%s: %s", b->message, what);
}

/* The next n bytes, or NULL and an error. */
static const uint8_t *take(tusk__body *b, const char *field, size_t n)
{
    size_t left = tusk__body_left(b);

    if (left >= n)
        return tusk__read_raw(&b->in, n);
    tusk__body_fail(b, "%s needs %zu bytes where %zu are left", field, n, left);
    return NULL;
}

uint8_t tusk__body_u8(tusk__body *b, const char *field)
{
    const uint8_t *p = take(b, field, 1);

    return p ? *p : 0;
}

uint16_t tusk__body_u16(tusk__body *b, const char *field)
{
    const uint8_t *p = take(b, field, 2);

    return p ? tusk__be16(p) : 0;
}

uint32_t tusk__body_u32(tusk__body *b, const char *field)
{
    const uint8_t *p = take(b, field, 4);

    return p ? tusk__be32(p) : 0;
}

tusk_str tusk__body_cstr(tusk__body *b, const char *field)
{
    size_t left = tusk__body_left(b);
    tusk_str s = tusk__read_cstr(&b->in);

    if (b->in.bad)
        tusk__body_fail(b, "%s has no terminating NUL in the %zu bytes left", field, left);
    return s;
}

tusk_str tusk__body_bytes(tusk__body *b, const char *field, size_t n)
{
    const uint8_t *p = take(b, field, n);

    return tusk_str_from(p, p ? n : 0);
}

tusk_str tusk__body_rest(tusk__body *b)
{
    return tusk__read_bytes(&b->in, tusk__body_left(b));
}

tusk_str tusk__body_field(tusk__body *b, const char *field, size_t index, bool *is_null)
{
    int32_t len = (int32_t)tusk__body_u32(b, field);
    size_t left = tusk__body_left(b);

    *is_null = len == -1;
    if (b->code != TUSK_OK || len == -1)
        return tusk_str_from(NULL, 0);
    if (len >= 0 && (size_t)len <= left)
        return tusk__read_bytes(&b->in, (size_t)len);
    tusk__body_fail(b, "%s %zu has length %d where %zu bytes are left", field, index, (int)len, left);
    return tusk_str_from(NULL, 0);
}

tusk_str tusk__body_cancel_key(tusk__body *b)
{
    size_t len = tusk__body_left(b);

    if (len < TUSK__CANCEL_KEY_MIN || len > TUSK__CANCEL_KEY_MAX)
        tusk__body_fail(b, "the cancel key has %zu bytes where %d to %d are possible", len, TUSK__CANCEL_KEY_MIN,
                        TUSK__CANCEL_KEY_MAX);
    return tusk__body_rest(b);
}

void tusk__body_check_count(tusk__body *b, const char *items, size_t n, size_t min_size)
{
    size_t left = tusk__body_left(b);

    /* divided, not multiplied: n may be any number */
    if (n > left / min_size)
        tusk__body_fail(b, "%zu %s are announced where %zu bytes are left", n, items, left);
}

size_t tusk__body_count(tusk__body *b, const char *items, size_t min_size)
{
    size_t n = tusk__body_u16(b, items);

    tusk__body_check_count(b, items, n, min_size);
    return b->code == TUSK_OK ? n : 0;
}

void tusk__body_check_format(tusk__body *b, size_t index, uint16_t format)
{
    if (format > 1)
        tusk__body_fail(b, "format code %zu is %u where 0 and 1 are possible", index, (unsigned)format);
}

tusk_str tusk__body_formats(tusk__body *b, const char *items, size_t *n)
{
    const uint8_t *codes;

    *n = tusk__body_count(b, items, 2);
    codes = take(b, items, *n * 2); /* at most 2 * 65535 */
    for (size_t i = 0; codes && i < *n; i++)
        tusk__body_check_format(b, i + 1, tusk__be16(codes + 2 * i));
    return tusk_str_from(codes, *n * 2);
}

tusk_code tusk__body_end(tusk__body *b)
{
    size_t left = tusk__body_left(b);

    if (left > 0)
        tusk__body_fail(b, "%zu bytes behind the end of the message", left);
    return b->code;
}
