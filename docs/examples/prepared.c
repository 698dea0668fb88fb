/* A prepared statement, run many times without waiting in between: one write, one flight of answers.
 * Usage: prepared "postgresql://user:password@host/dbname?sslmode=verify-full" */
#include <inttypes.h>
#include <stdio.h>

#include <tusk/tusk.h>

enum { N = 100 };

int main(int argc, char **argv)
{
    tusk_loop *loop = tusk_loop_new();
    tusk_conn *db = loop ? tusk_connect(loop, argc > 1 ? argv[1] : "") : NULL;
    tusk_stmt *square = db ? tusk_prepare(db, "select $1 * $1", (uint32_t[]){TUSK_OID_INT8}, 1) : NULL;
    tusk_query *runs[N];
    int64_t sum = 0;
    char text[1024];
    int status = 0;

    if (!square)
        return 1;
    for (int i = 0; i < N; i++)
        runs[i] = tusk_stmt_exec(square, TUSK_PARAMS(tusk_int8(i)));
    for (int i = 0; i < N; i++) {
        tusk_row row;

        if (tusk_await(runs[i]) == TUSK_OK && tusk_next_row(runs[i], &row)) {
            sum += tusk_get_int8(&row, 0);
        } else {
            tusk_error_format(tusk_query_error(runs[i]), text, sizeof text);
            fprintf(stderr, "%s\n", text);
            status = 1;
        }
        tusk_query_free(runs[i]);
    }
    printf("sum of the first %d squares: %" PRId64 "\n", N, sum);
    tusk_stmt_free(square);
    (void)tusk_await_free(tusk_close(db), NULL);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    return status;
}
