/* The simulated network: sockets, servers, and the poller that moves the clock.
 * Bytes travel in segments that never overtake each other; what goes wrong is drawn at each segment and each call.
 * Read first: test/sim/world.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "test/sim/inside.h"

/* A segment, or the end behind all segments, on its way. */
typedef struct segment {
    sim_peer *peer;
    size_t len;
    int os_error; /* of an end */
    uint8_t bytes[];
} segment;

/* ---- bytes ------------------------------------------------------------------------------------------------------------ */

static size_t bytes_left(const sim_bytes *b)
{
    return b->n - b->taken;
}

static void bytes_append(sim_bytes *b, const uint8_t *bytes, size_t len)
{
    if (b->taken == b->n)
        b->taken = b->n = 0;
    if (b->n + len > b->cap) {
        b->cap = (b->n + len) * 2;
        b->bytes = realloc(b->bytes, b->cap);
        if (!b->bytes)
            abort();
    }
    if (len)
        memcpy(b->bytes + b->n, bytes, len);
    b->n += len;
}

static void trace_peer(sim_peer *peer, const char *what, uint64_t number)
{
    sim_trace(peer->world, what, (uint64_t)(peer->fd + 1) << 32 ^ number);
}

/* ---- the end of a connection ------------------------------------------------------------------------------------------ */

static void reset_client(sim_peer *peer, int os_error)
{
    if (peer->state != SIM_CONNECTED)
        return;
    peer->state = SIM_FAILED;
    peer->so_error = os_error;
    peer->has_news = true;
    peer->in.taken = peer->in.n; /* a reset throws away what was not read */
    trace_peer(peer, "reset", (uint64_t)os_error);
}

static void tell_server_end(sim_peer *peer, int os_error)
{
    const sim_server *server = peer->listener->server;

    if (peer->is_end_told)
        return;
    peer->is_end_told = true;
    trace_peer(peer, "end", (uint64_t)os_error);
    if (server->on_close)
        server->on_close(peer, os_error, peer->user);
}

static void break_both(sim_peer *peer)
{
    reset_client(peer, ECONNRESET);
    tell_server_end(peer, ECONNRESET);
    peer->is_server_closed = true;
}

/* ---- segments --------------------------------------------------------------------------------------------------------- */

static void send_segment(sim_peer *peer, int64_t *last_us, const void *bytes, size_t len, int os_error,
                         void (*arrive)(void *))
{
    sim_world *world = peer->world;
    segment *s = sim__malloc(sizeof *s + len);
    int64_t at_us = world->now_us + sim__delay(world);

    if (len == 0 && sim_chance(world, world->faults.late_close))
        at_us += (int64_t)sim_random(world, 1000000);
    if (at_us < *last_us)
        at_us = *last_us;
    *last_us = at_us;
    *s = (segment){.peer = peer, .len = len, .os_error = os_error};
    if (len)
        memcpy(s->bytes, bytes, len);
    sim__add_event(world, at_us, arrive, s, true);
}

typedef enum verdict { ARRIVES, BREAKS, ENDS } verdict;

/* What becomes of a segment: silence eats it, a reset or an end of file cuts it (to *len). */
static verdict judge(sim_peer *peer, size_t *len)
{
    sim_world *world = peer->world;
    bool is_reset = sim_chance(world, world->faults.reset);
    bool is_end = !is_reset && sim_chance(world, world->faults.half_close);

    if (sim_chance(world, world->faults.stall))
        peer->is_silent = true;
    if (is_reset || is_end)
        *len = (size_t)sim_random(world, *len + 1);
    return is_reset ? BREAKS : is_end ? ENDS : ARRIVES;
}

static void arrive_at_client(void *arg)
{
    segment *s = arg;
    sim_peer *peer = s->peer;
    size_t len = s->len;
    verdict v = judge(peer, &len);

    peer->n_under_way -= s->len;
    if (!peer->is_silent && peer->state == SIM_CONNECTED && !peer->is_ended) {
        bytes_append(&peer->in, s->bytes, len);
        trace_peer(peer, "to client", len);
        peer->is_ended = v == ENDS;
        peer->has_news = true;
        if (v == BREAKS)
            break_both(peer);
    }
    free(s);
}

