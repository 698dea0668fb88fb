/*
 * proto/session.c: every state meets every type of message, and what a lying server can do with order and lengths.
 * The table of situations is written from "Message Flow" of the PostgreSQL documentation, not from session_table.c.
 * Read first: proto/session.h.
 */
#include "proto/session.h"

#include "proto/frame.h"
#include "proto/session_table.h"
#include "test/harness/harness.h"
#include "test/harness/print_states.h"
#include "test/harness/words.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- a session on a wire of bytes ------------------------------------------------------------------------------------ */

static tusk__session s;
static tusk__event ev;
static tusk_error err;
static uint8_t *lent;

/* Bytes arrive: in a block of just their size, so that the address sanitizer sees a read too far. */
static void arrive(const void *bytes, size_t len)
{
    size_t left = tusk__session_unparsed(&s), room;
    uint8_t *block = malloc(left + len ? left + len : 1), *to;

    tusk__session_lend(&s, block, left + len);
    free(lent);
    lent = block;
    to = tusk__session_recv_buf(&s, &room);
    if (room == 0)
        return;
    memcpy(to, bytes, room < len ? room : len);
    tusk__session_recv_ack(&s, room < len ? room : len);
}

/* The messages, n times, glued together. */
static void say_often(const char *text, int n)
{
    tusk__writer b;

    tusk__writer_init(&b, tusk_allocator_default());
    for (int i = 0; i < n; i++) {
        const char *wrong = words_write_text(&b, text);

        ck_assert_msg(wrong == NULL, "%s: %s", text, wrong);
    }
    arrive(b.buf, b.len);
    tusk__writer_clear(&b);
}

static void say(const char *text)
{
    say_often(text, 1);
}

static tusk_code next(void)
{
    err = (tusk_error){0};
    memset(&ev, 0xee, sizeof ev);
    return tusk__session_next(&s, &ev, &err);
}

static tusk_code hear(const char *text)
{
    tusk_code code = TUSK_AGAIN;

    say(text);
    while (tusk__session_unparsed(&s) > 0 && (code = next()) == TUSK_OK)
        continue;
    return code == TUSK_OK ? TUSK_AGAIN : code; /* ev stays the last event */
}

static void begin(void)
{
    tusk__session_init(&s, tusk_allocator_default());
    err = (tusk_error){0};
}

static void end(void)
{
    tusk__session_clear(&s);
    free(lent);
    lent = NULL;
}

static void begin_logged_in(void)
{
    begin();
    tusk__session_enter(&s, TUSK__EXPECT_AUTHENTICATION);
    arrive("R\0\0\0\10\0\0\0\0Z\0\0\0\5I", 15); /* auth ok; ready I */
    ck_assert_int_eq(next(), TUSK_OK);
    ck_assert_int_eq(next(), TUSK_OK);
    ck_assert(tusk__session_is_idle(&s));
}

static void expect_all(const uint8_t *expects, size_t n)
{
    ck_assert_int_eq(tusk__session_reserve(&s, n), TUSK_OK);
    tusk__session_expect(&s, expects, n);
}

#define EXPECT(...) expect_all((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

