/* Callbacks against the real server: rows handed out, pause and resume, everything allowed in a callback, order and once-ness. */
#include "test/live/live.h"

/* What the callbacks of a test did, in order. */
static char story[1024];

static void tell(const char *word)
{
    size_t len = strlen(story);

    snprintf(story + len, sizeof story - len, "%s%s", len ? " " : "", word);
}

static void up(void)
{
    story[0] = '\0';
    live_up();
}

static void up_tls(void)
{
    story[0] = '\0';
    live_up_tls();
}

/* Tells its name and its code. */
static void told_done(tusk_query *q, void *user)
{
    tell(textf("%s:%s", (const char *)user, tusk_code_name(tusk_query_code(q)) + strlen("TUSK_")));
}

/* Without something to await: until all of `n` callbacks have run. */
static int n_done;

static void count_done(tusk_query *q, void *user)
{
    (void)q, (void)user;
    n_done++;
}

static void until_done(int n)
{
    while (n_done < n)
        turn(TUSK_NONE);
}

/* ---- rows ------------------------------------------------------------------------------------------------------------------------ */

typedef struct reader {
    int64_t n, sum;
    int64_t pause_at; /* row */
    bool is_paused;
    tusk_query *q;
    void (*at_row)(struct reader *reader); /* at pause_at */
    int n_turns;
} reader;

static void read_row(tusk_query *q, const tusk_row *row, void *user)
{
    reader *r = user;

    ck_assert(!r->is_paused);
    r->n++;
    r->sum += tusk_get_int8(row, 0);
    if (r->n == r->pause_at)
        r->at_row(r);
    (void)q;
}

static tusk_query *read_numbers(reader *r, int n)
{
    return r->q =
               tusk_submit(db, &(tusk_request){.sql = "select n::int8, repeat('x', 100) from generate_series(1, $1) n",
                                               .params = TUSK_PARAMS(tusk_int4(n)),
                                               .on_row = read_row,
                                               .user = r});
}

START_TEST(rows_are_handed_out_and_not_kept)
{
    reader r = {0};
    tusk_query *q = read_numbers(&r, 10000);
    tusk_row row;

    ck_ok(q);
    ck_assert_int_eq(r.n, 10000);
    ck_assert_int_eq(r.sum, 10000 * 10001 / 2);
    ck_assert_uint_eq(tusk_query_n_rows(q), 10000);
    ck_assert(!tusk_next_row(q, &row));
    ck_assert(tusk_str_is(tusk_query_tag(q), "SELECT 10000"));
    tusk_query_free(q);
}
END_TEST

static void resume(void *user)
{
    reader *r = user;

    r->is_paused = false;
    r->pause_at += 700;
    ck_assert_int_eq(tusk_query_resume(r->q), TUSK_OK);
    ck_assert_int_eq(tusk_query_resume(r->q), TUSK_ERR_STATE);
}

static void pause(reader *r)
{
    ck_assert_int_eq(tusk_query_pause(r->q), TUSK_OK);
    r->is_paused = true;
    ck_assert_ptr_nonnull(tusk_timer_start(loop, 0.001, resume, r));
}

START_TEST(paused_rows_wait_for_the_resume)
{
    reader r = {.pause_at = 1, .at_row = pause};
    tusk_query *q = read_numbers(&r, 10000);

    while (!tusk_query_is_done(q))
        turn(TUSK_NONE);
    ck_assert_int_eq(tusk_query_code(q), TUSK_OK);
    ck_assert_int_eq(r.n, 10000);
    ck_assert_int_eq(r.sum, 10000 * 10001 / 2);
    ck_assert_int_eq(tusk_query_pause(q), TUSK_ERR_STATE);
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

static void pause_only(reader *r)
{
    ck_assert_int_eq(tusk_query_pause(r->q), TUSK_OK);
    r->is_paused = true;
}

START_TEST(awaiting_a_paused_query_is_refused)
{
    reader r = {.pause_at = 3, .at_row = pause_only};
    tusk_query *q = read_numbers(&r, 10);

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_STATE);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_STATE);
    ck_assert_int_eq(r.n, 3);
    r.is_paused = false;
    ck_assert_int_eq(tusk_query_resume(q), TUSK_OK);
    ck_ok(q);
    ck_assert_int_eq(r.n, 10);
    tusk_query_free(q);
}
END_TEST

