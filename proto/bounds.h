/* Every bound of the protocol layer, each with its reason. Lengths are of message bodies: the length word itself, 4 bytes,
 * is not counted.
 * Read first: peers-and-protocol, "Limits"; PostgreSQL docs, "Message Formats". */
#ifndef TUSK_PROTO_BOUNDS_H
#define TUSK_PROTO_BOUNDS_H

/* The server's own limit of one message: MaxAllocSize - 1 is 0x3fffffff - 1, length word included. A greater length is
 * loss of synchronisation in either direction (D13). */
#define TUSK__MESSAGE_MAX (0x3fffffff - 1 - 4)

/* Types that carry user data or text of any size (D V E N A T t d) may reach TUSK__MESSAGE_MAX; all others are small.
 * libpq's rule (VALID_LONG_MESSAGE_TYPE) and figure; t because 65535 parameters make 262146 bytes. */
#define TUSK__SMALL_MESSAGE_MAX 30000

/* Before the peer has proved anything: authentication and NegotiateProtocolVersion, libpq's figure. */
#define TUSK__AUTH_MESSAGE_MAX 2000

/* An ErrorResponse or NoticeResponse before the end of the login, libpq's MAX_ERRLEN. */
#define TUSK__STARTUP_ERROR_MAX 30000

/* The server refuses a longer startup packet (MAX_STARTUP_PACKET_LENGTH), length word included. */
#define TUSK__STARTUP_PACKET_MAX 10000

/* A cancel key: 4 bytes in protocol 3.0, 4 to 256 in 3.2. */
#define TUSK__CANCEL_KEY_MIN 4
#define TUSK__CANCEL_KEY_MAX 256

/* What the server takes of a 'p' message, and so the backend side too (PG_MAX_AUTH_TOKEN_LENGTH). */
#define TUSK__AUTH_TOKEN_MAX 65535

/* Int16 counts on the wire are unsigned. */
#define TUSK__PARAMS_MAX 65535

/* The server's MaxTupleAttributeNumber is 1664, but the wire allows more, and other servers speak it. */
#define TUSK__COLUMNS_MAX 65535

/* Distinct parameters of the server that are remembered per connection; PostgreSQL 18 reports 15. Beyond it the connection
 * ends: a peer that invents names would fill our memory. */
#define TUSK__PARAMETERS_MAX 1000

#endif
