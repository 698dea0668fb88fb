/* Names and hashes of certificates: reliability 1.4 as a table, on certificates made here. */
#include <openssl/evp.h>

#include "lib/tls.h"
#include "test/harness/harness.h"
#include "test/harness/tls_peer.h"

/* ---- names ------------------------------------------------------------------------------------------------------- */

typedef enum answer { MATCH, OTHER, MALFORMED } answer;

typedef struct name_case {
    const char *name;
    tls_cert_spec cert;
    const char *host;
    answer answer;
} name_case;

#define IP6_1 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"

/* clang-format off */
static const name_case name_cases[] = {
    {"dns_name", {.names = {TLS_DNS("db.test")}}, "db.test", MATCH},
    {"dns_name_of_another", {.names = {TLS_DNS("wrong.test")}}, "db.test", OTHER},
    {"second_dns_name", {.names = {TLS_DNS("a.test"), TLS_DNS("db.test")}}, "db.test", MATCH},
    {"case_of_the_certificate", {.names = {TLS_DNS("DB.Test")}}, "db.test", MATCH},
    {"case_of_the_host", {.names = {TLS_DNS("db.test")}}, "DB.TEST", MATCH},
    {"case_of_ascii_only", {.names = {TLS_DNS("d\xC3\xA4.test")}}, "d\xC3\x84.test", OTHER},
    {"prefix_of_the_name", {.names = {TLS_DNS("db.test.evil")}}, "db.test", OTHER},
    {"suffix_of_the_name", {.names = {TLS_DNS("evil.db.test")}}, "db.test", OTHER},
    {"prefix_of_the_host", {.names = {TLS_DNS("db.tes")}}, "db.test", OTHER},
    {"empty_dns_name", {.names = {TLS_DNS("")}}, "db.test", OTHER},
    {"trailing_dot_of_the_host", {.names = {TLS_DNS("db.test")}}, "db.test.", OTHER},
    {"no_host", {.names = {TLS_DNS("")}}, "", MALFORMED},

    {"wildcard", {.names = {TLS_DNS("*.test")}}, "db.test", MATCH},
    {"wildcard_case", {.names = {TLS_DNS("*.TEST")}}, "db.test", MATCH},
    {"wildcard_in_common_name", {.cn = "*.test"}, "db.test", MATCH},
    {"wildcard_does_not_cross_a_dot", {.names = {TLS_DNS("*.test")}}, "a.db.test", OTHER},
    {"wildcard_needs_a_label", {.names = {TLS_DNS("*.test")}}, ".test", OTHER},
    {"wildcard_is_not_its_domain", {.names = {TLS_DNS("*.db.test")}}, "db.test", OTHER},
    {"wildcard_in_second_label", {.names = {TLS_DNS("db.*.test")}}, "db.a.test", OTHER},
    {"wildcard_twice", {.names = {TLS_DNS("*.*.test")}}, "db.a.test", OTHER},
    {"wildcard_behind_letters", {.names = {TLS_DNS("d*.test")}}, "db.test", OTHER},
    {"wildcard_before_letters", {.names = {TLS_DNS("*b.test")}}, "db.test", OTHER},
    {"wildcard_alone", {.names = {TLS_DNS("*")}}, "localhost", OTHER},
    {"wildcard_and_a_dot_alone", {.names = {TLS_DNS("*.")}}, "db.", OTHER},
    {"wildcard_and_one_label", {.names = {TLS_DNS("*.test")}}, "db", OTHER},
    {"wildcard_against_itself", {.names = {TLS_DNS("*.test")}}, "*.test", MATCH},
    {"wildcard_is_no_address", {.names = {TLS_DNS("*.0.0.1")}}, "127.0.0.1", OTHER},
    {"wildcard_is_no_short_address", {.names = {TLS_DNS("*.1")}}, "127.1", OTHER},
    {"wildcard_is_no_hex_address", {.names = {TLS_DNS("*.0x1")}}, "127.0x1", OTHER},

    {"common_name", {.cn = "db.test"}, "db.test", MATCH},
    {"common_name_case", {.cn = "DB.test"}, "db.TEST", MATCH},
    {"common_name_of_another", {.cn = "wrong.test"}, "db.test", OTHER},
    {"common_name_behind_dns_name", {.cn = "db.test", .names = {TLS_DNS("a.test")}}, "db.test", OTHER},
    {"common_name_behind_empty_dns_name", {.cn = "db.test", .names = {TLS_DNS("")}}, "db.test", OTHER},
    {"common_name_beside_address", {.cn = "db.test", .names = {TLS_IP("\x7f\0\0\1")}}, "db.test", MATCH},
    {"common_name_beside_mail", {.cn = "db.test", .names = {{GEN_EMAIL, "a@b.test", 8}}}, "db.test", MATCH},
    {"common_name_in_utf16", {.cn = "\0d\0b\0.\0t\0e\0s\0t", .cn_len = 14, .cn_type = V_ASN1_BMPSTRING}, "db.test", MATCH},
    {"mail_is_no_name", {.names = {{GEN_EMAIL, "db.test", 7}}}, "db.test", OTHER},
    {"uri_is_no_name", {.names = {{GEN_URI, "db.test", 7}}}, "db.test", OTHER},
    {"nothing_named", {0}, "db.test", OTHER},

    {"address", {.names = {TLS_IP("\x7f\0\0\1")}}, "127.0.0.1", MATCH},
    {"address_of_another", {.names = {TLS_IP("\x7f\0\0\2")}}, "127.0.0.1", OTHER},
    {"address_6", {.names = {TLS_IP(IP6_1)}}, "::1", MATCH},
    {"address_6_written_long", {.names = {TLS_IP(IP6_1)}}, "0:0:0:0:0:0:0:1", MATCH},
    {"address_6_with_scope", {.names = {TLS_IP("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1")}}, "fe80::1%eth0", MATCH},
    {"address_6_of_another", {.names = {TLS_IP(IP6_1)}}, "::2", OTHER},
    {"address_4_is_not_6", {.names = {TLS_IP("\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1")}}, "127.0.0.1", OTHER},
    {"address_as_dns_name", {.names = {TLS_DNS("127.0.0.1")}}, "127.0.0.1", MATCH},
    {"address_as_common_name", {.cn = "127.0.0.1"}, "127.0.0.1", MATCH},
    {"address_as_common_name_behind_address", {.cn = "127.0.0.1", .names = {TLS_IP("\x7f\0\0\2")}}, "127.0.0.1", OTHER},
    {"address_as_common_name_behind_dns_name", {.cn = "127.0.0.1", .names = {TLS_DNS("a.test")}}, "127.0.0.1", OTHER},
    {"address_as_text_in_address", {.names = {{GEN_IPADD, "1.1.1.1.", 8}}}, "1.1.1.1", MALFORMED},
    {"name_of_four_letters_is_no_address", {.names = {TLS_IP("abcd")}}, "abcd", OTHER},
    {"address_of_three_bytes", {.names = {TLS_IP("\x7f\0\0")}}, "127.0.0.1", MALFORMED},
    {"address_of_five_bytes", {.names = {TLS_IP("\x7f\0\0\1\0")}}, "127.0.0.1", MALFORMED},
    {"address_of_no_bytes", {.names = {TLS_IP("")}}, "127.0.0.1", MALFORMED},
    {"address_of_17_bytes", {.names = {TLS_IP(IP6_1 "\1")}}, "::1", MALFORMED},
    {"malformed_address_behind_a_match", {.names = {TLS_DNS("db.test"), TLS_IP("\1")}}, "db.test", MALFORMED},

    {"nul_in_dns_name", {.names = {TLS_DNS("db.test\0.evil.test")}}, "db.test", MALFORMED},
    {"nul_at_the_end_of_dns_name", {.names = {TLS_DNS("db.test\0")}}, "db.test", MALFORMED},
    {"nul_behind_a_match", {.names = {TLS_DNS("db.test"), TLS_DNS("a\0b")}}, "db.test", MALFORMED},
    {"nul_in_common_name", {.cn = "db.test\0.evil.test", .cn_len = 18}, "db.test", MALFORMED},
    {"names_that_cannot_be_read", {.cn = "db.test", .raw_names = "\x30\x05\x82\x20zz", .raw_names_len = 6}, "db.test", MALFORMED},
    {"names_twice", {.names = {TLS_DNS("db.test")}, .raw_names = "\x30\x06\x82\x04test", .raw_names_len = 8}, "db.test", MALFORMED},
    {"names_that_are_an_empty_list", {.cn = "db.test", .raw_names = "\x30\x00", .raw_names_len = 2}, "db.test", MATCH},
};
/* clang-format on */

