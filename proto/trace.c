/* The message printer. Each message is read by its own reader first, so that what is printed was checked; what the reader
 * refuses is printed as "(malformed …)" with the reader's words, which are numbers and names of fields.
 * It shows no secret, and values only when asked: a line may go to a log.
 * Read first: proto/trace.h. */
#include "proto/trace.h"

#include <stdarg.h>
#include <stdio.h>

#include "proto/error_set.h"
#include "proto/session.h" /* for the names of messages */

#define DEFAULT_MAX_VALUE 64

/* The line, and how long it would be in a buffer without end. */
typedef struct line {
    char *buf;
    size_t size, len;
    size_t max_value;
    bool show_values;
} line;

/* A reader's verdict; `err.message` says why a body cannot be printed. */
typedef tusk_code print_fn(line *out, tusk_str body, tusk_error *err);

/* ---- words ------------------------------------------------------------------------------------------------------------ */

static void put(line *out, const char *text, size_t len)
{
    if (out->len < out->size) {
        size_t room = out->size - out->len;

        memcpy(out->buf + out->len, text, len < room ? len : room);
    }
    out->len += len; /* at most six characters for each byte of one message */
}

static void put_text(line *out, const char *text)
{
    put(out, text, strlen(text));
}

static void put_format(line *out, const char *fmt, ...) TUSK_PRINTF(2, 3);
static void put_format(line *out, const char *fmt, ...)
{
    char text[64];
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (n > 0)
        put(out, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

static tusk_str skip(tusk_str s, size_t n)
{
    return tusk_str_from(s.ptr + n, s.len - n);
}

/* One character, escaped if it must be; returns how many bytes of s it took. */
static size_t put_character(line *out, tusk_str s)
{
    size_t n = tusk__printable_len(s);

    if (n == 0) {
        if (s.ptr[0] == '\n')
            put(out, "\\n", 2);
        else
            put_format(out, "\\x%02x", (unsigned)(uint8_t)s.ptr[0]);
        return 1;
    }
    if (s.ptr[0] == '"' || s.ptr[0] == '\\')
        put(out, "\\", 1);
    put(out, s.ptr, n);
    return n;
}

/* "text", of which at most max_value bytes are shown. */
static void put_quoted(line *out, tusk_str s)
{
    size_t at = 0, n;

    put(out, "\"", 1);
    while (at < s.len && at < out->max_value)
        at += put_character(out, skip(s, at));
    put(out, "\"", 1);
    n = s.len - at;
    if (n > 0)
        put_format(out, "+%zu", n);
}

/* A value of the user: its length, unless values are to be shown. */
static void put_value(line *out, tusk_str s, bool is_null)
{
    if (is_null)
        put_text(out, "NULL");
    else if (out->show_values)
        put_quoted(out, s);
    else
        put_format(out, "%zu", s.len);
}

/* A name as it is if it looks like one. */
static void put_name(line *out, tusk_str s)
{
    bool is_plain = s.len > 0 && s.len <= out->max_value;

    for (size_t i = 0; i < s.len && is_plain; i++) {
        char c = s.ptr[i];

        is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    }
    if (is_plain)
        put(out, s.ptr, s.len);
    else
        put_quoted(out, s);
}

static void put_comma(line *out, size_t i)
{
    if (i > 0)
        put(out, ", ", 2);
}

/* The types that nearly every statement is made of; others by number. */
static void put_type(line *out, uint32_t oid)
{
    static const struct {
        uint32_t oid;
        const char *name;
    } types[] = {
        {0, "unspecified"}, {16, "bool"},    {17, "bytea"},       {18, "char"},          {19, "name"},
        {20, "int8"},       {21, "int2"},    {23, "int4"},        {25, "text"},          {26, "oid"},
        {114, "json"},      {700, "float4"}, {701, "float8"},     {1042, "bpchar"},      {1043, "varchar"},
        {1082, "date"},     {1083, "time"},  {1114, "timestamp"}, {1184, "timestamptz"}, {1186, "interval"},
        {1700, "numeric"},  {2950, "uuid"},  {3802, "jsonb"},
    };

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].oid == oid) {
            put_text(out, types[i].name);
            return;
        }
    }
    put_format(out, "%lu", (unsigned long)oid);
}

