/* Tests of the tokeniser: where each token of a text begins and ends, and which one has no end.
 * The server's own opinion is asked in live/tokens_live_test.c.
 * Read first: lib/tokens.h. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/tokens.h"
#include "test/harness/harness.h"

#define N_OF(array) (int)(sizeof(array) / sizeof(array)[0])

/* ---- tokens -------------------------------------------------------------------------------------------------------------------------- */

/* Word, quoted, string, number, parameter, operator, cast (t), assignment, character, open (!). */
static const char letters[] = {
    [TUSK__TOKEN_END] = '.',    [TUSK__TOKEN_WORD] = 'w',  [TUSK__TOKEN_QUOTED] = 'q',   [TUSK__TOKEN_STRING] = 's',
    [TUSK__TOKEN_NUMBER] = 'n', [TUSK__TOKEN_PARAM] = 'p', [TUSK__TOKEN_OPERATOR] = 'o', [TUSK__TOKEN_CAST] = 't',
    [TUSK__TOKEN_ASSIGN] = 'a', [TUSK__TOKEN_CHAR] = 'c',  [TUSK__TOKEN_OPEN] = '!',
};

/* A text, and its tokens: for each its letter, the token, and a bar. */
static const struct {
    const char *sql, *tokens;
} cuts[] = {
    {"", ""},
    {" \t\n\r\f\v", ""},
    {"select 1", "wselect|n1|"},
    {"SELECT_1$x\xc3\xa4", "wSELECT_1$x\xc3\xa4|"},
    {"a.b.c", "wa|c.|wb|c.|wc|"},

    /* comments */
    {"-- one\nselect -- two\r1 -- three", "wselect|n1|"},
    {"/* one */a/**/b/*/**/*/c", "wa|wb|wc|"},
    {"a /* /* */ b */ c", "wa|wc|"},
    {"/***/a/* **/b/*/ */c", "wa|wb|wc|"},
    {"a--b", "wa|"},
    {"a- -b", "wa|o-|o-|wb|"},
    {"a+/*b*/-c", "wa|o+|o-|wc|"},
    {"a+--b\n-c", "wa|o+|o-|wc|"},
    {"*/a", "o*/|wa|"},
    {"-- 'a\nb", "wb|"},
    {"/* 'a */b", "wb|"},

    /* quotes */
    {"'a''b' c", "s'a''b'|wc|"},
    {"'a\\' b", "s'a\\'|wb|"},
    {"E'a\\'b' c", "sE'a\\'b'|wc|"},
    {"e'a\\\\' c", "se'a\\\\'|wc|"},
    {"E'a\\\\''b' c", "sE'a\\\\''b'|wc|"},
    {"fe'a\\' b", "wfe|s'a\\'|wb|"},
    {"_e'a\\' b", "w_e|s'a\\'|wb|"},
    {"U&'a\\' b", "sU&'a\\'|wb|"},
    {"u&\"a\"\"b\\\" b", "qu&\"a\"\"b\\\"|wb|"},
    {"u&a", "wu|o&|wa|"},
    {"U& 'a'", "wU|o&|s'a'|"},
    {"uU&'a'", "wuU|o&|s'a'|"},
    {"U&'d!0061' uescape '!' b", "sU&'d!0061'|wuescape|s'!'|wb|"},
    {"B'01'x'1f' N'a\\'b", "sB'01'|sx'1f'|wN|s'a\\'|wb|"},
    {"\"a'b\"\"c;\" d", "q\"a'b\"\"c;\"|wd|"},
    {"\"a\"'b'", "q\"a\"|s'b'|"},
    {"'--' '/*' \"--\" \"/*\" a", "s'--'|s'/*'|q\"--\"|q\"/*\"|wa|"},

    /* literals that go on */
    {"'a'\n'b' c", "s'a'\n'b'|wc|"},
    {"'a' 'b' c", "s'a'|s'b'|wc|"},
    {"E'a'\n'b\\'c' d", "sE'a'\n'b\\'c'|wd|"},
    {"E'a' 'b\\'c", "sE'a'|s'b\\'|wc|"},
    {"'a' -- x\n \t-- y\r'b' c", "s'a' -- x\n \t-- y\r'b'|wc|"},
    {"'a'\n'b'\n'c' d", "s'a'\n'b'\n'c'|wd|"},
    {"'a' -- x", "s'a'|"},
    {"'a'\n", "s'a'|"},
    {"'a'\n- 'b'", "s'a'|o-|s'b'|"},
    {"'a'\n/* */'b'", "s'a'|s'b'|"},
    {"'a'\nE'b'", "s'a'|sE'b'|"},
    {"$$a$$\n'b'", "s$$a$$|s'b'|"},
    {"\"a\"\n'b'", "q\"a\"|s'b'|"},

    /* dollar quotes */
    {"$$a'b\"--/*;$$ c", "s$$a'b\"--/*;$$|wc|"},
    {"$a$ $b$ $$ $a $a$ c", "s$a$ $b$ $$ $a $a$|wc|"},
    {"$a$x$b$a$ c", "s$a$x$b$a$|wc|"},
    {"$a$$a$ c", "s$a$$a$|wc|"},
    {"$_1\xc3\xa4$'$_1\xc3\xa4$c", "s$_1\xc3\xa4$'$_1\xc3\xa4$|wc|"},
    {"$A$ $a$ $A$ c", "s$A$ $a$ $A$|wc|"},
    {"a$$b$$c", "wa$$b$$c|"},
    {"a $b c", "wa|c$|wb|wc|"},
    {"$b-$", "c$|wb|o-|c$|"},
    {"$1$$a$$", "p$1|s$$a$$|"},
    {"1$$a$$", "n1|s$$a$$|"},

    /* parameters and numbers */
    {"$1+$23", "p$1|o+|p$23|"},
    {"$1a", "p$1|wa|"},
    {"1 1_000 0xfF 0b01 0o17 1. .5 1.5", "n1|n1_000|n0xfF|n0b01|n0o17|n1.|n.5|n1.5|"},
    {"1e5 1.5E-3 .1e+2", "n1e5|n1.5E-3|n.1e+2|"},
    {"1e+a 1-2", "n1e|o+|wa|n1|o-|n2|"},
    {"1e'a\\' b", "n1e|s'a\\'|wb|"},
    {"1..a", "n1|c.|c.|wa|"},
    {"a.5", "wa|n.5|"},

    /* operators and marks */
    {"a::int[1:2]:=b=>c", "wa|t::|wint|c[|n1|c:|n2|c]|a:=|wb|o=>|wc|"},
    {"a:::b", "wa|t::|c:|wb|"},
    {"~!@#^&|`?+-*/%<>=a", "o~!@#^&|`?+-*/%<>=|wa|"},
    {"(a,b);{\\}", "c(|wa|c,|wb|c)|c;|c{|c\\|c}|"},
};

static tusk_str tokens_of(tusk_str sql, char *text, size_t size)
{
    tusk__tokens tokens = tusk__tokens_of(sql);
    tusk__token token = tusk__token_next(&tokens);
    size_t len = 0;

    for (; token.kind != TUSK__TOKEN_END && token.kind != TUSK__TOKEN_OPEN; token = tusk__token_next(&tokens))
        len += (size_t)snprintf(text + len, size - len, "%c" TUSK_STR_FMT "|", letters[token.kind],
                                TUSK_STR_ARG(token.text));
    if (token.kind == TUSK__TOKEN_OPEN)
        len += (size_t)snprintf(text + len, size - len, "!" TUSK_STR_FMT "|", TUSK_STR_ARG(token.text));
    ck_assert_ptr_eq(token.text.ptr + token.text.len, sql.ptr + sql.len);
    ck_assert_int_eq(tusk__token_next(&tokens).kind, token.kind); /* it stays there */
    return tusk_str_from(text, len);
}

START_TEST(text_is_cut_as_the_server_cuts_it)
{
    char text[512];

    ck_assert_msg(tusk_str_is(tokens_of(tusk_str_of(cuts[_i].sql), text, sizeof text), cuts[_i].tokens),
                  "%s\nis cut into\n%s\nnot\n%s", cuts[_i].sql, text, cuts[_i].tokens);
}
END_TEST

START_TEST(nothing_is_an_empty_text)
{
    tusk__tokens tokens = tusk__tokens_of((tusk_str){NULL, 0});

    ck_assert_int_eq(tusk__token_next(&tokens).kind, TUSK__TOKEN_END);
}
END_TEST

