/* Timers: never early, ties by order of start, a leap of the clock, a million of them, and stopping whatever is next.
 * The alarm of an embedded loop is in loop_test.c.
 * Read first: loop/loop.h, "timers". */
#include <math.h>

#include "test/loop_util.h"

static tusk_loop *loop;
static world *w;
static int64_t n_fired;

static void setup(void)
{
    n_fired = 0;
    diary[0] = '\0';
    w = world_open_timeless();
    loop = loop_in(w);
}

static void teardown(void)
{
    tusk_loop_free(loop);
}

typedef struct named_timer {
    tusk__timer timer;
    const char *name;
    struct named_timer *victim;
    bool is_again;
} named_timer;

static void on_timer(tusk__timer *timer)
{
    named_timer *self = (named_timer *)(void *)timer;

    ck_assert(!tusk__timer_is_active(timer));
    note(self->name);
    if (self->victim)
        tusk__timer_stop(loop, &self->victim->timer);
    if (self->is_again)
        ck_assert_int_eq(tusk__timer_start(loop, timer, 0, on_timer), TUSK_OK);
}

static void start(named_timer *timer, int64_t delay_us)
{
    ck_assert_int_eq(tusk__timer_start(loop, &timer->timer, delay_us, on_timer), TUSK_OK);
}

/* ---- refusals --------------------------------------------------------------------------------------------------------- */

START_TEST(heap_that_cannot_grow_is_out_of_memory_and_harms_nobody)
{
    static named_timer timers[40];
    heap h;
    tusk_loop *poor;
    int n_started = 0;

    heap_init(&h);
    poor = loop_on_heap(w, &h, NULL);
    h.fail_at = atomic_load(&h.n_calls) + 2, h.and_all_later = true;
    for (int i = 0; i < 40; i++) {
        timers[i] = (named_timer){.name = "t"};
        if (tusk__timer_start(poor, &timers[i].timer, 1, on_timer) == TUSK_OK)
            n_started++;
        else
            ck_assert(!tusk__timer_is_active(&timers[i].timer));
    }
    ck_assert_int_eq(n_started, 16);
    ck_assert_ptr_null(tusk_timer_start(poor, 1, note_user, named("never")));
    h.fail_at = atomic_load(&h.n_calls) + 2, h.and_all_later = false;
    ck_assert_ptr_null(tusk_timer_start(poor, 1, note_user, named("never")));
    run_ok(poor);
    ck_assert_uint_eq(strlen(diary), 16 * 2 - 1);
    tusk_loop_free(poor);
    ck_assert_int_eq(atomic_load(&h.n_live), 0);
}
END_TEST

/* ---- when ------------------------------------------------------------------------------------------------------------- */

static int64_t due_us;

static void check_due(tusk__timer *timer)
{
    ck_assert_int_ge(tusk_loop_now_us(loop), timer->due_us);
    n_fired++;
}

START_TEST(timer_is_never_early_in_real_time)
{
    static tusk__timer timers[200];

    tusk_loop_free(loop);
    loop = loop_in(world_open());
    for (int i = 0; i < 200; i++) {
        int64_t delay_us = (i * 7919) % 30011, before_us = tusk_loop_now_us(loop);
        ck_assert_int_eq(tusk__timer_start(loop, &timers[i], delay_us, check_due), TUSK_OK);
        ck_assert_int_ge(timers[i].due_us, before_us + delay_us);
    }
    run_ok(loop);
    ck_assert_int_eq(n_fired, 200);
}
END_TEST

static void check_public(void *user)
{
    (void)user;
    ck_assert_int_ge(tusk_loop_now_us(loop), due_us);
    n_fired++;
}

START_TEST(public_timer_is_never_early_in_real_time)
{
    tusk_loop_free(loop);
    loop = loop_in(world_open());
    for (int i = 0; i < 50; i++) {
        double seconds = 0.0000371 * i;
        due_us = tusk_loop_now_us(loop) + (int64_t)ceil(seconds * 1e6 - 1e-6);
        ck_assert_ptr_nonnull(tusk_timer_start(loop, seconds, check_public, NULL));
        run_ok(loop);
    }
    ck_assert_int_eq(n_fired, 50);
}
END_TEST

