/* From a route to a transport, and what can go wrong on the way; and the cancel request, which goes the same way. */
#include <fcntl.h>
#include <pwd.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include <openssl/pem.h>

#include "loop/poller.h"
#include "test/tls_world.h"

#define US_PER_S ((int64_t)1000000)
#define VERIFIED "host=localhost hostaddr=127.0.0.1 port=%u sslmode=verify-full sslrootcert=%s"

/* ---- scripts of the peer ----------------------------------------------------------------------------------------- */

static void drain(int fd, int n, void *user)
{
    (void)n, (void)user;
    (void)tls_peer_drain(fd);
}

/* Says S, shakes hands, and reads until the end. */
static void serve_tls(int fd, int n, void *user)
{
    SSL *ssl;
    char buf[256];

    (void)n, (void)user;
    if (!tls_peer_ssl_request(fd) || !tls_peer_write(fd, "S", 1))
        return;
    ssl = tls_peer_accept(fd, world.server_ctx);
    while (ssl && SSL_read(ssl, buf, sizeof buf) > 0)
        ;
    SSL_free(ssl);
}

typedef enum mishap { AT_ONCE, RESET_AT_ONCE, AFTER_REQUEST, AFTER_S, AFTER_HELLO, MISHAPS } mishap;

static void go_wrong(int fd, int n, void *user)
{
    const mishap *how = user;
    char first;

    (void)n;
    if (*how == RESET_AT_ONCE)
        tls_peer_reset(fd);
    if (*how < AFTER_REQUEST || !tls_peer_ssl_request(fd) || *how < AFTER_S)
        return;
    (void)tls_peer_write(fd, "S", 1);
    if (*how == AFTER_HELLO) {
        (void)recv(fd, &first, 1, MSG_PEEK);
        (void)tls_peer_write(fd, "\x16\3\3\0\x7a\2\0", 7);
    }
    tls_peer_reset(fd);
}

/* ---- addresses --------------------------------------------------------------------------------------------------- */

static uint16_t free_port(void)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, drain, NULL);
    uint16_t port = tls_peer_port(peer);

    tls_peer_stop(peer);
    return port;
}

START_TEST(refused_port_is_said_so)
{
    char where[64];
    uint16_t port = free_port();
    outcome o;

    world.ips[0] = "127.0.0.1";
    (void)snprintf(where, sizeof where, "connect localhost:%u", (unsigned)port);
    o = dial(settings_of("host=localhost port=%u sslmode=disable", (unsigned)port));
    check_error(&o.err);
    ck_assert_int_eq(o.err.code, TUSK_ERR_CONNECT);
    ck_assert_str_eq(o.err.sqlstate, "08001");
    ck_assert_str_eq(o.err.where, where);
    ck_assert_str_eq(o.err.message, "could not connect: connection refused");
    ck_assert_str_eq(o.err.hint, "Is the server running on that host and accepting TCP/IP connections?");
    ck_assert_int_eq(o.err.os, ECONNREFUSED);
    ck_assert(tusk_error_is_retriable(&o.err));
}
END_TEST

START_TEST(unknown_host_is_said_so)
{
    outcome o = dial(settings_of("host=db1 port=5432"));

    check_error(&o.err);
    ck_assert_int_eq(o.err.code, TUSK_ERR_RESOLVE);
    ck_assert_str_eq(o.err.where, "resolve db1");
    ck_assert_str_eq(o.err.sqlstate, "08001");
}
END_TEST

START_TEST(all_addresses_of_a_name_are_tried)
{
    tls_peer *peer = tls_peer_start("127.0.0.3", 0, drain, NULL);
    char detail[256];
    struct sockaddr_in in;
    uint16_t port;
    outcome o;

    world.ips[0] = "127.0.0.1", world.ips[1] = "127.0.0.2", world.ips[2] = "127.0.0.3";
    o = reach(settings_of("host=db1 port=%u sslmode=disable", (unsigned)tls_peer_port(peer)));
    ck_assert_msg(o.err.code == TUSK_OK, "%s", o.err.message);
    memcpy(&in, &o.address.addr, sizeof in);
    ck_assert_uint_eq(ntohl(in.sin_addr.s_addr), 0x7f000003);
    hang_up(&o);
    tls_peer_stop(peer);

    port = free_port();
    o = reach(settings_of("host=db1 port=%u sslmode=disable", (unsigned)port));
    check_error(&o.err);
    (void)snprintf(detail, sizeof detail,
                   "Other attempts: db1:%u (127.0.0.1): could not connect: connection refused; "
                   "db1:%u (127.0.0.2): could not connect: connection refused",
                   (unsigned)port, (unsigned)port);
    ck_assert_str_eq(o.err.detail, detail);
}
END_TEST

START_TEST(hostaddr_is_where_it_goes)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, drain, NULL);
    outcome o = dial(
        settings_of("host=no.such.host hostaddr=127.0.0.1 port=%u sslmode=disable", (unsigned)tls_peer_port(peer)));

    ck_assert_msg(o.err.code == TUSK_OK, "%s", o.err.message);
    ck_assert_str_eq(tusk__transport_tls_version(o.transport), "");
    hang_up(&o);
    tls_peer_stop(peer);
}
END_TEST

START_TEST(given_address_is_not_looked_up)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, drain, NULL);
    tusk__settings *settings = settings_of("host=no.such.host port=%u sslmode=disable", (unsigned)tls_peer_port(peer));
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(tls_peer_port(peer))};
    tusk__route route = first_route(settings);
    outcome o;

    in.sin_addr.s_addr = htonl(0x7f000001);
    route.has_address = true;
    route.address = (tusk__address){.family = AF_INET, .len = sizeof in};
    memcpy(&route.address.addr, &in, sizeof in);
    o = dial_route(settings, &route);
    ck_assert_msg(o.err.code == TUSK_OK, "%s", o.err.message);
    hang_up(&o);
    tls_peer_stop(peer);
}
END_TEST

START_TEST(unix_sockets)
{
    char path[64];
    tls_peer *peer;
    outcome o;

    (void)snprintf(path, sizeof path, "%s/.s.PGSQL.5433", world.folder);
    peer = tls_peer_start_local(path, drain, NULL);
    o = dial(settings_of("host=%s port=5433 sslmode=require", world.folder)); /* where there is no TLS, as libpq */
    ck_assert_msg(o.err.code == TUSK_OK, "%s", o.err.message);
    ck_assert_int_eq(o.address.family, AF_UNIX);
    hang_up(&o);
    tls_peer_stop(peer);
    ck_assert_int_eq(unlink(path), 0);

    o = dial(settings_of("host=%s port=5433", world.folder));
    check_error(&o.err);
    ck_assert_str_eq(o.err.message, "could not connect: there is no such socket");
    ck_assert_msg(strncmp(o.err.where, "connect /tmp/tusk-tls-", 22) == 0, "%s", o.err.where);
    ck_assert_ptr_nonnull(strstr(o.err.where, "/.s.PGSQL.5433"));
    ck_assert_str_eq(o.err.hint, "Is the server running on this machine and accepting connections on that socket?");

    o = dial(settings_of("host=/%0120d port=5433", 1));
    check_error(&o.err);
    ck_assert_int_eq(o.err.code, TUSK_ERR_CONFIG);
}
END_TEST

START_TEST(abstract_unix_socket)
{
    char name[64], path[80];
    tls_peer *peer;
    outcome o;

    (void)snprintf(name, sizeof name, "@tusk-%ld", (long)getpid());
    (void)snprintf(path, sizeof path, "%s/.s.PGSQL.5433", name);
    peer = tls_peer_start_local(path, drain, NULL);
    o = dial(settings_of("host=%s port=5433", name));
    ck_assert_msg(o.err.code == TUSK_OK, "%s", o.err.message);
    hang_up(&o);
    tls_peer_stop(peer);
}
END_TEST

static int n_questions;

static int counted_getsockopt(void *ctx, int fd, int level, int name, void *value, socklen_t *len)
{
    n_questions++;
    return tusk__os_real()->getsockopt(ctx, fd, level, name, value, len);
}

static int counted_set(tusk__poller *poller, int fd, unsigned before, unsigned now, uint64_t token)
{
    n_questions += before != now;
    return tusk__os_real()->poller->set(poller, fd, before, now, token);
}

