/* The peer to be measured against: the distribution's libpq.
 * Variants: sync (PQexecPrepared), pipeline (pipeline mode, a Sync per query; of a load one for all); both with binary results and byte swaps;
 * for scans also text, with strtoll and strtod. For connect: sync. */
#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libpq-fe.h>

static PGconn *db;
static int format = 1;
static bool is_pipeline;

static void check_result(const PGresult *result, ExecStatusType want)
{
    if (PQresultStatus(result) != want)
        bench_die("libpq", PQerrorMessage(db));
}

static void connect_to(const char *dsn)
{
    db = PQconnectdb(dsn);
    if (PQstatus(db) != CONNECTION_OK)
        bench_die("libpq", PQerrorMessage(db));
}

void peer_open(const char *variant, const bench_workload *work)
{
    static const Oid types[] = {20, 701, 25}; /* int8, float8, text */
    int n = work->shape == BENCH_SELECT1 ? 0 : work->shape == BENCH_LOAD ? 3 : 1;
    PGresult *result;

    if (work->shape == BENCH_CONNECT)
        return;
    is_pipeline = strcmp(variant, "pipeline") == 0;
    format = strcmp(variant, "text") != 0;
    connect_to(bench_env("BENCH_DSN"));
    result = PQprepare(db, "s", work->sql, n, types);
    check_result(result, PGRES_COMMAND_OK);
    PQclear(result);
    if (is_pipeline && !PQenterPipelineMode(db))
        bench_die("libpq", PQerrorMessage(db));
}

void peer_close(void)
{
    PQfinish(db);
}

void peer_setup(const char *const *sql)
{
    bench_die(*sql, "libpq does not set up");
}

/* ---- values ---- */

static uint64_t be64(const char *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return __builtin_bswap64(v);
}

static int32_t be32(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return (int32_t)__builtin_bswap32(v);
}

/* "2026-01-02 03:04:05.678901+00", as the server prints it in time zone UTC. */
static int64_t timestamptz_of(const char *p)
{
    char *end;
    int64_t y = strtol(p, &end, 10), m = strtol(end + 1, &end, 10), d = strtol(end + 1, &end, 10);
    int64_t us = strtol(end + 1, &end, 10) * INT64_C(3600000000);

    us += strtol(end + 1, &end, 10) * INT64_C(60000000);
    us += (int64_t)(strtod(end + 1, &end) * 1e6 + 0.5);
    y -= m <= 2;
    int64_t era = y / 400, of_era = y - era * 400, of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;

    return (era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 730425) * INT64_C(86400000000) + us;
}

static void read_binary(const PGresult *result, int row, bench_sums *sums)
{
    uint64_t bits = be64(PQgetvalue(result, row, 1));
    double real;

    memcpy(&real, &bits, sizeof real);
    sums->integers += (int64_t)be64(PQgetvalue(result, row, 0));
    sums->reals += real;
    sums->times += (int64_t)be64(PQgetvalue(result, row, 2));
    sums->text_bytes += (uint64_t)PQgetlength(result, row, 3);
}

static void read_text(const PGresult *result, int row, bench_sums *sums)
{
    sums->integers += strtoll(PQgetvalue(result, row, 0), NULL, 10);
    sums->reals += strtod(PQgetvalue(result, row, 1), NULL);
    sums->times += timestamptz_of(PQgetvalue(result, row, 2));
    sums->text_bytes += (uint64_t)PQgetlength(result, row, 3);
}

static void read_result(const bench_workload *work, const PGresult *result, bench_sums *sums)
{
    int n = PQntuples(result);

    check_result(result, PGRES_TUPLES_OK);
    sums->rows += (uint64_t)n;
    for (int row = 0; row < n; row++) {
        if (work->shape == BENCH_SELECT1)
            sums->integers += be32(PQgetvalue(result, row, 0));
        else if (format == 1)
            read_binary(result, row, sums);
        else
            read_text(result, row, sums);
    }
}

/* ---- running ---- */

typedef struct param {
    char bytes[8];
    const char *values[1];
    int lengths[1], formats[1];
} param;

static void set_param(param *p, const bench_workload *work, size_t i)
{
    uint64_t n = __builtin_bswap64((uint64_t)bench_param(work, i));

    memcpy(p->bytes, &n, sizeof n);
    p->values[0] = p->bytes;
    p->lengths[0] = 8;
    p->formats[0] = 1;
}

