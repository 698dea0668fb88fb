/* What is known of an endpoint's types: whose it is, what falls out of it, and how values of a type are read by it. No server is asked: what
 * there is to know is put in by hand.
 * Read first: lib/catalog.h. */
#include <stdio.h>
#include <stdlib.h>

#include <tusk/tusk.h>

#include "lib/catalog.h"
#include "lib/codec/nested.h"
#include "lib/codec/own.h"
#include "test/harness/harness.h"
#include "test/harness/script_server.h"

#define OWN 16400

static script_server *server;
static tusk_loop *loop;
static tusk_conn *db;

static tusk_conn *connect_by(const char *dsn)
{
    tusk_conn *conn = tusk_connect(loop, dsn);

    ck_assert_ptr_nonnull(conn);
    ck_assert_int_eq(tusk_await_free(tusk_conn_ready(conn), NULL), TUSK_OK);
    return conn;
}

static tusk_conn *connect_as(const char *user, const char *dbname)
{
    char dsn[200];

    snprintf(dsn, sizeof dsn, "postgresql://%s:secret@127.0.0.1:%d/%s?sslmode=disable", user, script_port(server),
             dbname);
    return connect_by(dsn);
}

static tusk_conn *connect_to(const char *hosts, int port)
{
    char dsn[200];

    snprintf(dsn, sizeof dsn, "%s port=%d dbname=one user=app password=secret sslmode=disable", hosts, port);
    return connect_by(dsn);
}

static void up(void)
{
    server = script_start(
        "login\nwait until closed\nconnection\nlogin\nwait until closed\nconnection\nlogin\nwait until closed\n"
        "connection\nlogin\nwait until closed\n");
    ck_assert_ptr_nonnull(server);
    loop = tusk_loop_new();
    db = connect_as("app", "one");
}

static void down(void)
{
    tusk_conn_free(db);
    tusk_loop_free(loop);
    (void)script_stop(server);
}

static void add(tusk_conn *conn, uint32_t oid, tusk_type_kind kind, const char *name, uint32_t element)
{
    tusk__catalog_add(
        conn,
        &(tusk_type){
            .oid = oid, .kind = kind, .name = tusk_str_of(name), .schema = tusk_str_of("app"), .element = element});
}

static bool knows(const tusk_conn *conn, uint32_t oid)
{
    tusk_type type;

    return tusk_type_of(conn, oid, &type) == TUSK_OK;
}

START_TEST(another_database_user_or_version_is_another_endpoint)
{
    tusk_conn *same = connect_as("app", "one"), *elsewhere = connect_as("app", "two"),
              *other = connect_as("bob", "one");

    add(db, OWN, TUSK_TYPE_ENUM, "mood", 0);
    ck_assert(knows(db, OWN) && knows(same, OWN));
    ck_assert(!knows(elsewhere, OWN) && tusk__catalog_misses(elsewhere, OWN));
    ck_assert(!knows(other, OWN) && tusk__catalog_misses(other, OWN));
    ck_assert_int_eq(
        tusk__params_set(&same->params, same->allocator, tusk_str_of("server_version"), tusk_str_of("99"), NULL),
        TUSK_OK);
    ck_assert(!knows(same, OWN) && tusk__catalog_misses(same, OWN));
    tusk_conn_free(same);
    tusk_conn_free(elsewhere);
    tusk_conn_free(other);
}
END_TEST

/* Each of the three alone: what is learned there is not known here. */
START_TEST(another_host_address_or_port_is_another_endpoint)
{
    script_server *there = script_start("login\nwait until closed\n");
    tusk_conn *others[3];

    add(db, OWN, TUSK_TYPE_ENUM, "mood", 0);
    others[0] = connect_to("host=127.0.0.1 hostaddr=127.0.0.1", script_port(server));
    others[1] = connect_to("host=localhost hostaddr=127.0.0.1", script_port(server));
    others[2] = connect_to("host=127.0.0.1", script_port(there));
    for (int i = 0; i < 3; i++) {
        ck_assert_msg(!knows(others[i], OWN), "%d", i);
        add(others[i], OWN, TUSK_TYPE_ENUM, "mood", 0);
        for (int j = i + 1; j < 3; j++)
            ck_assert_msg(!knows(others[j], OWN), "%d and %d", i, j);
    }
    for (int i = 0; i < 3; i++)
        tusk_conn_free(others[i]);
    (void)script_stop(there);
}
END_TEST

