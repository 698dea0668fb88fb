/* All messages of protocol 3.0 and 3.2, both directions, as structs of views. One pair of functions per message:
 * …_read(body, …) checks the whole body once, …_write(b, …) appends the framed message. The families are in startup.c,
 * auth.c, query.c, row.c, copy.c, notify.c, error_fields.c.
 * No state here: whether a message is legal now is the session's business.
 * Read first: PostgreSQL docs, "Message Formats"; proto/buf.h, proto/frame.h. */
#ifndef TUSK_PROTO_MESSAGE_H
#define TUSK_PROTO_MESSAGE_H

#include "proto/bounds.h"
#include "proto/buf.h"

/* Type bytes. The same letter means different things in the two directions. */
enum {
    /* backend */
    TUSK__B_AUTHENTICATION = 'R',
    TUSK__B_BACKEND_KEY_DATA = 'K',
    TUSK__B_BIND_COMPLETE = '2',
    TUSK__B_CLOSE_COMPLETE = '3',
    TUSK__B_COMMAND_COMPLETE = 'C',
    TUSK__B_COPY_DATA = 'd',
    TUSK__B_COPY_DONE = 'c',
    TUSK__B_COPY_IN_RESPONSE = 'G',
    TUSK__B_COPY_OUT_RESPONSE = 'H',
    TUSK__B_COPY_BOTH_RESPONSE = 'W',
    TUSK__B_DATA_ROW = 'D',
    TUSK__B_EMPTY_QUERY_RESPONSE = 'I',
    TUSK__B_ERROR_RESPONSE = 'E',
    TUSK__B_FUNCTION_CALL_RESPONSE = 'V',
    TUSK__B_NEGOTIATE_PROTOCOL_VERSION = 'v',
    TUSK__B_NO_DATA = 'n',
    TUSK__B_NOTICE_RESPONSE = 'N',
    TUSK__B_NOTIFICATION_RESPONSE = 'A',
    TUSK__B_PARAMETER_DESCRIPTION = 't',
    TUSK__B_PARAMETER_STATUS = 'S',
    TUSK__B_PARSE_COMPLETE = '1',
    TUSK__B_PORTAL_SUSPENDED = 's',
    TUSK__B_READY_FOR_QUERY = 'Z',
    TUSK__B_ROW_DESCRIPTION = 'T',
    /* frontend */
    TUSK__F_BIND = 'B',
    TUSK__F_CLOSE = 'C',
    TUSK__F_COPY_DATA = 'd',
    TUSK__F_COPY_DONE = 'c',
    TUSK__F_COPY_FAIL = 'f',
    TUSK__F_DESCRIBE = 'D',
    TUSK__F_EXECUTE = 'E',
    TUSK__F_FLUSH = 'H',
    TUSK__F_FUNCTION_CALL = 'F',
    TUSK__F_PARSE = 'P',
    TUSK__F_PASSWORD = 'p', /* also GSSResponse, SASLInitialResponse, SASLResponse */
    TUSK__F_QUERY = 'Q',
    TUSK__F_SYNC = 'S',
    TUSK__F_TERMINATE = 'X',
};

/* Codes of the frontend's first, typeless packets. */
enum {
    TUSK__PROTOCOL_3_0 = 0x00030000,
    TUSK__PROTOCOL_3_2 = 0x00030002,
    TUSK__CANCEL_REQUEST_CODE = 80877102,
    TUSK__SSL_REQUEST_CODE = 80877103,
    TUSK__GSSENC_REQUEST_CODE = 80877104,
};

/* ---- frontend, first packets ------------------------------------------------------------------------------------------- */

typedef struct tusk__startup_param {
    tusk_str name, value;
} tusk__startup_param;

void tusk__ssl_request_write(tusk__writer *b);
void tusk__gssenc_request_write(tusk__writer *b);
void tusk__cancel_request_write(tusk__writer *b, uint32_t pid, tusk_str key);
void tusk__startup_message_write(tusk__writer *b, uint32_t version, const tusk__startup_param *params, size_t n);

