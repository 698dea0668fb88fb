/* What the tests and the fuzz target of proto/ know of every message: how to read and write it again, and a sample of it
 * written by hand from "Message Formats".
 * It tests nothing.
 * Read first: proto/message.h. */
#ifndef TUSK_TEST_MESSAGES_H
#define TUSK_TEST_MESSAGES_H

#include "proto/error_set.h"
#include "proto/frame.h"
#include "proto/message.h"

#define N_OF(table) (sizeof(table) / sizeof(table)[0])

/* Read a body and, if it is accepted and b is not NULL, write the message again. */
typedef tusk_code rewrite_fn(tusk_str body, tusk__writer *b, tusk_error *err);

/* ---- frontend ------------------------------------------------------------------------------------------------------- */

static inline void rewrite_startup(const tusk__first_packet *packet, tusk__writer *b)
{
    static tusk__startup_param params[TUSK__STARTUP_PACKET_MAX / 2];
    tusk_str rest = packet->params;
    size_t n = 0;

    while (tusk__startup_next(&rest, &params[n]))
        n++;
    tusk__startup_message_write(b, packet->code, params, n);
}

static inline tusk_code rewrite_first_packet(tusk_str body, tusk__writer *b, tusk_error *err)
{
    tusk__first_packet packet;

    TUSK_TRY(tusk__first_packet_read(body, &packet, err));
    if (!b)
        return TUSK_OK;
    if (packet.code == TUSK__SSL_REQUEST_CODE)
        tusk__ssl_request_write(b);
    else if (packet.code == TUSK__GSSENC_REQUEST_CODE)
        tusk__gssenc_request_write(b);
    else if (packet.code == TUSK__CANCEL_REQUEST_CODE)
        tusk__cancel_request_write(b, packet.pid, packet.key);
    else
        rewrite_startup(&packet, b);
    return TUSK_OK;
}

static inline tusk_code rewrite_query(tusk_str body, tusk__writer *b, tusk_error *err)
{
    tusk_str sql;

    TUSK_TRY(tusk__query_read(body, &sql, err));
    if (b)
        tusk__query_write(b, sql);
    return TUSK_OK;
}

static inline tusk_code rewrite_parse(tusk_str body, tusk__writer *b, tusk_error *err)
{
    static uint32_t types[TUSK__PARAMS_MAX];
    tusk__parse parse;

    TUSK_TRY(tusk__parse_read(body, &parse, err));
    for (size_t i = 0; i < parse.n_types; i++)
        types[i] = tusk__be32((const uint8_t *)parse.types.ptr + 4 * i);
    if (b)
        tusk__parse_write(b, parse.name, parse.sql, types, parse.n_types);
    return TUSK_OK;
}

static inline void take_formats(tusk_str formats, size_t n, uint16_t *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = tusk__be16((const uint8_t *)formats.ptr + 2 * i);
}

static inline tusk_code rewrite_bind(tusk_str body, tusk__writer *b, tusk_error *err)
{
    static uint16_t formats[TUSK__PARAMS_MAX], result_formats[TUSK__COLUMNS_MAX];
    tusk__bind bind;
    tusk__reader fields;
    size_t at;

    TUSK_TRY(tusk__bind_read(body, &bind, err));
    if (!b)
        return TUSK_OK;
    take_formats(bind.formats, bind.n_formats, formats);
    take_formats(bind.result_formats, bind.n_result_formats, result_formats);
    /* one for all is spelled out, except the one that we send ourselves */
    for (size_t i = bind.n_formats; i < bind.n_params; i++)
        formats[i] = bind.n_formats == 1 ? formats[0] : 0;
    at = tusk__bind_begin(b, bind.portal, bind.statement, bind.n_formats == 1 && formats[0] == 1 ? NULL : formats,
                          bind.n_params);
    fields = tusk__reader_of(bind.params);
    for (size_t i = 0; i < bind.n_params; i++) {
        bool is_null;
        tusk_str value = tusk__read_field(&fields, &is_null);

        tusk__write_field(b, value, is_null);
    }
    tusk__bind_end(b, at, result_formats, bind.n_result_formats);
    return TUSK_OK;
}

static inline tusk_code rewrite_describe(tusk_str body, tusk__writer *b, tusk_error *err)
{
    uint8_t what;
    tusk_str name;

    TUSK_TRY(tusk__describe_read(body, &what, &name, err));
    if (b)
        tusk__describe_write(b, what, name);
    return TUSK_OK;
}

static inline tusk_code rewrite_close(tusk_str body, tusk__writer *b, tusk_error *err)
{
    uint8_t what;
    tusk_str name;

    TUSK_TRY(tusk__describe_read(body, &what, &name, err));
    if (b)
        tusk__close_write(b, what, name);
    return TUSK_OK;
}

static inline tusk_code rewrite_execute(tusk_str body, tusk__writer *b, tusk_error *err)
{
    tusk_str portal;
    uint32_t max_rows;

    TUSK_TRY(tusk__execute_read(body, &portal, &max_rows, err));
    if (b)
        tusk__execute_write(b, portal, max_rows);
    return TUSK_OK;
}

