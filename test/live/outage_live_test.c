/* A server that is full, starting, stopping or dying, and what its clients read: against a server of this program's own, which
 * may be stopped and started without harm to the tests around.
 * What a scripted server says in these cases is in test/fault/server_test.c. Read first: test/harness/server, "beside". */
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include "test/live/live.h"

enum { SLOTS = 8, SLOTS_OF_THE_SUPERUSER = 2 };

static char port[16];

static const char *folder(void)
{
    return textf("%s/outage", harness_env("TUSK_TEST_DIR"));
}

static const char *command(const char *what, const char *rest)
{
    return textf("test/harness/server %s '%s' %s 2>/dev/null", what, folder(), rest);
}

static void start_server(void)
{
    FILE *out = popen(textf("test/harness/server beside '%s' outage 'max_connections = %d' "
                            "'superuser_reserved_connections = %d' 'max_wal_senders = 0' 'wal_level = replica'",
                            harness_env("TUSK_TEST_DIR"), SLOTS, SLOTS_OF_THE_SUPERUSER),
                      "r");

    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(fscanf(out, "%15[0-9]", port), 1);
    ck_assert_int_eq(pclose(out), 0);
}

static void stop_server(void)
{
    ck_assert_int_eq(system(command("stop", "")), 0);
}

/* Only the last one is kept. */
static const char *dsn_of(const char *role, const char *dbname, const char *sslmode)
{
    static char text[512];

    (void)snprintf(text, sizeof text,
                   "postgresql://%s:pw-%s@localhost:%s/%s?hostaddr=127.0.0.1&sslmode=%s&sslrootcert=%s", role, role,
                   port, dbname, sslmode, harness_env("TUSK_TEST_CA"));
    return text;
}

static const char *dsn(void)
{
    return dsn_of("drv", "postgres", "verify-full");
}

#define PATIENCE_US (INT64_C(30) * 1000000) /* a server that takes longer than this is stuck */

/* A backend takes a moment to go, and the server a moment to come: until then it says 53300 or 57P03. */
static tusk_conn *connect_in_the_end(const char *to)
{
    int64_t begin_us = tusk_loop_now_us(loop);

    for (;;) {
        tusk_conn *conn = tusk_connect(loop, to);
        tusk_error err = {0};

        if (tusk_await_free(tusk_conn_ready(conn), &err) == TUSK_OK)
            return conn;
        ck_assert_msg(tusk_error_is_retriable(&err) && tusk_loop_now_us(loop) - begin_us < PATIENCE_US, "%s",
                      said(&err));
        ck_assert_int_eq(err.fate, TUSK_FATE_NOT_SENT);
        tusk_conn_free(conn);
    }
}

/* Only whether it lets in: what is let in by a server that is being stopped may be gone at once. */
static tusk_error knock(void)
{
    tusk_conn *conn = tusk_connect(loop, dsn());
    tusk_error err = {0};

    (void)tusk_await_free(tusk_conn_ready(conn), &err);
    tusk_conn_free(conn);
    return err;
}

/* A test that failed may have left it stopped, or on hold. */
static void repair_server(void)
{
    tusk_error err;

    (void)unlink(textf("%s/hold", folder()));
    err = knock();
    if (err.code != TUSK_OK && strcmp(err.sqlstate, "53300") != 0)
        ck_assert_int_eq(system(command("restart", "fast >/dev/null")), 0);
}

static void up(void)
{
    live_loop_up();
    repair_server();
    db = connect_in_the_end(dsn());
}

/* ---- full --------------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *role, *dbname, *sslmode;
    int n_occupied;      /* by the superuser, db included */
    const char *message; /* its beginning: the rest differs by version */
} full[] = {
    {"drv", "postgres", "disable", SLOTS, "sorry, too many clients already"},
    {"drv", "postgres", "verify-full", SLOTS, "sorry, too many clients already"},
    {"drv", "postgres", "prefer", SLOTS, "sorry, too many clients already"},
    {"t_scram", "postgres", "verify-full", SLOTS - SLOTS_OF_THE_SUPERUSER,
     "remaining connection slots are reserved for "},
    {"t_scram", "narrow", "verify-full", 1, "too many connections for database \"narrow\""},
};

/* Takes the one place in the database, or as many of the server's as are to be taken; returns how many. */
static int occupy(tusk_conn **conns, int i)
{
    int n = 0;

    if (full[i].n_occupied == 1)
        conns[n++] = connect_in_the_end(dsn_of(full[i].role, full[i].dbname, "disable"));
    while (n + 1 < full[i].n_occupied)
        conns[n++] = connect_in_the_end(dsn());
    return n;
}

