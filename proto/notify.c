/* NotificationResponse: what LISTEN subscribes to.
 * It subscribes to nothing.
 * Read first: proto/message.h, proto/body.h. */
#include "proto/body.h"
#include "proto/message.h"

/* NotificationResponse (B) */
tusk_code tusk__notification_response_read(tusk_str body, tusk__notification *out, tusk_error *err)
{
    tusk__body b = tusk__body_of(body, "NotificationResponse", err);

    out->pid = tusk__body_u32(&b, "process ID");
    out->channel = tusk__body_cstr(&b, "channel");
    out->payload = tusk__body_cstr(&b, "payload");
    return tusk__body_end(&b);
}

void tusk__notification_response_write(tusk__writer *b, const tusk__notification *n)
{
    size_t at = tusk__message_begin(b, TUSK__B_NOTIFICATION_RESPONSE);

    tusk__write_u32(b, n->pid);
    tusk__write_cstr(b, n->channel);
    tusk__write_cstr(b, n->payload);
    tusk__message_end(b, at);
}
