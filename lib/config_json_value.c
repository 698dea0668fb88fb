/* What one member of a JSON document means: a parameter's text, or a key of its own.
 * It judges no value of a parameter: that is lib/apply.c's, when the configuration is used.
 * Read first: lib/config_json_reader.h. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/config_json_reader.h"
#include "proto/bounds.h"
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

/* By hand, as printf's decimal point is the locale's. What is no duration is refused by who judges it. */
static void print_seconds(double seconds, char *out, size_t size)
{
    double us = seconds > 0 && seconds < 1e-6 ? 1 : seconds * 1e6 + 0.5;

    if (seconds >= 0 && us < 9e15)
        snprintf(out, size, "%" PRId64 ".%06d", (int64_t)us / 1000000, (int)((int64_t)us % 1000000));
    else
        snprintf(out, size, "%s", seconds < 0 ? "-1" : "9999999999");
}

/* Of the CHOICEs, those that are switches are called 0 and 1. */
static bool is_switch(const tusk__param *param)
{
    for (const tusk__choice *choice = param->choices; choice && choice->word; choice++)
        if (strcmp(choice->word, "1") == 0)
            return true;
    return false;
}

static tusk_code put_number(tusk__json_reader *r, const tusk__param *param, bool *fits)
{
    bool is_whole = param->kind == TUSK__KIND_PORT || param->kind == TUSK__KIND_SECONDS ||
                    param->kind == TUSK__KIND_INTEGER || param->kind == TUSK__KIND_COUNT || is_switch(param);
    bool is_duration = param->kind == TUSK__KIND_DURATION;
    tusk__json_number number;
    char digits[32];

    *fits = is_whole || is_duration;
    if (!tusk__json_number_take(&r->json, &number))
        return tusk__json_refuse_document(r);
    if (number.is_whole) {
        snprintf(digits, sizeof digits, "%" PRId64, number.whole);
    } else { /* there is room: the name of the one key of this kind is as long */
        *fits = is_duration;
        print_seconds(number.real, digits, sizeof digits);
    }
    if (*fits)
        put_bytes(r, digits, strlen(digits));
    return TUSK_OK;
}

/* The value at hand as a parameter's text. *fits: it is of a type that can be one. */
static tusk_code put_scalar(tusk__json_reader *r, const tusk__param *param, bool *fits)
{
    char type = tusk__json_type(&r->json);
    tusk_str text;

    *fits = type == '"' || ((type == 't' || type == 'f') && is_switch(param));
    if (type == '0')
        return put_number(r, param, fits);
    if (type == '"' && tusk__json_text(&r->json, r->out, &text)) {
        r->out += text.len;
    } else if (*fits) {
        put_bytes(r, type == 't' ? "1" : "0", 1);
        (void)tusk__json_skip(&r->json);
    }
    return TUSK_OK;
}

/* Hosts, addresses and ports may be lists, as in asyncpg. */
static tusk_code put_list(tusk__json_reader *r, const tusk__param *param, bool *fits)
{
    bool is_first = true;

    *fits = true;
    (void)tusk__json_open(&r->json, '[');
    for (size_t i = 0; *fits && tusk__json_more(&r->json, '[', &is_first); i++) {
        if (i > 0)
            put_bytes(r, ",", 1);
        TUSK_TRY(put_scalar(r, param, fits));
    }
    return TUSK_OK;
}

static void keep_text(tusk__json_reader *r, tusk__param_id id, const char *text)
{
    size_t offset = tusk__params[id].config_offset;

    if (offset != TUSK__NO_FIELD)
        memcpy((char *)&r->b->config + offset, &text, sizeof text);
    r->b->document.text[id] = text;
    r->b->document.origin[id] = tusk__json_place_of(r);
}

