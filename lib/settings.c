/* From gathered texts to settings: one block that holds all of them, judged.
 * Where the texts come from is lib/gather.c's business, what one of them means lib/apply.c's, what goes together lib/cross_check.c's.
 * Read first: lib/settings.h, lib/config_table.h. */
#include "lib/settings.h"

#include <stdio.h>

#include "lib/apply.h"
#include "lib/conninfo.h"
#include "lib/cross_check.h"
#include "lib/crypto.h"
#include "lib/gather.h"
#include "lib/mechanism.h"
#include "lib/passfile.h"
#include "loop/loop.h"
#include "proto/error_set.h"

/* How much may wait on a connection, if the caller does not say. */
#define QUEUED_REQUESTS 16384
#define QUEUED_BYTES (UINT64_C(256) * 1024 * 1024)

/* The block while it is filled: the struct, the hosts, the startup parameters, the mechanisms, then the texts. */
typedef struct builder {
    tusk__settings *s;
    char *out, *room_end;
    const tusk__gathered *g;
    const tusk_config *config;
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

/* ---- the session's settings ---------------------------------------------------------------------------------------------- */

static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Names of settings are compared as the server does: in upper or lower case. */
static bool is_setting(tusk_str name, const char *other)
{
    size_t i = 0;

    while (i < name.len && fold(name.ptr[i]) == fold(other[i]))
        i++;
    return i == name.len && !other[i];
}

static bool is_among(const char *const *pairs, tusk_str name)
{
    for (; pairs && pairs[0]; pairs += 2)
        if (is_setting(name, pairs[0]))
            return true;
    return false;
}

static size_t n_pairs(const char *const *pairs)
{
    size_t n = 0;

    while (pairs && pairs[2 * n] && pairs[2 * n + 1])
        n++;
    return n;
}

/* What a name would do in the StartupMessage that is not a setting. */
static bool is_reserved(tusk_str name)
{
    static const char *const names[] = {"user", "database", "options", "replication"};
    static const char protocol_option[] = "_pq_.";

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (is_setting(name, names[i]))
            return true;
    return name.len >= sizeof protocol_option - 1 && memcmp(name.ptr, protocol_option, sizeof protocol_option - 1) == 0;
}

/* By their place and not by their name: nobody has said yet that it is one. */
static tusk_code check_server_settings(const builder *b)
{
    const char *const *pair = b->config->server_settings;

    for (size_t n = 1; pair && pair[0]; n++, pair += 2) {
        tusk_str name = tusk_str_of(pair[0]);

        if (!pair[1])
            return tusk__error_set(b->err, TUSK_ERR_CONFIG, NULL, "server_settings: name %zu has no value behind it",
                                   n);
        if (name.len == 0)
            return tusk__error_set(b->err, TUSK_ERR_CONFIG, NULL, "server_settings: name %zu is empty", n);
        if (is_reserved(name))
            return tusk__error_set(
                b->err, TUSK_ERR_CONFIG, NULL,
                "server_settings: name %zu is no setting of the server: user, dbname and options are "
                "fields of their own",
                n);
        if (is_setting(name, "client_encoding") && !tusk__is_utf8_name(tusk_str_of(pair[1])))
            return tusk__error_set(b->err, TUSK_ERR_CONFIG, NULL,
                                   "server_settings: client_encoding must be UTF8: this driver speaks UTF-8, and the "
                                   "server converts");
    }
    return TUSK_OK;
}

static void add(builder *b, const char *name, tusk_str value)
{
    b->s->startup[b->s->n_startup++] = (tusk__startup_param){tusk_str_of(name), value};
}

static void add_if_given(builder *b, const char *name, tusk_str value)
{
    if (value.len > 0)
        add(b, name, value);
}

/* user, database, application_name, options, client_encoding */
#define N_OWN_STARTUP 5

/* The order is fixed, so that two logins with the same settings are the same bytes (D28). */
static tusk_code build_startup(builder *b)
{
    const char *const *pairs = b->config->server_settings;
    tusk__settings *s = b->s;

    TUSK_TRY(check_server_settings(b));
    add(b, "user", s->user);
    add(b, "database", s->dbname);
    if (!is_among(pairs, tusk_str_of("application_name")))
        add_if_given(b, "application_name",
                     b->g->values.text[TUSK__PARAM_APPLICATION_NAME].ptr ? s->application_name
                                                                         : s->fallback_application_name);
    add_if_given(b, "options", s->options);
    add(b, "client_encoding", tusk_str_of("UTF8"));
    for (size_t i = 0; i < TUSK__N_ENV_SETTINGS; i++) {
        const tusk__startup_param *param = &b->g->env_settings[i];

        if (param->value.ptr && !is_among(pairs, param->name))
            add(b, param->name.ptr, put_text(b, param->value)); /* the name is static */
    }
    for (; pairs && pairs[0]; pairs += 2)
        if (!is_setting(tusk_str_of(pairs[0]), "client_encoding")) {
            tusk_str name = put_text(b, tusk_str_of(pairs[0]));

            add(b, name.ptr, put_text(b, tusk_str_of(pairs[1])));
        }
    return TUSK_OK;
}

/* ---- what is not text ------------------------------------------------------------------------------------------------------- */

/* How much may wait: TUSK_NONE is no bound. */
size_t tusk__settings_max_requests(const tusk_config *config)
{
    return config->max_queued_requests ? (size_t)config->max_queued_requests : QUEUED_REQUESTS;
}

uint64_t tusk__settings_max_bytes(const tusk_config *config)
{
    return config->max_queued_bytes ? (uint64_t)config->max_queued_bytes : QUEUED_BYTES;
}

static tusk_code check_bounds(const builder *b)
{
    const tusk_config *config = b->config;

    if (config->max_queued_requests < TUSK_NONE)
        return tusk__error_set(b->err, TUSK_ERR_CONFIG, NULL,
                               "max_queued_requests must be a number above 0, or TUSK_NONE");
    if (config->max_queued_bytes < TUSK_NONE)
        return tusk__error_set(b->err, TUSK_ERR_CONFIG, NULL,
                               "max_queued_bytes must be a number above 0, or TUSK_NONE");
    return TUSK_OK;
}

static tusk_code apply_numbers(builder *b)
{
    const tusk_config *config = b->config;

    if (!(config->connect_timeout >= 0 || config->connect_timeout == TUSK_NONE))
        return tusk__error_set(b->err, TUSK_ERR_CONFIG, NULL,
                               "connect_timeout must be a number of seconds above 0, or TUSK_NONE");
    if (config->scram_max_iterations < 0)
        return tusk__error_set(b->err, TUSK_ERR_CONFIG, NULL, "scram_max_iterations must not be negative");
    if (config->connect_timeout != 0.0)
        b->s->connect_timeout_us = tusk__seconds_to_us(config->connect_timeout);
    b->s->scram_max_iterations =
        config->scram_max_iterations > 0 ? (uint32_t)config->scram_max_iterations : TUSK__SCRAM_MAX_ITERATIONS;
    return check_bounds(b);
}

static tusk_code check_mechanisms(const builder *b)
{
    for (size_t i = 0; i < b->s->n_mechanisms; i++)
        if (b->s->mechanisms[i]->check)
            TUSK_TRY(b->s->mechanisms[i]->check(b->s, b->err));
    return TUSK_OK;
}

/* Who wants 3.2 at least asks for it. */
static void complete_protocols(builder *b)
{
    tusk__settings *s = b->s;

    if (!b->g->values.text[TUSK__PARAM_MAX_PROTOCOL_VERSION].ptr)
        s->max_protocol =
            s->min_protocol > TUSK__PROTOCOL_3_0 ? (uint32_t)TUSK__PROTOCOL_3_2 : (uint32_t)TUSK__PROTOCOL_3_0;
}

/* ---- the hosts ------------------------------------------------------------------------------------------------------------ */

/* As it is in the password file, or as it was given. */
static tusk_str put_password(builder *b, const tusk__host_texts *from)
{
    char *to = b->out;
    tusk_str password = put_text(b, from->password);

    if (!from->password_has_escapes)
        return password;
    password = tusk__passfile_unescape(password, to);
    to[password.len] = '\0';
    return password;
}

static tusk_code build_host(builder *b, const tusk__host_texts *from, tusk__host *to)
{
    *to = (tusk__host){.host = put_text(b, from->host.len > 0 ? from->host : from->hostaddr),
                       .hostaddr = put_text(b, from->hostaddr),
                       .password = put_password(b, from),
                       .password_line = from->password_line};
    if (from->host.len == 0 && b->s->sslmode == TUSK__SSL_VERIFY_FULL)
        return tusk__error_set(
            b->err, TUSK_ERR_CONFIG, NULL,
            "sslmode=verify-full needs a host: hostaddr says where to connect, not whom to expect there");
    to->port_number = tusk__port_of(from->port);
    snprintf(to->port_digits, sizeof to->port_digits, "%u", (unsigned)to->port_number);
    to->port = tusk_str_of(to->port_digits);
    return TUSK_OK;
}

static tusk_code build_hosts(builder *b)
{
    tusk__settings *s = b->s;

    s->n_hosts = b->g->n_hosts;
    s->password_origin = put_text(b, tusk_str_of(b->g->password_origin));
    for (size_t i = 0; i < s->n_hosts; i++)
        TUSK_TRY(build_host(b, &b->g->hosts[i], &s->hosts[i]));
    if (s->host.len == 0)
        s->host = s->hostaddr;
    s->password = s->hosts[0].password;
    return TUSK_OK;
}

/* ---- one parameter after the other ---------------------------------------------------------------------------------------- */

/* What is often behind an error, and cannot be seen in it. */
static void say_hint(const builder *b, const tusk__param *param, tusk_str text, const tusk__origin *origin)
{
    bool has_blank = text.ptr && (text.ptr[0] == ' ' || text.ptr[0] == '\t');

    if (origin->kind == TUSK__FROM_SERVICE_FILE && has_blank)
        tusk__error_hint(b->err, tusk_str_of("A blank behind the \"=\" in a service file belongs to the value."));
    else if (!b->err->hint[0] && origin->kind == TUSK__FROM_STRING && param->kind == TUSK__KIND_PORT &&
             tusk__conninfo_has_late_at(tusk_str_of(b->config->dsn)))
        tusk__error_hint(b->err, tusk_str_of("In a URI, a / in a password is written %2F."));
}

/* A file to be written is named by the program or its environment; what comes from elsewhere is refused like any other parameter that
 * is (D20). */
static bool is_the_programs(const tusk__origin *origin)
{
    return origin->kind == TUSK__FROM_FIELD || origin->kind == TUSK__FROM_ENVIRONMENT;
}

static tusk_code apply_all(builder *b)
{
    const tusk__param_values *values = &b->g->values;

    for (size_t i = 0; i < TUSK__N_PARAMS; i++) {
        tusk_str text = values->text[i].ptr ? put_text(b, values->text[i]) : values->text[i];
        bool was_set = b->err && b->err->code != TUSK_OK;
        tusk_code code;

        if (i == TUSK__PARAM_CONNECT_TIMEOUT && b->config->connect_timeout != 0.0)
            continue; /* a double counts exactly */
        if (i == TUSK__PARAM_SSLKEYLOGFILE && is_the_programs(&values->origin[i])) {
            b->s->sslkeylogfile = text;
            continue;
        }
        code = tusk__param_apply(b->s, &tusk__params[i], text, b->err);
        if (code != TUSK_OK && b->err && !was_set) {
            tusk__origin_explain(b->config, &values->origin[i], b->err);
            say_hint(b, &tusk__params[i], text, &values->origin[i]);
        }
        if (code != TUSK_OK)
            return code;
    }
    return TUSK_OK;
}

static tusk_code fill(builder *b)
{
    TUSK_TRY(apply_all(b));
    TUSK_TRY(apply_numbers(b));
    complete_protocols(b);
    if (b->s->requirepeer.len > 0 && !b->g->is_unfinished)
        b->s->requirepeer_id = tusk__account_number(b->s->requirepeer.ptr);
    TUSK_TRY(build_hosts(b));
    TUSK_TRY(tusk__cross_check(b->s, b->err));
    TUSK_TRY(check_mechanisms(b));
    TUSK_TRY(build_startup(b));
    b->s->home = put_text(b, tusk_str_of(b->config->ignore_environment ? "" : b->g->home));
    b->s->system_roots_file = put_text(b, b->g->system_roots_file);
    b->s->system_roots_folders = put_text(b, b->g->system_roots_folders);
    b->s->warning = put_text(b, tusk_str_of(b->g->warning));
    return TUSK_OK;
}

/* ---- the block ------------------------------------------------------------------------------------------------------------------- */

static size_t room_for(const tusk__gathered *g, const tusk_config *config)
{
    size_t room = strlen(g->home) + strlen(g->warning) + strlen(g->password_origin) + g->system_roots_file.len +
                  g->system_roots_folders.len + 5;

    for (size_t i = 0; i < TUSK__N_PARAMS; i++)
        room += g->values.text[i].len + 1;
    for (size_t i = 0; i < g->n_hosts; i++)
        room += g->hosts[i].host.len + 2 * g->hosts[i].hostaddr.len + g->hosts[i].password.len + 4;
    for (size_t i = 0; i < TUSK__N_ENV_SETTINGS; i++)
        room += g->env_settings[i].value.len + 1;
    for (const char *const *text = config->server_settings; text && *text; text++)
        room += strlen(*text) + 1;
    return room;
}

static size_t count_mechanisms(const tusk_config *config)
{
    size_t n = 0;

    while (config->auth_mechanisms && config->auth_mechanisms[n])
        n++;
    return n;
}

/* Texts that came later, behind it: wiped whole, likewise. */
struct tusk__late_texts {
    size_t size;
};

static void release_late(tusk__settings *s)
{
    if (!s->late)
        return;
    tusk__crypto_openssl()->wipe(s->late, s->late->size);
    s->allocator->free(s->late, s->allocator->user);
    s->late = NULL;
}

/* The texts are wiped whole: a password lies there. */
static void release(tusk__settings *s)
{
    const tusk_allocator *allocator = s->allocator;

    release_late(s);
    tusk__crypto_openssl()->wipe(s, s->size);
    allocator->free(s, allocator->user);
}

tusk_code tusk__settings_build(const tusk_allocator *allocator, const tusk__gathered *g, const tusk_config *config,
                               tusk__settings **out, tusk_error *err)
{
    size_t n_startup = N_OWN_STARTUP + TUSK__N_ENV_SETTINGS + n_pairs(config->server_settings);
    size_t n_mechanisms = count_mechanisms(config);
    size_t size = sizeof(tusk__settings) + g->n_hosts * sizeof(tusk__host) + n_startup * sizeof(tusk__startup_param) +
                  n_mechanisms * sizeof(tusk_auth_mechanism *) + room_for(g, config);
    builder b = {.g = g, .config = config, .err = err};
    tusk_code code;

    b.s = allocator->malloc(size, allocator->user);
    if (!b.s)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for the connection's configuration");
    *b.s = (tusk__settings){.refs = 1, .size = size, .allocator = allocator};
    b.s->hosts = (tusk__host *)(void *)(b.s + 1);
    b.s->startup = (tusk__startup_param *)(void *)(b.s->hosts + g->n_hosts);
    b.s->mechanisms = (const tusk_auth_mechanism **)(void *)(b.s->startup + n_startup);
    b.s->n_mechanisms = n_mechanisms;
    for (size_t i = 0; i < n_mechanisms; i++)
        b.s->mechanisms[i] = config->auth_mechanisms[i];
    b.out = (char *)(b.s->mechanisms + n_mechanisms);
    b.room_end = (char *)b.s + size;
    b.s->on_password = config->on_password;
    b.s->on_token = config->on_token;
    b.s->on_notice = config->on_notice;
    b.s->on_parameter = config->on_parameter;
    b.s->on_key_password = config->on_key_password;
    b.s->user_data = config->user_data;
    code = fill(&b);
    if (code == TUSK_OK)
        *out = b.s;
    else
        release(b.s);
    return code;
}

void tusk__settings_refused(tusk_error *err)
{
    tusk__error_where(err, "configuration");
    if (err)
        err->fate = TUSK_FATE_NOT_SENT;
}

tusk_code tusk__settings_read(const tusk_allocator *allocator, const tusk__sources *sources, const tusk_config *config,
                              tusk__settings **out, tusk_error *err)
{
    static const tusk_config nothing = {0};
    tusk__gathered g;
    tusk_code code;

    config = config ? config : &nothing;
    *out = NULL;
    code = tusk__gather(allocator, sources ? sources : tusk__sources_process(), config, &g, err);
    if (code == TUSK_OK)
        code = tusk__settings_build(allocator, &g, config, out, err);
    if (code == TUSK_OK && g.is_unfinished)
        code = TUSK_AGAIN;
    tusk__gathered_clear(&g);
    if (code != TUSK_OK && code != TUSK_AGAIN)
        tusk__settings_refused(err);
    return code;
}

tusk_code tusk__settings_new(const tusk_allocator *allocator, const tusk_config *config, tusk__settings **out,
                             tusk_error *err)
{
    return tusk__settings_read(allocator, NULL, config, out, err);
}

tusk_code tusk__settings_at_once(const tusk_allocator *allocator, const tusk_config *config, tusk__settings **out,
                                 tusk_error *err)
{
    return tusk__settings_read(allocator, tusk__sources_at_hand(), config, out, err);
}

static size_t late_size(const tusk__settings *whole)
{
    size_t size = sizeof(struct tusk__late_texts) + whole->password_origin.len + whole->warning.len + 2;

    for (size_t i = 0; i < whole->n_hosts; i++)
        size += whole->hosts[i].password.len + 1;
    return size;
}

static void put_late(builder *b, const tusk__settings *whole)
{
    tusk__settings *s = b->s;

    s->password_origin = put_text(b, whole->password_origin);
    s->warning = put_text(b, whole->warning);
    for (size_t i = 0; i < s->n_hosts; i++) {
        s->hosts[i].password = put_text(b, whole->hosts[i].password);
        s->hosts[i].password_line = whole->hosts[i].password_line;
    }
    s->password = s->hosts[0].password;
    s->requirepeer_id = whole->requirepeer_id;
}

tusk_code tusk__settings_complete(tusk__settings *s, const tusk__settings *whole, tusk_error *err)
{
    size_t size = late_size(whole);
    builder b = {.s = s};

    assert(s->refs == 1 && !s->late && s->n_hosts == whole->n_hosts);
    s->late = s->allocator->malloc(size, s->allocator->user);
    if (!s->late)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for the connection's configuration");
    s->late->size = size;
    b.out = (char *)(s->late + 1);
    b.room_end = (char *)s->late + size;
    put_late(&b, whole);
    return TUSK_OK;
}

void tusk__settings_unref(tusk__settings *s)
{
    if (s && --s->refs == 0)
        release(s);
}
