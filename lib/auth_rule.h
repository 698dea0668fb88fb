/* The parameter require_auth: the ways of logging in that are accepted of a server, as libpq reads it.
 * It knows no messages: which way a request asks for, and whether it is taken, is lib/login_auth.c's business.
 * Read first: docs/internals/login.md; PostgreSQL docs, libpq, "require_auth". */
#ifndef TUSK_LIB_AUTH_RULE_H
#define TUSK_LIB_AUTH_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include <tusk/error.h>
#include <tusk/str.h>

typedef enum tusk__auth_method {
    TUSK__METHOD_NONE, /* let in unasked: trust, a client certificate, peer */
    TUSK__METHOD_PASSWORD,
    TUSK__METHOD_MD5,
    TUSK__METHOD_GSS,
    TUSK__METHOD_SSPI,
    TUSK__METHOD_SCRAM_SHA_256,
    TUSK__METHOD_OAUTH,
    TUSK__N_METHODS
} tusk__auth_method;

typedef struct tusk__auth_rule {
    tusk_str text;    /* as it was given: known words only, no secret; empty if it was not */
    uint32_t allowed; /* bit n: method n */
    uint32_t named;   /* allowed, and by its name: the caller knows what he asks for */
} tusk__auth_rule;

/* Read "scram-sha-256,md5", "none", "!password,!md5" … text is borrowed for as long as the rule; ptr NULL: not given, all is
 * allowed and nothing named. Errors: TUSK_ERR_CONFIG by the item's number, never by its text (D31). */
TUSK_MUST_CHECK
tusk_code tusk__auth_rule_read(tusk_str text, tusk__auth_rule *out, tusk_error *err);

/* As require_auth calls it; static. */
const char *tusk__auth_method_word(tusk__auth_method method);

/* How to have a method allowed that is not, as the hint of err. TUSK__N_METHODS: nothing is said. */
void tusk__auth_rule_hint(const tusk__auth_rule *rule, tusk__auth_method method, tusk_error *err);

static inline bool tusk__auth_rule_allows(const tusk__auth_rule *rule, tusk__auth_method method)
{
    return rule->allowed >> method & 1;
}

static inline bool tusk__auth_rule_names(const tusk__auth_rule *rule, tusk__auth_method method)
{
    return rule->named >> method & 1;
}

#endif
