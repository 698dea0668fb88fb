/* Rows into structs against the real server: every C type next to its getter, in both formats, and each way that rows come.
 * Read first: tusk/fields.h, test/fields_test.c. */
#include "test/live/live.h"

static tusk_error err;

static tusk_fields *fields_of(size_t struct_size, const tusk_field *table, size_t n)
{
    tusk_fields *fields = tusk_fields_new(loop, struct_size, table, n, &err);

    ck_assert_msg(fields != NULL, "%s", said(&err));
    return fields;
}

#define FIELDS_OF(struct_type, table) fields_of(sizeof(struct_type), table, sizeof(table) / sizeof *(table))

/* ---- every C type ------------------------------------------------------------------------------------------------------------------------- */

struct everything {
    bool b;
    int16_t i2;
    int32_t i4;
    int64_t i8, i8_of_i4, i8_of_i2, i8_of_oid;
    int32_t i4_of_i2;
    uint32_t o, x, cid;
    uint64_t x8, lsn;
    float f4;
    double f8, f8_of_f4;
    int32_t d;
    int64_t t, ts, tstz, m;
    tusk_timetz_parts ttz;
    tusk_interval_parts iv;
    tusk_macaddr_octets mac;
    tusk_macaddr8_octets mac8;
    uint8_t u[16];
    tusk_str txt, j, jb, point, label;
    char name[64], jb_copy[32], label_copy[8];
    bool is_null;
};

static const char everything_sql[] =
    "select true b, -7::int2 i2, 70000 i4, 5000000000 i8, -70000 i8_of_i4, -3::int2 i8_of_i2, 4294967295::oid "
    "i8_of_oid, "
    "-2::int2 i4_of_i2, 4294967295::oid o, '77'::xid x, '78'::cid cid, '18446744073709551615'::xid8 x8, "
    "'16/B374D848'::pg_lsn lsn, 0.5::float4 f4, 1e300::float8 f8, 0.1::float4 f8_of_f4, '-infinity'::date d, "
    "'24:00'::time t, '2024-02-29 12:34:56.5'::timestamp ts, 'infinity'::timestamptz tstz, (-1234.56)::numeric::money "
    "m, "
    "'12:00+02'::timetz ttz, '1 mon -2 days 00:00:03'::interval iv, '08:00:2b:01:02:03'::macaddr mac, "
    "'08:00:2b:01:02:03:04:05'::macaddr8 mac8, '00112233-4455-6677-8899-aabbccddeeff'::uuid u, "
    "'gr\u00fc\u00dfe'::varchar txt, '{\"a\" : 1}'::json j, '{\"a\" : 1}'::jsonb jb, '(1,2)'::point point, "
    "'blue'::fields_color label";

static const tusk_field everything_table[] = {
    TUSK_FIELD(struct everything, b, TUSK_OID_BOOL),
    TUSK_FIELD(struct everything, i2, TUSK_OID_INT2),
    TUSK_FIELD(struct everything, i4, TUSK_OID_INT4),
    TUSK_FIELD(struct everything, i8, TUSK_OID_INT8),
    TUSK_FIELD(struct everything, i8_of_i4, TUSK_OID_INT8),
    TUSK_FIELD(struct everything, i8_of_i2, TUSK_OID_INT8),
    TUSK_FIELD(struct everything, i8_of_oid, TUSK_OID_INT8),
    TUSK_FIELD(struct everything, i4_of_i2, TUSK_OID_INT4),
    TUSK_FIELD(struct everything, o, TUSK_OID_OID),
    TUSK_FIELD(struct everything, x, TUSK_OID_XID),
    TUSK_FIELD(struct everything, cid, TUSK_OID_CID),
    TUSK_FIELD(struct everything, x8, TUSK_OID_XID8),
    TUSK_FIELD(struct everything, lsn, TUSK_OID_PG_LSN),
    TUSK_FIELD(struct everything, f4, TUSK_OID_FLOAT4),
    TUSK_FIELD(struct everything, f8, TUSK_OID_FLOAT8),
    TUSK_FIELD(struct everything, f8_of_f4, TUSK_OID_FLOAT8),
    TUSK_FIELD(struct everything, d, TUSK_OID_DATE),
    TUSK_FIELD(struct everything, t, TUSK_OID_TIME),
    TUSK_FIELD(struct everything, ts, TUSK_OID_TIMESTAMP),
    TUSK_FIELD(struct everything, tstz, TUSK_OID_TIMESTAMPTZ),
    TUSK_FIELD(struct everything, m, TUSK_OID_MONEY),
    TUSK_FIELD(struct everything, ttz, TUSK_OID_TIMETZ),
    TUSK_FIELD(struct everything, iv, TUSK_OID_INTERVAL),
    TUSK_FIELD(struct everything, mac, TUSK_OID_MACADDR),
    TUSK_FIELD(struct everything, mac8, TUSK_OID_MACADDR8),
    TUSK_FIELD(struct everything, u, TUSK_OID_UUID),
    TUSK_FIELD(struct everything, txt, TUSK_OID_TEXT),
    TUSK_FIELD_AS(struct everything, name, TUSK_OID_NAME, "txt"),
    TUSK_FIELD(struct everything, j, TUSK_OID_JSON),
    TUSK_FIELD(struct everything, jb, TUSK_OID_JSONB),
    TUSK_FIELD_AS(struct everything, jb_copy, TUSK_OID_JSONB, "jb"),
    TUSK_FIELD(struct everything, point, 0),
    TUSK_FIELD(struct everything, label, 0),
    TUSK_FIELD_AS(struct everything, label_copy, 0, "label"),
};

