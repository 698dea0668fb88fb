/* Execute-many against the real server: each form with each way to end; what is kept is asked of a second connection, and must be what
 * was told.
 * Read first: tusk/many.h, docs/internals/many.md. */
#include "test/live/live.h"

#include "test/harness/fail_alloc.h"
#include "test/harness/fail_os.h"

static fail_os world;
static char filler[100000]; /* for texts */
static tusk_conn *other;

static void up(void)
{
    tusk_error err = {0};

    live_fds = harness_open_fds();
    memset(filler, 'x', sizeof filler);
    fail_os_init(&world, OS_SEND, 0, 0, false);
    loop = tusk__loop_open_on(&world.os, &(tusk_loop_config){0}, &err);
    ck_assert_msg(loop != NULL, "%s", said(&err));
    db = connect_plain();
    other = connect_plain();
    run("drop table if exists many_test");
    run("create table many_test (n int8 primary key, m int4 unique deferrable initially deferred, t text)");
    ck_usable(other);
}

static void down(void)
{
    if (db)
        disconnect(db);
    db = NULL;
    run_on(other, "drop table many_test");
    disconnect(other);
    live_down();
}

static int64_t committed(void)
{
    return number_on(other, "select count(*) from many_test");
}

#define INSERT "insert into many_test (n, m, t) values ($1, $2, $3) returning n"

/* ---- a source of items ------------------------------------------------------------------------------------------------------ */

enum { NEVER = -1 };

/* n items; what happens at one of them. */
typedef struct source {
    int64_t n;
    int64_t twice; /* its key is that of the one before */
    int64_t unfit; /* a value that is refused here */
    int64_t fails; /* the pull gives up there */
    int64_t waits; /* it says "not yet" once */
    bool resumes;  /* … having resumed it already */
    bool has_waited;
    int64_t n_pulls, n_told, last_told, n_told_failed, rows_told;
    int64_t flight;
    size_t text;     /* bytes of each text */
    tusk_conn *conn; /* something is submitted in the first pull */
    tusk_query *neighbour;
} source;

static source source_of(int64_t n)
{
    return (source){.n = n, .twice = NEVER, .unfit = NEVER, .fails = NEVER, .waits = NEVER, .last_told = -1};
}

static tusk_code give(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    source *s = user;
    tusk_code code;

    s->n_pulls++;
    if (item == 0 && s->conn && !s->neighbour)
        s->neighbour = tusk_exec(s->conn, "select 4711", TUSK_NO_PARAMS);
    if (item == s->waits && !s->has_waited) {
        s->has_waited = true;
        if (s->resumes)
            ck_assert_int_eq(tusk_many_resume(q), TUSK_OK);
        return TUSK_AGAIN;
    }
    if (item == s->n)
        return TUSK_DONE;
    if (item == s->fails) {
        err->code = TUSK_ERR_VALUE;
        snprintf(err->message, sizeof err->message, "the file is broken");
        return TUSK_ERR_VALUE;
    }
    code = tusk_many_push(
        q, TUSK_PARAMS(tusk_int8(item == s->twice ? item - 1 : item), tusk_int4((int32_t)item),
                       item == s->unfit ? tusk_text("\xff") : tusk_text_str(tusk_str_from(filler, s->text))));
    ck_assert_int_eq(code, item == s->unfit ? TUSK_ERR_VALUE : TUSK_OK);
    return code;
}

static void told(tusk_query *q, int64_t item, int64_t rows, const tusk_error *err, void *user)
{
    source *s = user;

    ck_assert_int_eq(item, s->last_told + 1);
    s->last_told = item;
    ck_assert_int_lt(item, tusk_many_n_items(q));
    ck_assert_int_eq(tusk_many_n_answered(q), item + 1);
    s->n_told++;
    if (err) {
        s->n_told_failed++;
        ck_assert_int_eq(err->item, item);
        ck_assert_int_eq(rows, -1);
    } else {
        s->rows_told += rows;
    }
}

static tusk_query *load(source *s, tusk_many_mode mode)
{
    return tusk_many_submit(
        db, &(tusk_many_request){
                .sql = INSERT, .pull = give, .mode = mode, .on_item = told, .flight_bytes = s->flight, .user = s});
}

static void ends(tusk_query *q, tusk_code code)
{
    (void)tusk_await(q);
    ck_assert_msg(tusk_query_code(q) == code, "not %s: %s", tusk_code_name(code), said(tusk_query_error(q)));
}

/* ---- all or none ------------------------------------------------------------------------------------------------------------ */

static const int64_t sizes[] = {0, 1, 2, 511, 512, 513, 5000};

/* outside and inside a transaction × the statement prepared already or not */
START_TEST(load_keeps_all_its_items_and_yields_their_rows_in_order)
{
    source s = source_of(sizes[_i / 4]);
    bool is_inside = _i & 1, is_warm = _i & 2;
    int64_t n = 0;
    tusk_query *q;
    tusk_row row;

    if (is_warm) {
        source first = source_of(1);

        q = load(&first, TUSK_MANY_ATOMIC);
        ends(q, TUSK_OK);
        tusk_query_free(q);
        run("delete from many_test");
    }
    if (is_inside)
        run("begin");
    q = load(&s, TUSK_MANY_ATOMIC);
    ends(q, TUSK_OK);
    ck_assert_int_eq(tusk_many_n_items(q), s.n);
    ck_assert_int_eq(tusk_many_n_answered(q), s.n);
    ck_assert_int_eq(tusk_query_rows_affected(q), s.n);
    ck_assert_int_eq(s.n_told, s.n);
    ck_assert_int_eq(s.rows_told, s.n);
    ck_assert_uint_eq(tusk_query_n_rows(q), (size_t)s.n);
    while (tusk_next_row(q, &row))
        ck_assert_int_eq(tusk_get_int8(&row, 0), n++);
    ck_assert_int_eq(n, s.n);
    ck_assert_int_eq(tusk_query_value_error(q)->code, TUSK_OK);
    tusk_query_free(q);
    if (is_inside) {
        ck_assert_int_eq(committed(), 0);
        ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IN_TRANSACTION);
        run("commit");
    }
    ck_assert_int_eq(committed(), s.n);
    ck_usable(db);
}
END_TEST

