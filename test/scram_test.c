/* Tests of proto/scram against a server that is written here with OpenSSL's own PBKDF2 and HMAC, and the vectors of RFC 7677.
 * Not tested here: framing, TLS, AuthenticationOk (the connection's business).
 * Read first: proto/scram.h, docs/internals/scram.md. */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "lib/crypto.h"
#include "proto/scram.h"
#include "test/harness/harness.h"

#define N_OF(table) (int)(sizeof(table) / sizeof(table)[0])

#define PLAIN "SCRAM-SHA-256\0"
#define PLUS "SCRAM-SHA-256-PLUS\0"
#define LIST(names)                                                                                                    \
    {                                                                                                                  \
        names, sizeof(names)                                                                                           \
    } /* the literal's own NUL ends the list */

static const tusk_str only_plain = LIST(PLAIN), both = LIST(PLUS PLAIN), only_plus = LIST(PLUS);
static const char certificate_hash[] = "0123456789abcdef0123456789abcdef";

/* ---- crypto that counts and fails --------------------------------------------------------------------------------- */

static int n_blocks, n_equal, calls_left;
static tusk_code failure;

static void counting_block(uint32_t state[8], const uint8_t block[TUSK__SHA256_BLOCK])
{
    n_blocks++;
    tusk__crypto_openssl()->sha256_block(state, block);
}

static bool counting_equal(const void *a, const void *b, size_t len)
{
    n_equal++;
    return tusk__crypto_openssl()->equal(a, b, len);
}

static tusk_code failing_hmac(void *user, const uint8_t *key, size_t key_len, const tusk_str *parts, size_t n_parts,
                              uint8_t out[TUSK__SHA256_LEN])
{
    if (calls_left-- == 0)
        return failure;
    return tusk__crypto_openssl()->hmac_sha256(user, key, key_len, parts, n_parts, out);
}

static tusk_code failing_sha256(void *user, tusk_str data, uint8_t out[TUSK__SHA256_LEN])
{
    if (calls_left-- == 0)
        return failure;
    return tusk__crypto_openssl()->sha256(user, data, out);
}

static tusk_code failing_random(void *user, uint8_t *out, size_t len)
{
    if (calls_left-- == 0)
        return failure;
    memset(out, 0x5A, len);
    (void)user;
    return TUSK_OK;
}

static const tusk__crypto *test_crypto(void)
{
    static tusk__crypto crypto;

    crypto = *tusk__crypto_openssl();
    crypto.sha256_block = counting_block;
    crypto.equal = counting_equal;
    crypto.hmac_sha256 = failing_hmac;
    crypto.sha256 = failing_sha256;
    crypto.random = failing_random;
    n_blocks = n_equal = 0;
    calls_left = -1;
    return &crypto;
}

/* ---- helpers ------------------------------------------------------------------------------------------------------ */

static tusk__scram_config config_for(tusk_str offered)
{
    return (tusk__scram_config){.crypto = test_crypto(), .offered = offered};
}

static void begin(tusk__scram *s)
{
    tusk__scram_config config = config_for(only_plain);

    ck_assert_int_eq(tusk__scram_init(s, &config, NULL), TUSK_OK);
}

