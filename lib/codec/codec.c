/* The codec table itself, the look-up, and the two ways through it: a parameter's field of Bind, a result's field.
 * What a type's bytes mean is known in the files beside this one, not here.
 * Read first: lib/codec/codec.h, docs/internals/codecs.md. */
#include <stdio.h>

#include "lib/codec/nested.h"
#include "lib/codec/types.h"
#include "proto/size.h"

static tusk_code refuse_text(tusk_str text, tusk_value *out, tusk_error *err);

/* One row per type: OID, name, kind, width, functions. Each has a send function, and an array type, whose row is made of it. R: its text is
 * read into room. U: it is not read. */
#define CODECS(X, R, U)                                                                                                \
    X(TUSK_OID_BOOL, "bool", TUSK_KIND_BOOL, 1, bool)                                                                  \
    R(TUSK_OID_BYTEA, "bytea", TUSK_KIND_BYTES, -1, bytea)                                                             \
    X(TUSK_OID_NAME, "name", TUSK_KIND_TEXT, -1, text)                                                                 \
    X(TUSK_OID_INT8, "int8", TUSK_KIND_INT, 8, int8)                                                                   \
    X(TUSK_OID_INT2, "int2", TUSK_KIND_INT, 2, int2)                                                                   \
    X(TUSK_OID_INT4, "int4", TUSK_KIND_INT, 4, int4)                                                                   \
    X(TUSK_OID_TEXT, "text", TUSK_KIND_TEXT, -1, text)                                                                 \
    X(TUSK_OID_OID, "oid", TUSK_KIND_INT, 4, oid)                                                                      \
    X(TUSK_OID_JSON, "json", TUSK_KIND_TEXT, -1, text)                                                                 \
    X(TUSK_OID_FLOAT4, "float4", TUSK_KIND_FLOAT, 4, float4)                                                           \
    X(TUSK_OID_FLOAT8, "float8", TUSK_KIND_FLOAT, 8, float8)                                                           \
    X(TUSK_OID_BPCHAR, "bpchar", TUSK_KIND_TEXT, -1, text)                                                             \
    X(TUSK_OID_VARCHAR, "varchar", TUSK_KIND_TEXT, -1, text)                                                           \
    X(TUSK_OID_DATE, "date", TUSK_KIND_INT, 4, date)                                                                   \
    X(TUSK_OID_TIMESTAMP, "timestamp", TUSK_KIND_INT, 8, timestamp)                                                    \
    X(TUSK_OID_TIMESTAMPTZ, "timestamptz", TUSK_KIND_INT, 8, timestamptz)                                              \
    X(TUSK_OID_TIME, "time", TUSK_KIND_INT, 8, time)                                                                   \
    X(TUSK_OID_TIMETZ, "timetz", TUSK_KIND_TIMETZ, 12, timetz)                                                         \
    X(TUSK_OID_INTERVAL, "interval", TUSK_KIND_INTERVAL, 16, interval)                                                 \
    X(TUSK_OID_MONEY, "money", TUSK_KIND_INT, 8, money)                                                                \
    X(TUSK_OID_XID, "xid", TUSK_KIND_INT, 4, xid)                                                                      \
    X(TUSK_OID_CID, "cid", TUSK_KIND_INT, 4, cid)                                                                      \
    X(TUSK_OID_XID8, "xid8", TUSK_KIND_INT, 8, xid8)                                                                   \
    X(TUSK_OID_PG_LSN, "pg_lsn", TUSK_KIND_INT, 8, pg_lsn)                                                             \
    X(TUSK_OID_XML, "xml", TUSK_KIND_TEXT, -1, text)                                                                   \
    X(TUSK_OID_REFCURSOR, "refcursor", TUSK_KIND_TEXT, -1, text)                                                       \
    X(TUSK_OID_MACADDR, "macaddr", TUSK_KIND_MACADDR, 6, macaddr)                                                      \
    X(TUSK_OID_MACADDR8, "macaddr8", TUSK_KIND_MACADDR8, 8, macaddr8)                                                  \
    R(TUSK_OID_INET, "inet", TUSK_KIND_WIRE, -1, inet)                                                                 \
    R(TUSK_OID_CIDR, "cidr", TUSK_KIND_WIRE, -1, cidr)                                                                 \
    R(TUSK_OID_BIT, "bit", TUSK_KIND_WIRE, -1, bits)                                                                   \
    R(TUSK_OID_VARBIT, "varbit", TUSK_KIND_WIRE, -1, bits)                                                             \
    X(TUSK_OID_POINT, "point", TUSK_KIND_POINT, 16, point)                                                             \
    R(TUSK_OID_LINE, "line", TUSK_KIND_WIRE, TUSK_LINE_SIZE, line)                                                     \
    R(TUSK_OID_LSEG, "lseg", TUSK_KIND_WIRE, TUSK_LSEG_SIZE, lseg)                                                     \
    R(TUSK_OID_BOX, "box", TUSK_KIND_WIRE, TUSK_BOX_SIZE, box)                                                         \
    R(TUSK_OID_CIRCLE, "circle", TUSK_KIND_WIRE, TUSK_CIRCLE_SIZE, circle)                                             \
    R(TUSK_OID_PATH, "path", TUSK_KIND_WIRE, -1, path)                                                                 \
    R(TUSK_OID_POLYGON, "polygon", TUSK_KIND_WIRE, -1, polygon)                                                        \
    X(TUSK_OID_CHAR, "char", TUSK_KIND_INT, 1, char)                                                                   \
    X(TUSK_OID_TID, "tid", TUSK_KIND_TID, 6, tid)                                                                      \
    X(TUSK_OID_REGPROC, "regproc", TUSK_KIND_INT, 4, reg)                                                              \
    X(TUSK_OID_REGPROCEDURE, "regprocedure", TUSK_KIND_INT, 4, reg)                                                    \
    X(TUSK_OID_REGOPER, "regoper", TUSK_KIND_INT, 4, reg)                                                              \
    X(TUSK_OID_REGOPERATOR, "regoperator", TUSK_KIND_INT, 4, reg)                                                      \
    X(TUSK_OID_REGCLASS, "regclass", TUSK_KIND_INT, 4, reg)                                                            \
    X(TUSK_OID_REGTYPE, "regtype", TUSK_KIND_INT, 4, reg)                                                              \
    X(TUSK_OID_REGCONFIG, "regconfig", TUSK_KIND_INT, 4, reg)                                                          \
    X(TUSK_OID_REGDICTIONARY, "regdictionary", TUSK_KIND_INT, 4, reg)                                                  \
    X(TUSK_OID_REGNAMESPACE, "regnamespace", TUSK_KIND_INT, 4, reg)                                                    \
    X(TUSK_OID_REGROLE, "regrole", TUSK_KIND_INT, 4, reg)                                                              \
    X(TUSK_OID_REGCOLLATION, "regcollation", TUSK_KIND_INT, 4, reg)                                                    \
    X(TUSK_OID_JSONPATH, "jsonpath", TUSK_KIND_TEXT, -1, jsonb)                                                        \
    R(TUSK_OID_PG_SNAPSHOT, "pg_snapshot", TUSK_KIND_WIRE, -1, snapshot)                                               \
    R(TUSK_OID_TXID_SNAPSHOT, "txid_snapshot", TUSK_KIND_WIRE, -1, snapshot)                                           \
    U(TUSK_OID_TSVECTOR, "tsvector", TUSK_KIND_WIRE, -1, tsvector)                                                     \
    U(TUSK_OID_TSQUERY, "tsquery", TUSK_KIND_WIRE, -1, tsquery)                                                        \
    R(TUSK_OID_NUMERIC, "numeric", TUSK_KIND_WIRE, -1, numeric)                                                        \
    X(TUSK_OID_UUID, "uuid", TUSK_KIND_UUID, 16, uuid)                                                                 \
    X(TUSK_OID_JSONB, "jsonb", TUSK_KIND_TEXT, -1, jsonb)                                                              \
    X(TUSK_OID_INT2VECTOR, "int2vector", TUSK_KIND_WIRE, -1, intvector)                                                \
    X(TUSK_OID_OIDVECTOR, "oidvector", TUSK_KIND_WIRE, -1, intvector)                                                  \
    X(TUSK_OID_INT4RANGE, "int4range", TUSK_KIND_WIRE, -1, range)                                                      \
    X(TUSK_OID_INT8RANGE, "int8range", TUSK_KIND_WIRE, -1, range)                                                      \
    X(TUSK_OID_NUMRANGE, "numrange", TUSK_KIND_WIRE, -1, range)                                                        \
    X(TUSK_OID_DATERANGE, "daterange", TUSK_KIND_WIRE, -1, range)                                                      \
    X(TUSK_OID_TSRANGE, "tsrange", TUSK_KIND_WIRE, -1, range)                                                          \
    X(TUSK_OID_TSTZRANGE, "tstzrange", TUSK_KIND_WIRE, -1, range)                                                      \
    X(TUSK_OID_INT4MULTIRANGE, "int4multirange", TUSK_KIND_WIRE, -1, multirange)                                       \
    X(TUSK_OID_INT8MULTIRANGE, "int8multirange", TUSK_KIND_WIRE, -1, multirange)                                       \
    X(TUSK_OID_NUMMULTIRANGE, "nummultirange", TUSK_KIND_WIRE, -1, multirange)                                         \
    X(TUSK_OID_DATEMULTIRANGE, "datemultirange", TUSK_KIND_WIRE, -1, multirange)                                       \
    X(TUSK_OID_TSMULTIRANGE, "tsmultirange", TUSK_KIND_WIRE, -1, multirange)                                           \
    X(TUSK_OID_TSTZMULTIRANGE, "tstzmultirange", TUSK_KIND_WIRE, -1, multirange)                                       \
    X(TUSK_OID_RECORD, "record", TUSK_KIND_WIRE, -1, record)

