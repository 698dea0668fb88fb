/* Types of extensions against the real ones: hstore, ltree and citext of contrib, and pgvector where it is to be had. Each value is compared
 * with the server's own text. */
#include <math.h>

#include "test/live/live.h"

static bool has_extension(const char *name)
{
    return number(textf("select count(*) from pg_available_extensions where name = '%s'", name)) > 0;
}

/* In a schema that is not in the way: found by the type's name, wherever it is. */
static bool create(const char *name)
{
    if (!has_extension(name)) {
        harness_skip(textf("values of %s", name), "the server has no such extension");
        return false;
    }
    run_script(textf("create extension %s schema extensions", name));
    return true;
}

static void up(void)
{
    live_up();
    run_script("drop schema if exists extensions cascade; create schema extensions; set search_path = extensions");
}

static void down(void)
{
    run_script("drop schema if exists extensions cascade");
    live_down();
}

static tusk_query *ask(const char *sql)
{
    tusk_query *q = tusk_exec(db, sql, TUSK_NO_PARAMS);

    ck_ok(q);
    return q;
}

/* Column 0 as we print it, column 1 as the server does. */
static void ck_same_text(tusk_query *q)
{
    char text[65536];
    size_t len;
    tusk_error err = {0};

    for (tusk_row row; tusk_next_row(q, &row);) {
        tusk_str want = tusk_get_text(&row, 1);

        ck_assert_msg(tusk_format_value(&row, 0, text, sizeof text, &len, &err) == TUSK_OK, "%s", said(&err));
        ck_assert_msg(tusk_str_is(want, text), "%s, not " TUSK_STR_FMT, text, TUSK_STR_ARG(want));
        ck_assert_uint_eq(len, want.len);
    }
    tusk_query_free(q);
}

/* ---- text ------------------------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *extension, *type, *value;
} texts[] = {
    {"citext", "citext", "Straße"},
    {"citext", "citext", ""},
    {"ltree", "ltree", "Top.Science.Astronomy"},
    {"ltree", "ltree", ""},
    {"ltree", "lquery", "Top.*{1,2}.!stars"},
    {"ltree", "ltxtquery", "Europe & Russia*@"},
};

START_TEST(types_that_are_text_are_read_and_sent_as_that)
{
    const char *type = texts[_i].type, *value = texts[_i].value;
    tusk_query *q;
    tusk_row row;

    if (!create(texts[_i].extension))
        return;
    q = ask(textf("select '%s'::%s, '%s'::%s::text", value, type, value, type));
    ck_assert_uint_eq(tusk_query_column(q, 0)->format, 1);
    ck_assert(tusk_next_row(q, &row));
    ck_assert_msg(tusk_str_equal(tusk_get_text(&row, 0), tusk_get_text(&row, 1)), "%s",
                  said(tusk_query_value_error(q)));
    tusk_rewind(q);
    ck_same_text(q);
    q = tusk_exec(db, textf("select $1::%s::text = '%s'::%s::text", type, value, type),
                  TUSK_PARAMS(tusk_unknown(value)));
    ck_ok(q);
    ck_assert(tusk_next_row(q, &row));
    ck_assert(tusk_get_bool(&row, 0));
    tusk_query_free(q);
}
END_TEST

/* ---- hstore ---------------------------------------------------------------------------------------------------------------------- */

static const char *const hstores[] = {
    "",
    "a=>1",
    "a=>NULL",
    "\"\"=>\"\"",
    "a=>NULL, b=>\"NULL\"",
    "\"q\\\"uote\"=>\"back\\\\slash\"",
    "ä=>\"größer, => als\"",
    "a=>1, b=>2, c=>3",
};

START_TEST(hstore_is_printed_as_by_the_server)
{
    if (create("hstore"))
        ck_same_text(
            tusk_exec(db, "select $1::text::hstore, $1::text::hstore::text", TUSK_PARAMS(tusk_text(hstores[_i]))));
}
END_TEST

static tusk_str str(const char *s)
{
    return tusk_str_of(s);
}

