/* The table of workloads, and main(): warm up, run, print what it took.
 * It knows no peer.
 * Usage: PEER_bench setup | PEER_bench WORKLOAD VARIANT OPERATIONS
 * Prints "operations wall_seconds cpu_seconds rows checksum VmHWM_in_KiB". */
#include "bench/bench.h"

#include "bench/peak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define COLUMNS "n, x, t, s"

const bench_workload bench_workloads[] = {
    {"select1/1", BENCH_SELECT1, "select 1", 1, false},
    {"select1/128", BENCH_SELECT1, "select 1", 128, false},
    {"lookup/1", BENCH_LOOKUP, "select " COLUMNS " from bench_lookup where n = $1", 1, false},
    {"lookup/128", BENCH_LOOKUP, "select " COLUMNS " from bench_lookup where n = $1", 128, false},
    {"scan/1", BENCH_SCAN, "select " COLUMNS " from bench_scan where n <= $1", 1, false},
    {"load/1", BENCH_LOAD, "insert into bench_load values ($1, $2, $3)", 1, false},
    {"connect/1", BENCH_CONNECT, NULL, 1, false},
    {"connect-tls/1", BENCH_CONNECT, NULL, 1, true},
};
const size_t bench_n_workloads = sizeof bench_workloads / sizeof bench_workloads[0];

/* Sums of these values are exact in an int64 and a double. */
#define FILL(rows)                                                                                                     \
    "select n::int8 as n, (n * 0.25)::float8 as x, timestamptz '2026-01-01 00:00:00+00' + n * interval '1 s' as t, "   \
    "'text ' || n as s from generate_series(1, " rows ") n"

/* clang-format off */
const char *const bench_setup_sql[] = {
    "create table bench_lookup as " FILL("100000"),
    "create unique index on bench_lookup (n)",
    "create table bench_scan as " FILL("1000000"),
    "create unlogged table bench_load (n int8, x float8, s text)",
    "vacuum analyze bench_lookup",
    "vacuum analyze bench_scan",
    "grant select on bench_lookup, bench_scan to public",
    NULL
};
/* clang-format on */

int64_t bench_param(const bench_workload *work, size_t i)
{
    const char *rows;

    if (work->shape == BENCH_LOOKUP)
        return (int64_t)(i * 7919 % BENCH_LOOKUP_ROWS) + 1;
    rows = getenv("BENCH_ROWS");
    return rows ? strtoll(rows, NULL, 10) : BENCH_SCAN_ROWS;
}

_Noreturn void bench_die(const char *what, const char *message)
{
    fprintf(stderr, "bench: %s: %s\n", what, message);
    exit(1);
}

const char *bench_env(const char *name)
{
    const char *value = getenv(name);

    if (!value)
        bench_die(name, "is not set: run this through bench/run or bench/counts");
    return value;
}

static const bench_workload *workload_of(const char *name)
{
    for (size_t i = 0; i < bench_n_workloads; i++)
        if (strcmp(bench_workloads[i].name, name) == 0)
            return &bench_workloads[i];
    bench_die(name, "no such workload");
}

static double wall_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds_of(struct timeval tv)
{
    return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

static double cpu_s(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

static size_t warm_up_of(const bench_workload *work)
{
    if (work->shape == BENCH_SCAN)
        return 1;
    return work->shape == BENCH_CONNECT ? 5 : 1000;
}

static void measure(const bench_workload *work, size_t n_ops)
{
    bench_sums warm = {0}, sums = {0};
    double wall, cpu;

    peer_run(work, warm_up_of(work), &warm);
    wall = wall_s();
    cpu = cpu_s();
    peer_run(work, n_ops, &sums);
    cpu = cpu_s() - cpu;
    wall = wall_s() - wall;
    printf("%zu %.9f %.9f %llu %lld:%.2f:%lld:%llu %ld\n", n_ops, wall, cpu, (unsigned long long)sums.rows,
           (long long)sums.integers, sums.reals, (long long)sums.times, (unsigned long long)sums.text_bytes,
           peak_kib());
}

int main(int argc, char **argv)
{
    const bench_workload *work;

    if (argc == 2 && strcmp(argv[1], "setup") == 0) {
        peer_setup(bench_setup_sql);
        return 0;
    }
    if (argc != 4)
        bench_die(argv[0], "WORKLOAD VARIANT OPERATIONS, or setup");
    work = workload_of(argv[1]);
    peer_open(argv[2], work);
    measure(work, (size_t)strtoull(argv[3], NULL, 10));
    peer_close();
    return 0;
}