static void hand_to_server(sim_peer *peer, const uint8_t *bytes, size_t len)
{
    const sim_server *server = peer->listener->server;

    peer->n_to_server -= len;
    if (len && !peer->is_end_told && !peer->is_server_closed && server->on_data)
        server->on_data(peer, bytes, len, peer->user);
}

/* A peer that has closed answers data with a reset, as a kernel does. */
static void arrive_at_closed_server(sim_peer *peer, size_t len)
{
    peer->n_to_server -= len;
    reset_client(peer, ECONNRESET);
}

static void arrive_at_server(void *arg)
{
    segment *s = arg;
    sim_peer *peer = s->peer;
    size_t len = s->len;
    verdict v = judge(peer, &len);

    if (peer->is_silent || peer->is_end_told) {
        free(s);
        return; /* n_to_server stays: the send buffer fills, as with a peer that has vanished */
    }
    trace_peer(peer, "to server", len);
    if (peer->is_server_closed)
        arrive_at_closed_server(peer, s->len);
    else if (!peer->is_paused)
        hand_to_server(peer, s->bytes, len);
    else if (v == ARRIVES)
        bytes_append(&peer->held, s->bytes, len);
    if (v == BREAKS)
        break_both(peer);
    if (v == ENDS)
        tell_server_end(peer, 0);
    free(s);
}

static void end_at_client(void *arg)
{
    segment *s = arg;
    sim_peer *peer = s->peer;

    if (!peer->is_silent && peer->state == SIM_CONNECTED) {
        trace_peer(peer, "fin", (uint64_t)s->os_error);
        if (s->os_error)
            reset_client(peer, s->os_error);
        else
            peer->is_ended = peer->has_news = true;
    }
    free(s);
}

static void end_at_server(void *arg)
{
    segment *s = arg;

    if (!s->peer->is_silent)
        tell_server_end(s->peer, s->os_error);
    free(s);
}

/* ---- the server's side ------------------------------------------------------------------------------------------------ */

sim_listener *sim_listen(sim_world *world, const char *address, uint16_t port, const sim_server *server, void *user)
{
    sim_listener *listener = &world->listeners[world->n_listeners++];

    if (world->n_listeners > SIM_MAX_LISTENERS)
        abort();
    *listener = (sim_listener){.world = world, .port = port, .is_open = true, .server = server, .user = user};
    (void)snprintf(listener->address, sizeof listener->address, "%s", address);
    return listener;
}

void sim_listener_open(sim_listener *listener, bool is_open)
{
    listener->is_open = is_open;
}

void sim_conn_write(sim_peer *peer, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    if (peer->is_server_closed || len == 0)
        return;
    peer->n_under_way += len;
    while (len > 0) { /* in one to three segments */
        size_t n = sim_random(peer->world, 3) ? len : 1 + (size_t)sim_random(peer->world, len);
        send_segment(peer, &peer->last_to_client_us, at, n, 0, arrive_at_client);
        at += n;
        len -= n;
    }
}

void sim_conn_close(sim_peer *peer)
{
    if (peer->is_server_closed)
        return;
    peer->is_server_closed = true;
    send_segment(peer, &peer->last_to_client_us, NULL, 0, 0, end_at_client);
}

void sim_conn_reset(sim_peer *peer)
{
    if (peer->is_server_closed)
        return;
    peer->is_server_closed = true;
    send_segment(peer, &peer->last_to_client_us, NULL, 0, ECONNRESET, end_at_client);
}

void sim_conn_silence(sim_peer *peer)
{
    peer->is_silent = true;
}

void sim_conn_pause(sim_peer *peer, bool is_paused)
{
    sim_bytes held = peer->held;

    peer->is_paused = is_paused;
    if (is_paused || bytes_left(&held) == 0)
        return;
    memset(&peer->held, 0, sizeof peer->held);
    hand_to_server(peer, held.bytes + held.taken, bytes_left(&held));
    free(held.bytes);
}

size_t sim_conn_unread(const sim_peer *peer)
{
    return peer->n_under_way + bytes_left(&peer->in);
}

bool sim_conn_is_open(const sim_peer *peer)
{
    return peer->state == SIM_CONNECTED && !peer->is_server_closed && !peer->is_end_told;
}