static int col_of(const tusk_row *row, const char *name)
{
    int col = tusk_query_column_index(row->query, name);

    ck_assert_msg(col >= 0, "%s", name);
    return col;
}

#define CK_SAME(member, getter)                                                                                        \
    do {                                                                                                               \
        __typeof__(e->member) ck_value = getter(row, col_of(row, #member));                                            \
        ck_assert_msg(memcmp(&e->member, &ck_value, sizeof ck_value) == 0, "%s", #member);                             \
    } while (0)

static void check_everything(const struct everything *e, const tusk_row *row)
{
    uint8_t uuid[16];

    CK_SAME(b, tusk_get_bool);
    CK_SAME(i2, tusk_get_int2);
    CK_SAME(i4, tusk_get_int4);
    CK_SAME(i8, tusk_get_int8);
    CK_SAME(i8_of_i4, tusk_get_int8);
    CK_SAME(i8_of_i2, tusk_get_int8);
    CK_SAME(i8_of_oid, tusk_get_int8);
    CK_SAME(i4_of_i2, tusk_get_int4);
    CK_SAME(o, tusk_get_oid);
    CK_SAME(x, tusk_get_xid);
    CK_SAME(cid, tusk_get_cid);
    CK_SAME(x8, tusk_get_xid8);
    CK_SAME(lsn, tusk_get_pg_lsn);
    CK_SAME(f4, tusk_get_float4);
    CK_SAME(f8, tusk_get_float8);
    CK_SAME(f8_of_f4, tusk_get_float8);
    CK_SAME(d, tusk_get_date);
    CK_SAME(t, tusk_get_time);
    CK_SAME(ts, tusk_get_timestamp);
    CK_SAME(tstz, tusk_get_timestamptz);
    CK_SAME(m, tusk_get_money);
    ck_assert_int_eq(e->ttz.us, tusk_get_timetz(row, col_of(row, "ttz")).us);
    ck_assert_int_eq(e->ttz.offset, tusk_get_timetz(row, col_of(row, "ttz")).offset);
    CK_SAME(iv, tusk_get_interval);
    CK_SAME(mac, tusk_get_macaddr);
    CK_SAME(mac8, tusk_get_macaddr8);
    ck_assert_int_eq(tusk_read_uuid(row, col_of(row, "u"), uuid, NULL), TUSK_OK);
    ck_assert_mem_eq(e->u, uuid, 16);
    CK_SAME(txt, tusk_get_text);
    CK_SAME(j, tusk_get_text);
    CK_SAME(jb, tusk_get_text);
    CK_SAME(point, tusk_get_raw);
    CK_SAME(label, tusk_get_raw);
    ck_assert_str_eq(e->name, "gr\u00fc\u00dfe");
    ck_assert_str_eq(e->jb_copy, "{\"a\": 1}");
    ck_assert_str_eq(e->label_copy, "blue");
    ck_assert_int_eq(tusk_query_value_error(row->query)->code, TUSK_OK);
}

START_TEST(a_member_of_each_type_holds_what_its_getter_gives)
{
    tusk_fields *fields = FIELDS_OF(struct everything, everything_table);
    struct everything e;
    tusk_query *q;
    tusk_row row;

    run("create type pg_temp.fields_color as enum ('red', 'blue')");
    q = tusk_submit(db, &(tusk_request){.sql = everything_sql, .text_results = _i == 1});
    memset(&e, 0x55, sizeof e);
    ck_assert_msg(tusk_query_one(q, &row, &err) == TUSK_OK, "%s", said(&err));
    ck_assert_msg(tusk_fields_read(fields, &row, &e, &err) == TUSK_OK, "%s", said(&err));
    check_everything(&e, &row);
    tusk_query_free(q);
    tusk_fields_free(fields);
}
END_TEST

/* ---- what is taken from binary alone ---------------------------------------------------------------------------------------------------------- */

struct binary {
    tusk_inet_parts host, net;
    tusk_bits_view flags, few;
    tusk_array_view words;
    int16_t i2s[3];
    int32_t i4s[4], days[1];
    int64_t i8s[2], times[1], stamps[1], zoned[2];
    uint32_t oids[2];
    float f4s[9];
    double f8s[1];
    tusk_str raw; /* as ever */
    bool is_null, has_none;
};

static const char binary_sql[] =
    "select '192.0.2.1/24'::inet host, '2001:db8::/32'::cidr net, b'101'::bit(3) flags, b'1'::varbit few, "
    "array['a', null, 'c'] words, array[1, -2, 3]::int2[] i2s, '[0:1][5:6]={{1,2},{3,-4}}'::int4[] i4s, "
    "array['2026-11-29'::date] days, array[1, -5000000000] i8s, array['24:00'::time] times, "
    "array['2026-11-29 12:00'::timestamp] stamps, array['infinity', '2000-01-01 00:00+00']::timestamptz[] zoned, "
    "array[4294967295, 1]::oid[] oids, (select array_agg(i * 0.5) from generate_series(1, 9) i)::float4[] f4s, "
    "array[0.1]::float8[] f8s, '10.0.0.1'::inet raw";

static const tusk_field binary_table[] = {
    TUSK_FIELD(struct binary, host, TUSK_OID_INET),
    TUSK_FIELD(struct binary, net, TUSK_OID_CIDR),
    TUSK_FIELD(struct binary, flags, TUSK_OID_BIT),
    TUSK_FIELD(struct binary, few, TUSK_OID_VARBIT),
    TUSK_NULLABLE(struct binary, words, TUSK_OID_TEXT_ARRAY, is_null),
    TUSK_FIELD(struct binary, i2s, TUSK_OID_INT2_ARRAY),
    TUSK_FIELD(struct binary, i4s, TUSK_OID_INT4_ARRAY),
    TUSK_FIELD(struct binary, days, TUSK_OID_DATE_ARRAY),
    TUSK_FIELD(struct binary, i8s, TUSK_OID_INT8_ARRAY),
    TUSK_FIELD(struct binary, times, TUSK_OID_TIME_ARRAY),
    TUSK_FIELD(struct binary, stamps, TUSK_OID_TIMESTAMP_ARRAY),
    TUSK_FIELD(struct binary, zoned, TUSK_OID_TIMESTAMPTZ_ARRAY),
    TUSK_FIELD(struct binary, oids, TUSK_OID_OID_ARRAY),
    TUSK_FIELD(struct binary, f4s, TUSK_OID_FLOAT4_ARRAY),
    TUSK_FIELD(struct binary, f8s, TUSK_OID_FLOAT8_ARRAY),
    TUSK_FIELD(struct binary, raw, TUSK_OID_INET),
};

static void check_parts(const struct binary *e)
{
    char text[64];

    (void)tusk_inet_to_text(&e->host, text, sizeof text);
    ck_assert_str_eq(text, "192.0.2.1/24");
    (void)tusk_inet_to_text(&e->net, text, sizeof text);
    ck_assert_str_eq(text, "2001:db8::/32");
    (void)tusk_bits_to_text(e->flags, text, sizeof text);
    ck_assert_str_eq(text, "101");
    (void)tusk_bits_to_text(e->few, text, sizeof text);
    ck_assert_str_eq(text, "1");
    ck_assert(e->words.n == 3 && e->words.n_nulls == 1 && !e->is_null);
    ck_assert_uint_eq(e->raw.len, 8);
}

static void check_elements(const struct binary *e)
{
    ck_assert(e->i2s[0] == 1 && e->i2s[1] == -2 && e->i2s[2] == 3);
    ck_assert(e->i4s[0] == 1 && e->i4s[1] == 2 && e->i4s[2] == 3 && e->i4s[3] == -4);
    ck_assert_int_eq(e->days[0], 9829);
    ck_assert(e->i8s[0] == 1 && e->i8s[1] == INT64_C(-5000000000));
    ck_assert_int_eq(e->times[0], INT64_C(86400000000));
    ck_assert_int_eq(e->stamps[0], INT64_C(9829) * 86400000000 + INT64_C(43200000000));
    ck_assert(e->zoned[0] == TUSK_TIMESTAMP_INFINITY && e->zoned[1] == 0);
    ck_assert(e->oids[0] == UINT32_MAX && e->oids[1] == 1);
    for (int i = 0; i < 9; i++)
        ck_assert(e->f4s[i] == (float)(i + 1) * 0.5F);
    ck_assert(e->f8s[0] == 0.1);
}

START_TEST(addresses_bits_and_arrays_go_into_members_of_theirs)
{
    tusk_fields *fields = FIELDS_OF(struct binary, binary_table);
    struct binary e;
    tusk_query *q = tusk_exec(db, binary_sql, TUSK_NO_PARAMS);
    tusk_row row;

    memset(&e, 0x55, sizeof e);
    ck_assert_msg(tusk_query_one(q, &row, &err) == TUSK_OK, "%s", said(&err));
    ck_assert_msg(tusk_fields_read(fields, &row, &e, &err) == TUSK_OK, "%s", said(&err));
    check_parts(&e);
    check_elements(&e);
    tusk_query_free(q);
    q = tusk_submit(db, &(tusk_request){.sql = binary_sql, .text_results = true});
    ck_assert_msg(tusk_query_one(q, &row, &err) == TUSK_OK, "%s", said(&err));
    ck_assert_int_eq(tusk_fields_read(fields, &row, &e, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, "column 0 \"host\" is inet in text format, but its field is inet (tusk_inet_parts)");
    tusk_query_free(q);
    tusk_fields_free(fields);
}
END_TEST

/* ---- containers, and types of the database's own ------------------------------------------------------------------------------------ */

#define OWN_TYPES                                                                                                      \
    "drop schema if exists own_fields cascade; create schema own_fields; "                                             \
    "create extension citext schema own_fields; create extension ltree schema own_fields; "                            \
    "create extension hstore schema own_fields; set search_path = own_fields, public; "                                \
    "create type mood as enum ('sad', 'ok', 'happy'); create type pair as (a int4, m mood); "                          \
    "create type spanrange as range (subtype = float4)"

struct own {
    tusk_range_parts days, span, none;
    tusk_multirange_view many, spans;
    tusk_record_view row, pair;
    tusk_array_view moods;
    tusk_hstore_view h;
    tusk_point_parts p;
    tusk_lseg_parts seg;
    tusk_box_parts box;
    tusk_circle_parts circle;
    tusk_tid_parts tid;
    tusk_str mood, ci, path, any_path, raw;
    char mood_copy[8], path_copy[16];
    bool is_none;
};

static const char own_sql[] =
    "select daterange('2024-01-01', '2024-02-01') days, spanrange(1, 2, '[]') span, null::int4range as none, "
    "'{[1,3),[5,7)}'::int4multirange many, spanmultirange(spanrange(1, 2)) spans, row(1, 'x'::text) \"row\", "
    "row(7, 'happy')::pair pair, array['sad', null]::mood[] moods, 'a=>1'::hstore h, point(1, 2) p, "
    "'[(1,2),(3,4)]'::lseg seg, '(3,4),(1,2)'::box box, '<(1,2),3>'::circle circle, '(7,8)'::tid tid, 'ok'::mood mood, "
    "'MiXed'::citext ci, 'top.a.b'::ltree path, '{ok}'::mood[] raw from (select null) x where false union all "
    "select daterange('2024-01-01', '2024-02-01'), spanrange(1, 2, '[]'), null::int4range, "
    "'{[1,3),[5,7)}', spanmultirange(spanrange(1, 2)), row(1, 'x'::text), row(7, 'happy')::pair, "
    "array['sad', null]::mood[], 'a=>1', point(1, 2), '[(1,2),(3,4)]', '(3,4),(1,2)', '<(1,2),3>', '(7,8)', 'ok', "
    "'MiXed', 'top.a.b', '{ok}'";

static const tusk_field own_table[] = {
    TUSK_FIELD(struct own, days, TUSK_OID_DATERANGE),
    TUSK_FIELD(struct own, span, 0),
    TUSK_NULLABLE(struct own, none, TUSK_OID_INT4RANGE, is_none),
    TUSK_FIELD(struct own, many, TUSK_OID_INT4MULTIRANGE),
    TUSK_FIELD(struct own, spans, 0),
    TUSK_FIELD(struct own, row, TUSK_OID_RECORD),
    TUSK_FIELD(struct own, pair, 0),
    TUSK_FIELD(struct own, moods, 0),
    TUSK_FIELD(struct own, h, 0),
    TUSK_FIELD(struct own, p, TUSK_OID_POINT),
    TUSK_FIELD(struct own, seg, TUSK_OID_LSEG),
    TUSK_FIELD(struct own, box, TUSK_OID_BOX),
    TUSK_FIELD(struct own, circle, TUSK_OID_CIRCLE),
    TUSK_FIELD(struct own, tid, TUSK_OID_TID),
    TUSK_FIELD(struct own, mood, TUSK_OID_TEXT),
    TUSK_FIELD(struct own, ci, TUSK_OID_TEXT),
    TUSK_FIELD(struct own, path, TUSK_OID_TEXT),
    TUSK_FIELD_AS(struct own, any_path, 0, "path"),
    TUSK_FIELD_AS(struct own, mood_copy, TUSK_OID_TEXT, "mood"),
    TUSK_FIELD_AS(struct own, path_copy, TUSK_OID_TEXT, "path"),
    TUSK_FIELD(struct own, raw, 0),
};

static void check_containers(const struct own *e)
{
    tusk_range_parts range;
    tusk_multirange_iter many = tusk_multirange_begin(&e->many), spans = tusk_multirange_begin(&e->spans);
    tusk_array_iter moods = tusk_array_begin(&e->moods);
    tusk_value value;
    tusk_str found;

    ck_assert(e->days.lower.as.integer == 8766 && e->days.upper.as.integer == 8766 + 31 && !e->days.upper_inclusive);
    ck_assert(e->span.lower.as.real == 1 && e->span.upper.as.real == 2 && e->span.upper_inclusive);
    ck_assert(e->is_none && e->none.type == 0);
    ck_assert(tusk_multirange_next(&many, &range, NULL) == TUSK_OK && range.lower.as.integer == 1 && e->many.n == 2);
    ck_assert(tusk_multirange_next(&spans, &range, NULL) == TUSK_OK && range.lower.as.real == 1);
    ck_assert(tusk_record_at(&e->row, 1, &value, NULL) == TUSK_OK && tusk_str_is(value.as.bytes, "x"));
    ck_assert(tusk_record_named(&e->pair, "m", &value, NULL) == TUSK_OK && tusk_str_is(value.as.bytes, "happy"));
    ck_assert(tusk_array_next(&moods, &value, NULL) == TUSK_OK && tusk_str_is(value.as.bytes, "sad"));
    ck_assert(value.kind == TUSK_KIND_TEXT && e->moods.n_nulls == 1);
    ck_assert(tusk_hstore_find(e->h, tusk_str_of("a"), &found) && tusk_str_is(found, "1"));
}

static void check_scalars(const struct own *e)
{
    ck_assert(e->p.x == 1 && e->p.y == 2 && e->seg.from.y == 2 && e->seg.to.x == 3);
    ck_assert(e->box.high.x == 3 && e->box.low.y == 2 && e->circle.radius == 3 && e->circle.center.y == 2);
    ck_assert(e->tid.block == 7 && e->tid.row == 8);
    ck_assert(tusk_str_is(e->mood, "ok") && tusk_str_is(e->ci, "MiXed") && tusk_str_is(e->path, "top.a.b"));
    ck_assert(tusk_str_is(e->any_path, "top.a.b") && e->raw.len == 12 + 8 + 4 + 2);
    ck_assert_str_eq(e->mood_copy, "ok");
    ck_assert_str_eq(e->path_copy, "top.a.b");
}

START_TEST(containers_and_the_database_s_own_go_into_members)
{
    tusk_fields *fields = FIELDS_OF(struct own, own_table);
    tusk_query *q;
    struct own e;
    size_t n;

    run_script(OWN_TYPES);
    q = tusk_exec(db, own_sql, TUSK_NO_PARAMS);
    memset(&e, 0x55, sizeof e);
    ck_assert_msg(tusk_fields_fetch(fields, q, &e, 1, &n, &err) == TUSK_OK && n == 1, "%s", said(&err));
    check_containers(&e);
    check_scalars(&e);
    tusk_query_free(q);
    tusk_fields_free(fields);
    run_script("drop schema own_fields cascade");
}
END_TEST

static const struct {
    tusk_field field;
    const char *sql, *message;
} own_misfits[] = {
    {TUSK_FIELD_AS(struct own, span, 0, "x"), "select 'ok'::mood x",
     "column 0 \"x\" is own_fields.mood, but its field is any (tusk_range_parts)"},
    {TUSK_FIELD_AS(struct own, many, 0, "x"), "select spanrange(1, 2) x",
     "column 0 \"x\" is own_fields.spanrange, but its field is any (tusk_multirange_view)"},
    {TUSK_FIELD_AS(struct own, moods, 0, "x"), "select row(1, 'ok')::pair x",
     "column 0 \"x\" is own_fields.pair, but its field is any (tusk_array_view)"},
    {TUSK_FIELD_AS(struct own, h, 0, "x"), "select array['ok'::mood] x",
     "column 0 \"x\" is own_fields.mood[], but its field is any (tusk_hstore_view)"},
    {TUSK_FIELD_AS(struct own, pair, TUSK_OID_RECORD, "x"), "select row(1, 'ok')::pair x",
     "column 0 \"x\" is own_fields.pair, but its field is record (tusk_record_view)"},
    {TUSK_FIELD_AS(struct own, days, TUSK_OID_DATERANGE, "x"), "select int4range(1, 2) x",
     "column 0 \"x\" is int4range, but its field is daterange (tusk_range_parts)"},
    {TUSK_FIELD_AS(struct own, mood, TUSK_OID_TEXT, "x"), "select row(1, 'ok')::pair x",
     "column 0 \"x\" is own_fields.pair, but its field is text (tusk_str)"},
    {TUSK_FIELD_AS(struct own, mood, TUSK_OID_BYTEA, "x"), "select 'ok'::mood x",
     "column 0 \"x\" is own_fields.mood, but its field is bytea (tusk_str)"},
};

START_TEST(what_a_member_does_not_hold_is_named)
{
    tusk_fields *fields = fields_of(sizeof(struct own), &own_misfits[_i].field, 1);
    tusk_query *q;

    run_script(OWN_TYPES);
    q = tusk_exec(db, own_misfits[_i].sql, TUSK_NO_PARAMS);
    ck_ok(q);
    ck_assert_int_eq(tusk_fields_check(fields, q, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, own_misfits[_i].message);
    tusk_query_free(q);
    tusk_fields_free(fields);
    run_script("drop schema own_fields cascade");
}
END_TEST

/* ---- each way that rows come ------------------------------------------------------------------------------------------------------------------ */

struct item {
    int32_t n;
    tusk_str text;
    bool no_text;
};

static const tusk_field item_table[] = {
    TUSK_FIELD(struct item, n, TUSK_OID_INT4),
    TUSK_NULLABLE(struct item, text, TUSK_OID_TEXT, no_text),
};

#define ITEMS                                                                                                          \
    "select n, case when n % 3 > 0 then repeat('x', n) end as text, now() as beside from generate_series(1, 1000) n"

static void check_item(const struct item *item, int n)
{
    ck_assert_int_eq(item->n, n);
    ck_assert_int_eq(item->no_text, n % 3 == 0);
    ck_assert_uint_eq(item->text.len, n % 3 ? (size_t)n : 0);
    ck_assert((item->text.ptr == NULL) == item->no_text);
    for (size_t i = 0; i < item->text.len; i++)
        ck_assert_int_eq(item->text.ptr[i], 'x');
}

START_TEST(an_array_is_filled_again_and_again_until_the_end)
{
    tusk_fields *fields = FIELDS_OF(struct item, item_table);
    tusk_query *q = tusk_exec(db, ITEMS, TUSK_NO_PARAMS);
    struct item *items = malloc(1000 * sizeof *items);
    size_t n = 99, sum = 0;

    ck_assert_int_eq(tusk_fields_fetch(fields, q, NULL, 0, &n, NULL), TUSK_OK);
    ck_assert_uint_eq(n, 0);
    do {
        ck_assert_msg(tusk_fields_fetch(fields, q, items + sum, sum < 900 ? 300 : 101, &n, &err) == TUSK_OK, "%s",
                      said(&err));
        sum += n;
    } while (n == 300);
    ck_assert_uint_eq(sum, 1000);
    for (int i = 0; i < 1000; i++) /* the views of the first are as good as those of the last */
        check_item(&items[i], i + 1);
    ck_assert_int_eq(tusk_fields_fetch(fields, q, items, 1, &n, NULL), TUSK_OK);
    ck_assert_uint_eq(n, 0);
    tusk_rewind(q);
    ck_assert_int_eq(tusk_fields_fetch(fields, q, items, 1, &n, NULL), TUSK_OK);
    ck_assert_uint_eq(n, 1);
    check_item(items, 1);
    free(items);
    tusk_query_free(q);
    tusk_fields_free(fields);
}
END_TEST

/* After some rows of a stream the rest is waited for and fetched. */
START_TEST(streamed_rows_are_read_one_by_one)
{
    tusk_fields *fields = FIELDS_OF(struct item, item_table);
    tusk_query *q = tusk_exec(db, ITEMS, TUSK_NO_PARAMS);
    struct item items[1000];
    tusk_row row;
    size_t n;

    for (int i = 1; i <= 10; i++) {
        ck_assert(tusk_next_row(q, &row));
        ck_assert_int_eq(tusk_fields_read(fields, &row, items, &err), TUSK_OK);
        check_item(items, i);
    }
    ck_assert_msg(tusk_fields_fetch(fields, q, items, 1000, &n, &err) == TUSK_OK, "%s", said(&err));
    ck_assert_uint_eq(n, 990);
    for (int i = 0; i < 990; i++)
        check_item(&items[i], 11 + i);
    tusk_query_free(q);
    tusk_fields_free(fields);
}
END_TEST

static int n_called;

static void got_row(tusk_query *q, const tusk_row *row, void *user)
{
    struct item item;

    (void)q;
    ck_assert_msg(tusk_fields_read(user, row, &item, &err) == TUSK_OK, "%s", said(&err));
    check_item(&item, ++n_called);
}

START_TEST(rows_of_a_callback_are_read)
{
    tusk_fields *fields = FIELDS_OF(struct item, item_table);
    tusk_query *q = tusk_submit(db, &(tusk_request){.sql = ITEMS, .on_row = got_row, .user = fields});
    size_t n;

    ck_ok(q);
    ck_assert_int_eq(n_called, 1000);
    ck_assert_int_eq(tusk_fields_fetch(fields, q, NULL, 0, &n, &err), TUSK_ERR_USAGE);
    ck_assert_str_eq(err.message, "on_row got the rows: none is kept");
    tusk_query_free(q);
    tusk_fields_free(fields);
}
END_TEST

/* A script's results have columns of their own, and its rows are text. */
START_TEST(each_result_of_a_script_is_bound_for_itself)
{
    tusk_fields *fields = FIELDS_OF(struct item, item_table);
    tusk_query *q = tusk_script(
        db, "select 'xxxx'::text as text, 4 as n; select 5 as n, 0 as one, 'xxxxx'::text as text; select 1");
    struct item item[2];
    tusk_row first;
    size_t n;

    ck_assert_msg(tusk_fields_fetch(fields, q, item, 2, &n, &err) == TUSK_OK, "%s", said(&err));
    ck_assert_uint_eq(n, 1);
    check_item(item, 4);
    tusk_rewind(q);
    ck_assert(tusk_next_row(q, &first));
    ck_assert(tusk_next_result(q));
    ck_assert_int_eq(tusk_fields_fetch(fields, q, item, 2, &n, &err), TUSK_OK);
    check_item(item, 5);
    ck_assert_int_eq(tusk_fields_read(fields, &first, item, &err), TUSK_OK); /* of the result before */
    check_item(item, 4);
    ck_assert(tusk_next_result(q));
    ck_assert_int_eq(tusk_fields_fetch(fields, q, item, 2, &n, &err), TUSK_ERR_USAGE);
    ck_assert_str_eq(err.message, "field 0: no column is named \"n\"; the result has 1");
    tusk_query_free(q);
    tusk_fields_free(fields);
}
END_TEST

START_TEST(a_statement_is_checked_before_it_is_run)
{
    tusk_fields *fields = FIELDS_OF(struct item, item_table);
    tusk_stmt *stmt = tusk_prepare(db, "select $1::int4 as n, null::text as text", NULL, 0);
    tusk_query *q;
    struct item item = {.n = 7};
    size_t n;

    ck_assert_int_eq(tusk_fields_check_stmt(fields, stmt, NULL), TUSK_ERR_USAGE); /* not ready yet */
    ck_assert_int_eq(tusk_await_free(tusk_stmt_ready(stmt), NULL), TUSK_OK);
    ck_assert_msg(tusk_fields_check_stmt(fields, stmt, &err) == TUSK_OK, "%s", said(&err));
    for (int i = 0; i < 3; i++) {
        q = tusk_stmt_exec(stmt, TUSK_PARAMS(tusk_int4(i)));
        ck_assert_int_eq(tusk_fields_fetch(fields, q, &item, 1, &n, &err), TUSK_OK);
        ck_assert_int_eq(item.n, i);
        ck_assert(item.no_text);
        tusk_query_free(q);
    }
    tusk_stmt_free(stmt);
    tusk_fields_free(fields);
}
END_TEST

/* ---- what fails -------------------------------------------------------------------------------------------------------------------------------- */

START_TEST(the_row_that_fails_is_told_and_those_before_it_are_there)
{
    static const tusk_field table[] = {TUSK_FIELD(struct item, n, TUSK_OID_INT4)};
    tusk_fields *fields = FIELDS_OF(struct item, table);
    tusk_query *q =
        tusk_exec(db, "select case n when 4 then null else n end as n from generate_series(1, 6) n", TUSK_NO_PARAMS);
    struct item items[6];
    size_t n;

    ck_assert_int_eq(tusk_fields_fetch(fields, q, items, 6, &n, &err), TUSK_ERR_NULL);
    ck_error(&err, TUSK_ERR_NULL, "22004", "column 0 \"n\" is NULL, and its field has no flag for that");
    ck_assert_str_eq(err.where, "fetch fields: row 3");
    ck_assert_uint_eq(n, 3);
    ck_assert_int_eq(items[2].n, 3);
    ck_assert_int_eq(tusk_fields_fetch(fields, q, items, 6, &n, &err), TUSK_OK); /* goes on behind it */
    ck_assert_uint_eq(n, 2);
    ck_assert_int_eq(items[0].n, 5);
    tusk_query_free(q);
    tusk_fields_free(fields);
}
END_TEST

START_TEST(a_query_that_failed_says_its_error)
{
    tusk_fields *fields = FIELDS_OF(struct item, item_table);
    tusk_query *q = tusk_exec(db, "select 1/0 as n", TUSK_NO_PARAMS);
    struct item item;
    size_t n = 5;

    ck_assert_int_eq(tusk_fields_fetch(fields, q, &item, 1, &n, &err), TUSK_ERR_SERVER);
    ck_assert_str_eq(err.sqlstate, "22012");
    ck_assert_uint_eq(n, 0);
    ck_assert_int_eq(tusk_fields_fetch(fields, NULL, &item, 1, &n, &err), TUSK_ERR_NOMEM);
    tusk_query_free(q);
    q = tusk_exec(db, "create temp table no_rows ()", TUSK_NO_PARAMS);
    ck_assert_int_eq(tusk_fields_fetch(fields, q, &item, 1, &n, &err), TUSK_ERR_USAGE);
    ck_assert_str_eq(err.message, "there are no columns to be put into fields");
    tusk_query_free(q);
    tusk_fields_free(fields);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("fields_live");
    TCase *tcase = tcase_create("fields_live");

    tcase_add_checked_fixture(tcase, live_up, live_down);
    tcase_add_loop_test(tcase, a_member_of_each_type_holds_what_its_getter_gives, 0, 2);
    tcase_add_test(tcase, addresses_bits_and_arrays_go_into_members_of_theirs);
    tcase_add_test(tcase, containers_and_the_database_s_own_go_into_members);
    tcase_add_loop_test(tcase, what_a_member_does_not_hold_is_named, 0, N_OF(own_misfits));
    tcase_add_test(tcase, an_array_is_filled_again_and_again_until_the_end);
    tcase_add_test(tcase, streamed_rows_are_read_one_by_one);
    tcase_add_test(tcase, rows_of_a_callback_are_read);
    tcase_add_test(tcase, each_result_of_a_script_is_bound_for_itself);
    tcase_add_test(tcase, a_statement_is_checked_before_it_is_run);
    tcase_add_test(tcase, the_row_that_fails_is_told_and_those_before_it_are_there);
    tcase_add_test(tcase, a_query_that_failed_says_its_error);
    suite_add_tcase(suite, tcase);
    return suite;
}
