/* What each setting allows, and all of them together do not: what could never work is said before anybody is asked.
 * What may work with one server and not with another is not looked at here.
 * Read first: lib/cross_check.h. */
#include "lib/cross_check.h"

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

tusk_code tusk__cross_check(const tusk__settings *s, tusk_error *err)
{
    if (s->scram_client_key.is_given != s->scram_server_key.is_given)
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL,
                               "scram_client_key and scram_server_key belong together: one is missing");
    if (s->min_protocol > s->max_protocol)
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "min_protocol_version is above max_protocol_version");
    TUSK_TRY(check_tls(s, err));
    return check_binding(s, err);
}
