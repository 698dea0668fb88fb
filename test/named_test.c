/* Tests of named parameters: what is a name, which numbers they get, which value goes where, and positions.
 * What the server makes of the text with numbers is asked in live/named_live_test.c.
 * Read first: tusk/named.h. */
#include <stdio.h>
#include <stdlib.h>

#include <tusk/named.h>

#include "test/harness/fail_alloc.h"
#include "test/harness/harness.h"

#define N_OF(array) (int)(sizeof(array) / sizeof(array)[0])

static tusk_named *parsed(const char *sql)
{
    tusk_error err = {0};
    tusk_named *named = tusk_named_parse(tusk_str_of(sql), NULL, &err);

    ck_assert_msg(named != NULL, "%s: %s", sql, err.message);
    return named;
}

/* ---- what is a name ------------------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *sql, *numbered, *names; /* names with one blank behind each; numbered NULL: nothing changes */
} texts[] = {
    {"", NULL, ""},
    {"select 1", NULL, ""},
    {"select :a", "select $1", "a "},
    {":a", "$1", "a "},
    {"select :a, :b, :a", "select $1, $2, $1", "a b "},
    {"select :b, :a", "select $1, $2", "b a "},
    {"select :a,:A", "select $1,$2", "a A "},
    {"select :_a1$\xc3\xa4", "select $1", "_a1$\xc3\xa4 "},
    {"select :aa, :a", "select $1, $2", "aa a "},
    {"select :a::int, (:a)::text", "select $1::int, ($1)::text", "a "},
    {"where x=:a and y>=:b and z||:c", "where x=$1 and y>=$2 and z||$3", "a b c "},
    {"values(:a,:b),(:c,-:d)", "values($1,$2),($3,-$4)", "a b c d "},
    {"f(x:=:a, y => :b, z =>:c)", "f(x:=$1, y => $2, z =>$3)", "a b c "},
    {"select array[:a, :b][:c]", "select array[$1, $2][$3]", "a b c "},
    {"select -- x\n:a/**/:b", "select -- x\n$1/**/$2", "a b "},
    {"select :a;:b", "select $1;$2", "a b "},
    {"select :a, :b, :c, :d, :e, :f, :g, :h, :i, :j, :k, :j",
     "select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $10", "a b c d e f g h i j k "},
    {"select :a.b, :c[1]", "select $1.b, $2[1]", "a c "},

    /* no names */
    {"select x::int, x :: int, '1'::text", NULL, ""},
    {"select a[1:2], a[lo:hi], a[lo :hi]", "select a[1:2], a[lo:hi], a[lo $1]", "hi "},
    {"select a[lo : hi], a[: hi], a[lo:], a[:], a[1: 2]", NULL, ""},
    {"select a[(lo):hi], a[b[1]:hi], a['1':hi], a[\"lo\":hi], a[1::int:hi]", NULL, ""},
    {"select a[1 : :hi], a[:lo : :hi]", "select a[1 : $1], a[$2 : $1]", "hi lo "},
    {"select json_object('k':v, 'l' : w, 'm' : :x)", "select json_object('k':v, 'l' : w, 'm' : $1)", "x "},
    {"select ':a', E'\\':a', \":a\", $$:a$$, $b$ :a $b$, U&':a', N':a'", NULL, ""},
    {"select 1 -- :a\n /* :a /* :b */ :c */", NULL, ""},
    {"select x:a, 1:a, 'x':a, (x):a, $b:a, x::a, x.:a", NULL, ""},
    {"select : a, :1, :'a', :\"a\", :(a), :E'a', :", NULL, ""},
    {"select :::a", NULL, ""},
    {"do $$ begin x := :y; end $$", NULL, ""},
    {"$:a $b", NULL, ""},
};

