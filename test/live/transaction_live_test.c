/* Transactions against the real server: one round trip, what a failure anywhere in them means, nesting, and that nothing of a
 * transaction that never began slips into autocommit.
 * Read first: tusk/transaction.h, docs/internals/units.md. */
#include "test/live/live.h"

#include "test/harness/fail_alloc.h"
#include "test/harness/fail_os.h"

static fail_os world;
static fail_alloc heap;
static tusk_conn *other; /* sees what is committed */

static void counted_up(void)
{
    tusk_error err = {0};

    live_fds = harness_open_fds();
    fail_os_init(&world, OS_SEND, 0, 0, false);
    fail_alloc_init(&heap, 0, false);
    loop = tusk__loop_open_on(&world.os, &(tusk_loop_config){.allocator = &heap.allocator}, &err);
    ck_assert_msg(loop != NULL, "%s", said(&err));
    db = connect_plain();
    other = connect_plain();
    run("drop table if exists transaction_test");
    run("create table transaction_test (n int4 primary key, "
        "unique (n) deferrable initially deferred)");
    ck_usable(other);
}

static void counted_down(void)
{
    tusk_error err = {0};

    if (other) {
        ck_assert_msg(
            tusk_await_free(tusk_exec(other, "drop table if exists transaction_test", TUSK_NO_PARAMS), &err) == TUSK_OK,
            "%s", said(&err));
        disconnect(other);
    }
    other = NULL;
    live_down();
}

static tusk_query *insert(int n)
{
    return tusk_exec(db, "insert into transaction_test values ($1)", TUSK_PARAMS(tusk_int4(n)));
}

static int64_t committed(void)
{
    return number_on(other, "select count(*) from transaction_test");
}

static void ends(tusk_query *q, tusk_code code, const char *sqlstate, tusk_fate fate)
{
    const tusk_error *err = tusk_query_error(q);

    (void)tusk_await(q);
    err = tusk_query_error(q);
    ck_assert_msg(err->code == code, "not %s: %s", tusk_code_name(code), said(err));
    if (code != TUSK_OK) {
        ck_assert_str_eq(err->sqlstate, sqlstate);
        ck_assert_msg(err->fate == fate, "%s", said(err));
    }
    tusk_query_free(q);
}

static void is_fine(tusk_query *q)
{
    ends(q, TUSK_OK, "", TUSK_FATE_ANSWERED);
}

static void is_not_run(tusk_query *q)
{
    ends(q, TUSK_ERR_SERVER, "25P02", TUSK_FATE_ANSWERED);
}

/* ---- one round trip ------------------------------------------------------------------------------------------------------- */

typedef struct trips {
    long sends, waits;
} trips;

static trips mark(void)
{
    return (trips){world.n[OS_SEND], world.n[OS_EPOLL_WAIT]};
}

/* An answer may arrive in two pieces, which are two waits for one send: only never two sends. */
static void took_one_trip(trips since)
{
    ck_assert_int_eq(world.n[OS_SEND] - since.sends, 1);
}

START_TEST(begin_insert_and_commit_are_one_round_trip)
{
    tusk_query *q[4];
    trips since = mark();

    q[0] = tusk_begin(db, NULL);
    q[1] = insert(1);
    q[2] = insert(2);
    q[3] = tusk_commit(db);
    ck_assert_int_eq(tusk_conn_tx_depth(db), 0);
    is_fine(q[3]);
    took_one_trip(since);
    for (int i = 0; i < 3; i++)
        is_fine(q[i]);
    ck_assert_int_eq(committed(), 2);
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IDLE);
}
END_TEST

/* Opened, fetched from in parts, and closed; the first time, too. */
START_TEST(a_cursor_from_begin_to_commit_is_one_round_trip)
{
    tusk_query *begin, *batch[3], *close, *commit;
    tusk_cursor *cursor;
    trips since = mark();

    begin = tusk_begin(db, NULL);
    cursor = tusk_cursor_open(
        db, &(tusk_cursor_request){.sql = "select generate_series(1, $1)", .params = TUSK_PARAMS(tusk_int4(25))});
    for (int i = 0; i < 3; i++)
        batch[i] = tusk_cursor_fetch(cursor, 10);
    close = tusk_cursor_close(cursor);
    commit = tusk_commit(db);
    is_fine(commit);
    took_one_trip(since);
    is_fine(begin);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(tusk_query_n_rows(batch[i]), i < 2 ? 10 : 5);
        is_fine(batch[i]);
    }
    is_fine(close);
    tusk_cursor_free(cursor);
}
END_TEST

START_TEST(what_is_submitted_before_the_login_is_one_flight_too)
{
    tusk_conn *conn = db;
    tusk_query *q[3];

    db = connect_plain();
    q[0] = tusk_begin(db, &(tusk_transaction){.isolation = TUSK_SERIALIZABLE});
    q[1] = tusk_exec(
        db, "insert into transaction_test select 7 where current_setting('transaction_isolation') = 'serializable'",
        TUSK_NO_PARAMS);
    q[2] = tusk_commit(db);
    for (int i = 0; i < 3; i++)
        is_fine(q[i]);
    disconnect(db);
    db = conn;
    ck_assert_int_eq(committed(), 1);
}
END_TEST

START_TEST(transactions_follow_one_another_without_waiting_for_the_caller)
{
    tusk_query *q[30];

    for (int i = 0; i < 30; i += 3) {
        q[i] = tusk_begin(db, NULL);
        q[i + 1] = insert(i);
        q[i + 2] = i % 2 ? tusk_rollback(db) : tusk_commit(db);
    }
    for (int i = 0; i < 30; i++)
        is_fine(q[i]);
    ck_assert_int_eq(committed(), 5);
}
END_TEST

/* ---- isolation ------------------------------------------------------------------------------------------------------------ */

static const struct {
    tusk_transaction options;
    const char *isolation;
    bool read_only, deferrable;
} kinds[] = {
    {{TUSK_ISOLATION_DEFAULT, false, false}, "read committed", false, false},
    {{TUSK_READ_UNCOMMITTED, false, false}, "read uncommitted", false, false},
    {{TUSK_READ_COMMITTED, true, false}, "read committed", true, false},
    {{TUSK_REPEATABLE_READ, false, false}, "repeatable read", false, false},
    {{TUSK_SERIALIZABLE, true, true}, "serializable", true, true},
};

START_TEST(a_transaction_is_of_the_kind_that_was_asked_for)
{
    tusk_query *begin = tusk_begin(db, &kinds[_i].options), *q, *end;
    tusk_row row;

    q = tusk_exec(db,
                  "select current_setting('transaction_isolation'), current_setting('transaction_read_only')::bool, "
                  "current_setting('transaction_deferrable')::bool",
                  TUSK_NO_PARAMS);
    end = tusk_commit(db);
    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert(tusk_str_is(tusk_get_text(&row, 0), kinds[_i].isolation));
    ck_assert_int_eq(tusk_get_bool(&row, 1), kinds[_i].read_only);
    ck_assert_int_eq(tusk_get_bool(&row, 2), kinds[_i].deferrable);
    tusk_query_free(q);
    is_fine(begin);
    is_fine(end);
}
END_TEST