/* As a Unix-domain socket does: then there is nothing to wait for. */
START_TEST(a_socket_that_connects_at_once_is_neither_watched_nor_asked)
{
    tusk__poller_ops poller = *tusk__os_real()->poller;
    char path[64];
    tls_peer *peer;
    outcome o;

    (void)snprintf(path, sizeof path, "%s/.s.PGSQL.5433", world.folder);
    peer = tls_peer_start_local(path, drain, NULL);
    poller.set = counted_set;
    world.os.poller = &poller;
    world.os.getsockopt = counted_getsockopt;
    o = dial(settings_of("host=%s port=5433", world.folder));
    ck_assert_msg(o.err.code == TUSK_OK, "%s", o.err.message);
    ck_assert_int_eq(n_questions, 0);
    hang_up(&o);
    tls_peer_stop(peer);
    ck_assert_int_eq(unlink(path), 0);
    world.os.poller = tusk__os_real()->poller;
}
END_TEST

/* ---- requirepeer -------------------------------------------------------------------------------------------------- */

/* Any account of this machine that is not ours. */
static const char *another_account(void)
{
    static char name[64];
    const struct passwd *pw;

    setpwent();
    while ((pw = getpwent()) != NULL && pw->pw_uid == geteuid())
        continue;
    ck_assert_ptr_nonnull(pw);
    (void)snprintf(name, sizeof name, "%s", pw->pw_name);
    endpwent();
    return name;
}

static const char *our_account(void)
{
    static char name[64];

    (void)snprintf(name, sizeof name, "%s", getpwuid(geteuid())->pw_name);
    return name;
}

static outcome dial_peer(const char *requirepeer)
{
    char path[64];
    tls_peer *peer;
    outcome o;

    (void)snprintf(path, sizeof path, "%s/.s.PGSQL.5433", world.folder);
    peer = tls_peer_start_local(path, drain, NULL);
    o = dial(settings_of("host=%s port=5433 requirepeer='%s'", world.folder, requirepeer));
    if (o.transport)
        hang_up(&o);
    tls_peer_stop(peer);
    ck_assert_int_eq(unlink(path), 0);
    return o;
}

START_TEST(requirepeer_is_the_account_behind_the_socket)
{
    char path[96], message[256];
    outcome o = dial_peer(our_account());

    ck_assert_msg(o.err.code == TUSK_OK, "%s", o.err.message);
    o = dial_peer(""); /* not given */
    ck_assert_int_eq(o.err.code, TUSK_OK);

    o = dial_peer(another_account());
    check_error(&o.err);
    ck_assert_int_eq(o.err.code, TUSK_ERR_AUTH);
    ck_assert_str_eq(o.err.sqlstate, "28000");
    (void)snprintf(message, sizeof message,
                   "requirepeer asks for a server of the account with number %lu, but this one has number %lu",
                   (unsigned long)getpwnam(another_account())->pw_uid, (unsigned long)geteuid());
    ck_assert_str_eq(o.err.message, message);
    (void)snprintf(path, sizeof path, "connect %s/.s.PGSQL.5433", world.folder);
    ck_assert_str_eq(o.err.where, path);

    o = dial_peer("no-such-account");
    check_error(&o.err);
    ck_assert_int_eq(o.err.code, TUSK_ERR_AUTH);
    ck_assert_str_eq(o.err.message, "requirepeer names an account that this machine does not have");
}
END_TEST

static int hidden_peer(void *ctx, int fd, uint32_t *id)
{
    (void)ctx, (void)fd, (void)id;
    return -ENOPROTOOPT;
}

START_TEST(a_peer_that_the_system_does_not_tell_is_not_the_right_one)
{
    outcome o;

    world.os.peer_account = hidden_peer;
    o = dial_peer(our_account());
    check_error(&o.err);
    ck_assert_int_eq(o.err.code, TUSK_ERR_SYSTEM);
    ck_assert_int_eq(o.err.os, ENOPROTOOPT);
    ck_assert_ptr_nonnull(strstr(o.err.message, "but the system does not say whose the server is"));
    o = dial_peer(""); /* who does not ask does not mind */
    ck_assert_int_eq(o.err.code, TUSK_OK);
}
END_TEST

START_TEST(requirepeer_does_not_matter_over_tcp)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, drain, NULL);
    outcome o;

    world.os.peer_account = hidden_peer;
    o = dial(settings_of("hostaddr=127.0.0.1 port=%u sslmode=disable requirepeer=no-such-account",
                         (unsigned)tls_peer_port(peer)));
    ck_assert_msg(o.err.code == TUSK_OK, "%s", o.err.message);
    hang_up(&o);
    tls_peer_stop(peer);
}
END_TEST

enum { N_OPTIONS = 6, SYSTEMS_OWN = -1 };

/* TCP_NODELAY, SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT */
static const struct {
    const char *with;
    int values[N_OPTIONS];
} probes[] = {
    {"", {1, 1, 60, 10, 3, 0}},
    {"keepalives=1 keepalives_idle=7 keepalives_interval=2 keepalives_count=5 tcp_user_timeout=4711",
     {1, 1, 7, 2, 5, 4711}},
    {"keepalives=0 keepalives_idle=7", {1, 0, SYSTEMS_OWN, SYSTEMS_OWN, SYSTEMS_OWN, 0}},
    {"keepalives_idle=0 keepalives_interval=-1 keepalives_count=0", {1, 1, SYSTEMS_OWN, SYSTEMS_OWN, SYSTEMS_OWN, 0}},
};

static int option_of(int fd, int i)
{
    static const int names[N_OPTIONS] = {1, SO_KEEPALIVE, 4, 5, 6, 18};
    int value = 0;
    socklen_t len = sizeof value;

    ck_assert_int_eq(getsockopt(fd, i == 1 ? SOL_SOCKET : IPPROTO_TCP, names[i], &value, &len), 0);
    return value;
}

START_TEST(dead_peers_are_noticed_as_configured)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, drain, NULL);
    outcome o = dial(
        settings_of("hostaddr=127.0.0.1 port=%u sslmode=disable %s", (unsigned)tls_peer_port(peer), probes[_i].with));
    int fresh = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(o.err.code, TUSK_OK);
    for (int i = 0; i < N_OPTIONS; i++)
        ck_assert_int_eq(option_of(o.transport->fd, i),
                         probes[_i].values[i] == SYSTEMS_OWN ? option_of(fresh, i) : probes[_i].values[i]);
    (void)close(fresh);
    hang_up(&o);
    tls_peer_stop(peer);
}
END_TEST

static int interrupted_connect(void *ctx, int fd, const struct sockaddr *addr, socklen_t len)
{
    int rc = tusk__os_real()->connect(ctx, fd, addr, len);

    return rc == 0 || rc == -EINPROGRESS ? -EINTR : rc;
}

/* POSIX: the connection is being made all the same. */
START_TEST(interrupted_connect_goes_on)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, drain, NULL);
    outcome o;

    world.os.connect = interrupted_connect;
    o = dial(settings_of("hostaddr=127.0.0.1 port=%u sslmode=disable", (unsigned)tls_peer_port(peer)));
    ck_assert_msg(o.err.code == TUSK_OK, "%s", o.err.message);
    hang_up(&o);
    tls_peer_stop(peer);
}
END_TEST

/* ---- routes ------------------------------------------------------------------------------------------------------ */

