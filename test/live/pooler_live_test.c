/* Behind PgBouncer, in session mode and in transaction mode, where two server connections serve more clients than that.
 * Read first: test/harness/pooler; docs/guide.md, "Behind a pooler". */
#include "test/live/pooler.h"

/* One in a thousand of the processes that PgBouncer makes up might be a server's: then there is nothing to be seen. */
static tusk_conn *through(const char *dbname, const char *pooler)
{
    tusk_conn *conn = pooler_connect(dbname, pooler);

    if (strcmp(pooler, "auto") != 0)
        return conn;
    ck_assert_int_eq(tusk_await_free(tusk_conn_ready(conn), NULL), TUSK_OK);
    if (tusk_conn_backend_pid(conn) > 4194304)
        return conn;
    disconnect(conn);
    return through(dbname, pooler);
}

static int64_t one_number(tusk_query *q)
{
    tusk_row row;
    int64_t n;

    ck_ok(q);
    ck_assert_uint_eq(tusk_query_n_rows(q), 1);
    ck_assert(tusk_next_row(q, &row));
    n = tusk_get_int8(&row, 0);
    ck_assert_msg(tusk_query_value_error(q)->code == TUSK_OK, "%s", said(tusk_query_value_error(q)));
    tusk_query_free(q);
    return n;
}

static int64_t asked(tusk_conn *conn, const char *sql, int value)
{
    return one_number(tusk_exec(conn, sql, TUSK_PARAMS(tusk_int4(value))));
}

static const struct {
    const char *dbname, *pooler;
} modes[] = {{"session", "session"},
             {"session", "none"},
             {"transaction", "transaction"},
             {"transaction", "auto"},
             {"session", "auto"}};

enum { CLIENTS = 5, ROUNDS = 60 };

/* Clients that take turns on two sessions, with handles and without: each its own answer, and the same columns. */
START_TEST(clients_that_change_sessions_get_their_answers)
{
    tusk_conn *conn[CLIENTS];
    tusk_stmt *stmt[CLIENTS];
    tusk_query *q[CLIENTS], *by_handle[CLIENTS];

    if (pooler_why_not[0])
        return;
    for (int i = 0; i < CLIENTS; i++) {
        conn[i] = through(modes[_i].dbname, modes[_i].pooler);
        stmt[i] = tusk_prepare(conn[i], textf("select $1::int4 * %d", i + 1), NULL, 0);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CLIENTS; i++) {
            q[i] = tusk_exec(conn[i], textf("select $1 + %d", i), TUSK_PARAMS(tusk_int4(round)));
            by_handle[i] = tusk_stmt_exec(stmt[i], TUSK_PARAMS(tusk_int4(round)));
        }
        for (int i = 0; i < CLIENTS; i++) {
            ck_assert_int_eq(one_number(q[i]), round + i);
            ck_assert_int_eq(one_number(by_handle[i]), round * (i + 1));
        }
    }
    if (strcmp(modes[_i].dbname, "transaction") == 0) /* nothing of them lies on the sessions */
        ck_assert_int_eq(number_on(conn[0], "select count(*) from pg_prepared_statements where name like 'tusk%'"), 0);
    for (int i = 0; i < CLIENTS; i++) {
        tusk_stmt_free(stmt[i]);
        disconnect(conn[i]);
    }
}
END_TEST

/* A table of one number that somebody alters, from int4 to float4, as wide, while a statement that asks for it is known. */
typedef struct altering {
    tusk_conn *admin, *conn;
    tusk_stmt *stmt;
} altering;

#define ALTERED "select a from pooler_altered"

static void are_all(const altering *t, int n, double value)
{
    for (int i = 0; i < n; i++) {
        ck_assert_double_eq(only_value(tusk_exec(t->conn, ALTERED, TUSK_NO_PARAMS)), value);
        ck_assert_double_eq(only_value(tusk_stmt_exec(t->stmt, TUSK_NO_PARAMS)), value);
    }
}

static altering to_be_altered(int mode, int n)
{
    altering t = {.admin = through("session", "session")};

    run_on(t.admin, "drop table if exists pooler_altered");
    run_on(t.admin, "create table pooler_altered as select 3::int4 a");
    t.conn = through(modes[mode].dbname, modes[mode].pooler);
    t.stmt = tusk_prepare(t.conn, ALTERED, NULL, 0);
    are_all(&t, n, 3);
    return t;
}

static void alter(const altering *t)
{
    run_on(t->admin, "alter table pooler_altered alter a type float4 using a + 0.5");
}

static void end_altered(altering *t)
{
    tusk_stmt_free(t->stmt);
    disconnect(t->conn);
    run_on(t->admin, "drop table pooler_altered");
    disconnect(t->admin);
}

/* It lies prepared on some session, or none. */
START_TEST(column_of_equal_width_is_never_misread)
{
    altering t;

    if (pooler_why_not[0])
        return;
    t = to_be_altered(_i, 3);
    alter(&t);
    are_all(&t, 3, 3.5);
    end_altered(&t);
}
END_TEST

