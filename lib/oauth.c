/* OAUTHBEARER: the token in the first message; or first an empty one, to which the server answers what it wants and hangs up, and
 * then the token over a fresh connection.
 * Where tokens come from is the program's business (lib/oauth_token.c).
 * Read first: lib/mechanism.h; RFC 7628, 3; PostgreSQL 18 docs, "OAUTHBEARER Authentication". */
#include <tusk/oauth.h>

#include <stdio.h>

#include "lib/crypto.h"
#include "lib/oauth_issuer.h"
#include "lib/oauth_json.h"
#include "lib/oauth_token.h"
#include "proto/error_set.h"

typedef enum phase {
    PHASE_BEGINS,     /* nothing was sent; maybe the program is being asked */
    PHASE_DISCOVERS,  /* the empty message was sent */
    PHASE_DISCOVERED, /* … and answered: the server is about to hang up, then the program is asked again */
    PHASE_BRINGS,     /* the token is here, for the next connection */
    PHASE_PRESENTED,  /* the token was sent */
    PHASE_REJECTED    /* … and the server has said that it will not do */
} phase;

typedef struct oauth {
    tusk__exchange *x;
    phase phase;
    tusk__question *question; /* while the program is asked */
    tusk_error error;         /* its answer; code TUSK_OK: `message`, or that the server is to be asked first */
    char *message;            /* the token's, whole; secret */
    size_t message_len;
    char *learnt; /* the texts behind the two that the server has said */
    tusk_str scope, discovery_url;
    tusk_str issuer;   /* of the configuration; behind the struct */
    char verdict[200]; /* of the server on the token */
} oauth;

#define MESSAGE_FRONT "n,,\1auth=Bearer "
#define MESSAGE_BACK "\1\1"
#define MESSAGE_EMPTY "n,,\1auth=\1\1"
#define MESSAGE_NOTED "\1" /* the client has seen the server's reasons */

static const tusk_allocator *allocator_of(const oauth *o)
{
    return tusk__loop_allocator(o->x->loop);
}

/* ---- the configuration ------------------------------------------------------------------------------------------------ */

static tusk_code check(const tusk__settings *settings, tusk_error *err)
{
    tusk__issuer issuer;
    const char *wrong = NULL;

    if (!settings->on_token)
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "tusk_oauth() needs tusk_config.on_token");
    if (tusk__is_well_known(settings->oauth_issuer))
        wrong = tusk__issuer_of_url(settings->oauth_issuer, &issuer);
    if (wrong)
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "oauth_issuer is a well-known URL, and %s", wrong);
    if (settings->oauth_issuer.len > 0 && !tusk__is_https(settings->oauth_issuer))
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL,
                               "oauth_issuer must begin with https://; plain http is never taken");
    return TUSK_OK;
}

/* As it is given, or whose the URL is that is given. */
static tusk__issuer issuer_of(const tusk__settings *settings)
{
    tusk__issuer issuer = {.front = settings->oauth_issuer};

    if (tusk__is_well_known(settings->oauth_issuer))
        (void)tusk__issuer_of_url(settings->oauth_issuer, &issuer); /* check() has seen it */
    return issuer;
}

static tusk_str put(char *to, tusk_str text)
{
    if (text.len > 0)
        memcpy(to, text.ptr, text.len);
    return tusk_str_from(to, text.len);
}

/* ---- life ------------------------------------------------------------------------------------------------------------------- */

static tusk_code start(tusk__exchange *x, void **state, tusk_error *err)
{
    const tusk_allocator *allocator = tusk__loop_allocator(x->loop);
    tusk__issuer issuer = issuer_of(x->settings);
    size_t len = issuer.front.len + issuer.back.len;
    oauth *o = allocator->malloc(sizeof *o + len, allocator->user);
    char *text = (char *)(o + 1);

    if (!o)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for OAUTHBEARER");
    *o = (oauth){.x = x, .scope = x->settings->oauth_scope, .issuer = tusk_str_from(text, len)};
    (void)put(text, issuer.front);
    (void)put(text + issuer.front.len, issuer.back);
    if (tusk__is_well_known(x->settings->oauth_issuer))
        o->discovery_url = x->settings->oauth_issuer;
    *state = o;
    return TUSK_OK;
}

static void forget_message(oauth *o)
{
    if (!o->message)
        return;
    tusk__crypto_openssl()->wipe(o->message, o->message_len);
    allocator_of(o)->free(o->message, allocator_of(o)->user);
    o->message = NULL;
}

