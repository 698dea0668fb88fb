/* What callers make for types of the database's own: in binary where the types are known, as text where they are not, and both of them mean the same.
 * Read first: lib/codec/made.c, lib/codec/made_text.c. */
#include <stdio.h>
#include <stdlib.h>

#include <tusk/tusk.h>

#include "test/container_checks.h"
#include "test/harness/harness.h"
#include "test/own_types.h"

/* ---- as a whole ------------------------------------------------------------------------------------------------------------------------- */

/* The field without its length word, in a block of its own. */
static tusk_str sent_to(const tusk_value *value, uint32_t want, uint16_t want_format)
{
    tusk__writer b;
    uint16_t format = 99;
    tusk_error err = {0};
    tusk_str bytes;

    tusk__writer_init(&b, tusk_allocator_default());
    ck_assert_int_eq(tusk__param_encode(&b, value, want, &format, &err), TUSK_AGAIN);
    ck_assert_int_eq(err.code, TUSK_OK);
    ck_assert_msg(tusk__own_param_encode(&b, &all_types, value, want, &format, &err) == TUSK_OK, "%s", err.message);
    ck_assert_int_eq(format, want_format);
    ck_assert_uint_eq(tusk__be32(b.buf), b.len - 4);
    if (format)
        ck_assert_uint_le(b.len, tusk__param_size(value));
    bytes = exact(b.buf + 4, b.len - 4);
    tusk__writer_clear(&b);
    return bytes;
}

/* The same of a copy, of which what it was made of is gone. */
static void ck_held(const tusk_value *value, uint32_t want, uint16_t format, tusk_str bytes)
{
    size_t size = 0;
    uint8_t *block, *at;
    tusk_value copy = *value;
    tusk_str again;

    ck_assert(tusk__value_held_size(value, &size));
    at = block = malloc(size);
    tusk__value_hold(&copy, &at);
    ck_assert_uint_le((size_t)(at - block), size);
    again = sent_to(&copy, want, format);
    ck_assert(tusk_str_equal(again, bytes));
    release(again);
    free(block);
}

static void ck_text(tusk_value value, uint32_t want, const char *text)
{
    tusk_str bytes = sent_to(&value, want, 0);

    ck_assert_msg(tusk_str_is(bytes, text), "%.*s, not %s", (int)bytes.len, bytes.ptr, text);
    ck_held(&value, want, 0, bytes);
    release(bytes);
}

/* Text while nothing is known; then binary that is read as this text. */
static void ck_both(uint32_t type, tusk_value value, const char *text)
{
    const tusk__codec *codec = tusk__resolve_type(&all_types, type).codec;
    tusk_str bytes = sent_to(&value, type, 1);
    tusk_value back;
    tusk_error err = {0};
    char printed[1024];
    size_t len;

    ck_text(value, 0, text);
    ck_held(&value, type, 1, bytes);
    ck_assert_msg(tusk__nested_decode(&all_types, type, bytes, 0, &back, &err) == TUSK_OK, "%s", err.message);
    ck_assert_int_eq(tusk__nested_print(&all_types, codec, &back, printed, sizeof printed, &len, &err), TUSK_OK);
    ck_assert_str_eq(printed, text);
    release(bytes);
}

static void ck_hex(uint32_t type, tusk_value value, const char *hex)
{
    tusk_str bytes = sent_to(&value, type, 1), want = exact_hex(hex);

    ck_assert(tusk_str_equal(bytes, want));
    release(bytes);
    release(want);
}

static void ck_refused(uint32_t want, tusk_value value, tusk_code code, const char *message)
{
    tusk__writer b;
    uint16_t format;
    tusk_error err = {0};
    tusk_code first;

    tusk__writer_init(&b, tusk_allocator_default());
    first = tusk__param_encode(&b, &value, want, &format, &err);
    if (first == TUSK_AGAIN)
        first = tusk__own_param_encode(&b, &all_types, &value, want, &format, &err);
    ck_assert_int_eq(first, code);
    ck_assert_str_eq(err.message, message);
    ck_assert_uint_eq(strlen(err.sqlstate), 5);
    tusk__writer_cut(&b, 0);
    if (tusk__param_encode(&b, &value, want, &format, NULL) == TUSK_AGAIN)
        ck_assert_int_eq(tusk__own_param_encode(&b, &all_types, &value, want, &format, NULL), code);
    tusk__writer_clear(&b);
}

