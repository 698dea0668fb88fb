/* Arrays: a header of Int32s (dimensions, whether there are NULLs, the elements' type; of each dimension its length and lower bound), and the
 * elements as fields, row by row. int2vector and oidvector are arrays of one dimension that begins at 0, without NULLs.
 * A value is the binary format, checked: a view.
 * Source: PostgreSQL docs, "Arrays"; array_recv, array_send, array_out and ArrayGetNItems in src/backend/utils/adt/arrayfuncs.c and
 * arrayutils.c, int2vectorrecv in int.c, of PostgreSQL 18. */
#include "lib/codec/nested.h"
#include "lib/codec/swap.h"

#define FIXED_HEADER 12
#define HEADER_OF_DIMENSION 8

/* ---- the shape ------------------------------------------------------------------------------------------------------------------------- */

/* How many elements; or what is wrong. */
static const char *count_elements(int ndim, const int32_t *dims, const int32_t *lower, size_t *n)
{
    uint64_t product = ndim > 0;

    for (int i = 0; i < ndim; i++) {
        if (dims[i] < 0)
            return "with a dimension of less than nothing";
        product *= (uint64_t)dims[i];
        if (product > TUSK__ELEMENTS_MAX)
            return "with more elements than an array can have";
        if (lower[i] > INT32_MAX - dims[i])
            return "with a lower bound that is too high for its length";
    }
    *n = (size_t)product;
    return NULL;
}

static tusk_code read_header(tusk__reader *b, uint32_t type, tusk_array_view *view, bool *has_nulls, tusk_error *err)
{
    uint32_t ndim = tusk__read_u32(b), flags = tusk__read_u32(b), element = type ? tusk__type_element(type) : 0;
    const char *wrong;

    view->element = tusk__read_u32(b);
    if (b->bad)
        return tusk__nested_bad(err, type, "without its header");
    if (ndim > TUSK_ARRAY_DIMS_MAX)
        return tusk__nested_bad(err, type, "with %lu dimensions", (unsigned long)ndim);
    if (flags > 1)
        return tusk__nested_bad(err, type, "with flags that are none");
    if (element != 0 && element != view->element)
        return tusk__nested_bad(err, type, "with elements of type %lu", (unsigned long)view->element);
    view->ndim = (int)ndim;
    for (uint32_t i = 0; i < ndim; i++) {
        view->dims[i] = tusk__read_i32(b);
        view->lower[i] = tusk__read_i32(b);
    }
    if (b->bad)
        return tusk__nested_bad(err, type, "without its header");
    wrong = count_elements(view->ndim, view->dims, view->lower, &view->n);
    *has_nulls = flags != 0;
    return wrong ? tusk__nested_bad(err, type, "%s", wrong) : TUSK_OK;
}

/* As many elements of one width as fill what is left exactly, and none of them NULL? The walk over the others finds out the same, and takes ten
 * times as long. */
static bool is_uniform(const tusk__reader *b, const tusk_array_view *view)
{
    const tusk__codec *codec = tusk__codec_of(view->element);
    size_t width = codec && codec->width > 0 ? (size_t)codec->width : 0;

    return width > 0 && tusk__reader_left(b) == view->n * (4 + width) &&
           tusk__fields_are_uniform(b->ptr, view->n, width);
}

/* Each element takes four bytes at least, so no more steps are made than bytes have come. */
static tusk_code read_elements(tusk__reader *b, uint32_t type, tusk_array_view *view, tusk_error *err)
{
    if (view->n > tusk__reader_left(b) / 4)
        return tusk__nested_bad(err, type, "with fewer elements than it says");
    if (is_uniform(b, view))
        return TUSK_OK;
    for (size_t i = 0; i < view->n; i++) {
        bool is_null;

        (void)tusk__read_field(b, &is_null);
        view->n_nulls += is_null;
    }
    if (b->bad || tusk__reader_left(b) > 0)
        return tusk__nested_bad(err, type, "with more or fewer elements than it says");
    return TUSK_OK;
}

static bool is_vector(uint32_t type)
{
    return type == TUSK_OID_INT2VECTOR || type == TUSK_OID_OIDVECTOR;
}

