/* The simulated world itself, and the loop in it: echo traffic over raw descriptors, thousands of seeds, all faults.
 * Safety: no byte is lost, doubled or reordered on a connection. Liveness: once the faults stop, every client finishes.
 * Read first: test/sim/world.h. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "loop/loop.h"
#include "test/harness/harness.h"
#include "test/sim/world.h"

/* ---- a server that echoes --------------------------------------------------------------------------------------------- */

static void echo(sim_peer *peer, const void *bytes, size_t len, void *user)
{
    (void)user;
    sim_conn_write(peer, bytes, len);
}

static void close_too(sim_peer *peer, int os_error, void *user)
{
    (void)os_error, (void)user;
    sim_conn_close(peer);
}

static const sim_server echo_server = {.on_data = echo, .on_close = close_too};

/* ---- a client that sends and checks what comes back -------------------------------------------------------------------- */

enum { N_CLIENTS = 4, N_BYTES = 3000, GIVE_UP_AFTER_US = 30000000 };

typedef struct client {
    tusk_loop *loop;
    sim_world *world;
    tusk__io io;
    tusk__timer timer;
    tusk__resolve *resolve;
    tusk__address address;
    int fd;
    size_t n_sent, n_received;
    int n_tries;
    bool is_done, is_wrong;
} client;

static void try_again(client *c);
static void begin(tusk__timer *timer);

static uint8_t byte_at(const client *c, size_t i)
{
    return (uint8_t)(i * 31 + i / 251 + (size_t)c->n_tries);
}

static void hang_up(client *c)
{
    tusk__io_stop(&c->io);
    tusk__timer_stop(c->loop, &c->timer);
    if (c->fd >= 0)
        ck_assert_int_eq(sim_os(c->world)->close(c->world, c->fd), 0);
    c->fd = -1;
}

static bool send_some(client *c)
{
    uint8_t bytes[N_BYTES];
    size_t len = N_BYTES - c->n_sent;
    ssize_t n;

    for (size_t i = 0; i < len; i++)
        bytes[i] = byte_at(c, c->n_sent + i);
    if (len > 700)
        len = 700;
    n = sim_os(c->world)->send(c->world, c->fd, bytes, len);
    if (n > 0)
        c->n_sent += (size_t)n;
    return n >= 0 || n == -EAGAIN || n == -EINTR;
}

static bool receive_some(client *c)
{
    uint8_t bytes[500];
    ssize_t n = sim_os(c->world)->recv(c->world, c->fd, bytes, sizeof bytes);

    for (ssize_t i = 0; i < n; i++)
        c->is_wrong |= bytes[i] != byte_at(c, c->n_received + (size_t)i) || c->n_received + (size_t)i >= c->n_sent;
    if (n > 0)
        c->n_received += (size_t)n;
    return n > 0 || n == -EAGAIN || n == -EINTR;
}

static void on_ready(tusk__io *io, unsigned events)
{
    client *c = (client *)(void *)((char *)io - offsetof(client, io));

    if (events & TUSK_WRITABLE && c->n_sent < N_BYTES && !send_some(c)) {
        try_again(c);
        return;
    }
    if (events & TUSK_READABLE && !receive_some(c)) {
        try_again(c);
        return;
    }
    if (c->n_received == N_BYTES) {
        c->is_done = true;
        hang_up(c);
        return;
    }
    ck_assert_int_eq(tusk__io_set(io, TUSK_READABLE | (c->n_sent < N_BYTES ? (unsigned)TUSK_WRITABLE : 0u), NULL),
                     TUSK_OK);
}

static void on_time_out(tusk__timer *timer)
{
    try_again((client *)(void *)((char *)timer - offsetof(client, timer)));
}

static void connect_to(client *c)
{
    const tusk__os *os = sim_os(c->world);
    int rc;

    c->fd = os->socket(c->world, c->address.family, SOCK_STREAM);
    if (c->fd < 0) {
        try_again(c);
        return;
    }
    rc = os->connect(c->world, c->fd, (const struct sockaddr *)&c->address.addr, c->address.len);
    ck_assert(rc == -EINPROGRESS || rc == -EINTR);
    ck_assert_int_eq(tusk__io_start(&c->io, c->loop, c->fd, TUSK_READABLE | TUSK_WRITABLE, on_ready, NULL), TUSK_OK);
    ck_assert_int_eq(tusk__timer_start(c->loop, &c->timer, GIVE_UP_AFTER_US, on_time_out), TUSK_OK);
}