/* ---- records ---------------------------------------------------------------------------------------------------------------------------- */

START_TEST(record_names_each_field_by_its_declared_type)
{
    ck_hex(PAIR,
           tusk_record_of(0, TUSK_RECORD(tusk_int4(1), tusk_text("ok"), tusk_int4(7),
                                         tusk_array_of(0, TUSK_ARRAY(tusk_text("x"), tusk_null())))),
           "00000004"
           "000000170000000400000001"
           "00004010000000026f6b"
           "000040110000000400000007" /* the domain, not int4 */
           "000040130000001d0000000100000001000040100000000200000001000000"
           "0178ffffffff");
    ck_hex(GOODPAIR, tusk_record_of(0, TUSK_RECORD(tusk_null(), tusk_null(), tusk_null(), tusk_null())),
           "00000004"
           "00000017ffffffff"
           "00004010ffffffff"
           "00004011ffffffff"
           "00004013ffffffff");
}
END_TEST

START_TEST(records_go_both_ways)
{
    const tusk_value moods[] = {tusk_text("so so"), tusk_null(), tusk_text("NULL"), tusk_text("q\"\\"), tusk_text("")};
    tusk_array_parts list = {.values = moods, .n = 5};
    tusk_value pair =
        tusk_record_of(0, TUSK_RECORD(tusk_int2(-1), tusk_text("a b"), tusk_int8(5), tusk_array_of(0, &list)));

    ck_both(PAIR, pair, "(-1,\"a b\",5,\"{\"\"so so\"\",NULL,\"\"NULL\"\",\"\"q\\\\\"\"\\\\\\\\\"\",\"\"\"\"}\")");
    ck_both(PAIR, tusk_record_of(PAIR, TUSK_RECORD(tusk_null(), tusk_null(), tusk_null(), tusk_null())), "(,,,)");
    ck_both(PAIR, tusk_record_of(0, TUSK_RECORD(tusk_null(), tusk_unknown(""), tusk_null(), tusk_null())), "(,\"\",,)");
    ck_both(
        PAIRPAIR,
        tusk_record_of(
            0, TUSK_RECORD(
                   tusk_record_of(0, TUSK_RECORD(tusk_int4(1), tusk_text_of(MOOD, "(x,y)"), tusk_null(), tusk_null())),
                   tusk_array_of(0, TUSK_ARRAY(tusk_record_of(0, TUSK_RECORD(tusk_int4(2), tusk_text("\"\\"),
                                                                             tusk_null(), tusk_null())),
                                               tusk_null())))),
        "(\"(1,\"\"(x,y)\"\",,)\",\"{\"\"(2,\\\\\"\"\\\\\"\"\\\\\"\"\\\\\\\\\\\\\\\\\\\\\"\",,)\"\",NULL}\")");
    ck_both(NOTHING, tusk_record_of(0, &(tusk_record_parts){NULL, 0}), "()");
}
END_TEST

