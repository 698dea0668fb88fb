/* Columns: the arrays' memory, the batch, and what is shown of it.
 * It looks at no value: that is columns_take.c.
 * Read first: tusk/columns.h, lib/columns.h. */
#include "lib/columns.h"

#include "lib/array.h"
#include "lib/codec/types.h"
#include "lib/query.h"

#define BATCH_ROWS 65536
#define BATCH_BYTES (INT64_C(64) * 1024 * 1024)
/* With one more message of whatever size an offset is still one of 32 bits. */
#define BATCH_BYTES_MOST (INT64_C(1024) * 1024 * 1024)
#define FIRST_ROWS 1024

/* ---- buffers -------------------------------------------------------------------------------------------------------------------------- */

static size_t aligned(size_t n)
{
    return (n + TUSK__BUFFER_ALIGN - 1) & ~(size_t)(TUSK__BUFFER_ALIGN - 1);
}

static void buffer_free(tusk__buffer *buffer, const tusk_allocator *allocator)
{
    allocator->free(buffer->block, allocator->user);
    *buffer = (tusk__buffer){0};
}

/* The allocator promises the alignment of malloc, and no more: blocks are larger by what may be missing, and cannot be realloc()ed. */
bool tusk__buffer_grow(tusk__buffer *buffer, const tusk_allocator *allocator, size_t need)
{
    tusk__buffer next = {.cap = buffer->cap <= SIZE_MAX / 4 ? buffer->cap * 2 : need};

    if (need <= buffer->cap)
        return true;
    if (next.cap < need)
        next.cap = need;
    if (next.cap > SIZE_MAX - 2 * TUSK__BUFFER_ALIGN)
        return false;
    next.cap = aligned(next.cap);
    next.block = allocator->malloc(next.cap + TUSK__BUFFER_ALIGN, allocator->user);
    if (!next.block)
        return false;
    next.data = (uint8_t *)next.block + (aligned((uintptr_t)next.block) - (uintptr_t)next.block);
    if (buffer->cap)
        memcpy(next.data, buffer->data, buffer->cap);
    buffer_free(buffer, allocator);
    *buffer = next;
    return true;
}

/* Zeros behind the last of n bytes. */
static void pad(tusk__buffer *buffer, size_t n)
{
    if (buffer->cap)
        memset(buffer->data + n, 0, aligned(n) - n);
}

/* … and behind the last of n bits. */
static void pad_bits(tusk__buffer *buffer, size_t n)
{
    if (n % 8)
        buffer->data[n / 8] &= (uint8_t)((1 << n % 8) - 1);
    pad(buffer, (n + 7) / 8);
}

/* ---- the object --------------------------------------------------------------------------------------------------------------------------- */

static const char *wrong_with(const tusk_columns_options *options)
{
    if (options->batch_rows < TUSK_NONE)
        return "batch_rows is negative";
    if (options->batch_bytes < TUSK_NONE)
        return "batch_bytes is negative";
    if (options->batch_bytes > BATCH_BYTES_MOST && !options->large_offsets)
        return "batch_bytes is above 1 GiB, which takes large_offsets";
    return NULL;
}

static int64_t most_bytes(const tusk_columns_options *options)
{
    return options->large_offsets ? INT64_MAX / 64 : BATCH_BYTES_MOST;
}

static size_t chosen(int64_t option, int64_t fallback, int64_t most)
{
    return (size_t)(option == 0 ? fallback : option == TUSK_NONE ? most : option);
}

