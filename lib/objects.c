/* Finding the codec of an object, calling it, and what its bytes are as a value: raw with the type's OID, or text.
 * Read first: lib/objects.h. */
#include "lib/objects.h"

#include "lib/array.h"
#include "lib/catalog.h"
#include "lib/codecs.h"
#include "lib/given.h"
#include "proto/error_set.h"

/* ---- what an encoder writes to ---- */

static tusk__writer *writer_of(tusk_out *out)
{
    return (tusk__writer *)(void *)out;
}

void tusk_out_put(tusk_out *out, const void *bytes, size_t len)
{
    tusk__write_bytes(writer_of(out), tusk_str_from(bytes, len));
}

void tusk_out_put_u16(tusk_out *out, uint16_t n)
{
    tusk__write_u16(writer_of(out), n);
}

void tusk_out_put_u32(tusk_out *out, uint32_t n)
{
    tusk__write_u32(writer_of(out), n);
}

void tusk_out_put_u64(tusk_out *out, uint64_t n)
{
    tusk__write_u64(writer_of(out), n);
}

/* ---- one object ---- */

static tusk_code refuse(const tusk_conn *conn, const tusk_value *value, const tusk_codec *codec, tusk_error *err)
{
    char label[TUSK__TYPE_LABEL_SIZE];

    if (codec && codec->encode)
        return tusk__error_set(
            err, TUSK_ERR_TYPE, NULL,
            "the OID of \"%s\" is not known here: the codec, which is binary, is not set, or not yet",
            codec->type_name ? codec->type_name : "");
    return tusk__error_set(err, TUSK_ERR_TYPE, NULL, "there is no codec for an object of %s here%s",
                           value->type ? tusk__conn_type_label(conn, value->type, label) : "no type",
                           codec ? " that encodes" : "");
}

/* As it goes into Bind: json's text is what json's own codec takes, version byte and all. */
static tusk_value value_of(const tusk_codec *codec, uint32_t type)
{
    return tusk__bytes_of(type, codec->format == TUSK_CODEC_BINARY ? TUSK_KIND_RAW : TUSK_KIND_TEXT,
                          tusk_str_from(NULL, 0));
}

static tusk_code call(const tusk_codec *codec, const tusk_value *value, uint32_t type, tusk__writer *b, tusk_error *err)
{
    tusk_code code;

    memset(err, 0, sizeof *err);
    code = codec->encode(value->as.object.ptr, type, (tusk_out *)(void *)b, err, codec->user);
    if (code != TUSK_OK) {
        tusk__given_error(err, code, "the codec's encode");
        err->column = -1;
        err->item = -1;
        return err->code;
    }
    err->code = TUSK_OK;
    if (b->failed == TUSK_OK)
        return TUSK_OK;
    return tusk__error_set(err, b->failed, NULL, "%s",
                           b->failed == TUSK_ERR_LIMIT ? "the parameter is longer than a message can be"
                                                       : "no memory for the parameter");
}

static tusk_code encode_by(const tusk_conn *conn, const tusk_codec *codec, tusk_value *value, tusk__writer *b,
                           tusk_error *err)
{
    uint32_t type = value->type;

    if (!type && codec->type_name)
        type = tusk__codecs_type_of(conn, codec);
    if (!codec->encode || (!type && codec->format == TUSK_CODEC_BINARY))
        return refuse(conn, value, codec, err);
    TUSK_TRY(call(codec, value, type, b, err));
    *value = value_of(codec, type);
    return TUSK_OK;
}

/* The value becomes its bytes' but for where they are: they lie behind what b had. */
static tusk_code encode(const tusk_conn *conn, tusk_value *value, tusk__writer *b, tusk_error *err)
{
    tusk__given_codec *given;
    tusk_code code;

    if (value->as.object.codec)
        return encode_by(conn, value->as.object.codec, value, b, err);
    given = tusk__codecs_take(conn, value->type);
    if (!given)
        return refuse(conn, value, NULL, err);
    code = encode_by(conn, &given->codec, value, b, err);
    tusk__codecs_give_back(given);
    return code;
}

/* ---- all of a request ---- */

bool tusk__has_objects(tusk_params params)
{
    for (size_t i = 0; i < params.n; i++)
        if (params.values[i].kind == TUSK_KIND_OBJECT)
            return true;
    return false;
}

static TUSK_COLD tusk_code blame(const tusk_conn *conn, tusk_error *err, uint32_t type, size_t number)
{
    char label[TUSK__TYPE_LABEL_SIZE];

    tusk__error_where(err, "bind $%zu (%s)", number, type ? tusk__conn_type_label(conn, type, label) : "unknown");
    err->param = (int)number;
    err->fate = TUSK_FATE_NOT_SENT;
    return err->code;
}

/* The buffer moves while it grows: lengths first, pointers when all is written. */
static tusk_code encode_all(const tusk_conn *conn, tusk_value *values, size_t n, tusk__writer *b, tusk_error *err)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t type = values[i].type;
        size_t at = b->len;

        if (values[i].kind != TUSK_KIND_OBJECT)
            continue;
        if (encode(conn, &values[i], b, err) != TUSK_OK)
            return blame(conn, err, type, i + 1);
        values[i].as.bytes.len = b->len - at;
    }
    return TUSK_OK;
}

static void point(const tusk_value *given, tusk_value *values, size_t n, const tusk__writer *b)
{
    const char *at = b->buf ? (const char *)b->buf : "";

    for (size_t i = 0; i < n; i++)
        if (given[i].kind == TUSK_KIND_OBJECT) {
            values[i].as.bytes.ptr = at;
            at += values[i].as.bytes.len;
        }
}

tusk_code tusk__objects_copy(const tusk_conn *conn, tusk__held *held, tusk_str sql, tusk_params params, tusk_error *err)
{
    const tusk_allocator *allocator = conn->allocator;
    tusk_value *values = params.n <= TUSK__PARAMS_MAX ? tusk__array_new(allocator, params.n, sizeof *values) : NULL;
    tusk__writer b;
    tusk_code code;

    if (!values)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for the parameters");
    memcpy(values, params.values, params.n * sizeof *values);
    tusk__writer_init(&b, allocator);
    code = encode_all(conn, values, params.n, &b, err);
    if (code == TUSK_OK) {
        point(params.values, values, params.n, &b);
        code = tusk__held_copy(held, allocator, sql, (tusk_params){values, params.n});
        if (code != TUSK_OK)
            code = tusk__error_set(err, code, NULL, "%s",
                                   code == TUSK_ERR_NOMEM ? "out of memory for the parameters"
                                                          : "the parameters are longer than a message can be");
    }
    tusk__writer_wipe(&b);
    allocator->free(values, allocator->user);
    return code;
}

tusk_code tusk__objects_hold(tusk_query *q, tusk_str sql, tusk_params params)
{
    tusk_error err;
    tusk_code code;

    tusk__error_none(&err);
    code = tusk__objects_copy(q->conn, &q->held, sql, params, &err);
    if (code != TUSK_OK) {
        err.fate = TUSK_FATE_NOT_SENT;
        tusk__query_fail(q, &err);
    }
    return code;
}
