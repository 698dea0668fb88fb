/* A cursor over one JSON document (RFC 8259): it goes over the text once, in place, and allocates nothing.
 * The one reader of what configures a connection and of what a server says while one logs in. Not jansson: where that has no memory
 * it may leave a character out and go on (2.14), and a password or a port so read is another one.
 * Each function that returns bool says false once something is wrong, which is told by `wrong`, and the cursor stands there.
 * Each takes the blanks behind what it takes.
 * Read first: lib/config_json_walk.c, lib/oauth_json.c, which use it; RFC 8259. */
#ifndef TUSK_LIB_JSON_H
#define TUSK_LIB_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <tusk/str.h>

typedef enum tusk__json_wrong {
    TUSK__JSON_FINE,
    TUSK__JSON_MALFORMED,
    TUSK__JSON_ENDS_EARLY,
    TUSK__JSON_HAS_MORE,
    TUSK__JSON_NOT_UTF8,
    TUSK__JSON_NUL,
    TUSK__JSON_TOO_DEEP,
    TUSK__JSON_OUT_OF_RANGE
} tusk__json_wrong;

typedef struct tusk__json {
    const char *p, *end;
    tusk__json_wrong wrong;
    unsigned depth, depth_max;
} tusk__json;

typedef struct tusk__json_number {
    int64_t whole; /* if is_whole */
    double real;
    bool is_whole; /* written without fraction and exponent */
} tusk__json_number;

tusk__json tusk__json_begin(tusk_str text, unsigned depth_max);

/* The value at hand by its first character: { [ " t f n, 0 for any number; NUL: there is none. */
char tusk__json_type(const tusk__json *j);

/* A string, decoded to `to`, where there is room for as many bytes as it has in the document. */
bool tusk__json_text(tusk__json *j, char *to, tusk_str *out);

/* Take a string. Is it this one? */
bool tusk__json_text_is(tusk__json *j, tusk_str text);

bool tusk__json_number_take(tusk__json *j, tusk__json_number *out);

/* A value of any kind, with all that is in it. Numbers may be of any size. */
bool tusk__json_skip(tusk__json *j);

/* An object ('{') or an array ('[') from its bracket on; then, for each member or item, tusk__json_more(), which is false behind the
 * last one. *is_first: true in front of the first. A member is its name, a string, and behind tusk__json_colon() its value. */
bool tusk__json_open(tusk__json *j, char bracket);
bool tusk__json_more(tusk__json *j, char bracket, bool *is_first);
bool tusk__json_colon(tusk__json *j);

/* Behind the document nothing may stand. */
bool tusk__json_finish(tusk__json *j);

#endif
