/* What callers made of values for types of the database's own, as the text that the input functions of these read; and whether it may be printed
 * at all.
 * Read first: lib/codec/nested.h, lib/codec/sink.h. */
#include "lib/codec/nested.h"
#include "lib/codec/own.h"

/* ---- printing ---------------------------------------------------------------------------------------------------------------------------- */

/* What a float4 stands for where it may become a float8: in binary it does without loss, and so it has to in text. */
static uint32_t widened(const tusk__types *types, const tusk_value *value, uint32_t declared)
{
    if (value->type == TUSK_OID_FLOAT4 && value->kind == TUSK_KIND_FLOAT)
        return tusk__resolve_type(types, declared).type == TUSK_OID_FLOAT4 ? TUSK_OID_FLOAT4 : TUSK_OID_FLOAT8;
    if (value->type == TUSK_OID_FLOAT4_ARRAY && value->kind == TUSK_KIND_ARRAY && declared == 0)
        return TUSK_OID_FLOAT8_ARRAY;
    return value->type;
}

/* C's own say what they are by their type: they keep it. */
tusk_value tusk__typed(const tusk__types *types, const tusk_value *value, uint32_t declared)
{
    tusk_value typed = *value;
    bool is_made = tusk__is_made_kind(value->kind) && value->kind != TUSK_KIND_C_ARRAY;

    if (declared && (typed.type == 0 || is_made))
        typed.type = declared;
    else
        typed.type = widened(types, value, declared);
    return typed;
}

/* Made for a type that is not known, or that is no container, it is what it is made as. */
const tusk__codec *tusk__printing_codec(const tusk__types *types, const tusk_value *value)
{
    const tusk__codec *codec = tusk__resolve_type(types, value->type).codec;

    if (tusk__is_made_kind(value->kind) && codec && tusk__is_made(codec, value->kind))
        return codec;
    if (tusk__is_made_kind(value->kind) || value->kind > TUSK_KIND_WIRE || (value->kind == TUSK_KIND_TEXT && !codec))
        return tusk__own_codec_of_kind(value->kind);
    return codec;
}

void tusk__sink_field(tusk__sink *s, const tusk__quoting *quoting, const tusk_value *value)
{
    const tusk__codec *codec = tusk__printing_codec(s->types, value);

    if (codec)
        tusk__sink_quoted(s, quoting, codec, value);
    else
        tusk__sink_refuse(s, value->type);
}

/* ---- what must not be printed -------------------------------------------------------------------------------------------------------------- */

static tusk_code check(tusk__writer *b, const tusk__types *types, const tusk_value *value, tusk_error *err);

static tusk_code check_all(tusk__writer *b, const tusk__types *types, const tusk_value *values, size_t n,
                           const char *what, tusk_error *err)
{
    bool is_first_error = err && err->code == TUSK_OK;

    for (size_t i = 0; i < n; i++) {
        tusk_code code = check(b, types, &values[i], err);

        if (code != TUSK_OK && is_first_error)
            tusk__nested_blame(err, "%s %zu of %zu: ", what, i + 1, n);
        TUSK_TRY(code);
    }
    return TUSK_OK;
}

static tusk_code check_range(tusk__writer *b, const tusk__types *types, const tusk_range_parts *range, tusk_error *err)
{
    bool is_first_error = err && err->code == TUSK_OK;
    tusk_code code = range->is_empty ? TUSK_OK : check(b, types, &range->lower, err);

    if (code != TUSK_OK && is_first_error)
        tusk__nested_blame(err, "lower bound: ");
    if (code != TUSK_OK || range->is_empty)
        return code;
    code = check(b, types, &range->upper, err);
    if (code != TUSK_OK && is_first_error)
        tusk__nested_blame(err, "upper bound: ");
    return code;
}

