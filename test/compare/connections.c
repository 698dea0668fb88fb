/* PQconnectStartParams() and ours, under environments, service files and password files by chance: where the connection goes, what
 * its StartupMessage says and which password it has. libpq really connects, to the recorder; ours is asked for its settings, which
 * hold the StartupMessage as it is sent.
 * Read first: test/compare/compare.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/config_table.h"
#include "lib/mechanism.h"
#include "lib/settings.h"
#include "test/compare/compare.h"

#define N_VARIABLES_MAX 48
#define N_PARAMS_MAX 40

/* One world: who says what. */
typedef struct world {
    char home[64];
    uint16_t ports[N_PORTS];
    bool any_host; /* a hostaddr overrules the rest: host may be any name */
    char variables[N_VARIABLES_MAX][256];
    int n_variables;
    char names[N_PARAMS_MAX][64], values[N_PARAMS_MAX][256]; /* fields */
    int n_fields;
    char dsn[2048];
} world;

static world *now; /* for variable() */

static struct {
    long n, connected, refused, tls, with_password, from_service, listed, different;
} counts;

/* ---- values by chance -------------------------------------------------------------------------------------------------------------- */

static const char *pick(chance *c, const char *const *words)
{
    uint32_t n = 0;

    while (words[n])
        n++;
    return words[chance_below(c, n)];
}

#define PICK(c, ...) pick(c, (const char *const[]){__VA_ARGS__, NULL})

/* What can be said of a parameter; mostly right. */
static void value_of(chance *c, const world *w, const char *name, char out[256])
{
    const char *text = PICK(c, "x", "a b", "it's", "\\", "");

    if (strcmp(name, "host") == 0)
        text = w->any_host ? PICK(c, "db1", "h", "localhost", "/tmp", "a:b", "")
                           : PICK(c, "127.0.0.1", "127.0.0.2", "/tmp", "");
    else if (strcmp(name, "hostaddr") == 0)
        text = PICK(c, "127.0.0.1", "127.0.0.2", "");
    else if (strcmp(name, "user") == 0 || strcmp(name, "dbname") == 0)
        text = PICK(c, "u", "d", "app", "a:b", "c\\d", "it's", "");
    else if (strcmp(name, "sslmode") == 0)
        text =
            PICK(c, "disable", "disable", "prefer", "prefer", "require", "verify-full", "allow", "verify-ca", "x", "");
    else if (strcmp(name, "sslrootcert") == 0)
        text = PICK(c, "x", "a b", "", "system");
    else if (strcmp(name, "channel_binding") == 0)
        text = PICK(c, "disable", "prefer", "prefer", "require", "x");
    else if (strstr(name, "protocol_version") && name[0] != 's')
        text = PICK(c, "3.0", "3.0", "3.2", "latest", "3.1");
    else if (strstr(name, "protocol_version"))
        text = PICK(c, "TLSv1.2", "tlsv1.3", "", "TLSv1", "SSLv3");
    else if (strcmp(name, "connect_timeout") == 0)
        text = PICK(c, "0", "5", " 7 ", "-1", "10", "x");
    else if (strcmp(name, "client_encoding") == 0)
        text = PICK(c, "UTF8", "utf-8", "auto", "LATIN1", "");
    else if (strcmp(name, "require_auth") == 0)
        text = PICK(c, "password", "!md5", "none,password", "!none,!oauth", "scram-sha-256,password", "md5",
                    "password,!md5", "x", "");
    else if (strcmp(name, "requirepeer") == 0)
        text = PICK(c, "", "root", "x");
    else if (strstr(name, "scram_") == name)
        text = PICK(
            c, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "x");
    else if (strcmp(name, "oauth_issuer") == 0)
        text = PICK(c, "https://id.example.com", "https://x", "");
    else if (strcmp(name, "target_session_attrs") == 0)
        text = PICK(c, "any", "any", "read-write", "read-only", "primary", "standby", "prefer-standby", "x");
    else if (strcmp(name, "load_balance_hosts") == 0)
        text = PICK(c, "disable", "disable", "random", "x");
    else if (strcmp(name, "gssencmode") == 0)
        text = PICK(c, "disable", "prefer", "require", "x");
    else if (strcmp(name, "sslnegotiation") == 0)
        text = PICK(c, "postgres", "postgres", "direct", "x");
    else if (strcmp(name, "sslcertmode") == 0)
        text = PICK(c, "disable", "disable", "allow", "x");
    else if (strcmp(name, "sslsni") == 0 || strcmp(name, "keepalives") == 0)
        text = PICK(c, "1", "1", "0");
    else if (strncmp(name, "keepalives_", 11) == 0 || strcmp(name, "tcp_user_timeout") == 0)
        text = PICK(c, "1", "5", " 60 ");
    else if (strcmp(name, "sslcompression") == 0 || strcmp(name, "gssdelegation") == 0)
        text = PICK(c, "0", "0", "1");
    if (strcmp(name, "port") == 0)
        snprintf(out, 256, chance_in(c, 30) ? " %u " : "%u", w->ports[chance_below(c, N_PORTS)]);
    else if (strcmp(name, "passfile") == 0)
        snprintf(out, 256, "%s/%s", w->home, PICK(c, "pass", "none", ".pgpass"));
    else
        snprintf(out, 256, "%s", text);
}