/* The statement was described on one session; that is taken by another client, the column is altered, and the next execution meets a
 * session on which the pooler itself may prepare it (PgBouncer from 1.21 on): as what it is now. */
START_TEST(d41_column_altered_between_sessions_is_never_misread)
{
    altering t;
    tusk_conn *other;

    if (pooler_why_not[0])
        return;
    t = to_be_altered(_i, 2);
    other = through(modes[_i].dbname, modes[_i].pooler);
    run_on(other, "begin");
    alter(&t);
    are_all(&t, 2, 3.5);
    run_on(other, "commit");
    disconnect(other);
    end_altered(&t);
}
END_TEST

/* A type without binary output, through a handle: learned as without a pooler. */
START_TEST(handle_learns_formats)
{
    tusk_conn *conn;
    tusk_stmt *stmt;
    tusk_row row;

    if (pooler_why_not[0])
        return;
    conn = through(modes[_i].dbname, modes[_i].pooler);
    stmt = tusk_prepare(conn, "select '=r/drv'::aclitem, $1::int4", NULL, 0);
    for (int i = 0; i < 3; i++) {
        tusk_query *q = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(i)));

        ck_ok(q);
        ck_assert(tusk_next_row(q, &row));
        ck_assert(tusk_str_is(tusk_get_text(&row, 0), "=r/drv"));
        ck_assert_int_eq(tusk_get_int4(&row, 1), i);
        tusk_query_free(q);
        q = tusk_submit(conn, &(tusk_request){.stmt = stmt, .params = TUSK_PARAMS(tusk_int4(i)), .text_results = true});
        ck_ok(q);
        ck_assert(tusk_next_row(q, &row));
        ck_assert_int_eq(tusk_query_column(q, 1)->format, 0);
        tusk_query_free(q);
    }
    tusk_stmt_free(stmt);
    disconnect(conn);
}
END_TEST

static void push_both(tusk_stack *stack, tusk_stmt *stmt, int n)
{
    ck_assert_int_eq(tusk_stack_push_stmt(stack, stmt, TUSK_PARAMS(tusk_int4(n))), TUSK_OK);
    ck_assert_int_eq(tusk_stack_push(stack, "select '=r/drv'::aclitem, $1::int4 + 1", TUSK_PARAMS(tusk_int4(n))),
                     TUSK_OK);
}

/* False: it says that repeating is safe. */
static bool stack_is_well(tusk_stack *stack, tusk_stack_mode mode, int n)
{
    tusk_query *q = tusk_stack_run(stack, mode);
    bool is_well = true;
    tusk_row row;

    (void)tusk_await(q);
    for (int i = 0; i < 2; i++) {
        const tusk_error *err = tusk_query_result_error(q);

        if (err->code == TUSK_OK) {
            ck_assert(tusk_next_row(q, &row));
            ck_assert(tusk_str_is(tusk_get_text(&row, 0), "=r/drv"));
            ck_assert_int_eq(tusk_get_int4(&row, 1), n + i);
        } else {
            ck_assert_msg(err->retry == TUSK_RETRY_REQUEST || tusk_query_error(q)->retry == TUSK_RETRY_REQUEST, "%s",
                          said(err));
            is_well = false;
        }
        ck_assert_int_eq(tusk_next_result(q), i == 0);
    }
    tusk_query_free(q);
    return is_well;
}

/* A handle and a text whose columns must be learned, in both modes; and clients of one session or several, with the setting and without. */
START_TEST(stacks_of_clients_that_change_sessions_are_well)
{
    static const struct {
        const char *dbname, *pooler;
    } settings[] = {
        {"session", "session"}, {"session", "none"}, {"transaction", "transaction"}, {"transaction", "none"}};
    const char *dbname = settings[_i / 2].dbname, *pooler = settings[_i / 2].pooler;
    tusk_stack_mode mode = _i % 2 ? TUSK_STACK_CONTINUE : TUSK_STACK_ATOMIC;
    bool is_forgotten = _i / 2 == 3;
    tusk_conn *conn[CLIENTS];
    tusk_stmt *stmt[CLIENTS];

    if (pooler_why_not[0])
        return;
    for (int i = 0; i < CLIENTS; i++) {
        conn[i] = through(dbname, pooler);
        stmt[i] = tusk_prepare(conn[i], "select '=r/drv'::aclitem, $1::int4", NULL, 0);
    }
    for (int round = 0; round < 10; round++)
        for (int i = 0; i < CLIENTS; i++) {
            tusk_stack *stack = tusk_stack_new(conn[i]);
            int n_tries = 0;

            push_both(stack, stmt[i], round);
            while (!stack_is_well(stack, mode, round) && (!is_forgotten || n_tries < 3))
                n_tries++;
            ck_assert_msg(n_tries <= (round == 0 || is_forgotten ? 3 : 0), "%d tries, round %d", n_tries, round);
            tusk_stack_free(stack);
        }
    for (int i = 0; i < CLIENTS; i++) {
        tusk_stmt_free(stmt[i]);
        disconnect(conn[i]);
    }
}
END_TEST

