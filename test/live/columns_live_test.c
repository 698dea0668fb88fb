/* Rows into arrays against the real server: every layout next to its getter, kept and streamed, and what ends a batch early.
 * Read first: tusk/columns.h, test/columns_test.c. */
#include "test/live/live.h"

static tusk_error err;

static tusk_columns *make(int64_t batch_rows)
{
    tusk_columns *columns = tusk_columns_new(loop, &(tusk_columns_options){.batch_rows = batch_rows}, &err);

    ck_assert_msg(columns != NULL, "%s", said(&err));
    return columns;
}

/* ---- every type ------------------------------------------------------------------------------------------------------------------------------ */

#define TYPES                                                                                                          \
    "select n % 2 = 0, n::int2, n, n * 5000000000, n / 8.0::float4, n / 3.0::float8, n::oid, n::text::xid, "           \
    "date '2000-02-28' + n, time '00:00' + n * interval '1 s', timestamp '1999-01-01' + n * interval '1 day', "        \
    "'infinity'::timestamptz, n::money, ('0/' || to_hex(n))::pg_lsn, md5(n::text)::uuid, md5(n::text)::uuid::text, "   \
    "n::varchar, json_build_object('n', n), jsonb_build_object('n', n), decode(md5(n::text), 'hex'), point(n, n), "    \
    "array[n, n], n::numeric from generate_series(1, 3000) n"

static tusk_str fixed(const tusk_column_values *v, size_t i)
{
    return tusk_str_from((const char *)v->values + i * v->width, v->width);
}

/* What a getter gives, as bytes in `room`. */
static tusk_str got(const tusk_row *row, int col, const tusk_column_values *v, uint8_t room[16])
{
    int64_t integer = 0;
    float real4;
    double real8;

    switch (v->column->type) {
    case TUSK_OID_FLOAT4:
        real4 = tusk_get_float4(row, col);
        memcpy(room, &real4, 4);
        break;
    case TUSK_OID_FLOAT8:
        real8 = tusk_get_float8(row, col);
        memcpy(room, &real8, 8);
        break;
    case TUSK_OID_UUID:
        ck_assert_int_eq(tusk_read_uuid(row, col, room, NULL), TUSK_OK);
        break;
    default: { /* integers all, little-endian or not */
        tusk_value value;

        ck_assert_int_eq(tusk_read_value(row, col, &value, &err), TUSK_OK);
        integer = value.as.integer;
        if (v->width == 8)
            memcpy(room, &integer, 8);
        else if (v->width == 4)
            memcpy(room, &(int32_t){(int32_t)integer}, 4);
        else
            memcpy(room, &(int16_t){(int16_t)integer}, 2);
    }
    }
    return tusk_str_from(room, v->width);
}

static void check_value(const tusk_row *row, int col, const tusk_column_values *v, size_t i)
{
    uint8_t room[16];

    ck_assert_int_eq(tusk_value_is_null(v, i), tusk_is_null(row, col));
    if (v->layout == TUSK_LAYOUT_BITS)
        ck_assert_int_eq(tusk_value_bit(v, i), tusk_get_bool(row, col));
    else if (v->layout == TUSK_LAYOUT_FIXED)
        ck_assert_msg(tusk_str_equal(fixed(v, i), got(row, col, v, room)), "column %d, row %zu", col, i);
    else if (v->column->type == TUSK_OID_JSONB)
        ck_assert(tusk_str_equal(tusk_value_bytes(v, i), tusk_get_text(row, col)));
    else
        ck_assert(tusk_str_equal(tusk_value_bytes(v, i), tusk_get_raw(row, col)));
}

START_TEST(arrays_hold_what_the_getters_give)
{
    tusk_query *q = tusk_submit(db, &(tusk_request){.sql = TYPES, .text_results = _i == 1});
    tusk_query *again = tusk_submit(db, &(tusk_request){.sql = TYPES, .text_results = _i == 1});
    tusk_columns *columns = make(1000);
    tusk_code code;
    tusk_row row;

    ck_ok(q);
    ck_ok(again);
    while ((code = tusk_columns_fetch(columns, q, &err)) == TUSK_OK) {
        ck_assert_uint_eq(tusk_columns_n_rows(columns), 1000);
        ck_assert_int_eq(tusk_columns_n_cols(columns), tusk_query_n_cols(q));
        for (size_t i = 0; i < 1000; i++) {
            ck_assert(tusk_next_row(again, &row));
            for (int col = 0; col < tusk_columns_n_cols(columns); col++) {
                ck_assert(_i == 0 || tusk_columns_values(columns, col)->layout == TUSK_LAYOUT_BYTES);
                check_value(&row, col, tusk_columns_values(columns, col), i);
            }
        }
    }
    ck_assert_int_eq(code, TUSK_DONE);
    ck_assert(!tusk_next_row(again, &row));
    tusk_columns_free(columns);
    tusk_query_free(again);
    tusk_query_free(q);
}
END_TEST

