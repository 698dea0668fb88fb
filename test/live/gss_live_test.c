/* Logins by GSSAPI in a Kerberos realm of this program's own: tickets good and bad, services, TLS beside it, delegation, a KDC that is
 * down and one that is silent.
 * What the library might do and the real one does not is in test/gss_test.c. Read first: test/harness/realm.sh. */
#include "test/live/live.h"

#ifdef HAVE_GSSAPI

#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tusk/gssapi.h>

#include "test/harness/script_server.h"

/* ---- the realm --------------------------------------------------------------------------------------------------------------- */

static char port[128]; /* of the server; or why there is none */
static char ticket_file[512];
static bool is_there;
static int threads_before;

static const char *realm_file(const char *name)
{
    return textf("%s/realm/realm/%s", harness_env("TUSK_TEST_DIR"), name);
}

static void *nothing(void *arg)
{
    return arg;
}

/* A sanitizer starts a thread of its own with the first one. */
static void start_first_thread(void)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, nothing, NULL), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

static void start_realm(void)
{
    FILE *out = popen(textf("test/harness/server realm '%s' realm 2>/dev/null", harness_env("TUSK_TEST_DIR")), "r");
    int status;

    start_first_thread();
    ck_assert_ptr_nonnull(out);
    (void)!fgets(port, sizeof port, out);
    port[strcspn(port, "\n")] = '\0';
    status = pclose(out);
    is_there = status == 0;
    ck_assert_msg(is_there || (WIFEXITED(status) && WEXITSTATUS(status) == 77), "the realm did not start");
    if (!is_there)
        harness_skip("GSSAPI in a Kerberos realm", port);
    (void)snprintf(ticket_file, sizeof ticket_file, "%s", realm_file("mine.cc"));
}

static void stop_realm(void)
{
    if (is_there)
        ck_assert_int_eq(system(textf("test/harness/server stop '%s/realm'", harness_env("TUSK_TEST_DIR"))), 0);
}

/* ---- the surroundings of a login ------------------------------------------------------------------------------------------------ */

/* The Kerberos library reads the environment, on the helper thread: it is changed only while there is none. */
static int n_threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    int n = 0;

    while (dir && readdir(dir))
        n++;
    if (dir)
        (void)closedir(dir);
    return n;
}

static void await_threads(void)
{
    while (n_threads() > threads_before)
        sched_yield();
}

static void use_configuration(const char *file)
{
    ck_assert_int_eq(setenv("KRB5_CONFIG", file, 1), 0);
}

/* A copy: a login adds its service's ticket, with which the next one needs no KDC. */
static void use_ticket(const char *name)
{
    ck_assert_int_eq(system(textf("cp '%s' '%s'", realm_file(name), ticket_file)), 0);
}

static void set_up(void)
{
    threads_before = n_threads();
    live_loop_up();
    db = NULL;
    if (!is_there)
        return;
    use_configuration(realm_file("krb5.conf"));
    ck_assert_int_eq(setenv("KRB5CCNAME", textf("FILE:%s", ticket_file), 1), 0);
    use_ticket("t_gss.cc");
}

static void tear_down(void)
{
    if (is_there)
        (void)unlink(ticket_file);
    if (db)
        disconnect(db);
    db = NULL;
    tusk_loop_free(loop);
    loop = NULL;
    await_threads();
    live_down();
}

static const char *dsn_of(const char *role, const char *options)
{
    return textf("host=localhost hostaddr=127.0.0.1 port=%s user=%s dbname=postgres sslrootcert=%s %s", port, role,
                 harness_env("TUSK_TEST_CA"), options);
}

static tusk_conn *open_with(const char *dsn, double timeout)
{
    const tusk_auth_mechanism *const mechanisms[] = {tusk_gssapi(), NULL};
    tusk_conn *conn =
        tusk_conn_open(loop, &(tusk_config){.dsn = dsn, .auth_mechanisms = mechanisms, .connect_timeout = timeout});

    ck_assert_ptr_nonnull(conn);
    return conn;
}

static tusk_error gss_login(const char *dsn)
{
    tusk_conn *conn = open_with(dsn, 0);
    tusk_error err = {0};

    (void)tusk_await_free(tusk_conn_ready(conn), &err);
    tusk_conn_free(conn);
    return err;
}

