/* Execute-many as lib/ sees it: a query that writes more while it is answered. Its form is a table of steps, which the writer and the
 * answers walk, each at its own pace.
 * Read first: tusk/many.h, docs/internals/many.md. */
#ifndef TUSK_LIB_MANY_H
#define TUSK_LIB_MANY_H

#include <tusk/many.h>

#include "lib/stack.h"

/* A portion of the items is written at a time, and a Flush behind it: its answers come for certain. Two of them fit into what the
 * out buffer has of one lent chunk before it would double. */
#define TUSK__PORTION_BYTES (16 * 1024)
#define TUSK__PORTION_ITEMS 512
#define TUSK__PORTIONS_MAX 256

typedef enum tusk__many_step {
    TUSK__MANY_STOP = 0, /* the end of a table */
    TUSK__MANY_SAVEPOINT, /* Parse, Bind, Execute of a statement of our own */
    TUSK__MANY_ROLLBACK_TO,
    TUSK__MANY_RELEASE,
    TUSK__MANY_ROLLBACK,
    TUSK__MANY_PARSE, /* Parse, Describe */
    TUSK__MANY_ITEM,  /* Bind, Execute */
    TUSK__MANY_SYNC,
    TUSK__N_MANY_STEPS
} tusk__many_step;

/* What stands where: head, the statement unless it is prepared, an item each time, and one of two ends. */
typedef struct tusk__many_form {
    const uint8_t *head, *item;
    const uint8_t *parsed; /* an item that brings its own Parse; NULL in ATOMIC */
    const uint8_t *done, *failed;
    bool is_atomic; /* the items have no Sync of their own */
    bool is_inside; /* a transaction of the caller's */
} tusk__many_form;

typedef enum tusk__many_section {
    TUSK__MANY_IN_HEAD = 0,
    TUSK__MANY_IN_PARSE,
    TUSK__MANY_IN_ITEM,
    TUSK__MANY_IN_END
} tusk__many_section;

struct tusk__many_error {
    struct tusk__many_error *next;
    tusk_error err;
    tusk__outcome outcome; /* the result points at this, and this at err */
};

typedef struct tusk__many {
    const tusk_allocator *allocator;
    tusk_query *q;
    tusk__task pump_task;
    tusk_pull_fn pull;
    tusk_item_fn on_item;
    void *user; /* of these two; the query's own is whose on_done it has */
    tusk_many_mode mode;
    bool item_results;
    bool is_of_handle;
    tusk_str sql; /* behind the struct; empty with a statement of the caller's */

    /* the statement, from the first item on */
    const tusk__many_form *form; /* NULL: nothing is written yet */
    uint64_t savepoint;
    bool parses;       /* Parse stands in front of the first item, or in it … */
    bool parses_in_front; /* … by itself … */
    bool is_described; /* … and is answered: the types are known */
    bool has_held;     /* an item that waits for them, in q->held */
    tusk__frame frame; /* of Bind and Execute */
    size_t n_params;
    int64_t parse_from, parse_to; /* items of these numbers bring a Parse of their own */
    bool is_lost; /* the server does not have the statement: the item that is answered has said so … */
    bool renews;  /* … and the next one that is written brings it again */

    /* writing */
    bool in_pull, is_pushed, is_resumed;
    bool is_dry;     /* pull has said that there is no more */
    bool has_failed; /* whatever it was: nothing more is pulled, and the end is the failed one */
    const uint8_t *end; /* the table that was written at the end */
    bool is_ended;
    bool head_is_due, parse_is_due; /* written while it is ENCODED, and not expected yet … */
    size_t n_items_due;
    const uint8_t *end_due;
    int64_t n_pushed;
    size_t portion_bytes, portion_items, max_portion; /* of the portion that is being written */
    size_t n_portions, first_portion, max_portions;   /* in the ring */

    /* being answered */
    tusk__many_section section;
    size_t at;        /* in its table */
    bool is_skipping; /* an error has come: up to the Sync */
    bool item_failed; /* EACH */
    bool cannot_run;  /* EACH: the statement, or what stands in front of all items, has failed; they follow */
    int64_t n_results;
    int32_t n_cols;
    int64_t n_answered, n_failed, rows_affected, item_rows;

    tusk_error pull_error; /* what pull may write into */
    tusk_error refusal;    /* of the push at hand */
    tusk_error item_error; /* EACH, of the item at hand */
    struct tusk__many_error *errors; /* that results point at */
    int64_t marks[]; /* the ring of portions: how many items were pushed when each ended */
} tusk__many;

/* many.c */
void tusk__many_free(tusk_query *q);
/* Its work is due: in a turn to come. */
void tusk__many_pump_soon(tusk_query *q);
/* Why it ends, unless that is known; nothing more is pulled. */
void tusk__many_fail(tusk_query *q, const tusk_error *err);
/* The steps of an item. */
const uint8_t *tusk__many_item(const tusk__many *many, int64_t item);
/* Of the present result, where each item has one; else -1. */
int tusk__many_result_item(const tusk_query *q);
/* As the caller gave it, or his handle's. */
tusk_str tusk__many_text(const tusk_query *q);
/* Item and statement in front of what the error says. */
void tusk__many_place(const tusk_query *q, tusk_error *err, int64_t item);
/* It is given up, or let go: whatever it is, that is a failure. Asked before its stage is: one of which nothing was written
 * can be taken back. */
void tusk__many_stop(tusk_query *q);
/* A part of it was sent, and q has its error: is it certain that nothing is kept? What was asked for last is to undo it then. */
void tusk__many_given_up(tusk_query *q);
/* Has its pull said "not yet", and all that was sent is answered? */
bool tusk__many_is_idle(const tusk_query *q);
/* … and nothing is left on the loop that could resume it? */
bool tusk__many_is_starved(const tusk_query *q);

/* many_send.c */
tusk_code tusk__many_encode(tusk_conn *conn, tusk_query *q);
/* Of what is answered in parts: what was written and is not expected yet. */
size_t tusk__parts_n_expects(const tusk_query *q);
void tusk__parts_expect(tusk__session *session, tusk_query *q);
/* It was taken out of the out buffer. */
void tusk__many_retracted(tusk_query *q);
void tusk__many_pump(tusk__task *task);

/* many_answer.c */
/* Of what is answered in parts, a stack or a load; kept out of the way of all others. */
void tusk__parts_event(tusk_conn *conn, tusk_query *q, const tusk__event *ev);
/* A notice for the caller, but for the warning that our own ROLLBACK brings about. q: NULL if nothing is awaited. */
void tusk__parts_notice(tusk_conn *conn, tusk_query *q, const tusk__event *ev);
/* Its connection is gone; q has its error. */
void tusk__many_lost(tusk_query *q);

#endif
