/* The peer that all of this is about: Tusk, in the styles in which it is used.
 * Variants: await, callback; for scans also kept (all rows, then the walk), views (rows taken, values not looked at), structs (all rows,
 * then into arrays of structs) and columns (streamed into arrays);
 * each with -tls behind it. For load: many. For connect: first (a loop for each connection, so that it knows nothing), kept (one loop, which keeps
 * the keys of the login and the TLS context). */
#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tusk/tusk.h>

static tusk_loop *loop;
static tusk_conn *db;
static tusk_stmt *stmt;
static char style[16];

static void die(const tusk_error *err)
{
    char text[1024];

    tusk_error_format(err, text, sizeof text);
    bench_die("tusk", text);
}

static void check(tusk_query *q, tusk_code code)
{
    if (code != TUSK_OK)
        die(tusk_query_error(q));
}

static void open_loop(void)
{
    loop = tusk_loop_new();
    if (!loop)
        bench_die("tusk", "no loop");
}

static void connect_to(const char *dsn)
{
    tusk_query *ready;

    db = tusk_connect(loop, dsn);
    ready = db ? tusk_conn_ready(db) : NULL;
    check(ready, tusk_await(ready));
    tusk_query_free(ready);
}

static const char *dsn_of(const bench_workload *work, bool is_tls)
{
    return bench_env(is_tls || work->is_tls ? "BENCH_DSN_TLS" : "BENCH_DSN");
}

static void prepare(const bench_workload *work)
{
    static const uint32_t types[] = {TUSK_OID_INT8, TUSK_OID_FLOAT8, TUSK_OID_TEXT};
    size_t n = work->shape == BENCH_SELECT1 ? 0 : work->shape == BENCH_LOAD ? 3 : 1;
    tusk_query *ready;

    stmt = tusk_prepare(db, work->sql, types, n);
    ready = tusk_stmt_ready(stmt);
    check(ready, tusk_await(ready));
    tusk_query_free(ready);
}

void peer_open(const char *variant, const bench_workload *work)
{
    const char *tls = strstr(variant, "-tls");

    snprintf(style, sizeof style, "%.*s", tls ? (int)(tls - variant) : (int)strlen(variant), variant);
    open_loop();
    if (work->shape == BENCH_CONNECT)
        return;
    connect_to(dsn_of(work, tls != NULL));
    prepare(work);
}

void peer_close(void)
{
    if (db) {
        tusk_stmt_free(stmt);
        (void)tusk_await_free(tusk_close(db), NULL);
        tusk_conn_free(db);
    }
    tusk_loop_free(loop);
}

void peer_setup(const char *const *sql)
{
    open_loop();
    connect_to(bench_env("BENCH_DSN"));
    for (; *sql; sql++) {
        tusk_query *q = tusk_script(db, *sql);

        check(q, tusk_await(q));
        tusk_query_free(q);
    }
    peer_close();
}

static void read_row(const bench_workload *work, const tusk_row *row, bench_sums *sums)
{
    sums->rows++;
    if (work->shape == BENCH_SELECT1) {
        sums->integers += tusk_get_int4(row, 0);
        return;
    }
    sums->integers += tusk_get_int8(row, 0);
    sums->reals += tusk_get_float8(row, 1);
    sums->times += tusk_get_timestamptz(row, 2);
    sums->text_bytes += tusk_get_text(row, 3).len;
}

static tusk_query *submit(const bench_workload *work, size_t i)
{
    if (work->shape == BENCH_SELECT1)
        return tusk_stmt_exec(stmt, TUSK_NO_PARAMS);
    return tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int8(bench_param(work, i))));
}

/* ---- await: the blocking style; at a depth the oldest is awaited while the others are in flight ---- */

static void finish(const bench_workload *work, tusk_query *q, bench_sums *sums)
{
    tusk_row row;

    check(q, tusk_await(q));
    while (tusk_next_row(q, &row))
        read_row(work, &row, sums);
    tusk_query_free(q);
}

