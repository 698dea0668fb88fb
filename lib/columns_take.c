/* Columns: the values of a row into their arrays. Of each what is looked at is its length, and its range where the type has one.
 * Read first: tusk/columns.h, lib/columns.h. */
#include "lib/codec/types.h"
#include "lib/columns.h"

/* From 1970-01-01 to 2000-01-01. */
#define EPOCH_DAYS 10957
#define EPOCH_US (EPOCH_DAYS * TUSK__US_PER_DAY)

/* ---- one value; false: it has to be said why not ----------------------------------------------------------------------------------------- */

static inline void put32(tusk__vector *v, size_t row, uint32_t n)
{
    memcpy(v->values.data + row * 4, &n, sizeof n);
}

static inline void put64(tusk__vector *v, size_t row, uint64_t n)
{
    memcpy(v->values.data + row * 8, &n, sizeof n);
}

static bool take_bool(tusk__vector *v, size_t row, tusk_str bytes)
{
    uint8_t *byte = v->values.data + row / 8;

    if (bytes.len != 1 || (uint8_t)bytes.ptr[0] > 1)
        return false;
    if (row % 8 == 0)
        *byte = 0;
    *byte |= (uint8_t)(bytes.ptr[0] << row % 8);
    return true;
}

static bool take_date(const tusk_columns *columns, tusk__vector *v, size_t row, tusk_str bytes)
{
    int32_t date;

    if (bytes.len != 4)
        return false;
    date = (int32_t)tusk__be32((const uint8_t *)bytes.ptr);
    if (!tusk__date_is_valid(date))
        return false;
    if (columns->unix_epoch && date != TUSK_DATE_INFINITY && date != TUSK_DATE_MINUS_INFINITY)
        date += EPOCH_DAYS; /* the range's end lies far enough from that of the integer */
    put32(v, row, (uint32_t)date);
    return true;
}

static bool take_time(tusk__vector *v, size_t row, tusk_str bytes)
{
    if (bytes.len != 8 || !tusk__time_is_valid((int64_t)tusk__be64((const uint8_t *)bytes.ptr)))
        return false;
    put64(v, row, tusk__be64((const uint8_t *)bytes.ptr));
    return true;
}

/* False also where microseconds from 1970 do not reach. */
static inline bool timestamp_of(const tusk_columns *columns, const uint8_t *bytes, int64_t *us)
{
    *us = (int64_t)tusk__be64(bytes);
    if (!tusk__timestamp_is_valid(*us))
        return false;
    if (!columns->unix_epoch || *us == TUSK_TIMESTAMP_INFINITY || *us == TUSK_TIMESTAMP_MINUS_INFINITY)
        return true;
    return !__builtin_add_overflow(*us, EPOCH_US, us) && *us != TUSK_TIMESTAMP_INFINITY;
}

/* The offset that ends a value: where it has 32 bits, there are no more than 2^31 - 1 bytes in a batch. */
static inline void end_bytes(tusk__vector *v, size_t row)
{
    uint32_t end = (uint32_t)v->used;
    uint64_t large_end = v->used;

    if (v->is_large) {
        memcpy(v->offsets.data + (row + 1) * sizeof large_end, &large_end, sizeof large_end);
        return;
    }
    memcpy(v->offsets.data + (row + 1) * sizeof end, &end, sizeof end);
}

static bool take_fixed(const tusk_columns *columns, tusk__vector *v, size_t row, tusk_str bytes)
{
    switch ((tusk__take)v->take) {
    case TUSK__TAKE_BOOL:
        return take_bool(v, row, bytes);
    case TUSK__TAKE_DATE:
        return take_date(columns, v, row, bytes);
    case TUSK__TAKE_TIME:
        return take_time(v, row, bytes);
    case TUSK__TAKE_2:
        if (bytes.len != 2)
            return false;
        memcpy(v->values.data + row * 2, &(uint16_t){tusk__be16((const uint8_t *)bytes.ptr)}, 2);
        return true;
    case TUSK__TAKE_UUID:
        if (bytes.len != 16)
            return false;
        memcpy(v->values.data + row * 16, bytes.ptr, 16);
        return true;
    case TUSK__TAKE_4:
    case TUSK__TAKE_8:
    case TUSK__TAKE_TIMESTAMP: /* was not as it should be */
    case TUSK__TAKE_BYTES:
    case TUSK__TAKE_JSONB:
        break;
    }
    return false;
}

