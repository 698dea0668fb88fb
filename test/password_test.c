/* Tests of lib/password: a program that makes its passwords, at once, later, from another thread or never, against a server that
 * asks for them; and both ends' ways out.
 * Read first: tusk/password.h. */
#include <check.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tusk/tusk.h>

#include "test/harness/harness.h"
#include "test/harness/script_server.h"

#define ASK "expect startup\nsend auth cleartext\n"
#define IN "send auth ok; status server_version 15.1; key 7 abcd; ready I\nexpect terminate\n"

/* ---- a program that makes passwords ---------------------------------------------------------------------------------------- */

typedef enum manner { AT_ONCE, LATER, FROM_A_THREAD, NEVER, REFUSES, FREES, CLOSES } manner;

typedef struct program {
    manner manner;
    const char *password;
    const tusk_error *refusal;
    tusk_conn *conn;
    tusk_password_request *request; /* not answered yet */
    int n_asked, n_canceled;
    char asked_for[128];
    pthread_t thread;
    bool is_inside; /* a call that must not call back */
} program;

static tusk_loop *loop;
static script_server *server;
static program the_program;
static int fds_before;
static double the_timeout;

static void answer(void *user)
{
    program *p = user;
    tusk_password_request *request = p->request;

    p->request = NULL;
    tusk_password_give(request, tusk_str_of(p->password));
}

static void *work(void *user)
{
    return tusk_loop_post(loop, answer, user) == TUSK_OK ? user : NULL;
}

static void on_cancel(tusk_password_request *request, void *user)
{
    program *p = user;

    ck_assert(!p->is_inside);
    ck_assert_ptr_eq(request, p->request);
    ck_assert(tusk_password_is_canceled(request));
    p->n_canceled++;
}

static void note(program *p, tusk_password_request *request)
{
    tusk_str host = tusk_password_host(request), port = tusk_password_port(request),
             dbname = tusk_password_dbname(request), user = tusk_password_user(request);

    ck_assert(!p->is_inside);
    ck_assert(!tusk_password_is_canceled(request));
    p->n_asked++;
    p->request = request;
    (void)snprintf(p->asked_for, sizeof p->asked_for, "%.*s %.*s %.*s %.*s", TUSK_STR_ARG(host), TUSK_STR_ARG(port),
                   TUSK_STR_ARG(dbname), TUSK_STR_ARG(user));
    tusk_password_on_cancel(request, on_cancel, p);
}

static void end_connection(program *p)
{
    p->is_inside = true;
    if (p->manner == FREES) {
        tusk_conn_free(p->conn);
        p->conn = NULL;
    } else {
        tusk_query_free(tusk_close(p->conn));
    }
    p->is_inside = false;
}

static void on_password(tusk_password_request *request, void *user)
{
    program *p = user;

    note(p, request);
    switch (p->manner) {
    case AT_ONCE:
        answer(p);
        break;
    case LATER:
        ck_assert_ptr_nonnull(tusk_timer_start(loop, 0.001, answer, p));
        break;
    case FROM_A_THREAD:
        ck_assert_int_eq(pthread_create(&p->thread, NULL, work, p), 0);
        break;
    case NEVER:
        break;
    case REFUSES:
        p->request = NULL;
        tusk_password_refuse(request, p->refusal);
        break;
    case FREES:
    case CLOSES:
        end_connection(p);
        break;
    }
}

/* ---- an allocator that gets back no password -------------------------------------------------------------------------------- */

static const char secret[] = "token-";

static void *keep_malloc(size_t size, void *user)
{
    size_t *block = calloc(1, sizeof(max_align_t) + size); /* as all of it is read at the end */

    (void)user;
    if (!block)
        return NULL;
    *block = size;
    return (max_align_t *)(void *)block + 1;
}

