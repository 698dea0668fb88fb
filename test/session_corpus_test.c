/*
 * Does the kept corpus of the fuzz target reach every legal pair of state and message? A fuzzer that cannot meet last year's
 * bug is decoration. The target itself is included, so that the pairs it counts can be read.
 */
#include "test/fuzz/session_fuzz.c"

#include "test/harness/harness.h"

#include <dirent.h>
#include <stdio.h>

#define FOLDER "test/fuzz/corpus/session"

static void play_file(const char *name)
{
    char path[300];
    uint8_t bytes[4096], *exact;
    size_t n;
    FILE *file;

    snprintf(path, sizeof path, FOLDER "/%s", name);
    file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s", path);
    n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    exact = malloc(n + 1);
    memcpy(exact, bytes, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
}

START_TEST(the_corpus_reaches_every_legal_pair)
{
    struct dirent **entries;
    int n = scandir(FOLDER, &entries, NULL, alphasort), n_legal = 0, n_reached = 0;

    ck_assert_int_gt(n, 0);
    for (int i = 0; i < n; i++) {
        if (entries[i]->d_name[0] != '.')
            play_file(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    for (int state = 0; state < TUSK__EXPECT_END; state++)
        for (uint8_t type = 0; type < N_LETTERS; type++) {
            if (!tusk__session_rule((tusk__expect)state, type).is_legal)
                continue;
            n_legal++;
            n_reached += pairs[state][type];
            if (!pairs[state][type])
                printf("not reached: %s in %s\n", tusk__backend_message_name(type),
                       tusk__expect_name((tusk__expect)state));
        }
    harness_note("%d of %d legal pairs of state and message are reached by the corpus", n_reached, n_legal);
    ck_assert_int_eq(n_reached, n_legal);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("session_corpus");
    TCase *tc = tcase_create("session_corpus");

    suite_add_tcase(suite, tc);
    tcase_add_test(tc, the_corpus_reaches_every_legal_pair);
    return suite;
}
