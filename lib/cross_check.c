/* What each setting allows, and all of them together do not: what could never work is said before anybody is asked.
 * What may work with one server and not with another is not looked at here.
 * Read first: lib/cross_check.h. */
#include "lib/cross_check.h"

#include "lib/mechanism.h"
#include "proto/error_set.h"

/* Why no connection of this configuration can be TLS; NULL: one may. */
static const char *what_forbids_tls(const tusk__settings *s)
{
    size_t n_local = 0;

    for (size_t i = 0; i < s->n_hosts; i++)
        n_local += tusk__host_is_local(&s->hosts[i]);
    if (s->sslmode == TUSK__SSL_DISABLE)
        return "sslmode=disable forbids";
    return n_local == s->n_hosts ? "a Unix-domain socket does not have" : NULL;
}

/* Anybody can get a certificate from one of the system's authorities: without the name it proves nothing. As libpq. */
static tusk_code check_tls(const tusk__settings *s, tusk_error *err)
{
    const char *forbids_tls = what_forbids_tls(s);

    if (tusk__trusts_system(s) && s->sslmode < TUSK__SSL_VERIFY_FULL)
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL,
                               "sslrootcert=system needs sslmode=verify-full: a weaker one would take anybody's "
                               "certificate");
    if (s->tls_max != 0 && s->tls_min > s->tls_max)
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL,
                               "ssl_min_protocol_version is above ssl_max_protocol_version");
    if (s->sslnegotiation == TUSK__NEGOTIATE_DIRECT && s->sslmode < TUSK__SSL_REQUIRE)
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL,
                               "sslnegotiation=direct needs sslmode=require or stronger: it leaves no way into the "
                               "clear");
    if (s->sslcertmode == TUSK__CERT_REQUIRE && forbids_tls)
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "sslcertmode=require needs TLS, which %s", forbids_tls);
    return TUSK_OK;
}

/* libpq finds these out when the server asks, whatever it asks for. */
static tusk_code check_binding(const tusk__settings *s, tusk_error *err)
{
    const char *forbids_tls = what_forbids_tls(s);

    if (s->channel_binding != TUSK__CHANNEL_BINDING_REQUIRE)
        return TUSK_OK;
    if (forbids_tls)
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "channel_binding=require needs TLS, which %s", forbids_tls);
    if (!tusk__auth_rule_allows(&s->require_auth, TUSK__METHOD_SCRAM_SHA_256))
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL,
                               "channel_binding=require needs scram-sha-256, which require_auth does not allow");
    return TUSK_OK;
}

/* What it takes beyond the core; one of GSSAPI's is SSPI's, too (lib/login_auth.c). */
static bool can_do(const tusk__settings *s, tusk__auth_method method)
{
    return !tusk__mechanism_to_name(method) ||
           tusk__mechanism_of_method(s, method == TUSK__METHOD_SSPI ? TUSK__METHOD_GSS : method);
}

/* A rule that leaves nothing but what the program has not named lets nobody in. */
static tusk_code check_rule(const tusk__settings *s, tusk_error *err)
{
    tusk__auth_method missing = TUSK__N_METHODS;

    for (tusk__auth_method m = 0; m < TUSK__N_METHODS; m++) {
        if (!tusk__auth_rule_allows(&s->require_auth, m))
            continue;
        if (can_do(s, m))
            return TUSK_OK;
        if (missing == TUSK__N_METHODS)
            missing = m;
    }
    if (missing == TUSK__N_METHODS)
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "require_auth allows no way of logging in");
    tusk__error_set(err, TUSK_ERR_CONFIG, NULL,
                    "require_auth=" TUSK_STR_FMT " needs %s, which the program does not name",
                    TUSK_STR_ARG(s->require_auth.text), tusk__mechanism_to_name(missing));
    tusk__mechanism_hint(missing, err);
    return TUSK_ERR_CONFIG;
}

static tusk_code check_mechanisms(const tusk__settings *s, tusk_error *err)
{
    if (s->on_token && !can_do(s, TUSK__METHOD_OAUTH)) {
        tusk__error_set(err, TUSK_ERR_CONFIG, NULL,
                        "tusk_config.on_token is never called unless the program names tusk_oauth()");
        tusk__mechanism_hint(TUSK__METHOD_OAUTH, err);
        return TUSK_ERR_CONFIG;
    }
    return check_rule(s, err);
}

tusk_code tusk__cross_check(const tusk__settings *s, tusk_error *err)
{
    if (s->scram_client_key.is_given != s->scram_server_key.is_given)
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL,
                               "scram_client_key and scram_server_key belong together: one is missing");
    if (s->min_protocol > s->max_protocol)
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "min_protocol_version is above max_protocol_version");
    TUSK_TRY(check_tls(s, err));
    TUSK_TRY(check_mechanisms(s, err));
    return check_binding(s, err);
}