static void run_await(const bench_workload *work, size_t n_ops, bench_sums *sums)
{
    tusk_query *in_flight[BENCH_DEPTH_MAX];
    size_t depth = (size_t)work->depth, sent = 0;

    for (size_t done = 0; done < n_ops; done++) {
        for (; sent < n_ops && sent - done < depth; sent++)
            in_flight[sent % depth] = submit(work, sent);
        finish(work, in_flight[done % depth], sums);
    }
}

/* ---- streaming: rows as they come ---- */

static void run_stream(const bench_workload *work, size_t n_ops, bench_sums *sums)
{
    bool values = strcmp(style, "views") != 0;
    tusk_row row;

    for (size_t i = 0; i < n_ops; i++) {
        tusk_query *q = submit(work, i);

        while (tusk_next_row(q, &row)) {
            if (values)
                read_row(work, &row, sums);
            else
                sums->rows++;
        }
        check(q, tusk_query_code(q));
        tusk_query_free(q);
    }
}

struct scanned {
    int64_t integer, time;
    double real;
    tusk_str text;
};

static const tusk_field scanned_fields[] = {
    TUSK_FIELD_AT(struct scanned, integer, TUSK_OID_INT8, 0),
    TUSK_FIELD_AT(struct scanned, real, TUSK_OID_FLOAT8, 1),
    TUSK_FIELD_AT(struct scanned, time, TUSK_OID_TIMESTAMPTZ, 2),
    TUSK_FIELD_AT(struct scanned, text, TUSK_OID_TEXT, 3),
};

static void add_scanned(const struct scanned *scanned, bench_sums *sums)
{
    sums->rows++;
    sums->integers += scanned->integer;
    sums->reals += scanned->real;
    sums->times += scanned->time;
    sums->text_bytes += scanned->text.len;
}

static void take_structs(tusk_fields *fields, tusk_query *q, bench_sums *sums)
{
    struct scanned scanned[64];
    tusk_error err;
    size_t n;

    do {
        if (tusk_fields_fetch(fields, q, scanned, 64, &n, &err) != TUSK_OK)
            die(&err);
        for (size_t i = 0; i < n; i++)
            add_scanned(&scanned[i], sums);
    } while (n == 64);
}

static void run_structs(const bench_workload *work, size_t n_ops, bench_sums *sums)
{
    tusk_fields *fields = tusk_fields_new(loop, sizeof(struct scanned), scanned_fields, 4, NULL);

    for (size_t i = 0; i < n_ops; i++) {
        tusk_query *q = submit(work, i);

        take_structs(fields, q, sums);
        tusk_query_free(q);
    }
    tusk_fields_free(fields);
}

static void add_batch(const tusk_columns *columns, bench_sums *sums)
{
    const int64_t *integers = tusk_columns_values(columns, 0)->values;
    const double *reals = tusk_columns_values(columns, 1)->values;
    const int64_t *times = tusk_columns_values(columns, 2)->values;
    const int32_t *ends = tusk_columns_values(columns, 3)->offsets;
    size_t n = tusk_columns_n_rows(columns);

    for (size_t i = 0; i < n; i++) {
        sums->integers += integers[i];
        sums->reals += reals[i];
        sums->times += times[i];
    }
    sums->rows += n;
    sums->text_bytes += (uint64_t)ends[n];
}

static void run_columns(const bench_workload *work, size_t n_ops, bench_sums *sums)
{
    tusk_columns *columns = tusk_columns_new(loop, NULL, NULL);
    tusk_error err;
    tusk_code code;

    for (size_t i = 0; i < n_ops; i++) {
        tusk_query *q = submit(work, i);

        while ((code = tusk_columns_fetch(columns, q, &err)) == TUSK_OK)
            add_batch(columns, sums);
        if (code != TUSK_DONE)
            die(&err);
        tusk_query_free(q);
    }
    tusk_columns_free(columns);
}

/* ---- callbacks ---- */

static struct {
    const bench_workload *work;
    bench_sums *sums;
    size_t n_ops, sent, done;
} run;

static void submit_next(void);

static void on_row(tusk_query *q, const tusk_row *row, void *user)
{
    (void)q;
    read_row(run.work, row, user);
}

