/* What a warm query costs: no heap call of ours, and one send, one wait, one receive. Counted through the allocator and the
 * system-call table that the loop is given; time decides nothing here.
 * bench/figures prints the same of the whole process, OpenSSL included.
 * Read first: docs/performance.md, test/harness/fail_os.h. */
#include "test/live/live.h"

#include "test/harness/fail_alloc.h"
#include "test/harness/fail_os.h"

enum { WARM_UP = 20, QUERIES = 500, DEPTH = 64 };

static fail_alloc heap;
static fail_os world;
static atomic_long n_frees;

/* What fail_alloc does not count. */
static void (*real_free)(void *ptr, void *user);

static void counting_free(void *ptr, void *user)
{
    n_frees += ptr != NULL;
    real_free(ptr, user);
}

static void up_by(const char *dsn)
{
    tusk_loop_config config = {.allocator = &heap.allocator};
    tusk_error err = {0};

    fail_alloc_init(&heap, 0, false);
    real_free = heap.allocator.free;
    heap.allocator.free = counting_free;
    fail_os_init(&world, OS_SEND, 0, 0, false);
    loop = tusk__loop_open_on(&world.os, &config, &err);
    ck_assert_msg(loop != NULL, "%s", said(&err));
    db = tusk_connect(loop, dsn);
    ck_assert_ptr_nonnull(db);
    ck_assert_msg(tusk_await_free(tusk_conn_ready(db), &err) == TUSK_OK, "%s", said(&err));
}

static void down(void)
{
    (void)tusk_await_free(tusk_close(db), NULL);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    loop = NULL;
    db = NULL;
    ck_assert_int_eq(heap.live, 0);
}

/* ---- what was counted since the mark ---- */

typedef struct counts {
    long heap, frees, sends, waits, receives;
    long
        alarms; /* one a second or two, whatever else happens, for the ticks of the connection and the loop; each rings once */
    long others;
} counts;

static counts now(void)
{
    counts c = {
        heap.n, n_frees, world.n[OS_SEND], world.n[OS_EPOLL_WAIT], world.n[OS_RECV], world.n[OS_TIMERFD_SETTIME], 0};

    for (int call = 0; call < N_OS_CALLS; call++)
        if (call != OS_SEND && call != OS_EPOLL_WAIT && call != OS_RECV && call != OS_TIMERFD_SETTIME)
            c.others += world.n[call];
    return c;
}

static counts since(counts mark)
{
    counts c = now();

    return (counts){c.heap - mark.heap,         c.frees - mark.frees,   c.sends - mark.sends,  c.waits - mark.waits,
                    c.receives - mark.receives, c.alarms - mark.alarms, c.others - mark.others};
}

/* ---- scenarios ---- */

static tusk_stmt *prepared(const char *sql)
{
    static const uint32_t int4[] = {TUSK_OID_INT4};
    tusk_stmt *stmt = tusk_prepare(db, sql, int4, 1);
    tusk_error err = {0};

    ck_assert_ptr_nonnull(stmt);
    ck_assert_msg(tusk_await_free(tusk_stmt_ready(stmt), &err) == TUSK_OK, "%s", said(&err));
    return stmt;
}

static const char mixed[] = "select n % 2 = 0, n, n::int8, n * 0.5::float8, 'text ' || n % 10, now(), current_date, "
                            "case when n % 2 = 0 then n end from generate_series(1, $1) n";
static int64_t sum;

static void read_row(const tusk_row *row)
{
    sum += tusk_get_bool(row, 0) + tusk_get_int4(row, 1) + tusk_get_int8(row, 2) + (int64_t)tusk_get_float8(row, 3) +
           (int64_t)tusk_get_text(row, 4).len + tusk_get_timestamptz(row, 5) % 2 + tusk_get_date(row, 6) % 2;
    if (!tusk_is_null(row, 7))
        sum += tusk_get_int4(row, 7);
}

