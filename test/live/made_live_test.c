/* Containers of the database's own types as parameters, against the real server: what is made is read as it was meant, in text when a statement is
 * run for the first time, in binary once it is prepared; by stacks and loads, too.
 * Read first: tusk/record.h, docs/types.md. */
#include "test/live/live.h"

#define SCHEMA                                                                                                         \
    "drop schema if exists made cascade; create schema made; set search_path = made, public; "                         \
    "create type mood as enum ('sad', 'so so', 'happy', 'q\"\\,{}()', 'null'); "                                       \
    "create domain pos as int4 check (value > 0); create domain cheer as mood; "                                       \
    "create type pair as (a int4, m mood, p pos, l mood[]); create domain goodpair as pair; "                          \
    "create type pairpair as (x pair, y pair[], c cheer); create type nothing as (); "                                 \
    "create type posrange as range (subtype = pos, multirange_type_name = posmultirange); "                            \
    "create type moodrange as range (subtype = mood); create type pairrange as range (subtype = pair); "               \
    "create type reals as (d float8, f float4, ds float8[], fs float4[]); "                                            \
    "create type realrange as range (subtype = float8); create domain single as float4; "                              \
    "create type shrunk as (a int4, gone text, b text); alter type shrunk drop attribute gone; "

static void up(void)
{
    live_up();
    run_script(SCHEMA);
}

static void down(void)
{
    if (db)
        run_script("drop schema if exists made cascade");
    live_down();
}

static const char *text_of(const tusk_query *q)
{
    static char text[4096];
    tusk_row row;

    ck_assert(tusk_next_row((tusk_query *)(uintptr_t)q, &row));
    snprintf(text, sizeof text, TUSK_STR_FMT, TUSK_STR_ARG(tusk_get_text(&row, 0)));
    return text;
}

/* The first run by itself, then by a handle: the second run of that knows. What the server reads is what was meant. */
static void ck_made(const char *type, tusk_value value, const char *want)
{
    const char *sql = textf("select $1::%s::text", type);
    tusk_stmt *stmt;

    for (int i = 0; i < 3; i++) {
        tusk_query *q = tusk_exec(db, sql, TUSK_PARAMS(value));

        ck_ok(q);
        ck_assert_str_eq(text_of(q), want);
        tusk_query_free(q);
    }
    stmt = tusk_prepare(db, sql, NULL, 0);
    for (int i = 0; i < 2; i++) {
        tusk_query *q = tusk_stmt_exec(stmt, TUSK_PARAMS(value));

        ck_ok(q);
        ck_assert_str_eq(text_of(q), want);
        tusk_query_free(q);
    }
    tusk_stmt_free(stmt);
}

/* ---- both formats ----------------------------------------------------------------------------------------------------------------------- */

START_TEST(records_are_read_as_they_were_made)
{
    const tusk_value moods[] = {tusk_text("so so"), tusk_null(), tusk_text("q\"\\,{}()"), tusk_text("null")};
    const tusk_array_parts list = {.values = moods, .n = 4};
    const tusk_value full = tusk_record_of(
                         0, TUSK_RECORD(tusk_int8(-1), tusk_text("q\"\\,{}()"), tusk_int2(5), tusk_array_of(0, &list))),
                     bare = tusk_record_of(0, TUSK_RECORD(tusk_null(), tusk_null(), tusk_null(),
                                                          tusk_array_of(0, &(tusk_array_parts){0})));
    const char *as_text =
        "(-1,\"q\"\"\\\\,{}()\",5,\"{\"\"so so\"\",NULL,\"\"q\\\\\"\"\\\\\\\\,{}()\"\",\"\"null\"\"}\")";

    ck_made("pair", full, as_text);
    ck_made("goodpair", full, as_text);
    ck_made("pair", bare, "(,,,{})");
    ck_made("pair", tusk_null(), "");
    ck_made("nothing", tusk_record_of(0, &(tusk_record_parts){0}), "()");
    ck_made("shrunk", tusk_record_of(0, TUSK_RECORD(tusk_int4(1), tusk_text("b c"))), "(1,\"b c\")");
    ck_made("pair[]", tusk_array_of(0, TUSK_ARRAY(bare, tusk_null(), bare)), "{\"(,,,{})\",NULL,\"(,,,{})\"}");
    ck_made(
        "pairpair",
        tusk_record_of(
            0, TUSK_RECORD(tusk_record_of(0, TUSK_RECORD(tusk_int4(1), tusk_text("so so"), tusk_null(), tusk_null())),
                           tusk_array_of(0, TUSK_ARRAY(tusk_record_of(0, TUSK_RECORD(tusk_int4(2), tusk_text("sad"),
                                                                                     tusk_int4(3), tusk_null())))),
                           tusk_text("happy"))),
        "(\"(1,\"\"so so\"\",,)\",\"{\"\"(2,sad,3,)\"\"}\",happy)");
    /* what fits the field by its text alone */
    ck_made(
        "pair",
        tusk_record_of(0, TUSK_RECORD(tusk_text("12"), tusk_unknown("sad"), tusk_unknown("3"), tusk_unknown("{sad}"))),
        "(12,sad,3,{sad})");
}
END_TEST