/* ---- streams ----------------------------------------------------------------------------------------------------------------------------------- */

#define MANY "select n, nullif(n % 10, 0)::text from generate_series(1, 200000) n"

static int64_t sum_of(const tusk_columns *columns)
{
    const int32_t *n = tusk_columns_values(columns, 0)->values;
    int64_t sum = 0;

    for (size_t i = 0; i < tusk_columns_n_rows(columns); i++)
        sum += n[i];
    return sum;
}

/* More than a stream holds back: the server has to wait for each batch. Rows between two batches are another matter. */
START_TEST(a_running_query_is_taken_batch_by_batch)
{
    tusk_query *q = tusk_exec(db, MANY, TUSK_NO_PARAMS);
    tusk_columns *columns = make(_i ? 777 : 65536);
    tusk_code code;
    size_t n = 0, n_nulls = 0;
    int64_t sum = 0;
    tusk_row row;

    ck_assert(tusk_next_row(q, &row));
    sum += tusk_get_int4(&row, 0);
    n++;
    while ((code = tusk_columns_fetch(columns, q, &err)) == TUSK_OK) {
        n += tusk_columns_n_rows(columns);
        sum += sum_of(columns);
        n_nulls += tusk_columns_values(columns, 1)->n_nulls;
        if (tusk_next_row(q, &row)) {
            sum += tusk_get_int4(&row, 0);
            n_nulls += tusk_is_null(&row, 1);
            n++;
        }
    }
    ck_assert_msg(code == TUSK_DONE, "%s", said(&err));
    ck_assert_uint_eq(n, 200000);
    ck_assert_uint_eq(n_nulls, 20000);
    ck_assert_int_eq(sum, INT64_C(200000) * 200001 / 2);
    ck_assert_int_eq(tusk_query_code(q), TUSK_OK);
    tusk_columns_free(columns);
    tusk_query_free(q);
}
END_TEST

START_TEST(a_query_that_fails_on_its_way_says_so)
{
    tusk_query *q = tusk_exec(db, "select 1 / (50000 - n) from generate_series(1, 100000) n", TUSK_NO_PARAMS);
    tusk_columns *columns = make(1000);
    tusk_code code;

    while ((code = tusk_columns_fetch(columns, q, &err)) == TUSK_OK)
        ck_assert_uint_eq(tusk_columns_n_rows(columns), 1000);
    ck_error(&err, TUSK_ERR_SERVER, "22012", "division by zero");
    ck_assert_int_eq(tusk_columns_fetch(columns, q, &err), TUSK_ERR_SERVER);
    tusk_query_free(q);
    ck_usable(db);
    tusk_columns_free(columns);
}
END_TEST

/* ---- results of all kinds ----------------------------------------------------------------------------------------------------------------------- */

START_TEST(each_result_of_a_script_is_taken_for_itself)
{
    tusk_query *q = tusk_script(db, "select 'x'; select 1, 2 where false; create temp table t(); select 'yy', 'zzz'");
    tusk_columns *columns = make(0);

    ck_ok(q);
    ck_assert_int_eq(tusk_columns_fetch(columns, q, &err), TUSK_OK);
    ck_assert(tusk_str_is(tusk_value_bytes(tusk_columns_values(columns, 0), 0), "x"));
    ck_assert_int_eq(tusk_columns_fetch(columns, q, &err), TUSK_DONE);
    for (int i = 0; i < 2; i++) {
        ck_assert(tusk_next_result(q));
        ck_assert_int_eq(tusk_columns_fetch(columns, q, &err), TUSK_DONE);
    }
    ck_assert(tusk_next_result(q));
    ck_assert_int_eq(tusk_columns_fetch(columns, q, &err), TUSK_OK);
    ck_assert(tusk_str_is(tusk_value_bytes(tusk_columns_values(columns, 1), 0), "zzz"));
    tusk_query_free(q);
    tusk_columns_free(columns);
}
END_TEST

