/* The rule of repetition: an error that is about our statement, and not about the caller's question, is learned from, and the question
 * is asked once more where nobody could tell the difference.
 * Which formats and which statement the second try has, formats.c and cache.c say.
 * Read first: DESIGN "Repetition", docs/guarantees.md. */
#include <stdio.h>

#include "lib/command.h"
#include "lib/formats.h"
#include "lib/known.h"
#include "lib/transaction.h"
#include "proto/error_set.h"

typedef enum reason {
    REASON_NONE,
    REASON_STALE,   /* the columns are others than when it was prepared */
    REASON_LOST,    /* the server does not have it */
    REASON_TAKEN,   /* the server has another one of that name */
    REASON_OUTPUT,  /* a column's type has no binary output */
    REASON_COLUMNS, /* there are more or fewer columns than formats were chosen for */
    N_REASONS
} reason;

static bool is_state(const tusk_query *q, const char *sqlstate)
{
    return memcmp(q->error.sqlstate, sqlstate, 5) == 0;
}

/* The function of the server that raised it. Some servers do not say. */
static bool is_raised_by(const tusk_query *q, const char *const *routines)
{
    tusk_str routine = tusk_query_error_field(q, 'R');

    while (*routines && !tusk_str_is(routine, *routines))
        routines++;
    return *routines || routine.len == 0;
}

/* Not what a function of the statement's may have raised with the same code: that one is told by the routine. */
static bool is_missing_output(const tusk_query *q)
{
    static const char *const routines[] = {"getTypeBinaryOutputInfo", "array_send", "get_range_io_data",
                                           "get_multirange_io_data", NULL};

    return is_state(q, "42883") && !q->text_results && is_raised_by(q, routines);
}

static bool has_other_columns(const tusk_query *q)
{
    return is_state(q, "08P01") && q->assumed && q->first.desc && q->first.desc->n_cols != q->assumed->n_cols;
}

/* Of a statement that was there already. */
static bool is_run(const tusk_query *q)
{
    return q->kind == TUSK__QUERY_RUN || q->kind == TUSK__QUERY_MANY;
}

/* What was answered with it says most: a statement of the caller's that speaks of prepared statements fails elsewhere. */
static reason reason_of(const tusk_query *q)
{
    static const char *const revalidates[] = {"RevalidateCachedQuery", NULL};

    if (q->error.code != TUSK_ERR_SERVER)
        return REASON_NONE;
    switch (q->failed_at) {
    case TUSK__EXPECT_PARSE:
        return is_state(q, "42P05") && q->stmt ? REASON_TAKEN : REASON_NONE;
    case TUSK__EXPECT_BIND:
        if (is_run(q) && is_state(q, "0A000") && is_raised_by(q, revalidates))
            return REASON_STALE;
        if (is_run(q) && is_state(q, "26000"))
            return REASON_LOST;
        if (has_other_columns(q))
            return REASON_COLUMNS;
        return is_missing_output(q) ? REASON_OUTPUT : REASON_NONE;
    case TUSK__EXPECT_EXECUTE:
    case TUSK__EXPECT_EXECUTE_ROWS:
        return is_missing_output(q) ? REASON_OUTPUT : REASON_NONE;
    default:
        return REASON_NONE;
    }
}

/* ---- learning ---- */

static void forget_known(tusk_conn *conn, const tusk_query *q)
{
    uint64_t key = tusk__known_key(conn, q->hash);

    if (q->stmt->is_cached && tusk__known_find(conn->loop, key) == q->stmt->desc)
        tusk__known_forget(conn->loop, key); /* else another connection has seen the new columns already */
}

static bool has_other_formats(const tusk__desc *a, const tusk__desc *b)
{
    int i = 0;

    while (i < a->n_cols && a->cols[i].format == b->cols[i].format)
        i++;
    return i < a->n_cols;
}

/* Will the next try ask for other formats? Else it is not these that were in the way. */
static bool learn_output(tusk_conn *conn, tusk_query *q)
{
    tusk__desc *desc = q->first.desc, *next = desc ? tusk__formats_refused(conn, desc) : NULL;
    bool is_new;

    if (!next)
        return false; /* learned the next time */
    is_new = has_other_formats(desc, next);
    if (!q->stmt || q->stmt->is_cached)
        tusk__known_set(conn->loop, tusk__known_key(conn, q->hash), next);
    if (q->stmt)
        tusk__stmt_set_formats(q->stmt, next);
    else
        tusk__desc_unref(next);
    return is_new;
}

