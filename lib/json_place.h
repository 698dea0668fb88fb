/* Where something stands in a JSON document, for errors: the parser says so only of what it cannot parse.
 * Read first: lib/config_json_reader.h. */
#ifndef TUSK_LIB_JSON_PLACE_H
#define TUSK_LIB_JSON_PLACE_H

#include <tusk/str.h>

/* The place of the member `index` (0-based) of the object that the outer steps lead to. */
typedef struct tusk__json_path {
    size_t step[4]; /* from the outermost object on: which member */
    size_t depth;
} tusk__json_path;

/* How many bytes all strings of a valid document have, names too, once they are decoded. jansson drops what it has no memory for
 * and goes on (2.14), so a string may come out shorter than it is, and only this tells. */
size_t tusk__json_strings_len(tusk_str json);

/* 1-based; columns in characters. `json` is valid and has such a member. */
void tusk__json_place(tusk_str json, const tusk__json_path *path, unsigned *line, unsigned *column);

#endif
