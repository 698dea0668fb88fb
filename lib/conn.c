/* Connections: their life, and what the caller asks of them.
 * Reaching the server is connect.c's, the wire send.c's and receive.c's, answers answer.c's.
 * Read first: lib/conn.h, docs/internals/conn.md. */
#include "lib/conn.h"

#include "lib/catalog.h"
#include "lib/codecs.h"
#include "lib/lookup.h"
#include "lib/many.h"
#include "lib/stack.h"
#include "lib/transaction.h"
#include "proto/error_set.h"

/* How long a closed connection waits for the server to hang up, so that it ends with FIN and not with RST (D39). */
#define DRAIN_US 1000000

/* ---- memory lent by the loop, for the out buffer ---- */

static tusk__chunk *chunk_of(void *ptr)
{
    return (tusk__chunk *)(void *)((char *)ptr - offsetof(tusk__chunk, data));
}

static void *lent_malloc(size_t size, void *user)
{
    tusk__chunk *chunk = tusk__chunk_get(user, size < TUSK__CHUNK_SIZE ? TUSK__CHUNK_SIZE : size);

    return chunk ? chunk->data : NULL;
}

static void lent_free(void *ptr, void *user)
{
    (void)user;
    if (ptr)
        tusk__chunk_unref(chunk_of(ptr));
}

static void *lent_realloc(void *ptr, size_t size, void *user)
{
    void *fresh;

    if (ptr && chunk_of(ptr)->cap >= size)
        return ptr;
    fresh = lent_malloc(size, user);
    if (fresh && ptr) {
        memcpy(fresh, ptr, chunk_of(ptr)->cap);
        lent_free(ptr, user);
    }
    return fresh;
}

/* ---- life ---- */

static const tusk_error no_memory = {.code = TUSK_ERR_NOMEM,
                                     .sqlstate = "53200",
                                     .is_fatal = true,
                                     .column = -1,
                                     .item = -1,
                                     .message = "out of memory for the reason of the connection's end"};

static void drop_error(tusk_conn *conn)
{
    if (conn->error != &no_memory)
        conn->allocator->free((void *)(uintptr_t)conn->error, conn->allocator->user);
    conn->error = NULL;
}

/* It would be half of what an idle connection weighs. Without memory for it, that is the reason which is kept. */
void tusk__conn_keep_error(tusk_conn *conn, const tusk_error *err)
{
    tusk_error *kept = conn->allocator->malloc(sizeof *kept, conn->allocator->user);

    if (kept) {
        *kept = *err;
        kept->is_fatal = true;
    }
    drop_error(conn);
    conn->error = kept ? kept : &no_memory;
}

static void conn_destroy(tusk_conn *conn)
{
    const tusk_allocator *allocator = conn->allocator;

    tusk__task_cancel(&conn->flow_task);
    tusk__task_cancel(&conn->advance_task); /* the close that lets go of it has ended the refused ones before */
    tusk__levels_clear(conn);
    tusk__lookup_free(conn);
    tusk__catalog_leave(conn);
    tusk__codecs_leave(conn);
    tusk__session_clear(&conn->session);
    tusk__params_clear(&conn->params, allocator);
    tusk__settings_unref(conn->settings);
    allocator->free(conn->cancel_key, allocator->user);
    allocator->free(conn->fields, allocator->user);
    allocator->free(conn->attempts_text, allocator->user);
    drop_error(conn);
    allocator->free(conn, allocator->user);
}

void tusk__conn_unpin(tusk_conn *conn)
{
    if (--conn->pins == 0)
        conn_destroy(conn);
}

const tusk__host *tusk__conn_host(const tusk_conn *conn)
{
    return &conn->settings->hosts[conn->route.host_number];
}

void tusk__conn_where(const tusk_conn *conn, tusk_error *err)
{
    if (!conn->settings || err->where[0])
        return;
    tusk__error_where(err, "%.*s:%.*s/%.*s as %.*s", TUSK_STR_ARG(tusk__conn_host(conn)->host),
                      TUSK_STR_ARG(tusk__conn_host(conn)->port), TUSK_STR_ARG(conn->settings->dbname),
                      TUSK_STR_ARG(conn->settings->user));
}

bool tusk__conn_keep_fields(tusk_conn *conn, tusk_str fields)
{
    uint8_t *memory = conn->allocator->realloc(conn->fields, fields.len + 1, conn->allocator->user);

    if (!memory)
        return false; /* the summary in the error stands */
    if (fields.len)
        memcpy(memory, fields.ptr, fields.len);
    conn->fields = memory;
    conn->fields_len = fields.len;
    return true;
}

