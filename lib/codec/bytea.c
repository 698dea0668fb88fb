/* bytea: the bytes themselves in binary; \x and hexadecimal digits in text, or the older escape format.
 * Its text is the one that a view cannot show decoded: that needs room, which the caller of tusk_bytea_from_text() has.
 * Source: PostgreSQL docs, "Binary Data Types". */
#include <tusk/row.h>

#include "lib/codec/types.h"

tusk_code tusk__bytea_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    (void)err;
    out->kind = TUSK_KIND_BYTES;
    out->as.bytes = bytes;
    return TUSK_OK;
}

tusk_code tusk__bytea_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    (void)err;
    tusk__write_bytes(b, value->as.bytes);
    return TUSK_OK;
}

/* bytea_output = hex, the default. */
size_t tusk__bytea_print(const tusk_value *value, char *buf, size_t size)
{
    tusk_str bytes = value->as.bytes;
    size_t at = 0, len = 2 + 2 * bytes.len;

    if (size == 0)
        return len;
    for (; at < len && at < size - 1; at++) {
        uint8_t byte = at < 2 ? 0 : (uint8_t)bytes.ptr[at / 2 - 1];

        buf[at] = at < 2 ? "\\x"[at] : "0123456789abcdef"[at % 2 ? byte & 15 : byte >> 4];
    }
    buf[at] = '\0';
    return len;
}

/* ---- from text --------------------------------------------------------------------------------------------------------------------- */

/* Both count all bytes and store those that fit. False: not such a text. */
static bool from_hex(tusk_str text, uint8_t *buf, size_t size, size_t *len)
{
    size_t n = (text.len - 2) / 2;

    if (text.len % 2 != 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        int high = tusk__hex_digit(text.ptr[2 + 2 * i]), low = tusk__hex_digit(text.ptr[3 + 2 * i]);

        if (high < 0 || low < 0)
            return false;
        if (i < size)
            buf[i] = (uint8_t)(high << 4 | low);
    }
    *len = n;
    return true;
}

/* The byte at the front of text: itself, \\ or \ooo. Returns how many characters it took, 0 if it is malformed. */
static size_t escaped_byte(tusk_str text, uint8_t *byte)
{
    const char *p = text.ptr;

    *byte = (uint8_t)p[0];
    if (p[0] != '\\')
        return 1;
    if (text.len >= 2 && p[1] == '\\')
        return 2;
    if (text.len < 4 || p[1] < '0' || p[1] > '3' || p[2] < '0' || p[2] > '7' || p[3] < '0' || p[3] > '7')
        return 0;
    *byte = (uint8_t)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
    return 4;
}

static bool from_escape(tusk_str text, uint8_t *buf, size_t size, size_t *len)
{
    size_t n = 0;

    while (text.len > 0) {
        uint8_t byte;
        size_t took = escaped_byte(text, &byte);

        if (took == 0)
            return false;
        if (n < size)
            buf[n] = byte;
        n++;
        text = tusk_str_from(text.ptr + took, text.len - took);
    }
    *len = n;
    return true;
}

/* A text in escape format cannot begin with \x: there a backslash is followed by another or by digits (D10). */
tusk_code tusk_bytea_from_text(tusk_str text, void *buf, size_t size, size_t *len, tusk_error *err)
{
    bool is_hex = text.len >= 2 && text.ptr[0] == '\\' && text.ptr[1] == 'x';
    size_t n = 0;

    tusk__error_begin(err);
    if (is_hex ? !from_hex(text, buf, size, &n) : !from_escape(text, buf, size, &n))
        return tusk__bad_text(err, "bytea", text);
    *len = n;
    return n > size ? tusk__too_small(err, n, size) : TUSK_OK;
}

tusk_code tusk__bytea_read(tusk_str text, tusk__room room, tusk_value *out, tusk_error *err)
{
    size_t len;

    TUSK_TRY(tusk_bytea_from_text(text, room.ptr, room.size, &len, err));
    return tusk__bytea_decode(tusk_str_from(room.ptr, len), out, err);
}
