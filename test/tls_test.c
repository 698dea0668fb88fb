/* The transports, plain and TLS: bytes intact, few system calls, every end told apart from an orderly one. */
#include <poll.h>
#include <stdatomic.h>
#include <sys/ioctl.h>

#include "test/tls_world.h"

/* ---- the peer: after the handshake it does as the first byte of what it reads says ------------------------------- */

enum {
    ECHO = 'e',       /* send all back, until the end */
    RECORDS = 'r',    /* 20 records of 500 bytes */
    GOODBYE = 'g',    /* "last", then close_notify */
    NO_GOODBYE = 'n', /* "last", then the end of the stream alone */
    RESET = 'x',      /* "last" and a reset */
    GARBAGE = 'z',    /* "last", and then bytes that are no record */
    KEY_UPDATE = 'k', /* asks for new keys, then echoes */
    NO_READING = 'w', /* reads nothing until `released`, then echoes nothing but counts */
    RENEGOTIATE = 'v'
};

static struct {
    atomic_bool has_written, released;
    atomic_long n_read;
    atomic_int got_goodbye;
} script;

static void echo(SSL *ssl)
{
    char buf[5000];
    int n;

    while ((n = SSL_read(ssl, buf, sizeof buf)) > 0)
        if (SSL_write(ssl, buf, n) != n)
            return;
    script.got_goodbye = SSL_get_error(ssl, n) == SSL_ERROR_ZERO_RETURN;
}

static void write_records(SSL *ssl)
{
    char record[500];

    for (int i = 0; i < 20; i++) {
        memset(record, 'a' + i, sizeof record);
        (void)SSL_write(ssl, record, sizeof record);
    }
    script.has_written = true;
}

static void count(SSL *ssl)
{
    char buf[16384];
    int n;

    while (!script.released)
        (void)usleep(1000);
    while ((n = SSL_read(ssl, buf, sizeof buf)) > 0)
        script.n_read += n;
}