/* How often a parameter is spoken of: the ones that decide something often, the ones that are refused seldom. */
static bool is_spoken_of(chance *c, const tusk__param *param)
{
    if (strcmp(param->name, "service") == 0)
        return false; /* by itself */
    if (param->refusal)
        return chance_in(c, 400);
    if (param->choices || param->kind == TUSK__KIND_SECONDS || param->kind == TUSK__KIND_ENCODING ||
        param->kind == TUSK__KIND_AUTH_RULE || param->kind == TUSK__KIND_SCRAM_KEY)
        return chance_in(c, 40);
    return chance_in(c, 4);
}

/* ---- sources by chance -------------------------------------------------------------------------------------------------------------- */

static void write_file(const world *w, const char *name, const char *text, size_t len, mode_t mode)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", w->home, name);
    unlink(path);
    file = fopen(path, "w");
    if (!file || fwrite(text, 1, len, file) != len || fclose(file) != 0 || chmod(path, mode) != 0)
        fail(path);
}

static void remove_file(const world *w, const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", w->home, name);
    unlink(path);
}

static size_t put_field(chance *c, char *out, size_t size, const char *value)
{
    size_t len = 0;

    if (chance_in(c, 3))
        return (size_t)snprintf(out, size, "*");
    for (; *value && len + 2 < size; value++) {
        if (((*value == ':' || *value == '\\') && !chance_in(c, 6)) || chance_in(c, 30))
            out[len++] = '\\';
        out[len++] = *value;
    }
    return len;
}

static void make_passfile(chance *c, const world *w, const char *name)
{
    static const char *const modes[] = {"0600", "0600", "0600", "0600", "0400", "0644", "0660"};
    char text[4096], port[16];
    size_t len = 0;

    if (chance_in(c, 8)) {
        remove_file(w, name);
        return;
    }
    for (uint32_t n = chance_below(c, 8); n > 0; n--) {
        if (chance_in(c, 10))
            len += (size_t)snprintf(text + len, sizeof text - len, chance_in(c, 2) ? "#" : " ");
        len += put_field(c, text + len, 64, PICK(c, "localhost", "127.0.0.1", "127.0.0.2", "db1", "h", "/tmp", "a:b"));
        text[len++] = ':';
        snprintf(port, sizeof port, "%u", w->ports[chance_below(c, N_PORTS)]);
        len += put_field(c, text + len, 64, port);
        text[len++] = ':';
        len += put_field(c, text + len, 64, PICK(c, "u", "d", "app", "a:b", "c\\d", "it's"));
        text[len++] = ':';
        len += put_field(c, text + len, 64, PICK(c, "u", "d", "app", "a:b", "c\\d", "it's", "root"));
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s", chance_in(c, 30) ? "" : ":",
                                PICK(c, "pw", "p:q", "p\\:q", "p\\\\q", "", "p\\", "a b ", "\xC3\xA4", "*"));
        len +=
            (size_t)snprintf(text + len, sizeof text - len, "%s", PICK(c, "\n", "\n", "\n", "\r\n", "\n\n", "\r\r\n"));
    }
    if (len > 0 && chance_in(c, 3))
        len--; /* no line end */
    write_file(w, name, text, len, (mode_t)strtol(modes[chance_below(c, 7)], NULL, 8));
}