/* Those without an array type, or with one that is the server's own business. */
#define LONE_CODECS(X)                                                                                                 \
    X(TUSK_OID_UNKNOWN, "unknown", TUSK_KIND_TEXT, -1, text)                                                           \
    X(TUSK_OID_PG_NODE_TREE, "pg_node_tree", TUSK_KIND_TEXT, -1, text)                                                 \
    X(TUSK_OID_CSTRING, "cstring", TUSK_KIND_TEXT, -1, text)                                                           \
    X(TUSK_OID_VOID, "void", TUSK_KIND_TEXT, -1, text)                                                                 \
    X(TUSK_OID_ANYARRAY, "anyarray", TUSK_KIND_WIRE, -1, array)

/* Not one in terms of another: bool is a macro. */
#define ROW(oid, type_name, kind, width, name)                                                                         \
    {oid,                                                                                                              \
     type_name,                                                                                                        \
     kind,                                                                                                             \
     width,                                                                                                            \
     true,                                                                                                             \
     tusk__##name##_decode,                                                                                            \
     tusk__##name##_parse,                                                                                             \
     tusk__##name##_encode,                                                                                            \
     tusk__##name##_print,                                                                                             \
     NULL},
#define ROOM_ROW(oid, type_name, kind, width, name)                                                                    \
    {oid,                                                                                                              \
     type_name,                                                                                                        \
     kind,                                                                                                             \
     width,                                                                                                            \
     true,                                                                                                             \
     tusk__##name##_decode,                                                                                            \
     refuse_text,                                                                                                      \
     tusk__##name##_encode,                                                                                            \
     tusk__##name##_print,                                                                                             \
     tusk__##name##_read},
#define UNREAD_ROW(oid, type_name, kind, width, name)                                                                  \
    {                                                                                                                  \
        oid,                                                                                                           \
        type_name,                                                                                                     \
        kind,                                                                                                          \
        width,                                                                                                         \
        true,                                                                                                          \
        tusk__##name##_decode,                                                                                         \
        refuse_text,                                                                                                   \
        tusk__##name##_encode,                                                                                         \
        tusk__##name##_print,                                                                                          \
        NULL},
#define ARRAY_ROW(oid, type_name, kind, width, name) ROW(oid##_ARRAY, "_" type_name, TUSK_KIND_WIRE, -1, array)
static const tusk__codec codecs[] = {CODECS(ROW, ROOM_ROW, UNREAD_ROW) CODECS(ARRAY_ROW, ARRAY_ROW, ARRAY_ROW)
                                         LONE_CODECS(ROW)};

/* Where the row of an OID is, plus 1: every built-in type with a codec lies below 6160, and one load finds it. */
#define POSITION(oid, type_name, kind, width, name) AT_##oid,
#define ARRAY_POSITION(oid, type_name, kind, width, name) AT_##oid##_ARRAY,
enum {
    NOWHERE,
    CODECS(POSITION, POSITION, POSITION) BEHIND_ELEMENTS,
    N_ELEMENTS = BEHIND_ELEMENTS - 1,
    CODECS(ARRAY_POSITION, ARRAY_POSITION, ARRAY_POSITION) LONE_CODECS(POSITION) N_ROWS
};
#define PLACE(oid, type_name, kind, width, name) [oid] = AT_##oid,
#define ARRAY_PLACE(oid, type_name, kind, width, name) [oid##_ARRAY] = AT_##oid##_ARRAY,
static const uint8_t row_of[6160] = {CODECS(PLACE, PLACE, PLACE) CODECS(ARRAY_PLACE, ARRAY_PLACE, ARRAY_PLACE)
                                         LONE_CODECS(PLACE)};
_Static_assert(N_ROWS <= UINT8_MAX, "an index of bytes");

const tusk__codec *tusk__codec_of(uint32_t type)
{
    uint8_t row = type < sizeof row_of ? row_of[type] : NOWHERE;

    return row == NOWHERE ? NULL : &codecs[row - 1];
}

/* The rows of arrays lie in the order of their elements' rows. */
static uint32_t element_of_row(size_t row)
{
    return row >= N_ELEMENTS && row < 2 * N_ELEMENTS ? codecs[row - N_ELEMENTS].type : 0;
}

bool tusk__is_reg(uint32_t type)
{
    const tusk__codec *codec = tusk__codec_of(type);

    return codec && codec->decode == tusk__reg_decode;
}

/* ---- the catalogue ------------------------------------------------------------------------------------------------------------ */

typedef struct tusk__type {
    uint32_t oid;
    const char *name;
    uint32_t array, element;
    bool has_send, has_receive;
    char category, typtype;
    int16_t len;
} tusk__type;

static const tusk__type types[] = {
#include "lib/codec/types_table.h"
};

/* Cold: names are for errors, and has_send is asked once per column of a statement. */
static const tusk__type *type_of(uint32_t oid)
{
    size_t low = 0, high = sizeof types / sizeof *types;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (types[mid].oid == oid)
            return &types[mid];
        if (types[mid].oid < oid)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

bool tusk__type_has_send(uint32_t type)
{
    const tusk__type *t = type_of(type);

    return !t || t->has_send;
}

uint32_t tusk__type_element(uint32_t type)
{
    const tusk__codec *codec = tusk__codec_of(type);
    uint32_t element = codec ? element_of_row((size_t)(codec - codecs)) : 0;
    const tusk__type *t = element ? NULL : type_of(type);

    return t ? t->element : element;
}

bool tusk__type_is_array(uint32_t type)
{
    const tusk__type *t = type_of(type);

    return t && (t->category == 'A' || type == TUSK_OID_RECORD_ARRAY || type == TUSK_OID_ANYARRAY);
}

static bool is_pseudo(const tusk__type *t)
{
    return t && t->typtype == 'p';
}

bool tusk__type_surely_has_send(uint32_t type)
{
    const tusk__type *t = type_of(type);

    return t && t->has_send && !is_pseudo(t) && !(t->element && is_pseudo(type_of(t->element)));
}

bool tusk__type_describe(uint32_t type, tusk_type *out)
{
    const tusk__type *t = type_of(type);
    tusk_type_kind kind;

    if (!t)
        return false;
    kind = t->category == 'A' ? TUSK_TYPE_ARRAY : (tusk_type_kind)t->typtype;
    *out = (tusk_type){.oid = type,
                       .kind = kind,
                       .name = tusk_str_of(t->name),
                       .schema = tusk_str_of("pg_catalog"),
                       .element = kind == TUSK_TYPE_BASE ? 0 : t->element,
                       .has_binary_output = t->has_send,
                       .has_binary_input = t->has_receive,
                       .delimiter = type == TUSK_OID_BOX ? ';' : ','};
    return true;
}

const char *tusk__type_name(uint32_t type)
{
    const tusk__type *t = type_of(type);

    return t ? t->name : NULL;
}

const char *tusk__type_label(uint32_t type, char buf[TUSK__TYPE_LABEL_SIZE])
{
    const char *name = tusk__type_name(type);

    if (name)
        snprintf(buf, TUSK__TYPE_LABEL_SIZE, "%s", name);
    else
        snprintf(buf, TUSK__TYPE_LABEL_SIZE, "type %u", (unsigned)type);
    return buf;
}

/* ---- small helpers of the codecs -------------------------------------------------------------------------------------------------- */

size_t tusk__print_str(tusk_str text, char *buf, size_t size)
{
    size_t n = text.len < size ? text.len : size - 1;

    if (size == 0)
        return text.len;
    if (n > 0)
        memcpy(buf, text.ptr, n);
    buf[n] = '\0';
    return text.len;
}

tusk_code tusk__bad_text(tusk_error *err, const char *type_name, tusk_str text)
{
    char shown[48];

    tusk__error_copy(shown, sizeof shown, text);
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_BAD_TEXT, "\"%s\" is not %s", shown, type_name);
}

tusk_code tusk__too_small(tusk_error *err, size_t need, size_t size)
{
    return tusk__error_set(err, TUSK_ERR_LIMIT, NULL, "%zu bytes do not fit a buffer of %zu", need, size);
}

tusk_code tusk__put_wire(tusk__room room, const void *wire, size_t len, tusk_value *out, tusk_error *err)
{
    if (room.size < len)
        return tusk__too_small(err, len, room.size);
    memcpy(room.ptr, wire, len);
    out->kind = TUSK_KIND_WIRE;
    out->as.bytes = tusk_str_from(room.ptr, len);
    return TUSK_OK;
}

tusk_code tusk__does_not_fit(tusk_error *err, int64_t n, const char *type_name)
{
    return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_OUT_OF_RANGE, "%lld does not fit %s", (long long)n,
                           type_name);
}

