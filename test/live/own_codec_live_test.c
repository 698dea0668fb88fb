/* Codecs of the program's own against the real server: both formats, both halves, set and reset at all times, and whose they are.
 * Read first: tusk/codec.h, docs/internals/own-codecs.md. */
#include "test/harness/fail_alloc.h"
#include "test/live/live.h"

/* ---- a codec that counts what is done with it --------------------------------------------------------------------------------- */

typedef struct mark {
    int n_encoded, n_decoded, n_released;
    uint32_t type; /* of the last call */
    char mark;     /* what this one's objects carry */
} mark;

typedef struct thing {
    char mark;
    char text[31];
} thing;

static mark marks[4];

static tusk_code decode_thing(tusk_str bytes, uint32_t type, void *object, tusk_error *err, void *user)
{
    mark *m = user;
    thing *t = object;

    m->n_decoded++;
    m->type = type;
    if (bytes.len >= sizeof t->text) {
        snprintf(err->message, sizeof err->message, "a thing of %zu bytes", bytes.len);
        snprintf(err->sqlstate, sizeof err->sqlstate, "22001");
        snprintf(err->hint, sizeof err->hint, "make it shorter");
        return TUSK_ERR_LIMIT;
    }
    t->mark = m->mark;
    snprintf(t->text, sizeof t->text, TUSK_STR_FMT, TUSK_STR_ARG(bytes));
    return TUSK_OK;
}

static tusk_code encode_thing(const void *object, uint32_t type, tusk_out *out, tusk_error *err, void *user)
{
    mark *m = user;
    const thing *t = object;

    m->n_encoded++;
    m->type = type;
    if (t->text[0] == '!') {
        snprintf(err->message, sizeof err->message, "no such thing");
        return TUSK_ERR_VALUE;
    }
    if (t->text[0] == '?')
        return (tusk_code)4711;
    tusk_out_put(out, t->text, strlen(t->text));
    return TUSK_OK;
}

static tusk_code decode_int(tusk_str bytes, uint32_t type, void *object, tusk_error *err, void *user)
{
    mark *m = user;

    (void)err;
    m->n_decoded++;
    m->type = type;
    ck_assert_uint_eq(bytes.len, 4);
    *(uint32_t *)object = (uint32_t)(unsigned char)bytes.ptr[0] << 24 | (uint32_t)(unsigned char)bytes.ptr[1] << 16 |
                          (uint32_t)(unsigned char)bytes.ptr[2] << 8 | (unsigned char)bytes.ptr[3];
    return TUSK_OK;
}

static tusk_code encode_int(const void *object, uint32_t type, tusk_out *out, tusk_error *err, void *user)
{
    mark *m = user;

    (void)err;
    m->n_encoded++;
    m->type = type;
    tusk_out_put_u16(out, (uint16_t)(*(const uint32_t *)object >> 16));
    tusk_out_put_u16(out, (uint16_t) * (const uint32_t *)object);
    return TUSK_OK;
}

static void released(void *user)
{
    ((mark *)user)->n_released++;
}

static tusk_codec codec_of(uint32_t type, const char *name, tusk_codec_format format, int which)
{
    return (tusk_codec){.type = type,
                        .type_name = name,
                        .format = format,
                        .size = sizeof(thing),
                        .encode = encode_thing,
                        .decode = decode_thing,
                        .user = &marks[which],
                        .on_release = released};
}

static tusk_codec int_codec(int which)
{
    tusk_codec codec = codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_BINARY, which);

    codec.size = sizeof(uint32_t);
    codec.encode = encode_int;
    codec.decode = decode_int;
    return codec;
}

#define SCHEMA                                                                                                         \
    "drop schema if exists codecs cascade; create schema codecs; set search_path = codecs, public; "                   \
    "create type mood as enum ('sad', 'ok', 'happy'); create type \"Odd name\" as enum ('a', 'b'); "                   \
    "create domain pos as int4; create domain doc as jsonb; create type pair as (a int4, b text)"

static void up(void)
{
    live_up();
    run_script(SCHEMA);
    for (int i = 0; i < N_OF(marks); i++)
        marks[i] = (mark){.mark = (char)('a' + i)};
}

static void down(void)
{
    if (db)
        run_script("drop schema if exists codecs cascade");
    live_down();
}

static void set_on(tusk_conn *conn, tusk_codec codec)
{
    tusk_error err = {0};

    ck_assert_msg(tusk_await_free(tusk_set_type_codec(conn, &codec), &err) == TUSK_OK, "%s", said(&err));
}

/* It is destroyed in the next turn. */
static void end(tusk_conn *conn)
{
    disconnect(conn);
    turn(0);
}

static void set(tusk_codec codec)
{
    set_on(db, codec);
}

static tusk_error set_error(tusk_codec codec)
{
    tusk_error err = {0};

    ck_assert_int_ne(tusk_await_free(tusk_set_type_codec(db, &codec), &err), TUSK_OK);
    return err;
}

static tusk_row first_row(tusk_query *q)
{
    tusk_row row;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    return row;
}

static thing thing_at(const tusk_row *row, int col)
{
    thing t = {0};
    tusk_error err = {0};

    ck_assert_msg(tusk_read_object(row, col, &t, sizeof t, &err) == TUSK_OK, "%s", said(&err));
    return t;
}

/* The first column of the first row. */
static thing thing_of(tusk_query *q)
{
    tusk_row row = first_row(q);
    thing t = thing_at(&row, 0);

    tusk_query_free(q);
    return t;
}

static tusk_query *ask(const char *sql)
{
    return tusk_exec(db, sql, TUSK_NO_PARAMS);
}

#define ck_thing(q, want_mark, want_text)                                                                              \
    do {                                                                                                               \
        thing ck_t = thing_of(q);                                                                                      \
        ck_assert_int_eq(ck_t.mark, want_mark);                                                                        \
        ck_assert_str_eq(ck_t.text, want_text);                                                                        \
    } while (0)

