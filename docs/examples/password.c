/* A password that is made when a server asks for one: here it is taken from the connection string, as if a vault had been asked
 * and had answered a moment later, unless the connection's time was over first.
 * Usage: password "postgresql://user:password@host/dbname?sslmode=verify-full" */
#include <stdio.h>
#include <string.h>

#include <tusk/tusk.h>

typedef struct vault {
    tusk_loop *loop;
    tusk_password_request *request; /* NULL: nobody is waiting */
    tusk_timer *timer;              /* the vault, at work */
    char secret[128];
} vault;

static void vault_answers(void *user)
{
    vault *v = user;
    tusk_password_request *request = v->request;

    v->request = NULL;
    tusk_password_give(request, tusk_str_of(v->secret));
}

/* Nobody waits for it any more; answered it must be nevertheless. */
static void not_wanted(tusk_password_request *request, void *user)
{
    vault *v = user;

    v->request = NULL;
    tusk_timer_stop(v->timer);
    tusk_password_refuse(request, NULL);
}

static void ask_vault(tusk_password_request *request, void *user)
{
    vault *v = user;
    tusk_str host = tusk_password_host(request), role = tusk_password_user(request);

    printf("a password for " TUSK_STR_FMT " at " TUSK_STR_FMT "\n", TUSK_STR_ARG(role), TUSK_STR_ARG(host));
    v->timer = tusk_timer_start(v->loop, 0.01, vault_answers, v);
    if (!v->timer) {
        tusk_password_refuse(request, NULL);
        return;
    }
    v->request = request;
    tusk_password_on_cancel(request, not_wanted, v);
}

/* What stands between the ':' behind the user and the '@'. */
static void fill_vault(vault *v, const char *dsn)
{
    const char *user = strstr(dsn, "://"), *colon = user ? strchr(user + 3, ':') : NULL,
               *at = colon ? strchr(colon, '@') : NULL;

    if (at && (size_t)(at - colon) < sizeof v->secret)
        memcpy(v->secret, colon + 1, (size_t)(at - colon) - 1);
}

int main(int argc, char **argv)
{
    vault v = {.loop = tusk_loop_new()};
    const char *dsn = argc > 1 ? argv[1] : "";
    tusk_error err = {0};
    tusk_conn *db;
    char text[1024];

    fill_vault(&v, dsn);
    db = tusk_conn_open(v.loop, &(tusk_config){.dsn = dsn, .on_password = ask_vault, .user_data = &v});
    if (tusk_await_free(tusk_conn_ready(db), &err) != TUSK_OK) {
        tusk_error_format(&err, text, sizeof text);
        fprintf(stderr, "%s\n", text);
    }
    tusk_conn_free(db);
    tusk_loop_free(v.loop);
    return err.code == TUSK_OK ? 0 : 1;
}
