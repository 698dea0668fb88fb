/* The no-progress rule: a tick every two seconds while something is awaited; after half a minute of silence it looks at what the
 * kernel knows of the peer's acknowledgements.
 * Read first: lib/progress.h; tcp(7), TCP_INFO. */
#include "lib/progress.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "lib/conn.h"
#include "lib/many.h"
#include "proto/error_set.h"

/* Behind a closed window the kernel's probes lie up to two minutes apart: the age of the last acknowledgement alone would condemn
 * a server that does not read. One probe without an answer may just be under way. */
#if defined(__linux__)
static bool is_gone(const tusk_conn *conn)
{
    const tusk__os *os = tusk__loop_os(conn->loop);
    struct tcp_info info = {0};
    socklen_t len = sizeof info;

    if (os->getsockopt(os->ctx, conn->io.fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
        return false;
    return info.tcpi_last_ack_recv >= TUSK__PROGRESS_QUIET_US / 1000 &&
           (info.tcpi_unacked > 0 || info.tcpi_probes >= 2);
}
#else
static bool is_gone(const tusk_conn *conn)
{
    (void)conn;
    return false; /* the keepalive and the kernel's own patience are all there is */
}
#endif

/* While the caller has paused the rows it is not the server that is waited for. */
static bool is_awaiting(const tusk_conn *conn)
{
    const tusk_query *head = tusk__queue_first_sent(conn);

    if (tusk__receive_is_held(conn))
        return false;
    return conn->phase < TUSK__PHASE_READY || conn->out.len > 0 ||
           (head && !(head->kind == TUSK__QUERY_MANY && tusk__many_is_idle(head))) ||
           conn->transport->ops->wants_write(conn->transport);
}

static void give_up(tusk_conn *conn)
{
    tusk_error err = {0};

    (void)tusk__error_set(&err, TUSK_ERR_LOST, "08006",
                          "nothing was heard of the server for %d s, not even that it got what was sent",
                          TUSK__PROGRESS_QUIET_US / 1000000);
    tusk__conn_pin(conn);
    tusk__receive_last_words(conn, &err);
    tusk__conn_unpin(conn);
}

static void on_tick(tusk__timer *timer)
{
    tusk_conn *conn = (tusk_conn *)((char *)timer - offsetof(tusk_conn, progress.tick));
    tusk__progress *p = &conn->progress;
    uint32_t n_quiet;

    tusk__loop_hold(conn->loop);
    if (!is_awaiting(conn))
        return;
    n_quiet = p->heard == p->seen ? p->n_quiet + 1 : 0;
    if (n_quiet >= TUSK__PROGRESS_QUIET_US / TUSK__PROGRESS_TICK_US && is_gone(conn)) {
        give_up(conn);
        return;
    }
    tusk__progress_start(conn);
    p->n_quiet = n_quiet;
}

/* The tick is no reason for tusk_loop_run() to go on. Without memory for it there is no rule, and the keepalive remains. */
void tusk__progress_start(tusk_conn *conn)
{
    conn->progress.n_quiet = 0;
    conn->progress.seen = conn->progress.heard;
    if (!conn->transport || conn->route.address.family == AF_UNIX)
        return;
    if (tusk__timer_start(conn->loop, &conn->progress.tick, TUSK__PROGRESS_TICK_US, on_tick) == TUSK_OK)
        tusk__loop_release(conn->loop);
}

void tusk__progress_stop(tusk_conn *conn)
{
    if (!tusk__timer_is_active(&conn->progress.tick))
        return;
    tusk__timer_stop(conn->loop, &conn->progress.tick);
    tusk__loop_hold(conn->loop);
}
