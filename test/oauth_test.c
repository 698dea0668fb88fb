/* Tests of OAUTHBEARER as a machine: what is sent for which answers of the program and of the server, what is never sent, and what
 * the program is told. The login and the session are the real ones.
 * Not tested here: two connections, time-outs (test/fault/oauth_server_test.c), what every mechanism has (mechanism_test).
 * Read first: lib/oauth.c, tusk/oauth.h; RFC 7628. */
#include "test/login_rig.h"

#include "lib/oauth_issuer.h"
#include "lib/oauth_json.h"

#define ISSUER "https://id.example"
#define URL ISSUER "/.well-known/openid-configuration"
#define PLACE "host=db1 user=alice dbname=app "
#define PROVED PLACE "sslmode=verify-full "
#define CLIENT "oauth_issuer=" ISSUER " oauth_client_id=me oauth_client_secret=my-secret "
#define OFFER "OAUTHBEARER\0"
#define TOKEN "header.payload.signature"
#define MESSAGE(token) "n,,\1auth=Bearer " token "\1\1"
#define EMPTY "n,,\1auth=\1\1"
#define WANTS "{\"status\":\"invalid_token\",\"scope\":\"openid postgres\",\"openid-configuration\":\"" URL "\"}"

/* ---- the program ----------------------------------------------------------------------------------------------------- */

typedef enum manner { GIVES, GIVES_LATER, DISCOVERS, DISCOVERS_LATER, REFUSES, NEVER } manner;

static manner manners[2]; /* at the first question, and at the second */
static const char *token;
static const tusk_error *refusal;
static int n_asked, n_canceled;
static char asked_for[2][300];
static tusk_token_request *held;
static tusk_timer *timer;

static void answer(void *user)
{
    tusk_token_request *request = held;

    (void)user;
    held = NULL;
    timer = NULL;
    if (manners[n_asked - 1] == DISCOVERS_LATER)
        tusk_token_discover(request);
    else
        tusk_token_give(request, tusk_str_of(token));
}

static void on_cancel(tusk_token_request *request, void *user)
{
    ck_assert_ptr_eq(user, &held);
    ck_assert_ptr_eq(request, held);
    ck_assert(tusk_token_is_canceled(request));
    n_canceled++;
}

static void note_question(const tusk_token_request *request)
{
    char *to = asked_for[n_asked++];

    snprintf(to, sizeof asked_for[0],
             TUSK_STR_FMT ":" TUSK_STR_FMT "/" TUSK_STR_FMT " as " TUSK_STR_FMT " | " TUSK_STR_FMT " " TUSK_STR_FMT
                          " " TUSK_STR_FMT " | " TUSK_STR_FMT " | " TUSK_STR_FMT " | %s",
             TUSK_STR_ARG(tusk_token_host(request)), TUSK_STR_ARG(tusk_token_port(request)),
             TUSK_STR_ARG(tusk_token_dbname(request)), TUSK_STR_ARG(tusk_token_user(request)),
             TUSK_STR_ARG(tusk_token_issuer(request)), TUSK_STR_ARG(tusk_token_client_id(request)),
             TUSK_STR_ARG(tusk_token_client_secret(request)), TUSK_STR_ARG(tusk_token_scope(request)),
             TUSK_STR_ARG(tusk_token_discovery_url(request)), tusk_token_is_discovered(request) ? "discovered" : "");
}

static void on_token(tusk_token_request *request, void *user)
{
    ck_assert_ptr_eq(user, &the_world);
    ck_assert_int_lt(n_asked, 2);
    ck_assert(!tusk_token_is_canceled(request));
    note_question(request);
    held = request;
    tusk_token_on_cancel(request, on_cancel, &held);
    switch (manners[n_asked - 1]) {
    case GIVES:
        held = NULL;
        tusk_token_give(request, tusk_str_of(token));
        break;
    case DISCOVERS:
        held = NULL;
        tusk_token_discover(request);
        break;
    case REFUSES:
        held = NULL;
        tusk_token_refuse(request, refusal);
        break;
    case GIVES_LATER:
    case DISCOVERS_LATER:
        timer = tusk_timer_start(loop, 5.0, answer, NULL);
        ck_assert_ptr_nonnull(timer);
        break;
    case NEVER:
        break;
    }
}

static tusk_config with(const char *dsn)
{
    static const tusk_auth_mechanism *mechanisms[2];

    mechanisms[0] = tusk_oauth();
    return (tusk_config){.dsn = dsn,
                         .auth_mechanisms = mechanisms,
                         .on_token = on_token,
                         .user_data = &the_world,
                         .ignore_environment = true};
}

static void begin(rig *r, const char *dsn)
{
    tusk_config config = with(dsn);

    rig_begin(r, &config);
}

static void offer(rig *r)
{
    rig_ask(r, TUSK__AUTH_SASL, LITERAL(OFFER));
}

static void answer_json(rig *r, const char *json)
{
    rig_ask(r, TUSK__AUTH_SASL_CONTINUE, tusk_str_of(json));
}

