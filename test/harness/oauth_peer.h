/*
 * A server that asks for a bearer token, as a script of a tls_peer: in the clear or over TLS. It takes any token, and keeps what the
 * client said first.
 */
#ifndef TUSK_TEST_OAUTH_PEER_H
#define TUSK_TEST_OAUTH_PEER_H

#include "test/harness/tls_peer.h"

enum { OAUTH_PEER_KEPT = 4, OAUTH_PEER_SAID = 200 };

typedef struct oauth_peer {
    SSL_CTX *ctx;      /* NULL: no TLS */
    const char *wants; /* JSON: every other connection, from the first on, is told that and refused. NULL: all are let in */
    char said[OAUTH_PEER_KEPT][OAUTH_PEER_SAID]; /* the initial response of each connection, cut */
} oauth_peer;

void oauth_peer_serve(int fd, int n, void *user); /* user: the oauth_peer */

#endif
