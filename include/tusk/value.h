/* Parameters: typed values, small structs passed by value, one per $n.
 * They own nothing: what they point at is borrowed until the call that submits them returns.
 * Read first: docs/types.md. */
#ifndef TUSK_VALUE_H
#define TUSK_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include <tusk/bits.h>
#include <tusk/datetime.h>
#include <tusk/geometry.h>
#include <tusk/hstore.h>
#include <tusk/inet.h>
#include <tusk/macaddr.h>
#include <tusk/numeric.h>
#include <tusk/oid.h>
#include <tusk/str.h>

#ifdef __cplusplus
extern "C" {
#endif

/** tid: where a row lies, as ctid shows it. */
typedef struct tusk_tid_parts {
    uint32_t block;
    uint16_t row; /* within the block; the first is 1 */
} tusk_tid_parts;

/** What a tusk_value holds. */
typedef enum tusk_kind {
    TUSK_KIND_NULL = 0,
    TUSK_KIND_BOOL,
    TUSK_KIND_INT,   /* int2, int4, int8, oid; money, date, time, timestamp, timestamptz as the integers of the wire;
                        xid, cid; xid8 and pg_lsn, bit by bit; regclass and its kin; "char" as 0 to 255 */
    TUSK_KIND_FLOAT, /* float4, float8 */
    TUSK_KIND_TIMETZ,
    TUSK_KIND_INTERVAL,
    TUSK_KIND_MACADDR,
    TUSK_KIND_MACADDR8,
    TUSK_KIND_POINT,
    TUSK_KIND_TID,
    TUSK_KIND_ARRAY, /* made of values, to be sent: tusk/array.h, tusk/range.h, tusk/record.h */
    TUSK_KIND_RANGE,
    TUSK_KIND_MULTIRANGE,
    TUSK_KIND_RECORD,
    TUSK_KIND_TEXT,  /* text and its kin, json: UTF-8 without NUL */
    TUSK_KIND_BYTES, /* bytea */
    TUSK_KIND_UUID,
    TUSK_KIND_RAW,   /* the type's own binary format, sent as it is */
    TUSK_KIND_C_ARRAY, /* an array of C's, to be sent */
    TUSK_KIND_WIRE,  /* numeric, inet, cidr, bit, varbit, the geometric types but point, snapshots, tsvector, tsquery, arrays, ranges: the
                        type's own binary format, checked */
    TUSK_KIND_HSTORE, /* its binary format; sent as text while the database's OID of it is not known */
    TUSK_KIND_VECTOR, /* floats as they lie in memory, for a parameter; the same */
    TUSK_KIND_OBJECT  /* something of the program's, written by a codec when it is submitted: tusk/codec.h, tusk/json.h */
} tusk_kind;

/** One value with its PostgreSQL type. Make it with the functions below. */
typedef struct tusk_value {
    uint32_t type;  /* OID; 0: the server infers it (tusk_unknown) */
    tusk_kind kind;
    union {
        bool boolean;
        int64_t integer;
        double real;
        tusk_timetz_parts timetz;
        tusk_interval_parts interval;
        tusk_macaddr_octets macaddr;
        tusk_macaddr8_octets macaddr8;
        tusk_point_parts point;
        tusk_tid_parts tid;
        const struct tusk_array_parts *array;
        const struct tusk_range_parts *range;
        const struct tusk_multirange_parts *multirange;
        const struct tusk_record_parts *record;
        tusk_str bytes; /* TEXT, BYTES, RAW, C_ARRAY, WIRE, HSTORE, VECTOR */
        uint8_t uuid[16];
        struct {
            const void *ptr;
            const struct tusk_codec *codec; /* NULL: the one that the connection has for the type */
        } object;
    } as;
} tusk_value;

/** The parameters of one statement: $1 is values[0]. Borrowed until the submitting call returns. */
typedef struct tusk_params {
    const tusk_value *values;
    size_t n; /* at most 65535 */
} tusk_params;

static inline tusk_value tusk_null_of(uint32_t type)
{
    tusk_value v;
    memset(&v, 0, sizeof v);
    v.type = type;
    return v;
}

static inline tusk_value tusk__int_of(uint32_t type, int64_t integer)
{
    tusk_value v = tusk_null_of(type);
    v.kind = TUSK_KIND_INT;
    v.as.integer = integer;
    return v;
}

static inline tusk_value tusk__bytes_of(uint32_t type, tusk_kind kind, tusk_str bytes)
{
    tusk_value v = tusk_null_of(type);
    v.kind = kind;
    v.as.bytes = bytes;
    return v;
}

/* NULL is NULL; what is empty has a pointer. */
static inline tusk_value tusk__bytes_or_null(uint32_t type, tusk_kind kind, tusk_str bytes)
{
    return bytes.ptr ? tusk__bytes_of(type, kind, bytes) : tusk_null_of(type);
}

/** NULL, of a type that the server infers from the statement. */
static inline tusk_value tusk_null(void) { return tusk_null_of(0); }

static inline tusk_value tusk_bool(bool boolean)
{
    tusk_value v = tusk_null_of(TUSK_OID_BOOL);
    v.kind = TUSK_KIND_BOOL;
    v.as.boolean = boolean;
    return v;
}

static inline tusk_value tusk_int2(int16_t n) { return tusk__int_of(TUSK_OID_INT2, n); }
static inline tusk_value tusk_int4(int32_t n) { return tusk__int_of(TUSK_OID_INT4, n); }
static inline tusk_value tusk_int8(int64_t n) { return tusk__int_of(TUSK_OID_INT8, n); }
static inline tusk_value tusk_oid(uint32_t n) { return tusk__int_of(TUSK_OID_OID, n); }

static inline tusk_value tusk__float_of(uint32_t type, double real)
{
    tusk_value v = tusk_null_of(type);
    v.kind = TUSK_KIND_FLOAT;
    v.as.real = real;
    return v;
}
static inline tusk_value tusk_float4(float real) { return tusk__float_of(TUSK_OID_FLOAT4, (double)real); }
static inline tusk_value tusk_float8(double real) { return tusk__float_of(TUSK_OID_FLOAT8, real); }

/** Every digit; a view without a number is an SQL NULL. From text, integers and double: tusk/numeric.h. */
static inline tusk_value tusk_numeric(tusk_numeric_view n)
{
    return n.wire ? tusk__bytes_of(TUSK_OID_NUMERIC, TUSK_KIND_WIRE, tusk_str_from(n.wire, 8 + 2 * (size_t)n.n_digits))
                  : tusk_null_of(TUSK_OID_NUMERIC);
}

/** Days since 2000-01-01, negative before; see tusk_date_from_ymd(). */
static inline tusk_value tusk_date(int32_t days) { return tusk__int_of(TUSK_OID_DATE, days); }
/** Microseconds since 2000-01-01 00:00, without a time zone. */
static inline tusk_value tusk_timestamp(int64_t us) { return tusk__int_of(TUSK_OID_TIMESTAMP, us); }
/** Microseconds since 2000-01-01 00:00 UTC; see tusk_timestamptz_from_timespec(). */
static inline tusk_value tusk_timestamptz(int64_t us) { return tusk__int_of(TUSK_OID_TIMESTAMPTZ, us); }

/** Microseconds since midnight, 0 to 86400000000 (24:00:00, which is not 00:00:00). */
static inline tusk_value tusk_time(int64_t us) { return tusk__int_of(TUSK_OID_TIME, us); }
static inline tusk_value tusk_timetz(tusk_timetz_parts timetz)
{
    tusk_value v = tusk_null_of(TUSK_OID_TIMETZ);
    v.kind = TUSK_KIND_TIMETZ;
    v.as.timetz = timetz;
    return v;
}
/** Months, days and microseconds, as they are: none becomes another. */
static inline tusk_value tusk_interval(tusk_interval_parts interval)
{
    tusk_value v = tusk_null_of(TUSK_OID_INTERVAL);
    v.kind = TUSK_KIND_INTERVAL;
    v.as.interval = interval;
    return v;
}

/** The smallest units of the server's currency: cents, where lc_monetary has two decimals. */
static inline tusk_value tusk_money(int64_t units) { return tusk__int_of(TUSK_OID_MONEY, units); }

static inline tusk_value tusk_xid(uint32_t n) { return tusk__int_of(TUSK_OID_XID, n); }
static inline tusk_value tusk_cid(uint32_t n) { return tusk__int_of(TUSK_OID_CID, n); }
static inline tusk_value tusk_xid8(uint64_t n) { return tusk__int_of(TUSK_OID_XID8, (int64_t)n); }
/** An object's OID as one of the types that PostgreSQL shows by name: tusk_reg(TUSK_OID_REGCLASS, oid). tusk_oid() goes to all of them, too; a
 * name goes as text: tusk_text_of(TUSK_OID_REGCLASS, "pg_class"). */
static inline tusk_value tusk_reg(uint32_t type, uint32_t oid) { return tusk__int_of(type, oid); }
static inline tusk_value tusk_tid(tusk_tid_parts tid)
{
    tusk_value v = tusk_null_of(TUSK_OID_TID);
    v.kind = TUSK_KIND_TID;
    v.as.tid = tid;
    return v;
}
/** PostgreSQL's own type of one byte, which SQL calls "char" in quotes; char(n) is tusk_bpchar(). */
static inline tusk_value tusk_char(char c) { return tusk__int_of(TUSK_OID_CHAR, (unsigned char)c); }
/** A position in the write-ahead log: 0x16B374D848 is 16/B374D848. */
static inline tusk_value tusk_pg_lsn(uint64_t n) { return tusk__int_of(TUSK_OID_PG_LSN, (int64_t)n); }

/** Text. NULL, or a view whose `ptr` is NULL (as tusk_get_text() gives for one), is an SQL NULL of the type; empty text has a `ptr`. Invalid
 * UTF-8 or a NUL byte inside is TUSK_ERR_VALUE when submitted. */
static inline tusk_value tusk_text_str(tusk_str s) { return tusk__bytes_or_null(TUSK_OID_TEXT, TUSK_KIND_TEXT, s); }
/** The same as any type whose input is text: TUSK_OID_JSONB, TUSK_OID_VARCHAR …, 0 for untyped text (see tusk_unknown()). */
static inline tusk_value tusk_text_str_of(uint32_t type, tusk_str s) { return tusk__bytes_or_null(type, TUSK_KIND_TEXT, s); }
static inline tusk_value tusk_text_of(uint32_t type, const char *s)
{
    return s ? tusk__bytes_of(type, TUSK_KIND_TEXT, tusk_str_of(s)) : tusk_null_of(type);
}
static inline tusk_value tusk_text(const char *s) { return tusk_text_of(TUSK_OID_TEXT, s); }
static inline tusk_value tusk_varchar(const char *s) { return tusk_text_of(TUSK_OID_VARCHAR, s); }
static inline tusk_value tusk_bpchar(const char *s) { return tusk_text_of(TUSK_OID_BPCHAR, s); }
static inline tusk_value tusk_name(const char *s) { return tusk_text_of(TUSK_OID_NAME, s); }

/** XML as text, as content or as a document by the server's xmloption. */
static inline tusk_value tusk_xml_text(const char *s) { return tusk_text_of(TUSK_OID_XML, s); }
/** The name of a cursor. */
static inline tusk_value tusk_refcursor(const char *s) { return tusk_text_of(TUSK_OID_REFCURSOR, s); }

static inline tusk_value tusk_jsonpath_text(const char *s) { return tusk_text_of(TUSK_OID_JSONPATH, s); }
/** JSON as text; the server parses it. */
static inline tusk_value tusk_json_text(const char *s) { return tusk_text_of(TUSK_OID_JSON, s); }
static inline tusk_value tusk_jsonb_text(const char *s) { return tusk_text_of(TUSK_OID_JSONB, s); }

/** Untyped text, as a literal in psql: the server infers the type and reads the text by its input function. */
static inline tusk_value tusk_unknown(const char *s) { return tusk_text_of(0, s); }

/** Bytes. A `ptr` of NULL is an SQL NULL, whatever `len`; no bytes are tusk_bytea("", 0). */
static inline tusk_value tusk_bytea(const void *ptr, size_t len)
{
    return tusk__bytes_or_null(TUSK_OID_BYTEA, TUSK_KIND_BYTES, tusk_str_from(ptr, len));
}

/** 16 bytes, in the order in which the text form shows them; copied into the value. NULL is an SQL NULL. */
static inline tusk_value tusk_uuid(const uint8_t uuid[16])
{
    tusk_value v = tusk_null_of(TUSK_OID_UUID);
    if (!uuid)
        return v;
    v.kind = TUSK_KIND_UUID;
    memcpy(v.as.uuid, uuid, 16);
    return v;
}

static inline tusk_value tusk_macaddr(tusk_macaddr_octets macaddr)
{
    tusk_value v = tusk_null_of(TUSK_OID_MACADDR);
    v.kind = TUSK_KIND_MACADDR;
    v.as.macaddr = macaddr;
    return v;
}
static inline tusk_value tusk_macaddr8(tusk_macaddr8_octets macaddr8)
{
    tusk_value v = tusk_null_of(TUSK_OID_MACADDR8);
    v.kind = TUSK_KIND_MACADDR8;
    v.as.macaddr8 = macaddr8;
    return v;
}

static inline tusk_value tusk_point(tusk_point_parts point)
{
    tusk_value v = tusk_null_of(TUSK_OID_POINT);
    v.kind = TUSK_KIND_POINT;
    v.as.point = point;
    return v;
}
/** The others are longer than a value: it points into `buf`. */
tusk_value tusk_line(tusk_line_parts line, unsigned char buf[TUSK_LINE_SIZE]);
tusk_value tusk_lseg(tusk_lseg_parts lseg, unsigned char buf[TUSK_LSEG_SIZE]);
tusk_value tusk_box(tusk_box_parts box, unsigned char buf[TUSK_BOX_SIZE]);
tusk_value tusk_circle(tusk_circle_parts circle, unsigned char buf[TUSK_CIRCLE_SIZE]);
/** Views without points (`wire` is NULL) are SQL NULLs. From points: tusk/geometry.h. */
static inline tusk_value tusk_path(tusk_path_view path)
{
    return path.wire ? tusk__bytes_of(TUSK_OID_PATH, TUSK_KIND_WIRE, tusk_str_from(path.wire, TUSK_PATH_SIZE(path.n_points)))
                     : tusk_null_of(TUSK_OID_PATH);
}
static inline tusk_value tusk_polygon(tusk_polygon_view polygon)
{
    return polygon.wire
               ? tusk__bytes_of(TUSK_OID_POLYGON, TUSK_KIND_WIRE, tusk_str_from(polygon.wire, TUSK_POLYGON_SIZE(polygon.n_points)))
               : tusk_null_of(TUSK_OID_POLYGON);
}

/** An address that lies where `inet` points; NULL, or one without a family, is an SQL NULL. */
static inline tusk_value tusk__inet_as(uint32_t type, const tusk_inet_parts *inet)
{
    return inet && inet->family ? tusk__bytes_of(type, TUSK_KIND_WIRE, tusk_str_from(inet, inet->len < 16 ? 4u + inet->len : 20u))
                                : tusk_null_of(type);
}
static inline tusk_value tusk_inet(const tusk_inet_parts *inet) { return tusk__inet_as(TUSK_OID_INET, inet); }
/** The same as a network: a bit to the right of its bits is TUSK_ERR_VALUE when submitted. */
static inline tusk_value tusk_cidr(const tusk_inet_parts *inet) { return tusk__inet_as(TUSK_OID_CIDR, inet); }

/** A view without bits (`wire` is NULL) is an SQL NULL. From text and bytes: tusk/bits.h. */
static inline tusk_value tusk__bits_as(uint32_t type, tusk_bits_view bits)
{
    return bits.wire ? tusk__bytes_of(type, TUSK_KIND_WIRE, tusk_str_from(bits.wire, TUSK_BITS_SIZE(bits.n_bits))) : tusk_null_of(type);
}
static inline tusk_value tusk_bit(tusk_bits_view bits) { return tusk__bits_as(TUSK_OID_BIT, bits); }
static inline tusk_value tusk_varbit(tusk_bits_view bits) { return tusk__bits_as(TUSK_OID_VARBIT, bits); }

/** Of the extension hstore; a view without bytes is an SQL NULL. Its type is the one that the statement infers: in
 * "$1 -> 'a'" say $1::hstore. */
static inline tusk_value tusk_hstore(tusk_hstore_view h)
{
    return h.wire ? tusk__bytes_of(0, TUSK_KIND_HSTORE, tusk_str_from(h.wire, h.len)) : tusk_null_of(0);
}

/** So many floats, 1 to TUSK_VECTOR_MAX, for pgvector's vector, halfvec; NULL is an SQL NULL. The statement infers the type: where it
 * cannot, say $1::vector. */
static inline tusk_value tusk_vector(const float *elements, size_t n)
{
    return elements ? tusk__bytes_of(0, TUSK_KIND_VECTOR, tusk_str_from(elements, n * sizeof *elements)) : tusk_null_of(0);
}

/** Bytes that already are in the binary format of `type`; sent unchecked. A `ptr` of NULL is an SQL NULL. */
static inline tusk_value tusk_raw(uint32_t type, const void *ptr, size_t len)
{
    return tusk__bytes_or_null(type, TUSK_KIND_RAW, tusk_str_from(ptr, len));
}

/** A buffer of so many bytes takes any value whose text has `len` characters. Most take far less: tusk_value_from_text_size(). */
#define TUSK_FROM_TEXT_SIZE(len) (64 + 19 * (size_t)(len))

/**
 * The value of a text as PostgreSQL prints it, of any type that this header has a function for, and of arrays, ranges and multiranges of these.
 * Types of the database's own have no text that is read here, but where their row is at hand: tusk_read_value_into().
 *
 * A container becomes its binary format, of TUSK_KIND_WIRE: tusk_value_to_array(), _range() and _multirange() make a view of it. Its braces,
 * brackets, quotes, backslashes and bounds may be written in any way that the server takes; a range is not made canonical, nor are the ranges of a
 * multirange put in order.
 *
 * buf       gets what does not lie in the value itself (numeric, bytea, inet, bit, containers …); *out points into it. Text and its kin point
 *           into `text`. What it holds beyond that, and on failure, is undefined
 * size      of it: tusk_value_from_text_size(), or TUSK_FROM_TEXT_SIZE(text.len), is always enough
 * Errors    TUSK_ERR_VALUE (22P02 …) not such a text: what, and at which offset · TUSK_ERR_LIMIT buf is too small · TUSK_ERR_TYPE another type, or
 *           one that is not read from text, or holds one: tsvector, tsquery, names of regclass and its kin
 * Source    PostgreSQL docs, "Array Input and Output Syntax", "Range Input/Output"
 */
tusk_code tusk_value_from_text(uint32_t type, tusk_str text, void *buf, size_t size, tusk_value *out, tusk_error *err);

/** So large a buffer is enough for tusk_value_from_text() of that text, whatever is in it: of an array 60 bytes, 4 and its width for each comma
 * and one more, and, of elements whose width is not fixed or which are in quotes, the text's length or a few times that. Never more than
 * TUSK_FROM_TEXT_SIZE(text.len), which is the answer for other types. */
size_t tusk_value_from_text_size(uint32_t type, tusk_str text);

typedef struct tusk_conn tusk_conn;

/**
 * Bytes of the wire as a value: what tusk_read_value() makes of a column in binary. For bytes from elsewhere, as a COPY in binary, a
 * replication stream, a store of the program's own.
 *
 * conn      by which types of the database's own are known (tusk_type_of()); NULL: values of such are TUSK_KIND_RAW
 * wire      the type's binary format, checked down to the last element; *out borrows it. A `ptr` of NULL is an SQL NULL
 * out       untouched on failure. A type without a codec: TUSK_KIND_RAW. Of a domain it is a value of its base
 * Errors    TUSK_ERR_VALUE no such bytes
 */
tusk_code tusk_value_from_wire(const tusk_conn *conn, uint32_t type, tusk_str wire, tusk_value *out, tusk_error *err);

/**
 * Any value as PostgreSQL prints it, as tusk_format_value() has it of a column: what a row, an array, a record or a range held, and what was made for a
 * parameter. Text is printed as it is.
 *
 * conn      as above. What is made (an array of values or of C's, a range, a multirange, a record) needs one, for a while its memory, too; of the
 *           database's own types and without a type it is printed as the text that is sent for it
 * len       the whole length, as snprintf: buf is NUL-terminated, cut if too small; may be NULL
 * Errors    TUSK_ERR_NULL · TUSK_ERR_VALUE not a value of its type: beyond the range, malformed bytes · TUSK_ERR_TYPE of a kind that its type does
 *           not have, of a type without codec, an object of the program's; made, and conn is NULL · TUSK_ERR_LIMIT more than 64 containers in each
 *           other · TUSK_ERR_NOMEM
 */
tusk_code tusk_value_to_text(const tusk_conn *conn, const tusk_value *value, char *buf, size_t size, size_t *len, tusk_error *err);

/** The parameters of a call: TUSK_PARAMS(tusk_int4(18), tusk_text("active")). Lives as long as the enclosing block.
 * C++ has no compound literals: make an array of tusk_value and use tusk_params_of(). */
#ifndef __cplusplus
#define TUSK_PARAMS(...)                                                                         \
    ((tusk_params){(const tusk_value[]){__VA_ARGS__},                                            \
                   sizeof((const tusk_value[]){__VA_ARGS__}) / sizeof(tusk_value)})
#endif

static inline tusk_params tusk_params_of(const tusk_value *values, size_t n)
{
    tusk_params params = {values, n};
    return params;
}

/** No parameters. */
#define TUSK_NO_PARAMS tusk_params_of(NULL, 0)

#ifdef __cplusplus
}
#endif

#endif
