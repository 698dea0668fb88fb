/* pgvector: vector and halfvec are an Int16 count, an Int16 that is 0, and so many float4 or halves; sparsevec is three Int32 (dimensions,
 * elements, 0), so many Int32 places and so many float4.
 * Decoded they are their binary format, checked; a parameter is the caller's floats as they lie in memory.
 * Source: pgvector, src/vector.c, halfvec.c, sparsevec.c: the recv, send and out functions.
 * Read first: tusk/vector.h. */
#include <math.h>

#include <tusk/vector.h>

#include "lib/codec/half.h"
#include "lib/codec/own.h"
#include "lib/codec/printer.h"
#include "lib/codec/swap.h"

#define SPARSE_DIM_MAX 1000000000
#define HEAD 4
#define SPARSE_HEAD 12

/* ---- numbers ----------------------------------------------------------------------------------------------------------------------- */

static float float_of(uint32_t bits)
{
    float real;

    memcpy(&real, &bits, sizeof real);
    return real;
}

static float half_of(uint16_t half)
{
    return float_of(tusk__half_to_float(half));
}

float tusk_sparsevec_value(tusk_sparsevec_view v, int32_t i)
{
    return float_of(tusk__be32(v.wire + SPARSE_HEAD + 4 * ((size_t)v.n + (size_t)i)));
}

size_t tusk__vector_n(tusk_str wire)
{
    return tusk__be16((const uint8_t *)wire.ptr);
}

void tusk__vector_floats(tusk_str wire, float *out)
{
    tusk__swap4_best()->copy(out, wire.ptr + HEAD, tusk__vector_n(wire));
}

void tusk__halfvec_floats(tusk_str wire, float *out)
{
    const uint8_t *p = (const uint8_t *)wire.ptr + HEAD;

    for (size_t i = 0, n = tusk__vector_n(wire); i < n; i++)
        out[i] = half_of(tusk__be16(p + 2 * i));
}

/* ---- reading ----------------------------------------------------------------------------------------------------------------------- */

static tusk_code decode_dense(const char *name, size_t width, tusk_str bytes, tusk_value *out, tusk_error *err)
{
    const uint8_t *p = (const uint8_t *)bytes.ptr;

    if (bytes.len < HEAD || tusk__be16(p) == 0 || tusk__be16(p) > TUSK_VECTOR_MAX || tusk__be16(p + 2) != 0 ||
        bytes.len != HEAD + width * tusk__be16(p))
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_BAD_BINARY,
                               "the %zu bytes of a %s are not as many elements as they say", bytes.len, name);
    out->kind = TUSK_KIND_RAW;
    out->as.bytes = bytes;
    return TUSK_OK;
}

tusk_code tusk__vector_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    return decode_dense("vector", 4, bytes, out, err);
}

tusk_code tusk__halfvec_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    return decode_dense("halfvec", 2, bytes, out, err);
}

static bool is_sparse(tusk_str bytes)
{
    const uint8_t *p = (const uint8_t *)bytes.ptr;
    uint32_t dim, n;
    int64_t before = -1;

    if (bytes.len < SPARSE_HEAD)
        return false;
    dim = tusk__be32(p);
    n = tusk__be32(p + 4);
    if (dim == 0 || dim > SPARSE_DIM_MAX || n > dim || n > TUSK_VECTOR_MAX || tusk__be32(p + 8) != 0 ||
        bytes.len != SPARSE_HEAD + 8 * (size_t)n)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        int64_t index = tusk__be32(p + SPARSE_HEAD + 4 * i);

        if (index <= before || index >= dim)
            return false;
        before = index;
    }
    return true;
}

tusk_code tusk__sparsevec_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    if (!is_sparse(bytes))
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_BAD_BINARY,
                               "the %zu bytes of a sparsevec are not as many elements as they say, in order",
                               bytes.len);
    out->kind = TUSK_KIND_RAW;
    out->as.bytes = bytes;
    return TUSK_OK;
}

tusk_sparsevec_view tusk__sparsevec_view_of(tusk_str wire)
{
    const uint8_t *p = (const uint8_t *)wire.ptr;

    return (tusk_sparsevec_view){p, (int32_t)tusk__be32(p), (int32_t)tusk__be32(p + 4)};
}

/* ---- parameters -------------------------------------------------------------------------------------------------------------------- */

/* The i-th of the caller's floats, wherever the copy lies. */
static float given(tusk_str floats, size_t i)
{
    float real;

    memcpy(&real, floats.ptr + i * sizeof real, sizeof real);
    return real;
}

tusk_code tusk__vector_check(tusk_str floats, tusk_error *err)
{
    size_t n = floats.len / sizeof(float);

    if (n >= 1 && n <= TUSK_VECTOR_MAX)
        return TUSK_OK;
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_OUT_OF_RANGE, "a vector has 1 to %d elements, not %zu",
                           TUSK_VECTOR_MAX, n);
}

