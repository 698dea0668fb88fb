/* Tests of the seam for mechanisms: what the login makes of what a mechanism says, and what it does not let it say. The mechanism
 * is one of ours that does as it is told.
 * Not tested here: mechanisms that exist (oauth_test …), what becomes of the connection (the scripted server's tests).
 * Read first: lib/mechanism.h, docs/internals/login.md. */
#include "test/login_rig.h"

/* ---- a mechanism that does as it is told -------------------------------------------------------------------------------- */

typedef struct order {
    tusk_code code;
    const char *says; /* NULL: nothing */
    tusk__standing standing;
} order;

typedef struct puppet {
    tusk__exchange *x;
    tusk__task task;
    bool is_alive;
} puppet;

static order orders[8]; /* for step() and resume(), in order; then "GOES_ON", nothing sent */
static int n_obeyed;
static order on_refused;
static bool is_slow; /* each function says TUSK_AGAIN first */
static char heard[128];
static int n_started, n_freed, n_resumed;
static tusk_code start_fails, check_fails;
static puppet the_puppet;

static tusk_code puppet_check(const tusk__settings *settings, tusk_error *err)
{
    ck_assert_ptr_ne(settings, NULL);
    return check_fails ? tusk__error_set(err, check_fails, NULL, "the puppet does not like it") : TUSK_OK;
}

static tusk_code puppet_start(tusk__exchange *x, void **state, tusk_error *err)
{
    if (start_fails)
        return tusk__error_set(err, start_fails, NULL, "no puppet today");
    the_puppet = (puppet){.x = x, .is_alive = true};
    *state = &the_puppet;
    n_started++;
    return TUSK_OK;
}

static tusk_code obey(const order *o, tusk__reply *reply, tusk_error *err)
{
    if (o->code != TUSK_OK)
        return tusk__error_set(err, o->code, NULL, "the puppet was told to fail");
    *reply = (tusk__reply){tusk_str_of(o->says), o->standing};
    return TUSK_OK;
}

static void wake_task(tusk__task *task)
{
    puppet *p = (puppet *)(void *)((char *)task - offsetof(puppet, task));

    tusk__exchange_wake(p->x);
}

static tusk_code think(puppet *p)
{
    tusk__loop_defer(p->x->loop, &p->task, wake_task);
    return TUSK_AGAIN;
}

static const order *next_order(void)
{
    return &orders[n_obeyed++];
}

static tusk_code puppet_step(void *state, tusk_str input, tusk__reply *reply, tusk_error *err)
{
    puppet *p = state;
    size_t len = strlen(heard);

    ck_assert(p->is_alive);
    snprintf(heard + len, sizeof heard - len, "[%.*s]", input.ptr ? (int)input.len : 5,
             input.ptr ? input.ptr : "asked");
    return is_slow ? think(p) : obey(next_order(), reply, err);
}

static tusk_code puppet_resume(void *state, tusk__reply *reply, tusk_error *err)
{
    puppet *p = state;

    ck_assert(p->is_alive);
    n_resumed++;
    return obey(p->x->is_refused ? &on_refused : next_order(), reply, err);
}

static tusk_code puppet_refused(void *state, tusk_error *error, tusk__reply *reply, tusk_error *err)
{
    ck_assert_int_ne(error->code, TUSK_OK);
    tusk__error_hint(error, tusk_str_of("Ask the puppet."));
    return is_slow ? think(state) : obey(&on_refused, reply, err);
}

static void puppet_free(void *state)
{
    puppet *p = state;

    ck_assert(p->is_alive);
    p->is_alive = false;
    tusk__task_cancel(&p->task);
    n_freed++;
}

#define PUPPET(puppet_name, puppet_method, is_sasl_one)                                                                \
    {                                                                                                                  \
        .name = (puppet_name), .method = (puppet_method), .is_sasl = (is_sasl_one), .check = puppet_check,             \
        .start = puppet_start, .step = puppet_step, .resume = puppet_resume, .refused = puppet_refused,                \
        .free = puppet_free                                                                                            \
    }

