/* The limit: requests encoded beforehand, answers walked by their headers alone, blocking calls on a Unix-domain socket.
 * No driver: it checks nothing, decodes nothing, and logs in as the role that needs no password.
 * Variant: raw. */
#include "bench/bench.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fd;
static unsigned char in[256 * 1024];
static size_t head, tail;
static unsigned char bind_execute_sync[256], out[64 * 1024];
static size_t request_len, param_at, out_len;

/* ---- bytes ---- */

static uint32_t be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(unsigned char *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, sizeof v);
}

/* A message behind *len. */
static void add(unsigned char *buf, size_t *len, char type, const void *body, size_t body_len)
{
    buf[(*len)++] = (unsigned char)type;
    put32(buf + *len, (uint32_t)body_len + 4);
    memcpy(buf + *len + 4, body, body_len);
    *len += 4 + body_len;
}

static void send_all(const unsigned char *buf, size_t len)
{
    if (send(fd, buf, len, MSG_NOSIGNAL) != (ssize_t)len)
        bench_die("rawwire", "a short send");
}

static void receive(void)
{
    ssize_t n;

    if (head > 0)
        memmove(in, in + head, tail - head);
    tail -= head;
    head = 0;
    n = recv(fd, in + tail, sizeof in - tail, 0);
    if (n <= 0)
        bench_die("rawwire", "the server hung up");
    tail += (size_t)n;
}

/* The type of the next message. */
static int next_message(void)
{
    size_t len;

    while (tail - head < 5 || tail - head < 1 + (len = be32(in + head + 1)))
        receive();
    head += 1 + len;
    return in[head - 1 - len];
}

static void until_ready(bench_sums *sums)
{
    int type;

    while ((type = next_message()) != 'Z') {
        sums->rows += type == 'D';
        if (type == 'E')
            bench_die("rawwire", "the server says no");
    }
}

/* ---- opening ---- */

static void prepare(const bench_workload *work)
{
    unsigned char body[512] = "s";
    size_t len = 2, sql_len = strlen(work->sql) + 1;
    bench_sums sums = {0};

    memcpy(body + len, work->sql, sql_len);
    len += sql_len;
    if (work->shape == BENCH_SELECT1) {
        memset(body + len, 0, 2);
        len += 2;
    } else {
        memcpy(body + len, "\0\1\0\0\0\24", 6); /* one parameter, int8 */
        len += 6;
    }
    add(out, &out_len, 'P', body, len);
    add(out, &out_len, 'S', "", 0);
    send_all(out, out_len);
    out_len = 0;
    until_ready(&sums);
}

static void encode(const bench_workload *work)
{
    static const unsigned char with_param[] = "\0s\0\0\1\0\1\0\1\0\0\0\10........\0\1\0\1",
                               without[] = "\0s\0\0\0\0\0\0\1\0\1";

    if (work->shape == BENCH_SELECT1)
        add(bind_execute_sync, &request_len, 'B', without, sizeof without - 1);
    else
        add(bind_execute_sync, &request_len, 'B', with_param, sizeof with_param - 1);
    param_at = 5 + 13;
    add(bind_execute_sync, &request_len, 'E', "\0\0\0\0", 5);
    add(bind_execute_sync, &request_len, 'S', "", 0);
}

void peer_open(const char *variant, const bench_workload *work)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    static const char startup[] = "\0\0\0\0\0\3\0\0user\0t_trust\0database\0tusk\0";
    unsigned char packet[sizeof startup];
    bench_sums sums = {0};

    (void)variant;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s/.s.PGSQL.%s", bench_env("TUSK_TEST_SOCKDIR"),
             bench_env("TUSK_TEST_PORT"));
    if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof addr) < 0)
        bench_die("rawwire", "no connection");
    memcpy(packet, startup, sizeof startup);
    put32(packet, sizeof startup);
    send_all(packet, sizeof packet);
    until_ready(&sums);
    prepare(work);
    encode(work);
}

void peer_close(void)
{
    close(fd);
}

void peer_setup(const char *const *sql)
{
    bench_die(*sql, "rawwire does not set up");
}

/* ---- running ---- */

static void put_request(const bench_workload *work, size_t i)
{
    uint64_t n;

    memcpy(out + out_len, bind_execute_sync, request_len);
    if (work->shape != BENCH_SELECT1) {
        n = __builtin_bswap64((uint64_t)bench_param(work, i));
        memcpy(out + out_len + param_at, &n, sizeof n);
    }
    out_len += request_len;
}

/* What is ready is taken before anything is sent: as many new requests leave at once as answers have come. */
static bool has_answer(void)
{
    for (size_t at = head; tail - at >= 5 && tail - at > be32(in + at + 1); at += 1 + be32(in + at + 1))
        if (in[at] == 'Z')
            return true;
    return false;
}

void peer_run(const bench_workload *work, size_t n_ops, bench_sums *sums)
{
    size_t sent = 0;

    for (size_t done = 0; done < n_ops; done++) {
        if (work->shape == BENCH_SCAN || !has_answer()) {
            for (; sent < n_ops && sent - done < (size_t)work->depth; sent++)
                put_request(work, sent);
            if (out_len > 0)
                send_all(out, out_len);
            out_len = 0;
        }
        until_ready(sums);
    }
}
