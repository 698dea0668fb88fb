/* What is wrong with a JSON document: the place and known names, never what the document holds (D31).
 * Read first: lib/config_json_reader.h. */
#include <stdio.h>

#include "lib/config_json_reader.h"
#include "proto/error_set.h"

tusk__origin tusk__json_place_of(const tusk__json_reader *r)
{
    tusk__origin origin = {.kind = TUSK__FROM_JSON};

    tusk__json_place(r->json, &r->at, &origin.line, &origin.column);
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

/* jansson's own text quotes the document. */
static const char *what_is_malformed(enum json_error_code code)
{
    switch ((int)code) {
    case json_error_stack_overflow:
        return "it is nested too deeply";
    case json_error_invalid_utf8:
        return "it is not UTF-8";
    case json_error_premature_end_of_input:
        return "it ends too early";
    case json_error_end_of_input_expected:
        return "something stands behind its end";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "\\u0000 cannot be";
    case json_error_duplicate_key:
        return "the key is there already";
    case json_error_numeric_overflow:
        return "the number is too big";
    default:
        return "it is malformed";
    }
}

tusk_code tusk__json_no_memory(tusk_error *err)
{
    return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a JSON document");
}

tusk_code tusk__json_refuse_document(const json_error_t *why, tusk_error *err)
{
    if (why->text[0] == '\0' || json_error_code(why) == json_error_out_of_memory) /* mostly it says nothing then */
        return tusk__json_no_memory(err);
    return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "line %d, column %d of the JSON document: %s",
                           why->line > 0 ? why->line : 1, why->column > 0 ? why->column : 1,
                           what_is_malformed(json_error_code(why)));
}
