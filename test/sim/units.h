/* Callers of what belongs together, and what they know: transactions, stacks, cursors on a few connections. A `run` is one seed;
 * sim_units_test.c plays it, units_act.c draws what is done next, and each further file is one kind of request: how it is made, and
 * what must be true of its end. A new kind is a file of its own: a member of `kind`, its name and what can become of it in
 * units_coverage.c, a call in units_act.c, and its checks in units_answer.c.
 * Read first: docs/internals/sim.md, test/sim/pg_server.h. */
#ifndef TUSK_TEST_SIM_UNITS_H
#define TUSK_TEST_SIM_UNITS_H

#include "test/sim/pg_server.h"
#include "tusk/tusk.h"

enum {
    N_OPS = 150,
    MAX_LINES = 40,
    MAX_ASKS = 1200,
    MAX_LEVELS = 600,
    MAX_WRITES = 3000,
    MAX_CURSORS = 100,
    MAX_ATTEMPTS_SEEN = 200,
    MAX_PARTS = 3000,
    MAX_LOADS = 100,
    MAX_ITEMS = 30,
    LIVE_US = 10 * 1000000, /* all must be finished so long after the last fault */
    LATE_US = 10 * 1000,    /* a deadline may be missed by so much */
};

typedef enum kind {
    K_ROW,
    K_ROWS,
    K_ECHO,
    K_NOBIN,
    K_SLEEP,
    K_ERROR,
    K_PATH,
    K_INSERT,
    K_N_STATEMENTS,
    K_DISCARD = K_N_STATEMENTS,
    K_TEXT_BEGIN,
    K_BEGIN,
    K_COMMIT,
    K_NESTED_COMMIT,
    K_ROLLBACK,
    K_ATOMIC,
    K_ATOMIC_INSIDE,
    K_CONTINUE,
    K_CONTINUE_INSIDE,
    K_LOAD,
    K_LOAD_INSIDE,
    K_EACH,
    K_EACH_INSIDE,
    K_FETCH,
    K_MOVE,
    K_TRANSACT,
    K_DRAINED,
    K_CLOSE,
    N_KINDS
} kind;

typedef enum outcome {
    O_OK,
    O_SERVER,
    O_RETRY, /* the server's error, and the driver says what to repeat */
    O_CANCELED,
    O_TIMEOUT,
    O_LOST,
    O_NOT_SENT, /* one of these three, and no byte has left */
    O_UNKNOWN,  /* commit */
    O_ROLLED_BACK,
    O_STATE,
    O_FULL,
    O_NO_CONNECTION,
    O_OWN, /* of a transaction: the reason that its function gave */
    O_FREED,
    N_OUTCOMES
} outcome;

/* What became of a transaction, or of one insert in its own eyes. */
typedef enum verdict { V_OPEN, V_KEPT, V_UNDONE, V_UNSURE } verdict;

/* Of a transaction that the text "begin" was to open: the driver knows of none, so it is one only if the server says so. */
typedef enum text_state {
    T_NONE = 0, /* tusk_begin() did */
    T_ASKED,    /* nobody knows, yet or for ever */
    T_BEGUN,
    T_VOID /* it was not opened: what was submitted in it was by itself */
} text_state;

typedef struct run run;
typedef struct level level;

typedef struct line {
    run *run;
    tusk_conn *conn;                    /* NULL: freed */
    level *level;                       /* the innermost that is open, as submitted */
    bool is_closing, is_fresh, is_busy; /* busy: a function of tusk_transact() has the transaction */
    bool is_astray; /* what ends a transaction was given up on the wire: whether one is open only the server knows */
    int n_closed;
} line;

struct level {
    level *parent;
    verdict verdict;
    text_state text;
    bool is_behind;   /* it was begun behind the end of what is around it, which was taken back */
    bool is_attempts; /* of tusk_transact(): it must find what is in it ended */
    int seen; /* of its certain inserts: 0 none, 1 applied, 2 not */
};

typedef struct write {
    uint32_t token;
    level *level;   /* NULL: by itself */
    verdict own;    /* KEPT: it ran; UNDONE: it did not, or was undone by its stack */
    uint32_t group; /* those of the same are there together or not at all; 0: alone */
} write;

typedef struct part {
    kind kind;
    uint32_t token, number, operation;
} part;

typedef struct cursor {
    tusk_cursor *cursor; /* NULL: freed */
    line *line;
    uint32_t token, number, at;
    bool is_walked, is_certain;
} cursor;

/* Execute-many: the items are parts from the ask's first_part on. */
typedef struct load {
    struct ask *ask;
    uint32_t n, fails_at, waits_at, n_given, n_told; /* behind n: never */
    bool is_each, has_waited;
    verdict told[MAX_ITEMS];
} load;

typedef struct ask {
    run *run;
    kind kind;
    line *line;
    level *level, *ends; /* in which it is; which it ends */
    cursor *cursor;
    load *load;
    tusk_query *q; /* NULL: not ours any more */
    part part;
    size_t first_part, n_parts; /* of a stack or a load */
    uint32_t first_group;
    bool has_done, is_over, is_freed, is_canceled, is_aside, was_full, was_closed;
    size_t canceled_turn;
    int64_t due_us;
    outcome outcome;
    bool has_failed; /* what is around it cannot be told as a success */
    bool is_taken_back; /* an end that was never sent: as if not called */
} ask;

