/* Tests of a configuration whose files are read on the helper thread: what is told at once and what comes with the connection, who is
 * called on which thread, and what becomes of it all when a file hangs.
 * Not tested here: what the files mean (gather_test, passfile_test, servicefile_test); bench/turns traces the loop's thread.
 * Read first: lib/reading.h, docs/internals/config.md. */
#include <stdio.h>
#include <sys/stat.h>

#include <tusk/tusk.h>

#include "lib/config_copy.h"
#include "lib/conn.h"
#include "test/harness/script_server.h"
#include "test/loop_util.h"
#include "test/thread_util.h"

static tusk_loop *loop;
static world *w;
static heap h;
static script_server *server;
static pthread_t loops_thread;

/* ---- an allocator that knows who calls ------------------------------------------------------------------------------------ */

#define FILE_SIZE 43210 /* nothing else is as long as a file of ours, which takes a byte more */

static atomic_int n_read_here, n_read_elsewhere;
static bool is_gate_closed; /* set before a thread is started */

static void *our_malloc(size_t size, void *user)
{
    bool is_elsewhere = !pthread_equal(pthread_self(), loops_thread);

    if (size == FILE_SIZE + 1)
        atomic_fetch_add(is_elsewhere ? &n_read_elsewhere : &n_read_here, 1);
    if (is_elsewhere && is_gate_closed)
        wait_at_the_gate();
    return heap_malloc(size, user);
}

static tusk_loop *open_loop(void)
{
    heap_init(&h);
    h.allocator.malloc = our_malloc;
    return loop_on_heap(w, &h, NULL);
}

/* ---- files ---------------------------------------------------------------------------------------------------------------- */

static char folder[32], passfile[64], servicefile[64];

static void write_file(char path[64], const char *name, const char *text)
{
    FILE *file;
    size_t len = strlen(text);

    snprintf(path, 64, "%s/%s", folder, name);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fchmod(fileno(file), 0600), 0);
    fputs(text, file);
    for (; len < FILE_SIZE; len++)
        fputc(len % 1000 == 0 || len == FILE_SIZE - 1 ? '\n' : '#', file);
    ck_assert_int_eq(fclose(file), 0);
}

