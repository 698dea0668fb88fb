/* hstore, of the extension of that name: keys with texts or NULLs, as a view of the bytes of the wire.
 * Nothing here allocates; what is made lies in the caller's memory.
 * Read first: docs/types.md, "hstore". */
#ifndef TUSK_HSTORE_H
#define TUSK_HSTORE_H

#include <stdbool.h>
#include <stdint.h>

#include <tusk/error.h>
#include <tusk/str.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One hstore, checked. It borrows its bytes: those of a row as long as the row's, those that tusk_hstore_from_pairs() wrote as long as
 * the buffer it was given. */
typedef struct tusk_hstore_view {
    const unsigned char *wire; /* the binary format as a whole; NULL: none (SQL NULL) */
    size_t len;                /* of it */
    uint32_t n_pairs;
} tusk_hstore_view;

/** A key and its value; value.ptr NULL is NULL. */
typedef struct tusk_hstore_pair {
    tusk_str key, value;
} tusk_hstore_pair;

/** All of them, in the server's order: `for (size_t at = 0; tusk_hstore_next(h, &at, &pair);)`. */
bool tusk_hstore_next(tusk_hstore_view h, size_t *at, tusk_hstore_pair *pair);

/** The value of a key; false: there is no such key. A value that is NULL has ptr NULL. */
bool tusk_hstore_find(tusk_hstore_view h, tusk_str key, tusk_str *value);

/** Bytes that these pairs take in tusk_hstore_from_pairs(). */
size_t tusk_hstore_size(const tusk_hstore_pair *pairs, size_t n);

/**
 * Make one. Of a key that is there twice the server keeps one.
 *
 * buf       gets the bytes; *out points into it
 * Errors    TUSK_ERR_VALUE a key is NULL; keys and values must be UTF-8 without NUL (22021) · TUSK_ERR_LIMIT buf is too small: tusk_hstore_size()
 */
tusk_code tusk_hstore_from_pairs(const tusk_hstore_pair *pairs, size_t n, void *buf, size_t size, tusk_hstore_view *out,
                                 tusk_error *err);

/** As the server prints it; snprintf's contract. */
size_t tusk_hstore_to_text(tusk_hstore_view h, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif
