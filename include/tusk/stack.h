/* Stacks: many operations in one write and one round trip, all or none of them, or each by itself.
 * Read first: docs/guide.md, "Stacks"; docs/guarantees.md. */
#ifndef TUSK_STACK_H
#define TUSK_STACK_H

#include <tusk/transaction.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A list of operations, numbered from 0 in the order of pushing. It may be run several times. */
typedef struct tusk_stack tusk_stack;

typedef enum tusk_stack_mode {
    TUSK_STACK_ATOMIC = 0, /* all or none: the first error undoes the whole stack, and is the query's error */
    TUSK_STACK_CONTINUE    /* each operation by itself: one that fails undoes itself alone, and its result has its error */
} tusk_stack_mode;

/** How a stack is run. Zero means the default. */
typedef struct tusk_stack_options {
    tusk_stack_mode mode;
    tusk_transaction transaction; /* ATOMIC outside a transaction: of this kind. Elsewhere TUSK_ERR_USAGE */
    bool text_results;            /* as in tusk_request, for all operations */
    double timeout;               /* as in tusk_request, for the whole stack */
    int64_t max_result_bytes;     /* as in tusk_request, for all results together */
    tusk_done_fn on_done;
    void *user;
} tusk_stack_options;

/** An empty stack for this connection. Returns NULL if out of memory. The caller's: tusk_stack_free(), at any time. */
TUSK_MUST_CHECK
tusk_stack *tusk_stack_new(tusk_conn *conn);

/** Release the handle; runs in flight keep what they need. NULL is fine. */
void tusk_stack_free(tusk_stack *stack);

/**
 * Push one statement with its parameters. Both are copied.
 *
 * Returns   TUSK_OK, or the error that each run of this stack will have; it may be ignored here. Nothing more is pushed then
 * Errors    TUSK_ERR_USAGE no statement; transaction control (BEGIN, COMMIT, SAVEPOINT …) or COPY: by its first keyword ·
 *           TUSK_ERR_LIMIT too many parameters; more than 65536 statements · TUSK_ERR_NOMEM
 */
tusk_code tusk_stack_push(tusk_stack *stack, const char *sql, tusk_params params);

/** Push one statement that is run with each of n sets of parameters. One result for each set. At least one set. */
tusk_code tusk_stack_push_many(tusk_stack *stack, const char *sql, const tusk_params *sets, size_t n);

/** Push several statements in one string. It is cut where the server would cut it, and sent as statements without parameters. One result
 * for each. Positions in errors are those in the whole string. */
tusk_code tusk_stack_push_script(tusk_stack *stack, const char *sql);

/**
 * Push a prepared statement of the same connection: tusk_prepare(). Runs wait until it is ready, and fail if it is not. The stack keeps
 * what it needs of it, but for its being open: behind tusk_stmt_close() or tusk_stmt_free() its runs fail.
 *
 * Errors    as tusk_stack_push() · TUSK_ERR_USAGE it belongs to another connection · TUSK_ERR_STATE it is closed · TUSK_ERR_NOMEM stmt is
 *           NULL. By the run: that of a statement that could not be prepared; TUSK_ERR_USAGE another number of parameters; TUSK_ERR_TYPE,
 *           TUSK_ERR_VALUE as tusk_stmt_exec()
 */
tusk_code tusk_stack_push_stmt(tusk_stack *stack, tusk_stmt *stmt, tusk_params params);

/** Push one statement with values by name: :age in the text and TUSK_ARGS({"age", tusk_int4(18)}). Positions of errors are those in that text.
 * Errors as tusk_stack_push(), and those of tusk_named_parse() and tusk_named_bind(). */
tusk_code tusk_stack_push_args(tusk_stack *stack, const char *sql, tusk_args args);

/** The same with names that were read once: tusk_named_parse(). named may be freed afterwards. */
tusk_code tusk_stack_push_named(tusk_stack *stack, tusk_named *named, tusk_args args);

/** How many operations were pushed. */
size_t tusk_stack_n_operations(const tusk_stack *stack);

/**
 * Run it: one write, one round trip, whatever is in it, in a transaction or not.
 *
 * Outside a transaction ATOMIC makes one of the stack; CONTINUE commits each operation. Inside the caller's transaction neither ever
 * commits or rolls it back: ATOMIC has one savepoint, CONTINUE one for each operation. Above 64 operations that write, the latter overflows
 * the server's cache of subtransactions (PGPROC_MAX_CACHED_SUBXIDS), which slows down everybody's snapshots until the transaction ends.
 *
 * Returns   a query with one result per statement, in order: tusk_next_result(). It is the caller's: tusk_query_free()
 * Completes with TUSK_OK · ATOMIC: the first error, err->item says of which operation; nothing is kept · CONTINUE: TUSK_OK although
 *           operations failed: ask tusk_query_result_error() of each
 * Errors    TUSK_ERR_USAGE, not sent: the stack is empty, a push failed, options that cannot be · TUSK_ERR_VALUE, not sent, in either
 *           mode: a value of an operation (err->item, err->param) does not fit or is not UTF-8; then none is run · TUSK_ERR_COMMIT_UNKNOWN
 * Source    PostgreSQL docs, Frontend/Backend Protocol, "Pipelining"
 * Example   docs/examples/stack.c
 */
TUSK_MUST_CHECK
tusk_query *tusk_stack_run(tusk_stack *stack, tusk_stack_mode mode);

/** The same with options. With on_done the query frees itself and the returned pointer may be ignored. */
tusk_query *tusk_stack_submit(tusk_stack *stack, const tusk_stack_options *options);

/* ---- of the present result of a stack, or of a load (tusk/many.h): see tusk_next_result() ---------------------------------------- */

/** Which operation it is of, from 0; of a load with item_results, which item; -1 of any other query. */
int tusk_query_result_operation(const tusk_query *q);

/** Its statement, as it was pushed; of a script, that one statement; of a load, the load's. Empty of any other query. Borrowed until
 * tusk_query_free(). */
tusk_str tusk_query_result_sql(const tusk_query *q);

/**
 * What went wrong with it; code TUSK_OK if nothing did. Never NULL; borrowed until tusk_query_free().
 * TUSK_ERR_SERVER its own error; or, with sqlstate 25P02 and "not run: …", that one in front of it failed · TUSK_ERR_ROLLED_BACK it ran,
 * and was undone because one behind it failed · that of the connection, if it died before this one was certain: see fate
 */
const tusk_error *tusk_query_result_error(const tusk_query *q);

#ifdef __cplusplus
}
#endif

#endif
