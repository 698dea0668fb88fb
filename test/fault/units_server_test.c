/* Units, transactions and stacks before a server that fails where a real one hardly does: in BEGIN, and between any two messages.
 * Each request ends once; nothing of a transaction that never began is sent behind it.
 * Read first: test/harness/script_server.h, docs/internals/units.md. */
#include "test/harness/harness.h"

#include <stdio.h>
#include <string.h>

#include <tusk/tusk.h>

#include "test/harness/script_server.h"

#define N_OF(array) (int)(sizeof(array) / sizeof(array)[0])

static script_server *server;
static tusk_loop *loop;
static tusk_conn *db;

static void up(const char *script)
{
    char dsn[200];

    server = script_start(script);
    ck_assert_ptr_nonnull(server);
    loop = tusk_loop_new();
    snprintf(dsn, sizeof dsn, "postgresql://app:secret@127.0.0.1:%d/db?sslmode=disable", script_port(server));
    db = tusk_connect(loop, dsn);
    ck_assert_ptr_nonnull(db);
    ck_assert_int_eq(tusk_await_free(tusk_conn_ready(db), NULL), TUSK_OK);
}

static const char *down(void)
{
    tusk_conn_free(db);
    tusk_loop_free(loop);
    return script_stop(server);
}

static void down_well(void)
{
    const char *wrong = down();

    ck_assert_msg(!wrong, "%s", wrong);
}

static const char *said(const tusk_error *err)
{
    static char text[1024];
    size_t len = (size_t)snprintf(text, sizeof text, "%s, %s: ", tusk_code_name(err->code), tusk_fate_name(err->fate));

    tusk_error_format(err, text + len, sizeof text - len);
    return text;
}

static void ends(tusk_query *q, tusk_code code, tusk_fate fate)
{
    (void)tusk_await(q);
    ck_assert_msg(tusk_query_code(q) == code && (code == TUSK_OK || tusk_query_error(q)->fate == fate),
                  "wanted %s, %s: %s", tusk_code_name(code), tusk_fate_name(fate), said(tusk_query_error(q)));
    tusk_query_free(q);
}

static tusk_query *ask(const char *sql)
{
    tusk_query *q = tusk_exec(db, sql, TUSK_NO_PARAMS);

    ck_assert_ptr_nonnull(q);
    return q;
}

/* A line more. */
static void say(char *script, size_t size, const char *what, const char *more)
{
    size_t len = strlen(script);

    snprintf(script + len, size - len, "%s%s\n", what, more);
}

#define SET "parse_complete; parameter_description; no_data; bind_complete; command_complete SET"

/* ---- BEGIN fails ------------------------------------------------------------------------------------------------------------ */

START_TEST(nothing_behind_a_begin_that_fails_slips_into_autocommit)
{
    tusk_query *begin, *same_turn, *later, *after, *end, *fresh;

    up("login\n"
       "expect parse begin\nexpect bind\nexpect execute\n"
       "expect parse one\nexpect describe\nexpect bind\nexpect execute\n"
       "expect sync\n"
       "send error S=ERROR V=ERROR C=0A000 M=no; ready I\n"
       "expect parse fresh\nskip until sync\n"
       "send " SET "; ready I\n"
       "wait until closed\n");
    begin = tusk_begin(db, NULL);
    same_turn = ask("set one to 1");
    ck_assert_int_eq(tusk_loop_turn(loop, 0, NULL), TUSK_OK);
    later = ask("set later to 1");
    ends(begin, TUSK_ERR_SERVER, TUSK_FATE_ANSWERED);
    after = ask("set after to 1");
    end = _i ? tusk_commit(db) : tusk_rollback(db);
    fresh = ask("set fresh to 1");
    ends(same_turn, TUSK_ERR_SERVER, TUSK_FATE_ANSWERED);
    ends(later, TUSK_ERR_SERVER, TUSK_FATE_NOT_SENT);
    ends(after, TUSK_ERR_SERVER, TUSK_FATE_NOT_SENT);
    ends(end, _i ? TUSK_ERR_SERVER : TUSK_OK, TUSK_FATE_NOT_SENT);
    ends(fresh, TUSK_OK, TUSK_FATE_ANSWERED);
    down_well();
}
END_TEST

#define DONE "parse_complete; bind_complete; command_complete "

