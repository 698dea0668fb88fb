/* OAUTHBEARER over connections, against a server that plays a script, since no server that is at hand asks for tokens: the token in
 * the first login or in the second, what happens between the two, and both ends' ways out. No memory is given back with a token
 * in it.
 * Not tested here: what is sent for which answer (test/oauth_test.c). Read first: tusk/oauth.h, test/harness/script_server.h. */
#include <stdatomic.h>
#include <check.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tusk/tusk.h>

#include "test/harness/harness.h"
#include "test/harness/oauth_peer.h"
#include "test/harness/script_server.h"

#define ISSUER "https://id.example"
#define URL ISSUER "/.well-known/openid-configuration"
#define OFFER "expect startup\nsend auth sasl OAUTHBEARER\n"
#define WANTS                                                                                                          \
    "send auth sasl_continue "                                                                                         \
    "\"{\\\"status\\\":\\\"invalid_token\\\",\\\"scope\\\":\\\"openid\\\",\\\"openid-configuration\\\":\\\"" URL       \
    "\\\"}\"\n"
#define NO "send error S=FATAL V=FATAL C=28000 \"M=OAuth bearer authentication failed for user \\\"app\\\"\"\n"
/* the empty message, what is wanted, and the end */
#define TELLS OFFER "expect password OAUTHBEARER \"n,,\\x01auth=\\x01\\x01\"\n" WANTS "expect password \"\\x01\"\n" NO
#define TAKES(token) OFFER "expect password OAUTHBEARER \"n,,\\x01auth=Bearer " token "\\x01\\x01\"\n"
#define IN "send auth ok; status server_version 18.1; key 7 abcd; ready I\nexpect terminate\n"

/* ---- a program that makes tokens -------------------------------------------------------------------------------------- */

typedef enum act { GIVES, GIVES_LATER, DISCOVERS, REFUSES, NEVER, FREES, CLOSES, FREES_AND_GIVES } act;

static tusk_loop *loop;
static script_server *server;
static tusk_conn *conn;
static tusk_token_request *held;
static act acts[4];
static const char *token;
static int n_asked, n_canceled, n_closed, n_discovered, fds_before;
static double the_timeout;
static char log_text[4096];

static void answer(void *user)
{
    tusk_token_request *request = held;

    (void)user;
    held = NULL;
    tusk_token_give(request, tusk_str_of(token));
}

static void on_cancel(tusk_token_request *request, void *user)
{
    (void)user;
    ck_assert_ptr_eq(request, held);
    n_canceled++;
}

static void free_conn(void)
{
    tusk_conn_free(conn);
    conn = NULL;
}

static void on_token(tusk_token_request *request, void *user)
{
    act what = acts[n_asked++];

    (void)user;
    n_discovered += tusk_token_is_discovered(request);
    held = request;
    tusk_token_on_cancel(request, on_cancel, NULL);
    if (what == FREES || what == FREES_AND_GIVES)
        free_conn();
    else if (what == CLOSES)
        tusk_query_free(tusk_close(conn));
    else if (what == GIVES_LATER)
        ck_assert_ptr_nonnull(tusk_timer_start(loop, 0.001, answer, NULL));
    if (what == NEVER || what == FREES || what == CLOSES || what == GIVES_LATER)
        return;
    held = NULL;
    if (what == DISCOVERS)
        tusk_token_discover(request);
    else if (what == REFUSES)
        tusk_token_refuse(request, NULL);
    else
        tusk_token_give(request, tusk_str_of(token));
}

/* ---- an allocator that gets back no token ------------------------------------------------------------------------------ */

static const char secret[] = "token-";
static atomic_long n_calls, fail_at, n_live; /* a helper thread gives back what is its own, too */

static bool fails(void)
{
    return ++n_calls == fail_at;
}

static void *keep_malloc(size_t size, void *user)
{
    size_t *block = fails() ? NULL : malloc(sizeof(max_align_t) + size);

    (void)user;
    if (!block)
        return NULL;
    n_live++;
    *block = size;
    return (max_align_t *)(void *)block + 1;
}

static void keep_free(void *ptr, void *user)
{
    size_t *block = ptr ? (size_t *)(void *)((max_align_t *)ptr - 1) : NULL;

    (void)user;
    if (block)
        ck_assert_msg(!memmem(ptr, *block, secret, sizeof secret - 1), "a token was not wiped");
    n_live -= block != NULL;
    free(block);
}

