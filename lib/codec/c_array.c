/* Arrays of C's: which C type an element has, and the ways from and to the wire; for numbers without a codec in between.
 * Source of the bitmap: Arrow Columnar Format, "Validity bitmaps".
 * Read first: tusk/array.h, lib/codec/nested.h. */
#include "lib/codec/nested.h"
#include "lib/codec/swap.h"

/* ---- one element --------------------------------------------------------------------------------------------------------------------- */

static size_t size_of_int(const tusk__codec *codec)
{
    return codec->width > 0 ? (size_t)codec->width : 0;
}

size_t tusk__c_size(const tusk__codec *element)
{
    switch (element->kind) {
    case TUSK_KIND_BOOL:
        return sizeof(bool);
    case TUSK_KIND_INT:
    case TUSK_KIND_FLOAT:
        return size_of_int(element);
    case TUSK_KIND_TIMETZ:
        return sizeof(tusk_timetz_parts);
    case TUSK_KIND_INTERVAL:
        return sizeof(tusk_interval_parts);
    case TUSK_KIND_MACADDR:
        return sizeof(tusk_macaddr_octets);
    case TUSK_KIND_MACADDR8:
        return sizeof(tusk_macaddr8_octets);
    case TUSK_KIND_POINT:
        return sizeof(tusk_point_parts);
    case TUSK_KIND_TID:
        return sizeof(tusk_tid_parts);
    case TUSK_KIND_UUID:
        return 16;
    case TUSK_KIND_TEXT:
    case TUSK_KIND_BYTES:
        return sizeof(tusk_str);
    case TUSK_KIND_NULL:
    case TUSK_KIND_ARRAY:
    case TUSK_KIND_RANGE:
    case TUSK_KIND_MULTIRANGE:
    case TUSK_KIND_RECORD:
    case TUSK_KIND_RAW:
    case TUSK_KIND_C_ARRAY:
    case TUSK_KIND_WIRE:
    case TUSK_KIND_HSTORE:
    case TUSK_KIND_VECTOR:
    case TUSK_KIND_OBJECT:
        break;
    }
    return 0;
}

/* Unsigned, unless it is one of the integers proper or a date. */
static bool is_signed(uint32_t type)
{
    return type == TUSK_OID_INT4 || type == TUSK_OID_DATE;
}

static int64_t load_integer(const tusk__codec *element, const char *at)
{
    int16_t two;
    int32_t four;
    int64_t eight;

    if (element->width == 1)
        return (unsigned char)*at;
    if (element->width == 2) {
        memcpy(&two, at, sizeof two);
        return two;
    }
    if (element->width == 4) {
        memcpy(&four, at, sizeof four);
        return is_signed(element->type) ? four : (int64_t)(uint32_t)four;
    }
    memcpy(&eight, at, sizeof eight);
    return eight;
}

static double load_real(const tusk__codec *element, const char *at)
{
    float narrow;
    double wide;

    if (element->width == 4) {
        memcpy(&narrow, at, sizeof narrow);
        return (double)narrow;
    }
    memcpy(&wide, at, sizeof wide);
    return wide;
}

tusk_value tusk__c_load(const tusk__codec *element, const char *at)
{
    tusk_value v = tusk_null_of(element->type);

    v.kind = element->kind;
    if (v.kind == TUSK_KIND_BOOL)
        v.as.boolean = *at != 0;
    else if (v.kind == TUSK_KIND_INT)
        v.as.integer = load_integer(element, at);
    else if (v.kind == TUSK_KIND_FLOAT)
        v.as.real = load_real(element, at);
    else
        memcpy(&v.as, at, tusk__c_size(element)); /* a struct of the union's */
    return tusk__has_bytes(v.kind) && !v.as.bytes.ptr ? tusk_null_of(element->type) : v;
}