void sim_conn_set_user(sim_peer *peer, void *user)
{
    peer->user = user;
}

void *sim_conn_user(const sim_peer *peer)
{
    return peer->user;
}

sim_world *sim_conn_world(const sim_peer *peer)
{
    return peer->world;
}

/* ---- sockets ---------------------------------------------------------------------------------------------------------- */

static sim_peer *peer_of(sim_world *world, int fd)
{
    size_t i = (size_t)fd - SIM_FIRST_FD;

    return fd >= SIM_FIRST_FD && i < world->n_by_fd ? world->by_fd[i] : NULL;
}

/* The lowest free number, as a kernel does: closed numbers come back at once. */
static int take_fd(sim_world *world, sim_peer *peer)
{
    size_t i = 0;

    while (i < world->n_by_fd && world->by_fd[i])
        i++;
    if (i == world->n_by_fd) {
        world->by_fd = realloc(world->by_fd, ++world->n_by_fd * sizeof *world->by_fd);
        if (!world->by_fd)
            abort();
    }
    world->by_fd[i] = peer;
    world->n_open++;
    return SIM_FIRST_FD + (int)i;
}

static int os_socket(void *ctx, int family, int type)
{
    sim_world *world = ctx;
    sim_peer *peer;

    (void)family, (void)type;
    if (sim_chance(world, world->faults.no_descriptor))
        return -EMFILE;
    peer = sim__malloc(sizeof *peer);
    memset(peer, 0, sizeof *peer);
    peer->world = world;
    peer->next = world->peers;
    world->peers = peer;
    peer->fd = take_fd(world, peer);
    trace_peer(peer, "socket", 0);
    return peer->fd;
}

static sim_listener *find_listener(sim_world *world, const struct sockaddr *addr, socklen_t len)
{
    char text[108] = "";
    uint16_t port = 0;
    struct sockaddr_in sin = {0};
    struct sockaddr_in6 sin6 = {0};

    if (addr->sa_family == AF_INET && len >= sizeof sin) {
        memcpy(&sin, addr, sizeof sin);
        (void)inet_ntop(AF_INET, &sin.sin_addr, text, sizeof text);
        port = ntohs(sin.sin_port);
    } else if (addr->sa_family == AF_INET6 && len >= sizeof sin6) {
        memcpy(&sin6, addr, sizeof sin6);
        (void)inet_ntop(AF_INET6, &sin6.sin6_addr, text, sizeof text);
        port = ntohs(sin6.sin6_port);
    } else if (addr->sa_family == AF_UNIX && len > offsetof(struct sockaddr_un, sun_path)) {
        size_t n = len - offsetof(struct sockaddr_un, sun_path);
        memcpy(text, (const char *)addr + offsetof(struct sockaddr_un, sun_path),
               n < sizeof text ? n : sizeof text - 1);
    }
    for (size_t i = 0; i < world->n_listeners; i++)
        if (world->listeners[i].port == port && strcmp(world->listeners[i].address, text) == 0)
            return &world->listeners[i];
    return NULL;
}

static void arrive_connect(void *arg)
{
    sim_peer *peer = arg;

    if (peer->state != SIM_CONNECTING)
        return;
    if (!peer->listener || !peer->listener->is_open || sim_chance(peer->world, peer->world->faults.refuse)) {
        peer->state = SIM_FAILED;
        peer->so_error = ECONNREFUSED;
        trace_peer(peer, "refused", 0);
        return;
    }
    peer->state = SIM_CONNECTED;
    trace_peer(peer, "connected", 0);
    if (peer->listener->server->on_accept)
        peer->listener->server->on_accept(peer, peer->user);
}

static int os_connect(void *ctx, int fd, const struct sockaddr *addr, socklen_t len)
{
    sim_world *world = ctx;
    sim_peer *peer = peer_of(world, fd);

    if (!peer)
        return -EBADF;
    if (peer->state != SIM_NEW)
        return peer->state == SIM_CONNECTING ? -EALREADY : -EISCONN;
    peer->state = SIM_CONNECTING;
    peer->listener = find_listener(world, addr, len);
    peer->user = peer->listener ? peer->listener->user : NULL;
    if (!sim_chance(world, world->faults.stall_connect))
        sim__add_event(world, world->now_us + sim__delay(world), arrive_connect, peer, false);
    trace_peer(peer, "connect", peer->listener != NULL);
    return sim_chance(world, world->faults.interrupted) ? -EINTR : -EINPROGRESS;
}