static void free_oauth(void *state)
{
    oauth *o = state;
    const tusk_allocator *allocator = allocator_of(o);

    tusk__question_abandon(&o->question);
    forget_message(o);
    allocator->free(o->learnt, allocator->user);
    allocator->free(o, allocator->user);
}

/* ---- the token ----------------------------------------------------------------------------------------------------------------- */

static tusk_code keep_message(oauth *o, tusk_str token, tusk_error *err)
{
    static const char front[] = MESSAGE_FRONT, back[] = MESSAGE_BACK;
    size_t len = sizeof front - 1 + token.len + sizeof back - 1;
    char *to;

    o->message = allocator_of(o)->malloc(len, allocator_of(o)->user);
    if (!o->message)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a token");
    o->message_len = len;
    to = o->message;
    to += put(to, tusk_str_of(front)).len;
    to += put(to, token).len;
    (void)put(to, tusk_str_of(back));
    return TUSK_OK;
}

static void on_answer(tusk_str secret, const tusk_error *given, void *user)
{
    oauth *o = user;

    o->error = *given;
    if (given->code == TUSK_OK && secret.len > 0)
        (void)keep_message(o, secret, &o->error);
    tusk__exchange_wake(o->x);
}

static tusk_code ask(oauth *o, tusk_error *err)
{
    const tusk__token_facts facts = {.issuer = o->issuer,
                                     .scope = o->scope,
                                     .discovery_url = o->discovery_url,
                                     .is_discovered = o->phase == PHASE_DISCOVERED};

    TUSK_TRY(tusk__token_ask(o->x, &facts, on_answer, o, &o->question, err));
    return TUSK_AGAIN;
}

/* Whoever has the token is its owner, so it goes to nobody who has not proved himself, unless the caller asks for it by name: as a
 * password in the clear (D26). */
static tusk_code may_send(const oauth *o, tusk_error *err)
{
    const tusk__settings *s = o->x->settings;
    bool is_local = tusk__host_is_local(o->x->host);

    if (o->x->is_server_proved || tusk__auth_rule_names(&s->require_auth, TUSK__METHOD_OAUTH))
        return TUSK_OK;
    tusk__error_set(err, TUSK_ERR_AUTH, NULL, "the server asks for a bearer token, and nothing proves who it is");
    tusk__error_hint(err,
                     tusk_str_of(is_local ? "Say whose the server is by requirepeer, or consent by require_auth=oauth."
                                          : "Connect with sslmode=verify-full, or consent by require_auth=oauth."));
    return TUSK_ERR_AUTH;
}

static tusk_code present(oauth *o, tusk__reply *reply)
{
    o->phase = PHASE_PRESENTED;
    *reply = (tusk__reply){tusk_str_from(o->message, o->message_len), TUSK__STANDING_DONE};
    return TUSK_OK;
}

static tusk_code discover(oauth *o, tusk__reply *reply)
{
    o->phase = PHASE_DISCOVERS;
    *reply = (tusk__reply){tusk_str_of(MESSAGE_EMPTY), TUSK__STANDING_GOES_ON};
    return TUSK_OK;
}

/* ---- what the server wants -------------------------------------------------------------------------------------------------- */

/* Who describes himself there is the one that was configured, or a server could send the program to anybody. */
static tusk_code check_discovery_url(const oauth *o, tusk_str url, tusk_error *err)
{
    tusk__issuer issuer = {0};
    const char *wrong = tusk__issuer_of_url(url, &issuer);

    if (wrong)
        return tusk__error_set(err, TUSK_ERR_AUTH, NULL, "the server's openid-configuration %s", wrong);
    if (o->issuer.len > 0 && !tusk__issuer_is(&issuer, o->issuer))
        return tusk__error_set(err, TUSK_ERR_AUTH, NULL,
                               "the server's openid-configuration is not of the issuer that oauth_issuer names");
    if (o->discovery_url.ptr && !tusk_str_equal(o->discovery_url, url))
        return tusk__error_set(err, TUSK_ERR_AUTH, NULL,
                               "the server's openid-configuration is not the one that oauth_issuer names");
    return TUSK_OK;
}

