/* Types of the database's own against the real server: what a first result of them waits for, what is known afterwards, and who is not
 * disturbed by it. */
#include "test/live/live.h"

#define SCHEMA                                                                                                         \
    "drop schema if exists lookup cascade; create schema lookup; set search_path = lookup; "                           \
    "create type mood as enum ('sad', 'ok', 'happy'); "                                                                \
    "create domain pos as int4 check (value > 0); create domain cheer as mood check (value <> 'sad'); "                \
    "create type pair as (a int4, dropped text, m mood, tags text[]); alter type pair drop attribute dropped; "        \
    "create domain pairs as pair[]; create type posrange as range (subtype = pos); "                                   \
    "create table kept as select 'ok'::mood as m"

static long log_from;

static void up(void)
{
    live_up();
    run_script(SCHEMA);
    run_script("set log_statement = 'all'");
    log_from = log_size();
}

static void down(void)
{
    if (db)
        run_script("drop schema if exists lookup cascade");
    live_down();
}

/* Questions to the catalogue since the last call. */
static long n_asked(void)
{
    long from = log_from;

    number("select 1"); /* what is logged is logged before its answer */
    log_from = log_size();
    return n_logged(from, "with recursive reached");
}

static const char *text_of(tusk_query *q)
{
    static char texts[8][64];
    static unsigned next;
    char *text = texts[next++ % 8];
    tusk_row row;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    snprintf(text, sizeof texts[0], TUSK_STR_FMT, TUSK_STR_ARG(tusk_get_text(&row, 0)));
    ck_assert_msg(tusk_query_value_error(q)->code == TUSK_OK, "%s", said(tusk_query_value_error(q)));
    tusk_query_free(q);
    return text;
}

static tusk_query *ask(const char *sql)
{
    return tusk_exec(db, sql, TUSK_NO_PARAMS);
}

static uint32_t oid_of(const char *name)
{
    return (uint32_t)number(textf("select 'lookup.%s'::regtype::oid::int8", name));
}