/* What it holds was never run: the one around it lacks a part, unless that was to be undone anyway. */
START_TEST(an_inner_begin_that_is_taken_back_spoils_what_is_around_it_unless_it_is_rolled_back)
{
    tusk_query *begin, *inner, *in_it, *inner_end, *end;

    up(_i ? "login\nskip until sync\nsend " DONE "BEGIN; ready T\n"
            "expect parse abort\nskip until sync\nsend " DONE "ROLLBACK; ready I\nwait until closed\n"
          : "login\nskip until sync\nsend " DONE "BEGIN; ready T\n"
            "expect parse commit\nskip until sync\nsend " DONE "COMMIT; ready I\nwait until closed\n");
    begin = tusk_begin(db, NULL);
    ends(begin, TUSK_OK, TUSK_FATE_ANSWERED);
    inner = tusk_begin(db, NULL);
    in_it = ask("set one to 1");
    inner_end = _i ? tusk_commit(db) : tusk_rollback(db);
    end = tusk_commit(db);
    tusk_query_cancel(inner);
    ends(inner, TUSK_ERR_CANCELED, TUSK_FATE_NOT_SENT);
    ends(in_it, TUSK_ERR_CANCELED, TUSK_FATE_NOT_SENT);
    ends(inner_end, _i ? TUSK_ERR_CANCELED : TUSK_OK, TUSK_FATE_NOT_SENT);
    ends(end, _i ? TUSK_ERR_ROLLED_BACK : TUSK_OK, TUSK_FATE_ANSWERED);
    down_well();
}
END_TEST

/* It failed in the one around it, which is lost: rolling back what was not begun mends nothing, and forgives nothing. */
START_TEST(a_savepoint_that_fails_is_rolled_back_well_and_stays_the_reason_of_the_outer_one)
{
    tusk_query *begin, *inner, *inner_end, *end;

    up("login\nskip until sync\nsend " DONE "BEGIN; ready T\n"
       "expect parse savepoint tusk_1\nskip until sync\n"
       "expect parse rollback to savepoint tusk_1\nskip until sync\n"
       "send error S=ERROR V=ERROR C=53200 M=too_many; ready E\n"
       "send error S=ERROR V=ERROR C=3B001 M=no_such_savepoint; ready E\n"
       "expect parse commit\nskip until sync\nsend " DONE "ROLLBACK; ready I\nwait until closed\n");
    begin = tusk_begin(db, NULL);
    ends(begin, TUSK_OK, TUSK_FATE_ANSWERED);
    inner = tusk_begin(db, NULL);
    inner_end = tusk_rollback(db);
    ends(inner, TUSK_ERR_SERVER, TUSK_FATE_ANSWERED);
    ends(inner_end, TUSK_OK, TUSK_FATE_ANSWERED);
    end = tusk_commit(db);
    ck_assert_int_eq(tusk_await(end), TUSK_ERR_ROLLED_BACK);
    ck_assert_str_eq(tusk_query_error(end)->detail, "too_many");
    tusk_query_free(end);
    down_well();
}
END_TEST

START_TEST(a_commit_behind_a_begin_that_fails_is_no_success)
{
    tusk_query *begin, *one, *commit;

    up("login\n"
       "skip until sync\nskip until sync\n"
       "send error S=ERROR V=ERROR C=0A000 M=no; ready I; parse_complete; bind_complete; command_complete COMMIT; "
       "ready I\n"
       "wait until closed\n");
    begin = tusk_begin(db, NULL);
    one = ask("set one to 1");
    commit = tusk_commit(db);
    ends(begin, TUSK_ERR_SERVER, TUSK_FATE_ANSWERED);
    ends(one, TUSK_ERR_SERVER, TUSK_FATE_ANSWERED);
    ck_assert_int_eq(tusk_await(commit), TUSK_ERR_SERVER);
    ck_assert_str_eq(tusk_query_error(commit)->message, "not run: the transaction did not begin: no");
    ends(commit, TUSK_ERR_SERVER, TUSK_FATE_ANSWERED);
    down_well();
}
END_TEST