#define ck_assert_state(expected)                                                                                      \
    ck_assert_str_eq(tusk__expect_name((tusk__expect)s.state), tusk__expect_name(TUSK__EXPECT_##expected))

/* ---- every state × every type ---------------------------------------------------------------------------------------- */

/*
 * How a session comes to be in a state, and what may come then: one letter per message, "=STATE" if it leads elsewhere.
 * "E!" is an error that is not FATAL. Before the login in words: what the client did.
 */
struct situation {
    const char *name;
    tusk__expect state;
    enum { LOGIN, LOGGED_IN } from;
    tusk__expect enter; /* LOGIN: the state that the caller enters first */
    uint8_t expects[4]; /* LOGGED_IN */
    int columns;        /* told by the caller, 0: not */
    const char *said;   /* what the server said already */
    const char *legal;
};

#define AND_ASYNC " N S A"
static const struct situation situations[] = {
    {"nothing asked", TUSK__EXPECT_NOTHING, LOGGED_IN, 0, {0}, 0, "", "E" AND_ASYNC},
    {"login not begun", TUSK__EXPECT_OUR_TURN, LOGIN, TUSK__EXPECT_OUR_TURN, {0}, 0, "", "E=END v N"},
    {"startup sent",
     TUSK__EXPECT_AUTHENTICATION,
     LOGIN,
     TUSK__EXPECT_AUTHENTICATION,
     {0},
     0,
     "",
     "R=SETTINGS E=END v N"},
    {"password asked",
     TUSK__EXPECT_OUR_TURN,
     LOGIN,
     TUSK__EXPECT_AUTHENTICATION,
     {0},
     0,
     "auth cleartext",
     "E=END v N"},
    {"negotiated",
     TUSK__EXPECT_AUTHENTICATION,
     LOGIN,
     TUSK__EXPECT_AUTHENTICATION,
     {0},
     0,
     "negotiate 0x30000",
     "R=SETTINGS E=END N"},
    {"password sent",
     TUSK__EXPECT_PASSWORD_VERDICT,
     LOGIN,
     TUSK__EXPECT_PASSWORD_VERDICT,
     {0},
     0,
     "",
     "R=SETTINGS E=END v N"},
    {"server-final verified", TUSK__EXPECT_SASL_OK, LOGIN, TUSK__EXPECT_SASL_OK, {0}, 0, "", "R=SETTINGS E=END v N"},
    {"bearer token sent",
     TUSK__EXPECT_SASL_VERDICT,
     LOGIN,
     TUSK__EXPECT_SASL_VERDICT,
     {0},
     0,
     "",
     "R=SETTINGS E=END v N"},
    {"authenticated",
     TUSK__EXPECT_SETTINGS,
     LOGIN,
     TUSK__EXPECT_AUTHENTICATION,
     {0},
     0,
     "auth ok",
     "K Z=NOTHING E=END" AND_ASYNC},
    {"parse",
     TUSK__EXPECT_PARSE,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_PARSE, TUSK__EXPECT_BIND, TUSK__EXPECT_SYNC},
     0,
     "",
     "1=BIND E=SKIP" AND_ASYNC},
    {"parse, last of all",
     TUSK__EXPECT_PARSE,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_PARSE},
     0,
     "",
     "1=NOTHING E=SKIP_NO_SYNC" AND_ASYNC},
    {"bind",
     TUSK__EXPECT_BIND,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC},
     0,
     "",
     "2=EXECUTE E=SKIP" AND_ASYNC},
    {"describe statement",
     TUSK__EXPECT_DESCRIBE_STATEMENT,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_DESCRIBE_STATEMENT, TUSK__EXPECT_SYNC},
     0,
     "",
     "t=ROW_DESCRIPTION E=SKIP" AND_ASYNC},
    {"parameters described",
     TUSK__EXPECT_ROW_DESCRIPTION,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_DESCRIBE_STATEMENT, TUSK__EXPECT_SYNC},
     0,
     "parameter_description 23",
     "T=SYNC n=SYNC E=SKIP" AND_ASYNC},
    {"describe portal",
     TUSK__EXPECT_DESCRIBE_PORTAL,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_DESCRIBE_PORTAL, TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC},
     0,
     "",
     "T=EXECUTE n=EXECUTE E=SKIP" AND_ASYNC},
    {"execute, columns told",
     TUSK__EXPECT_EXECUTE,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC},
     1,
     "",
     "D=EXECUTE_ROWS C=SYNC I=SYNC s=SYNC G=COPY_IN H=COPY_OUT W=COPY_BOTH E=SKIP" AND_ASYNC},
    {"execute, columns described",
     TUSK__EXPECT_EXECUTE,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_DESCRIBE_PORTAL, TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC},
     0,
     "row_description a:23",
     "D=EXECUTE_ROWS C=SYNC I=SYNC s=SYNC G=COPY_IN H=COPY_OUT W=COPY_BOTH E=SKIP" AND_ASYNC},
    {"execute without a description",
     TUSK__EXPECT_EXECUTE,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC},
     0,
     "",
     "C=SYNC I=SYNC s=SYNC G=COPY_IN H=COPY_OUT W=COPY_BOTH E=SKIP" AND_ASYNC},
    {"execute behind NoData",
     TUSK__EXPECT_EXECUTE,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_DESCRIBE_PORTAL, TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC},
     0,
     "no_data",
     "C=SYNC I=SYNC s=SYNC G=COPY_IN H=COPY_OUT W=COPY_BOTH E=SKIP" AND_ASYNC},
    {"a second execute behind the end of the first",
     TUSK__EXPECT_EXECUTE,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_EXECUTE, TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC},
     1,
     "row 1; command_complete SELECT 1",
     "C=SYNC I=SYNC s=SYNC G=COPY_IN H=COPY_OUT W=COPY_BOTH E=SKIP" AND_ASYNC},
    {"a second execute of a suspended portal",
     TUSK__EXPECT_EXECUTE,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_EXECUTE, TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC},
     1,
     "row 1; portal_suspended",
     "D=EXECUTE_ROWS C=SYNC I=SYNC s=SYNC G=COPY_IN H=COPY_OUT W=COPY_BOTH E=SKIP" AND_ASYNC},
    {"rows",
     TUSK__EXPECT_EXECUTE_ROWS,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC},
     1,
     "row 1",
     "D C=SYNC s=SYNC E=SKIP" AND_ASYNC},
    {"close",
     TUSK__EXPECT_CLOSE,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_CLOSE, TUSK__EXPECT_SYNC},
     0,
     "",
     "3=SYNC E=SKIP" AND_ASYNC},
    {"sync",
     TUSK__EXPECT_SYNC,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_SYNC, TUSK__EXPECT_PARSE, TUSK__EXPECT_SYNC},
     0,
     "",
     "Z=PARSE E=SKIP" AND_ASYNC},
    {"error in a unit",
     TUSK__EXPECT_SKIP,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC, TUSK__EXPECT_BIND},
     0,
     "error S=ERROR C=42601",
     "Z=BIND E" AND_ASYNC},
    {"error in Sync itself",
     TUSK__EXPECT_SKIP,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_SYNC, TUSK__EXPECT_BIND},
     0,
     "error S=ERROR C=23503",
     "Z=BIND E" AND_ASYNC},
    {"error, Sync not sent",
     TUSK__EXPECT_SKIP_NO_SYNC,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE},
     0,
     "error S=ERROR C=42601",
     "E" AND_ASYNC},
    {"query",
     TUSK__EXPECT_QUERY,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_QUERY, TUSK__EXPECT_BIND},
     0,
     "",
     "T=QUERY_ROWS C=QUERY_MORE I=QUERY_MORE G=COPY_IN H=COPY_OUT W=COPY_BOTH E=QUERY_ERROR" AND_ASYNC},
    {"query, rows",
     TUSK__EXPECT_QUERY_ROWS,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_QUERY},
     0,
     "row_description a:23",
     "D C=QUERY_MORE E=QUERY_ERROR" AND_ASYNC},
    {"query, behind a result",
     TUSK__EXPECT_QUERY_MORE,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_QUERY, TUSK__EXPECT_BIND},
     0,
     "row_description a:23; row 1; command_complete SELECT 1",
     "Z=BIND T=QUERY_ROWS C I G=COPY_IN H=COPY_OUT W=COPY_BOTH E=QUERY_ERROR" AND_ASYNC},
    {"query, error",
     TUSK__EXPECT_QUERY_ERROR,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_QUERY},
     0,
     "error S=ERROR C=42601",
     "Z=NOTHING E" AND_ASYNC},
    {"copy in, simple",
     TUSK__EXPECT_COPY_IN,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_QUERY},
     0,
     "copy_in text 2",
     "C=QUERY_MORE E=QUERY_ERROR" AND_ASYNC},
    {"copy in, Sync held back",
     TUSK__EXPECT_COPY_IN,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_EXECUTE},
     0,
     "copy_in text 2",
     "C=NOTHING E=SKIP_NO_SYNC" AND_ASYNC},
    {"copy in, Sync sent",
     TUSK__EXPECT_COPY_IN,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC},
     0,
     "copy_in text 2",
     "C=SYNC E=SKIP" AND_ASYNC},
    {"copy out, simple",
     TUSK__EXPECT_COPY_OUT,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_QUERY},
     0,
     "copy_out text 2",
     "d c=COPY_END E=QUERY_ERROR" AND_ASYNC},
    {"copy out, extended",
     TUSK__EXPECT_COPY_OUT,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC},
     0,
     "copy_out text 2",
     "d c=COPY_END E=SKIP" AND_ASYNC},
    {"copy out ended, simple",
     TUSK__EXPECT_COPY_END,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_QUERY},
     0,
     "copy_out text 2; copy_data a; copy_done",
     "C=QUERY_MORE E=QUERY_ERROR" AND_ASYNC},
    {"copy out ended, extended",
     TUSK__EXPECT_COPY_END,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC},
     0,
     "copy_out text 2; copy_done",
     "C=SYNC E=SKIP" AND_ASYNC},
    {"copy both, simple",
     TUSK__EXPECT_COPY_BOTH,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_QUERY},
     0,
     "copy_both text 0",
     "d c=QUERY E=QUERY_ERROR" AND_ASYNC},
    {"copy both, extended",
     TUSK__EXPECT_COPY_BOTH,
     LOGGED_IN,
     0,
     {TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC},
     0,
     "copy_both text 0",
     "d c=COPY_END E=SKIP" AND_ASYNC},
    /* Authentication is judged by its kind: these two take none of kind 0, see the authentication table below. */
    {"client-first sent", TUSK__EXPECT_SASL_CONTINUE, LOGIN, TUSK__EXPECT_SASL_CONTINUE, {0}, 0, "", "E=END v N"},
    {"client-final sent", TUSK__EXPECT_SASL_FINAL, LOGIN, TUSK__EXPECT_SASL_FINAL, {0}, 0, "", "E=END v N"},
    {"GSS token sent", TUSK__EXPECT_GSS_CONTINUE, LOGIN, TUSK__EXPECT_GSS_CONTINUE, {0}, 0, "", "E=END v N"},
};
#define N_SITUATIONS ((int)(sizeof situations / sizeof situations[0]))

