/* PBKDF2-HMAC-SHA256, one block of output, on the bare compression.
 * Read first: proto/pbkdf2.h. */
#include "proto/pbkdf2.h"

#include <assert.h>
#include <string.h>

static const uint32_t sha256_start[8] = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                                         0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19}; /* FIPS 180-4, 5.3.3 */

/* v as its bytes lie in memory when they are big-endian. A compiler makes nothing, or one instruction, of it. */
static uint32_t big_endian(uint32_t v)
{
    const uint32_t one = 1;
    uint8_t first;

    memcpy(&first, &one, 1);
    return first == 0 ? v : v >> 24 | (v >> 8 & 0xFF00) | (v & 0xFF00) << 8 | (v & 0xFF) << 24;
}

static void store32(uint8_t out[4], uint32_t v)
{
    uint32_t swapped = big_endian(v);

    memcpy(out, &swapped, sizeof swapped);
}

static void store_state(uint8_t *out, const uint32_t state[8])
{
    for (size_t i = 0; i < 8; i++)
        store32(out + 4 * i, state[i]);
}

/* A last block for a message of 64 + 32 bytes, of which the 32 stand in front: what both halves of HMAC end with. */
static void pad_digest_block(uint8_t block[TUSK__SHA256_BLOCK])
{
    memset(block + TUSK__SHA256_LEN, 0, TUSK__SHA256_BLOCK - TUSK__SHA256_LEN);
    block[TUSK__SHA256_LEN] = 0x80;
    store32(block + TUSK__SHA256_BLOCK - 4, 8 * (TUSK__SHA256_BLOCK + TUSK__SHA256_LEN));
}

/* The state after HMAC's first block: the key, padded with zeros and xored. */
static void key_state(const tusk__crypto *crypto, const uint8_t key[TUSK__SHA256_BLOCK], uint8_t pad, uint32_t state[8])
{
    uint8_t block[TUSK__SHA256_BLOCK];

    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (uint8_t)(key[i] ^ pad);
    memcpy(state, sha256_start, sizeof sha256_start);
    crypto->sha256_block(state, block);
    crypto->wipe(block, sizeof block);
}

tusk_code tusk__pbkdf2_init(tusk__pbkdf2 *p, const tusk__crypto *crypto, tusk_str password)
{
    uint8_t key[TUSK__SHA256_BLOCK] = {0};
    tusk_code code = TUSK_OK;

    if (password.len > sizeof key)
        code = crypto->sha256(crypto->user, password, key);
    else
        memcpy(key, password.ptr, password.len);
    if (code == TUSK_OK) {
        key_state(crypto, key, 0x36, p->inner);
        key_state(crypto, key, 0x5C, p->outer);
    }
    crypto->wipe(key, sizeof key);
    return code;
}

/* u = HMAC(password, salt INT(1)): the chain's first link, and the only one whose message is not a digest. */
void tusk__pbkdf2_begin(tusk__pbkdf2 *p, const tusk__crypto *crypto, tusk_str salt)
{
    uint8_t tail[(TUSK__PBKDF2_SALT_MAX + 4 + 1 + 8 + TUSK__SHA256_BLOCK - 1) / TUSK__SHA256_BLOCK *
                 TUSK__SHA256_BLOCK] = {0};
    size_t len = salt.len + 4;
    size_t padded = (len + 1 + 8 + TUSK__SHA256_BLOCK - 1) / TUSK__SHA256_BLOCK * TUSK__SHA256_BLOCK;
    uint8_t block[TUSK__SHA256_BLOCK];
    uint32_t state[8];

    assert(salt.len <= TUSK__PBKDF2_SALT_MAX && padded <= sizeof tail);
    memcpy(tail, salt.ptr, salt.len);
    store32(tail + salt.len, 1);
    tail[len] = 0x80;
    store32(tail + padded - 4, (uint32_t)(8 * (TUSK__SHA256_BLOCK + len)));

    memcpy(state, p->inner, sizeof state);
    for (size_t at = 0; at < padded; at += TUSK__SHA256_BLOCK)
        crypto->sha256_block(state, tail + at);
    store_state(block, state);
    pad_digest_block(block);
    memcpy(state, p->outer, sizeof state);
    crypto->sha256_block(state, block);
    store_state(p->u, state);
    memcpy(p->key, p->u, sizeof p->u);
    crypto->wipe(block, sizeof block);
    crypto->wipe(state, sizeof state);
}

/* n more links: u = HMAC(password, u), and all of them xored. Two compressions each. */
void tusk__pbkdf2_run(tusk__pbkdf2 *p, const tusk__crypto *crypto, uint32_t n)
{
    void (*compress)(uint32_t *, const uint8_t *) = crypto->sha256_block;
    uint8_t block[TUSK__SHA256_BLOCK];
    uint32_t state[8], sum[8] = {0};

    memcpy(block, p->u, TUSK__SHA256_LEN);
    pad_digest_block(block);
    for (uint32_t i = 0; i < n; i++) {
        memcpy(state, p->inner, sizeof state);
        compress(state, block);
        store_state(block, state);
        memcpy(state, p->outer, sizeof state);
        compress(state, block);
        store_state(block, state);
        for (size_t k = 0; k < 8; k++)
            sum[k] ^= state[k];
    }
    memcpy(p->u, block, TUSK__SHA256_LEN);
    store_state(block, sum);
    for (size_t k = 0; k < TUSK__SHA256_LEN; k++)
        p->key[k] ^= block[k];
    crypto->wipe(block, sizeof block);
    crypto->wipe(state, sizeof state);
    crypto->wipe(sum, sizeof sum);
}
