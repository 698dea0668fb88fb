/* Questions for a bearer token: what the program sees of them.
 * Read first: lib/oauth_token.h. */
#include "lib/oauth_token.h"

#include <tusk/oauth.h>

#include "proto/error_set.h"

struct tusk_token_request {
    tusk__question question;
    tusk_token_fn fn;
    void *user;
    void (*on_cancel)(tusk_token_request *request, void *user);
    void *cancel_user;
    bool is_discovered;
};

enum { HOST, PORT, DBNAME, USER, ISSUER, CLIENT_ID, CLIENT_SECRET, SCOPE, DISCOVERY_URL, N_TEXTS };

_Static_assert(N_TEXTS <= TUSK__QUESTION_TEXTS_MAX, "a question has room for them");

static tusk_token_request *request_of(tusk__question *q)
{
    return (tusk_token_request *)(void *)q;
}

static void ask(tusk__question *q)
{
    tusk_token_request *request = request_of(q);

    request->fn(request, request->user);
}

static void tell_canceled(tusk__question *q)
{
    tusk_token_request *request = request_of(q);

    if (request->on_cancel)
        request->on_cancel(request, request->cancel_user);
}

static const tusk__question_kind kind = {"token", "on_token", sizeof(tusk_token_request), ask, tell_canceled};

tusk_code tusk__token_ask(const tusk__exchange *x, const tusk__token_facts *facts, tusk__answer_fn on_answer,
                          void *user, tusk__question **mine, tusk_error *err)
{
    const tusk__settings *s = x->settings;
    const tusk_str texts[N_TEXTS] = {
        [HOST] = x->host->host,
        [PORT] = x->host->port,
        [DBNAME] = s->dbname,
        [USER] = s->user,
        [ISSUER] = facts->issuer,
        [CLIENT_ID] = s->oauth_client_id,
        [CLIENT_SECRET] = s->oauth_client_secret,
        [SCOPE] = facts->scope,
        [DISCOVERY_URL] = facts->discovery_url,
    };
    tusk__question *q = tusk__question_new(x->loop, &kind, texts, N_TEXTS, on_answer, user, mine, err);
    tusk_token_request *request = request_of(q);

    if (!q)
        return TUSK_ERR_NOMEM;
    request->fn = s->on_token;
    request->user = s->user_data;
    request->on_cancel = NULL;
    request->is_discovered = facts->is_discovered;
    return TUSK_OK;
}

/* ---- the answer ------------------------------------------------------------------------------------------------------ */

static bool is_token_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~' || c == '+' || c == '/';
}

/* b64token of RFC 6750, 2.1. Anything else could say more to the server than a token. */
static bool is_bearer_token(tusk_str token)
{
    size_t i = 0;

    while (i < token.len && is_token_character(token.ptr[i]))
        i++;
    if (i == 0)
        return false;
    while (i < token.len && token.ptr[i] == '=')
        i++;
    return i == token.len;
}

void tusk_token_give(tusk_token_request *request, tusk_str token)
{
    tusk_error err = {0};

    if (token.len > TUSK__AUTH_TOKEN_MAX)
        (void)tusk__error_set(&err, TUSK_ERR_LIMIT, NULL, "the token that was given is longer than a server takes");
    else if (token.len == 0)
        (void)tusk__error_set(&err, TUSK_ERR_VALUE, NULL, "the token that was given is empty");
    else if (!is_bearer_token(token))
        (void)tusk__error_set(&err, TUSK_ERR_VALUE, NULL,
                              "the token that was given is no bearer token: letters, digits, -._~+/ and = at its end");
    if (err.code == TUSK_OK)
        tusk__question_give(&request->question, token);
    else
        tusk__question_answer(&request->question, &err);
}

void tusk_token_discover(tusk_token_request *request)
{
    tusk_error err = {0};

    if (request->is_discovered)
        (void)tusk__error_set(&err, TUSK_ERR_STATE, NULL, "the server was asked already what it wants of a token");
    else if (request->question.text[ISSUER].len == 0)
        (void)tusk__error_set(&err, TUSK_ERR_CONFIG, NULL,
                              "oauth_issuer is not given: whoever the server names could be anybody");
    tusk__question_answer(&request->question, &err);
}

void tusk_token_refuse(tusk_token_request *request, const tusk_error *err)
{
    tusk__question_refuse(&request->question, err, "28000");
}

void tusk_token_on_cancel(tusk_token_request *request, void (*fn)(tusk_token_request *request, void *user), void *user)
{
    request->on_cancel = fn;
    request->cancel_user = user;
}

bool tusk_token_is_canceled(const tusk_token_request *request)
{
    return request->question.state == TUSK__QUESTION_CANCELED;
}

bool tusk_token_is_discovered(const tusk_token_request *request)
{
    return request->is_discovered;
}

tusk_str tusk_token_host(const tusk_token_request *request)
{
    return request->question.text[HOST];
}

tusk_str tusk_token_port(const tusk_token_request *request)
{
    return request->question.text[PORT];
}

tusk_str tusk_token_dbname(const tusk_token_request *request)
{
    return request->question.text[DBNAME];
}

tusk_str tusk_token_user(const tusk_token_request *request)
{
    return request->question.text[USER];
}

tusk_str tusk_token_issuer(const tusk_token_request *request)
{
    return request->question.text[ISSUER];
}

tusk_str tusk_token_client_id(const tusk_token_request *request)
{
    return request->question.text[CLIENT_ID];
}

tusk_str tusk_token_client_secret(const tusk_token_request *request)
{
    return request->question.text[CLIENT_SECRET];
}

tusk_str tusk_token_scope(const tusk_token_request *request)
{
    return request->question.text[SCOPE];
}

tusk_str tusk_token_discovery_url(const tusk_token_request *request)
{
    return request->question.text[DISCOVERY_URL];
}
