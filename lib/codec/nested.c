/* Values inside of containers: the same codecs, one level deeper. Here alone is known which codecs are containers.
 * Read first: lib/codec/nested.h. */
#include "lib/codec/nested.h"

#include <stdarg.h>
#include <stdio.h>

void tusk__nested_blame(tusk_error *err, const char *fmt, ...)
{
    char text[sizeof err->message + 64];
    va_list args;
    size_t len;

    if (!err)
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

static tusk_code too_deep(uint32_t type, tusk_error *err)
{
    return tusk__nested_bad(err, type, "inside of %d others", TUSK__DEPTH_MAX);
}

tusk_code tusk__nested_decode(uint32_t type, tusk_str bytes, int depth, tusk_value *out, tusk_error *err)
{
    const tusk__codec *codec = tusk__codec_of(type);

    if (!codec || !tusk__is_array(codec))
        return tusk__value_decode(type, 1, bytes, out, err);
    if (depth > TUSK__DEPTH_MAX)
        return too_deep(type, err);
    *out = tusk__bytes_of(type, TUSK_KIND_WIRE, bytes);
    return tusk__array_check(type, bytes, depth, err);
}

tusk_code tusk__container_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    char label[TUSK__TYPE_LABEL_SIZE];

    (void)text;
    return tusk__error_set(err, TUSK_ERR_TYPE, NULL,
                           "%s came in text format: take it with tusk_read_text(), or ask for binary results",
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
    if (!tusk__size_mul(value->as.bytes.len / width, 5 + width, size))
        return false;
    if (!tusk__has_bytes(element->kind))
        return true;
    for (size_t at = 0; at + width <= value->as.bytes.len; at += width)
        if (!tusk__size_add(*size, tusk__c_load(element, value->as.bytes.ptr + at).as.bytes.len, size))
            return false;
    return true;
}

static size_t made_size(const tusk_value *value, int depth);

static bool add_sizes(const tusk_value *values, size_t n, int depth, size_t *size)
{
    for (size_t i = 0; i < n; i++)
        if (!tusk__size_add(*size, made_size(&values[i], depth + 1), size))
            return false;
    return true;
}

/* Beyond the depth, as much as nothing can be: a value that holds itself is refused like that. */
static size_t made_size(const tusk_value *value, int depth)
{
    size_t size = 4 + 12 + 8 * TUSK_ARRAY_DIMS_MAX, more;

    if (depth > TUSK__DEPTH_MAX)
        return SIZE_MAX;
    if (value->kind == TUSK_KIND_ARRAY)
        return add_sizes(value->as.array->values, value->as.array->n, depth, &size) ? size : SIZE_MAX;
    if (value->kind == TUSK_KIND_C_ARRAY)
        return c_array_size(value, &more) && tusk__size_add(size, more, &size) ? size : SIZE_MAX;
    return tusk__param_size(value);
}

size_t tusk__made_size(const tusk_value *value)
{
    return made_size(value, 0);
}