START_TEST(names_become_numbers)
{
    tusk_named *named = parsed(texts[_i].sql);
    char names[128] = "";
    size_t len = 0;

    ck_assert_str_eq(tusk_named_sql(named), texts[_i].numbered ? texts[_i].numbered : texts[_i].sql);
    for (size_t i = 0; i < tusk_named_n_params(named); i++)
        len += (size_t)snprintf(names + len, sizeof names - len, TUSK_STR_FMT " ",
                                TUSK_STR_ARG(tusk_named_param(named, i)));
    ck_assert_str_eq(names, texts[_i].names);
    ck_assert_uint_eq(tusk_named_param(named, tusk_named_n_params(named)).len, 0);
    tusk_named_free(named);
}
END_TEST

START_TEST(the_text_need_not_outlive_the_call)
{
    char sql[] = "select :one";
    tusk_named *named = parsed(sql);

    memset(sql, 'x', sizeof sql);
    ck_assert(tusk_str_is(tusk_named_param(named, 0), "one"));
    ck_assert_str_eq(tusk_named_sql(named), "select $1");
    tusk_named_free(named);
    tusk_named_free(NULL);
}
END_TEST

/* ---- what is refused ----------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *sql;
    size_t len; /* 0: that of sql */
    tusk_code code;
    const char *sqlstate, *message;
    int position;
} refused[] = {
    {"select :a, $1", 0, TUSK_ERR_USAGE, "42601", "$1 in a statement whose parameters have names: write a name instead",
     12},
    {"select '\xc3\xa4', $23 + :a", 0, TUSK_ERR_USAGE, "42601",
     "$23 in a statement whose parameters have names: write a name instead", 13},
    {"select $1", 0, TUSK_ERR_USAGE, "42601", "$1 in a statement whose parameters have names: write a name instead", 8},
    {"select :a, '\xc3\xa4' || 'b", 0, TUSK_ERR_USAGE, "42601", "unterminated quoted string", 19},
    {"select :a /* ", 0, TUSK_ERR_USAGE, "42601", "unterminated /* comment", 11},
    {"select :a $$ :b", 0, TUSK_ERR_USAGE, "42601", "unterminated dollar-quoted string", 11},
    {"select :a\0:b", 12, TUSK_ERR_VALUE, "22021", "the SQL text holds a NUL byte", 0},
    {"select :a\xff", 0, TUSK_ERR_VALUE, "22021", "the SQL text is not valid UTF-8", 0},
};

START_TEST(what_cannot_be_meant_is_refused)
{
    size_t len = refused[_i].len ? refused[_i].len : strlen(refused[_i].sql);
    tusk_error err = {.code = TUSK_ERR_LOST};

    ck_assert_ptr_null(tusk_named_parse(tusk_str_from(refused[_i].sql, len), NULL, &err));
    ck_assert_int_eq(err.code, refused[_i].code);
    ck_assert_str_eq(err.sqlstate, refused[_i].sqlstate);
    ck_assert_str_eq(err.message, refused[_i].message);
    ck_assert_int_eq(err.position, refused[_i].position);
    ck_assert_ptr_null(tusk_named_parse(tusk_str_from(refused[_i].sql, len), NULL, NULL));
}
END_TEST

/* select :a0,:a1,… */
static char *many_names(int n)
{
    size_t room = 8 + (size_t)n * 8, len = 0;
    char *sql = malloc(room);

    ck_assert_ptr_nonnull(sql);
    len += (size_t)snprintf(sql, room, "select ");
    for (int i = 0; i < n; i++)
        len += (size_t)snprintf(sql + len, room - len, "%s:a%d", i ? "," : "", i);
    return sql;
}

START_TEST(as_many_names_as_a_statement_takes_parameters)
{
    char *fits = many_names(65535), *does_not = many_names(65536);
    tusk_named *named = parsed(fits);
    tusk_error err = {0};

    ck_assert_uint_eq(tusk_named_n_params(named), 65535);
    ck_assert(tusk_str_is(tusk_named_param(named, 65534), "a65534"));
    ck_assert_str_eq(strrchr(tusk_named_sql(named), ','), ",$65535");
    ck_assert_ptr_null(tusk_named_parse(tusk_str_of(does_not), NULL, &err));
    ck_assert_int_eq(err.code, TUSK_ERR_LIMIT);
    ck_assert_str_eq(err.message, "more than 65535 names, but a statement takes no more parameters");
    tusk_named_free(named);
    free(fits);
    free(does_not);
}
END_TEST

/* The text grows by four bytes at each place, the most that can be. */
START_TEST(one_letter_names_have_room_for_their_numbers)
{
    enum { N = 20000 };
    char *front = many_names(65534), *sql;
    size_t len = strlen(front);
    tusk_named *named;
    const char *numbered;

    sql = realloc(front, len + 3 * N + 1);
    ck_assert_ptr_nonnull(sql);
    for (int i = 0; i < N; i++)
        memcpy(sql + len + 3 * i, ",:z", 4);
    named = parsed(sql);
    numbered = tusk_named_sql(named);
    ck_assert_uint_eq(tusk_named_n_params(named), 65535);
    for (int i = 0; i < N; i++)
        ck_assert(memcmp(numbered + strlen(numbered) - 7 * (size_t)(i + 1), ",$65535", 7) == 0);
    tusk_named_free(named);
    free(sql);
}
END_TEST

/* ---- values -------------------------------------------------------------------------------------------------------------------------- */

START_TEST(values_go_to_their_names_in_any_order)
{
    tusk_named *named = parsed("select :a, :b, :c, :a");
    tusk_params params;

    ck_assert_int_eq(tusk_named_bind(named, TUSK_ARGS({"c", tusk_int4(3)}, {"a", tusk_int4(1)}, {"b", tusk_text("2")}),
                                     &params, NULL),
                     TUSK_OK);
    ck_assert_uint_eq(params.n, 3);
    ck_assert_int_eq(params.values[0].as.integer, 1);
    ck_assert(tusk_str_is(params.values[1].as.bytes, "2"));
    ck_assert_uint_eq(params.values[2].type, TUSK_OID_INT4);
    ck_assert_int_eq(params.values[2].as.integer, 3);

    /* again, with other values, and in the order of the text */
    ck_assert_int_eq(tusk_named_bind(named, TUSK_ARGS({"a", tusk_null()}, {"b", tusk_int8(5)}, {"c", tusk_bool(true)}),
                                     &params, NULL),
                     TUSK_OK);
    ck_assert_int_eq(params.values[0].kind, TUSK_KIND_NULL);
    ck_assert_int_eq(params.values[1].as.integer, 5);
    ck_assert(params.values[2].as.boolean);
    tusk_named_free(named);
}
END_TEST

START_TEST(a_statement_without_names_takes_no_values)
{
    tusk_named *named = parsed("select 1");
    tusk_params params;
    tusk_error err = {0};

    ck_assert_int_eq(tusk_named_bind(named, tusk_args_of(NULL, 0), &params, NULL), TUSK_OK);
    ck_assert_uint_eq(params.n, 0);
    ck_assert_int_eq(tusk_named_bind(named, TUSK_ARGS({"a", tusk_int4(1)}), &params, &err), TUSK_ERR_USAGE);
    ck_assert_str_eq(err.detail, "it has none");
    tusk_named_free(named);
}
END_TEST

START_TEST(a_name_that_is_no_name_there_gets_a_hint)
{
    static const char behind_a_value[] =
        "It stands in quotes or a comment, or directly behind a value, where a colon begins no name: write \"limit "
        ":n\", not \"limit:n\".";
    static const char two_colons[] = "Two colons are a cast: write \"[:low : :high]\", not \"[:low::high]\".";
    static const struct {
        const char *sql, *name, *hint;
    } rows[] = {
        {"select 1 limit:n", "n", behind_a_value},
        {"select ':n'", "n", behind_a_value},
        {"select :a limit:n", "n", behind_a_value},
        {"select :a", ":a", "Give the name without its colon."},
        {"select 1", ":a", "Give the name without its colon."},
        {"select :a", "n", ""},
        {"select x::int", "n", ""},
        {"select :a", "", ""},
        {"select 1:", "n", ""},
        {"select :aa", "a", ""}, /* another name that begins as it does */
        {"select 1 limit:aa", "a", ""},
        {"select ':a', :aa", "a", behind_a_value},
        {"select x[:lo::hi]", "hi", two_colons},
        {"select x[:lo::hi] limit:hi", "hi", behind_a_value},
    };

    for (int i = 0; i < N_OF(rows); i++) {
        tusk_named *named = parsed(rows[i].sql);
        tusk_params params;
        tusk_error err = {0};

        ck_assert_int_eq(tusk_named_bind(named, TUSK_ARGS({rows[i].name, tusk_int4(1)}), &params, &err),
                         TUSK_ERR_USAGE);
        ck_assert_str_eq(err.hint, rows[i].hint);
        tusk_named_free(named);
    }
}
END_TEST

