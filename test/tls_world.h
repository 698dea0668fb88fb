/* What the tests of dial and TLS share: the real world with counted, recorded and cut bytes and with names of ours; a TLS
 * server's certificate; a dial and what came of it. One world at a time.
 * Read first: loop/os.h, test/harness/tls_peer.h. */
#ifndef TUSK_TEST_TLS_WORLD_H
#define TUSK_TEST_TLS_WORLD_H

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/attempts.h"
#include "test/harness/harness.h"
#include "test/harness/tls_peer.h"

enum { RECORDED_MAX = 1 << 16, CUT_STALLS = 1 /* no errno that a cut would be made with */ };

typedef struct tls_world {
    tusk__os os;
    tusk_loop *loop;
    char folder[32], root_file[64], other_root_file[64];
    tls_cert authority, other_authority, server;
    SSL_CTX *server_ctx;
    int fds_before;

    /* the wire */
    long in_left, out_left; /* bytes until it is cut; -1: never */
    int cut_with;           /* an errno, 0 for the end of the stream, CUT_STALLS for silence */
    int n_recv, n_send;     /* calls that moved bytes */
    int n_idle;             /* … and those that did not */
    uint8_t sent[RECORDED_MAX];
    size_t n_sent;

    atomic_int n_threads; /* helper threads at work */

    const char *ips[3]; /* what every name resolves to, up to NULL; none: the name does not exist */
} tls_world;

static tls_world world;

/* ---- the os table ------------------------------------------------------------------------------------------------ */

static inline ssize_t cut(void)
{
    return world.cut_with == CUT_STALLS ? -EAGAIN : -world.cut_with;
}

static inline ssize_t world_recv(void *ctx, int fd, void *buf, size_t len)
{
    ssize_t n;

    if (world.in_left == 0)
        return cut();
    if (world.in_left > 0 && len > (size_t)world.in_left)
        len = (size_t)world.in_left;
    n = tusk__os_real()->recv(ctx, fd, buf, len);
    if (n > 0 && world.in_left > 0)
        world.in_left -= n;
    world.n_recv += n > 0;
    world.n_idle += n <= 0;
    return n;
}

static inline ssize_t world_send(void *ctx, int fd, const void *buf, size_t len)
{
    ssize_t n;

    if (world.out_left == 0)
        return world.cut_with == 0 ? -EPIPE : cut();
    if (world.out_left > 0 && len > (size_t)world.out_left)
        len = (size_t)world.out_left;
    n = tusk__os_real()->send(ctx, fd, buf, len);
    if (n > 0 && world.out_left > 0)
        world.out_left -= n;
    if (n > 0 && world.n_sent + (size_t)n <= sizeof world.sent) {
        memcpy(world.sent + world.n_sent, buf, (size_t)n);
        world.n_sent += (size_t)n;
    }
    world.n_send += n > 0;
    world.n_idle += n <= 0;
    return n;
}

static inline int world_getaddrinfo(void *ctx, const char *host, const char *service, const struct addrinfo *hints,
                                    struct addrinfo **list, int *os_error)
{
    (void)ctx, (void)host, (void)service, (void)hints, (void)os_error;
    *list = NULL;
    for (size_t i = 3; i-- > 0;) {
        struct addrinfo *info;
        struct sockaddr_in *in;
        if (!world.ips[i])
            continue;
        info = calloc(1, sizeof *info + sizeof *in);
        in = (struct sockaddr_in *)(void *)(info + 1);
        in->sin_family = AF_INET;
        ck_assert_int_eq(inet_pton(AF_INET, world.ips[i], &in->sin_addr), 1);
        *info = (struct addrinfo){.ai_family = AF_INET,
                                  .ai_socktype = SOCK_STREAM,
                                  .ai_addr = (struct sockaddr *)in,
                                  .ai_addrlen = sizeof *in,
                                  .ai_next = *list};
        *list = info;
    }
    return *list ? 0 : EAI_NONAME;
}

