/* Logins into a real server, ours next to libpq's: each way of logging in × sslmode × sslnegotiation × channel_binding × what the
 * server shows. The verdicts must be equal (connected or not, over TLS or not, with channel binding or not, and who refuses: the
 * configuration, TLS or the login), but for those that logins.txt lists. The table goes to docs/tls-matrix.md.
 * Usage: logins ORACLE LIBPQ DIFFERENCES PAGE, with test/harness/server's environment
 * Read first: test/compare/run-logins. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/ssl.h>

#include <tusk/tusk.h>

#include "test/compare/compare.h"

#define N_OF(array) (int)(sizeof(array) / sizeof(array)[0])

/* ---- what is tried --------------------------------------------------------------------------------------------------------- */

/* What the server shows, and what it is held against. Files are those of test/harness/server; NULL: not given. */
static const struct show {
    const char *name, *certificate; /* NULL: the server has no TLS */
    const char *host, *root, *crl;
} shows[] = {
    {"a good certificate", "server", "localhost", "ca", NULL},
    {"a good certificate, and a revocation list", "server", "localhost", "ca", "crl.pem"},
    {"a good certificate, no root file", "server", "localhost", NULL, NULL},
    {"a good certificate, a root file that is not there", "server", "localhost", "nothing", NULL},
    {"a good certificate, the system's authorities", "server", "localhost", "system", NULL},
    {"a wildcard", "server", "a.wild.test", "ca", NULL},
    {"a wildcard, and one label more", "server", "a.b.wild.test", "ca", NULL},
    {"an address", "server", "127.0.0.1", "ca", NULL},
    {"another address", "server", "127.0.0.2", "ca", NULL},
    {"another name", "wrong_name", "localhost", "ca", NULL},
    {"a common name alone", "cn_only", "localhost", "ca", NULL},
    {"an expired certificate", "expired", "localhost", "ca", NULL},
    {"an expired certificate, no root file", "expired", "localhost", NULL, NULL},
    {"another authority's", "foreign", "localhost", "ca", NULL},
    {"a revoked certificate", "revoked", "localhost", "ca", "crl.pem"},
    {"a revoked certificate, no list", "revoked", "localhost", "ca", NULL},
    {"RSA, SHA-512", "rsa", "localhost", "ca", NULL},
    {"an Ed25519 key", "ed25519", "localhost", "ca", NULL},
    {"an Ed25519 signature", "self_ed25519", "localhost", "self_ed25519", NULL},
    {"no TLS", NULL, "localhost", "ca", NULL},
};

/* A foreign certificate goes by TLS 1.2: in 1.3 the server judges it when our handshake is over, and whether its alert or its reset
 * arrives first is the network's choice. */
static const struct client {
    const char *name, *role, *certificate, *key;
    const char *more[2]; /* a parameter and its value */
} clients[] = {
    {"trust", "t_trust", NULL, NULL, {NULL}},
    {"password", "t_password", NULL, NULL, {NULL}},
    {"password, require_auth=password", "t_password", NULL, NULL, {"require_auth", "password"}},
    {"md5", "t_md5", NULL, NULL, {NULL}},
    {"SCRAM", "t_scram", NULL, NULL, {NULL}},
    {"SCRAM, hostssl", "t_sslonly", NULL, NULL, {NULL}},
    {"SCRAM, hostnossl", "t_nossl", NULL, NULL, {NULL}},
    {"certificate", "t_cert", "client", "client", {NULL}},
    {"certificate, encrypted key", "t_cert", "client", "client_encrypted", {"sslpassword", "tusk-key"}},
    {"certificate of another authority",
     "t_cert",
     "client_foreign",
     "client_foreign",
     {"ssl_max_protocol_version", "TLSv1.2"}},
    {"certificate, none", "t_cert", NULL, NULL, {NULL}},
    {"certificate and SCRAM", "t_certpw", "client", "client", {NULL}},
};

static const char *const negotiations[] = {"postgres", "direct"};
static const char *const modes[] = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
static const char *const bindings[] = {"disable", "prefer", "require"};
enum { N_NEGOTIATIONS = 2, N_MODES = 6, N_BINDINGS = 3 };

/* ---- verdicts -------------------------------------------------------------------------------------------------------------- */

