/* What all containers read from text have in common: the room, values in quotes, and how much room a text takes at most.
 * How each kind of container is written, the files beside this one know.
 * Read first: lib/codec/from_text.h. */
#include "lib/codec/from_text.h"

/* ---- the room ------------------------------------------------------------------------------------------------------------------------- */

TUSK_COLD
static tusk_code too_small(const tusk__maker *m, tusk_error *err)
{
    return tusk__error_set(err, TUSK_ERR_LIMIT, NULL,
                           "a buffer of %zu bytes is too small: tusk_value_from_text_size() says what is enough",
                           m->size);
}

uint8_t *tusk__make_space(tusk__maker *m, size_t n, tusk_error *err)
{
    if (m->end - m->len < n) {
        (void)too_small(m, err);
        return NULL;
    }
    m->len += n;
    return m->start + m->len - n;
}

tusk_code tusk__make_u32(tusk__maker *m, uint32_t n, tusk_error *err)
{
    uint8_t *p = tusk__make_space(m, 4, err);

    if (!p)
        return TUSK_ERR_LIMIT;
    tusk__put32(p, n);
    return TUSK_OK;
}

/* The bytes may lie at the end of the room, which the space never reaches. */
static tusk_code make_bytes(tusk__maker *m, tusk_str bytes, tusk_error *err)
{
    uint8_t *p = tusk__make_space(m, bytes.len, err);

    if (!p)
        return TUSK_ERR_LIMIT;
    if (bytes.len > 0)
        memcpy(p, bytes.ptr, bytes.len);
    return TUSK_OK;
}

/* ---- values in quotes ----------------------------------------------------------------------------------------------------------------- */

/* Not longer than the text, so `to` may be where it is. */
static size_t unmask(tusk_str text, uint8_t *to)
{
    size_t n = 0;
    bool is_quoted = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '\\' && i + 1 < text.len)
            to[n++] = (uint8_t)text.ptr[++i];
        else if (c != '"')
            to[n++] = (uint8_t)c;
        else if (is_quoted && i + 1 < text.len && text.ptr[i + 1] == '"')
            to[n++] = (uint8_t)text.ptr[++i];
        else
            is_quoted = !is_quoted;
    }
    return n;
}

/* To the end of the room, unless it lies there. */
static tusk_code unmask_part(tusk__maker *m, tusk_str *text, tusk_error *err)
{
    uint8_t *to;

    if (m->end < m->size) {
        to = m->start + ((const uint8_t *)text->ptr - m->start);
    } else {
        if (m->end - m->len < text->len)
            return too_small(m, err);
        m->end -= text->len;
        to = m->start + m->end;
    }
    *text = tusk_str_from(to, unmask(*text, to));
    return TUSK_OK;
}

/* "so" is so: a quote at either end and nothing to be unmasked in between. */
static bool is_plainly_quoted(tusk_str text)
{
    return text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"' &&
           !memchr(text.ptr + 1, '"', text.len - 2) && !memchr(text.ptr, '\\', text.len);
}

static bool is_stop(char c, const char *stops)
{
    return c != '\0' && strchr(stops, c);
}

bool tusk__take_part(tusk__scan *s, const char *stops, tusk__part *out)
{
    const char *start = s->at;
    bool is_quoted = false, is_masked = false;

    for (; s->at < s->end && (is_quoted || !is_stop(*s->at, stops)); s->at++) {
        if (*s->at == '"') {
            is_quoted = !is_quoted; /* one that is doubled ends the quotes, and begins them */
            is_masked = true;
        } else if (*s->at == '\\') {
            is_masked = true;
            if (++s->at == s->end)
                return false;
        }
    }
    out->text = tusk_str_from(start, (size_t)(s->at - start));
    out->is_null = out->text.len == 0;
    out->is_masked = is_masked && !is_plainly_quoted(out->text);
    if (is_masked && !out->is_masked)
        out->text = tusk_str_from(start + 1, out->text.len - 2);
    return s->at < s->end;
}

/* ---- values --------------------------------------------------------------------------------------------------------------------------- */

/* Text that has a byte in front of it in binary. */
static bool has_version(const tusk__codec *codec)
{
    return codec->decode == tusk__jsonb_decode || codec->decode == tusk__label_tree_decode;
}

static tusk_code make_text(tusk__maker *m, const tusk__codec *codec, tusk_str text, tusk_error *err)
{
    static const char version = 1;

    if (has_version(codec))
        TUSK_TRY(make_bytes(m, tusk_str_from(&version, 1), err));
    return make_bytes(m, text, err);
}

/* What lies in the value itself, numbers and the like: 16 bytes at most. */
static tusk_code make_flat(tusk__maker *m, const tusk__codec *codec, const tusk_value *value, tusk_error *err)
{
    uint8_t bytes[16];
    tusk__writer b = {.buf = bytes, .cap = sizeof bytes, .allocated = sizeof bytes, .max = sizeof bytes};

    TUSK_TRY(codec->encode(&b, value, err));
    return make_bytes(m, tusk_str_from(bytes, b.len), err);
}