/* A float4 in the place of a float8 is that very number, whether as text or in binary; in that of a float4 it has as few digits. */
START_TEST(float4_becomes_the_same_float8_in_both_formats)
{
    static const float tenth[] = {0.1f};
    const tusk_value f = tusk_float4(0.1f), c = tusk_array_of_float4(tenth, 1),
                     typed = tusk_array_of(TUSK_OID_FLOAT4_ARRAY, TUSK_ARRAY(f)),
                     untyped = tusk_array_of(0, TUSK_ARRAY(f));
    const tusk_range_parts range = {.lower = f};

    ck_made("reals", tusk_record_of(0, TUSK_RECORD(f, f, untyped, untyped)),
            "(0.10000000149011612,0.1,{0.10000000149011612},{0.1})");
    ck_made("reals", tusk_record_of(0, TUSK_RECORD(f, f, typed, typed)),
            "(0.10000000149011612,0.1,{0.10000000149011612},{0.1})");
    ck_made("reals", tusk_record_of(0, TUSK_RECORD(f, tusk_unknown("5"), typed, untyped)),
            "(0.10000000149011612,5,{0.10000000149011612},{0.1})");
    ck_made("reals", tusk_record_of(0, TUSK_RECORD(tusk_null(), tusk_null(), c, c)), "(,,{0.1},{0.1})");
    /* and what loses something on its way is the server's to judge, as text */
    ck_made("reals", tusk_record_of(0, TUSK_RECORD(tusk_null(), tusk_float8(0.1), tusk_null(), tusk_null())),
            "(,0.1,,)");
    ck_made("oid[]", tusk_array_of(0, TUSK_ARRAY(tusk_int4(-5))), "{4294967291}");
    ck_made("float8[]", untyped, "{0.10000000149011612}");
    ck_made("single[]", untyped, "{0.1}");
    ck_made("realrange", tusk_range_as(0, &range), "[0.10000000149011612,)");
}
END_TEST

