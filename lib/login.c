/* The login as a machine: one handler per message, chosen by two tables (events, authentication methods).
 * It does no I/O and decides no retry; the session below it has already refused whatever comes out of turn.
 * Read first: lib/login.h, docs/internals/login.md; PostgreSQL docs, "Message Flow", "Start-up". */
#include "lib/login.h"

#include <assert.h>
#include <stdio.h>

#include "lib/crypto.h"
#include "lib/scram_cache.h"
#include "proto/error_set.h"
#include "proto/md5auth.h"
#include "proto/scram.h"

/* One slice of the key derivation: as many rounds of SLICE_ROUND iterations as begin within SLICE_US, so that a slow machine
 * does not hold its loop up and a fast one does not come back for every bit. A clock that stands still (simulation) ends it
 * by SLICE_ROUNDS_MAX. */
#define SLICE_US 500
#define SLICE_ROUND 512u
#define SLICE_ROUNDS_MAX 16

struct tusk__login {
    tusk_loop *loop;
    tusk__settings *settings;
    const tusk__host *host; /* of them */
    tusk_str password;      /* a view into them, or `given`; empty: none */
    char *given;            /* by the program, when it was asked; NULL: nothing, or it is used up */
    bool wants_password;
    uint32_t held_kind; /* while wants_password: what the server asks for */
    size_t held_len;
    char held[TUSK__AUTH_MESSAGE_MAX]; /* … its data; zeroes behind it, as SASL's list ends */
    tusk__transport *transport;
    const tusk__crypto *crypto;
    tusk__scram scram; /* all zero until the server asks for SASL */
    tusk__exchange
        *exchange; /* of a mechanism that the program has named, from the server's asking for it on; else NULL */
    tusk__exchange *again; /* of the login before, until the server asks for it */
    tusk_error refusal;    /* the server's, while the mechanism thinks about it */
    void (*on_wake)(void *user);
    void *wake_user;
    bool has_heard;           /* a word of the server's */
    bool was_version_refused; /* which was an error about the protocol */
    bool has_begun_sasl;      /* from then on AuthenticationOk needs a verified server */
    bool has_answered;        /* a password was sent, or a mechanism is at its end: AuthenticationOk is no gift */
    bool has_name;            /* of the keys in the loop's cache: */
    tusk__scram_name name;
    tusk__login_facts facts;
};

typedef tusk_code handler(tusk__login *login, tusk__session *session, const tusk__event *ev, tusk__writer *out,
                          tusk_error *err);

/* ---- life ---------------------------------------------------------------------------------------------------------- */

tusk_code tusk__login_new(tusk_loop *loop, tusk__settings *settings, const tusk__host *host, uint32_t protocol,
                          tusk__transport *transport, tusk__login **out, tusk_error *err)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    tusk__login *login = allocator->malloc(sizeof *login, allocator->user);

    if (!login)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for the login");
    memset(login, 0, sizeof *login);
    login->loop = loop;
    login->settings = tusk__settings_ref(settings);
    login->host = host;
    login->password = host->password;
    login->transport = transport;
    login->crypto = tusk__crypto_openssl();
    login->facts.protocol = protocol;
    *out = login;
    return TUSK_OK;
}

/* Behind a failed login no kept keys may stay: they would fail the next one too. */
static void forget_unproved_keys(tusk__login *login)
{
    if (login->has_name && !tusk__scram_is_verified(&login->scram))
        tusk__scram_cache_drop(login->loop, &login->name);
    login->has_name = false; /* what another attempt keeps from now on is its own */
}

static void forget_password(tusk__login *login)
{
    const tusk_allocator *allocator = tusk__loop_allocator(login->loop);

    if (!login->given)
        return;
    login->crypto->wipe(login->given, login->password.len);
    allocator->free(login->given, allocator->user);
    login->given = NULL;
    login->password = tusk_str_of("");
}

void tusk__login_free(tusk__login *login)
{
    const tusk_allocator *allocator;

    if (!login)
        return;
    allocator = tusk__loop_allocator(login->loop);
    forget_unproved_keys(login);
    forget_password(login);
    tusk__exchange_free(login->exchange);
    tusk__exchange_free(login->again);
    tusk__settings_unref(login->settings);
    tusk__scram_clear(&login->scram); /* what the rest says is no secret, and an error alone is a kilobyte */
    login->crypto->wipe(&login->name, sizeof login->name);
    login->crypto->wipe(&login->facts, sizeof login->facts);
    allocator->free(login, allocator->user);
}