/* A query that waits behind paused rows has no say in when they go on. */
START_TEST(neighbour_behind_a_pause_does_not_end_it)
{
    reader r = {.pause_at = 3, .at_row = pause_only};
    tusk_query *q = read_numbers(&r, 10), *behind = tusk_exec(db, "select 5", TUSK_NO_PARAMS),
               *gone = tusk_exec(db, "select 6", TUSK_NO_PARAMS);
    tusk_row row;

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_STATE);
    tusk_query_free(gone);
    for (int i = 0; i < 10; i++)
        turn(0.001);
    ck_assert_int_eq(r.n, 3);
    ck_assert_ptr_nonnull(tusk_timer_start(loop, 0.005, resume, &r));
    ck_assert(tusk_next_row(behind, &row));
    ck_assert_int_eq(tusk_get_int4(&row, 0), 5);
    ck_assert_int_eq(r.n, 10);
    ck_ok(q);
    tusk_query_free(q);
    tusk_query_free(behind);
}
END_TEST

/* Nothing is left that could resume: a wait would be for ever. */
START_TEST(awaiting_behind_a_pause_that_nobody_ends_is_refused)
{
    reader r = {.pause_at = 3, .at_row = pause_only};
    tusk_query *q = read_numbers(&r, 10), *behind = tusk_exec(db, "select 5", TUSK_NO_PARAMS);
    tusk_error err;

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_STATE);
    ck_assert_int_eq(tusk_await(behind), TUSK_ERR_STATE);
    ck_assert_int_eq(tusk_await_free(behind, &err), TUSK_ERR_STATE);
    ck_error(&err, TUSK_ERR_STATE, "55000",
             "the query is behind a paused one of its connection: resume or free that one first");
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

START_TEST(pausing_before_the_first_row_holds_nobody_else)
{
    reader r = {0};
    tusk_query *before = tusk_exec(db, "select 1", TUSK_NO_PARAMS), *q = read_numbers(&r, 10);

    ck_assert_int_eq(tusk_query_pause(q), TUSK_OK); /* the login is not done yet */
    ck_ok(before);
    for (int i = 0; i < 10; i++)
        turn(0.001);
    ck_assert_int_eq(r.n, 0);
    ck_assert_int_eq(tusk_query_resume(q), TUSK_OK);
    ck_ok(q);
    ck_assert_int_eq(r.n, 10);
    tusk_query_free(q);
    tusk_query_free(before);
}
END_TEST

START_TEST(pausing_needs_a_row_callback)
{
    tusk_query *q = tusk_exec(db, "select 1", TUSK_NO_PARAMS);

    ck_assert_int_eq(tusk_query_pause(q), TUSK_ERR_STATE);
    ck_assert_int_eq(tusk_query_resume(q), TUSK_ERR_STATE);
    ck_ok(q);
    tusk_query_free(q);
}
END_TEST

START_TEST(paused_query_can_be_freed)
{
    reader r = {.pause_at = 3, .at_row = pause_only};
    tusk_query *q = read_numbers(&r, 10000);

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_STATE);
    tusk_query_free(q);
    ck_usable(db);
    ck_assert_int_eq(r.n, 3);
}
END_TEST

START_TEST(paused_query_can_be_canceled)
{
    reader r = {.pause_at = 3, .at_row = pause_only};
    tusk_query *q = read_numbers(&r, 10000);

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_STATE);
    tusk_query_cancel(q);
    while (!tusk_query_is_done(q))
        turn(TUSK_NONE);
    ck_assert_int_eq(tusk_query_code(q), TUSK_ERR_CANCELED);
    ck_assert_int_eq(r.n, 3);
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