/* ---- what is refused ------------------------------------------------------------------------------------------------------- */

#define NEXT " a session of the server's that others have next (pooler=transaction)"
#define LOCK "an advisory lock would stay with" NEXT

static const struct {
    const char *sql, *message; /* NULL: it runs */
} statements[] = {
    {"listen x", "LISTEN would listen with" NEXT},
    {"/* a */ set search_path = public", "SET would stay with" NEXT},
    {"set session jit = off", "SET would stay with" NEXT},
    {"reset all", "RESET would meet a session of the server's that others have set (pooler=transaction)"},
    {"prepare p as select 1", "PREPARE would leave its statement with" NEXT},
    {"declare c cursor with hold for select 1", "a cursor WITH HOLD would stay with" NEXT},
    {"select pg_advisory_lock(1)", LOCK},
    {"select 1, pg_catalog.PG_TRY_ADVISORY_LOCK (1)", LOCK},
    {"begin; set local jit = off; set transaction read only; commit", NULL},
    {"begin; declare c cursor for select 1 \"with hold\"; commit", NULL},
    {"select 1 as pg_advisory_lock", NULL},
    {"select 'pg_advisory_lock(1)', 'set x = y'", NULL},
    {"begin; select pg_advisory_xact_lock(1); commit", NULL},
    {"select 1; listen x", "LISTEN would listen with" NEXT},
};

/* By a script, by a request, by a handle. Without the setting the server is asked. */
START_TEST(what_means_a_session_is_refused_behind_a_pooler)
{
    tusk_conn *conn = NULL;
    tusk_stmt *stmt;
    tusk_error err = {0};
    bool is_script = strchr(statements[_i].sql, ';') != NULL;

    if (pooler_why_not[0])
        return;
    conn = through("transaction", "transaction");
    if (!statements[_i].message) {
        ck_assert_msg(tusk_await_free(tusk_script(conn, statements[_i].sql), &err) == TUSK_OK, "%s", said(&err));
    } else {
        ck_assert_int_eq(tusk_await_free(tusk_script(conn, statements[_i].sql), &err), TUSK_ERR_USAGE);
        ck_error(&err, TUSK_ERR_USAGE, "0A000", statements[_i].message);
        ck_assert_int_eq(err.fate, TUSK_FATE_NOT_SENT);
        if (!is_script) {
            ck_assert_int_eq(tusk_await_free(tusk_exec(conn, statements[_i].sql, TUSK_NO_PARAMS), &err),
                             TUSK_ERR_USAGE);
            ck_assert_str_eq(err.message, statements[_i].message);
            stmt = tusk_prepare(conn, statements[_i].sql, NULL, 0);
            ck_assert_int_eq(tusk_await_free(tusk_stmt_ready(stmt), &err), TUSK_ERR_USAGE);
            ck_assert_str_eq(err.message, statements[_i].message);
            tusk_stmt_free(stmt);
        }
    }
    ck_usable(conn);
    disconnect(conn);
}
END_TEST

/* ---- without the setting ---------------------------------------------------------------------------------------------------- */

static int n_told;

static void hear_log(tusk_log_level level, tusk_str message, void *user)
{
    (void)user;
    n_told +=
        level == TUSK_LOG_WARNING && tusk_str_is(message, "a prepared statement is gone from the server: unless the "
                                                          "program did that itself, a pooler in transaction mode is in "
                                                          "between; then set pooler=transaction");
}

/* Statements are on the other session than the one that is met: no wrong answer, no error outside a transaction, and the log says
 * what to do. From 1.21 on PgBouncer prepares them there by itself. */
START_TEST(none_where_there_is_one_costs_no_answer_and_is_told)
{
    tusk_conn *conn[CLIENTS];
    tusk_query *q[CLIENTS];

    if (pooler_why_not[0])
        return;
    n_told = 0;
    disconnect(db);
    db = NULL;
    tusk_loop_free(loop);
    loop = tusk_loop_open(&(tusk_loop_config){.on_log = hear_log}, NULL);
    for (int i = 0; i < CLIENTS; i++)
        conn[i] = through("transaction", "none");
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CLIENTS; i++)
            q[i] = tusk_exec(conn[i], textf("select $1 + %d", i + 10 * (round % 7)), TUSK_PARAMS(tusk_int4(round)));
        for (int i = 0; i < CLIENTS; i++) {
            int64_t want = round + i + 10 * (round % 7);

            if (tusk_await(q[i]) == TUSK_OK) {
                ck_assert_int_eq(one_number(q[i]), want);
                continue;
            }
            ck_assert_int_eq(tusk_query_error(q[i])->retry, TUSK_RETRY_REQUEST);
            ck_assert_ptr_nonnull(strstr(tusk_query_error(q[i])->hint, "pooler=transaction"));
            tusk_query_free(q[i]);
        }
    }
    ck_assert_int_ge(n_told, pooler_minor < 21);
    ck_assert_int_le(n_told, CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        disconnect(conn[i]);
}
END_TEST

