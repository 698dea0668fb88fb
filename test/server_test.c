/* Tests of lib/server: versions as servers have written them, and what a connection tells of servers that pose as PostgreSQL.
 * Read first: tusk/server.h. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tusk/tusk.h>

#include "test/harness/harness.h"
#include "test/harness/script_server.h"

static const struct {
    const char *text;
    int num, major, minor, micro;
    const char *level;
    int serial;
} versions[] = {
    {"9.6.24", 90624, 9, 6, 24, "", 0},
    {"9.6", 90600, 9, 6, 0, "", 0},
    {"16.4 (Debian 16.4-1.pgdg120+1)", 160004, 16, 4, 0, "", 0},
    {"16.4", 160004, 16, 4, 0, "", 0},
    {"10", 100000, 10, 0, 0, "", 0},
    {"18beta1", 180000, 18, 0, 0, "beta", 1},
    {"9.5alpha2", 90500, 9, 5, 0, "alpha", 2},
    {"17rc1 (Ubuntu 17~rc1-1)", 170000, 17, 0, 0, "rc", 1},
    {"19devel", 190000, 19, 0, 0, "devel", 0},
    {"8.0.2", 80002, 8, 0, 2, "", 0},    /* Redshift */
    {"13.0.0", 130000, 13, 0, 0, "", 0}, /* CockroachDB */
    {"15.2.7", 150002, 15, 2, 0, "", 0},
    {"11.2-YB-2.18.0.0-b0", 110002, 11, 2, 0, "", 0},
    {"1.24.1/bouncer", 12401, 1, 24, 1, "", 0},
    {"PostgreSQL 10.1", 100001, 10, 1, 0, "", 0},
    {"Postgres-XL 9.5.1", 90501, 9, 5, 1, "", 0},
    {"9.6.24.1", 90624, 9, 6, 24, "", 0},
    {"9999.9999", 99999999, 9999, 9999, 0, "", 0},
    {"18averyverylonglevel1", 180000, 18, 0, 0, "averyverylongle", 0},
    {"", 0, 0, 0, 0, "", 0},
    {"PostgreSQL", 0, 0, 0, 0, "", 0},
    {"devel", 0, 0, 0, 0, "", 0},
    {"9.", 0, 0, 0, 0, "", 0},
    {"9..1", 0, 0, 0, 0, "", 0},
    {"-9.1", 0, 0, 0, 0, "", 0},
    {"10000.1", 0, 0, 0, 0, "", 0},
    {"16.99999999999999999999", 0, 0, 0, 0, "", 0},
};

START_TEST(a_version_is_read)
{
    size_t len = strlen(versions[_i].text);
    char *exact = malloc(len ? len : 1); /* a byte too far is the sanitizer's */
    tusk_server_version v;

    memcpy(exact, versions[_i].text, len);
    v = tusk_server_version_of(tusk_str_from(exact, len));
    free(exact);
    ck_assert_int_eq(v.num, versions[_i].num);
    ck_assert_int_eq(v.major, versions[_i].major);
    ck_assert_int_eq(v.minor, versions[_i].minor);
    ck_assert_int_eq(v.micro, versions[_i].micro);
    ck_assert_str_eq(v.level, versions[_i].level);
    ck_assert_int_eq(v.serial, versions[_i].serial);
}
END_TEST