static void enter_situation(const struct situation *t)
{
    size_t n = 0;

    if (t->from == LOGIN) {
        begin();
        tusk__session_enter(&s, t->enter);
    } else {
        begin_logged_in();
        while (n < 4 && t->expects[n])
            n++;
        expect_all(t->expects, n);
        if (t->columns)
            tusk__session_expect_columns(&s, t->columns);
    }
    if (*t->said)
        ck_assert_msg(hear(t->said) == TUSK_AGAIN, "%s: %s", t->name, err.message);
    ck_assert_msg(s.state == t->state, "%s: in %s", t->name, tusk__expect_name((tusk__expect)s.state));
}

/* A valid message of each type; NULL: there is no such type. The row has one column. */
static const char *sample(unsigned type)
{
    static const struct {
        char type;
        const char *words;
    } samples[] = {
        {'R', "auth ok"},
        {'K', "key 7 abcd"},
        {'2', "bind_complete"},
        {'3', "close_complete"},
        {'C', "command_complete SELECT 1"},
        {'d', "copy_data abc"},
        {'c', "copy_done"},
        {'G', "copy_in text 2"},
        {'H', "copy_out text 2"},
        {'W', "copy_both text 0"},
        {'D', "row 1"},
        {'I', "empty_query"},
        {'E', "error S=ERROR C=42601 M=no"},
        {'V', "function_result 1"},
        {'v', "negotiate 0x30000"},
        {'n', "no_data"},
        {'N', "notice S=NOTICE M=hm"},
        {'A', "notification 7 channel payload"},
        {'t', "parameter_description 23"},
        {'S', "status a b"},
        {'1', "parse_complete"},
        {'s', "portal_suspended"},
        {'Z', "ready I"},
        {'T', "row_description a:23"},
    };

    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
        if ((unsigned)samples[i].type == type)
            return samples[i].words;
    return NULL;
}

/* The entry for a type in a list such as "1=BIND E=SKIP N": NULL if it is not there, otherwise the state's name or "". */
static const char *entry(const char *legal, unsigned type, char *state, size_t size)
{
    for (const char *p = legal; *p; p += strcspn(p, " "), p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");

        if ((unsigned char)*p != type)
            continue;
        snprintf(state, size, "%s%.*s", len > 2 ? "EXPECT_" : "", len > 2 ? (int)len - 2 : 0, p + 2);
        return state;
    }
    return NULL;
}

static void check_refused(const char *name, tusk__expect state, unsigned type)
{
    const char *message = tusk__backend_message_name((uint8_t)type);
    char text[700];

    ck_assert_msg(err.code == TUSK_ERR_PROTOCOL, "%s, 0x%02x: no error", name, type);
    ck_assert_str_eq(err.sqlstate, "08P01");
    tusk_error_format(&err, text, sizeof text);
    ck_assert_msg(strstr(text, tusk__expect_name(state)) != NULL, "%s: state not named: %s", name, text);
    if (message)
        ck_assert_msg(strstr(text, message) != NULL, "%s: message not named: %s", name, text);
    ck_assert_int_eq(next(), TUSK_ERR_PROTOCOL);
    ck_assert_int_eq(err.code, TUSK_ERR_PROTOCOL);
}

START_TEST(every_type_is_legal_or_08P01_in_every_state)
{
    const struct situation *t = &situations[_i];

    for (unsigned type = 0; type < 256; type++) {
        char expected[40];
        const char *to = entry(t->legal, type, expected, sizeof expected);
        uint8_t header[5] = {(uint8_t)type, 0, 0, 0, 4};
        tusk_code code;

        enter_situation(t);
        if (sample(type))
            say(sample(type));
        else
            arrive(header, sizeof header);
        code = next();
        ck_assert_msg((code == TUSK_OK) == (to != NULL), "%s, 0x%02x '%c': code %d %s", t->name, type, type, (int)code,
                      err.message);
        if (code == TUSK_OK) {
            ck_assert_int_eq(ev.expect, t->state);
            ck_assert_msg(tusk__session_unparsed(&s) == 0, "%s, '%c': not consumed", t->name, type);
            ck_assert_msg(strcmp(tusk__expect_name((tusk__expect)s.state), *to ? to : tusk__expect_name(t->state)) == 0,
                          "%s, '%c': to %s instead of %s", t->name, type, tusk__expect_name((tusk__expect)s.state), to);
        } else {
            check_refused(t->name, t->state, type);
        }
        end();
    }
}
END_TEST

START_TEST(an_illegal_type_is_refused_on_its_first_byte)
{
    const struct situation *t = &situations[_i];

    for (unsigned type = 0; type < 256; type++) {
        char expected[40];
        uint8_t byte = (uint8_t)type;
        bool is_legal = entry(t->legal, type, expected, sizeof expected) != NULL;

        if (type == 'R')
            is_legal = tusk__session_rule(t->state, byte).is_legal; /* its kind is in the body */
        enter_situation(t);
        arrive(&byte, 1);
        ck_assert_msg(next() == (is_legal ? TUSK_AGAIN : TUSK_ERR_PROTOCOL), "%s, 0x%02x", t->name, type);
        end();
    }
}
END_TEST

START_TEST(the_rule_told_is_the_rule_kept)
{
    const struct situation *t = &situations[_i];

    for (unsigned type = 0; type < 256; type++) {
        char expected[40];
        const char *to = entry(t->legal, type, expected, sizeof expected);
        tusk__rule rule = tusk__session_rule(t->state, (uint8_t)type);

        if (type == 'R' || type == 'v' || type == 'D')
            continue; /* decided by more than the state: the kind, the number so far, the columns */
        ck_assert_msg(rule.is_legal == (to != NULL), "%s, 0x%02x", t->name, type);
        if (to && *to && strncmp(rule.next, "EXPECT_", 7) == 0 && !strstr(rule.next, " next "))
            ck_assert_msg(strstr(rule.next, to) != NULL, "%s, '%c': rule says %s", t->name, type, rule.next);
    }
}
END_TEST

START_TEST(every_state_has_a_situation)
{
    for (int state = 0; state < TUSK__N_EXPECT; state++) {
        bool found = state == TUSK__EXPECT_END || state == TUSK__EXPECT_BROKEN; /* tests of their own */

        for (int i = 0; i < N_SITUATIONS && !found; i++)
            found = situations[i].state == (tusk__expect)state;
        ck_assert_msg(found, "no situation for %s", tusk__expect_name((tusk__expect)state));
    }
}
END_TEST

START_TEST(asynchronous_messages_have_no_place_in_the_big_table)
{
    for (int state = 0; state < TUSK__N_EXPECT; state++)
        for (int i = 0; i < TUSK__N_ASYNC; i++)
            ck_assert_int_eq(tusk__session_table[state][tusk__session_async_table[i].type].event, 0);
}
END_TEST

START_TEST(all_24_messages_have_a_name_and_no_other_type_has)
{
    int n = 0;

    for (unsigned type = 0; type < 256; type++) {
        ck_assert_int_eq(tusk__backend_message_name((uint8_t)type) != NULL, sample(type) != NULL);
        n += sample(type) != NULL;
    }
    ck_assert_int_eq(n, 24);
    ck_assert_str_eq(tusk__frontend_message_name('X'), "Terminate");
    ck_assert_ptr_null(tusk__frontend_message_name('Z'));
    ck_assert_str_eq(tusk__expect_name((tusk__expect)200), "(no such state)");
}
END_TEST