/* One too long to be printed into a buffer first. */
START_TEST(hstore_is_escaped_in_containers_whatever_its_length)
{
    if (!create("hstore"))
        return;
    run("create type extensions.held as (h hstore, a hstore[])");
    for (int n = 1; n <= 400; n *= 20)
        ck_same_text(ask(textf("select h, h::text from (select row(x, array[x, null])::held from "
                               "(select hstore(repeat('\"k\\ ', %d), repeat('v\"', %d)) x) i) s(h)",
                               n, n)));
}
END_TEST

START_TEST(hstore_is_a_view_of_pairs)
{
    tusk_query *q;
    tusk_row row;
    tusk_hstore_view h;
    tusk_hstore_pair pair;
    tusk_str value;
    size_t at = 0;

    if (!create("hstore"))
        return;
    q = ask("select 'a=>1, b=>NULL'::hstore, null::hstore, 1");
    ck_assert(tusk_next_row(q, &row));
    h = tusk_get_hstore(&row, 0);
    ck_assert_uint_eq(h.n_pairs, 2);
    ck_assert(tusk_hstore_next(h, &at, &pair));
    ck_assert(tusk_str_is(pair.key, "a") && tusk_str_is(pair.value, "1"));
    ck_assert(tusk_hstore_next(h, &at, &pair));
    ck_assert(tusk_str_is(pair.key, "b") && !pair.value.ptr);
    ck_assert(!tusk_hstore_next(h, &at, &pair));
    ck_assert(tusk_hstore_find(h, str("b"), &value) && !value.ptr);
    ck_assert(!tusk_hstore_find(h, str("c"), &value));
    ck_assert_ptr_null(tusk_get_hstore(&row, 1).wire);
    ck_assert_int_eq(tusk_query_value_error(q)->code, TUSK_OK);
    ck_assert_ptr_null(tusk_get_hstore(&row, 2).wire);
    ck_assert_str_eq(tusk_query_value_error(q)->message, "column 2 \"?column?\" is int4, not hstore");
    tusk_query_free(q);
}
END_TEST

/* As text while the type is not known, in binary from then on. */
START_TEST(hstore_is_sent_as_text_first_and_then_in_binary)
{
    tusk_hstore_pair pairs[] = {{str("a\"\\"), str("x, y=>z")}, {str("n"), {NULL, 0}}, {str(""), str("")}};
    unsigned char buf[128];
    tusk_hstore_view h;
    tusk_stmt *stmt;
    tusk_query *q;
    tusk_row row;

    if (!create("hstore"))
        return;
    ck_assert_uint_eq(tusk_hstore_size(pairs, 3), 4 + 24 + 3 + 7 + 1);
    ck_assert_int_eq(tusk_hstore_from_pairs(pairs, 3, buf, 38, &h, NULL), TUSK_ERR_LIMIT);
    ck_assert_int_eq(tusk_hstore_from_pairs(pairs, 3, buf, sizeof buf, &h, NULL), TUSK_OK);
    stmt = tusk_prepare(
        db, "select $1::hstore, ($1::hstore)::text, hstore(array['a\"\\','x, y=>z','n',null,'','']) = $1", NULL, 0);
    for (int i = 0; i < 3; i++) {
        q = i ? tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_hstore(h)))
              : tusk_exec(db,
                          "select $1::hstore, ($1::hstore)::text, hstore(array['a\"\\','x, y=>z','n',null,'','']) = $1",
                          TUSK_PARAMS(tusk_hstore(h)));
        ck_ok(q);
        ck_assert(tusk_next_row(q, &row));
        ck_assert(tusk_get_bool(&row, 2));
        ck_assert_uint_eq(tusk_get_hstore(&row, 0).n_pairs, 3);
        tusk_rewind(q);
        ck_same_text(q);
    }
    tusk_stmt_free(stmt);
}
END_TEST

static tusk_code pull_hstores(tusk_query *load, int64_t item, tusk_error *err, void *user)
{
    const tusk_hstore_view *h = user;

    (void)err;
    return item < 3 ? tusk_many_push(load, TUSK_PARAMS(tusk_hstore(*h))) : TUSK_DONE;
}

