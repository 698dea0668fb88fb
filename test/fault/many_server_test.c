/* Execute-many where things fail that hardly ever do: the server dies between any two messages, scripted and real, answers what it
 * should not, and memory runs out at each allocation. A load ends once, and what it says of its rows is so.
 * Read first: test/harness/script_server.h, docs/internals/many.md. */
#include "test/live/live.h"

#include "test/harness/fail_alloc.h"
#include "test/harness/script_server.h"

static script_server *server;
static int n_done;

static void up(const char *script)
{
    server = script_start(script);
    ck_assert_ptr_nonnull(server);
    loop = tusk_loop_new();
    db = tusk_connect(loop, textf("postgresql://app:secret@127.0.0.1:%d/db?sslmode=disable", script_port(server)));
    ck_assert_ptr_nonnull(db);
    ck_assert_int_eq(tusk_await_free(tusk_conn_ready(db), NULL), TUSK_OK);
    n_done = 0;
}

static const char *down(void)
{
    tusk_conn_free(db);
    tusk_loop_free(loop);
    return script_stop(server);
}

static void count(tusk_query *q, void *user)
{
    (void)user;
    n_done++;
    tusk_query_keep(q);
}

/* A line more. */
static void say(char *script, size_t size, const char *what, const char *more)
{
    size_t len = strlen(script);

    snprintf(script + len, size - len, "%s%s\n", what, more);
}

/* ---- the end between any two messages --------------------------------------------------------------------------------------- */

typedef enum ending { DONE, FAILED, WAITS } ending;

static tusk_code give(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    ending how = *(const ending *)user;

    (void)err;
    if (item == 2)
        return how == DONE ? TUSK_DONE : how == WAITS ? TUSK_AGAIN : TUSK_ERR_VALUE;
    return tusk_many_push(q, TUSK_PARAMS(tusk_int4((int32_t)item)));
}

#define CONTROL(tag) "parse_complete", "bind_complete", "command_complete " tag
#define PARSE "parse_complete", "parameter_description 23", "no_data"
#define ITEM "bind_complete", "command_complete INSERT 0 1"

static const char *const outside[] = {PARSE, ITEM, ITEM, "ready I", NULL};
static const char *const outside_failed[] = {PARSE, ITEM, ITEM, CONTROL("ROLLBACK"), "ready I", NULL};
static const char *const outside_waits[] = {PARSE, ITEM, ITEM, NULL};
static const char *const inside[] = {CONTROL("SAVEPOINT"),
                                     PARSE,
                                     ITEM,
                                     ITEM,
                                     CONTROL("RELEASE"),
                                     CONTROL("SAVEPOINT"),
                                     "ready T",
                                     CONTROL("ROLLBACK"),
                                     CONTROL("RELEASE"),
                                     "ready T",
                                     NULL};
static const char *const inside_failed[] = {CONTROL("SAVEPOINT"), PARSE,     ITEM, ITEM, "ready T", CONTROL("ROLLBACK"),
                                            CONTROL("RELEASE"),   "ready T", NULL};
static const char *const each[] = {PARSE, ITEM, "ready I", ITEM, "ready I", "ready I", NULL};
#define EACH_INSIDE CONTROL("ROLLBACK"), ITEM, CONTROL("RELEASE"), CONTROL("SAVEPOINT"), "ready T"
static const char *const each_inside[] = {CONTROL("SAVEPOINT"), "ready T",          PARSE,     EACH_INSIDE, EACH_INSIDE,
                                          CONTROL("ROLLBACK"),  CONTROL("RELEASE"), "ready T", NULL};

static const struct {
    const char *const *answers;
    tusk_many_mode mode;
    bool is_inside;
    ending how;
    tusk_code dead, alive; /* if it dies before its end, and not */
    tusk_fate fate;
    int certain[2]; /* from how many messages on each item counts as answered */
} loads[] = {
    {outside, TUSK_MANY_ATOMIC, false, DONE, TUSK_ERR_COMMIT_UNKNOWN, TUSK_OK, TUSK_FATE_UNKNOWN, {5, 7}},
    {outside_failed, TUSK_MANY_ATOMIC, false, FAILED, TUSK_ERR_VALUE, TUSK_ERR_VALUE, TUSK_FATE_ANSWERED, {5, 7}},
    {outside_waits, TUSK_MANY_ATOMIC, false, WAITS, TUSK_ERR_LOST, TUSK_ERR_LOST, TUSK_FATE_ANSWERED, {5, 7}},
    {inside, TUSK_MANY_ATOMIC, true, DONE, TUSK_ERR_LOST, TUSK_OK, TUSK_FATE_UNKNOWN, {8, 10}},
    {inside_failed, TUSK_MANY_ATOMIC, true, FAILED, TUSK_ERR_VALUE, TUSK_ERR_VALUE, TUSK_FATE_UNKNOWN, {8, 10}},
    {each, TUSK_MANY_EACH, false, DONE, TUSK_ERR_LOST, TUSK_OK, TUSK_FATE_UNKNOWN, {6, 9}},
    {each_inside, TUSK_MANY_EACH, true, DONE, TUSK_ERR_LOST, TUSK_OK, TUSK_FATE_UNKNOWN, {19, 31}},
};