typedef struct tusk__first_packet {
    uint32_t code;   /* a protocol version or one of the request codes */
    tusk_str params; /* StartupMessage: name NUL value NUL … (without the final NUL); see tusk__startup_next */
    uint32_t pid;    /* CancelRequest */
    tusk_str key;    /* CancelRequest */
} tusk__first_packet;

tusk_code tusk__first_packet_read(tusk_str body, tusk__first_packet *out,
                                  tusk_error *err); /* F, for the backend side */
bool tusk__startup_next(tusk_str *params, tusk__startup_param *out);

/* ---- authentication ------------------------------------------------------------------------------------------------------ */

typedef enum tusk__auth_kind {
    TUSK__AUTH_OK = 0,
    TUSK__AUTH_KERBEROS_V5 = 2,
    TUSK__AUTH_CLEARTEXT_PASSWORD = 3,
    TUSK__AUTH_MD5_PASSWORD = 5,
    TUSK__AUTH_SCM_CREDENTIAL = 6,
    TUSK__AUTH_GSS = 7,
    TUSK__AUTH_GSS_CONTINUE = 8,
    TUSK__AUTH_SSPI = 9,
    TUSK__AUTH_SASL = 10,
    TUSK__AUTH_SASL_CONTINUE = 11,
    TUSK__AUTH_SASL_FINAL = 12,
} tusk__auth_kind;

typedef struct tusk__authentication {
    uint32_t kind; /* tusk__auth_kind, or a number we do not know */
    tusk_str data; /* MD5: 4 bytes of salt · SASL: names, each with its NUL, the final empty one not included ·
                           SASL_CONTINUE/FINAL, GSS_CONTINUE: the mechanism's bytes */
} tusk__authentication;

tusk_code tusk__authentication_read(tusk_str body, tusk__authentication *out, tusk_error *err);
void tusk__authentication_write(tusk__writer *b, const tusk__authentication *auth); /* B */
bool tusk__sasl_next(tusk_str *names, tusk_str *name);

void tusk__password_message_write(tusk__writer *b, tusk_str password);
void tusk__sasl_initial_response_write(tusk__writer *b, tusk_str mechanism, tusk_str data); /* data.ptr NULL: none */
void tusk__sasl_response_write(tusk__writer *b, tusk_str data);
/* The body of a 'p' message as the backend side reads it; which of the three it is only the backend's state knows. */
tusk_code tusk__password_message_read(tusk_str body, tusk_str *password, tusk_error *err);
tusk_code tusk__sasl_initial_response_read(tusk_str body, tusk_str *mechanism, tusk_str *data, tusk_error *err);

typedef struct tusk__negotiate {
    uint32_t version; /* the whole word, or only the minor number: both occur */
    uint32_t n_options;
    tusk_str options; /* n names, each with its NUL */
} tusk__negotiate;
tusk_code tusk__negotiate_protocol_version_read(tusk_str body, tusk__negotiate *out, tusk_error *err);
void tusk__negotiate_protocol_version_write(tusk__writer *b, const tusk__negotiate *neg);

typedef struct tusk__backend_key {
    uint32_t pid;
    tusk_str key; /* 4..256 bytes */
} tusk__backend_key;
tusk_code tusk__backend_key_data_read(tusk_str body, tusk__backend_key *out, tusk_error *err);
void tusk__backend_key_data_write(tusk__writer *b, const tusk__backend_key *key);

typedef struct tusk__parameter_status {
    tusk_str name, value;
} tusk__parameter_status;
tusk_code tusk__parameter_status_read(tusk_str body, tusk__parameter_status *out, tusk_error *err);
void tusk__parameter_status_write(tusk__writer *b, const tusk__parameter_status *status);

tusk_code tusk__ready_for_query_read(tusk_str body, uint8_t *tx_status,
                                     tusk_error *err); /* 'I', 'T' or 'E', nothing else */
