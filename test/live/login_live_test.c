/* Logins against the real server: every role by every sslmode, certificates, channel binding, kept keys, protocols, and what a
 * user reads when it does not work. */
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/live/live.h"

/* The addresses of localhost differ from machine to machine; the server's messages name them. */
static const char *dsn_of(const char *role, const char *password, const char *options)
{
    return textf("postgresql://%s:%s@localhost:%s/tusk?hostaddr=127.0.0.1&sslrootcert=%s&%s", role, password,
                 harness_env("TUSK_TEST_PORT"), harness_env("TUSK_TEST_CA"), options);
}

/* ---- roles × sslmode × password --------------------------------------------------------------------------------------------- */

typedef enum outcome { IN, PASSWORD, NO_ENTRY, REJECTED, NO_CERT, CLEAR } outcome;

#define CONSENT "Connect with sslmode=verify-full, or consent by require_auth=password."

#define N_MODES 6

/* Order: disable, allow, prefer, require, verify-ca, verify-full. */
static const struct {
    const char *role;
    outcome right[N_MODES], wrong[N_MODES];
} roles[] = {
    {"t_trust", {IN, IN, IN, IN, IN, IN}, {IN, IN, IN, IN, IN, IN}},
    {"t_password", {CLEAR, CLEAR, CLEAR, CLEAR, CLEAR, IN}, {CLEAR, CLEAR, CLEAR, CLEAR, CLEAR, PASSWORD}},
    {"t_md5", {IN, IN, IN, IN, IN, IN}, {PASSWORD, PASSWORD, PASSWORD, PASSWORD, PASSWORD, PASSWORD}},
    {"t_scram", {IN, IN, IN, IN, IN, IN}, {PASSWORD, PASSWORD, PASSWORD, PASSWORD, PASSWORD, PASSWORD}},
    {"drv", {IN, IN, IN, IN, IN, IN}, {PASSWORD, PASSWORD, PASSWORD, PASSWORD, PASSWORD, PASSWORD}},
    {"t_expired",
     {PASSWORD, PASSWORD, PASSWORD, PASSWORD, PASSWORD, PASSWORD},
     {PASSWORD, PASSWORD, PASSWORD, PASSWORD, PASSWORD, PASSWORD}},
    {"t_sslonly", {NO_ENTRY, IN, IN, IN, IN, IN}, {NO_ENTRY, PASSWORD, NO_ENTRY, PASSWORD, PASSWORD, PASSWORD}},
    {"t_nossl",
     {IN, IN, IN, NO_ENTRY, NO_ENTRY, NO_ENTRY},
     {PASSWORD, NO_ENTRY, PASSWORD, NO_ENTRY, NO_ENTRY, NO_ENTRY}},
    {"t_reject",
     {REJECTED, REJECTED, REJECTED, REJECTED, REJECTED, REJECTED},
     {REJECTED, REJECTED, REJECTED, REJECTED, REJECTED, REJECTED}},
    {"t_cert",
     {NO_ENTRY, NO_CERT, NO_ENTRY, NO_CERT, NO_CERT, NO_CERT},
     {NO_ENTRY, NO_CERT, NO_ENTRY, NO_CERT, NO_CERT, NO_CERT}},
    {"t_certpw",
     {NO_ENTRY, NO_CERT, NO_ENTRY, NO_CERT, NO_CERT, NO_CERT},
     {NO_ENTRY, NO_CERT, NO_ENTRY, NO_CERT, NO_CERT, NO_CERT}},
    {"t_peer",
     {NO_ENTRY, NO_ENTRY, NO_ENTRY, NO_ENTRY, NO_ENTRY, NO_ENTRY},
     {NO_ENTRY, NO_ENTRY, NO_ENTRY, NO_ENTRY, NO_ENTRY, NO_ENTRY}},
    {"nobody",
     {NO_ENTRY, NO_ENTRY, NO_ENTRY, NO_ENTRY, NO_ENTRY, NO_ENTRY},
     {NO_ENTRY, NO_ENTRY, NO_ENTRY, NO_ENTRY, NO_ENTRY, NO_ENTRY}},
};
static const char *const sslmodes[N_MODES] = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};

static const char *message_of(outcome what, const char *role, int mode)
{
    bool is_plain = mode == 0 || mode == 2; /* allow and prefer end with their second try */
    const char *link = is_plain ? "no encryption" : "SSL encryption";

    switch (what) {
    case PASSWORD:
        return textf("password authentication failed for user \"%s\"", role);
    case NO_ENTRY:
        return textf("no pg_hba.conf entry for host \"127.0.0.1\", user \"%s\", database \"tusk\", %s", role, link);
    case REJECTED:
        return textf("pg_hba.conf rejects connection for host \"127.0.0.1\", user \"%s\", database \"tusk\", %s", role,
                     link);
    case NO_CERT:
        return "connection requires a valid client certificate";
    case CLEAR:
        return "the server asks for the password in the clear, and nothing proves who it is";
    case IN:
        break;
    }
    return "";
}

START_TEST(role_comes_in_or_hears_why_not)
{
    for (int i = 0; i < 2 * N_MODES; i++) {
        int mode = i / 2;
        bool is_right = i % 2;
        outcome want = is_right ? roles[_i].right[mode] : roles[_i].wrong[mode];
        const char *role = roles[_i].role;
        tusk_error err =
            login(dsn_of(role, is_right ? textf("pw-%s", role) : "wrong", textf("sslmode=%s", sslmodes[mode])));

        ck_assert_msg((err.code == TUSK_OK) == (want == IN), "%s, %s, %s: %s", role, sslmodes[mode],
                      is_right ? "right" : "wrong", said(&err));
        if (want == IN)
            continue;
        ck_error(&err, TUSK_ERR_AUTH, want == PASSWORD ? "28P01" : "28000", message_of(want, role, mode));
        ck_assert_str_eq(err.where, textf("connect localhost:%s: login", harness_env("TUSK_TEST_PORT")));
        ck_assert_str_eq(err.hint, want == CLEAR ? CONSENT : "");
        ck_assert(tusk_error_is_fatal(&err));
        ck_assert(!tusk_error_is_retriable(&err));
    }
}
END_TEST

