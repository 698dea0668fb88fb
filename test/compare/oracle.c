/* libpq in a process of its own, asked through pipes: it may bring an OpenSSL that must not meet ours.
 * Usage: oracle libpq.so.5. Frames in both directions: a length of 4 bytes, then so many bytes.
 *   K                                    → keywords, each with its NUL; in front the version in 4 bytes
 *   P string NUL …                       → for each string 1 byte (1: accepted) and, if so, name NUL value NUL …, then NUL
 *   L n-params texts …                   → 1 byte (1: logged in), 1 byte (1: over TLS), 1 byte (1: by SCRAM-SHA-256-PLUS), the error
 *                                          message; name, value …
 *   C n-environment n-params texts …     → 1 byte (1: connected) and the error message; NAME=VALUE, then name, value …
 * Declarations are our own: no header of libpq is needed.
 * Read first: test/compare/compare.c. */
#include <dlfcn.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct option {
    char *keyword, *envvar, *compiled, *val, *label, *dispchar;
    int dispsize;
} option;

typedef struct connection connection;

static struct {
    int (*version)(void);
    option *(*defaults)(void);
    option *(*parse)(const char *conninfo, char **message);
    void (*options_free)(option *options);
    void (*memory_free)(void *memory);
    connection *(*start)(const char *const *keywords, const char *const *values, int expand_dbname);
    int (*poll)(connection *conn);
    int (*socket)(const connection *conn);
    int (*status)(const connection *conn);
    char *(*message)(const connection *conn);
    void (*finish)(connection *conn);
    int (*ssl_in_use)(const connection *conn);
    void (*trace)(connection *conn, FILE *file);
    void (*untrace)(connection *conn);
} pq;

static char *answer;
static size_t answer_len, answer_size;

static void put(const void *bytes, size_t len)
{
    if (answer_len + len > answer_size) {
        answer_size = 2 * (answer_len + len);
        answer = realloc(answer, answer_size);
        if (!answer)
            exit(3);
    }
    memcpy(answer + answer_len, bytes, len);
    answer_len += len;
}

static void put_text(const char *text)
{
    put(text, strlen(text) + 1);
}

static void answer_keywords(void)
{
    uint32_t version = (uint32_t)pq.version();
    option *options = pq.defaults();

    put(&version, sizeof version);
    for (option *o = options; o && o->keyword; o++)
        put_text(o->keyword);
    pq.options_free(options);
}

static void answer_parse(const char *text)
{
    char *message = NULL;
    option *options = pq.parse(text, &message);

    put(options ? "\1" : "\0", 1);
    for (option *o = options; o && o->keyword; o++)
        if (o->val) {
            put_text(o->keyword);
            put_text(o->val);
        }
    if (options)
        put("", 1);
    pq.options_free(options);
    pq.memory_free(message);
}

/* PGRES_POLLING_READING 1, WRITING 2; what the first call waits for is writing. */
static int connect_to_end(connection *conn)
{
    for (int wants = 2; pq.status(conn) != 1 && (wants == 1 || wants == 2); wants = pq.poll(conn)) {
        struct pollfd fd = {pq.socket(conn), wants == 1 ? POLLIN : POLLOUT, 0};

        if (poll(&fd, 1, 5000) != 1)
            return 0;
    }
    return pq.status(conn) == 0;
}

/* Names and values by turns, each with a NUL behind it; both lists end with NULL, as libpq wants them. */
static void read_params(const char *p, uint32_t n, const char **keywords, const char **values)
{
    for (uint32_t i = 0; i < n; i++) {
        keywords[i] = p;
        p += strlen(p) + 1;
        values[i] = p;
        p += strlen(p) + 1;
    }
    keywords[n] = values[n] = NULL;
}

static void answer_connect(const char *p)
{
    const char *keywords[64], *values[64];
    uint32_t n_env, n_params;
    connection *conn;

    memcpy(&n_env, p, 4);
    memcpy(&n_params, p + 4, 4);
    p += 8;
    clearenv();
    for (; n_env > 0; n_env--, p += strlen(p) + 1) {
        const char *equals = strchr(p, '=');
        char name[64];

        snprintf(name, sizeof name, "%.*s", (int)(equals - p), p);
        setenv(name, equals + 1, 1);
    }
    read_params(p, n_params, keywords, values);
    conn = pq.start(keywords, values, 1);
    put(connect_to_end(conn) ? "\1" : "\0", 1);
    put_text(pq.message(conn));
    pq.finish(conn);
}

