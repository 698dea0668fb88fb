/* Queries as lib/ sees them: one struct from the submission to the last byte of its answer, recycled per loop.
 * Read first: tusk/query.h, DESIGN "The contract of objects", docs/internals/query.md. */
#ifndef TUSK_LIB_QUERY_H
#define TUSK_LIB_QUERY_H

#include <tusk/conn.h>

#include "lib/command.h"
#include "lib/result.h"

/* Kept bytes above which a streaming query stops reading until its rows were taken. */
#define TUSK__STREAM_HIGH (256 * 1024)

/* Of a kept result, if the caller does not say. */
#define TUSK__MAX_RESULT_BYTES (INT64_C(256) * 1024 * 1024)

/* What is asked. The first group travels on the wire, in the connection's queue; the second only waits for something. */
typedef enum tusk__query_kind {
    TUSK__QUERY_EXEC,    /* Parse, Describe, Bind, Execute, Sync: unnamed, one flight. What it becomes when it is encoded: */
    TUSK__QUERY_FIRST,   /* … the same under a name: the statement is prepared by it */
    TUSK__QUERY_RUN,     /* Bind, Execute, Sync of a prepared statement */
    TUSK__QUERY_PREPARE, /* Parse, Describe, Sync */
    TUSK__QUERY_CLOSE,   /* Close, Sync */
    TUSK__QUERY_CLOSE_PORTAL, /* Close of a cursor, Sync: its name is the text */
    TUSK__QUERY_PORTAL,  /* Parse, Describe, Bind to a portal with a name, Sync: a cursor is opened */
    TUSK__QUERY_PORTAL_RUN, /* the same of a prepared statement: Bind, Sync. PORTAL if that has to be parsed again */
    TUSK__QUERY_FETCH,   /* Describe of that portal, Execute of so many rows, Sync */
    TUSK__QUERY_EXPLAIN, /* of a prepared statement its plan: lib/explain.c */
    TUSK__QUERY_ANALYZE, /* … by running it between BEGIN and ROLLBACK; what that becomes in a transaction: */
    TUSK__QUERY_ANALYZE_INSIDE, /* between a savepoint and its rollback */
    TUSK__QUERY_SCRIPT,  /* Query; nothing is on the wire behind this one and the next three */
    TUSK__QUERY_FENCE,   /* an empty Query of our own behind a cancel */
    TUSK__QUERY_LOOKUP,  /* a question of our own to the catalogue: lib/lookup.h */
    TUSK__QUERY_LOOKUP_INSIDE, /* what that becomes in a transaction: between a savepoint and its rollback */
    TUSK__QUERY_BEGIN,   /* BEGIN or SAVEPOINT; from here on lib/transaction.h */
    TUSK__QUERY_COMMIT,  /* COMMIT or RELEASE */
    TUSK__QUERY_ROLLBACK,
    TUSK__QUERY_STACK,
    TUSK__QUERY_MANY, /* items as they are pulled: lib/many.h */
    TUSK__QUERY_ROLLBACK_TO, /* what a ROLLBACK becomes when it is encoded, if it ends a savepoint */
    TUSK__N_WIRE_KINDS,
    TUSK__QUERY_WAIT = TUSK__N_WIRE_KINDS /* conn_ready, stmt_ready, close */
} tusk__query_kind;

/* What it is to a cursor. */
typedef enum tusk__cursor_part {
    TUSK__CURSOR_NONE = 0,
    TUSK__CURSOR_OPENS,
    TUSK__CURSOR_TAKES /* rows, or passes over them */
} tusk__cursor_part;

/* Who holds the rows of a running query back when enough of them are here. */
typedef enum tusk__streaming {
    TUSK__STREAMS_NOT = 0,
    TUSK__STREAMS_WALK, /* tusk_next_row() was called while it ran: it has the connection to itself */
    TUSK__STREAMS_BATCH /* a cursor's batch: only while nobody is behind it */
} tusk__streaming;

typedef enum tusk__query_stage {
    TUSK__STAGE_HELD,    /* a copy of the request is kept; nothing is encoded */
    TUSK__STAGE_ENCODED, /* in the out buffer, not a byte tried yet */
    TUSK__STAGE_SENT,    /* handed to the transport, at least in part: an answer is expected */
    TUSK__STAGE_REFUSED, /* failed before it was encoded; completes when it reaches the head */
    TUSK__STAGE_OUT      /* not in a queue (any more) */
} tusk__query_stage;

/* Its rows are held up by the caller; its pull has said "not yet". Bits. */
typedef enum tusk__paused { TUSK__PAUSED_ROWS = 1, TUSK__PAUSED_PULL = 2 } tusk__paused;

/* The copy of a request that cannot be encoded yet, or may have to be sent again. */
typedef struct tusk__held {
    uint8_t *memory; /* one block: sql, values, their bytes */
    size_t cap, size; /* of it (SIZE_MAX: it may hold a secret); the copy in it */
    tusk_str sql;
    tusk_params params;
} tusk__held;

