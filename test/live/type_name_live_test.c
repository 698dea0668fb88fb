/* Names of types against the server's: with their modifiers as format_type() writes them, and in the messages of errors. */
#include "test/live/live.h"

#define SCHEMA                                                                                                         \
    "drop schema if exists \"My names\" cascade; create schema \"My names\"; set search_path = \"My names\"; "         \
    "create type mood as enum ('sad', 'ok'); create type \"user\" as (a int4); create type \"a\"\"b\" as enum ('x'); " \
    "create domain d1 as varchar(7); create type r as range (subtype = float4); create type other as enum ('y'); "     \
    "create table people (m mood, tags mood[])"

static void up(void)
{
    live_up();
    run_script(SCHEMA);
}

static void down(void)
{
    if (db)
        run_script("drop schema if exists \"My names\" cascade");
    live_down();
}

/* Column 0: an OID, 1: a modifier, 2: what the server makes of both. */
static int64_t compare(const char *sql)
{
    tusk_query *q = tusk_exec(db, sql, TUSK_NO_PARAMS);
    char text[200];
    int64_t n = 0;
    size_t len;
    tusk_row row;

    ck_ok(q);
    for (; tusk_next_row(q, &row); n++) {
        uint32_t oid = tusk_get_oid(&row, 0);
        int32_t typmod = tusk_get_int4(&row, 1);
        tusk_str want = tusk_get_text(&row, 2);

        ck_assert_msg(tusk_type_format(db, oid, typmod, text, sizeof text, &len) == TUSK_OK, "type %u", (unsigned)oid);
        ck_assert_msg(tusk_str_is(want, text), "%u, %d: %s, not " TUSK_STR_FMT, (unsigned)oid, (int)typmod, text,
                      TUSK_STR_ARG(want));
        ck_assert_uint_eq(len, want.len);
    }
    ck_assert_str_eq(tusk_query_value_error(q)->message, "");
    tusk_query_free(q);
    return n;
}

/* Modifiers that mean something to one type or other, numeric's (2,-3) and (1000,1000) among them. json is a word of its own from 16 on. */
START_TEST(every_built_in_type_is_named_as_by_the_server)
{
    int64_t n = compare("select t.oid, m, format_type(t.oid, m) from pg_type t, "
                        "unnest('{-1,0,1,3,4,5,6,24,104,655366,133121,65537004,2147483647}'::int4[]) m "
                        "where t.oid < 10000 and t.typname not in ('interval', '_interval') "
                        "and (m < 0 or t.typname not in ('json', '_json'))");

    ck_assert_int_gt(n, 2500);
}
END_TEST

/* All that the server knows: others are errors there. */
START_TEST(every_interval_is_named_as_by_the_server)
{
    int64_t n = compare("select t, m, format_type(t, m) from unnest('{interval,interval[]}'::regtype[]::oid[]) t, "
                        "unnest('{4,2,8,1024,2048,4096,6,1032,3080,7176,3072,7168,6144,32767}'::int4[]) f, "
                        "unnest('{0,3,6,65535}'::int4[]) p, lateral (select f << 16 | p) x(m)");

    ck_assert_int_eq(n, 2 * 14 * 4);
    ck_assert_int_eq(compare("select oid, -1, format_type(oid, -1) from pg_type where typname ~ '^_?interval$'"), 2);
}
END_TEST

/* Words that the parser takes for something else need quotes; the types are not known before they are met. */
START_TEST(types_of_the_database_are_named_with_their_schema)
{
    char text[8];
    size_t len = 0;

    ck_assert_int_eq(
        tusk_type_format(db, (uint32_t)number("select 'mood'::regtype::oid::int8"), -1, text, sizeof text, &len),
        TUSK_AGAIN);
    run("select null::mood[], null::\"user\"[], null::\"a\"\"b\", null::r, null::information_schema.sql_identifier[], "
        "null::people");
    run_script("set search_path = ''");
    ck_assert_int_eq(
        compare("select oid, m, format_type(oid, m) from pg_type, unnest('{-1,3}'::int4[]) m where typname in ("
                "'mood', '_mood', 'user', '_user', 'a\"b', 'r', '_sql_identifier', 'people')"),
        2 * 8);
    ck_assert_int_eq(tusk_type_format(NULL, TUSK_OID_NUMERIC, 655366, text, sizeof text, &len), TUSK_OK);
    ck_assert_str_eq(text, "numeric");
    ck_assert_uint_eq(len, strlen("numeric(10,2)"));
}
END_TEST

