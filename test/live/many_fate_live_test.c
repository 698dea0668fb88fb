/* Loads that are given up, or lost with their connection, in each phase: what the caller is told, and what a second connection sees.
 * Read first: tusk/many.h "Fate", docs/guarantees.md. */
#include "lib/conn.h"
#include "lib/many.h"
#include "test/live/live.h"

enum { N = 5, BLOCKED = 2, MARK = 100 };

static tusk_loop *other_loop; /* of its own: what it asks does not turn the load's */
static tusk_conn *other;

static void up(void)
{
    live_up();
    other_loop = tusk_loop_new();
    other = tusk_connect(other_loop, harness_env("TUSK_TEST_DSN_PLAIN"));
    ck_assert_int_eq(tusk_await_free(tusk_script(other, "drop table if exists many_fate;"
                                                        "create table many_fate (n int4 primary key);"
                                                        "create or replace function many_fate() returns trigger "
                                                        "language plpgsql as "
                                                        "'begin perform pg_sleep(600); return null; end'"),
                                     NULL),
                     TUSK_OK);
    ck_usable(db);
}

static void down(void)
{
    ck_assert_int_eq(tusk_await_free(tusk_script(other, "drop table many_fate; drop function many_fate"), NULL),
                     TUSK_OK);
    disconnect(other);
    tusk_loop_free(other_loop);
    live_down();
}

/* ---- phases ---------------------------------------------------------------------------------------------------------------- */

typedef struct phase {
    const char *name;
    bool is_held;       /* behind another load, whose pull says "not yet" */
    bool is_new;        /* no turn was made */
    int waits_at;       /* the pull says "not yet" there; N: never */
    bool is_blocked;    /* an item waits for another transaction */
    bool commit_blocks; /* … or the commit for a trigger */
    bool is_unseen;     /* it was committed, and nothing of that read */
} phase;

static const phase phases[] = {
    {"held", .is_held = true, .waits_at = N},
    {"new", .is_new = true, .waits_at = N},
    {"all is answered, the pull has no more yet", .waits_at = 3},
    {"an item is run, its end is not sent", .waits_at = 4, .is_blocked = true},
    {"an item is run, its end is sent", .waits_at = N, .is_blocked = true},
    {"the commit is run", .waits_at = N, .commit_blocks = true},
    {"it is committed", .waits_at = N, .is_unseen = true},
};

typedef struct source {
    int waits_at, n_told;
} source;

static tusk_code give(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    const source *s = user;

    (void)err;
    if (item == s->waits_at && item < N)
        return TUSK_AGAIN;
    return item == N ? TUSK_DONE : tusk_many_push(q, TUSK_PARAMS(tusk_int4((int32_t)item)));
}

static void told(tusk_query *q, int64_t item, int64_t rows, const tusk_error *err, void *user)
{
    source *s = user;

    (void)q;
    ck_assert_ptr_null(err);
    ck_assert_int_eq(rows, 1);
    ck_assert_int_eq(item, s->n_told++);
}

static int64_t n_rows(const char *where)
{
    return number_on(other, textf("select count(*) from many_fate where %s", where));
}

/* … about the load's backend. */
static bool is_there(const char *where)
{
    return number_on(other, textf("select count(*) from %s pid = %u", where, tusk_conn_backend_pid(db))) > 0;
}

static bool is_end_sent(const tusk_query *q)
{
    return q->many->is_ended && db->stream >= q->out_end && q->stage == TUSK__STAGE_SENT;
}

static bool is_reached(const tusk_query *q, const phase *p, bool is_inside)
{
    if (p->is_held || p->is_new)
        return true;
    if (p->is_unseen && is_end_sent(q))
        while (!is_inside && n_rows("n < 100") < N) {
        } /* without a turn */
    if (p->is_unseen)
        return is_end_sent(q);
    if (p->waits_at == N ? !is_end_sent(q) : tusk_many_n_items(q) < p->waits_at)
        return false;
    if (p->is_blocked)
        return is_there("pg_locks where not granted and");
    if (p->commit_blocks)
        return is_there("pg_stat_activity where wait_event = 'PgSleep' and");
    return tusk_many_n_answered(q) == p->waits_at;
}

/* ---- ways to end -------------------------------------------------------------------------------------------------------------- */

typedef enum way { CANCEL, DEADLINE, LOSS, N_WAYS } way;

static void end_by(tusk_query *q, way how)
{
    if (how == CANCEL)
        tusk_query_cancel(q);
    else if (how == DEADLINE && !tusk_query_is_done(q)) /* it may have been faster: see is_unseen */
        tusk__deadline_start(q, 1e-6);
    else if (how == LOSS)
        ck_assert_int_eq(number_on(other, textf("select pg_terminate_backend(%u)::int4", tusk_conn_backend_pid(db))),
                         1);
}

/* ---- what is told -------------------------------------------------------------------------------------------------------------- */

static tusk_fate wanted_fate(const phase *p, way how, bool is_atomic, bool is_inside)
{
    if (p->is_held || p->is_new)
        return TUSK_FATE_NOT_SENT;
    if (!is_atomic || p->commit_blocks || p->is_unseen || p->waits_at == N)
        return TUSK_FATE_UNKNOWN;
    return how == LOSS && is_inside ? TUSK_FATE_UNKNOWN : TUSK_FATE_ANSWERED;
}

static tusk_code wanted_code(const phase *p, way how, bool is_atomic, bool is_inside)
{
    if (how != LOSS)
        return how == CANCEL ? TUSK_ERR_CANCELED : TUSK_ERR_TIMEOUT;
    return is_atomic && !is_inside && wanted_fate(p, how, is_atomic, is_inside) == TUSK_FATE_UNKNOWN
               ? TUSK_ERR_COMMIT_UNKNOWN
               : TUSK_ERR_LOST;
}

