/* A JSON document becomes a tusk_config: one block with the struct, the document's own facts, and all texts.
 * It judges no value of a parameter: that is lib/apply.c's, when the configuration is used.
 * Read first: lib/config_json.h; docs/config.md, "A JSON document". */
#include "lib/config_json.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>

#include "lib/crypto.h"
#include "lib/json_place.h"
#include "proto/error_set.h"

struct tusk_config_document {
    tusk_allocator allocator;
    size_t size; /* of the block */

    const char *text[TUSK__N_PARAMS];
    tusk__origin origin[TUSK__N_PARAMS];
    double timeout; /* connect_timeout of the struct; 0: not given */
    const char *const *server_settings;
    tusk__origin timeout_origin, settings_origin;
    double kept[TUSK__JSON_KEPT_MAX];
    tusk__origin kept_origin[TUSK__JSON_KEPT_MAX]; /* line 0: not given */
};

typedef struct block {
    tusk_config config; /* first: tusk_config_free() gets its address */
    tusk_config_document document;
} block;

typedef struct reader {
    tusk_str json;
    block *b;
    const char **pairs; /* where the next pair of server_settings goes */
    char *out, *room_end;
    tusk__json_path at; /* the member at hand */
    tusk_error *err;
} reader;

/* ---- errors: place and known names, never what the document holds (D31) ---------------------------------------------------- */

static tusk__origin place_of(const reader *r)
{
    tusk__origin origin = {.kind = TUSK__FROM_JSON};

    tusk__json_place(r->json, &r->at, &origin.line, &origin.column);
    return origin;
}

static tusk_code refuse(const reader *r, const char *name, const char *what)
{
    tusk__origin at = place_of(r);

    return tusk__error_set(r->err, TUSK_ERR_CONFIG, NULL, "line %u, column %u of the JSON document: %s%s%s", at.line,
                           at.column, name, name[0] ? " " : "", what);
}

static tusk_code refuse_type(const reader *r, const char *name, char type)
{
    return refuse(r, name,
                  type == 's'   ? "must be a string"
                  : type == 'b' ? "must be true or false"
                  : type == 'i' ? "must be a whole number"
                  : type == 'n' ? "must be a number"
                                : "must be an object");
}

static tusk_code refuse_unknown(const reader *r, tusk_str name)
{
    const char *nearest = tusk__param_nearest(name);
    char what[64];

    if (!nearest)
        return refuse(r, "", "unknown key");
    snprintf(what, sizeof what, "unknown key; did you mean %s?", nearest);
    return refuse(r, "", what);
}

/* jansson's own text quotes the document. */
static const char *what_is_malformed(enum json_error_code code)
{
    switch ((int)code) {
    case json_error_stack_overflow:
        return "it is nested too deeply";
    case json_error_invalid_utf8:
        return "it is not UTF-8";
    case json_error_premature_end_of_input:
        return "it ends too early";
    case json_error_end_of_input_expected:
        return "something stands behind its end";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "\\u0000 cannot be";
    case json_error_duplicate_key:
        return "the key is there already";
    case json_error_numeric_overflow:
        return "the number is too big";
    default:
        return "it is malformed";
    }
}

static tusk_code no_memory(tusk_error *err)
{
    return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a JSON document");
}

static tusk_code refuse_json(const json_error_t *why, tusk_error *err)
{
    if (why->text[0] == '\0' || json_error_code(why) == json_error_out_of_memory) /* mostly it says nothing then */
        return no_memory(err);
    return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "line %d, column %d of the JSON document: %s",
                           why->line > 0 ? why->line : 1, why->column > 0 ? why->column : 1,
                           what_is_malformed(json_error_code(why)));
}

/* ---- texts ---------------------------------------------------------------------------------------------------------------------- */

static void put_bytes(reader *r, const char *bytes, size_t len)
{
    assert((size_t)(r->room_end - r->out) > len);
    memcpy(r->out, bytes, len);
    r->out += len;
}

static const char *put_text(reader *r, const char *text)
{
    const char *at = r->out;

    put_bytes(r, text, strlen(text) + 1);
    return at;
}

