/* Transactions, stacks and loads against the real server, cut off behind each message, in either direction: every request ends once, and
 * what a second connection sees when the backend is gone is what was told.
 * The scripted server's part of it is in test/fault/units_server_test.c and many_server_test.c. Read first: docs/guarantees.md, "Fate";
 * test/harness/relay.h. */
#include "test/harness/relay.h"
#include "test/live/live.h"

enum { N_VALUES = 3, N_REQUESTS = 8, MESSAGES_MAX = 200 };

/* What was told of a value: it is there, it is not, nobody knows. */
typedef enum verdict { GONE, KEPT, EITHER } verdict;

typedef struct request {
    int n_done;
    tusk_code code;
    tusk_fate fate;
    verdict items[N_VALUES]; /* of a stack or a load: what was told of each */
    int n_results;           /* of a stack */
} request;

static relay *way;
static tusk_conn *other;
static request requests[N_REQUESTS];
static int n_requests;

static void up(void)
{
    live_loop_up();
    other = connect_plain();
    run_on(other, "drop table if exists cut_test");
    run_on(other, "create table cut_test (n int8 primary key)");
}

static void down(void)
{
    run_on(other, "drop table cut_test");
    disconnect(other);
    live_down();
}

/* ---- requests ----------------------------------------------------------------------------------------------------------------------- */

static verdict verdict_of(tusk_code code, tusk_fate fate)
{
    if (code == TUSK_OK)
        return KEPT;
    return fate == TUSK_FATE_UNKNOWN ? EITHER : GONE;
}

static void on_done(tusk_query *q, void *user)
{
    request *r = user;

    r->n_done++;
    r->code = tusk_query_code(q);
    r->fate = tusk_query_error(q)->fate;
}

static request *next_request(void)
{
    request *r = &requests[n_requests++];

    ck_assert_int_le(n_requests, N_REQUESTS);
    *r = (request){0};
    return r;
}

static void watch(tusk_query *q)
{
    tusk_query_on_done(q, on_done, next_request());
}

static tusk_query *insert(int i)
{
    return tusk_exec(db, "insert into cut_test values ($1) returning n", TUSK_PARAMS(tusk_int8(1 << i)));
}

static void on_stack_done(tusk_query *q, void *user)
{
    request *r = user;

    on_done(q, user);
    for (int i = 0; i < N_VALUES; i++)
        r->items[i] = verdict_of(r->code, r->fate);
    for (int i = 0; r->fate != TUSK_FATE_NOT_SENT && (i == 0 || tusk_next_result(q)); i++) {
        const tusk_error *err = tusk_query_result_error(q);

        ck_assert_int_eq(tusk_query_result_operation(q), i);
        r->items[i] = verdict_of(err->code, err->fate);
        r->n_results++;
    }
    ck_assert_int_eq(r->n_results, r->fate == TUSK_FATE_NOT_SENT ? 0 : N_VALUES);
}

static void run_stack(tusk_stack_mode mode)
{
    tusk_stack *stack = tusk_stack_new(db);

    for (int i = 0; i < N_VALUES; i++)
        ck_assert_int_eq(
            tusk_stack_push(stack, "insert into cut_test values ($1) returning n", TUSK_PARAMS(tusk_int8(1 << i))),
            TUSK_OK);
    tusk_stack_submit(stack, &(tusk_stack_options){.mode = mode, .on_done = on_stack_done, .user = next_request()});
    tusk_stack_free(stack);
}

/* In two flights: the second item is not there when it is asked for first. */
static tusk_code pull(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    static bool has_waited;

    (void)err, (void)user;
    if (item == N_VALUES)
        return TUSK_DONE;
    if (item == 1 && !has_waited) {
        has_waited = true;
        return tusk_many_resume(q) == TUSK_OK ? TUSK_AGAIN : TUSK_ERR_STATE;
    }
    has_waited = false;
    return tusk_many_push(q, TUSK_PARAMS(tusk_int8(INT64_C(1) << item)));
}

static void on_item(tusk_query *q, int64_t item, int64_t rows_affected, const tusk_error *err, void *user)
{
    (void)q, (void)rows_affected;
    ((request *)user)->items[item] = err ? verdict_of(err->code, err->fate) : KEPT;
}

static void run_load(tusk_many_mode mode)
{
    request *r = next_request();

    for (int i = 0; i < N_VALUES; i++)
        r->items[i] = EITHER;
    tusk_many_submit(db, &(tusk_many_request){.sql = "insert into cut_test values ($1) returning n",
                                              .pull = pull,
                                              .mode = mode,
                                              .on_item = on_item,
                                              .on_done = on_done,
                                              .user = r});
}

/* ---- what is cut, and what was told of it ------------------------------------------------------------------------------------------- */

typedef struct story {
    verdict values[N_VALUES];
    bool is_whole; /* all of them or none */
} story;

static void whole(story *s, verdict v)
{
    s->is_whole = true;
    for (int i = 0; i < N_VALUES; i++)
        s->values[i] = v;
}

static void submit_each(void)
{
    for (int i = 0; i < N_VALUES; i++)
        watch(insert(i));
}

static void judge_each(story *s)
{
    for (int i = 0; i < N_VALUES; i++)
        s->values[i] = verdict_of(requests[i].code, requests[i].fate);
}

static void submit_transaction(void)
{
    watch(tusk_begin(db, NULL));
    for (int i = 0; i < N_VALUES; i++)
        watch(insert(i));
    watch(tusk_commit(db));
}

