/* D27: what is left of a password or a token in this process's memory when a login is over: nothing, if the program gave it on demand; nothing
 * when the connection is gone, if it was in the configuration. All that is readable and writable is searched, as a core dump would be.
 * The needle itself never lies in memory in the clear: it is kept xored, and put together only where it is given away. */
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/harness/oauth_peer.h"
#include "test/live/live.h"

enum { NEEDLE = 24, MASK = 0x55, PART = 1 << 16 };

static uint8_t masked[NEEDLE];

static void draw_needle(void)
{
    ck_assert_int_eq(RAND_bytes(masked, sizeof masked), 1);
    for (int i = 0; i < NEEDLE; i++)
        masked[i] = (uint8_t)(('a' + masked[i] % 26) ^ MASK);
}

/* To be wiped by whoever asks for it. */
static void unmask(char *out)
{
    for (int i = 0; i < NEEDLE; i++)
        out[i] = (char)(masked[i] ^ MASK);
    out[NEEDLE] = '\0';
}

/* ---- looking for it ----------------------------------------------------------------------------------------------------------- */

static uint8_t part[PART]; /* what is being looked through */

static int count_in(const uint8_t *bytes, size_t len)
{
    int n = 0;

    for (size_t i = 0; i + NEEDLE <= len; i++) {
        int k = 0;

        while (k < NEEDLE && bytes[i + (size_t)k] == (masked[k] ^ MASK))
            k++;
        n += k == NEEDLE;
    }
    return n;
}

/* One mapping, in overlapping parts; our own buffer is passed over. */
static int count_in_mapping(int mem, uintptr_t from, uintptr_t to)
{
    int n = 0;

    for (uintptr_t at = from; at < to; at += PART - NEEDLE) {
        size_t want = to - at < PART ? to - at : PART;
        ssize_t got;

        if (at + want > (uintptr_t)part && at < (uintptr_t)part + PART)
            continue; /* and what little of its neighbours lies in the same parts */
        got = pread(mem, part, want, (off_t)at);
        if (got > 0)
            n += count_in(part, (size_t)got);
    }
    OPENSSL_cleanse(part, sizeof part);
    return n;
}

/* Not what a sanitizer maps by the terabyte for itself. */
static int copies_in_memory(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC), n = 0;
    char line[512], access[8];
    unsigned long from, to;

    ck_assert(maps && mem >= 0);
    while (fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx %7s", &from, &to, access) == 3 && access[0] == 'r' && access[1] == 'w' &&
            to - from < 1ul << 28)
            n += count_in_mapping(mem, from, to);
    fclose(maps);
    close(mem);
    return n;
}

START_TEST(the_search_finds_what_is_there)
{
    char *copy = malloc(100);

    draw_needle();
    ck_assert_int_eq(copies_in_memory(), 0);
    unmask(copy + 7);
    ck_assert_int_ge(copies_in_memory(), 1);
    OPENSSL_cleanse(copy, 100);
    ck_assert_int_eq(copies_in_memory(), 0);
    free(copy);
}
END_TEST

/* ---- a role with that password ------------------------------------------------------------------------------------------------- */

static void hmac(const uint8_t key[32], const char *text, uint8_t out[32])
{
    unsigned len = 32;

    HMAC(EVP_sha256(), key, 32, (const unsigned char *)text, strlen(text), out, &len);
}

/* The server learns the verifier alone, so that no statement holds the password. */
static void set_password(tusk_conn *admin, const char *role)
{
    static const unsigned char salt[] = "0123456789abcdef";
    uint8_t salted[32], client[32], stored[32], server[32];
    char salt64[32], stored64[64], server64[64], needle[NEEDLE + 1];

    draw_needle();
    unmask(needle);
    PKCS5_PBKDF2_HMAC(needle, NEEDLE, salt, 16, 4096, EVP_sha256(), 32, salted);
    OPENSSL_cleanse(needle, sizeof needle);
    hmac(salted, "Client Key", client);
    EVP_Digest(client, 32, stored, NULL, EVP_sha256(), NULL);
    hmac(salted, "Server Key", server);
    EVP_EncodeBlock((unsigned char *)salt64, salt, 16);
    EVP_EncodeBlock((unsigned char *)stored64, stored, 32);
    EVP_EncodeBlock((unsigned char *)server64, server, 32);
    run_on(admin, textf("alter role %s password 'SCRAM-SHA-256$4096:%s$%s:%s'", role, salt64, stored64, server64));
}

