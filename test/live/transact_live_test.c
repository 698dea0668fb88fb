/* Transactions that are repeated: how often, after what, and that only the last attempt is kept.
 * Read first: tusk/transaction.h, "the whole of it". */
#include "test/live/live.h"

static tusk_conn *other;

static void up(void)
{
    live_up();
    other = connect_plain();
    run("drop table if exists transact_test");
    run("create table transact_test (n int4)");
    run("insert into transact_test values (0)");
    ck_usable(other);
}

static void down(void)
{
    run_on(other, "drop table transact_test");
    disconnect(other);
    live_down();
}

static int64_t seen(void)
{
    return number_on(other, "select sum(n) from transact_test");
}

static const tusk_transact_options quick = {.min_delay = 1e-6, .max_delay = 1e-5};

/* ---- blocking ------------------------------------------------------------------------------------------------------------- */

typedef struct plan {
    int n_failures;       /* so many attempts fail, */
    const char *sqlstate; /* with this */
    int n_attempts;
} plan;

static const char *raising(const char *sqlstate)
{
    return textf("do $$ begin raise exception 'planned' using errcode = '%s'; end $$", sqlstate);
}

static tusk_code add_one(tusk_conn *conn, void *user, tusk_error *err)
{
    plan *p = user;
    tusk_code code = tusk_await_free(tusk_exec(conn, "update transact_test set n = n + 1", TUSK_NO_PARAMS), err);

    if (code == TUSK_OK && p->n_attempts++ < p->n_failures)
        code = tusk_await_free(tusk_exec(conn, raising(p->sqlstate), TUSK_NO_PARAMS), err);
    return code;
}

static const struct {
    int n_failures, n_attempts;
    const char *sqlstate;
    unsigned max_attempts;
} plans[] = {
    {0, 1, "", 0},      {1, 2, "40001", 0}, {3, 4, "40P01", 0}, {4, 5, "40001", 0}, {5, 5, "40001", 0}, /* given up */
    {1, 1, "40001", 1}, /* not to be repeated */
    {1, 1, "23505", 0}, /* nothing that repeating would help */
};

START_TEST(it_is_repeated_as_often_as_it_may_and_kept_once)
{
    plan p = {plans[_i].n_failures, plans[_i].sqlstate, 0};
    tusk_transact_options options = quick;
    tusk_error err = {0};
    bool is_kept = plans[_i].n_attempts > plans[_i].n_failures;
    tusk_code code;

    options.max_attempts = plans[_i].max_attempts;
    code = tusk_transact(db, &options, add_one, &p, &err);
    ck_assert_msg(code == (is_kept ? TUSK_OK : TUSK_ERR_SERVER), "%s", said(&err));
    ck_assert_int_eq(p.n_attempts, plans[_i].n_attempts);
    if (!is_kept)
        ck_assert_str_eq(err.sqlstate, plans[_i].sqlstate);
    ck_assert_int_eq(seen(), is_kept);
    ck_assert_int_eq(tusk_conn_tx_depth(db), 0);
    ck_usable(db);
}
END_TEST

/* Nobody looks at the statement that fails: the commit tells. */
static tusk_code without_looking(tusk_conn *conn, void *user, tusk_error *err)
{
    plan *p = user;

    (void)err;
    tusk_query_free(tusk_exec(conn, "update transact_test set n = n + 1", TUSK_NO_PARAMS));
    if (p->n_attempts++ < p->n_failures)
        tusk_query_free(tusk_exec(conn, raising("40001"), TUSK_NO_PARAMS));
    return TUSK_OK;
}

/* … or a statement behind it, which has met a failed transaction only. */
static tusk_code looking_too_late(tusk_conn *conn, void *user, tusk_error *err)
{
    (void)without_looking(conn, user, err);
    return tusk_await_free(tusk_exec(conn, "select 1", TUSK_NO_PARAMS), err);
}

START_TEST(it_is_repeated_also_for_what_nobody_looked_at)
{
    plan p = {2, "40001", 0};
    tusk_error err = {0};

    ck_assert_msg(tusk_transact(db, &quick, _i ? looking_too_late : without_looking, &p, &err) == TUSK_OK, "%s",
                  said(&err));
    ck_assert_int_eq(p.n_attempts, 3);
    ck_assert_int_eq(seen(), 1);
}
END_TEST