typedef enum how { BY_SERVER, BY_VALUE, BY_PULL, BY_CONSTRAINT, N_HOWS } how;

static void ck_failed(const tusk_error *err, how why, int64_t at)
{
    ck_assert_msg(err->fate == TUSK_FATE_ANSWERED || (at == 0 && why != BY_SERVER), "%s", said(err));
    ck_assert_int_eq(err->column, -1);
    ck_assert_msg(err->item == (why == BY_CONSTRAINT ? -1 : at), "%s: item %d", said(err), (int)err->item);
    switch (why) {
    case BY_SERVER:
        ck_assert_str_eq(err->sqlstate, "23505");
        ck_assert_str_eq(err->where,
                         textf("item %d \"insert into many_test (n, m, t) values ($1, $2, $3) returning n\"", (int)at));
        break;
    case BY_VALUE:
        ck_assert_str_eq(err->sqlstate, "22021");
        ck_assert_str_eq(err->where, textf("item %d: bind $3 (text)", (int)at));
        ck_assert_int_eq(err->param, 3);
        break;
    case BY_PULL:
        ck_assert_str_eq(err->message, "the file is broken");
        break;
    case BY_CONSTRAINT:
    case N_HOWS:
        ck_assert_str_eq(err->sqlstate, "23505");
        break;
    }
}

static const int64_t places[] = {0, 1, 511, 512, 700, 2999};

/* outside and inside × by the server, by a value, by the pull × where */
START_TEST(load_that_fails_leaves_nothing_and_names_the_item)
{
    source s = source_of(3000);
    bool is_inside = _i & 1;
    how why = (how)(_i / 2 % 3);
    int64_t at = places[_i / 6];
    tusk_query *q;

    if (why == BY_SERVER && at == 0)
        at = 1;
    s.flight = 64 * 1024;
    *(why == BY_SERVER ? &s.twice : why == BY_VALUE ? &s.unfit : &s.fails) = at;
    if (is_inside) {
        run("begin");
        run("insert into many_test values (-1, -1, '')");
    }
    q = load(&s, TUSK_MANY_ATOMIC);
    ends(q, why == BY_SERVER ? TUSK_ERR_SERVER : TUSK_ERR_VALUE);
    ck_failed(tusk_query_error(q), why, at);
    ck_assert_uint_eq(tusk_query_n_rows(q), 0);
    if (why == BY_SERVER && at < 512)
        ck_assert_int_lt(s.n_pulls, s.n); /* it stops early */
    tusk_query_free(q);
    if (is_inside) {
        ck_assert_int_eq(number("select count(*) from many_test"), 1);
        run("commit");
    }
    ck_assert_int_eq(committed(), is_inside);
    ck_usable(db);
}
END_TEST

static tusk_query *begin_with_a_row(void)
{
    tusk_query_free(tusk_begin(db, NULL));
    return tusk_exec(db, "insert into many_test values (-1, -1, '')", TUSK_NO_PARAMS);
}

/* A commit that was submitted before anybody could look at the load does not keep what is around it; one behind it does. */
START_TEST(load_that_fails_unseen_makes_the_commit_fail)
{
    source s = source_of(3000);
    bool is_seen = _i & 1;
    how why = (how)(_i / 2 % 3);
    int64_t at = places[_i / 6];
    tusk_query *q, *commit;

    if (why == BY_SERVER && at == 0)
        at = 1;
    *(why == BY_SERVER ? &s.twice : why == BY_VALUE ? &s.unfit : &s.fails) = at;
    tusk_query_free(begin_with_a_row());
    q = load(&s, TUSK_MANY_ATOMIC);
    if (is_seen)
        ends(q, why == BY_SERVER ? TUSK_ERR_SERVER : TUSK_ERR_VALUE);
    commit = tusk_commit(db);
    ck_assert_int_eq(tusk_await(commit), is_seen ? TUSK_OK : TUSK_ERR_ROLLED_BACK);
    if (!is_seen) {
        ck_assert_str_eq(tusk_query_error(commit)->message, "the transaction was rolled back: a load in it was undone");
        ck_assert_str_eq(tusk_query_error(commit)->detail, tusk_query_error(q)->message);
        ck_assert_ptr_nonnull(strstr(tusk_query_error(commit)->where, "commit \"commit\""));
    }
    tusk_query_free(commit);
    tusk_query_free(q);
    ck_assert_int_eq(committed(), is_seen);
    ck_usable(db);
}
END_TEST

/* let go at once · let go in the middle · canceled with the commit behind it · … and an inner transaction around it */
START_TEST(load_that_is_let_go_makes_the_commit_fail)
{
    source s = source_of(3000);
    bool is_inner = _i == 3;
    tusk_query *q, *commit;

    s.waits = 1000;
    tusk_query_free(begin_with_a_row());
    if (is_inner)
        tusk_query_free(tusk_begin(db, NULL));
    q = load(&s, TUSK_MANY_ATOMIC);
    if (_i == 0)
        tusk_query_free(q);
    if (is_inner)
        tusk_query_free(tusk_commit(db));
    commit = tusk_commit(db);
    while (_i != 0 && !s.has_waited)
        turn(1);
    if (_i == 1)
        tusk_query_free(q);
    if (_i >= 2) {
        tusk_query_cancel(q);
        ends(q, TUSK_ERR_CANCELED);
        tusk_query_free(q);
    }
    ck_assert_int_eq(tusk_await(commit), TUSK_ERR_ROLLED_BACK);
    ck_assert_str_eq(tusk_query_error(commit)->detail, "a load was given up before its end");
    tusk_query_free(commit);
    ck_assert_int_eq(committed(), 0);
    ck_usable(db);
}
END_TEST