START_TEST(routes_by_sslmode)
{
    static const struct {
        const char *sslmode, *host;
        size_t n;
        bool use[2], must[2];
    } cases[] = {
        {"disable", "db1", 1, {false}, {false}},
        {"allow", "db1", 2, {false, true}, {false, true}},
        {"prefer", "db1", 2, {true, false}, {false, false}},
        {"require", "db1", 1, {true}, {true}},
        {"verify-ca", "db1", 1, {true}, {true}},
        {"verify-full", "db1", 1, {true}, {true}},
        {"allow", "/tmp", 1, {false}, {false}},
        {"prefer", "/tmp", 1, {false}, {false}},
        {"require", "/tmp", 1, {false}, {false}},
        {"disable", "@tmp", 1, {false}, {false}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tusk__settings *settings = settings_of("host=%s sslmode=%s", cases[i].host, cases[i].sslmode);
        tusk__route routes[TUSK__ROUTES_MAX];
        ck_assert_uint_eq(tusk__routes_of(settings, 0, routes, TUSK__ROUTES_MAX), cases[i].n);
        ck_assert_uint_eq(tusk__routes_of(settings, 0, routes, 1), 1);
        for (size_t k = 0; k < cases[i].n; k++) {
            ck_assert_int_eq(routes[k].use_tls, cases[i].use[k]);
            ck_assert_int_eq(routes[k].must_tls, cases[i].must[k]);
            ck_assert(!routes[k].has_address);
        }
        tusk__settings_unref(settings);
    }
}
END_TEST

/* ---- d22: the answer to SSLRequest (each byte, each sslmode: tls_modes_test.c) ------------------------------------ */

static void end_at_request(int fd, int n, void *user)
{
    (void)n, (void)user;
    (void)tls_peer_ssl_request(fd);
}

START_TEST(d22_end_instead_of_an_answer)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, end_at_request, NULL);
    outcome o = dial(settings_of("hostaddr=127.0.0.1 host=a port=%u sslmode=prefer", (unsigned)tls_peer_port(peer)));

    check_error(&o.err);
    ck_assert_int_eq(o.err.code, TUSK_ERR_CONNECT);
    ck_assert_ptr_nonnull(strstr(o.err.where, ": request for tls"));
    tls_peer_stop(peer);
}
END_TEST

/* ---- d21: bytes glued behind the S ------------------------------------------------------------------------------- */

typedef struct glue {
    const char *bytes;
    size_t len;
    bool in_next_segment, is_nothing;
} glue;

static void glue_bytes(int fd, int n, void *user)
{
    const glue *g = user;
    char text[64] = "S";
    size_t len = g->in_next_segment ? 0 : g->len;
    char first;

    (void)n;
    if (!tls_peer_ssl_request(fd))
        return;
    memcpy(text + 1, g->bytes, len);
    (void)tls_peer_write(fd, text, 1 + len);
    if (g->in_next_segment && recv(fd, &first, 1, MSG_PEEK) == 1) /* ClientHello is there: the S was taken */
        (void)tls_peer_write(fd, g->bytes, g->len);
    SSL_free(tls_peer_accept(fd, world.server_ctx));
    (void)tls_peer_drain(fd);
}

#define AUTH_OK "R\0\0\0\10\0\0\0\0"
#define READY "Z\0\0\0\5I"

START_TEST(d21_bytes_behind_s_are_refused)
{
    static const glue cases[] = {
        {AUTH_OK READY, 15, false, false},
        {AUTH_OK READY, 15, true, false},
        {"R", 1, false, false},
        {"R", 1, true, false},
        {"E\0\0\0\11SFATAL\0\0", 13, false, false},
        {"\x16", 1, false, false},          /* a record's type, and then the server's own: a broken record */
        {"\x16\3\3\0\0", 5, false, true},   /* an empty record of TLS: nothing is in it to be believed */
        {"\x17\3\3\0\1a", 6, false, false}, /* data before there are keys */
        {"\x17\3\3\0\1a", 6, true, false},
        {"\x15\3\3\0\2\1\0", 7, false, false}, /* close_notify: an end, not an answer */
    };
    glue g = cases[_i];
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, glue_bytes, &g);
    outcome o = dial(settings_of("host=localhost hostaddr=127.0.0.1 port=%u sslmode=verify-full sslrootcert=%s",
                                 (unsigned)tls_peer_port(peer), world.root_file));

    ck_assert_msg(g.is_nothing || o.err.code == TUSK_ERR_TLS, "case %d: %s", _i, o.err.message);
    if (o.err.code == TUSK_ERR_TLS)
        ck_assert_ptr_nonnull(strstr(o.err.where, ": tls handshake"));
    if (o.transport) /* and nothing of it is handed out */
        ck_assert(!o.transport->ops->has_input(o.transport));
    hang_up(&o);
    tls_peer_stop(peer);
}
END_TEST

/* ---- certificates ------------------------------------------------------------------------------------------------ */

typedef struct trust_case {
    const char *name, *sslmode, *host;
    bool has_root, has_other_root, has_home_root;
    long starts_days, ends_days;
    bool is_self_signed;
    tusk_code code;
    const char *message;
} trust_case;

/* clang-format off */
static const trust_case trust_cases[] = {
    {"verify_full", "verify-full", "localhost", true, false, false, 0, 0, false, TUSK_OK, ""},
    {"verify_full_home", "verify-full", "localhost", false, false, true, 0, 0, false, TUSK_OK, ""},
    {"verify_full_no_root", "verify-full", "localhost", false, false, false, 0, 0, false, TUSK_ERR_CONFIG,
     "sslmode=verify-full needs root certificates, and there is no ~/.postgresql/root.crt"},
    {"verify_full_name", "verify-full", "wrong.test", true, false, false, 0, 0, false, TUSK_ERR_TLS,
     "the certificate is for \"localhost\", not for \"wrong.test\""},
    {"verify_full_address", "verify-full", "127.0.0.1", true, false, false, 0, 0, false, TUSK_ERR_TLS,
     "the certificate is for \"localhost\", not for \"127.0.0.1\""},
    {"verify_full_other_root", "verify-full", "localhost", false, true, false, 0, 0, false, TUSK_ERR_TLS,
     "the server's certificate was issued by an authority that is not in the root certificate file"},
    {"verify_full_expired", "verify-full", "localhost", true, false, false, -9, -1, false, TUSK_ERR_TLS,
     "the server's certificate has expired"},
    {"verify_full_early", "verify-full", "localhost", true, false, false, 1, 9, false, TUSK_ERR_TLS,
     "the server's certificate is not valid yet"},
    {"verify_full_self_signed", "verify-full", "localhost", true, false, false, 0, 0, true, TUSK_ERR_TLS,
     "the server's certificate is self-signed and not in the root certificate file"},
    {"verify_ca", "verify-ca", "wrong.test", true, false, false, 0, 0, false, TUSK_OK, ""},
    {"verify_ca_home", "verify-ca", "wrong.test", false, false, true, 0, 0, false, TUSK_OK, ""},
    {"verify_ca_no_root", "verify-ca", "localhost", false, false, false, 0, 0, false, TUSK_ERR_CONFIG,
     "sslmode=verify-ca needs root certificates, and there is no ~/.postgresql/root.crt"},
    {"verify_ca_other_root", "verify-ca", "localhost", false, true, false, 0, 0, false, TUSK_ERR_TLS,
     "the server's certificate was issued by an authority that is not in the root certificate file"},
    {"verify_ca_expired", "verify-ca", "localhost", true, false, false, -9, -1, false, TUSK_ERR_TLS,
     "the server's certificate has expired"},
    {"verify_ca_self_signed", "verify-ca", "localhost", true, false, false, 0, 0, true, TUSK_ERR_TLS,
     "the server's certificate is self-signed and not in the root certificate file"},
    {"allow_first", "allow", "wrong.test", false, true, false, 0, 0, false, TUSK_OK, ""},
    {"require", "require", "wrong.test", false, false, false, 0, 0, false, TUSK_OK, ""},
    {"require_expired", "require", "localhost", false, false, false, -9, -1, false, TUSK_OK, ""},
    {"require_root", "require", "wrong.test", true, false, false, 0, 0, false, TUSK_OK, ""},
    {"require_other_root", "require", "localhost", false, true, false, 0, 0, false, TUSK_ERR_TLS,
     "the server's certificate was issued by an authority that is not in the root certificate file"},
    {"require_home_root_expired", "require", "localhost", false, false, true, -9, -1, false, TUSK_ERR_TLS,
     "the server's certificate has expired"},
    {"prefer_other_root", "prefer", "localhost", false, true, false, 0, 0, false, TUSK_ERR_TLS,
     "the server's certificate was issued by an authority that is not in the root certificate file"},
};
/* clang-format on */