START_TEST(link_is_encrypted_or_not_as_asked)
{
    static const struct {
        const char *role, *sslmode;
        bool is_tls;
    } links[] = {{"drv", "disable", false},    {"drv", "allow", false},          {"drv", "prefer", true},
                 {"drv", "require", true},     {"drv", "verify-ca", true},       {"drv", "verify-full", true},
                 {"t_nossl", "prefer", false}, {"t_sslonly", "prefer", true},    {"t_nossl", "allow", false},
                 {"t_sslonly", "allow", true}, {"t_trust", "verify-full", true}, {"t_trust", "disable", false}};
    char address[46];
    tusk_conn *conn = tusk_connect(
        loop, dsn_of(links[_i].role, textf("pw-%s", links[_i].role), textf("sslmode=%s", links[_i].sslmode)));

    ck_assert_int_eq(number_on(conn, "select ssl::int4 from pg_stat_ssl where pid = pg_backend_pid()"),
                     links[_i].is_tls);
    ck_assert(tusk_str_is(tusk_conn_tls_version(conn), links[_i].is_tls ? "TLSv1.3" : ""));
    ck_assert_int_eq(number_on(conn, textf("select (coalesce(cipher, '') = '" TUSK_STR_FMT "')::int4 from pg_stat_ssl "
                                           "where pid = pg_backend_pid()",
                                           TUSK_STR_ARG(tusk_conn_tls_cipher(conn)))),
                     1);
    ck_assert_uint_eq(tusk_conn_hostaddr(conn, address, sizeof address), strlen("127.0.0.1"));
    ck_assert_str_eq(address, "127.0.0.1");
    ck_assert_int_eq(number_on(conn, "select pg_backend_pid()"), (int64_t)tusk_conn_backend_pid(conn));
    ck_assert(tusk_str_is(tusk_conn_user(conn), links[_i].role));
    ck_assert(tusk_str_is(tusk_conn_dbname(conn), "tusk"));
    ck_assert(tusk_str_is(tusk_conn_host(conn), "localhost"));
    ck_assert(tusk_str_is(tusk_conn_port(conn), harness_env("TUSK_TEST_PORT")));
    disconnect(conn);
}
END_TEST

/* In the words of require_auth, and bound where TLS is there to bind to. */
START_TEST(how_it_was_let_in_is_told)
{
    static const struct {
        const char *role, *options, *method;
    } ways[] = {{"t_trust", "sslmode=disable", "none"},
                {"t_password", "sslmode=verify-full", "password"},
                {"t_md5", "sslmode=disable", "md5"},
                {"t_scram", "sslmode=disable", "scram-sha-256"},
                {"t_scram", "sslmode=require&channel_binding=disable", "scram-sha-256"},
                {"t_scram", "sslmode=require", "scram-sha-256-plus"}};
    tusk_conn *conn;

    ck_assert_uint_eq(tusk_conn_auth_method(NULL).len, 0);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        conn = tusk_connect(loop, dsn_of(ways[i].role, textf("pw-%s", ways[i].role), ways[i].options));
        ck_assert_uint_eq(tusk_conn_auth_method(conn).len, 0);
        ck_assert_int_eq(number_on(conn, "select 1"), 1);
        ck_assert_msg(tusk_str_is(tusk_conn_auth_method(conn), ways[i].method), "%s, %s: " TUSK_STR_FMT, ways[i].role,
                      ways[i].options, TUSK_STR_ARG(tusk_conn_auth_method(conn)));
        disconnect(conn);
    }
}
END_TEST

/* ---- require_auth × what the server really asks for (D26) ------------------------------------------------------------------------ */

static const struct {
    const char *role, *asks_for, *allowing, *forbidding;
} required[] = {
    {"t_trust", "no", "none", "!none"},
    {"t_trust", "no", "md5,none", "md5,scram-sha-256"},
    {"t_password", "cleartext password", "password", "!password"},
    {"t_password", "cleartext password", "scram-sha-256,password", "scram-sha-256,md5"},
    {"t_md5", "MD5", "md5", "!md5"},
    {"t_md5", "MD5", "!password", "password,scram-sha-256"},
    {"t_scram", "SCRAM-SHA-256", "scram-sha-256", "md5"},
    {"t_scram", "SCRAM-SHA-256", "!md5,!password", "none"},
    {"t_scram", "SCRAM-SHA-256", "!oauth", "!scram-sha-256"},
};

START_TEST(d26_require_auth_is_held_against_the_servers_method)
{
    const char *role = required[_i].role;
    char password[32];

    snprintf(password, sizeof password, "pw-%s", role);
    for (int mode = 0; mode < N_OF(sslmodes); mode++) {
        tusk_error in =
            login(dsn_of(role, password, textf("sslmode=%s&require_auth=%s", sslmodes[mode], required[_i].allowing)));
        tusk_error out =
            login(dsn_of(role, password, textf("sslmode=%s&require_auth=%s", sslmodes[mode], required[_i].forbidding)));

        ck_assert_msg(in.code == TUSK_OK, "%s", said(&in));
        ck_error(&out, TUSK_ERR_AUTH, "28000",
                 textf("the server asks for %s authentication, which require_auth=%s does not allow",
                       required[_i].asks_for, required[_i].forbidding));
    }
}
END_TEST

/* ---- what a user reads ----------------------------------------------------------------------------------------------------------- */

static int refused_port; /* bound, not listening */

static int bind_nowhere(bool is_listening, int *port)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof sin;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&sin, sizeof sin), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
    if (is_listening)
        ck_assert_int_eq(listen(fd, 1), 0);
    *port = ntohs(sin.sin_port);
    return fd;
}

/* %p the server's port, %r one that refuses, %t the tls folder, %s the socket folder, %a the server's account */
static const char *expand(const char *text)
{
    static char out[512];
    size_t len = 0;

    for (; *text; text++) {
        if (text[0] != '%' || !strchr("prtsa", text[1])) {
            out[len++] = *text;
            continue;
        }
        text++;
        len += (size_t)snprintf(out + len, sizeof out - len, "%s",
                                *text == 'p'   ? harness_env("TUSK_TEST_PORT")
                                : *text == 'r' ? textf("%d", refused_port)
                                : *text == 't' ? harness_env("TUSK_TEST_TLS")
                                : *text == 'a' ? harness_env("TUSK_TEST_ACCOUNT")
                                               : harness_env("TUSK_TEST_SOCKDIR"));
    }
    out[len] = '\0';
    return out;
}