static const tusk_auth_mechanism gss_puppet = PUPPET("GSSAPI", TUSK__METHOD_GSS, false);
static const tusk_auth_mechanism sasl_puppet = PUPPET("OAUTHBEARER", TUSK__METHOD_OAUTH, true);
static const tusk_auth_mechanism *const both[] = {&gss_puppet, &sasl_puppet, NULL};

#define DSN "host=db1 user=alice dbname=app password=pw "
#define OFFER "OAUTHBEARER\0"

static tusk_config with(const char *dsn)
{
    return (tusk_config){.dsn = dsn, .auth_mechanisms = both, .ignore_environment = true};
}

static void begin(rig *r, const char *dsn)
{
    tusk_config config = with(dsn);

    rig_begin(r, &config);
}

static void set_up(void)
{
    rig_set_up();
    memset(orders, 0, sizeof orders);
    on_refused = (order){TUSK_OK, NULL, TUSK__STANDING_REFUSED};
    n_obeyed = n_started = n_freed = n_resumed = 0;
    is_slow = false;
    heard[0] = '\0';
    start_fails = check_fails = TUSK_OK;
}

static void tear_down(void)
{
    ck_assert_int_eq(n_started, n_freed);
    rig_tear_down();
}

/* ---- the way in --------------------------------------------------------------------------------------------------------- */

/* Each conversation twice: the mechanism answers at once, and later. */
START_TEST(gss_goes_to_and_fro_until_it_is_done)
{
    rig r;

    is_slow = _i;
    orders[0] = (order){TUSK_OK, "one", TUSK__STANDING_GOES_ON};
    orders[1] = (order){TUSK_OK, "two", TUSK__STANDING_GOES_ON};
    orders[2] = (order){TUSK_OK, NULL, TUSK__STANDING_DONE};
    begin(&r, DSN "require_auth=gss");
    rig_ask(&r, TUSK__AUTH_GSS, LITERAL(""));
    rig_hear_ok(&r);
    rig_answer_is(&r, LITERAL("one"));
    rig_ask(&r, TUSK__AUTH_GSS_CONTINUE, LITERAL("a"));
    rig_hear_ok(&r);
    rig_answer_is(&r, LITERAL("two"));
    rig_ask(&r, TUSK__AUTH_GSS_CONTINUE, LITERAL("b"));
    rig_send_welcome(&r);
    rig_hear_ok(&r);
    ck_assert_ptr_eq(rig_take(&r).ptr, NULL);
    ck_assert(r.is_ready);
    ck_assert_str_eq(heard, "[asked][a][b]");
    ck_assert_int_eq(r.n_waits, _i * 3);
    ck_assert_int_eq(n_resumed, _i * 3);
    rig_end(&r);
}
END_TEST

START_TEST(sasl_begins_with_its_name_and_may_end_without_server_final)
{
    rig r;

    is_slow = _i;
    orders[0] = (order){TUSK_OK, "token", TUSK__STANDING_DONE};
    begin(&r, DSN "require_auth=oauth");
    rig_ask(&r, TUSK__AUTH_SASL, LITERAL(OFFER));
    rig_hear_ok(&r);
    rig_initial_is(&r, "OAUTHBEARER", LITERAL("token"));
    rig_send_welcome(&r);
    rig_hear_ok(&r);
    ck_assert(r.is_ready);
    rig_end(&r);
}
END_TEST

START_TEST(sasl_without_an_initial_response_is_not_an_empty_one)
{
    rig r;

    orders[1] = (order){TUSK_OK, "", TUSK__STANDING_DONE};
    begin(&r, DSN);
    rig_ask(&r, TUSK__AUTH_SASL, LITERAL(OFFER));
    rig_hear_ok(&r);
    rig_initial_is(&r, "OAUTHBEARER", (tusk_str){NULL, 0});
    rig_ask(&r, TUSK__AUTH_SASL_CONTINUE, LITERAL("go on"));
    rig_hear_ok(&r);
    rig_answer_is(&r, LITERAL(""));
    ck_assert_str_eq(heard, "[asked][go on]");
    rig_end(&r);
}
END_TEST