static void do_as_told(SSL *ssl, int fd)
{
    char what = 0;

    if (SSL_read(ssl, &what, 1) != 1)
        return;
    if (strchr("gnxz", what) != NULL)
        (void)SSL_write(ssl, "last", 4);
    switch (what) {
    case ECHO:
        echo(ssl);
        break;
    case RECORDS:
        write_records(ssl);
        echo(ssl);
        break;
    case GOODBYE:
        (void)SSL_shutdown(ssl);
        break;
    case RESET:
        (void)tls_peer_read(fd, &what, 1); /* the client has "last" now */
        tls_peer_reset(fd);
        break;
    case GARBAGE:
        (void)tls_peer_write(fd, "\x17\3\3\0\x20 these bytes were never encrypted", 39);
        break;
    case KEY_UPDATE:
        ck_assert_int_eq(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        echo(ssl);
        break;
    case NO_READING:
        count(ssl);
        break;
    case RENEGOTIATE:
        (void)SSL_renegotiate(ssl);
        (void)SSL_do_handshake(ssl);
        echo(ssl);
        break;
    default:
        break;
    }
    script.has_written = true;
    if (what == GOODBYE || what == GARBAGE)
        (void)tls_peer_drain(fd);
}

static void serve(int fd, int n, void *user)
{
    SSL *ssl;

    (void)n, (void)user;
    if (!tls_peer_ssl_request(fd) || !tls_peer_write(fd, "S", 1))
        return;
    ssl = tls_peer_accept(fd, world.server_ctx);
    if (ssl)
        do_as_told(ssl, fd);
    SSL_free(ssl);
}

/* ---- this side --------------------------------------------------------------------------------------------------- */

static struct {
    tls_peer *peer;
    tusk__transport *t;
} conn;

static void connect_and_say(char what)
{
    outcome o;
    size_t n;

    memset(&script, 0, sizeof script);
    conn.peer = tls_peer_start("127.0.0.1", 0, serve, NULL);
    o = dial(settings_of("host=localhost hostaddr=127.0.0.1 port=%u sslmode=verify-full sslrootcert=%s",
                         (unsigned)tls_peer_port(conn.peer), world.root_file));
    ck_assert_msg(o.err.code == TUSK_OK, "%s: %s", o.err.where, o.err.message);
    conn.t = o.transport;
    ck_assert_int_eq(conn.t->ops->send(conn.t, &what, 1, &n, NULL), TUSK_OK);
    ck_assert_uint_eq(n, 1);
    ck_assert(!conn.t->ops->wants_write(conn.t));
}

static void disconnect(void)
{
    conn.t->ops->close(conn.t);
    tls_peer_stop(conn.peer);
}

static void wait_for_socket(short events)
{
    struct pollfd p = {.fd = conn.t->fd, .events = events};

    ck_assert_int_eq(poll(&p, 1, 20000), 1);
}

/* As the connection does: until there is something else than "not yet". */
static tusk_code receive(void *buf, size_t len, size_t *n, tusk_error *err)
{
    tusk_code code = conn.t->ops->recv(conn.t, buf, len, n, err);

    while (code == TUSK_AGAIN) {
        wait_for_socket(POLLIN);
        code = conn.t->ops->recv(conn.t, buf, len, n, err);
    }
    return code;
}

static void send_all(const uint8_t *buf, size_t len)
{
    size_t at = 0, n;

    while (at < len || conn.t->ops->wants_write(conn.t)) {
        tusk_code code = conn.t->ops->send(conn.t, buf + at, len - at, &n, NULL);
        ck_assert(code == TUSK_OK || code == TUSK_AGAIN);
        at += n;
        if (code == TUSK_AGAIN || conn.t->ops->wants_write(conn.t))
            wait_for_socket(POLLOUT);
    }
}

static void receive_all(uint8_t *buf, size_t len)
{
    size_t at = 0, n;

    while (at < len) {
        ck_assert_int_eq(receive(buf + at, len - at, &n, NULL), TUSK_OK);
        at += n;
    }
}

static void forget_calls(void)
{
    world.n_send = world.n_recv = world.n_idle = 0;
}

static void wait_until_written(void)
{
    while (!script.has_written)
        (void)usleep(1000);
}

/* Written is not yet arrived, not even on the loopback. */
static void wait_for_bytes(int len)
{
    int n = 0;

    while (n < len && ioctl(conn.t->fd, FIONREAD, &n) == 0)
        (void)usleep(100);
}

/* ---- system calls ------------------------------------------------------------------------------------------------ */

START_TEST(query_is_one_send_and_one_recv)
{
    uint8_t buf[1000];

    connect_and_say(ECHO);
    for (int i = 0; i < 10; i++) {
        size_t n;
        memset(buf, i, 100);
        forget_calls();
        send_all(buf, 100);
        wait_for_socket(POLLIN);
        ck_assert_int_eq(receive(buf, sizeof buf, &n, NULL), TUSK_OK);
        ck_assert_uint_eq(n, 100);
        ck_assert_int_eq(world.n_send, 1);
        ck_assert_int_eq(world.n_recv, 1);
        ck_assert_int_eq(world.n_idle, 0);
        ck_assert(!conn.t->ops->has_input(conn.t));
    }
    disconnect();
}
END_TEST

START_TEST(many_records_are_one_recv)
{
    uint8_t buf[20000];
    size_t n;

    connect_and_say(RECORDS);
    wait_for_bytes(20 * (500 + 22));
    forget_calls();
    ck_assert_int_eq(receive(buf, sizeof buf, &n, NULL), TUSK_OK);
    ck_assert_uint_eq(n, 10000);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(buf[i], 'a' + (int)(i / 500));
    ck_assert_int_eq(world.n_recv, 1);
    ck_assert_int_eq(world.n_idle, 0);
    ck_assert_int_eq(conn.t->ops->recv(conn.t, buf, sizeof buf, &n, NULL), TUSK_AGAIN);
    disconnect();
}
END_TEST

/* What one recv brought is handed out in as many pieces as are asked for, and has_input says how long. */
START_TEST(small_buffers_are_served_from_memory)
{
    uint8_t buf[7];
    size_t n, total = 0;

    connect_and_say(RECORDS);
    wait_for_bytes(20 * (500 + 22));
    forget_calls();
    do {
        ck_assert_int_eq(receive(buf, sizeof buf, &n, NULL), TUSK_OK);
        for (size_t i = 0; i < n; i++)
            ck_assert_int_eq(buf[i], 'a' + (int)((total + i) / 500));
        total += n;
    } while (conn.t->ops->has_input(conn.t));
    ck_assert_uint_eq(total, 10000);
    ck_assert_int_eq(world.n_recv, 1);
    ck_assert_int_eq(world.n_idle, 0);
    disconnect();
}
END_TEST

/* A chunk that the kernel has filled may not have been all: it is asked again in the same call. */
START_TEST(more_than_a_chunk_is_one_call)
{
    static uint8_t buf[200000];
    size_t n;

    connect_and_say(ECHO);
    send_all(buf, 100000);
    wait_for_bytes(100000);
    forget_calls();
    ck_assert_int_eq(receive(buf, sizeof buf, &n, NULL), TUSK_OK);
    ck_assert_uint_eq(n, 100000);
    ck_assert_int_eq(world.n_recv, 2);
    ck_assert_int_eq(world.n_idle, 0);
    disconnect();
}
END_TEST

static struct {
    uint8_t bytes[400000];
    size_t n, taken;
} hoard;

static ssize_t hoard_recv(void *ctx, int fd, void *buf, size_t len)
{
    size_t n = hoard.n - hoard.taken < len ? hoard.n - hoard.taken : len;

    (void)ctx, (void)fd;
    memcpy(buf, hoard.bytes + hoard.taken, n);
    hoard.taken += n;
    return n > 0 ? (ssize_t)n : -EAGAIN;
}

/* Keep what the peer echoes as it comes from the kernel, for one who finds it all at once. */
static void hoard_echo(size_t len)
{
    static const uint8_t zeros[10000];
    size_t sent = 0, n;

    hoard.n = hoard.taken = 0;
    while (hoard.n < len) {
        ssize_t got = world_recv(&world, conn.t->fd, hoard.bytes + hoard.n, sizeof hoard.bytes - hoard.n);

        hoard.n += got > 0 ? (size_t)got : 0;
        if (sent < len && conn.t->ops->send(conn.t, zeros, sizeof zeros, &n, NULL) == TUSK_OK)
            sent += n;
        else if (got <= 0)
            wait_for_socket(POLLIN);
    }
}

/* Who is told by edges hears nothing of what the kernel still has. */
START_TEST(read_that_stops_at_full_chunks_says_that_there_may_be_more)
{
    static uint8_t buf[400000];
    size_t n, total = 0;

    connect_and_say(ECHO);
    hoard_echo(300000);
    world.os.recv = hoard_recv;
    do {
        ck_assert_int_eq(conn.t->ops->recv(conn.t, buf, sizeof buf, &n, NULL), TUSK_OK);
        total += n;
    } while (conn.t->ops->has_input(conn.t));
    ck_assert_uint_gt(total, 290000);
    ck_assert_uint_eq(hoard.taken, hoard.n);
    disconnect();
}
END_TEST

START_TEST(sixty_kib_are_one_send)
{
    static uint8_t buf[60 * 1024];
    size_t n;

    connect_and_say(ECHO);
    forget_calls();
    ck_assert_int_eq(conn.t->ops->send(conn.t, buf, sizeof buf, &n, NULL), TUSK_OK);
    ck_assert_uint_eq(n, sizeof buf);
    ck_assert_int_eq(world.n_send + world.n_idle, 1);
    disconnect();
}
END_TEST

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

static size_t piece_len(size_t *seed, size_t most)
{
    *seed = *seed * 1103515245u + 12345u;
    return 1 + (*seed >> 8) % most;
}

static void echo_much(size_t total, size_t most)
{
    uint8_t *out = malloc(total), *in = malloc(total);
    size_t seed = 1, sent = 0, received = 0, n;

    ck_assert(out != NULL && in != NULL);
    for (size_t i = 0; i < total; i++)
        out[i] = (uint8_t)(i * 7 + i / 251);
    while (received < total) {
        size_t piece = piece_len(&seed, most);
        tusk_code code;
        if (piece > total - sent)
            piece = total - sent;
        code = conn.t->ops->send(conn.t, out + sent, piece, &n, NULL);
        ck_assert(code == TUSK_OK || code == TUSK_AGAIN);
        sent += n;
        piece = piece_len(&seed, most);
        if (piece > total - received)
            piece = total - received;
        code = conn.t->ops->recv(conn.t, in + received, piece, &n, NULL);
        ck_assert(code == TUSK_OK || code == TUSK_AGAIN);
        received += n;
        if (code == TUSK_AGAIN && (sent == total || conn.t->ops->wants_write(conn.t)))
            wait_for_socket(conn.t->ops->wants_write(conn.t) ? POLLIN | POLLOUT : POLLIN);
    }
    ck_assert(memcmp(in, out, total) == 0);
    free(out);
    free(in);
}

START_TEST(megabytes_come_back_intact)
{
    connect_and_say(ECHO);
    echo_much(4 << 20, 200000);
    disconnect();
}
END_TEST

static ssize_t few_bytes_recv(void *ctx, int fd, void *buf, size_t len)
{
    return world_recv(ctx, fd, buf, len < 97 ? len : 97);
}

static ssize_t few_bytes_send(void *ctx, int fd, const void *buf, size_t len)
{
    return world_send(ctx, fd, buf, len < 89 ? len : 89);
}

START_TEST(few_bytes_at_a_time_come_back_intact)
{
    connect_and_say(ECHO);
    world.os.recv = few_bytes_recv;
    world.os.send = few_bytes_send;
    echo_much(100000, 3000);
    disconnect();
}
END_TEST

static ssize_t one_byte_recv(void *ctx, int fd, void *buf, size_t len)
{
    return world_recv(ctx, fd, buf, len < 1 ? len : 1);
}

/* However little a call brings, the loop gets its turn after a few. */
START_TEST(drops_do_not_keep_the_loop)
{
    uint8_t buf[100] = {0};
    size_t n;

    connect_and_say(ECHO);
    send_all(buf, 100);
    wait_for_bytes(100 + 22);
    world.os.recv = one_byte_recv;
    forget_calls();
    ck_assert_int_eq(conn.t->ops->recv(conn.t, buf, sizeof buf, &n, NULL), TUSK_AGAIN);
    ck_assert_int_le(world.n_recv, 8);
    receive_all(buf, 100);
    disconnect();
}
END_TEST

/* A peer that does not read: at some point nothing is taken any more, and nothing of what was taken is lost. */
START_TEST(back_pressure)
{
    static uint8_t buf[64 * 1024];
    long taken = 0;
    size_t n;
    tusk_code code;

    connect_and_say(NO_READING);
    while ((code = conn.t->ops->send(conn.t, buf, sizeof buf, &n, NULL)) == TUSK_OK)
        taken += (long)n;
    ck_assert_int_eq(code, TUSK_AGAIN);
    ck_assert_uint_eq(n, 0);
    ck_assert(conn.t->ops->wants_write(conn.t));
    script.released = true;
    while (conn.t->ops->wants_write(conn.t)) {
        wait_for_socket(POLLOUT);
        code = conn.t->ops->send(conn.t, buf, 0, &n, NULL);
        ck_assert(code == TUSK_OK || code == TUSK_AGAIN);
    }
    disconnect();
    ck_assert_int_eq(script.n_read, taken);
}
END_TEST

/* ---- ends -------------------------------------------------------------------------------------------------------- */

static void expect_last(void)
{
    char buf[64];
    size_t n;

    ck_assert_int_eq(receive(buf, sizeof buf, &n, NULL), TUSK_OK);
    ck_assert_uint_eq(n, 4);
    ck_assert_mem_eq(buf, "last", 4);
}

static void expect_end(tusk_code expected, int os, const char *message)
{
    for (int i = 0; i < 3; i++) { /* it stays so */
        tusk_error err = {0};
        char buf[64];
        size_t n = 99;
        ck_assert_int_eq(receive(buf, sizeof buf, &n, &err), expected);
        ck_assert_uint_eq(n, 0);
        ck_assert_int_eq(err.code, expected == TUSK_DONE ? TUSK_OK : expected);
        if (expected == TUSK_ERR_LOST)
            ck_assert_int_eq(err.os, os);
        if (message)
            ck_assert_str_eq(err.message, message);
    }
}

START_TEST(goodbye_is_an_orderly_end)
{
    connect_and_say(GOODBYE);
    wait_until_written();
    expect_last(); /* both in one recv of the kernel's: the bytes first, the end afterwards */
    ck_assert(conn.t->ops->has_input(conn.t));
    expect_end(TUSK_DONE, 0, NULL);
    disconnect();
}
END_TEST

START_TEST(end_without_goodbye_is_a_loss)
{
    connect_and_say(NO_GOODBYE);
    expect_last();
    expect_end(TUSK_ERR_LOST, 0, "the connection was lost: it was closed without the goodbye that TLS asks for");
    disconnect();
}
END_TEST

START_TEST(reset_is_a_loss)
{
    size_t n;

    connect_and_say(RESET);
    expect_last();
    ck_assert_int_eq(conn.t->ops->send(conn.t, "x", 1, &n, NULL), TUSK_OK);
    expect_end(TUSK_ERR_LOST, ECONNRESET, "the connection was lost: connection reset by the server");
    ck_assert_int_eq(conn.t->ops->send(conn.t, "x", 1, &n, NULL), TUSK_ERR_LOST);
    ck_assert_uint_eq(n, 0);
    disconnect();
}
END_TEST

static void refuse_output(void)
{
    world.out_left = 0;
    world.cut_with = ECONNRESET;
    for (int i = 0; i < 2; i++) {
        tusk_error err = {0};
        size_t n = 99;

        ck_assert_int_eq(conn.t->ops->send(conn.t, "x", 1, &n, &err), TUSK_ERR_LOST);
        ck_assert_uint_eq(n, 0);
        ck_assert_int_eq(err.os, ECONNRESET);
        ck_assert_str_eq(err.message, "the connection was lost: connection reset by the server");
    }
    ck_assert(!conn.t->ops->wants_write(conn.t));
    ck_assert(conn.t->ops->has_input(conn.t));
}

/* Who hangs up on us has often said why: a reset takes nothing away that has arrived. */
START_TEST(what_came_before_a_refused_send_is_read)
{
    connect_and_say(_i ? GOODBYE : NO_GOODBYE);
    wait_until_written();
    wait_for_socket(POLLIN);
    refuse_output();
    expect_last();
    ck_assert(conn.t->ops->has_input(conn.t));
    if (_i)
        expect_end(TUSK_DONE, 0, NULL);
    else
        expect_end(TUSK_ERR_LOST, ECONNRESET, "the connection was lost: connection reset by the server");
    disconnect();
}
END_TEST

START_TEST(behind_a_refused_send_nobody_waits)
{
    char buf[16];
    size_t n;

    connect_and_say(ECHO);
    refuse_output();
    ck_assert_int_eq(conn.t->ops->recv(conn.t, buf, sizeof buf, &n, NULL), TUSK_ERR_LOST);
    ck_assert_uint_eq(n, 0);
    disconnect();
}
END_TEST

START_TEST(altered_bytes_are_refused)
{
    connect_and_say(GARBAGE);
    wait_until_written();
    expect_last();
    expect_end(TUSK_ERR_TLS, 0, "what arrived was altered on its way");
    disconnect();
}
END_TEST

START_TEST(shutdown_says_goodbye)
{
    char buf[16];
    size_t n;

    connect_and_say(ECHO);
    conn.t->ops->shutdown(conn.t);
    ck_assert_int_ne(receive(buf, sizeof buf, &n, NULL), TUSK_OK);
    disconnect();
    ck_assert_int_eq(script.got_goodbye, 1);
}
END_TEST

/* ---- TLS's own messages ------------------------------------------------------------------------------------------ */

START_TEST(key_update_is_answered)
{
    connect_and_say(KEY_UPDATE);
    echo_much(200000, 5000);
    disconnect();
}
END_TEST

START_TEST(tls_1_2)
{
    static const char *const ciphers[] = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-SHA384",
                                          "ECDHE-ECDSA-CHACHA20-POLY1305"};

    ck_assert_int_eq(SSL_CTX_set_max_proto_version(world.server_ctx, TLS1_2_VERSION), 1);
    ck_assert_int_eq(SSL_CTX_set_cipher_list(world.server_ctx, ciphers[_i]), 1);
    connect_and_say(ECHO);
    ck_assert_str_eq(tusk__transport_tls_version(conn.t), "TLSv1.2");
    echo_much(300000, 100000); /* records longer than those of 1.3 fit the chunk, too */
    disconnect();
}
END_TEST