/* What counts is the last request. */
static void judge_last(story *s)
{
    whole(s, verdict_of(requests[n_requests - 1].code, requests[n_requests - 1].fate));
}

static void submit_atomic_stack(void)
{
    run_stack(TUSK_STACK_ATOMIC);
}

static void submit_continue_stack(void)
{
    run_stack(TUSK_STACK_CONTINUE);
}

static void judge_items(story *s)
{
    for (int i = 0; i < N_VALUES; i++)
        s->values[i] = requests[0].items[i];
}

static void judge_atomic_stack(story *s)
{
    judge_last(s);
    for (int i = 0; i < N_VALUES; i++)
        ck_assert_int_eq(requests[0].items[i], s->values[i]);
}

static void submit_stack_inside(void)
{
    watch(tusk_begin(db, NULL));
    run_stack(TUSK_STACK_CONTINUE);
    watch(tusk_commit(db));
}

static void submit_atomic_load(void)
{
    run_load(TUSK_MANY_ATOMIC);
}

static void submit_load_of_each(void)
{
    run_load(TUSK_MANY_EACH);
}

static void submit_load_inside(void)
{
    watch(tusk_begin(db, NULL));
    run_load(TUSK_MANY_ATOMIC);
    watch(tusk_commit(db));
}

static const struct {
    const char *name;
    void (*submit)(void);
    void (*judge)(story *s);
} units[] = {
    {"requests", submit_each, judge_each},
    {"transaction", submit_transaction, judge_last},
    {"ATOMIC stack", submit_atomic_stack, judge_atomic_stack},
    {"CONTINUE stack", submit_continue_stack, judge_items},
    {"stack in a transaction", submit_stack_inside, judge_last},
    {"ATOMIC load", submit_atomic_load, judge_last},
    {"load of each", submit_load_of_each, judge_items},
    {"load in a transaction", submit_load_inside, judge_last},
};

/* ---- the cuts ----------------------------------------------------------------------------------------------------------------------- */

static bool all_are_done(void)
{
    for (int i = 0; i < n_requests; i++)
        if (requests[i].n_done == 0)
            return false;
    return true;
}

static void until_gone(uint32_t pid)
{
    while (number_on(other, textf("select count(*) from pg_stat_activity where pid = %u", (unsigned)pid)) > 0)
        ;
}

/* The values that are there, as bits, when nobody can add to them any more. */
static int64_t play(int unit, relay_direction direction, long n)
{
    uint32_t pid;

    way = relay_start((uint16_t)strtoul(harness_env("TUSK_TEST_PORT"), NULL, 10));
    db = tusk_connect(loop, textf("postgresql://drv:pw-drv@127.0.0.1:%u/tusk?sslmode=disable", relay_port(way)));
    ck_usable(db);
    pid = tusk_conn_backend_pid(db);
    n_requests = 0;
    relay_cut(way, direction, n);
    units[unit].submit();
    while (!all_are_done())
        turn(TUSK_NONE);
    tusk_conn_free(db);
    db = NULL;
    turn(0);
    for (int i = 0; i < n_requests; i++)
        ck_assert_msg(requests[i].n_done == 1, "%s, %ld: request %d ended %d times", units[unit].name, n, i,
                      requests[i].n_done);
    relay_stop(way);
    relay_free(way);
    until_gone(pid);
    return number_on(other, "select coalesce(sum(n), 0)::int8 from cut_test");
}

static void ck_told(int unit, relay_direction direction, long n, const story *s, int64_t seen)
{
    for (int i = 0; i < N_VALUES; i++)
        ck_assert_msg(s->values[i] == EITHER || s->values[i] == (seen >> i & 1 ? KEPT : GONE),
                      "%s, cut behind %ld messages to the %s: value %d was told as %s, and there is %lx",
                      units[unit].name, n, direction == RELAY_TO_CLIENT ? "client" : "server", i,
                      s->values[i] == KEPT ? "kept" : "gone", (unsigned long)seen);
    ck_assert_msg(!s->is_whole || seen == 0 || seen == (1 << N_VALUES) - 1, "%s, %ld: there is %lx", units[unit].name,
                  n, (unsigned long)seen);
}

static bool is_over(void)
{
    for (int i = 0; i < n_requests; i++)
        if (requests[i].code != TUSK_OK)
            return false;
    return true;
}

/* From nothing at all to the last message; then it went well. */
START_TEST(each_request_ends_once_and_as_told_wherever_it_is_cut_off)
{
    int unit = _i / 2;
    relay_direction direction = _i % 2 ? RELAY_TO_SERVER : RELAY_TO_CLIENT;
    bool is_done = false;
    int64_t seen = 0;

    for (long n = 0; !is_done; n++) {
        story s = {0};

        ck_assert_int_lt(n, MESSAGES_MAX);
        run_on(other, "delete from cut_test");
        seen = play(unit, direction, n);
        units[unit].judge(&s);
        ck_told(unit, direction, n, &s, seen);
        is_done = is_over();
        ck_assert(n > 0 || !is_done);
    }
    ck_assert_int_eq(seen, (1 << N_VALUES) - 1);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("cuts_live");
    TCase *tcase = tcase_create("cuts");

    tcase_add_checked_fixture(tcase, up, down);
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, each_request_ends_once_and_as_told_wherever_it_is_cut_off, 0, 2 * N_OF(units));
    suite_add_tcase(suite, tcase);
    return suite;
}