static void *keep_realloc(void *ptr, size_t size, void *user)
{
    void *fresh = keep_malloc(size, user);
    size_t old = ptr ? *(size_t *)(void *)((max_align_t *)ptr - 1) : 0;

    if (!fresh)
        return NULL;
    if (ptr)
        memcpy(fresh, ptr, old < size ? old : size);
    keep_free(ptr, user);
    return fresh;
}

static const tusk_allocator keeping = {keep_malloc, keep_realloc, keep_free, NULL};

/* ---- a server, a loop and a connection ------------------------------------------------------------------------------------ */

static void on_log(tusk_log_level level, tusk_str message, void *user)
{
    size_t len = strlen(log_text);

    (void)level, (void)user;
    snprintf(log_text + len, sizeof log_text - len, TUSK_STR_FMT "\n", TUSK_STR_ARG(message));
}

static void open_loop(void)
{
    loop =
        tusk_loop_open(&(tusk_loop_config){.allocator = &keeping, .on_log = on_log, .log_level = TUSK_LOG_DEBUG}, NULL);
}

static void set_up(void)
{
    fds_before = harness_open_fds();
    n_calls = fail_at = n_live = 0;
    open_loop();
    ck_assert_ptr_nonnull(loop);
    server = NULL;
    conn = NULL;
    held = NULL;
    memset(acts, 0, sizeof acts);
    token = "token-1";
    n_asked = n_canceled = n_closed = n_discovered = 0;
    the_timeout = 0;
    log_text[0] = '\0';
}

static void tear_down(void)
{
    tusk_loop_free(loop);
    ck_assert_int_eq(atomic_load(&n_live), 0);
    if (server)
        (void)script_stop(server);
    ck_assert_int_eq(harness_open_fds(), fds_before);
    ck_assert_ptr_null(strstr(log_text, secret));
}

static void on_closed(tusk_conn *closed, const tusk_error *err, void *user)
{
    (void)closed, (void)err, (void)user;
    n_closed++;
}

static void open_conn(const char *dsn)
{
    const tusk_auth_mechanism *mechanisms[] = {tusk_oauth(), NULL};

    conn = tusk_conn_open(loop, &(tusk_config){.dsn = dsn,
                                               .connect_timeout = the_timeout,
                                               .auth_mechanisms = mechanisms,
                                               .on_token = on_token,
                                               .on_closed = on_closed,
                                               .ignore_environment = true});
}

static void open_to(const char *script, const char *with)
{
    char dsn[400];

    server = script_start(script);
    ck_assert_ptr_nonnull(server);
    (void)snprintf(dsn, sizeof dsn,
                   "host=127.0.0.1 port=%d user=app dbname=db sslmode=disable require_auth=oauth oauth_issuer=" ISSUER
                   " %s",
                   script_port(server), with);
    open_conn(dsn);
}

/* The server is the last of the list that `with` begins. */
static void open_to_list(const char *with, const char *script)
{
    char dsn[400];

    server = script_start(script);
    ck_assert_ptr_nonnull(server);
    (void)snprintf(dsn, sizeof dsn, "%s%d user=app dbname=db sslmode=disable require_auth=oauth oauth_issuer=" ISSUER,
                   with, script_port(server));
    open_conn(dsn);
}

static tusk_code await_ready(tusk_error *err)
{
    tusk_code code = tusk_await_free(tusk_conn_ready(conn), err);
    char text[1600];

    if (code != TUSK_OK && err) {
        tusk_error_format(err, text, sizeof text);
        ck_assert_ptr_null(strstr(text, secret));
    }
    return code;
}

static void turn_until_asked(int n)
{
    while (n_asked < n)
        ck_assert_int_eq(tusk_loop_turn(loop, TUSK_NONE, NULL), TUSK_OK);
}

static void turns(void)
{
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(tusk_loop_turn(loop, 0, NULL), TUSK_OK);
}

static void all_went_as_written(unsigned n_connections)
{
    unsigned n = script_n_accepted(server);
    const char *wrong = script_stop(server);

    server = NULL;
    ck_assert_msg(!wrong, "%s", wrong);
    ck_assert_uint_eq(n, n_connections);
}

static void disconnect(unsigned n_connections)
{
    ck_assert_int_eq(tusk_await_free(tusk_close(conn), NULL), TUSK_OK);
    free_conn();
    all_went_as_written(n_connections);
}

/* ---- in ----------------------------------------------------------------------------------------------------------------- */