typedef enum end { IN_PLAIN, IN_TLS, IN_BOUND, REFUSED_CONFIG, REFUSED_TLS, REFUSED_LOGIN } end;

static const char *const words[] = {
    [IN_PLAIN] = "plain",       [IN_TLS] = "TLS",       [IN_BOUND] = "TLS+",
    [REFUSED_CONFIG] = "-conf", [REFUSED_TLS] = "-TLS", [REFUSED_LOGIN] = "-login",
};

typedef struct verdict {
    end end;
    char message[1024];
} verdict;

typedef struct params {
    const char *names[24], *values[24];
    uint32_t n;
} params;

static char tls_folder[256];

static const char *file_of(const char *name, const char *suffix)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s%s", tls_folder, name, suffix);
    return path;
}

static void add(params *p, const char *name, const char *value)
{
    p->names[p->n] = name;
    p->values[p->n++] = value;
}

static params make_params(const struct show *show, const struct client *client, int negotiation, int mode, int binding)
{
    static char password[64];
    params p = {.n = 0};

    snprintf(password, sizeof password, "pw-%s", client->role);
    add(&p, "host", show->host);
    add(&p, "hostaddr", "127.0.0.1");
    add(&p, "port", getenv("TUSK_TEST_PORT"));
    add(&p, "dbname", "tusk");
    add(&p, "user", client->role);
    add(&p, "password", password);
    add(&p, "gssencmode", "disable");
    add(&p, "sslmode", modes[mode]);
    add(&p, "channel_binding", bindings[binding]);
    if (negotiation > 0) /* a libpq before 17 does not know its name */
        add(&p, "sslnegotiation", negotiations[negotiation]);
    if (show->root)
        add(&p, "sslrootcert", strcmp(show->root, "system") == 0 ? "system" : file_of(show->root, ".crt"));
    if (show->crl)
        add(&p, "sslcrl", file_of(show->crl, ""));
    if (client->certificate) {
        add(&p, "sslcert", file_of(client->certificate, ".crt"));
        add(&p, "sslkey", file_of(client->key, ".key"));
    }
    if (client->more[0])
        add(&p, client->more[0], client->more[1]);
    return p;
}

/* ---- libpq's ----------------------------------------------------------------------------------------------------------------- */

/* Of several attempts the last one's end is the verdict. */
static end class_of(const char *message)
{
    static const struct {
        const char *part;
        end end;
    } parts[] = {
        {"may not be used with", REFUSED_CONFIG},
        {"root certificate file", REFUSED_CONFIG},
        {"could not read", REFUSED_CONFIG},
        {"private key file", REFUSED_CONFIG},
        {"could not load", REFUSED_CONFIG},
        {"FATAL:", REFUSED_LOGIN},
        {"channel binding", REFUSED_LOGIN},
        {"no password supplied", REFUSED_LOGIN},
        {"digest for", REFUSED_LOGIN},
        {"signature algorithm", REFUSED_LOGIN},
        {"does not match host name", REFUSED_TLS},
    };
    const char *last = message;

    for (const char *p = message; (p = strstr(p, "connection to server")) != NULL; p++)
        last = p;
    for (int i = 0; i < N_OF(parts); i++)
        if (strstr(last, parts[i].part))
            return parts[i].end;
    return REFUSED_TLS;
}

static verdict ask_libpq(const params *p)
{
    char frame[4096] = "L";
    size_t len = 5, n;
    const char *answer;
    verdict v;

    memcpy(frame + 1, &p->n, 4);
    for (uint32_t i = 0; i < p->n; i++) {
        len += (size_t)snprintf(frame + len, sizeof frame - len, "%s", p->names[i]) + 1;
        len += (size_t)snprintf(frame + len, sizeof frame - len, "%s", p->values[i]) + 1;
    }
    oracle_ask(frame, len);
    answer = oracle_answer(&n);
    snprintf(v.message, sizeof v.message, "%s", answer + 3);
    v.end = !answer[0] ? class_of(v.message) : !answer[1] ? IN_PLAIN : answer[2] ? IN_BOUND : IN_TLS;
    return v;
}

/* ---- ours ---------------------------------------------------------------------------------------------------------------------- */

static bool said_plus;