tusk_code tusk__array_view_of(uint32_t type, tusk_str wire, tusk_array_view *out, tusk_error *err)
{
    tusk__reader b = tusk__reader_of(wire);
    tusk_array_view view = {0};
    bool has_nulls = false;

    view.wire = b.ptr;
    view.len = wire.len;
    view.type = type;
    TUSK_TRY(read_header(&b, type, &view, &has_nulls, err));
    TUSK_TRY(read_elements(&b, type, &view, err));
    if (view.n_nulls > 0 && !has_nulls)
        return tusk__nested_bad(err, type, "with a NULL that it says is not there");
    if (is_vector(type) && (view.ndim != 1 || view.lower[0] != 0 || has_nulls))
        return tusk__nested_bad(err, type, "of a shape that is none");
    *out = view;
    return TUSK_OK;
}

/* ---- elements ---------------------------------------------------------------------------------------------------------------------- */

tusk_array_iter tusk_array_begin(const tusk_array_view *array)
{
    size_t header = FIXED_HEADER + HEADER_OF_DIMENSION * (size_t)array->ndim;
    tusk_array_iter it = {array->wire ? array->wire + header : NULL, array->n, array->n, array->element, array->query};

    return it;
}

/* Of a checked view: nothing is read beyond it. */
static bool next_field(tusk_array_iter *it, tusk_str *bytes, bool *is_null)
{
    uint32_t len;

    if (it->left == 0)
        return false;
    len = tusk__be32(it->at);
    *is_null = len == UINT32_MAX;
    *bytes = tusk_str_from(it->at + 4, *is_null ? 0 : len);
    it->at += 4 + bytes->len;
    it->left--;
    return true;
}

static tusk_code next_value(const tusk__types *types, tusk_array_iter *it, int depth, tusk_value *out, tusk_error *err)
{
    tusk_str bytes;
    bool is_null, is_first_error = err && err->code == TUSK_OK;
    tusk_code code;

    if (!next_field(it, &bytes, &is_null))
        return TUSK_DONE;
    *out = tusk_null_of(it->element);
    if (is_null)
        return TUSK_OK;
    code = tusk__nested_decode(types, it->element, bytes, depth, out, err);
    if (code != TUSK_OK && is_first_error)
        tusk__nested_blame(err, "element %zu of %zu: ", it->n - it->left, it->n);
    return code;
}

tusk_code tusk_array_next(tusk_array_iter *it, tusk_value *out, tusk_error *err)
{
    tusk__types types = tusk__query_types(it->query);
    tusk_value value;
    tusk_code code;

    tusk__error_begin(err);
    code = next_value(&types, it, 1, &value, err);
    if (code == TUSK_OK)
        *out = value;
    return code;
}

static bool have_width(const tusk_array_view *view, int16_t width)
{
    tusk_array_iter it = tusk_array_begin(view);
    tusk_str bytes;
    bool is_null;

    while (next_field(&it, &bytes, &is_null))
        if (!is_null && bytes.len != (size_t)width)
            return false;
    return true;
}

tusk_code tusk__array_check(const tusk__types *types, const tusk__resolved *type, tusk_str wire, int depth,
                            tusk_error *err)
{
    tusk_array_view view;
    const tusk__codec *element;
    tusk_array_iter it;
    tusk_value value;
    tusk_code code;

    TUSK_TRY(tusk__array_view_of(type->type, wire, &view, err));
    element = tusk__codec_of(view.element);
    if (element && tusk__takes_any_bits(element) && have_width(&view, element->width))
        return TUSK_OK;
    it = tusk_array_begin(&view);
    do
        code = next_value(types, &it, depth + 1, &value, err);
    while (code == TUSK_OK);
    return code == TUSK_DONE ? TUSK_OK : code;
}

/* ---- decode and encode ---------------------------------------------------------------------------------------------------------------- */

tusk_code tusk__array_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    return tusk__nested_decode(NULL, out->type, bytes, 0, out, err);
}

tusk_code tusk__array_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    return tusk__container_parse(text, out, err);
}