static void on_resolved(const tusk__address *addresses, size_t n, const tusk_error *err, void *user)
{
    client *c = user;

    c->resolve = NULL;
    tusk__timer_stop(c->loop, &c->timer);
    if (err->code != TUSK_OK) {
        try_again(c);
        return;
    }
    c->address = addresses[n - 1];
    connect_to(c);
}

static void begin(tusk__timer *timer)
{
    client *c = (client *)(void *)((char *)timer - offsetof(client, timer));

    c->n_tries++;
    c->n_sent = c->n_received = 0;
    c->resolve = tusk__resolve_start(c->loop, tusk_str_of("db1"), 5432, on_resolved, c, NULL);
    if (c->resolve)
        ck_assert_int_eq(tusk__timer_start(c->loop, &c->timer, GIVE_UP_AFTER_US, on_time_out), TUSK_OK);
    else
        try_again(c);
}

static void try_again(client *c)
{
    if (c->resolve)
        tusk__resolve_cancel(c->resolve);
    c->resolve = NULL;
    hang_up(c);
    ck_assert_int_eq(tusk__timer_start(c->loop, &c->timer, 100000, begin), TUSK_OK);
}

/* ---- a run ------------------------------------------------------------------------------------------------------------ */

static bool all_done(const client *clients)
{
    for (int i = 0; i < N_CLIENTS; i++)
        if (!clients[i].is_done)
            return false;
    return true;
}

static void stop_faults(void *user)
{
    sim_stop_faults(user);
}

/* Faults for a virtual minute, then none; returns the trace's hash. */
static uint64_t run(uint64_t seed)
{
    sim_faults faults = sim_faults_of(seed);
    sim_world *world = sim_new(seed, &faults);
    client clients[N_CLIENTS];
    tusk_error err = {0};
    tusk_loop *loop = tusk__loop_open_on(sim_os(world), NULL, &err);
    uint64_t hash;

    ck_assert_ptr_nonnull(loop);
    memset(clients, 0, sizeof clients);
    sim_name(world, "db1", "10.0.0.9");
    sim_name(world, "db1", "10.0.0.1");
    sim_listen(world, "10.0.0.1", 5432, &echo_server, NULL);
    sim_after(world, 60000000, stop_faults, world);
    for (int i = 0; i < N_CLIENTS; i++) {
        clients[i].loop = loop, clients[i].world = world, clients[i].fd = -1;
        begin(&clients[i].timer);
    }
    while (!all_done(clients)) {
        ck_assert_msg(tusk_loop_turn(loop, TUSK_NONE, &err) == TUSK_OK, "seed %llu: %s, %s", (unsigned long long)seed,
                      err.message, sim_trouble(world));
        /* a thread may be stalled for an hour, and one more that the loop's four allow is queued behind it */
        ck_assert_msg(sim_now(world) < 4 * 3600000000ll, "seed %llu: not finished in time", (unsigned long long)seed);
    }
    for (int i = 0; i < N_CLIENTS; i++)
        ck_assert_msg(!clients[i].is_wrong, "seed %llu: client %d saw wrong bytes", (unsigned long long)seed, i);
    ck_assert_uint_eq(sim_open_sockets(world), 0);
    tusk_loop_free(loop);
    hash = sim_trace_hash(world);
    sim_free(world);
    return hash;
}

static uint64_t n_seeds(void)
{
    return (uint64_t)harness_number("TUSK_SIM_SEEDS", 200);
}

static uint64_t first_seed(void)
{
    return (uint64_t)harness_number("TUSK_SIM_FIRST", 1);
}

START_TEST(echo_arrives_whole_whatever_happens)
{
    for (uint64_t seed = first_seed(); seed < first_seed() + n_seeds(); seed++)
        run(seed);
}
END_TEST

START_TEST(same_seed_gives_the_same_trace)
{
    uint64_t n_different = 0, last = 0;

    for (uint64_t seed = first_seed(); seed < first_seed() + n_seeds() / 10; seed++) {
        uint64_t hash = run(seed);
        ck_assert_msg(run(seed) == hash, "seed %llu", (unsigned long long)seed);
        n_different += hash != last;
        last = hash;
    }
    ck_assert_uint_eq(n_different, n_seeds() / 10);
}
END_TEST