/* ---- results ------------------------------------------------------------------------------------------------------------------------ */

tusk_code tusk__value_decode(uint32_t type, uint16_t format, tusk_str bytes, tusk_value *out, tusk_error *err)
{
    const tusk__codec *codec = tusk__codec_of(type);

    if (!codec) {
        *out = tusk__bytes_of(type, format ? TUSK_KIND_RAW : TUSK_KIND_TEXT, bytes);
        return TUSK_OK;
    }
    return tusk__codec_decode(codec, type, format, bytes, out, err);
}

tusk_code tusk__codec_decode(const tusk__codec *codec, uint32_t type, uint16_t format, tusk_str bytes, tusk_value *out,
                             tusk_error *err)
{
    *out = tusk_null_of(type);
    if (!format)
        return codec->parse(bytes, out, err);
    if (codec->width >= 0 && bytes.len != (size_t)codec->width) /* D3 */
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_BAD_BINARY, "%s in binary has %d bytes, not %zu",
                               codec->name, codec->width, bytes.len);
    return codec->decode(bytes, out, err);
}

/* The call that has room for such a text, if there is one. */
static const char *and_reader_of(const tusk__codec *codec)
{
    if (!codec->read)
        return "";
    if (codec->read == tusk__bytea_read)
        return " and tusk_bytea_from_text()";
    if (codec->read == tusk__numeric_read)
        return " and tusk_numeric_from_text()";
    return codec->read == tusk__bits_read ? " and tusk_bits_from_text()" : " and tusk_value_from_text()";
}

