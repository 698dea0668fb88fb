/* N warm prepared queries one after the other, each of so many rows of mixed types, every value read.
 * It counts nothing: bench/figures runs it under strace with N and 2N, and takes the difference; and with heap_count.so, which is
 * told where the warm ones begin and end.
 * Usage: warm_figure await|callback plain|tls ROWS N. Prints the number of rows read and their sum. */
#include "bench/figure.h"

#include <dlfcn.h>

enum { WARM_UP = 100 };

static tusk_loop *loop;
static tusk_stmt *stmt;
static int n_rows;
static long n_queries, n_done;
static unsigned long long rows_read, sum;

/* 74 bytes a row: 100 of them are one piece of what the server sends at once (8 KiB), so that one recv can be enough. */
static const char sql[] = "select n % 2 = 0, n::int4, n::int8, (n * 0.5)::float8, 'text ' || n % 10, "
                          "timestamptz '2026-01-01 00:00:00+00' + n * interval '1 s', date '2026-01-01' + n, "
                          "case when n % 2 = 0 then n end from generate_series(1, $1) n";

static void read_row(const tusk_row *row)
{
    rows_read++;
    sum += (unsigned long long)tusk_get_bool(row, 0) + (unsigned long long)tusk_get_int4(row, 1) +
           (unsigned long long)tusk_get_int8(row, 2) + (unsigned long long)(tusk_get_float8(row, 3) * 2) +
           tusk_get_text(row, 4).len + (unsigned long long)(tusk_get_timestamptz(row, 5) / 1000000) +
           (unsigned long long)tusk_get_date(row, 6);
    sum += tusk_is_null(row, 7) ? 1 : (unsigned long long)tusk_get_int4(row, 7);
}

static void run_await(void)
{
    tusk_row row;

    for (; n_done < n_queries; n_done++) {
        tusk_query *q = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(n_rows)));

        await_ok(q);
        while (tusk_next_row(q, &row))
            read_row(&row);
        tusk_query_free(q);
    }
}

static void submit(tusk_conn *db);

static void on_row(tusk_query *q, const tusk_row *row, void *user)
{
    (void)q;
    (void)user;
    read_row(row);
}

static void on_done(tusk_query *q, void *user)
{
    (void)user;
    if (tusk_query_code(q) != TUSK_OK)
        die_of(tusk_query_error(q));
    if (++n_done == n_queries)
        tusk_loop_stop(loop);
    else
        submit(tusk_query_conn(q));
}

static void submit(tusk_conn *db)
{
    tusk_request request = {.stmt = stmt, .on_row = on_row, .on_done = on_done};
    tusk_value rows = tusk_int4(n_rows);

    request.params = tusk_params_of(&rows, 1);
    if (!tusk_submit(db, &request))
        die("submit", "out of memory");
}

static void run(tusk_conn *db, const char *style, long n)
{
    n_done = 0;
    n_queries = n;
    if (strcmp(style, "await") == 0) {
        run_await();
        return;
    }
    submit(db);
    if (tusk_loop_run(loop, NULL) != TUSK_OK)
        die("loop", "does not run");
}

static void tell_heap_count(const char *name)
{
    void (*fn)(void);
    void *symbol = dlsym(RTLD_DEFAULT, name);

    if (!symbol)
        return; /* it is not preloaded */
    memcpy(&fn, &symbol, sizeof fn);
    fn();
}

int main(int argc, char **argv)
{
    static const uint32_t int4[] = {TUSK_OID_INT4};
    tusk_query *ready;
    tusk_conn *db;
    long n;

    if (argc != 5)
        die(argv[0], "await|callback plain|tls ROWS N");
    n_rows = (int)strtol(argv[3], NULL, 10);
    n = strtol(argv[4], NULL, 10);
    loop = tusk_loop_new();
    db = connect_ready(loop, env_of(strcmp(argv[2], "tls") == 0 ? "BENCH_DSN_TLS" : "BENCH_DSN"));
    stmt = tusk_prepare(db, sql, int4, 1);
    ready = tusk_stmt_ready(stmt);
    await_ok(ready);
    tusk_query_free(ready);
    run(db, argv[1], WARM_UP);
    rows_read = sum = 0;
    tell_heap_count("heap_count_begin");
    run(db, argv[1], n);
    tell_heap_count("heap_count_end");
    tusk_stmt_free(stmt);
    close_all(loop, db);
    printf("%llu %llu\n", rows_read, sum);
    return rows_read == (unsigned long long)n * (unsigned long long)n_rows ? 0 : 1;
}
