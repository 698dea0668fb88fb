/* int2, int4, int8 and oid: big-endian in binary, decimal digits in text.
 * Source: PostgreSQL docs, "Integer Types", "Object Identifier Types". */
#include <stdio.h>

#include "lib/codec/types.h"

static tusk_code decoded(int64_t n, tusk_value *out)
{
    out->kind = TUSK_KIND_INT;
    out->as.integer = n;
    return TUSK_OK;
}

/* ---- text ------------------------------------------------------------------------------------------------------------------------ */

/* Digits with an optional minus; false if it is anything else or does not fit int64. Accumulates below zero, because there is
 * one number more there. */
static bool read_decimal(tusk_str text, int64_t *out)
{
    bool negative = text.len > 0 && text.ptr[0] == '-';
    size_t i = negative;
    int64_t n = 0;

    if (i == text.len)
        return false;
    for (; i < text.len; i++) {
        int digit = text.ptr[i] - '0';

        if (digit < 0 || digit > 9 || n < (INT64_MIN + digit) / 10)
            return false;
        n = n * 10 - digit;
    }
    if (!negative && n == INT64_MIN)
        return false;
    *out = negative ? n : -n;
    return true;
}

static tusk_code parse_between(tusk_str text, int64_t min, int64_t max, const char *type_name, tusk_value *out,
                               tusk_error *err)
{
    int64_t n;

    if (!read_decimal(text, &n))
        return tusk__bad_text(err, type_name, text);
    if (n < min || n > max)
        return tusk__does_not_fit(err, n, type_name);
    return decoded(n, out);
}

static size_t print_decimal(const tusk_value *value, char *buf, size_t size)
{
    int n = snprintf(buf, size, "%lld", (long long)value->as.integer);

    return n > 0 ? (size_t)n : 0;
}

/* ---- int2 ------------------------------------------------------------------------------------------------------------------------ */

tusk_code tusk__int2_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    (void)err;
    return decoded((int16_t)tusk__be16((const uint8_t *)bytes.ptr), out);
}

tusk_code tusk__int2_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    return parse_between(text, INT16_MIN, INT16_MAX, "int2", out, err);
}

tusk_code tusk__int2_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    int64_t n = value->as.integer;

    if (n < INT16_MIN || n > INT16_MAX)
        return tusk__does_not_fit(err, n, "int2");
    tusk__write_u16(b, (uint16_t)n);
    return TUSK_OK;
}

size_t tusk__int2_print(const tusk_value *value, char *buf, size_t size)
{
    return print_decimal(value, buf, size);
}

/* ---- int4 ------------------------------------------------------------------------------------------------------------------------ */

tusk_code tusk__int4_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    (void)err;
    return decoded((int32_t)tusk__be32((const uint8_t *)bytes.ptr), out);
}

tusk_code tusk__int4_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    return parse_between(text, INT32_MIN, INT32_MAX, "int4", out, err);
}

tusk_code tusk__int4_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    int64_t n = value->as.integer;

    if (n < INT32_MIN || n > INT32_MAX)
        return tusk__does_not_fit(err, n, "int4");
    tusk__write_u32(b, (uint32_t)n);
    return TUSK_OK;
}

size_t tusk__int4_print(const tusk_value *value, char *buf, size_t size)
{
    return print_decimal(value, buf, size);
}

/* ---- int8 ------------------------------------------------------------------------------------------------------------------------ */

tusk_code tusk__int8_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    (void)err;
    return decoded((int64_t)tusk__be64((const uint8_t *)bytes.ptr), out);
}

tusk_code tusk__int8_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    return parse_between(text, INT64_MIN, INT64_MAX, "int8", out, err);
}

tusk_code tusk__int8_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    (void)err;
    tusk__write_u64(b, (uint64_t)value->as.integer);
    return TUSK_OK;
}

size_t tusk__int8_print(const tusk_value *value, char *buf, size_t size)
{
    return print_decimal(value, buf, size);
}

/* ---- oid: unsigned ---------------------------------------------------------------------------------------------------------------- */

tusk_code tusk__oid_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    (void)err;
    return decoded(tusk__be32((const uint8_t *)bytes.ptr), out);
}

tusk_code tusk__oid_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    return parse_between(text, 0, UINT32_MAX, "oid", out, err);
}

tusk_code tusk__oid_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    int64_t n = value->as.integer;

    if (n < 0 || n > UINT32_MAX)
        return tusk__does_not_fit(err, n, "oid");
    tusk__write_u32(b, (uint32_t)n);
    return TUSK_OK;
}

size_t tusk__oid_print(const tusk_value *value, char *buf, size_t size)
{
    return print_decimal(value, buf, size);
}