static tusk_code refuse_text(tusk_str text, tusk_value *out, tusk_error *err)
{
    const tusk__codec *codec = tusk__codec_of(out->type);

    (void)text;
    return tusk__error_set(err, TUSK_ERR_TYPE, NULL, "%s came in text format: take it with tusk_read_text()%s",
                           codec->name, and_reader_of(codec));
}

/* ---- parameters ---------------------------------------------------------------------------------------------------------------------- */

static bool is_integer(uint32_t type)
{
    return type == TUSK_OID_INT4 || type == TUSK_OID_INT8 || type == TUSK_OID_INT2 || type == TUSK_OID_OID;
}

static bool is_float(uint32_t type)
{
    return type == TUSK_OID_FLOAT8 || type == TUSK_OID_FLOAT4;
}

/* May a value of type `have` be encoded as `want`, given that both hold the same kind? Dates and timestamps are of the kind
 * of integers but mean something else. */
static bool are_relatives(const tusk__codec *have, const tusk__codec *want)
{
    return (have->kind == TUSK_KIND_TEXT && want->kind == TUSK_KIND_TEXT) ||
           (have->kind == TUSK_KIND_BYTES && want->kind == TUSK_KIND_BYTES) ||
           (is_integer(have->type) && is_integer(want->type)) || (is_float(have->type) && is_float(want->type)) ||
           (have->type == TUSK_OID_OID && tusk__is_reg(want->type)) ||
           (tusk__is_reg(have->type) && want->type == TUSK_OID_OID);
}

