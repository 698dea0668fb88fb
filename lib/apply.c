/* One function for each kind of parameter: what its text means, and what is wrong with it.
 * It allocates nothing and asks nobody.
 * Read first: lib/apply.h. */
#include "lib/apply.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "lib/crypto.h"
#include "lib/hosts.h"
#include "lib/mechanism.h"
#include "proto/error_set.h"

#define US_PER_SECOND 1000000

typedef struct job {
    tusk__settings *s;
    tusk_error *err;
} job;

/* No message holds a value: behind a typing error any text may be a password (D31). */
static tusk_code refuse(const job *j, const tusk__param *param, const char *why)
{
    return tusk__error_set(j->err, TUSK_ERR_CONFIG, NULL, "%s %s", param->name, why);
}

static tusk_code keep(const job *j, const tusk__param *param, const void *value, size_t size)
{
    if (param->offset != TUSK__NO_FIELD)
        memcpy((char *)j->s + param->offset, value, size);
    return TUSK_OK;
}

static tusk_code apply_text(const job *j, const tusk__param *param, tusk_str text)
{
    if (!text.ptr)
        text = tusk_str_of(""); /* empty texts have their NUL too */
    return keep(j, param, &text, sizeof text);
}

/* A password with a bare '@' in a URI ends at it, and its rest would be looked up as a host, and be part of an error (D31). Only
 * paths of sockets may have one: abstract ones at their beginning, others anywhere. */
static bool holds_a_password(tusk_str host)
{
    return host.len > 1 && host.ptr[0] != '/' && memchr(host.ptr + 1, '@', host.len - 1);
}

static tusk_code apply_name(const job *j, const tusk__param *param, tusk_str text)
{
    size_t n = tusk__list_count(text);
    tusk_str rest = text;

    for (size_t i = 0; i < n; i++)
        if (holds_a_password(tusk__list_next(&rest))) {
            (void)refuse(j, param, "must not contain an @");
            tusk__error_hint(j->err, tusk_str_of("In a URI, an @ in a password is written %40."));
            return TUSK_ERR_CONFIG;
        }
    return apply_text(j, param, text);
}

/* IPv6 with a zone ("fe80::1%eth0") is an address too; whether the zone exists the system will say. */
static bool is_address(tusk_str text)
{
    char copy[INET6_ADDRSTRLEN];
    const char *zone = memchr(text.ptr, '%', text.len);
    size_t len = zone ? (size_t)(zone - text.ptr) : text.len;
    struct in6_addr addr;

    if (len >= sizeof copy)
        return false;
    memcpy(copy, text.ptr, len);
    copy[len] = '\0';
    return inet_pton(AF_INET6, copy, &addr) == 1 || (!zone && inet_pton(AF_INET, copy, &addr) == 1);
}

static tusk_code apply_address(const job *j, const tusk__param *param, tusk_str text)
{
    size_t n = tusk__list_count(text);
    tusk_str rest = text;

    for (size_t i = 0; i < n; i++) {
        tusk_str item = tusk__list_next(&rest);

        if (item.len > 0 && !is_address(item))
            return refuse(j, param, "must be a numeric IPv4 or IPv6 address; give a name as host");
    }
    return apply_text(j, param, text);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r'); /* isspace() of the C locale */
}

/* A decimal int, with a sign and blanks around it if need be: what libpq takes. */
static bool read_int(tusk_str text, int64_t *out)
{
    const char *p = text.ptr, *end = p + text.len;
    int64_t n = 0;
    bool negative;

    while (p < end && is_blank(*p))
        p++;
    negative = p < end && *p == '-';
    p += p < end && (*p == '-' || *p == '+');
    if (p == end || *p < '0' || *p > '9')
        return false;
    for (; p < end && *p >= '0' && *p <= '9'; p++)
        if (n <= INT32_MAX)
            n = n * 10 + (*p - '0');
    while (p < end && is_blank(*p))
        p++;
    *out = negative ? -n : n;
    return p == end && *out >= INT32_MIN && *out <= INT32_MAX;
}

uint16_t tusk__port_of(tusk_str text)
{
    int64_t n;

    return read_int(text, &n) && n >= 1 && n <= UINT16_MAX ? (uint16_t)n : 0;
}

