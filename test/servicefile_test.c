/* Tests of lib/servicefile: the section that is read, and what is wrong with one, as libpq 18 has it.
 * Read first: lib/servicefile.h. */
#include <stdio.h>

#include "lib/servicefile.h"
#include "test/harness/harness.h"

#define N_OF(table) (int)(sizeof(table) / sizeof(table)[0])

/* values: "name=value@line|…" in the order of the table; NULL: there is no such section */
static const struct {
    const char *text, *values;
} readable[] = {
    {"", NULL},
    {"host=h\n", NULL},
    {"[t]\nhost=h\n", NULL},
    {"[ss]\nhost=h\n", NULL},
    {"[s]", ""},
    {"[s]\nhost=h", "host=h@2|"},
    {"[s]\r\nhost=h\r\n", "host=h@2|"},
    {"  [s]  \n\t host=h \f\n", "host=h@2|"},
    {"[s] and more\nhost=h", "host=h@2|"},
    {"[s]host=x\nhost=h", "host=h@2|"},
    {"# c\n\n[s]\n#host=x\nhost=h\n", "host=h@5|"},
    {"[s]\nhost=h\n#port=x\nport=5\n", "host=h@2|port=5@4|"},
    {"[s]\nhost=a\nhost=b\n", "host=a@2|"},
    {"[s]\nhost=\nport=5", "host=@2|port=5@3|"},
    {"[s]\nhost= h\n", "host= h@2|"},
    {"[s]\noptions=-c a=b\n", "options=-c a=b@2|"},
    {"[s]\nuser='u'\n", "user='u'@2|"},
    {"[s]\nhost=a\n[s]\nhost=b\nport=5", "host=a@2|"},
    {"[t]\nnonsense\n[s]\nhost=h\n[t]\nnonsense", "host=h@4|"},
    {"[t]\nhost=x\n[s]\nhost=h\n", "host=h@4|"},
    {"[s]\nsslcert=c\n", "sslcert=c@2|"},
};

static tusk_code read_text(const char *text, size_t len, tusk__param_values *values, bool *found, tusk_error *err)
{
    return tusk__servicefile_read(tusk_str_from(text, len), "/f", tusk_str_of("s"), values, found, err);
}

START_TEST(sections_are_read_as_in_libpq)
{
    tusk__param_values values = {0};
    tusk_error err = {0};
    char shown[256] = "";
    size_t len = 0;
    bool found;

    ck_assert_msg(read_text(readable[_i].text, strlen(readable[_i].text), &values, &found, &err) == TUSK_OK, "%s",
                  err.message);
    ck_assert_int_eq(found, readable[_i].values != NULL);
    for (size_t i = 0; i < TUSK__N_PARAMS; i++)
        if (values.text[i].ptr) {
            ck_assert_int_eq(values.origin[i].kind, TUSK__FROM_SERVICE_FILE);
            len += (size_t)snprintf(shown + len, sizeof shown - len, "%s=" TUSK_STR_FMT "@%u|", tusk__params[i].name,
                                    TUSK_STR_ARG(values.text[i]), values.origin[i].line);
        }
    ck_assert_str_eq(shown, readable[_i].values ? readable[_i].values : "");
}
END_TEST

START_TEST(what_was_given_already_stays)
{
    static const char text[] = "[s]\nhost=h\nport=5\n";
    tusk__param_values values = {0};
    bool found;

    values.text[TUSK__PARAM_HOST] = tusk_str_of("");
    ck_assert_int_eq(read_text(text, sizeof text - 1, &values, &found, NULL), TUSK_OK);
    ck_assert_uint_eq(values.text[TUSK__PARAM_HOST].len, 0);
    ck_assert(tusk_str_is(values.text[TUSK__PARAM_PORT], "5"));
}
END_TEST

static const struct {
    const char *text, *message;
} refused[] = {
    {"[s]\nnonsense\n", "line 2 of the service file /f has no \"=\""},
    {"[s]\n\nhosst=h\n", "line 3 of the service file /f has an unknown parameter; did you mean host?"},
    {"[s]\nhost =h\n", "line 2 of the service file /f has a blank in front of its \"=\", and none is allowed there"},
    {"[s]\nhost\t = h\n", "line 2 of the service file /f has a blank in front of its \"=\", and none is allowed there"},
    {"[s]\nhosst =h\n", "line 2 of the service file /f has an unknown parameter; did you mean host?"},
    {"[s]\nzzzzzzzzzzzz=h\n", "line 2 of the service file /f has an unknown parameter"},
    {"[s]\nrequiressl=1\n", "line 2 of the service file /f has an unknown parameter; did you mean requirepeer?"},
    {"[s]\nservice=t\n", "line 2 of the service file /f names another service, and services cannot be nested"},
    {"[s]\nldap://h/x?y?z\n", "line 2 of the service file /f asks for a look-up in LDAP, which is not in this driver"},
};

START_TEST(what_is_wrong_is_told_by_file_and_line)
{
    tusk__param_values values = {0};
    tusk_error err = {0};
    bool found;

    ck_assert_int_eq(read_text(refused[_i].text, strlen(refused[_i].text), &values, &found, &err), TUSK_ERR_CONFIG);
    ck_assert_str_eq(err.message, refused[_i].message);
}
END_TEST

/* fgets() with libpq's buffer: 1022 bytes with the line's end. */
START_TEST(a_line_has_1022_bytes_at_most)
{
    char text[2048];
    tusk__param_values values = {0};
    tusk_error err = {0};
    size_t n = (size_t)snprintf(text, sizeof text, "[s]\nuser=");
    bool found;

    memset(text + n, 'x', sizeof text - n);
    text[4 + 1021] = '\n';
    ck_assert_int_eq(read_text(text, 4 + 1022, &values, &found, &err), TUSK_OK);
    ck_assert_uint_eq(values.text[TUSK__PARAM_USER].len, 1021 - 5);
    text[4 + 1021] = 'x';
    ck_assert_int_eq(read_text(text, 4 + 1022, &values, &found, &err), TUSK_OK);
    ck_assert_int_eq(read_text(text, 4 + 1023, &values, &found, &err), TUSK_ERR_CONFIG);
    ck_assert_str_eq(err.message, "line 2 of the service file /f is too long");
}
END_TEST

START_TEST(a_nul_is_refused)
{
    static const char text[] = "[s]\nuser=a\0b\n";
    tusk__param_values values = {0};
    tusk_error err = {0};
    bool found;

    ck_assert_int_eq(read_text(text, sizeof text - 1, &values, &found, &err), TUSK_ERR_CONFIG);
    ck_assert_str_eq(err.message, "line 2 of the service file /f has a NUL byte");
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("servicefile");
    TCase *tcase = tcase_create("sections");

    tcase_add_loop_test(tcase, sections_are_read_as_in_libpq, 0, N_OF(readable));
    tcase_add_test(tcase, what_was_given_already_stays);
    tcase_add_loop_test(tcase, what_is_wrong_is_told_by_file_and_line, 0, N_OF(refused));
    tcase_add_test(tcase, a_line_has_1022_bytes_at_most);
    tcase_add_test(tcase, a_nul_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
