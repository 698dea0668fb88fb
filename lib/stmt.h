/* Prepared statements as lib/ sees them.
 * Read first: tusk/query.h; DESIGN "Cached statements". */
#ifndef TUSK_LIB_STMT_H
#define TUSK_LIB_STMT_H

#include "lib/query.h"

typedef enum tusk__stmt_state {
    TUSK__STMT_PREPARING = 0, /* its Parse is on its way */
    TUSK__STMT_READY,         /* only by ParseComplete and the description */
    TUSK__STMT_FAILED,        /* see error */
    TUSK__STMT_CLOSED
} tusk__stmt_state;

struct tusk_stmt {
    uint32_t refs; /* the caller's handle, and each query that uses it */
    tusk_conn *conn; /* pinned */
    tusk__child child;
    tusk_stmt *next; /* of the same connection */
    const tusk_allocator *allocator;
    tusk__stmt_state state;
    bool is_released;   /* the caller's handle is gone */
    bool is_closing;    /* a Close was submitted: what comes behind it is refused, what stands before it runs */
    bool is_copy;       /* first keyword COPY */
    bool is_commit;     /* COMMIT, END, PREPARE TRANSACTION, COMMIT PREPARED */
    bool changes_status;    /* BEGIN, COMMIT, ROLLBACK … */
    char name[24];
    char sql[64];           /* its beginning, for errors */
    uint32_t *types; /* n_params, once ready; before: the caller's n_types */
    size_t n_params;
    tusk__desc *desc;      /* NULL: it returns no rows. Its formats are what a run asks for */
    tusk__writer frame;    /* of a run's messages, what is the same each time: see encode.c; empty until the first one */
    size_t frame_head, frame_bind; /* so many bytes of it come before the parameters; and so many are Bind's */
    bool formats_unproven; /* a column's type is none of PostgreSQL's own and has never come back in binary */
    tusk_query *waiters;       /* stmt_ready */
    tusk_error error;
};

tusk_stmt *tusk__stmt_ref(tusk_stmt *stmt);
void tusk__stmt_unref(tusk_stmt *stmt);

/* The PREPARE query's answer. */
tusk_code tusk__stmt_set_params(tusk_stmt *stmt, const tusk__parameter_description *description);
void tusk__stmt_set_desc(tusk_stmt *stmt, tusk__desc *desc); /* takes the reference; chooses formats */
void tusk__stmt_finish(tusk_stmt *stmt, const tusk_error *err); /* ready or failed: waiters complete */

/* Binary output was refused once and text worked: ask for text from now on. */
void tusk__stmt_learn_formats(tusk_stmt *stmt);

#endif