static tusk_type known(uint32_t oid)
{
    tusk_type type = {0};

    ck_assert_int_eq(tusk_type_of(db, oid, &type), TUSK_OK);
    return type;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------------- */

START_TEST(enum_is_text_the_first_time_too)
{
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(text_of(ask("select 'ok'::mood")), "ok");
    ck_assert_int_eq(n_asked(), 1);
    ck_assert_str_eq(text_of(ask("select 'happy'::cheer")), "happy");
    ck_assert_str_eq(text_of(ask("select null::mood")), "");
    ck_assert_int_eq(n_asked(), 0);
}
END_TEST

START_TEST(enum_is_printed_and_goes_back_as_it_came)
{
    tusk_query *q = ask("select 'sad'::mood");
    tusk_row row;
    tusk_value value;
    char text[8];
    size_t len;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_int_eq(tusk_format_value(&row, 0, text, sizeof text, &len, NULL), TUSK_OK);
    ck_assert_str_eq(text, "sad");
    ck_assert_int_eq(tusk_read_value(&row, 0, &value, NULL), TUSK_OK);
    ck_assert_int_eq(value.kind, TUSK_KIND_TEXT);
    ck_assert_uint_eq(value.type, tusk_query_column(q, 0)->type);
    ck_assert_str_eq(text_of(tusk_exec(db, "select $1::mood", TUSK_PARAMS(value))), "sad");
    tusk_query_free(q);
}
END_TEST

/* Bounds that need quotes: no subtype of the built-in ranges has a comma, a bracket or an empty text. */
static const char *const text_ranges[] = {
    "words('a,b', 'c')",     "words('(', ')')",          "words('[', ']')",
    "words('a\"b', 'c\\d')", "words('', 'x y', '[]')",   "words(null, 'z', '()')",
    "words('NULL', null)",   "array[words('a,b', 'c')]", "words_multi(words('a,b', 'c'), words('d', 'e\"f'))",
};

START_TEST(bounds_of_an_own_range_are_quoted_as_by_the_server)
{
    char text[64];
    tusk_query *q;
    tusk_row row;
    size_t len;

    run_script(
        "create type lookup.words as range (subtype = text, collation = \"C\", multirange_type_name = words_multi)");
    q = ask(textf("select %s, (%s)::text", text_ranges[_i], text_ranges[_i]));
    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_int_eq(tusk_format_value(&row, 0, text, sizeof text, &len, NULL), TUSK_OK);
    ck_assert_msg(tusk_str_is(tusk_get_text(&row, 1), text), "%s", text);
    tusk_query_free(q);
}
END_TEST

START_TEST(rows_taken_one_by_one_wait_for_the_look_up)
{
    tusk_query *q = ask("select m from unnest(enum_range(null::mood)) m");
    const char *want[] = {"sad", "ok", "happy"};
    tusk_row row;
    int n = 0;

    for (; tusk_next_row(q, &row); n++)
        ck_assert(tusk_str_is(tusk_get_text(&row, 0), want[n]));
    ck_assert_int_eq(n, 3);
    ck_ok(q);
    tusk_query_free(q);
}
END_TEST

static const struct {
    const char *name, *schema;
    tusk_type_kind kind;
    const char *element;
} types[] = {
    {"mood", "lookup", TUSK_TYPE_ENUM, NULL},
    {"_mood", "lookup", TUSK_TYPE_ARRAY, "lookup.mood"},
    {"pos", "lookup", TUSK_TYPE_DOMAIN, "int4"},
    {"cheer", "lookup", TUSK_TYPE_DOMAIN, "lookup.mood"},
    {"pair", "lookup", TUSK_TYPE_COMPOSITE, NULL},
    {"_pair", "lookup", TUSK_TYPE_ARRAY, "lookup.pair"},
    {"pairs", "lookup", TUSK_TYPE_DOMAIN, "lookup._pair"},
    {"posrange", "lookup", TUSK_TYPE_RANGE, "lookup.pos"},
    {"posmultirange", "lookup", TUSK_TYPE_MULTIRANGE, "lookup.posrange"},
};

/* All of them by one question about the outermost ones. */
START_TEST(whatever_a_type_is_made_of_is_known)
{
    tusk_type type;

    ck_ok(ask("select null::pairs[], null::posmultirange, array[null::cheer], null::mood[]"));
    ck_assert_int_eq(n_asked(), 1);
    for (int i = 0; i < N_OF(types); i++) {
        ck_assert_msg(tusk_type_of(db, oid_of(types[i].name), &type) == TUSK_OK, "%s", types[i].name);
        ck_assert(tusk_str_is(type.name, types[i].name));
        ck_assert(tusk_str_is(type.schema, types[i].schema));
        ck_assert_msg(type.kind == types[i].kind, "%s is '%c'", types[i].name, type.kind);
        ck_assert_uint_eq(
            type.element,
            types[i].element ? (uint32_t)number(textf("select '%s'::regtype::oid::int8", types[i].element)) : 0);
        ck_assert(type.has_binary_output && type.has_binary_input && type.delimiter == ',');
    }
    ck_assert_int_eq(n_asked(), 0);
}
END_TEST

START_TEST(attributes_have_names_and_those_dropped_are_none)
{
    tusk_type type;

    ck_assert_int_eq(tusk_type_of(db, oid_of("pair"), &type), TUSK_AGAIN);
    ck_ok(ask("select row(1, 'ok', null)::pair"));
    ck_assert_int_eq(n_asked(), 1);
    type = known(oid_of("pair"));
    ck_assert_int_eq(type.n_attributes, 3);
    ck_assert(tusk_str_is(type.attributes[0].name, "a"));
    ck_assert_uint_eq(type.attributes[0].type, TUSK_OID_INT4);
    ck_assert(tusk_str_is(type.attributes[1].name, "m"));
    ck_assert_uint_eq(type.attributes[1].type, oid_of("mood"));
    ck_assert_uint_eq(type.attributes[2].type, TUSK_OID_TEXT_ARRAY);
    type = known(oid_of("pair"));
    ck_assert_int_eq(tusk_type_attribute_index(&type, "tags"), 2);
    ck_assert_int_eq(tusk_type_attribute_index(&type, "dropped"), -1);
}
END_TEST

START_TEST(built_in_types_need_no_connection)
{
    tusk_type type;

    ck_assert_int_eq(tusk_type_of(NULL, TUSK_OID_INT4_ARRAY, &type), TUSK_OK);
    ck_assert_int_eq(type.kind, TUSK_TYPE_ARRAY);
    ck_assert_uint_eq(type.element, TUSK_OID_INT4);
    ck_assert(tusk_str_is(type.name, "_int4"));
    ck_assert_int_eq(tusk_type_of(NULL, TUSK_OID_POINT, &type), TUSK_OK);
    ck_assert_uint_eq(type.element, 0);
    ck_assert_int_eq(tusk_type_of(NULL, TUSK_OID_INT4MULTIRANGE, &type), TUSK_OK);
    ck_assert_uint_eq(type.element, TUSK_OID_INT4RANGE);
    ck_assert_int_eq(tusk_type_of(NULL, 4000000000u, &type), TUSK_AGAIN);
}
END_TEST

/* ---- values without a row ------------------------------------------------------------------------------------------------------ */

static const char *const own_values[] = {
    "'ok'::mood",
    "array['sad', null]::mood[]",
    "row(7, 'happy', array['a b'])::pair",
    "3::pos",
    "array[row(1, 'ok', '{}')::pair]",
    "posrange(1, 5)",
    "'{[1,2)}'::posmultirange",
    "array[1, null]::int4[]",
    "row(1, 'ok'::mood)",
};

/* As the server prints it, out of a row and out of bytes alone. */
START_TEST(values_are_printed_by_what_the_connection_knows)
{
    tusk_query *q = ask(textf("select v, v::text from (select %s) x(v)", own_values[_i]));
    tusk_error err = {0};
    tusk_value value, again;
    char text[100];
    tusk_row row;
    size_t len;

    run("select null::mood"); /* which a row without a name does not tell */
    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_int_eq(tusk_read_value(&row, 0, &value, NULL), TUSK_OK);
    ck_assert_msg(tusk_value_to_text(db, &value, text, sizeof text, &len, &err) == TUSK_OK, "%s", said(&err));
    ck_assert(tusk_str_is(tusk_get_text(&row, 1), text));
    ck_assert_msg(tusk_value_from_wire(db, tusk_query_column(q, 0)->type, tusk_get_raw(&row, 0), &again, &err) ==
                      TUSK_OK,
                  "%s", said(&err));
    ck_assert(again.kind == value.kind && again.type == value.type);
    ck_assert_int_eq(tusk_value_to_text(db, &again, text, sizeof text, &len, NULL), TUSK_OK);
    ck_assert(tusk_str_is(tusk_get_text(&row, 1), text));
    tusk_query_free(q);
}
END_TEST

START_TEST(what_is_made_is_printed_as_it_would_be_sent)
{
    static const int32_t numbers[] = {1, -2};
    tusk_range_parts range = {.type = TUSK_OID_INT4RANGE, .lower = tusk_int4(1)};
    tusk_value made[] = {
        tusk_array_of_int4(numbers, 2),
        tusk_array_of(TUSK_OID_TEXT_ARRAY, TUSK_ARRAY(tusk_text("a b"), tusk_null())),
        tusk_range(&range),
        tusk_multirange_of(&(tusk_multirange_parts){TUSK_OID_INT4MULTIRANGE, &range, 1}),
        tusk_array_of(TUSK_OID_DATE_ARRAY, TUSK_ARRAY(tusk_date(INT32_MAX - 1))),
        tusk_record_of(0, TUSK_RECORD(tusk_int4(1), tusk_array_of(0, TUSK_ARRAY(tusk_text("a b"))), tusk_null())),
        tusk_array_of(oid_of("mood[]"), TUSK_ARRAY(tusk_text("ok"), tusk_null())),
        tusk_range_as(oid_of("posrange"), &range),
        tusk_record_of(0, TUSK_RECORD(tusk_date(INT32_MAX - 1)))};
    static const char *const texts[] = {"{1,-2}",    "{\"a b\",NULL}", "[1,)", "{[1,)}", NULL, "(1,\"{\"\"a b\"\"}\",)",
                                        "{ok,NULL}", "[1,)",           NULL};
    tusk_value inside;
    const tusk_array_parts itself = {.values = &inside, .n = 1};
    char text[100];
    size_t len;
    tusk_error err;

    for (int i = 0; i < N_OF(made); i++) {
        tusk_code code = tusk_value_to_text(db, &made[i], text, sizeof text, &len, &err);

        ck_assert_msg(code == (texts[i] ? TUSK_OK : TUSK_ERR_VALUE), "%s", said(&err));
        if (texts[i])
            ck_assert_str_eq(text, texts[i]);
    }
    inside = tusk_array_of(0, &itself);
    ck_assert_int_eq(tusk_value_to_text(db, &inside, text, sizeof text, &len, &err), TUSK_ERR_LIMIT);
}
END_TEST

START_TEST(statistics_are_printed_though_they_are_of_any_array)
{
    tusk_query *q;
    tusk_array_view array;
    tusk_row row;
    char text[100];
    size_t len;

    run_script("create table counted as select (case when n < 5 then 'a b' else 'c' end)::text t, 'ok'::mood m "
               "from generate_series(1, 100) n; analyze counted");
    q = ask(
        "select most_common_vals, most_common_vals::text from pg_stats where tablename = 'counted' order by attname");
    ck_ok(q);
    for (int i = 0; i < 2; i++) {
        ck_assert(tusk_next_row(q, &row));
        ck_assert_uint_eq(tusk_query_column(q, 0)->type, TUSK_OID_ANYARRAY);
        ck_assert_int_eq(tusk_read_array(&row, 0, &array, NULL), TUSK_OK);
        if (i == 0) /* the elements' type is told by the bytes alone, which nobody looks up */
            run("select null::mood");
        ck_assert_int_eq(tusk_format_value(&row, 0, text, sizeof text, &len, NULL), TUSK_OK);
        ck_assert(tusk_str_is(tusk_get_text(&row, 1), text));
    }
    ck_assert_str_eq(text, "{c,\"a b\"}");
    tusk_query_free(q);
}
END_TEST

/* ---- who asks ------------------------------------------------------------------------------------------------------------------ */

START_TEST(connections_to_the_same_endpoint_share_it)
{
    tusk_conn *mine = db, *other = connect_plain();
    uint32_t oid = oid_of("mood");
    tusk_type type;

    run_on(other, "set search_path = lookup");
    run_on(other, "set log_statement = 'all'");
    ck_assert_str_eq(text_of(ask("select 'ok'::mood")), "ok");
    ck_assert_int_eq(tusk_type_of(other, oid, &type), TUSK_OK);
    db = other;
    ck_assert_str_eq(text_of(ask("select 'sad'::mood")), "sad");
    ck_assert_int_eq(n_asked(), 1);
    disconnect(mine);
    ck_assert_str_eq(text_of(ask("select 'happy'::mood as m")), "happy");
    ck_assert_int_eq(n_asked(), 0);
}
END_TEST

/* It was described before the other one asked, and its turn came behind the answer. */
START_TEST(what_another_connection_learned_meanwhile_is_not_asked_for)
{
    tusk_conn *mine = db, *other = connect_plain();
    tusk_query *q;

    run_on(other, "set search_path = lookup");
    run_on(other, "set log_statement = 'all'");
    run_on(other, "select pg_advisory_lock(7)");
    q = ask("select 'ok'::mood, repeat('x', 100000) from generate_series(1, 3) union all "
            "select 'sad', '' from pg_advisory_xact_lock(7)"); /* rows leave the server once its buffer is full */
    while (tusk_query_n_rows(q) == 0)
        turn(TUSK_NONE);
    ck_assert(!tusk_query_is_done(q));
    db = other;
    ck_assert_str_eq(text_of(ask("select 'sad'::mood")), "sad");
    run("select pg_advisory_unlock(7)");
    ck_assert_str_eq(text_of(q), "ok");
    ck_assert_int_eq(n_asked(), 1);
    db = mine;
    disconnect(other);
}
END_TEST

/* A question has room for 64 types: there are as many as it takes, in a transaction, too, before the caller is told. */
START_TEST(types_beyond_a_question_are_asked_for_by_further_ones)
{
    enum { N = 150 };
    char sql[N * 32] = "select ''";
    size_t len = strlen(sql);
    tusk_query *q, *behind;
    tusk_row row;

    run_script("do $$begin for i in 1..150 loop execute format('create type e%s as enum (''a'')', i); end loop; end$$");
    for (int i = 1; i <= N; i++)
        len += (size_t)snprintf(sql + len, sizeof sql - len, ", 'a'::e%d", i);
    if (_i)
        run("begin");
    n_asked();
    for (int run = 1; run <= 3; run++) {
        q = ask(sql);
        behind = ask("select 'ok'");
        ck_ok(q);
        ck_assert(tusk_next_row(q, &row));
        for (int i = 1; i <= N; i++)
            ck_assert(tusk_str_is(tusk_get_text(&row, i), "a"));
        ck_assert_int_eq(tusk_query_value_error(q)->code, TUSK_OK);
        tusk_query_free(q);
        ck_assert_str_eq(text_of(behind), "ok");
        ck_assert_int_eq(n_asked(), run == 1 ? 3 : 0);
    }
    if (_i)
        run("commit");
}
END_TEST

/* What is known of a server is not kept beyond the last connection to it: the next one may meet another cluster there. */
START_TEST(endpoint_without_connections_is_forgotten)
{
    ck_assert_str_eq(text_of(ask("select 'ok'::mood")), "ok");
    disconnect(db);
    db = connect_plain();
    run("set search_path = lookup");
    run("set log_statement = 'all'");
    ck_assert_int_eq(n_asked(), 1);
    ck_assert_str_eq(text_of(ask("select 'ok'::mood")), "ok");
    ck_assert_int_eq(n_asked(), 1);
}
END_TEST

START_TEST(prepared_statement_is_looked_up_before_it_runs)
{
    tusk_stmt *stmt = tusk_prepare(db, "select 'ok'::mood", NULL, 0);

    ck_ok(tusk_stmt_ready(stmt));
    for (int i = 0; i < 2; i++)
        ck_assert_str_eq(text_of(tusk_stmt_exec(stmt, TUSK_NO_PARAMS)), "ok");
    ck_assert_int_eq(n_asked(), 1);
    tusk_stmt_free(stmt);
}
END_TEST

/* A type that a script or a text result has, with all that it is made of; again, it is known anew. */
START_TEST(types_are_looked_up_when_they_are_asked_for)
{
    uint32_t oids[] = {oid_of("pairs"), TUSK_OID_INT4, 4000000000u};
    tusk_type type;
    tusk_error err;

    run_script("select null::pairs");
    ck_assert_int_eq(tusk_type_of(db, oids[0], &type), TUSK_AGAIN);
    ck_assert_int_eq(tusk_await_free(tusk_types_look_up(db, oids, 3), NULL), TUSK_OK);
    ck_assert_int_eq(known(oids[0]).kind, TUSK_TYPE_DOMAIN);
    ck_assert_int_eq(known(oid_of("pair")).n_attributes, 3);
    ck_assert_int_eq(known(oid_of("mood")).kind, TUSK_TYPE_ENUM);
    ck_assert_int_eq(tusk_type_of(db, oids[2], &type), TUSK_DONE);
    ck_assert_str_eq(text_of(ask("select 'ok'::mood")), "ok");
    run_script("alter type pair add attribute more int4");
    tusk_query_free(tusk_types_look_up(db, oids, 1)); /* given up: what comes of it is nobody's business */
    ck_assert_int_eq(tusk_await_free(tusk_types_look_up(db, oids, 1), NULL), TUSK_OK);
    ck_assert_int_eq(known(oid_of("pair")).n_attributes, 4);
    ck_assert_int_eq(tusk_await_free(tusk_types_look_up(db, NULL, 0), NULL), TUSK_OK);
    ck_assert_int_eq(tusk_await_free(tusk_types_look_up(db, oids, TUSK_TYPES_MAX + 1), &err), TUSK_ERR_LIMIT);
    ck_assert_str_eq(err.message, "65 types are looked up at once, and there are 64 at most");
    ck_assert_ptr_null(tusk_types_look_up(NULL, oids, 1));
    number("select 1");
    log_from = log_size();
}
END_TEST

/* Behind the parameters of a statement, whose look-up tusk_stmt_ready() does not wait for. */
START_TEST(parameters_are_known_behind_a_look_up)
{
    tusk_stmt *stmt = tusk_prepare(db, "select $1::mood", NULL, 0);
    tusk_type type;
    uint32_t oid;

    ck_ok(tusk_stmt_ready(stmt));
    oid = tusk_stmt_param_type(stmt, 0);
    ck_assert_int_eq(tusk_await_free(tusk_types_look_up(db, &oid, 1), NULL), TUSK_OK);
    ck_assert_int_eq(tusk_type_of(db, oid, &type), TUSK_OK);
    ck_assert(tusk_str_is(type.name, "mood"));
    tusk_stmt_free(stmt);
}
END_TEST

/* In a pipeline, in a transaction, and in one that failed. */
START_TEST(look_up_is_a_query_like_others)
{
    uint32_t oid = oid_of("mood");
    tusk_query *first = ask("select 1"), *q = tusk_types_look_up(db, &oid, 1), *last = ask("select 2");
    tusk_error err = {0};
    tusk_type type;

    ck_ok(last);
    ck_assert(tusk_query_is_done(first) && tusk_query_is_done(q));
    ck_assert_int_eq(tusk_type_of(db, oid, &type), TUSK_OK);
    tusk_query_free(first);
    tusk_query_free(q);
    tusk_query_free(last);
    tusk_types_forget(db);
    run("begin");
    ck_assert_int_eq(tusk_await_free(tusk_types_look_up(db, &oid, 1), NULL), TUSK_OK);
    ck_assert_int_eq(tusk_type_of(db, oid, &type), TUSK_OK);
    ck_assert_int_eq(tusk_await_free(ask("select 1/0"), NULL), TUSK_ERR_SERVER);
    ck_assert_int_eq(tusk_await_free(tusk_types_look_up(db, &oid, 1), &err), TUSK_ERR_SERVER);
    ck_assert_str_eq(err.sqlstate, "25P02");
    run("rollback");
}
END_TEST

START_TEST(stack_waits_for_the_types_of_all_its_results)
{
    tusk_stack *stack = tusk_stack_new(db);
    tusk_query *q;
    tusk_row row;

    ck_assert_int_eq(tusk_stack_push(stack, "select 'ok'::mood", TUSK_NO_PARAMS), TUSK_OK);
    ck_assert_int_eq(tusk_stack_push(stack, "select row(1, 'sad', '{}')::pair", TUSK_NO_PARAMS), TUSK_OK);
    q = tusk_stack_run(stack, TUSK_STACK_CONTINUE);
    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert(tusk_str_is(tusk_get_text(&row, 0), "ok"));
    ck_assert(tusk_next_result(q));
    ck_assert_int_eq(known(tusk_query_column(q, 0)->type).n_attributes, 3);
    tusk_query_free(q);
    ck_assert_int_eq(n_asked(), 1);
    tusk_stack_free(stack);
}
END_TEST

START_TEST(text_results_and_scripts_ask_nothing)
{
    tusk_query *q = tusk_submit(db, &(tusk_request){.sql = "select 'ok'::mood", .text_results = true});

    ck_assert_str_eq(text_of(q), "ok");
    ck_assert_str_eq(text_of(tusk_script(db, "select 'sad'::mood")), "sad");
    ck_assert_int_eq(n_asked(), 0);
}
END_TEST

static void see_raw(tusk_query *q, const tusk_row *row, void *user)
{
    tusk_type type;
    tusk_error err;

    ck_assert_int_eq(tusk_type_of(tusk_query_conn(q), row->columns[0].type, &type), TUSK_AGAIN);
    ck_assert_int_eq(tusk_read_text(row, 0, &(tusk_str){0}, &err), TUSK_ERR_TYPE);
    ck_assert_ptr_nonnull(strstr(err.hint, "not looked up yet"));
    ck_assert(tusk_str_is(tusk_get_raw(row, 0), "ok"));
    ++*(int *)user;
}

START_TEST(rows_handed_out_are_raw_and_the_look_up_comes_behind)
{
    int n = 0;
    tusk_query *q = tusk_submit(db, &(tusk_request){.sql = "select 'ok'::mood", .on_row = see_raw, .user = &n});

    ck_ok(q);
    tusk_query_free(q);
    ck_assert_int_eq(n, 1);
    ck_assert_int_eq(n_asked(), 1);
    ck_assert_int_eq(known(oid_of("mood")).kind, TUSK_TYPE_ENUM);
}
END_TEST

/* What helps: of a type that is known, text_results; what is text already is not asked for as text. */
START_TEST(advice_on_a_type_is_one_that_helps)
{
    const char *cast = "cast it in the SQL";
    tusk_query *q = ask("select 'ok'::mood, 'x'::text, 'x'::name, now()"), *text;
    tusk_error err;
    tusk_row row;
    int64_t n;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(tusk_read_int8(&row, i, &n, &err), TUSK_ERR_TYPE);
        ck_assert_int_eq(strstr(err.hint, "text_results") != NULL, i == 0 || i == 3);
        ck_assert_int_eq(strncmp(err.hint, cast, strlen(cast)), 0);
    }
    tusk_query_free(q);
    text = tusk_submit(db, &(tusk_request){.sql = "select now(), 'ok'::mood", .text_results = true});
    ck_ok(text);
    ck_assert(tusk_next_row(text, &row));
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(tusk_read_int8(&row, i, &n, &err), TUSK_ERR_TYPE);
        ck_assert_str_eq(err.hint, cast);
    }
    tusk_query_free(text);
}
END_TEST