static tusk_error read_error(tusk_query *q, int col, size_t size)
{
    tusk_row row = first_row(q);
    thing t = {0};
    tusk_error err = {0};

    ck_assert_int_ne(tusk_read_object(&row, col, &t, size, &err), TUSK_OK);
    ck_assert_int_eq(t.mark, 0);
    ck_assert_int_eq(tusk_read_object(&row, col, &t, size, NULL), err.code);
    tusk_query_free(q);
    return err;
}

/* ---- text ---------------------------------------------------------------------------------------------------------------------- */

/* Described first, then kept under a name, then run: whichever it is, that column comes as text, and the others do not. */
START_TEST(text_is_asked_for_the_first_time_and_ever_after)
{
    set(codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0));
    for (int i = 0; i < 4; i++) {
        tusk_query *q = ask("select 4711, 1.50, 7::int8");
        tusk_row row = first_row(q);

        ck_assert_str_eq(thing_at(&row, 0).text, "4711");
        ck_assert_int_eq(tusk_get_int4(&row, 0), 4711); /* Tusk's own getter goes on */
        ck_assert_int_eq(tusk_query_column(q, 0)->format, 0);
        ck_assert_int_eq(tusk_query_column(q, 1)->format, 1);
        ck_assert_int_eq(tusk_query_column(q, 2)->format, 1);
        tusk_query_free(q);
    }
    ck_assert_int_eq(marks[0].n_decoded, 4);
    ck_assert_uint_eq(marks[0].type, TUSK_OID_INT4);
}
END_TEST

START_TEST(what_is_submitted_before_the_login_is_read_as_text_too)
{
    tusk_conn *conn = connect_plain();
    tusk_codec codec = codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0);
    tusk_query *set_query = tusk_set_type_codec(conn, &codec), *q = tusk_exec(conn, "select 1", TUSK_NO_PARAMS),
               *again = tusk_exec(conn, "select 1", TUSK_NO_PARAMS);

    ck_thing(again, 'a', "1");
    ck_thing(q, 'a', "1");
    tusk_query_free(set_query);
    end(conn);
    ck_assert_int_eq(marks[0].n_released, 1);
}
END_TEST

START_TEST(a_statement_that_was_prepared_before_is_asked_for_text_from_then_on)
{
    tusk_stmt *stmt = tusk_prepare(db, "select 12, 1.5", NULL, 0);

    tusk_query_free(tusk_stmt_exec(stmt, TUSK_NO_PARAMS));
    ck_ok(tusk_stmt_exec(stmt, TUSK_NO_PARAMS));
    for (int i = 0; i < 3; i++)
        run("select 13");
    set(codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0));
    ck_thing(tusk_stmt_exec(stmt, TUSK_NO_PARAMS), 'a', "12");
    ck_thing(ask("select 13"), 'a', "13");
    ck_assert_int_eq(tusk_reset_type_codec(db, &(tusk_codec){.type = TUSK_OID_INT4}), TUSK_OK);
    for (int i = 0; i < 3; i++) {
        tusk_query *q = i == 0 ? tusk_stmt_exec(stmt, TUSK_NO_PARAMS) : ask("select 13");
        tusk_row row = first_row(q);

        ck_assert_int_eq(tusk_query_column(q, 0)->format, 1);
        ck_assert_int_eq(tusk_get_int4(&row, 0), i == 0 ? 12 : 13);
        tusk_query_free(q);
    }
    tusk_stmt_free(stmt);
}
END_TEST

/* It was asked for in binary: no codec that reads text sees it. */
START_TEST(what_was_on_its_way_is_refused_and_not_misread)
{
    tusk_query *q = ask("select 4711"), *kept = ask("select 4711");
    tusk_codec codec = codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0);
    tusk_error err;
    tusk_row row;

    row = first_row(kept);
    tusk_query_free(q);
    q = ask("select 4712");
    turn(0);
    tusk_query_free(tusk_set_type_codec(db, &codec));
    err = read_error(q, 0, sizeof(thing));
    ck_error(&err, TUSK_ERR_TYPE, "42804", "column 0 \"?column?\": it came in binary, and its codec reads text");
    ck_assert_str_eq(err.hint, "Prepare the statement, or submit it after the codec was set.");
    ck_assert_str_eq(err.where, "read object");
    ck_assert_int_eq(err.column, 0);
    ck_assert_int_eq(tusk_get_int4(&row, 0), 4711);
    ck_assert_int_eq(marks[0].n_decoded, 0);
    ck_thing(ask("select 4712"), 'a', "4712"); /* its statement was in flight: it counts for nothing */
    tusk_query_free(kept);
}
END_TEST

/* What another connection has learned was assumed, and comes true: in binary. */
START_TEST(what_was_assumed_before_is_not_learned_again)
{
    tusk_conn *other = connect_plain();
    tusk_codec codec = codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0);
    tusk_query *q;
    tusk_error err;

    number("select 1");
    run_on(other, "select 4714");
    q = ask("select 4714");
    turn(0);
    tusk_query_free(tusk_set_type_codec(db, &codec));
    err = read_error(q, 0, sizeof(thing));
    ck_assert_int_eq(err.code, TUSK_ERR_TYPE);
    for (int i = 0; i < 3; i++)
        ck_thing(ask("select 4714"), 'a', "4714");
    end(other);
}
END_TEST

START_TEST(a_type_without_text_of_its_own_here_comes_as_the_server_prints_it)
{
    set(codec_of(0, "pair", TUSK_CODEC_TEXT, 0));
    for (int i = 0; i < 3; i++)
        ck_thing(ask("select row(1, 'two')::pair"), 'a', "(1,two)");
}
END_TEST

/* A record of what has no binary output: the server refuses it, and is asked again for text of whatever it may have been. */
START_TEST(a_refusal_of_binary_leaves_the_codec_its_text)
{
    tusk_stmt *stmt;

    set(codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0));
    stmt = tusk_prepare(db, "select 4711, row(acldefault('r', 10))", NULL, 0);
    for (int i = 0; i < 3; i++)
        ck_thing(tusk_stmt_exec(stmt, TUSK_NO_PARAMS), 'a', "4711");
    tusk_stmt_free(stmt);
}
END_TEST

