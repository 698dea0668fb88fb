/* inet and cidr: in binary family, bits, whether it is a cidr, length, and the address; in text octets or groups, and /bits.
 * The short forms that the input function takes (10.1, 192.168/16) are not read: the server does not print them.
 * Source: PostgreSQL docs, "Network Address Types"; network_send and network_recv in src/backend/utils/adt/network.c, inet_net_ntop_ipv6
 * in src/port/inet_net_ntop.c. */
#include <tusk/inet.h>

#include <stdio.h>

#include "lib/codec/scan.h"

#define HEADER 4
#define GROUPS 8
/* ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128 and its NUL */
#define INET_TEXT_SIZE 52

_Static_assert(sizeof(tusk_inet_parts) == HEADER + 16, "an address is its own binary format");

static uint8_t len_of(uint8_t family)
{
    return family == TUSK_INET_V4 ? 4 : family == TUSK_INET_V6 ? 16 : 0;
}

static bool has_host_bits(const uint8_t *address, uint8_t len, uint8_t bits)
{
    for (unsigned i = bits; i < len * 8u; i++)
        if (address[i / 8] >> (7 - i % 8) & 1)
            return true;
    return false;
}

/* ---- the binary format ------------------------------------------------------------------------------------------------------------- */

static tusk_code bad(tusk_error *err, bool is_cidr, const char *what)
{
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_BAD_BINARY, "%s in binary %s", is_cidr ? "cidr" : "inet",
                           what);
}

/* All but the byte that tells a cidr. */
static tusk_code check(tusk_str wire, bool is_cidr, tusk_error *err)
{
    const uint8_t *p = (const uint8_t *)wire.ptr;

    if (wire.len < HEADER)
        return bad(err, is_cidr, "without its header");
    if (len_of(p[0]) == 0)
        return bad(err, is_cidr, "of a family that is none");
    if (p[3] != len_of(p[0]) || wire.len != HEADER + (size_t)p[3])
        return bad(err, is_cidr, "with an address of another length");
    if (p[1] > p[3] * 8)
        return bad(err, is_cidr, "with more bits than its address has");
    if (is_cidr && has_host_bits(p + HEADER, p[3], p[1]))
        return bad(err, is_cidr, "with bits to the right of its network");
    return TUSK_OK;
}

static tusk_code decode(tusk_str bytes, bool is_cidr, tusk_value *out, tusk_error *err)
{
    TUSK_TRY(check(bytes, is_cidr, err));
    if (bytes.ptr[2] != is_cidr)
        return bad(err, is_cidr, "that says it is the other type");
    out->kind = TUSK_KIND_WIRE;
    out->as.bytes = bytes;
    return TUSK_OK;
}

/* The address may be of the caller's making: checked again. */
static tusk_code encode(tusk__writer *b, const tusk_value *value, bool is_cidr, tusk_error *err)
{
    tusk_str wire = value->as.bytes;

    TUSK_TRY(check(wire, is_cidr, err));
    tusk__write_bytes(b, tusk_str_from(wire.ptr, 2));
    tusk__write_u8(b, is_cidr);
    tusk__write_bytes(b, tusk_str_from(wire.ptr + 3, wire.len - 3));
    return TUSK_OK;
}

tusk_inet_parts tusk__inet_of(tusk_str wire)
{
    tusk_inet_parts inet = {0};

    if (wire.len > 0)
        memcpy(&inet, wire.ptr, wire.len);
    return inet;
}

tusk_code tusk__inet_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    return decode(bytes, false, out, err);
}

tusk_code tusk__inet_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    return encode(b, value, false, err);
}

tusk_code tusk__cidr_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    return decode(bytes, true, out, err);
}

tusk_code tusk__cidr_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    return encode(b, value, true, err);
}

/* ---- to text ----------------------------------------------------------------------------------------------------------------------- */

static char *print_v4(const uint8_t *address, char *p)
{
    return p + snprintf(p, sizeof "255.255.255.255", "%u.%u.%u.%u", address[0], address[1], address[2], address[3]);
}

/* Groups of zeros that :: stands for. */
typedef struct gap {
    int start, len;
} gap;

/* The longest, the first of those of the same length; one group alone is none. */
static gap find_gap(const uint16_t *groups)
{
    gap best = {GROUPS, 1}, at = {0, 0};

    for (int i = 0; i < GROUPS; i++) {
        at.start = at.len == 0 ? i : at.start;
        at.len = groups[i] == 0 ? at.len + 1 : 0;
        if (at.len > best.len)
            best = at;
    }
    if (best.len < 2)
        best.len = 0;
    return best;
}

/* ::192.0.2.1 and ::ffff:192.0.2.1 */
static bool embeds_v4(const uint16_t *groups, gap zeros)
{
    return zeros.start == 0 && (zeros.len == 6 || (zeros.len == 5 && groups[5] == 0xFFFF));
}

static char *print_v6(const uint8_t *address, char *p)
{
    uint16_t groups[GROUPS];
    gap zeros;
    int n;

    for (int i = 0; i < GROUPS; i++)
        groups[i] = tusk__be16(address + 2 * i);
    zeros = find_gap(groups);
    n = embeds_v4(groups, zeros) ? 6 : GROUPS;
    for (int i = 0; i < n; i++) {
        bool is_zero = i >= zeros.start && i < zeros.start + zeros.len;

        if (!is_zero)
            p += snprintf(p, sizeof ":ffff", "%s%x", i > 0 ? ":" : "", (unsigned)groups[i]);
        else if (i == zeros.start)
            *p++ = ':';
    }
    if (n < GROUPS) {
        *p++ = ':';
        return print_v4(address + 12, p);
    }
    if (zeros.start + zeros.len == GROUPS && zeros.len > 0)
        *p++ = ':';
    return p;
}

