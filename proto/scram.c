/* SCRAM-SHA-256(-PLUS), the client's side: choice, four messages, PBKDF2 in slices.
 * Every message is built by one bounded writer; what a failure leaves is wiped at one place (settle).
 * Read first: proto/scram.h; RFC 5802 sections 3, 5 to 7. */
#include "proto/scram.h"

#include <assert.h>

#include "proto/error_set.h"
#include "proto/saslprep.h"

#define MALFORMED(err, what) tusk__error_set(err, TUSK_ERR_PROTOCOL, "08P01", "SCRAM: %s", what)

/* ---- the one writer ------------------------------------------------------------------------------------------------ */

typedef struct writer {
    char *ptr;
    size_t len, cap;
    bool full; /* something did not fit; what is there is no message */
} writer;

static void put(writer *w, tusk_str part)
{
    if (w->full || part.len > w->cap - w->len) {
        w->full = true;
        return;
    }
    if (part.len > 0)
        memcpy(w->ptr + w->len, part.ptr, part.len);
    w->len += part.len;
}

static void put_text(writer *w, const char *text)
{
    put(w, tusk_str_of(text));
}

static void put_base64(writer *w, const void *data, size_t len)
{
    size_t n = 0;

    if (w->full || tusk__base64_encode(tusk_str_from(data, len), w->ptr + w->len, w->cap - w->len, &n) != TUSK_OK)
        w->full = true;
    w->len += n;
}

static tusk_str written(const writer *w)
{
    return tusk_str_from(w->ptr, w->len);
}

/* Sizes are such that this cannot happen; were it to, it would be an error and not an overrun (D8). */
static tusk_code check_fits(const writer *w, tusk_error *err)
{
    return w->full ? tusk__error_set(err, TUSK_ERR_LIMIT, NULL, "SCRAM: the answer does not fit its buffer") : TUSK_OK;
}

/* ---- choosing ------------------------------------------------------------------------------------------------------ */

typedef struct offer {
    bool plain, plus;
} offer;

static tusk_code read_offer(tusk_str list, offer *offered, tusk_error *err)
{
    const char *p = list.ptr, *end;

    *offered = (offer){false, false};
    for (size_t left = list.len; left > 0; left -= (size_t)(end + 1 - p), p = end + 1) {
        end = memchr(p, '\0', left);
        if (!end)
            break;
        if (end == p)
            return left == 1 ? TUSK_OK : MALFORMED(err, "bytes behind the end of the list of mechanisms");
        offered->plain |= tusk_str_is(tusk_str_from(p, (size_t)(end - p)), "SCRAM-SHA-256") != 0;
        offered->plus |= tusk_str_is(tusk_str_from(p, (size_t)(end - p)), "SCRAM-SHA-256-PLUS") != 0;
    }
    return MALFORMED(err, "the list of mechanisms has no end");
}

static tusk_code refuse(tusk_error *err, const char *why)
{
    return tusk__error_set(err, TUSK_ERR_AUTH, "28000", "%s", why);
}

static tusk_code check_require(const offer *offered, const tusk__scram_channel *channel, tusk_error *err)
{
    if (!channel->tls)
        return refuse(err, "channel binding is required, but the connection is not TLS");
    if (!offered->plus)
        return refuse(err, "channel binding is required, but the server does not offer SCRAM-SHA-256-PLUS");
    if (channel->binding.len == 0)
        return refuse(err,
                      "channel binding is required, but the server's certificate has a signature without a known hash");
    return TUSK_OK;
}

tusk_code tusk__scram_choose(tusk_str offered_list, const tusk__scram_channel *channel, tusk__scram_gs2 *choice,
                             tusk_error *err)
{
    bool can_bind = channel->tls && channel->binding.len > 0 && channel->policy != TUSK__CHANNEL_BINDING_DISABLE;
    offer offered;

    TUSK_TRY(read_offer(offered_list, &offered, err));
    if (offered.plus && !channel->tls)
        return MALFORMED(err, "the server offers channel binding on a connection that is not TLS");
    if (channel->policy == TUSK__CHANNEL_BINDING_REQUIRE)
        TUSK_TRY(check_require(&offered, channel, err));
    if (!(can_bind && offered.plus) && !offered.plain)
        return refuse(err, "the server offers no SASL mechanism that can be used here");
    *choice = !can_bind ? TUSK__SCRAM_GS2_N : offered.plus ? TUSK__SCRAM_GS2_P : TUSK__SCRAM_GS2_Y;
    return TUSK_OK;
}

