/* Cancels around the very moment at which a request ends by itself, with a neighbour queued behind: what a CancelRequest hits
 * (D34, "The cancel rule"). The server's log counts those that reached it, and the bytes that come back say what became of each.
 * TUSK_CANCELS=20000 is `make cancels`; make test does 200.
 * Read first: DESIGN "Cancel", lib/deadline.c. */
#include "test/live/cancels.h"

static void up(void)
{
    cancels_up();
    db = tusk_connect(loop,
                      textf("%s&options=-c%%20log_min_messages%%3Dwarning%%20-c%%20log_min_error_statement%%3Dpanic",
                            harness_env("TUSK_TEST_DSN_PLAIN")));
    ck_usable(db);
}

/* ---- the rounds --------------------------------------------------------------------------------------------------------------------- */

typedef struct counts {
    long sent;     /* CancelRequests */
    long hit;      /* … whose request ended as 57014 */
    long finished; /* … whose request ended by itself */
    long escaped;  /* requests that were answered before a CancelRequest was sent */
    long fenced;   /* 57014 that came to the fence */
    long strays;   /* … to the neighbour, whom nobody canceled */
} counts;

/* Its connection is gone, also where the rule does not wait for that: one cancel at a time. */
static void until_cancel_is_over(void)
{
    while (world.n[OS_SOCKET] - world.n[OS_CLOSE] > 2)
        turn(0.001);
}

static void judge(counts *c, int64_t step_us, bool is_sent, bool neighbour_was_hit)
{
    answer answers[4];
    size_t n = read_answers(answers, 4);

    ck_assert_uint_ge(n, 2);
    c->strays += neighbour_was_hit;
    if (!is_sent) {
        ck_assert(!answers[0].is_canceled);
        c->escaped++;
        follow(-3 * step_us);
        return;
    }
    c->sent++;
    c->hit += answers[0].is_canceled;
    c->finished += !answers[0].is_canceled;
    c->fenced += n == 3 && answers[1].is_canceled;
    follow(answers[0].is_canceled ? step_us : -step_us);
}

static void play_round(counts *c, int64_t step_us, int number)
{
    long n_connects = world.n[OS_CONNECT];
    tusk_query *q, *neighbour;
    tusk_row row;
    bool is_hit;

    n_heard = 0;
    q = submit_sleep(db);
    cancel_about_now(q);
    neighbour = tusk_exec(db, "select $1 from pg_sleep(0.001)", TUSK_PARAMS(tusk_int4(number)));
    (void)tusk_await(neighbour);
    is_hit = is_57014(neighbour);
    ck_assert_msg(is_hit || tusk_query_code(neighbour) == TUSK_OK, "round %d: %s", number,
                  said(tusk_query_error(neighbour)));
    ck_assert(is_hit || (tusk_next_row(neighbour, &row) && tusk_get_int4(&row, 0) == number));
    check_canceled(q);
    until_cancel_is_over();
    judge(c, step_us, world.n[OS_CONNECT] > n_connects, is_hit);
    tusk_query_free(neighbour);
    tusk_query_free(q);
}

/* At least a fifth each way (make cancels), or it was not the moment that matters. */
START_TEST(cancels_around_the_end_of_a_request_hit_no_neighbour)
{
    const long n = harness_number("TUSK_CANCELS", 200);
    uint32_t pid = tusk_conn_backend_pid(db);
    counts warm_up = {0}, c = {0};
    long from, share;

    seed = (uint32_t)harness_number("TUSK_CANCELS_SEED", 1);
    for (int i = 0; warm_up.sent < 50; i++)
        play_round(&warm_up, 100, i);
    from = log_size();
    for (int i = 0; c.sent < n; i++)
        play_round(&c, 20, i);
    harness_note(
        "%ld CancelRequests reached the server: %ld requests ended as 57014, %ld by themselves; 57014 came to %ld "
        "fences and to %ld requests that nobody had canceled (%ld more requests were faster than their cancel)",
        n_logged(from, REACHED), c.hit, c.finished, c.fenced, c.strays, c.escaped);
    record_counts("direct", (long[]){n_logged(from, REACHED), c.hit, c.finished, c.fenced, c.strays}, 5);
    ck_assert_int_eq(c.strays, 0);
    ck_assert_int_eq(n_logged(from, REACHED), c.sent);
    share = n >= 2000 ? n / 5 : 1; /* of so few that make test sends, the machine's other work decides */
    ck_assert_int_ge(c.hit, share);
    ck_assert_int_ge(c.finished, share);
    ck_assert_uint_eq(tusk_conn_backend_pid(db), pid);
    ck_usable(db);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("cancels_live");
    TCase *tcase = tcase_create("cancels_live");

    tcase_add_checked_fixture(tcase, up, cancels_down);
    tcase_set_timeout(tcase, 1000);
    tcase_add_test(tcase, cancels_around_the_end_of_a_request_hit_no_neighbour);
    suite_add_tcase(suite, tcase);
    return suite;
}