START_TEST(equal_due_times_fire_in_order_of_start)
{
    named_timer a = {.name = "a"}, b = {.name = "b"}, c = {.name = "c"}, d = {.name = "d"};

    start(&b, 10);
    start(&a, 5);
    start(&c, 10);
    start(&d, 10);
    start(&b, 10); /* restarted: it is the last now */
    run_ok(loop);
    diary_is("a c d b");
}
END_TEST

START_TEST(leap_of_an_hour_fires_each_once_in_order)
{
    named_timer a = {.name = "a"}, b = {.name = "b"}, later = {.name = "later"};

    start(&b, 1800000000);
    start(&a, 1);
    start(&later, 3600000001);
    w->now_us += 3600000000;
    turn_ok(loop, 0);
    diary_is("a b");
    turn_ok(loop, 0);
    diary_is("");
    run_ok(loop);
    diary_is("later");
}
END_TEST

START_TEST(clock_that_goes_backwards_fires_nothing_early)
{
    named_timer a = {.name = "a"};

    start(&a, 1000);
    w->now_us -= 500000;
    turn_ok(loop, 0);
    diary_is("");
    run_ok(loop);
    diary_is("a");
    ck_assert_int_ge(w->now_us, a.timer.due_us);
}
END_TEST

START_TEST(delay_without_measure_does_not_overflow)
{
    named_timer never = {.name = "never"}, now = {.name = "now"}, past = {.name = "past"};

    start(&never, INT64_MAX);
    start(&now, 0);
    start(&past, -5);
    turn_ok(loop, TUSK_NONE);
    diary_is("now past");
    ck_assert_int_gt(never.timer.due_us, w->now_us);
    tusk__timer_stop(loop, &never.timer);
}
END_TEST

START_TEST(timer_restarting_itself_with_no_delay_does_not_hold_up_the_turn)
{
    named_timer a = {.name = "a", .is_again = true}, b = {.name = "b"};

    start(&a, 0);
    start(&b, 0);
    turn_ok(loop, 0);
    diary_is("a b");
    turn_ok(loop, 0);
    diary_is("a");
    tusk__timer_stop(loop, &a.timer);
}
END_TEST

/* ---- stopping --------------------------------------------------------------------------------------------------------- */

START_TEST(timer_stopped_by_a_neighbour_due_in_the_same_turn_does_not_fire)
{
    named_timer c = {.name = "c"}, b = {.name = "b"}, a = {.name = "a", .victim = &b};

    start(&a, 1);
    start(&b, 1);
    start(&c, 1);
    run_ok(loop);
    diary_is("a c");
    tusk__timer_stop(loop, &b.timer); /* again is fine */
}
END_TEST

/* Against a model: thousands of random starts and stops, and what is left must fire in the order of (due, start). */
START_TEST(random_starts_and_stops_fire_in_order)
{
    enum { N = 500, STEPS = 20000 };
    static tusk__timer timers[N];
    uint64_t state = 88172645463325252u + (uint64_t)_i, last_seq = 0;
    int64_t last_due = 0;
    size_t n_active = 0, n_seen = 0;

    memset(timers, 0, sizeof timers);
    for (int step = 0; step < STEPS; step++) {
        tusk__timer *timer;
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        timer = &timers[state % N];
        if (state >> 20 & 1)
            ck_assert_int_eq(tusk__timer_start(loop, timer, (int64_t)(state >> 32) % 100, on_timer), TUSK_OK);
        else
            tusk__timer_stop(loop, timer);
    }
    for (int i = 0; i < N; i++)
        n_active += tusk__timer_is_active(&timers[i]);
    for (;;) { /* the first of the heap is always the first of the model */
        const tusk__timer *first = NULL;
        for (int i = 0; i < N; i++)
            if (timers[i].index == 1)
                first = &timers[i];
        if (!first)
            break;
        ck_assert(first->due_us > last_due || (first->due_us == last_due && (n_seen == 0 || first->seq > last_seq)));
        last_due = first->due_us, last_seq = first->seq;
        n_seen++;
        tusk__timer_stop(loop, &timers[first - timers]);
    }
    ck_assert_uint_eq(n_seen, n_active);
}
END_TEST

/* ---- a million -------------------------------------------------------------------------------------------------------- */

static uint64_t n_clock_reads;
static int64_t last_due_us;

static int64_t counted_now(void *ctx)
{
    (void)ctx;
    n_clock_reads++;
    return w->now_us;
}

