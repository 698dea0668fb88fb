/* Vectors of pgvector: vector and halfvec as floats, sparsevec as a view.
 * Read first: docs/types.md, "vector, halfvec, sparsevec". */
#ifndef TUSK_VECTOR_H
#define TUSK_VECTOR_H

#include <stddef.h>
#include <stdint.h>

#include <tusk/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tusk_row tusk_row;

/** As many as a vector's elements are at most. */
#define TUSK_VECTOR_MAX 16000

/** A sparsevec, checked: a view of the row's bytes. */
typedef struct tusk_sparsevec_view {
    const unsigned char *wire; /* the binary format as a whole; NULL: none (SQL NULL) */
    int32_t dim;
    int32_t n; /* elements that are not 0 */
} tusk_sparsevec_view;

/** Of element i < n its place, from 0, in ascending order; text shows them from 1. */
static inline int32_t tusk_sparsevec_index(tusk_sparsevec_view v, int32_t i)
{
    const unsigned char *p = v.wire + 12 + 4 * (size_t)i;
    return (int32_t)((uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]);
}
/** … and its value. */
float tusk_sparsevec_value(tusk_sparsevec_view v, int32_t i);

/**
 * The elements of a vector or a halfvec, into the caller's memory.
 *
 * out       as many as there are, at most capacity
 * n         how many there are, also if they are too many
 * Errors    as tusk_read_int8() · TUSK_ERR_TYPE also if it came as text, or the type is not known (tusk_type_of()) ·
 *           TUSK_ERR_LIMIT capacity is less than *n: nothing was written
 */
tusk_code tusk_read_vector(const tusk_row *row, int col, float *out, size_t capacity, size_t *n, tusk_error *err);
/** A sparsevec. Errors as above. */
tusk_code tusk_read_sparsevec(const tusk_row *row, int col, tusk_sparsevec_view *out, tusk_error *err);

#ifdef __cplusplus
}
#endif

#endif