static void run_sync(const bench_workload *work, size_t n_ops, bench_sums *sums)
{
    param p;

    for (size_t i = 0; i < n_ops; i++) {
        PGresult *result;

        if (work->shape == BENCH_SELECT1) {
            result = PQexecPrepared(db, "s", 0, NULL, NULL, NULL, format);
        } else {
            set_param(&p, work, i);
            result = PQexecPrepared(db, "s", 1, p.values, p.lengths, p.formats, format);
        }
        read_result(work, result, sums);
        PQclear(result);
    }
}

static void send_one(const bench_workload *work, size_t i)
{
    param p;
    int ok;

    if (work->shape == BENCH_SELECT1) {
        ok = PQsendQueryPrepared(db, "s", 0, NULL, NULL, NULL, format);
    } else {
        set_param(&p, work, i);
        ok = PQsendQueryPrepared(db, "s", 1, p.values, p.lengths, p.formats, format);
    }
    if (!ok || !PQpipelineSync(db))
        bench_die("libpq", PQerrorMessage(db));
}

/* The query's result, the NULL behind it, and its Sync. */
static void take_one(const bench_workload *work, bench_sums *sums)
{
    PGresult *result = PQgetResult(db);

    read_result(work, result, sums);
    PQclear(result);
    if (PQgetResult(db))
        bench_die("libpq", "one result too many");
    result = PQgetResult(db);
    check_result(result, PGRES_PIPELINE_SYNC);
    PQclear(result);
}

static void run_pipeline(const bench_workload *work, size_t n_ops, bench_sums *sums)
{
    size_t sent = 0;

    for (size_t done = 0; done < n_ops; done++) {
        for (; sent < n_ops && sent - done < (size_t)work->depth; sent++)
            send_one(work, sent);
        take_one(work, sums);
    }
}

/* ---- a load: items by portions with a Flush behind each, about as much ahead of the answers as Tusk's is ---- */

enum { PORTION = 256, FLIGHT = 2048 };

static void put_be64(char *to, const void *from)
{
    uint64_t v;

    memcpy(&v, from, sizeof v);
    v = __builtin_bswap64(v);
    memcpy(to, &v, sizeof v);
}

static void send_row(size_t i, bench_sums *sums)
{
    static const int lengths[] = {8, 8, sizeof BENCH_LOAD_TEXT - 1}, formats[] = {1, 1, 1};
    char n[8], x[8];
    const char *const values[] = {n, x, BENCH_LOAD_TEXT};
    int64_t integer = (int64_t)i;
    double real = (double)i / 4;

    put_be64(n, &integer);
    put_be64(x, &real);
    if (!PQsendQueryPrepared(db, "s", 3, values, lengths, formats, format))
        bench_die("libpq", PQerrorMessage(db));
    sums->integers += integer;
    sums->reals += real;
    sums->text_bytes += (uint64_t)lengths[2];
}

static void take_row(bench_sums *sums)
{
    PGresult *result = PQgetResult(db);

    check_result(result, PGRES_COMMAND_OK);
    sums->rows += strtoull(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    if (PQgetResult(db))
        bench_die("libpq", "one result too many");
}

static void end_portion(bool is_last)
{
    if (!(is_last ? PQpipelineSync(db) : PQsendFlushRequest(db)) || PQflush(db) != 0)
        bench_die("libpq", PQerrorMessage(db));
}

static void run_load(size_t n_ops, bench_sums *sums)
{
    size_t sent = 0, taken = 0;
    PGresult *synced;

    while (taken < n_ops) {
        for (size_t end = sent + PORTION; sent < n_ops && sent < end; sent++)
            send_row(sent, sums);
        end_portion(sent == n_ops);
        for (; taken < n_ops && (sent == n_ops || taken + FLIGHT < sent); taken++)
            take_row(sums);
    }
    synced = PQgetResult(db);
    check_result(synced, PGRES_PIPELINE_SYNC);
    PQclear(synced);
}

/* ---- connecting ---- */

static void run_connect(const bench_workload *work, size_t n_ops, bench_sums *sums)
{
    const char *dsn = bench_env(work->is_tls ? "BENCH_DSN_TLS" : "BENCH_DSN");

    for (size_t i = 0; i < n_ops; i++) {
        connect_to(dsn);
        sums->rows++;
        sums->integers += PQserverVersion(db);
        PQfinish(db);
    }
    db = NULL;
}

void peer_run(const bench_workload *work, size_t n_ops, bench_sums *sums)
{
    if (work->shape == BENCH_CONNECT)
        run_connect(work, n_ops, sums);
    else if (work->shape == BENCH_LOAD)
        run_load(n_ops, sums);
    else if (is_pipeline)
        run_pipeline(work, n_ops, sums);
    else
        run_sync(work, n_ops, sums);
}
