/* require_auth: a list of words, all of them with a '!' or none.
 * Read first: lib/auth_rule.h. */
#include "lib/auth_rule.h"

#include <stdio.h>

#include "lib/config_table.h"
#include "lib/hosts.h"
#include "proto/error_set.h"

static const tusk__choice words[TUSK__N_METHODS + 1] = {
    [TUSK__METHOD_NONE] = {.word = "none"},   [TUSK__METHOD_PASSWORD] = {.word = "password"},
    [TUSK__METHOD_MD5] = {.word = "md5"},     [TUSK__METHOD_GSS] = {.word = "gss"},
    [TUSK__METHOD_SSPI] = {.word = "sspi"},   [TUSK__METHOD_SCRAM_SHA_256] = {.word = "scram-sha-256"},
    [TUSK__METHOD_OAUTH] = {.word = "oauth"},
};

const char *tusk__auth_method_word(tusk__auth_method method)
{
    return words[method].word;
}

#define ALL ((1u << TUSK__N_METHODS) - 1)

static tusk_code refuse(tusk_error *err, size_t n, const char *why)
{
    return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "require_auth: method %zu %s", n, why);
}

static bool is_negated(tusk_str item)
{
    return item.len > 0 && item.ptr[0] == '!';
}

static tusk_str method_in(tusk_str item)
{
    return is_negated(item) ? tusk_str_from(item.ptr + 1, item.len - 1) : item;
}

static tusk_code refuse_unknown(tusk_error *err, size_t n, tusk_str method)
{
    tusk_code code = refuse(err, n, "is none of password, md5, gss, sspi, scram-sha-256, oauth, none");
    const char *nearest = tusk__choice_nearest(words, method);
    char hint[64];

    if (!nearest)
        return code;
    (void)snprintf(hint, sizeof hint, "Did you mean %s?", nearest);
    tusk__error_hint(err, tusk_str_of(hint));
    return code;
}

/* TUSK__N_METHODS: it is no method. */
static size_t method_of(tusk_str item)
{
    size_t method = 0;

    item = method_in(item);
    while (method < TUSK__N_METHODS && !tusk_str_is(item, words[method].word))
        method++;
    return method;
}

/* The methods of the list as a set, whatever their sign. */
static tusk_code read_list(tusk_str text, uint32_t *set, tusk_error *err)
{
    bool negated = is_negated(text);
    size_t n = tusk__list_count(text);
    tusk_str rest = text;

    *set = 0;
    for (size_t i = 0; i < n; i++) {
        tusk_str item = tusk__list_next(&rest);
        size_t method = method_of(item);

        if (is_negated(item) != negated)
            return refuse(err, i + 1,
                          negated ? "has no ! but the ones before it have"
                                  : "has a ! but the ones before it have none");
        if (method == TUSK__N_METHODS)
            return refuse_unknown(err, i + 1, method_in(item));
        if (*set >> method & 1)
            return refuse(err, i + 1, "is there twice");
        *set |= 1u << method;
    }
    return TUSK_OK;
}

tusk_code tusk__auth_rule_read(tusk_str text, tusk__auth_rule *out, tusk_error *err)
{
    uint32_t set;

    *out = (tusk__auth_rule){.text = text, .allowed = ALL};
    if (!text.ptr)
        return TUSK_OK;
    if (text.len == 0)
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "require_auth must not be empty");
    TUSK_TRY(read_list(text, &set, err));
    out->allowed = is_negated(text) ? ALL & ~set : set;
    out->named = is_negated(text) ? 0 : set;
    return TUSK_OK;
}

void tusk__auth_rule_hint(const tusk__auth_rule *rule, tusk__auth_method method, tusk_error *err)
{
    char text[96];

    if (method >= TUSK__N_METHODS)
        return;
    snprintf(text, sizeof text,
             is_negated(rule->text) ? "To allow it, take !%s out of require_auth."
                                    : "To allow it, add %s to require_auth.",
             words[method].word);
    tusk__error_hint(err, tusk_str_of(text));
}
