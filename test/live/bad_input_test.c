/* Bad input, and the message that a user reads: values that do not fit, wrong columns, wrong calls, closed connections.
 * Refused logins and malformed connection strings are in login_live_test.c, servers that are full or starting in outage_live_test.c,
 * COPY through the plain call in pipeline_live_test.c. */
#include <float.h>

#include "test/live/live.h"

/* ---- parameters ---------------------------------------------------------------------------------------------------------------- */

#define TEXT(s)                                                                                                        \
    {                                                                                                                  \
        TUSK_OID_TEXT, TUSK_KIND_TEXT,                                                                                 \
        {                                                                                                              \
            .bytes = { s, sizeof(s) - 1 }                                                                              \
        }                                                                                                              \
    }

/* clang-format off */
static const struct {
    tusk_value value;
    tusk_code code;
    const char *sqlstate, *where, *message;
} params[] = {
    {TEXT("a\0b"), TUSK_ERR_VALUE, "22021", "bind $2 (text)", "text with a NUL byte at offset 1: PostgreSQL's text cannot hold one"},
    {TEXT("\xff"), TUSK_ERR_VALUE, "22021", "bind $2 (text)", "text that is not UTF-8 at offset 0"},
    {TEXT("abc\xC3"), TUSK_ERR_VALUE, "22021", "bind $2 (text)", "text that is not UTF-8 at offset 3"},
    {TEXT("\xED\xA0\x80"), TUSK_ERR_VALUE, "22021", "bind $2 (text)", "text that is not UTF-8 at offset 0"},
    {{0, TUSK_KIND_TEXT, {.bytes = {"a\0", 2}}}, TUSK_ERR_VALUE, "22021", "bind $2 (unknown)",
     "text with a NUL byte at offset 1: PostgreSQL's text cannot hold one"},
    {{TUSK_OID_INT2, TUSK_KIND_INT, {.integer = 32768}}, TUSK_ERR_VALUE, "22003", "bind $2 (int2)", "32768 does not fit int2"},
    {{TUSK_OID_INT4, TUSK_KIND_INT, {.integer = INT64_MIN}}, TUSK_ERR_VALUE, "22003", "bind $2 (int4)",
     "-9223372036854775808 does not fit int4"},
    {{TUSK_OID_OID, TUSK_KIND_INT, {.integer = -1}}, TUSK_ERR_VALUE, "22003", "bind $2 (oid)", "-1 does not fit oid"},
    {{TUSK_OID_FLOAT4, TUSK_KIND_FLOAT, {.real = DBL_MAX}}, TUSK_ERR_VALUE, "22003", "bind $2 (float4)",
     "1.7976931348623157e+308 does not fit float4 without loss"},
    {{TUSK_OID_DATE, TUSK_KIND_INT, {.integer = 2145031949}}, TUSK_ERR_VALUE, "22008", "bind $2 (date)", "2145031949 is beyond the range of date"},
    {{TUSK_OID_TIMESTAMPTZ, TUSK_KIND_INT, {.integer = INT64_MAX - 1}}, TUSK_ERR_VALUE, "22008", "bind $2 (timestamptz)",
     "9223372036854775806 is beyond the range of timestamptz"},
    {{TUSK_OID_INT4, TUSK_KIND_FLOAT, {.real = 1}}, TUSK_ERR_TYPE, "42804", "bind $2 (int4)",
     "a tusk_value of int4 and of kind TUSK_KIND_FLOAT: that type has TUSK_KIND_INT"},
    {{TUSK_OID_INT4, (tusk_kind)23, {.integer = 1}}, TUSK_ERR_TYPE, "42804", "bind $2 (int4)",
     "a tusk_value of int4 and of kind 23, which is none"},
    {{0, (tusk_kind)-1, {.integer = 1}}, TUSK_ERR_TYPE, "42804", "bind $2 (unknown)", "a tusk_value of type 0 and of kind -1, which is none"},
    {{9999, (tusk_kind)99, {.integer = 1}}, TUSK_ERR_TYPE, "42804", "bind $2 (unknown)",
     "a tusk_value of type 9999 and of kind 99, which is none"},
};
/* clang-format on */

