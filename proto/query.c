/* The frontend's messages of the simple and the extended query protocol.
 * It encodes no values: parameters are written by their codecs between bind_begin and bind_end.
 * Read first: proto/message.h, proto/body.h. */
#include "proto/body.h"
#include "proto/fields.h"
#include "proto/message.h"

/* A message whose body is one C string. */
static void write_string_message(tusk__writer *b, uint8_t type, tusk_str s)
{
    size_t at = tusk__message_begin(b, type);

    tusk__write_cstr(b, s);
    tusk__message_end(b, at);
}

void tusk__empty_message_write(tusk__writer *b, uint8_t type)
{
    tusk__message_end(b, tusk__message_begin(b, type));
}

void tusk__sync_write(tusk__writer *b)
{
    tusk__empty_message_write(b, TUSK__F_SYNC);
}

void tusk__flush_write(tusk__writer *b)
{
    tusk__empty_message_write(b, TUSK__F_FLUSH);
}

void tusk__terminate_write(tusk__writer *b)
{
    tusk__empty_message_write(b, TUSK__F_TERMINATE);
}

/* Query (F) */
void tusk__query_write(tusk__writer *b, tusk_str sql)
{
    write_string_message(b, TUSK__F_QUERY, sql);
}

tusk_code tusk__query_read(tusk_str body, tusk_str *sql, tusk_error *err)
{
    tusk__body b = tusk__body_of(body, "Query", err);

    *sql = tusk__body_cstr(&b, "query string");
    return tusk__body_end(&b);
}

/* Parse (F) */
void tusk__parse_write(tusk__writer *b, tusk_str name, tusk_str sql, const uint32_t *types, size_t n_types)
{
    size_t at = tusk__message_begin(b, TUSK__F_PARSE);

    tusk__write_cstr(b, name);
    tusk__write_cstr(b, sql);
    tusk__write_count(b, n_types);
    for (size_t i = 0; i < n_types && b->failed == TUSK_OK; i++)
        tusk__write_u32(b, types[i]);
    tusk__message_end(b, at);
}

tusk_code tusk__parse_read(tusk_str body, tusk__parse *out, tusk_error *err)
{
    tusk__body b = tusk__body_of(body, "Parse", err);

    out->name = tusk__body_cstr(&b, "statement name");
    out->sql = tusk__body_cstr(&b, "query string");
    out->n_types = tusk__body_count(&b, "parameter types", 4);
    out->types = tusk__body_bytes(&b, "parameter types", out->n_types * 4); /* at most 4 * 65535 */
    return tusk__body_end(&b);
}

/* Bind (F) */
static void write_formats(tusk__writer *b, const uint16_t *formats, size_t n)
{
    tusk__write_count(b, n);
    for (size_t i = 0; i < n && b->failed == TUSK_OK; i++)
        tusk__write_u16(b, formats[i]);
}

size_t tusk__bind_begin(tusk__writer *b, tusk_str portal, tusk_str statement, const uint16_t *formats, size_t n)
{
    static const uint16_t binary = 1;
    size_t at = tusk__message_begin(b, TUSK__F_BIND);

    tusk__write_cstr(b, portal);
    tusk__write_cstr(b, statement);
    if (formats)
        write_formats(b, formats, n);
    else
        write_formats(b, &binary, n > 0 ? 1 : 0);
    tusk__bind_params(b, n);
    return at;
}

void tusk__bind_params(tusk__writer *b, size_t n)
{
    tusk__write_count(b, n);
    b->fields_at = b->len;
    b->n_fields = n;
}

/* Did the codecs write what bind_begin announced? A field too many or a wrong length of ours would be read by the server as
 * something else (D13), so it is asked in every build: about eight instructions per parameter. */
static bool is_whole(const tusk__writer *b)
{
    return tusk__fields_fill(b->buf + b->fields_at, b->len - b->fields_at, b->n_fields);
}

void tusk__bind_end(tusk__writer *b, size_t at, const uint16_t *result_formats, size_t n)
{
    if (b->failed == TUSK_OK && b->fields_at && !is_whole(b))
        tusk__writer_fail(b, TUSK_ERR_USAGE);
    write_formats(b, result_formats, n);
    tusk__message_end(b, at);
}

/* The formats of parameters: none, one for all, or one for each. */
static void check_n_formats(tusk__body *b, const tusk__bind *bind)
{
    if (bind->n_formats > 1 && bind->n_formats != bind->n_params)
        tusk__body_fail(b, "%zu format codes for %zu parameters", bind->n_formats, bind->n_params);
}

tusk_code tusk__bind_read(tusk_str body, tusk__bind *out, tusk_error *err)
{
    tusk__body b = tusk__body_of(body, "Bind", err);
    const char *start;
    bool is_null;

    out->portal = tusk__body_cstr(&b, "portal name");
    out->statement = tusk__body_cstr(&b, "statement name");
    out->formats = tusk__body_formats(&b, "format codes", &out->n_formats);
    out->n_params = tusk__body_count(&b, "parameters", 4);
    check_n_formats(&b, out);
    start = (const char *)b.in.ptr;
    for (size_t i = 0; i < out->n_params && b.code == TUSK_OK; i++)
        tusk__body_field(&b, "parameter", i + 1, &is_null);
    out->params = tusk_str_from(start, (size_t)((const char *)b.in.ptr - start));
    out->result_formats = tusk__body_formats(&b, "result format codes", &out->n_result_formats);
    return tusk__body_end(&b);
}

/* Describe (F) and Close (F) */
static void write_about(tusk__writer *b, uint8_t type, uint8_t what, tusk_str name)
{
    size_t at = tusk__message_begin(b, type);

    assert(what == 'S' || what == 'P');
    tusk__write_u8(b, what);
    tusk__write_cstr(b, name);
    tusk__message_end(b, at);
}

void tusk__describe_write(tusk__writer *b, uint8_t what, tusk_str name)
{
    write_about(b, TUSK__F_DESCRIBE, what, name);
}

void tusk__close_write(tusk__writer *b, uint8_t what, tusk_str name)
{
    write_about(b, TUSK__F_CLOSE, what, name);
}

tusk_code tusk__describe_read(tusk_str body, uint8_t *what, tusk_str *name, tusk_error *err)
{
    tusk__body b = tusk__body_of(body, "Describe or Close", err);

    *what = tusk__body_u8(&b, "kind");
    if (*what != 'S' && *what != 'P')
        tusk__body_fail(&b, "kind is 0x%02x where S and P are possible", *what);
    *name = tusk__body_cstr(&b, "name");
    return tusk__body_end(&b);
}

/* Execute (F) */
void tusk__execute_write(tusk__writer *b, tusk_str portal, uint32_t max_rows)
{
    size_t at = tusk__message_begin(b, TUSK__F_EXECUTE);

    tusk__write_cstr(b, portal);
    tusk__write_u32(b, max_rows);
    tusk__message_end(b, at);
}

tusk_code tusk__execute_read(tusk_str body, tusk_str *portal, uint32_t *max_rows, tusk_error *err)
{
    tusk__body b = tusk__body_of(body, "Execute", err);

    *portal = tusk__body_cstr(&b, "portal name");
    *max_rows = tusk__body_u32(&b, "maximum number of rows");
    return tusk__body_end(&b);
}
