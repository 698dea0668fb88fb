/*
 * Fuzz target F4: what a server may say during SCRAM, and during OAUTHBEARER (switch 64: the first part is its JSON, the second the
 * URL). SCRAM needs proto/ alone: hash, HMAC and random bytes are cheap stand-ins, so
 * that PBKDF2 costs nothing, and the true signature, which no fuzzer would guess, is put in where the input asks for it.
 *
 * Input: one byte of switches, one of policy and slices, then the parts, each ended by a newline: list of mechanisms,
 * server-first, server-final, password. In the messages 'N' at the start of the nonce stands for ours (switch 1), and a final
 * of "V" for the true one. Read first: proto/scram.h, lib/oauth_json.h,
 * lib/oauth_issuer.h.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/oauth_issuer.h"
#include "lib/oauth_json.h"
#include "proto/md5auth.h"
#include "proto/scram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition) ((condition) ? (void)0 : abort())

enum {
    SWITCH_NONCE = 1,
    SWITCH_TLS = 2,
    SWITCH_HASH = 4,
    SWITCH_LIST = 8,
    SWITCH_KEYS = 16,
    SWITCH_OUT_OF_TURN = 32,
    SWITCH_OAUTH = 64
};

/* ---- stand-ins: deterministic, and every byte counts ------------------------------------------------------------- */

static void stir(uint8_t *out, size_t out_len, const void *data, size_t len)
{
    const uint8_t *p = data;

    for (size_t i = 0; i < len; i++)
        out[i % out_len] = (uint8_t)((out[i % out_len] << 1 | out[i % out_len] >> 7) ^ p[i]);
}

static tusk_code stir_parts(const tusk_str *parts, size_t n_parts, uint8_t *out, size_t out_len)
{
    memset(out, (int)out_len, out_len);
    for (size_t i = 0; i < n_parts; i++)
        stir(out, out_len, parts[i].ptr, parts[i].len);
    return TUSK_OK;
}

static tusk_code stub_hmac(void *user, const uint8_t *key, size_t key_len, const tusk_str *parts, size_t n_parts,
                           uint8_t out[TUSK__SHA256_LEN])
{
    (void)user;
    stir_parts(parts, n_parts, out, TUSK__SHA256_LEN);
    stir(out, TUSK__SHA256_LEN, key, key_len);
    return TUSK_OK;
}

static tusk_code stub_sha256(void *user, tusk_str text, uint8_t out[TUSK__SHA256_LEN])
{
    (void)user;
    return stir_parts(&text, 1, out, TUSK__SHA256_LEN);
}

static tusk_code stub_md5(void *user, const tusk_str *parts, size_t n_parts, uint8_t out[TUSK__MD5_LEN])
{
    (void)user;
    return stir_parts(parts, n_parts, out, TUSK__MD5_LEN);
}

static tusk_code stub_random(void *user, uint8_t *out, size_t len)
{
    (void)user;
    memset(out, 0x6B, len);
    return TUSK_OK;
}

static void stub_block(uint32_t state[8], const uint8_t block[TUSK__SHA256_BLOCK])
{
    for (size_t i = 0; i < 8; i++)
        state[i] ^= (uint32_t)block[i] << 8 | block[63 - i];
}

static bool stub_equal(const void *a, const void *b, size_t len)
{
    return memcmp(a, b, len) == 0;
}

static void stub_wipe(void *p, size_t len)
{
    memset(p, 0, len);
}

static const tusk__crypto crypto = {NULL,        stub_hmac,  stub_sha256, stub_md5,
                                    stub_random, stub_block, stub_equal,  stub_wipe};

/* ---- the input ------------------------------------------------------------------------------------------------------ */

static tusk_str take_part(tusk_str *left)
{
    const char *end = left->len > 0 ? memchr(left->ptr, '\n', left->len) : NULL;
    tusk_str part = {left->ptr, end ? (size_t)(end - left->ptr) : left->len};

    *left = end ? tusk_str_from(end + 1, left->len - part.len - 1) : tusk_str_from(left->ptr + left->len, 0);
    return part;
}

/* A message in a block of exactly its size, so that a read behind it is seen. */
static tusk_str copy_of(tusk_str s)
{
    char *copy = malloc(s.len > 0 ? s.len : 1);

    CHECK(copy != NULL);
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    return tusk_str_from(copy, s.len);
}

static void release(tusk_str copy)
{
    free((void *)(uintptr_t)copy.ptr);
}

static tusk_str with_our_nonce(const tusk__scram *s, tusk_str first)
{
    char *text;

    if (first.len < 3 || first.ptr[2] != 'N')
        return copy_of(first);
    text = malloc(first.len - 1 + s->nonce_len);
    CHECK(text != NULL);
    memcpy(text, first.ptr, 2);
    memcpy(text + 2, s->nonce, s->nonce_len);
    memcpy(text + 2 + s->nonce_len, first.ptr + 3, first.len - 3);
    return tusk_str_from(text, first.len - 1 + s->nonce_len);
}