/* Each of them by its own codec, nested; and what came back from the server as it came. */
START_TEST(types_of_extensions_go_in_records)
{
    const float floats[] = {1.5F, -2.0F};
    tusk_hstore_pair pairs[] = {{tusk_str_of("k\""), tusk_str_of("v")}};
    unsigned char buf[32], digits[32];
    tusk_hstore_view h;
    tusk_numeric_view n;
    tusk_value shape = tusk__bytes_of(GEOMETRY, TUSK_KIND_BYTES, tusk_str_of("\x01\xff"));

    ck_assert_int_eq(tusk_hstore_from_pairs(pairs, 1, buf, sizeof buf, &h, NULL), TUSK_OK);
    ck_assert_int_eq(tusk_numeric_from_text(tusk_str_of("12.50"), digits, sizeof digits, &n, NULL), TUSK_OK);
    ck_both(WITHALL,
            tusk_record_of(
                0, TUSK_RECORD(shape, tusk_array_of(0, TUSK_ARRAY(shape, shape)), tusk_text("Top.a"),
                               tusk_vector(floats, 2), tusk_hstore(h),
                               tusk_record_of(0, TUSK_RECORD(tusk_int4(1), tusk_null(), tusk_null(), tusk_null())),
                               tusk_numeric(n))),
            "(01FF,{01FF:01FF},Top.a,\"[1.5,-2]\",\"\"\"k\\\\\"\"\"\"=>\"\"v\"\"\",\"(1,,,)\",12.50)");
    /* a field of bytea is EWKB to a geometry whose type is known */
    ck_hex(GEOMETRIES, tusk_array_of(0, TUSK_ARRAY(tusk_bytea("\x01", 1))),
           "0000000100000000"
           "0000401a"
           "0000000100000001"
           "0000000101");
    ck_hex(MOODS, tusk_array_of(MOODS, TUSK_ARRAY(tusk_text_of(MOOD, "a"))),
           "0000000100000000"
           "00004010"
           "0000000100000001"
           "0000000161");
}
END_TEST

/* The version byte is in the binary format alone. */
START_TEST(ltree_in_a_container_has_its_version)
{
    tusk_value values[] = {tusk_null(), tusk_null(), tusk_text("a.b"), tusk_null(),
                           tusk_null(), tusk_null(), tusk_null()};
    tusk_record_parts parts = {values, 7};
    tusk_value record = tusk_record_of(0, &parts);
    tusk_str bytes = sent_to(&record, WITHALL, 1);

    ck_assert(memcmp(bytes.ptr + 4 + 16, "\0\0\x40\x1e\0\0\0\4\1a.b", 12) == 0);
    release(bytes);
}
END_TEST

START_TEST(what_came_goes_back_inside_of_what_is_made)
{
    tusk_str wire = exact_hex("00000004"
                              "000000170000000400000001"
                              "00004010000000026f6b"
                              "000040110000000400000007"
                              "00004013ffffffff");
    tusk_record_view view;
    tusk_value came = tusk__bytes_of(PAIR, TUSK_KIND_WIRE, wire);

    ck_assert_int_eq(tusk_value_to_record(&came, &view, NULL), TUSK_OK);
    ck_assert(tusk_record(&view).kind == TUSK_KIND_WIRE && tusk_record(&view).type == PAIR);
    ck_assert_int_eq(tusk_record(NULL).kind, TUSK_KIND_NULL);
    ck_both(PAIRS, tusk_array_of(0, TUSK_ARRAY(tusk_record(&view), tusk_null())), "{\"(1,ok,7,)\",NULL}");
    ck_both(PAIRPAIR, tusk_record_of(0, TUSK_RECORD(tusk_record(&view), tusk_null())), "(\"(1,ok,7,)\",)");
    /* a domain takes its base's bytes */
    came = tusk_record(&view);
    view.wire = NULL;
    ck_assert(tusk_record(&view).kind == TUSK_KIND_NULL && tusk_record(&view).type == PAIR);
    release(sent_to(&came, GOODPAIR, 1));
    /* another composite reads its text */
    ck_text(came, PAIRPAIR, "(1,ok,7,)");
    release(wire);
}
END_TEST