static void awaited(tusk_stmt *stmt, int n_rows, int n)
{
    tusk_row row;

    for (int i = 0; i < n; i++) {
        tusk_query *q = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(n_rows)));

        ck_ok(q);
        ck_assert_uint_eq(tusk_query_n_rows(q), (size_t)n_rows);
        while (tusk_next_row(q, &row))
            read_row(&row);
        ck_assert_int_eq(tusk_query_value_error(q)->code, TUSK_OK);
        tusk_query_free(q);
    }
}

static int n_left, n_rows_left;

static void on_row(tusk_query *q, const tusk_row *row, void *user)
{
    (void)q;
    (void)user;
    read_row(row);
    n_rows_left--;
}

static void on_done(tusk_query *q, void *user);

static void submit(tusk_stmt *stmt)
{
    tusk_request request = {.stmt = stmt, .on_row = on_row, .on_done = on_done, .user = stmt, .timeout = 60};
    tusk_value n_rows = tusk_int4(n_rows_left);

    request.params = tusk_params_of(&n_rows, 1);
    ck_assert_ptr_nonnull(tusk_submit(db, &request));
}

static int rows_each;

static void on_done(tusk_query *q, void *user)
{
    ck_assert_msg(tusk_query_code(q) == TUSK_OK, "%s", said(tusk_query_error(q)));
    ck_assert_int_eq(n_rows_left, 0);
    n_rows_left = rows_each;
    if (--n_left == 0)
        tusk_loop_stop(loop);
    else
        submit(user);
}

static void called_back(tusk_stmt *stmt, int n_rows, int n)
{
    n_left = n;
    n_rows_left = rows_each = n_rows;
    submit(stmt);
    ck_assert_int_eq(tusk_loop_run(loop, NULL), TUSK_OK);
    ck_assert_int_eq(n_left, 0);
}

static void streamed(tusk_stmt *stmt, int n_rows, int n)
{
    tusk_row row;

    for (int i = 0; i < n; i++) {
        tusk_query *q = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(n_rows)));
        int rows = 0;

        for (; tusk_next_row(q, &row); rows++)
            read_row(&row);
        ck_ok(q);
        ck_assert_int_eq(rows, n_rows);
        tusk_query_free(q);
    }
}

/* ---- one query at a time ---- */

static const struct {
    const char *name;
    void (*run)(tusk_stmt *stmt, int n_rows, int n);
} styles[] = {{"awaited", awaited}, {"with callbacks", called_back}, {"streamed", streamed}};
static const int row_counts[] = {0, 1, 100};

/* 100 rows are 7 KiB: one piece of what the server sends. A piece may still come in two, so a few receives more are none of
 * our doing, and each comes with its wait. */
static void check_warm(const char *dsn, int i)
{
    int n_rows = row_counts[i % N_OF(row_counts)];
    const char *name = styles[i / N_OF(row_counts)].name;
    tusk_stmt *stmt;
    counts mark, cost;

    up_by(dsn);
    stmt = prepared(mixed);
    styles[i / N_OF(row_counts)].run(stmt, n_rows, WARM_UP);
    mark = now();
    styles[i / N_OF(row_counts)].run(stmt, n_rows, QUERIES);
    cost = since(mark);
    ck_assert_msg(cost.heap == 0 && cost.frees == 0, "%s, %d rows: %ld allocations, %ld frees", name, n_rows, cost.heap,
                  cost.frees);
    ck_assert_msg(cost.sends == QUERIES, "%s, %d rows: %ld sends", name, n_rows, cost.sends);
    ck_assert_msg(cost.receives >= QUERIES && cost.receives <= QUERIES + QUERIES / 10, "%s, %d rows: %ld receives",
                  name, n_rows, cost.receives);
    ck_assert_msg(cost.waits >= cost.receives && cost.waits <= cost.receives + QUERIES / 10,
                  "%s, %d rows: %ld waits for %ld receives", name, n_rows, cost.waits, cost.receives);
    ck_assert_msg(cost.alarms <= QUERIES / 10, "%s, %d rows: the alarm was set %ld times", name, n_rows, cost.alarms);
    ck_assert_msg(cost.others == 0, "%s, %d rows: %ld other system calls", name, n_rows, cost.others);
    tusk_stmt_free(stmt);
    down();
}

