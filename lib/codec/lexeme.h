/* What tsvector and tsquery have in common: lexemes, which end with a NUL in binary and stand in quotes in text.
 * Read first: lib/codec/tsvector.c. */
#ifndef TUSK_LIB_CODEC_LEXEME_H
#define TUSK_LIB_CODEC_LEXEME_H

#include "lib/codec/printer.h"

#define TUSK__LEXEME_MAX 2047 /* MAXSTRLEN in src/include/tsearch/ts_type.h */

/* Binary from left to right. */
typedef struct tusk__cursor {
    const uint8_t *at, *end;
} tusk__cursor;

static inline tusk__cursor tusk__cursor_of(tusk_str bytes)
{
    const uint8_t *p = (const uint8_t *)bytes.ptr;
    tusk__cursor c = {p, p + bytes.len};

    return c;
}

/* n bytes, or NULL. */
static inline const uint8_t *tusk__take_bytes(tusk__cursor *c, size_t n)
{
    const uint8_t *p = c->at;

    if ((size_t)(c->end - c->at) < n)
        return NULL;
    c->at += n;
    return p;
}

/* Up to its NUL; false: there is none, or it is too long. */
static inline bool tusk__take_lexeme(tusk__cursor *c, tusk_str *lexeme)
{
    const uint8_t *nul = c->at < c->end ? memchr(c->at, 0, (size_t)(c->end - c->at)) : NULL;

    if (!nul || nul - c->at > TUSK__LEXEME_MAX)
        return false;
    *lexeme = tusk_str_from(c->at, (size_t)(nul - c->at));
    c->at = nul + 1;
    return true;
}

static inline void tusk__print_lexeme(tusk__printer *p, tusk_str lexeme)
{
    tusk__print_char(p, '\'');
    for (size_t i = 0; i < lexeme.len; i++) {
        if (lexeme.ptr[i] == '\'' || lexeme.ptr[i] == '\\')
            tusk__print_char(p, lexeme.ptr[i]);
        tusk__print_char(p, lexeme.ptr[i]);
    }
    tusk__print_char(p, '\'');
}

#endif
