/* Tests of lib/gss.c over a Kerberos library of our own, which plays a list of steps, or hangs until it is let go: what is asked of it,
 * by which thread, what its answers come to, and that all it hands out is given back.
 * The real one is in test/live/gss_live_test.c. Read first: docs/internals/login.md, "GSSAPI". */
#include <check.h>

#include "test/harness/harness.h"

#ifdef HAVE_GSSAPI

#define gss_import_name fake_import_name
#define gss_release_name fake_release_name
#define gss_init_sec_context fake_init_sec_context
#define gss_delete_sec_context fake_delete_sec_context
#define gss_display_status fake_display_status
#define gss_release_buffer fake_release_buffer
#define GSS_C_NT_HOSTBASED_SERVICE fake_hostbased_service
#include "lib/gss.c"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <tusk/tusk.h>

#include "test/harness/fail_alloc.h"
#include "test/harness/script_server.h"

#define N_OF(array) (int)(sizeof(array) / sizeof(array)[0])

/* ---- the library ------------------------------------------------------------------------------------------------------------ */

typedef struct step_of {
    OM_uint32 major, minor;
    const char *output; /* NULL: none */
    OM_uint32 granted;
    bool hangs; /* until let_go() */
} step_of;

static const step_of *steps;
static OM_uint32 import_major;
static size_t long_output; /* in place of each one */

/* What it saw. The tests read it while no thread is in it. */
static atomic_int n_out, n_inside, n_steps; /* blocks that are not given back; threads that hang; calls */
static char service[128], inputs[256];
static OM_uint32 flags;
static pthread_t loops_thread;

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_moved = PTHREAD_COND_INITIALIZER;
static bool is_open;

struct gss_name_struct {
    int nothing;
};
struct gss_ctx_id_struct {
    int nothing;
};
static struct gss_name_struct the_name;
static struct gss_ctx_id_struct the_context;
gss_OID fake_hostbased_service;

static void hang(void)
{
    pthread_mutex_lock(&gate);
    n_inside++;
    pthread_cond_broadcast(&gate_moved);
    while (!is_open)
        pthread_cond_wait(&gate_moved, &gate);
    n_inside--;
    pthread_mutex_unlock(&gate);
}

static void let_go(void)
{
    pthread_mutex_lock(&gate);
    is_open = true;
    pthread_cond_broadcast(&gate_moved);
    pthread_mutex_unlock(&gate);
}

static void not_on_the_loop(void)
{
    ck_assert(!pthread_equal(pthread_self(), loops_thread));
}

OM_uint32 fake_import_name(OM_uint32 *minor, gss_buffer_t name, gss_OID type, gss_name_t *out)
{
    not_on_the_loop();
    ck_assert_ptr_eq(type, fake_hostbased_service);
    (void)snprintf(service, sizeof service, "%.*s", (int)name->length, (const char *)name->value);
    *minor = 0;
    if (import_major != GSS_S_COMPLETE)
        return import_major;
    n_out++;
    *out = &the_name;
    return GSS_S_COMPLETE;
}

OM_uint32 fake_release_name(OM_uint32 *minor, gss_name_t *name)
{
    ck_assert_ptr_eq(*name, &the_name);
    *minor = 0;
    *name = GSS_C_NO_NAME;
    n_out--;
    return GSS_S_COMPLETE;
}

static void give(gss_buffer_t to, const char *text)
{
    size_t len = long_output > 0 ? long_output : strlen(text);

    to->value = malloc(len);
    ck_assert_ptr_nonnull(to->value);
    if (long_output > 0)
        memset(to->value, 'x', len);
    else
        memcpy(to->value, text, len);
    to->length = len;
    n_out++;
}

static void note_input(const gss_buffer_desc *input)
{
    size_t len = strlen(inputs);

    (void)snprintf(inputs + len, sizeof inputs - len, "%s%.*s", len > 0 ? " " : "", (int)(input ? input->length : 4),
                   input ? (const char *)input->value : "none");
}

