/* Tests of lib/passfile: which line fits and what password it has, as libpq 18 reads it.
 * Read first: lib/passfile.h. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/passfile.h"
#include "test/harness/harness.h"

#define N_OF(table) (int)(sizeof(table) / sizeof(table)[0])

/* host h, port 5432, database d, user u; password NULL: no line fits */
static const struct {
    const char *text, *password;
    unsigned line;
} rows[] = {
    {"", NULL, 0},
    {"\n\n", NULL, 0},
    {"h:5432:d:u:p", "p", 1},
    {"h:5432:d:u:p\n", "p", 1},
    {"h:5432:d:u:p\r\n", "p", 1},
    {"h:5432:d:u:p\r\r", "p", 1},
    {"#h:5432:d:u:q\nh:5432:d:u:p", "p", 2},
    {" #h:5432:d:u:q\n", NULL, 0},
    {" h:5432:d:u:p", NULL, 0},
    {"x:5432:d:u:p\nh:5433:d:u:p\nh:5432:e:u:p\nh:5432:d:v:p\nh:5432:d:u:last", "last", 5},
    {"h:5432:d:u:first\nh:5432:d:u:second", "first", 1},
    {"*:*:*:*:p", "p", 1},
    {"h:*:*:*:p", "p", 1},
    {"**:5432:d:u:p", NULL, 0},
    {"*h:5432:d:u:p", NULL, 0},
    {"*", NULL, 0},
    {"h*:5432:d:u:p", NULL, 0},
    {"h:5432:d:u:", "", 1},
    {"h:5432:d:u:\nh:5432:d:u:p", "", 1},
    {"h:5432:d:u", NULL, 0},
    {"h:5432:d", NULL, 0},
    {"h", NULL, 0},
    {"hh:5432:d:u:p", NULL, 0},
    {":5432:d:u:p", NULL, 0},
    {"\\h:\\5432:d:u:p", "p", 1},
    {"h\\:5432:d:u:p", NULL, 0},
    {"h\\", NULL, 0},
    {"h:5432:d:u:p\\:q", "p:q", 1},
    {"h:5432:d:u:p\\\\q", "p\\q", 1},
    {"h:5432:d:u:p\\", "p\\", 1},
    {"h:5432:d:u:\\a\\b", "ab", 1},
    {"h:5432:d:u:p:rest", "p", 1},
    {"h:5432:d:u:p q ", "p q ", 1},
    {"h:5432:d:u:#", "#", 1},
    {"H:5432:d:u:p", NULL, 0},
};

START_TEST(lines_fit_as_in_libpq)
{
    size_t len = strlen(rows[_i].text);
    char *text = malloc(len + 1); /* exactly, so that the address sanitizer sees one byte more */
    tusk__passfile_key key = {tusk_str_of("h"), tusk_str_of("5432"), tusk_str_of("d"), tusk_str_of("u")};
    tusk_str password = {NULL, 0};
    unsigned line;
    bool found;

    memcpy(text, rows[_i].text, len);
    found = tusk__passfile_find(text, len, &key, &password, &line);
    ck_assert_msg(found == (rows[_i].password != NULL), "%s", rows[_i].text);
    if (found) {
        password = tusk__passfile_unescape(password, text);
        ck_assert_msg(tusk_str_is(password, rows[_i].password), "%s", rows[_i].text);
        ck_assert_uint_eq(line, rows[_i].line);
    }
    free(text);
}
END_TEST

START_TEST(fields_with_colons_and_backslashes_are_escaped)
{
    char text[] = "a\\:b:5432:c\\\\d:e\\:\\\\:p";
    tusk__passfile_key key = {tusk_str_of("a:b"), tusk_str_of("5432"), tusk_str_of("c\\d"), tusk_str_of("e:\\")};
    tusk_str password;
    unsigned line;

    ck_assert(tusk__passfile_find(text, sizeof text - 1, &key, &password, &line));
    ck_assert(tusk_str_is(password, "p"));
}
END_TEST

/* libpq's own code lets a colon in a value stand unescaped in the file. */
START_TEST(an_unescaped_colon_fits_a_colon)
{
    char text[] = "::1:5432:d:u:p";
    tusk__passfile_key key = {tusk_str_of("::1"), tusk_str_of("5432"), tusk_str_of("d"), tusk_str_of("u")};
    tusk_str password;
    unsigned line;

    ck_assert(tusk__passfile_find(text, sizeof text - 1, &key, &password, &line));
    ck_assert(tusk_str_is(password, "p"));
}
END_TEST

START_TEST(a_line_with_a_nul_fits_nothing)
{
    char text[] = "h:5432:d:u:p\0q\n*:*:*:*:r";
    tusk__passfile_key key = {tusk_str_of("h"), tusk_str_of("5432"), tusk_str_of("d"), tusk_str_of("u")};
    tusk_str password;
    unsigned line;

    ck_assert(tusk__passfile_find(text, sizeof text - 1, &key, &password, &line));
    ck_assert(tusk_str_is(password, "r"));
    ck_assert_uint_eq(line, 2);
}
END_TEST

START_TEST(a_line_may_be_long)
{
    enum { LEN = 100000 };
    char *text = malloc(LEN + 32);
    size_t n = (size_t)snprintf(text, 32, "*:*:*:*:");
    tusk__passfile_key key = {tusk_str_of("h"), tusk_str_of("5432"), tusk_str_of("d"), tusk_str_of("u")};
    tusk_str password;
    unsigned line;

    memset(text + n, 'x', LEN);
    ck_assert(tusk__passfile_find(text, n + LEN, &key, &password, &line));
    ck_assert_uint_eq(password.len, LEN);
    free(text);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("passfile");
    TCase *tcase = tcase_create("lines");

    tcase_add_loop_test(tcase, lines_fit_as_in_libpq, 0, N_OF(rows));
    tcase_add_test(tcase, fields_with_colons_and_backslashes_are_escaped);
    tcase_add_test(tcase, an_unescaped_colon_fits_a_colon);
    tcase_add_test(tcase, a_line_with_a_nul_fits_nothing);
    tcase_add_test(tcase, a_line_may_be_long);
    suite_add_tcase(suite, tcase);
    return suite;
}