START_TEST(a_stack_reads_text_of_what_is_known)
{
    tusk_stack *stack;
    tusk_query *q;

    set(codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0));
    ck_thing(ask("select 5"), 'a', "5");
    stack = tusk_stack_new(db);
    ck_assert_int_eq(tusk_stack_push(stack, "select 5", TUSK_NO_PARAMS), TUSK_OK);
    ck_assert_int_eq(tusk_stack_push(stack, "select 6", TUSK_NO_PARAMS), TUSK_OK);
    q = tusk_stack_run(stack, TUSK_STACK_ATOMIC);
    ck_ok(q);
    ck_thing(q, 'a', "5");
    tusk_stack_free(stack);
}
END_TEST

/* Refused, told how; and never given to the codec. */
START_TEST(text_and_binary_are_not_taken_for_each_other)
{
    tusk_codec codec = int_codec(0);
    tusk_query *q;
    tusk_row row;
    uint32_t n;
    tusk_error err = {0};

    set(codec);
    q = tusk_script(db, "select 12");
    row = first_row(q);
    ck_assert_int_eq(tusk_read_object(&row, 0, &n, sizeof n, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, "column 0 \"?column?\": it came in text, and its codec reads binary");
    tusk_query_free(q);
    q = tusk_submit(db, &(tusk_request){.sql = "select 12", .text_results = true});
    row = first_row(q);
    ck_assert_int_eq(tusk_read_object(&row, 0, &n, sizeof n, NULL), TUSK_ERR_TYPE);
    tusk_query_free(q);
    q = ask("select 12");
    row = first_row(q);
    ck_assert_int_eq(tusk_read_object(&row, 0, &n, sizeof n, NULL), TUSK_OK);
    ck_assert_uint_eq(n, 12);
    tusk_query_free(q);
    ck_assert_int_eq(marks[0].n_decoded, 1);
}
END_TEST

START_TEST(errors_of_a_statement_that_is_described_first_are_as_ever)
{
    tusk_query *q;
    tusk_error err;

    set(codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0));
    q = ask("select nonsense");
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    err = *tusk_query_error(q);
    ck_error(&err, TUSK_ERR_SERVER, "42703", "column \"nonsense\" does not exist");
    ck_assert_int_eq(err.position, 8);
    ck_assert_int_eq(err.fate, TUSK_FATE_NOT_SENT);
    tusk_query_free(q);
    q = tusk_submit(db, &(tusk_request){.sql = "select :a::int4, nonsense", .args = TUSK_ARGS({"a", tusk_int4(1)})});
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_assert_int_eq(tusk_query_error(q)->position, 18);
    tusk_query_free(q);
    q = ask("select 1/0");
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_assert_str_eq(tusk_query_error(q)->sqlstate, "22012");
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

START_TEST(inside_of_a_transaction_text_is_read_too)
{
    set(codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0));
    tusk_query_free(tusk_begin(db, NULL));
    ck_thing(ask("select 31"), 'a', "31");
    ck_thing(ask("select 31"), 'a', "31");
    ck_assert_int_eq(tusk_await_free(tusk_commit(db), NULL), TUSK_OK);
    ck_thing(ask("select 32"), 'a', "32");
}
END_TEST

/* ---- halves ---------------------------------------------------------------------------------------------------------------------- */

START_TEST(encode_alone_leaves_reading_as_it_is)
{
    tusk_codec codec = codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0);
    thing sent = {.text = "77"};
    tusk_query *q;
    tusk_error err;

    codec.decode = NULL;
    set(codec);
    for (int i = 0; i < 3; i++) {
        tusk_row row;

        q = tusk_exec(db, "select $1::int4", TUSK_PARAMS(tusk_object(TUSK_OID_INT4, &sent)));
        row = first_row(q);
        ck_assert_int_eq(tusk_query_column(q, 0)->format, 1); /* nobody reads text */
        ck_assert_int_eq(tusk_get_int4(&row, 0), 77);
        tusk_query_free(q);
    }
    ck_assert_int_eq(marks[0].n_encoded, 3);
    err = read_error(ask("select 1"), 0, sizeof(thing));
    ck_error(&err, TUSK_ERR_TYPE, "42804", "column 0 \"?column?\": the codec of its type does not decode");
}
END_TEST

START_TEST(decode_alone_leaves_sending_as_it_is)
{
    tusk_codec codec = codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0);
    thing sent = {.text = "77"};
    tusk_query *q;

    codec.encode = NULL;
    set(codec);
    ck_thing(tusk_exec(db, "select $1::int4", TUSK_PARAMS(tusk_int4(78))), 'a', "78");
    q = tusk_exec(db, "select $1::int4", TUSK_PARAMS(tusk_object(TUSK_OID_INT4, &sent)));
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_TYPE);
    ck_assert_str_eq(tusk_query_error(q)->message, "there is no codec for an object of int4 here that encodes");
    ck_assert_str_eq(tusk_query_error(q)->where, "bind $1 (int4)");
    tusk_query_free(q);
}
END_TEST

/* ---- binary, and names ----------------------------------------------------------------------------------------------------------- */

START_TEST(binary_goes_both_ways)
{
    uint32_t sent = 0x01020304, came = 0;
    tusk_query *q;
    tusk_row row;

    set(int_codec(0));
    for (int i = 0; i < 3; i++) {
        q = tusk_exec(db, "select $1 + 1", TUSK_PARAMS(tusk_object(TUSK_OID_INT4, &sent)));
        row = first_row(q);
        ck_assert_int_eq(tusk_read_object(&row, 0, &came, sizeof came, NULL), TUSK_OK);
        ck_assert_uint_eq(came, sent + 1);
        tusk_query_free(q);
    }
    ck_assert_int_eq(marks[0].n_encoded, 3);
    ck_assert_uint_eq(marks[0].type, TUSK_OID_INT4);
}
END_TEST

