/* Codecs of the program's own: how values of a type become objects of yours, and objects of yours parameters, in place of what Tusk
 * has for the type, or where it has nothing. Per connection, or for all that a loop opens.
 * Read first: docs/types.md, "Codecs of your own". */
#ifndef TUSK_CODEC_H
#define TUSK_CODEC_H

#include <tusk/query.h>
#include <tusk/row.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What the functions of a codec read and write. */
typedef enum tusk_codec_format {
    TUSK_CODEC_TEXT = 0, /* the type's text: columns of it are asked for in text from then on */
    TUSK_CODEC_BINARY,   /* the type's binary format, as its send and receive functions have it */
    TUSK_CODEC_JSON      /* of json and jsonb alone: the document's text. It travels as ever; jsonb's version byte is none of yours */
} tusk_codec_format;

/** Where an encoder's bytes go. */
typedef struct tusk_out tusk_out;

/** Append bytes. What does not fit, or finds no memory, fails the parameter when the encoder has returned. */
void tusk_out_put(tusk_out *out, const void *bytes, size_t len);
/** Append a number as it travels: the high byte first. */
void tusk_out_put_u16(tusk_out *out, uint16_t n);
void tusk_out_put_u32(tusk_out *out, uint32_t n);
void tusk_out_put_u64(tusk_out *out, uint64_t n);

/**
 * An object of yours as bytes. Called once for a parameter, in the call that submits it; the object is not looked at again.
 *
 * object    tusk_object()'s; never NULL
 * type      the parameter's OID; 0: the server infers it, and reads text
 * out       gets the bytes: nothing is the empty string, not NULL. TUSK_CODEC_TEXT and TUSK_CODEC_JSON: UTF-8
 * err       zeroed: say what is wrong in `message`, and `sqlstate` if you like; which parameter it is is added
 * Returns   TUSK_OK, or what is wrong: TUSK_ERR_VALUE …. Then the request fails with it, and nothing is sent
 * Thread    the loop's thread. Here, and in the functions below, nothing may be asked of a connection, nor of a codec set or reset
 */
typedef tusk_code (*tusk_encode_fn)(const void *object, uint32_t type, tusk_out *out, tusk_error *err, void *user);

/**
 * A value's bytes as an object of yours. Called once for each tusk_read_object().
 *
 * bytes     of the format that the codec has; they live as long as the row, so a view of them may be kept in the object. From the
 *           network: check them
 * type      OID
 * object    to be written; what it owns is the caller's of tusk_read_object() from TUSK_OK on. On failure give back what you took
 * err       as above; the column is added
 */
typedef tusk_code (*tusk_decode_fn)(tusk_str bytes, uint32_t type, void *object, tusk_error *err, void *user);

/** A codec. One without one of the functions leaves that half to Tusk. */
typedef struct tusk_codec {
    uint32_t type;         /* OID; 0: by name. TUSK_CODEC_JSON without either: both json and jsonb */
    const char *type_name; /* as pg_type has it: "mood", "int4" */
    const char *schema;    /* NULL: found by search_path, when the codec is set */
    tusk_codec_format format;
    size_t size;           /* of the objects: what tusk_read_object() is to be given. 0: it is not compared */
    tusk_encode_fn encode; /* NULL: there is no tusk_object() of it */
    tusk_decode_fn decode; /* NULL: there is no tusk_read_object() of it, and its columns come as ever */
    void *user;            /* to the functions */
    void (*on_release)(void *user); /* called once, when nothing uses the codec any more: replaced, reset, and the connections (or the loop)
                                       freed that had it. NULL: nothing is to be done */
} tusk_codec;

/**
 * Use a codec for a type on this connection: what is submitted from now on, and rows that are read from now on. It replaces the
 * one that the type has. Getters of Tusk's own go on to work on columns of the type, by the format in which they come.
 *
 * A type that is given by name is asked for on the server, and what is submitted behind waits for the answer; it is the same type
 * from then on, whatever becomes of the name. A domain comes as its base type: that is what a codec can be set for.
 *
 * codec     copied, with its names
 * Returns   a query that completes when the codec is in use: await it, or free it (the codec is set all the same). NULL: out of memory, and
 *           on_release is not called
 * Errors    TUSK_ERR_USAGE neither a type nor a function, or a format that is none of the type · TUSK_ERR_SERVER 42704 there is no such type ·
 *           TUSK_ERR_TYPE a domain, or a pseudo-type · TUSK_ERR_NOMEM. The codec is not in use then, and was released
 * Notes     TUSK_CODEC_TEXT: a statement that is not known yet is described before it is run, so that it takes a second round trip
 *           the first time. In a stack, and by a cursor of a text, it is not: prepare it, or the column comes in binary the first time,
 *           and tusk_read_object() says so
 * Example   docs/examples/codec.c
 * Source    asyncpg: Connection.set_type_codec(); SQLSpec: json_serializer, json_deserializer
 */
TUSK_MUST_CHECK
tusk_query *tusk_set_type_codec(tusk_conn *conn, const tusk_codec *codec);

/**
 * Back to Tusk's own. Of `codec` only the type, or the names, are looked at: as it was set.
 * Returns   TUSK_OK · TUSK_DONE there is none
 */
tusk_code tusk_reset_type_codec(tusk_conn *conn, const tusk_codec *codec);

/**
 * For all connections that are opened on the loop from now on: each has it from its first request on. One that is given by name and that a
 * server has not is passed over there, with a line in the log (debug). Connections that are open already keep what they have.
 * Errors    TUSK_ERR_USAGE as above · TUSK_ERR_NOMEM. on_release is not called then
 */
TUSK_MUST_CHECK
tusk_code tusk_loop_set_type_codec(tusk_loop *loop, const tusk_codec *codec, tusk_error *err);
/** For connections that are opened from now on, that is. */
tusk_code tusk_loop_reset_type_codec(tusk_loop *loop, const tusk_codec *codec);

/** A parameter: an object of yours, written by the codec that the connection has for that type. NULL is an SQL NULL. Not inside of arrays,
 * ranges and composites. */
static inline tusk_value tusk_object(uint32_t type, const void *object)
{
    tusk_value v = tusk_null_of(type);
    if (object) {
        v.kind = TUSK_KIND_OBJECT;
        v.as.object.ptr = object;
    }
    return v;
}

/** The same by this codec, whose type may be known by its name alone: in text the server infers it; in binary the codec has to be set on
 * the connection, which knows the OID then. Borrowed until the call that submits it returns. */
static inline tusk_value tusk_object_by(const tusk_codec *codec, const void *object)
{
    tusk_value v = tusk_object(codec->type, object);
    if (object)
        v.as.object.codec = codec;
    return v;
}

/**
 * A column as an object of yours, by the codec that the connection has for its type.
 *
 * out       written by the codec's decoder
 * size      sizeof *out; another one than the codec's is refused
 * Errors    TUSK_ERR_NULL · TUSK_ERR_TYPE the connection has no decoder for the type; the column came in the other format (a script, text_results,
 *           a request that was submitted before) · TUSK_ERR_USAGE no such column, another size · whatever the decoder says
 */
TUSK_MUST_CHECK
tusk_code tusk_read_object(const tusk_row *row, int col, void *out, size_t size, tusk_error *err);

#ifdef __cplusplus
}
#endif

#endif