START_TEST(arrays_and_ranges_are_read_as_they_were_made)
{
    const tusk_value four[] = {tusk_text("sad"), tusk_text("so so"), tusk_null(), tusk_text("null")};
    const int32_t dims[] = {2, 2}, lower[] = {0, 1};
    const tusk_range_parts numbers = {.lower = tusk_int4(1),
                                      .upper = tusk_int8(5),
                                      .lower_exclusive = true,
                                      .upper_inclusive = true},
                           none = {.is_empty = true}, all = {.upper_inclusive = true},
                           moods = {.lower = tusk_text("so so"), .upper = tusk_text("q\"\\,{}()")},
                           pairs = {.lower = tusk_record_of(
                                        0, TUSK_RECORD(tusk_int4(1), tusk_text("so so"), tusk_null(), tusk_null()))};
    const tusk_range_parts ranges[] = {{.lower = tusk_int4(7)}, numbers};

    ck_made("mood[]",
            tusk_array_of(0, &(tusk_array_parts){.values = four, .n = 4, .ndim = 2, .dims = dims, .lower = lower}),
            "[0:1][1:2]={{sad,\"so so\"},{NULL,\"null\"}}");
    ck_made("cheer[]", tusk_array_of(0, TUSK_ARRAY(tusk_text("sad"))), "{sad}");
    ck_made("pos[]", tusk_array_of(0, TUSK_ARRAY(tusk_int4(1), tusk_null())), "{1,NULL}");
    ck_made("mood[]", tusk_array_of(0, &(tusk_array_parts){0}), "{}");
    ck_made("posrange", tusk_range_as(0, &numbers), "(1,5]");
    ck_made("posrange", tusk_range_as(0, &none), "empty");
    ck_made("posrange", tusk_range(&none), "empty"); /* a type is inferred, if there is anything of a range */
    ck_made("posrange", tusk_range(&numbers), "(1,5]");
    ck_made("int4range", tusk_range(&(tusk_range_parts){.upper = tusk_int4(5)}), "(,5)");
    ck_made("posrange", tusk_range(&all), "(,)");
    ck_made("posrange", tusk_range(&(tusk_range_parts){0}), "");
    ck_made("posmultirange", tusk_multirange_of(&(tusk_multirange_parts){.ranges = ranges, .n = 1}), "{[7,)}");
    ck_made("posmultirange", tusk_multirange_of(&(tusk_multirange_parts){0}), "");
    ck_made("posrange", tusk_range_as(0, &all), "(,)");
    ck_made("moodrange", tusk_range_as(0, &moods), "[\"so so\",\"q\"\"\\\\,{}()\")");
    ck_made("pairrange", tusk_range_as(0, &pairs), "[\"(1,\"\"so so\"\",,)\",)");
    ck_made("posrange[]", tusk_array_of(0, TUSK_ARRAY(tusk_range_as(0, &numbers), tusk_null())), "{\"(1,5]\",NULL}");
    ck_made("posmultirange", tusk_multirange_as(0, &(tusk_multirange_parts){.ranges = ranges, .n = 2}), "{(1,5],[7,)}");
    ck_made("posmultirange", tusk_multirange_as(0, &(tusk_multirange_parts){.n = 0}), "{}");
    ck_made("int4[]", tusk_array_of(0, TUSK_ARRAY(tusk_int4(1), tusk_unknown("2"))), "{1,2}");
    ck_made("text", tusk_array_of(0, TUSK_ARRAY(tusk_int4(1), tusk_text("a b"))), "{1,\"a b\"}");
    ck_made("varchar", tusk_record_of(0, TUSK_RECORD(tusk_int4(1), tusk_null())), "(1,)");
}
END_TEST

START_TEST(extensions_are_read_inside_of_what_is_made)
{
    tusk_hstore_pair pair = {tusk_str_of("k\"\\"), tusk_str_of("a b")};
    unsigned char buf[32];
    tusk_hstore_view h;

    if (number("select count(*) from pg_available_extensions where name in ('hstore', 'citext', 'ltree')") < 3) {
        harness_skip("containers of extensions' types", "the server has no hstore, citext, ltree");
        return;
    }
    run_script(
        "create extension hstore schema made; create extension citext schema made; create extension ltree schema made");
    run("create type mixed as (h hstore, c citext, t ltree, q lquery)");
    ck_assert_int_eq(tusk_hstore_from_pairs(&pair, 1, buf, sizeof buf, &h, NULL), TUSK_OK);
    ck_made("hstore[]", tusk_array_of(0, TUSK_ARRAY(tusk_hstore(h), tusk_null())),
            "{\"\\\"k\\\\\\\"\\\\\\\\\\\"=>\\\"a b\\\"\",NULL}");
    ck_made("citext[]", tusk_array_of(0, TUSK_ARRAY(tusk_text("a B"))), "{\"a B\"}");
    ck_made("mixed",
            tusk_record_of(0, TUSK_RECORD(tusk_hstore(h), tusk_text("C"), tusk_text("Top.a"), tusk_text("*.a"))),
            "(\"\"\"k\\\\\"\"\\\\\\\\\"\"=>\"\"a b\"\"\",C,Top.a,*.a)");
}
END_TEST