/* As the hint and the guide say. */
START_TEST(stream_of_a_statement_that_is_ready_is_read_the_first_time)
{
    tusk_stmt *stmt = tusk_prepare(db, "select m from unnest(enum_range(null::mood)) m", NULL, 0);
    tusk_query *q;
    tusk_row row;
    int n = 0;

    ck_ok(tusk_stmt_ready(stmt));
    q = tusk_stmt_exec(stmt, TUSK_NO_PARAMS);
    for (; tusk_next_row(q, &row); n++)
        ck_assert_uint_gt(tusk_get_text(&row, 0).len, 0);
    ck_assert_int_eq(n, 3);
    ck_assert_int_eq(tusk_query_value_error(q)->code, TUSK_OK);
    ck_ok(q);
    tusk_query_free(q);
    tusk_stmt_free(stmt);
}
END_TEST

START_TEST(type_that_changed_is_seen_when_it_was_forgotten)
{
    ck_ok(ask("select row(1, 'ok', null)::pair"));
    ck_assert_int_eq(n_asked(), 1);
    run("alter type pair add attribute b bool");
    tusk_types_forget(db);
    ck_ok(ask("select row(1, 'ok', null, true)::pair"));
    ck_assert_int_eq(known(oid_of("pair")).n_attributes, 4);
}
END_TEST

