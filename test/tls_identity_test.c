/* The client certificate: shown when, from which files, with which keys; and what a user hears when that does not work. */
#include <errno.h>
#include <poll.h>
#include <sys/stat.h>

#include "test/tls_world.h"

#define US_PER_S ((int64_t)1000000)
#define PASSWORD "s3cr3t-key"

/* ---- a server that asks ------------------------------------------------------------------------------------------ */

static struct {
    tls_cert client;
    char certificate[64], key[64];
    char shown[64]; /* the common name of what was shown to the server; "" nothing */
    int n_shown;    /* handshakes that the server finished */
    char answer;    /* to SSLRequest */
} fixture;

static void note_client(SSL *ssl)
{
    const X509 *certificate = SSL_get0_peer_certificate(ssl);

    fixture.shown[0] = '\0';
    if (certificate)
        (void)X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, fixture.shown,
                                        sizeof fixture.shown);
    fixture.n_shown++;
}

static void serve(int fd, int n, void *user)
{
    SSL *ssl;
    char buf[256];

    (void)n, (void)user;
    if (!tls_peer_ssl_request(fd) || !tls_peer_write(fd, &fixture.answer, 1) || fixture.answer != 'S')
        return;
    ssl = tls_peer_accept(fd, world.server_ctx);
    if (ssl)
        note_client(ssl);
    while (ssl && SSL_read(ssl, buf, sizeof buf) > 0)
        ;
    SSL_free(ssl);
}

static void write_files(tls_form form, const char *password, unsigned mode)
{
    tls_cert_write(&fixture.client, fixture.certificate);
    tls_key_write(&fixture.client, fixture.key, form, password, mode);
}

static void open_on(const tusk_allocator *allocator)
{
    world_open_on(allocator);
    fixture.client = tls_cert_new(&(tls_cert_spec){.cn = "client", .issuer = &world.authority, .key = TLS_KEY_RSA});
    (void)snprintf(fixture.certificate, sizeof fixture.certificate, "%s/client.crt", world.folder);
    (void)snprintf(fixture.key, sizeof fixture.key, "%s/client.key", world.folder);
    fixture.shown[0] = '\0';
    fixture.n_shown = 0;
    fixture.answer = 'S';
}

static void open_fixture(void)
{
    open_on(NULL);
}

static void close_fixture(void)
{
    (void)unlink(fixture.certificate);
    (void)unlink(fixture.key);
    tls_cert_free(&fixture.client);
    world_close();
}

#define BASE "host=localhost hostaddr=127.0.0.1 port=%u sslmode=%s sslrootcert=%s "

static tusk__settings *settings_with(tls_peer *peer, const char *sslmode, const char *more)
{
    return settings_of(BASE "%s", (unsigned)tls_peer_port(peer), sslmode, world.root_file, more);
}

static const char *files(const char *more)
{
    static char text[256];

    (void)snprintf(text, sizeof text, "sslcert=%s sslkey=%s %s", fixture.certificate, fixture.key, more);
    return text;
}

/* ---- when it is shown -------------------------------------------------------------------------------------------- */

static const struct {
    const char *mode;
    bool asks, has;
    const char *shown, *message;
} modes[] = {
    {"disable", true, true, "", ""},
    {"disable", false, true, "", ""},
    {"allow", true, true, "client", ""},
    {"allow", true, false, "", ""},
    {"allow", false, true, "", ""},
    {"require", true, true, "client", ""},
    {"require", false, true, "", "the server did not ask for a client certificate, as sslcertmode=require wants it to"},
    {"require", true, false, "",
     "sslcertmode=require needs a client certificate, and there is no ~/.postgresql/postgresql.crt"},
};

START_TEST(certificate_is_shown_as_sslcertmode_says)
{
    char more[64];
    tls_peer *peer;
    outcome o;

    if (modes[_i].asks)
        tls_server_ask(world.server_ctx, &world.authority, false);
    if (modes[_i].has)
        write_files(TLS_PEM, NULL, 0600);
    (void)snprintf(more, sizeof more, "sslcertmode=%s", modes[_i].mode);
    peer = tls_peer_start("127.0.0.1", 0, serve, NULL);
    o = dial(settings_with(peer, "verify-full", modes[_i].has ? files(more) : more));
    ck_assert_str_eq(o.err.message, modes[_i].message);
    if (o.err.code != TUSK_OK)
        check_error(&o.err);
    hang_up(&o);
    tls_peer_stop(peer);
    ck_assert_str_eq(fixture.shown, o.err.code == TUSK_OK ? modes[_i].shown : "");
}
END_TEST