/* 0: go on. */
static int call_fault(sim_world *world)
{
    if (sim_chance(world, world->faults.interrupted))
        return -EINTR;
    return sim_chance(world, world->faults.again) ? -EAGAIN : 0;
}

static size_t shortened(sim_world *world, size_t len, int permille)
{
    return len > 1 && sim_chance(world, permille) ? 1 + (size_t)sim_random(world, len - 1) : len;
}

static ssize_t receive(sim_peer *peer, void *buf, size_t len)
{
    size_t n = bytes_left(&peer->in), at_hand = n < len ? n : len;
    int rc = call_fault(peer->world);

    if (rc < 0)
        peer->has_news = true; /* a kernel that says EAGAIN has more to tell */
    if (peer->state == SIM_FAILED) {
        rc = -peer->so_error;
        peer->so_error = 0;
        return rc;
    }
    if (peer->state != SIM_CONNECTED)
        return peer->state == SIM_CONNECTING ? -EAGAIN : -ENOTCONN;
    if (rc < 0)
        return rc;
    if (n == 0)
        return peer->is_ended || len == 0 ? 0 : -EAGAIN;
    n = shortened(peer->world, at_hand, peer->world->faults.short_read);
    peer->has_news = peer->has_news || n < at_hand;
    memcpy(buf, peer->in.bytes + peer->in.taken, n);
    peer->in.taken += n;
    return (ssize_t)n;
}

static ssize_t os_recv(void *ctx, int fd, void *buf, size_t len)
{
    sim_peer *peer = peer_of(ctx, fd);
    ssize_t n = peer ? receive(peer, buf, len) : -EBADF;

    if (peer)
        trace_peer(peer, "recv", (uint64_t)n);
    return n;
}

static ssize_t transmit(sim_peer *peer, const void *buf, size_t len)
{
    int rc = call_fault(peer->world);
    size_t room = SIM_WINDOW - peer->n_to_server;

    if (peer->state == SIM_FAILED || peer->is_shut) {
        rc = peer->so_error ? -peer->so_error : -EPIPE;
        peer->so_error = 0;
        return rc;
    }
    if (peer->state != SIM_CONNECTED)
        return peer->state == SIM_CONNECTING ? -EAGAIN : -ENOTCONN;
    if (rc < 0 || len == 0)
        return rc;
    if (room == 0)
        return -EAGAIN;
    len = shortened(peer->world, len < room ? len : room, peer->world->faults.short_write);
    peer->n_to_server += len;
    send_segment(peer, &peer->last_to_server_us, buf, len, 0, arrive_at_server);
    return (ssize_t)len;
}

static ssize_t os_send(void *ctx, int fd, const void *buf, size_t len)
{
    sim_peer *peer = peer_of(ctx, fd);
    ssize_t n = peer ? transmit(peer, buf, len) : -EBADF;

    if (peer)
        trace_peer(peer, "send", (uint64_t)n);
    return n;
}

static void shut(sim_peer *peer, int os_error)
{
    if (peer->is_shut || peer->state != SIM_CONNECTED)
        return;
    peer->is_shut = true;
    send_segment(peer, &peer->last_to_server_us, NULL, 0, os_error, end_at_server);
}

static int os_shutdown(void *ctx, int fd, int how)
{
    sim_peer *peer = peer_of(ctx, fd);

    if (!peer)
        return -EBADF;
    if (peer->state != SIM_CONNECTED)
        return -ENOTCONN;
    trace_peer(peer, "shutdown", (uint64_t)how);
    if (how != SHUT_RD)
        shut(peer, 0);
    return 0;
}

/* Closing with bytes unread resets the connection, as a kernel does. */
static int os_close(void *ctx, int fd)
{
    sim_world *world = ctx;
    sim_peer *peer = peer_of(world, fd);

    if (!peer)
        return -EBADF;
    trace_peer(peer, "close", 0);
    shut(peer, bytes_left(&peer->in) ? ECONNRESET : 0);
    world->by_fd[fd - SIM_FIRST_FD] = NULL;
    world->n_open--;
    peer->fd = -1;
    peer->state = SIM_CLOSED;
    peer->poller = NULL;
    peer->events = 0;
    return 0;
}

