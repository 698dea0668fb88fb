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

tusk_code tusk__label_tree_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    TUSK_TRY(tusk__text_check(value->as.bytes, err));
    tusk__write_u8(b, 1);
    tusk__write_bytes(b, value->as.bytes);
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

#define TEXT_ROW(name, of)                                                                                             \
    {                                                                                                                  \
        0, name, TUSK_KIND_TEXT, -1, true, tusk__##of##_decode, tusk__text_parse, tusk__##of##_encode,                 \
            tusk__text_print, NULL                                                                                     \
    }

/* The label, in binary as in text: enum_send(). */
static const tusk__codec label = TEXT_ROW("enum", text);

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
    TEXT_ROW("citext", text),
    TEXT_ROW("ltree", label_tree),
    TEXT_ROW("lquery", label_tree),
    TEXT_ROW("ltxtquery", label_tree),
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

static size_t vector_print(const tusk_value *value, char *buf, size_t size)
{
    return tusk__vector_print_given(value->as.bytes, buf, size);
}

/* Floats as they lie in memory: printed alone. */
static const tusk__codec floats = {
    0, "vector", TUSK_KIND_VECTOR, -1, true, tusk__vector_decode, refuse_text, tusk__vector_encode, vector_print, NULL};
static const tusk__codec pairs = {0,
                                  "hstore",
                                  TUSK_KIND_HSTORE,
                                  -1,
                                  true,
                                  tusk__hstore_decode,
                                  refuse_text,
                                  tusk__hstore_encode,
                                  tusk__hstore_print,
                                  NULL};

static const struct {
    tusk_kind kind;
    const tusk__codec *codec;
} kinds[] = {
    {TUSK_KIND_TEXT, &label},    {TUSK_KIND_HSTORE, &pairs},  {TUSK_KIND_VECTOR, &floats},
    {TUSK_KIND_ARRAY, &array},   {TUSK_KIND_RANGE, &range},   {TUSK_KIND_MULTIRANGE, &multirange},
    {TUSK_KIND_C_ARRAY, &array}, {TUSK_KIND_RECORD, &record},
};

const tusk__codec *tusk__own_codec_of_kind(tusk_kind kind)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].kind == kind)
            return kinds[i].codec;
    return NULL;
}

/* A plain value of a type that neither is the wanted one nor is written as what that is? */
static bool is_alien(const tusk_value *value, const tusk__resolved *to)
{
    bool is_plain = value->kind <= TUSK_KIND_RAW && !tusk__is_made_kind(value->kind);

    return is_plain && !tusk__is_typed_as(value, to) && !tusk__is_whole(value);
}

static bool is_text_type(uint32_t type)
{
    return type == TUSK_OID_TEXT || type == TUSK_OID_VARCHAR || type == TUSK_OID_BPCHAR || type == TUSK_OID_NAME ||
           type == TUSK_OID_UNKNOWN;
}

/* Of a kind that is none of a built-in type's, for one that is, or a domain over it; but what was made may be for the container that the
 * statement wants, and text takes the text of anything. */
static bool is_misfit(const tusk_value *value, const tusk__resolved *to)
{
    bool is_made = tusk__is_made_kind(value->kind);

    if (is_alien(value, to))
        return true;
    if (value->type == 0 && is_text_type(to->type))
        return false;
    if (to->type == 0 || to->type >= TUSK__FIRST_OWN_OID || (!is_made && value->kind <= TUSK_KIND_WIRE))
        return false;
    return !is_made || !to->codec || !tusk__is_made(to->codec, value->kind);
}

static tusk_code refuse(const tusk_value *value, uint32_t type, const tusk__types *types, tusk_error *err)
{
    const tusk__codec *codec = value->type ? NULL : tusk__own_codec_of_kind(value->kind);
    char want[TUSK__TYPE_LABEL_SIZE];

    if (!codec)
        return tusk__refuse_type(value, type, types, err);
    return tusk__error_set(err, TUSK_ERR_TYPE, NULL, "the statement wants %s here, not %s",
                           tusk__types_label(types, type, want), codec->name);
}

/* The NUL behind it is written and taken back. */
static tusk_code write_text(tusk__writer *b, const tusk__types *types, const tusk_value *value, tusk_error *err)
{
    const tusk__codec *codec = tusk__printing_codec(types, value);
    size_t len = 0;
    uint8_t *p;

    TUSK_TRY(tusk__nested_print(types, codec, value, NULL, 0, &len, err));
    tusk__write_u32(b, (uint32_t)len);
    p = tusk__write_space(b, len + 1);
    if (p) {
        TUSK_TRY(tusk__nested_print(types, codec, value, (char *)p, len + 1, &len, err));
        b->len--;
    }
    return tusk__written(b, err);
}

/* Text as text: what is text in the one format is so in the other, but for a version byte here and there. */
static tusk_code encode_binary(tusk__writer *b, const tusk__types *types, const tusk_value *value,
                               const tusk__resolved *to, tusk_error *err)
{
    size_t at = b->len;
    tusk_code code;

    if (value->kind == TUSK_KIND_TEXT || !tusk__is_received(to))
        return TUSK_AGAIN;
    code = tusk__whole_encode(b, types, value, to, err);
    if (code == TUSK_AGAIN && b->failed == TUSK_OK)
        b->len = at; /* what was begun is none of it */
    return code;
}

tusk_code tusk__own_param_encode(tusk__writer *b, const tusk__types *types, const tusk_value *value, uint32_t type,
                                 uint16_t *format, tusk_error *err)
{
    tusk__resolved to = tusk__resolve_type(types, type);
    tusk_value typed = tusk__typed(types, value, type);
    tusk_code code;

    if (is_misfit(value, &to))
        return refuse(value, type, types, err);
    *format = 1;
    code = encode_binary(b, types, value, &to, err);
    if (code != TUSK_AGAIN)
        return code;
    *format = 0;
    TUSK_TRY(tusk__made_check(b, types, value, err));
    return write_text(b, types, &typed, err);
}
