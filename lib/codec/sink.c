/* Printing containers: see sink.h. What a text wants quotes for is found by printing it once without writing it; that ends at the
 * first character that does, so that nested containers cost no more for each level.
 * Source: array_out, record_out and range_out in src/backend/utils/adt of PostgreSQL 18. */
#include "lib/codec/sink.h"

#include "lib/codec/nested.h"
#include "lib/codec/printer.h"

/* Any value of fixed width, and nearly all others; longer ones are written piece by piece. */
#define SMALL 512

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

static void put_into_buf(tusk__sink *s, tusk_str text)
{
    size_t room = s->len < s->size ? s->size - s->len : 0;

    if (room > 0 && text.len > 0)
        memcpy(s->buf + s->len, text.ptr, text.len < room ? text.len : room);
    s->len += text.len;
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

void tusk__sink_put(tusk__sink *s, tusk_str text)
{
    if (s->looks)
        look(s, text);
    else if (s->outer)
        put_escaped(s, text);
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
        end->len += codec->print(value, room > 0 ? end->buf + end->len : NULL, room);
}

static void put_one(void *to, char c)
{
    tusk__sink_put_char(to, c);
}

/* Of one whose text may hold anything: character by character. */
static bool put_each(tusk__sink *s, const tusk__codec *codec, const tusk_value *value)
{
    tusk__printer p = {.put = put_one, .to = s};

    if (codec->print == tusk__tsvector_print)
        tusk__tsvector_print_to(&p, value);
    else if (codec->print == tusk__tsquery_print)
        tusk__tsquery_print_to(&p, value);
    else
        return false;
    return true;
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
    else if (value->kind == TUSK_KIND_BYTES)
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
