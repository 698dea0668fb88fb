/* Passwords that are made when they are needed: rotating tokens, a vault, a prompt.
 * Read first: docs/guide.md, "Passwords". */
#ifndef TUSK_PASSWORD_H
#define TUSK_PASSWORD_H

#include <stdbool.h>

#include <tusk/error.h>
#include <tusk/loop.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The question of one login for its password. From the call of tusk_password_fn on it is the program's, until it is answered by
 * tusk_password_give() or tusk_password_refuse(), once, at any time: it stays valid when the connection, or the loop, is gone, and is
 * to be answered then, too. Who wants to know of that: tusk_password_on_cancel().
 */
typedef struct tusk_password_request tusk_password_request;

/**
 * Give a password, now or later (tusk_config.on_password). It is called when a server asks for one, at most once for each attempt
 * to connect (sslmode=prefer and allow may make two at one address; target_session_attrs=prefer-standby goes over the list twice if it has
 * no standby), behind the TLS handshake, which under sslmode=verify-full has
 * proved who the server is, and under a weaker mode has not; not for a cancel request. The connection goes on with the answer in
 * the next turn; until then its time-outs run, and so does the server's patience (authentication_timeout, 60 s by default).
 *
 * One connection asks one question at a time: before it asks again the one before was answered, or canceled, and
 * tusk_password_on_cancel() has said so. Several connections may ask at once.
 *
 * Thread    the loop's thread; everything is allowed, answering at once and freeing the connection included
 * Example   docs/examples/password.c
 */
typedef void (*tusk_password_fn)(tusk_password_request *request, void *user);

/** Who is asked for: as the configuration names them, one host of the list. Borrowed until the answer. */
tusk_str tusk_password_host(const tusk_password_request *request);
tusk_str tusk_password_port(const tusk_password_request *request);
tusk_str tusk_password_dbname(const tusk_password_request *request);
tusk_str tusk_password_user(const tusk_password_request *request);

/**
 * Answer, and let go of the request. If it was canceled it is freed, and that is all.
 *
 * password  UTF-8, or any bytes but zero; not empty. Copied; the copy is wiped when it has been used
 * Errors    are the login's: TUSK_ERR_AUTH 28P01 an empty one · TUSK_ERR_VALUE a zero byte in it · TUSK_ERR_NOMEM
 * Thread    the loop's; another thread posts it (tusk_loop_post()). When the loop is gone any thread may answer, as nobody is left to
 *           be told
 * Example   docs/examples/password_thread.c, with a thread that posts it
 */
void tusk_password_give(tusk_password_request *request, tusk_str password);

/**
 * Answer that there is none, and let go of the request. The attempt ends with this error; another address is tried behind
 * TUSK_ERR_LOST and TUSK_ERR_TIMEOUT alone.
 *
 * err       copied; code, sqlstate and texts are the program's, and must not hold the secret; control characters in a text become
 *           blanks. NULL, or a code that is no error: TUSK_ERR_AUTH; what is no sqlstate (five digits and capital letters) becomes
 *           28P01
 * Thread    as tusk_password_give()
 */
void tusk_password_refuse(tusk_password_request *request, const tusk_error *err);

/**
 * Have fn called once if the answer is not wanted any more: the connection was closed, its time is over, or the loop is being freed.
 * Never inside the call that brings that about, but for tusk_loop_free(). Everything is allowed there, too: a timer or watch that the
 * answer was to come by may be stopped. The request is still to be answered, in fn or later.
 *
 * Thread    the loop's, and before the answer
 * Example   docs/examples/password.c
 */
void tusk_password_on_cancel(tusk_password_request *request, void (*fn)(tusk_password_request *request, void *user), void *user);

/** Is the answer not wanted any more? */
bool tusk_password_is_canceled(const tusk_password_request *request);

#ifdef __cplusplus
}
#endif

#endif