/* tusk_transact() and tusk_transact_start(): the attempt that is being made. */
typedef struct attempts {
    run *run;
    line *line;
    tusk_attempt *attempt; /* NULL: none that has to be ended */
    level *level;          /* of the last one */
    unsigned n, max;
    ask *ask;
} attempts;

struct run {
    uint64_t seed;
    sim_world *world;
    pg_server *server;
    tusk_loop *loop;
    bool is_faulty, has_stalls, is_calm, is_inside, is_ending, is_calling;
    int n_ops;
    size_t n_turns;
    uint32_t n_tokens, n_groups;
    line lines[MAX_LINES];
    level levels[MAX_LEVELS];
    write writes[MAX_WRITES];
    part parts[MAX_PARTS];
    cursor cursors[MAX_CURSORS];
    ask asks[MAX_ASKS];
    attempts attempts[MAX_ATTEMPTS_SEEN];
    load loads[MAX_LOADS];
    int group_seen[MAX_WRITES];
    size_t n_lines, n_levels, n_writes, n_parts, n_cursors, n_asks, n_over, n_attempts,
        n_loads;
};

/* ---- coverage: over all seeds (units_coverage.c) ---- */

extern const char *const units_kind_names[N_KINDS];
extern const char *const units_outcome_names[N_OUTCOMES];
extern size_t units_coverage[N_KINDS][N_OUTCOMES];
extern struct units_seen {
    size_t walks, walked_rows, again, kept, undone, unsure, failed_operations, not_run_operations, blocking,
        refused_cursors, taken_back, given_up_ends, texts, void_texts, items, failed_items, lost_items,
        waits;
} units_seen;
void units_add_counts(const pg_counts *counts);
void units_print_coverage(void);
/* Has all happened that must have, over a couple of thousand seeds? */
void units_check_coverage(void);

/* ---- what the callers know (units_model.c) ---- */

extern bool units_is_logging;
__attribute__((format(printf, 2, 3))) void units_say(const run *r, const char *fmt, ...);
/* Else the seed has failed, for this reason. */
__attribute__((format(printf, 3, 4))) void units_must(const run *r, bool is_true, const char *fmt, ...);
uint32_t units_any(run *r, uint32_t n);
bool units_chance(run *r, int permille);

/* How many are open; of those, how many the driver has begun. */
int units_depth(const line *l);
int units_depth_begun(const line *l);
/* Are all around it, and itself, transactions beyond doubt? */
bool units_is_sure(const level *lv);
level *units_push_level(line *l);
level *units_pop_level(line *l);
verdict units_verdict_by(const tusk_error *err);
void units_note_write(run *r, uint32_t token, level *lv, verdict own, uint32_t group);
/* At the end of a run: what was told, and what is. */
void units_check_writes(run *r);
void units_check_commits(const run *r);

/* ---- how they end (units_answer.c) ---- */

bool units_is_own_row(const tusk_row *row, uint32_t token, uint32_t number, bool is_echo);
void units_check_rows(const ask *a, const part *p, uint32_t from, uint32_t n);
uint32_t units_rows_of(const part *p);
void units_check_part(const ask *a, const part *p);
void units_check_server_error(const run *r, const tusk_error *err, const part *parts, size_t n);
outcome units_outcome_of(const ask *a, const tusk_error *err);
void units_judge_level(ask *a, const tusk_error *err);
void units_completed(ask *a, tusk_query *q);
/* Freed, whatever became of it. */
void units_let_go(ask *a);
void units_poll_asks(run *r);

/* ---- how they are made (units_ask.c) ---- */

void units_act_in_callback(run *r, int permille);
void units_on_done(tusk_query *q, void *user);
ask *units_new_ask(line *l, kind k);
ask *units_take(ask *a, tusk_query *q);
ask *units_take_with_done(ask *a, tusk_query *q);
part units_any_part(run *r, kind k, uint32_t operation, char *sql, size_t size, bool in_text);
size_t units_any_values(const part *p, char echo[32], tusk_value values[2]);
int64_t units_any_timeout(run *r, ask *a, double *timeout);
kind units_any_statement(run *r);
ask *units_submit_statement(line *l, kind k);

/* ---- stacks, loads, transactions, cursors, connections ---- */

bool units_is_stack(kind k);
ask *units_submit_stack(line *l, tusk_stack_mode mode);
void units_note_stack_writes(const ask *a, const tusk_error *const *errors);
void units_check_stack(ask *a);

bool units_is_load(kind k);
ask *units_submit_load(line *l, tusk_many_mode mode);
/* err: NULL, it was freed */
void units_note_load_writes(const ask *a, const tusk_error *err);
void units_check_load(ask *a);

void units_begin_level(line *l);
void units_end_level(line *l, bool is_commit);
/* By the text "begin". */
void units_begin_by_text(line *l);
/* One that nobody counts as open is: after the given up end of one. */
void units_roll_back_astray(line *l);
/* a, an end, was canceled just now: if it was not sent, its level is open again. */
void units_reopen(ask *a);
/* Does the driver count as many? Is one open when all of them have ended? */
void units_check_depth(const run *r);
void units_check_idle(const run *r);
void units_start_transact(line *l);
void units_do_transact(line *l);
void units_end_attempt(void *user);

cursor *units_any_cursor(run *r);
void units_open_cursor(line *l);
void units_free_cursor(cursor *c);
void units_use_cursor(cursor *c);
void units_check_fetch(ask *a, bool is_ok);

bool units_is_alive(const line *l);
line *units_open_line(run *r, bool is_fresh);
void units_close_line(line *l);
void units_check_world(run *r);
/* One random thing. */
void units_act(run *r);

#endif
