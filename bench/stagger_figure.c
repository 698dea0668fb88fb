/* When the second attempt starts, if the first address of a name is a black hole. In a network namespace of its own: bench/stagger.
 * Usage: stagger_figure BLACK_HOLE N     N connects, one after the other, to a name with the addresses BLACK_HOLE and 127.0.0.1;
 *                                        one line each: microseconds from the first connect() to the second, and until ready */
#include "bench/figure.h"

#include <arpa/inet.h>

#include "loop/os.h"
#include "test/harness/script_server.h"

static const char *black_hole;
static int n_connects;
static int64_t at_us[2];

static struct addrinfo *info_of(const char *ip, struct addrinfo *next)
{
    struct addrinfo *info = calloc(1, sizeof *info + sizeof(struct sockaddr_in));
    struct sockaddr_in *in = (struct sockaddr_in *)(void *)(info + 1);

    if (!info)
        die("memory", "none");
    in->sin_family = AF_INET;
    if (inet_pton(AF_INET, ip, &in->sin_addr) != 1)
        die(ip, "is no address");
    *info = (struct addrinfo){.ai_family = AF_INET,
                              .ai_socktype = SOCK_STREAM,
                              .ai_addr = (struct sockaddr *)in,
                              .ai_addrlen = sizeof *in,
                              .ai_next = next};
    return info;
}

static int own_getaddrinfo(void *ctx, const char *host, const char *service, const struct addrinfo *hints,
                           struct addrinfo **list, int *os_error)
{
    (void)ctx, (void)host, (void)service, (void)hints, (void)os_error;
    *list = info_of(black_hole, info_of("127.0.0.1", NULL));
    return 0;
}

static void own_freeaddrinfo(void *ctx, struct addrinfo *list)
{
    (void)ctx;
    while (list) {
        struct addrinfo *next = list->ai_next;

        free(list);
        list = next;
    }
}

static int noted_connect(void *ctx, int fd, const struct sockaddr *addr, socklen_t len)
{
    if (n_connects < 2)
        at_us[n_connects] = tusk__os_real()->now_us(ctx);
    n_connects++;
    return tusk__os_real()->connect(ctx, fd, addr, len);
}

int main(int argc, char **argv)
{
    tusk__os os = *tusk__os_real();
    script_server *server = script_start_echo(NULL, NULL);
    tusk_loop *loop;
    char dsn[100];

    if (argc != 3 || !server)
        die("usage", "stagger_figure BLACK_HOLE N");
    black_hole = argv[1];
    os.getaddrinfo = own_getaddrinfo;
    os.freeaddrinfo = own_freeaddrinfo;
    os.connect = noted_connect;
    loop = tusk__loop_open_on(&os, &(tusk_loop_config){0}, NULL);
    snprintf(dsn, sizeof dsn, "host=two.addresses port=%d user=u sslmode=disable", script_port(server));
    for (int i = (int)strtol(argv[2], NULL, 10); i > 0; i--) {
        tusk_conn *db;

        n_connects = 0;
        db = connect_ready(loop, dsn);
        if (n_connects != 2)
            die("connects", "not two");
        printf("%lld %lld\n", (long long)(at_us[1] - at_us[0]), (long long)(tusk_loop_now_us(loop) - at_us[0]));
        (void)tusk_await_free(tusk_close(db), NULL);
        tusk_conn_free(db);
    }
    tusk_loop_free(loop);
    (void)script_stop(server);
    return 0;
}
