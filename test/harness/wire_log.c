/*
 * Events as lines of text, all fields of all of them, and the check that their views lie where they should.
 */
#include "test/harness/wire_case.h"

static void put(tusk__writer *log, const char *text)
{
    tusk__write_bytes(log, tusk_str_of(text));
}

static void put_number(tusk__writer *log, int64_t value)
{
    char digits[24], *p = digits + sizeof digits;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do
        *--p = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--p = '-';
    tusk__write_bytes(log, tusk_str_from(p, (size_t)(digits + sizeof digits - p)));
}

/* Quoted; what is no printable ASCII becomes \xHH. */
static void put_bytes(tusk__writer *log, tusk_str s)
{
    static const char hex[] = "0123456789abcdef";

    put(log, "\"");
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = (uint8_t)s.ptr[i];

        if (c == '"' || c == '\\')
            put(log, "\\");
        if (c >= 0x20 && c < 0x7f) {
            tusk__write_u8(log, c);
        } else {
            put(log, "\\x");
            tusk__write_u8(log, (uint8_t)hex[c >> 4]);
            tusk__write_u8(log, (uint8_t)hex[c & 15]);
        }
    }
    put(log, "\"");
}

static void log_string(tusk__writer *log, const char *name, tusk_str value)
{
    put(log, " ");
    put(log, name);
    put(log, "=");
    put_bytes(log, value);
}

static void log_number(tusk__writer *log, const char *name, int64_t value)
{
    put(log, " ");
    put(log, name);
    put(log, "=");
    put_number(log, value);
}

static void log_row(tusk__writer *log, tusk_str body)
{
    tusk__reader b = tusk__reader_of(body);
    unsigned n = tusk__read_u16(&b);

    log_number(log, "fields", n);
    for (unsigned i = 0; i < n; i++) {
        bool is_null;
        tusk_str value = tusk__read_field(&b, &is_null);

        put(log, " ");
        if (is_null)
            put(log, "NULL");
        else
            put_bytes(log, value);
    }
}

static void log_columns(tusk__writer *log, const tusk__row_description *d)
{
    tusk_str rest = d->columns;

    log_number(log, "columns", (int64_t)d->n_cols);
    for (size_t i = 0; i < d->n_cols; i++) {
        tusk__column column;

        tusk__row_description_next(&rest, &column);
        put(log, " (");
        put_bytes(log, column.name);
        log_number(log, "table", column.table_oid);
        log_number(log, "attnum", column.attnum);
        log_number(log, "type", column.type_oid);
        log_number(log, "len", column.type_len);
        log_number(log, "typmod", column.typmod);
        log_number(log, "format", column.format);
        put(log, ")");
    }
}

static void log_integers(tusk__writer *log, const char *name, tusk_str s, size_t n, size_t width)
{
    tusk__reader b = tusk__reader_of(s);

    log_number(log, name, (int64_t)n);
    for (size_t i = 0; i < n; i++) {
        put(log, " ");
        put_number(log, width == 2 ? (int64_t)tusk__read_u16(&b) : (int64_t)tusk__read_u32(&b));
    }
}

static void log_fields(tusk__writer *log, tusk_str body)
{
    char kind;
    tusk_str value;

    while (tusk__error_fields_next(&body, &kind, &value)) {
        char name[2] = {kind, '\0'};

        log_string(log, name, value);
    }
}

static const char *const event_names[] = {
    [TUSK__EV_AUTHENTICATION] = "AUTHENTICATION",
    [TUSK__EV_NEGOTIATE_PROTOCOL_VERSION] = "NEGOTIATE_PROTOCOL_VERSION",
    [TUSK__EV_BACKEND_KEY_DATA] = "BACKEND_KEY_DATA",
    [TUSK__EV_PARAMETER_STATUS] = "PARAMETER_STATUS",
    [TUSK__EV_READY] = "READY",
    [TUSK__EV_PARSE_COMPLETE] = "PARSE_COMPLETE",
    [TUSK__EV_BIND_COMPLETE] = "BIND_COMPLETE",
    [TUSK__EV_CLOSE_COMPLETE] = "CLOSE_COMPLETE",
    [TUSK__EV_PARAMETER_DESCRIPTION] = "PARAMETER_DESCRIPTION",
    [TUSK__EV_ROW_DESCRIPTION] = "ROW_DESCRIPTION",
    [TUSK__EV_NO_DATA] = "NO_DATA",
    [TUSK__EV_ROW] = "ROW",
    [TUSK__EV_COMMAND_COMPLETE] = "COMMAND_COMPLETE",
    [TUSK__EV_EMPTY_QUERY] = "EMPTY_QUERY",
    [TUSK__EV_PORTAL_SUSPENDED] = "PORTAL_SUSPENDED",
    [TUSK__EV_COPY_IN] = "COPY_IN",
    [TUSK__EV_COPY_OUT] = "COPY_OUT",
    [TUSK__EV_COPY_BOTH] = "COPY_BOTH",
    [TUSK__EV_COPY_DATA] = "COPY_DATA",
    [TUSK__EV_COPY_DONE] = "COPY_DONE",
    [TUSK__EV_ERROR] = "ERROR",
    [TUSK__EV_NOTICE] = "NOTICE",
    [TUSK__EV_NOTIFICATION] = "NOTIFICATION",
};

