/* Network addresses: the struct of inet and cidr, and the way to text and back. Nothing here allocates.
 * Read first: docs/types.md, "inet, cidr". */
#ifndef TUSK_INET_H
#define TUSK_INET_H

#include <stdint.h>

#include <tusk/error.h>
#include <tusk/str.h>

#ifdef __cplusplus
extern "C" {
#endif

/** tusk_inet_parts.family: PostgreSQL's own numbers, which are not those of AF_INET6. 0 is no address (SQL NULL). */
#define TUSK_INET_V4 2
#define TUSK_INET_V6 3

/** An address and its network. Laid out as the binary format is: its first 4 + len bytes are that. */
typedef struct tusk_inet_parts {
    uint8_t family;
    uint8_t bits;    /* of the network: 24 of 192.0.2.1/24; 32 or 128 of a host alone */
    uint8_t is_cidr; /* of what type it was; not looked at when it is sent */
    uint8_t len;     /* bytes of the address: 4 or 16 */
    uint8_t address[16]; /* as in struct in_addr and struct in6_addr */
} tusk_inet_parts;

static inline tusk_inet_parts tusk_inet_v4(const uint8_t address[4], uint8_t bits)
{
    tusk_inet_parts inet = {TUSK_INET_V4, bits, 0, 4, {address[0], address[1], address[2], address[3]}};
    return inet;
}
static inline tusk_inet_parts tusk_inet_v6(const uint8_t address[16], uint8_t bits)
{
    tusk_inet_parts inet = {TUSK_INET_V6, bits, 0, 16, {0}};
    for (int i = 0; i < 16; i++)
        inet.address[i] = address[i];
    return inet;
}

/**
 * Read 192.0.2.1, 192.0.2.0/24, 2001:db8::1, ::ffff:192.0.2.1/128: the four octets whole, an IPv6 address in each of its spellings.
 * Errors    TUSK_ERR_VALUE not such a text (22P02)
 */
tusk_code tusk_inet_from_text(tusk_str text, tusk_inet_parts *out, tusk_error *err);
/** As PostgreSQL prints it: an inet without the bits of a host alone, a cidr (is_cidr) always with them. snprintf's contract; of no address, 0. */
size_t tusk_inet_to_text(const tusk_inet_parts *inet, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif
