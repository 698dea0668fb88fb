/* Walks a valid JSON document to one of its members, counting lines and characters.
 * It checks nothing: the parser has.
 * Read first: lib/json_place.h. */
#include "lib/json_place.h"

#include <stdbool.h>

typedef struct walker {
    const char *p, *end;
} walker;

static void skip_blanks(walker *w)
{
    while (w->p < w->end && (*w->p == ' ' || *w->p == '\t' || *w->p == '\n' || *w->p == '\r'))
        w->p++;
}

static void skip_string(walker *w)
{
    for (w->p++; w->p < w->end && *w->p != '"'; w->p++)
        if (*w->p == '\\' && w->end - w->p > 1)
            w->p++;
    if (w->p < w->end)
        w->p++;
}

/* A value of any depth: brackets are counted, strings passed over. */
static void skip_value(walker *w)
{
    size_t depth = 0;

    while (w->p < w->end) {
        char c = *w->p;

        if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            return;
        if (c == '"') {
            skip_string(w);
            continue;
        }
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        w->p++;
    }
}

/* From the "{" of an object to the name of its member. */
static void enter(walker *w, size_t member)
{
    skip_blanks(w);
    w->p += w->p < w->end;
    for (size_t i = 0; i < member; i++) {
        skip_value(w);
        w->p += w->p < w->end;
    }
    skip_blanks(w);
}

/* From the name of a member to its value. */
static void pass_name(walker *w)
{
    skip_string(w);
    skip_blanks(w);
    w->p += w->p < w->end;
}

static unsigned hex_value(const char *digits)
{
    unsigned value = 0;

    for (size_t i = 0; i < 4; i++) {
        char c = digits[i];

        value = value << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

/* What an escape stands for has this many bytes; *p goes behind it. Two halves of a character are one escape. */
static size_t escape_len(const char **p)
{
    unsigned value;

    if ((*p)[1] != 'u') {
        *p += 2;
        return 1;
    }
    value = hex_value(*p + 2);
    *p += 6;
    if (value >= 0xD800 && value < 0xDC00) {
        *p += 6;
        return 4;
    }
    return value < 0x80 ? 1 : value < 0x800 ? 2 : 3;
}

size_t tusk__json_strings_len(tusk_str json)
{
    const char *p = json.ptr, *end = p + json.len;
    bool is_inside = false;
    size_t len = 0;

    while (p < end) {
        if (is_inside && *p == '\\') {
            len += escape_len(&p);
            continue;
        }
        is_inside ^= *p == '"';
        len += is_inside && *p != '"';
        p++;
    }
    return len;
}

void tusk__json_place(tusk_str json, const tusk__json_path *path, unsigned *line, unsigned *column)
{
    walker w = {json.ptr, json.ptr + json.len};

    for (size_t i = 0; i < path->depth; i++) {
        if (i > 0)
            pass_name(&w);
        enter(&w, path->step[i]);
    }
    *line = *column = 1;
    for (const char *p = json.ptr; p < w.p; p++) {
        bool is_newline = *p == '\n', begins = ((unsigned char)*p & 0xC0) != 0x80;

        *line += is_newline;
        *column = is_newline ? 1 : *column + begins;
    }
}
