/* A hash of texts for tables in memory: eight bytes at a time. It is no secret one: the tables that use it are small and bounded.
 * Read first: lib/cache.h, lib/known.h. */
#ifndef TUSK_LIB_HASH_H
#define TUSK_LIB_HASH_H

#include <stdint.h>
#include <string.h>

#include <tusk/str.h>

static inline uint64_t tusk__hash_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 29);
}

static inline uint64_t tusk__hash_str(uint64_t hash, tusk_str text)
{
    const char *p = text.ptr;
    size_t left = text.len;
    uint64_t word;

    hash = tusk__hash_word(hash, text.len);
    for (; left >= sizeof word; p += sizeof word, left -= sizeof word) {
        memcpy(&word, p, sizeof word);
        hash = tusk__hash_word(hash, word);
    }
    if (left > 0) {
        word = 0;
        memcpy(&word, p, left);
        hash = tusk__hash_word(hash, word);
    }
    return hash;
}

#endif
