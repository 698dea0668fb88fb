/* What the tests against the real server share: a loop and a connection per test, one-line questions, and what an error says.
 * Every test ends with as many open descriptors as it began with.
 * Read first: test/harness/harness.h. */
#ifndef TUSK_TEST_LIVE_H
#define TUSK_TEST_LIVE_H

#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <tusk/tusk.h>

#include "test/harness/harness.h"

#define N_OF(array) (int)(sizeof(array) / sizeof(array)[0])
#define LIVE_UNUSED __attribute__((unused))

/* The test's own; made by live_up(), ended by live_down(). A test that ends them itself sets them to NULL. */
static tusk_loop *loop LIVE_UNUSED;
static tusk_conn *db LIVE_UNUSED;
static int live_fds;

/* ---- questions ------------------------------------------------------------------------------------------------------------ */

/* What the error says, on one line: for the messages of failing checks. The caller's until the next call. */
static inline const char *said(const tusk_error *err)
{
    static char text[1024];
    size_t len = (size_t)snprintf(text, sizeof text, "%s, %s: ", tusk_code_name(err->code), tusk_fate_name(err->fate));

    tusk_error_format(err, text + len, sizeof text - len);
    return text;
}

#define ck_ok(q)                                                                                                             \
    do {                                                                                                                     \
        tusk_query *ck_q = (q);                                                                                              \
        ck_assert_msg(tusk_await(ck_q) == TUSK_OK, "%s", said(tusk_query_error(ck_q)));                                      \
    } while (0)

/* Code, sqlstate and message, in this order; the rest is asked for where it matters. */
#define ck_error(err, want_code, want_sqlstate, want_message)                                                                \
    do {                                                                                                                     \
        const tusk_error *ck_e = (err);                                                                                      \
        ck_assert_msg(ck_e->code == (want_code), "not %s: %s", tusk_code_name(want_code), said(ck_e));                       \
        ck_assert_str_eq(ck_e->sqlstate, want_sqlstate);                                                                     \
        ck_assert_str_eq(ck_e->message, want_message);                                                                       \
    } while (0)

/* Ask, and let go of the answer. */
static inline void run_on(tusk_conn *conn, const char *sql)
{
    tusk_error err = {0};

    ck_assert_msg(tusk_await_free(tusk_exec(conn, sql, TUSK_NO_PARAMS), &err) == TUSK_OK, "%s: %s", sql, said(&err));
}

LIVE_UNUSED static void run(const char *sql)
{
    run_on(db, sql);
}

/* The one number that a statement yields. */
static inline int64_t number_on(tusk_conn *conn, const char *sql)
{
    tusk_query *q = tusk_exec(conn, sql, TUSK_NO_PARAMS);
    tusk_row row;
    int64_t n = 0;
    tusk_error err = {0};

    ck_ok(q);
    ck_assert_msg(tusk_next_row(q, &row), "%s: no row", sql);
    ck_assert_msg(tusk_read_int8(&row, 0, &n, &err) == TUSK_OK, "%s: %s", sql, said(&err));
    tusk_query_free(q);
    return n;
}

LIVE_UNUSED static int64_t number(const char *sql)
{
    return number_on(db, sql);
}

/* By the simple protocol: no cache has a part in it. */
LIVE_UNUSED static void run_script(const char *sql)
{
    tusk_error err = {0};

    ck_assert_msg(tusk_await_free(tusk_script(db, sql), &err) == TUSK_OK, "%s: %s", sql, said(&err));
}

/* The statements that the server has of ours, by their text, sorted. Asked by a script: the cache keeps none of those. */
LIVE_UNUSED static const char *kept_statements(void)
{
    static char text[4096];
    tusk_query *q = tusk_script(db, "select coalesce(string_agg(statement, '|' order by statement collate \"C\"), '') "
                                    "from pg_prepared_statements where name like 'tusk%'");
    tusk_row row;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    snprintf(text, sizeof text, TUSK_STR_FMT, TUSK_STR_ARG(tusk_get_text(&row, 0)));
    tusk_query_free(q);
    return text;
}

