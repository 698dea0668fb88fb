/* How long until a silent server is given up, or that it is not. Against a real one, in namespaces of bench/silence.
 * Usage: silence_figure deaf DSN SECONDS       its backend is stopped for so long, and is sent more than the kernel takes for it
 *        silence_figure unacked DSN COMMAND    COMMAND cuts the cable, then something is asked
 *        silence_figure acked DSN COMMAND      something is asked that takes long, then COMMAND cuts the cable
 * Prints the seconds from there to the end of the request, and its code. */
#include "bench/figure.h"

#include <signal.h>

static void turn_for(tusk_loop *loop, double seconds)
{
    int64_t end_us = tusk_loop_now_us(loop) + (int64_t)(seconds * 1e6);

    for (int64_t now_us; (now_us = tusk_loop_now_us(loop)) < end_us;)
        if (tusk_loop_turn(loop, (double)(end_us - now_us) / 1e6, NULL) != TUSK_OK)
            die("turn", "failed");
}

static void run(const char *command)
{
    if (system(command) != 0)
        die(command, "failed");
}

static tusk_query *be_deaf(tusk_loop *loop, tusk_conn *db, const char *seconds)
{
    static char text[64 << 20];
    pid_t pid = (pid_t)tusk_conn_backend_pid(db);
    tusk_query *q;

    memset(text, 'x', sizeof text - 1);
    if (kill(pid, SIGSTOP) != 0)
        die("the backend", "cannot be stopped");
    q = tusk_exec(db, "select length($1)", TUSK_PARAMS(tusk_text(text)));
    turn_for(loop, strtod(seconds, NULL));
    (void)kill(pid, SIGCONT);
    return q;
}

static tusk_query *be_cut_off(tusk_loop *loop, tusk_conn *db, const char *command)
{
    (void)loop;
    run(command);
    return tusk_exec(db, "select 1", TUSK_NO_PARAMS);
}

static tusk_query *be_cut_off_later(tusk_loop *loop, tusk_conn *db, const char *command)
{
    tusk_query *q = tusk_exec(db, "select pg_sleep(3600)", TUSK_NO_PARAMS);

    turn_for(loop, 2);
    run(command);
    return q;
}

static const struct {
    const char *name;
    tusk_query *(*begin)(tusk_loop *loop, tusk_conn *db, const char *with);
} modes[] = {{"deaf", be_deaf}, {"unacked", be_cut_off}, {"acked", be_cut_off_later}};

int main(int argc, char **argv)
{
    tusk_loop *loop = tusk_loop_new();

    for (size_t i = 0; argc == 4 && i < sizeof modes / sizeof modes[0]; i++)
        if (strcmp(argv[1], modes[i].name) == 0) {
            tusk_conn *db = connect_ready(loop, argv[2]);
            tusk_query *q = modes[i].begin(loop, db, argv[3]);
            int64_t begin_us = tusk_loop_now_us(loop);
            tusk_code code = tusk_await(q);

            printf("%.1f %s\n", (double)(tusk_loop_now_us(loop) - begin_us) / 1e6, tusk_code_name(code));
            tusk_query_free(q);
            tusk_conn_free(db);
            tusk_loop_free(loop);
            return 0;
        }
    die("usage", "silence_figure MODE DSN WITH");
}
