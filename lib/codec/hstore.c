/* hstore: an Int32 count, and for each pair an Int32 length and the key, an Int32 length (-1: NULL) and the value.
 * Source: contrib/hstore/hstore_io.c, hstore_recv(), hstore_send(), hstore_out().
 * Read first: tusk/hstore.h. */
#include <tusk/hstore.h>

#include "lib/codec/own.h"
#include "lib/codec/printer.h"
#include "proto/size.h"

/* ---- walking ---------------------------------------------------------------------------------------------------------------------- */

/* One length and so many bytes, of what was checked. */
static tusk_str take(const uint8_t *wire, size_t *at)
{
    uint32_t len = tusk__be32(wire + *at);
    tusk_str text = len == UINT32_MAX ? tusk_str_from(NULL, 0) : tusk_str_from(wire + *at + 4, len);

    *at += 4 + text.len;
    return text;
}

bool tusk_hstore_next(tusk_hstore_view h, size_t *at, tusk_hstore_pair *pair)
{
    if (!h.wire)
        return false;
    if (*at == 0)
        *at = 4;
    if (*at >= h.len)
        return false;
    pair->key = take(h.wire, at);
    pair->value = take(h.wire, at);
    return true;
}

bool tusk_hstore_find(tusk_hstore_view h, tusk_str key, tusk_str *value)
{
    tusk_hstore_pair pair;

    for (size_t at = 0; tusk_hstore_next(h, &at, &pair);)
        if (tusk_str_equal(pair.key, key)) {
            *value = pair.value;
            return true;
        }
    return false;
}

/* ---- reading ---------------------------------------------------------------------------------------------------------------------- */

static bool skip(tusk_str bytes, size_t *at, bool may_be_null)
{
    uint32_t len;

    if (bytes.len - *at < 4)
        return false;
    len = tusk__be32((const uint8_t *)bytes.ptr + *at);
    *at += 4;
    if (len == UINT32_MAX)
        return may_be_null;
    if (len > bytes.len - *at)
        return false;
    *at += len;
    return true;
}

static bool is_hstore(tusk_str bytes)
{
    uint32_t n = bytes.len >= 4 ? tusk__be32((const uint8_t *)bytes.ptr) : UINT32_MAX;
    size_t at = 4;

    if (n > bytes.len / 8) /* of each pair at least the two lengths */
        return false;
    for (; n > 0; n--)
        if (!skip(bytes, &at, false) || !skip(bytes, &at, true))
            return false;
    return at == bytes.len;
}

tusk_code tusk__hstore_decode(tusk_str bytes, tusk_value *out, tusk_error *err)
{
    if (!is_hstore(bytes))
        return tusk__error_set(err, TUSK_ERR_VALUE, TUSK__STATE_BAD_BINARY,
                               "the %zu bytes of an hstore are not as many pairs as they say", bytes.len);
    out->kind = TUSK_KIND_HSTORE;
    out->as.bytes = bytes;
    return TUSK_OK;
}

tusk_hstore_view tusk__hstore_view_of(tusk_str wire)
{
    return (tusk_hstore_view){(const uint8_t *)wire.ptr, wire.len, tusk__be32((const uint8_t *)wire.ptr)};
}

/* ---- making ------------------------------------------------------------------------------------------------------------------------ */

static bool add_size(size_t *size, tusk_str text)
{
    return tusk__size_add(*size, 4, size) && tusk__size_add(*size, text.len, size);
}

size_t tusk_hstore_size(const tusk_hstore_pair *pairs, size_t n)
{
    size_t size = 4;

    for (size_t i = 0; i < n; i++)
        if (!add_size(&size, pairs[i].key) || !add_size(&size, pairs[i].value))
            return SIZE_MAX;
    return size;
}

static uint8_t *put(uint8_t *p, tusk_str text)
{
    tusk__put32(p, text.ptr ? (uint32_t)text.len : UINT32_MAX);
    if (text.len)
        memcpy(p + 4, text.ptr, text.len);
    return p + 4 + text.len;
}

tusk_code tusk_hstore_from_pairs(const tusk_hstore_pair *pairs, size_t n, void *buf, size_t size, tusk_hstore_view *out,
                                 tusk_error *err)
{
    size_t len = tusk_hstore_size(pairs, n);
    uint8_t *p = buf;

    tusk__error_begin(err);
    if (len > size || len > INT32_MAX)
        return tusk__error_set(err, TUSK_ERR_LIMIT, NULL, "an hstore of %zu pairs takes %zu bytes, not %zu", n, len,
                               size);
    tusk__put32(p, (uint32_t)n);
    p += 4;
    for (size_t i = 0; i < n; i++) {
        if (!pairs[i].key.ptr)
            return tusk__error_set(err, TUSK_ERR_VALUE, "22004", "the key of pair %zu of an hstore is NULL", i);
        TUSK_TRY(tusk__text_check(pairs[i].key, err));
        TUSK_TRY(tusk__text_check(pairs[i].value, err));
        p = put(p, pairs[i].key);
        p = put(p, pairs[i].value);
    }
    *out = (tusk_hstore_view){buf, len, (uint32_t)n};
    return TUSK_OK;
}

/* A view of the caller's own making is looked at before it is walked over. */
tusk_code tusk__hstore_encode(tusk__writer *b, const tusk_value *value, tusk_error *err)
{
    tusk_value checked;

    TUSK_TRY(tusk__hstore_decode(value->as.bytes, &checked, err));
    tusk__write_bytes(b, value->as.bytes);
    return TUSK_OK;
}

/* ---- text -------------------------------------------------------------------------------------------------------------------------- */

static void print_quoted(tusk__printer *s, tusk_str text)
{
    tusk__print_char(s, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            tusk__print_char(s, '\\');
        tusk__print_char(s, text.ptr[i]);
    }
    tusk__print_char(s, '"');
}

static void print_pairs(tusk__printer *s, tusk_hstore_view h)
{
    tusk_hstore_pair pair;

    for (size_t at = 0; tusk_hstore_next(h, &at, &pair);) {
        if (s->len > 0)
            tusk__print_part(s, tusk_str_of(", "));
        print_quoted(s, pair.key);
        tusk__print_part(s, tusk_str_of("=>"));
        if (pair.value.ptr)
            print_quoted(s, pair.value);
        else
            tusk__print_part(s, tusk_str_of("NULL"));
    }
}

size_t tusk_hstore_to_text(tusk_hstore_view h, char *buf, size_t size)
{
    tusk__printer s = tusk__printer_of(buf, size);

    print_pairs(&s, h);
    return tusk__print_end(&s);
}

void tusk__hstore_print_to(tusk__printer *p, const tusk_value *value)
{
    print_pairs(p, tusk__hstore_view_of(value->as.bytes));
}

size_t tusk__hstore_print(const tusk_value *value, char *buf, size_t size)
{
    return tusk_hstore_to_text(tusk__hstore_view_of(value->as.bytes), buf, size);
}