START_TEST(a_token_at_hand_takes_one_connection)
{
    tusk_error err = {0};

    acts[0] = _i ? GIVES_LATER : GIVES;
    open_to(TAKES("token-1") IN, "");
    ck_assert_int_eq(n_asked, 0);
    ck_assert_msg(await_ready(&err) == TUSK_OK, "%s", err.message);
    ck_assert_int_eq(n_asked, 1);
    ck_assert_int_eq(n_canceled, 0);
    disconnect(1);
}
END_TEST

START_TEST(a_token_for_what_the_server_wants_takes_two)
{
    tusk_query *q;
    tusk_error err = {0};

    acts[0] = DISCOVERS;
    acts[1] = _i ? GIVES_LATER : GIVES;
    open_to(TELLS
            "expect eof\nconnection\n" TAKES("token-1") "send auth ok; ready I\n"
                                                        "skip until sync\nsend parse_complete; parameter_description; "
                                                        "no_data; bind_complete; command_complete SET; ready I\n"
                                                        "expect terminate\n",
            "");
    q = tusk_exec(conn, "set jit to off", TUSK_NO_PARAMS); /* waits for both */
    ck_assert_msg(tusk_await_free(q, &err) == TUSK_OK, "%s", err.message);
    ck_assert_int_eq(n_asked, 2);
    ck_assert_int_eq(n_discovered, 1);
    ck_assert_str_eq(tusk_conn_error(conn)->message, "");
    ck_assert_int_eq(n_closed, 0);
    disconnect(2);
}
END_TEST

/* The server is gone long before the program has a token, which does not matter. */
START_TEST(behind_discovery_the_program_has_time)
{
    acts[0] = DISCOVERS;
    acts[1] = NEVER;
    open_to(TELLS "close\nconnection\n" TAKES("token-1") IN, "");
    turn_until_asked(2);
    turns();
    ck_assert_int_eq(n_closed, 0);
    answer(NULL);
    ck_assert_int_eq(await_ready(NULL), TUSK_OK);
    disconnect(2);
}
END_TEST

START_TEST(a_question_keeps_the_loop_running)
{
    acts[0] = DISCOVERS;
    acts[1] = GIVES_LATER;
    open_to(TELLS "expect eof\nconnection\n" TAKES("token-1") IN, "");
    turn_until_asked(2);
    ck_assert_int_eq(tusk_loop_run(loop, NULL), TUSK_OK);
    ck_assert_int_eq(await_ready(NULL), TUSK_OK);
    disconnect(2);
}
END_TEST

/* What one host has told is nothing for another. */
START_TEST(d28_another_host_is_another_question)
{
    acts[0] = acts[2] = DISCOVERS;
    acts[1] = acts[3] = GIVES;
    open_to(TELLS "expect eof\nconnection\n" TAKES("token-1") "send error S=FATAL V=FATAL C=57P03 M=starting\n"
                                                              "expect eof\nconnection\n" TELLS
                                                              "expect eof\nconnection\n" TAKES("token-1") IN,
            "host=127.0.0.1,127.0.0.1");
    ck_assert_int_eq(await_ready(NULL), TUSK_OK);
    ck_assert_int_eq(n_asked, 4);
    ck_assert_int_eq(n_discovered, 2);
    disconnect(4);
}
END_TEST

/* The first is gone when the token for it is there: the second is not to have it. */
START_TEST(d28_a_token_for_one_host_is_not_anothers)
{
    script_server *first = script_start(TELLS "close\n");
    char with[64];

    acts[0] = DISCOVERS;
    acts[1] = acts[2] = NEVER;
    (void)snprintf(with, sizeof with, "host=127.0.0.1,127.0.0.1 port=%d,", script_port(first));
    open_to_list(with, TAKES("token-2") IN);
    turn_until_asked(2);
    ck_assert_ptr_null(script_stop(first));
    answer(NULL);
    turn_until_asked(3);
    ck_assert_int_eq(n_discovered, 1);
    token = "token-2";
    answer(NULL);
    ck_assert_int_eq(await_ready(NULL), TUSK_OK);
    disconnect(1);
}
END_TEST

START_TEST(a_server_that_then_asks_for_nothing_gets_nothing)
{
    tusk_error err = {0};

    acts[0] = DISCOVERS;
    acts[1] = GIVES;
    open_to(TELLS "expect eof\nconnection\nexpect startup\nsend auth ok; ready I\nexpect eof\n", "");
    ck_assert_int_eq(await_ready(&err), TUSK_ERR_AUTH);
    ck_assert_str_eq(err.message, "the server asks for no authentication, which require_auth=oauth does not allow");
    free_conn();
    all_went_as_written(2);
}
END_TEST

