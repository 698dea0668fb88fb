/* A whole connection with several hosts, against servers that play a script: which is taken, what is said of the others, and that
 * nothing of a failed attempt is in the next one.
 * Read first: docs/internals/connect.md, test/harness/script_server.h. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tusk/tusk.h>

#include "loop/os.h"
#include "test/harness/harness.h"
#include "test/harness/script_server.h"

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

#define LEFT "expect terminate\nexpect eof\n"
#define NEXT "connection\n"

static script_server *server;
static tusk_loop *loop;
static tusk_conn *db;
static tusk_error err;

/* Two hosts that are one server: the first that connects plays the script's first section. */
static tusk_code reach(const char *script, const char *with)
{
    tusk_query *ready;
    tusk_code code;
    char dsn[300];

    server = script_start(script);
    ck_assert_ptr_nonnull(server);
    loop = tusk_loop_new();
    ck_assert_ptr_nonnull(loop);
    snprintf(dsn, sizeof dsn,
             "host=127.0.0.1,localhost hostaddr=127.0.0.1,127.0.0.1 port=%d user=u dbname=d sslmode=disable %s",
             script_port(server), with);
    db = tusk_connect(loop, dsn);
    ready = tusk_conn_ready(db);
    ck_assert_ptr_nonnull(ready);
    code = tusk_await(ready);
    err = *tusk_query_error(ready);
    tusk_query_free(ready);
    return code;
}

static void leave(void)
{
    const char *wrong;
    tusk_query *closed = tusk_close(db);

    (void)tusk_await(closed);
    tusk_query_free(closed);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    wrong = script_stop(server);
    ck_assert_msg(!wrong, "%s", wrong);
}

static const char *host_taken(void)
{
    static char host[64];

    snprintf(host, sizeof host, TUSK_STR_FMT, TUSK_STR_ARG(tusk_conn_host(db)));
    return host;
}

/* ---- each host its own ------------------------------------------------------------------------------------------------ */

START_TEST(each_host_has_its_own_password)
{
    char path[] = "/tmp/tusk-pass-XXXXXX", with[100];
    int fd = mkstemp(path); /* 0600 */

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(dprintf(fd, "127.0.0.1:*:*:*:first\nlocalhost:*:*:*:second\n"), 45);
    (void)close(fd);
    snprintf(with, sizeof with, "require_auth=password passfile=%s", path);
    ck_assert_msg(
        reach("expect startup\nsend auth cleartext\nexpect password first\n"
              "send error S=FATAL V=FATAL C=57P03 M=no\n" NEXT
              "expect startup\nsend auth cleartext\nexpect password second\nsend auth ok; key 7 key!; ready I\n" LEFT,
              with) == TUSK_OK,
        "%s", err.message);
    (void)unlink(path);
    leave();
}
END_TEST

/* A file that others may read is as if there were none, which is only logged: who is asked for a password is told. */
START_TEST(password_file_that_was_ignored_is_named_where_a_password_is_missing)
{
    char path[] = "/tmp/tusk-pass-XXXXXX", with[100], expected[200];
    int fd = mkstemp(path);

    ck_assert_int_eq(dprintf(fd, "*:*:*:*:secret\n"), 15);
    ck_assert_int_eq(chmod(path, 0644), 0);
    (void)close(fd);
    snprintf(with, sizeof with, "require_auth=password passfile=%s", path);
    ck_assert_int_eq(reach("expect startup\nsend auth cleartext\nexpect eof\n", with), TUSK_ERR_AUTH);
    (void)unlink(path);
    snprintf(
        expected, sizeof expected,
        "the password file was ignored: its group or others have access; its permissions should be 0600 or less: %s",
        path);
    ck_assert_str_eq(err.detail, expected);
    ck_assert_ptr_nonnull(strstr(err.hint, "PGPASSWORD"));
    ck_assert_ptr_null(strstr(err.message, "secret"));
    leave();
}
END_TEST

