/* Arrays and other containers against the real server: the samples of every type three ways (its text, its binary, ours sent), and what
 * people do with them.
 * Read first: tusk/array.h, tusk/range.h, test/array_samples.h. */
#include "test/array_samples.h"
#include "test/live/live.h"
#include "test/text_samples.h"

/* ---- every type ------------------------------------------------------------------------------------------------------------------------ */

static const char *cast_of(uint32_t type)
{
    return textf("select $1::pg_catalog.\"%s\"", tusk__type_name(type));
}

static tusk_query *ask(uint32_t type, tusk_value value, bool text_results)
{
    tusk_query *q = tusk_submit(
        db, &(tusk_request){.sql = cast_of(type), .params = tusk_params_of(&value, 1), .text_results = text_results});

    ck_ok(q);
    return q;
}

/* The server reads the text, and answers in its binary or its text: either is printed as that text, and the binary is what we know. */
static void check_printed(const array_sample *s, bool text_results)
{
    size_t size = strlen(s->text) + 2, len;
    char *text = malloc(size);
    tusk_query *q = ask(s->type, tusk_unknown(s->text), text_results);
    tusk_row row;
    tusk_error err = {0};

    ck_assert(tusk_next_row(q, &row));
    ck_assert_uint_eq(tusk_query_column(q, 0)->type, s->type);
    ck_assert_msg(tusk_format_value(&row, 0, text, size, &len, &err) == TUSK_OK, "%s", said(&err));
    ck_assert_str_eq(text, s->text);
    if (!text_results)
        ck_assert_msg(tusk_str_equal(tusk_get_raw(&row, 0), tusk_str_from(s->wire, s->len)), "%.80s: other bytes",
                      s->text);
    tusk_query_free(q);
    free(text);
}

static void check_sent(const array_sample *s)
{
    tusk_query *q = ask(s->type, tusk__bytes_of(s->type, TUSK_KIND_WIRE, tusk_str_from(s->wire, s->len)), true);
    tusk_row row;

    ck_assert(tusk_next_row(q, &row));
    ck_assert_msg(tusk_str_is(tusk_get_text(&row, 0), s->text), "%.80s comes back as %.80s", s->text,
                  tusk_get_text(&row, 0).ptr);
    tusk_query_free(q);
}

/* The server's text, read by us, is the server's binary. */
static tusk_value from_text(const tusk_row *row, int col, void **room)
{
    size_t size = tusk_value_from_text_size(tusk_query_column(row->query, col)->type, tusk_get_raw(row, col));
    tusk_value value;
    tusk_error err = {0};

    *room = malloc(size > 0 ? size : 1);
    ck_assert_msg(tusk_read_value_into(row, col, *room, size, &value, &err) == TUSK_OK, "%s", said(&err));
    return value;
}

static void check_read_from_text(const array_sample *s)
{
    tusk_query *q = ask(s->type, tusk_unknown(s->text), true);
    tusk_value value;
    tusk_row row;
    void *room;

    ck_assert(tusk_next_row(q, &row));
    value = from_text(&row, 0, &room);
    ck_assert(value.type == s->type && value.kind == TUSK_KIND_WIRE);
    ck_assert_msg(tusk_str_equal(value.as.bytes, tusk_str_from(s->wire, s->len)), "%.80s is read as other bytes",
                  s->text);
    free(room);
    tusk_query_free(q);
}

static bool is_read_from_text(uint32_t type)
{
    return type != TUSK_OID_TSVECTOR_ARRAY && type != TUSK_OID_TSQUERY_ARRAY;
}

/* Before PostgreSQL 15 the longest interval, and a "char" beyond ASCII, are not read as they are printed. */
static bool is_read_since_15(uint32_t type)
{
    return (type == TUSK_OID_INTERVAL_ARRAY || type == TUSK_OID_CHAR_ARRAY) &&
           tusk_conn_server_version(db).num < 150000;
}

START_TEST(the_server_agrees_on_each_sample_of_each_array_type)
{
    uint32_t type = array_type_at(_i);

    if (type == TUSK_OID_RECORD_ARRAY)
        return;                   /* the server reads none: record_live_test */
    run("set timezone to 'UTC'"); /* and the login is over: the version is known */
    run("set lc_monetary to 'C'");
    if (is_read_since_15(type)) {
        harness_skip("some arrays of interval and \"char\"", "this server is older than 15 and does not read them");
        return;
    }
    samples_are_finite = tusk_conn_server_version(db).num < 170000;
    if (samples_are_finite && type == TUSK_OID_INTERVAL_ARRAY)
        harness_skip("infinite intervals in arrays", "this server is older than 17 and has none");
    for (int which = 0; which < ARRAY_SAMPLES; which++) {
        array_sample s = array_sample_of(type, which);

        check_printed(&s, false);
        check_printed(&s, true);
        check_sent(&s);
        if (is_read_from_text(type))
            check_read_from_text(&s);
        array_sample_free(&s);
    }
}
END_TEST

START_TEST(the_server_agrees_on_each_other_container)
{
    array_sample s = container_sample_of(&container_cases[_i]);

    run("set timezone to 'UTC'");
    check_printed(&s, false);
    check_printed(&s, true);
    check_sent(&s);
    check_read_from_text(&s);
    array_sample_free(&s);
}
END_TEST

/* The same in other words: the server takes it, and means the same. What it makes of a range is its own business. */
static void check_taken(const tusk_value *value, const char *text)
{
    tusk_query *q = ask(value->type, tusk_unknown(text), false);
    tusk_row row;

    ck_assert(tusk_next_row(q, &row));
    if (tusk__type_is_array(value->type))
        ck_assert_msg(tusk_str_equal(value->as.bytes, tusk_get_raw(&row, 0)), "%s", text);
    tusk_query_free(q);
    if (strcmp(text, "") != 0 && !strstr(text, "\"\"")) /* an int2vector of nothing, which it takes in text alone */
        tusk_query_free(ask(value->type, *value, false));
}

START_TEST(what_we_take_from_text_the_server_takes)
{
    const char *text = other_words[_i].text;
    uint32_t type = other_words[_i].type;
    size_t size = tusk_value_from_text_size(type, tusk_str_of(text));
    void *room = malloc(size);
    tusk_value value;
    tusk_error err = {0};

    run("select"); /* and the login is over: the version is known */
    ck_assert_msg(tusk_value_from_text(type, tusk_str_of(text), room, size, &value, &err) == TUSK_OK, "%s", said(&err));
    if (strstr(text, "{{}") && tusk_conn_server_version(db).num < 170000)
        harness_skip("rows of nothing in an array", "this server is older than 17 and refuses them");
    else if (type == TUSK_OID_RECORD || type == TUSK_OID_RECORD_ARRAY || strcmp(text, "[5,1]") == 0)
        ; /* of the ones it reads no text, and the others are in no order */
    else
        check_taken(&value, text);
    free(room);
}
END_TEST

START_TEST(what_we_refuse_from_text_the_server_refuses)
{
    tusk_value text = tusk_unknown(malformed[_i].text);
    uint32_t type = malformed[_i].type;
    tusk_query *q;

    if (type == TUSK_OID_RECORD)
        return; /* of these it reads none */
    q = tusk_submit(db, &(tusk_request){.sql = cast_of(type), .params = tusk_params_of(&text, 1)});
    ck_assert_msg(tusk_await(q) == TUSK_ERR_SERVER, "%s", malformed[_i].text);
    tusk_query_free(q);
}
END_TEST

/* Each array type that a server has can be read, if only element by element; what is left out has no binary format. */
START_TEST(every_array_type_of_the_server_is_one_of_ours)
{
    tusk_query *q =
        tusk_exec(db, "select oid, typname::text from pg_catalog.pg_type where oid < 10000 and typcategory = 'A'",
                  TUSK_NO_PARAMS);

    for (tusk_row row; tusk_next_row(q, &row);)
        ck_assert_msg(tusk__type_is_array(tusk_get_oid(&row, 0)), TUSK_STR_FMT, TUSK_STR_ARG(tusk_get_text(&row, 1)));
    ck_assert_int_eq(tusk_query_code(q), TUSK_OK);
    ck_assert_uint_gt(tusk_query_n_rows(q), 80);
    tusk_query_free(q);
}
END_TEST

/* ---- as people use them ---------------------------------------------------------------------------------------------------------------- */

static tusk_row row_of(tusk_query *q)
{
    tusk_row row;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    return row;
}

START_TEST(any_of_a_c_array_finds_rows)
{
    static const int32_t wanted[] = {2, 3, 5, 7};
    static const tusk_str names[] = {{"pg_class", 8}, {"pg_type", 7}, {"none", 4}};
    tusk_query *q = tusk_exec(db, "select sum(x), count(*) from generate_series(1, 5) x where x = any($1)",
                              TUSK_PARAMS(tusk_array_of_int4(wanted, 4)));
    tusk_row row = row_of(q);

    ck_assert_int_eq(tusk_get_int8(&row, 0), 10);
    ck_assert_int_eq(tusk_get_int8(&row, 1), 3);
    tusk_query_free(q);
    q = tusk_exec(db, "select count(*) from pg_class where relname = any($1)",
                  TUSK_PARAMS(tusk_array_of_text(names, 3)));
    row = row_of(q);
    ck_assert_int_eq(tusk_get_int8(&row, 0), 2);
    tusk_query_free(q);
}
END_TEST

START_TEST(an_aggregate_is_read_into_c)
{
    tusk_query *q = tusk_exec(
        db,
        "select array_agg(nullif(x, 500)), array_agg(x::float4 / 2), array_agg('n' || x), array[]::int4[], null::int4[]"
        " from generate_series(1, 1000) x",
        TUSK_NO_PARAMS);
    tusk_row row = row_of(q);
    tusk_array_view view = tusk_get_array(&row, 0);
    int32_t ints[1000];
    uint8_t valid[125];
    float reals[1000];
    tusk_str texts[1000];
    tusk_error err;

    ck_assert_int_eq(tusk_array_to_int4(&view, ints, 1000, valid, &err), TUSK_OK);
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(ints[i], i == 499 ? 0 : i + 1);
        ck_assert_int_eq(valid[i / 8] >> i % 8 & 1, i != 499);
    }
    view = tusk_get_array(&row, 1);
    ck_assert_int_eq(tusk_array_to_float4(&view, reals, 1000, NULL, &err), TUSK_OK);
    ck_assert(reals[998] == 499.5f);
    view = tusk_get_array(&row, 2);
    ck_assert_int_eq(tusk_array_to_text(&view, texts, 1000, NULL, &err), TUSK_OK);
    ck_assert(tusk_str_is(texts[999], "n1000"));
    view = tusk_get_array(&row, 3);
    ck_assert_uint_eq(view.n, 0);
    ck_assert_int_eq(view.ndim, 0);
    ck_assert_ptr_nonnull(view.wire);
    view = tusk_get_array(&row, 4);
    ck_assert_ptr_null(view.wire);
    ck_assert_int_eq(tusk_query_value_error(q)->code, TUSK_OK);
    tusk_query_free(q);
}
END_TEST

/* What is no array, and what came as text, is said with the column. */
START_TEST(what_cannot_be_read_as_an_array_is_said)
{
    tusk_query *q = tusk_exec(db, "select 1 as n, array[1] as a", TUSK_NO_PARAMS);
    tusk_row row = row_of(q);
    tusk_array_view view = {0};
    tusk_error err;

    ck_assert_int_eq(tusk_read_array(&row, 0, &view, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, "column 0 \"n\" is int4, not an array");
    ck_assert_int_eq(tusk_read_array(&row, 2, &view, &err), TUSK_ERR_USAGE);
    ck_assert_ptr_null(tusk_get_array(&row, 0).wire);
    ck_assert_int_eq(tusk_query_value_error(q)->code, TUSK_ERR_TYPE);
    tusk_query_free(q);
    q = tusk_script(db, "select array[1] as a, null::int4[] as b");
    row = row_of(q);
    ck_assert_int_eq(tusk_read_array(&row, 0, &view, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, "column 0 \"a\": _int4 came in text format: take it with tusk_read_value_into() or "
                                  "tusk_read_text(), or ask for binary results");
    ck_assert_int_eq(tusk_read_array(&row, 1, &view, &err), TUSK_ERR_NULL);
    tusk_query_free(q);
}
END_TEST

/* Bounds of C's values; what is canonical the server says, and that it is in order too. */
START_TEST(a_range_is_sent_and_read)
{
    tusk_range_parts range = {.type = TUSK_OID_INT4RANGE,
                              .lower = tusk_int4(1),
                              .upper = tusk_int8(5),
                              .lower_exclusive = true,
                              .upper_inclusive = true},
                     back;
    tusk_range_parts ends = {.type = TUSK_OID_TSTZRANGE, .upper = tusk_timestamptz(TUSK_TIMESTAMP_INFINITY)};
    tusk_query *q = tusk_exec(db, "select $1, $2, upper_inf($2), $3::int4range, $1 * int4range(7, 9)",
                              TUSK_PARAMS(tusk_range(&range), tusk_range(&ends), tusk_null()));
    tusk_row row = row_of(q);
    tusk_error err;

    back = tusk_get_range(&row, 0);
    ck_assert_uint_eq(back.type, TUSK_OID_INT4RANGE);
    ck_assert(!back.lower_exclusive && !back.upper_inclusive && !back.is_empty);
    ck_assert_int_eq(back.lower.as.integer, 2);
    ck_assert_int_eq(back.upper.as.integer, 6);
    back = tusk_get_range(&row, 1);
    ck_assert_int_eq(back.lower.kind, TUSK_KIND_NULL);
    ck_assert_int_eq(back.upper.as.integer, TUSK_TIMESTAMP_INFINITY);
    ck_assert(!tusk_get_bool(&row, 2)); /* infinity is a bound */
    ck_assert_uint_eq(tusk_get_range(&row, 3).type, 0);
    ck_assert(tusk_get_range(&row, 4).is_empty);
    ck_assert_int_eq(tusk_query_value_error(q)->code, TUSK_OK);
    ck_assert_int_eq(tusk_read_range(&row, 2, &back, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, "column 2 \"upper_inf\" is bool, not a range");
    tusk_query_free(q);
    range.lower = tusk_int4(9);
    q = tusk_exec(db, "select $1", TUSK_PARAMS(tusk_range(&range)));
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_assert_str_eq(tusk_query_error(q)->sqlstate, "22000");
    tusk_query_free(q);
}
END_TEST

START_TEST(a_multirange_is_sent_and_read)
{
    tusk_range_parts ranges[] = {{.lower = tusk_int4(5), .upper = tusk_int4(7)},
                                 {.lower = tusk_int4(1), .upper = tusk_int4(3)},
                                 {.lower = tusk_int4(2), .upper = tusk_int4(4)},
                                 {.is_empty = true}},
                     range;
    tusk_multirange_parts parts = {TUSK_OID_INT4MULTIRANGE, ranges, 4};
    tusk_query *q = tusk_exec(db, "select $1, array[$1, '{}']", TUSK_PARAMS(tusk_multirange_of(&parts)));
    tusk_row row = row_of(q);
    tusk_multirange_view view = tusk_get_multirange(&row, 0);
    tusk_multirange_iter it = tusk_multirange_begin(&view);
    tusk_array_view array = tusk_get_array(&row, 1);
    tusk_array_iter elements = tusk_array_begin(&array);
    tusk_value value;

    ck_assert_uint_eq(view.n, 2);
    ck_assert_int_eq(tusk_multirange_next(&it, &range, NULL), TUSK_OK);
    ck_assert_int_eq(range.lower.as.integer, 1);
    ck_assert_int_eq(range.upper.as.integer, 4);
    ck_assert_int_eq(tusk_multirange_next(&it, &range, NULL), TUSK_OK);
    ck_assert_int_eq(range.upper.as.integer, 7);
    ck_assert_int_eq(tusk_multirange_next(&it, &range, NULL), TUSK_DONE);
    ck_assert_uint_eq(array.n, 2);
    ck_assert_int_eq(tusk_array_next(&elements, &value, NULL), TUSK_OK);
    ck_assert_int_eq(tusk_value_to_multirange(&value, &view, NULL), TUSK_OK);
    ck_assert_uint_eq(view.n, 2);
    ck_assert_int_eq(tusk_array_next(&elements, &value, NULL), TUSK_OK);
    ck_assert_int_eq(tusk_value_to_multirange(&value, &view, NULL), TUSK_OK);
    ck_assert_uint_eq(view.n, 0);
    tusk_query_free(q);
}
END_TEST

/* What the server sends it takes, whatever its shape; a request behind others is held until they have left. */
START_TEST(an_array_goes_back_as_it_came)
{
    tusk_query *q = tusk_exec(
                   db, "select '[0:1][-1:1]={{a,NULL,\"x y\"},{\"\",\"\\\"\",\"NULL\"}}'::text[], '{{1,2}}'::int8[]",
                   TUSK_NO_PARAMS),
               *again;
    tusk_row row = row_of(q), back;
    tusk_array_view view = tusk_get_array(&row, 0);
    tusk_value value;

    ck_assert_int_eq(tusk_read_value(&row, 1, &value, NULL), TUSK_OK);
    again = tusk_exec(db, "select $1::text, $2::text", TUSK_PARAMS(tusk_array(&view), value));
    tusk_query_free(q);
    back = row_of(again);
    ck_assert(tusk_str_is(tusk_get_text(&back, 0), "[0:1][-1:1]={{a,NULL,\"x y\"},{\"\",\"\\\"\",\"NULL\"}}"));
    ck_assert(tusk_str_is(tusk_get_text(&back, 1), "{{1,2}}"));
    tusk_query_free(again);
}
END_TEST

/* The connection is not made yet: nothing of the caller's is there any more when the request leaves. */
START_TEST(an_array_that_had_to_wait_is_what_was_given)
{
    tusk_conn *late = tusk_connect(loop, harness_dsn("drv"));
    char text[] = "waits";
    int32_t numbers[] = {1, 2, 3};
    tusk_value values[] = {tusk_text(text), tusk_null(), tusk_text("x")};
    tusk_array_parts parts = {.values = values, .n = 3};
    tusk_query *q = tusk_exec(late, "select $1::text, $2::text",
                              TUSK_PARAMS(tusk_array_of(TUSK_OID_TEXT_ARRAY, &parts), tusk_array_of_int4(numbers, 3)));
    tusk_row row;

    memset(text, '?', sizeof text);
    memset(numbers, 0x7f, sizeof numbers);
    memset(values, 0x7f, sizeof values);
    memset(&parts, 0x7f, sizeof parts);
    row = row_of(q);
    ck_assert(tusk_str_is(tusk_get_text(&row, 0), "{waits,NULL,x}"));
    ck_assert(tusk_str_is(tusk_get_text(&row, 1), "{1,2,3}"));
    tusk_query_free(q);
    tusk_conn_free(late);
}
END_TEST

/* Texts of C's, NULLs and an empty one among them, whose memory is another's before they are sent. */
typedef struct some_texts {
    char first[8], last[8];
    tusk_str strings[5];
} some_texts;

static void write_texts(some_texts *t)
{
    tusk_str strings[5] = {{t->first, 5}, {NULL, 0}, {"", 0}, {NULL, 7}, {t->last, 3}};

    memcpy(t->first, "first", 5);
    memcpy(t->last, "x,y", 3);
    memcpy(t->strings, strings, sizeof strings);
}

#define PRINTED "{first,NULL,\"\",NULL,\"x,y\"}"

static void check_results(tusk_query *q, int n)
{
    tusk_row row;

    ck_ok(q);
    for (int i = 0; i < n; i++) {
        ck_assert(tusk_next_row(q, &row));
        ck_assert_msg(tusk_str_is(tusk_get_text(&row, 0), PRINTED), TUSK_STR_FMT, TUSK_STR_ARG(tusk_get_text(&row, 0)));
        ck_assert_int_eq(tusk_next_result(q), i + 1 < n);
    }
    tusk_query_free(q);
}

static tusk_query *ask_held(some_texts *t)
{
    tusk_query_free(tusk_script(db, "select 1")); /* behind which nothing is sent */
    return tusk_exec(db, "select $1::text", TUSK_PARAMS(tusk_array_of_text(t->strings, 5)));
}

static tusk_query *ask_stack(some_texts *t, tusk_stack_mode mode)
{
    tusk_stack *stack = tusk_stack_new(db);
    tusk_params sets[2] = {TUSK_PARAMS(tusk_array_of_text(t->strings, 5)),
                           TUSK_PARAMS(tusk_array_of_text(t->strings, 5))};
    tusk_query *q;

    ck_assert_int_eq(tusk_stack_push(stack, "select $1::text", sets[0]), TUSK_OK);
    ck_assert_int_eq(tusk_stack_push_many(stack, "select $1::text as n", sets, 2), TUSK_OK);
    memset(t, 0x7f, sizeof *t);
    q = tusk_stack_run(stack, mode);
    tusk_stack_free(stack);
    return q;
}

START_TEST(null_texts_of_c_arrays_are_held_as_nulls)
{
    some_texts t;
    tusk_query *q;

    write_texts(&t);
    q = ask_held(&t);
    memset(&t, 0x7f, sizeof t);
    check_results(q, 1);
    write_texts(&t);
    check_results(ask_stack(&t, TUSK_STACK_ATOMIC), 3);
    write_texts(&t);
    check_results(ask_stack(&t, TUSK_STACK_CONTINUE), 3);
}
END_TEST

static tusk_code give_texts(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    some_texts t;
    tusk_code code;

    (void)err;
    (void)user;
    if (item == 3)
        return TUSK_DONE;
    write_texts(&t);
    code = tusk_many_push(q, TUSK_PARAMS(tusk_array_of_text(t.strings, 5)));
    memset(&t, 0x7f, sizeof t);
    return code;
}

START_TEST(null_texts_of_c_arrays_are_loaded)
{
    for (int held = 0; held < 2; held++) {
        tusk_query *q;

        run("create temp table texts (t text[])");
        if (held)
            tusk_query_free(tusk_script(db, "select 1"));
        q = tusk_many_submit(db, &(tusk_many_request){.sql = "insert into texts values ($1)", .pull = give_texts});
        ck_ok(q);
        tusk_query_free(q);
        ck_assert_int_eq(number("select count(*) from texts where t::text = '" PRINTED "'"), 3);
        run("drop table texts");
    }
}
END_TEST

/* By what the catalogue knows of their elements: the first result waits for that. What is handed out before is raw. */
START_TEST(arrays_of_own_elements_are_read_by_what_is_known)
{
    tusk_query *q;
    tusk_row row;
    tusk_array_view view;
    tusk_array_iter it;
    tusk_value value;
    tusk_str texts[2];
    tusk_error err;

    run("create type pg_temp.mood as enum ('sad', 'happy')");
    q = tusk_exec(
        db,
        "select array['happy', 'sad']::pg_temp.mood[], histogram_bounds from (select null::anyarray as histogram_bounds"
        " from pg_stats limit 0) s right join (select 1) t on true",
        TUSK_NO_PARAMS);
    row = row_of(q);
    ck_assert_int_eq(tusk_read_array(&row, 0, &view, &err), TUSK_OK);
    it = tusk_array_begin(&view);
    ck_assert_int_eq(tusk_array_next(&it, &value, &err), TUSK_OK);
    ck_assert(value.kind == TUSK_KIND_TEXT && tusk_str_is(value.as.bytes, "happy"));
    ck_assert_int_eq(tusk_array_to_text(&view, texts, 2, NULL, &err), TUSK_OK);
    ck_assert(tusk_str_is(texts[1], "sad"));
    ck_assert_int_eq(tusk_read_value(&row, 0, &value, &err), TUSK_OK);
    ck_assert_int_eq(value.kind, TUSK_KIND_WIRE);
    ck_assert_int_eq(tusk_value_to_array(&value, &view, &err), TUSK_OK);
    it = tusk_array_begin(&view);
    ck_assert_int_eq(tusk_array_next(&it, &value, &err), TUSK_OK);
    ck_assert(value.kind == TUSK_KIND_RAW && tusk_str_is(value.as.bytes, "happy"));
    tusk_query_free(q);
}
END_TEST

/* Whatever a server makes of random parts, it prints as we do, and we read as it means it. */
START_TEST(random_containers_are_the_servers_text)
{
    static const char *const makers[] = {
        "array_agg(case when random() < 0.1 then null else (random() * 1e9)::int4 end)",
        "array_agg(case when random() < 0.1 then null else substr(E'a b\"\\\\{},null', 1 + (random() * 9)::int4, "
        "(random() * 4)::int4) end)",
        "array_agg(array[random() * 1e6, null, random()])",
        "array_agg(array[array[now() + random() * interval '1 year'], array[now()]])",
        "array_agg((random() * 1e12)::numeric(30, 9))",
        "array_agg(tstzrange(now() - random() * interval '1 year', case when random() < 0.3 then null else now() end))",
        "range_agg(numrange((random() * 1e4)::numeric, null, '()') * numrange(null, (random() * 1e5 + 1e4)::numeric, "
        "'[]'))",
        "array_agg(tstzmultirange(tstzrange(now() - random() * interval '9 years', now()), tstzrange(now() + interval "
        "'1 day', null, "
        "'()')))",
        "array_agg(decode(md5(random()::text), 'hex'))",
        "array_agg(array[jsonb_build_object('a \\\"b', random(), E'\\\\', null), null])",
        "array_agg((chr(1 + (random() * 126)::int4))::\"char\")",
        "array_agg(array[array[point(random(), 1)], array[null::point]])",
        "array_agg(box(point(random(), 1), point(2, random())))",
        "array_agg(int8multirange(int8range(null, 5), int8range((random() * 1e9)::int8 + 10, null)))",
    };
    tusk_query *q;
    size_t n = 0;

    run("set timezone to 'UTC'");
    q = tusk_exec(
        db,
        textf("select x, x::text from (select %s as x from generate_series(1, 2000) i group by i %% 200 offset 0) s",
              makers[_i]),
        TUSK_NO_PARAMS);
    for (tusk_row row; tusk_next_row(q, &row); n++) {
        tusk_str its = tusk_get_text(&row, 1);
        char text[4096];
        size_t len;
        tusk_error err = {0};
        tusk_value value;
        tusk_code code;
        void *room;

        ck_assert_msg(tusk_format_value(&row, 0, text, sizeof text, &len, &err) == TUSK_OK, "%s", said(&err));
        if (!tusk_str_is(its, text))
            ck_abort_msg("the server prints " TUSK_STR_FMT ", we %s", TUSK_STR_ARG(its), text);
        len = tusk_value_from_text_size(tusk_query_column(q, 0)->type, its);
        room = malloc(len);
        code = tusk_value_from_text(tusk_query_column(q, 0)->type, its, room, len, &value, &err);
        ck_assert_msg(code == TUSK_OK, TUSK_STR_FMT ": %s", TUSK_STR_ARG(its), said(&err));
        ck_assert_msg(tusk_str_equal(value.as.bytes, tusk_get_raw(&row, 0)), TUSK_STR_FMT, TUSK_STR_ARG(its));
        free(room);
    }
    ck_assert_int_eq(tusk_query_code(q), TUSK_OK);
    ck_assert_uint_eq(n, 200);
    tusk_query_free(q);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("containers, live");
    TCase *tc = tcase_create("containers");

    tcase_add_checked_fixture(tc, live_up, live_down);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, the_server_agrees_on_each_sample_of_each_array_type, 0, n_array_types());
    tcase_add_loop_test(tc, the_server_agrees_on_each_other_container, 0, N_OF(container_cases));
    tcase_add_loop_test(tc, what_we_take_from_text_the_server_takes, 0, N_OF(other_words));
    tcase_add_loop_test(tc, what_we_refuse_from_text_the_server_refuses, 0, N_OF(malformed));
    tcase_add_test(tc, every_array_type_of_the_server_is_one_of_ours);
    tcase_add_test(tc, any_of_a_c_array_finds_rows);
    tcase_add_test(tc, an_aggregate_is_read_into_c);
    tcase_add_test(tc, what_cannot_be_read_as_an_array_is_said);
    tcase_add_test(tc, a_range_is_sent_and_read);
    tcase_add_test(tc, a_multirange_is_sent_and_read);
    tcase_add_test(tc, an_array_goes_back_as_it_came);
    tcase_add_test(tc, an_array_that_had_to_wait_is_what_was_given);
    tcase_add_test(tc, null_texts_of_c_arrays_are_held_as_nulls);
    tcase_add_test(tc, null_texts_of_c_arrays_are_loaded);
    tcase_add_test(tc, arrays_of_own_elements_are_read_by_what_is_known);
    tcase_add_loop_test(tc, random_containers_are_the_servers_text, 0, 14);
    suite_add_tcase(suite, tc);
    return suite;
}
