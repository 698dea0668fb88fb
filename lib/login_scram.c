/* SASL: which mechanism, and SCRAM-SHA-256 and -PLUS, with a password, kept keys or ready ones.
 * Read first: lib/login_parts.h, proto/scram.h. */
#include "lib/login_parts.h"

#include "lib/scram_cache.h"
#include "proto/error_set.h"

/* One slice of the key derivation: as many rounds of SLICE_ROUND iterations as begin within SLICE_US, so that a slow machine
 * does not hold its loop up and a fast one does not come back for every bit. A clock that stands still (simulation) ends it
 * by SLICE_ROUNDS_MAX. */
#define SLICE_US 500
#define SLICE_ROUND 512u
#define SLICE_ROUNDS_MAX 16

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

    TUSK_TRY(tusk__login_check_offer(login, offered, err));
    TUSK_TRY(describe_channel(login, hash, &config.channel, err));
    TUSK_TRY(choose_scram(login, offered, &config.channel, &choice, err));
    if (!has_ready_keys(login))
        TUSK_TRY(tusk__login_need_password(login, ev,
                                           choice == TUSK__SCRAM_GS2_P ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256", err));
    login->has_begun_sasl = true;
    login->facts.method = TUSK__METHOD_SCRAM_SHA_256;
    return tusk__scram_init(&login->scram, &config, err);
}

tusk_code tusk__login_on_sasl(tusk__login *login, tusk__session *session, const tusk__event *ev, tusk__writer *out,
                              tusk_error *err)
{
    const tusk_auth_mechanism *mechanism = choose_mechanism(login, ev->authentication.data);
    size_t at = out->len;

    if (mechanism)
        return tusk__login_begin_mechanism(login, session, mechanism, out, err);
    TUSK_TRY(begin_scram(login, ev, err));
    tusk__sasl_initial_response_write(out, tusk_str_of(tusk__scram_mechanism(&login->scram)),
                                      tusk__scram_message(&login->scram));
    TUSK_TRY(tusk__login_written(out, at, "the SASLInitialResponse", err));
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

tusk_code tusk__login_compute(tusk__login *login, tusk__session *session, tusk__writer *out, tusk_error *err)
{
    size_t at = out->len;

    TUSK_TRY(compute_slice(login, err));
    tusk__sasl_response_write(out, tusk__scram_message(&login->scram));
    TUSK_TRY(tusk__login_written(out, at, "the SASLResponse", err));
    tusk__session_enter(session, TUSK__EXPECT_SASL_FINAL);
    return TUSK_OK;
}

tusk_code tusk__login_on_sasl_continue(tusk__login *login, tusk__session *session, const tusk__event *ev,
                                       tusk__writer *out, tusk_error *err)
{
    if (login->exchange)
        return tusk__login_step_exchange(login, session, ev->authentication.data, out, err);
    TUSK_TRY(tusk__scram_continue(&login->scram, ev->authentication.data, err));
    if (has_ready_keys(login))
        use_ready_keys(login);
    else
        TUSK_TRY(use_password(login, err));
    tusk__login_forget_password(login);
    return tusk__login_compute(login, session, out, err);
}

tusk_code tusk__login_on_sasl_final(tusk__login *login, tusk__session *session, const tusk__event *ev,
                                    tusk__writer *out, tusk_error *err)
{
    (void)out;
    TUSK_TRY(tusk__scram_final(&login->scram, ev->authentication.data, err));
    login->has_answered = true;
    tusk__session_enter(session, TUSK__EXPECT_SASL_OK);
    return TUSK_OK;
}