/* Each way of running a statement that is prepared already, on the connection that forgets and on another one. */
static tusk_query *run_cached(tusk_conn *conn, tusk_stmt *stmt)
{
    (void)stmt;
    return tusk_exec(conn, "select m from lookup.kept", TUSK_NO_PARAMS);
}

static tusk_query *run_handle(tusk_conn *conn, tusk_stmt *stmt)
{
    (void)conn;
    return tusk_stmt_exec(stmt, TUSK_NO_PARAMS);
}

static tusk_query *run_stack(tusk_conn *conn, tusk_stmt *stmt)
{
    tusk_stack *stack = tusk_stack_new(conn);
    tusk_query *q;

    ck_assert_int_eq(tusk_stack_push_stmt(stack, stmt, TUSK_NO_PARAMS), TUSK_OK);
    q = tusk_stack_run(stack, TUSK_STACK_CONTINUE);
    ck_ok(q);
    tusk_stack_free(stack);
    return q;
}

static tusk_query *run_cursor(tusk_conn *conn, tusk_stmt *stmt)
{
    tusk_cursor *cursor;
    tusk_query *q;

    ck_assert_ptr_nonnull(tusk_begin(conn, NULL));
    cursor = tusk_cursor_open(conn, &(tusk_cursor_request){.stmt = stmt});
    q = tusk_cursor_fetch(cursor, 1);
    ck_ok(q);
    tusk_cursor_free(cursor);
    ck_assert_int_eq(tusk_await_free(tusk_commit(conn), NULL), TUSK_OK);
    return q;
}