void tusk__ready_for_query_write(tusk__writer *b, uint8_t tx_status);

/* ---- queries, frontend ------------------------------------------------------------------------------------------------------ */

void tusk__query_write(tusk__writer *b, tusk_str sql);
void tusk__parse_write(tusk__writer *b, tusk_str name, tusk_str sql, const uint32_t *types, size_t n_types);
/* 'S' statement or 'P' portal */
void tusk__describe_write(tusk__writer *b, uint8_t what, tusk_str name);
void tusk__close_write(tusk__writer *b, uint8_t what, tusk_str name);
void tusk__execute_write(tusk__writer *b, tusk_str portal, uint32_t max_rows);
void tusk__sync_write(tusk__writer *b);
void tusk__flush_write(tusk__writer *b);
void tusk__terminate_write(tusk__writer *b);

/* Bind in three steps, because parameters are encoded straight into the buffer:
 *   at = tusk__bind_begin(b, portal, statement, formats, n)   formats NULL: all binary
 *   per parameter: tusk__write_field(), or an Int32 length and the bytes
 *   tusk__bind_end(b, at, result_formats, n)                  n 0: all text; 1: one for all; else one per column
 * Who must write the head himself (tusk__message_begin(), names, formats) ends it with tusk__bind_params(), which writes the
 * number of parameters. bind_end fails the writer with TUSK_ERR_LIMIT if the message is too long, and with TUSK_ERR_USAGE if
 * what lies behind that number is not exactly so many parameters (D13). */
size_t tusk__bind_begin(tusk__writer *b, tusk_str portal, tusk_str statement, const uint16_t *formats, size_t n);
void tusk__bind_params(tusk__writer *b, size_t n);
void tusk__bind_end(tusk__writer *b, size_t at, const uint16_t *result_formats, size_t n);

/* Framing of a message that is written piecemeal: begin returns where it began, end fills in the length and fails the writer
 * with TUSK_ERR_LIMIT beyond TUSK__MESSAGE_MAX. A message that failed is taken back by end; `failed` stays. type 0: a
 * typeless first packet. */
size_t tusk__message_begin(tusk__writer *b, uint8_t type);
void tusk__message_end(tusk__writer *b, size_t at);

/* the backend side reads */
tusk_code tusk__query_read(tusk_str body, tusk_str *sql, tusk_error *err);
typedef struct tusk__parse {
    tusk_str name, sql, types; /* types: n Int32 */
    size_t n_types;
} tusk__parse;
tusk_code tusk__parse_read(tusk_str body, tusk__parse *out, tusk_error *err);
typedef struct tusk__bind {
    tusk_str portal, statement;
    size_t n_formats, n_params, n_result_formats;
    tusk_str formats, params, result_formats; /* Int16 each; Int32 length + bytes each (checked); Int16 each */
} tusk__bind;
tusk_code tusk__bind_read(tusk_str body, tusk__bind *out, tusk_error *err);
tusk_code tusk__describe_read(tusk_str body, uint8_t *what, tusk_str *name, tusk_error *err); /* and Close */
tusk_code tusk__execute_read(tusk_str body, tusk_str *portal, uint32_t *max_rows, tusk_error *err);

/* ---- queries, backend ------------------------------------------------------------------------------------------------------- */

typedef struct tusk__column {
    tusk_str name;
    uint32_t table_oid;
    uint16_t attnum;
    uint32_t type_oid;
    int16_t type_len;
    int32_t typmod;
    uint16_t format; /* 0 text, 1 binary, checked */
} tusk__column;

/* RowDescription: checked whole, then taken column by column. */
typedef struct tusk__row_description {
    size_t n_cols;
    tusk_str columns;
} tusk__row_description;
tusk_code tusk__row_description_read(tusk_str body, tusk__row_description *out, tusk_error *err);
void tusk__row_description_next(tusk_str *columns, tusk__column *out); /* n_cols times on a checked description */
void tusk__row_description_write(tusk__writer *b, const tusk__column *columns, size_t n);

