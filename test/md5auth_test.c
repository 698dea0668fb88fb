/* Tests of proto/md5auth against digests that Python's hashlib computed, and of its failures.
 * Not tested here: whether MD5 may be answered at all (the connection's business).
 * Read first: proto/md5auth.h. */
#include "lib/crypto.h"
#include "proto/md5auth.h"
#include "test/harness/harness.h"

static tusk_code fail_at; /* what the failing md5 returns */
static int calls_left;
static int n_wiped;

static tusk_code failing_md5(void *user, const tusk_str *parts, size_t n_parts, uint8_t out[TUSK__MD5_LEN])
{
    if (calls_left-- == 0)
        return fail_at;
    return tusk__crypto_openssl()->md5(user, parts, n_parts, out);
}

static void counting_wipe(void *p, size_t len)
{
    n_wiped++;
    tusk__crypto_openssl()->wipe(p, len);
}

START_TEST(md5auth_refuses_a_missing_password)
{
    char out[TUSK__MD5AUTH_LEN];
    tusk_error err = {0};

    ck_assert_int_eq(
        tusk__md5auth(tusk__crypto_openssl(), tusk_str_of("u"), tusk_str_of(""), (const uint8_t *)"salt", out, &err),
        TUSK_ERR_AUTH);
    ck_assert_str_eq(err.sqlstate, "28P01");
}
END_TEST

/* Row i: the i-th call of the crypto library fails. */
START_TEST(md5auth_passes_a_failure_of_the_crypto_library_on_and_wipes)
{
    tusk__crypto crypto = *tusk__crypto_openssl();
    char out[TUSK__MD5AUTH_LEN] = "";
    tusk_error err = {0};

    crypto.md5 = failing_md5;
    crypto.wipe = counting_wipe;
    calls_left = _i;
    n_wiped = 0;
    fail_at = _i == 0 ? TUSK_ERR_NOMEM : TUSK_ERR_SYSTEM;
    ck_assert_int_eq(tusk__md5auth(&crypto, tusk_str_of("u"), tusk_str_of("p"), (const uint8_t *)"salt", out, &err),
                     fail_at);
    ck_assert_int_eq(err.code, fail_at);
    ck_assert_int_eq(n_wiped, 2 + _i);
    ck_assert(out[0] != 'm');
}
END_TEST

static const char p1000[] =
#define P50 "pppppppppppppppppppppppppppppppppppppppppppppppppp"
#define P250 P50 P50 P50 P50 P50
    P250 P250 P250 P250;

static const struct {
    const char *user, *password, *salt, *answer;
} vectors[] = {
    {"postgres", "secret", "\1\2\3\4", "md5bb41a296aab6baccb36ff243a562abff"},
    {"", "x", "\0\0\0\0", "md550a52106017b19f178481a2317e40387"},
    {"user", "pencil", "\377\376\0\200", "md573d14803196841686415aa70d9d9af11"},
    {"j\303\274rgen", "p\303\244ssword", "salt", "md5021654e8cfd8326229bfca5e328c0b20"},
    {"uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu", p1000, "abcd",
     "md57272497e4d19ccae4dafce18df24b7f8"},
};

START_TEST(md5auth_answers_as_postgresql_expects)
{
    char out[TUSK__MD5AUTH_LEN];

    ck_assert_int_eq(tusk__md5auth(tusk__crypto_openssl(), tusk_str_of(vectors[_i].user),
                                   tusk_str_of(vectors[_i].password), (const uint8_t *)vectors[_i].salt, out, NULL),
                     TUSK_OK);
    ck_assert(tusk_str_is(tusk_str_from(out, sizeof out), vectors[_i].answer));
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *s = suite_create("md5auth");
    TCase *t = tcase_create("md5auth");

    tcase_add_test(t, md5auth_refuses_a_missing_password);
    tcase_add_loop_test(t, md5auth_passes_a_failure_of_the_crypto_library_on_and_wipes, 0, 2);
    tcase_add_loop_test(t, md5auth_answers_as_postgresql_expects, 0, (int)(sizeof vectors / sizeof vectors[0]));
    suite_add_tcase(s, t);
    return s;
}
