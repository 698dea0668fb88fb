/* Fields: rows into structs. The table is bound to the columns by now: what is looked at is a value's length, and its range where the type
 * has one that its bytes exceed.
 * Read first: tusk/fields.h, lib/fields.h. */
#include <stdarg.h>
#include <stdio.h>

#include "lib/codec/types.h"
#include "lib/fields.h"
#include "lib/query.h"
#include "lib/row.h"

/* ---- one value, quickly. False: it has to be said why not ---------------------------------------------------------------------------- */

static inline bool put16(void *out, tusk_str bytes)
{
    uint16_t n;

    if (bytes.len != sizeof n)
        return false;
    n = tusk__be16((const uint8_t *)bytes.ptr);
    memcpy(out, &n, sizeof n);
    return true;
}

static inline bool put32(void *out, tusk_str bytes)
{
    uint32_t n;

    if (bytes.len != sizeof n)
        return false;
    n = tusk__be32((const uint8_t *)bytes.ptr);
    memcpy(out, &n, sizeof n);
    return true;
}

static inline bool put64(void *out, tusk_str bytes)
{
    uint64_t n;

    if (bytes.len != sizeof n)
        return false;
    n = tusk__be64((const uint8_t *)bytes.ptr);
    memcpy(out, &n, sizeof n);
    return true;
}

static inline bool put_integer(void *out, int64_t n)
{
    memcpy(out, &n, sizeof n);
    return true;
}

static bool put_bool(void *out, tusk_str bytes)
{
    bool boolean;

    if (bytes.len != 1 || (uint8_t)bytes.ptr[0] > 1)
        return false;
    boolean = bytes.ptr[0] != 0;
    memcpy(out, &boolean, sizeof boolean);
    return true;
}

static bool put_widened(void *out, tusk__store store, tusk_str bytes)
{
    uint16_t u16;
    uint32_t u32;
    int32_t i32;
    float real;
    double wide;

    if (store == TUSK__STORE_INT2_AS_4 || store == TUSK__STORE_INT2_AS_8) {
        if (!put16(&u16, bytes))
            return false;
        i32 = (int16_t)u16;
        if (store == TUSK__STORE_INT2_AS_8)
            return put_integer(out, i32);
        memcpy(out, &i32, sizeof i32);
        return true;
    }
    if (!put32(&u32, bytes))
        return false;
    if (store != TUSK__STORE_FLOAT4_AS_8)
        return put_integer(out, store == TUSK__STORE_OID_AS_8 ? (int64_t)u32 : (int32_t)u32);
    memcpy(&real, &u32, sizeof real);
    wide = (double)real;
    memcpy(out, &wide, sizeof wide);
    return true;
}

static bool put_date(void *out, tusk_str bytes)
{
    return bytes.len == 4 && tusk__date_is_valid((int32_t)tusk__be32((const uint8_t *)bytes.ptr)) && put32(out, bytes);
}

static inline bool put_timestamp(void *out, tusk_str bytes)
{
    return bytes.len == 8 && tusk__timestamp_is_valid((int64_t)tusk__be64((const uint8_t *)bytes.ptr)) &&
           put64(out, bytes);
}

static bool put_time(void *out, tusk_str bytes)
{
    return bytes.len == 8 && tusk__time_is_valid((int64_t)tusk__be64((const uint8_t *)bytes.ptr)) && put64(out, bytes);
}

static bool put_chars(const tusk__slot *slot, void *out, tusk_str text)
{
    if (text.len >= slot->size || (text.len && memchr(text.ptr, 0, text.len)))
        return false;
    if (text.len)
        memcpy(out, text.ptr, text.len);
    memset((char *)out + text.len, 0, slot->size - text.len);
    return true;
}

/* ---- one value, by its codec ------------------------------------------------------------------------------------------------------------ */

