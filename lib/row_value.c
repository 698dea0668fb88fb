/* Getters of the types that have no short way: whatever format the column has, the codec's value is taken apart.
 * Finding fields and saying what is wrong with them is row.c's.
 * Read first: tusk/row.h, lib/row.h. */
#include "lib/codec/from_text.h"
#include "lib/row.h"

/* The second reading is for the error: NULL is none, and only a real one is worth its making. */
static void decode_or_keep(const tusk_row *row, int col, uint32_t type, tusk__room room, tusk_value *out)
{
    tusk_code code = tusk__row_decode_into(row, col, type, room, out, NULL);

    if (code == TUSK_OK)
        return;
    memset(out, 0, sizeof *out);
    if (code != TUSK_ERR_NULL) {
        tusk_error err = {0};
        tusk_value again;

        (void)tusk__row_decode_into(row, col, type, room, &again, &err);
        tusk__row_keep_error(row, &err);
    }
}

/* Room for the longest binary format of a type that a getter hands out by value: that of a box. */
#define ROOM_SIZE 32
#define NO_ROOM ((tusk__room){NULL, 0})

/* Both forms of a getter; from_value makes its result of `value`. */
#define GETTERS_INTO(place, name, oid, c_type, from_value)                                                             \
    tusk_code tusk_read_##name(const tusk_row *row, int col, c_type *out, /* NOLINT(bugprone-macro-parentheses) */     \
                               tusk_error *err)                                                                        \
    {                                                                                                                  \
        unsigned char room[ROOM_SIZE];                                                                                 \
        tusk_value value;                                                                                              \
                                                                                                                       \
        (void)room;                                                                                                    \
        TUSK_TRY(tusk__row_decode_into(row, col, oid, place, &value, err));                                            \
        *out = from_value;                                                                                             \
        return TUSK_OK;                                                                                                \
    }                                                                                                                  \
    c_type tusk_get_##name(const tusk_row *row, int col)                                                               \
    {                                                                                                                  \
        unsigned char room[ROOM_SIZE];                                                                                 \
        tusk_value value;                                                                                              \
                                                                                                                       \
        (void)room;                                                                                                    \
        decode_or_keep(row, col, oid, place, &value);                                                                  \
        return from_value;                                                                                             \
    }

/* Of a type that is handed out by value, from either format; and of a view, which is there only in binary. */
#define GETTERS(name, oid, c_type, from_value)                                                                         \
    GETTERS_INTO(((tusk__room){room, sizeof room}), name, oid, c_type, from_value)
#define VIEW_GETTERS(name, oid, c_type, from_value) GETTERS_INTO(NO_ROOM, name, oid, c_type, from_value)

GETTERS(time, TUSK_OID_TIME, int64_t, value.as.integer)
GETTERS(timetz, TUSK_OID_TIMETZ, tusk_timetz_parts, value.as.timetz)
GETTERS(interval, TUSK_OID_INTERVAL, tusk_interval_parts, value.as.interval)
GETTERS(money, TUSK_OID_MONEY, int64_t, value.as.integer)
GETTERS(xid, TUSK_OID_XID, uint32_t, (uint32_t)value.as.integer)
GETTERS(cid, TUSK_OID_CID, uint32_t, (uint32_t)value.as.integer)
GETTERS(xid8, TUSK_OID_XID8, uint64_t, (uint64_t)value.as.integer)
GETTERS(pg_lsn, TUSK_OID_PG_LSN, uint64_t, (uint64_t)value.as.integer)
GETTERS(tid, TUSK_OID_TID, tusk_tid_parts, value.as.tid)
GETTERS(char, TUSK_OID_CHAR, char, (char)value.as.integer)
GETTERS(macaddr, TUSK_OID_MACADDR, tusk_macaddr_octets, value.as.macaddr)
GETTERS(macaddr8, TUSK_OID_MACADDR8, tusk_macaddr8_octets, value.as.macaddr8)
GETTERS(inet, TUSK_OID_INET, tusk_inet_parts, tusk__inet_of(value.as.bytes))
GETTERS(cidr, TUSK_OID_CIDR, tusk_inet_parts, tusk__inet_of(value.as.bytes))