/* The empty message, what the server wants, and its end. */
static tusk_code discover(rig *r, const char *json)
{
    offer(r);
    rig_hear_ok(r);
    rig_initial_is(r, "OAUTHBEARER", LITERAL(EMPTY));
    answer_json(r, json);
    TUSK_TRY(rig_hear(r));
    rig_answer_is(r, LITERAL("\1"));
    rig_send_error(r, "28000", "OAuth bearer authentication failed for user \"alice\"");
    return rig_hear(r);
}

static void set_up(void)
{
    rig_set_up();
    the_world.has_own_clock = true;
    link_tls = "TLSv1.3";
    manners[0] = manners[1] = GIVES;
    token = TOKEN;
    refusal = NULL;
    n_asked = n_canceled = 0;
    held = NULL;
    memset(asked_for, 0, sizeof asked_for);
}

/* ---- a token at hand --------------------------------------------------------------------------------------------------- */

START_TEST(a_token_at_hand_is_in_the_first_message)
{
    rig r;

    manners[0] = _i ? GIVES_LATER : GIVES;
    begin(&r, PROVED CLIENT);
    offer(&r);
    rig_hear_ok(&r);
    rig_initial_is(&r, "OAUTHBEARER", LITERAL(MESSAGE(TOKEN)));
    rig_send_welcome(&r);
    rig_hear_ok(&r);
    ck_assert(r.is_ready);
    ck_assert_int_eq(tusk__login_facts_of(r.login)->method, TUSK__METHOD_OAUTH);
    ck_assert_str_eq(asked_for[0], "db1:5432/app as alice | " ISSUER " me my-secret |  |  | ");
    rig_end(&r);
}
END_TEST

static const struct {
    const char *dsn, *asked_for;
} told[] = {
    {PROVED, "db1:5432/app as alice |    |  |  | "},
    {PROVED "oauth_scope='a b' port=5433", "db1:5433/app as alice |    | a b |  | "},
    {PROVED "oauth_issuer=" URL, "db1:5432/app as alice | " ISSUER "   |  | " URL " | "},
    {PROVED "oauth_issuer=https://id.example/.well-known/oauth-authorization-server/realm",
     "db1:5432/app as alice | https://id.example/realm   |  | "
     "https://id.example/.well-known/oauth-authorization-server/realm | "},
};

START_TEST(the_program_is_told_what_the_configuration_says)
{
    rig r;

    begin(&r, told[_i].dsn);
    offer(&r);
    rig_hear_ok(&r);
    rig_take(&r);
    ck_assert_str_eq(asked_for[0], told[_i].asked_for);
    rig_end(&r);
}
END_TEST

static const struct {
    const char *token;
    bool is_good;
} tokens[] = {
    {"a", true},         {"Az09-._~+/", true}, {"abc=", true},      {"abc==", true}, {"", false},
    {"=", false},        {"a=b", false},       {"a b", false},      {"a\1b", false}, {"a,b", false},
    {"\xC3\xA4", false}, {"a\n", false},       {"Bearer a", false},
};

START_TEST(a_token_is_nothing_else)
{
    char expected[64];
    rig r;

    token = tokens[_i].token;
    begin(&r, PROVED CLIENT);
    offer(&r);
    if (tokens[_i].is_good) {
        rig_hear_ok(&r);
        snprintf(expected, sizeof expected, MESSAGE("%s"), token);
        rig_initial_is(&r, "OAUTHBEARER", tusk_str_of(expected));
    } else {
        rig_hear_refused(&r, TUSK_ERR_VALUE, "22P03",
                         token[0]
                             ? "the token that was given is no bearer token: letters, digits, -._~+/ and = at its end"
                             : "the token that was given is empty");
        ck_assert_str_eq(r.err.where, "login: token");
    }
    rig_end(&r);
}
END_TEST

START_TEST(a_token_that_no_server_takes_is_not_sent)
{
    static char longest[TUSK__AUTH_TOKEN_MAX + 2];
    static const size_t lens[] = {TUSK__AUTH_TOKEN_MAX - 18, TUSK__AUTH_TOKEN_MAX - 17, TUSK__AUTH_TOKEN_MAX + 1};
    rig r;

    memset(longest, 'x', lens[_i]);
    longest[lens[_i]] = '\0';
    token = longest;
    begin(&r, PROVED CLIENT);
    offer(&r);
    if (_i == 0)
        rig_hear_ok(&r);
    else
        rig_hear_refused(&r, TUSK_ERR_LIMIT, "54000",
                         _i == 1 ? "an answer of OAUTHBEARER is longer than a server takes"
                                 : "the token that was given is longer than a server takes");
    rig_end(&r);
}
END_TEST

START_TEST(a_refusal_of_the_programs_is_the_logins_error)
{
    tusk_error err = {.code = TUSK_ERR_LOST, .message = "the authorization server is away"};
    rig r;

    manners[0] = REFUSES;
    refusal = _i ? &err : NULL;
    begin(&r, PROVED CLIENT);
    offer(&r);
    if (_i)
        rig_hear_refused(&r, TUSK_ERR_LOST, "28000", "the authorization server is away");
    else
        rig_hear_refused(&r, TUSK_ERR_AUTH, "28000", "the program gave no token");
    ck_assert_str_eq(r.err.where, "login: token");
    rig_end(&r);
}
END_TEST

