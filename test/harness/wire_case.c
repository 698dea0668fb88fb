/*
 * Reader and player of the recorded conversations. The player stands where the driver will stand: it lends buffers, and says
 * what it sent once all that came before has been read.
 */
#include "test/harness/wire_case.h"

#include "proto/frame.h"
#include "test/harness/words.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- reading ---------------------------------------------------------------------------------------------------------- */

/* What a message of the client means for the session. */
static const struct {
    const char *word, *object; /* object: the second word, if it matters */
    uint8_t enter, expect;
} client_words[] = {
    {"startup", NULL, TUSK__EXPECT_AUTHENTICATION, 0},
    {"password", NULL, TUSK__EXPECT_PASSWORD_VERDICT, 0},
    {"sasl_initial", NULL, TUSK__EXPECT_SASL_CONTINUE, 0},
    {"sasl_response", NULL, TUSK__EXPECT_SASL_FINAL, 0},
    {"verified", NULL, TUSK__EXPECT_SASL_OK, 0},
    {"gss_response", NULL, TUSK__EXPECT_GSS_CONTINUE, 0},
    {"gss_complete", NULL, TUSK__EXPECT_PASSWORD_VERDICT, 0},
    {"bearer", NULL, TUSK__EXPECT_SASL_VERDICT, 0},
    {"parse", NULL, 0, TUSK__EXPECT_PARSE},
    {"bind", NULL, 0, TUSK__EXPECT_BIND},
    {"describe", "statement", 0, TUSK__EXPECT_DESCRIBE_STATEMENT},
    {"describe", "portal", 0, TUSK__EXPECT_DESCRIBE_PORTAL},
    {"execute", NULL, 0, TUSK__EXPECT_EXECUTE},
    {"close", NULL, 0, TUSK__EXPECT_CLOSE},
    {"sync", NULL, 0, TUSK__EXPECT_SYNC},
    {"query", NULL, 0, TUSK__EXPECT_QUERY},
    {"columns", NULL, 0, 0},
    {"flush", NULL, 0, 0},
    {"copy_data", NULL, 0, 0},
    {"copy_done", NULL, 0, 0},
    {"copy_fail", NULL, 0, 0},
    {"terminate", NULL, 0, 0},
};

static const char *read_client(wire_case *c, const words *w)
{
    wire_step *step = &c->steps[c->n_steps];
    tusk_str last = words_at(w, w->n - 1);

    for (size_t i = 0; i < sizeof client_words / sizeof client_words[0]; i++) {
        if (!words_is(w, 1, client_words[i].word) ||
            (client_words[i].object && !words_is(w, 2, client_words[i].object)))
            continue;
        *step = (wire_step){c->server.len, client_words[i].enter, client_words[i].expect, -1, false};
        if (words_is(w, 1, "columns")) {
            step->columns = (int32_t)words_number(w, 2);
            step->is_now = true;
        } else if (last.len > 8 && memcmp(last.ptr, "columns=", 8) == 0) {
            step->columns = (int32_t)strtol(last.ptr + 8, NULL, 10);
        }
        c->n_steps++;
        return NULL;
    }
    return "no such message of the client";
}

static const char *read_line(wire_case *c, const char *line)
{
    words w;
    const char *wrong = words_split(&w, line);

    if (wrong || w.n == 0)
        return wrong;
    if (c->n_steps == WIRE_STEPS || c->n_messages == WIRE_STEPS)
        return "too many lines";
    if (words_is(&w, 0, "F") && w.n > 1)
        return read_client(c, &w);
    if (!words_is(&w, 0, "B") || w.n < 2)
        return "a line begins with F (client) or B (server)";
    wrong = words_write(&c->server, &w, 1);
    c->message_end[c->n_messages++] = c->server.len;
    return wrong;
}

const char *wire_case_read(wire_case *c, const char *path)
{
    static char wrong[300];
    char line[4096];
    const char *what = NULL;
    int number = 0;
    FILE *file = fopen(path, "r");

    memset(c, 0, sizeof *c);
    tusk__writer_init(&c->server, tusk_allocator_default());
    if (!file) {
        snprintf(wrong, sizeof wrong, "%s: cannot be read", path);
        return wrong;
    }
    while (!what && fgets(line, sizeof line, file)) {
        number++;
        line[strcspn(line, "\n")] = '\0';
        what = read_line(c, line);
    }
    fclose(file);
    if (!what)
        return NULL;
    snprintf(wrong, sizeof wrong, "%s:%d: %s", path, number, what);
    return wrong;
}

void wire_case_clear(wire_case *c)
{
    tusk__writer_clear(&c->server);
}

/* ---- playing ---------------------------------------------------------------------------------------------------------- */