START_TEST(sspi_is_answered_by_gss)
{
    rig r;

    orders[0] = (order){TUSK_OK, "one", TUSK__STANDING_GOES_ON};
    begin(&r, DSN "require_auth=sspi");
    rig_ask(&r, TUSK__AUTH_SSPI, LITERAL(""));
    rig_hear_ok(&r);
    rig_answer_is(&r, LITERAL("one"));
    rig_end(&r);
}
END_TEST

/* ---- which one ---------------------------------------------------------------------------------------------------------- */

#define PLUS "SCRAM-SHA-256-PLUS\0"
#define PLAIN "SCRAM-SHA-256\0"

static const struct {
    tusk_str offer;
    const char *dsn, *tls, *chosen; /* NULL: refused */
} offers[] = {
    {{OFFER, sizeof OFFER - 1}, DSN, "", "OAUTHBEARER"},
    {{OFFER PLAIN, sizeof OFFER PLAIN - 1}, DSN, "", "OAUTHBEARER"},
    {{PLAIN OFFER, sizeof PLAIN OFFER - 1}, DSN, "", "SCRAM-SHA-256"},
    {{"X-NEW\0" OFFER PLAIN, sizeof "X-NEW\0" OFFER PLAIN - 1}, DSN, "", "OAUTHBEARER"},
    {{"OAUTHBEARER2\0" PLAIN, sizeof "OAUTHBEARER2\0" PLAIN - 1}, DSN, "", "SCRAM-SHA-256"},
    {{OFFER PLUS PLAIN, sizeof OFFER PLUS PLAIN - 1}, DSN "channel_binding=disable", "TLSv1.3", "OAUTHBEARER"},
    {{PLUS OFFER PLAIN, sizeof PLUS OFFER PLAIN - 1}, DSN "channel_binding=disable", "TLSv1.3", "OAUTHBEARER"},
    {{PLUS PLAIN OFFER, sizeof PLUS PLAIN OFFER - 1}, DSN "channel_binding=disable", "TLSv1.3", "SCRAM-SHA-256"},
    /* the server's choice is not ours to better: as libpq */
    {{OFFER PLAIN, sizeof OFFER PLAIN - 1}, DSN "require_auth=scram-sha-256", "", NULL},
    {{PLAIN OFFER, sizeof PLAIN OFFER - 1}, DSN "require_auth=oauth", "", NULL},
    {{OFFER, sizeof OFFER - 1}, DSN "require_auth=!oauth", "", NULL},
    {{OFFER, sizeof OFFER - 1}, DSN "require_auth=gss", "", NULL},
    {{OFFER PLUS, sizeof OFFER PLUS - 1}, DSN, "", NULL}, /* a lie */
    {{"X-NEW\0", sizeof "X-NEW\0" - 1}, DSN, "", NULL},
    {{"", 0}, DSN, "", NULL},
};

START_TEST(the_servers_first_is_taken)
{
    rig r;

    link_tls = offers[_i].tls;
    orders[0] = (order){TUSK_OK, "token", TUSK__STANDING_DONE};
    begin(&r, offers[_i].dsn);
    rig_ask(&r, TUSK__AUTH_SASL, offers[_i].offer);
    if (offers[_i].chosen) {
        tusk_str body, name, data;

        rig_hear_ok(&r);
        body = rig_take(&r);
        ck_assert_int_eq(tusk__sasl_initial_response_read(body, &name, &data, NULL), TUSK_OK);
        ck_assert_msg(tusk_str_is(name, offers[_i].chosen), TUSK_STR_FMT, TUSK_STR_ARG(name));
    } else {
        ck_assert_int_ne(rig_hear(&r), TUSK_OK);
        ck_assert_ptr_eq(rig_take(&r).ptr, NULL);
        ck_assert_int_eq(n_started, 0);
    }
    rig_end(&r);
}
END_TEST

