/* Rows: views into what the kernel delivered, and the functions that take values out of them.
 * Nothing is converted before it is asked for, and nothing is ever decoded by an assumption about its type.
 * Read first: docs/types.md. */
#ifndef TUSK_ROW_H
#define TUSK_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include <tusk/bits.h>
#include <tusk/datetime.h>
#include <tusk/error.h>
#include <tusk/geometry.h>
#include <tusk/inet.h>
#include <tusk/macaddr.h>
#include <tusk/numeric.h>
#include <tusk/oid.h>
#include <tusk/snapshot.h>
#include <tusk/str.h>
#include <tusk/tsvector.h>
#include <tusk/value.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tusk_query tusk_query;

/** How one column of a result looks. Borrowed from its query or statement. */
typedef struct tusk_column {
    tusk_str name;
    uint32_t type;      /* OID of the type; a domain shows its base type, as the server says */
    int32_t typmod;     /* -1 if none */
    int16_t type_len;   /* pg_type.typlen: bytes of a fixed width, -1 varlena, -2 cstring */
    uint32_t table_oid; /* 0 if the column is not a table's */
    uint16_t attnum;    /* 0 if the column is not a table's */
    uint16_t format;    /* 1 binary, 0 text: how the values of this result came */
} tusk_column;

#define TUSK__ROW_MARKS 16

/**
 * One row. A plain value, but it borrows its bytes:
 *   in a row callback   until the callback returns
 *   of a kept result    until tusk_query_free()
 *   of a streamed one   until the next tusk_next_row() on the same query
 */
typedef struct tusk_row {
    tusk_query *query;
    /* private */
    const tusk_column *columns;
    const unsigned char *body;
    uint32_t n_cols;
    uint32_t stride;
    uint32_t marks[TUSK__ROW_MARKS];
} tusk_row;

/* ---- short form: 0, false or an empty view on NULL, wrong type, out of range, no such column; the first such error other than
 * NULL is kept: tusk_query_value_error() -------------------------------------------------------------------------------- */

bool tusk_is_null(const tusk_row *row, int col); /* true also if there is no such column */
bool tusk_get_bool(const tusk_row *row, int col);
int16_t tusk_get_int2(const tusk_row *row, int col);
int32_t tusk_get_int4(const tusk_row *row, int col);
int64_t tusk_get_int8(const tusk_row *row, int col);
/** Also of regclass, regproc, regtype and their kin, in binary: in text format they are names. */
uint32_t tusk_get_oid(const tusk_row *row, int col);
float tusk_get_float4(const tusk_row *row, int col);
double tusk_get_float8(const tusk_row *row, int col);
/** A view of the row's bytes; of NULL and on error one whose `wire` is NULL. See tusk/numeric.h. */
tusk_numeric_view tusk_get_numeric(const tusk_row *row, int col);
int32_t tusk_get_date(const tusk_row *row, int col);
int64_t tusk_get_timestamp(const tusk_row *row, int col);
int64_t tusk_get_timestamptz(const tusk_row *row, int col);
int64_t tusk_get_time(const tusk_row *row, int col);
tusk_timetz_parts tusk_get_timetz(const tusk_row *row, int col);
tusk_interval_parts tusk_get_interval(const tusk_row *row, int col);
/** The smallest units of the currency (docs/types.md, "money"). */
int64_t tusk_get_money(const tusk_row *row, int col);
uint32_t tusk_get_xid(const tusk_row *row, int col);
uint32_t tusk_get_cid(const tusk_row *row, int col);
uint64_t tusk_get_xid8(const tusk_row *row, int col);
uint64_t tusk_get_pg_lsn(const tusk_row *row, int col);
tusk_tid_parts tusk_get_tid(const tusk_row *row, int col);
/** "char", the type of one byte. */
char tusk_get_char(const tusk_row *row, int col);
tusk_macaddr_octets tusk_get_macaddr(const tusk_row *row, int col);
tusk_macaddr8_octets tusk_get_macaddr8(const tusk_row *row, int col);
/** Of NULL and on error one whose `family` is 0. See tusk/inet.h. */
tusk_inet_parts tusk_get_inet(const tusk_row *row, int col);
tusk_inet_parts tusk_get_cidr(const tusk_row *row, int col);
/** Views of the row's bytes; of NULL and on error one whose `wire` is NULL. See tusk/bits.h. */
tusk_bits_view tusk_get_bit(const tusk_row *row, int col);
tusk_bits_view tusk_get_varbit(const tusk_row *row, int col);
tusk_point_parts tusk_get_point(const tusk_row *row, int col);
tusk_line_parts tusk_get_line(const tusk_row *row, int col);
tusk_lseg_parts tusk_get_lseg(const tusk_row *row, int col);
tusk_box_parts tusk_get_box(const tusk_row *row, int col);
tusk_circle_parts tusk_get_circle(const tusk_row *row, int col);
/** Views of the row's bytes; of NULL and on error one whose `wire` is NULL. See tusk/geometry.h. */
tusk_path_view tusk_get_path(const tusk_row *row, int col);
tusk_polygon_view tusk_get_polygon(const tusk_row *row, int col);
/** Of pg_snapshot and txid_snapshot; of NULL and on error one whose `wire` is NULL. See tusk/snapshot.h. */
tusk_snapshot_view tusk_get_pg_snapshot(const tusk_row *row, int col);
tusk_snapshot_view tusk_get_txid_snapshot(const tusk_row *row, int col);
/** Of NULL and on error one whose `at` is NULL. See tusk/tsvector.h. */
tusk_tsvector_view tusk_get_tsvector(const tusk_row *row, int col);
/** text, varchar, bpchar, name, json, jsonb, jsonpath, xml, refcursor, unknown, cstring, pg_node_tree, void (empty), enums, citext, ltree and
 * its kin, and any column that came in text format. */
