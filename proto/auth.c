/* The messages of authentication: the server's Authentication…, and the three that share the letter p.
 * It computes nothing: see scram.c and md5auth.c.
 * Read first: proto/message.h, proto/body.h. */
#include "proto/body.h"
#include "proto/message.h"

#define MD5_SALT_LEN 4

/* AuthenticationSASL's names: each with its NUL, and an empty one behind the last. */
static tusk_str read_mechanisms(tusk__body *b)
{
    const char *start = (const char *)b->in.ptr;
    const char *end = start;

    while (b->code == TUSK_OK) {
        end = (const char *)b->in.ptr;
        if (tusk__body_cstr(b, "mechanism name").len == 0)
            break;
    }
    return tusk_str_from(start, (size_t)(end - start));
}

static tusk_str read_by_kind(tusk__body *b, uint32_t kind)
{
    switch (kind) {
    case TUSK__AUTH_OK:
    case TUSK__AUTH_KERBEROS_V5:
    case TUSK__AUTH_CLEARTEXT_PASSWORD:
    case TUSK__AUTH_SCM_CREDENTIAL:
    case TUSK__AUTH_GSS:
    case TUSK__AUTH_SSPI:
        return tusk_str_from(b->in.ptr, 0);
    case TUSK__AUTH_MD5_PASSWORD:
        return tusk__body_bytes(b, "salt", MD5_SALT_LEN);
    case TUSK__AUTH_SASL:
        return read_mechanisms(b);
    default: /* GSS and SASL data, and what we do not know: the mechanism's bytes */
        return tusk__body_rest(b);
    }
}

/* Authentication… (B) */
tusk_code tusk__authentication_read(tusk_str body, tusk__authentication *out, tusk_error *err)
{
    tusk__body b = tusk__body_of(body, "Authentication", err);

    out->kind = tusk__body_u32(&b, "kind");
    out->data = read_by_kind(&b, out->kind);
    return tusk__body_end(&b);
}

void tusk__authentication_write(tusk__writer *b, const tusk__authentication *auth)
{
    size_t at = tusk__message_begin(b, TUSK__B_AUTHENTICATION);

    tusk__write_u32(b, auth->kind);
    tusk__write_bytes(b, auth->data);
    if (auth->kind == TUSK__AUTH_SASL)
        tusk__write_u8(b, 0);
    tusk__message_end(b, at);
}

bool tusk__sasl_next(tusk_str *names, tusk_str *name)
{
    tusk__reader b = tusk__reader_of(*names);

    *name = tusk__read_cstr(&b);
    if (b.bad)
        return false;
    *names = tusk_str_from(b.ptr, tusk__reader_left(&b));
    return true;
}

/* PasswordMessage (F) */
void tusk__password_message_write(tusk__writer *b, tusk_str password)
{
    size_t at = tusk__message_begin(b, TUSK__F_PASSWORD);

    tusk__write_cstr(b, password);
    tusk__message_end(b, at);
}

tusk_code tusk__password_message_read(tusk_str body, tusk_str *password, tusk_error *err)
{
    tusk__body b = tusk__body_of(body, "PasswordMessage", err);

    *password = tusk__body_cstr(&b, "password");
    return tusk__body_end(&b);
}

/* SASLInitialResponse (F). data.ptr NULL: the mechanism has no initial response, which is not an empty one. */
void tusk__sasl_initial_response_write(tusk__writer *b, tusk_str mechanism, tusk_str data)
{
    size_t at = tusk__message_begin(b, TUSK__F_PASSWORD);

    tusk__write_cstr(b, mechanism);
    tusk__write_field(b, data, data.ptr == NULL);
    tusk__message_end(b, at);
}

tusk_code tusk__sasl_initial_response_read(tusk_str body, tusk_str *mechanism, tusk_str *data, tusk_error *err)
{
    tusk__body b = tusk__body_of(body, "SASLInitialResponse", err);
    bool is_null;

    *mechanism = tusk__body_cstr(&b, "mechanism name");
    *data = tusk__body_field(&b, "initial response", 1, &is_null);
    return tusk__body_end(&b);
}

/* SASLResponse (F), GSSResponse (F) */
void tusk__sasl_response_write(tusk__writer *b, tusk_str data)
{
    size_t at = tusk__message_begin(b, TUSK__F_PASSWORD);

    tusk__write_bytes(b, data);
    tusk__message_end(b, at);
}