static int n_of(const char *const *lines)
{
    int n = 0;

    while (lines[n])
        n++;
    return n;
}

static void write_script(char *script, size_t size, int form, int n_sent)
{
    int n_syncs = 0;

    for (int i = 0; loads[form].answers[i]; i++)
        n_syncs += strncmp(loads[form].answers[i], "ready", 5) == 0;
    if (loads[form].is_inside)
        say(script, size, "skip until sync\nsend parse_complete; parameter_description; no_data; bind_complete; ",
            "command_complete BEGIN; ready T");
    for (int i = 0; i < n_syncs; i++)
        say(script, size, "skip until sync", "");
    if (n_syncs == 0)
        say(script, size, "skip until flush", "");
    for (int i = 0; i < n_sent; i++)
        say(script, size, "send ", loads[form].answers[i]);
    say(script, size, "close", "");
}

static void check_death(int form, int n_sent, const tusk_query *q)
{
    const tusk_error *err = tusk_query_error(q);
    bool is_whole = n_sent == n_of(loads[form].answers);
    tusk_code code = is_whole ? loads[form].alive : loads[form].dead;
    int n_certain = 0;

    ck_assert_int_eq(n_done, 1);
    ck_assert_msg(err->code == code, "form %d, %d messages: not %s: %s", form, n_sent, tusk_code_name(code), said(err));
    if (code != TUSK_OK)
        ck_assert_msg(err->fate == (is_whole && code != TUSK_ERR_LOST ? TUSK_FATE_ANSWERED : loads[form].fate),
                      "form %d, %d messages: %s", form, n_sent, said(err));
    if (code == TUSK_ERR_LOST)
        ck_assert_int_eq(tusk_error_is_retriable(err), err->fate == TUSK_FATE_ANSWERED);
    for (int i = 0; i < 2; i++)
        n_certain += n_sent >= loads[form].certain[i];
    ck_assert_int_eq(tusk_many_n_answered(q), n_certain);
    ck_assert_int_eq(tusk_many_n_items(q), 2);
}

static void die_after(int form, int n_sent)
{
    char script[6000] = "login\n";
    ending how = loads[form].how;
    tusk_query *q;

    write_script(script, sizeof script, form, n_sent);
    up(script);
    if (loads[form].is_inside)
        ck_assert_int_eq(tusk_await_free(tusk_exec(db, "begin", TUSK_NO_PARAMS), NULL), TUSK_OK);
    q = tusk_many_submit(db, &(tusk_many_request){.sql = "insert into t values ($1)",
                                                  .pull = give,
                                                  .mode = loads[form].mode,
                                                  .on_done = count,
                                                  .user = &how});
    while (tusk_conn_get_state(db) != TUSK_CONN_CLOSED)
        ck_assert_int_eq(tusk_loop_turn(loop, TUSK_NONE, NULL), TUSK_OK);
    check_death(form, n_sent, q);
    tusk_query_free(q);
    (void)down();
}

START_TEST(load_has_its_fate_wherever_the_server_dies)
{
    for (int n = 0; n <= n_of(loads[_i].answers); n++)
        die_after(_i, n);
}
END_TEST

/* ---- what no server does ---------------------------------------------------------------------------------------------------- */

/* A COPY that nobody asked for, a commit that nobody has asked for yet, more answers than items: the connection is over, and the load
 * with it. */
static const char *const lies[] = {
    "send parse_complete; parameter_description 23; no_data; bind_complete; copy_in text 1",
    "send parse_complete; parameter_description 23; no_data; bind_complete; command_complete INSERT 0 1; ready I",
    ("send parse_complete; parameter_description 23; no_data; bind_complete; command_complete INSERT 0 1; "
     "bind_complete; command_complete INSERT 0 1; bind_complete; command_complete INSERT 0 1"),
};