START_TEST(certificates_are_judged)
{
    const trust_case *c = &trust_cases[_i];
    tls_cert cert = tls_cert_new(&(tls_cert_spec){.names = {TLS_DNS("localhost")},
                                                  .issuer = c->is_self_signed ? NULL : &world.authority,
                                                  .starts_days = c->starts_days,
                                                  .ends_days = c->ends_days});
    SSL_CTX *before = world.server_ctx;
    char folder[64], file[96], root[96] = "";
    tls_peer *peer;
    outcome o;

    world.server_ctx = tls_server_new(&cert);
    (void)snprintf(folder, sizeof folder, "%s/.postgresql", world.folder);
    (void)snprintf(file, sizeof file, "%s/root.crt", folder);
    if (c->has_home_root) {
        ck_assert_int_eq(mkdir(folder, 0700), 0);
        tls_cert_write(&world.authority, file);
    }
    if (c->has_root || c->has_other_root)
        (void)snprintf(root, sizeof root, "sslrootcert=%s", c->has_root ? world.root_file : world.other_root_file);
    peer = tls_peer_start("127.0.0.1", 0, serve_tls, NULL);
    o = dial(settings_of("host=%s hostaddr=127.0.0.1 port=%u sslmode=%s %s", c->host, (unsigned)tls_peer_port(peer),
                         c->sslmode, root));
    ck_assert_msg(o.err.code == c->code, "%s: %s", c->name, o.err.message);
    ck_assert_str_eq(o.err.message, c->message);
    if (o.transport)
        ck_assert_str_eq(tusk__transport_tls_version(o.transport), strcmp(c->sslmode, "allow") == 0 ? "" : "TLSv1.3");
    hang_up(&o);
    tls_peer_stop(peer);
    (void)unlink(file);
    (void)rmdir(folder);
    SSL_CTX_free(world.server_ctx);
    world.server_ctx = before;
    tls_cert_free(&cert);
}
END_TEST

/* ---- the system's authorities ------------------------------------------------------------------------------------ */

/* A folder as OpenSSL wants it: a certificate under its hash, which the name of its subject makes. */
static void write_hashed(const tls_cert *cert, const char *folder, const char *suffix, char path[128])
{
    (void)snprintf(path, 128, "%s/%08lx.%s", folder, X509_subject_name_hash(cert->x509), suffix);
    tls_cert_write(cert, path);
}

static const struct {
    const char *name, *host;
    bool file_knows, folder_knows, is_hashed, has_nothing;
    tusk_code code;
    const char *message;
} system_cases[] = {
    {"file", "localhost", true, false, true, false, TUSK_OK, ""},
    {"folder", "localhost", false, true, true, false, TUSK_OK, ""},
    {"both", "localhost", true, true, true, false, TUSK_OK, ""},
    {"name", "wrong.test", true, false, true, false, TUSK_ERR_TLS,
     "the certificate is for \"localhost\", not for \"wrong.test\""},
    {"neither", "localhost", false, false, true, false, TUSK_ERR_TLS,
     "the server's certificate was issued by an authority that is not among those that this machine trusts"},
    {"other_file_names", "localhost", false, true, false, false, TUSK_ERR_TLS,
     "the server's certificate was issued by an authority that is not among those that this machine trusts"},
    {"nothing", "localhost", false, false, true, true, TUSK_ERR_CONFIG,
     "sslrootcert=system: this machine has no root certificates where OpenSSL looks for them"},
};

START_TEST(system_roots_are_those_of_file_and_folder)
{
    char file[64], path[128], folders[128], folder[64];
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, serve_tls, NULL);
    outcome o;

    (void)snprintf(folder, sizeof folder, "%s/certs", world.folder);
    (void)snprintf(file, sizeof file, "%s/file.pem", world.folder);
    (void)snprintf(folders, sizeof folders, "/nowhere::%s", folder);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    if (!system_cases[_i].has_nothing) {
        tls_cert_write(system_cases[_i].file_knows ? &world.authority : &world.other_authority, file);
        write_hashed(system_cases[_i].folder_knows ? &world.authority : &world.other_authority, folder,
                     system_cases[_i].is_hashed ? "0" : "pem", path);
    }
    (void)setenv("SSL_CERT_FILE", file, 1);
    (void)setenv("SSL_CERT_DIR", folders, 1);
    o = dial(settings_of("host=%s hostaddr=127.0.0.1 port=%u sslrootcert=system", system_cases[_i].host,
                         (unsigned)tls_peer_port(peer)));
    (void)unsetenv("SSL_CERT_FILE");
    (void)unsetenv("SSL_CERT_DIR");
    ck_assert_msg(o.err.code == system_cases[_i].code, "%s: %s", system_cases[_i].name, o.err.message);
    ck_assert_str_eq(o.err.message, system_cases[_i].message);
    if (o.err.code == TUSK_ERR_CONFIG)
        ck_assert_ptr_nonnull(strstr(o.err.detail, file));
    hang_up(&o);
    tls_peer_stop(peer);
    if (!system_cases[_i].has_nothing) {
        (void)unlink(file);
        (void)unlink(path);
    }
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(root_file_that_is_none)
{
    outcome o;
    FILE *file;
    char path[64];
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, serve_tls, NULL);

    (void)snprintf(path, sizeof path, "%s/nonsense", world.folder);
    o = dial(settings_of("host=a hostaddr=127.0.0.1 port=%u sslmode=require sslrootcert=%s",
                         (unsigned)tls_peer_port(peer), path));
    check_error(&o.err);
    ck_assert_int_eq(o.err.code, TUSK_ERR_CONFIG);
    ck_assert_ptr_nonnull(strstr(o.err.message, "does not exist"));
    ck_assert_ptr_nonnull(strstr(o.err.where, ": tls files"));

    file = fopen(path, "w");
    ck_assert(file != NULL && fputs("no certificate\n", file) >= 0 && fclose(file) == 0);
    o = dial(settings_of("host=a hostaddr=127.0.0.1 port=%u sslmode=require sslrootcert=%s",
                         (unsigned)tls_peer_port(peer), path));
    check_error(&o.err);
    ck_assert_int_eq(o.err.code, TUSK_ERR_CONFIG);
    ck_assert_ptr_nonnull(strstr(o.err.message, "holds no usable certificates"));
    (void)unlink(path);
    ck_assert_int_eq(tls_peer_connections(peer), 0);
    tls_peer_stop(peer);
}
END_TEST

/* Many dials at once share one context, and one of them may leave while it is built. */
START_TEST(context_is_built_once)
{
    enum { N = 8 };
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, serve_tls, NULL);
    tusk__settings *settings =
        settings_of("host=localhost hostaddr=127.0.0.1 port=%u sslmode=verify-full sslrootcert=%s",
                    (unsigned)tls_peer_port(peer), world.root_file);
    tusk__route route = first_route(settings);
    outcome o[N] = {{0}};
    tusk__dial *dials[N];

    for (int i = 0; i < N; i++) {
        dials[i] = tusk__dial_start(world.loop, settings, &route, on_dialed, &o[i], NULL);
        ck_assert_ptr_nonnull(dials[i]);
    }
    world_turn(0); /* the numeric address is "resolved" */
    world_turn(0);
    tusk__dial_cancel(dials[3]);
    for (int i = 0; i < N; i++) {
        while (i != 3 && o[i].n_done == 0)
            world_turn(1.0);
        ck_assert_msg(o[i].err.code == TUSK_OK, "%s", o[i].err.message);
        hang_up(&o[i]);
    }
    ck_assert_int_eq(o[3].n_done, 0);

    /* The file is read no more. */
    ck_assert_int_eq(unlink(world.root_file), 0);
    o[0] = dial_route(settings, &route);
    ck_assert_msg(o[0].err.code == TUSK_OK, "%s", o[0].err.message);
    hang_up(&o[0]);
    tls_peer_stop(peer);
}
END_TEST

/* A loop that is freed under a dial: its owner cancels it from there (tusk__child). */
typedef struct owner {
    tusk__child child;
    tusk__dial *dial;
} owner;

static void on_loop_free(tusk__child *child)
{
    tusk__dial_cancel(((owner *)(void *)child)->dial);
}