static tusk_str true_final(const tusk__scram *s)
{
    char text[2 + TUSK__BASE64_LEN(TUSK__SHA256_LEN)] = "v=";
    size_t len = 0;

    CHECK(tusk__base64_encode(tusk_str_from(s->secret.server_signature, TUSK__SHA256_LEN), text + 2, sizeof text - 2,
                              &len) == TUSK_OK);
    return copy_of(tusk_str_from(text, 2 + len));
}

/* ---- what must hold ------------------------------------------------------------------------------------------------- */

static void check_failed(tusk__scram *s, tusk_code code, const tusk_error *err)
{
    CHECK(code == err->code && err->message[0] != '\0');
    CHECK(code == TUSK_ERR_PROTOCOL || code == TUSK_ERR_AUTH || code == TUSK_ERR_LIMIT);
    CHECK(s->state == TUSK__SCRAM_FAILED && !tusk__scram_is_verified(s) && tusk__scram_verified_keys(s) == NULL);
    tusk__scram_clear(s);
}

/* False: the password was refused, and the machine is dead. */
static bool derive(tusk__scram *s, uint32_t slice, bool keys, tusk_str password)
{
    static const tusk__scram_keys kept = {{7}, {9}};
    uint32_t left = s->iterations;
    tusk_error err = {0};
    tusk_code code = TUSK_OK;

    CHECK(tusk__scram_iterations(s) >= 1 && tusk__scram_iterations(s) <= 64);
    CHECK(tusk__scram_salt(s).len >= 1 && tusk__scram_salt(s).len <= TUSK__SCRAM_SALT_MAX);
    if (keys)
        tusk__scram_use_keys(s, &kept);
    else
        code = tusk__scram_use_password(s, password, &err);
    if (code != TUSK_OK) {
        check_failed(s, code, &err);
        return false;
    }
    while ((code = tusk__scram_step(s, slice, &err)) == TUSK_AGAIN)
        CHECK(left-- > 0);
    CHECK(code == TUSK_OK);
    CHECK(tusk__scram_message(s).len > 3 + 44 && tusk__scram_message(s).len <= sizeof s->message);
    return true;
}

static void run(tusk__scram *s, uint8_t switches, uint8_t pace, tusk_str first_part, tusk_str final_part,
                tusk_str password)
{
    bool is_true = tusk_str_is(final_part, "V");
    tusk_error err = {0};
    tusk_str first, final;
    tusk_code code;

    if (switches & SWITCH_OUT_OF_TURN)
        code = tusk__scram_final(s, first_part, &err);
    else {
        first = switches & SWITCH_NONCE ? with_our_nonce(s, first_part) : copy_of(first_part);
        code = tusk__scram_continue(s, first, &err);
        release(first);
    }
    if (code != TUSK_OK) {
        check_failed(s, code, &err);
        return;
    }
    if (!derive(s, pace % 8, (switches & SWITCH_KEYS) != 0, password))
        return;
    final = is_true ? true_final(s) : copy_of(final_part);
    code = tusk__scram_final(s, final, &err);
    release(final);
    if (code != TUSK_OK) {
        CHECK(!is_true);
        check_failed(s, code, &err);
        return;
    }
    CHECK(tusk__scram_is_verified(s) && tusk__scram_verified_keys(s) != NULL);
    CHECK(tusk__scram_is_bound(s) == (s->gs2 == TUSK__SCRAM_GS2_P));
    tusk__scram_clear(s);
}

/* ---- OAUTHBEARER ------------------------------------------------------------------------------------------------------ */

/* RFC 8414 and OpenID Connect put the well-known part back where it was found; and nobody else's URL is the issuer's. */
static void check_issuer(tusk_str url)
{
    static const char *const parts[] = {"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"};
    tusk__issuer issuer = {0};
    char again[512], name[512];
    bool is_whole = false;
    int len;

    if (url.len > 256 || tusk__issuer_of_url(url, &issuer) != NULL)
        return;
    CHECK(tusk__is_well_known(url));
    for (int i = 0; i < 2; i++) {
        len = snprintf(again, sizeof again, TUSK_STR_FMT "%s" TUSK_STR_FMT, TUSK_STR_ARG(issuer.front), parts[i],
                       TUSK_STR_ARG(issuer.back));
        is_whole = is_whole || tusk_str_equal(tusk_str_from(again, (size_t)len), url);
    }
    CHECK(is_whole || memchr(url.ptr, '\0', url.len));
    CHECK(issuer.back.len == 0 || !memchr(issuer.front.ptr + 8, '/', issuer.front.len - 8));
    if (memchr(url.ptr, '\0', url.len))
        return;
    len = snprintf(name, sizeof name, TUSK_STR_FMT TUSK_STR_FMT, TUSK_STR_ARG(issuer.front), TUSK_STR_ARG(issuer.back));
    CHECK(tusk__issuer_is(&issuer, tusk_str_from(name, (size_t)len)));
    CHECK(!tusk__issuer_is(&issuer, tusk_str_from(name, (size_t)len - 1)));
    name[len / 2] ^= 1;
    CHECK(!tusk__issuer_is(&issuer, tusk_str_from(name, (size_t)len)));
}