static int os_getsockopt(void *ctx, int fd, int level, int name, void *value, socklen_t *len)
{
    sim_peer *peer = peer_of(ctx, fd);

    if (!peer)
        return -EBADF;
    memset(value, 0, *len);
    if (level == SOL_SOCKET && name == SO_ERROR && *len >= sizeof peer->so_error) {
        memcpy(value, &peer->so_error, sizeof peer->so_error);
        peer->so_error = 0;
    }
    return 0;
}

static int os_setsockopt(void *ctx, int fd, int level, int name, const void *value, socklen_t len)
{
    (void)level, (void)name, (void)value, (void)len;
    return peer_of(ctx, fd) ? 0 : -EBADF;
}

/* All servers are root's, the one account that every system has. */
static int os_peer_account(void *ctx, int fd, uint32_t *id)
{
    *id = 0;
    return peer_of(ctx, fd) ? 0 : -EBADF;
}

void sim__net_fill(tusk__os *os)
{
    os->socket = os_socket;
    os->connect = os_connect;
    os->recv = os_recv;
    os->send = os_send;
    os->shutdown = os_shutdown;
    os->close = os_close;
    os->getsockopt = os_getsockopt;
    os->setsockopt = os_setsockopt;
    os->peer_account = os_peer_account;
}

void sim__net_free(sim_world *world)
{
    while (world->peers) {
        sim_peer *peer = world->peers;
        world->peers = peer->next;
        free(peer->in.bytes);
        free(peer->held.bytes);
        free(peer);
    }
    free(world->by_fd);
}

/* ---- readiness, and the passing of time --------------------------------------------------------------------------------- */

struct tusk__poller {
    sim_world *world;
    tusk_allocator allocator;
    bool is_woken;
};

static int poller_open(const tusk__os *os, const tusk_allocator *allocator, tusk__poller **out)
{
    tusk__poller *poller = allocator->malloc(sizeof *poller, allocator->user);

    if (!poller)
        return -ENOMEM;
    *poller = (tusk__poller){.world = os->ctx, .allocator = *allocator};
    *out = poller;
    return 0;
}

static void poller_close(tusk__poller *poller, bool forked)
{
    tusk_allocator allocator = poller->allocator;

    (void)forked;
    allocator.free(poller, allocator.user);
}

static int poller_set(tusk__poller *poller, int fd, unsigned before, unsigned now, uint64_t token)
{
    sim_peer *peer = peer_of(poller->world, fd);

    if (!peer)
        return -EBADF;
    if (before == 0 && now != 0 && peer->events != 0)
        return -EEXIST;
    peer->poller = poller;
    peer->events = now;
    peer->token = token;
    peer->has_news = true;
    return 0;
}

static unsigned ready_events(const sim_peer *peer)
{
    unsigned events = 0;

    if (peer->state == SIM_FAILED || peer->state == SIM_NEW)
        return TUSK_READABLE | TUSK_WRITABLE | TUSK__ENDED;
    if (peer->state != SIM_CONNECTED)
        return 0;
    if (bytes_left(&peer->in) || peer->is_ended)
        events |= TUSK_READABLE;
    if (peer->is_ended)
        events |= TUSK__ENDED;
    if (peer->n_to_server < SIM_WINDOW)
        events |= TUSK_WRITABLE;
    return events;
}

static void swap(tusk__poll_event *a, tusk__poll_event *b)
{
    tusk__poll_event kept = *a;

    *a = *b;
    *b = kept;
}

/* In any order, and now and then not all of them. */
static int shuffle(sim_world *world, tusk__poll_event *events, int n)
{
    for (int i = n - 1; i > 0; i--)
        swap(&events[i], &events[sim_random(world, (uint64_t)i + 1)]);
    return n > 1 && sim_chance(world, world->faults.partial_batch) ? 1 + (int)sim_random(world, (uint64_t)n) : n;
}

