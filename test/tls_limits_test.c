/* What narrows a TLS connection down, or tells about it: revocation lists, versions, the name in the clear, the log of keys. */
#include <sys/stat.h>

#include "test/tls_world.h"

/* ---- a server that looks at who comes ---------------------------------------------------------------------------- */

static struct {
    tls_cert intermediate, leaf; /* of world.authority; leaf is the intermediate's */
    char crl[64], folder[64], log[64];
    char sni[64];
    char client_random[2 * 32 + 1];
    char version[16];
} fixture;

static void look(SSL *ssl)
{
    const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    unsigned char bytes[32];

    (void)snprintf(fixture.sni, sizeof fixture.sni, "%s", sni ? sni : "");
    (void)snprintf(fixture.version, sizeof fixture.version, "%s", SSL_get_version(ssl));
    ck_assert_uint_eq(SSL_get_client_random(ssl, bytes, sizeof bytes), sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        (void)snprintf(fixture.client_random + 2 * i, 3, "%02x", bytes[i]);
}

static void serve(int fd, int n, void *user)
{
    SSL *ssl;
    char buf[256];

    (void)n, (void)user;
    if (!tls_peer_ssl_request(fd) || !tls_peer_write(fd, "S", 1))
        return;
    ssl = tls_peer_accept(fd, world.server_ctx);
    if (ssl)
        look(ssl);
    while (ssl && SSL_read(ssl, buf, sizeof buf) > 0)
        ;
    SSL_free(ssl);
}

static void open_fixture(void)
{
    world_open();
    fixture.intermediate =
        tls_cert_new(&(tls_cert_spec){.cn = "Below the authority", .is_authority = true, .issuer = &world.authority});
    fixture.leaf = tls_cert_new(&(tls_cert_spec){.names = {TLS_DNS("localhost")}, .issuer = &fixture.intermediate});
    (void)snprintf(fixture.crl, sizeof fixture.crl, "%s/list.crl", world.folder);
    (void)snprintf(fixture.folder, sizeof fixture.folder, "%s/lists", world.folder);
    (void)snprintf(fixture.log, sizeof fixture.log, "%s/keys", world.folder);
    ck_assert_int_eq(mkdir(fixture.folder, 0700), 0);
    fixture.sni[0] = fixture.client_random[0] = '\0';
}

static void close_fixture(void)
{
    (void)unlink(fixture.crl);
    (void)unlink(fixture.log);
    ck_assert_int_eq(rmdir(fixture.folder), 0);
    tls_cert_free(&fixture.intermediate);
    tls_cert_free(&fixture.leaf);
    world_close();
}

#define BASE "host=localhost hostaddr=127.0.0.1 port=%u sslmode=%s sslrootcert=%s "

static outcome dial_with(const char *sslmode, const char *more)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, serve, NULL);
    outcome o = dial(settings_of(BASE "%s", (unsigned)tls_peer_port(peer), sslmode, world.root_file, more));

    hang_up(&o);
    tls_peer_stop(peer);
    return o;
}

/* ---- revocation lists -------------------------------------------------------------------------------------------- */

typedef enum who { NOBODY, THE_SERVER, THE_INTERMEDIATE } who;
enum { NO_LIST = -1 };

#define NO_CRL "there is no revocation list of an authority in the server's chain"
#define REHASH                                                                                                         \
    "Each authority of the chain needs a list: in the file sslcrl, or in the folder sslcrldir under its hash "         \
    "(openssl "                                                                                                        \
    "rehash)."
#define REVOKED "the server's certificate has been revoked"

/* The server's certificate is the authority's own, or the intermediate's. */
static const struct {
    const char *name;
    bool has_chain;
    int of_authority, of_intermediate; /* whom the lists revoke; NO_LIST */
    bool by_another;                   /* key; the authority's list */
    long starts_days, ends_days;
    const char *message;
} lists[] = {
    {"nobody", false, NOBODY, NO_LIST, false, 0, 0, ""},
    {"server", false, THE_SERVER, NO_LIST, false, 0, 0, REVOKED},
    {"no list of it", false, NO_LIST, NOBODY, false, 0, 0, NO_CRL},
    {"expired", false, NOBODY, NO_LIST, false, -9, -1, "a revocation list has expired"},
    {"early", false, NOBODY, NO_LIST, false, 1, 9, "a revocation list is not valid yet"},
    {"forged", false, NOBODY, NO_LIST, true, 0, 0, "the signature of a revocation list is wrong"},
    {"chain", true, NOBODY, NOBODY, false, 0, 0, ""},
    {"leaf of chain", true, NOBODY, THE_SERVER, false, 0, 0, REVOKED},
    {"middle of chain", true, THE_INTERMEDIATE, NOBODY, false, 0, 0, REVOKED},
    {"list of leaf alone", true, NO_LIST, NOBODY, false, 0, 0, NO_CRL},
    {"list of middle alone", true, NOBODY, NO_LIST, false, 0, 0, NO_CRL},
};
enum { N_LISTS = sizeof lists / sizeof lists[0], IN_FILE = 0, IN_FOLDER, IN_BOTH, N_PLACES };