static inline tusk_code rewrite_copy_fail(tusk_str body, tusk__writer *b, tusk_error *err)
{
    tusk_str reason;

    TUSK_TRY(tusk__copy_fail_read(body, &reason, err));
    if (b)
        tusk__copy_fail_write(b, reason);
    return TUSK_OK;
}

static inline tusk_code rewrite_password(tusk_str body, tusk__writer *b, tusk_error *err)
{
    tusk_str password;

    TUSK_TRY(tusk__password_message_read(body, &password, err));
    if (b)
        tusk__password_message_write(b, password);
    return TUSK_OK;
}

static inline tusk_code rewrite_sasl_initial(tusk_str body, tusk__writer *b, tusk_error *err)
{
    tusk_str mechanism, data;

    TUSK_TRY(tusk__sasl_initial_response_read(body, &mechanism, &data, err));
    if (b)
        tusk__sasl_initial_response_write(b, mechanism, data);
    return TUSK_OK;
}

static inline tusk_code rewrite_sasl_response(tusk_str body, tusk__writer *b, tusk_error *err)
{
    (void)err;
    if (b)
        tusk__sasl_response_write(b, body);
    return TUSK_OK;
}

/* ---- backend -------------------------------------------------------------------------------------------------------- */

static inline tusk_code rewrite_authentication(tusk_str body, tusk__writer *b, tusk_error *err)
{
    tusk__authentication auth;

    TUSK_TRY(tusk__authentication_read(body, &auth, err));
    if (b)
        tusk__authentication_write(b, &auth);
    return TUSK_OK;
}

static inline tusk_code rewrite_negotiate(tusk_str body, tusk__writer *b, tusk_error *err)
{
    tusk__negotiate neg;

    TUSK_TRY(tusk__negotiate_protocol_version_read(body, &neg, err));
    if (b)
        tusk__negotiate_protocol_version_write(b, &neg);
    return TUSK_OK;
}

static inline tusk_code rewrite_backend_key(tusk_str body, tusk__writer *b, tusk_error *err)
{
    tusk__backend_key key;

    TUSK_TRY(tusk__backend_key_data_read(body, &key, err));
    if (b)
        tusk__backend_key_data_write(b, &key);
    return TUSK_OK;
}

static inline tusk_code rewrite_parameter_status(tusk_str body, tusk__writer *b, tusk_error *err)
{
    tusk__parameter_status status;

    TUSK_TRY(tusk__parameter_status_read(body, &status, err));
    if (b)
        tusk__parameter_status_write(b, &status);
    return TUSK_OK;
}

static inline tusk_code rewrite_ready(tusk_str body, tusk__writer *b, tusk_error *err)
{
    uint8_t tx_status;

    TUSK_TRY(tusk__ready_for_query_read(body, &tx_status, err));
    if (b)
        tusk__ready_for_query_write(b, tx_status);
    return TUSK_OK;
}

static inline tusk_code rewrite_row_description(tusk_str body, tusk__writer *b, tusk_error *err)
{
    static tusk__column columns[TUSK__COLUMNS_MAX];
    tusk__row_description desc;

    TUSK_TRY(tusk__row_description_read(body, &desc, err));
    for (size_t i = 0; i < desc.n_cols; i++)
        tusk__row_description_next(&desc.columns, &columns[i]);
    if (desc.columns.len != 0)
        return TUSK_ERR_STATE;
    if (b)
        tusk__row_description_write(b, columns, desc.n_cols);
    return TUSK_OK;
}

static inline tusk_code rewrite_parameter_description(tusk_str body, tusk__writer *b, tusk_error *err)
{
    static uint32_t types[TUSK__PARAMS_MAX];
    tusk__parameter_description desc;

    TUSK_TRY(tusk__parameter_description_read(body, &desc, err));
    for (size_t i = 0; i < desc.n_params; i++)
        types[i] = tusk__be32((const uint8_t *)desc.types.ptr + 4 * i);
    if (b)
        tusk__parameter_description_write(b, types, desc.n_params);
    return TUSK_OK;
}

/* The row's own count stands for the number of columns. */
static inline tusk_code rewrite_data_row(tusk_str body, tusk__writer *b, tusk_error *err)
{
    static tusk_str values[TUSK__COLUMNS_MAX];
    static bool is_null[TUSK__COLUMNS_MAX];
    tusk__reader fields = tusk__reader_of(body);
    size_t n = tusk__read_u16(&fields);

    TUSK_TRY(tusk__data_row_check(body, n, err));
    for (size_t i = 0; i < n; i++)
        values[i] = tusk__read_field(&fields, &is_null[i]);
    if (fields.bad || tusk__reader_left(&fields) != 0)
        return TUSK_ERR_STATE;
    if (b)
        tusk__data_row_write(b, values, is_null, n);
    return TUSK_OK;
}

static inline tusk_code rewrite_command_complete(tusk_str body, tusk__writer *b, tusk_error *err)
{
    tusk_str tag;

    TUSK_TRY(tusk__command_complete_read(body, &tag, err));
    (void)tusk__command_tag_rows(tag);
    if (b)
        tusk__command_complete_write(b, tag);
    return TUSK_OK;
}