static tusk_code give_once(tusk_query *q, int64_t item, tusk_error *err, void *user)
{
    (void)err;
    (void)user;
    return item ? TUSK_DONE : tusk_many_push(q, TUSK_NO_PARAMS);
}

/* A load hands its rows out by the item: what it met is known behind it. */
static tusk_query *run_load(tusk_conn *conn, tusk_stmt *stmt)
{
    ck_assert_int_eq(
        tusk_await_free(tusk_many_submit(conn, &(tusk_many_request){.stmt = stmt, .pull = give_once}), NULL), TUSK_OK);
    ck_assert_int_eq(known(oid_of("mood")).kind, TUSK_TYPE_ENUM);
    return run_handle(conn, stmt);
}

static tusk_query *(*const ways[])(tusk_conn *conn, tusk_stmt *stmt) = {run_cached, run_handle, run_stack, run_cursor,
                                                                        run_load};

START_TEST(what_was_forgotten_is_looked_up_by_statements_that_are_prepared)
{
    tusk_conn *other = connect_plain(), *conns[] = {db, other};
    tusk_query *(*const run_by)(tusk_conn *, tusk_stmt *) = ways[_i / 2];
    tusk_conn *conn = conns[_i % 2];
    tusk_stmt *stmt = tusk_prepare(conn, "select m from lookup.kept", NULL, 0);

    run_on(other, "set log_statement = 'all'");
    for (int i = 0; i < 4; i++)
        ck_assert_str_eq(text_of(run_by(conn, stmt)), "ok");
    ck_assert_int_eq(n_asked(), 1);
    for (int i = 0; i < 2; i++) {
        tusk_types_forget(db); /* which may not have met any of them itself */
        for (int k = 0; k < 2; k++)
            ck_assert_str_eq(text_of(run_by(conn, stmt)), "ok");
        ck_assert_int_eq(n_asked(), 1);
    }
    tusk_stmt_free(stmt);
    disconnect(other);
}
END_TEST