static void store_integer(size_t size, char *at, int64_t integer)
{
    uint8_t one = (uint8_t)integer;
    int16_t two = (int16_t)integer;
    int32_t four = (int32_t)(uint32_t)integer;

    memcpy(at,
           size == 1   ? (const void *)&one
           : size == 2 ? (const void *)&two
           : size == 4 ? (const void *)&four
                       : &integer,
           size);
}

static void store(const tusk__codec *element, char *at, const tusk_value *value)
{
    size_t size = tusk__c_size(element);
    float narrow;

    if (element->kind == TUSK_KIND_INT) {
        store_integer(size, at, value->as.integer);
    } else if (element->kind == TUSK_KIND_FLOAT && size == sizeof narrow) {
        narrow = (float)value->as.real;
        memcpy(at, &narrow, size);
    } else {
        memcpy(at, &value->as, size);
    }
}

bool tusk__takes_any_bits(const tusk__codec *codec)
{
    switch (codec->kind) {
    case TUSK_KIND_FLOAT:
    case TUSK_KIND_UUID:
    case TUSK_KIND_MACADDR:
    case TUSK_KIND_MACADDR8:
    case TUSK_KIND_POINT:
    case TUSK_KIND_TID:
        return true;
    case TUSK_KIND_INT:
        return codec->width > 0 && codec->type != TUSK_OID_DATE && codec->type != TUSK_OID_TIME &&
               codec->type != TUSK_OID_TIMESTAMP && codec->type != TUSK_OID_TIMESTAMPTZ;
    case TUSK_KIND_NULL:
    case TUSK_KIND_BOOL:
    case TUSK_KIND_TIMETZ:
    case TUSK_KIND_INTERVAL:
    case TUSK_KIND_ARRAY:
    case TUSK_KIND_RANGE:
    case TUSK_KIND_MULTIRANGE:
    case TUSK_KIND_RECORD:
    case TUSK_KIND_TEXT:
    case TUSK_KIND_BYTES:
    case TUSK_KIND_RAW:
    case TUSK_KIND_C_ARRAY:
    case TUSK_KIND_WIRE:
    case TUSK_KIND_HSTORE:
    case TUSK_KIND_VECTOR:
    case TUSK_KIND_OBJECT:
        break;
    }
    return false;
}

/* ---- numbers in one go --------------------------------------------------------------------------------------------------------------- */

/* Integers and floats whose bits are the same in C, but for their order. */
static bool is_swapped(const tusk__codec *element)
{
    return (element->kind == TUSK_KIND_INT || element->kind == TUSK_KIND_FLOAT) && tusk__takes_any_bits(element) &&
           (element->width == 2 || element->width == 4 || element->width == 8);
}

/* One number of two or eight bytes from C's order to the wire's, or back. The width is a constant to whoever calls it. */
static inline void to_wire(uint8_t *p, const char *at, size_t width)
{
    uint16_t two;
    uint64_t eight;

    if (width == 2) {
        memcpy(&two, at, width);
        tusk__put16(p, two);
    } else {
        memcpy(&eight, at, width);
        tusk__put64(p, eight);
    }
}

static inline void from_wire(const uint8_t *p, char *at, size_t width)
{
    uint16_t two;
    uint64_t eight;

    if (width == 2) {
        two = tusk__be16(p);
        memcpy(at, &two, width);
    } else {
        eight = tusk__be64(p);
        memcpy(at, &eight, width);
    }
}

static inline void write_wide(uint8_t *p, const char *at, size_t n, size_t width)
{
    for (size_t i = 0; i < n; i++, p += 4 + width, at += width) {
        tusk__put32(p, (uint32_t)width);
        to_wire(p + 4, at, width);
    }
}

/* False: not all are as wide as they must be. */
static inline bool read_wide(const uint8_t *p, char *at, size_t n, size_t width)
{
    uint32_t others = 0;

    for (size_t i = 0; i < n; i++, p += 4 + width, at += width) {
        others |= tusk__be32(p) ^ (uint32_t)width;
        from_wire(p + 4, at, width);
    }
    return others == 0;
}

