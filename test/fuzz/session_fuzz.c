/*
 * Fuzz target F2: proto/session.c as the driver uses it, against a server that says anything.
 *
 * The input is a program of one-byte orders with their arguments: what is expected, how bytes arrive, what the server says: raw
 * bytes, or a message that is legal in the state at hand with one of its fields changed. A second account of what is owed is
 * kept here, by the events alone, and compared after each. test/session_corpus_test.c plays the kept corpus and fails if it
 * misses a legal pair of state and message. Read first: proto/session.h.
 */
#include <stdlib.h>

#include "proto/frame.h"
#include "proto/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition) ((condition) ? (void)0 : abort())

enum { MAX_OWED = 64, N_LETTERS = 128 };

/* Which pairs this input reached: libFuzzer counts them like branches, and so keeps an input for each. */
#if defined(__linux__) && defined(__clang__)
__attribute__((section("__libfuzzer_extra_counters")))
#endif
static uint8_t pairs[TUSK__N_EXPECT][N_LETTERS];

static struct {
    tusk__session s;
    uint8_t *buf;
    size_t chunk, min;
    uint8_t owed[MAX_OWED]; /* our account: in the order of sending */
    size_t n_owed;
    bool is_skipping; /* an error without a Sync behind it */
    bool is_over;     /* a farewell, or a broken promise */
    bool is_broken;
    int32_t n_cols;
    tusk__writer said; /* all bytes of the server, to be found again in the events */
    size_t heard;
} t;

static struct {
    const uint8_t *p, *end;
} input;

static uint8_t take_byte(void)
{
    return input.p < input.end ? *input.p++ : 0;
}

static tusk_str take_bytes(size_t n)
{
    size_t left = (size_t)(input.end - input.p);
    tusk_str s = tusk_str_from(input.p, n < left ? n : left);

    input.p += s.len;
    return s;
}

/* ---- the second account ------------------------------------------------------------------------------------------------ */

static void owe(uint8_t expect)
{
    if (t.is_over || (t.is_skipping && expect != TUSK__EXPECT_SYNC))
        return;
    t.is_skipping = false;
    t.owed[t.n_owed++] = expect;
}

static void settle(uint8_t expect)
{
    CHECK(t.n_owed > 0 && t.owed[0] == expect);
    memmove(t.owed, t.owed + 1, --t.n_owed);
}

static bool owes(uint8_t expect)
{
    return t.n_owed > 0 && t.owed[0] == expect;
}

static void account_error(bool is_fatal)
{
    if (is_fatal) {
        t.n_owed = 0;
        t.is_over = true;
        return;
    }
    if (t.n_owed == 0 || owes(TUSK__EXPECT_QUERY))
        return;
    while (t.n_owed > 0 && !owes(TUSK__EXPECT_SYNC))
        settle(t.owed[0]);
    t.is_skipping = t.n_owed == 0;
}

static void account(const tusk__event *ev)
{
    switch ((int)ev->kind) {
    case TUSK__EV_PARSE_COMPLETE:
        settle(TUSK__EXPECT_PARSE);
        break;
    case TUSK__EV_BIND_COMPLETE:
        settle(TUSK__EXPECT_BIND);
        break;
    case TUSK__EV_CLOSE_COMPLETE:
        settle(TUSK__EXPECT_CLOSE);
        break;
    case TUSK__EV_ROW_DESCRIPTION:
    case TUSK__EV_NO_DATA:
        if (!owes(TUSK__EXPECT_QUERY))
            settle(owes(TUSK__EXPECT_DESCRIBE_STATEMENT) ? TUSK__EXPECT_DESCRIBE_STATEMENT
                                                         : TUSK__EXPECT_DESCRIBE_PORTAL);
        break;
    case TUSK__EV_COMMAND_COMPLETE:
    case TUSK__EV_EMPTY_QUERY:
    case TUSK__EV_PORTAL_SUSPENDED:
        if (!owes(TUSK__EXPECT_QUERY))
            settle(TUSK__EXPECT_EXECUTE);
        break;
    case TUSK__EV_READY: /* one per Sync or Query, never fewer, never more */
        if (ev->expect != TUSK__EXPECT_SETTINGS)
            settle(owes(TUSK__EXPECT_SYNC) ? TUSK__EXPECT_SYNC : TUSK__EXPECT_QUERY);
        break;
    case TUSK__EV_ERROR:
        account_error(ev->is_fatal);
        break;
    default:
        break;
    }
    CHECK(t.s.ring_n == t.n_owed);
    CHECK(t.s.state == TUSK__EXPECT_END || (t.s.state == TUSK__EXPECT_SKIP_NO_SYNC) == t.is_skipping);
}

