/* require_auth: a list of words, all of them with a '!' or none.
 * Read first: lib/auth_rule.h. */
#include "lib/auth_rule.h"

#include <stdio.h>

#include "lib/hosts.h"
#include "proto/error_set.h"

static const char *const words[TUSK__N_METHODS] = {
    [TUSK__METHOD_NONE] = "none",   [TUSK__METHOD_PASSWORD] = "password",
    [TUSK__METHOD_MD5] = "md5",     [TUSK__METHOD_GSS] = "gss",
    [TUSK__METHOD_SSPI] = "sspi",   [TUSK__METHOD_SCRAM_SHA_256] = "scram-sha-256",
    [TUSK__METHOD_OAUTH] = "oauth",
};

#define ALL ((1u << TUSK__N_METHODS) - 1)

static tusk_code refuse(tusk_error *err, size_t n, const char *why)
{
    return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "require_auth: method %zu %s", n, why);
}

static bool is_negated(tusk_str item)
{
    return item.len > 0 && item.ptr[0] == '!';
}

/* TUSK__N_METHODS: it is no method. */
static size_t method_of(tusk_str item)
{
    size_t method = 0;

    if (is_negated(item))
        item = tusk_str_from(item.ptr + 1, item.len - 1);
    while (method < TUSK__N_METHODS && !tusk_str_is(item, words[method]))
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
            return refuse(err, i + 1, "is none of password, md5, gss, sspi, scram-sha-256, oauth, none");
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
             words[method]);
    tusk__error_hint(err, tusk_str_of(text));
}
