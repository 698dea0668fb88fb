/*
 * A recorded conversation as test data: test/wire/NAME/session in words, test/wire/NAME/events what must come out of it.
 * A case is played in any chunking; the log of events with all their fields must always be the same.
 * Read first: docs/internals/wire-cases.md.
 */
#ifndef TUSK_TEST_WIRE_CASE_H
#define TUSK_TEST_WIRE_CASE_H

#include "proto/session.h"

enum { WIRE_STEPS = 256 };

/* What the client did when the server's bytes up to `at` had been read. */
typedef struct wire_step {
    size_t at;
    uint8_t enter;   /* a login state, or 0 */
    uint8_t expect;  /* an expectation, or 0 */
    int32_t columns; /* of the rows behind this Bind, or of the next rows; -1: not told */
    bool is_now;     /* columns: now, not behind BindComplete */
} wire_step;

typedef struct wire_case {
    tusk__writer server; /* all bytes of the server */
    size_t n_messages, message_end[WIRE_STEPS];
    size_t n_steps;
    wire_step steps[WIRE_STEPS];
} wire_case;

/* Read a session file. NULL, or what is wrong with it ("file:line: what"; static, until the next call). */
const char *wire_case_read(wire_case *c, const char *path);
void wire_case_clear(wire_case *c);

/*
 * Play it: the bytes arrive in pieces that end at cuts[0] < cuts[1] < … and at the end. is_tight: each buffer lent is as small
 * as the session allows, otherwise it holds the piece. The log is appended to `log`. NULL, or what the session did that it
 * must not do whatever the bytes are (static).
 */
const char *wire_case_play(const wire_case *c, const size_t *cuts, size_t n_cuts, bool is_tight, tusk__writer *log);

/* One event as a line of the log. */
void wire_log_event(tusk__writer *log, const tusk__event *ev);

/* Does every view of the event lie within [buf, buf + cap)? */
bool wire_event_is_within(const tusk__event *ev, const uint8_t *buf, size_t cap);

#endif