/* The first item waits until the server has said what it wants: it is asked for that. */
START_TEST(load_of_hstores_goes_on_from_its_first_item)
{
    tusk_hstore_pair pair = {str("a"), str("1")};
    unsigned char buf[32];
    tusk_hstore_view h;

    if (!create("hstore"))
        return;
    ck_assert_int_eq(tusk_hstore_from_pairs(&pair, 1, buf, sizeof buf, &h, NULL), TUSK_OK);
    run("create temp table loaded (h hstore)");
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(
            tusk_await_free(tusk_many_submit(db, &(tusk_many_request){.sql = "insert into loaded values ($1)",
                                                                      .pull = pull_hstores,
                                                                      .user = &h,
                                                                      .timeout = 20}),
                            NULL),
            TUSK_OK);
    ck_assert_int_eq(number("select count(*) from loaded where h = 'a=>1'"), 6);
}
END_TEST

START_TEST(hstore_goes_where_it_belongs_alone)
{
    unsigned char buf[8];
    tusk_hstore_view h;
    tusk_stmt *stmt = tusk_prepare(db, "select $1::int4", NULL, 0);
    tusk_query *q;
    tusk_error err = {0};

    ck_assert_int_eq(tusk_hstore_from_pairs(NULL, 0, buf, sizeof buf, &h, NULL), TUSK_OK);
    ck_ok(tusk_stmt_ready(stmt));
    q = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_hstore(h)));
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_TYPE);
    ck_assert_str_eq(tusk_query_error(q)->message, "the statement wants int4 here, not hstore");
    ck_assert_str_eq(tusk_query_error(q)->where, "bind $1 (int4)");
    tusk_query_free(q);
    ck_assert_int_eq(tusk_hstore_from_pairs(&(tusk_hstore_pair){{NULL, 0}, str("x")}, 1, buf, 99, &h, &err),
                     TUSK_ERR_VALUE);
    ck_assert_str_eq(err.sqlstate, "22004");
    h = (tusk_hstore_view){(const unsigned char *)"\0\0\0\1\0\0\0\1a", 9, 1};
    q = tusk_exec(db, "select $1::text", TUSK_PARAMS(tusk_hstore(h)));
    ck_assert_int_eq(tusk_await(q), TUSK_ERR_VALUE);
    tusk_query_free(q);
    tusk_stmt_free(stmt);
}
END_TEST

/* In an INSERT no result tells of it: the statement's parameters do. */
START_TEST(parameter_of_an_insert_is_looked_up_too)
{
    tusk_hstore_pair pair = {str("k"), str("v")};
    unsigned char buf[16];
    tusk_hstore_view h;
    tusk_type type;
    uint32_t oid;

    if (!create("hstore"))
        return;
    run("create table extensions.t (h hstore)");
    oid = (uint32_t)number("select 'hstore'::regtype::oid::int8");
    ck_assert_int_eq(tusk_hstore_from_pairs(&pair, 1, buf, sizeof buf, &h, NULL), TUSK_OK);
    for (int i = 0; i < 3; i++)
        ck_ok(tusk_exec(db, "insert into extensions.t values ($1)", TUSK_PARAMS(tusk_hstore(h))));
    ck_assert_int_eq(tusk_type_of(db, oid, &type), TUSK_OK);
    ck_assert_int_eq(number("select count(*) from extensions.t where h -> 'k' = 'v'"), 3);
}
END_TEST

/* ---- pgvector -------------------------------------------------------------------------------------------------------------------- */

static const char *const vectors[] = {
    "vector '[1,-2.5,3e-38]'",
    "vector '[0]'",
    "halfvec '[1,-2.5,0.0000001,65504]'",
    "sparsevec '{1:1.5,3:-2}/5'",
    "sparsevec '{}/1000'",
    "array['[1,2]', null, '[3]']::vector[]",
    "array[['[1]', '[2]'], ['[0.5]', '[-0]']]::halfvec[]",
    "array['{1:1}/1', '{}/3']::sparsevec[]",
};

/* halfvec and sparsevec came with 0.7. */
static bool create_vector(void)
{
    if (!create("vector"))
        return false;
    if (number("select count(*) from pg_type where typname in ('halfvec', 'sparsevec')") == 2)
        return true;
    harness_skip("values of halfvec and sparsevec", "this pgvector is older than 0.7");
    return false;
}

