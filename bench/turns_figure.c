/* How much CPU time a turn of the loop takes while a connection is made, and what its thread asks of the kernel meanwhile.
 * Each connection is made on a loop of its own, which has no TLS context and no keys yet.
 * Usage: turns_figure turns DSN N               N connections; a line for each turn: its part, and microseconds of this thread, without
 *                                               the private key's operation and of that alone. So for tusk_connect(), too
 *        turns_figure trace DSN N               the same between two calls of getppid(), and without clocks: under strace
 *        turns_figure verifier PASSWORD COUNT   what a server keeps of a password: SCRAM-SHA-256$COUNT:…
 *        turns_figure sql DSN STATEMENT
 * Read first: bench/turns. */
#include "bench/figure.h"

#include <dlfcn.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "lib/conn.h"
#include "loop/os.h"

/* ---- this thread's CPU time ---- */

static bool is_measuring;
static double key_us; /* of this turn */

static double cpu_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* In front of OpenSSL's own, which signs the handshake with the client's private key: one call that nobody can slice. */
int EVP_DigestSign(EVP_MD_CTX *ctx, unsigned char *sig, size_t *sig_len, const unsigned char *data, size_t data_len)
{
    int (*own)(EVP_MD_CTX *, unsigned char *, size_t *, const unsigned char *, size_t);
    void *symbol = dlsym(RTLD_NEXT, "EVP_DigestSign");
    double begin_us = is_measuring ? cpu_us() : 0;
    int rc;

    memcpy(&own, &symbol, sizeof own);
    rc = own(ctx, sig, sig_len, data, data_len);
    key_us += is_measuring ? cpu_us() - begin_us : 0;
    return rc;
}

/* ---- what a turn is part of ---- */

typedef enum turn_part { PART_CALL, PART_NAME_AND_FILES, PART_TLS, PART_LOGIN } turn_part;

static const char *const part_names[] = {"tusk_connect()", "name,files", "connect,tls", "scram"};
static bool has_address;

static int noted_connect(void *ctx, int fd, const struct sockaddr *addr, socklen_t len)
{
    has_address = true;
    return tusk__os_real()->connect(ctx, fd, addr, len);
}

static turn_part part_of(const tusk_conn *db)
{
    if (db->phase == TUSK__PHASE_LOGIN)
        return PART_LOGIN;
    return has_address ? PART_TLS : PART_NAME_AND_FILES;
}

static struct {
    turn_part part;
    double us, key_us;
} samples[1 << 16];
static size_t n_samples;

/* Since begin_us. */
static void note(turn_part part, double begin_us)
{
    if (!is_measuring)
        return;
    if (n_samples == sizeof samples / sizeof samples[0])
        die("samples", "too many turns");
    samples[n_samples].part = part;
    samples[n_samples].us = cpu_us() - begin_us - key_us;
    samples[n_samples++].key_us = key_us;
    key_us = 0;
}

static double begin(void)
{
    return is_measuring ? cpu_us() : 0;
}

/* ---- connections ---- */

static void connect_once(const tusk__os *os, const char *dsn)
{
    tusk_loop *loop = tusk__loop_open_on(os, &(tusk_loop_config){0}, NULL);
    double begin_us = begin();
    tusk_conn *db = loop ? tusk_connect(loop, dsn) : NULL;

    if (!db)
        die("memory", "none");
    note(PART_CALL, begin_us);
    has_address = false;
    while (tusk_conn_get_state(db) == TUSK_CONN_CONNECTING) {
        turn_part part = part_of(db);

        begin_us = begin();
        if (tusk_loop_turn(loop, TUSK_NONE, NULL) != TUSK_OK)
            die("turn", "failed");
        note(part, begin_us);
    }
    if (tusk_conn_get_state(db) != TUSK_CONN_READY)
        die_of(tusk_conn_error(db));
    if (!tusk_str_is(tusk_conn_tls_version(db), "TLSv1.3"))
        die("tls", "is not of version 1.3");
    tusk_loop_free(loop);
}

static void connect_often(const char *dsn, const char *times)
{
    tusk__os os = *tusk__os_real();

    os.connect = noted_connect;
    for (long n = strtol(times, NULL, 10); n > 0; n--)
        connect_once(&os, dsn);
}

static void measure(const char *dsn, const char *times)
{
    connect_often(dsn, "1"); /* what the process does once is done */
    is_measuring = true;
    connect_often(dsn, times);
    for (size_t i = 0; i < n_samples; i++)
        printf("%s %.1f %.1f\n", part_names[samples[i].part], samples[i].us, samples[i].key_us);
}

static void trace(const char *dsn, const char *times)
{
    connect_often(dsn, "1");
    (void)getppid();
    connect_often(dsn, times);
    (void)getppid();
}

/* ---- the server's side ---- */

static void print_base64(const char *before, const unsigned char *bytes)
{
    unsigned char text[64];

    EVP_EncodeBlock(text, bytes, SHA256_DIGEST_LENGTH);
    printf("%s%s", before, (char *)text);
}

/* RFC 5803, as PostgreSQL keeps it: the iterations of a role are those of the day when its password was set. */
static void print_verifier(const char *password, const char *count)
{
    static const unsigned char salt[SHA256_DIGEST_LENGTH] = "a salt that is always the same";
    unsigned char salted[SHA256_DIGEST_LENGTH], key[SHA256_DIGEST_LENGTH];

    if (PKCS5_PBKDF2_HMAC(password, (int)strlen(password), salt, sizeof salt, (int)strtol(count, NULL, 10),
                          EVP_sha256(), sizeof salted, salted) != 1)
        die("PBKDF2", "failed");
    printf("SCRAM-SHA-256$%s", count);
    print_base64(":", salt);
    HMAC(EVP_sha256(), salted, sizeof salted, (const unsigned char *)"Client Key", 10, key, NULL);
    SHA256(key, sizeof key, key);
    print_base64("$", key);
    HMAC(EVP_sha256(), salted, sizeof salted, (const unsigned char *)"Server Key", 10, key, NULL);
    print_base64(":", key);
    printf("\n");
}

static void run_sql(const char *dsn, const char *statement)
{
    tusk_loop *loop = tusk_loop_new();
    tusk_conn *db = connect_ready(loop, dsn);
    tusk_query *q = tusk_script(db, statement);

    await_ok(q);
    tusk_query_free(q);
    close_all(loop, db);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "turns") == 0)
        measure(argv[2], argv[3]);
    else if (argc == 4 && strcmp(argv[1], "trace") == 0)
        trace(argv[2], argv[3]);
    else if (argc == 4 && strcmp(argv[1], "verifier") == 0)
        print_verifier(argv[2], argv[3]);
    else if (argc == 4 && strcmp(argv[1], "sql") == 0)
        run_sql(argv[2], argv[3]);
    else
        die(argv[0], "turns DSN N | trace DSN N | verifier PASSWORD COUNT | sql DSN STATEMENT");
    return 0;
}
