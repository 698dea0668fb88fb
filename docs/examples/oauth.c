/* A bearer token of OAuth, for servers that ask for one (PostgreSQL 18): here from a variable, TOKEN, as if an identity service had
 * been asked and had answered a moment later. A server that asks for a password gets that of the connection string, as ever.
 * Usage: TOKEN=… oauth "postgresql://user@host/dbname?sslmode=verify-full&oauth_issuer=https://id.example.com" */
#include <stdio.h>
#include <stdlib.h>

#include <tusk/tusk.h>

typedef struct identity {
    tusk_loop *loop;
    tusk_token_request *request; /* NULL: nobody is waiting */
    tusk_timer *timer;           /* the service, at work */
} identity;

static void identity_answers(void *user)
{
    identity *id = user;
    tusk_token_request *request = id->request;
    const char *token = getenv("TOKEN");

    id->request = NULL;
    if (token)
        tusk_token_give(request, tusk_str_of(token));
    else
        tusk_token_refuse(request, &(tusk_error){.code = TUSK_ERR_AUTH, .message = "the variable TOKEN is not set"});
}

/* The connection's time is over, or it was closed. */
static void not_wanted(tusk_token_request *request, void *user)
{
    identity *id = user;

    id->request = NULL;
    tusk_timer_stop(id->timer);
    tusk_token_refuse(request, NULL);
}

/* Without a scope of its own the program asks the server which it wants. */
static void bring_token(tusk_token_request *request, void *user)
{
    identity *id = user;
    tusk_str issuer = tusk_token_issuer(request), scope = tusk_token_scope(request);

    if (scope.len == 0 && issuer.len > 0 && !tusk_token_is_discovered(request)) {
        tusk_token_discover(request);
        return;
    }
    printf("a token of " TUSK_STR_FMT " for " TUSK_STR_FMT "\n", TUSK_STR_ARG(issuer), TUSK_STR_ARG(scope));
    id->timer = tusk_timer_start(id->loop, 0.01, identity_answers, id);
    if (!id->timer) {
        tusk_token_refuse(request, NULL);
        return;
    }
    id->request = request;
    tusk_token_on_cancel(request, not_wanted, id);
}

int main(int argc, char **argv)
{
    const tusk_auth_mechanism *mechanisms[] = {tusk_oauth(), NULL};
    identity id = {.loop = tusk_loop_new()};
    tusk_error err = {0};
    tusk_conn *db;
    char text[1024];

    db = tusk_conn_open(id.loop, &(tusk_config){.dsn = argc > 1 ? argv[1] : "",
                                                .auth_mechanisms = mechanisms,
                                                .on_token = bring_token,
                                                .user_data = &id});
    if (tusk_await_free(tusk_conn_ready(db), &err) != TUSK_OK) {
        tusk_error_format(&err, text, sizeof text);
        fprintf(stderr, "%s\n", text);
    }
    tusk_conn_free(db);
    tusk_loop_free(id.loop);
    return err.code == TUSK_OK ? 0 : 1;
}
