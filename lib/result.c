/* Results: column descriptions and kept rows.
 * It decodes nothing and does not know connections.
 * Read first: lib/result.h. */
#include "lib/result.h"

#include "lib/codec/codec.h"
#include "proto/error_set.h"
#include "proto/frame.h"
#include "proto/size.h"

/* A result whose rows fill less than this part of the chunks they pin is copied together. The price is one memcpy of what is
 * small by definition; without it a thousand one-row results would hold a thousand chunks. */
#define SPARSE_PART 4

/* Memory that a recycled result keeps for its next use: what one sparse chunk can yield, so that a query repeated with a result
 * of whatever size allocates nothing. A loop keeps at most 512 free queries, so this is at most 8 MiB, after as many results
 * of that size at once. */
#define STORE_KEPT (TUSK__CHUNK_SIZE / SPARSE_PART)
#define RUNS_KEPT 16
#define DESC_KEPT 1024

/* ---- descriptions ---- */

static size_t desc_size(const tusk__row_description *description)
{
    tusk_str columns = description->columns;
    size_t size = sizeof(tusk__desc) + description->n_cols * sizeof(tusk_column);

    for (size_t i = 0; i < description->n_cols; i++) {
        tusk__column column;

        tusk__row_description_next(&columns, &column);
        size += column.name.len;
    }
    return size;
}

/* size: what is needed, and what there is. */
static tusk__desc *desc_memory(const tusk_allocator *allocator, tusk__desc **spare, size_t *size)
{
    tusk__desc *desc = spare ? *spare : NULL;

    if (!desc || desc->size < *size) {
        *size = tusk__size_roomy(*size);
        return allocator->malloc(*size, allocator->user);
    }
    *spare = NULL;
    *size = desc->size;
    return desc;
}

tusk_code tusk__desc_new(const tusk_allocator *allocator, const tusk__row_description *description, tusk__desc **spare,
                         tusk__desc **out, tusk_error *err)
{
    size_t size = desc_size(description);
    tusk__desc *desc = desc_memory(allocator, spare, &size);
    tusk_str columns = description->columns;
    char *names;

    if (!desc)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for the description of %zu columns",
                               description->n_cols);
    desc->refs = 1;
    desc->size = size;
    desc->allocator = allocator;
    desc->n_cols = (int)description->n_cols;
    names = (char *)&desc->cols[desc->n_cols];
    for (int i = 0; i < desc->n_cols; i++) {
        tusk__column c;

        tusk__row_description_next(&columns, &c);
        if (c.name.len)
            memcpy(names, c.name.ptr, c.name.len);
        desc->cols[i] = (tusk_column){
            tusk_str_from(names, c.name.len), c.type_oid, c.typmod, c.type_len, c.table_oid, c.attnum, c.format};
        names += c.name.len;
    }
    *out = desc;
    return TUSK_OK;
}

uint16_t tusk__format_of(uint32_t type, tusk__format_rule rule)
{
    switch (rule) {
    case TUSK__FORMATS_TEXT:
        return 0;
    case TUSK__FORMATS_KNOWN:
        return tusk__type_has_send(type);
    case TUSK__FORMATS_REFUSED:
        return tusk__type_surely_has_send(type);
    case TUSK__FORMATS_BINARY:
        break;
    }
    return 1;
}

void tusk__desc_set_formats(tusk__desc *desc, tusk__format_rule rule)
{
    for (int i = 0; i < desc->n_cols; i++)
        desc->cols[i].format = tusk__format_of(desc->cols[i].type, rule);
}

tusk__desc *tusk__desc_copy(const tusk__desc *desc, tusk__desc **spare)
{
    size_t fixed = sizeof *desc + (size_t)desc->n_cols * sizeof desc->cols[0], names = 0, size;
    tusk__desc *copy;

    for (int i = 0; i < desc->n_cols; i++)
        names += desc->cols[i].name.len;
    size = fixed + names;
    copy = desc_memory(desc->allocator, spare, &size);
    if (!copy)
        return NULL;
    memcpy(copy, desc, fixed + names);
    copy->refs = 1;
    copy->size = size;
    for (int i = 0; i < desc->n_cols; i++)
        copy->cols[i].name.ptr = (char *)copy + (desc->cols[i].name.ptr - (const char *)desc);
    return copy;
}