static void setup_in(world *in)
{
    char text[256];

    w = in;
    threads_open(&w->os);
    loops_thread = pthread_self();
    is_gate_closed = false;
    atomic_store(&n_read_here, 0);
    atomic_store(&n_read_elsewhere, 0);
    diary[0] = '\0';
    server = script_start_echo(NULL, NULL);
    ck_assert_ptr_nonnull(server);
    snprintf(folder, sizeof folder, "/tmp/tusk-reading-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    write_file(passfile, "pass", "*:*:*:u:from the file\n");
    snprintf(text, sizeof text,
             "[s]\nhost=127.0.0.1\nport=%d\nuser=u\npassword=of the service\ndbname=d\nsslmode=disable\n",
             script_port(server));
    write_file(servicefile, "services", text);
    setenv("PGSERVICEFILE", servicefile, 1);
    setenv("HOME", folder, 1);
    loop = open_loop();
}

static void setup(void)
{
    setup_in(world_open());
}

static void setup_timeless(void)
{
    setup_in(world_open_timeless());
}

static void teardown(void)
{
    tusk_loop_free(loop);
    threads_close();
    ck_assert_int_eq(atomic_load(&h.n_live), 0);
    ck_assert_ptr_null(script_stop(server));
    unlink(passfile);
    unlink(servicefile);
    ck_assert_int_eq(rmdir(folder), 0);
    unsetenv("PGSERVICEFILE");
}

/* ---- configurations --------------------------------------------------------------------------------------------------------- */

static const char *dsn_with(const char *more)
{
    static char dsns[2][256];
    static unsigned n;
    char *dsn = dsns[n++ % 2];

    snprintf(dsn, sizeof dsns[0], "host=127.0.0.1 port=%d user=u dbname=d sslmode=disable %s", script_port(server),
             more);
    return dsn;
}

enum { PASSFILE, SERVICE, PEER, N_NEEDS };

/* What cannot be known without a file, a service or the system's user database. */
static tusk_config needy(int need)
{
    if (need == SERVICE)
        return (tusk_config){.service = "s"};
    if (need == PEER)
        return (tusk_config){.dsn = dsn_with("password=p requirepeer=root")};
    return (tusk_config){.dsn = dsn_with(""), .passfile = passfile};
}

static tusk_conn *open_ok(const tusk_config *config)
{
    tusk_conn *db = tusk_conn_open(loop, config);

    ck_assert_ptr_nonnull(db);
    ck_assert_msg(tusk_conn_error(db)->code == TUSK_OK, "%s", tusk_conn_error(db)->message);
    return db;
}

static void await_ok(tusk_query *q)
{
    tusk_error err = {0};

    ck_assert_msg(tusk_await_free(q, &err) == TUSK_OK, "%s: %s", err.where, err.message);
}

/* ---- who reads ------------------------------------------------------------------------------------------------------------------ */

START_TEST(files_are_read_by_the_helper_thread)
{
    static const char *const passwords[N_NEEDS] = {"from the file", "of the service", "p"};
    tusk_config config = needy(_i);
    tusk_conn *db = open_ok(&config);

    await_ok(tusk_conn_ready(db));
    ck_assert_int_eq(atomic_load(&n_threads), 1);
    ck_assert_int_eq(atomic_load(&n_read_here), 0);
    ck_assert_int_eq(atomic_load(&n_read_elsewhere), _i == PEER ? 0 : 1);
    ck_assert_str_eq(db->settings->password.ptr, passwords[_i]);
    ck_assert_ptr_eq(db->settings->allocator, tusk__loop_allocator(loop));
    ck_assert(_i != PEER || db->settings->requirepeer_id == 0);
    tusk_conn_free(db);
}
END_TEST

START_TEST(what_names_all_needs_no_thread)
{
    tusk_config config = {.dsn = dsn_with("password=p"), .ignore_environment = _i};
    tusk_conn *db = open_ok(&config);

    await_ok(tusk_conn_ready(db));
    ck_assert_int_eq(atomic_load(&n_threads), 0);
    tusk_conn_free(db);
}
END_TEST

START_TEST(a_callers_texts_are_his_again_at_once)
{
    char dsn[256], name[] = "application_name", value[] = "mine";
    const char *settings[] = {name, value, NULL};
    tusk_config config = {.dsn = dsn, .passfile = passfile, .server_settings = settings};
    tusk_conn *db;

    snprintf(dsn, sizeof dsn, "%s", dsn_with(""));
    db = open_ok(&config);
    memset(dsn, 'x', sizeof dsn);
    memset(value, 'x', sizeof value);
    settings[0] = NULL;
    await_ok(tusk_conn_ready(db));
    ck_assert_str_eq(db->settings->startup[db->settings->n_startup - 1].value.ptr, "mine");
    tusk_conn_free(db);
}
END_TEST

/* ---- what is said when ------------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *dsn, *message;
} told_at_once[] = {
    {"service=s port 5432",
     "the connection string is malformed at byte 11: what should be a parameter's name has no \"=\" behind it"},
    {"service=s prot=1", "unknown parameter at byte 11 of the connection string; did you mean port?"},
    {"user=u port=x", NULL},
    {"user=u sslmode=bogus", NULL},
};

START_TEST(what_the_caller_got_wrong_is_told_at_once)
{
    tusk_conn *db = tusk_connect(loop, told_at_once[_i].dsn);

    ck_assert_int_eq(tusk_conn_error(db)->code, TUSK_ERR_CONFIG);
    ck_assert_str_eq(tusk_conn_error(db)->where, "configuration");
    if (told_at_once[_i].message)
        ck_assert_str_eq(tusk_conn_error(db)->message, told_at_once[_i].message);
    ck_assert_int_eq(atomic_load(&n_threads), 0);
    tusk_conn_free(db);
}
END_TEST

static void on_closed(tusk_conn *db, const tusk_error *err, void *user)
{
    (void)user;
    ck_assert_ptr_eq(err, tusk_conn_error(db));
    ck_assert_int_eq(err->fate, TUSK_FATE_NOT_SENT);
    note(err->message);
}

static const struct {
    tusk_config config;
    const char *message;
} told_later[] = {
    {{.service = "nobodys"}, "the service is defined in no service file"},
    {{.service = "s", .dsn = "port=5432,1"}, "port has 2 items for 1 hosts: one is for all"},
};

START_TEST(what_files_lack_comes_with_the_connection)
{
    tusk_config config = told_later[_i].config;
    tusk_query *ready;
    tusk_conn *db;

    config.on_closed = on_closed;
    db = open_ok(&config);
    ck_assert_uint_eq(tusk_conn_host(db).len, 0); /* nobody knows */
    ready = tusk_conn_ready(db);
    ck_assert_int_eq(tusk_await(ready), TUSK_ERR_CONFIG);
    ck_assert_str_eq(tusk_query_error(ready)->where, "configuration");
    ck_assert_str_eq(tusk_query_error(ready)->message, told_later[_i].message);
    diary_is(told_later[_i].message);
    tusk_query_free(ready);
    tusk_conn_free(db);
}
END_TEST