static bool put_value(const tusk__slot *slot, void *out, const tusk_value *value)
{
    tusk_numeric_view numeric;
    tusk_bits_view bits;
    tusk_inet_parts inet;
    tusk_lseg_parts lseg;
    tusk_box_parts box;
    tusk_circle_parts circle;

    switch ((tusk_c_type)slot->c_type) {
    case TUSK_C_BOOL:
        memcpy(out, &value->as.boolean, sizeof value->as.boolean);
        return true;
    case TUSK_C_INT16:
        memcpy(out, &(int16_t){(int16_t)value->as.integer}, 2);
        return true;
    case TUSK_C_INT32:
    case TUSK_C_UINT32:
        memcpy(out, &(uint32_t){(uint32_t)value->as.integer}, 4);
        return true;
    case TUSK_C_INT64:
    case TUSK_C_UINT64:
        return put_integer(out, value->as.integer);
    case TUSK_C_FLOAT:
        memcpy(out, &(float){(float)value->as.real}, sizeof(float));
        return true;
    case TUSK_C_NUMERIC:
        if (tusk__numeric_view_of(value->as.bytes, &numeric, NULL) != TUSK_OK)
            return false;
        memcpy(out, &numeric, sizeof numeric);
        return true;
    case TUSK_C_CHARS:
        return put_chars(slot, out, value->as.bytes);
    case TUSK_C_INET:
        inet = tusk__inet_of(value->as.bytes);
        memcpy(out, &inet, sizeof inet);
        return true;
    case TUSK_C_BITS:
        if (tusk__bits_view_of(value->as.bytes, &bits, NULL) != TUSK_OK)
            return false;
        memcpy(out, &bits, sizeof bits);
        return true;
    case TUSK_C_LSEG:
        lseg = tusk__lseg_of(value->as.bytes);
        memcpy(out, &lseg, sizeof lseg);
        return true;
    case TUSK_C_BOX:
        box = tusk__box_of(value->as.bytes);
        memcpy(out, &box, sizeof box);
        return true;
    case TUSK_C_CIRCLE:
        circle = tusk__circle_of(value->as.bytes);
        memcpy(out, &circle, sizeof circle);
        return true;
    case TUSK_C_DOUBLE:
    case TUSK_C_STR:
    case TUSK_C_POINT:
    case TUSK_C_TID:
    case TUSK_C_UUID:
    case TUSK_C_TIMETZ:
    case TUSK_C_INTERVAL:
    case TUSK_C_MACADDR:
    case TUSK_C_MACADDR8:
    case TUSK_C_ARRAY: /* not decoded */
    case TUSK_C_INT16S:
    case TUSK_C_INT32S:
    case TUSK_C_INT64S:
    case TUSK_C_UINT32S:
    case TUSK_C_FLOATS:
    case TUSK_C_DOUBLES:
    case TUSK_C_RANGE:
    case TUSK_C_MULTIRANGE:
    case TUSK_C_RECORD:
    case TUSK_C_HSTORE:
        break;
    }
    memcpy(out, &value->as, slot->size); /* the union's members of these are what the struct holds */
    return true;
}

/* Types of the database's own may have been forgotten since the columns were bound. */
static tusk_code decode(const tusk_query *q, const tusk_column *column, tusk_str bytes, tusk_value *out,
                        tusk_error *err)
{
    const tusk__codec *codec =
        column->type < TUSK__FIRST_OWN_OID ? tusk__codec_of(column->type) : tusk__query_own_codec(q, column->type);

    if (codec)
        return tusk__codec_decode(codec, column->type, column->format, bytes, out, err);
    return tusk__error_set(err, TUSK_ERR_TYPE, NULL, "its type is not known any more: tusk_types_forget()");
}

static __attribute__((noinline)) bool put_decoded(const tusk__slot *slot, const tusk_query *q,
                                                  const tusk_column *column, void *out, tusk_str bytes)
{
    tusk_value value;

    return decode(q, column, bytes, &value, NULL) == TUSK_OK && put_value(slot, out, &value);
}