/* ---- not in ---------------------------------------------------------------------------------------------------------------- */

START_TEST(a_rejected_token_is_the_end)
{
    tusk_error err = {0};

    acts[0] = _i ? DISCOVERS : GIVES;
    acts[1] = GIVES;
    open_to(_i ? TELLS "expect eof\nconnection\n" TAKES("token-1") WANTS "expect password \"\\x01\"\n" NO "expect eof\n"
               : TAKES("token-1") WANTS "expect password \"\\x01\"\n" NO "expect eof\n",
            "");
    ck_assert_int_eq(await_ready(&err), TUSK_ERR_AUTH);
    ck_assert_str_eq(err.message, "OAuth bearer authentication failed for user \"app\"");
    ck_assert_str_eq(err.detail, "The server says of the token: invalid_token; it wants the scope openid");
    ck_assert_int_eq(err.fate, TUSK_FATE_NOT_SENT);
    ck_assert_int_eq(n_asked, _i + 1);
    ck_assert_int_eq(n_closed, 1);
    free_conn();
    all_went_as_written(_i ? 2 : 1);
}
END_TEST

/* The first connection was no failure, so the second one's is told, and alone. */
START_TEST(a_second_connection_that_fails_is_the_failure)
{
    tusk_error err = {0};

    acts[0] = DISCOVERS;
    acts[1] = GIVES;
    open_to(TELLS "expect eof\nconnection\nexpect startup\nsend error S=FATAL V=FATAL C=53300 \"M=too many clients\"\n",
            "");
    ck_assert_int_eq(await_ready(&err), TUSK_ERR_CONNECT);
    ck_assert_str_eq(err.message, "too many clients");
    ck_assert_str_eq(err.detail, "");
    free_conn();
    all_went_as_written(2);
}
END_TEST

static const struct {
    const char *script;
    tusk_code code;
    const char *message;
} breaks[] = {
    {OFFER "expect password OAUTHBEARER\n" WANTS "close\n", TUSK_ERR_LOST, NULL},
    {OFFER "expect password OAUTHBEARER\nclose\n", TUSK_ERR_LOST, NULL},
    {OFFER "expect password OAUTHBEARER\nsend auth ok; ready I\nexpect eof\n", TUSK_ERR_PROTOCOL, NULL},
    {OFFER "expect password OAUTHBEARER\nsend auth sasl_final x\nexpect eof\n", TUSK_ERR_PROTOCOL, NULL},
    {OFFER "expect password OAUTHBEARER\n" WANTS "expect password\nsend auth ok; ready I\nexpect eof\n",
     TUSK_ERR_PROTOCOL, NULL},
    {OFFER "expect password OAUTHBEARER\n" WANTS "expect password\n" WANTS "expect eof\n", TUSK_ERR_PROTOCOL, NULL},
    {OFFER "expect password OAUTHBEARER\nsend auth sasl OAUTHBEARER\nexpect eof\n", TUSK_ERR_PROTOCOL, NULL},
    {OFFER "expect password OAUTHBEARER\nsend auth sasl_continue {}\nexpect eof\n", TUSK_ERR_PROTOCOL,
     "OAUTHBEARER: the server's answer has no status"},
    {OFFER "expect password OAUTHBEARER\n" NO "expect eof\n", TUSK_ERR_AUTH,
     "OAuth bearer authentication failed for user \"app\""},
};

START_TEST(a_server_that_breaks_off_or_lies_while_it_is_asked)
{
    tusk_error err = {0};

    acts[0] = DISCOVERS;
    open_to(breaks[_i].script, "");
    ck_assert_int_eq(await_ready(&err), breaks[_i].code);
    if (breaks[_i].message)
        ck_assert_str_eq(err.message, breaks[_i].message);
    ck_assert_int_eq(n_asked, 1);
    free_conn();
    all_went_as_written(1);
}
END_TEST

START_TEST(a_refusal_at_either_question_ends_it)
{
    tusk_error err = {0};
    char where[96];

    acts[0] = _i ? DISCOVERS : REFUSES;
    acts[1] = REFUSES;
    open_to(_i ? TELLS "expect eof\n" : OFFER "expect eof\n", "");
    ck_assert_int_eq(await_ready(&err), TUSK_ERR_AUTH);
    ck_assert_str_eq(err.message, "the program gave no token");
    (void)snprintf(where, sizeof where, "connect 127.0.0.1:%d: login: token", script_port(server));
    ck_assert_str_eq(err.where, where);
    free_conn();
    all_went_as_written(1);
}
END_TEST

