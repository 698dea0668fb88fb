/* A transaction whose statements are all under way at once, and whose COMMIT waits for their answers: what this side refuses, such as
 * text that is not UTF-8, the server never hears of, and would not keep it from committing. */
#include <stdio.h>

#include <tusk/tusk.h>

static const char *const names[] = {"anna", "b\xff", "carl"};
enum { N_NAMES = sizeof names / sizeof names[0] };

/* Insert `n` of the names, all or none. */
static tusk_code insert_names(tusk_conn *db, tusk_stmt *insert, int n, tusk_error *err)
{
    tusk_query *begin = tusk_exec(db, "begin", TUSK_NO_PARAMS), *q[N_NAMES];
    tusk_code code;

    for (int i = 0; i < n; i++)
        q[i] = tusk_stmt_exec(insert, TUSK_PARAMS(tusk_text(names[i])));
    code = tusk_await_free(begin, err);
    for (int i = 0; i < n; i++) {
        tusk_code one = tusk_await_free(q[i], code == TUSK_OK ? err : NULL);

        if (code == TUSK_OK)
            code = one;
    }
    if (code == TUSK_OK)
        return tusk_await_free(tusk_exec(db, "commit", TUSK_NO_PARAMS), err);
    (void)tusk_await_free(tusk_exec(db, "rollback", TUSK_NO_PARAMS), NULL);
    return code;
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
            printf("%s\n", line);
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
