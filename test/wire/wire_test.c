/*
 * Plays the recorded conversations of test/wire/ in every chunking: whole, byte by byte, cut at every byte, at every pair of
 * bytes, and with each message glued to the next.
 * TUSK_WIRE_UPDATE=1 writes the events that a case lacks, to be read by a person before they are believed.
 * Read first: docs/internals/wire-cases.md.
 */
#include "test/harness/wire_case.h"

#include "test/harness/harness.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

#define FOLDER "test/wire"
enum { MAX_CASES = 500, PAIRS_UP_TO = 512, MIN_CASES = 40 };

static char *names[MAX_CASES];
static int n_cases;

static void find_cases(void)
{
    struct dirent **entries;
    int n = scandir(FOLDER, &entries, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        if (!strchr(entries[i]->d_name, '.') && n_cases < MAX_CASES)
            names[n_cases++] = strdup(entries[i]->d_name);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

static void read_case(wire_case *c, int i)
{
    char path[300];
    const char *wrong;

    snprintf(path, sizeof path, FOLDER "/%s/session", names[i]);
    wrong = wire_case_read(c, path);
    ck_assert_msg(wrong == NULL, "%s", wrong);
}

/* The events file; written if it is not there and that was asked for. */
static char *read_events(int i, const tusk__writer *log)
{
    char path[300];
    char *events = calloc(1, log->len + 2);
    FILE *file;
    size_t n;

    snprintf(path, sizeof path, FOLDER "/%s/events", names[i]);
    file = fopen(path, "r");
    if (!file && getenv("TUSK_WIRE_UPDATE")) {
        file = fopen(path, "w+");
        ck_assert_ptr_nonnull(file);
        fwrite(log->buf, 1, log->len, file);
        rewind(file);
    }
    ck_assert_msg(file != NULL, "%s is not there", path);
    n = fread(events, 1, log->len + 1, file);
    events[n] = '\0';
    fclose(file);
    return events;
}

static void play(const wire_case *c, const size_t *cuts, size_t n_cuts, bool is_tight, const tusk__writer *whole, int i)
{
    static tusk__writer log; /* its memory is used again by every play: there are a hundred thousand of them */
    const char *wrong;

    if (!log.allocator)
        tusk__writer_init(&log, tusk_allocator_default());
    tusk__writer_cut(&log, 0);
    wrong = wire_case_play(c, cuts, n_cuts, is_tight, &log);
    ck_assert_msg(wrong == NULL, "%s: %s", names[i], wrong);
    ck_assert_msg(log.len == whole->len && memcmp(log.buf, whole->buf, log.len) == 0,
                  "%s, %zu cuts, the first at %zu, the second at %zu:\n%.*s\ninstead of\n%.*s", names[i], n_cuts,
                  cuts[0], n_cuts > 1 ? cuts[1] : 0, (int)log.len, (char *)log.buf, (int)whole->len,
                  (char *)whole->buf);
}

static void play_every_cut(const wire_case *c, const tusk__writer *whole, int i)
{
    size_t n = c->server.len;
    /* Every pair would take minutes under a sanitizer. */
    size_t stride = IS_SANITIZED ? 13 : 1;

    for (size_t a = 1; a < n; a++) {
        play(c, &a, 1, false, whole, i);
        play(c, &a, 1, true, whole, i);
        for (size_t b = a + 1 + a % stride; b < n && n <= PAIRS_UP_TO; b += stride)
            play(c, (size_t[]){a, b}, 2, false, whole, i);
    }
}

static void play_byte_by_byte(const wire_case *c, const tusk__writer *whole, int i)
{
    size_t n = c->server.len, *cuts = malloc((n + 1) * sizeof *cuts);

    for (size_t k = 0; k < n; k++)
        cuts[k] = k;
    play(c, cuts, n, true, whole, i);
    play(c, cuts, n, false, whole, i);
    for (size_t from = 0; from < 2; from++) { /* message by message, two by two, and glued the other way round */
        size_t n_cuts = 0;

        for (size_t k = from; k < c->n_messages; k += 2)
            cuts[n_cuts++] = c->message_end[k];
        play(c, cuts, n_cuts, false, whole, i);
    }
    play(c, c->message_end, c->n_messages, false, whole, i);
    free(cuts);
}

START_TEST(events_are_the_same_in_every_chunking)
{
    wire_case c;
    tusk__writer whole;
    char *events;
    const char *wrong;

    read_case(&c, _i);
    tusk__writer_init(&whole, tusk_allocator_default());
    wrong = wire_case_play(&c, NULL, 0, false, &whole);
    ck_assert_msg(wrong == NULL, "%s: %s", names[_i], wrong);
    events = read_events(_i, &whole);
    ck_assert_msg(strlen(events) == whole.len && memcmp(events, whole.buf, whole.len) == 0,
                  "%s: events are\n%.*s\ninstead of\n%s", names[_i], (int)whole.len, (char *)whole.buf, events);
    play_byte_by_byte(&c, &whole, _i);
    play_every_cut(&c, &whole, _i);
    free(events);
    tusk__writer_clear(&whole);
    wire_case_clear(&c);
}
END_TEST

START_TEST(there_are_enough_cases_and_they_hold_every_message)
{
    bool seen[256] = {false};
    int n = 0;

    ck_assert_int_ge(n_cases, MIN_CASES);
    for (int i = 0; i < n_cases; i++) {
        wire_case c;
        size_t at = 0;

        read_case(&c, i);
        for (size_t k = 0; k < c.n_messages; at = c.message_end[k++])
            seen[c.server.buf[at]] = true;
        wire_case_clear(&c);
    }
    for (unsigned type = 0; type < 256; type++)
        if (tusk__backend_message_name((uint8_t)type)) {
            ck_assert_msg(seen[type], "no case has a %s", tusk__backend_message_name((uint8_t)type));
            n++;
        }
    ck_assert_int_eq(n, 24);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("wire");
    TCase *tc = tcase_create("wire");

    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 60);
    find_cases();
    tcase_add_test(tc, there_are_enough_cases_and_they_hold_every_message);
    tcase_add_loop_test(tc, events_are_the_same_in_every_chunking, 0, n_cases);
    return suite;
}
