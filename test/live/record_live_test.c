/* Records against the real server: samples both ways, composites of tables and types by position and by name, containers of the database's own
 * types.
 * Read first: tusk/record.h, test/record_samples.h. */
#include "test/live/live.h"
#include "test/record_samples.h"

#define SCHEMA                                                                                                         \
    "drop schema if exists records cascade; create schema records; set search_path = records, public; "                \
    "set timezone to 'UTC'; create type mood as enum ('sad', 'so so', 'happy'); "                                      \
    "create domain pos as int4 check (value > 0); create domain cheer as mood check (value <> 'sad'); "                \
    "create type pair as (a int4, m mood, p pos, l mood[]); create type pairpair as (x pair, y pair[]); "              \
    "create domain goodpair as pair; "                                                                                 \
    "create type posrange as range (subtype = pos, multirange_type_name = posmultirange); "                            \
    "create type moodrange as range (subtype = mood); "                                                                \
    "create table item (id int4, gone text, name text, tags text[], at posrange, best pair); "                         \
    "insert into item values (1, 'x', 'a \"b\"', '{x,NULL,\"y z\"}', '[1,5)', row(1, 'so so', 2, '{happy}')); "        \
    "insert into item values (2, null, null, null, null, null); alter table item drop column gone; "

static void up(void)
{
    live_up();
    run_script(SCHEMA);
}

static void down(void)
{
    if (db)
        run_script("drop schema if exists records cascade");
    live_down();
}

static tusk_row row_of(tusk_query *q)
{
    tusk_row row;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    return row;
}

static tusk_query *ask(const char *sql)
{
    return tusk_exec(db, sql, TUSK_NO_PARAMS);
}

static const char *printed(const tusk_row *row, int col)
{
    static char text[65536];
    tusk_error err = {0};
    size_t len;

    ck_assert_msg(tusk_format_value(row, col, text, sizeof text, &len, &err) == TUSK_OK, "%s", said(&err));
    return text;
}

/* ---- samples ---------------------------------------------------------------------------------------------------------------------------- */

START_TEST(the_server_agrees_on_each_record)
{
    const both_formats *c = &record_cases[_i];
    const char *sql = textf("select %s", record_expressions[_i]);
    tusk_query *q, *text = tusk_submit(db, &(tusk_request){.sql = sql, .text_results = true});
    tusk_row row = row_of(text);
    tusk_str bytes;

    ck_assert_msg(tusk_str_is(tusk_get_text(&row, 0), c->text), "%s", tusk_get_text(&row, 0).ptr);
    tusk_query_free(text);
    q = ask(sql);
    row = row_of(q);
    ck_assert_str_eq(printed(&row, 0), c->text);
    bytes = tusk_get_raw(&row, 0);
    ck_assert_uint_eq(bytes.len, strlen(c->hex) / 2);
    for (size_t i = 0; i < bytes.len; i++)
        ck_assert(!strncmp(textf("%02x", (unsigned char)bytes.ptr[i]), c->hex + 2 * i, 2));
    tusk_query_free(q);
}
END_TEST

/* Each of the database's own containers: what they are, and as what they lie in a record and in an array. */
static const char *const own[] = {
    "'{happy,NULL,\"so so\"}'::mood[]",
    "'{}'::mood[]",
    "'[0:1]={sad,happy}'::mood[]",
    "'{happy}'::cheer[]",
    "'{1,2,NULL}'::pos[]",
    "row(1, 'so so', 2, '{sad,\"so so\"}')::pair",
    "row(null, null, null, null)::pair",
    "row(-5, 'happy', null, '{}')::pair",
    "row(3, 'sad', 4, null)::goodpair",
    "array[row(1, 'so so', 2, '{sad}')::pair, null, row(2, null, null, null)::pair]",
    "array[[row(1, 'so so', 2, '{sad}')::pair], [null::pair]]",
    "'{}'::pair[]",
    "row(row(1, 'sad', 2, '{sad,\"so so\"}'), array[row(1, 'so so', 2, '{sad}')::pair])::pairpair",
    "row(null, '{}')::pairpair",
    "row(row(null, null, null, null), null)::pairpair",
    "'[1,5)'::posrange",
    "'empty'::posrange",
    "'(,)'::posrange",
    "'[\"so so\",happy]'::moodrange",
    "'(,sad)'::moodrange",
    "'[sad,)'::moodrange",
    "'{[1,5),[7,)}'::posmultirange",
    "'{}'::posmultirange",
    "'{(,)}'::posmultirange",
    "array['[1,2)'::posrange, 'empty']",
    "array['[\"so so\",happy]'::moodrange, null]",
    "array['{[1,5)}'::posmultirange, '{}']",
    "(select i from item i where id = 1)",
    "(select i from item i where id = 2)",
    "(select array_agg(i order by id) from item i)",
};