START_TEST(deferred_constraint_undoes_the_load_and_has_no_item)
{
    source s = source_of(100);
    tusk_query *q;
    tusk_error err;

    run("insert into many_test values (-1, 50, '')");
    q = load(&s, TUSK_MANY_ATOMIC);
    ends(q, TUSK_ERR_SERVER);
    ck_failed(tusk_query_error(q), BY_CONSTRAINT, -1);
    tusk_query_free(q);
    ck_assert_int_eq(committed(), 1);
    (void)err;
    ck_usable(db);
}
END_TEST

/* The server's error is of an earlier item than what the pull runs into meanwhile. */
START_TEST(error_of_the_server_wins_over_a_later_one_of_the_pull)
{
    source s = source_of(400);
    tusk_query *q;

    s.twice = 3;
    s.fails = 399;
    q = load(&s, TUSK_MANY_ATOMIC);
    ends(q, TUSK_ERR_SERVER);
    ck_failed(tusk_query_error(q), BY_SERVER, 3);
    tusk_query_free(q);
    ck_assert_int_eq(committed(), 0);
}
END_TEST

/* ---- each by itself --------------------------------------------------------------------------------------------------------- */

START_TEST(each_item_by_itself_keeps_what_did_not_fail)
{
    source s = source_of(700);
    bool is_inside = _i & 1, has_results = _i & 2;
    int n = 0;
    tusk_query *q;

    s.twice = 600;
    if (is_inside)
        run("begin");
    q = tusk_many_submit(db, &(tusk_many_request){.sql = INSERT,
                                                  .pull = give,
                                                  .mode = TUSK_MANY_EACH,
                                                  .item_results = has_results,
                                                  .on_item = told,
                                                  .user = &s});
    ends(q, TUSK_OK);
    ck_assert_int_eq(tusk_many_n_failed(q), 1);
    ck_assert_int_eq(s.n_told, 700);
    ck_assert_int_eq(s.n_told_failed, 1);
    if (!has_results)
        ck_assert_uint_eq(tusk_query_n_rows(q), 699);
    do {
        const tusk_error *err = tusk_query_result_error(q);

        ck_assert_int_eq(tusk_query_result_operation(q), has_results ? n : -1);
        ck_assert(tusk_str_is(tusk_query_result_sql(q), INSERT));
        if (!has_results)
            break;
        ck_assert_str_eq(err->sqlstate, n == 600 ? "23505" : "");
        ck_assert_uint_eq(tusk_query_n_rows(q), n != 600);
        ck_assert_int_eq(tusk_query_n_cols(q), 1);
        n++;
    } while (tusk_next_result(q));
    ck_assert_int_eq(n, has_results ? 700 : 0);
    tusk_query_free(q);
    if (is_inside)
        run("commit");
    ck_assert_int_eq(committed(), 699);
    ck_usable(db);
}
END_TEST

/* What stands in front of the failure is kept; a pull that fails ends the load, a statement that cannot be parsed too. */
START_TEST(each_item_by_itself_ends_with_a_pull_that_fails)
{
    source s = source_of(700);
    bool is_inside = _i & 1;
    tusk_query *q;

    s.fails = 650;
    if (is_inside)
        run("begin");
    q = load(&s, TUSK_MANY_EACH);
    ends(q, TUSK_ERR_VALUE);
    ck_assert_int_eq(tusk_query_error(q)->item, 650);
    ck_assert_int_eq(s.n_told, 650);
    tusk_query_free(q);
    if (is_inside)
        run("commit");
    ck_assert_int_eq(committed(), 650);
    ck_usable(db);
}
END_TEST

START_TEST(statement_that_cannot_be_parsed_is_told_once)
{
    source s = source_of(700);
    bool is_inside = _i & 1;
    tusk_many_mode mode = _i & 2 ? TUSK_MANY_EACH : TUSK_MANY_ATOMIC;
    tusk_query *q;

    if (is_inside)
        run("begin");
    q = tusk_many_submit(
        db,
        &(tusk_many_request){
            .sql = "insert into nowhere values ($1, $2, $3)", .pull = give, .mode = mode, .on_item = told, .user = &s});
    ends(q, TUSK_ERR_SERVER);
    ck_assert_str_eq(tusk_query_error(q)->sqlstate, "42P01");
    ck_assert_int_eq(tusk_query_error(q)->item, -1);
    ck_assert_int_eq(s.n_told, 0);
    tusk_query_free(q);
    if (is_inside)
        run("commit");
    ck_usable(db);
}
END_TEST

/* ---- a statement without a name, and one that is lost ------------------------------------------------------------------------ */

static void reconnect_uncached(void)
{
    disconnect(db);
    db = tusk_conn_open(loop,
                        &(tusk_config){.dsn = harness_env("TUSK_TEST_DSN_PLAIN"), .statement_cache_size = TUSK_NONE});
    ck_assert_ptr_nonnull(db);
}

/* The savepoints between the items are parsed without a name, too. */
START_TEST(statement_that_is_not_kept_runs_once_for_each_item)
{
    source s = source_of(700);
    bool is_inside = _i & 1;
    tusk_query *q;

    reconnect_uncached();
    if (is_inside)
        run("begin");
    s.twice = 600;
    q = load(&s, _i & 2 ? TUSK_MANY_ATOMIC : TUSK_MANY_EACH);
    ends(q, _i & 2 ? TUSK_ERR_SERVER : TUSK_OK);
    if (!(_i & 2)) {
        ck_assert_int_eq(tusk_many_n_failed(q), 1);
        ck_assert_int_eq(tusk_query_rows_affected(q), 699);
        ck_assert_uint_eq(tusk_query_n_rows(q), 699);
    }
    tusk_query_free(q);
    if (is_inside)
        run("commit");
    ck_assert_int_eq(committed(), _i & 2 ? 0 : 699);
    ck_usable(db);
}
END_TEST