/* Where binary is known not to do, by the type or by the value, all goes as text: the first run of a statement and the second are the same. */
START_TEST(what_has_no_binary_form_goes_as_text)
{
    ck_text(tusk_record_of(0, TUSK_RECORD(tusk_int4(1), tusk_text("x"))), WITHMUTE, "(1,x)");
    ck_text(tusk_record_of(0, TUSK_RECORD(tusk_int4(1), tusk_null())), WITHMUTE, "(1,)");
    ck_text(tusk_array_of(0, &(tusk_array_parts){0}), MUTES, "{}");
    ck_text(tusk_range_as(0, &(tusk_range_parts){0}), MUTERANGE, "(,)");
    ck_text(tusk_record_of(0, TUSK_RECORD(tusk_text("1"), tusk_int4(2), tusk_unknown("3"), tusk_unknown("{a}"))), PAIR,
            "(1,2,3,{a})");
    ck_text(tusk_record_of(0, TUSK_RECORD(tusk_null(), tusk_null(), tusk_null(), tusk_null())), NOBODYS, "(,,,)");
    ck_text(tusk_record_of(0, TUSK_RECORD(tusk_int4(1))), MOOD, "(1)");
    /* numbers that the type does not hold */
    ck_text(tusk_record_of(0, TUSK_RECORD(tusk_int8(INT64_C(1) << 32), tusk_null(), tusk_null(), tusk_null())), PAIR,
            "(4294967296,,,)");
    ck_text(tusk_range_as(0, &(tusk_range_parts){.upper = tusk_int8(INT64_MAX)}), POSRANGE, "(,9223372036854775807)");
    ck_text(tusk_multirange_as(
                0, &(tusk_multirange_parts){.ranges = &(tusk_range_parts){.lower = tusk_int8(INT64_MAX)}, .n = 1}),
            POSMULTIRANGE, "{[9223372036854775807,)}");
    ck_text(tusk_array_of(0, TUSK_ARRAY(tusk_int4(-5))), TUSK_OID_OID_ARRAY, "{-5}");
    ck_text(tusk_array_of(0, TUSK_ARRAY(tusk_float8(0.1))), TUSK_OID_FLOAT4_ARRAY, "{0.1}");
    /* of another number of fields: the type may have been altered since it was looked up */
    ck_text(tusk_record_of(0, TUSK_RECORD(tusk_int4(1), tusk_null(), tusk_int4(3))), PAIR, "(1,,3)");
    ck_text(tusk_record_of(0, TUSK_RECORD(tusk_int4(1), tusk_null(), tusk_null(), tusk_null(), tusk_text("a"))),
            GOODPAIR, "(1,,,,a)");
    ck_text(tusk_array_of(0, TUSK_ARRAY(tusk_unknown("{x}"), tusk_unknown("a:b"))), GEOMETRIES, "{\"{x}\":\"a:b\"}");
    /* the delimiter inside of another container */
    ck_text(tusk_record_of(0, TUSK_RECORD(tusk_unknown("POINT(1 2)"),
                                          tusk_array_of(0, TUSK_ARRAY(tusk_unknown("POINT(1 2)"), tusk_unknown("00"))),
                                          tusk_null(), tusk_null(), tusk_null(), tusk_null(), tusk_null())),
            WITHALL, "(\"POINT(1 2)\",\"{\"\"POINT(1 2)\"\":00}\",,,,,)");
}
END_TEST

/* ---- arrays, ranges --------------------------------------------------------------------------------------------------------------------- */

START_TEST(arrays_of_own_elements_go_both_ways)
{
    const tusk_value four[] = {tusk_text("a"), tusk_text("b"), tusk_null(), tusk_text("d")};
    const int32_t dims[] = {2, 2}, lower[] = {0, -1}, numbers[] = {1, 2, -3};
    const tusk_str words[] = {{"a b", 3}, {NULL, 0}, {"c", 1}};

    ck_both(MOODS,
            tusk_array_of(0, &(tusk_array_parts){.values = four, .n = 4, .ndim = 2, .dims = dims, .lower = lower}),
            "[0:1][-1:0]={{a,b},{NULL,d}}");
    ck_both(MOODS, tusk_array_of(MOODS, &(tusk_array_parts){0}), "{}");
    /* C's own keep their type, by which they are told apart */
    ck_hex(MOODS, tusk_array_of_text(words, 3),
           "0000000100000001"
           "00004010"
           "0000000300000001"
           "000000036120"
           "62"
           "ffffffff"
           "0000000163");
    ck_text(tusk_array_of_int4(numbers, 3), NOBODYS, "{1,2,-3}");
    ck_text(tusk_array_of_text(words, 3), NOBODYS, "{\"a b\",NULL,c}");
    ck_text(tusk_array_of_int4(numbers, 3), MOODS, "{1,2,-3}");
}
END_TEST