GETTERS(point, TUSK_OID_POINT, tusk_point_parts, value.as.point)
GETTERS(line, TUSK_OID_LINE, tusk_line_parts, tusk__line_of(value.as.bytes))
GETTERS(lseg, TUSK_OID_LSEG, tusk_lseg_parts, tusk__lseg_of(value.as.bytes))
GETTERS(box, TUSK_OID_BOX, tusk_box_parts, tusk__box_of(value.as.bytes))
GETTERS(circle, TUSK_OID_CIRCLE, tusk_circle_parts, tusk__circle_of(value.as.bytes))
VIEW_GETTERS(path, TUSK_OID_PATH, tusk_path_view, tusk__path_of(value.as.bytes))
VIEW_GETTERS(polygon, TUSK_OID_POLYGON, tusk_polygon_view, tusk__polygon_of(value.as.bytes))

VIEW_GETTERS(pg_snapshot, TUSK_OID_PG_SNAPSHOT, tusk_snapshot_view, tusk__snapshot_of(value.as.bytes))
VIEW_GETTERS(txid_snapshot, TUSK_OID_TXID_SNAPSHOT, tusk_snapshot_view, tusk__snapshot_of(value.as.bytes))
VIEW_GETTERS(tsvector, TUSK_OID_TSVECTOR, tusk_tsvector_view, tusk__tsvector_of(value.as.bytes))

/* Of a checked binary format; of nothing, a view of nothing. */
static tusk_bits_view bits_of(tusk_str wire)
{
    tusk_bits_view bits = {(const unsigned char *)wire.ptr, wire.ptr ? tusk__be32((const uint8_t *)wire.ptr) : 0};

    return bits;
}

VIEW_GETTERS(bit, TUSK_OID_BIT, tusk_bits_view, bits_of(value.as.bytes))
VIEW_GETTERS(varbit, TUSK_OID_VARBIT, tusk_bits_view, bits_of(value.as.bytes))

/* The text of a type whose codec does not read it without room stays text. */
tusk_code tusk_read_value(const tusk_row *row, int col, tusk_value *out, tusk_error *err)
{
    tusk_value value;
    tusk_code code = tusk__row_decode(row, col, TUSK__ANY_TYPE, &value, err);
    tusk_str bytes;
    bool is_null;

    if (code == TUSK_ERR_NULL || code == TUSK_ERR_TYPE) {
        tusk__error_begin(err);
        (void)tusk__row_field(row, col, &bytes, &is_null);
        value = is_null ? tusk_null_of(row->columns[col].type)
                        : tusk__bytes_of(row->columns[col].type, TUSK_KIND_TEXT, bytes);
        code = TUSK_OK;
    }
    if (code == TUSK_OK)
        *out = value;
    return code;
}

/* Text that is none of a container's, and not read, is text. */
static bool stays_text(const tusk__resolved *type)
{
    return !type->codec || !tusk__container_of(type->codec);
}

static tusk_code read_text_into(const tusk_row *row, int col, tusk_str text, tusk__room room, tusk_value *out,
                                tusk_error *err)
{
    tusk__types types = tusk__query_types(row->query);
    uint32_t oid = row->columns[col].type;
    tusk__resolved type = tusk__resolve_type(&types, oid);
    tusk_code code = tusk__read_from_text(&types, oid, text, room, out, NULL);
    tusk_error cause;

    if (code == TUSK_ERR_TYPE && stays_text(&type)) {
        *out = tusk__bytes_of(oid, TUSK_KIND_TEXT, text);
        return TUSK_OK;
    }
    if (code == TUSK_OK || !err)
        return code;
    tusk__error_none(&cause);
    (void)tusk__read_from_text(&types, oid, text, room, out, &cause);
    return tusk__row_blame(row, col, "value", &cause, err);
}

tusk_code tusk_read_value_into(const tusk_row *row, int col, void *buf, size_t size, tusk_value *out, tusk_error *err)
{
    bool is_null;
    tusk_str text;

    tusk__error_begin(err);
    if (!tusk__row_field(row, col, &text, &is_null) || is_null || row->columns[col].format != 0)
        return tusk_read_value(row, col, out, err);
    return read_text_into(row, col, text, (tusk__room){buf, size}, out, err);
}
