/*
 * The relay's thread: poll() over the listener and the pairs of sockets. See relay.h.
 */
#include "test/harness/relay.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TO_CLIENT = RELAY_TO_CLIENT, TO_SERVER = RELAY_TO_SERVER, HEADER = 5 };

/* Where to end a connection, and how far it has come to that. */
typedef struct cut {
    int pair;
    relay_direction direction;
    long n_left; /* messages that may pass */
    uint8_t header[HEADER];
    size_t n_header, n_body; /* bytes of the header that are here; of the body that are not */
} cut;

typedef struct pair {
    int fds[2]; /* the client, the server; -1: closed */
    bool strips;
    uint8_t said[RELAY_KEPT_MAX];
    size_t len;
} pair;

struct relay {
    int listener, stop[2];
    uint16_t port, to;
    pthread_t thread;
    atomic_bool strips;
    atomic_int n;
    atomic_bool cuts; /* `cut` is the thread's from then on */
    cut cut;
    pair pairs[RELAY_CONNECTIONS_MAX];
};

static const uint8_t ssl_request[] = {0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F};

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

/* ---- the thread ---------------------------------------------------------------------------------------------------- */

static void close_pair(pair *p)
{
    for (int side = 0; side < 2; side++)
        if (p->fds[side] >= 0)
            close(p->fds[side]);
    p->fds[0] = p->fds[1] = -1;
}

static void accept_pair(relay *r)
{
    struct sockaddr_in in = loopback(r->to);
    int fd = accept(r->listener, NULL, NULL), server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int n = atomic_load(&r->n);

    if (n == RELAY_CONNECTIONS_MAX || fd < 0 || connect(server, (struct sockaddr *)&in, sizeof in) != 0) {
        close(fd);
        close(server);
        return;
    }
    r->pairs[n].fds[TO_CLIENT] = fd;
    r->pairs[n].fds[TO_SERVER] = server;
    r->pairs[n].strips = atomic_load(&r->strips);
    atomic_store(&r->n, n + 1);
}

static bool send_all(int fd, const uint8_t *bytes, size_t len)
{
    for (ssize_t n; len > 0; bytes += n, len -= (size_t)n) {
        n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
    }
    return true;
}

static void keep(pair *p, const uint8_t *bytes, size_t len)
{
    size_t room = sizeof p->said - p->len;

    memcpy(p->said + p->len, bytes, len < room ? len : room);
    p->len += len < room ? len : room;
}

static size_t body_of(const uint8_t *header)
{
    return ((size_t)header[1] << 24 | (size_t)header[2] << 16 | (size_t)header[3] << 8 | header[4]) - 4;
}

/* How many of the bytes are in front of the cut. */
static size_t before(cut *c, const uint8_t *bytes, size_t len)
{
    size_t at = 0;

    while (at < len && c->n_left > 0) {
        size_t n = len - at < c->n_body ? len - at : c->n_body;

        if (c->n_header < HEADER) {
            c->header[c->n_header++] = bytes[at++];
            c->n_body = c->n_header == HEADER ? body_of(c->header) : 0;
        } else {
            c->n_body -= n;
            at += n;
        }
        if (c->n_header == HEADER && c->n_body == 0) {
            c->n_header = 0;
            c->n_left--;
        }
    }
    return at;
}

/* False: behind these bytes it ends. */
static bool send_within(relay *r, pair *p, int from, const uint8_t *bytes, size_t len)
{
    bool is_cut = atomic_load(&r->cuts) && p == &r->pairs[r->cut.pair] && 1 - from == (int)r->cut.direction;

    if (!is_cut)
        return send_all(p->fds[1 - from], bytes, len);
    return send_all(p->fds[1 - from], bytes, before(&r->cut, bytes, len)) && r->cut.n_left > 0;
}

