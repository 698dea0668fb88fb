/* CancelRequest: a connection of its own that says one thing and waits for the server to hang up.
 * Whether a cancel is allowed now, and what its end means for the connection, is the connection's business.
 * Read first: lib/dial.h; PostgreSQL docs, "Canceling Requests in Progress". */
#include "lib/dial.h"

#include "lib/owner.h"
#include "proto/error_set.h"
#include "proto/message.h"

enum { RECEIVED_MAX = TUSK__STARTUP_ERROR_MAX }; /* an error, perhaps, from something between us and the server */

struct tusk__cancel {
    tusk_loop *loop;
    void (*on_done)(const tusk_error *err, void *user);
    void *user;
    tusk__dial *dial; /* NULL once it answered */
    tusk__transport *transport;
    tusk__io io;
    tusk__timer timer;
    tusk__writer request; /* holds the key: wiped */
    size_t n_sent, n_received;
};

static void free_cancel(tusk__cancel *cancel)
{
    const tusk_allocator *allocator = tusk__loop_allocator(cancel->loop);

    if (cancel->dial)
        tusk__dial_cancel(cancel->dial);
    tusk__io_stop(&cancel->io);
    tusk__timer_stop(cancel->loop, &cancel->timer);
    if (cancel->transport)
        cancel->transport->ops->close(cancel->transport);
    tusk__writer_wipe(&cancel->request);
    allocator->free(cancel, allocator->user);
}

/* The socket is closed before on_done runs: whatever comes next there does not find it open. */
static void finish(tusk__cancel *cancel, tusk_error *err)
{
    void (*on_done)(const tusk_error *err, void *user) = cancel->on_done;
    void *user = cancel->user;

    tusk__error_where(err, "cancel");
    free_cancel(cancel);
    on_done(err, user);
}

/* ---- the talk ---------------------------------------------------------------------------------------------------- */

static tusk_code send_request(tusk__cancel *cancel, tusk_error *err)
{
    tusk__transport *t = cancel->transport;
    tusk_code code = TUSK_OK;
    size_t n;

    while (code == TUSK_OK && (cancel->n_sent < cancel->request.len || t->ops->wants_write(t))) {
        code = t->ops->send(t, cancel->request.buf + cancel->n_sent, cancel->request.len - cancel->n_sent, &n, err);
        cancel->n_sent += n;
        if (code == TUSK_OK && n == 0 && t->ops->wants_write(t))
            code = TUSK_AGAIN;
    }
    return code;
}

/* What a server says here means nothing and is dropped, within reason. An end without TLS's goodbye is the end all the same:
 * it carries no answer that could have been cut. A reset is not: perhaps nobody has read the request. */
static tusk_code await_end(tusk__cancel *cancel, tusk_error *err)
{
    tusk__transport *t = cancel->transport;
    tusk_code code = TUSK_OK;
    uint8_t dropped[512];
    size_t n;

    for (; code == TUSK_OK; cancel->n_received += n) {
        if (cancel->n_received > RECEIVED_MAX)
            return tusk__error_set(err, TUSK_ERR_PROTOCOL, NULL, "the server answers the cancel request at length");
        code = t->ops->recv(t, dropped, sizeof dropped, &n, err);
    }
    if (code == TUSK_ERR_LOST && err->os == 0) {
        *err = (tusk_error){0};
        return TUSK_DONE;
    }
    return code;
}

static void talk(tusk__cancel *cancel)
{
    tusk__transport *t = cancel->transport;
    tusk_error err = {0};
    unsigned events = TUSK_READABLE;
    tusk_code code = send_request(cancel, &err);

    if (code == TUSK_AGAIN)
        events |= TUSK_WRITABLE;
    if (code == TUSK_OK)
        code = await_end(cancel, &err);
    if (code == TUSK_AGAIN) {
        if (t->ops->wants_write(t))
            events |= TUSK_WRITABLE;
        code = tusk__io_set(&cancel->io, events, &err);
        if (code == TUSK_OK)
            return;
    }
    finish(cancel, &err);
}

static void on_ready(tusk__io *io, unsigned events)
{
    (void)events;
    talk(OWNER_OF(io, tusk__cancel, io));
}

/* ---- start ------------------------------------------------------------------------------------------------------- */

static void on_dialed(tusk__dial *dial, tusk__transport *transport, const tusk__address *address,
                      const tusk_error *given, void *user)
{
    tusk__cancel *cancel = user;
    tusk_error err = *given;

    (void)dial;
    (void)address;
    cancel->dial = NULL;
    cancel->transport = transport;
    if (err.code == TUSK_OK &&
        tusk__io_start(&cancel->io, cancel->loop, transport->fd, TUSK_READABLE, on_ready, &err) == TUSK_OK)
        talk(cancel);
    else
        finish(cancel, &err);
}

static void on_deadline(tusk__timer *timer)
{
    tusk__cancel *cancel = OWNER_OF(timer, tusk__cancel, timer);
    tusk_error err = {0};

    (void)tusk__error_set(&err, TUSK_ERR_TIMEOUT, NULL,
                          cancel->transport ? "the server did not hang up in time" : "no connection in time");
    finish(cancel, &err);
}

static tusk_code prepare(tusk__cancel *cancel, uint32_t pid, tusk_str key, int64_t timeout_us, tusk_error *err)
{
    tusk__cancel_request_write(&cancel->request, pid, key);
    if (cancel->request.failed != TUSK_OK)
        return tusk__error_set(err, cancel->request.failed, NULL, "the cancel request cannot be written");
    if (timeout_us >= 0 && tusk__timer_start(cancel->loop, &cancel->timer, timeout_us, on_deadline) != TUSK_OK)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a cancel request's deadline");
    return TUSK_OK;
}

tusk__cancel *tusk__cancel_start(tusk_loop *loop, tusk__settings *settings, const tusk__route *route, uint32_t pid,
                                 tusk_str key, int64_t timeout_us, void (*on_done)(const tusk_error *err, void *user),
                                 void *user, tusk_error *err)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    tusk__cancel *cancel = allocator->malloc(sizeof *cancel, allocator->user);

    if (!cancel) {
        (void)tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a cancel request");
        return NULL;
    }
    *cancel = (tusk__cancel){.loop = loop, .on_done = on_done, .user = user, .io = {.fd = -1}};
    tusk__writer_init(&cancel->request, allocator);
    if (prepare(cancel, pid, key, timeout_us, err) == TUSK_OK) {
        cancel->dial = tusk__dial_start(loop, settings, route, on_dialed, cancel, err);
        if (cancel->dial)
            return cancel;
    }
    free_cancel(cancel);
    return NULL;
}

void tusk__cancel_abandon(tusk__cancel *cancel)
{
    free_cancel(cancel);
}