/* A begin that was given up is still begun, or not: what comes behind it waits for that. */
START_TEST(a_begin_past_its_wait_still_decides_about_the_rest)
{
    tusk_query *begin, *later;

    up("login\n"
       "skip until sync\n"
       "cancel expected\n"
       "send error S=ERROR V=ERROR C=57014 M=canceled; ready I\n"
       "skip until query\nsend empty_query; ready I\n"
       "expect terminate\nexpect eof\n");
    begin = tusk_begin(db, NULL);
    ck_assert_int_eq(tusk_loop_turn(loop, 0, NULL), TUSK_OK);
    tusk_query_cancel(begin);
    later = ask("set later to 1");
    ends(begin, TUSK_ERR_CANCELED, TUSK_FATE_UNKNOWN);
    ends(later, TUSK_ERR_SERVER, TUSK_FATE_NOT_SENT);
    ck_assert_int_eq(tusk_await_free(tusk_close(db), NULL), TUSK_OK);
    down_well();
}
END_TEST

/* ---- the end between any two messages ------------------------------------------------------------------------------------------ */

/* What the server answers to begin, two statements and commit, message by message; = ends a unit. */
static const char *const answers[] = {
    "parse_complete",
    "bind_complete",
    "command_complete BEGIN",
    "parse_complete",
    "parameter_description",
    "no_data",
    "bind_complete",
    "command_complete SET",
    "parse_complete",
    "parameter_description",
    "no_data",
    "bind_complete",
    "command_complete SET",
    "ready T",
    "parse_complete",
    "bind_complete",
    "command_complete COMMIT",
    "ready I",
};
/* how many of them end each request */
static const int ends_at[] = {3, 8, 14, 18};

static int n_done[5];
static tusk_error errors[5];

static void on_done(tusk_query *q, void *user)
{
    int i = (int)(size_t)user;

    n_done[i]++;
    errors[i] = *tusk_query_error(q);
}

/* D36 */
START_TEST(each_request_of_a_transaction_ends_once_wherever_the_server_dies)
{
    char script[4000] = "login\nskip until sync\nskip until sync\n";
    tusk_query *q[4];

    memset(n_done, 0, sizeof n_done);
    for (int i = 0; i < _i; i++)
        say(script, sizeof script, "send ", answers[i]);
    say(script, sizeof script, "close", "");
    up(script);
    q[0] = tusk_begin(db, NULL);
    q[1] = ask("set one to 1");
    q[2] = ask("set two to 2");
    q[3] = tusk_commit(db);
    for (size_t i = 0; i < 4; i++)
        tusk_query_on_done(q[i], on_done, (void *)i);
    while (tusk_conn_get_state(db) != TUSK_CONN_CLOSED)
        ck_assert_int_eq(tusk_loop_turn(loop, TUSK_NONE, NULL), TUSK_OK);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(n_done[i], 1);
        if (_i >= ends_at[i])
            ck_assert_msg(errors[i].code == TUSK_OK, "%d of %d: %s", i, _i, said(&errors[i]));
        else
            ck_assert_msg(errors[i].code == (i == 3 ? TUSK_ERR_COMMIT_UNKNOWN : TUSK_ERR_LOST) &&
                              errors[i].fate == TUSK_FATE_UNKNOWN,
                          "%d of %d: %s", i, _i, said(&errors[i]));
    }
    (void)down();
}
END_TEST

/* BEGIN, the opening of a cursor, two batches, its closing, COMMIT: what is answered, and how many of it end each request but the opening. */
static const char *const portal_answers[] = {
    "parse_complete",
    "bind_complete",
    "command_complete BEGIN",
    "parse_complete",
    "parameter_description",
    "row_description a:23:1",
    "bind_complete",
    "row_description a:23:1",
    "row 0001",
    "row 0002",
    "portal_suspended",
    "row_description a:23:1",
    "row 0003",
    "command_complete SELECT 1",
    "ready T",
    "close_complete",
    "ready T",
    "parse_complete",
    "bind_complete",
    "command_complete COMMIT",
    "ready I",
};
static const int portal_ends_at[] = {3, 11, 15, 17, 21};