START_TEST(states_md_is_current)
{
    char *printed = NULL, *kept;
    size_t size = 0, n;
    FILE *memory = open_memstream(&printed, &size), *file = fopen("docs/states.md", "r");

    ck_assert_ptr_nonnull(memory);
    print_states(memory);
    fclose(memory);
    ck_assert_msg(file != NULL, "docs/states.md is not there: docs/generate");
    kept = calloc(1, size + 2);
    n = fread(kept, 1, size + 1, file);
    fclose(file);
    ck_assert_msg(n == size && memcmp(kept, printed, size) == 0,
                  "docs/states.md is not what the table says: docs/generate");
    free(kept);
    free(printed);
}
END_TEST

/* ---- D24: AuthenticationOk at each step -------------------------------------------------------------------------------- */

struct auth_step {
    tusk__expect state;
    const char *legal; /* kinds and where they lead */
};

static const struct auth_step auth_steps[] = {
    {TUSK__EXPECT_AUTHENTICATION,
     "0=SETTINGS 1=OUR_TURN 2=OUR_TURN 3=OUR_TURN 4=OUR_TURN 5=OUR_TURN 6=OUR_TURN 7=OUR_TURN "
     "9=OUR_TURN 10=OUR_TURN 13=OUR_TURN 14=OUR_TURN 99=OUR_TURN"},
    {TUSK__EXPECT_PASSWORD_VERDICT, "0=SETTINGS"},
    {TUSK__EXPECT_SASL_CONTINUE, "11=OUR_TURN"},
    {TUSK__EXPECT_SASL_FINAL, "12=OUR_TURN"},
    {TUSK__EXPECT_SASL_OK, "0=SETTINGS"},
    {TUSK__EXPECT_SASL_VERDICT, "0=SETTINGS 11=OUR_TURN"},
    {TUSK__EXPECT_GSS_CONTINUE, "8=OUR_TURN"},
    {TUSK__EXPECT_OUR_TURN, ""},
    {TUSK__EXPECT_SETTINGS, ""},
};
#define N_AUTH_STEPS ((int)(sizeof auth_steps / sizeof auth_steps[0]))

static void say_auth(unsigned kind)
{
    char text[64];

    snprintf(text, sizeof text, "auth %u %s", kind, kind == 5 ? "abcd" : kind == 10 ? "SCRAM-SHA-256" : "");
    say(text);
}

START_TEST(d24_authentication_ok_counts_only_where_it_may_be_believed)
{
    const struct auth_step *t = &auth_steps[_i];
    static const unsigned kinds[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 99, 0x7fffffff, 0xffffffff};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char word[24];
        const char *at;
        tusk_code code;

        snprintf(word, sizeof word, "%u=", kinds[i]);
        at = strstr(t->legal, word);
        while (at && at != t->legal && at[-1] != ' ')
            at = strstr(at + 1, word);
        begin();
        tusk__session_enter(&s, t->state);
        say_auth(kinds[i]);
        code = next();
        if (kinds[i] > 99 && t->state == TUSK__EXPECT_AUTHENTICATION) {
            ck_assert_int_eq(code, TUSK_OK); /* a method we do not know: the caller says so */
        } else {
            ck_assert_msg((code == TUSK_OK) == (at != NULL), "kind %u in %s: %d %s", kinds[i],
                          tusk__expect_name(t->state), (int)code, err.message);
        }
        if (code == TUSK_OK) {
            ck_assert_uint_eq(ev.authentication.kind, kinds[i]);
            if (at)
                ck_assert_int_eq(strncmp(at + strlen(word), tusk__expect_name((tusk__expect)s.state) + 7,
                                         strcspn(at + strlen(word), " ")),
                                 0);
        } else {
            ck_assert_str_eq(err.sqlstate, "08P01");
        }
        end();
    }
}
END_TEST

START_TEST(d24_nothing_but_an_error_while_it_is_our_turn)
{
    static const char *const offers[] = {"auth cleartext", "md5 abcd", "auth sasl SCRAM-SHA-256", "auth gss"};

    for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++) {
        begin();
        tusk__session_enter(&s, TUSK__EXPECT_AUTHENTICATION);
        ck_assert_int_eq(hear(offers[i]), TUSK_AGAIN);
        ck_assert_int_eq(hear("auth ok"), TUSK_ERR_PROTOCOL);
        end();
    }
}
END_TEST

START_TEST(a_scram_login_goes_its_way)
{
    begin();
    tusk__session_enter(&s, TUSK__EXPECT_AUTHENTICATION);
    ck_assert_int_eq(hear("negotiate 0x30000 _pq_.x; notice S=LOG; auth sasl SCRAM-SHA-256-PLUS SCRAM-SHA-256"),
                     TUSK_AGAIN);
    tusk__session_enter(&s, TUSK__EXPECT_SASL_CONTINUE);
    ck_assert_int_eq(hear("auth sasl_continue r=x"), TUSK_AGAIN);
    tusk__session_enter(&s, TUSK__EXPECT_SASL_FINAL);
    say("auth sasl_final v=y; auth ok; key 7 abcd; ready I");
    ck_assert_int_eq(next(), TUSK_OK);
    ck_assert_int_eq(ev.expect, TUSK__EXPECT_SASL_FINAL);
    tusk__session_enter(&s, TUSK__EXPECT_SASL_OK); /* AuthenticationOk lies in the buffer already */
    ck_assert_int_eq(next(), TUSK_OK);
    ck_assert_int_eq(next(), TUSK_OK);
    ck_assert_int_eq(ev.kind, TUSK__EV_BACKEND_KEY_DATA);
    ck_assert(s.in_login);
    ck_assert_int_eq(next(), TUSK_OK);
    ck_assert(!s.in_login && tusk__session_is_idle(&s));
    end();
}
END_TEST

START_TEST(negotiate_protocol_version_comes_once)
{
    begin();
    tusk__session_enter(&s, TUSK__EXPECT_AUTHENTICATION);
    ck_assert_int_eq(hear("negotiate 0x30000"), TUSK_AGAIN);
    ck_assert_int_eq(hear("negotiate 0x30000"), TUSK_ERR_PROTOCOL);
    end();
}
END_TEST

/* ---- lengths ------------------------------------------------------------------------------------------------------------- */

START_TEST(d2_a_length_below_4_is_fatal)
{
    const struct situation *t = &situations[_i];

    for (unsigned type = 0; type < 256; type++)
        for (uint8_t len = 0; len < 4; len++) {
            uint8_t header[10] = {(uint8_t)type, 0, 0, 0, len};

            enter_situation(t);
            arrive(header, sizeof header);
            ck_assert_msg(next() == TUSK_ERR_PROTOCOL, "%s, 0x%02x, length %d", t->name, type, len);
            ck_assert_str_eq(err.sqlstate, "08P01");
            end();
        }
}
END_TEST