int __real_SSL_write_ex(SSL *ssl, const void *bytes, size_t len, size_t *n);
int __wrap_SSL_write_ex(SSL *ssl, const void *bytes, size_t len, size_t *n);

/* What goes into TLS is seen here, in place of a trace. */
int __wrap_SSL_write_ex(SSL *ssl, const void *bytes, size_t len, size_t *n)
{
    static const char plus[] = "SCRAM-SHA-256-PLUS";

    said_plus = said_plus || memmem(bytes, len, plus, sizeof plus) != NULL;
    return __real_SSL_write_ex(ssl, bytes, len, n);
}

static end class_of_ours(tusk_code code)
{
    return code == TUSK_ERR_CONFIG ? REFUSED_CONFIG : code == TUSK_ERR_AUTH ? REFUSED_LOGIN : REFUSED_TLS;
}

static verdict ask_us(tusk_loop *loop, const params *p)
{
    char dsn[4096] = "";
    size_t len = 0;
    tusk_error err = {0};
    tusk_conn *conn;
    verdict v;

    for (uint32_t i = 0; i < p->n; i++)
        len += (size_t)snprintf(dsn + len, sizeof dsn - len, "%s='%s' ", p->names[i], p->values[i]);
    said_plus = false;
    conn = tusk_connect(loop, dsn);
    if (!conn)
        fail("tusk_connect");
    if (tusk_await_free(tusk_conn_ready(conn), &err) == TUSK_OK)
        v.end = tusk_conn_tls_version(conn).len == 0 ? IN_PLAIN : said_plus ? IN_BOUND : IN_TLS;
    else
        v.end = class_of_ours(err.code);
    snprintf(v.message, sizeof v.message, "%s", err.message);
    (void)tusk_await_free(tusk_close(conn), NULL);
    tusk_conn_free(conn);
    return v;
}

/* ---- what is meant to differ: "end|part of our message|libpq's end|part of its message|reason" -------------------------------- */

static struct {
    char ours[16], our_part[128], libpqs[16], libpqs_part[128], reason[300];
    long seen;
} listed[32];
static int n_listed;

static void read_listed(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[800];

    if (!file)
        fail(path);
    while (fgets(line, sizeof line, file))
        if (line[0] != '#' && n_listed < N_OF(listed) &&
            sscanf(line, "%15[^|]|%127[^|]|%15[^|]|%127[^|]|%299[^\n]", listed[n_listed].ours,
                   listed[n_listed].our_part, listed[n_listed].libpqs, listed[n_listed].libpqs_part,
                   listed[n_listed].reason) == 5)
            n_listed++;
    fclose(file);
}

static bool has(const char *message, const char *part)
{
    return strcmp(part, "*") == 0 || strstr(message, part);
}

/* 1 …; 0: not listed */
static int find_listed(const verdict *ours, const verdict *libpqs)
{
    for (int i = 0; i < n_listed; i++)
        if (has(words[ours->end], listed[i].ours) && has(words[libpqs->end], listed[i].libpqs) &&
            has(ours->message, listed[i].our_part) && has(libpqs->message, listed[i].libpqs_part)) {
            listed[i].seen++;
            return i + 1;
        }
    return 0;
}

/* ---- the server ---------------------------------------------------------------------------------------------------------------- */

static void run(tusk_conn *admin, const char *sql)
{
    tusk_error err = {0};

    if (tusk_await_free(tusk_exec(admin, sql, TUSK_NO_PARAMS), &err) != TUSK_OK) {
        fprintf(stderr, "logins: %s: %s\n", sql, err.message);
        exit(2);
    }
}

static bool has_setting(tusk_loop *loop, const char *name, const char *value)
{
    tusk_conn *conn = tusk_connect(loop, getenv("TUSK_TEST_DSN_PLAIN"));
    tusk_query *q = tusk_exec(conn, "select count(*) from pg_settings where name = $1 and setting = $2",
                              TUSK_PARAMS(tusk_text(name), tusk_text(value)));
    bool is_there = tusk_await(q) == TUSK_OK;
    tusk_row row;

    is_there = is_there && tusk_next_row(q, &row) && tusk_get_int8(&row, 0) == 1;
    tusk_query_free(q);
    (void)tusk_await_free(tusk_close(conn), NULL);
    tusk_conn_free(conn);
    return is_there;
}