static void list_path(const tls_cert *issuer, bool in_folder, char path[128])
{
    if (in_folder)
        (void)snprintf(path, 128, "%s/%08lx.r0", fixture.folder, X509_subject_name_hash(issuer->x509));
    else
        (void)snprintf(path, 128, "%s", fixture.crl);
}

static void put_list(const tls_cert *issuer, int whom, const tls_cert *server, int row, bool in_folder, char path[128])
{
    const tls_cert *revoked[] = {NULL, server, &fixture.intermediate};
    bool is_forged = lists[row].by_another && issuer == &world.authority;

    list_path(issuer, in_folder, path);
    if (whom != NO_LIST)
        tls_crl_append(&(tls_crl_spec){.issuer = issuer,
                                       .key_of = is_forged ? &world.other_authority : NULL,
                                       .revoked = revoked[whom],
                                       .starts_days = lists[row].starts_days,
                                       .ends_days = lists[row].ends_days},
                       path);
}

static void show_chain(void)
{
    ck_assert_int_eq(SSL_CTX_use_certificate(world.server_ctx, fixture.leaf.x509), 1);
    ck_assert_int_eq(SSL_CTX_use_PrivateKey(world.server_ctx, fixture.leaf.key), 1);
    ck_assert_int_eq(SSL_CTX_add1_chain_cert(world.server_ctx, fixture.intermediate.x509), 1);
}

START_TEST(revoked_certificate_is_refused)
{
    int row = _i / N_PLACES, place = _i % N_PLACES;
    const tls_cert *server = lists[row].has_chain ? &fixture.leaf : &world.server;
    char paths[2][128], more[192] = "";
    outcome o;

    put_list(&world.authority, lists[row].of_authority, server, row, place != IN_FILE, paths[0]);
    put_list(&fixture.intermediate, lists[row].of_intermediate, server, row, place == IN_FOLDER, paths[1]);
    if (place != IN_FOLDER && access(fixture.crl, R_OK) == 0)
        (void)snprintf(more, sizeof more, "sslcrl=%s ", fixture.crl);
    if (place != IN_FILE)
        (void)snprintf(more + strlen(more), sizeof more - strlen(more), "sslcrldir=%s", fixture.folder);
    if (lists[row].has_chain)
        show_chain();
    o = dial_with("verify-full", more);
    (void)unlink(paths[0]);
    (void)unlink(paths[1]);
    ck_assert_msg(strcmp(o.err.message, lists[row].message) == 0, "%s, %d: %s", lists[row].name, place, o.err.message);
    ck_assert_int_eq(o.err.code, lists[row].message[0] ? TUSK_ERR_TLS : TUSK_OK);
    if (o.err.code != TUSK_OK)
        ck_assert_str_eq(o.err.hint, strcmp(lists[row].message, NO_CRL) == 0 ? REHASH : "");
}
END_TEST

START_TEST(default_list_is_that_of_the_home_folder)
{
    char folder[48], list[64];
    outcome o;

    (void)snprintf(folder, sizeof folder, "%s/.postgresql", world.folder);
    (void)snprintf(list, sizeof list, "%s/root.crl", folder);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    tls_crl_append(&(tls_crl_spec){.issuer = &world.authority, .revoked = &world.server}, list);
    o = dial_with("verify-ca", "");
    ck_assert_str_eq(o.err.message, REVOKED);

    (void)setenv("SSL_CERT_FILE", world.root_file, 1); /* of the system's authorities it would have to know all */
    o = dial_with("verify-full", "sslrootcert=system");
    (void)unsetenv("SSL_CERT_FILE");
    ck_assert_str_eq(o.err.message, "");

    tls_crl_append(&(tls_crl_spec){.issuer = &world.authority}, fixture.crl);
    o = dial_with("verify-ca", "sslcrl=/nowhere"); /* what is given stands instead of it */
    ck_assert_str_eq(o.err.message, "the revocation list file \"/nowhere\" cannot be read: there is no such file");
    (void)unlink(list);
    (void)rmdir(folder);
}
END_TEST

/* Where nothing is verified, a list changes nothing: as in libpq. */
START_TEST(list_without_roots_does_not_count)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, serve, NULL);
    outcome o;

    tls_crl_append(&(tls_crl_spec){.issuer = &world.authority, .revoked = &world.server}, fixture.crl);
    o = dial(settings_of("host=localhost hostaddr=127.0.0.1 port=%u sslmode=require sslcrl=%s",
                         (unsigned)tls_peer_port(peer), fixture.crl));
    ck_assert_str_eq(o.err.message, "");
    hang_up(&o);
    tls_peer_stop(peer);
}
END_TEST

