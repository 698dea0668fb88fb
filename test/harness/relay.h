/*
 * A relay on loopback between a client and a server: bytes go through unchanged, and what the client said is kept, to be asked for
 * what must not be in it. One thread serves all its connections.
 * It knows of PostgreSQL only the SSLRequest, which it can answer itself, as somebody on the way would who wants no TLS; and where a
 * message ends, so that it can end a connection there.
 */
#ifndef TUSK_TEST_RELAY_H
#define TUSK_TEST_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RELAY_CONNECTIONS_MAX = 8, RELAY_KEPT_MAX = 65536 }; /* further connections are closed at once; further bytes not kept */

typedef struct relay relay;

typedef enum relay_direction { RELAY_TO_CLIENT, RELAY_TO_SERVER } relay_direction;

/* Listens on 127.0.0.1, a port of its own; goes on to 127.0.0.1:port. Any failure fails the test. */
relay *relay_start(uint16_t port);
uint16_t relay_port(const relay *r);
/* From now on the SSLRequest of a new connection is answered N and not passed on; any thread. */
void relay_strip_tls(relay *r);
/* Of the newest connection, which is at rest and in the clear: when n more messages (0: no byte more) have passed in that direction, both
 * of its ends are closed. Once per relay; any thread. */
void relay_cut(relay *r, relay_direction direction, long n);
/* How many connections were accepted so far; any thread. */
int relay_n_accepted(relay *r);

/* Ends the thread and all connections. What the client said stays until relay_free(). */
void relay_stop(relay *r);
void relay_free(relay *r);

/* Behind relay_stop(): what the client said on its n-th connection, from 0. */
const uint8_t *relay_said(const relay *r, int n, size_t *len);
bool relay_has_said(const relay *r, int n, const void *bytes, size_t len);

#endif