void tusk__conn_disconnect(tusk_conn *conn)
{
    tusk__connect_stop_reading(conn);
    tusk__question_abandon(&conn->password);
    tusk__login_free(conn->login);
    conn->login = NULL;
    tusk__exchange_free(conn->exchange);
    conn->exchange = NULL;
    conn->login_is_busy = false;
    tusk__cancel_rule_stop(conn);
    tusk__progress_stop(conn);
    tusk__task_cancel(&conn->login_task);
    tusk__task_cancel(&conn->flush_task);
    tusk__task_cancel(&conn->receive_task);
    if (conn->io.fd >= 0) {
        tusk__io_stop(&conn->io);
        tusk__loop_hold(conn->loop); /* the counterpart of connect.c's release */
    }
    if (conn->transport)
        conn->transport->ops->close(conn->transport);
    conn->transport = NULL;
    tusk__writer_wipe(&conn->out);
    conn->out_sent = 0;
    tusk__session_clear(&conn->session);
    tusk__session_init(&conn->session, conn->allocator);
    if (!conn->is_receiving) /* else a row in a callback may still be looked at */
        tusk__conn_drop_chunk(conn);
}

void tusk__conn_drop_chunk(tusk_conn *conn)
{
    tusk__chunk_unref(conn->chunk);
    conn->chunk = NULL;
}

/* ---- the end ---- */

/* What the end of the connection means for one request. */
static void fail_query(tusk_conn *conn, tusk_query *q, const tusk_error *err)
{
    bool is_sent = tusk__send_started(conn, q);

    tusk__query_drop_unfinished(q);
    if (q->error.code != TUSK_OK) { /* refused, or the server has told its error already, or we did not want the rest */
        if (is_sent && q->error.code != TUSK_ERR_SERVER)
            q->error.fate = TUSK_FATE_UNKNOWN;
        return;
    }
    tusk__query_fail(q, err);
    q->error.fate = is_sent ? TUSK_FATE_UNKNOWN : TUSK_FATE_NOT_SENT;
    if (is_sent && q->ends == TUSK__ENDS_BY_COMMIT && !conn->is_closing)
        q->error.code = TUSK_ERR_COMMIT_UNKNOWN;
}

/* All that is there now; what a callback submits is refused, in the next turn. */
static void complete_queue(tusk_conn *conn, const tusk_error *err)
{
    tusk_query *q;
    size_t n = 0;

    tusk__lookup_tell(conn); /* what was answered before, first */
    for (q = conn->first; q; q = q->next)
        n++;
    while (n-- > 0 && (q = tusk__queue_pop(conn))) {
        if (!q->is_done)
            fail_query(conn, q, err);
        if (q->kind == TUSK__QUERY_MANY)
            tusk__many_lost(q);
        else if (q->batch)
            tusk__batch_lost(q);
        q->stage = TUSK__STAGE_OUT;
        q->paused = 0;
        q->streaming = TUSK__STREAMS_NOT;
        if (q->is_done) {
            tusk__query_leave(q);
        } else {
            if (q->kind == TUSK__QUERY_PREPARE)
                tusk__stmt_finish(q->stmt, &q->error);
            tusk__query_complete(q);
        }
    }
    tusk__request_release(conn);
}

/* The session is gone, and its statements with it. */
static void end_stmts(tusk_conn *conn)
{
    for (tusk_stmt *stmt = conn->stmts; stmt; stmt = stmt->next) {
        if (stmt->state != TUSK__STMT_FAILED)
            stmt->state = TUSK__STMT_CLOSED;
    }
}

void tusk__conn_wake(tusk_query **waiters, const tusk_error *err)
{
    tusk_query *q;

    while ((q = *waiters)) {
        *waiters = q->next;
        q->next = NULL;
        if (err) {
            tusk__query_fail(q, err);
            q->error.fate = TUSK_FATE_NOT_SENT; /* it only waits */
            if (!q->error.where[0])
                tusk__error_where(&q->error, "waiting for the connection");
        }
        tusk__query_complete(q);
    }
}

static const tusk_error closed_error = {.code = TUSK_ERR_CANCELED,
                                        .sqlstate = "57014",
                                        .column = -1,
                                        .item = -1,
                                        .message = "the connection was closed by the caller"};

/* Why its requests end. */
static tusk_error reason_of(const tusk_conn *conn, const tusk_error *err)
{
    tusk_error why = conn->is_closing ? closed_error : err ? *err : *conn->error;

    why.is_fatal = !conn->is_closing;
    if (conn->phase < TUSK__PHASE_READY)
        why.fate = TUSK_FATE_NOT_SENT;
    return why;
}