START_TEST(d4_a_header_alone_grows_nothing)
{
    const struct situation *t = &situations[_i];

    for (unsigned type = 0; type < 256; type++) {
        bool pre_login = t->from == LOGIN;
        uint32_t max = (uint32_t)tusk__backend_body_max((uint8_t)type, pre_login) + 4;
        const uint32_t lengths[] = {max, max - 1, max + 1, 0x7fffffff, 0x80000000, 0xffffffff};

        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            uint8_t header[5] = {(uint8_t)type};
            bool is_possible = i < 2 && tusk__session_rule(t->state, (uint8_t)type).is_legal;

            tusk__put32(header + 1, lengths[i]);
            enter_situation(t);
            arrive(header, sizeof header);
            if (type == 'D' && s.n_cols < 0)
                is_possible = false;
            if (type == 'v' && s.is_negotiated)
                is_possible = false;
            ck_assert_msg(tusk__session_wants_cap(&s, 16384) == 16384, "%s, 0x%02x", t->name, type);
            ck_assert_uint_le(tusk__session_wants_cap(&s, 0), 10);
            ck_assert_msg(next() == (is_possible ? TUSK_AGAIN : TUSK_ERR_PROTOCOL), "%s, 0x%02x, length %x: %s",
                          t->name, type, lengths[i], err.message);
            ck_assert_uint_eq(tusk__session_wants_cap(&s, 16384), 16384);
            end();
        }
    }
}
END_TEST

/* A row of 1 MiB: the buffer at most doubles, the bytes move once per growth, and the row comes out whole. */
START_TEST(a_long_message_grows_with_what_was_received)
{
    enum { SIZE = 1 << 20, STEP = 1000 };
    tusk__writer b;
    char *value = malloc(SIZE);
    tusk_str values[1] = {tusk_str_from(value, SIZE)};
    bool is_null[1] = {false};
    size_t sent = 0;
    uint8_t *buf = NULL;

    memset(value, 'x', SIZE);
    tusk__writer_init(&b, tusk_allocator_default());
    tusk__data_row_write(&b, values, is_null, 1);
    begin_logged_in();
    EXPECT(TUSK__EXPECT_EXECUTE);
    tusk__session_expect_columns(&s, 1);
    while (next() == TUSK_AGAIN && sent < b.len) {
        size_t room, received = tusk__session_unparsed(&s);
        uint8_t *to = tusk__session_recv_buf(&s, &room);

        if (room == 0) {
            size_t cap = tusk__session_wants_cap(&s, 64);
            uint8_t *bigger = malloc(cap);

            ck_assert_uint_gt(cap, received);
            ck_assert_uint_le(cap, received * 2 > 64 ? received * 2 : 64);
            tusk__session_lend(&s, bigger, cap);
            free(buf);
            buf = bigger;
            to = tusk__session_recv_buf(&s, &room);
        }
        room = room < STEP ? room : STEP;
        room = room < b.len - sent ? room : b.len - sent;
        memcpy(to, b.buf + sent, room);
        tusk__session_recv_ack(&s, room);
        sent += room;
    }
    ck_assert_int_eq(ev.kind, TUSK__EV_ROW);
    ck_assert_uint_eq(ev.body.len, 2 + 4 + SIZE);
    ck_assert_int_eq(memcmp(ev.body.ptr + 6, value, SIZE), 0);
    ck_assert_uint_eq(sent, b.len);
    tusk__session_clear(&s);
    free(buf);
    free(value);
    tusk__writer_clear(&b);
    end();
}
END_TEST

START_TEST(a_lent_buffer_may_be_lent_again)
{
    uint8_t buf[64];
    size_t room;
    uint8_t *to;

    begin_logged_in();
    tusk__session_lend(&s, buf, sizeof buf);
    to = tusk__session_recv_buf(&s, &room);
    ck_assert_uint_eq(room, sizeof buf);
    memcpy(to, "N\0\0\0\5\0N\0\0", 9);
    tusk__session_recv_ack(&s, 9);
    ck_assert_int_eq(next(), TUSK_OK);
    ck_assert_int_eq(next(), TUSK_AGAIN);
    tusk__session_lend(&s, buf, sizeof buf); /* moves the three bytes to the start */
    ck_assert_uint_eq(tusk__session_unparsed(&s), 3);
    to = tusk__session_recv_buf(&s, &room);
    ck_assert_ptr_eq(to, buf + 3);
    memcpy(to, "\0\5\0", 3);
    tusk__session_recv_ack(&s, 3);
    ck_assert_int_eq(next(), TUSK_OK);
    ck_assert_int_eq(ev.kind, TUSK__EV_NOTICE);
    tusk__session_lend(&s, NULL, 0);
    ck_assert_ptr_null(tusk__session_recv_buf(&s, &room));
    ck_assert_uint_eq(room, 0);
    ck_assert_int_eq(next(), TUSK_AGAIN);
    ck_assert(tusk__session_is_idle(&s));
    end();
}
END_TEST

/* ---- rows ---------------------------------------------------------------------------------------------------------------- */