struct tusk_query {
    tusk_query *next; /* in the connection's queue, a list of waiters, or the loop's free list */
    tusk_query *prev; /* in the connection's queue */
    tusk_loop *loop;
    tusk_conn *conn; /* pinned */
    tusk_stmt *stmt; /* counted; FIRST, RUN, PREPARE, CLOSE */
    struct tusk__level *level; /* counted; NULL: of no transaction that tusk_begin() began */
    union { /* what is answered in parts; else NULL. One pointer says for both that there is something */
        struct tusk__batch *batch; /* STACK: what it is on the wire */
        struct tusk__many *many;   /* MANY: the same */
    };
    tusk_named *named; /* counted; NULL: without names. For the positions of errors */
    tusk__query_kind kind;
    tusk__query_stage stage;

    /* life */
    bool is_done;      /* completed; the callback may still be due */
    bool is_released;  /* tusk_query_free() was called: recycle as soon as nothing needs it */
    bool is_kept;      /* tusk_query_keep() */
    bool is_given_up;  /* canceled or past its deadline while on the wire: a tombstone that a cancel may hit */
    bool in_callback;
    uint32_t pins;     /* awaits in progress */
    tusk__task done_task; /* it completes in a turn to come */

    /* options */
    bool text_results, cancelable;
    uint8_t paused;         /* tusk__paused: what only the caller can move */
    uint8_t streaming;      /* tusk__streaming: its rows may wait at the server */
    bool rows_given;        /* at least one row reached the caller: no repetition */
    bool is_repeated;       /* sent for the second time */
    bool is_repeatable;     /* all that a repetition needs is at hand: params in held, the text there or with the statement */
    bool is_unnamed;        /* not to be prepared under a name */
    bool timeout_is_default; /* the connection's command_timeout; timeout is 0 while that is not known yet */
    uint8_t failed_at;      /* tusk__expect: what the server's error answered */
    uint8_t ends;           /* tusk__ending */
    bool is_copy;           /* first keyword COPY: Flush instead of Sync behind Execute (DESIGN, Barriers) */
    bool owes_sync;         /* … and the Sync has not followed yet */
    bool copy_refused;      /* CopyFail was sent */
    bool changes_status;    /* the next ReadyForQuery may say another transaction status than the last one */
    bool in_unit;           /* a BEGIN, or what shares its Sync: see unit.c */
    bool shares_sync;       /* … and is not the last of these: the Sync is not among its messages */
    uint8_t status_before;  /* COMMIT: of the ReadyForQuery in front of it; 0: not answered */
    int64_t max_result_bytes;
    uint64_t earlier_bytes; /* of max_result_bytes, what the results in front of the one being received took */
    tusk_row_fn on_row;
    tusk_done_fn on_done;
    void *user;
    tusk__timer deadline;
    double timeout;

    /* on the wire */
    char sql[64];                /* without stmt: its beginning, for errors */
    uint64_t hash;               /* EXEC and what it becomes: lib/cache.h */
    uint8_t n_more_syncs;        /* ANALYZE, LOOKUP_INSIDE: so many ReadyForQuery come before its last. One more than that: see lookup */
    uint8_t lookup;              /* tusk__looks: what is to be done of lib/lookup.h when it is answered */
    bool is_aside;               /* it is answered, and waits for a look-up before it is told */
    bool has_begun;              /* ANALYZE: the answer to BEGIN is there */
    uint8_t ended;               /* SCRIPT: tusk__level_end, of the transaction that it stands in … */
    uint16_t n_closes;           /* so many Close come before its own messages; counted down as they are answered */
    tusk__cursor_part cursor_part;
    tusk__desc *assumed;         /* EXEC, FIRST: the columns that its Bind chose formats for; counted; NULL: all alike */
    int32_t n_cols;              /* RUN: of its rows, -1 none */
    uint32_t fetch_rows;         /* FETCH: at most */
    uint32_t n_to_end;           /* SCRIPT: … which ends when so many of its statements more are completed; 0: with none */
    uint64_t portal;             /* of a cursor: the number in its name */
    uint64_t out_begin, out_end; /* in the connection's stream of sent bytes */
    tusk__held held;

    /* the answer */
    tusk__result first;     /* of n_results, chained by next */
    tusk__result *filling;  /* the one being received */
    tusk__result *present;  /* the one the caller looks at */
    tusk_error error;
    tusk_error value_error;
    uint8_t *fields; /* the server's error or notice, uncut */
    size_t fields_len, fields_cap;
};

static inline bool tusk__query_opens_portal(const tusk_query *q)
{
    return q->kind == TUSK__QUERY_PORTAL || q->kind == TUSK__QUERY_PORTAL_RUN;
}

