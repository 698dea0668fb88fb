/* The fake PostgreSQL: a backend per connection, one message after the other, waiting only in "sleep" and COPY.
 * What a test may know of it is in the header.
 * Read first: test/sim/pg_server.h; PostgreSQL docs, "Message Flow". */
#include "test/sim/pg_server.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crypto.h"
#include "proto/frame.h"
#include "proto/md5auth.h"
#include "proto/message.h"
#include "tusk/oid.h"

#define SCRAM_SALT "sixteen of salt."

enum {
    N_COLS = 3,
    MAX_PARAM = 4096,
    MAX_INSERTS = 128,
    MAX_SAVEPOINTS = 32,
    MAX_NAME = 40,
    TYPE_WITHOUT_BINARY = 60000
};

typedef enum command {
    CMD_ROW,
    CMD_ROWS,
    CMD_BIG,
    CMD_ECHO,
    CMD_SLEEP,
    CMD_NOTICE,
    CMD_SETTING,
    CMD_NOBIN,
    CMD_PATH,
    CMD_FETCH,
    CMD_LATE,
    CMD_LAST_WITH_ROWS = CMD_LATE,
    CMD_ERROR,
    CMD_BAD,
    CMD_INSERT,
    CMD_FATAL,
    CMD_HANGUP,
    CMD_COPY_IN,
    CMD_COPY_OUT,
    CMD_SAVEPOINT,
    CMD_RELEASE,
    CMD_ROLLBACK_TO, /* in front of what its name begins with */
    CMD_BEGIN,
    CMD_COMMIT,
    CMD_ROLLBACK,
    CMD_ABORT,
    CMD_DECLARE,
    CMD_MOVE,
    CMD_DISCARD,
    CMD_LOOKUP, /* the driver's own question to the catalogue: there is no such type */
    CMD_EMPTY,
    N_COMMANDS
} command;

static const char *const command_names[N_COMMANDS] = {
    [CMD_ROW] = "row",
    [CMD_ROWS] = "rows",
    [CMD_BIG] = "big",
    [CMD_ECHO] = "echo",
    [CMD_SLEEP] = "sleep",
    [CMD_NOTICE] = "notice",
    [CMD_SETTING] = "setting",
    [CMD_NOBIN] = "nobin",
    [CMD_LATE] = "late",
    [CMD_ERROR] = "error",
    [CMD_BAD] = "bad",
    [CMD_INSERT] = "insert",
    [CMD_FATAL] = "fatal",
    [CMD_HANGUP] = "hangup",
    [CMD_COPY_IN] = "copy in",
    [CMD_COPY_OUT] = "copy out",
    [CMD_BEGIN] = "begin",
    [CMD_COMMIT] = "commit",
    [CMD_ROLLBACK] = "rollback",
    [CMD_EMPTY] = "",
    [CMD_PATH] = "path",
    [CMD_ABORT] = "abort",
    [CMD_SAVEPOINT] = "savepoint",
    [CMD_RELEASE] = "release savepoint",
    [CMD_ROLLBACK_TO] = "rollback to savepoint",
    [CMD_DECLARE] = "declare",
    [CMD_FETCH] = "fetch forward",
    [CMD_MOVE] = "move forward",
    [CMD_DISCARD] = "discard all",
    [CMD_LOOKUP] = "with recursive",
};

typedef struct statement {
    command command;
    uint32_t token; /* of its Parse; of its execution, too, unless there is $1 */
    uint32_t number;
    char sqlstate[6];
    char name[MAX_NAME]; /* of a savepoint or a cursor */
    bool holds;
    size_t n_params;
} statement;

typedef struct named {
    struct named *next;
    char name[64];
    bool is_altered;
    statement statement;
} named;

/* A statement with its parameters, about to run. */
typedef struct portal {
    bool is_bound;
    statement statement;
    uint32_t token;
    uint16_t formats[N_COLS];
    size_t text_len; /* of $2 */
    char text[MAX_PARAM];
} portal;

typedef struct savepoint {
    char name[MAX_NAME];
    size_t n_inserts; /* in front of it */
} savepoint;

/* The rows of a DECLARE, or of a portal with a name, that are not fetched yet. */
typedef struct cursor {
    struct cursor *next;
    char name[MAX_NAME];
    uint32_t token, number, at;
    uint16_t formats[N_COLS]; /* of a portal: what its Bind has asked for */
    bool holds, is_kept;      /* outlives its transaction; has done so */
    size_t n_savepoints;      /* that were in front of it */
} cursor;

/* An address that is listened at. */
typedef struct place {
    pg_server *server;
} place;

typedef enum stage { ST_FIRST, ST_PASSWORD, ST_SASL_INITIAL, ST_SASL_RESPONSE, ST_READY, ST_GONE } stage;

typedef struct backend {
    struct backend *next;
    pg_server *server;
    const place *place;
    sim_peer *peer;
    stage stage;
    uint8_t *in;
    size_t in_len, in_cap, in_taken;
    tusk__writer out;

    uint32_t pid;
    uint8_t key[32];
    size_t key_len;
    uint8_t md5_salt[4];
    char scram_bare[128], scram_first[256];

    uint8_t tx_status;
    bool is_liar;     /* it has broken the protocol */
    bool is_impostor; /* it has let in without proving itself */
    bool skips;       /* behind an error, until Sync */
    bool is_signaled; /* a cancel has come and not yet ended anything */
    bool is_sleeping, sleeps_too_long;
    bool is_in_copy;
    bool is_pumping;
    int64_t wakes_at_us;
    named *statements;
    portal portal;
    char *script; /* of a Query in progress, and how far it came */
    size_t script_at;
    uint32_t inserts[MAX_INSERTS]; /* not committed yet */
    size_t n_inserts;
    savepoint savepoints[MAX_SAVEPOINTS];
    size_t n_savepoints;
    cursor *cursors;

    bool is_canceling;   /* a CancelRequest has come on this connection, and its signal is not out yet */
    uint32_t cancel_pid; /* of that */
    uint8_t cancel_key[32];
    size_t cancel_key_len;
} backend;

struct pg_server {
    sim_world *world;
    pg_options options;
    bool is_calm;
    place places[8];
    size_t n_places;
    uint8_t salted[32]; /* the password, for SCRAM */
    const char *complaint;
    backend *backends;
    uint32_t last_pid;
    pg_fact facts[PG_MAX_TOKENS];
    pg_counts counts;
    pg_watcher watcher;
};

static void pump(backend *b);
static void go_on(backend *b);

/* ---- the ledger --------------------------------------------------------------------------------------------------------- */

static pg_fact *fact_of(pg_server *server, uint32_t token)
{
    if (token >= PG_MAX_TOKENS)
        abort();
    return &server->facts[token]; /* 0 is nobody's */
}

/* The driver has broken a promise: the first one is told. */
static void complain(pg_server *server, const char *what)
{
    if (!server->complaint)
        server->complaint = what;
}

static bool happens(pg_server *server, int permille)
{
    return !server->is_calm && sim_chance(server->world, permille);
}

static void see(backend *b, uint32_t token)
{
    pg_server *server = b->server;

    fact_of(server, token)->n_seen++;
    if (b->is_impostor)
        complain(server, "a request is sent to a server that has not proved itself");
    if (token && fact_of(server, token)->has_failed_tx && !fact_of(server, token)->owns_tx)
        complain(server, "a request is repeated in a transaction");
    if (token && server->watcher.on_seen)
        server->watcher.on_seen(token, server->watcher.user);
}

