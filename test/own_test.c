/* Codecs of extensions' types without a server: samples as the extensions send them, and bytes that none of them would send, each in a block
 * of exactly its size. */
#include <stdio.h>
#include <stdlib.h>

#include <tusk/tusk.h>

#include "lib/codec/nested.h"
#include "lib/codec/own.h"
#include "test/harness/harness.h"

#define N_OF(array) (int)(sizeof(array) / sizeof(array)[0])
#define BYTES(text) text, sizeof text - 1

static const tusk__codec *codec_named(const char *name)
{
    tusk_type type = {.oid = 16400, .kind = TUSK_TYPE_BASE, .name = tusk_str_of(name)};

    return tusk__own_codec_of(&type);
}

/* clang-format off */
static const struct {
    const char *type, *wire;
    size_t len;
    const char *text;
} samples[] = {
    {"citext", BYTES("Abc"), "Abc"},
    {"citext", BYTES(""), ""},
    {"ltree", BYTES("\1Top.a"), "Top.a"},
    {"ltree", BYTES("\1"), ""},
    {"lquery", BYTES("\1*.a"), "*.a"},
    {"ltxtquery", BYTES("\1a & b"), "a & b"},
    {"hstore", BYTES("\0\0\0\0"), ""},
    {"hstore", BYTES("\0\0\0\1" "\0\0\0\1a" "\0\0\0\1" "1"), "\"a\"=>\"1\""},
    {"hstore", BYTES("\0\0\0\2" "\0\0\0\0" "\xff\xff\xff\xff" "\0\0\0\1\"" "\0\0\0\1\\"), "\"\"=>NULL, \"\\\"\"=>\"\\\\\""},
    {"vector", BYTES("\0\1\0\0" "\x3f\x80\0\0"), "[1]"},
    {"vector", BYTES("\0\2\0\0" "\xc0\x20\0\0" "\x3d\xcc\xcc\xcd"), "[-2.5,0.1]"},
    {"halfvec", BYTES("\0\7\0\0" "\x3c\0" "\xc1\0" "\x7b\xff" "\0\1" "\x80\0" "\x04\0" "\x03\xff"),
     "[1,-2.5,65504,5.9604645e-08,-0,6.1035156e-05,6.097555e-05]"},
    {"sparsevec", BYTES("\0\0\0\5" "\0\0\0\2" "\0\0\0\0" "\0\0\0\0" "\0\0\0\2" "\x3f\xc0\0\0" "\xc0\0\0\0"), "{1:1.5,3:-2}/5"},
    {"sparsevec", BYTES("\x3b\x9a\xca\0" "\0\0\0\0" "\0\0\0\0"), "{}/1000000000"},
};

