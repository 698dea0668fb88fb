/* Results by their shape: one row or none, one column.
 * It waits as tusk_await() does, and looks at kept rows only.
 * Read first: tusk/query.h, "results of a known shape". */
#include <stdarg.h>
#include <stdio.h>

#include "lib/query.h"
#include "proto/error_set.h"

static tusk_code wrong(const tusk_query *q, tusk_error *err, tusk_code code, const char *sqlstate, const char *fmt, ...)
    TUSK_PRINTF(5, 6);

static tusk_code wrong(const tusk_query *q, tusk_error *err, tusk_code code, const char *sqlstate, const char *fmt, ...)
{
    char text[sizeof err->message];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    (void)tusk__error_set(err, code, sqlstate, "%s", text);
    tusk__query_add_where(q, err);
    if (err)
        err->fate = TUSK_FATE_ANSWERED;
    return code;
}

/* TUSK_DONE: there is none. */
static tusk_code only_row(tusk_query *q, tusk_row *row, tusk_error *err)
{
    const tusk__result *result = q->present;
    const uint8_t *body;

    if (!result->desc)
        return wrong(q, err, TUSK_ERR_USAGE, NULL, "the statement yields no rows, whatever it does");
    if (q->on_row)
        return wrong(q, err, TUSK_ERR_USAGE, NULL, "on_row got the rows: none is kept");
    if (result->n_rows == 0)
        return TUSK_DONE;
    if (result->n_rows > 1)
        return wrong(q, err, TUSK_ERR_VALUE, "P0003", "%zu rows, but one was expected", result->n_rows);
    body = tusk__result_first(result);
    if (!body)
        return wrong(q, err, TUSK_ERR_STATE, NULL, "tusk_next_row() took the row while the query ran");
    tusk__row_init(row, q, body, (uint32_t)result->desc->n_cols);
    return TUSK_OK;
}

static tusk_code none(const tusk_query *q, tusk_error *err)
{
    return wrong(q, err, TUSK_ERR_VALUE, "P0002", "no row, but one was expected");
}

static tusk_code one_column(const tusk_query *q, tusk_error *err)
{
    int n_cols = tusk_query_n_cols(q);

    if (n_cols == 1 || !q->present->desc)
        return TUSK_OK;
    return wrong(q, err, TUSK_ERR_USAGE, NULL, "%d columns, but one was expected", n_cols);
}

tusk_code tusk_query_one_or_none(tusk_query *q, tusk_row *row, tusk_error *err)
{
    tusk__error_begin(err);
    TUSK_TRY(tusk__query_settle(q, err));
    return only_row(q, row, err);
}

tusk_code tusk_query_one(tusk_query *q, tusk_row *row, tusk_error *err)
{
    tusk_code code = tusk_query_one_or_none(q, row, err);

    return code == TUSK_DONE ? none(q, err) : code;
}

tusk_code tusk_query_scalar_or_none(tusk_query *q, tusk_row *row, tusk_error *err)
{
    tusk__error_begin(err);
    TUSK_TRY(tusk__query_settle(q, err));
    TUSK_TRY(one_column(q, err));
    return only_row(q, row, err);
}

tusk_code tusk_query_scalar(tusk_query *q, tusk_row *row, tusk_error *err)
{
    tusk_code code = tusk_query_scalar_or_none(q, row, err);

    return code == TUSK_DONE ? none(q, err) : code;
}

bool tusk_query_was_inserted(const tusk_query *q)
{
    tusk_str tag = tusk_query_tag(q);

    return tag.len > 7 && memcmp(tag.ptr, "INSERT ", 7) == 0 && tusk_query_rows_affected(q) > 0;
}
