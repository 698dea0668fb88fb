/* One attempt to reach a server, as a table of steps. A step does one thing and says: done, wait, or why not.
 * The inputs that may come later (addresses, TLS material) are steps like the others, which wait for their provider.
 * Read first: lib/dial.h, docs/internals/connect.md. */
#include "lib/dial.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/un.h>

#include "lib/peer.h"
#include "lib/tls_cache.h"
#include "lib/owner.h"
#include "proto/error_set.h"
#include "proto/message.h"

typedef enum step {
    STEP_ADDRESS,
    STEP_TLS_MATERIAL,
    STEP_CONNECT,
    STEP_CONNECTED,
    STEP_SSL_REQUEST,
    STEP_SSL_ANSWER,
    STEP_TLS_START,
    STEP_TLS_HANDSHAKE,
    STEP_DONE
} step;

enum { SSL_REQUEST_LEN = 8 };

/* What belongs to the socket: gone with it. */
typedef struct
try {
    int fd; /* -1: none, or the transport's */
    tusk__transport *transport;
    unsigned ready;    /* what the loop reported and no step has used yet */
    bool is_connected; /* by connect() itself */
    size_t n_sent;     /* of the SSLRequest */
    bool is_final;     /* the server has answered SSLRequest, and badly: it is there, and nothing else is tried */
}
try;

struct tusk__dial {
    tusk_loop *loop;
    tusk__settings *settings;
    tusk__route route;
    tusk__dial_fn on_done;
    void *user;
    tusk__task start;
    tusk__io io;
    step step;

    tusk__resolve *resolve; /* while STEP_ADDRESS waits */
    tusk__tls_waiter tls_waiter;
    tusk__tls_context *tls_context;

    bool is_final;                        /* what try.is_final was */
    tusk__dial_addresses_fn on_addresses; /* NULL: the first address of a name is the one */
    try try;
};

static void advance(tusk__dial *dial);

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

static void on_ready(tusk__io *io, unsigned events)
{
    tusk__dial *dial = OWNER_OF(io, tusk__dial, io);

    dial->try.ready |= events;
    advance(dial);
}

/* TUSK_AGAIN, once the loop watches for `events`. */
static tusk_code wait_for(tusk__dial *dial, unsigned events, tusk_error *err)
{
    TUSK_TRY(tusk__io_set(&dial->io, events, err));
    return TUSK_AGAIN;
}

/* Was it reported since the last time? Uses the report up. */
static bool take_ready(tusk__dial *dial, unsigned events)
{
    bool is_ready = (dial->try.ready & events) != 0;

    dial->try.ready &= ~events;
    return is_ready;
}

/* The provider of the present step has answered. */
static void provided(tusk__dial *dial, const tusk_error *given);

/* ---- STEP_ADDRESS: given, a socket's path, or from the resolver -------------------------------------------------- */

static void on_resolved(const tusk__address *addresses, size_t n, const tusk_error *given, void *user)
{
    tusk__dial *dial = user;
    tusk_error err = *given;
    size_t mine = 0;

    dial->resolve = NULL;
    assert(err.code != TUSK_OK || n > 0);
    if (err.code == TUSK_OK && dial->on_addresses)
        (void)dial->on_addresses(addresses, n, &mine, dial->user, &err);
    if (err.code == TUSK_OK) {
        dial->route.address = addresses[mine];
        dial->route.has_address = true;
    }
    provided(dial, &err);
}

/* The parts behind each other. Returns their length; size and more: they do not fit with a NUL behind them. */
static size_t join(char *to, size_t size, const tusk_str *parts, size_t n)
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        if (parts[i].len >= size - len)
            return size;
        memcpy(to + len, parts[i].ptr, parts[i].len);
        len += parts[i].len;
    }
    return len;
}

/* "/tmp" is /tmp/.s.PGSQL.5432; "@tmp" the same in the abstract namespace, where a zero byte stands for the '@'. */
static tusk_code unix_address(tusk_str host, tusk_str port, tusk__address *out, tusk_error *err)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    const tusk_str parts[] = {host, tusk_str_of("/.s.PGSQL."), port};
    size_t n = join(sun.sun_path, sizeof sun.sun_path, parts, 3);

    if (n >= sizeof sun.sun_path)
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL,
                               "the path of the server's socket is too long: at most %zu bytes",
                               sizeof sun.sun_path - 1);
    *out = (tusk__address){.family = AF_UNIX, .len = sizeof sun};
    if (sun.sun_path[0] == '@') {
        sun.sun_path[0] = '\0';
        out->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    }
    memcpy(&out->addr, &sun, sizeof sun);
    return TUSK_OK;
}