/* An empty item is the default. */
static tusk_code apply_port(const job *j, const tusk__param *param, tusk_str text)
{
    size_t n = tusk__list_count(text);
    tusk_str rest = text;

    for (size_t i = 0; i < n; i++) {
        tusk_str item = tusk__list_next(&rest);

        if (item.len > 0 && tusk__port_of(item) == 0)
            return refuse(j, param, "must be a number from 1 to 65535");
    }
    return apply_text(j, param, text);
}

/* libpq's rule: 0 and less is for ever, and a clock of whole seconds cannot keep a promise of one. */
static tusk_code apply_seconds(const job *j, const tusk__param *param, tusk_str text)
{
    int64_t n, us;

    if (!read_int(text.ptr ? text : tusk_str_of(""), &n))
        return refuse(j, param, "must be a whole number of seconds");
    us = n <= 0 ? -1 : (n == 1 ? 2 : n) * US_PER_SECOND;
    return keep(j, param, &us, sizeof us);
}

static tusk_code apply_integer(const job *j, const tusk__param *param, tusk_str text)
{
    int32_t value = 0;
    int64_t n = 0;

    if (text.ptr && !read_int(text, &n))
        return refuse(j, param, "must be a whole number");
    value = (int32_t)n;
    return keep(j, param, &value, sizeof value);
}

static tusk_code apply_count(const job *j, const tusk__param *param, tusk_str text)
{
    int64_t n = 0;

    if (!read_int(text, &n) || n < 0)
        return refuse(j, param, "must be a whole number, 0 or more");
    return apply_integer(j, param, text);
}

/* Decimals to the microsecond, which is the least above 0. */
static bool read_duration(tusk_str text, int64_t *us)
{
    const char *p = text.ptr, *end = p + text.len;
    int64_t scale = US_PER_SECOND;
    bool has_digit = false, is_zero = true;

    for (*us = 0; p < end && *p >= '0' && *p <= '9' && *us <= INT32_MAX; p++, has_digit = true)
        *us = *us * 10 + (*p - '0');
    if (*us > INT32_MAX)
        return false;
    *us *= US_PER_SECOND;
    if (p < end && *p == '.')
        for (p++; p < end && *p >= '0' && *p <= '9'; p++, has_digit = true) {
            scale /= 10;
            *us += scale * (*p - '0');
            is_zero = is_zero && *p == '0';
        }
    if (*us == 0 && !is_zero)
        *us = 1;
    return has_digit && p == end;
}

static tusk_code apply_duration(const job *j, const tusk__param *param, tusk_str text)
{
    int64_t us = 0;

    if (!read_duration(text, &us))
        return refuse(j, param, "must be a number of seconds, 0 or more");
    if (us == 0)
        us = -1;
    return keep(j, param, &us, sizeof us);
}

static tusk_code refuse_choice(const job *j, const tusk__param *param, tusk_str text)
{
    const char *nearest = tusk__choice_nearest(param->choices, text);
    char words[128], hint[64];
    size_t len = 0;
    tusk_code code;

    for (const tusk__choice *c = param->choices; c->word && len < sizeof words; c++)
        if (!c->refusal)
            len += (size_t)snprintf(words + len, sizeof words - len, "%s%s", len > 0 ? ", " : "", c->word);
    code = tusk__error_set(j->err, TUSK_ERR_CONFIG, NULL, "%s must be one of: %s", param->name, words);
    if (!nearest)
        return code;
    (void)snprintf(hint, sizeof hint, "Did you mean %s?", nearest);
    tusk__error_hint(j->err, tusk_str_of(hint));
    return code;
}

static tusk_code take_choice(const job *j, const tusk__param *param, const tusk__choice *c, tusk_str text)
{
    if (!c->word)
        return refuse_choice(j, param, text);
    if (c->refusal)
        return tusk__error_set(j->err, TUSK_ERR_CONFIG, NULL, "%s=%s is not supported: %s", param->name, c->word,
                               c->refusal);
    return keep(j, param, &c->value, sizeof c->value);
}

static tusk_code apply_choice(const job *j, const tusk__param *param, tusk_str text)
{
    const tusk__choice *c = param->choices;

    if (!text.ptr)
        return TUSK_OK; /* settled where the settings are held against each other */
    while (c->word && !tusk_str_is(text, c->word))
        c++;
    return take_choice(j, param, c, text);
}

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool is_word(tusk_str text, const char *word)
{
    size_t i = 0;

    while (i < text.len && fold(text.ptr[i]) == fold(word[i])) /* ends at the word's NUL: text has none inside */
        i++;
    return i == text.len && !word[i];
}