/* The root file is a pipe, which gives its bytes away once: a second reading of it would never end. */
START_TEST(context_is_built_once_for_all_that_wait)
{
    enum { N = 4 };
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, serve_tls, NULL);
    outcome o[N] = {{0}};
    char path[64];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/pipe", world.folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    for (int i = 0; i < N; i++) {
        tusk__settings *settings = settings_of(VERIFIED, (unsigned)tls_peer_port(peer), path);
        tusk__route route = first_route(settings);
        ck_assert_ptr_nonnull(tusk__dial_start(world.loop, settings, &route, on_dialed, &o[i], NULL));
        tusk__settings_unref(settings);
    }
    for (int i = 0; i < 4; i++)
        world_turn(0);
    file = fopen(path, "w"); /* waits for the helper thread to open it */
    ck_assert(file != NULL && PEM_write_X509(file, world.authority.x509) == 1 && fclose(file) == 0);
    for (int i = 0; i < N; i++) {
        while (o[i].n_done == 0)
            world_turn(1.0);
        ck_assert_msg(o[i].err.code == TUSK_OK, "%s", o[i].err.message);
        hang_up(&o[i]);
    }
    (void)unlink(path);
    tls_peer_stop(peer);
}
END_TEST

/* The loop ends while the helper thread waits for the root file. */
START_TEST(loop_is_freed_under_a_build)
{
    tusk__settings *settings;
    tusk__route route;
    outcome o = {0};
    owner w;
    char path[64];
    FILE *file;
    int fd;

    (void)snprintf(path, sizeof path, "%s/pipe", world.folder);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    settings = settings_of("host=localhost hostaddr=127.0.0.1 sslmode=verify-full sslrootcert=%s", path);
    route = first_route(settings);
    w = (owner){.dial = tusk__dial_start(world.loop, settings, &route, on_dialed, &o, NULL)};
    tusk__settings_unref(settings);
    ck_assert_ptr_nonnull(w.dial);
    tusk__loop_adopt(world.loop, &w.child, on_loop_free);
    for (int i = 0; i < 4; i++)
        world_turn(0);
    while ((fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0) /* until the helper thread reads */
        (void)usleep(100);
    tusk_loop_free(world.loop);
    ck_assert_int_eq(o.n_done, 0);
    file = fdopen(fd, "w");
    ck_assert(file != NULL && PEM_write_X509(file, world.authority.x509) == 1 && fclose(file) == 0);
    (void)unlink(path);
    world.loop = tusk__loop_open_on(&world.os, NULL, NULL);
    ck_assert_ptr_nonnull(world.loop);
}
END_TEST

/* The same root file under another policy is another context. */
START_TEST(context_of_another_policy_is_not_taken)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, serve_tls, NULL);
    outcome o = dial(settings_of("host=wrong.test hostaddr=127.0.0.1 port=%u sslmode=require sslrootcert=%s",
                                 (unsigned)tls_peer_port(peer), world.root_file));

    ck_assert_msg(o.err.code == TUSK_OK, "%s", o.err.message);
    hang_up(&o);
    o = dial(settings_of("host=wrong.test hostaddr=127.0.0.1 port=%u sslmode=verify-full sslrootcert=%s",
                         (unsigned)tls_peer_port(peer), world.root_file));
    ck_assert_int_eq(o.err.code, TUSK_ERR_TLS);
    o = dial(settings_of("host=localhost hostaddr=127.0.0.1 port=%u sslmode=verify-full sslrootcert=%s",
                         (unsigned)tls_peer_port(peer), world.other_root_file));
    ck_assert_int_eq(o.err.code, TUSK_ERR_TLS);
    tls_peer_stop(peer);
}
END_TEST

static int64_t later_us;

static int64_t now_and_later(void *ctx)
{
    return tusk__os_real()->now_us(ctx) + later_us;
}

/* A root file that was replaced is seen after a while, without a new loop. */
START_TEST(context_is_built_anew_after_a_while)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, serve_tls, NULL);
    outcome o;

    world.os.now_us = now_and_later;
    for (int i = 0; i < 3; i++) {
        later_us = (i == 2 ? 301 : 200 * i) * US_PER_S;
        o = dial(settings_of(VERIFIED, (unsigned)tls_peer_port(peer), world.root_file));
        ck_assert_msg(o.err.code == (i == 2 ? TUSK_ERR_TLS : TUSK_OK), "%s", o.err.message);
        hang_up(&o);
        tls_cert_write(&world.other_authority, world.root_file);
    }
    tls_peer_stop(peer);
}
END_TEST

/* ---- ALPN and SNI ------------------------------------------------------------------------------------------------ */

typedef struct hello {
    const char *answer; /* ALPN, with its length in front; NULL: none */
    char sni[64];
    char alpn[64];
    unsigned alpn_len;
} hello;

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                       unsigned in_len, void *arg)
{
    hello *h = arg;
    const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)snprintf(h->sni, sizeof h->sni, "%s", sni ? sni : "");
    if (in_len <= sizeof h->alpn)
        memcpy(h->alpn, in, h->alpn_len = in_len);
    if (!h->answer)
        return SSL_TLSEXT_ERR_NOACK;
    *out = (const unsigned char *)h->answer + 1;
    *out_len = (unsigned char)h->answer[0];
    return SSL_TLSEXT_ERR_OK;
}

START_TEST(hello_offers_postgresql_and_the_name)
{
    static const struct {
        const char *host, *sni, *answer;
        bool is_ok;
    } cases[] = {
        {"db.test", "db.test", NULL, true},     {"db.test", "db.test", "\12postgresql", true},
        {"db.test", "db.test", "\2h2", false},  {"db.test", "db.test", "\11postgresq", false},
        {"127.0.0.1", "", NULL, true},          {"::1", "", NULL, true},
        {"localhost", "localhost", NULL, true},
    };
    hello h = {.answer = cases[_i].answer};
    tls_peer *peer;
    outcome o;

    SSL_CTX_set_alpn_select_cb(world.server_ctx, choose_alpn, &h);
    peer = tls_peer_start("127.0.0.1", 0, serve_tls, NULL);
    o = dial(settings_of("host=%s hostaddr=127.0.0.1 port=%u sslmode=require", cases[_i].host,
                         (unsigned)tls_peer_port(peer)));
    /* OpenSSL itself refuses what was not offered; our own check is behind it */
    ck_assert_msg((o.err.code == TUSK_OK) == cases[_i].is_ok, "%s", o.err.message);
    ck_assert(o.err.code == TUSK_OK || o.err.code == TUSK_ERR_TLS);
    hang_up(&o);
    tls_peer_stop(peer);
    ck_assert_str_eq(h.sni, cases[_i].sni);
    ck_assert_uint_eq(h.alpn_len, 11);
    ck_assert_mem_eq(h.alpn, "\12postgresql", 11);
}
END_TEST

/* ---- d30: TLS that begins at once -------------------------------------------------------------------------------- */

/* No question is read: what comes first must be TLS. */
static void serve_direct_tls(int fd, int n, void *user)
{
    SSL *ssl = tls_peer_accept(fd, world.server_ctx);
    char buf[256];

    (void)n, (void)user;
    while (ssl && SSL_read(ssl, buf, sizeof buf) > 0)
        ;
    SSL_free(ssl);
}

#define DIRECT "host=localhost hostaddr=127.0.0.1 port=%u sslmode=verify-full sslrootcert=%s sslnegotiation=direct"

START_TEST(d30_direct_tls_wants_the_protocol_named)
{
    static const struct {
        const char *answer, *message;
    } cases[] = {
        {"\12postgresql", ""},
        {NULL, "the server did not say by ALPN that it speaks PostgreSQL, as it must with sslnegotiation=direct"},
        {"\11postgresq", "TLS failed: bad extension"},
        {"\13postgresqlX", "TLS failed: bad extension"},
        {"\2h2", "TLS failed: bad extension"},
        {"\12POSTGRESQL", "TLS failed: bad extension"},
    };
    hello h = {.answer = cases[_i].answer};
    tls_peer *peer;
    outcome o;

    SSL_CTX_set_alpn_select_cb(world.server_ctx, choose_alpn, &h);
    peer = tls_peer_start("127.0.0.1", 0, serve_direct_tls, NULL);
    o = dial(settings_of(DIRECT, (unsigned)tls_peer_port(peer), world.root_file));
    ck_assert_str_eq(o.err.message, cases[_i].message);
    ck_assert_int_eq(o.err.code, cases[_i].message[0] ? TUSK_ERR_TLS : TUSK_OK);
    if (o.transport)
        ck_assert_str_eq(tusk__transport_tls_version(o.transport), "TLSv1.3");
    hang_up(&o);
    ck_assert_int_eq(tls_peer_connections(peer), 1);
    tls_peer_stop(peer);
    ck_assert_uint_eq(h.alpn_len, 11);
    ck_assert_mem_eq(h.alpn, "\12postgresql", 11);
}
END_TEST

