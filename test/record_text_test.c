/* Tests of the database's own types read from text: composites by the types of their fields, rows without a name as text, arrays and ranges of
 * own types, domains, and how deep they may lie in each other. What types there are is said here, not by a catalogue: record_live_test.
 * Read first: lib/codec/from_text.h, test/from_text_test.c. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/codec/from_text.h"
#include "test/container_checks.h"
#include "test/harness/harness.h"
#include "test/record_samples.h"

/* ---- a catalogue ------------------------------------------------------------------------------------------------------------------------ */

enum {
    MOOD = 16400,
    POS,
    CHEER,
    MOODS,
    PAIR,
    POSRANGE,
    POSMULTIRANGE,
    PAIRS,
    PAIRPAIR,
    NOTHING,
    TREE,
    HSTORE,
    HOLDER,
    NOBODYS
};

static const tusk_type_attribute pair_attributes[] = {
    {{"a", 1}, TUSK_OID_INT4}, {{"m", 1}, MOOD}, {{"p", 1}, POS}, {{"l", 1}, MOODS}};
static const tusk_type_attribute pairpair_attributes[] = {{{"x", 1}, PAIR}, {{"y", 1}, PAIRS}};
static const tusk_type_attribute holder_attributes[] = {{{"h", 1}, HSTORE}, {{"t", 1}, TREE}, {{"n", 1}, NOBODYS}};

static const tusk_type own_types[] = {
    {.oid = MOOD, .kind = TUSK_TYPE_ENUM},
    {.oid = MOODS, .kind = TUSK_TYPE_ARRAY, .element = MOOD},
    {.oid = PAIR, .kind = TUSK_TYPE_COMPOSITE, .name = {"pair", 4}, .attributes = pair_attributes, .n_attributes = 4},
    {.oid = POSRANGE, .kind = TUSK_TYPE_RANGE, .element = POS},
    {.oid = POSMULTIRANGE, .kind = TUSK_TYPE_MULTIRANGE, .element = POSRANGE},
    {.oid = PAIRS, .kind = TUSK_TYPE_ARRAY, .element = PAIR},
    {.oid = PAIRPAIR, .kind = TUSK_TYPE_COMPOSITE, .attributes = pairpair_attributes, .n_attributes = 2},
    {.oid = NOTHING, .kind = TUSK_TYPE_COMPOSITE},
    {.oid = TREE, .kind = TUSK_TYPE_BASE, .name = {"ltree", 5}},
    {.oid = HSTORE, .kind = TUSK_TYPE_BASE, .name = {"hstore", 6}},
    {.oid = HOLDER, .kind = TUSK_TYPE_COMPOSITE, .attributes = holder_attributes, .n_attributes = 3},
};

static void find_own(const void *user, uint32_t type, tusk__resolved *out)
{
    (void)user;
    if (type == POS) {
        out->type = TUSK_OID_INT4;
        out->codec = tusk__codec_of(out->type);
        return;
    }
    out->type = type == CHEER ? MOOD : type;
    for (size_t i = 0; i < N_OF(own_types); i++)
        if (own_types[i].oid == out->type) {
            out->own = &own_types[i];
            out->element = own_types[i].element;
            out->codec = tusk__own_codec_of(&own_types[i]);
        }
}

static const tusk__types all_types = {find_own, NULL, NULL};

static tusk_code read_text(uint32_t type, const char *text, unsigned char **room, tusk_value *out, tusk_error *err)
{
    tusk_str block = exact(text, strlen(text));
    size_t size = tusk_value_from_text_size(type, block);
    tusk_code code;

    *room = malloc(size);
    memset(err, 0, sizeof *err);
    code = tusk__read_from_text(&all_types, type, block, (tusk__room){*room, size}, out, err);
    ck_assert_int_eq(code, err->code);
    ck_assert_int_eq(code, tusk__read_from_text(&all_types, type, block, (tusk__room){*room, size}, out, NULL));
    release(block);
    return code;
}

/* ---- composites --------------------------------------------------------------------------------------------------------------------------- */

