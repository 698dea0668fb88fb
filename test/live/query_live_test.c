/* Queries against the real server: values both ways, results and how they are kept, scripts, streaming. */
#include <math.h>
#include <sys/mman.h>

#include "test/live/live.h"

/* ---- values: what goes in comes out, and the server reads it as we do ------------------------------------------------------ */

/* clang-format off */
static const struct {
    const char *name; /* of the SQL type */
    tusk_value value;
    const char *text; /* as the server prints it */
} values[] = {
    {"bool", {TUSK_OID_BOOL, TUSK_KIND_BOOL, {.boolean = true}}, "true"},
    {"bool", {TUSK_OID_BOOL, TUSK_KIND_BOOL, {.boolean = false}}, "false"},
    {"int2", {TUSK_OID_INT2, TUSK_KIND_INT, {.integer = INT16_MIN}}, "-32768"},
    {"int2", {TUSK_OID_INT2, TUSK_KIND_INT, {.integer = INT16_MAX}}, "32767"},
    {"int4", {TUSK_OID_INT4, TUSK_KIND_INT, {.integer = INT32_MIN}}, "-2147483648"},
    {"int4", {TUSK_OID_INT4, TUSK_KIND_INT, {.integer = INT32_MAX}}, "2147483647"},
    {"int8", {TUSK_OID_INT8, TUSK_KIND_INT, {.integer = INT64_MIN}}, "-9223372036854775808"},
    {"int8", {TUSK_OID_INT8, TUSK_KIND_INT, {.integer = INT64_MAX}}, "9223372036854775807"},
    {"oid", {TUSK_OID_OID, TUSK_KIND_INT, {.integer = UINT32_MAX}}, "4294967295"},
    {"float4", {TUSK_OID_FLOAT4, TUSK_KIND_FLOAT, {.real = (double)0.1f}}, "0.1"},
    {"float4", {TUSK_OID_FLOAT4, TUSK_KIND_FLOAT, {.real = -INFINITY}}, "-Infinity"},
    {"float8", {TUSK_OID_FLOAT8, TUSK_KIND_FLOAT, {.real = 5e-324}}, "5e-324"},
    {"float8", {TUSK_OID_FLOAT8, TUSK_KIND_FLOAT, {.real = 0.1}}, "0.1"},
    {"text", {TUSK_OID_TEXT, TUSK_KIND_TEXT, {.bytes = {"", 0}}}, ""},
    {"text", {TUSK_OID_TEXT, TUSK_KIND_TEXT, {.bytes = {"Gr\xC3\xBC\xC3\x9F\x65 \xF0\x9F\x90\x98", 12}}}, "Gr\xC3\xBC\xC3\x9F\x65 \xF0\x9F\x90\x98"},
    {"varchar", {TUSK_OID_VARCHAR, TUSK_KIND_TEXT, {.bytes = {"a'b\\c\"", 6}}}, "a'b\\c\""},
    {"bpchar", {TUSK_OID_BPCHAR, TUSK_KIND_TEXT, {.bytes = {"ab", 2}}}, "ab"},
    {"name", {TUSK_OID_NAME, TUSK_KIND_TEXT, {.bytes = {"pg_class", 8}}}, "pg_class"},
    {"bytea", {TUSK_OID_BYTEA, TUSK_KIND_BYTES, {.bytes = {"\0\x01\xFF", 3}}}, "\\x0001ff"},
    {"bytea", {TUSK_OID_BYTEA, TUSK_KIND_BYTES, {.bytes = {"", 0}}}, "\\x"},
    {"uuid", {TUSK_OID_UUID, TUSK_KIND_UUID, {.uuid = {0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x69, 0x78, 0x87, 0x96, 0xa5, 0xb4, 0xc3, 0xd2, 0xe1, 0xf0}}}, "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"},
    {"date", {TUSK_OID_DATE, TUSK_KIND_INT, {.integer = -2451545}}, "4714-11-24 BC"},
    {"date", {TUSK_OID_DATE, TUSK_KIND_INT, {.integer = TUSK_DATE_INFINITY}}, "infinity"},
    {"timestamp", {TUSK_OID_TIMESTAMP, TUSK_KIND_INT, {.integer = 1}}, "2000-01-01 00:00:00.000001"},
    {"timestamp", {TUSK_OID_TIMESTAMP, TUSK_KIND_INT, {.integer = TUSK_TIMESTAMP_MINUS_INFINITY}}, "-infinity"},
    {"timestamptz", {TUSK_OID_TIMESTAMPTZ, TUSK_KIND_INT, {.integer = 0}}, "2000-01-01 00:00:00+00"},
    {"json", {TUSK_OID_JSON, TUSK_KIND_TEXT, {.bytes = {"{\"a\": [1, null]}", 16}}}, "{\"a\": [1, null]}"},
    {"jsonb", {TUSK_OID_JSONB, TUSK_KIND_TEXT, {.bytes = {"{\"a\":[1,null]}", 14}}}, "{\"a\": [1, null]}"},
};
/* clang-format on */

/* Column 0: the value as it came in binary; 1: as the server's own text; 2: asked for as text by us. */
static void check_value(const char *sql, bool text_results, int i)
{
    tusk_query *q = tusk_submit(
        db, &(tusk_request){.sql = sql, .params = tusk_params_of(&values[i].value, 1), .text_results = text_results});
    tusk_row row;
    char text[128];
    size_t len;
    tusk_error err = {0};

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_uint_eq(tusk_query_column(q, 0)->type, values[i].value.type);
    ck_assert_int_eq(tusk_query_column(q, 0)->format, !text_results);
    ck_assert_msg(tusk_format_value(&row, 0, text, sizeof text, &len, &err) == TUSK_OK, "%s", said(&err));
    if (values[i].value.type != TUSK_OID_BOOL && values[i].value.type != TUSK_OID_JSONB)
        ck_assert_str_eq(text, values[i].text);
    ck_assert_msg(tusk_str_is(tusk_get_text(&row, 1), values[i].text), TUSK_STR_FMT,
                  TUSK_STR_ARG(tusk_get_text(&row, 1)));
    ck_assert(tusk_get_bool(&row, 2));
    ck_assert_int_eq(tusk_query_value_error(q)->code, TUSK_OK);
    ck_assert(!tusk_next_row(q, &row));
    tusk_query_free(q);
}

START_TEST(value_goes_in_and_comes_out)
{
    const char *type = values[_i].name;
    const char *sql = textf("select $1::%s, $1::%s::text, $1::%s::text = $1::%s::text", type, type, type, type);

    run("set timezone to 'UTC'");
    check_value(sql, false, _i);
    check_value(sql, true, _i);
}
END_TEST

START_TEST(null_of_every_type_is_null)
{
    tusk_value null = tusk_null_of(values[_i].value.type);
    tusk_query *q = tusk_exec(db, textf("select $1::%s, $1::%s is null", values[_i].name, values[_i].name),
                              tusk_params_of(&null, 1));
    tusk_row row;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert(tusk_is_null(&row, 0));
    ck_assert(!tusk_is_null(&row, 1));
    ck_assert(tusk_get_bool(&row, 1));
    tusk_query_free(q);
}
END_TEST

START_TEST(untyped_values_take_the_type_of_their_place)
{
    tusk_query *q = tusk_exec(db, "select $1::int4 + 1, $2::date, coalesce($3::text, 'none')",
                              TUSK_PARAMS(tusk_unknown("41"), tusk_unknown("2000-01-02"), tusk_null()));
    tusk_row row;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_int_eq(tusk_get_int4(&row, 0), 42);
    ck_assert_int_eq(tusk_get_date(&row, 1), 1);
    ck_assert(tusk_str_is(tusk_get_text(&row, 2), "none"));
    tusk_query_free(q);
}
END_TEST

/* ---- shapes of results ------------------------------------------------------------------------------------------------------ */

/* clang-format off */
static const struct {
    const char *sql;
    int n_cols;
    size_t n_rows;
    const char *tag;
    int64_t affected;
} shapes[] = {
    {"select 1 where false", 1, 0, "SELECT 0", 0},
    {"select", 0, 1, "SELECT 1", 1},
    {"select from generate_series(1, 3)", 0, 3, "SELECT 3", 3},
    {"", 0, 0, "", -1},
    {"  -- nothing", 0, 0, "", -1},
    {"begin", 0, 0, "BEGIN", -1},
    {"create temp table shapes (a int)", 0, 0, "CREATE TABLE", -1},
    {"with t as (select 1 as a) select a, a, a from t", 3, 1, "SELECT 1", 1},
    {"values (1, null), (null, 2)", 2, 2, "SELECT 2", 2},
    {"show server_version", 1, 1, "SHOW", -1},
    {"explain select 1", 1, 1, "EXPLAIN", -1},
};
/* clang-format on */

START_TEST(result_has_the_shape_that_the_statement_gives_it)
{
    tusk_query *q = tusk_exec(db, shapes[_i].sql, TUSK_NO_PARAMS);
    tusk_row row;
    size_t n = 0;

    ck_ok(q);
    ck_assert_int_eq(tusk_query_n_cols(q), shapes[_i].n_cols);
    ck_assert_uint_eq(tusk_query_n_rows(q), shapes[_i].n_rows);
    ck_assert(tusk_str_is(tusk_query_tag(q), shapes[_i].tag));
    ck_assert_int_eq(tusk_query_rows_affected(q), shapes[_i].affected);
    ck_assert_ptr_null(tusk_query_column(q, shapes[_i].n_cols));
    ck_assert_ptr_null(tusk_query_column(q, -1));
    while (tusk_next_row(q, &row))
        n++;
    ck_assert_uint_eq(n, shapes[_i].n_rows);
    ck_assert(!tusk_next_result(q));
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

START_TEST(columns_say_name_type_and_table)
{
    tusk_query *q;
    const tusk_column *column;

    run("create temp table described (a int4 primary key, b numeric(10, 2), c char(5))");
    q = tusk_exec(db, "select b, a as \"x y\", c, 1 + 1 from described", TUSK_NO_PARAMS);
    ck_ok(q);
    column = tusk_query_column(q, 0);
    ck_assert(tusk_str_is(column->name, "b"));
    ck_assert_uint_eq(column->type, TUSK_OID_NUMERIC);
    ck_assert_int_eq(column->typmod, (10 << 16 | 2) + 4);
    ck_assert_uint_eq(column->attnum, 2);
    ck_assert_int_eq(column->table_oid, number("select 'described'::regclass::oid"));
    ck_assert_int_eq(column->type_len, -1);
    column = tusk_query_column(q, 1);
    ck_assert(tusk_str_is(column->name, "x y"));
    ck_assert_int_eq(column->type_len, 4);
    ck_assert_int_eq(column->typmod, -1);
    ck_assert_int_eq(tusk_query_column_index(q, "x y"), 1);
    ck_assert_int_eq(tusk_query_column_index(q, "a"), -1);
    ck_assert_uint_eq(tusk_query_column(q, 3)->table_oid, 0);
    tusk_query_free(q);
}
END_TEST

START_TEST(as_many_columns_as_the_server_can_give_are_read)
{
    enum { N = 1664 };
    char *sql = malloc(N * 8);
    size_t len = (size_t)snprintf(sql, N * 8, "select ");
    tusk_query *q;
    tusk_row row;

    for (int i = 0; i < N; i++)
        len += (size_t)snprintf(sql + len, N * 8 - len, i % 3 == 2 ? "null," : "%d,", i);
    sql[len - 1] = '\0';
    q = tusk_exec(db, sql, TUSK_NO_PARAMS);
    free(sql);
    ck_ok(q);
    ck_assert_int_eq(tusk_query_n_cols(q), N);
    ck_assert(tusk_next_row(q, &row));
    for (int i = N - 1; i >= 0; i--) {
        ck_assert_int_eq(tusk_is_null(&row, i), i % 3 == 2);
        ck_assert_int_eq(tusk_get_int4(&row, i), i % 3 == 2 ? 0 : i);
    }
    tusk_query_free(q);
}
END_TEST

START_TEST(as_many_parameters_as_there_can_be_are_sent)
{
    enum { N = 65535 };
    tusk_value *all = malloc(N * sizeof *all);
    tusk_query *q;
    tusk_row row;

    for (int i = 0; i < N; i++)
        all[i] = tusk_int4(i + 1);
    q = tusk_exec(db, "select $1 + $65535, $256, $32768", tusk_params_of(all, N));
    free(all);
    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_int_eq(tusk_get_int4(&row, 0), 65536);
    ck_assert_int_eq(tusk_get_int4(&row, 1), 256);
    ck_assert_int_eq(tusk_get_int4(&row, 2), 32768);
    tusk_query_free(q);
}
END_TEST

START_TEST(one_parameter_more_than_there_can_be_is_refused)
{
    enum { N = 65536 };
    tusk_value *all = calloc(N, sizeof *all);
    tusk_query *q = tusk_exec(db, "select 1", tusk_params_of(all, N));

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_LIMIT);
    ck_error(tusk_query_error(q), TUSK_ERR_LIMIT, "54000", "65536 parameters, but a statement takes at most 65535");
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    tusk_query_free(q);
    free(all);
    ck_usable(db);
}
END_TEST