static void give_needle(tusk_password_request *request, void *user)
{
    char needle[NEEDLE + 1];

    (void)user;
    unmask(needle);
    tusk_password_give(request, tusk_str_from(needle, NEEDLE));
    OPENSSL_cleanse(needle, sizeof needle);
}

static const struct {
    const char *role, *options;
} logins[] = {
    {"t_scram", "sslmode=disable"},
    {"t_scram", "sslmode=verify-full"},
    {"t_password", "sslmode=disable require_auth=password"},
    {"t_password", "sslmode=verify-full"},
};

/* With a password of the program's, or with one in the connection string. */
static tusk_conn *log_in(int i, bool on_demand)
{
    char dsn[512], needle[NEEDLE + 1] = "";
    tusk_conn *conn;

    if (!on_demand)
        unmask(needle);
    (void)snprintf(dsn, sizeof dsn,
                   "host=localhost hostaddr=127.0.0.1 port=%s dbname=tusk user=%s sslrootcert=%s %s password='%s'",
                   harness_env("TUSK_TEST_PORT"), logins[i].role, harness_env("TUSK_TEST_CA"), logins[i].options,
                   needle);
    conn = tusk_conn_open(loop, &(tusk_config){.dsn = dsn, .on_password = on_demand ? give_needle : NULL});
    OPENSSL_cleanse(dsn, sizeof dsn);
    OPENSSL_cleanse(needle, sizeof needle);
    return conn;
}

START_TEST(d27_no_password_is_left_in_memory)
{
    tusk_conn *admin = connect_plain(), *conn;
    const char *role = logins[_i].role;
    tusk_code codes[2];
    int copies[4];

    set_password(admin, role);
    conn = log_in(_i, true);
    codes[0] = tusk_await_free(tusk_conn_ready(conn), NULL);
    copies[0] = copies_in_memory();
    disconnect(conn);
    copies[1] = copies_in_memory();
    conn = log_in(_i, false);
    codes[1] = tusk_await_free(tusk_conn_ready(conn), NULL);
    copies[2] = copies_in_memory(); /* the configuration's */
    disconnect(conn);
    turn(0); /* in which it goes */
    copies[3] = copies_in_memory();
    run_on(admin, textf("alter role %s password 'pw-%s'", role, role));
    disconnect(admin);
    ck_assert_int_eq(codes[0], TUSK_OK);
    ck_assert_int_eq(codes[1], TUSK_OK);
    ck_assert_int_eq(copies[0], 0);
    ck_assert_int_eq(copies[1], 0);
    ck_assert_int_ge(copies[2], 1);
    ck_assert_int_eq(copies[3], 0);
}
END_TEST

/* ---- a password in a statement ---------------------------------------------------------------------------------------------------- */

enum { N_WAYS = 9 };

static const char *const poolers[] = {"none", "transaction"};

/* Not before it is told to; and twice, so that the statement is parsed again where each item has its own Parse. */
static tusk_code pull_twice(tusk_query *load, int64_t item, tusk_error *err, void *user)
{
    const bool *goes = user;

    (void)err;
    if (!*goes)
        return TUSK_AGAIN;
    return item < 2 ? tusk_many_push(load, TUSK_NO_PARAMS) : TUSK_DONE;
}

/* Its Parse is written when the first item is there, long after its text was looked at: what was in front of it has left the buffer. */
static tusk_code set_password_by_load(tusk_conn *conn, const char *sql, tusk_many_mode mode)
{
    bool goes = false;
    tusk_query *first, *load;

    ck_assert_int_eq(tusk_await_free(tusk_conn_ready(conn), NULL), TUSK_OK);
    first = tusk_exec(conn, "select 1", TUSK_NO_PARAMS);
    load = tusk_many_submit(conn, &(tusk_many_request){.sql = sql, .pull = pull_twice, .user = &goes, .mode = mode});
    ck_assert_int_eq(tusk_await_free(first, NULL), TUSK_OK);
    for (int i = 0; i < 3; i++)
        turn(0);
    goes = true;
    ck_assert_int_eq(tusk_many_resume(load), TUSK_OK);
    return tusk_await_free(load, NULL);
}

