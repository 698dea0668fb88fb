/* Tests of a script's cutting into statements.
 * What the server makes of scripts is held against this in live/tokens_live_test.c.
 * Read first: lib/script.h. */
#include <stdio.h>

#include "lib/script.h"
#include "test/harness/harness.h"

#define N_OF(array) (int)(sizeof(array) / sizeof(array)[0])

#define BODY "create function f() returns int begin atomic "

/* A script, and its statements with one | behind each. */
static const struct {
    const char *script, *statements;
} cuts[] = {
    /* one, none, several */
    {"", ""},
    {" \n;; ;\t", ""},
    {"-- nothing\n;/* at all */", ""},
    {"select 1", "select 1|"},
    {"select 1;", "select 1|"},
    {" select 1 ; select 2;;\nselect 3", "select 1 |select 2|select 3|"},
    {"; ;select 1", "select 1|"},

    /* comments belong to what stands behind them; hints stand in them */
    {"select 1; -- one\n/*+ SeqScan(t) */ select 2 -- end", "select 1|-- one\n/*+ SeqScan(t) */ select 2 -- end|"},
    {"/* a */; /* b */ select 1; -- c", "/* b */ select 1|"},
    {"select 1 /* ; */ -- ;\n + 1; select 2", "select 1 /* ; */ -- ;\n + 1|select 2|"},

    /* quotes */
    {"select ';', E'\\';', \";\", $$;$$, $a$;$$;$a$; select 2",
     "select ';', E'\\';', \";\", $$;$$, $a$;$$;$a$|select 2|"},
    {"select '\\'; select 2", "select '\\'|select 2|"},
    {"select E'a'\n';\\';'; select 2", "select E'a'\n';\\';'|select 2|"},

    /* parentheses */
    {"create rule r as on insert to t do (delete from u; select 1;); select 2",
     "create rule r as on insert to t do (delete from u; select 1;)|select 2|"},
    {"select ((1); select 2", "select ((1); select 2|"},
    {"select 1); select 2", "select 1)|select 2|"},
    {"select '('; select 2", "select '('|select 2|"},
    {"select a[1; select 2", "select a[1|select 2|"},

    /* bodies of functions */
    {BODY "end; select 2", BODY "end|select 2|"},
    {BODY "select 1; end; select 2", BODY "select 1; end|select 2|"},
    {BODY "select 1; select 2; END; select 3", BODY "select 1; select 2; END|select 3|"},
    {"CREATE OR REPLACE PROCEDURE p() BEGIN /* x */ ATOMIC select 1; -- y\nend; select 2",
     "CREATE OR REPLACE PROCEDURE p() BEGIN /* x */ ATOMIC select 1; -- y\nend|select 2|"},
    {BODY "select case when true then 1 end; select 2; end; select 3",
     BODY "select case when true then 1 end; select 2; end|select 3|"},
    {BODY "select 1 as end; select 2 as \"end\"; end; select 3",
     BODY "select 1 as end; select 2 as \"end\"; end|select 3|"},
    {BODY "select 1 as case; end; select 2", BODY "select 1 as case; end|select 2|"},
    {BODY "select begin from t; end; select 2", BODY "select begin from t; end|select 2|"},
    {BODY "select begin atomic from t; end; select 2", BODY "select begin atomic from t; end|select 2|"},
    {BODY "create function g() returns int begin atomic select 1; end; select 2; end; select 3",
     BODY "create function g() returns int begin atomic select 1; end; select 2; end|select 3|"},
    {"create function f(begin int) returns int return 1; select 2",
     "create function f(begin int) returns int return 1|select 2|"},
    {"create function begin() returns int as 'begin atomic;' language sql; select 2",
     "create function begin() returns int as 'begin atomic;' language sql|select 2|"},
    {"create function f() returns begin begin atomic select 1; end; select 2",
     "create function f() returns begin begin atomic select 1; end|select 2|"},
    {"create schema s create function f() returns int begin atomic select 1; end; select 2",
     "create schema s create function f() returns int begin atomic select 1; end|select 2|"},
    {BODY "select 1", BODY "select 1|"},

    /* what is none */
    {"begin; select 1; end; select 2", "begin|select 1|end|select 2|"},
    {"begin atomic; select 1; end", "begin atomic|select 1|end|"},
    {"create table begin atomic; select 1; end", "create table begin atomic|select 1|end|"},
    {"create or function f() begin atomic; end", "create or function f() begin atomic|end|"},
    {"create, function f() begin atomic; end", "create, function f() begin atomic|end|"},
    {"create \"function\" f() begin atomic; end", "create \"function\" f() begin atomic|end|"},
    {"create function f() begin, atomic; end", "create function f() begin, atomic|end|"},
    {"create function f() begin \"atomic\"; end", "create function f() begin \"atomic\"|end|"},
    {"create function f() (begin atomic); end", "create function f() (begin atomic)|end|"},
};