enum { N_LOST = 3000, LOST_AT = 100 };

/* Which items were told as failed: from, to; and each of them as one that may be repeated. */
typedef struct lost {
    source s;
    int64_t first, last, n;
} lost;

static tusk_code give_lost(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    return give(q, item, err, &((lost *)user)->s);
}

static void told_lost(tusk_query *q, int64_t item, int64_t rows, const tusk_error *err, void *user)
{
    lost *l = user;

    told(q, item, rows, err, &l->s);
    if (!err)
        return;
    ck_assert_msg(strcmp(err->sqlstate, "26000") == 0, "%s", said(err));
    ck_assert_int_eq(err->retry, TUSK_RETRY_REQUEST);
    ck_assert_int_eq(err->fate, TUSK_FATE_ANSWERED);
    if (l->n++ == 0)
        l->first = item;
    l->last = item;
}

/* A trigger of one item's lets go of all statements: those that were on the wire fail, and may be repeated; from then on all is well. */
START_TEST(statement_that_is_lost_is_prepared_again_by_the_next_item)
{
    lost l = {.s = source_of(N_LOST)};
    bool is_inside = _i & 1, has_handle = _i & 2, is_again = _i & 4;
    tusk_stmt *stmt = has_handle ? tusk_prepare(db, INSERT, NULL, 0) : NULL;
    tusk_query *q;

    run(textf("create function many_lose() returns trigger language plpgsql as "
              "'begin if new.n in (%d, %d) then deallocate all; end if; return new; end'",
              LOST_AT, is_again ? 2 * LOST_AT : LOST_AT));
    run("create trigger many_lose before insert on many_test for each row execute function many_lose()");
    if (is_inside)
        run("begin");
    q = tusk_many_submit(db, &(tusk_many_request){.sql = has_handle ? NULL : INSERT,
                                                  .stmt = stmt,
                                                  .pull = give_lost,
                                                  .mode = TUSK_MANY_EACH,
                                                  .item_results = _i & 8,
                                                  .on_item = told_lost,
                                                  .flight_bytes = 4096,
                                                  .user = &l});
    ends(q, TUSK_OK);
    ck_assert_int_eq(l.s.n_told, N_LOST);
    ck_assert_int_eq(l.first, LOST_AT + 1);
    ck_assert_int_gt(l.n, 0);
    ck_assert_int_lt(l.n, 400);
    ck_assert_int_eq(tusk_many_n_failed(q), l.n);
    ck_assert_int_eq(l.s.rows_told, N_LOST - l.n);
    tusk_query_free(q);
    ck_usable(db);
    if (has_handle) { /* it can be used as before */
        run("delete from many_test where n = 5");
        q = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int8(5), tusk_int4(5), tusk_null()));
        ends(q, TUSK_OK);
        tusk_query_free(q);
        tusk_stmt_free(stmt);
    }
    if (is_inside)
        run("commit");
    ck_assert_int_eq(committed(), N_LOST - l.n);
    run("drop function many_lose() cascade");
}
END_TEST

/* Rows of other columns cannot follow those that were: the rest is the caller's to repeat, and the repetition sees them. */
START_TEST(columns_that_change_between_items_end_the_load)
{
    static const char sql[] = "insert into many_test (n, m, t) values ($1, $2, $3) returning *";
    source s = source_of(3000);
    const tusk_error *err;
    tusk_query *q;

    s.waits = LOST_AT;
    q = tusk_many_submit(
        db, &(tusk_many_request){
                .sql = sql, .pull = give, .mode = TUSK_MANY_EACH, .on_item = told, .flight_bytes = 4096, .user = &s});
    while (!s.has_waited || tusk_many_n_answered(q) < LOST_AT)
        turn(TUSK_NONE);
    run_on(other, "alter table many_test add column f float4");
    ck_assert_int_eq(tusk_many_resume(q), TUSK_OK);
    ends(q, TUSK_ERR_SERVER);
    err = tusk_query_error(q);
    ck_assert_str_eq(err->sqlstate, "0A000");
    ck_assert_int_eq(err->item, LOST_AT);
    ck_assert_int_eq(err->retry, TUSK_RETRY_REQUEST);
    ck_assert_int_lt(tusk_many_n_items(q), 3000);
    ck_assert_int_eq(s.n_told_failed, tusk_many_n_items(q) - LOST_AT);
    tusk_query_free(q);
    ck_assert_int_eq(committed(), LOST_AT);
    q = tusk_exec(db, sql, TUSK_PARAMS(tusk_int8(LOST_AT), tusk_int4(LOST_AT), tusk_text("")));
    ends(q, TUSK_OK);
    ck_assert_int_eq(tusk_query_n_cols(q), 4);
    tusk_query_free(q);
}
END_TEST

/* ---- not yet ---------------------------------------------------------------------------------------------------------------- */

static void resume_later(tusk_loop *l, void *user)
{
    (void)l;
    ck_assert_int_eq(tusk_many_resume(user), TUSK_OK);
}

START_TEST(pull_that_says_not_yet_is_asked_again_when_it_is_resumed)
{
    static const int64_t waits[] = {0, 1, 400, 512, 600};
    source s = source_of(600);
    tusk_query *q;
    tusk_error err = {0};

    s.waits = waits[_i / 2];
    s.resumes = _i & 1;
    q = load(&s, TUSK_MANY_ATOMIC);
    if (!s.resumes) {
        ck_assert_int_eq(tusk_await_free(tusk_conn_ready(db), NULL), TUSK_OK);
        while (tusk_many_n_answered(q) < s.waits || !s.has_waited)
            turn(TUSK_NONE); /* what was given before is answered meanwhile */
        ck_assert(!tusk_query_is_done(q));
        disconnect(other); /* its socket could bring something */
        other = NULL;
        ck_assert_int_eq(tusk_await(q), TUSK_ERR_STATE); /* nobody is left who could */
        ck_assert(!tusk_query_is_done(q));
        other = connect_plain();
        ck_assert_int_eq(tusk_many_resume(q), TUSK_OK);
    }
    ends(q, TUSK_OK);
    ck_assert_int_eq(tusk_many_resume(q), TUSK_ERR_STATE);
    tusk_query_free(q);
    ck_assert_int_eq(committed(), 600);
    (void)err;
    (void)resume_later;
}
END_TEST

