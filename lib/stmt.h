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

/* Where a cached statement is in the cache's tables. */
typedef struct tusk__place {
    uint64_t hash;
    int64_t born_us;
    tusk_stmt *chain;               /* of the same bucket */
    tusk_stmt *newer, *older;       /* by their last use */
    tusk_stmt *born_next, *born_prev;
    const tusk_query *closer;       /* whose flight has the Close; NULL: none yet */
    uint32_t at;                    /* while a stack is written: of its statements, the last that goes by this one; to be verified */
} tusk__place;

/* Of what is sent for each run of a statement what is the same each time: Bind, Execute and what stands behind them, without the values. */
typedef struct tusk__frame {
    tusk__writer bytes;
    size_t head, bind; /* so many bytes of it come before the formats of the values; and so many are Bind's */
} tusk__frame;

/* One struct for the two kinds: the caller's handles, and those that a connection keeps by itself (lib/cache.h). */
struct tusk_stmt {
    uint32_t refs; /* the caller's handle or the cache, and each query that uses it */
    tusk_conn *conn; /* pinned */
    tusk__child child;
    tusk_stmt *next; /* handles of the same connection */
    const tusk_allocator *allocator;
    tusk__stmt_state state;
    bool is_cached;     /* nobody has a handle: the connection's cache made it */
    bool is_listed;     /* cached: in the table */
    bool is_parsed;     /* cached: ParseComplete came */
    bool is_released;   /* the caller's handle is gone */
    bool is_closing;    /* a Close was submitted: what comes behind it is refused, what stands before it runs */
    bool is_copy;       /* first keyword COPY */
    uint8_t ends;       /* tusk__ending */
    bool changes_status;    /* BEGIN, COMMIT, ROLLBACK … */
    bool is_stale;      /* a handle whose next run has to parse it again */
    char name[24];
    uint32_t *given; /* the types that the caller gave; behind the struct, and the text behind them */
    size_t n_given;
    tusk_str text;   /* the whole SQL */
    uint32_t *types; /* n_params, as the server says; NULL before */
    size_t n_params;
    tusk__desc *desc;      /* NULL: it returns no rows. Its formats are what a run asks for */
    tusk__frame frame;     /* of a run's messages; empty until the first one */
    tusk_query *waiters;       /* stmt_ready */
    tusk_error *error;         /* FAILED: why. NULL: there was no memory to say */
    tusk__place place;         /* cached: in the tables of the cache; a handle's: at alone */
};

/* NULL: out of memory. One reference, and in no list yet; the text is copied, n_given types are left to be filled in. */
tusk_stmt *tusk__stmt_new(tusk_conn *conn, tusk_str sql, size_t n_given);
tusk_stmt *tusk__stmt_ref(tusk_stmt *stmt);
void tusk__stmt_unref(tusk_stmt *stmt);
/* As tusk_prepare(), of what run, which has its hash, is to run: what its columns are is learned for all that run it. */
tusk_stmt *tusk__stmt_describe(tusk_conn *conn, tusk_str sql, const uint32_t *types, size_t n, const tusk_query *run);
/* For a name on the server, of a statement or a cursor: one more each time, from a random start. Never reused. */
uint64_t tusk__name_number(tusk_conn *conn);

/* The PREPARE query's answer. */
tusk_code tusk__stmt_set_params(tusk_stmt *stmt, const tusk__parameter_description *description);
void tusk__stmt_finish(tusk_stmt *stmt, const tusk_error *err); /* ready or failed: waiters complete */
const tusk_error *tusk__stmt_error(const tusk_stmt *stmt);      /* why it failed */

/* Its first execution described it: it can be run from now on. */
void tusk__stmt_first_described(tusk_stmt *stmt);
/* … or did not. sent: its Parse may have been read. */
void tusk__stmt_first_failed(tusk_stmt *stmt, bool sent);
/* The server does not have it any more, or has another one than we know: it is parsed again, under another name, by its next run.
 * exists: it is to be closed. */
void tusk__stmt_renew(tusk_stmt *stmt, bool exists);
/* Its rows are to come in other formats. */
void tusk__stmt_set_formats(tusk_stmt *stmt, tusk__desc *desc); /* takes the reference */

#endif