#define ASKS(password) "expect startup\nsend auth cleartext\nexpect password " password "\n"
#define SAYS(sqlstate, message) "send error S=FATAL V=FATAL C=" sqlstate " M=" message "\n"

/* Who did not write it into the program wants to know which of the many places it came from; libpq says so of the file. */
START_TEST(refused_password_is_told_by_its_place)
{
    char path[] = "/tmp/tusk-pass-XXXXXX", with[100], expected[200];
    int fd = mkstemp(path);

    ck_assert_int_eq(dprintf(fd, "# mine\n127.0.0.1:*:*:*:first\nlocalhost:*:*:*:second\n"), 52);
    (void)close(fd);
    snprintf(with, sizeof with, "require_auth=password passfile=%s", path);
    ck_assert_int_eq(reach(ASKS("first") SAYS("57P03", "no") NEXT ASKS("second") SAYS("28P01", "wrong"), with),
                     TUSK_ERR_AUTH);
    (void)unlink(path);
    snprintf(expected, sizeof expected,
             "The password comes from line 3 of the password file %s. Other attempts: 127.0.0.1:%d: no", path,
             script_port(server));
    ck_assert_str_eq(err.detail, expected);
    leave();
}
END_TEST

START_TEST(refused_password_of_the_environment_is_told_too)
{
    static const struct {
        const char *sqlstate, *more, *detail;
    } rows[] = {
        {"28P01", " D=\"the server's\"", "the server's"},
        {"28P01", "", "The password comes from environment variable PGPASSWORD."},
        {"28000", "", ""},
    };
    char script[200];

    snprintf(script, sizeof script, "%ssend error S=FATAL V=FATAL C=%s M=wrong%s\n", ASKS("secret"), rows[_i].sqlstate,
             rows[_i].more);
    ck_assert_int_eq(setenv("PGPASSWORD", "secret", 1), 0);
    ck_assert_int_eq(reach(script, "require_auth=password"), TUSK_ERR_AUTH);
    ck_assert_int_eq(unsetenv("PGPASSWORD"), 0);
    ck_assert_str_eq(err.detail, rows[_i].detail);
    leave();
}
END_TEST

START_TEST(refused_password_of_the_program_is_told_by_nobody)
{
    ck_assert_int_eq(reach(ASKS("secret") SAYS("28P01", "wrong"), "require_auth=password password=secret"),
                     TUSK_ERR_AUTH);
    ck_assert_str_eq(err.detail, "");
    leave();
}
END_TEST

/* ---- target_session_attrs ------------------------------------------------------------------------------------------ */

#define LOGIN(statuses) "expect startup\nsend auth ok; " statuses "key 7 key!; ready I\n"
#define REPORTS(standby, read_only)                                                                                    \
    LOGIN("status server_version 16.1; status in_hot_standby " standby                                                 \
          "; status default_transaction_read_only " read_only "; ")
#define PRIMARY REPORTS("off", "off")
#define READ_ONLY_PRIMARY REPORTS("off", "on")
#define STANDBY REPORTS("on", "off")
#define OLD LOGIN("status server_version 13.1; ")
#define ASKED(question, answer)                                                                                        \
    "expect query \"" question "\"\nsend row_description x; row " answer "; command_complete SHOW; ready I\n"

static const struct {
    const char *attrs, *first, *second;
    bool is_second; /* which one is taken */
} choices[] = {
    {"any", STANDBY, "", false},
    {"read-write", PRIMARY, "", false},
    {"read-write", STANDBY, PRIMARY, true},
    {"read-write", READ_ONLY_PRIMARY, PRIMARY, true},
    {"read-only", STANDBY, "", false},
    {"read-only", READ_ONLY_PRIMARY, "", false},
    {"read-only", PRIMARY, STANDBY, true},
    {"primary", PRIMARY, "", false},
    {"primary", READ_ONLY_PRIMARY, "", false},
    {"primary", STANDBY, PRIMARY, true},
    {"standby", STANDBY, "", false},
    {"standby", PRIMARY, STANDBY, true},
    {"prefer-standby", STANDBY, "", false},
    {"prefer-standby", PRIMARY, STANDBY, true},
    {"read-write", OLD ASKED("show transaction_read_only", "off"), "", false},
    {"read-write", OLD ASKED("show transaction_read_only", "on"), OLD ASKED("show transaction_read_only", "off"), true},
    {"read-only", OLD ASKED("show transaction_read_only", "off"), STANDBY, true},
    {"primary", OLD ASKED("select pg_catalog.pg_is_in_recovery()", "f"), "", false},
    {"primary", OLD ASKED("select pg_catalog.pg_is_in_recovery()", "t"), PRIMARY, true},
    {"standby", OLD ASKED("select pg_catalog.pg_is_in_recovery()", "f"),
     OLD ASKED("select pg_catalog.pg_is_in_recovery()", "t"), true},
    {"standby", OLD ASKED("select pg_catalog.pg_is_in_recovery()", "NULL"), STANDBY, true},
    {"standby", OLD "expect query\nsend error S=ERROR V=ERROR C=42883 M=no; ready I\n", STANDBY, true},
    {"standby", OLD "expect query\nsend command_complete SELECT 0; ready I\n", STANDBY, true},
    {"standby", OLD "expect query\nsend error S=FATAL V=FATAL C=57P01 M=bye\n", STANDBY, true},
};

/* Who does not fit is told goodbye, at once, and asked nothing else. */
START_TEST(the_first_server_that_fits_is_taken)
{
    char script[1200], attrs[60];

    snprintf(attrs, sizeof attrs, "target_session_attrs=%s", choices[_i].attrs);
    snprintf(script, sizeof script, "%s" LEFT "%s%s%s", choices[_i].first, choices[_i].is_second ? NEXT : "",
             choices[_i].second, choices[_i].is_second ? LEFT : "");
    ck_assert_msg(reach(script, attrs) == TUSK_OK, "%s: %s", err.where, err.message);
    ck_assert_str_eq(host_taken(), choices[_i].is_second ? "localhost" : "127.0.0.1");
    ck_assert_uint_eq(script_n_accepted(server), choices[_i].is_second ? 2 : 1);
    ck_assert_uint_eq(tusk_conn_backend_pid(db), 7);
    ck_assert_uint_eq(tusk_conn_error_field(db, 'C').len, 0);
    leave();
}
END_TEST

/* What the first one reported is not believed of the second. */
START_TEST(what_one_server_reports_is_not_the_other_ones)
{
    ck_assert_int_eq(reach(STANDBY LEFT NEXT OLD ASKED("select pg_catalog.pg_is_in_recovery()", "f") LEFT,
                           "target_session_attrs=primary"),
                     TUSK_OK);
    ck_assert_uint_eq(tusk_conn_parameter(db, "in_hot_standby").len, 0);
    leave();
}
END_TEST

START_TEST(the_second_pass_of_prefer_standby_takes_any)
{
    ck_assert_int_eq(reach(PRIMARY LEFT NEXT PRIMARY LEFT NEXT PRIMARY LEFT, "target_session_attrs=prefer-standby"),
                     TUSK_OK);
    ck_assert_str_eq(host_taken(), "127.0.0.1");
    leave();
}
END_TEST

START_TEST(a_refusal_ends_both_passes_of_prefer_standby)
{
    ck_assert_int_eq(reach(PRIMARY LEFT NEXT "expect startup\nsend error S=FATAL V=FATAL C=28000 M=no\n",
                           "target_session_attrs=prefer-standby"),
                     TUSK_ERR_AUTH);
    ck_assert_uint_eq(script_n_accepted(server), 2);
    leave();
}
END_TEST

static const struct {
    const char *attrs, *script, *message;
} complaints[] = {
    {"read-write", STANDBY, "session is read-only"},
    {"read-only", PRIMARY, "session is not read-only"},
    {"primary", STANDBY, "server is in hot standby mode"},
    {"standby", PRIMARY, "server is not in hot standby mode"},
};