void tusk__conn_fail(tusk_conn *conn, const tusk_error *err)
{
    tusk_error why;

    if (conn->phase == TUSK__PHASE_CLOSED)
        return;
    assert(conn->is_closing || err || conn->error); /* else all requests would be told as successes */
    why = reason_of(conn, err);
    if (err && !conn->is_closing)
        tusk__conn_keep_error(conn, &why);
    conn->phase = TUSK__PHASE_CLOSED;
    tusk__conn_pin(conn);
    tusk__timer_stop(conn->loop, &conn->timer);
    tusk__task_cancel(&conn->advance_task);
    tusk__request_unsend(conn); /* a callback may cancel them, and their bytes go now */
    tusk__attempts_free(conn->attempts);
    conn->attempts = NULL;
    tusk__conn_disconnect(conn);
    end_stmts(conn);
    tusk__cache_free(conn);
    tusk__conn_wake(&conn->login_waiters, &why);
    complete_queue(conn, &why);
    tusk__flow_end(conn, &why);
    tusk__conn_wake(&conn->close_waiters, NULL);
    if (!conn->is_closing && !conn->is_released && conn->on_closed)
        conn->on_closed(conn, conn->error, conn->closed_user);
    tusk__conn_unpin(conn);
}

/* ---- closing ---- */

static void drain_is_over(tusk__timer *timer)
{
    tusk_conn *conn = (tusk_conn *)((char *)timer - offsetof(tusk_conn, timer));

    tusk__conn_pin(conn);
    tusk__conn_fail(conn, NULL);
    tusk__conn_unpin(conn);
}

/* Goodbye, behind what was begun to be sent. False: there is nobody to say it to, or no room in the socket. */
static bool say_goodbye(tusk_conn *conn)
{
    if (!conn->transport || (conn->login && !conn->is_asked) || conn->phase != TUSK__PHASE_CLOSING)
        return false;
    tusk__terminate_write(&conn->out);
    tusk__send_now(conn);
    if (!conn->transport || conn->out.len > 0 || conn->transport->ops->wants_write(conn->transport))
        return false;
    conn->transport->ops->shutdown(conn->transport);
    return true;
}

/* The polite end: pending requests are over, then goodbye, then the server's FIN. */
/* Seldom is there one, and to write where it was costs more than all the rest of a close. */
static void end_login_waiters(tusk_conn *conn)
{
    tusk_error why = closed_error;

    tusk__conn_where(conn, &why);
    tusk__conn_wake(&conn->login_waiters, &why);
}

static void close_task(tusk__task *task)
{
    tusk_conn *conn = (tusk_conn *)((char *)task - offsetof(tusk_conn, close_task));
    bool is_draining = tusk__timer_is_active(&conn->timer); /* goodbye was said by an earlier tusk_close() */

    tusk__conn_pin(conn);
    if (conn->login_waiters)
        end_login_waiters(conn);
    complete_queue(conn, &closed_error);
    tusk__flow_end(conn, &closed_error);
    if ((is_draining || say_goodbye(conn)) && !conn->is_released &&
        tusk__timer_start(conn->loop, &conn->timer, DRAIN_US, drain_is_over) == TUSK_OK)
        tusk__receive_review(conn);
    else
        tusk__conn_fail(conn, NULL);
    if (conn->is_released) {
        tusk__task_cancel(&conn->close_task); /* released in a callback of this very end */
        tusk__loop_disown(&conn->child);
        tusk__conn_unpin(conn); /* the handle's */
    }
    tusk__conn_unpin(conn);
}

static void begin_close(tusk_conn *conn)
{
    if (!conn->is_closing && conn->phase < TUSK__PHASE_CLOSING) {
        conn->is_closing = true;
        tusk__attempts_free(conn->attempts); /* now: nothing that comes of them may change the phase any more */
        conn->attempts = NULL;
        conn->phase = TUSK__PHASE_CLOSING;
        tusk__request_unsend(conn); /* now: the next turn begins with sending */
        tusk__timer_stop(conn->loop, &conn->timer);
        tusk__task_cancel(&conn->login_task);
        tusk__connect_stop_reading(conn);
        tusk__question_abandon(&conn->password);
    }
    tusk__loop_defer(conn->loop, &conn->close_task, close_task);
}

static bool unlist(tusk_query **list, tusk_query *q)
{
    while (*list && *list != q)
        list = &(*list)->next;
    if (!*list)
        return false;
    *list = q->next;
    q->next = NULL;
    return true;
}

