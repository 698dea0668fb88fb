/* Logins that others judge than the server itself: a directory (OpenLDAP), PAM, and the authority behind a client certificate. What a
 * user reads when the verdict is no, and that a password goes in the clear to nobody who is not proved (D26).
 * Read first: test/harness/judges. */
#include "test/live/live.h"

enum { LDAP, PAM, N_JUDGES };

static const char *const names[] = {[LDAP] = "ldap", [PAM] = "pam"};
static char port[16], why_not[N_JUDGES][128]; /* "": it judges */

/* ---- the server and its judges ------------------------------------------------------------------------------------------------------ */

static bool is_built_for(tusk_conn *admin, int judge)
{
    return number_on(admin,
                     textf("select count(*) from pg_config where name = 'CONFIGURE' and setting like '%%--with-%s%%'",
                           names[judge])) == 1;
}

/* "port 12345", "ldap yes", "pam no: it is raining" */
static void read_verdict(const char *line)
{
    (void)sscanf(line, "port %15[0-9]", port);
    for (int i = 0; i < N_JUDGES; i++) {
        size_t len = strlen(names[i]);

        if (strncmp(line, names[i], len) == 0)
            (void)sscanf(line + len, " %*[^:]: %127[^\n]", why_not[i]);
    }
}

static void start_server(const char *judges)
{
    FILE *out =
        popen(textf("test/harness/judges start '%s' %s 2>/dev/null", harness_env("TUSK_TEST_DIR"), judges), "r");
    char line[256];

    ck_assert_ptr_nonnull(out);
    while (fgets(line, sizeof line, out))
        read_verdict(line);
    ck_assert_int_eq(pclose(out), 0);
    ck_assert_str_ne(port, "");
}

static void create_roles(void)
{
    static const char *const roles[] = {"t_ldap", "t_ldap_search", "t_ldap_down", "t_pam", "t_cert", "t_scram"};
    tusk_conn *admin = tusk_connect(
        loop, textf("host=127.0.0.1 port=%s user=drv password=pw-drv dbname=postgres sslmode=disable", port));

    for (int i = 0; i < N_OF(roles); i++)
        run_on(admin, textf("create role %s login password 'pw-%s'", roles[i], roles[i]));
    disconnect(admin);
}

static void start(void)
{
    tusk_conn *admin;
    char judges[32] = "";

    live_loop_up();
    admin = connect_plain();
    for (int i = 0; i < N_JUDGES; i++)
        if (is_built_for(admin, i))
            (void)snprintf(judges + strlen(judges), sizeof judges - strlen(judges), "%s ", names[i]);
        else
            (void)snprintf(why_not[i], sizeof why_not[i], "this server is built without");
    disconnect(admin);
    start_server(judges);
    create_roles();
    live_down();
    for (int i = 0; i < N_JUDGES; i++)
        if (why_not[i][0])
            harness_skip(textf("logins judged by %s", names[i]), why_not[i]);
}

static void stop(void)
{
    ck_assert_int_eq(system(textf("test/harness/judges stop '%s'", harness_env("TUSK_TEST_DIR"))), 0);
}

static const char *dsn_of(const char *role, const char *more)
{
    return textf("host=localhost hostaddr=127.0.0.1 port=%s dbname=postgres user=%s sslrootcert=%s %s", port, role,
                 harness_env("TUSK_TEST_CA"), more);
}

/* The text with the value in the place of what is there. */
static const char *with_value(const char *text, const char *what, const char *value)
{
    const char *place = strstr(text, what);

    return place ? textf("%.*s%s%s", (int)(place - text), text, value, place + strlen(what)) : text;
}

