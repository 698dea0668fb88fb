/* Printing piece by piece with snprintf's contract: what does not fit is counted.
 * Read first: lib/codec/codec.h. */
#ifndef TUSK_LIB_CODEC_SINK_H
#define TUSK_LIB_CODEC_SINK_H

#include <string.h>

#include <tusk/str.h>

typedef struct tusk__sink {
    char *buf;
    size_t size, len;
} tusk__sink;

static inline void tusk__sink_put(tusk__sink *s, tusk_str text)
{
    size_t room = s->len < s->size ? s->size - s->len : 0, n = text.len < room ? text.len : room;

    if (n > 0)
        memcpy(s->buf + s->len, text.ptr, n);
    s->len += text.len;
}

static inline void tusk__sink_put_char(tusk__sink *s, char c)
{
    tusk__sink_put(s, tusk_str_from(&c, 1));
}

/* The NUL, and the whole length. */
static inline size_t tusk__sink_end(tusk__sink *s)
{
    if (s->size > 0)
        s->buf[s->len < s->size ? s->len : s->size - 1] = '\0';
    return s->len;
}

#endif
