/* A JSON document becomes a tusk_config: one block with the struct, the document's own facts, and all texts.
 * First all of it is checked (lib/json.c), then lib/config_json_walk.c reads it and need not doubt its form.
 * Read first: lib/config_json.h; docs/config.md, "A JSON document". */
#include "lib/config_json.h"

#include "lib/config_json_reader.h"
#include "lib/crypto.h"
#include "lib/settings.h"
#include "proto/error_set.h"

#define DEPTH_MAX 128 /* a document has 4; each is a call within a call */

/* ---- the block -------------------------------------------------------------------------------------------------------------------- */

/* Pairs of server_settings anywhere in the document, each with its end: a name and a value have 6 bytes of syntax at least. */
static size_t pairs_max(tusk_str json)
{
    return json.len / 3 + 3;
}

/* Texts are never longer than in the document, where each has its quotes, a colon or a comma for the NUL. */
static size_t block_size(tusk_str json)
{
    return sizeof(tusk__json_block) + pairs_max(json) * sizeof(char *) + json.len + 32;
}

static tusk_code make(tusk_str json, const tusk_allocator *allocator, tusk_config **config, tusk_error *err)
{
    size_t size = block_size(json);
    tusk__json_cursor c = {.p = json.ptr, .end = json.ptr + json.len, .depth_max = DEPTH_MAX};
    tusk__json_reader r = {.json = json, .at = json.ptr, .err = err};
    tusk_code code;

    r.b = allocator->malloc(size, allocator->user);
    if (!r.b)
        return tusk__json_no_memory(err);
    memset(r.b, 0, size);
    r.b->config.document = &r.b->document;
    r.b->document.allocator = *allocator;
    r.b->document.size = size;
    r.pairs = (const char **)(void *)(r.b + 1);
    r.out = (char *)(r.pairs + pairs_max(json));
    r.room_end = (char *)r.b + size;
    tusk__json_skip_blanks(&c);
    code = tusk__json_walk(&r, tusk__json_take_value(&c));
    if (code == TUSK_OK)
        *config = &r.b->config;
    else
        tusk_config_free(&r.b->config);
    return code;
}

/* ---- before anything is made of it ------------------------------------------------------------------------------------------------- */

static void pass_over(tusk__json_cursor *c)
{
    tusk__json_skip_blanks(c);
    (void)(tusk__json_skip_value(c, 0) && tusk__json_take_end(c));
}

static tusk_code check_names(tusk_str json, size_t n, const tusk_allocator *allocator, tusk_error *err)
{
    tusk__json_cursor c = {.p = json.ptr, .end = json.ptr + json.len, .depth_max = DEPTH_MAX};
    const char *twice;

    if (n == 0)
        return TUSK_OK;
    c.names = allocator->malloc(n * sizeof *c.names, allocator->user);
    if (!c.names)
        return tusk__json_no_memory(err);
    pass_over(&c);
    twice = tusk__json_twice(c.names, n, c.end);
    allocator->free(c.names, allocator->user);
    return twice ? tusk__json_refuse_twice(json, twice, err) : TUSK_OK;
}

/* It is JSON, all of it, and no object has a name twice. */
static tusk_code check(tusk_str json, const tusk_allocator *allocator, tusk_error *err)
{
    tusk__json_cursor c = {.p = json.ptr, .end = json.ptr + json.len, .depth_max = DEPTH_MAX};

    pass_over(&c);
    if (c.fault != TUSK__JSON_FINE)
        return tusk__json_refuse_document(json, &c, err);
    return check_names(json, c.n_names, allocator, err);
}

tusk_code tusk_config_from_json(tusk_str json, const tusk_allocator *allocator, tusk_config **config, tusk_error *err)
{
    tusk_code code;

    tusk__error_begin(err);
    *config = NULL;
    if (!allocator)
        allocator = tusk_allocator_default();
    if (!json.ptr)
        json = tusk_str_of("");
    code = check(json, allocator, err);
    if (code == TUSK_OK)
        code = make(json, allocator, config, err);
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