START_TEST(geometries_go_in_arrays_of_a_prepared_statement)
{
    tusk_query *q;
    tusk_row row;
    tusk_str point;

    if (number("select count(*) from pg_available_extensions where name = 'postgis'") == 0) {
        harness_skip("arrays of geometry", "the server has no PostGIS");
        return;
    }
    run_script("create extension postgis schema made");
    q = tusk_exec(db, "select 'POINT(1 2)'::geometry", TUSK_NO_PARAMS);
    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    point = tusk_get_bytea(&row, 0);
    for (int i = 0; i < 2; i++) {
        tusk_stmt *stmt = tusk_prepare(db, textf("select st_astext(($1::geometry[])[2]) || %d", i), NULL, 0);
        tusk_value item =
            i ? tusk_unknown("POINT(1 2)") : tusk_bytea(point.ptr, point.len); /* in binary; as text, with colons */
        tusk_query *back = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_array_of(0, TUSK_ARRAY(item, item))));

        ck_ok(back);
        ck_assert_str_eq(text_of(back), textf("POINT(1 2)%d", i));
        tusk_query_free(back);
        tusk_stmt_free(stmt);
    }
    tusk_query_free(q);
}
END_TEST

/* What a statement's bytes are, the server tells no one: that it was binary is seen by what text could not do. */
START_TEST(prepared_statement_sends_binary)
{
    tusk_stmt *stmt = tusk_prepare(db, "select ($1::pair).a::text", NULL, 0);
    tusk_query *q;
    tusk_type type;
    tusk_value fields[4];
    tusk_record_field named[] = {{"p", tusk_int4(2)}, {"a", tusk_raw(TUSK_OID_INT4, "\0\0\1\0", 4)}};
    tusk_error err = {0};

    ck_ok(tusk_stmt_ready(stmt));
    q = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_null()));
    ck_ok(q);
    tusk_query_free(q);
    ck_assert_int_eq(tusk_type_of(db, tusk_stmt_param_type(stmt, 0), &type), TUSK_OK);
    ck_assert_int_eq(tusk_record_arrange(&type, named, 2, fields, 4, &err), TUSK_OK);
    q = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_record_of(type.oid, &(tusk_record_parts){fields, 4})));
    ck_ok(q);
    ck_assert_str_eq(text_of(q), "256");
    tusk_query_free(q);
    tusk_stmt_free(stmt);
}
END_TEST

START_TEST(what_came_goes_back_alone_and_inside)
{
    tusk_query *q = tusk_exec(db, "select row(1, 'so so', 2, '{sad}')::pair, row(3, 'sad', 4, null)", TUSK_NO_PARAMS),
               *back;
    tusk_stmt *stmt = tusk_prepare(db, "select $1::goodpair::text, $2::pair[]::text, $3::pair::text", NULL, 0);
    tusk_row row;
    tusk_record_view pair, unnamed;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    pair = tusk_get_record(&row, 0);
    unnamed = tusk_get_record(&row, 1);
    back = tusk_stmt_exec(
        stmt, TUSK_PARAMS(tusk_record(&pair), tusk_array_of(0, TUSK_ARRAY(tusk_record(&pair))), tusk_record(&unnamed)));
    ck_ok(back);
    ck_assert(tusk_next_row(back, &row));
    ck_assert(tusk_str_is(tusk_get_text(&row, 0), "(1,\"so so\",2,{sad})"));
    ck_assert(tusk_str_is(tusk_get_text(&row, 1), "{\"(1,\\\"so so\\\",2,{sad})\"}"));
    ck_assert(tusk_str_is(tusk_get_text(&row, 2), "(3,sad,4,)"));
    tusk_query_free(back);
    tusk_stmt_free(stmt);
    tusk_query_free(q);
}
END_TEST

/* ---- refusals --------------------------------------------------------------------------------------------------------------------------- */

static void ck_fails(tusk_query *q, tusk_code code, const char *sqlstate, const char *message, const char *where)
{
    const tusk_error *err;

    ck_assert_int_eq(tusk_await(q), code);
    err = tusk_query_error(q);
    ck_assert_str_eq(err->sqlstate, sqlstate);
    ck_assert_msg(strstr(err->message, message) && strstr(err->where, where), "%s: %s", err->where, err->message);
    tusk_query_free(q);
    ck_assert_int_eq(number("select 1"), 1);
}

