/* What the tests of containers share: blocks of exact size, and what becomes of a value that is sent or refused.
 * Read first: test/array_samples.h. */
#ifndef TUSK_TEST_CONTAINER_CHECKS_H
#define TUSK_TEST_CONTAINER_CHECKS_H

#include <check.h>
#include <stdlib.h>

#include "lib/codec/nested.h"

#define N_OF(array) (sizeof(array) / sizeof *(array))

/* A block of exactly that size, so that one byte too far is seen. */
static inline tusk_str exact(const void *bytes, size_t len)
{
    char *block = malloc(len > 0 ? len : 1);

    ck_assert_ptr_nonnull(block);
    if (len > 0)
        memcpy(block, bytes, len);
    return tusk_str_from(block, len);
}

static inline char *mutable(tusk_str block)
{
    union {
        const char *borrowed;
        char *owned;
    } either = {block.ptr};

    return either.owned;
}

static inline void release(tusk_str block)
{
    free(mutable(block));
}

static inline tusk_str exact_hex(const char *hex)
{
    size_t len = strlen(hex) / 2;
    char *block = malloc(len > 0 ? len : 1);

    ck_assert_ptr_nonnull(block);
    for (size_t i = 0; i < len; i++)
        block[i] = (char)(tusk__hex_digit(hex[2 * i]) << 4 | tusk__hex_digit(hex[2 * i + 1]));
    return tusk_str_from(block, len);
}

static inline tusk_code decode(uint32_t type, tusk_str bytes, tusk_value *out, tusk_error *err)
{
    memset(err, 0, sizeof *err);
    return tusk__value_decode(type, 1, bytes, out, err);
}

/* The parameter as a whole: format, length word, bytes; and no more than was foretold. */
static inline tusk_str sent(const tusk_value *value)
{
    tusk__writer b;
    uint16_t format = 99;
    tusk_error err = {0};
    tusk_str bytes;

    tusk__writer_init(&b, tusk_allocator_default());
    ck_assert_msg(tusk__param_encode(&b, value, 0, &format, &err) == TUSK_OK, "%s", err.message);
    ck_assert_int_eq(format, 1);
    ck_assert_uint_ge(b.len, 4);
    ck_assert_uint_eq(tusk__be32(b.buf), b.len - 4);
    ck_assert_uint_le(b.len, tusk__param_size(value));
    bytes = exact(b.buf + 4, b.len - 4);
    tusk__writer_clear(&b);
    return bytes;
}

static inline void assert_sent(const tusk_value *value, const void *wire, size_t len)
{
    tusk_str bytes = sent(value);

    ck_assert(tusk_str_equal(bytes, tusk_str_from(wire, len)));
    release(bytes);
}

static inline void refused(const tusk_value *value, tusk_code code, const char *sqlstate, const char *message)
{
    tusk__writer b;
    uint16_t format;
    tusk_error err = {0};

    tusk__writer_init(&b, tusk_allocator_default());
    ck_assert_int_eq(tusk__param_encode(&b, value, 0, &format, &err), code);
    ck_assert_str_eq(err.sqlstate, sqlstate);
    ck_assert_str_eq(err.message, message);
    tusk__writer_clear(&b);
}

static inline void assert_prints(const tusk_value *value, const char *text)
{
    const tusk__codec *codec = tusk__codec_of(value->type);
    size_t len = strlen(text);
    char *buf = malloc(len + 1);

    ck_assert_uint_eq(codec->print(value, NULL, 0), len);
    ck_assert_uint_eq(codec->print(value, buf, len + 1), len);
    ck_assert_str_eq(buf, text);
    free(buf);
}

#endif