bool tusk__is_read_as(uint32_t have, uint32_t want)
{
    const tusk__codec *a = tusk__codec_of(have), *b = tusk__codec_of(want);

    return a && b && tusk__codec_is_read_as(a, b);
}

bool tusk__codec_is_read_as(const tusk__codec *have, const tusk__codec *want)
{
    return have == want || are_relatives(have, want);
}

/* Bytes that are sent as they are: those of a container of the database's own were checked when they were read. */
static bool is_raw(const tusk_value *value)
{
    return value->kind == TUSK_KIND_RAW || (value->kind == TUSK_KIND_WIRE && !tusk__codec_of(value->type));
}

bool tusk__codec_writes(const tusk__codec *wanted, const tusk_value *value)
{
    const tusk__codec *have = tusk__codec_of(value->type);

    return have && wanted && (have->kind == value->kind || tusk__is_made(have, value->kind)) &&
           (have == wanted || are_relatives(have, wanted));
}

/* The codec that writes the value as `want` in binary, or NULL. */
static const tusk__codec *codec_for(const tusk_value *value, uint32_t want)
{
    const tusk__codec *wanted = tusk__codec_of(want);

    return tusk__codec_writes(wanted, value) ? wanted : NULL;
}

/* A type of the database's own may be one that takes it, such as a domain: lib/codec/own.c. */
static bool is_for_own_type(const tusk_value *value, uint32_t want)
{
    return want >= TUSK__FIRST_OWN_OID && tusk__is_whole(value);
}

