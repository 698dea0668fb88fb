/* target_session_attrs: which servers fit, by what they report and by what they answer. The rules are libpq's (PostgreSQL docs,
 * libpq, "target_session_attrs"; its server tells older ones by asking). */
#include "lib/target.h"

#include "test/harness/harness.h"

#define ON 1
#define OFF 0
#define SILENT (-1)
#define N_OF(array) (sizeof(array) / sizeof(array)[0])

static void report(tusk__params *params, const char *name, int value)
{
    if (value != SILENT)
        ck_assert_int_eq(tusk__params_set(params, tusk_allocator_default(), tusk_str_of(name),
                                          tusk_str_of(value == ON ? "on" : "off"), NULL),
                         TUSK_OK);
}

#define ANY TUSK__SESSION_ANY
#define RW TUSK__SESSION_READ_WRITE
#define RO TUSK__SESSION_READ_ONLY
#define PRIMARY TUSK__SESSION_PRIMARY
#define STANDBY TUSK__SESSION_STANDBY
#define PREFER TUSK__SESSION_PREFER_STANDBY

/* What fits is in capitals, '.' must be asked: any, read-write, read-only, primary, standby, prefer-standby. */
static const struct {
    const char *version;
    int standby, read_only;
    const char *fits;
} reports[] = {
    {"16.4", OFF, OFF, "AWoPsf"},        {"16.4", OFF, ON, "AwOPsf"},         {"14.1", ON, OFF, "AwOpSF"},
    {"18beta1", ON, ON, "AwOpSF"},       {"13.23", SILENT, SILENT, "A....."}, {"13.23", SILENT, OFF, "A....."},
    {"13.23", SILENT, ON, "A....."},     {"16.4", OFF, SILENT, "A..Psf"},     {"16.4", ON, SILENT, "A..pSF"},
    {"9.0.1", SILENT, SILENT, "A....."}, {"8.0.2", SILENT, SILENT, "A..Psf"}, {"8.0.2", ON, OFF, "AwOpSF"},
    {NULL, SILENT, SILENT, "A....."},
};

static char letter(tusk__session_attrs wanted, tusk__fits fits)
{
    static const char letters[] = "AWOPSF";
    char c = letters[wanted];

    return fits == TUSK__FITS ? c : fits == TUSK__FITS_NOT ? (char)(c - 'A' + 'a') : '.';
}

START_TEST(what_a_server_reports_says_whether_it_fits)
{
    tusk__params params = {0};
    char fits[7] = "";

    if (reports[_i].version)
        ck_assert_int_eq(tusk__params_set(&params, tusk_allocator_default(), tusk_str_of("server_version"),
                                          tusk_str_of(reports[_i].version), NULL),
                         TUSK_OK);
    report(&params, "in_hot_standby", reports[_i].standby);
    report(&params, "default_transaction_read_only", reports[_i].read_only);
    for (int wanted = ANY; wanted <= PREFER; wanted++)
        fits[wanted] =
            letter((tusk__session_attrs)wanted, tusk__target_by_params((tusk__session_attrs)wanted, &params));
    tusk__params_clear(&params, tusk_allocator_default());
    ck_assert_str_eq(fits, reports[_i].fits);
}
END_TEST

static const struct {
    tusk__session_attrs wanted;
    const char *answer;
    tusk__fits fits;
} answers[] = {
    {RW, "off", TUSK__FITS},       {RW, "on", TUSK__FITS_NOT},     {RO, "on", TUSK__FITS},
    {RO, "off", TUSK__FITS_NOT},   {PRIMARY, "f", TUSK__FITS},     {PRIMARY, "t", TUSK__FITS_NOT},
    {STANDBY, "t", TUSK__FITS},    {STANDBY, "f", TUSK__FITS_NOT}, {PREFER, "t", TUSK__FITS},
    {PREFER, "f", TUSK__FITS_NOT},
};

START_TEST(what_a_server_answers_says_whether_it_fits)
{
    ck_assert_int_eq(tusk__target_by_answer(answers[_i].wanted, tusk_str_of(answers[_i].answer)), answers[_i].fits);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *s = suite_create("target");
    TCase *t = tcase_create("target");

    tcase_add_loop_test(t, what_a_server_reports_says_whether_it_fits, 0, (int)N_OF(reports));
    tcase_add_loop_test(t, what_a_server_answers_says_whether_it_fits, 0, (int)N_OF(answers));
    suite_add_tcase(s, t);
    return s;
}