START_TEST(renegotiation_is_refused)
{
    tusk_error err = {0};
    uint8_t buf[16];
    size_t n;
    tusk_code code;

    ck_assert_int_eq(SSL_CTX_set_max_proto_version(world.server_ctx, TLS1_2_VERSION), 1);
    connect_and_say(RENEGOTIATE);
    code = receive(buf, sizeof buf, &n, &err); /* the server gives up when its HelloRequest is answered by "no" */
    ck_assert_msg(code == TUSK_ERR_LOST || code == TUSK_ERR_TLS || code == TUSK_DONE, "%d", (int)code);
    disconnect();
}
END_TEST

START_TEST(endpoint_hash_is_the_servers)
{
    uint8_t hash[64], expected[64];
    unsigned expected_len;
    size_t len;

    connect_and_say(ECHO);
    ck_assert_int_eq(tusk__tls_endpoint_hash(conn.t, hash, &len, NULL), TUSK_OK);
    ck_assert_int_eq(X509_digest(world.server.x509, EVP_sha256(), expected, &expected_len), 1);
    ck_assert_uint_eq(len, 32);
    ck_assert_mem_eq(hash, expected, 32);
    disconnect();
}
END_TEST

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* The loop's free chunks are borrowed until there is no more: then a call fails, and nothing is broken by it. */
static struct {
    bool fails;
    tusk__chunk *borrowed;
    long n_large; /* chunks alive */
} memory;