/* ---- it goes well --------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *role, *options;
    bool is_tls;
} ways_in[] = {
    {"t_gss", "sslmode=disable", false},
    {"t_gss", "sslmode=prefer", true},
    {"t_gss", "sslmode=verify-full", true},
    {"t_gss_tls", "sslmode=prefer", true},
    {"t_gss_tls", "sslmode=allow", true},
    {"t_gss_tls", "sslmode=verify-full require_auth=gss", true},
    {"t_gss", "sslmode=disable require_auth=gss", false},
    {"t_gss", "sslmode=disable require_auth=scram-sha-256,gss", false},
    {"t_gss", "sslmode=disable require_auth=!none,!password", false},
    {"t_gss", "sslmode=disable krbsrvname=billing", false},
    {"t_gss", "sslmode=disable gssencmode=prefer", false},
    {"t_gss", "sslmode=disable password=pw-t_gss", false},
};

START_TEST(ticket_opens_the_door)
{
    tusk_query *q;
    tusk_row row;

    if (!is_there)
        return;
    db = open_with(dsn_of(ways_in[_i].role, ways_in[_i].options), 0);
    q = tusk_exec(
        db,
        "select gss_authenticated, principal, encrypted, ssl from pg_stat_gssapi join pg_stat_ssl using (pid) "
        "where pid = pg_backend_pid()",
        TUSK_NO_PARAMS);
    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert(tusk_get_bool(&row, 0));
    ck_assert(tusk_str_is(tusk_get_text(&row, 1), "t_gss@TUSK.TEST"));
    ck_assert(!tusk_get_bool(&row, 2));
    ck_assert_int_eq(tusk_get_bool(&row, 3), ways_in[_i].is_tls);
    ck_assert(tusk_str_is(tusk_conn_auth_method(db), "gss"));
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

/* … and so are connections of other kinds with the same configuration. */
START_TEST(who_has_named_it_may_still_use_a_password)
{
    tusk_error err;

    if (!is_there)
        return;
    err = gss_login(dsn_of("drv", "sslmode=disable password=pw-drv"));
    ck_assert_msg(err.code == TUSK_OK, "%s", said(&err));
}
END_TEST

/* ---- it does not ---------------------------------------------------------------------------------------------------------------- */

#define ASKS "the server asks for GSSAPI authentication, which require_auth="
#define HINT "Get a ticket by kinit. KRB5CCNAME says where tickets are looked for."

static const struct {
    const char *role, *options, *ticket, *message, *hint;
} refusals[] = {
    {"t_gss", "require_auth=!gss", "t_gss.cc", ASKS "!gss does not allow",
     "To allow it, take !gss out of require_auth."},
    {"t_gss", "require_auth=sspi", "t_gss.cc", ASKS "sspi does not allow", "To allow it, add gss to require_auth."},
    {"t_gss", "require_auth=scram-sha-256,md5", "t_gss.cc", ASKS "scram-sha-256,md5 does not allow",
     "To allow it, add gss to require_auth."},
    {"t_gss", "sslmode=require channel_binding=require", "t_gss.cc",
     "channel binding is required, but the server asks for GSSAPI authentication", ""},
    {"t_gss", "", "expired.cc", "GSSAPI for postgres@localhost: Ticket expired", ""},
    {"t_gss", "krbsrvname=nobody", "t_gss.cc",
     "GSSAPI for nobody@localhost: Server nobody/localhost@TUSK.TEST not found in Kerberos database", ""},
    {"t_gss", "krbsrvname=stranger", "t_gss.cc", "GSSAPI for stranger@localhost: The ticket isn't for us", ""},
    {"t_gss_realm", "", "t_gss.cc", "GSSAPI authentication failed for user \"t_gss_realm\"", ""},
    {"t_gss_else", "", "t_gss.cc", "GSSAPI authentication failed for user \"t_gss_else\"", ""},
};

START_TEST(who_is_not_let_in_hears_why)
{
    tusk_error err;

    if (!is_there)
        return;
    use_ticket(refusals[_i].ticket);
    err = gss_login(dsn_of(refusals[_i].role, textf("sslmode=disable %s", refusals[_i].options)));
    ck_error(&err, TUSK_ERR_AUTH, "28000", refusals[_i].message);
    ck_assert_str_eq(err.where, textf("connect localhost:%s: login", port));
    ck_assert_str_eq(err.hint, refusals[_i].hint);
    ck_assert_int_eq(err.fate, TUSK_FATE_NOT_SENT);
}
END_TEST