static void write_header(tusk__writer *b, int ndim, bool has_nulls, uint32_t element)
{
    tusk__write_u32(b, (uint32_t)ndim);
    tusk__write_u32(b, has_nulls);
    tusk__write_u32(b, element);
}

static void write_dimension(tusk__writer *b, int32_t dim, int32_t lower)
{
    tusk__write_u32(b, (uint32_t)dim);
    tusk__write_u32(b, (uint32_t)lower);
}

static tusk_code bad_shape(tusk_error *err, const char *what)
{
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_TOO_MANY, "an array %s", what);
}

/* The shape as the wire has it: an empty array has no dimensions. */
typedef struct shape {
    int ndim;
    int32_t dims[TUSK_ARRAY_DIMS_MAX], lower[TUSK_ARRAY_DIMS_MAX];
} shape;

static tusk_code shape_of(const tusk_array_parts *parts, int32_t lowest, shape *out, tusk_error *err)
{
    int ndim = parts->ndim == 0 ? 1 : parts->ndim;
    const char *wrong;
    size_t n = 0;

    if (ndim < 0 || ndim > TUSK_ARRAY_DIMS_MAX)
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_TOO_MANY,
                               "an array with %d dimensions: there are 1 to %d", parts->ndim, TUSK_ARRAY_DIMS_MAX);
    if (parts->n > TUSK__ELEMENTS_MAX)
        return bad_shape(err, "with more elements than an array can have");
    if ((parts->n > 0 && !parts->values) || (parts->ndim > 0 && !parts->dims))
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_ARRAY_SUBSCRIPT, "an array whose %s are a NULL pointer",
                               parts->values || parts->n == 0 ? "dims" : "values");
    for (int i = 0; i < ndim; i++) {
        out->dims[i] = parts->ndim == 0 ? (int32_t)parts->n : parts->dims[i];
        out->lower[i] = parts->lower ? parts->lower[i] : lowest;
    }
    wrong = count_elements(ndim, out->dims, out->lower, &n);
    if (wrong)
        return bad_shape(err, wrong);
    if (n != parts->n)
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_ARRAY_SUBSCRIPT,
                               "an array of %zu values whose dimensions make %zu", parts->n, n);
    out->ndim = n > 0 ? ndim : 0;
    return TUSK_OK;
}

static bool holds_null(const tusk_array_parts *parts)
{
    for (size_t i = 0; i < parts->n; i++)
        if (parts->values[i].kind == TUSK_KIND_NULL)
            return true;
    return false;
}

/* ---- elements, however they lie --------------------------------------------------------------------------------------------------------- */

static tusk_code items_of_values(const tusk__resolved *type, const tusk_array_parts *parts, tusk__array_items *out,
                                 tusk_error *err)
{
    shape s;

    TUSK_TRY(shape_of(parts, !is_vector(type->type), &s, err));
    out->shape.n_nulls = holds_null(parts);
    if (is_vector(type->type) && (s.ndim > 1 || s.lower[0] != 0 || out->shape.n_nulls > 0))
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_BAD_BINARY,
                               "an array that is no vector: one dimension from 0 on, without NULLs");
    out->shape.ndim = s.ndim;
    memcpy(out->shape.dims, s.dims, sizeof s.dims);
    memcpy(out->shape.lower, s.lower, sizeof s.lower);
    out->shape.n = parts->n;
    out->values = parts->values;
    return TUSK_OK;
}

/* What they are the value's own type says, whatever is to become of them. */
static tusk_code items_of_c(const tusk__resolved *type, const tusk_value *value, tusk__array_items *out,
                            tusk_error *err)
{
    const tusk__codec *element = tusk__codec_of(tusk__type_element(value->type));
    size_t size = element ? tusk__c_size(element) : 0, n = size ? value->as.bytes.len / size : 0;

    if (size == 0)
        return tusk__error_set(err, TUSK_ERR_TYPE, NULL, "C has no arrays of that type: make it of values");
    if (n > TUSK__ELEMENTS_MAX)
        return bad_shape(err, "with more elements than an array can have");
    out->shape.ndim = n > 0;
    out->shape.dims[0] = (int32_t)n;
    out->shape.lower[0] = !is_vector(type->type);
    out->shape.n = n;
    out->shape.n_nulls = tusk__c_array_has_nulls(element, value->as.bytes);
    out->c_element = element;
    out->at = value->as.bytes.ptr;
    return TUSK_OK;
}