const char *tusk__scram_mechanism(const tusk__scram *s)
{
    return s->gs2 == TUSK__SCRAM_GS2_P ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256";
}

static const char *gs2_header(tusk__scram_gs2 gs2)
{
    switch (gs2) {
    case TUSK__SCRAM_GS2_Y:
        return "y,,";
    case TUSK__SCRAM_GS2_P:
        return TUSK__SCRAM_GS2_END_POINT;
    case TUSK__SCRAM_GS2_N:
        break;
    }
    return "n,,";
}

/* ---- keys, proof and signature (RFC 5802, section 3) ---------------------------------------------------------------- */

static tusk_code hmac(const tusk__scram *s, const uint8_t key[TUSK__SHA256_LEN], const tusk_str *parts, size_t n_parts,
                      uint8_t out[TUSK__SHA256_LEN])
{
    return s->crypto->hmac_sha256(s->crypto->user, key, TUSK__SHA256_LEN, parts, n_parts, out);
}

static tusk_code derive_keys(tusk__scram *s)
{
    const tusk_str client = tusk_str_of("Client Key"), server = tusk_str_of("Server Key");

    TUSK_TRY(hmac(s, s->secret.chain.key, &client, 1, s->secret.keys.client_key));
    return hmac(s, s->secret.chain.key, &server, 1, s->secret.keys.server_key);
}

/* proof = ClientKey xor HMAC(H(ClientKey), AuthMessage) */
static tusk_code compute_proof(const tusk__scram *s, const tusk_str *auth_message, size_t n_parts,
                               uint8_t proof[TUSK__SHA256_LEN])
{
    const uint8_t *client_key = s->secret.keys.client_key;
    uint8_t stored_key[TUSK__SHA256_LEN];
    tusk_code code = s->crypto->sha256(s->crypto->user, tusk_str_from(client_key, TUSK__SHA256_LEN), stored_key);

    if (code == TUSK_OK)
        code = hmac(s, stored_key, auth_message, n_parts, proof);
    if (code == TUSK_OK)
        for (size_t i = 0; i < TUSK__SHA256_LEN; i++)
            proof[i] ^= client_key[i];
    s->crypto->wipe(stored_key, sizeof stored_key);
    return code;
}

static tusk_str server_nonce(const tusk__scram *s)
{
    return tusk_str_from(s->server_first + 2, s->server_nonce_len);
}

/* client-final: c=<gs2 header and binding>,r=<server's nonce>,p=<proof> */
static tusk_code write_client_final(tusk__scram *s, tusk_error *err)
{
    writer w = {s->message, 0, sizeof s->message, false};
    uint8_t proof[TUSK__SHA256_LEN];
    tusk_code code;

    put_text(&w, "c=");
    put(&w, tusk_str_from(s->binding, s->binding_len));
    put_text(&w, ",r=");
    put(&w, server_nonce(s));
    TUSK_TRY(check_fits(&w, err));

    const tusk_str auth_message[] = {tusk_str_from(s->bare, s->bare_len), tusk_str_of(","),
                                     tusk_str_from(s->server_first, s->server_first_len), tusk_str_of(","),
                                     written(&w)};
    code = compute_proof(s, auth_message, 5, proof);
    if (code == TUSK_OK)
        code = hmac(s, s->secret.keys.server_key, auth_message, 5, s->secret.server_signature);
    if (code != TUSK_OK)
        return tusk__error_set(err, code, NULL, "SCRAM: the crypto library failed");
    put_text(&w, ",p=");
    put_base64(&w, proof, sizeof proof);
    s->message_len = w.len;
    return check_fits(&w, err);
}

/* ---- beginning ------------------------------------------------------------------------------------------------------ */

static tusk_code draw_nonce(tusk__scram *s, tusk_error *err)
{
    writer w = {s->nonce, 0, sizeof s->nonce, false};
    uint8_t bytes[TUSK__SCRAM_NONCE_BYTES];
    tusk_code code = s->crypto->random(s->crypto->user, bytes, sizeof bytes);

    if (code != TUSK_OK)
        return tusk__error_set(err, code, NULL, "SCRAM: no random bytes can be had");
    put_base64(&w, bytes, sizeof bytes);
    s->nonce_len = w.len;
    return check_fits(&w, err);
}