/* ---- what an event may hold ---------------------------------------------------------------------------------------------- */

static void check_view(tusk_str view, tusk_str body)
{
    const char *end = body.ptr + body.len;

    CHECK(view.len == 0 || (view.ptr >= body.ptr && view.ptr <= end && view.len <= (size_t)(end - view.ptr)));
}

static void check_string(tusk_str view, tusk_str body)
{
    check_view(view, body);
    CHECK(view.len == 0 || memchr(view.ptr, 0, view.len) == NULL);
}

/* Not by the library's reader: this one must not share its mistakes. */
static void check_row(tusk_str body, int32_t n_cols)
{
    const uint8_t *p = (const uint8_t *)body.ptr, *end = p + body.len;

    CHECK(body.len >= 2 && n_cols == (p[0] << 8 | p[1]));
    p += 2;
    for (int32_t i = 0; i < n_cols; i++) {
        uint32_t len;

        CHECK(end - p >= 4);
        len = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
        p += 4;
        if (len == 0xffffffff)
            continue;
        CHECK(len <= (size_t)(end - p));
        p += len;
    }
    CHECK(p == end);
}

static void check_columns(const tusk__event *ev)
{
    tusk_str rest = ev->row_description.columns;

    for (size_t i = 0; i < ev->row_description.n_cols; i++) {
        tusk__column column;

        tusk__row_description_next(&rest, &column);
        check_string(column.name, ev->body);
        CHECK(column.format <= 1);
    }
    CHECK(rest.len == 0);
    t.n_cols = (int32_t)ev->row_description.n_cols;
}

static void check_fields(tusk_str body)
{
    tusk_str rest = body, value;
    tusk_error err = {0};
    char kind;

    while (tusk__error_fields_next(&rest, &kind, &value))
        check_string(value, body);
    tusk__error_fields_to_error(body, &err);
    CHECK(err.code == TUSK_ERR_SERVER && strlen(err.sqlstate) == 5);
}

static void check_event(const tusk__event *ev)
{
    const uint8_t *body = (const uint8_t *)ev->body.ptr;

    CHECK(body >= t.buf + TUSK__FRAME_HEADER && ev->body.len <= (size_t)(t.buf + t.s.head - body));
    CHECK(body + ev->body.len == t.buf + t.s.head); /* just this message was consumed */
    CHECK(tusk__be32(body - 4) == ev->body.len + 4);
    CHECK(ev->body.len + 5 <= t.said.len - t.heard && memcmp(t.said.buf + t.heard, body - 5, ev->body.len + 5) == 0);
    t.heard += ev->body.len + 5;
    CHECK(body[-5] < N_LETTERS && tusk__session_rule(ev->expect, body[-5]).is_legal);
    CHECK(tusk__session_rule(ev->expect, body[-5]).event == ev->kind);
    pairs[ev->expect][body[-5]] = 1;
    switch ((int)ev->kind) {
    case TUSK__EV_AUTHENTICATION:
        check_view(ev->authentication.data, ev->body);
        CHECK(tusk__session_auth_rule(ev->expect, ev->authentication.kind).is_legal);
        break;
    case TUSK__EV_NEGOTIATE_PROTOCOL_VERSION:
        check_view(ev->negotiate.options, ev->body);
        break;
    case TUSK__EV_BACKEND_KEY_DATA:
        check_view(ev->backend_key.key, ev->body);
        CHECK(ev->backend_key.key.len >= 4 && ev->backend_key.key.len <= TUSK__CANCEL_KEY_MAX);
        break;
    case TUSK__EV_PARAMETER_STATUS:
        check_string(ev->parameter_status.name, ev->body);
        check_string(ev->parameter_status.value, ev->body);
        break;
    case TUSK__EV_READY:
        CHECK(strchr("ITE", ev->tx_status) && ev->tx_status == t.s.tx_status && !t.s.in_login);
        break;
    case TUSK__EV_PARAMETER_DESCRIPTION:
        check_view(ev->parameter_description.types, ev->body);
        CHECK(ev->parameter_description.types.len == ev->parameter_description.n_params * 4);
        break;
    case TUSK__EV_ROW_DESCRIPTION:
        check_columns(ev);
        break;
    case TUSK__EV_ROW:
        check_row(ev->body, t.n_cols);
        break;
    case TUSK__EV_COMMAND_COMPLETE:
        check_string(ev->tag, ev->body);
        (void)tusk__command_tag_rows(ev->tag);
        break;
    case TUSK__EV_COPY_IN:
    case TUSK__EV_COPY_OUT:
    case TUSK__EV_COPY_BOTH:
        check_view(ev->copy.formats, ev->body);
        CHECK(ev->copy.formats.len == ev->copy.n_cols * 2 && ev->copy.format <= 1);
        break;
    case TUSK__EV_ERROR:
    case TUSK__EV_NOTICE:
        check_fields(ev->body);
        break;
    case TUSK__EV_NOTIFICATION:
        check_string(ev->notification.channel, ev->body);
        check_string(ev->notification.payload, ev->body);
        break;
    default:
        CHECK(ev->body.len == 0 || ev->kind == TUSK__EV_COPY_DATA);
    }
}