/* The server offers it, too: what counts is the line of the client's choice. */
static int said_plus(const char *trace)
{
    const char *line = strstr(trace, "SASLInitialResponse"), *plus = line ? strstr(line, "SCRAM-SHA-256-PLUS") : NULL;

    return plus && plus < line + strcspn(line, "\n");
}

/* Behind the environment of our own process: the caller gives every parameter that matters. */
static void answer_login(const char *p)
{
    const char *keywords[64], *values[64];
    uint32_t n_params;
    connection *conn;
    char *traced = NULL;
    size_t traced_len = 0;
    FILE *trace = open_memstream(&traced, &traced_len);
    int is_in;

    memcpy(&n_params, p, 4);
    p += 4;
    read_params(p, n_params, keywords, values);
    conn = pq.start(keywords, values, 0);
    pq.trace(conn, trace);
    is_in = connect_to_end(conn);
    pq.untrace(conn);
    fclose(trace);
    put(is_in ? "\1" : "\0", 1);
    put(is_in && pq.ssl_in_use(conn) ? "\1" : "\0", 1);
    put(traced && said_plus(traced) ? "\1" : "\0", 1);
    put_text(pq.message(conn));
    pq.finish(conn);
    free(traced);
}

static void *symbol(void *library, const char *name)
{
    void *found = dlsym(library, name);

    if (!found) {
        fprintf(stderr, "oracle: no %s\n", name);
        exit(2);
    }
    return found;
}

static void load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW);

    if (!library) {
        fprintf(stderr, "oracle: %s\n", dlerror());
        exit(2);
    }
    *(void **)&pq.version = symbol(library, "PQlibVersion");
    *(void **)&pq.defaults = symbol(library, "PQconndefaults");
    *(void **)&pq.parse = symbol(library, "PQconninfoParse");
    *(void **)&pq.options_free = symbol(library, "PQconninfoFree");
    *(void **)&pq.memory_free = symbol(library, "PQfreemem");
    *(void **)&pq.start = symbol(library, "PQconnectStartParams");
    *(void **)&pq.poll = symbol(library, "PQconnectPoll");
    *(void **)&pq.socket = symbol(library, "PQsocket");
    *(void **)&pq.status = symbol(library, "PQstatus");
    *(void **)&pq.message = symbol(library, "PQerrorMessage");
    *(void **)&pq.finish = symbol(library, "PQfinish");
    *(void **)&pq.ssl_in_use = symbol(library, "PQsslInUse");
    *(void **)&pq.trace = symbol(library, "PQtrace");
    *(void **)&pq.untrace = symbol(library, "PQuntrace");
}

static int read_exactly(void *to, size_t len)
{
    char *p = to;

    while (len > 0) {
        ssize_t n = read(0, p, len);

        if (n <= 0)
            return 0;
        p += n;
        len -= (size_t)n;
    }
    return 1;
}

static void write_exactly(const void *from, size_t len)
{
    const char *p = from;

    while (len > 0) {
        ssize_t n = write(1, p, len);

        if (n <= 0)
            exit(3);
        p += n;
        len -= (size_t)n;
    }
}

static void serve(const char *frame, size_t len)
{
    const char *end = frame + len;

    answer_len = 0;
    if (frame[0] == 'K')
        answer_keywords();
    else if (frame[0] == 'C')
        answer_connect(frame + 1);
    else if (frame[0] == 'L')
        answer_login(frame + 1);
    else
        for (const char *p = frame + 1; p < end; p += strlen(p) + 1)
            answer_parse(p);
}

int main(int argc, char **argv)
{
    uint32_t len;

    if (argc != 2)
        return 2;
    load(argv[1]);
    while (read_exactly(&len, sizeof len)) {
        char *frame = malloc(len + 1);
        uint32_t out;

        if (!frame || !read_exactly(frame, len))
            return 3;
        frame[len] = '\0';
        serve(frame, len);
        free(frame);
        out = (uint32_t)answer_len;
        write_exactly(&out, sizeof out);
        write_exactly(answer, answer_len);
    }
    return 0;
}