START_TEST(a_login_that_is_freed_cancels_its_question)
{
    rig r;

    manners[0] = NEVER;
    begin(&r, PROVED CLIENT);
    offer(&r);
    ck_assert_int_eq(rig_hear_one(&r), TUSK_AGAIN);
    ck_assert_int_eq(tusk_loop_turn(loop, 0, NULL), TUSK_OK);
    ck_assert_int_eq(n_asked, 1);
    rig_end(&r);
    ck_assert_int_eq(n_canceled, 0); /* never inside the call that brings it about */
    ck_assert_int_eq(tusk_loop_turn(loop, 0, NULL), TUSK_OK);
    ck_assert_int_eq(n_canceled, 1);
    if (_i == 0)
        tusk_token_give(held, tusk_str_of(TOKEN));
    else if (_i == 1)
        tusk_token_discover(held);
    else
        tusk_token_refuse(held, NULL);
}
END_TEST

/* ---- D26: to whom -------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *dsn, *tls;
    bool is_sent;
} links[] = {
    {PLACE CLIENT, "", false},
    {PLACE CLIENT "sslmode=prefer", "TLSv1.3", false},
    {PLACE CLIENT "sslmode=require", "TLSv1.3", false}, /* encrypted, but to whom? */
    {PLACE CLIENT "sslmode=verify-ca", "TLSv1.3", false},
    {PLACE CLIENT "sslmode=verify-full", "TLSv1.3", true},
    {PLACE CLIENT "sslmode=verify-full", "", false},
    {PLACE CLIENT "sslmode=verify-full require_auth=!md5", "", false},
    {PLACE CLIENT "require_auth=oauth", "", true},
    {PLACE CLIENT "require_auth=oauth,scram-sha-256", "", true},
    {CLIENT "user=alice host=/tmp", "", false},
    {CLIENT "user=alice host=/tmp sslmode=verify-full", "", false},
    {CLIENT "user=alice host=/tmp requirepeer=postgres", "", true},
    {CLIENT "user=alice host=/tmp require_auth=oauth", "", true},
    {PLACE CLIENT "requirepeer=postgres", "", false}, /* means nothing over TCP */
};

START_TEST(d26_a_token_is_for_who_has_proved_himself_or_was_asked_for)
{
    rig r;

    link_tls = links[_i].tls;
    begin(&r, links[_i].dsn);
    offer(&r);
    if (links[_i].is_sent) {
        rig_hear_ok(&r);
        rig_initial_is(&r, "OAUTHBEARER", LITERAL(MESSAGE(TOKEN)));
    } else {
        rig_hear_refused(&r, TUSK_ERR_AUTH, "28000",
                         "the server asks for a bearer token, and nothing proves who it is");
        ck_assert_ptr_nonnull(strstr(r.err.hint, "require_auth=oauth"));
        ck_assert_int_eq(n_asked, 0); /* the program has not even made one */
    }
    rig_end(&r);
}
END_TEST

/* The second connection is judged like the first. */
START_TEST(d26_the_token_goes_to_nobody_else_behind_discovery)
{
    rig r;

    manners[0] = DISCOVERS;
    begin(&r, PROVED CLIENT);
    ck_assert_int_eq(discover(&r, WANTS), TUSK_ERR_AUTH);
    link_tls = "";
    rig_begin_again(&r);
    offer(&r);
    rig_hear_refused(&r, TUSK_ERR_AUTH, "28000", "the server asks for a bearer token, and nothing proves who it is");
    rig_end(&r);
}
END_TEST

static const char *const forbidding[] = {"require_auth=!oauth", "require_auth=scram-sha-256",
                                         "channel_binding=require"};

START_TEST(d24_what_is_forbidden_asks_nobody)
{
    char dsn[256];
    rig r;

    snprintf(dsn, sizeof dsn, PROVED CLIENT "%s", forbidding[_i]);
    begin(&r, dsn);
    offer(&r);
    ck_assert_int_eq(rig_hear(&r), TUSK_ERR_AUTH);
    ck_assert_uint_eq(r.out.len, r.taken);
    ck_assert_int_eq(n_asked, 0);
    rig_end(&r);
}
END_TEST

/* ---- asking the server first --------------------------------------------------------------------------------------------- */

static const struct {
    const char *dsn, *json, *asked_for;
} discoveries[] = {
    {PROVED CLIENT, WANTS, "db1:5432/app as alice | " ISSUER " me my-secret | openid postgres | " URL " | discovered"},
    {PROVED CLIENT "oauth_scope=mine", WANTS,
     "db1:5432/app as alice | " ISSUER " me my-secret | mine | " URL " | discovered"},
    {PROVED CLIENT, "{\"openid-configuration\":\"" URL "\", \"more\":[{},1,null], \"status\":\"invalid_token\"}",
     "db1:5432/app as alice | " ISSUER " me my-secret |  | " URL " | discovered"},
    {PROVED "oauth_issuer=" URL, "{\"status\":\"invalid_token\"}",
     "db1:5432/app as alice | " ISSUER "   |  | " URL " | discovered"},
    {PROVED "oauth_issuer=" URL, WANTS,
     "db1:5432/app as alice | " ISSUER "   | openid postgres | " URL " | discovered"},
    {PROVED "oauth_issuer=https://id.example/a",
     "{\"status\":\"invalid_token\",\"openid-configuration\":\"https://id.example/.well-known/openid-configuration/"
     "a\"}",
     "db1:5432/app as alice | https://id.example/a   |  | https://id.example/.well-known/openid-configuration/a | "
     "discovered"},
};

