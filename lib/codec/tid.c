/* tid, where a row lies: in binary the block's number (32 bits) and the row's in it (16); in text (0,1).
 * Source: PostgreSQL docs, "System Columns"; tidsend and tidout in src/backend/utils/adt/tid.c. */
#include <stdio.h>

#include "lib/codec/scan.h"

static bool take_decimal(tusk__scan *s, uint64_t max, uint64_t *n)
{
    const char *start = s->at;

    for (*n = 0; s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++) {
        *n = *n * 10 + (uint64_t)(*s->at - '0');
        if (*n > max)
            return false;
    }
    return s->at > start;
}

tusk_code tusk__tid_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    const uint8_t *p = (const uint8_t *)bytes.ptr;

    (void)err;
    out->kind = TUSK_KIND_TID;
    out->as.tid.block = tusk__be32(p);
    out->as.tid.row = tusk__be16(p + 4);
    return TUSK_OK;
}

tusk_code tusk__tid_parse(tusk_str text, tusk_value *out, tusk_error *err)
{
    tusk__scan s = tusk__scan_of(text);
    uint64_t block, row;

    if (!tusk__take(&s, '(') || !take_decimal(&s, UINT32_MAX, &block) || !tusk__take(&s, ',') ||
        !take_decimal(&s, UINT16_MAX, &row) || !tusk__take(&s, ')') || s.at != s.end)
        return tusk__bad_text(err, "tid", text);
    out->kind = TUSK_KIND_TID;
    out->as.tid.block = (uint32_t)block;
    out->as.tid.row = (uint16_t)row;
    return TUSK_OK;
}

tusk_code tusk__tid_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    (void)err;
    tusk__write_u32(b, value->as.tid.block);
    tusk__write_u16(b, value->as.tid.row);
    return TUSK_OK;
}

size_t tusk__tid_print(const tusk_value *value, char *buf, size_t size)
{
    int n = snprintf(buf, size, "(%u,%u)", (unsigned)value->as.tid.block, (unsigned)value->as.tid.row);

    return n > 0 ? (size_t)n : 0;
}