/* ---- what fails ------------------------------------------------------------------------------------------------------------ */

START_TEST(a_statement_that_fails_undoes_all_and_the_commit_says_so)
{
    tusk_query *begin = tusk_begin(db, NULL), *first = insert(1), *bad, *third, *commit;

    bad = tusk_exec(db, "select 1/0", TUSK_NO_PARAMS);
    third = insert(3);
    commit = tusk_commit(db);
    is_fine(begin);
    is_fine(first);
    ends(bad, TUSK_ERR_SERVER, "22012", TUSK_FATE_ANSWERED);
    ck_assert_int_eq(tusk_await(third), TUSK_ERR_SERVER);
    ck_assert_str_eq(tusk_query_error(third)->message,
                     "not run: exec \"select 1/0\" failed before it in the same unit");
    ck_assert_str_eq(tusk_query_error(third)->detail, "division by zero");
    is_not_run(third);
    ck_assert_int_eq(tusk_await(commit), TUSK_ERR_ROLLED_BACK);
    ck_assert_str_eq(tusk_query_error(commit)->message, "the transaction was rolled back: a statement in it failed");
    ck_assert_str_eq(tusk_query_error(commit)->detail, "division by zero");
    ends(commit, TUSK_ERR_ROLLED_BACK, "40000", TUSK_FATE_ANSWERED);
    ck_assert_int_eq(committed(), 0);
    ck_usable(db);
}
END_TEST

/* Behind the rows that were looked at an error waits unread. Nothing of the stream, freed or left as it is, keeps the commit from
 * hearing of it. */
START_TEST(d35_an_error_behind_rows_that_nobody_reads_undoes_the_transaction)
{
    tusk_query *begin = tusk_begin(db, NULL), *one = insert(1), *rows, *end;
    tusk_row row;

    is_fine(begin);
    is_fine(one);
    rows = tusk_exec(db, "select n, 1 / (4000 - n), repeat('x', 200) from generate_series(1, 5000) n", TUSK_NO_PARAMS);
    ck_assert(tusk_next_row(rows, &row));
    ck_assert(tusk_next_row(rows, &row));
    ck_assert_int_eq(tusk_get_int4(&row, 0), 2);
    if (_i)
        tusk_query_free(rows);
    end = tusk_commit(db);
    while (!_i && tusk_next_row(rows, &row)) {
    }
    ck_assert_int_eq(tusk_await(end), TUSK_ERR_ROLLED_BACK);
    ck_assert_str_eq(tusk_query_error(end)->detail, "division by zero");
    ends(end, TUSK_ERR_ROLLED_BACK, "40000", TUSK_FATE_ANSWERED);
    if (!_i)
        ends(rows, TUSK_ERR_SERVER, "22012", TUSK_FATE_ANSWERED);
    ck_assert_int_eq(committed(), 0);
}
END_TEST

/* The server never hears of it; the commit must not keep the rest. */
START_TEST(what_is_refused_here_turns_the_commit_into_a_rollback)
{
    tusk_query *begin = tusk_begin(db, NULL), *first = insert(1), *bad, *commit;

    bad = tusk_exec(db, "select $1", TUSK_PARAMS(tusk_text("b\xff")));
    commit = tusk_commit(db);
    is_fine(begin);
    is_fine(first);
    ends(bad, TUSK_ERR_VALUE, "22021", TUSK_FATE_NOT_SENT);
    ck_assert_int_eq(tusk_await(commit), TUSK_ERR_ROLLED_BACK);
    ck_assert_str_eq(tusk_query_error(commit)->message,
                     "the transaction was rolled back: a request in it was never sent");
    ends(commit, TUSK_ERR_ROLLED_BACK, "40000", TUSK_FATE_ANSWERED);
    ck_assert_int_eq(committed(), 0);
    ck_usable(db);
}
END_TEST

START_TEST(a_statement_that_is_canceled_before_it_was_sent_turns_the_commit_into_a_rollback)
{
    bool is_nested = _i;
    tusk_query *begin = tusk_begin(db, NULL), *inner = NULL, *first, *gone, *release = NULL, *commit;

    if (is_nested) {
        is_fine(begin);
        begin = tusk_begin(db, NULL);
    }
    first = insert(1);
    gone = insert(2);
    release = is_nested ? tusk_commit(db) : NULL;
    commit = tusk_commit(db);
    tusk_query_cancel(gone);
    (void)inner;
    is_fine(begin);
    is_fine(first);
    ends(gone, TUSK_ERR_CANCELED, "57014", TUSK_FATE_NOT_SENT);
    if (is_nested)
        ends(release, TUSK_ERR_ROLLED_BACK, "40000", TUSK_FATE_ANSWERED);
    ends(commit, TUSK_ERR_ROLLED_BACK, "40000", TUSK_FATE_ANSWERED);
    ck_assert_int_eq(committed(), 0);
    ck_usable(db);
}
END_TEST

/* Each place in the unit: the Sync at its end must stay where it is needed. */
START_TEST(whoever_of_a_unit_is_taken_back_the_others_have_their_answers)
{
    tusk_query *q[5];

    q[0] = tusk_begin(db, NULL);
    for (int i = 1; i < 4; i++)
        q[i] = insert(i);
    q[4] = tusk_rollback(db);
    tusk_query_cancel(q[_i]);
    for (int i = 0; i < 5; i++) {
        if (i == _i)
            ends(q[i], TUSK_ERR_CANCELED, "57014", TUSK_FATE_NOT_SENT);
        else if (_i == 0 && i < 4)
            ends(q[i], TUSK_ERR_CANCELED, "57014", TUSK_FATE_NOT_SENT);
        else
            is_fine(q[i]);
    }
    if (_i == 4) { /* the rollback itself */
        ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IN_TRANSACTION);
        is_fine(tusk_rollback(db));
    }
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IDLE);
    ck_assert_int_eq(committed(), 0);
    ck_usable(db);
}
END_TEST

/* ---- an end that is not sent ------------------------------------------------------------------------------------------------- */

static void is_taken_back(tusk_query *q)
{
    tusk_query_cancel(q);
    ends(q, TUSK_ERR_CANCELED, "57014", TUSK_FATE_NOT_SENT);
}

/* It stood behind an end that was taken back. */
static void is_left_out(tusk_query *q)
{
    (void)tusk_await(q);
    ck_assert_msg(strstr(tusk_query_error(q)->message,
                         "not run: the end of the transaction in front of it was not sent: "
                         "canceled by the caller") != NULL,
                  "%s", said(tusk_query_error(q)));
    ends(q, TUSK_ERR_CANCELED, "57014", TUSK_FATE_NOT_SENT);
}

