/* Tests of proto/base64: what is refused, lengths, bounds, and the two directions against each other.
 * Not tested: speed.
 * Read first: proto/base64.h. */
#include "proto/base64.h"
#include "test/harness/harness.h"

static const struct {
    const char *name, *text;
} malformed[] = {
    {"one digit", "A"},
    {"two digits", "AA"},
    {"three digits", "AAA"},
    {"five digits", "AAAAA"},
    {"six digits", "AAAAAA"},
    {"seven digits", "AAAAAAA"},
    {"padding alone", "===="},
    {"one digit and padding", "A==="},
    {"padding in front", "=AAA"},
    {"padding inside a group", "AA=A"},
    {"padding in an earlier group", "AA==AAAA"},
    {"padding twice", "AAA=AAA="},
    {"padding too much", "AAAA===="},
    {"left over bits of one byte", "AB=="},
    {"left over second bit", "AC=="},
    {"left over third bit", "AE=="},
    {"left over fourth bit", "AI=="},
    {"left over second of two", "AAC="},
    {"left over bits of two bytes", "AAB="},
    {"blank inside", "AA AAAAA"},
    {"newline at the end", "AAA\n"},
    {"newline behind", "AAAA\n"},
    {"blank in front", " AAA"},
    {"alphabet of URLs", "AA-_"},
    {"comma", "AA,A"},
    {"dot", "AAA."},
    {"bracket behind Z", "AAA["},
    {"brace behind z", "AAA{"},
    {"colon behind 9", "AAA:"},
    {"at before A", "AAA@"},
    {"backtick before a", "AAA`"},
    {"byte 128", "AAA\200"},
    {"byte 255", "\377AAA"},
};

START_TEST(base64_refuses_malformed_text)
{
    uint8_t out[16];
    size_t len = 77;

    ck_assert_msg(tusk__base64_decode(tusk_str_of(malformed[_i].text), out, sizeof out, &len) == TUSK_ERR_VALUE, "%s",
                  malformed[_i].name);
    ck_assert_uint_eq(len, 0);
}
END_TEST

START_TEST(base64_refuses_a_nul)
{
    uint8_t out[16];
    size_t len;

    ck_assert_int_eq(tusk__base64_decode(tusk_str_from("AA\0A", 4), out, sizeof out, &len), TUSK_ERR_VALUE);
}
END_TEST

/* RFC 4648, section 10 */
static const struct {
    const char *plain, *text;
} vectors[] = {{"", ""},
               {"f", "Zg=="},
               {"fo", "Zm8="},
               {"foo", "Zm9v"},
               {"foob", "Zm9vYg=="},
               {"fooba", "Zm9vYmE="},
               {"foobar", "Zm9vYmFy"},
               {"\373\377\276", "+/++"},
               {"\377\377\377", "////"}};

START_TEST(base64_knows_the_vectors_of_rfc_4648)
{
    const char *plain = vectors[_i].plain, *text = vectors[_i].text;
    char encoded[16];
    uint8_t decoded[16];
    size_t len;

    ck_assert_int_eq(tusk__base64_encode(tusk_str_of(plain), encoded, sizeof encoded, &len), TUSK_OK);
    ck_assert(tusk_str_is(tusk_str_from(encoded, len), text));
    ck_assert_int_eq(tusk__base64_decode(tusk_str_of(text), decoded, sizeof decoded, &len), TUSK_OK);
    ck_assert(tusk_str_is(tusk_str_from(decoded, len), plain));
}
END_TEST

/* Row n: n bytes there and back, with room for exactly as much, for one less, and a guard behind. */
START_TEST(d8_base64_stays_inside_its_buffer)
{
    size_t n = (size_t)_i, need = TUSK__BASE64_LEN(n), len;
    uint8_t bytes[100], back[101];
    char text[140];

    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(i * 37 + n);
    memset(text, '#', sizeof text);
    if (n > 0)
        ck_assert_int_eq(tusk__base64_encode(tusk_str_from(bytes, n), text, need - 1, &len), TUSK_ERR_LIMIT);
    ck_assert(text[0] == '#');
    ck_assert_int_eq(tusk__base64_encode(tusk_str_from(bytes, n), text, need, &len), TUSK_OK);
    ck_assert_uint_eq(len, need);
    ck_assert(text[need] == '#');

    memset(back, 0xEE, sizeof back);
    if (n > 0)
        ck_assert_int_eq(tusk__base64_decode(tusk_str_from(text, need), back, n - 1, &len), TUSK_ERR_LIMIT);
    if (n > 0)
        ck_assert_uint_eq(back[n - 1], 0xEE);
    ck_assert_int_eq(tusk__base64_decode(tusk_str_from(text, need), back, n, &len), TUSK_OK);
    ck_assert_uint_eq(len, n);
    ck_assert_mem_eq(back, bytes, n);
    ck_assert_uint_eq(back[n], 0xEE);
}
END_TEST

START_TEST(d5_base64_length_near_size_max_is_a_limit)
{
    const size_t wraps = (SIZE_MAX / 4 + 1) * 3; /* whose text would have SIZE_MAX + 1 characters */
    char out[8];
    size_t len;

    ck_assert_int_eq(tusk__base64_encode(tusk_str_from("", wraps), out, sizeof out, &len), TUSK_ERR_LIMIT);
    ck_assert_int_eq(tusk__base64_encode(tusk_str_from("", SIZE_MAX), out, sizeof out, &len), TUSK_ERR_LIMIT);
    ck_assert_uint_eq(len, 0);
}
END_TEST

/* Every text of four characters over a small alphabet: accepted only if encoding gives it back. */
START_TEST(base64_accepts_one_spelling_only)
{
    static const char alphabet[] = "AQgw/+9z=\n";
    const size_t k = sizeof alphabet - 1;

    for (size_t n = 0; n < k * k * k * k; n++) {
        char text[4] = {alphabet[n % k], alphabet[n / k % k], alphabet[n / k / k % k], alphabet[n / k / k / k]},
             again[4];
        uint8_t bytes[3];
        size_t len, len2;

        if (tusk__base64_decode(tusk_str_from(text, 4), bytes, sizeof bytes, &len) != TUSK_OK)
            continue;
        ck_assert_int_eq(tusk__base64_encode(tusk_str_from(bytes, len), again, sizeof again, &len2), TUSK_OK);
        ck_assert_uint_eq(len2, 4);
        ck_assert_mem_eq(again, text, 4);
    }
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *s = suite_create("base64");
    TCase *t = tcase_create("base64");

    tcase_add_loop_test(t, base64_refuses_malformed_text, 0, (int)(sizeof malformed / sizeof malformed[0]));
    tcase_add_test(t, base64_refuses_a_nul);
    tcase_add_loop_test(t, base64_knows_the_vectors_of_rfc_4648, 0, (int)(sizeof vectors / sizeof vectors[0]));
    tcase_add_loop_test(t, d8_base64_stays_inside_its_buffer, 0, 100);
    tcase_add_test(t, d5_base64_length_near_size_max_is_a_limit);
    tcase_add_test(t, base64_accepts_one_spelling_only);
    suite_add_tcase(s, t);
    return s;
}