const tusk__login_facts *tusk__login_facts_of(const tusk__login *login)
{
    return &login->facts;
}

/* What a writer's failure means, if it failed. The message is taken back whole. */
static tusk_code written(tusk__writer *out, size_t at, const char *message, tusk_error *err)
{
    tusk_code code = out->failed;

    if (code == TUSK_OK)
        return TUSK_OK;
    tusk__writer_cut(out, at);
    if (code == TUSK_ERR_NOMEM)
        return tusk__error_set(err, code, NULL, "out of memory for %s", message);
    return tusk__error_set(err, code, NULL, "%s would be longer than a server takes", message);
}

/* ---- StartupMessage -------------------------------------------------------------------------------------------------- */

tusk_code tusk__login_start(tusk__login *login, tusk__session *session, tusk__writer *out, tusk_error *err)
{
    const tusk__settings *s = login->settings;
    size_t at = out->len;
    tusk_code code;

    tusk__startup_message_write(out, login->facts.protocol, s->startup, s->n_startup);
    code = written(out, at, "the StartupMessage", err);
    if (code == TUSK_OK)
        tusk__session_enter(session, TUSK__EXPECT_AUTHENTICATION);
    else
        tusk__error_where(err, "login");
    return code;
}

/* ---- NegotiateProtocolVersion ------------------------------------------------------------------------------------------ */

#define MAJOR(version) ((version) >> 16)
#define MINOR(version) ((version)&0xffff)

static tusk_code broken(tusk_error *err, const char *why)
{
    return tusk__error_set(err, TUSK_ERR_PROTOCOL, NULL, "NegotiateProtocolVersion: %s", why);
}

/* The manual says "newest minor version"; PostgreSQL and PgBouncer send the whole word. No whole word is that small. */
static uint32_t whole_version(uint32_t version)
{
    return MAJOR(version) == 0 ? 3u << 16 | version : version;
}

static tusk_code on_negotiate(tusk__login *login, tusk__session *session, const tusk__event *ev, tusk__writer *out,
                              tusk_error *err)
{
    uint32_t version = whole_version(ev->negotiate.version);

    (void)session, (void)out;
    if (ev->negotiate.n_options > 0)
        return broken(err, "the server refuses options that were not sent");
    if (MAJOR(version) != 3 || version > login->facts.protocol)
        return broken(err, "the server wants a protocol above the one that was asked for");
    if (MINOR(version) == 1)
        return broken(err, "the server wants protocol 3.1, which does not exist");
    if (version == login->facts.protocol)
        return broken(err, "the server wants what was asked for");
    if (version < login->settings->min_protocol)
        return tusk__error_set(err, TUSK_ERR_CONNECT, "0A000",
                               "the server speaks no protocol above %u.%u, and min_protocol_version is %u.%u",
                               MAJOR(version), MINOR(version), MAJOR(login->settings->min_protocol),
                               MINOR(login->settings->min_protocol));
    login->facts.protocol = version;
    return TUSK_OK;
}

/* ---- authentication: what is asked, by number ------------------------------------------------------------------------- */

static handler on_ok, on_cleartext, on_md5, on_gss, on_gss_continue, on_sasl, on_sasl_continue, on_sasl_final;

#define AS(method) (1u << TUSK__METHOD_##method)

static const struct method {
    const char *name; /* for the reader of an error */
    handler *handle;  /* NULL: we cannot do that */
    uint32_t as;      /* it is allowed by a require_auth that allows one of these */
    bool is_unbound;  /* neither SASL nor the end: never answered under channel_binding=require (D24) */
} methods[] = {
    [TUSK__AUTH_OK] = {"no", on_ok, AS(NONE), false},
    [TUSK__AUTH_KERBEROS_V5] = {"Kerberos V5", NULL, 0, true},
    [TUSK__AUTH_CLEARTEXT_PASSWORD] = {"cleartext password", on_cleartext, AS(PASSWORD), true},
    [TUSK__AUTH_MD5_PASSWORD] = {"MD5", on_md5, AS(MD5), true},
    [TUSK__AUTH_SCM_CREDENTIAL] = {"SCM credential", NULL, 0, true},
    [TUSK__AUTH_GSS] = {"GSSAPI", on_gss, AS(GSS), true},
    [TUSK__AUTH_GSS_CONTINUE] = {"GSSAPI", on_gss_continue, AS(GSS) | AS(SSPI), true},
    [TUSK__AUTH_SSPI] = {"SSPI", on_gss, AS(SSPI), true},
    [TUSK__AUTH_SASL] = {"SASL", on_sasl, AS(SCRAM_SHA_256) | AS(OAUTH), false},
    [TUSK__AUTH_SASL_CONTINUE] = {"SASL", on_sasl_continue, AS(SCRAM_SHA_256) | AS(OAUTH), false},
    [TUSK__AUTH_SASL_FINAL] = {"SASL", on_sasl_final, AS(SCRAM_SHA_256) | AS(OAUTH), false},
};