static void answer_in_the_clear(int fd, int n, void *user)
{
    char first;

    (void)n;
    if (recv(fd, &first, 1, MSG_PEEK) == 1)
        (void)tls_peer_write(fd, user, strlen(user));
    (void)tls_peer_drain(fd);
}

/* A server that is asked for nothing and answers in the clear is not believed either, and not asked again. */
START_TEST(d30_no_answer_in_the_clear_is_taken)
{
    static char *const answers[] = {"N", "S", "E", "R", "HTTP/1.1 400 Bad Request\r\n\r\n"};
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, answer_in_the_clear, answers[_i]);
    outcome o;

    if (strlen(answers[_i]) == 1) /* the handshake waits for the rest of a record */
        world.in_left = 1, world.cut_with = 0;
    o = reach(settings_of(DIRECT, (unsigned)tls_peer_port(peer), world.root_file));
    check_error(&o.err);
    ck_assert_int_eq(o.err.code, TUSK_ERR_TLS);
    ck_assert_int_eq(tls_peer_connections(peer), 1);
    tls_peer_stop(peer);
}
END_TEST

/* As an old server: it takes the first bytes for a StartupMessage of a length that cannot be. */
START_TEST(d30_old_server_hangs_up_and_the_hint_says_so)
{
    mishap how = AT_ONCE;
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, go_wrong, &how);
    outcome o = dial(settings_of(DIRECT, (unsigned)tls_peer_port(peer), world.root_file));

    check_error(&o.err);
    ck_assert_int_eq(o.err.code, TUSK_ERR_TLS);
    ck_assert_str_eq(o.err.hint, "sslnegotiation=direct needs PostgreSQL 17 or later, or a proxy that speaks for it.");
    tls_peer_stop(peer);
}
END_TEST

/* Both kinds of the same root file: the one that must have a name is not served by the context of the other. */
START_TEST(d30_direct_and_asked_tls_share_no_context)
{
    tls_peer *asked = tls_peer_start("127.0.0.1", 0, serve_tls, NULL);
    tls_peer *direct = tls_peer_start("127.0.0.1", 0, serve_direct_tls, NULL);
    outcome o = dial(settings_of(VERIFIED, (unsigned)tls_peer_port(asked), world.root_file));

    ck_assert_int_eq(o.err.code, TUSK_OK);
    hang_up(&o);
    o = dial(settings_of(DIRECT, (unsigned)tls_peer_port(direct), world.root_file));
    ck_assert_int_eq(o.err.code, TUSK_ERR_TLS);
    tls_peer_stop(asked);
    tls_peer_stop(direct);
}
END_TEST

START_TEST(tls_before_1_2_is_refused)
{
    tls_peer *peer;
    outcome o;

    ck_assert_int_eq(SSL_CTX_set_min_proto_version(world.server_ctx, TLS1_VERSION), 1);
    ck_assert_int_eq(SSL_CTX_set_max_proto_version(world.server_ctx, TLS1_1_VERSION), 1);
    SSL_CTX_set_security_level(world.server_ctx, 0);
    peer = tls_peer_start("127.0.0.1", 0, serve_tls, NULL);
    o = dial(settings_of("host=a hostaddr=127.0.0.1 port=%u sslmode=require", (unsigned)tls_peer_port(peer)));
    check_error(&o.err);
    ck_assert_int_eq(o.err.code, TUSK_ERR_TLS);
    tls_peer_stop(peer);
}
END_TEST

/* ---- stalls, cuts, cancels --------------------------------------------------------------------------------------- */

static void count_handshake(uint16_t port, long *in, long *out)
{
    outcome o;

    world.in_left = world.out_left = 1 << 20;
    o = dial(settings_of(VERIFIED, (unsigned)port, world.root_file));
    ck_assert_msg(o.err.code == TUSK_OK, "%s", o.err.message);
    *in = (1 << 20) - world.in_left - 8; /* a signature of ECDSA may be a few bytes shorter next time */
    *out = (1 << 20) - world.out_left;
    hang_up(&o);
}

/* Silence after each byte, in each direction, and then a cancel: nothing is left behind, nobody is called. */
START_TEST(d38_stall_and_cancel_at_every_byte)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, serve_tls, NULL);
    tusk__settings *settings = settings_of(VERIFIED, (unsigned)tls_peer_port(peer), world.root_file);
    tusk__route route = first_route(settings);
    long len[2], stride = harness_number("TUSK_TLS_CUT_STRIDE", 17);
    int fds = 0;

    count_handshake(tls_peer_port(peer), &len[0], &len[1]);
    while (fds != harness_open_fds()) /* the peer closes its side, too */
        fds = harness_open_fds(), (void)usleep(20000);
    for (long at = 0; at < len[_i]; at += at < 16 ? 1 : stride) {
        outcome o = {0};
        tusk__dial *d = tusk__dial_start(world.loop, settings, &route, on_dialed, &o, NULL);
        ck_assert_ptr_nonnull(d);
        world.in_left = _i == 0 ? at : -1;
        world.out_left = _i == 1 ? at : -1;
        world.cut_with = CUT_STALLS;
        world.n_idle = 0;
        for (int turns = 0; turns < 200 && (_i == 0 ? world.in_left : world.out_left) > 0; turns++)
            world_turn(0.05);
        for (int turns = 0; turns < 3; turns++)
            world_turn(0.001);
        ck_assert_int_eq(o.n_done, 0);
        tusk__dial_cancel(d);
    }
    world.in_left = world.out_left = -1;
    tusk__settings_unref(settings);
    tls_peer_stop(peer);
}
END_TEST

START_TEST(d38_cancel_after_every_turn)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, serve_tls, NULL);
    bool is_over = false;

    for (int turns = 0; !is_over; turns++) {
        tusk__settings *settings = settings_of(VERIFIED, (unsigned)tls_peer_port(peer), world.root_file);
        tusk__route route = first_route(settings);
        outcome o = {0};
        tusk__dial *d = tusk__dial_start(world.loop, settings, &route, on_dialed, &o, NULL);
        tusk__settings_unref(settings);
        ck_assert_ptr_nonnull(d);
        for (int i = 0; i < turns && o.n_done == 0; i++)
            world_turn(1.0);
        is_over = o.n_done > 0;
        if (!is_over)
            tusk__dial_cancel(d);
        else
            ck_assert_msg(o.err.code == TUSK_OK, "%s", o.err.message);
        hang_up(&o);
        ck_assert_int_lt(turns, 50);
    }
    tls_peer_stop(peer);
}
END_TEST

START_TEST(loop_is_freed_under_a_dial)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, serve_tls, NULL);

    for (int turns = 0; turns < 4; turns++) {
        tusk__settings *settings = settings_of(VERIFIED, (unsigned)tls_peer_port(peer), world.root_file);
        tusk__route route = first_route(settings);
        outcome o = {0};
        owner w = {.dial = tusk__dial_start(world.loop, settings, &route, on_dialed, &o, NULL)};
        tusk__settings_unref(settings);
        ck_assert_ptr_nonnull(w.dial);
        tusk__loop_adopt(world.loop, &w.child, on_loop_free);
        for (int i = 0; i < turns; i++)
            world_turn(0);
        tusk_loop_free(world.loop);
        ck_assert_int_eq(o.n_done, 0);
        world.loop = tusk__loop_open_on(&world.os, NULL, NULL);
        ck_assert_ptr_nonnull(world.loop);
    }
    tls_peer_stop(peer);
}
END_TEST

