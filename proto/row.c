/* The backend's messages about results: RowDescription, ParameterDescription, DataRow, CommandComplete, and the answer to a
 * function call.
 * It decodes no values.
 * Read first: proto/message.h, proto/body.h. */
#include "proto/body.h"
#include "proto/error_set.h"
#include "proto/fields.h"
#include "proto/message.h"

#define COLUMN_MIN_SIZE (1 + COLUMN_FIXED_SIZE) /* an empty name has its NUL */
#define COLUMN_FIXED_SIZE (4 + 2 + 4 + 2 + 4 + 2)

/* RowDescription (B) */
tusk_code tusk__row_description_read(tusk_str body, tusk__row_description *out, tusk_error *err)
{
    tusk__body b = tusk__body_of(body, "RowDescription", err);

    out->n_cols = tusk__body_count(&b, "columns", COLUMN_MIN_SIZE);
    out->columns = tusk_str_from(b.in.ptr, tusk__body_left(&b));
    for (size_t i = 0; i < out->n_cols && b.code == TUSK_OK; i++) {
        tusk__body_cstr(&b, "column name");
        tusk__body_bytes(&b, "column", COLUMN_FIXED_SIZE - 2);
        tusk__body_check_format(&b, i + 1, tusk__body_u16(&b, "format code"));
    }
    return tusk__body_end(&b);
}

void tusk__row_description_next(tusk_str *columns, tusk__column *out)
{
    tusk__reader b = tusk__reader_of(*columns);

    out->name = tusk__read_cstr(&b);
    out->table_oid = tusk__read_u32(&b);
    out->attnum = tusk__read_u16(&b);
    out->type_oid = tusk__read_u32(&b);
    out->type_len = (int16_t)tusk__read_u16(&b);
    out->typmod = tusk__read_i32(&b);
    out->format = tusk__read_u16(&b);
    *columns = tusk_str_from(b.ptr, tusk__reader_left(&b));
}

static void write_column(tusk__writer *b, const tusk__column *column)
{
    tusk__write_cstr(b, column->name);
    tusk__write_u32(b, column->table_oid);
    tusk__write_u16(b, column->attnum);
    tusk__write_u32(b, column->type_oid);
    tusk__write_u16(b, (uint16_t)column->type_len);
    tusk__write_u32(b, (uint32_t)column->typmod);
    tusk__write_u16(b, column->format);
}

void tusk__row_description_write(tusk__writer *b, const tusk__column *columns, size_t n)
{
    size_t at = tusk__message_begin(b, TUSK__B_ROW_DESCRIPTION);

    tusk__write_count(b, n);
    for (size_t i = 0; i < n && b->failed == TUSK_OK; i++)
        write_column(b, &columns[i]);
    tusk__message_end(b, at);
}

/* ParameterDescription (B) */
tusk_code tusk__parameter_description_read(tusk_str body, tusk__parameter_description *out, tusk_error *err)
{
    tusk__body b = tusk__body_of(body, "ParameterDescription", err);

    out->n_params = tusk__body_count(&b, "parameters", 4);
    out->types = tusk__body_bytes(&b, "parameter types", out->n_params * 4); /* at most 4 * 65535 */
    return tusk__body_end(&b);
}

void tusk__parameter_description_write(tusk__writer *b, const uint32_t *types, size_t n)
{
    size_t at = tusk__message_begin(b, TUSK__B_PARAMETER_DESCRIPTION);

    tusk__write_count(b, n);
    for (size_t i = 0; i < n && b->failed == TUSK_OK; i++)
        tusk__write_u32(b, types[i]);
    tusk__message_end(b, at);
}

/* DataRow (B): walked fast, and once more when it is wrong. */
static tusk_code data_row_fail(tusk_str body, size_t n_cols, tusk_error *err) __attribute__((cold, noinline));

tusk_code tusk__data_row_check(tusk_str body, size_t n_cols, tusk_error *err)
{
    const uint8_t *p = (const uint8_t *)body.ptr;

    if (body.len >= 2 && tusk__be16(p) == n_cols && tusk__fields_fill(p + 2, body.len - 2, n_cols))
        return TUSK_OK;
    return data_row_fail(body, n_cols, err);
}

/* The same walk again, slowly, to say what is wrong. What body.h accepts and fields.h does not is a body too long. */
static tusk_code data_row_fail(tusk_str body, size_t n_cols, tusk_error *err)
{
    tusk__body b = tusk__body_of(body, "DataRow", err);
    size_t n = tusk__body_u16(&b, "number of fields");
    bool is_null;

    if (body.len > TUSK__MESSAGE_MAX)
        tusk__body_fail(&b, "%zu bytes are more than a message has", body.len);
    if (n != n_cols)
        tusk__body_fail(&b, "%zu fields where %zu columns are described", n, n_cols);
    tusk__body_check_count(&b, "fields", n, 4);
    for (size_t i = 0; i < n && b.code == TUSK_OK; i++)
        tusk__body_field(&b, "field", i + 1, &is_null);
    (void)tusk__body_end(&b);
    assert(b.code != TUSK_OK);
    return TUSK_ERR_PROTOCOL;
}

void tusk__data_row_write(tusk__writer *b, const tusk_str *values, const bool *is_null, size_t n)
{
    size_t at = tusk__message_begin(b, TUSK__B_DATA_ROW);

    tusk__write_count(b, n);
    for (size_t i = 0; i < n && b->failed == TUSK_OK; i++)
        tusk__write_field(b, values[i], is_null[i]);
    tusk__message_end(b, at);
}

/* CommandComplete (B) */
tusk_code tusk__command_complete_read(tusk_str body, tusk_str *tag, tusk_error *err)
{
    tusk__body b;

    if (body.len > 0 &&
        memchr(body.ptr, 0, body.len) == body.ptr + body.len - 1) { /* as it should be, with each query */
        *tag = tusk_str_from(body.ptr, body.len - 1);
        return TUSK_OK;
    }
    b = tusk__body_of(body, "CommandComplete", err);
    *tag = tusk__body_cstr(&b, "command tag");
    return tusk__body_end(&b);
}

void tusk__command_complete_write(tusk__writer *b, tusk_str tag)
{
    size_t at = tusk__message_begin(b, TUSK__B_COMMAND_COMPLETE);

    tusk__write_cstr(b, tag);
    tusk__message_end(b, at);
}

/* The digits from `i` to the end; -1 if there are none, others, or more than an int64 holds. */
static int64_t number_from(tusk_str tag, size_t i)
{
    int64_t n = 0;

    if (i == tag.len)
        return -1;
    for (; i < tag.len; i++) {
        int digit = tag.ptr[i] - '0';

        if (digit < 0 || digit > 9 || n > (INT64_MAX - digit) / 10)
            return -1;
        n = n * 10 + digit;
    }
    return n;
}

int64_t tusk__command_tag_rows(tusk_str tag)
{
    for (size_t i = tag.len; i > 0; i--)
        if (tag.ptr[i - 1] == ' ')
            return number_from(tag, i);
    return -1;
}

/* FunctionCallResponse (B) */
void tusk__function_call_response_write(tusk__writer *b, tusk_str value, bool is_null)
{
    size_t at = tusk__message_begin(b, TUSK__B_FUNCTION_CALL_RESPONSE);

    tusk__write_field(b, value, is_null);
    tusk__message_end(b, at);
}