static void make_role_and_database(int i)
{
    run("drop role if exists t_scram");
    run("create role t_scram login password 'pw-t_scram'");
    if (full[i].n_occupied > 1)
        return;
    run("drop database if exists narrow");
    run("create database narrow connection limit 1");
}

START_TEST(full_server_says_so_and_lets_in_when_somebody_leaves)
{
    tusk_conn *conns[SLOTS];
    tusk_error err;
    int n;

    make_role_and_database(_i);
    n = occupy(conns, _i);
    err = login(dsn_of(full[_i].role, full[_i].dbname, full[_i].sslmode));
    ck_assert_int_eq(err.code, TUSK_ERR_CONNECT);
    ck_assert_str_eq(err.sqlstate, "53300");
    ck_assert_msg(strncmp(err.message, full[_i].message, strlen(full[_i].message)) == 0, "%s", said(&err));
    ck_assert_str_eq(err.where, textf("connect localhost:%s: login", port));
    ck_assert(tusk_error_is_retriable(&err));
    ck_assert(tusk_error_is_fatal(&err));
    disconnect(conns[--n]);
    conns[n] = connect_in_the_end(dsn_of(full[_i].role, full[_i].dbname, full[_i].sslmode));
    ck_usable(conns[n]);
    while (n >= 0)
        disconnect(conns[n--]);
}
END_TEST

/* ---- starting and stopping ------------------------------------------------------------------------------------------------------ */

static void touch(const char *file)
{
    FILE *f = fopen(file, "w");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fclose(f), 0);
}

static pid_t pid_of_server(void)
{
    FILE *f = fopen(textf("%s/data/postmaster.pid", folder()), "r");
    int pid = 0;

    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fscanf(f, "%d", &pid), 1);
    ck_assert_int_eq(fclose(f), 0);
    return pid;
}

/* All of this is 57P03, and a refused port before: the one that is waited for must come. */
static tusk_error login_until(const char *message)
{
    int64_t begin_us = tusk_loop_now_us(loop);
    tusk_error err;

    do {
        err = knock();
        ck_assert_msg(err.code == TUSK_OK || tusk_error_is_retriable(&err), "%s", said(&err));
        ck_assert_msg(tusk_loop_now_us(loop) - begin_us < PATIENCE_US, "instead of %s: %s", message, said(&err));
    } while (strcmp(err.message, message) != 0);
    return err;
}

static void ck_cannot_connect_now(const tusk_error *err, const char *message, const char *detail)
{
    ck_error(err, TUSK_ERR_CONNECT, "57P03", message);
    ck_assert_str_eq(err->detail, detail);
    ck_assert_str_eq(err->where, textf("connect localhost:%s: login", port));
    ck_assert_int_eq(err->fate, TUSK_FATE_NOT_SENT);
    ck_assert(tusk_error_is_fatal(err));
}

static void restart(const char *rest)
{
    tusk_conn_free(db);
    ck_assert_int_eq(system(command("restart", rest)), 0);
}

static void until_recovered(void)
{
    while (number("select pg_is_in_recovery()::int4"))
        ;
}

/* It recovers from an archive that takes its time, as long as the file "hold" is there. */
START_TEST(starting_server_says_so_and_lets_in_when_it_has_started)
{
    tusk_error err;

    touch(textf("%s/hold", folder()));
    touch(textf("%s/data/recovery.signal", folder()));
    run(textf("alter system set restore_command = 'while test -e %s/hold; do sleep 0.02; done; false'", folder()));
    restart("fast >/dev/null &");
    err = login_until("the database system is starting up");
    ck_cannot_connect_now(&err, "the database system is starting up", "");
    ck_assert_int_eq(unlink(textf("%s/hold", folder())), 0);
    db = connect_in_the_end(dsn());
    until_recovered();
    run("alter system reset all");
}
END_TEST

START_TEST(standby_that_answers_nobody_says_so_and_lets_in_when_promoted)
{
    tusk_error err;

    touch(textf("%s/data/standby.signal", folder()));
    run("alter system set hot_standby = off");
    restart("fast >/dev/null");
    err = login_until("the database system is not accepting connections");
    ck_cannot_connect_now(&err, "the database system is not accepting connections", "Hot standby mode is disabled.");
    touch(textf("%s/data/promote", folder()));
    ck_assert_int_eq(kill(pid_of_server(), SIGUSR1), 0);
    db = connect_in_the_end(dsn());
    until_recovered();
    run("alter system reset all");
}
END_TEST