static tusk_query *ask_for_text(const char *sql)
{
    return tusk_submit(db, &(tusk_request){.sql = sql, .text_results = true});
}

/* What came in text is read as what came in binary. */
static void check_read_from_text(const char *expression, tusk_str binary)
{
    tusk_query *q = ask_for_text(textf("select %s", expression));
    tusk_row row = row_of(q);
    size_t size = tusk_value_from_text_size(tusk_query_column(q, 0)->type, tusk_get_raw(&row, 0));
    void *room = malloc(size);
    tusk_value value;
    tusk_error err = {0};

    ck_assert_msg(tusk_read_value_into(&row, 0, room, size, &value, &err) == TUSK_OK, "%s: %s", expression, said(&err));
    ck_assert_int_eq(value.kind, TUSK_KIND_WIRE);
    ck_assert_msg(tusk_str_equal(value.as.bytes, binary), "%s", expression);
    free(room);
    tusk_query_free(q);
}

/* Its text and its bytes are the server's, and it is taken by the server as it came. */
static void check_own(const char *expression)
{
    tusk_query *q = ask(textf("select x, x::text, x from (select %s as x) s", expression)), *again;
    tusk_row row = row_of(q), back;
    tusk_str text = tusk_get_text(&row, 1);
    tusk_value value;
    tusk_error err = {0};

    ck_assert_msg(tusk_str_is(text, printed(&row, 0)), "%s: not " TUSK_STR_FMT, printed(&row, 0), TUSK_STR_ARG(text));
    ck_assert_msg(tusk_read_value(&row, 0, &value, &err) == TUSK_OK, "%s", said(&err));
    ck_assert_int_eq(value.kind, TUSK_KIND_WIRE);
    ck_assert(tusk_str_equal(value.as.bytes, tusk_get_raw(&row, 2)));
    if (value.type >= 10000) {
        again = tusk_exec(db, "select $1::text", TUSK_PARAMS(value));
        back = row_of(again);
        ck_assert(tusk_str_equal(tusk_get_text(&back, 0), text));
        tusk_query_free(again);
        check_read_from_text(expression, tusk_get_raw(&row, 2));
    }
    tusk_query_free(q);
}

START_TEST(own_containers_are_printed_and_go_back_as_they_came)
{
    check_own(own[_i]);
}
END_TEST

START_TEST(own_containers_in_records_are_printed_as_the_server_does)
{
    /* types inside of a row without a name are not described, and a domain is described as its base */
    tusk_query *known = ask(textf("select %s, null::goodpair[]", own[_i]));

    ck_ok(known);
    tusk_query_free(known);
    check_own(textf("row(%s, 1, 'a b', row(%s))", own[_i], own[_i]));
    check_own(textf("array[row(%s, null), row(null, '')]", own[_i]));
}
END_TEST

