/* Sending: once per connection and turn, from the loop's flush phase or when the socket becomes writable.
 * It does not know what the bytes mean.
 * Read first: loop/loop.h "phases of a turn", docs/internals/conn.md. */
#include "lib/conn.h"
#include "proto/error_set.h"

static tusk_conn *conn_of_flush(tusk__task *task)
{
    return (tusk_conn *)((char *)task - offsetof(tusk_conn, flush_task));
}

static void flush_task(tusk__task *task)
{
    tusk_conn *conn = conn_of_flush(task);

    tusk__conn_pin(conn);
    tusk__send_now(conn);
    tusk__conn_unpin(conn);
}

void tusk__send_soon(tusk_conn *conn)
{
    if (conn->transport)
        tusk__loop_flush_soon(conn->loop, &conn->flush_task, flush_task);
}

bool tusk__send_started(const tusk_conn *conn, const tusk_query *q)
{
    return q->stage == TUSK__STAGE_SENT && conn->stream > q->out_begin;
}

/* Passwords and proofs, or a statement that may hold one. */
static void wipe_out(tusk_conn *conn)
{
    tusk__writer_wipe(&conn->out);
    conn->wipes_out = conn->phase == TUSK__PHASE_LOGIN;
}

/* All is gone: the memory goes back to the loop, an idle connection holds none. */
static void out_drained(tusk_conn *conn)
{
    if (conn->wipes_out)
        wipe_out(conn);
    else
        tusk__writer_clear(&conn->out);
    conn->out_sent = 0;
}

static void watch(tusk_conn *conn, bool writable)
{
    bool is_reading = !tusk__receive_is_held(conn) && !conn->login_is_busy;
    unsigned events = (is_reading ? TUSK_READABLE | TUSK__EDGE : 0u) | (writable ? (unsigned)TUSK_WRITABLE : 0u);
    tusk_error err;

    if (events == conn->io.events)
        return;
    tusk__error_none(&err);
    if (tusk__io_set(&conn->io, events, &err) != TUSK_OK)
        tusk__conn_fail(conn, &err);
}

void tusk__send_now(tusk_conn *conn)
{
    tusk_error err;
    size_t n = 0, len = conn->out.len - conn->out_sent;
    tusk_code code;

    tusk__error_none(&err);
    if (!conn->transport || (len == 0 && !conn->transport->ops->wants_write(conn->transport)))
        return;
    tusk__request_sent(conn);
    code = conn->transport->ops->send(conn->transport, conn->out.buf + conn->out_sent, len, &n, &err);
    if (code != TUSK_OK && code != TUSK_AGAIN) {
        tusk__receive_last_words(conn, &err);
        return;
    }
    conn->out_sent += n;
    conn->stream += n;
    tusk__flow_left(conn);
    tusk__progress_expect(conn);
    if (conn->out_sent == conn->out.len)
        out_drained(conn);
    if (code == TUSK_OK && n > 0 && conn->out_sent < conn->out.len &&
        !conn->transport->ops->wants_write(conn->transport))
        tusk__send_soon(conn); /* a portion was taken whole: the next one in the next turn, other connections first */
    else
        tusk__send_watch(conn);
}

/* What waits for its flush has not been tried yet: writability is asked for only when the socket refused something. */
void tusk__send_watch(tusk_conn *conn)
{
    bool is_refused = conn->out.len > 0 && (!conn->flush_task.next || conn->io.events & TUSK_WRITABLE);

    watch(conn, is_refused || conn->transport->ops->wants_write(conn->transport));
}
