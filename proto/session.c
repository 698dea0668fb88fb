/* The engine that walks the tables of session_table.c: frames one message, checks it whole, moves the state, hands it out.
 * It holds no rule of the protocol itself, does no I/O and allocates nothing but the ring of expectations.
 * Read first: proto/session.h, then session_table.c. */
#include "proto/session.h"

#include "proto/error_set.h"
#include "proto/fields.h"
#include "proto/frame.h"
#include "proto/session_table.h"

#include <stdio.h>

/* A message that is here whole and no longer than this needs no other look at its length: every type may be as long. */
#define SHORT_BODY 256

/* Kept out of the way of a row: inlined, they would have it save all registers. */
#if defined(__GNUC__)
#define APART __attribute__((noinline))
#else
#define APART
#endif

#define RING_MIN 64
#define RING_MAX ((uint32_t)1 << 30)

void tusk__session_init(tusk__session *s, const tusk_allocator *allocator)
{
    *s = (tusk__session){
        .allocator = allocator,
        .state = TUSK__EXPECT_OUR_TURN,
        .in_login = true,
        .n_cols = -1,
    };
}

void tusk__session_clear(tusk__session *s)
{
    if (s->ring)
        s->allocator->free(s->ring, s->allocator->user);
    tusk__session_init(s, s->allocator);
}

/* ---- bytes in ----------------------------------------------------------------------------------------------------------- */

static bool is_over(const tusk__session *s)
{
    return s->state == TUSK__EXPECT_END || s->state == TUSK__EXPECT_BROKEN;
}

void tusk__session_lend(tusk__session *s, uint8_t *buf, size_t cap)
{
    size_t left = tusk__session_unparsed(s);

    if (is_over(s))
        left = 0; /* nobody will read them */
    assert(left <= cap);
    if (left > 0)
        memmove(buf, s->buf + s->head, left);
    s->buf = buf;
    s->cap = cap;
    s->head = 0;
    s->tail = left;
}

/* ---- expectations ------------------------------------------------------------------------------------------------------- */

static tusk_code ring_grow(tusk__session *s, uint32_t need)
{
    const tusk_allocator *a = s->allocator;
    uint32_t cap = s->ring_cap ? s->ring_cap : RING_MIN;
    uint8_t *ring;

    while (cap < need)
        cap *= 2;
    ring = a->malloc(cap, a->user);
    if (!ring)
        return TUSK_ERR_NOMEM;
    for (uint32_t i = 0; i < s->ring_n; i++)
        ring[i] = s->ring[(s->ring_first + i) & (s->ring_cap - 1)];
    if (s->ring)
        a->free(s->ring, a->user);
    s->ring = ring;
    s->ring_cap = cap;
    s->ring_first = 0;
    return TUSK_OK;
}

tusk_code tusk__session_reserve(tusk__session *s, size_t n)
{
    if (n <= s->ring_cap - s->ring_n)
        return TUSK_OK;
    if (n > RING_MAX - s->ring_n)
        return TUSK_ERR_LIMIT;
    return ring_grow(s, s->ring_n + (uint32_t)n);
}

void tusk__session_expect(tusk__session *s, const uint8_t *expects, size_t n)
{
    size_t i = 0;

    if (is_over(s))
        return;
    if (s->state == TUSK__EXPECT_SKIP_NO_SYNC) { /* the server drops just so what comes before the Sync */
        while (i < n && expects[i] != TUSK__EXPECT_SYNC)
            i++;
        if (i < n)
            s->state = TUSK__EXPECT_SKIP;
    } else if (n > 0 && (s->state == TUSK__EXPECT_NOTHING || s->state == TUSK__EXPECT_OUR_TURN)) {
        s->state = expects[0];
    }
    assert(n - i <= s->ring_cap - s->ring_n);
    for (uint32_t at = s->ring_first + s->ring_n; i < n; i++, at++) {
        assert(expects[i] >= TUSK__EXPECT_PARSE && expects[i] <= TUSK__EXPECT_QUERY);
        s->ring[at & (s->ring_cap - 1)] = expects[i];
        s->ring_n++;
    }
}