/* All elements, if they fit; else the writer has failed. */
static void write_swapped(tusk__writer *b, const tusk__codec *element, tusk_str memory)
{
    size_t width = (size_t)element->width, n = memory.len / width;
    uint8_t *p = n > 0 ? tusk__write_space(b, n * (4 + width)) : NULL;

    if (!p)
        return;
    if (width == 2)
        write_wide(p, memory.ptr, n, 2);
    else if (width == 4)
        tusk__swap4_best()->scatter(p, memory.ptr, n);
    else
        write_wide(p, memory.ptr, n, 8);
}

/* False: they are not all there, or not all as wide as they must be. */
static bool read_swapped(const tusk_array_view *array, const tusk__codec *element, char *out)
{
    tusk_array_iter it = tusk_array_begin(array);
    size_t width = (size_t)element->width, left = array->len - (size_t)(it.at - array->wire);

    if (array->n_nulls > 0 || left != array->n * (4 + width))
        return false;
    return width == 2   ? read_wide(it.at, out, array->n, 2)
           : width == 4 ? tusk__swap4_best()->gather(out, it.at, array->n)
                        : read_wide(it.at, out, array->n, 8);
}

/* ---- to the wire ---------------------------------------------------------------------------------------------------------------------- */

bool tusk__c_array_has_nulls(const tusk__codec *element, tusk_str memory)
{
    tusk_str s;

    if (!tusk__has_bytes(element->kind))
        return false;
    for (size_t i = 0; i < memory.len / sizeof s; i++) {
        memcpy(&s, memory.ptr + i * sizeof s, sizeof s);
        if (!s.ptr)
            return true;
    }
    return false;
}

tusk_code tusk__c_array_write(tusk__writer *b, const tusk__codec *element, tusk_str memory, tusk_error *err)
{
    size_t size = tusk__c_size(element), n = memory.len / size;
    bool is_first_error = err && err->code == TUSK_OK;

    if (is_swapped(element)) {
        write_swapped(b, element, memory);
        return TUSK_OK;
    }
    for (size_t i = 0; i < n; i++) {
        tusk_value value = tusk__c_load(element, memory.ptr + i * size);
        tusk_code code = tusk__plain_element_encode(b, &value, element->type, err);

        if (code != TUSK_OK && is_first_error)
            tusk__nested_blame(err, "element %zu of %zu: ", i + 1, n);
        TUSK_TRY(code);
    }
    return TUSK_OK;
}

/* ---- from the wire -------------------------------------------------------------------------------------------------------------------- */

static tusk_code refuse(const tusk_array_view *array, const tusk__codec *want, size_t capacity, bool has_bitmap,
                        tusk_error *err)
{
    tusk__types types = tusk__query_types(array->query);
    const tusk__codec *element = tusk__resolve_type(&types, array->element).codec;
    char have[TUSK__TYPE_LABEL_SIZE];

    if (!array->wire)
        return tusk__error_set(err, TUSK_ERR_NULL, NULL, "there is no array: it is NULL");
    if (!element || !tusk__codec_is_read_as(element, want))
        return tusk__error_set(err, TUSK_ERR_TYPE, NULL, "the array is of %s, not %s",
                               tusk__types_label(&types, array->element, have), want->name);
    if (array->n > capacity)
        return tusk__error_set(err, TUSK_ERR_LIMIT, NULL, "the array has %zu elements, more than %zu", array->n,
                               capacity);
    if (array->n_nulls > 0 && !has_bitmap)
        return tusk__error_set(err, TUSK_ERR_NULL, NULL,
                               "%zu of the array's %zu elements are NULL, and there is no "
                               "bitmap to say which",
                               array->n_nulls, array->n);
    return TUSK_OK;
}