START_TEST(wrong_values_are_named)
{
    static const struct {
        const char *names[3], *sqlstate, *message, *detail;
        int param;
    } rows[] = {
        {{"a", "b", NULL}, "42P02", "no value is given for :c", "", 3},
        {{"c", "b", NULL}, "42P02", "no value is given for :a", "", 1},
        {{NULL, NULL, NULL}, "42P02", "no value is given for :a", "", 1},
        {{"a", "b", "d"}, "42P02", "the statement has no parameter \"d\"", "it has :a, :b, :c", 0},
        {{"a", "b", ":c"}, "42P02", "the statement has no parameter \":c\"", "it has :a, :b, :c", 0},
        {{"A", "b", "c"}, "42P02", "the statement has no parameter \"A\"", "it has :a, :b, :c", 0},
        {{"a", "", "c"}, "42P02", "the statement has no parameter \"\"", "it has :a, :b, :c", 0},
        {{"a", "b", "b"}, "42P08", "two values are given for :b", "", 2},
        {{"b", "b", "d"}, "42P08", "two values are given for :b", "", 2},
    };
    tusk_named *named = parsed("select :a, :b, :c");

    for (int i = 0; i < N_OF(rows); i++) {
        tusk_arg args[3] = {{NULL, tusk_int4(1)}, {NULL, tusk_int4(2)}, {NULL, tusk_int4(3)}};
        tusk_params params = {NULL, 4711};
        tusk_error err = {.code = TUSK_ERR_LOST};
        size_t n = 0;

        for (; n < 3 && rows[i].names[n]; n++)
            args[n].name = rows[i].names[n];
        ck_assert_int_eq(tusk_named_bind(named, tusk_args_of(args, n), &params, &err), TUSK_ERR_USAGE);
        ck_assert_str_eq(err.sqlstate, rows[i].sqlstate);
        ck_assert_str_eq(err.message, rows[i].message);
        ck_assert_str_eq(err.detail, rows[i].detail);
        ck_assert_int_eq(err.param, rows[i].param);
        ck_assert_uint_eq(params.n, 4711);
        ck_assert_int_eq(tusk_named_bind(named, tusk_args_of(args, n), &params, NULL), TUSK_ERR_USAGE);
    }
    tusk_named_free(named);
}
END_TEST

START_TEST(a_value_without_a_name_is_refused)
{
    tusk_named *named = parsed("select :a, :b");
    tusk_params params;
    tusk_error err = {0};

    ck_assert_int_eq(tusk_named_bind(named, TUSK_ARGS({"a", tusk_int4(1)}, {NULL, tusk_int4(1)}), &params, &err),
                     TUSK_ERR_USAGE);
    ck_assert_str_eq(err.message, "value 2 has no name");
    tusk_named_free(named);
}
END_TEST

START_TEST(a_long_list_of_names_is_cut)
{
    char *sql = many_names(1000);
    tusk_named *named = parsed(sql);
    tusk_params params;
    tusk_error err = {0};

    ck_assert_int_eq(tusk_named_bind(named, TUSK_ARGS({"b", tusk_int4(1)}), &params, &err), TUSK_ERR_USAGE);
    ck_assert_ptr_nonnull(strstr(err.detail, "it has :a0, :a1, "));
    ck_assert_ptr_nonnull(strstr(err.detail, "\xe2\x80\xa6"));
    tusk_named_free(named);
    free(sql);
}
END_TEST