START_TEST(without_a_ticket_there_is_a_hint)
{
    tusk_error err;

    if (!is_there)
        return;
    (void)unlink(ticket_file);
    err = gss_login(dsn_of("t_gss", "sslmode=disable"));
    ck_error(&err, TUSK_ERR_AUTH, "28000",
             textf("GSSAPI for postgres@localhost: No Kerberos credentials available (default cache: FILE:%s)",
                   ticket_file));
    ck_assert_str_eq(err.detail, "No credentials were supplied, or the credentials were unavailable or inaccessible");
    ck_assert_str_eq(err.hint, HINT);
}
END_TEST

START_TEST(who_has_not_named_it_is_told_what_to_name)
{
    tusk_error err;

    if (!is_there)
        return;
    err = login(dsn_of("t_gss", "sslmode=disable"));
    ck_error(&err, TUSK_ERR_AUTH, "28000", "the server asks for GSSAPI authentication, which is not supported");
    ck_assert_msg(strstr(err.hint, "tusk_gssapi()"), "%s", said(&err));
}
END_TEST

/* ---- other configurations --------------------------------------------------------------------------------------------------------- */

static void change_configuration(const char *how)
{
    ck_assert_int_eq(system(textf("sed '%s' '%s' >'%s'", how, realm_file("krb5.conf"), realm_file("other.conf"))), 0);
    use_configuration(realm_file("other.conf"));
}

static void use_kdc_at(int at)
{
    change_configuration(textf("s/127.0.0.1:.*/127.0.0.1:%d/", at));
}

/* A KDC that is there and never answers, by UDP or TCP. */
typedef struct silent_kdc {
    int udp, tcp, port;
} silent_kdc;

static struct sockaddr_in bind_to(int fd, int at)
{
    struct sockaddr_in sin = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)at)};
    socklen_t len = sizeof sin;

    if (bind(fd, (struct sockaddr *)&sin, sizeof sin) != 0)
        return (struct sockaddr_in){0};
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
    return sin;
}

static silent_kdc start_silent_kdc(void)
{
    for (int tries = 0; tries < 100; tries++) {
        silent_kdc kdc = {.udp = socket(AF_INET, SOCK_DGRAM, 0), .tcp = socket(AF_INET, SOCK_STREAM, 0)};

        kdc.port = ntohs(bind_to(kdc.udp, 0).sin_port);
        if (bind_to(kdc.tcp, kdc.port).sin_port != 0 && listen(kdc.tcp, 8) == 0)
            return kdc;
        close(kdc.udp);
        close(kdc.tcp);
    }
    ck_abort_msg("no port that is free for UDP and TCP");
    return (silent_kdc){-1, -1, -1};
}

/* Rubbish is an answer too, with which the library comes back. */
static void stop_silent_kdc(const silent_kdc *kdc)
{
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    char question[1500];

    while (recvfrom(kdc->udp, question, sizeof question, MSG_DONTWAIT, (struct sockaddr *)&from, &len) > 0)
        ck_assert_int_eq(sendto(kdc->udp, "?", 1, 0, (struct sockaddr *)&from, len), 1);
    close(kdc->udp);
    close(kdc->tcp);
}

/* The library is in the middle of its question. */
static bool is_asked(const silent_kdc *kdc)
{
    struct pollfd fds[] = {{.fd = kdc->udp, .events = POLLIN}, {.fd = kdc->tcp, .events = POLLIN}};

    return poll(fds, 2, 0) > 0;
}

static void turn_until_asked(const silent_kdc *kdc)
{
    while (!is_asked(kdc))
        turn(0.01);
}

START_TEST(a_host_of_another_realm_is_an_error)
{
    tusk_error err;

    if (!is_there)
        return;
    change_configuration("s/^localhost = .*/localhost = OTHER.TEST/");
    err = gss_login(dsn_of("t_gss", "sslmode=disable"));
    ck_error(&err, TUSK_ERR_AUTH, "28000",
             "GSSAPI for postgres@localhost: Server krbtgt/OTHER.TEST@TUSK.TEST not found in Kerberos database");
}
END_TEST