char pg_text(uint32_t token, size_t i)
{
    return (char)('a' + (token * 7 + i) % 26);
}

size_t pg_text_len(uint32_t token, uint32_t number)
{
    return (token * 7 + number * 13) % 60;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static void flush(backend *b)
{
    if (b->out.failed != TUSK_OK)
        abort();
    if (b->out.len)
        sim_conn_write(b->peer, b->out.buf, b->out.len);
    tusk__writer_cut(&b->out, 0);
}

static void write_fields(backend *b, uint8_t type, const char *severity, const char *sqlstate, const char *message,
                         const char *routine)
{
    const tusk__error_field_value fields[] = {{'S', tusk_str_of(severity)},
                                              {'V', tusk_str_of(severity)},
                                              {'C', tusk_str_of(sqlstate)},
                                              {'M', tusk_str_of(message)},
                                              {'R', tusk_str_of(routine)}};

    tusk__error_fields_write(&b->out, type, fields, routine ? 5 : 4);
}

static void write_status(backend *b, const char *name, const char *value)
{
    tusk__parameter_status_write(&b->out, &(tusk__parameter_status){tusk_str_of(name), tusk_str_of(value)});
}

/* What a server may say at any time. */
static void chatter(backend *b)
{
    if (!happens(b->server, b->server->options.chatter))
        return;
    switch (sim_random(b->server->world, 3)) {
    case 0:
        write_fields(b, TUSK__B_NOTICE_RESPONSE, "NOTICE", "00000", "by the way", NULL);
        break;
    case 1:
        write_status(b, "TimeZone", sim_chance(b->server->world, 500) ? "UTC" : "Europe/Oslo");
        break;
    default:
        tusk__notification_response_write(&b->out, &(tusk__notification){b->pid, tusk_str_of("news"), {NULL, 0}});
    }
}

/* Buffered, as PostgreSQL does: what is not asked for by Flush or Sync leaves when it likes. */
static void written(backend *b)
{
    chatter(b);
    if (sim_chance(b->server->world, 200))
        flush(b);
}

static void empty_message(backend *b, uint8_t type)
{
    tusk__empty_message_write(&b->out, type);
    written(b);
}

/* ---- the end of a backend ------------------------------------------------------------------------------------------------ */

static void leave(backend *b)
{
    b->stage = ST_GONE;
    b->is_sleeping = b->is_in_copy = false;
    b->n_inserts = 0;
}

static void hang_up(backend *b)
{
    if (b->stage == ST_GONE)
        return;
    leave(b);
    flush(b);
    sim_conn_close(b->peer);
}

static void die(backend *b, const char *sqlstate, const char *message)
{
    write_fields(b, TUSK__B_ERROR_RESPONSE, "FATAL", sqlstate, message, NULL);
    hang_up(b);
}

static void die_somehow(backend *b)
{
    int n_ways = b->server->options.may_fall_silent ? 4 : 3;

    switch (sim_random(b->server->world, (uint64_t)n_ways)) {
    case 0:
        die(b, "57P01", "terminating connection due to administrator command");
        break;
    case 1:
        hang_up(b);
        break;
    case 2:
        leave(b);
        sim_conn_reset(b->peer);
        break;
    default:
        leave(b);
        sim_conn_silence(b->peer);
    }
}

static bool has_mishap(backend *b)
{
    if (!happens(b->server, b->server->options.mishap))
        return false;
    b->server->counts.mishaps++;
    die_somehow(b);
    return true;
}

static void die_early(void *user)
{
    backend *b = user;

    if (b->stage != ST_READY || b->server->is_calm)
        return;
    b->server->counts.early_deaths++;
    die_somehow(b);
}

/* ---- prepared statements ------------------------------------------------------------------------------------------------ */

static void forget(named **link)
{
    named *gone = *link;

    *link = gone->next;
    free(gone);
}

/* But for the one without a name. */
static void forget_all(backend *b)
{
    named **link = &b->statements;

    while (*link) {
        if ((*link)->name[0])
            forget(link);
        else
            link = &(*link)->next;
    }
}

/* ---- errors and transactions -------------------------------------------------------------------------------------------- */

static void apply_inserts(backend *b)
{
    for (size_t i = 0; i < b->n_inserts; i++) {
        pg_fact *fact = fact_of(b->server, b->inserts[i]);

        if (fact->is_applied)
            complain(b->server, "an insert is applied twice");
        fact->is_applied = true;
    }
    b->n_inserts = 0;
}

static cursor **find_cursor(backend *b, const char *name)
{
    cursor **link = &b->cursors;

    while (*link && strcmp((*link)->name, name) != 0)
        link = &(*link)->next;
    return link;
}

static void close_cursor(cursor **link)
{
    cursor *gone = *link;

    *link = gone->next;
    free(gone);
}

/* What of a transaction is kept: inserts, and cursors WITH HOLD. */
static void end_transaction(backend *b, bool is_commit)
{
    cursor **link = &b->cursors;

    if (is_commit)
        apply_inserts(b);
    b->n_inserts = b->n_savepoints = 0;
    while (*link) {
        if ((*link)->is_kept || (is_commit && (*link)->holds)) {
            (*link)->is_kept = true;
            link = &(*link)->next;
        } else {
            close_cursor(link);
        }
    }
}

static void refuse_with(backend *b, uint32_t token, const char *sqlstate, const char *routine)
{
    char message[40];
    pg_fact *fact = fact_of(b->server, token);

    (void)snprintf(message, sizeof message, "token %u", token);
    write_fields(b, TUSK__B_ERROR_RESPONSE, "ERROR", sqlstate, message, routine);
    fact->is_answered = true;
    fact->is_untrue |= b->is_liar;
    fact->has_failed_tx |= token && b->tx_status != 'I' && !b->script;
    (void)snprintf(fact->sqlstate, sizeof fact->sqlstate, "%s", sqlstate);
    b->is_in_copy = false;
    b->skips = !b->script; /* the simple protocol has nothing to skip: its ReadyForQuery follows */
    if (b->tx_status == 'I')
        end_transaction(b, false);
    if (b->tx_status == 'T')
        b->tx_status = 'E';
    flush(b); /* as PostgreSQL: a Flush behind an error would be skipped */
}

static void refuse(backend *b, uint32_t token, const char *sqlstate)
{
    refuse_with(b, token, sqlstate, NULL);
}

/* A cancel that has come ends whatever is done next. PostgreSQL drops a signal that finds it waiting for a command; but a
 * moment later, and it hits the command that was just read. That is the case which is played here, always. */
static bool ends_by_signal(backend *b, uint32_t token)
{
    if (!b->is_signaled)
        return false;
    b->is_signaled = false;
    if (token && b->server->watcher.on_cancel)
        b->server->watcher.on_cancel(token, b->server->watcher.user);
    if (token == 0)
        b->server->counts.cancels_on_fence++;
    refuse(b, token, "57014");
    return true;
}

static bool is_refused_in_failed_transaction(backend *b, const statement *s, uint32_t token)
{
    static const bool is_allowed[N_COMMANDS] = {
        [CMD_COMMIT] = true, [CMD_ROLLBACK] = true, [CMD_ABORT] = true, [CMD_ROLLBACK_TO] = true, [CMD_EMPTY] = true};

    if (b->tx_status != 'E' || is_allowed[s->command])
        return false;
    refuse(b, token, "25P02");
    return true;
}

/* What no server says here, and what cannot pass for the beginning of the next answer. What is asked of it afterwards it
 * answers, and nobody may believe it. */
static void talk_nonsense(backend *b)
{
    static const char too_short[] = {'C', 0, 0, 0, 3};

    b->is_liar = true;
    b->server->counts.nonsense++;
    switch (sim_random(b->server->world, 4)) {
    case 0:
        tusk__ready_for_query_write(&b->out, 'I');
        break;
    case 1:
        tusk__empty_message_write(&b->out, TUSK__B_NO_DATA);
        break;
    case 2:
        tusk__empty_message_write(&b->out, '?');
        break;
    default:
        tusk__write_bytes(&b->out, tusk_str_from(too_short, sizeof too_short));
    }
}

/* Behind a transaction: DEALLOCATE by whoever has the session in between, or ALTER TABLE by anybody. */
static void spoil_statements(backend *b)
{
    pg_server *server = b->server;

    if (b->statements && happens(server, server->options.alteration)) {
        server->counts.alterations++;
        for (named *n = b->statements; n; n = n->next)
            n->is_altered = true;
    }
    if (b->statements && happens(server, server->options.loss)) {
        server->counts.losses++;
        forget_all(b);
    }
}

static void ready(backend *b)
{
    if (b->tx_status == 'I') {
        end_transaction(b, true);
        spoil_statements(b);
    }
    if (has_mishap(b))
        return;
    chatter(b);
    tusk__ready_for_query_write(&b->out, b->tx_status);
    if (happens(b->server, b->server->options.nonsense))
        talk_nonsense(b);
    if (!has_mishap(b)) /* with the answer: it is read in one piece with the end */
        flush(b);
}

/* ---- the language ---------------------------------------------------------------------------------------------------------- */

static command command_of(const char *text, size_t *len)
{
    for (int i = 0; i < CMD_EMPTY; i++) {
        *len = strlen(command_names[i]);
        if (strncmp(text, command_names[i], *len) == 0 && (text[*len] == ' ' || text[*len] == '\0'))
            return (command)i;
    }
    *len = 0;
    return CMD_EMPTY;
}

/* A savepoint's or cursor's name, and what goes with it. Returns where "#7" or "$1" may follow. */
static const char *parse_name(statement *s, const char *at)
{
    const char *body = strstr(at, " for ");

    if (s->command == CMD_FETCH || s->command == CMD_MOVE) {
        if (sscanf(at, "%u from %39s", &s->number, s->name) != 2)
            abort();
        return "";
    }
    if (sscanf(at, "%39s", s->name) != 1)
        abort();
    s->holds = strstr(at, "with hold") != NULL;
    return body ? body + strlen(" for rows ") : "";
}

/* Behind the command: "#7" or "$1 $2", then a number or a SQLSTATE. */
static statement parse(const char *text)
{
    static const bool has_name[N_COMMANDS] = {[CMD_SAVEPOINT] = true, [CMD_RELEASE] = true, [CMD_ROLLBACK_TO] = true,
                                              [CMD_DECLARE] = true,   [CMD_FETCH] = true,   [CMD_MOVE] = true};
    statement s = {.sqlstate = "XX000"};
    size_t len;
    const char *at;

    text += strspn(text, " ");
    s.command = command_of(text, &len);
    at = text + len;
    if (s.command == CMD_LOOKUP) {
        s.n_params = 1;
        return s;
    }
    if (has_name[s.command])
        at = parse_name(&s, at);
    for (at += strspn(at, " "); *at; at += strcspn(at, " "), at += strspn(at, " ")) {
        if (*at == '#') {
            s.token = (uint32_t)strtoul(at + 1, NULL, 10);
        } else if (*at == '$') {
            s.n_params++;
        } else {
            s.number = (uint32_t)strtoul(at, NULL, 10);
            (void)snprintf(s.sqlstate, sizeof s.sqlstate, "%.5s", at);
        }
    }
    return s;
}

static statement parse_bytes(tusk_str sql)
{
    char text[200];

    (void)snprintf(text, sizeof text, "%.*s", TUSK_STR_ARG(sql));
    return parse(text);
}

static bool has_rows(const statement *s)
{
    return s->command <= CMD_LAST_WITH_ROWS;
}

/* ---- rows -------------------------------------------------------------------------------------------------------------------- */

/* formats: of a portal; NULL: of a statement, which has none */
static void write_description(backend *b, const statement *s, const uint16_t *formats)
{
    tusk__column cols[N_COLS] = {
        {.name = tusk_str_of("token"), .type_oid = TUSK_OID_INT8, .type_len = 8, .typmod = -1},
        {.name = tusk_str_of("number"), .type_oid = TUSK_OID_INT4, .type_len = 4, .typmod = -1},
        {.name = tusk_str_of("text"),
         .type_oid = s->command == CMD_NOBIN ? (uint32_t)TYPE_WITHOUT_BINARY : (uint32_t)TUSK_OID_TEXT,
         .type_len = -1,
         .typmod = -1}};

    for (size_t i = 0; formats && i < N_COLS; i++)
        cols[i].format = formats[i];
    if (has_rows(s) && (s->command != CMD_FETCH || *find_cursor(b, s->name)))
        tusk__row_description_write(&b->out, cols, N_COLS);
    else
        tusk__empty_message_write(&b->out, TUSK__B_NO_DATA);
    written(b);
}

static tusk_str integer(uint64_t value, size_t width, uint16_t format, char *buf, size_t size)
{
    if (format == 0)
        return tusk_str_from(buf, (size_t)snprintf(buf, size, "%llu", (unsigned long long)value));
    for (size_t i = 0; i < width; i++)
        buf[i] = (char)(value >> 8 * (width - 1 - i));
    return tusk_str_from(buf, width);
}

static void write_row(backend *b, const portal *p, uint32_t number)
{
    static const bool is_null[N_COLS] = {false};
    char token[24], row[24];
    size_t len = p->statement.command == CMD_BIG ? p->statement.number : pg_text_len(p->token, number);
    char *text = malloc(len + 1);
    tusk_str values[N_COLS];

    if (!text)
        abort();
    for (size_t i = 0; i < len; i++)
        text[i] = pg_text(p->token, i);
    values[0] = integer(p->token, 8, p->formats[0], token, sizeof token);
    values[1] = integer(number, 4, p->formats[1], row, sizeof row);
    values[2] = p->text_len ? tusk_str_from(p->text, p->text_len) : tusk_str_from(text, len);
    tusk__data_row_write(&b->out, values, is_null, N_COLS);
    free(text);
    written(b);
}

/* ---- running a statement --------------------------------------------------------------------------------------------------- */

static void complete(backend *b, uint32_t token, const char *tag)
{
    pg_fact *fact = fact_of(b->server, token);

    tusk__command_complete_write(&b->out, tusk_str_of(tag));
    fact->is_answered = true;
    fact->is_untrue |= b->is_liar;
    fact->n_run++;
    written(b);
}

static void write_rows(backend *b, const portal *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        write_row(b, p, i);
}

static void complete_rows(backend *b, const portal *p)
{
    uint32_t n = p->statement.command == CMD_ROWS ? p->statement.number : 1;
    char tag[32];

    write_rows(b, p, n);
    (void)snprintf(tag, sizeof tag, "SELECT %u", n);
    complete(b, p->token, tag);
}

/* The server's own statement_timeout: the same sqlstate as that of a cancel. */
static void time_out(backend *b, uint32_t token)
{
    fact_of(b->server, token)->is_timed_out = true;
    b->server->counts.timed_out++;
    refuse(b, token, "57014");
}

static void wake(void *user)
{
    backend *b = user;

    if (!b->is_sleeping || sim_now(b->server->world) < b->wakes_at_us)
        return;
    b->is_sleeping = false;
    if (b->sleeps_too_long) {
        time_out(b, b->portal.token);
    } else {
        if (b->script)
            write_description(b, &b->portal.statement, NULL);
        complete_rows(b, &b->portal);
    }
    go_on(b);
}

static void fall_asleep(backend *b, const portal *p)
{
    int64_t us = b->server->is_calm && p->statement.number > 1000 ? 1000 : p->statement.number,
            limit = b->server->options.statement_timeout_us;

    b->is_sleeping = true;
    b->sleeps_too_long = limit > 0 && us > limit;
    us = b->sleeps_too_long ? limit : us;
    b->wakes_at_us = sim_now(b->server->world) + us;
    flush(b);
    sim_after(b->server->world, us, wake, b);
}

static void run_transaction_command(backend *b, const portal *p)
{
    pg_fact *fact = fact_of(b->server, p->token);
    bool has_failed = b->tx_status == 'E';

    if (p->statement.command == CMD_COMMIT && b->tx_status == 'T' && happens(b->server, b->server->options.failure)) {
        b->server->counts.failures++;
        refuse(b, p->token, "40001");
        b->tx_status = 'I';
        end_transaction(b, false);
        return;
    }
    if (p->statement.command == CMD_BEGIN) {
        b->tx_status = 'T';
        complete(b, p->token, "BEGIN");
        return;
    }
    b->tx_status = 'I';
    if (p->statement.command != CMD_COMMIT || has_failed) {
        end_transaction(b, false);
        fact->is_rolled_back = true;
        complete(b, p->token, "ROLLBACK");
    } else {
        end_transaction(b, true);
        fact->is_committed = true;
        complete(b, p->token, "COMMIT");
    }
}

/* The last one of that name; n_savepoints: none. */
static size_t find_savepoint(const backend *b, const char *name)
{
    for (size_t i = b->n_savepoints; i-- > 0;)
        if (strcmp(b->savepoints[i].name, name) == 0)
            return i;
    return b->n_savepoints;
}

static void make_savepoint(backend *b, const portal *p)
{
    if (b->n_savepoints == MAX_SAVEPOINTS)
        abort();
    (void)snprintf(b->savepoints[b->n_savepoints].name, MAX_NAME, "%s", p->statement.name);
    b->savepoints[b->n_savepoints++].n_inserts = b->n_inserts;
    b->server->counts.savepoints++;
    complete(b, p->token, "SAVEPOINT");
}

/* Back to it: inserts and cursors behind it are gone, and so is the error. */
static void undo_to_savepoint(backend *b, const portal *p, size_t at)
{
    cursor **link = &b->cursors;

    b->server->counts.undone += b->n_inserts - b->savepoints[at].n_inserts;
    b->n_inserts = b->savepoints[at].n_inserts;
    b->n_savepoints = at + 1;
    b->tx_status = 'T';
    while (*link) {
        if (!(*link)->is_kept && (*link)->n_savepoints > at)
            close_cursor(link);
        else
            link = &(*link)->next;
    }
    complete(b, p->token, "ROLLBACK");
}

static void release_savepoint(backend *b, const portal *p, size_t at)
{
    for (cursor *c = b->cursors; c; c = c->next)
        c->n_savepoints = c->n_savepoints > at ? at : c->n_savepoints;
    b->n_savepoints = at;
    complete(b, p->token, "RELEASE");
}

static void run_savepoint_command(backend *b, const portal *p)
{
    size_t at = find_savepoint(b, p->statement.name);

    if (b->tx_status == 'I')
        refuse(b, p->token, "25P01");
    else if (p->statement.command == CMD_SAVEPOINT)
        make_savepoint(b, p);
    else if (at == b->n_savepoints)
        refuse(b, p->token, "3B001");
    else if (p->statement.command == CMD_ROLLBACK_TO)
        undo_to_savepoint(b, p, at);
    else
        release_savepoint(b, p, at);
}

static void declare(backend *b, const portal *p)
{
    cursor *c = NULL;

    if (b->tx_status == 'I' && !p->statement.holds) {
        refuse(b, p->token, "25P01");
        return;
    }
    c = calloc(1, sizeof *c);
    if (!c || *find_cursor(b, p->statement.name))
        abort();
    *c = (cursor){.next = b->cursors,
                  .token = p->token,
                  .number = p->statement.number,
                  .holds = p->statement.holds,
                  .n_savepoints = b->n_savepoints};
    (void)snprintf(c->name, sizeof c->name, "%s", p->statement.name);
    b->cursors = c;
    b->server->counts.cursors++;
    complete(b, p->token, "DECLARE CURSOR");
}

/* FETCH and MOVE: the next rows. */
static void fetch(backend *b, const portal *p)
{
    cursor *c = *find_cursor(b, p->statement.name);
    portal rows = *p;
    bool is_fetch = p->statement.command == CMD_FETCH;
    uint32_t n;
    char tag[32];

    if (!c) {
        refuse(b, p->token, "34000");
        return;
    }
    n = c->number - c->at < p->statement.number ? c->number - c->at : p->statement.number;
    rows.token = c->token;
    for (uint32_t i = 0; i < n && is_fetch; i++)
        write_row(b, &rows, c->at + i);
    c->at += n;
    (void)snprintf(tag, sizeof tag, "%s %u", is_fetch ? "FETCH" : "MOVE", n);
    complete(b, p->token, tag);
}

static void discard_all(backend *b, const portal *p)
{
    cursor **link = &b->cursors;

    if (b->tx_status != 'I') {
        refuse(b, p->token, "25001");
        return;
    }
    forget_all(b);
    while (*link)
        close_cursor(link);
    b->server->counts.discards++;
    complete(b, p->token, "DISCARD ALL");
}

static void run_insert(backend *b, const portal *p)
{
    char tag[32];

    if (p->statement.number && p->token % p->statement.number == 0) {
        refuse(b, p->token, "23505");
        return;
    }
    if (b->n_inserts == MAX_INSERTS) {
        refuse(b, p->token, "54000");
        return;
    }
    b->inserts[b->n_inserts++] = p->token;
    (void)snprintf(tag, sizeof tag, "INSERT 0 %u", p->token);
    complete(b, p->token, tag);
}

static void run_copy(backend *b, const portal *p)
{
    static const tusk__copy_response text_format = {.n_cols = 0};

    if (p->statement.command == CMD_COPY_IN) {
        tusk__copy_response_write(&b->out, TUSK__B_COPY_IN_RESPONSE, &text_format);
        b->is_in_copy = true;
        flush(b);
        return;
    }
    tusk__copy_response_write(&b->out, TUSK__B_COPY_OUT_RESPONSE, &text_format);
    for (int i = 0; i < 3; i++) {
        tusk__copy_data_write(&b->out, tusk_str_of("line\n"));
        written(b);
    }
    tusk__empty_message_write(&b->out, TUSK__B_COPY_DONE);
    complete(b, p->token, "COPY 3");
}

static bool asks_in_vain_for_binary(const portal *p)
{
    return p->statement.command == CMD_NOBIN && p->formats[2] == 1;
}

/* Begins the portal; ended when it neither sleeps nor copies. */
static void run_portal(backend *b)
{
    const portal *p = &b->portal;

    b->server->counts.statements++;
    if (has_mishap(b) || ends_by_signal(b, p->token) || is_refused_in_failed_transaction(b, &p->statement, p->token))
        return;
    switch (p->statement.command) {
    case CMD_SLEEP:
        fall_asleep(b, p);
        break;
    case CMD_NOTICE:
        write_fields(b, TUSK__B_NOTICE_RESPONSE, "NOTICE", "00000", "as asked", NULL);
        complete_rows(b, p);
        break;
    case CMD_SETTING:
        write_status(b, "application_name", "sim");
        complete_rows(b, p);
        break;
    case CMD_PATH:
        write_status(b, "search_path", sim_chance(b->server->world, 500) ? "public" : "sim, public");
        complete_rows(b, p);
        break;
    case CMD_NOBIN:
        if (asks_in_vain_for_binary(p))
            refuse_with(b, p->token, "42883", "getTypeBinaryOutputInfo");
        else
            complete_rows(b, p);
        break;
    case CMD_ROW:
    case CMD_ROWS:
    case CMD_BIG:
    case CMD_ECHO:
        complete_rows(b, p);
        break;
    case CMD_LATE:
        write_rows(b, p, p->statement.number);
        refuse(b, p->token, "42883");
        break;
    case CMD_ERROR:
        refuse(b, p->token, p->statement.sqlstate);
        break;
    case CMD_BAD:
        refuse(b, p->token, "42601");
        break;
    case CMD_INSERT:
        run_insert(b, p);
        break;
    case CMD_FATAL:
        die(b, "57P01", "as asked");
        break;
    case CMD_HANGUP:
        hang_up(b);
        break;
    case CMD_COPY_IN:
    case CMD_COPY_OUT:
        run_copy(b, p);
        break;
    case CMD_BEGIN:
    case CMD_COMMIT:
    case CMD_ROLLBACK:
    case CMD_ABORT:
        run_transaction_command(b, p);
        break;
    case CMD_SAVEPOINT:
    case CMD_RELEASE:
    case CMD_ROLLBACK_TO:
        run_savepoint_command(b, p);
        break;
    case CMD_DECLARE:
        declare(b, p);
        break;
    case CMD_FETCH:
    case CMD_MOVE:
        fetch(b, p);
        break;
    case CMD_DISCARD:
        discard_all(b, p);
        break;
    case CMD_LOOKUP:
        complete(b, p->token, "SELECT 0");
        break;
    case CMD_EMPTY:
    case N_COMMANDS:
        empty_message(b, TUSK__B_EMPTY_QUERY_RESPONSE);
    }
}

/* ---- the simple protocol ------------------------------------------------------------------------------------------------------ */

static bool is_waiting(const backend *b)
{
    return b->is_sleeping || b->is_in_copy || b->stage == ST_GONE;
}

/* Nothing comes behind a Query before its ReadyForQuery, but for Terminate and what ends a COPY. */
static void check_nothing_behind(backend *b)
{
    uint8_t type = b->in_taken < b->in_len ? b->in[b->in_taken] : (uint8_t)TUSK__F_TERMINATE;

    if (type != TUSK__F_TERMINATE && type != TUSK__F_COPY_FAIL && b->stage != ST_GONE)
        complain(b->server, "something is sent behind a Query");
}

static void end_script(backend *b)
{
    check_nothing_behind(b);
    free(b->script);
    b->script = NULL;
    if (b->stage != ST_GONE)
        ready(b);
}

/* From where it stands, until it waits, ends, or an error has ended it (all fields of fact.sqlstate are set then). */
static void run_script(backend *b)
{
    while (b->script[b->script_at]) {
        size_t len = strcspn(b->script + b->script_at, ";");
        statement s = parse_bytes(tusk_str_from(b->script + b->script_at, len));

        b->script_at += len + (b->script[b->script_at + len] == ';');
        b->portal = (portal){.is_bound = true, .statement = s, .token = s.token};
        if (has_rows(&s) && s.command != CMD_SLEEP && !b->is_signaled && b->tx_status != 'E')
            write_description(b, &s, NULL);
        run_portal(b);
        if (is_waiting(b))
            return;
        if (fact_of(b->server, s.token)->sqlstate[0])
            break;
    }
    end_script(b);
}

static void note_script_tokens(backend *b)
{
    for (const char *at = strchr(b->script, '#'); at; at = strchr(at + 1, '#'))
        see(b, (uint32_t)strtoul(at + 1, NULL, 10));
}

static void on_query(backend *b, tusk_str body)
{
    tusk_str sql;

    if (tusk__query_read(body, &sql, NULL) != TUSK_OK)
        abort();
    b->script = malloc(sql.len + 1);
    if (!b->script)
        abort();
    (void)snprintf(b->script, sql.len + 1, "%.*s", TUSK_STR_ARG(sql));
    b->script_at = 0;
    note_script_tokens(b);
    if (sql.len == 0) {
        if (!ends_by_signal(b, 0))
            empty_message(b, TUSK__B_EMPTY_QUERY_RESPONSE);
        end_script(b);
        return;
    }
    run_script(b);
}

/* What stopped to wait is over: the rest. */
static void go_on(backend *b)
{
    if (b->script && b->stage != ST_GONE) {
        if (fact_of(b->server, b->portal.token)->sqlstate[0])
            end_script(b);
        else
            run_script(b);
    }
    pump(b);
}

/* ---- the extended protocol ------------------------------------------------------------------------------------------------------ */

static named **find_named(backend *b, tusk_str name)
{
    named **link = &b->statements;

    while (*link && !tusk_str_is(name, (*link)->name))
        link = &(*link)->next;
    return link;
}

static void on_parse(backend *b, tusk_str body)
{
    tusk__parse parsed;
    statement s;
    named **link;

    if (tusk__parse_read(body, &parsed, NULL) != TUSK_OK)
        abort();
    s = parse_bytes(parsed.sql);
    see(b, s.token);
    if (ends_by_signal(b, s.token) || is_refused_in_failed_transaction(b, &s, s.token))
        return;
    link = find_named(b, parsed.name);
    if (s.command == CMD_BAD || (*link && parsed.name.len)) {
        refuse(b, s.token, *link && parsed.name.len ? "42P05" : "42601");
        return;
    }
    if (!*link) {
        *link = calloc(1, sizeof **link);
        if (!*link)
            abort();
        (void)snprintf((*link)->name, sizeof(*link)->name, "%.*s", TUSK_STR_ARG(parsed.name));
    }
    (*link)->statement = s;
    (*link)->is_altered = false;
    empty_message(b, TUSK__B_PARSE_COMPLETE);
}

static cursor *find_portal(backend *b, tusk_str name)
{
    char text[MAX_NAME];

    (void)snprintf(text, sizeof text, "%.*s", TUSK_STR_ARG(name));
    return *find_cursor(b, text);
}

static void describe_portal(backend *b, tusk_str name)
{
    static const statement rows = {.command = CMD_ROWS};
    const cursor *c = find_portal(b, name);

    if (is_refused_in_failed_transaction(b, &rows, 0))
        return;
    if (c)
        write_description(b, &rows, c->formats);
    else
        refuse(b, 0, "34000");
}

static void on_describe(backend *b, tusk_str body)
{
    static const uint32_t types[2] = {TUSK_OID_INT8, TUSK_OID_TEXT};
    uint8_t what;
    tusk_str name;
    named **link;

    if (tusk__describe_read(body, &what, &name, NULL) != TUSK_OK)
        abort();
    if (what == 'P') {
        describe_portal(b, name);
        return;
    }
    link = find_named(b, name);
    if (!*link) {
        refuse(b, 0, "26000");
        return;
    }
    if ((*link)->statement.n_params > sizeof types / sizeof types[0])
        abort(); /* the tests' statements have no more */
    tusk__parameter_description_write(&b->out, types, (*link)->statement.n_params);
    write_description(b, &(*link)->statement, NULL);
}

static void take_formats(portal *p, const tusk__bind *bind)
{
    for (size_t i = 0; i < N_COLS; i++) {
        size_t at = bind->n_result_formats == 1 ? 0 : i;
        p->formats[i] =
            at < bind->n_result_formats ? tusk__be16((const uint8_t *)bind->result_formats.ptr + 2 * at) : 0;
    }
}

static void take_params(portal *p, const tusk__bind *bind)
{
    tusk__reader reader = tusk__reader_of(bind->params);
    bool is_null = false;
    tusk_str value;

    if (bind->n_params >= 1) {
        value = tusk__read_field(&reader, &is_null);
        if (is_null || value.len != 8)
            abort(); /* the tests' tokens are int8, in binary */
        p->token = (uint32_t)tusk__be64((const uint8_t *)value.ptr);
    }
    if (bind->n_params >= 2) {
        value = tusk__read_field(&reader, &is_null);
        p->text_len = value.len < MAX_PARAM ? value.len : MAX_PARAM;
        memcpy(p->text, value.ptr, p->text_len);
    }
}

/* What was bound to a name stays until its transaction ends. */
static void bound(backend *b, tusk_str name)
{
    cursor *c;

    if (name.len) {
        if (b->portal.statement.command != CMD_ROWS || find_portal(b, name))
            abort(); /* the tests' cursors are of rows */
        c = calloc(1, sizeof *c);
        if (!c)
            abort();
        *c = (cursor){.next = b->cursors,
                      .token = b->portal.token,
                      .number = b->portal.statement.number,
                      .n_savepoints = b->n_savepoints};
        (void)snprintf(c->name, sizeof c->name, "%.*s", TUSK_STR_ARG(name));
        memcpy(c->formats, b->portal.formats, sizeof c->formats);
        b->cursors = c;
        b->server->counts.portals++;
        b->portal.is_bound = false;
    }
    empty_message(b, TUSK__B_BIND_COMPLETE);
}

static void on_bind(backend *b, tusk_str body)
{
    tusk__bind bind;
    named **link;

    if (tusk__bind_read(body, &bind, NULL) != TUSK_OK)
        abort();
    link = find_named(b, bind.statement);
    b->portal = (portal){.is_bound = true};
    if (*link) {
        b->portal.statement = (*link)->statement;
        b->portal.token = (*link)->statement.token;
    }
    take_formats(&b->portal, &bind);
    if (b->portal.statement.command != CMD_LOOKUP)
        take_params(&b->portal, &bind);
    b->server->counts.runs_of_named += bind.statement.len > 0;
    see(b, b->portal.token);
    if (!*link)
        refuse(b, b->portal.token, "26000");
    else if ((*link)->is_altered)
        refuse_with(b, b->portal.token, "0A000", "RevalidateCachedQuery");
    else if (bind.n_params != (*link)->statement.n_params)
        refuse(b, b->portal.token, "08P01");
    else if (!ends_by_signal(b, b->portal.token) &&
             !is_refused_in_failed_transaction(b, &b->portal.statement, b->portal.token))
        bound(b, bind.portal);
}

/* A portal with a name: so many rows. */
static void fetch_from_portal(backend *b, tusk_str name, uint32_t max_rows)
{
    cursor *c = find_portal(b, name);
    portal rows = {.statement = {.command = CMD_ROWS}};
    uint32_t n;
    char tag[32];

    b->server->counts.statements++;
    if (!c) {
        refuse(b, 0, "34000");
        return;
    }
    if (has_mishap(b) || ends_by_signal(b, c->token) || is_refused_in_failed_transaction(b, &rows.statement, c->token))
        return;
    n = c->number - c->at < max_rows ? c->number - c->at : max_rows;
    rows.token = c->token;
    memcpy(rows.formats, c->formats, sizeof rows.formats);
    for (uint32_t i = 0; i < n; i++)
        write_row(b, &rows, c->at + i);
    c->at += n;
    (void)snprintf(tag, sizeof tag, "SELECT %u", n);
    if (n == max_rows)
        empty_message(b, TUSK__B_PORTAL_SUSPENDED);
    else
        complete(b, 0, tag);
}

static void on_execute(backend *b, tusk_str body)
{
    tusk_str name;
    uint32_t max_rows;

    if (tusk__execute_read(body, &name, &max_rows, NULL) != TUSK_OK)
        abort();
    if (name.len) {
        fetch_from_portal(b, name, max_rows);
        return;
    }
    if (!b->portal.is_bound) {
        refuse(b, 0, "34000");
        return;
    }
    run_portal(b);
    b->portal.is_bound = false;
}

static void close_portal(backend *b, tusk_str name)
{
    char text[MAX_NAME];
    cursor **link;

    (void)snprintf(text, sizeof text, "%.*s", TUSK_STR_ARG(name));
    link = find_cursor(b, text);
    if (*link)
        close_cursor(link);
}

static void on_close(backend *b, tusk_str body)
{
    uint8_t what;
    tusk_str name;
    named **link;

    if (tusk__describe_read(body, &what, &name, NULL) != TUSK_OK)
        abort();
    link = find_named(b, name);
    if (what == 'S' && *link)
        forget(link);
    if (what == 'P')
        close_portal(b, name);
    empty_message(b, TUSK__B_CLOSE_COMPLETE);
}

static void on_sync(backend *b)
{
    b->skips = false;
    ready(b);
}

/* CopyData, CopyDone, CopyFail; Flush and Sync mean nothing while they are awaited. */
static void on_message_in_copy(backend *b, uint8_t type)
{
    if (type == TUSK__F_COPY_DATA || type == TUSK__F_FLUSH || type == TUSK__F_SYNC)
        return;
    b->is_in_copy = false;
    if (type == TUSK__F_COPY_DONE) {
        complete(b, b->portal.token, "COPY 0");
    } else {
        b->server->counts.copies_failed++;
        refuse(b, b->portal.token, type == TUSK__F_COPY_FAIL ? "57014" : "08P01");
    }
    go_on(b);
}

static void on_message(backend *b, uint8_t type, tusk_str body)
{
    if (type == TUSK__F_TERMINATE) {
        hang_up(b);
    } else if (b->is_in_copy) {
        on_message_in_copy(b, type);
    } else if (type == TUSK__F_SYNC) {
        on_sync(b);
    } else if (!b->skips) {
        switch (type) {
        case TUSK__F_QUERY:
            on_query(b, body);
            break;
        case TUSK__F_PARSE:
            on_parse(b, body);
            break;
        case TUSK__F_DESCRIBE:
            on_describe(b, body);
            break;
        case TUSK__F_BIND:
            on_bind(b, body);
            break;
        case TUSK__F_EXECUTE:
            on_execute(b, body);
            break;
        case TUSK__F_CLOSE:
            on_close(b, body);
            break;
        case TUSK__F_FLUSH:
            flush(b);
            break;
        default:
            break; /* what is left of a COPY that failed */
        }
    }
}

/* ---- login ----------------------------------------------------------------------------------------------------------------------- */

static void ask(backend *b, tusk__auth_kind kind, tusk_str data)
{
    tusk__authentication_write(&b->out, &(tusk__authentication){.kind = kind, .data = data});
    flush(b);
}

static void let_in(backend *b)
{
    pg_server *server = b->server;

    if (happens(server, server->options.refuse)) {
        server->counts.refused++;
        die(b, "53300", "sorry, too many clients already");
        return;
    }
    server->counts.logins++;
    b->stage = ST_READY;
    b->tx_status = 'I';
    tusk__authentication_write(&b->out, &(tusk__authentication){.kind = TUSK__AUTH_OK});
    write_status(b, "server_version", "18.0");
    write_status(b, "client_encoding", "UTF8");
    write_status(b, "TimeZone", "UTC");
    tusk__backend_key_data_write(&b->out, &(tusk__backend_key){b->pid, tusk_str_from(b->key, b->key_len)});
    tusk__ready_for_query_write(&b->out, 'I');
    flush(b);
    if (happens(server, server->options.early_death))
        sim_after(server->world, (int64_t)sim_random(server->world, 1000000), die_early, b);
}

static void refuse_password(backend *b)
{
    b->server->counts.refused++;
    die(b, "28P01", "password authentication failed");
}

static void begin_login(backend *b)
{
    switch (b->server->options.login) {
    case PG_TRUST:
    case PG_N_LOGINS:
        let_in(b);
        break;
    case PG_CLEARTEXT:
        b->stage = ST_PASSWORD;
        ask(b, TUSK__AUTH_CLEARTEXT_PASSWORD, (tusk_str){NULL, 0});
        break;
    case PG_MD5:
        b->stage = ST_PASSWORD;
        for (size_t i = 0; i < sizeof b->md5_salt; i++)
            b->md5_salt[i] = (uint8_t)sim_random(b->server->world, 256);
        ask(b, TUSK__AUTH_MD5_PASSWORD, tusk_str_from(b->md5_salt, sizeof b->md5_salt));
        break;
    case PG_SCRAM:
        b->stage = ST_SASL_INITIAL;
        ask(b, TUSK__AUTH_SASL, tusk_str_from("SCRAM-SHA-256\0", sizeof "SCRAM-SHA-256\0" - 1));
    }
}

static void on_password(backend *b, tusk_str body)
{
    const pg_options *options = &b->server->options;
    char expected[TUSK__MD5AUTH_LEN];
    tusk_str password, wanted = tusk_str_of(options->password);

    if (tusk__password_message_read(body, &password, NULL) != TUSK_OK)
        abort();
    if (options->login == PG_MD5) {
        if (tusk__md5auth(tusk__crypto_openssl(), tusk_str_of(options->user), wanted, b->md5_salt, expected, NULL) !=
            TUSK_OK)
            abort();
        wanted = tusk_str_from(expected, sizeof expected);
    }
    if (tusk_str_equal(password, wanted))
        let_in(b);
    else
        refuse_password(b);
}

static void on_sasl_initial(backend *b, tusk_str body)
{
    tusk_str mechanism, data;
    char salt64[64];

    if (tusk__sasl_initial_response_read(body, &mechanism, &data, NULL) != TUSK_OK || data.len < 8)
        abort();
    (void)snprintf(b->scram_bare, sizeof b->scram_bare, "%.*s", (int)data.len - 3, data.ptr + 3); /* behind "n,," */
    EVP_EncodeBlock((unsigned char *)salt64, (const unsigned char *)SCRAM_SALT, sizeof SCRAM_SALT - 1);
    (void)snprintf(b->scram_first, sizeof b->scram_first, "r=%.100sSIM%u,s=%s,i=%d", b->scram_bare + 5, b->pid, salt64,
                   b->server->options.scram_iterations);
    b->stage = ST_SASL_RESPONSE;
    ask(b, TUSK__AUTH_SASL_CONTINUE, tusk_str_of(b->scram_first));
}

static void hmac(const uint8_t key[32], const char *text, uint8_t out[32])
{
    if (!HMAC(EVP_sha256(), key, 32, (const uint8_t *)text, strlen(text), out, NULL))
        abort();
}

static void on_sasl_response(backend *b, tusk_str body)
{
    char text[512], auth[1024], reply[64] = "v=";
    uint8_t client_key[32], server_key[32], stored[32], signature[32], proof[48], shown[32];
    char *proof64;

    (void)snprintf(text, sizeof text, "%.*s", TUSK_STR_ARG(body));
    proof64 = strstr(text, ",p=");
    if (!proof64 || EVP_DecodeBlock(proof, (const unsigned char *)proof64 + 3, 44) != 33)
        abort();
    *proof64 = '\0';
    (void)snprintf(auth, sizeof auth, "%s,%s,%s", b->scram_bare, b->scram_first, text);
    hmac(b->server->salted, "Client Key", client_key);
    hmac(b->server->salted, "Server Key", server_key);
    SHA256(client_key, 32, stored);
    hmac(stored, auth, shown);
    for (int i = 0; i < 32; i++)
        shown[i] ^= proof[i];
    if (memcmp(shown, client_key, 32) != 0) {
        refuse_password(b);
        return;
    }
    hmac(server_key, auth, signature);
    if (happens(b->server, b->server->options.impostor)) {
        b->is_impostor = b->is_liar = true;
        b->server->counts.impostors++;
        signature[7] ^= 1;
        if (sim_chance(b->server->world, 500)) {
            let_in(b);
            return;
        }
    }
    EVP_EncodeBlock((unsigned char *)reply + 2, signature, 32);
    tusk__authentication_write(&b->out,
                               &(tusk__authentication){.kind = TUSK__AUTH_SASL_FINAL, .data = tusk_str_of(reply)});
    let_in(b);
}

/* ---- the first packet, and cancels ---------------------------------------------------------------------------------------------- */

static void send_signal(backend *b)
{
    pg_counts *counts = &b->server->counts;

    b->is_signaled = true;
    if (!b->is_sleeping && !b->is_in_copy) {
        counts->cancels_while_idle++;
        return;
    }
    counts->cancels_while_running++;
    b->is_sleeping = b->is_in_copy = false;
    (void)ends_by_signal(b, b->portal.token);
    go_on(b);
}

/* The signal is sent, then the connection is closed: who sees the end of file knows that the signal is out. Who has hung up
 * before does not stop it. */
static void deliver_cancel(void *user)
{
    backend *b = user;
    backend *target = b->server->backends;

    while (target && (target->stage != ST_READY || target->pid != b->cancel_pid))
        target = target->next;
    if (target && target->place != b->place)
        complain(b->server, "a CancelRequest goes to another address than its connection");
    else if (target && target->key_len == b->cancel_key_len && memcmp(target->key, b->cancel_key, target->key_len) == 0)
        send_signal(target);
    else if (target)
        complain(b->server, "a CancelRequest has a wrong key");
    else
        b->server->counts.cancels_of_nobody++;
    b->is_canceling = false;
    hang_up(b);
}

static void on_cancel_request(backend *b, const tusk__first_packet *packet)
{
    pg_server *server = b->server;
    int64_t max_us =
        server->is_calm || server->options.max_cancel_delay_us <= 0 ? 1 : server->options.max_cancel_delay_us;

    server->counts.cancels++;
    if (packet->key.len > sizeof b->cancel_key)
        abort();
    b->is_canceling = true;
    b->cancel_pid = packet->pid;
    b->cancel_key_len = packet->key.len;
    memcpy(b->cancel_key, packet->key.ptr, packet->key.len);
    sim_after(server->world, (int64_t)sim_random(server->world, (uint64_t)max_us), deliver_cancel, b);
}

static void on_startup(backend *b, uint32_t version)
{
    pg_server *server = b->server;

    b->pid = ++server->last_pid;
    b->key_len = 4;
    if (version > TUSK__PROTOCOL_3_0 && server->options.knows_3_2) {
        b->key_len = sizeof b->key;
    } else if (version > TUSK__PROTOCOL_3_0) {
        server->counts.negotiated++;
        tusk__negotiate_protocol_version_write(&b->out, &(tusk__negotiate){.version = TUSK__PROTOCOL_3_0});
    }
    for (size_t i = 0; i < b->key_len; i++)
        b->key[i] = (uint8_t)sim_random(server->world, 256);
    begin_login(b);
}

static void on_first_packet(backend *b, tusk_str body)
{
    tusk__first_packet packet;

    if (tusk__first_packet_read(body, &packet, NULL) != TUSK_OK)
        abort();
    if (packet.code == TUSK__SSL_REQUEST_CODE || packet.code == TUSK__GSSENC_REQUEST_CODE)
        sim_conn_write(b->peer, "N", 1);
    else if (packet.code == TUSK__CANCEL_REQUEST_CODE)
        on_cancel_request(b, &packet);
    else
        on_startup(b, packet.code);
}

/* ---- bytes in ---------------------------------------------------------------------------------------------------------------------- */

static void dispatch(backend *b, uint8_t type, tusk_str body)
{
    switch (b->stage) {
    case ST_FIRST:
        on_first_packet(b, body);
        break;
    case ST_PASSWORD:
        on_password(b, body);
        break;
    case ST_SASL_INITIAL:
        on_sasl_initial(b, body);
        break;
    case ST_SASL_RESPONSE:
        on_sasl_response(b, body);
        break;
    case ST_READY:
        on_message(b, type, body);
        break;
    case ST_GONE:
        break;
    }
}

/* All whole messages, unless a statement waits. */
static void pump(backend *b)
{
    uint8_t type = 0;
    tusk_str stream, body;

    if (b->is_pumping)
        return;
    b->is_pumping = true;
    while (!b->is_sleeping && b->stage != ST_GONE) {
        stream = tusk_str_from(b->in + b->in_taken, b->in_len - b->in_taken);
        tusk_code code = tusk__frame_next(&stream, false, b->stage == ST_FIRST, &type, &body, NULL);
        if (code == TUSK_AGAIN)
            break;
        if (code != TUSK_OK)
            abort(); /* the driver writes nonsense */
        b->in_taken = b->in_len - stream.len;
        dispatch(b, type, body);
    }
    b->is_pumping = false;
}

static void take_bytes(backend *b, const void *bytes, size_t len)
{
    if (b->in_taken == b->in_len)
        b->in_taken = b->in_len = 0;
    if (b->in_len + len > b->in_cap) {
        b->in_cap = (b->in_len + len) * 2;
        b->in = realloc(b->in, b->in_cap);
        if (!b->in)
            abort();
    }
    memcpy(b->in + b->in_len, bytes, len);
    b->in_len += len;
}

/* Texts with a token among bytes that are not looked at yet; one that is cut in two goes unnoticed. */
static void tell_waiting(backend *b, const char *bytes, size_t len)
{
    const pg_watcher *watcher = &b->server->watcher;
    uint32_t token;

    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != '#')
            continue;
        for (token = 0, i++; i < len && bytes[i] >= '0' && bytes[i] <= '9'; i++)
            token = token * 10 + (uint32_t)(bytes[i] - '0');
        if (i < len && watcher->on_waiting)
            watcher->on_waiting(token, watcher->user);
    }
}