tusk_code tusk__array_items_of(const tusk__resolved *type, const tusk_value *value, tusk__array_items *out,
                               tusk_error *err)
{
    memset(out, 0, sizeof *out);
    if (value->kind == TUSK_KIND_ARRAY)
        TUSK_TRY(items_of_values(type, value->as.array, out, err));
    else if (value->kind == TUSK_KIND_C_ARRAY)
        TUSK_TRY(items_of_c(type, value, out, err));
    else
        TUSK_TRY(tusk__array_view_of(value->type, value->as.bytes, &out->shape, err));
    if (!out->shape.wire)
        out->shape.element = tusk__resolved_element(type);
    out->it = tusk_array_begin(&out->shape);
    out->left = out->shape.n;
    return TUSK_OK;
}

tusk_code tusk__array_items_next(const tusk__types *types, tusk__array_items *items, tusk_value *out, tusk_error *err)
{
    if (items->left == 0)
        return TUSK_DONE;
    items->left--;
    if (items->values) {
        *out = *items->values++;
    } else if (items->c_element) {
        *out = tusk__c_load(items->c_element, items->at);
        items->at += tusk__c_size(items->c_element);
    } else {
        return next_value(types, &items->it, 0, out, err);
    }
    return TUSK_OK;
}

/* ---- what was made -------------------------------------------------------------------------------------------------------------------------- */

static tusk_code write_items(tusk__writer *b, const tusk__types *types, tusk__array_items *items,
                             const tusk__resolved *to, tusk_error *err)
{
    bool is_first_error = err && err->code == TUSK_OK;
    tusk_value value;

    for (size_t i = 0; items->left > 0; i++) {
        tusk_code code;

        (void)tusk__array_items_next(types, items, &value, NULL); /* which is made, and cannot fail */
        code = tusk__element_encode(b, types, &value, to, err);
        if (code != TUSK_OK && is_first_error)
            tusk__nested_blame(err, "element %zu of %zu: ", i + 1, items->shape.n);
        TUSK_TRY(code);
    }
    return TUSK_OK;
}

/* C's float4 for float8: their text is of float4, whatever they are for. */
static bool is_narrower(const tusk__codec *have, const tusk__codec *want)
{
    return have && have != want && have->type == TUSK_OID_FLOAT4;
}

tusk_code tusk__array_write(tusk__writer *b, const tusk__types *types, const tusk__resolved *type,
                            const tusk_value *value, tusk_error *err)
{
    tusk__resolved to = tusk__resolve_type(types, tusk__resolved_element(type));
    tusk__array_items items;

    TUSK_TRY(tusk__array_items_of(type, value, &items, err));
    if (types && (!tusk__is_received(&to) || is_narrower(items.c_element, to.codec)))
        return TUSK_AGAIN;
    write_header(b, items.shape.ndim, items.shape.n_nulls > 0, to.declared);
    for (int i = 0; i < items.shape.ndim; i++)
        write_dimension(b, items.shape.dims[i], items.shape.lower[i]);
    if (items.c_element && items.c_element == to.codec)
        return tusk__c_array_write(b, items.c_element, value->as.bytes, err);
    return write_items(b, types, &items, &to, err);
}

/* A view may be of the caller's making: checked again. */
tusk_code tusk__array_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    tusk__resolved type = {.declared = value->type, .type = value->type};

    if (tusk__is_made_kind(value->kind))
        return tusk__array_write(b, NULL, &type, value, err);
    TUSK_TRY(tusk__array_check(NULL, &type, value->as.bytes, 0, err));
    tusk__write_bytes(b, value->as.bytes);
    return TUSK_OK;
}

/* ---- int2vector, oidvector --------------------------------------------------------------------------------------------------------------- */

tusk_code tusk__intvector_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    return tusk__array_decode(bytes, out, err);
}

tusk_code tusk__intvector_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    return tusk__container_parse(text, out, err);
}

tusk_code tusk__intvector_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    return tusk__array_encode(b, value, err);
}
