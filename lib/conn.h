/* Connections as lib/ sees them: one struct, worked on by connect.c (until the login is done), queue.c, encode.c and request.c (what
 * is asked), send.c and receive.c (the wire), flow.c (how much may wait), transaction.c and unit.c (whose Sync is whose), answer.c (what a
 * message means for the query at the head), deadline.c (time-outs and the cancel rule), conn.c (life).
 * Read first: DESIGN "The rules of the pipeline", docs/internals/conn.md. */
#ifndef TUSK_LIB_CONN_H
#define TUSK_LIB_CONN_H

#include "lib/attempts.h"
#include "lib/cache.h"
#include "lib/login.h"
#include "lib/params.h"
#include "lib/password.h"
#include "lib/progress.h"
#include "lib/query.h"
#include "lib/reading.h"
#include "lib/stmt.h"
#include "lib/target.h"

typedef enum tusk__phase {
    TUSK__PHASE_DIALING = 0,
    TUSK__PHASE_LOGIN,
    TUSK__PHASE_READY,     /* requests flow */
    TUSK__PHASE_CANCELING, /* a CancelRequest is on its way: nothing new is sent (the cancel rule) */
    TUSK__PHASE_FENCE,     /* its connection has hung up and all is answered: one empty query, whose 57014 is swallowed */
    TUSK__PHASE_CLOSING,   /* Terminate was sent: drain until EOF */
    TUSK__PHASE_CLOSED
} tusk__phase;

struct tusk_conn {
    tusk_loop *loop;
    const tusk_allocator *allocator;
    tusk__child child;
    tusk__phase phase;
    uint32_t pins; /* the handle, queries, and frames on the stack that still use the struct */
    bool is_released; /* the caller's handle is gone */
    bool is_closing;  /* the caller asked for the end: it is no error */

    /* reaching the server */
    tusk__settings *settings; /* NULL: the configuration is wrong, see error, or not read yet */
    tusk__reading *reading;   /* while files are read for it; what settings says meanwhile is not all */
    tusk__attempts *attempts; /* until it is ready */
    tusk__route route;        /* where it went, once something was reached; a cancel goes the same way */
    tusk__login *login;
    tusk__exchange *exchange; /* of a login that wants to be repeated, between the two */
    tusk__task login_task; /* the next slice of key derivation, or what a mechanism has found out */
    tusk__question *password; /* while the login waits for it */
    bool login_is_busy;              /* it computes, or waits for a password or a mechanism */
    bool login_was_refused;          /* by the server, before it said AuthenticationOk */
    bool wipes_out;                  /* the out buffer holds a secret, or may */
    bool is_asked;                   /* the login is done: is it a server as target_session_attrs wants? */
    tusk__fits fits;                 /* … its answer */
    tusk__timer timer;     /* tusk_config.connect_timeout; later grace times: see deadline.c */

    /* the wire */
    tusk__transport *transport;
    tusk__io io;
    tusk__session session;
    tusk__chunk *chunk; /* lent to the session */
    tusk__writer out;   /* lent memory: empty when idle */
    size_t out_sent;    /* of out.len */
    uint64_t stream;    /* bytes taken by the transport since the beginning */
    tusk__task flush_task, receive_task;
    tusk_allocator lent; /* the loop's chunks as an allocator, for `out` */
    tusk__progress progress;
    bool is_receiving;   /* a function of receive.c is on the stack */
    bool peer_has_ended; /* or the stream is broken: nothing more would be reported, so it is read to its end */

    /* requests: one queue in order of submission. Sent ones, then encoded ones, then held ones; refused ones anywhere */
    tusk_query *first, *last;
    tusk_query *wire_last; /* the last that is sent or encoded, NULL if none: a barrier lets nothing follow it */
    tusk_query *to_send;   /* the first that is encoded, NULL if none */
    tusk_query *held;      /* the first that is held back, NULL if none */
    tusk_query *status_last; /* the last on the wire that may change the transaction status, NULL if none */
    size_t n_reserved;     /* expectations of the encoded ones */
    tusk_query *login_waiters, *close_waiters; /* tusk_conn_ready(), tusk_close() */
    tusk_stmt *stmts;      /* all that are not freed */
    tusk__task advance_task, close_task;

