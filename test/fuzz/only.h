/* One decoder alone: TUSK_FUZZ_ONLY=name keeps a target at inputs whose head says that decoder, and TUSK_FUZZ_ONLY=? lists the names.
 * Inputs with another head are passed over; what is mutated keeps its head, so that what is kept plays the same without the variable.
 * For the targets of test/fuzz/types, which say before they include this how long a head is, and behind it what it means.
 * Read first: docs/internals/fuzz.md. */
#ifndef TUSK_FUZZ_ONLY_H
#define TUSK_FUZZ_ONLY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

#define ONLY_NAME_SIZE 64

/* ---- of the target ----------------------------------------------------------------------------------------------------------------- */

/* Decoders are numbered from 0; rows that share one are one. False: there are no more. */
static bool decoder_name(unsigned n, char name[ONLY_NAME_SIZE]);
static bool is_decoders(unsigned n, const uint8_t head[ONLY_HEAD]);
static void put_head(unsigned n, uint8_t head[ONLY_HEAD]);
/* Puts right, now and then, what mutation hardly hits; the size it has then. */
static size_t shape(uint8_t *data, size_t size, size_t max_size, unsigned seed);

/* ---- for the target ---------------------------------------------------------------------------------------------------------------- */

static bool only_one;
static unsigned the_one;

static inline bool is_another(const uint8_t head[ONLY_HEAD])
{
    return only_one && !is_decoders(the_one, head);
}

static void choose(const char *wanted)
{
    char name[ONLY_NAME_SIZE];

    for (unsigned n = 0; decoder_name(n, name); n++) {
        if (strcmp(wanted, "?") == 0)
            puts(name);
        if (strcmp(wanted, name) == 0) {
            only_one = true;
            the_one = n;
        }
    }
    if (!only_one)
        exit(strcmp(wanted, "?") == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *wanted = getenv("TUSK_FUZZ_ONLY");

    (void)argc;
    (void)argv;
    if (wanted)
        choose(wanted);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, max_size);
    while (size < ONLY_HEAD && size < max_size)
        data[size++] = 0;
    if (only_one && size >= ONLY_HEAD && !is_decoders(the_one, data))
        put_head(the_one, data);
    return size < ONLY_HEAD ? size : shape(data, size, max_size, seed);
}

#endif