static void make_service_file(chance *c, const world *w, const char *name)
{
    char text[8192], value[256];
    size_t len = 0;

    if (chance_in(c, 8)) {
        remove_file(w, name);
        return;
    }
    for (uint32_t sections = 1 + chance_below(c, 3); sections > 0; sections--) {
        len += (size_t)snprintf(text + len, sizeof text - len, "%s[%s]%s\n", PICK(c, "", "", "  "),
                                PICK(c, "s", "s", "s", "t", "t", "ss", ""), PICK(c, "", "", " x"));
        for (uint32_t n = chance_below(c, 7); n > 0 && len < sizeof text - 2048; n--) {
            const tusk__param *param = &tusk__params[chance_below(c, TUSK__N_LIBPQ_PARAMS)];

            if (!is_spoken_of(c, param) && !chance_in(c, 40))
                continue;
            value_of(c, w, param->name, value);
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%s%s=%s%s\n", PICK(c, "", "", " ", "\t"),
                                    chance_in(c, 40) ? "#" : "", param->name, value, PICK(c, "", "", " ", "\r"));
        }
        if (chance_in(c, 30))
            len += (size_t)snprintf(text + len, sizeof text - len, "%s\n",
                                    PICK(c, "nonsense", "hots=h", "service=t", "host = h", "ldap://h/x?y?z", "=", "[s",
                                         "sslkeylogfile=/k"));
        if (chance_in(c, 100))
            len +=
                (size_t)snprintf(text + len, sizeof text - len, "options=%0*d\n", 1005 + (int)chance_below(c, 20), 0);
    }
    write_file(w, name, text, len, 0644);
}

static void add_variable(world *w, const char *name, const char *value)
{
    char *to = w->variables[w->n_variables];
    size_t name_len = strlen(name), value_len = strlen(value);

    if (w->n_variables == N_VARIABLES_MAX || name_len + value_len + 2 > sizeof w->variables[0])
        return;
    memcpy(to, name, name_len);
    to[name_len] = '=';
    memcpy(to + name_len + 1, value, value_len + 1);
    w->n_variables++;
}

static void make_environment(chance *c, world *w)
{
    char value[256], path[128];

    w->n_variables = 0;
    add_variable(w, "HOME", w->home);
    snprintf(value, sizeof value, "%u", w->ports[chance_below(c, N_PORTS)]);
    add_variable(w, "PGPORT", value); /* somebody must say it: at 5432 there may be a server of somebody else */
    for (size_t i = 0; i < TUSK__N_LIBPQ_PARAMS; i++) {
        const tusk__param *param = &tusk__params[i];

        if (!param->env || strcmp(param->env, "PGPORT") == 0 || !is_spoken_of(c, param))
            continue;
        value_of(c, w, param->name, value);
        add_variable(w, param->env, value);
    }
    for (const tusk__env_setting *s = tusk__env_settings; s->env; s++)
        if (chance_in(c, 6))
            add_variable(w, s->env, PICK(c, "UTC", "on", "default", "DEFAULT", "ISO, MDY", ""));
    if (chance_in(c, 12))
        add_variable(w, "PGREQUIRESSL", PICK(c, "1", "0", "1x", ""));
    if (chance_in(c, 4))
        add_variable(w, "PGSERVICE", PICK(c, "s", "t", "s", "s", "s", "s", "none", ""));
    snprintf(path, sizeof path, "%s/%s", w->home, PICK(c, "service", "service", "none"));
    if (chance_in(c, 5))
        add_variable(w, "PGSERVICEFILE", path);
    if (chance_in(c, 2))
        add_variable(w, "PGSYSCONFDIR", w->home);
}

static void add_field(world *w, const char *name, const char *value)
{
    snprintf(w->names[w->n_fields], sizeof w->names[0], "%s", name);
    snprintf(w->values[w->n_fields++], sizeof w->values[0], "%s", value);
}

static void make_program(chance *c, world *w)
{
    char value[256];
    size_t len = 0;

    w->n_fields = 0;
    w->dsn[0] = '\0';
    for (size_t i = 0; i < TUSK__N_LIBPQ_PARAMS; i++) {
        const tusk__param *param = &tusk__params[i];

        value_of(c, w, param->name, value);
        if (is_spoken_of(c, param) && param->config_offset != TUSK__NO_FIELD &&
            !(w->any_host && i == TUSK__PARAM_HOSTADDR))
            add_field(w, param->name, value);
        value_of(c, w, param->name, value);
        if (is_spoken_of(c, param)) {
            len += (size_t)snprintf(w->dsn + len, sizeof w->dsn - len, "%s='", param->name);
            for (const char *p = value; *p; p++)
                len +=
                    (size_t)snprintf(w->dsn + len, sizeof w->dsn - len, *p == '\'' || *p == '\\' ? "\\%c" : "%c", *p);
            len += (size_t)snprintf(w->dsn + len, sizeof w->dsn - len, "' ");
        }
    }
    if (w->any_host)
        add_field(w, "hostaddr", PICK(c, "127.0.0.1", "127.0.0.2"));
    if (chance_in(c, 4))
        add_field(w, "service", PICK(c, "s", "t", "s", "s", "s", "none"));
}