/* Nothing is looked up for a text. */
START_TEST(own_types_are_read_from_text_by_what_is_known)
{
    static const char sql[] = "select row(1, 'so so', 2, '{sad,happy}')::pair, row(1, 'a b', null), 5, '{}'::mood[]";
    tusk_query *q = ask_for_text(sql);
    unsigned char room[TUSK_FROM_TEXT_SIZE(100)];
    tusk_row row = row_of(q);
    tusk_record_view pair;
    tusk_value value;
    tusk_error err;

    ck_assert_int_eq(tusk_read_value_into(&row, 0, room, sizeof room, &value, &err), TUSK_OK);
    ck_assert(value.kind == TUSK_KIND_TEXT); /* nobody knows what it is */
    ck_assert_int_eq(tusk_value_to_record(&value, &pair, &err), TUSK_ERR_TYPE);
    ck_assert_int_eq(tusk_read_value_into(&row, 1, room, sizeof room, &value, &err), TUSK_OK);
    ck_assert_int_eq(tusk_value_to_record(&value, &pair, &err), TUSK_OK);
    ck_assert_int_eq(tusk_record_at(&pair, 1, &value, &err), TUSK_OK);
    ck_assert(value.type == TUSK_OID_UNKNOWN && tusk_str_is(value.as.bytes, "a b"));
    ck_assert_int_eq(tusk_read_value_into(&row, 2, room, sizeof room, &value, &err), TUSK_OK);
    ck_assert(value.kind == TUSK_KIND_INT && value.as.integer == 5);
    tusk_query_free(q);
    tusk_query_free(ask(sql));
    q = ask(sql); /* told behind the look-up of the one before */
    ck_ok(q);
    tusk_query_free(q);
    q = ask_for_text(sql);
    row = row_of(q);
    ck_assert_msg(tusk_read_value_into(&row, 0, room, sizeof room, &value, &err) == TUSK_OK, "%s", said(&err));
    ck_assert_int_eq(tusk_value_to_record(&value, &pair, &err), TUSK_OK);
    pair.query = q;
    ck_assert_int_eq(tusk_record_named(&pair, "m", &value, &err), TUSK_OK);
    ck_assert(tusk_str_is(value.as.bytes, "so so"));
    ck_assert_int_eq(tusk_read_value_into(&row, 0, room, 20, &value, &err), TUSK_ERR_LIMIT);
    ck_assert_str_eq(
        err.message,
        "column 0 \"row\": a buffer of 20 bytes is too small: tusk_value_from_text_size() says what is enough");
    tusk_query_free(q);
    run_script("alter type pair add attribute z int4");
    q = ask_for_text("select row(1, null, null, null, 5)::pair");
    row = row_of(q);
    ck_assert_int_eq(tusk_read_value_into(&row, 0, room, sizeof room, &value, &err), TUSK_ERR_STATE);
    tusk_query_free(q);
}
END_TEST

/* ---- fields ----------------------------------------------------------------------------------------------------------------------------- */

START_TEST(table_rows_are_read_by_name_and_position)
{
    tusk_query *q = ask("select i, i.best from item i order by id");
    tusk_row row = row_of(q);
    tusk_record_view item = tusk_get_record(&row, 0), best;
    tusk_value value;
    tusk_array_view tags;
    tusk_error err;

    ck_assert_uint_eq(item.n, 5); /* the column that was dropped is none */
    ck_assert_int_eq(tusk_record_at(&item, 0, &value, &err), TUSK_OK);
    ck_assert(value.type == TUSK_OID_INT4 && value.as.integer == 1);
    ck_assert_msg(tusk_record_named(&item, "name", &value, &err) == TUSK_OK, "%s", said(&err));
    ck_assert(tusk_str_is(value.as.bytes, "a \"b\""));
    ck_assert_int_eq(tusk_record_named(&item, "tags", &value, &err), TUSK_OK);
    ck_assert_int_eq(tusk_value_to_array(&value, &tags, &err), TUSK_OK);
    ck_assert(tags.n == 3 && tags.n_nulls == 1);
    ck_assert_int_eq(tusk_record_named(&item, "best", &value, &err), TUSK_OK);
    ck_assert_int_eq(tusk_value_to_record(&value, &best, &err), TUSK_OK);
    ck_assert_int_eq(tusk_record_named(&best, "m", &value, &err), TUSK_AGAIN);
    best.query = item.query;
    ck_assert_int_eq(tusk_record_named(&best, "m", &value, &err), TUSK_OK);
    ck_assert(value.kind == TUSK_KIND_TEXT && tusk_str_is(value.as.bytes, "so so"));
    ck_assert_int_eq(tusk_record_named(&item, "gone", &value, &err), TUSK_ERR_USAGE);
    ck_assert_str_eq(err.message, "type \"item\" has no field \"gone\"");
    ck_assert(tusk_next_row(q, &row));
    item = tusk_get_record(&row, 0);
    ck_assert_int_eq(tusk_record_named(&item, "name", &value, &err), TUSK_OK);
    ck_assert(value.kind == TUSK_KIND_NULL && value.type == TUSK_OID_TEXT);
    ck_assert_ptr_null(tusk_get_record(&row, 1).wire);
    ck_assert_int_eq(tusk_query_value_error(q)->code, TUSK_OK);
    tusk_query_free(q);
}
END_TEST

/* The catalogue is asked once: a type that was altered is told apart by its number of fields. */
START_TEST(altered_type_is_noticed_by_name)
{
    tusk_query *q = ask("select row(1, 'sad', 2, null)::pair");
    tusk_row row = row_of(q);
    tusk_record_view pair = tusk_get_record(&row, 0);
    tusk_value value;
    tusk_error err;

    ck_assert_int_eq(tusk_record_named(&pair, "a", &value, &err), TUSK_OK);
    tusk_query_free(q);
    run("alter type pair add attribute z text cascade");
    q = ask("select row(1, 'sad', 2, null, 'z')::pair");
    row = row_of(q);
    pair = tusk_get_record(&row, 0);
    ck_assert_uint_eq(pair.n, 5);
    ck_assert_int_eq(tusk_record_named(&pair, "z", &value, &err), TUSK_ERR_STATE);
    ck_assert_str_eq(err.message, "type \"pair\" had 4 fields when it was looked up, and this record has 5");
    ck_assert_ptr_nonnull(strstr(err.hint, "tusk_types_forget()"));
    ck_assert_int_eq(tusk_record_at(&pair, 4, &value, &err), TUSK_OK);
    ck_assert(tusk_str_is(value.as.bytes, "z"));
    tusk_query_free(q);
    tusk_types_forget(db);
    q = ask("select row(2, 'sad', 2, null, 'zz')::pair");
    row = row_of(q);
    pair = tusk_get_record(&row, 0);
    ck_assert_int_eq(tusk_record_named(&pair, "z", &value, &err), TUSK_OK);
    ck_assert(tusk_str_is(value.as.bytes, "zz"));
    tusk_query_free(q);
}
END_TEST

/* Also of the fields whose types are as before: each is another one now. */
START_TEST(altered_type_of_as_many_fields_is_noticed_by_name)
{
    const char *sql = "select t from trios", *names[] = {"a", "b", "c"};
    tusk_record_view trio;
    tusk_value value = {0};
    tusk_query *q;
    tusk_error err;
    tusk_row row;

    run_script("create type trio as (a int4, b int4, c text); create table trios (t trio); "
               "insert into trios values (row(1, 2, 'three'))");
    for (int i = 0; i < 3; i++) {
        q = ask(sql);
        row = row_of(q);
        trio = tusk_get_record(&row, 0);
        ck_assert_int_eq(tusk_record_named(&trio, "b", &value, &err), TUSK_OK);
        ck_assert_int_eq(value.as.integer, 2);
        tusk_query_free(q);
    }
    run_script("alter type trio drop attribute a; alter type trio add attribute d text");
    for (int i = 0; i < 3; i++) {
        q = ask(sql);
        row = row_of(q);
        trio = tusk_get_record(&row, 0);
        ck_assert_uint_eq(trio.n, 3);
        for (int k = 0; k < N_OF(names); k++) {
            ck_assert_int_eq(tusk_record_named(&trio, names[k], &value, &err), TUSK_ERR_STATE);
            ck_assert_str_eq(
                err.message,
                "type \"trio\": field 2, \"b\", was int4 when it was looked up, and in this record it is text");
            ck_assert_ptr_nonnull(strstr(err.hint, "tusk_types_forget()"));
        }
        ck_assert_int_eq(tusk_record_at(&trio, 0, &value, &err), TUSK_OK);
        ck_assert_int_eq(value.as.integer, 2);
        tusk_query_free(q);
    }
    tusk_types_forget(db);
    q = ask(sql);
    row = row_of(q);
    trio = tusk_get_record(&row, 0);
    ck_assert_int_eq(tusk_record_named(&trio, "b", &value, &err), TUSK_OK);
    ck_assert_int_eq(value.as.integer, 2);
    ck_assert_int_eq(tusk_record_named(&trio, "d", &value, &err), TUSK_OK);
    ck_assert_int_eq(value.kind, TUSK_KIND_NULL);
    ck_assert_int_eq(tusk_record_named(&trio, "a", &value, &err), TUSK_ERR_USAGE);
    tusk_query_free(q);
}
END_TEST

START_TEST(arrays_of_composites_are_walked_over)
{
    tusk_query *q = ask("select array_agg(row(i, 'happy', i, '{sad}')::pair) from generate_series(1, 100) i");
    tusk_row row = row_of(q);
    tusk_array_view array = tusk_get_array(&row, 0), moods;
    tusk_array_iter it = tusk_array_begin(&array);
    tusk_record_view pair;
    tusk_value value, field;
    tusk_str text;
    int n = 0;

    for (; tusk_array_next(&it, &value, NULL) == TUSK_OK; n++) {
        ck_assert_int_eq(value.kind, TUSK_KIND_WIRE);
        ck_assert_int_eq(tusk_value_to_record(&value, &pair, NULL), TUSK_OK);
        pair.query = array.query;
        ck_assert_int_eq(tusk_record_named(&pair, "p", &field, NULL), TUSK_OK);
        ck_assert(field.type == TUSK_OID_INT4 && field.as.integer == n + 1);
        ck_assert_int_eq(tusk_record_named(&pair, "l", &field, NULL), TUSK_OK);
        ck_assert_int_eq(tusk_value_to_array(&field, &moods, NULL), TUSK_OK);
        moods.query = array.query;
        ck_assert_int_eq(tusk_array_to_text(&moods, &text, 1, NULL, NULL), TUSK_OK);
        ck_assert(tusk_str_is(text, "sad"));
    }
    ck_assert_int_eq(n, 100);
    tusk_query_free(q);
}
END_TEST

START_TEST(ranges_of_own_subtypes_have_bounds)
{
    tusk_query *q = ask("select '[2,9)'::posrange, '[sad,happy]'::moodrange, '{[1,2),[5,)}'::posmultirange");
    tusk_row row = row_of(q);
    tusk_range_parts range = tusk_get_range(&row, 0);
    tusk_multirange_view many = tusk_get_multirange(&row, 2);
    tusk_multirange_iter it = tusk_multirange_begin(&many);

    ck_assert(range.lower.type == TUSK_OID_INT4 && range.lower.as.integer == 2 && range.upper.as.integer == 9);
    range = tusk_get_range(&row, 1);
    ck_assert(tusk_str_is(range.lower.as.bytes, "sad") && tusk_str_is(range.upper.as.bytes, "happy"));
    ck_assert(range.lower.kind == TUSK_KIND_TEXT && range.upper_inclusive);
    ck_assert_int_eq(tusk_multirange_next(&it, &range, NULL), TUSK_OK);
    ck_assert_int_eq(tusk_multirange_next(&it, &range, NULL), TUSK_OK);
    ck_assert(range.lower.as.integer == 5 && range.upper.kind == TUSK_KIND_NULL);
    ck_assert_int_eq(tusk_query_value_error(q)->code, TUSK_OK);
    tusk_query_free(q);
}
END_TEST

/* The widest that a table can be, through generated columns of a type. */
START_TEST(widest_row_is_read_whole)
{
    tusk_query *q;
    tusk_row row;
    tusk_record_view wide;
    tusk_value value;
    tusk_error err = {0};

    run("do $$ begin execute (select format('create table wide (%s)', string_agg(format('c%s int4', i), ', ')) "
        "from generate_series(1, 1600) i); end $$");
    run("insert into wide (c1, c1600) values (1, 1600)");
    q = ask("select w, w::text from wide w");
    row = row_of(q);
    wide = tusk_get_record(&row, 0);
    ck_assert_uint_eq(wide.n, 1600);
    ck_assert_msg(tusk_record_named(&wide, "c1600", &value, &err) == TUSK_OK, "%s", said(&err));
    ck_assert_int_eq(value.as.integer, 1600);
    ck_assert(tusk_str_is(tusk_get_text(&row, 1), printed(&row, 0)));
    tusk_query_free(q);
}
END_TEST

/* A field's type that no description named is not known: its bytes are there, and nothing is printed without it. */
START_TEST(unknown_types_in_rows_without_a_name_are_raw)
{
    tusk_query *q = ask("select row('happy'::mood, 1)");
    tusk_row row = row_of(q);
    tusk_record_view record = tusk_get_record(&row, 0);
    tusk_value value;
    tusk_error err = {0};
    char text[64];
    size_t len;

    ck_assert_int_eq(tusk_record_at(&record, 0, &value, &err), TUSK_OK);
    ck_assert(value.kind == TUSK_KIND_RAW && tusk_str_is(value.as.bytes, "happy"));
    ck_assert_int_eq(tusk_format_value(&row, 0, text, sizeof text, &len, &err), TUSK_ERR_TYPE);
    ck_assert_ptr_nonnull(strstr(err.message, "column 0 \"row\": it holds a value of type"));
    ck_assert_int_eq(tusk_record_named(&record, "f1", &value, &err), TUSK_ERR_TYPE);
    tusk_query_free(q);
    q = ask("select 'sad'::mood");
    ck_ok(q);
    tusk_query_free(q);
    q = ask("select row('happy'::mood, 1)");
    row = row_of(q);
    ck_assert_str_eq(printed(&row, 0), "(happy,1)");
    tusk_query_free(q);
}
END_TEST

START_TEST(what_is_no_record_is_said)
{
    tusk_query *q = ask("select 1 as n, row(1) as r");
    tusk_row row = row_of(q);
    tusk_record_view view;
    tusk_error err;

    ck_assert_int_eq(tusk_read_record(&row, 0, &view, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, "column 0 \"n\" is int4, not a record");
    tusk_query_free(q);
    q = tusk_script(db, "select row(1) as r");
    row = row_of(q);
    ck_assert_int_eq(tusk_read_record(&row, 0, &view, &err), TUSK_ERR_TYPE);
    ck_assert_ptr_null(tusk_get_record(&row, 0).wire);
    ck_assert_int_eq(tusk_query_value_error(q)->code, TUSK_ERR_TYPE);
    tusk_query_free(q);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("records, live");
    TCase *tc = tcase_create("records");

    tcase_add_checked_fixture(tc, up, down);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, the_server_agrees_on_each_record, 0, N_OF(record_cases));
    tcase_add_loop_test(tc, own_containers_are_printed_and_go_back_as_they_came, 0, N_OF(own));
    tcase_add_loop_test(tc, own_containers_in_records_are_printed_as_the_server_does, 0, N_OF(own));
    tcase_add_test(tc, own_types_are_read_from_text_by_what_is_known);
    tcase_add_test(tc, table_rows_are_read_by_name_and_position);
    tcase_add_test(tc, altered_type_is_noticed_by_name);
    tcase_add_test(tc, altered_type_of_as_many_fields_is_noticed_by_name);
    tcase_add_test(tc, arrays_of_composites_are_walked_over);
    tcase_add_test(tc, ranges_of_own_subtypes_have_bounds);
    tcase_add_test(tc, widest_row_is_read_whole);
    tcase_add_test(tc, unknown_types_in_rows_without_a_name_are_raw);
    tcase_add_test(tc, what_is_no_record_is_said);
    suite_add_tcase(suite, tc);
    return suite;
}
