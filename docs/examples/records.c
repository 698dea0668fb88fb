/* Composites and enums as parameters: values by position, by name, and in an array; and one as it came.
 * Usage: records "postgresql://user:password@host/dbname?sslmode=verify-full" */
#include <inttypes.h>
#include <stdio.h>

#include <tusk/tusk.h>

#define MOST 8

static tusk_code fail(tusk_query *q, tusk_code code, tusk_error *err)
{
    if (code != TUSK_OK)
        *err = *tusk_query_error(q);
    return code;
}

static tusk_code run(tusk_conn *db, const char *sql, tusk_error *err)
{
    return tusk_await_free(tusk_script(db, sql), err);
}

/* No type is given: the statement infers it. */
static tusk_code insert_by_position(tusk_conn *db, tusk_error *err)
{
    tusk_query *q = tusk_exec(
        db, "insert into customer values (1, $1, $2)",
        TUSK_PARAMS(tusk_record_of(0, TUSK_RECORD(tusk_text("Main St 1"), tusk_text("Springfield"), tusk_null())),
                    tusk_array_of(0, TUSK_ARRAY(tusk_text("new"), tusk_text("vip")))));

    return tusk_await_free(q, err);
}

/* A prepared statement has told which type it wants, and what that is made of was looked up behind it. */
static tusk_code insert_by_name(tusk_conn *db, tusk_error *err)
{
    tusk_record_field fields[] = {{"zip", tusk_int4(12345)}, {"city", tusk_text("Shelbyville")}};
    tusk_stmt *stmt = tusk_prepare(db, "insert into customer values (2, $1, null)", NULL, 0);
    tusk_value values[MOST];
    tusk_type type;
    tusk_code code = tusk_await_free(tusk_exec(db, "select 1", TUSK_NO_PARAMS), err); /* behind the look-up */

    if (code == TUSK_OK)
        code = tusk_type_of(db, tusk_stmt_param_type(stmt, 0), &type);
    if (code == TUSK_OK)
        code = tusk_record_arrange(&type, fields, 2, values, MOST, err);
    if (code == TUSK_OK)
        code = tusk_await_free(
            tusk_stmt_exec(
                stmt, TUSK_PARAMS(tusk_record_of(type.oid, &(tusk_record_parts){values, (size_t)type.n_attributes}))),
            err);
    tusk_stmt_free(stmt);
    return code;
}

/* The first one's address becomes everybody's, as it came. */
static tusk_code move_all(tusk_conn *db, tusk_error *err)
{
    tusk_query *q = tusk_exec(db, "select address from customer where id = 1", TUSK_NO_PARAMS);
    tusk_row row;
    tusk_record_view address;
    tusk_code code = tusk_query_scalar(q, &row, err);

    if (code == TUSK_OK)
        code = tusk_read_record(&row, 0, &address, err);
    if (code == TUSK_OK)
        code =
            tusk_await_free(tusk_exec(db, "update customer set address = $1", TUSK_PARAMS(tusk_record(&address))), err);
    tusk_query_free(q);
    return code;
}

static tusk_code print_all(tusk_conn *db, tusk_error *err)
{
    tusk_query *q = tusk_exec(db, "select id, address::text, labels::text from customer order by id", TUSK_NO_PARAMS);
    tusk_code code = tusk_await(q);

    for (tusk_row row; code == TUSK_OK && tusk_next_row(q, &row);)
        printf("%" PRId32 " " TUSK_STR_FMT " " TUSK_STR_FMT "\n", tusk_get_int4(&row, 0),
               TUSK_STR_ARG(tusk_get_text(&row, 1)), TUSK_STR_ARG(tusk_get_text(&row, 2)));
    code = fail(q, code, err);
    tusk_query_free(q);
    return code;
}

int main(int argc, char **argv)
{
    tusk_error err = {0};
    tusk_loop *loop = argc == 2 ? tusk_loop_new() : NULL;
    tusk_conn *db = loop ? tusk_connect(loop, argv[1]) : NULL;
    tusk_code code = TUSK_ERR_USAGE;

    if (db) {
        code =
            run(db,
                "create schema records_example; set search_path = records_example; "
                "create type label as enum ('new', 'vip'); create type address as (street text, city text, zip int4); "
                "create table customer (id int4, address address, labels label[])",
                &err);
        if (code == TUSK_OK)
            code = insert_by_position(db, &err);
        if (code == TUSK_OK)
            code = insert_by_name(db, &err);
        if (code == TUSK_OK)
            code = print_all(db, &err);
        if (code == TUSK_OK)
            code = move_all(db, &err);
        if (code == TUSK_OK)
            code = print_all(db, &err);
        (void)run(db, "drop schema if exists records_example cascade", NULL);
    }
    if (code != TUSK_OK)
        fprintf(stderr, "%s\n", err.message);
    tusk_conn_free(db);
    tusk_loop_free(loop);
    return code == TUSK_OK ? 0 : 1;
}