static void hear_login(tusk_log_level level, tusk_str message, void *user)
{
    static const char said[] = "a pooler seems to be in between (";

    (void)user;
    n_told += level == TUSK_LOG_WARNING && message.len > sizeof said && memcmp(message.ptr, said, sizeof said - 1) == 0;
}

/* Whichever mode it is in, as nobody can see that; and none is seen in a server. */
START_TEST(forgotten_setting_is_told_at_once)
{
    tusk_conn *conn[CLIENTS];

    if (pooler_why_not[0])
        return;
    n_told = 0;
    disconnect(db);
    db = NULL;
    tusk_loop_free(loop);
    loop = tusk_loop_open(&(tusk_loop_config){.on_log = hear_login}, NULL);
    for (int i = 0; i < CLIENTS; i++) {
        conn[i] = through(_i ? "session" : "transaction", "auto");
        ck_usable(conn[i]);
    }
    ck_assert_int_eq(n_told, CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        disconnect(conn[i]);
    db = connect_plain();
    ck_usable(db);
    ck_assert_int_eq(n_told, CLIENTS);
}
END_TEST

/* ---- loads ------------------------------------------------------------------------------------------------------------------ */

enum { ITEMS = 400 };

typedef struct source {
    tusk_conn *neighbour; /* works in between, on whatever session is free */
    int64_t n_told, n_failed;
} source;

static tusk_code give(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    source *s = user;

    (void)err;
    if (item % 50 == 0 && item < ITEMS)
        tusk_query_free(tusk_exec(s->neighbour, "select 1", TUSK_NO_PARAMS));
    if (item == ITEMS)
        return TUSK_DONE;
    return tusk_many_push(q, TUSK_PARAMS(item == 0 ? tusk_null() : tusk_int4((int32_t)item)));
}

static void told(tusk_query *q, int64_t item, int64_t rows, const tusk_error *err, void *user)
{
    source *s = user;

    (void)q, (void)rows;
    ck_assert_int_eq(item, s->n_told++);
    s->n_failed += err != NULL;
}

/* Both modes × outside and inside a transaction × text and handle; item 300 meets a constraint. */
START_TEST(loads_of_clients_that_change_sessions_are_well)
{
    tusk_many_mode mode = _i & 1 ? TUSK_MANY_EACH : TUSK_MANY_ATOMIC;
    bool is_inside = _i & 2, fails = _i & 8;
    static const char sql[] = "insert into pooler_load values ($1) returning a";
    tusk_conn *conn, *admin;
    source s = {0};
    tusk_stmt *stmt;
    tusk_query *q;

    if (pooler_why_not[0])
        return;
    admin = through("session", "session");
    run_on(admin, "drop table if exists pooler_load");
    run_on(admin, textf("create table pooler_load (a int4 check (a <> %d))", fails ? 300 : -1));
    conn = through("transaction", "transaction");
    s.neighbour = through("transaction", "transaction");
    stmt = _i & 4 ? tusk_prepare(conn, sql, NULL, 0) : NULL;
    if (is_inside)
        run_on(conn, "begin");
    q = tusk_many_submit(conn, &(tusk_many_request){.sql = stmt ? NULL : sql,
                                                    .stmt = stmt,
                                                    .pull = give,
                                                    .mode = mode,
                                                    .on_item = told,
                                                    .flight_bytes = 2048,
                                                    .user = &s});
    (void)tusk_await(q);
    ck_assert_msg(tusk_query_code(q) == (fails && mode == TUSK_MANY_ATOMIC ? TUSK_ERR_SERVER : TUSK_OK), "%s",
                  said(tusk_query_error(q)));
    if (mode == TUSK_MANY_EACH) {
        ck_assert_int_eq(s.n_told, ITEMS);
        ck_assert_int_eq(s.n_failed, fails);
        ck_assert_uint_eq(tusk_query_n_rows(q), (size_t)(ITEMS - fails));
    }
    tusk_query_free(q);
    if (is_inside)
        run_on(conn, "commit");
    ck_assert_int_eq(number_on(admin, "select count(*) from pooler_load"), !fails                   ? ITEMS
                                                                           : mode == TUSK_MANY_EACH ? ITEMS - 1
                                                                                                    : 0);
    ck_assert_int_eq(number_on(conn, "select count(*) from pg_prepared_statements where name like 'tusk%' "
                                     "and statement like '%into pooler_load%'"),
                     0);
    if (stmt)
        tusk_stmt_free(stmt);
    disconnect(conn);
    disconnect(s.neighbour);
    run_on(admin, "drop table pooler_load");
    disconnect(admin);
}
END_TEST

typedef struct altered {
    tusk_conn *conn;
    bool has_waited;
} altered;

static tusk_code give_altered(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    altered *a = user;

    (void)err;
    if (item == 10 && !a->has_waited) {
        a->has_waited = true;
        return TUSK_AGAIN;
    }
    return item == 20 ? TUSK_DONE : tusk_many_push(q, TUSK_PARAMS(tusk_int4(3)));
}

/* From int4 to float4, as wide, between two items that each bring their own Parse. */
START_TEST(column_of_equal_width_is_never_misread_in_a_load)
{
    altered a = {0};
    tusk_conn *admin;
    tusk_query *q;

    if (pooler_why_not[0])
        return;
    admin = through("session", "session");
    run_on(admin, "drop table if exists pooler_altered");
    run_on(admin, "create table pooler_altered (a int4)");
    a.conn = through("transaction", "transaction");
    q = tusk_many_submit(a.conn, &(tusk_many_request){.sql = "insert into pooler_altered values ($1::int4) returning a",
                                                      .pull = give_altered,
                                                      .mode = TUSK_MANY_EACH,
                                                      .user = &a});
    while (!a.has_waited || tusk_many_n_answered(q) < 10)
        ck_assert_int_eq(tusk_loop_turn(loop, TUSK_NONE, NULL), TUSK_OK);
    run_on(admin, "alter table pooler_altered alter a type float4 using a + 0.5");
    ck_assert_int_eq(tusk_many_resume(q), TUSK_OK);
    (void)tusk_await(q);
    ck_error(tusk_query_error(q), TUSK_ERR_TYPE, "0A000", "the statement's columns have changed since the first item");
    ck_assert_int_eq(tusk_query_error(q)->item, 10);
    ck_assert_uint_eq(tusk_query_n_rows(q), 0);
    tusk_query_free(q);
    ck_usable(a.conn);
    disconnect(a.conn);
    run_on(admin, "drop table pooler_altered");
    disconnect(admin);
}
END_TEST

/* ---- types of the database's own -------------------------------------------------------------------------------------------- */

static bool has_extension(tusk_conn *conn, const char *name)
{
    bool is_there = number_on(conn, textf("select count(*) from pg_available_extensions where name = '%s'", name)) > 0;

    if (is_there)
        run_on(conn, textf("create extension if not exists %s", name));
    else
        harness_skip(textf("%s behind a pooler", name), "the server has no such extension");
    return is_there;
}

static void is_text(tusk_query *q, const char *want)
{
    tusk_row row;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_msg(tusk_str_is(tusk_get_text(&row, 0), want), TUSK_STR_FMT " is not %s: %s",
                  TUSK_STR_ARG(tusk_get_raw(&row, 0)), want, said(tusk_query_value_error(q)));
    tusk_query_free(q);
}

/* Looked up on whatever session, once for all of them. */
START_TEST(enums_are_text_on_any_session)
{
    tusk_conn *admin, *conn[CLIENTS];
    tusk_query *q[CLIENTS];

    if (pooler_why_not[0])
        return;
    admin = through("session", "session");
    run_on(admin, "drop type if exists pooler_mood");
    run_on(admin, "create type pooler_mood as enum ('sad', 'happy')");
    for (int i = 0; i < CLIENTS; i++)
        conn[i] = through(modes[_i].dbname, modes[_i].pooler);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < CLIENTS; i++)
            q[i] = tusk_exec(conn[i], "select $1::pooler_mood",
                             TUSK_PARAMS(tusk_unknown((round + i) % 2 ? "sad" : "happy")));
        for (int i = 0; i < CLIENTS; i++)
            is_text(q[i], (round + i) % 2 ? "sad" : "happy");
    }
    for (int i = 0; i < CLIENTS; i++)
        disconnect(conn[i]);
    run_on(admin, "drop type pooler_mood");
    disconnect(admin);
}
END_TEST