START_TEST(wrong_number_of_fields_is_told)
{
    const char *sql = "select $1::pair::text";
    tusk_value few = tusk_record_of(0, TUSK_RECORD(tusk_int4(1))),
               many = tusk_record_of(0, TUSK_RECORD(tusk_null(), tusk_null(), tusk_null(), tusk_null(), tusk_null()));
    tusk_stmt *stmt = tusk_prepare(db, sql, NULL, 0);

    ck_fails(tusk_exec(db, sql, TUSK_PARAMS(few)), TUSK_ERR_SERVER, "22P02", "malformed record literal", "");
    /* the first has told what it wants, and stays prepared */
    ck_fails(tusk_exec(db, sql, TUSK_PARAMS(many)), TUSK_ERR_SERVER, "22P02", "malformed record literal", "");
    ck_ok(tusk_stmt_ready(stmt));
    ck_fails(tusk_stmt_exec(stmt, TUSK_PARAMS(few)), TUSK_ERR_SERVER, "22P02", "malformed record literal: \"(1)\"", "");
    ck_fails(tusk_stmt_exec(stmt, TUSK_PARAMS(many)), TUSK_ERR_SERVER, "22P02", "malformed record literal: \"(,,,,)\"",
             "");
    ck_fails(tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_record_of(
                                      0, TUSK_RECORD(tusk_int8(INT64_MAX), tusk_null(), tusk_null(), tusk_null())))),
             TUSK_ERR_SERVER, "22003", "value \"9223372036854775807\" is out of range for type integer", "");
    ck_fails(tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_record_of(
                                      0, TUSK_RECORD(tusk_null(), tusk_text("glad"), tusk_null(), tusk_null())))),
             TUSK_ERR_SERVER, "22P02", "invalid input value for enum mood: \"glad\"", "");
    ck_fails(tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_record_of(
                                      0, TUSK_RECORD(tusk_null(), tusk_null(), tusk_int4(-1), tusk_null())))),
             TUSK_ERR_SERVER, "23514", "value for domain pos violates check constraint", "");
    tusk_stmt_free(stmt);
}
END_TEST

/* Dropped and made anew, with another number of attributes, behind the back of a statement that is prepared: that is noticed by the server
 * alone. */
START_TEST(type_made_anew_by_somebody_else_is_taken)
{
    tusk_value values[] = {tusk_int4(1), tusk_text("x"), tusk_bool(true)};
    tusk_conn *other = connect_plain();

    run("create type anew as (a int4, b text)");
    for (int i = 0; i < 5; i++) {
        tusk_record_parts parts = {values, i < 2 ? 2 : 3};
        tusk_query *q = tusk_exec(db, "select $1::anew::text", TUSK_PARAMS(tusk_record_of(0, &parts)));

        ck_ok(q);
        ck_assert_str_eq(text_of(q), i < 2 ? "(1,x)" : "(1,x,t)");
        tusk_query_free(q);
        if (i == 1)
            ck_assert_int_eq(
                tusk_await_free(tusk_script(other, "drop type made.anew; create type made.anew as (a int4, "
                                                   "b text, c bool)"),
                                NULL),
                TUSK_OK);
    }
    disconnect(other);
}
END_TEST

static bool is_known(const char *type)
{
    tusk_type found;

    return tusk_type_of(db, (uint32_t)number(textf("select 'made.%s'::regtype::oid::int8", type)), &found) == TUSK_OK;
}

/* After an ALTER TYPE, what was known is wrong until it is forgotten: in text the server takes it all the same. Then it is asked again by the
 * handle's next run. */
START_TEST(altered_type_is_looked_up_again)
{
    tusk_stmt *stmt = tusk_prepare(db, "select $1::shrunk::text", NULL, 0);
    tusk_value three = tusk_record_of(0, TUSK_RECORD(tusk_int4(1), tusk_text("x"), tusk_int4(3)));
    tusk_query *q;

    ck_fails(tusk_stmt_exec(stmt, TUSK_PARAMS(three)), TUSK_ERR_SERVER, "22P02", "malformed record literal", "");
    run("alter type shrunk add attribute c int4");
    for (int i = 0; i < 5; i++) {
        if (i == 2)
            tusk_types_forget(db);
        q = tusk_stmt_exec(stmt, TUSK_PARAMS(three));
        ck_ok(q);
        ck_assert_str_eq(text_of(q), "(1,x,3)");
        tusk_query_free(q);
    }
    ck_assert(is_known("shrunk"));
    tusk_stmt_free(stmt);
}
END_TEST