static const struct {
    const char *name, *type, *wire;
    size_t len;
} refused[] = {
    {"no version", "ltree", BYTES("")},
    {"another version", "lquery", BYTES("\2a")},
    {"no count", "hstore", BYTES("\0\0\0")},
    {"more pairs than there are", "hstore", BYTES("\0\0\0\1")},
    {"more pairs than could be", "hstore", BYTES("\x7f\xff\xff\xff" "\0\0\0\0" "\0\0\0\0")},
    {"negative count", "hstore", BYTES("\xff\xff\xff\xff" "\0\0\0\0" "\0\0\0\0")},
    {"key NULL", "hstore", BYTES("\0\0\0\1" "\xff\xff\xff\xff" "\0\0\0\0")},
    {"key beyond the end", "hstore", BYTES("\0\0\0\1" "\0\0\0\5" "abcd")},
    {"value's length cut", "hstore", BYTES("\0\0\0\1" "\0\0\0\1" "abcd")},
    {"value beyond the end", "hstore", BYTES("\0\0\0\1" "\0\0\0\1a" "\0\0\0\2b")},
    {"negative length", "hstore", BYTES("\0\0\0\1" "\0\0\0\1a" "\xff\xff\xff\xfe")},
    {"something behind", "hstore", BYTES("\0\0\0\0" "x")},
    {"version 0", "ltree", BYTES("\0a.b")},
    {"version 255", "lquery", BYTES("\xff" "a.b")},
    {"no head", "vector", BYTES("\0\1\0")},
    {"no elements", "vector", BYTES("\0\0\0\0")},
    {"negative count", "vector", BYTES("\xff\xff\0\0")},
    {"not unused", "vector", BYTES("\0\1\0\1" "\0\0\0\0")},
    {"an element too few", "vector", BYTES("\0\2\0\0" "\0\0\0\0")},
    {"a byte too many", "vector", BYTES("\0\1\0\0" "\0\0\0\0" "x")},
    {"elements of another width", "halfvec", BYTES("\0\1\0\0" "\0\0\0\0")},
    {"no head", "sparsevec", BYTES("\0\0\0\1" "\0\0\0\0" "\0\0\0")},
    {"no dimension", "sparsevec", BYTES("\0\0\0\0" "\0\0\0\0" "\0\0\0\0")},
    {"too many dimensions", "sparsevec", BYTES("\x3b\x9a\xca\1" "\0\0\0\0" "\0\0\0\0")},
    {"more elements than dimensions", "sparsevec", BYTES("\0\0\0\1" "\0\0\0\2" "\0\0\0\0" "\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0")},
    {"place beyond the dimensions", "sparsevec", BYTES("\0\0\0\1" "\0\0\0\1" "\0\0\0\0" "\0\0\0\1" "\0\0\0\0")},
    {"negative place", "sparsevec", BYTES("\0\0\0\1" "\0\0\0\1" "\0\0\0\0" "\xff\xff\xff\xff" "\0\0\0\0")},
    {"places out of order", "sparsevec", BYTES("\0\0\0\5" "\0\0\0\2" "\0\0\0\0" "\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\0")},
    {"elements cut", "sparsevec", BYTES("\0\0\0\5" "\0\0\0\1" "\0\0\0\0" "\0\0\0\1")},
    {"count that overflows", "sparsevec", BYTES("\x3b\x9a\xca\0" "\x20\0\0\0" "\0\0\0\0")},
};
/* clang-format on */

static tusk_code decode(const char *type, const char *wire, size_t len, void **block, tusk_value *out, tusk_error *err)
{
    *block = malloc(len ? len : 1);
    ck_assert_ptr_nonnull(*block);
    memcpy(*block, wire, len);
    return tusk__codec_decode(codec_named(type), 16400, 1, tusk_str_from(*block, len), out, err);
}

START_TEST(samples_are_printed_as_the_server_does)
{
    const tusk__codec *codec = codec_named(samples[_i].type);
    tusk_value value;
    char text[128], cut[8];
    size_t len = strlen(samples[_i].text);
    void *block;

    ck_assert_int_eq(decode(samples[_i].type, samples[_i].wire, samples[_i].len, &block, &value, NULL), TUSK_OK);
    ck_assert_uint_eq(value.type, 16400);
    ck_assert_uint_eq(codec->print(&value, text, sizeof text), len);
    ck_assert_str_eq(text, samples[_i].text);
    ck_assert_uint_eq(codec->print(&value, NULL, 0), len);
    ck_assert_uint_eq(codec->print(&value, cut, sizeof cut), len);
    ck_assert_int_eq(strncmp(cut, text, sizeof cut - 1), 0);
    free(block);
}
END_TEST

START_TEST(other_bytes_are_refused)
{
    tusk_value value;
    tusk_error err = {0};
    void *block;

    ck_assert_msg(decode(refused[_i].type, refused[_i].wire, refused[_i].len, &block, &value, &err) == TUSK_ERR_VALUE,
                  "%s %s", refused[_i].type, refused[_i].name);
    ck_assert_str_eq(err.sqlstate, "22P03");
    ck_assert_int_eq(tusk__codec_decode(codec_named(refused[_i].type), 16400, 1, tusk_str_from(block, refused[_i].len),
                                        &value, NULL),
                     TUSK_ERR_VALUE);
    free(block);
}
END_TEST

