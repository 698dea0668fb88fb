/* Fuzz target: JSON documents of any bytes, and the settings that come of them. Input: a byte that says where a secret is put into
 * the document, then the document.
 * Holds: no crash, no read or write beyond a block, an error tells line and column, and neither it nor that of the settings shows
 * the secret (D31). What is JSON is so to jansson too, but for its numbers.
 * Read first: lib/config_json.h. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/json.h"
#include "lib/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char secret[] = "s3cr3t-Zq7";

static void require(bool is_so)
{
    if (!is_so)
        abort();
}

static const char *variable(void *user, const char *name)
{
    (void)user;
    return strcmp(name, "HOME") == 0 ? "/nonexistent" : strcmp(name, "PGUSER") == 0 ? "u" : NULL;
}

static const tusk__sources sources = {NULL, variable, NULL, "/nonexistent", "/nonexistent", false};

static void shows_no_secret(const tusk_error *err)
{
    require(err->message[0] != '\0' && !strstr(err->message, secret));
    require(!strstr(err->where, secret) && !strstr(err->detail, secret) && !strstr(err->hint, secret));
}

static void use(const tusk_config *config)
{
    tusk__settings *s = NULL;
    tusk_error err = {0};
    char text[256];

    if (tusk__settings_read(tusk_allocator_default(), &sources, config, &s, &err) != TUSK_OK) {
        shows_no_secret(&err);
        return;
    }
    require(s->host.len > 0 && s->user.len > 0 && s->n_startup >= 3);
    require(tusk__settings_describe(tusk_allocator_default(), &sources, config, text, sizeof text, &err) > 0);
    tusk__settings_unref(s);
}

/* A NUL is no end and nothing to pass over, as it is to jansson. */
static void read_as_jansson(const char *json, size_t len)
{
    tusk__json ours = tusk__json_begin(tusk_str_from(json, len), JSON_PARSER_MAX_DEPTH);
    bool is_json = tusk__json_skip(&ours) && tusk__json_finish(&ours);
    json_error_t why = {0};
    json_t *theirs = json_loadb(json, len, JSON_DECODE_ANY, &why);

    require(memchr(json, '\0', len) ? !is_json
            : theirs                ? is_json
                                    : !is_json || json_error_code(&why) == json_error_numeric_overflow);
    require(is_json || (ours.wrong != TUSK__JSON_FINE && ours.p >= json && ours.p <= json + len));
    json_decref(theirs);
}

static void read_document(const char *json, size_t len)
{
    tusk_config *config = NULL;
    tusk_error err = {0};

    read_as_jansson(json, len);
    if (tusk_config_from_json(tusk_str_from(json, len), NULL, &config, &err) == TUSK_OK) {
        use(config);
        tusk_config_free(config);
    } else {
        require(err.code == TUSK_ERR_CONFIG && strncmp(err.message, "line ", 5) == 0 && config == NULL);
        shows_no_secret(&err);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len, at;
    char *json;

    if (size < 1)
        return 0;
    len = size - 1;
    at = data[0] % (len + 1);
    json = malloc(len + sizeof secret - 1); /* exactly */
    require(json != NULL);
    memcpy(json, data + 1, at);
    memcpy(json + at, secret, sizeof secret - 1);
    memcpy(json + at + sizeof secret - 1, data + 1 + at, len - at);
    read_document(json, len + sizeof secret - 1);
    memmove(json + at, json + at + sizeof secret - 1, len - at);
    read_document(json, len); /* and without */
    free(json);
    return 0;
}
