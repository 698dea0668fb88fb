/* A service in callback style: it asks something every 10 ms, connects again when the connection is lost, and on SIGTERM or SIGINT ends
 * gracefully: nothing new is begun, what is under way is answered, then the connection is closed. Here it sends itself the signal
 * after 20 answers.
 * Usage: service "postgresql://user:password@host/dbname?sslmode=verify-full" */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <tusk/tusk.h>

typedef struct service {
    const char *dsn;
    tusk_loop *loop;
    tusk_conn *db; /* NULL: lost, and not there again yet */
    tusk_timer *next;
    tusk_watch *signals;
    tusk_timer *patience;
    int open, answered, failed; /* requests */
    bool is_ending, is_closing;
} service;

static int signal_pipe[2];

static void complain(const tusk_error *err)
{
    char text[1024];

    tusk_error_format(err, text, sizeof text);
    fprintf(stderr, "%s\n", text);
}

/* ---- the connection ---- */

static void connect_again(void *user);

/* Lost, or never made; not called for tusk_close(). */
static void on_closed(tusk_conn *conn, const tusk_error *err, void *user)
{
    service *s = user;

    complain(err);
    tusk_conn_free(conn);
    s->db = NULL;
    if (!s->is_ending)
        (void)tusk_timer_start(s->loop, 1, connect_again, s);
}

static void connect_again(void *user)
{
    service *s = user;

    if (!s->is_ending)
        s->db = tusk_conn_open(s->loop, &(tusk_config){.dsn = s->dsn, .on_closed = on_closed, .user_data = s});
}

/* ---- the end ---- */

static void stop(tusk_query *closing, void *user)
{
    service *s = user;

    (void)closing;
    tusk_loop_stop(s->loop);
}

/* All is answered, or patience is at its end: what is still open now is canceled. */
static void close_all(void *user)
{
    service *s = user;
    tusk_query *closing;

    s->patience = NULL;
    if (s->is_closing)
        return;
    s->is_closing = true;
    closing = tusk_close(s->db);
    if (closing)
        tusk_query_on_done(closing, stop, s);
    else
        tusk_loop_stop(s->loop); /* no connection, or no memory */
}

static void on_signal_read(int fd, unsigned events, void *user)
{
    service *s = user;

    (void)fd, (void)events;
    s->is_ending = true;
    tusk_watch_stop(s->signals);
    tusk_timer_stop(s->next);
    if (s->open == 0)
        close_all(s);
    else
        s->patience = tusk_timer_start(s->loop, 5, close_all, s);
}

/* ---- the work ---- */

static void finished(tusk_query *q, void *user)
{
    service *s = user;

    s->open--;
    if (tusk_query_code(q) == TUSK_OK)
        s->answered++;
    else
        s->failed++;
    if (s->is_ending && s->open == 0) {
        tusk_timer_stop(s->patience);
        close_all(s);
    }
}

static void ask(void *user)
{
    service *s = user;

    s->next = tusk_timer_start(s->loop, 0.01, ask, s);
    if (tusk_submit(s->db, &(tusk_request){.sql = "select now()", .timeout = 10, .on_done = finished, .user = s}))
        s->open++;
    if (s->answered >= 20)
        (void)raise(SIGTERM);
}

static void on_signal(int number)
{
    ssize_t n = write(signal_pipe[1], "", 1);

    (void)number, (void)n;
}

int main(int argc, char **argv)
{
    service s = {.dsn = argc > 1 ? argv[1] : "", .loop = tusk_loop_new()};
    tusk_error err = {0};

    if (!s.loop || pipe(signal_pipe) != 0)
        return 1;
    s.signals = tusk_watch_start(s.loop, signal_pipe[0], TUSK_READABLE, on_signal_read, &s, &err);
    if (!s.signals || signal(SIGTERM, on_signal) == SIG_ERR || signal(SIGINT, on_signal) == SIG_ERR)
        return 1;
    connect_again(&s);
    ask(&s);
    if (tusk_loop_run(s.loop, &err) != TUSK_OK)
        complain(&err);
    printf("%d answered, %d failed, %d left open\n", s.answered, s.failed, s.open);
    tusk_conn_free(s.db);
    tusk_loop_free(s.loop);
    return s.failed + s.open > 0;
}