OM_uint32 fake_init_sec_context(OM_uint32 *minor, gss_cred_id_t credential, gss_ctx_id_t *context, gss_name_t target,
                                gss_OID mechanism, OM_uint32 wanted, OM_uint32 seconds, gss_channel_bindings_t bindings,
                                gss_buffer_t input, gss_OID *actual, gss_buffer_t output, OM_uint32 *granted,
                                OM_uint32 *lifetime)
{
    const step_of *is = &steps[n_steps++];

    not_on_the_loop();
    ck_assert_ptr_eq(target, &the_name);
    ck_assert(credential == GSS_C_NO_CREDENTIAL && mechanism == GSS_C_NO_OID && seconds == 0);
    ck_assert(bindings == GSS_C_NO_CHANNEL_BINDINGS && !actual && !lifetime);
    ck_assert_uint_eq(output->length, 0);
    flags = wanted;
    note_input(input);
    if (is->hangs)
        hang();
    if (*context == GSS_C_NO_CONTEXT) {
        *context = &the_context;
        n_out++;
    }
    if (is->output)
        give(output, is->output);
    *minor = is->minor;
    *granted = is->granted;
    return is->major;
}

OM_uint32 fake_delete_sec_context(OM_uint32 *minor, gss_ctx_id_t *context, gss_buffer_t token)
{
    ck_assert_ptr_eq(*context, &the_context);
    ck_assert_ptr_null(token);
    *minor = 0;
    *context = GSS_C_NO_CONTEXT;
    n_out--;
    return GSS_S_COMPLETE;
}

OM_uint32 fake_release_buffer(OM_uint32 *minor, gss_buffer_t buffer)
{
    *minor = 0;
    if (buffer->value)
        n_out--;
    free(buffer->value);
    *buffer = (gss_buffer_desc){0, NULL};
    return GSS_S_COMPLETE;
}

/* The text of a code, which may have two parts, or none. */
static const struct {
    OM_uint32 status;
    int type;
    const char *first, *second;
} texts[] = {
    {GSS_S_FAILURE, GSS_C_GSS_CODE, "General failure", NULL},
    {GSS_S_NO_CRED, GSS_C_GSS_CODE, "No credentials", "at all"},
    {GSS_S_CREDENTIALS_EXPIRED, GSS_C_GSS_CODE, "Expired credentials", NULL},
    {GSS_S_BAD_NAME, GSS_C_GSS_CODE, "Bad name", NULL},
    {1, GSS_C_MECH_CODE, "The ticket\nis odd", NULL},
    {2, GSS_C_MECH_CODE, "One", "two"},
};

OM_uint32 fake_display_status(OM_uint32 *minor, OM_uint32 status, int type, gss_OID mechanism, OM_uint32 *more,
                              gss_buffer_t text)
{
    not_on_the_loop(); /* the real one keeps a mechanism's texts with the thread of the call */
    ck_assert(mechanism == GSS_C_NO_OID);
    *minor = 0;
    for (int i = 0; i < N_OF(texts); i++) {
        if (texts[i].status != status || texts[i].type != type)
            continue;
        give(text, *more ? texts[i].second : texts[i].first);
        *more = !*more && texts[i].second;
        return GSS_S_COMPLETE;
    }
    return GSS_S_BAD_STATUS;
}

/* ---- a loop, a server, a connection ------------------------------------------------------------------------------------------ */

#define ASK "expect startup\nsend auth gss\n"
#define IN "send auth ok; status server_version 15.1; key 7 abcd; ready I\nexpect terminate\n"
#define MUTUAL GSS_C_MUTUAL_FLAG

static tusk_loop *loop;
static tusk_conn *conn;
static script_server *server;
static fail_alloc heap;
static int fds_before;
static char logged[256];

static void on_log(tusk_log_level level, tusk_str message, void *user)
{
    (void)level, (void)user;
    (void)snprintf(logged, sizeof logged, TUSK_STR_FMT, TUSK_STR_ARG(message));
}

static void set_up(void)
{
    fds_before = harness_open_fds();
    fail_alloc_init(&heap, 0, false);
    loop = tusk_loop_open(&(tusk_loop_config){.allocator = &heap.allocator, .on_log = on_log}, NULL);
    ck_assert_ptr_nonnull(loop);
    loops_thread = pthread_self();
    import_major = GSS_S_COMPLETE;
    long_output = 0;
    n_steps = 0;
    service[0] = inputs[0] = logged[0] = '\0';
    is_open = false;
    server = NULL;
    conn = NULL;
}

/* A thread that was given up comes back in its own time. */
static void await_all_given_back(void)
{
    for (int i = 0; i < 1000000 && (n_out > 0 || heap.live > 0 || harness_open_fds() != fds_before); i++)
        sched_yield();
    ck_assert_int_eq(n_out, 0);
    ck_assert_int_eq(heap.live, 0);
    ck_assert_int_eq(harness_open_fds(), fds_before);
}

static void tear_down(void)
{
    tusk_conn_free(conn);
    tusk_loop_free(loop);
    if (server)
        (void)script_stop(server);
    let_go();
    await_all_given_back();
}