/* The one number of a query whose column may have become a float4. */
LIVE_UNUSED static double only_value(tusk_query *q)
{
    tusk_row row;
    double value;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    value = tusk_query_column(q, 0)->type == TUSK_OID_FLOAT4 ? (double)tusk_get_float4(&row, 0)
                                                             : (double)tusk_get_int4(&row, 0);
    ck_assert_msg(tusk_query_value_error(q)->code == TUSK_OK, "%s", said(tusk_query_value_error(q)));
    tusk_query_free(q);
    return value;
}

/* Is the connection as good as new? */
#define ck_usable(conn)                                                                                                      \
    do {                                                                                                                     \
        ck_assert_int_eq(number_on(conn, "select 4711"), 4711);                                                              \
        ck_assert_int_eq(tusk_conn_get_state(conn), TUSK_CONN_READY);                                                        \
    } while (0)

/* ---- the server's log ---------------------------------------------------------------------------------------------------------- */

LIVE_UNUSED static long log_size(void)
{
    struct stat st;

    ck_assert_int_eq(stat(harness_env("TUSK_TEST_LOG"), &st), 0);
    return (long)st.st_size;
}

/* Lines of it behind `from` that hold `text`. */
LIVE_UNUSED static long n_logged(long from, const char *text)
{
    FILE *file = fopen(harness_env("TUSK_TEST_LOG"), "r");
    char line[1024];
    long n = 0;

    ck_assert_ptr_nonnull(file);
    fseek(file, from, SEEK_SET);
    while (fgets(line, sizeof line, file))
        n += strstr(line, text) != NULL;
    fclose(file);
    return n;
}

/* ---- a loop and a connection ------------------------------------------------------------------------------------------------- */

static inline tusk_conn *connect_plain(void)
{
    tusk_conn *conn = tusk_connect(loop, harness_env("TUSK_TEST_DSN_PLAIN"));

    ck_assert_ptr_nonnull(conn);
    return conn;
}

LIVE_UNUSED static void disconnect(tusk_conn *conn)
{
    ck_assert_int_eq(tusk_await_free(tusk_close(conn), NULL), TUSK_OK);
    tusk_conn_free(conn);
}

/* Log in: what came of it, and nothing of the connection. */
LIVE_UNUSED static tusk_error login(const char *dsn)
{
    tusk_conn *conn = tusk_connect(loop, dsn);
    tusk_error err = {0};
    tusk_query *q = tusk_exec(conn, "select 1", TUSK_NO_PARAMS);
    tusk_code code = tusk_await_free(tusk_conn_ready(conn), &err);

    ck_assert_int_eq(code, tusk_conn_error(conn)->code);
    ck_assert_int_eq(tusk_await(q), code);
    if (code != TUSK_OK) {
        ck_assert_str_eq(tusk_query_error(q)->message, err.message);
        ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
        ck_assert_int_eq(tusk_conn_get_state(conn), TUSK_CONN_CLOSED);
        ck_assert_str_eq(err.hint, tusk_conn_error(conn)->hint);
    }
    tusk_query_free(q);
    tusk_conn_free(conn);
    return err;
}

LIVE_UNUSED static void live_loop_up(void)
{
    live_fds = harness_open_fds();
    loop = tusk_loop_new();
    ck_assert_ptr_nonnull(loop);
}

LIVE_UNUSED static void live_up(void)
{
    live_loop_up();
    db = connect_plain();
}

LIVE_UNUSED static void live_up_tls(void)
{
    live_loop_up();
    db = tusk_connect(loop, harness_env("TUSK_TEST_DSN"));
}

LIVE_UNUSED static void live_down(void)
{
    if (db && loop)
        disconnect(db);
    db = NULL;
    tusk_loop_free(loop);
    loop = NULL;
    /* a look-up that was abandoned with its thread may still have a file of the resolver open */
    for (int i = 0; i < 100000 && harness_open_fds() != live_fds; i++)
        sched_yield();
    ck_assert_int_eq(harness_open_fds(), live_fds);
}

LIVE_UNUSED static void turn(double max_wait)
{
    tusk_error err = {0};

    ck_assert_msg(tusk_loop_turn(loop, max_wait, &err) == TUSK_OK, "%s", said(&err));
}

/* A line of text of our own, the caller's until the eighth next call. */
static inline const char *textf(const char *format, ...) TUSK_PRINTF(1, 2);
static inline const char *textf(const char *format, ...)
{
    static char texts[8][512];
    static unsigned next;
    char *text = texts[next++ % 8];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof texts[0], format, args);
    va_end(args);
    return text;
}

#endif
