/* The frontend's half of the conversation as a pull machine: bytes in, events out, each message legal for the state in which
 * it meets us, or the connection is over (08P01). The state of a pipelined connection is that of the reply expected next:
 * a queue of expectations, one byte each.
 * It does no I/O, decides nothing about login or queries, and owns no receive memory.
 * Read first: CRAFT 7 and 8, docs/states.md (printed from the table in session.c). */
#ifndef TUSK_PROTO_SESSION_H
#define TUSK_PROTO_SESSION_H

#include "proto/message.h"

/* What the peer owes us next. Each frontend message that is answered pushes one; a connection in the middle of its login has
 * exactly one of the login states, moved by the table or by tusk__session_enter(). */
typedef enum tusk__expect {
    TUSK__EXPECT_NOTHING = 0, /* idle: only asynchronous messages */
    /* login: never in the ring */
    TUSK__EXPECT_OUR_TURN, /* nothing was sent yet, or the peer asked and tusk__session_enter() has not said what we
                                     answered: only an error or a notice may come */
    TUSK__EXPECT_AUTHENTICATION,   /* StartupMessage was sent */
    TUSK__EXPECT_PASSWORD_VERDICT, /* a password was sent, or GSS is at its end: AuthenticationOk or an error */
    TUSK__EXPECT_SASL_CONTINUE,    /* SASLInitialResponse was sent */
    TUSK__EXPECT_SASL_FINAL,       /* SASLResponse was sent: AuthenticationOk alone would be a lie */
    TUSK__EXPECT_SASL_OK,          /* server-final was verified by the caller (tusk__session_enter) */
    TUSK__EXPECT_SASL_VERDICT,     /* a SASL message was sent, and the mechanism has no server-final: AuthenticationOk, or more */
    TUSK__EXPECT_GSS_CONTINUE,     /* GSSResponse was sent, and the server has not proved itself yet */
    TUSK__EXPECT_SETTINGS,         /* AuthenticationOk came: BackendKeyData, ParameterStatus, ReadyForQuery */
    /* extended protocol */
    TUSK__EXPECT_PARSE,
    TUSK__EXPECT_BIND,
    TUSK__EXPECT_DESCRIBE_STATEMENT, /* ParameterDescription, then RowDescription or NoData */
    TUSK__EXPECT_DESCRIBE_PORTAL,    /* RowDescription or NoData */
    TUSK__EXPECT_EXECUTE,
    TUSK__EXPECT_CLOSE,
    TUSK__EXPECT_SYNC,
    /* simple protocol */
    TUSK__EXPECT_QUERY,
    /* entered by the table only */
    TUSK__EXPECT_COPY_IN, /* behind CopyInResponse, until the server's verdict */
    TUSK__EXPECT_COPY_OUT,
    TUSK__EXPECT_COPY_BOTH,
    TUSK__EXPECT_COPY_END,        /* behind the server's CopyDone */
    TUSK__EXPECT_SKIP,            /* behind an error: all is dropped until the Sync's ReadyForQuery */
    TUSK__EXPECT_SKIP_NO_SYNC,    /* the same, but that Sync is not expected yet: a ReadyForQuery would be surplus */
    TUSK__EXPECT_QUERY_ERROR,     /* simple protocol behind an error: ReadyForQuery only */
    TUSK__EXPECT_QUERY_ROWS,      /* simple protocol behind RowDescription */
    TUSK__EXPECT_QUERY_MORE,      /* simple protocol behind a complete result: another, or ReadyForQuery */
    TUSK__EXPECT_ROW_DESCRIPTION, /* behind ParameterDescription */
    TUSK__EXPECT_EXECUTE_ROWS,    /* EXECUTE behind its first DataRow */
    TUSK__EXPECT_END,             /* behind a FATAL error: EOF, anything else is ignored (D12) */
    TUSK__EXPECT_BROKEN,          /* the peer broke the protocol: nothing is read any more */
    TUSK__N_EXPECT
} tusk__expect;