/* clang-format off */
static const struct {
    const char *dsn;
    tusk_code code;
    const char *sqlstate, *where, *message, *hint;
} refusals[] = {
    {"postgresql://t_scram:wrong@localhost:%p/tusk?sslmode=disable", TUSK_ERR_AUTH, "28P01", "connect localhost:%p: login",
     "password authentication failed for user \"t_scram\"", ""},
    {"postgresql://t_scram@localhost:%p/tusk?sslmode=require", TUSK_ERR_AUTH, "28P01", "connect localhost:%p: login",
     "the server asks for a password (SCRAM-SHA-256-PLUS), but none was given",
     "Give it in the connection string, as tusk_config.password, by PGPASSWORD or in a password file."},
    {"postgresql://t_md5@localhost:%p/tusk?sslmode=disable", TUSK_ERR_AUTH, "28P01", "connect localhost:%p: login",
     "the server asks for a password (MD5), but none was given",
     "Give it in the connection string, as tusk_config.password, by PGPASSWORD or in a password file."},
    {"postgresql://t_password@localhost:%p/tusk?sslmode=disable&require_auth=password", TUSK_ERR_AUTH, "28P01", "connect localhost:%p: login",
     "the server asks for a password (cleartext), but none was given",
     "Give it in the connection string, as tusk_config.password, by PGPASSWORD or in a password file."},
    {"postgresql://drv:pw-drv@no.such.host.invalid/tusk", TUSK_ERR_RESOLVE, "08001", "resolve no.such.host.invalid",
     "could not resolve host \"no.such.host.invalid\": Name or service not known", ""},
    {"postgresql://drv:pw-drv@127.0.0.1:%r/tusk", TUSK_ERR_CONNECT, "08001", "connect 127.0.0.1:%r",
     "could not connect: connection refused", "Is the server running on that host and accepting TCP/IP connections?"},
    {"host=/no/such/folder port=5432 user=drv", TUSK_ERR_CONNECT, "08001", "connect /no/such/folder/.s.PGSQL.5432",
     "could not connect: there is no such socket",
     "Is the server running on this machine and accepting connections on that socket?"},
    {"postgresql://nobody:x@localhost:%p/tusk?hostaddr=127.0.0.1&sslmode=disable", TUSK_ERR_AUTH, "28000", "connect localhost:%p: login",
     "no pg_hba.conf entry for host \"127.0.0.1\", user \"nobody\", database \"tusk\", no encryption", ""},
    {"postgresql://t_gone@localhost:%p/tusk?sslmode=disable", TUSK_ERR_AUTH, "28000", "connect localhost:%p: login",
     "role \"t_gone\" does not exist", ""},
    {"postgresql://drv:pw-drv@localhost:%p/no_such?sslmode=disable", TUSK_ERR_CONNECT, "3D000", "connect localhost:%p: login",
     "database \"no_such\" does not exist", ""},
    {"postgresql://drv:pw-drv@localhost:%p/tusk?sslmode=disable&options=-c%20no.such%20-x", TUSK_ERR_CONNECT, "42601", "connect localhost:%p: login",
     "-c no.such requires a value", ""},
    {"postgresql://drv:pw-drv@other.test:%p/tusk?hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert=%t/ca.crt", TUSK_ERR_TLS, "08001",
     "connect other.test:%p: tls handshake", "the certificate is for \"localhost\", not for \"other.test\"", ""},
    {"postgresql://drv:pw-drv@localhost:%p/tusk?sslmode=verify-full&sslrootcert=%t/foreign_ca.crt", TUSK_ERR_TLS, "08001",
     "connect localhost:%p: tls handshake",
     "the server's certificate goes back to an authority that is not in the root certificate file", ""},
    {"postgresql://drv:pw-drv@localhost:%p/tusk?sslmode=verify-full&sslrootcert=/no/such", TUSK_ERR_CONFIG, "08001",
     "connect localhost:%p: tls files", "the root certificate file \"/no/such\" does not exist", ""},
    {"postgresql://drv:pw-drv@localhost:%p/tusk?sslmode=disable&channel_binding=require", TUSK_ERR_CONFIG, "08001", "configuration",
     "channel_binding=require needs TLS, which sslmode=disable forbids", ""},
    {"postgresql://drv:pw-drv@localhost:%p/tusk?sslmode=allow&channel_binding=require", TUSK_ERR_AUTH, "28000", "connect localhost:%p: login",
     "channel binding is required, but the connection is not TLS", ""},
    {"postgresql://t_md5:pw-t_md5@localhost:%p/tusk?sslmode=require&channel_binding=require", TUSK_ERR_AUTH, "28000",
     "connect localhost:%p: login", "channel binding is required, but the server asks for MD5 authentication", ""},
    {"postgresql://t_password:pw-t_password@localhost:%p/tusk?sslmode=require&channel_binding=require", TUSK_ERR_AUTH, "28000",
     "connect localhost:%p: login",
     "channel binding is required, but the server asks for cleartext password authentication", ""},
    {"postgresql://t_trust@localhost:%p/tusk?sslmode=require&channel_binding=require", TUSK_ERR_AUTH, "28000", "connect localhost:%p: login",
     "channel binding is required, but the server let us in without SCRAM-SHA-256-PLUS", ""},
    {"host=%s port=%p dbname=tusk user=t_password password=pw-t_password", TUSK_ERR_AUTH, "28000", "connect %s:%p: login",
     "the server asks for the password in the clear, and nothing proves who it is",
     "Say whose the server is by requirepeer, or consent by require_auth=password."},
    {"host=%s port=%p dbname=tusk user=drv password=pw-drv requirepeer=nobody.here", TUSK_ERR_AUTH, "28000",
     "connect %s/.s.PGSQL.%p", "requirepeer names an account that this machine does not have", ""},
    {"postgresql://drv:pw-drv@localhost:%p/tusk?min_protocol_version=3.2", TUSK_ERR_CONNECT, "0A000", "connect localhost:%p: login",
     "the server speaks no protocol above 3.0, and min_protocol_version is 3.2", ""},
    {"postgresql://drv:pw-drv@localhost:port/tusk", TUSK_ERR_CONFIG, "08001", "configuration",
     "port must be a number from 1 to 65535", ""},
    {"postgresql://drv:pw-drv@localhost/tusk?sslmode=maybe", TUSK_ERR_CONFIG, "08001", "configuration",
     "sslmode must be one of: disable, allow, prefer, require, verify-ca, verify-full", ""},
    {"postgresql://drv:pw%@localhost/tusk", TUSK_ERR_CONFIG, "08001", "configuration",
     "the connection string is malformed at byte 18: a \"%\" in the part that begins here is not followed by two hexadecimal digits", ""},
    {"mysql://drv:pw-drv@localhost/tusk", TUSK_ERR_CONFIG, "08001", "configuration",
     "the connection string is malformed at byte 1: what should be a parameter's name has no \"=\" behind it",
     "A URI begins with postgresql:// or postgres://."},
    {"host='localhost", TUSK_ERR_CONFIG, "08001", "configuration",
     "the connection string is malformed at byte 6: the quoted value that begins here has no end", ""},
    {"postgresql://drv:p@ss@db1/tusk", TUSK_ERR_CONFIG, "08001", "configuration",
     "host must not contain an @", "In a URI, an @ in a password is written %40."},
    {"postgresql://drv:p/ss@db1/tusk", TUSK_ERR_CONFIG, "08001", "configuration",
     "port must be a number from 1 to 65535", "In a URI, a / in a password is written %2F."},
    {"postgresql://drv:p%2Fss@db1:x/tusk", TUSK_ERR_CONFIG, "08001", "configuration",
     "port must be a number from 1 to 65535", ""},
    {"host=db1 port=x user=a/b@c", TUSK_ERR_CONFIG, "08001", "configuration", "port must be a number from 1 to 65535", ""},
    {"postgresql://drv:wrong@127.0.0.1:%p,127.0.0.1:%p/tusk?sslmode=disable", TUSK_ERR_AUTH, "28P01", "connect 127.0.0.1:%p: login",
     "password authentication failed for user \"drv\"", ""},
};
/* clang-format on */