/* 1 GB - 1 is more than a message can hold: refused from its length alone, none of these pages is ever touched. */
START_TEST(value_that_no_message_can_hold_is_refused_unread)
{
    static const size_t sizes[] = {0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000};
    char *bytes = mmap(NULL, sizes[_i], PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    tusk_query *q = tusk_exec(db, "select length($1)", TUSK_PARAMS(tusk_bytea(bytes, sizes[_i])));

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_LIMIT);
    ck_error(tusk_query_error(q), TUSK_ERR_LIMIT, "54000",
             "the statement and its parameters are longer than a message can be (1073741818 bytes)");
    tusk_query_free(q);
    munmap(bytes, sizes[_i]);
    ck_usable(db);
}
END_TEST

START_TEST(big_rows_arrive_whole)
{
    static const int megabytes[] = {10, 100};
    size_t len = (size_t)megabytes[_i] * 1000 * 1000;
    tusk_query *q = tusk_exec(db, "select repeat('0123456789', $1::int4) || 'end', 42",
                              TUSK_PARAMS(tusk_int4((int32_t)(len / 10))));
    tusk_row row;
    tusk_str text;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    text = tusk_get_text(&row, 0);
    ck_assert_uint_eq(text.len, len + 3);
    for (size_t at = 0; at < len; at += 99990)
        ck_assert_int_eq(text.ptr[at + 7], '7');
    ck_assert_int_eq(memcmp(text.ptr + len, "end", 3), 0);
    ck_assert_int_eq(tusk_get_int4(&row, 1), 42);
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

/* ---- kept results ------------------------------------------------------------------------------------------------------------- */

START_TEST(kept_rows_can_be_walked_again)
{
    tusk_query *q = tusk_exec(db, "select n, repeat('x', 100) from generate_series(1, 5000) n", TUSK_NO_PARAMS);
    tusk_row row;

    ck_ok(q);
    for (int round = 0; round < 3; round++) {
        int32_t n = 0;

        while (tusk_next_row(q, &row))
            ck_assert_int_eq(tusk_get_int4(&row, 0), ++n);
        ck_assert_int_eq(n, 5000);
        tusk_rewind(q);
    }
    ck_assert_uint_eq(tusk_query_n_rows(q), 5000);
    tusk_query_free(q);
}
END_TEST

START_TEST(first_value_error_is_kept_on_the_query)
{
    tusk_query *q = tusk_exec(db, "select 70000, 'x'::text, null::int4", TUSK_NO_PARAMS);
    tusk_row row;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_int_eq(tusk_get_int4(&row, 2), 0);
    ck_assert_int_eq(tusk_query_value_error(q)->code, TUSK_OK);
    ck_assert_int_eq(tusk_get_int2(&row, 0), 0);
    ck_assert_int_eq(tusk_get_int4(&row, 1), 0);
    ck_error(tusk_query_value_error(q), TUSK_ERR_VALUE, "22003", "column 0 \"?column?\": 70000 does not fit int2");
    ck_assert_int_eq(tusk_query_code(q), TUSK_OK);
    tusk_query_free(q);
}
END_TEST

START_TEST(result_beyond_its_bound_is_an_error_and_the_connection_goes_on)
{
    tusk_query *q = tusk_submit(db, &(tusk_request){.sql = "select repeat('x', 1000) from generate_series(1, 10000)",
                                                    .max_result_bytes = 100000});
    tusk_query *behind = tusk_exec(db, "select 2", TUSK_NO_PARAMS);
    tusk_row row;

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_LIMIT);
    ck_error(tusk_query_error(q), TUSK_ERR_LIMIT, "54000", "the result is larger than max_result_bytes (100000 bytes)");
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_ANSWERED);
    ck_assert(!tusk_next_row(q, &row));
    ck_ok(behind);
    ck_assert(tusk_next_row(behind, &row));
    ck_assert_int_eq(tusk_get_int4(&row, 0), 2);
    tusk_query_free(behind);
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

