/* A cursor over a JSON document, by the grammar of RFC 8259: what is passed over is checked as well as what is taken. Texts are decoded
 * into room of the caller's and nothing is allocated, so that no character can be lost where memory is short.
 * Whatever is wrong is kept once, with its place; the cursor then stands at the end, and all that follows fails.
 * Read first: RFC 8259; who uses it: lib/config_json.c, lib/oauth_json.c. */
#ifndef TUSK_LIB_JSON_H
#define TUSK_LIB_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <tusk/str.h>

typedef enum tusk__json_fault {
    TUSK__JSON_FINE,
    TUSK__JSON_MALFORMED,
    TUSK__JSON_ENDS,     /* in the middle of something */
    TUSK__JSON_BEHIND,   /* something stands behind the document */
    TUSK__JSON_NOT_UTF8,
    TUSK__JSON_NUL,      /* \u0000 in a text: none of ours can hold it */
    TUSK__JSON_DEEP
} tusk__json_fault;

/* The name of a member, by its quote, and the object that it is in, by its bracket. */
typedef struct tusk__json_name {
    const char *object, *name;
} tusk__json_name;

typedef struct tusk__json_cursor {
    const char *p, *end;
    char *to;               /* where the next text that is taken goes: decoded it is never longer than it stands there */
    int depth_max;          /* brackets within each other, of what is skipped */
    tusk__json_name *names; /* of members that are skipped, in their order; NULL: they are only counted */
    size_t n_names;
    tusk__json_fault fault;
    const char *fault_at;
} tusk__json_cursor;

/* All of these return false at a fault, and then leave nothing in *out. */
bool tusk__json_fail(tusk__json_cursor *c, tusk__json_fault fault, const char *at);
bool tusk__json_take_if(tusk__json_cursor *c, char what); /* false is no fault */
bool tusk__json_take(tusk__json_cursor *c, char what);
void tusk__json_skip_blanks(tusk__json_cursor *c);

/* The members of an object, or the items of an array, one after the other; `end` is '}' or ']'.
 *     for (bool more = tusk__json_enter(c, '}'); more; more = tusk__json_next(c, '}')) …
 * enter() is called behind the bracket, next() behind a value. true: there is another, and the cursor stands at it. false: it stands
 * behind the end, or there is a fault. */
bool tusk__json_enter(tusk__json_cursor *c, char end);
bool tusk__json_next(tusk__json_cursor *c, char end);

bool tusk__json_take_text(tusk__json_cursor *c, tusk_str *out);
bool tusk__json_take_name(tusk__json_cursor *c, tusk_str *out); /* up to its value */

/* A value of any kind. depth: in so many brackets it is already */
bool tusk__json_skip_value(tusk__json_cursor *c, int depth);

/* What is left of the document is blank. */
bool tusk__json_take_end(tusk__json_cursor *c);

/* One character of a text, escapes undone. */
bool tusk__json_take_character(tusk__json_cursor *c, uint32_t *code);

/* json_twice.c: the first name, in the order of the document, that its object has had before; NULL: there is none. names, of a document
 * that was skipped without a fault and that goes up to `end`, are put into another order. */
const char *tusk__json_twice(tusk__json_name *names, size_t n, const char *end);

/* Where a pointer into a document points to, both 1-based, columns in characters. */
void tusk__json_place(tusk_str json, const char *at, unsigned *line, unsigned *column);

#endif
