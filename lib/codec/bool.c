/* bool: one byte, 0 or 1; t or f.
 * Other spellings of the input function (yes, on, 1) are not read: the server does not print them.
 * Source: PostgreSQL docs, "Boolean Type". */
#include "lib/codec/types.h"

/* The server sends 0 or 1. Anything else is not a bool, even if C would take it for one. */
tusk_code tusk__bool_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    if ((uint8_t)bytes.ptr[0] > 1)
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_BAD_BINARY, "%u is not a bool",
                               (unsigned)(uint8_t)bytes.ptr[0]);
    out->kind = TUSK_KIND_BOOL;
    out->as.boolean = bytes.ptr[0] != 0;
    return TUSK_OK;
}

tusk_code tusk__bool_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    if (!tusk_str_is(text, "t") && !tusk_str_is(text, "f"))
        return tusk__bad_text(err, "bool", text);
    out->kind = TUSK_KIND_BOOL;
    out->as.boolean = text.ptr[0] == 't';
    return TUSK_OK;
}

tusk_code tusk__bool_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    (void)err;
    tusk__write_u8(b, value->as.boolean ? 1 : 0);
    return TUSK_OK;
}

size_t tusk__bool_print(const tusk_value *value, char *buf, size_t size)
{
    return tusk__print_str(tusk_str_of(value->as.boolean ? "t" : "f"), buf, size);
}
