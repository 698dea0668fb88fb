/* PQconninfoParse() and ours, string by string.
 * Read first: test/compare/compare.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/conninfo.h"
#include "test/compare/compare.h"

#define BATCH 1000

static struct {
    long n, accepted, ours, different;
    long given[TUSK__N_LIBPQ_PARAMS]; /* in accepted strings, other than the default */
} counts;

static void show(const char *string, const char *what)
{
    if (counts.different++ >= 20)
        return;
    printf("different: %s:", what);
    for (const char *p = string; *p; p++)
        printf(*p < 0x20 || *p == 0x7F ? "\\x%02x" : "%c", (unsigned char)*p);
    printf("\n");
}

static void count_given(const tusk__param *param, const char *value)
{
    if (!param->fallback || strcmp(value, param->fallback) != 0)
        counts.given[tusk__param_index(param)]++;
}

/* libpq's pairs at `p`; returns what is behind them. */
static const char *compare_values(const char *p, const char *string, tusk__param_values *values, bool accepted)
{
    bool same = accepted;

    for (; *p; p += strlen(p) + 1) {
        const tusk__param *param = tusk__param_find(tusk_str_of(p));

        p += strlen(p) + 1;
        if (param) {
            tusk_str *text = &values->text[tusk__param_index(param)];

            same = same && text->ptr && tusk_str_is(*text, p);
            *text = (tusk_str){NULL, 0};
            count_given(param, p);
        } else {
            same = false;
        }
    }
    for (size_t i = 0; i < TUSK__N_LIBPQ_PARAMS; i++)
        same = same && !values->text[i].ptr;
    if (!same)
        show(string, accepted ? "other values" : "only libpq accepts");
    return p + 1;
}

static const char *compare_one(const char *answer, const char *string)
{
    char room[2 * STRING_MAX + 2];
    tusk__param_values values = {0};
    bool accepted = tusk__conninfo_read(tusk_str_of(string), room, &values, NULL) == TUSK_OK;

    counts.n++;
    counts.ours += accepted;
    counts.accepted += *answer;
    if (*answer)
        return compare_values(answer + 1, string, &values, accepted);
    if (accepted)
        show(string, "only we accept");
    return answer + 1;
}

static void compare_batch(chance *c, const char *const *names, size_t n_names)
{
    static char frame[1 + BATCH * STRING_MAX];
    char *p = frame;
    const char *string, *answer;
    size_t len;

    *p++ = 'P';
    for (int i = 0; i < BATCH; i++) {
        generate_string(c, names, n_names, p);
        p += strlen(p) + 1;
    }
    oracle_ask(frame, (size_t)(p - frame));
    answer = oracle_answer(&len);
    string = frame + 1;
    for (int i = 0; i < BATCH; i++, string += strlen(string) + 1)
        answer = compare_one(answer, string);
}

static bool every_parameter_came(long least)
{
    long fewest = counts.n;
    const char *which = "";

    for (size_t i = 0; i < TUSK__N_LIBPQ_PARAMS; i++)
        if (counts.given[i] < fewest) {
            fewest = counts.given[i];
            which = tusk__params[i].name;
        }
    printf("strings: each parameter other than its default in at least %ld accepted ones (fewest: %s)\n", fewest,
           which);
    return fewest >= least;
}

bool compare_strings(chance *c, long n, const char *const *names, size_t n_names)
{
    bool enough;

    while (counts.n < n)
        compare_batch(c, names, n_names);
    printf("strings: %ld, accepted by libpq %ld, by us %ld, different %ld\n", counts.n, counts.accepted, counts.ours,
           counts.different);
    enough = every_parameter_came(n / 100) && counts.accepted >= n * 3 / 10;
    if (!enough && is_judged)
        printf("strings: too few of them mean something\n");
    return counts.different == 0 && enough;
}