static const struct {
    const char *reports; /* statuses in words */
    tusk_server_kind kind;
    const char *name;
    int num;
    tusk_recovery recovery;
    int n_parameters;
} servers[] = {
    {"status server_version 16.4; status in_hot_standby off", TUSK_SERVER_POSTGRESQL, "PostgreSQL", 160004,
     TUSK_RECOVERY_NO, 2},
    {"status server_version 16.4; status in_hot_standby on", TUSK_SERVER_POSTGRESQL, "PostgreSQL", 160004,
     TUSK_RECOVERY_YES, 2},
    {"status server_version 13.22", TUSK_SERVER_POSTGRESQL, "PostgreSQL", 130022, TUSK_RECOVERY_UNKNOWN, 1},
    {"status server_version 8.0.2; status padb_revision 59596", TUSK_SERVER_REDSHIFT, "Redshift", 80002,
     TUSK_RECOVERY_UNKNOWN, 2},
    {"status server_version 13.0.0; status crdb_version v24.1.0", TUSK_SERVER_COCKROACHDB, "CockroachDB", 130000,
     TUSK_RECOVERY_UNKNOWN, 2},
    {"status server_version 14.0; status crate_version 5.8.1", TUSK_SERVER_CRATEDB, "CrateDB", 140000,
     TUSK_RECOVERY_UNKNOWN, 2},
    {"status TimeZone UTC", TUSK_SERVER_UNKNOWN, "unknown", 0, TUSK_RECOVERY_UNKNOWN, 1},
};

static int count_parameters(const tusk_conn *conn)
{
    tusk_str name, value;
    int n = 0;

    for (size_t at = 0; tusk_conn_next_parameter(conn, &at, &name, &value); n++) {
        char text[64];

        (void)snprintf(text, sizeof text, "%.*s", TUSK_STR_ARG(name));
        ck_assert(tusk_str_equal(tusk_conn_parameter(conn, text), value));
    }
    return n;
}

START_TEST(a_server_is_known_by_what_it_reports)
{
    tusk_loop *loop = tusk_loop_new();
    char script[256], dsn[128];
    script_server *server;
    const char *wrong;
    tusk_conn *conn;

    (void)snprintf(script, sizeof script, "expect startup\nsend auth ok; %s; ready I\nexpect terminate\n",
                   servers[_i].reports);
    server = script_start(script);
    (void)snprintf(dsn, sizeof dsn, "host=127.0.0.1 port=%d user=app sslmode=disable", script_port(server));
    conn = tusk_connect(loop, dsn);
    ck_assert_int_eq(tusk_conn_server_kind(conn), TUSK_SERVER_UNKNOWN); /* yet */
    ck_assert_int_eq(tusk_conn_recovery(conn), TUSK_RECOVERY_UNKNOWN);
    ck_assert_int_eq(tusk_conn_server_version(conn).num, 0);
    ck_assert_int_eq(count_parameters(conn), 0);
    ck_assert_int_eq(tusk_await_free(tusk_conn_ready(conn), NULL), TUSK_OK);
    ck_assert_int_eq(tusk_conn_server_kind(conn), servers[_i].kind);
    ck_assert_str_eq(tusk_server_kind_name(tusk_conn_server_kind(conn)), servers[_i].name);
    ck_assert_int_eq(tusk_conn_server_version(conn).num, servers[_i].num);
    ck_assert_int_eq(tusk_conn_recovery(conn), servers[_i].recovery);
    ck_assert_int_eq(count_parameters(conn), servers[_i].n_parameters);
    ck_assert_int_eq(tusk_await_free(tusk_close(conn), NULL), TUSK_OK);
    tusk_conn_free(conn);
    tusk_loop_free(loop);
    wrong = script_stop(server);
    ck_assert_msg(!wrong, "%s", wrong);
}
END_TEST

START_TEST(a_kind_that_is_none_has_a_name)
{
    ck_assert_str_eq(tusk_server_kind_name((tusk_server_kind)4711), "unknown");
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("server");
    TCase *tcase = tcase_create("server");

    tcase_add_loop_test(tcase, a_version_is_read, 0, (int)(sizeof versions / sizeof versions[0]));
    tcase_add_loop_test(tcase, a_server_is_known_by_what_it_reports, 0, (int)(sizeof servers / sizeof servers[0]));
    tcase_add_test(tcase, a_kind_that_is_none_has_a_name);
    suite_add_tcase(suite, tcase);
    return suite;
}