static void put_types(line *out, tusk_str types, size_t n)
{
    put_text(out, "(");
    for (size_t i = 0; i < n; i++) {
        put_comma(out, i);
        put_type(out, tusk__be32((const uint8_t *)types.ptr + 4 * i));
    }
    put_text(out, ")");
}

static const char *format_name(uint16_t format)
{
    return format ? "binary" : "text";
}

/* None is text for all, one is one for all. */
static void put_formats(line *out, tusk_str formats, size_t n)
{
    if (n == 0)
        put_text(out, "text");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            put_text(out, ",");
        put_text(out, format_name(tusk__be16((const uint8_t *)formats.ptr + 2 * i)));
    }
}

/* n fields that were checked: "(4, NULL)". */
static void put_fields(line *out, tusk_str fields, size_t n)
{
    tusk__reader b = tusk__reader_of(fields);

    put_text(out, "(");
    for (size_t i = 0; i < n; i++) {
        bool is_null;
        tusk_str value = tusk__read_field(&b, &is_null);

        put_comma(out, i);
        put_value(out, value, is_null);
    }
    put_text(out, ")");
}

/* ---- first packets ---------------------------------------------------------------------------------------------------- */

static void print_startup(line *out, const tusk__first_packet *packet)
{
    tusk_str params = packet->params;
    tusk__startup_param param;

    put_format(out, "StartupMessage %u.%u", (unsigned)(packet->code >> 16), (unsigned)(packet->code & 0xffff));
    while (tusk__startup_next(&params, &param)) {
        put_text(out, " ");
        put_name(out, param.name);
        put_text(out, "=");
        put_name(out, param.value);
    }
}

static tusk_code print_first_packet(line *out, tusk_str body, tusk_error *err)
{
    tusk__first_packet packet;
    tusk_code code = tusk__first_packet_read(body, &packet, err);

    if (code != TUSK_OK)
        put_text(out, "first packet");
    else if (packet.code == TUSK__SSL_REQUEST_CODE)
        put_text(out, "SSLRequest");
    else if (packet.code == TUSK__GSSENC_REQUEST_CODE)
        put_text(out, "GSSENCRequest");
    else if (packet.code == TUSK__CANCEL_REQUEST_CODE)
        put_format(out, "CancelRequest %lu (key hidden)", (unsigned long)packet.pid);
    else
        print_startup(out, &packet);
    return code;
}

/* ---- frontend --------------------------------------------------------------------------------------------------------- */

static tusk_code print_query(line *out, tusk_str body, tusk_error *err)
{
    tusk_str sql;

    TUSK_TRY(tusk__query_read(body, &sql, err));
    put_text(out, " ");
    put_quoted(out, sql);
    return TUSK_OK;
}

static tusk_code print_parse(line *out, tusk_str body, tusk_error *err)
{
    tusk__parse parse;

    TUSK_TRY(tusk__parse_read(body, &parse, err));
    put_text(out, " ");
    put_name(out, parse.name);
    put_text(out, " ");
    put_quoted(out, parse.sql);
    put_text(out, " ");
    put_types(out, parse.types, parse.n_types);
    return TUSK_OK;
}

/* Bind "" s1 binary (4, NULL) -> binary */
static tusk_code print_bind(line *out, tusk_str body, tusk_error *err)
{
    tusk__bind bind;

    TUSK_TRY(tusk__bind_read(body, &bind, err));
    put_text(out, " ");
    put_name(out, bind.portal);
    put_text(out, " ");
    put_name(out, bind.statement);
    put_text(out, " ");
    put_formats(out, bind.formats, bind.n_formats);
    put_text(out, " ");
    put_fields(out, bind.params, bind.n_params);
    put_text(out, " -> ");
    put_formats(out, bind.result_formats, bind.n_result_formats);
    return TUSK_OK;
}

static tusk_code print_describe(line *out, tusk_str body, tusk_error *err)
{
    tusk_str name;
    uint8_t what;

    TUSK_TRY(tusk__describe_read(body, &what, &name, err));
    put_text(out, what == 'S' ? " statement " : " portal ");
    put_name(out, name);
    return TUSK_OK;
}

