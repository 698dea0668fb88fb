/* What one member of a JSON document means: a parameter's text, or a key of its own.
 * It judges no value of a parameter: that is lib/apply.c's, when the configuration is used.
 * Read first: lib/config_json_reader.h. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "lib/codec/codec.h"
#include "lib/config_json_reader.h"
#include "proto/error_set.h"

/* ---- texts ---------------------------------------------------------------------------------------------------------------------- */

static void put_bytes(tusk__json_reader *r, const char *bytes, size_t len)
{
    assert((size_t)(r->room_end - r->out) > len);
    memcpy(r->out, bytes, len);
    r->out += len;
}

static const char *put_word(tusk__json_reader *r, const char *word)
{
    const char *at = r->out;

    put_bytes(r, word, strlen(word) + 1);
    return at;
}

/* A text, without its NUL. */
static void put_characters(tusk__json_reader *r, tusk__json_value value)
{
    tusk__json_cursor c = {.p = value.ptr, .end = value.ptr + value.len, .to = r->out};
    tusk_str text = {NULL, 0};

    assert((size_t)(r->room_end - r->out) > value.len);
    (void)tusk__json_take_text(&c, &text);
    r->out = c.to;
}

static const char *put_text(tusk__json_reader *r, tusk__json_value value)
{
    const char *at = r->out;

    put_characters(r, value);
    put_bytes(r, "", 1);
    return at;
}

/* ---- values --------------------------------------------------------------------------------------------------------------------- */

char tusk__json_type(tusk__json_value value)
{
    switch (value.ptr[0]) {
    case '"':
        return 's';
    case '{':
        return 'o';
    case '[':
        return 'a';
    case 't':
    case 'f':
        return 'b';
    case 'n':
        return '0';
    default:
        break;
    }
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] == '.' || value.ptr[i] == 'e' || value.ptr[i] == 'E')
            return 'n';
    return 'i';
}

static bool is_text(tusk__json_value value)
{
    return tusk__json_type(value) == 's';
}

static bool is_boolean(tusk__json_value value)
{
    return tusk__json_type(value) == 'b';
}

static bool is_true(tusk__json_value value)
{
    return value.ptr[0] == 't';
}

static bool is_number(tusk__json_value value)
{
    return tusk__json_type(value) == 'i' || tusk__json_type(value) == 'n';
}

/* Whole numbers are those of 64 bits. */
static bool read_number(tusk__json_value number, double *out)
{
    bool is_whole = tusk__json_type(number) == 'i';
    tusk_value value = {0};

    if (tusk__codec_of(is_whole ? TUSK_OID_INT8 : TUSK_OID_FLOAT8)->parse(number, &value, NULL) != TUSK_OK)
        return false;
    *out = is_whole ? (double)value.as.integer : value.as.real;
    return true;
}

static tusk_code refuse_size(const tusk__json_reader *r, const char *name)
{
    return tusk__json_refuse(r, name, "is a number out of range");
}

/* ---- parameters ----------------------------------------------------------------------------------------------------------------- */

/* Of the CHOICEs, those that are switches are called 0 and 1. */
static bool is_switch(const tusk__param *param)
{
    for (const tusk__choice *choice = param->choices; choice && choice->word; choice++)
        if (strcmp(choice->word, "1") == 0)
            return true;
    return false;
}

static bool is_numeric(const tusk__param *param)
{
    return param->kind == TUSK__KIND_PORT || param->kind == TUSK__KIND_SECONDS || param->kind == TUSK__KIND_INTEGER ||
           param->kind == TUSK__KIND_COUNT || param->kind == TUSK__KIND_DURATION || is_switch(param);
}

/* Seconds as a decimal, whatever the locale; there is room, as the key's name is as long. Who uses it refuses what is below 0, or
 * too long. */
static void put_seconds(tusk__json_reader *r, double seconds)
{
    double us = (seconds < 0 ? -seconds : seconds) * 1e6 + 0.5;
    int64_t whole = us < 1e17 ? (int64_t)us : INT64_C(100000000000000000);
    char digits[32];

    snprintf(digits, sizeof digits, "%s%" PRId64 ".%06" PRId64, seconds < 0 ? "-" : "", whole / 1000000,
             whole % 1000000);
    put_bytes(r, digits, strlen(digits));
}

static tusk_code refuse_kind(const tusk__json_reader *r, const char *name, const tusk__param *param)
{
    return tusk__json_refuse(r, name,
                             param->kind == TUSK__KIND_PORT || param->kind == TUSK__KIND_SECONDS ||
                                     param->kind == TUSK__KIND_INTEGER || param->kind == TUSK__KIND_COUNT
                                 ? "must be a whole number, or a string"
                             : param->kind == TUSK__KIND_DURATION ? "must be a number, or a string"
                                                                  : "must be a string");
}

static tusk_code put_number(tusk__json_reader *r, const char *name, const tusk__param *param, tusk__json_value number)
{
    bool is_whole = tusk__json_type(number) == 'i';
    double real;

    if (!is_numeric(param) || (!is_whole && param->kind != TUSK__KIND_DURATION))
        return refuse_kind(r, name, param);
    if (!read_number(number, &real))
        return refuse_size(r, name);
    if (is_whole)
        put_bytes(r, number.ptr, number.len);
    else
        put_seconds(r, real);
    return TUSK_OK;
}

/* One value as a parameter's text. */
static tusk_code put_scalar(tusk__json_reader *r, const char *name, const tusk__param *param, tusk__json_value value)
{
    if (is_number(value))
        return put_number(r, name, param, value);
    if (is_text(value))
        put_characters(r, value);
    else if (is_boolean(value) && is_switch(param))
        put_bytes(r, is_true(value) ? "1" : "0", 1);
    else
        return refuse_kind(r, name, param);
    return TUSK_OK;
}