/* Its savepoint is on the session that the transaction has, and gone afterwards; others take their turns on what is left. */
START_TEST(a_look_up_inside_of_a_transaction_leaves_it_as_it_was)
{
    tusk_conn *conn, *other;

    if (pooler_why_not[0])
        return;
    conn = through(modes[_i].dbname, modes[_i].pooler);
    other = through(modes[_i].dbname, modes[_i].pooler);
    for (int i = 0; i < 5; i++) {
        run_on(conn, "begin");
        run_on(conn, "create temp table pooler_own (a int) on commit drop");
        run_on(conn, textf("create type pooler_e%d as enum ('a', 'b')", i));
        run_on(conn, "savepoint tusk_lookup"); /* of that very name */
        run_on(conn, "insert into pooler_own values (7)");
        is_text(tusk_exec(conn, textf("select 'b'::pooler_e%d", i), TUSK_NO_PARAMS), "b");
        ck_assert_int_eq(tusk_conn_tx_status(conn), TUSK_TX_IN_TRANSACTION);
        run_on(other, "select 1");
        ck_assert_int_eq(number_on(conn, "select a from pooler_own"), 7);
        run_on(conn, "rollback to tusk_lookup");
        ck_assert_int_eq(number_on(conn, "select count(*) from pooler_own"), 0);
        run_on(conn, textf("drop type pooler_e%d", i));
        run_on(conn, "commit");
    }
    disconnect(conn);
    disconnect(other);
}
END_TEST

