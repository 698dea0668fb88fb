/* One connection, blocking style: connect, ask with parameters, print rows.
 * Usage: query "postgresql://user:password@host/dbname?sslmode=verify-full" */
#include <inttypes.h>
#include <stdio.h>

#include <tusk/tusk.h>

static int fail(const tusk_error *err)
{
    char text[1024];

    tusk_error_format(err, text, sizeof text);
    fprintf(stderr, "%s\n", text);
    return 1;
}

int main(int argc, char **argv)
{
    tusk_loop *loop = tusk_loop_new();
    tusk_conn *db = loop ? tusk_connect(loop, argc > 1 ? argv[1] : "") : NULL;
    tusk_query *q =
        db ? tusk_exec(db, "select oid::int8, typname::text from pg_type where typlen = $1 and oid < $2 order by oid",
                       TUSK_PARAMS(tusk_int2(8), tusk_oid(2000)))
           : NULL;
    tusk_row row;
    int status = 0;

    if (tusk_await(q) == TUSK_OK) {
        while (tusk_next_row(q, &row))
            printf("%" PRId64 " " TUSK_STR_FMT "\n", tusk_get_int8(&row, 0), TUSK_STR_ARG(tusk_get_text(&row, 1)));
        printf("%zu rows, " TUSK_STR_FMT "\n", tusk_query_n_rows(q), TUSK_STR_ARG(tusk_query_tag(q)));
    } else {
        status = fail(tusk_query_error(q));
    }
    tusk_query_free(q);
    if (db)
        (void)tusk_await_free(tusk_close(db), NULL);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    return status;
}