/* The value is its binary format, and is read to where it belongs. */
static tusk_code make_read(tusk__maker *m, const tusk__codec *codec, tusk_str text, tusk_value *value, tusk_error *err)
{
    tusk__room room = {m->start + m->len, m->end - m->len};
    tusk_code code = codec->read(text, room, value, NULL);

    if (code == TUSK_ERR_LIMIT)
        return too_small(m, err);
    if (code != TUSK_OK)
        return codec->read(text, room, value, err);
    m->len += value->as.bytes.len;
    return TUSK_OK;
}

static tusk_code make_leaf(tusk__maker *m, const tusk__resolved *type, tusk_str text, tusk_error *err)
{
    const tusk__codec *codec = type->codec;
    tusk_value value = tusk_null_of(type->type);

    if (codec->read)
        return make_read(m, codec, text, &value, err);
    TUSK_TRY(codec->parse(text, &value, err));
    return value.kind == TUSK_KIND_TEXT ? make_text(m, codec, text, err) : make_flat(m, codec, &value, err);
}

static tusk_code is_not_read(uint32_t type, tusk_error *err)
{
    char label[TUSK__TYPE_LABEL_SIZE];

    return tusk__error_set(err, TUSK_ERR_TYPE, NULL, "%s is not known, or not read from text",
                           tusk__type_label(type, label));
}

tusk_code tusk__make_value(tusk__maker *m, const tusk__resolved *type, tusk_str text, int depth, tusk_error *err)
{
    const tusk__container *container = type->codec ? tusk__container_of(type->codec) : NULL;

    if (!type->codec)
        return is_not_read(type->type, err);
    if (!container)
        return make_leaf(m, type, text, err);
    if (depth > TUSK__DEPTH_MAX)
        return tusk__text_bad(err, type->type, 0, "more than 64 containers in each other");
    return container->make(m, type, text, depth, err);
}

tusk_code tusk__make_field(tusk__maker *m, uint32_t type, tusk__part part, int depth, tusk_error *err)
{
    tusk__resolved r = tusk__resolve_type(m->types, type);
    size_t at = m->len, end = m->end;
    tusk_code code;

    if (part.is_null)
        return tusk__make_u32(m, UINT32_MAX, err);
    TUSK_TRY(tusk__make_u32(m, 0, err));
    if (part.is_masked)
        TUSK_TRY(unmask_part(m, &part.text, err));
    code = tusk__make_value(m, &r, part.text, depth + 1, err);
    m->end = end;
    TUSK_TRY(code);
    if (m->len - at - 4 > INT32_MAX)
        return tusk__error_set(err, TUSK_ERR_LIMIT, NULL, "a value of %zu bytes", m->len - at - 4);
    tusk__put32(m->start + at, (uint32_t)(m->len - at - 4));
    return TUSK_OK;
}

/* ---- errors --------------------------------------------------------------------------------------------------------------------------- */

tusk_code tusk__text_bad_as(tusk_error *err, const char *sqlstate, uint32_t type, size_t at, const char *what)
{
    char label[TUSK__TYPE_LABEL_SIZE];

    return tusk__error_set(err, TUSK_ERR_VALUE, sqlstate, "%s in text: %s at offset %zu", tusk__type_label(type, label),
                           what, at);
}

tusk_code tusk__text_bad(tusk_error *err, uint32_t type, size_t at, const char *what)
{
    return tusk__text_bad_as(err, TUSK__STATE_BAD_TEXT, type, at, what);
}

/* ---- whole texts ---------------------------------------------------------------------------------------------------------------------- */

tusk_code tusk__read_from_text(const tusk__types *types, uint32_t type, tusk_str text, tusk__room room, tusk_value *out,
                               tusk_error *err)
{
    tusk__resolved r = tusk__resolve_type(types, type);
    tusk__maker m = {types, room.ptr, room.size, 0, room.size};
    tusk_value value = tusk_null_of(r.type);

    if (!r.codec)
        return is_not_read(type, err);
    if (r.codec->read)
        TUSK_TRY(r.codec->read(text, room, &value, err));
    else if (!tusk__container_of(r.codec))
        TUSK_TRY(r.codec->parse(text, &value, err));
    else {
        TUSK_TRY(tusk__make_value(&m, &r, tusk_str_from(text.ptr ? text.ptr : "", text.len), 0, err));
        value = tusk__bytes_of(r.type, TUSK_KIND_WIRE, tusk_str_from(m.start, m.len));
    }
    *out = value;
    return TUSK_OK;
}

tusk_code tusk_value_from_text(uint32_t type, tusk_str text, void *buf, size_t size, tusk_value *out, tusk_error *err)
{
    tusk__error_begin(err);
    return tusk__read_from_text(NULL, type, text, (tusk__room){buf, size}, out, err);
}