void tusk__session_expect_columns(tusk__session *s, int32_t n_cols)
{
    assert(n_cols >= -1 && n_cols <= TUSK__COLUMNS_MAX);
    s->n_cols = n_cols;
}

void tusk__session_enter(tusk__session *s, tusk__expect state)
{
    if (is_over(s))
        return;
    assert(tusk__expect_is_login((tusk__expect)s->state) && tusk__expect_is_login(state));
    s->state = (uint8_t)state;
}

static void take_first(tusk__session *s)
{
    s->state = s->ring_n > 0 ? s->ring[s->ring_first] : TUSK__EXPECT_NOTHING;
}

static void drop_head(tusk__session *s)
{
    assert(s->ring_n > 0);
    s->ring_first = (s->ring_first + 1) & (s->ring_cap - 1);
    s->ring_n--;
}

/* The server drops all that was sent up to the Sync; so do we with what we expected of it. */
static void skip_to_sync(tusk__session *s)
{
    while (s->ring_n > 0 && s->ring[s->ring_first] != TUSK__EXPECT_SYNC)
        drop_head(s);
    s->state = s->ring_n > 0 ? TUSK__EXPECT_SKIP : TUSK__EXPECT_SKIP_NO_SYNC;
}

static bool in_simple_query(const tusk__session *s)
{
    assert(s->ring_n > 0);
    return s->ring[s->ring_first] == TUSK__EXPECT_QUERY;
}

/* The words of session_table.h that are more than a state. */
static APART void advance_by_rule(tusk__session *s, uint8_t next)
{
    switch (next) {
    case TUSK__NEXT_FIRST:
        take_first(s);
        return;
    case TUSK__NEXT_SKIP:
        skip_to_sync(s);
        return;
    case TUSK__NEXT_COPY_FAILED:
        if (in_simple_query(s))
            s->state = TUSK__EXPECT_QUERY_ERROR;
        else
            skip_to_sync(s);
        return;
    case TUSK__NEXT_COPY_COMPLETE:
        if (in_simple_query(s)) {
            s->state = TUSK__EXPECT_QUERY_MORE;
        } else {
            drop_head(s);
            take_first(s);
        }
        return;
    case TUSK__NEXT_COPY_BOTH_DONE:
        s->state = in_simple_query(s) ? TUSK__EXPECT_QUERY : TUSK__EXPECT_COPY_END;
        return;
    default:
        assert(next < TUSK__N_EXPECT);
        s->state = next;
    }
}

static inline void advance(tusk__session *s, uint8_t next)
{
    if (next == TUSK__NEXT_SAME)
        return;
    if (next == TUSK__NEXT_EXPECTATION) {
        drop_head(s);
        take_first(s);
        return;
    }
    advance_by_rule(s, next);
}

/* ---- refusing ----------------------------------------------------------------------------------------------------------- */

/* "DataRow ('D')", or "message 0x07" for what is none of the backend's. */
static void describe_type(uint8_t type, char *text, size_t size)
{
    const char *name = tusk__backend_message_name(type);

    if (name)
        snprintf(text, size, "%s ('%c')", name, type);
    else
        snprintf(text, size, "message 0x%02x", type);
}

static tusk_code say_broken(const tusk__session *s, tusk_error *err)
{
    char what[40];

    describe_type(s->broken_type, what, sizeof what);
    return tusk__error_set(err, TUSK_ERR_PROTOCOL, NULL, "the server broke the protocol: %s in %s", what,
                           tusk__expect_name((tusk__expect)s->broken_state));
}

/* The one way out of the protocol: nothing of this connection is read any more, least of all by guessing (D33). */
static tusk_code broken(tusk__session *s, uint8_t type, tusk_error *err)
{
    s->broken_state = s->state;
    s->broken_type = type;
    s->state = TUSK__EXPECT_BROKEN;
    s->ring_n = 0;
    return say_broken(s, err);
}