START_TEST(array_names_its_elements_by_their_declared_type)
{
    const int32_t numbers[] = {7};

    ck_hex(POSES, tusk_array_of(0, TUSK_ARRAY(tusk_int8(7))),
           "0000000100000000"
           "00004011"
           "0000000100000001"
           "0000000400000007");
    ck_hex(POSES, tusk_array_of_int4(numbers, 1),
           "0000000100000000"
           "00004011"
           "0000000100000001"
           "0000000400000007");
}
END_TEST

START_TEST(ranges_of_own_bounds_go_both_ways)
{
    const tusk_range_parts both = {.lower = tusk_int4(1),
                                   .upper = tusk_int8(5),
                                   .lower_exclusive = true,
                                   .upper_inclusive = true},
                           half = {.lower = tusk_int4(7)}, none = {.is_empty = true}, all = {.upper_inclusive = true};
    const tusk_range_parts ranges[] = {both, half, none};

    ck_both(POSRANGE, tusk_range_as(0, &both), "(1,5]");
    ck_both(POSRANGE, tusk_range_as(POSRANGE, &half), "[7,)");
    ck_both(POSRANGE, tusk_range_as(0, &none), "empty");
    ck_both(POSRANGE, tusk_range_as(0, &all), "(,)");
    ck_both(POSMULTIRANGE, tusk_multirange_as(0, &(tusk_multirange_parts){.ranges = ranges, .n = 3}),
            "{(1,5],[7,),empty}");
    ck_both(POSMULTIRANGE, tusk_multirange_as(0, &(tusk_multirange_parts){.n = 0}), "{}");
    ck_both(PAIRRANGE,
            tusk_range_as(0, &(tusk_range_parts){.lower = tusk_record_of(0, TUSK_RECORD(tusk_int4(1), tusk_text("a,b"),
                                                                                        tusk_null(), tusk_null()))}),
            "[\"(1,\"\"a,b\"\",,)\",)");
    ck_assert_int_eq(tusk_range_as(POSRANGE, NULL).kind, TUSK_KIND_NULL);
    ck_assert_int_eq(tusk_multirange_as(POSMULTIRANGE, NULL).kind, TUSK_KIND_NULL);
}
END_TEST

/* A container of a built-in type that is made without saying which. */
START_TEST(untyped_container_is_the_one_that_the_statement_wants)
{
    tusk_value array = tusk_array_of(0, TUSK_ARRAY(tusk_int2(1), tusk_null()));

    ck_hex(TUSK_OID_INT4_ARRAY, array,
           "0000000100000001"
           "00000017"
           "0000000200000001"
           "0000000400000001"
           "ffffffff");
    ck_text(tusk_array_of(0, TUSK_ARRAY(tusk_unknown("1"))), TUSK_OID_INT4_ARRAY, "{1}");
    ck_refused(TUSK_OID_INT4, array, TUSK_ERR_TYPE, "the statement wants int4 here, not array");
    ck_refused(POS, array, TUSK_ERR_TYPE, "the statement wants type 16401 here, not array");
    ck_text(tusk_record_of(0, TUSK_RECORD(tusk_int4(1), tusk_text("a b"))), TUSK_OID_TEXT, "(1,\"a b\")");
    ck_text(array, TUSK_OID_VARCHAR, "{1,NULL}");
    ck_text(tusk_range_as(0, &(tusk_range_parts){.lower = tusk_int4(1)}), TUSK_OID_BPCHAR, "[1,)");
    ck_refused(TUSK_OID_RECORD, tusk_record_of(TUSK_OID_RECORD, TUSK_RECORD(tusk_int4(1))), TUSK_ERR_TYPE,
               "no server takes a row without a type's name: give the OID of the composite, or 0");
}
END_TEST