/* The stream is cut at each byte, by an end or by a reset, in each direction: an error, never a hang, never a descriptor. */
START_TEST(cut_at_every_byte)
{
    static const int how[] = {0, ECONNRESET, ETIMEDOUT};
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, serve_tls, NULL);
    bool is_in = _i < 3;
    long len[2], stride = harness_number("TUSK_TLS_CUT_STRIDE", 17);

    count_handshake(tls_peer_port(peer), &len[0], &len[1]);
    for (long at = 0; at < len[is_in ? 0 : 1]; at += at < 16 ? 1 : stride) {
        outcome o;
        world.in_left = is_in ? at : -1;
        world.out_left = is_in ? -1 : at;
        world.cut_with = how[_i % 3];
        o = dial(settings_of(VERIFIED, (unsigned)tls_peer_port(peer), world.root_file));
        check_error(&o.err);
        ck_assert_msg(o.err.code == (at < (is_in ? 1 : 8) ? TUSK_ERR_CONNECT : TUSK_ERR_TLS), "cut at %ld: %s", at,
                      o.err.message);
        ck_assert_str_eq(o.err.sqlstate, o.err.code == TUSK_ERR_TLS ? "08006" : "08001");
        ck_assert(tusk_error_is_retriable(&o.err));
        ck_assert_int_eq(o.err.os, is_in || how[_i % 3] ? how[_i % 3] : EPIPE);
    }
    world.in_left = world.out_left = -1;
    tls_peer_stop(peer);
}
END_TEST

/* One byte at a time is as good as all at once. */
static ssize_t one_byte_recv(void *ctx, int fd, void *buf, size_t len)
{
    return world_recv(ctx, fd, buf, len > 0 ? 1 : 0);
}

static ssize_t one_byte_send(void *ctx, int fd, const void *buf, size_t len)
{
    return world_send(ctx, fd, buf, len > 0 ? 1 : 0);
}

/* And nobody keeps the loop for longer than a few calls, however much there is to read. */
START_TEST(one_byte_at_a_time)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, serve_tls, NULL);
    tusk__settings *settings = settings_of(VERIFIED, (unsigned)tls_peer_port(peer), world.root_file);
    tusk__route route = first_route(settings);
    outcome o = {0};

    world.os.recv = one_byte_recv;
    world.os.send = one_byte_send;
    ck_assert_ptr_nonnull(tusk__dial_start(world.loop, settings, &route, on_dialed, &o, NULL));
    tusk__settings_unref(settings);
    while (o.n_done == 0) {
        world.n_recv = 0;
        world_turn(5.0);
        ck_assert_int_le(world.n_recv, 8);
    }
    ck_assert_msg(o.err.code == TUSK_OK, "%s", o.err.message);
    hang_up(&o);
    tls_peer_stop(peer);
}
END_TEST

/* ---- d28: nothing of a failed try survives ----------------------------------------------------------------------- */

/* Where in what we sent does the second try begin, and is it what a lone one sends? Random bytes and keys differ. */
static void check_second_try(const uint8_t *lone, size_t lone_len)
{
    size_t at = world.n_sent - lone_len;

    ck_assert_uint_ge(world.n_sent, lone_len);
    ck_assert_mem_eq(world.sent + at, lone, 8 + 5 + 4 + 2); /* SSLRequest, headers of record and message, version */
}

START_TEST(d28_second_try_is_a_fresh_one)
{
    mishap how = (mishap)_i;
    tls_peer *bad = tls_peer_start("127.0.0.1", 0, go_wrong, &how);
    tls_peer *good = tls_peer_start("127.0.0.2", tls_peer_port(bad), serve_tls, NULL);
    uint8_t lone[4096];
    size_t lone_len;
    outcome o;

    world.ips[0] = "127.0.0.2";
    o = dial(settings_of("host=localhost port=%u sslmode=verify-full sslrootcert=%s", (unsigned)tls_peer_port(good),
                         world.root_file));
    ck_assert_msg(o.err.code == TUSK_OK, "%s", o.err.message);
    hang_up(&o);
    lone_len = world.n_sent;
    ck_assert_uint_lt(lone_len, sizeof lone);
    memcpy(lone, world.sent, lone_len);

    world.n_sent = 0;
    world.ips[0] = "127.0.0.1", world.ips[1] = "127.0.0.2";
    o = reach(settings_of("host=localhost port=%u sslmode=verify-full sslrootcert=%s", (unsigned)tls_peer_port(good),
                          world.root_file));
    ck_assert_msg(o.err.code == TUSK_OK, "%s: %s", o.err.where, o.err.message);
    ck_assert_str_eq(tusk__transport_tls_version(o.transport), "TLSv1.3");
    check_second_try(lone, lone_len);
    hang_up(&o);
    tls_peer_stop(bad);
    tls_peer_stop(good);
}
END_TEST

/* ---- d29: the cancel request ------------------------------------------------------------------------------------- */

#define KEY "0123456789abcdef0123456789ABCDEF"

static struct {
    atomic_int mode; /* S or N; 0: no SSLRequest is expected */
    atomic_bool resets, stalls, floods;
    atomic_int len;
    uint8_t packet[512];
} cancel_peer;

static void take_cancel(int fd, int n, void *user)
{
    char mode = (char)cancel_peer.mode;
    SSL *ssl = NULL;
    int len = 0;

    (void)n, (void)user;
    if (mode && (!tls_peer_ssl_request(fd) || !tls_peer_write(fd, &mode, 1)))
        return;
    if (mode == 'S')
        ssl = tls_peer_accept(fd, world.server_ctx);
    if (mode != 'S')
        len = (int)recv(fd, cancel_peer.packet, sizeof cancel_peer.packet, 0);
    else if (ssl)
        len = SSL_read(ssl, cancel_peer.packet, sizeof cancel_peer.packet);
    cancel_peer.len = len;
    if (cancel_peer.resets)
        tls_peer_reset(fd);
    if (cancel_peer.floods)
        while (tls_peer_write(fd, cancel_peer.packet, sizeof cancel_peer.packet))
            ;
    if (cancel_peer.stalls)
        (void)tls_peer_drain(fd);
    SSL_free(ssl);
}

static void on_canceled(const tusk_error *err, void *user)
{
    outcome *o = user;

    o->n_done++;
    o->err = *err;
}

static outcome cancel_along(tusk__settings *settings, const tusk__route *route, int64_t timeout_us)
{
    outcome o = {0};
    tusk__cancel *cancel =
        tusk__cancel_start(world.loop, settings, route, 4711, tusk_str_of(KEY), timeout_us, on_canceled, &o, &o.err);

    ck_assert_msg(cancel != NULL, "%s", o.err.message);
    while (o.n_done == 0)
        world_turn(1.0);
    return o;
}

static bool was_sent(const char *text, size_t len)
{
    for (size_t at = 0; at + len <= world.n_sent; at++)
        if (memcmp(world.sent + at, text, len) == 0)
            return true;
    return false;
}

static const struct cancel_case {
    const char *name, *sslmode;
    char mode;
    bool must_tls, resets, stalls, floods;
    tusk_code code;
} cancel_cases[] = {
    {"tls", "verify-full", 'S', true, false, false, false, TUSK_OK},
    {"tls_no_more", "verify-full", 'N', true, false, false, false, TUSK_ERR_CONNECT},
    {"prefer_no_more", "prefer", 'N', true, false, false, false, TUSK_ERR_CONNECT},
    {"plain", "disable", 0, false, false, false, false, TUSK_OK},
    {"plain_reset", "disable", 0, false, true, false, false, TUSK_ERR_LOST},
    {"plain_no_end", "disable", 0, false, false, true, false, TUSK_ERR_TIMEOUT},
    {"tls_no_end", "verify-full", 'S', true, false, true, false, TUSK_ERR_TIMEOUT},
    {"plain_flood", "disable", 0, false, false, false, true, TUSK_ERR_PROTOCOL},
};

START_TEST(d29_cancel_goes_the_way_of_its_connection)
{
    const struct cancel_case *c = &cancel_cases[_i];
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, take_cancel, NULL);
    tusk__settings *settings = settings_of("host=localhost hostaddr=127.0.0.1 port=%u sslmode=%s sslrootcert=%s",
                                           (unsigned)tls_peer_port(peer), c->sslmode, world.root_file);
    tusk__route route = first_route(settings);
    outcome o;

    route.must_tls = c->must_tls;
    cancel_peer.mode = c->mode;
    cancel_peer.resets = c->resets;
    cancel_peer.stalls = c->stalls;
    cancel_peer.floods = c->floods;
    cancel_peer.len = 0;
    o = cancel_along(settings, &route, c->stalls ? US_PER_S / 5 : 20 * US_PER_S);
    ck_assert_msg(o.err.code == c->code, "%s: %s: %s", c->name, o.err.where, o.err.message);
    tusk__settings_unref(settings);
    tls_peer_stop(peer);
    ck_assert_msg(was_sent(KEY, 4) == (c->mode == 0), "%s", c->name);
    if (c->code != TUSK_ERR_CONNECT) {
        ck_assert_int_eq(cancel_peer.len, 12 + (int)strlen(KEY));
        ck_assert_mem_eq(cancel_peer.packet, "\0\0\0\x2c\x04\xd2\x16\x2e\0\0\x12\x67" KEY, 44);
    }
}
END_TEST