START_TEST(what_the_server_wants_is_told_and_the_token_goes_over_a_fresh_connection)
{
    rig r;

    manners[0] = DISCOVERS;
    manners[1] = _i % 2 ? GIVES_LATER : GIVES;
    begin(&r, discoveries[_i].dsn);
    ck_assert_int_eq(discover(&r, discoveries[_i].json), TUSK_ERR_AUTH);
    ck_assert_int_eq(n_asked, 2);
    ck_assert_str_eq(asked_for[1], discoveries[_i].asked_for);
    rig_begin_again(&r);
    offer(&r);
    rig_hear_ok(&r);
    rig_initial_is(&r, "OAUTHBEARER", LITERAL(MESSAGE(TOKEN)));
    rig_send_welcome(&r);
    rig_hear_ok(&r);
    ck_assert(r.is_ready);
    ck_assert_int_eq(n_asked, 2);
    rig_end(&r);
}
END_TEST

START_TEST(the_program_may_take_its_time_to_ask_the_server)
{
    rig r;

    manners[0] = DISCOVERS_LATER;
    begin(&r, PROVED CLIENT);
    ck_assert_int_eq(discover(&r, WANTS), TUSK_ERR_AUTH);
    ck_assert(tusk__login_wants_retry(r.login));
    rig_end(&r);
}
END_TEST

#define IS_OTHERS "the server's openid-configuration is not of the issuer that oauth_issuer names"
#define NAMES(url) "{\"status\":\"invalid_token\",\"openid-configuration\":\"" url "\"}"

static const struct {
    const char *json;
    tusk_code code;
    const char *message;
} lies[] = {
    {NAMES("https://evil.example/.well-known/openid-configuration"), TUSK_ERR_AUTH, IS_OTHERS},
    {NAMES("https://id.example.evil/.well-known/openid-configuration"), TUSK_ERR_AUTH, IS_OTHERS},
    {NAMES("https://ID.example/.well-known/openid-configuration"), TUSK_ERR_AUTH, IS_OTHERS},
    {NAMES("https://id.example//.well-known/openid-configuration"), TUSK_ERR_AUTH, IS_OTHERS},
    {NAMES("https://id.example/a/.well-known/openid-configuration"), TUSK_ERR_AUTH, IS_OTHERS},
    {NAMES("https://id.example/.well-known/openid-configuration/"), TUSK_ERR_AUTH, IS_OTHERS},
    {NAMES("http://id.example/.well-known/openid-configuration"), TUSK_ERR_AUTH,
     "the server's openid-configuration must use https; plain http is never taken"},
    {NAMES("https://id.example/.well-known/openid-configuration?a"), TUSK_ERR_AUTH,
     "the server's openid-configuration must have no query and no fragment"},
    {NAMES("https://evil.example#https://id.example/.well-known/openid-configuration"), TUSK_ERR_AUTH,
     "the server's openid-configuration must have no query and no fragment"},
    {NAMES("https://id.example"), TUSK_ERR_AUTH, "the server's openid-configuration has no /.well-known/ in it"},
    {NAMES("https://id.example/.well-known/openid-configuration-2"), TUSK_ERR_AUTH,
     "the server's openid-configuration names neither openid-configuration nor oauth-authorization-server"},
    {NAMES("https://id.example/a/.well-known/openid-configuration/b"), TUSK_ERR_AUTH,
     "the server's openid-configuration has a path on both sides of its well-known part"},
    {NAMES(""), TUSK_ERR_AUTH, "the server's openid-configuration must use https; plain http is never taken"},
    {"{\"status\":\"invalid_token\"}", TUSK_ERR_AUTH, "the server names no openid-configuration"},
    {"{\"status\":\"invalid_request\",\"openid-configuration\":\"" URL "\"}", TUSK_ERR_AUTH,
     "the server does not tell what it wants of a token: invalid_request"},
    {"{\"status\":\"two\\nlines\"}", TUSK_ERR_AUTH, "the server does not tell what it wants of a token: two lines"},
    {"{\"openid-configuration\":\"" URL "\"}", TUSK_ERR_PROTOCOL, "OAUTHBEARER: the server's answer has no status"},
    {"", TUSK_ERR_PROTOCOL, "OAUTHBEARER: the server's answer is no JSON object"},
    {"{", TUSK_ERR_PROTOCOL, "OAUTHBEARER: the server's answer is no JSON"},
    {"{} {}", TUSK_ERR_PROTOCOL, "OAUTHBEARER: the server's answer is no JSON"},
    {"{\"status\":\"\xFF\"}", TUSK_ERR_PROTOCOL, "OAUTHBEARER: the server's answer is no JSON"},
    {"{\"status\":\"a\\u0000b\"}", TUSK_ERR_PROTOCOL, "OAUTHBEARER: the server's answer is no JSON"},
    {"[]", TUSK_ERR_PROTOCOL, "OAUTHBEARER: the server's answer is no JSON object"},
    {"\"invalid_token\"", TUSK_ERR_PROTOCOL, "OAUTHBEARER: the server's answer is no JSON object"},
    {"{\"status\":\"invalid_token\",\"status\":\"x\"}", TUSK_ERR_PROTOCOL,
     "OAUTHBEARER: the server's answer has two of status"},
    {"{\"status\":null}", TUSK_ERR_PROTOCOL, "OAUTHBEARER: the server's answer has something else than text as status"},
    {"{\"status\":\"invalid_token\",\"scope\":[\"a\"]}", TUSK_ERR_PROTOCOL,
     "OAUTHBEARER: the server's answer has something else than text as scope"},
    {"{\"status\":\"invalid_token\",\"openid-configuration\":1}", TUSK_ERR_PROTOCOL,
     "OAUTHBEARER: the server's answer has something else than text as openid-configuration"},
};

