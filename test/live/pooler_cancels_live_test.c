/* Cancels around the end of their requests, through a real PgBouncer: whoever is on the server's sessions next must not see them. In session
 * mode the connection stays, and a neighbour is queued behind each; in transaction mode it is closed behind each cancel, while three others
 * take turns on the two sessions.
 * TUSK_POOLER_CANCELS=2000 in `make cancels`; make test does 60.
 * Read first: test/live/cancels.h, test/live/pooler.h; docs/guide.md, "Behind a pooler". */
#include "lib/conn.h"
#include "lib/transport.h"
#include "test/live/cancels.h"
#include "test/live/pooler.h"

enum { OTHERS = 3 };

typedef struct counts {
    long sent;     /* CancelRequests */
    long hit;      /* … whose request ended as 57014 */
    long finished; /* … whose request ended by itself */
    long lost;     /* requests behind a canceled one that ended with its connection */
    long answered; /* … and those that were answered */
    long others;   /* requests of other clients that were answered meanwhile */
    long strays;   /* 57014 to requests that nobody had canceled */
} counts;

static counts c;
static const char *mode;

/* ---- others on the same sessions ------------------------------------------------------------------------------------------------------- */

typedef struct busy {
    tusk_conn *conn;
    int32_t number;
    bool is_ending;
} busy;

static busy others[OTHERS];

static void ask_again(busy *b);

static void answered(tusk_query *q, void *user)
{
    busy *b = user;
    tusk_row row;

    c.strays += is_57014(q);
    ck_assert_msg(is_57014(q) || tusk_query_code(q) == TUSK_OK, "%s", said(tusk_query_error(q)));
    ck_assert(is_57014(q) || (tusk_next_row(q, &row) && tusk_get_int4(&row, 0) == b->number));
    c.others++;
    if (!b->is_ending)
        ask_again(b);
}

static void ask_again(busy *b)
{
    (void)tusk_submit(b->conn, &(tusk_request){.sql = "select $1::int4 from pg_sleep(0.0003)",
                                               .params = TUSK_PARAMS(tusk_int4(++b->number)),
                                               .on_done = answered,
                                               .user = b});
}

static bool has_others(void)
{
    return strcmp(mode, "transaction") == 0;
}

static void start_others(void)
{
    for (int i = 0; has_others() && i < OTHERS; i++) {
        others[i] = (busy){.conn = pooler_connect(mode, mode), .number = i * 100000000};
        ask_again(&others[i]);
    }
}

static void stop_others(void)
{
    for (int i = 0; has_others() && i < OTHERS; i++)
        others[i].is_ending = true;
    for (int i = 0; has_others() && i < OTHERS; i++) {
        ck_usable(others[i].conn);
        disconnect(others[i].conn);
    }
}

/* ---- rounds --------------------------------------------------------------------------------------------------------------------------- */

static void up(void)
{
    cancels_up();
    run_on(other, "alter role drv in database postgres set log_min_messages = warning");
    run_on(other, "alter role drv in database postgres set log_min_error_statement = panic");
    pooler_start();
}

static void down(void)
{
    pooler_stop();
    run_on(other, "alter role drv in database postgres reset all");
    cancels_down();
}

static tusk_conn *connect_watched(void)
{
    tusk_conn *conn = pooler_connect(mode, mode);

    ck_usable(conn);
    heard_fd = conn->transport->fd;
    return conn;
}

/* Where the session is the connection's own a neighbour is answered; elsewhere it may be lost, and was not sent then. */
static void judge_neighbour(tusk_query *neighbour, int number)
{
    const tusk_error *err = tusk_query_error(neighbour);
    tusk_row row;

    c.strays += is_57014(neighbour);
    c.lost += err->code == TUSK_ERR_LOST;
    c.answered += err->code == TUSK_OK;
    if (err->code == TUSK_OK) {
        ck_assert(tusk_next_row(neighbour, &row) && tusk_get_int4(&row, 0) == number);
    } else if (!is_57014(neighbour)) {
        ck_assert_msg(has_others() && err->code == TUSK_ERR_LOST && err->fate == TUSK_FATE_NOT_SENT, "%s", said(err));
        ck_assert_ptr_nonnull(strstr(err->message, "closed behind a cancel"));
    }
}

