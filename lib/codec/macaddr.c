/* macaddr and macaddr8: 6 and 8 octets, or pairs of hexadecimal digits with colons between them.
 * Other groupings, and the 6 octets that the input of macaddr8 widens, are not read: the server does not print them.
 * Source: PostgreSQL docs, "Network Address Types"; macaddr_out in src/backend/utils/adt/mac.c. */
#include "lib/codec/scan.h"

#define OCTETS_MAX 8

static bool take_octet(tusk__scan *s, uint8_t *octet)
{
    int high, low;

    if (s->end - s->at < 2)
        return false;
    high = tusk__hex_digit(s->at[0]);
    low = tusk__hex_digit(s->at[1]);
    if (high < 0 || low < 0)
        return false;
    *octet = (uint8_t)(high << 4 | low);
    s->at += 2;
    return true;
}

static bool read_octets(tusk_str text, uint8_t *octets, int n)
{
    tusk__scan s = tusk__scan_of(text);

    for (int i = 0; i < n; i++)
        if ((i > 0 && !tusk__take(&s, ':')) || !take_octet(&s, &octets[i]))
            return false;
    return s.at == s.end;
}

static size_t print_octets(const uint8_t *octets, int n, char *buf, size_t size)
{
    char text[3 * OCTETS_MAX];
    char *p = text;

    for (int i = 0; i < n; i++) {
        *p++ = "0123456789abcdef"[octets[i] >> 4];
        *p++ = "0123456789abcdef"[octets[i] & 15];
        *p++ = ':';
    }
    return tusk__print_str(tusk_str_from(text, (size_t)(p - text) - 1), buf, size);
}

/* ---- macaddr ----------------------------------------------------------------------------------------------------------------------- */

tusk_code tusk__macaddr_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    (void)err;
    out->kind = TUSK_KIND_MACADDR;
    memcpy(out->as.macaddr.octet, bytes.ptr, sizeof out->as.macaddr.octet);
    return TUSK_OK;
}

tusk_code tusk__macaddr_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    uint8_t octets[6];

    if (!read_octets(text, octets, sizeof octets))
        return tusk__bad_text(err, "macaddr", text);
    return tusk__macaddr_decode(tusk_str_from(octets, sizeof octets), out, err);
}

tusk_code tusk__macaddr_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    (void)err;
    tusk__write_bytes(b, tusk_str_from(value->as.macaddr.octet, sizeof value->as.macaddr.octet));
    return TUSK_OK;
}

size_t tusk__macaddr_print(const tusk_value *value, char *buf, size_t size)
{
    return print_octets(value->as.macaddr.octet, sizeof value->as.macaddr.octet, buf, size);
}

/* ---- macaddr8 ---------------------------------------------------------------------------------------------------------------------- */

tusk_code tusk__macaddr8_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    (void)err;
    out->kind = TUSK_KIND_MACADDR8;
    memcpy(out->as.macaddr8.octet, bytes.ptr, sizeof out->as.macaddr8.octet);
    return TUSK_OK;
}

tusk_code tusk__macaddr8_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    uint8_t octets[8];

    if (!read_octets(text, octets, sizeof octets))
        return tusk__bad_text(err, "macaddr8", text);
    return tusk__macaddr8_decode(tusk_str_from(octets, sizeof octets), out, err);
}

tusk_code tusk__macaddr8_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    (void)err;
    tusk__write_bytes(b, tusk_str_from(value->as.macaddr8.octet, sizeof value->as.macaddr8.octet));
    return TUSK_OK;
}

size_t tusk__macaddr8_print(const tusk_value *value, char *buf, size_t size)
{
    return print_octets(value->as.macaddr8.octet, sizeof value->as.macaddr8.octet, buf, size);
}