START_TEST(list_that_is_none_is_named)
{
    char message[192], more[128];
    FILE *file = fopen(fixture.crl, "w");
    outcome o;

    ck_assert(file != NULL && fputs("no list\n", file) >= 0 && fclose(file) == 0);
    (void)snprintf(more, sizeof more, "sslcrl=%s", fixture.crl);
    (void)snprintf(message, sizeof message, "the revocation list file \"%s\" holds no usable list", fixture.crl);
    o = dial_with("verify-full", more);
    check_error(&o.err);
    ck_assert_int_eq(o.err.code, TUSK_ERR_CONFIG);
    ck_assert_str_eq(o.err.message, message);
    o = dial_with("verify-full", "sslcrldir=/no/where");
    check_error(&o.err);
    ck_assert_str_eq(o.err.message,
                     "the folder of revocation lists \"/no/where\" cannot be read: there is no such file");
}
END_TEST

/* Not a name that OpenSSL would look for: no list. */
START_TEST(folder_is_read_by_hashes)
{
    static const char *const names[] = {"list.crl", "ghijklmn.r0", "%08lx.0", "%08lx.r", "%08lx.r0x", "%08lx.R0"};
    char path[128], more[128];
    unsigned long hash = X509_subject_name_hash(world.authority.x509);
    char name[32];
    outcome o;

    if (strchr(names[_i], '%'))
        (void)snprintf(name, sizeof name, "%08lx%s", hash, names[_i] + 5);
    else
        (void)snprintf(name, sizeof name, "%s", names[_i]);
    (void)snprintf(path, sizeof path, "%s/%s", fixture.folder, name);
    (void)snprintf(more, sizeof more, "sslcrldir=%s", fixture.folder);
    tls_crl_append(&(tls_crl_spec){.issuer = &world.authority}, path);
    o = dial_with("verify-full", more);
    (void)unlink(path);
    ck_assert_str_eq(o.err.message, NO_CRL);
    ck_assert_str_eq(o.err.hint, REHASH);
}
END_TEST

/* ---- versions ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *limits;
    int server_min, server_max;
    const char *version; /* "": it fails */
} versions[] = {
    {"", 0, 0, "TLSv1.3"},
    {"ssl_max_protocol_version=TLSv1.2", 0, 0, "TLSv1.2"},
    {"ssl_max_protocol_version=tlsv1.3", 0, 0, "TLSv1.3"},
    {"ssl_max_protocol_version=''", 0, 0, "TLSv1.3"},
    {"ssl_min_protocol_version=TLSv1.3", 0, 0, "TLSv1.3"},
    {"ssl_min_protocol_version=TLSv1.2 ssl_max_protocol_version=TLSv1.2", 0, 0, "TLSv1.2"},
    {"", 0, TLS1_2_VERSION, "TLSv1.2"},
    {"ssl_min_protocol_version=TLSv1.3", 0, TLS1_2_VERSION, ""},
    {"ssl_max_protocol_version=TLSv1.2", TLS1_3_VERSION, 0, ""},
};

START_TEST(version_is_within_the_limits)
{
    outcome o;

    if (versions[_i].server_min)
        ck_assert_int_eq(SSL_CTX_set_min_proto_version(world.server_ctx, versions[_i].server_min), 1);
    if (versions[_i].server_max)
        ck_assert_int_eq(SSL_CTX_set_max_proto_version(world.server_ctx, versions[_i].server_max), 1);
    fixture.version[0] = '\0';
    o = dial_with("verify-full", versions[_i].limits);
    ck_assert_msg((o.err.code == TUSK_OK) == (versions[_i].version[0] != '\0'), "%s", o.err.message);
    ck_assert_str_eq(fixture.version, versions[_i].version);
    if (o.err.code != TUSK_OK) {
        check_error(&o.err);
        ck_assert_int_eq(o.err.code, TUSK_ERR_TLS);
        ck_assert_str_eq(o.err.message, "the server refuses this version of TLS");
    }
}
END_TEST

/* ---- the name in the clear --------------------------------------------------------------------------------------- */

START_TEST(name_is_sent_unless_sslsni_is_0)
{
    static const struct {
        const char *host, *more, *sni;
    } cases[] = {
        {"localhost", "", "localhost"}, {"localhost", "sslsni=1", "localhost"},
        {"localhost", "sslsni=0", ""},  {"127.0.0.1", "sslsni=1", ""},
        {"::1", "sslsni=1", ""},
    };
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, serve, NULL);
    outcome o = dial(settings_of("host=%s hostaddr=127.0.0.1 port=%u sslmode=require %s", cases[_i].host,
                                 (unsigned)tls_peer_port(peer), cases[_i].more));

    ck_assert_str_eq(o.err.message, "");
    hang_up(&o);
    tls_peer_stop(peer);
    ck_assert_str_eq(fixture.sni, cases[_i].sni);
}
END_TEST