static void open_with(const char *parameters, double timeout)
{
    const tusk_auth_mechanism *const mechanisms[] = {tusk_gssapi(), NULL};
    char dsn[256];

    (void)snprintf(dsn, sizeof dsn, "port=%d user=app password=unasked sslmode=disable %s", script_port(server),
                   parameters);
    conn = tusk_conn_open(loop, &(tusk_config){.dsn = dsn, .auth_mechanisms = mechanisms, .connect_timeout = timeout});
}

static void open_to(const char *script, const step_of *play)
{
    steps = play;
    server = script_start(script);
    ck_assert_ptr_nonnull(server);
    open_with("host=localhost hostaddr=127.0.0.1", 0);
}

static tusk_code await_ready(tusk_error *err)
{
    return tusk_await_free(tusk_conn_ready(conn), err);
}

static void all_went_as_written(void)
{
    const char *wrong = script_stop(server);

    server = NULL;
    ck_assert_msg(!wrong, "%s", wrong);
}

static void disconnect(void)
{
    ck_assert_int_eq(tusk_await_free(tusk_close(conn), NULL), TUSK_OK);
    tusk_conn_free(conn);
    conn = NULL;
    all_went_as_written();
}

/* ---- it goes well ------------------------------------------------------------------------------------------------------------ */

static const step_of two_steps[] = {{GSS_S_CONTINUE_NEEDED, 0, "ours-1", 0, false},
                                    {GSS_S_CONTINUE_NEEDED, 0, "ours-2", MUTUAL, false},
                                    {GSS_S_COMPLETE, 0, NULL, MUTUAL, false}};

/* … asked for by either of its names. */
START_TEST(tokens_go_both_ways_until_all_is_proved)
{
    static const char *const scripts[] = {
        ASK "expect password ours-1\nsend auth gss_continue theirs-1\nexpect password ours-2\n"
            "send auth gss_continue theirs-2\n" IN,
        "expect startup\nsend auth sspi\nexpect password ours-1\nsend auth gss_continue theirs-1\n"
        "expect password ours-2\nsend auth gss_continue theirs-2\n" IN};
    tusk_error err = {0};

    open_to(scripts[_i], two_steps);
    ck_assert_msg(await_ready(&err) == TUSK_OK, "%s", err.message);
    ck_assert_str_eq(service, "postgres@localhost");
    ck_assert_str_eq(inputs, "none theirs-1 theirs-2");
    ck_assert_uint_eq(flags, MUTUAL);
    ck_assert_int_eq(n_out, 0); /* nothing of it is kept behind the login */
    disconnect();
}
END_TEST

/* A mechanism may have the last word: it is sent, and the end is the end. */
START_TEST(a_last_token_is_sent)
{
    static const step_of play[] = {{GSS_S_COMPLETE, 0, "all-in-one", MUTUAL, false}};

    open_to(ASK "expect password all-in-one\n" IN, play);
    ck_assert_int_eq(await_ready(NULL), TUSK_OK);
    disconnect();
}
END_TEST

static const struct {
    const char *parameters, *service;
    OM_uint32 flags, granted;
    bool is_told;
} asked[] = {
    {"krbsrvname=billing", "billing@localhost", MUTUAL, MUTUAL, false},
    {"gssdelegation=0", "postgres@localhost", MUTUAL, MUTUAL, false},
    {"gssdelegation=1", "postgres@localhost", MUTUAL | GSS_C_DELEG_FLAG, MUTUAL | GSS_C_DELEG_FLAG, false},
    {"gssdelegation=1", "postgres@localhost", MUTUAL | GSS_C_DELEG_FLAG, MUTUAL, true},
    {"gssencmode=prefer", "postgres@localhost", MUTUAL, MUTUAL, false},
};

START_TEST(parameters_say_which_service_and_what_it_may_have)
{
    const step_of play[] = {{GSS_S_COMPLETE, 0, "token", asked[_i].granted, false}};
    char parameters[128];

    steps = play;
    server = script_start(ASK "expect password token\n" IN);
    (void)snprintf(parameters, sizeof parameters, "host=localhost hostaddr=127.0.0.1 %s", asked[_i].parameters);
    open_with(parameters, 0);
    ck_assert_int_eq(await_ready(NULL), TUSK_OK);
    ck_assert_str_eq(service, asked[_i].service);
    ck_assert_uint_eq(flags, asked[_i].flags);
    ck_assert_str_eq(logged, asked[_i].is_told ? "gssdelegation=1, but the ticket could not be handed on to "
                                                 "postgres@localhost: is it forwardable?"
                                               : "");
    disconnect();
}
END_TEST

