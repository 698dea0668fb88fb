/* Fuzz target of proto/: a stream of either side, framed, each body given to every reader of its type, written again and
 * compared, and printed. What must hold: nothing is read behind a body's end, what is accepted comes back byte for byte where
 * the encoding leaves no choice, and a line of the printer is one line.
 * Not fuzzed here: which messages are legal when (session).
 * Read first: test/messages.h. Input: a byte whose bit 0 says "from the backend" and bit 1 "first packet", then the stream. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/trace.h"
#include "test/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                            \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* Bodies that may be said in two ways: fields without their terminator, a Bind whose formats we would write otherwise. */
static bool is_canonical(const message *m, tusk_str body)
{
    tusk__bind bind;

    if (m->rewrite == rewrite_error || m->rewrite == rewrite_notice)
        return body.len > 0 && body.ptr[body.len - 1] == '\0' && (body.len == 1 || body.ptr[body.len - 2] == '\0');
    if (m->rewrite != rewrite_bind || tusk__bind_read(body, &bind, NULL) != TUSK_OK || bind.n_formats == bind.n_params)
        return true;
    return bind.n_formats == 1 && bind.n_params > 0 && bind.formats.ptr[1] == 1;
}

static void check_same(const message *m, tusk_str body, const tusk__writer *b)
{
    size_t header = m->type ? TUSK__FRAME_HEADER : TUSK__FRAME_HEADER - 1;

    CHECK(b->failed == TUSK_OK);
    CHECK(b->len >= header && tusk__be32(b->buf + header - 4) == b->len - header + 4);
    if (!is_canonical(m, body))
        return;
    CHECK(b->len == header + body.len);
    CHECK(body.len == 0 || memcmp(b->buf + header, body.ptr, body.len) == 0);
}

static void read_and_write(const message *m, tusk_str body)
{
    tusk_error err = {0};
    tusk__writer b;
    tusk_code code;

    tusk__writer_init(&b, tusk_allocator_default());
    code = m->rewrite(body, &b, &err);
    if (code == TUSK_OK) {
        check_same(m, body, &b);
    } else {
        CHECK(code == TUSK_ERR_PROTOCOL && err.code == code && err.message[0] && memcmp(err.sqlstate, "08P01", 6) == 0);
        CHECK(b.len == 0);
    }
    tusk__writer_clear(&b);
}

static void print_into(tusk__direction direction, uint8_t type, tusk_str body, bool show_values, size_t size)
{
    tusk__trace_options options = {show_values, 16};
    char *line = malloc(size);
    size_t len;

    CHECK(line);
    len = tusk__trace_message(direction, type, body, &options, line, size);
    CHECK(len > 2 && strlen(line) == (len < size ? len : size - 1));
    for (const char *p = line; *p; p++)
        CHECK((uint8_t)*p >= 0x20 && *p != 0x7f);
    free(line);
}

static void try_message(bool from_backend, uint8_t type, tusk_str body)
{
    tusk__direction direction = from_backend ? TUSK__TO_FRONTEND : TUSK__TO_BACKEND;
    char *copy = malloc(body.len > 0 ? body.len : 1); /* of exactly its size */
    tusk_str exact = tusk_str_from(copy, body.len);

    CHECK(copy);
    if (body.len > 0)
        memcpy(copy, body.ptr, body.len);
    for (size_t i = 0; i < N_OF(messages); i++)
        if (messages[i].from_backend == from_backend && messages[i].type == type)
            read_and_write(&messages[i], exact);
    print_into(direction, type, exact, false, 40);
    print_into(direction, type, exact, true, 400);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool from_backend, is_first;
    tusk_error err = {0};
    tusk_str stream, body;
    uint8_t type;

    if (size == 0)
        return 0;
    from_backend = data[0] & 1;
    is_first = !from_backend && (data[0] & 2);
    stream = tusk_str_from(data + 1, size - 1);
    while (tusk__frame_next(&stream, from_backend, is_first, &type, &body, &err) == TUSK_OK) {
        try_message(from_backend, type, body);
        is_first = false;
    }
    return 0;
}