START_TEST(what_is_not_named_is_refused_and_the_hint_names_it)
{
    static const struct {
        uint32_t kind;
        tusk_str data;
        const char *message, *hint;
    } rows[] = {
        {TUSK__AUTH_GSS,
         {"", 0},
         "the server asks for GSSAPI authentication, which is not supported",
         "Name tusk_gssapi() in tusk_config.auth_mechanisms."},
        {TUSK__AUTH_SSPI,
         {"", 0},
         "the server asks for SSPI authentication, which is not supported",
         "Name tusk_gssapi() in tusk_config.auth_mechanisms."},
        {TUSK__AUTH_SASL,
         {OFFER, sizeof OFFER - 1},
         "the server offers no SASL mechanism that can be used here",
         "Name tusk_oauth() in tusk_config.auth_mechanisms."},
        {TUSK__AUTH_SASL, {"X-NEW\0", 6}, "the server offers no SASL mechanism that can be used here", ""},
    };
    rig r;

    for (int i = 0; i < N_OF(rows); i++) {
        rig_begin(&r, &(tusk_config){.dsn = DSN, .ignore_environment = true});
        rig_ask(&r, rows[i].kind, rows[i].data);
        rig_hear_refused(&r, TUSK_ERR_AUTH, "28000", rows[i].message);
        ck_assert_str_eq(r.err.hint, rows[i].hint);
        rig_end(&r);
    }
}
END_TEST

/* ---- D24: AuthenticationOk counts behind the mechanism's word alone -------------------------------------------------------- */

START_TEST(d24_authentication_ok_in_the_middle)
{
    rig r;

    orders[0] = (order){TUSK_OK, "one", TUSK__STANDING_GOES_ON};
    begin(&r, DSN);
    rig_ask(&r, _i ? TUSK__AUTH_SASL : TUSK__AUTH_GSS, _i ? LITERAL(OFFER) : LITERAL(""));
    rig_hear_ok(&r);
    rig_take(&r);
    rig_send_welcome(&r);
    ck_assert_int_eq(rig_hear(&r), TUSK_ERR_PROTOCOL);
    ck_assert(!r.is_ready);
    rig_end(&r);
}
END_TEST

/* Without the session in between. */
START_TEST(d24_the_machine_itself_wants_the_mechanisms_word)
{
    const tusk__event ok = {.kind = TUSK__EV_AUTHENTICATION, .authentication = {.kind = TUSK__AUTH_OK}};
    rig r;

    begin(&r, DSN);
    rig_ask(&r, TUSK__AUTH_GSS, LITERAL(""));
    rig_hear_ok(&r);
    ck_assert_int_eq(tusk__login_event(r.login, &r.session, &ok, &r.out, &r.err), TUSK_ERR_PROTOCOL);
    ck_assert_str_eq(r.err.message, "AuthenticationOk before GSSAPI was at its end");
    rig_end(&r);
}
END_TEST

START_TEST(d24_what_goes_on_takes_back_that_it_was_done)
{
    rig r;

    orders[0] = (order){TUSK_OK, "token", TUSK__STANDING_DONE};
    orders[1] = (order){TUSK_OK, "\1", TUSK__STANDING_REFUSED};
    begin(&r, DSN);
    rig_ask(&r, TUSK__AUTH_SASL, LITERAL(OFFER));
    rig_ask(&r, TUSK__AUTH_SASL_CONTINUE, LITERAL("{}"));
    rig_hear_ok(&r);
    r.taken = r.out.len;
    rig_send_welcome(&r);
    ck_assert_int_eq(rig_hear(&r), TUSK_ERR_PROTOCOL);
    ck_assert(!r.is_ready);
    rig_end(&r);
}
END_TEST