/* ---- it does not ------------------------------------------------------------------------------------------------------------- */

#define HINT "Get a ticket by kinit. KRB5CCNAME says where tickets are looked for."

static const struct {
    step_of step;
    const char *message, *detail, *hint;
} failures[] = {
    {{GSS_S_FAILURE, 1, NULL, 0, false}, "GSSAPI for postgres@localhost: The ticket is odd", "General failure", ""},
    {{GSS_S_FAILURE, 2, NULL, 0, false}, "GSSAPI for postgres@localhost: One two", "General failure", ""},
    {{GSS_S_FAILURE, 0, NULL, 0, false}, "GSSAPI for postgres@localhost: General failure", "", ""},
    {{GSS_S_FAILURE, 77, NULL, 0, false}, "GSSAPI for postgres@localhost: General failure", "", ""},
    {{GSS_S_NO_CRED, 1, NULL, 0, false},
     "GSSAPI for postgres@localhost: The ticket is odd",
     "No credentials at all",
     HINT},
    {{GSS_S_CREDENTIALS_EXPIRED, 0, NULL, 0, false}, "GSSAPI for postgres@localhost: Expired credentials", "", HINT},
    {{GSS_S_FAILURE, 1, "an-error-token", 0, false},
     "GSSAPI for postgres@localhost: The ticket is odd",
     "General failure",
     ""},
    {{GSS_S_COMPLETE, 0, "token", 0, false}, "GSSAPI for postgres@localhost: the server has not proved itself", "", ""},
};

START_TEST(what_the_library_says_is_the_error_of_the_login)
{
    tusk_error err = {0};
    char where[64];

    open_to(ASK "expect eof\n", &failures[_i].step);
    ck_assert_int_eq(await_ready(&err), TUSK_ERR_AUTH);
    ck_assert_str_eq(err.sqlstate, "28000");
    ck_assert_str_eq(err.message, failures[_i].message);
    ck_assert_str_eq(err.detail, failures[_i].detail);
    ck_assert_str_eq(err.hint, failures[_i].hint);
    (void)snprintf(where, sizeof where, "connect localhost:%d: login", script_port(server));
    ck_assert_str_eq(err.where, where);
    ck_assert_int_eq(err.fate, TUSK_FATE_NOT_SENT);
    all_went_as_written();
}
END_TEST

START_TEST(a_name_that_cannot_be_one_is_an_error)
{
    tusk_error err = {0};

    import_major = GSS_S_BAD_NAME;
    open_to(ASK "expect eof\n", two_steps);
    ck_assert_int_eq(await_ready(&err), TUSK_ERR_AUTH);
    ck_assert_str_eq(err.message, "GSSAPI for postgres@localhost: Bad name");
    ck_assert_int_eq(n_steps, 0);
    all_went_as_written();
}
END_TEST

static const char *const broken[] = {
    ASK "expect password ours-1\nsend auth ok\nexpect eof\n",
    ASK "expect password ours-1\nsend auth gss_continue theirs-1\nexpect password ours-2\nsend auth ok\nexpect eof\n",
    ASK "expect password ours-1\nsend auth gss_continue theirs-1\nexpect password ours-2\n"
        "send auth gss_continue theirs-2; auth gss_continue theirs-3\nexpect eof\n",
    ASK "expect password ours-1\nsend auth gss\nexpect eof\n",
    ASK "expect password ours-1\nsend auth md5 abcd\nexpect eof\n",
};

/* AuthenticationOk before the end, a token behind it, another question in the middle. */
START_TEST(a_server_that_breaks_off_or_goes_on_is_refused)
{
    tusk_error err = {0};

    open_to(broken[_i], two_steps);
    ck_assert_int_eq(await_ready(&err), TUSK_ERR_PROTOCOL);
    ck_assert_str_eq(err.sqlstate, "08P01");
    all_went_as_written();
}
END_TEST

START_TEST(a_token_longer_than_a_server_takes_is_not_sent)
{
    tusk_error err = {0};

    long_output = 65536;
    open_to(ASK "expect eof\n", two_steps);
    ck_assert_int_eq(await_ready(&err), TUSK_ERR_LIMIT);
    all_went_as_written();
    long_output = 0;
}
END_TEST