/* Alone, as one of many on a pipeline, before the connection is ready, as a script, as a handle, as a text whose names are read, in a stack, or as a load. */
static tusk_code set_password_by(int way, tusk_conn *conn, const char *sql)
{
    tusk_stmt *stmt;
    tusk_stack *stack;
    tusk_named *named;
    tusk_code code;

    switch (way) {
    case 0:
        return tusk_await_free(tusk_exec(conn, sql, TUSK_NO_PARAMS), NULL);
    case 1:
        tusk_query_free(tusk_script(conn, "select 1")); /* nothing goes behind it: the next is held */
        return tusk_await_free(tusk_exec(conn, sql, TUSK_NO_PARAMS), NULL);
    case 2:
        return tusk_await_free(tusk_submit(conn, &(tusk_request){.sql = sql, .on_row = NULL, .cancelable = true}),
                               NULL);
    case 3:
        return tusk_await_free(tusk_script(conn, sql), NULL);
    case 4:
        stmt = tusk_prepare(conn, sql, NULL, 0);
        code = tusk_await_free(tusk_stmt_exec(stmt, TUSK_NO_PARAMS), NULL);
        ck_assert_int_eq(tusk_await_free(tusk_stmt_close(stmt), NULL), TUSK_OK);
        tusk_stmt_free(stmt);
        return code;
    case 5:
        named = tusk_named_parse(tusk_str_of(sql), NULL, NULL);
        code = tusk_await_free(tusk_submit(conn, &(tusk_request){.named = named}), NULL);
        tusk_named_free(named);
        return code;
    case 6:
        return set_password_by_load(conn, sql, TUSK_MANY_ATOMIC);
    case 7:
        return set_password_by_load(conn, sql, TUSK_MANY_EACH);
    default:
        stack = tusk_stack_new(conn);
        ck_assert_int_eq(tusk_stack_push(stack, sql, TUSK_NO_PARAMS), TUSK_OK);
        code = tusk_await_free(tusk_stack_run(stack, TUSK_STACK_ATOMIC), NULL);
        tusk_stack_free(stack);
        return code;
    }
}

/* It is not kept with the statements that are run again, and no copy of it is left; the second time it lies so far back that the answer
 * does not happen to overwrite it. */
START_TEST(no_password_of_a_statement_is_left_in_memory)
{
    int turn_of = _i % (2 * N_WAYS);
    char sql[4096], needle[NEEDLE + 1];
    tusk_conn *conn;
    tusk_code code;
    int copies;

    (void)snprintf(sql, sizeof sql, "%s%spooler=%s", harness_env("TUSK_TEST_DSN_PLAIN"),
                   strchr(harness_env("TUSK_TEST_DSN_PLAIN"), '?') ? "&" : "?", poolers[_i / (2 * N_WAYS)]);
    conn = tusk_connect(loop, sql);

    draw_needle();
    unmask(needle);
    (void)snprintf(sql, sizeof sql, " Alter Role t_scram%*s\nPassword '%s'", turn_of < N_WAYS ? 0 : 3000, "", needle);
    OPENSSL_cleanse(needle, sizeof needle);
    code = set_password_by(turn_of % N_WAYS, conn, sql);
    OPENSSL_cleanse(sql, sizeof sql);
    turn(0); /* in which what was freed goes */
    copies = copies_in_memory();
    run_on(conn, "alter role t_scram password 'pw-t_scram'");
    disconnect(conn);
    ck_assert_int_eq(code, TUSK_OK);
    ck_assert_int_eq(copies, 0);
}
END_TEST

/* ---- tokens: the server that takes them is a process of its own, whose memory is not ours ---------------------------------------- */

static void give_token(tusk_token_request *request, void *user)
{
    char needle[NEEDLE + 1];

    if (user && !tusk_token_is_discovered(request)) {
        tusk_token_discover(request);
        return;
    }
    unmask(needle);
    tusk_token_give(request, tusk_str_from(needle, NEEDLE));
    OPENSSL_cleanse(needle, sizeof needle);
}