static bool is_all_zero(const void *p, size_t len)
{
    const uint8_t *bytes = p;

    for (size_t i = 0; i < len; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* The machine failed for good, and nothing secret is left. */
static void assert_dead(tusk__scram *s)
{
    ck_assert_int_eq(s->state, TUSK__SCRAM_FAILED);
    ck_assert(is_all_zero(&s->secret, sizeof s->secret));
    ck_assert(!tusk__scram_is_verified(s));
    ck_assert(!tusk__scram_is_bound(s));
    ck_assert(tusk__scram_verified_keys(s) == NULL);
    ck_assert_int_eq(tusk__scram_step(s, 1, NULL), TUSK_ERR_STATE);
    ck_assert_int_eq(tusk__scram_continue(s, tusk_str_of("r=x,s=AAAA,i=1"), NULL), TUSK_ERR_PROTOCOL);
    ck_assert_int_eq(tusk__scram_final(s, tusk_str_of("v=AAAA"), NULL), TUSK_ERR_PROTOCOL);
}

/* Give server-first, "N" in it standing for our nonce; compare code, sqlstate and a word of the message. */
static void assert_first_refused(const char *first, size_t len, tusk_code code, const char *sqlstate, const char *word)
{
    char message[8192];
    size_t n = 0;
    tusk_error err = {0};
    tusk__scram s;

    begin(&s);
    for (size_t i = 0; i < len; i++)
        if (first[i] == 'N') {
            memcpy(message + n, s.nonce, s.nonce_len);
            n += s.nonce_len;
        } else {
            message[n++] = first[i];
        }
    n_blocks = 0;
    ck_assert_int_eq(tusk__scram_continue(&s, tusk_str_from(message, n), &err), code);
    ck_assert_int_eq(n_blocks, 0);
    ck_assert_str_eq(err.sqlstate, sqlstate);
    ck_assert_msg(strstr(err.message, word) != NULL, "\"%s\" is not in: %s", word, err.message);
    assert_dead(&s);
}

static void run_to_the_end(tusk__scram *s)
{
    tusk_code code;

    do
        code = tusk__scram_step(s, TUSK__SCRAM_SLICE, NULL);
    while (code == TUSK_AGAIN);
    ck_assert_int_eq(code, TUSK_OK);
    ck_assert_int_eq(s->state, TUSK__SCRAM_WAITS_FINAL);
}

/* ---- the other side, written independently ------------------------------------------------------------------------- */

typedef struct server {
    char first[4096], final[64];
    size_t first_len, final_len;
    uint8_t client_key[32], server_key[32];
} server;

static void server_first(server *v, const tusk__scram *s, const char *more_nonce, const uint8_t *salt, size_t salt_len,
                         int i)
{
    char salt64[TUSK__BASE64_LEN(TUSK__SCRAM_SALT_MAX) + 1];

    EVP_EncodeBlock((unsigned char *)salt64, salt, (int)salt_len);
    v->first_len = (size_t)snprintf(v->first, sizeof v->first, "r=%.*s%s,s=%s,i=%d", (int)s->nonce_len, s->nonce,
                                    more_nonce, salt64, i);
}

static void hmac(const uint8_t *key, const char *text, size_t len, uint8_t out[32])
{
    ck_assert(HMAC(EVP_sha256(), key, 32, (const uint8_t *)text, len, out, NULL) != NULL);
}

/* Check client-final as a server does, and write server-final. `password` is as it is after SASLprep. */
static bool server_takes_final(server *v, const tusk__scram *s, const char *password, const uint8_t *salt,
                               size_t salt_len, int i)
{
    tusk_str final = tusk__scram_message(s);
    uint8_t salted[32], stored[32], signature[32], proof[48];
    size_t without = final.len - 3 - 44;
    char auth[8192];
    int len = snprintf(auth, sizeof auth, "%.*s,%.*s,%.*s", (int)s->bare_len, s->bare, (int)v->first_len, v->first,
                       (int)without, final.ptr);

    ck_assert(memcmp(final.ptr + without, ",p=", 3) == 0);
    ck_assert_int_eq(EVP_DecodeBlock(proof, (const uint8_t *) final.ptr + without + 3, 44), 33);
    ck_assert_int_eq(
        PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt, (int)salt_len, i, EVP_sha256(), 32, salted), 1);
    hmac(salted, "Client Key", 10, v->client_key);
    hmac(salted, "Server Key", 10, v->server_key);
    SHA256(v->client_key, 32, stored);
    hmac(stored, auth, (size_t)len, signature);
    for (int k = 0; k < 32; k++)
        signature[k] ^= proof[k]; /* the client key that the proof shows */
    hmac(v->server_key, auth, (size_t)len, proof);
    memcpy(v->final, "v=", 2);
    v->final_len = 2 + (size_t)EVP_EncodeBlock((uint8_t *)v->final + 2, proof, 32);
    return memcmp(signature, v->client_key, 32) == 0;
}

/* Take the server's first message. */
static void go_on(tusk__scram *s, const server *v)
{
    ck_assert_int_eq(tusk__scram_continue(s, tusk_str_from(v->first, v->first_len), NULL), TUSK_OK);
    ck_assert_int_eq(s->state, TUSK__SCRAM_WANTS_KEYS);
}

/* A machine that wants keys. */
static void begin_and_go_on(tusk__scram *s)
{
    server v;

    begin(s);
    server_first(&v, s, "x", (const uint8_t *)"salt", 4, 10);
    go_on(s, &v);
}

/* Take it, and derive from a password. */
static void go_on_with(tusk__scram *s, const server *v, const char *password)
{
    go_on(s, v);
    ck_assert_int_eq(tusk__scram_use_password(s, tusk_str_of(password), NULL), TUSK_OK);
    ck_assert_int_eq(s->state, TUSK__SCRAM_DERIVING);
}

/* A machine whose server-final is awaited, and the server that would send it. */
static void log_in_up_to_final(tusk__scram *s, server *v, const tusk__scram_config *config, int i)
{
    static const uint8_t salt[16] = "salt of sixteen";

    ck_assert_int_eq(tusk__scram_init(s, config, NULL), TUSK_OK);
    server_first(v, s, "server", salt, sizeof salt, i);
    go_on_with(s, v, "pencil");
    run_to_the_end(s);
    ck_assert(server_takes_final(v, s, "pencil", salt, sizeof salt, i));
}

/* ---- server-first: what is refused ----------------------------------------------------------------------------------- */

#define REST ",s=QSXCR+Q6sek8bf92,i=4096"

static const struct {
    const char *name, *first, *word;
} bad_first[] = {
    {"empty", "", "nonce"},
    {"nonce alone", "r=Nx", "salt"},
    {"no salt", "r=Nx,i=4096", "salt"},
    {"no iterations", "r=Nx,s=QSXCR+Q6sek8bf92", "iterations"},
    {"iterations cut", "r=Nx,s=QSXCR+Q6sek8bf92,i", "iterations"},
    {"iterations empty", "r=Nx,s=QSXCR+Q6sek8bf92,i=", "positive number"},
    {"comma at the end", "r=Nx" REST ",", "behind the end"},
    {"extension behind", "r=Nx" REST ",x=1", "behind the end"},
    {"salt first", "s=QSXCR+Q6sek8bf92,r=Nx,i=4096", "nonce"},
    {"iterations before salt", "r=Nx,i=4096,s=QSXCR+Q6sek8bf92", "salt"},
    {"extension between", "r=Nx,x=1,s=QSXCR+Q6sek8bf92,i=4096", "salt"},
    {"nonce twice", "r=Nx,r=Nx,s=QSXCR+Q6sek8bf92,i=4096", "salt"},
    {"demanded extension", "m=ext,r=Nx" REST, "extension"},
    {"demanded extension behind", "r=Nx" REST ",m=ext", "behind the end"},
    {"two commas", "r=Nx,,s=QSXCR+Q6sek8bf92,i=4096", "salt"},
    {"no equals sign", "r:Nx" REST, "nonce"},
    {"capital letter", "R=Nx" REST, "nonce"},
    {"blank in front", " r=Nx" REST, "nonce"},
    {"newline at the end", "r=Nx" REST "\n", "positive number"},
    {"error instead", "e=other-error", "nonce"},
    {"final instead", "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "nonce"},
    {"nonce equal to ours", "r=N" REST, "continue ours"},
    {"nonce empty", "r=" REST, "continue ours"},
    {"nonce of another", "r=AAAAAAAAAAAAAAAAAAAAAAAAxxxx" REST, "continue ours"},
    {"nonce with ours behind", "r=xN" REST, "continue ours"},
    {"nonce with a blank", "r=N x" REST, "not allowed"},
    {"nonce with a control", "r=N\001" REST, "not allowed"},
    {"nonce with DEL", "r=N\177" REST, "not allowed"},
    {"nonce with UTF-8", "r=N\303\251" REST, "not allowed"},
    {"salt empty", "r=Nx,s=,i=4096", "salt is empty"},
    {"salt not base64", "r=Nx,s=!!!!,i=4096", "base64"},
    {"salt unpadded", "r=Nx,s=QSXCR+Q6sek8bf9,i=4096", "base64"},
    {"salt with a blank", "r=Nx,s=QSXC R+Q6sek8bf92AAA,i=4096", "base64"},
    {"salt with left over bits", "r=Nx,s=QR==,i=4096", "base64"},
};

START_TEST(scram_refuses_malformed_server_first)
{
    assert_first_refused(bad_first[_i].first, strlen(bad_first[_i].first), TUSK_ERR_PROTOCOL, "08P01",
                         bad_first[_i].word);
}
END_TEST

START_TEST(scram_refuses_server_first_with_a_nul)
{
    static const char message[] = "r=Nx,s=QSXCR+Q6sek8bf92,i=4096\0", inside[] = "r=N\0x" REST;

    assert_first_refused(message, sizeof message - 1, TUSK_ERR_PROTOCOL, "08P01", "positive number");
    assert_first_refused(inside, sizeof inside - 1, TUSK_ERR_PROTOCOL, "08P01", "not allowed");
}
END_TEST

START_TEST(scram_refuses_every_prefix_of_server_first)
{
    static const char message[] = "r=Nx,s=QSXCR+Q6sek8bf92,i=4";

    for (size_t len = 0; len < sizeof message - 2; len++)
        assert_first_refused(message, len, TUSK_ERR_PROTOCOL, "08P01", "SCRAM");
}
END_TEST

#define TOO_MANY "more than 100000 iterations"

static const struct {
    const char *text;
    uint32_t min, max;
    tusk_code code;
    const char *word;
} iterations[] = {
    {"0", 0, 0, TUSK_ERR_PROTOCOL, "positive number"},
    {"00", 0, 0, TUSK_ERR_PROTOCOL, "positive number"},
    {"04096", 0, 0, TUSK_ERR_PROTOCOL, "positive number"},
    {"1e9", 0, 0, TUSK_ERR_PROTOCOL, "positive number"},
    {"-1", 0, 0, TUSK_ERR_PROTOCOL, "positive number"},
    {"+5", 0, 0, TUSK_ERR_PROTOCOL, "positive number"},
    {" 5", 0, 0, TUSK_ERR_PROTOCOL, "positive number"},
    {"5 ", 0, 0, TUSK_ERR_PROTOCOL, "positive number"},
    {"0x10", 0, 0, TUSK_ERR_PROTOCOL, "positive number"},
    {"4096.0", 0, 0, TUSK_ERR_PROTOCOL, "positive number"},
    {"99999999999999999999x", 0, 0, TUSK_ERR_PROTOCOL, "positive number"},
    {"4:", 0, 0, TUSK_ERR_PROTOCOL, "positive number"},
    {"4/", 0, 0, TUSK_ERR_PROTOCOL, "positive number"},
    {"100001", 0, 0, TUSK_ERR_AUTH, TOO_MANY},
    {"2147483647", 0, 0, TUSK_ERR_AUTH, TOO_MANY},
    {"2147483648", 0, 0, TUSK_ERR_AUTH, TOO_MANY},
    {"4294967295", 0, 0, TUSK_ERR_AUTH, TOO_MANY},
    {"4294967296", 0, 0, TUSK_ERR_AUTH, TOO_MANY},
    {"4294967297", 0, 0, TUSK_ERR_AUTH, TOO_MANY},
    {"9999999999", 0, 0, TUSK_ERR_AUTH, TOO_MANY},
    {"10000000000", 0, 0, TUSK_ERR_AUTH, TOO_MANY},
    {"18446744073709551617", 0, 0, TUSK_ERR_AUTH, TOO_MANY},
    {"4294967296", 0, UINT32_MAX, TUSK_ERR_AUTH, "more than 4294967295"},
    {"18446744073709551617", 0, UINT32_MAX, TUSK_ERR_AUTH, "more than 4294967295"},
    {"1", 4096, 0, TUSK_ERR_AUTH, "fewer than 4096"},
    {"4095", 4096, 0, TUSK_ERR_AUTH, "fewer than 4096"},
    {"4097", 0, 4096, TUSK_ERR_AUTH, "more than 4096"},
    {"1", 0, 0, TUSK_OK, ""},
    {"4095", 0, 0, TUSK_OK, ""},
    {"4096", 4096, 4096, TUSK_OK, ""},
    {"100000", 0, 0, TUSK_OK, ""},
    {"4294967295", 0, UINT32_MAX, TUSK_OK, ""},
};

START_TEST(d25_scram_iterations_are_limited_before_computing)
{
    tusk__scram_config config = config_for(only_plain);
    char message[256];
    tusk_error err = {0};
    tusk__scram s;

    config.min_iterations = iterations[_i].min;
    config.max_iterations = iterations[_i].max;
    ck_assert_int_eq(tusk__scram_init(&s, &config, NULL), TUSK_OK);
    snprintf(message, sizeof message, "r=%.*sx,s=QSXCR+Q6sek8bf92,i=%s", (int)s.nonce_len, s.nonce,
             iterations[_i].text);
    n_blocks = 0;
    ck_assert_msg(tusk__scram_continue(&s, tusk_str_of(message), &err) == iterations[_i].code, "i=%s: %s",
                  iterations[_i].text, err.message);
    if (iterations[_i].code == TUSK_OK) {
        ck_assert_uint_eq(tusk__scram_iterations(&s), strtoul(iterations[_i].text, NULL, 10));
        ck_assert_int_eq(n_blocks, 0);
        tusk__scram_clear(&s);
        return;
    }
    ck_assert_int_eq(n_blocks, 0);
    ck_assert_str_eq(err.sqlstate, iterations[_i].code == TUSK_ERR_AUTH ? "28000" : "08P01");
    ck_assert_msg(strstr(err.message, iterations[_i].word) != NULL, "%s", err.message);
    assert_dead(&s);
}
END_TEST

/* The server's own part of the nonce has 0…4000 characters: a whole login where it fits, a refusal where not. */
START_TEST(d8_scram_long_nonce_is_refused)
{
    static const uint8_t salt[] = "salt";
    char more[4001];

    for (size_t n = 0; n <= 4000; n += n < 40 || (n > 980 && n < 1020) ? 1 : 37) {
        tusk_error err = {0};
        server v;
        tusk__scram s;

        begin(&s);
        memset(more, 'x', n);
        more[n] = '\0';
        server_first(&v, &s, more, salt, 4, 1);
        bool fits = n > 0 && s.nonce_len + n <= TUSK__SCRAM_NONCE_MAX;
        if (v.first_len >= sizeof v.first)
            break;
        ck_assert_int_eq(tusk__scram_continue(&s, tusk_str_from(v.first, v.first_len), &err),
                         fits ? TUSK_OK : TUSK_ERR_PROTOCOL);
        if (!fits) {
            assert_dead(&s);
            continue;
        }
        ck_assert_int_eq(tusk__scram_use_password(&s, tusk_str_of("pencil"), NULL), TUSK_OK);
        run_to_the_end(&s);
        ck_assert(server_takes_final(&v, &s, "pencil", salt, 4, 1));
        ck_assert_int_eq(tusk__scram_final(&s, tusk_str_from(v.final, v.final_len), &err), TUSK_OK);
        tusk__scram_clear(&s);
    }
}
END_TEST

/* Salts of 0…4000 bytes, and base64 texts of every length mod 4. */
START_TEST(d8_scram_long_salt_is_refused)
{
    uint8_t salt[TUSK__SCRAM_SALT_MAX];
    char message[8192];
    tusk__scram s;

    for (size_t i = 0; i < sizeof salt; i++)
        salt[i] = (uint8_t)(i * 7);
    for (size_t n = 1; n <= sizeof salt; n++) {
        server v;

        begin(&s);
        server_first(&v, &s, "x", salt, n, 2);
        go_on_with(&s, &v, "pencil");
        ck_assert(tusk_str_equal(tusk__scram_salt(&s), tusk_str_from(salt, n)));
        run_to_the_end(&s);
        ck_assert_msg(server_takes_final(&v, &s, "pencil", salt, n, 2), "salt of %zu bytes", n);
        tusk__scram_clear(&s);
    }
    for (size_t chars = 0; chars <= 5400; chars += chars < 20 || (chars > 670 && chars < 700) ? 1 : 41) {
        begin(&s);
        size_t len = (size_t)snprintf(message, sizeof message, "r=%.*sx,s=", (int)s.nonce_len, s.nonce);
        memset(message + len, 'A', chars);
        len += chars;
        memcpy(message + len, ",i=1", 4);
        bool fits = chars > 0 && chars % 4 == 0 && chars / 4 * 3 <= TUSK__SCRAM_SALT_MAX;
        ck_assert_int_eq(tusk__scram_continue(&s, tusk_str_from(message, len + 4), NULL),
                         fits ? TUSK_OK : TUSK_ERR_PROTOCOL);
        tusk__scram_clear(&s);
    }
}
END_TEST

START_TEST(d8_scram_long_message_is_refused)
{
    char message[TUSK__SCRAM_MESSAGE_MAX + 200];

    memset(message, 'x', sizeof message);
    memcpy(message, "r=N", 3);
    assert_first_refused(message, TUSK__SCRAM_MESSAGE_MAX + 100, TUSK_ERR_PROTOCOL, "08P01", "too long");
}
END_TEST

/* ---- server-final ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *final;
    tusk_code code;
    const char *sqlstate, *word;
} bad_final[] = {
    {"empty", "", TUSK_ERR_PROTOCOL, "08P01", "no signature"},
    {"name alone", "v", TUSK_ERR_PROTOCOL, "08P01", "no signature"},
    {"signature empty", "v=", TUSK_ERR_PROTOCOL, "08P01", "32 bytes"},
    {"signature short", "v=AAAA", TUSK_ERR_PROTOCOL, "08P01", "32 bytes"},
    {"signature of 33 bytes", "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", TUSK_ERR_PROTOCOL, "08P01", "32 bytes"},
    {"signature of 31 bytes", "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", TUSK_ERR_PROTOCOL, "08P01", "32 bytes"},
    {"signature not base64", "v=!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!=", TUSK_ERR_PROTOCOL, "08P01", "32 bytes"},
    {"wrong name", "w=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", TUSK_ERR_PROTOCOL, "08P01", "no signature"},
    {"garbage behind", "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,x=1", TUSK_ERR_PROTOCOL, "08P01",
     "behind the end"},
    {"wrong signature", "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", TUSK_ERR_AUTH, "28000", "signature is wrong"},
    {"error of the proof", "e=invalid-proof", TUSK_ERR_AUTH, "28P01", "invalid-proof"},
    {"error of the user", "e=unknown-user", TUSK_ERR_AUTH, "28P01", "unknown-user"},
    {"another error", "e=channel-bindings-dont-match", TUSK_ERR_AUTH, "28000", "channel-bindings-dont-match"},
    {"error without text", "e=", TUSK_ERR_AUTH, "28000", "other-error"},
    {"error with a control character", "e=\033[2J", TUSK_ERR_AUTH, "28000", "other-error"},
    {"error and signature", "e=invalid-proof,v=AAAA", TUSK_ERR_AUTH, "28P01", "invalid-proof"},
    {"first instead", "r=x,s=AAAA,i=1", TUSK_ERR_PROTOCOL, "08P01", "no signature"},
};

START_TEST(scram_refuses_bad_server_final)
{
    tusk__scram_config config = config_for(only_plain);
    tusk_error err = {0};
    tusk__scram s;
    server v;

    log_in_up_to_final(&s, &v, &config, 3);
    ck_assert(!tusk__scram_is_verified(&s));
    ck_assert_int_eq(tusk__scram_final(&s, tusk_str_of(bad_final[_i].final), &err), bad_final[_i].code);
    ck_assert_str_eq(err.sqlstate, bad_final[_i].sqlstate);
    ck_assert_msg(strstr(err.message, bad_final[_i].word) != NULL, "%s", err.message);
    assert_dead(&s);
}
END_TEST

START_TEST(scram_refuses_a_signature_with_any_bit_wrong)
{
    tusk__scram_config config = config_for(only_plain);
    uint8_t signature[33];
    server v;

    for (int bit = 0; bit < 256; bit++) {
        tusk__scram s;

        log_in_up_to_final(&s, &v, &config, 1);
        EVP_DecodeBlock(signature, (const uint8_t *)v.final + 2, 44);
        signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        EVP_EncodeBlock((uint8_t *)v.final + 2, signature, 32);
        ck_assert_int_eq(tusk__scram_final(&s, tusk_str_from(v.final, v.final_len), NULL), TUSK_ERR_AUTH);
        assert_dead(&s);
    }
}
END_TEST

START_TEST(scram_refuses_server_final_that_is_cut_or_continued)
{
    tusk__scram_config config = config_for(only_plain);
    server v;

    for (size_t len = 0; len < 48; len++) {
        tusk__scram s;

        log_in_up_to_final(&s, &v, &config, 1);
        v.final[v.final_len] = '\0';
        if (len != v.final_len)
            ck_assert_int_eq(tusk__scram_final(&s, tusk_str_from(v.final, len), NULL), TUSK_ERR_PROTOCOL);
        tusk__scram_clear(&s);
    }
}
END_TEST

START_TEST(d8_scram_long_server_final_is_refused)
{
    static char final[65536];
    tusk__scram_config config = config_for(only_plain);

    memset(final, 'A', sizeof final);
    for (size_t len = 2; len <= sizeof final; len = len * 3 / 2 + 1)
        for (int error = 0; error < 2; error++) {
            tusk__scram s;
            server v;
            tusk_error err = {0};

            memcpy(final, error ? "e=" : "v=", 2);
            log_in_up_to_final(&s, &v, &config, 1);
            ck_assert_int_ge(tusk__scram_final(&s, tusk_str_from(final, len), &err), TUSK_ERR_STATE);
            if (len > 100)
                ck_assert(strstr(err.message, "AAAA") == NULL);
            assert_dead(&s);
        }
}
END_TEST

/* ---- order ----------------------------------------------------------------------------------------------------------- */

/* Each message of the server in each state but the one that awaits it. */
START_TEST(scram_refuses_messages_out_of_turn)
{
    tusk__scram_config config = config_for(only_plain);
    tusk_error err = {0};
    tusk__scram s;
    server v;

    begin(&s);
    ck_assert_int_eq(tusk__scram_final(&s, tusk_str_of("v=AAAA"), &err), TUSK_ERR_PROTOCOL);
    ck_assert_str_eq(err.sqlstate, "08P01");
    assert_dead(&s);

    for (int final = 0; final < 2; final++) { /* while deriving */
        begin(&s);
        server_first(&v, &s, "x", (const uint8_t *)"salt", 4, 100);
        go_on_with(&s, &v, "pencil");
        ck_assert_int_eq(tusk__scram_step(&s, 10, NULL), TUSK_AGAIN);
        tusk_str message = tusk_str_from(v.first, v.first_len);
        ck_assert_int_eq(final ? tusk__scram_final(&s, message, NULL) : tusk__scram_continue(&s, message, NULL),
                         TUSK_ERR_PROTOCOL);
        assert_dead(&s);
    }

    log_in_up_to_final(&s, &v, &config, 1);
    ck_assert_int_eq(tusk__scram_continue(&s, tusk_str_from(v.first, v.first_len), NULL), TUSK_ERR_PROTOCOL);
    assert_dead(&s);

    for (int final = 0; final < 2; final++) { /* when all is said */
        log_in_up_to_final(&s, &v, &config, 1);
        ck_assert_int_eq(tusk__scram_final(&s, tusk_str_from(v.final, v.final_len), NULL), TUSK_OK);
        ck_assert(tusk__scram_is_verified(&s));
        ck_assert_int_eq(final ? tusk__scram_final(&s, tusk_str_from(v.final, v.final_len), NULL)
                               : tusk__scram_continue(&s, tusk_str_from(v.first, v.first_len), NULL),
                         TUSK_ERR_PROTOCOL);
        assert_dead(&s);
    }
}
END_TEST

START_TEST(scram_step_before_its_turn_is_an_error_of_state)
{
    tusk_error err = {0};
    tusk__scram s;
    server v;

    begin(&s);
    ck_assert_int_eq(tusk__scram_step(&s, 1, &err), TUSK_ERR_STATE);
    ck_assert_int_eq(s.state, TUSK__SCRAM_WAITS_FIRST);
    server_first(&v, &s, "x", (const uint8_t *)"salt", 4, 100);
    go_on(&s, &v);
    ck_assert_int_eq(tusk__scram_step(&s, 1, &err), TUSK_ERR_STATE); /* of nothing */
    ck_assert_int_eq(s.state, TUSK__SCRAM_WANTS_KEYS);
    tusk__scram_clear(&s);
}
END_TEST

START_TEST(scram_clear_takes_any_machine)
{
    tusk__scram s;

    memset(&s, 0, sizeof s);
    tusk__scram_clear(&s);
    begin_and_go_on(&s);
    ck_assert_int_eq(tusk__scram_use_password(&s, tusk_str_of("pencil"), NULL), TUSK_OK);
    ck_assert(!is_all_zero(&s.secret, sizeof s.secret));
    tusk__scram_clear(&s);
    tusk__scram_clear(&s);
    assert_dead(&s);
}
END_TEST

/* ---- the choice ------------------------------------------------------------------------------------------------------- */

enum {
    PREFER = TUSK__CHANNEL_BINDING_PREFER,
    DISABLE = TUSK__CHANNEL_BINDING_DISABLE,
    REQUIRE = TUSK__CHANNEL_BINDING_REQUIRE
};
enum { N, Y, P, AUTH, PROTOCOL }; /* the choice, or the error */

/* offered: 0 nothing, 1 SCRAM-SHA-256, 2 -PLUS, 3 both, 4 others only. Columns: plain link, TLS without hash, TLS with hash. */
static const struct {
    int policy, offered, plain_link, tls, tls_with_hash;
} choices[] = {
    {REQUIRE, 0, AUTH, AUTH, AUTH},
    {REQUIRE, 1, AUTH, AUTH, AUTH},
    {REQUIRE, 2, PROTOCOL, AUTH, P},
    {REQUIRE, 3, PROTOCOL, AUTH, P},
    {REQUIRE, 4, AUTH, AUTH, AUTH},
    {PREFER, 0, AUTH, AUTH, AUTH},
    {PREFER, 1, N, N, Y},
    {PREFER, 2, PROTOCOL, AUTH, P},
    {PREFER, 3, PROTOCOL, N, P},
    {PREFER, 4, AUTH, AUTH, AUTH},
    {DISABLE, 0, AUTH, AUTH, AUTH},
    {DISABLE, 1, N, N, N},
    {DISABLE, 2, PROTOCOL, AUTH, AUTH},
    {DISABLE, 3, PROTOCOL, N, N},
    {DISABLE, 4, AUTH, AUTH, AUTH},
};

static const tusk_str offers[] = {LIST(""), LIST(PLAIN), LIST(PLUS), LIST(PLUS PLAIN),
                                  LIST("OAUTHBEARER\0SCRAM-SHA-1\0SCRAM-SHA-256-PLU\0scram-sha-256\0SCRAM-SHA-2567\0")};

static void assert_choice(int row, bool tls, bool hash, int expected)
{
    tusk__scram_channel channel = {(tusk__channel_binding)choices[row].policy, tls,
                                   tusk_str_of(hash ? certificate_hash : "")};
    tusk__scram_gs2 choice = TUSK__SCRAM_GS2_N;
    tusk_error err = {0};
    tusk_code code = tusk__scram_choose(offers[choices[row].offered], &channel, &choice, &err);
    int found = code == TUSK_OK ? (int)choice : code == TUSK_ERR_AUTH ? AUTH : PROTOCOL;

    ck_assert_msg(found == expected, "policy %d, offered %d, tls %d, hash %d: %d and not %d", choices[row].policy,
                  choices[row].offered, tls, hash, found, expected);
    if (code != TUSK_OK)
        ck_assert_str_eq(err.sqlstate, code == TUSK_ERR_AUTH ? "28000" : "08P01");
}

START_TEST(d24_scram_choice_follows_the_table)
{
    assert_choice(_i, false, false, choices[_i].plain_link);
    assert_choice(_i, false, true, choices[_i].plain_link); /* a hash without TLS is no binding */
    assert_choice(_i, true, false, choices[_i].tls);
    assert_choice(_i, true, true, choices[_i].tls_with_hash);
}
END_TEST

static const struct {
    const char *name, *list;
    size_t len;
} bad_lists[] = {
    {"no bytes", "", 0},
    {"no end", "SCRAM-SHA-256\0", 14},
    {"no NUL", "SCRAM-SHA-256", 13},
    {"bytes behind", "SCRAM-SHA-256\0\0x", 16},
    {"a second end", "SCRAM-SHA-256\0\0\0", 16},
    {"empty and more", "\0SCRAM-SHA-256\0", 15},
};

START_TEST(scram_refuses_a_malformed_list_of_mechanisms)
{
    tusk__scram_config config = config_for(tusk_str_from(bad_lists[_i].list, bad_lists[_i].len));
    tusk_error err = {0};
    tusk__scram s;

    ck_assert_int_eq(tusk__scram_init(&s, &config, &err), TUSK_ERR_PROTOCOL);
    ck_assert_str_eq(err.sqlstate, "08P01");
    assert_dead(&s);
}
END_TEST

START_TEST(scram_refuses_an_empty_password)
{
    tusk_error err = {0};
    tusk__scram s;

    begin_and_go_on(&s);
    ck_assert_int_eq(tusk__scram_use_password(&s, tusk_str_of(""), &err), TUSK_ERR_AUTH);
    ck_assert_str_eq(err.sqlstate, "28P01");
    assert_dead(&s);
}
END_TEST

START_TEST(scram_refuses_a_password_that_saslprep_cannot_hold)
{
    static char password[4000];
    tusk_error err = {0};
    tusk__scram s;

    for (size_t i = 0; i + 1 < sizeof password; i++)
        password[i] = i % 2 ? '\237' : '\303';
    password[sizeof password - 2] = '\0';
    begin_and_go_on(&s);
    ck_assert_int_eq(tusk__scram_use_password(&s, tusk_str_of(password), &err), TUSK_ERR_LIMIT);
    ck_assert(strstr(err.message, "1024") != NULL);
    assert_dead(&s);
}
END_TEST

START_TEST(d8_scram_binding_data_that_is_too_long_is_an_error)
{
    static const char long_hash[TUSK__SCRAM_BINDING_MAX + 1] = "x";
    tusk__scram_config config = config_for(both);
    tusk__scram s;

    config.channel =
        (tusk__scram_channel){TUSK__CHANNEL_BINDING_REQUIRE, true, tusk_str_from(long_hash, sizeof long_hash)};
    ck_assert_int_eq(tusk__scram_init(&s, &config, NULL), TUSK_ERR_LIMIT);
    assert_dead(&s);
    config.channel.binding.len--;
    ck_assert_int_eq(tusk__scram_init(&s, &config, NULL), TUSK_OK);
    tusk__scram_clear(&s);
}
END_TEST

/* Row: what is offered and how the link is; what is sent. */
static const struct {
    const char *name;
    int policy;
    bool tls, hash;
    const tusk_str *offered;
    const char *mechanism, *header, *c;
} headers[] = {
    {"no TLS", PREFER, false, false, &only_plain, "SCRAM-SHA-256", "n,,n=,r=", "c=biws,r="},
    {"TLS, not offered", PREFER, true, true, &only_plain, "SCRAM-SHA-256", "y,,n=,r=", "c=eSws,r="},
    {"TLS, no hash", PREFER, true, false, &both, "SCRAM-SHA-256", "n,,n=,r=", "c=biws,r="},
    {"disabled", DISABLE, true, true, &both, "SCRAM-SHA-256", "n,,n=,r=", "c=biws,r="},
    {"bound", REQUIRE, true, true, &only_plus, "SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=,r=",
     "c=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=,r="},
};

START_TEST(d24_scram_sends_the_header_that_was_chosen_and_repeats_it)
{
    tusk__scram_config config = config_for(*headers[_i].offered);
    const char *header = headers[_i].header, *c = headers[_i].c;
    tusk__scram s;
    server v;

    config.channel = (tusk__scram_channel){(tusk__channel_binding)headers[_i].policy, headers[_i].tls,
                                           tusk_str_of(headers[_i].hash ? certificate_hash : "")};
    ck_assert_int_eq(tusk__scram_init(&s, &config, NULL), TUSK_OK);
    ck_assert_str_eq(tusk__scram_mechanism(&s), headers[_i].mechanism);
    ck_assert_uint_eq(tusk__scram_message(&s).len, strlen(header) + 24);
    ck_assert_mem_eq(tusk__scram_message(&s).ptr, header, strlen(header));
    tusk__scram_clear(&s);

    log_in_up_to_final(&s, &v, &config, 2);
    ck_assert_mem_eq(tusk__scram_message(&s).ptr, c, strlen(c));
    ck_assert(!tusk__scram_is_bound(&s));
    ck_assert_int_eq(tusk__scram_final(&s, tusk_str_from(v.final, v.final_len), NULL), TUSK_OK);
    ck_assert(tusk__scram_is_verified(&s));
    ck_assert_int_eq(tusk__scram_is_bound(&s), headers[_i].policy == REQUIRE);
    tusk__scram_clear(&s);
}
END_TEST

/* ---- the good way ----------------------------------------------------------------------------------------------------- */

/* RFC 7677, section 3. Its user is not empty and its nonce is shorter than ours, so both are laid into the machine. */
static void begin_as_in_rfc_7677(tusk__scram *s)
{
    static const char nonce[] = "rOprNGfwEbeRWgbNEkqO", bare[] = "n=user,r=rOprNGfwEbeRWgbNEkqO";

    begin(s);
    memcpy(s->nonce, nonce, s->nonce_len = sizeof nonce - 1);
    memcpy(s->bare, bare, s->bare_len = sizeof bare - 1);
}

START_TEST(scram_knows_the_vector_of_rfc_7677)
{
    tusk__scram s;

    begin_as_in_rfc_7677(&s);
    ck_assert_int_eq(
        tusk__scram_continue(
            &s, tusk_str_of("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
            NULL),
        TUSK_OK);
    ck_assert_int_eq(tusk__scram_use_password(&s, tusk_str_of("pencil"), NULL), TUSK_OK);
    run_to_the_end(&s);
    ck_assert(tusk_str_is(tusk__scram_message(&s), "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                                                   "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
    ck_assert_int_eq(tusk__scram_final(&s, tusk_str_of("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="), NULL),
                     TUSK_OK);
    ck_assert(tusk__scram_is_verified(&s));
    tusk__scram_clear(&s);
}
END_TEST

static const struct {
    const char *name, *password, *prepared;
} passwords[] = {
    {"short", "x", "x"},
    {"of 63 bytes", "012345678901234567890123456789012345678901234567890123456789012", NULL},
    {"of 64 bytes", "0123456789012345678901234567890123456789012345678901234567890123", NULL},
    {"of 65 bytes, hashed first", "01234567890123456789012345678901234567890123456789012345678901234", NULL},
    {"ASCII with control", "a\001b", NULL},
    {"composed by SASLprep", "I\302\255X\342\205\250", "IXIX"},
    {"decomposed e acute", "caf\145\314\201", "caf\303\251"},
    {"not UTF-8, used raw", "caf\351", NULL},
    {"not allowed, used raw", "\316\261\356\200\200", NULL},
};

START_TEST(scram_logs_in_with_password)
{
    static const uint8_t salt[] = "0123456789abcdef";
    tusk__scram_config config = config_for(only_plain);
    const char *prepared = passwords[_i].prepared ? passwords[_i].prepared : passwords[_i].password;
    tusk__scram s;
    server v;

    ck_assert_int_eq(tusk__scram_init(&s, &config, NULL), TUSK_OK);
    server_first(&v, &s, "3rfcNHYJY1ZVvWVs7j", salt, 16, 4096);
    go_on_with(&s, &v, passwords[_i].password);
    run_to_the_end(&s);
    ck_assert_msg(server_takes_final(&v, &s, prepared, salt, 16, 4096), "%s", passwords[_i].name);
    ck_assert_int_eq(tusk__scram_final(&s, tusk_str_from(v.final, v.final_len), NULL), TUSK_OK);
    ck_assert(tusk__scram_is_verified(&s));
    ck_assert_mem_eq(tusk__scram_verified_keys(&s)->client_key, v.client_key, 32);
    ck_assert_mem_eq(tusk__scram_verified_keys(&s)->server_key, v.server_key, 32);
    tusk__scram_clear(&s);
}
END_TEST

/* However the iterations are sliced: the same bytes, two compressions each, and no slice does more than it may. */
static const struct {
    uint32_t slice;
    int n;
} slices[] = {{0, 1},    {0, 3},     {1, 1},     {1, 2},       {1, 100},     {7, 99},
              {99, 100}, {100, 100}, {101, 100}, {4096, 4096}, {4096, 4098}, {UINT32_MAX, 5000}};

START_TEST(d25_scram_derives_in_slices)
{
    static const uint8_t salt[] = "0123456789abcdef";
    uint32_t slice = slices[_i].slice;
    tusk__scram s;
    server v;
    tusk_code code;

    begin(&s);
    server_first(&v, &s, "x", salt, 16, slices[_i].n);
    go_on_with(&s, &v, "pencil");
    n_blocks = 0;
    do {
        int before = n_blocks;
        code = tusk__scram_step(&s, slice, NULL);
        ck_assert_uint_le((uint64_t)(n_blocks - before), 2 * (uint64_t)(slice ? slice : 1));
        if (code == TUSK_AGAIN)
            ck_assert_uint_eq((uint64_t)(n_blocks - before), 2 * (uint64_t)(slice ? slice : 1));
    } while (code == TUSK_AGAIN);
    ck_assert_int_eq(code, TUSK_OK);
    ck_assert_int_eq(n_blocks, 2 * slices[_i].n);
    ck_assert(server_takes_final(&v, &s, "pencil", salt, 16, slices[_i].n));
    tusk__scram_clear(&s);
}
END_TEST

START_TEST(scram_draws_a_new_nonce_each_time)
{
    tusk__scram_config config = config_for(only_plain);
    tusk__scram a, b;

    config.crypto = tusk__crypto_openssl();
    ck_assert_int_eq(tusk__scram_init(&a, &config, NULL), TUSK_OK);
    ck_assert_int_eq(tusk__scram_init(&b, &config, NULL), TUSK_OK);
    ck_assert_uint_eq(a.nonce_len, 24);
    ck_assert(!tusk_str_equal(tusk__scram_message(&a), tusk__scram_message(&b)));
    tusk__scram_clear(&a);
    tusk__scram_clear(&b);
}
END_TEST

/* ---- kept keys -------------------------------------------------------------------------------------------------------- */

START_TEST(scram_logs_in_with_kept_keys_and_computes_nothing)
{
    tusk__scram_config config = config_for(only_plain);
    tusk__scram_keys keys;
    tusk__scram s;
    server v;

    log_in_up_to_final(&s, &v, &config, 4096);
    ck_assert(tusk__scram_verified_keys(&s) == NULL);
    ck_assert_int_eq(tusk__scram_final(&s, tusk_str_from(v.final, v.final_len), NULL), TUSK_OK);
    keys = *tusk__scram_verified_keys(&s);
    tusk__scram_clear(&s);

    ck_assert_int_eq(tusk__scram_init(&s, &config, NULL), TUSK_OK);
    server_first(&v, &s, "another", (const uint8_t *)"salt of sixteen", 16, 4096);
    go_on(&s, &v);
    n_blocks = 0;
    tusk__scram_use_keys(&s, &keys);
    ck_assert_int_eq(tusk__scram_step(&s, 1, NULL), TUSK_OK);
    ck_assert_int_eq(n_blocks, 0);
    ck_assert(server_takes_final(&v, &s, "pencil", (const uint8_t *)"salt of sixteen", 16, 4096));
    ck_assert_int_eq(tusk__scram_final(&s, tusk_str_from(v.final, v.final_len), NULL), TUSK_OK);
    ck_assert_mem_eq(tusk__scram_verified_keys(&s), &keys, sizeof keys);
    tusk__scram_clear(&s);
}
END_TEST

START_TEST(scram_with_wrong_kept_keys_does_not_verify)
{
    tusk__scram_keys keys = {{1}, {2}};
    tusk__scram s;
    server v;

    begin(&s);
    server_first(&v, &s, "x", (const uint8_t *)"salt", 4, 10);
    go_on(&s, &v);
    tusk__scram_use_keys(&s, &keys);
    ck_assert_int_eq(tusk__scram_step(&s, 1, NULL), TUSK_OK);
    ck_assert(!server_takes_final(&v, &s, "pencil", (const uint8_t *)"salt", 4, 10));
    ck_assert_int_eq(tusk__scram_final(&s, tusk_str_from(v.final, v.final_len), NULL), TUSK_ERR_AUTH);
    assert_dead(&s);
}
END_TEST

/* ---- secrets and failures ------------------------------------------------------------------------------------------------ */

START_TEST(d27_scram_compares_nonce_and_signature_in_constant_time)
{
    tusk__scram_config config = config_for(only_plain);
    tusk__scram s;
    server v;

    log_in_up_to_final(&s, &v, &config, 1);
    ck_assert_int_eq(n_equal, 1);
    ck_assert_int_eq(tusk__scram_final(&s, tusk_str_from(v.final, v.final_len), NULL), TUSK_OK);
    ck_assert_int_eq(n_equal, 2);
    tusk__scram_clear(&s);
}
END_TEST

START_TEST(d27_scram_keeps_no_password_and_wipes_what_it_has_used)
{
    static const char password[] = "a password to look for";
    tusk__scram s;
    server v;

    begin(&s);
    server_first(&v, &s, "x", (const uint8_t *)"salt", 4, 10);
    go_on_with(&s, &v, password);
    ck_assert(memmem(&s, sizeof s, password, sizeof password - 1) == NULL);
    run_to_the_end(&s);
    ck_assert(is_all_zero(&s.secret.chain, sizeof s.secret.chain));
    tusk__scram_clear(&s);
    assert_dead(&s);
}
END_TEST

/* Row i: the i-th call of the crypto library that may fail does, once as out of memory and once as a refusal. */
START_TEST(scram_passes_failures_of_the_crypto_library_on)
{
    static const char long_password[] =
        "01234567890123456789012345678901234567890123456789012345678901234"; /* is hashed */
    const tusk_code failures[] = {TUSK_ERR_NOMEM, TUSK_ERR_SYSTEM};

    for (int f = 0; f < 2; f++) {
        tusk__scram_config config = config_for(only_plain);
        tusk_error err = {0};
        tusk__scram s;
        server v;

        failure = failures[f];
        calls_left = _i;
        tusk_code code = tusk__scram_init(&s, &config, &err);
        if (code == TUSK_OK) {
            server_first(&v, &s, "x", (const uint8_t *)"salt", 4, 2);
            go_on(&s, &v);
            code = tusk__scram_use_password(&s, tusk_str_of(long_password), &err);
        }
        if (code == TUSK_OK)
            code = tusk__scram_step(&s, 100, &err);
        if (_i == 7) { /* one more than there are calls */
            ck_assert_int_eq(code, TUSK_OK);
            ck_assert_int_eq(calls_left, 0);
            tusk__scram_clear(&s);
            continue;
        }
        ck_assert_int_eq(code, failure);
        ck_assert_int_eq(err.code, failure);
        assert_dead(&s);
    }
}
END_TEST

/* The OpenSSL table against OpenSSL's one-shot functions. */
START_TEST(crypto_table_agrees_with_openssl)
{
    const tusk__crypto *crypto = tusk__crypto_openssl();
    uint8_t key[200], data[300], expected[32], out[32];

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 13);
    for (size_t n = 0; n < sizeof key; n++) {
        const tusk_str parts[] = {tusk_str_from(data, n), {NULL, 0}, tusk_str_from(data + n, sizeof data - n)};

        key[n] = (uint8_t)(n * 31);
        HMAC(EVP_sha256(), key, (int)n, data, sizeof data, expected, NULL);
        ck_assert_int_eq(crypto->hmac_sha256(NULL, key, n, parts, 3, out), TUSK_OK);
        ck_assert_mem_eq(out, expected, 32);
        SHA256(data, n, expected);
        ck_assert_int_eq(crypto->sha256(NULL, parts[0], out), TUSK_OK);
        ck_assert_mem_eq(out, expected, 32);
        EVP_Digest(data, sizeof data, expected, NULL, EVP_md5(), NULL);
        ck_assert_int_eq(crypto->md5(NULL, parts, 3, out), TUSK_OK);
        ck_assert_mem_eq(out, expected, 16);
    }
    ck_assert(crypto->equal("abc", "abd", 2));
    ck_assert(!crypto->equal("abc", "abd", 3));
    ck_assert(crypto->equal(data, key, 0));
    crypto->wipe(data, sizeof data);
    ck_assert(is_all_zero(data, sizeof data));
    ck_assert_int_eq(crypto->random(NULL, data, sizeof data), TUSK_OK);
    ck_assert_int_eq(crypto->random(NULL, key, sizeof key), TUSK_OK);
    ck_assert(!is_all_zero(data, sizeof data) && memcmp(data, key, sizeof key) != 0);
}
END_TEST

static void add_refusals(TCase *t)
{
    tcase_add_loop_test(t, scram_refuses_malformed_server_first, 0, N_OF(bad_first));
    tcase_add_test(t, scram_refuses_server_first_with_a_nul);
    tcase_add_test(t, scram_refuses_every_prefix_of_server_first);
    tcase_add_loop_test(t, d25_scram_iterations_are_limited_before_computing, 0, N_OF(iterations));
    tcase_add_test(t, d8_scram_long_nonce_is_refused);
    tcase_add_test(t, d8_scram_long_salt_is_refused);
    tcase_add_test(t, d8_scram_long_message_is_refused);
    tcase_add_loop_test(t, scram_refuses_bad_server_final, 0, N_OF(bad_final));
    tcase_add_test(t, scram_refuses_a_signature_with_any_bit_wrong);
    tcase_add_test(t, scram_refuses_server_final_that_is_cut_or_continued);
    tcase_add_test(t, d8_scram_long_server_final_is_refused);
    tcase_add_test(t, scram_refuses_messages_out_of_turn);
    tcase_add_test(t, scram_step_before_its_turn_is_an_error_of_state);
    tcase_add_test(t, scram_clear_takes_any_machine);
    tcase_add_loop_test(t, scram_refuses_a_malformed_list_of_mechanisms, 0, N_OF(bad_lists));
    tcase_add_test(t, scram_refuses_an_empty_password);
    tcase_add_test(t, scram_refuses_a_password_that_saslprep_cannot_hold);
    tcase_add_test(t, d8_scram_binding_data_that_is_too_long_is_an_error);
}

static void add_logins(TCase *t)
{
    tcase_add_loop_test(t, d24_scram_choice_follows_the_table, 0, N_OF(choices));
    tcase_add_loop_test(t, d24_scram_sends_the_header_that_was_chosen_and_repeats_it, 0, N_OF(headers));
    tcase_add_test(t, scram_knows_the_vector_of_rfc_7677);
    tcase_add_loop_test(t, scram_logs_in_with_password, 0, N_OF(passwords));
    tcase_add_loop_test(t, d25_scram_derives_in_slices, 0, N_OF(slices));
    tcase_add_test(t, scram_draws_a_new_nonce_each_time);
    tcase_add_test(t, scram_logs_in_with_kept_keys_and_computes_nothing);
    tcase_add_test(t, scram_with_wrong_kept_keys_does_not_verify);
    tcase_add_test(t, d27_scram_compares_nonce_and_signature_in_constant_time);
    tcase_add_test(t, d27_scram_keeps_no_password_and_wipes_what_it_has_used);
    tcase_add_loop_test(t, scram_passes_failures_of_the_crypto_library_on, 0, 8);
    tcase_add_test(t, crypto_table_agrees_with_openssl);
}

Suite *tusk_suite(void)
{
    Suite *s = suite_create("scram");
    TCase *refusals = tcase_create("refusals"), *logins = tcase_create("logins");

    add_refusals(refusals);
    add_logins(logins);
    suite_add_tcase(s, refusals);
    suite_add_tcase(s, logins);
    return s;
}