static void hstore_goes_both_ways(tusk_conn *conn, int n)
{
    const char *digits = textf("%d", n);
    tusk_hstore_pair pair = {tusk_str_of("n"), tusk_str_of(digits)};
    unsigned char buf[64];
    tusk_hstore_view h, came;
    tusk_str value;
    tusk_query *q;
    tusk_row row;

    ck_assert_int_eq(tusk_hstore_from_pairs(&pair, 1, buf, sizeof buf, &h, NULL), TUSK_OK);
    q = tusk_exec(conn, "select $1::hstore || 'a=>b'", TUSK_PARAMS(tusk_hstore(h)));
    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    came = tusk_get_hstore(&row, 0);
    ck_assert_msg(came.n_pairs == 2, "%s", said(tusk_query_value_error(q)));
    ck_assert(tusk_hstore_find(came, tusk_str_of("n"), &value));
    ck_assert(tusk_str_is(value, digits));
    tusk_query_free(q);
}

static void vector_goes_both_ways(tusk_conn *conn, int n)
{
    float sent[3] = {(float)n, 0.5f, -1}, came[3];
    tusk_query *q = tusk_exec(conn, "select $1::vector", TUSK_PARAMS(tusk_vector(sent, 3)));
    size_t n_came = 0;
    tusk_row row;
    tusk_error err = {0};

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_msg(tusk_read_vector(&row, 0, came, 3, &n_came, &err) == TUSK_OK, "%s", said(&err));
    ck_assert_uint_eq(n_came, 3);
    ck_assert_mem_eq(came, sent, sizeof sent);
    tusk_query_free(q);
}

START_TEST(types_of_extensions_go_both_ways_on_any_session)
{
    tusk_conn *admin, *conn[CLIENTS];
    bool has_hstore, has_vector;

    if (pooler_why_not[0])
        return;
    admin = through("session", "session");
    has_hstore = has_extension(admin, "hstore");
    has_vector = has_extension(admin, "vector");
    for (int i = 0; i < CLIENTS; i++)
        conn[i] = through(modes[_i].dbname, modes[_i].pooler);
    for (int round = 0; round < 5; round++)
        for (int i = 0; i < CLIENTS; i++) {
            if (has_hstore)
                hstore_goes_both_ways(conn[i], round);
            if (has_vector)
                vector_goes_both_ways(conn[i], round);
        }
    for (int i = 0; i < CLIENTS; i++)
        disconnect(conn[i]);
    run_on(admin, "drop extension if exists hstore");
    run_on(admin, "drop extension if exists vector");
    disconnect(admin);
}
END_TEST

static tusk_code decode_length(tusk_str bytes, uint32_t type, void *object, tusk_error *err, void *user)
{
    (void)type, (void)err, (void)user;
    *(size_t *)object = bytes.len;
    return TUSK_OK;
}

/* Text of int4 has as many bytes as it has digits, and in binary there would be four. By a text and by a handle. */
START_TEST(codecs_of_the_programs_read_text_on_any_session)
{
    tusk_codec codec = {.type_name = "int4", .size = sizeof(size_t), .decode = decode_length};
    tusk_conn *conn[CLIENTS];
    tusk_stmt *stmt[CLIENTS];

    if (pooler_why_not[0])
        return;
    for (int i = 0; i < CLIENTS; i++) {
        conn[i] = through(modes[_i].dbname, modes[_i].pooler);
        stmt[i] = tusk_prepare(conn[i], "select 12", NULL, 0);
        if (i % 2)
            tusk_query_free(tusk_set_type_codec(conn[i], &codec));
    }
    for (int round = 0; round < 6; round++)
        for (int i = 0; i < CLIENTS; i++) {
            tusk_query *q =
                round % 2 ? tusk_exec(conn[i], "select 12", TUSK_NO_PARAMS) : tusk_stmt_exec(stmt[i], TUSK_NO_PARAMS);
            tusk_row row;
            size_t len = 0;

            ck_ok(q);
            ck_assert(tusk_next_row(q, &row));
            ck_assert_int_eq(tusk_get_int4(&row, 0), 12);
            ck_assert_int_eq(tusk_read_object(&row, 0, &len, sizeof len, NULL), i % 2 ? TUSK_OK : TUSK_ERR_TYPE);
            ck_assert_uint_eq(len, i % 2 ? 2 : 0);
            tusk_query_free(q);
        }
    for (int i = 0; i < CLIENTS; i++) {
        tusk_stmt_free(stmt[i]);
        disconnect(conn[i]);
    }
}
END_TEST

/* ---- transactions, cancel --------------------------------------------------------------------------------------------------- */