/* ---- what is rare, or wrong ---------------------------------------------------------------------------------------------------------------- */

/* The first NULL of a batch makes all before it known as none. */
static tusk_code take_null(tusk_columns *columns, tusk__vector *v, size_t row)
{
    if (!v->has_null) {
        if (!tusk__buffer_grow(&v->validity, columns->allocator, columns->rows_cap / 8))
            return TUSK_ERR_NOMEM;
        memset(v->validity.data, 0xFF, columns->rows_cap / 8);
        v->has_null = true;
    }
    v->validity.data[row / 8] &= (uint8_t) ~(1u << row % 8);
    if (v->take == TUSK__TAKE_BOOL)
        (void)take_bool(v, row, tusk_str_from("", 1));
    else if (v->width)
        memset(v->values.data + row * v->width, 0, v->width);
    else
        end_bytes(v, row);
    return TUSK_OK;
}

static tusk_code take_bytes(tusk_columns *columns, tusk__vector *v, size_t row, tusk_str bytes)
{
    if (!tusk__buffer_grow(&v->values, columns->allocator, v->used + bytes.len))
        return TUSK_ERR_NOMEM;
    memcpy(v->values.data + v->used, bytes.ptr, bytes.len);
    v->used += bytes.len;
    end_bytes(v, row);
    return TUSK_OK;
}

static tusk_code take_odd(tusk_columns *columns, tusk__vector *v, size_t row, const uint8_t *p)
{
    uint32_t len = tusk__be32(p);
    tusk_str bytes = tusk_str_from(p + 4, len);
    tusk_value value;

    if (len == UINT32_MAX)
        return take_null(columns, v, row);
    if (v->take == TUSK__TAKE_BYTES)
        return take_bytes(columns, v, row, bytes);
    if (v->take == TUSK__TAKE_JSONB && tusk__jsonb_decode(bytes, &value, NULL) == TUSK_OK)
        return take_bytes(columns, v, row, value.as.bytes);
    return take_fixed(columns, v, row, bytes) ? TUSK_OK : TUSK_ERR_VALUE;
}

/* Why a value was not taken: what its codec says of it, or that another epoch does not reach it. */
static TUSK_COLD void say_why(const tusk_columns *columns, int col, size_t row, const uint8_t *p, tusk_code code,
                              tusk_error *err)
{
    const tusk_column *column = &columns->desc->cols[col];
    tusk_error cause = {0};
    tusk_value value;

    if (code == TUSK_ERR_NOMEM)
        (void)tusk__error_set(&cause, code, NULL, "out of memory for its array");
    else if (tusk__value_decode(column->type, column->format, tusk_str_from(p + 4, tusk__be32(p)), &value, &cause) ==
             TUSK_OK)
        (void)tusk__error_set(&cause, TUSK_ERR_VALUE, TUSK__STATE_DATETIME, "microseconds from 1970 do not reach it");
    (void)tusk__error_set(err, code, cause.sqlstate, "column %d \"" TUSK_STR_FMT "\": %s", col,
                          TUSK_STR_ARG(column->name), cause.message);
    tusk__error_where(err, "fetch columns: row %zu", row);
    if (err) {
        err->fate = TUSK_FATE_ANSWERED;
        err->column = col;
    }
}

/* ---- a column ------------------------------------------------------------------------------------------------------------------------------ */

/* The values of which there are most, as long as they are as they should be: how many that are. at: of each row the place in it, which is moved
 * on. NULL's length is none of those looked for. */
static size_t run_of_8(tusk__vector *v, size_t row, const uint8_t **at, size_t n)
{
    size_t i;

    for (i = 0; i < n && tusk__be32(at[i]) == 8; i++) {
        put64(v, row + i, tusk__be64(at[i] + 4));
        at[i] += 4 + 8;
    }
    return i;
}

static size_t run_of_4(tusk__vector *v, size_t row, const uint8_t **at, size_t n)
{
    size_t i;

    for (i = 0; i < n && tusk__be32(at[i]) == 4; i++) {
        put32(v, row + i, tusk__be32(at[i] + 4));
        at[i] += 4 + 4;
    }
    return i;
}

