/* bit and varbit: in binary an Int32 number of bits and their bytes, the last one filled up with zeros; in text 0s and 1s.
 * Both are the same but for their OID: bit(n)'s length is the server's business.
 * Source: PostgreSQL docs, "Bit String Types"; varbit_send and varbit_recv in src/backend/utils/adt/varbit.c. */
#include <tusk/bits.h>

#include "lib/codec/types.h"

#define HEADER 4

static tusk_code bad(tusk_error *err, const char *what)
{
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_BAD_BINARY, "bits in binary %s", what);
}

/* The bits of the last byte that are none of the string's. */
static uint8_t padding_of(uint32_t n_bits)
{
    unsigned used = n_bits % 8;

    return (uint8_t)(used == 0 ? 0 : 0xFFu >> used);
}

tusk_code tusk__bits_view_of(tusk_str wire, tusk_bits_view *out, tusk_error *err)
{
    const uint8_t *p = (const uint8_t *)wire.ptr;
    uint32_t n_bits;

    if (wire.len < HEADER)
        return bad(err, "without their number");
    n_bits = tusk__be32(p);
    if (n_bits > TUSK_BITS_MAX)
        return bad(err, "with a number beyond the type");
    if (wire.len != TUSK_BITS_SIZE(n_bits))
        return bad(err, "with more or fewer bytes than they say");
    if (p[wire.len - 1] & padding_of(n_bits))
        return bad(err, "with a bit behind the last one");
    out->wire = p;
    out->n_bits = n_bits;
    return TUSK_OK;
}

tusk_code tusk__bits_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    tusk_bits_view bits;

    TUSK_TRY(tusk__bits_view_of(bytes, &bits, err));
    out->kind = TUSK_KIND_WIRE;
    out->as.bytes = bytes;
    return TUSK_OK;
}

/* A view may be of the caller's making: checked again. */
tusk_code tusk__bits_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    tusk_bits_view bits;

    TUSK_TRY(tusk__bits_view_of(value->as.bytes, &bits, err));
    tusk__write_bytes(b, value->as.bytes);
    return TUSK_OK;
}

/* ---- text and bytes ---------------------------------------------------------------------------------------------------------------- */

size_t tusk_bits_to_text(tusk_bits_view bits, char *buf, size_t size)
{
    uint32_t n = bits.wire ? bits.n_bits : 0;
    size_t at = 0;

    if (size == 0)
        return n;
    for (; at < n && at < size - 1; at++)
        buf[at] = tusk_bits_at(bits, (uint32_t)at) ? '1' : '0';
    buf[at] = '\0';
    return n;
}

size_t tusk__bits_print(const tusk_value *value, char *buf, size_t size)
{
    const uint8_t *p = (const uint8_t *)value->as.bytes.ptr;
    tusk_bits_view bits = {p, tusk__be32(p)};

    return tusk_bits_to_text(bits, buf, size);
}

/* Checks the number and the room, and writes the number and zeros. */
static tusk_code begin(size_t n_bits, uint8_t *buf, size_t size, tusk_bits_view *out, tusk_error *err)
{
    if (n_bits > TUSK_BITS_MAX)
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_OUT_OF_RANGE, "%zu bits are more than %u", n_bits,
                               TUSK_BITS_MAX);
    if (size < TUSK_BITS_SIZE(n_bits))
        return tusk__too_small(err, TUSK_BITS_SIZE(n_bits), size);
    memset(buf, 0, TUSK_BITS_SIZE(n_bits));
    tusk__put32(buf, (uint32_t)n_bits);
    out->wire = buf;
    out->n_bits = (uint32_t)n_bits;
    return TUSK_OK;
}

tusk_code tusk_bits_from_text(tusk_str text, void *buf, size_t size, tusk_bits_view *out, tusk_error *err)
{
    uint8_t *p = buf;
    tusk_bits_view bits;

    tusk__error_begin(err);
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != '0' && text.ptr[i] != '1')
            return tusk__bad_text(err, "a string of bits", text);
    TUSK_TRY(begin(text.len, p, size, &bits, err));
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '1')
            p[HEADER + i / 8] = (uint8_t)(p[HEADER + i / 8] | 0x80 >> i % 8);
    *out = bits;
    return TUSK_OK;
}

tusk_code tusk_bits_from_bytes(const void *bytes, uint32_t n_bits, void *buf, size_t size, tusk_bits_view *out,
                               tusk_error *err)
{
    uint8_t *p = buf;
    tusk_bits_view bits;

    tusk__error_begin(err);
    TUSK_TRY(begin(n_bits, p, size, &bits, err));
    if (n_bits > 0) {
        memcpy(p + HEADER, bytes, TUSK_BITS_SIZE(n_bits) - HEADER);
        p[TUSK_BITS_SIZE(n_bits) - 1] = (uint8_t)(p[TUSK_BITS_SIZE(n_bits) - 1] & ~padding_of(n_bits));
    }
    *out = bits;
    return TUSK_OK;
}

tusk_code tusk__bits_read(tusk_str text, tusk__room room, tusk_value *out, tusk_error *err)
{
    tusk_bits_view bits;

    TUSK_TRY(tusk_bits_from_text(text, room.ptr, room.size, &bits, err));
    out->kind = TUSK_KIND_WIRE;
    out->as.bytes = tusk_str_from(bits.wire, TUSK_BITS_SIZE(bits.n_bits));
    return TUSK_OK;
}