/* One value as a parameter's text: false if it is of a type that cannot be one. */
static bool put_scalar(reader *r, json_t *value, const tusk__param *param)
{
    bool is_number = param->kind == TUSK__KIND_PORT || param->kind == TUSK__KIND_SECONDS ||
                     param->kind == TUSK__KIND_INTEGER || param->kind == TUSK__KIND_CHOICE;
    char digits[32];

    if (json_is_string(value)) {
        put_bytes(r, json_string_value(value), json_string_length(value));
        return true;
    }
    if (json_is_boolean(value) && param->kind == TUSK__KIND_CHOICE) {
        put_bytes(r, json_is_true(value) ? "1" : "0", 1);
        return true;
    }
    if (!json_is_integer(value) || !is_number)
        return false;
    snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    put_bytes(r, digits, strlen(digits));
    return true;
}

/* Hosts, addresses and ports may be lists, as in asyncpg. */
static bool put_list(reader *r, json_t *list, const tusk__param *param)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (i > 0)
            put_bytes(r, ",", 1);
        if (!put_scalar(r, json_array_get(list, i), param))
            return false;
    }
    return true;
}

static void keep_text(reader *r, tusk__param_id id, const char *text)
{
    size_t offset = tusk__params[id].config_offset;

    if (offset != TUSK__NO_FIELD)
        memcpy((char *)&r->b->config + offset, &text, sizeof text);
    r->b->document.text[id] = text;
    r->b->document.origin[id] = place_of(r);
}

static tusk_code read_param(reader *r, const char *name, const tusk__param *param, json_t *value)
{
    bool may_be_list =
        param->kind == TUSK__KIND_NAME || param->kind == TUSK__KIND_ADDRESS || param->kind == TUSK__KIND_PORT;
    const char *text = r->out;
    bool fits = may_be_list && json_is_array(value) ? put_list(r, value, param) : put_scalar(r, value, param);

    if (!fits)
        return refuse(r, name,
                      param->kind == TUSK__KIND_PORT || param->kind == TUSK__KIND_SECONDS ||
                              param->kind == TUSK__KIND_INTEGER
                          ? "must be a whole number, or a string"
                          : "must be a string");
    put_bytes(r, "", 1);
    keep_text(r, (tusk__param_id)tusk__param_index(param), text);
    return TUSK_OK;
}

/* ---- keys of their own ------------------------------------------------------------------------------------------------------ */

static bool has_type(json_t *value, char type)
{
    switch (type) {
    case 's':
        return json_is_string(value);
    case 'b':
        return json_is_boolean(value);
    case 'i':
        return json_is_integer(value);
    case 'n':
        return json_is_number(value);
    case 'o':
        return json_is_object(value);
    default:
        return true;
    }
}

static tusk_code read_ssl(reader *r, json_t *value)
{
    if (!json_is_string(value) && !json_is_boolean(value))
        return refuse(r, "ssl", "must be a string, true or false");
    if (json_is_true(value)) /* as asyncpg: the system's authorities, and the name */
        keep_text(r, TUSK__PARAM_SSLROOTCERT, put_text(r, "system"));
    keep_text(r, TUSK__PARAM_SSLMODE,
              put_text(r, json_is_string(value) ? json_string_value(value)
                          : json_is_true(value) ? "verify-full"
                                                : "disable"));
    return TUSK_OK;
}

static tusk_code read_direct_tls(reader *r, json_t *value)
{
    keep_text(r, TUSK__PARAM_SSLNEGOTIATION, put_text(r, json_is_true(value) ? "direct" : "postgres"));
    return TUSK_OK;
}

/* To asyncpg 0 is a time that is over already: there is no use in giving it. */
static tusk_code read_timeout(reader *r, json_t *value)
{
    double seconds = json_number_value(value);

    if (!(seconds > 0))
        return refuse(r, "timeout", "must be above 0; null is for ever");
    r->b->config.connect_timeout = r->b->document.timeout = seconds;
    r->b->document.timeout_origin = place_of(r);
    return TUSK_OK;
}

