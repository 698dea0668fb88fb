/* Stacks as lib/ sees them: the operations that were pushed, and the batch, what one run of them is on the wire.
 * Read first: tusk/stack.h; DESIGN "A stack never contains…"; docs/internals/stack.md. */
#ifndef TUSK_LIB_STACK_H
#define TUSK_LIB_STACK_H

#include <tusk/stack.h>

#include "lib/query.h"
#include "proto/session.h"

/* One statement of an operation. */
typedef struct tusk__stacked {
    tusk__held held;   /* its text and values; of a further set of values, these alone */
    uint32_t operation;
    uint32_t text_of;  /* the statement whose text it is: itself, or for a further set of values the first one */
    int offset;        /* characters of the script in front of it */
} tusk__stacked;

struct tusk_stack {
    uint32_t refs;
    tusk_conn *conn; /* pinned */
    tusk__child child;
    const tusk_allocator *allocator;
    bool is_released;
    bool needs_block; /* a script, or something that might commit by itself: ATOMIC needs a BEGIN */
    tusk__stacked *statements;
    size_t n, cap, n_operations;
    tusk_error error; /* of the first push that failed */
};

void tusk__stack_unref(tusk_stack *stack);

struct tusk__kept_error {
    struct tusk__kept_error *next;
    tusk_error err;
};

/* What one statement of a run came to. */
typedef struct tusk__outcome {
    const tusk_error *error; /* the batch's; NULL: none */
    tusk_str sql;
    uint32_t operation;
    bool has_result;
} tusk__outcome;

typedef enum tusk__step_kind {
    TUSK__STEP_STATEMENT, /* Parse, Describe, Bind, Execute */
    TUSK__STEP_AGAIN,     /* Bind, Execute of what the last one parsed */
    TUSK__STEP_CONTROL,   /* one of our own: Parse, Bind, Execute */
    TUSK__STEP_COMMIT,    /* the same */
    TUSK__STEP_SYNC
} tusk__step_kind;

typedef struct tusk__step {
    tusk__step_kind kind;
    uint32_t statement; /* of the first two kinds */
} tusk__step;

typedef struct tusk__batch {
    tusk_stack *stack; /* counted */
    tusk_stack_mode mode;
    tusk_transaction transaction;
    tusk__outcome *outcomes; /* one per statement */
    size_t n_statements;     /* of the stack, when it was run */
    tusk__step *steps;
    size_t n_steps, at;      /* … and which one is answered next */
    size_t unit;             /* the first step of the present unit */
    bool unit_has_failed;
    bool is_undone;          /* the server said so: of the whole, if it is ATOMIC */
    int32_t n_cols;          /* of the rows of the statement that was parsed last, -1 none */
    uint8_t *expects;
    size_t n_expects;
    struct tusk__kept_error *errors; /* those that outcomes point at */
} tusk__batch;

/* batch.c */
tusk__batch *tusk__batch_new(tusk_stack *stack, const tusk_stack_options *options); /* NULL: out of memory */
void tusk__batch_free(tusk_query *q);
tusk_code tusk__encode_batch(tusk_conn *conn, tusk_query *q);

/* batch_answer.c */
void tusk__batch_event(tusk_conn *conn, tusk_query *q, const tusk__event *ev);
/* Its connection is gone; q has its error. */
void tusk__batch_lost(tusk_query *q);

#endif