START_TEST(the_error_names_each_server_and_why_it_was_not_taken)
{
    char script[800], attrs[60], text[200];
    int port;

    snprintf(attrs, sizeof attrs, "target_session_attrs=%s", complaints[_i].attrs);
    snprintf(script, sizeof script, "%s" LEFT NEXT "%s" LEFT, complaints[_i].script, complaints[_i].script);
    ck_assert_int_eq(reach(script, attrs), TUSK_ERR_CONNECT);
    port = script_port(server);
    ck_assert_str_eq(err.message, complaints[_i].message);
    ck_assert_str_eq(err.sqlstate, "08001");
    ck_assert_int_eq(err.fate, TUSK_FATE_NOT_SENT);
    snprintf(text, sizeof text, "connect localhost:%d: %s", port, attrs);
    ck_assert_str_eq(err.where, text);
    snprintf(text, sizeof text, "Other attempts: 127.0.0.1:%d: %s", port, complaints[_i].message);
    ck_assert_str_eq(err.detail, text);
    leave();
}
END_TEST

/* A port that refuses as long as the descriptor is open. */
static int refusing_port(int *fd)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t len = sizeof in;

    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(*fd, (struct sockaddr *)&in, sizeof in), 0);
    ck_assert_int_eq(getsockname(*fd, (struct sockaddr *)&in, &len), 0);
    return ntohs(in.sin_port);
}

#define N_REFUSING 9

/* A refusal of the server's in front, and more of the network's than go into the detail. */
START_TEST(attempts_are_told_whole_where_the_detail_is_cut)
{
    char with[400], text[2000], script[500], asleep[301];
    int fd, port = refusing_port(&fd);
    size_t n = (size_t)snprintf(with, sizeof with, "host=localhost"), len;

    memset(asleep, 'z', sizeof asleep - 1);
    asleep[sizeof asleep - 1] = '\0';
    snprintf(script, sizeof script, "expect startup\nsend error S=FATAL V=FATAL C=57P03 M=%s\n", asleep);
    server = script_start(script);
    for (int i = 1; i <= N_REFUSING; i++)
        n += (size_t)snprintf(with + n, sizeof with - n, ",127.0.0.%d", i);
    n += (size_t)snprintf(with + n, sizeof with - n, " hostaddr=127.0.0.1");
    for (int i = 1; i <= N_REFUSING; i++)
        n += (size_t)snprintf(with + n, sizeof with - n, ",127.0.0.%d", i);
    n += (size_t)snprintf(with + n, sizeof with - n, " user=u sslmode=disable port=%d", script_port(server));
    for (int i = 1; i <= N_REFUSING; i++)
        n += (size_t)snprintf(with + n, sizeof with - n, ",%d", port);
    ck_assert_uint_lt(n, sizeof with);
    loop = tusk_loop_new();
    db = tusk_connect(loop, with);
    ck_assert_uint_eq(tusk_conn_attempts(db).len, 0);
    ck_assert_int_eq(tusk_await_free(tusk_conn_ready(db), &err), TUSK_ERR_CONNECT);
    ck_assert_str_eq(err.message, asleep);
    ck_assert_uint_eq(strlen(err.detail), sizeof err.detail - 1);
    len = (size_t)snprintf(text, sizeof text, "localhost:%d (127.0.0.1): %s\n", script_port(server), asleep);
    for (int i = 1; i <= N_REFUSING; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "127.0.0.%d:%d: could not connect: connection refused\n",
                                i, port);
    ck_assert_msg(tusk_str_is(tusk_conn_attempts(db), text), "%.*s", TUSK_STR_ARG(tusk_conn_attempts(db)));
    (void)close(fd);
    leave();
}
END_TEST

START_TEST(attempts_are_no_matter_once_there_is_a_connection)
{
    ck_assert_int_eq(reach(STANDBY LEFT NEXT PRIMARY LEFT, "target_session_attrs=primary"), TUSK_OK);
    ck_assert_uint_eq(tusk_conn_attempts(db).len, 0);
    ck_assert_uint_eq(tusk_conn_attempts(NULL).len, 0);
    leave();
}
END_TEST

