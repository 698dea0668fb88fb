/* The password file, line by line, by libpq 18's rules.
 * It allocates nothing and keeps nothing.
 * Read first: lib/passfile.h. */
#include "lib/passfile.h"

/* Does the field at *p fit, and is it ended by a colon? Then *p is behind that. */
static bool field_fits(const char **p, const char *end, tusk_str value)
{
    const char *at = *p;
    size_t i = 0;

    if (end - at >= 2 && at[0] == '*' && at[1] == ':') {
        *p = at + 2;
        return true;
    }
    for (; at < end; at++, i++) {
        if (*at == ':' && i == value.len) {
            *p = at + 1;
            return true;
        }
        if (*at == '\\' && ++at == end)
            return false;
        if (i == value.len || *at != value.ptr[i])
            return false;
    }
    return false;
}

/* The last field, up to a colon or the end of the line. A lone backslash at the end stands for itself. */
static tusk_str password_at(char *from, const char *end)
{
    const char *p = from;
    char *to = from;

    while (p < end && *p != ':') {
        if (*p == '\\' && end - p > 1)
            p++;
        *to++ = *p++;
    }
    return tusk_str_from(from, (size_t)(to - from));
}

static bool line_fits(char *line, const char *end, const tusk__passfile_key *key, tusk_str *password)
{
    const char *p = line;

    if (line == end || *line == '#' || memchr(line, '\0', (size_t)(end - line)))
        return false;
    if (!field_fits(&p, end, key->host) || !field_fits(&p, end, key->port) || !field_fits(&p, end, key->dbname) ||
        !field_fits(&p, end, key->user))
        return false;
    *password = password_at(line + (p - line), end);
    return true;
}

bool tusk__passfile_find(char *text, size_t len, const tusk__passfile_key *key, tusk_str *password, unsigned *line)
{
    char *end = text + len;

    *line = 0;
    for (char *p = text, *next; p < end; p = next) {
        char *newline = memchr(p, '\n', (size_t)(end - p)), *line_end = newline ? newline : end;

        next = newline ? newline + 1 : end;
        while (line_end > p && line_end[-1] == '\r')
            line_end--;
        ++*line;
        if (line_fits(p, line_end, key, password))
            return true;
    }
    return false;
}
