/* Stacks as lib/ sees them: the operations that were pushed, and the batch, what one run of them is on the wire.
 * Read first: tusk/stack.h; DESIGN "A stack never contains…"; docs/internals/stack.md. */
#ifndef TUSK_LIB_STACK_H
#define TUSK_LIB_STACK_H

#include <tusk/stack.h>

#include "lib/mishap.h"
#include "lib/query.h"

/* One statement of an operation. */
typedef struct tusk__stacked {
    tusk__held held;   /* its text and values; of a further set of values, or with a handle, these alone */
    tusk_stmt *stmt;   /* counted; a handle that was pushed */
    tusk_named *named; /* counted; the text has numbers for the names of this one */
    uint64_t hash;     /* what the cache knows it by */
    bool may_alter;    /* what stands behind it may mean something else than it did */
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
    bool has_handles;
    tusk__stacked *statements;
    size_t n, cap, n_operations;
    tusk_error error; /* of the first push that failed */
};

void tusk__stack_unref(tusk_stack *stack);
/* Of statement i, the text as it was pushed; borrowed. */
tusk_str tusk__stack_text(const tusk_stack *stack, size_t i);

struct tusk__kept_error {
    struct tusk__kept_error *next;
    tusk_error err;
};

/* How one statement of a run goes on the wire. */
typedef enum tusk__way {
    TUSK__WAY_UNNAMED = 0, /* Parse, Describe, Bind, Execute */
    TUSK__WAY_FIRST,       /* the same under a name: it is prepared by it */
    TUSK__WAY_RUN,         /* Bind, Execute of what was prepared before */
    TUSK__WAY_AGAIN        /* Bind, Execute of what one in front of it in the unit has parsed */
} tusk__way;

/* How it goes, and what it came to. */
typedef struct tusk__outcome {
    const tusk_error *error; /* the batch's; NULL: none */
    tusk_str sql;
    uint32_t operation;
    uint32_t of; /* the statement whose Parse it goes by: itself, but for AGAIN */
    tusk__way way;
    bool has_result;
    int32_t n_cols;       /* of its rows, -1 none; as the next three, of AGAIN it is the other one's */
    tusk_stmt *stmt;      /* counted; FIRST, RUN, and any handle */
    tusk__desc *assumed;  /* counted; with a Parse: what its Bind chose formats by, NULL: all alike */
    tusk__desc *desc;     /* counted; its columns: RUN from the beginning, else once they are described */
} tusk__outcome;

typedef enum tusk__step_kind {
    TUSK__STEP_STATEMENT, /* Parse, Describe, Bind, Execute */
    TUSK__STEP_RUN,       /* Bind, Execute of what is parsed */
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
    bool is_inside;          /* of a transaction */
    bool is_past_altering;   /* while it is written: something in front of what is written may alter tables */
    tusk__mishap mishap;     /* that ended a unit; NONE: another error, or none */
    uint8_t *expects;
    size_t n_expects;
    struct tusk__kept_error *errors; /* those that outcomes point at */
} tusk__batch;

/* batch.c */
tusk__batch *tusk__batch_new(tusk_stack *stack, const tusk_stack_options *options); /* NULL: out of memory */
void tusk__batch_free(tusk_query *q);
tusk_code tusk__encode_batch(tusk_conn *conn, tusk_query *q);
/* Before it is sent again: nothing of the first answer stays. */
void tusk__batch_reset(tusk__batch *batch);

/* batch_plan.c: which statement goes by a name, and by which formats */
TUSK_MUST_CHECK
tusk_code tusk__batch_plan(tusk_conn *conn, tusk_query *q, size_t *at); /* fails at statement *at */
TUSK_MUST_CHECK
tusk_code tusk__batch_write(tusk_conn *conn, tusk_query *q, size_t i);
/* Does it wait for a handle that is being prepared? */
bool tusk__batch_is_pending(const tusk__batch *batch);
/* It will not be sent: what it would have prepared is not. */
void tusk__batch_take_back(tusk__batch *batch);
/* It is let go of. */
void tusk__outcome_clear(tusk__outcome *outcome);

/* batch_learn.c: what the server says of the statements themselves */
void tusk__batch_parsed(tusk__batch *batch, size_t i);
void tusk__batch_parameters(tusk_conn *conn, tusk_query *q, size_t i, const tusk__parameter_description *description);
/* False: out of memory. */
bool tusk__batch_columns(tusk_conn *conn, tusk_query *q, size_t i, const tusk__row_description *description);
void tusk__batch_no_columns(tusk__batch *batch, size_t i);
/* Statement i has failed: is that a mishap of ours? Then err says what is left to do. */
void tusk__batch_mishap(tusk_conn *conn, tusk_query *q, size_t i, const tusk__event *ev, tusk_error *err);
/* Its unit is over: if it was to be prepared and is not, it never will be. */
void tusk__batch_unit_over(tusk__batch *batch, size_t i);

/* batch_answer.c */
void tusk__batch_event(tusk_conn *conn, tusk_query *q, const tusk__event *ev);
/* Its connection is gone; q has its error. */
void tusk__batch_lost(tusk_query *q);

#endif