bool tusk__conn_stop_waiting(tusk_conn *conn, tusk_query *q)
{
    bool is_found = unlist(&conn->login_waiters, q) || unlist(&conn->drain_waiters, q) ||
                    unlist(&conn->close_waiters, q) || (conn->codecs && tusk__codecs_stop_waiting(conn, q));

    for (tusk_stmt *stmt = conn->stmts; stmt && !is_found; stmt = stmt->next)
        is_found = unlist(&stmt->waiters, q);
    return is_found;
}

tusk_query *tusk__conn_wait_in(tusk_conn *conn, tusk_query **list)
{
    tusk_query *q = tusk__query_new(conn->loop, conn, TUSK__QUERY_WAIT);

    while (*list)
        list = &(*list)->next;
    return *list = q;
}

void tusk__conn_say_closed(const tusk_conn *conn, tusk_query *q)
{
    if (conn->phase >= TUSK__PHASE_CLOSING && conn->is_closing)
        tusk__query_failf(q, TUSK_ERR_STATE, "08003", "the connection is closed")->fate = TUSK_FATE_NOT_SENT;
    else if (conn->phase >= TUSK__PHASE_CLOSING)
        tusk__query_fail(q, conn->error);
}

tusk_query *tusk_close(tusk_conn *conn)
{
    tusk_query *q;

    if (!conn)
        return NULL;
    if (conn->phase != TUSK__PHASE_CLOSED) {
        q = tusk__conn_wait_in(conn, &conn->close_waiters);
        begin_close(conn);
        return q;
    }
    q = tusk__query_new(conn->loop, conn, TUSK__QUERY_WAIT);
    if (q)
        tusk__query_complete_soon(q);
    return q;
}

tusk_query *tusk_conn_ready(tusk_conn *conn)
{
    tusk_query *q;

    if (!conn)
        return NULL;
    if (conn->phase < TUSK__PHASE_READY)
        return tusk__conn_wait_in(conn, &conn->login_waiters);
    q = tusk__query_new(conn->loop, conn, TUSK__QUERY_WAIT);
    if (!q)
        return NULL;
    tusk__conn_say_closed(conn, q);
    tusk__query_complete_soon(q);
    return q;
}

void tusk_conn_free(tusk_conn *conn)
{
    if (!conn || conn->is_released)
        return;
    conn->is_released = true;
    begin_close(conn);
}

/* All of the loop has ended, and nothing of it calls the program any more. */
static void release_handle(tusk__child *child)
{
    tusk_conn *conn = (tusk_conn *)((char *)child - offsetof(tusk_conn, child));

    tusk__task_cancel(&conn->close_task); /* closed, or released, in a callback since */
    tusk__conn_unpin(conn);
}

/* tusk_loop_free(): all ends now. The handle stays for the callbacks of what ends behind it. */
static void on_loop_free(tusk__child *child)
{
    tusk_conn *conn = (tusk_conn *)((char *)child - offsetof(tusk_conn, child));

    tusk__task_cancel(&conn->close_task);
    conn->is_closing = true; /* before the goodbye, which may fail and end all */
    if (conn->phase >= TUSK__PHASE_READY && conn->phase < TUSK__PHASE_CLOSING &&
        tusk__loop_check(conn->loop, NULL) == TUSK_OK) { /* a forked child must not speak for its parent */
        conn->phase = TUSK__PHASE_CLOSING;
        tusk__request_unsend(conn);
        (void)say_goodbye(conn);
    }
    tusk__loop_adopt_last(conn->loop, &conn->child, release_handle);
    tusk__conn_fail(conn, NULL);
}

/* ---- making ---- */

static void init(tusk_conn *conn, tusk_loop *loop)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);

    memset(conn, 0, sizeof *conn);
    conn->loop = loop;
    conn->allocator = allocator;
    conn->pins = 1;
    conn->io.fd = -1;
    conn->lent = (tusk_allocator){lent_malloc, lent_realloc, lent_free, loop};
    tusk__writer_init(&conn->out, &conn->lent);
    tusk__session_init(&conn->session, allocator);
    tusk__loop_adopt(loop, &conn->child, on_loop_free);
}