/* Nobody would notice but by the time that it takes. */
static void tell_of_pooler(tusk_conn *conn, const char *what)
{
    if (conn->pooler_is_told || !tusk__loop_logs(conn->loop, TUSK_LOG_WARNING))
        return;
    conn->pooler_is_told = true;
    tusk__loop_log(conn->loop, TUSK_LOG_WARNING,
                   "%s: unless the program did that itself, a pooler in transaction mode is in between; then set "
                   "pooler=transaction",
                   what);
}

/* False: as far as it goes, the second try would not differ from the first. */
static bool learn(tusk_conn *conn, tusk_query *q, reason why)
{
    q->is_unnamed = why == REASON_TAKEN && q->kind != TUSK__QUERY_PREPARE;
    if (why == REASON_LOST)
        tell_of_pooler(conn, "a prepared statement is gone from the server");
    if (why == REASON_TAKEN) {
        tell_of_pooler(conn, "somebody else has prepared a statement of our name");
        conn->stmt_number = 0;
    }
    if (why == REASON_STALE)
        forget_known(conn, q);
    if (why == REASON_OUTPUT)
        return learn_output(conn, q);
    if (why == REASON_LOST && q->stmt->is_cached) /* one is seldom lost alone, and to parse again costs no round trip */
        tusk__cache_drop_all(conn, true);
    else if (why == REASON_STALE || why == REASON_LOST || why == REASON_TAKEN)
        tusk__stmt_renew(q->stmt, why == REASON_STALE);
    return true;
}

/* ---- what the caller is told ---- */

static const char *const hints[N_REASONS] = {
    [REASON_STALE] = "The columns have changed since the statement was prepared",
    [REASON_LOST] = "The prepared statement is gone from the server: by DEALLOCATE, or a pooler is in between, and "
                    "pooler=transaction "
                    "is not set",
    [REASON_TAKEN] =
        "Another client has prepared a statement of this name: a pooler is in between, and pooler=transaction is not "
        "set",
    [REASON_OUTPUT] = "A column's type has no binary output; now that is known",
    [REASON_COLUMNS] = "The columns have changed since they were described",
};

static void advise(const tusk_conn *conn, tusk_query *q, reason why)
{
    bool is_idle = conn->session.tx_status == 'I';
    char text[sizeof q->error.hint];

    q->error.retry = is_idle ? TUSK_RETRY_REQUEST : TUSK_RETRY_TRANSACTION;
    tusk__level_advise(q);
    (void)snprintf(text, sizeof text, "%s. %s.", hints[why], is_idle ? "Repeating is safe" : "Retry the transaction");
    tusk__error_hint(&q->error, tusk_str_of(text));
}

/* A procedure may have committed before its result could not be sent. */
static bool may_have_committed(const tusk_query *q)
{
    return tusk__command_of(q->stmt ? q->stmt->text : q->held.sql) == TUSK__COMMAND_CALL;
}

/* Is anybody still interested? That of a handle's Parse has nobody, and yet all that wait for the handle. */
static bool is_wanted(const tusk_query *q)
{
    return q->kind == TUSK__QUERY_PREPARE || (!q->is_done && !q->is_released && !q->is_given_up);
}

static bool is_allowed(const tusk_conn *conn, const tusk_query *q)
{
    return is_wanted(q) && q->is_repeatable && !q->rows_given && conn->wire_last == q && conn->session.tx_status == 'I';
}

bool tusk__repeat(tusk_conn *conn, tusk_query *q)
{
    reason why = reason_of(q);
    bool has_learned;

    if (why == REASON_NONE)
        return false;
    has_learned = learn(conn, q, why);
    if (why == REASON_OUTPUT && ((q->is_repeated && !has_learned) || may_have_committed(q)))
        return false;
    if (!q->is_repeated && is_allowed(conn, q)) {
        tusk__request_repeat(conn, q);
        return true;
    }
    advise(conn, q, why);
    return false;
}