static tusk_code print_execute(line *out, tusk_str body, tusk_error *err)
{
    tusk_str portal;
    uint32_t max_rows;

    TUSK_TRY(tusk__execute_read(body, &portal, &max_rows, err));
    put_text(out, " ");
    put_name(out, portal);
    if (max_rows > 0)
        put_format(out, " max %lu", (unsigned long)max_rows);
    return TUSK_OK;
}

static tusk_code print_copy_data(line *out, tusk_str body, tusk_error *err)
{
    (void)err;
    put_text(out, " ");
    put_value(out, body, false);
    return TUSK_OK;
}

static tusk_code print_copy_fail(line *out, tusk_str body, tusk_error *err)
{
    tusk_str reason;

    TUSK_TRY(tusk__copy_fail_read(body, &reason, err));
    put_text(out, " ");
    put_quoted(out, reason);
    return TUSK_OK;
}

/* Which of the four messages with this letter it is only the conversation knows; none may be shown, not even its length. */
static tusk_code print_password(line *out, tusk_str body, tusk_error *err)
{
    (void)body, (void)err;
    put_text(out, " (hidden)");
    return TUSK_OK;
}

/* ---- backend ---------------------------------------------------------------------------------------------------------- */

static void put_mechanisms(line *out, tusk_str names)
{
    tusk_str name;

    for (size_t i = 0; tusk__sasl_next(&names, &name); i++) {
        put_text(out, i > 0 ? ", " : " ");
        put_name(out, name);
    }
}

static tusk_code print_authentication(line *out, tusk_str body, tusk_error *err)
{
    static const char *const kinds[] = {
        [TUSK__AUTH_OK] = "Ok",
        [TUSK__AUTH_KERBEROS_V5] = "KerberosV5",
        [TUSK__AUTH_CLEARTEXT_PASSWORD] = "CleartextPassword",
        [TUSK__AUTH_MD5_PASSWORD] = "MD5Password (salt hidden)",
        [TUSK__AUTH_SCM_CREDENTIAL] = "SCMCredential",
        [TUSK__AUTH_GSS] = "GSS",
        [TUSK__AUTH_GSS_CONTINUE] = "GSSContinue (hidden)",
        [TUSK__AUTH_SSPI] = "SSPI",
        [TUSK__AUTH_SASL] = "SASL",
        [TUSK__AUTH_SASL_CONTINUE] = "SASLContinue (hidden)",
        [TUSK__AUTH_SASL_FINAL] = "SASLFinal (hidden)",
    };
    tusk__authentication auth;

    TUSK_TRY(tusk__authentication_read(body, &auth, err));
    if (auth.kind < sizeof kinds / sizeof kinds[0] && kinds[auth.kind])
        put_text(out, kinds[auth.kind]);
    else
        put_format(out, " kind %lu (hidden)", (unsigned long)auth.kind);
    if (auth.kind == TUSK__AUTH_SASL)
        put_mechanisms(out, auth.data);
    return TUSK_OK;
}

static tusk_code print_negotiate(line *out, tusk_str body, tusk_error *err)
{
    tusk__negotiate neg;

    TUSK_TRY(tusk__negotiate_protocol_version_read(body, &neg, err));
    put_format(out, " %u.%u", (unsigned)(neg.version >> 16), (unsigned)(neg.version & 0xffff));
    put_mechanisms(out, neg.options);
    return TUSK_OK;
}

static tusk_code print_backend_key(line *out, tusk_str body, tusk_error *err)
{
    tusk__backend_key key;

    TUSK_TRY(tusk__backend_key_data_read(body, &key, err));
    put_format(out, " %lu (key hidden)", (unsigned long)key.pid);
    return TUSK_OK;
}

static tusk_code print_parameter_status(line *out, tusk_str body, tusk_error *err)
{
    tusk__parameter_status status;

    TUSK_TRY(tusk__parameter_status_read(body, &status, err));
    put_text(out, " ");
    put_name(out, status.name);
    put_text(out, "=");
    put_name(out, status.value);
    return TUSK_OK;
}