/* A neighbour commits between what is read and what is written, in the first attempt. */
static tusk_code read_then_write(tusk_conn *conn, void *user, tusk_error *err)
{
    int *n_attempts = user;

    (void)number_on(conn, "select n from transact_test");
    if (++*n_attempts == 1)
        run_on(other, "update transact_test set n = n + 10");
    return tusk_await_free(tusk_exec(conn, "update transact_test set n = n + 1", TUSK_NO_PARAMS), err);
}

START_TEST(a_real_conflict_is_repeated)
{
    tusk_transact_options options = {.transaction = {.isolation = TUSK_REPEATABLE_READ}, .min_delay = 1e-6};
    tusk_error err = {0};
    int n_attempts = 0;

    ck_assert_msg(tusk_transact(db, &options, read_then_write, &n_attempts, &err) == TUSK_OK, "%s", said(&err));
    ck_assert_int_eq(n_attempts, 2);
    ck_assert_int_eq(seen(), 11);
}
END_TEST

START_TEST(inside_another_transaction_it_is_a_savepoint_and_not_repeated)
{
    plan p = {1, "40001", 0};
    tusk_error err = {0};

    tusk_query_free(tusk_begin(db, NULL));
    ck_assert_int_eq(tusk_transact(db, &quick, add_one, &p, &err), TUSK_ERR_SERVER);
    ck_assert_int_eq(p.n_attempts, 1);
    ck_assert_msg(tusk_transact(db, &quick, add_one, &p, &err) == TUSK_OK, "%s", said(&err));
    ck_assert_int_eq(seen(), 0);
    ck_assert_msg(tusk_await_free(tusk_commit(db), &err) == TUSK_OK, "%s", said(&err));
    ck_assert_int_eq(seen(), 1);
}
END_TEST

static tusk_code forgetful(tusk_conn *conn, void *user, tusk_error *err)
{
    tusk_query_free(tusk_begin(conn, NULL));
    return add_one(conn, user, err);
}

START_TEST(an_inner_transaction_that_is_left_open_is_a_mistake)
{
    plan p = {0, "", 0};
    tusk_error err = {0};

    ck_assert_int_eq(tusk_transact(db, NULL, forgetful, &p, &err), TUSK_ERR_USAGE);
    ck_assert_int_eq(tusk_conn_tx_depth(db), 0);
    ck_assert_int_eq(seen(), 0);
    ck_usable(db);
}
END_TEST

static tusk_code committing_by_itself(tusk_conn *conn, void *user, tusk_error *err)
{
    tusk_code code = add_one(conn, user, err);

    return code == TUSK_OK ? tusk_await_free(tusk_commit(conn), err) : code;
}

/* What it has ended is ended; the one around it is nobody's to end but the caller's. */
START_TEST(a_function_that_ends_its_own_transaction_is_a_mistake_that_leaves_the_outer_one_alone)
{
    plan p = {0, "", 0};
    tusk_error err = {0};

    tusk_query_free(tusk_begin(db, NULL));
    ck_assert_int_eq(tusk_transact(db, NULL, committing_by_itself, &p, &err), TUSK_ERR_USAGE);
    ck_assert_str_eq(err.message, "the transaction was ended inside of it");
    ck_assert_int_eq(tusk_conn_tx_depth(db), 1);
    ck_assert_int_eq(seen(), 0);
    ck_assert_msg(tusk_await_free(tusk_commit(db), &err) == TUSK_OK, "%s", said(&err));
    ck_assert_int_eq(seen(), 1);
}
END_TEST

/* A transaction in a transaction, each by tusk_transact(): the inner function ends more than it may, by a call or by text. What it has ended
 * is kept or undone as it said, its own result is a mistake, and the outer one is whatever is left of it. */
static const struct {
    const char *name, *text;
    int n_commits, n_rollbacks;
    tusk_code inner;
    int depth;       /* behind the inner one, in the outer function */
    int64_t at_once; /* rows that others see then */
    tusk_code outer;
    int64_t in_the_end;
} endings[] = {
    {"its own is committed", NULL, 1, 0, TUSK_ERR_USAGE, 1, 0, TUSK_OK, 1},
    {"its own is rolled back", NULL, 0, 1, TUSK_ERR_USAGE, 1, 0, TUSK_OK, 0},
    {"both are committed", NULL, 2, 0, TUSK_ERR_USAGE, 0, 1, TUSK_ERR_USAGE, 1},
    {"both are rolled back", NULL, 0, 2, TUSK_ERR_USAGE, 0, 0, TUSK_ERR_USAGE, 0},
    {"committed by text", "commit", 0, 0, TUSK_ERR_STATE, 1, 1, TUSK_ERR_STATE, 1},
    {"rolled back by text", "rollback", 0, 0, TUSK_ERR_STATE, 1, 0, TUSK_ERR_STATE, 0},
    {"committed by text, and another one begun", "commit and chain", 0, 0, TUSK_ERR_STATE, 1, 1, TUSK_ERR_ROLLED_BACK,
     1},
};