START_TEST(each_request_of_a_cursor_ends_once_wherever_the_server_dies)
{
    char script[4000] = "login\nskip until sync\nskip until sync\nskip until sync\n";
    tusk_cursor *cursor;
    tusk_query *q[5];

    memset(n_done, 0, sizeof n_done);
    for (int i = 0; i < _i; i++)
        say(script, sizeof script, "send ", portal_answers[i]);
    say(script, sizeof script, "close", "");
    up(script);
    q[0] = tusk_begin(db, NULL);
    cursor = tusk_cursor_open(db, &(tusk_cursor_request){.sql = "select generate_series(1, 3)"});
    q[1] = tusk_cursor_fetch(cursor, 2);
    q[2] = tusk_cursor_fetch(cursor, 2);
    q[3] = tusk_cursor_close(cursor);
    q[4] = tusk_commit(db);
    for (size_t i = 0; i < 5; i++)
        tusk_query_on_done(q[i], on_done, (void *)i);
    while (tusk_conn_get_state(db) != TUSK_CONN_CLOSED)
        ck_assert_int_eq(tusk_loop_turn(loop, TUSK_NONE, NULL), TUSK_OK);
    ck_assert_int_eq(tusk_cursor_error(cursor)->code, _i >= 7 ? TUSK_OK : TUSK_ERR_LOST);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(n_done[i], 1);
        if (_i >= portal_ends_at[i])
            ck_assert_msg(errors[i].code == TUSK_OK, "%d of %d: %s", i, _i, said(&errors[i]));
        else
            ck_assert_msg(errors[i].code == (i == 4 ? TUSK_ERR_COMMIT_UNKNOWN : TUSK_ERR_LOST) &&
                              errors[i].fate == TUSK_FATE_UNKNOWN,
                          "%d of %d: %s", i, _i, said(&errors[i]));
    }
    tusk_cursor_free(cursor);
    (void)down();
}
END_TEST

/* The two forms of a stack outside of a transaction that differ in their Syncs, and the two inside. */
#define STATEMENT "parse_complete", "parameter_description", "no_data", "bind_complete", "command_complete UPDATE 1"
#define CONTROL(tag) "parse_complete", "bind_complete", "command_complete " tag

static const char *const block[] = {CONTROL("BEGIN"),  STATEMENT, STATEMENT, "ready T",
                                    CONTROL("COMMIT"), "ready I", NULL};
static const char *const plain[] = {STATEMENT, STATEMENT, "ready I", NULL};
static const char *const each[] = {STATEMENT, "ready I", STATEMENT, "ready I", NULL};
static const char *const inside[] = {CONTROL("SAVEPOINT"),
                                     STATEMENT,
                                     STATEMENT,
                                     CONTROL("RELEASE"),
                                     CONTROL("SAVEPOINT"),
                                     "ready T",
                                     CONTROL("ROLLBACK"),
                                     CONTROL("RELEASE"),
                                     "ready T",
                                     NULL};
static const char *const each_inside[] = {CONTROL("SAVEPOINT"),
                                          "ready T",
                                          CONTROL("ROLLBACK"),
                                          STATEMENT,
                                          CONTROL("RELEASE"),
                                          CONTROL("SAVEPOINT"),
                                          "ready T",
                                          CONTROL("ROLLBACK"),
                                          STATEMENT,
                                          CONTROL("RELEASE"),
                                          CONTROL("SAVEPOINT"),
                                          "ready T",
                                          CONTROL("ROLLBACK"),
                                          CONTROL("RELEASE"),
                                          "ready T",
                                          NULL};

static const struct {
    const char *const *answers;
    tusk_stack_options options;
    bool is_inside;
    int certain[2]; /* from how many messages on each operation is certain */
} stacks[] = {
    {block, {.transaction = {.isolation = TUSK_SERIALIZABLE}}, false, {18, 18}},
    {plain, {.mode = TUSK_STACK_ATOMIC}, false, {11, 11}},
    {each, {.mode = TUSK_STACK_CONTINUE}, false, {6, 12}},
    {inside, {.mode = TUSK_STACK_ATOMIC}, true, {27, 27}},
    {each_inside, {.mode = TUSK_STACK_CONTINUE}, true, {19, 34}},
};

/* What is not answered if the statement is prepared. */
static bool is_of_parse(const char *const *at)
{
    if (strcmp(*at, "parse_complete") == 0)
        return strcmp(at[1], "parameter_description") == 0;
    return strcmp(*at, "parameter_description") == 0 || strcmp(*at, "no_data") == 0;
}

enum { MAX_LINES = 64 };

/* What a stack of that form is answered, its statements unknown or prepared in front; or as much of it as is there of the first `of`
 * messages to one that is unknown (-1: all). Returns how many messages that are. */