/* The first try of the third run meets it, fails on the server, and is repeated: that is answered once, too. */
START_TEST(parameter_of_a_forgotten_type_that_is_gone_is_sent_anew)
{
    static const char *const sqls[] = {"select $1::gone::text", "select ($1::gone[])::text"};
    tusk_value record = tusk_record_of(0, TUSK_RECORD(tusk_int4(1), tusk_text("x")));
    tusk_value values[] = {record, tusk_array_of(0, TUSK_ARRAY(record))};

    run("create type gone as (a int4, b text)");
    for (int i = 0; i < 4; i++) {
        tusk_query *q = tusk_exec(db, sqls[_i], tusk_params_of(&values[_i], 1));

        ck_ok(q);
        tusk_query_free(q);
        if (i != 1)
            continue;
        run_script("drop type gone; create type gone as (a int4, b text)");
        tusk_types_forget(db);
    }
    ck_assert_int_eq(known(oid_of("gone")).n_attributes, 2);
}
END_TEST

/* In a failed transaction it cannot be asked; behind it, it is. */
START_TEST(stack_asks_again_for_what_could_not_be_asked)
{
    tusk_stmt *stmt = tusk_prepare(db, "select m from lookup.kept", NULL, 0);
    tusk_stack *stack;
    tusk_query *q;

    for (int i = 0; i < 2; i++)
        ck_assert_str_eq(text_of(run_handle(db, stmt)), "ok");
    run("begin");
    tusk_types_forget(db);
    stack = tusk_stack_new(db);
    ck_assert_int_eq(tusk_stack_push_stmt(stack, stmt, TUSK_NO_PARAMS), TUSK_OK);
    q = tusk_stack_run(stack, TUSK_STACK_ATOMIC);
    ck_assert_int_eq(tusk_await_free(ask("select 1/0"), NULL), TUSK_ERR_SERVER);
    ck_ok(q);
    tusk_query_free(q);
    tusk_stack_free(stack);
    run("rollback");
    for (int i = 0; i < 2; i++)
        ck_assert_str_eq(text_of(run_stack(db, stmt)), "ok");
    tusk_stmt_free(stmt);
}
END_TEST

/* ---- order and transactions ------------------------------------------------------------------------------------------------------ */

static char told[16];

static void tell(tusk_query *q, void *user)
{
    size_t len = strlen(told);

    (void)q;
    snprintf(told + len, sizeof told - len, "%s", (const char *)user);
}

static void submit(const char *sql, const char *name)
{
    ck_assert_ptr_nonnull(
        tusk_submit(db, &(tusk_request){.sql = sql, .on_done = tell, .user = (void *)(uintptr_t)name}));
}

START_TEST(those_behind_are_told_behind)
{
    tusk_query *last;

    told[0] = '\0';
    submit("select 1", "a");
    submit("select 'ok'::mood", "b");
    submit("select 2", "c");
    submit("select 1/0", "d");
    submit("select null::pairs", "e");
    submit("selec", "f");
    ck_assert_ptr_nonnull(tusk_begin(db, NULL));
    submit("select 'sad'::mood as x", "g");
    ck_ok(tusk_commit(db));
    last = ask("select 3");
    ck_ok(last);
    ck_assert_str_eq(told, "abcdefg");
    ck_assert_int_eq(n_asked(), 1);
    tusk_query_free(last);
    known(oid_of("pair"));
}
END_TEST

static void count_row(tusk_query *q, const tusk_row *row, void *user)
{
    (void)row;
    tell(q, user);
}

/* The rows of one that hands them out would come before those in front are told: these do not wait, then. */
START_TEST(nobody_waits_in_front_of_rows_that_are_handed_out)
{
    tusk_query *q;

    told[0] = '\0';
    submit("select 'ok'::mood", "a");
    q = tusk_submit(db, &(tusk_request){.sql = "select 1", .on_row = count_row, .user = (void *)(uintptr_t) "b"});
    ck_ok(q);
    tusk_query_free(q);
    ck_assert_str_eq(told, "ab");
    ck_assert_str_eq(text_of(ask("select 'happy'::mood")), "happy");
    ck_assert_int_eq(n_asked(), 1);
}
END_TEST

START_TEST(transaction_goes_on_as_if_nothing_had_been_asked)
{
    run("create table t (m mood)");
    n_asked();
    for (int i = 0; i < 2; i++) {
        if (i)
            ck_assert_ptr_nonnull(tusk_begin(db, NULL));
        else
            run("begin");
        run("insert into t values ('ok')");
        tusk_types_forget(db);
        ck_assert_str_eq(text_of(ask(i ? "select m from t" : "select m as n from t")), "ok");
        ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IN_TRANSACTION);
        if (i)
            ck_assert_int_eq(tusk_await_free(tusk_commit(db), NULL), TUSK_OK);
        else
            run("commit");
    }
    ck_assert_int_eq(n_asked(), 2);
    ck_assert_int_eq(number("select count(*) from t"), 2);
}
END_TEST

/* In a failed transaction nothing can be asked: what it brought is raw, and is asked for when it is met again. */
START_TEST(failed_transaction_is_left_alone)
{
    tusk_query *q, *failing;
    tusk_row row;

    run("begin");
    q = ask("select 'ok'::mood");
    failing = ask("select 1/0");
    ck_ok(q);
    ck_assert_int_eq(tusk_await(failing), TUSK_ERR_SERVER);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_int_eq(tusk_read_text(&row, 0, &(tusk_str){0}, NULL), TUSK_ERR_TYPE);
    ck_assert(tusk_str_is(tusk_get_raw(&row, 0), "ok"));
    tusk_query_free(q);
    tusk_query_free(failing);
    ck_assert_int_eq(tusk_conn_tx_status(db), TUSK_TX_IN_ERROR);
    run("rollback");
    ck_assert_str_eq(text_of(ask("select 'ok'::mood")), "ok");
}
END_TEST