static bool put(const tusk__slot *slot, const tusk_query *q, const tusk_column *column, void *out, tusk_str bytes)
{
    tusk__store store = (tusk__store)slot->store;

    switch (store) {
    case TUSK__STORE_BOOL:
        return put_bool(out, bytes);
    case TUSK__STORE_2:
        return put16(out, bytes);
    case TUSK__STORE_4:
        return put32(out, bytes);
    case TUSK__STORE_8:
        return put64(out, bytes);
    case TUSK__STORE_INT2_AS_4:
    case TUSK__STORE_INT2_AS_8:
    case TUSK__STORE_INT4_AS_8:
    case TUSK__STORE_OID_AS_8:
    case TUSK__STORE_FLOAT4_AS_8:
        return put_widened(out, store, bytes);
    case TUSK__STORE_DATE:
        return put_date(out, bytes);
    case TUSK__STORE_TIME:
        return put_time(out, bytes);
    case TUSK__STORE_TIMESTAMP:
        return put_timestamp(out, bytes);
    case TUSK__STORE_UUID:
        if (bytes.len != 16)
            return false;
        memcpy(out, bytes.ptr, 16);
        return true;
    case TUSK__STORE_VIEW:
        memcpy(out, &bytes, sizeof bytes);
        return true;
    case TUSK__STORE_CHARS:
        return put_chars(slot, out, bytes);
    case TUSK__STORE_ELEMENTS:
    case TUSK__STORE_VECTOR:
    case TUSK__STORE_HALFVEC:
    case TUSK__STORE_CONTAINER:
        return tusk__fields_put_many(slot, q, column->type, bytes, out, NULL) == TUSK_OK;
    case TUSK__STORE_DECODED:
        break;
    }
    return put_decoded(slot, q, column, out, bytes);
}

/* ---- what is wrong -------------------------------------------------------------------------------------------------------------------------- */

static TUSK_COLD tusk_code fail(const tusk_fields *fields, uint32_t col, tusk_code code, const char *sqlstate,
                                tusk_error *err, const char *fmt, ...) TUSK_PRINTF(6, 7);

static tusk_code fail(const tusk_fields *fields, uint32_t col, tusk_code code, const char *sqlstate, tusk_error *err,
                      const char *fmt, ...)
{
    char text[sizeof err->message];
    va_list args;

    if (!err)
        return code;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    (void)tusk__error_set(err, code, sqlstate, TUSK__FIELD_COLUMN_FMT "%s", TUSK__FIELD_COLUMN_ARG(fields->desc, col),
                          text);
    err->fate = TUSK_FATE_ANSWERED;
    err->column = (int)col;
    return code;
}

/* Why a value was not put: what its codec says of it, or that it is too much for a char[], or not what an array of C's takes. */
static TUSK_COLD tusk_code explain(const tusk_fields *fields, const tusk__slot *slot, tusk_str bytes, uint8_t *out,
                                   tusk_error *err)
{
    const tusk_column *column = &fields->desc->cols[slot->col];
    tusk_error cause = {0};
    tusk_value value;
    tusk_str text = bytes;

    if (slot->store >= TUSK__STORE_ELEMENTS && slot->store <= TUSK__STORE_CONTAINER) {
        cause.code = tusk__fields_put_many(slot, fields->query, column->type, bytes, out + slot->offset, &cause);
        return fail(fields, slot->col, cause.code, cause.sqlstate, err, ": %s", cause.message);
    }
    if (decode(fields->query, column, bytes, &value, &cause) != TUSK_OK)
        return fail(fields, slot->col, cause.code, cause.sqlstate, err, ": %s", cause.message);
    if (value.kind == TUSK_KIND_TEXT)
        text = value.as.bytes;
    if (text.len >= slot->size)
        return fail(fields, slot->col, TUSK_ERR_LIMIT, NULL, err, ": %zu bytes and a NUL are too long for a char[%zu]",
                    text.len, slot->size);
    return fail(fields, slot->col, TUSK_ERR_VALUE, TUSK__STATE_NOT_IN_REPERTOIRE, err,
                ": a NUL byte would end the text of a char[%zu]", slot->size);
}

/* ---- a row ---------------------------------------------------------------------------------------------------------------------------------- */

static tusk_code put_null(const tusk_fields *fields, const tusk__slot *slot, uint8_t *out, tusk_error *err)
{
    if (!slot->has_flag)
        return fail(fields, slot->col, TUSK_ERR_NULL, NULL, err, " is NULL, and its field has no flag for that");
    memset(out + slot->offset, 0, slot->size);
    return TUSK_OK;
}

