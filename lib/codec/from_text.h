/* Containers read from their text: into the binary format, in room of a caller's, so that the views of what came in binary work over it.
 * What is made grows from the front of the room. A value that had to be freed of quotes and backslashes lies at its end as long as it is read;
 * what lies in it is freed of its own where it is. Nothing is allocated.
 * Read first: docs/internals/codecs.md, "Containers from text". */
#ifndef TUSK_LIB_CODEC_FROM_TEXT_H
#define TUSK_LIB_CODEC_FROM_TEXT_H

#include "lib/codec/nested.h"
#include "lib/codec/own.h"
#include "lib/codec/scan.h"

struct tusk__maker {
    const tusk__types *types; /* NULL: built-in ones alone */
    uint8_t *start;
    size_t size;
    size_t len; /* made, from the front */
    size_t end; /* where the text begins that was put into the room; `size`: what is read is the caller's */
};

/* ---- for lib/codec/array_from_text.c, range_from_text.c, record_from_text.c ---- */

/* White space to the server's scanner. */
static inline bool tusk__is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline void tusk__skip_spaces(tusk__scan *s)
{
    while (s->at < s->end && tusk__is_space(*s->at))
        s->at++;
}

/* n bytes more; NULL: TUSK_ERR_LIMIT. */
uint8_t *tusk__make_space(tusk__maker *m, size_t n, tusk_error *err);
tusk_code tusk__make_u32(tusk__maker *m, uint32_t n, tusk_error *err);

/* A value inside of a container, as it stands in its text. */
typedef struct tusk__part {
    tusk_str text;
    bool is_null;
    bool is_masked; /* with quotes and backslashes that are not its own */
} tusk__part;

/* As a field, length word and all. The part must lie in what is read. `depth` is the container's. */
tusk_code tusk__make_field(tusk__maker *m, uint32_t type, tusk__part part, int depth, tusk_error *err);
/* Without the length word. */
tusk_code tusk__make_value(tusk__maker *m, const tusk__resolved *type, tusk_str text, int depth, tusk_error *err);

/* Up to one of the characters in `stops`, which is left there, by the rules of ranges and records: quotes anywhere, and doubled inside of them; a
 * backslash stands before any character. Nothing at all is NULL. False: the text ends before. */
bool tusk__take_part(tusk__scan *s, const char *stops, tusk__part *out);

/* "int4range in text: `what` at offset 5", 22P02. */
TUSK_COLD
tusk_code tusk__text_bad(tusk_error *err, uint32_t type, size_t at, const char *what);
TUSK_COLD
tusk_code tusk__text_bad_as(tusk_error *err, const char *sqlstate, uint32_t type, size_t at, const char *what);

/* The text of each kind of container, `depth` containers deep. */
tusk_code tusk__array_make(tusk__maker *m, const tusk__resolved *type, tusk_str text, int depth, tusk_error *err);
tusk_code tusk__intvector_make(tusk__maker *m, const tusk__resolved *type, tusk_str text, int depth, tusk_error *err);
tusk_code tusk__range_make(tusk__maker *m, const tusk__resolved *type, tusk_str text, int depth, tusk_error *err);
tusk_code tusk__multirange_make(tusk__maker *m, const tusk__resolved *type, tusk_str text, int depth, tusk_error *err);
tusk_code tusk__record_make(tusk__maker *m, const tusk__resolved *type, tusk_str text, int depth, tusk_error *err);

/* ---- for those who have a text ---- */

/* Has the type a codec that reads its text into room, or is it a container's? *out is of kind WIRE then. Else as tusk__value_decode() of text.
 * TUSK_ERR_TYPE: the type, or one inside of it, is not known or not read from text. */
tusk_code tusk__read_from_text(const tusk__types *types, uint32_t type, tusk_str text, tusk__room room, tusk_value *out,
                               tusk_error *err);

#endif
