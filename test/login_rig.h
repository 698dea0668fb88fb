/* What the tests of mechanisms share: a login with a configuration of theirs, over the real session, a link that only says what it
 * is, a server that is written in the test, and a real loop that turns while the mechanism has something to wait for.
 * It includes the login itself, so it belongs into one file of a program. Read first: lib/mechanism.h, test/login_test.c. */
#ifndef TUSK_TEST_LOGIN_RIG_H
#define TUSK_TEST_LOGIN_RIG_H

#include <stdio.h>

#define tusk__transport_tls_version rig_tls_version
#include "test/whole_login.h"
#undef tusk__transport_tls_version

#include "proto/frame.h"
#include "test/loop_util.h"

#define N_OF(table) (int)(sizeof(table) / sizeof(table)[0])
#define LITERAL(text) tusk_str_from(text, sizeof(text) - 1)

typedef struct rig {
    tusk_loop *loop;
    tusk__settings *settings;
    tusk__transport transport;
    tusk__login *login;
    tusk__session session;
    uint8_t buf[8192];
    tusk__writer out;    /* what we wrote */
    size_t taken;        /* of it by the server */
    tusk__writer server; /* what the server wrote and nobody read */
    tusk_error err;
    bool is_ready, is_woken;
    int n_waits; /* how often the mechanism was waited for */
} rig;

static const char *link_tls = "";
static heap memory;
static tusk_loop *loop;

const char *rig_tls_version(const tusk__transport *t)
{
    ck_assert_ptr_ne(t, NULL);
    return link_tls;
}

static inline void rig_set_up(void)
{
    tusk_error err = {0};

    heap_init(&memory);
    loop = loop_on_heap(world_open_timeless(), &memory, &err);
    ck_assert_msg(loop != NULL, "%s", err.message);
    link_tls = "";
}

static inline void rig_tear_down(void)
{
    tusk_loop_free(loop);
    ck_assert_int_eq(memory.n_live, 0);
}

static inline void rig_on_wake(void *user)
{
    ((rig *)user)->is_woken = true;
}

/* ---- a login begins and ends ---- */

static inline tusk_code rig_begin_login(rig *r, tusk__exchange *exchange)
{
    tusk_code code;

    tusk__session_init(&r->session, tusk__loop_allocator(loop));
    tusk__session_lend(&r->session, r->buf, sizeof r->buf);
    tusk__writer_init(&r->out, tusk__loop_allocator(loop));
    tusk__writer_init(&r->server, tusk_allocator_default());
    r->taken = 0;
    r->is_ready = r->is_woken = false;
    r->err = (tusk_error){0};
    code = tusk__login_new(loop, r->settings, &r->settings->hosts[0], r->settings->max_protocol, &r->transport, &r->login,
                           &r->err);
    if (code != TUSK_OK) {
        tusk__exchange_free(exchange);
        return code;
    }
    tusk__login_on_wake(r->login, rig_on_wake, r);
    if (exchange)
        tusk__login_give_exchange(r->login, exchange);
    TUSK_TRY(tusk__login_start(r->login, &r->session, &r->out, &r->err));
    r->taken = r->out.len;
    return TUSK_OK;
}

static inline tusk_code rig_try_begin(rig *r, const tusk_config *config)
{
    memset(r, 0, sizeof *r);
    r->loop = loop;
    tusk__session_init(&r->session, tusk__loop_allocator(loop));
    tusk__writer_init(&r->out, tusk__loop_allocator(loop));
    tusk__writer_init(&r->server, tusk_allocator_default());
    TUSK_TRY(tusk__settings_new(tusk__loop_allocator(loop), config, &r->settings, &r->err));
    return rig_begin_login(r, NULL);
}

static inline void rig_begin(rig *r, const tusk_config *config)
{
    tusk_code code = rig_try_begin(r, config);

    ck_assert_msg(code == TUSK_OK, "%s", r->err.message);
}

static inline void rig_end_login(rig *r)
{
    tusk__login_free(r->login);
    r->login = NULL;
    tusk__session_clear(&r->session);
    tusk__writer_clear(&r->out);
    tusk__writer_clear(&r->server);
}

static inline void rig_end(rig *r)
{
    rig_end_login(r);
    tusk__settings_unref(r->settings);
}

/* What connect.c does when a login wants to be repeated. */
static inline tusk_code rig_try_again(rig *r)
{
    tusk__exchange *exchange;

    ck_assert(tusk__login_wants_retry(r->login));
    exchange = tusk__login_take_exchange(r->login);
    rig_end_login(r);
    return rig_begin_login(r, exchange);
}

static inline void rig_begin_again(rig *r)
{
    ck_assert_int_eq(rig_try_again(r), TUSK_OK);
}

/* ---- what the server says ---- */

static inline void rig_ask(rig *r, uint32_t kind, tusk_str data)
{
    tusk__authentication_write(&r->server, &(tusk__authentication){.kind = kind, .data = data});
}

static inline void rig_send_error(rig *r, const char *sqlstate, const char *message)
{
    const tusk__error_field_value fields[] = {{'S', LITERAL("FATAL")},
                                              {'V', LITERAL("FATAL")},
                                              {'C', tusk_str_of(sqlstate)},
                                              {'M', tusk_str_of(message)}};

    tusk__error_fields_write(&r->server, TUSK__B_ERROR_RESPONSE, fields, 4);
}

static inline void rig_send_welcome(rig *r)
{
    rig_ask(r, TUSK__AUTH_OK, LITERAL(""));
    tusk__ready_for_query_write(&r->server, 'I');
}

/* ---- the login hears it ---- */

/* While the mechanism waits, the chunk may be another's, and nothing is sent. */
static inline tusk_code rig_settle(rig *r, tusk_code code)
{
    while (code == TUSK_AGAIN) {
        ck_assert(tusk__login_is_waiting(r->login));
        ck_assert_uint_eq(r->out.len, r->taken);
        memset(r->buf, 0xEE, r->session.head);
        r->n_waits++;
        for (int i = 0; i < 1000 && !r->is_woken; i++)
            ck_assert_int_eq(tusk_loop_turn(loop, 0.01, NULL), TUSK_OK);
        ck_assert_msg(r->is_woken, "nobody wakes the login");
        r->is_woken = false;
        code = tusk__login_step(r->login, &r->session, &r->out, &r->err);
    }
    return code;
}

static inline void rig_receive(rig *r)
{
    size_t room;
    uint8_t *to = tusk__session_recv_buf(&r->session, &room);

    ck_assert_int_eq(r->server.failed, TUSK_OK);
    ck_assert_uint_le(r->server.len, room);
    if (r->server.len > 0)
        memcpy(to, r->server.buf, r->server.len);
    tusk__session_recv_ack(&r->session, r->server.len);
    tusk__writer_cut(&r->server, 0);
}

/* The next event alone; what it waits for is not waited for. */
static inline tusk_code rig_hear_one(rig *r)
{
    tusk__event ev;

    rig_receive(r);
    TUSK_TRY(tusk__session_next(&r->session, &ev, &r->err));
    r->is_ready = r->is_ready || ev.kind == TUSK__EV_READY;
    return tusk__login_event(r->login, &r->session, &ev, &r->out, &r->err);
}

/* All that the server wrote; the first error ends it. */
static inline tusk_code rig_hear(rig *r)
{
    rig_receive(r);
    while (tusk__session_unparsed(&r->session) > 0)
        TUSK_TRY(rig_settle(r, rig_hear_one(r)));
    return TUSK_OK;
}

static inline void rig_hear_ok(rig *r)
{
    tusk_code code = rig_hear(r);

    ck_assert_msg(code == TUSK_OK, "%s: %s", tusk_code_name(code), r->err.message);
}

/* Refused, and nothing is answered. */
static inline void rig_hear_refused(rig *r, tusk_code code, const char *sqlstate, const char *message)
{
    size_t len = r->out.len;

    ck_assert_int_eq(rig_hear(r), code);
    ck_assert_int_eq(r->err.code, code);
    ck_assert_str_eq(r->err.message, message);
    ck_assert_str_eq(r->err.sqlstate, sqlstate);
    ck_assert_uint_eq(r->out.len, len);
}

/* ---- what it answers ---- */

/* The body of the next 'p' message; ptr NULL: nothing was sent. */
static inline tusk_str rig_take(rig *r)
{
    tusk_str stream = tusk_str_from(r->out.buf + r->taken, r->out.len - r->taken), body = {0};
    uint8_t type = 0;

    if (stream.len == 0)
        return body;
    ck_assert_int_eq(tusk__frame_next(&stream, false, false, &type, &body, NULL), TUSK_OK);
    ck_assert_int_eq(type, 'p');
    ck_assert_uint_eq(stream.len, 0);
    r->taken = r->out.len;
    return body;
}

static inline void rig_answer_is(rig *r, tusk_str expected)
{
    tusk_str body = rig_take(r);

    ck_assert_msg(body.ptr != NULL, "nothing was sent");
    ck_assert_msg(tusk_str_equal(body, expected), TUSK_STR_FMT, TUSK_STR_ARG(body));
}

static inline void rig_initial_is(rig *r, const char *mechanism, tusk_str expected)
{
    tusk_str body = rig_take(r), name, data;

    ck_assert_msg(body.ptr != NULL, "nothing was sent");
    ck_assert_int_eq(tusk__sasl_initial_response_read(body, &name, &data, NULL), TUSK_OK);
    ck_assert_msg(tusk_str_is(name, mechanism), TUSK_STR_FMT, TUSK_STR_ARG(name));
    ck_assert_int_eq(data.ptr == NULL, expected.ptr == NULL);
    ck_assert_msg(tusk_str_equal(data, expected), TUSK_STR_FMT, TUSK_STR_ARG(data));
}

#endif
