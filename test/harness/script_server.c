/*
 * The scripted server: a thread per connection, which plays its section line by line.
 * Read first: script_server.h.
 */
#include "test/harness/script_server.h"

#include "proto/frame.h"
#include "proto/session.h"
#include "test/harness/script_private.h"
#include "test/harness/words.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 10000, LINE_SIZE = 4096 };

struct peer {
    script_server *server;
    int fd;
    unsigned number; /* of its section, from 1 */
    int line;
    uint8_t *in;
    size_t in_len, in_at; /* received, and of that read */
    size_t slow_bytes;
    int slow_ms;
    uint32_t pid; /* of the key that it sent last */
    uint8_t key[TUSK__CANCEL_KEY_MAX];
    size_t key_len;
    bool is_first; /* no packet was read yet: the next one has no type */
    bool is_done;
    char what[300]; /* of the failing line */
};

__attribute__((format(printf, 2, 3))) static bool fail(struct peer *p, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(p->what, sizeof p->what, format, args);
    va_end(args);
    return false;
}

/* ---- bytes ---------------------------------------------------------------------------------------------------------------- */

typedef enum { READABLE, SILENT, STOPPED } outcome;

static outcome wait_for(struct peer *p, short events, int ms)
{
    struct pollfd fds[2] = {{.fd = p->fd, .events = events}, {.fd = p->server->stop_pipe[0], .events = POLLIN}};
    int n;

    do
        n = poll(fds, 2, ms);
    while (n < 0 && errno == EINTR);
    if (fds[0].revents)
        return READABLE;
    return fds[1].revents ? STOPPED : SILENT;
}

/* More bytes. 1: they are there · 0: the client has closed · -1: failed. */
static int receive(struct peer *p)
{
    uint8_t block[16384], *bigger;
    ssize_t n;

    switch (wait_for(p, POLLIN, WAIT_MS)) {
    case SILENT:
        fail(p, "the client says nothing");
        return -1;
    case STOPPED:
        fail(p, "the script was stopped here");
        return -1;
    case READABLE:
        break;
    }
    n = recv(p->fd, block, sizeof block, 0);
    if (n <= 0)
        return 0;
    bigger = realloc(p->in, p->in_len + (size_t)n);
    if (!bigger)
        abort();
    p->in = bigger;
    memcpy(p->in + p->in_len, block, (size_t)n);
    p->in_len += (size_t)n;
    return 1;
}

/* The next message, whole. What was read of earlier ones is dropped, so *body lives until the next call. */
static bool next_message(struct peer *p, uint8_t *type, tusk_str *body)
{
    if (p->in_at > 0) {
        memmove(p->in, p->in + p->in_at, p->in_len - p->in_at);
        p->in_len -= p->in_at;
        p->in_at = 0;
    }
    for (;;) {
        tusk_str stream = tusk_str_from(p->in, p->in_len);
        tusk_error err = {0};
        tusk_code code = tusk__frame_next(&stream, false, p->is_first, type, body, &err);
        int more;

        if (code == TUSK_OK) {
            p->in_at = p->in_len - stream.len;
            p->is_first = false;
            return true;
        }
        if (code != TUSK_AGAIN)
            return fail(p, "%s", err.message);
        more = receive(p);
        if (more == 0)
            return fail(p, "the client has closed");
        if (more < 0)
            return false;
    }
}

static bool send_bytes(struct peer *p, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        size_t piece = p->slow_bytes && p->slow_bytes < len ? p->slow_bytes : len;
        ssize_t n = send(p->fd, bytes, piece, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(p, "cannot send: %s", strerror(errno));
        bytes += n, len -= (size_t)n;
        if (p->slow_bytes && len > 0)
            poll(NULL, 0, p->slow_ms);
    }
    return true;
}

