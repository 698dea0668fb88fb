/* A fake PostgreSQL in the simulated world: login, both query protocols, transactions, COPY, cancels; and a ledger of what
 * became of each request, so that a test can compare what the driver told with what was.
 * Its SQL is made for tests. A statement is a command, "#" and a token (a number that its answer carries), and a number:
 *
 *     row #7            one row                           rows #7 20       so many
 *     big #7 70000      one row, so many bytes of text    echo $1 $2       a row with its parameters
 *     sleep #7 2000     a row after so many microseconds  error #7 22012   that SQLSTATE
 *     notice #7         a notice, then a row              setting #7       a ParameterStatus, then a row
 *     nobin #7          a column without binary output    bad #7           a syntax error: Parse fails
 *     late #7 20        so many rows, then 42883
 *     insert #7         tag "INSERT 0 7"                  fatal #7          57P01, FATAL, and the end
 *     insert #7 5       the same, but fails where 5 divides the token
 *     copy in #7 · copy out #7 · begin #7 · commit #7 · rollback #7 · hangup #7
 *     savepoint s · rollback to savepoint s · release savepoint s · abort
 *     declare c [with hold] for rows $1 20 · fetch forward 5 from c · move forward 5 from c
 *     discard all                    path #7          a ParameterStatus of search_path, then a row
 *
 * Rows are (token int8, number of the row int4, text): the text is $2, or pg_text(). With parameters $1, an int8, is the
 * token of the execution, and that in the text of the Parse. Errors say "token 7". Statements of a script are separated by semicolons.
 * It breaks the protocol only where pg_options.nonsense says so.
 * Read first: test/sim/world.h. */
#ifndef TUSK_TEST_SIM_PG_SERVER_H
#define TUSK_TEST_SIM_PG_SERVER_H

#include "test/sim/world.h"

enum { PG_MAX_TOKENS = 4096 };

typedef struct pg_server pg_server;

typedef enum pg_login { PG_TRUST, PG_CLEARTEXT, PG_MD5, PG_SCRAM, PG_N_LOGINS } pg_login;

typedef struct pg_options {
    pg_login login;
    const char *user, *password;
    bool knows_3_2;              /* else it negotiates down */
    int scram_iterations;
    int64_t max_cancel_delay_us; /* from a CancelRequest to its signal */
    int64_t statement_timeout_us; /* of a sleep; 0: none */

    /* in 1/1000, as sim_faults */
    int refuse;      /* a login: 53300 */
    int mishap;      /* around a statement, its answer and its ReadyForQuery: FATAL, end of file, reset, silence */
    int early_death; /* a connection dies some time after its login, idle or not */
    int chatter;     /* a notice, a ParameterStatus or a notification behind a message */
    int nonsense;    /* behind a ReadyForQuery something that breaks the protocol; nothing after that is true */
    int impostor;    /* a SCRAM login without a proof, or with a wrong one */
    int loss;        /* all prepared statements are gone behind a transaction */
    int alteration;  /* … or have other columns than they were described with: 0A000 */
    int failure;     /* a COMMIT: 40001, as of a serializable transaction */
    bool may_fall_silent;
} pg_options;

/* What the server knows about one token. */
typedef struct pg_fact {
    int n_seen;         /* messages in which it came */
    int n_run;          /* executions that ended without an error */
    bool is_answered;   /* the end of its answer was written: CommandComplete or an error */
    bool is_applied;    /* INSERT: its transaction is committed */
    bool is_committed;  /* COMMIT did */
    bool is_rolled_back; /* COMMIT did not: the tag is ROLLBACK */
    bool is_untrue;      /* answered by a server that has broken the protocol, or has not proved itself */
    bool has_failed_tx;  /* its error ended a transaction */
    bool owns_tx;        /* its transaction is its request's alone: pg_let_repeat() */
    bool is_timed_out;   /* by statement_timeout_us: a 57014 that nobody asked for */
    char sqlstate[6];    /* of its error */
} pg_fact;

typedef struct pg_counts {
    size_t logins, refused, negotiated, impostors, statements, mishaps, early_deaths, nonsense;
    size_t cancels, cancels_of_nobody, cancels_while_running, cancels_while_idle, cancels_on_fence;
    size_t copies_failed, timed_out;
    size_t runs_of_named, losses, alterations, discards, failures, savepoints, undone, cursors, portals;
} pg_counts;

pg_server *pg_server_new(sim_world *world, const pg_options *options);
void pg_server_free(pg_server *server); /* behind sim_free() */
void pg_listen(pg_server *server, const char *address, uint16_t port);

const pg_fact *pg_fact_of(const pg_server *server, uint32_t token);
/* Its request, an atomic stack outside of a transaction, may be repeated as a whole: then it may come a second time, though its first one
 * failed in a transaction. */
void pg_let_repeat(pg_server *server, uint32_t token);
const pg_counts *pg_counts_of(const pg_server *server);

/* What a test is told, from inside wait(). */
typedef struct pg_watcher {
    void (*on_seen)(uint32_t token, void *user);    /* a message with that token is taken up */
    void (*on_waiting)(uint32_t token, void *user); /* one has come, while the statement before it is still at work */
    void (*on_cancel)(uint32_t token, void *user);  /* a cancel ends the statement of that token */
    void *user;
} pg_watcher;

void pg_watch(pg_server *server, const pg_watcher *watcher);

/* The first promise of the driver that was seen broken; NULL: none. */
const char *pg_complaint(const pg_server *server);

/* From now on nothing goes wrong here, sleepers wake up, and the next sleeps are short. */
void pg_calm(pg_server *server);

/* The text of row `number` of a token: its byte i. */
char pg_text(uint32_t token, size_t i);
size_t pg_text_len(uint32_t token, uint32_t number);

#endif