/* Protocol 3.2 came with PostgreSQL 18; the ones before negotiate it down. */
static bool server_speaks_3_2(void)
{
    tusk_conn *conn = connect_plain();
    bool does = number_on(conn, "select current_setting('server_version_num')::int4") >= 180000;

    disconnect(conn);
    return does;
}

START_TEST(refused_login_says_why)
{
    int fd = bind_nowhere(false, &refused_port);
    tusk_error err = {0};

    if (strstr(refusals[_i].dsn, "min_protocol_version") && server_speaks_3_2()) {
        harness_skip("min_protocol_version=3.2", "this server speaks it");
        close(fd);
        return;
    }
    err = login(expand(refusals[_i].dsn));

    ck_error(&err, refusals[_i].code, refusals[_i].sqlstate, refusals[_i].message);
    ck_assert_str_eq(err.where, expand(refusals[_i].where));
    ck_assert_str_eq(err.hint, refusals[_i].hint);
    ck_assert_int_eq(err.fate, TUSK_FATE_NOT_SENT);
    ck_assert(tusk_error_is_fatal(&err));
    ck_assert_int_eq(tusk_error_is_retriable(&err), err.code == TUSK_ERR_CONNECT && strcmp(err.sqlstate, "08001") == 0);
    ck_assert_ptr_null(strstr(err.message, "pw-"));
    close(fd);
}
END_TEST

/* Its code is about the request, not about the connection, of which nothing is left all the same. */
START_TEST(login_that_is_too_long_leaves_no_connection)
{
    char name[20000];
    tusk_error err = {0};
    tusk_conn *conn;

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    conn = tusk_conn_open(loop,
                          &(tusk_config){.dsn = harness_env("TUSK_TEST_DSN_PLAIN"), .fallback_application_name = name});
    ck_assert_int_eq(tusk_await_free(tusk_conn_ready(conn), &err), TUSK_ERR_LIMIT);
    ck_assert_str_eq(err.message, "the StartupMessage would be longer than a server takes");
    ck_assert_int_eq(err.fate, TUSK_FATE_NOT_SENT);
    ck_assert(tusk_error_is_fatal(&err));
    ck_assert(tusk_error_is_fatal(tusk_conn_error(conn)));
    ck_assert(!tusk_error_is_retriable(&err));
    tusk_conn_free(conn);
}
END_TEST

START_TEST(too_many_connections_is_said_so)
{
    tusk_conn *admin = connect_plain(), *first;
    tusk_error err;

    run_on(admin, "alter role t_scram connection limit 1");
    first = tusk_connect(loop, dsn_of("t_scram", "pw-t_scram", "sslmode=disable"));
    ck_usable(first);
    err = login(dsn_of("t_scram", "pw-t_scram", "sslmode=disable"));
    run_on(admin, "alter role t_scram connection limit -1");
    ck_error(&err, TUSK_ERR_CONNECT, "53300", "too many connections for role \"t_scram\"");
    ck_assert(tusk_error_is_retriable(&err));
    disconnect(first);
    disconnect(admin);
}
END_TEST

START_TEST(fields_of_a_refused_login_are_kept)
{
    tusk_conn *conn = tusk_connect(loop, dsn_of("t_scram", "wrong", "sslmode=disable"));

    ck_assert_int_eq(tusk_await_free(tusk_conn_ready(conn), NULL), TUSK_ERR_AUTH);
    ck_assert(tusk_str_is(tusk_conn_error_field(conn, 'V'), "FATAL"));
    ck_assert(tusk_str_is(tusk_conn_error_field(conn, 'C'), "28P01"));
    ck_assert_uint_gt(tusk_conn_error_field(conn, 'R').len, 0);
    tusk_conn_free(conn);
}
END_TEST