START_TEST(a_warm_query_allocates_nothing_and_takes_three_system_calls)
{
    check_warm(harness_dsn_with("drv", "sslmode=disable"), _i);
}
END_TEST

START_TEST(a_warm_query_over_tls_takes_no_more)
{
    check_warm(harness_dsn("drv"), _i);
}
END_TEST

/* ---- in the pipeline ---- */

static void pipelined(tusk_stmt *stmt, int n)
{
    tusk_query *in_flight[DEPTH];
    tusk_row row;

    for (int sent = 0, done = 0; done < n; done++) {
        for (; sent < n && sent - done < DEPTH; sent++)
            in_flight[sent % DEPTH] = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(1)));
        ck_ok(in_flight[done % DEPTH]);
        while (tusk_next_row(in_flight[done % DEPTH], &row))
            read_row(&row);
        tusk_query_free(in_flight[done % DEPTH]);
    }
}

/* All that is submitted between two waits leaves in one send: never more sends than waits. */
START_TEST(a_pipeline_sends_once_per_turn_and_allocates_nothing)
{
    tusk_stmt *stmt;
    counts mark, cost;

    up_by(harness_dsn_with("drv", "sslmode=disable"));
    stmt = prepared(mixed);
    pipelined(stmt, 10 * DEPTH);
    mark = now();
    pipelined(stmt, 100 * DEPTH);
    cost = since(mark);
    ck_assert_int_eq(cost.heap, 0);
    ck_assert_int_eq(cost.frees, 0);
    ck_assert_int_le(cost.sends, cost.waits);
    ck_assert_int_le(cost.sends, 100 * DEPTH);
    ck_assert_int_eq(cost.others, 0);
    tusk_stmt_free(stmt);
    down();
}
END_TEST

/* ---- stacks ---- */

enum { OPERATIONS = 10 };

static counts cost_of_stacks(tusk_stack *stack, int n)
{
    counts mark = now();
    tusk_row row;

    for (int i = 0; i < n; i++) {
        tusk_query *q = tusk_stack_run(stack, TUSK_STACK_ATOMIC);

        ck_ok(q);
        do {
            ck_assert(tusk_next_row(q, &row));
            ck_assert_int_eq(tusk_get_int4(&row, 0), 4);
        } while (tusk_next_result(q));
        tusk_query_free(q);
    }
    return since(mark);
}

/* Its four arrays, and each further result with its row; nothing for what its statements are. */
START_TEST(a_warm_stack_allocates_for_its_results_alone)
{
    tusk_stack *stack;
    counts cost;

    up_by(harness_dsn_with("drv", "sslmode=disable"));
    stack = tusk_stack_new(db);
    for (int i = 0; i < OPERATIONS; i++)
        (void)tusk_stack_push(stack, i % 2 ? "select $1 + 0" : "select $1 - 0", TUSK_PARAMS(tusk_int4(4)));
    (void)cost_of_stacks(stack, WARM_UP);
    cost = cost_of_stacks(stack, QUERIES);
    ck_assert_msg(cost.heap <= QUERIES * (4 + 3 * (OPERATIONS - 1)), "%ld allocations", cost.heap);
    ck_assert_int_eq(cost.heap, cost.frees);
    ck_assert_int_eq(cost.sends, QUERIES);
    tusk_stack_free(stack);
    down();
}
END_TEST

/* ---- with names ---- */

static tusk_named *named;

static tusk_query *by_number(tusk_stmt *stmt)
{
    (void)stmt;
    return tusk_exec(db, "select $1::int4 - $2", TUSK_PARAMS(tusk_int4(7), tusk_int4(3)));
}

static tusk_query *by_name(tusk_stmt *stmt)
{
    (void)stmt;
    return tusk_submit(db,
                       &(tusk_request){.named = named, .args = TUSK_ARGS({"b", tusk_int4(3)}, {"a", tusk_int4(7)})});
}