typedef struct tusk__parameter_description {
    size_t n_params;
    tusk_str types; /* n Int32 */
} tusk__parameter_description;
tusk_code tusk__parameter_description_read(tusk_str body, tusk__parameter_description *out, tusk_error *err);
void tusk__parameter_description_write(tusk__writer *b, const uint32_t *types, size_t n);

/* DataRow: exactly n_cols fields that fill the body exactly (D1, D3). The views are taken later, unchecked. */
tusk_code tusk__data_row_check(tusk_str body, size_t n_cols, tusk_error *err);
void tusk__data_row_write(tusk__writer *b, const tusk_str *values, const bool *is_null, size_t n);

tusk_code tusk__command_complete_read(tusk_str body, tusk_str *tag, tusk_error *err);
void tusk__command_complete_write(tusk__writer *b, tusk_str tag);
/* The number of rows at the end of a tag ("INSERT 0 5", "SELECT 3", "COPY 7"); -1 if it has none. */
int64_t tusk__command_tag_rows(tusk_str tag);

/* ParseComplete, BindComplete, CloseComplete, NoData, EmptyQueryResponse, PortalSuspended, CopyDone; also frontend CopyDone */
void tusk__empty_message_write(tusk__writer *b, uint8_t type);

/* FunctionCallResponse is never asked for by us (D6); the backend side may send it in tests. */
void tusk__function_call_response_write(tusk__writer *b, tusk_str value, bool is_null);

/* ---- COPY, both directions ---------------------------------------------------------------------------------------------------- */
typedef struct tusk__copy_response {
    uint8_t format; /* 0 text, 1 binary */
    size_t n_cols;
    tusk_str formats; /* n Int16 */
} tusk__copy_response;
tusk_code tusk__copy_response_read(tusk_str body, tusk__copy_response *out, tusk_error *err); /* G, H and W */
void tusk__copy_response_write(tusk__writer *b, uint8_t type, const tusk__copy_response *copy);
void tusk__copy_data_write(tusk__writer *b, tusk_str data);
void tusk__copy_fail_write(tusk__writer *b, tusk_str reason);
tusk_code tusk__copy_fail_read(tusk_str body, tusk_str *reason, tusk_error *err);

/* ---- notifications, errors, notices ----------------------------------------------------------------------------------------------- */
typedef struct tusk__notification {
    uint32_t pid;
    tusk_str channel, payload;
} tusk__notification;
tusk_code tusk__notification_response_read(tusk_str body, tusk__notification *out, tusk_error *err);
void tusk__notification_response_write(tusk__writer *b, const tusk__notification *n);

/* ErrorResponse and NoticeResponse: every field is optional, may be repeated, may be unknown; the terminator may be missing
 * (D9). Only a field without its NUL and bytes behind the terminator are broken promises. */
tusk_code tusk__error_fields_read(tusk_str body, tusk_error *err);
/* The first field of that kind; {NULL, 0} if there is none. On checked fields only. */
tusk_str tusk__error_field(tusk_str body, char kind);
bool tusk__error_fields_next(tusk_str *body, char *kind, tusk_str *value);
typedef struct tusk__error_field_value {
    char kind;
    tusk_str value;
} tusk__error_field_value;
void tusk__error_fields_write(tusk__writer *b, uint8_t type, const tusk__error_field_value *fields, size_t n);

/* The summary of the fields as a tusk_error: TUSK_ERR_SERVER, sqlstate (XX000 if none is valid), message, detail, hint,
 * position. Fate ANSWERED. Control characters are replaced; it is set only if err holds none yet. */
void tusk__error_fields_to_error(tusk_str body, tusk_error *err);

/* FATAL or PANIC, by the unlocalised severity V (S if V is missing)? */
bool tusk__error_fields_is_fatal(tusk_str body);

#endif
