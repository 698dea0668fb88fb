/* Which ways an sslmode tries, in which order, and what ends that: a server on both sides of the SSLRequest that writes down who
 * comes how. */
#include <stdatomic.h>

#include <tusk/tusk.h>

#include "test/tls_world.h"

/* ---- the server -------------------------------------------------------------------------------------------------- */

/* How it treats who comes, and what it saw: 'S' asked for TLS, 'T' logged in over TLS, 'P' in the clear. */
static struct {
    atomic_int answer;   /* to SSLRequest */
    atomic_bool breaks;  /* the handshake, by hanging up with nonsense */
    const char *refusal; /* to the StartupMessage over TLS, in the clear: SQLSTATE; "" lets in */
    const char *plain_refusal;
    bool lets_in_first; /* AuthenticationOk in front of the refusal */
    char log[64];
    size_t log_len;
} server;

static void note(char what)
{
    if (server.log_len + 1 < sizeof server.log)
        server.log[server.log_len++] = what;
}

static size_t put_error(char *out, const char *sqlstate)
{
    char body[64];
    size_t len = (size_t)snprintf(body, sizeof body, "SFATAL%cVFATAL%cC%s%cMrefused%c%c", 0, 0, sqlstate, 0, 0, 0);

    out[0] = 'E';
    out[1] = out[2] = out[3] = 0;
    out[4] = (char)(len + 4);
    memcpy(out + 5, body, len);
    return 5 + len;
}

#define AUTHENTICATION_OK "R\0\0\0\10\0\0\0\0"
#define READY "Z\0\0\0\5I"

static size_t answer_login(char out[128], const char *refusal)
{
    size_t len = 0;

    if (server.lets_in_first || !refusal[0]) {
        memcpy(out, AUTHENTICATION_OK, 9);
        len = 9;
    }
    if (refusal[0])
        return len + put_error(out + len, refusal);
    memcpy(out + len, READY, 6);
    return len + 6;
}

static bool read_startup(int fd, SSL *ssl, const unsigned char *head)
{
    unsigned char rest[1024];
    size_t len = ((size_t)head[2] << 8 | head[3]) - 8, n = 0;

    if (!ssl)
        return tls_peer_read(fd, rest, len);
    while (n < len) {
        int got = SSL_read(ssl, rest + n, (int)(len - n));
        if (got <= 0)
            return false;
        n += (size_t)got;
    }
    return true;
}

static void serve_in_tls(int fd)
{
    SSL *ssl = tls_peer_accept(fd, world.server_ctx);
    unsigned char head[8];
    char out[128];

    if (!ssl)
        return;
    if (SSL_read(ssl, head, 8) == 8 && read_startup(fd, ssl, head)) {
        note('T');
        (void)SSL_write(ssl, out, (int)answer_login(out, server.refusal));
        while (SSL_read(ssl, out, sizeof out) > 0)
            ;
    }
    SSL_free(ssl);
}

static void serve_in_the_clear(int fd, const unsigned char *head)
{
    char out[128];

    if (!read_startup(fd, NULL, head))
        return;
    note('P');
    (void)tls_peer_write(fd, out, answer_login(out, server.plain_refusal));
    (void)tls_peer_drain(fd);
}

static void serve(int fd, int n, void *user)
{
    static const unsigned char request[] = {0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F};
    unsigned char head[8];
    char answer = (char)server.answer;
    bool was_asked;

    (void)n, (void)user;
    if (!tls_peer_read(fd, head, 8))
        return;
    was_asked = memcmp(head, request, 8) == 0;
    if (was_asked) {
        note('S');
        (void)tls_peer_write(fd, &answer, 1);
    }
    if (was_asked && server.breaks)
        (void)tls_peer_write(fd, "nonsense", 8);
    else if (was_asked && answer == 'S')
        serve_in_tls(fd);
    else if (!was_asked || (answer == 'N' && tls_peer_read(fd, head, 8)))
        serve_in_the_clear(fd, head);
}