static void on_data(sim_peer *peer, const void *bytes, size_t len, void *user)
{
    backend *b = user;

    (void)peer;
    if (b->stage == ST_GONE)
        return;
    take_bytes(b, bytes, len);
    if (b->is_sleeping)
        tell_waiting(b, bytes, len);
    pump(b);
}

static void on_accept(sim_peer *peer, void *user)
{
    const place *at = user;
    pg_server *server = at->server;
    backend *b = calloc(1, sizeof *b);

    if (!b)
        abort();
    b->server = server;
    b->place = at;
    b->peer = peer;
    tusk__writer_init(&b->out, tusk_allocator_default());
    b->next = server->backends;
    server->backends = b;
    sim_conn_set_user(peer, b);
}

static void on_end(sim_peer *peer, int os_error, void *user)
{
    backend *b = user;

    (void)peer;
    if (os_error != 0 ||
        !b->is_canceling) /* else the signal comes first: this end of file must not be answered by ours */
        hang_up(b);
}

static const sim_server pg = {.on_accept = on_accept, .on_data = on_data, .on_close = on_end};

/* ---- the server ------------------------------------------------------------------------------------------------------------------------ */

pg_server *pg_server_new(sim_world *world, const pg_options *options)
{
    pg_server *server = calloc(1, sizeof *server);

    if (!server)
        abort();
    server->world = world;
    server->options = *options;
    if (options->login == PG_SCRAM)
        PKCS5_PBKDF2_HMAC(options->password, (int)strlen(options->password), (const unsigned char *)SCRAM_SALT,
                          sizeof SCRAM_SALT - 1, options->scram_iterations, EVP_sha256(), 32, server->salted);
    return server;
}