tusk_columns *tusk_columns_new(tusk_loop *loop, const tusk_columns_options *options, tusk_error *err)
{
    static const tusk_columns_options defaults;
    const tusk_columns_options *o = options ? options : &defaults;
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    const char *wrong = wrong_with(o);
    tusk_columns *columns;

    tusk__error_begin(err);
    if (wrong) {
        (void)tusk__error_set(err, TUSK_ERR_USAGE, NULL, "%s", wrong);
        return NULL;
    }
    columns = allocator->malloc(sizeof *columns, allocator->user);
    if (!columns) {
        (void)tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for columns");
        return NULL;
    }
    *columns = (tusk_columns){.allocator = allocator,
                              .max_rows = chosen(o->batch_rows, BATCH_ROWS, INT64_MAX / 64),
                              .max_bytes = chosen(o->batch_bytes, BATCH_BYTES, most_bytes(o)),
                              .unix_epoch = o->unix_epoch,
                              .large_offsets = o->large_offsets};
    return columns;
}

/* Bound to nothing, and with no memory but its own. */
static void unbind(tusk_columns *columns)
{
    for (int i = 0; i < columns->n_cols; i++) {
        buffer_free(&columns->vectors[i].values, columns->allocator);
        buffer_free(&columns->vectors[i].offsets, columns->allocator);
        buffer_free(&columns->vectors[i].validity, columns->allocator);
    }
    columns->allocator->free(columns->vectors, columns->allocator->user);
    tusk__desc_unref(columns->desc);
    columns->desc = NULL;
    columns->vectors = NULL;
    columns->shown = NULL;
    columns->n_cols = 0;
    columns->n_rows = columns->rows_cap = 0;
}

void tusk_columns_free(tusk_columns *columns)
{
    if (!columns)
        return;
    unbind(columns);
    columns->allocator->free(columns, columns->allocator->user);
}

/* ---- columns of a result ------------------------------------------------------------------------------------------------------------------- */

static tusk__take take_of(const tusk_column *column)
{
    if (column->format == 0)
        return TUSK__TAKE_BYTES;
    switch (column->type) {
    case TUSK_OID_BOOL:
        return TUSK__TAKE_BOOL;
    case TUSK_OID_INT2:
        return TUSK__TAKE_2;
    case TUSK_OID_INT4:
    case TUSK_OID_FLOAT4:
    case TUSK_OID_OID:
    case TUSK_OID_XID:
    case TUSK_OID_CID:
        return TUSK__TAKE_4;
    case TUSK_OID_INT8:
    case TUSK_OID_FLOAT8:
    case TUSK_OID_MONEY:
    case TUSK_OID_XID8:
    case TUSK_OID_PG_LSN:
        return TUSK__TAKE_8;
    case TUSK_OID_DATE:
        return TUSK__TAKE_DATE;
    case TUSK_OID_TIME:
        return TUSK__TAKE_TIME;
    case TUSK_OID_TIMESTAMP:
    case TUSK_OID_TIMESTAMPTZ:
        return TUSK__TAKE_TIMESTAMP;
    case TUSK_OID_UUID:
        return TUSK__TAKE_UUID;
    case TUSK_OID_JSONB:
        return TUSK__TAKE_JSONB;
    default:
        return TUSK__TAKE_BYTES;
    }
}

/* 0: no fixed one. A bool has less than a byte. */
static uint32_t width_of(tusk__take take)
{
    switch (take) {
    case TUSK__TAKE_2:
        return 2;
    case TUSK__TAKE_4:
    case TUSK__TAKE_DATE:
        return 4;
    case TUSK__TAKE_8:
    case TUSK__TAKE_TIME:
    case TUSK__TAKE_TIMESTAMP:
        return 8;
    case TUSK__TAKE_UUID:
        return 16;
    case TUSK__TAKE_BOOL:
    case TUSK__TAKE_BYTES:
    case TUSK__TAKE_JSONB:
        break;
    }
    return 0;
}

static bool is_bits(const tusk__vector *v)
{
    return v->take == TUSK__TAKE_BOOL;
}

static tusk_code no_memory(tusk_error *err)
{
    return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for columns");
}

