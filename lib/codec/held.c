/* Values that have to wait: copied with all that they point at into one block, whose size was computed before.
 * Read first: lib/query.c, "held requests". */
#include <stdalign.h>

#include "lib/codec/nested.h"

#define ALIGNMENT alignof(max_align_t)

/* ---- how much ------------------------------------------------------------------------------------------------------------------------- */

/* Whatever is laid down may need so many bytes in front of it to lie where it must. */
static bool add_block(size_t *size, size_t n, size_t unit)
{
    size_t bytes;

    return tusk__size_mul(n, unit, &bytes) && tusk__size_add(*size, bytes, size) &&
           tusk__size_add(*size, ALIGNMENT, size);
}

static bool add_values(size_t *size, const tusk_value *values, size_t n, int depth);

/* Dimensions that are not there, or of a number that is none, are refused without a look at them. */
static size_t n_dims(const tusk_array_parts *parts)
{
    return parts->dims && parts->ndim > 0 && parts->ndim <= TUSK_ARRAY_DIMS_MAX ? (size_t)parts->ndim : 0;
}

static size_t n_lower(const tusk_array_parts *parts)
{
    return parts->lower && parts->ndim == 0 ? 1 : parts->lower ? n_dims(parts) : 0;
}

static bool add_array(size_t *size, const tusk_array_parts *parts, int depth)
{
    return add_block(size, 1, sizeof *parts) && add_block(size, n_dims(parts), sizeof *parts->dims) &&
           add_block(size, n_lower(parts), sizeof *parts->lower) && add_values(size, parts->values, parts->n, depth);
}

/* Strings in an array of C's. */
static size_t n_strings(const tusk_value *value)
{
    const tusk__codec *element = tusk__codec_of(tusk__type_element(value->type));

    return element && tusk__has_bytes(element->kind) && tusk__c_size(element) > 0
               ? value->as.bytes.len / sizeof(tusk_str)
               : 0;
}

static bool add_strings(size_t *size, const tusk_value *value)
{
    size_t n = n_strings(value);
    tusk_str s;

    if (n > TUSK__ELEMENTS_MAX)
        return false;
    for (size_t i = 0; i < n; i++) {
        memcpy(&s, value->as.bytes.ptr + i * sizeof s, sizeof s);
        if (!tusk__size_add(*size, s.len, size))
            return false;
    }
    return add_block(size, value->as.bytes.len, 1);
}

static bool add_value(size_t *size, const tusk_value *value, int depth);

static bool add_range(size_t *size, const tusk_range_parts *range, int depth)
{
    return add_block(size, 1, sizeof *range) && add_value(size, &range->lower, depth) &&
           add_value(size, &range->upper, depth);
}

static bool add_multirange(size_t *size, const tusk_multirange_parts *multirange, int depth)
{
    size_t n = multirange->ranges ? multirange->n : 0;

    if (n > TUSK__ELEMENTS_MAX || !add_block(size, 1, sizeof *multirange) ||
        !add_block(size, n, sizeof *multirange->ranges))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!add_value(size, &multirange->ranges[i].lower, depth) ||
            !add_value(size, &multirange->ranges[i].upper, depth))
            return false;
    return true;
}

static bool add_record(size_t *size, const tusk_record_parts *parts, int depth)
{
    return add_block(size, 1, sizeof *parts) && add_values(size, parts->values, parts->n, depth);
}

static bool add_value(size_t *size, const tusk_value *value, int depth)
{
    if (depth > TUSK__DEPTH_MAX)
        return false;
    if (value->kind == TUSK_KIND_ARRAY)
        return add_array(size, value->as.array, depth + 1);
    if (value->kind == TUSK_KIND_RANGE)
        return add_range(size, value->as.range, depth + 1);
    if (value->kind == TUSK_KIND_MULTIRANGE)
        return add_multirange(size, value->as.multirange, depth + 1);
    if (value->kind == TUSK_KIND_RECORD)
        return add_record(size, value->as.record, depth + 1);
    if (value->kind == TUSK_KIND_C_ARRAY)
        return add_strings(size, value);
    return !tusk__has_bytes(value->kind) || tusk__size_add(*size, value->as.bytes.len, size);
}

