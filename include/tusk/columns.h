/* Columns: rows turned into arrays, batch by batch, laid out as Arrow lays them: fixed widths side by side, bool as bits, text by offsets,
 * NULLs as a bitmap, each buffer on 64 bytes.
 * Read first: tusk/query.h, docs/types.md "Columns into arrays". */
#ifndef TUSK_COLUMNS_H
#define TUSK_COLUMNS_H

#include <tusk/query.h>
#include <tusk/row.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How the values of a column lie. */
typedef enum tusk_layout {
    TUSK_LAYOUT_BITS = 1, /* bool: bit i % 8 of byte i / 8 */
    TUSK_LAYOUT_FIXED,    /* value i at i * width, in the machine's byte order */
    TUSK_LAYOUT_BYTES,    /* value i from offsets[i] to offsets[i + 1]: Arrow's utf8 and binary */
    TUSK_LAYOUT_LARGE_BYTES /* the same by large_offsets: Arrow's large_utf8 and large_binary */
} tusk_layout;

/**
 * One column of a batch. Borrowed until the next tusk_columns_fetch(), or tusk_columns_free().
 *
 * Every buffer begins at a multiple of 64 bytes, may be read to the next multiple of 64, and is zero between its end and there.
 *
 *   BITS                bool
 *   FIXED, width 2      int2
 *   FIXED, width 4      int4, float4, oid, xid, cid, date
 *   FIXED, width 8      int8, float8, time, timestamp, timestamptz, money, xid8, pg_lsn
 *   FIXED, width 16     uuid, as it is
 *   BYTES, LARGE_BYTES  text and its kin, json, jsonb (without its version byte), bytea; every column in text format, as that text; any
 *                       other type in its binary format, as tusk_get_raw() gives it
 */
typedef struct tusk_column_values {
    const tusk_column *column;
    tusk_layout layout;
    uint32_t width;          /* FIXED; else 0 */
    size_t n_rows, n_nulls;
    const uint8_t *validity; /* bit i is set if value i is not NULL; NULL: none is. What lies at a NULL is zero, or of no length */
    const void *values;      /* BITS, FIXED, and the bytes of all values of BYTES and LARGE_BYTES, one behind the other */
    const int32_t *offsets;  /* BYTES: n_rows + 1, from 0; else NULL */
    const int64_t *large_offsets; /* LARGE_BYTES: likewise */
} tusk_column_values;

/** Zero means the default. */
typedef struct tusk_columns_options {
    int64_t batch_rows;  /* default 65536; TUSK_NONE: as many as there are */
    int64_t batch_bytes; /* a batch ends behind the row with which it has come to so many bytes of the server's messages: default 64 MiB, 1 GiB at
                            most (so that 32 bits hold every offset), which is what TUSK_NONE means, too; with large_offsets there is no most */
    bool large_offsets;  /* offsets of 64 bits: TUSK_LAYOUT_LARGE_BYTES instead of TUSK_LAYOUT_BYTES */
    bool unix_epoch;     /* dates and timestamps count from 1970-01-01, as Arrow's do, and not from 2000-01-01. Infinities stay where they
                            are; a timestamp of the last 30 years of PostgreSQL's range is TUSK_ERR_VALUE */
} tusk_columns_options;

typedef struct tusk_columns tusk_columns;

/**
 * Arrays for the columns of any number of results, one after the other.
 *
 * options   NULL: the defaults
 * Returns   the arrays, owned by the caller: tusk_columns_free(), before the loop is freed. NULL: out of memory, or a bad option
 * Errors    TUSK_ERR_NOMEM · TUSK_ERR_USAGE negative numbers, batch_bytes above 1 GiB without large_offsets
 * Example   docs/examples/columns.c
 */
TUSK_MUST_CHECK
tusk_columns *tusk_columns_new(tusk_loop *loop, const tusk_columns_options *options, tusk_error *err);

/** The arrays go with it. NULL is fine. */
void tusk_columns_free(tusk_columns *columns);

/**
 * The next batch of the present result: its rows are taken as by tusk_next_row(). On a query that is done these are kept rows; on a running
 * one the loop is turned until the batch is full, and what has been taken is let go of, so that a result of any size passes through the memory of
 * one batch. Memory is kept for the next batch.
 *
 * Returns   TUSK_OK there is a batch, of one row at least · TUSK_DONE there are no more rows
 * Errors    those of the query, whose rows count for nothing then · TUSK_ERR_STATE as tusk_next_row(), where it may not wait ·
 *           TUSK_ERR_USAGE on_row got the rows · TUSK_ERR_VALUE a malformed value: column and row are named, the rows before it are
 *           there, and the next batch begins behind it · TUSK_ERR_NOMEM likewise
 */
TUSK_MUST_CHECK
tusk_code tusk_columns_fetch(tusk_columns *columns, tusk_query *q, tusk_error *err);

/**
 * One row from wherever, as on_row is given it, behind those that were added since the last batch.
 *
 * Returns   TUSK_OK there is room for more · TUSK_DONE the batch is full with it (batch_rows, batch_bytes): its arrays are there until the next row
 *           is added, which begins another
 * Errors    TUSK_ERR_VALUE, TUSK_ERR_NOMEM as above: that row is left out, and those before it stay · TUSK_ERR_STATE it has other columns than those
 *           before it: tusk_columns_finish() first
 */
TUSK_MUST_CHECK
tusk_code tusk_columns_add(tusk_columns *columns, const tusk_row *row, tusk_error *err);

/** What was added since the last batch is one: its arrays are there until the next row is added. TUSK_DONE: nothing was. */
TUSK_MUST_CHECK
tusk_code tusk_columns_finish(tusk_columns *columns);

/** Of the last batch. */
size_t tusk_columns_n_rows(const tusk_columns *columns);
int tusk_columns_n_cols(const tusk_columns *columns);
/** NULL if there is no such column. */
const tusk_column_values *tusk_columns_values(const tusk_columns *columns, int col);

/** Is it NULL? */
static inline bool tusk_value_is_null(const tusk_column_values *values, size_t row)
{
    return values->validity && !(values->validity[row / 8] >> (row % 8) & 1);
}
/** A value of BITS. */
static inline bool tusk_value_bit(const tusk_column_values *values, size_t row)
{
    return ((const uint8_t *)values->values)[row / 8] >> (row % 8) & 1;
}
/** A value of BYTES or LARGE_BYTES. */
static inline tusk_str tusk_value_bytes(const tusk_column_values *values, size_t row)
{
    if (values->layout == TUSK_LAYOUT_LARGE_BYTES)
        return tusk_str_from((const char *)values->values + values->large_offsets[row],
                             (size_t)(values->large_offsets[row + 1] - values->large_offsets[row]));
    return tusk_str_from((const char *)values->values + values->offsets[row],
                         (size_t)(values->offsets[row + 1] - values->offsets[row]));
}

#ifdef __cplusplus
}
#endif

#endif
