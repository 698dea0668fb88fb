/* What the tests behind a real PgBouncer share: test/harness/pooler is started once for a suite's program, or skipped aloud.
 * Read first: test/harness/pooler, test/live/live.h. */
#ifndef TUSK_TEST_LIVE_POOLER_H
#define TUSK_TEST_LIVE_POOLER_H

#include "test/live/live.h"

static char pooler_port[16], pooler_why_not[128]; /* … it is not there: the tests return at once */
static int pooler_minor LIVE_UNUSED;              /* of PgBouncer's version: 1.x */

/* An unchecked fixture; words: "NAME=value …", in front of the command, as the program's environment. */
static void pooler_start_with(const char *words)
{
    FILE *out = popen(textf("%s test/harness/pooler start '%s' 2>/dev/null", words, harness_env("TUSK_TEST_DIR")), "r");
    char line[256] = "";

    ck_assert_ptr_nonnull(out);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, out));
    ck_assert_int_eq(pclose(out), 0);
    (void)sscanf(line, "port %15[0-9] version 1.%d", pooler_port, &pooler_minor);
    if (sscanf(line, "no: %127[^\n]", pooler_why_not) == 1)
        harness_skip("PgBouncer", pooler_why_not);
    else
        ck_assert_str_ne(pooler_port, "");
}

LIVE_UNUSED static void pooler_start(void)
{
    pooler_start_with("");
}

static void pooler_stop(void)
{
    ck_assert_int_eq(system(textf("test/harness/pooler stop '%s'", harness_env("TUSK_TEST_DIR"))), 0);
}

/* A connection by its database "session" or "transaction". */
static tusk_conn *pooler_connect(const char *dbname, const char *pooler)
{
    tusk_conn *conn =
        tusk_connect(loop, textf("host=127.0.0.1 port=%s user=drv password=pw-drv dbname=%s sslmode=disable pooler=%s",
                                 pooler_port, dbname, pooler));

    ck_assert_ptr_nonnull(conn);
    return conn;
}

#endif