START_TEST(d3_a_row_has_as_many_fields_as_columns)
{
    static const struct {
        int columns;
        const char *row;
        bool is_good;
    } rows[] = {
        {2, "row a b", true},
        {2, "row a", false},
        {2, "row a b c", false},
        {2, "row", false},
        {0, "row", true},
        {0, "row a", false},
        {1, "frame D x:ffff", false},
        {65535, "frame D x:ffff", false},
        {1, "frame D x:0001fffffffe", false}, /* D1: -2 */
        {1, "frame D x:000180000000", false}, /* INT_MIN */
        {1, "frame D x:00017fffffff", false}, /* INT_MAX */
        {1, "frame D x:00010000000161", true},
        {1, "frame D x:000100000001", false},     /* one byte too few */
        {1, "frame D x:0001000000016162", false}, /* one too many */
        {1, "frame D x:0001ffffffff", true},
        {1, "frame D x:00", false},
        {1, "frame D", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin_logged_in();
        EXPECT(TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC);
        tusk__session_expect_columns(&s, rows[i].columns);
        say(rows[i].row);
        ck_assert_msg((next() == TUSK_OK) == rows[i].is_good, "%s, %d columns", rows[i].row, rows[i].columns);
        if (!rows[i].is_good) {
            ck_assert_msg(strstr(err.where, "EXPECT_EXECUTE") != NULL, "%s: %s", rows[i].row, err.where);
            ck_assert_int_eq(next(), TUSK_ERR_PROTOCOL);
        }
        end();
    }
}
END_TEST

START_TEST(columns_of_one_query_do_not_leak_into_the_next)
{
    begin_logged_in();
    EXPECT(TUSK__EXPECT_DESCRIBE_STATEMENT, TUSK__EXPECT_SYNC);
    ck_assert_int_eq(hear("parameter_description; row_description a:23 b:25; ready I"), TUSK_AGAIN);
    EXPECT(TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC);
    ck_assert_int_eq(hear("bind_complete; row a b"), TUSK_ERR_PROTOCOL);
    end();
}
END_TEST

START_TEST(each_execute_of_a_pipeline_has_its_own_columns)
{
    begin_logged_in();
    EXPECT(TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE, TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC);
    say("bind_complete; row a b; command_complete SELECT 1; bind_complete; row a; command_complete SELECT 1; ready I");
    ck_assert_int_eq(next(), TUSK_OK);
    tusk__session_expect_columns(&s, 2);
    ck_assert_int_eq(next(), TUSK_OK);
    ck_assert_int_eq(next(), TUSK_OK);
    ck_assert_int_eq(next(), TUSK_OK);
    ck_assert_int_eq(ev.kind, TUSK__EV_BIND_COMPLETE);
    tusk__session_expect_columns(&s, 1);
    ck_assert_int_eq(next(), TUSK_OK);
    ck_assert_int_eq(ev.kind, TUSK__EV_ROW);
    ck_assert_int_eq(next(), TUSK_OK);
    ck_assert_int_eq(next(), TUSK_OK);
    ck_assert(tusk__session_is_idle(&s));
    end();
}
END_TEST

/* ---- D12: after a farewell ------------------------------------------------------------------------------------------------ */

START_TEST(d12_whatever_follows_a_fatal_error_is_harmless)
{
    static const char *const followers[] = {"error S=FATAL C=57P01 M=again",
                                            "notice S=NOTICE M=hm",
                                            "status a b",
                                            "notification 7 channel payload",
                                            "ready I",
                                            "frame x \"rubbish\"",
                                            "raw x:44ffffffff"};
    const struct situation *t = &situations[_i];

    for (size_t k = 0; k < sizeof followers / sizeof followers[0]; k++)
        for (int n = 1; n <= 1000; n *= 10) {
            enter_situation(t);
            say("error S=FATAL C=57P01 M=bye");
            ck_assert_msg(next() == TUSK_OK, "%s: %s", t->name, err.message);
            ck_assert_int_eq(ev.kind, TUSK__EV_ERROR);
            ck_assert(ev.is_fatal);
            ck_assert_state(END);
            say_often(followers[k], n);
            ck_assert_int_eq(next(), TUSK_AGAIN);
            ck_assert_uint_eq(tusk__session_unparsed(&s), 0);
            say(followers[k]);
            ck_assert_int_eq(next(), TUSK_AGAIN);
            ck_assert_uint_eq(tusk__session_unparsed(&s), 0);
            EXPECT(TUSK__EXPECT_BIND, TUSK__EXPECT_SYNC); /* queued before the farewell was read: harmless too */
            tusk__session_enter(&s, TUSK__EXPECT_SASL_FINAL);
            ck_assert_state(END);
            ck_assert(!tusk__session_is_idle(&s));
            end();
        }
}
END_TEST

/* The same many messages in front of the farewell: legal ones leave the state as it is, and the farewell arrives. */
START_TEST(d12_a_thousand_asynchronous_messages_change_no_state)
{
    const struct situation *t = &situations[_i];
    bool is_authenticated = strchr(t->legal, 'A') != NULL;

    enter_situation(t);
    say_often(is_authenticated ? "notice S=NOTICE M=hm; status a b; notification 7 channel payload" : "notice S=LOG",
              1000);
    for (int i = 0; i < (is_authenticated ? 3000 : 1000); i++)
        ck_assert_int_eq(next(), TUSK_OK);
    ck_assert_int_eq(next(), TUSK_AGAIN);
    ck_assert_int_eq(s.state, t->state);
    ck_assert_int_eq(hear("error S=FATAL C=57P01 M=bye"), TUSK_AGAIN);
    ck_assert_state(END);
    end();
}
END_TEST

START_TEST(a_fatal_error_is_told_by_its_unlocalised_severity)
{
    static const struct {
        const char *words;
        bool is_fatal;
    } errors[] = {
        {"error S=FATAL C=57P01", true},   {"error S=PANIC C=57P01", true},  {"error S=ERROR C=57P01", false},
        {"error S=FATAL V=ERROR", false},  {"error S=FEHLER V=FATAL", true}, {"error", false},
        {"error S=FATALE V=ERROR", false},
    };

    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        begin_logged_in();
        say(errors[i].words);
        ck_assert_int_eq(next(), TUSK_OK);
        ck_assert_msg(ev.is_fatal == errors[i].is_fatal, "%s", errors[i].words);
        end();
    }
}
END_TEST

START_TEST(an_error_in_the_login_is_the_end_whatever_its_severity)
{
    begin();
    tusk__session_enter(&s, TUSK__EXPECT_PASSWORD_VERDICT);
    say("error S=ERROR C=28P01");
    ck_assert_int_eq(next(), TUSK_OK);
    ck_assert(ev.is_fatal);
    ck_assert_state(END);
    end();
}
END_TEST

/* ---- D18, and what COPY may not do ------------------------------------------------------------------------------------------ */

START_TEST(d18_an_unexpected_copy_in_is_told_and_can_be_refused)
{
    begin_logged_in();
    EXPECT(TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC, TUSK__EXPECT_PARSE, TUSK__EXPECT_SYNC);
    ck_assert_int_eq(hear("bind_complete; copy_in text 1"), TUSK_AGAIN);
    ck_assert_int_eq(ev.kind, TUSK__EV_COPY_IN);
    ck_assert_int_eq(ev.expect, TUSK__EXPECT_EXECUTE);
    /* the caller answers CopyFail */
    ck_assert_int_eq(hear("error S=ERROR C=57014; ready I; parse_complete; ready I"), TUSK_AGAIN);
    ck_assert(tusk__session_is_idle(&s));
    end();
}
END_TEST

START_TEST(d18_copy_in_fits_no_other_question)
{
    static const uint8_t expects[] = {TUSK__EXPECT_PARSE, TUSK__EXPECT_BIND, TUSK__EXPECT_DESCRIBE_STATEMENT,
                                      TUSK__EXPECT_CLOSE, TUSK__EXPECT_SYNC, TUSK__EXPECT_DESCRIBE_PORTAL};

    for (size_t i = 0; i < sizeof expects; i++) {
        begin_logged_in();
        expect_all(&expects[i], 1);
        ck_assert_int_eq(hear("copy_in text 1"), TUSK_ERR_PROTOCOL);
        end();
    }
}
END_TEST

/* DESIGN, "Barriers": COPY of the extended protocol holds its Sync back until the server has shown where it stands. */
START_TEST(the_sync_of_a_copy_is_expected_late)
{
    begin_logged_in();
    EXPECT(TUSK__EXPECT_PARSE, TUSK__EXPECT_BIND, TUSK__EXPECT_DESCRIBE_PORTAL, TUSK__EXPECT_EXECUTE);
    ck_assert_int_eq(hear("parse_complete; bind_complete; no_data; copy_in text 1"), TUSK_AGAIN);
    EXPECT(TUSK__EXPECT_SYNC);
    ck_assert_int_eq(hear("command_complete COPY 3; ready I"), TUSK_AGAIN);
    ck_assert(tusk__session_is_idle(&s));
    end();
}
END_TEST

START_TEST(an_error_before_the_late_sync_waits_for_it)
{
    static const char *const before[] = {"error S=ERROR C=42P01",
                                         "parse_complete; bind_complete; error S=ERROR C=22000",
                                         "parse_complete; bind_complete; copy_in text 1; error S=ERROR C=22P04"};

    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        begin_logged_in();
        EXPECT(TUSK__EXPECT_PARSE, TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE);
        ck_assert_int_eq(hear(before[i]), TUSK_AGAIN);
        ck_assert_state(SKIP_NO_SYNC);
        ck_assert(!tusk__session_is_idle(&s));
        EXPECT(TUSK__EXPECT_BIND, TUSK__EXPECT_EXECUTE, TUSK__EXPECT_SYNC, TUSK__EXPECT_PARSE, TUSK__EXPECT_SYNC);
        ck_assert_state(SKIP); /* what lay before the Sync was dropped */
        ck_assert_int_eq(hear("ready I; parse_complete; ready I"), TUSK_AGAIN);
        ck_assert(tusk__session_is_idle(&s));
        end();
    }
}
END_TEST

