/* The JSON of OAUTHBEARER, by jansson (which allocates by malloc). The message it comes in has at most TUSK__AUTH_MESSAGE_MAX bytes,
 * which bounds its depth and its texts.
 * Read first: lib/oauth_json.h. */
#include "lib/oauth_json.h"

#include <assert.h>
#include <jansson.h>

#include "proto/error_set.h"

static tusk_code refuse(tusk_error *err, const char *what)
{
    return tusk__error_set(err, TUSK_ERR_PROTOCOL, NULL, "OAUTHBEARER: the server's answer %s", what);
}

/* jansson's own text quotes the document. Mostly it says nothing when memory is short. */
static tusk_code refuse_json(const json_error_t *why, tusk_error *err)
{
    if (why->text[0] == '\0' || json_error_code(why) == json_error_out_of_memory)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for the server's answer");
    return refuse(err, json_error_code(why) == json_error_duplicate_key ? "has a key twice" : "is no JSON");
}

static tusk_code take_text(const json_t *object, const char *key, char **to, tusk_str *out, tusk_error *err)
{
    const json_t *value = json_object_get(object, key);
    char what[64];
    size_t len;

    *out = (tusk_str){NULL, 0};
    if (!value)
        return TUSK_OK;
    if (!json_is_string(value)) {
        snprintf(what, sizeof what, "has something else than text as %s", key);
        return refuse(err, what);
    }
    len = json_string_length(value);
    if (len > 0)
        memcpy(*to, json_string_value(value), len);
    *out = tusk_str_from(*to, len);
    *to += len;
    return TUSK_OK;
}

static tusk_code take_texts(const json_t *object, tusk__oauth_answer *out, tusk_error *err)
{
    char *to = out->room;

    if (!json_is_object(object))
        return refuse(err, "is no JSON object");
    TUSK_TRY(take_text(object, "status", &to, &out->status, err));
    TUSK_TRY(take_text(object, "scope", &to, &out->scope, err));
    return take_text(object, "openid-configuration", &to, &out->discovery_url, err);
}

tusk_code tusk__oauth_answer_read(tusk_str json, tusk__oauth_answer *out, tusk_error *err)
{
    json_error_t why = {0};
    json_t *object;
    tusk_code code;

    if (json.len > sizeof out->room)
        return refuse(err, "is too long");
    object = json_loadb(json.ptr, json.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!object)
        return refuse_json(&why, err);
    code = take_texts(object, out, err);
    json_decref(object);
    return code;
}
