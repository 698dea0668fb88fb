/* From a configuration to a connection that is ready: a fresh login for each attempt that has reached a server.
 * Which attempts there are is attempts.c's business, what a login is made of login.c's.
 * Read first: docs/internals/connect.md, lib/attempts.h, lib/login.h. */
#include <inttypes.h>
#include <stdio.h>

#include "lib/conn.h"
#include "lib/old_servers.h"
#include "lib/pooler.h"
#include "proto/error_set.h"

/* ---- one attempt ends ---- */

/* It would say the same whichever way one comes: no room (class 53), or it is going down (class 57). */
static bool is_about_the_server(const tusk_error *err)
{
    return strncmp(err->sqlstate, "53", 2) == 0 || strncmp(err->sqlstate, "57", 2) == 0;
}

/* As libpq: after 57P03 the next host is asked (a standby that lets nobody in); after another refusal none is, but sslmode prefer
 * and allow have a second way. What the network did in the middle of a login is tried again elsewhere; libpq gives up there. */
static tusk__verdict judge_login(const tusk_conn *conn, const tusk_error *err)
{
    if (strcmp(err->sqlstate, "57P03") == 0)
        return TUSK__NEXT_HOST;
    if (conn->login && tusk__login_wants_retry(conn->login))
        return TUSK__SAME_AGAIN;
    if (conn->login && tusk__login_wants_old_protocol(conn->login, err))
        return TUSK__OLD_PROTOCOL;
    if (conn->login_was_refused && !is_about_the_server(err))
        return TUSK__OTHER_WAY;
    return err->code == TUSK_ERR_LOST || err->code == TUSK_ERR_TIMEOUT ? TUSK__NEXT_ADDRESS : TUSK__GIVE_UP;
}

static void where_in_login(const tusk_conn *conn, tusk_error *err)
{
    const tusk__host *host = tusk__conn_host(conn);

    if (!err->where[0])
        tusk__error_where(err, "login");
    tusk__error_where(err, "connect %.*s:%.*s", TUSK_STR_ARG(host->host), TUSK_STR_ARG(host->port));
}

/* Is it the program that has taken so long? */
static void say_who_is_slow(const tusk_conn *conn, tusk_error *err)
{
    if (err->code != TUSK_ERR_TIMEOUT && err->code != TUSK_ERR_LOST)
        return;
    tusk__question_explain(conn->password, err);
    if (conn->login)
        tusk__login_explain(conn->login, err);
}

static void fail_attempt(tusk_conn *conn, const tusk_error *err, tusk__verdict verdict)
{
    tusk__exchange *exchange = verdict == TUSK__SAME_AGAIN ? tusk__login_take_exchange(conn->login) : NULL;
    tusk_error why = *err;

    why.fate = TUSK_FATE_NOT_SENT;
    where_in_login(conn, &why);
    tusk__conn_disconnect(conn);
    conn->exchange = exchange;
    tusk__params_clear(&conn->params, conn->allocator);
    conn->login_was_refused = conn->is_asked = false;
    conn->phase = TUSK__PHASE_DIALING;
    tusk__attempts_failed(conn->attempts, &why, verdict);
}

/* As libpq, which says so of the password file. */
static void say_whose_password(const tusk_conn *conn, tusk_error *err)
{
    const tusk__host *host = tusk__conn_host(conn);
    const char *origin = conn->settings->password_origin.ptr;
    char text[sizeof err->detail];

    if (!conn->login_was_refused || strcmp(err->sqlstate, "28P01") != 0 || err->detail[0] || !origin[0] ||
        host->password.len == 0)
        return;
    if (host->password_line > 0)
        (void)snprintf(text, sizeof text, "The password comes from line %u of the %s.", host->password_line, origin);
    else
        (void)snprintf(text, sizeof text, "The password comes from %s.", origin);
    tusk__error_detail(err, tusk_str_of(text));
}

