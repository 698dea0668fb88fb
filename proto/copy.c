/* The messages of COPY, both directions. CopyDone is tusk__empty_message_write(); CopyData's body is its data.
 * It does not know the formats of what is copied.
 * Read first: proto/message.h, proto/body.h. */
#include "proto/body.h"
#include "proto/message.h"

/* "All must be zero if the overall copy format is textual." */
static void check_formats(tusk__body *b, const tusk__copy_response *copy)
{
    const uint8_t *codes = (const uint8_t *)copy->formats.ptr;

    if (copy->format > 1)
        tusk__body_fail(b, "the overall format is %u where 0 and 1 are possible", (unsigned)copy->format);
    if (copy->format == 1)
        return;
    for (size_t i = 0; i < copy->n_cols; i++)
        if (tusk__be16(codes + 2 * i) != 0)
            tusk__body_fail(b, "format code %zu is binary in a textual copy", i + 1);
}

/* CopyInResponse (B), CopyOutResponse (B), CopyBothResponse (B) */
tusk_code tusk__copy_response_read(tusk_str body, tusk__copy_response *out, tusk_error *err)
{
    tusk__body b = tusk__body_of(body, "CopyResponse", err);

    out->format = tusk__body_u8(&b, "overall format");
    out->formats = tusk__body_formats(&b, "columns", &out->n_cols);
    check_formats(&b, out);
    return tusk__body_end(&b);
}

void tusk__copy_response_write(tusk__writer *b, uint8_t type, const tusk__copy_response *copy)
{
    size_t at = tusk__message_begin(b, type);

    tusk__write_u8(b, copy->format);
    tusk__write_count(b, copy->n_cols);
    tusk__write_bytes(b, copy->formats);
    tusk__message_end(b, at);
}

/* CopyData (F & B) */
void tusk__copy_data_write(tusk__writer *b, tusk_str data)
{
    size_t at = tusk__message_begin(b, TUSK__F_COPY_DATA);

    tusk__write_bytes(b, data);
    tusk__message_end(b, at);
}

/* CopyFail (F) */
void tusk__copy_fail_write(tusk__writer *b, tusk_str reason)
{
    size_t at = tusk__message_begin(b, TUSK__F_COPY_FAIL);

    tusk__write_cstr(b, reason);
    tusk__message_end(b, at);
}

tusk_code tusk__copy_fail_read(tusk_str body, tusk_str *reason, tusk_error *err)
{
    tusk__body b = tusk__body_of(body, "CopyFail", err);

    *reason = tusk__body_cstr(&b, "reason");
    return tusk__body_end(&b);
}
