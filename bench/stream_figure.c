/* Millions of rows through little memory, with a reader that pauses now and then.
 * Usage: stream_figure callback|next ROWS. Prints VmHWM in KiB, the rows, the sum of a column and what it should be. */
#include "bench/figure.h"
#include "bench/peak.h"

#include <unistd.h>

/* At least 100 bytes a row on the wire. */
static const char sql[] = "select n::int8, repeat('x', 92) from generate_series(1, $1::int8) n";

enum { PAUSES = 10, PAUSE_US = 200000 };

static tusk_loop *loop;
static long long n_rows, rows_read, sum;
static unsigned n_pauses;

static void take(const tusk_row *row)
{
    rows_read++;
    sum += tusk_get_text(row, 1).len == 92 ? tusk_get_int8(row, 0) : 0;
}

static bool is_tired(void)
{
    return rows_read % (n_rows / PAUSES + 1) == 0;
}

static void run_next(tusk_conn *db)
{
    tusk_query *q = tusk_exec(db, sql, TUSK_PARAMS(tusk_int8(n_rows)));
    tusk_row row;

    while (tusk_next_row(q, &row)) {
        take(&row);
        if (is_tired()) {
            usleep(PAUSE_US);
            n_pauses++;
        }
    }
    if (tusk_query_code(q) != TUSK_OK)
        die_of(tusk_query_error(q));
    tusk_query_free(q);
}

static void resume(void *user)
{
    if (tusk_query_resume(user) != TUSK_OK)
        die("resume", "refused");
}

static void on_row(tusk_query *q, const tusk_row *row, void *user)
{
    (void)user;
    take(row);
    if (!is_tired())
        return;
    n_pauses++;
    if (tusk_query_pause(q) != TUSK_OK || !tusk_timer_start(loop, PAUSE_US / 1e6, resume, q))
        die("pause", "refused");
}

static void on_done(tusk_query *q, void *user)
{
    (void)user;
    if (tusk_query_code(q) != TUSK_OK)
        die_of(tusk_query_error(q));
    tusk_loop_stop(loop);
}

static void run_callback(tusk_conn *db)
{
    if (!tusk_submit(db,
                     &(tusk_request){
                         .sql = sql, .params = TUSK_PARAMS(tusk_int8(n_rows)), .on_row = on_row, .on_done = on_done}) ||
        tusk_loop_run(loop, NULL) != TUSK_OK)
        die("loop", "does not run");
}

int main(int argc, char **argv)
{
    tusk_conn *db;

    if (argc != 3)
        die(argv[0], "callback|next ROWS");
    n_rows = strtoll(argv[2], NULL, 10);
    loop = tusk_loop_new();
    db = connect_ready(loop, env_of("BENCH_DSN_TLS"));
    if (strcmp(argv[1], "next") == 0)
        run_next(db);
    else
        run_callback(db);
    close_all(loop, db);
    printf("%ld %lld %lld %lld %u\n", peak_kib(), rows_read, sum, n_rows * (n_rows + 1) / 2, n_pauses);
    return 0;
}