static tusk_query *end_by(bool is_commit)
{
    return is_commit ? tusk_commit(db) : tusk_rollback(db);
}

/* In the out buffer, or held back by the script in front. */
START_TEST(a_transaction_whose_end_is_taken_back_goes_on)
{
    bool is_commit = _i & 1, is_held = _i & 2, is_kept = _i & 4;
    tusk_query *script = NULL, *end;

    is_fine(tusk_begin(db, NULL));
    is_fine(insert(1));
    if (is_held)
        script = tusk_script(db, "insert into transaction_test values (2)");
    end = end_by(is_commit);
    ck_assert_int_eq(tusk_conn_tx_depth(db), 0);
    tusk_query_cancel(end);
    ck_assert_int_eq(tusk_conn_tx_depth(db), 1);
    ends(end, TUSK_ERR_CANCELED, "57014", TUSK_FATE_NOT_SENT);
    if (script)
        is_fine(script);
    is_fine(insert(3));
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IN_TRANSACTION);
    ck_assert_int_eq(committed(), 0);
    is_fine(end_by(is_kept));
    ck_assert_int_eq(tusk_conn_tx_depth(db), 0);
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IDLE);
    ck_assert_int_eq(committed(), is_kept ? 2 + is_held : 0);
}
END_TEST

START_TEST(an_inner_transaction_whose_end_is_taken_back_goes_on)
{
    bool is_commit = _i & 1, is_kept = _i & 2;

    is_fine(tusk_begin(db, NULL));
    is_fine(insert(1));
    is_fine(tusk_begin(db, NULL));
    is_fine(insert(2));
    is_taken_back(end_by(is_commit));
    ck_assert_int_eq(tusk_conn_tx_depth(db), 2);
    is_fine(insert(3));
    is_fine(end_by(is_kept));
    is_fine(insert(4));
    is_fine(tusk_commit(db));
    ck_assert_int_eq(tusk_conn_tx_depth(db), 0);
    ck_assert_int_eq(committed(), is_kept ? 4 : 2);
}
END_TEST

/* They were submitted for after it: they are neither lost with it nor kept by it. */
START_TEST(what_stands_behind_an_end_that_is_taken_back_is_not_run)
{
    bool is_left_open = _i;
    tusk_query *end, *q[4], *parse;
    tusk_stmt *stmt;

    is_fine(tusk_begin(db, NULL));
    is_fine(insert(1));
    end = tusk_commit(db);
    q[0] = insert(2);
    stmt = tusk_prepare(db, "select 1", NULL, 0);
    q[1] = tusk_begin(db, NULL);
    q[2] = insert(3);
    q[3] = is_left_open ? NULL : tusk_commit(db);
    is_taken_back(end);
    parse = tusk_stmt_ready(stmt);
    is_left_out(q[0]);
    is_left_out(q[1]);
    ends(q[2], TUSK_ERR_CANCELED, "57014", TUSK_FATE_NOT_SENT);
    if (is_left_open) {
        ck_assert_int_eq(tusk_conn_tx_depth(db), 2);
        ends(insert(4), TUSK_ERR_CANCELED, "57014", TUSK_FATE_NOT_SENT);
        is_fine(tusk_rollback(db));
    } else {
        ends(q[3], TUSK_ERR_CANCELED, "57014", TUSK_FATE_NOT_SENT);
    }
    ck_assert_int_eq(tusk_conn_tx_depth(db), 1);
    is_fine(parse);
    tusk_stmt_free(stmt);
    is_fine(tusk_commit(db));
    ck_assert_int_eq(committed(), 1);
    is_fine(insert(5));
    ck_assert_int_eq(committed(), 2);
}
END_TEST

/* The ends of both, and the one around it lacks a part. */
START_TEST(all_ends_behind_one_that_is_taken_back_are_as_if_not_called)
{
    tusk_query *outer = tusk_begin(db, NULL), *inner, *one, *two, *release, *commit;

    is_fine(outer);
    inner = tusk_begin(db, NULL);
    one = insert(1);
    release = tusk_commit(db);
    two = _i ? insert(2) : NULL;
    commit = tusk_commit(db);
    ck_assert_int_eq(tusk_conn_tx_depth(db), 0);
    is_taken_back(release);
    ck_assert_int_eq(tusk_conn_tx_depth(db), 2);
    is_fine(inner);
    is_fine(one);
    if (two)
        is_left_out(two);
    is_left_out(commit);
    tusk_query_cancel(commit = tusk_commit(db)); /* once more */
    ck_assert_int_eq(tusk_conn_tx_depth(db), 2);
    tusk_query_free(commit);
    is_fine(tusk_commit(db));
    ends(tusk_commit(db), _i ? TUSK_ERR_ROLLED_BACK : TUSK_OK, "40000", TUSK_FATE_ANSWERED);
    ck_assert_int_eq(tusk_conn_tx_depth(db), 0);
    ck_assert_int_eq(committed(), _i ? 0 : 1);
    ck_usable(db);
}
END_TEST

static tusk_code never_pulled(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    (void)q, (void)item, (void)err, (void)user;
    ck_abort_msg("a load is pulled that is not run");
    return TUSK_ERR_STATE;
}

/* What has written nothing yet, though it is its turn; what is written; and what is held back behind both. */
START_TEST(loads_and_stacks_behind_an_end_that_is_taken_back_are_not_run)
{
    bool is_nested = _i;
    tusk_stack *stack = tusk_stack_new(db);
    tusk_query *end, *batch, *load, *held;

    is_fine(tusk_begin(db, NULL));
    if (is_nested)
        is_fine(tusk_begin(db, NULL));
    is_fine(insert(1));
    ck_assert_int_eq(tusk_stack_push(stack, "insert into transaction_test values (2)", TUSK_NO_PARAMS), TUSK_OK);
    end = tusk_commit(db);
    batch = tusk_stack_run(stack, TUSK_STACK_ATOMIC);
    load = tusk_many_submit(
        db, &(tusk_many_request){.sql = "insert into transaction_test values ($1)", .pull = never_pulled});
    held = insert(3);
    is_taken_back(end);
    is_left_out(batch);
    is_left_out(load);
    is_left_out(held);
    tusk_stack_free(stack);
    is_fine(tusk_commit(db));
    if (is_nested)
        ends(tusk_commit(db), TUSK_ERR_ROLLED_BACK, "40000", TUSK_FATE_ANSWERED);
    ck_assert_int_eq(tusk_conn_tx_depth(db), 0);
    ck_assert_int_eq(committed(), is_nested ? 0 : 1);
    ck_usable(db);
}
END_TEST

