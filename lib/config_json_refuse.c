/* What is wrong with a JSON document: the place and known names, never what the document holds (D31).
 * Read first: lib/config_json_reader.h. */
#include <stdio.h>

#include "lib/config_json_reader.h"
#include "proto/error_set.h"

tusk__origin tusk__json_place_of(const tusk__json_reader *r)
{
    tusk__origin origin = {.kind = TUSK__FROM_JSON};

    tusk__json_place(r->json, r->at, &origin.line, &origin.column);
    return origin;
}

tusk_code tusk__json_refuse(const tusk__json_reader *r, const char *name, const char *what)
{
    tusk__origin at = tusk__json_place_of(r);

    return tusk__error_set(r->err, TUSK_ERR_CONFIG, NULL, "line %u, column %u of the JSON document: %s%s%s", at.line,
                           at.column, name, name[0] ? " " : "", what);
}

tusk_code tusk__json_refuse_type(const tusk__json_reader *r, const char *name, char type)
{
    return tusk__json_refuse(r, name,
                             type == 's'   ? "must be a string"
                             : type == 'b' ? "must be true or false"
                             : type == 'i' ? "must be a whole number"
                             : type == 'n' ? "must be a number"
                                           : "must be an object");
}

tusk_code tusk__json_refuse_unknown(const tusk__json_reader *r, tusk_str name)
{
    const char *nearest = tusk__param_nearest(name);
    char what[64];

    if (!nearest)
        return tusk__json_refuse(r, "", "unknown key");
    snprintf(what, sizeof what, "unknown key; did you mean %s?", nearest);
    return tusk__json_refuse(r, "", what);
}

static const char *what_is_malformed(tusk__json_fault fault)
{
    switch (fault) {
    case TUSK__JSON_DEEP:
        return "it is nested too deeply";
    case TUSK__JSON_NOT_UTF8:
        return "it is not UTF-8";
    case TUSK__JSON_ENDS:
        return "it ends too early";
    case TUSK__JSON_BEHIND:
        return "something stands behind its end";
    case TUSK__JSON_NUL:
        return "\\u0000 cannot be";
    case TUSK__JSON_MALFORMED:
    case TUSK__JSON_FINE:
        break;
    }
    return "it is malformed";
}

tusk_code tusk__json_no_memory(tusk_error *err)
{
    return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a JSON document");
}

static tusk_code refuse_at(tusk_str json, const char *at, const char *what, tusk_error *err)
{
    unsigned line, column;

    tusk__json_place(json, at, &line, &column);
    return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "line %u, column %u of the JSON document: %s", line, column,
                           what);
}

/* Where it ends too early its last character is the place. */
tusk_code tusk__json_refuse_document(tusk_str json, const tusk__json_cursor *c, tusk_error *err)
{
    bool is_behind_all = c->fault == TUSK__JSON_ENDS && json.len > 0;

    return refuse_at(json, c->fault_at - is_behind_all, what_is_malformed(c->fault), err);
}

tusk_code tusk__json_refuse_twice(tusk_str json, const char *name, tusk_error *err)
{
    return refuse_at(json, name, "the key is there already", err);
}
