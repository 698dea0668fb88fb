/* The walk over a row's or a Bind's fields, each an Int32 length and so many bytes, in the fewest instructions.
 * It only says whether they fit; the readers that fail walk again by body.h to say what is wrong.
 * Read first: row.c, tusk__data_row_check(). */
#ifndef TUSK_PROTO_FIELDS_H
#define TUSK_PROTO_FIELDS_H

#include "proto/bounds.h"
#include "proto/buf.h"

/* Do exactly n fields fill `len` bytes exactly (D1, D3)? In the hottest loop of the driver nothing is asked twice: the n
 * length words are set aside at the start, and only the bytes of values are counted down. The words still to come lie between
 * the cursor and the end for as long as `left` has not gone below zero, which one unsigned comparison per field guarantees.
 * The negative lengths, NULL's -1 among them, exceed every `left`, because `len` is bounded. */
static inline bool tusk__fields_fill(const uint8_t *p, size_t len, size_t n)
{
    size_t left, size;

    if (len > TUSK__MESSAGE_MAX || n > len / 4)
        return false;
    left = len - 4 * n;
    for (; n > 0; n--) {
        size = tusk__be32(p);
        if (size <= left) {
            left -= size;
            p += size + 4;
        } else if (size == UINT32_MAX) {
            p += 4;
        } else {
            return false;
        }
    }
    return left == 0;
}

#endif
