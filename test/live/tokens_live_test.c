/* The tokeniser held against the server's own scanner: generated scripts of quotes, comments and bodies, whole, cut off and spoiled.
 * The server tells by its results how many statements a script has and what their literals hold, and by its errors where a quote
 * that has no end begins.
 * Read first: lib/tokens.h, lib/script.h, lib/command.h. */
#include "test/live/live.h"

#include "lib/command.h"
#include "lib/script.h"

/* A generator of our own: the same run every time. */
static uint32_t seed;

static uint32_t dice(uint32_t sides)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 16) % sides;
}

/* ---- a script ------------------------------------------------------------------------------------------------------------------------ */

enum { SCRIPT_MAX = 8192, TEXT_MAX = 256 };

static char script[SCRIPT_MAX];
static size_t len;

static void add(const char *text)
{
    size_t n = strlen(text);

    ck_assert_uint_lt(len + n, sizeof script);
    memcpy(script + len, text, n + 1);
    len += n;
}

/* What must not be taken for what it looks like. */
static const char *const traps[] = {
    ";",
    "--",
    "/*",
    "*/",
    "$$",
    "$a$",
    "$",
    "\"",
    "\\",
    "'",
    "(",
    ")",
    "\n",
    "E'",
    ":a",
    "::b",
    "begin atomic ",
    "end;",
    "case ",
    "$a",
    "\\'",
    "U&'",
    "$1",
    "-- ",
    "/",
    "-",
    "x",
    "\xc3\xa4",
    " ",
    "\r",
    "[1:2]",
    "\xe2\x82\xac",
};

static void trap_into(char *text, int n)
{
    text[0] = '\0';
    for (size_t at = 0; n > 0; n--)
        at += (size_t)snprintf(text + at, TEXT_MAX - at, "%s", traps[dice(N_OF(traps))]);
}

static void add_space(void)
{
    static const char *const spaces[] = {" ",  "\n", "\t\r\n", " /* ; ' */ ", " -- ; ' $$ \"\n", "/* /* ; */ $$ */",
                                         "\f "};

    add(spaces[dice(N_OF(spaces))]);
}

/* Double `twice`, and escape `escaped` by a backslash; '\0' is none. */
static void add_escaped(const char *text, char twice, char escaped)
{
    char one[3] = "";

    for (; *text; text++) {
        one[0] = *text == escaped ? '\\' : *text;
        one[1] = *text == twice || *text == escaped ? *text : '\0';
        add(one);
    }
}

/* In E'…' a quote is escaped by either. */
static void add_escape_string(const char *text)
{
    bool by_backslash = dice(2) == 0;
    char one[2] = "";

    for (; *text; text++) {
        one[0] = *text;
        add(*text == '\\' ? "\\" : *text != '\'' ? "" : by_backslash ? "\\" : "'");
        add(one);
    }
}

static bool add_dollar_quoted(const char *text)
{
    static const char *const tags[] = {"$$", "$a$", "$b_1\xc3\xa4$", "$A$"};
    const char *tag = tags[dice(N_OF(tags))];
    char closed[TEXT_MAX + 16];

    (void)snprintf(closed, sizeof closed, "%s%s", text, tag);
    if (strstr(closed, tag) != closed + strlen(text))
        return false;
    add(tag);
    add(closed);
    return true;
}

static void add_literal(void)
{
    static const char *const seams[] = {"'\n'", "' -- ; '\n \t'", "'\r-- $$\n'"};
    char text[TEXT_MAX];
    uint32_t kind = dice(5);

    trap_into(text, (int)dice(8));
    if (kind == 0 && add_dollar_quoted(text))
        return;
    add(kind == 1 ? "E'" : kind == 2 ? "e'" : kind == 3 ? "U&'" : "'");
    for (int n = (int)dice(3); n >= 0; n--) {
        if (kind == 1 || kind == 2)
            add_escape_string(text);
        else
            add_escaped(text, '\'', kind == 3 ? '\\' : '\0');
        add(n > 0 ? seams[dice(N_OF(seams))] : "'");
        trap_into(text, (int)dice(4));
    }
}

static void add_select(void)
{
    char name[TEXT_MAX];

    add("select");
    add_space();
    for (int n = (int)dice(3); n >= 0; n--) {
        add_literal();
        add_space();
        if (n > 0)
            add("||");
    }
    if (dice(3) == 0) {
        trap_into(name, 1 + (int)dice(3));
        add("as \"x");
        add_escaped(name, '"', '\0');
        add("\"");
    } else if (dice(3) == 0) {
        static const char *const labels[] = {"as case", "as end", "as \"end\"", "as begin", "as atomic"};

        add(labels[dice(N_OF(labels))]);
    }
    add_space();
}

static void add_function(void)
{
    add(dice(2) ? "create or replace" : "CREATE/**/OR -- ;\n REPLACE");
    add_space();
    add("function pg_temp.tusk_f() returns text begin");
    add_space();
    add("atomic ");
    for (int n = (int)dice(3); n >= 0; n--) {
        if (dice(3) == 0)
            add("select case when true then case when false then 'a;' else 'b' end end;");
        add_select();
        add(";");
    }
    add("END");
}