START_TEST(an_answer_that_cannot_be_believed_ends_it)
{
    rig r;

    manners[0] = DISCOVERS;
    begin(&r, PROVED CLIENT);
    offer(&r);
    rig_hear_ok(&r);
    rig_take(&r);
    answer_json(&r, lies[_i].json);
    rig_hear_refused(&r, lies[_i].code, lies[_i].code == TUSK_ERR_PROTOCOL ? "08P01" : "28000", lies[_i].message);
    ck_assert_int_eq(n_asked, 1);
    ck_assert(!tusk__login_wants_retry(r.login));
    rig_end(&r);
}
END_TEST

START_TEST(a_url_that_was_given_is_the_only_one)
{
    rig r;

    manners[0] = DISCOVERS;
    begin(&r, PROVED "oauth_issuer=" URL);
    offer(&r);
    rig_hear_ok(&r);
    rig_take(&r);
    answer_json(&r, NAMES("https://id.example/.well-known/oauth-authorization-server")); /* of the same issuer */
    rig_hear_refused(&r, TUSK_ERR_AUTH, "28000",
                     "the server's openid-configuration is not the one that oauth_issuer names");
    rig_end(&r);
}
END_TEST

START_TEST(the_server_is_asked_once_and_not_without_an_issuer)
{
    rig r;

    manners[0] = manners[1] = DISCOVERS;
    begin(&r, PROVED CLIENT);
    ck_assert_int_eq(discover(&r, WANTS), TUSK_ERR_STATE);
    ck_assert_str_eq(r.err.message, "the server was asked already what it wants of a token");
    rig_end(&r);

    n_asked = 0;
    begin(&r, PROVED);
    offer(&r);
    rig_hear_refused(&r, TUSK_ERR_CONFIG, "08001",
                     "oauth_issuer is not given: whoever the server names could be anybody");
    rig_end(&r);
}
END_TEST

START_TEST(a_refusal_at_the_second_question_ends_it)
{
    rig r;

    manners[0] = DISCOVERS;
    manners[1] = REFUSES;
    begin(&r, PROVED CLIENT);
    ck_assert_int_eq(discover(&r, WANTS), TUSK_ERR_AUTH);
    ck_assert_str_eq(r.err.message, "the program gave no token");
    ck_assert(!tusk__login_wants_retry(r.login));
    rig_end(&r);
}
END_TEST

/* Nobody is proved yet: D24. */
START_TEST(d24_authentication_ok_behind_the_empty_message)
{
    rig r;

    manners[0] = DISCOVERS;
    begin(&r, PROVED CLIENT);
    offer(&r);
    rig_hear_ok(&r);
    rig_take(&r);
    if (_i == 1) {
        answer_json(&r, WANTS);
        rig_hear_ok(&r);
        rig_take(&r);
    }
    rig_send_welcome(&r);
    ck_assert_int_eq(rig_hear(&r), TUSK_ERR_PROTOCOL);
    ck_assert(!r.is_ready);
    rig_end(&r);
}
END_TEST

/* ---- JSON ------------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *json;
    const char *scope; /* NULL: none */
} answers[] = {
    {"{}", NULL},
    {" \t\r\n{ } \n", NULL},
    {"{\"scope\":\"\"}", ""},
    {"{ \"scope\" : \"a b\" , \"x\" : 1 }", "a b"},
    {"{\"sc\\u006Fpe\":\"a\"}", "a"},
    {"{\"Scope\":\"a\"}", NULL},
    {"{\"x\":{\"scope\":\"a\"}}", NULL},
    {"{\"x\":1,\"x\":2}", NULL},
    {"{\"scope\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t"},
    {"{\"scope\":\"\xC3\xA4\\u00e4\\u20AC\\ud83d\\uDE00\"}", "\xC3\xA4\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"},
    {"{\"x\":[0,-0,10,1.5,-1e3,1E+3,1.25e-3,true,false,null,[],{},[[]],{\"a\":{}}],\"scope\":\"a\"}", "a"},
    {"{\"x\":[[[[[[[]]]]]]]}", NULL},
};