/* A hung-up socket that nobody reads must not spin the loop. */
START_TEST(pause_survives_the_death_of_the_backend_quietly)
{
    reader r = {.pause_at = 3, .at_row = pause_only};
    tusk_conn *other = connect_plain();
    tusk_query *q = read_numbers(&r, 100000);
    int n_turns = 0;
    int64_t until;

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_STATE);
    ck_assert_int_eq(number_on(other, textf("select pg_terminate_backend(%u, 5000)::int4", tusk_conn_backend_pid(db))),
                     1);
    until = tusk_loop_now_us(loop) + 50000;
    for (; tusk_loop_now_us(loop) < until; n_turns++)
        turn(0.01);
    ck_assert_int_lt(n_turns, 50);
    ck_assert(!tusk_query_is_done(q));
    r.is_paused = false;
    ck_assert_int_eq(tusk_query_resume(q), TUSK_OK);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_LOST);
    tusk_query_free(q);
    disconnect(other);
}
END_TEST

/* ---- everything is allowed in a callback ------------------------------------------------------------------------------------------ */

static void free_query(reader *r)
{
    tusk_query_free(r->q);
}

static void cancel_query(reader *r)
{
    tusk_query_cancel(r->q);
}

static void close_conn(reader *r)
{
    (void)r;
    tusk_query_free(tusk_close(db));
}

static void free_conn(reader *r)
{
    (void)r;
    tusk_conn_free(db);
    db = NULL;
}

static void free_both(reader *r)
{
    tusk_query_free(r->q);
    tusk_conn_free(db);
    db = NULL;
}

static void free_conn_then_query(reader *r)
{
    tusk_conn_free(db);
    db = NULL;
    tusk_query_free(r->q);
}

static void try_to_wait(reader *r)
{
    tusk_query *other = tusk_exec(db, "select 1", TUSK_NO_PARAMS);
    tusk_error err = {0};
    tusk_row row;

    ck_assert_int_eq(tusk_await(other), TUSK_ERR_STATE);
    ck_assert(!tusk_next_row(other, &row));
    ck_assert_int_eq(tusk_await(r->q), TUSK_ERR_STATE);
    ck_assert_int_eq(tusk_loop_turn(loop, 0, &err), TUSK_ERR_STATE);
    ck_assert(!tusk_query_is_done(other));
    tusk_query_free(other);
}

/* clang-format off */
static const struct {
    const char *name;
    void (*at_row)(reader *r);
    tusk_code code; /* of the query, if it was not freed */
    bool is_freed, conn_is_gone;
} row_acts[] = {
    {"free the query", free_query, TUSK_OK, true, false},
    {"cancel the query", cancel_query, TUSK_ERR_CANCELED, false, false},
    {"close the connection", close_conn, TUSK_ERR_CANCELED, false, true},
    {"free the connection", free_conn, TUSK_ERR_CANCELED, false, true},
    {"free the query, then the connection", free_both, TUSK_OK, true, true},
    {"free the connection, then the query", free_conn_then_query, TUSK_OK, true, true},
    {"await", try_to_wait, TUSK_OK, false, false},
};
/* clang-format on */

START_TEST(row_callback_may_do_anything)
{
    reader r = {.pause_at = 3, .at_row = row_acts[_i].at_row};
    tusk_query *q = read_numbers(&r, 20000);
    tusk_query *behind = tusk_exec(db, "select 1", TUSK_NO_PARAMS);
    tusk_code code = tusk_await(q);

    ck_assert_msg(code == (row_acts[_i].is_freed ? TUSK_ERR_CANCELED : row_acts[_i].code), "%s: %s", row_acts[_i].name,
                  tusk_code_name(code));
    ck_assert_msg(r.n == (code == TUSK_OK ? 20000 : 3), "%s: %d rows", row_acts[_i].name, (int)r.n);
    ck_assert_int_eq(tusk_await(behind), row_acts[_i].conn_is_gone ? TUSK_ERR_CANCELED : TUSK_OK);
    tusk_query_free(behind);
    if (!row_acts[_i].is_freed)
        tusk_query_free(q);
    if (!row_acts[_i].conn_is_gone)
        ck_usable(db);
}
END_TEST

static void done_frees_query(tusk_query *q, void *user)
{
    (void)user;
    tusk_query_free(q);
    n_done++;
}

static void done_frees_conn(tusk_query *q, void *user)
{
    (void)q, (void)user;
    tusk_conn_free(db);
    db = NULL;
    n_done++;
}