tusk_str tusk_get_text(const tusk_row *row, int col);
tusk_str tusk_get_bytea(const tusk_row *row, int col);
/** 16 bytes, or an empty view. */
tusk_str tusk_get_uuid(const tusk_row *row, int col);
/** Of the extension hstore. A view of the row's bytes; of NULL and on error one whose `wire` is NULL. See tusk/hstore.h; vectors: tusk/vector.h. */
tusk_hstore_view tusk_get_hstore(const tusk_row *row, int col);
/** The bytes of the wire, in the column's format, of any type. */
tusk_str tusk_get_raw(const tusk_row *row, int col);

/* ---- long form: tells NULL (TUSK_ERR_NULL), wrong type (TUSK_ERR_TYPE), out of range (TUSK_ERR_VALUE) and no such column
 * (TUSK_ERR_USAGE) apart. *out is untouched on failure; err may be NULL. int8 also reads int2 and int4, float8 reads float4;
 * a narrower read than the column succeeds if the value fits. A column in text format is parsed, but for views (bytea, numeric, bit,
 * varbit, path, polygon, snapshots, tsvector, and tusk_get_uuid), which are refused: docs/types.md, tusk_value_from_text(). --------------------------- */

tusk_code tusk_read_bool(const tusk_row *row, int col, bool *out, tusk_error *err);
tusk_code tusk_read_int2(const tusk_row *row, int col, int16_t *out, tusk_error *err);
tusk_code tusk_read_int4(const tusk_row *row, int col, int32_t *out, tusk_error *err);
tusk_code tusk_read_int8(const tusk_row *row, int col, int64_t *out, tusk_error *err);
tusk_code tusk_read_oid(const tusk_row *row, int col, uint32_t *out, tusk_error *err);
tusk_code tusk_read_float4(const tusk_row *row, int col, float *out, tusk_error *err);
tusk_code tusk_read_float8(const tusk_row *row, int col, double *out, tusk_error *err);
tusk_code tusk_read_numeric(const tusk_row *row, int col, tusk_numeric_view *out, tusk_error *err);
tusk_code tusk_read_date(const tusk_row *row, int col, int32_t *out, tusk_error *err);
tusk_code tusk_read_timestamp(const tusk_row *row, int col, int64_t *out, tusk_error *err);
tusk_code tusk_read_timestamptz(const tusk_row *row, int col, int64_t *out, tusk_error *err);
tusk_code tusk_read_time(const tusk_row *row, int col, int64_t *out, tusk_error *err);
tusk_code tusk_read_timetz(const tusk_row *row, int col, tusk_timetz_parts *out, tusk_error *err);
tusk_code tusk_read_interval(const tusk_row *row, int col, tusk_interval_parts *out, tusk_error *err);
tusk_code tusk_read_money(const tusk_row *row, int col, int64_t *out, tusk_error *err);
tusk_code tusk_read_xid(const tusk_row *row, int col, uint32_t *out, tusk_error *err);
tusk_code tusk_read_cid(const tusk_row *row, int col, uint32_t *out, tusk_error *err);
tusk_code tusk_read_xid8(const tusk_row *row, int col, uint64_t *out, tusk_error *err);
tusk_code tusk_read_pg_lsn(const tusk_row *row, int col, uint64_t *out, tusk_error *err);
tusk_code tusk_read_tid(const tusk_row *row, int col, tusk_tid_parts *out, tusk_error *err);
tusk_code tusk_read_char(const tusk_row *row, int col, char *out, tusk_error *err);
tusk_code tusk_read_macaddr(const tusk_row *row, int col, tusk_macaddr_octets *out, tusk_error *err);
tusk_code tusk_read_macaddr8(const tusk_row *row, int col, tusk_macaddr8_octets *out, tusk_error *err);
tusk_code tusk_read_inet(const tusk_row *row, int col, tusk_inet_parts *out, tusk_error *err);
tusk_code tusk_read_cidr(const tusk_row *row, int col, tusk_inet_parts *out, tusk_error *err);
tusk_code tusk_read_bit(const tusk_row *row, int col, tusk_bits_view *out, tusk_error *err);
tusk_code tusk_read_varbit(const tusk_row *row, int col, tusk_bits_view *out, tusk_error *err);
tusk_code tusk_read_point(const tusk_row *row, int col, tusk_point_parts *out, tusk_error *err);
tusk_code tusk_read_line(const tusk_row *row, int col, tusk_line_parts *out, tusk_error *err);
tusk_code tusk_read_lseg(const tusk_row *row, int col, tusk_lseg_parts *out, tusk_error *err);
tusk_code tusk_read_box(const tusk_row *row, int col, tusk_box_parts *out, tusk_error *err);
tusk_code tusk_read_circle(const tusk_row *row, int col, tusk_circle_parts *out, tusk_error *err);
tusk_code tusk_read_path(const tusk_row *row, int col, tusk_path_view *out, tusk_error *err);
tusk_code tusk_read_polygon(const tusk_row *row, int col, tusk_polygon_view *out, tusk_error *err);
tusk_code tusk_read_pg_snapshot(const tusk_row *row, int col, tusk_snapshot_view *out, tusk_error *err);
tusk_code tusk_read_txid_snapshot(const tusk_row *row, int col, tusk_snapshot_view *out, tusk_error *err);
tusk_code tusk_read_tsvector(const tusk_row *row, int col, tusk_tsvector_view *out, tusk_error *err);
tusk_code tusk_read_text(const tusk_row *row, int col, tusk_str *out, tusk_error *err);
tusk_code tusk_read_bytea(const tusk_row *row, int col, tusk_str *out, tusk_error *err);
tusk_code tusk_read_uuid(const tusk_row *row, int col, uint8_t out[16], tusk_error *err);
tusk_code tusk_read_hstore(const tusk_row *row, int col, tusk_hstore_view *out, tusk_error *err);
tusk_code tusk_read_raw(const tusk_row *row, int col, tusk_str *out, tusk_error *err);

