/* What the server asks for, by number: the table of methods, what require_auth and channel_binding have to say of each, and the end.
 * Read first: lib/login_parts.h, docs/internals/login.md, "What is believed". */
#include "lib/login_parts.h"

#include "lib/scram_cache.h"
#include "proto/error_set.h"

static tusk__login_handler on_ok;

#define AS(method) (1u << TUSK__METHOD_##method)

static const struct method {
    const char *name;            /* for the reader of an error */
    tusk__login_handler *handle; /* NULL: we cannot do that */
    uint32_t as;                 /* it is allowed by a require_auth that allows one of these */
    bool is_unbound;             /* neither SASL nor the end: never answered under channel_binding=require (D24) */
} methods[] = {
    [TUSK__AUTH_OK] = {"no", on_ok, AS(NONE), false},
    [TUSK__AUTH_KERBEROS_V5] = {"Kerberos V5", NULL, 0, true},
    [TUSK__AUTH_CLEARTEXT_PASSWORD] = {"cleartext password", tusk__login_on_cleartext, AS(PASSWORD), true},
    [TUSK__AUTH_MD5_PASSWORD] = {"MD5", tusk__login_on_md5, AS(MD5), true},
    [TUSK__AUTH_SCM_CREDENTIAL] = {"SCM credential", NULL, 0, true},
    [TUSK__AUTH_GSS] = {"GSSAPI", tusk__login_on_gss, AS(GSS), true},
    [TUSK__AUTH_GSS_CONTINUE] = {"GSSAPI", tusk__login_on_gss_continue, AS(GSS) | AS(SSPI), true},
    [TUSK__AUTH_SSPI] = {"SSPI", tusk__login_on_gss, AS(SSPI), true},
    [TUSK__AUTH_SASL] = {"SASL", tusk__login_on_sasl, AS(SCRAM_SHA_256) | AS(OAUTH), false},
    [TUSK__AUTH_SASL_CONTINUE] = {"SASL", tusk__login_on_sasl_continue, AS(SCRAM_SHA_256) | AS(OAUTH), false},
    [TUSK__AUTH_SASL_FINAL] = {"SASL", tusk__login_on_sasl_final, AS(SCRAM_SHA_256) | AS(OAUTH), false},
};

static const struct method *method_of(uint32_t kind)
{
    return kind < sizeof methods / sizeof methods[0] && methods[kind].name ? &methods[kind] : NULL;
}

bool tusk__login_requires_binding(const tusk__login *login)
{
    return login->settings->channel_binding == TUSK__CHANNEL_BINDING_REQUIRE;
}

tusk_code tusk__login_refuse_method(uint32_t kind, tusk_error *err)
{
    const struct method *method = method_of(kind);

    if (method)
        return tusk__error_set(err, TUSK_ERR_AUTH, NULL,
                               "the server asks for %s authentication, which is not supported", method->name);
    return tusk__error_set(err, TUSK_ERR_AUTH, NULL,
                           "the server asks for authentication by method %lu, which is unknown", (unsigned long)kind);
}

/* ---- require_auth ---- */

/* name: of what the server asks for */
tusk_code tusk__login_not_allowed(const tusk__login *login, const char *name, tusk__auth_method method, tusk_error *err)
{
    const tusk__auth_rule *rule = &login->settings->require_auth;

    tusk__error_set(err, TUSK_ERR_AUTH, NULL,
                    "the server asks for %s authentication, which require_auth=" TUSK_STR_FMT " does not allow", name,
                    TUSK_STR_ARG(rule->text));
    tusk__auth_rule_hint(rule, method, err);
    return TUSK_ERR_AUTH;
}

static bool is_offered(tusk_str offered, const char *mechanism)
{
    tusk_str name;

    while (tusk__sasl_next(&offered, &name))
        if (tusk_str_is(name, mechanism))
            return true;
    return false;
}

static bool offers_scram(tusk_str offered)
{
    return is_offered(offered, "SCRAM-SHA-256") || is_offered(offered, "SCRAM-SHA-256-PLUS");
}

