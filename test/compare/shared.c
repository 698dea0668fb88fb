/* libpq in a process of its own, and what is meant to differ from it.
 * Read first: test/compare/compare.h. */
#include "test/compare/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fail(const char *what)
{
    perror(what);
    exit(2);
}

/* ---- the oracle ------------------------------------------------------------------------------------------------------------ */

static int to_oracle, from_oracle;

void oracle_start(const char *program, const char *libpq)
{
    int down[2], up[2];

    if (pipe(down) != 0 || pipe(up) != 0)
        fail("pipe");
    switch (fork()) {
    case -1:
        fail("fork");
        break;
    case 0:
        dup2(down[0], 0);
        dup2(up[1], 1);
        close(down[1]);
        close(up[0]);
        if (!freopen("/dev/null", "w", stderr)) /* libpq's warnings of password files */
            _exit(2);
        execl(program, program, libpq, (char *)NULL);
        _exit(2);
    default:
        close(down[0]);
        close(up[1]);
        to_oracle = down[1];
        from_oracle = up[0];
    }
}

static void move(int fd, char *p, size_t len, bool is_writing)
{
    while (len > 0) {
        ssize_t n = is_writing ? write(fd, p, len) : read(fd, p, len);

        if (n <= 0)
            fail("oracle");
        p += n;
        len -= (size_t)n;
    }
}

void oracle_ask(const void *frame, size_t len)
{
    static char copy[4 + (1 << 21)];
    uint32_t n = (uint32_t)len;

    memcpy(copy, &n, 4);
    memcpy(copy + 4, frame, len);
    move(to_oracle, copy, 4 + len, true);
}

const char *oracle_answer(size_t *len)
{
    static char *answer;
    uint32_t n;

    move(from_oracle, (char *)&n, 4, false);
    free(answer);
    answer = malloc(n + 1);
    if (!answer)
        fail("malloc");
    move(from_oracle, answer, n, false);
    answer[n] = '\0';
    *len = n;
    return answer;
}

/* ---- what is meant to differ: "who|part of the message|reason" ------------------------------------------------------------------ */

static struct {
    char who[16], part[128], reason[256];
    long seen;
} listed[64];
static int n_listed;

void differences_read(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[512];

    if (!file)
        fail(path);
    while (fgets(line, sizeof line, file))
        if (line[0] != '#' && n_listed < 64 &&
            sscanf(line, "%15[^|]|%127[^|]|%255[^\n]", listed[n_listed].who, listed[n_listed].part,
                   listed[n_listed].reason) == 3)
            n_listed++;
    fclose(file);
}

const char *difference_listed(const char *who, const char *message)
{
    for (int i = 0; i < n_listed; i++)
        if (strcmp(listed[i].who, who) == 0 && strstr(message, listed[i].part)) {
            listed[i].seen++;
            return listed[i].reason;
        }
    return NULL;
}

void differences_print(void)
{
    for (int i = 0; i < n_listed; i++)
        printf("%8ld  only %s refuses, \"%s\": %s\n", listed[i].seen, listed[i].who, listed[i].part, listed[i].reason);
}
