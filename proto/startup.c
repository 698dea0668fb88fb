/* The messages around a login that are not authentication: first packets, NegotiateProtocolVersion, BackendKeyData,
 * ParameterStatus, ReadyForQuery.
 * It does not know their order.
 * Read first: proto/message.h, proto/body.h. */
#include "proto/body.h"
#include "proto/message.h"

/* SSLRequest (F) and GSSENCRequest (F) */
static void write_request(tusk__writer *b, uint32_t code)
{
    size_t at = tusk__message_begin(b, 0);

    tusk__write_u32(b, code);
    tusk__message_end(b, at);
}

void tusk__ssl_request_write(tusk__writer *b)
{
    write_request(b, TUSK__SSL_REQUEST_CODE);
}

void tusk__gssenc_request_write(tusk__writer *b)
{
    write_request(b, TUSK__GSSENC_REQUEST_CODE);
}

/* CancelRequest (F) */
void tusk__cancel_request_write(tusk__writer *b, uint32_t pid, tusk_str key)
{
    size_t at = tusk__message_begin(b, 0);

    if (key.len < TUSK__CANCEL_KEY_MIN || key.len > TUSK__CANCEL_KEY_MAX)
        tusk__writer_fail(b, TUSK_ERR_VALUE);
    tusk__write_u32(b, TUSK__CANCEL_REQUEST_CODE);
    tusk__write_u32(b, pid);
    tusk__write_bytes(b, key);
    tusk__message_end(b, at);
}

/* StartupMessage (F). An empty name would end the list before its end. */
void tusk__startup_message_write(tusk__writer *b, uint32_t version, const tusk__startup_param *params, size_t n)
{
    size_t at = tusk__message_begin(b, 0);

    tusk__writer_limit(b, at + TUSK__STARTUP_PACKET_MAX); /* less than what begin has just set, so it cannot wrap */
    tusk__write_u32(b, version);
    for (size_t i = 0; i < n && b->failed == TUSK_OK; i++) {
        if (params[i].name.len == 0)
            tusk__writer_fail(b, TUSK_ERR_VALUE);
        tusk__write_cstr(b, params[i].name);
        tusk__write_cstr(b, params[i].value);
    }
    tusk__write_u8(b, 0);
    tusk__message_end(b, at);
}

/* StartupMessage's pairs: each name and value with its NUL, and a NUL behind the last. */
static tusk_str read_startup_params(tusk__body *b)
{
    const char *start = (const char *)b->in.ptr;
    const char *end = start;

    while (b->code == TUSK_OK) {
        end = (const char *)b->in.ptr;
        if (tusk__body_cstr(b, "parameter name").len == 0)
            break;
        tusk__body_cstr(b, "parameter value");
    }
    return tusk_str_from(start, (size_t)(end - start));
}

static void read_by_code(tusk__body *b, tusk__first_packet *out)
{
    switch (out->code) {
    case TUSK__CANCEL_REQUEST_CODE:
        out->pid = tusk__body_u32(b, "process ID");
        out->key = tusk__body_cancel_key(b);
        break;
    case TUSK__SSL_REQUEST_CODE:
    case TUSK__GSSENC_REQUEST_CODE:
        break;
    default:
        if (out->code >> 16 == 3)
            out->params = read_startup_params(b);
        else
            tusk__body_fail(b, "%lu is neither protocol 3 nor a request code", (unsigned long)out->code);
    }
}

tusk_code tusk__first_packet_read(tusk_str body, tusk__first_packet *out, tusk_error *err)
{
    tusk__body b = tusk__body_of(body, "first packet", err);

    memset(out, 0, sizeof *out);
    out->code = tusk__body_u32(&b, "code");
    if (b.code == TUSK_OK)
        read_by_code(&b, out);
    return tusk__body_end(&b);
}

/* Take one C string off a checked list. */
static bool take_cstr(tusk_str *list, tusk_str *s)
{
    tusk__reader b = tusk__reader_of(*list);

    *s = tusk__read_cstr(&b);
    if (b.bad)
        return false;
    *list = tusk_str_from(b.ptr, tusk__reader_left(&b));
    return true;
}