/**
 * A column of any type as a value, which can be a parameter again. It borrows the row's bytes where it has any. In binary, a type that
 * this header has no getter for is TUSK_KIND_RAW; in text, TUSK_KIND_TEXT of its type. NULL is TUSK_KIND_NULL of its type, and no error.
 */
tusk_code tusk_read_value(const tusk_row *row, int col, tusk_value *out, tusk_error *err);
/**
 * The same of a column in either format: what came in text and needs room is read into `buf`, as by tusk_value_from_text(), and arrays, ranges,
 * multiranges and records are of TUSK_KIND_WIRE, whichever way they came. Containers of the database's own types, and composites, are
 * read once these are known (a result in text does not look them up, tusk/type.h); of a row without a name, in text, the fields are text
 * (TUSK_OID_UNKNOWN). The views are made by tusk_value_to_array() and its kin; give them the row's `query`, as there.
 *
 * buf       untouched of what came in binary; TUSK_FROM_TEXT_SIZE(tusk_get_raw(row, col).len) bytes are always enough
 * out       a text of a type that is not known, or is not read, stays TUSK_KIND_TEXT; untouched on failure
 * Errors    as tusk_read_value() · TUSK_ERR_LIMIT buf is too small · TUSK_ERR_TYPE a container in text that holds a type which is not known, or not
 *           read from text · TUSK_ERR_STATE a composite that has changed since it was looked up: tusk_types_forget()
 */
tusk_code tusk_read_value_into(const tusk_row *row, int col, void *buf, size_t size, tusk_value *out, tusk_error *err);

/**
 * The number, address or bits that a value holds which came out of a row, or out of something that lies in one (tusk/array.h, tusk/range.h).
 * What they point at is borrowed from where the value came from.
 *
 * Errors    TUSK_ERR_NULL · TUSK_ERR_TYPE another type, or not what the server sent
 */
tusk_code tusk_value_to_numeric(const tusk_value *value, tusk_numeric_view *out, tusk_error *err);
tusk_code tusk_value_to_inet(const tusk_value *value, tusk_inet_parts *out, tusk_error *err); /* cidr, too */
tusk_code tusk_value_to_bits(const tusk_value *value, tusk_bits_view *out, tusk_error *err);

/** The value as PostgreSQL prints it with DateStyle ISO, IntervalStyle postgres, TimeZone UTC and lc_monetary C, whatever its format, into buf
 * (NUL-terminated, cut if too small). For the types of this header; others TUSK_ERR_TYPE (ask for text results instead: tusk_request.text_results).
 * *len gets the whole length, as snprintf; len may be NULL. */
tusk_code tusk_format_value(const tusk_row *row, int col, char *buf, size_t size, size_t *len, tusk_error *err);

/**
 * The bytes of a bytea in text format (\x0102, or the escape format), as scripts and text_results deliver it, into buf.
 * Errors    TUSK_ERR_VALUE not such a text · TUSK_ERR_LIMIT buf is too small: *len is what it takes
 */
tusk_code tusk_bytea_from_text(tusk_str text, void *buf, size_t size, size_t *len, tusk_error *err);

#ifdef __cplusplus
}
#endif

#endif