/* ---- expectations ------------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *word;
    uint8_t type;
} frontend_words[] = {
    {"parse", TUSK__F_PARSE},         {"bind", TUSK__F_BIND},           {"describe", TUSK__F_DESCRIBE},
    {"execute", TUSK__F_EXECUTE},     {"sync", TUSK__F_SYNC},           {"query", TUSK__F_QUERY},
    {"close", TUSK__F_CLOSE},         {"flush", TUSK__F_FLUSH},         {"copy_data", TUSK__F_COPY_DATA},
    {"copy_done", TUSK__F_COPY_DONE}, {"copy_fail", TUSK__F_COPY_FAIL}, {"password", TUSK__F_PASSWORD},
    {"terminate", TUSK__F_TERMINATE},
};

/* 0: no such word */
static uint8_t type_of_word(const words *w, size_t i)
{
    tusk_str word = words_at(w, i);

    for (size_t k = 0; k < sizeof frontend_words / sizeof frontend_words[0]; k++)
        if (words_is(w, i, frontend_words[k].word))
            return frontend_words[k].type;
    return word.len == 1 && tusk__frontend_message_name((uint8_t)word.ptr[0]) ? (uint8_t)word.ptr[0] : 0;
}

static const char *type_name(uint8_t type)
{
    const char *name = type ? tusk__frontend_message_name(type) : "a first packet";

    return name ? name : "a message of unknown type";
}

static bool expect_message(struct peer *p, const words *w)
{
    uint8_t wanted = type_of_word(w, 1), type;
    tusk_str body;

    if (wanted == 0 && !words_is(w, 1, "any"))
        return fail(p, "no such message of the client");
    p->is_first = false;
    if (!next_message(p, &type, &body))
        return false;
    if (wanted != 0 && type != wanted)
        return fail(p, "%s came instead", type_name(type));
    for (size_t i = 2; i < w->n; i++)
        if (!memmem(body.ptr, body.len, w->word[i].ptr, w->word[i].len))
            return fail(p, "%s came without \"%s\"", type_name(type), w->word[i].ptr);
    return true;
}

static bool has_setting(tusk_str params, tusk_str wanted)
{
    tusk__startup_param param;

    while (tusk__startup_next(&params, &param))
        if (wanted.len == param.name.len + 1 + param.value.len && wanted.ptr[param.name.len] == '=' &&
            memcmp(wanted.ptr, param.name.ptr, param.name.len) == 0 &&
            memcmp(wanted.ptr + param.name.len + 1, param.value.ptr, param.value.len) == 0)
            return true;
    return false;
}

static bool has_version(uint32_t code, tusk_str wanted)
{
    char text[40];
    int len = snprintf(text, sizeof text, "version=%u.%u", (unsigned)(code >> 16), (unsigned)(code & 0xffff));

    return tusk_str_equal(wanted, tusk_str_from(text, (size_t)len));
}

/* code: what the first packet must be; 0 is a StartupMessage of any version. */
static bool expect_first(struct peer *p, const words *w, uint32_t code)
{
    tusk__first_packet first;
    tusk_error err = {0};
    tusk_str body;
    uint8_t type;

    p->is_first = true;
    if (!next_message(p, &type, &body))
        return false;
    if (tusk__first_packet_read(body, &first, &err) != TUSK_OK)
        return fail(p, "%s", err.message);
    if (code == 0 ? first.code >> 16 != 3 : first.code != code)
        return fail(p, "a first packet of code %u came instead", (unsigned)first.code);
    p->is_first = code != 0; /* behind SSLRequest comes another one */
    for (size_t i = 2; i < w->n; i++)
        if (!has_setting(first.params, w->word[i]) && !has_version(first.code, w->word[i]))
            return fail(p, "the startup packet has no %s", w->word[i].ptr);
    return true;
}

static bool expect_nothing(struct peer *p, const words *w)
{
    if (p->in_at < p->in_len)
        return fail(p, "something came");
    switch (wait_for(p, POLLIN, (int)words_number(w, 2))) {
    case READABLE:
        return fail(p, "something came, or the client has closed");
    case STOPPED:
    case SILENT:
        break;
    }
    return true;
}

static bool expect_eof(struct peer *p)
{
    int more = p->in_at < p->in_len ? 1 : receive(p);

    return more <= 0 ? more == 0 : fail(p, "something came before the end");
}

