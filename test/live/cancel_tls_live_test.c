/* Cancel over TLS against the real server, seen from the way between: it is encrypted as its connection is (D29), it ends the
 * request, and what comes next on the connection is answered for itself (D34).
 * Cancel as such is in deadline_live_test.c, its rule in docs/internals/conn.md. Read first: test/harness/relay.h. */
#include "test/harness/relay.h"
#include "test/live/live.h"

static relay *way;
static tusk_conn *other; /* straight to the server; looks at what it does for db */

static void start_way(void)
{
    way = relay_start((uint16_t)strtoul(harness_env("TUSK_TEST_PORT"), NULL, 10));
}

static void connect_by(const char *sslmode)
{
    db = tusk_connect(loop,
                      textf("postgresql://drv:pw-drv@localhost:%u/tusk?hostaddr=127.0.0.1&sslmode=%s&sslrootcert=%s",
                            (unsigned)relay_port(way), sslmode, harness_env("TUSK_TEST_CA")));
    ck_usable(db);
    other = connect_plain();
    ck_usable(other);
}

static void leave(void)
{
    disconnect(db);
    disconnect(other);
    db = other = NULL;
}

static bool is_running(uint32_t pid)
{
    return number_on(other,
                     textf("select count(*) from pg_stat_activity where pid = %u and wait_event = 'PgSleep'", pid)) > 0;
}

/* ---- what is on the wire ------------------------------------------------------------------------------------------- */

static const uint8_t ssl_request[] = {0, 0, 0, 8, 0x04, 0xD2, 0x16, 0x2F};
static const uint8_t cancel_code[] = {0x04, 0xD2, 0x16, 0x2E};
enum { TLS_HANDSHAKE = 22 };

static void ck_encrypted(int n)
{
    size_t len;
    const uint8_t *said = relay_said(way, n, &len);

    ck_assert_uint_gt(len, sizeof ssl_request);
    ck_assert_mem_eq(said, ssl_request, sizeof ssl_request);
    ck_assert_uint_eq(said[sizeof ssl_request], TLS_HANDSHAKE);
    ck_assert(!relay_has_said(way, n, cancel_code, sizeof cancel_code));
}

/* ---- ways to cancel ------------------------------------------------------------------------------------------------ */

static tusk_code cancel_by_call(uint32_t pid)
{
    tusk_query *q = tusk_submit(db, &(tusk_request){.sql = "select pg_sleep(100)", .cancelable = true});

    turn(0);
    while (!is_running(pid))
        ;
    tusk_query_cancel(q);
    return tusk_await_free(q, NULL);
}

static tusk_code cancel_by_deadline(uint32_t pid)
{
    (void)pid;
    return tusk_await_free(
        tusk_submit(db, &(tusk_request){.sql = "select pg_sleep(100)", .cancelable = true, .timeout = 0.05}), NULL);
}

static const struct {
    tusk_code (*cancel)(uint32_t pid);
    tusk_code code;
    const char *sslmode;
    bool is_encrypted;
} cancels[] = {
    {cancel_by_call, TUSK_ERR_CANCELED, "verify-full", true},
    {cancel_by_deadline, TUSK_ERR_TIMEOUT, "verify-full", true},
    {cancel_by_call, TUSK_ERR_CANCELED, "prefer", true},
    {cancel_by_call, TUSK_ERR_CANCELED, "disable", false}, /* the relay would see it */
};

START_TEST(cancel_is_encrypted_as_its_connection_and_hits_nobody_else)
{
    uint32_t pid;

    start_way();
    connect_by(cancels[_i].sslmode);
    pid = tusk_conn_backend_pid(db);
    ck_assert_int_eq(cancels[_i].cancel(pid), cancels[_i].code);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(number(textf("select %d", 4710 + i)), 4710 + i);
    ck_assert_int_eq(number("select pg_backend_pid()"), pid);
    ck_assert(!is_running(pid));
    leave();
    relay_stop(way);
    ck_assert_int_eq(relay_n_accepted(way), 2);
    for (int n = 0; n < 2 && cancels[_i].is_encrypted; n++)
        ck_encrypted(n);
    if (!cancels[_i].is_encrypted)
        ck_assert(relay_has_said(way, 1, cancel_code, sizeof cancel_code));
    relay_free(way);
}
END_TEST

/* Between the login and the cancel somebody sits down on the way and wants no TLS: the key is not given to him, and the connection,
 * whose request goes on, is not used any more. */
START_TEST(cancel_is_never_sent_in_the_clear_instead)
{
    static const struct {
        const char *sslmode, *cause;
    } modes[] = {{"verify-full", "the server does not support TLS, but sslmode=verify-full asks for it"},
                 {"require", "the server does not support TLS, but sslmode=require asks for it"},
                 {"prefer", "the server does not support TLS any more"}};
    tusk_error err = {0};
    uint32_t pid;
    size_t len;

    start_way();
    connect_by(modes[_i].sslmode);
    pid = tusk_conn_backend_pid(db);
    relay_strip_tls(way);
    ck_assert_int_eq(cancel_by_call(pid), TUSK_ERR_CANCELED);
    ck_assert_int_eq(tusk_await_free(tusk_exec(db, "select 1", TUSK_NO_PARAMS), &err), TUSK_ERR_LOST);
    ck_assert_int_eq(err.fate, TUSK_FATE_NOT_SENT);
    ck_assert_str_eq(err.message,
                     "the connection was closed: a request on it was to be canceled, and what became of the "
                     "CancelRequest is not known");
    ck_assert_str_eq(err.detail, modes[_i].cause);
    run_on(other, textf("select pg_terminate_backend(%u)", pid));
    leave();
    relay_stop(way);
    ck_assert_int_eq(relay_n_accepted(way), 2);
    (void)relay_said(way, 1, &len);
    ck_assert_uint_eq(len, sizeof ssl_request);
    ck_assert(relay_has_said(way, 1, ssl_request, sizeof ssl_request));
    relay_free(way);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("cancel_tls_live");
    TCase *tcase = tcase_create("cancel_tls_live");

    tcase_add_checked_fixture(tcase, live_loop_up, live_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_loop_test(tcase, cancel_is_encrypted_as_its_connection_and_hits_nobody_else, 0, N_OF(cancels));
    tcase_add_loop_test(tcase, cancel_is_never_sent_in_the_clear_instead, 0, 3);
    suite_add_tcase(suite, tcase);
    return suite;
}