typedef enum tusk__event_kind {
    TUSK__EV_AUTHENTICATION = 1,
    TUSK__EV_NEGOTIATE_PROTOCOL_VERSION,
    TUSK__EV_BACKEND_KEY_DATA,
    TUSK__EV_PARAMETER_STATUS,
    TUSK__EV_READY, /* one per Sync or Query, never fewer, never more (D33) */
    TUSK__EV_PARSE_COMPLETE,
    TUSK__EV_BIND_COMPLETE,
    TUSK__EV_CLOSE_COMPLETE,
    TUSK__EV_PARAMETER_DESCRIPTION,
    TUSK__EV_ROW_DESCRIPTION,
    TUSK__EV_NO_DATA,
    TUSK__EV_ROW,
    TUSK__EV_COMMAND_COMPLETE,
    TUSK__EV_EMPTY_QUERY,
    TUSK__EV_PORTAL_SUSPENDED,
    TUSK__EV_COPY_IN,
    TUSK__EV_COPY_OUT,
    TUSK__EV_COPY_BOTH,
    TUSK__EV_COPY_DATA,
    TUSK__EV_COPY_DONE,
    TUSK__EV_ERROR,
    TUSK__EV_NOTICE,
    TUSK__EV_NOTIFICATION,
} tusk__event_kind;

/* One message, checked. All views point into the lent buffer and die when it is given back or refilled from its start. */
typedef struct tusk__event {
    tusk__event_kind kind;
    tusk__expect expect; /* what it answered: the expectation before this message */
    tusk_str body;       /* of the message: the DataRow's fields, CopyData's bytes, the fields of an error or notice */
    union {
        tusk__authentication authentication;
        tusk__negotiate negotiate;
        tusk__backend_key backend_key;
        tusk__parameter_status parameter_status;
        uint8_t tx_status; /* READY */
        tusk__parameter_description parameter_description;
        tusk__row_description row_description;
        tusk_str tag; /* COMMAND_COMPLETE */
        tusk__copy_response copy;
        tusk__notification notification;
        bool is_fatal; /* ERROR */
    };
} tusk__event;

typedef struct tusk__session {
    const tusk_allocator *allocator;
    /* the lent buffer: [0, head) parsed, [head, tail) received, [tail, cap) free */
    uint8_t *buf;
    size_t cap, head, tail;
    /* expectations: a ring, n of them from `first`; cap is a power of two */
    uint8_t *ring;
    uint32_t ring_cap, ring_first, ring_n;
    uint8_t state;      /* tusk__expect: what the head has become; NOTHING if the ring is empty, OUR_TURN at first */
    uint8_t tx_status;  /* of the last ReadyForQuery: 'I', 'T', 'E'; 0 before the first */
    bool in_login;      /* until the first ReadyForQuery: pre-login bounds hold */
    bool is_negotiated; /* NegotiateProtocolVersion came: it comes once */
    uint8_t broken_state, broken_type; /* BROKEN: where it happened, for every later call */
    int32_t n_cols;                    /* of the next DataRow; -1: a DataRow would be a broken promise */
} tusk__session;

void tusk__session_init(tusk__session *s, const tusk_allocator *allocator);
void tusk__session_clear(tusk__session *s); /* the lent buffer is the caller's to free */

/* ---- bytes in ----
 * lend: from now on bytes go to buf[0, cap). What was received but not parsed is moved to its start (once per message, if
 * cap is what tusk__session_wants_cap() said). NULL, 0 takes the buffer away: only when nothing unparsed is left. */