static const struct {
    const char *schema, *name, *literal, *label;
} names[] = {
    {NULL, "mood", "'ok'::codecs.mood", "ok"},
    {"codecs", "mood", "'ok'::codecs.mood", "ok"},
    {NULL, "Odd name", "'b'::codecs.\"Odd name\"", "b"},
    {"codecs", "Odd name", "'b'::codecs.\"Odd name\"", "b"},
};

START_TEST(a_type_by_name_is_found_and_goes_both_ways)
{
    tusk_codec codec = codec_of(0, names[_i / 2].name, _i % 2 ? TUSK_CODEC_BINARY : TUSK_CODEC_TEXT, 0);
    const char *sql = textf("select %s, $1 = %s", names[_i / 2].literal, names[_i / 2].literal);
    thing sent = {0};

    codec.schema = names[_i / 2].schema;
    snprintf(sent.text, sizeof sent.text, "%s", names[_i / 2].label);
    set(codec);
    for (int i = 0; i < 3; i++) {
        tusk_query *q = tusk_exec(db, sql, TUSK_PARAMS(tusk_object_by(&codec, &sent)));
        tusk_row row = first_row(q);

        ck_assert_str_eq(thing_at(&row, 0).text, sent.text);
        ck_assert_int_eq(tusk_query_column(q, 0)->format, _i % 2);
        ck_assert(tusk_get_bool(&row, 1));
        ck_assert_uint_eq(marks[0].type, tusk_query_column(q, 0)->type);
        tusk_query_free(q);
    }
    ck_assert_int_eq(tusk_reset_type_codec(db, &codec), TUSK_OK);
    ck_assert_int_eq(tusk_reset_type_codec(db, &codec), TUSK_DONE);
    ck_assert_int_eq(marks[0].n_released, 1);
}
END_TEST

/* Nothing is sent behind the question before it is answered. */
START_TEST(what_is_submitted_behind_a_name_waits_for_it)
{
    tusk_codec codec = codec_of(0, "mood", TUSK_CODEC_TEXT, 0);
    tusk_query *set_query, *q, *set_other;

    for (int i = 0; i < 3; i++)
        run("select 'sad'::mood"); /* known, in binary */
    set_query = tusk_set_type_codec(db, &codec);
    q = ask("select 'sad'::mood");
    ck_thing(q, 'a', "sad");
    ck_ok(set_query);
    tusk_query_free(set_query);
    codec.user = &marks[1];
    set_query = tusk_set_type_codec(db, &codec);
    codec.user = &marks[2];
    set_other = tusk_set_type_codec(db, &codec);
    ck_thing(ask("select 'ok'::mood"), 'c', "ok"); /* the last one counts */
    ck_assert_int_eq(marks[0].n_released + marks[1].n_released, 2);
    ck_assert_int_eq(marks[2].n_released, 0);
    tusk_query_free(set_query);
    tusk_query_free(set_other);
}
END_TEST

START_TEST(binary_without_an_oid_is_not_sent)
{
    tusk_codec codec = codec_of(0, "mood", TUSK_CODEC_BINARY, 0);
    thing sent = {.text = "ok"};
    tusk_query *q = tusk_exec(db, "select $1::mood::text", TUSK_PARAMS(tusk_object_by(&codec, &sent)));

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_TYPE);
    ck_assert_str_eq(tusk_query_error(q)->message,
                     "the OID of \"mood\" is not known here: the codec, which is binary, is not set, or not yet");
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    ck_assert_int_eq(marks[0].n_encoded, 0);
    tusk_query_free(q);
    codec.format = TUSK_CODEC_TEXT; /* the server reads that, whatever the type */
    q = tusk_exec(db, "select $1::mood::text", TUSK_PARAMS(tusk_object_by(&codec, &sent)));
    {
        tusk_row row = first_row(q);

        ck_assert(tusk_str_is(tusk_get_text(&row, 0), "ok"));
    }
    ck_assert_uint_eq(marks[0].type, 0);
    tusk_query_free(q);
}
END_TEST

static const struct {
    const char *name;
    tusk_codec codec;
    tusk_code code;
    const char *sqlstate, *message;
} refused[] = {
    {"no such type", {.type_name = "nowhere"}, TUSK_ERR_SERVER, "42704", "type \"nowhere\" does not exist"},
    {"no such schema",
     {.schema = "nowhere", .type_name = "mood"},
     TUSK_ERR_SERVER,
     "3F000",
     "schema \"nowhere\" does not exist"},
    {"an injection",
     {.type_name = "int4; drop schema codecs"},
     TUSK_ERR_SERVER,
     "42704",
     "type \"int4; drop schema codecs\" does not exist"},
    {"a domain",
     {.type_name = "pos"},
     TUSK_ERR_TYPE,
     "42804",
     "a domain, or a pseudo-type, has no codec: its columns come as another type"},
    {"a pseudo-type",
     {.type_name = "anyelement"},
     TUSK_ERR_TYPE,
     "42804",
     "a domain, or a pseudo-type, has no codec: its columns come as another type"},
    {"nothing", {0}, TUSK_ERR_USAGE, "42601", "the codec has no type"},
    {"both",
     {.type = 23, .type_name = "int4"},
     TUSK_ERR_USAGE,
     "42601",
     "the codec's type is given by OID and by name"},
    {"JSON of int4",
     {.type = 23, .format = TUSK_CODEC_JSON},
     TUSK_ERR_USAGE,
     "42601",
     "TUSK_CODEC_JSON is for json and jsonb, by OID or without a type"},
    {"a format", {.type = 23, .format = (tusk_codec_format)3}, TUSK_ERR_USAGE, "42601", "the codec's format is none"},
};

START_TEST(what_cannot_be_set_is_told_and_released)
{
    tusk_codec codec = refused[_i].codec;
    tusk_error err;

    codec.decode = decode_thing;
    codec.user = &marks[0];
    codec.on_release = released;
    err = set_error(codec);
    ck_error(&err, refused[_i].code, refused[_i].sqlstate, refused[_i].message);
    ck_assert_int_eq(marks[0].n_released, 1);
    ck_usable(db);
    end(db);
    db = NULL;
    ck_assert_int_eq(marks[0].n_released, 1);
    db = connect_plain();
    ck_assert_int_eq(number("select count(*) from pg_type where typname = 'mood'"), 1);
}
END_TEST

