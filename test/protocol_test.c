/* Which protocol is asked for, and what becomes of it: servers that negotiate, that refuse by an error or by hanging up, and what the
 * loop remembers of them.
 * Read first: docs/internals/login.md, "Which protocol". */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include <tusk/tusk.h>

#include "test/harness/harness.h"
#include "test/harness/script_server.h"

#define NEXT "connection\n"
#define ASKS_3_2 "expect startup version=3.2\n"
#define ASKS_3_0 "expect startup version=3.0\n"
#define IN "send auth ok; status server_version 9.3.1; key 7 abcd; ready I\nexpect terminate\n"
#define REFUSED(sqlstate)                                                                                              \
    ASKS_3_2 "send error S=FATAL V=FATAL C=" sqlstate " M=\"unsupported frontend protocol\"\nclose\n"
#define HUNG_UP ASKS_3_2 "close\n"

static tusk_loop *loop;
static script_server *server;

static void set_up(void)
{
    loop = tusk_loop_new();
    ck_assert_ptr_nonnull(loop);
}

static void tear_down(void)
{
    tusk_loop_free(loop);
}

/* Comes in, and says goodbye, so that the next section of the script is the next connection's. */
static tusk_code log_in(const char *with, int *protocol, tusk_error *err)
{
    char dsn[200];
    tusk_conn *conn;
    tusk_code code;

    (void)snprintf(dsn, sizeof dsn, "host=127.0.0.1 port=%d user=app sslmode=disable %s", script_port(server), with);
    conn = tusk_connect(loop, dsn);
    code = tusk_await_free(tusk_conn_ready(conn), err);
    *protocol = tusk_conn_protocol_version(conn);
    if (code == TUSK_OK)
        ck_assert_int_eq(tusk_await_free(tusk_close(conn), NULL), TUSK_OK);
    tusk_conn_free(conn);
    return code;
}

static const struct {
    const char *name, *script, *first, *second; /* the parameters of two connections in turn; NULL: no second one */
    int protocols[2];                           /* 0: it fails */
} cases[] = {
    {"3.0 is the default", ASKS_3_0 IN, "", NULL, {30000}},
    {"3.2 is there", ASKS_3_2 IN, "max_protocol_version=3.2", NULL, {30002}},
    {"latest is 3.2", ASKS_3_2 IN, "max_protocol_version=latest", NULL, {30002}},
    {"the least is asked for, too", ASKS_3_2 IN, "min_protocol_version=3.2", NULL, {30002}},
    {"who negotiates is asked for 3.2 again",
     ASKS_3_2 "send negotiate 0x30000\n" IN NEXT ASKS_3_2 "send negotiate 0x30000\n" IN,
     "max_protocol_version=3.2",
     "max_protocol_version=3.2",
     {30000, 30000}},
    {"who refuses is asked for 3.0, and remembered",
     REFUSED("0A000") NEXT ASKS_3_0 IN NEXT ASKS_3_0 IN,
     "max_protocol_version=3.2",
     "max_protocol_version=latest",
     {30000, 30000}},
    {"as a breach of protocol", REFUSED("08P01") NEXT ASKS_3_0 IN, "max_protocol_version=3.2", NULL, {30000}},
    {"who hangs up without a word is asked for 3.0, and remembered",
     HUNG_UP NEXT ASKS_3_0 IN NEXT ASKS_3_0 IN,
     "max_protocol_version=3.2",
     "max_protocol_version=3.2",
     {30000, 30000}},
    {"what is remembered does not count against the least",
     HUNG_UP NEXT ASKS_3_0 IN NEXT ASKS_3_2 IN,
     "max_protocol_version=3.2",
     "min_protocol_version=3.2",
     {30000, 30002}},
    {"3.0 is not enough: a refusal", REFUSED("0A000"), "min_protocol_version=3.2", NULL, {0}},
    {"3.0 is not enough: hung up", HUNG_UP, "min_protocol_version=3.2", NULL, {0}},
    {"3.0 is not enough: negotiated",
     ASKS_3_2 "send negotiate 0x30000\nexpect eof\n",
     "min_protocol_version=3.2",
     NULL,
     {0}},
    {"another refusal is none of the protocol",
     ASKS_3_2 "send error S=FATAL C=3D000 M=no\nclose\n",
     "max_protocol_version=3.2",
     NULL,
     {0}},
    {"lost behind a word of the server", ASKS_3_2 "send auth ok\nclose\n", "max_protocol_version=3.2", NULL, {0}},
    {"who refuses 3.0 too is not remembered",
     HUNG_UP NEXT ASKS_3_0 "close\n" NEXT ASKS_3_2 IN,
     "max_protocol_version=3.2",
     "max_protocol_version=3.2",
     {0, 30002}},
    {"3.0 is asked for once", ASKS_3_0 "close\n", "max_protocol_version=3.0", NULL, {0}},
};

START_TEST(the_protocol_is_what_both_sides_know)
{
    const char *wrong;
    tusk_error err = {0};
    int protocol;

    server = script_start(cases[_i].script);
    ck_assert_ptr_nonnull(server);
    for (int n = 0; n < 2; n++) {
        const char *with = n ? cases[_i].second : cases[_i].first;

        if (!with)
            break;
        ck_assert_msg((log_in(with, &protocol, &err) == TUSK_OK) == (cases[_i].protocols[n] != 0), "%s: %s",
                      cases[_i].name, err.message);
        ck_assert_msg(protocol == cases[_i].protocols[n], "%s: %d", cases[_i].name, protocol);
    }
    wrong = script_stop(server);
    ck_assert_msg(!wrong, "%s: %s", cases[_i].name, wrong);
}
END_TEST

START_TEST(another_loop_remembers_nothing)
{
    const char *wrong;
    int protocol;

    server = script_start(HUNG_UP NEXT ASKS_3_0 IN NEXT ASKS_3_2 IN);
    ck_assert_int_eq(log_in("max_protocol_version=3.2", &protocol, NULL), TUSK_OK);
    tusk_loop_free(loop);
    loop = tusk_loop_new();
    ck_assert_int_eq(log_in("max_protocol_version=3.2", &protocol, NULL), TUSK_OK);
    ck_assert_int_eq(protocol, 30002);
    wrong = script_stop(server);
    ck_assert_msg(!wrong, "%s", wrong);
}
END_TEST

/* The second server is asked for what it knows, whatever the first one does not. */
START_TEST(one_servers_refusal_is_not_anothers)
{
    script_server *other = script_start(ASKS_3_2 IN);
    char with[128];
    const char *wrong;
    int protocol;

    server = script_start(HUNG_UP NEXT ASKS_3_0 "close\n");
    (void)snprintf(with, sizeof with, "host=127.0.0.1,127.0.0.1 port=%d,%d max_protocol_version=3.2",
                   script_port(server), script_port(other));
    ck_assert_int_eq(log_in(with, &protocol, NULL), TUSK_OK);
    ck_assert_int_eq(protocol, 30002);
    wrong = script_stop(server);
    ck_assert_msg(!wrong, "%s", wrong);
    wrong = script_stop(other);
    ck_assert_msg(!wrong, "%s", wrong);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("protocol");
    TCase *tcase = tcase_create("protocol");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, the_protocol_is_what_both_sides_know, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(tcase, another_loop_remembers_nothing);
    tcase_add_test(tcase, one_servers_refusal_is_not_anothers);
    suite_add_tcase(suite, tcase);
    return suite;
}