START_TEST(stopping_server_says_so_and_serves_who_is_there)
{
    tusk_error err;

    ck_assert_int_eq(kill(pid_of_server(), SIGTERM), 0);
    err = login_until("the database system is shutting down");
    ck_cannot_connect_now(&err, "the database system is shutting down", "");
    ck_usable(db);
    restart("fast >/dev/null");
    db = connect_in_the_end(dsn());
    ck_usable(db);
}
END_TEST

/* ---- dying ---------------------------------------------------------------------------------------------------------------------- */

static tusk_conn *victims[4], *other;

static void terminate_backends(void)
{
    for (int i = 0; i < N_OF(victims); i++)
        run_on(other, textf("select pg_terminate_backend(%u)", tusk_conn_backend_pid(victims[i])));
}

static void stop_fast(void)
{
    ck_assert_int_eq(kill(pid_of_server(), SIGINT), 0);
}

static void stop_at_once(void)
{
    ck_assert_int_eq(kill(pid_of_server(), SIGQUIT), 0);
}

/* The others must then go, too: shared memory may be damaged. */
static void crash_a_neighbour(void)
{
    ck_assert_int_eq(kill((pid_t)tusk_conn_backend_pid(other), SIGKILL), 0);
}

#define TERMINATED "terminating connection due to administrator command"
#define STOPPED_AT_ONCE "terminating connection due to immediate shutdown command"
#define CRASHED "terminating connection because of crash of another server process"

static const struct {
    void (*kill)(void);
    const char *sslmode, *sqlstate, *message;
} deaths[] = {
    {terminate_backends, "disable", "57P01", TERMINATED}, {terminate_backends, "verify-full", "57P01", TERMINATED},
    {stop_fast, "disable", "57P01", TERMINATED},          {stop_fast, "verify-full", "57P01", TERMINATED},
    {stop_at_once, "disable", "57P01", STOPPED_AT_ONCE},  {stop_at_once, "verify-full", "57P01", STOPPED_AT_ONCE},
    {crash_a_neighbour, "disable", "57P02", CRASHED},     {crash_a_neighbour, "verify-full", "57P02", CRASHED},
};

/* What became of a request; n_done must end as 1. */
typedef struct end {
    int n_done;
    tusk_error err;
} end;

static void take_end(tusk_query *q, void *user)
{
    end *e = user;

    e->n_done++;
    e->err = *tusk_query_error(q);
}

static void ask(tusk_conn *conn, const char *sql, end *e)
{
    *e = (end){0};
    ck_assert_ptr_nonnull(tusk_submit(conn, &(tusk_request){.sql = sql, .on_done = take_end, .user = e}));
}

static void until_running(uint32_t pid, const char *wait_event)
{
    while (!number_on(
        other, textf("select count(*) from pg_stat_activity where pid = %u and wait_event = '%s'", pid, wait_event)))
        ;
}

/* The commit waits for the lock that other holds. */
static void begin_a_slow_commit(tusk_conn *conn)
{
    run_on(other, "select pg_advisory_lock(1)");
    run_on(conn, "create temp table slow (a int)");
    run_on(conn, "create function pg_temp.slow() returns trigger language plpgsql as $$ begin perform "
                 "pg_advisory_lock(1); return null; end $$");
    run_on(conn, "create constraint trigger slow after insert on slow deferrable initially deferred for each row "
                 "execute function pg_temp.slow()");
    run_on(conn, "begin");
    run_on(conn, "insert into slow values (1)");
}

static void ck_lost(const end *e, int death, tusk_code code, tusk_fate fate)
{
    ck_assert_int_eq(e->n_done, 1);
    ck_assert_msg(e->err.code == code && e->err.fate == fate, "not %s, %s: %s", tusk_code_name(code),
                  tusk_fate_name(fate), said(&e->err));
    ck_assert_str_eq(e->err.sqlstate, deaths[death].sqlstate);
    ck_assert_str_eq(e->err.message, deaths[death].message);
    ck_assert_str_eq(e->err.where, textf("localhost:%s/postgres as drv", port));
    ck_assert(tusk_error_is_fatal(&e->err));
}

static bool all_are_gone(void)
{
    for (int i = 0; i < N_OF(victims); i++)
        if (tusk_conn_get_state(victims[i]) != TUSK_CONN_CLOSED)
            return false;
    return true;
}