void tusk__desc_unref(tusk__desc *desc)
{
    if (desc && --desc->refs == 0)
        desc->allocator->free(desc, desc->allocator->user);
}

/* ---- rows ---- */

static void drop_runs(tusk__result *result, size_t n)
{
    for (size_t i = 0; i < n; i++)
        tusk__chunk_unref(result->runs[i].chunk);
    result->n_runs -= n;
    if (result->n_runs > 0)
        memmove(result->runs, result->runs + n, result->n_runs * sizeof *result->runs);
}

/* A statement that is not prepared describes its columns each time: the memory for that is kept. */
static void drop_desc(tusk__result *result)
{
    tusk__desc *desc = result->desc;

    result->desc = NULL;
    if (!desc)
        return;
    if (desc->refs > 1) {
        desc->refs--;
    } else if (desc->size > DESC_KEPT) {
        tusk__desc_unref(desc);
    } else {
        tusk__desc_unref(result->spare);
        result->spare = desc;
    }
}

void tusk__result_reset(tusk__result *result, const tusk_allocator *allocator)
{
    if (result->n_runs)
        drop_runs(result, result->n_runs);
    drop_desc(result);
    if (result->store_cap > STORE_KEPT) {
        allocator->free(result->store, allocator->user);
        result->store = NULL;
        result->store_cap = 0;
    }
    if (result->runs_cap > RUNS_KEPT) {
        allocator->free(result->runs, allocator->user);
        result->runs = NULL;
        result->runs_cap = 0;
    }
    result->next = NULL;
    result->outcome = NULL;
    result->tag_len = 0;
    result->n_rows = result->kept_bytes = 0;
    result->run = result->at = 0;
}

void tusk__result_cut(tusk__result *result)
{
    while (result->n_runs > result->run + 1)
        tusk__chunk_unref(result->runs[--result->n_runs].chunk);
    if (result->n_runs > result->run) {
        tusk__run *last = &result->runs[result->run];

        last->end = result->at ? result->at : last->begin;
    }
    result->kept_bytes = 0;
}

void tusk__result_free(tusk__result *result, const tusk_allocator *allocator)
{
    tusk__result_reset(result, allocator);
    allocator->free(result->store, allocator->user);
    allocator->free(result->runs, allocator->user);
    tusk__desc_unref(result->spare);
    result->spare = NULL;
    result->store = NULL;
    result->runs = NULL;
    result->store_cap = result->runs_cap = 0;
}

static bool room_for_run(tusk__result *result, const tusk_allocator *allocator)
{
    size_t cap = result->runs_cap ? result->runs_cap * 2 : 4, size;
    tusk__run *runs;

    if (result->n_runs < result->runs_cap)
        return true;
    if (!tusk__size_mul(cap, sizeof *runs, &size))
        return false;
    runs = allocator->realloc(result->runs, size, allocator->user);
    if (!runs)
        return false;
    result->runs = runs;
    result->runs_cap = cap;
    return true;
}

tusk_code tusk__result_keep(tusk__result *result, const tusk_allocator *allocator, tusk__chunk *chunk, tusk_str body)
{
    size_t begin = (size_t)((const uint8_t *)body.ptr - chunk->data) - TUSK__FRAME_HEADER;
    size_t end = begin + TUSK__FRAME_HEADER + body.len;
    tusk__run *last = result->n_runs ? &result->runs[result->n_runs - 1] : NULL;

    if (last && last->chunk == chunk && last->end == begin) {
        last->end = end;
    } else {
        if (!room_for_run(result, allocator))
            return TUSK_ERR_NOMEM;
        result->runs[result->n_runs++] = (tusk__run){tusk__chunk_ref(chunk), begin, end};
    }
    result->n_rows++;
    result->kept_bytes += end - begin;
    return TUSK_OK;
}

void tusk__result_keep_more(tusk__result *result, tusk_str rows, size_t n)
{
    assert(result->n_runs > 0);
    result->runs[result->n_runs - 1].end += rows.len;
    result->n_rows += n;
    result->kept_bytes += rows.len;
}

void tusk__result_drop_rows(tusk__result *result)
{
    if (result->n_runs)
        drop_runs(result, result->n_runs);
    result->n_rows = result->kept_bytes = 0;
    result->run = result->at = 0;
}