static inline tusk_code rewrite_copy_response_as(uint8_t type, tusk_str body, tusk__writer *b, tusk_error *err)
{
    tusk__copy_response copy;

    TUSK_TRY(tusk__copy_response_read(body, &copy, err));
    if (b)
        tusk__copy_response_write(b, type, &copy);
    return TUSK_OK;
}

static inline tusk_code rewrite_copy_in(tusk_str body, tusk__writer *b, tusk_error *err)
{
    return rewrite_copy_response_as(TUSK__B_COPY_IN_RESPONSE, body, b, err);
}

static inline tusk_code rewrite_copy_out(tusk_str body, tusk__writer *b, tusk_error *err)
{
    return rewrite_copy_response_as(TUSK__B_COPY_OUT_RESPONSE, body, b, err);
}

static inline tusk_code rewrite_copy_both(tusk_str body, tusk__writer *b, tusk_error *err)
{
    return rewrite_copy_response_as(TUSK__B_COPY_BOTH_RESPONSE, body, b, err);
}

static inline tusk_code rewrite_notification(tusk_str body, tusk__writer *b, tusk_error *err)
{
    tusk__notification n;

    TUSK_TRY(tusk__notification_response_read(body, &n, err));
    if (b)
        tusk__notification_response_write(b, &n);
    return TUSK_OK;
}

static inline tusk_code rewrite_fields_as(uint8_t type, tusk_str body, tusk__writer *b, tusk_error *err)
{
    static tusk__error_field_value fields[0x10000];
    tusk_error summary = {0};
    tusk_str rest = body;
    size_t n = 0;

    TUSK_TRY(tusk__error_fields_read(body, err));
    while (n < N_OF(fields) && tusk__error_fields_next(&rest, &fields[n].kind, &fields[n].value))
        n++;
    tusk__error_fields_to_error(body, &summary);
    (void)tusk__error_fields_is_fatal(body);
    if (b)
        tusk__error_fields_write(b, type, fields, n);
    return TUSK_OK;
}

static inline tusk_code rewrite_error(tusk_str body, tusk__writer *b, tusk_error *err)
{
    return rewrite_fields_as(TUSK__B_ERROR_RESPONSE, body, b, err);
}

static inline tusk_code rewrite_notice(tusk_str body, tusk__writer *b, tusk_error *err)
{
    return rewrite_fields_as(TUSK__B_NOTICE_RESPONSE, body, b, err);
}

static inline tusk_code rewrite_copy_data(tusk_str body, tusk__writer *b, tusk_error *err)
{
    (void)err;
    if (b)
        tusk__copy_data_write(b, body);
    return TUSK_OK;
}

/* ---- all of them ---------------------------------------------------------------------------------------------------- */

typedef struct message {
    bool from_backend;
    uint8_t type;
    rewrite_fn *rewrite;
} message;

/* Messages without content have no reader: the session compares their length with 0. */
static const message messages[] = {
    {false, 0, rewrite_first_packet},
    {false, TUSK__F_QUERY, rewrite_query},
    {false, TUSK__F_PARSE, rewrite_parse},
    {false, TUSK__F_BIND, rewrite_bind},
    {false, TUSK__F_DESCRIBE, rewrite_describe},
    {false, TUSK__F_CLOSE, rewrite_close},
    {false, TUSK__F_EXECUTE, rewrite_execute},
    {false, TUSK__F_COPY_DATA, rewrite_copy_data},
    {false, TUSK__F_COPY_FAIL, rewrite_copy_fail},
    {false, TUSK__F_PASSWORD, rewrite_password},
    {false, TUSK__F_PASSWORD, rewrite_sasl_initial},
    {false, TUSK__F_PASSWORD, rewrite_sasl_response},
    {true, TUSK__B_AUTHENTICATION, rewrite_authentication},
    {true, TUSK__B_NEGOTIATE_PROTOCOL_VERSION, rewrite_negotiate},
    {true, TUSK__B_BACKEND_KEY_DATA, rewrite_backend_key},
    {true, TUSK__B_PARAMETER_STATUS, rewrite_parameter_status},
    {true, TUSK__B_READY_FOR_QUERY, rewrite_ready},
    {true, TUSK__B_ROW_DESCRIPTION, rewrite_row_description},
    {true, TUSK__B_PARAMETER_DESCRIPTION, rewrite_parameter_description},
    {true, TUSK__B_DATA_ROW, rewrite_data_row},
    {true, TUSK__B_COMMAND_COMPLETE, rewrite_command_complete},
    {true, TUSK__B_COPY_DATA, rewrite_copy_data},
    {true, TUSK__B_COPY_IN_RESPONSE, rewrite_copy_in},
    {true, TUSK__B_COPY_OUT_RESPONSE, rewrite_copy_out},
    {true, TUSK__B_COPY_BOTH_RESPONSE, rewrite_copy_both},
    {true, TUSK__B_NOTIFICATION_RESPONSE, rewrite_notification},
    {true, TUSK__B_ERROR_RESPONSE, rewrite_error},
    {true, TUSK__B_NOTICE_RESPONSE, rewrite_notice},
};

#endif