/* What a backend of now has read is what the server shows from now on. */
static void show_certificate(tusk_loop *loop, tusk_conn *admin, const char *certificate)
{
    char sql[600];

    snprintf(sql, sizeof sql, "alter system set ssl = %s", certificate ? "on" : "off");
    run(admin, sql);
    if (certificate) {
        snprintf(sql, sizeof sql, "alter system set ssl_cert_file = '%s'", file_of(certificate, ".crt"));
        run(admin, sql);
        snprintf(sql, sizeof sql, "alter system set ssl_key_file = '%s'", file_of(certificate, ".key"));
        run(admin, sql);
    }
    run(admin, "select pg_reload_conf()");
    while (!has_setting(loop, "ssl", certificate ? "on" : "off") ||
           (certificate && !has_setting(loop, "ssl_cert_file", file_of(certificate, ".crt"))))
        ;
}

static int server_version(tusk_conn *admin)
{
    tusk_query *q = tusk_exec(admin, "select current_setting('server_version_num')::int4", TUSK_NO_PARAMS);
    tusk_row row;
    int version = 0;

    if (tusk_await(q) == TUSK_OK && tusk_next_row(q, &row))
        version = tusk_get_int4(&row, 0);
    tusk_query_free(q);
    return version;
}

static int libpq_version(void)
{
    size_t len;
    uint32_t version;

    oracle_ask("K", 1);
    memcpy(&version, oracle_answer(&len), sizeof version);
    return (int)version;
}

/* ---- the page ------------------------------------------------------------------------------------------------------------------ */

static struct {
    long n, different, listed;
} counts;

static FILE *page;
static int n_negotiations = N_NEGOTIATIONS;

typedef struct line {
    char cells[N_NEGOTIATIONS * N_MODES][24];
} line;

static void compare_cell(tusk_loop *loop, const struct show *show, const struct client *client, int negotiation,
                         int mode, int binding, char cell[24])
{
    params p = make_params(show, client, negotiation, mode, binding);
    verdict libpqs = ask_libpq(&p), ours = ask_us(loop, &p);
    int number = ours.end == libpqs.end ? 0 : find_listed(&ours, &libpqs);

    counts.n++;
    if (number > 0)
        snprintf(cell, 24, "%s [%d]", words[ours.end], number);
    else
        snprintf(cell, 24, "%s", words[ours.end]);
    counts.listed += number > 0;
    if (ours.end == libpqs.end || number > 0)
        return;
    counts.different++;
    printf("different: %s, %s, sslmode=%s, sslnegotiation=%s, channel_binding=%s\n  we: %s: %s\n  libpq: %s: %s\n",
           show->name, client->name, modes[mode], negotiations[negotiation], bindings[binding], words[ours.end],
           ours.message, words[libpqs.end], libpqs.message);
}

static line compare_line(tusk_loop *loop, const struct show *show, const struct client *client, int binding)
{
    line l = {{{0}}};

    for (int negotiation = 0; negotiation < n_negotiations; negotiation++)
        for (int mode = 0; mode < N_MODES; mode++)
            compare_cell(loop, show, client, negotiation, mode, binding, l.cells[negotiation * N_MODES + mode]);
    return l;
}

static void print_line(const struct client *client, const char *binding, const line *l)
{
    fprintf(page, "| %s | %s |", client->name, binding);
    for (int i = 0; i < n_negotiations * N_MODES; i++)
        if (i < N_MODES || i % N_MODES >= 3)
            fprintf(page, " %s |", l->cells[i]);
    fprintf(page, "\n");
}

static void print_head(const struct show *show)
{
    fprintf(page, "\n## The server shows: %s\n\n| login | channel_binding |", show->name);
    for (int i = 0; i < n_negotiations * N_MODES; i++)
        if (i < N_MODES || i % N_MODES >= 3)
            fprintf(page, " %s%s |", i < N_MODES ? "" : "direct, ", modes[i % N_MODES]);
    fprintf(page, "\n|---|---|");
    for (int i = 0; i < n_negotiations * N_MODES; i++)
        if (i < N_MODES || i % N_MODES >= 3)
            fprintf(page, "---|");
    fprintf(page, "\n");
}