/* ---- bytes ------------------------------------------------------------------------------------------------------------------ */

/* More bytes are wanted: then what is here begins a message that may come. */
static void check_waiting(void)
{
    size_t left = tusk__session_unparsed(&t.s);
    const uint8_t *p;

    if (left == 0)
        return;
    p = t.buf + t.s.head;
    CHECK(!t.is_over && left <= t.said.len - t.heard && memcmp(t.said.buf + t.heard, p, left) == 0);
    CHECK(tusk__session_rule((tusk__expect)t.s.state, p[0]).is_legal);
    if (left >= TUSK__FRAME_HEADER)
        CHECK(tusk__be32(p + 1) > left - 1 && tusk__be32(p + 1) < 0x3fffffff);
}

static void drain(void)
{
    for (;;) {
        tusk__event ev;
        tusk_error err = {0};
        tusk_code code = tusk__session_next(&t.s, &ev, &err);

        if (code == TUSK_AGAIN) {
            check_waiting();
            return;
        }
        if (code != TUSK_OK) {
            CHECK(code == TUSK_ERR_PROTOCOL && err.code == code && strcmp(err.sqlstate, "08P01") == 0);
            CHECK(err.message[0] != '\0');
            t.is_over = t.is_broken = true;
            t.n_owed = 0;
            CHECK(t.s.ring_n == 0);
            return;
        }
        CHECK(!t.is_over);
        check_event(&ev);
        account(&ev);
    }
}

static void lend(void)
{
    size_t left = tusk__session_unparsed(&t.s), cap = tusk__session_wants_cap(&t.s, t.min);
    uint8_t *buf;

    CHECK(cap >= t.min && (t.is_over || cap > left));
    CHECK(cap <= t.min || cap <= TUSK__FRAME_HEADER || cap <= left * 2);
    buf = malloc(cap);
    CHECK(buf != NULL);
    tusk__session_lend(&t.s, buf, cap);
    free(t.buf);
    t.buf = buf;
}

static void arrive(const uint8_t *bytes, size_t len)
{
    while (len > 0 && !t.is_broken) {
        size_t room, n = len < t.chunk ? len : t.chunk;
        uint8_t *to = tusk__session_recv_buf(&t.s, &room);

        if (room == 0) {
            lend();
            continue;
        }
        n = n < room ? n : room;
        memcpy(to, bytes, n);
        tusk__write_bytes(&t.said, tusk_str_from(bytes, n));
        tusk__session_recv_ack(&t.s, n);
        bytes += n, len -= n;
        t.n_cols = t.s.n_cols;
        drain();
    }
}

/* ---- what the server says ------------------------------------------------------------------------------------------------ */

static void write_authentication(tusk__writer *b)
{
    /* a kind that leads on from here, whichever the argument picks */
    uint32_t kind = take_byte() % 16u;
    tusk__authentication auth;

    for (int i = 0; i < 16 && !tusk__session_auth_rule((tusk__expect)t.s.state, kind).is_legal; i++)
        kind = (kind + 1) % 16;
    auth = (tusk__authentication){kind, tusk_str_of(kind == TUSK__AUTH_MD5_PASSWORD ? "salt" : "")};
    if (kind == TUSK__AUTH_SASL)
        auth.data = tusk_str_from("SCRAM-SHA-256", 14);
    tusk__authentication_write(b, &auth);
}

