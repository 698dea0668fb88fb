/* From a dsn and a tusk_config to settings: values are collected, completed by defaults, judged, and put in one block.
 * It reads no environment and no files, and asks the system for two things only: the user's name, and whether there is a
 * folder for sockets.
 * Read first: lib/settings.h, lib/config_table.h. */
#include "lib/settings.h"

#include <arpa/inet.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/conninfo.h"
#include "lib/crypto.h"
#include "loop/loop.h"
#include "proto/error_set.h"
#include "proto/message.h"

#define SOCKET_FOLDER "/var/run/postgresql" /* where Debian's libpq and server meet */
#define FALLBACK_HOST "localhost"
#define USER_NAME_MAX 256 /* LOGIN_NAME_MAX of Linux */
#define PASSWD_ENTRY_MAX 8192
#define US_PER_SECOND 1000000

/* The block while it is filled: the struct, then the texts. */
typedef struct builder {
    tusk__settings *s;
    char *out, *room_end;
    tusk__param_values values;
    tusk_error *err;
} builder;

static tusk_str put_text(builder *b, tusk_str text)
{
    char *to = b->out;

    assert((size_t)(b->room_end - b->out) > text.len);
    if (text.len > 0)
        memcpy(to, text.ptr, text.len);
    to[text.len] = '\0';
    b->out += text.len + 1;
    return tusk_str_from(to, text.len);
}

/* ---- collecting -------------------------------------------------------------------------------------------------------- */

/* The string in the C struct, or NULL: empty is "not given here", as for PQconnectdbParams(). */
static const char *config_text(const tusk_config *config, const tusk__param *param)
{
    const char *text = NULL;

    if (param->config_offset != TUSK__NO_FIELD)
        memcpy(&text, (const char *)config + param->config_offset, sizeof text);
    return text && text[0] ? text : NULL;
}

static size_t room_for(const tusk_config *config)
{
    size_t room = tusk__conninfo_room(tusk_str_of(config->dsn)) + USER_NAME_MAX + sizeof SOCKET_FOLDER + sizeof "65535";

    for (size_t i = 0; i < TUSK__N_PARAMS; i++) {
        const char *text = config_text(config, &tusk__params[i]);

        room += text ? strlen(text) + 1 : 0;
    }
    return room;
}

static tusk_code collect(builder *b, const tusk_config *config)
{
    tusk_str dsn = tusk_str_of(config->dsn);

    TUSK_TRY(tusk__conninfo_read(dsn, b->out, &b->values, b->err));
    b->out += tusk__conninfo_room(dsn);
    for (size_t i = 0; i < TUSK__N_PARAMS; i++) {
        const char *text = config_text(config, &tusk__params[i]);

        if (text)
            b->values.text[i] = put_text(b, tusk_str_of(text));
    }
    return TUSK_OK;
}

/* ---- defaults that no table can hold ------------------------------------------------------------------------------------ */

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static tusk_code os_user(builder *b, tusk_str *out)
{
    char entry[PASSWD_ENTRY_MAX];
    struct passwd pw, *found = NULL;
    int os = getpwuid_r(geteuid(), &pw, entry, sizeof entry, &found);

    if (!found || found->pw_name[0] == '\0' || strlen(found->pw_name) >= USER_NAME_MAX) {
        tusk__error_set(b->err, TUSK_ERR_CONFIG, NULL, "no user is given, and the system has no name for user id %lu",
                        (unsigned long)geteuid());
        if (b->err)
            b->err->os = os;
        return TUSK_ERR_CONFIG;
    }
    *out = put_text(b, tusk_str_of(found->pw_name));
    return TUSK_OK;
}

static tusk_code complete(builder *b)
{
    tusk_str *text = b->values.text;

    for (size_t i = 0; i < TUSK__N_PARAMS; i++)
        if (!text[i].ptr)
            text[i] = tusk_str_of(tusk__params[i].fallback);
    if (text[TUSK__PARAM_PORT].len == 0)
        text[TUSK__PARAM_PORT] = tusk_str_of(tusk__params[TUSK__PARAM_PORT].fallback);
    if (text[TUSK__PARAM_HOST].len == 0 && text[TUSK__PARAM_HOSTADDR].len == 0)
        text[TUSK__PARAM_HOST] = put_text(b, tusk_str_of(is_folder(SOCKET_FOLDER) ? SOCKET_FOLDER : FALLBACK_HOST));
    if (text[TUSK__PARAM_USER].len == 0)
        TUSK_TRY(os_user(b, &text[TUSK__PARAM_USER]));
    if (text[TUSK__PARAM_DBNAME].len == 0)
        text[TUSK__PARAM_DBNAME] = text[TUSK__PARAM_USER];
    return TUSK_OK;
}

/* ---- one function per kind: judge the text and put it where it belongs ---------------------------------------------------- */