START_TEST(a_kdc_that_is_down_is_an_error)
{
    silent_kdc unused;
    tusk_error err;

    if (!is_there)
        return;
    unused = start_silent_kdc(); /* for its port, where nobody is then */
    stop_silent_kdc(&unused);
    use_kdc_at(unused.port);
    err = gss_login(dsn_of("t_gss", "sslmode=disable"));
    ck_error(&err, TUSK_ERR_AUTH, "28000",
             "GSSAPI for postgres@localhost: Cannot contact any KDC for realm 'TUSK.TEST'");
}
END_TEST

/* The whole time that the library hangs, the loop does other work; then the deadline fires. */
START_TEST(a_silent_kdc_holds_nobody_up)
{
    tusk_conn *stuck;
    tusk_error err = {0};
    silent_kdc kdc;

    if (!is_there)
        return;
    kdc = start_silent_kdc();
    use_kdc_at(kdc.port);
    db = tusk_connect(loop, dsn_of("drv", "sslmode=disable password=pw-drv"));
    ck_usable(db);
    stuck = open_with(dsn_of("t_gss", "sslmode=disable"), 1);
    turn_until_asked(&kdc);
    for (int i = 0; i < 100; i++)
        ck_usable(db);
    ck_assert_int_eq(tusk_await_free(tusk_conn_ready(stuck), &err), TUSK_ERR_TIMEOUT);
    ck_assert_str_eq(err.where, textf("connect localhost:%s: login", port));
    tusk_conn_free(stuck);
    ck_usable(db);
    stop_silent_kdc(&kdc);
}
END_TEST

START_TEST(a_login_may_be_ended_while_the_kdc_is_asked)
{
    tusk_conn *stuck;
    silent_kdc kdc;

    if (!is_there)
        return;
    kdc = start_silent_kdc();
    use_kdc_at(kdc.port);
    stuck = open_with(dsn_of("t_gss", "sslmode=disable"), 0);
    turn_until_asked(&kdc);
    if (_i == 0)
        ck_assert_int_eq(tusk_await_free(tusk_close(stuck), NULL), TUSK_OK);
    if (_i < 2)
        tusk_conn_free(stuck);
    tusk_loop_free(loop);
    loop = NULL;
    stop_silent_kdc(&kdc);
}
END_TEST

/* ---- delegation ------------------------------------------------------------------------------------------------------------------ */

static char warning[256];

static void on_log(tusk_log_level level, tusk_str message, void *user)
{
    (void)level, (void)user;
    (void)snprintf(warning, sizeof warning, TUSK_STR_FMT, TUSK_STR_ARG(message));
}

/* Tickets that may be handed on are asked of the KDC one by one, and it writes that down. */
static int n_handed_on(void)
{
    FILE *file = fopen(realm_file("kdc.log"), "r");
    char line[1024];
    int n = 0;

    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file))
        n += strstr(line, "TGS_REQ") && strstr(line, "ISSUE") &&
             strstr(line, "t_gss@TUSK.TEST for krbtgt/TUSK.TEST@TUSK.TEST");
    (void)fclose(file);
    return n;
}

static const struct {
    const char *options, *ticket;
    bool is_handed_on, is_told;
} delegations[] = {
    {"", "t_gss.cc", false, false},
    {"gssdelegation=0", "t_gss.cc", false, false},
    {"gssdelegation=1", "t_gss.cc", true, false},
    {"gssdelegation=1", "fixed.cc", false, true},
};

START_TEST(the_ticket_is_handed_on_only_if_that_is_asked_for)
{
    int before;
    tusk_error err;

    if (!is_there)
        return;
    tusk_loop_free(loop);
    loop = tusk_loop_open(&(tusk_loop_config){.on_log = on_log}, NULL);
    warning[0] = '\0';
    use_ticket(delegations[_i].ticket);
    before = n_handed_on();
    err = gss_login(dsn_of("t_gss", textf("sslmode=disable %s", delegations[_i].options)));
    ck_assert_msg(err.code == TUSK_OK, "%s", said(&err));
    ck_assert_int_eq(n_handed_on() - before, delegations[_i].is_handed_on);
    ck_assert_str_eq(warning, delegations[_i].is_told ? "gssdelegation=1, but the ticket could not be handed on to "
                                                        "postgres@localhost: is it forwardable?"
                                                      : "");
}
END_TEST