static void *test_malloc(size_t size, void *user)
{
    (void)user;
    if (memory.fails)
        return NULL;
    memory.n_large += size >= 60000;
    return malloc(size);
}

static void *test_realloc(void *ptr, size_t size, void *user)
{
    (void)user;
    return memory.fails ? NULL : realloc(ptr, size);
}

static void test_free(void *ptr, void *user)
{
    (void)user;
    free(ptr);
}

static void open_counted(void)
{
    static const tusk_allocator allocator = {test_malloc, test_realloc, test_free, NULL};

    memset(&memory, 0, sizeof memory);
    world_open_on(&allocator);
}

static void run_out_of_memory(void)
{
    tusk__chunk *chunk;

    memory.fails = true;
    while ((chunk = tusk__chunk_get(world.loop, 0)) != NULL) {
        chunk->next = memory.borrowed;
        memory.borrowed = chunk;
    }
}

static void find_memory(void)
{
    memory.fails = false;
    while (memory.borrowed) {
        tusk__chunk *chunk = memory.borrowed;
        memory.borrowed = chunk->next;
        tusk__chunk_unref(chunk);
    }
}

START_TEST(lack_of_a_chunk_breaks_nothing)
{
    tusk_error err = {0};
    uint8_t buf[100] = {0};
    size_t n;

    connect_and_say(ECHO);
    run_out_of_memory();
    ck_assert_int_eq(conn.t->ops->send(conn.t, "abc", 3, &n, &err), TUSK_ERR_NOMEM);
    ck_assert_uint_eq(n, 0);
    ck_assert_str_eq(err.sqlstate, "53200");
    find_memory();
    send_all((const uint8_t *)"abc", 3);
    wait_for_socket(POLLIN);
    run_out_of_memory();
    ck_assert_int_eq(conn.t->ops->recv(conn.t, buf, sizeof buf, &n, NULL), TUSK_ERR_NOMEM);
    find_memory();
    receive_all(buf, 3);
    ck_assert_mem_eq(buf, "abc", 3);
    disconnect();
}
END_TEST