/* In whatever order the last connections of endpoints go: first, in the middle, last. */
START_TEST(what_is_forgotten_leaves_the_others)
{
    static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    tusk_conn *conns[3] = {connect_as("a", "one"), connect_as("b", "one"), connect_as("c", "one")};

    for (int i = 0; i < 3; i++)
        add(conns[i], OWN, TUSK_TYPE_ENUM, "mood", 0);
    for (int i = 0; i < 3; i++) {
        for (int j = i; j < 3; j++)
            ck_assert(knows(conns[orders[_i][j]], OWN));
        tusk__catalog_leave(conns[orders[_i][i]]);
        for (int j = 0; j < 3; j++)
            ck_assert_int_eq(knows(conns[orders[_i][j]], OWN), j > i);
    }
    for (int i = 0; i < 3; i++)
        tusk_conn_free(conns[i]);
}
END_TEST

START_TEST(the_oldest_fall_out)
{
    const uint32_t n = TUSK__CATALOG_TYPES_MAX + 100;

    for (uint32_t i = 0; i < n; i++)
        add(db, OWN + i, TUSK_TYPE_ENUM, "mood", 0);
    for (uint32_t i = 0; i < n; i++)
        ck_assert_msg(knows(db, OWN + i) == (i >= 100), "%u", (unsigned)i);
}
END_TEST

/* And a few large ones drive out no more than they take: what fell out counts no longer. */
START_TEST(bytes_are_bounded_and_counted_once)
{
    enum { LEN = 100 * 1000 };
    char *name = malloc(LEN + 1);

    ck_assert_ptr_nonnull(name);
    memset(name, 'x', LEN);
    name[LEN] = '\0';
    for (uint32_t i = 0; i < 100; i++)
        add(db, OWN + i, TUSK_TYPE_ENUM, name, 0);
    for (uint32_t i = 0; i < 100; i++)
        ck_assert_msg(knows(db, OWN + i) == (i >= 100 - TUSK__CATALOG_BYTES_MAX / (LEN + 500)), "%u", (unsigned)i);
    free(name);
}
END_TEST

/* What is used next must not fall out while it is added, however large. */
START_TEST(one_that_is_larger_than_all_the_room_stays_until_the_next)
{
    enum { LEN = TUSK__CATALOG_BYTES_MAX + 1 };
    char *name = malloc(LEN + 1);

    ck_assert_ptr_nonnull(name);
    memset(name, 'x', LEN);
    name[LEN] = '\0';
    add(db, OWN, TUSK_TYPE_ENUM, "mood", 0);
    add(db, OWN + 1, TUSK_TYPE_ENUM, name, 0);
    ck_assert(!knows(db, OWN) && knows(db, OWN + 1));
    add(db, OWN + 2, TUSK_TYPE_ENUM, "mood", 0);
    ck_assert(!knows(db, OWN + 1) && knows(db, OWN + 2));
    free(name);
}
END_TEST

START_TEST(what_was_forgotten_can_be_learned_and_forgotten_again)
{
    for (int i = 0; i < 3; i++) {
        add(db, OWN, TUSK_TYPE_ENUM, "mood", 0);
        add(db, OWN + 1, TUSK_TYPE_ENUM, "mood", 0);
        ck_assert(knows(db, OWN) && knows(db, OWN + 1));
        tusk_types_forget(db);
        ck_assert(!knows(db, OWN) && !knows(db, OWN + 1));
    }
}
END_TEST

START_TEST(what_was_learned_last_counts)
{
    tusk_type type;

    tusk__catalog_add_missing(db, OWN);
    ck_assert_int_eq(tusk_type_of(db, OWN, &type), TUSK_DONE);
    ck_assert(!tusk__catalog_misses(db, OWN));
    add(db, OWN, TUSK_TYPE_BASE, "first", 0);
    add(db, OWN, TUSK_TYPE_ENUM, "second", 0);
    ck_assert_int_eq(tusk_type_of(db, OWN, &type), TUSK_OK);
    ck_assert(tusk_str_is(type.name, "second"));
    tusk_types_forget(db);
    ck_assert_int_eq(tusk_type_of(db, OWN, &type), TUSK_AGAIN);
}
END_TEST

START_TEST(nothing_of_the_answer_is_needed_any_more)
{
    char texts[3][8] = {"pair", "app", "first"};
    tusk_type_attribute attribute = {tusk_str_of(texts[2]), TUSK_OID_INT4};
    tusk_type type = {.oid = OWN,
                      .kind = TUSK_TYPE_COMPOSITE,
                      .name = tusk_str_of(texts[0]),
                      .schema = tusk_str_of(texts[1]),
                      .attributes = &attribute,
                      .n_attributes = 1};

    tusk__catalog_add(db, &type);
    memset(texts, 'x', sizeof texts);
    memset(&attribute, 0, sizeof attribute);
    ck_assert_int_eq(tusk_type_of(db, OWN, &type), TUSK_OK);
    ck_assert(tusk_str_is(type.name, "pair") && tusk_str_is(type.schema, "app"));
    ck_assert_int_eq(tusk_type_attribute_index(&type, "first"), 0);
    ck_assert_uint_eq(type.attributes[0].type, TUSK_OID_INT4);
}
END_TEST

