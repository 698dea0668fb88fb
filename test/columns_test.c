/* Tests of rows into arrays without a server: bits, padding and alignment, batches, values that are malformed, and memory that runs out.
 * The rows are kept ones of a small query of our own, in a block of exactly their size.
 * Read first: tusk/columns.h, lib/columns.h. */
#include <stdlib.h>

#include "lib/columns.h"
#include "lib/query.h"
#include "lib/row.h"
#include "test/harness/fail_alloc.h"
#include "test/harness/harness.h"

#define N_OF(array) (sizeof(array) / sizeof(array)[0])

static tusk_loop *loop;
static fail_alloc memory;
static tusk_columns *columns;
static tusk_query query;
static tusk__run run;
static tusk__writer rows;
static tusk_error err;

static void set_up(void)
{
    fail_alloc_init(&memory, 0, false);
    loop = tusk_loop_open(&(tusk_loop_config){.allocator = &memory.allocator}, NULL);
    ck_assert_ptr_nonnull(loop);
    memset(&query, 0, sizeof query);
    query.present = query.filling = &query.first;
    query.is_done = true;
    query.first.runs = &run;
    columns = NULL;
    tusk__writer_init(&rows, tusk_allocator_default());
}

static void tear_down(void)
{
    tusk_columns_free(columns);
    tusk__desc_unref(query.first.desc);
    tusk_loop_free(loop);
    free(query.first.store);
    tusk__writer_clear(&rows);
    ck_assert_int_eq(memory.live, 0);
}

static void make_columns(const tusk_columns_options *options)
{
    columns = tusk_columns_new(loop, options, &err);
    ck_assert_msg(columns != NULL, "%s", err.message);
}

/* ---- a query and its rows ------------------------------------------------------------------------------------------------------------------ */

static void describe(const uint32_t *types, size_t n)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    tusk__column described[4];
    tusk__row_description description;
    tusk__writer b;

    for (size_t i = 0; i < n; i++)
        described[i] = (tusk__column){.name = tusk_str_of(names[i]), .type_oid = types[i], .typmod = -1, .format = 1};
    tusk__writer_init(&b, tusk_allocator_default());
    tusk__row_description_write(&b, described, n);
    ck_assert_int_eq(tusk__row_description_read(tusk_str_from(b.buf + 5, b.len - 5), &description, NULL), TUSK_OK);
    tusk__desc_unref(query.first.desc);
    ck_assert_int_eq(tusk__desc_new(&memory.allocator, &description, NULL, &query.first.desc, NULL), TUSK_OK);
    tusk__writer_clear(&b);
}

/* ptr NULL: NULL. */
static void add_row(const tusk_str *values, size_t n)
{
    bool nulls[4];

    for (size_t i = 0; i < n; i++)
        nulls[i] = values[i].ptr == NULL;
    tusk__data_row_write(&rows, values, nulls, n);
    query.first.n_rows++;
}

static void rows_are_there(void)
{
    free(query.first.store);
    query.first.store = malloc(rows.len);
    memcpy(query.first.store, rows.buf, rows.len);
    run = (tusk__run){NULL, 0, rows.len};
    query.first.n_runs = 1;
    query.first.kept_bytes = rows.len;
    tusk__result_rewind(&query.first);
}

#define BYTES(text)                                                                                                    \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }
#define NOTHING                                                                                                        \
    {                                                                                                                  \
        NULL, 0                                                                                                        \
    }

/* ---- options ---------------------------------------------------------------------------------------------------------------------------------- */

START_TEST(options_out_of_range_are_refused)
{
    static const tusk_columns_options wrong[] = {{.batch_rows = -2},
                                                 {.batch_bytes = -2},
                                                 {.batch_bytes = (INT64_C(1) << 30) + 1},
                                                 {.batch_bytes = -2, .large_offsets = true}};

    for (size_t i = 0; i < N_OF(wrong); i++) {
        ck_assert_ptr_null(tusk_columns_new(loop, &wrong[i], &err));
        ck_assert_int_eq(err.code, TUSK_ERR_USAGE);
        ck_assert_ptr_null(tusk_columns_new(loop, &wrong[i], NULL));
    }
    memory.fail_at = memory.n + 1;
    ck_assert_ptr_null(tusk_columns_new(loop, NULL, &err));
    ck_assert_int_eq(err.code, TUSK_ERR_NOMEM);
    tusk_columns_free(NULL);
    make_columns(&(tusk_columns_options){.batch_rows = TUSK_NONE, .batch_bytes = TUSK_NONE});
    ck_assert_uint_eq(tusk_columns_n_rows(columns), 0);
    ck_assert_int_eq(tusk_columns_n_cols(columns), 0);
    ck_assert_ptr_null(tusk_columns_values(columns, 0));
}
END_TEST

/* ---- how it lies --------------------------------------------------------------------------------------------------------------------------------- */

static void check_buffer(const void *data, size_t n)
{
    const uint8_t *bytes = data;

    ck_assert_uint_eq((uintptr_t)data % 64, 0);
    for (size_t i = n; i % 64; i++)
        ck_assert_uint_eq(bytes[i], 0);
}

/* Row i: a bool (i % 3 == 0), an int8 (i), a text of i % 50 bytes; each NULL at another seventh row. */
static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";

static void add_rows(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t integer[8];
        tusk_str values[] = {tusk_str_from(i % 3 ? "\0" : "\1", 1), tusk_str_from(integer, 8),
                             tusk_str_from(alphabet, i % 50)};

        tusk__put64(integer, i);
        for (size_t col = 0; col < 3; col++)
            if (i % 7 == col)
                values[col].ptr = NULL;
        add_row(values, 3);
    }
    rows_are_there();
}

static const uint32_t three[] = {TUSK_OID_BOOL, TUSK_OID_INT8, TUSK_OID_TEXT};

/* Of 32 bits or of 64, and never both. */
static void check_offsets(const tusk_column_values *texts, size_t n)
{
    size_t end = (size_t)(texts->offsets ? texts->offsets[n] : texts->large_offsets[n]);

    ck_assert_int_eq(texts->layout, texts->offsets ? TUSK_LAYOUT_BYTES : TUSK_LAYOUT_LARGE_BYTES);
    ck_assert((texts->offsets == NULL) == (texts->large_offsets != NULL));
    ck_assert_int_eq(texts->offsets ? texts->offsets[0] : texts->large_offsets[0], 0);
    if (texts->offsets)
        check_buffer(texts->offsets, (n + 1) * 4);
    else
        check_buffer(texts->large_offsets, (n + 1) * 8);
    check_buffer(texts->values, end);
}

/* The batch that begins with row `first`. */
static void check_batch(size_t first)
{
    const tusk_column_values *bits = tusk_columns_values(columns, 0), *integers = tusk_columns_values(columns, 1),
                             *texts = tusk_columns_values(columns, 2);
    size_t n = tusk_columns_n_rows(columns), n_wrong = 0;

    ck_assert_int_eq(bits->layout, TUSK_LAYOUT_BITS);
    ck_assert_int_eq(integers->layout, TUSK_LAYOUT_FIXED);
    ck_assert_uint_eq(integers->width, 8);
    check_offsets(texts, n);
    check_buffer(bits->values, (n + 7) / 8);
    check_buffer(integers->values, n * 8);
    if (n % 8)
        ck_assert_uint_eq((unsigned)(((const uint8_t *)bits->values)[n / 8] >> n % 8), 0);
    for (int col = 0; col < 3; col++) {
        const tusk_column_values *v = tusk_columns_values(columns, col);
        size_t n_nulls = 0;

        ck_assert_uint_eq(v->n_rows, n);
        ck_assert(tusk_str_is(v->column->name, col == 0 ? "a" : col == 1 ? "b" : "c"));
        for (size_t i = 0; i < n; i++) {
            bool is_null = (first + i) % 7 == (size_t)col;

            n_wrong += tusk_value_is_null(v, i) != is_null;
            n_nulls += is_null;
        }
        ck_assert_uint_eq(v->n_nulls, n_nulls);
        ck_assert((v->validity == NULL) == (n_nulls == 0));
        if (v->validity)
            check_buffer(v->validity, (n + 7) / 8);
        if (v->validity && n % 8)
            ck_assert_uint_eq((unsigned)(v->validity[n / 8] >> n % 8), 0);
    }
    for (size_t i = 0; i < n; i++) {
        size_t row = first + i;
        tusk_str text = tusk_value_bytes(texts, i);

        n_wrong += tusk_value_bit(bits, i) != (row % 3 == 0 && row % 7 != 0);
        n_wrong += ((const uint64_t *)integers->values)[i] != (row % 7 == 1 ? 0 : row);
        n_wrong += text.len != (row % 7 == 2 ? 0 : row % 50);
        n_wrong += text.len > 0 && text.ptr[text.len - 1] != alphabet[text.len - 1];
    }
    ck_assert_uint_eq(n_wrong, 0); /* an assertion for each would take minutes */
}

static const struct {
    size_t n_rows;
    tusk_columns_options options;
    size_t first_batch; /* of how many rows */
} batches[] = {
    {1, {0}, 1},
    {63, {0}, 63},
    {64, {0}, 64},
    {65, {0}, 65},
    {1024, {0}, 1024},
    {5000, {0}, 5000},
    {5000, {.batch_rows = TUSK_NONE, .batch_bytes = TUSK_NONE}, 5000},
    {70000, {0}, 65536},
    {20, {.batch_rows = 1}, 1},
    {5000, {.batch_rows = 7}, 7},
    {5000, {.batch_rows = 1100}, 1100},
    {300, {.batch_bytes = 1}, 1},
    {300,
     {.batch_bytes = 27},
     1}, /* the first row's message: 7 for the row, 4 for each of three lengths, and an int8 */
    {300, {.batch_bytes = 28}, 2},
    {1, {.large_offsets = true}, 1},
    {70000, {.large_offsets = true}, 65536},
    {5000, {.large_offsets = true, .batch_rows = TUSK_NONE, .batch_bytes = TUSK_NONE}, 5000},
    {5000, {.large_offsets = true, .batch_rows = 1100, .batch_bytes = INT64_C(1) << 40}, 1100},
    {300, {.large_offsets = true, .batch_bytes = 28}, 2},
    {300, {.batch_bytes = 5000}, 0},
};

START_TEST(rows_come_in_batches_with_every_value_at_its_place)
{
    size_t n = 0, first = 0;
    tusk_code code;

    describe(three, 3);
    add_rows(batches[_i].n_rows);
    make_columns(&batches[_i].options);
    while ((code = tusk_columns_fetch(columns, &query, &err)) == TUSK_OK) {
        size_t got = tusk_columns_n_rows(columns);

        if (n == 0)
            first = got;
        ck_assert_uint_gt(got, 0);
        check_batch(n);
        ck_assert((tusk_columns_values(columns, 2)->large_offsets != NULL) == batches[_i].options.large_offsets);
        n += got;
    }
    ck_assert_int_eq(code, TUSK_DONE);
    ck_assert_uint_eq(n, batches[_i].n_rows);
    if (batches[_i].first_batch)
        ck_assert_uint_eq(first, batches[_i].first_batch);
    else
        ck_assert(first > 1 && first < n);
    ck_assert_uint_eq(tusk_columns_n_rows(columns), 0);
}
END_TEST

static const uint8_t *last_body;

static tusk_code add_next(void)
{
    const uint8_t *body = tusk__result_next(&query.first, false);
    tusk_row row;

    if (!body)
        return tusk_columns_finish(columns) == TUSK_OK ? TUSK_DONE : TUSK_AGAIN;
    last_body = body;
    tusk__row_init(&row, &query, body, (uint32_t)query.first.desc->n_cols);
    return tusk_columns_add(columns, &row, &err);
}

/* One by one they come to the same batches. */
START_TEST(rows_are_added_to_the_same_batches)
{
    size_t n = 0, got;
    tusk_code code;

    describe(three, 3);
    add_rows(batches[_i].n_rows);
    make_columns(&batches[_i].options);
    while ((code = add_next()) == TUSK_OK || code == TUSK_DONE) {
        got = tusk_columns_n_rows(columns);
        ck_assert((tusk_columns_values(columns, 0) != NULL) == (code == TUSK_DONE));
        if (code == TUSK_OK)
            continue;
        if (n == 0 && batches[_i].first_batch)
            ck_assert_uint_eq(got, batches[_i].first_batch);
        check_batch(n);
        n += got;
    }
    ck_assert_int_eq(code, TUSK_AGAIN);
    ck_assert_uint_eq(n, batches[_i].n_rows);
    ck_assert_int_eq(tusk_columns_finish(columns), TUSK_DONE);
}
END_TEST

/* Of a row that fails in its last column nothing is left: a NULL, a true and a text before it, at each place in a byte. */
START_TEST(a_row_that_cannot_be_added_leaves_no_trace)
{
    static const uint32_t types[] = {TUSK_OID_BOOL, TUSK_OID_INT8, TUSK_OID_TEXT, TUSK_OID_BOOL};
    const tusk_column_values *v;
    size_t n = 0;
    tusk_code code;

    describe(types, 4);
    for (int i = 0; i < 40; i++) {
        tusk_str good[] = {BYTES("\0"), BYTES("\0\0\0\0\0\0\0\7"), BYTES("good"), BYTES("\1")};
        tusk_str bad[] = {BYTES("\1"), NOTHING, BYTES("none of it"), BYTES("\2")};
        tusk_str null[] = {NOTHING, NOTHING, NOTHING, NOTHING};

        add_row(bad, 4);
        add_row(i % 5 == 4 ? null : good, 4);
    }
    rows_are_there();
    make_columns(NULL);
    for (int i = 0; i < 80; i++) {
        code = add_next();
        ck_assert_int_eq(code, i % 2 ? TUSK_OK : TUSK_ERR_VALUE);
        if (i % 2 == 0)
            ck_assert_int_eq(err.column, 3);
    }
    ck_assert_int_eq(tusk_columns_finish(columns), TUSK_OK);
    ck_assert_uint_eq(tusk_columns_n_rows(columns), 40);
    for (int col = 0; col < 4; col++) {
        v = tusk_columns_values(columns, col);
        ck_assert_uint_eq(v->n_nulls, 8);
        for (size_t i = 0; i < 40; i++) {
            ck_assert_int_eq(tusk_value_is_null(v, i), i % 5 == 4);
            if (col == 0)
                n += tusk_value_bit(v, i);
            if (col == 2)
                ck_assert_uint_eq(tusk_value_bytes(v, i).len, i % 5 == 4 ? 0 : 4);
        }
    }
    ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(a_row_of_other_columns_begins_another_batch)
{
    static const uint32_t one[] = {TUSK_OID_INT2};
    tusk_str value = BYTES("\xff\xfe");
    tusk_row row = {0};

    describe(three, 3);
    add_rows(3);
    make_columns(NULL);
    ck_assert_int_eq(tusk_columns_add(columns, &row, &err), TUSK_ERR_USAGE);
    ck_assert_int_eq(add_next(), TUSK_OK);
    rows.len = 0;
    describe(one, 1);
    add_row(&value, 1);
    rows_are_there();
    ck_assert_int_eq(add_next(), TUSK_ERR_STATE);
    ck_assert_str_eq(err.message, "the row has other columns than the 1 before it: tusk_columns_finish() first");
    ck_assert_int_eq(tusk_columns_finish(columns), TUSK_OK);
    check_batch(0);
    tusk__result_rewind(&query.first);
    ck_assert_int_eq(add_next(), TUSK_OK);
    ck_assert_int_eq(tusk_columns_finish(columns), TUSK_OK);
    ck_assert_int_eq(((const int16_t *)tusk_columns_values(columns, 0)->values)[0], -2);
}
END_TEST

START_TEST(no_row_is_lost_when_memory_runs_out_while_adding)
{
    long n_calls;

    describe(three, 3);
    add_rows(3000);
    make_columns(NULL);
    n_calls = memory.n;
    while (add_next() == TUSK_OK)
        continue;
    n_calls = memory.n - n_calls;
    ck_assert_int_gt(n_calls, 10);
    for (long fail = 1; fail <= n_calls; fail++) {
        int n_failed = 0;
        tusk_code code;

        tusk_columns_free(columns);
        make_columns(NULL);
        tusk__result_rewind(&query.first);
        memory.fail_at = memory.n + fail;
        while ((code = add_next()) != TUSK_DONE) {
            if (code == TUSK_OK)
                continue;
            ck_assert_int_eq(code, TUSK_ERR_NOMEM);
            ck_assert_int_eq(err.code, TUSK_ERR_NOMEM);
            tusk__result_back(&query.first, false, last_body);
            n_failed++;
        }
        ck_assert_int_eq(n_failed, 1);
        ck_assert_uint_eq(tusk_columns_n_rows(columns), 3000);
        check_batch(0);
    }
}
END_TEST

/* Also of columns that are others: memory of the first ones is of no use then. */
START_TEST(the_next_result_may_have_other_columns)
{
    static const uint32_t one[] = {TUSK_OID_INT2};
    tusk_str value = BYTES("\xff\xfe");

    describe(three, 3);
    add_rows(100);
    make_columns(&(tusk_columns_options){.batch_rows = 10});
    ck_assert_int_eq(tusk_columns_fetch(columns, &query, &err), TUSK_OK);
    rows.len = 0;
    describe(one, 1);
    add_row(&value, 1);
    rows_are_there();
    ck_assert_int_eq(tusk_columns_fetch(columns, &query, &err), TUSK_OK);
    ck_assert_int_eq(tusk_columns_n_cols(columns), 1);
    ck_assert_int_eq(((const int16_t *)tusk_columns_values(columns, 0)->values)[0], -2);
    ck_assert_ptr_null(tusk_columns_values(columns, 0)->validity);
    ck_assert_ptr_null(tusk_columns_values(columns, 1));
    ck_assert_ptr_null(tusk_columns_values(columns, -1));
}
END_TEST

/* ---- values that are none ----------------------------------------------------------------------------------------------------------------------- */

static const struct {
    uint32_t type;
    bool unix_epoch;
    tusk_str good, bad;
    const char *message; /* NULL: some of the codec's */
} malformed[] = {
    {TUSK_OID_BOOL, false, BYTES("\1"), BYTES(""), "column 1 \"b\": bool in binary has 1 bytes, not 0"},
    {TUSK_OID_BOOL, false, BYTES("\1"), BYTES("\2"), NULL},
    {TUSK_OID_INT2, false, BYTES("12"), BYTES("123"), "column 1 \"b\": int2 in binary has 2 bytes, not 3"},
    {TUSK_OID_INT4, false, BYTES("1234"), BYTES("12345678"), "column 1 \"b\": int4 in binary has 4 bytes, not 8"},
    {TUSK_OID_FLOAT4, false, BYTES("1234"), BYTES(""), "column 1 \"b\": float4 in binary has 4 bytes, not 0"},
    {TUSK_OID_INT8, false, BYTES("12345678"), BYTES("1234"), "column 1 \"b\": int8 in binary has 8 bytes, not 4"},
    {TUSK_OID_DATE, false, BYTES("\0\0\0\1"), BYTES("\x7f\xff\xff\xfe"), NULL},
    {TUSK_OID_DATE, true, BYTES("\0\0\0\1"), BYTES("123"), "column 1 \"b\": date in binary has 4 bytes, not 3"},
    {TUSK_OID_TIME, false, BYTES("\0\0\0\0\0\0\0\1"), BYTES("\xff\0\0\0\0\0\0\1"), NULL},
    {TUSK_OID_TIMESTAMP, false, BYTES("\0\0\0\0\0\0\0\1"), BYTES("\x7f\xff\xff\xff\xff\xff\xff\xfe"), NULL},
    {TUSK_OID_TIMESTAMPTZ, true, BYTES("\0\0\0\0\0\0\0\1"), BYTES("\x7f\xfc\xa2\xfe\xc4\xc8\x20\x00"),
     "column 1 \"b\": microseconds from 1970 do not reach it"},
    {TUSK_OID_UUID, false, BYTES("1234567890123456"), BYTES("123456789012345"),
     "column 1 \"b\": uuid in binary has 16 bytes, not 15"},
    {TUSK_OID_JSONB, false, BYTES("\1{}"), BYTES("\2{}"), NULL},
    {TUSK_OID_JSONB, false, BYTES("\1{}"), BYTES(""), NULL},
};

START_TEST(a_malformed_value_is_told_by_row_and_column_and_passed_over)
{
    const uint32_t types[] = {TUSK_OID_TEXT, malformed[_i].type, TUSK_OID_INT4};

    describe(types, 3);
    for (int i = 0; i < 8; i++) {
        tusk_str values[] = {BYTES("text"), i == 5 ? malformed[_i].bad : malformed[_i].good, BYTES("\0\0\0\7")};

        add_row(values, 3);
    }
    rows_are_there();
    make_columns(&(tusk_columns_options){.unix_epoch = malformed[_i].unix_epoch});
    ck_assert_int_eq(tusk_columns_fetch(columns, &query, &err), TUSK_ERR_VALUE);
    if (malformed[_i].message)
        ck_assert_str_eq(err.message, malformed[_i].message);
    else
        ck_assert_int_eq(strncmp(err.message, "column 1 \"b\": ", 14), 0);
    ck_assert_str_eq(err.where, "fetch columns: row 5");
    ck_assert_int_eq(err.column, 1);
    ck_assert_uint_eq(tusk_columns_n_rows(columns), 5);
    ck_assert_int_eq(tusk_columns_values(columns, 0)->offsets[5], 20);
    ck_assert_int_eq(((const int32_t *)tusk_columns_values(columns, 2)->values)[4], 7);
    ck_assert_int_eq(tusk_columns_fetch(columns, &query, &err), TUSK_OK);
    ck_assert_uint_eq(tusk_columns_n_rows(columns), 2);
    ck_assert_int_eq(tusk_columns_fetch(columns, &query, &err), TUSK_DONE);
    tusk__result_rewind(&query.first);
    ck_assert_int_eq(tusk_columns_fetch(columns, &query, NULL), TUSK_ERR_VALUE);
}
END_TEST

/* Columns are taken one after the other, but what is told is the first row that fails, and it has its own error though a NULL came between. */
START_TEST(of_several_malformed_values_the_first_row_counts)
{
    static const uint32_t types[] = {TUSK_OID_INT4, TUSK_OID_INT4, TUSK_OID_INT8};
    static const tusk_str four = BYTES("\0\0\0\1"), eight = BYTES("\0\0\0\0\0\0\0\1"), null = NOTHING;

    describe(types, 3);
    for (int i = 0; i < 10; i++) {
        tusk_str values[] = {i == 7 ? eight : four,
                             i == 2   ? null
                             : i == 4 ? eight
                                      : four,
                             i == 3   ? null
                             : i == 6 ? four
                                      : eight};

        add_row(values, 3);
    }
    rows_are_there();
    make_columns(NULL);
    for (int round = 0; round < 3; round++) {
        static const struct {
            int row, column;
            size_t n;
        } told[] = {{4, 1, 4}, {1, 2, 1}, {0, 0, 0}}; /* rows 4, 6 and 7 of all */

        ck_assert_int_eq(tusk_columns_fetch(columns, &query, &err), TUSK_ERR_VALUE);
        ck_assert_int_eq(err.column, told[round].column);
        ck_assert_int_eq(err.message[sizeof "column " - 1] - '0', told[round].column);
        ck_assert_uint_eq(tusk_columns_n_rows(columns), told[round].n);
        ck_assert_int_eq(err.where[sizeof "fetch columns: row " - 1] - '0', told[round].row);
    }
    ck_assert_int_eq(tusk_columns_fetch(columns, &query, &err), TUSK_OK);
    ck_assert_uint_eq(tusk_columns_n_rows(columns), 2);
}
END_TEST

/* ---- memory -------------------------------------------------------------------------------------------------------------------------------------- */

/* Each allocation fails once; what was not taken comes with the next batch, and no row is lost or comes twice. */
START_TEST(no_row_is_lost_when_memory_runs_out)
{
    long n_calls;

    describe(three, 3);
    add_rows(9000);
    make_columns(NULL);
    n_calls = memory.n;
    ck_assert_int_eq(tusk_columns_fetch(columns, &query, &err), TUSK_OK);
    n_calls = memory.n - n_calls;
    ck_assert_int_gt(n_calls, 10);
    for (long fail = 1; fail <= n_calls; fail++) {
        size_t n = 0;
        int n_failed = 0;
        tusk_code code;

        tusk_columns_free(columns);
        make_columns(NULL);
        tusk__result_rewind(&query.first);
        memory.fail_at = memory.n + fail;
        while ((code = tusk_columns_fetch(columns, &query, &err)) != TUSK_DONE) {
            if (code != TUSK_OK) {
                ck_assert_int_eq(code, TUSK_ERR_NOMEM);
                ck_assert_int_eq(err.code, TUSK_ERR_NOMEM);
                ck_assert_str_eq(err.sqlstate, "53200");
                n_failed++;
            }
            if (tusk_columns_values(columns, 0))
                check_batch(n);
            n += tusk_columns_n_rows(columns);
        }
        ck_assert_int_eq(n_failed, 1);
        ck_assert_uint_eq(n, 9000);
    }
}
END_TEST

/* ---- another epoch ---------------------------------------------------------------------------------------------------------------------------------- */

START_TEST(arrow_counts_from_1970)
{
    static const uint32_t types[] = {TUSK_OID_DATE, TUSK_OID_TIMESTAMPTZ};
    static const struct {
        int32_t date, want_date;
        int64_t us, want_us;
    } times[] = {
        {0, 10957, 0, INT64_C(946684800000000)},
        {-10957, 0, INT64_C(-946684800000000), 0},
        {INT32_MAX, INT32_MAX, INT64_MAX, INT64_MAX},
        {INT32_MIN, INT32_MIN, INT64_MIN, INT64_MIN},
        {2145031948, 2145042905, INT64_MAX - 1 - INT64_C(946684800000000), INT64_MAX - 1},
        {-2451545, -2440588, INT64_C(-211813488000000000), INT64_C(-210866803200000000)},
    };

    describe(types, 2);
    for (size_t i = 0; i < N_OF(times); i++) {
        uint8_t date[4], us[8];
        tusk_str values[] = {tusk_str_from(date, 4), tusk_str_from(us, 8)};

        tusk__put32(date, (uint32_t)times[i].date);
        tusk__put64(us, (uint64_t)times[i].us);
        add_row(values, 2);
    }
    rows_are_there();
    for (int unix_epoch = 0; unix_epoch < 2; unix_epoch++) {
        make_columns(&(tusk_columns_options){.unix_epoch = unix_epoch == 1});
        tusk__result_rewind(&query.first);
        ck_assert_msg(tusk_columns_fetch(columns, &query, &err) == TUSK_OK, "%s", err.message);
        for (size_t i = 0; i < N_OF(times); i++) {
            ck_assert_int_eq(((const int32_t *)tusk_columns_values(columns, 0)->values)[i],
                             unix_epoch ? times[i].want_date : times[i].date);
            ck_assert_int_eq(((const int64_t *)tusk_columns_values(columns, 1)->values)[i],
                             unix_epoch ? times[i].want_us : times[i].us);
        }
        tusk_columns_free(columns);
        columns = NULL;
    }
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("columns");
    TCase *tcase = tcase_create("columns");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, options_out_of_range_are_refused);
    tcase_add_loop_test(tcase, rows_come_in_batches_with_every_value_at_its_place, 0, (int)N_OF(batches));
    tcase_add_loop_test(tcase, rows_are_added_to_the_same_batches, 0, (int)N_OF(batches));
    tcase_add_test(tcase, a_row_that_cannot_be_added_leaves_no_trace);
    tcase_add_test(tcase, a_row_of_other_columns_begins_another_batch);
    tcase_add_test(tcase, no_row_is_lost_when_memory_runs_out_while_adding);
    tcase_add_test(tcase, the_next_result_may_have_other_columns);
    tcase_add_loop_test(tcase, a_malformed_value_is_told_by_row_and_column_and_passed_over, 0, (int)N_OF(malformed));
    tcase_add_test(tcase, of_several_malformed_values_the_first_row_counts);
    tcase_add_test(tcase, no_row_is_lost_when_memory_runs_out);
    tcase_add_test(tcase, arrow_counts_from_1970);
    suite_add_tcase(suite, tcase);
    return suite;
}