/* A farewell is the last word: a warning that only looks like one explains nothing. */
START_TEST(killed_backend_says_nothing)
{
    other = connect_in_the_end(dsn_of("drv", "postgres", "disable"));
    run_on(other, "do $$ begin raise warning 'mistaken' using errcode = '57P01'; end $$");
    ck_assert_int_eq(kill((pid_t)tusk_conn_backend_pid(other), SIGKILL), 0);
    while (tusk_conn_get_state(other) != TUSK_CONN_CLOSED)
        turn(TUSK_NONE);
    ck_error(tusk_conn_error(other), TUSK_ERR_LOST, "08006", "the server closed the connection");
    ck_assert_uint_eq(tusk_conn_error_field(other, 'M').len, 0);
    tusk_conn_free(other);
    while (tusk_conn_get_state(db) != TUSK_CONN_CLOSED) /* the server must have noticed before it is asked again */
        turn(TUSK_NONE);
    ck_error(tusk_conn_error(db), TUSK_ERR_LOST, "57P02", CRASHED);
    tusk_conn_free(db);
    db = connect_in_the_end(dsn());
    ck_usable(db);
}
END_TEST

START_TEST(death_of_the_server_ends_each_request_once_with_its_fate)
{
    enum { IDLE, BUSY, COMMITS, IN_TRANSACTION };
    end running, behind, held, commit, late[N_OF(victims)];

    other = connect_in_the_end(dsn());
    for (int i = 0; i < N_OF(victims); i++) {
        victims[i] = connect_in_the_end(dsn_of("drv", "postgres", deaths[_i].sslmode));
        ck_usable(victims[i]);
    }
    run_on(victims[IN_TRANSACTION], "begin");
    begin_a_slow_commit(victims[COMMITS]);
    ask(victims[COMMITS], "commit", &commit);
    ask(victims[BUSY], "select pg_sleep(100)", &running);
    ask(victims[BUSY], "select 2", &behind);
    until_running(tusk_conn_backend_pid(victims[COMMITS]), "advisory");
    until_running(tusk_conn_backend_pid(victims[BUSY]), "PgSleep");
    tusk_query_free(tusk_script(victims[BUSY], "select 3"));
    ask(victims[BUSY], "select 4", &held); /* a script has nothing sent behind it */
    turn(0);
    deaths[_i].kill();
    while (!all_are_gone())
        turn(TUSK_NONE);

    ck_lost(&running, _i, TUSK_ERR_LOST, TUSK_FATE_UNKNOWN);
    ck_lost(&behind, _i, TUSK_ERR_LOST, TUSK_FATE_UNKNOWN);
    ck_lost(&held, _i, TUSK_ERR_LOST, TUSK_FATE_NOT_SENT);
    ck_lost(&commit, _i, TUSK_ERR_COMMIT_UNKNOWN, TUSK_FATE_UNKNOWN);
    ck_assert(!tusk_error_is_retriable(&commit.err));
    ck_assert_int_eq(tusk_conn_tx_status(victims[IN_TRANSACTION]), TUSK_TX_UNKNOWN);
    for (int i = 0; i < N_OF(victims); i++)
        ask(victims[i], "commit", &late[i]);
    turn(0);
    for (int i = 0; i < N_OF(victims); i++) {
        ck_lost(&late[i], _i, TUSK_ERR_LOST, TUSK_FATE_NOT_SENT);
        tusk_conn_free(victims[i]);
    }
    tusk_conn_free(other);

    tusk_conn_free(db);
    if (deaths[_i].kill == stop_fast || deaths[_i].kill == stop_at_once)
        ck_assert_int_eq(system(command("restart", "fast >/dev/null")), 0);
    db = connect_in_the_end(dsn());
    ck_usable(db);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("outage_live");
    TCase *tcase = tcase_create("outage_live");

    tcase_add_unchecked_fixture(tcase, start_server, stop_server);
    tcase_add_checked_fixture(tcase, up, live_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, full_server_says_so_and_lets_in_when_somebody_leaves, 0, N_OF(full));
    tcase_add_test(tcase, starting_server_says_so_and_lets_in_when_it_has_started);
    tcase_add_test(tcase, standby_that_answers_nobody_says_so_and_lets_in_when_promoted);
    tcase_add_test(tcase, stopping_server_says_so_and_serves_who_is_there);
    tcase_add_test(tcase, killed_backend_says_nothing);
    tcase_add_loop_test(tcase, death_of_the_server_ends_each_request_once_with_its_fate, 0, N_OF(deaths));
    suite_add_tcase(suite, tcase);
    return suite;
}