size_t tusk_inet_to_text(const tusk_inet_parts *inet, char *buf, size_t size)
{
    char text[INET_TEXT_SIZE];
    char *p = text;

    if (len_of(inet->family) == 0)
        return tusk__print_str(tusk_str_of(""), buf, size);
    p = inet->family == TUSK_INET_V4 ? print_v4(inet->address, p) : print_v6(inet->address, p);
    if (inet->is_cidr || inet->bits != len_of(inet->family) * 8)
        p += snprintf(p, sizeof "/255", "/%u", inet->bits);
    return tusk__print_str(tusk_str_from(text, (size_t)(p - text)), buf, size);
}

/* By the type, not by what the caller's address says of itself. */
static size_t print(const tusk_value *value, bool is_cidr, char *buf, size_t size)
{
    tusk_inet_parts inet = tusk__inet_of(value->as.bytes);

    inet.is_cidr = is_cidr;
    return tusk_inet_to_text(&inet, buf, size);
}

size_t tusk__inet_print(const tusk_value *value, char *buf, size_t size)
{
    return print(value, false, buf, size);
}

size_t tusk__cidr_print(const tusk_value *value, char *buf, size_t size)
{
    return print(value, true, buf, size);
}

/* ---- from text --------------------------------------------------------------------------------------------------------------------- */

/* A number up to max, without zeros in front. */
static bool take_decimal(tusk__scan *s, int max, uint8_t *out)
{
    bool zero = s->at < s->end && *s->at == '0';
    const char *start = s->at;
    int n;

    if (!tusk__take_number(s, 1, 3, &n) || n > max || (zero && s->at - start > 1))
        return false;
    *out = (uint8_t)n;
    return true;
}

static bool take_v4(tusk__scan *s, uint8_t *address)
{
    for (int i = 0; i < 4; i++)
        if ((i > 0 && !tusk__take(s, '.')) || !take_decimal(s, 255, &address[i]))
            return false;
    return true;
}

static bool take_group(tusk__scan *s, uint8_t *address)
{
    int n = 0, digit, group = 0;

    for (; s->at < s->end && (digit = tusk__hex_digit(*s->at)) >= 0; n++, s->at++) {
        if (n == 4)
            return false;
        group = group << 4 | digit;
    }
    tusk__put16(address, (uint16_t)group);
    return n > 0;
}

/* Is what stands here four octets, not a group? */
static bool is_v4(tusk__scan s)
{
    int n;

    return tusk__take_number(&s, 1, 3, &n) && tusk__take(&s, '.');
}

/* Groups up to the end, or to the next ::; how many, or -1. */
static int take_groups(tusk__scan *s, uint8_t *address)
{
    int n = 0;

    while (n < GROUPS) {
        if (n <= GROUPS - 2 && is_v4(*s))
            return take_v4(s, address + 2 * (size_t)n) ? n + 2 : -1;
        if (!take_group(s, address + 2 * (size_t)n++))
            return -1;
        if (s->end - s->at < 2 || s->at[0] != ':' || s->at[1] == ':')
            return n;
        s->at++;
    }
    return -1;
}

/* :: stands for one group at least; behind it there may be nothing. */
static bool take_v6(tusk__scan *s, uint8_t *address)
{
    uint8_t tail[2 * GROUPS];
    int head = 0, n = 0;

    memset(address, 0, 2 * GROUPS);
    if (s->at < s->end && *s->at != ':' && (head = take_groups(s, address)) < 0)
        return false;
    if (head == GROUPS)
        return true;
    if (!tusk__take_text(s, "::"))
        return false;
    if (s->at < s->end && *s->at != '/' && (n = take_groups(s, tail)) < 0)
        return false;
    if (head + n >= GROUPS)
        return false;
    memcpy(address + 2 * (GROUPS - (size_t)n), tail, 2 * (size_t)n);
    return true;
}

static bool read_inet(tusk_str text, tusk_inet_parts *inet)
{
    tusk__scan s = tusk__scan_of(text);

    memset(inet, 0, sizeof *inet);
    inet->family = is_v4(s) ? TUSK_INET_V4 : TUSK_INET_V6;
    inet->len = len_of(inet->family);
    inet->bits = (uint8_t)(inet->len * 8);
    if (inet->family == TUSK_INET_V4 ? !take_v4(&s, inet->address) : !take_v6(&s, inet->address))
        return false;
    if (tusk__take(&s, '/') && !take_decimal(&s, inet->len * 8, &inet->bits))
        return false;
    return s.at == s.end;
}

tusk_code tusk_inet_from_text(tusk_str text, tusk_inet_parts *out, tusk_error *err)
{
    tusk_inet_parts inet;

    tusk__error_begin(err);
    if (!read_inet(text, &inet))
        return tusk__bad_text(err, "inet", text);
    *out = inet;
    return TUSK_OK;
}

static tusk_code read_into(tusk_str text, bool is_cidr, tusk__room room, tusk_value *out, tusk_error *err)
{
    tusk_inet_parts inet;

    if (!read_inet(text, &inet) || (is_cidr && has_host_bits(inet.address, inet.len, inet.bits)))
        return tusk__bad_text(err, is_cidr ? "cidr" : "inet", text);
    inet.is_cidr = is_cidr;
    return tusk__put_wire(room, &inet, HEADER + (size_t)inet.len, out, err);
}

tusk_code tusk__inet_read(tusk_str text, tusk__room room, tusk_value *out, tusk_error *err)
{
    return read_into(text, false, room, out, err);
}

tusk_code tusk__cidr_read(tusk_str text, tusk__room room, tusk_value *out, tusk_error *err)
{
    return read_into(text, true, room, out, err);
}
