/* Chunks: counted, recycled, bounded, trimmed, and poisoned while nobody holds them.
 * Read first: loop/loop.h, "chunks"; loop/chunk.c. */
#include "test/loop_util.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#if defined(HAS_ASAN)
#include <sanitizer/asan_interface.h>
#endif

static tusk_loop *loop;
static world *w;
static heap h;

static void setup(void)
{
    w = world_open_timeless();
    heap_init(&h);
    loop = loop_on_heap(w, &h, NULL);
}

static void teardown(void)
{
    tusk_loop_free(loop);
    ck_assert_int_eq(atomic_load(&h.n_live), 0);
}

static long n_calls(void)
{
    return atomic_load(&h.n_calls);
}

/* Borrow n at once, give all back. */
static void borrow(int n)
{
    tusk__chunk *list = NULL;

    for (int i = 0; i < n; i++) {
        tusk__chunk *chunk = tusk__chunk_get(loop, 1);
        ck_assert_ptr_nonnull(chunk);
        memset(chunk->data, i, chunk->cap);
        chunk->next = list;
        list = chunk;
    }
    while (list) {
        tusk__chunk *next = list->next;
        tusk__chunk_unref(list);
        list = next;
    }
}

START_TEST(out_of_memory_gives_no_chunk)
{
    h.fail_at = n_calls() + 1, h.and_all_later = true;
    ck_assert_ptr_null(tusk__chunk_get(loop, 1));
    ck_assert_ptr_null(tusk__chunk_get(loop, 1000000));
    h.and_all_later = false;
    borrow(1);
    tusk__chunk_unref(NULL);
}
END_TEST

START_TEST(size_beyond_all_memory_gives_no_chunk)
{
    long before = n_calls();

    ck_assert_ptr_null(tusk__chunk_get(loop, SIZE_MAX));
    ck_assert_ptr_null(tusk__chunk_get(loop, SIZE_MAX - sizeof(tusk__chunk) + 1));
    ck_assert_int_eq(n_calls(), before);
}
END_TEST

/* Then the trimming timer cannot be started, and nothing may pile up. */
START_TEST(out_of_memory_when_giving_back_frees_the_surplus)
{
    tusk__chunk *chunks[8];
    long n_live = atomic_load(&h.n_live);

    for (int i = 0; i < 8; i++)
        chunks[i] = tusk__chunk_get(loop, 1);
    h.fail_at = n_calls() + 1, h.and_all_later = true;
    for (int i = 0; i < 8; i++)
        tusk__chunk_unref(chunks[i]);
    ck_assert_int_eq(atomic_load(&h.n_live), n_live + 4);
}
END_TEST

static const struct {
    size_t asked, cap;
} sizes[] = {
    {0, TUSK__CHUNK_SIZE},
    {1, TUSK__CHUNK_SIZE},
    {TUSK__CHUNK_SIZE, TUSK__CHUNK_SIZE},
    {TUSK__CHUNK_SIZE + 1, TUSK__CHUNK_SIZE + 1},
    {10000000, 10000000},
};

START_TEST(chunk_holds_what_was_asked_for)
{
    tusk__chunk *chunk = tusk__chunk_get(loop, sizes[_i].asked);

    ck_assert_uint_eq(chunk->cap, sizes[_i].cap);
    ck_assert_uint_eq(chunk->refs, 1);
    ck_assert_ptr_null(chunk->next);
    ck_assert_ptr_eq(chunk->loop, loop);
    memset(chunk->data, 1, chunk->cap);
    tusk__chunk_unref(chunk);
}
END_TEST

START_TEST(chunk_lives_until_its_last_reference)
{
    tusk__chunk *chunk = tusk__chunk_get(loop, 1);

    ck_assert_ptr_eq(tusk__chunk_ref(chunk), chunk);
    tusk__chunk_unref(chunk);
    chunk->data[0] = 7;
    tusk__chunk_unref(chunk);
    ck_assert_ptr_eq(tusk__chunk_get(loop, 1), chunk);
    ck_assert_uint_eq(chunk->refs, 1);
    tusk__chunk_unref(chunk);
}
END_TEST

