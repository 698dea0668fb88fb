/* The text of arrays: {1,NULL,"a b"}, bounds in front of it where they are not 1, and of vectors: 1 2 3. Of what came, and of what callers made.
 * Source: array_out in src/backend/utils/adt/arrayfuncs.c, int2vectorout in int.c, of PostgreSQL 18.
 * Read first: lib/codec/nested.h, lib/codec/sink.h. */
#include "lib/codec/nested.h"

static bool is_shifted(const tusk_array_view *view)
{
    for (int i = 0; i < view->ndim; i++)
        if (view->lower[i] != 1)
            return true;
    return false;
}

/* [2:4][0:1]= */
static void put_bounds(tusk__sink *s, const tusk_array_view *view)
{
    for (int i = 0; i < view->ndim; i++) {
        tusk_value low = tusk_int4(view->lower[i]), high = tusk_int8((int64_t)view->lower[i] + view->dims[i] - 1);

        tusk__sink_put_char(s, '[');
        tusk__sink_value(s, tusk__codec_of(low.type), &low);
        tusk__sink_put_char(s, ':');
        tusk__sink_value(s, tusk__codec_of(high.type), &high);
        tusk__sink_put_char(s, ']');
    }
    tusk__sink_put_char(s, '=');
}

/* How many dimensions begin with element i, or end with the one before it. */
static int n_borders(const tusk_array_view *view, size_t i)
{
    size_t rows = 1;
    int n = 0;

    for (; n < view->ndim; n++) {
        rows *= (size_t)view->dims[view->ndim - 1 - n];
        if (i % rows != 0)
            break;
    }
    return n;
}

static void put_times(tusk__sink *s, char c, int n)
{
    for (; n > 0; n--)
        tusk__sink_put_char(s, c);
}

static void put_element(tusk__sink *s, const tusk__quoting *quoting, tusk__array_items *items)
{
    tusk_value value;

    if (tusk__array_items_next(s->types, items, &value, NULL) != TUSK_OK || value.kind == TUSK_KIND_NULL) {
        tusk__sink_put(s, tusk_str_of("NULL"));
        return;
    }
    value = tusk__typed(s->types, &value, items->shape.element);
    tusk__sink_field(s, quoting, &value);
}

/* Of an array whose type is not known, the first of its values is asked. */
static char delimiter_of(const tusk__sink *s, const tusk__array_items *items)
{
    uint32_t element = items->shape.element;

    for (size_t i = 0; element == 0 && items->values && i < items->shape.n; i++)
        element = items->values[i].type;
    return tusk__type_delimiter(s->types, element);
}

static void put_elements(tusk__sink *s, tusk__array_items *items)
{
    char delimiter = delimiter_of(s, items), special[] = {'{', '}', delimiter, '\0'};
    tusk__quoting quoting = {special, '\\', true};

    for (size_t i = 0; i < items->shape.n && !tusk__sink_is_done(s); i++) {
        int n = n_borders(&items->shape, i);

        if (i > 0) {
            put_times(s, '}', n);
            tusk__sink_put_char(s, delimiter);
        }
        put_times(s, '{', n);
        put_element(s, &quoting, items);
    }
    put_times(s, '}', items->shape.ndim);
}

void tusk__array_put(tusk__sink *s, const tusk_value *value)
{
    tusk__resolved type = tusk__resolve_type(s->types, value->type);
    tusk__array_items items;

    if (tusk__array_items_of(&type, value, &items, NULL) != TUSK_OK)
        return;
    if (items.shape.n == 0) {
        tusk__sink_put(s, tusk_str_of("{}"));
        return;
    }
    if (is_shifted(&items.shape))
        put_bounds(s, &items.shape);
    put_elements(s, &items);
}

size_t tusk__array_print(const tusk_value *value, char *buf, size_t size)
{
    tusk__sink s = tusk__sink_of(buf, size);

    tusk__array_put(&s, value);
    return tusk__sink_end(&s);
}

/* ---- int2vector, oidvector --------------------------------------------------------------------------------------------------------------- */

/* 1 2 3 */
void tusk__intvector_put(tusk__sink *s, const tusk_value *value)
{
    tusk__resolved type = tusk__resolve_type(NULL, value->type);
    tusk__array_items items;
    tusk_value element;

    if (tusk__array_items_of(&type, value, &items, NULL) != TUSK_OK)
        return;
    for (size_t i = 0; tusk__array_items_next(NULL, &items, &element, NULL) == TUSK_OK; i++) {
        if (i > 0)
            tusk__sink_put_char(s, ' ');
        tusk__sink_value(s, tusk__codec_of(element.type), &element);
    }
}

size_t tusk__intvector_print(const tusk_value *value, char *buf, size_t size)
{
    tusk__sink s = tusk__sink_of(buf, size);

    tusk__intvector_put(&s, value);
    return tusk__sink_end(&s);
}