/* ---- positions ----------------------------------------------------------------------------------------------------------------------- */

/* Of each character, by the characters in front of it: ^ marks where the position of a number leads. */
START_TEST(positions_lead_back_to_the_text_with_names)
{
    /*                             123456789 12345678 9 12345 */
    tusk_named *named = parsed("a \xc3\xa4 :eins, b :\xc3\xbc, c :eins d");
    static const int names[] = {0, 1, 2, 3, 4, 5, 5, 10, 11, 12, 13, 14, 14, 16, 17, 18, 19, 20, 20, 25, 26, 27, 28};

    ck_assert_str_eq(tusk_named_sql(named), "a \xc3\xa4 $1, b $2, c $1 d");
    for (int i = 0; i < N_OF(names); i++)
        ck_assert_msg(tusk_named_position(named, i) == names[i], "%d: %d, not %d", i, tusk_named_position(named, i),
                      names[i]);
    tusk_named_free(named);
}
END_TEST

START_TEST(positions_behind_numbers_that_are_longer_than_names)
{
    tusk_named *named = parsed(":a:b+:b+:c+:d+:e+:f+:g+:h+:i+:j+:k x");
    int number = (int)(strchr(tusk_named_sql(named), 'x') - tusk_named_sql(named)) + 1;

    ck_assert_str_eq(tusk_named_sql(named), "$1:b+$2+$3+$4+$5+$6+$7+$8+$9+$10+$11 x");
    ck_assert_int_eq(tusk_named_position(named, number), 36);
    ck_assert_int_eq(tusk_named_position(named, number - 4), 33);
    tusk_named_free(named);
}
END_TEST

/* ---- memory -------------------------------------------------------------------------------------------------------------------------- */

START_TEST(memory_comes_from_the_allocator_once)
{
    fail_alloc heap;
    tusk_error err = {0};
    tusk_params params;
    tusk_named *named;

    fail_alloc_init(&heap, 0, false);
    named = tusk_named_parse(tusk_str_of("select :a, :b"), &heap.allocator, &err);
    ck_assert_ptr_nonnull(named);
    ck_assert_int_eq(heap.n, 1);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(tusk_named_bind(named, TUSK_ARGS({"b", tusk_int4(1)}, {"a", tusk_int4(1)}), &params, &err),
                         TUSK_OK);
    ck_assert_int_eq(heap.n, 1);
    tusk_named_free(named);
    ck_assert_int_eq(heap.live, 0);

    fail_alloc_init(&heap, 1, false);
    ck_assert_ptr_null(tusk_named_parse(tusk_str_of("select :a"), &heap.allocator, &err));
    ck_assert_int_eq(err.code, TUSK_ERR_NOMEM);
    ck_assert_int_eq(heap.live, 0);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("named");
    TCase *tcase = tcase_create("named");

    tcase_add_loop_test(tcase, names_become_numbers, 0, N_OF(texts));
    tcase_add_test(tcase, the_text_need_not_outlive_the_call);
    tcase_add_loop_test(tcase, what_cannot_be_meant_is_refused, 0, N_OF(refused));
    tcase_add_test(tcase, as_many_names_as_a_statement_takes_parameters);
    tcase_add_test(tcase, one_letter_names_have_room_for_their_numbers);
    tcase_add_test(tcase, values_go_to_their_names_in_any_order);
    tcase_add_test(tcase, a_statement_without_names_takes_no_values);
    tcase_add_test(tcase, wrong_values_are_named);
    tcase_add_test(tcase, a_name_that_is_no_name_there_gets_a_hint);
    tcase_add_test(tcase, a_value_without_a_name_is_refused);
    tcase_add_test(tcase, a_long_list_of_names_is_cut);
    tcase_add_test(tcase, positions_lead_back_to_the_text_with_names);
    tcase_add_test(tcase, positions_behind_numbers_that_are_longer_than_names);
    tcase_add_test(tcase, memory_comes_from_the_allocator_once);
    suite_add_tcase(suite, tcase);
    return suite;
}
