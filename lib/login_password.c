/* Passwords, in the clear and hashed by MD5, and the question for one that the program makes.
 * Read first: lib/login_parts.h. */
#include "lib/login_parts.h"

#include <assert.h>

#include "proto/error_set.h"
#include "proto/md5auth.h"

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

tusk_code tusk__login_need_password(tusk__login *login, const tusk__event *ev, const char *method, tusk_error *err)
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

/* By its certificate, or, on this machine, by the account that the dial has compared. */
bool tusk__login_is_server_proved(const tusk__login *login)
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

    if (tusk__login_is_server_proved(login) || tusk__auth_rule_names(&s->require_auth, TUSK__METHOD_PASSWORD))
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
    TUSK_TRY(tusk__login_written(out, at, "the PasswordMessage", err));
    login->has_answered = true;
    tusk__login_forget_password(login);
    tusk__session_enter(session, TUSK__EXPECT_PASSWORD_VERDICT);
    return TUSK_OK;
}

tusk_code tusk__login_on_cleartext(tusk__login *login, tusk__session *session, const tusk__event *ev, tusk__writer *out,
                                   tusk_error *err)
{
    TUSK_TRY(may_send_cleartext(login, err));
    TUSK_TRY(tusk__login_need_password(login, ev, "cleartext", err));
    login->facts.method = TUSK__METHOD_PASSWORD;
    return send_password(login, session, login->password, out, err);
}

tusk_code tusk__login_on_md5(tusk__login *login, tusk__session *session, const tusk__event *ev, tusk__writer *out,
                             tusk_error *err)
{
    const tusk__settings *s = login->settings;
    char answer[TUSK__MD5AUTH_LEN];
    uint8_t salt[4];
    tusk_code code;

    TUSK_TRY(tusk__login_need_password(login, ev, "MD5", err));
    login->facts.method = TUSK__METHOD_MD5;
    memcpy(salt, ev->authentication.data.ptr, sizeof salt); /* checked by tusk__authentication_read() */
    code = tusk__md5auth(login->crypto, s->user, login->password, salt, answer, err);
    if (code == TUSK_OK)
        code = send_password(login, session, tusk_str_from(answer, sizeof answer), out, err);
    login->crypto->wipe(answer, sizeof answer);
    return code;
}