static void ignore_row(tusk_query *q, const tusk_row *row, void *user)
{
    (void)q, (void)row, (void)user;
}

static tusk_code code_in_callback;

static void fetch_in_callback(tusk_query *q, void *user)
{
    tusk_query *other = tusk_exec(db, "select 1", TUSK_NO_PARAMS);

    (void)q;
    code_in_callback = tusk_columns_fetch(user, other, &err);
    tusk_query_free(other);
}

START_TEST(where_there_are_no_rows_to_take_it_says_why)
{
    tusk_query *q = tusk_submit(db, &(tusk_request){.sql = "select 1", .on_row = ignore_row});
    tusk_columns *columns = make(0);

    ck_assert_int_eq(tusk_columns_fetch(columns, NULL, &err), TUSK_ERR_NOMEM);
    ck_assert_int_eq(tusk_columns_fetch(columns, q, &err), TUSK_ERR_USAGE);
    ck_assert_str_eq(err.message, "on_row got the rows: none is kept");
    tusk_query_free(q);
    q = tusk_exec(db, "select 1", TUSK_NO_PARAMS);
    tusk_query_on_done(q, fetch_in_callback, columns);
    ck_assert_int_eq(tusk_await(q), TUSK_OK);
    ck_assert_int_eq(code_in_callback, TUSK_ERR_STATE);
    ck_error(&err, TUSK_ERR_STATE, "55000", "a query cannot be waited for inside a callback: use on_done");
    q = tusk_exec(db, "select", TUSK_NO_PARAMS);
    ck_assert_int_eq(tusk_columns_fetch(columns, q, &err), TUSK_OK); /* a row of no columns */
    ck_assert_uint_eq(tusk_columns_n_rows(columns), 1);
    ck_assert_int_eq(tusk_columns_n_cols(columns), 0);
    tusk_query_free(q);
    tusk_columns_free(columns);
}
END_TEST

typedef struct adding {
    tusk_columns *columns;
    int64_t n, sum;
} adding;

static void take_batch(adding *a)
{
    const tusk_column_values *v = tusk_columns_values(a->columns, 0);

    for (size_t i = 0; i < v->n_rows; i++)
        a->sum +=
            ((const int64_t *)v->values)[i] + (int64_t)tusk_value_bytes(tusk_columns_values(a->columns, 1), i).len;
    a->n += (int64_t)v->n_rows;
}

static void add_row(tusk_query *q, const tusk_row *row, void *user)
{
    adding *a = user;
    tusk_code code = tusk_columns_add(a->columns, row, &err);

    (void)q;
    ck_assert_msg(code == TUSK_OK || code == TUSK_DONE, "%s", said(&err));
    if (code == TUSK_DONE)
        take_batch(a);
}

START_TEST(rows_of_a_callback_are_added_one_by_one)
{
    adding a = {.columns = make(700)};
    tusk_query *q = tusk_submit(
        db, &(tusk_request){.sql = "select n, repeat('x', (n % 3)::int4) from generate_series(1::int8, 5000) n",
                            .on_row = add_row,
                            .user = &a});

    ck_ok(q);
    ck_assert_int_eq(a.n, 4900);
    ck_assert_int_eq(tusk_columns_finish(a.columns), TUSK_OK);
    take_batch(&a);
    ck_assert_int_eq(a.n, 5000);
    ck_assert_int_eq(a.sum, 5000 * 5001 / 2 + 5001);
    tusk_query_free(q);
    tusk_columns_free(a.columns);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("columns_live");
    TCase *tcase = tcase_create("columns_live");

    tcase_add_checked_fixture(tcase, live_up, live_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, arrays_hold_what_the_getters_give, 0, 2);
    tcase_add_loop_test(tcase, a_running_query_is_taken_batch_by_batch, 0, 2);
    tcase_add_test(tcase, rows_of_a_callback_are_added_one_by_one);
    tcase_add_test(tcase, a_query_that_fails_on_its_way_says_so);
    tcase_add_test(tcase, each_result_of_a_script_is_taken_for_itself);
    tcase_add_test(tcase, where_there_are_no_rows_to_take_it_says_why);
    suite_add_tcase(suite, tcase);
    return suite;
}
