/* The login as a machine: one handler per message, chosen by two tables (events here, authentication methods in login_auth.c).
 * It does no I/O and decides no retry; the session below it has already refused whatever comes out of turn.
 * Read first: lib/login.h, lib/login_parts.h, docs/internals/login.md; PostgreSQL docs, "Message Flow", "Start-up". */
#include "lib/login_parts.h"

#include "proto/error_set.h"

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

void tusk__login_forget_password(tusk__login *login)
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
    tusk__login_forget_password(login);
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
tusk_code tusk__login_written(tusk__writer *out, size_t at, const char *message, tusk_error *err)
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
    code = tusk__login_written(out, at, "the StartupMessage", err);
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

/* ---- the rest ---- */

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
        return tusk__login_refuse_exchange(login, &error, err);
    if (err && err->code == TUSK_OK)
        *err = error;
    return error.code;
}

static tusk__login_handler *handler_of(tusk__event_kind kind)
{
    static tusk__login_handler *const handlers[TUSK__EV_NOTIFICATION + 1] = {
        [TUSK__EV_AUTHENTICATION] = tusk__login_on_authentication,
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
    tusk__login_handler *handle = handler_of(ev->kind);

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
    return finish(login, tusk__login_on_authentication(login, session, &ev, out, err), err);
}

tusk_code tusk__login_step(tusk__login *login, tusk__session *session, tusk__writer *out, tusk_error *err)
{
    if (login->exchange)
        return finish(login, tusk__login_resume_exchange(login, session, out, err), err);
    return finish(login, tusk__login_compute(login, session, out, err), err);
}