void tusk__connect_failed(tusk_conn *conn, const tusk_error *err)
{
    tusk_error why = *err;

    say_whose_password(conn, &why);
    say_who_is_slow(conn, &why);
    fail_attempt(conn, &why, judge_login(conn, err));
}

/* ---- the login ---- */

static void compute_task(tusk__task *task);
static void on_password(tusk_str password, const tusk_error *err, void *user);

/* The login waits for a mechanism, which wakes it, or for a password, or goes on computing. */
static void go_on_later(tusk_conn *conn)
{
    tusk_error err = {0};

    if (tusk__login_is_waiting(conn->login))
        return;
    if (!tusk__login_wants_password(conn->login))
        tusk__loop_defer(conn->loop, &conn->login_task, compute_task);
    else if (tusk__password_ask(conn->loop, conn->settings, tusk__conn_host(conn), on_password, conn, &conn->password,
                                &err) != TUSK_OK)
        tusk__connect_failed(conn, &err);
}

static void go_on(tusk_conn *conn, tusk_code code, const tusk_error *err)
{
    conn->login_is_busy = code == TUSK_AGAIN;
    if (code == TUSK_AGAIN)
        go_on_later(conn);
    else if (code == TUSK_OK)
        tusk__send_soon(conn);
    else
        tusk__connect_failed(conn, err);
}

static void compute_task(tusk__task *task)
{
    tusk_conn *conn = (tusk_conn *)((char *)task - offsetof(tusk_conn, login_task));
    tusk_error err = {0};
    tusk_code code;

    tusk__conn_pin(conn);
    code = tusk__login_step(conn->login, &conn->session, &conn->out, &err);
    go_on(conn, code, &err);
    if (code == TUSK_OK)
        tusk__receive_soon(conn);
    tusk__conn_unpin(conn);
}

static void on_password(tusk_str password, const tusk_error *given, void *user)
{
    tusk_conn *conn = user;
    tusk_error err = *given;
    tusk_code code = err.code;

    tusk__conn_pin(conn);
    if (code == TUSK_OK)
        code = tusk__login_password(conn->login, &conn->session, password, &conn->out, &err);
    else
        tusk__error_where(&err, "login: password");
    go_on(conn, code, &err);
    if (code == TUSK_OK)
        tusk__receive_soon(conn);
    tusk__conn_unpin(conn);
}

static tusk_code keep_facts(tusk_conn *conn, tusk_error *err)
{
    const tusk__login_facts *facts = tusk__login_facts_of(conn->login);
    size_t len = facts->cancel_key_len;

    conn->protocol = facts->protocol;
    conn->backend_pid = facts->backend_pid;
    conn->auth_method = facts->method;
    conn->is_bound = facts->is_bound;
    conn->cancel_key_len = 0;
    if (len == 0)
        return TUSK_OK;
    conn->cancel_key = conn->allocator->malloc(len, conn->allocator->user);
    if (!conn->cancel_key)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for the cancel key");
    memcpy(conn->cancel_key, facts->cancel_key, len);
    conn->cancel_key_len = (uint16_t)len;
    return TUSK_OK;
}

static void look_for_pooler(tusk_conn *conn)
{
    uint32_t said = conn->settings->pooler;

    conn->is_pooled = tusk__pooler_changes_sessions(said, conn->backend_pid);
    if (!conn->is_pooled || said == TUSK__POOLER_TRANSACTION || !tusk__loop_logs(conn->loop, TUSK_LOG_WARNING))
        return;
    conn->pooler_is_told = true;
    tusk__loop_log(conn->loop, TUSK_LOG_WARNING,
                   "a pooler seems to be in between (%" PRIu32 " is no server's process), so no statement is kept "
                   "prepared; set pooler=transaction, or pooler=session if each connection has a session for itself",
                   conn->backend_pid);
}

