/* Printing the text of a value piece by piece: what does not fit is counted and left out, as snprintf does.
 * What the pieces are is known in each type's file.
 * Read first: lib/codec/numeric.c. */
#ifndef TUSK_LIB_CODEC_PRINTER_H
#define TUSK_LIB_CODEC_PRINTER_H

#include "lib/codec/types.h"

typedef struct tusk__printer {
    char *buf;
    size_t size, len;             /* len: of the whole text */
    void (*put)(void *to, char c); /* takes each character too, wherever buf ends; NULL: nobody does */
    void *to;
} tusk__printer;

static inline tusk__printer tusk__printer_of(char *buf, size_t size)
{
    tusk__printer p = {buf, size, 0, NULL, NULL};

    return p;
}

static inline void tusk__print_char(tusk__printer *p, char c)
{
    if (p->len + 1 < p->size)
        p->buf[p->len] = c;
    if (p->put)
        p->put(p->to, c);
    p->len++;
}

static inline void tusk__print_part(tusk__printer *p, tusk_str part)
{
    for (size_t i = 0; i < part.len; i++)
        tusk__print_char(p, part.ptr[i]);
}

/* Those whose text may be long and hold what containers escape. */
void tusk__tsvector_print_to(tusk__printer *p, const tusk_value *value);
void tusk__tsquery_print_to(tusk__printer *p, const tusk_value *value);
void tusk__hstore_print_to(tusk__printer *p, const tusk_value *value);

/* Ends the text; its whole length. */
static inline size_t tusk__print_end(tusk__printer *p)
{
    if (p->size > 0)
        p->buf[p->len < p->size ? p->len : p->size - 1] = '\0';
    return p->len;
}

#endif