static void log_details(tusk__writer *log, const tusk__event *ev)
{
    switch (ev->kind) {
    case TUSK__EV_AUTHENTICATION:
        log_number(log, "kind", ev->authentication.kind);
        log_string(log, "data", ev->authentication.data);
        break;
    case TUSK__EV_NEGOTIATE_PROTOCOL_VERSION:
        log_number(log, "version", ev->negotiate.version);
        log_number(log, "n", ev->negotiate.n_options);
        log_string(log, "options", ev->negotiate.options);
        break;
    case TUSK__EV_BACKEND_KEY_DATA:
        log_number(log, "pid", ev->backend_key.pid);
        log_string(log, "key", ev->backend_key.key);
        break;
    case TUSK__EV_PARAMETER_STATUS:
        log_string(log, "name", ev->parameter_status.name);
        log_string(log, "value", ev->parameter_status.value);
        break;
    case TUSK__EV_READY:
        log_string(log, "status", tusk_str_from(&ev->tx_status, 1));
        break;
    case TUSK__EV_PARAMETER_DESCRIPTION:
        log_integers(log, "types", ev->parameter_description.types, ev->parameter_description.n_params, 4);
        break;
    case TUSK__EV_ROW_DESCRIPTION:
        log_columns(log, &ev->row_description);
        break;
    case TUSK__EV_ROW:
        log_row(log, ev->body);
        break;
    case TUSK__EV_COMMAND_COMPLETE:
        log_string(log, "tag", ev->tag);
        break;
    case TUSK__EV_COPY_IN:
    case TUSK__EV_COPY_OUT:
    case TUSK__EV_COPY_BOTH:
        log_number(log, "format", ev->copy.format);
        log_integers(log, "columns", ev->copy.formats, ev->copy.n_cols, 2);
        break;
    case TUSK__EV_COPY_DATA:
        log_string(log, "data", ev->body);
        break;
    case TUSK__EV_ERROR:
        put(log, ev->is_fatal ? " fatal" : "");
        log_fields(log, ev->body);
        break;
    case TUSK__EV_NOTICE:
        log_fields(log, ev->body);
        break;
    case TUSK__EV_NOTIFICATION:
        log_number(log, "pid", ev->notification.pid);
        log_string(log, "channel", ev->notification.channel);
        log_string(log, "payload", ev->notification.payload);
        break;
    case TUSK__EV_PARSE_COMPLETE:
    case TUSK__EV_BIND_COMPLETE:
    case TUSK__EV_CLOSE_COMPLETE:
    case TUSK__EV_NO_DATA:
    case TUSK__EV_EMPTY_QUERY:
    case TUSK__EV_PORTAL_SUSPENDED:
    case TUSK__EV_COPY_DONE:
        break;
    }
}

void wire_log_event(tusk__writer *log, const tusk__event *ev)
{
    put(log, event_names[ev->kind]);
    log_details(log, ev);
    put(log, "  <- ");
    put(log, tusk__expect_name(ev->expect));
    put(log, "\n");
}

static bool is_within(tusk_str s, const uint8_t *buf, size_t cap)
{
    const uint8_t *p = (const uint8_t *)s.ptr;

    return s.len == 0 || (p >= buf && p <= buf + cap && s.len <= (size_t)(buf + cap - p));
}

bool wire_event_is_within(const tusk__event *ev, const uint8_t *buf, size_t cap)
{
    if (!is_within(ev->body, buf, cap))
        return false;
    switch ((int)ev->kind) {
    case TUSK__EV_AUTHENTICATION:
        return is_within(ev->authentication.data, buf, cap);
    case TUSK__EV_NEGOTIATE_PROTOCOL_VERSION:
        return is_within(ev->negotiate.options, buf, cap);
    case TUSK__EV_BACKEND_KEY_DATA:
        return is_within(ev->backend_key.key, buf, cap);
    case TUSK__EV_PARAMETER_STATUS:
        return is_within(ev->parameter_status.name, buf, cap) && is_within(ev->parameter_status.value, buf, cap);
    case TUSK__EV_PARAMETER_DESCRIPTION:
        return is_within(ev->parameter_description.types, buf, cap);
    case TUSK__EV_ROW_DESCRIPTION:
        return is_within(ev->row_description.columns, buf, cap);
    case TUSK__EV_COMMAND_COMPLETE:
        return is_within(ev->tag, buf, cap);
    case TUSK__EV_COPY_IN:
    case TUSK__EV_COPY_OUT:
    case TUSK__EV_COPY_BOTH:
        return is_within(ev->copy.formats, buf, cap);
    case TUSK__EV_NOTIFICATION:
        return is_within(ev->notification.channel, buf, cap) && is_within(ev->notification.payload, buf, cap);
    default:
        return true;
    }
}