static void make_world(chance *c, world *w)
{
    w->any_host = chance_in(c, 2);
    make_passfile(c, w, ".pgpass");
    make_passfile(c, w, "pass");
    make_service_file(c, w, ".pg_service.conf");
    make_service_file(c, w, "service");
    make_service_file(c, w, "pg_service.conf");
    make_environment(c, w);
    make_program(c, w);
}

/* ---- both sides ------------------------------------------------------------------------------------------------------------------------ */

static const char *variable(void *user, const char *name)
{
    size_t len = strlen(name);

    (void)user;
    for (int i = 0; i < now->n_variables; i++)
        if (strncmp(now->variables[i], name, len) == 0 && now->variables[i][len] == '=')
            return now->variables[i] + len + 1;
    return NULL;
}

static void never_called(tusk_token_request *request, void *user)
{
    (void)user;
    tusk_token_refuse(request, NULL);
}

/* In the place of tusk_gssapi(), which wants a library: its parameters count. */
static const tusk_auth_mechanism gssapi = {.name = "GSSAPI", .method = TUSK__METHOD_GSS};

static tusk__settings *ask_us(const world *w, tusk_error *err)
{
    static const tusk__sources sources = {NULL, variable, NULL, "/tmp", "/nonexistent", false};
    const tusk_auth_mechanism *const mechanisms[] = {tusk_oauth(), &gssapi, NULL};
    tusk_config config = {.dsn = w->dsn, .auth_mechanisms = mechanisms, .on_token = never_called};
    tusk__settings *s = NULL;

    for (int i = 0; i < w->n_fields; i++) {
        const char *value = w->values[i];

        memcpy((char *)&config + tusk__param_find(tusk_str_of(w->names[i]))->config_offset, &value, sizeof value);
    }
    return tusk__settings_read(tusk_allocator_default(), &sources, &config, &s, err) == TUSK_OK ? s : NULL;
}

static size_t put_string(char *frame, size_t len, const char *text)
{
    size_t n = strlen(text) + 1;

    memcpy(frame + len, text, n);
    return len + n;
}

/* dbname first: a connection string in it is laid below the keywords that follow, as our dsn is below the fields. */
static const char *ask_libpq(const world *w)
{
    static char frame[65536];
    uint32_t n_env = (uint32_t)w->n_variables, n_params = (uint32_t)w->n_fields + (w->dsn[0] != '\0');
    size_t len = 9;

    frame[0] = 'C';
    memcpy(frame + 1, &n_env, 4);
    memcpy(frame + 5, &n_params, 4);
    for (int i = 0; i < w->n_variables; i++)
        len = put_string(frame, len, w->variables[i]);
    if (w->dsn[0]) {
        len = put_string(frame, len, "dbname");
        len = put_string(frame, len, w->dsn);
    }
    for (int i = 0; i < w->n_fields; i++) {
        len = put_string(frame, len, w->names[i]);
        len = put_string(frame, len, w->values[i]);
    }
    recorder_clear();
    oracle_ask(frame, len);
    return oracle_answer(&len);
}

/* ---- the verdict ----------------------------------------------------------------------------------------------------------------------- */

static void show(const world *w, const char *what, const char *ours, const char *libpqs)
{
    if (counts.different++ >= 10)
        return;
    printf("different: %s\n  we: %s\n  libpq: %s\n  string: %s\n", what, ours, libpqs, w->dsn);
    for (int i = 0; i < w->n_fields; i++)
        printf("  field %s=%s\n", w->names[i], w->values[i]);
    for (int i = 0; i < w->n_variables; i++)
        printf("  %s\n", w->variables[i]);
}

static bool is_local(const tusk__settings *s)
{
    return tusk__host_is_local(&s->hosts[0]);
}

