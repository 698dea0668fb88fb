/* Types of the database's own and of extensions, by kind and name: enums, citext and ltree are text, hstore and vectors have files of their
 * own.
 * Read first: lib/codec/own.h. */
#include "lib/codec/own.h"

#include "lib/codec/nested.h"

/* ---- ltree, lquery, ltxtquery: a version byte, 1, and the text ------------------------------------------------------------------ */

tusk_code tusk__label_tree_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    if (bytes.len == 0)
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_BAD_BINARY,
                               "an ltree in binary has at least 1 byte, not 0");
    if (bytes.ptr[0] != 1)
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_BAD_BINARY,
                               "version %d of ltree's binary format is not known", (unsigned char)bytes.ptr[0]);
    out->kind = TUSK_KIND_TEXT;
    out->as.bytes = tusk_str_from(bytes.ptr + 1, bytes.len - 1);
    return TUSK_OK;
}

/* ---- what came as text and is no text ------------------------------------------------------------------------------------------- */

static tusk_code refuse_text(tusk_str text, tusk_value *out, tusk_error *err)
{
    (void)text;
    (void)out;
    return tusk__error_set(err, TUSK_ERR_TYPE, NULL, "it came in text format: take it with tusk_read_text()");
}

/* Decoded they are raw, and raw values are sent as they are. */
static tusk_code encode_wire(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    (void)err;
    tusk__write_bytes(b, value->as.bytes);
    return TUSK_OK;
}

/* ---- the table ------------------------------------------------------------------------------------------------------------------- */

#define TEXT_ROW(name, decode)                                                                                         \
    {                                                                                                                  \
        0, name, TUSK_KIND_TEXT, -1, true, decode, tusk__text_parse, tusk__text_encode, tusk__text_print, NULL         \
    }

/* The label, in binary as in text: enum_send(). */
static const tusk__codec label = TEXT_ROW("enum", tusk__text_decode);

/* PostGIS: EWKB, which it prints in hexadecimal digits. */
static size_t ewkb_print(const tusk_value *value, char *buf, size_t size)
{
    tusk_str bytes = value->as.bytes;
    size_t at = 0, len = 2 * bytes.len;

    for (; at < len && at + 1 < size; at++)
        buf[at] = "0123456789ABCDEF"[(uint8_t)bytes.ptr[at / 2] >> (at % 2 ? 0 : 4) & 15];
    if (size > 0)
        buf[at] = '\0';
    return len;
}

#define GEOMETRY_ROW(name)                                                                                             \
    {                                                                                                                  \
        0, name, TUSK_KIND_BYTES, -1, true, tusk__bytea_decode, refuse_text, tusk__bytea_encode, ewkb_print, NULL      \
    }

/* Containers: of what, the catalogue knows, or their bytes say. */
#define CONTAINER_ROW(name)                                                                                            \
    {                                                                                                                  \
        0, #name, TUSK_KIND_WIRE, -1, true, tusk__##name##_decode, tusk__##name##_parse, tusk__##name##_encode,        \
            tusk__##name##_print, NULL                                                                                 \
    }
static const tusk__codec array = CONTAINER_ROW(array), range = CONTAINER_ROW(range),
                         multirange = CONTAINER_ROW(multirange), record = CONTAINER_ROW(record);

/* By kind; NULL: by name, or not at all. */
static const tusk__codec *codec_of_kind(tusk_type_kind kind)
{
    switch (kind) {
    case TUSK_TYPE_ENUM:
        return &label;
    case TUSK_TYPE_ARRAY:
        return &array;
    case TUSK_TYPE_RANGE:
        return &range;
    case TUSK_TYPE_MULTIRANGE:
        return &multirange;
    case TUSK_TYPE_COMPOSITE:
        return &record;
    case TUSK_TYPE_BASE:
    case TUSK_TYPE_DOMAIN:
    case TUSK_TYPE_PSEUDO:
        break;
    }
    return NULL;
}

/* By pg_type.typname, wherever the extension was installed to. */
static const tusk__codec extensions[] = {
    TEXT_ROW("citext", tusk__text_decode),
    TEXT_ROW("ltree", tusk__label_tree_decode),
    TEXT_ROW("lquery", tusk__label_tree_decode),
    TEXT_ROW("ltxtquery", tusk__label_tree_decode),
    GEOMETRY_ROW("geometry"),
    GEOMETRY_ROW("geography"),
    {0, "hstore", TUSK_KIND_HSTORE, -1, true, tusk__hstore_decode, refuse_text, tusk__hstore_encode, tusk__hstore_print,
     NULL},
    {0, "vector", TUSK_KIND_RAW, -1, true, tusk__vector_decode, refuse_text, tusk__vector_encode, tusk__vector_print,
     NULL},
    {0, "halfvec", TUSK_KIND_RAW, -1, true, tusk__halfvec_decode, refuse_text, tusk__halfvec_encode,
     tusk__halfvec_print, NULL},
    {0, "sparsevec", TUSK_KIND_RAW, -1, true, tusk__sparsevec_decode, refuse_text, encode_wire, tusk__sparsevec_print,
     NULL},
};