static tusk_code check_ranges(tusk__writer *b, const tusk__types *types, const tusk_multirange_parts *parts,
                              tusk_error *err)
{
    bool is_first_error = err && err->code == TUSK_OK;

    TUSK_TRY(tusk__multirange_shape_check(parts, err));
    for (size_t i = 0; i < parts->n; i++) {
        tusk_code code = check_range(b, types, &parts->ranges[i], err);

        if (code != TUSK_OK && is_first_error)
            tusk__nested_blame(err, "range %zu of %zu: ", i + 1, parts->n);
        TUSK_TRY(code);
    }
    return TUSK_OK;
}

static tusk_code check_record(tusk__writer *b, const tusk__types *types, const tusk_record_parts *parts,
                              tusk_error *err)
{
    TUSK_TRY(tusk__record_shape_check(parts, err));
    return check_all(b, types, parts->values, parts->n, "field", err);
}

static tusk_code check_array(tusk__writer *b, const tusk__types *types, const tusk_value *value, tusk_error *err)
{
    tusk__resolved type = tusk__resolve_type(types, value->type);
    tusk__array_items items;

    TUSK_TRY(tusk__array_items_of(&type, value, &items, err));
    return check_all(b, types, value->as.array->values, value->as.array->n, "element", err);
}

/* By writing it: what its binary format does not hold, its text does not. */
static tusk_code check_plain(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    const tusk__codec *codec = tusk__codec_of(value->type);
    size_t at = b->len;

    if (codec->kind != value->kind && !tusk__is_made(codec, value->kind))
        return tusk__refuse_type(value, value->type, NULL, err);
    TUSK_TRY(codec->encode(b, value, err));
    if (b->failed == TUSK_OK)
        b->len = at; /* the message goes on, and its bound with it */
    return TUSK_OK;
}

/* As it came: what is known of it is what it was read by. */
static tusk_code check_own(const tusk__types *types, const tusk_value *value, tusk_error *err)
{
    tusk__resolved type = tusk__resolve_type(types, value->type);
    tusk_value checked;
    char label[TUSK__TYPE_LABEL_SIZE];

    if (value->kind > TUSK_KIND_OBJECT)
        return tusk__refuse_type(value, value->type, types, err);
    if (value->kind == TUSK_KIND_C_ARRAY)
        return tusk__array_items_of(&type, value, &(tusk__array_items){0}, err);
    if (!type.codec || type.codec->kind != value->kind)
        return tusk__error_set(err, TUSK_ERR_TYPE, NULL,
                               "a value of %s has no text here, and is sent in binary by a prepared statement alone",
                               tusk__type_label(value->type, label));
    return tusk__nested_decode(types, value->type, value->as.bytes, 1, &checked, err);
}

static tusk_code check(tusk__writer *b, const tusk__types *types, const tusk_value *value, tusk_error *err)
{
    switch ((int)value->kind) {
    case TUSK_KIND_NULL:
        return TUSK_OK;
    case TUSK_KIND_TEXT:
        return tusk__text_check(value->as.bytes, err);
    case TUSK_KIND_OBJECT:
        return tusk__error_set(err, TUSK_ERR_TYPE, NULL, "an object of the program's is not written here");
    case TUSK_KIND_VECTOR:
        return tusk__vector_check(value->as.bytes, err);
    case TUSK_KIND_HSTORE:
        return tusk__hstore_decode(value->as.bytes, &(tusk_value){0}, err);
    case TUSK_KIND_ARRAY:
        return check_array(b, types, value, err);
    case TUSK_KIND_RANGE:
        return check_range(b, types, value->as.range, err);
    case TUSK_KIND_MULTIRANGE:
        return check_ranges(b, types, value->as.multirange, err);
    case TUSK_KIND_RECORD:
        return check_record(b, types, value->as.record, err);
    default:
        return value->kind != TUSK_KIND_RAW && tusk__codec_of(value->type) ? check_plain(b, value, err)
                                                                           : check_own(types, value, err);
    }
}

tusk_code tusk__made_check(tusk__writer *b, const tusk__types *types, const tusk_value *value, tusk_error *err)
{
    return check(b, types, value, err);
}