static void write_row(tusk__writer *b)
{
    tusk_str values[16];
    bool is_null[16];
    size_t n = t.s.n_cols < 0 ? 1 : (size_t)t.s.n_cols % 15;
    uint8_t how = take_byte();

    /* a whole row of another number of fields */
    if (how % 16 == 14)
        n++;
    else if (how % 16 == 15 && n > 0)
        n--;
    for (size_t i = 0; i < n; i++) {
        uint8_t len = take_byte();

        is_null[i] = len == 255;
        values[i] = take_bytes(len % 32u);
    }
    tusk__data_row_write(b, values, is_null, n);
}

static void write_fields(tusk__writer *b, uint8_t type)
{
    tusk__error_field_value fields[2] = {{'S', tusk_str_of("ERROR")}, {'C', tusk_str_of("42601")}};

    if (take_byte() % 8 == 7)
        fields[0].value = tusk_str_of("FATAL");
    tusk__error_fields_write(b, type, fields, 2);
}

static void write_row_description(tusk__writer *b)
{
    tusk__column columns[4] = {{.name = tusk_str_of("a")}, {.name = tusk_str_of("b"), .format = 1}};

    tusk__row_description_write(b, columns, take_byte() % 5u);
}

static void write_message(tusk__writer *b, uint8_t type)
{
    static const uint8_t codes[8];
    tusk__copy_response copy = {0, 3, tusk_str_from(codes, 6)};
    uint32_t types[3] = {23, 25, 16};

    switch (type) {
    case TUSK__B_AUTHENTICATION:
        write_authentication(b);
        break;
    case TUSK__B_NEGOTIATE_PROTOCOL_VERSION:
        tusk__negotiate_protocol_version_write(b, &(tusk__negotiate){0x30000, 1, tusk_str_from("_pq_.a", 7)});
        break;
    case TUSK__B_BACKEND_KEY_DATA:
        tusk__backend_key_data_write(b, &(tusk__backend_key){1, tusk_str_of("abcdefgh")});
        break;
    case TUSK__B_PARAMETER_STATUS:
        tusk__parameter_status_write(b, &(tusk__parameter_status){tusk_str_of("a"), tusk_str_of("b")});
        break;
    case TUSK__B_READY_FOR_QUERY:
        tusk__ready_for_query_write(b, (uint8_t) "ITE"[take_byte() % 3]);
        break;
    case TUSK__B_ROW_DESCRIPTION:
        write_row_description(b);
        break;
    case TUSK__B_PARAMETER_DESCRIPTION:
        tusk__parameter_description_write(b, types, take_byte() % 4u);
        break;
    case TUSK__B_DATA_ROW:
        write_row(b);
        break;
    case TUSK__B_COMMAND_COMPLETE:
        tusk__command_complete_write(b, tusk_str_of("SELECT 1"));
        break;
    case TUSK__B_COPY_IN_RESPONSE:
    case TUSK__B_COPY_OUT_RESPONSE:
    case TUSK__B_COPY_BOTH_RESPONSE:
        tusk__copy_response_write(b, type, &copy);
        break;
    case TUSK__B_COPY_DATA:
        tusk__copy_data_write(b, take_bytes(take_byte()));
        break;
    case TUSK__B_NOTIFICATION_RESPONSE:
        tusk__notification_response_write(b, &(tusk__notification){1, tusk_str_of("c"), tusk_str_of("p")});
        break;
    case TUSK__B_ERROR_RESPONSE:
    case TUSK__B_NOTICE_RESPONSE:
        write_fields(b, type);
        break;
    default:
        tusk__empty_message_write(b, type);
    }
}

/* The k-th type that is legal now; 0 if there is none (EXPECT_BROKEN). */
static uint8_t legal_type(unsigned k)
{
    uint8_t types[N_LETTERS];
    unsigned n = 0;

    for (unsigned type = 1; type < N_LETTERS; type++)
        if (tusk__session_rule((tusk__expect)t.s.state, (uint8_t)type).is_legal)
            types[n++] = (uint8_t)type;
    return n > 0 ? types[k % n] : 0;
}