/* More rollbacks than there were queries to be used again leave some behind that hold no memory: the end gets one, and none for its copy. */
START_TEST(a_transaction_whose_end_finds_no_memory_goes_on)
{
    tusk_query *spare[32], *begin, *one, *script, *end;

    for (int i = 0; i < N_OF(spare); i++)
        spare[i] = tusk_rollback(db);
    for (int i = 0; i < N_OF(spare); i++)
        is_fine(spare[i]);
    begin = tusk_begin(db, NULL);
    one = insert(1);
    ck_ok(one);
    script = tusk_script(db, "insert into transaction_test values (2)");
    heap.fail_at = heap.n + 1;
    end = end_by(_i);
    ck_assert_int_eq(heap.failed, 1);
    heap.fail_at = 0;
    ck_assert_int_eq(tusk_conn_tx_depth(db), 1);
    is_fine(begin);
    is_fine(one);
    is_fine(script);
    ends(end, TUSK_ERR_NOMEM, "53200", TUSK_FATE_NOT_SENT);
    ck_assert_int_eq(committed(), 0);
    is_fine(tusk_commit(db));
    ck_assert_int_eq(committed(), 2);
}
END_TEST

/* A standby refuses SERIALIZABLE; here the same comes of a BEGIN in a transaction that has failed… which is none of ours: so by a
 * wrong level, which is refused before it is sent, and by a deferrable that the server cannot parse. */
START_TEST(a_begin_that_is_refused_leaves_nothing_in_autocommit)
{
    tusk_query *begin = tusk_begin(db, &(tusk_transaction){.isolation = (tusk_isolation)9}), *q = insert(1);

    ends(begin, TUSK_ERR_USAGE, "42601", TUSK_FATE_NOT_SENT);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_USAGE);
    ck_assert_str_eq(tusk_query_error(q)->message,
                     "not run: the transaction did not begin: there is no isolation level 9");
    ends(q, TUSK_ERR_USAGE, "42601", TUSK_FATE_NOT_SENT);
    ends(insert(2), TUSK_ERR_USAGE, "42601", TUSK_FATE_NOT_SENT);
    if (_i)
        ends(tusk_commit(db), TUSK_ERR_USAGE, "42601", TUSK_FATE_NOT_SENT);
    else
        is_fine(tusk_rollback(db));
    ck_assert_int_eq(committed(), 0);
    is_fine(insert(3));
    ck_assert_int_eq(committed(), 1);
}
END_TEST

START_TEST(a_commit_that_a_deferred_constraint_refuses_is_the_servers_error)
{
    tusk_query *begin = tusk_begin(db, NULL), *one, *two, *commit;

    run("alter table transaction_test drop constraint transaction_test_pkey");
    one = insert(1);
    two = insert(1);
    commit = tusk_commit(db);
    is_fine(begin);
    is_fine(one);
    is_fine(two);
    ends(commit, TUSK_ERR_SERVER, "23505", TUSK_FATE_ANSWERED);
    ck_assert_int_eq(committed(), 0);
    ck_usable(db);
}
END_TEST

START_TEST(a_commit_without_a_transaction_is_an_error)
{
    ends(tusk_commit(db), TUSK_ERR_STATE, "25P01", TUSK_FATE_ANSWERED);
    is_fine(tusk_rollback(db)); /* a ROLLBACK too many is a warning to the server */
    ck_usable(db);
}
END_TEST

/* ---- nesting ---------------------------------------------------------------------------------------------------------------- */

START_TEST(a_nested_transaction_is_a_savepoint)
{
    tusk_query *outer = tusk_begin(db, NULL), *one = insert(1), *inner = tusk_begin(db, NULL), *two = insert(2), *end;

    ck_assert_int_eq(tusk_conn_tx_depth(db), 2);
    end = _i ? tusk_commit(db) : tusk_rollback(db);
    is_fine(outer);
    is_fine(one);
    is_fine(inner);
    is_fine(two);
    is_fine(end);
    ck_assert_int_eq(committed(), 0);
    is_fine(tusk_commit(db));
    ck_assert_int_eq(committed(), _i ? 2 : 1);
}
END_TEST

START_TEST(an_error_in_a_nested_transaction_that_is_rolled_back_costs_the_outer_one_nothing)
{
    tusk_query *outer = tusk_begin(db, NULL), *one = insert(1), *inner, *bad;

    is_fine(outer);
    is_fine(one);
    inner = tusk_begin(db, NULL);
    bad = _i ? tusk_exec(db, "select $1", TUSK_PARAMS(tusk_text("\xff"))) : tusk_exec(db, "select 1/0", TUSK_NO_PARAMS);
    is_fine(inner);
    ends(bad, _i ? TUSK_ERR_VALUE : TUSK_ERR_SERVER, _i ? "22021" : "22012",
         _i ? TUSK_FATE_NOT_SENT : TUSK_FATE_ANSWERED);
    is_fine(tusk_rollback(db));
    is_fine(insert(2));
    is_fine(tusk_commit(db));
    ck_assert_int_eq(committed(), 2);
}
END_TEST

START_TEST(a_nested_transaction_that_cannot_be_kept_takes_the_outer_one_with_it)
{
    tusk_query *outer = tusk_begin(db, NULL), *one = insert(1), *inner, *bad;

    is_fine(outer);
    is_fine(one);
    inner = tusk_begin(db, NULL);
    bad = _i ? tusk_exec(db, "select $1", TUSK_PARAMS(tusk_text("\xff"))) : tusk_exec(db, "select 1/0", TUSK_NO_PARAMS);
    is_fine(inner);
    ends(bad, _i ? TUSK_ERR_VALUE : TUSK_ERR_SERVER, _i ? "22021" : "22012",
         _i ? TUSK_FATE_NOT_SENT : TUSK_FATE_ANSWERED);
    ends(tusk_commit(db), TUSK_ERR_ROLLED_BACK, "40000", TUSK_FATE_ANSWERED);
    ends(tusk_commit(db), TUSK_ERR_ROLLED_BACK, "40000", TUSK_FATE_ANSWERED);
    ck_assert_int_eq(committed(), 0);
}
END_TEST

/* All in one flight: nothing was begun, so there is nothing to undo. What failed is the one around it, and stays so. */
START_TEST(the_rollback_of_a_savepoint_that_failed_is_fine_and_leaves_the_outer_one_failed)
{
    tusk_query *outer = tusk_begin(db, NULL), *bad, *inner, *in_it, *inner_end, *end;

    is_fine(outer);
    bad = tusk_exec(db, "select 1/0", TUSK_NO_PARAMS);
    inner = tusk_begin(db, NULL);
    in_it = insert(1);
    inner_end = tusk_rollback(db);
    ends(bad, TUSK_ERR_SERVER, "22012", TUSK_FATE_ANSWERED);
    is_not_run(inner);
    is_not_run(in_it);
    ck_assert_int_eq(tusk_await(inner_end), TUSK_OK);
    ck_assert_int_eq((int)tusk_query_error_field(inner_end, 'C').len, 0);
    is_fine(inner_end);
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IN_ERROR);
    is_not_run(insert(2));
    end = _i ? tusk_commit(db) : tusk_rollback(db);
    ck_assert_int_eq(tusk_await(end), _i ? TUSK_ERR_ROLLED_BACK : TUSK_OK);
    ck_assert_str_eq(tusk_query_error(end)->detail, _i ? "division by zero" : "");
    tusk_query_free(end);
    ck_assert_int_eq(committed(), 0);
}
END_TEST

