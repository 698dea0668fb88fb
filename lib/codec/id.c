/* xid, cid, xid8 and pg_lsn: unsigned, big-endian in binary; decimal digits in text, of pg_lsn two halves in hexadecimal.
 * Those of 64 bits lie in a value's integer bit by bit.
 * Source: PostgreSQL docs, "Object Identifier Types", "pg_lsn Type"; pg_lsn_in in src/backend/utils/adt/pg_lsn.c. */
#include <stdio.h>

#include "lib/codec/scan.h"

static tusk_code decoded(uint64_t n, tusk_value *out)
{
    out->kind = TUSK_KIND_INT;
    out->as.integer = (int64_t)n;
    return TUSK_OK;
}

static bool read_decimal(tusk_str text, uint64_t max, uint64_t *n)
{
    tusk__scan s = tusk__scan_of(text);

    for (*n = 0; s.at < s.end; s.at++) {
        unsigned digit = (unsigned)(*s.at - '0');

        if (digit > 9 || *n > (max - digit) / 10)
            return false;
        *n = *n * 10 + digit;
    }
    return text.len > 0;
}

static tusk_code parse_decimal(tusk_str text, uint64_t max, const char *type_name, tusk_value *out, tusk_error *err)
{
    uint64_t n;

    return read_decimal(text, max, &n) ? decoded(n, out) : tusk__bad_text(err, type_name, text);
}

static tusk_code encode32(tusk__writer *b, int64_t n, const char *type_name, tusk_error *err)
{
    if (n < 0 || n > UINT32_MAX)
        return tusk__does_not_fit(err, n, type_name);
    tusk__write_u32(b, (uint32_t)n);
    return TUSK_OK;
}

static size_t print_decimal(const tusk_value *value, char *buf, size_t size)
{
    int n = snprintf(buf, size, "%llu", (unsigned long long)value->as.integer);

    return n > 0 ? (size_t)n : 0;
}

/* ---- xid and cid ------------------------------------------------------------------------------------------------------------------- */

tusk_code tusk__xid_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    (void)err;
    return decoded(tusk__be32((const uint8_t *)bytes.ptr), out);
}

tusk_code tusk__xid_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    return parse_decimal(text, UINT32_MAX, "xid", out, err);
}

tusk_code tusk__xid_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    return encode32(b, value->as.integer, "xid", err);
}

size_t tusk__xid_print(const tusk_value *value, char *buf, size_t size)
{
    return print_decimal(value, buf, size);
}

tusk_code tusk__cid_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    return tusk__xid_decode(bytes, out, err);
}

tusk_code tusk__cid_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    return parse_decimal(text, UINT32_MAX, "cid", out, err);
}

tusk_code tusk__cid_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    return encode32(b, value->as.integer, "cid", err);
}

size_t tusk__cid_print(const tusk_value *value, char *buf, size_t size)
{
    return print_decimal(value, buf, size);
}

/* ---- xid8 -------------------------------------------------------------------------------------------------------------------------- */

tusk_code tusk__xid8_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    (void)err;
    return decoded(tusk__be64((const uint8_t *)bytes.ptr), out);
}

tusk_code tusk__xid8_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    return parse_decimal(text, UINT64_MAX, "xid8", out, err);
}

tusk_code tusk__xid8_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    (void)err;
    tusk__write_u64(b, (uint64_t)value->as.integer);
    return TUSK_OK;
}

size_t tusk__xid8_print(const tusk_value *value, char *buf, size_t size)
{
    return print_decimal(value, buf, size);
}

/* ---- pg_lsn ------------------------------------------------------------------------------------------------------------------------ */

#define LSN_HALF_DIGITS 8

static bool take_half(tusk__scan *s, uint64_t *half)
{
    int n = 0, digit;

    for (*half = 0; s->at < s->end && (digit = tusk__hex_digit(*s->at)) >= 0; n++, s->at++) {
        if (n == LSN_HALF_DIGITS)
            return false;
        *half = *half << 4 | (uint64_t)digit;
    }
    return n > 0;
}

tusk_code tusk__pg_lsn_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    return tusk__xid8_decode(bytes, out, err);
}

tusk_code tusk__pg_lsn_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    tusk__scan s = tusk__scan_of(text);
    uint64_t high, low;

    if (!take_half(&s, &high) || !tusk__take(&s, '/') || !take_half(&s, &low) || s.at != s.end)
        return tusk__bad_text(err, "pg_lsn", text);
    return decoded(high << 32 | low, out);
}

tusk_code tusk__pg_lsn_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    return tusk__xid8_encode(b, value, err);
}

size_t tusk__pg_lsn_print(const tusk_value *value, char *buf, size_t size)
{
    uint64_t lsn = (uint64_t)value->as.integer;
    int n = snprintf(buf, size, "%X/%X", (unsigned)(lsn >> 32), (unsigned)(lsn & UINT32_MAX));

    return n > 0 ? (size_t)n : 0;
}