static void check_told(const tusk_error *err, const phase *p, way how, bool is_atomic, bool is_inside)
{
    tusk_fate fate = wanted_fate(p, how, is_atomic, is_inside);

    ck_assert_msg(err->code == wanted_code(p, how, is_atomic, is_inside) && err->fate == fate, "%s: %s", p->name,
                  said(err));
    if (fate == TUSK_FATE_ANSWERED)
        ck_assert_msg((err->retry == TUSK_RETRY_REQUEST) == !is_inside, "%s: %s", p->name, said(err));
}

/* What the second connection sees, when all is over, is what was told. */
static void check_kept(const tusk_query *q, const phase *p, int64_t n_told, bool is_atomic, bool is_gone)
{
    int64_t n = n_rows("n < 100"), n_certain = n_rows(textf("n < %d", (int)n_told));
    tusk_fate fate = tusk_query_error(q)->fate;

    if (is_gone || (fate != TUSK_FATE_UNKNOWN && tusk_query_code(q) != TUSK_OK))
        ck_assert_msg(n == 0, "%s: %d rows", p->name, (int)n);
    else if (is_atomic)
        ck_assert_msg(n == 0 || n == N, "%s: %d rows", p->name, (int)n);
    else
        ck_assert_msg(n_certain == n_told, "%s: %d of %d rows", p->name, (int)n_certain, (int)n_told);
    if (p->is_unseen && !is_gone)
        ck_assert_int_eq(n, N);
}

/* ---- the tests ------------------------------------------------------------------------------------------------------------------ */

static tusk_query *load(source *s, bool is_atomic, tusk_stmt *stmt)
{
    return tusk_many_submit(db, &(tusk_many_request){.sql = stmt ? NULL : "insert into many_fate values ($1)",
                                                     .stmt = stmt,
                                                     .pull = give,
                                                     .on_item = told,
                                                     .mode = is_atomic ? TUSK_MANY_ATOMIC : TUSK_MANY_EACH,
                                                     .user = s});
}

static void prepare_others(const phase *p)
{
    if (p->commit_blocks)
        run_on(other, "create constraint trigger slow after insert on many_fate deferrable initially deferred "
                      "for each row execute function many_fate()");
    if (p->is_blocked) {
        run_on(other, "begin");
        run_on(other, textf("insert into many_fate values (%d)", BLOCKED));
    }
}

/* How it went on the server: the connection is asked again when the load's answer is through, or is gone. */
static void let_it_end(const phase *p, bool is_inside)
{
    (void)tusk_await_free(tusk_exec(db, "select 1", TUSK_NO_PARAMS), NULL);
    if (p->is_blocked)
        run_on(other, "rollback");
    if (is_inside && tusk_conn_get_state(db) == TUSK_CONN_READY)
        run("commit");
}

/* Which phase × how it ends × mode × outside or inside a transaction × text or handle */
START_TEST(load_that_ends_early_has_the_fate_that_others_see)
{
    const phase *p = &phases[_i % N_OF(phases)];
    way how = (way)(_i / N_OF(phases) % N_WAYS);
    int rest = _i / N_OF(phases) / N_WAYS;
    bool is_atomic = rest & 1, is_inside = rest & 2, is_gone;
    int64_t n_told;
    source s = {.waits_at = p->waits_at}, waiting = {.waits_at = 0};
    tusk_stmt *stmt = rest & 4 ? tusk_prepare(db, "insert into many_fate values ($1::int4)", NULL, 0) : NULL;
    tusk_query *in_front = NULL, *q;

    if ((p->commit_blocks && (!is_atomic || is_inside)) || (p->is_new && how != CANCEL)) {
        tusk_stmt_free(stmt);
        return; /* there is no such thing */
    }
    prepare_others(p);
    if (stmt)
        ck_assert_int_eq(tusk_await_free(tusk_stmt_ready(stmt), NULL), TUSK_OK);
    if (is_inside) {
        run("begin");
        run(textf("insert into many_fate values (%d)", MARK));
    }
    if (p->is_held)
        in_front = load(&waiting, true, NULL);
    q = load(&s, is_atomic, stmt);
    while (!tusk_query_is_done(q) && !is_reached(q, p, is_inside))
        turn(p->is_unseen ? 0 : 0.01); /* what it sends is answered in the next one */
    end_by(q, how);
    (void)tusk_await(q);
    n_told = tusk_many_n_answered(q);
    ck_assert_int_eq(s.n_told, n_told);
    if (!p->is_unseen || tusk_query_code(q) != TUSK_OK) /* then its answer was read before that was seen */
        check_told(tusk_query_error(q), p, how, is_atomic, is_inside);
    ck_assert(tusk_str_is(tusk_query_result_sql(q),
                          stmt ? "insert into many_fate values ($1::int4)" : "insert into many_fate values ($1)"));
    tusk_query_cancel(in_front);
    tusk_query_free(in_front);
    let_it_end(p, is_inside);
    is_gone = is_inside && how == LOSS; /* with its transaction */
    ck_assert_int_eq(n_rows(textf("n = %d", MARK)), is_inside && !is_gone);
    check_kept(q, p, n_told, is_atomic, is_gone);
    tusk_query_free(q);
    tusk_stmt_free(stmt);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("many_fate_live");
    TCase *tcase = tcase_create("many_fate_live");

    tcase_add_checked_fixture(tcase, up, down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, load_that_ends_early_has_the_fate_that_others_see, 0, N_OF(phases) * N_WAYS * 8);
    suite_add_tcase(suite, tcase);
    return suite;
}