static void done_closes_conn(tusk_query *q, void *user)
{
    (void)user;
    tusk_query_free(tusk_close(tusk_query_conn(q)));
    n_done++;
}

static void done_cancels_neighbours(tusk_query *q, void *user)
{
    tusk_query **neighbour = user;

    (void)q;
    tusk_query_cancel(neighbour[0]);
    tusk_query_free(neighbour[1]);
    n_done++;
}

/* clang-format off */
static const struct {
    const char *name;
    tusk_done_fn on_done;
    tusk_code neighbour;
    bool neighbour_is_freed;
} done_acts[] = {
    {"free the query", done_frees_query, TUSK_OK, false},
    {"free the connection", done_frees_conn, TUSK_ERR_CANCELED, false},
    {"close the connection", done_closes_conn, TUSK_ERR_CANCELED, false},
    {"cancel and free neighbours", done_cancels_neighbours, TUSK_ERR_CANCELED, true},
};
/* clang-format on */

START_TEST(done_callback_may_do_anything)
{
    tusk_query *neighbours[3];

    n_done = 0;
    tusk_submit(db, &(tusk_request){.sql = "select 1", .on_done = done_acts[_i].on_done, .user = neighbours});
    neighbours[0] = tusk_exec(db, "select 2 from pg_sleep(0.02)", TUSK_NO_PARAMS);
    neighbours[1] = tusk_exec(db, "select 3", TUSK_NO_PARAMS);
    neighbours[2] = tusk_exec(db, "select 4", TUSK_NO_PARAMS);
    until_done(1);
    ck_assert_int_eq(tusk_await(neighbours[0]), done_acts[_i].neighbour);
    if (!done_acts[_i].neighbour_is_freed)
        ck_assert_int_eq(tusk_await(neighbours[1]), done_acts[_i].neighbour);
    ck_assert_int_eq(tusk_await(neighbours[2]), done_acts[_i].neighbour_is_freed ? TUSK_OK : done_acts[_i].neighbour);
    tusk_query_free(neighbours[0]);
    if (!done_acts[_i].neighbour_is_freed)
        tusk_query_free(neighbours[1]);
    tusk_query_free(neighbours[2]);
    ck_assert_int_eq(n_done, 1);
}
END_TEST

static void submit_next(tusk_query *q, void *user)
{
    int *left = user;

    ck_assert_int_eq(tusk_query_code(q), TUSK_OK);
    if (--*left > 0)
        tusk_submit(tusk_query_conn(q), &(tusk_request){.sql = "select 1", .on_done = submit_next, .user = user});
}

START_TEST(callbacks_submit_the_next_query)
{
    int left = 1000;

    tusk_submit(db, &(tusk_request){.sql = "select 1", .on_done = submit_next, .user = &left});
    while (left > 0)
        turn(TUSK_NONE);
    ck_usable(db);
}
END_TEST

static void keep_it(tusk_query *q, void *user)
{
    tusk_query_keep(q);
    *(tusk_query **)user = q;
}

START_TEST(kept_query_is_the_callers_after_its_callback)
{
    tusk_query *kept = NULL;
    tusk_row row;

    tusk_submit(db, &(tusk_request){.sql = "select 42", .on_done = keep_it, .user = &kept});
    while (!kept)
        turn(TUSK_NONE);
    run("select 1"); /* which would recycle it */
    ck_assert(tusk_next_row(kept, &row));
    ck_assert_int_eq(tusk_get_int4(&row, 0), 42);
    tusk_query_free(kept);
}
END_TEST

START_TEST(query_with_a_callback_can_be_awaited)
{
    tusk_error err = {0};

    n_done = 0;
    ck_assert_int_eq(tusk_await(tusk_submit(db, &(tusk_request){.sql = "select 1", .on_done = count_done})), TUSK_OK);
    ck_assert_int_eq(tusk_await(tusk_submit(db, &(tusk_request){.sql = "select 1/0", .on_done = count_done})),
                     TUSK_ERR_SERVER);
    ck_assert_int_eq(
        tusk_await_free(tusk_submit(db, &(tusk_request){.sql = "select 1/0", .on_done = count_done}), &err),
        TUSK_ERR_SERVER);
    ck_assert_str_eq(err.sqlstate, "22012");
    ck_assert_int_eq(n_done, 3);
    for (int i = 0; i < 10; i++)
        ck_usable(db);
}
END_TEST

