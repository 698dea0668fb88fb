/* Behind a PgBouncer that says DISCARD ALL to a session behind every transaction, between the items of a load, too: nothing that Tusk has
 * on a session is missed, as it leaves nothing there. And behind every client, in session mode: who is next finds nothing of him.
 * Read first: docs/guide.md, "Behind a pooler"; test/live/pooler.h. */
#include "test/live/pooler.h"

enum { ITEMS = 200 };

static void start(void)
{
    pooler_start_with("TUSK_POOLER_SETTING='server_reset_query_always = 1'");
}

static tusk_code give(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    bool *has_waited = user;

    (void)err;
    if (item == ITEMS / 2 && !*has_waited) { /* until all is answered, and the session is reset */
        *has_waited = true;
        return TUSK_AGAIN;
    }
    return item == ITEMS ? TUSK_DONE : tusk_many_push(q, TUSK_PARAMS(tusk_int4((int32_t)item)));
}

/* Mode × outside or inside × text or handle; another client takes a session in the middle. */
START_TEST(load_goes_on_behind_discard_all)
{
    bool is_atomic = _i & 1, is_inside = _i & 2, has_waited = false;
    static const char sql[] = "insert into pooler_reset values ($1::int4) returning a";
    tusk_conn *admin, *conn;
    tusk_stmt *stmt;
    tusk_query *q;

    if (pooler_why_not[0])
        return;
    admin = pooler_connect("session", "session");
    run_on(admin, "drop table if exists pooler_reset");
    run_on(admin, "create table pooler_reset (a int4 primary key)");
    conn = pooler_connect("transaction", "transaction");
    stmt = _i & 4 ? tusk_prepare(conn, sql, NULL, 0) : NULL;
    if (is_inside)
        run_on(conn, "begin");
    q = tusk_many_submit(conn, &(tusk_many_request){.sql = stmt ? NULL : sql,
                                                    .stmt = stmt,
                                                    .pull = give,
                                                    .mode = is_atomic ? TUSK_MANY_ATOMIC : TUSK_MANY_EACH,
                                                    .user = &has_waited});
    while (!has_waited || tusk_many_n_answered(q) < ITEMS / 2)
        turn(TUSK_NONE);
    for (int i = 0; i < 5; i++)
        run_on(admin, "select 1");
    ck_assert_int_eq(tusk_many_resume(q), TUSK_OK);
    ck_ok(q);
    ck_assert_int_eq(tusk_many_n_failed(q), 0);
    ck_assert_uint_eq(tusk_query_n_rows(q), ITEMS);
    tusk_query_free(q);
    if (is_inside)
        run_on(conn, "commit");
    ck_assert_int_eq(number_on(admin, "select count(*) from pooler_reset"), ITEMS);
    tusk_stmt_free(stmt);
    disconnect(conn);
    run_on(admin, "drop table pooler_reset");
    disconnect(admin);
}
END_TEST

/* A session of somebody who has gone, with his statements and settings, is nobody's any more. */
START_TEST(next_client_of_a_session_finds_nothing_of_the_one_before)
{
    tusk_conn *conn;

    if (pooler_why_not[0])
        return;
    for (int i = 0; i < 10; i++) {
        conn = pooler_connect("session", "session");
        ck_assert_int_eq(
            number_on(conn, "select count(*) from pg_prepared_statements where statement like 'select 1 as%'"), 0);
        for (int n = 0; n < 3; n++)
            ck_assert_int_eq(number_on(conn, "select 1 as pooled"), 1);
        disconnect(conn);
    }
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("pooler_reset_live");
    TCase *tcase = tcase_create("pooler_reset_live");

    tcase_add_unchecked_fixture(tcase, start, pooler_stop);
    tcase_add_checked_fixture(tcase, live_loop_up, live_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, load_goes_on_behind_discard_all, 0, 8);
    tcase_add_test(tcase, next_client_of_a_session_finds_nothing_of_the_one_before);
    suite_add_tcase(suite, tcase);
    return suite;
}
