/* What the caller gave, then the service file, then the environment, then defaults, then the password file: of each parameter the
 * first that gives it counts, as in libpq 18.
 * Read first: lib/gather.h. */
#include "lib/gather.h"

#include <stdio.h>

#include "lib/config_json.h"
#include "lib/array.h"
#include "lib/conninfo.h"
#include "lib/crypto.h"
#include "lib/hosts.h"
#include "lib/passfile.h"
#include "lib/servicefile.h"
#include "proto/error_set.h"

#define FALLBACK_HOST "localhost"

typedef struct gatherer {
    const tusk__sources *sources;
    const tusk_config *config;
    tusk__gathered *g;
    tusk_error *err;
} gatherer;

static const char *variable(const gatherer *w, const char *name)
{
    return w->config->ignore_environment ? NULL : w->sources->variable(w->sources->user, name);
}

static void set(gatherer *w, size_t i, tusk_str text, tusk__origin origin)
{
    w->g->values.text[i] = text;
    w->g->values.origin[i] = origin;
}

static tusk_code no_memory(gatherer *w)
{
    return tusk__error_set(w->err, TUSK_ERR_NOMEM, NULL, "out of memory for the connection's configuration");
}

/* ---- what the caller gave --------------------------------------------------------------------------------------------- */

static tusk_code read_dsn(gatherer *w)
{
    tusk_str dsn = tusk_str_of(w->config->dsn);
    tusk__gathered *g = w->g;
    tusk_code code;

    if (dsn.len == 0)
        return TUSK_OK;
    g->dsn_room_size = tusk__conninfo_room(dsn);
    g->dsn_room = g->allocator->malloc(g->dsn_room_size, g->allocator->user);
    if (!g->dsn_room)
        return no_memory(w);
    memset(g->dsn_room, 0, g->dsn_room_size);
    code = tusk__conninfo_read(dsn, g->dsn_room, &g->values, w->err);
    if (code != TUSK_OK)
        tusk__origin_explain(w->config, &(tusk__origin){.kind = TUSK__FROM_STRING}, w->err);
    return code;
}

/* The string in the C struct, or NULL: empty is "not given here", as for PQconnectdbParams(). */
static const char *config_text(const tusk_config *config, const tusk__param *param)
{
    const char *text = NULL;

    if (param->config_offset != TUSK__NO_FIELD)
        memcpy(&text, (const char *)config + param->config_offset, sizeof text);
    return text && text[0] ? text : NULL;
}

/* A number of the C struct in words, if it is given. TUSK_NONE is what 0 is in words; what is wrong stays so. */
static void read_number(gatherer *w, tusk__param_id id, double value, char *words, size_t size)
{
    if (value == 0.0)
        return;
    snprintf(words, size, "%.15g", value == TUSK_NONE ? 0.0 : value);
    set(w, id, tusk_str_of(words), (tusk__origin){.kind = TUSK__FROM_FIELD});
}

static void read_fields(gatherer *w)
{
    const tusk_config *config = w->config;
    tusk__origin timeout = {.kind = TUSK__FROM_FIELD};

    for (size_t i = 0; i < TUSK__N_PARAMS; i++) {
        const char *text = config_text(config, &tusk__params[i]);
        tusk__origin origin = {.kind = TUSK__FROM_FIELD};

        if (config->document)
            text = tusk__document_text(config->document, i, text, &origin);
        if (text)
            set(w, i, tusk_str_of(text), origin);
    }
    if (config->sslkeylogfile && config->sslkeylogfile[0])
        set(w, TUSK__PARAM_SSLKEYLOGFILE, tusk_str_of(config->sslkeylogfile), (tusk__origin){.kind = TUSK__FROM_FIELD});
    w->g->server_settings_origin.kind = TUSK__FROM_FIELD;
    tusk__document_places(config, &timeout, &w->g->server_settings_origin);
    if (config->connect_timeout != 0.0) {
        snprintf(w->g->timeout, sizeof w->g->timeout, "%g", config->connect_timeout > 0 ? config->connect_timeout : 0);
        set(w, TUSK__PARAM_CONNECT_TIMEOUT, tusk_str_of(w->g->timeout), timeout);
    }
    read_number(w, TUSK__PARAM_STATEMENT_CACHE_SIZE, config->statement_cache_size, w->g->cache_size,
                sizeof w->g->cache_size);
    read_number(w, TUSK__PARAM_MAX_CACHED_STATEMENT_LIFETIME, config->max_cached_statement_lifetime,
                w->g->cache_lifetime, sizeof w->g->cache_lifetime);
    read_number(w, TUSK__PARAM_MAX_CACHEABLE_STATEMENT_SIZE, config->max_cacheable_statement_size, w->g->cacheable_size,
                sizeof w->g->cacheable_size);
    read_number(w, TUSK__PARAM_COMMAND_TIMEOUT, config->command_timeout, w->g->command_timeout,
                sizeof w->g->command_timeout);
}