/* The value of c=: the gs2 header that client-first opened with, and the data that binds, if any. */
static tusk_code write_binding(tusk__scram *s, tusk_str hash, tusk_error *err)
{
    char raw[sizeof TUSK__SCRAM_GS2_END_POINT - 1 + TUSK__SCRAM_BINDING_MAX];
    writer in = {raw, 0, sizeof raw, false}, out = {s->binding, 0, sizeof s->binding, false};

    put_text(&in, gs2_header(s->gs2));
    if (s->gs2 == TUSK__SCRAM_GS2_P)
        put(&in, hash);
    TUSK_TRY(check_fits(&in, err));
    put_base64(&out, raw, in.len);
    s->binding_len = out.len;
    return check_fits(&out, err);
}

/* client-first: the user's name stays empty, the server takes the one of the start-up packet. */
static tusk_code write_client_first(tusk__scram *s, tusk_error *err)
{
    writer bare = {s->bare, 0, sizeof s->bare, false}, w = {s->message, 0, sizeof s->message, false};

    put_text(&bare, "n=,r=");
    put(&bare, tusk_str_from(s->nonce, s->nonce_len));
    TUSK_TRY(check_fits(&bare, err));
    put_text(&w, gs2_header(s->gs2));
    put(&w, written(&bare));
    s->bare_len = bare.len;
    s->message_len = w.len;
    return check_fits(&w, err);
}

/* After each step of the machine: go on in `next`, or wipe and fail. */
static tusk_code settle(tusk__scram *s, tusk_code code, tusk__scram_state next)
{
    if (code == TUSK_OK)
        s->state = next;
    else
        tusk__scram_clear(s);
    return code;
}

static tusk_code begin(tusk__scram *s, const tusk__scram_config *config, tusk_error *err)
{
    TUSK_TRY(tusk__scram_choose(config->offered, &config->channel, &s->gs2, err));
    TUSK_TRY(draw_nonce(s, err));
    TUSK_TRY(write_binding(s, config->channel.binding, err));
    return write_client_first(s, err);
}

tusk_code tusk__scram_init(tusk__scram *s, const tusk__scram_config *config, tusk_error *err)
{
    memset(s, 0, sizeof *s);
    s->crypto = config->crypto;
    s->min_iterations = config->min_iterations ? config->min_iterations : 1;
    s->max_iterations = config->max_iterations ? config->max_iterations : TUSK__SCRAM_MAX_ITERATIONS;
    return settle(s, begin(s, config, err), TUSK__SCRAM_WAITS_FIRST);
}

/* ---- server-first: r=<nonce>,s=<salt>,i=<iterations> ----------------------------------------------------------------- */

/* Take "<name>=<value>" off the front, with the comma behind it if there is one. Returns false if another attribute, or
 * none, stands there. */
static bool take_attribute(tusk_str *left, char name, tusk_str *value)
{
    const char *comma;

    if (left->len < 2 || left->ptr[0] != name || left->ptr[1] != '=')
        return false;
    comma = memchr(left->ptr, ',', left->len);
    *value = tusk_str_from(left->ptr + 2, (comma ? (size_t)(comma - left->ptr) : left->len) - 2);
    *left = comma ? tusk_str_from(comma, left->len - 2 - value->len) : tusk_str_from(left->ptr + left->len, 0);
    return true;
}

static bool take_comma(tusk_str *left)
{
    if (left->len == 0 || left->ptr[0] != ',')
        return false;
    *left = tusk_str_from(left->ptr + 1, left->len - 1);
    return true;
}

/* printable = %x21-2B / %x2D-7E */
static bool is_printable(tusk_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < 0x21 || s.ptr[i] > 0x7E || s.ptr[i] == ',')
            return false;
    return true;
}

static tusk_code check_nonce(const tusk__scram *s, tusk_str nonce, tusk_error *err)
{
    if (nonce.len > TUSK__SCRAM_NONCE_MAX)
        return MALFORMED(err, "the server's nonce is too long");
    if (!is_printable(nonce))
        return MALFORMED(err, "the server's nonce has a character that is not allowed");
    if (nonce.len <= s->nonce_len || !s->crypto->equal(nonce.ptr, s->nonce, s->nonce_len))
        return MALFORMED(err, "the server's nonce does not continue ours");
    return TUSK_OK;
}

static tusk_code read_salt(tusk__scram *s, tusk_str text, tusk_error *err)
{
    tusk_code code = tusk__base64_decode(text, s->salt, sizeof s->salt, &s->salt_len);

    if (code == TUSK_ERR_LIMIT)
        return MALFORMED(err, "the salt is too long");
    if (code != TUSK_OK)
        return MALFORMED(err, "the salt is not base64");
    return s->salt_len > 0 ? TUSK_OK : MALFORMED(err, "the salt is empty");
}

