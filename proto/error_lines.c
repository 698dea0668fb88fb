/* An error in several lines, as psql prints one: with the line of the statement that it is about and a mark below the place.
 * It knows no columns of a terminal: each character counts as one.
 * Read first: tusk/error.h. */
#include <stdio.h>
#include <string.h>

#include "proto/error_set.h"

/* Characters of a line that are shown, and how many of them in front of the place, if it is longer. */
#define SHOWN 60
#define SHOWN_BEFORE 30

/* What snprintf() does, in steps. */
typedef struct lines {
    char *buf;
    size_t size, len;
} lines;

static void put_bytes(lines *l, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++, l->len++)
        if (l->len + 1 < l->size)
            l->buf[l->len] = bytes[i];
}

static void put(lines *l, const char *text)
{
    put_bytes(l, text, strlen(text));
}

static void put_blanks(lines *l, size_t n)
{
    while (n-- > 0)
        put_bytes(l, " ", 1);
}

static void put_field(lines *l, const char *name, const char *text)
{
    if (!text[0])
        return;
    put(l, name);
    put(l, text);
    put(l, "\n");
}

/* ---- the place in the statement ---- */

typedef struct place {
    const char *line; /* where it begins */
    unsigned number;
    size_t column; /* characters in front of the place */
} place;

static const char *next_character(const char *p)
{
    do
        p++;
    while (((unsigned char)*p & 0xC0) == 0x80);
    return p;
}

/* One character behind the end is a place, too: where something is missing. */
static bool find(const char *sql, int position, place *found)
{
    const char *p = sql;

    *found = (place){sql, 1, 0};
    for (int i = 1; i < position; i++) {
        if (!*p)
            return false;
        found->column++;
        if (*p == '\n')
            *found = (place){p + 1, found->number + 1, 0};
        p = next_character(p);
    }
    return position > 0;
}

static bool is_end(char c)
{
    return c == '\0' || c == '\n';
}

/* Up to n characters of a line; what a terminal would obey becomes a blank. Returns where it stopped. */
static const char *put_part(lines *l, const char *p, size_t n)
{
    for (; n > 0 && !is_end(*p); n--) {
        const char *next = next_character(p);
        size_t len = (size_t)(next - p);
        bool is_shown = tusk__printable_len(tusk_str_from(p, len)) == len;

        put_bytes(l, is_shown ? p : " ", is_shown ? len : 1);
        p = next;
    }
    return p;
}

static size_t line_len(const char *p)
{
    size_t n = 0;

    for (; !is_end(*p); p = next_character(p))
        n++;
    return n;
}

static void put_place(lines *l, const char *sql, int position)
{
    char head[32];
    size_t skipped = 0;
    const char *p;
    place at;

    if (!find(sql, position, &at))
        return;
    if (at.column > SHOWN_BEFORE && line_len(at.line) > SHOWN)
        skipped = at.column - SHOWN_BEFORE;
    p = at.line;
    for (size_t i = 0; i < skipped; i++)
        p = next_character(p);
    (void)snprintf(head, sizeof head, "LINE %u: %s", at.number, skipped > 0 ? "..." : "");
    put(l, head);
    put(l, is_end(*put_part(l, p, SHOWN)) ? "\n" : "...\n");
    put_blanks(l, strlen(head) + at.column - skipped);
    put(l, "^\n");
}

size_t tusk_error_format_lines(const tusk_error *err, const char *sql, char *buf, size_t size)
{
    lines l = {buf, size, 0};
    char first[sizeof err->where + sizeof err->message + sizeof err->sqlstate + 8];

    (void)tusk_error_format(err, first, sizeof first);
    put_field(&l, "", first);
    if (err->code != TUSK_OK) {
        if (sql)
            put_place(&l, sql, err->position);
        put_field(&l, "DETAIL:  ", err->detail);
        put_field(&l, "HINT:  ", err->hint);
    }
    if (size > 0)
        buf[l.len < size ? l.len : size - 1] = '\0';
    return l.len;
}