typedef tusk_code apply_fn(builder *b, const tusk__param *param, tusk_str text);

/* No message holds a value: behind a typing error any text may be a password (D31). */
static tusk_code refuse(builder *b, const tusk__param *param, const char *why)
{
    return tusk__error_set(b->err, TUSK_ERR_CONFIG, NULL, "%s %s", param->name, why);
}

static tusk_code apply_text(builder *b, const tusk__param *param, tusk_str text)
{
    if (!text.ptr)
        text = tusk_str_of(""); /* empty texts have their NUL too */
    memcpy((char *)b->s + param->offset, &text, sizeof text);
    return TUSK_OK;
}

static tusk_code refuse_list(builder *b, const tusk__param *param, tusk_str text)
{
    if (text.len > 0 && memchr(text.ptr, ',', text.len))
        return refuse(b, param, "holds a list; several hosts are not supported yet");
    return TUSK_OK;
}

static tusk_code apply_name(builder *b, const tusk__param *param, tusk_str text)
{
    TUSK_TRY(refuse_list(b, param, text));
    return apply_text(b, param, text);
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

static tusk_code apply_address(builder *b, const tusk__param *param, tusk_str text)
{
    TUSK_TRY(refuse_list(b, param, text));
    if (text.len > 0 && !is_address(text))
        return refuse(b, param, "must be a numeric IPv4 or IPv6 address; give a name as host");
    return apply_text(b, param, text);
}

static bool is_blank(char c)
{
    return c != '\0' && strchr(" \t\n\v\f\r", c) != NULL;
}

/* A decimal int, with a sign and blanks around it if need be: what libpq takes. Every text ends with a NUL. */
static bool read_int(const char *p, int64_t *out)
{
    int64_t n = 0;
    bool negative;

    while (is_blank(*p))
        p++;
    negative = *p == '-';
    p += *p == '-' || *p == '+';
    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++)
        if (n <= INT32_MAX)
            n = n * 10 + (*p - '0');
    while (is_blank(*p))
        p++;
    *out = negative ? -n : n;
    return *p == '\0' && *out >= INT32_MIN && *out <= INT32_MAX;
}

static tusk_code apply_port(builder *b, const tusk__param *param, tusk_str text)
{
    char digits[sizeof "65535"];
    int64_t n;

    TUSK_TRY(refuse_list(b, param, text));
    if (!read_int(text.ptr, &n) || n < 1 || n > UINT16_MAX)
        return refuse(b, param, "must be a number from 1 to 65535");
    b->s->port_number = (uint16_t)n;
    snprintf(digits, sizeof digits, "%u", (unsigned)b->s->port_number);
    return apply_text(b, param, put_text(b, tusk_str_of(digits)));
}

/* libpq's rule: 0 and less is for ever, and a clock of whole seconds cannot keep a promise of one. */
static tusk_code apply_seconds(builder *b, const tusk__param *param, tusk_str text)
{
    int64_t n, us;

    if (!read_int(text.ptr ? text.ptr : "", &n))
        return refuse(b, param, "must be a whole number of seconds");
    us = n <= 0 ? -1 : (n == 1 ? 2 : n) * US_PER_SECOND;
    memcpy((char *)b->s + param->offset, &us, sizeof us);
    return TUSK_OK;
}

static tusk_code refuse_choice(builder *b, const tusk__param *param)
{
    char words[128];
    size_t len = 0;

    for (const tusk__choice *c = param->choices; c->word && len < sizeof words; c++)
        if (!c->refusal)
            len += (size_t)snprintf(words + len, sizeof words - len, "%s%s", len > 0 ? ", " : "", c->word);
    return tusk__error_set(b->err, TUSK_ERR_CONFIG, NULL, "%s must be one of: %s", param->name, words);
}

static tusk_code apply_choice(builder *b, const tusk__param *param, tusk_str text)
{
    const tusk__choice *c = param->choices;

    if (!text.ptr)
        return TUSK_OK; /* settled by cross_check() */
    while (c->word && !tusk_str_is(text, c->word))
        c++;
    if (!c->word)
        return refuse_choice(b, param);
    if (c->refusal)
        return tusk__error_set(b->err, TUSK_ERR_CONFIG, NULL, "%s=%s is not supported: %s", param->name, c->word,
                               c->refusal);
    memcpy((char *)b->s + param->offset, &c->value, sizeof c->value);
    return TUSK_OK;
}

/* PostgreSQL reads names of encodings without case and punctuation; "Unicode" is its old word for UTF8. */
static bool is_utf8_name(tusk_str text)
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

static tusk_code apply_encoding(builder *b, const tusk__param *param, tusk_str text)
{
    if (text.len > 0 && !tusk_str_is(text, "auto") && !is_utf8_name(text))
        return refuse(b, param, "must be UTF8 or auto: this driver speaks UTF-8, and the server converts");
    return apply_text(b, param, text);
}

