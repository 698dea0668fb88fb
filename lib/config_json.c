/* A JSON document becomes a tusk_config: one block with the struct, the document's own facts, and all texts.
 * Who reads it is lib/config_json_walk.c.
 * Read first: lib/config_json.h; docs/config.md, "A JSON document". */
#include "lib/config_json.h"

#include "lib/config_json_reader.h"
#include "lib/crypto.h"
#include "lib/settings.h"
#include "proto/error_set.h"

#define DEPTH_MAX 64 /* what counts needs 4; the rest is another program's */

/* ---- the block -------------------------------------------------------------------------------------------------------------------- */

/* Pairs of server_settings anywhere in the document, each with its end: a name and a value have 6 bytes of syntax at least. */
static size_t pairs_max(tusk_str document)
{
    return document.len / 3 + 3;
}

/* Texts are never longer than in the document, where each has its quotes, a colon or a comma for the NUL. */
static size_t block_size(tusk_str document)
{
    return sizeof(tusk__json_block) + pairs_max(document) * sizeof(char *) + document.len + 32;
}

static tusk_code make(tusk__json_reader *r, const tusk_allocator *allocator, tusk_config **config)
{
    size_t size = block_size(r->document);
    tusk_code code;

    r->b = allocator->malloc(size, allocator->user);
    if (!r->b)
        return tusk__error_set(r->err, TUSK_ERR_NOMEM, NULL, "out of memory for a JSON document");
    memset(r->b, 0, size);
    r->b->config.document = &r->b->document;
    r->b->document.allocator = *allocator;
    r->b->document.size = size;
    r->pairs = (const char **)(void *)(r->b + 1);
    r->pairs_end = r->pairs + pairs_max(r->document);
    r->out = (char *)r->pairs_end;
    r->room_end = (char *)r->b + size;
    code = tusk__json_walk(r);
    if (code == TUSK_OK)
        *config = &r->b->config;
    else
        tusk_config_free(&r->b->config);
    return code;
}

/* All of it is read once, to see that it is JSON, before any of it counts. */
static tusk_code check(tusk__json_reader *r)
{
    r->json = tusk__json_begin(r->document, DEPTH_MAX);
    if (!tusk__json_skip(&r->json) || !tusk__json_finish(&r->json))
        return tusk__json_refuse_document(r);
    r->json = tusk__json_begin(r->document, DEPTH_MAX);
    return TUSK_OK;
}

tusk_code tusk_config_from_json(tusk_str json, const tusk_allocator *allocator, tusk_config **config, tusk_error *err)
{
    tusk__json_reader r = {.document = tusk_str_from(json.ptr ? json.ptr : "", json.len), .err = err};
    tusk_code code;

    tusk__error_begin(err);
    *config = NULL;
    code = check(&r);
    if (code == TUSK_OK)
        code = make(&r, allocator ? allocator : tusk_allocator_default(), config);
    if (code != TUSK_OK)
        tusk__settings_refused(err);
    return code;
}

void tusk_config_free(tusk_config *config)
{
    tusk__json_block *b = (tusk__json_block *)config;
    tusk_allocator allocator;

    if (!b)
        return;
    allocator = b->document.allocator;
    tusk__crypto_openssl()->wipe(b, b->document.size);
    allocator.free(b, allocator.user);
}
/* ---- what the rest of the library asks ---------------------------------------------------------------------------------------- */

const char *tusk__document_text(const tusk_config_document *document, size_t i, const char *field, tusk__origin *origin)
{
    const char *text = document->text[i];
    bool has_field = tusk__params[i].config_offset != TUSK__NO_FIELD;

    if (!text || !text[0] || (has_field && field != text))
        return field;
    *origin = document->origin[i];
    return text;
}

void tusk__document_places(const tusk_config *config, tusk__origin *timeout, tusk__origin *server_settings)
{
    const tusk_config_document *d = config->document;

    if (!d)
        return;
    if (d->timeout == config->connect_timeout && d->timeout_origin.line > 0)
        *timeout = d->timeout_origin;
    if (d->server_settings == config->server_settings && d->settings_origin.line > 0)
        *server_settings = d->settings_origin;
}

bool tusk__document_dsn(const tusk_config *config, tusk__origin *origin)
{
    const tusk_config_document *d = config->document;

    if (!d || !d->dsn || d->dsn != config->dsn)
        return false;
    *origin = d->dsn_origin;
    return true;
}

bool tusk__document_kept(const tusk_config_document *document, size_t key, double *value, tusk__origin *origin)
{
    if (document->kept_origin[key].line == 0)
        return false;
    *value = document->kept[key];
    *origin = document->kept_origin[key];
    return true;
}