/* Chunks are lent while there are bytes: twenty idle connections hold none. */
START_TEST(idle_connections_hold_no_chunk)
{
    tusk__transport *t[20];
    tls_peer *peers[20];
    uint8_t buf[100] = {0};
    size_t n;

    for (int i = 0; i < 20; i++) {
        connect_and_say(ECHO);
        send_all(buf, sizeof buf);
        receive_all(buf, sizeof buf);
        ck_assert_int_eq(conn.t->ops->recv(conn.t, buf, sizeof buf, &n, NULL), TUSK_AGAIN);
        t[i] = conn.t;
        peers[i] = conn.peer;
    }
    ck_assert_int_le(memory.n_large, 3);
    for (int i = 0; i < 20; i++) {
        t[i]->ops->close(t[i]);
        tls_peer_stop(peers[i]);
    }
}
END_TEST

/* ---- in the clear ------------------------------------------------------------------------------------------------ */

static void plain_script(int fd, int n, void *user)
{
    char what = 0;

    (void)n, (void)user;
    if (!tls_peer_read(fd, &what, 1))
        return;
    (void)tls_peer_write(fd, "last", 4);
    if (what == RESET) {
        (void)tls_peer_read(fd, &what, 1);
        tls_peer_reset(fd);
    }
}

static void connect_plainly(char what)
{
    outcome o;
    size_t n;

    conn.peer = tls_peer_start("127.0.0.1", 0, plain_script, NULL);
    o = dial(settings_of("hostaddr=127.0.0.1 port=%u sslmode=disable", (unsigned)tls_peer_port(conn.peer)));
    ck_assert_msg(o.err.code == TUSK_OK, "%s", o.err.message);
    conn.t = o.transport;
    ck_assert_int_eq(conn.t->ops->recv(conn.t, &what, 1, &n, NULL), TUSK_AGAIN);
    ck_assert_int_eq(conn.t->ops->send(conn.t, &what, 1, &n, NULL), TUSK_OK);
    ck_assert_int_eq(conn.t->ops->send(conn.t, &what, 0, &n, NULL), TUSK_OK);
    ck_assert(!conn.t->ops->has_input(conn.t) && !conn.t->ops->wants_write(conn.t));
    ck_assert_str_eq(tusk__transport_tls_version(conn.t), "");
}