void pg_server_free(pg_server *server)
{
    while (server->backends) {
        backend *b = server->backends;

        server->backends = b->next;
        while (b->statements)
            forget(&b->statements);
        while (b->cursors)
            close_cursor(&b->cursors);
        tusk__writer_clear(&b->out);
        free(b->script);
        free(b->in);
        free(b);
    }
    free(server);
}

void pg_listen(pg_server *server, const char *address, uint16_t port)
{
    place *at = &server->places[server->n_places++];

    if (server->n_places > sizeof server->places / sizeof *at)
        abort();
    at->server = server;
    (void)sim_listen(server->world, address, port, &pg, at);
}

const char *pg_complaint(const pg_server *server)
{
    return server->complaint;
}

void pg_let_repeat(pg_server *server, uint32_t token)
{
    fact_of(server, token)->owns_tx = true;
}

const pg_fact *pg_fact_of(const pg_server *server, uint32_t token)
{
    return &server->facts[token < PG_MAX_TOKENS ? token : 0];
}

const pg_counts *pg_counts_of(const pg_server *server)
{
    return &server->counts;
}

void pg_watch(pg_server *server, const pg_watcher *watcher)
{
    server->watcher = *watcher;
}

void pg_calm(pg_server *server)
{
    server->is_calm = true;
    for (backend *b = server->backends; b; b = b->next) {
        if (!b->is_sleeping)
            continue;
        b->wakes_at_us = sim_now(server->world);
        sim_after(server->world, 0, wake, b);
    }
}