/* Their text is none of the formats that the getters know: it is left to tusk_read_text(). */
START_TEST(text_of_what_is_no_text_is_refused)
{
    static const char *const types[] = {"hstore", "vector", "halfvec", "sparsevec", "geometry", "geography"};
    tusk_value value;
    tusk_error err = {0};

    ck_assert_int_eq(tusk__codec_decode(codec_named(types[_i]), 16400, 0, tusk_str_of("[1]"), &value, &err),
                     TUSK_ERR_TYPE);
    ck_assert_str_eq(err.message, "it came in text format: take it with tusk_read_text()");
}
END_TEST

/* Every half is the float that has its value: counted up from zero by its own spacing. */
START_TEST(halves_are_floats)
{
    unsigned char wire[6] = {0, 1, 0, 0, 0, 0};
    float got, want = 0.0F;

    for (unsigned half = 0; half < 0x7C00; half++) {
        unsigned exponent = half >> 10 ? half >> 10 : 1;

        wire[4] = (unsigned char)(half >> 8);
        wire[5] = (unsigned char)half;
        tusk__halfvec_floats(tusk_str_from(wire, sizeof wire), &got);
        ck_assert_msg(got == want, "%04x is %g, not %g", half, (double)got, (double)want);
        wire[4] |= 0x80;
        tusk__halfvec_floats(tusk_str_from(wire, sizeof wire), &got);
        ck_assert_msg(got == -want, "-%04x is %g", half, (double)got);
        want += 0x1p-24F * (float)(1U << (exponent - 1));
    }
    ck_assert(want == 65536.0F);
}
END_TEST

/* ---- parameters ------------------------------------------------------------------------------------------------------------------ */

/* 16400 has that codec: it is a domain, where that is a built-in type's. NULL: nothing is known. */
static void find_16400(const void *user, uint32_t type, tusk__resolved *out)
{
    static const tusk_type own = {.oid = 16400, .kind = TUSK_TYPE_BASE, .has_binary_input = true};
    const tusk__codec *codec = user;

    if (type != 16400 || !codec)
        return;
    out->codec = codec;
    if (codec->type)
        out->type = codec->type;
    else
        out->own = &own;
}

static tusk_code own_encode(tusk__writer *b, const tusk_value *value, uint32_t type, const tusk__codec *codec,
                            uint16_t *format, tusk_error *err)
{
    tusk__types types = {find_16400, codec, NULL};

    return tusk__own_param_encode(b, &types, value, type, format, err);
}

static tusk_str encode(tusk_value value, uint32_t type, const char *codec, uint16_t *format, tusk_code code)
{
    static char bytes[256];
    tusk__writer b;
    tusk_error err = {0};
    size_t len;

    tusk__writer_init(&b, tusk_allocator_default());
    ck_assert_int_eq(tusk__param_encode(&b, &value, type, format, NULL), TUSK_AGAIN);
    ck_assert_int_eq(own_encode(&b, &value, type, codec ? codec_named(codec) : NULL, format, &err), code);
    ck_assert_int_eq(err.code, code);
    ck_assert(b.len <= tusk__param_size(&value) && b.len < sizeof bytes);
    len = code == TUSK_OK ? b.len : 0;
    memcpy(bytes, b.buf ? b.buf : (const uint8_t *)"", len);
    tusk__writer_clear(&b);
    return tusk_str_from(bytes, len);
}

