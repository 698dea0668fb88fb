/* A result that is too large to be held: a cursor inside a transaction, row by row, the next batch on its way meanwhile.
 * Usage: cursor "postgresql://user:password@host/dbname?sslmode=verify-full" */
#include <inttypes.h>
#include <stdio.h>

#include <tusk/tusk.h>

static bool is_well(tusk_query *q)
{
    tusk_error err = {0};
    char text[1024];

    if (tusk_await_free(q, &err) == TUSK_OK)
        return true;
    tusk_error_format(&err, text, sizeof text);
    fprintf(stderr, "%s\n", text);
    return false;
}

/* The sum of a million numbers, of which some thousand are here at a time. */
static bool add_up(tusk_conn *db, int64_t *sum)
{
    tusk_cursor *cursor =
        tusk_cursor_open(db, &(tusk_cursor_request){
                                 .sql = "select n::int8, repeat('x', 20) from generate_series(1, $1) n",
                                 .params = TUSK_PARAMS(tusk_int4(1000000)),
                                 .batch_rows = 5000,
                             });
    bool is_fine;

    for (tusk_row row; tusk_cursor_next_row(cursor, &row);)
        *sum += tusk_get_int8(&row, 0);
    is_fine = tusk_cursor_error(cursor)->code == TUSK_OK;
    tusk_cursor_free(cursor);
    return is_fine;
}

int main(int argc, char **argv)
{
    tusk_loop *loop = tusk_loop_new();
    tusk_conn *db = loop ? tusk_connect(loop, argc > 1 ? argv[1] : "") : NULL;
    int64_t sum = 0;
    bool is_fine;

    if (!db)
        return 1;
    tusk_query_free(tusk_begin(db, &(tusk_transaction){.read_only = true})); /* in one flight with the cursor */
    is_fine = add_up(db, &sum) && is_well(tusk_commit(db));
    printf("the sum is %" PRId64 "\n", sum);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    return !is_fine || sum != INT64_C(500000500000);
}