static bool requires_binding(const tusk__login *login)
{
    return login->settings->channel_binding == TUSK__CHANNEL_BINDING_REQUIRE;
}

static tusk_code refuse_method(const struct method *method, uint32_t kind, tusk_error *err)
{
    if (method)
        return tusk__error_set(err, TUSK_ERR_AUTH, NULL,
                               "the server asks for %s authentication, which is not supported", method->name);
    return tusk__error_set(err, TUSK_ERR_AUTH, NULL,
                           "the server asks for authentication by method %lu, which is unknown", (unsigned long)kind);
}

/* name: of what the server asks for */
static tusk_code not_allowed(const tusk__login *login, const char *name, tusk__auth_method method, tusk_error *err)
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
        return not_allowed(login, "SCRAM-SHA-256", TUSK__METHOD_SCRAM_SHA_256, err);
    if (is_offered(offered, "OAUTHBEARER"))
        return not_allowed(login, "OAUTHBEARER", TUSK__METHOD_OAUTH, err);
    return not_allowed(login, "SASL", TUSK__N_METHODS, err);
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
        return method->handle == on_sasl ? no_sasl_allowed(login, data, err)
                                         : not_allowed(login, method->name, first_of(method->as), err);
    if (method->is_unbound && requires_binding(login))
        return tusk__error_set(err, TUSK_ERR_AUTH, NULL,
                               "channel binding is required, but the server asks for %s authentication", method->name);
    return TUSK_OK;
}

static tusk_code on_authentication(tusk__login *login, tusk__session *session, const tusk__event *ev, tusk__writer *out,
                                   tusk_error *err)
{
    uint32_t kind = ev->authentication.kind;
    const struct method *method = kind < sizeof methods / sizeof methods[0] ? &methods[kind] : NULL;

    if (!method || !method->name)
        return refuse_method(NULL, kind, err);
    TUSK_TRY(check_method(login, method, ev->authentication.data, err));
    if (!method->handle)
        return refuse_method(method, kind, err);
    return method->handle(login, session, ev, out, err);
}

/* Keep the question until the program has given what it asks for. */
static tusk_code hold(tusk__login *login, const tusk__event *ev)
{
    tusk_str data = ev->authentication.data;

    assert(data.len < sizeof login->held); /* proto/bounds.h */
    if (data.len > 0)
        memcpy(login->held, data.ptr, data.len);
    login->held_len = data.len;
    login->held_kind = ev->authentication.kind;
    login->wants_password = true;
    return TUSK_AGAIN;
}

static tusk_code need_password(tusk__login *login, const tusk__event *ev, const char *method, tusk_error *err)
{
    if (login->password.len > 0)
        return TUSK_OK;
    if (login->settings->on_password)
        return hold(login, ev);
    tusk__error_set(err, TUSK_ERR_AUTH, "28P01", "the server asks for a password (%s), but none was given", method);
    tusk__error_detail(err, login->settings->warning); /* of a password file that was ignored */
    tusk__error_hint(err,
                     tusk_str_of("Give it in the connection string, as tusk_config.password, by PGPASSWORD or in a "
                                 "password file."));
    return TUSK_ERR_AUTH;
}

/* ---- passwords, in the clear and hashed ------------------------------------------------------------------------------------ */

/* By its certificate, or, on this machine, by the account that the dial has compared. */
static bool is_server_proved(const tusk__login *login)
{
    const tusk__settings *s = login->settings;

    if (tusk__host_is_local(login->host))
        return s->requirepeer.len > 0;
    return s->sslmode == TUSK__SSL_VERIFY_FULL && tusk__transport_tls_version(login->transport)[0] != '\0';
}

/* In the clear it goes to whoever is at the other end. So he must have proved who he is, or the caller must have asked for it by
 * name (D26). */
