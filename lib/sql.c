/* The first keyword of an SQL text, and its beginning.
 * It is no parser: it knows blanks, comments and letters.
 * Read first: lib/sql.h; PostgreSQL docs, "Lexical Structure", "Comments". */
#include "lib/sql.h"

#include "proto/error_set.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
           (unsigned char)c >= 0x80;
}

static bool at_pair(tusk_str sql, size_t at, const char *pair)
{
    return at + 1 < sql.len && sql.ptr[at] == pair[0] && sql.ptr[at + 1] == pair[1];
}

static size_t behind_line(tusk_str sql, size_t at)
{
    while (at < sql.len && sql.ptr[at] != '\n' && sql.ptr[at] != '\r')
        at++;
    return at;
}

/* Block comments nest. An open end swallows the rest. */
static size_t behind_block(tusk_str sql, size_t at)
{
    size_t depth = 0;

    while (at < sql.len) {
        if (at_pair(sql, at, "/*")) {
            depth++;
            at += 2;
        } else if (at_pair(sql, at, "*/")) {
            at += 2;
            if (--depth == 0)
                break;
        } else {
            at++;
        }
    }
    return at;
}

static size_t behind_blanks(tusk_str sql)
{
    size_t at = 0;

    for (;;) {
        if (at < sql.len && is_blank(sql.ptr[at]))
            at++;
        else if (at_pair(sql, at, "--"))
            at = behind_line(sql, at);
        else if (at_pair(sql, at, "/*"))
            at = behind_block(sql, at);
        else
            return at;
    }
}

bool tusk__sql_begins_with(tusk_str sql, const char *keyword)
{
    size_t at = behind_blanks(sql), len = strlen(keyword);

    if (sql.len - at < len)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((sql.ptr[at + i] | 0x20) != keyword[i])
            return false;
    return at + len == sql.len || !is_word(sql.ptr[at + len]);
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