START_TEST(what_is_known_without_files_can_be_asked_for_at_once)
{
    tusk_config config = needy(PASSFILE);
    tusk_conn *db = open_ok(&config);
    const char *host;

    ck_assert(tusk_str_is(tusk_conn_host(db), "127.0.0.1"));
    ck_assert(tusk_str_is(tusk_conn_dbname(db), "d"));
    ck_assert(tusk_str_is(tusk_conn_user(db), "u"));
    host = tusk_conn_host(db).ptr;
    await_ok(tusk_conn_ready(db));
    ck_assert_ptr_eq(tusk_conn_host(db).ptr, host); /* borrowed until the end */
    tusk_conn_free(db);
}
END_TEST

START_TEST(requests_wait_for_the_files)
{
    tusk_config config = needy(_i);
    tusk_conn *db = open_ok(&config);
    tusk_stmt *stmt = tusk_prepare(db, "select 1", NULL, 0);
    tusk_stack *stack = tusk_stack_new(db);
    tusk_query *prepared = tusk_stmt_ready(stmt), *first = tusk_exec(db, "select 1", TUSK_NO_PARAMS), *both;

    tusk_stack_push(stack, "select 1", TUSK_NO_PARAMS);
    both = tusk_stack_run(stack, TUSK_STACK_CONTINUE);
    await_ok(first);
    await_ok(both);
    await_ok(prepared);
    tusk_stmt_free(stmt);
    tusk_conn_free(db);
}
END_TEST

/* ---- a file that hangs ---------------------------------------------------------------------------------------------------------- */

static void on_tick(void *user)
{
    note(user);
}

START_TEST(deadline_ends_the_wait_for_a_file_and_the_loop_turns_meanwhile)
{
    tusk_config config = needy(_i);
    tusk_timer *ticks[2] = {tusk_timer_start(loop, 1.0, on_tick, named("tick")),
                            tusk_timer_start(loop, 2.0, on_tick, named("tick"))};
    tusk_error err = {0};
    tusk_conn *db;

    is_gate_closed = true;
    config.connect_timeout = 3.0;
    config.on_closed = on_closed;
    db = open_ok(&config);
    ck_assert_int_eq(tusk_await_free(tusk_conn_ready(db), &err), TUSK_ERR_TIMEOUT);
    diary_is("tick tick no connection within connect_timeout (3 s)");
    ck_assert_str_eq(err.where, "configuration");
    ck_assert_ptr_nonnull(strstr(err.detail, "have not been read to their end"));
    ck_assert_ptr_nonnull(ticks[0]);
    ck_assert_ptr_nonnull(ticks[1]);
    tusk_conn_free(db);
}
END_TEST

enum { CLOSED, FREED, LOOP_FREED, N_ENDS };

START_TEST(connection_that_waits_for_a_file_can_be_ended)
{
    tusk_config config = needy(_i % N_NEEDS);
    tusk_conn *db, *second;

    is_gate_closed = true;
    db = open_ok(&config);
    await_stuck(1);
    second = open_ok(&config); /* its job waits behind the first one's */
    turn_ok(loop, 0);
    if (_i / N_NEEDS == CLOSED) {
        await_ok(tusk_close(second));
        await_ok(tusk_close(db));
    }
    if (_i / N_NEEDS < LOOP_FREED) {
        tusk_conn_free(db);
        tusk_conn_free(second);
        turn_ok(loop, 0);
    }
}
END_TEST

