/* Service files, line by line, by libpq 18's rules.
 * It allocates nothing: values are views.
 * Read first: lib/servicefile.h. */
#include "lib/servicefile.h"

#include "proto/error_set.h"

typedef struct reader {
    const char *path;
    tusk_str service;
    tusk__param_values *values;
    bool *found;
    unsigned line;
    tusk_error *err;
} reader;

static bool is_blank(char c)
{
    return c != '\0' && strchr(" \t\n\v\f\r", c) != NULL;
}

static tusk_str without_blanks(tusk_str line)
{
    while (line.len > 0 && is_blank(line.ptr[line.len - 1]))
        line.len--;
    while (line.len > 0 && is_blank(line.ptr[0]))
        line = tusk_str_from(line.ptr + 1, line.len - 1);
    return line;
}

static tusk_code refuse(const reader *r, const char *what)
{
    return tusk__error_set(r->err, TUSK_ERR_CONFIG, NULL, "line %u of the service file %s %s", r->line, r->path, what);
}

static tusk_code refuse_name(const reader *r, tusk_str name)
{
    const char *nearest = tusk__param_nearest(name);

    if (without_blanks(name).len < name.len && tusk__param_find(without_blanks(name)))
        return refuse(r, "has a blank in front of its \"=\", and none is allowed there");
    if (tusk_str_is(name, "service"))
        return refuse(r, "names another service, and services cannot be nested");
    if (!nearest)
        return refuse(r, "has an unknown parameter");
    return tusk__error_set(r->err, TUSK_ERR_CONFIG, NULL,
                           "line %u of the service file %s has an unknown parameter; did you mean %s?", r->line,
                           r->path, nearest);
}

/* name=value: blanks around the "=" belong to name and value, and there are no quotes. */
static tusk_code read_pair(const reader *r, tusk_str line)
{
    const char *equals = memchr(line.ptr, '=', line.len);
    const tusk__param *param;
    tusk_str name;
    size_t i;

    if (line.len >= 4 && memcmp(line.ptr, "ldap", 4) == 0)
        return refuse(r, "asks for a look-up in LDAP, which is not in this driver");
    if (!equals)
        return refuse(r, "has no \"=\"");
    name = tusk_str_from(line.ptr, (size_t)(equals - line.ptr));
    param = tusk__param_find(name);
    if (!param || param == &tusk__params[TUSK__PARAM_SERVICE])
        return refuse_name(r, name);
    i = tusk__param_index(param);
    if (!r->values->text[i].ptr) {
        r->values->text[i] = tusk_str_from(equals + 1, (size_t)(line.ptr + line.len - equals) - 1);
        r->values->origin[i] = (tusk__origin){TUSK__FROM_SERVICE_FILE, r->path, r->line, 0};
    }
    return TUSK_OK;
}

static bool is_header_of(tusk_str line, tusk_str service)
{
    return line.len >= service.len + 2 && memcmp(line.ptr + 1, service.ptr, service.len) == 0 &&
           line.ptr[service.len + 1] == ']';
}

/* TUSK_DONE: the section is over. */
static tusk_code read_line(const reader *r, tusk_str line)
{
    if (line.len > TUSK__SERVICE_LINE_MAX)
        return refuse(r, "is too long");
    if (memchr(line.ptr, '\0', line.len))
        return refuse(r, "has a NUL byte");
    line = without_blanks(line);
    if (line.len == 0 || line.ptr[0] == '#')
        return TUSK_OK;
    if (line.ptr[0] != '[')
        return *r->found ? read_pair(r, line) : TUSK_OK;
    if (*r->found)
        return TUSK_DONE;
    *r->found = is_header_of(line, r->service);
    return TUSK_OK;
}

tusk_code tusk__servicefile_read(tusk_str text, const char *path, tusk_str service, tusk__param_values *values,
                                 bool *found, tusk_error *err)
{
    reader r = {path, service, values, found, 0, err};
    const char *end = text.ptr + text.len;
    tusk_code code = TUSK_OK;

    *found = false;
    for (const char *p = text.ptr, *next; p < end && code == TUSK_OK; p = next) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));

        next = newline ? newline + 1 : end;
        r.line++;
        code = read_line(&r, tusk_str_from(p, (size_t)(next - p)));
    }
    return code == TUSK_DONE ? TUSK_OK : code;
}
