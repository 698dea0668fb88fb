/* What callers made of values for types of the database's own: in binary, field by field, wherever each value has a binary form that the type
 * takes. What has none makes the whole of it go as text: made_text.c.
 * Read first: lib/codec/nested.h, docs/internals/types-known.md. */
#include "lib/codec/nested.h"
#include "lib/codec/own.h"

/* ---- what goes as what ------------------------------------------------------------------------------------------------------------------- */

bool tusk__is_received(const tusk__resolved *type)
{
    tusk_type described;

    if (type->own)
        return type->own->has_binary_input;
    return tusk__type_describe(type->type, &described) && described.has_binary_input;
}

bool tusk__is_typed_as(const tusk_value *value, const tusk__resolved *to)
{
    return value->type == 0 || value->type == to->declared || value->type == to->type;
}

/* Floats are the binary format of a vector, but for their order, and become halves for a halfvec. */
static bool takes_own_kind(const tusk__codec *codec, const tusk_value *value)
{
    if (value->kind == TUSK_KIND_HSTORE)
        return codec->encode == tusk__hstore_encode;
    return value->kind == TUSK_KIND_VECTOR &&
           (codec->encode == tusk__vector_encode || codec->encode == tusk__halfvec_encode);
}

/* Bytes that the server sent, or the caller says are good. */
static bool is_sent_as_it_is(const tusk_value *value, const tusk__resolved *to)
{
    if (value->kind == TUSK_KIND_RAW)
        return tusk__is_typed_as(value, to);
    return value->kind == TUSK_KIND_WIRE && !tusk__codec_of(value->type) && tusk__is_typed_as(value, to);
}

static bool writes(const tusk__codec *codec, const tusk_value *value, const tusk__resolved *to)
{
    const tusk__container *container = tusk__container_of(codec);

    if (tusk__is_made_kind(value->kind))
        return container && (value->kind == container->made || value->kind == container->made_of_c);
    if (value->kind > TUSK_KIND_WIRE)
        return takes_own_kind(codec, value);
    return (value->kind == codec->kind && tusk__is_typed_as(value, to)) || tusk__codec_writes(codec, value);
}

/* ---- one field ---------------------------------------------------------------------------------------------------------------------------- */

static tusk_code write_made(tusk__writer *b, const tusk__types *types, const tusk_value *value,
                            const tusk__resolved *to, tusk_error *err)
{
    size_t at = b->len;

    tusk__write_u32(b, 0);
    TUSK_TRY(tusk__container_of(to->codec)->write(b, types, to, value, err));
    if (b->failed == TUSK_OK)
        tusk__put32(b->buf + at, (uint32_t)(b->len - at - 4));
    return tusk__written(b, err);
}

static bool is_number(const tusk_value *value)
{
    return value->kind == TUSK_KIND_INT || value->kind == TUSK_KIND_FLOAT;
}

/* A number of another type, which this one does not hold without loss: what becomes of it the server says, as it does in the statement's first
 * run. */
static tusk_code write_inside(tusk__writer *b, const tusk_value *value, const tusk__codec *codec, tusk_error *err)
{
    bool is_cast = value->type != codec->type && is_number(value);
    tusk_code code = tusk__field_encode(b, codec, value, is_cast ? NULL : err);

    if (!is_cast || code == TUSK_OK)
        return code;
    return code == TUSK_ERR_VALUE ? TUSK_AGAIN : tusk__written(b, err);
}

static tusk_code encode(tusk__writer *b, const tusk__types *types, const tusk_value *value, const tusk__resolved *to,
                        bool is_inside, tusk_error *err)
{
    bool is_null = value->kind == TUSK_KIND_NULL;

    if (is_null || is_sent_as_it_is(value, to)) {
        tusk__write_field(b, is_null ? (tusk_str){NULL, 0} : value->as.bytes, is_null);
        return tusk__written(b, err);
    }
    if (!to->codec || !writes(to->codec, value, to))
        return TUSK_AGAIN;
    if (tusk__is_made_kind(value->kind))
        return write_made(b, types, value, to, err);
    return is_inside ? write_inside(b, value, to->codec, err) : tusk__field_encode(b, to->codec, value, err);
}

tusk_code tusk__element_encode(tusk__writer *b, const tusk__types *types, const tusk_value *value,
                               const tusk__resolved *to, tusk_error *err)
{
    return types ? encode(b, types, value, to, true, err) : tusk__plain_element_encode(b, value, to->type, err);
}

tusk_code tusk__whole_encode(tusk__writer *b, const tusk__types *types, const tusk_value *value,
                             const tusk__resolved *to, tusk_error *err)
{
    return encode(b, types, value, to, false, err);
}