START_TEST(file_that_hangs_keeps_nobody_else)
{
    tusk_config config = needy(PASSFILE), whole = {.dsn = dsn_with("password=p")};
    tusk_conn *db, *other;

    is_gate_closed = true;
    db = open_ok(&config);
    await_stuck(1);
    other = open_ok(&whole);
    await_ok(tusk_conn_ready(other));
    ck_assert_int_eq(tusk_conn_get_state(db), TUSK_CONN_CONNECTING);
    let_go(1000);
    await_ok(tusk_conn_ready(db));
    tusk_conn_free(other);
    tusk_conn_free(db);
}
END_TEST

/* Given up with the threads that are in them; the next one waits for the first of these to come back. */
START_TEST(file_is_read_also_where_as_many_hang_as_may)
{
    tusk_config config = needy(PASSFILE);
    tusk_conn *db;

    is_gate_closed = true;
    for (int i = 1; i <= 4; i++) {
        db = open_ok(&config);
        await_stuck(i);
        tusk_conn_free(db);
        turn_ok(loop, 0);
    }
    db = open_ok(&config);
    turn_ok(loop, 0);
    ck_assert_int_eq(tusk_conn_get_state(db), TUSK_CONN_CONNECTING);
    let_go(1000);
    await_ok(tusk_conn_ready(db));
    ck_assert_int_eq(atomic_load(&n_threads), 4);
    tusk_conn_free(db);
}
END_TEST

START_TEST(thread_that_cannot_be_had_is_an_error)
{
    tusk_config config = needy(PASSFILE);
    tusk_conn *db;

    threads_to_refuse = 1;
    db = tusk_conn_open(loop, &config);
    ck_assert_int_eq(tusk_conn_error(db)->code, TUSK_ERR_SYSTEM);
    ck_assert_str_eq(tusk_conn_error(db)->where, "configuration");
    ck_assert_int_eq(tusk_await_free(tusk_conn_ready(db), NULL), TUSK_ERR_SYSTEM);
    tusk_conn_free(db);
}
END_TEST

/* True: it connected, with the password. */
static bool connect_with_failure_at(long n, int need)
{
    tusk_config config = needy(need);
    tusk_conn *db;
    bool is_ready = false;

    tusk_loop_free(loop);
    threads_close();
    ck_assert_int_eq(atomic_load(&h.n_live), 0);
    loop = open_loop();
    h.fail_at = atomic_load(&h.n_calls) + n;
    db = tusk_conn_open(loop, &config);
    while (db && tusk_conn_get_state(db) == TUSK_CONN_CONNECTING)
        turn_ok(loop, TUSK_NONE);
    is_ready = tusk_conn_get_state(db) == TUSK_CONN_READY;
    ck_assert(!is_ready || db->settings->password.len > 0);
    ck_assert_int_eq(tusk_conn_error(db)->code, is_ready ? TUSK_OK : TUSK_ERR_NOMEM);
    tusk_conn_free(db);
    return is_ready;
}

START_TEST(out_of_memory_anywhere_is_an_error)
{
    long n = 1;

    while (n < 200 && !(connect_with_failure_at(n, _i) && h.fail_at > atomic_load(&h.n_calls)))
        n++;
    ck_assert_int_gt(n, 8);
    ck_assert_int_lt(n, 200);
}
END_TEST

/* ---- the copy --------------------------------------------------------------------------------------------------------------------- */

static const char *const variables[] = {
    "PGUSER",     "of env",        "PGTZ",         "UTC",          "PGSSLMODE",    "require", "PGOPTIONS",
    "-c a=b",     "SSLKEYLOGFILE", "/k",           "PGSYSCONFDIR", "/nonexistent", "HOME",    "/nonexistent",
    "PGPASSFILE", "/none",         "SSL_CERT_DIR", "/certs",       "PGREQUIRESSL", "1",       NULL};

static const char *our_variable(void *user, const char *name)
{
    (void)user;
    for (const char *const *v = variables; v[0]; v += 2)
        if (strcmp(v[0], name) == 0)
            return v[1];
    return NULL;
}