bool tusk__is_whole(const tusk_value *value)
{
    const tusk__codec *have = tusk__codec_of(value->type);

    return have && (have->kind == value->kind || tusk__is_made(have, value->kind));
}

/* "TUSK_KIND_INT"; what is none by its number. */
static const char *kind_label(tusk_kind kind, char buf[32])
{
    static const char *const names[] = {"NULL",       "BOOL",     "INT",    "FLOAT",  "TIMETZ", "INTERVAL",
                                        "MACADDR",    "MACADDR8", "POINT",  "TID",    "ARRAY",  "RANGE",
                                        "MULTIRANGE", "RECORD",   "TEXT",   "BYTES",  "UUID",   "RAW",
                                        "C_ARRAY",    "WIRE",     "HSTORE", "VECTOR", "OBJECT"};

    if ((size_t)kind < sizeof names / sizeof *names)
        snprintf(buf, 32, "TUSK_KIND_%s", names[kind]);
    else
        snprintf(buf, 32, "%lld, which is none", (long long)(int)kind);
    return buf;
}

/* The type is what it should be, and the rest of it is not. */
static tusk_code refuse_kind(const tusk_value *value, const char *type, tusk_error *err)
{
    const tusk__codec *codec = tusk__codec_of(value->type);
    char have[32], want[32];

    if (!codec || value->kind > TUSK_KIND_OBJECT)
        return tusk__error_set(err, TUSK_ERR_TYPE, NULL, "a tusk_value of %s and of kind %s", type,
                               kind_label(value->kind, have));
    return tusk__error_set(err, TUSK_ERR_TYPE, NULL, "a tusk_value of %s and of kind %s: that type has %s", type,
                           kind_label(value->kind, have), kind_label(codec->kind, want));
}

