/* The beginning of an SQL text, for whoever reads an error.
 * It takes every quote for a secret's, and does not know comments.
 * Read first: lib/sql.h. */
#include "lib/sql.h"

#include "proto/error_set.h"

static bool is_word_at(tusk_str sql, size_t at, const char *word)
{
    while (*word && at < sql.len && (sql.ptr[at] | 0x20) == *word)
        at++, word++;
    return !*word;
}

bool tusk__sql_may_hold_secret(tusk_str sql)
{
    for (size_t at = 0; at + 8 <= sql.len; at++)
        if (is_word_at(sql, at, "password"))
            return true;
    return false;
}

/* A quote, or the dollar of a dollar quote; the dollar of $1 is none. */
static bool begins_literal(tusk_str sql, size_t at)
{
    bool is_parameter = at + 1 < sql.len && sql.ptr[at + 1] >= '0' && sql.ptr[at + 1] <= '9';

    return sql.ptr[at] == '\'' || (sql.ptr[at] == '$' && !is_parameter);
}

void tusk__sql_head(tusk_str sql, char *head, size_t size)
{
    static const char ellipsis[] = "…";
    size_t n = 0;

    while (n < sql.len && n < size && !begins_literal(sql, n))
        n++;
    if (n == sql.len || n == size) {
        tusk__error_copy(head, size, sql);
        return;
    }
    tusk__error_copy(head, size - sizeof ellipsis + 1, tusk_str_from(sql.ptr, n));
    if (strlen(head) == n)
        memcpy(head + n, ellipsis, sizeof ellipsis);
}