    /* how much may wait: flow.c */
    size_t n_queued, max_queued_requests; /* in the queue, whatever their stage */
    uint64_t held_bytes, max_queued_bytes; /* the copies of held ones; with what is in the out buffer they are the bytes that wait */
    tusk_query *ending, *ending_last; /* in no queue: not taken, or taken back; the last only while there is a first */
    tusk_query *drain_waiters; /* tusk_conn_drained() */
    tusk__task flow_task;

    /* transactions that tusk_begin() began: see lib/transaction.h */
    struct tusk__level *level;       /* the innermost that is not ended, as submitted; NULL if none */
    struct tusk__level *opening;     /* counted; its BEGIN is on the wire, and no ReadyForQuery came behind it yet; NULL */
    struct tusk__level *free_levels;
    uint64_t savepoint_number;       /* names are never reused */

    /* cancel rule */
    tusk__cancel *cancel;
    bool cancel_is_over; /* its connection has hung up */
    bool cancel_has_hit; /* a ReadyForQuery came since it was started: it cannot be meant for what runs now */
    bool is_expired;     /* the head is past its deadline: no new work */

    /* what the server told */
    tusk__params params;
    uint32_t protocol, backend_pid;
    uint16_t cancel_key_len;
    bool is_bound;                 /* to the TLS channel, by SCRAM-SHA-256-PLUS */
    tusk__auth_method auth_method; /* by which it let us in */
    uint8_t *cancel_key;
    uint64_t stmt_number; /* of the next name, which are never reused; 0: not chosen yet */

    bool is_pooled;      /* the next request may meet another session: nothing is kept prepared (lib/pooler.h) */
    bool pooler_is_told; /* the log has been: that there seems to be one in between */
    tusk__cache *cache; /* NULL until a statement is kept */
    struct tusk__catalog *catalog; /* the endpoint's; NULL until a type of the database's own is met: lib/catalog.h */
    tusk_conn *catalog_next, *catalog_prev; /* others that have a part in it */
    struct tusk__codec_slot *codecs; /* of the program's own, the newest first; NULL: none, lib/codecs.h */
    struct tusk__lookup *lookup;   /* NULL unless one is to be made, or under way: lib/lookup.h */
    uint64_t scope;     /* of what is known at this endpoint: lib/formats.c; 0: not worked out yet */

    tusk_closed_fn on_closed; /* not the settings': a configuration that is refused is told, too */
    void *closed_user;
    const tusk_error *error; /* why it is gone, or could not be made; NULL while it is fine */
    char *attempts_text; /* what became of each attempt, when none did; NULL */
    uint8_t *fields; /* of the ErrorResponse behind it, or of a farewell */
    size_t fields_len;
    bool has_farewell; /* the server has said why it will hang up; until the next ReadyForQuery */
};

/* conn.c */
static inline void tusk__conn_pin(tusk_conn *conn)
{
    conn->pins++;
}
void tusk__conn_unpin(tusk_conn *conn);
/* The connection is over: all requests complete in order. err holds the reason; its fate is set per query. */
TUSK_COLD
void tusk__conn_fail(tusk_conn *conn, const tusk_error *err);
/* It is over, or will not begin, for this reason, which is copied. */
TUSK_COLD
void tusk__conn_keep_error(tusk_conn *conn, const tusk_error *err);
bool tusk__conn_keep_fields(tusk_conn *conn, tusk_str fields);
/* Complete all of a list of waiters. */
void tusk__conn_wake(tusk_query **waiters, const tusk_error *err);
/* A new query that waits in that list, behind those that do already. NULL: out of memory. */
tusk_query *tusk__conn_wait_in(tusk_conn *conn, tusk_query **list);
/* Take q off the list in which it waits for the connection or a statement. False: it is on none any more. */
bool tusk__conn_stop_waiting(tusk_conn *conn, tusk_query *q);
/* The error of what is asked of a connection that is closing or closed; none while it is neither. */
void tusk__conn_say_closed(const tusk_conn *conn, tusk_query *q);
/* Give up socket, chunk, buffers and whatever was going on. */
void tusk__conn_disconnect(tusk_conn *conn);
void tusk__conn_drop_chunk(tusk_conn *conn);

