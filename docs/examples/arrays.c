/* Arrays: C's arrays as parameters, an array of a result into C's, and one of any shape element by element.
 * Usage: arrays "postgresql://user:password@host/dbname?sslmode=verify-full" */
#include <inttypes.h>
#include <stdio.h>

#include <tusk/tusk.h>

#define MOST 100

/* = any($1): one parameter, however many values. */
static tusk_code print_chosen(tusk_conn *db, const int32_t *ids, size_t n, tusk_error *err)
{
    tusk_query *q = tusk_exec(db, "select x, x * x from generate_series(1, 10) x where x = any($1)",
                              TUSK_PARAMS(tusk_array_of_int4(ids, n)));
    tusk_code code = tusk_await(q);

    for (tusk_row row; code == TUSK_OK && tusk_next_row(q, &row);)
        printf("%" PRId32 " squared is %" PRId32 "\n", tusk_get_int4(&row, 0), tusk_get_int4(&row, 1));
    if (code != TUSK_OK)
        *err = *tusk_query_error(q);
    tusk_query_free(q);
    return code;
}

/* Into memory of ours, with a bitmap that says which are NULL. */
static tusk_code print_sum(tusk_conn *db, tusk_error *err)
{
    tusk_query *q = tusk_exec(db, "select array_agg(nullif(x, 3)) from generate_series(1, 5) x", TUSK_NO_PARAMS);
    tusk_row row;
    tusk_array_view array;
    int32_t numbers[MOST];
    uint8_t valid[(MOST + 7) / 8];
    int64_t sum = 0;
    tusk_code code = tusk_query_scalar(q, &row, err);

    if (code == TUSK_OK)
        code = tusk_read_array(&row, 0, &array, err);
    if (code == TUSK_OK)
        code = tusk_array_to_int4(&array, numbers, MOST, valid, err);
    if (code == TUSK_OK) {
        for (size_t i = 0; i < array.n; i++)
            if (valid[i / 8] >> i % 8 & 1)
                sum += numbers[i];
        printf("%zu numbers, %zu of them NULL, make %" PRId64 "\n", array.n, array.n_nulls, sum);
    }
    tusk_query_free(q);
    return code;
}

/* Two dimensions, made of values; the walk goes row by row. */
static tusk_code print_matrix(tusk_conn *db, tusk_error *err)
{
    tusk_array_parts cells = *TUSK_ARRAY(tusk_text("a"), tusk_null(), tusk_text("c"), tusk_text("d"));
    tusk_query *q;
    tusk_row row;
    tusk_array_view array = {0};
    tusk_value cell;
    tusk_code code;

    cells.ndim = 2;
    cells.dims = (const int32_t[]){2, 2};
    q = tusk_exec(db, "select $1", TUSK_PARAMS(tusk_array_of(TUSK_OID_TEXT_ARRAY, &cells)));
    code = tusk_query_scalar(q, &row, err);
    if (code == TUSK_OK)
        code = tusk_read_array(&row, 0, &array, err);
    for (tusk_array_iter it = tusk_array_begin(&array); code == TUSK_OK;) {
        code = tusk_array_next(&it, &cell, err);
        if (code == TUSK_OK && cell.kind == TUSK_KIND_NULL)
            printf("(nothing)\n");
        else if (code == TUSK_OK)
            printf(TUSK_STR_FMT "\n", TUSK_STR_ARG(cell.as.bytes));
    }
    tusk_query_free(q);
    return code == TUSK_DONE ? TUSK_OK : code;
}

int main(int argc, char **argv)
{
    static const int32_t ids[] = {2, 3, 5};
    tusk_loop *loop = tusk_loop_new();
    tusk_conn *db = loop ? tusk_connect(loop, argc > 1 ? argv[1] : "") : NULL;
    tusk_error err;
    char text[1024];
    tusk_code code;

    if (!db)
        return 1;
    code = print_chosen(db, ids, 3, &err);

    if (code == TUSK_OK)
        code = print_sum(db, &err);
    if (code == TUSK_OK)
        code = print_matrix(db, &err);
    if (code != TUSK_OK) {
        tusk_error_format(&err, text, sizeof text);
        fprintf(stderr, "%s\n", text);
    }
    (void)tusk_await_free(tusk_close(db), NULL);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    return code == TUSK_OK ? 0 : 1;
}