/* ---- a server that lies ------------------------------------------------------------------------------------------------------------ */

#define ASK "expect startup\nsend auth gss\nexpect password\n"

static const struct {
    const char *script;
    tusk_code code;
    const char *sqlstate, *message;
} lies[] = {
    {ASK "send auth ok\nexpect eof\n", TUSK_ERR_PROTOCOL, "08P01", "authentication"},
    {ASK "send auth gss_continue rubbish\nexpect eof\n", TUSK_ERR_AUTH, "28000", "GSSAPI for postgres@localhost: "},
    {ASK "send auth gss_continue x:00\nexpect eof\n", TUSK_ERR_AUTH, "28000", "GSSAPI for postgres@localhost: "},
    {ASK "send auth gss_continue x:6082ffff\nexpect eof\n", TUSK_ERR_AUTH, "28000", "GSSAPI for postgres@localhost: "},
    {ASK "send auth gss_continue\nexpect eof\n", TUSK_ERR_AUTH, "28000", "GSSAPI for postgres@localhost: "},
    /* an answer of the right form that the server's key has not made */
    {ASK "send auth gss_continue x:601b06092a864886f71201020202006f0e300ca003020105a10302010fa200\nexpect eof\n",
     TUSK_ERR_AUTH, "28000", "GSSAPI for postgres@localhost: "},
};

START_TEST(who_proves_nothing_is_not_believed)
{
    script_server *server;
    const char *wrong;
    tusk_error err;

    if (!is_there)
        return;
    server = script_start(lies[_i].script);
    ck_assert_ptr_nonnull(server);
    err = gss_login(textf("host=localhost hostaddr=127.0.0.1 port=%d user=t_gss sslmode=disable", script_port(server)));
    ck_assert_msg(err.code == lies[_i].code && strstr(err.message, lies[_i].message), "%s", said(&err));
    ck_assert_str_eq(err.sqlstate, lies[_i].sqlstate);
    wrong = script_stop(server);
    ck_assert_msg(!wrong, "%s", wrong);
}
END_TEST

/* ---- often ------------------------------------------------------------------------------------------------------------------------- */

START_TEST(a_hundred_logins_leave_nothing_behind)
{
    tusk_conn *conns[10];
    int fds;

    if (!is_there)
        return;
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < N_OF(conns); i++)
            conns[i] = open_with(dsn_of("t_gss", "sslmode=disable"), 0);
        for (int i = 0; i < N_OF(conns); i++) {
            ck_usable(conns[i]);
            disconnect(conns[i]);
        }
        if (round == 0)
            fds = harness_open_fds();
        ck_assert_int_eq(harness_open_fds(), fds);
    }
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("gss_live");
    TCase *tcase = tcase_create("gss_live");

    tcase_add_unchecked_fixture(tcase, start_realm, stop_realm);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, ticket_opens_the_door, 0, N_OF(ways_in));
    tcase_add_test(tcase, who_has_named_it_may_still_use_a_password);
    tcase_add_loop_test(tcase, who_is_not_let_in_hears_why, 0, N_OF(refusals));
    tcase_add_test(tcase, without_a_ticket_there_is_a_hint);
    tcase_add_test(tcase, who_has_not_named_it_is_told_what_to_name);
    tcase_add_test(tcase, a_host_of_another_realm_is_an_error);
    tcase_add_test(tcase, a_kdc_that_is_down_is_an_error);
    tcase_add_test(tcase, a_silent_kdc_holds_nobody_up);
    tcase_add_loop_test(tcase, a_login_may_be_ended_while_the_kdc_is_asked, 0, 3);
    tcase_add_loop_test(tcase, the_ticket_is_handed_on_only_if_that_is_asked_for, 0, N_OF(delegations));
    tcase_add_loop_test(tcase, who_proves_nothing_is_not_believed, 0, N_OF(lies));
    tcase_add_test(tcase, a_hundred_logins_leave_nothing_behind);
    suite_add_tcase(suite, tcase);
    return suite;
}

#else

START_TEST(there_is_no_gssapi)
{
    harness_skip("GSSAPI", "there is no gssapi/gssapi.h");
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("gss_live");
    TCase *tcase = tcase_create("gss_live");

    tcase_add_test(tcase, there_is_no_gssapi);
    suite_add_tcase(suite, tcase);
    return suite;
}

#endif
