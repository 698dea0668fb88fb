/* Framing: the judgement of every length word, and a walk over a stream that lies in memory.
 * It does not know which types exist or are welcome: an unknown one is framed as a small message.
 * Read first: proto/frame.h, proto/bounds.h. */
#include "proto/frame.h"

#include <stdio.h>

#include "proto/error_set.h"
#include "proto/message.h"
#include "proto/size.h"

size_t tusk__backend_body_max(uint8_t type, bool pre_login)
{
    switch (type) {
    case TUSK__B_AUTHENTICATION:
    case TUSK__B_NEGOTIATE_PROTOCOL_VERSION:
        return TUSK__AUTH_MESSAGE_MAX;
    case TUSK__B_ERROR_RESPONSE:
    case TUSK__B_NOTICE_RESPONSE:
        return pre_login ? TUSK__STARTUP_ERROR_MAX : TUSK__MESSAGE_MAX;
    case TUSK__B_DATA_ROW:
    case TUSK__B_FUNCTION_CALL_RESPONSE:
    case TUSK__B_NOTIFICATION_RESPONSE:
    case TUSK__B_ROW_DESCRIPTION:
    case TUSK__B_PARAMETER_DESCRIPTION:
    case TUSK__B_COPY_DATA:
        return pre_login ? TUSK__SMALL_MESSAGE_MAX : TUSK__MESSAGE_MAX;
    default:
        return TUSK__SMALL_MESSAGE_MAX;
    }
}

size_t tusk__frontend_body_max(uint8_t type)
{
    switch (type) {
    case 0: /* a first packet */
        return TUSK__STARTUP_PACKET_MAX - 4;
    case TUSK__F_PASSWORD:
        return TUSK__AUTH_TOKEN_MAX;
    case TUSK__F_QUERY:
    case TUSK__F_PARSE:
    case TUSK__F_BIND:
    case TUSK__F_FUNCTION_CALL:
    case TUSK__F_COPY_DATA:
        return TUSK__MESSAGE_MAX;
    default:
        return TUSK__SMALL_MESSAGE_MAX;
    }
}

/* "message 'D'", "message 0x07", "first packet" */
static void name_type(char *buf, size_t size, uint8_t type)
{
    if (type == 0)
        snprintf(buf, size, "first packet");
    else if (type > 0x20 && type < 0x7f)
        snprintf(buf, size, "message '%c'", type);
    else
        snprintf(buf, size, "message 0x%02x", type);
}

/* The length word counts itself: the comparison comes before the subtraction (D2). */
static tusk_code check_length(uint8_t type, uint32_t len, size_t max, size_t *body_len, tusk_error *err)
{
    char name[32];

    if (len >= 4 && len - 4 <= max) {
        *body_len = len - 4;
        return TUSK_OK;
    }
    name_type(name, sizeof name, type);
    return tusk__error_set(err, TUSK_ERR_PROTOCOL, NULL, "%s has length %lu where 4 to %zu are possible", name,
                           (unsigned long)len, max + 4);
}

tusk_code tusk__frame_check(const uint8_t header[TUSK__FRAME_HEADER], size_t max, size_t *body_len, tusk_error *err)
{
    return check_length(header[0], tusk__be32(header + 1), max, body_len, err);
}

tusk_code tusk__frame_next(tusk_str *stream, bool from_backend, bool is_first, uint8_t *type, tusk_str *body,
                           tusk_error *err)
{
    const uint8_t *p = (const uint8_t *)stream->ptr;
    size_t header = is_first ? TUSK__FRAME_HEADER - 1 : TUSK__FRAME_HEADER;
    size_t body_len = 0;

    if (stream->len < header)
        return TUSK_AGAIN;
    *type = is_first ? 0 : p[0];
    TUSK_TRY(check_length(*type, tusk__be32(p + header - 4),
                          from_backend ? tusk__backend_body_max(*type, false) : tusk__frontend_body_max(*type),
                          &body_len, err));
    if (stream->len - header < body_len)
        return TUSK_AGAIN;
    *body = tusk_str_from(p + header, body_len);
    *stream = tusk_str_from(p + header + body_len, stream->len - header - body_len);
    return TUSK_OK;
}

size_t tusk__message_begin(tusk__writer *b, uint8_t type)
{
    size_t at = b->len, end;

    if (type != 0)
        tusk__write_u8(b, type);
    tusk__write_u32(b, 0);
    if (!tusk__size_add(b->len, TUSK__MESSAGE_MAX, &end))
        end = SIZE_MAX;
    tusk__writer_limit(b, end);
    b->fields_at = 0;
    return at;
}

/* A failed message is taken back at once: whatever is in the buffer is whole. */
void tusk__message_end(tusk__writer *b, size_t at)
{
    size_t start = at; /* of the length word */

    assert(at <= b->len);
    if (b->failed == TUSK_OK) {
        start += b->buf[at] != 0;                   /* no message has type 0, and the length word still begins with 0 */
        if (b->len - start > TUSK__MESSAGE_MAX + 4) /* a cut in its middle took the limit away */
            tusk__writer_fail(b, TUSK_ERR_LIMIT);
    }
    tusk__writer_limit(b, 0);
    if (b->failed == TUSK_OK)
        tusk__put32(b->buf + start, (uint32_t)(b->len - start));
    else
        b->len = at;
}