START_TEST(d23_names_are_judged)
{
    const name_case *c = &name_cases[_i];
    tls_cert cert = tls_cert_new(&c->cert);
    tusk_error err = {0};
    tusk_code code = tusk__tls_check_host(cert.x509, tusk_str_of(c->host), &err);
    bool is_other = strncmp(err.message, "the certificate is for \"", 24) == 0 ||
                    strcmp(err.message, "the server's certificate names no host") == 0;

    ck_assert_msg((code == TUSK_OK) == (c->answer == MATCH), "%s: %s", c->name, err.message);
    ck_assert_msg(code == TUSK_OK || code == TUSK_ERR_TLS, "%s: %s", c->name, err.message);
    ck_assert_msg(code == TUSK_OK || is_other == (c->answer == OTHER), "%s: %s", c->name, err.message);
    tls_cert_free(&cert);
}
END_TEST

START_TEST(error_names_both_sides)
{
    tls_cert cert = tls_cert_new(&(tls_cert_spec){.names = {TLS_DNS("wrong.test")}});
    tusk_error err = {0};

    ck_assert_int_eq(tusk__tls_check_host(cert.x509, tusk_str_of("localhost"), &err), TUSK_ERR_TLS);
    ck_assert_str_eq(err.message, "the certificate is for \"wrong.test\", not for \"localhost\"");
    ck_assert_str_eq(err.sqlstate, "08001");
    tls_cert_free(&cert);
}
END_TEST

/* A host is bytes with a length: what lies behind them does not count. */
START_TEST(host_needs_no_terminating_nul)
{
    tls_cert cert = tls_cert_new(&(tls_cert_spec){.names = {TLS_DNS("db.test"), TLS_IP("\x7f\0\0\1")}});

    ck_assert_int_eq(tusk__tls_check_host(cert.x509, tusk_str_from("db.testing", 7), NULL), TUSK_OK);
    ck_assert_int_eq(tusk__tls_check_host(cert.x509, tusk_str_from("127.0.0.123", 9), NULL), TUSK_OK);
    ck_assert_int_eq(tusk__tls_check_host(cert.x509, tusk_str_from("db.test\0", 8), NULL), TUSK_ERR_TLS);
    ck_assert_int_eq(tusk__tls_check_host(cert.x509, tusk_str_from("127.0.0.1\0", 10), NULL), TUSK_ERR_TLS);
    tls_cert_free(&cert);
}
END_TEST

START_TEST(addresses_are_told_from_names)
{
    static const char *const addresses[] = {"127.0.0.1", "::1", "fe80::1%eth0", "127.1", "1", "0x7f.0x1", "a.b.3", ""};
    static const char *const names[] = {"localhost", "db1", "db.test", "1.test", "127.0.0.1.test", "db.test.", "a-1"};

    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
        ck_assert_msg(tusk__tls_is_address(tusk_str_of(addresses[i])), "%s", addresses[i]);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert_msg(!tusk__tls_is_address(tusk_str_of(names[i])), "%s", names[i]);
}
END_TEST

/* ---- hashes ------------------------------------------------------------------------------------------------------ */

static const struct hash_case {
    const char *name;
    tls_key key;
    const EVP_MD *(*md)(void);
    const EVP_MD *(*expected)(void); /* NULL: none is defined */
} hash_cases[] = {
    {"rsa_sha256", TLS_KEY_RSA, EVP_sha256, EVP_sha256},
    {"rsa_sha384", TLS_KEY_RSA, EVP_sha384, EVP_sha384},
    {"rsa_sha512", TLS_KEY_RSA, EVP_sha512, EVP_sha512},
    {"rsa_sha1", TLS_KEY_RSA, EVP_sha1, EVP_sha256},
    {"rsa_md5", TLS_KEY_RSA, EVP_md5, EVP_sha256},
    {"rsa_sha224", TLS_KEY_RSA, EVP_sha224, EVP_sha224},
    {"pss_sha256", TLS_KEY_RSA_PSS, EVP_sha256, EVP_sha256},
    {"pss_sha512", TLS_KEY_RSA_PSS, EVP_sha512, EVP_sha512},
    {"pss_sha1", TLS_KEY_RSA_PSS, EVP_sha1, EVP_sha256},
    {"ecdsa_sha256", TLS_KEY_EC, EVP_sha256, EVP_sha256},
    {"ecdsa_sha384", TLS_KEY_EC, EVP_sha384, EVP_sha384},
    {"ecdsa_sha1", TLS_KEY_EC, EVP_sha1, EVP_sha256},
    {"ed25519", TLS_KEY_ED25519, NULL, NULL},
};

START_TEST(endpoint_hash_is_that_of_the_signature)
{
    const struct hash_case *c = &hash_cases[_i];
    tls_cert cert = tls_cert_new(&(tls_cert_spec){.cn = "db.test", .key = c->key, .md = c->md ? c->md() : NULL});
    uint8_t hash[64] = {0}, expected[64] = {0};
    size_t len = 99;
    unsigned expected_len = 0;

    ck_assert_int_eq(tusk__tls_certificate_hash(cert.x509, hash, &len, NULL), TUSK_OK);
    if (c->expected)
        ck_assert_int_eq(X509_digest(cert.x509, c->expected(), expected, &expected_len), 1);
    ck_assert_msg(len == expected_len && memcmp(hash, expected, len) == 0, "%s", c->name);
    tls_cert_free(&cert);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *s = suite_create("tls_verify");
    TCase *t = tcase_create("names");

    tcase_add_loop_test(t, d23_names_are_judged, 0, (int)(sizeof name_cases / sizeof name_cases[0]));
    tcase_add_test(t, error_names_both_sides);
    tcase_add_test(t, host_needs_no_terminating_nul);
    tcase_add_test(t, addresses_are_told_from_names);
    suite_add_tcase(s, t);
    t = tcase_create("hashes");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, endpoint_hash_is_that_of_the_signature, 0, (int)(sizeof hash_cases / sizeof hash_cases[0]));
    suite_add_tcase(s, t);
    return s;
}
