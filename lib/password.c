/* Questions for a password: what the program sees of them.
 * Read first: lib/password.h. */
#include "lib/password.h"

#include "proto/error_set.h"

struct tusk_password_request {
    tusk__question question;
    tusk_password_fn fn;
    void *user;
    void (*on_cancel)(tusk_password_request *request, void *user);
    void *cancel_user;
};

enum { HOST, PORT, DBNAME, USER, N_TEXTS };

static tusk_password_request *request_of(tusk__question *q)
{
    return (tusk_password_request *)(void *)q;
}

static void ask(tusk__question *q)
{
    tusk_password_request *request = request_of(q);

    request->fn(request, request->user);
}

static void tell_canceled(tusk__question *q)
{
    tusk_password_request *request = request_of(q);

    if (request->on_cancel)
        request->on_cancel(request, request->cancel_user);
}

static const tusk__question_kind kind = {"password", "on_password", sizeof(tusk_password_request), ask, tell_canceled};

tusk_code tusk__password_ask(tusk_loop *loop, const tusk__settings *settings, const tusk__host *host,
                             tusk__answer_fn on_answer, void *user, tusk__question **mine, tusk_error *err)
{
    const tusk_str texts[N_TEXTS] = {
        [HOST] = host->host, [PORT] = host->port, [DBNAME] = settings->dbname, [USER] = settings->user};
    tusk__question *q = tusk__question_new(loop, &kind, texts, N_TEXTS, on_answer, user, mine, err);
    tusk_password_request *request = request_of(q);

    if (!q)
        return TUSK_ERR_NOMEM;
    request->fn = settings->on_password;
    request->user = settings->user_data;
    request->on_cancel = NULL;
    return TUSK_OK;
}

/* ---- the answer ------------------------------------------------------------------------------------------------------ */

void tusk_password_give(tusk_password_request *request, tusk_str password)
{
    tusk_error err = {0};

    if (password.len == 0)
        (void)tusk__error_set(&err, TUSK_ERR_AUTH, "28P01", "the password that was given is empty");
    else if (memchr(password.ptr, '\0', password.len))
        (void)tusk__error_set(&err, TUSK_ERR_VALUE, NULL, "the password that was given has a zero byte in it");
    if (err.code == TUSK_OK)
        tusk__question_give(&request->question, password);
    else
        tusk__question_answer(&request->question, &err);
}

void tusk_password_refuse(tusk_password_request *request, const tusk_error *err)
{
    tusk__question_refuse(&request->question, err, "28P01");
}

void tusk_password_on_cancel(tusk_password_request *request, void (*fn)(tusk_password_request *request, void *user),
                             void *user)
{
    request->on_cancel = fn;
    request->cancel_user = user;
}

bool tusk_password_is_canceled(const tusk_password_request *request)
{
    return request->question.state == TUSK__QUESTION_CANCELED;
}

tusk_str tusk_password_host(const tusk_password_request *request)
{
    return request->question.text[HOST];
}

tusk_str tusk_password_port(const tusk_password_request *request)
{
    return request->question.text[PORT];
}

tusk_str tusk_password_dbname(const tusk_password_request *request)
{
    return request->question.text[DBNAME];
}

tusk_str tusk_password_user(const tusk_password_request *request)
{
    return request->question.text[USER];
}