/* Hosts, addresses and ports may be lists, as in asyncpg. */
static tusk_code put_list(tusk__json_reader *r, const char *name, const tusk__param *param, tusk__json_value list)
{
    tusk__json_cursor c = {.p = list.ptr + 1, .end = list.ptr + list.len};
    bool is_first = true;

    for (bool more = tusk__json_enter(&c, ']'); more; more = tusk__json_next(&c, ']')) {
        if (!is_first)
            put_bytes(r, ",", 1);
        is_first = false;
        TUSK_TRY(put_scalar(r, name, param, tusk__json_take_value(&c)));
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

tusk_code tusk__json_read_param(tusk__json_reader *r, const char *name, const tusk__param *param,
                                tusk__json_value value)
{
    bool may_be_list =
        param->kind == TUSK__KIND_NAME || param->kind == TUSK__KIND_ADDRESS || param->kind == TUSK__KIND_PORT;
    const char *text = r->out;

    if (may_be_list && tusk__json_type(value) == 'a')
        TUSK_TRY(put_list(r, name, param, value));
    else
        TUSK_TRY(put_scalar(r, name, param, value));
    put_bytes(r, "", 1);
    keep_text(r, (tusk__param_id)tusk__param_index(param), text);
    return TUSK_OK;
}

/* ---- keys of their own ------------------------------------------------------------------------------------------------------ */

static bool is_sslmode(const char *word)
{
    const tusk__choice *mode = tusk__params[TUSK__PARAM_SSLMODE].choices;

    while (mode->word && strcmp(mode->word, word) != 0)
        mode++;
    return mode->word != NULL;
}

static tusk_code read_ssl(tusk__json_reader *r, tusk__json_value value)
{
    const char *mode = is_text(value) ? put_text(r, value) : is_true(value) ? "verify-full" : "disable";

    if ((!is_text(value) && !is_boolean(value)) || !is_sslmode(mode))
        return tusk__json_refuse(r, "ssl", "must be true, false or a word for sslmode");
    if (is_true(value)) /* as asyncpg: the system's authorities, and the name */
        keep_text(r, TUSK__PARAM_SSLROOTCERT, put_word(r, "system"));
    keep_text(r, TUSK__PARAM_SSLMODE, is_text(value) ? mode : put_word(r, mode));
    return TUSK_OK;
}

static tusk_code read_direct_tls(tusk__json_reader *r, tusk__json_value value)
{
    keep_text(r, TUSK__PARAM_SSLNEGOTIATION, put_word(r, is_true(value) ? "direct" : "postgres"));
    return TUSK_OK;
}

/* To asyncpg 0 is a time that is over already: there is no use in giving it. */
static tusk_code read_timeout(tusk__json_reader *r, tusk__json_value value)
{
    double seconds;

    if (!read_number(value, &seconds))
        return refuse_size(r, "timeout");
    if (!(seconds > 0))
        return tusk__json_refuse(r, "timeout", "must be above 0; null is for ever");
    r->b->config.connect_timeout = r->b->document.timeout = seconds;
    r->b->document.timeout_origin = tusk__json_place_of(r);
    return TUSK_OK;
}

static tusk_code read_settings(tusk__json_reader *r, tusk__json_value object)
{
    tusk__json_cursor c = {.p = object.ptr + 1, .end = object.ptr + object.len};

    r->b->config.server_settings = r->b->document.server_settings = r->pairs;
    r->b->document.settings_origin = tusk__json_place_of(r);
    for (bool more = tusk__json_enter(&c, '}'); more; more = tusk__json_next(&c, '}')) {
        const char *name = tusk__json_read_name(r, &c);
        tusk__json_value value = tusk__json_take_value(&c);

        if (!is_text(value))
            return tusk__json_refuse(r, "", "a value in server_settings must be a string");
        r->out += strlen(name) + 1; /* there it lies, and stays */
        *r->pairs++ = name;
        *r->pairs++ = put_text(r, value);
    }
    *r->pairs++ = NULL;
    return TUSK_OK;
}

static tusk_code read_kept(tusk__json_reader *r, const tusk__json_key *key, tusk__json_value value)
{
    size_t i = (size_t)(key - tusk__connection_keys);
    double number;

    assert(i < TUSK__JSON_KEPT_MAX);
    if (!read_number(value, &number))
        return refuse_size(r, key->name);
    if (number < key->least)
        return tusk__json_refuse(r, key->name, key->least > 0 ? "must be at least 1" : "must not be negative");
    r->b->document.kept[i] = number;
    r->b->document.kept_origin[i] = tusk__json_place_of(r);
    return TUSK_OK;
}

static bool is_nothing(tusk__json_value value)
{
    double number;

    if (is_number(value))
        return read_number(value, &number) && number == 0.0;
    return (is_boolean(value) && !is_true(value)) || tusk_str_is(value, "\"\"");
}

static tusk_code read_off(const tusk__json_reader *r, const tusk__json_key *key, tusk__json_value value)
{
    char what[128];

    if (is_nothing(value))
        return TUSK_OK;
    snprintf(what, sizeof what, "is not supported: %s", key->help);
    return tusk__json_refuse(r, key->name, what);
}

tusk_code tusk__json_read_value(tusk__json_reader *r, const tusk__json_key *key, tusk__json_value value)
{
    switch (key->use) {
    case TUSK__JSON_PARAM:
        return tusk__json_read_param(r, key->name, &tusk__params[key->param], value);
    case TUSK__JSON_DSN:
        r->b->config.dsn = r->b->document.dsn = put_text(r, value);
        r->b->document.dsn_origin = tusk__json_place_of(r);
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
