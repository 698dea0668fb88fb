/* Hundreds of thousands of requests through one connection, as many in flight as it takes, good ones and bad ones in any order:
 * every answer at its own request, and nothing allocated for any of them. TUSK_PIPELINED=1000000 is `make pipelines`; make test
 * does 40000.
 * Read first: test/live/counts_live_test.c, DESIGN principles 4 and 6. */
#include "test/live/live.h"

#include "test/harness/fail_alloc.h"

enum { WINDOW = 400 }; /* requests in flight; a loop keeps 512 of them for their next use */

static fail_alloc heap;
static uint32_t seed;

static uint32_t dice(uint32_t sides)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)sides * (seed >> 8) >> 24);
}

/* ---- what is asked: the n-th request says n, in its value, its number of rows, or its error --------------------------------- */

typedef struct asked asked;
typedef struct way {
    const char *name;
    int weight;
    bool has_error; /* whose message holds "x<n>" */
    tusk_code code;
    tusk_query *(*ask)(const asked *a, tusk_request *request);
} way;

struct asked {
    const way *way;
    int n;
    asked *next; /* of the free ones */
};

static tusk_stmt *value_stmt, *rows_stmt, *text_stmt, *error_stmt;

static int n_rows_of(int n)
{
    return 1 + n % 5;
}

static tusk_query *submit(tusk_request *request, tusk_params params)
{
    request->params = params;
    return tusk_submit(db, request);
}

/* The same text each time: what a cache of statements knows after the first. */
static tusk_query *ask_value(const asked *a, tusk_request *request)
{
    request->sql = "select $1";
    return submit(request, TUSK_PARAMS(tusk_int4(a->n)));
}

static tusk_query *ask_rows(const asked *a, tusk_request *request)
{
    request->sql = "select $1::int4, 'a row' from generate_series(1, $2)";
    return submit(request, TUSK_PARAMS(tusk_int4(a->n), tusk_int4(n_rows_of(a->n))));
}

/* Longer than what a cache of statements may take in: see up(). */
#define PADDING "/* this statement is run once, and its text is longer than the others */"

/* A text of its own: what no cache knows. */
static tusk_query *ask_once(const asked *a, tusk_request *request)
{
    request->sql = textf("select %d " PADDING, a->n);
    return submit(request, TUSK_NO_PARAMS);
}

static tusk_query *ask_script(const asked *a, tusk_request *request)
{
    request->script = true;
    return ask_once(a, request);
}

static tusk_query *ask_value_stmt(const asked *a, tusk_request *request)
{
    request->stmt = value_stmt;
    return submit(request, TUSK_PARAMS(tusk_int4(a->n)));
}

static tusk_query *ask_rows_stmt(const asked *a, tusk_request *request)
{
    request->stmt = rows_stmt;
    return submit(request, TUSK_PARAMS(tusk_int4(a->n), tusk_int4(n_rows_of(a->n))));
}

static tusk_query *ask_text_stmt(const asked *a, tusk_request *request)
{
    request->stmt = text_stmt;
    request->text_results = true;
    return submit(request, TUSK_PARAMS(tusk_int4(a->n)));
}

static tusk_query *fail_running(const asked *a, tusk_request *request)
{
    request->sql = "select $1::int4";
    return submit(request, TUSK_PARAMS(tusk_text(textf("x%d", a->n))));
}

static tusk_query *fail_running_stmt(const asked *a, tusk_request *request)
{
    request->stmt = error_stmt;
    return submit(request, TUSK_PARAMS(tusk_text(textf("x%d", a->n))));
}

/* Behind the first of five rows. */
static tusk_query *fail_late(const asked *a, tusk_request *request)
{
    request->sql = "select case when g < 5 then g else ($1 || g)::int4 end from generate_series(1, 5) g";
    return submit(request, TUSK_PARAMS(tusk_text(textf("x%d\" ", a->n))));
}

static tusk_query *fail_parsing(const asked *a, tusk_request *request)
{
    request->sql = textf("select \"x%d\" " PADDING, a->n);
    return submit(request, TUSK_NO_PARAMS);
}

static tusk_query *fail_here(const asked *a, tusk_request *request)
{
    request->sql = "select $1, $2 " PADDING; /* a cache takes a statement in before its values are looked at */
    return submit(request, TUSK_PARAMS(tusk_int4(a->n), tusk_text("\xff")));
}

static const way ways[] = {
    {"value", 20, false, TUSK_OK, ask_value},
    {"rows", 10, false, TUSK_OK, ask_rows},
    {"once", 15, false, TUSK_OK, ask_once},
    {"script", 1, false, TUSK_OK, ask_script},
    {"prepared value", 25, false, TUSK_OK, ask_value_stmt},
    {"prepared rows", 10, false, TUSK_OK, ask_rows_stmt},
    {"prepared text", 3, false, TUSK_OK, ask_text_stmt},
    {"error", 5, true, TUSK_ERR_SERVER, fail_running},
    {"prepared error", 5, true, TUSK_ERR_SERVER, fail_running_stmt},
    {"late error", 3, true, TUSK_ERR_SERVER, fail_late},
    {"syntax error", 2, true, TUSK_ERR_SERVER, fail_parsing},
    {"refused here", 1, false, TUSK_ERR_VALUE, fail_here},
};

static const way *any_way(void)
{
    uint32_t at = dice(100); /* the sum of the weights */
    const way *w = ways;

    for (; at >= (uint32_t)w->weight; w++)
        at -= (uint32_t)w->weight;
    return w;
}