/* The kernel accepts, nobody answers. */
START_TEST(silent_server_is_given_up_in_time)
{
    int port, fd = bind_nowhere(true, &port);
    tusk_config config = {.dsn = textf("postgresql://drv@127.0.0.1:%d/tusk?sslmode=%s", port, sslmodes[_i]),
                          .connect_timeout = 0.05,
                          .sslrootcert = harness_env("TUSK_TEST_CA")};
    tusk_error err =
        login(dsn_of("drv", "pw-drv", textf("sslmode=%s", sslmodes[_i]))); /* the files of TLS are read then */
    int64_t begin_us = tusk_loop_now_us(loop);
    tusk_conn *conn = tusk_conn_open(loop, &config);
    tusk_query *q = tusk_exec(conn, "select 1", TUSK_NO_PARAMS);

    ck_assert_msg(err.code == TUSK_OK, "%s", said(&err));
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_TIMEOUT);
    ck_assert_int_ge(tusk_loop_now_us(loop) - begin_us, 50000);
    ck_error(tusk_query_error(q), TUSK_ERR_TIMEOUT, "08001", "no connection within connect_timeout (0.05 s)");
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    ck_assert_str_eq(tusk_query_error(q)->where,
                     textf("connect 127.0.0.1:%d: %s", port, _i < 2 ? "login" : "request for tls"));
    ck_assert(tusk_error_is_retriable(tusk_query_error(q)));
    ck_assert(tusk_error_is_fatal(tusk_query_error(q)));
    tusk_query_free(q);
    tusk_conn_free(conn);
    close(fd);
}
END_TEST

/* ---- certificates that the server shows ---------------------------------------------------------------------------------------------- */

static void show_certificate(tusk_conn *admin, const char *name)
{
    if (name) {
        run_on(admin, textf("alter system set ssl_cert_file = '%s'", harness_tls(textf("%s.crt", name))));
        run_on(admin, textf("alter system set ssl_key_file = '%s'", harness_tls(textf("%s.key", name))));
    } else {
        run_on(admin, "alter system reset ssl_cert_file");
        run_on(admin, "alter system reset ssl_key_file");
    }
    run_on(admin, "select pg_reload_conf()");
}

/* The postmaster reloads in its own time; until then the old certificate is shown. */
static tusk_error login_until(bool is_good)
{
    tusk_error err;

    do
        err = login(dsn_of("drv", "pw-drv", "sslmode=verify-full"));
    while ((err.code == TUSK_OK) != is_good);
    return err;
}

/* clang-format off */
static const struct {
    const char *name, *message;
} shown[] = {
    {"expired", "the server's certificate has expired"},
    {"wrong_name", "the certificate is for \"wrong.test\", not for \"localhost\""},
    {"foreign", "the server's certificate was issued by an authority that is not in the root certificate file"},
};
/* clang-format on */

START_TEST(bad_certificate_is_refused_by_verify_full_alone)
{
    tusk_conn *admin = connect_plain();
    tusk_error err, require;

    show_certificate(admin, shown[_i].name);
    err = login_until(false);
    require = login(dsn_of("drv", "pw-drv", textf("sslmode=require&sslrootcert=%s", "")));
    show_certificate(admin, NULL);
    login_until(true);
    ck_error(&err, TUSK_ERR_TLS, "08001", shown[_i].message);
    ck_assert_str_eq(err.where, textf("connect localhost:%s: tls handshake", harness_env("TUSK_TEST_PORT")));
    ck_assert_msg(require.code == TUSK_OK, "%s", said(&require));
    disconnect(admin);
}
END_TEST

/* What a backend of now has read is what the postmaster shows from now on. */
static void until_shown(const char *name)
{
    const char *ask = textf("select count(*) from pg_settings where name = 'ssl_cert_file' and setting = '%s'",
                            harness_tls(textf("%s.crt", name)));
    int64_t n = 0;

    while (n == 0) {
        tusk_conn *conn = connect_plain();

        n = number_on(conn, ask);
        disconnect(conn);
    }
}

/* What the link is tied to is hashed by the digest of the certificate's signature, whatever its key; by SHA-256 in place of MD5 and
 * SHA-1 (RFC 5929). An Ed25519 signature has none: plain SCRAM under prefer, refused under require (D24). */
static const struct {
    const char *certificate, *root;
    bool is_bindable;
} bindings[] = {
    {"server", "ca", true},
    {"ed25519", "ca", true}, /* the key alone: the authority signed it with ECDSA and SHA-256 */
    {"rsa", "ca", true},
    {"self_ed25519", "self_ed25519", false},
    {"self_p384", "self_p384", true},
    {"self_sha512", "self_sha512", true},
    {"self_pss", "self_pss", true},
    {"self_sha1", "self_sha1", true},
    {"self_md5", "self_md5", true},
};

START_TEST(channel_binding_depends_on_the_signature_of_the_certificate)
{
    static const char *const policies[] = {"disable", "prefer", "require"};
    tusk_conn *admin;
    tusk_error errs[3];

    if (access(harness_tls(textf("%s.crt", bindings[_i].certificate)), R_OK) != 0) {
        harness_skip(bindings[_i].certificate, "OpenSSL does not sign by this digest any more");
        return;
    }
    admin = connect_plain();
    show_certificate(admin, bindings[_i].certificate);
    until_shown(bindings[_i].certificate);
    for (int i = 0; i < 3; i++)
        errs[i] = login(dsn_of("t_scram", "pw-t_scram",
                               textf("sslmode=verify-full&sslrootcert=%s&channel_binding=%s",
                                     harness_tls(textf("%s.crt", bindings[_i].root)), policies[i])));
    show_certificate(admin, NULL);
    until_shown("server");
    for (int i = 0; i < 2; i++)
        ck_assert_msg(errs[i].code == TUSK_OK, "%s: %s", policies[i], said(&errs[i]));
    if (bindings[_i].is_bindable)
        ck_assert_msg(errs[2].code == TUSK_OK, "require: %s", said(&errs[2]));
    else
        ck_error(&errs[2], TUSK_ERR_AUTH, "28000",
                 "channel binding is required, but the server's certificate has a signature without a known hash");
    disconnect(admin);
}
END_TEST

/* ---- certificates that we show ------------------------------------------------------------------------------------------------------ */