/* ---- passwords ---------------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *role, *name;
    int judge;
} judged[] = {
    {"t_ldap", "LDAP", LDAP},
    {"t_ldap_search", "LDAP", LDAP},
    {"t_pam", "PAM", PAM},
};

#define IN_THE_CLEAR "the server asks for the password in the clear, and nothing proves who it is"
#define CONSENT "Connect with sslmode=verify-full, or consent by require_auth=password."
#define FAILED "authentication failed"

/* %p: the right password */
static const struct {
    const char *with, *sqlstate, *message, *hint;
} attempts[] = {
    {"sslmode=verify-full password=%p", "", "", ""},
    {"sslmode=verify-full password=wrong", "28000", FAILED, ""},
    {"sslmode=verify-full password='%p '", "28000", FAILED, ""},
    {"sslmode=verify-full", "28P01", "the server asks for a password (cleartext), but none was given",
     "Give it in the connection string, as tusk_config.password, by PGPASSWORD or in a password file."},
    {"sslmode=disable password=%p", "28000", IN_THE_CLEAR, CONSENT},
    {"sslmode=prefer password=%p", "28000", IN_THE_CLEAR, CONSENT},
    {"sslmode=require password=%p", "28000", IN_THE_CLEAR, CONSENT},
    {"sslmode=verify-ca password=%p", "28000", IN_THE_CLEAR, CONSENT},
    {"sslmode=disable require_auth=password password=%p", "", "", ""},
    {"sslmode=disable require_auth=password password=wrong", "28000", FAILED, ""},
    {"sslmode=require require_auth=md5,password password=%p", "", "", ""},
    {"sslmode=disable require_auth=!md5 password=%p", "28000", IN_THE_CLEAR, CONSENT}, /* that names no consent */
    {"sslmode=verify-full require_auth=scram-sha-256 password=%p", "28000",
     "the server asks for cleartext password authentication, which require_auth=scram-sha-256 does not allow",
     "To allow it, add password to require_auth."},
    {"sslmode=verify-full channel_binding=require password=%p", "28000",
     "channel binding is required, but the server asks for cleartext password authentication", ""},
};

START_TEST(d26_password_that_another_judges_comes_in_or_hears_why_not)
{
    const char *role = judged[_i].role;

    for (int i = 0; i < N_OF(attempts) && !why_not[judged[_i].judge][0]; i++) {
        tusk_error err = login(dsn_of(role, with_value(attempts[i].with, "%p", textf("pw-%s", role))));
        bool is_judged = strcmp(attempts[i].message, FAILED) == 0;

        ck_assert_msg((err.code == TUSK_OK) == !attempts[i].message[0], "%s, %s: %s", role, attempts[i].with,
                      said(&err));
        if (err.code == TUSK_OK)
            continue;
        ck_error(&err, TUSK_ERR_AUTH, attempts[i].sqlstate,
                 is_judged ? textf("%s authentication failed for user \"%s\"", judged[_i].name, role)
                           : attempts[i].message);
        ck_assert_str_eq(err.where, textf("connect localhost:%s: login", port));
        ck_assert_str_eq(err.hint, attempts[i].hint);
        ck_assert(tusk_error_is_fatal(&err));
        ck_assert(!tusk_error_is_retriable(&err));
    }
}
END_TEST

/* It is this role that is in, and not the judge's. */
START_TEST(who_is_let_in_is_who_he_says)
{
    tusk_conn *conn;

    if (why_not[judged[_i].judge][0])
        return;
    conn = tusk_connect(loop, dsn_of(judged[_i].role, textf("sslmode=verify-full password=pw-%s", judged[_i].role)));
    ck_assert_int_eq(number_on(conn, textf("select count(*) from pg_stat_activity where pid = pg_backend_pid() and "
                                           "usename = '%s'",
                                           judged[_i].role)),
                     1);
    disconnect(conn);
}
END_TEST

/* To the user a directory that is not there is one that says no: why, only the server's log knows. */
START_TEST(directory_that_is_down_lets_nobody_in)
{
    tusk_error err;

    if (why_not[LDAP][0])
        return;
    err = login(dsn_of("t_ldap_down", "sslmode=verify-full password=pw-t_ldap_down"));
    ck_error(&err, TUSK_ERR_AUTH, "28000", "LDAP authentication failed for user \"t_ldap_down\"");
}
END_TEST

/* ---- certificates -------------------------------------------------------------------------------------------------------------------- */

#define OF_FILES "tls files"
#define OF_LINK "link"