START_TEST(a_long_token_is_sent_whole)
{
    long_output = 65000;
    open_to(ASK "expect password xxxx\n" IN, &(const step_of){GSS_S_COMPLETE, 0, "", MUTUAL, false});
    ck_assert_int_eq(await_ready(NULL), TUSK_OK);
    long_output = 0;
    disconnect();
}
END_TEST

static const char *const wrong_services[] = {"", "postgres@db1", "postgres/db1"};

START_TEST(a_service_is_named_alone)
{
    tusk_error err = {0};
    char parameters[128];

    server = script_start("");
    (void)snprintf(parameters, sizeof parameters, "host=localhost krbsrvname='%s'", wrong_services[_i]);
    open_with(parameters, 0);
    ck_assert_int_eq(await_ready(&err), TUSK_ERR_CONFIG);
    ck_assert_str_eq(err.message,
                     "krbsrvname must be the name of a service alone: \"postgres\", without host or realm");
}
END_TEST

/* ---- where it may be asked for ----------------------------------------------------------------------------------------------- */

START_TEST(an_address_is_no_name)
{
    tusk_error err = {0};

    steps = two_steps;
    server = script_start(ASK "expect eof\n");
    open_with("hostaddr=127.0.0.1", 0);
    ck_assert_int_eq(await_ready(&err), TUSK_ERR_AUTH);
    ck_assert_str_eq(err.message, "GSSAPI needs the server's name: give host beside hostaddr");
    ck_assert_str_eq(service, "");
    all_went_as_written();
}
END_TEST

START_TEST(a_local_socket_has_no_name)
{
    static const char *const sockets[] = {"/tmp", "@abstract"};
    tusk__settings settings = {0};
    tusk__host host = {.host = tusk_str_of(sockets[_i])};
    tusk__exchange x = {.loop = loop, .settings = &settings, .host = &host};
    tusk_error err = {0};
    void *state = NULL;

    ck_assert_int_eq(tusk_gssapi()->start(&x, &state, &err), TUSK_ERR_AUTH);
    ck_assert_str_eq(err.message,
                     "the server asks for GSSAPI authentication on a Unix-domain socket, which has no host's name");
}
END_TEST

/* ---- a library that hangs ------------------------------------------------------------------------------------------------------ */

static const step_of hanging[] = {{GSS_S_COMPLETE, 0, "late", MUTUAL, true},
                                  {GSS_S_COMPLETE, 0, "late", MUTUAL, true},
                                  {GSS_S_COMPLETE, 0, "late", MUTUAL, true},
                                  {GSS_S_COMPLETE, 0, "late", MUTUAL, true},
                                  {GSS_S_COMPLETE, 0, "late", MUTUAL, true}};

static void turn_until_stuck(int n)
{
    while (n_inside < n)
        ck_assert_int_eq(tusk_loop_turn(loop, 0.001, NULL), TUSK_OK);
}

static void end_by_close(void)
{
    ck_assert_int_eq(tusk_await_free(tusk_close(conn), NULL), TUSK_OK);
}

static void end_by_free(void)
{
    tusk_conn_free(conn);
    conn = NULL;
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(tusk_loop_turn(loop, 0, NULL), TUSK_OK);
}

static void end_with_loop(void)
{
    tusk_loop_free(loop); /* and the connection with it */
    loop = NULL;
    conn = NULL;
}

static void (*const ends[])(void) = {end_by_close, end_by_free, end_with_loop};

/* Before and behind the library's answer, which nobody hears any more. */
START_TEST(a_connection_may_be_ended_while_the_library_hangs)
{
    open_to(ASK "expect eof\n", hanging);
    turn_until_stuck(1);
    ends[_i]();
    all_went_as_written();
    tusk_conn_free(conn);
    conn = NULL;
    tusk_loop_free(loop);
    loop = NULL;
    ck_assert_int_eq(n_inside, 1);
    ck_assert_int_gt(n_out, 0);
    let_go();
    await_all_given_back();
}
END_TEST

static void on_timer(void *user)
{
    ++*(int *)user;
}

/* The loop goes on meanwhile: its timers run, and the time-out is one of them. */
START_TEST(time_runs_while_the_library_hangs)
{
    tusk_error err = {0};
    int n = 0;

    steps = hanging;
    server = script_start(ASK "expect eof\n");
    open_with("host=localhost hostaddr=127.0.0.1", 1);
    turn_until_stuck(1);
    ck_assert_ptr_nonnull(tusk_timer_start(loop, 0.001, on_timer, &n));
    ck_assert_int_eq(await_ready(&err), TUSK_ERR_TIMEOUT);
    ck_assert_str_eq(err.detail,
                     "The Kerberos library has not answered for postgres@localhost: it may be waiting for a "
                     "KDC, or for DNS.");
    ck_assert_int_eq(n, 1);
    ck_assert_int_eq(n_inside, 1);
    all_went_as_written();
}
END_TEST

