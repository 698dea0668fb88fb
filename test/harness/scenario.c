/* The scenario of the fault tests, and how its outcomes are counted.
 * Read first: scenario.h. */
#include "test/harness/scenario.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/harness/harness.h"

#define CHILD_SECONDS 6

const char *outcome_name(outcome o)
{
    static const char *const names[N_OUTCOMES] = {[OUTCOME_RIGHT] = "right",
                                                  [OUTCOME_ERROR] = "error",
                                                  [OUTCOME_NO_LOOP] = "no loop",
                                                  [OUTCOME_NOT_OURS] = "hang of OpenSSL alone",
                                                  [OUTCOME_UNVERIFIED] = "UNVERIFIED",
                                                  [OUTCOME_WRONG] = "WRONG",
                                                  [OUTCOME_SILENT] = "SILENT",
                                                  [OUTCOME_LEAK] = "LEAK",
                                                  [OUTCOME_HANG] = "HANG",
                                                  [OUTCOME_CRASH] = "CRASH"};

    return names[o];
}

const char *scenario_impossible_dsn(void)
{
    static char dsn[512];

    (void)snprintf(
        dsn, sizeof dsn,
        "host=somewhere.else hostaddr=127.0.0.1 port=%s user=drv password=pw-drv dbname=tusk sslmode=verify-full "
        "sslrootcert=%s connect_timeout=10",
        harness_env("TUSK_TEST_PORT"), harness_tls("ca.crt"));
    return dsn;
}

static bool is_told(const tusk_error *err)
{
    return err->code >= TUSK_ERR_STATE && strlen(err->sqlstate) == 5 && err->message[0];
}

/* Seven rows of generate_series, each value seen. */
static outcome check_rows(tusk_query *q)
{
    int64_t sum = 0, n = 0;

    if (tusk_await(q) != TUSK_OK)
        return is_told(tusk_query_error(q)) ? OUTCOME_ERROR : OUTCOME_SILENT;
    for (tusk_row row; tusk_next_row(q, &row); n++) {
        char text[16];

        sum += tusk_get_int8(&row, 0);
        (void)snprintf(text, sizeof text, "row %d", (int)tusk_get_int8(&row, 0));
        if (!tusk_str_is(tusk_get_text(&row, 1), text))
            return OUTCOME_WRONG;
    }
    return n == 7 && sum == 28 ? OUTCOME_RIGHT : OUTCOME_WRONG;
}

static outcome ask(tusk_conn *db)
{
    tusk_query *q =
        tusk_exec(db, "select n::int8, 'row ' || n from generate_series(1, $1) n", TUSK_PARAMS(tusk_int4(7)));
    outcome o = check_rows(q);

    tusk_query_free(q);
    return o;
}

static outcome ask_prepared(tusk_conn *db)
{
    tusk_stmt *stmt = tusk_prepare(db, "select n::int8, 'row ' || n from generate_series(1, $1) n", NULL, 0);
    tusk_query *q[3];
    outcome worst = stmt ? OUTCOME_RIGHT : OUTCOME_ERROR;

    for (int i = 0; i < 3 && stmt; i++)
        q[i] = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(7)));
    for (int i = 0; i < 3 && stmt; i++) {
        outcome o = check_rows(q[i]);

        worst = o > worst ? o : worst;
        tusk_query_free(q[i]);
    }
    tusk_stmt_free(stmt);
    return worst;
}

/* One that has ended by itself, whatever the reason, says that it is gone. */
static bool tells_its_end(const tusk_conn *db)
{
    const tusk_error *err = tusk_conn_error(db);

    return tusk_conn_get_state(db) != TUSK_CONN_CLOSED || (is_told(err) && tusk_error_is_fatal(err));
}

static outcome ask_by_name(tusk_conn *db)
{
    tusk_query *q = tusk_submit(db, &(tusk_request){.sql = "select n::int8, 'row ' || n from generate_series(1, :n) n",
                                                    .args = TUSK_ARGS({"n", tusk_int4(7)})});
    outcome o = check_rows(q);

    tusk_query_free(q);
    return o;
}

static outcome ask_by_cursor(tusk_conn *db, bool holds)
{
    tusk_cursor *cursor =
        tusk_cursor_open(db, &(tusk_cursor_request){.sql = "select n::int8, 'row ' || n from generate_series(1, $1) n",
                                                    .params = TUSK_PARAMS(tusk_int4(7)),
                                                    .hold = holds,
                                                    .batch_rows = 3});
    const tusk_error *err = tusk_cursor_error(cursor);
    outcome o = OUTCOME_ERROR;
    int64_t n = 0;

    for (tusk_row row; tusk_cursor_next_row(cursor, &row);)
        if (tusk_get_int8(&row, 0) != ++n)
            o = OUTCOME_WRONG;
    if (err->code == TUSK_OK)
        err = tusk_cursor_error(cursor);
    if (err->code == TUSK_OK && o != OUTCOME_WRONG)
        o = n == 7 ? OUTCOME_RIGHT : OUTCOME_WRONG;
    else if (err->code != TUSK_OK && !is_told(err))
        o = OUTCOME_SILENT;
    tusk_cursor_free(cursor);
    return o;
}