START_TEST(a_codec_without_functions_is_none)
{
    tusk_error err = set_error((tusk_codec){.type = TUSK_OID_INT4});

    ck_error(&err, TUSK_ERR_USAGE, "42601", "the codec has neither a function to encode nor one to decode");
    ck_assert_int_eq(tusk_await_free(tusk_set_type_codec(db, NULL), &err), TUSK_ERR_USAGE);
    ck_assert_ptr_null(tusk_set_type_codec(NULL, NULL));
}
END_TEST

/* ---- whose ----------------------------------------------------------------------------------------------------------------------- */

/* Same loop, same endpoint, same statements: what one asks for is none of the other's business. */
START_TEST(connections_do_not_hear_of_each_others_codecs)
{
    tusk_conn *other = connect_plain(), *third = connect_plain();
    const char *sql = "select 1.50::numeric";

    set(codec_of(TUSK_OID_NUMERIC, NULL, TUSK_CODEC_TEXT, 0));
    set_on(other, codec_of(TUSK_OID_NUMERIC, NULL, TUSK_CODEC_TEXT, 1));
    for (int i = 0; i < 3; i++) {
        tusk_query *q = tusk_exec(third, sql, TUSK_NO_PARAMS);
        tusk_row row = first_row(q);

        ck_assert_int_eq(tusk_query_column(q, 0)->format, 1);
        ck_assert_ptr_nonnull(tusk_get_numeric(&row, 0).wire);
        ck_assert_int_eq(tusk_read_object(&row, 0, &(thing){0}, sizeof(thing), NULL), TUSK_ERR_TYPE);
        tusk_query_free(q);
        ck_thing(ask(sql), 'a', "1.50");
        ck_thing(tusk_exec(other, sql, TUSK_NO_PARAMS), 'b', "1.50");
    }
    end(other);
    end(third);
    ck_assert_int_eq(marks[0].n_released, 0);
    ck_assert_int_eq(marks[1].n_released, 1);
}
END_TEST

/* The codec is there as long as anybody may read a row by it. */
START_TEST(rows_outlive_their_connection_with_its_codec)
{
    tusk_query *q;
    tusk_row row;

    set(codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0));
    q = ask("select 99");
    row = first_row(q);
    end(db);
    db = NULL;
    ck_assert_int_eq(marks[0].n_released, 0);
    ck_assert_str_eq(thing_at(&row, 0).text, "99");
    tusk_query_free(q);
    ck_assert_int_eq(marks[0].n_released, 1);
    db = connect_plain();
}
END_TEST

START_TEST(one_that_replaces_another_releases_it)
{
    set(codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0));
    set(codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 1));
    ck_assert_int_eq(marks[0].n_released, 1);
    ck_thing(ask("select 3"), 'b', "3");
    set(codec_of(0, "int4", TUSK_CODEC_TEXT, 2)); /* the same type by name */
    ck_assert_int_eq(marks[1].n_released, 1);
    ck_thing(ask("select 3"), 'c', "3");
    ck_assert_int_eq(tusk_reset_type_codec(db, &(tusk_codec){.type = TUSK_OID_INT4}), TUSK_OK);
    ck_assert_int_eq(marks[2].n_released, 1);
    ck_assert_int_eq(marks[0].n_released + marks[1].n_released, 2);
}
END_TEST

START_TEST(the_loops_are_those_of_all_that_are_opened_on_it)
{
    tusk_codec text = codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0),
               named = codec_of(0, "mood", TUSK_CODEC_TEXT, 1), nowhere = codec_of(0, "nowhere", TUSK_CODEC_TEXT, 2);
    tusk_conn *conns[2];
    tusk_error err = {0};

    ck_assert_int_eq(tusk_loop_set_type_codec(loop, &text, &err), TUSK_OK);
    ck_assert_int_eq(tusk_loop_set_type_codec(loop, &named, &err), TUSK_OK);
    ck_assert_int_eq(tusk_loop_set_type_codec(loop, &nowhere, &err), TUSK_OK);
    run_script("alter role current_user set search_path = codecs, public");
    for (int i = 0; i < 2; i++) {
        conns[i] = connect_plain();
        ck_thing(tusk_exec(conns[i], "select 'happy'::mood", TUSK_NO_PARAMS), 'b', "happy");
        ck_thing(tusk_exec(conns[i], "select 5", TUSK_NO_PARAMS), 'a', "5");
    }
    run_script("alter role current_user reset search_path");
    ck_assert_int_eq(number("select 6"), 6); /* it was there before */
    ck_assert_int_eq(marks[0].n_decoded, 2);
    ck_assert_int_eq(tusk_loop_reset_type_codec(loop, &text), TUSK_OK);
    ck_assert_int_eq(tusk_loop_reset_type_codec(loop, &text), TUSK_DONE);
    ck_assert_int_eq(marks[0].n_released, 0);
    end(conns[0]);
    ck_assert_int_eq(marks[0].n_released, 0);
    ck_thing(tusk_exec(conns[1], "select 5", TUSK_NO_PARAMS), 'a', "5");
    end(conns[1]);
    ck_assert_int_eq(marks[0].n_released, 1);
    ck_assert_int_eq(marks[1].n_released, 0); /* the loop has it */
    ck_assert_int_eq(tusk_loop_set_type_codec(loop, &named, &err), TUSK_OK);
    ck_assert_int_eq(marks[1].n_released, 1);
    ck_assert_int_eq(tusk_loop_set_type_codec(loop, &(tusk_codec){.type = 23}, &err), TUSK_ERR_USAGE);
    end(db);
    db = NULL;
    tusk_loop_free(loop);
    loop = NULL;
    ck_assert_int_eq(marks[1].n_released, 2);
    ck_assert_int_eq(marks[2].n_released, 1);
    live_loop_up();
    db = connect_plain();
}
END_TEST

