/* regclass, regproc, regtype and the other types that are an oid by another name: 4 bytes in binary; in text the name of the object, which is
 * the server's to know, or the number of one that there is not.
 * Source: PostgreSQL docs, "Object Identifier Types"; *out in src/backend/utils/adt/regproc.c. */
#include <stdio.h>

#include "lib/codec/scan.h"

/* 0 is printed so, but for operators. */
static const char *nothing_of(uint32_t type)
{
    return type == TUSK_OID_REGOPER || type == TUSK_OID_REGOPERATOR ? "0" : "-";
}

static tusk_code decoded(uint32_t oid, tusk_value *out)
{
    out->kind = TUSK_KIND_INT;
    out->as.integer = oid;
    return TUSK_OK;
}

tusk_code tusk__reg_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    (void)err;
    return decoded(tusk__be32((const uint8_t *)bytes.ptr), out);
}

/* A name that begins with a digit comes in quotes. */
static bool is_name(tusk_str text)
{
    return text.len > 0 && (text.ptr[0] < '0' || text.ptr[0] > '9');
}

tusk_code tusk__reg_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    char label[TUSK__TYPE_LABEL_SIZE];
    uint64_t oid = 0;

    if (tusk_str_is(text, nothing_of(out->type)))
        return decoded(0, out);
    tusk__type_label(out->type, label);
    if (is_name(text))
        return tusk__error_set(
            err, TUSK_ERR_TYPE, NULL,
            "%s came in text format, which is a name: take it with tusk_read_text(), or cast it to oid", label);
    for (size_t i = 0; i < text.len && oid <= UINT32_MAX; i++) {
        unsigned digit = (unsigned)(text.ptr[i] - '0');

        if (digit > 9)
            return tusk__bad_text(err, label, text);
        oid = oid * 10 + digit;
    }
    return text.len > 0 && oid <= UINT32_MAX ? decoded((uint32_t)oid, out) : tusk__bad_text(err, label, text);
}

tusk_code tusk__reg_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    char label[TUSK__TYPE_LABEL_SIZE];

    if (value->as.integer < 0 || value->as.integer > UINT32_MAX)
        return tusk__does_not_fit(err, value->as.integer, tusk__type_label(value->type, label));
    tusk__write_u32(b, (uint32_t)value->as.integer);
    return TUSK_OK;
}

size_t tusk__reg_print(const tusk_value *value, char *buf, size_t size)
{
    int n;

    if (value->as.integer == 0)
        return tusk__print_str(tusk_str_of(nothing_of(value->type)), buf, size);
    n = snprintf(buf, size, "%llu", (unsigned long long)value->as.integer);
    return n > 0 ? (size_t)n : 0;
}