static bool do_expect(struct peer *p, const words *w)
{
    if (words_is(w, 1, "startup"))
        return expect_first(p, w, 0);
    if (words_is(w, 1, "ssl"))
        return expect_first(p, w, TUSK__SSL_REQUEST_CODE);
    if (words_is(w, 1, "gssenc"))
        return expect_first(p, w, TUSK__GSSENC_REQUEST_CODE);
    if (words_is(w, 1, "nothing"))
        return expect_nothing(p, w);
    if (words_is(w, 1, "eof"))
        return expect_eof(p);
    return expect_message(p, w);
}

static bool do_skip(struct peer *p, const words *w)
{
    uint8_t wanted = type_of_word(w, 2), type;
    tusk_str body;

    if (!words_is(w, 1, "until") || wanted == 0)
        return fail(p, "skip until what?");
    do
        if (!next_message(p, &type, &body))
            return false;
    while (type != wanted);
    return true;
}

/* ---- what the server does --------------------------------------------------------------------------------------------------- */

/* A BackendKeyData among the messages sent: cancels are compared with it. */
static void note_key(struct peer *p, const tusk__writer *b)
{
    tusk_str stream = tusk_str_from(b->buf, b->len), body;
    tusk__backend_key key;
    uint8_t type;

    while (tusk__frame_next(&stream, true, false, &type, &body, NULL) == TUSK_OK)
        if (type == TUSK__B_BACKEND_KEY_DATA && tusk__backend_key_data_read(body, &key, NULL) == TUSK_OK) {
            p->pid = key.pid;
            p->key_len = key.key.len;
            memcpy(p->key, key.key.ptr, key.key.len);
        }
}

static bool send_text(struct peer *p, const char *text)
{
    tusk__writer b;
    const char *wrong;
    bool is_sent;

    while (*text == ' ')
        text++;
    if ((*text == 'S' || *text == 'N') && text[1 + strspn(text + 1, " ")] == '\0')
        return send_bytes(p, (const uint8_t *)text, 1);
    tusk__writer_init(&b, tusk_allocator_default());
    wrong = words_write_text(&b, text);
    note_key(p, &b);
    is_sent = wrong ? fail(p, "%s", wrong) : send_bytes(p, b.buf, b.len);
    tusk__writer_clear(&b);
    return is_sent;
}

static bool do_login(struct peer *p, const words *w)
{
    tusk__writer b;
    bool is_sent;

    (void)w;
    if (!expect_first(p, w, 0))
        return false;
    tusk__writer_init(&b, tusk_allocator_default());
    script_write_login(&b, 4000 + p->number, tusk_str_of("key!"));
    note_key(p, &b);
    is_sent = send_bytes(p, b.buf, b.len);
    tusk__writer_clear(&b);
    return is_sent;
}

static bool do_slow(struct peer *p, const words *w)
{
    p->slow_bytes = words_number(w, 1);
    p->slow_ms = w->n > 2 ? (int)words_number(w, 2) : 1;
    return true;
}

/* Reads and forgets until the client has closed; a reset is a close too. */
static bool do_wait(struct peer *p, const words *w)
{
    int more;

    if (!words_is(w, 1, "until") || !words_is(w, 2, "closed"))
        return fail(p, "wait until closed, or not at all");
    do {
        p->in_len = p->in_at = 0;
        more = receive(p);
    } while (more > 0);
    return more == 0;
}

static bool do_stall(struct peer *p, const words *w)
{
    (void)w;
    wait_for(p, POLLRDHUP, -1);
    return true;
}

static bool do_pause(struct peer *p, const words *w)
{
    struct pollfd stop = {.fd = p->server->stop_pipe[0], .events = POLLIN};

    poll(&stop, 1, (int)words_number(w, 1));
    return true;
}

static bool do_close(struct peer *p, const words *w)
{
    (void)w;
    p->is_done = true;
    return true;
}

static bool do_reset(struct peer *p, const words *w)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    return do_close(p, w);
}

static bool do_half_close(struct peer *p, const words *w)
{
    (void)w;
    return shutdown(p->fd, SHUT_WR) == 0 || fail(p, "cannot half-close: %s", strerror(errno));
}