/* ---- the service file ---------------------------------------------------------------------------------------------------- */

/* A file of the user's, below `folder`. false: there is no folder, or the path is too long to be one. */
static bool path_below(char path[PATH_MAX], const char *folder, const char *name)
{
    int n = snprintf(path, PATH_MAX, "%s/%s", folder, name);

    return folder[0] != '\0' && n > 0 && n < PATH_MAX;
}

static tusk_code refuse_file(gatherer *w, tusk__file_result result, int os)
{
    const char *path = w->g->service_path;

    if (result == TUSK__FILE_NO_MEMORY)
        return no_memory(w);
    if (result != TUSK__FILE_ABSENT)
        return tusk__error_set(w->err, TUSK_ERR_CONFIG, NULL, "the service file %s is %s", path,
                               result == TUSK__FILE_TOO_LONG ? "too long" : "not a plain file");
    tusk__error_set(w->err, TUSK_ERR_CONFIG, NULL, "the service file %s cannot be read: %s", path,
                    tusk__file_reason(os));
    if (w->err)
        w->err->os = os;
    return TUSK_ERR_CONFIG;
}

/* One file that may define the service. An absent one is passed over, unless somebody named it. */
static tusk_code read_service_file(gatherer *w, tusk_str service, bool was_named, bool *found)
{
    tusk__gathered *g = w->g;
    tusk__file_result result;
    int os;

    *found = false;
    if (!was_named && !tusk__is_there(g->service_path))
        return TUSK_OK;
    result =
        tusk__file_read(g->allocator, g->service_path, TUSK__SERVICE_FILE_MAX, TUSK__FILE_OPEN, &g->service_file, &os);
    if (result != TUSK__FILE_READ)
        return refuse_file(w, result, os);
    TUSK_TRY(tusk__servicefile_read(tusk_str_from(g->service_file.text, g->service_file.len), g->service_path, service,
                                    &g->values, found, w->err));
    if (!*found)
        tusk__file_clear(&g->service_file);
    return TUSK_OK;
}

/* Where it was looked for; "": there is no such place. */
static tusk_code no_service(gatherer *w, const char *own, const char *system)
{
    char text[sizeof w->err->detail];

    tusk__error_set(w->err, TUSK_ERR_CONFIG, NULL, "the service is defined in no service file");
    snprintf(text, sizeof text, "These files are looked into: %s%s%s.", own, own[0] && system[0] ? ", " : "", system);
    if (own[0] || system[0])
        tusk__error_detail(w->err, tusk_str_of(text));
    return TUSK_ERR_CONFIG;
}

static tusk_str service_of(const gatherer *w)
{
    tusk_str service = w->g->values.text[TUSK__PARAM_SERVICE];

    return service.ptr ? service : tusk_str_of(variable(w, tusk__params[TUSK__PARAM_SERVICE].env));
}

static tusk_code read_service(gatherer *w)
{
    tusk__gathered *g = w->g;
    tusk_str service = service_of(w);
    const char *file, *folder;
    char own[PATH_MAX] = "";
    bool found = false;

    if (!service.ptr)
        return TUSK_OK;
    if (w->sources->never_waits)
        return TUSK_AGAIN;
    file = variable(w, "PGSERVICEFILE");
    folder = variable(w, "PGSYSCONFDIR");
    if (file && strlen(file) >= PATH_MAX)
        return tusk__error_set(w->err, TUSK_ERR_CONFIG, NULL, "PGSERVICEFILE is too long for a path");
    if (file)
        snprintf(g->service_path, sizeof g->service_path, "%s", file);
    if (file || path_below(g->service_path, g->home, ".pg_service.conf")) {
        TUSK_TRY(read_service_file(w, service, file != NULL, &found));
        memcpy(own, g->service_path, strlen(g->service_path) + 1);
    }
    if (found)
        return TUSK_OK;
    if (!path_below(g->service_path, folder ? folder : w->sources->system_folder, "pg_service.conf"))
        return no_service(w, own, "");
    TUSK_TRY(read_service_file(w, service, false, &found));
    return found ? TUSK_OK : no_service(w, own, g->service_path);
}