static tusk_code read_settings(reader *r, json_t *object)
{
    tusk__origin origin = place_of(r);
    void *it = json_object_iter(object);

    r->b->config.server_settings = r->b->document.server_settings = r->pairs;
    r->b->document.settings_origin = origin;
    r->at.depth++;
    for (size_t i = 0; it; it = json_object_iter_next(object, it), i++) {
        json_t *value = json_object_iter_value(it);

        r->at.step[r->at.depth - 1] = i;
        if (!json_is_string(value))
            return refuse(r, "", "a value in server_settings must be a string");
        *r->pairs++ = put_text(r, json_object_iter_key(it));
        *r->pairs++ = put_text(r, json_string_value(value));
    }
    *r->pairs++ = NULL;
    r->at.depth--;
    return TUSK_OK;
}

static tusk_code read_kept(reader *r, const tusk__json_key *key, json_t *value)
{
    size_t i = (size_t)(key - tusk__connection_keys);

    assert(i < TUSK__JSON_KEPT_MAX);
    if (json_number_value(value) < key->least)
        return refuse(r, key->name, key->least > 0 ? "must be at least 1" : "must not be negative");
    r->b->document.kept[i] = json_number_value(value);
    r->b->document.kept_origin[i] = place_of(r);
    return TUSK_OK;
}

static tusk_code read_off(const reader *r, const tusk__json_key *key, json_t *value)
{
    bool is_nothing = json_is_false(value) || (json_is_number(value) && json_number_value(value) == 0.0) ||
                      (json_is_string(value) && json_string_length(value) == 0);
    char what[128];

    if (is_nothing)
        return TUSK_OK;
    snprintf(what, sizeof what, "is not supported: %s", key->help);
    return refuse(r, key->name, what);
}

static tusk_code read_connection(reader *r, const char *name, json_t *value);

/* ---- the walk ------------------------------------------------------------------------------------------------------------------ */

typedef tusk_code member_fn(reader *r, const char *name, json_t *value);

/* Each member of an object that is not null. */
static tusk_code read_members(reader *r, json_t *object, member_fn *read)
{
    void *it = json_object_iter(object);

    r->at.depth++;
    for (size_t i = 0; it; it = json_object_iter_next(object, it), i++) {
        r->at.step[r->at.depth - 1] = i;
        if (!json_is_null(json_object_iter_value(it)))
            TUSK_TRY(read(r, json_object_iter_key(it), json_object_iter_value(it)));
    }
    r->at.depth--;
    return TUSK_OK;
}

static tusk_code read_extra(reader *r, json_t *object)
{
    if (r->at.depth > 2)
        return refuse(r, "extra", "cannot stand in extra");
    return read_members(r, object, read_connection);
}

static const tusk__json_key *find(const tusk__json_key *key, const char *name)
{
    while (key->name && strcmp(key->name, name) != 0)
        key++;
    return key->name ? key : NULL;
}

static tusk_code read_key(reader *r, const tusk__json_key *key, json_t *value)
{
    if (!has_type(value, key->type))
        return refuse_type(r, key->name, key->type);
    switch (key->use) {
    case TUSK__JSON_PARAM:
        return read_param(r, key->name, &tusk__params[key->param], value);
    case TUSK__JSON_DSN:
        r->b->config.dsn = put_text(r, json_string_value(value));
        return TUSK_OK;
    case TUSK__JSON_TIMEOUT:
        return read_timeout(r, value);
    case TUSK__JSON_SSL:
        return read_ssl(r, value);
    case TUSK__JSON_DIRECT_TLS:
        return read_direct_tls(r, value);
    case TUSK__JSON_SETTINGS:
        return read_settings(r, value);
    case TUSK__JSON_EXTRA:
        return read_extra(r, value);
    case TUSK__JSON_KEPT:
        return read_kept(r, key, value);
    case TUSK__JSON_OFF:
        return read_off(r, key, value);
    case TUSK__JSON_PASSED:
        break;
    }
    return TUSK_OK;
}

static tusk_code read_connection(reader *r, const char *name, json_t *value)
{
    const tusk__json_key *key = find(tusk__connection_keys, name);
    const tusk__param *param = tusk__param_find(tusk_str_of(name));

    if (key)
        return read_key(r, key, value);
    if (!param)
        return refuse_unknown(r, tusk_str_of(name));
    return read_param(r, param->name, param, value);
}

static tusk_code read_feature(reader *r, const char *name, json_t *value)
{
    const tusk__json_key *key = find(tusk__feature_keys, name);

    return key ? read_key(r, key, value) : refuse(r, "", "unknown key");
}

