/* Mechanisms that the program has named, GSSAPI and OAUTHBEARER: what they say becomes messages.
 * Read first: lib/login_parts.h, lib/mechanism.h. */
#include "lib/login_parts.h"

#include "proto/error_set.h"

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
    login->exchange->is_server_proved = tusk__login_is_server_proved(login);
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
    TUSK_TRY(tusk__login_written(out, at, x->mechanism->name, err));
    login->has_answered = x->standing == TUSK__STANDING_DONE;
    await_next_word(x, session);
    return TUSK_OK;
}

tusk_code tusk__login_step_exchange(tusk__login *login, tusk__session *session, tusk_str input, tusk__writer *out,
                                    tusk_error *err)
{
    tusk__reply reply;

    TUSK_TRY(tusk__exchange_step(login->exchange, input, &reply, err));
    return answer_exchange(login, session, &reply, out, err);
}

/* MIT's library speaks what SSPI's Kerberos does, so libpq takes GSSAPI for both; so do we. */
tusk_code tusk__login_on_gss(tusk__login *login, tusk__session *session, const tusk__event *ev, tusk__writer *out,
                             tusk_error *err)
{
    const tusk_auth_mechanism *mechanism = tusk__mechanism_of_method(login->settings, TUSK__METHOD_GSS);

    if (!mechanism) {
        (void)tusk__login_refuse_method(ev->authentication.kind, err);
        tusk__mechanism_hint(TUSK__METHOD_GSS, err);
        return TUSK_ERR_AUTH;
    }
    TUSK_TRY(begin_exchange(login, mechanism, err));
    return tusk__login_step_exchange(login, session, (tusk_str){NULL, 0}, out, err);
}

tusk_code tusk__login_on_gss_continue(tusk__login *login, tusk__session *session, const tusk__event *ev,
                                      tusk__writer *out, tusk_error *err)
{
    return tusk__login_step_exchange(login, session, ev->authentication.data, out, err);
}

tusk_code tusk__login_begin_mechanism(tusk__login *login, tusk__session *session, const tusk_auth_mechanism *mechanism,
                                      tusk__writer *out, tusk_error *err)
{
    if (!tusk__auth_rule_allows(&login->settings->require_auth, mechanism->method))
        return tusk__login_not_allowed(login, mechanism->name, mechanism->method, err);
    if (tusk__login_requires_binding(login))
        return tusk__error_set(err, TUSK_ERR_AUTH, NULL,
                               "channel binding is required, but the server asks for %s authentication",
                               mechanism->name);
    TUSK_TRY(begin_exchange(login, mechanism, err));
    return tusk__login_step_exchange(login, session, (tusk_str){NULL, 0}, out, err);
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

tusk_code tusk__login_refuse_exchange(tusk__login *login, const tusk_error *error, tusk_error *err)
{
    tusk__reply reply;

    login->refusal = *error;
    return settle_refusal(login, tusk__exchange_refused(login->exchange, &login->refusal, &reply, err), err);
}

tusk_code tusk__login_resume_exchange(tusk__login *login, tusk__session *session, tusk__writer *out, tusk_error *err)
{
    tusk__reply reply;
    tusk_code code = tusk__exchange_resume(login->exchange, &reply, err);

    if (login->exchange->is_refused)
        return settle_refusal(login, code, err);
    return code == TUSK_OK ? answer_exchange(login, session, &reply, out, err) : code;
}