/* ---- what has no end ----------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *sql, *tokens, *message;
    int position;
} opens[] = {
    {"'", "!'|", "unterminated quoted string", 1},
    {"a 'b''", "wa|!'b''|", "unterminated quoted string", 3},
    {"E'\\'", "!E'\\'|", "unterminated quoted string", 1},
    {"E'\\", "!E'\\|", "unterminated quoted string", 1},
    {"u&'a", "!u&'a|", "unterminated quoted string", 1},
    {"a N'b", "wa|wN|!'b|", "unterminated quoted string", 4},
    {"'a'\n 'b", "!'a'\n 'b|", "unterminated quoted string", 1},
    {"\xc3\xa4\xe2\x82\xac $$a$", "w\xc3\xa4\xe2\x82\xac|!$$a$|", "unterminated dollar-quoted string", 4},
    {"$a$b$a", "!$a$b$a|", "unterminated dollar-quoted string", 1},
    {"a B'0", "wa|!B'0|", "unterminated bit string literal", 3},
    {"a x'0", "wa|!x'0|", "unterminated hexadecimal string literal", 3},
    {"\"a\"\"", "!\"a\"\"|", "unterminated quoted identifier", 1},
    {"U&\"a", "!U&\"a|", "unterminated quoted identifier", 1},
    {"a/* /* */", "wa|!/* /* */|", "unterminated /* comment", 2},
    {"/*/", "!/*/|", "unterminated /* comment", 1},
    {"a /* b */ -- c\n/*", "wa|!/*|", "unterminated /* comment", 16},
};

START_TEST(what_has_no_end_is_told_with_its_position)
{
    tusk_str sql = tusk_str_of(opens[_i].sql);
    tusk__tokens tokens = tusk__tokens_of(sql);
    tusk_error err = {0};
    tusk__token token;
    char text[512];

    ck_assert_msg(tusk_str_is(tokens_of(sql, text, sizeof text), opens[_i].tokens), "%s: %s", opens[_i].sql, text);
    do
        token = tusk__token_next(&tokens);
    while (token.kind != TUSK__TOKEN_OPEN);
    ck_assert_int_eq(tusk__token_open_error(sql, &token, &err), TUSK_ERR_USAGE);
    ck_assert_str_eq(err.message, opens[_i].message);
    ck_assert_str_eq(err.sqlstate, "42601");
    ck_assert_int_eq(err.position, opens[_i].position);
    ck_assert_int_eq(tusk__token_open_error(sql, &token, NULL), TUSK_ERR_USAGE);
}
END_TEST

/* A text that ends early is read to its end and no further: the copy ends where its memory ends. */
START_TEST(no_cut_reads_beyond_the_text)
{
    const char *sql = cuts[_i].sql;
    char text[512];

    for (size_t len = 0; len <= strlen(sql); len++) {
        char *copy = malloc(len + (len == 0));

        ck_assert_ptr_nonnull(copy);
        memcpy(copy, sql, len);
        (void)tokens_of(tusk_str_from(copy, len), text, sizeof text);
        free(copy);
    }
}
END_TEST

/* ---- words --------------------------------------------------------------------------------------------------------------------------- */

START_TEST(words_are_taken_one_behind_the_other)
{
    static const struct {
        const char *sql, *words;
        size_t end; /* 0: they do not come next */
    } rows[] = {
        {"commit", "commit", 6},
        {"/* x */ COMMIT -- y\n Prepared 'x'", "commit prepared", 29},
        {"commitprepared", "commit prepared", 0},
        {"commit", "commit prepared", 0},
        {"commits", "commit", 0},
        {"commit$", "commit", 0},
        {"commit_", "commit", 0},
        {"commit\xc3\xa4", "commit", 0},
        {"commit1", "commit", 0},
        {"commit;", "commit", 6},
        {"commi", "commit", 0},
        {"\"commit\"", "commit", 0},
        {"comm/**/it", "commit", 0},
        {"", "commit", 0},
        {"/* commit", "commit", 0},
    };

    for (int i = 0; i < N_OF(rows); i++) {
        tusk__tokens tokens = tusk__tokens_of(tusk_str_of(rows[i].sql));

        ck_assert_msg(tusk__tokens_take_words(&tokens, rows[i].words) == (rows[i].end > 0), "%s", rows[i].sql);
        ck_assert_msg(tokens.at == rows[i].end, "%s: %zu", rows[i].sql, tokens.at);
    }
}
END_TEST

START_TEST(a_word_is_compared_whole)
{
    tusk__tokens tokens = tusk__tokens_of(tusk_str_of("End \"end\" ended en 'end'"));
    tusk__token token = tusk__token_next(&tokens);

    ck_assert(tusk__token_is_word(&token, "end"));
    ck_assert(!tusk__token_is_word(&token, "ended"));
    for (int i = 0; i < 4; i++) {
        token = tusk__token_next(&tokens);
        ck_assert(!tusk__token_is_word(&token, "end"));
    }
}
END_TEST

/* ---- positions ----------------------------------------------------------------------------------------------------------------------- */

START_TEST(positions_count_characters_from_one)
{
    tusk_str sql = tusk_str_of("a\xc3\xa4\xf0\x9f\x98\x80z");

    ck_assert_int_eq(tusk__sql_position(sql, 0), 1);
    ck_assert_int_eq(tusk__sql_position(sql, 1), 2);
    ck_assert_int_eq(tusk__sql_position(sql, 3), 3);
    ck_assert_int_eq(tusk__sql_position(sql, 7), 4);
    ck_assert_int_eq(tusk__sql_position(sql, 8), 5);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("tokens");
    TCase *tcase = tcase_create("tokens");

    tcase_add_loop_test(tcase, text_is_cut_as_the_server_cuts_it, 0, N_OF(cuts));
    tcase_add_test(tcase, nothing_is_an_empty_text);
    tcase_add_loop_test(tcase, what_has_no_end_is_told_with_its_position, 0, N_OF(opens));
    tcase_add_loop_test(tcase, no_cut_reads_beyond_the_text, 0, N_OF(cuts));
    tcase_add_test(tcase, words_are_taken_one_behind_the_other);
    tcase_add_test(tcase, a_word_is_compared_whole);
    tcase_add_test(tcase, positions_count_characters_from_one);
    suite_add_tcase(suite, tcase);
    return suite;
}
