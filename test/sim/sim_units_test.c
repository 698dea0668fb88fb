/* What belongs together, in a simulated world: transactions and savepoints, stacks, cursors, statements that the connection keeps
 * prepared, and full queues. The oracle: each request ends exactly once with its own answer, and the server's ledger agrees with
 * what was told of each insert: kept if its commit was told as success, undone if it was not, and never a part of what is whole.
 * Read first: docs/internals/sim.md, test/sim/units.h, test/sim/pg_server.h; sim_driver_test.c plays single requests. */
#include <check.h>
#include <string.h>

#include "test/harness/harness.h"
#include "test/sim/seeds.h"
#include "test/sim/units.h"

static void turn(run *r, double max_wait)
{
    tusk_error err = {0};
    tusk_code code = tusk_loop_turn(r->loop, max_wait, &err);

    r->n_turns++;
    units_check_world(r);
    units_must(r, code == TUSK_OK, "turn: %s", err.message);
    units_poll_asks(r);
    units_check_idle(r);
}

static void on_cancel(uint32_t token, void *user)
{
    const run *r = user;

    for (const ask *a = r->asks; a < r->asks + r->n_asks; a++) {
        bool is_its = a->part.token == token;
        for (size_t i = 0; i < a->n_parts; i++)
            is_its |= r->parts[a->first_part + i].token == token;
        if (is_its && (a->is_canceled || (a->due_us && sim_now(r->world) >= a->due_us)))
            return;
    }
    units_must(r, false, "a cancel hits %u, which nobody gave up", token);
}

static void begin(run *r, uint64_t seed)
{
    sim_faults faults = seed % 4 ? sim_faults_of(seed) : sim_harmless_faults_of(seed);
    pg_options options = {.login = PG_TRUST, .user = "sim", .password = "secret"};
    tusk_error err = {0};

    memset(r, 0, sizeof *r);
    r->seed = seed;
    r->world = sim_new(seed, &faults);
    r->is_faulty = seed % 4 != 0;
    r->has_stalls = faults.stall || faults.stall_connect || faults.thread_stalls;
    options.max_cancel_delay_us = units_any(r, 3) ? (int64_t)units_any(r, 5000) : 0;
    options.loss = units_chance(r, 300) ? 60 : 0;
    options.alteration = units_chance(r, 300) ? 60 : 0;
    options.failure = units_chance(r, 400) ? 200 : 0;
    if (r->is_faulty) {
        options.mishap = units_chance(r, 400) ? 8 : 0;
        options.early_death = units_chance(r, 200) ? 300 : 0;
        options.chatter = units_chance(r, 200) ? 100 : 0;
    }
    r->server = pg_server_new(r->world, &options);
    pg_watch(r->server, &(pg_watcher){NULL, NULL, on_cancel, r});
    pg_listen(r->server, "10.0.0.1", 5432);
    r->loop = tusk__loop_open_on(sim_os(r->world), &(tusk_loop_config){.allocator = &sim_counting}, &err);
    units_must(r, r->loop != NULL, "%s", err.message);
}

static size_t n_pending(const run *r)
{
    size_t n = 0;

    for (size_t i = r->n_over; i < r->n_asks; i++)
        n += !r->asks[i].is_over;
    return n;
}

/* What is open is ended, one after the other. */
static void end_levels(run *r)
{
    for (size_t i = 0; i < r->n_attempts; i++)
        units_end_attempt(&r->attempts[i]);
    for (size_t i = 0; i < r->n_lines; i++)
        while (r->lines[i].level && units_is_alive(&r->lines[i]))
            units_end_level(&r->lines[i], units_chance(r, 700));
}

static void close_all(run *r)
{
    for (size_t i = 0; i < r->n_lines; i++)
        if (r->lines[i].conn && !r->lines[i].is_closing)
            units_close_line(&r->lines[i]);
}

static void liveness(run *r)
{
    int64_t end_us;
    line *l;

    sim_stop_faults(r->world);
    pg_calm(r->server);
    r->is_calm = true;
    units_say(r, "calm");
    end_levels(r);
    end_us = sim_now(r->world) + LIVE_US;
    l = units_open_line(r, true);
    units_begin_level(l);
    (void)units_submit_statement(l, K_INSERT);
    (void)units_submit_statement(l, K_ROWS);
    units_end_level(l, true);
    for (int i = 0; i < 400 && n_pending(r); i++)
        turn(r, 0.02);
    close_all(r);
    while (n_pending(r)) {
        end_levels(r);
        turn(r, 0.01);
        units_must(r, sim_now(r->world) < end_us + LIVE_US, "%s %u on %d does not end",
                   units_kind_names[r->asks[r->n_over].kind], r->asks[r->n_over].part.token,
                   (int)(r->asks[r->n_over].line - r->lines));
    }
}

static void end(run *r)
{
    for (size_t i = 0; i < r->n_cursors; i++)
        if (r->cursors[i].cursor && units_chance(r, 500))
            units_free_cursor(&r->cursors[i]);
    units_say(r, "free the loop");
    r->is_ending = true;
    tusk_loop_free(r->loop);
    units_check_world(r);
    units_must(r, sim_open_sockets(r->world) == 0, "%zu sockets are left", sim_open_sockets(r->world));
    units_check_writes(r);
    units_check_commits(r);
}

static uint64_t play(uint64_t seed)
{
    static run r;
    long n_before = sim_n_blocks;
    uint64_t hash;

    sim_name_seed_of_crash(seed);
    begin(&r, seed);
    while (r.n_ops < N_OPS) {
        units_act(&r);
        if (units_chance(&r, 400))
            turn(&r, units_chance(&r, 300) ? 0 : units_any(&r, 20) / 1e3);
    }
    liveness(&r);
    end(&r);
    hash = sim_trace_hash(r.world);
    units_add_counts(pg_counts_of(r.server));
    sim_free(r.world);
    pg_server_free(r.server);
    ck_assert_msg(sim_n_blocks == n_before, "seed %llu: %ld blocks are left", (unsigned long long)seed,
                  sim_n_blocks - n_before);
    return hash;
}

START_TEST(what_is_told_of_transactions_and_stacks_is_what_the_server_has)
{
    units_is_logging = harness_number("TUSK_SIM_LOG", 0);
    if (sim_one_seed()) {
        play(sim_one_seed());
        return;
    }
    for (uint64_t seed = sim_first_seed(); seed < sim_first_seed() + sim_n_seeds(); seed++)
        play(seed);
    units_print_coverage();
    if (sim_n_seeds() >= 2000)
        units_check_coverage();
}
END_TEST

START_TEST(same_seed_gives_the_same_trace)
{
    if (sim_one_seed())
        return;
    for (uint64_t seed = sim_first_seed(); seed < sim_first_seed() + sim_n_seeds() / 10; seed++) {
        uint64_t hash = play(seed);
        ck_assert_msg(play(seed) == hash, "seed %llu", (unsigned long long)seed);
    }
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("sim_units");
    TCase *t = tcase_create("runs");

    suite_add_tcase(suite, t);
    tcase_set_timeout(t, 3600);
    tcase_add_test(t, what_is_told_of_transactions_and_stacks_is_what_the_server_has);
    tcase_add_test(t, same_seed_gives_the_same_trace);
    return suite;
}