static struct cancel *untaken_cancel(script_server *server)
{
    for (unsigned i = 0; i < server->n_cancels; i++)
        if (!server->cancels[i].is_taken)
            return &server->cancels[i];
    return NULL;
}

static bool do_cancel(struct peer *p, const words *w)
{
    script_server *server = p->server;
    struct timespec until;
    struct cancel *cancel;
    bool is_mine = false;
    int waited = 0;

    if (!words_is(w, 1, "expected"))
        return fail(p, "cancel expected, or not at all");
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_MS / 1000;
    pthread_mutex_lock(&server->lock);
    while (!(cancel = untaken_cancel(server)) && waited == 0)
        waited = pthread_cond_timedwait(&server->changed, &server->lock, &until);
    if (cancel) {
        cancel->is_taken = true;
        is_mine =
            cancel->pid == p->pid && cancel->key_len == p->key_len && memcmp(cancel->key, p->key, p->key_len) == 0;
    }
    pthread_mutex_unlock(&server->lock);
    if (!cancel)
        return fail(p, "no CancelRequest came");
    return is_mine || fail(p, "a CancelRequest came with another key");
}

/* ---- a section ---------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *word;
    bool (*run)(struct peer *p, const words *w);
} orders[] = {
    {"login", do_login}, {"expect", do_expect},         {"skip", do_skip},
    {"slow", do_slow},   {"cancel", do_cancel},         {"wait", do_wait},
    {"stall", do_stall}, {"pause", do_pause},           {"close", do_close},
    {"reset", do_reset}, {"half-close", do_half_close},
};

static bool run_send(struct peer *p, const char *text, uint32_t times)
{
    for (uint32_t i = 0; i < times; i++)
        if (!send_text(p, text))
            return false;
    return true;
}

static bool run_line(struct peer *p, const char *line)
{
    words w;
    const char *wrong, *send = strstr(line, "send ");

    line += strspn(line, " \t");
    if (send == line)
        return send_text(p, line + 5);
    wrong = words_split(&w, line);
    if (wrong)
        return fail(p, "%s", wrong);
    if (w.n == 0)
        return true;
    if (words_is(&w, 1, "times") && words_is(&w, 2, "send"))
        return run_send(p, send + 5, words_number(&w, 0));
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++)
        if (words_is(&w, 0, orders[i].word))
            return orders[i].run(p, &w);
    return fail(p, "no such order");
}

/* The line that begins at `at`, without its newline; *next is the one behind it. */
static const char *copy_line(const char *at, char *line, const char **next)
{
    size_t len = strcspn(at, "\n");

    snprintf(line, LINE_SIZE, "%.*s", (int)len, at);
    *next = at + len + (at[len] != '\0');
    return line;
}

static bool is_divider(const char *line)
{
    line += strspn(line, " \t");
    return strncmp(line, "connection", 10) == 0 && line[10 + strspn(line + 10, " \t\r")] == '\0';
}

/* Where section `number` begins, and the number of the line in front of it. NULL: there are not so many. */
static const char *find_section(const char *script, unsigned number, int *line_number)
{
    char line[LINE_SIZE];
    bool is_empty = true; /* a divider in front of everything divides nothing */
    unsigned n = 1;

    *line_number = 0;
    while (n < number || (is_empty && *script)) {
        const char *next;

        if (*script == '\0')
            return NULL;
        copy_line(script, line, &next);
        if (is_divider(line)) {
            n += !is_empty;
            is_empty = true;
        } else if (line[strspn(line, " \t\r")] != '\0') {
            if (n == number)
                return script;
            is_empty = false;
        }
        script = next;
        ++*line_number;
    }
    return is_empty ? NULL : script;
}

