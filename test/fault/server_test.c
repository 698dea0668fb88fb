/* What a real server will not do: it breaks off, falls silent, lies about lengths, answers too much, too little or too early,
 * and floods, after every message of a conversation. Each request ends once, with the code and fate of docs/guarantees.md, and
 * memory does not grow with what is announced.
 * Read first: test/harness/script_server.h, reliability 1.6, G5, G6. */
#include "test/harness/harness.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <tusk/tusk.h>

#include "test/harness/script_server.h"

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

/* ---- an allocator that knows how many bytes are out ------------------------------------------------------------------------ */

static atomic_size_t live, peak;

static void grown(size_t by)
{
    size_t now = atomic_fetch_add(&live, by) + by, old = atomic_load(&peak);

    while (now > old && !atomic_compare_exchange_weak(&peak, &old, now))
        continue;
}

static void *count_malloc(size_t size, void *user)
{
    max_align_t *block = malloc(sizeof *block + size);

    (void)user;
    if (!block)
        return NULL;
    memcpy(block, &size, sizeof size);
    grown(size);
    return block + 1;
}

static void count_free(void *ptr, void *user)
{
    max_align_t *block = ptr;
    size_t size;

    (void)user;
    if (!block)
        return;
    memcpy(&size, --block, sizeof size);
    atomic_fetch_sub(&live, size);
    free(block);
}

static void *count_realloc(void *ptr, size_t size, void *user)
{
    void *fresh = count_malloc(size, user);
    size_t old;

    if (!fresh || !ptr)
        return fresh;
    memcpy(&old, (max_align_t *)ptr - 1, sizeof old);
    memcpy(fresh, ptr, old < size ? old : size);
    count_free(ptr, user);
    return fresh;
}

static const tusk_allocator counting = {count_malloc, count_realloc, count_free, NULL};

/* ---- a server, a loop and a connection ------------------------------------------------------------------------------------- */

static script_server *server;
static tusk_loop *loop;
static tusk_conn *db;

/* with: more of the DSN, "&connect_timeout=1" */
static void up_as(const char *script, const char *with, tusk_closed_fn on_closed, void *user)
{
    char dsn[200];

    atomic_store(&live, 0);
    atomic_store(&peak, 0);
    server = script_start(script);
    ck_assert_ptr_nonnull(server);
    loop = tusk_loop_open(&(tusk_loop_config){.allocator = &counting}, NULL);
    ck_assert_ptr_nonnull(loop);
    snprintf(dsn, sizeof dsn, "postgresql://app:secret@127.0.0.1:%d/db?sslmode=disable%s", script_port(server), with);
    db = tusk_conn_open(loop, &(tusk_config){.dsn = dsn, .on_closed = on_closed, .user_data = user});
    ck_assert_ptr_nonnull(db);
}

static void up_with(const char *script, const char *with)
{
    up_as(script, with, NULL, NULL);
}

static void up(const char *script)
{
    up_with(script, "");
}