/* Room for so many elements, behind their number; NULL: the writer says why. */
static uint8_t *write_head(tusk__writer *b, size_t n, size_t width)
{
    uint8_t *p = tusk__write_space(b, HEAD + width * n);

    if (!p)
        return NULL;
    tusk__put16(p, (uint16_t)n);
    tusk__put16(p + 2, 0);
    return p + HEAD;
}

tusk_code tusk__vector_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    size_t n = value->as.bytes.len / sizeof(float);
    uint8_t *p;

    TUSK_TRY(tusk__vector_check(value->as.bytes, err));
    p = write_head(b, n, 4);
    if (p)
        tusk__swap4_best()->copy(p, value->as.bytes.ptr, n);
    return TUSK_OK;
}

static TUSK_COLD tusk_code no_half(tusk_error *err, float real, size_t i, size_t n)
{
    tusk_value value = tusk_float4(real);
    char text[32];

    (void)tusk__float4_print(&value, text, sizeof text);
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_OUT_OF_RANGE,
                           "element %zu of %zu: %s does not fit halfvec, whose ends are -65504 and 65504", i + 1, n,
                           text);
}

/* Infinities and NaNs go as they are: that it takes none the server says, as of a vector. */
tusk_code tusk__halfvec_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    size_t n = value->as.bytes.len / sizeof(float);
    uint8_t *p;

    if (value->kind != TUSK_KIND_VECTOR) { /* decoded, it is raw */
        tusk__write_bytes(b, value->as.bytes);
        return TUSK_OK;
    }
    TUSK_TRY(tusk__vector_check(value->as.bytes, err));
    p = write_head(b, n, 2);
    for (size_t i = 0; p && i < n; i++) {
        float real = given(value->as.bytes, i);
        uint32_t bits, half;

        memcpy(&bits, &real, sizeof bits);
        half = tusk__half_of_float(bits);
        if ((half & 0x7FFF) == TUSK__HALF_INFINITY && !isinf(real))
            return no_half(err, real, i, n);
        tusk__put16(p + 2 * i, (uint16_t)half);
    }
    return TUSK_OK;
}

/* ---- text -------------------------------------------------------------------------------------------------------------------------- */

static void print_float(tusk__printer *s, float real)
{
    tusk_value value = tusk_float4(real);
    char text[32];
    size_t len = tusk__float4_print(&value, text, sizeof text);

    tusk__print_part(s, tusk_str_from(text, len));
}

typedef float (*element_fn)(const void *elements, size_t i);

static float vector_element(const void *wire, size_t i)
{
    return float_of(tusk__be32((const uint8_t *)wire + HEAD + 4 * i));
}

static float halfvec_element(const void *wire, size_t i)
{
    return half_of(tusk__be16((const uint8_t *)wire + HEAD + 2 * i));
}

static float given_element(const void *floats, size_t i)
{
    return given(tusk_str_from(floats, 0), i);
}

static size_t print_dense(const void *elements, size_t n, element_fn element, char *buf, size_t size)
{
    tusk__printer s = tusk__printer_of(buf, size);

    tusk__print_char(&s, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            tusk__print_char(&s, ',');
        print_float(&s, element(elements, i));
    }
    tusk__print_char(&s, ']');
    return tusk__print_end(&s);
}

size_t tusk__vector_print_given(tusk_str floats, char *buf, size_t size)
{
    return print_dense(floats.ptr, floats.len / sizeof(float), given_element, buf, size);
}

size_t tusk__vector_print(const tusk_value *value, char *buf, size_t size)
{
    return print_dense(value->as.bytes.ptr, tusk__vector_n(value->as.bytes), vector_element, buf, size);
}

size_t tusk__halfvec_print(const tusk_value *value, char *buf, size_t size)
{
    return print_dense(value->as.bytes.ptr, tusk__vector_n(value->as.bytes), halfvec_element, buf, size);
}

size_t tusk__sparsevec_print(const tusk_value *value, char *buf, size_t size)
{
    tusk_sparsevec_view v = tusk__sparsevec_view_of(value->as.bytes);
    tusk__printer s = tusk__printer_of(buf, size);
    tusk_value number;
    char text[16];

    tusk__print_char(&s, '{');
    for (int32_t i = 0; i < v.n; i++) {
        number = tusk_int8((int64_t)tusk_sparsevec_index(v, i) + 1);
        if (i > 0)
            tusk__print_char(&s, ',');
        tusk__print_part(&s, tusk_str_from(text, tusk__int8_print(&number, text, sizeof text)));
        tusk__print_char(&s, ':');
        print_float(&s, tusk_sparsevec_value(v, i));
    }
    tusk__print_part(&s, tusk_str_of("}/"));
    number = tusk_int8(v.dim);
    tusk__print_part(&s, tusk_str_from(text, tusk__int8_print(&number, text, sizeof text)));
    return tusk__print_end(&s);
}
