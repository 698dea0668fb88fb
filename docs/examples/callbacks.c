/* Callback style: many requests on one connection, answered in order, no waiting but in the loop.
 * Usage: callbacks "postgresql://user:password@host/dbname?sslmode=verify-full" */
#include <stdio.h>

#include <tusk/tusk.h>

struct app {
    tusk_loop *loop;
    int open; /* requests that are not answered yet */
    int failed;
    double sum;
};

/* All its rows are there. For more rows than memory should hold there is .on_row, which has the connection for itself meanwhile. */
static void finished(tusk_query *q, void *user)
{
    struct app *app = user;
    tusk_row row;
    char text[1024];

    while (tusk_next_row(q, &row))
        app->sum += tusk_get_float8(&row, 0);
    if (tusk_query_code(q) != TUSK_OK) {
        tusk_error_format(tusk_query_error(q), text, sizeof text);
        fprintf(stderr, "%s\n", text);
        app->failed++;
    }
    if (--app->open == 0)
        tusk_loop_stop(app->loop);
}

int main(int argc, char **argv)
{
    struct app app = {.loop = tusk_loop_new()};
    tusk_conn *db = app.loop ? tusk_connect(app.loop, argc > 1 ? argv[1] : "") : NULL;

    if (!db)
        return 1;
    for (int i = 1; i <= 10; i++, app.open++)
        if (!tusk_submit(db, &(tusk_request){
                                 .sql = "select sqrt(n::float8) from generate_series(1, $1) as n",
                                 .params = TUSK_PARAMS(tusk_int4(i * 100)),
                                 .timeout = 5.0,
                                 .on_done = finished,
                                 .user = &app,
                             }))
            return 1;
    if (tusk_loop_run(app.loop, NULL) != TUSK_OK)
        return 1;
    printf("ten answers, %d failed, sum of roots %.3f\n", app.failed, app.sum);
    tusk_conn_free(db);
    tusk_loop_free(app.loop);
    return app.failed != 0;
}
