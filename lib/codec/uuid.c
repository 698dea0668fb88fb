/* uuid: 16 bytes, or 36 characters 8-4-4-4-12 in hexadecimal.
 * Braces and other groupings, which the input function takes, are not read: the server does not print them.
 * Source: PostgreSQL docs, "UUID Type". */
#include "lib/codec/types.h"

#define UUID_TEXT_LEN 36

tusk_code tusk__uuid_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    (void)err;
    out->kind = TUSK_KIND_UUID;
    memcpy(out->as.uuid, bytes.ptr, 16);
    return TUSK_OK;
}

/* Is a hyphen due in front of byte i? */
static bool has_hyphen(int i)
{
    return i == 4 || i == 6 || i == 8 || i == 10;
}

tusk_code tusk__uuid_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    const char *p = text.ptr;
    uint8_t uuid[16];

    if (text.len != UUID_TEXT_LEN)
        return tusk__bad_text(err, "uuid", text);
    for (int i = 0; i < 16; i++, p += 2) {
        int high, low;

        if (has_hyphen(i) && *p++ != '-')
            return tusk__bad_text(err, "uuid", text);
        high = tusk__hex_digit(p[0]);
        low = tusk__hex_digit(p[1]);
        if (high < 0 || low < 0)
            return tusk__bad_text(err, "uuid", text);
        uuid[i] = (uint8_t)(high << 4 | low);
    }
    return tusk__uuid_decode(tusk_str_from(uuid, 16), out, err);
}

tusk_code tusk__uuid_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    (void)err;
    tusk__write_bytes(b, tusk_str_from(value->as.uuid, 16));
    return TUSK_OK;
}

size_t tusk__uuid_print(const tusk_value *value, char *buf, size_t size)
{
    char text[UUID_TEXT_LEN];
    char *p = text;

    for (int i = 0; i < 16; i++) {
        if (has_hyphen(i))
            *p++ = '-';
        *p++ = "0123456789abcdef"[value->as.uuid[i] >> 4];
        *p++ = "0123456789abcdef"[value->as.uuid[i] & 15];
    }
    return tusk__print_str(tusk_str_from(text, sizeof text), buf, size);
}
