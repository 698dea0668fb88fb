/* The main job on real data, shown step by step: connect over TLS with SCRAM, create and fill a table with parameters in binary,
 * ask it in the blocking and in the callback style, pipeline, see what an error tells, run a stack in one round trip, load a million
 * rows, read types into structs and columns into arrays, and walk a cursor inside a transaction.
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

/* ---- many statements, and many rows ---- */

static void print_results(tusk_query *q)
{
    do {
        const tusk_error *err = tusk_query_result_error(q);

        printf("    %-52.*s %s\n", TUSK_STR_ARG(tusk_query_result_sql(q)), err->code == TUSK_OK ? "ok" : err->message);
    } while (tusk_next_result(q));
}

static void stack(tusk_conn *db)
{
    tusk_stack *stack = tusk_stack_new(db);
    tusk_query *q;

    HEADING("6. A stack: several statements, one write, one round trip");
    (void)tusk_stack_push(stack, "insert into zone values ($1, $2, false, now())",
                          TUSK_PARAMS(tusk_text("Atlantis/Poseidonis"), tusk_int4(-7200)));
    (void)tusk_stack_push(stack, "update zone set dst = false where name like $1", TUSK_PARAMS(tusk_text("Europe/%")));
    (void)tusk_stack_push(stack, "select 86400 / $1", TUSK_PARAMS(tusk_int4(0)));
    (void)tusk_stack_push(stack, "delete from zone where name like $1", TUSK_PARAMS(tusk_text("Atlantis/%")));
    q = tusk_stack_run(stack, TUSK_STACK_ATOMIC);
    printf("  all or none: %s\n", tusk_await(q) == TUSK_OK ? "done" : "undone");
    print_results(q);
    tusk_query_free(q);
    q = tusk_stack_run(stack, TUSK_STACK_CONTINUE);
    printf("  each by itself: %s\n", tusk_await(q) == TUSK_OK ? "done" : tusk_query_error(q)->message);
    print_results(q);
    tusk_query_free(q);
    tusk_stack_free(stack);
}

enum { N_READINGS = 1000000 };

static double celsius(int64_t reading)
{
    return 12.5 + (double)(reading % 200) / 10;
}

/* The next row, when the driver has room for it. */
static tusk_code next_reading(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    (void)err, (void)user;
    if (item == N_READINGS)
        return TUSK_DONE;
    return tusk_many_push(q,
                          TUSK_PARAMS(tusk_int8(item), tusk_float8(celsius(item)), tusk_timestamptz(item * 1000000)));
}

static void load(tusk_conn *db)
{
    tusk_query *q;

    HEADING("7. One statement with a million sets of values, pulled one by one, pipelined, all or none");
    tusk_query_free(ask(db, "create temp table reading (id int8, celsius float8, at timestamptz)", TUSK_NO_PARAMS));
    q = tusk_many_submit(db,
                         &(tusk_many_request){.sql = "insert into reading values ($1, $2, $3)", .pull = next_reading});
    if (tusk_await(q) != TUSK_OK)
        die(tusk_query_error(q));
    printf("%" PRId64 " rows, one INSERT each\n", tusk_query_rows_affected(q));
    tusk_query_free(q);
}

/* ---- types ---- */

struct meridian {
    int32_t east_s;
    int64_t n_zones;
    tusk_array_view names; /* of text, a view into the row */
    tusk_str facts;        /* jsonb */
    int64_t seen;
};

static const tusk_field meridian_fields[] = {
    TUSK_FIELD(struct meridian, east_s, TUSK_OID_INT4),      TUSK_FIELD(struct meridian, n_zones, TUSK_OID_INT8),
    TUSK_FIELD(struct meridian, names, TUSK_OID_TEXT_ARRAY), TUSK_FIELD(struct meridian, facts, TUSK_OID_JSONB),
    TUSK_FIELD(struct meridian, seen, TUSK_OID_TIMESTAMPTZ),
};