/* ---- objects --------------------------------------------------------------------------------------------------------------------- */

START_TEST(an_object_is_read_when_it_is_submitted_and_once)
{
    tusk_conn *conn = connect_plain();
    tusk_codec codec = codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0);
    thing sent = {.text = "21"};
    tusk_query *set_query = tusk_set_type_codec(conn, &codec), *q, *second;

    q = tusk_exec(conn, "select $1 + 1", TUSK_PARAMS(tusk_object(TUSK_OID_INT4, &sent)));
    snprintf(sent.text, sizeof sent.text, "50");
    second = tusk_exec(conn, "select $1 + $2", TUSK_PARAMS(tusk_object(TUSK_OID_INT4, &sent), tusk_int4(2)));
    snprintf(sent.text, sizeof sent.text, "1000");
    ck_assert_int_eq(marks[0].n_encoded, 2);
    ck_thing(q, 'a', "22");
    ck_thing(second, 'a', "52");
    ck_assert_int_eq(marks[0].n_encoded, 2);
    tusk_query_free(set_query);
    end(conn);
}
END_TEST

/* The table changed under the statement: it is sent a second time, with the bytes of the first. */
START_TEST(a_repetition_does_not_ask_for_the_object_again)
{
    thing sent = {.text = "1"};
    tusk_error err;

    set(codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0));
    run("create table t (a int4)");
    run("insert into t values (1)");
    for (int i = 0; i < 3; i++)
        ck_thing(tusk_exec(db, "select * from t where a = $1", TUSK_PARAMS(tusk_object(TUSK_OID_INT4, &sent))), 'a',
                 "1");
    run_script("alter table t add column b int4 default 2");
    err = read_error(tusk_exec(db, "select * from t where a = $1", TUSK_PARAMS(tusk_object(TUSK_OID_INT4, &sent))), 0,
                     sizeof(thing));
    ck_assert_int_eq(err.code, TUSK_ERR_TYPE); /* in binary, once: what its columns are was not known */
    ck_assert_int_eq(marks[0].n_encoded, 4);
    ck_thing(tusk_exec(db, "select * from t where a = $1", TUSK_PARAMS(tusk_object(TUSK_OID_INT4, &sent))), 'a', "1");
}
END_TEST

typedef struct pulled {
    int n;
} pulled;

static tusk_code pull_thing(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    pulled *p = user;
    thing t = {0};

    (void)err;
    if (item == p->n)
        return TUSK_DONE;
    snprintf(t.text, sizeof t.text, "%d", (int)item);
    return tusk_many_push(q, TUSK_PARAMS(tusk_object(TUSK_OID_INT4, &t), tusk_text("x")));
}

START_TEST(stacks_and_loads_take_objects)
{
    thing sent = {.text = "40"};
    pulled p = {1000};
    tusk_stack *stack = tusk_stack_new(db);
    tusk_query *q;
    tusk_row row;

    set(codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0));
    run("create table t (a int4, b text)");
    ck_assert_int_eq(tusk_await_free(tusk_exec_many(db, "insert into t values ($1, $2)", pull_thing, &p), NULL),
                     TUSK_OK);
    ck_assert_int_eq(number("select sum(a)::int8 from t"), 499500);
    ck_assert_int_eq(marks[0].n_encoded, 1000);
    ck_assert_int_eq(tusk_stack_push(stack, "select $1::int8 + 1", TUSK_PARAMS(tusk_object(TUSK_OID_INT4, &sent))),
                     TUSK_OK);
    snprintf(sent.text, sizeof sent.text, "!");
    q = tusk_stack_run(stack, TUSK_STACK_ATOMIC);
    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_int_eq(tusk_get_int8(&row, 0), 41);
    tusk_query_free(q);
    ck_assert_int_eq(tusk_stack_push(stack, "select $1", TUSK_PARAMS(tusk_object(TUSK_OID_INT4, &sent))),
                     TUSK_ERR_VALUE);
    q = tusk_stack_run(stack, TUSK_STACK_ATOMIC);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_VALUE);
    ck_assert_str_eq(tusk_query_error(q)->where, "operation 1: bind $1 (int4)");
    tusk_query_free(q);
    tusk_stack_free(stack);
}
END_TEST

/* Of any length, among others, and as many as there are. */
START_TEST(several_objects_of_a_request_are_each_its_own)
{
    thing a = {.text = "12"}, b = {.text = "-3456"}, c = {.text = "7"};

    set(codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0));
    for (int i = 0; i < 3; i++)
        ck_thing(tusk_exec(db, "select 10000000 * $1 + 10 * $3::int4 + $4 - $2 + length($5)",
                           TUSK_PARAMS(tusk_object(TUSK_OID_INT4, &a), tusk_int4(5), tusk_object(TUSK_OID_INT4, &b),
                                       tusk_object(TUSK_OID_INT4, &c), tusk_text("abc"))),
                 'a', "119965445");
    ck_assert_int_eq(marks[0].n_encoded, 9);
}
END_TEST

START_TEST(null_is_null_both_ways)
{
    tusk_query *q;
    tusk_error err;

    set(codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0));
    q = tusk_exec(db, "select $1::int4", TUSK_PARAMS(tusk_object(TUSK_OID_INT4, NULL)));
    err = read_error(q, 0, sizeof(thing));
    ck_error(&err, TUSK_ERR_NULL, "22004", "column 0 \"int4\" is NULL");
    ck_assert_int_eq(marks[0].n_encoded + marks[0].n_decoded, 0);
}
END_TEST