static tusk_code may_send_cleartext(const tusk__login *login, tusk_error *err)
{
    const tusk__settings *s = login->settings;

    if (is_server_proved(login) || tusk__auth_rule_names(&s->require_auth, TUSK__METHOD_PASSWORD))
        return TUSK_OK;
    tusk__error_set(err, TUSK_ERR_AUTH, NULL,
                    "the server asks for the password in the clear, and nothing proves who it is");
    tusk__error_hint(err,
                     tusk_str_of(tusk__host_is_local(login->host)
                                     ? "Say whose the server is by requirepeer, or consent by require_auth=password."
                                     : "Connect with sslmode=verify-full, or consent by require_auth=password."));
    return TUSK_ERR_AUTH;
}

static tusk_code send_password(tusk__login *login, tusk__session *session, tusk_str password, tusk__writer *out,
                               tusk_error *err)
{
    size_t at = out->len;

    tusk__password_message_write(out, password);
    TUSK_TRY(written(out, at, "the PasswordMessage", err));
    login->has_answered = true;
    forget_password(login);
    tusk__session_enter(session, TUSK__EXPECT_PASSWORD_VERDICT);
    return TUSK_OK;
}

static tusk_code on_cleartext(tusk__login *login, tusk__session *session, const tusk__event *ev, tusk__writer *out,
                              tusk_error *err)
{
    TUSK_TRY(may_send_cleartext(login, err));
    TUSK_TRY(need_password(login, ev, "cleartext", err));
    login->facts.method = TUSK__METHOD_PASSWORD;
    return send_password(login, session, login->password, out, err);
}

static tusk_code on_md5(tusk__login *login, tusk__session *session, const tusk__event *ev, tusk__writer *out,
                        tusk_error *err)
{
    const tusk__settings *s = login->settings;
    char answer[TUSK__MD5AUTH_LEN];
    uint8_t salt[4];
    tusk_code code;

    TUSK_TRY(need_password(login, ev, "MD5", err));
    login->facts.method = TUSK__METHOD_MD5;
    memcpy(salt, ev->authentication.data.ptr, sizeof salt); /* checked by tusk__authentication_read() */
    code = tusk__md5auth(login->crypto, s->user, login->password, salt, answer, err);
    if (code == TUSK_OK)
        code = send_password(login, session, tusk_str_from(answer, sizeof answer), out, err);
    login->crypto->wipe(answer, sizeof answer);
    return code;
}

/* ---- mechanisms that the program has named ----------------------------------------------------------------------------------- */

static tusk_code begin_exchange(tusk__login *login, const tusk_auth_mechanism *mechanism, tusk_error *err)
{
    if (login->again && login->again->mechanism == mechanism)
        login->exchange = login->again;
    else
        tusk__exchange_free(login->again);
    login->again = NULL;
    if (!login->exchange)
        TUSK_TRY(tusk__exchange_new(login->loop, login->settings, login->host, mechanism, &login->exchange, err));
    login->facts.method = mechanism->method;
    login->exchange->is_server_proved = is_server_proved(login);
    login->exchange->on_wake = login->on_wake;
    login->exchange->wake_user = login->wake_user;
    return TUSK_OK;
}

static void write_answer(tusk__exchange *x, tusk_str data, tusk__writer *out)
{
    if (x->mechanism->is_sasl && !x->is_begun)
        tusk__sasl_initial_response_write(out, tusk_str_of(x->mechanism->name), data);
    else if (data.ptr)
        tusk__sasl_response_write(out, data); /* GSSResponse looks the same */
    x->is_begun = true;
}

/* Behind a refusal it stays our turn: nothing but an error may come. */
static void await_next_word(const tusk__exchange *x, tusk__session *session)
{
    bool is_sasl = x->mechanism->is_sasl;

    if (x->standing == TUSK__STANDING_GOES_ON)
        tusk__session_enter(session, is_sasl ? TUSK__EXPECT_SASL_CONTINUE : TUSK__EXPECT_GSS_CONTINUE);
    else if (x->standing == TUSK__STANDING_DONE)
        tusk__session_enter(session, is_sasl ? TUSK__EXPECT_SASL_VERDICT : TUSK__EXPECT_PASSWORD_VERDICT);
}

static tusk_code answer_exchange(tusk__login *login, tusk__session *session, const tusk__reply *reply,
                                 tusk__writer *out, tusk_error *err)
{
    tusk__exchange *x = login->exchange;
    size_t at = out->len;

    write_answer(x, reply->data, out);
    TUSK_TRY(written(out, at, x->mechanism->name, err));
    login->has_answered = x->standing == TUSK__STANDING_DONE;
    await_next_word(x, session);
    return TUSK_OK;
}