START_TEST(json_is_read_as_it_is_written)
{
    tusk__oauth_answer answer;
    tusk_error err = {0};

    ck_assert_msg(tusk__oauth_answer_read(tusk_str_of(answers[_i].json), &answer, &err) == TUSK_OK, "%s", err.message);
    ck_assert_int_eq(answer.scope.ptr == NULL, answers[_i].scope == NULL);
    if (answers[_i].scope)
        ck_assert_msg(tusk_str_is(answer.scope, answers[_i].scope), TUSK_STR_FMT, TUSK_STR_ARG(answer.scope));
    ck_assert_ptr_null(answer.status.ptr);
}
END_TEST

static const char *const no_answers[] = {
    "{",
    "}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{,}",
    "{\"a\":1 \"b\":2}",
    "{a:1}",
    "{'a':1}",
    "{\"a\":01}",
    "{\"a\":+1}",
    "{\"a\":.5}",
    "{\"a\":1.}",
    "{\"a\":1e}",
    "{\"a\":-}",
    "{\"a\":nul}",
    "{\"a\":True}",
    "{\"a\":[1,]}",
    "{\"a\":[1}",
    "{\"a\":{]}",
    "{\"a\":\"}",
    "{\"a\":\"\\",
    "{\"a\":\"\\x\"}",
    "{\"a\":\"\\u12\"}",
    "{\"a\":\"\\u12G4\"}",
    "{\"a\":\"\\ud800\"}",
    "{\"a\":\"\\ud800\\u0041\"}",
    "{\"a\":\"\\udc00\"}",
    "{\"a\":\"\\u0000\"}",
    "{\"a\\u0000\":1}",
    "{\"a\":\"\n\"}",
    "{\"a\":\"\xC0\x80\"}",
    "{\"a\":\"\xED\xA0\x80\"}",
    "{\"a\":\"\xC3\"}",
    "{\"a\xFF\":1}",
    "{} x",
    "{\"a\":1}}",
    "\xEF\xBB\xBF{}",
    "1",
    "null",
    "\"a\"",
    "[{}]",
};

START_TEST(what_is_no_json_is_refused)
{
    tusk__oauth_answer answer;
    tusk_error err = {0};
    tusk_str json = tusk_str_of(no_answers[_i]);

    ck_assert_msg(tusk__oauth_answer_read(json, &answer, &err) == TUSK_ERR_PROTOCOL, "%s", no_answers[_i]);
    ck_assert_ptr_nonnull(strstr(err.message, "the server's answer is no JSON"));
}
END_TEST

START_TEST(json_has_its_bounds)
{
    static char text[TUSK__AUTH_MESSAGE_MAX + 2];
    static tusk__oauth_answer answer;
    tusk_error err = {0};

    ck_assert_int_eq(tusk__oauth_answer_read(LITERAL("{\"x\":[[[[[[[[]]]]]]]]}"), &answer, &err), TUSK_ERR_PROTOCOL);
    ck_assert_str_eq(err.message, "OAUTHBEARER: the server's answer is nested too deeply");
    for (size_t len = TUSK__AUTH_MESSAGE_MAX; len <= TUSK__AUTH_MESSAGE_MAX + 1; len++) {
        memset(text, 'x', sizeof text);
        memcpy(text, "{\"scope\":\"", 10);
        memcpy(text + len - 2, "\"}", 2);
        err = (tusk_error){0};
        if (len == TUSK__AUTH_MESSAGE_MAX) {
            ck_assert_int_eq(tusk__oauth_answer_read(tusk_str_from(text, len), &answer, &err), TUSK_OK);
            ck_assert_uint_eq(answer.scope.len, len - 12);
        } else {
            ck_assert_int_eq(tusk__oauth_answer_read(tusk_str_from(text, len), &answer, &err), TUSK_ERR_PROTOCOL);
        }
    }
}
END_TEST

/* ---- a token that will not do ----------------------------------------------------------------------------------------------- */

static const struct {
    const char *json, *detail;
} rejections[] = {
    {"{\"status\":\"invalid_token\"}", "The server says of the token: invalid_token"},
    {"{\"status\":\"insufficient_scope\",\"scope\":\"openid\",\"openid-configuration\":\"" URL "\"}",
     "The server says of the token: insufficient_scope; it wants the scope openid"},
    {NULL, ""}, /* no word but the error */
};

START_TEST(a_rejected_token_is_not_tried_again)
{
    rig r;

    begin(&r, PROVED CLIENT);
    offer(&r);
    rig_hear_ok(&r);
    rig_take(&r);
    if (rejections[_i].json) {
        answer_json(&r, rejections[_i].json);
        rig_hear_ok(&r);
        rig_answer_is(&r, LITERAL("\1"));
    }
    rig_send_error(&r, "28000", "OAuth bearer authentication failed for user \"alice\"");
    ck_assert_int_eq(rig_hear(&r), TUSK_ERR_AUTH);
    ck_assert_str_eq(r.err.message, "OAuth bearer authentication failed for user \"alice\"");
    ck_assert_str_eq(r.err.detail, rejections[_i].detail);
    ck_assert(!tusk__login_wants_retry(r.login));
    ck_assert_int_eq(n_asked, 1);
    rig_end(&r);
}
END_TEST