/* Lines that do not differ by channel_binding are one. */
static void compare_client(tusk_loop *loop, const struct show *show, const struct client *client)
{
    line lines[N_BINDINGS];
    char names[64] = "";

    for (int b = 0; b < N_BINDINGS; b++)
        lines[b] = compare_line(loop, show, client, b);
    for (int b = 0; b < N_BINDINGS; b++) {
        size_t len = strlen(names);

        snprintf(names + len, sizeof names - len, "%s%s", len > 0 ? ", " : "", bindings[b]);
        if (b + 1 < N_BINDINGS && memcmp(&lines[b], &lines[b + 1], sizeof lines[0]) == 0)
            continue;
        print_line(client, names, &lines[b]);
        names[0] = '\0';
    }
}

static void print_intro(int server, int libpq)
{
    fprintf(
        page,
        "# Who is let in over what\n"
        "\n"
        "Printed by `make compare-logins`: each login was tried by this driver and by libpq %d.%d, into PostgreSQL "
        "%d.%d. "
        "`host` is the name that the\n"
        "certificate is for, if nothing else is said, and `sslrootcert` its authority's. What is not the same as with "
        "libpq has a number,\n"
        "explained at the end. Direct negotiation with a weaker `sslmode` than `require` is `-conf` everywhere.\n"
        "\n"
        "| cell | |\n"
        "|---|---|\n"
        "| plain | logged in, in the clear |\n"
        "| TLS | logged in over TLS |\n"
        "| TLS+ | the same, tied to the connection (SCRAM-SHA-256-PLUS) |\n"
        "| -conf | refused: what the configuration says, or a file it names, does not do |\n"
        "| -TLS | refused by TLS: there is none, or the certificate is not good enough |\n"
        "| -login | refused by the login, on either side |\n",
        libpq / 10000, libpq % 10000, server / 10000, server % 10000);
}

static void print_listed(void)
{
    fprintf(page, "\n## Where this differs from libpq\n\n| | libpq | cells | why |\n|---|---|---|---|\n");
    for (int i = 0; i < n_listed; i++) {
        fprintf(page, "| %d | %s | %ld | %s |\n", i + 1, strcmp(listed[i].libpqs, "*") ? listed[i].libpqs : "",
                listed[i].seen, listed[i].reason);
        printf("%8ld  we %s, libpq %s: %s\n", listed[i].seen, listed[i].ours, listed[i].libpqs, listed[i].reason);
    }
}

static void compare_all(tusk_loop *loop, tusk_conn *admin)
{
    for (int s = 0; s < N_OF(shows); s++) {
        show_certificate(loop, admin, shows[s].certificate);
        print_head(&shows[s]);
        for (int c = 0; c < N_OF(clients); c++)
            compare_client(loop, &shows[s], &clients[c]);
    }
    show_certificate(loop, admin, "server");
}

int main(int argc, char **argv)
{
    tusk_loop *loop = tusk_loop_new();
    tusk_conn *admin;
    int server, libpq;

    if (argc < 5 || !loop)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    snprintf(tls_folder, sizeof tls_folder, "%s", getenv("TUSK_TEST_TLS"));
    read_listed(argv[3]);
    page = fopen(argv[4], "w");
    if (!page)
        fail(argv[4]);
    oracle_start(argv[1], argv[2]);
    admin = tusk_connect(loop, getenv("TUSK_TEST_DSN_PLAIN"));
    server = server_version(admin);
    libpq = libpq_version();
    if (server < 170000 || libpq < 170000) {
        n_negotiations = 1;
        printf(
            "compare-logins: direct TLS skipped: it takes a server and a libpq of 17 (TUSK_TEST_PGBIN, TUSK_LIBPQ)\n");
    }
    print_intro(server, libpq);
    compare_all(loop, admin);
    print_listed();
    fclose(page);
    (void)tusk_await_free(tusk_close(admin), NULL);
    tusk_conn_free(admin);
    tusk_loop_free(loop);
    printf("logins: %ld, listed differences %ld, different %ld\n", counts.n, counts.listed, counts.different);
    if (libpq < 180000)
        printf("this libpq is older than 18: shown, not judged\n");
    return counts.different == 0 || libpq < 180000 ? 0 : 1;
}
