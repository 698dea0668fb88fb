/* What an idle connection costs.
 * Usage: idle_figure sleep SECONDS       one connection, after a query; getppid() before and after marks the time under strace
 *        idle_figure connections N       N connections to a server that only logs in; prints bytes of ours per connection */
#include "bench/figure.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/harness/script_server.h"

/* Once, within two seconds of its last answer, a connection finds that nothing is awaited any more (lib/progress.c). */
static void come_to_rest(tusk_loop *loop)
{
    while (tusk_loop_timeout_us(loop) >= 0)
        if (tusk_loop_turn(loop, -1, NULL) != TUSK_OK)
            die("turn", "failed");
}

static void idle_for(double seconds)
{
    tusk_loop *loop = tusk_loop_new();
    tusk_conn *db = connect_ready(loop, env_of("BENCH_DSN_TLS"));

    if (tusk_await_free(tusk_exec(db, "select 1", TUSK_NO_PARAMS), NULL) != TUSK_OK)
        die("query", "failed");
    come_to_rest(loop);
    (void)getppid();
    if (tusk_loop_turn(loop, seconds, NULL) != TUSK_OK)
        die("turn", "failed");
    (void)getppid();
    close_all(loop, db);
}

/* ---- many ---- */

static void raise_limit(long n)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < (rlim_t)n + 64)
        limit.rlim_cur = (rlim_t)n + 64;
    if (limit.rlim_max < limit.rlim_cur)
        limit.rlim_max = limit.rlim_cur;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        die("RLIMIT_NOFILE", "cannot be raised so far");
}

/* The server in a process of its own, so that its descriptors and memory are not in ours. It ends with the pipe. */
static int start_server(int *to_server)
{
    int port_pipe[2], end_pipe[2], port = 0;

    if (pipe(port_pipe) != 0 || pipe(end_pipe) != 0)
        die("pipe", "none");
    if (fork() == 0) {
        script_server *server = script_start_echo(NULL, NULL);
        char byte;

        port = server ? script_port(server) : 0;
        close(end_pipe[1]);
        if (write(port_pipe[1], &port, sizeof port) == sizeof port)
            (void)!read(end_pipe[0], &byte, 1);
        _exit(0);
    }
    close(end_pipe[0]);
    if (read(port_pipe[0], &port, sizeof port) != sizeof port || port == 0)
        die("server", "does not start");
    *to_server = end_pipe[1];
    return port;
}

static long long rss_bytes(void)
{
    long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (!file || fscanf(file, "%*s %lld", &pages) != 1)
        die("/proc/self/statm", "cannot be read");
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

/* So many at a time: the server's backlog is not what is measured. */
enum { AT_ONCE = 50 };

static void connect_many(tusk_loop *loop, tusk_conn **conns, long n, const char *dsn)
{
    tusk_query *ready[AT_ONCE];

    for (long begin = 0; begin < n; begin += AT_ONCE) {
        long end = begin + AT_ONCE < n ? begin + AT_ONCE : n;

        for (long i = begin; i < end; i++) {
            conns[i] = tusk_connect(loop, dsn);
            ready[i - begin] = conns[i] ? tusk_conn_ready(conns[i]) : NULL;
        }
        for (long i = begin; i < end; i++) {
            await_ok(ready[i - begin]);
            tusk_query_free(ready[i - begin]);
        }
    }
}

/* Each has worked: what it keeps then is what an idle connection costs. */
static void use_all(tusk_conn **conns, long n)
{
    for (long i = 0; i < n; i++)
        if (tusk_await_free(tusk_exec(conns[i], "select 1", TUSK_NO_PARAMS), NULL) != TUSK_OK)
            die("query", "failed");
}

static void idle_connections(long n)
{
    int to_server, port;
    char dsn[128];
    tusk_conn **conns = calloc((size_t)n, sizeof(tusk_conn *)), *first;
    counted c;
    tusk_loop *loop;
    long long bytes, rss;

    raise_limit(n);
    port = start_server(&to_server);
    snprintf(dsn, sizeof dsn, "postgresql://somebody@127.0.0.1:%d/somewhere?sslmode=disable", port);
    loop = counted_loop(&c);
    first = connect_ready(loop, dsn); /* what the loop makes once is made */
    use_all(&first, 1);
    bytes = c.bytes;
    rss = rss_bytes();
    connect_many(loop, conns, n, dsn);
    use_all(conns, n);
    for (int i = 0; i < 4; i++) /* what the loop keeps for a second only is given back meanwhile */
        if (tusk_loop_turn(loop, 1.1, NULL) != TUSK_OK)
            die("turn", "failed");
    printf("%.0f %.0f\n", (double)(c.bytes - bytes) / (double)n, (double)(rss_bytes() - rss) / (double)n);
    for (long i = 0; i < n; i++)
        tusk_conn_free(conns[i]);
    tusk_conn_free(first);
    tusk_loop_free(loop);
    free(conns);
    close(to_server);
    (void)wait(NULL);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "sleep") == 0)
        idle_for(strtod(argv[2], NULL));
    else if (argc == 3 && strcmp(argv[1], "connections") == 0)
        idle_connections(strtol(argv[2], NULL, 10));
    else
        die(argv[0], "sleep SECONDS | connections N");
    return 0;
}
