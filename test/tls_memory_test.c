/* OpenSSL's own memory: what a query costs of it, and that its failure never skips a check. Its allocator can be replaced only
 * before its first call, hence a program of its own.
 * The server's half runs in this thread, too, between our steps; only ours are counted and made to fail. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "lib/tls.h"
#include "test/harness/harness.h"
#include "test/harness/tls_peer.h"

/* ---- the allocator ----------------------------------------------------------------------------------------------- */

static struct {
    bool is_ours; /* the present step counts */
    long n, fail_at, n_ours;
} memory;

static bool may_allocate(void)
{
    return !memory.is_ours || memory.n++ != memory.fail_at;
}

static void *counted_malloc(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return may_allocate() ? malloc(size) : NULL;
}

static void *counted_realloc(void *ptr, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return may_allocate() ? realloc(ptr, size) : NULL;
}

static void counted_free(void *ptr, const char *file, int line)
{
    (void)file, (void)line;
    free(ptr);
}

static void *our_malloc(size_t size, void *user)
{
    (void)user;
    memory.n_ours++;
    return malloc(size);
}

static void *our_realloc(void *ptr, size_t size, void *user)
{
    (void)user;
    memory.n_ours++;
    return realloc(ptr, size);
}

static void our_free(void *ptr, void *user)
{
    (void)user;
    free(ptr);
}

/* ---- both halves ------------------------------------------------------------------------------------------------- */

static struct {
    tusk_loop *loop;
    tls_cert authority, server;
    SSL_CTX *server_ctx;
    char root_file[32];
} fixture;

static void open_fixture(void)
{
    static const tusk_allocator allocator = {our_malloc, our_realloc, our_free, NULL};
    int fd;

    memset(&memory, 0, sizeof memory);
    memory.fail_at = -1;
    fixture.authority = tls_cert_new(&(tls_cert_spec){.cn = "Test authority", .is_authority = true});
    fixture.server =
        tls_cert_new(&(tls_cert_spec){.cn = "x", .names = {TLS_DNS("db.test")}, .issuer = &fixture.authority});
    fixture.server_ctx = tls_server_new(&fixture.server);
    (void)snprintf(fixture.root_file, sizeof fixture.root_file, "/tmp/tusk-root-XXXXXX");
    fd = mkstemp(fixture.root_file);
    ck_assert_int_ge(fd, 0);
    close(fd);
    tls_cert_write(&fixture.authority, fixture.root_file);
    fixture.loop = tusk_loop_open(&(tusk_loop_config){.allocator = &allocator}, NULL);
    ck_assert_ptr_nonnull(fixture.loop);
}

static void close_fixture(void)
{
    tusk_loop_free(fixture.loop);
    SSL_CTX_free(fixture.server_ctx);
    tls_cert_free(&fixture.authority);
    tls_cert_free(&fixture.server);
    (void)unlink(fixture.root_file);
}

typedef struct pair {
    tusk__tls_context *context;
    tusk__transport *t;
    SSL *server;
    int server_fd;
} pair;

static void ours(bool is_ours)
{
    memory.is_ours = is_ours;
}

static void close_pair(pair *p, int client_fd)
{
    if (p->t)
        p->t->ops->close(p->t);
    else
        close(client_fd);
    tusk__tls_context_unref(p->context);
    SSL_free(p->server);
    close(p->server_fd);
}

static void server_step(pair *p)
{
    ours(false);
    (void)SSL_do_handshake(p->server);
    ERR_clear_error();
    ours(true);
}

/* A context, a transport and the whole handshake, the allocations of our half counted. */
static tusk_code connect_pair(pair *p, const char *host, tusk_error *err)
{
    const tusk__tls_policy policy = {.verify = TUSK__TLS_VERIFY_HOST, .rootcert = tusk_str_of(fixture.root_file)};
    int fds[2];
    tusk_code code;

    *p = (pair){.server_fd = -1};
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    p->server_fd = fds[1];
    p->server = SSL_new(fixture.server_ctx);
    SSL_set_bio(p->server, BIO_new_socket(fds[1], BIO_NOCLOSE), NULL);
    SSL_set0_wbio(p->server, BIO_new_socket(fds[1], BIO_NOCLOSE));
    SSL_set_accept_state(p->server);

    ours(true);
    code = tusk__tls_context_new(tusk__loop_allocator(fixture.loop), &policy, &p->context, err);
    if (code == TUSK_OK)
        code = tusk__tls_new(fixture.loop, fds[0], p->context, tusk_str_of(host), &p->t, err);
    for (int i = 0; code == TUSK_OK || code == TUSK_AGAIN; i++) {
        code = tusk__tls_handshake(p->t, err);
        if (code != TUSK_AGAIN)
            break;
        ck_assert_int_lt(i, 100);
        server_step(p);
    }
    ours(false);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    if (code != TUSK_OK) {
        close_pair(p, fds[0]);
        *p = (pair){.server_fd = -1};
    }
    return code;
}

/* ---- failures ---------------------------------------------------------------------------------------------------- */

static long allocations_of_a_connect(void)
{
    tusk_error err = {0};
    pair p;
    long n;

    ck_assert_msg(connect_pair(&p, "db.test", &err) == TUSK_OK, "%s", err.message); /* tables that are filled once */
    close_pair(&p, -1);
    memory.n = 0;
    ck_assert_int_eq(connect_pair(&p, "db.test", NULL), TUSK_OK);
    n = memory.n;
    close_pair(&p, -1);
    return n;
}