/* ---- the environment --------------------------------------------------------------------------------------------------------- */

/* Of libpq's? Most programs have none, and forty need not be looked for. */
static bool has_variables(const gatherer *w)
{
    const tusk__sources *sources = w->sources;

    return !sources->has_any || sources->has_any(sources->user, "PG");
}

/* Only what begins with 1 means anything, as ever, and PGSSLMODE wins. */
static void read_requiressl(gatherer *w)
{
    const char *text = variable(w, "PGREQUIRESSL");

    if (text && text[0] == '1')
        set(w, TUSK__PARAM_SSLMODE, tusk_str_of("require"),
            (tusk__origin){.kind = TUSK__FROM_ENVIRONMENT, .name = "PGREQUIRESSL"});
}

/* A variable that is set but empty counts, as in libpq: it says "nothing", and no default replaces it. */
static void read_environment(gatherer *w)
{
    tusk_str *text = w->g->values.text;

    for (size_t i = 0; i < TUSK__N_PARAMS; i++) {
        const char *env = tusk__params[i].env, *value = env && !text[i].ptr ? variable(w, env) : NULL;

        if (value)
            set(w, i, tusk_str_of(value), (tusk__origin){.kind = TUSK__FROM_ENVIRONMENT, .name = env});
    }
    if (!text[TUSK__PARAM_SSLMODE].ptr)
        read_requiressl(w);
}

static bool is_word_default(const char *value)
{
    static const char word[] = "default";
    size_t i = 0;

    while (word[i] && (value[i] == word[i] || value[i] == word[i] - ('a' - 'A')))
        i++;
    return !word[i] && !value[i];
}

static void read_env_settings(gatherer *w)
{
    for (size_t i = 0; i < TUSK__N_ENV_SETTINGS; i++) {
        const char *value = variable(w, tusk__env_settings[i].env);

        if (value && !is_word_default(value))
            w->g->env_settings[i] = (tusk__startup_param){tusk_str_of(tusk__env_settings[i].name), tusk_str_of(value)};
    }
}

/* ---- defaults -------------------------------------------------------------------------------------------------------------------- */

static tusk_code complete_user(gatherer *w)
{
    char home[PATH_MAX];
    int os;

    if (w->sources->never_waits)
        return TUSK_AGAIN;
    os = tusk__user_of_process(w->g->user_name, home, sizeof home);
    if (w->g->user_name[0] == '\0') {
        tusk__error_set(w->err, TUSK_ERR_CONFIG, NULL,
                        "no user is given, and the system has no name for this process's user");
        if (w->err)
            w->err->os = os;
        return TUSK_ERR_CONFIG;
    }
    set(w, TUSK__PARAM_USER, tusk_str_of(w->g->user_name), (tusk__origin){.kind = TUSK__FROM_SYSTEM});
    return TUSK_OK;
}

static tusk_str default_host(const gatherer *w)
{
    const char *folder = w->sources->socket_folder;

    return tusk_str_of(tusk__is_folder(folder) ? folder : FALLBACK_HOST);
}

/* The variable of browsers and curl, which is no parameter of libpq. */
static void complete_key_log(gatherer *w)
{
    const char *path = variable(w, "SSLKEYLOGFILE");

    if (path && !w->g->values.text[TUSK__PARAM_SSLKEYLOGFILE].ptr)
        set(w, TUSK__PARAM_SSLKEYLOGFILE, tusk_str_of(path),
            (tusk__origin){.kind = TUSK__FROM_ENVIRONMENT, .name = "SSLKEYLOGFILE"});
}