/* None is longer than it was, and all lie in the room. */
static void check_answer_text(tusk_str text, const tusk__oauth_answer *answer, const json_t *theirs, const char *name)
{
    const char *end = answer->room + sizeof answer->room;
    const json_t *value = theirs ? json_object_get(theirs, name) : NULL;

    CHECK(!text.ptr || (text.ptr >= answer->room && text.ptr <= end && text.len <= (size_t)(end - text.ptr)));
    if (!theirs)
        return;
    CHECK(!value == !text.ptr);
    CHECK(!value ||
          (json_string_length(value) == text.len && memcmp(json_string_value(value), text.ptr, text.len) == 0));
}

/* jansson reads the same, but for numbers that it cannot hold, and for NUL, which it passes over. */
static void check_answer(tusk_str json, const tusk__oauth_answer *answer, const tusk_error *err)
{
    json_error_t why = {0};
    json_t *theirs = json_loadb(json.ptr, json.len, JSON_DECODE_ANY, &why);

    if (err->code == TUSK_OK) {
        CHECK(theirs || json_error_code(&why) == json_error_numeric_overflow);
        CHECK(answer->status.len + answer->scope.len + answer->discovery_url.len <= json.len);
        check_answer_text(answer->status, answer, theirs, "status");
        check_answer_text(answer->scope, answer, theirs, "scope");
        check_answer_text(answer->discovery_url, answer, theirs, "openid-configuration");
        CHECK(!memchr(json.ptr, '\0', json.len));
    } else if (strstr(err->message, "is no JSON object")) {
        CHECK(!json_is_object(theirs) || memchr(json.ptr, '\0', json.len));
    } else if (strstr(err->message, "is no JSON")) {
        CHECK(!theirs || memchr(json.ptr, '\0', json.len));
    }
    json_decref(theirs);
}

static void run_oauth(tusk_str json_part, tusk_str url_part)
{
    static tusk__oauth_answer answer;
    tusk_str json = copy_of(json_part), url = copy_of(url_part);
    tusk_error err = {0};
    tusk_code code = tusk__oauth_answer_read(json, &answer, &err);

    CHECK(code == TUSK_OK || (code == TUSK_ERR_PROTOCOL && code == err.code));
    CHECK(code == TUSK_OK || strncmp(err.message, "OAUTHBEARER: the server's answer ", 33) == 0);
    check_answer(json, &answer, &err);
    if (answer.discovery_url.ptr)
        check_issuer(answer.discovery_url);
    check_issuer(url);
    release(json);
    release(url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char list[] = "SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0";
    char md5_answer[TUSK__MD5AUTH_LEN];
    uint8_t switches = size > 0 ? data[0] : 0, pace = size > 1 ? data[1] : 0;
    tusk_str left = tusk_str_from(data + (size > 1 ? 2 : size), size > 1 ? size - 2 : 0);
    tusk_str offered = copy_of(take_part(&left)), first = take_part(&left), final = take_part(&left);
    tusk__scram_config config = {.crypto = &crypto, .offered = offered, .max_iterations = 64};
    tusk_error err = {0};
    tusk__scram s;
    tusk_code code;

    if (switches & SWITCH_OAUTH) {
        run_oauth(offered, first);
        release(offered);
        return 0;
    }
    config.channel.tls = (switches & SWITCH_TLS) != 0;
    config.channel.policy = (tusk__channel_binding)(pace / 8 % 3);
    if (switches & SWITCH_HASH)
        config.channel.binding = tusk_str_from("0123456789abcdef0123456789abcdef", 32);
    if (switches & SWITCH_LIST)
        config.offered = tusk_str_from(list, sizeof list);
    code = tusk__scram_init(&s, &config, &err);
    if (code == TUSK_OK) {
        CHECK(config.channel.policy != TUSK__CHANNEL_BINDING_REQUIRE || s.gs2 == TUSK__SCRAM_GS2_P);
        CHECK(s.gs2 == TUSK__SCRAM_GS2_N || config.channel.tls);
        run(&s, switches, pace, first, final, left);
    } else {
        check_failed(&s, code, &err);
    }
    if (left.len > 0)
        CHECK(tusk__md5auth(&crypto, first, left, (const uint8_t *)"salt", md5_answer, NULL) == TUSK_OK);
    release(offered);
    return 0;
}