/* Serves until its input ends. */
static void serve_tokens(oauth_peer *p, int in, int out)
{
    tls_peer *peer = tls_peer_start("127.0.0.1", 0, oauth_peer_serve, p);
    uint16_t port = tls_peer_port(peer);
    char end;

    if (write(out, &port, sizeof port) == sizeof port)
        (void)!read(in, &end, 1);
    _exit(0);
}

typedef struct token_server {
    pid_t pid;
    int to, from;
    uint16_t port;
} token_server;

static token_server token_server_start(oauth_peer *p)
{
    token_server s;
    int to[2], from[2];

    ck_assert(pipe(to) == 0 && pipe(from) == 0);
    s = (token_server){.pid = fork(), .to = to[1], .from = from[0]};
    if (s.pid == 0) {
        close(to[1]);
        serve_tokens(p, to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
    ck_assert_int_gt(s.pid, 0);
    ck_assert_int_eq(read(s.from, &s.port, sizeof s.port), sizeof s.port);
    return s;
}

static void token_server_stop(const token_server *s)
{
    close(s->to);
    close(s->from);
    ck_assert_int_eq(waitpid(s->pid, NULL, 0), s->pid);
}

static tusk_code log_in_by_token(const token_server *s, bool use_tls, bool ask_first, const char *root, int *copies)
{
    const tusk_auth_mechanism *mechanisms[] = {tusk_oauth(), NULL};
    tusk_conn *conn;
    char dsn[512];
    tusk_code code;

    (void)snprintf(
        dsn, sizeof dsn, "host=db.example hostaddr=127.0.0.1 port=%u user=app oauth_issuer=https://id.example %s%s",
        (unsigned)s->port, use_tls ? "sslmode=verify-full sslrootcert=" : "sslmode=disable require_auth=oauth",
        use_tls ? root : "");
    conn = tusk_conn_open(loop, &(tusk_config){.dsn = dsn,
                                               .auth_mechanisms = mechanisms,
                                               .on_token = give_token,
                                               .user_data = ask_first ? dsn : NULL});
    code = tusk_await_free(tusk_conn_ready(conn), NULL);
    *copies = copies_in_memory();
    disconnect(conn);
    return code;
}

/* In the clear and over TLS; at once, and behind discovery. */
START_TEST(d27_no_token_is_left_in_memory)
{
    static const char wants[] = "{\"status\":\"invalid_token\",\"openid-configuration\":\"https://id.example/"
                                ".well-known/openid-configuration\"}";
    bool use_tls = _i & 1, ask_first = _i & 2;
    tls_cert authority = tls_cert_new(&(tls_cert_spec){.cn = "authority", .is_authority = true});
    tls_cert cert = tls_cert_new(&(tls_cert_spec){.cn = "db", .names = {TLS_DNS("db.example")}, .issuer = &authority});
    SSL_CTX *ctx = tls_server_new(&cert);
    oauth_peer peer = {.ctx = use_tls ? ctx : NULL, .wants = ask_first ? wants : NULL};
    char folder[] = "/tmp/tusk-token.XXXXXX", root[64];
    token_server server;
    tusk_code code;
    int copies[2];

    draw_needle();
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(root, sizeof root, "%s/root.crt", folder);
    tls_cert_write(&authority, root);
    server = token_server_start(&peer);
    code = log_in_by_token(&server, use_tls, ask_first, root, &copies[0]);
    copies[1] = copies_in_memory();
    token_server_stop(&server);
    remove(root);
    remove(folder);
    SSL_CTX_free(ctx);
    tls_cert_free(&cert);
    tls_cert_free(&authority);
    ck_assert_int_eq(code, TUSK_OK);
    ck_assert_int_eq(copies[0], 0);
    ck_assert_int_eq(copies[1], 0);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("secret_live");
    TCase *tcase = tcase_create("secret_live");

    tcase_add_checked_fixture(tcase, live_loop_up, live_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, the_search_finds_what_is_there);
    tcase_add_loop_test(tcase, d27_no_password_is_left_in_memory, 0, N_OF(logins));
    tcase_add_loop_test(tcase, no_password_of_a_statement_is_left_in_memory, 0, 4 * N_WAYS);
    tcase_add_loop_test(tcase, d27_no_token_is_left_in_memory, 0, 4);
    suite_add_tcase(suite, tcase);
    return suite;
}
