/* What a program's exit() finds: a helper thread may still be in OpenSSL then, for a loop that was freed, so OpenSSL must not have been
 * told to take itself down. A suite of its own, since whoever uses OpenSSL first decides for the whole process. */
#include <openssl/crypto.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/live/live.h"

static const char *const logins[] = {"user=t_scram password=pw-t_scram sslmode=verify-full",
                                     "user=t_md5 password=pw-t_md5 sslmode=disable"};

/* Registered before OpenSSL's handler could be, so called behind it. */
static void is_openssl_there(void)
{
    if (OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL) != 1)
        _exit(9);
}

static void log_in_and_exit(const char *dsn)
{
    tusk_loop *own = tusk_loop_new();
    tusk_conn *conn;

    if (!own || atexit(is_openssl_there) != 0)
        _exit(3);
    conn = tusk_connect(own, dsn);
    if (tusk_await_free(tusk_conn_ready(conn), NULL) != TUSK_OK)
        _exit(4);
    tusk_conn_free(conn);
    tusk_loop_free(own);
    exit(0);
}

START_TEST(openssl_outlives_the_exit_of_a_program)
{
    const char *dsn = textf("host=localhost hostaddr=127.0.0.1 port=%s dbname=tusk sslrootcert=%s %s",
                            harness_env("TUSK_TEST_PORT"), harness_env("TUSK_TEST_CA"), logins[_i]);
    pid_t child = fork();
    int status = -1;

    if (child == 0)
        log_in_and_exit(dsn);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("exit_live");
    TCase *tcase = tcase_create("exit_live");

    tcase_add_loop_test(tcase, openssl_outlives_the_exit_of_a_program, 0, N_OF(logins));
    suite_add_tcase(suite, tcase);
    return suite;
}