static void on_done(tusk_query *q, void *user)
{
    tusk_row row;

    if (tusk_query_code(q) != TUSK_OK)
        die(tusk_query_error(q));
    while (run.work->shape != BENCH_SCAN && tusk_next_row(q, &row))
        read_row(run.work, &row, user);
    if (++run.done == run.n_ops)
        tusk_loop_stop(loop);
    else if (run.sent < run.n_ops)
        submit_next();
}

static void submit_next(void)
{
    size_t i = run.sent++;
    tusk_request request = {.stmt = stmt, .on_done = on_done, .user = run.sums};
    tusk_value param = tusk_int8(0);

    if (run.work->shape != BENCH_SELECT1) {
        param = tusk_int8(bench_param(run.work, i));
        request.params = tusk_params_of(&param, 1);
    }
    if (run.work->shape == BENCH_SCAN)
        request.on_row = on_row;
    (void)tusk_submit(db, &request);
}

static void run_callback(const bench_workload *work, size_t n_ops, bench_sums *sums)
{
    run.work = work;
    run.sums = sums;
    run.n_ops = n_ops;
    run.sent = run.done = 0;
    while (run.sent < n_ops && run.sent < (size_t)work->depth)
        submit_next();
    if (tusk_loop_run(loop, NULL) != TUSK_OK)
        bench_die("tusk", "the loop does not run");
}

/* ---- one statement for as many rows as there are ---- */

typedef struct load {
    int64_t n_rows;
    bench_sums *sums;
} load;

static tusk_code give_row(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    const load *what = user;
    double x = (double)item / 4;

    (void)err;
    if (item == what->n_rows)
        return TUSK_DONE;
    what->sums->integers += item;
    what->sums->reals += x;
    what->sums->text_bytes += sizeof BENCH_LOAD_TEXT - 1;
    return tusk_many_push(q, TUSK_PARAMS(tusk_int8(item), tusk_float8(x), tusk_text(BENCH_LOAD_TEXT)));
}

static void run_load(size_t n_ops, bench_sums *sums)
{
    load what = {(int64_t)n_ops, sums};
    tusk_query *q = tusk_many_submit(db, &(tusk_many_request){.stmt = stmt, .pull = give_row, .user = &what});

    check(q, tusk_await(q));
    sums->rows += (uint64_t)tusk_query_rows_affected(q);
    tusk_query_free(q);
}

/* ---- connecting ---- */

/* Goodbye is said in the next turn, and not waited for: what PQfinish() does. */
static void connect_once(const bench_workload *work, bench_sums *sums)
{
    connect_to(dsn_of(work, false));
    sums->rows++;
    sums->integers += tusk_conn_server_version(db).num;
    tusk_conn_free(db);
    db = NULL;
    if (tusk_loop_turn(loop, 0, NULL) != TUSK_OK)
        bench_die("tusk", "the loop does not turn");
}

static void run_connect(const bench_workload *work, size_t n_ops, bench_sums *sums)
{
    bool is_first = strcmp(style, "first") == 0;

    for (size_t i = 0; i < n_ops; i++) {
        if (is_first) {
            tusk_loop_free(loop);
            open_loop();
        }
        connect_once(work, sums);
    }
}

void peer_run(const bench_workload *work, size_t n_ops, bench_sums *sums)
{
    if (work->shape == BENCH_CONNECT)
        run_connect(work, n_ops, sums);
    else if (work->shape == BENCH_LOAD)
        run_load(n_ops, sums);
    else if (strcmp(style, "callback") == 0)
        run_callback(work, n_ops, sums);
    else if (work->shape == BENCH_SCAN && strcmp(style, "structs") == 0)
        run_structs(work, n_ops, sums);
    else if (work->shape == BENCH_SCAN && strcmp(style, "columns") == 0)
        run_columns(work, n_ops, sums);
    else if (work->shape == BENCH_SCAN && strcmp(style, "kept") != 0)
        run_stream(work, n_ops, sums);
    else
        run_await(work, n_ops, sums);
}
