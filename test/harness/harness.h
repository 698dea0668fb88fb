/*
 * What every test program shares: the throwaway server's addresses, skipping aloud, counting file descriptors.
 * Does not start anything: test/harness/run does, and hands the addresses over in the environment (test/harness/server).
 * Each test program defines tusk_suite(); main() is in test/harness/main.c.
 */
#ifndef TUSK_TEST_HARNESS_H
#define TUSK_TEST_HARNESS_H

#include <check.h>
#include <stdbool.h>

/* The test program's suite; main() runs it. */
Suite *tusk_suite(void);

/*
 * The value of a TUSK_TEST_… variable; fails the running test if it is not set, since then no server was started.
 * Lives as long as the process.
 */
const char *harness_env(const char *name);

/*
 * A DSN for role (drv, t_scram, t_cert, …: see test/harness/server) on the throwaway server, database tusk, password pw-<role>.
 * harness_dsn is a verified TLS connection; options is what follows the question mark instead ("sslmode=disable").
 * The string is the caller's until the eighth next call.
 */
const char *harness_dsn(const char *role);
const char *harness_dsn_with(const char *role, const char *options);

/* The path of a file in the server's tls folder ("client.crt"); the caller's until the eighth next call. */
const char *harness_tls(const char *name);

/* A number from the environment, or fallback: harness_number("TUSK_SIM_SEEDS", 100). */
long harness_number(const char *name, long fallback);

/* A line for the reader of a run that passes: how many cases there were, what came of them. Begins a line of its own. */
void harness_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says that an optional part did not run and why; the totals name it. The caller then returns from its test. */
void harness_skip(const char *what, const char *why);

/* How many file descriptors this process has open: to be compared before and after. */
int harness_open_fds(void);

#endif
