/*
 * A server that asks for a bearer token. Whatever goes wrong ends the connection.
 * Read first: oauth_peer.h; RFC 7628, 3.2.
 */
#include "test/harness/oauth_peer.h"

#include <string.h>

#include "proto/message.h"

#define MECHANISM "OAUTHBEARER"

typedef struct line {
    int fd;
    SSL *ssl; /* NULL: in the clear */
} line;

static bool read_all(const line *l, void *buf, size_t len)
{
    return l->ssl ? SSL_read(l->ssl, buf, (int)len) == (int)len : tls_peer_read(l->fd, buf, len);
}

static void write_all(const line *l, const tusk__writer *out)
{
    if (l->ssl)
        (void)SSL_write(l->ssl, out->buf, (int)out->len);
    else
        (void)tls_peer_write(l->fd, out->buf, out->len);
}

/* What does not fit is no message of a login. The body is followed by a NUL. */
static bool read_message(const line *l, bool has_type, char *body, size_t size)
{
    uint8_t head[5];
    size_t n_head = has_type ? 5 : 4, len;

    if (!read_all(l, head, n_head))
        return false;
    len = tusk__be32(head + n_head - 4) - 4;
    if (len >= size)
        return false;
    body[len] = '\0';
    return len == 0 || read_all(l, body, len);
}

static void say(const line *l, uint32_t kind, tusk_str data, bool is_ready)
{
    tusk__writer out;

    tusk__writer_init(&out, tusk_allocator_default());
    tusk__authentication_write(&out, &(tusk__authentication){kind, data});
    if (is_ready)
        tusk__ready_for_query_write(&out, 'I');
    write_all(l, &out);
    tusk__writer_clear(&out);
}

static void refuse(const line *l)
{
    const tusk__error_field_value fields[] = {{'S', tusk_str_of("FATAL")},
                                              {'V', tusk_str_of("FATAL")},
                                              {'C', tusk_str_of("28000")},
                                              {'M', tusk_str_of("OAuth bearer authentication failed")}};
    tusk__writer out;

    tusk__writer_init(&out, tusk_allocator_default());
    tusk__error_fields_write(&out, TUSK__B_ERROR_RESPONSE, fields, 4);
    write_all(l, &out);
    tusk__writer_clear(&out);
}

static bool hear_token(const line *l, char *said)
{
    char body[1000];
    const char *response = body + sizeof MECHANISM + 4; /* its name, then a length */
    size_t len;

    if (!read_message(l, true, body, sizeof body) || memcmp(body, MECHANISM, sizeof MECHANISM) != 0)
        return false;
    len = strlen(response);
    if (said)
        memcpy(said, response, len < OAUTH_PEER_SAID ? len : OAUTH_PEER_SAID - 1);
    return true;
}

static void talk(const line *l, const oauth_peer *p, int n, char *said)
{
    char body[1000];

    if (!read_message(l, false, body, sizeof body))
        return;
    say(l, TUSK__AUTH_SASL, tusk_str_from(MECHANISM "\0", sizeof MECHANISM), false);
    if (!hear_token(l, said))
        return;
    if (p->wants && n % 2 == 0) {
        say(l, TUSK__AUTH_SASL_CONTINUE, tusk_str_of(p->wants), false);
        if (read_message(l, true, body, sizeof body))
            refuse(l);
    } else {
        say(l, TUSK__AUTH_OK, tusk_str_of(""), true);
        (void)read_message(l, true, body, sizeof body); /* Terminate */
    }
}

void oauth_peer_serve(int fd, int n, void *user)
{
    oauth_peer *p = user;
    line l = {.fd = fd};

    if (p->ctx) {
        l.ssl = tls_peer_ssl_request(fd) && tls_peer_write(fd, "S", 1) ? tls_peer_accept(fd, p->ctx) : NULL;
        if (!l.ssl)
            return;
    }
    talk(&l, p, n, n < OAUTH_PEER_KEPT ? p->said[n] : NULL);
    SSL_free(l.ssl);
}