static tusk_code print_ready(line *out, tusk_str body, tusk_error *err)
{
    uint8_t tx_status;

    TUSK_TRY(tusk__ready_for_query_read(body, &tx_status, err));
    put_format(out, " %c", tx_status);
    return TUSK_OK;
}

static tusk_code print_row_description(line *out, tusk_str body, tusk_error *err)
{
    tusk__row_description desc;
    tusk__column column;

    TUSK_TRY(tusk__row_description_read(body, &desc, err));
    put_format(out, " %zu (", desc.n_cols);
    for (size_t i = 0; i < desc.n_cols; i++) {
        tusk__row_description_next(&desc.columns, &column);
        put_comma(out, i);
        put_name(out, column.name);
        put_text(out, " ");
        put_type(out, column.type_oid);
        put_text(out, " ");
        put_text(out, format_name(column.format));
    }
    put_text(out, ")");
    return TUSK_OK;
}

static tusk_code print_parameter_description(line *out, tusk_str body, tusk_error *err)
{
    tusk__parameter_description desc;

    TUSK_TRY(tusk__parameter_description_read(body, &desc, err));
    put_format(out, " %zu ", desc.n_params);
    put_types(out, desc.types, desc.n_params);
    return TUSK_OK;
}

/* How many columns were described only the conversation knows: here the row's own count is believed. */
static tusk_code print_data_row(line *out, tusk_str body, tusk_error *err)
{
    tusk__reader b = tusk__reader_of(body);
    size_t n = tusk__read_u16(&b);

    TUSK_TRY(tusk__data_row_check(body, n, err));
    put_format(out, " %zu ", n);
    put_fields(out, skip(body, 2), n);
    return TUSK_OK;
}

static tusk_code print_command_complete(line *out, tusk_str body, tusk_error *err)
{
    tusk_str tag;

    TUSK_TRY(tusk__command_complete_read(body, &tag, err));
    put_text(out, " ");
    put_quoted(out, tag);
    return TUSK_OK;
}

static tusk_code print_copy_response(line *out, tusk_str body, tusk_error *err)
{
    tusk__copy_response copy;

    TUSK_TRY(tusk__copy_response_read(body, &copy, err));
    put_format(out, " %s %zu", format_name(copy.format), copy.n_cols);
    return TUSK_OK;
}

static tusk_code print_notification(line *out, tusk_str body, tusk_error *err)
{
    tusk__notification n;

    TUSK_TRY(tusk__notification_response_read(body, &n, err));
    put_format(out, " %lu ", (unsigned long)n.pid);
    put_name(out, n.channel);
    put_text(out, " ");
    put_value(out, n.payload, false);
    return TUSK_OK;
}

/* Severity, SQLSTATE and the message; the other fields are where values of the user turn up (DETAIL: Key (id)=(5) …). */
static tusk_code print_error_fields(line *out, tusk_str body, tusk_error *err)
{
    tusk_str value;
    char kind;

    TUSK_TRY(tusk__error_fields_read(body, err));
    while (tusk__error_fields_next(&body, &kind, &value)) {
        put_text(out, " ");
        (void)put_character(out, tusk_str_from(&kind, 1));
        put_text(out, "=");
        if (memchr("SVCM", kind, 4))
            put_name(out, value);
        else
            put_value(out, value, false);
    }
    return TUSK_OK;
}

/* ---- both ------------------------------------------------------------------------------------------------------------- */

static tusk_code print_empty(line *out, tusk_str body, tusk_error *err)
{
    (void)out;
    if (body.len == 0)
        return TUSK_OK;
    return tusk__error_set(err, TUSK_ERR_PROTOCOL, NULL, "%zu bytes in a message without content", body.len);
}

/* Function calls are never ours (D6): their size is all there is to say. */
static tusk_code print_size(line *out, tusk_str body, tusk_error *err)
{
    (void)err;
    put_format(out, " (%zu bytes)", body.len);
    return TUSK_OK;
}

typedef struct printer {
    uint8_t type;
    print_fn *print;
} printer;

