/* Printing containers: see sink.h. What a text wants quotes for is found by printing it once without writing it; that ends at the
 * first character that does, so that nested containers cost no more for each level.
 * Source: array_out, record_out and range_out in src/backend/utils/adt of PostgreSQL 18. */
#include "lib/codec/sink.h"

#include "lib/codec/nested.h"
#include "lib/codec/own.h"
#include "lib/codec/printer.h"

/* Any value of fixed width, and nearly all others; longer ones are written piece by piece. */
#define SMALL 512

/* No text is so long; what is longer is counted as this. */
#define LEN_MAX (SIZE_MAX / 2)

tusk__sink tusk__sink_of(char *buf, size_t size)
{
    tusk__sink s = {.buf = buf, .size = size};

    return s;
}

size_t tusk__sink_end(tusk__sink *s)
{
    if (s->size > 0)
        s->buf[s->len < s->size ? s->len : s->size - 1] = '\0';
    return s->len;
}

static tusk__sink *outermost(tusk__sink *s)
{
    while (s->outer)
        s = s->outer;
    return s;
}

bool tusk__sink_is_done(const tusk__sink *s)
{
    while (s->outer)
        s = s->outer;
    return s->found;
}

static bool is_escaped(char c)
{
    return c == '"' || c == '\\';
}

/* array_isspace() and its like. */
static bool is_special(const tusk__quoting *quoting, char c)
{
    return is_escaped(c) || c == ' ' || (c >= '\t' && c <= '\r') || (c != '\0' && strchr(quoting->special, c) != NULL);
}

static void look(tusk__sink *s, tusk_str text)
{
    for (size_t i = 0; i < text.len && !s->found; i++)
        s->found = is_special(s->quoting, text.ptr[i]);
    s->len += text.len;
}

static void add_len(tusk__sink *s, size_t n)
{
    s->len += n < LEN_MAX - s->len ? n : LEN_MAX - s->len;
}

static void put_into_buf(tusk__sink *s, tusk_str text)
{
    size_t room = s->len < s->size ? s->size - s->len : 0;

    if (room > 0 && text.len > 0)
        memcpy(s->buf + s->len, text.ptr, text.len < room ? text.len : room);
    add_len(s, text.len);
}

/* What one character that is escaped becomes: with each quoting twice as many, all of which are escaped in the next. */
static size_t n_of_escaped(const tusk__sink *s)
{
    size_t n = 1;

    for (; s->outer; s = s->outer)
        n = n < LEN_MAX / 2 ? 2 * n : LEN_MAX;
    return n;
}

/* The buffer is full, so they are only counted: written out, a quote in 64 containers would take for ever. */
static void count_escaped(const tusk__sink *s, tusk__sink *end, tusk_str text)
{
    size_t n = n_of_escaped(s);

    for (size_t i = 0; i < text.len; i++)
        add_len(end, is_escaped(text.ptr[i]) ? n : 1);
}

/* Runs of characters that need nothing are written as they are. */
static void put_escaped(tusk__sink *s, tusk_str text)
{
    size_t start = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (!is_escaped(text.ptr[i]))
            continue;
        tusk__sink_put(s->outer, tusk_str_from(text.ptr + start, i - start));
        tusk__sink_put_char(s->outer, s->quoting->escape ? s->quoting->escape : text.ptr[i]);
        start = i;
    }
    if (start < text.len)
        tusk__sink_put(s->outer, tusk_str_from(text.ptr + start, text.len - start));
}

static void put_inside(tusk__sink *s, tusk_str text)
{
    tusk__sink *end = outermost(s);

    if (!end->looks && end->len >= end->size)
        count_escaped(s, end, text);
    else
        put_escaped(s, text);
}

void tusk__sink_put(tusk__sink *s, tusk_str text)
{
    if (s->looks)
        look(s, text);
    else if (s->outer)
        put_inside(s, text);
    else
        put_into_buf(s, text);
}

/* ---- values ------------------------------------------------------------------------------------------------------------------------- */