void tusk__session_lend(tusk__session *s, uint8_t *buf, size_t cap);
static inline size_t tusk__session_unparsed(const tusk__session *s)
{
    return s->tail - s->head;
}
/* Where to receive to; *len 0: lend a buffer of at least tusk__session_wants_cap() first. */
static inline uint8_t *tusk__session_recv_buf(const tusk__session *s, size_t *len)
{
    *len = s->cap - s->tail;
    return *len > 0 ? s->buf + s->tail : NULL;
}
static inline void tusk__session_recv_ack(tusk__session *s, size_t n)
{
    assert(n <= s->cap - s->tail);
    s->tail += n;
}

/* The capacity that the next lent buffer should have, so that the message at hand fits: at least `min`; never more than twice
 * what has been received of it (bytes announced do not count, D4). Asked when next() wants more bytes, with nothing changed since. */
size_t tusk__session_wants_cap(const tusk__session *s, size_t min);

/* The next event. TUSK_OK: *ev holds it · TUSK_AGAIN: more bytes are needed · TUSK_ERR_PROTOCOL: the connection is over,
 * *err names state and message; every later call fails likewise · TUSK_ERR_NOMEM never.
 * Headers are judged before their bodies arrive: an illegal type or length fails at once. */
tusk_code tusk__session_next(tusk__session *s, tusk__event *ev, tusk_error *err);

/* Does what comes next look like a DataRow? */
static inline bool tusk__session_is_at_row(const tusk__session *s)
{
    return s->head < s->tail && s->buf[s->head] == TUSK__B_DATA_ROW;
}

/* For whoever keeps rows without looking at them, behind a ROW event: all DataRows that follow it, are here whole and are
 * right. Returns how many; *rows covers them, headers included. Whatever stops it, tusk__session_next() judges. */
size_t tusk__session_more_rows(tusk__session *s, tusk_str *rows);

/* ---- what is expected ----
 * reserve: make sure that n more expectations fit, so that `expect` cannot fail. */
TUSK_MUST_CHECK
tusk_code tusk__session_reserve(tusk__session *s, size_t n);
/* In the order of sending. Behind a FATAL error or a broken promise nothing is
 * expected any more; behind an error without a Sync, what comes before the Sync is dropped, as the server drops it. */
void tusk__session_expect(tusk__session *s, const uint8_t *expects, size_t n);

/* Set how many columns the next rows have, when no description comes before them: behind the BIND_COMPLETE event, or when an
 * Execute that continues a portal is sent with nothing in front. -1: no rows may come.
 * A description sets it too; CommandComplete, EmptyQueryResponse, NoData, an error and ReadyForQuery set -1. */
void tusk__session_expect_columns(tusk__session *s, int32_t n_cols);

/* Move the login: the caller sent a message, or verified one. Only from and to login states; ignored when the connection is
 * over already (EXPECT_END, EXPECT_BROKEN). */
void tusk__session_enter(tusk__session *s, tusk__expect state);

/* Extended COPY: the Sync that was held back is now sent; expects it behind the present head (see DESIGN, Barriers). It is
 * tusk__session_expect() with TUSK__EXPECT_SYNC; the name says why. */

/* Nothing expected and nothing unparsed? */
static inline bool tusk__session_is_idle(const tusk__session *s)
{
    return s->ring_n == 0 && s->state == TUSK__EXPECT_NOTHING && s->head == s->tail;
}

const char *tusk__expect_name(tusk__expect state);    /* "EXPECT_BIND"; static */
const char *tusk__backend_message_name(uint8_t type); /* "BindComplete"; NULL if there is no such message */
const char *tusk__frontend_message_name(uint8_t type);

/* For docs/states.md and the tests: is this message legal in this state, what does it yield and where does it lead? */
typedef struct tusk__rule {
    bool is_legal;
    tusk__event_kind event;
    const char *next; /* "same", a state's name, or a few words ("next expectation"); static */
} tusk__rule;
tusk__rule tusk__session_rule(tusk__expect state, uint8_t type);
/* The same for the kinds of Authentication, where the type alone does not decide. */
tusk__rule tusk__session_auth_rule(tusk__expect state, uint32_t kind);

#endif
