/* Back pressure: more rows than one wants to hold at once, written as fast as the server takes them, with a bounded queue.
 * Usage: backpressure "postgresql://user:password@host/dbname?sslmode=verify-full" */
#include <inttypes.h>
#include <stdio.h>

#include <tusk/tusk.h>

enum { N = 50000 };

struct writer {
    tusk_conn *db;
    tusk_stmt *insert;
    int next, done, failed, pauses;
};

static void fill(struct writer *w);

static void drained(tusk_query *q, void *user)
{
    if (tusk_query_code(q) == TUSK_OK) /* else the connection is gone, and says so to each request */
        fill(user);
}

static void finished(tusk_query *q, void *user)
{
    struct writer *w = user;

    w->failed += tusk_query_code(q) != TUSK_OK;
    if (++w->done == N)
        tusk_loop_stop(tusk_conn_loop(w->db));
}

/* Submit as long as the connection takes it; the rest when half of that is answered. */
static void fill(struct writer *w)
{
    while (w->next < N && tusk_conn_is_writable(w->db)) {
        w->next++;
        tusk_submit(w->db,
                    &(tusk_request){
                        .stmt = w->insert, .params = TUSK_PARAMS(tusk_int8(w->next)), .on_done = finished, .user = w});
    }
    if (w->next < N && tusk_conn_get_state(w->db) < TUSK_CONN_CLOSING) {
        w->pauses++;
        tusk_query_on_done(tusk_conn_drained(w->db), drained, w);
    }
}

static bool sum_is_right(tusk_conn *db)
{
    tusk_query *q = tusk_exec(db, "select count(*), sum(n)::int8 from written", TUSK_NO_PARAMS);
    tusk_row row;
    bool is_right = tusk_query_one(q, &row, NULL) == TUSK_OK && tusk_get_int8(&row, 0) == N &&
                    tusk_get_int8(&row, 1) == INT64_C(1) * N * (N + 1) / 2;

    tusk_query_free(q);
    return is_right;
}

int main(int argc, char **argv)
{
    tusk_loop *loop = tusk_loop_new();
    tusk_config config = {.dsn = argc > 1 ? argv[1] : "", .max_queued_requests = 1000};
    struct writer w = {.db = loop ? tusk_conn_open(loop, &config) : NULL};
    tusk_error err = {0};
    char text[1024];

    if (!w.db)
        return 1;
    if (tusk_await_free(tusk_script(w.db, "create temp table written (n int8)"), &err) != TUSK_OK) {
        tusk_error_format(&err, text, sizeof text);
        fprintf(stderr, "%s\n", text);
        return 1;
    }
    w.insert = tusk_prepare(w.db, "insert into written values ($1)", NULL, 0);
    if (!w.insert)
        return 1;
    fill(&w);
    if (tusk_loop_run(loop, NULL) != TUSK_OK || w.done != N || w.failed > 0 || !sum_is_right(w.db))
        return 1;
    printf("%d rows written, never more than 1000 on their way; the writer paused %d times\n", N, w.pauses);
    tusk_stmt_free(w.insert);
    tusk_conn_free(w.db);
    tusk_loop_free(loop);
    return 0;
}