static void become_ready(tusk_conn *conn)
{
    tusk_error err = {0};

    if (keep_facts(conn, &err) != TUSK_OK) {
        tusk__conn_fail(conn, &err);
        return;
    }
    look_for_pooler(conn);
    if (conn->route.old_protocol)
        tusk__old_servers_add(conn->loop, tusk__conn_host(conn));
    tusk__login_free(conn->login);
    conn->login = NULL;
    tusk__attempts_free(conn->attempts);
    conn->attempts = NULL;
    tusk__timer_stop(conn->loop, &conn->timer);
    conn->is_asked = false;
    conn->fields_len = 0; /* of another attempt */
    conn->phase = TUSK__PHASE_READY;
    tusk__conn_wake(&conn->login_waiters, NULL);
    tusk__request_release(conn);
}

/* ---- is it the server that is wanted? ---- */

/* It has let us in, and is told goodbye; whether it hears that does not matter. */
static void leave_server(tusk_conn *conn, tusk_error *err)
{
    tusk_error ignored = {0};
    size_t n;

    tusk__terminate_write(&conn->out);
    if (conn->out.failed == TUSK_OK)
        (void)conn->transport->ops->send(conn->transport, conn->out.buf, conn->out.len, &n, &ignored);
    tusk__error_where(err, "target_session_attrs=%s", tusk__target_name(tusk__attempts_wants(conn->attempts)));
    fail_attempt(conn, err, TUSK__NEXT_HOST);
}

static tusk_code ask(tusk_conn *conn, const char *question, tusk_error *err)
{
    static const uint8_t expect_query[] = {TUSK__EXPECT_QUERY};

    tusk__query_write(&conn->out, tusk_str_of(question));
    TUSK_TRY(tusk__session_reserve(&conn->session, 1));
    if (conn->out.failed != TUSK_OK)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a question to the server");
    tusk__session_expect(&conn->session, expect_query, 1);
    conn->is_asked = true;
    tusk__send_soon(conn);
    return TUSK_OK;
}

static void judge_server(tusk_conn *conn)
{
    tusk__session_attrs wanted = tusk__attempts_wants(conn->attempts);
    tusk_error err = {0};

    if (conn->fits == TUSK__FITS) {
        become_ready(conn);
    } else if (conn->fits == TUSK__FITS_NOT) {
        (void)tusk__error_set(&err, TUSK_ERR_CONNECT, NULL, "%s", tusk__target_complaint(wanted));
        leave_server(conn, &err);
    } else if (conn->is_asked) {
        (void)tusk__error_set(&err, TUSK_ERR_CONNECT, NULL, "the server gave no answer to \"%s\"",
                              tusk__target_question(wanted));
        leave_server(conn, &err);
    } else if (ask(conn, tusk__target_question(wanted), &err) != TUSK_OK) {
        tusk__conn_fail(conn, &err);
    }
}

static void login_done(tusk_conn *conn)
{
    conn->fits = tusk__target_by_params(tusk__attempts_wants(conn->attempts), &conn->params);
    judge_server(conn);
}

/* Of a row with one column, as the session has found it to be; empty: none, or NULL. */
static tusk_str first_field(tusk_str row)
{
    const uint8_t *p = (const uint8_t *)row.ptr;
    uint32_t len = row.len >= 6 ? tusk__be32(p + 2) : UINT32_MAX;

    return len == UINT32_MAX ? (tusk_str){NULL, 0} : tusk_str_from(p + 6, len);
}

static void answer_event(tusk_conn *conn, const tusk__event *ev)
{
    tusk_error err = {0};

    if (ev->kind == TUSK__EV_ROW) {
        conn->fits = tusk__target_by_answer(tusk__attempts_wants(conn->attempts), first_field(ev->body));
    } else if (ev->kind == TUSK__EV_READY) {
        judge_server(conn);
    } else if (ev->kind == TUSK__EV_ERROR) {
        (void)tusk__conn_keep_fields(conn, ev->body);
        tusk__error_fields_to_error(ev->body, &err);
        err.code = TUSK_ERR_CONNECT;
        leave_server(conn, &err);
    }
}