static tusk_code step_exchange(tusk__login *login, tusk__session *session, tusk_str input, tusk__writer *out,
                               tusk_error *err)
{
    tusk__reply reply;

    TUSK_TRY(tusk__exchange_step(login->exchange, input, &reply, err));
    return answer_exchange(login, session, &reply, out, err);
}

/* MIT's library speaks what SSPI's Kerberos does, so libpq takes GSSAPI for both; so do we. */
static tusk_code on_gss(tusk__login *login, tusk__session *session, const tusk__event *ev, tusk__writer *out,
                        tusk_error *err)
{
    const tusk_auth_mechanism *mechanism = tusk__mechanism_of_method(login->settings, TUSK__METHOD_GSS);

    if (!mechanism) {
        (void)refuse_method(&methods[ev->authentication.kind], 0, err);
        tusk__mechanism_hint(TUSK__METHOD_GSS, err);
        return TUSK_ERR_AUTH;
    }
    TUSK_TRY(begin_exchange(login, mechanism, err));
    return step_exchange(login, session, (tusk_str){NULL, 0}, out, err);
}

static tusk_code on_gss_continue(tusk__login *login, tusk__session *session, const tusk__event *ev, tusk__writer *out,
                                 tusk_error *err)
{
    return step_exchange(login, session, ev->authentication.data, out, err);
}

static tusk_code begin_sasl_mechanism(tusk__login *login, tusk__session *session, const tusk_auth_mechanism *mechanism,
                                      tusk__writer *out, tusk_error *err)
{
    if (!tusk__auth_rule_allows(&login->settings->require_auth, mechanism->method))
        return not_allowed(login, mechanism->name, mechanism->method, err);
    if (requires_binding(login))
        return tusk__error_set(err, TUSK_ERR_AUTH, NULL,
                               "channel binding is required, but the server asks for %s authentication",
                               mechanism->name);
    TUSK_TRY(begin_exchange(login, mechanism, err));
    return step_exchange(login, session, (tusk_str){NULL, 0}, out, err);
}

/* The server's error has come while a mechanism was at work: it may know a way on. */
static tusk_code settle_refusal(tusk__login *login, tusk_code code, tusk_error *err)
{
    if (code != TUSK_OK)
        return code;
    if (err && err->code == TUSK_OK)
        *err = login->refusal;
    return login->refusal.code;
}

static tusk_code refuse_exchange(tusk__login *login, const tusk_error *error, tusk_error *err)
{
    tusk__reply reply;

    login->refusal = *error;
    return settle_refusal(login, tusk__exchange_refused(login->exchange, &login->refusal, &reply, err), err);
}

static tusk_code resume_exchange(tusk__login *login, tusk__session *session, tusk__writer *out, tusk_error *err)
{
    tusk__reply reply;
    tusk_code code = tusk__exchange_resume(login->exchange, &reply, err);

    if (login->exchange->is_refused)
        return settle_refusal(login, code, err);
    return code == TUSK_OK ? answer_exchange(login, session, &reply, out, err) : code;
}

/* ---- SASL: SCRAM-SHA-256 and -PLUS --------------------------------------------------------------------------------------- */

/* What the link can be tied to. An endpoint without a hash is no error here: tusk__scram_choose() knows what it means. */
static tusk_code describe_channel(tusk__login *login, uint8_t hash[64], tusk__scram_channel *channel, tusk_error *err)
{
    size_t len = 0;

    *channel = (tusk__scram_channel){.policy = login->settings->channel_binding,
                                     .tls = tusk__transport_tls_version(login->transport)[0] != '\0'};
    if (channel->tls && channel->policy != TUSK__CHANNEL_BINDING_DISABLE)
        TUSK_TRY(tusk__tls_endpoint_hash(login->transport, hash, &len, err));
    channel->binding = tusk_str_from(hash, len);
    return TUSK_OK;
}

/* The one that it lists first, but -PLUS before any other, as in libpq. NULL: SCRAM, or none that we know. */
static const tusk_auth_mechanism *choose_mechanism(const tusk__login *login, tusk_str offered)
{
    bool can_plus = login->settings->channel_binding != TUSK__CHANNEL_BINDING_DISABLE ||
                    tusk__transport_tls_version(login->transport)[0] == '\0';
    const tusk_auth_mechanism *chosen = NULL;
    bool is_settled = false;
    tusk_str name;

    while (tusk__sasl_next(&offered, &name)) {
        if (can_plus && tusk_str_is(name, "SCRAM-SHA-256-PLUS"))
            return NULL;
        if (!is_settled && !tusk_str_is(name, "SCRAM-SHA-256"))
            chosen = tusk__mechanism_of_sasl(login->settings, name);
        is_settled = is_settled || chosen || tusk_str_is(name, "SCRAM-SHA-256");
    }
    return chosen;
}