START_TEST(cancel_is_abandoned_at_any_turn)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, take_cancel, NULL);
    tusk__settings *settings = settings_of(VERIFIED, (unsigned)tls_peer_port(peer), world.root_file);
    tusk__route route = first_route(settings);
    bool is_over = false;

    cancel_peer.mode = 'S';
    cancel_peer.resets = cancel_peer.stalls = false;
    for (int turns = 0; !is_over; turns++) {
        outcome o = {0};
        tusk__cancel *cancel =
            tusk__cancel_start(world.loop, settings, &route, 1, tusk_str_of(KEY), -1, on_canceled, &o, NULL);
        ck_assert_ptr_nonnull(cancel);
        for (int i = 0; i < turns && o.n_done == 0; i++)
            world_turn(1.0);
        is_over = o.n_done > 0;
        if (!is_over)
            tusk__cancel_abandon(cancel);
        ck_assert_int_lt(turns, 50);
    }
    tusk__settings_unref(settings);
    tls_peer_stop(peer);
}
END_TEST

START_TEST(cancel_key_has_its_bounds)
{
    tusk__settings *settings = settings_of("host=localhost sslmode=disable");
    tusk__route route = first_route(settings);
    char key[257] = {0};
    tusk_error err = {0};

    ck_assert_ptr_null(
        tusk__cancel_start(world.loop, settings, &route, 1, tusk_str_from(key, 3), -1, on_canceled, NULL, &err));
    ck_assert_int_eq(err.code, TUSK_ERR_VALUE);
    ck_assert_ptr_null(
        tusk__cancel_start(world.loop, settings, &route, 1, tusk_str_from(key, 257), -1, on_canceled, NULL, NULL));
    tusk__settings_unref(settings);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static struct {
    atomic_long left; /* allocations until one fails; -1: never */
    atomic_long live;
} memory;

static bool may_allocate(void)
{
    return memory.left < 0 || memory.left-- != 0;
}

static void *test_malloc(size_t size, void *user)
{
    (void)user;
    if (!may_allocate())
        return NULL;
    memory.live++;
    return malloc(size);
}

static void *test_realloc(void *ptr, size_t size, void *user)
{
    (void)user;
    if (!may_allocate())
        return NULL;
    memory.live += ptr == NULL;
    return realloc(ptr, size);
}

static void test_free(void *ptr, void *user)
{
    (void)user;
    memory.live -= ptr != NULL;
    free(ptr);
}

static void open_counted(void)
{
    static const tusk_allocator allocator = {test_malloc, test_realloc, test_free, NULL};

    memory.left = -1;
    memory.live = 0;
    world_open_on(&allocator);
}

static void close_counted(void)
{
    world_close();
    ck_assert_int_eq((int)memory.live, 0);
}

/* The n-th allocation fails, for every n: an error of its own kind, or success, and nothing is lost. */
START_TEST(every_allocation_fails_once)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, serve_tls, NULL);
    bool is_over = false;
    int n_failed = 0;

    for (long at = 0; !is_over; at++) {
        tusk__settings *settings = settings_of(VERIFIED, (unsigned)tls_peer_port(peer), world.root_file);
        outcome o;
        memory.left = at;
        o = dial(settings);
        is_over = memory.left > 0;
        memory.left = -1;
        if (o.err.code != TUSK_OK) {
            ck_assert_msg(o.err.code == TUSK_ERR_NOMEM, "%ld: %s", at, o.err.message);
            n_failed++;
        }
        hang_up(&o);
        /* the contexts are built anew */
        tusk_loop_free(world.loop);
        world.loop = tusk__loop_open_on(
            &world.os, &(tusk_loop_config){.allocator = &(tusk_allocator){test_malloc, test_realloc, test_free, NULL}},
            NULL);
        ck_assert_ptr_nonnull(world.loop);
    }
    ck_assert_int_gt(n_failed, 5);
    tls_peer_stop(peer);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *s = suite_create("dial");
    TCase *t = tcase_create("address");

    tcase_add_checked_fixture(t, world_open, world_close);
    tcase_add_test(t, refused_port_is_said_so);
    tcase_add_test(t, unknown_host_is_said_so);
    tcase_add_test(t, all_addresses_of_a_name_are_tried);
    tcase_add_test(t, hostaddr_is_where_it_goes);
    tcase_add_test(t, given_address_is_not_looked_up);
    tcase_add_test(t, unix_sockets);
    tcase_add_test(t, abstract_unix_socket);
    tcase_add_test(t, a_socket_that_connects_at_once_is_neither_watched_nor_asked);
    tcase_add_test(t, requirepeer_is_the_account_behind_the_socket);
    tcase_add_test(t, a_peer_that_the_system_does_not_tell_is_not_the_right_one);
    tcase_add_test(t, requirepeer_does_not_matter_over_tcp);
    tcase_add_loop_test(t, dead_peers_are_noticed_as_configured, 0, (int)(sizeof probes / sizeof probes[0]));
    tcase_add_test(t, interrupted_connect_goes_on);
    tcase_add_test(t, routes_by_sslmode);
    suite_add_tcase(s, t);

    t = tcase_create("tls");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, world_open, world_close);
    tcase_add_test(t, d22_end_instead_of_an_answer);
    tcase_add_loop_test(t, d21_bytes_behind_s_are_refused, 0, 10);
    tcase_add_loop_test(t, certificates_are_judged, 0, (int)(sizeof trust_cases / sizeof trust_cases[0]));
    tcase_add_loop_test(t, system_roots_are_those_of_file_and_folder, 0,
                        (int)(sizeof system_cases / sizeof system_cases[0]));
    tcase_add_test(t, root_file_that_is_none);
    tcase_add_test(t, context_is_built_once);
    tcase_add_test(t, context_is_built_once_for_all_that_wait);
    tcase_add_test(t, loop_is_freed_under_a_build);
    tcase_add_test(t, context_of_another_policy_is_not_taken);
    tcase_add_test(t, context_is_built_anew_after_a_while);
    tcase_add_loop_test(t, hello_offers_postgresql_and_the_name, 0, 7);
    tcase_add_loop_test(t, d30_direct_tls_wants_the_protocol_named, 0, 6);
    tcase_add_loop_test(t, d30_no_answer_in_the_clear_is_taken, 0, 5);
    tcase_add_test(t, d30_old_server_hangs_up_and_the_hint_says_so);
    tcase_add_test(t, d30_direct_and_asked_tls_share_no_context);
    tcase_add_test(t, tls_before_1_2_is_refused);
    tcase_add_loop_test(t, d28_second_try_is_a_fresh_one, 0, MISHAPS);
    suite_add_tcase(s, t);

    t = tcase_create("cuts");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, world_open, world_close);
    tcase_add_loop_test(t, d38_stall_and_cancel_at_every_byte, 0, 2);
    tcase_add_test(t, d38_cancel_after_every_turn);
    tcase_add_test(t, loop_is_freed_under_a_dial);
    tcase_add_loop_test(t, cut_at_every_byte, 0, 6);
    tcase_add_test(t, one_byte_at_a_time);
    suite_add_tcase(s, t);

    t = tcase_create("cancel");
    tcase_add_checked_fixture(t, world_open, world_close);
    tcase_add_loop_test(t, d29_cancel_goes_the_way_of_its_connection, 0,
                        (int)(sizeof cancel_cases / sizeof cancel_cases[0]));
    tcase_add_test(t, cancel_is_abandoned_at_any_turn);
    tcase_add_test(t, cancel_key_has_its_bounds);
    suite_add_tcase(s, t);

    t = tcase_create("memory");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, open_counted, close_counted);
    tcase_add_test(t, every_allocation_fails_once);
    suite_add_tcase(s, t);
    return s;
}