/* What made the statement fail is what its end is about: here that all should be repeated, told by the server. */
START_TEST(the_end_of_a_nested_transaction_tells_why_it_failed)
{
    static const char conflict[] = "do $$ begin raise exception 'again' using errcode = '40001'; end $$";
    tusk_query *outer = tusk_begin(db, NULL), *inner, *bad, *end;

    is_fine(outer);
    inner = tusk_begin(db, NULL);
    bad = tusk_exec(db, conflict, TUSK_NO_PARAMS);
    end = tusk_commit(db);
    is_fine(inner);
    ends(bad, TUSK_ERR_SERVER, "40001", TUSK_FATE_ANSWERED);
    ck_assert_int_eq(tusk_await(end), TUSK_ERR_ROLLED_BACK);
    ck_assert_str_eq(tusk_query_error(end)->detail, "again");
    ck_assert_ptr_nonnull(strstr(tusk_query_error(end)->where, "commit \"release savepoint tusk_"));
    ck_assert(tusk_error_is_retriable(tusk_query_error(end)));
    ends(end, TUSK_ERR_ROLLED_BACK, "40001", TUSK_FATE_ANSWERED);
    ends(tusk_commit(db), TUSK_ERR_ROLLED_BACK, "40001", TUSK_FATE_ANSWERED);
}
END_TEST

/* A plan that is stale in a transaction: who looks at the commit alone hears that it may be repeated. */
START_TEST(the_commit_says_that_a_stale_plan_is_worth_a_retry)
{
    tusk_query *begin, *stale;
    tusk_error err;

    run("create temp table transaction_plan (n int4)");
    run("insert into transaction_plan values (1)");
    run("select * from transaction_plan");
    run("alter table transaction_plan add m int4");
    begin = tusk_begin(db, NULL);
    stale = tusk_exec(db, "select * from transaction_plan", TUSK_NO_PARAMS);
    is_fine(begin);
    ck_assert_int_eq(tusk_await_free(stale, NULL), TUSK_ERR_SERVER);
    ck_assert_int_eq(tusk_await_free(tusk_commit(db), &err), TUSK_ERR_ROLLED_BACK);
    ck_assert_str_eq(err.sqlstate, "40000");
    ck_assert_int_eq(err.retry, TUSK_RETRY_TRANSACTION);
    ck_assert(tusk_error_is_retriable(&err));
}
END_TEST

START_TEST(inside_a_transaction_that_was_begun_by_text_it_is_a_savepoint_too)
{
    tusk_query *manual = tusk_exec(db, "/* by hand */ begin", TUSK_NO_PARAMS), *begin = tusk_begin(db, NULL),
               *one = insert(1);

    is_fine(manual);
    is_fine(begin);
    is_fine(one);
    is_fine(tusk_rollback(db));
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IN_TRANSACTION);
    is_fine(insert(2));
    is_fine(tusk_commit(db)); /* of what was begun by text */
    ck_assert_int_eq(committed(), 1);
    ends(tusk_begin(db, NULL), TUSK_OK, "", TUSK_FATE_ANSWERED);
    is_fine(tusk_exec(db, "commit", TUSK_NO_PARAMS));
    ends(tusk_commit(db), TUSK_ERR_STATE, "25P01", TUSK_FATE_NOT_SENT);
}
END_TEST

/* What tusk_begin() began is ended by text, and its caller, who may be another part of the program, goes on in it. */
static const struct {
    const char *sql, *where;
    char by; /* 'e' tusk_exec(), 's' a script, 'h' a handle */
    bool is_kept;
} text_ends[] = {
    {"commit", "exec \"commit\"", 'e', true},
    {"rollback", "exec \"rollback\"", 'e', false},
    {"/* all */ end", "exec \"/* all */ end\"", 'e', true},
    {"abort", "run \"abort\"", 'h', false},
    {"commit", "run \"commit\"", 'h', true},
    {"commit; select 1", "script \"commit; select 1\"", 's', true},
    {"select 1; end", "script \"select 1; end\"", 's', true},
    {"rollback; select 1", "script \"rollback; select 1\"", 's', false},
    {"select 1; abort", "script \"select 1; abort\"", 's', false},
};

static tusk_query *end_by_text(tusk_stmt *stmt, int i)
{
    if (stmt)
        return tusk_stmt_exec(stmt, TUSK_NO_PARAMS);
    return text_ends[i].by == 's' ? tusk_script(db, text_ends[i].sql) : tusk_exec(db, text_ends[i].sql, TUSK_NO_PARAMS);
}

static void is_over(tusk_query *q, int i)
{
    (void)tusk_await(q);
    ck_assert_str_eq(tusk_query_error(q)->message,
                     textf("not run: the transaction is over: it was ended by %s", text_ends[i].where));
    ends(q, TUSK_ERR_STATE, "25P01", TUSK_FATE_NOT_SENT);
}

static void is_rolled_back(tusk_query *q, int i)
{
    if (text_ends[i].is_kept)
        is_over(q, i);
    else
        is_fine(q);
}

/* All in one flight, if the driver would let it go; or each by itself. In a nested one, or not. Ended by us with a commit, or a rollback. */
START_TEST(nothing_slips_into_autocommit_behind_an_end_by_text)
{
    int i = _i / 8;
    bool waits = _i & 1, is_nested = _i & 2, is_commit = _i & 4;
    tusk_stmt *stmt = text_ends[i].by == 'h' ? tusk_prepare(db, text_ends[i].sql, NULL, 0) : NULL;
    tusk_query *end, *behind, *nested = NULL, *outer;

    if (stmt)
        is_fine(tusk_stmt_ready(stmt));
    tusk_query_free(tusk_begin(db, NULL));
    if (is_nested)
        tusk_query_free(tusk_begin(db, NULL));
    tusk_query_free(insert(1));
    end = end_by_text(stmt, i);
    if (waits)
        ck_ok(end);
    behind = insert(2);
    if (is_nested)
        nested = end_by(is_commit);
    outer = end_by(is_commit);
    is_fine(end);
    is_over(behind, i);
    if (is_nested)
        (is_commit ? is_over : is_rolled_back)(nested, i);
    (is_commit ? is_over : is_rolled_back)(outer, i);
    ck_assert_int_eq(committed(), text_ends[i].is_kept);
    ck_assert_int_eq(tusk_conn_tx_depth(db), 0);
    is_fine(insert(3)); /* outside, as its caller knows */
    ck_assert_int_eq(committed(), text_ends[i].is_kept + 1);
    tusk_stmt_free(stmt);
}
END_TEST

