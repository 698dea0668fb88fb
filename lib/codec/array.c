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
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_ARRAY_SUBSCRIPT, "an array %s", what);
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

static tusk_code write_parts(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    const tusk_array_parts *parts = value->as.array;
    uint32_t element = tusk__type_element(value->type);
    bool is_first_error = err && err->code == TUSK_OK, has_nulls = holds_null(parts);
    shape s;

    TUSK_TRY(shape_of(parts, !is_vector(value->type), &s, err));
    if (is_vector(value->type) && (s.ndim > 1 || s.lower[0] != 0 || has_nulls))
        return bad_shape(err, "that is no vector: one dimension from 0 on, without NULLs");
    write_header(b, s.ndim, has_nulls, element);
    for (int i = 0; i < s.ndim; i++)
        write_dimension(b, s.dims[i], s.lower[i]);
    for (size_t i = 0; i < parts->n; i++) {
        tusk_code code = tusk__element_encode(b, &parts->values[i], element, err);

        if (code != TUSK_OK && is_first_error)
            tusk__nested_blame(err, "element %zu of %zu: ", i + 1, parts->n);
        TUSK_TRY(code);
    }
    return TUSK_OK;
}

static tusk_code write_c_array(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    const tusk__codec *element = tusk__codec_of(tusk__type_element(value->type));
    size_t size = element ? tusk__c_size(element) : 0, n = size ? value->as.bytes.len / size : 0;

    if (size == 0)
        return tusk__error_set(err, TUSK_ERR_TYPE, NULL, "C has no arrays of that type: make it of values");
    if (n > TUSK__ELEMENTS_MAX)
        return bad_shape(err, "with more elements than an array can have");
    write_header(b, n > 0, tusk__c_array_has_nulls(element, value->as.bytes), element->type);
    if (n > 0)
        write_dimension(b, (int32_t)n, !is_vector(value->type));
    return tusk__c_array_write(b, element, value->as.bytes, err);
}

/* A view may be of the caller's making: checked again. */
tusk_code tusk__array_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    if (value->kind == TUSK_KIND_ARRAY)
        return write_parts(b, value, err);
    if (value->kind == TUSK_KIND_C_ARRAY)
        return write_c_array(b, value, err);
    TUSK_TRY(tusk__array_check(NULL, &(tusk__resolved){.type = value->type}, value->as.bytes, 0, err));
    tusk__write_bytes(b, value->as.bytes);
    return TUSK_OK;
}

/* ---- print -------------------------------------------------------------------------------------------------------------------------- */

static const tusk__quoting quoting = {"{},", '\\', true};
static const tusk__quoting quoting_of_boxes = {"{};", '\\', true};

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

static void put_element(tusk__sink *s, const tusk_array_view *view, tusk_array_iter *it)
{
    const tusk__codec *codec = tusk__resolve_type(s->types, view->element).codec;
    tusk_value value;

    if (next_value(s->types, it, 0, &value, NULL) != TUSK_OK || value.kind == TUSK_KIND_NULL)
        tusk__sink_put(s, tusk_str_of("NULL"));
    else if (!codec)
        tusk__sink_refuse(s, view->element);
    else
        tusk__sink_quoted(s, view->element == TUSK_OID_BOX ? &quoting_of_boxes : &quoting, codec, &value);
}

static void put_elements(tusk__sink *s, const tusk_array_view *view)
{
    char delimiter = view->element == TUSK_OID_BOX ? ';' : ',';
    tusk_array_iter it = tusk_array_begin(view);

    for (size_t i = 0; i < view->n && !tusk__sink_is_done(s); i++) {
        int n = n_borders(view, i);

        if (i > 0) {
            put_times(s, '}', n);
            tusk__sink_put_char(s, delimiter);
        }
        put_times(s, '{', n);
        put_element(s, view, &it);
    }
    put_times(s, '}', view->ndim);
}

void tusk__array_put(tusk__sink *s, const tusk_value *value)
{
    tusk_array_view view;

    if (tusk__array_view_of(value->type, value->as.bytes, &view, NULL) != TUSK_OK)
        return;
    if (view.n == 0) {
        tusk__sink_put(s, tusk_str_of("{}"));
        return;
    }
    if (is_shifted(&view))
        put_bounds(s, &view);
    put_elements(s, &view);
}

size_t tusk__array_print(const tusk_value *value, char *buf, size_t size)
{
    tusk__sink s = tusk__sink_of(buf, size);

    tusk__array_put(&s, value);
    return tusk__sink_end(&s);
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

/* 1 2 3 */
void tusk__intvector_put(tusk__sink *s, const tusk_value *value)
{
    tusk_array_view view;
    tusk_array_iter it;
    tusk_value element;

    if (tusk__array_view_of(value->type, value->as.bytes, &view, NULL) != TUSK_OK)
        return;
    it = tusk_array_begin(&view);
    for (size_t i = 0; next_value(NULL, &it, 0, &element, NULL) == TUSK_OK; i++) {
        if (i > 0)
            tusk__sink_put_char(s, ' ');
        tusk__sink_value(s, tusk__codec_of(view.element), &element);
    }
}

size_t tusk__intvector_print(const tusk_value *value, char *buf, size_t size)
{
    tusk__sink s = tusk__sink_of(buf, size);

    tusk__intvector_put(&s, value);
    return tusk__sink_end(&s);
}