static size_t run_of_timestamps(const tusk_columns *columns, tusk__vector *v, size_t row, const uint8_t **at, size_t n)
{
    size_t i;

    for (i = 0; i < n && tusk__be32(at[i]) == 8; i++) {
        int64_t us;

        if (!timestamp_of(columns, at[i] + 4, &us))
            break;
        put64(v, row + i, (uint64_t)us);
        at[i] += 4 + 8;
    }
    return i;
}

/* No buffer has room for NULL's 2^32 - 1: growing stops below 2^32. */
static size_t run_of_bytes(tusk__vector *v, size_t row, const uint8_t **at, size_t n)
{
    uint8_t *out = v->values.data + v->used, *end = v->values.data + v->values.cap;
    uint8_t *ends = v->offsets.data + (row + 1) * sizeof(uint32_t);
    size_t i;

    for (i = 0; i < n; i++) {
        uint32_t len = tusk__be32(at[i]), used;

        if (len > (size_t)(end - out))
            break;
        memcpy(out, at[i] + 4, len);
        out += len;
        used = (uint32_t)(out - v->values.data);
        memcpy(ends + i * sizeof used, &used, sizeof used);
        at[i] += 4 + len;
    }
    v->used = (size_t)(out - v->values.data);
    return i;
}

/* Buffers may be of any size here. */
static size_t run_of_large_bytes(tusk__vector *v, size_t row, const uint8_t **at, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        uint32_t len = tusk__be32(at[i]);

        if (len == UINT32_MAX || len > v->values.cap - v->used)
            break;
        memcpy(v->values.data + v->used, at[i] + 4, len);
        v->used += len;
        end_bytes(v, row + i);
        at[i] += 4 + len;
    }
    return i;
}

static size_t run_of(const tusk_columns *columns, tusk__vector *v, size_t row, const uint8_t **at, size_t n)
{
    switch ((tusk__take)v->take) {
    case TUSK__TAKE_8:
        return run_of_8(v, row, at, n);
    case TUSK__TAKE_4:
        return run_of_4(v, row, at, n);
    case TUSK__TAKE_TIMESTAMP:
        return run_of_timestamps(columns, v, row, at, n);
    case TUSK__TAKE_BYTES:
        return v->is_large ? run_of_large_bytes(v, row, at, n) : run_of_bytes(v, row, at, n);
    case TUSK__TAKE_2:
    case TUSK__TAKE_BOOL:
    case TUSK__TAKE_DATE:
    case TUSK__TAKE_TIME:
    case TUSK__TAKE_UUID:
    case TUSK__TAKE_JSONB:
        break;
    }
    return 0;
}

static const uint8_t *behind(const uint8_t *p)
{
    uint32_t len = tusk__be32(p);

    return p + 4 + (len == UINT32_MAX ? 0 : len);
}

/* *n: of how many rows; if one fails, of how many before it. */
static tusk_code take_column(tusk_columns *columns, int col, const uint8_t **at, size_t *n, tusk_error *err)
{
    size_t first = columns->n_rows;

    for (size_t i = 0; i < *n; i++) {
        tusk_code code;

        i += run_of(columns, &columns->vectors[col], first + i, at + i, *n - i);
        if (i == *n)
            break;
        code = take_odd(columns, &columns->vectors[col], first + i, at[i]);
        if (code != TUSK_OK) {
            tusk__error_begin(err); /* a column before it may have failed in a later row */
            say_why(columns, col, first + i, at[i], code, err);
            *n = i;
            return code;
        }
        at[i] = behind(at[i]);
    }
    return TUSK_OK;
}

/* bodies: of DataRows that were checked against the columns. */
tusk_code tusk__columns_take(tusk_columns *columns, const uint8_t *const *bodies, size_t n, tusk_error *err)
{
    const uint8_t *at[TUSK__BLOCK_ROWS];
    tusk_code code = TUSK_OK;

    for (size_t i = 0; i < n; i++)
        at[i] = bodies[i] + 2;
    for (int col = 0; col < columns->n_cols; col++) {
        tusk_code failed = take_column(columns, col, at, &n, err);

        if (failed != TUSK_OK)
            code = failed;
    }
    columns->n_rows += n;
    return code;
}
