/* Receiving: a ready socket is drained into a lent chunk, and each message is handed on as soon as it is whole.
 * It does not know what a message means for a query.
 * Read first: proto/session.h, DESIGN principle 6, docs/internals/conn.md. */
#include "lib/conn.h"
#include "proto/error_set.h"

/* What one connection may read in one turn before the others have theirs. */
#define TURN_BYTES (1024 * 1024)

/* ---- the lent chunk ---- */

/* Make room to receive: the session's unparsed bytes move to the front, in this chunk if nobody else uses it, else in a fresh
 * one. */
static tusk_code make_room(tusk_conn *conn, tusk_error *err)
{
    size_t cap = TUSK__CHUNK_SIZE;
    tusk__chunk *chunk = conn->chunk;

    if (tusk__session_unparsed(&conn->session) > 0)
        cap = tusk__session_wants_cap(&conn->session, cap);
    if (!chunk || chunk->refs > 1 || chunk->cap < cap) {
        chunk = tusk__chunk_get(conn->loop, cap);
        if (!chunk)
            return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for an answer of the server");
    } else {
        tusk__chunk_ref(chunk);
    }
    tusk__session_lend(&conn->session, chunk->data, chunk->cap);
    tusk__chunk_unref(conn->chunk);
    conn->chunk = chunk;
    return TUSK_OK;
}

/* Give the chunk back when nothing unparsed is in it; a result that is still growing keeps it for the rows to come. */
static void return_chunk(tusk_conn *conn)
{
    if (!conn->chunk || tusk__session_unparsed(&conn->session) > 0)
        return;
    if (conn->chunk->refs > 1 && conn->first && conn->first->stage == TUSK__STAGE_SENT)
        return;
    tusk__session_lend(&conn->session, NULL, 0);
    tusk__chunk_unref(conn->chunk);
    conn->chunk = NULL;
}

void tusk__receive_review(tusk_conn *conn)
{
    bool is_watched = (conn->io.events & TUSK_READABLE) != 0, is_held = tusk__receive_is_held(conn);

    if (is_watched != is_held)
        return;
    if (is_held)
        tusk__progress_stop(conn);
    else
        tusk__progress_expect(conn);
    tusk__receive_soon(conn);
}

/* ---- events ---- */

static void dispatch(tusk_conn *conn, const tusk__event *ev)
{
    if (conn->phase <= TUSK__PHASE_LOGIN)
        tusk__connect_event(conn, ev);
    else if (conn->phase < TUSK__PHASE_CLOSING)
        tusk__answer_event(conn, ev);
}

/* May the next event be taken now? Not while rows are paused, or while the login computes or waits. */
static bool may_take(const tusk_conn *conn)
{
    return conn->transport && !conn->login_is_busy && !tusk__receive_is_held(conn);
}

/* Asked for no event of what is used up: that answer is known. */
static void events_drain(tusk_conn *conn)
{
    tusk__event ev;
    tusk_error err;

    tusk__error_none(&err);
    while (may_take(conn) && tusk__session_unparsed(&conn->session) > 0) {
        tusk_code code = tusk__session_next(&conn->session, &ev, &err);

        if (code == TUSK_AGAIN)
            return;
        if (code != TUSK_OK) {
            tusk__conn_where(conn, &err);
            tusk__conn_fail(conn, &err);
            return;
        }
        dispatch(conn, &ev);
    }
}

/* ---- the end of the stream ---- */

static void lost(tusk_conn *conn, tusk_code code, tusk_error *err)
{
    if (conn->phase == TUSK__PHASE_CLOSING) {
        tusk__conn_fail(conn, NULL);
        return;
    }
    if (code == TUSK_DONE)
        (void)tusk__error_set(err, TUSK_ERR_LOST, "08006", "the server closed the connection");
    tusk__answer_farewell(conn, err);
    if (conn->phase == TUSK__PHASE_LOGIN) {
        tusk__connect_failed(conn, err);
        return;
    }
    tusk__conn_where(conn, err);
    tusk__conn_fail(conn, err);
}

/* One recv. False: nothing more to do in this turn. */
static bool receive_once(tusk_conn *conn, size_t *got)
{
    tusk_error err;
    size_t room = 0, n = 0;
    uint8_t *buf = conn->chunk ? tusk__session_recv_buf(&conn->session, &room) : NULL;
    tusk_code code;

    tusk__error_none(&err);
    if (room == 0) {
        code = make_room(conn, &err);
        if (code != TUSK_OK) {
            tusk__conn_fail(conn, &err);
            return false;
        }
        buf = tusk__session_recv_buf(&conn->session, &room);
    }
    code = conn->transport->ops->recv(conn->transport, buf, room, &n, &err);
    if (code == TUSK_AGAIN)
        return false;
    if (code != TUSK_OK) {
        lost(conn, code, &err);
        return false;
    }
    conn->progress.heard++;
    tusk__session_recv_ack(&conn->session, n);
    *got += n;
    events_drain(conn);
    return n == room || conn->peer_has_ended || (conn->transport && conn->transport->ops->has_input(conn->transport));
}

static void receive_task(tusk__task *task)
{
    tusk_conn *conn = (tusk_conn *)((char *)task - offsetof(tusk_conn, receive_task));

    tusk__conn_pin(conn);
    tusk__receive_all(conn);
    tusk__conn_unpin(conn);
}

void tusk__receive_all(tusk_conn *conn)
{
    size_t got = 0;
    bool more = true;

    if (conn->is_receiving)
        return;
    conn->is_receiving = true;
    events_drain(conn); /* what was left when reading was held */
    while (more && got < TURN_BYTES && may_take(conn))
        more = receive_once(conn, &got);
    conn->is_receiving = false;
    if (!conn->transport) {
        tusk__conn_drop_chunk(conn);
        return;
    }
    return_chunk(conn);
    tusk__send_watch(conn);
    if (may_take(conn) && (more || conn->transport->ops->has_input(conn->transport)))
        tusk__receive_soon(conn); /* the poller would not report these bytes again */
}

void tusk__receive_soon(tusk_conn *conn)
{
    if (conn->transport)
        tusk__loop_defer(conn->loop, &conn->receive_task, receive_task);
}

void tusk__receive_ready(tusk__io *io, unsigned events)
{
    tusk_conn *conn = (tusk_conn *)((char *)io - offsetof(tusk_conn, io));

    tusk__conn_pin(conn);
    if (events & TUSK__ENDED)
        conn->peer_has_ended = true;
    if (events & TUSK_READABLE)
        tusk__receive_all(conn);
    if ((events & TUSK_WRITABLE) && conn->transport)
        tusk__send_now(conn);
    tusk__conn_unpin(conn);
}

/* The socket refuses to be written to. The server may have said why before it hung up (57P01 …): read that first. */
void tusk__receive_last_words(tusk_conn *conn, tusk_error *err)
{
    tusk_error why = *err;

    if (conn->transport && may_take(conn))
        tusk__receive_all(conn);
    if (conn->transport)
        lost(conn, why.code, &why);
}