/* ---- the key log ------------------------------------------------------------------------------------------------- */

static size_t read_log(char *text, size_t size)
{
    FILE *file = fopen(fixture.log, "r");
    size_t len = file ? fread(text, 1, size - 1, file) : 0;

    text[len] = '\0';
    if (file)
        fclose(file);
    return len;
}

static outcome dial_logging(const char *field)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, serve, NULL);
    char dsn[256];
    tusk_config config = {.dsn = dsn, .user = "u", .sslkeylogfile = field};
    tusk__settings *settings = NULL;
    tusk_error err = {0};
    outcome o;

    (void)snprintf(dsn, sizeof dsn, BASE, (unsigned)tls_peer_port(peer), "verify-full", world.root_file);
    ck_assert_msg(tusk__settings_new(tusk__loop_allocator(world.loop), &config, &settings, &err) == TUSK_OK, "%s",
                  err.message);
    o = dial(settings);
    hang_up(&o);
    tls_peer_stop(peer);
    return o;
}

/* Named by the program, or by the variable; the program wins. */
START_TEST(d20_keys_are_logged_where_the_program_says)
{
    static const char *const kinds[] = {"CLIENT_HANDSHAKE_TRAFFIC_SECRET ", "SERVER_HANDSHAKE_TRAFFIC_SECRET ",
                                        "CLIENT_TRAFFIC_SECRET_0 ", "SERVER_TRAFFIC_SECRET_0 "};
    char text[8192], line[256];
    struct stat status;
    outcome o;

    tls_crl_append(&(tls_crl_spec){.issuer = &world.authority}, fixture.log); /* what is there already stays */
    ck_assert_int_eq(chmod(fixture.log, 0600), 0);
    if (_i == 0)
        (void)unlink(fixture.log);
    (void)setenv("SSLKEYLOGFILE", _i == 0 ? "/nowhere/at/all" : fixture.log, 1);
    for (int i = 0; i < 2; i++) { /* the second is appended to the first */
        o = dial_logging(_i == 0 ? fixture.log : NULL);
        ck_assert_str_eq(o.err.message, "");
        ck_assert_uint_gt(read_log(text, sizeof text), 0);
        for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
            (void)snprintf(line, sizeof line, "%s%s ", kinds[k], fixture.client_random);
            ck_assert_msg(strstr(text, line) != NULL, "no %s in %s", line, text);
        }
    }
    (void)unsetenv("SSLKEYLOGFILE");
    ck_assert_int_eq(strncmp(text, "-----BEGIN X509 CRL-----", 24) == 0, _i == 1);
    ck_assert_int_eq(stat(fixture.log, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0600);
    ck_assert_int_eq(text[strlen(text) - 1], '\n');
}
END_TEST

START_TEST(keys_are_not_logged_unasked)
{
    outcome o = dial_logging(NULL);

    ck_assert_str_eq(o.err.message, "");
    ck_assert_int_ne(access(fixture.log, F_OK), 0);
}
END_TEST

START_TEST(key_log_that_cannot_be_opened_is_named)
{
    outcome o = dial_logging("/nowhere/at/all");

    check_error(&o.err);
    ck_assert_int_eq(o.err.code, TUSK_ERR_CONFIG);
    ck_assert_str_eq(o.err.message, "the key log file \"/nowhere/at/all\" cannot be opened");
    ck_assert_int_eq(o.err.os, ENOENT);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *s = suite_create("tls_limits");
    TCase *t = tcase_create("tls_limits");

    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, open_fixture, close_fixture);
    tcase_add_loop_test(t, revoked_certificate_is_refused, 0, N_LISTS * N_PLACES);
    tcase_add_test(t, default_list_is_that_of_the_home_folder);
    tcase_add_test(t, list_without_roots_does_not_count);
    tcase_add_test(t, list_that_is_none_is_named);
    tcase_add_loop_test(t, folder_is_read_by_hashes, 0, 6);
    tcase_add_loop_test(t, version_is_within_the_limits, 0, (int)(sizeof versions / sizeof versions[0]));
    tcase_add_loop_test(t, name_is_sent_unless_sslsni_is_0, 0, 5);
    tcase_add_loop_test(t, d20_keys_are_logged_where_the_program_says, 0, 2);
    tcase_add_test(t, keys_are_not_logged_unasked);
    tcase_add_test(t, key_log_that_cannot_be_opened_is_named);
    suite_add_tcase(s, t);
    return s;
}
