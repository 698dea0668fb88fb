/* A primary and its hot standby, of this program's own: what target_session_attrs finds in either order of the hosts, and where new
 * connections go when the primary dies, the standby is promoted, and the old primary comes back.
 * What is told of a server that does not fit is in test/hosts_test.c. Read first: test/harness/server, "standby". */
#include "test/live/live.h"

enum { PRIMARY, STANDBY, N_NODES };

static const char *const names[] = {[PRIMARY] = "pair", [STANDBY] = "pair/standby"};
static char ports[N_NODES][16];

static bool has_port(const char *command, char port[16])
{
    FILE *out = popen(command, "r");
    int n;

    ck_assert_ptr_nonnull(out);
    n = fscanf(out, "%15[0-9]", port);
    return pclose(out) == 0 && n == 1;
}

static void start_pair(void)
{
    const char *dir = harness_env("TUSK_TEST_DIR");

    ck_assert(has_port(textf("test/harness/server beside '%s' pair 2>/dev/null", dir), ports[PRIMARY]));
    if (!has_port(textf("test/harness/server standby '%s/pair' standby 2>/dev/null", dir), ports[STANDBY])) {
        harness_skip("a standby pair", "there is no pg_basebackup of this server");
        ports[STANDBY][0] = '\0';
    }
}

static bool is_there(void)
{
    return ports[STANDBY][0] != '\0';
}

static void control(const char *what, int node)
{
    ck_assert_int_eq(system(textf("test/harness/server %s '%s/%s'", what, harness_env("TUSK_TEST_DIR"), names[node])),
                     0);
}

static void stop_pair(void)
{
    control("stop", PRIMARY); /* and the standby with it */
}

static const char *dsn_of(int first, int second, const char *attrs)
{
    return textf("host=localhost,localhost hostaddr=127.0.0.1,127.0.0.1 port=%s,%s user=drv password=pw-drv "
                 "dbname=postgres sslmode=disable target_session_attrs=%s",
                 ports[first], ports[second], attrs);
}

static void ck_finds(int node, int first, int second, const char *attrs)
{
    tusk_conn *conn = tusk_connect(loop, dsn_of(first, second, attrs));
    tusk_error err = {0};

    ck_assert_msg(tusk_await_free(tusk_conn_ready(conn), &err) == TUSK_OK, "%s: %s", attrs, said(&err));
    ck_assert_msg(tusk_str_is(tusk_conn_port(conn), ports[node]), "%s, %s first: the wrong one", attrs, names[first]);
    ck_usable(conn);
    disconnect(conn);
}

static const struct {
    const char *attrs;
    int found; /* N_NODES: the first */
} values[] = {
    {"any", N_NODES},     {"read-write", PRIMARY}, {"read-only", STANDBY},
    {"primary", PRIMARY}, {"standby", STANDBY},    {"prefer-standby", STANDBY},
};

START_TEST(each_value_finds_the_right_node_in_either_order)
{
    for (int first = PRIMARY; first <= STANDBY && is_there(); first++)
        ck_finds(values[_i].found == N_NODES ? first : values[_i].found, first, !first, values[_i].attrs);
}
END_TEST

/* A primary whose sessions are read-only by default is no standby. */
START_TEST(read_only_is_a_property_of_the_session)
{
    static const char read_only[] = "%s options='-c default_transaction_read_only=on'";
    tusk_error err;

    if (!is_there())
        return;
    err = login(textf(read_only, dsn_of(PRIMARY, STANDBY, "read-write")));
    ck_error(&err, TUSK_ERR_CONNECT, "08001", "session is read-only");
    err = login(textf(read_only, dsn_of(PRIMARY, PRIMARY, "read-only")));
    ck_assert_msg(err.code == TUSK_OK, "%s", said(&err));
    err = login(textf(read_only, dsn_of(PRIMARY, PRIMARY, "primary")));
    ck_assert_msg(err.code == TUSK_OK, "%s", said(&err));
}
END_TEST

static void until_found(int node, const char *attrs)
{
    const int64_t end_us = tusk_loop_now_us(loop) + INT64_C(30) * 1000000;
    tusk_error err;

    while ((err = login(dsn_of(node, node, attrs))).code != TUSK_OK)
        ck_assert_msg(tusk_loop_now_us(loop) < end_us, "%s", said(&err));
}

START_TEST(new_connections_follow_a_failover)
{
    tusk_error err;

    if (!is_there())
        return;
    control("halt", PRIMARY);
    for (int first = PRIMARY; first <= STANDBY; first++) {
        err = login(dsn_of(first, !first, "primary"));
        ck_error(&err, TUSK_ERR_CONNECT, "08001", "server is in hot standby mode");
        ck_assert_ptr_nonnull(strstr(err.detail, textf("localhost:%s (127.0.0.1): could not connect", ports[PRIMARY])));
        ck_finds(STANDBY, first, !first, "prefer-standby");
        ck_finds(STANDBY, first, !first, "any");
    }
    control("promote", STANDBY);
    until_found(STANDBY, "read-write");
    for (int first = PRIMARY; first <= STANDBY; first++) {
        ck_finds(STANDBY, first, !first, "primary");
        ck_finds(STANDBY, first, !first, "prefer-standby"); /* in its second pass */
        err = login(dsn_of(first, !first, "standby"));
        ck_error(&err, TUSK_ERR_CONNECT, "08001", "server is not in hot standby mode");
    }
    control("revive", PRIMARY); /* now both are primaries: the list decides */
    until_found(PRIMARY, "read-write");
    ck_finds(PRIMARY, PRIMARY, STANDBY, "primary");
    ck_finds(STANDBY, STANDBY, PRIMARY, "primary");
    ck_finds(STANDBY, STANDBY, PRIMARY, "prefer-standby");
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("pair_live");
    TCase *tcase = tcase_create("pair_live");

    tcase_add_unchecked_fixture(tcase, start_pair, stop_pair);
    tcase_add_checked_fixture(tcase, live_loop_up, live_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, each_value_finds_the_right_node_in_either_order, 0, N_OF(values));
    tcase_add_test(tcase, read_only_is_a_property_of_the_session);
    tcase_add_test(tcase, new_connections_follow_a_failover);
    suite_add_tcase(suite, tcase);
    return suite;
}