/* A message whose type was welcome, and whose length or body is not: *err says already what is wrong with it. */
static APART tusk_code malformed(tusk__session *s, uint8_t type, tusk_error *err)
{
    char what[40];

    describe_type(type, what, sizeof what);
    if (err)
        tusk__error_where(err, "%s in %s", what, tusk__expect_name((tusk__expect)s->state));
    return broken(s, type, err);
}

/* Two messages are welcome by more than the state: a DataRow when its number of columns was described or told (D3), and
 * NegotiateProtocolVersion when it is the first. */
static bool is_legal(const tusk__session *s, uint8_t event)
{
    switch (event) {
    case 0:
        return false;
    case TUSK__EV_ROW:
        return s->n_cols >= 0;
    case TUSK__EV_NEGOTIATE_PROTOCOL_VERSION:
        return !s->is_negotiated;
    default:
        return true;
    }
}

static bool is_welcome(const tusk__session *s, uint8_t type)
{
    return is_legal(s, tusk__session_row_of((tusk__expect)s->state, type).event);
}

/* ---- one message -------------------------------------------------------------------------------------------------------- */

static tusk_code on_authentication(tusk__session *s, tusk__event *ev, uint8_t *next, tusk_error *err)
{
    TUSK_TRY(tusk__authentication_read(ev->body, &ev->authentication, err));
    *next = tusk__session_auth_next((tusk__expect)s->state, ev->authentication.kind);
    if (*next == TUSK__NEXT_ILLEGAL)
        return tusk__error_set(err, TUSK_ERR_PROTOCOL, NULL, "unexpected authentication message of kind %u",
                               (unsigned)ev->authentication.kind);
    return TUSK_OK;
}

static tusk_code on_negotiate(tusk__session *s, tusk__event *ev, tusk_error *err)
{
    s->is_negotiated = true;
    return tusk__negotiate_protocol_version_read(ev->body, &ev->negotiate, err);
}

/* FATAL, or an error in the login: the server closes now, and whatever was expected will not come. */
static tusk_code on_error(tusk__session *s, tusk__event *ev, uint8_t *next, tusk_error *err)
{
    TUSK_TRY(tusk__error_fields_read(ev->body, err));
    ev->is_fatal = *next == TUSK__EXPECT_END || tusk__error_fields_is_fatal(ev->body);
    s->n_cols = -1;
    if (ev->is_fatal) {
        *next = TUSK__EXPECT_END;
        s->ring_n = 0;
    }
    return TUSK_OK;
}

static tusk_code on_ready(tusk__session *s, tusk__event *ev, tusk_error *err)
{
    TUSK_TRY(tusk__ready_for_query_read(ev->body, &ev->tx_status, err));
    s->tx_status = ev->tx_status;
    s->in_login = false;
    s->n_cols = -1;
    return TUSK_OK;
}

static tusk_code on_row_description(tusk__session *s, tusk__event *ev, tusk_error *err)
{
    TUSK_TRY(tusk__row_description_read(ev->body, &ev->row_description, err));
    s->n_cols = (int32_t)ev->row_description.n_cols;
    return TUSK_OK;
}

static inline tusk_code on_empty(const tusk__event *ev, tusk_error *err)
{
    if (ev->body.len > 0)
        return tusk__error_set(err, TUSK_ERR_PROTOCOL, NULL, "%zu bytes where none belong", ev->body.len);
    return TUSK_OK;
}