static void add_rule(void)
{
    add("create or replace rule tusk_r as on insert to tusk_t do (");
    add_select();
    add(";");
    add_space();
    add_select();
    add(";)");
}

static void make_script(void)
{
    len = 0;
    add("");
    for (int n = 1 + (int)dice(5); n > 0; n--) {
        uint32_t kind = dice(8);

        if (dice(4) == 0)
            add_space();
        if (kind == 0)
            add_function();
        else if (kind == 1)
            add_rule();
        else if (kind > 2)
            add_select();
        if (n > 1 || dice(2))
            add(";");
    }
}

/* ---- two opinions -------------------------------------------------------------------------------------------------------------------- */

typedef struct opinion {
    bool is_open;
    char message[64];
    int position;
    int n_statements;
} opinion;

static opinion ask_us(const char *sql)
{
    tusk__tokens tokens = tusk__tokens_of(tusk_str_of(sql));
    opinion o = {0};
    tusk_error err = {0};
    tusk_str statement;
    tusk_code code;

    while ((code = tusk__script_next(&tokens, &statement, &err)) == TUSK_OK)
        o.n_statements++;
    o.is_open = code == TUSK_ERR_USAGE;
    (void)snprintf(o.message, sizeof o.message, "%.60s", o.is_open ? err.message : "");
    o.position = o.is_open ? err.position : 0;
    return o;
}

static int count_results(tusk_query *q)
{
    int n = tusk_query_tag(q).len > 0;

    while (tusk_next_result(q))
        n++;
    tusk_rewind(q);
    return n;
}

static int n_fine, n_open, n_refused;

/* As far as the server has one: it may stop at something else before it sees an open end. */
static void same_opinion(const char *sql)
{
    opinion ours = ask_us(sql);
    tusk_query *q = tusk_script(db, sql);
    tusk_code code = tusk_await(q);
    const tusk_error *err = tusk_query_error(q);

    if (code == TUSK_OK) {
        ck_assert_msg(!ours.is_open && count_results(q) == ours.n_statements, "%d results, %d statements:\n%s",
                      count_results(q), ours.n_statements, sql);
        n_fine++;
    } else if (strncmp(err->message, "unterminated", 12) == 0) {
        ck_assert_msg(ours.is_open && strncmp(err->message, ours.message, strlen(ours.message)) == 0 &&
                          err->position == ours.position,
                      "%s, %d, not %s, %d:\n%s", err->message, err->position, ours.message, ours.position, sql);
        n_open++;
    } else {
        n_refused++;
    }
    ck_assert_msg(code != TUSK_OK || !ours.is_open, "open for us alone:\n%s", sql);
    tusk_query_free(q);
}

static void up(void)
{
    live_up();
    seed = 20261123u;
    n_fine = n_open = n_refused = 0;
    run("create temp table tusk_t (a int)");
}

/* ---- whole scripts: the same statements, by number and by value ---------------------------------------------------------------------- */

static void same_answer(tusk_query *whole, tusk_str statement)
{
    tusk_query *q = tusk_submit(db, &(tusk_request){.sql_str = statement, .text_results = true});
    tusk_row expected, row;

    ck_assert_msg(tusk_await(q) == TUSK_OK, "%s: " TUSK_STR_FMT, said(tusk_query_error(q)), TUSK_STR_ARG(statement));
    ck_assert_msg(tusk_str_equal(tusk_query_tag(q), tusk_query_tag(whole)), TUSK_STR_FMT, TUSK_STR_ARG(statement));
    while (tusk_next_row(whole, &expected)) {
        ck_assert(tusk_next_row(q, &row));
        ck_assert_msg(tusk_str_equal(tusk_get_text(&row, 0), tusk_get_text(&expected, 0)), TUSK_STR_FMT,
                      TUSK_STR_ARG(statement));
    }
    ck_assert(!tusk_next_row(q, &row));
    tusk_query_free(q);
}

START_TEST(generated_scripts_are_cut_as_the_server_cuts_them)
{
    enum { N_SCRIPTS = 300 };
    int n_statements = 0;

    for (int i = 0; i < N_SCRIPTS; i++) {
        tusk__tokens tokens;
        tusk_str statement;
        tusk_query *whole;

        make_script();
        tokens = tusk__tokens_of(tusk_str_of(script));
        whole = tusk_script(db, script);
        ck_assert_msg(tusk_await(whole) == TUSK_OK, "%s:\n%s", said(tusk_query_error(whole)), script);
        ck_assert_msg(count_results(whole) == ask_us(script).n_statements, "%d results, %d statements:\n%s",
                      count_results(whole), ask_us(script).n_statements, script);
        for (; tusk__script_next(&tokens, &statement, NULL) == TUSK_OK; n_statements++) {
            same_answer(whole, statement);
            (void)tusk_next_result(whole);
        }
        tusk_query_free(whole);
    }
    harness_note("tokens: %d scripts, %d statements alike", (int)N_SCRIPTS, n_statements);
}
END_TEST