START_TEST(result_within_its_bound_to_the_byte_is_kept)
{
    /* a DataRow: type, length, count, length, 1000 bytes */
    tusk_query *q = tusk_submit(
        db, &(tusk_request){.sql = "select repeat('x', 1000) from generate_series(1, 10)", .max_result_bytes = 10110});
    tusk_query *less = tusk_submit(
        db, &(tusk_request){.sql = "select repeat('x', 1000) from generate_series(1, 10)", .max_result_bytes = 10109});

    ck_ok(q);
    ck_assert_int_eq(tusk_await(less), TUSK_ERR_LIMIT);
    tusk_query_free(q);
    tusk_query_free(less);
}
END_TEST

/* Of /proc/self/status; 0 where there is none. */
static long memory_kib(const char *field)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[128];
    long kib = 0;

    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, field, strlen(field)) == 0)
            kib = strtol(line + strlen(field), NULL, 10);
    if (file)
        fclose(file);
    return kib;
}

/* Measured from here on, whatever an earlier test in this process has used. */
static long begin_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");

    if (file) {
        fputs("5", file);
        fclose(file);
    }
    return memory_kib("VmHWM:");
}

static void check_peak(long before, long max_kib)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    ck_assert_int_le(memory_kib("VmHWM:") - before, max_kib);
#else
    (void)before, (void)max_kib;
#endif
}

/* A result of one small row must not hold a 64 KiB chunk for as long as it is kept. */
START_TEST(many_small_results_do_not_pin_chunks)
{
    enum { N = 2000 };
    tusk_query *kept[N];
    tusk_row row;
    long before = memory_kib("VmData:"); /* untouched pages count */

    for (int i = 0; i < N; i++) {
        kept[i] = tusk_exec(db, "select $1", TUSK_PARAMS(tusk_int4(i)));
        ck_ok(kept[i]);
    }
    ck_assert_int_lt(memory_kib("VmData:") - before, 32 * 1024);
    for (int i = 0; i < N; i++) {
        ck_assert(tusk_next_row(kept[i], &row));
        ck_assert_int_eq(tusk_get_int4(&row, 0), i);
        tusk_query_free(kept[i]);
    }
}
END_TEST

START_TEST(rows_outlive_the_connection)
{
    tusk_query *q = tusk_exec(db, "select n, n::text from generate_series(1, 10000) n", TUSK_NO_PARAMS);
    tusk_query *small = tusk_exec(db, "select 'small'", TUSK_NO_PARAMS);
    tusk_row row;
    int32_t n = 0;

    ck_ok(small);
    disconnect(db);
    db = NULL;
    turn(0);
    while (tusk_next_row(q, &row)) {
        ck_assert_int_eq(tusk_get_int4(&row, 0), ++n);
        ck_assert(tusk_str_is(tusk_get_text(&row, 1), textf("%d", n)));
    }
    ck_assert_int_eq(n, 10000);
    ck_assert(tusk_next_row(small, &row));
    ck_assert(tusk_str_is(tusk_get_text(&row, 0), "small"));
    tusk_query_free(q);
    tusk_query_free(small);
}
END_TEST

/* A recycled query must not show anything of the one before it. */
START_TEST(nothing_of_an_earlier_error_shows_in_a_later_one)
{
    tusk_query *q = tusk_exec(db, "select relnam from pg_class", TUSK_NO_PARAMS);
    const tusk_error *err;

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    err = tusk_query_error(q);
    ck_assert_int_eq(err->position, 8);
    ck_assert_str_ne(err->hint, "");
    ck_assert(tusk_str_is(tusk_query_error_field(q, 'V'), "ERROR"));
    tusk_query_free(q);
    q = tusk_exec(db, "select $1", TUSK_PARAMS(tusk_text("\xff")));
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_VALUE);
    err = tusk_query_error(q);
    ck_assert_int_eq(err->position, 0);
    ck_assert_str_eq(err->hint, "");
    ck_assert_str_eq(err->detail, "");
    ck_assert_uint_eq(tusk_query_error_field(q, 'V').len, 0);
    tusk_query_free(q);
}
END_TEST

/* ---- scripts --------------------------------------------------------------------------------------------------------------------- */

typedef struct expected {
    const char *tag;
    int n_cols;
    size_t n_rows;
    const char *first; /* field of the first row */
} expected;

/* clang-format off */
static const struct {
    const char *sql;
    expected results[6];
} scripts[] = {
    {"select 1 as a; select 2, 3", {{"SELECT 1", 1, 1, "1"}, {"SELECT 1", 2, 1, "2"}}},
    {"create temp table s (a int); insert into s values (1), (2); select a from s order by a; update s set a = 3; select 5",
     {{"CREATE TABLE", 0, 0, NULL}, {"INSERT 0 2", 0, 0, NULL}, {"SELECT 2", 1, 2, "1"}, {"UPDATE 2", 0, 0, NULL},
      {"SELECT 1", 1, 1, "5"}}},
    {"create temp table s (a int); select 1", {{"CREATE TABLE", 0, 0, NULL}, {"SELECT 1", 1, 1, "1"}}},
    {"select 1 where false; select 'x'", {{"SELECT 0", 1, 0, NULL}, {"SELECT 1", 1, 1, "x"}}},
    {"select 1; ; -- nothing\n; select 2;", {{"SELECT 1", 1, 1, "1"}, {"SELECT 1", 1, 1, "2"}}},
    {"select; select 7", {{"SELECT 1", 0, 1, NULL}, {"SELECT 1", 1, 1, "7"}}},
    {"do $$ begin raise notice 'said'; end $$; select 8", {{"DO", 0, 0, NULL}, {"SELECT 1", 1, 1, "8"}}},
    {"", {{"", 0, 0, NULL}}},
    {" ; ; ", {{"", 0, 0, NULL}}},
};
/* clang-format on */