/* What the getter of that name says to a value of a relative's. */
static tusk_code check_fit(const tusk__codec *want, const tusk_value *value, tusk_error *err)
{
    int64_t n = value->as.integer;

    if (want->kind == TUSK_KIND_FLOAT)
        return want->width == 8 || tusk__fits_float4(value->as.real) ? TUSK_OK
                                                                     : tusk__float_does_not_fit(err, value->as.real);
    if (want->kind != TUSK_KIND_INT || want->type == value->type)
        return TUSK_OK;
    if ((want->type == TUSK_OID_INT2 && n != (int16_t)n) || (want->type == TUSK_OID_INT4 && n != (int32_t)n) ||
        (want->type == TUSK_OID_OID && n != (int64_t)(uint32_t)n))
        return tusk__does_not_fit(err, n, want->name);
    return TUSK_OK;
}

static tusk_code read_one(tusk_array_iter *it, const tusk__codec *want, char *at, bool *is_null, tusk_error *err)
{
    size_t size = tusk__c_size(want), number;
    tusk_value value;
    tusk_code code;

    TUSK_TRY(tusk_array_next(it, &value, err));
    *is_null = value.kind == TUSK_KIND_NULL;
    if (*is_null) {
        memset(at, 0, size);
        return TUSK_OK;
    }
    code = check_fit(want, &value, err);
    number = it->n - it->left;
    if (code == TUSK_OK)
        store(want, at, &value);
    else
        tusk__nested_blame(err, "element %zu of %zu: ", number, it->n);
    return code;
}

static void mark_all(uint8_t *valid, size_t n)
{
    memset(valid, 0xff, n / 8);
    if (n % 8)
        valid[n / 8] = (uint8_t)((1u << n % 8) - 1);
}

static tusk_code read_each(const tusk_array_view *array, const tusk__codec *want, char *out, uint8_t *valid,
                           tusk_error *err)
{
    tusk_array_iter it = tusk_array_begin(array);
    size_t size = tusk__c_size(want);

    for (size_t i = 0; i < array->n; i++) {
        bool is_null;

        TUSK_TRY(read_one(&it, want, out + i * size, &is_null, err));
        if (is_null)
            valid[i / 8] = (uint8_t)(valid[i / 8] & ~(1u << i % 8)); /* there is a bitmap if there are NULLs */
    }
    return TUSK_OK;
}

static tusk_code to_c(const tusk_array_view *array, uint32_t type, void *out, size_t capacity, uint8_t *valid,
                      tusk_error *err)
{
    const tusk__codec *want = tusk__codec_of(type);

    tusk__error_begin(err);
    TUSK_TRY(refuse(array, want, capacity, valid != NULL, err));
    if (valid)
        mark_all(valid, array->n);
    if (array->element == type && is_swapped(want) && read_swapped(array, want, out))
        return TUSK_OK;
    return read_each(array, want, out, valid, err);
}

#define TO_C(name, oid, c_type)                                                                                        \
    tusk_code tusk_array_to_##name(const tusk_array_view *array, c_type, size_t capacity, uint8_t *valid,              \
                                   tusk_error *err)                                                                    \
    {                                                                                                                  \
        return to_c(array, oid, out, capacity, valid, err);                                                            \
    }

TO_C(bool, TUSK_OID_BOOL, bool *out)
TO_C(int2, TUSK_OID_INT2, int16_t *out)
TO_C(int4, TUSK_OID_INT4, int32_t *out)
TO_C(int8, TUSK_OID_INT8, int64_t *out)
TO_C(oid, TUSK_OID_OID, uint32_t *out)
TO_C(float4, TUSK_OID_FLOAT4, float *out)
TO_C(float8, TUSK_OID_FLOAT8, double *out)
TO_C(date, TUSK_OID_DATE, int32_t *out)
TO_C(time, TUSK_OID_TIME, int64_t *out)
TO_C(timestamp, TUSK_OID_TIMESTAMP, int64_t *out)
TO_C(timestamptz, TUSK_OID_TIMESTAMPTZ, int64_t *out)
TO_C(text, TUSK_OID_TEXT, tusk_str *out)
TO_C(bytea, TUSK_OID_BYTEA, tusk_str *out)
TO_C(uuid, TUSK_OID_UUID, uint8_t (*out)[16])