static bool is_local(const tusk__route *route)
{
    if (route->has_address)
        return route->address.family == AF_UNIX;
    return route->hostaddr.len == 0 && tusk__is_socket_path(route->host);
}

static tusk_str port_text(const tusk__dial *dial)
{
    return dial->settings->hosts[dial->route.host_number].port;
}

static tusk_code find_address(tusk__dial *dial, tusk_error *err)
{
    tusk__route *route = &dial->route;
    tusk_str host = route->hostaddr.len > 0 ? route->hostaddr : route->host;

    if (route->has_address)
        return TUSK_OK;
    if (is_local(route)) {
        TUSK_TRY(unix_address(route->host, port_text(dial), &route->address, err));
        route->has_address = true;
        return TUSK_OK;
    }
    dial->resolve = tusk__resolve_start(dial->loop, host, route->port, on_resolved, dial, err);
    return dial->resolve ? TUSK_AGAIN : err->code;
}

/* ---- STEP_TLS_MATERIAL: a context for the policy, from the loop's cache or the helper thread --------------------- */

static void on_tls_context(tusk__tls_waiter *waiter, tusk__tls_context *context, const tusk_error *err)
{
    tusk__dial *dial = OWNER_OF(waiter, tusk__dial, tls_waiter);

    dial->tls_context = context;
    provided(dial, err);
}

static tusk__tls_policy policy_of(const tusk__settings *s)
{
    return (tusk__tls_policy){
        .verify = s->sslmode == TUSK__SSL_VERIFY_FULL ? TUSK__TLS_VERIFY_HOST
                  : s->sslmode == TUSK__SSL_VERIFY_CA ? TUSK__TLS_VERIFY_CHAIN
                                                      : TUSK__TLS_VERIFY_IF_ROOTS,
        .must_alpn = s->sslnegotiation == TUSK__NEGOTIATE_DIRECT,
        .trust_system = tusk__trusts_system(s),
        .rootcert = s->sslrootcert,
        .home = s->home,
        .system_file = s->system_roots_file,
        .system_folders = s->system_roots_folders,
        .min_version = s->tls_min,
        .max_version = s->tls_max,
        .no_sni = s->sslsni == 0,
        .crl = s->sslcrl,
        .crl_folder = s->sslcrldir,
        .key_log = s->sslkeylogfile,
        .no_certificate = s->sslcertmode == TUSK__CERT_DISABLE,
        .must_show_certificate = s->sslcertmode == TUSK__CERT_REQUIRE,
        .certificate = s->sslcert,
        .key = s->sslkey,
        .key_password = s->sslpassword,
        .ask_password = s->on_key_password,
        .ask_user = s->on_key_password ? s->user_data : NULL,
    };
}

static tusk_code find_tls_material(tusk__dial *dial, tusk_error *err)
{
    tusk__tls_policy policy;

    if (!dial->route.use_tls)
        return TUSK_OK;
    policy = policy_of(dial->settings);
    return tusk__tls_cache_get(dial->loop, &policy, &dial->tls_waiter, on_tls_context, &dial->tls_context, err);
}

/* ---- STEP_CONNECT, STEP_CONNECTED -------------------------------------------------------------------------------- */

static tusk_code cannot_connect(int os, tusk_error *err)
{
    (void)tusk__error_set(err, TUSK_ERR_CONNECT, NULL, "could not connect: %s", tusk__os_text(os));
    err->os = os;
    return TUSK_ERR_CONNECT;
}

#ifndef TCP_KEEPIDLE
#define TCP_KEEPIDLE TCP_KEEPALIVE /* macOS */
#endif

#ifndef TCP_USER_TIMEOUT
#define TCP_USER_TIMEOUT 0 /* as in libpq, it then means nothing */
#endif

