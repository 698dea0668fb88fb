/* What is wrong with a JSON document: the place and known names, never what the document holds (D31).
 * Read first: lib/config_json_reader.h. */
#include <stdio.h>
#include <string.h>

#include "lib/config_json_reader.h"
#include "proto/error_set.h"

/* 1-based; columns in characters. */
static void place(const tusk__json_reader *r, const char *at, tusk__origin *origin)
{
    origin->line = origin->column = 1;
    for (const char *p = r->document.ptr; p < at; p++) {
        bool is_newline = *p == '\n', begins = ((unsigned char)*p & 0xC0) != 0x80;

        origin->line += is_newline;
        origin->column = is_newline ? 1 : origin->column + begins;
    }
}

tusk__origin tusk__json_place_of(const tusk__json_reader *r)
{
    tusk__origin origin = {.kind = TUSK__FROM_JSON};

    place(r, r->member, &origin);
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

static const char *const whats[] = {
    [TUSK__JSON_FINE] = "it is malformed",
    [TUSK__JSON_MALFORMED] = "it is malformed",
    [TUSK__JSON_ENDS_EARLY] = "it ends too early",
    [TUSK__JSON_HAS_MORE] = "something stands behind its end",
    [TUSK__JSON_NOT_UTF8] = "it is not UTF-8",
    [TUSK__JSON_NUL] = "\\u0000 cannot be",
    [TUSK__JSON_TOO_DEEP] = "it is nested too deeply",
    [TUSK__JSON_OUT_OF_RANGE] = "the number is out of range",
};

static bool begins_with_a_mark(tusk_str document)
{
    return document.len >= 3 && memcmp(document.ptr, "\xEF\xBB\xBF", 3) == 0;
}

/* Does what is malformed stand behind a comma, with nothing but its bracket to come? */
static bool ends_with_a_comma(const tusk__json_reader *r)
{
    const char *p = r->json.p;

    if (p == r->document.ptr + r->document.len || (*p != '}' && *p != ']'))
        return false;
    while (p > r->document.ptr && memchr(" \t\r\n", p[-1], 4))
        p--;
    return p > r->document.ptr && p[-1] == ',';
}

tusk_code tusk__json_refuse_document(const tusk__json_reader *r)
{
    tusk__origin at;
    tusk_code code;

    place(r, r->json.p, &at);
    code = tusk__error_set(r->err, TUSK_ERR_CONFIG, NULL, "line %u, column %u of the JSON document: %s", at.line,
                           at.column, whats[r->json.wrong]);
    if (begins_with_a_mark(r->document))
        tusk__error_hint(r->err, tusk_str_of("It begins with a byte order mark, which JSON does not have."));
    else if (ends_with_a_comma(r))
        tusk__error_hint(r->err, tusk_str_of("Behind the last element there is no comma in JSON."));
    return code;
}
