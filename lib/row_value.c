/* Getters of the types that have no short way: whatever format the column has, the codec's value is taken apart.
 * Finding fields and saying what is wrong with them is row.c's.
 * Read first: tusk/row.h, lib/row.h. */
#include "lib/codec/types.h"
#include "lib/row.h"

/* The second reading is for the error: NULL is none, and only a real one is worth its making. */
static void decode_or_keep(const tusk_row *row, int col, uint32_t type, tusk_value *out)
{
    tusk_code code = tusk__row_decode(row, col, type, out, NULL);

    if (code == TUSK_OK)
        return;
    memset(out, 0, sizeof *out);
    if (code != TUSK_ERR_NULL) {
        tusk_error err = {0};
        tusk_value again;

        (void)tusk__row_decode(row, col, type, &again, &err);
        tusk__row_keep_error(row, &err);
    }
}

/* Both forms of a getter; from_value makes its result of `value`. */
#define GETTERS(name, oid, c_type, from_value)                                                                         \
    tusk_code tusk_read_##name(const tusk_row *row, int col, c_type *out, /* NOLINT(bugprone-macro-parentheses) */     \
                               tusk_error *err)                                                                        \
    {                                                                                                                  \
        tusk_value value;                                                                                              \
                                                                                                                       \
        TUSK_TRY(tusk__row_decode(row, col, oid, &value, err));                                                        \
        *out = from_value;                                                                                             \
        return TUSK_OK;                                                                                                \
    }                                                                                                                  \
    c_type tusk_get_##name(const tusk_row *row, int col)                                                               \
    {                                                                                                                  \
        tusk_value value;                                                                                              \
                                                                                                                       \
        decode_or_keep(row, col, oid, &value);                                                                         \
        return from_value;                                                                                             \
    }

GETTERS(time, TUSK_OID_TIME, int64_t, value.as.integer)
GETTERS(timetz, TUSK_OID_TIMETZ, tusk_timetz_parts, value.as.timetz)
GETTERS(interval, TUSK_OID_INTERVAL, tusk_interval_parts, value.as.interval)
GETTERS(money, TUSK_OID_MONEY, int64_t, value.as.integer)
GETTERS(xid, TUSK_OID_XID, uint32_t, (uint32_t)value.as.integer)
GETTERS(cid, TUSK_OID_CID, uint32_t, (uint32_t)value.as.integer)
GETTERS(xid8, TUSK_OID_XID8, uint64_t, (uint64_t)value.as.integer)
GETTERS(pg_lsn, TUSK_OID_PG_LSN, uint64_t, (uint64_t)value.as.integer)
GETTERS(macaddr, TUSK_OID_MACADDR, tusk_macaddr_octets, value.as.macaddr)
GETTERS(macaddr8, TUSK_OID_MACADDR8, tusk_macaddr8_octets, value.as.macaddr8)

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