START_TEST(load_ends_with_the_connection_where_the_server_breaks_the_protocol)
{
    char script[1000] = "login\nskip until flush\n";
    ending how = WAITS;
    tusk_query *q;

    say(script, sizeof script, lies[_i], "\nwait until closed");
    up(script);
    q = tusk_many_submit(
        db, &(tusk_many_request){.sql = "insert into t values ($1)", .pull = give, .on_done = count, .user = &how});
    while (tusk_conn_get_state(db) != TUSK_CONN_CLOSED)
        ck_assert_int_eq(tusk_loop_turn(loop, TUSK_NONE, NULL), TUSK_OK);
    ck_assert_int_eq(n_done, 1);
    ck_assert_msg(tusk_query_code(q) == TUSK_ERR_PROTOCOL, "%s", said(tusk_query_error(q)));
    tusk_query_free(q);
    (void)down();
}
END_TEST

/* ---- a real server, killed while it works ----------------------------------------------------------------------------------- */

enum { N_ITEMS = 600 };

typedef struct killer {
    tusk_conn *other;
    int64_t at; /* the kill is sent off in this pull, or behind so many answers */
    bool by_answer, is_sent;
    tusk_query *kill;
} killer;

/* Until that backend is gone, and what it held is decided. */
static void await_end_of(tusk_conn *other, uint32_t pid)
{
    run_on(other, textf("do 'begin while exists (select from pg_stat_activity where pid = %u) loop "
                        "perform pg_sleep(0.001), pg_stat_clear_snapshot(); end loop; end'",
                        (unsigned)pid));
}

static void send_kill(killer *k)
{
    if (!k->is_sent)
        k->kill = tusk_exec(k->other, textf("select pg_terminate_backend(%u)", (unsigned)tusk_conn_backend_pid(db)),
                            TUSK_NO_PARAMS);
    k->is_sent = true;
}

static tusk_code give_and_kill(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    killer *k = user;

    (void)err;
    if (item == k->at && !k->by_answer)
        send_kill(k);
    if (item == N_ITEMS)
        return TUSK_DONE;
    return tusk_many_push(q, TUSK_PARAMS(tusk_int8(item), tusk_text("x")));
}

static void told_and_kill(tusk_query *q, int64_t item, int64_t rows, const tusk_error *err, void *user)
{
    killer *k = user;

    (void)q, (void)rows, (void)err;
    if (item == k->at && k->by_answer)
        send_kill(k);
}

static const int64_t kill_at[] = {0, 1, 100, 280, 300, 512, 599, 600};

START_TEST(load_whose_backend_is_killed_says_what_was_kept)
{
    killer k = {.at = kill_at[_i / 4], .by_answer = _i & 1};
    tusk_many_mode mode = _i & 2 ? TUSK_MANY_EACH : TUSK_MANY_ATOMIC;
    const tusk_error *err;
    int64_t kept;
    tusk_query *q;

    live_up();
    k.other = connect_plain();
    run_on(k.other, "drop table if exists many_kill");
    run_on(k.other, "create table many_kill (n int8 primary key, t text)");
    ck_usable(db);
    q = tusk_many_submit(db, &(tusk_many_request){.sql = "insert into many_kill values ($1, $2) returning n",
                                                  .pull = give_and_kill,
                                                  .on_item = told_and_kill,
                                                  .mode = mode,
                                                  .flight_bytes = 16 * 1024,
                                                  .user = &k});
    (void)tusk_await(q);
    if (!k.is_sent)
        send_kill(&k); /* it had ended before */
    if (k.kill)
        ck_assert_int_eq(tusk_await_free(k.kill, NULL), TUSK_OK);
    err = tusk_query_error(q);
    await_end_of(k.other, tusk_conn_backend_pid(db));
    kept = number_on(k.other, "select count(*) from many_kill");
    if (err->code == TUSK_OK)
        ck_assert_int_eq(kept, N_ITEMS);
    else if (mode == TUSK_MANY_EACH)
        ck_assert_int_ge(kept, tusk_many_n_answered(q));
    else if (err->code == TUSK_ERR_COMMIT_UNKNOWN)
        ck_assert(kept == 0 || kept == N_ITEMS);
    else
        ck_assert_msg(kept == 0 && err->code == TUSK_ERR_LOST && err->fate != TUSK_FATE_UNKNOWN, "%s", said(err));
    tusk_query_free(q);
    run_on(k.other, "drop table many_kill");
    disconnect(k.other);
    tusk_conn_free(db);
    db = NULL;
    live_down();
}
END_TEST

