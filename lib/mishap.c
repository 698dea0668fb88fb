/* Errors that are about our statement are told from the caller's by what was answered with them, before sqlstate and routine are looked at.
 * Read first: lib/mishap.h. */
#include "lib/mishap.h"

#include <stdio.h>

#include "lib/formats.h"
#include "lib/known.h"
#include "proto/error_set.h"

static bool is_state(const tusk__tried *tried, const char *sqlstate)
{
    return memcmp(tried->error->sqlstate, sqlstate, 5) == 0;
}

static bool is_raised_by(const tusk__tried *tried, const char *const *routines)
{
    while (*routines && !tusk_str_is(tried->routine, *routines))
        routines++;
    return *routines || tried->routine.len == 0;
}

/* Not what a function of the statement's may have raised with the same code: that one is told by the routine. */
static bool is_missing_output(const tusk__tried *tried)
{
    static const char *const routines[] = {"getTypeBinaryOutputInfo", "array_send", "get_range_io_data",
                                           "get_multirange_io_data", NULL};

    return is_state(tried, "42883") && !tried->text_results && is_raised_by(tried, routines);
}

static bool has_other_columns(const tusk__tried *tried)
{
    return is_state(tried, "08P01") && tried->assumed && tried->desc && tried->desc->n_cols != tried->assumed->n_cols;
}

/* The server does not notice that a statement's type is gone before it reads or prints a value of it, and says so in a text that is never
 * translated. Not what PL/pgSQL has raised. */
static bool has_lost_type(const tusk__tried *tried)
{
    static const char said[] = "cache lookup failed for type ";

    return tried->is_run && is_state(tried, "XX000") && strncmp(tried->error->message, said, sizeof said - 1) == 0 &&
           !tusk_str_is(tried->routine, "exec_stmt_raise");
}

static tusk__mishap of_execute(const tusk__tried *tried)
{
    if (has_lost_type(tried))
        return TUSK__MISHAP_TYPE;
    return is_missing_output(tried) ? TUSK__MISHAP_OUTPUT : TUSK__MISHAP_NONE;
}

static tusk__mishap of_bind(const tusk__tried *tried)
{
    static const char *const revalidates[] = {"RevalidateCachedQuery", NULL};

    if (tried->is_run && is_state(tried, "0A000") && is_raised_by(tried, revalidates))
        return TUSK__MISHAP_STALE;
    if (tried->is_run && is_state(tried, "26000"))
        return TUSK__MISHAP_LOST;
    if (has_other_columns(tried))
        return TUSK__MISHAP_COLUMNS;
    return of_execute(tried);
}

/* What was answered with it says most: a statement of the caller's that speaks of prepared statements fails elsewhere. */
tusk__mishap tusk__mishap_of(const tusk__tried *tried)
{
    if (tried->error->code != TUSK_ERR_SERVER)
        return TUSK__MISHAP_NONE;
    switch (tried->failed_at) {
    case TUSK__EXPECT_PARSE:
        return is_state(tried, "42P05") && tried->stmt ? TUSK__MISHAP_TAKEN : TUSK__MISHAP_NONE;
    case TUSK__EXPECT_BIND:
        return of_bind(tried);
    case TUSK__EXPECT_EXECUTE:
    case TUSK__EXPECT_EXECUTE_ROWS:
        return of_execute(tried);
    default:
        return TUSK__MISHAP_NONE;
    }
}

/* ---- learning ---- */

static void forget_known(tusk_conn *conn, const tusk__tried *tried)
{
    uint64_t key = tusk__known_key(conn, tried->hash);

    if (tried->stmt->is_cached && tusk__known_find(conn->loop, key) == tried->stmt->desc)
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
static bool learn_output(tusk_conn *conn, const tusk__tried *tried)
{
    tusk__desc *next = tried->desc ? tusk__formats_refused(conn, tried->desc) : NULL;
    bool is_new;

    if (!next)
        return false; /* learned the next time */
    is_new = has_other_formats(tried->desc, next);
    if (!tried->stmt || tried->stmt->is_cached)
        tusk__known_set(conn->loop, tusk__known_key(conn, tried->hash), next);
    if (tried->stmt)
        tusk__stmt_set_formats(tried->stmt, next);
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

bool tusk__mishap_learn(tusk_conn *conn, const tusk__tried *tried, tusk__mishap why)
{
    if (why == TUSK__MISHAP_LOST)
        tell_of_pooler(conn, "a prepared statement is gone from the server");
    if (why == TUSK__MISHAP_TAKEN) {
        tell_of_pooler(conn, "somebody else has prepared a statement of our name");
        conn->stmt_number = 0;
    }
    if (why == TUSK__MISHAP_STALE || why == TUSK__MISHAP_TYPE)
        forget_known(conn, tried);
    if (why == TUSK__MISHAP_OUTPUT)
        return learn_output(conn, tried);
    if (why == TUSK__MISHAP_LOST &&
        tried->stmt->is_cached) /* one is seldom lost alone, and to parse again costs no round trip */
        tusk__cache_drop_all(conn, true);
    else if (why != TUSK__MISHAP_COLUMNS)
        tusk__stmt_renew(tried->stmt, why == TUSK__MISHAP_STALE || why == TUSK__MISHAP_TYPE);
    return true;
}

/* ---- what the caller is told ---- */

static const char *const hints[TUSK__N_MISHAPS] = {
    [TUSK__MISHAP_STALE] = "The columns have changed since the statement was prepared",
    [TUSK__MISHAP_LOST] =
        "The prepared statement is gone from the server: by DEALLOCATE, or a pooler is in between, and "
        "pooler=transaction "
        "is not set",
    [TUSK__MISHAP_TAKEN] =
        "Another client has prepared a statement of this name: a pooler is in between, and pooler=transaction is not "
        "set",
    [TUSK__MISHAP_OUTPUT] = "A column's type has no binary output; now that is known",
    [TUSK__MISHAP_COLUMNS] = "The columns have changed since they were described",
    [TUSK__MISHAP_TYPE] = "A type was dropped since the statement was prepared",
};

void tusk__mishap_advise(tusk_error *err, tusk__mishap why, tusk_retry retry)
{
    char text[sizeof err->hint];

    err->retry = retry;
    (void)snprintf(text, sizeof text, "%s. %s.", hints[why],
                   retry == TUSK_RETRY_REQUEST ? "Repeating is safe" : "Retry the transaction");
    tusk__error_hint(err, tusk_str_of(text));
}