static void check_result(tusk_query *q, const expected *want)
{
    tusk_row row;

    ck_assert_msg(tusk_str_is(tusk_query_tag(q), want->tag), TUSK_STR_FMT, TUSK_STR_ARG(tusk_query_tag(q)));
    ck_assert_int_eq(tusk_query_n_cols(q), want->n_cols);
    ck_assert_uint_eq(tusk_query_n_rows(q), want->n_rows);
    for (size_t i = 0; i < want->n_rows; i++) {
        ck_assert(tusk_next_row(q, &row));
        if (i == 0 && want->first)
            ck_assert(tusk_str_is(tusk_get_text(&row, 0), want->first));
    }
    ck_assert(!tusk_next_row(q, &row));
}

START_TEST(script_gives_one_result_per_statement)
{
    tusk_query *q = tusk_script(db, scripts[_i].sql);

    ck_ok(q);
    for (int round = 0; round < 2; round++) {
        for (const expected *want = scripts[_i].results; want->tag; want++) {
            if (want != scripts[_i].results)
                ck_assert(tusk_next_result(q));
            check_result(q, want);
        }
        ck_assert(!tusk_next_result(q));
        tusk_rewind(q);
    }
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

START_TEST(script_ends_at_its_first_error)
{
    tusk_query *q = tusk_script(db, "select 1; select 1 / 0; select 3");
    tusk_query *behind = tusk_exec(db, "select 4", TUSK_NO_PARAMS);
    tusk_row row;

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_error(tusk_query_error(q), TUSK_ERR_SERVER, "22012", "division by zero");
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_ANSWERED);
    ck_ok(behind);
    ck_assert(tusk_next_row(behind, &row));
    ck_assert_int_eq(tusk_get_int4(&row, 0), 4);
    tusk_query_free(q);
    tusk_query_free(behind);
}
END_TEST

static void sum_columns(tusk_query *q, const tusk_row *row, void *user)
{
    int *seen = user;

    ck_assert_uint_eq(row->n_cols, (unsigned)tusk_query_n_cols(q));
    *seen = *seen * 10 + (int)row->n_cols;
}
START_TEST(script_rows_go_to_the_row_callback_with_their_own_columns)
{
    int seen = 0;
    tusk_query *q = tusk_submit(db, &(tusk_request){.sql = "select 1; select 1, 2; create temp table t (a int); "
                                                           "select 1, 2, 3 from generate_series(1, 2)",
                                                    .script = true,
                                                    .on_row = sum_columns,
                                                    .user = &seen});

    ck_ok(q);
    ck_assert_int_eq(seen, 1233);
    tusk_query_free(q);
}
END_TEST

/* ---- streaming --------------------------------------------------------------------------------------------------------------------- */

