/* Values without a row: from bytes of the wire, and as text, whoever made them.
 * What the bytes mean is lib/codec/'s.
 * Read first: tusk/value.h. */
#include "lib/catalog.h"
#include "lib/codec/nested.h"
#include "lib/codec/own.h"
#include "lib/conn.h"

tusk_code tusk_value_from_wire(const tusk_conn *conn, uint32_t type, tusk_str wire, tusk_value *out, tusk_error *err)
{
    tusk__types types = tusk__conn_types(conn);
    tusk_value value = tusk_null_of(type);

    tusk__error_begin(err);
    if (wire.ptr)
        TUSK_TRY(tusk__nested_decode(&types, type, wire, 0, &value, err));
    *out = value;
    return TUSK_OK;
}

/* ---- as text --------------------------------------------------------------------------------------------------------------------------- */

/* Where it goes, by snprintf's contract. */
typedef struct place {
    char *buf;
    size_t size, *len;
} place;

static tusk_code refuse(const tusk__types *types, const tusk_value *value, const char *why, tusk_error *err)
{
    char label[TUSK__TYPE_LABEL_SIZE];

    return tusk__error_set(err, TUSK_ERR_TYPE, NULL, "a value of %s %s",
                           value->type ? tusk__types_label(types, value->type, label) : "no type", why);
}

/* Bytes of the wire: whoever they are from, they are looked at before they are printed. */
static tusk_code print_wire(const tusk__types *types, const tusk_value *value, tusk_str wire, const place *to,
                            tusk_error *err)
{
    const tusk__codec *codec = tusk__resolve_type(types, value->type).codec;
    tusk_value decoded;

    if (!codec)
        return refuse(types, value, "is printed by the server alone: its type is not known, or has no codec", err);
    TUSK_TRY(tusk__nested_decode(types, value->type, wire, 0, &decoded, err));
    return tusk__nested_print(types, codec, &decoded, to->buf, to->size, to->len, err);
}

static tusk_code print_own_kind(const tusk_value *value, const place *to, tusk_error *err)
{
    tusk_value decoded;

    if (value->kind == TUSK_KIND_VECTOR) {
        TUSK_TRY(tusk__vector_check(value->as.bytes, err));
        *to->len = tusk__vector_print_given(value->as.bytes, to->buf, to->size);
        return TUSK_OK;
    }
    TUSK_TRY(tusk__hstore_decode(value->as.bytes, &decoded, err));
    *to->len = tusk__hstore_print(value, to->buf, to->size);
    return TUSK_OK;
}

/* A scalar, by its codec; into a few bytes of its own, so that what is beyond its range is refused. */
static tusk_code print_scalar(const tusk__types *types, const tusk_value *value, const place *to, tusk_error *err)
{
    tusk__resolved type = tusk__resolve_type(types, value->type);
    tusk_value known = *value;
    uint8_t bytes[16];
    tusk__writer b = {.buf = bytes, .cap = sizeof bytes, .allocated = sizeof bytes, .max = sizeof bytes};

    if (!type.codec || type.codec->kind != value->kind)
        return refuse(types, value, "and of a kind that its type does not have", err);
    known.type = type.type;
    TUSK_TRY(type.codec->encode(&b, &known, err));
    *to->len = type.codec->print(&known, to->buf, to->size);
    return TUSK_OK;
}

/* For a type of the database's own, or one that the statement infers: as the text that is sent for it. */
static tusk_code print_own_made(tusk__writer *b, const tusk__types *types, const tusk_value *value, const place *to,
                                tusk_error *err)
{
    if (tusk__param_size(value) > TUSK__MESSAGE_MAX)
        return tusk__error_set(err, TUSK_ERR_LIMIT, NULL,
                               "more than %d containers in each other, or than a message can be", TUSK__DEPTH_MAX);
    TUSK_TRY(tusk__made_check(b, types, value, err));
    return tusk__nested_print(types, tusk__printing_codec(types, value), value, to->buf, to->size, to->len, err);
}

/* Made to be sent: written as that. */
static tusk_code print_made(const tusk_conn *conn, const tusk__types *types, const tusk_value *value, const place *to,
                            tusk_error *err)
{
    tusk__writer b;
    uint16_t format;
    tusk_code code;

    if (!conn)
        return refuse(types, value, "is made of others, which takes a connection's memory", err);
    tusk__writer_init(&b, conn->allocator);
    code = tusk__param_encode(&b, value, 0, &format, err);
    if (code == TUSK_AGAIN)
        code = print_own_made(&b, types, value, to, err);
    else if (code == TUSK_OK)
        code = print_wire(types, value, tusk_str_from(b.buf + 4, b.len - 4), to, err);
    tusk__writer_clear(&b);
    return code;
}

static tusk_code print_bytes(const tusk__types *types, const tusk_value *value, const place *to, tusk_error *err)
{
    const tusk__codec *codec = tusk__resolve_type(types, value->type).codec;

    if (!codec || codec->kind != TUSK_KIND_BYTES)
        return refuse(types, value, "and of a kind that its type does not have", err);
    *to->len = codec->print(value, to->buf, to->size);
    return TUSK_OK;
}

tusk_code tusk_value_to_text(const tusk_conn *conn, const tusk_value *value, char *buf, size_t size, size_t *len,
                             tusk_error *err)
{
    tusk__types types = tusk__conn_types(conn);
    size_t nobodys;
    place to = {buf, size, len ? len : &nobodys};

    tusk__error_begin(err);
    if (value->kind == TUSK_KIND_NULL)
        return tusk__error_set(err, TUSK_ERR_NULL, NULL, "the value is NULL");
    if (value->kind == TUSK_KIND_OBJECT)
        return refuse(&types, value, "is an object of the program's", err);
    if (tusk__is_made_kind(value->kind))
        return print_made(conn, &types, value, &to, err);
    if (!tusk__has_bytes(value->kind))
        return print_scalar(&types, value, &to, err);
    if (value->kind == TUSK_KIND_TEXT) {
        *to.len = tusk__print_str(value->as.bytes, buf, size);
        return TUSK_OK;
    }
    if (value->kind == TUSK_KIND_BYTES)
        return print_bytes(&types, value, &to, err);
    if (value->kind == TUSK_KIND_HSTORE || value->kind == TUSK_KIND_VECTOR)
        return print_own_kind(value, &to, err);
    return print_wire(&types, value, value->as.bytes, &to, err);
}