static bool has_ready_keys(const tusk__login *login)
{
    return login->settings->scram_client_key.is_given;
}

static tusk_code choose_scram(const tusk__login *login, tusk_str offered, const tusk__scram_channel *channel,
                              tusk__scram_gs2 *choice, tusk_error *err)
{
    tusk_code code = tusk__scram_choose(offered, channel, choice, err);
    tusk_str name;

    while (code == TUSK_ERR_AUTH && tusk__sasl_next(&offered, &name))
        if (tusk_str_is(name, "OAUTHBEARER") && !tusk__mechanism_of_sasl(login->settings, name))
            tusk__mechanism_hint(TUSK__METHOD_OAUTH, err);
    return code;
}

/* Of what there is in the list, the one that no_sasl_allowed() would name. */
static bool allows_of(const tusk__login *login, tusk_str offered)
{
    const tusk__auth_rule *rule = &login->settings->require_auth;

    if (offers_scram(offered))
        return tusk__auth_rule_allows(rule, TUSK__METHOD_SCRAM_SHA_256);
    return !is_offered(offered, "OAUTHBEARER") || tusk__auth_rule_allows(rule, TUSK__METHOD_OAUTH);
}

static tusk_code begin_scram(tusk__login *login, const tusk__event *ev, tusk_error *err)
{
    /* with the empty name that ends the list; it is there, tusk__authentication_read() saw it */
    tusk_str offered = tusk_str_from(ev->authentication.data.ptr, ev->authentication.data.len + 1);
    tusk__scram_config config = {.crypto = login->crypto,
                                 .offered = offered,
                                 /* with keys nothing is computed, whatever the count */
                                 .max_iterations =
                                     has_ready_keys(login) ? UINT32_MAX : login->settings->scram_max_iterations};
    tusk__scram_gs2 choice;
    uint8_t hash[TUSK__SCRAM_BINDING_MAX];

    if (!allows_of(login, offered))
        return no_sasl_allowed(login, offered, err);
    TUSK_TRY(describe_channel(login, hash, &config.channel, err));
    TUSK_TRY(choose_scram(login, offered, &config.channel, &choice, err));
    if (!has_ready_keys(login))
        TUSK_TRY(need_password(login, ev, choice == TUSK__SCRAM_GS2_P ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256", err));
    login->has_begun_sasl = true;
    login->facts.method = TUSK__METHOD_SCRAM_SHA_256;
    return tusk__scram_init(&login->scram, &config, err);
}

static tusk_code on_sasl(tusk__login *login, tusk__session *session, const tusk__event *ev, tusk__writer *out,
                         tusk_error *err)
{
    const tusk_auth_mechanism *mechanism = choose_mechanism(login, ev->authentication.data);
    size_t at = out->len;

    if (mechanism)
        return begin_sasl_mechanism(login, session, mechanism, out, err);
    TUSK_TRY(begin_scram(login, ev, err));
    tusk__sasl_initial_response_write(out, tusk_str_of(tusk__scram_mechanism(&login->scram)),
                                      tusk__scram_message(&login->scram));
    TUSK_TRY(written(out, at, "the SASLInitialResponse", err));
    tusk__session_enter(session, TUSK__EXPECT_SASL_CONTINUE);
    return TUSK_OK;
}

static void use_ready_keys(tusk__login *login)
{
    const tusk__settings *s = login->settings;
    tusk__scram_keys keys;

    memcpy(keys.client_key, s->scram_client_key.bytes, sizeof keys.client_key);
    memcpy(keys.server_key, s->scram_server_key.bytes, sizeof keys.server_key);
    tusk__scram_use_keys(&login->scram, &keys);
    login->crypto->wipe(&keys, sizeof keys);
}

/* Keys of an earlier login are as good, and nothing has to be derived. */
static tusk_code use_password(tusk__login *login, tusk_error *err)
{
    const tusk__scram_source source = {.password = login->password,
                                       .salt = tusk__scram_salt(&login->scram),
                                       .iterations = tusk__scram_iterations(&login->scram)};
    tusk__scram_keys keys;

    login->has_name = tusk__scram_cache_name(login->loop, login->crypto, &source, &login->name);
    if (!login->has_name || !tusk__scram_cache_get(login->loop, &login->name, &keys))
        return tusk__scram_use_password(&login->scram, login->password, err);
    tusk__scram_use_keys(&login->scram, &keys);
    login->crypto->wipe(&keys, sizeof keys);
    return TUSK_OK;
}

static tusk_code compute_slice(tusk__login *login, tusk_error *err)
{
    int64_t start_us = tusk_loop_now_us(login->loop);
    tusk_code code = TUSK_AGAIN;

    for (int i = 0; i < SLICE_ROUNDS_MAX && code == TUSK_AGAIN; i++) {
        code = tusk__scram_step(&login->scram, SLICE_ROUND, err);
        if (tusk_loop_now_us(login->loop) - start_us >= SLICE_US)
            break;
    }
    return code;
}

static tusk_code compute(tusk__login *login, tusk__session *session, tusk__writer *out, tusk_error *err)
{
    size_t at = out->len;

    TUSK_TRY(compute_slice(login, err));
    tusk__sasl_response_write(out, tusk__scram_message(&login->scram));
    TUSK_TRY(written(out, at, "the SASLResponse", err));
    tusk__session_enter(session, TUSK__EXPECT_SASL_FINAL);
    return TUSK_OK;
}

static tusk_code on_sasl_continue(tusk__login *login, tusk__session *session, const tusk__event *ev, tusk__writer *out,
                                  tusk_error *err)
{
    if (login->exchange)
        return step_exchange(login, session, ev->authentication.data, out, err);
    TUSK_TRY(tusk__scram_continue(&login->scram, ev->authentication.data, err));
    if (has_ready_keys(login))
        use_ready_keys(login);
    else
        TUSK_TRY(use_password(login, err));
    forget_password(login);
    return compute(login, session, out, err);
}

static tusk_code on_sasl_final(tusk__login *login, tusk__session *session, const tusk__event *ev, tusk__writer *out,
                               tusk_error *err)
{
    (void)out;
    TUSK_TRY(tusk__scram_final(&login->scram, ev->authentication.data, err));
    login->has_answered = true;
    tusk__session_enter(session, TUSK__EXPECT_SASL_OK);
    return TUSK_OK;
}

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
    if (requires_binding(login) && !tusk__scram_is_bound(&login->scram))
        return tusk__error_set(err, TUSK_ERR_AUTH, NULL,
                               "channel binding is required, but the server let us in without SCRAM-SHA-256-PLUS");
    if (keys && login->has_name)
        tusk__scram_cache_put(login->loop, &login->name, keys);
    login->facts.is_bound = tusk__scram_is_bound(&login->scram);
    return TUSK_OK;
}

/* ---- the rest ------------------------------------------------------------------------------------------------------------- */

static tusk_code on_backend_key(tusk__login *login, tusk__session *session, const tusk__event *ev, tusk__writer *out,
                                tusk_error *err)
{
    const tusk__backend_key *key = &ev->backend_key;
    tusk__login_facts *facts = &login->facts;

    (void)session, (void)out;
    if (key->key.len < TUSK__CANCEL_KEY_MIN || key->key.len > TUSK__CANCEL_KEY_MAX ||
        (facts->protocol == TUSK__PROTOCOL_3_0 && key->key.len != TUSK__CANCEL_KEY_MIN))
        return tusk__error_set(err, TUSK_ERR_PROTOCOL, NULL, "BackendKeyData: a key of %zu bytes in protocol %u.%u",
                               key->key.len, MAJOR(facts->protocol), MINOR(facts->protocol));
    facts->backend_pid = key->pid;
    facts->cancel_key_len = key->key.len;
    memcpy(facts->cancel_key, key->key.ptr, key->key.len);
    return TUSK_OK;
}

/* A server from before 9.3.21, and many a pooler, cannot negotiate: it refuses the version (0A000, or 08P01) and hangs up. */
static bool is_about_version(const tusk__login *login, const tusk__event *ev, const tusk_error *error)
{
    return login->facts.protocol > TUSK__PROTOCOL_3_0 && ev->expect == TUSK__EXPECT_AUTHENTICATION && !error->hint[0] &&
           (memcmp(error->sqlstate, "0A000", 5) == 0 || memcmp(error->sqlstate, "08P01", 5) == 0);
}

/* The server said no. Nothing of the caller's was sent, so whatever waits for this connection may be tried elsewhere. */
static tusk_code on_error(tusk__login *login, tusk__session *session, const tusk__event *ev, tusk__writer *out,
                          tusk_error *err)
{
    tusk_error error = {0};

    (void)session, (void)out;
    tusk__error_fields_to_error(ev->body, &error);
    error.code = memcmp(error.sqlstate, "28", 2) == 0 ? TUSK_ERR_AUTH : TUSK_ERR_CONNECT;
    error.fate = TUSK_FATE_NOT_SENT;
    login->was_version_refused = is_about_version(login, ev, &error);
    if (login->was_version_refused)
        tusk__error_hint(&error, tusk_str_of("Does the server know this protocol? Try max_protocol_version=3.0."));
    if (login->exchange && ev->expect != TUSK__EXPECT_SETTINGS)
        return refuse_exchange(login, &error, err);
    if (err && err->code == TUSK_OK)
        *err = error;
    return error.code;
}

static handler *handler_of(tusk__event_kind kind)
{
    static handler *const handlers[TUSK__EV_NOTIFICATION + 1] = {
        [TUSK__EV_AUTHENTICATION] = on_authentication,
        [TUSK__EV_NEGOTIATE_PROTOCOL_VERSION] = on_negotiate,
        [TUSK__EV_BACKEND_KEY_DATA] = on_backend_key,
        [TUSK__EV_ERROR] = on_error,
    };

    return handlers[kind];
}

static tusk_code finish(tusk__login *login, tusk_code code, tusk_error *err)
{
    if (code != TUSK_OK && code != TUSK_AGAIN) {
        forget_unproved_keys(login);
        tusk__error_where(err, "login");
    }
    return code;
}

tusk_code tusk__login_event(tusk__login *login, tusk__session *session, const tusk__event *ev, tusk__writer *out,
                            tusk_error *err)
{
    handler *handle = handler_of(ev->kind);

    login->has_heard = true;
    return handle ? finish(login, handle(login, session, ev, out, err), err) : TUSK_OK;
}

bool tusk__login_wants_old_protocol(const tusk__login *login, const tusk_error *err)
{
    bool was_hung_up = err->code == TUSK_ERR_LOST && !login->has_heard;

    return login->facts.protocol > TUSK__PROTOCOL_3_0 && login->settings->min_protocol <= TUSK__PROTOCOL_3_0 &&
           (login->was_version_refused || was_hung_up);
}

bool tusk__login_wants_password(const tusk__login *login)
{
    return login->wants_password;
}

bool tusk__login_is_waiting(const tusk__login *login)
{
    return login->exchange && login->exchange->is_waiting;
}

void tusk__login_explain(const tusk__login *login, tusk_error *err)
{
    const tusk__exchange *x = login->exchange;

    if (tusk__login_is_waiting(login) && x->mechanism->explain)
        x->mechanism->explain(x->state, err);
}

void tusk__login_on_wake(tusk__login *login, void (*fn)(void *user), void *user)
{
    login->on_wake = fn;
    login->wake_user = user;
}

bool tusk__login_wants_retry(const tusk__login *login)
{
    return login->exchange && login->exchange->standing == TUSK__STANDING_BEGINS_AGAIN;
}

tusk__exchange *tusk__login_take_exchange(tusk__login *login)
{
    tusk__exchange *x = login->exchange;

    login->exchange = NULL;
    return x;
}

void tusk__login_give_exchange(tusk__login *login, tusk__exchange *exchange)
{
    exchange->standing = TUSK__STANDING_GOES_ON;
    exchange->is_begun = exchange->is_refused = false;
    exchange->on_wake = NULL;
    login->again = exchange;
}

tusk_code tusk__login_password(tusk__login *login, tusk__session *session, tusk_str password, tusk__writer *out,
                               tusk_error *err)
{
    const tusk_allocator *allocator = tusk__loop_allocator(login->loop);
    const tusk__event ev = {
        .kind = TUSK__EV_AUTHENTICATION,
        .authentication = {.kind = login->held_kind, .data = tusk_str_from(login->held, login->held_len)}};

    login->wants_password = false;
    login->given = allocator->malloc(password.len, allocator->user);
    if (!login->given)
        return finish(login, tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a password"), err);
    memcpy(login->given, password.ptr, password.len);
    login->password = tusk_str_from(login->given, password.len);
    return finish(login, on_authentication(login, session, &ev, out, err), err);
}

tusk_code tusk__login_step(tusk__login *login, tusk__session *session, tusk__writer *out, tusk_error *err)
{
    if (login->exchange)
        return finish(login, resume_exchange(login, session, out, err), err);
    return finish(login, compute(login, session, out, err), err);
}