/* By default a dead peer is noticed after 90 s, where Linux by itself waits two hours before its first probe. What is not above
 * zero leaves the system's own. */
static tusk_code set_tcp_options(tusk__dial *dial, tusk_error *err)
{
    const tusk__settings *s = dial->settings;
    const struct {
        int level, name, value;
        bool is_wanted;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1, true},
        {SOL_SOCKET, SO_KEEPALIVE, 1, s->keepalives},
        {IPPROTO_TCP, TCP_KEEPIDLE, s->keepalives_idle, s->keepalives && s->keepalives_idle > 0},
        {IPPROTO_TCP, TCP_KEEPINTVL, s->keepalives_interval, s->keepalives && s->keepalives_interval > 0},
        {IPPROTO_TCP, TCP_KEEPCNT, s->keepalives_count, s->keepalives && s->keepalives_count > 0},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, s->tcp_user_timeout_ms, TCP_USER_TIMEOUT && s->tcp_user_timeout_ms > 0},
    };
    const tusk__os *os = tusk__loop_os(dial->loop);

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        int rc = 0;

        if (options[i].is_wanted)
            rc = os->setsockopt(os->ctx, dial->try.fd, options[i].level, options[i].name, &options[i].value,
                                sizeof options[i].value);
        if (rc < 0)
            return cannot_connect(-rc, err);
    }
    return TUSK_OK;
}

static tusk_code open_socket(tusk__dial *dial, const tusk__address *address, tusk_error *err)
{
    const tusk__os *os = tusk__loop_os(dial->loop);
    int fd = os->socket(os->ctx, address->family, SOCK_STREAM);

    if (fd < 0)
        return cannot_connect(-fd, err);
    dial->try.fd = fd;
    TUSK_TRY(tusk__io_start(&dial->io, dial->loop, fd, 0, on_ready, err));
    return address->family == AF_UNIX ? TUSK_OK : set_tcp_options(dial, err);
}

/* EINTR leaves the connection to be made in the background (POSIX), as EINPROGRESS does. EAGAIN is a full Unix socket: it is
 * not being connected, and waiting for it would be for ever; one that has room is connected at once. */
static tusk_code connect_socket(tusk__dial *dial, tusk_error *err)
{
    const tusk__address *address = &dial->route.address;
    const tusk__os *os = tusk__loop_os(dial->loop);
    int rc;

    TUSK_TRY(open_socket(dial, address, err));
    rc = os->connect(os->ctx, dial->try.fd, (const struct sockaddr *)&address->addr, address->len);
    dial->try.is_connected = rc == 0;
    return rc == 0 || rc == -EINPROGRESS || rc == -EINTR ? TUSK_OK : cannot_connect(-rc, err);
}

/* The socket becomes the transport's. */
static tusk_code go_on_in_the_clear(tusk__dial *dial, tusk_error *err)
{
    if (dial->settings->sslcertmode == TUSK__CERT_REQUIRE)
        return tusk__error_set(err, TUSK_ERR_TLS, NULL,
                               "sslcertmode=require wants a client certificate to be shown, and this is no TLS");
    dial->try.transport = tusk__plain_new(dial->loop, dial->try.fd);
    if (!dial->try.transport)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a connection");
    dial->try.fd = -1;
    return TUSK_DONE;
}

/* What became of a connect() that went on in the background. */
static tusk_code check_connected(tusk__dial *dial, tusk_error *err)
{
    const tusk__os *os = tusk__loop_os(dial->loop);
    int so_error = 0, rc;
    socklen_t len = sizeof so_error;

    if (!take_ready(dial, TUSK_WRITABLE))
        return wait_for(dial, TUSK_WRITABLE, err);
    rc = os->getsockopt(os->ctx, dial->try.fd, SOL_SOCKET, SO_ERROR, &so_error, &len);
    return rc < 0 || so_error != 0 ? cannot_connect(rc < 0 ? -rc : so_error, err) : TUSK_OK;
}

static tusk_code finish_connect(tusk__dial *dial, tusk_error *err)
{
    if (!dial->try.is_connected)
        TUSK_TRY(check_connected(dial, err));
    if (is_local(&dial->route))
        TUSK_TRY(tusk__peer_check(dial->loop, dial->try.fd, dial->settings, err));
    return dial->route.use_tls ? TUSK_OK : go_on_in_the_clear(dial, err);
}