static bool is_sparse(const tusk__result *result)
{
    size_t pinned = 0;

    for (size_t i = 0; i < result->n_runs; i++)
        if (i == 0 || result->runs[i].chunk != result->runs[i - 1].chunk)
            pinned += result->runs[i].chunk ? result->runs[i].chunk->cap : 0;
    return result->kept_bytes < pinned / SPARSE_PART;
}

static bool room_in_store(tusk__result *result, const tusk_allocator *allocator)
{
    size_t cap = tusk__size_roomy(result->kept_bytes);
    uint8_t *store;

    if (result->store_cap >= result->kept_bytes)
        return true;
    store = allocator->realloc(result->store, cap, allocator->user);
    if (!store)
        return false;
    result->store = store;
    result->store_cap = cap;
    return true;
}

void tusk__result_compact(tusk__result *result, const tusk_allocator *allocator)
{
    size_t at = 0;

    /* not behind a walk that has begun: the row that it handed out points into a chunk */
    if (result->n_runs == 0 || result->run != 0 || result->at != 0 || !is_sparse(result) ||
        !room_in_store(result, allocator))
        return;
    for (size_t i = 0; i < result->n_runs; i++) {
        const tusk__run *run = &result->runs[i];

        memcpy(result->store + at, run->chunk->data + run->begin, run->end - run->begin);
        at += run->end - run->begin;
        tusk__chunk_unref(run->chunk);
    }
    result->runs[0] = (tusk__run){NULL, 0, at};
    result->n_runs = 1;
}

/* ---- walking ---- */

const uint8_t *tusk__result_next(tusk__result *result, bool consume)
{
    while (result->run < result->n_runs) {
        tusk__run *run = &result->runs[result->run];
        const uint8_t *base = run->chunk ? run->chunk->data : result->store;
        size_t at = result->at ? result->at : run->begin;
        size_t len;

        if (consume && result->run > 0) {
            drop_runs(result, result->run);
            result->run = 0;
            continue;
        }
        if (at < run->end) {
            len = 1 + tusk__be32(base + at + 1);
            result->at = at + len;
            if (consume) { /* gone, for a rewind too */
                result->kept_bytes -= len;
                run->begin = result->at;
            }
            return base + at + TUSK__FRAME_HEADER;
        }
        if (result->run + 1 == result->n_runs) /* stay: more rows may extend this run */
            return NULL;
        result->run++;
        result->at = 0;
    }
    return NULL;
}

/* Up to there it is taken. */
static void take_to(tusk__result *result, tusk__run *run, bool consume, size_t at)
{
    if (consume) {
        result->kept_bytes += run->begin;
        result->kept_bytes -= at;
        run->begin = at;
    }
    result->at = at;
}

size_t tusk__result_more(tusk__result *result, bool consume, const uint8_t **bodies, size_t n, size_t max_bytes,
                         size_t *bytes)
{
    tusk__run *run = &result->runs[result->run];
    const uint8_t *base = run->chunk ? run->chunk->data : result->store;
    const uint8_t *begin = base + result->at, *p = begin, *end = base + run->end;
    size_t i;

    for (i = 0; i < n && p < end && (size_t)(p - begin) < max_bytes; i++) {
        bodies[i] = p + TUSK__FRAME_HEADER;
        p += 1 + tusk__be32(p + 1);
    }
    *bytes = (size_t)(p - begin);
    take_to(result, run, consume, (size_t)(p - base));
    return i;
}

void tusk__result_back(tusk__result *result, bool consume, const uint8_t *body)
{
    tusk__run *run = &result->runs[result->run];
    const uint8_t *base = run->chunk ? run->chunk->data : result->store;

    take_to(result, run, consume, (size_t)(body - TUSK__FRAME_HEADER - base));
}

const uint8_t *tusk__result_first(const tusk__result *result)
{
    for (size_t i = 0; i < result->n_runs; i++) {
        const tusk__run *run = &result->runs[i];

        if (run->begin < run->end)
            return (run->chunk ? run->chunk->data : result->store) + run->begin + TUSK__FRAME_HEADER;
    }
    return NULL;
}

void tusk__result_rewind(tusk__result *result)
{
    result->run = result->at = 0;
}