START_TEST(freed_query_is_not_called_back)
{
    n_done = 0;
    for (int i = 0; i < 3; i++) {
        tusk_query *q = tusk_submit(db, &(tusk_request){.sql = "select 1", .on_done = count_done});

        if (i == 1)
            turn(0);
        tusk_query_free(q);
    }
    ck_usable(db);
    ck_assert_int_eq(n_done, 0);
}
END_TEST

/* ---- order and once-ness ---------------------------------------------------------------------------------------------------------- */

static tusk_query *submit_named(const char *name, const char *sql)
{
    static char names[16][8];
    static unsigned next;
    char *copy = names[next++ % 16];

    snprintf(copy, sizeof names[0], "%s", name);
    return tusk_submit(db, &(tusk_request){.sql = sql, .on_done = told_done, .user = copy});
}

START_TEST(answers_come_in_order_of_submission)
{
    submit_named("a", "select 1 from pg_sleep(0.01)");
    submit_named("b", "select 1/0");
    submit_named("c", "select '\xff'"); /* refused by us */
    submit_named("d", "");
    submit_named("e", "select 1");
    submit_named("f", "select '\xff'");
    ck_usable(db);
    ck_assert_str_eq(story, "a:OK b:ERR_SERVER c:ERR_VALUE d:OK e:OK f:ERR_VALUE");
}
END_TEST

START_TEST(nothing_is_called_back_inside_the_call)
{
    tusk_query *q;

    ck_usable(db);
    q = submit_named("a", "select '\xff'");
    ck_assert_str_eq(story, "");
    tusk_query_cancel(q);
    ck_assert_str_eq(story, "");
    q = submit_named("b", "select 1");
    tusk_query_cancel(q);
    ck_assert_str_eq(story, "");
    turn(0);
    turn(0);
    ck_assert_str_eq(story, "a:ERR_VALUE b:ERR_CANCELED");
}
END_TEST

START_TEST(close_ends_the_rest_in_order_and_then_itself)
{
    tusk_query *closing;

    ck_usable(db);
    submit_named("a", "select pg_sleep(0.1)");
    submit_named("b", "select 1");
    turn(0);
    submit_named("c", "select 1");
    closing = tusk_close(db);
    submit_named("d", "select 1");
    ck_assert_str_eq(story, "");
    ck_ok(closing);
    ck_assert_str_eq(story, "a:ERR_CANCELED b:ERR_CANCELED c:ERR_CANCELED d:ERR_STATE");
    ck_assert_int_eq(tusk_conn_get_state(db), TUSK_CONN_CLOSED);
    ck_assert_int_eq(tusk_conn_error(db)->code, TUSK_OK);
    tusk_query_free(closing);
}
END_TEST

START_TEST(freeing_the_connection_ends_all_on_it)
{
    tusk_query *ready = tusk_conn_ready(db), *q = tusk_exec(db, "select 1", TUSK_NO_PARAMS);

    submit_named("a", "select 1");
    if (_i == 1)
        ck_usable(db);
    submit_named("b", "select 1");
    tusk_conn_free(db);
    db = NULL;
    ck_assert_int_eq(tusk_await(ready), _i == 1 ? TUSK_OK : TUSK_ERR_CANCELED);
    if (_i == 0) {
        ck_assert_int_eq(tusk_query_error(ready)->fate, TUSK_FATE_NOT_SENT);
        ck_assert_ptr_nonnull(strstr(tusk_query_error(ready)->where, "/tusk as drv"));
    }
    ck_assert_int_eq(tusk_await(q), _i == 1 ? TUSK_OK : TUSK_ERR_CANCELED);
    turn(0);
    ck_assert_str_eq(story, _i == 1 ? "a:OK b:ERR_CANCELED" : "a:ERR_CANCELED b:ERR_CANCELED");
    tusk_query_free(ready);
    tusk_query_free(q);
}
END_TEST