static tusk_query *prepared_by_name(tusk_stmt *stmt)
{
    tusk_params params;

    ck_assert_int_eq(tusk_named_bind(named, TUSK_ARGS({"b", tusk_int4(3)}, {"a", tusk_int4(7)}), &params, NULL),
                     TUSK_OK);
    return tusk_stmt_exec(stmt, params);
}

static counts cost_of(tusk_query *(*submit_one)(tusk_stmt *stmt), tusk_stmt *stmt, int n)
{
    counts mark = now();
    tusk_row row;

    for (int i = 0; i < n; i++) {
        tusk_query *q = submit_one(stmt);

        ck_assert_int_eq(tusk_query_scalar(q, &row, NULL), TUSK_OK);
        ck_assert_int_eq(tusk_get_int4(&row, 0), 4);
        tusk_query_free(q);
    }
    return since(mark);
}

/* Of the cache, and without one: then what is known of the columns spares their description. */
START_TEST(plain_executions_allocate_nothing)
{
    counts cost;

    up_by(harness_dsn_with("drv", _i ? "sslmode=disable&statement_cache_size=0" : "sslmode=disable"));
    (void)cost_of(by_number, NULL, WARM_UP);
    cost = cost_of(by_number, NULL, QUERIES);
    ck_assert_int_eq(cost.heap, 0);
    ck_assert_int_eq(cost.frees, 0);
    ck_assert_int_eq(cost.sends, QUERIES);
    down();
}
END_TEST

START_TEST(names_that_were_read_once_allocate_nothing)
{
    tusk_stmt *stmt;
    counts number, name, statement;

    up_by(harness_dsn_with("drv", "sslmode=disable"));
    named = tusk_named_parse(tusk_str_of("select :a::int4 - :b"), &heap.allocator, NULL);
    stmt = tusk_prepare(db, tusk_named_sql(named), NULL, 0);
    (void)cost_of(by_number, NULL, WARM_UP);
    (void)cost_of(by_name, NULL, WARM_UP);
    (void)cost_of(prepared_by_name, stmt, WARM_UP);
    number = cost_of(by_number, NULL, QUERIES);
    name = cost_of(by_name, NULL, QUERIES);
    statement = cost_of(prepared_by_name, stmt, QUERIES);
    ck_assert_int_eq(number.heap + name.heap, 0);
    ck_assert_int_eq(number.frees + name.frees, 0);
    ck_assert_int_eq(statement.heap, 0);
    ck_assert_int_eq(statement.frees, 0);
    tusk_named_free(named);
    tusk_stmt_free(stmt);
    down();
}
END_TEST

/* ---- doing nothing ---- */

static void stop(void *user)
{
    tusk_loop_stop(user);
}

START_TEST(an_idle_connection_makes_no_system_call)
{
    counts mark, cost;

    up_by(harness_dsn("drv"));
    run("select 1");
    mark = now();
    ck_assert_ptr_nonnull(tusk_timer_start(loop, 0.3, stop, loop));
    ck_assert_int_eq(tusk_loop_run(loop, NULL), TUSK_OK);
    cost = since(mark);
    ck_assert_int_eq(cost.sends + cost.receives + cost.others, 0);
    ck_assert_int_le(cost.waits,
                     3); /* the sleep until the timer, which may end a moment early, and an alarm for nobody any more */
    down();
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("counts");
    TCase *tcase = tcase_create("warm");

    tcase_add_loop_test(tcase, a_warm_query_allocates_nothing_and_takes_three_system_calls, 0,
                        N_OF(styles) * N_OF(row_counts));
    tcase_add_loop_test(tcase, a_warm_query_over_tls_takes_no_more, 0, N_OF(styles) * N_OF(row_counts));
    tcase_add_test(tcase, a_pipeline_sends_once_per_turn_and_allocates_nothing);
    tcase_add_test(tcase, a_warm_stack_allocates_for_its_results_alone);
    tcase_add_loop_test(tcase, plain_executions_allocate_nothing, 0, 2);
    tcase_add_test(tcase, names_that_were_read_once_allocate_nothing);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("idle");
    tcase_add_test(tcase, an_idle_connection_makes_no_system_call);
    suite_add_tcase(suite, tcase);
    return suite;
}