/* The system's authorities sign for everybody: unless sslmode says otherwise, and is refused then, the name is verified. */
static void complete_system_roots(gatherer *w)
{
    tusk__gathered *g = w->g;

    if (!tusk_str_is(g->values.text[TUSK__PARAM_SSLROOTCERT], "system"))
        return;
    if (!g->values.text[TUSK__PARAM_SSLMODE].ptr)
        set(w, TUSK__PARAM_SSLMODE, tusk_str_of("verify-full"), g->values.origin[TUSK__PARAM_SSLROOTCERT]);
    g->system_roots_file = tusk_str_of(variable(w, "SSL_CERT_FILE"));
    g->system_roots_folders = tusk_str_of(variable(w, "SSL_CERT_DIR"));
}

static tusk_code complete(gatherer *w)
{
    tusk_str *text = w->g->values.text;
    tusk__origin none = {.kind = TUSK__FROM_DEFAULT};

    complete_system_roots(w);
    complete_key_log(w);
    for (size_t i = 0; i < TUSK__N_PARAMS; i++)
        if (!text[i].ptr)
            set(w, i, tusk_str_of(tusk__params[i].fallback), none);
    if (text[TUSK__PARAM_PORT].len == 0)
        set(w, TUSK__PARAM_PORT, tusk_str_of(tusk__params[TUSK__PARAM_PORT].fallback), none);
    if (text[TUSK__PARAM_HOST].len == 0 && text[TUSK__PARAM_HOSTADDR].len == 0)
        set(w, TUSK__PARAM_HOST, default_host(w), none);
    if (text[TUSK__PARAM_USER].len == 0)
        TUSK_TRY(complete_user(w));
    if (text[TUSK__PARAM_DBNAME].len == 0)
        set(w, TUSK__PARAM_DBNAME, text[TUSK__PARAM_USER], none);
    return TUSK_OK;
}

/* ---- the list of hosts --------------------------------------------------------------------------------------------------------- */

static void fill_host(const gatherer *w, tusk__host_texts *h)
{
    if (h->host.len == 0 && h->hostaddr.len == 0)
        h->host = default_host(w);
    if (h->port.len == 0)
        h->port = tusk_str_of(tusk__params[TUSK__PARAM_PORT].fallback);
    h->password = w->g->values.text[TUSK__PARAM_PASSWORD];
}

static void fill_hosts(gatherer *w, bool one_port)
{
    const tusk_str *text = w->g->values.text;
    tusk_str host = text[TUSK__PARAM_HOST], hostaddr = text[TUSK__PARAM_HOSTADDR], port = text[TUSK__PARAM_PORT];

    for (size_t i = 0; i < w->g->n_hosts; i++) {
        tusk__host_texts *h = &w->g->hosts[i];

        *h = (tusk__host_texts){.host = tusk__list_next(&host), .hostaddr = tusk__list_next(&hostaddr)};
        h->port = one_port ? text[TUSK__PARAM_PORT] : tusk__list_next(&port);
        fill_host(w, h);
    }
}

/* As libpq: hostaddr says how many there are, then host; the other lists have as many, but one port is everybody's. */
static tusk_code split_hosts(gatherer *w)
{
    tusk__gathered *g = w->g;
    const tusk_str *text = g->values.text;
    size_t n_host = tusk__list_count(text[TUSK__PARAM_HOST]), n_port = tusk__list_count(text[TUSK__PARAM_PORT]);
    size_t n_hostaddr = tusk__list_count(text[TUSK__PARAM_HOSTADDR]);
    size_t n = text[TUSK__PARAM_HOSTADDR].len > 0 ? n_hostaddr : n_host;

    if (text[TUSK__PARAM_HOST].len > 0 && n_host != n)
        return tusk__error_set(w->err, TUSK_ERR_CONFIG, NULL, "host has %zu items, but hostaddr %zu", n_host, n);
    if (n_port != 1 && n_port != n)
        return tusk__error_set(w->err, TUSK_ERR_CONFIG, NULL, "port has %zu items for %zu hosts: one is for all",
                               n_port, n);
    if (n > TUSK__HOSTS_MAX)
        return tusk__error_set(w->err, TUSK_ERR_CONFIG, NULL, "there are %zu hosts in the list, and %d are the most", n,
                               TUSK__HOSTS_MAX);
    g->hosts = tusk__array_new(g->allocator, n, sizeof *g->hosts);
    if (!g->hosts)
        return no_memory(w);
    g->n_hosts = n;
    fill_hosts(w, n_port == 1);
    return TUSK_OK;
}

/* ---- the password file --------------------------------------------------------------------------------------------------------- */