/* ---- a connection ------------------------------------------------------------------------------------------------ */

static tusk_error connect_by(uint16_t port, const char *sslmode)
{
    char dsn[256];
    tusk_error err = {0};
    tusk_conn *conn;

    (void)snprintf(dsn, sizeof dsn, "host=localhost hostaddr=127.0.0.1 port=%u user=u sslmode=%s sslrootcert=%s",
                   (unsigned)port, sslmode, world.root_file);
    memset(server.log, 0, sizeof server.log);
    server.log_len = 0;
    conn = tusk_connect(world.loop, dsn);
    (void)tusk_await_free(tusk_conn_ready(conn), &err);
    (void)tusk_await_free(tusk_close(conn), NULL); /* the peer waits for the end */
    tusk_conn_free(conn);
    return err;
}

static const char *const modes[] = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
enum { DISABLE, ALLOW, PREFER, REQUIRE, VERIFY_CA, VERIFY_FULL, N_MODES };

/* ---- the ways ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    char answer;
    bool breaks;
    const char *refusal, *plain_refusal;
    bool lets_in_first;
    const char *logs[N_MODES]; /* what the server sees */
    bool is_in[N_MODES];
} cases[] = {
    {"lets everybody in",
     'S',
     false,
     "",
     "",
     false,
     {"P", "P", "ST", "ST", "ST", "ST"},
     {true, true, true, true, true, true}},
    {"has no TLS", 'N', false, "", "", false, {"P", "P", "SP", "S", "S", "S"}, {true, true, true, false, false, false}},
    {"has no TLS and refuses",
     'N',
     false,
     "28000",
     "28000",
     false,
     {"P", "PS", "SP", "S", "S", "S"},
     {false, false, false, false, false, false}},
    {"wants TLS",
     'S',
     false,
     "",
     "28000",
     false,
     {"P", "PST", "ST", "ST", "ST", "ST"},
     {false, true, true, true, true, true}},
    {"wants none",
     'S',
     false,
     "28000",
     "",
     false,
     {"P", "P", "STP", "ST", "ST", "ST"},
     {true, true, true, false, false, false}},
    {"refuses everybody",
     'S',
     false,
     "28000",
     "28000",
     false,
     {"P", "PST", "STP", "ST", "ST", "ST"},
     {false, false, false, false, false, false}},
    {"refuses as a pooler does",
     'S',
     false,
     "08P01",
     "08P01",
     false,
     {"P", "PST", "STP", "ST", "ST", "ST"},
     {false, false, false, false, false, false}},
    {"breaks the handshake",
     'S',
     true,
     "",
     "28000",
     false,
     {"P", "PS", "SP", "S", "S", "S"},
     {false, false, false, false, false, false}},
    {"has no such database",
     'S',
     false,
     "3D000",
     "3D000",
     true,
     {"P", "P", "ST", "ST", "ST", "ST"},
     {false, false, false, false, false, false}},
    {"has no room",
     'S',
     false,
     "53300",
     "53300",
     false,
     {"P", "P", "ST", "ST", "ST", "ST"},
     {false, false, false, false, false, false}},
    {"is going down",
     'S',
     false,
     "57P01",
     "57P01",
     false,
     {"P", "P", "ST", "ST", "ST", "ST"},
     {false, false, false, false, false, false}},
    {"is starting up",
     'S',
     false,
     "57P03",
     "57P03",
     false,
     {"P", "P", "ST", "ST", "ST", "ST"},
     {false, false, false, false, false, false}},
};