START_TEST(what_a_codec_refuses_names_the_parameter)
{
    thing sent = {.text = "!"};
    tusk_query *q;
    tusk_error err;

    set(codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0));
    q = tusk_exec(db, "select $1, $2", TUSK_PARAMS(tusk_text("a"), tusk_object(TUSK_OID_INT4, &sent)));
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_VALUE);
    err = *tusk_query_error(q);
    ck_error(&err, TUSK_ERR_VALUE, "22P03", "no such thing");
    ck_assert_str_eq(err.where, "bind $2 (int4)");
    ck_assert_int_eq(err.param, 2);
    ck_assert_int_eq(err.column, -1);
    ck_assert_int_eq(err.item, -1);
    ck_assert_int_eq(err.fate, TUSK_FATE_NOT_SENT);
    tusk_query_free(q);
    snprintf(sent.text, sizeof sent.text, "?");
    q = tusk_exec(db, "select $1", TUSK_PARAMS(tusk_object(TUSK_OID_INT4, &sent)));
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_USAGE);
    ck_assert_str_eq(tusk_query_error(q)->message,
                     "the codec's encode gave 4711 for its code, which is that of no error");
    tusk_query_free(q);
    snprintf(sent.text, sizeof sent.text, "\xff");
    q = tusk_exec(db, "select $1", TUSK_PARAMS(tusk_object(TUSK_OID_INT4, &sent)));
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_VALUE);
    ck_assert_str_eq(tusk_query_error(q)->sqlstate, "22021");
    tusk_query_free(q);
    q = tusk_exec(db, "select $1", TUSK_PARAMS(tusk_object(TUSK_OID_INT8, &sent)));
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_TYPE);
    ck_assert_str_eq(tusk_query_error(q)->message, "there is no codec for an object of int8 here");
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

START_TEST(what_a_codec_cannot_read_names_the_column)
{
    tusk_error err;

    set(codec_of(TUSK_OID_TEXT, NULL, TUSK_CODEC_TEXT, 0));
    err = read_error(ask("select 1, repeat('x', 40) as long"), 1, sizeof(thing));
    ck_error(&err, TUSK_ERR_LIMIT, "22001", "column 1 \"long\": a thing of 40 bytes");
    ck_assert_str_eq(err.hint, "make it shorter");
    ck_assert_int_eq(err.column, 1);
    err = read_error(ask("select 'x'::text as a"), 0, sizeof(thing) - 1);
    ck_error(&err, TUSK_ERR_USAGE, "42601", "column 0 \"a\": the object has 31 bytes, and those of the codec have 32");
    err = read_error(ask("select 'x'::text as a"), 0, sizeof(thing) + 1);
    ck_assert_int_eq(err.code, TUSK_ERR_USAGE);
    err = read_error(ask("select 1::int8 as a"), 0, sizeof(thing));
    ck_error(&err, TUSK_ERR_TYPE, "42804", "column 0 \"a\": its type has no codec here");
    err = read_error(ask("select 1::int8 as a"), 1, sizeof(thing));
    ck_assert_int_eq(err.code, TUSK_ERR_USAGE);
    ck_assert_int_eq(marks[0].n_decoded, 2);
}
END_TEST

START_TEST(an_object_inside_of_an_array_is_refused)
{
    thing sent = {.text = "1"};
    tusk_value values[] = {tusk_object(TUSK_OID_INT4, &sent)};
    tusk_array_parts array = {.values = values, .n = 1};
    tusk_query *q;

    set(codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0));
    q = tusk_exec(db, "select $1", TUSK_PARAMS(tusk_array_of(TUSK_OID_INT4_ARRAY, &array)));
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_TYPE);
    ck_assert_int_eq(marks[0].n_encoded, 0);
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

/* ---- JSON ------------------------------------------------------------------------------------------------------------------------ */

static const char *const json_types[] = {"json", "jsonb", "doc"};

/* The document's text each time; a version byte would be seen by the server, or by us. */
START_TEST(json_by_functions_of_the_programs)
{
    static const uint32_t oids[] = {TUSK_OID_JSON, TUSK_OID_JSONB, TUSK_OID_JSONB};
    tusk_codec codec = codec_of(0, NULL, TUSK_CODEC_JSON, 0);
    thing sent = {.text = "[1, 2]"};
    const char *sql = textf("select $1::%s, $1::text", json_types[_i]);

    set(codec);
    for (int i = 0; i < 3; i++) {
        tusk_query *q = tusk_submit(
            db,
            &(tusk_request){.sql = sql, .params = TUSK_PARAMS(tusk_object(oids[_i], &sent)), .text_results = i == 2});
        tusk_row row = first_row(q);

        ck_assert_str_eq(thing_at(&row, 0).text, "[1, 2]");
        ck_assert_int_eq(tusk_query_column(q, 0)->format, i < 2); /* it travels as ever */
        ck_assert(tusk_str_is(tusk_get_text(&row, 0), "[1, 2]"));
        ck_assert(tusk_str_is(tusk_get_text(&row, 1), "[1, 2]"));
        ck_assert_uint_eq(marks[0].type, oids[_i]);
        tusk_query_free(q);
    }
    ck_assert_int_eq(tusk_reset_type_codec(db, &codec), TUSK_OK);
    ck_assert_int_eq(marks[0].n_released, 1);
}
END_TEST

START_TEST(jsonb_in_text_and_in_binary_is_the_servers)
{
    thing sent = {.text = "\x01{}"};
    tusk_query *q;
    tusk_row row;

    set(codec_of(TUSK_OID_JSONB, NULL, TUSK_CODEC_TEXT, 0));
    ck_thing(ask("select '{}'::jsonb"), 'a', "{}");
    set(codec_of(TUSK_OID_JSONB, NULL, TUSK_CODEC_BINARY, 1));
    ck_thing(ask("select '{}'::jsonb"), 'b', "\x01{}");
    q = tusk_exec(db, "select $1::text", TUSK_PARAMS(tusk_object(TUSK_OID_JSONB, &sent)));
    row = first_row(q);
    ck_assert(tusk_str_is(tusk_get_text(&row, 0), "{}"));
    tusk_query_free(q);
}
END_TEST

/* ---- without memory ---------------------------------------------------------------------------------------------------------------- */