static inline void world_freeaddrinfo(void *ctx, struct addrinfo *list)
{
    (void)ctx;
    while (list) {
        struct addrinfo *next = list->ai_next;
        free(list);
        list = next;
    }
}

/* Counted, so that a test does not end before an abandoned helper thread has. */
typedef struct thread_start {
    void *(*fn)(void *arg);
    void *arg;
} thread_start;

static inline void *counted_thread(void *arg)
{
    thread_start start = *(thread_start *)arg;

    free(arg);
    (void)start.fn(start.arg);
    world.n_threads--;
    return NULL;
}

static inline int world_thread_start(void *ctx, void *(*fn)(void *arg), void *arg)
{
    thread_start *start = malloc(sizeof *start);
    int rc;

    ck_assert_ptr_nonnull(start);
    *start = (thread_start){fn, arg};
    world.n_threads++;
    rc = tusk__os_real()->thread_start(ctx, counted_thread, start);
    ck_assert_int_eq(rc, 0);
    return rc;
}

/* ---- open and close ---------------------------------------------------------------------------------------------- */

static inline void world_open_on(const tusk_allocator *allocator)
{
    tusk_error err = {0};

    memset(&world, 0, sizeof world);
    world.os = *tusk__os_real();
    world.os.thread_start = world_thread_start;
    world.os.recv = world_recv;
    world.os.send = world_send;
    world.os.getaddrinfo = world_getaddrinfo;
    world.os.freeaddrinfo = world_freeaddrinfo;
    world.in_left = world.out_left = -1;

    world.authority = tls_cert_new(&(tls_cert_spec){.cn = "Test authority", .is_authority = true});
    world.other_authority = tls_cert_new(&(tls_cert_spec){.cn = "Another authority", .is_authority = true});
    world.server = tls_cert_new(&(tls_cert_spec){
        .cn = "server", .names = {TLS_DNS("localhost"), TLS_DNS("db.test")}, .issuer = &world.authority});
    world.server_ctx = tls_server_new(&world.server);

    (void)snprintf(world.folder, sizeof world.folder, "/tmp/tusk-tls-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(world.folder));
    (void)snprintf(world.root_file, sizeof world.root_file, "%s/root.crt", world.folder);
    (void)snprintf(world.other_root_file, sizeof world.other_root_file, "%s/other.crt", world.folder);
    tls_cert_write(&world.authority, world.root_file);
    tls_cert_write(&world.other_authority, world.other_root_file);
    ck_assert_int_eq(setenv("HOME", world.folder, 1), 0); /* no ~/.postgresql/root.crt but ours */

    world.fds_before = harness_open_fds();
    world.loop = tusk__loop_open_on(&world.os, &(tusk_loop_config){.allocator = allocator}, &err);
    ck_assert_msg(world.loop != NULL, "%s", err.message);
}

static inline void world_open(void)
{
    world_open_on(NULL);
}

/* Also checks that no descriptor is left behind. Peers are stopped before. */
static inline void world_close(void)
{
    tusk_loop_free(world.loop);
    while (world.n_threads > 0)
        (void)usleep(100);
    ck_assert_int_eq(harness_open_fds(), world.fds_before);
    SSL_CTX_free(world.server_ctx);
    tls_cert_free(&world.authority);
    tls_cert_free(&world.other_authority);
    tls_cert_free(&world.server);
    (void)unlink(world.root_file);
    (void)unlink(world.other_root_file);
    (void)rmdir(world.folder);
}

static inline void world_turn(double seconds)
{
    tusk_error err = {0};

    ck_assert_msg(tusk_loop_turn(world.loop, seconds, &err) == TUSK_OK, "%s", err.message);
}

/* ---- a dial ------------------------------------------------------------------------------------------------------ */

typedef struct outcome {
    int n_done;
    tusk_error err;
    tusk__transport *transport;
    tusk__address address;
} outcome;

static inline void on_dialed(tusk__dial *dial, tusk__transport *transport, const tusk__address *address,
                             const tusk_error *err, void *user)
{
    outcome *o = user;

    (void)dial;
    o->n_done++;
    o->err = *err;
    o->transport = transport;
    o->address = *address;
    ck_assert((transport != NULL) == (err->code == TUSK_OK));
}

static inline tusk__settings *settings_from(const tusk_config *config)
{
    tusk__settings *settings = NULL;
    tusk_error err = {0};

    ck_assert_msg(tusk__settings_new(tusk__loop_allocator(world.loop), config, &settings, &err) == TUSK_OK, "%s: %s",
                  config->dsn, err.message);
    return settings;
}

__attribute__((format(printf, 1, 2))) static inline tusk__settings *settings_of(const char *fmt, ...)
{
    char dsn[512];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(dsn, sizeof dsn, fmt, args);
    va_end(args);
    return settings_from(&(tusk_config){.dsn = dsn, .user = "u"});
}

static inline tusk__route first_route(const tusk__settings *settings)
{
    tusk__route routes[TUSK__ROUTES_MAX];

    ck_assert_uint_gt(tusk__routes_of(settings, 0, routes, TUSK__ROUTES_MAX), 0);
    return routes[0];
}

/* The first route of the settings, which are taken; until it is over. */
static inline outcome dial_route(tusk__settings *settings, const tusk__route *route)
{
    outcome o = {0};
    tusk_error err = {0};
    int64_t end_us = tusk_loop_now_us(world.loop) + 30 * (int64_t)1000000;
    tusk__dial *dial = tusk__dial_start(world.loop, settings, route, on_dialed, &o, &err);

    tusk__settings_unref(settings);
    if (!dial)
        o = (outcome){.n_done = 1, .err = err};
    ck_assert(!dial || o.n_done == 0);
    while (o.n_done == 0) {
        ck_assert_msg(tusk_loop_now_us(world.loop) < end_us, "the dial hangs");
        world_turn(1.0);
    }
    ck_assert_int_eq(o.n_done, 1);
    return o;
}

static inline outcome dial(tusk__settings *settings)
{
    tusk__route route = first_route(settings);

    return dial_route(settings, &route);
}

/* ---- attempts ---------------------------------------------------------------------------------------------------- */

static inline void on_reached(tusk__transport *transport, const tusk__route *route, void *user)
{
    outcome *o = user;

    o->n_done++;
    o->transport = transport;
    o->address = route->address;
}

static inline void on_unreachable(const tusk_error *err, void *user)
{
    outcome *o = user;

    o->n_done++;
    o->err = *err;
}

/* All the settings' attempts, until the first has reached something or the last has failed. */
static inline outcome reach(tusk__settings *settings)
{
    outcome o = {0};
    const tusk__attempts_owner owner = {on_reached, on_unreachable, on_unreachable, &o};
    int64_t end_us = tusk_loop_now_us(world.loop) + 30 * (int64_t)1000000;
    tusk__attempts *attempts = tusk__attempts_start(world.loop, settings, &owner, NULL);

    tusk__settings_unref(settings);
    ck_assert_ptr_nonnull(attempts);
    while (o.n_done == 0) {
        ck_assert_msg(tusk_loop_now_us(world.loop) < end_us, "the attempts hang");
        world_turn(1.0);
    }
    tusk__attempts_free(attempts);
    return o;
}

static inline void hang_up(outcome *o)
{
    if (o->transport)
        o->transport->ops->close(o->transport);
    o->transport = NULL;
}

/* Every error of a dial keeps these promises. */
static inline void check_error(const tusk_error *err)
{
    ck_assert_int_ne(err->code, TUSK_OK);
    ck_assert_int_eq(err->fate, TUSK_FATE_NOT_SENT);
    ck_assert_uint_eq(strlen(err->sqlstate), 5);
    ck_assert_msg(err->where[0] != '\0', "%s", err->message);
    ck_assert(err->message[0] != '\0' && strchr(err->message, '\n') == NULL);
}

#endif
