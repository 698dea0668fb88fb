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

/* Of each character one more than its digit's value; 0: it is none. */
/* clang-format off */
static const uint8_t values[256] = {
    ['A'] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
    ['a'] = 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
    ['0'] = 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, ['+'] = 63, ['/'] = 64,
};
/* clang-format on */

/* Four characters of which the last `padding` (0…2) are '='; the bits that these leave over are 0. */
static bool read_group(const char *text, size_t padding, uint32_t *group)
{
    uint32_t a = values[(uint8_t)text[0]], b = values[(uint8_t)text[1]];
    uint32_t c = padding > 1 ? 1 : values[(uint8_t)text[2]], d = padding > 0 ? 1 : values[(uint8_t)text[3]];
    uint32_t left_over = padding == 0 ? 0 : padding == 1 ? 0xFF : 0xFFFF;

    *group = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);
    return a && b && c && d && (*group & left_over) == 0;
}

static size_t padding_of(const char *group)
{
    return group[3] != '=' ? 0 : group[2] != '=' ? 1 : 2;
}

tusk_code tusk__base64_decode(tusk_str text, uint8_t *out, size_t cap, size_t *len)
{
    size_t n = 0;

    *len = 0;
    if (text.len % 4 != 0)
        return TUSK_ERR_VALUE;
    for (size_t at = 0; at < text.len; at += 4) {
        size_t padding = at + 4 == text.len ? padding_of(text.ptr + at) : 0;
        uint32_t group;

        if (!read_group(text.ptr + at, padding, &group))
            return TUSK_ERR_VALUE;
        if (cap - n < 3 - padding)
            return TUSK_ERR_LIMIT;
        out[n] = (uint8_t)(group >> 16);
        if (padding < 2)
            out[n + 1] = (uint8_t)(group >> 8);
        if (padding < 1)
            out[n + 2] = (uint8_t)group;
        n += 3 - padding;
    }
    *len = n;
    return TUSK_OK;
}