/* ---- ways out: at the first question, and at the second ------------------------------------------------------------------------ */

#define N_WAYS_OUT 2

static void open_at(int question)
{
    acts[0] = question == 0 ? acts[1] : DISCOVERS;
    open_to(question == 0 ? OFFER "expect eof\n" : TELLS "expect eof\n", question == 0 ? "" : "connect_timeout=60");
}

START_TEST(time_runs_while_the_program_thinks)
{
    tusk_error err = {0};

    the_timeout = 0.05;
    acts[1] = NEVER;
    open_at(_i);
    ck_assert_int_eq(await_ready(&err), TUSK_ERR_TIMEOUT);
    ck_assert_str_eq(err.detail, held ? "tusk_config.on_token was called, and has not answered." : "");
    turns();
    ck_assert_int_eq(n_canceled, held != NULL); /* a slow machine may not have come so far */
    if (held)
        answer(NULL);
    free_conn();
    (void)script_stop(server);
    server = NULL;
}
END_TEST

START_TEST(a_connection_that_ends_cancels_its_question)
{
    acts[1] = NEVER;
    open_at(_i / 2);
    turn_until_asked(_i / 2 + 1);
    if (_i % 2)
        free_conn();
    else
        tusk_query_free(tusk_close(conn));
    ck_assert_int_eq(n_canceled, 0); /* not inside */
    turns();
    ck_assert_int_eq(n_canceled, 1);
    answer(NULL);
    turns();
    free_conn();
    all_went_as_written(1);
}
END_TEST

START_TEST(the_connection_may_be_ended_by_whoever_is_asked)
{
    static const act ends[] = {FREES, CLOSES, FREES_AND_GIVES};

    acts[1] = ends[_i / 2];
    open_at(_i % 2);
    turn_until_asked(_i % 2 + 1);
    turns();
    ck_assert_int_eq(n_canceled, acts[1] != FREES_AND_GIVES);
    if (held)
        answer(NULL);
    free_conn();
    turns();
    all_went_as_written(1);
}
END_TEST

START_TEST(an_answer_on_its_way_is_dropped_with_the_connection)
{
    acts[1] = NEVER;
    open_at(_i / 3);
    turn_until_asked(_i / 3 + 1);
    answer(NULL);
    for (int i = 0; i < _i % 3; i++) /* it is told, then taken up */
        ck_assert_int_eq(tusk_loop_turn(loop, 0, NULL), TUSK_OK);
    free_conn();
    turns();
    ck_assert_int_eq(n_canceled, 0);
    (void)script_stop(server);
    server = NULL;
}
END_TEST