/* ---- the world's own manners -------------------------------------------------------------------------------------------- */

static sim_world *world;
static tusk_loop *loop;
static const tusk__os *os;
static sim_peer *accepted;
static char told[200];

static void tell(const char *what)
{
    size_t len = strlen(told);

    (void)snprintf(told + len, sizeof told - len, "%s%s", len ? " " : "", what);
}

static void told_is(const char *expected)
{
    ck_assert_str_eq(told, expected);
    told[0] = '\0';
}

static void on_accept(sim_peer *peer, void *user)
{
    tell(user);
    accepted = peer;
}

static void on_close(sim_peer *peer, int os_error, void *user)
{
    (void)peer, (void)user;
    tell(os_error ? "reset" : "end");
}

static const sim_server telling_server = {.on_accept = on_accept, .on_data = echo, .on_close = on_close};

static void setup(void)
{
    told[0] = '\0';
    world = sim_new(1, NULL);
    os = sim_os(world);
    loop = tusk__loop_open_on(os, NULL, NULL);
    sim_listen(world, "10.0.0.1", 5432, &telling_server, (char *)(uintptr_t) "accepted");
}

static void teardown(void)
{
    tusk_loop_free(loop);
    sim_free(world);
}

static void note_ready(tusk__io *io, unsigned events)
{
    (void)io;
    tell(events == TUSK_READABLE ? "r" : events == TUSK_WRITABLE ? "w" : "rw");
}

static int connect_now(tusk__io *io, unsigned short port)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = os->socket(world, AF_INET, SOCK_STREAM);

    inet_pton(AF_INET, "10.0.0.1", &sin.sin_addr);
    ck_assert_int_eq(os->connect(world, fd, (struct sockaddr *)&sin, sizeof sin), -EINPROGRESS);
    ck_assert_int_eq(tusk__io_start(io, loop, fd, TUSK_READABLE | TUSK_WRITABLE, note_ready, NULL), TUSK_OK);
    ck_assert_int_eq(tusk_loop_turn(loop, TUSK_NONE, NULL), TUSK_OK);
    return fd;
}

static void turn_for(double seconds)
{
    int64_t end_us = sim_now(world) + (int64_t)(seconds * 1e6);

    while (sim_now(world) < end_us)
        ck_assert_int_eq(tusk_loop_turn(loop, (double)(end_us - sim_now(world)) / 1e6, NULL), TUSK_OK);
}