/* clang-format off */
static const struct {
    const char *role, *certificate, *key, *more;
    tusk_code code;
    const char *sqlstate, *message;
} clients[] = {
    {"t_cert", "client", "client", "", TUSK_OK, "", ""},
    {"t_cert", "client", "client", "sslcertmode=require", TUSK_OK, "", ""},
    {"t_cert", "client", "client_encrypted", "sslpassword=tusk-key", TUSK_OK, "", ""},
    {"t_certpw", "client", "client", "", TUSK_OK, "", ""},
    {"t_scram", "client", "client", "channel_binding=require", TUSK_OK, "", ""},
    {"t_cert", "client", "client", "sslcertmode=disable", TUSK_ERR_AUTH, "28000",
     "connection requires a valid client certificate"},
    {"t_scram", "client", "client", "sslcertmode=disable", TUSK_OK, "", ""},
    {"t_certpw", "client", "client", "password=wrong", TUSK_ERR_AUTH, "28P01",
     "password authentication failed for user \"t_certpw\""},
};
/* clang-format on */

START_TEST(certificate_of_ours_lets_us_in_or_not)
{
    const char *files =
        textf("sslcert=%s&sslkey=%s&sslmode=verify-full&%s", harness_tls(textf("%s.crt", clients[_i].certificate)),
              harness_tls(textf("%s.key", clients[_i].key)), clients[_i].more);
    tusk_error err = login(dsn_of(clients[_i].role, textf("pw-%s", clients[_i].role), files));

    if (clients[_i].code == TUSK_OK)
        ck_assert_msg(err.code == TUSK_OK, "%s", said(&err));
    else
        ck_error(&err, clients[_i].code, clients[_i].sqlstate, clients[_i].message);
}
END_TEST

/* Its server says so, and hangs up on what we have sent meanwhile. */
START_TEST(certificate_of_a_foreign_authority_does_not_let_us_in)
{
    tusk_error err = login(dsn_of("t_cert", "",
                                  textf("sslcert=%s&sslkey=%s&sslmode=verify-full", harness_tls("client_foreign.crt"),
                                        harness_tls("client_foreign.key"))));

    ck_error(&err, TUSK_ERR_TLS, "08001", "the server does not know the authority of our certificate");
    ck_assert_str_eq(err.where, textf("connect localhost:%s: login", harness_env("TUSK_TEST_PORT")));
    ck_assert(!tusk_error_is_retriable(&err));
}
END_TEST

/* ---- SCRAM keys ----------------------------------------------------------------------------------------------------------------------- */

static void hmac(const uint8_t key[32], const char *text, uint8_t out[32])
{
    unsigned len = 32;

    HMAC(EVP_sha256(), key, 32, (const unsigned char *)text, strlen(text), out, &len);
}

/* A verifier as the server keeps it (RFC 5803), of as many iterations as we like. */
static const char *verifier_of(const char *password, int iterations)
{
    static const unsigned char salt[] = "0123456789abcdef";
    uint8_t salted[32], client[32], stored[32], server[32];
    char salt64[32], stored64[64], server64[64];

    PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt, 16, iterations, EVP_sha256(), 32, salted);
    hmac(salted, "Client Key", client);
    EVP_Digest(client, 32, stored, NULL, EVP_sha256(), NULL);
    hmac(salted, "Server Key", server);
    EVP_EncodeBlock((unsigned char *)salt64, salt, 16);
    EVP_EncodeBlock((unsigned char *)stored64, stored, 32);
    EVP_EncodeBlock((unsigned char *)server64, server, 32);
    return textf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, salt64, stored64, server64);
}

/* Keys instead of a password, also where the count is beyond what is computed. */
START_TEST(ready_keys_come_in_without_a_password)
{
    static const unsigned char salt[] = "0123456789abcdef";
    tusk_conn *admin = connect_plain();
    uint8_t salted[32], client[32], server[32];
    char client64[64], server64[64];
    tusk_error right, wrong;

    PKCS5_PBKDF2_HMAC("unknown", 7, salt, 16, 120000, EVP_sha256(), 32, salted);
    hmac(salted, "Client Key", client);
    hmac(salted, "Server Key", server);
    EVP_EncodeBlock((unsigned char *)client64, client, 32);
    EVP_EncodeBlock((unsigned char *)server64, server, 32);
    run_on(admin, textf("alter role t_scram password '%s'", verifier_of("unknown", 120000)));
    right = login(expand(textf("host=localhost hostaddr=127.0.0.1 port=%%p dbname=tusk user=t_scram sslmode=require "
                               "scram_client_key=%s scram_server_key=%s",
                               client64, server64)));
    wrong = login(expand(textf("host=localhost hostaddr=127.0.0.1 port=%%p dbname=tusk user=t_scram sslmode=require "
                               "scram_client_key=%s scram_server_key=%s",
                               server64, client64)));
    run_on(admin, "alter role t_scram password 'pw-t_scram'");
    ck_assert_msg(right.code == TUSK_OK, "%s", said(&right));
    ck_error(&wrong, TUSK_ERR_AUTH, "28P01", "password authentication failed for user \"t_scram\"");
    disconnect(admin);
}
END_TEST

/* Logs in and counts the turns of the loop: computing is done in slices, at most 8192 iterations each. */
static tusk_code login_in_turns(const char *password, int *n_turns)
{
    tusk_conn *conn = tusk_connect(loop, dsn_of("t_scram", password, "sslmode=disable"));
    tusk_query *ready = tusk_conn_ready(conn);
    tusk_code code;

    for (*n_turns = 0; !tusk_query_is_done(ready); ++*n_turns)
        turn(TUSK_NONE);
    code = tusk_query_code(ready);
    tusk_query_free(ready);
    tusk_conn_free(conn);
    return code;
}