START_TEST(a_question_outlives_its_loop)
{
    acts[1] = NEVER;
    open_at(_i);
    turn_until_asked(_i + 1);
    tusk_loop_free(loop);
    loop = NULL;
    ck_assert_int_eq(n_canceled, 1);
    ck_assert(tusk_str_is(tusk_token_user(held), "app"));
    answer(NULL);
    all_went_as_written(1);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------------------------------------------------- */

static tusk_code connect_in_need(void)
{
    tusk_error err = {0};
    tusk_code code = TUSK_ERR_NOMEM;

    open_loop();
    if (!loop)
        return code;
    n_asked = 0;
    acts[0] = DISCOVERS;
    acts[1] = GIVES;
    open_to(TELLS "expect eof\nconnection\n" TAKES("token-1") IN, "");
    if (conn)
        code = await_ready(&err);
    free_conn();
    return code;
}

static bool fails_once(long n)
{
    tusk_code code;
    bool has_failed;

    n_calls = 0;
    fail_at = n;
    server = NULL;
    code = connect_in_need();
    fail_at = 0;
    has_failed = n_calls >= n;
    ck_assert_msg(code == TUSK_OK || code == TUSK_ERR_NOMEM, "allocation %ld: %s", n, tusk_code_name(code));
    tusk_loop_free(loop);
    loop = NULL;
    if (server)
        (void)script_stop(server);
    server = NULL;
    ck_assert_int_eq(atomic_load(&n_live), 0);
    return has_failed;
}

START_TEST(every_allocation_may_fail)
{
    long n = 1;

    tusk_loop_free(loop);
    while (fails_once(n))
        n++;
    ck_assert_int_gt(n, 20);
}
END_TEST

/* ---- TLS: who has proved himself needs no consent ------------------------------------------------------------------------------- */

START_TEST(d26_a_server_that_tls_has_proved_gets_the_token)
{
    static const char *const modes[] = {"verify-full", "require"};
    tls_cert authority = tls_cert_new(&(tls_cert_spec){.cn = "authority", .is_authority = true});
    tls_cert cert = tls_cert_new(&(tls_cert_spec){.cn = "db", .names = {TLS_DNS("db.example")}, .issuer = &authority});
    oauth_peer w = {.ctx = tls_server_new(&cert),
                    .wants = "{\"status\":\"invalid_token\",\"openid-configuration\":\"" URL "\"}"};
    char folder[] = "/tmp/tusk-oauth.XXXXXX", root[64], dsn[400];
    tusk_error err = {0};
    tls_peer *peer;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(root, sizeof root, "%s/root.crt", folder);
    tls_cert_write(&authority, root);
    peer = tls_peer_start("127.0.0.1", 0, oauth_peer_serve, &w);
    snprintf(dsn, sizeof dsn,
             "host=db.example hostaddr=127.0.0.1 port=%u user=app sslmode=%s sslrootcert=%s oauth_issuer=" ISSUER,
             (unsigned)tls_peer_port(peer), modes[_i], root);
    acts[0] = DISCOVERS;
    open_conn(dsn);
    if (_i == 0) {
        ck_assert_msg(await_ready(&err) == TUSK_OK, "%s", err.message);
        ck_assert_int_eq(tusk_await_free(tusk_close(conn), NULL), TUSK_OK);
        ck_assert_str_eq(w.said[0], "n,,\1auth=\1\1");
        ck_assert_str_eq(w.said[1], "n,,\1auth=Bearer token-1\1\1");
    } else {
        ck_assert_int_eq(await_ready(&err), TUSK_ERR_AUTH);
        ck_assert_str_eq(err.message, "the server asks for a bearer token, and nothing proves who it is");
        ck_assert_int_eq(n_asked, 0);
    }
    free_conn();
    tls_peer_stop(peer);
    remove(root);
    remove(folder);
    SSL_CTX_free(w.ctx);
    tls_cert_free(&cert);
    tls_cert_free(&authority);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("oauth_server");
    TCase *in = tcase_create("in"), *not_in = tcase_create("not in"), *out = tcase_create("ways out"),
          *memory = tcase_create("memory"), *tls = tcase_create("TLS");
    TCase *all[] = {in, not_in, out, memory, tls};

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        tcase_add_checked_fixture(all[i], set_up, tear_down);
        tcase_set_timeout(all[i], 60);
        suite_add_tcase(suite, all[i]);
    }
    tcase_add_loop_test(in, a_token_at_hand_takes_one_connection, 0, 2);
    tcase_add_loop_test(in, a_token_for_what_the_server_wants_takes_two, 0, 2);
    tcase_add_test(in, behind_discovery_the_program_has_time);
    tcase_add_test(in, a_question_keeps_the_loop_running);
    tcase_add_test(in, d28_another_host_is_another_question);
    tcase_add_test(in, d28_a_token_for_one_host_is_not_anothers);
    tcase_add_test(in, a_server_that_then_asks_for_nothing_gets_nothing);

    tcase_add_loop_test(not_in, a_rejected_token_is_the_end, 0, 2);
    tcase_add_test(not_in, a_second_connection_that_fails_is_the_failure);
    tcase_add_loop_test(not_in, a_server_that_breaks_off_or_lies_while_it_is_asked, 0,
                        (int)(sizeof breaks / sizeof breaks[0]));
    tcase_add_loop_test(not_in, a_refusal_at_either_question_ends_it, 0, 2);

    tcase_add_loop_test(out, time_runs_while_the_program_thinks, 0, N_WAYS_OUT);
    tcase_add_loop_test(out, a_connection_that_ends_cancels_its_question, 0, 2 * N_WAYS_OUT);
    tcase_add_loop_test(out, the_connection_may_be_ended_by_whoever_is_asked, 0, 3 * N_WAYS_OUT);
    tcase_add_loop_test(out, an_answer_on_its_way_is_dropped_with_the_connection, 0, 3 * N_WAYS_OUT);
    tcase_add_loop_test(out, a_question_outlives_its_loop, 0, N_WAYS_OUT);

    tcase_add_test(memory, every_allocation_may_fail);

    tcase_add_loop_test(tls, d26_a_server_that_tls_has_proved_gets_the_token, 0, 2);
    return suite;
}
