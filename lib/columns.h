/* Columns as lib/ sees them: growing buffers, and what is done with the bytes of each column.
 * columns.c makes them and hands out batches; columns_take.c fills them.
 * Read first: tusk/columns.h. */
#ifndef TUSK_LIB_COLUMNS_H
#define TUSK_LIB_COLUMNS_H

#include <tusk/columns.h>

#include "lib/result.h"

/* What is done with the bytes of a value. */
typedef enum tusk__take {
    TUSK__TAKE_8, /* so many bytes, the other way round */
    TUSK__TAKE_BYTES,
    TUSK__TAKE_TIMESTAMP,
    TUSK__TAKE_4,
    TUSK__TAKE_2,
    TUSK__TAKE_BOOL,
    TUSK__TAKE_DATE,
    TUSK__TAKE_TIME,
    TUSK__TAKE_UUID,
    TUSK__TAKE_JSONB
} tusk__take;

/* Memory on a multiple of 64 bytes, of a multiple of that. */
#define TUSK__BUFFER_ALIGN 64
typedef struct tusk__buffer {
    uint8_t *data;
    size_t cap;
    void *block; /* what the allocator gave */
} tusk__buffer;

typedef struct tusk__vector {
    uint8_t take; /* tusk__take */
    bool is_large; /* offsets of 64 bits */
    bool has_null; /* in this batch: validity holds, else it is not looked at */
    uint32_t width;
    size_t used; /* bytes of the values, of the rows that are complete and of the one being taken */
    tusk__buffer values, offsets, validity;
} tusk__vector;

struct tusk_columns {
    const tusk_allocator *allocator;
    size_t max_rows, max_bytes;
    bool unix_epoch, large_offsets;
    tusk__desc *desc; /* counted; NULL: bound to nothing */
    int n_cols;
    size_t n_rows, rows_cap; /* the latter of every fixed buffer */
    size_t n_bytes;          /* of the rows that were added one by one */
    bool is_adding;          /* the batch is being added to: nothing is shown yet */
    tusk__vector *vectors;
    tusk_column_values *shown; /* of the last batch; behind the vectors */
};

static inline size_t tusk__offset_size(const tusk__vector *v)
{
    return v->is_large ? sizeof(int64_t) : sizeof(int32_t);
}

/* At least `need` bytes, at least twice as many as before; what is there stays. */
TUSK_MUST_CHECK
bool tusk__buffer_grow(tusk__buffer *buffer, const tusk_allocator *allocator, size_t need);

/* Rows that lie in memory together: they are taken column by column. */
#define TUSK__BLOCK_ROWS 64

/* Take the values of n rows, whose place in the buffers is there already: columns->n_rows grows by as many as were taken whole. Less than n:
 * an error, which concerns the one behind them. */
TUSK_MUST_CHECK
tusk_code tusk__columns_take(tusk_columns *columns, const uint8_t *const *bodies, size_t n, tusk_error *err);

#endif