/* The fifth waits for one of them to come back, as long as it may. */
START_TEST(four_may_hang_and_no_more)
{
    tusk_error err = {0};

    steps = hanging;
    server = script_start(ASK "expect eof\nconnection\n" ASK "expect eof\nconnection\n" ASK
                              "expect eof\nconnection\n" ASK "expect eof\nconnection\n" ASK "expect eof\n");
    for (int n = 1; n <= 4; n++) {
        open_with("host=localhost hostaddr=127.0.0.1", 0);
        turn_until_stuck(n);
        end_by_free();
    }
    open_with("host=localhost hostaddr=127.0.0.1", 0.1);
    ck_assert_int_eq(await_ready(&err), TUSK_ERR_TIMEOUT);
    ck_assert_int_eq(n_inside, 4);
    all_went_as_written();
}
END_TEST

/* ---- memory -------------------------------------------------------------------------------------------------------------------- */

static const char whole_login[] =
    ASK "expect password ours-1\nsend auth gss_continue theirs-1\nexpect password ours-2\n"
        "send auth gss_continue theirs-2\nsend auth ok; status server_version 15.1; "
        "key 7 abcd; ready I\nwait until closed\n";

static tusk_code login_with_failing_allocation(long n, bool from_then_on, tusk_error *err)
{
    tusk_code code;

    n_steps = 0;
    steps = two_steps;
    server = script_start(whole_login);
    ck_assert_ptr_nonnull(server);
    heap.failed = 0;
    heap.from_then_on = from_then_on;
    heap.fail_at = heap.n + n;
    open_with("host=localhost hostaddr=127.0.0.1", 0);
    code = conn ? await_ready(err) : TUSK_ERR_NOMEM;
    heap.fail_at = 0;
    tusk_conn_free(conn);
    conn = NULL;
    (void)script_stop(server);
    server = NULL;
    return code;
}

/* Each allocation of a login fails in turn, alone or with all that follow: an error, and nothing is left behind. */
START_TEST(any_allocation_may_fail)
{
    long n = 0;

    do {
        tusk_error err = {0};
        tusk_code code = login_with_failing_allocation(++n, _i, &err);

        ck_assert_msg(code == (heap.failed > 0 ? TUSK_ERR_NOMEM : TUSK_OK), "allocation %ld: %s", n, err.message);
        ck_assert_int_eq(n_out, 0);
    } while (heap.failed > 0);
    ck_assert_int_gt(n, 10);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("gss");
    TCase *tcase = tcase_create("gss");

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, tokens_go_both_ways_until_all_is_proved, 0, 2);
    tcase_add_test(tcase, a_last_token_is_sent);
    tcase_add_loop_test(tcase, parameters_say_which_service_and_what_it_may_have, 0, N_OF(asked));
    tcase_add_loop_test(tcase, what_the_library_says_is_the_error_of_the_login, 0, N_OF(failures));
    tcase_add_test(tcase, a_name_that_cannot_be_one_is_an_error);
    tcase_add_loop_test(tcase, a_server_that_breaks_off_or_goes_on_is_refused, 0, N_OF(broken));
    tcase_add_test(tcase, a_token_longer_than_a_server_takes_is_not_sent);
    tcase_add_test(tcase, a_long_token_is_sent_whole);
    tcase_add_loop_test(tcase, a_service_is_named_alone, 0, N_OF(wrong_services));
    tcase_add_test(tcase, an_address_is_no_name);
    tcase_add_loop_test(tcase, a_local_socket_has_no_name, 0, 2);
    tcase_add_loop_test(tcase, a_connection_may_be_ended_while_the_library_hangs, 0, N_OF(ends));
    tcase_add_test(tcase, time_runs_while_the_library_hangs);
    tcase_add_test(tcase, four_may_hang_and_no_more);
    tcase_add_loop_test(tcase, any_allocation_may_fail, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}

#else

START_TEST(there_is_no_gssapi)
{
    harness_skip("GSSAPI", "there is no gssapi/gssapi.h");
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("gss");
    TCase *tcase = tcase_create("gss");

    tcase_add_test(tcase, there_is_no_gssapi);
    suite_add_tcase(suite, tcase);
    return suite;
}

#endif