static tusk_code ending(tusk_conn *conn, void *user, tusk_error *err)
{
    int i = *(int *)user;
    plan p = {0, "", 0};
    tusk_code code = add_one(conn, &p, err);

    if (code == TUSK_OK && endings[i].text)
        code = tusk_await_free(tusk_exec(conn, endings[i].text, TUSK_NO_PARAMS), err);
    for (int n = 0; code == TUSK_OK && n < endings[i].n_commits; n++)
        code = tusk_await_free(tusk_commit(conn), err);
    for (int n = 0; code == TUSK_OK && n < endings[i].n_rollbacks; n++)
        code = tusk_await_free(tusk_rollback(conn), err);
    return code;
}

static tusk_code around(tusk_conn *conn, void *user, tusk_error *err)
{
    int i = *(int *)user;
    tusk_error inner = {0};

    (void)err;
    ck_assert_msg(tusk_transact(conn, NULL, ending, user, &inner) == endings[i].inner, "%s: %s", endings[i].name,
                  said(&inner));
    if (endings[i].inner == TUSK_ERR_USAGE)
        ck_assert_str_eq(inner.message, "the transaction was ended inside of it");
    else
        ck_assert_str_eq(inner.message,
                         textf("not run: the transaction is over: it was ended by exec \"%s\"", endings[i].text));
    ck_assert_int_eq(tusk_conn_tx_depth(conn), endings[i].depth);
    ck_assert_int_eq(seen(), endings[i].at_once);
    return TUSK_OK;
}

START_TEST(a_nested_function_that_ends_its_transaction_is_told_so_and_what_it_ended_stays_ended)
{
    int i = _i;
    tusk_error err = {0};

    ck_assert_msg(tusk_transact(db, NULL, around, &i, &err) == endings[i].outer, "%s: %s", endings[i].name, said(&err));
    ck_assert_int_eq(seen(), endings[i].in_the_end);
    ck_assert_int_eq(tusk_conn_tx_depth(db), 0);
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IDLE);
    ck_usable(db);
}
END_TEST

/* What it gives for a reason need be none: a code that is no error's, and a struct that it has not filled, or not to its end. */
static const struct {
    tusk_code code;
    tusk_error err;
    tusk_code want_code;
    const char *want_sqlstate, *want_message;
} reasons[] = {
    {(tusk_code)-1, {0}, TUSK_ERR_USAGE, "42601", "%s gave -1 for its code, which is that of no error"},
    {TUSK_AGAIN, {0}, TUSK_ERR_USAGE, "42601", "%s gave 1 for its code, which is that of no error"},
    {(tusk_code)4711,
     {.message = "?"},
     TUSK_ERR_USAGE,
     "42601",
     "%s gave 4711 for its code, which is that of no error"},
    {TUSK_ERR_SERVER, {0}, TUSK_ERR_SERVER, "XX000", "%s gave no reason"},
    {TUSK_ERR_VALUE, {.sqlstate = "22012"}, TUSK_ERR_VALUE, "22012", "%s gave no reason"},
    {TUSK_ERR_VALUE, {.sqlstate = "00000", .message = "two\nlines"}, TUSK_ERR_VALUE, "22P03", "two lines"},
    {TUSK_ERR_VALUE, {.sqlstate = "?", .message = "cold"}, TUSK_ERR_VALUE, "22P03", "cold"},
};

static tusk_error given_reason(int i)
{
    tusk_error err = reasons[i].err;

    err.code = reasons[i].code;
    return err;
}

static tusk_code giving_a_reason(tusk_conn *conn, void *user, tusk_error *err)
{
    int i = *(int *)user;

    (void)conn;
    if (reasons[i].err.sqlstate[0] || reasons[i].err.message[0])
        *err = given_reason(i);
    return reasons[i].code;
}

static void ending_for_a_reason(tusk_attempt *attempt, void *user)
{
    tusk_error err = given_reason(*(int *)user);

    tusk_attempt_end(attempt, &err);
}