/* Does the server tell the formats of its rows? Otherwise they are those that our Bind asked for. */
static inline bool tusk__query_is_told_formats(const tusk_query *q)
{
    return q->kind == TUSK__QUERY_SCRIPT || q->kind == TUSK__QUERY_FETCH;
}

/* Could it pause, or must nothing be behind it? Then it is the last on the wire until it ends. */
bool tusk__query_is_barrier(const tusk_query *q);

/* Does its form depend on the transaction status? Then it is encoded only when that is known. */
static inline bool tusk__query_needs_status(const tusk_query *q)
{
    return q->kind == TUSK__QUERY_BEGIN || q->kind == TUSK__QUERY_STACK || q->kind == TUSK__QUERY_MANY ||
           q->kind == TUSK__QUERY_ANALYZE || q->kind == TUSK__QUERY_LOOKUP;
}

/* A cleared query from the loop's free list, or new. NULL: out of memory. */
tusk_query *tusk__query_new(tusk_loop *loop, tusk_conn *conn, tusk__query_kind kind);

/* The end of a query, exactly once, from the loop. The error must be set before by tusk__query_fail(), if there is one. The
 * callback runs now; the query may be gone afterwards. */
void tusk__query_complete(tusk_query *q);

/* As the last one, but in a turn to come: for what is decided inside a call of the caller. */
void tusk__query_complete_soon(tusk_query *q);

/* Set its error unless it has one already. */
TUSK_COLD
void tusk__query_fail(tusk_query *q, const tusk_error *err);
/* As the last one, with code and text; returns the error for details. */
TUSK_COLD
tusk_error *tusk__query_failf(tusk_query *q, tusk_code code, const char *sqlstate, const char *fmt, ...)
    TUSK_PRINTF(4, 5);
/* The server's ErrorResponse: summary and fields. */
TUSK_COLD
void tusk__query_fail_fields(tusk_query *q, tusk_str fields);

/* Before it is sent again: nothing of its first answer stays. */
void tusk__query_forget_answer(tusk_query *q);

/* "exec \"select …\"": which statement it was, unless the error says where already. */
void tusk__query_add_where(const tusk_query *q, tusk_error *err);

/* For whoever looks at the answer next: tusk_await() unless it is done, and the reason in *err. Whatever is not TUSK_OK may have
 * cost the query. */
TUSK_MUST_CHECK
tusk_code tusk__query_settle(tusk_query *q, tusk_error *err);

/* The same for a cursor's batch; TUSK_AGAIN: so much of it is here that the rest waits at the server until rows are taken. */
TUSK_MUST_CHECK
tusk_code tusk__query_gather(tusk_query *q, tusk_error *err);

/* tusk_next_row() for several rows at once, and without the rows: the bodies of at most n DataRows (1 or more), which are there until the next
 * call; up to the one with which the messages have max_bytes. *bytes: of their messages. 0 where tusk_next_row() is false. */
size_t tusk__query_next_bodies(tusk_query *q, const uint8_t **bodies, size_t n, size_t max_bytes, size_t *bytes);
/* The next row is this one again, of those that the last call gave. */
void tusk__query_back_to(tusk_query *q, const uint8_t *body);

/* The struct stays while it is pinned, whatever a callback frees. */
static inline void tusk__query_pin(tusk_query *q)
{
    q->pins++;
}

/* To the loop's free list, if nobody needs it: the caller has let go of it, it is done, out of the queue, and not pinned. */
void tusk__query_recycle_if_unused(tusk_query *q);

static inline void tusk__query_unpin(tusk_query *q)
{
    q->pins--;
    if (q->is_released)
        tusk__query_recycle_if_unused(q);
}

/* It left its connection's queue: recycle it if the caller has let go of it. */
void tusk__query_leave(tusk_query *q);

/* A new result set behind the present ones (scripts); NULL: out of memory. */
tusk__result *tusk__query_add_result(tusk_query *q);
void tusk__query_drop_rows(tusk_query *q);
/* The description that a row's columns are of; NULL: it is gone. Its query, which there is, may stand at another result by now. */
tusk__desc *tusk__row_desc(const tusk_row *row);

/* It failed: its rows are dropped, but for whole results of a script, and for what a stream looks at. */
void tusk__query_drop_unfinished(tusk_query *q);
/* It failed, nobody will ask for its rows: drop them, unless the caller may still look at the one that a stream gave him. */
void tusk__query_spoil_rows(tusk_query *q);

/* n without values. */
static inline bool tusk__are_missing(tusk_params params)
{
    return params.n > 0 && !params.values;
}
#define TUSK__PARAMS_MISSING "the parameters are a NULL pointer, and their number is not 0"

/* Copy the request into q->held. */
TUSK_MUST_CHECK
tusk_code tusk__held_copy(tusk__held *held, const tusk_allocator *allocator, tusk_str sql, tusk_params params);
void tusk__held_clear(tusk__held *held, const tusk_allocator *allocator);

#endif