static int64_t n_wrong; /* Check writes down every assertion: a million of them take minutes */

static void check_order(tusk__timer *timer)
{
    n_wrong += timer->due_us < last_due_us || timer->due_us > w->now_us;
    last_due_us = timer->due_us;
    n_fired++;
}

START_TEST(million_timers_fire_once_each_in_order)
{
    enum { N = 1000000 };
    tusk__timer *timers = calloc(N, sizeof *timers);
    static heap h; /* the fixture frees the loop */
    uint64_t state = 1;
    long n_calls;

    heap_init(&h);
    tusk_loop_free(loop);
    loop = loop_on_heap(w, &h, NULL);
    w->os.now_us = counted_now;
    for (int i = 0; i < N; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        n_wrong += tusk__timer_start(loop, &timers[i], (int64_t)(state >> 40), check_order) != TUSK_OK;
    }
    ck_assert_uint_eq(n_clock_reads, N);
    ck_assert_int_lt(atomic_load(&h.n_calls), 30); /* the heap doubles */
    for (int i = 0; i < N; i += 2)
        tusk__timer_stop(loop, &timers[i]);
    for (int i = 0; i < N; i += 4)
        n_wrong += tusk__timer_start(loop, &timers[i], 5, check_order) != TUSK_OK;
    n_calls = atomic_load(&h.n_calls);
    w->now_us += (int64_t)1 << 24;
    turn_ok(loop, 0);
    ck_assert_int_eq(n_wrong, 0);
    ck_assert_int_eq(n_fired, N / 2 + N / 4);
    ck_assert_int_eq(atomic_load(&h.n_calls), n_calls);
    free(timers);
}
END_TEST

/* ---- public timers ---------------------------------------------------------------------------------------------------- */

static tusk_timer *own, *other;

static void stop_other(void *user)
{
    note(user);
    tusk_timer_stop(other);
}

static void stop_own(void *user)
{
    note(user);
    tusk_timer_stop(own); /* not allowed, and does no harm */
}

START_TEST(public_timer_fires_once_and_can_be_stopped_before)
{
    tusk_timer_stop(NULL);
    ck_assert_ptr_nonnull(tusk_timer_start(loop, 1, stop_other, named("a")));
    other = tusk_timer_start(loop, 1, note_user, named("other"));
    own = tusk_timer_start(loop, 2, stop_own, named("own"));
    run_ok(loop);
    diary_is("a own");
}
END_TEST

static const struct {
    double seconds;
    int64_t us;
} conversions[] = {
    {0, 0},          {1, 1000000},       {0.5, 500000},       {0.0000001, 1},     {0.0000011, 2},
    {-1, -1},        {-0.5, -1},         {NAN, -1},           {1e300, INT64_MAX}, {INFINITY, INT64_MAX},
    {-INFINITY, -1}, {3600, 3600000000}, {9.3e12, INT64_MAX},
};

START_TEST(seconds_become_microseconds_rounded_up_and_bounded)
{
    ck_assert_int_eq(tusk__seconds_to_us(conversions[_i].seconds), conversions[_i].us);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("timer");
    TCase *t = tcase_create("timer");

    suite_add_tcase(suite, t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, heap_that_cannot_grow_is_out_of_memory_and_harms_nobody);
    tcase_add_test(t, timer_is_never_early_in_real_time);
    tcase_add_test(t, public_timer_is_never_early_in_real_time);
    tcase_add_test(t, equal_due_times_fire_in_order_of_start);
    tcase_add_test(t, leap_of_an_hour_fires_each_once_in_order);
    tcase_add_test(t, clock_that_goes_backwards_fires_nothing_early);
    tcase_add_test(t, delay_without_measure_does_not_overflow);
    tcase_add_test(t, timer_restarting_itself_with_no_delay_does_not_hold_up_the_turn);
    tcase_add_test(t, timer_stopped_by_a_neighbour_due_in_the_same_turn_does_not_fire);
    tcase_add_loop_test(t, random_starts_and_stops_fire_in_order, 0, 10);
    tcase_add_test(t, million_timers_fire_once_each_in_order);
    tcase_add_test(t, public_timer_fires_once_and_can_be_stopped_before);
    tcase_add_loop_test(t, seconds_become_microseconds_rounded_up_and_bounded, 0,
                        (int)(sizeof conversions / sizeof conversions[0]));
    return suite;
}