/* The end of either side is the end of both: who closes here has nothing more to hear. */
static void pass_on(relay *r, pair *p, int from)
{
    uint8_t buf[16384];
    ssize_t n = recv(p->fds[from], buf, sizeof buf, 0);
    bool is_first = from == TO_CLIENT && p->len == 0;

    if (n > 0 && from == TO_CLIENT)
        keep(p, buf, (size_t)n);
    if (n == (ssize_t)sizeof ssl_request && is_first && p->strips &&
        memcmp(buf, ssl_request, sizeof ssl_request) == 0) {
        if (!send_all(p->fds[TO_CLIENT], (const uint8_t *)"N", 1))
            close_pair(p);
    } else if (n <= 0 || !send_within(r, p, from, buf, (size_t)n)) {
        close_pair(p);
    }
}

static void *relay_main(void *user)
{
    relay *r = user;
    struct pollfd polled[2 + 2 * RELAY_CONNECTIONS_MAX];

    for (;;) {
        int n = atomic_load(&r->n);

        polled[0] = (struct pollfd){.fd = r->stop[0], .events = POLLIN};
        polled[1] = (struct pollfd){.fd = r->listener, .events = POLLIN};
        for (int i = 0; i < 2 * n; i++)
            polled[2 + i] = (struct pollfd){.fd = r->pairs[i / 2].fds[i % 2], .events = POLLIN};
        if (poll(polled, (nfds_t)(2 + 2 * n), -1) < 0)
            continue;
        if (polled[0].revents)
            return NULL;
        if (polled[1].revents)
            accept_pair(r);
        for (int i = 0; i < 2 * n; i++)
            if (polled[2 + i].revents && r->pairs[i / 2].fds[i % 2] >= 0)
                pass_on(r, &r->pairs[i / 2], i % 2);
    }
}

/* ---- for tests ------------------------------------------------------------------------------------------------------- */

relay *relay_start(uint16_t port)
{
    struct sockaddr_in in = loopback(0);
    socklen_t len = sizeof in;
    relay *r = calloc(1, sizeof *r);

    ck_assert_ptr_nonnull(r);
    r->to = port;
    for (int i = 0; i < RELAY_CONNECTIONS_MAX; i++)
        r->pairs[i].fds[0] = r->pairs[i].fds[1] = -1;
    r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(r->listener, (struct sockaddr *)&in, sizeof in), 0);
    ck_assert_int_eq(listen(r->listener, 8), 0);
    ck_assert_int_eq(getsockname(r->listener, (struct sockaddr *)&in, &len), 0);
    r->port = ntohs(in.sin_port);
    ck_assert_int_eq(pipe(r->stop), 0);
    ck_assert_int_eq(pthread_create(&r->thread, NULL, relay_main, r), 0);
    return r;
}

uint16_t relay_port(const relay *r)
{
    return r->port;
}

void relay_strip_tls(relay *r)
{
    atomic_store(&r->strips, true);
}

void relay_cut(relay *r, relay_direction direction, long n)
{
    r->cut = (cut){.pair = atomic_load(&r->n) - 1, .direction = direction, .n_left = n};
    atomic_store(&r->cuts, true);
}

int relay_n_accepted(relay *r)
{
    return atomic_load(&r->n);
}

void relay_stop(relay *r)
{
    ck_assert_int_eq((int)write(r->stop[1], "", 1), 1);
    ck_assert_int_eq(pthread_join(r->thread, NULL), 0);
    for (int i = 0; i < RELAY_CONNECTIONS_MAX; i++)
        close_pair(&r->pairs[i]);
    close(r->listener);
    close(r->stop[0]);
    close(r->stop[1]);
}

void relay_free(relay *r)
{
    free(r);
}

const uint8_t *relay_said(const relay *r, int n, size_t *len)
{
    *len = r->pairs[n].len;
    return r->pairs[n].said;
}

bool relay_has_said(const relay *r, int n, const void *bytes, size_t len)
{
    const pair *p = &r->pairs[n];

    for (size_t at = 0; at + len <= p->len; at++)
        if (memcmp(p->said + at, bytes, len) == 0)
            return true;
    return false;
}