START_TEST(behind_a_rejection_nothing_but_an_error_may_come)
{
    rig r;

    begin(&r, PROVED CLIENT);
    offer(&r);
    rig_hear_ok(&r);
    answer_json(&r, "{\"status\":\"invalid_token\"}");
    rig_hear_ok(&r);
    r.taken = r.out.len;
    if (_i)
        answer_json(&r, "{\"status\":\"invalid_token\"}");
    else
        rig_send_welcome(&r);
    ck_assert_int_eq(rig_hear(&r), TUSK_ERR_PROTOCOL);
    ck_assert(!r.is_ready);
    rig_end(&r);
}
END_TEST

START_TEST(a_token_that_is_rejected_behind_discovery_is_the_end)
{
    rig r;

    manners[0] = DISCOVERS;
    begin(&r, PROVED CLIENT);
    ck_assert_int_eq(discover(&r, WANTS), TUSK_ERR_AUTH);
    rig_begin_again(&r);
    offer(&r);
    rig_hear_ok(&r);
    answer_json(&r, WANTS);
    rig_hear_ok(&r);
    rig_send_error(&r, "28000", "no");
    ck_assert_int_eq(rig_hear(&r), TUSK_ERR_AUTH);
    ck_assert(!tusk__login_wants_retry(r.login));
    ck_assert_int_eq(n_asked, 2);
    rig_end(&r);
}
END_TEST

/* ---- the configuration --------------------------------------------------------------------------------------------------- */

#define NO_HTTP "oauth_issuer must begin with https://; plain http is never taken"
#define NEEDS_OAUTH(rule) "require_auth=" rule " needs tusk_oauth(), which the program does not name"

static const struct {
    const char *dsn, *message; /* NULL: fine */
    bool has_no_callback, is_not_named;
} configurations[] = {
    {PROVED CLIENT "oauth_scope=x", NULL, false, false},
    {PROVED, NULL, false, false},
    {PROVED CLIENT, "tusk_oauth() needs tusk_config.on_token", true, false},
    {PROVED "oauth_issuer=x", "oauth_issuer counts for nothing unless the program names tusk_oauth()", false, true},
    {PROVED "oauth_client_id=x", "oauth_client_id counts for nothing unless the program names tusk_oauth()", false,
     true},
    {PROVED "oauth_client_secret=x", "oauth_client_secret counts for nothing unless the program names tusk_oauth()",
     false, true},
    {PROVED "oauth_scope=x", "oauth_scope counts for nothing unless the program names tusk_oauth()", false, true},
    {PROVED "oauth_scope=''", NULL, true, true},
    {PROVED, NULL, true, true},
    {PROVED "oauth_issuer=http://a/.well-known/openid-configuration",
     "oauth_issuer is a well-known URL, and must use https; plain http is never taken", false, false},
    {PROVED "oauth_issuer=http://id.example.com", NO_HTTP, false, false},
    {PROVED "oauth_issuer=id.example.com", NO_HTTP, false, false},
    {PROVED "oauth_issuer=httpss://id.example.com", NO_HTTP, false, false},
    {PROVED "oauth_issuer=HTTPS://id.example.com", NULL, false, false},
    {PROVED, "tusk_config.on_token is never called unless the program names tusk_oauth()", false, true},
    {PROVED "require_auth=oauth", NULL, false, false},
    {PROVED "require_auth=oauth", NEEDS_OAUTH("oauth"), true, true},
    {PROVED "require_auth=oauth,md5", NULL, true, true},
    {PROVED "oauth_issuer=https://a/b/.well-known/openid-configuration/c",
     "oauth_issuer is a well-known URL, and has a path on both sides of its well-known part", false, false},
};

START_TEST(parameters_count_where_the_mechanism_is_named)
{
    tusk_config config = with(configurations[_i].dsn);
    tusk__settings *settings = NULL;
    tusk_error err = {0};
    tusk_code code;

    if (configurations[_i].has_no_callback)
        config.on_token = NULL;
    if (configurations[_i].is_not_named)
        config.auth_mechanisms = NULL;
    code = tusk__settings_new(tusk_allocator_default(), &config, &settings, &err);
    ck_assert_str_eq(err.message, configurations[_i].message ? configurations[_i].message : "");
    ck_assert_int_eq(code, configurations[_i].message ? TUSK_ERR_CONFIG : TUSK_OK);
    ck_assert_str_eq(err.hint, code != TUSK_OK && configurations[_i].is_not_named
                                   ? "Name tusk_oauth() in tusk_config.auth_mechanisms."
                                   : "");
    tusk__settings_unref(settings);
}
END_TEST