/* ---- refusals --------------------------------------------------------------------------------------------------------------------------- */

static tusk_value deep(int depth, tusk_value *values, tusk_record_parts *parts)
{
    for (int i = 0; i < depth; i++) {
        values[i] = i ? tusk_record_of(0, &parts[i - 1]) : tusk_int4(1);
        parts[i] = (tusk_record_parts){&values[i], 1};
    }
    return tusk_record_of(0, &parts[depth - 1]);
}

START_TEST(what_cannot_be_is_refused_by_its_place)
{
    tusk_value pair[5] = {0};
    tusk_record_parts parts = {pair, 4};
    static tusk_value many[TUSK_RECORD_FIELDS_MAX + 1];
    tusk_array_parts bad_shape = {.values = pair, .n = 3, .ndim = 1, .dims = (const int32_t[]){4}};

    ck_refused(0, tusk_record_of(0, &(tusk_record_parts){many, TUSK_RECORD_FIELDS_MAX + 1}), TUSK_ERR_LIMIT,
               "a record of 1665 fields: there are 1664 at most");
    ck_refused(PAIR, tusk_record_of(0, &(tusk_record_parts){many, TUSK_RECORD_FIELDS_MAX + 1}), TUSK_ERR_LIMIT,
               "a record of 1665 fields: there are 1664 at most");
    ck_refused(MOODS, tusk_array_of(0, &bad_shape), TUSK_ERR_VALUE, "an array of 3 values whose dimensions make 4");
    ck_refused(0, tusk_array_of(0, &bad_shape), TUSK_ERR_VALUE, "an array of 3 values whose dimensions make 4");
    pair[0] = tusk_null();
    pair[1] = tusk_text("\xff");
    ck_refused(PAIR, tusk_record_of(0, &parts), TUSK_ERR_VALUE,
               "field 2 of 4, \"m\": text that is not UTF-8 at offset 0");
    ck_refused(0, tusk_record_of(0, &parts), TUSK_ERR_VALUE, "field 2 of 4: text that is not UTF-8 at offset 0");
    pair[1] = tusk_null();
    pair[3] = tusk_array_of(0, TUSK_ARRAY(tusk_null(), tusk_text("a\xc3")));
    ck_refused(PAIR, tusk_record_of(0, &parts), TUSK_ERR_VALUE,
               "field 4 of 4, \"l\": element 2 of 2: text that is not UTF-8 at offset 1");
}
END_TEST

/* Each kind of leaf, in text: it is looked at before a character of it is printed. */
START_TEST(what_has_no_text_is_refused_by_its_place)
{
    tusk_value raw = tusk_raw(NOBODYS, "x", 1), object = tusk_null_of(MOOD), forged = tusk_int4(0),
               own_c = tusk_array_of_int4(&(int32_t){0}, 0);
    const tusk_range_parts range = {.upper = raw};
    const float floats[] = {1.0F};

    object.kind = TUSK_KIND_OBJECT;
    forged.as.integer = INT64_MAX;
    own_c.type = MOODS;
    ck_refused(
        0, tusk_array_of(0, TUSK_ARRAY(tusk_null(), raw)), TUSK_ERR_TYPE,
        "element 2 of 2: a value of type 16426 has no text here, and is sent in binary by a prepared statement alone");
    ck_refused(0, tusk_record_of(0, TUSK_RECORD(object)), TUSK_ERR_TYPE,
               "field 1 of 1: an object of the program's is not written here");
    ck_refused(MOODS, tusk_array_of(0, TUSK_ARRAY(object)), TUSK_ERR_TYPE,
               "element 1 of 1: an object of the program's is not written here");
    ck_refused(0, tusk_record_of(0, TUSK_RECORD(forged)), TUSK_ERR_VALUE,
               "field 1 of 1: 9223372036854775807 does not fit int4");
    ck_refused(
        0, tusk_range_as(0, &range), TUSK_ERR_TYPE,
        "upper bound: a value of type 16426 has no text here, and is sent in binary by a prepared statement alone");
    ck_refused(0, tusk_multirange_as(0, &(tusk_multirange_parts){.ranges = &range, .n = 1}), TUSK_ERR_TYPE,
               "range 1 of 1: upper bound: a value of type 16426 has no text here, and is sent in binary by a prepared "
               "statement alone");
    ck_refused(0, tusk_record_of(0, TUSK_RECORD(tusk_vector(floats, 0))), TUSK_ERR_VALUE,
               "field 1 of 1: a vector has 1 to 16000 elements, not 0");
    ck_refused(0, tusk_record_of(0, TUSK_RECORD(own_c)), TUSK_ERR_TYPE,
               "field 1 of 1: C has no arrays of that type: make it of values");
    ck_refused(MOODS, own_c, TUSK_ERR_TYPE, "C has no arrays of that type: make it of values");
    ck_refused(0, tusk_record_of(0, TUSK_RECORD(tusk_raw(TUSK_OID_INT4, "\0\0\0\1", 4))), TUSK_ERR_TYPE,
               "field 1 of 1: a value of int4 has no text here, and is sent in binary by a prepared statement alone");
}
END_TEST

