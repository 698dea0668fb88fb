/* tusk_config_describe(): the effective configuration in words.
 * It reads sources and checks as a connection would, and reaches nobody.
 * Read first: tusk/config.h. */
#include <stdio.h>

#include "lib/config_json.h"
#include "lib/gather.h"
#include "lib/mechanism.h"
#include "lib/settings.h"
#include "proto/error_set.h"

/* Counts on when the buffer is full, as snprintf. */
typedef struct printer {
    char *buf;
    size_t size, len;
} printer;

static void put(printer *p, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++, p->len++)
        if (p->len + 1 < p->size)
            p->buf[p->len] = bytes[i];
}

static void put_text(printer *p, const char *text)
{
    put(p, text, strlen(text));
}

/* One character, or what stands for it; returns how many bytes of the value it took. */
static size_t put_character(printer *p, tusk_str rest)
{
    char c = rest.ptr[0], escaped[sizeof "\\x00"];
    size_t n = tusk__printable_len(rest);

    snprintf(escaped, sizeof escaped, n > 0 ? "\\%c" : "\\x%02X", (unsigned char)c);
    if (n == 0 || c == '"' || c == '\\')
        put_text(p, escaped);
    else
        put(p, rest.ptr, n);
    return n > 0 ? n : 1;
}

/* In quotes where it is empty or has blanks or quotes; what a terminal might obey, and what is no UTF-8, is written out. */
static void put_value(printer *p, tusk_str value)
{
    bool quoted = value.len == 0;

    for (size_t i = 0; i < value.len; i++)
        quoted = quoted || value.ptr[i] == ' ' || value.ptr[i] == '"';
    if (quoted)
        put_text(p, "\"");
    for (size_t i = 0; i < value.len;)
        i += put_character(p, tusk_str_from(value.ptr + i, value.len - i));
    if (quoted)
        put_text(p, "\"");
}

static void put_line(printer *p, const char *name, tusk_str value, bool is_secret, const char *origin)
{
    put_text(p, name);
    put_text(p, " = ");
    if (is_secret)
        put_text(p, "(hidden)");
    else
        put_value(p, value);
    put_text(p, "  (");
    put_text(p, origin);
    put_text(p, ")\n");
}

/* What nobody gives and no text of the table says, because it follows from others or never changes. */
static tusk_str worked_out(const tusk__settings *s, size_t i)
{
    if (i == TUSK__PARAM_CLIENT_ENCODING)
        return tusk_str_of("UTF8");
    if (i == TUSK__PARAM_MAX_PROTOCOL_VERSION)
        return tusk_str_of(s->max_protocol == TUSK__PROTOCOL_3_0 ? "3.0" : "3.2");
    return (tusk_str){NULL, 0};
}

/* As docs/config.md: a highest version of TLS that is the highest of all is none. */
static tusk_str shown(const tusk__settings *s, const tusk__gathered *g, size_t i)
{
    const tusk__param *param = &tusk__params[i];
    bool is_given = g->values.text[i].ptr && g->values.origin[i].kind != TUSK__FROM_DEFAULT;

    if (is_given)
        return g->values.text[i];
    if (param->needs && !tusk__mechanism_of_method(s, param->needs))
        return (tusk_str){NULL, 0}; /* it counts for nothing */
    if (i == TUSK__PARAM_SSL_MAX_PROTOCOL_VERSION)
        return tusk_str_of("none");
    return g->values.text[i].len > 0 ? g->values.text[i] : worked_out(s, i);
}

static void put_params(printer *p, const tusk__gathered *g, const tusk__settings *s)
{
    for (size_t i = 0; i < TUSK__N_PARAMS; i++) {
        tusk_str text = shown(s, g, i);
        char place[512];

        if (!text.ptr)
            continue;
        tusk__origin_print(&g->values.origin[i], place, sizeof place);
        put_line(p, tusk__params[i].name, text, tusk__params[i].is_secret && text.len > 0, place);
    }
}

/* What is no text: what the program has given as functions. */
static void put_functions(printer *p, const tusk__settings *s)
{
    for (size_t i = 0; i < s->n_mechanisms; i++) {
        put_text(p, "mechanism = ");
        put_text(p, s->mechanisms[i]->name);
        put_text(p, "  (field)\n");
    }
    if (s->on_password)
        put_text(p, "password = (asked for at each login)  (field)\n");
    if (s->on_token)
        put_text(p, "token = (asked for at each login)  (field)\n");
}