static void keep_free(void *ptr, void *user)
{
    size_t *block = ptr ? (size_t *)(void *)((max_align_t *)ptr - 1) : NULL;

    (void)user;
    if (block)
        ck_assert_msg(!memmem(ptr, *block, secret, sizeof secret - 1), "a password was not wiped");
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

/* ---- a server, a loop and a connection --------------------------------------------------------------------------------------- */

static void set_up(void)
{
    fds_before = harness_open_fds();
    loop = tusk_loop_open(&(tusk_loop_config){.allocator = &keeping}, NULL);
    ck_assert_ptr_nonnull(loop);
    server = NULL;
    the_timeout = 0;
}

static void tear_down(void)
{
    tusk_loop_free(loop);
    if (server)
        (void)script_stop(server);
    ck_assert_int_eq(harness_open_fds(), fds_before);
}

static void open_to(const char *script, const char *with, manner m, const char *password)
{
    char dsn[256];

    server = script_start(script);
    ck_assert_ptr_nonnull(server);
    the_program = (program){.manner = m, .password = password};
    (void)snprintf(dsn, sizeof dsn,
                   "host=127.0.0.1 port=%d user=app dbname=db sslmode=disable require_auth=none,password %s",
                   script_port(server), with);
    the_program.conn = tusk_conn_open(
        loop, &(tusk_config){
                  .dsn = dsn, .connect_timeout = the_timeout, .on_password = on_password, .user_data = &the_program});
    ck_assert_ptr_nonnull(the_program.conn);
}

static tusk_code await_ready(tusk_error *err)
{
    return tusk_await_free(tusk_conn_ready(the_program.conn), err);
}

static void turn_until_asked(void)
{
    while (the_program.n_asked == 0)
        ck_assert_int_eq(tusk_loop_turn(loop, TUSK_NONE, NULL), TUSK_OK);
}

/* Everything that is due. */
static void turns(void)
{
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(tusk_loop_turn(loop, 0, NULL), TUSK_OK);
}

static void all_went_as_written(void)
{
    const char *wrong = script_stop(server);

    server = NULL;
    ck_assert_msg(!wrong, "%s", wrong);
}

static void disconnect(void)
{
    ck_assert_int_eq(tusk_await_free(tusk_close(the_program.conn), NULL), TUSK_OK);
    tusk_conn_free(the_program.conn);
    all_went_as_written();
}

/* ---- answers ---------------------------------------------------------------------------------------------------------------- */

START_TEST(a_password_given_at_once_later_or_by_a_thread_is_sent)
{
    tusk_error err = {0};
    char expected[64];

    open_to(ASK "expect password token-1\n" IN, "", (manner)_i, "token-1");
    ck_assert_int_eq(the_program.n_asked, 0);
    ck_assert_msg(await_ready(&err) == TUSK_OK, "%s", err.message);
    if (the_program.manner == FROM_A_THREAD)
        ck_assert_int_eq(pthread_join(the_program.thread, NULL), 0);
    (void)snprintf(expected, sizeof expected, "127.0.0.1 %d db app", script_port(server));
    ck_assert_str_eq(the_program.asked_for, expected);
    ck_assert_int_eq(the_program.n_asked, 1);
    ck_assert_int_eq(the_program.n_canceled, 0);
    disconnect();
}
END_TEST

START_TEST(who_is_let_in_unasked_asks_nobody)
{
    open_to("expect startup\n" IN, "", NEVER, NULL);
    ck_assert_int_eq(await_ready(NULL), TUSK_OK);
    ck_assert_int_eq(the_program.n_asked, 0);
    disconnect();
}
END_TEST

/* The first connection is lost behind its password; the second attempt has another one. */
START_TEST(each_attempt_asks_again)
{
    open_to(ASK "expect password token\nclose\nconnection\n" ASK "expect password token\n" IN,
            "host=127.0.0.1,127.0.0.1", LATER, "token");
    ck_assert_int_eq(await_ready(NULL), TUSK_OK);
    ck_assert_int_eq(the_program.n_asked, 2);
    disconnect();
}
END_TEST

/* Nothing but the question is going on, and the answer comes from outside the loop. */
START_TEST(a_question_keeps_the_loop_running)
{
    open_to(ASK "expect password token-2\n" IN, "", FROM_A_THREAD, "token-2");
    turn_until_asked();
    ck_assert_int_eq(tusk_loop_run(loop, NULL), TUSK_OK);
    ck_assert_int_eq(pthread_join(the_program.thread, NULL), 0);
    ck_assert_ptr_null(the_program.request);
    ck_assert_int_eq(await_ready(NULL), TUSK_OK);
    disconnect();
}
END_TEST

/* ---- refusals ---------------------------------------------------------------------------------------------------------------- */

static const tusk_error vault_is_shut = {.code = TUSK_ERR_CONNECT, .message = "the vault is shut"};
static const tusk_error written_by_hand = {.code = TUSK_ERR_CONNECT,
                                           .sqlstate = {'2', '8', 'p', '0', '1', 'X'},
                                           .message = "two\nlines\r\x1b[31m and no UTF-8: \xfc"};
static const tusk_error no_error = {.code = TUSK_AGAIN, .sqlstate = "28P01", .message = "come back later"};
static const tusk_error no_code = {.code = (tusk_code)4711, .message = "?"};
static const tusk_error no_time = {.code = TUSK_ERR_TIMEOUT, .sqlstate = "08001", .message = "the vault is slow"};

static const struct {
    manner manner;
    const char *password;
    const tusk_error *refusal;
    tusk_code code;
    const char *sqlstate, *message;
} refusals[] = {
    {REFUSES, NULL, NULL, TUSK_ERR_AUTH, "28P01", "the program gave no password"},
    {REFUSES, NULL, &vault_is_shut, TUSK_ERR_CONNECT, "28P01", "the vault is shut"},
    {REFUSES, NULL, &no_time, TUSK_ERR_TIMEOUT, "08001", "the vault is slow"},
    {REFUSES, NULL, &written_by_hand, TUSK_ERR_CONNECT, "28P01", "two lines  [31m and no UTF-8: ?"},
    {REFUSES, NULL, &no_error, TUSK_ERR_AUTH, "28P01", "the program gave no password"},
    {REFUSES, NULL, &no_code, TUSK_ERR_AUTH, "28P01", "the program gave no password"},
    {AT_ONCE, "", NULL, TUSK_ERR_AUTH, "28P01", "the password that was given is empty"},
};

START_TEST(a_refusal_is_the_error_of_the_login)
{
    tusk_error err = {0};
    char where[64];

    open_to(ASK "expect eof\n", "", refusals[_i].manner, refusals[_i].password);
    the_program.refusal = refusals[_i].refusal;
    ck_assert_int_eq(await_ready(&err), refusals[_i].code);
    ck_assert_str_eq(err.message, refusals[_i].message);
    ck_assert_str_eq(err.sqlstate, refusals[_i].sqlstate);
    ck_assert_int_eq(err.fate, TUSK_FATE_NOT_SENT);
    ck_assert(tusk_error_is_fatal(&err));
    ck_assert_int_eq(err.column, -1);
    (void)snprintf(where, sizeof where, "connect 127.0.0.1:%d: login: password", script_port(server));
    ck_assert_str_eq(err.where, where);
    ck_assert_int_eq(the_program.n_canceled, 0);
    tusk_conn_free(the_program.conn);
    all_went_as_written();
}
END_TEST

static void give_a_zero_byte(tusk_password_request *request, void *user)
{
    (void)user;
    tusk_password_give(request, tusk_str_from("a\0b", 3));
}

START_TEST(a_zero_byte_in_a_password_is_refused)
{
    tusk_error err = {0};
    char dsn[128];
    tusk_conn *conn;

    server = script_start(ASK "expect eof\n");
    (void)snprintf(dsn, sizeof dsn, "host=127.0.0.1 port=%d user=app sslmode=disable require_auth=password",
                   script_port(server));
    conn = tusk_conn_open(loop, &(tusk_config){.dsn = dsn, .on_password = give_a_zero_byte});
    ck_assert_int_eq(tusk_await_free(tusk_conn_ready(conn), &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.message, "the password that was given has a zero byte in it");
    ck_assert(tusk_error_is_fatal(&err));
    tusk_conn_free(conn);
    all_went_as_written();
}
END_TEST

/* A refusal ends the connecting; what speaks of the network or of time goes on with the next host. */
START_TEST(a_slow_vault_is_another_hosts_chance)
{
    static const char *const scripts[] = {ASK "expect eof\n", ASK "expect eof\nconnection\n" ASK "expect eof\n"};
    bool is_slow = _i;

    open_to(scripts[_i], "host=127.0.0.1,127.0.0.1", REFUSES, NULL);
    the_program.refusal = is_slow ? &no_time : &vault_is_shut;
    ck_assert_int_eq(await_ready(NULL), the_program.refusal->code);
    ck_assert_int_eq(the_program.n_asked, is_slow ? 2 : 1);
    tusk_conn_free(the_program.conn);
    all_went_as_written();
}
END_TEST

/* ---- an answer that nobody wants any more ------------------------------------------------------------------------------------ */

static void ck_canceled_once(void)
{
    ck_assert_int_eq(the_program.n_canceled, 1);
    ck_assert(tusk_password_is_canceled(the_program.request));
}

START_TEST(a_connection_freed_or_closed_cancels_its_question)
{
    open_to(ASK "expect eof\n", "", NEVER, "token-too-late");
    the_program.manner = NEVER;
    turn_until_asked();
    the_program.manner = _i ? CLOSES : FREES;
    end_connection(&the_program);
    ck_assert_int_eq(the_program.n_canceled, 0); /* not inside */
    turns();
    ck_canceled_once();
    turns();
    ck_canceled_once();
    answer(&the_program);
    tusk_conn_free(the_program.conn);
    turns();
    all_went_as_written();
}
END_TEST

START_TEST(the_connection_may_be_ended_by_whoever_is_asked)
{
    open_to(ASK "expect eof\n", "", _i ? CLOSES : FREES, "token-too-late");
    turn_until_asked();
    turns();
    ck_canceled_once();
    answer(&the_program);
    tusk_conn_free(the_program.conn);
    turns();
    all_went_as_written();
}
END_TEST

/* Given or refused, and then the connection is ended before the next turn. */
START_TEST(an_answer_on_its_way_is_dropped_with_the_connection)
{
    tusk_password_request *request;

    open_to(ASK "expect eof\n", "", NEVER, "token-dropped");
    turn_until_asked();
    request = the_program.request;
    if (_i < 2)
        answer(&the_program);
    else
        tusk_password_refuse(request, NULL);
    the_program.manner = _i % 2 ? CLOSES : FREES;
    end_connection(&the_program);
    turns();
    ck_assert_int_eq(the_program.n_canceled, 0);
    tusk_conn_free(the_program.conn);
    all_went_as_written();
}
END_TEST

START_TEST(time_runs_while_the_program_thinks)
{
    tusk_error err = {0};
    int64_t begin_us = tusk_loop_now_us(loop);

    the_timeout = 0.05;
    open_to(ASK "expect eof\n", "", NEVER, "token-too-late");
    ck_assert_int_eq(await_ready(&err), TUSK_ERR_TIMEOUT);
    ck_assert_str_eq(err.detail, "tusk_config.on_password was called, and has not answered.");
    ck_assert_int_ge(tusk_loop_now_us(loop) - begin_us, 50000);
    turns();
    ck_canceled_once();
    answer(&the_program);
    tusk_conn_free(the_program.conn);
    all_went_as_written();
}
END_TEST

START_TEST(a_question_outlives_its_loop)
{
    open_to(ASK "expect eof\n", "", NEVER, "token-much-too-late");
    turn_until_asked();
    if (_i) {
        tusk_conn_free(the_program.conn); /* and the turn that would tell it never comes */
        the_program.conn = NULL;
    }
    tusk_loop_free(loop);
    loop = NULL;
    ck_canceled_once();
    ck_assert_str_ne(the_program.asked_for, "");
    ck_assert(tusk_str_is(tusk_password_user(the_program.request), "app"));
    answer(&the_program);
    all_went_as_written();
}
END_TEST

typedef struct patience {
    tusk_timer *timer;
    tusk_watch *watch;
    tusk_password_request *request;
    tusk_conn *conn;
} patience;

static void on_ready(int fd, unsigned events, void *user)
{
    (void)fd, (void)events, (void)user;
}

static void stop_waiting(tusk_password_request *request, void *user)
{
    patience *p = user;

    tusk_timer_stop(p->timer);
    tusk_watch_stop(p->watch);
    p->timer = NULL;
    tusk_conn_free(p->conn); /* NULL: that is why it is canceled */
    tusk_password_refuse(request, NULL);
}

static void wait_for_answer(tusk_password_request *request, void *user)
{
    patience *p = user;

    p->timer = tusk_timer_start(loop, 100, answer, NULL);
    p->watch = tusk_watch_start(loop, 0, 0, on_ready, NULL, NULL);
    p->request = request;
    tusk_password_on_cancel(request, stop_waiting, p);
}

/* Nobody who is canceled can tell by whom: what he waits by is his to stop in any case, and the connection his to free. */
START_TEST(whoever_is_canceled_stops_what_he_waits_by)
{
    patience p = {0};
    char dsn[128];
    tusk_conn *conn;

    server = script_start(ASK "expect any\n");
    (void)snprintf(dsn, sizeof dsn, "host=127.0.0.1 port=%d user=app sslmode=disable require_auth=password",
                   script_port(server));
    conn = tusk_conn_open(loop, &(tusk_config){.dsn = dsn, .on_password = wait_for_answer, .user_data = &p});
    while (!p.request)
        ck_assert_int_eq(tusk_loop_turn(loop, TUSK_NONE, NULL), TUSK_OK);
    ck_assert_ptr_nonnull(p.timer);
    if (_i > 0)
        tusk_conn_free(conn);
    else
        p.conn = conn;
    if (_i > 1)
        turns();
    tusk_loop_free(loop);
    loop = NULL;
    ck_assert_ptr_null(p.timer);
}
END_TEST

START_TEST(a_loop_freed_with_an_answer_on_its_way_tells_nobody)
{
    open_to(ASK "expect any\n", "", NEVER, "token-secret");
    turn_until_asked();
    answer(&the_program);
    tusk_loop_free(loop);
    loop = NULL;
    ck_assert_int_eq(the_program.n_canceled, 0);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("password");
    TCase *tcase = tcase_create("password");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, a_password_given_at_once_later_or_by_a_thread_is_sent, AT_ONCE, FROM_A_THREAD + 1);
    tcase_add_test(tcase, who_is_let_in_unasked_asks_nobody);
    tcase_add_test(tcase, each_attempt_asks_again);
    tcase_add_test(tcase, a_question_keeps_the_loop_running);
    tcase_add_loop_test(tcase, a_refusal_is_the_error_of_the_login, 0, (int)(sizeof refusals / sizeof refusals[0]));
    tcase_add_test(tcase, a_zero_byte_in_a_password_is_refused);
    tcase_add_loop_test(tcase, a_slow_vault_is_another_hosts_chance, 0, 2);
    tcase_add_loop_test(tcase, a_connection_freed_or_closed_cancels_its_question, 0, 2);
    tcase_add_loop_test(tcase, the_connection_may_be_ended_by_whoever_is_asked, 0, 2);
    tcase_add_loop_test(tcase, an_answer_on_its_way_is_dropped_with_the_connection, 0, 4);
    tcase_add_test(tcase, time_runs_while_the_program_thinks);
    tcase_add_loop_test(tcase, a_question_outlives_its_loop, 0, 2);
    tcase_add_loop_test(tcase, whoever_is_canceled_stops_what_he_waits_by, 0, 3);
    tcase_add_test(tcase, a_loop_freed_with_an_answer_on_its_way_tells_nobody);
    suite_add_tcase(suite, tcase);
    return suite;
}