/* ---- no memory -------------------------------------------------------------------------------------------------------------- */

typedef struct scene {
    tusk_many_mode mode;
    bool item_results, is_inside, fails;
} scene;

static tusk_code give_some(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    const scene *s = user;

    (void)err;
    if (item == 40)
        return s->fails ? TUSK_ERR_VALUE : TUSK_DONE;
    return tusk_many_push(q, TUSK_PARAMS(item == 0 ? tusk_null() : tusk_int8(item % 30), tusk_text("x")));
}

static tusk_query *poor_load(tusk_conn *conn, const scene *s)
{
    tusk_error err = {0};

    if (!conn)
        return NULL;
    if (s->is_inside && tusk_await_free(tusk_exec(conn, "begin", TUSK_NO_PARAMS), &err) != TUSK_OK)
        return NULL;
    return tusk_many_submit(conn, &(tusk_many_request){.sql = "insert into many_poor values ($1, $2) returning n",
                                                       .pull = give_some,
                                                       .mode = s->mode,
                                                       .item_results = s->item_results,
                                                       .user = (void *)(uintptr_t)s});
}

static void check_poor(const scene *s, long n, const tusk_error *err, int64_t kept)
{
    bool is_rows_only = err->fate == TUSK_FATE_ANSWERED && strstr(err->hint, "All items were run");

    if (s->is_inside)
        ck_assert_int_eq(kept, 0);
    else if (err->code == TUSK_OK)
        ck_assert_int_eq(kept, 40);
    else if (s->mode == TUSK_MANY_ATOMIC)
        ck_assert_msg(kept == (is_rows_only ? 40 : 0) || err->fate == TUSK_FATE_UNKNOWN, "allocation %ld, %d kept: %s",
                      n, (int)kept, said(err));
    ck_assert(err->code == TUSK_OK || (err->sqlstate[0] && err->message[0]));
}

/* One run, in which the n-th allocation fails. False: there were not so many. */
static bool run_short_of_memory(const scene *s, tusk_conn *other, long n)
{
    fail_alloc short_of;
    tusk_loop *poor;
    tusk_conn *conn;
    tusk_query *q;
    tusk_error err = {0};
    uint32_t pid;

    fail_alloc_init(&short_of, n, false);
    poor = tusk_loop_open(&(tusk_loop_config){.allocator = &short_of.allocator}, &err);
    conn = poor ? tusk_connect(poor, harness_env("TUSK_TEST_DSN_PLAIN")) : NULL;
    q = poor_load(conn, s);
    (void)tusk_await(q);
    ck_assert(!q || tusk_query_is_done(q));
    err = *tusk_query_error(q);
    pid = tusk_conn_backend_pid(conn);
    tusk_query_free(q);
    tusk_conn_free(conn);
    tusk_loop_free(poor);
    await_end_of(other, pid);
    check_poor(s, n, &err, number_on(other, "select count(*) from many_poor"));
    ck_assert_int_eq(atomic_load(&short_of.live), 0);
    run_on(other, "truncate many_poor");
    return atomic_load(&short_of.failed) > 0;
}

START_TEST(load_survives_each_allocation_that_fails)
{
    const scene s = {.mode = _i & 1 ? TUSK_MANY_EACH : TUSK_MANY_ATOMIC,
                     .item_results = _i & 2,
                     .is_inside = _i & 4,
                     .fails = _i & 8};
    long n = 1;

    live_up();
    run("drop table if exists many_poor");
    run("create table many_poor (n int8, t text)");
    while (run_short_of_memory(&s, db, n))
        n++;
    ck_assert_int_gt(n, 30);
    run("drop table many_poor");
    live_down();
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("many_server");
    TCase *tcase = tcase_create("many");

    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, load_has_its_fate_wherever_the_server_dies, 0, N_OF(loads));
    tcase_add_loop_test(tcase, load_ends_with_the_connection_where_the_server_breaks_the_protocol, 0, N_OF(lies));
    tcase_add_loop_test(tcase, load_whose_backend_is_killed_says_what_was_kept, 0, 4 * N_OF(kill_at));
    tcase_add_loop_test(tcase, load_survives_each_allocation_that_fails, 0, 16);
    suite_add_tcase(suite, tcase);
    return suite;
}
