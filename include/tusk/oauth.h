/* Logging in with a bearer token of OAuth 2.0 (SASL OAUTHBEARER, RFC 7628; PostgreSQL 18), which the program brings: this library
 * asks no authorization server.
 * Read first: docs/guide.md, "Other ways of logging in". */
#ifndef TUSK_OAUTH_H
#define TUSK_OAUTH_H

#include <stdbool.h>

#include <tusk/auth.h>
#include <tusk/error.h>
#include <tusk/loop.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The mechanism, for tusk_config.auth_mechanisms. It needs tusk_config.on_token.
 *
 * Source    PostgreSQL 18 docs, "OAUTHBEARER Authentication"; RFC 7628
 * Example   docs/examples/oauth.c
 */
const tusk_auth_mechanism *tusk_oauth(void);

/**
 * The question of one login for its token. From the call of tusk_token_fn on it is the program's, until it is answered by one of
 * tusk_token_give(), tusk_token_discover() and tusk_token_refuse(), once, at any time: it stays valid when the connection, or the
 * loop, is gone, and is to be answered then, too. Who wants to know of that: tusk_token_on_cancel().
 */
typedef struct tusk_token_request tusk_token_request;

/**
 * Give a token, now or later (tusk_config.on_token). It is called when a server asks for OAUTHBEARER and has proved who it is: by its
 * certificate under sslmode=verify-full, or by requirepeer; or where require_auth names oauth, which is the consent to go without. At
 * most once for each attempt to connect, and once more after tusk_token_discover(); not for a cancel request. The connection goes on
 * with the answer in the next turn; until then its time-outs run, and, the first time, so does the server's patience
 * (authentication_timeout, 60 s by default). As with passwords, one connection asks one question at a time.
 *
 * Thread    the loop's thread; everything is allowed, answering at once and freeing the connection included
 * Example   docs/examples/oauth.c
 */
typedef void (*tusk_token_fn)(tusk_token_request *request, void *user);

/** Who is asked for: as the configuration names them, one host of the list. Borrowed until the answer, as all of these. */
tusk_str tusk_token_host(const tusk_token_request *request);
tusk_str tusk_token_port(const tusk_token_request *request);
tusk_str tusk_token_dbname(const tusk_token_request *request);
tusk_str tusk_token_user(const tusk_token_request *request);

/** The parameters oauth_issuer (https://…; if that is a well-known URL, the issuer of it), oauth_client_id and oauth_client_secret; empty: not
 * given. */
tusk_str tusk_token_issuer(const tusk_token_request *request);
tusk_str tusk_token_client_id(const tusk_token_request *request);
tusk_str tusk_token_client_secret(const tusk_token_request *request);
/** The parameter oauth_scope; else what the server asks for, if it was asked; else empty. */
tusk_str tusk_token_scope(const tusk_token_request *request);
/** Where the issuer describes itself (…/.well-known/openid-configuration): what the server says, if it was asked, which is the
 * issuer's; else the parameter oauth_issuer if it is such a URL; else empty. */
tusk_str tusk_token_discovery_url(const tusk_token_request *request);
/** Has the server been asked? Then the token goes over a fresh connection, and may take as long as connect_timeout allows. */
bool tusk_token_is_discovered(const tusk_token_request *request);

/**
 * Answer, and let go of the request. If it was canceled it is freed, and that is all.
 *
 * token     as it stands behind "Bearer ": letters, digits and -._~+/, then maybe = (RFC 6750). Copied; the copy is wiped when it has
 *           been used
 * Errors    are the login's: TUSK_ERR_VALUE another character, or none · TUSK_ERR_LIMIT longer than a server takes (some 65 500
 *           bytes) · TUSK_ERR_NOMEM
 * Thread    the loop's; another thread posts it (tusk_loop_post()). When the loop is gone any thread may answer, as nobody is left to
 *           be told
 */
void tusk_token_give(tusk_token_request *request, tusk_str token);

/**
 * Answer that the server is to be asked first what it wants, and let go of the request. It says so and hangs up; then the question
 * comes once more, with its scope and URL, and the token goes over a fresh connection. So it is also for a token that takes long: a
 * user who types a code into a browser has more time than the server's patience.
 *
 * Errors    are the login's: TUSK_ERR_STATE it was asked already · TUSK_ERR_CONFIG oauth_issuer is not given, so that nothing could
 *           be told from its answer · TUSK_ERR_AUTH its issuer is another, or it names none
 * Thread    as tusk_token_give()
 */
void tusk_token_discover(tusk_token_request *request);

/**
 * Answer that there is none, and let go of the request. The attempt ends with this error; another address is tried behind
 * TUSK_ERR_LOST and TUSK_ERR_TIMEOUT alone.
 *
 * err       copied; code, message (one line) and sqlstate are the program's, and must not hold the secret. NULL: TUSK_ERR_AUTH; a
 *           sqlstate that has not five characters becomes 28000
 * Thread    as tusk_token_give()
 */
void tusk_token_refuse(tusk_token_request *request, const tusk_error *err);

/** Have fn called once if the answer is not wanted any more: as tusk_password_on_cancel(). The request is still to be answered. */
void tusk_token_on_cancel(tusk_token_request *request, void (*fn)(tusk_token_request *request, void *user), void *user);

/** Is the answer not wanted any more? */
bool tusk_token_is_canceled(const tusk_token_request *request);

#ifdef __cplusplus
}
#endif

#endif
