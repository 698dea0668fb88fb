/* Every allocation fails in turn, once and from then on: ours all of them, OpenSSL's a sample (all with TUSK_FAULT_FULL=1).
 * Whatever fails: right rows or an error, never a skipped check, never a leak of ours.
 * Read first: scenario.h, reliability G2. */
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "test/harness/scenario.h"
#include "test/harness/fail_alloc.h"
#include "test/harness/harness.h"

typedef struct run {
    fail_alloc ours, openssl;
    const char *dsn;
} run;

static fail_alloc *openssl_counter; /* OpenSSL's hooks carry no argument */

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return fail_alloc_hits(openssl_counter) ? NULL : malloc(size);
}

static void *openssl_realloc(void *ptr, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return fail_alloc_hits(openssl_counter) ? NULL : realloc(ptr, size);
}

static void openssl_free(void *ptr, const char *file, int line)
{
    (void)file, (void)line;
    free(ptr);
}

static bool count_openssl(run *r)
{
    openssl_counter = &r->openssl;
    return CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1;
}

/* What nobody who uses OpenSSL can prevent: 3.5 waits for itself for ever if its locks cannot be had when it begins. */
static outcome begin_openssl_alone(void *arg)
{
    if (!count_openssl(arg))
        return OUTCOME_CRASH;
    SSL_CTX_free(SSL_CTX_new(TLS_client_method()));
    return OUTCOME_RIGHT;
}

static outcome run_once(void *arg)
{
    run *r = arg;
    outcome o;

    if (!count_openssl(r))
        return OUTCOME_CRASH;
    o = scenario_run(tusk__os_real(), &r->ours.allocator, r->dsn);
    return !outcome_is_bad(o) && r->ours.live != 0 ? OUTCOME_LEAK : o;
}

/* In memory that the child shares with us, so that its counts can be read. */
static run *shared_run(void)
{
    static run *r;

    if (!r)
        r = mmap(NULL, sizeof *r, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(r != MAP_FAILED);
    return r;
}

static outcome fail_one(bool openssl, long index, bool from_then_on, const char *dsn)
{
    run *r = shared_run();
    outcome o;

    r->dsn = dsn;
    fail_alloc_init(&r->ours, openssl ? 0 : index, from_then_on);
    fail_alloc_init(&r->openssl, openssl ? index : 0, from_then_on);
    o = scenario_in_child(run_once, r);
    if (o != OUTCOME_HANG || !openssl)
        return o;
    fail_alloc_init(&r->openssl, index, from_then_on);
    return scenario_in_child(begin_openssl_alone, r) == OUTCOME_HANG ? OUTCOME_NOT_OURS : OUTCOME_HANG;
}

static long count_allocations(bool openssl, const char *dsn)
{
    (void)fail_one(openssl, 0, false, dsn);
    return openssl ? shared_run()->openssl.n : shared_run()->ours.n;
}

static void fail_each(bool openssl, bool from_then_on, const char *dsn, long step, const char *title)
{
    long n = count_allocations(openssl, dsn);
    tally t = {0};
    char line[160];

    ck_assert_int_gt(n, 0);
    for (long i = 1; i <= n; i += step)
        tally_add(&t, fail_one(openssl, i, from_then_on, dsn), "allocation", i);
    (void)snprintf(line, sizeof line, "%s, %s (%ld indices, 1 in %ld)", title, from_then_on ? "from then on" : "once",
                   n, step);
    tally_print(&t, line);
}

static long openssl_step(void)
{
    return harness_number("TUSK_FAULT_FULL", 0) ? 1 : 199;
}

START_TEST(each_of_our_allocations_fails)
{
    fail_each(false, _i == 1, NULL, 1, "our allocations");
}
END_TEST

START_TEST(each_of_our_allocations_fails_under_a_wrong_certificate)
{
    fail_each(false, _i == 1, scenario_impossible_dsn(), 1, "our allocations, wrong certificate");
}
END_TEST

START_TEST(openssl_allocations_fail)
{
    fail_each(true, _i == 1, NULL, openssl_step(), "OpenSSL's allocations");
}
END_TEST

START_TEST(openssl_allocations_fail_under_a_wrong_certificate)
{
    fail_each(true, _i == 1, scenario_impossible_dsn(), openssl_step(), "OpenSSL's allocations, wrong certificate");
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("fault_alloc");
    TCase *tc = tcase_create("allocations");

    tcase_set_timeout(tc, harness_number("TUSK_FAULT_FULL", 0) ? 3600 : 120);
    tcase_add_loop_test(tc, each_of_our_allocations_fails, 0, 2);
    tcase_add_loop_test(tc, each_of_our_allocations_fails_under_a_wrong_certificate, 0, 2);
    tcase_add_loop_test(tc, openssl_allocations_fail, 0, 2);
    tcase_add_loop_test(tc, openssl_allocations_fail_under_a_wrong_certificate, 0, 2);
    suite_add_tcase(suite, tc);
    return suite;
}
