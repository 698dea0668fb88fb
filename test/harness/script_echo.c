/*
 * The server of thousands of connections: one thread, epoll, no memory for a connection that is silent.
 * Read first: script_start_echo() in script_server.h.
 */
#include "proto/frame.h"
#include "test/harness/script_private.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { N_STATEMENTS = 8, N_TYPES = 8 };

typedef enum { SELECT, BEGIN, COMMIT, ROLLBACK, SET } kind;

struct echo {
    int fd;
    unsigned number;
    bool is_started;
    bool is_closing;
    uint8_t tx_status;
    uint8_t format;   /* of the result of the last Bind */
    kind bound;       /* what the last Bind bound */
    uint16_t n_types; /* of the last Parse */
    uint32_t types[N_TYPES];
    struct {
        uint32_t name;
        kind what;
    } statements[N_STATEMENTS]; /* by a hash of their name */
    tusk__writer in, out;       /* without memory while there is nothing in them */
};

struct echoes {
    script_server *server;
    int epoll;
    struct echo **by_fd;
    size_t n_fds;
};

/* ---- answers ---------------------------------------------------------------------------------------------------------------- */

static kind kind_of(tusk_str sql)
{
    static const struct {
        const char *word;
        kind what;
    } kinds[] = {{"begin", BEGIN}, {"commit", COMMIT}, {"rollback", ROLLBACK}, {"set", SET}};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (sql.len >= strlen(kinds[i].word) && strncasecmp(sql.ptr, kinds[i].word, strlen(kinds[i].word)) == 0)
            return kinds[i].what;
    return SELECT;
}

static uint32_t hash_of(tusk_str name)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (uint8_t)name.ptr[i]) * 16777619u;
    return hash;
}

static void write_description(struct echo *e, kind what, uint8_t format)
{
    if (what == SELECT)
        tusk__row_description_write(
            &e->out,
            &(tusk__column){
                .name = tusk_str_of("?column?"), .type_oid = 23, .type_len = 4, .typmod = -1, .format = format},
            1);
    else
        tusk__empty_message_write(&e->out, TUSK__B_NO_DATA);
}

static void write_result(struct echo *e, kind what, uint8_t format)
{
    static const char *const tags[] = {"SELECT 1", "BEGIN", "COMMIT", "ROLLBACK", "SET"};
    tusk_str one = format ? tusk_str_from("\0\0\0\1", 4) : tusk_str_of("1");

    if (what == SELECT)
        tusk__data_row_write(&e->out, &one, &(bool){false}, 1);
    tusk__command_complete_write(&e->out, tusk_str_of(tags[what]));
    if (what == BEGIN)
        e->tx_status = 'T';
    else if (what == COMMIT || what == ROLLBACK)
        e->tx_status = 'I';
}

static void on_parse(struct echo *e, tusk_str body)
{
    tusk__parse parse;
    uint32_t name;

    if (tusk__parse_read(body, &parse, NULL) != TUSK_OK)
        return;
    name = hash_of(parse.name);
    e->statements[name % N_STATEMENTS].name = name;
    e->statements[name % N_STATEMENTS].what = kind_of(parse.sql);
    e->n_types = 0;
    for (size_t i = 0; i < parse.n_types && i < N_TYPES; i++)
        e->types[e->n_types++] = tusk__be32((const uint8_t *)parse.types.ptr + i * 4);
    tusk__empty_message_write(&e->out, TUSK__B_PARSE_COMPLETE);
}

static kind statement_kind(const struct echo *e, tusk_str name)
{
    uint32_t hash = hash_of(name);

    return e->statements[hash % N_STATEMENTS].name == hash ? e->statements[hash % N_STATEMENTS].what : SELECT;
}

static void on_bind(struct echo *e, tusk_str body)
{
    tusk__bind bind;

    if (tusk__bind_read(body, &bind, NULL) != TUSK_OK)
        return;
    e->format = bind.n_result_formats > 0 && bind.result_formats.ptr[1] == 1;
    e->bound = statement_kind(e, bind.statement);
    tusk__empty_message_write(&e->out, TUSK__B_BIND_COMPLETE);
}

static void on_describe(struct echo *e, tusk_str body)
{
    uint8_t what;
    tusk_str name;

    if (tusk__describe_read(body, &what, &name, NULL) != TUSK_OK)
        return;
    if (what == 'S')
        tusk__parameter_description_write(&e->out, e->types, e->n_types);
    write_description(e, what == 'S' ? statement_kind(e, name) : e->bound, what == 'S' ? 0 : e->format);
}

static void on_query(struct echo *e, tusk_str body)
{
    tusk_str sql;
    kind what;

    if (tusk__query_read(body, &sql, NULL) != TUSK_OK)
        return;
    what = kind_of(sql);
    if (what == SELECT)
        write_description(e, what, 0);
    write_result(e, what, 0);
    tusk__ready_for_query_write(&e->out, e->tx_status);
}

static void on_message(struct echo *e, uint8_t type, tusk_str body)
{
    switch (type) {
    case TUSK__F_PARSE:
        on_parse(e, body);
        break;
    case TUSK__F_BIND:
        on_bind(e, body);
        break;
    case TUSK__F_DESCRIBE:
        on_describe(e, body);
        break;
    case TUSK__F_EXECUTE:
        write_result(e, e->bound, e->format);
        break;
    case TUSK__F_CLOSE:
        tusk__empty_message_write(&e->out, TUSK__B_CLOSE_COMPLETE);
        break;
    case TUSK__F_SYNC:
        tusk__ready_for_query_write(&e->out, e->tx_status);
        break;
    case TUSK__F_QUERY:
        on_query(e, body);
        break;
    case TUSK__F_TERMINATE:
        e->is_closing = true;
        break;
    default:
        break;
    }
}

