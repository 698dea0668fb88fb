/* Values by name, put into the order of a composite's attributes; and what a name that is none may have meant.
 * Read first: tusk/record.h. */
#include <stdio.h>

#include <tusk/record.h>

#include "lib/codec/types.h"

/* NAMEDATALEN of nearly all servers. */
#define NAME_MAX_LEN 63

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* Characters to put in, take out or change: Levenshtein's distance, row by row. */
static size_t distance(tusk_str a, tusk_str b)
{
    size_t row[NAME_MAX_LEN + 1];

    if (a.len > NAME_MAX_LEN || b.len > NAME_MAX_LEN)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t above = row[j];

            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a.ptr[i - 1] != b.ptr[j - 1]));
            diagonal = above;
        }
    }
    return row[b.len];
}

/* No more than a third of it is another, of names that are no mere letters; -1: none. */
static int nearest(const tusk_type *type, tusk_str name)
{
    size_t best = (name.len + 2) / 3;
    int found = -1;

    for (int i = 0; i < type->n_attributes && name.len > 2; i++) {
        size_t d = distance(name, type->attributes[i].name);

        if (d < best || (d == best && found < 0)) {
            best = d;
            found = i;
        }
    }
    return found;
}

/* Cut where the hint ends. */
static void advise(const tusk_type *type, tusk_str name, tusk_error *err)
{
    int near = nearest(type, name);
    char text[sizeof err->hint * 2];
    size_t len = 0;

    if (near >= 0)
        len = (size_t)snprintf(text, sizeof text, "Did you mean \"" TUSK_STR_FMT "\"? ",
                               TUSK_STR_ARG(type->attributes[near].name));
    for (int i = 0; i < type->n_attributes && len < sizeof text; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s\"" TUSK_STR_FMT "\"", i ? ", " : "It has ",
                                TUSK_STR_ARG(type->attributes[i].name));
    tusk__error_hint(err, tusk_str_from(text, len < sizeof text ? len : sizeof text - 1));
}

static tusk_code refuse_name(const tusk_type *type, const char *name, tusk_error *err)
{
    if (!err)
        return TUSK_ERR_USAGE;
    tusk__error_set(err, TUSK_ERR_USAGE, NULL, "type \"" TUSK_STR_FMT "\" has no field \"%s\"",
                    TUSK_STR_ARG(type->name), name);
    advise(type, tusk_str_of(name), err);
    return TUSK_ERR_USAGE;
}

static tusk_code check_type(const tusk_type *type, size_t capacity, tusk_error *err)
{
    if (type->kind != TUSK_TYPE_COMPOSITE || !type->attributes)
        return tusk__error_set(err, TUSK_ERR_TYPE, NULL,
                               "type \"" TUSK_STR_FMT "\" is no composite whose attributes are known",
                               TUSK_STR_ARG(type->name));
    if ((size_t)type->n_attributes > capacity)
        return tusk__error_set(err, TUSK_ERR_LIMIT, NULL,
                               "type \"" TUSK_STR_FMT "\" has %d fields, and there is room for %zu values",
                               TUSK_STR_ARG(type->name), type->n_attributes, capacity);
    return TUSK_OK;
}

static bool has_name_before(const tusk_record_field *fields, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (strcmp(fields[j].name, fields[i].name) == 0)
            return true;
    return false;
}

tusk_code tusk_record_arrange(const tusk_type *type, const tusk_record_field *fields, size_t n, tusk_value *values,
                              size_t capacity, tusk_error *err)
{
    tusk__error_begin(err);
    TUSK_TRY(check_type(type, capacity, err));
    for (int i = 0; i < type->n_attributes; i++)
        values[i] = tusk_null_of(type->attributes[i].type);
    for (size_t i = 0; i < n; i++) {
        int at = tusk_type_attribute_index(type, fields[i].name);

        if (at < 0)
            return refuse_name(type, fields[i].name, err);
        if (has_name_before(fields, i))
            return tusk__error_set(err, TUSK_ERR_USAGE, NULL, "there are two values for field \"%s\"", fields[i].name);
        values[at] = fields[i].value;
    }
    return TUSK_OK;
}