/* The deadline ends a load whose pull never answers, in whatever state it is. */
START_TEST(deadline_ends_a_load_that_waits_for_its_pull)
{
    static const int64_t waits[] = {0, 1, 400, 600};
    source s = source_of(600);
    bool is_inside = _i & 1, is_canceled = _i & 2;
    tusk_many_request request = {.sql = INSERT, .pull = give, .user = &s, .timeout = is_canceled ? 0 : 0.02};
    tusk_query *q, *behind;

    s.waits = waits[_i / 4];
    if (is_inside)
        run("begin");
    q = tusk_many_submit(db, &request);
    behind = tusk_exec(db, "select 4711", TUSK_NO_PARAMS);
    if (is_canceled) {
        while (!s.has_waited)
            turn(TUSK_NONE);
        tusk_query_cancel(q);
    }
    ends(q, is_canceled ? TUSK_ERR_CANCELED : TUSK_ERR_TIMEOUT);
    ends(behind, TUSK_OK);
    tusk_query_free(q);
    tusk_query_free(behind);
    if (is_inside)
        run("commit");
    ck_assert_int_eq(committed(), 0);
    ck_usable(db);
}
END_TEST

/* ---- flow ------------------------------------------------------------------------------------------------------------------- */

/* 100 MB there and as much back: nobody waits for the other one. */
START_TEST(much_both_ways_does_not_block)
{
    source s = source_of(1000);
    tusk_query *q;

    s.text = sizeof filler;
    q = tusk_many_submit(
        db,
        &(tusk_many_request){.sql = "insert into many_test values ($1, $2, $3) returning t", .pull = give, .user = &s});
    ends(q, TUSK_OK);
    ck_assert_uint_eq(tusk_query_n_rows(q), 1000);
    tusk_query_free(q);
    ck_assert_int_eq(committed(), 1000);
}
END_TEST

/* No more than is allowed for is given ahead of the answers. */
static int64_t ahead_max;

static tusk_code give_watched(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    int64_t ahead = item - tusk_many_n_answered(q);

    if (ahead > ahead_max)
        ahead_max = ahead;
    return give(q, item, err, user);
}

START_TEST(pull_is_asked_no_further_ahead_than_a_flight)
{
    source s = source_of(20000);
    tusk_query *q;

    ahead_max = 0;
    s.text = 1000;
    q = tusk_many_submit(
        db, &(tusk_many_request){.sql = INSERT, .pull = give_watched, .user = &s, .flight_bytes = 64 * 1024});
    ends(q, TUSK_OK);
    tusk_query_free(q);
    ck_assert_int_gt(ahead_max, 10);
    ck_assert_int_lt(ahead_max, 64 * 1024 / 1000 + 4);
}
END_TEST

START_TEST(small_load_is_one_write_also_the_first_time)
{
    source s = source_of(10);
    bool is_inside = _i & 1;
    long before;
    tusk_query *q;

    if (is_inside)
        run("begin");
    ck_usable(db);
    before = world.n[OS_SEND];
    q = load(&s, TUSK_MANY_ATOMIC);
    ends(q, TUSK_OK);
    ck_assert_int_eq(world.n[OS_SEND] - before, 1);
    tusk_query_free(q);
    if (is_inside)
        run("commit");
    ck_assert_int_eq(committed(), 10);
}
END_TEST

/* ---- what pull may do ------------------------------------------------------------------------------------------------------- */

START_TEST(what_a_pull_submits_waits_for_the_load)
{
    source s = source_of(1000);
    tusk_query *q;

    s.conn = db;
    q = load(&s, TUSK_MANY_ATOMIC);
    ck_assert_int_eq(tusk_await(q), TUSK_OK);
    ck_assert(!tusk_query_is_done(s.neighbour));
    ends(s.neighbour, TUSK_OK);
    tusk_query_free(s.neighbour);
    tusk_query_free(q);
    ck_assert_int_eq(committed(), 1000);
}
END_TEST

/* More stands in front of it than is sent at once: it is pulled when that has left. */
START_TEST(load_behind_much_that_is_not_sent_yet_is_pulled)
{
    source s = source_of(10);
    tusk_query *q;

    for (int i = 0; i < 60; i++)
        tusk_query_free(
            tusk_exec(db, "select length($1)", TUSK_PARAMS(tusk_text_str(tusk_str_from(filler, sizeof filler)))));
    q = load(&s, _i ? TUSK_MANY_EACH : TUSK_MANY_ATOMIC);
    ends(q, TUSK_OK);
    tusk_query_free(q);
    ck_assert_int_eq(committed(), 10);
}
END_TEST

typedef enum deed { FREES, CANCELS, CLOSES, FREES_CONN, N_DEEDS } deed;

typedef struct doer {
    source s;
    deed what;
    int64_t at;
    tusk_query *closing;
} doer;

static tusk_code give_and_do(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    doer *d = user;

    if (item == d->at) {
        switch (d->what) {
        case FREES:
            tusk_query_free(q);
            break;
        case CANCELS:
            tusk_query_cancel(q);
            break;
        case CLOSES:
            d->closing = tusk_close(db);
            break;
        case FREES_CONN:
        case N_DEEDS:
            tusk_conn_free(db);
            break;
        }
        ck_assert_int_eq(tusk_many_push(q, TUSK_NO_PARAMS), TUSK_ERR_CANCELED);
        return TUSK_AGAIN;
    }
    return give(q, item, err, &d->s);
}

static int n_ended;
static tusk_code ended_as;

