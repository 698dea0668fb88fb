/* What the programs of bench/ share: one table of workloads, and one main() that measures whatever peer it is linked with.
 * A peer is one file: it connects, prepares, and does an operation so many times. It measures nothing itself.
 * Read first: docs/performance.md. */
#ifndef TUSK_BENCH_BENCH_H
#define TUSK_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_DEPTH_MAX 128
#define BENCH_LOOKUP_ROWS 100000 /* in bench_lookup; ids from 1 */
#define BENCH_SCAN_ROWS 1000000  /* in bench_scan; a scan reads so many, or BENCH_ROWS=… of the environment */

typedef enum bench_shape {
    BENCH_SELECT1, /* no parameter; one row of one int4 */
    BENCH_LOOKUP,  /* $1 int8; one row of int8, float8, timestamptz, text */
    BENCH_SCAN,    /* $1 int8: how many rows of the same */
    BENCH_LOAD,    /* $1 int8, $2 float8, $3 text: a row of them; so many, one behind the other, in one transaction */
    BENCH_CONNECT  /* no query: a connection is made, asked which version its server has, and left */
} bench_shape;

typedef struct bench_workload {
    const char *name; /* shape/depth */
    bench_shape shape;
    const char *sql;
    int depth;        /* queries in flight, each with a Sync of its own */
    bool is_tls;      /* whatever the variant says */
} bench_workload;

extern const bench_workload bench_workloads[];
extern const size_t bench_n_workloads;

/* What makes the tables, one statement after the other; NULL ends it. */
extern const char *const bench_setup_sql[];

/* The parameter of the i-th operation. */
int64_t bench_param(const bench_workload *work, size_t i);

/* Of BENCH_LOAD: its text, which is the same in all rows; the other values are i and i / 4. */
#define BENCH_LOAD_TEXT "a text of twenty byt"

/* What was read, added up: the same for every peer that did the same operations, so nobody wins by not looking. */
typedef struct bench_sums {
    uint64_t rows;
    int64_t integers;
    double reals;
    int64_t times; /* microseconds since 2000-01-01 UTC */
    uint64_t text_bytes;
} bench_sums;

/* ---- what a peer defines ---- */

/* Connect and prepare work->sql; BENCH_CONNECT: what a program does before its first connection. variant: which way of using the driver; NULL is none of its own. Ends the process on failure. */
void peer_open(const char *variant, const bench_workload *work);
void peer_run(const bench_workload *work, size_t n_ops, bench_sums *sums);
void peer_close(void);
/* Run statements one by one; only one peer sets up, others end the process. */
void peer_setup(const char *const *sql);

/* "name: message", and the end of the process. */
_Noreturn void bench_die(const char *what, const char *message);

/* A variable of the environment that must be there. */
const char *bench_env(const char *name);

#endif