/* Those of the environment are told from the caller's by their place: tusk__settings_build() puts them first. */
static void put_server_settings(printer *p, const tusk__gathered *g, const tusk_config *config)
{
    char place[64];

    for (size_t i = 0; i < TUSK__N_ENV_SETTINGS; i++)
        if (g->env_settings[i].value.ptr) {
            snprintf(place, sizeof place, "environment variable %s", tusk__env_settings[i].env);
            put_text(p, "server setting ");
            put_line(p, tusk__env_settings[i].name, g->env_settings[i].value, false, place);
        }
    for (const char *const *pair = config->server_settings; pair && pair[0]; pair += 2) {
        put_text(p, "server setting ");
        tusk__origin_print(&g->server_settings_origin, place, sizeof place);
        put_line(p, pair[0], tusk_str_of(pair[1]), false, place);
    }
}

static void put_kept(printer *p, const tusk_config_document *document)
{
    char number[32], place[64];
    tusk__origin origin;
    double value;

    for (size_t i = 0; document && tusk__connection_keys[i].use == TUSK__JSON_KEPT; i++)
        if (tusk__document_kept(document, i, &value, &origin)) {
            snprintf(number, sizeof number, "%.15g", value);
            tusk__origin_print(&origin, place, sizeof place);
            put_text(p, "for a pool: ");
            put_line(p, tusk__connection_keys[i].name, tusk_str_of(number), false, place);
        }
}

/* What each sslmode leaves open, to anybody on the way to the server; NULL: nothing, or it is plain to see. */
static const char *const weaknesses[] = {
    [TUSK__SSL_DISABLE] = NULL,
    [TUSK__SSL_ALLOW] =
        "sslmode=allow begins in the clear, and stays there unless the server refuses; verify-full does not",
    [TUSK__SSL_PREFER] =
        ("sslmode=prefer goes on in the clear if the server, or anybody on the way to it, says that it "
         "has no TLS, or refuses the handshake or the login; verify-full does not"),
    [TUSK__SSL_REQUIRE] = "sslmode=require does not look at whom it talks to; verify-full does",
    [TUSK__SSL_VERIFY_CA] =
        "sslmode=verify-ca takes any certificate of the authorities for the server's; verify-full does not",
    [TUSK__SSL_VERIFY_FULL] = NULL,
};

static void put_warnings(printer *p, const tusk__settings *s)
{
    bool is_local = true;

    for (size_t i = 0; i < s->n_hosts; i++)
        is_local = is_local && tusk__host_is_local(&s->hosts[i]);

    if (s->warning.len > 0) {
        put_text(p, "warning: ");
        put(p, s->warning.ptr, s->warning.len);
        put_text(p, "\n");
    }
    if (s->sslkeylogfile.len > 0)
        put_text(
            p, "warning: the keys of TLS are written to sslkeylogfile: whoever reads it can read all that was sent\n");
    if (!is_local && weaknesses[s->sslmode]) {
        put_text(p, "warning: ");
        put_text(p, weaknesses[s->sslmode]);
        put_text(p, "\n");
    }
}

static size_t print(const tusk__gathered *g, const tusk__settings *s, const tusk_config *config, char *buf, size_t size)
{
    printer p = {buf, size, 0};

    put_params(&p, g, s);
    put_functions(&p, s);
    put_server_settings(&p, g, config);
    put_kept(&p, config->document);
    put_warnings(&p, s);
    if (size > 0)
        buf[p.len < size ? p.len : size - 1] = '\0';
    return p.len;
}

size_t tusk__settings_describe(const tusk_allocator *allocator, const tusk__sources *sources, const tusk_config *config,
                               char *buf, size_t size, tusk_error *err)
{
    static const tusk_config nothing = {0};
    tusk__settings *s = NULL;
    tusk__gathered g;
    size_t len = 0;
    tusk_code code;

    config = config ? config : &nothing;
    if (size > 0)
        buf[0] = '\0';
    code = tusk__gather(allocator, sources ? sources : tusk__sources_process(), config, &g, err);
    if (code == TUSK_OK)
        code = tusk__settings_build(allocator, &g, config, &s, err);
    if (code == TUSK_OK)
        len = print(&g, s, config, buf, size);
    else
        tusk__settings_refused(err);
    tusk__settings_unref(s);
    tusk__gathered_clear(&g);
    return len;
}

size_t tusk_config_describe(const tusk_config *config, char *buf, size_t size, tusk_error *err)
{
    tusk__error_begin(err);
    return tusk__settings_describe(tusk_allocator_default(), NULL, config, buf, size, err);
}
