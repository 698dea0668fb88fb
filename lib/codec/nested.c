/* Values inside of containers: the same codecs, one level deeper. Here alone is known which codecs are containers.
 * Read first: lib/codec/nested.h. */
#include "lib/codec/from_text.h"

#include <stdarg.h>
#include <stdio.h>

void tusk__nested_blame(tusk_error *err, const char *fmt, ...)
{
    char text[sizeof err->message + 64];
    va_list args;
    size_t len;

    if (!err || err->code == TUSK_OK)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    len = strlen(text);
    snprintf(text + len, sizeof text - len, "%s", err->message);
    tusk__error_copy(err->message, sizeof err->message, tusk_str_of(text));
}

tusk_code tusk__nested_bad(tusk_error *err, uint32_t type, const char *fmt, ...)
{
    char label[TUSK__TYPE_LABEL_SIZE], text[sizeof err->message / 2];
    va_list args;

    if (!err)
        return TUSK_ERR_VALUE;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_BAD_BINARY, "%s in binary %s",
                           type ? tusk__type_label(type, label) : "an array", text);
}

/* ---- types -------------------------------------------------------------------------------------------------------------------------- */

tusk__resolved tusk__resolve_type(const tusk__types *types, uint32_t type)
{
    tusk__resolved r = {.declared = type, .type = type, .codec = tusk__codec_of(type)};

    if (!r.codec && types && type >= TUSK__FIRST_OWN_OID)
        types->find(types->user, type, &r);
    return r;
}

const char *tusk__types_label(const tusk__types *types, uint32_t type, char buf[TUSK__TYPE_LABEL_SIZE])
{
    if (types && types->label && type >= TUSK__FIRST_OWN_OID)
        return types->label(types->user, type, buf);
    return tusk__type_label(type, buf);
}

uint32_t tusk__resolved_element(const tusk__resolved *type)
{
    return type->own ? type->element : tusk__type_element(type->type);
}

/* A domain has that of its base. */
char tusk__type_delimiter(const tusk__types *types, uint32_t type)
{
    tusk__resolved r = tusk__resolve_type(types, type);

    if (r.own)
        return r.own->delimiter ? r.own->delimiter : ',';
    return r.type == TUSK_OID_BOX ? ';' : ',';
}

/* ---- values ------------------------------------------------------------------------------------------------------------------------- */

static tusk_code too_deep(uint32_t type, tusk_error *err)
{
    return tusk__nested_bad(err, type, "inside of %d others", TUSK__DEPTH_MAX);
}

#define ROW(name, of, made, made_of_c)                                                                                 \
    {                                                                                                                  \
        tusk__##name##_decode, tusk__##of##_check, tusk__##name##_put, tusk__##of##_write, tusk__##name##_make, made,  \
            made_of_c                                                                                                  \
    }
static const tusk__container containers[] = {
    ROW(array, array, TUSK_KIND_ARRAY, TUSK_KIND_C_ARRAY),
    ROW(intvector, array, TUSK_KIND_ARRAY, TUSK_KIND_C_ARRAY),
    ROW(range, range, TUSK_KIND_RANGE, TUSK_KIND_RANGE),
    ROW(multirange, multirange, TUSK_KIND_MULTIRANGE, TUSK_KIND_MULTIRANGE),
    ROW(record, record, TUSK_KIND_RECORD, TUSK_KIND_RECORD),
};

const tusk__container *tusk__container_of(const tusk__codec *codec)
{
    for (size_t i = 0; i < sizeof containers / sizeof *containers; i++)
        if (codec->decode == containers[i].decode)
            return &containers[i];
    return NULL;
}

bool tusk__is_made(const tusk__codec *codec, tusk_kind kind)
{
    const tusk__container *container = tusk__container_of(codec);

    return container && (kind == container->made || kind == container->made_of_c);
}

tusk_code tusk__nested_decode(const tusk__types *types, uint32_t type, tusk_str bytes, int depth, tusk_value *out,
                              tusk_error *err)
{
    tusk__resolved r = tusk__resolve_type(types, type);
    const tusk__container *container = r.codec ? tusk__container_of(r.codec) : NULL;

    if (!r.codec)
        return tusk__value_decode(type, 1, bytes, out, err);
    if (!container)
        return tusk__codec_decode(r.codec, r.type, 1, bytes, out, err);
    if (depth > TUSK__DEPTH_MAX)
        return too_deep(type, err);
    *out = tusk__bytes_of(r.type, TUSK_KIND_WIRE, bytes);
    return container->check(types, &r, bytes, depth, err);
}

