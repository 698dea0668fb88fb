/* Named parameters: in a single request, and in a statement that is read once and used many times.
 * Usage: named "postgresql://user:password@host/dbname?sslmode=verify-full" */
#include <inttypes.h>
#include <stdio.h>

#include <tusk/tusk.h>

/* A name may stand in several places, and values come in any order. */
static tusk_code print_tables(tusk_conn *db, const char *schema, tusk_error *err)
{
    tusk_query *q = tusk_submit(
        db,
        &(tusk_request){
            .sql = "select relname::text, reltuples::int8 from pg_class "
                   "where relnamespace = :schema::text::regnamespace and relkind = any(:kinds::\"char\"[]) "
                   "order by relname limit :n",
            .args = TUSK_ARGS({"n", tusk_int8(3)}, {"kinds", tusk_unknown("{r,v}")}, {"schema", tusk_text(schema)})});
    tusk_code code = tusk_await(q);

    for (tusk_row row; code == TUSK_OK && tusk_next_row(q, &row);)
        printf(TUSK_STR_FMT ": %" PRId64 " rows\n", TUSK_STR_ARG(tusk_get_text(&row, 0)), tusk_get_int8(&row, 1));
    if (code != TUSK_OK)
        *err = *tusk_query_error(q);
    tusk_query_free(q);
    return code;
}

/* Read once: the names cost nothing from then on. */
static tusk_code print_distances(tusk_conn *db, tusk_error *err)
{
    static const double points[][2] = {{3, 4}, {5, 12}, {8, 15}};
    tusk_named *named = tusk_named_parse(tusk_str_of("select sqrt(:x ^ 2 + :y ^ 2) -- of (:x, :y)"), NULL, err);
    tusk_code code = named ? TUSK_OK : err->code;
    tusk_query *q[3];

    for (int i = 0; i < 3 && named; i++)
        q[i] = tusk_submit(
            db, &(tusk_request){.named = named,
                                .args = TUSK_ARGS({"y", tusk_float8(points[i][1])}, {"x", tusk_float8(points[i][0])})});
    for (int i = 0; i < 3 && named; i++) {
        tusk_row row;

        if (code == TUSK_OK)
            code = tusk_query_scalar(q[i], &row, err);
        if (code == TUSK_OK)
            printf("%g\n", tusk_get_float8(&row, 0));
        tusk_query_free(q[i]);
    }
    tusk_named_free(named);
    return code;
}

/* What is wrong is told by name, and a position is one in the text with names. */
static void show_errors(tusk_conn *db)
{
    static const char sql[] = "select :name || nonsense";
    tusk_query *missing = tusk_submit(db, &(tusk_request){.sql = sql, .args = TUSK_ARGS({"nam", tusk_text("x")})});
    tusk_query *wrong = tusk_submit(db, &(tusk_request){.sql = sql, .args = TUSK_ARGS({"name", tusk_text("x")})});

    (void)tusk_await(missing);
    printf("%s (%s)\n", tusk_query_error(missing)->message, tusk_query_error(missing)->detail);
    (void)tusk_await(wrong);
    if (tusk_query_error(wrong)->position > 0)
        printf("%s\n%*s %s\n", sql, tusk_query_error(wrong)->position, "^", tusk_query_error(wrong)->message);
    tusk_query_free(missing);
    tusk_query_free(wrong);
}

int main(int argc, char **argv)
{
    tusk_loop *loop = tusk_loop_new();
    tusk_conn *db = loop ? tusk_connect(loop, argc > 1 ? argv[1] : "") : NULL;
    tusk_error err;
    char text[1024];
    int status = 1;

    if (!db)
        return 1;
    if (print_tables(db, "pg_catalog", &err) == TUSK_OK && print_distances(db, &err) == TUSK_OK) {
        show_errors(db);
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