START_TEST(domain_is_read_as_its_base)
{
    add(db, OWN, TUSK_TYPE_ENUM, "mood", 0);
    add(db, OWN + 1, TUSK_TYPE_DOMAIN, "cheer", OWN);
    add(db, OWN + 2, TUSK_TYPE_DOMAIN, "pos", TUSK_OID_INT4);
    add(db, OWN + 3, TUSK_TYPE_DOMAIN, "far", OWN + 2);
    add(db, OWN + 4, TUSK_TYPE_DOMAIN, "itself", OWN + 4);
    add(db, OWN + 5, TUSK_TYPE_DOMAIN, "of nothing known", OWN + 6);
    ck_assert_str_eq(tusk__catalog_codec(db, OWN)->name, "enum");
    ck_assert_str_eq(tusk__catalog_codec(db, OWN + 1)->name, "enum");
    ck_assert_str_eq(tusk__catalog_codec(db, OWN + 2)->name, "int4");
    ck_assert_str_eq(tusk__catalog_codec(db, OWN + 3)->name, "int4");
    ck_assert_ptr_null(tusk__catalog_codec(db, OWN + 4));
    ck_assert_ptr_null(tusk__catalog_codec(db, OWN + 5));
}
END_TEST

static tusk__resolved resolved(const tusk_query *q, uint32_t oid)
{
    tusk__types types = tusk__query_types(q);

    return tusk__resolve_type(&types, oid);
}

/* Inside of containers: through however many domains, to what its parts are; what is not there is nothing. */
START_TEST(part_of_a_container_is_resolved)
{
    tusk_query *q = tusk_conn_ready(db);
    tusk__resolved r;

    add(db, OWN, TUSK_TYPE_ENUM, "mood", 0);
    add(db, OWN + 1, TUSK_TYPE_DOMAIN, "cheer", OWN);
    add(db, OWN + 2, TUSK_TYPE_DOMAIN, "good cheer", OWN + 1);
    add(db, OWN + 3, TUSK_TYPE_ARRAY, "_mood", OWN);
    tusk__catalog_add_missing(db, OWN + 4);
    r = resolved(q, OWN + 2);
    ck_assert(r.type == OWN && r.own && tusk_str_is(r.own->name, "mood"));
    ck_assert_str_eq(r.codec->name, "enum");
    r = resolved(q, OWN + 3);
    ck_assert(r.type == OWN + 3 && r.element == OWN && r.own);
    ck_assert_str_eq(r.codec->name, "array");
    r = resolved(q, OWN + 4);
    ck_assert(!r.own && !r.codec && r.element == 0);
    tusk_query_free(q);
}
END_TEST

/* Those without a codec, too; 9999 is no type, and might be one of a later server's. */
START_TEST(built_in_types_are_not_missed)
{
    static const uint32_t types[] = {
        0, TUSK_OID_INT4, 71 /* pg_type */, 2249 /* record */, 3642 /* gtsvector */, TUSK_OID_INT4RANGE};

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        ck_assert_msg(!tusk__catalog_misses(db, types[i]), "%u", (unsigned)types[i]);
    ck_assert(tusk__catalog_misses(db, 9999) && tusk__catalog_misses(db, OWN));
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("catalog");
    TCase *tcase = tcase_create("types of an endpoint");

    tcase_add_checked_fixture(tcase, up, down);
    tcase_add_test(tcase, another_database_user_or_version_is_another_endpoint);
    tcase_add_test(tcase, another_host_address_or_port_is_another_endpoint);
    tcase_add_loop_test(tcase, what_is_forgotten_leaves_the_others, 0, 6);
    tcase_add_test(tcase, the_oldest_fall_out);
    tcase_add_test(tcase, bytes_are_bounded_and_counted_once);
    tcase_add_test(tcase, one_that_is_larger_than_all_the_room_stays_until_the_next);
    tcase_add_test(tcase, what_was_forgotten_can_be_learned_and_forgotten_again);
    tcase_add_test(tcase, what_was_learned_last_counts);
    tcase_add_test(tcase, nothing_of_the_answer_is_needed_any_more);
    tcase_add_test(tcase, domain_is_read_as_its_base);
    tcase_add_test(tcase, part_of_a_container_is_resolved);
    tcase_add_test(tcase, built_in_types_are_not_missed);
    suite_add_tcase(suite, tcase);
    return suite;
}
