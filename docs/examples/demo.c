/* The main job on real data, shown step by step: connect over TLS with SCRAM, create and fill a table with parameters in binary,
 * ask it in the blocking and in the callback style, pipeline, and see what an error tells.
 * Usage: demo "postgresql://user:password@host/dbname?sslmode=verify-full" */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <tusk/tusk.h>

#define HEADING(text) printf("\n\033[1m%s\033[0m\n", text)

static void die(const tusk_error *err)
{
    char text[1024];

    tusk_error_format(err, text, sizeof text);
    fprintf(stderr, "demo: %s\n", text);
    exit(1);
}

/* Submit, wait, and return the query with its rows. */
static tusk_query *ask(tusk_conn *db, const char *sql, tusk_params params)
{
    tusk_query *q = tusk_exec(db, sql, params);

    if (tusk_await(q) != TUSK_OK)
        die(tusk_query_error(q));
    return q;
}

static void show_connection(tusk_conn *db)
{
    tusk_query *ready = tusk_conn_ready(db);

    HEADING("1. Connect: name, socket, TLS, SCRAM, under the loop");
    if (tusk_await(ready) != TUSK_OK)
        die(tusk_query_error(ready));
    tusk_query_free(ready);
    printf("PostgreSQL " TUSK_STR_FMT ", " TUSK_STR_FMT ", backend %" PRIu32 ", user " TUSK_STR_FMT "\n",
           TUSK_STR_ARG(tusk_conn_parameter(db, "server_version")), TUSK_STR_ARG(tusk_conn_tls_version(db)),
           tusk_conn_backend_pid(db), TUSK_STR_ARG(tusk_conn_user(db)));
}

/* The server's own time zone database: some 600 real places. */
static void fill(tusk_conn *db)
{
    tusk_query *q;
    tusk_row row;
    size_t n = 0, stored = 0;

    HEADING("2. Real data: the world's time zones, stored one by one with typed parameters, pipelined");
    tusk_query_free(ask(db, "create temp table zone (name text primary key, east_s int4, dst bool, seen timestamptz)",
                        TUSK_NO_PARAMS));
    tusk_stmt *insert = tusk_prepare(db, "insert into zone values ($1, $2, $3, $4)", NULL, 0);
    tusk_query *zones = ask(
        db, "select name, extract(epoch from utc_offset)::int4, is_dst, now() from pg_timezone_names", TUSK_NO_PARAMS);
    tusk_query **inserts = calloc(tusk_query_n_rows(zones), sizeof *inserts);

    if (!insert || !inserts)
        exit(1);
    while (tusk_next_row(zones, &row))
        inserts[n++] = tusk_stmt_exec(
            insert, TUSK_PARAMS(tusk_text_str(tusk_get_text(&row, 0)), tusk_int4(tusk_get_int4(&row, 1)),
                                tusk_bool(tusk_get_bool(&row, 2)), tusk_timestamptz(tusk_get_timestamptz(&row, 3))));
    for (size_t i = 0; i < n; i++) {
        if (tusk_await(inserts[i]) != TUSK_OK)
            die(tusk_query_error(inserts[i]));
        stored += (size_t)tusk_query_rows_affected(inserts[i]);
        tusk_query_free(inserts[i]);
    }
    printf("%zu of %zu zones stored\n", stored, n);
    free(inserts);
    tusk_query_free(zones);
    tusk_stmt_free(insert);
    q = ask(db, "select count(*) from zone where east_s % $1 <> 0", TUSK_PARAMS(tusk_int4(3600)));
    if (tusk_next_row(q, &row))
        printf("%" PRId64 " of them are not a whole number of hours from Greenwich\n", tusk_get_int8(&row, 0));
    tusk_query_free(q);
}

static void blocking(tusk_conn *db)
{
    tusk_row row;

    HEADING("3. Blocking style: submit, await, walk the rows");
    tusk_query *q = ask(db,
                        "select name, east_s, dst, seen from zone where name like $1 and east_s between $2 and $3 "
                        "order by east_s, name limit 8",
                        TUSK_PARAMS(tusk_text("Europe/%"), tusk_int4(3600), tusk_int4(10800)));

    while (tusk_next_row(q, &row)) {
        char when[64];
        size_t len;

        if (tusk_format_value(&row, 3, when, sizeof when, &len, NULL) != TUSK_OK)
            exit(1);
        printf("  %-20.*s %+6.2f h  %-5s  %s\n", TUSK_STR_ARG(tusk_get_text(&row, 0)), tusk_get_int4(&row, 1) / 3600.0,
               tusk_get_bool(&row, 2) ? "dst" : "", when);
    }
    printf("  %zu rows, tag \"" TUSK_STR_FMT "\", %d columns in binary\n", tusk_query_n_rows(q),
           TUSK_STR_ARG(tusk_query_tag(q)), tusk_query_n_cols(q));
    tusk_query_free(q);
}

struct tally {
    tusk_loop *loop;
    int open;
    size_t rows;
    double degrees;
};

static void on_row(tusk_query *q, const tusk_row *row, void *user)
{
    struct tally *tally = user;

    (void)q;
    tally->rows++;
    tally->degrees += tusk_get_float8(row, 0);
}

static void on_done(tusk_query *q, void *user)
{
    struct tally *tally = user;

    if (tusk_query_code(q) != TUSK_OK)
        die(tusk_query_error(q));
    if (--tally->open == 0)
        tusk_loop_stop(tally->loop);
}

static void callbacks(tusk_loop *loop, tusk_conn *db)
{
    struct tally tally = {.loop = loop};

    HEADING("4. Callback style: twelve requests, one loop, rows as they arrive");
    for (int hour = 0; hour < 12; hour++, tally.open++)
        if (!tusk_submit(db, &(tusk_request){.sql = "select east_s / 240.0::float8 from zone where east_s / 3600 = $1",
                                             .params = TUSK_PARAMS(tusk_int4(hour)),
                                             .timeout = 10,
                                             .on_row = on_row,
                                             .on_done = on_done,
                                             .user = &tally}))
            exit(1);
    if (tusk_loop_run(loop, NULL) != TUSK_OK)
        exit(1);
    printf("%zu zones east of Greenwich, mean longitude of their clocks %.1f degrees\n", tally.rows,
           tally.degrees / (double)tally.rows);
}

static void error(tusk_conn *db)
{
    tusk_query *q = tusk_exec(db, "insert into zone values ($1, $2, false, now())",
                              TUSK_PARAMS(tusk_text("Europe/Berlin"), tusk_int4(3600)));
    const tusk_error *err;

    HEADING("5. An error is a value with its whole context");
    (void)tusk_await(q);
    err = tusk_query_error(q);
    printf("  code       %s\n  sqlstate   %s\n  fate       %s\n  message    %s\n  detail     %s\n  "
           "constraint " TUSK_STR_FMT "\n",
           tusk_code_name(err->code), err->sqlstate, tusk_fate_name(err->fate), err->message, err->detail,
           TUSK_STR_ARG(tusk_query_error_field(q, 'n')));
    tusk_query_free(q);
}

int main(int argc, char **argv)
{
    tusk_loop *loop = tusk_loop_new();
    tusk_conn *db = loop ? tusk_connect(loop, argc > 1 ? argv[1] : "") : NULL;

    if (!db)
        return 1;
    show_connection(db);
    fill(db);
    blocking(db);
    callbacks(loop, db);
    error(db);
    (void)tusk_await_free(tusk_close(db), NULL);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    printf("\nClosed. No libpq was involved.\n");
    return 0;
}
