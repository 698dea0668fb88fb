/* text, varchar, bpchar, name, unknown and json: the bytes themselves, in either format; and what valid text is.
 * What the server sends is not validated: it is UTF-8 by the server's own check, unless the database is SQL_ASCII, whose
 * contents must be readable too. What is sent to it is.
 * Source: PostgreSQL docs, "Character Types", "Character Set Support". */
#include "lib/codec/types.h"

#define ALL_HIGH_BITS UINT64_C(0x8080808080808080)

/* Bytes that begin with so many ASCII characters, eight at a time. */
static size_t ascii_run(const uint8_t *p, size_t len)
{
    size_t i = 0;
    uint64_t word;

    for (; len - i >= sizeof word; i += sizeof word) {
        memcpy(&word, p + i, sizeof word);
        if (word & ALL_HIGH_BITS)
            break;
    }
    while (i < len && p[i] < 0x80)
        i++;
    return i;
}

static bool is_tail(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* The length of the character at p, 0 if there is none: RFC 3629, section 4. The second byte's range keeps out what is longer
 * than needed (E0, F0), surrogates (ED) and what lies above U+10FFFF (F4). */
static size_t character_at(const uint8_t *p, size_t len)
{
    uint8_t low = 0x80, high = 0xBF;
    size_t n;

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xC2 || p[0] > 0xF4)
        return 0;
    n = p[0] < 0xE0 ? 2 : p[0] < 0xF0 ? 3 : 4;
    low = p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : low;
    high = p[0] == 0xED ? 0x9F : p[0] == 0xF4 ? 0x8F : high;
    if (len < n || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if (!is_tail(p[i]))
            return 0;
    return n;
}

/* How many bytes from the start are valid. */
static size_t valid_run(tusk_str s)
{
    const uint8_t *p = (const uint8_t *)s.ptr;
    size_t i = 0;

    while (i < s.len) {
        size_t n = p[i] < 0x80 ? ascii_run(p + i, s.len - i) : character_at(p + i, s.len - i);

        if (n == 0)
            break;
        i += n;
    }
    return i;
}

bool tusk__utf8_is_valid(tusk_str s)
{
    return valid_run(s) == s.len;
}

tusk_code tusk__text_check(tusk_str text, tusk_error *err)
{
    const char *nul = text.len > 0 ? memchr(text.ptr, 0, text.len) : NULL;
    size_t valid;

    if (nul)
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_NOT_IN_REPERTOIRE,
                               "text with a NUL byte at offset %zu: PostgreSQL's text cannot hold one",
                               (size_t)(nul - text.ptr));
    valid = valid_run(text);
    if (valid < text.len)
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_NOT_IN_REPERTOIRE,
                               "text that is not UTF-8 at offset %zu", valid);
    return TUSK_OK;
}

tusk_code tusk__text_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    (void)err;
    out->kind = TUSK_KIND_TEXT;
    out->as.bytes = bytes;
    return TUSK_OK;
}

tusk_code tusk__text_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    return tusk__text_decode(text, out, err);
}

/* Room first: what is too long for a message is refused unread (D13). */
tusk_code tusk__text_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    if (tusk__writer_room(b, value->as.bytes.len))
        TUSK_TRY(tusk__text_check(value->as.bytes, err));
    tusk__write_bytes(b, value->as.bytes);
    return TUSK_OK;
}

size_t tusk__text_print(const tusk_value *value, char *buf, size_t size)
{
    return tusk__print_str(value->as.bytes, buf, size);
}