static int answers_of(int form, bool is_warm, int of, const char *lines[MAX_LINES])
{
    const char *const *all = stacks[form].answers;
    int n = 0;

    for (int i = 0; all[i] && (of < 0 || i < of); i++)
        if (!is_warm || !is_of_parse(&all[i]))
            lines[n++] = all[i];
    return n;
}

static void check_death(int form, bool is_warm, int n_sent, tusk_query *q)
{
    const char *lines[MAX_LINES];
    int n_all = answers_of(form, is_warm, -1, lines);

    if (n_sent == n_all) {
        ck_assert_msg(tusk_query_code(q) == TUSK_OK, "%d of %d: %s", n_sent, form, said(tusk_query_error(q)));
    } else {
        ck_assert_int_eq(tusk_query_code(q), form == 0 ? TUSK_ERR_COMMIT_UNKNOWN : TUSK_ERR_LOST);
        ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_UNKNOWN);
    }
    for (int i = 0; i < 2; i++) {
        const tusk_error *err = tusk_query_result_error(q);
        bool is_certain = n_sent >= answers_of(form, is_warm, stacks[form].certain[i], lines);

        ck_assert_int_eq(tusk_query_result_operation(q), i);
        ck_assert_msg((err->code == TUSK_OK) == is_certain, "form %d, warm %d, operation %d, %d messages: %s", form,
                      is_warm, i, n_sent, said(err));
        ck_assert(is_certain || err->fate == TUSK_FATE_UNKNOWN);
        ck_assert_int_eq(tusk_next_result(q), i == 0);
    }
}

static void write_script(char *script, size_t size, int form, bool is_warm, int n_sent)
{
    const char *lines[MAX_LINES];
    int n_syncs = 0, n_all = answers_of(form, is_warm, -1, lines);

    for (int i = 0; i < n_all; i++)
        n_syncs += strncmp(lines[i], "ready", 5) == 0;
    if (is_warm)
        say(script, size, "skip until sync", "");
    for (int i = 0; is_warm && plain[i]; i++)
        say(script, size, "send ", plain[i]);
    if (stacks[form].is_inside)
        say(script, size, "skip until sync\nsend parse_complete; parameter_description; no_data; bind_complete; ",
            "command_complete BEGIN; ready T");
    for (int i = 0; i < n_syncs; i++)
        say(script, size, "skip until sync", "");
    for (int i = 0; i < n_sent; i++)
        say(script, size, "send ", lines[i]);
    say(script, size, "close", "");
}

static void die_after(int form, bool is_warm, int n_sent)
{
    char script[6000] = "login\n";
    tusk_stack *stack;
    tusk_query *q;

    write_script(script, sizeof script, form, is_warm, n_sent);
    up(script);
    stack = tusk_stack_new(db);
    (void)tusk_stack_push(stack, "update one set a = 1", TUSK_NO_PARAMS);
    (void)tusk_stack_push(stack, "update two set a = 2", TUSK_NO_PARAMS);
    if (is_warm)
        ends(tusk_stack_run(stack, TUSK_STACK_ATOMIC), TUSK_OK, TUSK_FATE_ANSWERED);
    if (stacks[form].is_inside)
        ends(ask("begin"), TUSK_OK, TUSK_FATE_ANSWERED);
    q = tusk_stack_submit(stack, &stacks[form].options);
    tusk_stack_free(stack);
    (void)tusk_await(q);
    check_death(form, is_warm, n_sent, q);
    tusk_query_free(q);
    (void)down();
}

/* Its statements unknown, and prepared in front: then a message that told of a Parse would end it, too. */
START_TEST(each_operation_of_a_stack_has_its_fate_wherever_the_server_dies)
{
    bool is_warm = _i >= N_OF(stacks);
    const char *lines[MAX_LINES];
    int form = _i % N_OF(stacks), n_all = answers_of(form, is_warm, -1, lines);

    for (int n = 0; n <= n_all; n++)
        die_after(form, is_warm, n);
}
END_TEST

static void cancel_at_notice(tusk_conn *conn, const tusk_notice *notice, void *user)
{
    (void)conn, (void)notice;
    tusk_query_cancel(*(tusk_query **)user);
}