tusk_conn *tusk_conn_open(tusk_loop *loop, const tusk_config *config)
{
    static const tusk_config defaults = {0};
    const tusk_allocator *allocator = loop ? tusk__loop_allocator(loop) : NULL;
    tusk_conn *conn;
    tusk_error err = {0};

    if (!loop || tusk__loop_is_ending(loop)) /* who connects again whenever he is canceled would do so for ever */
        return NULL;
    conn = allocator->malloc(sizeof *conn, allocator->user);
    if (!conn)
        return NULL;
    config = config ? config : &defaults;
    init(conn, loop);
    conn->on_closed = config->on_closed;
    conn->closed_user = config->user_data;
    conn->max_queued_requests = tusk__settings_max_requests(config);
    conn->max_queued_bytes = tusk__settings_max_bytes(config);
    if (tusk__loop_check(loop, &err) != TUSK_OK || tusk__connect_configure(conn, config, &err) != TUSK_OK ||
        tusk__codecs_inherit(conn, &err) != TUSK_OK) {
        err.fate = TUSK_FATE_NOT_SENT;
        tusk__conn_keep_error(conn, &err);
    }
    tusk__connect_start(conn);
    return conn;
}

tusk_conn *tusk_connect(tusk_loop *loop, const char *dsn)
{
    tusk_config config = {.dsn = dsn};

    return tusk_conn_open(loop, &config);
}

/* ---- what the caller asks ---- */

tusk_conn_state tusk_conn_get_state(const tusk_conn *conn)
{
    if (!conn)
        return TUSK_CONN_CLOSED;
    if (conn->phase < TUSK__PHASE_READY)
        return TUSK_CONN_CONNECTING;
    if (conn->phase < TUSK__PHASE_CLOSING)
        return TUSK_CONN_READY;
    return conn->phase == TUSK__PHASE_CLOSING ? TUSK_CONN_CLOSING : TUSK_CONN_CLOSED;
}

tusk_tx_status tusk_conn_tx_status(const tusk_conn *conn)
{
    if (!conn || conn->phase < TUSK__PHASE_READY || conn->phase >= TUSK__PHASE_CLOSING)
        return TUSK_TX_UNKNOWN;
    return (tusk_tx_status)conn->session.tx_status;
}

const tusk_error *tusk_conn_error(const tusk_conn *conn)
{
    static const tusk_error no_error = {.column = -1, .item = -1};

    if (!conn)
        return tusk_query_error(NULL);
    return conn->error ? conn->error : &no_error;
}

tusk_str tusk_conn_attempts(const tusk_conn *conn)
{
    return conn && conn->attempts_text ? tusk_str_of(conn->attempts_text) : (tusk_str){NULL, 0};
}

tusk_str tusk_conn_error_field(const tusk_conn *conn, char field)
{
    if (!conn || conn->fields_len == 0)
        return (tusk_str){NULL, 0};
    return tusk__error_field(tusk_str_from(conn->fields, conn->fields_len), field);
}

tusk_loop *tusk_conn_loop(const tusk_conn *conn)
{
    return conn ? conn->loop : NULL;
}

tusk_str tusk_conn_host(const tusk_conn *conn)
{
    return conn && conn->settings ? tusk__conn_host(conn)->host : (tusk_str){NULL, 0};
}

tusk_str tusk_conn_port(const tusk_conn *conn)
{
    return conn && conn->settings ? tusk__conn_host(conn)->port : (tusk_str){NULL, 0};
}

tusk_str tusk_conn_dbname(const tusk_conn *conn)
{
    return conn && conn->settings ? conn->settings->dbname : (tusk_str){NULL, 0};
}

tusk_str tusk_conn_user(const tusk_conn *conn)
{
    return conn && conn->settings ? conn->settings->user : (tusk_str){NULL, 0};
}

uint32_t tusk_conn_backend_pid(const tusk_conn *conn)
{
    return conn ? conn->backend_pid : 0;
}

int tusk_conn_protocol_version(const tusk_conn *conn)
{
    return conn ? (int)((conn->protocol >> 16) * 10000 + (conn->protocol & 0xffff)) : 0;
}

tusk_str tusk_conn_tls_version(const tusk_conn *conn)
{
    return conn && conn->transport ? tusk_str_of(tusk__transport_tls_version(conn->transport)) : (tusk_str){NULL, 0};
}

tusk_str tusk_conn_tls_cipher(const tusk_conn *conn)
{
    return conn && conn->transport ? tusk_str_of(tusk__transport_tls_cipher(conn->transport)) : (tusk_str){NULL, 0};
}

tusk_str tusk_conn_auth_method(const tusk_conn *conn)
{
    if (!conn || conn->protocol == 0)
        return (tusk_str){NULL, 0};
    return tusk_str_of(conn->is_bound ? "scram-sha-256-plus" : tusk__auth_method_word(conn->auth_method));
}

size_t tusk_conn_hostaddr(const tusk_conn *conn, char *buf, size_t size)
{
    static const tusk__route nowhere;

    return tusk__address_print(conn ? &conn->route : &nowhere, buf, size);
}
