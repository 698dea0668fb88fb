/* Results: the description of columns, shared and counted, and the rows of one result set, kept as runs of DataRow messages
 * in the chunks in which the kernel delivered them.
 * It decodes nothing and does not know connections.
 * Read first: DESIGN principle 6, docs/internals/result.md. */
#ifndef TUSK_LIB_RESULT_H
#define TUSK_LIB_RESULT_H

#include <tusk/query.h>

#include "lib/row.h"
#include "loop/loop.h"
#include "proto/message.h"

/* What the rows of a statement look like. Counted: a prepared statement and its queries share one. */
typedef struct tusk__desc {
    uint32_t refs;
    const tusk_allocator *allocator;
    size_t size; /* of the block */
    int n_cols;
    tusk_column cols[]; /* the names lie behind them */
} tusk__desc;

/* spare: one that nobody uses any more, whose memory is taken if it is large enough; then NULL is left there. May be NULL, or hold it. */
TUSK_MUST_CHECK
tusk_code tusk__desc_new(const tusk_allocator *allocator, const tusk__row_description *description, tusk__desc **spare,
                         tusk__desc **out, tusk_error *err);
static inline tusk__desc *tusk__desc_ref(tusk__desc *desc)
{
    if (desc)
        desc->refs++;
    return desc;
}

/* In which format to ask for a column. A type that is none of PostgreSQL's own is asked for in binary until the server refuses
 * (42883), then in text together with all others that are not known. */
typedef enum tusk__format_rule {
    TUSK__FORMATS_BINARY,  /* nothing is known yet: all in binary */
    TUSK__FORMATS_KNOWN,   /* the columns are known: text for PostgreSQL's own types without binary output */
    TUSK__FORMATS_REFUSED, /* … and for all types that are not PostgreSQL's own, and for records */
    TUSK__FORMATS_TEXT
} tusk__format_rule;

uint16_t tusk__format_of(uint32_t type, tusk__format_rule rule);
void tusk__desc_set_formats(tusk__desc *desc, tusk__format_rule rule);

tusk__desc *tusk__desc_copy(const tusk__desc *desc, tusk__desc **spare); /* NULL: out of memory. spare: as above */
void tusk__desc_unref(tusk__desc *desc); /* NULL is fine */

/* Consecutive DataRow messages, headers included. */
typedef struct tusk__run {
    tusk__chunk *chunk; /* counted; NULL: in the result's own store */
    size_t begin, end;  /* offsets into the chunk's data, or into the store */
} tusk__run;

typedef struct tusk__result {
    struct tusk__result *next; /* of a script or stack */
    const struct tusk__outcome *outcome; /* of a stack: what became of the statement, see lib/stack.h; else NULL */
    tusk__desc *desc;          /* NULL: no rows can come */
    tusk__desc *spare;         /* the last one of its own, for the next use; NULL */
    char tag[64];
    uint8_t tag_len;
    uint32_t item; /* of a load with item_results: whose it is */
    size_t n_rows;
    size_t kept_bytes; /* of DataRow messages held */
    tusk__run *runs;   /* grows; kept when the result is cleared for reuse */
    size_t n_runs, runs_cap;
    size_t run, at;    /* where the next row of tusk_next_row() is: run index, offset in it (0: its begin) */
    uint8_t *store;    /* the compacted rows */
    size_t store_cap;
} tusk__result;

/* Let go of rows, description and tag; keeps small memory for the next use. */
void tusk__result_reset(tusk__result *result, const tusk_allocator *allocator);
/* Let go of the rows that were not walked over yet. The one that was handed out last stays where it is. */
void tusk__result_cut(tusk__result *result);
void tusk__result_free(tusk__result *result, const tusk_allocator *allocator); /* the memory too, not the struct */

/* Keep the DataRow whose body lies in chunk. Extends the last run if the row follows it. */
TUSK_MUST_CHECK
tusk_code tusk__result_keep(tusk__result *result, const tusk_allocator *allocator, tusk__chunk *chunk, tusk_str body);

/* As many more rows, which lie behind that one: rows covers them. */
void tusk__result_keep_more(tusk__result *result, tusk_str rows, size_t n);

/* Let go of the rows, keep the description: the statement failed, what came before the error counts for nothing. */
void tusk__result_drop_rows(tusk__result *result);

/* Sparse rows would pin whole chunks: copy them together. A failure to allocate is no error, then the chunks stay. */
void tusk__result_compact(tusk__result *result, const tusk_allocator *allocator);

/* The next kept row's body; NULL at the end of what is there. consume: let go of chunks that lie behind (streaming). */
const uint8_t *tusk__result_next(tusk__result *result, bool consume);
/* Behind the row that tusk__result_next() gave: bodies of at most n more that lie in the same memory, so that all are there together; up to
 * the one with which the messages have max_bytes. *bytes: of their messages. How many they are. */
size_t tusk__result_more(tusk__result *result, bool consume, const uint8_t **bodies, size_t n, size_t max_bytes,
                         size_t *bytes);
/* The next row is this one again, of those that the last calls gave. */
void tusk__result_back(tusk__result *result, bool consume, const uint8_t *body);
/* The body of the first row that is still kept; NULL if none is. Nothing moves. */
const uint8_t *tusk__result_first(const tusk__result *result);
void tusk__result_rewind(tusk__result *result);

#endif
