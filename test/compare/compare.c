/* Holds our configuration against libpq's: strings by PQconninfoParse(), worlds of environments and files by
 * PQconnectStartParams(). Prints counts; ends with 1 if anything differs that differences.txt does not list.
 * Usage: compare ORACLE LIBPQ DIFFERENCES [N-STRINGS N-CONNECTIONS SEED]
 * Read first: test/compare/run. */
#include "test/compare/compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/config_table.h"

bool is_judged = true;

/* ---- names ------------------------------------------------------------------------------------------------------------------------ */

/* Every parameter of libpq has its row, and every row is a parameter of libpq. */
static bool compare_names(const char *names[TUSK__N_LIBPQ_PARAMS], size_t *n_names)
{
    size_t len, known = 0;
    const char *answer, *end;
    bool same = true;
    uint32_t version;

    oracle_ask("K", 1);
    answer = oracle_answer(&len);
    end = answer + len;
    memcpy(&version, answer, 4);
    is_judged = version >= 180000;
    for (const char *p = answer + 4; p < end; p += strlen(p) + 1) {
        const tusk__param *param = tusk__param_find(tusk_str_of(p));

        if (param && known < TUSK__N_LIBPQ_PARAMS)
            names[known++] = param->name;
        else
            same = false;
    }
    *n_names = known;
    printf("libpq %u.%u: %zu of our %d parameters\n", version / 10000, version % 10000, known, TUSK__N_LIBPQ_PARAMS);
    return same && known == TUSK__N_LIBPQ_PARAMS;
}

int main(int argc, char **argv)
{
    const char *names[TUSK__N_LIBPQ_PARAMS];
    long n_strings = argc > 4 ? strtol(argv[4], NULL, 10) : 1000000,
         n_connections = argc > 5 ? strtol(argv[5], NULL, 10) : 20000;
    chance c = {argc > 6 ? strtoull(argv[6], NULL, 10) : 20180};
    size_t n_names;
    bool same;

    if (argc < 4)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    differences_read(argv[3]);
    oracle_start(argv[1], argv[2]);
    same = compare_names(names, &n_names);
    same = compare_strings(&c, n_strings, names, n_names) && same;
    same = compare_connections(&c, n_connections) && same;
    differences_print();
    if (!is_judged)
        printf("this libpq is older than 18: shown, not judged\n");
    return same || !is_judged ? 0 : 1;
}
