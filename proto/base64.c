/* Base64 as RFC 4648 section 4 writes it.
 * Sizes are divided before they are multiplied, so that no length can wrap (D5).
 * Read first: proto/base64.h. */
#include "proto/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char digit(uint32_t group, unsigned shift)
{
    return digits[(group >> shift) & 63];
}

tusk_code tusk__base64_encode(tusk_str data, char *out, size_t cap, size_t *len)
{
    const uint8_t *p = (const uint8_t *)data.ptr;
    size_t groups = data.len / 3 + (data.len % 3 != 0);

    *len = 0;
    if (groups > cap / 4)
        return TUSK_ERR_LIMIT;
    for (size_t left = data.len; left > 0; p += 3, out += 4) {
        uint32_t group = (uint32_t)p[0] << 16 | (left > 1 ? (uint32_t)p[1] << 8 : 0) | (left > 2 ? p[2] : 0u);

        out[0] = digit(group, 18);
        out[1] = digit(group, 12);
        out[2] = left > 1 ? digit(group, 6) : '=';
        out[3] = left > 2 ? digit(group, 0) : '=';
        if (left <= 3)
            break;
        left -= 3;
    }
    *len = groups * 4;
    return TUSK_OK;
}

/* The value of a digit, or 64. */
static uint32_t value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint32_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint32_t)(c - 'a') + 26;
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0') + 52;
    return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* Four characters of which the last `padding` (0…2) are '='. */
static bool read_group(const char *text, size_t padding, uint32_t *group)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        uint32_t v = i < 4 - padding ? value(text[i]) : 0;

        if (v > 63)
            return false;
        bits = bits << 6 | v;
    }
    *group = bits;
    return padding == 0 || (padding == 1 && (bits & 0xFF) == 0) || (padding == 2 && (bits & 0xFFFF) == 0);
}

tusk_code tusk__base64_decode(tusk_str text, uint8_t *out, size_t cap, size_t *len)
{
    size_t groups = text.len / 4, n = 0, padding = 0;

    *len = 0;
    if (text.len % 4 != 0)
        return TUSK_ERR_VALUE;
    for (size_t g = 0; g < groups; g++) {
        const char *at = text.ptr + 4 * g;
        uint32_t bits;

        if (g == groups - 1)
            padding = at[3] != '=' ? 0 : at[2] != '=' ? 1 : 2;
        if (!read_group(at, padding, &bits))
            return TUSK_ERR_VALUE;
        for (size_t i = 0; i < 3 - padding; i++) {
            if (n == cap)
                return TUSK_ERR_LIMIT;
            out[n++] = (uint8_t)(bits >> (16 - 8 * i));
        }
    }
    *len = n;
    return TUSK_OK;
}