/* False: something was refused for want of memory. */
static bool use_codecs(tusk_loop *on)
{
    tusk_codec text = codec_of(TUSK_OID_INT4, NULL, TUSK_CODEC_TEXT, 0),
               named = codec_of(0, "int8", TUSK_CODEC_TEXT, 1);
    tusk_conn *conn = tusk_loop_set_type_codec(on, &text, NULL) == TUSK_OK
                          ? tusk_connect(on, harness_env("TUSK_TEST_DSN_PLAIN"))
                          : NULL;
    tusk_query *set_query = conn ? tusk_set_type_codec(conn, &named) : NULL, *q = NULL;
    thing sent = {.text = "7"}, came = {0};
    tusk_row row;
    bool is_fine = false;

    for (int i = 0; i < 3 && conn; i++) {
        q = tusk_exec(conn, "select $1 + 1", TUSK_PARAMS(tusk_object(TUSK_OID_INT4, &sent)));
        is_fine = q && tusk_await(q) == TUSK_OK && tusk_next_row(q, &row);
        if (is_fine) {
            tusk_code code = tusk_read_object(&row, 0, &came, sizeof came, NULL);

            ck_assert(code == TUSK_OK ? strcmp(came.text, "8") == 0 : code == TUSK_ERR_TYPE);
            is_fine = code == TUSK_OK;
        }
        tusk_query_free(q);
    }
    tusk_query_free(set_query);
    tusk_conn_free(conn);
    return is_fine;
}

START_TEST(without_memory_nothing_is_misread_leaked_or_released_twice)
{
    bool is_over = false;

    for (long n = 1; !is_over; n++) {
        fail_alloc memory;
        tusk_loop *on;

        fail_alloc_init(&memory, n, _i != 0);
        for (int i = 0; i < 2; i++)
            marks[i].n_released = 0;
        on = tusk_loop_open(&(tusk_loop_config){.allocator = &memory.allocator}, NULL);
        is_over = on && use_codecs(on) && memory.failed == 0;
        tusk_loop_free(on);
        ck_assert_int_eq(memory.live, 0);
        ck_assert_int_le(marks[0].n_released, 1);
        ck_assert_int_le(marks[1].n_released, 1);
        ck_assert_int_lt(n, 5000);
    }
    ck_assert_int_eq(marks[0].n_released, 1);
    ck_assert_int_eq(marks[1].n_released, 1);
}
END_TEST

static TCase *text_case(void)
{
    TCase *tcase = tcase_create("text");

    tcase_add_checked_fixture(tcase, up, down);
    tcase_add_test(tcase, text_is_asked_for_the_first_time_and_ever_after);
    tcase_add_test(tcase, what_is_submitted_before_the_login_is_read_as_text_too);
    tcase_add_test(tcase, a_statement_that_was_prepared_before_is_asked_for_text_from_then_on);
    tcase_add_test(tcase, what_was_on_its_way_is_refused_and_not_misread);
    tcase_add_test(tcase, what_was_assumed_before_is_not_learned_again);
    tcase_add_test(tcase, a_type_without_text_of_its_own_here_comes_as_the_server_prints_it);
    tcase_add_test(tcase, a_refusal_of_binary_leaves_the_codec_its_text);
    tcase_add_test(tcase, a_stack_reads_text_of_what_is_known);
    tcase_add_test(tcase, text_and_binary_are_not_taken_for_each_other);
    tcase_add_test(tcase, errors_of_a_statement_that_is_described_first_are_as_ever);
    tcase_add_test(tcase, inside_of_a_transaction_text_is_read_too);
    tcase_add_test(tcase, encode_alone_leaves_reading_as_it_is);
    tcase_add_test(tcase, decode_alone_leaves_sending_as_it_is);
    return tcase;
}

static TCase *name_case(void)
{
    TCase *tcase = tcase_create("names");

    tcase_add_checked_fixture(tcase, up, down);
    tcase_add_test(tcase, binary_goes_both_ways);
    tcase_add_loop_test(tcase, a_type_by_name_is_found_and_goes_both_ways, 0, 2 * N_OF(names));
    tcase_add_test(tcase, what_is_submitted_behind_a_name_waits_for_it);
    tcase_add_test(tcase, binary_without_an_oid_is_not_sent);
    tcase_add_loop_test(tcase, what_cannot_be_set_is_told_and_released, 0, N_OF(refused));
    tcase_add_test(tcase, a_codec_without_functions_is_none);
    return tcase;
}

static TCase *owner_case(void)
{
    TCase *tcase = tcase_create("owners");

    tcase_add_checked_fixture(tcase, up, down);
    tcase_add_test(tcase, connections_do_not_hear_of_each_others_codecs);
    tcase_add_test(tcase, rows_outlive_their_connection_with_its_codec);
    tcase_add_test(tcase, one_that_replaces_another_releases_it);
    tcase_add_test(tcase, the_loops_are_those_of_all_that_are_opened_on_it);
    tcase_add_loop_test(tcase, without_memory_nothing_is_misread_leaked_or_released_twice, 0, 2);
    return tcase;
}

static TCase *object_case(void)
{
    TCase *tcase = tcase_create("objects");

    tcase_add_checked_fixture(tcase, up, down);
    tcase_add_test(tcase, an_object_is_read_when_it_is_submitted_and_once);
    tcase_add_test(tcase, a_repetition_does_not_ask_for_the_object_again);
    tcase_add_test(tcase, stacks_and_loads_take_objects);
    tcase_add_test(tcase, several_objects_of_a_request_are_each_its_own);
    tcase_add_test(tcase, null_is_null_both_ways);
    tcase_add_test(tcase, what_a_codec_refuses_names_the_parameter);
    tcase_add_test(tcase, what_a_codec_cannot_read_names_the_column);
    tcase_add_test(tcase, an_object_inside_of_an_array_is_refused);
    tcase_add_loop_test(tcase, json_by_functions_of_the_programs, 0, N_OF(json_types));
    tcase_add_test(tcase, jsonb_in_text_and_in_binary_is_the_servers);
    return tcase;
}

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("own_codec_live");

    suite_add_tcase(suite, text_case());
    suite_add_tcase(suite, name_case());
    suite_add_tcase(suite, owner_case());
    suite_add_tcase(suite, object_case());
    return suite;
}
