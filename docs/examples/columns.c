/* Rows into arrays: a result of any size, batch by batch, in the memory of one.
 * Usage: columns "postgresql://user:password@host/dbname?sslmode=verify-full" */
#include <stdio.h>

#include <tusk/tusk.h>

typedef struct totals {
    double sum;
    size_t n_rows, n_missing, longest;
} totals;

/* An array is gone through as an array; where NULLs lie there are zeros. */
static void add(const tusk_columns *columns, totals *t)
{
    const tusk_column_values *reals = tusk_columns_values(columns, 0), *texts = tusk_columns_values(columns, 1);
    const double *values = reals->values;

    for (size_t i = 0; i < reals->n_rows; i++)
        t->sum += values[i];
    for (size_t i = 0; i < texts->n_rows; i++)
        if (tusk_value_bytes(texts, i).len > t->longest)
            t->longest = tusk_value_bytes(texts, i).len;
    t->n_missing += reals->n_nulls;
    t->n_rows += reals->n_rows;
}

static tusk_code print_totals(tusk_conn *db, tusk_columns *columns, tusk_error *err)
{
    tusk_query *q = tusk_exec(db,
                              "select nullif(n % 1000, 7)::float8, repeat('x', n % 40) "
                              "from generate_series(1, 100000) n",
                              TUSK_NO_PARAMS);
    totals t = {0};
    tusk_code code;

    while ((code = tusk_columns_fetch(columns, q, err)) == TUSK_OK) /* of a running query: a stream */
        add(columns, &t);
    tusk_query_free(q);
    if (code != TUSK_DONE)
        return code;
    printf("%zu rows, sum %.0f, %zu missing, the longest text has %zu bytes\n", t.n_rows, t.sum, t.n_missing,
           t.longest);
    return TUSK_OK;
}

int main(int argc, char **argv)
{
    tusk_loop *loop = tusk_loop_new();
    tusk_conn *db = loop ? tusk_connect(loop, argc > 1 ? argv[1] : "") : NULL;
    tusk_error err;
    tusk_columns *columns;
    char text[1024];
    int status = 1;

    if (!db)
        return 1;
    columns = tusk_columns_new(loop, &(tusk_columns_options){.batch_rows = 10000}, &err);
    if (columns && print_totals(db, columns, &err) == TUSK_OK) {
        status = 0;
    } else {
        tusk_error_format(&err, text, sizeof text);
        fprintf(stderr, "%s\n", text);
    }
    tusk_columns_free(columns);
    (void)tusk_await_free(tusk_close(db), NULL);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    return status;
}