START_TEST(widest_record_is_taken)
{
    static tusk_value values[1600];
    tusk_record_parts parts = {values, 1600};
    tusk_stmt *stmt;

    run("do $$ begin execute (select format('create table wide (%s)', string_agg(format('c%s int4', i), ', ')) "
        "from generate_series(1, 1600) i); end $$");
    values[0] = tusk_int4(1);
    values[1599] = tusk_int4(1600);
    stmt = tusk_prepare(db, "select (($1::wide).c1600 + ($1::wide).c1)::text", NULL, 0);
    for (int i = 0; i < 2; i++) {
        tusk_query *q =
            i ? tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_record_of(0, &parts)))
              : tusk_exec(db, "select (($1::wide).c1600 + 1)::text", TUSK_PARAMS(tusk_record_of(0, &parts)));

        ck_ok(q);
        ck_assert_str_eq(text_of(q), "1601");
        tusk_query_free(q);
    }
    tusk_stmt_free(stmt);
}
END_TEST

/* ---- held, stacks, loads ---------------------------------------------------------------------------------------------------------------- */

/* Nobody asks for rows here: nothing but the parameters tells of the types. */
START_TEST(stack_looks_its_parameters_up)
{
    tusk_value pair = tusk_record_of(0, TUSK_RECORD(tusk_int4(1), tusk_text("sad"), tusk_int4(2), tusk_null()));

    run("create table kept (p pair, l mood[])");
    for (int i = 0; i < 3; i++) {
        tusk_stack *s = tusk_stack_new(db);

        ck_assert_int_eq(tusk_stack_push(s, "insert into kept values ($1, $2)",
                                         TUSK_PARAMS(pair, tusk_array_of(0, TUSK_ARRAY(tusk_text("so so"))))),
                         TUSK_OK);
        ck_assert_int_eq(tusk_await_free(tusk_stack_run(s, TUSK_STACK_ATOMIC), NULL), TUSK_OK);
        tusk_stack_free(s);
        ck_assert_msg(is_known("pair") && is_known("mood"), "after run %d", i);
    }
    ck_assert_int_eq(number("select count(*) from kept where p::text = '(1,sad,2,)' and l = '{so so}'"), 3);
}
END_TEST

static tusk_code pull_pairs(tusk_query *load, int64_t item, tusk_error *err, void *user)
{
    (void)err;
    (void)user;
    if (item >= 100)
        return TUSK_DONE;
    return tusk_many_push(load,
                          TUSK_PARAMS(tusk_record_of(0, TUSK_RECORD(tusk_int8(item), tusk_text("so so"), tusk_null(),
                                                                    tusk_array_of(0, TUSK_ARRAY(tusk_text("sad"))))),
                                      tusk_range_as(0, &(tusk_range_parts){.lower = tusk_int8(item + 1)})));
}

START_TEST(loads_take_what_is_made)
{
    run("create table kept (p pair, r posrange)");
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(
            tusk_await_free(tusk_many_submit(db, &(tusk_many_request){.sql = "insert into kept values ($1, $2)",
                                                                      .pull = pull_pairs,
                                                                      .timeout = 20}),
                            NULL),
            TUSK_OK);
    ck_assert(is_known("pair") && is_known("posrange"));
    ck_assert_int_eq(
        number("select count(*) from kept where (p).m = 'so so' and (p).l = '{sad}' and lower(r) = (p).a + 1"), 200);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("live/made");
    TCase *tc = tcase_create("what callers make");

    tcase_add_checked_fixture(tc, up, down);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, records_are_read_as_they_were_made);
    tcase_add_test(tc, float4_becomes_the_same_float8_in_both_formats);
    tcase_add_test(tc, arrays_and_ranges_are_read_as_they_were_made);
    tcase_add_test(tc, extensions_are_read_inside_of_what_is_made);
    tcase_add_test(tc, geometries_go_in_arrays_of_a_prepared_statement);
    tcase_add_test(tc, prepared_statement_sends_binary);
    tcase_add_test(tc, what_came_goes_back_alone_and_inside);
    tcase_add_test(tc, wrong_number_of_fields_is_told);
    tcase_add_test(tc, type_made_anew_by_somebody_else_is_taken);
    tcase_add_test(tc, altered_type_is_looked_up_again);
    tcase_add_test(tc, widest_record_is_taken);
    tcase_add_test(tc, stack_looks_its_parameters_up);
    tcase_add_test(tc, loads_take_what_is_made);
    suite_add_tcase(suite, tc);
    return suite;
}