tusk_code tusk__refuse_type(const tusk_value *value, uint32_t want, const tusk__types *names, tusk_error *err)
{
    char have_label[TUSK__TYPE_LABEL_SIZE], want_label[TUSK__TYPE_LABEL_SIZE];
    const char *have = value->type ? tusk__types_label(names, value->type, have_label) : "a value without a type";
    bool hinted = err && err->code == TUSK_OK && value->kind == TUSK_KIND_TEXT;

    tusk__types_label(names, want, want_label);
    if (value->type == want || value->kind > TUSK_KIND_OBJECT)
        return refuse_kind(value, value->type ? have : "type 0", err);
    tusk__error_set(err, TUSK_ERR_TYPE, NULL, "the statement wants %s here, not %s", want_label, have);
    if (hinted)
        tusk__error_hint(err,
                         tusk_str_of("tusk_unknown() lets the server read the text by the type's input function."));
    return TUSK_ERR_TYPE;
}

/* The same of a parameter: what names one of the database's own types is said by who can ask for its name. */
static tusk_code refuse_param(const tusk_value *value, uint32_t want, tusk_error *err)
{
    bool is_own = want >= TUSK__FIRST_OWN_OID || value->type >= TUSK__FIRST_OWN_OID;

    return is_own ? TUSK_AGAIN : tusk__refuse_type(value, want, NULL, err);
}

tusk_code tusk__written(const tusk__writer *b, tusk_error *err)
{
    if (b->failed == TUSK_OK)
        return TUSK_OK;
    return tusk__error_set(err, b->failed, NULL, "%s",
                           b->failed == TUSK_ERR_LIMIT ? "the parameter is longer than a message can be"
                                                       : "no memory for the parameter");
}

tusk_code tusk__field_encode(tusk__writer *b, const tusk__codec *codec, const tusk_value *value, tusk_error *err)
{
    size_t at = b->len;

    tusk__write_u32(b, 0);
    TUSK_TRY(codec->encode(b, value, err));
    if (b->failed == TUSK_OK)
        tusk__put32(b->buf + at, (uint32_t)(b->len - at - 4));
    return tusk__written(b, err);
}

tusk_code tusk__plain_element_encode(tusk__writer *b, const tusk_value *value, uint32_t type, tusk_error *err)
{
    const tusk__codec *codec;

    if (value->kind == TUSK_KIND_NULL) {
        tusk__write_field(b, tusk_str_from(NULL, 0), true);
        return tusk__written(b, err);
    }
    codec = codec_for(value, type);
    if (codec)
        return tusk__field_encode(b, codec, value, err);
    if (!is_raw(value) || value->type != type)
        return tusk__refuse_type(value, type, NULL, err);
    tusk__write_field(b, value->as.bytes, false);
    return tusk__written(b, err);
}

/* Room is asked for before the text is looked at: gigabytes are refused unread (D13). */
static tusk_code encode_as_text(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    if (tusk__writer_room(b, 4) && tusk__writer_room(b, value->as.bytes.len))
        TUSK_TRY(tusk__text_check(value->as.bytes, err));
    tusk__write_field(b, value->as.bytes, false);
    return tusk__written(b, err);
}