static void login_event(tusk_conn *conn, const tusk__event *ev)
{
    tusk_error err = {0};

    if (ev->kind == TUSK__EV_ERROR) {
        (void)tusk__conn_keep_fields(conn, ev->body);
        conn->login_was_refused = ev->expect != TUSK__EXPECT_SETTINGS;
    }
    if (ev->kind == TUSK__EV_READY)
        login_done(conn);
    else
        go_on(conn, tusk__login_event(conn->login, &conn->session, ev, &conn->out, &err), &err);
}

void tusk__connect_event(tusk_conn *conn, const tusk__event *ev)
{
    if (ev->kind == TUSK__EV_PARAMETER_STATUS)
        tusk__answer_parameter(conn, ev);
    else if (ev->kind == TUSK__EV_NOTICE)
        tusk__answer_notice(conn, ev);
    else if (conn->is_asked)
        answer_event(conn, ev);
    else
        login_event(conn, ev);
}

/* What to ask for: 3.0 where 3.2 was refused before, by this server on this loop, or a moment ago. */
static uint32_t protocol_of(const tusk_conn *conn)
{
    const tusk__settings *s = conn->settings;
    bool is_old = conn->route.old_protocol || tusk__old_servers_has(conn->loop, tusk__conn_host(conn));

    return is_old && s->min_protocol <= TUSK__PROTOCOL_3_0 ? (uint32_t)TUSK__PROTOCOL_3_0 : s->max_protocol;
}

static void on_wake(void *user)
{
    tusk_conn *conn = user;

    tusk__loop_defer(conn->loop, &conn->login_task, compute_task);
}

/* What the login before has found out is of use where it was found out. */
static void hand_on_exchange(tusk_conn *conn)
{
    tusk__exchange *exchange = conn->exchange;

    conn->exchange = NULL;
    if (exchange && exchange->host == tusk__conn_host(conn))
        tusk__login_give_exchange(conn->login, exchange);
    else
        tusk__exchange_free(exchange);
}

static tusk_code begin_login(tusk_conn *conn, tusk_error *err)
{
    conn->peer_has_ended = false;
    conn->wipes_out = true;
    TUSK_TRY(tusk__io_start(&conn->io, conn->loop, conn->transport->fd, TUSK_READABLE | TUSK__EDGE, tusk__receive_ready,
                            err));
    tusk__loop_release(conn->loop); /* an idle connection keeps nobody's tusk_loop_run() going; requests do */
    TUSK_TRY(tusk__login_new(conn->loop, conn->settings, tusk__conn_host(conn), protocol_of(conn), conn->transport,
                             &conn->login, err));
    tusk__login_on_wake(conn->login, on_wake, conn);
    hand_on_exchange(conn);
    return tusk__login_start(conn->login, &conn->session, &conn->out, err);
}

/* ---- the attempts ---- */

static void on_reached(tusk__transport *transport, const tusk__route *route, void *user)
{
    tusk_conn *conn = user;
    tusk_error err = {0};

    tusk__conn_pin(conn);
    conn->transport = transport;
    conn->route = *route;
    conn->phase = TUSK__PHASE_LOGIN;
    if (begin_login(conn, &err) == TUSK_OK)
        tusk__send_soon(conn);
    else
        tusk__connect_failed(conn, &err);
    tusk__conn_unpin(conn);
}

static void on_expired(const tusk_error *err, void *user)
{
    tusk__connect_failed(user, err);
}

static void on_failed(const tusk_error *err, void *user)
{
    tusk_conn *conn = user;

    tusk__conn_pin(conn);
    conn->attempts_text = tusk__attempts_text(conn->attempts, conn->allocator);
    tusk__conn_fail(conn, err);
    tusk__conn_unpin(conn);
}

static void begin(tusk_conn *conn)
{
    const tusk__attempts_owner owner = {on_reached, on_expired, on_failed, conn};
    tusk_error err = {0};

    conn->attempts = tusk__attempts_start(conn->loop, conn->settings, &owner, &err);
    if (conn->attempts)
        return;
    tusk__error_where(&err, "connect");
    tusk__conn_fail(conn, &err);
}