static void on_end(tusk_query *q, void *user)
{
    (void)user;
    n_ended++;
    ended_as = tusk_query_code(q);
}

START_TEST(pull_may_free_cancel_and_close)
{
    static const int64_t at[] = {0, 1, 512, 700};
    doer d = {.s = source_of(3000), .what = (deed)(_i / 2 % N_DEEDS), .at = at[_i / 2 / N_DEEDS]};
    bool is_inside = _i & 1;
    tusk_query *q;

    n_ended = 0;
    if (is_inside)
        run("begin");
    q = tusk_many_submit(db, &(tusk_many_request){.sql = INSERT, .pull = give_and_do, .user = &d, .on_done = on_end});
    ck_assert_ptr_nonnull(q);
    if (d.what == FREES || d.what == CANCELS) {
        ck_usable(db);
        if (is_inside)
            run("commit");
    } else {
        while (n_ended == 0)
            turn(TUSK_NONE);
        if (d.closing) {
            ck_assert_int_eq(tusk_await_free(d.closing, NULL), TUSK_OK);
            tusk_conn_free(db);
        }
        db = NULL;
    }
    ck_assert_int_eq(n_ended, d.what != FREES);
    if (d.what != FREES)
        ck_assert_int_eq(ended_as, TUSK_ERR_CANCELED);
    ck_assert_int_eq(committed(), 0);
}
END_TEST

static void see_user(tusk_query *q, void *user)
{
    (void)q;
    *(int *)user = 1;
}

START_TEST(callback_that_is_given_later_has_a_user_of_its_own)
{
    source s = source_of(10);
    int has_ended = 0;

    tusk_query_on_done(load(&s, TUSK_MANY_ATOMIC), see_user, &has_ended);
    while (!has_ended)
        turn(TUSK_NONE);
    ck_assert_int_eq(s.n_told, 10);
    ck_assert_int_eq(committed(), 10);
}
END_TEST

/* A value that was refused: others may be given in its place. */
static tusk_code give_better(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    (void)err;
    (void)user;
    if (item == 10)
        return TUSK_DONE;
    ck_assert_int_eq(tusk_many_push(q, TUSK_PARAMS(tusk_int8(item), tusk_int4(0), tusk_text("\xff"))), TUSK_ERR_VALUE);
    ck_assert_int_eq(tusk_many_push(q, TUSK_PARAMS(tusk_int8(item), tusk_int4((int32_t)item), tusk_text("good"))),
                     TUSK_OK);
    return TUSK_OK;
}

START_TEST(pull_may_give_other_values_for_those_that_were_refused)
{
    tusk_query *q = tusk_exec_many(db, INSERT, give_better, NULL);

    ends(q, TUSK_OK);
    tusk_query_free(q);
    ck_assert_int_eq(committed(), 10);
}
END_TEST

/* ---- values ----------------------------------------------------------------------------------------------------------------- */

typedef struct values {
    const tusk_params *items;
    int n;
} values;

static tusk_code give_values(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    const values *v = user;

    (void)err;
    return item == v->n ? TUSK_DONE : tusk_many_push(q, v->items[item]);
}

/* NULL of no type first, then a number: its type is the server's to say, and the number waits for that. */
START_TEST(values_take_the_types_of_the_first_item_or_of_the_statement)
{
    const tusk_params items[] = {
        TUSK_PARAMS(tusk_int4(1), tusk_null(), tusk_null()),
        TUSK_PARAMS(tusk_int4(2), tusk_int8(7), tusk_text("b")),
        TUSK_PARAMS(tusk_int8(3), tusk_unknown("8"), tusk_unknown("c")),
        TUSK_PARAMS(tusk_unknown("4"), tusk_int2(9), tusk_null()),
    };
    values v = {items, N_OF(items)};
    tusk_query *q = tusk_exec_many(db, INSERT, give_values, &v);

    ends(q, TUSK_OK);
    tusk_query_free(q);
    ck_assert_int_eq(number("select sum(n * 100 + coalesce(m, 0))::int8 from many_test"), 1000 + 24);
}
END_TEST

START_TEST(values_that_do_not_fit_are_told_with_item_and_number)
{
    static const char *const sqlstates[] = {"08P01", "22003", "42804"};
    const tusk_params wrong[] = {TUSK_PARAMS(tusk_int4(2)),
                                 TUSK_PARAMS(tusk_int8(INT64_MAX), tusk_int4(1), tusk_null()),
                                 TUSK_PARAMS(tusk_bool(true), tusk_int4(1), tusk_null())};
    const tusk_params items[] = {TUSK_PARAMS(tusk_int4(1), tusk_int4(0), tusk_null()), wrong[_i]};
    values v = {items, N_OF(items)};
    tusk_query *q = tusk_exec_many(db, INSERT, give_values, &v);

    (void)tusk_await(q);
    ck_assert_int_eq(tusk_query_error(q)->item, 1);
    ck_assert_msg(strcmp(tusk_query_error(q)->sqlstate, sqlstates[_i]) == 0, "%s", said(tusk_query_error(q)));
    if (_i > 0) {
        ck_assert_int_eq(tusk_query_error(q)->param, 1);
        ck_assert_str_eq(tusk_query_error(q)->hint, "$1 has the type of the first item's value: int4");
    }
    tusk_query_free(q);
    ck_assert_int_eq(committed(), 0);
    ck_usable(db);
}
END_TEST

/* ---- a statement of the caller's, text, rows handed out --------------------------------------------------------------------- */

START_TEST(prepared_statement_can_be_loaded)
{
    source s = source_of(600);
    tusk_stmt *stmt = tusk_prepare(db, INSERT, NULL, 0);
    tusk_query *q = tusk_many_submit(
        db, &(tusk_many_request){.stmt = stmt, .pull = give, .text_results = _i & 1, .on_item = told, .user = &s});
    tusk_row row;

    ends(q, TUSK_OK);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_int_eq(tusk_query_column(q, 0)->format, !(_i & 1));
    ck_assert_int_eq(tusk_get_int8(&row, 0), 0);
    tusk_query_free(q);
    tusk_stmt_free(stmt);
    ck_assert_int_eq(committed(), 600);
}
END_TEST