/* What is rare, or wrong: it has a call of its own, so that the rest has all the registers. */
static __attribute__((noinline)) tusk_code put_odd(const tusk_fields *fields, const tusk__slot *slot, const uint8_t *p,
                                                   uint8_t *out, tusk_error *err)
{
    uint32_t len = tusk__be32(p);
    tusk_str bytes = tusk_str_from(p + 4, len);

    if (len == UINT32_MAX)
        return put_null(fields, slot, out, err);
    if (put(slot, fields->query, &fields->desc->cols[slot->col], out + slot->offset, bytes))
        return TUSK_OK;
    return explain(fields, slot, bytes, out, err);
}

static inline const uint8_t *behind(const uint8_t *p)
{
    uint32_t len = tusk__be32(p);

    return p + 4 + (len == UINT32_MAX ? 0 : len);
}

static const uint8_t *column_from(const uint8_t *p, uint32_t n)
{
    for (; n > 0; n--)
        p = behind(p);
    return p;
}

/* The values of which there are most, where they are as they should be. False: it is not such a one. NULL's length is none of those looked
 * for. */
static inline bool put_common(const tusk__slot *slot, uint32_t len, const uint8_t *bytes, uint8_t *out)
{
    tusk_str view = tusk_str_from(bytes, len);

    if (slot->store == TUSK__STORE_8)
        return put64(out, view);
    if (slot->store == TUSK__STORE_4)
        return put32(out, view);
    if (slot->store == TUSK__STORE_TIMESTAMP)
        return put_timestamp(out, view);
    if (slot->store != TUSK__STORE_VIEW || len == UINT32_MAX)
        return false;
    memcpy(out, &view, sizeof view);
    return true;
}

/* body: of a DataRow that was checked against the columns. */
static tusk_code read_body(const tusk_fields *fields, const uint8_t *body, uint8_t *out, tusk_error *err)
{
    const tusk__slot *slot = fields->slots, *end = slot + fields->n_fields;
    const uint8_t *p = body + 2, *next = p;

    for (; slot < end; slot++) {
        uint32_t len;

        if (!slot->is_again)
            p = slot->n_passed ? column_from(next, slot->n_passed) : next;
        len = tusk__be32(p);
        if (!put_common(slot, len, p + 4, out + slot->offset))
            TUSK_TRY(put_odd(fields, slot, p, out, err));
        if (slot->has_flag)
            memcpy(out + slot->flag_offset, &(bool){len == UINT32_MAX}, sizeof(bool));
        next = p + 4 + (len == UINT32_MAX ? 0 : len);
    }
    return TUSK_OK;
}

tusk_code tusk_fields_read(tusk_fields *fields, const tusk_row *row, void *out, tusk_error *err)
{
    tusk_code code;

    tusk__error_begin(err);
    if (!fields->desc || row->columns != fields->desc->cols)
        TUSK_TRY(tusk__fields_bind(fields, row->query ? row->query->conn : NULL,
                                   row->query ? tusk__row_desc(row) : NULL, err));
    fields->query = row->query;
    code = read_body(fields, row->body, out, err);
    if (code != TUSK_OK)
        tusk__error_where(err, "read fields");
    return code;
}

/* ---- many rows -------------------------------------------------------------------------------------------------------------------------------- */

static tusk_code take_rows(tusk_fields *fields, tusk_query *q, uint8_t *out, size_t capacity, size_t *n,
                           tusk_error *err)
{
    const uint8_t *body;
    tusk_code code = TUSK_OK;

    while (*n < capacity && (body = tusk__result_next(q->present, false)) != NULL) {
        code = read_body(fields, body, out + *n * fields->struct_size, err);
        if (code != TUSK_OK) {
            tusk__error_where(err, "fetch fields: row %zu", *n);
            break;
        }
        ++*n;
    }
    q->rows_given = true;
    return code;
}

tusk_code tusk_fields_fetch(tusk_fields *fields, tusk_query *q, void *out, size_t capacity, size_t *n, tusk_error *err)
{
    *n = 0;
    tusk__error_begin(err);
    TUSK_TRY(tusk__query_settle(q, err));
    if (q->on_row)
        return tusk__error_set(err, TUSK_ERR_USAGE, NULL, "on_row got the rows: none is kept");
    TUSK_TRY(tusk__fields_bind(fields, q->conn, q->present->desc, err));
    fields->query = q;
    return take_rows(fields, q, out, capacity, n, err);
}