START_TEST(parameter_is_text_until_its_type_is_known)
{
    const float floats[] = {1.5F, -2.0F};
    tusk_value vector = tusk_vector(floats, 2), hstore;
    tusk_hstore_pair pair = {tusk_str_of("a"), tusk_str_of("\"")};
    unsigned char buf[16];
    tusk_hstore_view h;
    uint16_t format;
    tusk_str bytes;

    bytes = encode(vector, 0, NULL, &format, TUSK_OK);
    ck_assert(format == 0 && tusk_str_equal(bytes, tusk_str_from("\0\0\0\x08[1.5,-2]", 12)));
    bytes = encode(vector, 16400, "halfvec", &format, TUSK_OK);
    ck_assert(format == 1 && tusk_str_equal(bytes, tusk_str_from("\0\0\0\x08\0\2\0\0\x3e\0\xc0\0", 12)));
    bytes = encode(vector, 16400, "sparsevec", &format, TUSK_OK);
    ck_assert(format == 0 && bytes.len == 12);
    bytes = encode(vector, 16400, "vector", &format, TUSK_OK);
    ck_assert(format == 1 && tusk_str_equal(bytes, tusk_str_from("\0\0\0\x0c\0\2\0\0\x3f\xc0\0\0\xc0\0\0\0", 16)));
    bytes = encode(vector, TUSK_OID_TEXT, NULL, &format, TUSK_OK);
    ck_assert(format == 0 && tusk_str_equal(bytes, tusk_str_from("\0\0\0\x08[1.5,-2]", 12)));
    (void)encode(vector, TUSK_OID_INT4, NULL, &format, TUSK_ERR_TYPE);
    (void)encode(tusk_vector(floats, 0), 0, NULL, &format, TUSK_ERR_VALUE);

    ck_assert_int_eq(tusk_hstore_from_pairs(&pair, 1, buf, sizeof buf, &h, NULL), TUSK_OK);
    hstore = tusk_hstore(h);
    bytes = encode(hstore, 0, NULL, &format, TUSK_OK);
    ck_assert(format == 0 && tusk_str_equal(bytes, tusk_str_from("\0\0\0\x09\"a\"=>\"\\\"\"", 13)));
    bytes = encode(hstore, 16400, "hstore", &format, TUSK_OK);
    ck_assert(format == 1 && bytes.len == 4 + 14 && memcmp(bytes.ptr + 4, buf, 14) == 0);
    h.len--;
    (void)encode(tusk_hstore(h), 16400, "hstore", &format, TUSK_ERR_VALUE);
    (void)encode(tusk_hstore(h), 0, NULL, &format, TUSK_ERR_VALUE);
    ck_assert_int_eq(tusk_vector(NULL, 0).kind, TUSK_KIND_NULL);
    ck_assert_int_eq(tusk_hstore((tusk_hstore_view){0}).kind, TUSK_KIND_NULL);
}
END_TEST

/* So many elements: the head, and behind it places in order and zeros. */
static size_t make_vector(const char *type, uint32_t n, uint8_t *wire)
{
    bool is_sparse = strcmp(type, "sparsevec") == 0;
    size_t head = is_sparse ? 12 : 4, len = head + n * (is_sparse ? 8 : strcmp(type, "halfvec") == 0 ? 2 : 4);

    memset(wire, 0, len);
    if (is_sparse) {
        tusk__put32(wire, 20000);
        tusk__put32(wire + 4, n);
        for (uint32_t i = 0; i < n; i++)
            tusk__put32(wire + head + 4 * (size_t)i, i);
    } else {
        tusk__put16(wire, (uint16_t)n);
    }
    return len;
}

START_TEST(vectors_have_a_most)
{
    static const char *const types[] = {"vector", "halfvec", "sparsevec"};
    static uint8_t wire[12 + 8 * (TUSK_VECTOR_MAX + 1)];
    static float floats[TUSK_VECTOR_MAX + 1];
    tusk_value value;
    tusk_error err = {0};
    uint16_t format;
    void *block;

    for (uint32_t more = 0; more < 2; more++) {
        tusk_code code = more ? TUSK_ERR_VALUE : TUSK_OK;
        size_t len = make_vector(types[_i], TUSK_VECTOR_MAX + more, wire);

        ck_assert_int_eq(decode(types[_i], (const char *)wire, len, &block, &value, &err), code);
        free(block);
    }
    (void)encode(tusk_vector(floats, TUSK_VECTOR_MAX + 1), 0, NULL, &format, TUSK_ERR_VALUE);
}
END_TEST