static void put_hex(tusk__sink *s, tusk_str bytes)
{
    tusk__sink_put(s, tusk_str_of("\\x"));
    for (size_t i = 0; i < bytes.len && !tusk__sink_is_done(s); i++) {
        char pair[] = {"0123456789abcdef"[(uint8_t)bytes.ptr[i] >> 4], "0123456789abcdef"[bytes.ptr[i] & 15]};

        tusk__sink_put(s, tusk_str_from(pair, sizeof pair));
    }
}

/* Of a type whose text holds nothing that is escaped, straight to where it belongs. */
static void put_plain(tusk__sink *s, const tusk__codec *codec, const tusk_value *value, tusk_str beginning)
{
    tusk__sink *end = outermost(s);
    size_t room = end->len < end->size ? end->size - end->len : 0;

    if (end->looks)
        tusk__sink_put(s, beginning);
    else
        add_len(end, codec->print(value, room > 0 ? end->buf + end->len : NULL, room));
}

static void put_one(void *to, char c)
{
    tusk__sink_put_char(to, c);
}

static const struct {
    size_t (*print)(const tusk_value *value, char *buf, size_t size);
    void (*print_to)(tusk__printer *p, const tusk_value *value);
} piecewise[] = {
    {tusk__tsvector_print, tusk__tsvector_print_to},
    {tusk__tsquery_print, tusk__tsquery_print_to},
    {tusk__hstore_print, tusk__hstore_print_to},
};

/* Of one whose text may hold anything: character by character. */
static bool put_each(tusk__sink *s, const tusk__codec *codec, const tusk_value *value)
{
    tusk__printer p = {.put = put_one, .to = s};

    for (size_t i = 0; i < sizeof piecewise / sizeof *piecewise; i++)
        if (codec->print == piecewise[i].print) {
            piecewise[i].print_to(&p, value);
            return true;
        }
    return false;
}

static void put_scalar(tusk__sink *s, const tusk__codec *codec, const tusk_value *value)
{
    char small[SMALL];
    size_t len = codec->print(value, small, sizeof small);

    if (len < sizeof small)
        tusk__sink_put(s, tusk_str_from(small, len));
    else if (!put_each(s, codec, value))
        put_plain(s, codec, value, tusk_str_from(small, sizeof small - 1));
}

void tusk__sink_value(tusk__sink *s, const tusk__codec *codec, const tusk_value *value)
{
    const tusk__container *container = tusk__container_of(codec);

    if (value->kind == TUSK_KIND_TEXT)
        tusk__sink_put(s, value->as.bytes);
    else if (codec->print == tusk__bytea_print)
        put_hex(s, value->as.bytes);
    else if (container)
        container->put(s, value);
    else
        put_scalar(s, codec, value);
}

static bool is_null_word(const tusk_value *value)
{
    return value->kind == TUSK_KIND_TEXT && value->as.bytes.len == 4 && (value->as.bytes.ptr[0] | 32) == 'n' &&
           (value->as.bytes.ptr[1] | 32) == 'u' && (value->as.bytes.ptr[2] | 32) == 'l' &&
           (value->as.bytes.ptr[3] | 32) == 'l';
}

static bool wants_quotes(const tusk__types *types, const tusk__quoting *quoting, const tusk__codec *codec,
                         const tusk_value *value)
{
    tusk__sink s = {.quoting = quoting, .looks = true, .types = types};

    if (quoting->minds_null && is_null_word(value))
        return true;
    tusk__sink_value(&s, codec, value);
    return s.found || s.len == 0;
}

/* Whoever merely looks has seen enough at the quote. */
void tusk__sink_quoted(tusk__sink *s, const tusk__quoting *quoting, const tusk__codec *codec, const tusk_value *value)
{
    tusk__sink inner = {.outer = s, .quoting = quoting, .types = s->types};

    if (tusk__sink_is_done(s))
        return;
    if (!wants_quotes(s->types, quoting, codec, value)) {
        tusk__sink_value(s, codec, value);
        return;
    }
    tusk__sink_put_char(s, '"');
    if (tusk__sink_is_done(s))
        return;
    tusk__sink_value(&inner, codec, value);
    tusk__sink_put_char(s, '"');
}

void tusk__sink_refuse(tusk__sink *s, uint32_t type)
{
    tusk__sink *end = outermost(s);

    if (!end->unknown)
        end->unknown = type;
}