static const char document[] =
    "{ \"connection_config\": { \"host\": \"db1\",\n \"database\": \"app\", \"keepalives_idle\": 7,\n"
    " \"timeout\": 4, \"server_settings\": { \"jit\": \"off\" } } }";

/* As a program writes it, as a document has it, and as a program has changed the document. */
static const tusk_config *config_to_copy(int i, tusk_config *document_config, tusk_config *buf)
{
    static const char *const settings[] = {"jit", "on", "search_path", "a", NULL};
    static const tusk_auth_mechanism *const mechanisms[] = {NULL};

    *buf = *document_config;
    if (i == 1)
        return document_config;
    if (i == 2) {
        buf->host = "db2";
        buf->server_settings = settings;
        buf->connect_timeout = 9;
        return buf;
    }
    *buf = (tusk_config){.dsn = "host=a,b port=1,2 password=p",
                         .sslkeylogfile = "/log",
                         .options = "-c x=y",
                         .server_settings = settings,
                         .auth_mechanisms = mechanisms,
                         .statement_cache_size = TUSK_NONE,
                         .max_cached_statement_lifetime = 1.5,
                         .command_timeout = 2.5,
                         .ignore_environment = i == 3};
    if (i == 4)
        buf->service = "";
    return buf;
}

START_TEST(copy_says_what_the_original_says)
{
    const tusk__sources sources = {NULL, our_variable, NULL, "/nonexistent", "/nonexistent", false};
    const tusk_allocator *allocator = &h.allocator;
    char before[8192], after[8192];
    tusk_config *from_document, buf;
    const tusk_config *config;
    tusk__config_copy *copy;
    tusk_error err = {0};

    ck_assert_int_eq(tusk_config_from_json(tusk_str_of(document), NULL, &from_document, &err), TUSK_OK);
    config = config_to_copy(_i, from_document, &buf);
    ck_assert_msg(tusk__settings_describe(allocator, &sources, config, before, sizeof before, &err) > 0, "%s",
                  err.message);
    copy = tusk__config_copy_new(allocator, &sources, config);
    tusk_config_free(from_document);
    ck_assert_uint_gt(tusk__settings_describe(allocator, tusk__config_copy_sources(copy),
                                              tusk__config_copy_config(copy), after, sizeof after, &err),
                      0);
    ck_assert_str_eq(after, before);
    ck_assert(_i != 1 || strstr(after, "line 2, column"));
    tusk__config_copy_free(copy, allocator);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("reading");
    TCase *tc = tcase_create("real time"), *timeless = tcase_create("own clock");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, files_are_read_by_the_helper_thread, 0, N_NEEDS);
    tcase_add_loop_test(tc, what_names_all_needs_no_thread, 0, 2);
    tcase_add_test(tc, a_callers_texts_are_his_again_at_once);
    tcase_add_loop_test(tc, what_the_caller_got_wrong_is_told_at_once, 0, sizeof told_at_once / sizeof told_at_once[0]);
    tcase_add_loop_test(tc, what_files_lack_comes_with_the_connection, 0, sizeof told_later / sizeof told_later[0]);
    tcase_add_test(tc, what_is_known_without_files_can_be_asked_for_at_once);
    tcase_add_loop_test(tc, requests_wait_for_the_files, 0, N_NEEDS);
    tcase_add_loop_test(tc, connection_that_waits_for_a_file_can_be_ended, 0, N_NEEDS * N_ENDS);
    tcase_add_test(tc, file_that_hangs_keeps_nobody_else);
    tcase_add_test(tc, file_is_read_also_where_as_many_hang_as_may);
    tcase_add_test(tc, thread_that_cannot_be_had_is_an_error);
    tcase_add_loop_test(tc, out_of_memory_anywhere_is_an_error, 0, N_NEEDS);
    tcase_add_loop_test(tc, copy_says_what_the_original_says, 0, 5);
    suite_add_tcase(suite, tc);
    tcase_add_checked_fixture(timeless, setup_timeless, teardown);
    tcase_add_loop_test(timeless, deadline_ends_the_wait_for_a_file_and_the_loop_turns_meanwhile, 0, N_NEEDS);
    suite_add_tcase(suite, timeless);
    return suite;
}