/* As a server sends them, but for the OIDs. */
static const struct {
    uint32_t type;
    const char *text, *hex;
} own_cases[] = {
    {PAIR, "(1,\"so so\",2,\"{sad,\"\"so so\"\"}\")",
     "00000004000000170000000400000001000040100000000573 6f20736f000040110000000400000002"
     "0000401300000024 0000000100000000000040100000000200000001000000037361640000000573 6f20736f"},
    {PAIR, "(,,,)", "0000000400000017ffffffff00004010ffffffff00004011ffffffff00004013ffffffff"},
    {PAIRS, "{\"(,,3,)\",NULL}",
     "0000000100000001000040140000000200000001000000280000000400000017ffffffff00004010ffffffff0000401100000004000000 03"
     "00004013ffffffffffffffff"},
    {PAIRPAIR, "(\"(,happy,,)\",{})",
     "00000002000040140000002900000004 00000017ffffffff000040100000000568617070 7900004011ffffffff00004013ffffffff"
     "000040170000000c000000000000000000004014"},
    {NOTHING, "()", "00000000"},
    {CHEER, "happy", "6861707079"},
    {MOODS, "{happy,NULL}", "00000001000000010000401000000002000000010000000568617070 79ffffffff"},
    {POSRANGE, "[1,5)", "0200000004000000010000000400000005"},
    {POSMULTIRANGE, "{[1,5),(,)}", "0000000200000011020000000400000001000000040000000500000001 18"},
    {HOLDER, "(,a.b,)", "000000030000401bffffffff0000401a000000 0401612e620000401dffffffff"},
};

static tusk_str bytes_of(const char *hex)
{
    char plain[1024];
    size_t n = 0;

    for (; *hex; hex++)
        if (*hex != ' ')
            plain[n++] = *hex;
    plain[n] = '\0';
    return exact_hex(plain);
}

START_TEST(own_types_become_the_servers_bytes)
{
    tusk_str wire = bytes_of(own_cases[_i].hex);
    unsigned char *room;
    tusk_value value;
    tusk_error err;

    ck_assert_msg(read_text(own_cases[_i].type, own_cases[_i].text, &room, &value, &err) == TUSK_OK, "%s", err.message);
    ck_assert_int_eq(value.kind, own_cases[_i].type == CHEER ? TUSK_KIND_TEXT : TUSK_KIND_WIRE);
    ck_assert(own_cases[_i].type == CHEER || tusk_str_equal(value.as.bytes, wire));
    free(room);
    release(wire);
}
END_TEST

START_TEST(what_does_not_fit_the_type_is_refused)
{
    static const struct {
        uint32_t type;
        const char *text;
        tusk_code code;
        const char *message;
    } cases[] = {
        {PAIR, "(1,sad,2)", TUSK_ERR_STATE,
         "type 16404 in text: 3 fields, not 4 as when it was looked up: tusk_types_forget()"},
        {PAIR, "(1,sad,2,{},5)", TUSK_ERR_STATE,
         "type 16404 in text: 5 fields, not 4 as when it was looked up: tusk_types_forget()"},
        {PAIR, "()", TUSK_ERR_STATE,
         "type 16404 in text: 1 fields, not 4 as when it was looked up: tusk_types_forget()"},
        {PAIR, "(x,,,)", TUSK_ERR_VALUE, "field 1: \"x\" is not int4"},
        {PAIR, "(,,x,)", TUSK_ERR_VALUE, "field 3: \"x\" is not int4"},
        {PAIR, "(,,,\"{\"\"a\"\"\")", TUSK_ERR_VALUE, "field 4: type 16403 in text: no closing brace at offset 4"},
        {PAIRPAIR, "(,\"{\"\"(,,x,)\"\"}\")", TUSK_ERR_VALUE,
         "field 2: element 1 at offset 1: field 3: \"x\" is not int4"},
        {NOTHING, "(,)", TUSK_ERR_VALUE, "type 16409 in text: no closing parenthesis at offset 1"},
        {HOLDER, "(a,,)", TUSK_ERR_TYPE, "field 1: it came in text format: take it with tusk_read_text()"},
        {HOLDER, "(,,x)", TUSK_ERR_TYPE, "field 3: type 16413 is not known, or not read from text"},
        {NOBODYS, "x", TUSK_ERR_TYPE, "type 16413 is not known, or not read from text"},
    };
    unsigned char *room;
    tusk_value value;
    tusk_error err;

    for (size_t i = 0; i < N_OF(cases); i++) {
        ck_assert_int_eq(read_text(cases[i].type, cases[i].text, &room, &value, &err), cases[i].code);
        ck_assert_str_eq(err.message, cases[i].message);
        free(room);
    }
}
END_TEST