START_TEST(d24_require_is_never_satisfied)
{
    rig r;

    link_tls = "TLSv1.3";
    begin(&r, DSN "sslmode=verify-full channel_binding=require");
    rig_ask(&r, _i ? TUSK__AUTH_SASL : TUSK__AUTH_GSS, _i ? LITERAL(OFFER) : LITERAL(""));
    rig_hear_refused(&r, TUSK_ERR_AUTH, "28000",
                     _i ? "channel binding is required, but the server asks for OAUTHBEARER authentication"
                        : "channel binding is required, but the server asks for GSSAPI authentication");
    ck_assert_int_eq(n_started, 0);
    rig_end(&r);
}
END_TEST

START_TEST(an_end_that_has_not_come_is_no_answer_to_require_auth)
{
    rig r;

    orders[0] = (order){TUSK_OK, "token", TUSK__STANDING_DONE};
    begin(&r, DSN "require_auth=oauth");
    rig_send_welcome(&r); /* let in unasked */
    rig_hear_refused(&r, TUSK_ERR_AUTH, "28000",
                     "the server asks for no authentication, which require_auth=oauth does not allow");
    rig_end(&r);
}
END_TEST

/* ---- failures ------------------------------------------------------------------------------------------------------------- */

START_TEST(an_error_of_the_mechanisms_is_the_logins)
{
    rig r;

    is_slow = _i == 1;
    start_fails = _i == 2 ? TUSK_ERR_NOMEM : TUSK_OK;
    orders[0] = (order){TUSK_ERR_AUTH, NULL, TUSK__STANDING_GOES_ON};
    begin(&r, DSN);
    rig_ask(&r, TUSK__AUTH_GSS, LITERAL(""));
    if (_i == 2)
        rig_hear_refused(&r, TUSK_ERR_NOMEM, "53200", "no puppet today");
    else
        rig_hear_refused(&r, TUSK_ERR_AUTH, "28000", "the puppet was told to fail");
    ck_assert_str_eq(r.err.where, "login");
    ck_assert(!tusk__login_wants_retry(r.login));
    rig_end(&r);
}
END_TEST

START_TEST(an_answer_that_no_server_takes_is_not_sent)
{
    static char longest[TUSK__AUTH_TOKEN_MAX + 2];
    rig r;

    memset(longest, 'x', TUSK__AUTH_TOKEN_MAX + (size_t)_i);
    longest[TUSK__AUTH_TOKEN_MAX + _i] = '\0';
    orders[0] = (order){TUSK_OK, longest, TUSK__STANDING_GOES_ON};
    begin(&r, DSN);
    rig_ask(&r, TUSK__AUTH_GSS, LITERAL(""));
    if (_i == 0)
        rig_hear_ok(&r);
    else
        rig_hear_refused(&r, TUSK_ERR_LIMIT, "54000", "an answer of GSSAPI is longer than a server takes");
    rig_end(&r);
}
END_TEST

START_TEST(the_configuration_is_the_mechanisms_to_judge)
{
    tusk_config config = with(DSN);
    rig r;

    check_fails = TUSK_ERR_CONFIG;
    ck_assert_int_eq(rig_try_begin(&r, &config), TUSK_ERR_CONFIG);
    ck_assert_str_eq(r.err.message, "the puppet does not like it");
    ck_assert_str_eq(r.err.where, "configuration");
}
END_TEST

START_TEST(a_login_may_be_freed_while_its_mechanism_thinks)
{
    rig r;

    is_slow = true;
    begin(&r, DSN);
    rig_ask(&r, TUSK__AUTH_GSS, LITERAL(""));
    ck_assert_int_eq(rig_hear_one(&r), TUSK_AGAIN);
    ck_assert(tusk__login_is_waiting(r.login));
    rig_end(&r);
    ck_assert_int_eq(n_freed, 1);
    ck_assert_int_eq(tusk_loop_turn(loop, 0, NULL), TUSK_OK);
    ck_assert_int_eq(n_resumed, 0);
}
END_TEST

/* ---- refusals, and beginning again ------------------------------------------------------------------------------------------ */

static void be_refused(rig *r)
{
    rig_ask(r, TUSK__AUTH_SASL, LITERAL(OFFER));
    rig_hear_ok(r);
    rig_take(r);
    rig_send_error(r, "28000", "no");
    ck_assert_int_eq(rig_hear(r), TUSK_ERR_AUTH);
    ck_assert_str_eq(r->err.message, "no");
    ck_assert_str_eq(r->err.hint, "Ask the puppet.");
    ck_assert_int_eq(r->err.fate, TUSK_FATE_NOT_SENT);
}

START_TEST(a_refusal_is_the_servers_and_the_mechanism_may_add_to_it)
{
    rig r;

    is_slow = _i;
    orders[0] = (order){TUSK_OK, "token", TUSK__STANDING_DONE};
    begin(&r, DSN);
    be_refused(&r);
    ck_assert(!tusk__login_wants_retry(r.login));
    rig_end(&r);
}
END_TEST

START_TEST(a_failure_of_the_mechanisms_is_told_instead_of_the_refusal)
{
    rig r;

    is_slow = _i;
    on_refused = (order){TUSK_ERR_NOMEM, NULL, TUSK__STANDING_REFUSED};
    begin(&r, DSN);
    rig_ask(&r, TUSK__AUTH_SASL, LITERAL(OFFER));
    rig_hear_ok(&r);
    rig_take(&r);
    rig_send_error(&r, "28000", "no");
    rig_hear_refused(&r, TUSK_ERR_NOMEM, "53200", "the puppet was told to fail");
    ck_assert(!tusk__login_wants_retry(r.login));
    rig_end(&r);
}
END_TEST

START_TEST(an_exchange_begins_again_once)
{
    rig r;

    is_slow = _i;
    on_refused.standing = TUSK__STANDING_BEGINS_AGAIN;
    orders[0] = (order){TUSK_OK, "what?", TUSK__STANDING_GOES_ON};
    orders[1] = (order){TUSK_OK, "token", TUSK__STANDING_DONE};
    begin(&r, DSN);
    be_refused(&r);
    rig_begin_again(&r);
    ck_assert_int_eq(n_freed, 0);
    rig_ask(&r, TUSK__AUTH_SASL, LITERAL(OFFER));
    rig_hear_ok(&r);
    rig_initial_is(&r, "OAUTHBEARER", LITERAL("token"));
    ck_assert_int_eq(n_started, 1);
    ck_assert_str_eq(heard, "[asked][asked]");
    rig_send_error(&r, "28000", "no again");
    ck_assert_int_eq(rig_hear(&r), TUSK_ERR_AUTH);
    ck_assert(!tusk__login_wants_retry(r.login)); /* whatever it wishes */
    rig_end(&r);
}
END_TEST

START_TEST(an_exchange_that_is_not_asked_for_again_is_let_go)
{
    rig r;

    on_refused.standing = TUSK__STANDING_BEGINS_AGAIN;
    begin(&r, DSN);
    be_refused(&r);
    rig_begin_again(&r);
    rig_ask(&r, TUSK__AUTH_GSS, LITERAL(""));
    rig_hear_ok(&r);
    ck_assert_int_eq(n_started, 2);
    rig_end(&r);
}
END_TEST

START_TEST(d24_a_repeated_exchange_is_not_done_yet)
{
    rig r;

    on_refused.standing = TUSK__STANDING_BEGINS_AGAIN;
    orders[0] = (order){TUSK_OK, "token", TUSK__STANDING_DONE};
    begin(&r, DSN "require_auth=oauth");
    be_refused(&r);
    rig_begin_again(&r);
    rig_send_welcome(&r);
    rig_hear_refused(&r, TUSK_ERR_AUTH, "28000",
                     "the server asks for no authentication, which require_auth=oauth does not allow");
    rig_end(&r);
}
END_TEST