static void print_meridian(const struct meridian *m)
{
    tusk_array_iter it = tusk_array_begin(&m->names);
    tusk_value name;

    printf("  %+6.2f h  %3" PRId64 " zones  ", m->east_s / 3600.0, m->n_zones);
    for (int i = 0; i < 2 && tusk_array_next(&it, &name, NULL) == TUSK_OK; i++)
        printf(TUSK_STR_FMT ", ", TUSK_STR_ARG(name.as.bytes));
    printf("…  " TUSK_STR_FMT "\n", TUSK_STR_ARG(m->facts));
}

static void types(tusk_loop *loop, tusk_conn *db)
{
    int32_t wanted[] = {3600, 20700, 45900};
    struct meridian meridians[3];
    tusk_fields *fields;
    tusk_error err = {0};
    size_t n = 0;

    HEADING("8. Arrays both ways, jsonb, and rows into structs, all in binary");
    tusk_query *q =
        ask(db,
            "select east_s, count(*) as n_zones, array_agg(name order by name) as names, max(seen) as seen, "
            "jsonb_build_object('dst', bool_or(dst), 'longest', max(length(name))) as facts "
            "from zone where east_s = any($1) group by east_s order by east_s",
            TUSK_PARAMS(tusk_array_of_int4(wanted, 3)));

    fields = tusk_fields_new(loop, sizeof *meridians, meridian_fields, sizeof meridian_fields / sizeof *meridian_fields,
                             &err);
    if (!fields || tusk_fields_fetch(fields, q, meridians, 3, &n, &err) != TUSK_OK)
        die(&err);
    for (size_t i = 0; i < n; i++)
        print_meridian(&meridians[i]);
    tusk_fields_free(fields);
    tusk_query_free(q);
}

static void columns(tusk_loop *loop, tusk_conn *db)
{
    tusk_query *q = tusk_exec(db, "select id, celsius from reading", TUSK_NO_PARAMS);
    tusk_error err = {0};
    tusk_columns *batch = tusk_columns_new(loop, NULL, &err);
    double sum = 0;
    size_t n = 0;
    tusk_code code;

    HEADING("9. A million rows as columns, batch by batch, laid out as Apache Arrow lays them");
    if (!batch)
        die(&err);
    while ((code = tusk_columns_fetch(batch, q, &err)) == TUSK_OK) {
        const double *celsius_of = tusk_columns_values(batch, 1)->values;

        for (size_t i = 0; i < tusk_columns_n_rows(batch); i++)
            sum += celsius_of[i];
        n += tusk_columns_n_rows(batch);
    }
    if (code != TUSK_DONE)
        die(&err);
    printf("%zu rows, mean %.2f degrees Celsius\n", n, sum / (double)n);
    tusk_columns_free(batch);
    tusk_query_free(q);
}

/* ---- transactions ---- */

/* The first row travels with the BEGIN; while these are looked at, the next ones are on their way. */
static void cursor(tusk_conn *db)
{
    int64_t n = 0, hottest = -1;
    double most = 0;
    tusk_cursor *cursor;
    tusk_error err;

    HEADING("10. A transaction, and a cursor that reads ahead in it");
    tusk_query_free(tusk_begin(db, &(tusk_transaction){.isolation = TUSK_REPEATABLE_READ, .read_only = true}));
    cursor = tusk_cursor_open(db, &(tusk_cursor_request){.sql = "select id, celsius from reading where id % $1 = 0",
                                                         .params = TUSK_PARAMS(tusk_int8(7)),
                                                         .batch_rows = 2000});
    for (tusk_row row; tusk_cursor_next_row(cursor, &row); n++)
        if (tusk_get_float8(&row, 1) > most) {
            most = tusk_get_float8(&row, 1);
            hottest = tusk_get_int8(&row, 0);
        }
    if (tusk_cursor_error(cursor)->code != TUSK_OK)
        die(tusk_cursor_error(cursor));
    tusk_cursor_free(cursor);
    if (tusk_await_free(tusk_commit(db), &err) != TUSK_OK)
        die(&err);
    printf("%" PRId64 " rows in batches of 2000, the hottest first at %" PRId64 ": %.1f degrees\n", n, hottest, most);
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
    stack(db);
    load(db);
    types(loop, db);
    columns(loop, db);
    cursor(db);
    (void)tusk_await_free(tusk_close(db), NULL);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    printf("\nClosed. No libpq was involved.\n");
    return 0;
}
