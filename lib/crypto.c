/* The crypto functions of proto/crypto.h, by OpenSSL.
 * SHA-256 uses the calls on a struct of our own: they allocate nothing, cannot be out of memory, and are the only way to one
 * compression. OpenSSL 3 calls them deprecated and keeps them; MD5, which a FIPS machine forbids, goes through EVP and obeys.
 * Random bytes are the kernel's: OpenSSL's generator is so much code that a login, which finds it in no cache, would spend a tenth
 * of its time there, to draw one nonce.
 * Read first: lib/crypto.h. */
#define OPENSSL_SUPPRESS_DEPRECATED /* this file only: SHA256_Init … SHA256_Transform */
#include "lib/crypto.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "loop/os.h"

/* Why did OpenSSL fail? Empties the thread's error queue, as every user of it must before a TLS call. */
static tusk_code openssl_failure(void)
{
    tusk_code code = TUSK_ERR_SYSTEM;
    unsigned long e;

    while ((e = ERR_get_error()) != 0)
        if (ERR_GET_REASON(e) == ERR_R_MALLOC_FAILURE)
            code = TUSK_ERR_NOMEM;
    return code;
}

static bool add_parts(SHA256_CTX *ctx, const tusk_str *parts, size_t n_parts)
{
    for (size_t i = 0; i < n_parts; i++)
        if (parts[i].len > 0 && SHA256_Update(ctx, parts[i].ptr, parts[i].len) != 1)
            return false;
    return true;
}

static bool hash_parts(const tusk_str *parts, size_t n_parts, uint8_t out[TUSK__SHA256_LEN])
{
    SHA256_CTX ctx;
    bool ok = SHA256_Init(&ctx) == 1 && add_parts(&ctx, parts, n_parts) && SHA256_Final(out, &ctx) == 1;

    OPENSSL_cleanse(&ctx, sizeof ctx);
    return ok;
}

static tusk_code sha256(void *user, tusk_str data, uint8_t out[TUSK__SHA256_LEN])
{
    (void)user;
    return hash_parts(&data, 1, out) ? TUSK_OK : openssl_failure();
}

/* One half of HMAC (RFC 2104): the hash of the key's block, xored with `pad`, and the parts. */
static bool hash_keyed(const uint8_t key[TUSK__SHA256_BLOCK], uint8_t pad, const tusk_str *parts, size_t n_parts,
                       uint8_t out[TUSK__SHA256_LEN])
{
    uint8_t block[TUSK__SHA256_BLOCK];
    SHA256_CTX ctx;
    bool ok;

    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (uint8_t)(key[i] ^ pad);
    ok = SHA256_Init(&ctx) == 1 && SHA256_Update(&ctx, block, sizeof block) == 1 && add_parts(&ctx, parts, n_parts) &&
         SHA256_Final(out, &ctx) == 1;
    OPENSSL_cleanse(block, sizeof block);
    OPENSSL_cleanse(&ctx, sizeof ctx);
    return ok;
}

static tusk_code hmac_sha256(void *user, const uint8_t *key, size_t key_len, const tusk_str *parts, size_t n_parts,
                             uint8_t out[TUSK__SHA256_LEN])
{
    tusk_str whole = tusk_str_from(key, key_len), inner = tusk_str_from(out, TUSK__SHA256_LEN);
    uint8_t block[TUSK__SHA256_BLOCK] = {0};
    bool ok = true;

    (void)user;
    if (key_len > sizeof block)
        ok = hash_parts(&whole, 1, block);
    else if (key_len > 0)
        memcpy(block, key, key_len);
    ok = ok && hash_keyed(block, 0x36, parts, n_parts, out) && hash_keyed(block, 0x5C, &inner, 1, out);
    OPENSSL_cleanse(block, sizeof block);
    return ok ? TUSK_OK : openssl_failure();
}

static bool md5_parts(EVP_MD_CTX *ctx, const tusk_str *parts, size_t n_parts, uint8_t out[TUSK__MD5_LEN])
{
    unsigned len = 0;

    if (EVP_DigestInit_ex(ctx, EVP_md5(), NULL) != 1)
        return false;
    for (size_t i = 0; i < n_parts; i++)
        if (parts[i].len > 0 && EVP_DigestUpdate(ctx, parts[i].ptr, parts[i].len) != 1)
            return false;
    return EVP_MD_CTX_get_size(ctx) == TUSK__MD5_LEN && EVP_DigestFinal_ex(ctx, out, &len) == 1 && len == TUSK__MD5_LEN;
}

void tusk__crypto_begin(void)
{
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}

static tusk_code md5(void *user, const tusk_str *parts, size_t n_parts, uint8_t out[TUSK__MD5_LEN])
{
    EVP_MD_CTX *ctx;
    bool ok;

    (void)user;
    tusk__crypto_begin();
    ERR_clear_error();
    ctx = EVP_MD_CTX_new();
    if (!ctx) {
        (void)openssl_failure();
        return TUSK_ERR_NOMEM;
    }
    ok = md5_parts(ctx, parts, n_parts, out);
    EVP_MD_CTX_free(ctx);
    return ok ? TUSK_OK : openssl_failure();
}

static tusk_code random_bytes(void *user, uint8_t *out, size_t len)
{
    const tusk__os *os = tusk__os_real();

    (void)user;
    return os->random(os->ctx, out, len) < 0 ? TUSK_ERR_SYSTEM : TUSK_OK;
}

/* SHA256_Transform reads and writes the eight words and nothing else of the struct. They are wiped by hand: this runs 8192
 * times for a login, and OPENSSL_cleanse would be a sixth of its time. */
static void sha256_block(uint32_t state[8], const uint8_t block[TUSK__SHA256_BLOCK])
{
    SHA256_CTX ctx;
    volatile SHA_LONG *words = ctx.h;

    _Static_assert(sizeof ctx.h == 8 * sizeof state[0], "OpenSSL's SHA_LONG has 32 bits");
    memcpy(ctx.h, state, sizeof ctx.h);
    SHA256_Transform(&ctx, block);
    memcpy(state, ctx.h, sizeof ctx.h);
    for (size_t i = 0; i < 8; i++)
        words[i] = 0;
}

static bool equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

static void wipe(void *p, size_t len)
{
    OPENSSL_cleanse(p, len);
}

const tusk__crypto *tusk__crypto_openssl(void)
{
    static const tusk__crypto table = {
        .user = NULL,
        .hmac_sha256 = hmac_sha256,
        .sha256 = sha256,
        .md5 = md5,
        .random = random_bytes,
        .sha256_block = sha256_block,
        .equal = equal,
        .wipe = wipe,
    };
    return &table;
}