static const char *value_in(const record *r, const char *name)
{
    for (const char *p = r->startup; p < r->startup + r->startup_len && *p; p += strlen(p) + 1) {
        bool is_it = strcmp(p, name) == 0;

        p += strlen(p) + 1;
        if (is_it)
            return p;
    }
    return NULL;
}

/* The same pairs; client_encoding is ours to say. */
static bool is_same_startup(const tusk__settings *s, const record *r)
{
    size_t ours = 0, theirs = 0;

    for (size_t i = 0; i < s->n_startup; i++) {
        const char *value = value_in(r, s->startup[i].name.ptr);

        if (strcmp(s->startup[i].name.ptr, "client_encoding") == 0)
            continue;
        ours++;
        if (!value || strcmp(value, s->startup[i].value.ptr) != 0)
            return false;
    }
    for (const char *p = r->startup; p < r->startup + r->startup_len && *p; p += strlen(p) + 1) {
        theirs += strcmp(p, "client_encoding") != 0;
        p += strlen(p) + 1;
    }
    return ours == theirs && r->version == s->max_protocol;
}

static void compare_arrival(const world *w, const tusk__settings *s, const record *r)
{
    const tusk__host *host = &s->hosts[0];
    tusk_str address = host->hostaddr.len > 0 ? host->hostaddr : host->host;
    char target[64], ours[1024] = "";
    size_t len = 0;

    snprintf(target, sizeof target, "%s:%s", address.ptr, host->port.ptr);
    for (size_t i = 0; i < s->n_startup; i++)
        len +=
            (size_t)snprintf(ours + len, sizeof ours - len, "%s=%s ", s->startup[i].name.ptr, s->startup[i].value.ptr);
    counts.connected++;
    counts.with_password += r->password[0] != '\0';
    counts.from_service += s->service.len > 0;
    if (strcmp(target, r->target) != 0)
        show(w, "another target", target, r->target);
    else if (!is_same_startup(s, r))
        show(w, "another StartupMessage", ours, r->startup);
    else if (s->channel_binding != TUSK__CHANNEL_BINDING_REQUIRE &&
             tusk__auth_rule_allows(&s->require_auth, TUSK__METHOD_PASSWORD) &&
             strcmp(s->password.ptr, r->password) != 0)
        show(w, "another password", s->password.ptr, r->password);
}

static void list_or_show(const world *w, const char *who, const char *message, const char *other)
{
    bool we = strcmp(who, "tusk") == 0;

    if (difference_listed(who, message))
        counts.listed++;
    else
        show(w, we ? "only we refuse" : "only libpq refuses", we ? message : other, we ? other : message);
}

/* The recorder has none: there the comparison ends. */
static bool wants_tls(const tusk__settings *s)
{
    return s->sslmode >= TUSK__SSL_REQUIRE && !is_local(s);
}

static void compare_one(const world *w)
{
    tusk_error err = {0};
    tusk__settings *s = ask_us(w, &err);
    const char *answer = ask_libpq(w), *message = answer + 1;
    record r = recorder_record();

    counts.n++;
    if (!s && (r.saw_startup || r.saw_ssl_request))
        list_or_show(w, "tusk", err.message, "it connects");
    else if (!s)
        counts.refused++;
    else if (wants_tls(s) && !r.saw_startup && (r.saw_ssl_request || s->sslnegotiation == TUSK__NEGOTIATE_DIRECT))
        counts.tls++;
    else if (r.saw_startup)
        compare_arrival(w, s, &r);
    else
        list_or_show(w, "libpq", message, "it is taken");
    tusk__settings_unref(s);
}

bool compare_connections(chance *c, long n)
{
    static const char *const files[] = {".pgpass", "pass", ".pg_service.conf", "service", "pg_service.conf"};
    static world w = {.home = "/tmp/tusk-compare-XXXXXX"};

    if (!mkdtemp(w.home))
        fail("mkdtemp");
    now = &w;
    recorder_start(w.ports);
    while (counts.n < n) {
        make_world(c, &w);
        compare_one(&w);
    }
    recorder_stop();
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        remove_file(&w, files[i]);
    rmdir(w.home);
    printf("connections: %ld, of these connected %ld (with a password %ld, by a service %ld), stopped for want of TLS "
           "%ld, "
           "refused by both %ld, listed differences %ld, different %ld\n",
           counts.n, counts.connected, counts.with_password, counts.from_service, counts.tls, counts.refused,
           counts.listed, counts.different);
    return counts.different == 0 && counts.connected >= n / 4;
}