/* An Ed25519 or ECDSA key is as good. */
START_TEST(key_may_be_of_any_kind)
{
    static const tls_key kinds[] = {TLS_KEY_EC, TLS_KEY_RSA, TLS_KEY_ED25519};
    tls_peer *peer;
    outcome o;

    tls_cert_free(&fixture.client);
    fixture.client = tls_cert_new(&(tls_cert_spec){.cn = "other", .issuer = &world.authority, .key = kinds[_i]});
    write_files(TLS_PEM, NULL, 0600);
    tls_server_ask(world.server_ctx, &world.authority, true);
    peer = tls_peer_start("127.0.0.1", 0, serve, NULL);
    o = dial(settings_with(peer, "require", files("sslcertmode=require")));
    ck_assert_str_eq(o.err.message, "");
    hang_up(&o);
    tls_peer_stop(peer);
    ck_assert_str_eq(fixture.shown, "other");
}
END_TEST

START_TEST(default_files_are_those_of_the_home_folder)
{
    char folder[48];
    tls_peer *peer;
    outcome o;

    (void)snprintf(folder, sizeof folder, "%s/.postgresql", world.folder);
    (void)snprintf(fixture.certificate, sizeof fixture.certificate, "%s/postgresql.crt", folder);
    (void)snprintf(fixture.key, sizeof fixture.key, "%s/postgresql.key", folder);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    write_files(TLS_PEM, NULL, 0600);
    tls_server_ask(world.server_ctx, &world.authority, true);
    peer = tls_peer_start("127.0.0.1", 0, serve, NULL);
    o = dial(settings_with(peer, "verify-full", ""));
    ck_assert_str_eq(o.err.message, "");
    hang_up(&o);

    ck_assert_int_eq(unlink(fixture.key), 0); /* a certificate without its key is a mistake, not "none" */
    o = dial(settings_with(peer, "require", ""));
    ck_assert_int_eq(o.err.code, TUSK_ERR_CONFIG);
    ck_assert_ptr_nonnull(strstr(o.err.message, "/.postgresql/postgresql.key\" cannot be read: there is no such file"));
    ck_assert_str_eq(o.err.hint, "The key of the client certificate is expected there unless sslkey names it.");
    tls_peer_stop(peer);
    ck_assert_str_eq(fixture.shown, "client");
    ck_assert_int_eq(unlink(fixture.certificate), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

/* What lies in the user's folder is of no concern to a program that wants nothing of its environment. */
START_TEST(without_the_environment_there_are_no_default_files)
{
    static const struct {
        const char *sslmode, *more, *message;
        int n_files; /* that are named: the certificate, its key */
    } rows[] = {
        {"require", "", "", 0},
        {"verify-ca", "", "sslmode=verify-ca needs root certificates, and sslrootcert is not given", 0},
        {"verify-full", "", "sslmode=verify-full needs root certificates, and sslrootcert is not given", 0},
        {"require", "sslcertmode=require", "sslcertmode=require needs a client certificate, and sslcert is not given",
         0},
        {"require", "", "the client certificate needs its key: sslkey is not given", 1},
        {"require", "", "", 2},
    };
    char folder[48], root[64], dsn[256], names[2][80] = {"", ""};
    tls_peer *peer;
    outcome o;

    (void)snprintf(folder, sizeof folder, "%s/.postgresql", world.folder);
    (void)snprintf(root, sizeof root, "%s/root.crt", folder);
    (void)snprintf(fixture.certificate, sizeof fixture.certificate, "%s/postgresql.crt", folder);
    (void)snprintf(fixture.key, sizeof fixture.key, "%s/postgresql.key", folder);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    write_files(TLS_PEM, NULL, 0600);
    tls_cert_write(&world.other_authority, root);
    tls_server_ask(world.server_ctx, &world.authority, false);
    peer = tls_peer_start("127.0.0.1", 0, serve, NULL);
    if (rows[_i].n_files > 0)
        (void)snprintf(names[0], sizeof names[0], "sslcert=%s", fixture.certificate);
    if (rows[_i].n_files > 1)
        (void)snprintf(names[1], sizeof names[1], "sslkey=%s", fixture.key);
    (void)snprintf(dsn, sizeof dsn, "host=localhost hostaddr=127.0.0.1 port=%u sslmode=%s %s %s %s",
                   (unsigned)tls_peer_port(peer), rows[_i].sslmode, rows[_i].more, names[0], names[1]);
    o = dial(settings_from(&(tusk_config){.dsn = dsn, .user = "u", .ignore_environment = true}));
    ck_assert_str_eq(o.err.message, rows[_i].message);
    hang_up(&o);
    tls_peer_stop(peer);
    ck_assert_str_eq(fixture.shown, rows[_i].n_files == 2 ? "client" : "");
    ck_assert_int_eq(unlink(root), 0);
    (void)unlink(fixture.certificate);
    (void)unlink(fixture.key);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

/* TLS 1.3 is done with the handshake before the server has looked at our certificate: it hangs up on what we send then, and why it does
 * has arrived before that. */
START_TEST(refusal_of_our_certificate_is_read_though_nothing_can_be_sent)
{
    struct pollfd p = {.events = POLLIN};
    tusk_error lost = {0}, err = {0};
    tls_peer *peer;
    uint8_t buf[16];
    outcome o;
    size_t n;

    write_files(TLS_PEM, NULL, 0600);
    tls_server_ask(world.server_ctx, &world.other_authority, true);
    peer = tls_peer_start("127.0.0.1", 0, serve, NULL);
    o = dial(settings_with(peer, "verify-full", files("ssl_min_protocol_version=TLSv1.3")));
    ck_assert_str_eq(o.err.message, "");
    p.fd = o.transport->fd;
    ck_assert_int_eq(poll(&p, 1, 20000), 1);
    world.out_left = 0;
    world.cut_with = EPIPE;
    ck_assert_int_eq(o.transport->ops->send(o.transport, "x", 1, &n, &lost), TUSK_ERR_LOST);
    ck_assert_int_eq(o.transport->ops->recv(o.transport, buf, sizeof buf, &n, &err), TUSK_ERR_TLS);
    ck_assert_str_eq(err.message, "the server does not know the authority of our certificate");
    hang_up(&o);
    tls_peer_stop(peer);
}
END_TEST

/* What is no TLS can show nothing: behind 'N', and in allow's first way, which goes on to its second. */
START_TEST(required_certificate_needs_tls)
{
    tls_peer *peer;
    outcome o;

    write_files(TLS_PEM, NULL, 0600);
    tls_server_ask(world.server_ctx, &world.authority, true);
    peer = tls_peer_start("127.0.0.1", 0, serve, NULL);
    o = reach(settings_with(peer, "allow", files("sslcertmode=require")));
    ck_assert_str_eq(o.err.message, "");
    ck_assert_str_eq(tusk__transport_tls_version(o.transport), "TLSv1.3");
    hang_up(&o);
    fixture.answer = 'N';
    o = reach(settings_with(peer, "prefer", files("sslcertmode=require")));
    ck_assert_str_eq(o.err.message, "sslcertmode=require wants a client certificate to be shown, and this is no TLS");
    tls_peer_stop(peer);
}
END_TEST

/* ---- keys and their passwords ------------------------------------------------------------------------------------ */

static struct {
    const char *answer;
    int n;
    tusk__dial *to_cancel;
} asked;

static size_t answer_password(char *buf, size_t size, void *user)
{
    size_t len = strlen(asked.answer);

    ck_assert_ptr_eq(user, &asked);
    ck_assert_uint_le(len, size);
    asked.n++;
    if (asked.to_cancel)
        tusk__dial_cancel(asked.to_cancel);
    memcpy(buf, asked.answer, len);
    return len;
}

static tusk__settings *settings_asking(tls_peer *peer, const char *more)
{
    char dsn[512];
    tusk__settings *settings = NULL;
    tusk_error err = {0};
    tusk_config config = {.dsn = dsn, .user = "u", .on_key_password = answer_password, .user_data = &asked};

    (void)snprintf(dsn, sizeof dsn, BASE "%s", (unsigned)tls_peer_port(peer), "verify-full", world.root_file,
                   files(more));
    ck_assert_msg(tusk__settings_new(tusk__loop_allocator(world.loop), &config, &settings, &err) == TUSK_OK, "%s",
                  err.message);
    return settings;
}

static const struct {
    const char *encrypted_with, *given, *answer; /* NULL: not; answer NULL: nobody is asked */
    int n_asked;
    bool is_ok;
    const char *message; /* behind the path */
} passwords[] = {
    {NULL, NULL, NULL, 0, true, ""},
    {NULL, PASSWORD, PASSWORD, 0, true, ""}, /* not encrypted: not needed */
    {NULL, NULL, PASSWORD, 0, true, ""},
    {PASSWORD, PASSWORD, NULL, 0, true, ""},
    {PASSWORD, PASSWORD, "wrong", 0, true, ""}, /* what is given counts */
    {PASSWORD, NULL, PASSWORD, 1, true, ""},
    {PASSWORD, NULL, NULL, 0, false, "is encrypted, and no password for it was given"},
    {PASSWORD, NULL, "", 1, false, "is encrypted, and no password for it was given"},
    {PASSWORD, "wrong", NULL, 0, false, "is encrypted, and not with the password that was given"},
    {PASSWORD, NULL, "wrong", 1, false, "is encrypted, and not with the password that was given"},
};
enum { N_PASSWORDS = sizeof passwords / sizeof passwords[0] };

START_TEST(encrypted_key_needs_its_password)
{
    tls_form form = (tls_form)(_i / N_PASSWORDS);
    int row = _i % N_PASSWORDS;
    char more[64] = "", message[192] = "";
    tls_peer *peer;
    outcome o;

    write_files(form, passwords[row].encrypted_with, 0600);
    if (passwords[row].given)
        (void)snprintf(more, sizeof more, "sslpassword=%s", passwords[row].given);
    if (passwords[row].message[0])
        (void)snprintf(message, sizeof message, "the client key file \"%s\" %s", fixture.key, passwords[row].message);
    tls_server_ask(world.server_ctx, &world.authority, true);
    asked.answer = passwords[row].answer;
    asked.n = 0;
    asked.to_cancel = NULL;
    peer = tls_peer_start("127.0.0.1", 0, serve, NULL);
    o = dial(asked.answer ? settings_asking(peer, more) : settings_with(peer, "verify-full", files(more)));
    ck_assert_str_eq(o.err.message, message);
    ck_assert_int_eq(o.err.code, passwords[row].is_ok ? TUSK_OK : TUSK_ERR_CONFIG);
    ck_assert_int_eq(asked.n, passwords[row].n_asked);
    ck_assert_ptr_null(strstr(o.err.message, PASSWORD));
    if (!passwords[row].is_ok && !passwords[row].given && !(passwords[row].answer && passwords[row].answer[0]))
        ck_assert_str_eq(o.err.hint, "Give it as sslpassword, or by tusk_config.on_key_password.");
    hang_up(&o);
    tls_peer_stop(peer);
    ck_assert_str_eq(fixture.shown, passwords[row].is_ok ? "client" : "");
}
END_TEST

static int64_t later_us;

static int64_t now_and_later(void *ctx)
{
    return tusk__os_real()->now_us(ctx) + later_us;
}

/* Once for all that wait, not again while the context lives, again when it is built anew. */
START_TEST(password_is_asked_for_once_per_context)
{
    enum { N = 3 };
    tls_peer *peer;
    outcome o[N] = {{0}};
    tusk__settings *settings;
    tusk__route route;

    write_files(TLS_PEM, PASSWORD, 0600);
    asked.answer = PASSWORD;
    asked.n = 0;
    asked.to_cancel = NULL;
    world.os.now_us = now_and_later;
    peer = tls_peer_start("127.0.0.1", 0, serve, NULL);
    settings = settings_asking(peer, "");
    route = first_route(settings);
    for (int i = 0; i < N; i++)
        ck_assert_ptr_nonnull(tusk__dial_start(world.loop, settings, &route, on_dialed, &o[i], NULL));
    for (int i = 0; i < N; i++) {
        while (o[i].n_done == 0)
            world_turn(1.0);
        ck_assert_str_eq(o[i].err.message, "");
        hang_up(&o[i]);
    }
    ck_assert_int_eq(asked.n, 1);
    for (int i = 0; i < 2; i++) {
        later_us = i * 301 * US_PER_S;
        o[0] = dial(tusk__settings_ref(settings));
        ck_assert_str_eq(o[0].err.message, "");
        hang_up(&o[0]);
        ck_assert_int_eq(asked.n, 1 + i);
    }
    later_us = 0;
    tusk__settings_unref(settings);
    tls_peer_stop(peer);
}
END_TEST

/* In the callback everything is allowed: who waits for the key leaves. */
START_TEST(dial_is_canceled_while_the_password_is_asked_for)
{
    tls_peer *peer;
    outcome o = {0};
    tusk__settings *settings;
    tusk__route route;

    write_files(TLS_PEM, PASSWORD, 0600);
    asked.answer = PASSWORD;
    asked.n = 0;
    peer = tls_peer_start("127.0.0.1", 0, serve, NULL);
    settings = settings_asking(peer, "");
    route = first_route(settings);
    asked.to_cancel = tusk__dial_start(world.loop, settings, &route, on_dialed, &o, NULL);
    while (asked.n == 0)
        world_turn(1.0);
    asked.to_cancel = NULL;
    ck_assert_int_eq(o.n_done, 0);
    o = dial(settings); /* and the key is there for the next one */
    ck_assert_str_eq(o.err.message, "");
    hang_up(&o);
    ck_assert_int_eq(asked.n, 1);
    tls_peer_stop(peer);
}
END_TEST

/* ---- d20: who may read the key ----------------------------------------------------------------------------------- */

static const struct {
    unsigned mode;
    bool is_ok, is_ok_for_root;
} permissions[] = {
    {0600, true, true},   {0400, true, true},   {0700, true, true},   {0640, false, true},
    {0440, false, true},  {0660, false, false}, {0650, false, false}, {0644, false, false},
    {0604, false, false}, {0601, false, false}, {0602, false, false}, {0666, false, false},
};

START_TEST(d20_key_must_be_secret)
{
    bool is_roots = _i % 2;
    tls_peer *peer;
    outcome o;
    char message[160];

    if (geteuid() != 0 && is_roots) {
        harness_skip("a key that root owns", "this is not run by root");
        return;
    }
    write_files(TLS_PEM, NULL, permissions[_i / 2].mode);
    if (geteuid() == 0)
        ck_assert_int_eq(chown(fixture.key, is_roots ? 0 : 1, (gid_t)-1), 0);
    peer = tls_peer_start("127.0.0.1", 0, serve, NULL);
    o = dial(settings_with(peer, "verify-full", files("")));
    if (is_roots ? permissions[_i / 2].is_ok_for_root : permissions[_i / 2].is_ok) {
        ck_assert_str_eq(o.err.message, "");
    } else {
        (void)snprintf(message, sizeof message, "the client key file \"%s\" is open to its group or to others",
                       fixture.key);
        ck_assert_str_eq(o.err.message, message);
        ck_assert_str_eq(o.err.hint, "Its permissions should be 0600 or less, or 0640 or less if root owns it.");
        check_error(&o.err);
        ck_assert_int_eq(tls_peer_connections(peer), 0);
    }
    hang_up(&o);
    tls_peer_stop(peer);
}
END_TEST

/* ---- files that will not do -------------------------------------------------------------------------------------- */

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    ck_assert(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
    ck_assert_int_eq(chmod(path, 0600), 0);
}

static const struct {
    const char *certificate,
        *key; /* a text; NULL: absent; "=": as it should be; "/": a folder; "other": of somebody else */
    const char *what, *message; /* in front of the path, and behind it */
} bad_files[] = {
    {NULL, "=", "certificate file", "does not exist"},
    {"no certificate\n", "=", "certificate file", "holds no usable certificate"},
    {"", "=", "certificate file", "holds no usable certificate"},
    {"/", "=", "certificate file", "holds no usable certificate"},
    {"=", NULL, "key file", "cannot be read: there is no such file"},
    {"=", "no key\n", "key file", "holds no usable key"},
    {"=", "", "key file", "holds no usable key"},
    {"=", "/", "key file", "is not a plain file"},
    {"=", "other", "key in", "is not that of the client certificate"},
};

static void make_bad(const char *path, const char *what)
{
    if (!what)
        (void)unlink(path);
    else if (strcmp(what, "/") == 0)
        ck_assert(unlink(path) == 0 && mkdir(path, 0700) == 0);
    else if (strcmp(what, "other") == 0)
        tls_key_write(&world.server, path, TLS_PEM, NULL, 0600);
    else if (strcmp(what, "=") != 0)
        write_text(path, what);
}

START_TEST(bad_file_is_named)
{
    bool is_certificate = !bad_files[_i].certificate || strcmp(bad_files[_i].certificate, "=") != 0;
    char message[192];
    tls_peer *peer;
    outcome o;

    write_files(TLS_PEM, NULL, 0600);
    make_bad(fixture.certificate, bad_files[_i].certificate);
    make_bad(fixture.key, bad_files[_i].key);
    peer = tls_peer_start("127.0.0.1", 0, serve, NULL);
    o = dial(settings_with(peer, "prefer", files("")));
    check_error(&o.err);
    ck_assert_int_eq(o.err.code, TUSK_ERR_CONFIG);
    (void)snprintf(message, sizeof message, "the client %s \"%s\" %s", bad_files[_i].what,
                   is_certificate ? fixture.certificate : fixture.key, bad_files[_i].message);
    ck_assert_str_eq(o.err.message, message);
    ck_assert_ptr_nonnull(strstr(o.err.where, ": tls files"));
    ck_assert_str_eq(o.err.hint, "");
    ck_assert_int_eq(o.err.os, strstr(message, "cannot be read") ? ENOENT : 0);
    ck_assert_int_eq(tls_peer_connections(peer), 0);
    tls_peer_stop(peer);
    (void)rmdir(fixture.certificate);
    (void)rmdir(fixture.key);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* Sizes in front of the blocks, so that what is given back can be searched for the password. */
typedef union head {
    size_t size;
    max_align_t align;
} head;

static atomic_int n_searched;

static void *searched_malloc(size_t size, void *user)
{
    head *h = calloc(1, sizeof *h + size); /* what nobody wrote is searched, too */

    (void)user;
    ck_assert_ptr_nonnull(h);
    h->size = size;
    return h + 1;
}

static void searched_free(void *p, void *user)
{
    head *h;

    (void)user;
    if (!p)
        return;
    h = (head *)p - 1;
    ck_assert_msg(memmem(p, h->size, PASSWORD, strlen(PASSWORD)) == NULL, "the password is left in freed memory");
    n_searched++;
    free(h);
}

static void *searched_realloc(void *p, size_t size, void *user)
{
    void *bigger = searched_malloc(size, user);

    if (p)
        memcpy(bigger, p, ((head *)p - 1)->size < size ? ((head *)p - 1)->size : size);
    searched_free(p, user);
    return bigger;
}

static void open_searched(void)
{
    static const tusk_allocator allocator = {searched_malloc, searched_realloc, searched_free, NULL};

    open_on(&allocator);
}

START_TEST(password_of_the_key_is_wiped)
{
    tls_peer *peer;
    outcome o;

    write_files(TLS_PEM, PASSWORD, 0600);
    asked.answer = PASSWORD;
    asked.to_cancel = NULL;
    peer = tls_peer_start("127.0.0.1", 0, serve, NULL);
    o = dial(_i ? settings_asking(peer, "") : settings_with(peer, "verify-full", files("sslpassword=" PASSWORD)));
    ck_assert_str_eq(o.err.message, "");
    hang_up(&o);
    tls_peer_stop(peer);
    tusk_loop_free(world.loop);
    ck_assert_int_gt(n_searched, 3);
    world.loop = tusk__loop_open_on(&world.os, NULL, NULL);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *s = suite_create("tls_identity");
    TCase *t = tcase_create("tls_identity");

    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, open_fixture, close_fixture);
    tcase_add_loop_test(t, certificate_is_shown_as_sslcertmode_says, 0, (int)(sizeof modes / sizeof modes[0]));
    tcase_add_loop_test(t, key_may_be_of_any_kind, 0, 3);
    tcase_add_test(t, default_files_are_those_of_the_home_folder);
    tcase_add_loop_test(t, without_the_environment_there_are_no_default_files, 0, 6);
    tcase_add_loop_test(t, without_the_environment_there_are_no_default_files, 0, 6);
    tcase_add_test(t, refusal_of_our_certificate_is_read_though_nothing_can_be_sent);
    tcase_add_test(t, required_certificate_needs_tls);
    tcase_add_loop_test(t, encrypted_key_needs_its_password, 0, TLS_N_FORMS * N_PASSWORDS);
    tcase_add_test(t, password_is_asked_for_once_per_context);
    tcase_add_test(t, dial_is_canceled_while_the_password_is_asked_for);
    tcase_add_loop_test(t, d20_key_must_be_secret, 0, 2 * (int)(sizeof permissions / sizeof permissions[0]));
    tcase_add_loop_test(t, bad_file_is_named, 0, (int)(sizeof bad_files / sizeof bad_files[0]));
    suite_add_tcase(s, t);

    t = tcase_create("memory");
    tcase_add_checked_fixture(t, open_searched, close_fixture);
    tcase_add_loop_test(t, password_of_the_key_is_wiped, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