static tusk_code apply_tls_version(const job *j, const tusk__param *param, tusk_str text)
{
    const tusk__choice *c = param->choices;

    if (text.len == 0)
        text = tusk_str_of(param->fallback);
    while (c->word && !is_word(text, c->word))
        c++;
    return take_choice(j, param, c, text);
}

/* PostgreSQL reads names of encodings without case and punctuation; "Unicode" is its old word for UTF8. */
bool tusk__is_utf8_name(tusk_str text)
{
    char plain[8];
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c >= 'A' && c <= 'Z')
            c = (char)(c + ('a' - 'A'));
        if ((c < 'a' || c > 'z') && (c < '0' || c > '9'))
            continue;
        if (n == sizeof plain)
            return false;
        plain[n++] = c;
    }
    return tusk_str_is(tusk_str_from(plain, n), "utf8") || tusk_str_is(tusk_str_from(plain, n), "unicode");
}

static tusk_code apply_encoding(const job *j, const tusk__param *param, tusk_str text)
{
    if (text.len > 0 && !tusk_str_is(text, "auto") && !tusk__is_utf8_name(text))
        return refuse(j, param, "must be UTF8 or auto: this driver speaks UTF-8, and the server converts");
    return apply_text(j, param, text);
}

static tusk_code apply_scram_key(const job *j, const tusk__param *param, tusk_str text)
{
    tusk__ready_key key = {.is_given = text.ptr != NULL};
    size_t len = 0;
    bool is_key = !text.ptr ||
                  (tusk__base64_decode(text, key.bytes, sizeof key.bytes, &len) == TUSK_OK && len == sizeof key.bytes);

    if (is_key)
        memcpy((char *)j->s + param->offset, &key, sizeof key);
    tusk__crypto_openssl()->wipe(&key, sizeof key);
    return is_key ? TUSK_OK : refuse(j, param, "must be the base64 of 32 bytes");
}

static tusk_code apply_auth_rule(const job *j, const tusk__param *param, tusk_str text)
{
    tusk__auth_rule rule;

    TUSK_TRY(tusk__auth_rule_read(text, &rule, j->err));
    return keep(j, param, &rule, sizeof rule);
}

typedef tusk_code apply_fn(const job *j, const tusk__param *param, tusk_str text);

static apply_fn *const appliers[TUSK__N_KINDS] = {
    [TUSK__KIND_TEXT] = apply_text,           [TUSK__KIND_NAME] = apply_name,
    [TUSK__KIND_ADDRESS] = apply_address,     [TUSK__KIND_PORT] = apply_port,
    [TUSK__KIND_SECONDS] = apply_seconds,     [TUSK__KIND_INTEGER] = apply_integer,
    [TUSK__KIND_CHOICE] = apply_choice,       [TUSK__KIND_TLS_VERSION] = apply_tls_version,
    [TUSK__KIND_ENCODING] = apply_encoding,   [TUSK__KIND_FILE] = apply_text,
    [TUSK__KIND_SCRAM_KEY] = apply_scram_key, [TUSK__KIND_AUTH_RULE] = apply_auth_rule,
    [TUSK__KIND_COUNT] = apply_count,         [TUSK__KIND_DURATION] = apply_duration,
};

/* It means something to a mechanism that the program has not named: then somebody believes that it counts. */
static tusk_code refuse_useless(const job *j, const tusk__param *param)
{
    tusk__error_set(j->err, TUSK_ERR_CONFIG, NULL, "%s counts for nothing unless the program names %s", param->name,
                    tusk__mechanism_to_name(param->needs));
    tusk__mechanism_hint(param->needs, j->err);
    return TUSK_ERR_CONFIG;
}

static bool is_useless(const job *j, const tusk__param *param, tusk_str text)
{
    return param->needs && text.len > 0 && !(param->fallback && tusk_str_is(text, param->fallback)) &&
           !tusk__mechanism_of_method(j->s, param->needs);
}

tusk_code tusk__param_apply(tusk__settings *settings, const tusk__param *param, tusk_str text, tusk_error *err)
{
    job j = {settings, err};

    if (param->refusal && text.len > 0)
        return tusk__error_set(err, TUSK_ERR_CONFIG, NULL, "%s is not supported: %s", param->name, param->refusal);
    if (is_useless(&j, param, text))
        return refuse_useless(&j, param);
    return appliers[param->kind](&j, param, text);
}