START_TEST(pairs_are_text)
{
    static const tusk_hstore_pair pairs[] = {
        {{"\xff", 1}, {"1", 1}}, {{"a\0", 2}, {"1", 1}}, {{"a", 1}, {"\xff", 1}}, {{"a", 1}, {"1\0", 2}}};
    uint8_t buf[16];
    tusk_hstore_view h;
    tusk_error err = {0};

    ck_assert_int_eq(tusk_hstore_from_pairs(&pairs[_i], 1, buf, sizeof buf, &h, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.sqlstate, "22021");
}
END_TEST

/* As a field: its text, or an integer in binary. */
static void ck_plain(tusk_value value, const tusk__codec *codec, uint16_t want_format, const char *want)
{
    uint16_t format;
    tusk__writer b;
    tusk_error err = {0};

    tusk__writer_init(&b, tusk_allocator_default());
    ck_assert_int_eq(tusk__param_encode(&b, &value, 16400, &format, &err), TUSK_AGAIN);
    ck_assert_msg(own_encode(&b, &value, 16400, codec, &format, &err) == TUSK_OK, "%s", err.message);
    ck_assert_uint_eq(format, want_format);
    ck_assert_uint_eq(b.len, 4 + strlen(want));
    ck_assert_uint_eq(tusk__be32(b.buf), strlen(want));
    ck_assert_msg(memcmp(b.buf + 4, want, strlen(want)) == 0, "%.*s, not %s", (int)b.len - 4, (const char *)b.buf + 4,
                  want);
    tusk__writer_clear(&b);
}

START_TEST(plain_value_for_an_own_type_is_text_until_that_is_known)
{
    const int32_t numbers[] = {1, 2};
    const tusk__codec *int4 = tusk__codec_of(TUSK_OID_INT4);
    tusk_value array = tusk_array_of_int4(numbers, 2), bad = tusk_text("\xff");
    uint16_t format;
    tusk__writer b;
    tusk_error err = {0};

    ck_plain(tusk_int8(-7), NULL, 0, "-7");
    ck_plain(tusk_int8(0x31323334), int4, 1, "1234");
    ck_plain(tusk_int4(5), tusk__codec_of(TUSK_OID_TEXT), 0, "5");
    ck_plain(tusk_timestamptz(0), NULL, 0, "2000-01-01 00:00:00+00");
    ck_plain(tusk_text("happy"), NULL, 0, "happy");
    ck_plain(tusk_text("a.b"), codec_named("ltree"), 0, "a.b");
    ck_plain(tusk_bytea("\x01\xfe", 2), NULL, 0, "\\x01fe");
    ck_plain(tusk_bytea("EWKB", 4), codec_named("geometry"), 1, "EWKB");
    tusk__writer_init(&b, tusk_allocator_default());
    ck_assert_int_eq(own_encode(&b, &array, 16400, NULL, &format, &err), TUSK_OK);
    ck_assert(format == 0 && tusk_str_is(tusk_str_from(b.buf + 4, b.len - 4), "{1,2}"));
    tusk__writer_cut(&b, 0);
    ck_assert_int_eq(own_encode(&b, &bad, 16400, NULL, &format, NULL), TUSK_ERR_VALUE);
    ck_assert_int_eq(own_encode(&b,
                                &(tusk_value){.type = TUSK_OID_INT4, .kind = TUSK_KIND_INT, .as.integer = INT64_MAX},
                                16400, NULL, &format, NULL),
                     TUSK_ERR_VALUE);
    tusk__writer_clear(&b);
}
END_TEST

/* 2^-24 and less, a tie, the last that is rounded to the greatest half, what is none and stays: the server has its say there. */
START_TEST(floats_become_halves)
{
    const float floats[] = {0x1p-24F, 0x1p-25F, 1.00048828125F, 65519.0F, (float)INFINITY, (float)NAN};
    uint16_t format;
    tusk_str bytes = encode(tusk_vector(floats, 6), 16400, "halfvec", &format, TUSK_OK);

    ck_assert(format == 1 &&
              tusk_str_equal(bytes, tusk_str_from("\0\0\0\x10\0\6\0\0\0\1\0\0\x3c\0\x7b\xff\x7c\0\x7e\0", 20)));
}
END_TEST

START_TEST(a_float_that_no_half_is_near_is_refused_by_its_place)
{
    const float floats[] = {1.0F, -65520.0F, 0.0F};
    tusk_value value = tusk_vector(floats, 3);
    uint16_t format;
    tusk__writer b;
    tusk_error err = {0};

    tusk__writer_init(&b, tusk_allocator_default());
    ck_assert_int_eq(own_encode(&b, &value, 16400, codec_named("halfvec"), &format, &err), TUSK_ERR_VALUE);
    ck_assert_str_eq(err.sqlstate, "22003");
    ck_assert_str_eq(err.message, "element 2 of 3: -65520 does not fit halfvec, whose ends are -65504 and 65504");
    tusk__writer_cut(&b, 0);
    ck_assert_int_eq(own_encode(&b, &value, 16400, codec_named("halfvec"), &format, NULL), TUSK_ERR_VALUE);
    tusk__writer_clear(&b);
}
END_TEST

START_TEST(only_base_types_of_that_name_are_read_as_it)
{
    tusk_type type = {.oid = 16400, .kind = TUSK_TYPE_COMPOSITE, .name = tusk_str_of("hstore")};

    ck_assert_str_eq(tusk__own_codec_of(&type)->name, "record");
    type.kind = TUSK_TYPE_ARRAY;
    ck_assert_str_eq(tusk__own_codec_of(&type)->name, "array");
    type.kind = TUSK_TYPE_RANGE;
    ck_assert_str_eq(tusk__own_codec_of(&type)->name, "range");
    type.kind = TUSK_TYPE_MULTIRANGE;
    ck_assert_str_eq(tusk__own_codec_of(&type)->name, "multirange");
    type.kind = TUSK_TYPE_PSEUDO;
    ck_assert_ptr_null(tusk__own_codec_of(&type));
    type.kind = TUSK_TYPE_ENUM;
    ck_assert_int_eq(tusk__own_codec_of(&type)->kind, TUSK_KIND_TEXT);
    ck_assert_ptr_null(codec_named("raster"));
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("own");
    TCase *tcase = tcase_create("types of extensions");

    tcase_add_loop_test(tcase, samples_are_printed_as_the_server_does, 0, N_OF(samples));
    tcase_add_loop_test(tcase, other_bytes_are_refused, 0, N_OF(refused));
    tcase_add_loop_test(tcase, text_of_what_is_no_text_is_refused, 0, 6);
    tcase_add_test(tcase, halves_are_floats);
    tcase_add_test(tcase, parameter_is_text_until_its_type_is_known);
    tcase_add_loop_test(tcase, vectors_have_a_most, 0, 3);
    tcase_add_loop_test(tcase, pairs_are_text, 0, 4);
    tcase_add_test(tcase, plain_value_for_an_own_type_is_text_until_that_is_known);
    tcase_add_test(tcase, floats_become_halves);
    tcase_add_test(tcase, a_float_that_no_half_is_near_is_refused_by_its_place);
    tcase_add_test(tcase, only_base_types_of_that_name_are_read_as_it);
    suite_add_tcase(suite, tcase);
    return suite;
}