/* Check the body and fill the event. Which reader it is, the event says; a reader changes *next only where it alone knows. */
static tusk_code read_body(tusk__session *s, tusk__event *ev, uint8_t *next, tusk_error *err)
{
    switch (ev->kind) {
    case TUSK__EV_ROW:
        return tusk__data_row_check(ev->body, (size_t)s->n_cols, err);
    case TUSK__EV_COMMAND_COMPLETE:
        s->n_cols = -1;
        return tusk__command_complete_read(ev->body, &ev->tag, err);
    case TUSK__EV_READY:
        return on_ready(s, ev, err);
    case TUSK__EV_NO_DATA:
    case TUSK__EV_EMPTY_QUERY:
        s->n_cols = -1;
        return on_empty(ev, err);
    case TUSK__EV_PARSE_COMPLETE:
    case TUSK__EV_BIND_COMPLETE:
    case TUSK__EV_CLOSE_COMPLETE:
    case TUSK__EV_PORTAL_SUSPENDED:
    case TUSK__EV_COPY_DONE:
        return on_empty(ev, err);
    case TUSK__EV_COPY_DATA:
        return TUSK_OK;
    case TUSK__EV_PARAMETER_DESCRIPTION:
        return tusk__parameter_description_read(ev->body, &ev->parameter_description, err);
    case TUSK__EV_ROW_DESCRIPTION:
        return on_row_description(s, ev, err);
    case TUSK__EV_COPY_IN:
    case TUSK__EV_COPY_OUT:
    case TUSK__EV_COPY_BOTH:
        return tusk__copy_response_read(ev->body, &ev->copy, err);
    case TUSK__EV_ERROR:
        return on_error(s, ev, next, err);
    case TUSK__EV_NOTICE:
        return tusk__error_fields_read(ev->body, err);
    case TUSK__EV_NOTIFICATION:
        return tusk__notification_response_read(ev->body, &ev->notification, err);
    case TUSK__EV_PARAMETER_STATUS:
        return tusk__parameter_status_read(ev->body, &ev->parameter_status, err);
    case TUSK__EV_AUTHENTICATION:
        return on_authentication(s, ev, next, err);
    case TUSK__EV_NEGOTIATE_PROTOCOL_VERSION:
        return on_negotiate(s, ev, err);
    case TUSK__EV_BACKEND_KEY_DATA:
        return tusk__backend_key_data_read(ev->body, &ev->backend_key, err);
    }
    return tusk__error_set(err, TUSK_ERR_PROTOCOL, NULL, "no reader for event %d",
                           (int)ev->kind); /* the table is wrong */
}

/* ---- framing ------------------------------------------------------------------------------------------------------------ */

/* Is the header at hand, if it is, one that may be? TUSK_AGAIN: not whole. TUSK_OK: *body_len is what it announces. */
static tusk_code judge_header(const tusk__session *s, size_t *body_len, tusk_error *err)
{
    const uint8_t *p = s->buf + s->head;

    if (tusk__session_unparsed(s) < TUSK__FRAME_HEADER)
        return TUSK_AGAIN;
    return tusk__frame_check(p, tusk__backend_body_max(p[0], s->in_login), body_len, err);
}

size_t tusk__session_wants_cap(const tusk__session *s, size_t min)
{
    size_t left = is_over(s) ? 0 : tusk__session_unparsed(s);
    size_t body_len = 0, want = left < TUSK__FRAME_HEADER ? TUSK__FRAME_HEADER : left;

    if (left > 0 && is_welcome(s, s->buf[s->head]) && judge_header(s, &body_len, NULL) == TUSK_OK &&
        TUSK__FRAME_HEADER + body_len > left) {
        size_t whole = TUSK__FRAME_HEADER + body_len;

        want = whole - left > left ? 2 * left : whole;
    }
    return want > min ? want : min;
}

/* No rule for this type in this state. */
static APART tusk_code refuse(tusk__session *s, uint8_t type, tusk_error *err)
{
    if (s->state == TUSK__EXPECT_BROKEN)
        return say_broken(s, err);
    if (s->state != TUSK__EXPECT_END)
        return broken(s, type, err);
    s->head = s->tail; /* the server has said goodbye: what it adds is nobody's */
    return TUSK_AGAIN;
}