static void on_first(struct echo *e, tusk_str body)
{
    tusk__first_packet first;

    if (tusk__first_packet_read(body, &first, NULL) != TUSK_OK || first.code == TUSK__CANCEL_REQUEST_CODE) {
        e->is_closing = true;
    } else if (first.code == TUSK__SSL_REQUEST_CODE || first.code == TUSK__GSSENC_REQUEST_CODE) {
        tusk__write_u8(&e->out, 'N');
    } else {
        e->is_started = true;
        e->tx_status = 'I';
        script_write_login(&e->out, e->number, tusk_str_of("echo"));
    }
}

/* ---- bytes -------------------------------------------------------------------------------------------------------------------- */

static void answer_all(struct echoes *all, struct echo *e)
{
    script_server *server = all->server;
    tusk_str stream = tusk_str_from(e->in.buf, e->in.len), body;
    uint8_t type;
    tusk_code code;

    while ((code = tusk__frame_next(&stream, false, !e->is_started, &type, &body, NULL)) == TUSK_OK && !e->is_closing) {
        if (server->answer && server->answer(e->number, type, body, &e->out, server->user))
            e->is_started = true;
        else if (!e->is_started)
            on_first(e, body);
        else
            on_message(e, type, body);
    }
    if (code == TUSK_ERR_PROTOCOL || e->out.failed != TUSK_OK)
        e->is_closing = true;
    if (stream.len == 0) {
        tusk__writer_clear(&e->in);
    } else if (stream.len < e->in.len) {
        memmove(e->in.buf, stream.ptr, stream.len);
        tusk__writer_cut(&e->in, stream.len);
    }
}

static void flush(struct echoes *all, struct echo *e)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = e->fd};
    size_t sent = 0;

    while (sent < e->out.len) {
        ssize_t n = send(e->fd, e->out.buf + sent, e->out.len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            e->is_closing = true;
            return;
        }
        sent += (size_t)n;
    }
    if (sent == e->out.len) {
        tusk__writer_clear(&e->out);
    } else {
        memmove(e->out.buf, e->out.buf + sent, e->out.len - sent);
        tusk__writer_cut(&e->out, e->out.len - sent);
        event.events |= EPOLLOUT;
    }
    epoll_ctl(all->epoll, EPOLL_CTL_MOD, e->fd, &event);
}

static void receive(struct echo *e)
{
    static uint8_t block[65536];
    ssize_t n = recv(e->fd, block, sizeof block, MSG_DONTWAIT);

    if (n > 0)
        tusk__write_bytes(&e->in, tusk_str_from(block, (size_t)n));
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        e->is_closing = true;
}

static void end_connection(struct echoes *all, struct echo *e)
{
    all->by_fd[e->fd] = NULL;
    close(e->fd);
    tusk__writer_clear(&e->in);
    tusk__writer_clear(&e->out);
    free(e);
}

static void begin_connection(struct echoes *all)
{
    int fd = script_accept(all->server);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    struct echo *e = fd >= 0 ? calloc(1, sizeof *e) : NULL;

    if (!e)
        return;
    if ((size_t)fd >= all->n_fds) {
        size_t n = ((size_t)fd + 1) * 2;

        all->by_fd = realloc(all->by_fd, n * sizeof(struct echo *));
        if (!all->by_fd)
            abort();
        memset(all->by_fd + all->n_fds, 0, (n - all->n_fds) * sizeof(struct echo *));
        all->n_fds = n;
    }
    e->fd = fd;
    e->number = script_n_accepted(all->server);
    tusk__writer_init(&e->in, tusk_allocator_default());
    tusk__writer_init(&e->out, tusk_allocator_default());
    all->by_fd[fd] = e;
    epoll_ctl(all->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void serve(struct echoes *all, struct echo *e, uint32_t events)
{
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        receive(e);
    if (!e->is_closing)
        answer_all(all, e);
    flush(all, e);
    if (e->is_closing)
        end_connection(all, e);
}

static void *run_echo(void *arg)
{
    script_server *server = arg;
    struct echoes all = {.server = server, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    int ends[2] = {server->listener, server->stop_pipe[0]};
    bool is_stopped = false;

    for (int i = 0; i < 2; i++)
        epoll_ctl(all.epoll, EPOLL_CTL_ADD, ends[i], &(struct epoll_event){.events = EPOLLIN, .data.fd = ends[i]});
    while (!is_stopped) {
        struct epoll_event events[256];
        int n = epoll_wait(all.epoll, events, 256, -1);

        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;

            if (fd == server->stop_pipe[0])
                is_stopped = true;
            else if (fd == server->listener)
                begin_connection(&all);
            else if (all.by_fd[fd])
                serve(&all, all.by_fd[fd], events[i].events);
        }
    }
    for (size_t fd = 0; fd < all.n_fds; fd++)
        if (all.by_fd[fd])
            end_connection(&all, all.by_fd[fd]);
    free(all.by_fd);
    close(all.epoll);
    return NULL;
}

static void raise_fd_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

script_server *script_start_echo(script_answer_fn *answer, void *user)
{
    raise_fd_limit();
    return script_server_new(run_echo, NULL, false, answer, user);
}

script_server *script_start_echo_process(void)
{
    raise_fd_limit();
    return script_server_new(run_echo, NULL, true, NULL, NULL);
}
