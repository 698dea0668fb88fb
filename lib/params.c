/* The server's reported settings, in one block.
 * It judges no values.
 * Read first: lib/params.h. */
#include "lib/params.h"

#include <stdint.h>

#include "proto/bounds.h"
#include "proto/error_set.h"

/* 15 settings of PostgreSQL 18 take some 400 bytes; search_path can be long, so there is room. Beyond it the peer fills our
 * memory on purpose. Lengths fit 16 bits. */
#define BYTES_MAX (64 * 1024)

/* In front of each pair: a search steps over it without reading it. */
typedef struct lengths {
    uint16_t name, value;
} lengths;

static size_t pair_size(tusk_str name, tusk_str value)
{
    return sizeof(lengths) + name.len + 1 + value.len + 1;
}

/* The pair at *at, and *at moved behind it. */
static void pair_at(const tusk__params *params, size_t *at, tusk_str *name, tusk_str *value)
{
    const char *texts = params->block + *at + sizeof(lengths);
    lengths len;

    memcpy(&len, params->block + *at, sizeof len);
    *name = tusk_str_from(texts, len.name);
    *value = tusk_str_from(texts + len.name + 1, len.value);
    *at += pair_size(*name, *value);
}

tusk_str tusk__params_get(const tusk__params *params, tusk_str wanted)
{
    tusk_str name, value;

    for (size_t at = 0; at < params->len;) {
        pair_at(params, &at, &name, &value);
        if (tusk_str_equal(name, wanted))
            return value;
    }
    return (tusk_str){NULL, 0};
}

bool tusk__params_next(const tusk__params *params, size_t *at, tusk_str *name, tusk_str *value)
{
    if (*at >= params->len)
        return false;
    pair_at(params, at, name, value);
    return true;
}

static void remove_pair(tusk__params *params, tusk_str wanted)
{
    tusk_str name, value;

    for (size_t at = 0, begin = 0; at < params->len; begin = at) {
        pair_at(params, &at, &name, &value);
        if (tusk_str_equal(name, wanted)) {
            memmove(params->block + begin, params->block + at, params->len - at);
            params->len -= at - begin;
            params->n--;
            return;
        }
    }
}

static bool make_room(tusk__params *params, const tusk_allocator *allocator, size_t need)
{
    size_t cap = params->cap ? params->cap : 512;
    char *block;

    while (cap < params->len + need)
        cap += cap / 2;
    if (cap == params->cap)
        return true;
    block = allocator->realloc(params->block, cap, allocator->user);
    if (!block)
        return false;
    params->block = block;
    params->cap = cap;
    return true;
}

static void append(tusk__params *params, tusk_str s)
{
    if (s.len)
        memcpy(params->block + params->len, s.ptr, s.len);
    params->len += s.len;
    params->block[params->len++] = '\0';
}

tusk_code tusk__params_set(tusk__params *params, const tusk_allocator *allocator, tusk_str name, tusk_str value,
                           tusk_error *err)
{
    lengths len = {(uint16_t)name.len, (uint16_t)value.len};

    if (params->len + pair_size(name, value) > BYTES_MAX || params->n >= TUSK__PARAMETERS_MAX)
        return tusk__error_set(err, TUSK_ERR_PROTOCOL, NULL, "the server reports more settings than any server has");
    if (!make_room(params, allocator, pair_size(name, value)))
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a setting of the server");
    remove_pair(params, name);
    memcpy(params->block + params->len, &len, sizeof len);
    params->len += sizeof len;
    append(params, name);
    append(params, value);
    params->n++;
    return TUSK_OK;
}

void tusk__params_clear(tusk__params *params, const tusk_allocator *allocator)
{
    allocator->free(params->block, allocator->user);
    *params = (tusk__params){0};
}
