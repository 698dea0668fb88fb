/* Arrays from an allocator: the one place where a count is multiplied with a size, checked (D5).
 * Read first: tusk/alloc.h, proto/size.h. */
#ifndef TUSK_LIB_ARRAY_H
#define TUSK_LIB_ARRAY_H

#include <tusk/alloc.h>

#include "proto/size.h"

/* n elements of `size` bytes, not cleared; NULL: out of memory, or more than a size_t holds. n may be 0: then the result can be
 * told from failure all the same. */
static inline void *tusk__array_new(const tusk_allocator *allocator, size_t n, size_t size)
{
    size_t bytes;

    if (!tusk__size_mul(n ? n : 1, size, &bytes))
        return NULL;
    return allocator->malloc(bytes, allocator->user);
}

#endif