/* ---- rows without a name ------------------------------------------------------------------------------------------------------------------ */

START_TEST(a_row_without_a_name_is_one_of_texts)
{
    const both_formats *c = &record_cases[_i];
    unsigned char *room;
    tusk_value value, field;
    tusk_record_view view;
    tusk_error err;

    ck_assert_msg(read_text(c->type, c->text, &room, &value, &err) == TUSK_OK, "%s", err.message);
    assert_prints(&value, c->text);
    ck_assert_int_eq(tusk_value_to_record(&value, &view, &err), TUSK_OK);
    for (tusk_record_iter it = tusk_record_begin(&view); tusk_record_next(&it, &field, &err) == TUSK_OK;)
        ck_assert(field.type == TUSK_OID_UNKNOWN && (field.kind == TUSK_KIND_TEXT || field.kind == TUSK_KIND_NULL));
    free(room);
}
END_TEST

START_TEST(a_record_has_no_more_fields_than_postgresql_allows)
{
    char text[TUSK_RECORD_FIELDS_MAX + 3] = "(";
    unsigned char *room;
    tusk_value value;
    tusk_error err;

    memset(text + 1, ',', TUSK_RECORD_FIELDS_MAX - 1);
    text[TUSK_RECORD_FIELDS_MAX] = ')';
    ck_assert_int_eq(read_text(TUSK_OID_RECORD, text, &room, &value, &err), TUSK_OK);
    free(room);
    memset(text + 1, ',', TUSK_RECORD_FIELDS_MAX);
    text[TUSK_RECORD_FIELDS_MAX + 1] = ')';
    ck_assert_int_eq(read_text(TUSK_OID_RECORD, text, &room, &value, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.message, "record in text: more fields than a record can have at offset 1665");
    free(room);
}
END_TEST

/* ---- how deep ------------------------------------------------------------------------------------------------------------------------------ */

/* Each level of quotes doubles those inside, so that no text in memory is 64 deep; the limit is there all the same. */
START_TEST(no_deeper_than_64)
{
    static const char *const texts[][2] = {{"{}", "_int4"}, {"[1,2)", "int4range"}};
    uint8_t room[100];
    tusk_error err;

    for (int i = 0; i < 2; i++) {
        tusk__resolved type = tusk__resolve_type(NULL, i ? TUSK_OID_INT4RANGE : TUSK_OID_INT4_ARRAY);
        tusk__maker m = {NULL, room, sizeof room, 0, sizeof room};
        char message[100];

        memset(&err, 0, sizeof err);
        ck_assert_int_eq(tusk__make_value(&m, &type, tusk_str_of(texts[i][0]), 64, &err), TUSK_OK);
        ck_assert_int_eq(tusk__make_value(&m, &type, tusk_str_of(texts[i][0]), 65, &err), TUSK_ERR_VALUE);
        snprintf(message, sizeof message, "%s in text: more than 64 containers in each other at offset 0", texts[i][1]);
        ck_assert_str_eq(err.message, message);
    }
}
END_TEST

START_TEST(each_container_counts_as_a_step_down)
{
    tusk__resolved type = tusk__resolve_type(NULL, TUSK_OID_INT4MULTIRANGE_ARRAY);
    uint8_t room[200];
    tusk__maker m = {NULL, room, sizeof room, 0, sizeof room};
    tusk_error err = {0};

    ck_assert_int_eq(tusk__make_value(&m, &type, tusk_str_of("{\"{[1,2)}\"}"), 62, &err), TUSK_OK);
    ck_assert_int_eq(tusk__make_value(&m, &type, tusk_str_of("{\"{[1,2)}\"}"), 63, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.message, "element 1 at offset 1: range 1 at offset 1: int4range in text: more than 64 "
                                  "containers in each other at offset 0");
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("own types from text");
    TCase *tc = tcase_create("from text");

    tcase_add_loop_test(tc, own_types_become_the_servers_bytes, 0, N_OF(own_cases));
    tcase_add_test(tc, what_does_not_fit_the_type_is_refused);
    tcase_add_loop_test(tc, a_row_without_a_name_is_one_of_texts, 0, N_OF(record_cases));
    tcase_add_test(tc, no_deeper_than_64);
    tcase_add_test(tc, each_container_counts_as_a_step_down);
    tcase_add_test(tc, a_record_has_no_more_fields_than_postgresql_allows);
    suite_add_tcase(suite, tc);
    return suite;
}
