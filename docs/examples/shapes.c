/* Results as people ask for them: one row or none, one value, what an INSERT did.
 * Usage: shapes "postgresql://user:password@host/dbname?sslmode=verify-full" */
#include <inttypes.h>
#include <stdio.h>

#include <tusk/tusk.h>

/* One value: exactly one row of one column. Each step says what was wrong. */
static tusk_code count_tables(tusk_conn *db, int64_t *n, tusk_error *err)
{
    tusk_query *q = tusk_exec(db, "select count(*) from pg_class where relkind = 'r'", TUSK_NO_PARAMS);
    tusk_row row;
    tusk_code code = tusk_query_scalar(q, &row, err); /* waits for it */

    if (code == TUSK_OK)
        code = tusk_read_int8(&row, 0, n, err);
    tusk_query_free(q);
    return code;
}

/* One row or none: no such table is an answer, several are a mistake. */
static tusk_code print_owner(tusk_conn *db, const char *table, tusk_error *err)
{
    tusk_query *q = tusk_exec(db, "select relowner::regrole::text, relpages from pg_class where oid = to_regclass($1)",
                              TUSK_PARAMS(tusk_text(table)));
    tusk_row row;
    tusk_code code = tusk_query_one_or_none(q, &row, err);

    if (code == TUSK_OK)
        printf("%s belongs to " TUSK_STR_FMT "\n", table, TUSK_STR_ARG(tusk_get_text(&row, 0)));
    else if (code == TUSK_DONE)
        printf("there is no %s\n", table);
    tusk_query_free(q);
    return code == TUSK_DONE ? TUSK_OK : code;
}

static tusk_code insert_twice(tusk_conn *db, tusk_error *err)
{
    tusk_code code =
        tusk_await_free(tusk_exec(db, "create temp table seen (id int4 primary key)", TUSK_NO_PARAMS), err);

    for (int i = 0; i < 2 && code == TUSK_OK; i++) {
        tusk_query *q = tusk_exec(db, "insert into seen values ($1) on conflict do nothing", TUSK_PARAMS(tusk_int4(7)));

        code = tusk_await(q);
        if (code == TUSK_OK)
            printf("7 %s\n", tusk_query_was_inserted(q) ? "is new" : "was there already");
        else
            *err = *tusk_query_error(q);
        tusk_query_free(q);
    }
    return code;
}

int main(int argc, char **argv)
{
    tusk_loop *loop = tusk_loop_new();
    tusk_conn *db = loop ? tusk_connect(loop, argc > 1 ? argv[1] : "") : NULL;
    tusk_error err;
    char text[1024];
    int64_t n;
    int status = 1;

    if (!db)
        return 1;
    if (count_tables(db, &n, &err) == TUSK_OK && print_owner(db, "pg_class", &err) == TUSK_OK &&
        print_owner(db, "pg_nothing", &err) == TUSK_OK && insert_twice(db, &err) == TUSK_OK) {
        printf("%" PRId64 " tables\n", n);
        status = 0;
    } else {
        tusk_error_format(&err, text, sizeof text);
        fprintf(stderr, "%s\n", text);
    }
    (void)tusk_await_free(tusk_close(db), NULL);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    return status;
}
