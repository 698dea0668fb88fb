/* The answer to AuthenticationMD5Password.
 * What stands between password and answer is as good as the password for a server that asks for MD5: it is wiped.
 * Read first: proto/md5auth.h. */
#include "proto/md5auth.h"

#include "proto/error_set.h"

#define HEX_LEN (2 * TUSK__MD5_LEN)

static void write_hex(const uint8_t digest[TUSK__MD5_LEN], char out[HEX_LEN])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < TUSK__MD5_LEN; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
}

/* hex(md5(a b)) */
static tusk_code hash_pair(const tusk__crypto *crypto, tusk_str a, tusk_str b, char out[HEX_LEN])
{
    const tusk_str parts[] = {a, b};
    uint8_t digest[TUSK__MD5_LEN];
    tusk_code code = crypto->md5(crypto->user, parts, 2, digest);

    if (code == TUSK_OK)
        write_hex(digest, out);
    crypto->wipe(digest, sizeof digest);
    return code;
}

tusk_code tusk__md5auth(const tusk__crypto *crypto, tusk_str user, tusk_str password, const uint8_t salt[4],
                        char out[TUSK__MD5AUTH_LEN], tusk_error *err)
{
    char secret[HEX_LEN]; /* what pg_authid stores behind "md5" */
    tusk_code code;

    _Static_assert(TUSK__MD5AUTH_LEN == 3 + HEX_LEN, "prefix and digest");
    if (password.len == 0)
        return tusk__error_set(err, TUSK_ERR_AUTH, "28P01", "the server asks for a password and none was given");
    code = hash_pair(crypto, password, user, secret);
    if (code == TUSK_OK)
        code = hash_pair(crypto, tusk_str_from(secret, sizeof secret), tusk_str_from(salt, 4), out + 3);
    crypto->wipe(secret, sizeof secret);
    if (code != TUSK_OK)
        return tusk__error_set(err, code, NULL, "the crypto library refused to compute MD5");
    memcpy(out, "md5", 3);
    return TUSK_OK;
}