struct player {
    const wire_case *c;
    tusk__session s;
    tusk__writer *log;
    uint8_t *buf;
    size_t cap;
    size_t fed; /* bytes given to the session so far */
    size_t next_step;
    struct {
        int32_t columns;
        size_t unit;
    } binds[WIRE_STEPS]; /* in the order of sending */
    size_t n_binds, n_bound;
    size_t unit_sent, unit_read; /* Syncs and Queries sent, ReadyForQueries read */
    const char *wrong;
};

static void take_step(struct player *p, const wire_step *step)
{
    if (step->enter)
        tusk__session_enter(&p->s, (tusk__expect)step->enter);
    if (step->expect == TUSK__EXPECT_BIND) {
        p->binds[p->n_binds].columns = step->columns;
        p->binds[p->n_binds++].unit = p->unit_sent;
    }
    p->unit_sent += step->expect == TUSK__EXPECT_SYNC || step->expect == TUSK__EXPECT_QUERY;
    if (step->is_now)
        tusk__session_expect_columns(&p->s, step->columns);
    if (step->expect && tusk__session_reserve(&p->s, 1) == TUSK_OK)
        tusk__session_expect(&p->s, &step->expect, 1);
}

/* The client acts when all that it saw before has been read. */
static void take_steps(struct player *p)
{
    size_t parsed = p->fed - tusk__session_unparsed(&p->s);

    while (p->next_step < p->c->n_steps && p->c->steps[p->next_step].at <= parsed)
        take_step(p, &p->c->steps[p->next_step++]);
}

static void log_text(struct player *p, const char *text)
{
    tusk__write_bytes(p->log, tusk_str_of(text));
}

/* A Bind was answered. Those of earlier units that never were, were skipped. */
static void tell_columns(struct player *p)
{
    while (p->n_bound < p->n_binds && p->binds[p->n_bound].unit < p->unit_read)
        p->n_bound++;
    if (p->n_bound < p->n_binds && p->binds[p->n_bound++].columns >= 0)
        tusk__session_expect_columns(&p->s, p->binds[p->n_bound - 1].columns);
}

static bool drain(struct player *p)
{
    tusk__event ev;
    tusk_error err = {0};
    char text[800];

    for (;;) {
        tusk_code code;

        take_steps(p);
        code = tusk__session_next(&p->s, &ev, &err);
        if (code == TUSK_AGAIN)
            return true;
        if (code != TUSK_OK) {
            tusk_error_format(&err, text, sizeof text);
            log_text(p, text);
            log_text(p, "\n");
            return false;
        }
        if (!wire_event_is_within(&ev, p->buf, p->cap))
            p->wrong = "a view that lies outside the lent buffer";
        wire_log_event(p->log, &ev);
        p->unit_read += ev.kind == TUSK__EV_READY && ev.expect != TUSK__EXPECT_SETTINGS;
        if (ev.kind == TUSK__EV_BIND_COMPLETE)
            tell_columns(p);
    }
}

static void lend(struct player *p, size_t piece, bool is_tight)
{
    size_t left = tusk__session_unparsed(&p->s), cap = tusk__session_wants_cap(&p->s, is_tight ? 0 : left + piece);
    uint8_t *buf = malloc(cap);

    if (cap <= left)
        p->wrong = "wants a buffer without room";
    if (cap > left * 2 && cap > left + piece && cap > TUSK__FRAME_HEADER)
        p->wrong = "wants more than twice what it has";
    if (cap < left)
        abort();
    tusk__session_lend(&p->s, buf, cap);
    free(p->buf);
    p->buf = buf;
    p->cap = cap;
}

static bool feed(struct player *p, size_t end, bool is_tight)
{
    while (p->fed < end && !p->wrong) {
        size_t room, n = end - p->fed;
        uint8_t *to = tusk__session_recv_buf(&p->s, &room);

        if (room == 0) {
            lend(p, n, is_tight);
            continue;
        }
        n = n < room ? n : room;
        memcpy(to, p->c->server.buf + p->fed, n);
        p->fed += n;
        tusk__session_recv_ack(&p->s, n);
        if (!drain(p))
            return false;
    }
    return true;
}

const char *wire_case_play(const wire_case *c, const size_t *cuts, size_t n_cuts, bool is_tight, tusk__writer *log)
{
    struct player p = {.c = c, .log = log};
    bool is_well = true;
    char last[2] = {'-', '\0'};

    tusk__session_init(&p.s, tusk_allocator_default());
    take_steps(&p);
    for (size_t i = 0; i < n_cuts && is_well; i++)
        is_well = feed(&p, cuts[i], is_tight);
    if (is_well && feed(&p, c->server.len, is_tight)) {
        take_steps(&p);
        last[0] = p.s.tx_status ? (char)p.s.tx_status : '-';
        log_text(&p, "in ");
        log_text(&p, tusk__expect_name((tusk__expect)p.s.state));
        log_text(&p, ", transaction ");
        log_text(&p, last);
        log_text(&p, tusk__session_unparsed(&p.s) > 0 ? ", in the middle of a message\n" : "\n");
    }
    tusk__session_clear(&p.s);
    free(p.buf);
    return p.wrong;
}