/* One word for each that the parser has, of this server. */
START_TEST(quotes_are_the_server_s)
{
    run_script("do $$ declare w text; begin for w in select word from pg_get_keywords() where word <> 'user' union "
               "select 'Upper' union "
               "select '1a' "
               "union select 'a$' union select '_a1' union select 'année' loop "
               "execute format('create type %I as enum ()', w); execute format('alter table people add %1$I \"My "
               "names\".%1$I', w); "
               "end loop; end $$");
    for (int i = 0; i < 16; i++) /* 64 types a question */
        run(textf("select * from people limit %d", i));
    run_script("set search_path = ''");
    ck_assert_int_gt(
        compare("select t.oid, -1, format_type(t.oid, -1) from pg_type t join pg_namespace n on n.oid = typnamespace "
                "where nspname = 'My names' and typtype = 'e' and typname not in ('other', 'a\"b')"),
        400);
}
END_TEST

/* ---- in messages --------------------------------------------------------------------------------------------------------------------- */

START_TEST(getters_name_the_column_s_type)
{
    tusk_query *q = tusk_exec(db, "select 'ok'::mood m, array['ok'::mood] n", TUSK_NO_PARAMS);
    tusk_error err = {0};
    tusk_row row;
    int32_t n;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_int_eq(tusk_read_int4(&row, 0, &n, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, "column 0 \"m\" is \"My names\".mood, not int4");
    ck_assert_int_eq(tusk_read_text(&row, 1, &(tusk_str){0}, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, "column 1 \"n\" is \"My names\".mood[], not text");
    ck_assert_int_eq(tusk_read_record(&row, 0, &(tusk_record_view){0}, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, "column 0 \"m\" is \"My names\".mood, not a record");
    ck_assert_int_eq(tusk_get_bool(&row, 0), false);
    ck_assert_str_eq(tusk_query_value_error(q)->message, "column 0 \"m\" is \"My names\".mood, not bool");
    tusk_query_free(q);
}
END_TEST

START_TEST(array_of_the_database_names_its_elements)
{
    tusk_query *q = tusk_exec(db, "select array['ok'::mood]", TUSK_NO_PARAMS);
    tusk_array_view array;
    tusk_error err = {0};
    tusk_row row;
    int32_t n;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    array = tusk_get_array(&row, 0);
    ck_assert_int_eq(tusk_array_to_int4(&array, &n, 1, NULL, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, "the array is of \"My names\".mood, not int4");
    tusk_query_free(q);
}
END_TEST

static void refuse(const char *sql, tusk_value value, const char *message, const char *where)
{
    tusk_query *q;
    tusk_stmt *stmt = tusk_prepare(db, sql, NULL, 0);

    ck_ok(tusk_stmt_ready(stmt));
    tusk_query_free(tusk_exec(db, "select 1", TUSK_NO_PARAMS)); /* behind it the types are known */
    q = tusk_stmt_exec(stmt, TUSK_PARAMS(value));
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_TYPE);
    ck_assert_str_eq(tusk_query_error(q)->message, message);
    ck_assert_str_eq(tusk_query_error(q)->where, where);
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    tusk_query_free(q);
    tusk_stmt_free(stmt);
}

START_TEST(parameters_name_what_is_wanted_and_what_is_given)
{
    uint32_t mood = (uint32_t)number("select 'mood'::regtype::oid::int8"), other;
    int32_t numbers[] = {1};

    other = (uint32_t)number("select 'other'::regtype::oid::int8");
    run("select null::mood, null::other");
    refuse("select $1::mood", tusk_text_of(other, "y"),
           "the statement wants \"My names\".mood here, not \"My names\".other", "bind $1 (\"My names\".mood)");
    refuse("select $1::d1", tusk_array_of_int4(numbers, 1), "the statement wants \"My names\".d1 here, not _int4",
           "bind $1 (\"My names\".d1)");
    refuse("select $1::mood", tusk_raw(other, "y", 1),
           "the statement wants \"My names\".mood here, not \"My names\".other", "bind $1 (\"My names\".mood)");
    refuse("select $1::int4", tusk_text_of(mood, "ok"), "the statement wants int4 here, not \"My names\".mood",
           "bind $1 (int4)");
    refuse("select $1::d1", tusk_raw(mood, "ok", 2), "the statement wants \"My names\".d1 here, not \"My names\".mood",
           "bind $1 (\"My names\".d1)");
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("live/type_name");
    TCase *tcase = tcase_create("names of types");

    tcase_add_checked_fixture(tcase, up, down);
    tcase_add_test(tcase, every_built_in_type_is_named_as_by_the_server);
    tcase_add_test(tcase, every_interval_is_named_as_by_the_server);
    tcase_add_test(tcase, types_of_the_database_are_named_with_their_schema);
    tcase_add_test(tcase, quotes_are_the_server_s);
    tcase_add_test(tcase, getters_name_the_column_s_type);
    tcase_add_test(tcase, array_of_the_database_names_its_elements);
    tcase_add_test(tcase, parameters_name_what_is_wanted_and_what_is_given);
    suite_add_tcase(suite, tcase);
    return suite;
}