START_TEST(a_ready_for_query_before_the_late_sync_is_surplus)
{
    begin_logged_in();
    EXPECT(TUSK__EXPECT_EXECUTE);
    ck_assert_int_eq(hear("error S=ERROR C=42P01; ready I"), TUSK_ERR_PROTOCOL);
    ck_assert_ptr_nonnull(strstr(err.message, "EXPECT_SKIP_NO_SYNC"));
    end();
}
END_TEST

/* ---- D33: one ReadyForQuery per Sync or Query, never fewer, never more ------------------------------------------------------- */

START_TEST(d33_a_surplus_or_missing_ready_is_fatal)
{
    static const struct {
        const char *name;
        uint8_t expects[8];
        const char *said;
    } rows[] = {
        {"surplus while idle", {0}, "ready I"},
        {"surplus behind a unit", {TUSK__EXPECT_CLOSE, TUSK__EXPECT_SYNC}, "close_complete; ready I; ready I"},
        {"surplus before the next unit",
         {TUSK__EXPECT_CLOSE, TUSK__EXPECT_SYNC, TUSK__EXPECT_CLOSE, TUSK__EXPECT_SYNC},
         "close_complete; ready I; ready I"},
        {"surplus before a query's result", {TUSK__EXPECT_SYNC, TUSK__EXPECT_QUERY}, "ready I; ready I"},
        {"surplus behind a query", {TUSK__EXPECT_QUERY}, "command_complete A; ready I; ready I"},
        {"surplus behind a failed query", {TUSK__EXPECT_QUERY}, "error C=42601; ready I; ready I"},
        {"surplus in a unit", {TUSK__EXPECT_PARSE, TUSK__EXPECT_BIND, TUSK__EXPECT_SYNC}, "parse_complete; ready I"},
        {"missing behind a unit",
         {TUSK__EXPECT_CLOSE, TUSK__EXPECT_SYNC, TUSK__EXPECT_CLOSE, TUSK__EXPECT_SYNC},
         "close_complete; close_complete"},
        {"missing behind an error",
         {TUSK__EXPECT_PARSE, TUSK__EXPECT_SYNC, TUSK__EXPECT_PARSE, TUSK__EXPECT_SYNC},
         "error C=42601; parse_complete"},
        {"missing behind a query",
         {TUSK__EXPECT_QUERY, TUSK__EXPECT_BIND, TUSK__EXPECT_SYNC},
         "command_complete A; bind_complete"},
        {"missing behind a failed query",
         {TUSK__EXPECT_QUERY, TUSK__EXPECT_BIND, TUSK__EXPECT_SYNC},
         "error C=42601; bind_complete"},
        {"in the middle of rows", {TUSK__EXPECT_QUERY}, "row_description a; row 1; ready I"},
        {"in the middle of a copy", {TUSK__EXPECT_QUERY}, "copy_out text 1; copy_data a; ready I"},
        {"in the login", {0}, ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t n = 0;

        if (*rows[i].said) {
            begin_logged_in();
        } else {
            begin();
            tusk__session_enter(&s, TUSK__EXPECT_AUTHENTICATION);
        }
        while (n < 8 && rows[i].expects[n])
            n++;
        expect_all(rows[i].expects, n);
        ck_assert_msg(hear(*rows[i].said ? rows[i].said : "ready I") == TUSK_ERR_PROTOCOL, "%s", rows[i].name);
        ck_assert_int_eq(hear("ready I"), TUSK_ERR_PROTOCOL); /* never re-synchronised by guessing */
        end();
    }
}
END_TEST

START_TEST(d33_each_sync_has_its_ready_whatever_fails)
{
    begin_logged_in();
    for (int i = 0; i < 1000; i++)
        EXPECT(TUSK__EXPECT_PARSE, TUSK__EXPECT_BIND, TUSK__EXPECT_DESCRIBE_PORTAL, TUSK__EXPECT_EXECUTE,
               TUSK__EXPECT_SYNC);
    for (int i = 0; i < 1000; i++) {
        static const char *const answers[] = {
            "parse_complete; bind_complete; row_description a; row 1; command_complete SELECT 1; ready I",
            "error C=42601; ready I",
            "parse_complete; error C=42601; ready E",
            "parse_complete; bind_complete; error C=42601; notice S=NOTICE; ready T",
            "parse_complete; bind_complete; no_data; error C=42601; ready I",
            "parse_complete; bind_complete; row_description a; row 1; error C=42601; ready I",
            "parse_complete; bind_complete; no_data; command_complete INSERT 0 1; error C=23503; ready I",
            "parse_complete; bind_complete; no_data; empty_query; ready I",
        };

        ck_assert_uint_eq(s.ring_n, (unsigned)(1000 - i) * 5);
        ck_assert_int_eq(hear(answers[i % 8]), TUSK_AGAIN);
        ck_assert_int_eq(ev.kind, TUSK__EV_READY);
    }
    ck_assert(tusk__session_is_idle(&s));
    end();
}
END_TEST

START_TEST(the_status_of_the_transaction_is_that_of_the_last_ready)
{
    begin_logged_in();
    ck_assert_int_eq(s.tx_status, 'I');
    EXPECT(TUSK__EXPECT_SYNC, TUSK__EXPECT_SYNC, TUSK__EXPECT_SYNC);
    ck_assert_int_eq(hear("ready T"), TUSK_AGAIN);
    ck_assert_int_eq(s.tx_status, 'T');
    ck_assert_int_eq(hear("ready E"), TUSK_AGAIN);
    ck_assert_int_eq(s.tx_status, 'E');
    ck_assert_int_eq(hear("frame Z x"), TUSK_ERR_PROTOCOL);
    end();
}
END_TEST

/* ---- memory ---------------------------------------------------------------------------------------------------------------------- */

static void *no_malloc(size_t size, void *user)
{
    (void)size, (void)user;
    return NULL;
}

static void *no_realloc(void *ptr, size_t size, void *user)
{
    (void)ptr, (void)size, (void)user;
    return NULL;
}

static void no_free(void *ptr, void *user)
{
    (void)ptr, (void)user;
}

START_TEST(no_memory_for_the_ring_is_an_error_and_nothing_is_lost)
{
    static const tusk_allocator none = {no_malloc, no_realloc, no_free, NULL};
    const tusk_allocator *good;

    begin_logged_in();
    good = s.allocator;
    EXPECT(TUSK__EXPECT_PARSE, TUSK__EXPECT_SYNC);
    s.allocator = &none;
    ck_assert_int_eq(tusk__session_reserve(&s, 62), TUSK_OK); /* these fit already */
    ck_assert_int_eq(tusk__session_reserve(&s, 63), TUSK_ERR_NOMEM);
    ck_assert_int_eq(tusk__session_reserve(&s, SIZE_MAX), TUSK_ERR_LIMIT);
    s.allocator = good;
    ck_assert_int_eq(hear("parse_complete; ready I"), TUSK_AGAIN);
    ck_assert(tusk__session_is_idle(&s));
    end();
}
END_TEST

/* ---- rows in one go ----------------------------------------------------------------------------------------------------- */

/* What stops them, behind five rows of two columns. */
static const struct {
    const char *name;
    const char *bytes;
    size_t len;
} stoppers[] = {
#define STOPPER(name, bytes)                                                                                           \
    {                                                                                                                  \
        name, bytes, sizeof bytes - 1                                                                                  \
    }
    STOPPER("the end", "C\0\0\0\5\0"),
    STOPPER("a row of one column", "D\0\0\0\12\0\1\377\377\377\377"),
    STOPPER("a field that leaves its row", "D\0\0\0\17\0\2\0\0\0\2x\377\377\377\377"),
    STOPPER("a negative length that is not -1", "D\0\0\0\16\0\2\377\377\377\376\377\377\377\377"),
    STOPPER("a length below 4", "D\0\0\0\3\0\2"),
    STOPPER("no room for the count", "D\0\0\0\5\0"),
    STOPPER("a length of 2^31-1", "D\177\377\377\377\0\2"),
    STOPPER("a notice", "N\0\0\0\5\0"),
#undef STOPPER
};

static void five_rows(tusk__writer *b)
{
    const tusk_str values[][2] = {{tusk_str_of("a"), tusk_str_of("")}, {tusk_str_of("some text"), tusk_str_of("b")}};
    const bool is_null[][2] = {{false, false}, {true, false}, {false, true}, {true, true}, {false, false}};

    for (int i = 0; i < 5; i++)
        tusk__data_row_write(b, values[i % 2], is_null[i], 2);
}

static void hear_rows(const tusk__writer *b, size_t len)
{
    begin_logged_in();
    EXPECT(TUSK__EXPECT_EXECUTE);
    tusk__session_expect_columns(&s, 2);
    arrive(b->buf, len);
}

/* However much of them is there, and whatever comes then. */
START_TEST(more_rows_are_those_that_would_have_come_one_by_one)
{
    tusk__writer b;
    tusk_str rows;

    tusk__writer_init(&b, tusk_allocator_default());
    five_rows(&b);
    tusk__write_bytes(&b, tusk_str_from(stoppers[_i].bytes, stoppers[_i].len));
    for (size_t len = 0; len <= b.len; len++) {
        size_t n = 0, left, more = 0;
        tusk_code code;

        hear_rows(&b, len);
        while ((code = next()) == TUSK_OK && ev.kind == TUSK__EV_ROW)
            n++;
        end();
        hear_rows(&b, len);
        ck_assert_uint_eq(tusk__session_more_rows(&s, &rows), 0); /* none comes before the first */
        if (next() == TUSK_OK && ev.kind == TUSK__EV_ROW) {
            left = tusk__session_unparsed(&s);
            more = tusk__session_more_rows(&s, &rows);
            ck_assert_uint_eq(1 + more, n);
            ck_assert_uint_eq(tusk__session_unparsed(&s) + rows.len, left);
            ck_assert_uint_eq(tusk__session_more_rows(&s, &rows), 0);
            ck_assert_msg(next() == code, "%s, %zu bytes: %s", stoppers[_i].name, len, err.message);
        }
        end();
    }
    tusk__writer_clear(&b);
}
END_TEST

START_TEST(a_broken_session_can_give_its_buffer_back)
{
    begin_logged_in();
    ck_assert_int_eq(hear("ready I"), TUSK_ERR_PROTOCOL);
    ck_assert_uint_gt(tusk__session_unparsed(&s), 0);
    tusk__session_lend(&s, NULL, 0);
    ck_assert_int_eq(next(), TUSK_ERR_PROTOCOL);
    ck_assert_ptr_nonnull(strstr(err.message, "ReadyForQuery ('Z') in EXPECT_NOTHING"));
    EXPECT(TUSK__EXPECT_SYNC);
    ck_assert_state(BROKEN);
    end();
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("session");
    TCase *tc = tcase_create("session");

    suite_add_tcase(suite, tc);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, every_state_has_a_situation);
    tcase_add_loop_test(tc, every_type_is_legal_or_08P01_in_every_state, 0, N_SITUATIONS);
    tcase_add_loop_test(tc, an_illegal_type_is_refused_on_its_first_byte, 0, N_SITUATIONS);
    tcase_add_loop_test(tc, the_rule_told_is_the_rule_kept, 0, N_SITUATIONS);
    tcase_add_test(tc, asynchronous_messages_have_no_place_in_the_big_table);
    tcase_add_test(tc, all_24_messages_have_a_name_and_no_other_type_has);
    tcase_add_test(tc, states_md_is_current);
    tcase_add_loop_test(tc, d24_authentication_ok_counts_only_where_it_may_be_believed, 0, N_AUTH_STEPS);
    tcase_add_test(tc, d24_nothing_but_an_error_while_it_is_our_turn);
    tcase_add_test(tc, a_scram_login_goes_its_way);
    tcase_add_test(tc, negotiate_protocol_version_comes_once);
    tcase_add_loop_test(tc, d2_a_length_below_4_is_fatal, 0, N_SITUATIONS);
    tcase_add_loop_test(tc, d4_a_header_alone_grows_nothing, 0, N_SITUATIONS);
    tcase_add_test(tc, a_long_message_grows_with_what_was_received);
    tcase_add_test(tc, a_lent_buffer_may_be_lent_again);
    tcase_add_test(tc, d3_a_row_has_as_many_fields_as_columns);
    tcase_add_test(tc, columns_of_one_query_do_not_leak_into_the_next);
    tcase_add_test(tc, each_execute_of_a_pipeline_has_its_own_columns);
    tcase_add_loop_test(tc, d12_whatever_follows_a_fatal_error_is_harmless, 0, N_SITUATIONS);
    tcase_add_loop_test(tc, d12_a_thousand_asynchronous_messages_change_no_state, 0, N_SITUATIONS);
    tcase_add_test(tc, a_fatal_error_is_told_by_its_unlocalised_severity);
    tcase_add_test(tc, an_error_in_the_login_is_the_end_whatever_its_severity);
    tcase_add_test(tc, d18_an_unexpected_copy_in_is_told_and_can_be_refused);
    tcase_add_test(tc, d18_copy_in_fits_no_other_question);
    tcase_add_test(tc, the_sync_of_a_copy_is_expected_late);
    tcase_add_test(tc, an_error_before_the_late_sync_waits_for_it);
    tcase_add_test(tc, a_ready_for_query_before_the_late_sync_is_surplus);
    tcase_add_test(tc, d33_a_surplus_or_missing_ready_is_fatal);
    tcase_add_test(tc, d33_each_sync_has_its_ready_whatever_fails);
    tcase_add_test(tc, the_status_of_the_transaction_is_that_of_the_last_ready);
    tcase_add_test(tc, no_memory_for_the_ring_is_an_error_and_nothing_is_lost);
    tcase_add_loop_test(tc, more_rows_are_those_that_would_have_come_one_by_one, 0,
                        sizeof stoppers / sizeof stoppers[0]);
    tcase_add_test(tc, a_broken_session_can_give_its_buffer_back);
    return suite;
}