/* tusk/loop.h: requests that are still open complete during the call. */
START_TEST(freeing_the_loop_ends_all_on_it)
{
    n_done = 0;
    if (_i > 0)
        ck_usable(db);
    submit_named("a", "select 1 from pg_sleep(0.1)");
    if (_i > 1)
        turn(0);
    submit_named("b", "select 1");
    submit_named("c", "select '\xff'");
    tusk_query_cancel(submit_named("d", "select 1"));
    tusk_query_cancel(submit_named("e", "select '\xff'"));
    if (_i > 2)
        tusk_query_free(tusk_close(db));
    tusk_loop_free(loop);
    ck_assert_ptr_nonnull(strstr(story, "a:ERR_CANCELED"));
    ck_assert_ptr_nonnull(strstr(story, "b:ERR_CANCELED"));
    ck_assert_ptr_nonnull(strstr(story, _i > 0 ? "c:ERR_VALUE" : "c:ERR_CANCELED"));
    ck_assert_ptr_nonnull(strstr(story, "d:ERR_CANCELED"));
    ck_assert_ptr_nonnull(strstr(story, _i > 0 ? "e:ERR_VALUE" : "e:ERR_CANCELED"));
    for (const char *at = story; (at = strchr(at, ':')); at++)
        n_done++;
    ck_assert_int_eq(n_done, 5);
    db = NULL;
    loop = NULL;
}
END_TEST

static void take_error(tusk_query *q, void *user)
{
    tusk_error *err = user;

    *err = *tusk_query_error(q);
}

START_TEST(who_waits_for_a_connection_is_told_what_for_when_the_loop_is_freed)
{
    tusk_conn *fresh = tusk_connect(loop, harness_env("TUSK_TEST_DSN"));
    tusk_error err = {0};

    tusk_query_on_done(tusk_conn_ready(fresh), take_error, &err);
    tusk_loop_free(loop);
    ck_assert_int_eq(err.code, TUSK_ERR_CANCELED);
    ck_assert_str_eq(err.where, "waiting for the connection");
    db = NULL;
    loop = NULL;
}
END_TEST

static bool gave_up;

static void give_up(void *user)
{
    (void)user;
    gave_up = true;
}

typedef struct neighbours {
    tusk_conn *conns[2];
    tusk_stmt *stmt;
    tusk_timer *timer;
    tusk_query *q;
} neighbours;

static void end_neighbours(tusk_query *q, void *user)
{
    neighbours *n = user;

    (void)q;
    n_done++;
    tusk_timer_stop(n->timer);
    tusk_stmt_free(n->stmt);
    tusk_query_free(n->q);
    for (int i = 0; i < 2; i++) {
        tusk_query_free(tusk_close(n->conns[i]));
        tusk_conn_free(n->conns[i]);
    }
    *n = (neighbours){0};
}

/* Older or newer than the one whose end calls: all handles are there until the last callback has run. */
START_TEST(a_callback_frees_its_neighbours_while_the_loop_is_freed)
{
    neighbours n = {.conns[0] = connect_plain()};
    tusk_conn *middle = connect_plain();

    n_done = 0;
    n.conns[1] = connect_plain();
    n.stmt = tusk_prepare(n.conns[1], "select 1", NULL, 0);
    n.q = tusk_stmt_ready(n.stmt);
    ck_ok(n.q);
    ck_usable(n.conns[0]);
    n.timer = tusk_timer_start(loop, 100, give_up, NULL);
    tusk_submit(middle, &(tusk_request){.sql = "select pg_sleep(100)", .on_done = end_neighbours, .user = &n});
    turn(0);
    tusk_loop_free(loop);
    ck_assert_int_eq(n_done, 1);
    ck_assert_ptr_null(n.timer);
    db = NULL;
    loop = NULL;
}
END_TEST

static void connect_again(tusk_query *q, void *user)
{
    tusk_loop *its_loop = tusk_conn_loop(tusk_query_conn(q));
    tusk_conn *fresh = tusk_connect(its_loop, user);

    n_done++;
    ck_assert_ptr_null(fresh);
    tusk_submit(fresh, &(tusk_request){.sql = "select 1", .on_done = connect_again, .user = user});
}