/* ---- STEP_SSL_REQUEST, STEP_SSL_ANSWER: in the clear, and therefore trusted in nothing --------------------------- */

static bool is_direct(const tusk__dial *dial)
{
    return dial->settings->sslnegotiation == TUSK__NEGOTIATE_DIRECT;
}

static tusk_code send_ssl_request(tusk__dial *dial, tusk_error *err)
{
    uint8_t packet[SSL_REQUEST_LEN];
    tusk_code code = TUSK_OK;
    size_t n;

    if (is_direct(dial))
        return TUSK_OK;
    tusk__put32(packet, sizeof packet);
    tusk__put32(packet + 4, TUSK__SSL_REQUEST_CODE);
    while (code == TUSK_OK && dial->try.n_sent < sizeof packet) {
        code = tusk__socket_send(dial->loop, dial->try.fd, packet + dial->try.n_sent, sizeof packet - dial->try.n_sent,
                                 &n, err);
        dial->try.n_sent += n;
    }
    return code == TUSK_AGAIN ? wait_for(dial, TUSK_WRITABLE, err) : code;
}

static const char *sslmode_name(const tusk__settings *settings)
{
    static const char *const names[] = {
        [TUSK__SSL_DISABLE] = "disable", [TUSK__SSL_ALLOW] = "allow",         [TUSK__SSL_PREFER] = "prefer",
        [TUSK__SSL_REQUIRE] = "require", [TUSK__SSL_VERIFY_CA] = "verify-ca", [TUSK__SSL_VERIFY_FULL] = "verify-full"};

    return names[settings->sslmode];
}

static tusk_code refuse_missing_tls(tusk__dial *dial, tusk_error *err)
{
    if (dial->settings->sslmode == TUSK__SSL_PREFER) /* the cancel of an encrypted connection */
        return tusk__error_set(err, TUSK_ERR_CONNECT, "0A000", "the server does not support TLS any more");
    return tusk__error_set(err, TUSK_ERR_CONNECT, "0A000",
                           "the server does not support TLS, but sslmode=%s asks for it", sslmode_name(dial->settings));
}

/* Whoever sits on the way can write here what he likes, an 'E' with a text for the user too: it is not read (D22). */
static tusk_code refuse_answer(uint8_t answer, tusk_error *err)
{
    if (answer == TUSK__B_ERROR_RESPONSE)
        return tusk__error_set(err, TUSK_ERR_CONNECT, NULL,
                               "the server answered the request for TLS with an error; its text is not shown, since "
                               "nothing proves whose it is");
    return tusk__error_set(err, TUSK_ERR_PROTOCOL, NULL,
                           "the server answered the request for TLS with the byte 0x%02x instead of 'S' or 'N'",
                           answer);
}

static tusk_code judge_answer(tusk__dial *dial, uint8_t answer, tusk_error *err)
{
    if (answer == 'S')
        return TUSK_OK;
    dial->try.is_final = true;
    if (answer != 'N')
        return refuse_answer(answer, err);
    return dial->route.must_tls ? refuse_missing_tls(dial, err) : go_on_in_the_clear(dial, err);
}

/* Exactly one byte: what somebody put behind it stays in the kernel, and is refused as no TLS by the handshake (D21). */
static tusk_code read_ssl_answer(tusk__dial *dial, tusk_error *err)
{
    uint8_t answer;
    size_t n;
    tusk_code code = TUSK_AGAIN;

    if (is_direct(dial))
        return TUSK_OK;
    if (take_ready(dial, TUSK_READABLE))
        code = tusk__socket_recv(dial->loop, dial->try.fd, &answer, 1, &n, err);
    if (code == TUSK_OK)
        return judge_answer(dial, answer, err);
    if (code == TUSK_DONE)
        return tusk__error_set(err, TUSK_ERR_CONNECT, NULL,
                               "the server closed the connection instead of answering the request for TLS");
    return code == TUSK_AGAIN ? wait_for(dial, TUSK_READABLE, err) : code;
}

/* ---- STEP_TLS_START, STEP_TLS_HANDSHAKE -------------------------------------------------------------------------- */