tusk_code tusk__nested_print(const tusk__types *types, const tusk__codec *codec, const tusk_value *value, char *buf,
                             size_t size, size_t *len, tusk_error *err)
{
    tusk__sink s = tusk__sink_of(buf, size);
    char label[TUSK__TYPE_LABEL_SIZE];

    if (!tusk__container_of(codec)) {
        *len = codec->print(value, buf, size);
        return TUSK_OK;
    }
    s.types = types;
    tusk__sink_value(&s, codec, value);
    if (s.unknown)
        return tusk__error_set(err, TUSK_ERR_TYPE, NULL,
                               "it holds a value of %s, which is not known or has no codec, and so is printed by the "
                               "server alone: text_results",
                               tusk__types_label(types, s.unknown, label));
    *len = tusk__sink_end(&s);
    return TUSK_OK;
}

tusk_code tusk__container_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    char label[TUSK__TYPE_LABEL_SIZE];

    (void)text;
    return tusk__error_set(
        err, TUSK_ERR_TYPE, NULL,
        "%s came in text format: take it with tusk_read_value_into() or tusk_read_text(), or ask for binary results",
        tusk__type_label(out->type, label));
}

/* ---- what callers made ------------------------------------------------------------------------------------------------------------- */

/* Bytes that an array of C's may take at most: each element its length word, jsonb its version. */
static bool c_array_size(const tusk_value *value, size_t *size)
{
    const tusk__codec *element = tusk__codec_of(tusk__type_element(value->type));
    size_t width = element ? tusk__c_size(element) : 0;

    *size = 0;
    if (width == 0)
        return true; /* which is refused */
    if (value->as.bytes.len / width > TUSK__ELEMENTS_MAX ||
        !tusk__size_mul(value->as.bytes.len / width, 5 + width, size))
        return false;
    if (!tusk__has_bytes(element->kind))
        return true;
    for (size_t at = 0; at + width <= value->as.bytes.len; at += width)
        if (!tusk__size_add(*size, tusk__c_load(element, value->as.bytes.ptr + at).as.bytes.len, size))
            return false;
    return true;
}

static size_t made_size(const tusk_value *value, int depth);

/* Of more values than there can be none is looked at; those that are not there are refused by their place. */
static bool add_sizes(const tusk_value *values, size_t n, int depth, size_t *size)
{
    if (n > TUSK__ELEMENTS_MAX)
        return false;
    for (size_t i = 0; values && i < n; i++)
        if (!tusk__size_add(*size, made_size(&values[i], depth + 1), size))
            return false;
    return true;
}

static bool add_ranges(const tusk_multirange_parts *parts, int depth, size_t *size)
{
    if (parts->n > TUSK__ELEMENTS_MAX)
        return false;
    for (size_t i = 0; parts->ranges && i < parts->n; i++)
        if (!tusk__size_add(*size, 4 + 1, size) || !add_sizes(&parts->ranges[i].lower, 1, depth, size) ||
            !add_sizes(&parts->ranges[i].upper, 1, depth, size))
            return false;
    return true;
}

static bool add_what_is_inside(const tusk_value *value, int depth, size_t *size)
{
    size_t more;

    if (value->kind == TUSK_KIND_ARRAY)
        return add_sizes(value->as.array->values, value->as.array->n, depth, size);
    if (value->kind == TUSK_KIND_RECORD) /* each field's type beside it */
        return tusk__size_mul(value->as.record->n, 4, &more) && tusk__size_add(*size, more, size) &&
               add_sizes(value->as.record->values, value->as.record->n, depth, size);
    if (value->kind == TUSK_KIND_C_ARRAY)
        return c_array_size(value, &more) && tusk__size_add(*size, more, size);
    if (value->kind == TUSK_KIND_RANGE)
        return add_sizes(&value->as.range->lower, 1, depth, size) && add_sizes(&value->as.range->upper, 1, depth, size);
    return add_ranges(value->as.multirange, depth, size);
}

/* Of the longest header that there is, an array's. */
#define HEADER (4 + 12 + 8 * TUSK_ARRAY_DIMS_MAX)

/* Beyond the depth, as much as nothing can be: a value that holds itself is refused like that. */
static size_t made_size(const tusk_value *value, int depth)
{
    size_t size = HEADER;

    if (depth > TUSK__DEPTH_MAX)
        return SIZE_MAX;
    if (value->kind == TUSK_KIND_OBJECT)
        return 4; /* inside of something, where it is refused */
    if (!tusk__is_made_kind(value->kind))
        return tusk__param_size(value);
    return add_what_is_inside(value, depth, &size) ? size : SIZE_MAX;
}

size_t tusk__made_size(const tusk_value *value)
{
    return made_size(value, 0);
}
