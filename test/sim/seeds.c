/* Seeds: see the header.
 * Read first: test/sim/seeds.h. */
#include "test/sim/seeds.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test/harness/harness.h"

/* ---- memory: counted, and never what it was before ---------------------------------------------------------------------------- */

typedef union block {
    size_t size;
    max_align_t align;
} block;

long sim_n_blocks;

static void *count_malloc(size_t size, void *user)
{
    block *b = malloc(sizeof *b + size);

    (void)user;
    if (!b)
        abort();
    sim_n_blocks++;
    b->size = size;
    memset(b + 1, 0xA5, size < 4096 ? size : 4096);
    return b + 1;
}

static void count_free(void *ptr, void *user)
{
    block *b = ptr;

    (void)user;
    if (!ptr)
        return;
    b--;
    sim_n_blocks--;
    memset(ptr, 0xDB, b->size < 4096 ? b->size : 4096);
    free(b);
}

static void *count_realloc(void *ptr, size_t size, void *user)
{
    size_t old = ptr ? ((block *)ptr - 1)->size : 0;
    void *fresh = count_malloc(size, user);

    if (old)
        memcpy(fresh, ptr, old < size ? old : size);
    count_free(ptr, user);
    return fresh;
}

const tusk_allocator sim_counting = {count_malloc, count_realloc, count_free, NULL};

/* ---- crashes ------------------------------------------------------------------------------------------------------------- */

/* A crash does not end in a check: it, too, names its seed. Then it takes its course, a sanitizer's report included. */
static const int crashes[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE};
enum { N_CRASHES = sizeof crashes / sizeof crashes[0] };
static struct sigaction before_crash[N_CRASHES];
static char crash_text[64];
static size_t crash_len;
static bool before_is_known;

static void on_crash(int number)
{
    ssize_t n = write(STDERR_FILENO, crash_text, crash_len);

    (void)n;
    for (int i = 0; i < N_CRASHES; i++)
        if (crashes[i] == number)
            (void)sigaction(number, &before_crash[i], NULL);
}

void sim_name_seed_of_crash(uint64_t seed)
{
    struct sigaction action = {.sa_handler = on_crash};

    crash_len =
        (size_t)snprintf(crash_text, sizeof crash_text, "sim: a crash in seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < N_CRASHES && !before_is_known; i++)
        (void)sigaction(crashes[i], &action, &before_crash[i]);
    before_is_known = true;
}

/* ---- faults and seeds ---------------------------------------------------------------------------------------------------- */

sim_faults sim_harmless_faults_of(uint64_t seed)
{
    sim_faults all = sim_faults_of(seed);

    if (seed % 8 == 0)
        return (sim_faults){0};
    return (sim_faults){.short_read = all.short_read,
                        .short_write = all.short_write,
                        .again = all.again,
                        .interrupted = all.interrupted,
                        .spurious = all.spurious,
                        .partial_batch = all.partial_batch,
                        .late_close = all.late_close,
                        .max_delay_us = all.max_delay_us};
}

uint64_t sim_one_seed(void)
{
    return (uint64_t)harness_number("TUSK_SIM_SEED", 0);
}

uint64_t sim_first_seed(void)
{
    return (uint64_t)harness_number("TUSK_SIM_FIRST", 1);
}

uint64_t sim_n_seeds(void)
{
    return (uint64_t)harness_number("TUSK_SIM_SEEDS", 200);
}

void sim_fail(const sim_world *world, uint64_t seed, const char *fmt, va_list args)
{
    char text[500];

    (void)vsnprintf(text, sizeof text, fmt, args);
    ck_abort_msg("seed %llu at %.6f s: %s; replay: TUSK_SIM_SEED=%llu TUSK_SIM_LOG=1 CK_FORK=no",
                 (unsigned long long)seed, (double)sim_now(world) / 1e6, text, (unsigned long long)seed);
}