static tusk_code start_tls(tusk__dial *dial, tusk_error *err)
{
    TUSK_TRY(tusk__tls_new(dial->loop, dial->try.fd, dial->tls_context, dial->route.host, &dial->try.transport, err));
    dial->try.fd = -1;
    return TUSK_OK;
}

static tusk_code shake_hands(tusk__dial *dial, tusk_error *err)
{
    tusk__transport *t = dial->try.transport;
    tusk_code code = tusk__tls_handshake(t, err);

    dial->try.ready = 0;
    if (code == TUSK_AGAIN)
        return wait_for(dial, t->ops->wants_write(t) ? TUSK_READABLE | TUSK_WRITABLE : TUSK_READABLE, err);
    return code;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

/* A step's function returns TUSK_OK: on to `next` · TUSK_DONE: the transport is ready, the rest is not needed · TUSK_AGAIN: it
 * is called again when the socket is ready; a provider's step is not, its answer comes through provided() · errors. */
/* clang-format off */
static const struct {
    const char *where; /* NULL: nothing to add to "connect db1:5432" */
    tusk_code (*run)(tusk__dial *dial, tusk_error *err);
    step next;
} steps[] = {
    [STEP_ADDRESS]       = {NULL,               find_address,      STEP_TLS_MATERIAL},
    [STEP_TLS_MATERIAL]  = {"tls files",        find_tls_material, STEP_CONNECT},
    [STEP_CONNECT]       = {NULL,               connect_socket,    STEP_CONNECTED},
    [STEP_CONNECTED]     = {NULL,               finish_connect,    STEP_SSL_REQUEST},
    [STEP_SSL_REQUEST]   = {"request for tls",  send_ssl_request,  STEP_SSL_ANSWER},
    [STEP_SSL_ANSWER]    = {"request for tls",  read_ssl_answer,   STEP_TLS_START},
    [STEP_TLS_START]     = {"tls handshake",    start_tls,         STEP_TLS_HANDSHAKE},
    [STEP_TLS_HANDSHAKE] = {"tls handshake",    shake_hands,       STEP_DONE},
};
/* clang-format on */

/* ---- the end of a try, and of the dial --------------------------------------------------------------------------- */

static void end_try(tusk__dial *dial)
{
    const tusk__os *os = tusk__loop_os(dial->loop);

    tusk__io_stop(&dial->io);
    if (dial->try.transport)
        dial->try.transport->ops->close(dial->try.transport);
    if (dial->try.fd >= 0)
        (void)os->close(os->ctx, dial->try.fd);
    dial->try = (try){.fd = -1};
}

static void free_dial(tusk__dial *dial)
{
    const tusk_allocator *allocator = tusk__loop_allocator(dial->loop);

    end_try(dial);
    tusk__task_cancel(&dial->start);
    if (dial->resolve)
        tusk__resolve_cancel(dial->resolve);
    tusk__tls_cache_leave(&dial->tls_waiter);
    tusk__tls_context_unref(dial->tls_context);
    tusk__settings_unref(dial->settings);
    allocator->free(dial, allocator->user);
}

/* on_done may free whoever started the dial: nothing of it is used but the dial itself. */
static void finish(tusk__dial *dial, const tusk_error *err)
{
    static const tusk__address nowhere = {0};
    const tusk__address *address = dial->route.has_address ? &dial->route.address : &nowhere;
    tusk__transport *transport = NULL;

    if (err->code == TUSK_OK) {
        tusk__io_stop(&dial->io);
        transport = dial->try.transport;
        dial->try.transport = NULL;
    }
    dial->on_done(dial, transport, address, err, dial->user);
    free_dial(dial);
}

/* ---- failures ---------------------------------------------------------------------------------------------------- */

void tusk__dial_where(const tusk__dial *dial, tusk_error *err)
{
    const tusk__route *route = &dial->route;
    tusk_str host = route->host.len > 0 ? route->host : route->hostaddr;

    if (err->where[0])
        return; /* the resolver's own: "resolve db1" */
    if (dial->step != STEP_DONE && steps[dial->step].where)
        tusk__error_where(err, "%s", steps[dial->step].where);
    tusk__error_where(err, is_local(route) ? "connect " TUSK_STR_FMT "/.s.PGSQL.%u" : "connect " TUSK_STR_FMT ":%u",
                      TUSK_STR_ARG(host), (unsigned)route->port);
}

static const char *hint_for(const tusk__dial *dial, const tusk_error *err)
{
    bool local = is_local(&dial->route);

    if (dial->step == STEP_TLS_HANDSHAKE && is_direct(dial) && strcmp(err->sqlstate, "08006") == 0)
        return "sslnegotiation=direct needs PostgreSQL 17 or later, or a proxy that speaks for it.";
    if (err->code != TUSK_ERR_CONNECT)
        return NULL; /* os may be a number of the resolver's or of TLS */
    if (err->os == ECONNREFUSED || (local && err->os == ENOENT))
        return local ? "Is the server running on this machine and accepting connections on that socket?"
                     : "Is the server running on that host and accepting TCP/IP connections?";
    if (err->os == ETIMEDOUT || err->os == EHOSTUNREACH || err->os == ENETUNREACH)
        return "Is the address right, and does a firewall let this machine through?";
    return NULL;
}

/* A loss before the login is a connection that could not be made; one in the handshake is the handshake's failure. Its 08006
 * tells it from what TLS itself refused: it may pass, as when the server was just being stopped. */
static void explain(const tusk__dial *dial, tusk_error *err)
{
    const char *hint;

    if (err->code == TUSK_ERR_LOST) {
        err->code = dial->step == STEP_TLS_HANDSHAKE ? TUSK_ERR_TLS : TUSK_ERR_CONNECT;
        if (err->code == TUSK_ERR_CONNECT)
            memcpy(err->sqlstate, tusk__error_sqlstate(err->code), 5);
    }
    err->fate = TUSK_FATE_NOT_SENT;
    tusk__dial_where(dial, err);
    hint = hint_for(dial, err);
    if (hint && !err->hint[0])
        tusk__error_hint(err, tusk_str_of(hint));
}

static void fail(tusk__dial *dial, tusk_error *err)
{
    explain(dial, err);
    dial->is_final = dial->try.is_final;
    end_try(dial);
    finish(dial, err);
}

bool tusk__dial_was_answered(const tusk__dial *dial)
{
    return dial->is_final;
}

/* ---- walking the table ------------------------------------------------------------------------------------------- */

static void advance(tusk__dial *dial)
{
    tusk_error err = {0};

    while (dial->step != STEP_DONE) {
        tusk_code code = steps[dial->step].run(dial, &err);
        if (code == TUSK_AGAIN)
            return;
        if (code != TUSK_OK && code != TUSK_DONE) {
            fail(dial, &err);
            return;
        }
        dial->step = code == TUSK_OK ? steps[dial->step].next : STEP_DONE;
    }
    finish(dial, &err);
}

static void provided(tusk__dial *dial, const tusk_error *given)
{
    tusk_error err = *given;

    if (err.code != TUSK_OK) {
        fail(dial, &err);
        return;
    }
    dial->step = steps[dial->step].next;
    advance(dial);
}

/* ---- start and cancel -------------------------------------------------------------------------------------------- */

static void on_start(tusk__task *task)
{
    advance(OWNER_OF(task, tusk__dial, start));
}

tusk__dial *tusk__dial_start(tusk_loop *loop, tusk__settings *settings, const tusk__route *route, tusk__dial_fn on_done,
                             void *user, tusk_error *err)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    tusk__dial *dial;

    if (tusk__loop_check(loop, err) != TUSK_OK)
        return NULL;
    dial = allocator->malloc(sizeof *dial, allocator->user);
    if (!dial) {
        (void)tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a connection attempt");
        return NULL;
    }
    *dial = (tusk__dial){.loop = loop,
                         .settings = tusk__settings_ref(settings),
                         .route = *route,
                         .on_done = on_done,
                         .user = user,
                         .io = {.fd = -1},
                         .try = {.fd = -1}};
    tusk__loop_defer(loop, &dial->start, on_start);
    return dial;
}

void tusk__dial_share(tusk__dial *dial, tusk__dial_addresses_fn on_addresses)
{
    dial->on_addresses = on_addresses;
}

void tusk__dial_cancel(tusk__dial *dial)
{
    free_dial(dial);
}