static bool add_values(size_t *size, const tusk_value *values, size_t n, int depth)
{
    if (!values)
        return true; /* which is refused by its place */
    if (n > TUSK__ELEMENTS_MAX || !add_block(size, n, sizeof *values))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!add_value(size, &values[i], depth))
            return false;
    return true;
}

bool tusk__value_held_size(const tusk_value *value, size_t *size)
{
    return add_value(size, value, 0);
}

/* ---- the copy --------------------------------------------------------------------------------------------------------------------------- */

static void *lay(uint8_t **at, const void *from, size_t len)
{
    void *to = *at;

    if (len > 0)
        memcpy(to, from, len);
    *at += len;
    return to;
}

static void *lay_aligned(uint8_t **at, const void *from, size_t len)
{
    *at += (ALIGNMENT - (uintptr_t)*at % ALIGNMENT) % ALIGNMENT;
    return lay(at, from, len);
}

/* NULL stays NULL. */
static tusk_value *hold_values(const tusk_value *given, size_t n, uint8_t **at)
{
    tusk_value *values = given ? lay_aligned(at, given, n * sizeof *values) : NULL;

    for (size_t i = 0; values && i < n; i++)
        tusk__value_hold(&values[i], at);
    return values;
}

static void hold_array(tusk_value *value, uint8_t **at)
{
    tusk_array_parts *parts = lay_aligned(at, value->as.array, sizeof *parts);

    if (parts->dims)
        parts->dims = lay_aligned(at, parts->dims, n_dims(parts) * sizeof *parts->dims);
    if (parts->lower)
        parts->lower = lay_aligned(at, parts->lower, n_lower(parts) * sizeof *parts->lower);
    parts->values = hold_values(parts->values, parts->n, at);
    value->as.array = parts;
}

static void hold_range(tusk_value *value, uint8_t **at)
{
    tusk_range_parts *range = lay_aligned(at, value->as.range, sizeof *range);

    value->as.range = range;
    tusk__value_hold(&range->lower, at);
    tusk__value_hold(&range->upper, at);
}

static void hold_multirange(tusk_value *value, uint8_t **at)
{
    tusk_multirange_parts *multirange = lay_aligned(at, value->as.multirange, sizeof *multirange);
    tusk_range_parts *ranges =
        multirange->ranges ? lay_aligned(at, multirange->ranges, multirange->n * sizeof *ranges) : NULL;

    multirange->ranges = ranges;
    value->as.multirange = multirange;
    for (size_t i = 0; ranges && i < multirange->n; i++) {
        tusk__value_hold(&ranges[i].lower, at);
        tusk__value_hold(&ranges[i].upper, at);
    }
}

static void hold_record(tusk_value *value, uint8_t **at)
{
    tusk_record_parts *parts = lay_aligned(at, value->as.record, sizeof *parts);

    parts->values = hold_values(parts->values, parts->n, at);
    value->as.record = parts;
}

static void hold_strings(tusk_value *value, uint8_t **at)
{
    size_t n = n_strings(value);
    tusk_str *strings = lay_aligned(at, value->as.bytes.ptr, value->as.bytes.len);

    value->as.bytes.ptr = (const char *)strings;
    for (size_t i = 0; i < n; i++)
        strings[i].ptr = strings[i].ptr ? lay(at, strings[i].ptr, strings[i].len) : NULL;
}

void tusk__value_hold(tusk_value *value, uint8_t **at)
{
    if (value->kind == TUSK_KIND_ARRAY)
        hold_array(value, at);
    else if (value->kind == TUSK_KIND_RANGE)
        hold_range(value, at);
    else if (value->kind == TUSK_KIND_MULTIRANGE)
        hold_multirange(value, at);
    else if (value->kind == TUSK_KIND_RECORD)
        hold_record(value, at);
    else if (value->kind == TUSK_KIND_C_ARRAY)
        hold_strings(value, at);
    else if (tusk__has_bytes(value->kind))
        value->as.bytes.ptr = lay(at, value->as.bytes.ptr, value->as.bytes.len);
}