/* The server has kept it, and said so, before the cancel took effect. */
START_TEST(an_atomic_stack_that_is_canceled_while_it_is_answered_does_not_say_that_it_was_undone)
{
    tusk_query *q = NULL;
    tusk_stack *stack;
    char dsn[100];

    server = script_start("login\nskip until sync\nsend notice S=NOTICE V=NOTICE C=00000 M=now; " SET
                          "; ready I\nwait until closed\n");
    ck_assert_ptr_nonnull(server);
    loop = tusk_loop_new();
    snprintf(dsn, sizeof dsn, "postgresql://app@127.0.0.1:%d/db?sslmode=disable", script_port(server));
    db = tusk_conn_open(loop, &(tusk_config){.dsn = dsn, .on_notice = cancel_at_notice, .user_data = &q});
    stack = tusk_stack_new(db);
    ck_assert_int_eq(tusk_stack_push(stack, "set one to 1", TUSK_NO_PARAMS), TUSK_OK);
    q = tusk_stack_run(stack, TUSK_STACK_ATOMIC);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_CANCELED);
    ck_assert_int_eq(tusk_query_result_operation(q), 0);
    ck_assert_msg(tusk_query_result_error(q)->code == TUSK_OK, "%s", said(tusk_query_result_error(q)));
    tusk_query_free(q);
    tusk_stack_free(stack);
    (void)down();
}
END_TEST

/* No error in it, and yet it is not kept: by the tag, or because no transaction was there any more. Each operation says so, too. */
START_TEST(a_stack_whose_commit_is_answered_by_a_rollback_is_no_success)
{
    static const char *const ends_of_it[] = {"ready T; parse_complete; bind_complete; command_complete ROLLBACK",
                                             "ready I; parse_complete; bind_complete; command_complete COMMIT"};
    tusk_stack_options options = {.transaction = {.isolation = TUSK_SERIALIZABLE}};
    char script[400];
    tusk_stack *stack;
    tusk_query *q;

    snprintf(script, sizeof script,
             "login\nskip until sync\nskip until sync\n"
             "send parse_complete; bind_complete; command_complete BEGIN; " SET "; " SET "; %s; ready I\n"
             "wait until closed\n",
             ends_of_it[_i]);
    up(script);
    stack = tusk_stack_new(db);
    ck_assert_int_eq(tusk_stack_push(stack, "set one to 1", TUSK_NO_PARAMS), TUSK_OK);
    ck_assert_int_eq(tusk_stack_push(stack, "set two to 2", TUSK_NO_PARAMS), TUSK_OK);
    q = tusk_stack_submit(stack, &options);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_ROLLED_BACK);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(tusk_query_result_operation(q), i);
        ck_assert_int_eq(tusk_query_result_error(q)->code, TUSK_ERR_ROLLED_BACK);
        ck_assert_int_eq(tusk_next_result(q), i == 0);
    }
    ends(q, TUSK_ERR_ROLLED_BACK, TUSK_FATE_ANSWERED);
    tusk_stack_free(stack);
    down_well();
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("units_server");
    TCase *tcase = tcase_create("transactions");

    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, nothing_behind_a_begin_that_fails_slips_into_autocommit, 0, 2);
    tcase_add_test(tcase, a_commit_behind_a_begin_that_fails_is_no_success);
    tcase_add_test(tcase, a_savepoint_that_fails_is_rolled_back_well_and_stays_the_reason_of_the_outer_one);
    tcase_add_loop_test(tcase, an_inner_begin_that_is_taken_back_spoils_what_is_around_it_unless_it_is_rolled_back, 0,
                        2);
    tcase_add_test(tcase, a_begin_past_its_wait_still_decides_about_the_rest);
    tcase_add_loop_test(tcase, each_request_of_a_transaction_ends_once_wherever_the_server_dies, 0, N_OF(answers) + 1);
    tcase_add_loop_test(tcase, each_request_of_a_cursor_ends_once_wherever_the_server_dies, 0,
                        N_OF(portal_answers) + 1);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("stacks");
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, each_operation_of_a_stack_has_its_fate_wherever_the_server_dies, 0, 2 * N_OF(stacks));
    tcase_add_test(tcase, an_atomic_stack_that_is_canceled_while_it_is_answered_does_not_say_that_it_was_undone);
    tcase_add_loop_test(tcase, a_stack_whose_commit_is_answered_by_a_rollback_is_no_success, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}