/* The wrong name: whatever allocation fails, the certificate is not taken for good. The right one: taken, or a clean error. */
START_TEST(failing_allocation_skips_no_check)
{
    static const char *const hosts[] = {"wrong.test", "db.test"};
    long n = allocations_of_a_connect(), stride = harness_number("TUSK_TLS_CUT_STRIDE", 17), n_nomem = 0;

    for (long at = 0; at < n; at += stride) {
        tusk_error err = {0};
        pair p;
        tusk_code code;
        memory.n = 0;
        memory.fail_at = at;
        code = connect_pair(&p, hosts[_i], &err);
        memory.fail_at = -1;
        if (code == TUSK_OK) {
            ck_assert_msg(_i == 1, "allocation %ld of %ld: the name was not checked", at, n);
            close_pair(&p, -1);
        } else {
            ck_assert_msg(code == TUSK_ERR_NOMEM || code == TUSK_ERR_TLS || code == TUSK_ERR_CONFIG, "%ld: %s", at,
                          err.message);
            ck_assert_msg(err.message[0] != '\0' && err.sqlstate[0] != '\0', "%ld", at);
            n_nomem += code == TUSK_ERR_NOMEM;
        }
    }
    ck_assert_int_gt(n_nomem, 0);
}
END_TEST

/* "None is defined" would turn channel binding off: that is not what a lack of memory may say. */
START_TEST(failing_allocation_gives_no_empty_hash)
{
    long n;

    memory.n = 0;
    for (n = 0;; n++) {
        tls_cert cert = tls_cert_new(&(tls_cert_spec){.cn = "x"});
        uint8_t hash[64];
        size_t len;
        tusk_code code;
        memory.n = 0;
        memory.fail_at = n;
        ours(true);
        code = tusk__tls_certificate_hash(cert.x509, hash, &len, NULL);
        ours(false);
        memory.fail_at = -1;
        tls_cert_free(&cert);
        ck_assert(code != TUSK_OK || len == 32);
        if (memory.n <= n)
            break;
    }
    ck_assert_int_gt(n, 0);
}
END_TEST

/* Likewise for the names. OpenSSL does not always say why it cannot read one (3.5), and does without some memory. */
START_TEST(failing_allocation_matches_no_name)
{
    long n, n_told = 0;

    for (n = 0;; n++) {
        tls_cert cert = tls_cert_new(&(tls_cert_spec){.cn = "db.test", .names = {TLS_DNS("wrong.test")}});
        tusk_code code;
        memory.n = 0;
        memory.fail_at = n;
        ours(true);
        code = tusk__tls_check_host(cert.x509, tusk_str_of("db.test"), NULL);
        ours(false);
        memory.fail_at = -1;
        tls_cert_free(&cert);
        ck_assert(code == TUSK_ERR_TLS || (code == TUSK_ERR_NOMEM && memory.n > n));
        n_told += code == TUSK_ERR_NOMEM;
        if (memory.n <= n)
            break;
    }
    ck_assert_int_gt(n_told, 0);
}
END_TEST

/* ---- what a query costs ------------------------------------------------------------------------------------------ */

static void query(pair *p)
{
    char buf[600] = {0};
    size_t n;

    ours(true);
    ck_assert_int_eq(p->t->ops->send(p->t, buf, 100, &n, NULL), TUSK_OK);
    ours(false);
    ck_assert_int_eq(SSL_read(p->server, buf, sizeof buf), 100);
    ck_assert_int_eq(SSL_write(p->server, buf, 600), 600);
    ours(true);
    ck_assert_int_eq(p->t->ops->recv(p->t, buf, sizeof buf, &n, NULL), TUSK_OK);
    ours(false);
    ck_assert_uint_eq(n, 600);
}

/* None of ours. OpenSSL 3.0 makes six: the buffer of the record it writes and of the one it reads, which are released when
 * idle, and four of 40 bytes for its packet writer. Another version may need a few more; per byte or per row it is none. */
START_TEST(warm_query_allocates_little_and_nothing_of_ours)
{
    pair p;

    ck_assert_int_eq(connect_pair(&p, "db.test", NULL), TUSK_OK);
    for (int i = 0; i < 10; i++)
        query(&p);
    memory.n = memory.n_ours = 0;
    for (int i = 0; i < 1000; i++)
        query(&p);
    ck_assert_int_eq(memory.n_ours, 0);
    ck_assert_msg(memory.n <= 12 * 1000, "%ld allocations of OpenSSL in 1000 queries", memory.n);
    close_pair(&p, -1);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *s = suite_create("tls_memory");
    TCase *t = tcase_create("memory");

    if (CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free) != 1)
        return NULL;
    tcase_set_timeout(t, 240);
    tcase_add_checked_fixture(t, open_fixture, close_fixture);
    tcase_add_loop_test(t, failing_allocation_skips_no_check, 0, 2);
    tcase_add_test(t, failing_allocation_gives_no_empty_hash);
    tcase_add_test(t, failing_allocation_matches_no_name);
    tcase_add_test(t, warm_query_allocates_little_and_nothing_of_ours);
    suite_add_tcase(s, t);
    return s;
}
