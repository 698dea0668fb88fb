/* Loads of TUSK_MANY_EACH whose statement is gone behind every single item: by a trigger's DEALLOCATE ALL, and by DISCARD ALL, which is the
 * load's own statement. What says "repeat" is given again, as the caller is told to do; in the end each row is there once.
 * Read first: docs/internals/many.md, "A statement that goes wrong between two items of EACH". */
#include "test/live/live.h"

enum { N_KEYS = 60, MAX_ITEMS = 4000 };

/* Keys that have to be given, again or for the first time, and which one each item was. */
typedef struct work {
    bool is_alone; /* each item waits for the answer of the one before */
    bool has_key;  /* the item has a value */
    int todo[MAX_ITEMS], n_todo, at;
    int key_of[MAX_ITEMS];
    int64_t n_given, n_told, n_kept;
    bool is_kept[N_KEYS], is_waiting;
} work;

static void up(void)
{
    live_up();
    run("drop table if exists many_lost");
    run("create table many_lost (n int4 primary key)");
    run("create or replace function many_lost() returns trigger language plpgsql as "
        "'begin deallocate all; return new; end'");
    run("create trigger many_lost before insert on many_lost for each row execute function many_lost()");
}

static void down(void)
{
    run("drop table many_lost");
    run("drop function many_lost");
    live_down();
}

static tusk_code give(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    work *w = user;
    int key;

    (void)err;
    ck_assert_int_lt(item, MAX_ITEMS);
    if (w->at == w->n_todo && w->n_told == w->n_given)
        return TUSK_DONE;
    if (w->at == w->n_todo || (w->is_alone && w->n_told < w->n_given)) {
        w->is_waiting = true;
        return TUSK_AGAIN;
    }
    key = w->todo[w->at++];
    w->key_of[item] = key;
    w->n_given++;
    return tusk_many_push(q, w->has_key ? TUSK_PARAMS(tusk_int4(key)) : TUSK_NO_PARAMS);
}

static void told(tusk_query *q, int64_t item, int64_t rows, const tusk_error *err, void *user)
{
    work *w = user;
    int key = w->key_of[item];

    (void)rows;
    ck_assert_int_eq(item, w->n_told++);
    if (err) {
        ck_assert_msg(strcmp(err->sqlstate, "26000") == 0 && err->retry == TUSK_RETRY_REQUEST, "%s", said(err));
        ck_assert_int_lt(w->n_todo, MAX_ITEMS);
        w->todo[w->n_todo++] = key;
    } else {
        ck_assert(!w->is_kept[key]);
        w->is_kept[key] = true;
        w->n_kept++;
    }
    if (w->is_waiting)
        ck_assert_int_eq(tusk_many_resume(q), TUSK_OK);
    w->is_waiting = false;
}

static void load(work *w, const char *sql, bool has_handle)
{
    tusk_stmt *stmt = has_handle ? tusk_prepare(db, sql, NULL, 0) : NULL;
    tusk_query *q;

    for (w->n_todo = 0; w->n_todo < N_KEYS; w->n_todo++)
        w->todo[w->n_todo] = w->n_todo;
    q = tusk_many_submit(db, &(tusk_many_request){.sql = stmt ? NULL : sql,
                                                  .stmt = stmt,
                                                  .pull = give,
                                                  .mode = TUSK_MANY_EACH,
                                                  .on_item = told,
                                                  .flight_bytes = 1024,
                                                  .user = w});
    (void)tusk_await(q);
    ck_ok(q);
    ck_assert_int_eq(w->n_kept, N_KEYS);
    ck_assert_int_gt(tusk_many_n_failed(q), 0);
    ck_assert_int_eq(tusk_many_n_failed(q), w->n_given - N_KEYS);
    tusk_query_free(q);
    tusk_stmt_free(stmt);
}

/* One that is renewed without a name is not lost again: neither DEALLOCATE ALL nor DISCARD ALL speaks of that one. A handle's has a name, and
 * is lost every second time. */
static int64_t n_alone(bool has_handle)
{
    return has_handle ? 2 * N_KEYS - 1 : N_KEYS + 1;
}

/* One by one, or a flight at a time; inside a transaction or not; a text, or a handle. */
START_TEST(load_whose_every_item_deallocates_all_keeps_each_once)
{
    work w = {.is_alone = _i & 1, .has_key = true};
    bool is_inside = _i & 2;

    if (is_inside)
        run("begin");
    load(&w, "insert into many_lost values ($1)", _i & 4);
    if (is_inside)
        run("commit");
    if (w.is_alone)
        ck_assert_int_eq(w.n_given, n_alone(_i & 4));
    ck_assert_int_eq(number("select count(*)::int4 from many_lost"), N_KEYS);
    ck_usable(db);
}
END_TEST

START_TEST(load_of_discard_all_runs_each_once)
{
    work w = {.is_alone = _i & 1};

    load(&w, "discard all", _i & 2);
    if (w.is_alone)
        ck_assert_int_eq(w.n_given, n_alone(_i & 2));
    ck_usable(db);
    ck_assert_str_eq(kept_statements(), "select 4711");
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("many_lost");
    TCase *tcase = tcase_create("live");

    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, up, down);
    tcase_add_loop_test(tcase, load_whose_every_item_deallocates_all_keeps_each_once, 0, 8);
    tcase_add_loop_test(tcase, load_of_discard_all_runs_each_once, 0, 4);
    suite_add_tcase(suite, tcase);
    return suite;
}