START_TEST(vectors_are_printed_as_by_the_server)
{
    if (create_vector())
        ck_same_text(ask(textf("select %s, (%s)::text", vectors[_i], vectors[_i])));
}
END_TEST

static const float floats[] = {1.0F, -2.5F, 0.1F, 3e-38F};
struct embedded {
    float v[3], h[3], a[3];
};

START_TEST(vectors_go_into_members_of_as_many_floats)
{
    static const tusk_field table[] = {TUSK_FIELD(struct embedded, v, 0), TUSK_FIELD(struct embedded, h, 0),
                                       TUSK_FIELD(struct embedded, a, 0)};
    tusk_fields *fields = tusk_fields_new(loop, sizeof(struct embedded), table, 3, NULL);
    struct embedded e;
    tusk_error err = {0};
    size_t n;

    if (create("vector")) {
        tusk_query *q = ask("select '[1,2,3]'::vector v, '[4,5,6]'::halfvec h, '{7,8,9}'::float4[] a");

        ck_assert_msg(tusk_fields_fetch(fields, q, &e, 1, &n, &err) == TUSK_OK, "%s", said(&err));
        for (int i = 0; i < 3; i++)
            ck_assert(e.v[i] == (float)(i + 1) && e.h[i] == (float)(i + 4) && e.a[i] == (float)(i + 7));
        tusk_query_free(q);
        q = ask("select '{1:1}/3'::sparsevec v, '[4,5,6]'::halfvec h, '{7,8,9}'::float4[] a");
        ck_assert_int_eq(tusk_fields_fetch(fields, q, &e, 1, &n, &err), TUSK_ERR_TYPE);
        tusk_query_free(q);
    }
    tusk_fields_free(fields);
}
END_TEST

START_TEST(vector_goes_to_floats_and_back)
{
    float got[4];
    size_t n = 0;
    tusk_query *q;
    tusk_row row;

    if (!create_vector())
        return;
    for (int i = 0; i < 3; i++) {
        q = tusk_exec(db, "select $1::vector, $1::vector::halfvec, $1 = vector '[1,-2.5,0.1,3e-38]'",
                      TUSK_PARAMS(tusk_vector(floats, 4)));
        ck_ok(q);
        ck_assert(tusk_next_row(q, &row));
        ck_assert_int_eq(tusk_read_vector(&row, 0, got, 3, &n, NULL), TUSK_ERR_LIMIT);
        ck_assert_uint_eq(n, 4);
        ck_assert_int_eq(tusk_read_vector(&row, 0, got, 4, &n, NULL), TUSK_OK);
        ck_assert_mem_eq(got, floats, sizeof floats);
        ck_assert_int_eq(tusk_read_vector(&row, 1, got, 4, &n, NULL), TUSK_OK);
        ck_assert(got[0] == 1.0F && got[1] == -2.5F);
        ck_assert(tusk_get_bool(&row, 2));
        tusk_query_free(q);
    }
}
END_TEST

/* The first time as text, then as the statement says: floats as they are, or as halves; a sparsevec of a dense one's text it is not. */
START_TEST(halfvec_takes_floats_and_sparsevec_does_not)
{
    tusk_stmt *halves, *sparse;
    tusk_query *q;
    tusk_row row;

    if (!create_vector())
        return;
    halves = tusk_prepare(db, "select $1 = halfvec '[1,-2.5,0.1,3e-38]', $1::halfvec::text", NULL, 0);
    sparse = tusk_prepare(db, "select $1::sparsevec", NULL, 0);
    for (int i = 0; i < 3; i++) {
        q = tusk_stmt_exec(halves, TUSK_PARAMS(tusk_vector(floats, 4)));
        ck_ok(q);
        ck_assert(tusk_next_row(q, &row));
        ck_assert(tusk_get_bool(&row, 0));
        ck_assert(tusk_str_is(tusk_get_text(&row, 1), "[1,-2.5,0.099975586,0]"));
        tusk_query_free(q);
        q = tusk_stmt_exec(sparse, TUSK_PARAMS(tusk_vector(floats, 4)));
        ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
        ck_assert_str_eq(tusk_query_error(q)->sqlstate, "22P02");
        tusk_query_free(q);
    }
    tusk_stmt_free(halves);
    tusk_stmt_free(sparse);
}
END_TEST