/* Add host, port, database and user to an error that says nothing yet of where. */
TUSK_COLD
void tusk__conn_where(const tusk_conn *conn, tusk_error *err);
/* The host it went to, or the first of the list while it went nowhere; only with settings. */
const tusk__host *tusk__conn_host(const tusk_conn *conn);

/* connect.c */
TUSK_MUST_CHECK
tusk_code tusk__connect_configure(tusk_conn *conn, const tusk_config *config, tusk_error *err);
void tusk__connect_start(tusk_conn *conn);
void tusk__connect_stop_reading(tusk_conn *conn);
void tusk__connect_event(tusk_conn *conn, const tusk__event *ev);
void tusk__connect_failed(tusk_conn *conn, const tusk_error *err); /* this attempt; the next one, or the end */

/* queue.c */
void tusk__queue_push(tusk_conn *conn, tusk_query *q);
void tusk__queue_unlink(tusk_conn *conn, tusk_query *q);
/* Behind all that is on the wire, in front of all that is held back: as one of these. */
void tusk__queue_push_held(tusk_conn *conn, tusk_query *q);
tusk_query *tusk__queue_pop(tusk_conn *conn);
/* It is not on the wire any more, but stays in its place. */
void tusk__queue_refuse(tusk_conn *conn, tusk_query *q);
/* The first of that stage, from q on; NULL if there is none. */
tusk_query *tusk__queue_next(tusk_query *q, tusk__query_stage stage);
/* The one whose answer comes next; NULL if nothing is awaited. Inline: asked at each message. */
static inline tusk_query *tusk__queue_first_sent(const tusk_conn *conn)
{
    tusk_query *q = conn->first;

    while (q && q->stage == TUSK__STAGE_REFUSED)
        q = q->next;
    return q && q->stage == TUSK__STAGE_SENT ? q : NULL;
}

/* flow.c: how much may wait. Inline: asked at each request, each answer, each send. */
static inline uint64_t tusk__flow_bytes(const tusk_conn *conn)
{
    return conn->out.len - conn->out_sent + conn->held_bytes;
}
static inline bool tusk__flow_is_full(const tusk_conn *conn)
{
    return conn->n_queued >= conn->max_queued_requests || tusk__flow_bytes(conn) >= conn->max_queued_bytes;
}
/* What becomes of q, which is in no queue, is decided: it ends in the next turn, or with the connection if that comes first. */
void tusk__flow_end_soon(tusk_conn *conn, tusk_query *q);
/* It is full. True: q was refused, and ends in the next turn. False: it is queued all the same, perhaps only to tell its error. */
bool tusk__flow_refuse(tusk_conn *conn, tusk_query *q, tusk_str sql);
/* The connection is over: all of its are told. */
void tusk__flow_end(tusk_conn *conn, const tusk_error *err);
/* Something has left: is there anybody to be told? */
void tusk__flow_review(tusk_conn *conn);
static inline void tusk__flow_left(tusk_conn *conn)
{
    if (conn->drain_waiters)
        tusk__flow_review(conn);
}

