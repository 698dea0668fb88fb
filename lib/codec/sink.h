/* Where containers are printed to: a buffer by snprintf's contract, with any number of quotings around it. Text that is inside a quoted
 * element is escaped on its way out, once for each container around it, so nothing is printed into memory of its own first.
 * Read first: lib/codec/nested.h. */
#ifndef TUSK_LIB_CODEC_SINK_H
#define TUSK_LIB_CODEC_SINK_H

#include "lib/codec/types.h"

/* How a container quotes what lies in it. */
typedef struct tusk__quoting {
    const char *special; /* characters that want quotes, besides white space, quotes and backslashes */
    char escape;         /* stands before a quote or a backslash; 0: they are doubled */
    bool minds_null;     /* NULL in letters wants quotes too */
} tusk__quoting;

typedef struct tusk__types tusk__types; /* nested.h */

typedef struct tusk__sink {
    struct tusk__sink *outer;     /* what is written goes there, escaped; NULL: into buf */
    const tusk__quoting *quoting; /* of outer; or what is looked for */
    char *buf;
    size_t size, len;
    bool looks; /* writes nothing: does the text want quotes? */
    bool found; /* it does; nothing more is of interest */
    const tusk__types *types; /* by which values in containers are read; NULL: built-in ones alone */
    uint32_t unknown;         /* of the outermost: the type of a value that could not be printed */
} tusk__sink;

tusk__sink tusk__sink_of(char *buf, size_t size);
/* Terminates the text; its whole length. */
size_t tusk__sink_end(tusk__sink *s);

void tusk__sink_put(tusk__sink *s, tusk_str text);
static inline void tusk__sink_put_char(tusk__sink *s, char c)
{
    tusk__sink_put(s, tusk_str_from(&c, 1));
}

/* Is nothing more of interest? */
bool tusk__sink_is_done(const tusk__sink *s);

/* A value that was decoded, as its codec prints it. */
void tusk__sink_value(tusk__sink *s, const tusk__codec *codec, const tusk_value *value);
/* The same in quotes, if it wants them. */
void tusk__sink_quoted(tusk__sink *s, const tusk__quoting *quoting, const tusk__codec *codec, const tusk_value *value);
/* A value of that type has no codec: nothing is written, and the text is of no use. */
void tusk__sink_refuse(tusk__sink *s, uint32_t type);

#endif