START_TEST(second_way_is_tried_behind_a_refusal)
{
    tls_peer *peer;

    server.answer = cases[_i].answer;
    server.breaks = cases[_i].breaks;
    server.refusal = cases[_i].refusal;
    server.plain_refusal = cases[_i].plain_refusal;
    server.lets_in_first = cases[_i].lets_in_first;
    peer = tls_peer_start("127.0.0.1", 0, serve, NULL);
    for (int mode = 0; mode < N_MODES; mode++) {
        tusk_error err = connect_by(tls_peer_port(peer), modes[mode]);
        ck_assert_msg((err.code == TUSK_OK) == cases[_i].is_in[mode], "%s, %s: %s", cases[_i].name, modes[mode],
                      err.message);
        ck_assert_msg(strcmp(server.log, cases[_i].logs[mode]) == 0, "%s, %s: saw %s", cases[_i].name, modes[mode],
                      server.log);
    }
    tls_peer_stop(peer);
}
END_TEST

/* ---- d22: the answer to SSLRequest ------------------------------------------------------------------------------- */

/* Who says 'E' or anything strange has ended it, for every sslmode: no second way, least of all in the clear. */
static void check_answer(const tusk_error *err, int mode, int byte)
{
    bool was_asked = mode != DISABLE;
    bool is_in = !was_asked || (byte == 'S' && mode >= ALLOW) || (byte == 'N' && mode == PREFER);

    ck_assert_msg((err->code == TUSK_OK) == is_in || (mode == DISABLE), "byte %d, %s: %s", byte, modes[mode],
                  err->message);
    if (is_in || byte == 'S')
        return;
    if (byte != 'N' && byte != 'E')
        ck_assert_int_eq(err->code, TUSK_ERR_PROTOCOL);
    else /* allow has heard a word of the server's before, which says more */
        ck_assert_int_eq(err->code, mode == ALLOW ? TUSK_ERR_AUTH : TUSK_ERR_CONNECT);
}

START_TEST(d22_only_s_and_n_are_answers)
{
    tls_peer *peer;

    server.breaks = server.lets_in_first = false;
    server.refusal = "";
    server.plain_refusal = _i == ALLOW ? "28000" : ""; /* so that it asks */
    peer = tls_peer_start("127.0.0.1", 0, serve, NULL);
    for (int byte = 0; byte < 256; byte++) {
        tusk_error err;
        const char *log = _i == DISABLE ? "P" : _i == ALLOW ? "PS" : "S";
        server.answer = byte;
        err = connect_by(tls_peer_port(peer), modes[_i]);
        check_answer(&err, _i, byte);
        if (byte == 'S' && _i != DISABLE)
            log = _i == ALLOW ? "PST" : "ST";
        if (byte == 'N' && _i == PREFER)
            log = "SP";
        ck_assert_msg(strcmp(server.log, log) == 0, "byte %d, %s: saw %s", byte, modes[_i], server.log);
    }
    tls_peer_stop(peer);
}
END_TEST

#define SECRET_TEXT "EVIL\0SFATAL\0CXX000\0Mcall this number\0"

static void answer_with_text(int fd, int n, void *user)
{
    (void)n, (void)user;
    if (!tls_peer_ssl_request(fd))
        return;
    (void)tls_peer_write(fd, SECRET_TEXT, sizeof SECRET_TEXT);
    (void)tls_peer_drain(fd);
}

START_TEST(d22_text_behind_e_is_not_shown)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, answer_with_text, NULL);
    tusk_error err = connect_by(tls_peer_port(peer), modes[PREFER + _i]);

    check_error(&err);
    ck_assert_int_eq(err.code, TUSK_ERR_CONNECT);
    ck_assert_str_eq(err.detail, "");
    ck_assert_ptr_null(strstr(err.message, "number"));
    ck_assert_ptr_null(strstr(err.message, "VIL"));
    ck_assert_int_eq(tls_peer_connections(peer), 1);
    tls_peer_stop(peer);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *s = suite_create("tls_modes");
    TCase *t = tcase_create("tls_modes");

    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, world_open, world_close);
    tcase_add_loop_test(t, second_way_is_tried_behind_a_refusal, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_loop_test(t, d22_only_s_and_n_are_answers, 0, N_MODES);
    tcase_add_loop_test(t, d22_text_behind_e_is_not_shown, 0, N_MODES - PREFER);
    suite_add_tcase(s, t);
    return s;
}
