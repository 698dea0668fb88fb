/* "char", of one byte whatever the encoding: that byte in binary; in text itself, nothing for NUL, \ooo from 0x80 on (PostgreSQL 16).
 * Source: PostgreSQL docs, "Character Types"; charout in src/backend/utils/adt/char.c. */
#include <stdio.h>

#include "lib/codec/types.h"

#define OCTAL_LEN 4 /* \377 */

static bool is_octal(char c, char max)
{
    return c >= '0' && c <= max;
}

static tusk_code decoded(uint8_t byte, tusk_value *out)
{
    out->kind = TUSK_KIND_INT;
    out->as.integer = byte;
    return TUSK_OK;
}

tusk_code tusk__char_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    (void)err;
    return decoded((uint8_t)bytes.ptr[0], out);
}

tusk_code tusk__char_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    const char *p = text.ptr;

    if (text.len <= 1)
        return decoded(text.len == 0 ? 0 : (uint8_t)p[0], out);
    if (text.len != OCTAL_LEN || p[0] != '\\' || !is_octal(p[1], '3') || !is_octal(p[2], '7') || !is_octal(p[3], '7'))
        return tusk__bad_text(err, "\"char\"", text);
    return decoded((uint8_t)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0')), out);
}

tusk_code tusk__char_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    if (value->as.integer < 0 || value->as.integer > UINT8_MAX)
        return tusk__does_not_fit(err, value->as.integer, "\"char\"");
    tusk__write_u8(b, (uint8_t)value->as.integer);
    return TUSK_OK;
}

size_t tusk__char_print(const tusk_value *value, char *buf, size_t size)
{
    char text[OCTAL_LEN + 1] = {(char)value->as.integer};

    if (value->as.integer >= 0x80)
        snprintf(text, sizeof text, "\\%03o", (unsigned)(value->as.integer & 0xFF));
    return tusk__print_str(tusk_str_of(text), buf, size);
}