static tusk_code bind_columns(tusk_columns *columns, tusk__desc *desc, tusk_error *err)
{
    size_t n = (size_t)desc->n_cols;

    if (columns->desc == desc)
        return TUSK_OK;
    unbind(columns);
    columns->vectors = tusk__array_new(columns->allocator, n, sizeof *columns->vectors + sizeof *columns->shown);
    if (!columns->vectors)
        return no_memory(err);
    columns->shown = (tusk_column_values *)(void *)(columns->vectors + n);
    for (size_t i = 0; i < n; i++) {
        tusk__take take = take_of(&desc->cols[i]);

        columns->vectors[i] =
            (tusk__vector){.take = (uint8_t)take, .width = width_of(take), .is_large = columns->large_offsets};
    }
    columns->n_cols = desc->n_cols;
    columns->desc = tusk__desc_ref(desc);
    return TUSK_OK;
}

/* ---- room ------------------------------------------------------------------------------------------------------------------------------------ */

static bool vector_room(tusk_columns *columns, tusk__vector *v, size_t rows)
{
    const tusk_allocator *allocator = columns->allocator;

    if (is_bits(v))
        return tusk__buffer_grow(&v->values, allocator, rows / 8);
    if (v->width)
        return tusk__buffer_grow(&v->values, allocator, rows * v->width);
    if (!tusk__buffer_grow(&v->offsets, allocator, (rows + 1) * tusk__offset_size(v)) ||
        !tusk__buffer_grow(&v->values, allocator, TUSK__BUFFER_ALIGN))
        return false;
    memset(v->offsets.data, 0, tusk__offset_size(v));
    return true;
}

/* For one row more, at least: doubled. */
static tusk_code row_room(tusk_columns *columns, tusk_error *err)
{
    size_t rows = columns->rows_cap ? columns->rows_cap * 2 : FIRST_ROWS;

    if (columns->n_rows < columns->rows_cap)
        return TUSK_OK;
    if (rows > columns->max_rows)
        rows = (columns->max_rows + 511) & ~(size_t)511; /* whole multiples of 64 bytes of bits */
    for (int i = 0; i < columns->n_cols; i++) {
        tusk__vector *v = &columns->vectors[i];

        if (!vector_room(columns, v, rows))
            return no_memory(err);
        if (v->has_null) {
            size_t had = columns->rows_cap / 8;

            if (!tusk__buffer_grow(&v->validity, columns->allocator, rows / 8))
                return no_memory(err);
            memset(v->validity.data + had, 0xFF, rows / 8 - had);
        }
    }
    columns->rows_cap = rows;
    return TUSK_OK;
}

/* ---- a batch --------------------------------------------------------------------------------------------------------------------------------- */

static void begin(tusk_columns *columns)
{
    columns->n_rows = 0;
    for (int i = 0; i < columns->n_cols; i++) {
        columns->vectors[i].used = 0;
        columns->vectors[i].has_null = false;
    }
}

static size_t n_set(const uint8_t *bits, size_t n)
{
    size_t sum = 0;
    uint64_t word;

    for (size_t i = 0; i < aligned((n + 7) / 8); i += sizeof word) { /* zeros lie behind the last */
        memcpy(&word, bits + i, sizeof word);
        sum += (size_t)__builtin_popcountll(word);
    }
    return sum;
}

static void show_bytes(tusk__vector *v, size_t n, tusk_column_values *shown)
{
    const void *offsets = v->offsets.data;

    pad(&v->offsets, (n + 1) * tusk__offset_size(v));
    if (v->is_large) {
        shown->layout = TUSK_LAYOUT_LARGE_BYTES;
        shown->large_offsets = offsets;
        pad(&v->values, (size_t)shown->large_offsets[n]);
    } else {
        shown->layout = TUSK_LAYOUT_BYTES;
        shown->offsets = offsets;
        pad(&v->values, (size_t)shown->offsets[n]);
    }
}