START_TEST(million_rows_stream_through_little_memory)
{
    const int32_t n = 1000 * 1000;
    tusk_query *q;
    tusk_row row;
    long before;
    int64_t sum = 0, count = 0;

    ck_usable(db);
    before = begin_peak();
    q = tusk_exec(db, "select n, n::int8, 'row ' || n, n::float8, null::text from generate_series(1, $1) n",
                  TUSK_PARAMS(tusk_int4(n)));
    while (tusk_next_row(q, &row)) {
        sum += tusk_get_int4(&row, 0) + tusk_get_int8(&row, 1) + (int64_t)tusk_get_float8(&row, 3);
        count += tusk_get_text(&row, 2).len > 4 && tusk_is_null(&row, 4);
        if (count == 1000)
            ck_assert(!tusk_query_is_done(q));
    }
    ck_ok(q);
    ck_assert_int_eq(tusk_query_value_error(q)->code, TUSK_OK);
    ck_assert_int_eq(count, n);
    ck_assert_int_eq(sum, INT64_C(3) * n * (n + 1) / 2);
    ck_assert_uint_eq(tusk_query_n_rows(q), (size_t)n);
    check_peak(before, 8 * 1024);
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

/* Back pressure: what is not taken stays with the server. */
START_TEST(stream_that_nobody_reads_fills_no_memory)
{
    tusk_query *q = tusk_exec(db, "select n, repeat('x', 1000) from generate_series(1, 50000) n", TUSK_NO_PARAMS);
    tusk_row row;
    long before;
    int n = 1;

    ck_assert(tusk_next_row(q, &row));
    before = begin_peak();
    for (int i = 0; i < 200; i++)
        turn(0.001);
    ck_assert(!tusk_query_is_done(q));
    check_peak(before, 4 * 1024);
    for (; tusk_next_row(q, &row); n++)
        ck_assert_int_eq(tusk_get_int4(&row, 0), n + 1);
    ck_assert_int_eq(n, 50000);
    tusk_query_free(q);
}
END_TEST

START_TEST(stream_can_be_left_in_the_middle)
{
    static const int rows_taken[] = {0, 1, 5000};
    tusk_query *q = tusk_exec(db, "select n, repeat('x', 100) from generate_series(1, 100000) n", TUSK_NO_PARAMS);
    tusk_row row;

    for (int i = 0; i < rows_taken[_i]; i++)
        ck_assert(tusk_next_row(q, &row));
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

START_TEST(rows_that_nobody_wants_any_more_are_not_kept)
{
    long before;

    ck_usable(db);
    before = begin_peak();
    tusk_query_free(tusk_exec(db, "select repeat('x', 1000) from generate_series(1, 100000)", TUSK_NO_PARAMS));
    ck_usable(db);
    check_peak(before, 8 * 1024);
}
END_TEST

START_TEST(stream_can_be_awaited_in_the_middle)
{
    tusk_query *q = tusk_exec(db, "select n, repeat('x', 100) from generate_series(1, 100000) n", TUSK_NO_PARAMS);
    tusk_row row;
    int32_t n = 0;

    for (int i = 0; i < 10; i++)
        ck_assert(tusk_next_row(q, &row));
    ck_assert_int_eq(tusk_get_int4(&row, 0), 10);
    ck_ok(q);
    for (n = 10; tusk_next_row(q, &row); n++)
        ck_assert_int_eq(tusk_get_int4(&row, 0), n + 1);
    ck_assert_int_eq(n, 100000);
    tusk_query_free(q);
}
END_TEST

/* The await keeps the rest, the error lets go of it: but not of the row that is still looked at. */
START_TEST(error_behind_a_stream_that_was_awaited_leaves_the_row_in_hand)
{
    tusk_query *q = tusk_exec(
        db, "select n::text || repeat('x', 1000), 1 / (30000 - n) from generate_series(1, 100000) n", TUSK_NO_PARAMS);
    tusk_row row, next;
    tusk_str text;

    ck_assert(tusk_next_row(q, &row));
    text = tusk_get_text(&row, 0);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_error(tusk_query_error(q), TUSK_ERR_SERVER, "22012", "division by zero");
    ck_assert(text.len == 1001 && text.ptr[0] == '1' && text.ptr[1000] == 'x');
    ck_assert(!tusk_next_row(q, &next));
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

START_TEST(streamed_rows_are_gone_after_a_rewind)
{
    tusk_query *q = tusk_exec(db, "select n from generate_series(1, 100) n", TUSK_NO_PARAMS);
    tusk_row row;

    for (int i = 1; i <= 60; i++) {
        ck_assert(tusk_next_row(q, &row));
        ck_assert_int_eq(tusk_get_int4(&row, 0), i);
    }
    tusk_rewind(q);
    for (int i = 61; i <= 100; i++) {
        ck_assert(tusk_next_row(q, &row));
        ck_assert_int_eq(tusk_get_int4(&row, 0), i);
    }
    ck_assert(!tusk_next_row(q, &row));
    tusk_query_free(q);
}
END_TEST

START_TEST(error_in_the_middle_of_a_stream_ends_it)
{
    tusk_query *q = tusk_exec(db, "select 1000 / (20000 - n) from generate_series(1, 100000) n", TUSK_NO_PARAMS);
    tusk_row row;
    int n = 0;

    while (tusk_next_row(q, &row))
        n++;
    ck_assert_int_eq(n, 19999);
    ck_assert(tusk_query_is_done(q));
    ck_error(tusk_query_error(q), TUSK_ERR_SERVER, "22012", "division by zero");
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

START_TEST(stream_of_a_script_crosses_its_results)
{
    tusk_query *q = tusk_script(db, "select n from generate_series(1, 50000) n; create temp table t (a int); "
                                    "select -n from generate_series(1, 50000) n");
    tusk_row row;
    int64_t sum = 0;

    while (tusk_next_row(q, &row))
        sum += tusk_get_int8(&row, 0);
    ck_assert_int_eq(sum, INT64_C(25000) * 50001);
    ck_assert(tusk_next_result(q));
    ck_assert(!tusk_next_row(q, &row));
    ck_assert(tusk_next_result(q));
    while (tusk_next_row(q, &row))
        sum += tusk_get_int8(&row, 0);
    ck_assert_int_eq(sum, 0);
    ck_ok(q);
    tusk_query_free(q);
}
END_TEST

/* What streams is last on the wire, unless others were sent before the first row was asked for. */
START_TEST(neighbours_behind_a_stream_get_their_answers)
{
    tusk_query *q = tusk_exec(db, "select n, repeat('x', 200) from generate_series(1, 20000) n", TUSK_NO_PARAMS);
    tusk_query *sent = tusk_exec(db, "select 'sent'", TUSK_NO_PARAMS), *held;
    tusk_row row;
    int n = 0;

    ck_assert(tusk_next_row(q, &row));
    held = tusk_exec(db, "select 'held'", TUSK_NO_PARAMS);
    for (n = 1; tusk_next_row(q, &row); n++)
        ck_assert_int_eq(tusk_get_int4(&row, 0), n + 1);
    ck_assert_int_eq(n, 20000);
    ck_ok(sent);
    ck_ok(held);
    ck_assert(tusk_next_row(sent, &row) && tusk_str_is(tusk_get_text(&row, 0), "sent"));
    ck_assert(tusk_next_row(held, &row) && tusk_str_is(tusk_get_text(&row, 0), "held"));
    tusk_query_free(q);
    tusk_query_free(sent);
    tusk_query_free(held);
}
END_TEST

/* A single thread would wait for ever: the answer lies behind rows that only it can take. */
START_TEST(awaiting_behind_a_full_stream_is_refused)
{
    tusk_query *q = tusk_exec(db, "select n, repeat('x', 200) from generate_series(1, 20000) n", TUSK_NO_PARAMS);
    tusk_query *held;
    tusk_row row;

    ck_assert(tusk_next_row(q, &row));
    held = tusk_exec(db, "select 'held'", TUSK_NO_PARAMS);
    ck_assert_int_eq(tusk_await(held), TUSK_ERR_STATE);
    ck_assert(!tusk_query_is_done(held));
    while (tusk_next_row(q, &row))
        ;
    ck_ok(held);
    tusk_query_free(q);
    tusk_query_free(held);
}
END_TEST

START_TEST(awaiting_a_statement_behind_a_full_stream_is_refused)
{
    tusk_query *q = tusk_exec(db, "select n, repeat('x', 200) from generate_series(1, 20000) n", TUSK_NO_PARAMS);
    tusk_query *ready;
    tusk_stmt *stmt;
    tusk_row row;

    ck_assert(tusk_next_row(q, &row));
    stmt = tusk_prepare(db, "select 1", NULL, 0);
    ready = tusk_stmt_ready(stmt);
    ck_assert_int_eq(tusk_await(ready), TUSK_ERR_STATE);
    tusk_query_free(q);
    ck_ok(ready);
    tusk_query_free(ready);
    tusk_stmt_free(stmt);
}
END_TEST

/* ---- transactions ---------------------------------------------------------------------------------------------------------------- */

enum { N_COMMITS = 7 };

START_TEST(d35_commit_answered_by_rollback_is_an_error)
{
    static const char *const commits[N_COMMITS] = {
        "commit", "COMMIT", "/* done */ end", "commit work", "end transaction", " ; commit", "prepare transaction 'x'"};
    tusk_query *q;
    tusk_error err = {0};

    run("begin");
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IN_TRANSACTION);
    ck_assert_int_eq(tusk_await_free(tusk_exec(db, "select 1 / 0", TUSK_NO_PARAMS), &err), TUSK_ERR_SERVER);
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IN_ERROR);
    q = _i % 2 ? tusk_script(db, commits[_i / 2]) : tusk_exec(db, commits[_i / 2], TUSK_NO_PARAMS);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_ROLLED_BACK);
    ck_error(tusk_query_error(q), TUSK_ERR_ROLLED_BACK, "40000",
             _i / 2 == N_COMMITS - 1
                 ? "PREPARE TRANSACTION was answered with ROLLBACK: the transaction had failed before"
                 : "COMMIT was answered with ROLLBACK: the transaction had failed before");
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_ANSWERED);
    ck_assert(tusk_str_is(tusk_query_tag(q), "ROLLBACK"));
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IDLE);
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