static tusk_code apply_file(builder *b, const tusk__param *param, tusk_str text)
{
    if (tusk_str_is(text, "system"))
        return refuse(b, param,
                      "cannot be the word \"system\" yet; give the file that holds the system's certificates");
    return apply_text(b, param, text);
}

static tusk_code apply_refused(builder *b, const tusk__param *param, tusk_str text)
{
    return text.len > 0 ? refuse(b, param, "is a parameter of libpq that is not supported yet") : TUSK_OK;
}

static apply_fn *const appliers[TUSK__N_KINDS] = {
    [TUSK__KIND_TEXT] = apply_text,         [TUSK__KIND_NAME] = apply_name,       [TUSK__KIND_ADDRESS] = apply_address,
    [TUSK__KIND_PORT] = apply_port,         [TUSK__KIND_SECONDS] = apply_seconds, [TUSK__KIND_CHOICE] = apply_choice,
    [TUSK__KIND_ENCODING] = apply_encoding, [TUSK__KIND_FILE] = apply_file,       [TUSK__KIND_REFUSED] = apply_refused,
};

/* ---- what is not text, and what must fit together ------------------------------------------------------------------------- */

static tusk_code apply_numbers(builder *b, const tusk_config *config)
{
    if (config->connect_timeout != 0.0)
        b->s->connect_timeout_us = tusk__seconds_to_us(config->connect_timeout);
    if (config->scram_max_iterations < 0)
        return tusk__error_set(b->err, TUSK_ERR_CONFIG, NULL, "scram_max_iterations must not be negative");
    b->s->scram_max_iterations =
        config->scram_max_iterations > 0 ? (uint32_t)config->scram_max_iterations : TUSK__SCRAM_MAX_ITERATIONS;
    return TUSK_OK;
}

static tusk_code cross_check(builder *b)
{
    tusk__settings *s = b->s;

    s->has_password = s->password.len > 0;
    if (!b->values.text[TUSK__PARAM_MAX_PROTOCOL_VERSION].ptr)
        s->max_protocol =
            s->min_protocol > TUSK__PROTOCOL_3_0 ? (uint32_t)TUSK__PROTOCOL_3_2 : (uint32_t)TUSK__PROTOCOL_3_0;
    if (s->min_protocol > s->max_protocol)
        return tusk__error_set(b->err, TUSK_ERR_CONFIG, NULL, "min_protocol_version is above max_protocol_version");
    if (s->host.len == 0 && s->sslmode == TUSK__SSL_VERIFY_FULL)
        return tusk__error_set(
            b->err, TUSK_ERR_CONFIG, NULL,
            "sslmode=verify-full needs a host: hostaddr says where to connect, not whom to expect there");
    if (s->host.len == 0)
        s->host = s->hostaddr;
    return TUSK_OK;
}

static tusk_code fill(builder *b, const tusk_config *config)
{
    TUSK_TRY(collect(b, config));
    TUSK_TRY(complete(b));
    for (size_t i = 0; i < TUSK__N_PARAMS; i++)
        TUSK_TRY(appliers[tusk__params[i].kind](b, &tusk__params[i], b->values.text[i]));
    TUSK_TRY(apply_numbers(b, config));
    return cross_check(b);
}

/* The texts are wiped whole: a password given twice, or in a dsn that turned out to be malformed, lies there too. */
static void release(tusk__settings *s)
{
    const tusk_allocator *allocator = s->allocator;

    tusk__crypto_openssl()->wipe(s, s->size);
    allocator->free(s, allocator->user);
}

tusk_code tusk__settings_new(const tusk_allocator *allocator, const tusk_config *config, tusk__settings **out,
                             tusk_error *err)
{
    static const tusk_config nothing = {0};
    builder b = {.err = err};
    size_t size;
    tusk_code code;

    config = config ? config : &nothing;
    size = sizeof *b.s + room_for(config);
    b.s = allocator->malloc(size, allocator->user);
    if (!b.s)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for the connection's configuration");
    *b.s = (tusk__settings){.refs = 1, .size = size, .allocator = allocator};
    b.out = (char *)(b.s + 1);
    b.room_end = (char *)b.s + size;
    b.s->on_notice = config->on_notice;
    b.s->on_closed = config->on_closed;
    b.s->on_parameter = config->on_parameter;
    b.s->user_data = config->user_data;
    code = fill(&b, config);
    if (code == TUSK_OK)
        *out = b.s;
    else
        release(b.s);
    if (code != TUSK_OK)
        tusk__error_where(err, "configuration");
    return code;
}

void tusk__settings_unref(tusk__settings *s)
{
    if (s && --s->refs == 0)
        release(s);
}
