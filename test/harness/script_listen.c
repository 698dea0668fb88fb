/*
 * Birth and death of the script servers: a socket, a pipe that says stop, a thread.
 */
#include "test/harness/script_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static bool listen_here(script_server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;

    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->listener < 0 || bind(server->listener, (struct sockaddr *)&address, len) != 0 ||
        listen(server->listener, 4096) != 0 || getsockname(server->listener, (struct sockaddr *)&address, &len) != 0)
        return false;
    server->port = ntohs(address.sin_port);
    return true;
}

static void release(script_server *server)
{
    if (server->listener >= 0)
        close(server->listener);
    for (int i = 0; i < 2; i++)
        if (server->stop_pipe[i] >= 0)
            close(server->stop_pipe[i]);
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->changed);
    free(server->script);
    free(server);
}

/* The child keeps only the reading end of the pipe: it sees the end of a parent that forgot to stop it. */
static bool run_in_process(script_server *server, void *(*run)(void *))
{
    server->process = fork();
    if (server->process != 0) {
        close(server->listener);
        server->listener = -1;
        return server->process > 0;
    }
    close(server->stop_pipe[1]);
    run(server);
    _exit(0);
}

script_server *script_server_new(void *(*run)(void *), char *script, bool is_process, script_answer_fn *answer,
                                 void *user)
{
    script_server *server = calloc(1, sizeof *server);

    if (!server) {
        free(script);
        return NULL;
    }
    server->script = script;
    server->answer = answer;
    server->user = user;
    server->listener = server->stop_pipe[0] = server->stop_pipe[1] = -1;
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->changed, NULL);
    if (pipe2(server->stop_pipe, O_CLOEXEC) != 0 || !listen_here(server) ||
        !(is_process ? run_in_process(server, run) : pthread_create(&server->thread, NULL, run, server) == 0)) {
        release(server);
        return NULL;
    }
    return server;
}

int script_port(const script_server *server)
{
    return server->port;
}

unsigned script_n_accepted(script_server *server)
{
    unsigned n;

    pthread_mutex_lock(&server->lock);
    n = server->n_accepted;
    pthread_mutex_unlock(&server->lock);
    return n;
}

int script_accept(script_server *server)
{
    struct pollfd fds[2] = {{.fd = server->listener, .events = POLLIN}, {.fd = server->stop_pipe[0], .events = POLLIN}};
    int fd, one = 1;

    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return -1;
        fd = fds[0].revents ? accept4(server->listener, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (fd >= 0)
            break;
        if (fds[1].revents) /* looked at last: who has connected is served */
            return -1;
        if (fds[0].revents)
            poll(&fds[1], 1, 10); /* out of descriptors: not again at once */
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    pthread_mutex_lock(&server->lock);
    server->n_accepted++;
    pthread_mutex_unlock(&server->lock);
    return fd;
}

const char *script_stop(script_server *server)
{
    static _Thread_local char wrong[sizeof server->wrong];

    (void)!write(server->stop_pipe[1], "", 1);
    if (server->process)
        waitpid(server->process, NULL, 0);
    else
        pthread_join(server->thread, NULL);
    pthread_mutex_lock(&server->lock);
    while (server->n_running > 0)
        pthread_cond_wait(&server->changed, &server->lock);
    for (unsigned i = 0; i < server->n_cancels && !server->wrong[0]; i++)
        if (!server->cancels[i].is_taken)
            snprintf(server->wrong, sizeof server->wrong, "a CancelRequest for %u that no section expected",
                     (unsigned)server->cancels[i].pid);
    if (server->n_played < server->n_sections && !server->wrong[0])
        snprintf(server->wrong, sizeof server->wrong, "connection %u of the script never came", server->n_played + 1);
    memcpy(wrong, server->wrong, sizeof wrong);
    pthread_mutex_unlock(&server->lock);
    release(server);
    return wrong[0] ? wrong : NULL;
}

void script_write_login(tusk__writer *b, uint32_t pid, tusk_str key)
{
    static const char *const settings[][2] = {
        {"application_name", ""},
        {"client_encoding", "UTF8"},
        {"DateStyle", "ISO, MDY"},
        {"default_transaction_read_only", "off"},
        {"in_hot_standby", "off"},
        {"integer_datetimes", "on"},
        {"IntervalStyle", "postgres"},
        {"is_superuser", "off"},
        {"scram_iterations", "4096"},
        {"search_path", "\"$user\", public"},
        {"server_encoding", "UTF8"},
        {"server_version", "18.0"},
        {"session_authorization", "drv"},
        {"standard_conforming_strings", "on"},
        {"TimeZone", "UTC"},
    };

    tusk__authentication_write(b, &(tusk__authentication){.kind = TUSK__AUTH_OK});
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        tusk__parameter_status_write(
            b, &(tusk__parameter_status){tusk_str_of(settings[i][0]), tusk_str_of(settings[i][1])});
    tusk__backend_key_data_write(b, &(tusk__backend_key){pid, key});
    tusk__ready_for_query_write(b, 'I');
}