/* Nothing of a list of SASL's mechanisms is allowed: they are told by the one that we would have taken. */
static tusk_code no_sasl_allowed(const tusk__login *login, tusk_str offered, tusk_error *err)
{
    if (offers_scram(offered))
        return tusk__login_not_allowed(login, "SCRAM-SHA-256", TUSK__METHOD_SCRAM_SHA_256, err);
    if (is_offered(offered, "OAUTHBEARER"))
        return tusk__login_not_allowed(login, "OAUTHBEARER", TUSK__METHOD_OAUTH, err);
    return tusk__login_not_allowed(login, "SASL", TUSK__N_METHODS, err);
}

/* Of what there is in the list, the one that no_sasl_allowed() would name. */
static bool allows_of(const tusk__login *login, tusk_str offered)
{
    const tusk__auth_rule *rule = &login->settings->require_auth;

    if (offers_scram(offered))
        return tusk__auth_rule_allows(rule, TUSK__METHOD_SCRAM_SHA_256);
    return !is_offered(offered, "OAUTHBEARER") || tusk__auth_rule_allows(rule, TUSK__METHOD_OAUTH);
}

tusk_code tusk__login_check_offer(const tusk__login *login, tusk_str offered, tusk_error *err)
{
    return allows_of(login, offered) ? TUSK_OK : no_sasl_allowed(login, offered, err);
}

/* Of those that would have to be allowed, the first; N_METHODS: none is. */
static tusk__auth_method first_of(uint32_t methods_set)
{
    tusk__auth_method method = TUSK__METHOD_NONE;

    while (method < TUSK__N_METHODS && !(methods_set >> method & 1))
        method++;
    return method;
}

/* AuthenticationOk is what ends any method, and a method of its own where nothing came before it. */
static tusk_code check_method(const tusk__login *login, const struct method *method, tusk_str data, tusk_error *err)
{
    const tusk__auth_rule *rule = &login->settings->require_auth;
    bool is_end = method->handle == on_ok && login->has_answered;

    if (rule->text.ptr && !(rule->allowed & method->as) && !is_end)
        return method->handle == tusk__login_on_sasl
                   ? no_sasl_allowed(login, data, err)
                   : tusk__login_not_allowed(login, method->name, first_of(method->as), err);
    if (method->is_unbound && tusk__login_requires_binding(login))
        return tusk__error_set(err, TUSK_ERR_AUTH, NULL,
                               "channel binding is required, but the server asks for %s authentication", method->name);
    return TUSK_OK;
}

tusk_code tusk__login_on_authentication(tusk__login *login, tusk__session *session, const tusk__event *ev,
                                        tusk__writer *out, tusk_error *err)
{
    const struct method *method = method_of(ev->authentication.kind);

    if (method)
        TUSK_TRY(check_method(login, method, ev->authentication.data, err));
    if (!method || !method->handle)
        return tusk__login_refuse_method(ev->authentication.kind, err);
    return method->handle(login, session, ev, out, err);
}

/* ---- the end ---- */

/* AuthenticationOk is only the server's word. Where a proof was begun, or is demanded, it counts behind that proof alone; the
 * session's table holds the first of these too, and either would do (D24). */
static tusk_code on_ok(tusk__login *login, tusk__session *session, const tusk__event *ev, tusk__writer *out,
                       tusk_error *err)
{
    const tusk__scram_keys *keys = tusk__scram_verified_keys(&login->scram);

    (void)session, (void)ev, (void)out;
    if (login->exchange && login->exchange->standing != TUSK__STANDING_DONE)
        return tusk__error_set(err, TUSK_ERR_PROTOCOL, NULL, "AuthenticationOk before %s was at its end",
                               login->exchange->mechanism->name);
    if (login->has_begun_sasl && !tusk__scram_is_verified(&login->scram))
        return tusk__error_set(err, TUSK_ERR_PROTOCOL, NULL, "AuthenticationOk before the server has proved itself");
    if (tusk__login_requires_binding(login) && !tusk__scram_is_bound(&login->scram))
        return tusk__error_set(err, TUSK_ERR_AUTH, NULL,
                               "channel binding is required, but the server let us in without SCRAM-SHA-256-PLUS");
    if (keys && login->has_name)
        tusk__scram_cache_put(login->loop, &login->name, keys);
    login->facts.is_bound = tusk__scram_is_bound(&login->scram);
    return TUSK_OK;
}