const tusk__codec *tusk__own_codec_of(const tusk_type *type)
{
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions && type->kind == TUSK_TYPE_BASE; i++)
        if (tusk_str_is(type->name, extensions[i].name))
            return &extensions[i];
    return codec_of_kind(type->kind);
}

int tusk_type_attribute_index(const tusk_type *type, const char *name)
{
    for (int i = 0; i < type->n_attributes; i++)
        if (tusk_str_is(type->attributes[i].name, name))
            return i;
    return -1;
}

/* ---- parameters ------------------------------------------------------------------------------------------------------------------ */

/* Of a kind that no built-in type has? */
static bool is_own_kind(tusk_kind kind)
{
    return kind > TUSK_KIND_WIRE;
}

static const char *name_of(const tusk_value *value)
{
    return value->kind == TUSK_KIND_HSTORE ? "hstore" : "vector";
}

/* What is printed must be good: an hstore of the caller's own making, a vector of no elements, a date beyond its range. */
static tusk_code check(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    size_t at = b->len;
    tusk_value checked;

    if (value->kind == TUSK_KIND_VECTOR)
        return tusk__vector_check(value->as.bytes, err);
    if (value->kind == TUSK_KIND_HSTORE)
        return tusk__hstore_decode(value->as.bytes, &checked, err);
    TUSK_TRY(tusk__codec_of(value->type)->encode(b, value, err));
    if (b->failed == TUSK_OK)
        b->len = at; /* the message goes on, and its bound with it */
    return TUSK_OK;
}

static size_t print(const tusk_value *value, char *buf, size_t size)
{
    if (value->kind == TUSK_KIND_VECTOR)
        return tusk__vector_print_given(value->as.bytes, buf, size);
    if (value->kind == TUSK_KIND_HSTORE)
        return tusk__hstore_print(value, buf, size);
    return tusk__codec_of(value->type)->print(value, buf, size);
}

/* The NUL behind it is written and taken back. */
static void write_text(tusk__writer *b, const tusk_value *value)
{
    size_t len = print(value, NULL, 0);
    uint8_t *p;

    tusk__write_u32(b, (uint32_t)len);
    p = tusk__write_space(b, len + 1);
    if (!p)
        return;
    (void)print(value, (char *)p, len + 1);
    b->len--;
}

/* Floats are the binary format of a vector, but for their order, and become halves for a halfvec. */
static bool takes_own_kind(const tusk__codec *codec, const tusk_value *value)
{
    return strcmp(codec->name, name_of(value)) == 0 ||
           (value->kind == TUSK_KIND_VECTOR && codec->encode == tusk__halfvec_encode);
}

/* Text as text: what is text in the one format is so in the other, but for a version byte here and there. */
static bool goes_in_binary(const tusk_value *value, const tusk__codec *codec)
{
    if (is_own_kind(value->kind))
        return codec && takes_own_kind(codec, value);
    return value->kind != TUSK_KIND_TEXT && tusk__codec_writes(codec, value);
}

static tusk_code refuse(const tusk_value *value, uint32_t type, const tusk__types *types, tusk_error *err)
{
    char want[TUSK__TYPE_LABEL_SIZE];

    if (!is_own_kind(value->kind))
        return tusk__param_refuse(value, type, types, err);
    return tusk__error_set(err, TUSK_ERR_TYPE, NULL, "the statement wants %s here, not %s",
                           tusk__types_label(types, type, want), name_of(value));
}

/* As it is, or as text? Not what is made, of which only its binary format is written. */
static bool may_go(const tusk_value *value, uint32_t type, bool in_binary)
{
    if (is_own_kind(value->kind))
        return type == 0 || type >= TUSK__FIRST_OWN_OID;
    return tusk__is_whole(value) && (in_binary || !tusk__is_made_kind(value->kind));
}

static tusk_code encode(tusk__writer *b, const tusk_value *value, const tusk__codec *codec, tusk_error *err)
{
    size_t at = b->len;

    tusk__write_u32(b, 0);
    TUSK_TRY(codec->encode(b, value, err));
    if (b->failed == TUSK_OK)
        tusk__put32(b->buf + at, (uint32_t)(b->len - at - 4));
    return TUSK_OK;
}

tusk_code tusk__own_param_encode(tusk__writer *b, const tusk_value *value, uint32_t type, const tusk__codec *codec,
                                 const tusk__types *types, uint16_t *format, tusk_error *err)
{
    if (value->kind == TUSK_KIND_OBJECT)
        return tusk__error_set(err, TUSK_ERR_TYPE, NULL, "an object of the program's is not written here");
    *format = goes_in_binary(value, codec);
    if (!may_go(value, type, *format))
        return refuse(value, type, types, err);
    if (is_own_kind(value->kind) || !*format)
        TUSK_TRY(check(b, value, err));
    if (*format)
        TUSK_TRY(encode(b, value, codec, err));
    else
        write_text(b, value);
    if (b->failed == TUSK_OK)
        return TUSK_OK;
    return tusk__error_set(err, b->failed, NULL, "%s",
                           b->failed == TUSK_ERR_LIMIT ? "the parameter is longer than a message can be"
                                                       : "no memory for the parameter");
}