/* ---- the pipeline ----------------------------------------------------------------------------------------------------------------- */

static asked all[WINDOW];
static asked *idle;
static int n_asked, n_answered, n_wanted, n_warm, n_errors;
static long heap_when_warm;
static bool is_waiting;

static void fill(void);

static void check_rows(const asked *a, tusk_query *q)
{
    bool has_many = a->way->ask == ask_rows || a->way->ask == ask_rows_stmt, is_text = a->way->ask == ask_text_stmt;
    tusk_row row;
    int n = 0;

    for (; tusk_next_row(q, &row); n++) {
        bool is_own = is_text || a->way->ask == ask_script ? tusk_str_is(tusk_get_raw(&row, 0), textf("%d", a->n))
                                                           : tusk_get_int4(&row, 0) == a->n;
        ck_assert_msg(is_own, "%d (%s) got another's row", a->n, a->way->name);
    }
    ck_assert_msg(n == (has_many ? n_rows_of(a->n) : 1), "%d (%s) got %d rows", a->n, a->way->name, n);
}

static void answered(tusk_query *q, void *user)
{
    asked *a = user;
    const tusk_error *err = tusk_query_error(q);

    ck_assert_msg(err->code == a->way->code, "%d (%s): %s", a->n, a->way->name, said(err));
    if (err->code == TUSK_OK)
        check_rows(a, q);
    else if (a->way->has_error)
        ck_assert_msg(strstr(err->message, textf("\"x%d\"", a->n)) != NULL, "%d (%s) got another's error: %s", a->n,
                      a->way->name, err->message);
    n_errors += err->code != TUSK_OK;
    a->next = idle;
    idle = a;
    if (++n_answered == n_warm)
        heap_when_warm = heap.n;
    if (n_answered == n_wanted)
        tusk_loop_stop(loop);
    else if (!is_waiting)
        fill();
}

static void drained(tusk_query *q, void *user)
{
    (void)user;
    ck_assert_msg(tusk_query_code(q) == TUSK_OK, "%s", said(tusk_query_error(q)));
    is_waiting = false;
    fill();
}

static void ask_next(void)
{
    asked *a = idle;
    tusk_request request = {.on_done = answered, .user = a};

    idle = a->next;
    a->n = n_asked++;
    a->way = any_way();
    ck_assert_ptr_nonnull(a->way->ask(a, &request));
}

/* Until the connection takes no more; then again when half of it is answered, or here and there one by one. */
static void fill(void)
{
    while (n_asked < n_wanted && idle && tusk_conn_is_writable(db))
        ask_next();
    if (n_asked == n_wanted || dice(4) == 0)
        return;
    is_waiting = true;
    tusk_query_on_done(tusk_conn_drained(db), drained, NULL);
}

static tusk_stmt *prepared(const char *sql)
{
    tusk_stmt *stmt = tusk_prepare(db, sql, NULL, 0);
    tusk_error err = {0};

    ck_assert_msg(tusk_await_free(tusk_stmt_ready(stmt), &err) == TUSK_OK, "%s", said(&err));
    return stmt;
}

static void up(void)
{
    tusk_config config = {
        .dsn = harness_env("TUSK_TEST_DSN_PLAIN"), .max_queued_requests = WINDOW, .max_cacheable_statement_size = 80};

    live_fds = harness_open_fds();
    fail_alloc_init(&heap, 0, false);
    loop = tusk_loop_open(&(tusk_loop_config){.allocator = &heap.allocator}, NULL);
    db = tusk_conn_open(loop, &config);
    ck_usable(db);
    value_stmt = prepared("select $1::int4");
    rows_stmt = prepared("select $1::int4, 'a row' from generate_series(1, $2::int4)");
    text_stmt = prepared("select $1::int4 + 0");
    error_stmt = prepared("select $1::text::int4");
}

static void down(void)
{
    tusk_stmt_free(value_stmt);
    tusk_stmt_free(rows_stmt);
    tusk_stmt_free(text_stmt);
    tusk_stmt_free(error_stmt);
    live_down();
    ck_assert_int_eq(heap.live, 0);
}

START_TEST(every_answer_is_at_its_own_request_and_none_allocates)
{
    n_wanted = (int)harness_number("TUSK_PIPELINED", 40000);
    n_warm = n_wanted / 2;
    n_asked = n_answered = n_errors = 0;
    is_waiting = false;
    idle = NULL;
    seed = (uint32_t)harness_number("TUSK_PIPELINED_SEED", 1);
    for (int i = 0; i < WINDOW; i++) {
        all[i].next = idle;
        idle = &all[i];
    }
    fill();
    ck_assert_int_eq(tusk_loop_run(loop, NULL), TUSK_OK);
    ck_assert_int_eq(n_answered, n_wanted);
    harness_note("%d requests, %d of them bad, each answered as its own; %ld allocations in the second half", n_wanted,
                 n_errors, heap.n - heap_when_warm);
    ck_assert_int_lt(heap.n - heap_when_warm, n_wanted / 1000); /* how deep a pipeline may become, time decides */
    ck_usable(db);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("pipelines_live");
    TCase *tcase = tcase_create("pipelines_live");

    tcase_add_checked_fixture(tcase, up, down);
    tcase_set_timeout(tcase, 1000);
    tcase_add_test(tcase, every_answer_is_at_its_own_request_and_none_allocates);
    suite_add_tcase(suite, tcase);
    return suite;
}