static tusk_code encode_raw(tusk__writer *b, const tusk_value *value, uint32_t want, tusk_error *err)
{
    if (want == 0)
        return tusk__error_set(err, TUSK_ERR_TYPE, NULL,
                               "tusk_raw() without a type, and the statement has none for it");
    if (value->type != 0 && value->type != want) /* a domain over it takes the same bytes: lib/codec/own.c */
        return refuse_param(value, want, err);
    tusk__write_field(b, value->as.bytes, false);
    return tusk__written(b, err);
}

/* Made for a type that is not built in, or that the statement infers. */
static bool is_made_for_own_type(const tusk_value *value)
{
    return tusk__is_made_kind(value->kind) && !tusk__codec_of(value->type);
}

/* Nothing is lost. */
static tusk_code encode_as_numeric(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    unsigned char digits[TUSK_NUMERIC_INT_SIZE];
    tusk_value numeric = tusk_numeric(tusk_numeric_from_int64(value->as.integer, digits));

    return tusk__field_encode(b, tusk__codec_of(TUSK_OID_NUMERIC), &numeric, err);
}

tusk_code tusk__param_encode(tusk__writer *b, const tusk_value *value, uint32_t type, uint16_t *format, tusk_error *err)
{
    uint32_t want = type ? type : value->type;
    const tusk__codec *codec;

    *format = 1;
    if (value->kind == TUSK_KIND_NULL) {
        tusk__write_field(b, tusk_str_from(NULL, 0), true);
        return tusk__written(b, err);
    }
    if (is_raw(value))
        return encode_raw(b, value, want, err);
    codec = codec_for(value, want);
    if (codec)
        return tusk__field_encode(b, codec, value, err);
    if (want == TUSK_OID_NUMERIC && value->kind == TUSK_KIND_INT && is_integer(value->type) &&
        value->type != TUSK_OID_OID)
        return encode_as_numeric(b, value, err);
    if (value->kind > TUSK_KIND_WIRE || is_for_own_type(value, want) || is_made_for_own_type(value))
        return TUSK_AGAIN;
    if (value->kind != TUSK_KIND_TEXT || (value->type != 0 && value->type != want))
        return refuse_param(value, want, err);
    *format = 0; /* untyped text, or text for a type that Tusk writes no binary for: its input function reads it */
    return encode_as_text(b, value, err);
}

/* The length word, and one byte for jsonb's version where text may become that. */
size_t tusk__param_size(const tusk_value *value)
{
    size_t size;

    switch (value->kind) {
    case TUSK_KIND_HSTORE: /* as text: each byte may be escaped, and the two lengths of a pair are more than its quotes, arrow, comma */
        return tusk__size_mul(value->as.bytes.len, 2, &size) && tusk__size_add(size, 32, &size) ? size : SIZE_MAX;
    case TUSK_KIND_VECTOR: /* as text: -1.1754944e-38, */
        return tusk__size_mul(value->as.bytes.len, 4, &size) && tusk__size_add(size, 32, &size) ? size : SIZE_MAX;
    case TUSK_KIND_TEXT:
    case TUSK_KIND_BYTES:
    case TUSK_KIND_RAW:
    case TUSK_KIND_WIRE:
        return tusk__size_add(value->as.bytes.len, 5, &size) ? size : SIZE_MAX;
    case TUSK_KIND_ARRAY:
    case TUSK_KIND_C_ARRAY:
    case TUSK_KIND_RANGE:
    case TUSK_KIND_MULTIRANGE:
    case TUSK_KIND_RECORD:
        return tusk__made_size(value);
    case TUSK_KIND_TIMETZ:
    case TUSK_KIND_INTERVAL:
    case TUSK_KIND_UUID:
    case TUSK_KIND_POINT:
        return 4 + 16;
    case TUSK_KIND_OBJECT: /* not known before it is written */
        return SIZE_MAX;
    case TUSK_KIND_NULL:
    case TUSK_KIND_BOOL:
    case TUSK_KIND_INT:
    case TUSK_KIND_FLOAT:
    case TUSK_KIND_MACADDR:
    case TUSK_KIND_MACADDR8:
    case TUSK_KIND_TID:
        break;
    }
    return 4 + 8;
}