/* The socket that is there by default is "localhost" in the file; other folders stand there by their path. */
static tusk__passfile_key key_of(const gatherer *w, const tusk__host_texts *h)
{
    const tusk_str *text = w->g->values.text;
    tusk_str host = h->host.len > 0 ? h->host : h->hostaddr;

    if (tusk_str_is(host, w->sources->socket_folder))
        host = tusk_str_of("localhost");
    return (tusk__passfile_key){host, h->port, text[TUSK__PARAM_DBNAME], text[TUSK__PARAM_USER]};
}

/* Each host its own. In the list of values the first that is found stands for all of them. */
static void look_up_passwords(gatherer *w)
{
    tusk__gathered *g = w->g;
    tusk_str *first = &g->values.text[TUSK__PARAM_PASSWORD];

    for (size_t i = 0; i < g->n_hosts; i++) {
        tusk__host_texts *h = &g->hosts[i];
        tusk__passfile_key key = key_of(w, h);
        unsigned line;

        h->password_has_escapes = tusk__passfile_find(g->passfile.text, g->passfile.len, &key, &h->password, &line);
        h->password_line = h->password_has_escapes ? line : 0;
        if (h->password_has_escapes && first->len == 0)
            set(w, TUSK__PARAM_PASSWORD, h->password, (tusk__origin){TUSK__FROM_PASSFILE, g->passfile_path, line, 0});
    }
}

/* For who is refused, and did not write it into the program. */
static void name_password_origin(gatherer *w)
{
    tusk__gathered *g = w->g;
    tusk__origin origin = g->values.origin[TUSK__PARAM_PASSWORD];

    if (g->values.text[TUSK__PARAM_PASSWORD].len == 0 || origin.kind < TUSK__FROM_JSON)
        return;
    if (origin.kind == TUSK__FROM_PASSFILE)
        origin.line = 0; /* each host has its own */
    tusk__origin_print(&origin, g->password_origin, sizeof g->password_origin);
}

/* The path, which nobody must have named; false: there is no file to look into. */
static bool passfile_path(gatherer *w)
{
    tusk__gathered *g = w->g;
    tusk_str given = g->values.text[TUSK__PARAM_PASSFILE];

    if (given.len >= PATH_MAX)
        return false;
    if (given.len > 0)
        snprintf(g->passfile_path, sizeof g->passfile_path, TUSK_STR_FMT, TUSK_STR_ARG(given));
    else if (w->config->ignore_environment || !path_below(g->passfile_path, g->home, ".pgpass"))
        return false;
    return true;
}

static void warn_of_passfile(gatherer *w, tusk__file_result result)
{
    static const char *const why[] = {
        [TUSK__FILE_READ] = NULL,
        [TUSK__FILE_ABSENT] = NULL,
        [TUSK__FILE_NOT_PLAIN] = "it is not a plain file",
        [TUSK__FILE_NOT_SECRET] = "its group or others have access; its permissions should be 0600 or less",
        [TUSK__FILE_TOO_LONG] = "it is too long",
        [TUSK__FILE_NO_MEMORY] = NULL,
    };

    if (why[result])
        snprintf(w->g->warning, sizeof w->g->warning, "the password file was ignored: %s: %.400s", why[result],
                 w->g->passfile_path);
}

/* A file that is not there, or not fit to be used, is as if nobody had one: so it is in libpq. */
static tusk_code read_passfile(gatherer *w)
{
    tusk__gathered *g = w->g;
    tusk__file_result result;
    int os;

    if (w->config->on_password || g->values.text[TUSK__PARAM_PASSWORD].len > 0 || !passfile_path(w))
        return TUSK_OK;
    if (w->sources->never_waits) {
        g->is_unfinished = true;
        return TUSK_OK;
    }
    result = tusk__file_read(g->allocator, g->passfile_path, TUSK__PASSFILE_MAX, TUSK__FILE_SECRET, &g->passfile, &os);
    warn_of_passfile(w, result);
    if (result == TUSK__FILE_NO_MEMORY)
        return no_memory(w);
    if (result == TUSK__FILE_READ)
        look_up_passwords(w);
    return TUSK_OK;
}

/* ---- all of it --------------------------------------------------------------------------------------------------------------------- */

/* The user's folder is HOME's, or the one that the system's user database has; without the environment only a service is looked for
 * there. */