START_TEST(value_that_cannot_be_sent_is_refused_and_says_why)
{
    tusk_value values[] = {tusk_int4(1), params[_i].value};
    tusk_query *q = tusk_exec(db, "select $1, $2", tusk_params_of(values, 2));
    const tusk_error *err;

    ck_assert_int_eq(tusk_await(q), params[_i].code);
    err = tusk_query_error(q);
    ck_error(err, params[_i].code, params[_i].sqlstate, params[_i].message);
    ck_assert_str_eq(err->where, params[_i].where);
    ck_assert_int_eq(err->param, 2);
    ck_assert_int_eq(err->fate, TUSK_FATE_NOT_SENT);
    ck_assert_int_eq(err->column, -1);
    ck_assert(!tusk_error_is_fatal(err));
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

START_TEST(value_that_the_server_cannot_read_is_named)
{
    tusk_query *q = tusk_exec(db, "select $1::int4, $2::date, $3::int4",
                              TUSK_PARAMS(tusk_int4(1), tusk_unknown("yesteryear"), tusk_int4(2)));

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_assert_str_eq(tusk_query_error(q)->sqlstate, "22007");
    ck_assert_int_eq(tusk_query_error(q)->param, 2);
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

/* What we refuse, and the same value as the server gets it to refuse: both say it by the same SQLSTATE. */
#define INT(type, n)                                                                                                   \
    {                                                                                                                  \
        type, TUSK_KIND_INT,                                                                                           \
        {                                                                                                              \
            .integer = n                                                                                               \
        }                                                                                                              \
    }
#define WIRE(type, s)                                                                                                  \
    {                                                                                                                  \
        type, TUSK_KIND_WIRE,                                                                                          \
        {                                                                                                              \
            .bytes = { s, sizeof(s) - 1 }                                                                              \
        }                                                                                                              \
    }
#define RAW(type, s)                                                                                                   \
    {                                                                                                                  \
        type, TUSK_KIND_RAW,                                                                                           \
        {                                                                                                              \
            .bytes = { s, sizeof(s) - 1 }                                                                              \
        }                                                                                                              \
    }
#define AS_TEXT(type, s)                                                                                               \
    {                                                                                                                  \
        type, TUSK_KIND_TEXT,                                                                                          \
        {                                                                                                              \
            .bytes = { s, sizeof(s) - 1 }                                                                              \
        }                                                                                                              \
    }
#define ARRAY(...)                                                                                                     \
    {                                                                                                                  \
        TUSK_OID_INT4_ARRAY, TUSK_KIND_ARRAY,                                                                          \
        {                                                                                                              \
            .array = &(const tusk_array_parts)                                                                         \
            {                                                                                                          \
                __VA_ARGS__                                                                                            \
            }                                                                                                          \
        }                                                                                                              \
    }
#define ARRAY_HEAD(ndim, dim, lower) RAW(TUSK_OID_INT4_ARRAY, ndim "\0\0\0\0\0\0\0\x17" dim lower)

/* clang-format off */
static const tusk_value ones[] = {INT(TUSK_OID_INT4, 1), INT(TUSK_OID_INT4, 1)};
static const tusk_value oids[] = {INT(TUSK_OID_OID, 1)};
static const int32_t one[] = {1}, minus[] = {-1}, huge[] = {INT32_MAX, INT32_MAX}, two[] = {2}, high[] = {INT32_MAX}, many[7] = {1, 1, 1, 1, 1, 1, 1};
static const struct {
    tusk_value ours, theirs;
    const char *sqlstate;
} same_states[] = {
    {INT(TUSK_OID_INT2, 32768), AS_TEXT(TUSK_OID_INT2, "32768"), "22003"},
    {INT(TUSK_OID_INT4, INT64_MAX), AS_TEXT(TUSK_OID_INT4, "9223372036854775807"), "22003"},
    {INT(TUSK_OID_OID, INT64_C(1) << 32), AS_TEXT(TUSK_OID_OID, "4294967296"), "22003"},
    {{TUSK_OID_FLOAT4, TUSK_KIND_FLOAT, {.real = 1e300}}, AS_TEXT(TUSK_OID_FLOAT4, "1e300"), "22003"},
    {INT(TUSK_OID_DATE, INT32_MAX - 1), AS_TEXT(TUSK_OID_DATE, "5874898-01-01"), "22008"},
    {INT(TUSK_OID_DATE, -2451546), RAW(TUSK_OID_DATE, "\xff\xda\x97\xa6"), "22008"},
    {INT(TUSK_OID_TIMESTAMP, INT64_MAX - 1), RAW(TUSK_OID_TIMESTAMP, "\x7f\xff\xff\xff\xff\xff\xff\xfe"), "22008"},
    {INT(TUSK_OID_TIMESTAMPTZ, INT64_MAX - 1), AS_TEXT(TUSK_OID_TIMESTAMPTZ, "294277-01-01 00:00:00+00"), "22008"},
    {INT(TUSK_OID_TIME, -1), RAW(TUSK_OID_TIME, "\xff\xff\xff\xff\xff\xff\xff\xff"), "22008"},
    {INT(TUSK_OID_TIME, INT64_C(86400000001)), AS_TEXT(TUSK_OID_TIME, "24:00:00.000001"), "22008"},
    {{TUSK_OID_TIMETZ, TUSK_KIND_TIMETZ, {.timetz = {0, 16 * 3600}}}, RAW(TUSK_OID_TIMETZ, "\0\0\0\0\0\0\0\0\xff\xff\x1f\0"), "22009"},
    {{TUSK_OID_TIMETZ, TUSK_KIND_TIMETZ, {.timetz = {-1, 0}}}, RAW(TUSK_OID_TIMETZ, "\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0"), "22008"},
    {AS_TEXT(TUSK_OID_TEXT, "a\0b"), RAW(TUSK_OID_TEXT, "a\0b"), "22021"},
    {AS_TEXT(TUSK_OID_VARCHAR, "\xff"), RAW(TUSK_OID_VARCHAR, "\xff"), "22021"},
    {AS_TEXT(TUSK_OID_JSONB, "\"\xff\""), RAW(TUSK_OID_JSON, "\"\xff\""), "22021"},
    {WIRE(TUSK_OID_NUMERIC, "\0\1\0\0\0\0\0\0\x27\x10"), RAW(TUSK_OID_NUMERIC, "\0\1\0\0\0\0\0\0\x27\x10"), "22P03"},
    {WIRE(TUSK_OID_INET, "\7\x18\0\4\1\2\3\4"), RAW(TUSK_OID_INET, "\7\x18\0\4\1\2\3\4"), "22P03"},
    {WIRE(TUSK_OID_CIDR, "\2\x18\1\4\1\2\3\4"), RAW(TUSK_OID_CIDR, "\2\x18\1\4\1\2\3\4"), "22P03"},
    {WIRE(TUSK_OID_LINE, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), RAW(TUSK_OID_LINE, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "22P03"},
    {WIRE(TUSK_OID_CIRCLE, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xbf\xf0\0\0\0\0\0\0"), RAW(TUSK_OID_CIRCLE, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xbf\xf0\0\0\0\0\0\0"), "22P03"},
    {WIRE(TUSK_OID_PATH, "\1\0\0\0\0"), RAW(TUSK_OID_PATH, "\1\0\0\0\0"), "22P03"},
    {WIRE(TUSK_OID_BIT, "\xff\xff\xff\xff"), RAW(TUSK_OID_BIT, "\xff\xff\xff\xff"), "22P03"},
    {ARRAY(.values = ones, .n = 1, .ndim = 7, .dims = many), ARRAY_HEAD("\0\0\0\7", "", ""), "54000"},
    {ARRAY(.values = ones, .n = 1, .ndim = 1, .dims = minus), ARRAY_HEAD("\0\0\0\1", "\xff\xff\xff\xff", "\0\0\0\1"), "54000"},
    {ARRAY(.values = ones, .n = 1, .ndim = 2, .dims = huge), ARRAY_HEAD("\0\0\0\2", "\x7f\xff\xff\xff\0\0\0\1", "\x7f\xff\xff\xff\0\0\0\1"), "54000"},
    {{TUSK_OID_OIDVECTOR, TUSK_KIND_ARRAY, {.array = &(const tusk_array_parts){.values = oids, .n = 1, .ndim = 1, .dims = one, .lower = one}}},
     RAW(TUSK_OID_OIDVECTOR, "\0\0\0\1\0\0\0\0\0\0\0\x1a\0\0\0\1\0\0\0\1\0\0\0\4\0\0\0\1"), "22P03"},
    {ARRAY(.values = ones, .n = 2, .ndim = 1, .dims = two, .lower = high), ARRAY_HEAD("\0\0\0\1", "\0\0\0\2", "\x7f\xff\xff\xff"), "54000"},
};
/* clang-format on */

START_TEST(refusals_have_the_server_s_sqlstate)
{
    tusk_query *ours = tusk_exec(db, "select $1", tusk_params_of(&same_states[_i].ours, 1)),
               *theirs = tusk_exec(db, "select $1", tusk_params_of(&same_states[_i].theirs, 1));

    ck_assert_int_ne(tusk_await(ours), TUSK_OK);
    ck_assert_int_ne(tusk_await(theirs), TUSK_OK);
    ck_assert_msg(tusk_query_error(theirs)->code == TUSK_ERR_SERVER, "%s", said(tusk_query_error(theirs)));
    ck_assert_msg(strcmp(tusk_query_error(theirs)->sqlstate, same_states[_i].sqlstate) == 0, "%s",
                  said(tusk_query_error(theirs)));
    ck_assert_msg(strcmp(tusk_query_error(ours)->sqlstate, same_states[_i].sqlstate) == 0, "%s",
                  said(tusk_query_error(ours)));
    ck_assert_msg(tusk_query_error(ours)->fate == TUSK_FATE_NOT_SENT, "%s", said(tusk_query_error(ours)));
    tusk_query_free(ours);
    tusk_query_free(theirs);
    ck_usable(db);
}
END_TEST

/* ---- statements ---------------------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
    const char *sql;
    int n_params;
    tusk_code code;
    const char *sqlstate, *message, *hint;
    int position;
} statements[] = {
    {"select $1, $2, $3", 2, TUSK_ERR_SERVER, "08P01", "bind message supplies 2 parameters, but prepared statement \"\" requires 3",
     "Give one parameter for each of $1 to the highest $n of the statement.", 0},
    {"select $3::int4", 2, TUSK_ERR_SERVER, "08P01", "bind message supplies 2 parameters, but prepared statement \"\" requires 3",
     "Give one parameter for each of $1 to the highest $n of the statement.", 0},
    {"select $1 + $2 + ", 2, TUSK_ERR_SERVER, "42601", "syntax error at end of input", "", 18},
    {"selekt 1", 0, TUSK_ERR_SERVER, "42601", "syntax error at or near \"selekt\"", "", 1},
    {"select 1; select 2", 0, TUSK_ERR_SERVER, "42601", "cannot insert multiple commands into a prepared statement",
     "Several statements in one string go by tusk_script(), without parameters.", 0},
    {"select typnam from pg_type", 0, TUSK_ERR_SERVER, "42703", "column \"typnam\" does not exist",
     "Perhaps you meant to reference the column \"pg_type.typname\".", 8},
    {"select '\xff'", 0, TUSK_ERR_VALUE, "22021", "the SQL text is not valid UTF-8", "", 0},
};
/* clang-format on */

/* The name that the connection gave the statement is a random one: "tusk_…" becomes "". */
static const char *without_name(const char *message)
{
    static char text[256];
    const char *name = strstr(message, "\"tusk_");

    if (!name)
        return message;
    (void)snprintf(text, sizeof text, "%.*s\"%s", (int)(name - message), message, strchr(name + 1, '"'));
    return text;
}

START_TEST(statement_that_is_wrong_says_why)
{
    tusk_value values[] = {tusk_int4(1), tusk_int4(2)};
    tusk_query *q = tusk_exec(db, statements[_i].sql, tusk_params_of(values, (size_t)statements[_i].n_params));
    const tusk_error *err;

    ck_assert_int_eq(tusk_await(q), statements[_i].code);
    err = tusk_query_error(q);
    ck_assert_msg(err->code == statements[_i].code, "%s", said(err));
    ck_assert_str_eq(err->sqlstate, statements[_i].sqlstate);
    ck_assert_str_eq(without_name(err->message), statements[_i].message);
    ck_assert_str_eq(err->hint, statements[_i].hint);
    ck_assert_int_eq(err->position, statements[_i].position);
    ck_assert_int_eq(err->fate, err->code == TUSK_ERR_SERVER ? TUSK_FATE_ANSWERED : TUSK_FATE_NOT_SENT);
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

START_TEST(constraint_says_its_name_in_fields)
{
    tusk_query *q;

    run("create temp table fielded (a int constraint positive check (a > 0))");
    q = tusk_exec(db, "insert into fielded values ($1)", TUSK_PARAMS(tusk_int4(-1)));
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_error(tusk_query_error(q), TUSK_ERR_SERVER, "23514",
             "new row for relation \"fielded\" violates check constraint \"positive\"");
    ck_assert_str_eq(tusk_query_error(q)->detail, "Failing row contains (-1).");
    ck_assert(tusk_str_is(tusk_query_error_field(q, 'n'), "positive"));
    ck_assert(tusk_str_is(tusk_query_error_field(q, 't'), "fielded"));
    ck_assert_uint_eq(tusk_query_error_field(q, 'c').len, 0);
    tusk_query_free(q);
}
END_TEST

START_TEST(long_message_is_cut_in_the_error_and_whole_in_the_field)
{
    tusk_query *q = tusk_exec(db, "select repeat('\xC3\xA4', 1000)::int4", TUSK_NO_PARAMS);

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_assert_uint_lt(strlen(tusk_query_error(q)->message), sizeof tusk_query_error(q)->message);
    ck_assert_ptr_nonnull(strstr(tusk_query_error(q)->message, "\xC3\xA4\xE2\x80\xA6"));
    ck_assert_uint_gt(tusk_query_error_field(q, 'M').len, 2000);
    tusk_query_free(q);
}
END_TEST

START_TEST(sql_text_with_a_nul_is_refused)
{
    tusk_query *q = tusk_submit(db, &(tusk_request){.sql_str = {"select 1\0; drop", 15}, .script = _i});

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_VALUE);
    ck_error(tusk_query_error(q), TUSK_ERR_VALUE, "22021", "the SQL text holds a NUL byte");
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

/* Held until the login is over, sent at once, and in a stack: before an element is looked at. */
START_TEST(array_of_more_than_memory_holds_is_refused)
{
    const tusk_str text = {"a", 1};
    const tusk_value values[] = {tusk_array_of_int4(one, (size_t)1 << 62), tusk_array_of_text(&text, (size_t)1 << 62)};
    tusk_stack *stack = tusk_stack_new(db);

    for (size_t i = 0; i < N_OF(values); i++) {
        tusk_query *q = tusk_exec(db, "select $1", tusk_params_of(&values[i], 1));

        ck_assert_int_eq(tusk_await(q), TUSK_ERR_LIMIT);
        ck_assert_str_eq(tusk_query_error(q)->sqlstate, "54000");
        tusk_query_free(q);
        ck_usable(db);
    }
    ck_assert_int_eq(tusk_stack_push(stack, "select $1", tusk_params_of(values, 1)), TUSK_ERR_LIMIT);
    tusk_stack_free(stack);
}
END_TEST

/* ---- calls ------------------------------------------------------------------------------------------------------------------------ */

static tusk_stmt *stmt;

static tusk_query *ask_nothing(void)
{
    return tusk_submit(db, &(tusk_request){.params = TUSK_NO_PARAMS});
}

static tusk_query *ask_twice(void)
{
    return tusk_submit(db, &(tusk_request){.sql = "select 1", .stmt = stmt});
}

static tusk_query *script_with_params(void)
{
    return tusk_submit(db, &(tusk_request){.sql = "select $1", .script = true, .params = TUSK_PARAMS(tusk_int4(1))});
}

static tusk_query *script_of_a_statement(void)
{
    return tusk_submit(db, &(tusk_request){.stmt = stmt, .script = true});
}

static tusk_query *exec_without_values(void)
{
    return tusk_exec(db, "select $1", tusk_params_of(NULL, 3));
}

static tusk_query *run_without_values(void)
{
    return tusk_stmt_exec(stmt, tusk_params_of(NULL, 3));
}

static tusk_query *explain_without_values(void)
{
    return tusk_stmt_explain(stmt, tusk_params_of(NULL, 3), false);
}

static tusk_query *stack_without_values(void)
{
    tusk_stack *stack = tusk_stack_new(db);
    tusk_query *q;

    (void)tusk_stack_push(stack, "select $1", tusk_params_of(NULL, 3));
    q = tusk_stack_run(stack, TUSK_STACK_ATOMIC);
    tusk_stack_free(stack);
    return q;
}

static tusk_code push_without_values(tusk_query *q, int64_t i, tusk_error *err, void *user)
{
    (void)i;
    (void)err;
    (void)user;
    return tusk_many_push(q, tusk_params_of(NULL, 3));
}

static tusk_query *load_without_values(void)
{
    return tusk_exec_many(db, "select $1", push_without_values, NULL);
}

#define NO_VALUES "the parameters are a NULL pointer, and their number is not 0"

/* clang-format off */
static const struct {
    tusk_query *(*call)(void);
    const char *message;
} calls[] = {
    {ask_nothing, "neither sql nor stmt is given"},
    {ask_twice, "sql and stmt are both given"},
    {script_with_params, "a script takes neither parameters nor a prepared statement"},
    {script_of_a_statement, "a script takes neither parameters nor a prepared statement"},
    {exec_without_values, NO_VALUES},
    {run_without_values, NO_VALUES},
    {explain_without_values, NO_VALUES},
    {stack_without_values, "operation 0: " NO_VALUES},
    {load_without_values, NO_VALUES},
};
/* clang-format on */

START_TEST(contradiction_is_refused)
{
    tusk_query *q;

    stmt = tusk_prepare(db, "select 1", NULL, 0);
    q = calls[_i].call();
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_USAGE);
    ck_error(tusk_query_error(q), TUSK_ERR_USAGE, "42601", calls[_i].message);
    ck_assert_int_eq(tusk_query_error(q)->fate, TUSK_FATE_NOT_SENT);
    tusk_query_free(q);
    tusk_stmt_free(stmt);
    ck_usable(db);
}
END_TEST

START_TEST(closed_connection_is_said_so)
{
    tusk_query *q;

    ck_assert_int_eq(tusk_await_free(tusk_close(db), NULL), TUSK_OK);
    q = tusk_exec(db, "select 1", TUSK_NO_PARAMS);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_STATE);
    ck_error(tusk_query_error(q), TUSK_ERR_STATE, "08003", "the connection is closed");
    tusk_query_free(q);
    stmt = tusk_prepare(db, "select 1", NULL, 0);
    q = tusk_stmt_ready(stmt);
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_STATE);
    ck_error(tusk_query_error(q), TUSK_ERR_STATE, "08003", "the connection is closed");
    tusk_query_free(q);
    tusk_stmt_free(stmt);
}
END_TEST

START_TEST(nothing_at_all_has_nothing_to_say)
{
    tusk_row row;
    tusk_str name, value;
    size_t at = 0;

    ck_assert(!tusk_next_row(NULL, &row));
    ck_assert(!tusk_next_result(NULL));
    ck_assert(tusk_query_is_done(NULL));
    ck_assert_uint_eq(tusk_query_n_rows(NULL), 0);
    ck_assert_int_eq(tusk_query_n_cols(NULL), 0);
    ck_assert_ptr_null(tusk_query_column(NULL, 0));
    ck_assert_int_eq(tusk_query_column_index(NULL, "a"), -1);
    ck_assert_uint_eq(tusk_query_tag(NULL).len, 0);
    ck_assert_int_eq(tusk_query_rows_affected(NULL), -1);
    ck_assert_ptr_null(tusk_query_conn(NULL));
    ck_assert_int_eq(tusk_query_pause(NULL), TUSK_ERR_STATE);
    ck_assert_int_eq(tusk_query_resume(NULL), TUSK_ERR_STATE);
    tusk_query_keep(NULL);
    tusk_rewind(NULL);
    tusk_query_on_done(NULL, NULL, NULL);
    ck_assert_int_eq(tusk_conn_get_state(NULL), TUSK_CONN_CLOSED);
    ck_assert_int_eq(tusk_conn_tx_status(NULL), TUSK_TX_UNKNOWN);
    ck_assert_ptr_null(tusk_conn_loop(NULL));
    ck_assert_uint_eq(tusk_conn_host(NULL).len + tusk_conn_port(NULL).len + tusk_conn_dbname(NULL).len, 0);
    ck_assert_uint_eq(tusk_conn_user(NULL).len + tusk_conn_tls_version(NULL).len, 0);
    ck_assert_uint_eq(tusk_conn_backend_pid(NULL), 0);
    ck_assert_int_eq(tusk_conn_protocol_version(NULL), 0);
    ck_assert_int_eq(tusk_conn_server_version(NULL).num, 0);
    ck_assert_int_eq(tusk_conn_server_kind(NULL), TUSK_SERVER_UNKNOWN);
    ck_assert_int_eq(tusk_conn_recovery(NULL), TUSK_RECOVERY_UNKNOWN);
    ck_assert_uint_eq(tusk_conn_parameter(NULL, "TimeZone").len, 0);
    ck_assert(!tusk_conn_next_parameter(NULL, &at, &name, &value));
}
END_TEST

START_TEST(nothing_at_all_is_out_of_memory)
{
    tusk_error err = {0};

    ck_assert_int_eq(tusk_await(NULL), TUSK_ERR_NOMEM);
    ck_assert_int_eq(tusk_query_code(NULL), TUSK_ERR_NOMEM);
    ck_assert_int_eq(tusk_await_free(NULL, &err), TUSK_ERR_NOMEM);
    ck_error(&err, TUSK_ERR_NOMEM, "53200", "out of memory");
    ck_error(tusk_query_error(NULL), TUSK_ERR_NOMEM, "53200", "out of memory");
    ck_error(tusk_conn_error(NULL), TUSK_ERR_NOMEM, "53200", "out of memory");
    tusk_query_free(NULL);
    tusk_query_cancel(NULL);
    tusk_conn_free(NULL);
    tusk_stmt_free(NULL);
    tusk_loop_free(NULL);
}
END_TEST

static tusk_code waited;
static tusk_error waited_error;

static void wait_inside(tusk_query *q, void *user)
{
    (void)user;
    waited_error = (tusk_error){0};
    waited = tusk_await_free(tusk_exec(tusk_query_conn(q), "select 1", TUSK_NO_PARAMS), &waited_error);
}

START_TEST(awaiting_inside_a_callback_is_said_so)
{
    waited = TUSK_OK;
    ck_assert_int_eq(tusk_await(tusk_submit(db, &(tusk_request){.sql = "select 1", .on_done = wait_inside})), TUSK_OK);
    ck_assert_int_eq(waited, TUSK_ERR_STATE);
    ck_error(&waited_error, TUSK_ERR_STATE, "55000", "a query cannot be waited for inside a callback: use on_done");
    ck_usable(db);
}
END_TEST

START_TEST(awaiting_what_only_the_caller_can_move_is_said_so)
{
    tusk_query *q = tusk_exec(db, "select n, repeat('x', 200) from generate_series(1, 20000) n", TUSK_NO_PARAMS);
    tusk_error err = {0};
    tusk_row row;

    ck_assert(tusk_next_row(q, &row));
    ck_assert_int_eq(tusk_await_free(tusk_exec(db, "select 1", TUSK_NO_PARAMS), &err), TUSK_ERR_STATE);
    ck_error(
        &err, TUSK_ERR_STATE, "55000",
        "the query is behind a stream of its connection: take that one's rows with tusk_next_row(), or free it, first");
    tusk_query_free(q);
    ck_usable(db);
}
END_TEST

/* ---- reading ----------------------------------------------------------------------------------------------------------------------- */

static tusk_code read_int8(const tusk_row *row, int col, tusk_error *err)
{
    int64_t n = 4711;
    tusk_code code = tusk_read_int8(row, col, &n, err);

    ck_assert(code == TUSK_OK || n == 4711);
    return code;
}

static tusk_code read_int2(const tusk_row *row, int col, tusk_error *err)
{
    int16_t n;

    return tusk_read_int2(row, col, &n, err);
}

static tusk_code read_oid(const tusk_row *row, int col, tusk_error *err)
{
    uint32_t n;

    return tusk_read_oid(row, col, &n, err);
}

static tusk_code read_float4(const tusk_row *row, int col, tusk_error *err)
{
    float n;

    return tusk_read_float4(row, col, &n, err);
}

static tusk_code read_text(const tusk_row *row, int col, tusk_error *err)
{
    tusk_str text;

    return tusk_read_text(row, col, &text, err);
}

/* clang-format off */
static const struct {
    const char *sql;
    bool text_results;
    tusk_code (*read)(const tusk_row *row, int col, tusk_error *err);
    int col;
    tusk_code code;
    const char *sqlstate, *where, *message;
} reads[] = {
    {"select null::int8 as id", false, read_int8, 0, TUSK_ERR_NULL, "22004", "read int8", "column 0 \"id\" is NULL"},
    {"select null as id", false, read_int8, 0, TUSK_ERR_NULL, "22004", "read int8", "column 0 \"id\" is NULL"},
    {"select 'x' as id", false, read_int8, 0, TUSK_ERR_TYPE, "42804", "read int8", "column 0 \"id\" is text, not int8"},
    {"select 1.5 as id", false, read_int8, 0, TUSK_ERR_TYPE, "42804", "read int8", "column 0 \"id\" is numeric, not int8"},
    {"select 1 as id", false, read_int8, 1, TUSK_ERR_USAGE, "42601", "read int8", "there is no column 1: the row has 1"},
    {"select 1 as id", false, read_int8, -1, TUSK_ERR_USAGE, "42601", "read int8", "there is no column -1: the row has 1"},
    {"select 1, 32768 as small", false, read_int2, 1, TUSK_ERR_VALUE, "22003", "read int2", "column 1 \"small\": 32768 does not fit int2"},
    {"select -1 as o", false, read_oid, 0, TUSK_ERR_VALUE, "22003", "read oid", "column 0 \"o\": -1 does not fit oid"},
    {"select 1e300::float8 as f", false, read_float4, 0, TUSK_ERR_VALUE, "22003", "read float4", "column 0 \"f\": 1e+300 does not fit float4 without loss"},
    {"select 5 as n", false, read_text, 0, TUSK_ERR_TYPE, "42804", "read text", "column 0 \"n\" is int4, not text"},
    {"select 70000 as n", true, read_int2, 0, TUSK_ERR_VALUE, "22003", "read int2", "column 0 \"n\": 70000 does not fit int2"},
    {"select 'x' as n", true, read_int8, 0, TUSK_ERR_TYPE, "42804", "read int8", "column 0 \"n\" is text, not int8"},
};
/* clang-format on */

START_TEST(value_that_cannot_be_read_says_why)
{
    tusk_query *q = tusk_submit(db, &(tusk_request){.sql = reads[_i].sql, .text_results = reads[_i].text_results});
    tusk_error err = {0};
    tusk_row row;

    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_int_eq(reads[_i].read(&row, reads[_i].col, NULL), reads[_i].code);
    ck_assert_int_eq(reads[_i].read(&row, reads[_i].col, &err), reads[_i].code);
    ck_error(&err, reads[_i].code, reads[_i].sqlstate, reads[_i].message);
    ck_assert_str_eq(err.where, reads[_i].where);
    ck_assert_int_eq(err.column, reads[_i].col);
    ck_assert_int_eq(err.fate, TUSK_FATE_ANSWERED);
    tusk_query_free(q);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("bad_input");
    TCase *tcase = tcase_create("bad_input");

    tcase_add_checked_fixture(tcase, live_up, live_down);
    tcase_add_loop_test(tcase, value_that_cannot_be_sent_is_refused_and_says_why, 0, N_OF(params));
    tcase_add_test(tcase, value_that_the_server_cannot_read_is_named);
    tcase_add_loop_test(tcase, refusals_have_the_server_s_sqlstate, 0, N_OF(same_states));
    tcase_add_loop_test(tcase, statement_that_is_wrong_says_why, 0, N_OF(statements));
    tcase_add_test(tcase, constraint_says_its_name_in_fields);
    tcase_add_test(tcase, long_message_is_cut_in_the_error_and_whole_in_the_field);
    tcase_add_loop_test(tcase, sql_text_with_a_nul_is_refused, 0, 2);
    tcase_add_test(tcase, array_of_more_than_memory_holds_is_refused);
    tcase_add_loop_test(tcase, contradiction_is_refused, 0, N_OF(calls));
    tcase_add_test(tcase, closed_connection_is_said_so);
    tcase_add_test(tcase, nothing_at_all_is_out_of_memory);
    tcase_add_test(tcase, nothing_at_all_has_nothing_to_say);
    tcase_add_test(tcase, awaiting_inside_a_callback_is_said_so);
    tcase_add_test(tcase, awaiting_what_only_the_caller_can_move_is_said_so);
    tcase_add_loop_test(tcase, value_that_cannot_be_read_says_why, 0, N_OF(reads));
    suite_add_tcase(suite, tcase);
    return suite;
}
