/* What one member of a JSON document means: a parameter's text, or a key of its own.
 * It judges no value of a parameter: that is lib/apply.c's, when the configuration is used.
 * Read first: lib/config_json_reader.h. */
#include <assert.h>
#include <stdio.h>

#include "lib/config_json_reader.h"
#include "proto/error_set.h"

/* ---- texts ---------------------------------------------------------------------------------------------------------------------- */

static void put_bytes(tusk__json_reader *r, const char *bytes, size_t len)
{
    assert((size_t)(r->room_end - r->out) > len);
    memcpy(r->out, bytes, len);
    r->out += len;
}

static const char *put_text(tusk__json_reader *r, const char *text)
{
    const char *at = r->out;

    put_bytes(r, text, strlen(text) + 1);
    return at;
}

/* One value as a parameter's text: false if it is of a type that cannot be one. */
static bool put_scalar(tusk__json_reader *r, json_t *value, const tusk__param *param)
{
    bool is_number = param->kind == TUSK__KIND_PORT || param->kind == TUSK__KIND_SECONDS ||
                     param->kind == TUSK__KIND_INTEGER || param->kind == TUSK__KIND_CHOICE ||
                     param->kind == TUSK__KIND_COUNT || param->kind == TUSK__KIND_DURATION;
    char digits[32];

    if (json_is_string(value)) {
        put_bytes(r, json_string_value(value), json_string_length(value));
        return true;
    }
    if (json_is_boolean(value) && param->kind == TUSK__KIND_CHOICE) {
        put_bytes(r, json_is_true(value) ? "1" : "0", 1);
        return true;
    }
    if (json_is_real(value) && param->kind == TUSK__KIND_DURATION) { /* there is room: the key's name is as long */
        snprintf(digits, sizeof digits, "%.6f", json_real_value(value));
        put_bytes(r, digits, strlen(digits));
        return true;
    }
    if (!json_is_integer(value) || !is_number)
        return false;
    snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    put_bytes(r, digits, strlen(digits));
    return true;
}

/* Hosts, addresses and ports may be lists, as in asyncpg. */
static bool put_list(tusk__json_reader *r, json_t *list, const tusk__param *param)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (i > 0)
            put_bytes(r, ",", 1);
        if (!put_scalar(r, json_array_get(list, i), param))
            return false;
    }
    return true;
}

static void keep_text(tusk__json_reader *r, tusk__param_id id, const char *text)
{
    size_t offset = tusk__params[id].config_offset;

    if (offset != TUSK__NO_FIELD)
        memcpy((char *)&r->b->config + offset, &text, sizeof text);
    r->b->document.text[id] = text;
    r->b->document.origin[id] = tusk__json_place_of(r);
}

tusk_code tusk__json_read_param(tusk__json_reader *r, const char *name, const tusk__param *param, json_t *value)
{
    bool may_be_list =
        param->kind == TUSK__KIND_NAME || param->kind == TUSK__KIND_ADDRESS || param->kind == TUSK__KIND_PORT;
    const char *text = r->out;
    bool fits = may_be_list && json_is_array(value) ? put_list(r, value, param) : put_scalar(r, value, param);

    if (!fits)
        return tusk__json_refuse(r, name,
                                 param->kind == TUSK__KIND_PORT || param->kind == TUSK__KIND_SECONDS ||
                                         param->kind == TUSK__KIND_INTEGER || param->kind == TUSK__KIND_COUNT
                                     ? "must be a whole number, or a string"
                                 : param->kind == TUSK__KIND_DURATION ? "must be a number, or a string"
                                                                      : "must be a string");
    put_bytes(r, "", 1);
    keep_text(r, (tusk__param_id)tusk__param_index(param), text);
    return TUSK_OK;
}
/* ---- keys of their own ------------------------------------------------------------------------------------------------------ */

static tusk_code read_ssl(tusk__json_reader *r, json_t *value)
{
    if (!json_is_string(value) && !json_is_boolean(value))
        return tusk__json_refuse(r, "ssl", "must be a string, true or false");
    if (json_is_true(value)) /* as asyncpg: the system's authorities, and the name */
        keep_text(r, TUSK__PARAM_SSLROOTCERT, put_text(r, "system"));
    keep_text(r, TUSK__PARAM_SSLMODE,
              put_text(r, json_is_string(value) ? json_string_value(value)
                          : json_is_true(value) ? "verify-full"
                                                : "disable"));
    return TUSK_OK;
}

static tusk_code read_direct_tls(tusk__json_reader *r, json_t *value)
{
    keep_text(r, TUSK__PARAM_SSLNEGOTIATION, put_text(r, json_is_true(value) ? "direct" : "postgres"));
    return TUSK_OK;
}

/* To asyncpg 0 is a time that is over already: there is no use in giving it. */
static tusk_code read_timeout(tusk__json_reader *r, json_t *value)
{
    double seconds = json_number_value(value);

    if (!(seconds > 0))
        return tusk__json_refuse(r, "timeout", "must be above 0; null is for ever");
    r->b->config.connect_timeout = r->b->document.timeout = seconds;
    r->b->document.timeout_origin = tusk__json_place_of(r);
    return TUSK_OK;
}

static tusk_code read_settings(tusk__json_reader *r, json_t *object)
{
    tusk__origin origin = tusk__json_place_of(r);
    void *it = json_object_iter(object);

    r->b->config.server_settings = r->b->document.server_settings = r->pairs;
    r->b->document.settings_origin = origin;
    r->at.depth++;
    for (size_t i = 0; it; it = json_object_iter_next(object, it), i++) {
        json_t *value = json_object_iter_value(it);

        r->at.step[r->at.depth - 1] = i;
        if (!json_is_string(value))
            return tusk__json_refuse(r, "", "a value in server_settings must be a string");
        *r->pairs++ = put_text(r, json_object_iter_key(it));
        *r->pairs++ = put_text(r, json_string_value(value));
    }
    *r->pairs++ = NULL;
    r->at.depth--;
    return TUSK_OK;
}

static tusk_code read_kept(tusk__json_reader *r, const tusk__json_key *key, json_t *value)
{
    size_t i = (size_t)(key - tusk__connection_keys);

    assert(i < TUSK__JSON_KEPT_MAX);
    if (json_number_value(value) < key->least)
        return tusk__json_refuse(r, key->name, key->least > 0 ? "must be at least 1" : "must not be negative");
    r->b->document.kept[i] = json_number_value(value);
    r->b->document.kept_origin[i] = tusk__json_place_of(r);
    return TUSK_OK;
}

static tusk_code read_off(const tusk__json_reader *r, const tusk__json_key *key, json_t *value)
{
    bool is_nothing = json_is_false(value) || (json_is_number(value) && json_number_value(value) == 0.0) ||
                      (json_is_string(value) && json_string_length(value) == 0);
    char what[128];

    if (is_nothing)
        return TUSK_OK;
    snprintf(what, sizeof what, "is not supported: %s", key->help);
    return tusk__json_refuse(r, key->name, what);
}

tusk_code tusk__json_read_value(tusk__json_reader *r, const tusk__json_key *key, json_t *value)
{
    switch (key->use) {
    case TUSK__JSON_PARAM:
        return tusk__json_read_param(r, key->name, &tusk__params[key->param], value);
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
    case TUSK__JSON_KEPT:
        return read_kept(r, key, value);
    case TUSK__JSON_OFF:
        return read_off(r, key, value);
    case TUSK__JSON_EXTRA:
    case TUSK__JSON_PASSED:
        break;
    }
    return TUSK_OK;
}