START_TEST(commit_and_rollback_are_what_they_say)
{
    run("begin");
    run("commit");
    run("begin");
    run("rollback");
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IDLE);
}
END_TEST

START_TEST(d35_deferred_constraint_fails_the_commit)
{
    tusk_error err = {0};

    run("create temp table once (a int unique deferrable initially deferred)");
    run("begin");
    run("insert into once values (1), (1)");
    ck_assert_int_eq(tusk_await_free(tusk_exec(db, "commit", TUSK_NO_PARAMS), &err), TUSK_ERR_SERVER);
    ck_assert_str_eq(err.sqlstate, "23505");
    ck_assert_int_eq(number("select count(*) from once"), 0);
}
END_TEST

/* ---- what the server says unasked -------------------------------------------------------------------------------------------------- */

static char heard[512];
static void hear_notice(tusk_conn *conn, const tusk_notice *notice, void *user)
{
    size_t len = strlen(heard);

    (void)conn;
    ck_assert_ptr_eq(user, heard);
    snprintf(heard + len, sizeof heard - len, "%.*s %.*s: %.*s;", TUSK_STR_ARG(tusk_notice_field(notice, 'V')),
             TUSK_STR_ARG(tusk_notice_field(notice, 'C')), TUSK_STR_ARG(tusk_notice_field(notice, 'M')));
}

static void hear_parameter(tusk_conn *conn, tusk_str name, tusk_str value, void *user)
{
    size_t len = strlen(heard);

    (void)conn, (void)user;
    if (tusk_str_is(name, "application_name"))
        snprintf(heard + len, sizeof heard - len, "%.*s=%.*s;", TUSK_STR_ARG(name), TUSK_STR_ARG(value));
}

START_TEST(notices_and_parameters_are_told)
{
    heard[0] = '\0';
    disconnect(db);
    db = tusk_conn_open(loop, &(tusk_config){.dsn = harness_env("TUSK_TEST_DSN_PLAIN"),
                                             .application_name = "first",
                                             .on_notice = hear_notice,
                                             .on_parameter = hear_parameter,
                                             .user_data = heard});
    run("do $$ begin raise notice 'one'; raise warning 'two'; end $$");
    run("set application_name to 'second'");
    ck_assert_str_eq(heard, "application_name=first;NOTICE 00000: one;WARNING 01000: two;application_name=second;");
    ck_assert(tusk_str_is(tusk_conn_parameter(db, "application_name"), "second"));
    ck_assert(tusk_str_is(tusk_conn_parameter(db, "server_encoding"), "UTF8"));
    ck_assert_uint_eq(tusk_conn_parameter(db, "no such").len, 0);
}
END_TEST

static void hear_log(tusk_log_level level, tusk_str message, void *user)
{
    size_t len = strlen(heard);

    (void)user;
    snprintf(heard + len, sizeof heard - len, "%d %.*s;", (int)level, TUSK_STR_ARG(message));
}