START_TEST(transaction_keeps_its_session)
{
    tusk_conn *conn, *other;

    if (pooler_why_not[0])
        return;
    conn = through("transaction", "transaction");
    other = through("transaction", "transaction");
    for (int i = 0; i < 20; i++) {
        run_on(conn, "begin");
        run_on(conn, "create temp table pooler_own (a int) on commit drop");
        run_on(other, "select 1");
        ck_assert_int_eq(asked(conn, "insert into pooler_own values ($1) returning a", i), i);
        run_on(other, "select 1");
        ck_assert_int_eq(number_on(conn, "select a from pooler_own"), i);
        run_on(conn, "commit");
    }
    disconnect(conn);
    disconnect(other);
}
END_TEST

/* In a transaction a cursor is with its session; the others go on by the one that is left. */
START_TEST(cursor_is_fetched_from_inside_its_transaction)
{
    tusk_conn *conn, *other;
    tusk_cursor *cursor;
    tusk_row row;
    int n = 0;

    if (pooler_why_not[0])
        return;
    conn = through(modes[_i].dbname, modes[_i].pooler);
    other = through(modes[_i].dbname, modes[_i].pooler);
    run_on(conn, "begin");
    cursor = tusk_cursor_open(conn, &(tusk_cursor_request){.sql = "select n from generate_series(1, $1) n",
                                                           .params = TUSK_PARAMS(tusk_int4(100)),
                                                           .batch_rows = 9});
    while (tusk_cursor_next_row(cursor, &row)) {
        ck_assert_int_eq(tusk_get_int4(&row, 0), ++n);
        if (n % 10 == 0)
            ck_assert_int_eq(asked(conn, "select $1 + 1", n), n + 1);
        if (n % 10 == 5)
            ck_assert_int_eq(asked(other, "select $1 + 2", n), n + 2);
    }
    ck_assert_msg(tusk_cursor_error(cursor)->code == TUSK_OK, "%s", said(tusk_cursor_error(cursor)));
    ck_assert_int_eq(n, 100);
    tusk_cursor_free(cursor);
    run_on(conn, "commit");
    disconnect(conn);
    disconnect(other);
}
END_TEST

/* By a handle, whose text is parsed for the cursor alone; and one that scrolls, which is DECLARE's and needs a text. */
START_TEST(cursor_by_a_handle_and_one_that_scrolls_are_with_their_session)
{
    static const char sql[] = "select n from generate_series(1, $1::int4) n";
    tusk_conn *conn, *other;
    tusk_cursor *cursor, *scrolling;
    tusk_stmt *stmt;
    tusk_row row;

    if (pooler_why_not[0])
        return;
    conn = through(modes[_i].dbname, modes[_i].pooler);
    other = through(modes[_i].dbname, modes[_i].pooler);
    stmt = tusk_prepare(conn, sql, NULL, 0);
    run_on(conn, "begin");
    cursor = tusk_cursor_open(
        conn, &(tusk_cursor_request){.stmt = stmt, .params = TUSK_PARAMS(tusk_int4(20)), .batch_rows = 3});
    scrolling = tusk_cursor_open(
        conn, &(tusk_cursor_request){.sql = sql, .params = TUSK_PARAMS(tusk_int4(20)), .scroll = true});
    for (int n = 1; n <= 20; n++) {
        ck_assert_msg(tusk_cursor_next_row(cursor, &row), "%s", said(tusk_cursor_error(cursor)));
        ck_assert_int_eq(tusk_get_int4(&row, 0), n);
        ck_assert_int_eq(asked(other, "select $1 + 2", n), n + 2);
    }
    ck_assert_int_eq(one_number(tusk_cursor_fetch(scrolling, 1)), 1);
    ck_assert_int_eq(tusk_await_free(tusk_cursor_move(scrolling, 10), NULL), TUSK_OK);
    ck_assert_int_eq(tusk_await_free(tusk_cursor_move(scrolling, -10), NULL), TUSK_OK);
    ck_assert_int_eq(one_number(tusk_cursor_fetch(scrolling, 1)), 2);
    tusk_cursor_free(cursor);
    tusk_cursor_free(scrolling);
    run_on(conn, "commit");
    tusk_stmt_free(stmt);
    disconnect(conn);
    disconnect(other);
}
END_TEST