/* ---- spoiled scripts: the same open end, or as many statements ----------------------------------------------------------------------- */

static bool is_inside_character(size_t at)
{
    return ((unsigned char)script[at] & 0xC0) == 0x80;
}

START_TEST(scripts_that_are_cut_off_end_where_the_server_says)
{
    for (int i = 0; i < 1000; i++) {
        size_t at;

        make_script();
        do
            at = dice((uint32_t)len + 1);
        while (is_inside_character(at));
        script[at] = '\0';
        same_opinion(script);
    }
    harness_note("tokens: cut off: %d with an open end, %d fine, %d refused", n_open, n_fine, n_refused);
    ck_assert_int_gt(n_open, 200);
    ck_assert_int_gt(n_fine, 100);
}
END_TEST

START_TEST(scripts_with_something_in_between_are_cut_as_the_server_cuts_them)
{
    for (int i = 0; i < 1500; i++) {
        char spoiled[SCRIPT_MAX + 32];
        size_t at;

        make_script();
        do
            at = dice((uint32_t)len + 1);
        while (is_inside_character(at));
        (void)snprintf(spoiled, sizeof spoiled, "%.*s%s%s", (int)at, script, traps[dice(N_OF(traps))], script + at);
        same_opinion(spoiled);
    }
    harness_note("tokens: spoiled: %d with an open end, %d fine, %d refused", n_open, n_fine, n_refused);
    ck_assert_int_gt(n_open, 50);
    ck_assert_int_gt(n_fine, 300);
}
END_TEST

/* ---- what must run alone ------------------------------------------------------------------------------------------------------------- */

static const char *in_transaction(const char *sql)
{
    static char sqlstate[6];
    tusk_query *begin = tusk_exec(db, "begin", TUSK_NO_PARAMS), *q = tusk_exec(db, sql, TUSK_NO_PARAMS);

    ck_ok(begin);
    (void)tusk_await(q);
    memcpy(sqlstate, tusk_query_error(q)->code == TUSK_OK ? "00000" : tusk_query_error(q)->sqlstate, 6);
    tusk_query_free(begin);
    tusk_query_free(q);
    run("rollback");
    return sqlstate;
}

START_TEST(what_must_run_alone_is_refused_in_a_transaction)
{
    static const char *const alone[] = {
        "vacuum",
        "vacuum (analyze) tusk_t",
        "create database tusk_never",
        "drop database if exists tusk_never",
        "alter database postgres set tablespace pg_default",
        "create tablespace tusk_never location '/nowhere'",
        "drop tablespace if exists tusk_never",
        "alter system set work_mem = '1MB'",
        "create subscription tusk_never connection '' publication p",
        "create index concurrently on tusk_t (a)",
        "create unique index concurrently tusk_i on tusk_t (a)",
        "drop index concurrently tusk_i",
        "reindex schema pg_temp",
        "reindex table concurrently pg_class",
        "cluster",
        "discard all",
        "alter table tusk_t detach partition tusk_u concurrently",
        "commit prepared 'a'",
        "rollback prepared 'a'",
    };

    for (int i = 0; i < N_OF(alone); i++) {
        tusk__command command = tusk__command_of(tusk_str_of(alone[i]));

        ck_assert_msg(strcmp(in_transaction(alone[i]), "25001") == 0, "%s: %s", alone[i], in_transaction(alone[i]));
        ck_assert_msg(command == TUSK__COMMAND_ALONE || tusk__command_is_transaction_control(command), "%s", alone[i]);
    }
}
END_TEST

START_TEST(what_need_not_run_alone_is_not_refused_in_a_transaction)
{
    static const char *const others[] = {
        "analyze tusk_t",
        "create index on tusk_t (a)",
        "create unique index tusk_i on tusk_t (a)",
        "drop index if exists tusk_i",
        "discard plans",
        "alter table tusk_t add b int",
        "drop table tusk_t",
        "truncate tusk_t",
        "prepare x as select 1",
        "checkpoint",
        "create role tusk_never",
        "alter role current_user set work_mem = '1MB'",
        "create schema tusk_never",
        "refresh materialized view pg_class",
    };

    for (int i = 0; i < N_OF(others); i++) {
        ck_assert_msg(strcmp(in_transaction(others[i]), "25001") != 0, "%s", others[i]);
        ck_assert_msg(tusk__command_of(tusk_str_of(others[i])) == TUSK__COMMAND_OTHER, "%s", others[i]);
    }
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("tokens_live");
    TCase *tcase = tcase_create("server");

    tcase_add_checked_fixture(tcase, up, live_down);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, generated_scripts_are_cut_as_the_server_cuts_them);
    tcase_add_test(tcase, scripts_that_are_cut_off_end_where_the_server_says);
    tcase_add_test(tcase, scripts_with_something_in_between_are_cut_as_the_server_cuts_them);
    tcase_add_test(tcase, what_must_run_alone_is_refused_in_a_transaction);
    tcase_add_test(tcase, what_need_not_run_alone_is_not_refused_in_a_transaction);
    suite_add_tcase(suite, tcase);
    return suite;
}