START_TEST(the_client_secret_is_not_described)
{
    tusk_config config = with(PROVED CLIENT);
    char text[4096];
    tusk_error err = {0};

    ck_assert_uint_gt(tusk_config_describe(&config, text, sizeof text, &err), 0);
    ck_assert_ptr_null(strstr(text, "my-secret"));
    ck_assert_ptr_nonnull(strstr(text, "oauth_client_secret = (hidden)"));
    ck_assert_ptr_nonnull(strstr(text, "oauth_issuer = " ISSUER));
    ck_assert_ptr_nonnull(
        strstr(text, "mechanism = OAUTHBEARER  (field)\ntoken = (asked for at each login)  (field)\n"));
    ck_assert_ptr_null(strstr(text, "krbsrvname")); /* nothing without GSSAPI */
}
END_TEST

/* ---- memory --------------------------------------------------------------------------------------------------------------- */

static tusk_code go_all_the_way(rig *r, const tusk_config *config)
{
    tusk_code code = rig_try_begin(r, config);

    if (code != TUSK_OK)
        return code;
    offer(r);
    code = rig_hear(r);
    if (code != TUSK_OK)
        return code;
    r->taken = r->out.len;
    answer_json(r, WANTS);
    code = rig_hear(r);
    if (code != TUSK_OK)
        return code;
    r->taken = r->out.len;
    rig_send_error(r, "28000", "no");
    code = rig_hear(r);
    if (code != TUSK_ERR_AUTH)
        return code;
    code = rig_try_again(r);
    if (code != TUSK_OK)
        return code;
    offer(r);
    return rig_hear(r);
}

START_TEST(every_allocation_may_fail)
{
    tusk_config config = with(PROVED CLIENT);
    int n_failed = 0;

    manners[0] = DISCOVERS;
    for (long n = 1;; n++) {
        tusk_code code;
        rig r;

        n_asked = 0;
        memory.n_calls = 0;
        memory.fail_at = n;
        code = go_all_the_way(&r, &config);
        memory.fail_at = 0;
        ck_assert_msg(code == TUSK_OK || code == TUSK_ERR_NOMEM, "allocation %ld: %s %s", n, tusk_code_name(code),
                      r.err.message);
        n_failed += code != TUSK_OK;
        rig_end(&r);
        if (memory.n_calls < n)
            break;
    }
    ck_assert_int_ge(n_failed, 10); /* settings, exchange, state, two questions, what was learnt, the token twice … */
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("oauth");
    TCase *hand = tcase_create("a token at hand"), *whom = tcase_create("to whom"), *asks = tcase_create("discovery"),
          *json = tcase_create("json"), *rejected = tcase_create("rejected"), *rest = tcase_create("rest");
    TCase *all[] = {hand, whom, asks, json, rejected, rest};

    for (int i = 0; i < N_OF(all); i++) {
        tcase_add_checked_fixture(all[i], set_up, rig_tear_down);
        suite_add_tcase(suite, all[i]);
    }
    tcase_add_loop_test(hand, a_token_at_hand_is_in_the_first_message, 0, 2);
    tcase_add_loop_test(hand, the_program_is_told_what_the_configuration_says, 0, N_OF(told));
    tcase_add_loop_test(hand, a_token_is_nothing_else, 0, N_OF(tokens));
    tcase_add_loop_test(hand, a_token_that_no_server_takes_is_not_sent, 0, 3);
    tcase_add_loop_test(hand, a_refusal_of_the_programs_is_the_logins_error, 0, 2);
    tcase_add_loop_test(hand, a_login_that_is_freed_cancels_its_question, 0, 3);

    tcase_add_loop_test(whom, d26_a_token_is_for_who_has_proved_himself_or_was_asked_for, 0, N_OF(links));
    tcase_add_test(whom, d26_the_token_goes_to_nobody_else_behind_discovery);
    tcase_add_loop_test(whom, d24_what_is_forbidden_asks_nobody, 0, N_OF(forbidding));

    tcase_add_loop_test(asks, what_the_server_wants_is_told_and_the_token_goes_over_a_fresh_connection, 0,
                        N_OF(discoveries));
    tcase_add_test(asks, the_program_may_take_its_time_to_ask_the_server);
    tcase_add_loop_test(asks, an_answer_that_cannot_be_believed_ends_it, 0, N_OF(lies));
    tcase_add_test(asks, a_url_that_was_given_is_the_only_one);
    tcase_add_test(asks, the_server_is_asked_once_and_not_without_an_issuer);
    tcase_add_test(asks, a_refusal_at_the_second_question_ends_it);
    tcase_add_loop_test(asks, d24_authentication_ok_behind_the_empty_message, 0, 2);

    tcase_add_loop_test(json, json_is_read_as_it_is_written, 0, N_OF(answers));
    tcase_add_loop_test(json, what_is_no_json_is_refused, 0, N_OF(no_answers));
    tcase_add_test(json, json_has_its_bounds);

    tcase_add_loop_test(rejected, a_rejected_token_is_not_tried_again, 0, N_OF(rejections));
    tcase_add_loop_test(rejected, behind_a_rejection_nothing_but_an_error_may_come, 0, 2);
    tcase_add_test(rejected, a_token_that_is_rejected_behind_discovery_is_the_end);

    tcase_add_loop_test(rest, parameters_count_where_the_mechanism_is_named, 0, N_OF(configurations));
    tcase_add_test(rest, the_client_secret_is_not_described);
    tcase_add_test(rest, every_allocation_may_fail);
    return suite;
}