/* Where the session is another one's next: by a text it is refused for that, and by a handle for what it is. */
START_TEST(cursor_that_is_to_be_held_is_refused_behind_a_pooler)
{
    tusk_conn *conn;
    tusk_stmt *stmt;
    tusk_cursor *cursor;
    tusk_row row;

    if (pooler_why_not[0])
        return;
    conn = through("transaction", "transaction");
    stmt = tusk_prepare(conn, "select 1", NULL, 0);
    cursor = tusk_cursor_open(
        conn, &(tusk_cursor_request){.sql = _i ? NULL : "select 1", .stmt = _i ? stmt : NULL, .hold = true});
    ck_assert(!tusk_cursor_next_row(cursor, &row));
    ck_assert_int_eq(tusk_cursor_error(cursor)->code, TUSK_ERR_USAGE);
    ck_assert_int_eq(tusk_cursor_error(cursor)->fate, TUSK_FATE_NOT_SENT);
    ck_assert_str_eq(tusk_cursor_error(cursor)->message,
                     _i ? "with .hold or .scroll a cursor is of a text, as DECLARE knows no prepared statement: give "
                          "its sql instead of stmt"
                        : "a cursor WITH HOLD would stay with" NEXT);
    tusk_cursor_free(cursor);
    tusk_stmt_free(stmt);
    ck_usable(conn);
    disconnect(conn);
}
END_TEST

/* Where sessions change, the fence proves nothing: what is asked next must not meet the cancel. */
START_TEST(d34_cancel_through_a_pooler_that_changes_sessions_ends_the_connection)
{
    bool stays = strcmp(modes[_i].pooler, "session") == 0 || strcmp(modes[_i].pooler, "none") == 0;
    tusk_conn *conn;
    tusk_query *q, *next;

    if (pooler_why_not[0])
        return;
    conn = through(modes[_i].dbname, modes[_i].pooler);
    q = tusk_submit(conn, &(tusk_request){.sql = "select pg_sleep(600)", .timeout = 0.3, .cancelable = true});
    next = tusk_exec(conn, "select 4711", TUSK_NO_PARAMS);
    ck_assert_int_eq(tusk_await_free(q, NULL), TUSK_ERR_TIMEOUT);
    ck_assert_msg(tusk_await(next) == (stays ? TUSK_OK : TUSK_ERR_LOST), "%s", said(tusk_query_error(next)));
    if (!stays) {
        ck_assert_int_eq(tusk_query_error(next)->fate, TUSK_FATE_NOT_SENT);
        ck_assert(tusk_error_is_retriable(tusk_query_error(next)));
        ck_assert_ptr_nonnull(strstr(tusk_query_error(next)->message, "closed behind a cancel"));
        ck_assert_int_eq(tusk_query_error(next)->hint[0] != '\0', strcmp(modes[_i].pooler, "auto") == 0);
        ck_assert_int_eq(tusk_conn_get_state(conn), TUSK_CONN_CLOSED);
        tusk_conn_free(conn);
    }
    tusk_query_free(next);
    if (!stays)
        return;
    ck_usable(conn);
    disconnect(conn);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("pooler_live");
    TCase *tcase = tcase_create("pooler");

    tcase_add_unchecked_fixture(tcase, pooler_start, pooler_stop);
    tcase_add_checked_fixture(tcase, live_up, live_down);
    tcase_add_loop_test(tcase, clients_that_change_sessions_get_their_answers, 0, N_OF(modes));
    tcase_add_loop_test(tcase, column_of_equal_width_is_never_misread, 0, N_OF(modes));
    tcase_add_loop_test(tcase, d41_column_altered_between_sessions_is_never_misread, 0, N_OF(modes));
    tcase_add_loop_test(tcase, handle_learns_formats, 0, N_OF(modes));
    tcase_add_loop_test(tcase, stacks_of_clients_that_change_sessions_are_well, 0, 8);
    tcase_add_loop_test(tcase, loads_of_clients_that_change_sessions_are_well, 0, 16);
    tcase_add_test(tcase, column_of_equal_width_is_never_misread_in_a_load);
    tcase_add_loop_test(tcase, what_means_a_session_is_refused_behind_a_pooler, 0, N_OF(statements));
    tcase_add_test(tcase, none_where_there_is_one_costs_no_answer_and_is_told);
    tcase_add_loop_test(tcase, forgotten_setting_is_told_at_once, 0, 2);
    tcase_add_loop_test(tcase, enums_are_text_on_any_session, 0, N_OF(modes));
    tcase_add_loop_test(tcase, a_look_up_inside_of_a_transaction_leaves_it_as_it_was, 0, N_OF(modes));
    tcase_add_loop_test(tcase, types_of_extensions_go_both_ways_on_any_session, 0, N_OF(modes));
    tcase_add_loop_test(tcase, codecs_of_the_programs_read_text_on_any_session, 0, N_OF(modes));
    tcase_add_test(tcase, transaction_keeps_its_session);
    tcase_add_loop_test(tcase, cursor_is_fetched_from_inside_its_transaction, 0, N_OF(modes));
    tcase_add_loop_test(tcase, cursor_by_a_handle_and_one_that_scrolls_are_with_their_session, 0, N_OF(modes));
    tcase_add_loop_test(tcase, cursor_that_is_to_be_held_is_refused_behind_a_pooler, 0, 2);
    tcase_add_loop_test(tcase, d34_cancel_through_a_pooler_that_changes_sessions_ends_the_connection, 0, N_OF(modes));
    suite_add_tcase(suite, tcase);
    return suite;
}