static int so_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;

    ck_assert_int_eq(os->getsockopt(world, fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
    return error;
}

START_TEST(waiting_for_nothing_is_a_deadlock)
{
    tusk_error err = {0};
    tusk__io io;
    int fd = connect_now(&io, 5432);

    ck_assert_int_eq(tusk__io_set(&io, TUSK_READABLE, NULL), TUSK_OK);
    ck_assert_ptr_null(sim_trouble(world));
    ck_assert_int_eq(tusk_loop_turn(loop, TUSK_NONE, &err), TUSK_ERR_SYSTEM);
    ck_assert_int_eq(err.os, EDEADLK);
    ck_assert_int_eq(strncmp(sim_trouble(world), "deadlock at 1.", 14), 0);
    tusk__io_stop(&io);
    os->close(world, fd);
}
END_TEST

static void do_nothing(tusk__task *task)
{
    (void)task;
}

/* What was to be flushed may turn out to be nothing, as a request that was canceled before it was sent. */
START_TEST(run_ends_when_a_flush_was_the_last_that_could_happen)
{
    tusk__task task = {0};

    tusk__loop_flush_soon(loop, &task, do_nothing);
    ck_assert_int_eq(tusk_loop_run(loop, NULL), TUSK_OK);
}
END_TEST

START_TEST(turning_for_nothing_is_a_livelock)
{
    tusk_code code = TUSK_OK;

    for (int i = 0; i < 1100000 && code == TUSK_OK; i++)
        code = tusk_loop_turn(loop, 0, NULL);
    ck_assert_int_eq(code, TUSK_ERR_SYSTEM);
    ck_assert_int_eq(strncmp(sim_trouble(world), "livelock at ", 12), 0);
}
END_TEST

START_TEST(connect_to_nobody_is_refused)
{
    tusk__io io;
    int fd = connect_now(&io, 9999);

    told_is("rw");
    ck_assert_int_eq(so_error(fd), ECONNREFUSED);
    ck_assert_int_eq(so_error(fd), 0);
    tusk__io_stop(&io);
    os->close(world, fd);
}
END_TEST

START_TEST(server_that_resets_is_noticed)
{
    char byte;
    tusk__io io;
    int fd = connect_now(&io, 5432);

    told_is("accepted w");
    sim_conn_reset(accepted);
    ck_assert_int_eq(tusk__io_set(&io, TUSK_READABLE, NULL), TUSK_OK);
    ck_assert_int_eq(tusk_loop_turn(loop, TUSK_NONE, NULL), TUSK_OK);
    told_is("r");
    ck_assert_int_eq(os->recv(world, fd, &byte, 1), -ECONNRESET);
    ck_assert_int_eq(os->send(world, fd, &byte, 1), -EPIPE);
    tusk__io_stop(&io);
    os->close(world, fd);
}
END_TEST

START_TEST(end_of_file_comes_behind_the_bytes)
{
    char bytes[10];
    tusk__io io;
    int fd = connect_now(&io, 5432);

    sim_conn_write(accepted, "bye", 3);
    sim_conn_close(accepted);
    ck_assert_int_eq(tusk__io_set(&io, 0, NULL), TUSK_OK);
    turn_for(1);
    ck_assert_int_eq(os->recv(world, fd, bytes, sizeof bytes), 3);
    ck_assert_int_eq(os->recv(world, fd, bytes, sizeof bytes), 0);
    tusk__io_stop(&io);
    os->close(world, fd);
}
END_TEST

START_TEST(server_that_does_not_read_fills_the_send_buffer)
{
    static char bytes[100000];
    tusk__io io;
    int fd = connect_now(&io, 5432);

    sim_conn_pause(accepted, true);
    ck_assert_int_eq(os->send(world, fd, bytes, sizeof bytes), SIM_WINDOW);
    ck_assert_int_eq(os->send(world, fd, bytes, 1), -EAGAIN);
    ck_assert_int_eq(tusk__io_set(&io, 0, NULL), TUSK_OK);
    turn_for(1);
    ck_assert_int_eq(os->send(world, fd, bytes, 1), -EAGAIN);
    sim_conn_pause(accepted, false);
    ck_assert_int_eq(os->send(world, fd, bytes, 1), 1);
    turn_for(1);
    ck_assert_uint_eq(sim_conn_unread(accepted), SIM_WINDOW + 1);
    tusk__io_stop(&io);
    os->close(world, fd);
    told[0] = '\0';
    turn_for(1);
    told_is("reset"); /* closed with bytes unread */
}
END_TEST

START_TEST(closed_descriptor_numbers_come_back_at_once)
{
    int a = os->socket(world, AF_INET, SOCK_STREAM), b = os->socket(world, AF_INET, SOCK_STREAM);

    ck_assert_int_eq(os->close(world, a), 0);
    ck_assert_int_eq(os->close(world, a), -EBADF);
    ck_assert_int_eq(os->socket(world, AF_INET, SOCK_STREAM), a);
    ck_assert_uint_eq(sim_open_sockets(world), 2);
    os->close(world, a);
    os->close(world, b);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("sim_loop");
    TCase *t = tcase_create("world"), *runs = tcase_create("runs");

    suite_add_tcase(suite, t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, waiting_for_nothing_is_a_deadlock);
    tcase_add_test(t, run_ends_when_a_flush_was_the_last_that_could_happen);
    tcase_add_test(t, turning_for_nothing_is_a_livelock);
    tcase_add_test(t, connect_to_nobody_is_refused);
    tcase_add_test(t, server_that_resets_is_noticed);
    tcase_add_test(t, end_of_file_comes_behind_the_bytes);
    tcase_add_test(t, server_that_does_not_read_fills_the_send_buffer);
    tcase_add_test(t, closed_descriptor_numbers_come_back_at_once);
    suite_add_tcase(suite, runs);
    tcase_set_timeout(runs, 3600);
    tcase_add_test(runs, echo_arrives_whole_whatever_happens);
    tcase_add_test(runs, same_seed_gives_the_same_trace);
    return suite;
}