START_TEST(sparsevec_is_a_view_of_what_is_not_zero)
{
    tusk_sparsevec_view v;
    tusk_query *q;
    tusk_row row;

    if (!create_vector())
        return;
    q = ask("select '{2:1.5,1000000000:-2}/1000000000'::sparsevec, null::sparsevec, vector '[1]'");
    ck_assert(tusk_next_row(q, &row));
    ck_assert_int_eq(tusk_read_sparsevec(&row, 0, &v, NULL), TUSK_OK);
    ck_assert(v.dim == 1000000000 && v.n == 2);
    ck_assert(tusk_sparsevec_index(v, 0) == 1 && tusk_sparsevec_value(v, 0) == 1.5F);
    ck_assert(tusk_sparsevec_index(v, 1) == 999999999 && tusk_sparsevec_value(v, 1) == -2.0F);
    ck_assert_int_eq(tusk_read_sparsevec(&row, 1, &v, NULL), TUSK_ERR_NULL);
    ck_assert_int_eq(tusk_read_sparsevec(&row, 2, &v, NULL), TUSK_ERR_TYPE);
    tusk_query_free(q);
}
END_TEST

/* What was read goes back as it came, each in its own type's column; arrays, too. */
START_TEST(vectors_that_were_read_are_parameters)
{
    tusk_value values[4];
    tusk_stmt *stmt;
    tusk_query *q;
    tusk_row row;

    if (!create_vector())
        return;
    run("create table extensions.v (v vector(2), h halfvec, s sparsevec, a vector[])");
    run("insert into extensions.v values ('[1,2]', '[3,4]', '{1:5}/9', array['[6]', null]::vector[])");
    q = ask("select * from extensions.v");
    ck_assert(tusk_next_row(q, &row));
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(tusk_read_value(&row, i, &values[i], NULL), TUSK_OK);
    stmt = tusk_prepare(db, "insert into extensions.v values ($1, $2, $3, $4)", NULL, 0);
    for (int i = 0; i < 2; i++) {
        ck_ok(tusk_exec(db, "insert into extensions.v values ($1, $2, $3, $4)",
                        TUSK_PARAMS(values[0], values[1], values[2], values[3])));
        ck_ok(tusk_stmt_exec(stmt, TUSK_PARAMS(values[0], values[1], values[2], values[3])));
    }
    ck_assert_int_eq(number("select count(*) from extensions.v where v = '[1,2]' and h = '[3,4]' and s = '{1:5}/9' and "
                            "a::text = '{[6],NULL}'"),
                     5);
    tusk_stmt_free(stmt);
    tusk_query_free(q);
}
END_TEST

/* As long as the longest, and what pgvector takes no vector of. */
START_TEST(vector_has_as_many_elements_as_pgvector_takes)
{
    static float many[TUSK_VECTOR_MAX], got[TUSK_VECTOR_MAX];
    const float infinite = INFINITY;
    size_t n = 0;
    tusk_query *q;
    tusk_row row;

    if (!create("vector"))
        return;
    for (int i = 0; i < TUSK_VECTOR_MAX; i++)
        many[i] = (float)i / 7;
    for (int i = 0; i < 2; i++) {
        q = tusk_exec(db, "select $1::vector", TUSK_PARAMS(tusk_vector(many, TUSK_VECTOR_MAX)));
        ck_ok(q);
        ck_assert(tusk_next_row(q, &row));
        ck_assert_int_eq(tusk_read_vector(&row, 0, got, TUSK_VECTOR_MAX, &n, NULL), TUSK_OK);
        ck_assert_uint_eq(n, TUSK_VECTOR_MAX);
        ck_assert_mem_eq(got, many, sizeof many);
        tusk_query_free(q);
        q = tusk_exec(db, "select $1::vector", TUSK_PARAMS(tusk_vector(&infinite, 1)));
        ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
        tusk_query_free(q);
    }
}
END_TEST

static const char *const geometries[] = {
    "'SRID=4326;POINT(1 2)'::geometry",
    "'LINESTRING(0 0, 1 1, 2 1)'::geometry",
    "'POLYGON EMPTY'::geometry",
    "'SRID=4326;POINT(-71.06 42.28)'::geography",
};