START_TEST(plain_end)
{
    uint8_t hash[64];
    size_t len = 99;

    connect_plainly(GOODBYE);
    ck_assert_int_eq(tusk__tls_endpoint_hash(conn.t, hash, &len, NULL), TUSK_OK);
    ck_assert_uint_eq(len, 0);
    expect_last();
    expect_end(TUSK_DONE, 0, NULL);
    conn.t->ops->shutdown(conn.t);
    disconnect();
}
END_TEST

/* And no signal: this thread has not blocked SIGPIPE. */
START_TEST(plain_reset)
{
    tusk_error err = {0};
    tusk_code code = TUSK_OK;
    size_t n;

    connect_plainly(RESET);
    expect_last();
    ck_assert_int_eq(conn.t->ops->send(conn.t, "x", 1, &n, NULL), TUSK_OK);
    wait_for_socket(POLLIN);
    code = conn.t->ops->recv(conn.t, &(char){0}, 1, &n, &err);
    ck_assert_int_eq(code, TUSK_ERR_LOST);
    ck_assert_str_eq(err.message, "the connection was lost: connection reset by the server");
    ck_assert_str_eq(err.sqlstate, "08006");
    err = (tusk_error){0};
    ck_assert_int_eq(conn.t->ops->send(conn.t, "x", 1, &n, &err), TUSK_ERR_LOST);
    ck_assert_int_eq(err.os, EPIPE);
    disconnect();
}
END_TEST