tusk_code tusk__json_read_param(tusk__json_reader *r, const char *name, const tusk__param *param)
{
    bool may_be_list =
        param->kind == TUSK__KIND_NAME || param->kind == TUSK__KIND_ADDRESS || param->kind == TUSK__KIND_PORT;
    const char *text = r->out;
    bool fits;

    if (may_be_list && tusk__json_type(&r->json) == '[')
        TUSK_TRY(put_list(r, param, &fits));
    else
        TUSK_TRY(put_scalar(r, param, &fits));
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

static bool is_sslmode(tusk__json json)
{
    const tusk__choice *mode = tusk__params[TUSK__PARAM_SSLMODE].choices;

    for (; mode->word; mode++) {
        tusk__json at = json;

        if (tusk__json_text_is(&at, tusk_str_of(mode->word)))
            return true;
    }
    return false;
}

static const char *put_string(tusk__json_reader *r)
{
    const char *at = r->out;
    tusk_str text = {NULL, 0};

    (void)tusk__json_text(&r->json, r->out, &text);
    r->out += text.len;
    put_bytes(r, "", 1);
    return at;
}

static tusk_code read_ssl(tusk__json_reader *r)
{
    char type = tusk__json_type(&r->json);

    if (type == '"' && is_sslmode(r->json)) {
        keep_text(r, TUSK__PARAM_SSLMODE, put_string(r));
        return TUSK_OK;
    }
    if (type != 't' && type != 'f')
        return tusk__json_refuse(r, "ssl", "must be true, false or a word for sslmode");
    if (type == 't') /* as asyncpg: the system's authorities, and the name */
        keep_text(r, TUSK__PARAM_SSLROOTCERT, put_text(r, "system"));
    keep_text(r, TUSK__PARAM_SSLMODE, put_text(r, type == 't' ? "verify-full" : "disable"));
    (void)tusk__json_skip(&r->json);
    return TUSK_OK;
}

static tusk_code read_direct_tls(tusk__json_reader *r)
{
    bool is_direct = tusk__json_type(&r->json) == 't';

    keep_text(r, TUSK__PARAM_SSLNEGOTIATION, put_text(r, is_direct ? "direct" : "postgres"));
    (void)tusk__json_skip(&r->json);
    return TUSK_OK;
}

static tusk_code read_dsn(tusk__json_reader *r)
{
    r->b->config.dsn = r->b->document.dsn = put_string(r);
    r->b->document.dsn_origin = tusk__json_place_of(r);
    return TUSK_OK;
}

/* To asyncpg 0 is a time that is over already: there is no use in giving it. */
static tusk_code read_timeout(tusk__json_reader *r)
{
    tusk__json_number seconds;

    if (!tusk__json_number_take(&r->json, &seconds))
        return tusk__json_refuse_document(r);
    if (!(seconds.real > 0))
        return tusk__json_refuse(r, "timeout", "must be above 0; null is for ever");
    r->b->config.connect_timeout = r->b->document.timeout = seconds.real;
    r->b->document.timeout_origin = tusk__json_place_of(r);
    return TUSK_OK;
}

/* More than a StartupMessage could hold are not looked at. */
static tusk_code read_setting(tusk__json_reader *r, tusk_str name)
{
    const char *at = r->out;

    if (tusk__json_type(&r->json) != '"')
        return tusk__json_refuse(r, "", "a value in server_settings must be a string");
    if (r->pairs - r->b->document.server_settings >= TUSK__STARTUP_PACKET_MAX / 2)
        return tusk__json_refuse(r, "server_settings", "has more members than a StartupMessage holds");
    r->out += name.len;
    put_bytes(r, "", 1);
    *r->pairs++ = at;
    *r->pairs++ = put_string(r);
    return TUSK_OK;
}

static tusk_code read_settings(tusk__json_reader *r)
{
    r->b->config.server_settings = r->b->document.server_settings = r->pairs;
    r->b->document.settings_origin = tusk__json_place_of(r);
    TUSK_TRY(tusk__json_members(r, read_setting));
    assert(r->pairs < r->pairs_end);
    *r->pairs++ = NULL;
    return TUSK_OK;
}

static tusk_code read_kept(tusk__json_reader *r, const tusk__json_key *key)
{
    size_t i = (size_t)(key - tusk__connection_keys);
    tusk__json_number number;

    assert(i < TUSK__JSON_KEPT_MAX);
    if (!tusk__json_number_take(&r->json, &number))
        return tusk__json_refuse_document(r);
    if (number.real < key->least)
        return tusk__json_refuse(r, key->name, key->least > 0 ? "must be at least 1" : "must not be negative");
    r->b->document.kept[i] = number.real;
    r->b->document.kept_origin[i] = tusk__json_place_of(r);
    return TUSK_OK;
}

static bool is_nothing(tusk__json json)
{
    tusk__json_number number;

    switch (tusk__json_type(&json)) {
    case 'f':
        return true;
    case '0':
        return tusk__json_number_take(&json, &number) && number.real == 0.0;
    case '"':
        return tusk__json_text_is(&json, tusk_str_of(""));
    default:
        return false;
    }
}

static tusk_code read_off(tusk__json_reader *r, const tusk__json_key *key)
{
    char what[128];

    if (is_nothing(r->json)) {
        (void)tusk__json_skip(&r->json);
        return TUSK_OK;
    }
    snprintf(what, sizeof what, "is not supported: %s", key->help);
    return tusk__json_refuse(r, key->name, what);
}

tusk_code tusk__json_read_value(tusk__json_reader *r, const tusk__json_key *key)
{
    switch (key->use) {
    case TUSK__JSON_PARAM:
        return tusk__json_read_param(r, key->name, &tusk__params[key->param]);
    case TUSK__JSON_DSN:
        return read_dsn(r);
    case TUSK__JSON_TIMEOUT:
        return read_timeout(r);
    case TUSK__JSON_SSL:
        return read_ssl(r);
    case TUSK__JSON_DIRECT_TLS:
        return read_direct_tls(r);
    case TUSK__JSON_SETTINGS:
        return read_settings(r);
    case TUSK__JSON_KEPT:
        return read_kept(r, key);
    case TUSK__JSON_OFF:
        return read_off(r, key);
    case TUSK__JSON_EXTRA:
    case TUSK__JSON_PASSED:
        break;
    }
    (void)tusk__json_skip(&r->json);
    return TUSK_OK;
}