START_TEST(depth_is_bounded_and_its_text_too)
{
    tusk_value values[TUSK__DEPTH_MAX + 2], fits, deeper;
    tusk_record_parts parts[TUSK__DEPTH_MAX + 2];

    fits = deep(TUSK__DEPTH_MAX, values, parts);
    ck_assert_uint_lt(tusk__param_size(&fits), 100000);
    ck_refused(0, fits, TUSK_ERR_LIMIT, "the parameter is longer than a message can be");
    deeper = deep(TUSK__DEPTH_MAX + 1, values, parts);
    ck_assert_uint_eq(tusk__param_size(&deeper), SIZE_MAX);
    ck_text(deep(3, values, parts), 0, "(\"(\"\"(1)\"\")\")");
}
END_TEST

/* ---- what has to wait ------------------------------------------------------------------------------------------------------------------- */

START_TEST(copy_needs_nothing_of_what_it_was_made_of)
{
    char text[] = "ok", word[] = "a b";
    tusk_value words[] = {tusk_text(word)}, fields[] = {tusk_int4(1), tusk_text(text), tusk_null(), tusk_null()}, value;
    tusk_array_parts list = {.values = words, .n = 1};
    tusk_record_parts parts = {fields, 4};
    size_t size = 0;
    uint8_t *block, *at;

    fields[3] = tusk_array_of(0, &list);
    value = tusk_record_of(0, &parts);
    ck_assert(tusk__value_held_size(&value, &size));
    at = block = malloc(size);
    tusk__value_hold(&value, &at);
    memset(text, '!', sizeof text);
    memset(word, '!', sizeof word);
    memset(words, 0, sizeof words);
    memset(fields, 0, sizeof fields);
    memset(&list, 0, sizeof list);
    memset(&parts, 0, sizeof parts);
    ck_text(value, 0, "(1,ok,,\"{\"\"a b\"\"}\")");
    free(block);
}
END_TEST

START_TEST(size_is_foretold_of_the_widest_fields)
{
    tusk_value fields[40];
    tusk_record_parts parts = {fields, 40};
    tusk_value record = tusk_record_of(0, &parts);

    for (int i = 0; i < 40; i++)
        fields[i] = tusk_int8(i);
    release(sent_to(&record, WIDE, 1));
}
END_TEST

/* ---- by name ---------------------------------------------------------------------------------------------------------------------------- */

static void ck_arranged(const tusk_record_field *fields, size_t n, tusk_code code, const char *message,
                        const char *hint)
{
    tusk_value values[7];
    tusk_error err = {0};
    tusk_type type = tusk__resolve_type(&all_types, WITHALL).own[0];

    ck_assert_int_eq(tusk_record_arrange(&type, fields, n, values, N_OF(values), &err), code);
    ck_assert_str_eq(err.message, message);
    ck_assert_str_eq(err.hint, hint);
    ck_assert_int_eq(tusk_record_arrange(&type, fields, n, values, N_OF(values), NULL), code);
}