static ssize_t interrupted(void *ctx, int fd, void *buf, size_t len)
{
    (void)ctx, (void)fd, (void)buf, (void)len;
    return -EINTR;
}

START_TEST(interruption_is_not_yet)
{
    char c;
    size_t n;

    connect_plainly(GOODBYE);
    world.os.recv = interrupted;
    ck_assert_int_eq(conn.t->ops->recv(conn.t, &c, 1, &n, NULL), TUSK_AGAIN);
    ck_assert_uint_eq(n, 0);
    disconnect();
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *s = suite_create("tls");
    TCase *t = tcase_create("calls");

    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, world_open, world_close);
    tcase_add_test(t, query_is_one_send_and_one_recv);
    tcase_add_test(t, many_records_are_one_recv);
    tcase_add_test(t, small_buffers_are_served_from_memory);
    tcase_add_test(t, more_than_a_chunk_is_one_call);
    tcase_add_test(t, read_that_stops_at_full_chunks_says_that_there_may_be_more);
    tcase_add_test(t, sixty_kib_are_one_send);
    suite_add_tcase(s, t);

    t = tcase_create("bytes");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, world_open, world_close);
    tcase_add_test(t, megabytes_come_back_intact);
    tcase_add_test(t, few_bytes_at_a_time_come_back_intact);
    tcase_add_test(t, drops_do_not_keep_the_loop);
    tcase_add_test(t, back_pressure);
    tcase_add_test(t, key_update_is_answered);
    tcase_add_loop_test(t, tls_1_2, 0, 3);
    tcase_add_test(t, renegotiation_is_refused);
    tcase_add_test(t, endpoint_hash_is_the_servers);
    suite_add_tcase(s, t);

    t = tcase_create("ends");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, world_open, world_close);
    tcase_add_test(t, goodbye_is_an_orderly_end);
    tcase_add_test(t, end_without_goodbye_is_a_loss);
    tcase_add_test(t, reset_is_a_loss);
    tcase_add_loop_test(t, what_came_before_a_refused_send_is_read, 0, 2);
    tcase_add_test(t, behind_a_refused_send_nobody_waits);
    tcase_add_test(t, altered_bytes_are_refused);
    tcase_add_test(t, shutdown_says_goodbye);
    tcase_add_test(t, plain_end);
    tcase_add_test(t, plain_reset);
    tcase_add_test(t, interruption_is_not_yet);
    suite_add_tcase(s, t);

    t = tcase_create("memory");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, open_counted, world_close);
    tcase_add_test(t, lack_of_a_chunk_breaks_nothing);
    tcase_add_test(t, idle_connections_hold_no_chunk);
    suite_add_tcase(s, t);
    return s;
}