START_TEST(second_login_computes_nothing_and_a_wrong_password_gains_nothing)
{
    tusk_conn *admin = connect_plain();
    tusk_code codes[5];
    int turns[5];

    run_on(admin, textf("alter role t_scram password '%s'", verifier_of("pw-t_scram", 100000)));
    codes[0] = login_in_turns("pw-t_scram", &turns[0]);
    codes[1] = login_in_turns("pw-t_scram", &turns[1]);
    codes[2] = login_in_turns("wrong", &turns[2]);
    codes[3] = login_in_turns("wrong", &turns[3]);
    codes[4] = login_in_turns("pw-t_scram", &turns[4]);
    run_on(admin, "alter role t_scram password 'pw-t_scram'");
    ck_assert_int_eq(codes[0], TUSK_OK);
    ck_assert_int_eq(codes[1], TUSK_OK);
    ck_assert_int_eq(codes[2], TUSK_ERR_AUTH);
    ck_assert_int_eq(codes[3], TUSK_ERR_AUTH);
    ck_assert_int_eq(codes[4], TUSK_OK);
    ck_assert_int_gt(turns[0], turns[1] + 8);
    ck_assert_int_gt(turns[2], turns[1] + 8);
    ck_assert_int_gt(turns[3], turns[1] + 8);
    ck_assert_int_lt(turns[4], turns[1] + 5);
    ck_assert_int_eq(login_in_turns("pw-t_scram", &turns[0]), TUSK_OK); /* the new salt */
    disconnect(admin);
}
END_TEST

/* In each slice of the computation, from the first to the last. */
START_TEST(login_is_given_up_in_time_while_it_computes)
{
    tusk_conn *admin = connect_plain();
    tusk_code code = TUSK_ERR_TIMEOUT;

    run_on(admin, textf("alter role t_scram password '%s'", verifier_of("pw-t_scram", 100000)));
    for (int ms = 2; ms < 100000 && code == TUSK_ERR_TIMEOUT;
         ms += 1 + ms / (ms < 500 ? 8 : 1)) { /* valgrind is slow */
        tusk_conn *conn = tusk_conn_open(loop, &(tusk_config){.dsn = dsn_of("t_scram", "pw-t_scram", "sslmode=disable"),
                                                              .connect_timeout = ms / 1e3});
        code = tusk_await_free(tusk_conn_ready(conn), NULL);
        turn(0);
        tusk_conn_free(conn);
    }
    run_on(admin, "alter role t_scram password 'pw-t_scram'");
    ck_assert_int_eq(code, TUSK_OK);
    disconnect(admin);
}
END_TEST

START_TEST(too_many_iterations_are_refused_uncomputed)
{
    tusk_conn *admin = connect_plain();
    tusk_error err;

    run_on(admin, textf("alter role t_scram password '%s'", verifier_of("pw-t_scram", 100001)));
    err = login(dsn_of("t_scram", "pw-t_scram", "sslmode=disable"));
    run_on(admin, "alter role t_scram password 'pw-t_scram'");
    ck_error(&err, TUSK_ERR_AUTH, "28000", "the server asks for more than 100000 iterations of SCRAM");
    disconnect(admin);
}
END_TEST

START_TEST(password_of_any_characters_comes_in)
{
    static const char *const passwords[] = {"gr\xC3\xBC\xC3\x9F\x65", "a b'c\"d\\e@f:g/h?i#j", "\xC2\xAA\xE2\x84\xA2"};
    tusk_conn *admin = connect_plain();
    tusk_config config = {.dsn = harness_env("TUSK_TEST_DSN_PLAIN"), .user = "t_scram", .password = passwords[_i]};
    tusk_query *q = tusk_exec(admin, "select set_config('x.y', $1, false)", TUSK_PARAMS(tusk_text(passwords[_i])));
    tusk_conn *conn;
    tusk_code code;

    ck_ok(q);
    tusk_query_free(q);
    run_on(admin, "do $$ begin execute format('alter role t_scram password %L', current_setting('x.y')); end $$");
    conn = tusk_conn_open(loop, &config);
    code = tusk_await_free(tusk_conn_ready(conn), NULL);
    run_on(admin, "alter role t_scram password 'pw-t_scram'");
    ck_assert_int_eq(code, TUSK_OK);
    disconnect(conn);
    disconnect(admin);
}
END_TEST

/* ---- ways and protocols ------------------------------------------------------------------------------------------------------------------ */

/* clang-format off */
static const char *const ways[] = {
    "host=%s port=%p dbname=tusk user=t_peer",
    "host=%s port=%p dbname=tusk user=t_scram password=pw-t_scram",
    "host=%s port=%p dbname=tusk user=t_md5 password=pw-t_md5 sslmode=require",
    "host=%s port=%p dbname=tusk user=t_password password=pw-t_password require_auth=password",
    "host=%s port=%p dbname=tusk user=t_password password=pw-t_password requirepeer=%a",
    "host=%s port=%p dbname=tusk user=t_peer requirepeer=%a",
    "host=localhost hostaddr=127.0.0.1 port=%p dbname=tusk user=drv password=pw-drv requirepeer=nobody.here",
    "host=no.such.host.invalid hostaddr=127.0.0.1 port=%p dbname=tusk user=drv password=pw-drv sslmode=disable",
    "host=tusk.test hostaddr=127.0.0.1 port=%p dbname=tusk user=drv password=pw-drv sslmode=verify-full sslrootcert=%t/ca.crt",
    "host=a.wild.test hostaddr=127.0.0.1 port=%p dbname=tusk user=drv password=pw-drv sslmode=verify-full sslrootcert=%t/ca.crt",
    "host=127.0.0.1 port=%p dbname=tusk user=drv password=pw-drv sslmode=verify-full sslrootcert=%t/ca.crt",
    "hostaddr=127.0.0.1 port=%p dbname=tusk user=drv password=pw-drv sslmode=disable",
    "host=127.0.0.1,/nowhere,localhost port=1,2,%p dbname=tusk user=drv password=pw-drv sslmode=disable",
    "host=::1 port=%p dbname=tusk user=drv password=pw-drv sslmode=verify-full sslrootcert=%t/ca.crt",
    "host=localhost port=%p dbname=tusk user=drv password=pw-drv max_protocol_version=3.2",
    "host=localhost port=%p dbname=tusk user=drv password=pw-drv max_protocol_version=latest sslmode=disable",
};
/* clang-format on */