/* Each row is looked at while it counts, and then no more: 8000 used to take seconds. */
START_TEST(thousands_of_hosts_are_tried_and_told)
{
    static char with[16 * 4097 + 100];
    int fd, port = refusing_port(&fd), n_lines = 0;
    size_t n;

    loop = tusk_loop_new();
    for (int n_hosts = 4096; n_hosts <= 4097; n_hosts++) {
        n = (size_t)snprintf(with, sizeof with, "user=u sslmode=disable port=%d host=", port);
        for (int i = 0; i < n_hosts; i++)
            n += (size_t)snprintf(with + n, sizeof with - n, "%s127.%d.%d.1", i > 0 ? "," : "", i / 256, i % 256);
        db = tusk_connect(loop, with);
        err = (tusk_error){0};
        (void)tusk_await_free(tusk_conn_ready(db), &err);
        for (tusk_str text = tusk_conn_attempts(db); n_hosts == 4096 && text.len > 0; n_lines++) {
            const char *end = memchr(text.ptr, '\n', text.len);

            text = tusk_str_from(end + 1, text.len - (size_t)(end + 1 - text.ptr));
        }
        ck_assert_str_eq(err.message, n_hosts == 4096 ? "could not connect: connection refused"
                                                      : "there are 4097 hosts in the list, and 4096 are the most");
        tusk_conn_free(db);
    }
    ck_assert_int_eq(n_lines, 4096);
    tusk_loop_free(loop);
    (void)close(fd);
}
END_TEST

/* A refused login says more than that the other is a standby. */
START_TEST(a_refusal_is_told_before_what_does_not_fit)
{
    ck_assert_int_eq(reach(STANDBY LEFT NEXT "expect startup\nsend error S=FATAL V=FATAL C=28000 M=no\n",
                           "target_session_attrs=primary"),
                     TUSK_ERR_AUTH);
    ck_assert_str_eq(err.sqlstate, "28000");
    ck_assert_ptr_nonnull(strstr(err.detail, "server is in hot standby mode"));
    leave();
}
END_TEST

START_TEST(a_server_that_does_not_answer_the_question_is_given_up_by_connect_timeout)
{
    ck_assert_int_eq(reach(OLD "expect query\nwait until closed\n" NEXT STANDBY LEFT,
                           "target_session_attrs=standby connect_timeout=2"),
                     TUSK_OK);
    ck_assert_str_eq(host_taken(), "localhost");
    leave();
}
END_TEST

static tusk_query *closed;

static void close_by_notice(tusk_conn *conn, const tusk_notice *notice, void *user)
{
    (void)notice, (void)user;
    closed = tusk_close(conn);
}

START_TEST(a_connection_may_be_closed_while_its_server_is_asked)
{
    char dsn[100];

    server = script_start(OLD "expect query\nsend notice S=NOTICE V=NOTICE C=00000 M=x\n" LEFT);
    loop = tusk_loop_new();
    snprintf(dsn, sizeof dsn, "host=127.0.0.1 port=%d user=u sslmode=disable target_session_attrs=primary",
             script_port(server));
    db = tusk_conn_open(loop, &(tusk_config){.dsn = dsn, .on_notice = close_by_notice});
    for (closed = NULL; !closed;)
        ck_assert_int_eq(tusk_loop_turn(loop, 1.0, NULL), TUSK_OK);
    ck_assert_int_eq(tusk_await(closed), TUSK_OK);
    tusk_query_free(closed);
    leave();
}
END_TEST

/* ---- d28: nothing of a failed attempt is in the next one ------------------------------------------------------------- */

enum { MAX_SENT = 4096, MAX_CONNECTS = 4 };

static struct wire {
    tusk__os os;
    int64_t jumped_us;
    int n_connects, fds[MAX_CONNECTS];
    size_t len[MAX_CONNECTS];
    uint8_t sent[MAX_CONNECTS][MAX_SENT];
} wire;