START_TEST(steady_borrowing_allocates_nothing)
{
    long before;

    borrow(30);
    before = n_calls();
    for (int i = 0; i < 1000; i++) {
        w->now_us += 10000; /* ten seconds in all: trimming leaves alone what is needed */
        turn_ok(loop, 0);
        borrow(30);
    }
    ck_assert_int_eq(n_calls(), before);
}
END_TEST

START_TEST(large_chunk_goes_straight_back)
{
    long n_live = atomic_load(&h.n_live);

    tusk__chunk_unref(tusk__chunk_get(loop, 1000000));
    ck_assert_int_eq(atomic_load(&h.n_live), n_live);
}
END_TEST

START_TEST(burst_is_kept_up_to_the_bound)
{
    long n_live = atomic_load(&h.n_live);

    borrow(200);
    ck_assert_int_le(atomic_load(&h.n_live), n_live + 64 + 1); /* and the timers' heap */
    ck_assert_int_ge(atomic_load(&h.n_live), n_live + 64);
}
END_TEST

START_TEST(idle_loop_keeps_a_few_and_then_sleeps_for_ever)
{
    long n_live = atomic_load(&h.n_live), before;

    borrow(50);
    run_ok(loop); /* trimming is no reason to go on */
    ck_assert_int_eq(w->n_waits, 0);
    while (tusk_loop_timeout_us(loop) >= 0)
        turn_ok(loop, TUSK_NONE);
    ck_assert_int_le(w->n_waits, 3);
    ck_assert_int_le(atomic_load(&h.n_live), n_live + 4 + 1);
    ck_assert_int_eq(tusk_loop_timeout_us(loop), -1);
    before = n_calls();
    borrow(4);
    ck_assert_int_eq(n_calls(), before);
}
END_TEST

#if defined(HAS_ASAN)
START_TEST(free_chunk_is_poisoned_and_spoiled)
{
    tusk__chunk *chunk = tusk__chunk_get(loop, 1);

    memset(chunk->data, 'x', chunk->cap);
    tusk__chunk_unref(chunk);
    ck_assert(__asan_address_is_poisoned(chunk->data));
    ck_assert(__asan_address_is_poisoned(chunk->data + TUSK__CHUNK_SIZE - 1));
    ck_assert_ptr_eq(tusk__chunk_get(loop, 1), chunk);
    ck_assert(!__asan_address_is_poisoned(chunk->data));
    ck_assert_uint_eq(chunk->data[0], 0xDD);
    ck_assert_uint_eq(chunk->data[chunk->cap - 1], 0xDD);
    tusk__chunk_unref(chunk);
}
END_TEST
#endif

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("chunk");
    TCase *t = tcase_create("chunk");

    suite_add_tcase(suite, t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, out_of_memory_gives_no_chunk);
    tcase_add_test(t, size_beyond_all_memory_gives_no_chunk);
    tcase_add_test(t, out_of_memory_when_giving_back_frees_the_surplus);
    tcase_add_loop_test(t, chunk_holds_what_was_asked_for, 0, (int)(sizeof sizes / sizeof sizes[0]));
    tcase_add_test(t, chunk_lives_until_its_last_reference);
    tcase_add_test(t, steady_borrowing_allocates_nothing);
    tcase_add_test(t, large_chunk_goes_straight_back);
    tcase_add_test(t, burst_is_kept_up_to_the_bound);
    tcase_add_test(t, idle_loop_keeps_a_few_and_then_sleeps_for_ever);
#if defined(HAS_ASAN)
    tcase_add_test(t, free_chunk_is_poisoned_and_spoiled);
#endif
    return suite;
}