START_TEST(notices_that_nobody_takes_are_logged)
{
    tusk_loop *other = tusk_loop_open(&(tusk_loop_config){.on_log = hear_log, .log_level = TUSK_LOG_INFO}, NULL);
    tusk_conn *conn = tusk_connect(other, harness_env("TUSK_TEST_DSN_PLAIN"));

    heard[0] = '\0';
    run_on(conn, "do $$ begin raise notice 'one'; raise warning 'two'; end $$");
    ck_assert_str_eq(heard, "2 NOTICE: one;3 WARNING: two;");
    disconnect(conn);
    tusk_loop_free(other);
}
END_TEST

/* D16 */
START_TEST(changed_client_encoding_ends_the_connection)
{
    tusk_query *q = tusk_exec(db, "set client_encoding to 'LATIN1'", TUSK_NO_PARAMS);
    tusk_query *behind = tusk_exec(db, "select 'x'", TUSK_NO_PARAMS);

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_PROTOCOL);
    ck_error(tusk_query_error(q), TUSK_ERR_PROTOCOL, "08P01",
             "client_encoding was changed to something else than UTF8; all text would be misread");
    ck_assert_int_eq(tusk_await(behind), TUSK_ERR_PROTOCOL);
    ck_assert_int_eq(tusk_conn_get_state(db), TUSK_CONN_CLOSED);
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_UNKNOWN);
    tusk_query_free(q);
    tusk_query_free(behind);
}
END_TEST

START_TEST(client_encoding_set_to_what_it_is_changes_nothing)
{
    run("set client_encoding to 'utf-8'");
    ck_usable(db);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("query_live");
    TCase *tcase = tcase_create("query_live");

    tcase_add_checked_fixture(tcase, live_up, live_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_loop_test(tcase, value_goes_in_and_comes_out, 0, N_OF(values));
    tcase_add_loop_test(tcase, null_of_every_type_is_null, 0, N_OF(values));
    tcase_add_test(tcase, untyped_values_take_the_type_of_their_place);
    tcase_add_loop_test(tcase, result_has_the_shape_that_the_statement_gives_it, 0, N_OF(shapes));
    tcase_add_test(tcase, columns_say_name_type_and_table);
    tcase_add_test(tcase, as_many_columns_as_the_server_can_give_are_read);
    tcase_add_test(tcase, as_many_parameters_as_there_can_be_are_sent);
    tcase_add_test(tcase, one_parameter_more_than_there_can_be_is_refused);
    tcase_add_loop_test(tcase, value_that_no_message_can_hold_is_refused_unread, 0, 6);
    tcase_add_loop_test(tcase, big_rows_arrive_whole, 0, 2);
    tcase_add_test(tcase, kept_rows_can_be_walked_again);
    tcase_add_test(tcase, first_value_error_is_kept_on_the_query);
    tcase_add_test(tcase, result_beyond_its_bound_is_an_error_and_the_connection_goes_on);
    tcase_add_test(tcase, result_within_its_bound_to_the_byte_is_kept);
    tcase_add_test(tcase, many_small_results_do_not_pin_chunks);
    tcase_add_test(tcase, rows_outlive_the_connection);
    tcase_add_test(tcase, nothing_of_an_earlier_error_shows_in_a_later_one);
    tcase_add_loop_test(tcase, script_gives_one_result_per_statement, 0, N_OF(scripts));
    tcase_add_test(tcase, script_ends_at_its_first_error);
    tcase_add_test(tcase, script_rows_go_to_the_row_callback_with_their_own_columns);
    tcase_add_test(tcase, million_rows_stream_through_little_memory);
    tcase_add_test(tcase, stream_that_nobody_reads_fills_no_memory);
    tcase_add_loop_test(tcase, stream_can_be_left_in_the_middle, 0, 3);
    tcase_add_test(tcase, rows_that_nobody_wants_any_more_are_not_kept);
    tcase_add_test(tcase, stream_can_be_awaited_in_the_middle);
    tcase_add_test(tcase, error_behind_a_stream_that_was_awaited_leaves_the_row_in_hand);
    tcase_add_test(tcase, awaiting_a_statement_behind_a_full_stream_is_refused);
    tcase_add_test(tcase, streamed_rows_are_gone_after_a_rewind);
    tcase_add_test(tcase, error_in_the_middle_of_a_stream_ends_it);
    tcase_add_test(tcase, stream_of_a_script_crosses_its_results);
    tcase_add_test(tcase, neighbours_behind_a_stream_get_their_answers);
    tcase_add_test(tcase, awaiting_behind_a_full_stream_is_refused);
    tcase_add_loop_test(tcase, d35_commit_answered_by_rollback_is_an_error, 0, 2 * N_COMMITS);
    tcase_add_test(tcase, commit_and_rollback_are_what_they_say);
    tcase_add_test(tcase, d35_deferred_constraint_fails_the_commit);
    tcase_add_test(tcase, notices_and_parameters_are_told);
    tcase_add_test(tcase, notices_that_nobody_takes_are_logged);
    tcase_add_test(tcase, changed_client_encoding_ends_the_connection);
    tcase_add_test(tcase, client_encoding_set_to_what_it_is_changes_nothing);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("query_live_tls");
    tcase_add_checked_fixture(tcase, live_up_tls, live_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_loop_test(tcase, big_rows_arrive_whole, 0, 1);
    tcase_add_test(tcase, stream_that_nobody_reads_fills_no_memory);
    tcase_add_loop_test(tcase, stream_can_be_left_in_the_middle, 0, 3);
    tcase_add_test(tcase, stream_can_be_awaited_in_the_middle);
    tcase_add_test(tcase, neighbours_behind_a_stream_get_their_answers);
    suite_add_tcase(suite, tcase);
    return suite;
}