static int64_t n_rows_seen;

static void see_row(tusk_query *q, const tusk_row *row, void *user)
{
    (void)user;
    ck_assert_int_eq(tusk_get_int8(row, 0), n_rows_seen++);
    if (n_rows_seen == 300)
        ck_assert_int_eq(tusk_query_pause(q), TUSK_OK);
}

START_TEST(rows_can_be_handed_out_and_paused)
{
    source s = source_of(3000);
    tusk_query *q;

    n_rows_seen = 0;
    q = tusk_many_submit(db, &(tusk_many_request){.sql = INSERT, .pull = give, .on_row = see_row, .user = &s});
    while (n_rows_seen < 300)
        turn(TUSK_NONE);
    for (int i = 0; i < 20; i++)
        turn(0);
    ck_assert_int_eq(n_rows_seen, 300);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_STATE);
    ck_assert_int_eq(tusk_query_resume(q), TUSK_OK);
    ends(q, TUSK_OK);
    ck_assert_int_eq(n_rows_seen, 3000);
    tusk_query_free(q);
    ck_assert_int_eq(committed(), 3000);
}
END_TEST

START_TEST(rows_beyond_their_bound_fail_the_load)
{
    source s = source_of(3000);
    tusk_query *q = tusk_many_submit(db, &(tusk_many_request){.sql = INSERT,
                                                              .pull = give,
                                                              .flight_bytes = 64 * 1024,
                                                              .max_result_bytes = 1000,
                                                              .item_results = _i & 1,
                                                              .user = &s});

    ends(q, TUSK_ERR_LIMIT);
    ck_assert_int_lt(tusk_many_n_items(q), 3000);
    tusk_query_free(q);
    ck_assert_int_eq(committed(), 0);
    ck_usable(db);
}
END_TEST

static const struct {
    tusk_code code;
    const char *message;
} odd_codes[] = {
    {(tusk_code)-1, "pull gave -1 for its code, which is that of no error"},
    {(tusk_code)4711, "pull gave 4711 for its code, which is that of no error"},
    {TUSK_OK, "pull has returned TUSK_OK and pushed nothing"},
};

static tusk_code pull_oddly(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    if (item == 0)
        return tusk_many_push(q, TUSK_PARAMS(tusk_int4(1)));
    memset(err->sqlstate, '0', 5);
    return *(const tusk_code *)user;
}

START_TEST(pull_whose_code_is_none_of_an_error_is_a_mistake)
{
    tusk_code code = odd_codes[_i].code;
    tusk_query *q = tusk_exec_many(db, "select $1::int4", pull_oddly, &code);

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_USAGE);
    ck_error(tusk_query_error(q), TUSK_ERR_USAGE, "42601", odd_codes[_i].message);
    ck_assert_int_eq(tusk_query_error(q)->item, 1);
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

