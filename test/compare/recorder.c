/* A server without TLS that asks everybody for a password in the clear, notes it, and lets him in.
 * One connection at a time, on a thread of its own.
 * Read first: test/compare/compare.h; PostgreSQL docs, "Message Formats". */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "test/compare/compare.h"

#define N_LISTENERS (3 * N_PORTS)

static struct {
    int fd[N_LISTENERS];
    char target[N_LISTENERS][64], path[N_LISTENERS][64];
    int n;
    pthread_mutex_t lock;
    record seen;
} server = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int listen_on(const struct sockaddr *addr, socklen_t len)
{
    int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, addr, len) != 0 || listen(fd, 64) != 0)
        fail("listen");
    server.fd[server.n++] = fd;
    return fd;
}

static uint16_t listen_tcp(const char *ip, uint16_t port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t len = sizeof addr;
    int fd;

    inet_pton(AF_INET, ip, &addr.sin_addr);
    fd = listen_on((struct sockaddr *)&addr, sizeof addr);
    getsockname(fd, (struct sockaddr *)&addr, &len);
    snprintf(server.target[server.n - 1], sizeof server.target[0], "%s:%u", ip, ntohs(addr.sin_port));
    return ntohs(addr.sin_port);
}

static void listen_local(uint16_t port)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    snprintf(addr.sun_path, sizeof addr.sun_path, "/tmp/.s.PGSQL.%u", port);
    unlink(addr.sun_path);
    listen_on((struct sockaddr *)&addr, sizeof addr);
    snprintf(server.target[server.n - 1], sizeof server.target[0], "/tmp:%u", port);
    snprintf(server.path[server.n - 1], sizeof server.path[0], "%.63s", addr.sun_path);
}

static bool read_exactly(int fd, void *to, size_t len)
{
    for (char *p = to; len > 0;) {
        ssize_t n = read(fd, p, len);

        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

/* The body of a message or first packet, up to `size` bytes, with a NUL behind it. */
static bool read_body(int fd, char *to, size_t size, size_t *len)
{
    uint32_t word;

    if (!read_exactly(fd, &word, 4))
        return false;
    *len = ntohl(word) - 4;
    if (ntohl(word) < 4 || *len >= size || !read_exactly(fd, to, *len))
        return false;
    to[*len] = '\0';
    return true;
}

static void note_startup(const char *target, uint32_t version, const char *pairs, size_t len)
{
    pthread_mutex_lock(&server.lock);
    server.seen.saw_startup = true;
    server.seen.version = version;
    snprintf(server.seen.target, sizeof server.seen.target, "%s", target);
    memcpy(server.seen.startup, pairs, len);
    server.seen.startup_len = len;
    pthread_mutex_unlock(&server.lock);
}

static void note_ssl_request(void)
{
    pthread_mutex_lock(&server.lock);
    server.seen.saw_ssl_request = true;
    pthread_mutex_unlock(&server.lock);
}

static void note_password(const char *password)
{
    pthread_mutex_lock(&server.lock);
    snprintf(server.seen.password, sizeof server.seen.password, "%s", password);
    pthread_mutex_unlock(&server.lock);
}

static void login(int fd)
{
    static const char ask[] = "R\0\0\0\10\0\0\0\3";
    static const char welcome[] = "R\0\0\0\10\0\0\0\0K\0\0\0\14\0\0\0\1\0\0\0\2Z\0\0\0\5I";
    char body[2048], type;
    size_t len;

    if (write(fd, ask, sizeof ask - 1) < 0 || !read_exactly(fd, &type, 1) || type != 'p' ||
        !read_body(fd, body, sizeof body, &len))
        return;
    note_password(body);
    if (write(fd, welcome, sizeof welcome - 1) < 0)
        return;
    while (read(fd, body, sizeof body) > 0) /* Terminate, and the end */
        ;
}

static void serve(int fd, const char *target)
{
    char body[2048];
    uint32_t code;
    size_t len;

    while (read_body(fd, body, sizeof body, &len) && len >= 4) {
        memcpy(&code, body, 4);
        code = ntohl(code);
        if (code >> 16 == 3) {
            note_startup(target, code, body + 4, len - 4);
            login(fd);
            return;
        }
        note_ssl_request();
        if (write(fd, "N", 1) < 0)
            return;
    }
}

static void *run(void *arg)
{
    struct pollfd fds[N_LISTENERS];

    for (;;) {
        for (int i = 0; i < server.n; i++)
            fds[i] = (struct pollfd){server.fd[i], POLLIN, 0};
        if (poll(fds, (nfds_t)server.n, -1) < 0)
            continue;
        for (int i = 0; i < server.n; i++)
            if (fds[i].revents & POLLIN) {
                int fd = accept(server.fd[i], NULL, NULL);

                if (fd >= 0) {
                    serve(fd, server.target[i]);
                    close(fd);
                }
            }
    }
    return arg;
}

void recorder_start(uint16_t ports[N_PORTS])
{
    pthread_t thread;

    for (int i = 0; i < N_PORTS; i++) {
        ports[i] = listen_tcp("127.0.0.1", 0);
        listen_tcp("127.0.0.2", ports[i]);
        listen_local(ports[i]);
    }
    if (pthread_create(&thread, NULL, run, NULL) != 0)
        fail("thread");
    pthread_detach(thread);
}

void recorder_clear(void)
{
    pthread_mutex_lock(&server.lock);
    memset(&server.seen, 0, sizeof server.seen);
    pthread_mutex_unlock(&server.lock);
}

record recorder_record(void)
{
    record seen;

    pthread_mutex_lock(&server.lock);
    seen = server.seen;
    pthread_mutex_unlock(&server.lock);
    return seen;
}

void recorder_stop(void)
{
    for (int i = 0; i < server.n; i++)
        if (server.path[i][0])
            unlink(server.path[i]);
}