/* EWKB, both ways. */
START_TEST(geometries_are_bytes)
{
    char type[16];
    tusk_stmt *stmt;
    tusk_query *q, *back;
    tusk_row row;
    tusk_str bytes;

    if (!create("postgis"))
        return;
    snprintf(type, sizeof type, "%s", strstr(geometries[_i], "::") + 2);
    ck_same_text(ask(textf("select %s, %s::text", geometries[_i], geometries[_i])));
    ck_same_text(ask(textf("select r, r::text from (select row(%s, 1)) s(r)", geometries[_i])));
    ck_same_text(
        ask(textf("select a, a::text from (select array[%s, null, %s]) s(a)", geometries[_i], geometries[_i])));
    q = ask(textf("select %s, ST_AsEWKB(%s::geometry), null::%s", geometries[_i], geometries[_i], type));
    ck_assert(tusk_next_row(q, &row));
    bytes = tusk_get_bytea(&row, 0);
    ck_assert(bytes.len > 0 && tusk_str_equal(bytes, tusk_get_bytea(&row, 1)));
    ck_assert_ptr_null(tusk_get_bytea(&row, 2).ptr);
    stmt = tusk_prepare(db, textf("select ST_AsEWKB(($1::%s)::geometry)", type), NULL, 0);
    for (int i = 0; i < 2; i++) {
        back = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_bytea(bytes.ptr, bytes.len)));
        ck_ok(back);
        ck_assert(tusk_next_row(back, &row));
        ck_assert(tusk_str_equal(tusk_get_bytea(&row, 0), bytes));
        tusk_query_free(back);
    }
    tusk_stmt_free(stmt);
    tusk_query_free(q);
}
END_TEST

START_TEST(type_that_is_created_later_is_seen)
{
    tusk_query *q = tusk_exec(db, "select 'a=>1'::hstore", TUSK_NO_PARAMS);

    ck_assert_int_eq(tusk_await(q), TUSK_ERR_SERVER);
    ck_assert_str_eq(tusk_query_error(q)->sqlstate, "42704");
    tusk_query_free(q);
    for (int i = 0; i < 2 && create("hstore"); i++) {
        ck_same_text(ask("select 'a=>1'::hstore, 'a=>1'::hstore::text"));
        run("drop extension hstore"); /* and the next one has another OID */
    }
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("live/extension");
    TCase *tcase = tcase_create("types of extensions");

    tcase_add_checked_fixture(tcase, up, down);
    tcase_add_loop_test(tcase, types_that_are_text_are_read_and_sent_as_that, 0, N_OF(texts));
    tcase_add_loop_test(tcase, hstore_is_printed_as_by_the_server, 0, N_OF(hstores));
    tcase_add_test(tcase, hstore_is_escaped_in_containers_whatever_its_length);
    tcase_add_test(tcase, hstore_is_a_view_of_pairs);
    tcase_add_test(tcase, hstore_is_sent_as_text_first_and_then_in_binary);
    tcase_add_test(tcase, load_of_hstores_goes_on_from_its_first_item);
    tcase_add_test(tcase, hstore_goes_where_it_belongs_alone);
    tcase_add_test(tcase, parameter_of_an_insert_is_looked_up_too);
    tcase_add_loop_test(tcase, vectors_are_printed_as_by_the_server, 0, N_OF(vectors));
    tcase_add_test(tcase, vectors_go_into_members_of_as_many_floats);
    tcase_add_test(tcase, vector_goes_to_floats_and_back);
    tcase_add_test(tcase, halfvec_takes_floats_and_sparsevec_does_not);
    tcase_add_test(tcase, sparsevec_is_a_view_of_what_is_not_zero);
    tcase_add_test(tcase, vectors_that_were_read_are_parameters);
    tcase_add_test(tcase, vector_has_as_many_elements_as_pgvector_takes);
    tcase_add_loop_test(tcase, geometries_are_bytes, 0, N_OF(geometries));
    tcase_add_test(tcase, type_that_is_created_later_is_seen);
    suite_add_tcase(suite, tcase);
    return suite;
}