static void play(struct peer *p, const char *at)
{
    char line[LINE_SIZE], said[LINE_SIZE];

    while (*at && !p->is_done) {
        const char *next;

        copy_line(at, line, &next);
        p->line++;
        if (is_divider(line))
            return;
        if (!run_line(p, line)) {
            snprintf(said, sizeof said, "connection %u, line %d, \"%.100s\": %s", p->number, p->line,
                     line + strspn(line, " \t"), p->what);
            pthread_mutex_lock(&p->server->lock);
            if (!p->server->wrong[0])
                memcpy(p->server->wrong, said, sizeof p->server->wrong - 1);
            pthread_mutex_unlock(&p->server->lock);
            return;
        }
        at = next;
    }
}

/* ---- connections -------------------------------------------------------------------------------------------------------------- */

/* Is this connection a CancelRequest? Then it is noted and done. It is asked only if the section begins by reading. */
static bool take_cancel(struct peer *p)
{
    uint8_t bytes[12 + TUSK__CANCEL_KEY_MAX];
    tusk__first_packet first;
    ssize_t n = 0;

    if (wait_for(p, POLLIN, WAIT_MS) != READABLE)
        return false;
    n = recv(p->fd, bytes, sizeof bytes, MSG_PEEK);
    if (n < 16 || tusk__be32(bytes + 4) != TUSK__CANCEL_REQUEST_CODE || tusk__be32(bytes) != (uint32_t)n ||
        tusk__first_packet_read(tusk_str_from(bytes + 4, (size_t)n - 4), &first, NULL) != TUSK_OK)
        return false;
    (void)recv(p->fd, bytes, sizeof bytes, 0); /* read, so that closing is no reset */
    pthread_mutex_lock(&p->server->lock);
    if (p->server->n_cancels < sizeof p->server->cancels / sizeof p->server->cancels[0]) {
        struct cancel *cancel = &p->server->cancels[p->server->n_cancels++];

        cancel->pid = first.pid;
        cancel->key_len = first.key.len;
        memcpy(cancel->key, first.key.ptr, first.key.len);
    }
    pthread_cond_broadcast(&p->server->changed);
    pthread_mutex_unlock(&p->server->lock);
    return true;
}

static bool begins_by_reading(const char *section)
{
    section = section ? section + strspn(section, " \t\r\n") : "login";
    return strncmp(section, "login", 5) == 0 || strncmp(section, "expect", 6) == 0;
}

static const char *take_section(struct peer *p)
{
    script_server *server = p->server;
    const char *section;

    pthread_mutex_lock(&server->lock);
    p->number = server->n_played + 1;
    section = find_section(server->script, p->number, &p->line);
    if (section)
        server->n_played++;
    else if (!server->wrong[0])
        snprintf(server->wrong, sizeof server->wrong, "connection %u came, and the script has no more", p->number);
    pthread_mutex_unlock(&server->lock);
    return section;
}

static const char *next_section(script_server *server)
{
    const char *section;
    int line;

    pthread_mutex_lock(&server->lock);
    section = find_section(server->script, server->n_played + 1, &line);
    pthread_mutex_unlock(&server->lock);
    return section;
}

static void *run_connection(void *arg)
{
    struct peer *p = arg;
    script_server *server = p->server;

    if (!begins_by_reading(next_section(server)) || !take_cancel(p)) {
        const char *section = take_section(p);

        if (section)
            play(p, section);
    }
    close(p->fd);
    free(p->in);
    free(p);
    pthread_mutex_lock(&server->lock);
    server->n_running--;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

static void *run_server(void *arg)
{
    script_server *server = arg;
    int fd, line;

    while (find_section(server->script, server->n_sections + 1, &line))
        server->n_sections++;
    while ((fd = script_accept(server)) >= 0) {
        struct peer *p = calloc(1, sizeof *p);
        pthread_t thread;

        if (!p)
            abort();
        p->server = server;
        p->fd = fd;
        p->is_first = true;
        pthread_mutex_lock(&server->lock);
        server->n_running++;
        pthread_mutex_unlock(&server->lock);
        if (pthread_create(&thread, NULL, run_connection, p) != 0)
            abort();
        pthread_detach(thread);
    }
    return NULL;
}

script_server *script_start(const char *script)
{
    char *copy = strdup(script);

    return copy ? script_server_new(run_server, copy, false, NULL, NULL) : NULL;
}
