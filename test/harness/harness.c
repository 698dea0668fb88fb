/*
 * The helpers of harness.h. Nothing here knows the driver.
 */
#include "test/harness/harness.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_STRINGS = 8, STRING_SIZE = 1024 };

__attribute__((format(printf, 1, 2))) static const char *format_string(const char *format, ...)
{
    static char strings[N_STRINGS][STRING_SIZE];
    static unsigned next;
    char *string = strings[next++ % N_STRINGS];
    va_list args;

    va_start(args, format);
    int len = vsnprintf(string, STRING_SIZE, format, args);
    va_end(args);
    ck_assert_msg(len >= 0 && len < STRING_SIZE, "longer than %d bytes: %s", STRING_SIZE, string);
    return string;
}

const char *harness_env(const char *name)
{
    const char *value = getenv(name);

    ck_assert_msg(value != NULL, "%s is not set: run this program through test/harness/run", name);
    return value;
}

const char *harness_dsn_with(const char *role, const char *options)
{
    return format_string("postgresql://%s:pw-%s@%s:%s/tusk?%s", role, role, harness_env("TUSK_TEST_HOST"),
                         harness_env("TUSK_TEST_PORT"), options);
}

const char *harness_dsn(const char *role)
{
    return harness_dsn_with(role, format_string("sslmode=verify-full&sslrootcert=%s", harness_env("TUSK_TEST_CA")));
}

const char *harness_tls(const char *name)
{
    return format_string("%s/%s", harness_env("TUSK_TEST_TLS"), name);
}

long harness_number(const char *name, long fallback)
{
    const char *value = getenv(name);

    return value != NULL ? strtol(value, NULL, 10) : fallback;
}

void harness_note(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    printf("note: ");
    vprintf(format, args);
    printf("\n");
    va_end(args);
    fflush(stdout); /* Check's child may end by a signal */
}

void harness_skip(const char *what, const char *why)
{
    const char *path = getenv("TUSK_TEST_SKIPS");
    FILE *file = path != NULL ? fopen(path, "a") : NULL;

    fprintf(file != NULL ? file : stderr, "%s (%s)\n", what, why);
    if (file != NULL)
        fclose(file);
}

int harness_open_fds(void)
{
    DIR *dir = opendir("/dev/fd");
    int n = 0;

    ck_assert_ptr_nonnull(dir);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n - 3; /* ".", ".." and the descriptor of this very directory */
}