START_TEST(a_loop_that_is_freed_makes_no_connections)
{
    n_done = 0;
    tusk_submit(db, &(tusk_request){.sql = "select 1", .on_done = connect_again, .user = "host=127.0.0.1 port=1"});
    tusk_loop_free(loop);
    ck_assert_int_eq(n_done, 1);
    db = NULL;
    loop = NULL;
}
END_TEST

static void try_again(tusk_query *q, void *user)
{
    n_done++;
    if (!gave_up)
        tusk_submit(tusk_query_conn(q), &(tusk_request){.sql = "select 1", .on_done = try_again, .user = user});
}

/* Who tries again at once for ever keeps only himself busy: timers and others still have their turn. */
START_TEST(retrying_on_a_dead_connection_does_not_stop_the_loop)
{
    tusk_conn *other = connect_plain();

    n_done = 0;
    gave_up = false;
    ck_usable(db);
    if (_i == 0)
        ck_assert_int_eq(tusk_await_free(tusk_close(db), NULL), TUSK_OK);
    tusk_submit(db, &(tusk_request){.sql = "select pg_sleep(100)", .on_done = try_again});
    if (_i == 1) {
        turn(0);
        tusk_query_free(tusk_close(db));
    }
    ck_assert_ptr_nonnull(tusk_timer_start(loop, 0.01, give_up, NULL));
    while (!gave_up)
        turn(TUSK_NONE);
    ck_usable(other);
    ck_assert_int_gt(n_done, 1);
    disconnect(other);
}
END_TEST

static TCase *tests_over(const char *name, void (*begin)(void))
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, begin, live_down);
    tcase_add_test(tcase, rows_are_handed_out_and_not_kept);
    tcase_add_test(tcase, paused_rows_wait_for_the_resume);
    tcase_add_test(tcase, awaiting_a_paused_query_is_refused);
    tcase_add_test(tcase, neighbour_behind_a_pause_does_not_end_it);
    tcase_add_test(tcase, awaiting_behind_a_pause_that_nobody_ends_is_refused);
    tcase_add_test(tcase, pausing_before_the_first_row_holds_nobody_else);
    tcase_add_test(tcase, pausing_needs_a_row_callback);
    tcase_add_test(tcase, paused_query_can_be_freed);
    tcase_add_test(tcase, paused_query_can_be_canceled);
    tcase_add_test(tcase, pause_survives_the_death_of_the_backend_quietly);
    tcase_add_loop_test(tcase, row_callback_may_do_anything, 0, N_OF(row_acts));
    tcase_add_loop_test(tcase, done_callback_may_do_anything, 0, N_OF(done_acts));
    tcase_add_test(tcase, callbacks_submit_the_next_query);
    tcase_add_test(tcase, kept_query_is_the_callers_after_its_callback);
    tcase_add_test(tcase, query_with_a_callback_can_be_awaited);
    tcase_add_test(tcase, freed_query_is_not_called_back);
    tcase_add_test(tcase, answers_come_in_order_of_submission);
    tcase_add_test(tcase, nothing_is_called_back_inside_the_call);
    tcase_add_test(tcase, close_ends_the_rest_in_order_and_then_itself);
    tcase_add_loop_test(tcase, freeing_the_connection_ends_all_on_it, 0, 2);
    tcase_add_loop_test(tcase, freeing_the_loop_ends_all_on_it, 0, 4);
    tcase_add_test(tcase, who_waits_for_a_connection_is_told_what_for_when_the_loop_is_freed);
    tcase_add_test(tcase, a_callback_frees_its_neighbours_while_the_loop_is_freed);
    tcase_add_test(tcase, a_loop_that_is_freed_makes_no_connections);
    tcase_add_loop_test(tcase, retrying_on_a_dead_connection_does_not_stop_the_loop, 0, 2);
    return tcase;
}

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("callback_live");

    suite_add_tcase(suite, tests_over("callback_live", up));
    suite_add_tcase(suite, tests_over("callback_live_tls", up_tls));
    return suite;
}