/* posit-number = %x31-39 *DIGIT. More than ten digits are above every limit, and are not added up. */
static tusk_code read_iterations(tusk__scram *s, tusk_str text, tusk_error *err)
{
    uint64_t n = 0;

    if (text.len == 0 || text.ptr[0] == '0')
        return MALFORMED(err, "the count of iterations is not a positive number");
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return MALFORMED(err, "the count of iterations is not a positive number");
        n = i < 10 ? n * 10 + (uint64_t)(text.ptr[i] - '0') : UINT64_MAX;
    }
    if (n > s->max_iterations)
        return tusk__error_set(err, TUSK_ERR_AUTH, "28000", "the server asks for more than %lu iterations of SCRAM",
                               (unsigned long)s->max_iterations);
    if (n < s->min_iterations)
        return tusk__error_set(err, TUSK_ERR_AUTH, "28000", "the server asks for fewer than %lu iterations of SCRAM",
                               (unsigned long)s->min_iterations);
    s->iterations = (uint32_t)n;
    return TUSK_OK;
}

static tusk_code read_server_first(tusk__scram *s, tusk_str message, tusk_error *err)
{
    tusk_str left = message, nonce, salt, iterations;

    if (s->state != TUSK__SCRAM_WAITS_FIRST)
        return MALFORMED(err, "a first message of the server where none is awaited");
    if (message.len > sizeof s->server_first)
        return MALFORMED(err, "the server's first message is too long");
    if (message.len > 1 && message.ptr[0] == 'm' && message.ptr[1] == '=')
        return MALFORMED(err, "the server demands an extension that does not exist");
    if (!take_attribute(&left, 'r', &nonce))
        return MALFORMED(err, "the server's first message does not begin with a nonce");
    if (!take_comma(&left) || !take_attribute(&left, 's', &salt))
        return MALFORMED(err, "the server's first message has no salt behind its nonce");
    if (!take_comma(&left) || !take_attribute(&left, 'i', &iterations))
        return MALFORMED(err, "the server's first message has no count of iterations behind its salt");
    if (left.len > 0)
        return MALFORMED(err, "bytes behind the end of the server's first message");
    TUSK_TRY(check_nonce(s, nonce, err));
    TUSK_TRY(read_salt(s, salt, err));
    TUSK_TRY(read_iterations(s, iterations, err));
    memcpy(s->server_first, message.ptr, message.len);
    s->server_first_len = message.len;
    s->server_nonce_len = nonce.len;
    return TUSK_OK;
}

tusk_code tusk__scram_continue(tusk__scram *s, tusk_str server_first, tusk_error *err)
{
    tusk_code code = read_server_first(s, server_first, err);

    return settle(s, code, TUSK__SCRAM_WANTS_KEYS);
}

tusk_str tusk__scram_salt(const tusk__scram *s)
{
    return tusk_str_from(s->salt, s->salt_len);
}

uint32_t tusk__scram_iterations(const tusk__scram *s)
{
    return s->iterations;
}

/* ---- keys, or a password -------------------------------------------------------------------------------------------- */

void tusk__scram_use_keys(tusk__scram *s, const tusk__scram_keys *keys)
{
    assert(s->state == TUSK__SCRAM_WANTS_KEYS);
    s->secret.keys = *keys;
    s->state = TUSK__SCRAM_HAS_KEYS;
}

static tusk_code key_chain(tusk__scram *s, tusk_str password, tusk_error *err)
{
    tusk_code code = tusk__pbkdf2_init(&s->secret.chain, s->crypto, password);

    return code == TUSK_OK ? code : tusk__error_set(err, code, NULL, "SCRAM: the crypto library failed");
}

static tusk_code prepare_password(tusk__scram *s, tusk_str password, tusk_error *err)
{
    tusk__saslprep_buf buf;
    tusk_str prepared;
    tusk_code code;

    if (password.len == 0)
        return tusk__error_set(err, TUSK_ERR_AUTH, "28P01", "the server asks for a password and none was given");
    code = tusk__saslprep(password, &buf, &prepared);
    if (code == TUSK_OK)
        code = key_chain(s, prepared, err);
    else
        tusk__error_set(err, code, NULL, "a password that is not plain ASCII may have %d characters at most",
                        TUSK__SASLPREP_MAX);
    s->crypto->wipe(&buf, sizeof buf);
    return code;
}

tusk_code tusk__scram_use_password(tusk__scram *s, tusk_str password, tusk_error *err)
{
    assert(s->state == TUSK__SCRAM_WANTS_KEYS);
    s->iterations_left = s->iterations;
    return settle(s, prepare_password(s, password, err), TUSK__SCRAM_DERIVING);
}

/* ---- deriving -------------------------------------------------------------------------------------------------------- */