/* A helper thread that the loop was freed under gives back what is its own by itself, when it leaves. */
static void ck_nothing_is_left(void)
{
    for (int i = 0; i < 10000 && atomic_load(&live) != 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    ck_assert_uint_eq(atomic_load(&live), 0);
}

/* What did not go as written; NULL if all did. */
static const char *down(void)
{
    const char *wrong;

    tusk_conn_free(db);
    tusk_loop_free(loop);
    loop = NULL;
    wrong = script_stop(server);
    ck_nothing_is_left();
    return wrong;
}

static void down_well(void)
{
    const char *wrong = down();

    ck_assert_msg(!wrong, "%s", wrong);
}

static void turn(double seconds)
{
    tusk_error err = {0};

    ck_assert_msg(tusk_loop_turn(loop, seconds, &err) == TUSK_OK, "%s", err.message);
}

static void turn_for(double seconds)
{
    int64_t until = tusk_loop_now_us(loop) + (int64_t)(seconds * 1e6), now;

    while ((now = tusk_loop_now_us(loop)) < until)
        turn((double)(until - now) / 1e6);
}

static const char *said(const tusk_error *err)
{
    static char text[1024];
    size_t len = (size_t)snprintf(text, sizeof text, "%s, %s: ", tusk_code_name(err->code), tusk_fate_name(err->fate));

    tusk_error_format(err, text + len, sizeof text - len);
    return text;
}

static void ck_end(tusk_query *q, tusk_code code, tusk_fate fate)
{
    tusk_await(q);
    ck_assert_msg(tusk_query_code(q) == code && (code == TUSK_OK || tusk_query_error(q)->fate == fate),
                  "wanted %s, %s: %s", tusk_code_name(code), tusk_fate_name(fate), said(tusk_query_error(q)));
    ck_assert(code == TUSK_OK || tusk_query_error(q)->sqlstate[0]);
    tusk_query_free(q);
}

static tusk_query *ask(const char *sql)
{
    tusk_query *q = tusk_exec(db, sql, TUSK_NO_PARAMS);

    ck_assert_ptr_nonnull(q);
    return q;
}

/* The answer to one exec, in one row of one int4. */
#define EXEC_HEAD "parse_complete; parameter_description; row_description a:23:1; bind_complete"
#define EXEC_ONE EXEC_HEAD "; row x:00000001; command_complete SELECT 1; ready I"

/* ---- faults after every message of a conversation --------------------------------------------------------------------------- */

/* '<': what the client says; '>': one message of the server; '=': the same, and from then on a request is answered. */
static const char *const trust[] = {"<expect startup", ">auth ok", NULL};
static const char *const md5[] = {"<expect startup", ">auth md5 x:01020304", "<expect password", ">auth ok", NULL};
static const char *const *const logins[] = {trust, md5};
static const char *const talk[] = {
    ">status server_version 15.1",
    ">key 7 abcd",
    "=ready I", /* the login */
    "<skip until sync",
    ">parse_complete",
    ">parameter_description",
    ">row_description a:23:1",
    ">bind_complete",
    ">row x:00000001",
    ">command_complete SELECT 1",
    "=ready I", /* the exec */
    "<skip until sync",
    ">parse_complete",
    ">parameter_description 23",
    ">row_description a:23",
    "=ready I", /* the prepare */
    "<skip until query",
    ">bind_complete",
    ">row x:00000001",
    ">command_complete SELECT 1",
    "=ready I", /* the first run */
    ">bind_complete",
    ">row x:00000002",
    ">command_complete SELECT 1",
    "=ready I", /* the second run */
    ">row_description a:23",
    ">row 1",
    ">command_complete SELECT 1",
    ">command_complete SET",
    "=ready I", /* the script */
    NULL,
};

enum { LOGIN, EXEC, PREPARE, RUN_1, RUN_2, SCRIPT, N_REQUESTS };

typedef struct conversation {
    char script[8000];
    int n_sent;               /* messages of the server up to the fault */
    int answered[N_REQUESTS]; /* how many messages answer each request */
    const char *last;         /* the last message before the fault */
} conversation;

static void say(conversation *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(conversation *c, const char *format, ...)
{
    size_t len = strlen(c->script);
    va_list args;

    va_start(args, format);
    vsnprintf(c->script + len, sizeof c->script - len, format, args);
    va_end(args);
}

/* The conversation with `fault` behind the first n messages, and the rest behind it if goes_on. False: it has fewer. "%s" in the
 * fault is the last message. */
static bool converse(conversation *c, const char *const *login, int n, const char *fault, bool goes_on)
{
    const char *const *parts[] = {login, talk};
    int at = 0, request = 0;

    *c = (conversation){.n_sent = n};
    for (size_t part = 0; part < N_OF(parts); part++)
        for (const char *const *line = parts[part]; *line; line++) {
            if (**line == '<') {
                if (at < n || goes_on)
                    say(c, "%s\n", *line + 1);
                continue;
            }
            at++;
            if (at <= n || goes_on)
                say(c, "send %s\n", *line + 1);
            if (**line == '=')
                c->answered[request++] = at;
            if (at == n) {
                c->last = *line + 1;
                for (const char *f = fault; *f; f++)
                    if (*f == '%')
                        say(c, "%s", c->last);
                    else
                        say(c, "%c", *f);
            }
        }
    say(c, "wait until closed\n");
    return n <= at;
}

typedef struct ending {
    int n_done;
    tusk_error err;
} ending;

static void on_done(tusk_query *q, void *user)
{
    ending *s = user;

    s->n_done++;
    s->err = *tusk_query_error(q);
}

/* All requests at once; until each has ended. */
static void hold_conversation(const conversation *c, double timeout, ending seen[N_REQUESTS])
{
    tusk_query *waits[2];
    tusk_stmt *stmt;
    char with[60] = "";
    int n_open = N_REQUESTS;

    memset(seen, 0, N_REQUESTS * sizeof *seen);
    if (timeout > 0)
        snprintf(with, sizeof with, "&connect_timeout=2");
    up_with(c->script, with);
    waits[0] = tusk_conn_ready(db);
    tusk_submit(db, &(tusk_request){.sql = "select 1", .timeout = timeout, .on_done = on_done, .user = &seen[EXEC]});
    stmt = tusk_prepare(db, "select $1", NULL, 0);
    waits[1] = tusk_stmt_ready(stmt);
    for (int i = RUN_1; i <= RUN_2; i++)
        tusk_submit(db, &(tusk_request){.stmt = stmt,
                                        .params = TUSK_PARAMS(tusk_int4(i)),
                                        .timeout = timeout,
                                        .on_done = on_done,
                                        .user = &seen[i]});
    tusk_submit(db, &(tusk_request){.sql = "select 1; set x to 1",
                                    .script = true,
                                    .timeout = timeout,
                                    .on_done = on_done,
                                    .user = &seen[SCRIPT]});
    for (int i = 0; i < 2000 && n_open > 0; i++) {
        n_open = 0;
        for (int k = 0; k < N_REQUESTS; k++)
            if (k != LOGIN && k != PREPARE)
                n_open += seen[k].n_done == 0;
        if (timeout <= 0)
            n_open += !tusk_query_is_done(waits[0]) + !tusk_query_is_done(waits[1]);
        if (n_open > 0)
            turn(0.01);
    }
    ck_assert_msg(n_open == 0, "%d requests never end:\n%s", n_open, c->script);
    for (int k = 0; k < 2; k++) {
        seen[k == 0 ? LOGIN : PREPARE].n_done = 1;
        if (tusk_query_is_done(waits[k]))
            seen[k == 0 ? LOGIN : PREPARE].err = *tusk_query_error(waits[k]);
        tusk_query_free(waits[k]);
    }
    turn(0);
    turn(0);
    tusk_stmt_free(stmt);
    (void)down();
}

/* Its fate, if it failed because the connection did. Where the fault comes glued to the message that lets it go, both are right. */
static bool has_fate(const conversation *c, int request, const tusk_error *err)
{
    int goes_at = c->answered[request <= PREPARE ? LOGIN : PREPARE];

    if (request == LOGIN || c->n_sent < goes_at)
        return err->fate == TUSK_FATE_NOT_SENT;
    return c->n_sent == goes_at || err->fate == TUSK_FATE_UNKNOWN;
}

static void check_end(const conversation *c, tusk_code code, tusk_code code_in_login, const char *sqlstate)
{
    ending seen[N_REQUESTS];

    hold_conversation(c, 0, seen);
    for (int i = 0; i < N_REQUESTS; i++) {
        const tusk_error *err = &seen[i].err;
        tusk_code wanted = c->n_sent >= c->answered[i]      ? TUSK_OK
                           : c->n_sent < c->answered[LOGIN] ? code_in_login
                                                            : code;

        ck_assert_int_eq(seen[i].n_done, 1);
        ck_assert_msg(err->code == wanted, "request %d: %s\n%s", i, said(err), c->script);
        if (wanted == TUSK_OK)
            continue;
        ck_assert_msg(has_fate(c, i, err), "request %d is %s:\n%s", i, said(err), c->script);
        ck_assert(err->sqlstate[0]);
        ck_assert_msg(!sqlstate || strcmp(err->sqlstate, sqlstate) == 0, "request %d: %s\n%s", i, said(err), c->script);
    }
}

START_TEST(d36_the_end_after_every_message_completes_each_request_once)
{
    static const struct {
        const char *fault;
        tusk_code code, in_login;
        const char *sqlstate;
    } ends[] = {
        {"close\n", TUSK_ERR_LOST, TUSK_ERR_LOST, NULL},
        {"reset\n", TUSK_ERR_LOST, TUSK_ERR_LOST, NULL},
        {"send raw D x:000000\nclose\n", TUSK_ERR_LOST, TUSK_ERR_PROTOCOL, NULL},
        {"send raw x:ff\n", TUSK_ERR_PROTOCOL, TUSK_ERR_PROTOCOL, "08P01"},
        {"send error S=FATAL V=FATAL C=57P01 M=\"bye\"\nclose\n", TUSK_ERR_LOST, TUSK_ERR_CONNECT, "57P01"},
    };
    conversation c;

    for (int n = 1; converse(&c, logins[_i], n, "", false); n++)
        for (size_t k = 0; k < N_OF(ends); k++) {
            if (k == 2)
                continue; /* its verdict depends on whether rows are legal there */
            converse(&c, logins[_i], n, ends[k].fault, false);
            check_end(&c, ends[k].code, ends[k].in_login, ends[k].sqlstate);
        }
}
END_TEST

/* Answered is what was answered before the silence, all the rest is past its deadline. The first that is not so, or -1. */
static int not_ended_by_the_silence(const conversation *c, const ending *seen)
{
    for (int i = 0; i < N_REQUESTS; i++) {
        const tusk_error *err = &seen[i].err;
        bool is_answered = c->n_sent >= c->answered[i];
        bool is_either = c->n_sent == c->answered[LOGIN] || c->n_sent == c->answered[PREPARE];

        if (i == LOGIN || i == PREPARE)
            continue; /* without a deadline of their own */
        if (err->code != (is_answered ? TUSK_OK : TUSK_ERR_TIMEOUT))
            return i;
        if (!is_answered && !is_either && !has_fate(c, i, err))
            return i;
    }
    return -1;
}

/* On a busy machine a short deadline may be over before the silence begins; so may a long one, but not every one. */
START_TEST(d36_silence_after_every_message_ends_with_the_deadline)
{
    conversation c;

    for (int n = 1; converse(&c, logins[_i], n, "stall\n", false); n++) {
        ending seen[N_REQUESTS];
        int wrong = 0;

        for (double deadline = 0.03; wrong >= 0 && deadline < 10; deadline *= 10) {
            hold_conversation(&c, deadline, seen);
            for (int i = 0; i < N_REQUESTS; i++)
                ck_assert_int_eq(seen[i].n_done, 1);
            wrong = not_ended_by_the_silence(&c, seen);
        }
        ck_assert_msg(wrong < 0, "request %d: %s\n%s", wrong, said(&seen[wrong < 0 ? 0 : wrong].err), c.script);
    }
}
END_TEST

START_TEST(d12_a_flood_of_notices_after_every_message_is_harmless)
{
    conversation c;

    for (int n = 1; converse(&c, logins[_i], n, "", false); n++) {
        ending seen[N_REQUESTS];

        converse(&c, logins[_i], n, "1000 times send notice S=NOTICE V=NOTICE C=00000 M=\"on and on\"\n", true);
        hold_conversation(&c, 0, seen);
        for (int i = 0; i < N_REQUESTS; i++) {
            ck_assert_int_eq(seen[i].n_done, 1);
            ck_assert_msg(seen[i].err.code == TUSK_OK, "request %d: %s\n%s", i, said(&seen[i].err), c.script);
        }
        ck_assert_uint_lt(atomic_load(&peak), 512 * 1024);
    }
}
END_TEST

/* A message too many: whatever it is, each request ends once, and not with a code that means something else. */
static void check_surplus(const conversation *c)
{
    ending seen[N_REQUESTS];

    hold_conversation(c, 0, seen);
    for (int i = 0; i < N_REQUESTS; i++) {
        const tusk_error *err = &seen[i].err;

        ck_assert_int_eq(seen[i].n_done, 1);
        ck_assert_msg(err->code == TUSK_OK || err->code == TUSK_ERR_PROTOCOL || err->code == TUSK_ERR_LOST ||
                          err->code == TUSK_ERR_USAGE || err->code == TUSK_ERR_SERVER || err->code == TUSK_ERR_AUTH ||
                          err->code == TUSK_ERR_CONNECT,
                      "request %d: %s\n%s", i, said(err), c->script);
        ck_assert_msg(c->n_sent < c->answered[i] || err->code == TUSK_OK, "request %d: %s\n%s", i, said(err),
                      c->script);
    }
}

START_TEST(d33_every_message_may_be_sent_twice)
{
    conversation c;

    for (int n = 1; converse(&c, logins[_i], n, "", false); n++) {
        converse(&c, logins[_i], n, "send %\n", true);
        check_surplus(&c);
    }
}
END_TEST

START_TEST(d33_every_type_may_follow_every_message)
{
    static const char *const messages[] = {"auth ok",
                                           "key 7 abcd",
                                           "ready I",
                                           "parse_complete",
                                           "bind_complete",
                                           "close_complete",
                                           "no_data",
                                           "empty_query",
                                           "portal_suspended",
                                           "copy_done",
                                           "row x:00000001",
                                           "row_description b:25",
                                           "copy_in text 1",
                                           "copy_out text 1",
                                           "copy_both text 1",
                                           "copy_data \"1\"",
                                           "parameter_description 23",
                                           "negotiate 3.0",
                                           "function_result 1",
                                           "command_complete SELECT 1",
                                           "error S=ERROR V=ERROR C=42601 M=no",
                                           "notification 1 a b",
                                           "frame \"!\" x:00"};
    conversation c;
    char fault[100];

    for (size_t k = 0; k < N_OF(messages); k++) {
        snprintf(fault, sizeof fault, "send %s\n", messages[k]);
        for (int n = 1; converse(&c, trust, n, fault, true); n++)
            check_surplus(&c);
    }
}
END_TEST

/* ---- lengths --------------------------------------------------------------------------------------------------------------- */

START_TEST(d04_a_header_costs_no_memory_until_its_bytes_arrive)
{
    static const char types[] = "RKZ123CDETtSNAIsnVGHWdcv";
    static const char *const lengths[] = {"7fffffff", "3fffffff", "3ffffffe", "ffffffff", "00000003"};
    conversation c;
    char fault[100];

    for (size_t k = 0; types[k]; k++)
        for (int n = 1; n < 28; n++) {
            size_t before;

            snprintf(fault, sizeof fault, "send raw %c x:%s\n", types[k], lengths[(size_t)n % N_OF(lengths)]);
            if (_i == 1)
                snprintf(fault, sizeof fault, "send raw %c x:%s\n", types[k], lengths[2]);
            ck_assert(converse(&c, trust, n, fault, false));
            up(c.script);
            tusk_submit(db, &(tusk_request){.sql = "select 1"});
            tusk_stmt_free(tusk_prepare(db, "select $1", NULL, 0));
            before = atomic_load(&live);
            for (int i = 0; i < 4 && tusk_conn_get_state(db) != TUSK_CONN_CLOSED; i++)
                turn(0.001);
            ck_assert_uint_lt(atomic_load(&peak) - before, (64 + 64 + 32) * 1024); /* an in and an out chunk are lent */
            (void)down();
        }
}
END_TEST

/* ---- COPY that nobody asked for ---------------------------------------------------------------------------------------------- */

START_TEST(d18_copy_unasked_ends_the_connection_and_no_data_is_sent)
{
    static const char *const copies[] = {"copy_in text 1", "copy_out text 1", "copy_both text 1", "copy_in binary 3"};
    char script[400];

    for (size_t i = 0; i < N_OF(copies); i++) {
        snprintf(script, sizeof script, "login\nskip until sync\nsend " EXEC_HEAD "; %s\n%swait until closed\n",
                 copies[i], strncmp(copies[i], "copy_in", 7) == 0 ? "expect copy_fail\nexpect eof\n" : "expect eof\n");
        up(script);
        ck_end(ask("select 1"), TUSK_ERR_PROTOCOL, TUSK_FATE_UNKNOWN);
        ck_assert_int_eq(tusk_conn_error(db)->code, TUSK_ERR_PROTOCOL);
        ck_end(ask("select 2"), TUSK_ERR_PROTOCOL, TUSK_FATE_NOT_SENT);
        down_well();
    }
}
END_TEST

START_TEST(d18_copy_in_of_a_script_is_refused_once_and_a_second_one_ends_the_connection)
{
    tusk_query *q;

    up("login\nexpect query\n"
       "send copy_in text 1\nexpect copy_fail\n"
       "send error S=ERROR V=ERROR C=57014 M=\"COPY from stdin failed\"; ready I\n"
       "skip until sync\nsend " EXEC_ONE "\nwait until closed\n");
    q = tusk_script(db, "copy t from stdin");
    ck_end(q, TUSK_ERR_USAGE, TUSK_FATE_ANSWERED);
    ck_end(ask("select 1"), TUSK_OK, 0);
    down_well();

    up("login\nexpect query\n"
       "10000 times send copy_in text 1; command_complete COPY 0\nwait until closed\n");
    q = tusk_script(db, "copy t from stdin");
    tusk_await(q);
    ck_assert_int_ne(tusk_query_code(q), TUSK_OK);
    ck_assert_int_eq(tusk_conn_error(db)->code, TUSK_ERR_PROTOCOL);
    tusk_query_free(q);
    (void)down();
}
END_TEST

/* ---- ReadyForQuery --------------------------------------------------------------------------------------------------------------- */

START_TEST(d33_a_surplus_ready_ends_the_connection_and_the_next_request_is_not_sent)
{
    up("login\nskip until sync\nsend " EXEC_ONE "; ready I\nexpect eof\n");
    ck_end(ask("select 1"), TUSK_OK, 0);
    for (int i = 0; i < 100 && tusk_conn_get_state(db) != TUSK_CONN_CLOSED; i++)
        turn(0.01);
    ck_assert_int_eq(tusk_conn_error(db)->code, TUSK_ERR_PROTOCOL);
    ck_end(ask("select 2"), TUSK_ERR_PROTOCOL, TUSK_FATE_NOT_SENT);
    down_well();
}
END_TEST

START_TEST(d33_a_missing_ready_ends_the_connection_and_the_neighbour_gets_nothing)
{
    tusk_query *a, *b;

    up("login\nskip until sync\nskip until sync\n"
       "send " EXEC_HEAD "; row x:00000001; command_complete SELECT 1; " EXEC_ONE "\nexpect eof\n");
    a = ask("select 1");
    b = ask("select 2");
    ck_end(a, TUSK_ERR_PROTOCOL, TUSK_FATE_UNKNOWN);
    ck_end(b, TUSK_ERR_PROTOCOL, TUSK_FATE_UNKNOWN);
    down_well();
}
END_TEST

START_TEST(d33_an_answer_before_the_question_ends_the_connection)
{
    tusk_query *q;

    up("login\nsend " EXEC_ONE "\nexpect eof\n");
    ck_end(tusk_conn_ready(db), TUSK_OK, 0);
    for (int i = 0; i < 100 && tusk_conn_get_state(db) != TUSK_CONN_CLOSED; i++)
        turn(0.01);
    q = ask("select 1");
    ck_end(q, TUSK_ERR_PROTOCOL, TUSK_FATE_NOT_SENT);
    down_well();
}
END_TEST

/* Half of it is still here, and the server has answered it whole. */
START_TEST(d33_an_answer_before_the_question_was_sent_whole_ends_the_connection)
{
    size_t size = 50u << 20;
    char *big = malloc(size);
    tusk_query *q;

    ck_assert_ptr_nonnull(big);
    memset(big, 'x', size);
    up("login\npause 200\nsend " EXEC_ONE "\nwait until closed\n");
    ck_end(tusk_conn_ready(db), TUSK_OK, 0);
    q = tusk_exec(db, "select length($1)", TUSK_PARAMS(tusk_text_str(tusk_str_from(big, size))));
    ck_end(q, TUSK_ERR_PROTOCOL, TUSK_FATE_UNKNOWN);
    (void)down();
    free(big);
}
END_TEST

/* ---- floods ------------------------------------------------------------------------------------------------------------------ */

/* The echo server, which floods when it is asked "flood": words are too slow for a million messages. */
static bool answer_flood(unsigned connection, uint8_t type, tusk_str body, tusk__writer *out, void *user)
{
    const char *what = user;

    (void)connection;
    if (type != TUSK__F_QUERY || body.len < 5 || memcmp(body.ptr, "flood", 5) != 0)
        return false;
    for (int i = 0; i < 1000000; i++) {
        char text[40];
        int len = snprintf(text, sizeof text, "name_%d", i);
        size_t at = tusk__message_begin(out, (uint8_t)*what);

        if (*what == 'A')
            tusk__write_u32(out, 7);
        if (*what == 'N')
            tusk__write_u8(out, 'M');
        tusk__write_cstr(out, tusk_str_from(text, (size_t)len));
        if (*what == 'N')
            tusk__write_u8(out, 0);
        else
            tusk__write_cstr(out, tusk_str_from(text, (size_t)len));
        tusk__message_end(out, at);
    }
    tusk__command_complete_write(out, tusk_str_of("DO"));
    tusk__ready_for_query_write(out, 'I');
    return true;
}

START_TEST(d04_a_million_settings_notices_or_notifications_do_not_grow_memory)
{
    static const char what[] = "SNA";
    char kind[2] = {what[_i], 0};
    script_server *echo = script_start_echo(answer_flood, kind);
    char dsn[200];
    tusk_query *q;
    size_t before;

    atomic_store(&live, 0);
    atomic_store(&peak, 0);
    loop = tusk_loop_open(&(tusk_loop_config){.allocator = &counting}, NULL);
    snprintf(dsn, sizeof dsn, "postgresql://app@127.0.0.1:%d/db?sslmode=disable", script_port(echo));
    db = tusk_connect(loop, dsn);
    ck_end(tusk_conn_ready(db), TUSK_OK, 0);
    before = atomic_load(&live);
    q = tusk_script(db, "flood");
    if (what[_i] == 'S') {
        ck_end(q, TUSK_ERR_PROTOCOL, TUSK_FATE_UNKNOWN);
    } else {
        ck_end(q, TUSK_OK, 0);
        ck_end(ask("select 1"), TUSK_OK, 0);
    }
    ck_assert_uint_lt(atomic_load(&peak) - before, 512 * 1024);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    ck_nothing_is_left();
    ck_assert_ptr_null(script_stop(echo));
}
END_TEST

static bool answer_results(unsigned connection, uint8_t type, tusk_str body, tusk__writer *out, void *user)
{
    (void)connection, (void)body, (void)user;
    if (type != TUSK__F_QUERY)
        return false;
    for (int i = 0; i < 200000; i++)
        tusk__command_complete_write(out, tusk_str_of("SET"));
    tusk__ready_for_query_write(out, 'I');
    return true;
}

/* The results of a script are counted together, and a result without a row is not for nothing. */
START_TEST(d04_results_without_number_are_within_max_result_bytes)
{
    script_server *echo = script_start_echo(answer_results, NULL);
    char dsn[200];
    tusk_query *q;

    atomic_store(&live, 0);
    atomic_store(&peak, 0);
    loop = tusk_loop_open(&(tusk_loop_config){.allocator = &counting}, NULL);
    snprintf(dsn, sizeof dsn, "postgresql://app@127.0.0.1:%d/db?sslmode=disable", script_port(echo));
    db = tusk_connect(loop, dsn);
    q = tusk_submit(db, &(tusk_request){.sql = "set x", .script = true, .max_result_bytes = 1 << 20});
    ck_end(q, TUSK_ERR_LIMIT, TUSK_FATE_ANSWERED);
    ck_assert_uint_lt(atomic_load(&peak), 3 << 20);
    q = tusk_script(db, "set x"); /* nobody wants it: nothing is kept */
    tusk_query_free(q);
    atomic_store(&peak, 0);
    ck_end(tusk_submit(db, &(tusk_request){.sql = "set x", .script = true, .max_result_bytes = 1 << 20}),
           TUSK_ERR_LIMIT, TUSK_FATE_ANSWERED);
    ck_assert_uint_lt(atomic_load(&peak), 3 << 20);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    ck_nothing_is_left();
    ck_assert_ptr_null(script_stop(echo));
}
END_TEST

START_TEST(a_server_that_does_not_read_costs_what_was_queued_and_the_deadline_ends_it)
{
    enum { N = 50 };
    size_t size = 1u << 20;
    char *big = malloc(size);
    tusk_query *qs[N];

    ck_assert_ptr_nonnull(big);
    memset(big, 'x', size);
    up("login\nstall\n");
    ck_end(tusk_conn_ready(db), TUSK_OK, 0);
    for (int i = 0; i < N; i++)
        qs[i] = tusk_submit(db, &(tusk_request){.sql = "select $1",
                                                .params = TUSK_PARAMS(tusk_text_str(tusk_str_from(big, size))),
                                                .timeout = 0.3});
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(tusk_await(qs[i]), TUSK_ERR_TIMEOUT);
        ck_assert_int_eq(tusk_query_error(qs[i])->fate, TUSK_FATE_UNKNOWN);
    }
    ck_assert_int_eq(tusk_query_error(qs[N - 1])->fate,
                     TUSK_FATE_UNKNOWN); /* it is in the out buffer, and would be sent */
    ck_assert_uint_lt(atomic_load(&peak), 3 * N * size);
    for (int i = 0; i < N; i++)
        tusk_query_free(qs[i]);
    (void)down();
    free(big);
}
END_TEST

/* ---- cancel ------------------------------------------------------------------------------------------------------------------ */

static void cancel_head(void)
{
    tusk_query *q;

    ck_end(tusk_conn_ready(db), TUSK_OK, 0);
    q = ask("select pg_sleep(100)");
    turn_for(0.02);
    tusk_query_cancel(q);
    ck_end(q, TUSK_ERR_CANCELED, TUSK_FATE_UNKNOWN);
}

START_TEST(d34_a_cancel_that_is_never_hung_up_ends_the_connection)
{
    int64_t begun;

    up("login\nskip until sync\nwait until closed\nconnection\nstall\n");
    cancel_head();
    begun = tusk_loop_now_us(loop);
    ck_end(ask("select 2"), TUSK_ERR_LOST, TUSK_FATE_NOT_SENT);
    ck_assert_int_ge(tusk_loop_now_us(loop) - begun, 1900000); /* and no later: sim_time_test */
    (void)down();
}
END_TEST

START_TEST(d34_a_cancel_that_is_reset_ends_the_connection)
{
    up("login\nskip until sync\nwait until closed\nconnection\nreset\n");
    cancel_head();
    ck_end(ask("select 2"), TUSK_ERR_LOST, TUSK_FATE_NOT_SENT);
    (void)down();
}
END_TEST

START_TEST(d34_a_late_57014_hits_the_fence_and_not_the_neighbour)
{
    tusk_query *q;

    up("login\nskip until sync\ncancel expected\n"
       "send " EXEC_ONE "\n" /* it had ended before the cancel came */
       "expect query\n"      /* the fence, and nothing behind it */
       "expect nothing 50\n"
       "send error S=ERROR V=ERROR C=57014 M=late; ready I\n"
       "skip until sync\nsend " EXEC_ONE "\nwait until closed\n");
    ck_end(tusk_conn_ready(db), TUSK_OK, 0);
    q = ask("select pg_sleep(100)");
    turn_for(0.02);
    tusk_query_cancel(q);
    ck_end(q, TUSK_ERR_CANCELED, TUSK_FATE_UNKNOWN);
    ck_end(ask("select 2"), TUSK_OK, 0);
    down_well();
}
END_TEST

START_TEST(d34_a_request_with_others_behind_it_is_not_canceled_on_the_server)
{
    tusk_query *a, *b;

    up("login\nskip until sync\nskip until sync\npause 50\nsend " EXEC_ONE "; " EXEC_ONE "\nwait until closed\n");
    ck_end(tusk_conn_ready(db), TUSK_OK, 0);
    a = ask("select 1");
    b = ask("select 2");
    turn_for(0.02);
    tusk_query_cancel(a);
    ck_end(a, TUSK_ERR_CANCELED, TUSK_FATE_UNKNOWN);
    ck_end(b, TUSK_OK, 0);
    down_well(); /* it would tell of a cancel that nobody expected */
}
END_TEST

/* ---- the end of the connection ------------------------------------------------------------------------------------------------ */

START_TEST(d37_goodbye_while_idle_the_next_request_is_not_sent_and_the_connection_tells_why)
{
    up("login\nskip until sync\nsend " EXEC_ONE
       "\nsend error S=FATAL V=FATAL C=57P01 M=\"terminating connection due to administrator command\"\nclose\n");
    ck_end(ask("select 1"), TUSK_OK, 0);
    for (int i = 0; i < 100 && tusk_conn_get_state(db) != TUSK_CONN_CLOSED; i++)
        turn(0.01);
    ck_end(ask("select 2"), TUSK_ERR_LOST, TUSK_FATE_NOT_SENT);
    ck_assert_str_eq(tusk_conn_error(db)->sqlstate, "57P01");
    ck_assert_str_eq(tusk_conn_error(db)->message, "terminating connection due to administrator command");
    ck_assert_int_eq(tusk_conn_error(db)->column, -1);
    down_well();
}
END_TEST

START_TEST(d12_a_thousand_fatals_are_one)
{
    tusk_query *a, *b;

    up("login\nskip until sync\n1000 times send error S=FATAL V=FATAL C=57P01 M=bye\nclose\n");
    a = ask("select 1");
    b = ask("commit");
    ck_end(a, TUSK_ERR_LOST, TUSK_FATE_UNKNOWN);
    ck_end(b, TUSK_ERR_COMMIT_UNKNOWN, TUSK_FATE_UNKNOWN);
    (void)down();
}
END_TEST

START_TEST(a_commit_that_a_broken_protocol_cuts_off_is_unknown)
{
    up("login\nskip until sync\nsend raw ~ x:0000000400\nexpect eof\n");
    ck_end(ask("commit"), TUSK_ERR_COMMIT_UNKNOWN, TUSK_FATE_UNKNOWN);
    ck_assert_int_eq(tusk_conn_error(db)->code, TUSK_ERR_PROTOCOL);
    down_well();
}
END_TEST

START_TEST(the_end_in_the_middle_of_a_row_hands_out_no_part_of_it)
{
    tusk_query *q;
    tusk_row row;

    up("login\nskip until sync\nsend " EXEC_HEAD "; row x:00000001\nsend raw D x:0000000e0001000000040000\nclose\n");
    q = ask("select 1");
    ck_assert(tusk_next_row(q, &row));
    ck_assert_int_eq(tusk_get_int4(&row, 0), 1);
    ck_assert(!tusk_next_row(q, &row));
    ck_end(q, TUSK_ERR_LOST, TUSK_FATE_UNKNOWN);
    down_well();
}
END_TEST

/* ---- rows -------------------------------------------------------------------------------------------------------------------- */

static int n_rows;

static void pause_for_ever(tusk_query *q, const tusk_row *row, void *user)
{
    (void)row, (void)user;
    n_rows++;
    ck_assert_int_eq(tusk_query_pause(q), TUSK_OK);
}

START_TEST(a_pause_for_ever_ends_with_the_deadline)
{
    ending done = {0};

    n_rows = 0;
    up("login\nskip until sync\nsend " EXEC_HEAD "; row x:00000001; row x:00000002\ncancel expected\n"
       "send error S=ERROR V=ERROR C=57014 M=canceled; ready I\n"
       "expect query\nsend empty_query; ready I\nskip until sync\nsend " EXEC_ONE "\nwait until closed\n");
    tusk_submit(db,
                &(tusk_request){
                    .sql = "select 1", .timeout = 0.1, .on_row = pause_for_ever, .on_done = on_done, .user = &done});
    ck_end(ask("select 2"), TUSK_OK, 0);
    ck_assert_int_eq(done.n_done, 1);
    ck_assert_int_eq(done.err.code, TUSK_ERR_TIMEOUT);
    ck_assert_int_eq(done.err.fate, TUSK_FATE_UNKNOWN);
    ck_assert_int_eq(n_rows, 1);
    down_well();
}
END_TEST

START_TEST(a_paused_query_that_is_freed_lets_go_of_those_behind_it)
{
    tusk_query *paused, *behind;

    n_rows = 0;
    up("login\nskip until sync\nsend " EXEC_HEAD
       "; row x:00000001; row x:00000002; command_complete SELECT 2; ready I\n"
       "skip until sync\nsend " EXEC_ONE "\nwait until closed\n");
    paused = tusk_submit(db, &(tusk_request){.sql = "select 1", .on_row = pause_for_ever});
    behind = ask("select 2");
    for (int i = 0; i < 500 && n_rows == 0; i++)
        turn(0.01);
    turn(0);
    tusk_query_free(paused);
    for (int i = 0; i < 500 && !tusk_query_is_done(behind); i++)
        turn(0.01); /* not tusk_await(), which looks after the socket itself */
    ck_assert(tusk_query_is_done(behind));
    ck_end(behind, TUSK_OK, 0);
    ck_assert_int_eq(n_rows, 1);
    down_well();
}
END_TEST

START_TEST(beyond_max_result_bytes_the_rest_is_drained_and_the_connection_is_usable)
{
    tusk_query *q;

    up("login\nskip until sync\nsend " EXEC_HEAD "\n10000 times send row x:00000001\n"
       "send command_complete SELECT 10000; ready I\nskip until sync\nsend " EXEC_ONE "\nwait until closed\n");
    q = tusk_submit(db, &(tusk_request){.sql = "select 1", .max_result_bytes = 10000});
    ck_end(q, TUSK_ERR_LIMIT, TUSK_FATE_ANSWERED);
    ck_end(ask("select 2"), TUSK_OK, 0);
    ck_assert_uint_lt(atomic_load(&peak), 512 * 1024);
    down_well();
}
END_TEST

/* What it became is not known: the server has not said that it ended. */
START_TEST(beyond_max_result_bytes_and_lost_the_fate_is_unknown)
{
    tusk_query *q;

    up("login\nskip until sync\nsend " EXEC_HEAD "\n2000 times send row x:00000001\nclose\n");
    q = tusk_submit(db, &(tusk_request){.sql = "insert … returning 1", .max_result_bytes = 5000});
    ck_end(q, TUSK_ERR_LIMIT, TUSK_FATE_UNKNOWN);
    down_well();
}
END_TEST

/* Nor is it at the deadline: the server has not said what became of it. */
START_TEST(beyond_max_result_bytes_and_past_the_deadline_the_fate_is_unknown)
{
    tusk_query *q;

    up("login\nskip until sync\nsend " EXEC_HEAD "\n2000 times send row x:00000001\nstall\n");
    q = tusk_submit(db, &(tusk_request){.sql = "insert … returning 1", .max_result_bytes = 5000, .timeout = 0.1});
    ck_end(q, TUSK_ERR_LIMIT, TUSK_FATE_UNKNOWN);
    (void)down();
}
END_TEST

/* The row lives until the next tusk_next_row(), also when its query's deadline passes while something else is waited for. */
START_TEST(d11_a_streamed_row_outlives_the_end_of_its_query)
{
    tusk_query *q;
    tusk_row row;

    up("login\nskip until sync\nsend " EXEC_HEAD "; row x:00000001; row x:00000002\nstall\n");
    q = tusk_submit(db, &(tusk_request){.sql = "select 1", .timeout = 0.1});
    ck_assert(tusk_next_row(q, &row));
    turn_for(0.2);
    ck_assert_int_eq(tusk_query_code(q), TUSK_ERR_TIMEOUT);
    ck_assert_int_eq(tusk_get_int4(&row, 0), 1);
    ck_assert(!tusk_next_row(q, &row));
    tusk_query_free(q);
    (void)down();
}
END_TEST

/* The server's error in front of ReadyForQuery, the end there, and the end before it. */
START_TEST(a_request_that_failed_has_no_rows)
{
    static const char *const ends[] = {
        "send command_complete SELECT 1; error S=ERROR V=ERROR C=23505 M=late; ready I\n",
        "send command_complete SELECT 1\nclose\n", "close\n"};
    static const tusk_code codes[N_OF(ends)] = {TUSK_ERR_SERVER, TUSK_ERR_LOST, TUSK_ERR_LOST};
    char script[300];
    tusk_query *q;
    tusk_row row;

    for (size_t i = 0; i < N_OF(ends); i++) {
        snprintf(script, sizeof script, "login\nskip until sync\nsend " EXEC_HEAD "; row x:00000001\n%s", ends[i]);
        up(script);
        q = ask("select 1");
        ck_assert_int_eq(tusk_await(q), codes[i]);
        ck_assert_msg(!tusk_next_row(q, &row), "case %zu", i);
        tusk_query_free(q);
        (void)down();
    }
}
END_TEST

START_TEST(a_paused_query_whose_server_is_gone_does_not_spin)
{
    tusk_query *q;
    struct rusage before, after;

    n_rows = 0;
    up("login\nskip until sync\nsend " EXEC_HEAD "; row x:00000001; row x:00000002\npause 50\nreset\n");
    q = tusk_submit(db, &(tusk_request){.sql = "select 1", .on_row = pause_for_ever});
    turn_for(0.15);
    getrusage(RUSAGE_THREAD, &before);
    turn_for(0.3);
    getrusage(RUSAGE_THREAD, &after);
    ck_assert_int_lt((after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 + after.ru_utime.tv_usec -
                         before.ru_utime.tv_usec,
                     100000);
    ck_assert_int_eq(n_rows, 1);
    tusk_query_free(q);
    (void)down();
}
END_TEST

/* ---- the login ----------------------------------------------------------------------------------------------------------------- */

START_TEST(a_login_that_stalls_ends_with_connect_timeout)
{
    static const char *const stalls[] = {"stall\n", "expect startup\nstall\n", "expect startup\nsend auth ok\nstall\n",
                                         "expect startup\nsend auth sasl SCRAM-SHA-256\nexpect password\nstall\n",
                                         "expect startup\nsend auth md5 x:01020304\nstall\n"};

    for (size_t i = 0; i < N_OF(stalls); i++) {
        char dsn[100];
        tusk_query *q;

        up(stalls[i]);
        tusk_conn_free(db);
        turn(0);
        script_stop(server);
        server = script_start(stalls[i]);
        snprintf(dsn, sizeof dsn, "host=127.0.0.1 port=%d user=a password=b sslmode=disable", script_port(server));
        db = tusk_conn_open(loop, &(tusk_config){.dsn = dsn, .connect_timeout = 0.1});
        q = ask("select 1");
        ck_end(tusk_conn_ready(db), TUSK_ERR_TIMEOUT, TUSK_FATE_NOT_SENT);
        ck_end(q, TUSK_ERR_TIMEOUT, TUSK_FATE_NOT_SENT);
        (void)down();
    }
}
END_TEST

/* sslmode=prefer goes on in the clear only where TLS, or a login with it, was refused. */
START_TEST(d22_a_login_that_is_lost_is_not_tried_again)
{
    char dsn[100];

    up("expect ssl\nsend N\nexpect startup\nclose\nconnection\nlogin\nwait until closed\n");
    tusk_conn_free(db); /* before it was begun */
    snprintf(dsn, sizeof dsn, "postgresql://app@127.0.0.1:%d/db?sslmode=prefer", script_port(server));
    db = tusk_connect(loop, dsn);
    ck_end(tusk_conn_ready(db), TUSK_ERR_LOST, TUSK_FATE_NOT_SENT);
    turn_for(0.05);
    ck_assert_uint_eq(script_n_accepted(server), 1);
    (void)down();
}
END_TEST

START_TEST(a_scram_server_that_cheats_is_refused_and_nothing_is_sent)
{
    static const struct {
        const char *lines;
        tusk_code code;
    } cheats[] = {
        {"send auth sasl SCRAM-SHA-256\nexpect password\nsend auth ok; ready I\n", TUSK_ERR_PROTOCOL},
        {"send auth sasl SCRAM-SHA-256\nexpect password\nsend auth sasl_continue \"r=x,s=QUJD,i=4096\"\n",
         TUSK_ERR_PROTOCOL},
        {"send auth sasl SCRAM-SHA-256\nexpect password\nsend auth sasl_final \"v=AAAA\"; auth ok; ready I\n",
         TUSK_ERR_PROTOCOL},
        {"send ready I\n", TUSK_ERR_PROTOCOL},
        {"send auth ok; row 1\n", TUSK_ERR_PROTOCOL},
    };
    char script[300];

    for (size_t i = 0; i < N_OF(cheats); i++) {
        tusk_query *q;

        snprintf(script, sizeof script, "expect startup\n%sexpect eof\n", cheats[i].lines);
        up(script);
        q = ask("select 1");
        ck_end(tusk_conn_ready(db), cheats[i].code, TUSK_FATE_NOT_SENT);
        ck_end(q, cheats[i].code, TUSK_FATE_NOT_SENT);
        down_well();
    }
}
END_TEST

/* ---- callbacks that close, cancel and submit ------------------------------------------------------------------------------------ */

static tusk_query *neighbour;

static void submit_neighbour(tusk_query *q, void *user)
{
    (void)user;
    neighbour = tusk_submit(tusk_query_conn(q), &(tusk_request){.sql = "select 3"});
}

static void cancel_neighbour(tusk_query *q, void *user)
{
    on_done(q, user);
    tusk_query_cancel(neighbour);
}

/* It is encoded, and its bytes are gone with the connection. */
START_TEST(d36_a_request_not_sent_yet_may_be_canceled_while_the_connection_fails)
{
    ending b = {0};

    up("login\nskip until sync\nskip until sync\nsend " EXEC_ONE "; raw x:ff\nwait until closed\n");
    ck_end(tusk_conn_ready(db), TUSK_OK, 0);
    tusk_submit(db, &(tusk_request){.sql = "select 1", .on_done = submit_neighbour});
    tusk_submit(db, &(tusk_request){.sql = "select 2", .on_done = cancel_neighbour, .user = &b});
    for (int i = 0; i < 500 && b.n_done == 0; i++)
        turn(0.01);
    ck_assert_int_eq(b.n_done, 1);
    ck_assert_int_eq(b.err.code, TUSK_ERR_PROTOCOL);
    ck_end(neighbour, TUSK_ERR_CANCELED, TUSK_FATE_NOT_SENT);
    (void)down();
}
END_TEST

static void note_neighbours_end(tusk_conn *conn, const tusk_error *err, void *user)
{
    (void)conn, (void)err;
    *(bool *)user = tusk_query_is_done(neighbour);
}

/* Canceled between two turns, of which the second brings the end of the connection; or inside of that end, by a callback. */
START_TEST(d36_what_was_canceled_before_it_was_sent_ends_before_its_connection_is_told_to_be_gone)
{
    bool was_done = false;
    ending b = {0};

    up_as("login\nskip until sync\n", "", note_neighbours_end, &was_done);
    ck_end(tusk_conn_ready(db), TUSK_OK, 0);
    tusk_submit(db, &(tusk_request){.sql = "select 1",
                                    .cancelable = true, /* nothing is sent behind it */
                                    .on_done = _i ? cancel_neighbour : on_done,
                                    .user = &b});
    neighbour = tusk_submit(db, &(tusk_request){.sql = "select 2"});
    while (tusk_conn_get_state(db) != TUSK_CONN_CLOSED) {
        if (!_i) {
            tusk_query_free(neighbour);
            neighbour = tusk_submit(db, &(tusk_request){.sql = "select 2"});
            tusk_query_cancel(neighbour);
        }
        turn(0.01);
    }
    ck_assert_int_eq(b.n_done, 1);
    ck_assert(was_done);
    ck_end(neighbour, TUSK_ERR_CANCELED, TUSK_FATE_NOT_SENT);
    (void)down();
}
END_TEST

/* A retry, say: the connection takes no new work, and may be closed 5 s later. */
START_TEST(d34_what_the_callback_of_a_timeout_submits_is_not_sent_behind_it)
{
    tusk_query *b;

    neighbour = NULL;
    up("login\nskip until sync\nstall\n");
    ck_end(tusk_conn_ready(db), TUSK_OK, 0);
    tusk_submit(db, &(tusk_request){.sql = "select 1", .timeout = 0.1, .on_done = submit_neighbour});
    b = ask("select 2");
    for (int i = 0; i < 500 && !neighbour; i++)
        turn(0.01);
    turn_for(0.05);
    tusk_conn_free(db);
    db = NULL;
    ck_end(b, TUSK_ERR_CANCELED, TUSK_FATE_UNKNOWN);
    ck_end(neighbour, TUSK_ERR_CANCELED, TUSK_FATE_NOT_SENT);
    (void)down();
}
END_TEST

START_TEST(d36_what_was_behind_a_barrier_goes_when_the_barrier_is_canceled_before_it_was_sent)
{
    tusk_query *a, *b;

    up("login\nskip until sync\nsend " EXEC_ONE "\nwait until closed\n");
    ck_end(tusk_conn_ready(db), TUSK_OK, 0);
    a = tusk_script(db, "select 1");
    b = tusk_submit(db, &(tusk_request){.sql = "select 2", .timeout = 2});
    tusk_query_cancel(a);
    ck_end(a, TUSK_ERR_CANCELED, TUSK_FATE_NOT_SENT);
    ck_end(b, TUSK_OK, 0);
    down_well();
}
END_TEST

static void cancel_at_notice(tusk_conn *conn, const tusk_notice *notice, void *user)
{
    (void)conn, (void)notice;
    tusk_query_cancel(*(tusk_query **)user);
}

/* Between the error for which it would be sent once more, and ReadyForQuery. */
START_TEST(a_request_that_was_canceled_is_not_repeated)
{
    tusk_query *q = NULL;
    tusk_config config = {.on_notice = cancel_at_notice, .user_data = &q};
    char dsn[100];

    up("login\nskip until sync\nsend parse_complete; parameter_description; row_description a:600:1; bind_complete; "
       "error S=ERROR V=ERROR C=42883 M=none R=getTypeBinaryOutputInfo; notice S=NOTICE V=NOTICE C=00000 M=now; ready "
       "I\n"
       "expect nothing 50\nwait until closed\n");
    tusk_conn_free(db); /* before it was begun */
    snprintf(dsn, sizeof dsn, "postgresql://app@127.0.0.1:%d/db?sslmode=disable", script_port(server));
    config.dsn = dsn;
    db = tusk_conn_open(loop, &config);
    q = ask("select point '(1,2)'");
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    turn_for(0.1);
    tusk_query_free(q);
    down_well();
}
END_TEST

static void free_conn(tusk_query *q, void *user)
{
    on_done(q, user);
    tusk_conn_free(tusk_query_conn(q));
    db = NULL;
}

START_TEST(d36_the_connection_may_be_freed_in_any_callback_of_its_end)
{
    for (int which = 0; which < 3; which++) {
        ending s[3] = {0};

        up("login\nskip until sync\nsend " EXEC_HEAD "\nclose\n");
        for (int i = 0; i < 3; i++)
            tusk_submit(db,
                        &(tusk_request){.sql = "select 1", .on_done = i == which ? free_conn : on_done, .user = &s[i]});
        for (int i = 0; i < 500 && !(s[0].n_done && s[1].n_done && s[2].n_done); i++)
            turn(0.01);
        for (int i = 0; i < 3; i++) {
            ck_assert_int_eq(s[i].n_done, 1);
            ck_assert_int_eq(s[i].err.code, TUSK_ERR_LOST);
        }
        (void)down();
    }
}
END_TEST

static void count_closed(tusk_conn *conn, const tusk_error *err, void *user)
{
    (void)conn, (void)err;
    ++*(int *)user;
}

/* Once; and not if a callback of that very end has freed the connection: `user` may be gone with it. */
START_TEST(d36_the_end_is_told_once_and_only_while_there_is_a_connection)
{
    for (int is_freed = 0; is_freed < 2; is_freed++) {
        ending done = {0};
        int n_closed = 0;

        up("stall\n");
        tusk_conn_free(db);
        db = tusk_conn_open(loop, &(tusk_config){.dsn = "postgresql://app@127.0.0.1:1/db?sslmode=disable",
                                                 .on_closed = count_closed,
                                                 .user_data = &n_closed});
        tusk_submit(db, &(tusk_request){.sql = "select 1", .on_done = is_freed ? free_conn : on_done, .user = &done});
        for (int i = 0; i < 500 && done.n_done == 0; i++)
            turn(0.01);
        turn(0);
        ck_assert_int_eq(done.n_done, 1);
        ck_assert_int_eq(n_closed, !is_freed);
        (void)down();
    }
}
END_TEST

/* Also where there never was anything but a configuration; and then, too, behind its requests. */
START_TEST(d36_the_end_of_a_refused_configuration_is_told_behind_its_requests)
{
    for (int is_freed = 0; is_freed < 2; is_freed++) {
        ending done = {0};
        int n_closed = 0;

        up("stall\n");
        tusk_conn_free(db);
        db = tusk_conn_open(loop,
                            &(tusk_config){.dsn = "sslmode=maybe", .on_closed = count_closed, .user_data = &n_closed});
        ck_assert_int_eq(n_closed, 0);
        tusk_submit(db, &(tusk_request){.sql = "select 1", .on_done = is_freed ? free_conn : on_done, .user = &done});
        for (int i = 0; i < 500 && done.n_done == 0; i++)
            turn(0.01); /* the user's name is asked for off the loop */
        turn(0);
        ck_assert_int_eq(done.n_done, 1);
        ck_assert_int_eq(done.err.code, TUSK_ERR_CONFIG);
        ck_assert(tusk_error_is_fatal(&done.err));
        ck_assert_int_eq(n_closed, !is_freed);
        (void)down();
    }
}
END_TEST

START_TEST(d36_a_refused_configuration_that_is_closed_is_told_by_nobody)
{
    int n_closed = 0;

    up("stall\n");
    tusk_conn_free(db);
    db =
        tusk_conn_open(loop, &(tusk_config){.dsn = "sslmode=maybe", .on_closed = count_closed, .user_data = &n_closed});
    ck_end(tusk_close(db), TUSK_OK, 0);
    turn(0);
    ck_assert_int_eq(n_closed, 0);
    (void)down();
}
END_TEST

static tusk_stmt *stmt;
static tusk_query *stmt_ready;

static void ask_stmt_ready(tusk_query *q, void *user)
{
    on_done(q, user);
    stmt_ready = tusk_stmt_ready(stmt);
}

START_TEST(d36_a_statement_is_closed_in_the_callbacks_of_its_connections_end)
{
    ending done = {0};

    stmt_ready = NULL;
    up("login\nskip until sync\nsend parse_complete; parameter_description; row_description a:23; ready I\n"
       "skip until sync\nclose\n");
    stmt = tusk_prepare(db, "select 1", NULL, 0);
    ck_end(tusk_stmt_ready(stmt), TUSK_OK, 0);
    tusk_submit(db, &(tusk_request){.sql = "select 2", .on_done = ask_stmt_ready, .user = &done});
    for (int i = 0; i < 500 && !stmt_ready; i++)
        turn(0.01);
    ck_assert_int_eq(done.err.code, TUSK_ERR_LOST);
    ck_assert_int_eq(tusk_await(stmt_ready), TUSK_ERR_STATE);
    tusk_query_free(stmt_ready);
    tusk_stmt_free(stmt);
    (void)down();
}
END_TEST

/* ---- closing while it connects ------------------------------------------------------------------------------------------------- */

static tusk_conn_state state_seen;

static void see_state(void *user)
{
    (void)user;
    state_seen = tusk_conn_get_state(db);
}

/* The mail is read between what is ready and the task that closes; an embedded loop looks at what is ready in every turn. */
START_TEST(d36_a_connection_that_is_being_closed_is_reached_by_nothing)
{
    tusk_query *closed;

    up("stall\n");
    ck_assert_int_ge(tusk_loop_fd(loop), 0);
    for (int i = 0; i < _i; i++) /* the list, the first attempt, connect(), it is there, the login has begun */
        turn(0);
    state_seen = TUSK_CONN_CONNECTING;
    closed = tusk_close(db);
    ck_assert_int_eq(tusk_loop_post(loop, see_state, NULL), TUSK_OK);
    turn(0.01);
    ck_assert_int_eq(state_seen, TUSK_CONN_CLOSING);
    ck_end(closed, TUSK_OK, 0);
    (void)down();
}
END_TEST

static void close_db(tusk_log_level level, tusk_str message, void *user)
{
    (void)level, (void)message;
    *(tusk_query **)user = tusk_close(db);
}

START_TEST(d36_the_connection_may_be_closed_by_what_the_log_says)
{
    tusk_query *closed = NULL;
    char dsn[100];

    server = script_start("expect ssl\nsend S\nclose\n");
    loop = tusk_loop_open(&(tusk_loop_config){.on_log = close_db, .log_user = &closed}, NULL);
    ck_assert_ptr_nonnull(loop);
    snprintf(dsn, sizeof dsn, "postgresql://app@127.0.0.1:%d/db?sslmode=prefer", script_port(server));
    db = tusk_connect(loop, dsn);
    for (int i = 0; i < 500 && !closed; i++)
        turn(0.01);
    ck_end(closed, TUSK_OK, 0);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    (void)script_stop(server);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("server");
    TCase *tc = tcase_create("server");

    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 30);
    tcase_add_loop_test(tc, d36_the_end_after_every_message_completes_each_request_once, 0, 2);
    tcase_add_loop_test(tc, d36_silence_after_every_message_ends_with_the_deadline, 0, 2);
    tcase_add_loop_test(tc, d12_a_flood_of_notices_after_every_message_is_harmless, 0, 2);
    tcase_add_loop_test(tc, d33_every_message_may_be_sent_twice, 0, 2);
    tcase_add_test(tc, d33_every_type_may_follow_every_message);
    tcase_add_loop_test(tc, d04_a_header_costs_no_memory_until_its_bytes_arrive, 0, 2);
    tcase_add_test(tc, d18_copy_unasked_ends_the_connection_and_no_data_is_sent);
    tcase_add_test(tc, d18_copy_in_of_a_script_is_refused_once_and_a_second_one_ends_the_connection);
    tcase_add_test(tc, d33_a_surplus_ready_ends_the_connection_and_the_next_request_is_not_sent);
    tcase_add_test(tc, d33_a_missing_ready_ends_the_connection_and_the_neighbour_gets_nothing);
    tcase_add_test(tc, d33_an_answer_before_the_question_ends_the_connection);
    tcase_add_test(tc, d33_an_answer_before_the_question_was_sent_whole_ends_the_connection);
    tcase_add_loop_test(tc, d04_a_million_settings_notices_or_notifications_do_not_grow_memory, 0, 3);
    tcase_add_test(tc, d04_results_without_number_are_within_max_result_bytes);
    tcase_add_test(tc, a_server_that_does_not_read_costs_what_was_queued_and_the_deadline_ends_it);
    tcase_add_test(tc, d34_a_cancel_that_is_never_hung_up_ends_the_connection);
    tcase_add_test(tc, d34_a_cancel_that_is_reset_ends_the_connection);
    tcase_add_test(tc, d34_a_late_57014_hits_the_fence_and_not_the_neighbour);
    tcase_add_test(tc, d34_a_request_with_others_behind_it_is_not_canceled_on_the_server);
    tcase_add_test(tc, d37_goodbye_while_idle_the_next_request_is_not_sent_and_the_connection_tells_why);
    tcase_add_test(tc, d12_a_thousand_fatals_are_one);
    tcase_add_test(tc, a_commit_that_a_broken_protocol_cuts_off_is_unknown);
    tcase_add_test(tc, the_end_in_the_middle_of_a_row_hands_out_no_part_of_it);
    tcase_add_test(tc, a_pause_for_ever_ends_with_the_deadline);
    tcase_add_test(tc, a_paused_query_that_is_freed_lets_go_of_those_behind_it);
    tcase_add_test(tc, beyond_max_result_bytes_the_rest_is_drained_and_the_connection_is_usable);
    tcase_add_test(tc, beyond_max_result_bytes_and_lost_the_fate_is_unknown);
    tcase_add_test(tc, beyond_max_result_bytes_and_past_the_deadline_the_fate_is_unknown);
    tcase_add_test(tc, d11_a_streamed_row_outlives_the_end_of_its_query);
    tcase_add_test(tc, a_request_that_failed_has_no_rows);
    tcase_add_test(tc, a_paused_query_whose_server_is_gone_does_not_spin);
    tcase_add_test(tc, a_login_that_stalls_ends_with_connect_timeout);
    tcase_add_test(tc, d22_a_login_that_is_lost_is_not_tried_again);
    tcase_add_test(tc, a_scram_server_that_cheats_is_refused_and_nothing_is_sent);
    tcase_add_test(tc, d36_a_request_not_sent_yet_may_be_canceled_while_the_connection_fails);
    tcase_add_loop_test(tc, d36_what_was_canceled_before_it_was_sent_ends_before_its_connection_is_told_to_be_gone, 0,
                        2);
    tcase_add_test(tc, d36_what_was_behind_a_barrier_goes_when_the_barrier_is_canceled_before_it_was_sent);
    tcase_add_test(tc, a_request_that_was_canceled_is_not_repeated);
    tcase_add_test(tc, d34_what_the_callback_of_a_timeout_submits_is_not_sent_behind_it);
    tcase_add_test(tc, d36_the_connection_may_be_freed_in_any_callback_of_its_end);
    tcase_add_test(tc, d36_the_end_is_told_once_and_only_while_there_is_a_connection);
    tcase_add_test(tc, d36_the_end_of_a_refused_configuration_is_told_behind_its_requests);
    tcase_add_test(tc, d36_a_refused_configuration_that_is_closed_is_told_by_nobody);
    tcase_add_test(tc, d36_a_statement_is_closed_in_the_callbacks_of_its_connections_end);
    tcase_add_loop_test(tc, d36_a_connection_that_is_being_closed_is_reached_by_nothing, 0, 6);
    tcase_add_test(tc, d36_the_connection_may_be_closed_by_what_the_log_says);
    return suite;
}