static const printer to_backend[] = {
    {TUSK__F_BIND, print_bind},         {TUSK__F_CLOSE, print_describe},      {TUSK__F_COPY_DATA, print_copy_data},
    {TUSK__F_COPY_DONE, print_empty},   {TUSK__F_COPY_FAIL, print_copy_fail}, {TUSK__F_DESCRIBE, print_describe},
    {TUSK__F_EXECUTE, print_execute},   {TUSK__F_FLUSH, print_empty},         {TUSK__F_PARSE, print_parse},
    {TUSK__F_PASSWORD, print_password}, {TUSK__F_QUERY, print_query},         {TUSK__F_SYNC, print_empty},
    {TUSK__F_TERMINATE, print_empty},
};

static const printer to_frontend[] = {
    {TUSK__B_AUTHENTICATION, print_authentication},
    {TUSK__B_BACKEND_KEY_DATA, print_backend_key},
    {TUSK__B_BIND_COMPLETE, print_empty},
    {TUSK__B_CLOSE_COMPLETE, print_empty},
    {TUSK__B_COMMAND_COMPLETE, print_command_complete},
    {TUSK__B_COPY_DATA, print_copy_data},
    {TUSK__B_COPY_DONE, print_empty},
    {TUSK__B_COPY_IN_RESPONSE, print_copy_response},
    {TUSK__B_COPY_OUT_RESPONSE, print_copy_response},
    {TUSK__B_COPY_BOTH_RESPONSE, print_copy_response},
    {TUSK__B_DATA_ROW, print_data_row},
    {TUSK__B_EMPTY_QUERY_RESPONSE, print_empty},
    {TUSK__B_ERROR_RESPONSE, print_error_fields},
    {TUSK__B_NEGOTIATE_PROTOCOL_VERSION, print_negotiate},
    {TUSK__B_NO_DATA, print_empty},
    {TUSK__B_NOTICE_RESPONSE, print_error_fields},
    {TUSK__B_NOTIFICATION_RESPONSE, print_notification},
    {TUSK__B_PARAMETER_DESCRIPTION, print_parameter_description},
    {TUSK__B_PARAMETER_STATUS, print_parameter_status},
    {TUSK__B_PARSE_COMPLETE, print_empty},
    {TUSK__B_PORTAL_SUSPENDED, print_empty},
    {TUSK__B_READY_FOR_QUERY, print_ready},
    {TUSK__B_ROW_DESCRIPTION, print_row_description},
};

static print_fn *find(const printer *printers, size_t n, uint8_t type)
{
    for (size_t i = 0; i < n; i++)
        if (printers[i].type == type)
            return printers[i].print;
    return print_size;
}

static void put_message_name(line *out, tusk__direction direction, uint8_t type)
{
    const char *name =
        direction == TUSK__TO_BACKEND ? tusk__frontend_message_name(type) : tusk__backend_message_name(type);

    if (name)
        put_text(out, name);
    else
        put_format(out, "unknown message 0x%02x", type);
}

static tusk_code print_message(line *out, tusk__direction direction, uint8_t type, tusk_str body, tusk_error *err)
{
    if (direction == TUSK__TO_BACKEND && type == 0)
        return print_first_packet(out, body, err);
    put_message_name(out, direction, type);
    if (direction == TUSK__TO_BACKEND)
        return find(to_backend, sizeof to_backend / sizeof to_backend[0], type)(out, body, err);
    return find(to_frontend, sizeof to_frontend / sizeof to_frontend[0], type)(out, body, err);
}

size_t tusk__trace_message(tusk__direction direction, uint8_t type, tusk_str body, const tusk__trace_options *options,
                           char *buf, size_t size)
{
    line out = {buf, size, 0, DEFAULT_MAX_VALUE, false};
    tusk_error err = {0};

    if (options) {
        out.show_values = options->show_values;
        out.max_value = options->max_value ? options->max_value : DEFAULT_MAX_VALUE;
    }
    put_text(&out, direction == TUSK__TO_BACKEND ? "F " : "B ");
    if (print_message(&out, direction, type, body, &err) != TUSK_OK) {
        put_text(&out, " (malformed: ");
        put_text(&out, err.message);
        put_text(&out, ")");
    }
    if (size > 0)
        buf[out.len < size ? out.len : size - 1] = '\0';
    return out.len;
}