static int collect(tusk__poller *poller, tusk__poll_event *events, int max, bool may_be_spurious)
{
    sim_world *world = poller->world;
    int n = 0;

    for (size_t i = 0; i < world->n_by_fd && n < max; i++) {
        const sim_peer *peer = world->by_fd[i];
        unsigned ready;
        if (!peer || peer->poller != poller || peer->events == 0)
            continue;
        ready = peer->has_news || peer->events != (TUSK_READABLE | TUSK__EDGE) ? ready_events(peer) : 0;
        if (may_be_spurious && peer->state == SIM_CONNECTED && sim_chance(world, world->faults.spurious))
            ready |= TUSK_READABLE | TUSK_WRITABLE;
        ready &= peer->events | TUSK__ENDED;
        if (!(ready & peer->events))
            continue;
        events[n++] = (tusk__poll_event){peer->token, ready};
    }
    return shuffle(world, events, n);
}

static void forget_news(const tusk__poller *poller, const tusk__poll_event *events, int n)
{
    const sim_world *world = poller->world;

    for (int i = 0; i < n; i++)
        for (size_t k = 0; k < world->n_by_fd; k++)
            if (world->by_fd[k] && world->by_fd[k]->poller == poller && world->by_fd[k]->token == events[i].token)
                world->by_fd[k]->has_news = false;
}

static int report_trouble(sim_world *world, const char *kind)
{
    (void)snprintf(world->trouble, sizeof world->trouble, "%s at %lld.%06lld s", kind,
                   (long long)(world->now_us / 1000000), (long long)(world->now_us % 1000000));
    if (++world->n_troubles < 100)
        return -EDEADLK;
    fprintf(stderr, "sim: %s, and nobody listens\n", world->trouble);
    abort();
}

static bool has_news(tusk__poller *poller, tusk__poll_event *events, int max, bool may_be_spurious, int *n)
{
    *n = collect(poller, events, max, may_be_spurious);
    if (!poller->is_woken && *n == 0)
        return false;
    poller->is_woken = false;
    return true;
}

/* What wakes a program is not all that it finds: it gets its processor a little later. */
static int oversleep(tusk__poller *poller, tusk__poll_event *events, int max, int64_t until_us)
{
    sim_world *world = poller->world;
    int64_t late_us = world->now_us + sim__delay(world);

    while (sim__run_next_event(world, late_us < until_us ? late_us : until_us))
        ;
    return collect(poller, events, max, false);
}

/* Sleep until there is news or the time-out is over: the clock jumps from event to event. Every wait takes a microsecond, so
 * that a program which only ever looks does come to its next timer. */
static int poller_wait(tusk__poller *poller, tusk__poll_event *events, int max, int64_t timeout_us)
{
    sim_world *world = poller->world;
    int64_t until_us =
        timeout_us < 0 || timeout_us > INT64_MAX - world->now_us - 1 ? INT64_MAX : world->now_us + timeout_us;
    bool has_moved = false;
    int n;

    while (!has_news(poller, events, max, has_moved, &n)) {
        if (sim__run_next_event(world, until_us)) {
            has_moved = true;
            continue;
        }
        if (timeout_us < 0)
            return report_trouble(world, "deadlock");
        if (until_us > world->now_us)
            world->now_us = until_us;
        break;
    }
    if (n > 0 && has_moved && sim_random(world, 2))
        n = oversleep(poller, events, max, until_us);
    forget_news(poller, events, n);
    world->now_us++;
    world->n_idle_waits = has_moved || n > 0 || timeout_us > 0 ? 0 : world->n_idle_waits + 1;
    sim_trace(world, "wait", (uint64_t)n);
    return world->n_idle_waits > 1000000 ? report_trouble(world, "livelock") : n;
}

static int poller_wake(tusk__poller *poller)
{
    poller->is_woken = true;
    return 0;
}

/* A simulated loop cannot be embedded: nobody could poll() its descriptor. */
static int poller_fd(tusk__poller *poller)
{
    (void)poller;
    return -ENOTSUP;
}

static int poller_alarm(tusk__poller *poller, int64_t delay_us)
{
    (void)poller, (void)delay_us;
    return -ENOTSUP;
}

const tusk__poller_ops sim_poller_ops = {
    .name = "sim",
    .open = poller_open,
    .close = poller_close,
    .set = poller_set,
    .wait = poller_wait,
    .wake = poller_wake,
    .fd = poller_fd,
    .alarm = poller_alarm,
};