bool tusk__startup_next(tusk_str *params, tusk__startup_param *out)
{
    return take_cstr(params, &out->name) && take_cstr(params, &out->value);
}

/* NegotiateProtocolVersion (B) */
tusk_code tusk__negotiate_protocol_version_read(tusk_str body, tusk__negotiate *out, tusk_error *err)
{
    tusk__body b = tusk__body_of(body, "NegotiateProtocolVersion", err);
    const char *start;

    out->version = tusk__body_u32(&b, "version");
    out->n_options = tusk__body_u32(&b, "number of options");
    tusk__body_check_count(&b, "options", out->n_options, 1);
    start = (const char *)b.in.ptr;
    for (uint32_t i = 0; i < out->n_options && b.code == TUSK_OK; i++)
        tusk__body_cstr(&b, "option name");
    out->options = tusk_str_from(start, (size_t)((const char *)b.in.ptr - start));
    return tusk__body_end(&b);
}

void tusk__negotiate_protocol_version_write(tusk__writer *b, const tusk__negotiate *neg)
{
    size_t at = tusk__message_begin(b, TUSK__B_NEGOTIATE_PROTOCOL_VERSION);

    tusk__write_u32(b, neg->version);
    tusk__write_u32(b, neg->n_options);
    tusk__write_bytes(b, neg->options);
    tusk__message_end(b, at);
}

/* BackendKeyData (B) */
tusk_code tusk__backend_key_data_read(tusk_str body, tusk__backend_key *out, tusk_error *err)
{
    tusk__body b = tusk__body_of(body, "BackendKeyData", err);

    out->pid = tusk__body_u32(&b, "process ID");
    out->key = tusk__body_cancel_key(&b);
    return tusk__body_end(&b);
}

void tusk__backend_key_data_write(tusk__writer *b, const tusk__backend_key *key)
{
    size_t at = tusk__message_begin(b, TUSK__B_BACKEND_KEY_DATA);

    tusk__write_u32(b, key->pid);
    tusk__write_bytes(b, key->key);
    tusk__message_end(b, at);
}

/* ParameterStatus (B) */
tusk_code tusk__parameter_status_read(tusk_str body, tusk__parameter_status *out, tusk_error *err)
{
    tusk__body b = tusk__body_of(body, "ParameterStatus", err);

    out->name = tusk__body_cstr(&b, "name");
    out->value = tusk__body_cstr(&b, "value");
    return tusk__body_end(&b);
}

void tusk__parameter_status_write(tusk__writer *b, const tusk__parameter_status *status)
{
    size_t at = tusk__message_begin(b, TUSK__B_PARAMETER_STATUS);

    tusk__write_cstr(b, status->name);
    tusk__write_cstr(b, status->value);
    tusk__message_end(b, at);
}

static bool is_tx_status(uint8_t c)
{
    return c == 'I' || c == 'T' || c == 'E';
}

/* ReadyForQuery (B). One comes with each query: what is right passes without the machinery that says what is wrong. */
tusk_code tusk__ready_for_query_read(tusk_str body, uint8_t *tx_status, tusk_error *err)
{
    tusk__body b;

    if (body.len == 1 && is_tx_status((uint8_t)body.ptr[0])) {
        *tx_status = (uint8_t)body.ptr[0];
        return TUSK_OK;
    }
    b = tusk__body_of(body, "ReadyForQuery", err);
    *tx_status = tusk__body_u8(&b, "transaction status");
    if (!is_tx_status(*tx_status))
        tusk__body_fail(&b, "transaction status is 0x%02x where I, T and E are possible", *tx_status);
    return tusk__body_end(&b);
}

void tusk__ready_for_query_write(tusk__writer *b, uint8_t tx_status)
{
    size_t at = tusk__message_begin(b, TUSK__B_READY_FOR_QUERY);

    tusk__write_u8(b, tx_status);
    tusk__message_end(b, at);
}