static void judge(bool is_sent, int64_t step_us)
{
    answer answers[4];

    ck_assert_uint_ge(read_answers(answers, 4), 1);
    if (!is_sent) {
        ck_assert(!answers[0].is_canceled);
        follow(-3 * step_us);
        return;
    }
    c.sent++;
    c.hit += answers[0].is_canceled;
    c.finished += !answers[0].is_canceled;
    follow(answers[0].is_canceled ? step_us : -step_us);
}

static void play_round(int number, int64_t step_us)
{
    long n_connects = world.n[OS_CONNECT];
    tusk_query *q, *neighbour;
    bool is_sent;

    n_heard = 0;
    q = submit_sleep(db);
    cancel_about_now(q);
    neighbour = tusk_exec(db, "select $1::int4", TUSK_PARAMS(tusk_int4(number)));
    (void)tusk_await(neighbour);
    check_canceled(q);
    is_sent = world.n[OS_CONNECT] > n_connects;
    ck_assert_int_eq(tusk_query_code(neighbour) == TUSK_ERR_LOST, has_others() && is_sent);
    judge(is_sent, step_us);
    if (is_sent)
        judge_neighbour(neighbour, number);
    tusk_query_free(neighbour);
    tusk_query_free(q);
    if (tusk_conn_get_state(db) != TUSK_CONN_CLOSED)
        return;
    tusk_conn_free(db);
    db = connect_watched();
}

static void play(long n)
{
    long from, n_reached;

    for (int i = 0; c.sent < 30; i++)
        play_round(i, 100);
    c = (counts){0};
    from = log_size();
    for (int i = 0; c.sent < n; i++)
        play_round(i, 20);
    n_reached = n_logged(from, REACHED);
    harness_note(
        "through PgBouncer 1.%d, %s mode: %ld CancelRequests, of which %ld reached the server: %ld requests ended as "
        "57014, %ld by themselves; of those behind them %ld were answered, %ld ended in a closed connection; others "
        "had "
        "%ld answers; 57014 came to %ld requests that nobody had canceled",
        pooler_minor, mode, c.sent, n_reached, c.hit, c.finished, c.answered, c.lost, c.others, c.strays);
    record_counts(textf("1.%d/%s", pooler_minor, mode),
                  (long[]){c.sent, n_reached, c.hit, c.finished, c.answered, c.lost, c.others, c.strays}, 8);
}

static const char *const modes[] = {"session", "transaction"};

START_TEST(d34_cancels_through_a_pooler_hit_nobody_else)
{
    const long n = harness_number("TUSK_POOLER_CANCELS", 60);

    if (pooler_why_not[0])
        return;
    mode = modes[_i];
    seed = (uint32_t)harness_number("TUSK_CANCELS_SEED", 1);
    c = (counts){0};
    db = connect_watched();
    start_others();
    play(n);
    stop_others();
    ck_assert_int_eq(c.strays, 0);
    ck_assert_int_eq(c.lost, has_others() ? c.sent : 0);
    ck_assert_int_ge(c.hit, n < 500 ? 0 : n / 10); /* or it was not the moment that matters; of few it may not be */
    ck_assert_int_ge(c.finished, n < 500 ? 0 : n / 10);
    ck_usable(db);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("pooler_cancels_live");
    TCase *tcase = tcase_create("pooler_cancels_live");

    tcase_add_checked_fixture(tcase, up, down);
    tcase_set_timeout(tcase, 1000);
    tcase_add_loop_test(tcase, d34_cancels_through_a_pooler_hit_nobody_else, 0, N_OF(modes));
    suite_add_tcase(suite, tcase);
    return suite;
}