/* Not a short message that is here whole. TUSK_OK: a long one, and it is here. */
static APART tusk_code wait_or_refuse(tusk__session *s, size_t *body_len, tusk_error *err)
{
    uint8_t type;
    tusk_code code;

    if (s->head == s->tail)
        return s->state == TUSK__EXPECT_BROKEN ? say_broken(s, err) : TUSK_AGAIN;
    type = s->buf[s->head];
    if (!is_welcome(s, type))
        return refuse(s, type, err);
    code = judge_header(s, body_len, err);
    if (code == TUSK_ERR_PROTOCOL)
        return malformed(s, type, err);
    if (code == TUSK_OK && *body_len > tusk__session_unparsed(s) - TUSK__FRAME_HEADER)
        return TUSK_AGAIN;
    return code;
}

/* Any message but a row whose columns are known. */
static APART tusk_code read_other(tusk__session *s, tusk__event *ev, uint8_t type, uint8_t *next, tusk_error *err)
{
    if (!is_legal(s, (uint8_t)ev->kind))
        return refuse(s, type, err);
    if (read_body(s, ev, next, err) != TUSK_OK)
        return malformed(s, type, err);
    return TUSK_OK;
}

/* The way of every message, laid out for rows: what is short and here whole passes no other judgement of its length, and a
 * row that fits its state no other switch. */
tusk_code tusk__session_next(tusk__session *s, tusk__event *ev, tusk_error *err)
{
    size_t left = tusk__session_unparsed(s), body_len = SIZE_MAX;
    const uint8_t *p;
    tusk__session_row row;

    if (left >= TUSK__FRAME_HEADER)
        body_len = (size_t)tusk__be32(s->buf + s->head + 1) - 4; /* below 4 it becomes huge, and is judged as such */
    if (body_len > SHORT_BODY || body_len > left - TUSK__FRAME_HEADER) {
        size_t long_body = 0;

        TUSK_TRY(wait_or_refuse(s, &long_body, err));
        body_len = long_body;
    }
    p = s->buf + s->head;
    row = tusk__session_row_of((tusk__expect)s->state, p[0]);
    ev->kind = (tusk__event_kind)row.event;
    ev->expect = (tusk__expect)s->state;
    ev->body = tusk_str_from(p + TUSK__FRAME_HEADER, body_len);
    if (row.event != TUSK__EV_ROW || s->n_cols < 0) {
        TUSK_TRY(read_other(s, ev, p[0], &row.next, err));
    } else if (tusk__data_row_check(ev->body, (size_t)s->n_cols, err) != TUSK_OK) {
        return malformed(s, p[0], err);
    }
    s->head += TUSK__FRAME_HEADER + body_len;
    advance(s, row.next);
    return TUSK_OK;
}

/* The length of the DataRow at p with its header, if one is here whole and fills its columns; else 0. */
static inline size_t whole_row_at(const uint8_t *p, size_t left, size_t n_cols)
{
    size_t len;

    if (left < TUSK__FRAME_HEADER + 2 || p[0] != TUSK__B_DATA_ROW)
        return 0;
    len = tusk__be32(p + 1); /* of itself, the count of fields, the fields */
    if (len < 6 || len > left - 1 || len - 4 > TUSK__MESSAGE_MAX || tusk__be16(p + TUSK__FRAME_HEADER) != n_cols)
        return 0;
    return tusk__fields_fill(p + TUSK__FRAME_HEADER + 2, len - 6, n_cols) ? len + 1 : 0;
}

size_t tusk__session_more_rows(tusk__session *s, tusk_str *rows)
{
    tusk__session_row rule = tusk__session_row_of((tusk__expect)s->state, TUSK__B_DATA_ROW);
    const uint8_t *begin = s->buf + s->head, *p = begin, *end = s->buf + s->tail;
    size_t n = 0, len;

    if (rule.event == TUSK__EV_ROW && rule.next == TUSK__NEXT_SAME && s->n_cols >= 0)
        for (; (len = whole_row_at(p, (size_t)(end - p), (size_t)s->n_cols)) > 0; p += len)
            n++;
    *rows = tusk_str_from(begin, (size_t)(p - begin));
    s->head += rows->len;
    return n;
}
