/* jsonb and jsonpath as text: their binary format is a version byte and the text. (json is plain text: text.c.)
 * The JSON itself is the server's business.
 * Source: PostgreSQL docs, "JSON Types"; jsonb_send in src/backend/utils/adt/jsonb.c. */
#include "lib/codec/types.h"

#define JSONB_VERSION 1

tusk_code tusk__jsonb_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    if (bytes.len == 0)
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_BAD_BINARY, "%s in binary without its version byte",
                               tusk__type_name(out->type));
    if (bytes.ptr[0] != JSONB_VERSION)
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_BAD_BINARY,
                               "%s in binary of version %u, which is not known", tusk__type_name(out->type),
                               (unsigned)(uint8_t)bytes.ptr[0]);
    return tusk__text_decode(tusk_str_from(bytes.ptr + 1, bytes.len - 1), out, err);
}

tusk_code tusk__jsonb_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    return tusk__text_parse(text, out, err);
}

tusk_code tusk__jsonb_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    tusk__write_u8(b, JSONB_VERSION);
    return tusk__text_encode(b, value, err);
}

size_t tusk__jsonb_print(const tusk_value *value, char *buf, size_t size)
{
    return tusk__text_print(value, buf, size);
}
