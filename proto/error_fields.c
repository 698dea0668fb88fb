/* ErrorResponse and NoticeResponse: a list of fields, each a letter and a C string, none of which can be relied on (D9).
 * It decides nothing by what a field says.
 * Read first: proto/message.h; PostgreSQL docs, "Error and Notice Message Fields". */
#include <limits.h>

#include "proto/body.h"
#include "proto/error_set.h"
#include "proto/message.h"

/* ErrorResponse (B), NoticeResponse (B) */
tusk_code tusk__error_fields_read(tusk_str body, tusk_error *err)
{
    tusk__body b = tusk__body_of(body, "ErrorResponse or NoticeResponse", err);

    while (b.code == TUSK_OK && tusk__body_left(&b) > 0) {
        if (tusk__body_u8(&b, "field type") == 0)
            break;
        tusk__body_cstr(&b, "field");
    }
    return tusk__body_end(&b);
}

bool tusk__error_fields_next(tusk_str *body, char *kind, tusk_str *value)
{
    tusk__reader b = tusk__reader_of(*body);

    *kind = (char)tusk__read_u8(&b);
    *value = *kind ? tusk__read_cstr(&b) : tusk_str_from(NULL, 0);
    *body = tusk_str_from(b.ptr, tusk__reader_left(&b));
    return *kind && !b.bad;
}

tusk_str tusk__error_field(tusk_str body, char kind)
{
    tusk_str value;
    char k;

    while (tusk__error_fields_next(&body, &k, &value))
        if (k == kind)
            return value;
    return tusk_str_from(NULL, 0);
}

void tusk__error_fields_write(tusk__writer *b, uint8_t type, const tusk__error_field_value *fields, size_t n)
{
    size_t at = tusk__message_begin(b, type);

    for (size_t i = 0; i < n && b->failed == TUSK_OK; i++) {
        if (fields[i].kind == 0) /* it would end the list */
            tusk__writer_fail(b, TUSK_ERR_VALUE);
        tusk__write_u8(b, (uint8_t)fields[i].kind);
        tusk__write_cstr(b, fields[i].value);
    }
    tusk__write_u8(b, 0);
    tusk__message_end(b, at);
}

/* Five digits and capital letters, or XX000: what a program compares must be a sqlstate, and not that of success. */
static void copy_sqlstate(char sqlstate[6], tusk_str field)
{
    bool is_valid = field.len == 5 && !tusk_str_is(field, "00000");

    for (size_t i = 0; i < field.len && is_valid; i++)
        is_valid = (field.ptr[i] >= '0' && field.ptr[i] <= '9') || (field.ptr[i] >= 'A' && field.ptr[i] <= 'Z');
    memcpy(sqlstate, is_valid ? field.ptr : "XX000", 5);
    sqlstate[5] = '\0';
}

/* A positive number, or 0 if the field is no such. */
static int read_position(tusk_str field)
{
    int n = 0;

    for (size_t i = 0; i < field.len; i++) {
        int digit = field.ptr[i] - '0';

        if (digit < 0 || digit > 9 || n > (INT_MAX - digit) / 10)
            return 0;
        n = n * 10 + digit;
    }
    return n;
}

/* The text behind the first mark in it. */
static tusk_str behind(tusk_str text, tusk_str mark)
{
    for (; text.len >= mark.len; text.ptr++, text.len--)
        if (memcmp(text.ptr, mark.ptr, mark.len) == 0)
            return tusk_str_from(text.ptr + mark.len, text.len - mark.len);
    return tusk_str_from(NULL, 0);
}

/* Which $n a Bind failed at, servers from 14 on say in the context, `unnamed portal parameter $2 = '...'`: it is for the reader, and a server
 * of another language leaves it 0. */
static int read_param(tusk_str context)
{
    tusk_str n = behind(context, tusk_str_of("parameter $"));
    size_t len = 0;

    while (len < n.len && n.ptr[len] >= '0' && n.ptr[len] <= '9')
        len++;
    return len <= 5 ? read_position(tusk_str_from(n.ptr, len)) : 0;
}

void tusk__error_fields_to_error(tusk_str body, tusk_error *err)
{
    tusk_str message = tusk__error_field(body, 'M');
    char sqlstate[6];

    if (!err || err->code != TUSK_OK)
        return;
    copy_sqlstate(sqlstate, tusk__error_field(body, 'C'));
    tusk__error_set(err, TUSK_ERR_SERVER, sqlstate, "the server sent an error without a message");
    if (message.len > 0)
        tusk__error_copy(err->message, sizeof err->message, message);
    tusk__error_detail(err, tusk__error_field(body, 'D'));
    tusk__error_hint(err, tusk__error_field(body, 'H'));
    err->position = read_position(tusk__error_field(body, 'P'));
    err->param = read_param(tusk__error_field(body, 'W'));
    err->fate = TUSK_FATE_ANSWERED;
}

bool tusk__error_fields_is_fatal(tusk_str body)
{
    tusk_str severity = tusk__error_field(body, 'V');

    if (!severity.ptr)
        severity = tusk__error_field(body, 'S');
    return tusk_str_is(severity, "FATAL") || tusk_str_is(severity, "PANIC");
}