#define ALL_NAMES "It has \"geometry\", \"geometries\", \"tree\", \"vector\", \"pairs\", \"best\", \"price\""

START_TEST(values_are_put_in_the_order_of_the_attributes)
{
    const tusk_record_field fields[] = {{"l", tusk_unknown("{}")}, {"a", tusk_int4(5)}},
                            twice[] = {{"best", tusk_null()}, {"best", tusk_null()}};
    tusk_value values[4];
    tusk_type type = *tusk__resolve_type(&all_types, PAIR).own;
    tusk_error err = {0};

    ck_assert_int_eq(tusk_record_arrange(&type, fields, 2, values, 4, &err), TUSK_OK);
    ck_assert(values[0].as.integer == 5 && values[1].kind == TUSK_KIND_NULL && values[1].type == MOOD);
    ck_assert(values[2].kind == TUSK_KIND_NULL && values[3].kind == TUSK_KIND_TEXT);
    ck_text(tusk_record_of(type.oid, &(tusk_record_parts){values, 4}), 0, "(5,,,{})");
    ck_assert_int_eq(tusk_record_arrange(&type, fields, 0, values, 4, &err), TUSK_OK);
    ck_assert_int_eq(values[0].kind, TUSK_KIND_NULL);
    ck_assert_int_eq(tusk_record_arrange(&type, fields, 2, values, 3, &err), TUSK_ERR_LIMIT);
    ck_assert_str_eq(err.message, "type \"pair\" has 4 fields, and there is room for 3 values");
    ck_arranged(&(tusk_record_field){"gemoetry", tusk_null()}, 1, TUSK_ERR_USAGE,
                "type \"withall\" has no field \"gemoetry\"", "Did you mean \"geometry\"? " ALL_NAMES);
    ck_arranged(&(tusk_record_field){"Tree", tusk_null()}, 1, TUSK_ERR_USAGE, "type \"withall\" has no field \"Tree\"",
                "Did you mean \"tree\"? " ALL_NAMES);
    ck_arranged(&(tusk_record_field){"colour", tusk_null()}, 1, TUSK_ERR_USAGE,
                "type \"withall\" has no field \"colour\"", ALL_NAMES);
    ck_arranged(twice, 2, TUSK_ERR_USAGE, "there are two values for field \"best\"", "");
    ck_assert_int_eq(tusk_record_arrange(&own_types[0], fields, 2, values, 4, &err), TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, "type \"mood\" is no composite whose attributes are known");
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("made");
    TCase *tc = tcase_create("what callers make");

    tcase_add_test(tc, record_names_each_field_by_its_declared_type);
    tcase_add_test(tc, records_go_both_ways);
    tcase_add_test(tc, types_of_extensions_go_in_records);
    tcase_add_test(tc, ltree_in_a_container_has_its_version);
    tcase_add_test(tc, what_came_goes_back_inside_of_what_is_made);
    tcase_add_test(tc, what_has_no_binary_form_goes_as_text);
    tcase_add_test(tc, arrays_of_own_elements_go_both_ways);
    tcase_add_test(tc, array_names_its_elements_by_their_declared_type);
    tcase_add_test(tc, ranges_of_own_bounds_go_both_ways);
    tcase_add_test(tc, untyped_container_is_the_one_that_the_statement_wants);
    tcase_add_test(tc, what_cannot_be_is_refused_by_its_place);
    tcase_add_test(tc, what_has_no_text_is_refused_by_its_place);
    tcase_add_test(tc, depth_is_bounded_and_its_text_too);
    tcase_add_test(tc, copy_needs_nothing_of_what_it_was_made_of);
    tcase_add_test(tc, size_is_foretold_of_the_widest_fields);
    tcase_add_test(tc, values_are_put_in_the_order_of_the_attributes);
    suite_add_tcase(suite, tc);
    return suite;
}