/* One transaction is ended and another one begun at once: what tusk_begin() began is that one now. */
static const struct {
    const char *sql;
    char by;
    bool is_kept;
} chains[] = {
    {"commit and chain", 'e', true},
    {"rollback and chain", 'e', false},
    {"end work and chain", 'h', true},
    {"abort and chain", 'h', false},
    {"commit; begin", 's', true},
    {"rollback; start transaction", 's', false},
    {"select 1; commit and chain", 's', true},
    {"rollback and chain", 's', false},
    {"select 1; rollback work and chain; select 2", 's', false},
    {"savepoint a; rollback to a; abort and chain", 's', false},
    {"select 1 /*; abort */; end and chain; savepoint a", 's', true},
};

static tusk_query *chain_by(int i)
{
    tusk_stmt *stmt;
    tusk_query *q;

    if (chains[i].by != 'h')
        return chains[i].by == 's' ? tusk_script(db, chains[i].sql) : tusk_exec(db, chains[i].sql, TUSK_NO_PARAMS);
    stmt = tusk_prepare(db, chains[i].sql, NULL, 0);
    q = tusk_stmt_exec(stmt, TUSK_NO_PARAMS);
    tusk_stmt_free(stmt);
    return q;
}

START_TEST(behind_a_chain_by_text_the_transaction_goes_on)
{
    int i = _i / 4;
    bool waits = _i & 1, is_commit = _i & 2;
    tusk_query *end;

    tusk_query_free(tusk_begin(db, NULL));
    tusk_query_free(insert(1));
    end = chain_by(i);
    if (waits) {
        ck_ok(end);
        ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IN_TRANSACTION);
        ck_assert_int_eq(committed(), chains[i].is_kept);
    }
    tusk_query_free(insert(2));
    ck_assert_int_eq(tusk_conn_tx_depth(db), 1);
    is_fine(end_by(is_commit));
    is_fine(end);
    ck_assert_int_eq(committed(), chains[i].is_kept + is_commit);
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IDLE);
}
END_TEST

/* The savepoint is gone with the first transaction. A part that was to be kept is missing then, unless that is rolled back. */
START_TEST(a_nested_transaction_is_over_behind_a_chain_by_text)
{
    int i = _i / 4;
    bool waits = _i & 1, is_commit = _i & 2, is_kept = chains[i].is_kept;
    tusk_query *end, *behind, *nested, *rest, *outer;

    tusk_query_free(tusk_begin(db, NULL));
    tusk_query_free(tusk_begin(db, NULL));
    tusk_query_free(insert(1));
    end = chain_by(i);
    if (waits)
        ck_ok(end);
    behind = insert(2);
    nested = end_by(is_commit);
    rest = insert(3);
    outer = tusk_commit(db);
    is_fine(end);
    ck_assert_int_eq(tusk_await(behind), TUSK_ERR_STATE);
    ck_assert_ptr_nonnull(strstr(tusk_query_error(behind)->message, chains[i].sql));
    ends(behind, TUSK_ERR_STATE, "25P01", TUSK_FATE_NOT_SENT);
    ends(nested, is_commit || is_kept ? TUSK_ERR_STATE : TUSK_OK, "25P01", TUSK_FATE_NOT_SENT);
    is_fine(rest);
    ends(outer, is_commit ? TUSK_ERR_ROLLED_BACK : TUSK_OK, "40000", TUSK_FATE_ANSWERED);
    ck_assert_int_eq(committed(), is_kept + !is_commit);
    ck_assert_int_eq(tusk_conn_tx_depth(db), 0);
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IDLE);
}
END_TEST

START_TEST(a_chain_by_a_script_that_was_let_go_is_seen_too)
{
    tusk_query *behind, *nested;

    is_fine(tusk_begin(db, NULL));
    is_fine(tusk_begin(db, NULL));
    is_fine(insert(1));
    tusk_query_free(tusk_script(db, chains[_i].sql));
    behind = insert(2);
    nested = tusk_rollback(db);
    ends(behind, TUSK_ERR_STATE, "25P01", TUSK_FATE_NOT_SENT);
    ends(nested, chains[_i].is_kept ? TUSK_ERR_STATE : TUSK_OK, "25P01", TUSK_FATE_NOT_SENT);
    is_fine(tusk_commit(db));
    ck_assert_int_eq(committed(), chains[_i].is_kept);
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IDLE);
}
END_TEST

/* What failed was undone by the text: the end knows nothing of it. */
START_TEST(what_failed_in_front_of_a_chain_is_forgotten)
{
    tusk_error err;

    is_fine(tusk_begin(db, NULL));
    ends(tusk_exec(db, "do $$ begin raise exception 'planned' using errcode = '40001'; end $$", TUSK_NO_PARAMS),
         TUSK_ERR_SERVER, "40001", TUSK_FATE_ANSWERED);
    run("rollback and chain");
    ends(tusk_exec(db, "select 1 / 0", TUSK_NO_PARAMS), TUSK_ERR_SERVER, "22012", TUSK_FATE_ANSWERED);
    ck_assert_int_eq(tusk_await_free(tusk_commit(db), &err), TUSK_ERR_ROLLED_BACK);
    ck_assert_str_eq(err.detail, "division by zero");
    ck_assert(!tusk_error_is_retriable(&err));
}
END_TEST

/* It leaves the connection, and waits for its COMMIT PREPARED; or it fails, and all is undone. */
START_TEST(a_transaction_that_is_prepared_by_text_is_over)
{
    tusk_query *behind;

    if (_i)
        run("create temp table transaction_own (n int4)"); /* which cannot be in one */
    is_fine(tusk_begin(db, NULL));
    is_fine(insert(1));
    if (_i)
        run("insert into transaction_own values (1)");
    ends(tusk_exec(db, "prepare transaction 'tusk_test'", TUSK_NO_PARAMS), _i ? TUSK_ERR_SERVER : TUSK_OK, "0A000",
         TUSK_FATE_ANSWERED);
    behind = insert(2);
    ck_assert_int_eq(tusk_await(behind), TUSK_ERR_STATE);
    ck_assert_ptr_nonnull(strstr(tusk_query_error(behind)->message, "ended by exec \"prepare transaction"));
    ends(behind, TUSK_ERR_STATE, "25P01", TUSK_FATE_NOT_SENT);
    ends(tusk_commit(db), TUSK_ERR_STATE, "25P01", TUSK_FATE_NOT_SENT);
    ck_assert_int_eq(committed(), 0);
    if (!_i)
        run("commit prepared 'tusk_test'");
    ck_assert_int_eq(committed(), !_i);
}
END_TEST