static outcome ask_in_transaction(tusk_conn *db)
{
    tusk_query *begin = tusk_begin(db, NULL), *end;
    outcome o = begin ? ask_by_cursor(db, false) : OUTCOME_ERROR;

    end = begin ? tusk_rollback(db) : NULL;
    (void)tusk_await(end);
    tusk_query_free(end);
    tusk_query_free(begin);
    return o;
}

/* A type that is looked up: should that fail, the rows are right all the same. */
static outcome ask_own_type(tusk_conn *db)
{
    tusk_query *q =
        tusk_exec(db, "select n::int8, 'row ' || n, null::information_schema.tables from generate_series(1, 7) n",
                  TUSK_NO_PARAMS);
    outcome o = check_rows(q);

    tusk_query_free(q);
    return o;
}

/* A composite that has to wait behind a script, with all that it is made of: as text the first time, then in binary, if that was learned. */
static outcome ask_made(tusk_conn *db)
{
    static const char sql[] =
        "select n::int8, 'row ' || n from generate_series(1, ($1::information_schema.sql_sizing).sizing_id::int4) n "
        "where $2::information_schema.sql_identifier[] = array['a b']::information_schema.sql_identifier[]";
    outcome worst = OUTCOME_RIGHT;

    for (int i = 0; i < 2; i++) {
        tusk_query *before = tusk_script(db, "select 1");
        tusk_query *q = tusk_exec(
            db, sql,
            TUSK_PARAMS(tusk_record_of(0, TUSK_RECORD(tusk_int4(7), tusk_text("x"), tusk_null(), tusk_null())),
                        tusk_array_of(0, TUSK_ARRAY(tusk_text("a b")))));
        outcome o = check_rows(q);

        worst = o > worst ? o : worst;
        tusk_query_free(q);
        tusk_query_free(before);
    }
    return worst;
}

static outcome converse(tusk_loop *loop, const char *dsn)
{
    tusk_conn *db = tusk_connect(loop, dsn ? dsn : harness_dsn("drv"));
    outcome o = OUTCOME_ERROR, p = OUTCOME_RIGHT, n;
    tusk_query *close;

    if (db) {
        o = ask(db);
        if (o == OUTCOME_RIGHT && (dsn || tusk_conn_tls_version(db).len == 0))
            o = OUTCOME_UNVERIFIED;
        p = ask_prepared(db);
        n = ask_by_name(db);
        p = n > p ? n : p;
        n = ask_by_cursor(db, true);
        p = n > p ? n : p;
        n = ask_own_type(db);
        p = n > p ? n : p;
        n = ask_made(db);
        p = n > p ? n : p;
        n = ask_in_transaction(db);
        p = n > p ? n : p;
        if (!tells_its_end(db))
            p = OUTCOME_SILENT;
        close = tusk_close(db);
        (void)tusk_await(close);
        tusk_query_free(close);
    }
    tusk_conn_free(db);
    return p > o ? p : o;
}

outcome scenario_run(const tusk__os *os, const tusk_allocator *allocator, const char *dsn)
{
    int fds = harness_open_fds();
    tusk_error err = {0};
    tusk_loop *loop = tusk__loop_open_on(os, &(tusk_loop_config){.allocator = allocator}, &err);
    outcome o;

    if (!loop)
        return !is_told(&err) ? OUTCOME_SILENT : harness_open_fds() == fds ? OUTCOME_NO_LOOP : OUTCOME_LEAK;
    o = converse(loop, dsn);
    tusk_loop_free(loop);
    for (int i = 0; i < 100 && harness_open_fds() > fds; i++) /* a helper thread may be about to leave */
        (void)poll(NULL, 0, 1);
    return !outcome_is_bad(o) && harness_open_fds() > fds ? OUTCOME_LEAK : o;
}

outcome scenario_in_child(outcome (*fn)(void *arg), void *arg)
{
    pid_t pid;
    int status = 0;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        (void)signal(SIGALRM, SIG_DFL);
        (void)alarm(CHILD_SECONDS);
        _exit((int)fn(arg));
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return OUTCOME_CRASH;
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGALRM ? OUTCOME_HANG : OUTCOME_CRASH;
    return WEXITSTATUS(status) < N_OUTCOMES ? (outcome)WEXITSTATUS(status) : OUTCOME_CRASH;
}

void tally_add(tally *t, outcome o, const char *what, long index)
{
    size_t len = strlen(t->bad);

    t->n[o]++;
    if (outcome_is_bad(o))
        (void)snprintf(t->bad + len, sizeof t->bad - len, "%s %ld: %s; ", what, index, outcome_name(o));
}

void tally_print(const tally *t, const char *title)
{
    char outcomes[400] = "";
    size_t len = 0;
    long all = 0;

    for (int o = 0; o < N_OUTCOMES; o++) {
        if (t->n[o])
            len += (size_t)snprintf(outcomes + len, sizeof outcomes - len, "%s%ld %s", len ? ", " : "", t->n[o],
                                    outcome_name((outcome)o));
        all += t->n[o];
    }
    if (all > 0)
        harness_note("%s: %ld runs: %s", title, all, outcomes);
    ck_assert_msg(t->bad[0] == '\0', "%s: %s", title, t->bad);
}
