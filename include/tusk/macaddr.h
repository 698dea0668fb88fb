/* Hardware addresses: the structs of macaddr and macaddr8.
 * Read first: docs/types.md, "macaddr, macaddr8". */
#ifndef TUSK_MACADDR_H
#define TUSK_MACADDR_H

#include <stdint.h>

/** macaddr: 08:00:2b:01:02:03 is {{0x08, 0x00, 0x2b, 0x01, 0x02, 0x03}}. */
typedef struct tusk_macaddr_octets {
    uint8_t octet[6];
} tusk_macaddr_octets;

/** macaddr8 (EUI-64). */
typedef struct tusk_macaddr8_octets {
    uint8_t octet[8];
} tusk_macaddr8_octets;

#endif