/* Behind AuthenticationOk an error is not about the login any more. */
START_TEST(an_error_behind_the_end_is_not_the_mechanisms)
{
    rig r;

    on_refused.standing = TUSK__STANDING_BEGINS_AGAIN;
    orders[0] = (order){TUSK_OK, "token", TUSK__STANDING_DONE};
    begin(&r, DSN);
    rig_ask(&r, TUSK__AUTH_SASL, LITERAL(OFFER));
    rig_hear_ok(&r);
    rig_ask(&r, TUSK__AUTH_OK, LITERAL(""));
    rig_send_error(&r, "3D000", "no such database");
    ck_assert_int_eq(rig_hear(&r), TUSK_ERR_CONNECT);
    ck_assert_str_eq(r.err.hint, "");
    ck_assert(!tusk__login_wants_retry(r.login));
    rig_end(&r);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    int n_failed = 0;

    for (long n = 1;; n++) {
        tusk_config config = with(DSN);
        tusk_code code;
        rig r;

        memory.n_calls = 0;
        memory.fail_at = n;
        n_obeyed = 0;
        orders[0] = (order){TUSK_OK, "token", TUSK__STANDING_DONE};
        code = rig_try_begin(&r, &config);
        if (code == TUSK_OK) {
            rig_ask(&r, TUSK__AUTH_SASL, LITERAL(OFFER));
            code = rig_hear(&r);
        }
        memory.fail_at = 0;
        ck_assert_msg(code == TUSK_OK || code == TUSK_ERR_NOMEM, "allocation %ld: %s", n, tusk_code_name(code));
        n_failed += code != TUSK_OK;
        rig_end(&r);
        if (memory.n_calls < n)
            break;
    }
    ck_assert_int_ge(n_failed, 4); /* settings, login, StartupMessage, exchange */
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("mechanism");
    TCase *in = tcase_create("in"), *which = tcase_create("which"), *d24 = tcase_create("d24"),
          *failures = tcase_create("failures"), *again = tcase_create("again");
    TCase *all[] = {in, which, d24, failures, again};

    for (int i = 0; i < N_OF(all); i++) {
        tcase_add_checked_fixture(all[i], set_up, tear_down);
        suite_add_tcase(suite, all[i]);
    }
    tcase_add_loop_test(in, gss_goes_to_and_fro_until_it_is_done, 0, 2);
    tcase_add_loop_test(in, sasl_begins_with_its_name_and_may_end_without_server_final, 0, 2);
    tcase_add_test(in, sasl_without_an_initial_response_is_not_an_empty_one);
    tcase_add_test(in, sspi_is_answered_by_gss);

    tcase_add_loop_test(which, the_servers_first_is_taken, 0, N_OF(offers));
    tcase_add_test(which, what_is_not_named_is_refused_and_the_hint_names_it);

    tcase_add_loop_test(d24, d24_authentication_ok_in_the_middle, 0, 2);
    tcase_add_test(d24, d24_the_machine_itself_wants_the_mechanisms_word);
    tcase_add_test(d24, d24_what_goes_on_takes_back_that_it_was_done);
    tcase_add_loop_test(d24, d24_require_is_never_satisfied, 0, 2);
    tcase_add_test(d24, an_end_that_has_not_come_is_no_answer_to_require_auth);

    tcase_add_loop_test(failures, an_error_of_the_mechanisms_is_the_logins, 0, 3);
    tcase_add_loop_test(failures, an_answer_that_no_server_takes_is_not_sent, 0, 2);
    tcase_add_test(failures, the_configuration_is_the_mechanisms_to_judge);
    tcase_add_test(failures, a_login_may_be_freed_while_its_mechanism_thinks);
    tcase_add_test(failures, every_allocation_may_fail);

    tcase_add_loop_test(again, a_refusal_is_the_servers_and_the_mechanism_may_add_to_it, 0, 2);
    tcase_add_loop_test(again, a_failure_of_the_mechanisms_is_told_instead_of_the_refusal, 0, 2);
    tcase_add_loop_test(again, an_exchange_begins_again_once, 0, 2);
    tcase_add_test(again, an_exchange_that_is_not_asked_for_again_is_let_go);
    tcase_add_test(again, d24_a_repeated_exchange_is_not_done_yet);
    tcase_add_test(again, an_error_behind_the_end_is_not_the_mechanisms);
    return suite;
}