START_TEST(search_path_has_no_say)
{
    run_script(
        "create function lookup.eq(oid, oid) returns bool language sql as 'select false'; "
        "create operator lookup.= (function = lookup.eq, leftarg = oid, rightarg = oid); "
        "create function lookup.eq(\"char\", \"char\") returns bool language sql as 'select false'; "
        "create operator lookup.= (function = lookup.eq, leftarg = \"char\", rightarg = \"char\"); "
        "create function lookup.unnest(anyarray) returns setof anyelement language sql as 'select $1[1] where false'; "
        "create table pg_type (oid oid); create table pg_attribute (attrelid oid); "
        "set search_path = lookup, pg_catalog");
    ck_assert_str_eq(text_of(ask("select 'ok'::mood")), "ok");
    ck_assert_int_eq(known((uint32_t)number("select 'mood'::regtype::int8")).kind, TUSK_TYPE_ENUM);
    ck_ok(ask("select null::pair"));
    ck_assert_int_eq(known((uint32_t)number("select 'pair'::regtype::int8")).n_attributes, 3);
}
END_TEST

START_TEST(type_that_is_gone_meanwhile_is_none)
{
    tusk_query *q, *drop;
    tusk_type type;

    q = ask("select 'ok'::mood");
    drop = ask("drop schema lookup cascade");
    ck_ok(q);
    ck_ok(drop);
    ck_assert_int_eq(tusk_type_of(db, tusk_query_column(q, 0)->type, &type), TUSK_DONE);
    tusk_query_free(q);
    tusk_query_free(drop);
    ck_assert_int_eq(n_asked(), 1);
}
END_TEST

/* ---- while it waits -------------------------------------------------------------------------------------------------------------- */

static void free_conn(tusk_query *q, void *user)
{
    (void)user;
    ck_assert_int_eq(tusk_query_code(q), TUSK_OK);
    tell(q, (void *)(uintptr_t) "x");
    tusk_conn_free(db);
    db = NULL;
}

enum { FREED, CANCELED, CONN_FREED, CONN_CLOSED, CONN_FREED_IN_CALLBACK, LOOP_FREED };

/* Behind its answer, before that of the look-up: the server is held up by a lock on the catalogue. */
START_TEST(whoever_ends_while_it_waits_has_its_answer)
{
    tusk_conn *locker = connect_plain();
    tusk_query *q, *behind;

    told[0] = '\0';
    run_on(locker, "begin");
    run_on(locker, "lock table pg_catalog.pg_range in access exclusive mode");
    if (_i == CONN_FREED_IN_CALLBACK)
        q = tusk_submit(db, &(tusk_request){.sql = "select 'ok'::mood", .on_done = free_conn});
    else
        q = ask("select 'ok'::mood");
    behind = ask("select 2");
    while (number_on(locker, "select count(*) from pg_locks where not granted") == 0)
        ;
    ck_assert(!tusk_query_is_done(q) && !tusk_query_is_done(behind));
    if (_i == FREED) {
        tusk_query_free(q);
    } else if (_i == CANCELED) {
        tusk_query_cancel(q);
        ck_assert_str_eq(text_of(tusk_submit(locker, &(tusk_request){.sql = "select 1", .text_results = true})), "1");
        ck_assert(tusk_query_is_done(q) && !tusk_query_is_done(behind));
        ck_ok(q);
        tusk_query_free(q);
    } else if (_i == CONN_FREED) {
        tusk_conn_free(db);
        db = NULL;
        ck_ok(q);
        ck_ok(behind);
        tusk_query_free(q);
    } else if (_i == CONN_CLOSED) {
        disconnect(db);
        db = NULL;
        ck_ok(q);
        tusk_query_free(q);
    }
    run_on(locker, "rollback");
    if (_i < CONN_FREED_IN_CALLBACK)
        ck_ok(behind);
    if (_i == LOOP_FREED) {
        tusk_loop_free(loop);
        loop = NULL;
        db = NULL;
        return;
    }
    if (_i == CONN_FREED_IN_CALLBACK)
        ck_ok(behind);
    tusk_query_free(behind);
    if (_i == CONN_FREED_IN_CALLBACK)
        ck_assert_str_eq(told, "x");
    disconnect(locker);
    if (!db)
        db = connect_plain();
}
END_TEST

START_TEST(deadline_of_one_that_waits_is_no_error)
{
    tusk_conn *locker = connect_plain();
    tusk_query *q;

    run_on(locker, "begin");
    run_on(locker, "lock table pg_catalog.pg_range in access exclusive mode");
    q = tusk_submit(db, &(tusk_request){.sql = "select 'ok'::mood", .timeout = 0.2});
    ck_ok(q);
    ck_assert_uint_eq(tusk_query_n_rows(q), 1);
    tusk_query_free(q);
    run_on(locker, "rollback");
    ck_assert_str_eq(text_of(ask("select 'ok'::mood")), "ok");
    disconnect(locker);
}
END_TEST

/* The look-up comes behind a stream that began when somebody waited already: only the caller moves that one. */
START_TEST(one_that_waits_behind_a_stream_is_not_waited_for)
{
    tusk_query *q = ask("select 'ok'::mood"),
               *stream = ask("select n, repeat('x', 1000) from generate_series(1, 20000) n");
    tusk_row row;
    int n = 0;

    while (tusk_query_n_rows(stream) == 0)
        turn(TUSK_NONE);
    ck_assert(!tusk_query_is_done(q) && !tusk_query_is_done(stream));
    ck_assert(tusk_next_row(stream, &row));
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_STATE);
    for (n = 1; tusk_next_row(stream, &row); n++)
        ;
    ck_assert_int_eq(n, 20000);
    ck_assert_str_eq(text_of(q), "ok");
    tusk_query_free(stream);
}
END_TEST

