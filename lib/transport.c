/* The plain transport, and the two calls on a bare socket that all of lib/'s bytes pass.
 * TLS is lib/tls.c.
 * Read first: lib/transport.h, docs/internals/transport.md. */
#include "lib/transport.h"

#include <errno.h>

#include "proto/error_set.h"

/* ---- errno, in words --------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
    int os;
    const char *text;
} texts[] = {
    {ECONNREFUSED, "connection refused"},
    {ECONNRESET, "connection reset by the server"},
    {ECONNABORTED, "connection aborted"},
    {EPIPE, "the server has closed the connection"},
    {ENOTCONN, "the connection is closed"},
    {ETIMEDOUT, "no answer from the server"},
    {EHOSTUNREACH, "no route to the host"},
    {EHOSTDOWN, "the host is down"},
    {ENETUNREACH, "the network is unreachable"},
    {ENETDOWN, "the network is down"},
    {ENETRESET, "connection reset by the network"},
    {EADDRNOTAVAIL, "no local address or port is left for it"},
    {EADDRINUSE, "the address is in use"},
    {EAFNOSUPPORT, "this machine does not support the address family"},
    {EPROTOTYPE, "that is no stream socket"},
    {ENOENT, "there is no such socket"},
    {ENOTDIR, "there is no such socket"},
    {EACCES, "permission denied"},
    {EPERM, "permission denied"},
    {EAGAIN, "the server's queue of connections is full"},
    {EMFILE, "this process has too many open files"},
    {ENFILE, "this machine has too many open files"},
    {ENOBUFS, "the kernel is short of memory"},
    {ENOMEM, "the kernel is short of memory"},
};
/* clang-format on */

const char *tusk__os_text(int os)
{
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].os == os)
            return texts[i].text;
    return "an unexpected error of the system";
}

/* ---- the bare socket --------------------------------------------------------------------------------------------- */

/* EWOULDBLOCK is EAGAIN on every system that Tusk runs on. */
static bool is_not_yet(ssize_t rc)
{
    return rc == -EAGAIN || rc == -EINTR;
}

static tusk_code lost(int os, tusk_error *err)
{
    bool is_first = err && err->code == TUSK_OK;

    (void)tusk__error_set(err, TUSK_ERR_LOST, NULL, "the connection was lost: %s", tusk__os_text(os));
    if (is_first)
        err->os = os;
    return TUSK_ERR_LOST;
}

tusk_code tusk__socket_recv(tusk_loop *loop, int fd, void *buf, size_t len, size_t *n, tusk_error *err)
{
    const tusk__os *os = tusk__loop_os(loop);
    ssize_t rc = os->recv(os->ctx, fd, buf, len);

    *n = rc > 0 ? (size_t)rc : 0;
    if (rc > 0)
        return TUSK_OK;
    if (rc == 0)
        return TUSK_DONE;
    return is_not_yet(rc) ? TUSK_AGAIN : lost((int)-rc, err);
}

tusk_code tusk__socket_send(tusk_loop *loop, int fd, const void *buf, size_t len, size_t *n, tusk_error *err)
{
    const tusk__os *os = tusk__loop_os(loop);
    ssize_t rc = os->send(os->ctx, fd, buf, len);

    *n = rc > 0 ? (size_t)rc : 0;
    if (rc >= 0)
        return TUSK_OK;
    return is_not_yet(rc) ? TUSK_AGAIN : lost((int)-rc, err);
}

/* ---- the plain transport ----------------------------------------------------------------------------------------- */

static tusk_code plain_recv(tusk__transport *t, void *buf, size_t len, size_t *n, tusk_error *err)
{
    return tusk__socket_recv(t->loop, t->fd, buf, len, n, err);
}

static tusk_code plain_send(tusk__transport *t, const void *buf, size_t len, size_t *n, tusk_error *err)
{
    *n = 0;
    return len > 0 ? tusk__socket_send(t->loop, t->fd, buf, len, n, err) : TUSK_OK;
}

static bool plain_has_input(const tusk__transport *t)
{
    (void)t;
    return false;
}

static bool plain_wants_write(const tusk__transport *t)
{
    (void)t;
    return false;
}

static void plain_shutdown(tusk__transport *t)
{
    const tusk__os *os = tusk__loop_os(t->loop);

    (void)os->shutdown(os->ctx, t->fd, SHUT_WR); /* the peer may be gone already */
}

static void plain_close(tusk__transport *t)
{
    const tusk__os *os = tusk__loop_os(t->loop);
    const tusk_allocator *allocator = tusk__loop_allocator(t->loop);

    (void)os->close(os->ctx, t->fd); /* released also where it reports an error */
    allocator->free(t, allocator->user);
}

tusk__transport *tusk__plain_new(tusk_loop *loop, int fd)
{
    static const tusk__transport_ops ops = {
        .recv = plain_recv,
        .send = plain_send,
        .has_input = plain_has_input,
        .wants_write = plain_wants_write,
        .shutdown = plain_shutdown,
        .close = plain_close,
    };
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    tusk__transport *t = allocator->malloc(sizeof *t, allocator->user);

    if (t)
        *t = (tusk__transport){.ops = &ops, .loop = loop, .fd = fd};
    return t;
}