/* A savepoint that is rolled back to by text ends nothing, and nobody waits for its answer. */
START_TEST(what_ends_no_transaction_holds_up_nobody)
{
    tusk_query *end, *behind;

    is_fine(tusk_begin(db, NULL));
    is_fine(insert(1));
    run("savepoint s");
    is_fine(insert(2));
    end = tusk_exec(db, "rollback to s", TUSK_NO_PARAMS);
    behind = insert(3);
    is_fine(end);
    is_fine(behind);
    is_fine(tusk_commit(db));
    ck_assert_int_eq(committed(), 2);
}
END_TEST

START_TEST(a_commit_by_text_that_fails_is_the_end_too)
{
    is_fine(tusk_begin(db, NULL));
    is_fine(insert(1));
    is_fine(tusk_exec(db, "create table tusk_deferred (n int4 unique deferrable initially deferred)", TUSK_NO_PARAMS));
    run("insert into tusk_deferred values (1), (1)");
    ends(tusk_exec(db, "commit", TUSK_NO_PARAMS), TUSK_ERR_SERVER, "23505", TUSK_FATE_ANSWERED);
    is_over(insert(2), 0);
    is_fine(tusk_rollback(db));
    ck_assert_int_eq(committed(), 0);
}
END_TEST

/* Handles, plans and the cache's names go through the same rules as plain statements. */
START_TEST(inside_a_transaction_that_a_handle_began_anew_it_is_a_savepoint_too)
{
    tusk_stmt *stmt = tusk_prepare(db, "begin", NULL, 0);
    tusk_query *manual, *begin;

    is_fine(tusk_stmt_ready(stmt));
    run("deallocate all"); /* so that its run brings its Parse along */
    manual = tusk_stmt_exec(stmt, TUSK_NO_PARAMS);
    begin = tusk_begin(db, NULL);
    is_fine(manual);
    is_fine(begin);
    is_fine(tusk_rollback(db));
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IN_TRANSACTION);
    run("rollback");
    tusk_stmt_free(stmt);
}
END_TEST

START_TEST(a_plan_that_is_run_waits_for_what_it_stands_in)
{
    tusk_stmt *stmt = tusk_prepare(db, "insert into transaction_test values (7)", NULL, 0);
    tusk_query *begin, *plan, *one;

    is_fine(tusk_stmt_ready(stmt));
    begin = tusk_begin(db, NULL);
    plan = tusk_stmt_explain(stmt, TUSK_NO_PARAMS, true);
    one = insert(1);
    is_fine(begin);
    is_fine(plan);
    is_fine(one);
    is_fine(tusk_commit(db));
    ck_assert_int_eq(committed(), 1);
    tusk_stmt_free(stmt);
}
END_TEST

START_TEST(what_was_to_be_kept_prepared_and_was_not_run_is_prepared_the_next_time)
{
    static const char sql[] = "select 41 + 1";
    tusk_query *begin = tusk_begin(db, NULL), *bad = tusk_exec(db, "select 1 / 0", TUSK_NO_PARAMS),
               *behind = tusk_exec(db, sql, TUSK_NO_PARAMS);

    is_fine(begin);
    ck_assert_int_eq(tusk_await_free(bad, NULL), TUSK_ERR_SERVER);
    ends(behind, TUSK_ERR_SERVER, "25P02", TUSK_FATE_ANSWERED);
    is_fine(tusk_rollback(db));
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(number(sql), 42);
}
END_TEST

/* What it would end never began: it is not "as if not called", or the next one would end what is around it. */
START_TEST(the_rollback_of_what_never_began_is_none_the_less_for_being_canceled)
{
    tusk_query *outer = tusk_begin(db, NULL), *one = insert(1), *inner, *end;

    is_fine(outer);
    is_fine(one);
    inner = tusk_begin(db, &(tusk_transaction){.read_only = true});
    ends(inner, TUSK_ERR_USAGE, "25001", TUSK_FATE_NOT_SENT);
    one = insert(2); /* goes first */
    end = _i ? tusk_commit(db) : tusk_rollback(db);
    tusk_query_cancel(end);
    ck_assert_int_eq(tusk_conn_tx_depth(db), 1);
    if (_i)
        ends(end, TUSK_ERR_USAGE, "25001", TUSK_FATE_NOT_SENT);
    else
        is_fine(end);
    ends(one, TUSK_ERR_USAGE, "25001", TUSK_FATE_NOT_SENT);
    ck_assert_int_eq(tusk_await_free(tusk_commit(db), NULL), _i ? TUSK_ERR_ROLLED_BACK : TUSK_OK);
    ck_assert_int_eq(committed(), _i ? 0 : 1);
}
END_TEST

/* The same while all of it waits for the login. */
START_TEST(the_end_of_what_was_taken_back_is_none_the_less_for_being_canceled)
{
    tusk_query *begin, *end;

    disconnect(db);
    db = tusk_connect(loop, harness_env("TUSK_TEST_DSN"));
    begin = tusk_begin(db, NULL);
    end = _i ? tusk_commit(db) : tusk_rollback(db);
    tusk_query_cancel(begin);
    tusk_query_cancel(end);
    ck_assert_int_eq(tusk_conn_tx_depth(db), 0);
    ends(begin, TUSK_ERR_CANCELED, "57014", TUSK_FATE_NOT_SENT);
    ck_assert_int_eq(tusk_await(end), _i ? TUSK_ERR_CANCELED : TUSK_OK);
    ck_assert_str_eq(tusk_query_error(end)->message,
                     _i ? "not run: the transaction did not begin: canceled by the caller" : "");
    tusk_query_free(end);
    ck_usable(db);
}
END_TEST

START_TEST(a_nested_transaction_has_no_isolation_of_its_own)
{
    tusk_query *outer = tusk_begin(db, NULL), *inner, *q;

    is_fine(outer);
    inner = tusk_begin(db, &(tusk_transaction){.read_only = true});
    q = insert(1);
    ends(inner, TUSK_ERR_USAGE, "25001", TUSK_FATE_NOT_SENT);
    ends(q, TUSK_ERR_USAGE, "25001", TUSK_FATE_NOT_SENT);
    is_fine(tusk_rollback(db));
    is_fine(insert(2));
    is_fine(tusk_commit(db));
    ck_assert_int_eq(committed(), 1);
}
END_TEST

/* ---- what comes later ---------------------------------------------------------------------------------------------------------- */

START_TEST(statements_of_later_turns_wait_for_the_transaction_and_are_in_it)
{
    tusk_query *begin = tusk_begin(db, NULL), *one = insert(1), *two, *script;

    turn(0); /* sent */
    two = insert(2);
    script = tusk_script(db, "insert into transaction_test values (3); insert into transaction_test values (4)");
    is_fine(begin);
    is_fine(one);
    is_fine(two);
    is_fine(script);
    ck_assert_int_eq(committed(), 0);
    is_fine(tusk_commit(db));
    ck_assert_int_eq(committed(), 4);
}
END_TEST