/* What is read row by row is not held up by what it is of: whoever is handed rows takes them raw. */
START_TEST(rows_that_are_read_meanwhile_do_not_wait)
{
    tusk_conn *locker = connect_plain();
    tusk_query *q;
    tusk_row row;
    int n = 0;

    run_on(locker, "begin");
    run_on(locker, "lock table pg_catalog.pg_range in access exclusive mode");
    q = ask("select 'ok'::mood, repeat('x', 1000) from generate_series(1, 20000)");
    while (tusk_query_n_rows(q) == 0)
        turn(TUSK_NONE);
    for (; tusk_next_row(q, &row); n++)
        ck_assert(tusk_str_is(tusk_get_raw(&row, 0), "ok"));
    ck_assert_int_eq(n, 20000);
    ck_assert(tusk_query_is_done(q));
    ck_ok(q);
    tusk_query_free(q);
    run_on(locker, "rollback");
    disconnect(locker);
}
END_TEST

/* The last of those who wait is canceled, and another one comes to wait behind the first. */
START_TEST(one_behind_who_ends_breaks_no_order)
{
    tusk_conn *locker = connect_plain();
    tusk_query *q, *ended, *last;

    run_on(locker, "select pg_advisory_lock(7)");
    q = ask("select 'ok'::mood");
    ended = ask("select 2");
    last = ask("select '3' from pg_advisory_xact_lock(7)");
    while (number_on(locker, "select count(*) from pg_locks where not granted") == 0)
        ;
    tusk_query_cancel(ended);
    ck_assert_int_eq(number_on(locker, "select 1"), 1);
    ck_assert(tusk_query_is_done(ended) && !tusk_query_is_done(q) && !tusk_query_is_done(last));
    run_on(locker, "select pg_advisory_unlock(7)");
    ck_assert_str_eq(text_of(q), "ok");
    ck_assert_str_eq(text_of(last), "3");
    ck_ok(ended);
    tusk_query_free(ended);
    disconnect(locker);
}
END_TEST

START_TEST(cursor_reads_them_from_its_first_batch)
{
    tusk_cursor *cursor;
    tusk_query *q;
    tusk_row row;

    ck_assert_ptr_nonnull(tusk_begin(db, NULL));
    cursor = tusk_cursor_open(db, &(tusk_cursor_request){.sql = "select m from unnest(enum_range(null::mood)) m"});
    q = tusk_cursor_fetch(cursor, 2);
    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert(tusk_str_is(tusk_get_text(&row, 0), "sad"));
    tusk_query_free(q);
    q = tusk_cursor_fetch(cursor, 2);
    ck_assert_str_eq(text_of(q), "happy");
    tusk_cursor_free(cursor);
    ck_assert_int_eq(tusk_await_free(tusk_commit(db), NULL), TUSK_OK);
    ck_assert_int_eq(n_asked(), 1);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("live/lookup");
    TCase *tcase = tcase_create("types of the database's own");

    tcase_add_checked_fixture(tcase, up, down);
    tcase_add_test(tcase, enum_is_text_the_first_time_too);
    tcase_add_test(tcase, enum_is_printed_and_goes_back_as_it_came);
    tcase_add_loop_test(tcase, bounds_of_an_own_range_are_quoted_as_by_the_server, 0, N_OF(text_ranges));
    tcase_add_test(tcase, rows_taken_one_by_one_wait_for_the_look_up);
    tcase_add_test(tcase, whatever_a_type_is_made_of_is_known);
    tcase_add_test(tcase, attributes_have_names_and_those_dropped_are_none);
    tcase_add_test(tcase, built_in_types_need_no_connection);
    tcase_add_test(tcase, connections_to_the_same_endpoint_share_it);
    tcase_add_test(tcase, what_another_connection_learned_meanwhile_is_not_asked_for);
    tcase_add_loop_test(tcase, types_beyond_a_question_are_asked_for_by_further_ones, 0, 2);
    tcase_add_test(tcase, endpoint_without_connections_is_forgotten);
    tcase_add_test(tcase, prepared_statement_is_looked_up_before_it_runs);
    tcase_add_loop_test(tcase, values_are_printed_by_what_the_connection_knows, 0, N_OF(own_values));
    tcase_add_test(tcase, what_is_made_is_printed_as_it_would_be_sent);
    tcase_add_test(tcase, statistics_are_printed_though_they_are_of_any_array);
    tcase_add_test(tcase, types_are_looked_up_when_they_are_asked_for);
    tcase_add_test(tcase, parameters_are_known_behind_a_look_up);
    tcase_add_test(tcase, look_up_is_a_query_like_others);
    tcase_add_test(tcase, stack_waits_for_the_types_of_all_its_results);
    tcase_add_test(tcase, text_results_and_scripts_ask_nothing);
    tcase_add_test(tcase, rows_handed_out_are_raw_and_the_look_up_comes_behind);
    tcase_add_test(tcase, stream_of_a_statement_that_is_ready_is_read_the_first_time);
    tcase_add_test(tcase, advice_on_a_type_is_one_that_helps);
    tcase_add_test(tcase, type_that_changed_is_seen_when_it_was_forgotten);
    tcase_add_loop_test(tcase, what_was_forgotten_is_looked_up_by_statements_that_are_prepared, 0, 2 * N_OF(ways));
    tcase_add_loop_test(tcase, parameter_of_a_forgotten_type_that_is_gone_is_sent_anew, 0, 2);
    tcase_add_test(tcase, stack_asks_again_for_what_could_not_be_asked);
    tcase_add_test(tcase, those_behind_are_told_behind);
    tcase_add_test(tcase, nobody_waits_in_front_of_rows_that_are_handed_out);
    tcase_add_test(tcase, transaction_goes_on_as_if_nothing_had_been_asked);
    tcase_add_test(tcase, failed_transaction_is_left_alone);
    tcase_add_test(tcase, search_path_has_no_say);
    tcase_add_test(tcase, type_that_is_gone_meanwhile_is_none);
    tcase_add_loop_test(tcase, whoever_ends_while_it_waits_has_its_answer, FREED, LOOP_FREED + 1);
    tcase_add_test(tcase, deadline_of_one_that_waits_is_no_error);
    tcase_add_test(tcase, one_that_waits_behind_a_stream_is_not_waited_for);
    tcase_add_test(tcase, rows_that_are_read_meanwhile_do_not_wait);
    tcase_add_test(tcase, one_behind_who_ends_breaks_no_order);
    tcase_add_test(tcase, cursor_reads_them_from_its_first_batch);
    suite_add_tcase(suite, tcase);
    return suite;
}