START_TEST(what_cannot_be_loaded_is_refused)
{
    static const struct {
        const char *sql;
        tusk_many_mode mode;
        bool no_pull;
    } refused[] = {{"", TUSK_MANY_ATOMIC, false},           {"copy many_test from stdin", TUSK_MANY_EACH, false},
                   {"begin", TUSK_MANY_EACH, false},        {"vacuum", TUSK_MANY_ATOMIC, false},
                   {"call p($1)", TUSK_MANY_ATOMIC, false}, {INSERT, (tusk_many_mode)7, false},
                   {INSERT, TUSK_MANY_ATOMIC, true},        {NULL, TUSK_MANY_ATOMIC, false}};
    source s = source_of(1);
    tusk_query *q = tusk_many_submit(db, &(tusk_many_request){.sql = refused[_i].sql,
                                                              .mode = refused[_i].mode,
                                                              .pull = refused[_i].no_pull ? NULL : give,
                                                              .user = &s});

    ends(q, TUSK_ERR_USAGE);
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    ck_assert_int_eq(s.n_pulls, 0);
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

/* ---- what it costs ---------------------------------------------------------------------------------------------------------- */

START_TEST(item_costs_no_heap_call)
{
    source s = source_of(20000);
    fail_alloc counting;
    tusk_error err = {0};
    tusk_loop *counted;
    tusk_conn *conn;
    tusk_query *q;
    long at_2000 = 0;

    fail_alloc_init(&counting, 0, false);
    counted = tusk_loop_open(&(tusk_loop_config){.allocator = &counting.allocator}, &err);
    ck_assert_ptr_nonnull(counted);
    conn = tusk_connect(counted, harness_env("TUSK_TEST_DSN_PLAIN"));
    q = tusk_many_submit(
        conn, &(tusk_many_request){
                  .sql = "insert into many_test values ($1, $2, $3)", .pull = give, .on_item = told, .user = &s});
    while (!tusk_query_is_done(q)) {
        ck_assert_int_eq(tusk_loop_turn(counted, TUSK_NONE, NULL), TUSK_OK);
        if (at_2000 == 0 && tusk_many_n_answered(q) > 8000)
            at_2000 = atomic_load(&counting.n);
    }
    ck_assert_int_eq(tusk_query_code(q), TUSK_OK);
    ck_assert_int_gt(at_2000, 0);
    ck_assert_int_eq(atomic_load(&counting.n), at_2000);
    tusk_query_free(q);
    ck_assert_int_eq(tusk_await_free(tusk_close(conn), NULL), TUSK_OK);
    tusk_conn_free(conn);
    tusk_loop_free(counted);
    ck_assert_int_eq(atomic_load(&counting.live), 0);
}
END_TEST

/* ---- our own ROLLBACK ------------------------------------------------------------------------------------------------------- */

static int n_notices;

static void on_notice(tusk_conn *conn, const tusk_notice *notice, void *user)
{
    (void)conn;
    (void)notice;
    (void)user;
    n_notices++;
}

START_TEST(warning_of_our_own_rollback_is_not_handed_on)
{
    source s = source_of(10);
    tusk_conn *conn =
        tusk_conn_open(loop, &(tusk_config){.dsn = harness_env("TUSK_TEST_DSN_PLAIN"), .on_notice = on_notice});
    tusk_query *q;

    n_notices = 0;
    s.fails = 5;
    run_on(conn, "set client_min_messages to notice");
    q = tusk_exec_many(conn, INSERT, give, &s);
    ends(q, TUSK_ERR_VALUE);
    tusk_query_free(q);
    ck_assert_int_eq(n_notices, 0);
    run_on(conn, "rollback");
    ck_assert_int_eq(n_notices, 1);
    disconnect(conn);
    ck_assert_int_eq(committed(), 0);
}
END_TEST

/* ---- the server is gone ----------------------------------------------------------------------------------------------------- */

/* The backend is killed while the pull waits, outside and inside a transaction: nothing was kept, and outside that is told as certain. */
START_TEST(load_whose_backend_dies_is_told_as_undone)
{
    static const int64_t waits[] = {1, 300, 600};
    source s = source_of(600);
    bool is_inside = _i & 1;
    const tusk_error *err;
    tusk_query *q;

    s.waits = waits[_i / 2];
    if (is_inside)
        run("begin");
    q = load(&s, TUSK_MANY_ATOMIC);
    while (!s.has_waited || tusk_many_n_answered(q) < s.waits)
        turn(TUSK_NONE);
    run_on(other, textf("select pg_terminate_backend(%u)", (unsigned)tusk_conn_backend_pid(db)));
    while (!tusk_query_is_done(q))
        turn(TUSK_NONE);
    err = tusk_query_error(q);
    ck_assert_msg(err->code == TUSK_ERR_LOST, "%s", said(err));
    ck_assert_int_eq(err->fate, is_inside ? TUSK_FATE_UNKNOWN : TUSK_FATE_ANSWERED);
    ck_assert_int_eq(err->retry, is_inside ? TUSK_RETRY_UNKNOWN : TUSK_RETRY_REQUEST);
    ck_assert_uint_eq(tusk_query_n_rows(q), 0);
    tusk_query_free(q);
    tusk_conn_free(db);
    db = NULL;
    ck_assert_int_eq(committed(), 0);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("many_live");
    TCase *tc = tcase_create("many");

    tcase_add_checked_fixture(tc, up, down);
    tcase_set_timeout(tc, 30);
    tcase_add_loop_test(tc, load_keeps_all_its_items_and_yields_their_rows_in_order, 0, 4 * N_OF(sizes));
    tcase_add_loop_test(tc, load_that_fails_unseen_makes_the_commit_fail, 0, 36);
    tcase_add_loop_test(tc, load_that_is_let_go_makes_the_commit_fail, 0, 4);
    tcase_add_loop_test(tc, load_that_fails_leaves_nothing_and_names_the_item, 0, 6 * N_OF(places));
    tcase_add_test(tc, deferred_constraint_undoes_the_load_and_has_no_item);
    tcase_add_test(tc, error_of_the_server_wins_over_a_later_one_of_the_pull);
    tcase_add_loop_test(tc, each_item_by_itself_keeps_what_did_not_fail, 0, 4);
    tcase_add_loop_test(tc, each_item_by_itself_ends_with_a_pull_that_fails, 0, 2);
    tcase_add_loop_test(tc, statement_that_cannot_be_parsed_is_told_once, 0, 4);
    tcase_add_loop_test(tc, statement_that_is_not_kept_runs_once_for_each_item, 0, 4);
    tcase_add_loop_test(tc, statement_that_is_lost_is_prepared_again_by_the_next_item, 0, 16);
    tcase_add_test(tc, columns_that_change_between_items_end_the_load);
    tcase_add_loop_test(tc, pull_that_says_not_yet_is_asked_again_when_it_is_resumed, 0, 10);
    tcase_add_loop_test(tc, deadline_ends_a_load_that_waits_for_its_pull, 0, 16);
    tcase_add_test(tc, much_both_ways_does_not_block);
    tcase_add_test(tc, pull_is_asked_no_further_ahead_than_a_flight);
    tcase_add_loop_test(tc, small_load_is_one_write_also_the_first_time, 0, 2);
    tcase_add_test(tc, what_a_pull_submits_waits_for_the_load);
    tcase_add_loop_test(tc, load_behind_much_that_is_not_sent_yet_is_pulled, 0, 2);
    tcase_add_loop_test(tc, pull_may_free_cancel_and_close, 0, 2 * N_DEEDS * 4);
    tcase_add_test(tc, callback_that_is_given_later_has_a_user_of_its_own);
    tcase_add_test(tc, pull_may_give_other_values_for_those_that_were_refused);
    tcase_add_test(tc, values_take_the_types_of_the_first_item_or_of_the_statement);
    tcase_add_loop_test(tc, values_that_do_not_fit_are_told_with_item_and_number, 0, 3);
    tcase_add_loop_test(tc, prepared_statement_can_be_loaded, 0, 2);
    tcase_add_test(tc, rows_can_be_handed_out_and_paused);
    tcase_add_loop_test(tc, rows_beyond_their_bound_fail_the_load, 0, 2);
    tcase_add_loop_test(tc, pull_whose_code_is_none_of_an_error_is_a_mistake, 0, N_OF(odd_codes));
    tcase_add_loop_test(tc, what_cannot_be_loaded_is_refused, 0, 8);
    tcase_add_test(tc, item_costs_no_heap_call);
    tcase_add_test(tc, warning_of_our_own_rollback_is_not_handed_on);
    tcase_add_loop_test(tc, load_whose_backend_dies_is_told_as_undone, 0, 6);
    suite_add_tcase(suite, tc);
    return suite;
}