START_TEST(prepared_statements_share_the_sync_too)
{
    tusk_stmt *stmt = tusk_prepare(db, "insert into transaction_test values ($1)", NULL, 0);
    tusk_query *q[5];
    trips since;

    is_fine(tusk_stmt_ready(stmt));
    since = mark();
    q[0] = tusk_begin(db, NULL);
    for (int i = 1; i < 4; i++)
        q[i] = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(i)));
    q[4] = tusk_commit(db);
    is_fine(q[4]);
    took_one_trip(since);
    for (int i = 0; i < 4; i++)
        is_fine(q[i]);
    tusk_stmt_free(stmt);
    ck_assert_int_eq(committed(), 3);
}
END_TEST

static void count_done(tusk_query *q, void *user)
{
    (void)q;
    ++*(int *)user;
}

START_TEST(each_request_of_a_unit_completes_once_when_a_callback_closes_the_connection)
{
    static int n;
    tusk_query *q[4];

    n = 0;
    q[0] = tusk_begin(db, NULL);
    q[1] = tusk_exec(db, "select 1/0", TUSK_NO_PARAMS);
    q[2] = insert(2);
    q[3] = tusk_commit(db);
    for (int i = 0; i < 4; i++)
        tusk_query_on_done(q[i], count_done, &n);
    if (_i == 0)
        disconnect(db);
    else
        while (n < _i)
            turn(TUSK_NONE);
    if (_i > 0)
        disconnect(db);
    db = NULL;
    ck_assert_int_eq(n, 4);
    ck_assert_int_eq(committed(), 0);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("transaction");
    TCase *tcase = tcase_create("live");

    tcase_add_checked_fixture(tcase, counted_up, counted_down);
    tcase_add_test(tcase, begin_insert_and_commit_are_one_round_trip);
    tcase_add_test(tcase, a_cursor_from_begin_to_commit_is_one_round_trip);
    tcase_add_test(tcase, what_is_submitted_before_the_login_is_one_flight_too);
    tcase_add_test(tcase, transactions_follow_one_another_without_waiting_for_the_caller);
    tcase_add_loop_test(tcase, a_transaction_is_of_the_kind_that_was_asked_for, 0, N_OF(kinds));
    tcase_add_test(tcase, a_statement_that_fails_undoes_all_and_the_commit_says_so);
    tcase_add_loop_test(tcase, d35_an_error_behind_rows_that_nobody_reads_undoes_the_transaction, 0, 2);
    tcase_add_test(tcase, what_is_refused_here_turns_the_commit_into_a_rollback);
    tcase_add_loop_test(tcase, a_statement_that_is_canceled_before_it_was_sent_turns_the_commit_into_a_rollback, 0, 2);
    tcase_add_loop_test(tcase, whoever_of_a_unit_is_taken_back_the_others_have_their_answers, 0, 5);
    tcase_add_loop_test(tcase, a_transaction_whose_end_is_taken_back_goes_on, 0, 8);
    tcase_add_loop_test(tcase, an_inner_transaction_whose_end_is_taken_back_goes_on, 0, 4);
    tcase_add_loop_test(tcase, what_stands_behind_an_end_that_is_taken_back_is_not_run, 0, 2);
    tcase_add_loop_test(tcase, all_ends_behind_one_that_is_taken_back_are_as_if_not_called, 0, 2);
    tcase_add_loop_test(tcase, loads_and_stacks_behind_an_end_that_is_taken_back_are_not_run, 0, 2);
    tcase_add_loop_test(tcase, a_transaction_whose_end_finds_no_memory_goes_on, 0, 2);
    tcase_add_loop_test(tcase, a_begin_that_is_refused_leaves_nothing_in_autocommit, 0, 2);
    tcase_add_test(tcase, a_commit_that_a_deferred_constraint_refuses_is_the_servers_error);
    tcase_add_test(tcase, a_commit_without_a_transaction_is_an_error);
    tcase_add_loop_test(tcase, a_nested_transaction_is_a_savepoint, 0, 2);
    tcase_add_loop_test(tcase, an_error_in_a_nested_transaction_that_is_rolled_back_costs_the_outer_one_nothing, 0, 2);
    tcase_add_loop_test(tcase, a_nested_transaction_that_cannot_be_kept_takes_the_outer_one_with_it, 0, 2);
    tcase_add_loop_test(tcase, the_rollback_of_a_savepoint_that_failed_is_fine_and_leaves_the_outer_one_failed, 0, 2);
    tcase_add_test(tcase, inside_a_transaction_that_was_begun_by_text_it_is_a_savepoint_too);
    tcase_add_loop_test(tcase, nothing_slips_into_autocommit_behind_an_end_by_text, 0, 8 * N_OF(text_ends));
    tcase_add_loop_test(tcase, behind_a_chain_by_text_the_transaction_goes_on, 0, 4 * N_OF(chains));
    tcase_add_loop_test(tcase, a_nested_transaction_is_over_behind_a_chain_by_text, 0, 4 * N_OF(chains));
    tcase_add_loop_test(tcase, a_chain_by_a_script_that_was_let_go_is_seen_too, 4, N_OF(chains));
    tcase_add_test(tcase, what_failed_in_front_of_a_chain_is_forgotten);
    tcase_add_loop_test(tcase, a_transaction_that_is_prepared_by_text_is_over, 0, 2);
    tcase_add_test(tcase, what_ends_no_transaction_holds_up_nobody);
    tcase_add_test(tcase, a_commit_by_text_that_fails_is_the_end_too);
    tcase_add_test(tcase, inside_a_transaction_that_a_handle_began_anew_it_is_a_savepoint_too);
    tcase_add_test(tcase, a_plan_that_is_run_waits_for_what_it_stands_in);
    tcase_add_test(tcase, what_was_to_be_kept_prepared_and_was_not_run_is_prepared_the_next_time);
    tcase_add_test(tcase, the_end_of_a_nested_transaction_tells_why_it_failed);
    tcase_add_test(tcase, the_commit_says_that_a_stale_plan_is_worth_a_retry);
    tcase_add_loop_test(tcase, the_rollback_of_what_never_began_is_none_the_less_for_being_canceled, 0, 2);
    tcase_add_loop_test(tcase, the_end_of_what_was_taken_back_is_none_the_less_for_being_canceled, 0, 2);
    tcase_add_test(tcase, a_nested_transaction_has_no_isolation_of_its_own);
    tcase_add_test(tcase, statements_of_later_turns_wait_for_the_transaction_and_are_in_it);
    tcase_add_test(tcase, prepared_statements_share_the_sync_too);
    tcase_add_loop_test(tcase, each_request_of_a_unit_completes_once_when_a_callback_closes_the_connection, 0, 4);
    suite_add_tcase(suite, tcase);
    return suite;
}