/* A row that could not be taken whole has left its traces behind the last one: they become zeros, too. */
static tusk_column_values show(tusk_columns *columns, tusk__vector *v, const tusk_column *column)
{
    size_t n = columns->n_rows;
    tusk_column_values shown = {.column = column, .width = v->width, .n_rows = n, .values = v->values.data};

    if (v->has_null) {
        pad_bits(&v->validity, n);
        shown.n_nulls = n - n_set(v->validity.data, n);
        shown.validity = shown.n_nulls ? v->validity.data : NULL;
    }
    if (is_bits(v)) {
        shown.layout = TUSK_LAYOUT_BITS;
        pad_bits(&v->values, n);
    } else if (v->width) {
        shown.layout = TUSK_LAYOUT_FIXED;
        pad(&v->values, n * v->width);
    } else {
        show_bytes(v, n, &shown);
    }
    return shown;
}

static void finish(tusk_columns *columns)
{
    columns->is_adding = false;
    if (columns->rows_cap == 0)
        return;
    for (int i = 0; i < columns->n_cols; i++)
        columns->shown[i] = show(columns, &columns->vectors[i], &columns->desc->cols[i]);
}

/* Why there is no row: the end, the query's error, or that it may not be waited for. */
static tusk_code why_none(const tusk_query *q, tusk_error *err)
{
    const tusk_error *why = q->is_done ? tusk_query_error(q) : tusk_query_value_error(q);

    if (!q->is_done && why->code != TUSK_ERR_STATE) /* a getter's error was there first */
        return tusk__error_set(err, TUSK_ERR_STATE, NULL, "the query cannot be waited for here");
    if (why->code == TUSK_OK)
        return TUSK_DONE;
    if (err)
        *err = *why;
    return why->code;
}

/* What could not be taken is passed over if it is the value that is wrong, and comes again if there was no memory. */
static tusk_code take_block(tusk_columns *columns, tusk_query *q, const uint8_t *const *bodies, size_t n,
                            tusk_error *err)
{
    size_t before = columns->n_rows, taken;
    tusk_code code = bind_columns(columns, q->present->desc, err);

    if (code == TUSK_OK)
        code = row_room(columns, err);
    if (code == TUSK_OK)
        code = tusk__columns_take(columns, bodies, n, err);
    if (code == TUSK_OK)
        return TUSK_OK;
    taken = columns->n_rows - before + (code != TUSK_ERR_NOMEM);
    if (taken < n)
        tusk__query_back_to(q, bodies[taken]);
    return code;
}

/* How many rows there may be in the next block. */
static size_t block_rows(const tusk_columns *columns)
{
    size_t room = columns->rows_cap - columns->n_rows, left = columns->max_rows - columns->n_rows;
    size_t n = room == 0 ? 1 : room;

    n = n < left ? n : left;
    return n < TUSK__BLOCK_ROWS ? n : TUSK__BLOCK_ROWS;
}

static tusk_code take_rows(tusk_columns *columns, tusk_query *q, tusk_error *err)
{
    const uint8_t *bodies[TUSK__BLOCK_ROWS];
    size_t n, bytes = 0, more;

    while (columns->n_rows < columns->max_rows && bytes < columns->max_bytes) {
        n = tusk__query_next_bodies(q, bodies, columns->desc ? block_rows(columns) : 1, columns->max_bytes - bytes,
                                    &more);
        if (n == 0) {
            tusk_code code = why_none(q, err);

            return code == TUSK_DONE && columns->n_rows > 0 ? TUSK_OK : code;
        }
        TUSK_TRY(take_block(columns, q, bodies, n, err));
        bytes += more;
    }
    return TUSK_OK;
}

tusk_code tusk_columns_fetch(tusk_columns *columns, tusk_query *q, tusk_error *err)
{
    tusk_code code;

    begin(columns);
    columns->is_adding = false;
    tusk__error_begin(err);
    if (!q)
        return no_memory(err);
    if (q->on_row)
        return tusk__error_set(err, TUSK_ERR_USAGE, NULL, "on_row got the rows: none is kept");
    code = take_rows(columns, q, err);
    finish(columns);
    return code;
}