START_TEST(a_reason_that_is_none_is_told_as_such)
{
    tusk_error err = {0};
    int i = _i / 2;
    const char *who = _i & 1 ? "the attempt" : "the function that makes the transaction";
    char want[128];

    if (_i & 1)
        (void)tusk_await_free(tusk_transact_start(db, NULL, ending_for_a_reason, &i), &err);
    else
        ck_assert_int_eq(tusk_transact(db, NULL, giving_a_reason, &i, &err), reasons[i].want_code);
    snprintf(want, sizeof want, "%s%s", reasons[i].want_message[0] == '%' ? who : "",
             reasons[i].want_message + (reasons[i].want_message[0] == '%' ? 2 : 0));
    ck_error(&err, reasons[i].want_code, reasons[i].want_sqlstate, want);
    ck_assert_int_eq(tusk_conn_tx_depth(db), 0);
    ck_usable(db);
}
END_TEST

/* Whatever it has left in *err, and even if a statement of it failed. */
static tusk_code changing_its_mind(tusk_conn *conn, void *user, tusk_error *err)
{
    ck_assert_int_eq(tusk_await_free(tusk_exec(conn, "update transact_test set n = n + 1", TUSK_NO_PARAMS), NULL),
                     TUSK_OK);
    if (*(bool *)user)
        ck_assert_int_eq(tusk_await_free(tusk_exec(conn, "select 1 / 0", TUSK_NO_PARAMS), err), TUSK_ERR_SERVER);
    return TUSK_DONE;
}

START_TEST(a_function_may_change_its_mind)
{
    bool fails = _i;
    tusk_error err = {0};

    ck_assert_int_eq(tusk_transact(db, NULL, changing_its_mind, &fails, &err), TUSK_DONE);
    ck_assert_int_eq(err.code, TUSK_OK);
    ck_assert_int_eq(seen(), 0);
    ck_assert_int_eq(tusk_conn_tx_depth(db), 0);
    ck_usable(db);
}
END_TEST

START_TEST(a_begin_that_fails_is_the_error_of_all)
{
    tusk_transact_options options = {.transaction = {.isolation = (tusk_isolation)9}};
    plan p = {0, "", 0};
    tusk_error err = {0};

    ck_assert_int_eq(tusk_transact(db, &options, add_one, &p, &err), TUSK_ERR_USAGE);
    ck_assert_int_eq(seen(), 0);
    ck_usable(db);
}
END_TEST

/* ---- behind an end that is taken back ----

 * It is open again, under the attempt, which did not begin: what the attempt ends is its own. */

static tusk_query *outer_end;

static void take_end_back(tusk_attempt *attempt, void *user)
{
    (void)user;
    tusk_query_free(tusk_exec(tusk_attempt_conn(attempt), "update transact_test set n = n + 10", TUSK_NO_PARAMS));
    tusk_query_cancel(outer_end);
    tusk_attempt_end(attempt, NULL);
}

static tusk_code take_end_back_and_wait(tusk_conn *conn, void *user, tusk_error *err)
{
    tusk_query *q = tusk_exec(conn, "update transact_test set n = n + 10", TUSK_NO_PARAMS);

    (void)user;
    tusk_query_cancel(outer_end);
    return tusk_await_free(q, err);
}

START_TEST(an_attempt_behind_an_end_that_is_taken_back_does_not_end_the_transaction_in_front)
{
    tusk_query *slow;
    tusk_error err = {0};

    tusk_query_free(tusk_begin(db, NULL));
    run("update transact_test set n = n + 1");
    slow = tusk_submit(db, &(tusk_request){.sql = "select pg_sleep(0.05)", .cancelable = true});
    outer_end = tusk_commit(db); /* held: nothing goes behind what may be canceled */
    if (_i)
        ck_assert_int_eq(tusk_transact(db, NULL, take_end_back_and_wait, NULL, &err), TUSK_ERR_CANCELED);
    else
        ck_assert_int_eq(tusk_await_free(tusk_transact_start(db, NULL, take_end_back, NULL), &err), TUSK_ERR_CANCELED);
    ck_assert_int_eq(err.fate, TUSK_FATE_NOT_SENT);
    ck_assert_int_eq(tusk_await_free(outer_end, &err), TUSK_ERR_CANCELED);
    ck_assert_int_eq(tusk_await_free(slow, NULL), TUSK_OK);
    ck_assert_int_eq(tusk_conn_tx_depth(db), 1);
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IN_TRANSACTION);
    ck_assert_msg(tusk_await_free(tusk_commit(db), &err) == TUSK_OK, "%s", said(&err));
    ck_assert_int_eq(seen(), 1);
}
END_TEST

/* ---- with callbacks -------------------------------------------------------------------------------------------------------------- */

static unsigned n_attempts, n_failures;

static void on_done(tusk_query *q, void *user)
{
    tusk_attempt_end(user, tusk_query_error(q));
}

static void all_at_once(tusk_attempt *attempt, void *user)
{
    tusk_conn *conn = tusk_attempt_conn(attempt);

    (void)user;
    n_attempts = tusk_attempt_number(attempt);
    tusk_query_free(tusk_exec(conn, "update transact_test set n = n + 1", TUSK_NO_PARAMS));
    if (n_attempts <= n_failures)
        tusk_query_free(tusk_exec(conn, raising("40001"), TUSK_NO_PARAMS));
    tusk_attempt_end(attempt, NULL);
}

static void step_by_step(tusk_attempt *attempt, void *user)
{
    (void)user;
    n_attempts = tusk_attempt_number(attempt);
    tusk_query_free(tusk_exec(tusk_attempt_conn(attempt), "update transact_test set n = n + 1", TUSK_NO_PARAMS));
    (void)tusk_submit(tusk_attempt_conn(attempt),
                      &(tusk_request){.sql = n_attempts <= n_failures ? raising("40P01") : "select 1",
                                      .on_done = on_done,
                                      .user = attempt});
}

START_TEST(with_callbacks_it_is_the_same)
{
    tusk_query *q;

    n_failures = (unsigned)_i >> 1;
    q = tusk_transact_start(db, &quick, _i & 1 ? step_by_step : all_at_once, NULL);
    if (n_failures < 5)
        ck_ok(q);
    else
        ck_assert_int_ne(tusk_await(q), TUSK_OK);
    ck_assert_uint_eq(n_attempts, n_failures < 5 ? n_failures + 1 : 5);
    tusk_query_free(q);
    ck_assert_int_eq(seen(), n_failures < 5);
    ck_usable(db);
}
END_TEST

static void never_ends(tusk_attempt *attempt, void *user)
{
    tusk_query_free(tusk_exec(tusk_attempt_conn(attempt), "update transact_test set n = n + 1", TUSK_NO_PARAMS));
    *(tusk_attempt **)user = attempt;
}

static void note_code(tusk_query *q, void *user)
{
    *(tusk_code *)user = tusk_query_code(q);
}

/* Before its first attempt, in it, and while its commit is under way. */
START_TEST(the_end_of_the_loop_is_its_end_too)
{
    tusk_attempt *attempt = NULL;
    tusk_code code = TUSK_AGAIN;
    tusk_conn *conn;

    down();
    live_loop_up();
    conn = connect_plain();
    ck_usable(conn);
    tusk_query_on_done(tusk_transact_start(conn, NULL, never_ends, &attempt), note_code, &code);
    for (int i = 0; i < _i; i++)
        turn(0);
    if (_i == 3) {
        ck_assert_ptr_nonnull(attempt);
        tusk_attempt_end(attempt, NULL);
    }
    tusk_loop_free(loop);
    ck_assert_int_eq(code, TUSK_ERR_CANCELED);
    up();
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("transact");
    TCase *tcase = tcase_create("live");

    tcase_add_checked_fixture(tcase, up, down);
    tcase_add_loop_test(tcase, it_is_repeated_as_often_as_it_may_and_kept_once, 0, N_OF(plans));
    tcase_add_loop_test(tcase, it_is_repeated_also_for_what_nobody_looked_at, 0, 2);
    tcase_add_test(tcase, a_real_conflict_is_repeated);
    tcase_add_test(tcase, inside_another_transaction_it_is_a_savepoint_and_not_repeated);
    tcase_add_test(tcase, an_inner_transaction_that_is_left_open_is_a_mistake);
    tcase_add_test(tcase, a_function_that_ends_its_own_transaction_is_a_mistake_that_leaves_the_outer_one_alone);
    tcase_add_loop_test(tcase, a_function_may_change_its_mind, 0, 2);
    tcase_add_loop_test(tcase, a_nested_function_that_ends_its_transaction_is_told_so_and_what_it_ended_stays_ended, 0,
                        N_OF(endings));
    tcase_add_loop_test(tcase, a_reason_that_is_none_is_told_as_such, 0, 2 * N_OF(reasons));
    tcase_add_test(tcase, a_begin_that_fails_is_the_error_of_all);
    tcase_add_loop_test(tcase, an_attempt_behind_an_end_that_is_taken_back_does_not_end_the_transaction_in_front, 0, 2);
    tcase_add_loop_test(tcase, with_callbacks_it_is_the_same, 0, 12);
    tcase_add_loop_test(tcase, the_end_of_the_loop_is_its_end_too, 0, 4);
    suite_add_tcase(suite, tcase);
    return suite;
}