/* encode.c: what is asked, as messages in the out buffer */
typedef struct tusk__request {
    tusk_str sql;
    tusk_params params;
} tusk__request;
/* On failure the query has its error, or is to have one for the code; what was written must be cut off again. */
TUSK_MUST_CHECK
tusk_code tusk__encode(tusk_conn *conn, tusk_query *q, tusk__request *r);
/* One statement of several that share a request. */
typedef struct tusk__part {
    tusk_stmt *stmt; /* a handle, or one of the cache's; NULL: neither */
    bool is_named;   /* it goes by stmt's name */
    bool is_ready;   /* … as what is prepared and described */
    bool is_parsed;  /* … or by that, or by one in front of it in the same unit */
    const tusk__desc *desc; /* the columns that its Bind chooses formats for; NULL: all alike */
} tusk__part;
/* Parse and Describe, unless it is parsed, Bind, Execute: without a Sync. */
TUSK_MUST_CHECK
tusk_code tusk__part_write(tusk_conn *conn, tusk_query *q, tusk__request *r, const tusk__part *part);
/* What fell out of the cache is closed, in front of what is written next for q. */
void tusk__close_dropped(tusk_conn *conn, tusk_query *q);
/* Behind what is there already: the frame, with these values in it; types has as many. */
TUSK_MUST_CHECK
tusk_code tusk__frame_write(tusk__writer *b, tusk_query *q, const tusk__frame *frame, const uint32_t *types,
                            tusk_params params);
/* The description that the rows of a run of q->stmt will have. */
TUSK_MUST_CHECK
tusk_code tusk__run_desc(tusk_query *q);
/* Of each text that goes into the out buffer, when it does: the buffer is wiped when all of it has been sent, and then forgets. */
void tusk__mind_secret(tusk_conn *conn, tusk_str sql);
/* Is it text that may be sent? Else the query has its error. */
tusk_code tusk__check_sql(tusk_conn *conn, tusk_query *q, tusk_str sql);
/* Too many parameters, too many bytes: told before anything is copied, as parameters may be views of gigabytes. Objects of the program's become
 * bytes here, which are q->held's, and r's parameters then are those. */
TUSK_MUST_CHECK
tusk_code tusk__check_size(tusk_query *q, tusk__request *r);
/* The error of a statement that got another number of parameters than it takes. */
TUSK_COLD
tusk_code tusk__refuse_count(tusk_query *q, size_t wanted, size_t given);
/* Do the parameters fit the prepared statement's in number? */
TUSK_MUST_CHECK
tusk_code tusk__check_params(tusk_query *q, const tusk__request *r);
/* Bind, to the unnamed portal but for a cursor's. types: what the statement wants, NULL: what the values say. desc: the columns, NULL if they are not
 * known. */
TUSK_MUST_CHECK
tusk_code tusk__write_bind(tusk_conn *conn, tusk_query *q, tusk_str name, tusk_params params, const uint32_t *types,
                           const tusk__desc *desc);
/* Its answers are expected from now on: so many. */
void tusk__expect_answers(tusk__session *session, tusk_query *q);
size_t tusk__n_expects(const tusk_query *q);

/* request.c: encode now or hold */
void tusk__request_submit(tusk_conn *conn, tusk_query *q, tusk_str sql, tusk_params params);
/* Encode what is held and may now go. */
void tusk__request_release(tusk_conn *conn);
/* Send the head once more: what it becomes then, cache and formats say. Whether it may be is repeat.c's business. */
void tusk__request_repeat(tusk_conn *conn, tusk_query *q);
/* Send an empty query of our own before anything that is held back. False: out of memory. */
bool tusk__request_fence(tusk_conn *conn);
/* Take a query that is encoded, held or refused out of the queue before a byte of it was sent. False: too late. */
bool tusk__request_retract(tusk_conn *conn, tusk_query *q);
/* The same, but it stays in the queue, refused: the caller gives it its error. Only of one that is encoded or held. */
void tusk__request_refuse(tusk_conn *conn, tusk_query *q);
/* Nothing of it was written, and nothing will be: it ends in its place. */
void tusk__request_end_unwritten(tusk_conn *conn, tusk_query *q);
/* Take out of the buffer what no byte was sent of: the connection is closing. */
void tusk__request_unsend(tusk_conn *conn);
/* End the refused ones in front of the one whose answer has come. */
void tusk__request_advance(tusk_conn *conn);
/* All that is encoded is about to be sent: expect the answers. */
void tusk__request_sent(tusk_conn *conn);