START_TEST(server_is_reached_in_every_way)
{
    tusk_conn *conn = tusk_connect(loop, expand(ways[_i]));
    char address[46];

    ck_assert_msg(tusk_await_free(tusk_conn_ready(conn), NULL) == TUSK_OK, "%s: %s", ways[_i],
                  said(tusk_conn_error(conn)));
    ck_usable(conn);
    ck_assert_int_eq(tusk_conn_protocol_version(conn),
                     strstr(ways[_i], "max_protocol_version") && server_speaks_3_2() ? 30002 : 30000);
    (void)tusk_conn_hostaddr(conn, address, sizeof address);
    ck_assert_int_eq(number_on(conn, textf("select (coalesce(host(inet_server_addr()), '') = '%s')::int4", address)),
                     1);
    disconnect(conn);
}
END_TEST

/* Older servers take a handshake for a StartupMessage of an impossible length, and hang up. */
START_TEST(direct_tls_is_spoken_by_servers_from_17_on)
{
    tusk_conn *admin = connect_plain(), *conn;
    bool is_new = number_on(admin, "select current_setting('server_version_num')::int4") >= 170000;
    const char *dsn = dsn_of("drv", "pw-drv", "sslmode=verify-full&sslnegotiation=direct&channel_binding=require");
    tusk_error err;

    if (is_new) {
        conn = tusk_connect(loop, dsn);
        ck_assert_int_eq(number_on(conn, "select ssl::int4 from pg_stat_ssl where pid = pg_backend_pid()"), 1);
        disconnect(conn);
    } else {
        harness_skip("a server that speaks direct TLS", "this one is older than 17");
        err = login(dsn);
        ck_error(&err, TUSK_ERR_TLS, "08006", "the server closed the connection during the TLS handshake");
        ck_assert_str_eq(err.hint,
                         "sslnegotiation=direct needs PostgreSQL 17 or later, or a proxy that speaks for it.");
    }
    disconnect(admin);
}
END_TEST

START_TEST(settings_of_the_configuration_arrive)
{
    tusk_conn *conn =
        tusk_connect(loop, textf("%s&application_name=live%%20test&options=-c%%20statement_timeout%%3D4711",
                                 harness_env("TUSK_TEST_DSN_PLAIN")));

    ck_assert_int_eq(number_on(conn, "select count(*) from pg_settings where (name, setting) in (('application_name', "
                                     "'live test'), ('statement_timeout', '4711'), ('client_encoding', 'UTF8'))"),
                     3);
    disconnect(conn);
}
END_TEST

START_TEST(server_is_what_it_says)
{
    tusk_conn *conn = connect_plain();
    int64_t num = number_on(conn, "select current_setting('server_version_num')::int4");

    ck_assert_int_eq(tusk_conn_server_version(conn).num, num);
    ck_assert_int_eq(tusk_conn_server_kind(conn), TUSK_SERVER_POSTGRESQL);
    ck_assert_int_eq(tusk_conn_recovery(conn), num >= 140000 ? TUSK_RECOVERY_NO : TUSK_RECOVERY_UNKNOWN);
    ck_assert(tusk_str_is(tusk_conn_parameter(conn, "client_encoding"), "UTF8"));
    disconnect(conn);
}
END_TEST

START_TEST(many_connections_live_on_one_loop)
{
    enum { N = 50 };
    tusk_conn *conns[N];
    tusk_query *queries[N];

    for (int i = 0; i < N; i++) {
        conns[i] = tusk_connect(loop, harness_env(i % 4 ? "TUSK_TEST_DSN_PLAIN" : "TUSK_TEST_DSN"));
        queries[i] = tusk_exec(conns[i], "select $1", TUSK_PARAMS(tusk_int4(i)));
    }
    for (int i = N - 1; i >= 0; i--) {
        tusk_row row;

        ck_ok(queries[i]);
        ck_assert(tusk_next_row(queries[i], &row));
        ck_assert_int_eq(tusk_get_int4(&row, 0), i);
        tusk_query_free(queries[i]);
        disconnect(conns[i]);
    }
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("login_live");
    TCase *tcase = tcase_create("login_live");

    tcase_add_checked_fixture(tcase, live_loop_up, live_down);
    tcase_set_timeout(tcase, 10);
    tcase_add_loop_test(tcase, role_comes_in_or_hears_why_not, 0, N_OF(roles));
    tcase_add_loop_test(tcase, link_is_encrypted_or_not_as_asked, 0, 12);
    tcase_add_test(tcase, how_it_was_let_in_is_told);
    tcase_add_loop_test(tcase, d26_require_auth_is_held_against_the_servers_method, 0, N_OF(required));
    tcase_add_loop_test(tcase, refused_login_says_why, 0, N_OF(refusals));
    tcase_add_test(tcase, login_that_is_too_long_leaves_no_connection);
    tcase_add_test(tcase, too_many_connections_is_said_so);
    tcase_add_test(tcase, fields_of_a_refused_login_are_kept);
    tcase_add_loop_test(tcase, silent_server_is_given_up_in_time, 0, N_OF(sslmodes));
    tcase_add_loop_test(tcase, bad_certificate_is_refused_by_verify_full_alone, 0, N_OF(shown));
    tcase_add_loop_test(tcase, channel_binding_depends_on_the_signature_of_the_certificate, 0, N_OF(bindings));
    tcase_add_loop_test(tcase, certificate_of_ours_lets_us_in_or_not, 0, N_OF(clients));
    tcase_add_test(tcase, certificate_of_a_foreign_authority_does_not_let_us_in);
    tcase_add_test(tcase, second_login_computes_nothing_and_a_wrong_password_gains_nothing);
    tcase_add_test(tcase, login_is_given_up_in_time_while_it_computes);
    tcase_add_test(tcase, ready_keys_come_in_without_a_password);
    tcase_add_test(tcase, too_many_iterations_are_refused_uncomputed);
    tcase_add_loop_test(tcase, password_of_any_characters_comes_in, 0, 3);
    tcase_add_loop_test(tcase, server_is_reached_in_every_way, 0, N_OF(ways));
    tcase_add_test(tcase, direct_tls_is_spoken_by_servers_from_17_on);
    tcase_add_test(tcase, settings_of_the_configuration_arrive);
    tcase_add_test(tcase, server_is_what_it_says);
    tcase_add_test(tcase, many_connections_live_on_one_loop);
    suite_add_tcase(suite, tcase);
    return suite;
}