static int64_t own_now_us(void *ctx)
{
    return tusk__os_real()->now_us(ctx) + wire.jumped_us;
}

static int noted_connect(void *ctx, int fd, const struct sockaddr *addr, socklen_t len)
{
    ck_assert_int_lt(wire.n_connects, MAX_CONNECTS);
    wire.fds[wire.n_connects++] = fd;
    return tusk__os_real()->connect(ctx, fd, addr, len);
}

static ssize_t noted_send(void *ctx, int fd, const void *buf, size_t len)
{
    ssize_t n = tusk__os_real()->send(ctx, fd, buf, len);
    int i = wire.n_connects - 1;

    while (i >= 0 && wire.fds[i] != fd) /* the last one with that number */
        i--;
    ck_assert_int_ge(i, 0);
    if (n > 0) {
        ck_assert_uint_le(wire.len[i] + (size_t)n, MAX_SENT);
        memcpy(wire.sent[i] + wire.len[i], buf, (size_t)n);
        wire.len[i] += (size_t)n;
    }
    return n;
}

/* A whole talk, up to the answer of a request that was submitted before anything else. */
static void talk(const char *script, const char *hosts, const char *sslmode)
{
    char dsn[400];
    tusk_query *q;

    memset(&wire, 0, sizeof wire);
    wire.os = *tusk__os_real();
    wire.os.now_us = own_now_us;
    wire.os.connect = noted_connect;
    wire.os.send = noted_send;
    server = script_start(script);
    loop = tusk__loop_open_on(&wire.os, &(tusk_loop_config){0}, NULL);
    snprintf(
        dsn, sizeof dsn,
        "%s port=%d user=u password=secret dbname=d application_name=a options='-c jit=off' connect_timeout=600 "
        "max_protocol_version=3.2 target_session_attrs=primary sslmode=%s statement_cache_size=0", /* a name is a random one */
        hosts, script_port(server), sslmode);
    db = tusk_connect(loop, dsn);
    q = tusk_exec(db, "select $1", TUSK_PARAMS(tusk_int4(1)));
    for (int n = 0; !tusk_query_is_done(q); n++) {
        ck_assert_int_eq(tusk_loop_turn(loop, 0.005, NULL), TUSK_OK);
        if (n == 20 && script_n_accepted(server) == 1)
            wire.jumped_us += INT64_C(601) * 1000000; /* a login that stalls */
    }
    err = *tusk_query_error(q);
    tusk_query_free(q);
    ck_assert_msg(strcmp(err.sqlstate, "22000") == 0, "%s: %s\n%s", err.where, err.message, script);
    leave();
}

#define SSL "expect ssl\nsend N\n"

/* How far the first comes. */
static const char *const steps[] = {
    "expect startup version=3.2\n",
    "send negotiate 196608\n",
    "send auth md5 x:01020304\n",
    "expect password\n",
    "send auth ok\n",
    "send status in_hot_standby on; status client_encoding UTF8\n",
    "send key 9 else\n",
};

static const char *const faults[] = {
    "close\n",
    "reset\n",
    "send error S=FATAL V=FATAL C=57P03 M=\"not now\"\nclose\n",
    "wait until closed\n",
};

#define GOOD                                                                                                           \
    "expect startup version=3.2 user=u database=d\nsend auth md5 x:05060708\nexpect password\nsend auth ok; status "   \
    "server_version "                                                                                                  \
    "13.1; key 7 key!; ready I\n" ASKED("select pg_catalog.pg_is_in_recovery()",                                       \
                                        "f") "skip until sync\nsend error S=ERROR V=ERROR C=22000 M=x; ready I\n" LEFT