/* send.c */
void tusk__send_soon(tusk_conn *conn);
void tusk__send_now(tusk_conn *conn);
void tusk__send_watch(tusk_conn *conn); /* watch again what is wanted of the socket now */
bool tusk__send_started(const tusk_conn *conn, const tusk_query *q); /* has a byte of it left us? */

/* receive.c */
void tusk__receive_ready(tusk__io *io, unsigned events);
void tusk__receive_all(tusk_conn *conn);
void tusk__receive_soon(tusk_conn *conn);
/* Inline, as the next one: asked at each message. Only if nothing was sent behind it: a neighbour does not wait for rows that are not his;
 * behind a batch not even one that is held back. */
static inline bool tusk__stream_is_full(const tusk_conn *conn, const tusk_query *head)
{
    return head->streaming && (head->streaming == TUSK__STREAMS_BATCH ? conn->last : conn->wire_last) == head &&
           head->filling->kept_bytes > TUSK__STREAM_HIGH;
}
/* Is the socket left alone, because the head's rows are paused or its stream is full? Asked of the head, so that nobody behind
 * it can hold it, or let it go. Who may have changed that calls review: the next turn of this connection watches or leaves the
 * socket. */
static inline bool tusk__receive_is_held(const tusk_conn *conn)
{
    const tusk_query *head = tusk__queue_first_sent(conn);

    return head && ((head->paused & TUSK__PAUSED_ROWS) || tusk__stream_is_full(conn, head));
}
void tusk__receive_review(tusk_conn *conn);
void tusk__receive_last_words(tusk_conn *conn, tusk_error *err);

/* progress.c */
void tusk__progress_start(tusk_conn *conn);
void tusk__progress_stop(tusk_conn *conn); /* nobody waits for the server: the caller holds it up himself */
/* Something is awaited from now on. */
static inline void tusk__progress_expect(tusk_conn *conn)
{
    if (!tusk__timer_is_active(&conn->progress.tick))
        tusk__progress_start(conn);
}

/* repeat.c */
/* The head is answered with an error that is about what we have prepared or assumed, and not about what the caller asked: learn from
 * it, and send it once more if that is allowed. False: the error is the caller's, with advice. */
bool tusk__repeat(tusk_conn *conn, tusk_query *q);

/* answer.c */
void tusk__answer_event(tusk_conn *conn, const tusk__event *ev);
/* What the answer of a stack or a load has in common with others'. */
void tusk__answer_columns(tusk_conn *conn, tusk_query *q, const tusk__event *ev);
void tusk__answer_row(tusk_conn *conn, tusk_query *q, const tusk__event *ev);
void tusk__answer_ready(tusk_conn *conn, tusk_query *q, const tusk__event *ev);
void tusk__answer_copy_unasked(tusk_conn *conn);
void tusk__answer_tag(tusk_conn *conn, tusk_str tag);
void tusk__answer_notice(tusk_conn *conn, const tusk__event *ev);
/* The server has hung up: if it said why, that is the error. */
void tusk__answer_farewell(const tusk_conn *conn, tusk_error *err);
void tusk__answer_parameter(tusk_conn *conn, const tusk__event *ev);

/* deadline.c */
void tusk__deadline_start(tusk_query *q, double timeout);
/* The configuration is read: those that were submitted before have its command_timeout from now on. */
void tusk__deadline_start_held(tusk_conn *conn);
void tusk__deadline_next_head(tusk_conn *conn);    /* the head was popped */
void tusk__deadline_after_answer(tusk_conn *conn); /* … and a ReadyForQuery has come */
void tusk__cancel_rule_ready(tusk_conn *conn);     /* a ReadyForQuery came while CANCELING or FENCE */
void tusk__cancel_rule_stop(tusk_conn *conn);

#endif