static tusk_code keep_learnt(oauth *o, const tusk__oauth_answer *answer, tusk_error *err)
{
    size_t len = answer->scope.len + answer->discovery_url.len;

    o->learnt = allocator_of(o)->malloc(len + 1, allocator_of(o)->user);
    if (!o->learnt)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for what the server wants of a token");
    if (answer->discovery_url.ptr)
        o->discovery_url = put(o->learnt, answer->discovery_url);
    if (o->scope.len == 0)
        o->scope = put(o->learnt + answer->discovery_url.len, answer->scope);
    return TUSK_OK;
}

static tusk_code note_discovery(oauth *o, const tusk__oauth_answer *answer, tusk_error *err)
{
    if (!tusk_str_is(answer->status, "invalid_token"))
        return tusk__error_set(err, TUSK_ERR_AUTH, NULL,
                               "the server does not tell what it wants of a token: " TUSK_STR_FMT,
                               TUSK_STR_ARG(answer->status));
    TUSK_TRY(keep_learnt(o, answer, err));
    if (!o->discovery_url.ptr)
        return tusk__error_set(err, TUSK_ERR_AUTH, NULL, "the server names no openid-configuration");
    o->phase = PHASE_DISCOVERED;
    return TUSK_OK;
}

/* What will be said beside the server's error, which follows. */
static void note_rejection(oauth *o, const tusk__oauth_answer *answer)
{
    snprintf(o->verdict, sizeof o->verdict, "The server says of the token: " TUSK_STR_FMT "%s" TUSK_STR_FMT,
             TUSK_STR_ARG(answer->status), answer->scope.len > 0 ? "; it wants the scope " : "",
             TUSK_STR_ARG(answer->scope));
    o->phase = PHASE_REJECTED;
}

static tusk_code note_answer(oauth *o, tusk_str json, tusk_error *err)
{
    tusk__oauth_answer answer;

    TUSK_TRY(tusk__oauth_answer_read(json, &answer, err));
    if (!answer.status.ptr)
        return tusk__error_set(err, TUSK_ERR_PROTOCOL, NULL, "OAUTHBEARER: the server's answer has no status");
    if (answer.discovery_url.ptr)
        TUSK_TRY(check_discovery_url(o, answer.discovery_url, err));
    if (o->phase == PHASE_DISCOVERS)
        return note_discovery(o, &answer, err);
    note_rejection(o, &answer);
    return TUSK_OK;
}

/* ---- the mechanism ----------------------------------------------------------------------------------------------------------- */

static tusk_code step(void *state, tusk_str input, tusk__reply *reply, tusk_error *err)
{
    oauth *o = state;

    if (!input.ptr) {
        TUSK_TRY(may_send(o, err));
        return o->phase == PHASE_BRINGS ? present(o, reply) : ask(o, err);
    }
    TUSK_TRY(note_answer(o, input, err));
    *reply = (tusk__reply){tusk_str_of(MESSAGE_NOTED), TUSK__STANDING_REFUSED};
    return TUSK_OK;
}

/* The program has answered. */
static tusk_code resume(void *state, tusk__reply *reply, tusk_error *err)
{
    oauth *o = state;

    if (o->error.code != TUSK_OK) {
        if (err && err->code == TUSK_OK)
            *err = o->error;
        tusk__error_where(err, "token");
        return o->error.code;
    }
    if (!o->message)
        return discover(o, reply);
    if (o->phase == PHASE_BEGINS)
        return present(o, reply);
    o->phase = PHASE_BRINGS;
    reply->standing = TUSK__STANDING_BEGINS_AGAIN;
    return TUSK_OK;
}

static tusk_code refused(void *state, tusk_error *error, tusk__reply *reply, tusk_error *err)
{
    oauth *o = state;

    forget_message(o);
    reply->standing = TUSK__STANDING_REFUSED;
    if (o->phase == PHASE_DISCOVERED)
        return ask(o, err);
    if (!error->detail[0])
        tusk__error_detail(error, tusk_str_of(o->verdict));
    return TUSK_OK;
}

static void explain(const void *state, tusk_error *err)
{
    const oauth *o = state;

    tusk__question_explain(o->question, err);
}

const tusk_auth_mechanism *tusk_oauth(void)
{
    static const tusk_auth_mechanism mechanism = {.name = "OAUTHBEARER",
                                                  .method = TUSK__METHOD_OAUTH,
                                                  .is_sasl = true,
                                                  .check = check,
                                                  .start = start,
                                                  .step = step,
                                                  .resume = resume,
                                                  .refused = refused,
                                                  .explain = explain,
                                                  .free = free_oauth};

    return &mechanism;
}