/* For all of connecting; 0 and -1 none. */
static int64_t timeout_of(const tusk_conn *conn)
{
    if (conn->settings)
        return conn->settings->connect_timeout_us;
    return conn->reading ? tusk__reading_timeout_us(conn->reading) : 0;
}

static void on_timeout(tusk__timer *timer)
{
    tusk_conn *conn = (tusk_conn *)((char *)timer - offsetof(tusk_conn, timer));
    tusk_error err = {0};

    (void)tusk__error_set(&err, TUSK_ERR_TIMEOUT, "08001", "no connection within connect_timeout (%g s)",
                          (double)timeout_of(conn) / 1e6);
    if (conn->reading)
        tusk__error_where(&err, "configuration");
    tusk__reading_explain(conn->reading, &err);
    err.fate = TUSK_FATE_NOT_SENT;
    if (conn->phase == TUSK__PHASE_LOGIN) {
        where_in_login(conn, &err);
        say_who_is_slow(conn, &err);
    }
    if (conn->attempts) {
        tusk__attempts_explain(conn->attempts, &err);
        conn->attempts_text = tusk__attempts_text(conn->attempts, conn->allocator);
    }
    tusk__conn_pin(conn);
    tusk__conn_fail(conn, &err);
    tusk__conn_unpin(conn);
}

static void start_task(tusk__task *task)
{
    tusk_conn *conn = (tusk_conn *)((char *)task - offsetof(tusk_conn, login_task));

    tusk__conn_pin(conn);
    if (conn->settings && !conn->reading && conn->settings->warning.len > 0)
        tusk__loop_log(conn->loop, TUSK_LOG_WARNING, "%s", conn->settings->warning.ptr);
    if (conn->error)
        tusk__conn_fail(conn, NULL);
    else if (!conn->reading)
        begin(conn);
    tusk__conn_unpin(conn);
}

/* ---- the configuration ---- */

/* The program may have borrowed texts of what is known already: they stay. */
static tusk_code take_settings(tusk_conn *conn, tusk__settings *settings, tusk_error *err)
{
    tusk_code code = TUSK_OK;

    if (conn->settings) {
        code = tusk__settings_complete(conn->settings, settings, err);
        tusk__settings_unref(settings);
    } else {
        conn->settings = settings;
    }
    return code;
}

static void on_read(tusk__settings *settings, const tusk_error *given, void *user)
{
    tusk_conn *conn = user;
    tusk_error err = *given;

    conn->reading = NULL;
    tusk__conn_pin(conn);
    if (settings && take_settings(conn, settings, &err) == TUSK_OK) {
        tusk__loop_defer(conn->loop, &conn->login_task, start_task);
        tusk__deadline_start_held(conn);
    } else {
        tusk__conn_fail(conn, &err);
    }
    tusk__conn_unpin(conn);
}

/* What is wrong with the caller's own words is an error now; what files have to say comes with the connection. */
tusk_code tusk__connect_configure(tusk_conn *conn, const tusk_config *config, tusk_error *err)
{
    tusk_code code = tusk__settings_at_once(conn->allocator, config, &conn->settings, err);

    if (code != TUSK_AGAIN)
        return code;
    conn->reading = tusk__reading_start(conn->loop, config, on_read, conn, err);
    if (conn->reading)
        return TUSK_OK;
    tusk__error_where(err, "configuration");
    return err->code;
}

void tusk__connect_stop_reading(tusk_conn *conn)
{
    tusk__reading_abandon(conn->reading);
    conn->reading = NULL;
}

void tusk__connect_start(tusk_conn *conn)
{
    tusk_error err = {0};

    if (timeout_of(conn) > 0 && tusk__timer_start(conn->loop, &conn->timer, timeout_of(conn), on_timeout) != TUSK_OK) {
        (void)tusk__error_set(&err, TUSK_ERR_NOMEM, NULL, "out of memory for a timer");
        tusk__conn_keep_error(conn, &err);
    }
    tusk__loop_defer(conn->loop, &conn->login_task, start_task);
}
