/* UTF-8.
 * Read first: proto/utf8.h. */
#include "proto/utf8.h"

size_t tusk__utf8_read(const uint8_t *p, size_t left, uint32_t *code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = p[0] < 0x80 ? 1 : p[0] < 0xC0 ? 0 : p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : p[0] < 0xF8 ? 4 : 0;
    uint32_t c;

    if (len == 0 || len > left)
        return 0;
    c = len == 1 ? p[0] : p[0] & (0x7Fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3Fu);
    }
    if (c < smallest[len] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return 0;
    *code = c;
    return len;
}

size_t tusk__utf8_write(uint32_t code, char *out)
{
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xC0, 0xE0, 0xF0};

    for (size_t i = len - 1; i > 0; i--, code >>= 6)
        out[i] = (char)(uint8_t)(0x80 | (code & 0x3F));
    out[0] = (char)(uint8_t)(lead[len] | code);
    return len;
}