static tusk_code read_section(reader *r, const char *name, json_t *value)
{
    bool is_connection = strcmp(name, "connection_config") == 0, is_features = strcmp(name, "driver_features") == 0;

    for (size_t i = 0; tusk__python_sections[i]; i++)
        if (strcmp(tusk__python_sections[i], name) == 0)
            return TUSK_OK;
    if (!is_connection && !is_features)
        return refuse(r, "", "unknown key; a document has connection_config and driver_features");
    if (!json_is_object(value))
        return refuse(r, is_connection ? "connection_config" : "driver_features", "must be an object");
    return read_members(r, value, is_connection ? read_connection : read_feature);
}

/* ---- the block -------------------------------------------------------------------------------------------------------------------- */

/* Pairs of server_settings anywhere in the document, each with its end: a name and a value have 6 bytes of syntax at least. */
static size_t pairs_max(tusk_str json)
{
    return json.len / 3 + 3;
}

/* Texts are never longer than in the document, where each has its quotes, a colon or a comma for the NUL. */
static size_t block_size(tusk_str json)
{
    return sizeof(block) + pairs_max(json) * sizeof(char *) + json.len + 32;
}

static tusk_code fill(reader *r, json_t *root)
{
    if (!json_is_object(root))
        return tusk__error_set(r->err, TUSK_ERR_CONFIG, NULL,
                               "line 1, column 1 of the JSON document: it must be an object");
    return read_members(r, root, read_section);
}

static tusk_code make(tusk_str json, const tusk_allocator *allocator, json_t *root, tusk_config **config,
                      tusk_error *err)
{
    size_t size = block_size(json);
    reader r = {.json = json, .err = err};
    tusk_code code;

    r.b = allocator->malloc(size, allocator->user);
    if (!r.b)
        return no_memory(err);
    memset(r.b, 0, size);
    r.b->config.document = &r.b->document;
    r.b->document.allocator = *allocator;
    r.b->document.size = size;
    r.pairs = (const char **)(void *)(r.b + 1);
    r.out = (char *)(r.pairs + pairs_max(json));
    r.room_end = (char *)r.b + size;
    code = fill(&r, root);
    if (code == TUSK_OK)
        *config = &r.b->config;
    else
        tusk_config_free(&r.b->config);
    return code;
}

static size_t strings_len(json_t *value)
{
    size_t len = json_string_length(value), i;
    const char *name;
    json_t *member;

    json_object_foreach(value, name, member) len += strlen(name) + strings_len(member);
    json_array_foreach(value, i, member) len += strings_len(member);
    return len;
}

/* jansson frees without wiping. Its strings are ours to change: nobody else has them. */
static void wipe_strings(json_t *value)
{
    const char *text = json_string_value(value), *name;
    json_t *member;
    size_t i;
    char *bytes;

    memcpy(&bytes, &text, sizeof bytes);
    if (bytes)
        tusk__crypto_openssl()->wipe(bytes, json_string_length(value));
    json_object_foreach(value, name, member) wipe_strings(member);
    json_array_foreach(value, i, member) wipe_strings(member);
}

tusk_code tusk_config_from_json(tusk_str json, const tusk_allocator *allocator, tusk_config **config, tusk_error *err)
{
    json_error_t why = {0};
    json_t *root;
    tusk_code code;

    tusk__error_begin(err);
    *config = NULL;
    root = json_loadb(json.ptr ? json.ptr : "", json.len, JSON_REJECT_DUPLICATES, &why);
    if (root) {
        code = strings_len(root) == tusk__json_strings_len(json)
                   ? make(json, allocator ? allocator : tusk_allocator_default(), root, config, err)
                   : no_memory(err);
        wipe_strings(root);
        json_decref(root);
    } else {
        code = refuse_json(&why, err);
    }
    if (code != TUSK_OK)
        tusk__error_where(err, "configuration");
    return code;
}

void tusk_config_free(tusk_config *config)
{
    block *b = (block *)config;
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

bool tusk__document_kept(const tusk_config_document *document, size_t key, double *value, tusk__origin *origin)
{
    if (document->kept_origin[key].line == 0)
        return false;
    *value = document->kept[key];
    *origin = document->kept_origin[key];
    return true;
}