/* ---- row by row ------------------------------------------------------------------------------------------------------------------------------- */

/* Of a checked DataRow, the byte and the length in front of its body too: as tusk__query_next_bodies() counts. */
static size_t message_len(const tusk_row *row)
{
    const uint8_t *p = row->body + 2;

    for (uint32_t col = 0; col < row->n_cols; col++) {
        uint32_t len = tusk__be32(p);

        p += 4 + (len == UINT32_MAX ? 0 : len);
    }
    return 5 + (size_t)(p - row->body);
}

static size_t bytes_before(const tusk__vector *v, size_t row)
{
    int64_t large;
    int32_t small;

    if (v->is_large) {
        memcpy(&large, v->offsets.data + row * sizeof large, sizeof large);
        return (size_t)large;
    }
    memcpy(&small, v->offsets.data + row * sizeof small, sizeof small);
    return (size_t)small;
}

/* A row that could not be taken whole has left its traces: another one comes in its place. */
static void forget_row(tusk_columns *columns)
{
    size_t row = columns->n_rows;
    uint8_t bit = (uint8_t)(1u << row % 8);

    for (int i = 0; i < columns->n_cols && row < columns->rows_cap; i++) {
        tusk__vector *v = &columns->vectors[i];

        if (v->has_null)
            v->validity.data[row / 8] |= bit;
        if (is_bits(v))
            v->values.data[row / 8] &= (uint8_t)~bit;
        else if (!v->width)
            v->used = bytes_before(v, row);
    }
}

static tusk_code bind_row(tusk_columns *columns, const tusk_row *row, tusk_error *err)
{
    tusk__desc *desc = columns->desc;

    if (!desc || desc->cols != row->columns)
        desc = row->query ? tusk__row_desc(row) : NULL;
    if (!desc)
        return tusk__error_set(err, TUSK_ERR_USAGE, NULL, "the row is of no result");
    if (columns->is_adding && columns->n_rows > 0 && desc != columns->desc)
        return tusk__error_set(err, TUSK_ERR_STATE, NULL,
                               "the row has other columns than the %zu before it: tusk_columns_finish() first",
                               columns->n_rows);
    return bind_columns(columns, desc, err);
}

tusk_code tusk_columns_add(tusk_columns *columns, const tusk_row *row, tusk_error *err)
{
    tusk_code code;

    tusk__error_begin(err);
    TUSK_TRY(bind_row(columns, row, err));
    if (!columns->is_adding) {
        begin(columns);
        columns->n_bytes = 0;
        columns->is_adding = true;
    }
    code = row_room(columns, err);
    if (code == TUSK_OK)
        code = tusk__columns_take(columns, &row->body, 1, err);
    if (code != TUSK_OK) {
        forget_row(columns);
        return code;
    }
    columns->n_bytes += message_len(row);
    if (columns->n_rows < columns->max_rows && columns->n_bytes < columns->max_bytes)
        return TUSK_OK;
    finish(columns);
    return TUSK_DONE;
}

tusk_code tusk_columns_finish(tusk_columns *columns)
{
    if (!columns->is_adding || columns->n_rows == 0)
        return TUSK_DONE;
    finish(columns);
    return TUSK_OK;
}

/* ---- what is there ------------------------------------------------------------------------------------------------------------------------- */

size_t tusk_columns_n_rows(const tusk_columns *columns)
{
    return columns->n_rows;
}

int tusk_columns_n_cols(const tusk_columns *columns)
{
    return columns->n_cols;
}

const tusk_column_values *tusk_columns_values(const tusk_columns *columns, int col)
{
    return columns->rows_cap && !columns->is_adding && col >= 0 && col < columns->n_cols ? &columns->shown[col] : NULL;
}