/* n links of those that are left; with keys none is. */
static void iterate(tusk__scram *s, uint32_t n)
{
    bool is_first = n > 0 && s->iterations_left == s->iterations;

    s->iterations_left -= n;
    if (is_first)
        tusk__pbkdf2_begin(&s->secret.chain, s->crypto, tusk__scram_salt(s));
    if (n > is_first)
        tusk__pbkdf2_run(&s->secret.chain, s->crypto, n - is_first);
}

static tusk_code end_chain(tusk__scram *s, tusk_error *err)
{
    tusk_code code = s->state == TUSK__SCRAM_HAS_KEYS ? TUSK_OK : derive_keys(s);

    s->crypto->wipe(&s->secret.chain,
                    sizeof s->secret.chain); /* neither it nor the password's states are needed from here on */
    if (code != TUSK_OK)
        return tusk__error_set(err, code, NULL, "SCRAM: the crypto library failed");
    return write_client_final(s, err);
}

tusk_code tusk__scram_step(tusk__scram *s, uint32_t n_iterations, tusk_error *err)
{
    uint32_t n = n_iterations > 0 ? n_iterations : 1;

    if (s->state != TUSK__SCRAM_DERIVING && s->state != TUSK__SCRAM_HAS_KEYS)
        return tusk__error_set(err, TUSK_ERR_STATE, NULL, "SCRAM: there is nothing to compute");
    iterate(s, n < s->iterations_left ? n : s->iterations_left);
    if (s->iterations_left > 0)
        return TUSK_AGAIN;
    return settle(s, end_chain(s, err), TUSK__SCRAM_WAITS_FINAL);
}

tusk_str tusk__scram_message(const tusk__scram *s)
{
    return tusk_str_from(s->message, s->message_len);
}

/* ---- server-final: v=<signature>, or e=<error> ----------------------------------------------------------------------- */

static tusk_code server_refused(tusk_str why, tusk_error *err)
{
    bool credentials = tusk_str_is(why, "invalid-proof") || tusk_str_is(why, "unknown-user");

    if (why.len == 0 || why.len > 64 || !is_printable(why))
        why = tusk_str_of("other-error");
    return tusk__error_set(err, TUSK_ERR_AUTH, credentials ? "28P01" : "28000", "the server ended SCRAM: " TUSK_STR_FMT,
                           TUSK_STR_ARG(why));
}

static tusk_code read_server_final(const tusk__scram *s, tusk_str message, tusk_error *err)
{
    uint8_t signature[TUSK__SHA256_LEN];
    tusk_str left = message, value;
    size_t len;

    if (s->state != TUSK__SCRAM_WAITS_FINAL)
        return MALFORMED(err, "a final message of the server where none is awaited");
    if (message.len > TUSK__SCRAM_MESSAGE_MAX)
        return MALFORMED(err, "the server's final message is too long");
    if (take_attribute(&left, 'e', &value))
        return server_refused(value, err);
    if (!take_attribute(&left, 'v', &value))
        return MALFORMED(err, "the server's final message has no signature");
    if (left.len > 0)
        return MALFORMED(err, "bytes behind the end of the server's final message");
    if (tusk__base64_decode(value, signature, sizeof signature, &len) != TUSK_OK || len != sizeof signature)
        return MALFORMED(err, "the server's signature is not the base64 of 32 bytes");
    if (!s->crypto->equal(signature, s->secret.server_signature, sizeof signature))
        return refuse(err, "the server does not know the password's verifier: its SCRAM signature is wrong");
    return TUSK_OK;
}

tusk_code tusk__scram_final(tusk__scram *s, tusk_str server_final, tusk_error *err)
{
    return settle(s, read_server_final(s, server_final, err), TUSK__SCRAM_VERIFIED);
}

bool tusk__scram_is_verified(const tusk__scram *s)
{
    return s->state == TUSK__SCRAM_VERIFIED;
}

bool tusk__scram_is_bound(const tusk__scram *s)
{
    return tusk__scram_is_verified(s) && s->gs2 == TUSK__SCRAM_GS2_P;
}

const tusk__scram_keys *tusk__scram_verified_keys(const tusk__scram *s)
{
    return tusk__scram_is_verified(s) ? &s->secret.keys : NULL;
}

void tusk__scram_clear(tusk__scram *s)
{
    const tusk__crypto *crypto = s->crypto;

    if (!crypto)
        return;
    crypto->wipe(s, sizeof *s);
    s->crypto = crypto; /* still there for a second call */
    s->state = TUSK__SCRAM_FAILED;
}