START_TEST(script_is_cut_where_the_server_cuts_it)
{
    tusk__tokens script = tusk__tokens_of(tusk_str_of(cuts[_i].script));
    tusk_error err = {0};
    tusk_str statement;
    char text[512] = "";
    size_t len = 0;
    tusk_code code;

    while ((code = tusk__script_next(&script, &statement, &err)) == TUSK_OK)
        len += (size_t)snprintf(text + len, sizeof text - len, TUSK_STR_FMT "|", TUSK_STR_ARG(statement));
    ck_assert_msg(code == TUSK_DONE, "%s: %s", cuts[_i].script, err.message);
    ck_assert_msg(strcmp(text, cuts[_i].statements) == 0, "%s\nis cut into\n%s\nnot\n%s", cuts[_i].script, text,
                  cuts[_i].statements);
    ck_assert_int_eq(tusk__script_next(&script, &statement, &err), TUSK_DONE);
}
END_TEST

/* Each statement is one, by itself too. */
START_TEST(a_statement_is_not_cut_again)
{
    tusk__tokens script = tusk__tokens_of(tusk_str_of(cuts[_i].script));
    tusk_str statement, again;

    while (tusk__script_next(&script, &statement, NULL) == TUSK_OK) {
        tusk__tokens alone = tusk__tokens_of(statement);

        ck_assert_int_eq(tusk__script_next(&alone, &again, NULL), TUSK_OK);
        ck_assert(tusk_str_equal(statement, again));
        ck_assert_int_eq(tusk__script_next(&alone, &again, NULL), TUSK_DONE);
    }
}
END_TEST

START_TEST(what_has_no_end_ends_the_script)
{
    static const struct {
        const char *script, *message;
        int n_before, position;
    } rows[] = {
        {"select '\xc3\xa4'; select 'b; select c", "unterminated quoted string", 1, 20},
        {"select 1; /* select 2;", "unterminated /* comment", 1, 11},
        {"select (1; $$", "unterminated dollar-quoted string", 0, 12},
        {BODY "select \"a; end", "unterminated quoted identifier", 0, sizeof BODY + 7},
    };

    for (int i = 0; i < N_OF(rows); i++) {
        tusk__tokens script = tusk__tokens_of(tusk_str_of(rows[i].script));
        tusk_error err = {0};
        tusk_str statement;
        tusk_code code;
        int n = 0;

        while ((code = tusk__script_next(&script, &statement, &err)) == TUSK_OK)
            n++;
        ck_assert_int_eq(code, TUSK_ERR_USAGE);
        ck_assert_int_eq(n, rows[i].n_before);
        ck_assert_str_eq(err.message, rows[i].message);
        ck_assert_int_eq(err.position, rows[i].position);
    }
}
END_TEST

START_TEST(a_position_in_a_statement_is_one_in_the_script)
{
    tusk_str sql = tusk_str_of("select '\xe2\x82\xac';\n  select \xc3\xa4, b");
    tusk__tokens script = tusk__tokens_of(sql);
    tusk_str statement;

    ck_assert_int_eq(tusk__script_next(&script, &statement, NULL), TUSK_OK);
    ck_assert_int_eq(tusk__script_position(sql, statement, 1), 1);
    ck_assert_int_eq(tusk__script_next(&script, &statement, NULL), TUSK_OK);
    ck_assert_int_eq(tusk__script_position(sql, statement, 1), 15);
    ck_assert_int_eq(tusk__script_position(sql, statement, 11), 25); /* of b */
    ck_assert_int_eq(tusk__script_position(sql, statement, 0), 0);
    ck_assert_int_eq(tusk__script_position(sql, statement, 0x7fffffff), 0);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("script");
    TCase *tcase = tcase_create("script");

    tcase_add_loop_test(tcase, script_is_cut_where_the_server_cuts_it, 0, N_OF(cuts));
    tcase_add_loop_test(tcase, a_statement_is_not_cut_again, 0, N_OF(cuts));
    tcase_add_test(tcase, what_has_no_end_ends_the_script);
    tcase_add_test(tcase, a_position_in_a_statement_is_one_in_the_script);
    suite_add_tcase(suite, tcase);
    return suite;
}
