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

/* The last field, up to a colon or the end of the line. */
static tusk_str password_at(const char *from, const char *end)
{
    const char *p = from;

    for (; p < end && *p != ':'; p++)
        if (*p == '\\' && end - p > 1)
            p++;
    return tusk_str_from(from, (size_t)(p - from));
}

/* A lone backslash at the end stands for itself. */
tusk_str tusk__passfile_unescape(tusk_str password, char *to)
{
    size_t n = 0;

    for (size_t i = 0; i < password.len; i++) {
        if (password.ptr[i] == '\\' && i + 1 < password.len)
            i++;
        to[n++] = password.ptr[i];
    }
    return tusk_str_from(to, n);
}

static bool line_fits(const char *line, const char *end, const tusk__passfile_key *key, tusk_str *password)
{
    const char *p = line;

    if (line == end || *line == '#' || memchr(line, '\0', (size_t)(end - line)))
        return false;
    if (!field_fits(&p, end, key->host) || !field_fits(&p, end, key->port) || !field_fits(&p, end, key->dbname) ||
        !field_fits(&p, end, key->user))
        return false;
    *password = password_at(p, end);
    return true;
}

bool tusk__passfile_find(const char *text, size_t len, const tusk__passfile_key *key, tusk_str *password,
                         unsigned *line)
{
    const char *end = text + len;

    *line = 0;
    for (const char *p = text, *next; p < end; p = next) {
        const char *newline = memchr(p, '\n', (size_t)(end - p)), *line_end = newline ? newline : end;

        next = newline ? newline + 1 : end;
        while (line_end > p && line_end[-1] == '\r')
            line_end--;
        ++*line;
        if (line_fits(p, line_end, key, password))
            return true;
    }
    return false;
}
