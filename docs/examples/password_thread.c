/* A password that a thread brings: it may block as it likes, and hands its answer over to the loop's thread.
 * Usage: password_thread "postgresql://user:password@host/dbname?sslmode=verify-full" */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tusk/tusk.h>

typedef struct vault {
    tusk_loop *loop;
    tusk_password_request *request; /* the loop's thread alone touches it */
    bool is_asked;                  /* … and this */
    pthread_t thread;
    char secret[128]; /* written by the thread before it posts, read behind that */
    const char *dsn;
} vault;

/* On the loop's thread. If nobody waits for it any more, it is only freed. */
static void hand_over(void *user)
{
    vault *v = user;

    (void)pthread_join(v->thread, NULL);
    v->is_asked = false;
    tusk_password_give(v->request, tusk_str_of(v->secret));
    memset(v->secret, 0, sizeof v->secret); /* a program of your own wipes it by what the compiler cannot leave out */
}

/* On a thread of its own: here a real one would read a file, or talk to a server. What stands between the ':' behind the user and the '@'. */
static void *fetch(void *user)
{
    vault *v = user;
    const char *role = strstr(v->dsn, "://"), *colon = role ? strchr(role + 3, ':') : NULL,
               *at = colon ? strchr(colon, '@') : NULL;

    if (at && (size_t)(at - colon) < sizeof v->secret)
        memcpy(v->secret, colon + 1, (size_t)(at - colon) - 1);
    if (tusk_loop_post(v->loop, hand_over, v) != TUSK_OK)
        exit(1); /* there is no memory even for that */
    return NULL;
}

static void ask_vault(tusk_password_request *request, void *user)
{
    vault *v = user;

    v->request = request;
    v->is_asked = pthread_create(&v->thread, NULL, fetch, v) == 0;
    if (!v->is_asked)
        tusk_password_refuse(request, NULL);
}

int main(int argc, char **argv)
{
    vault v = {.loop = tusk_loop_new(), .dsn = argc > 1 ? argv[1] : ""};
    tusk_error err = {0};
    tusk_conn *db;
    char text[1024];

    db = tusk_conn_open(v.loop, &(tusk_config){.dsn = v.dsn, .on_password = ask_vault, .user_data = &v});
    if (tusk_await_free(tusk_conn_ready(db), &err) != TUSK_OK) {
        tusk_error_format(&err, text, sizeof text);
        fprintf(stderr, "%s\n", text);
    }
    while (v.is_asked && tusk_loop_turn(v.loop, TUSK_NONE, NULL) == TUSK_OK)
        ; /* the thread uses the loop until its answer is here, also if the login was over first */
    tusk_conn_free(db);
    tusk_loop_free(v.loop);
    return err.code == TUSK_OK ? 0 : 1;
}