/* Who hangs up on a StartupMessage of 3.2 without a word is asked once more, in 3.0 and the same way: without TLS after an 'N'. */
static void write_fault(char *script, size_t size, const char *ssl, size_t n_steps, const char *fault)
{
    size_t len = (size_t)snprintf(script, size, "%s", ssl);
    bool is_silent = strcmp(fault, "close\n") == 0 || strcmp(fault, "reset\n") == 0;

    for (size_t i = 0; i < n_steps; i++)
        len += (size_t)snprintf(script + len, size - len, "%s", steps[i]);
    len += (size_t)snprintf(script + len, size - len, "%s", fault);
    if (n_steps == 1 && is_silent)
        len += (size_t)snprintf(script + len, size - len, NEXT "expect startup version=3.0\n%s", fault);
    (void)snprintf(script + len, size - len, NEXT "%s" GOOD, ssl);
}

static void compare_with(const struct wire *lone, const char *script)
{
    int last = wire.n_connects - 1;

    ck_assert_msg(wire.len[last] == lone->len[0] && memcmp(wire.sent[last], lone->sent[0], lone->len[0]) == 0,
                  "the second talk is not the lone one:\n%s", script);
}

static const char *const sslmodes[] = {"disable", "prefer"};

START_TEST(d28_behind_a_failed_host_the_talk_is_as_if_it_had_been_alone)
{
    static const char one[] = "host=localhost hostaddr=127.0.0.1";
    static const char two[] = "host=127.0.0.1,localhost hostaddr=127.0.0.1,127.0.0.1";
    const char *ssl = _i == 0 ? "" : SSL;
    static struct wire lone;
    char script[2000];

    snprintf(script, sizeof script, "%s" GOOD, ssl);
    talk(script, one, sslmodes[_i]);
    lone = wire;
    for (size_t fault = 0; fault < N_OF(faults); fault++)
        for (size_t n = 1; n <= N_OF(steps); n++) {
            write_fault(script, sizeof script, ssl, n, faults[fault]);
            talk(script, two, sslmodes[_i]);
            compare_with(&lone, script);
        }
    snprintf(script, sizeof script, "%s" STANDBY LEFT NEXT "%s" GOOD, ssl, ssl);
    talk(script, two, sslmodes[_i]);
    compare_with(&lone, script);
    for (size_t fault = 0; fault < N_OF(faults); fault++) {
        snprintf(script, sizeof script, "%s" OLD "expect query\n%s" NEXT "%s" GOOD, ssl, faults[fault], ssl);
        talk(script, two, sslmodes[_i]);
        compare_with(&lone, script);
    }
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *s = suite_create("hosts");
    TCase *t = tcase_create("hosts");

    tcase_set_timeout(t, 30);
    tcase_add_test(t, each_host_has_its_own_password);
    tcase_add_test(t, password_file_that_was_ignored_is_named_where_a_password_is_missing);
    tcase_add_test(t, refused_password_is_told_by_its_place);
    tcase_add_loop_test(t, refused_password_of_the_environment_is_told_too, 0, 3);
    tcase_add_test(t, refused_password_of_the_program_is_told_by_nobody);
    tcase_add_loop_test(t, the_first_server_that_fits_is_taken, 0, (int)N_OF(choices));
    tcase_add_test(t, what_one_server_reports_is_not_the_other_ones);
    tcase_add_test(t, the_second_pass_of_prefer_standby_takes_any);
    tcase_add_test(t, a_refusal_ends_both_passes_of_prefer_standby);
    tcase_add_loop_test(t, the_error_names_each_server_and_why_it_was_not_taken, 0, (int)N_OF(complaints));
    tcase_add_test(t, attempts_are_told_whole_where_the_detail_is_cut);
    tcase_add_test(t, attempts_are_no_matter_once_there_is_a_connection);
    tcase_add_test(t, thousands_of_hosts_are_tried_and_told);
    tcase_add_test(t, a_refusal_is_told_before_what_does_not_fit);
    tcase_add_test(t, a_server_that_does_not_answer_the_question_is_given_up_by_connect_timeout);
    tcase_add_test(t, a_connection_may_be_closed_while_its_server_is_asked);
    tcase_add_loop_test(t, d28_behind_a_failed_host_the_talk_is_as_if_it_had_been_alone, 0, (int)N_OF(sslmodes));
    suite_add_tcase(s, t);
    return s;
}