/* clang-format off */
static const struct {
    const char *certificate, *key, *more;
    tusk_code code;
    const char *sqlstate, *message, *where;
} certificates[] = {
    {"client", "client", "", TUSK_OK, "", "", ""},
    {"client", "client_encrypted", "sslpassword=tusk-key", TUSK_OK, "", "", ""},
    {"client", "client_encrypted", "sslpassword=wrong", TUSK_ERR_CONFIG, "08001",
     "the client key file \"%t/client_encrypted.key\" is encrypted, and not with the password that was given", OF_FILES},
    {"client", "client_encrypted", "", TUSK_ERR_CONFIG, "08001",
     "the client key file \"%t/client_encrypted.key\" is encrypted, and no password for it was given", OF_FILES},
    {"client", "client_expired", "", TUSK_ERR_CONFIG, "08001",
     "the client key in \"%t/client_expired.key\" is not that of the client certificate", OF_FILES},
    {"client_expired", "client_expired", "", TUSK_ERR_TLS, "08001", "our certificate has expired, says the server", OF_LINK},
    {"client_revoked", "client_revoked", "", TUSK_ERR_TLS, "08001", "our certificate has been revoked, says the server", OF_LINK},
    {"client_foreign", "client_foreign", "", TUSK_ERR_TLS, "08001", "the server does not know the authority of our certificate", OF_LINK},
    {"ed25519", "ed25519", "", TUSK_ERR_TLS, "08001", "the server does not take certificates like ours", OF_LINK},
    {"client", "client", "sslcertmode=disable", TUSK_ERR_AUTH, "28000", "connection requires a valid client certificate", "login"},
    {NULL, NULL, "", TUSK_ERR_AUTH, "28000", "connection requires a valid client certificate", "login"},
};
/* clang-format on */

static const char *files_of(int row)
{
    const char *certificate = certificates[row].certificate;

    if (!certificate)
        return "";
    return textf("sslcert=%s sslkey=%s", harness_tls(textf("%s.crt", certificate)),
                 harness_tls(textf("%s.key", certificates[row].key)));
}

/* In TLS 1.2 the handshake waits for the verdict, in 1.3 it comes behind: the user reads the same. */
START_TEST(certificate_is_judged_by_its_authority)
{
    static const char *const versions[] = {"TLSv1.2", "TLSv1.3"};

    for (int i = 0; i < N_OF(versions); i++) {
        tusk_error err = login(dsn_of("t_cert", textf("sslmode=verify-full ssl_max_protocol_version=%s %s %s",
                                                      versions[i], files_of(_i), certificates[_i].more)));
        const char *where = strcmp(certificates[_i].where, OF_LINK) != 0 ? certificates[_i].where
                            : i == 0                                     ? "tls handshake"
                                                                         : "login";

        ck_assert_msg((err.code == TUSK_OK) == (certificates[_i].code == TUSK_OK), "%d: %s", _i, said(&err));
        if (err.code == TUSK_OK)
            continue;
        ck_error(&err, certificates[_i].code, certificates[_i].sqlstate,
                 with_value(certificates[_i].message, "%t", harness_env("TUSK_TEST_TLS")));
        ck_assert_str_eq(err.where, textf("connect localhost:%s: %s", port, where));
        ck_assert(tusk_error_is_fatal(&err));
        ck_assert(!tusk_error_is_retriable(&err));
    }
}
END_TEST

/* Where nobody has to show one it is asked for all the same, and one that is no good is no better than elsewhere. */
START_TEST(bad_certificate_is_in_the_way_of_other_logins_too)
{
    tusk_error with =
        login(dsn_of("t_scram", textf("sslmode=verify-full password=pw-t_scram sslcert=%s sslkey=%s",
                                      harness_tls("client_revoked.crt"), harness_tls("client_revoked.key"))));
    tusk_error without = login(dsn_of("t_scram", "sslmode=verify-full password=pw-t_scram"));

    ck_error(&with, TUSK_ERR_TLS, "08001", "our certificate has been revoked, says the server");
    ck_assert_msg(without.code == TUSK_OK, "%s", said(&without));
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("judged_live");
    TCase *tcase = tcase_create("judged_live");

    tcase_add_unchecked_fixture(tcase, start, stop);
    tcase_add_checked_fixture(tcase, live_loop_up, live_down);
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, d26_password_that_another_judges_comes_in_or_hears_why_not, 0, N_OF(judged));
    tcase_add_loop_test(tcase, who_is_let_in_is_who_he_says, 0, N_OF(judged));
    tcase_add_test(tcase, directory_that_is_down_lets_nobody_in);
    tcase_add_loop_test(tcase, certificate_is_judged_by_its_authority, 0, N_OF(certificates));
    tcase_add_test(tcase, bad_certificate_is_in_the_way_of_other_logins_too);
    suite_add_tcase(suite, tcase);
    return suite;
}