static void change_a_field(tusk__writer *b)
{
    static const uint32_t values[] = {0, 1, 2, 3, 4, 5, 0xffffffff, 0xfffffffe, 0x80000000, 0x7fffffff, 0x10000};
    uint8_t how = take_byte(), what = take_byte();
    size_t at = take_byte() % b->len;
    size_t value = what % (sizeof values / sizeof values[0]);

    switch (how % 8) {
    case 1: /* any byte */
        b->buf[at] = what;
        break;
    case 2: /* the length word */
        tusk__put32(b->buf + 1, values[value]);
        break;
    case 3: /* the length word, by a little */
        tusk__put32(b->buf + 1, tusk__be32(b->buf + 1) + what - 128u);
        break;
    case 4: /* an Int32 in the body */
        if (at >= 5 && at + 4 <= b->len)
            tusk__put32(b->buf + at, values[value]);
        break;
    case 5: /* an Int16 in the body, by one: a count */
        if (at >= 5 && at + 2 <= b->len)
            tusk__put16(b->buf + at, (uint16_t)(tusk__be16(b->buf + at) + (what & 1 ? 1 : 0xffff)));
        break;
    case 6: /* the body cut, the length word true to it */
        if (at >= 5) {
            tusk__writer_cut(b, at);
            tusk__put32(b->buf + 1, (uint32_t)at - 1);
        }
        break;
    default: /* as it should be */
        break;
    }
}

static void say_legal(void)
{
    tusk__writer b;
    uint8_t type = legal_type(take_byte());
    bool is_changed = false;

    if (type == 0)
        return;
    tusk__writer_init(&b, tusk_allocator_default());
    is_changed = take_byte() & 1;
    write_message(&b, type);
    CHECK(b.failed == TUSK_OK);
    if (is_changed)
        change_a_field(&b);
    arrive(b.buf, b.len);
    tusk__writer_clear(&b);
}

/* ---- what we do ---------------------------------------------------------------------------------------------------------- */

static void expect(void)
{
    uint8_t what = (uint8_t)(TUSK__EXPECT_PARSE + take_byte() % (TUSK__EXPECT_QUERY - TUSK__EXPECT_PARSE + 1));

    if (t.n_owed == MAX_OWED || t.s.in_login)
        return;
    CHECK(tusk__session_reserve(&t.s, 1) == TUSK_OK);
    tusk__session_expect(&t.s, &what, 1);
    owe(what);
}

static void enter(void)
{
    uint8_t state =
        (uint8_t)(TUSK__EXPECT_OUR_TURN + take_byte() % (TUSK__EXPECT_GSS_CONTINUE - TUSK__EXPECT_OUR_TURN + 1));

    if (t.s.state >= TUSK__EXPECT_OUR_TURN && t.s.state <= TUSK__EXPECT_GSS_CONTINUE)
        tusk__session_enter(&t.s, (tusk__expect)state);
    drain(); /* as the driver does: what is here already is judged by the new state before more is received */
}

static void columns(void)
{
    int32_t n = (int32_t)(take_byte() % 8) - 1;

    tusk__session_expect_columns(&t.s, n);
    t.n_cols = n;
    drain();
}

static void step(uint8_t order)
{
    switch (order % 8) {
    case 0:
        expect();
        break;
    case 1:
        columns();
        break;
    case 2: {
        tusk_str raw = take_bytes(take_byte());

        arrive((const uint8_t *)raw.ptr, raw.len);
        break;
    }
    case 3:
        t.chunk = 1 + take_byte() % 64u;
        break;
    case 4:
        t.min = take_byte();
        break;
    case 5:
        enter();
        break;
    default:
        say_legal();
    }
}

static void log_in(void)
{
    static const uint8_t login[] = {'R', 0, 0, 0, 8, 0, 0, 0, 0, 'Z', 0, 0, 0, 5, 'I'};

    tusk__session_enter(&t.s, TUSK__EXPECT_AUTHENTICATION);
    arrive(login, sizeof login);
    CHECK(tusk__session_is_idle(&t.s));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    memset(&t, 0, sizeof t);
    t.chunk = 64;
    input.p = data;
    input.end = data + size;
    tusk__session_init(&t.s, tusk_allocator_default());
    tusk__writer_init(&t.said, tusk_allocator_default());
    if (take_byte() & 1)
        log_in();
    while (input.p < input.end)
        step(take_byte());
    drain();
    tusk__session_clear(&t.s);
    tusk__writer_clear(&t.said);
    free(t.buf);
    return 0;
}
