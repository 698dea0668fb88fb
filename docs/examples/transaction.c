/* A transaction in one round trip: BEGIN, all statements and COMMIT are submitted together, and only if all of them succeed does the
 * COMMIT. That holds, too, for what this side refuses, such as text that is not UTF-8, of which the server never hears. */
#include <stdio.h>

#include <tusk/tusk.h>

static const char *const names[] = {"anna", "b\xff", "carl"};
enum { N_NAMES = sizeof names / sizeof names[0] };

/* Insert `n` of the names, all or none. */
static tusk_code insert_names(tusk_conn *db, tusk_stmt *insert, int n, tusk_error *err)
{
    tusk_query_free(tusk_begin(db, NULL)); /* what comes of it, and of the statements, the commit tells */
    for (int i = 0; i < n; i++)
        tusk_query_free(tusk_stmt_exec(insert, TUSK_PARAMS(tusk_text(names[i]))));
    return tusk_await_free(tusk_commit(db), err);
}

static long long count(tusk_conn *db)
{
    tusk_query *q = tusk_exec(db, "select count(*) from names", TUSK_NO_PARAMS);
    long long n = -1;
    tusk_row row;

    if (tusk_next_row(q, &row))
        n = tusk_get_int8(&row, 0);
    tusk_query_free(q);
    return n;
}

int main(int argc, char **argv)
{
    tusk_loop *loop = tusk_loop_new();
    tusk_conn *db = tusk_connect(loop, argc > 1 ? argv[1] : "");
    tusk_stmt *insert;
    tusk_error err;
    char line[256];
    int status = 1;

    if (tusk_await_free(tusk_exec(db, "create temp table names (name text)", TUSK_NO_PARAMS), &err) == TUSK_OK) {
        insert = tusk_prepare(db, "insert into names values ($1)", NULL, 0);
        if (insert_names(db, insert, N_NAMES, &err) != TUSK_OK) {
            tusk_error_format(&err, line, sizeof line);
            printf("%s: %s\n", line, err.detail);
        }
        printf("%lld names\n", count(db));
        if (insert_names(db, insert, 1, &err) == TUSK_OK && count(db) == 1)
            status = 0;
        printf("%lld names\n", count(db));
        tusk_stmt_free(insert);
    }
    tusk_conn_free(db);
    tusk_loop_free(loop);
    return status;
}