static tusk_code find_home(gatherer *w)
{
    const char *home = variable(w, "HOME");
    size_t len = home ? strlen(home) : 0;
    char name[TUSK__USER_NAME_SIZE];

    if (len > 0 && len < sizeof w->g->home)
        memcpy(w->g->home, home, len + 1);
    else if (w->config->ignore_environment && !service_of(w).ptr)
        return TUSK_OK;
    else if (w->sources->never_waits)
        return TUSK_AGAIN;
    else
        (void)tusk__user_of_process(name, w->g->home, sizeof w->g->home);
    return TUSK_OK;
}

/* A name that nobody but the system's user database can make a number of. */
static void look_at_requirepeer(gatherer *w)
{
    if (w->sources->never_waits && w->g->values.text[TUSK__PARAM_REQUIREPEER].len > 0)
        w->g->is_unfinished = true;
}

static void init(tusk__gathered *g, const tusk_allocator *allocator)
{
    memset(g, 0, offsetof(tusk__gathered, home));
    g->home[0] = g->warning[0] = g->password_origin[0] = g->user_name[0] = g->timeout[0] = g->service_path[0] =
        g->passfile_path[0] = '\0';
    g->allocator = allocator;
}

tusk_code tusk__gather(const tusk_allocator *allocator, const tusk__sources *sources, const tusk_config *config,
                       tusk__gathered *out, tusk_error *err)
{
    gatherer w = {sources, config, out, err};

    init(out, allocator);
    TUSK_TRY(read_dsn(&w));
    read_fields(&w);
    TUSK_TRY(find_home(&w));
    TUSK_TRY(read_service(&w));
    if (has_variables(&w)) {
        read_environment(&w);
        read_env_settings(&w);
    }
    TUSK_TRY(complete(&w));
    if (config->on_password)
        out->values.text[TUSK__PARAM_PASSWORD] = (tusk_str){NULL, 0};
    TUSK_TRY(split_hosts(&w));
    TUSK_TRY(read_passfile(&w));
    look_at_requirepeer(&w);
    name_password_origin(&w);
    return TUSK_OK;
}

void tusk__gathered_clear(tusk__gathered *g)
{
    if (g->hosts)
        g->allocator->free(g->hosts, g->allocator->user);
    g->hosts = NULL;
    if (g->dsn_room) {
        tusk__crypto_openssl()->wipe(g->dsn_room, g->dsn_room_size);
        g->allocator->free(g->dsn_room, g->allocator->user);
        g->dsn_room = NULL;
    }
    tusk__file_clear(&g->service_file);
    tusk__file_clear(&g->passfile);
}

void tusk__origin_print(const tusk__origin *origin, char *buf, size_t size)
{
    static const char *const words[] = {
        [TUSK__FROM_DEFAULT] = "default",
        [TUSK__FROM_SYSTEM] = "the system's name of the user",
        [TUSK__FROM_FIELD] = "field",
        [TUSK__FROM_STRING] = "connection string",
        [TUSK__FROM_JSON] = "JSON document",
        [TUSK__FROM_SERVICE_FILE] = "service file",
        [TUSK__FROM_ENVIRONMENT] = "environment variable",
        [TUSK__FROM_PASSFILE] = "password file",
    };
    const char *word = words[origin->kind];

    if (origin->line > 0 && origin->column > 0)
        snprintf(buf, size, "line %u, column %u of the %s", origin->line, origin->column, word);
    else if (origin->line > 0)
        snprintf(buf, size, "line %u of the %s %s", origin->line, word, origin->name);
    else if (origin->name)
        snprintf(buf, size, "%s %s", word, origin->name);
    else
        tusk__error_copy(buf, size, tusk_str_of(word));
}

/* A parameter's name is enough for whoever wrote it into the program; what lies elsewhere wants its place. */
void tusk__origin_explain(const tusk_config *config, const tusk__origin *origin, tusk_error *err)
{
    char text[sizeof err->detail], place[sizeof text - sizeof "It comes from ."];
    tusk__origin document = *origin;

    if (origin->kind == TUSK__FROM_STRING)
        (void)tusk__document_dsn(config, &document);
    if (document.kind < TUSK__FROM_JSON)
        return;
    tusk__origin_print(&document, place, sizeof place);
    snprintf(text, sizeof text, "It comes from %s.", place);
    tusk__error_detail(err, tusk_str_of(text));
}
