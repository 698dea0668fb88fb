/* The limit: requests encoded beforehand, answers walked by their headers alone, blocking calls on a Unix-domain socket.
 * No driver: it checks nothing, decodes nothing, and logs in as the role that needs no password.
 * Variant: raw. For connect: kept, SCRAM with keys that were derived once, and a server's proof that nobody looks at. */
#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

static int fd;
static unsigned char in[256 * 1024];
static size_t head, tail;
static unsigned char bind_execute_sync[256], out[64 * 1024];
static size_t request_len, param_at, out_len;

/* ---- bytes ---- */

static uint32_t be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(unsigned char *p, uint32_t v)
{
    v = __builtin_bswap32(v);
    memcpy(p, &v, sizeof v);
}

/* A message behind *len. */
static void add(unsigned char *buf, size_t *len, char type, const void *body, size_t body_len)
{
    buf[(*len)++] = (unsigned char)type;
    put32(buf + *len, (uint32_t)body_len + 4);
    memcpy(buf + *len + 4, body, body_len);
    *len += 4 + body_len;
}

static void send_all(const unsigned char *buf, size_t len)
{
    if (send(fd, buf, len, MSG_NOSIGNAL) != (ssize_t)len)
        bench_die("rawwire", "a short send");
}

static void receive(void)
{
    ssize_t n;

    if (head > 0)
        memmove(in, in + head, tail - head);
    tail -= head;
    head = 0;
    n = recv(fd, in + tail, sizeof in - tail, 0);
    if (n <= 0)
        bench_die("rawwire", "the server hung up");
    tail += (size_t)n;
}

static size_t message_len; /* of the last one, without its type */

/* The type of the next message, which lies in front of `head` then. */
static int next_message(void)
{
    while (tail - head < 5 || tail - head < 1 + (message_len = be32(in + head + 1)))
        receive();
    head += 1 + message_len;
    return in[head - 1 - message_len];
}

static void until_ready(bench_sums *sums)
{
    int type;

    while ((type = next_message()) != 'Z') {
        sums->rows += type == 'D';
        if (type == 'E')
            bench_die("rawwire", "the server says no");
    }
}

/* ---- opening ---- */

static void prepare(const bench_workload *work)
{
    unsigned char body[512] = "s";
    size_t len = 2, sql_len = strlen(work->sql) + 1;
    bench_sums sums = {0};

    memcpy(body + len, work->sql, sql_len);
    len += sql_len;
    if (work->shape == BENCH_SELECT1) {
        memset(body + len, 0, 2);
        len += 2;
    } else {
        memcpy(body + len, "\0\1\0\0\0\24", 6); /* one parameter, int8 */
        len += 6;
    }
    add(out, &out_len, 'P', body, len);
    add(out, &out_len, 'S', "", 0);
    send_all(out, out_len);
    out_len = 0;
    until_ready(&sums);
}

static void encode(const bench_workload *work)
{
    static const unsigned char with_param[] = "\0s\0\0\1\0\1\0\1\0\0\0\10........\0\1\0\1",
                               without[] = "\0s\0\0\0\0\0\0\1\0\1";

    if (work->shape == BENCH_SELECT1)
        add(bind_execute_sync, &request_len, 'B', without, sizeof without - 1);
    else
        add(bind_execute_sync, &request_len, 'B', with_param, sizeof with_param - 1);
    param_at = 5 + 13;
    add(bind_execute_sync, &request_len, 'E', "\0\0\0\0", 5);
    add(bind_execute_sync, &request_len, 'S', "", 0);
}

/* Connect, and send the startup packet: its length is filled in. */
static void connect_with(const char *startup, size_t len)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    unsigned char packet[128];

    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s/.s.PGSQL.%s", bench_env("TUSK_TEST_SOCKDIR"),
             bench_env("TUSK_TEST_PORT"));
    if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof addr) < 0)
        bench_die("rawwire", "no connection");
    memcpy(packet, startup, len);
    put32(packet, (uint32_t)len);
    send_all(packet, len);
}

void peer_open(const char *variant, const bench_workload *work)
{
    static const char startup[] = "\0\0\0\0\0\3\0\0user\0t_trust\0database\0tusk\0";
    bench_sums sums = {0};

    (void)variant;
    if (work->shape == BENCH_CONNECT)
        return;
    connect_with(startup, sizeof startup);
    until_ready(&sums);
    prepare(work);
    encode(work);
}

void peer_close(void)
{
    close(fd);
}

void peer_setup(const char *const *sql)
{
    bench_die(*sql, "rawwire does not set up");
}

/* ---- connecting: SCRAM-SHA-256 with kept keys (RFC 5802, section 3) ---- */

#define NONCE "a-nonce-of-24-characters"
#define CLIENT_FIRST_BARE "n=,r=" NONCE

static struct {
    bool is_known;
    unsigned char client_key[SHA256_DIGEST_LENGTH], stored_key[SHA256_DIGEST_LENGTH];
} keys;

/* "r=…,s=<salt>,i=<iterations>": the same salt each time, so that they are derived once. */
static void derive_keys(const char *server_first)
{
    static const char password[] = "pw-drv", name[] = "Client Key";
    const char *salt_at = strstr(server_first, ",s=") + 3, *iterations = strstr(salt_at, ",i=") + 3;
    unsigned char salt[64], salted[SHA256_DIGEST_LENGTH];
    int salt_len = EVP_DecodeBlock(salt, (const unsigned char *)salt_at, (int)(iterations - 3 - salt_at));

    salt_len -= (iterations[-4] == '=') + (iterations[-5] == '=');
    if (PKCS5_PBKDF2_HMAC(password, sizeof password - 1, salt, salt_len, (int)strtol(iterations, NULL, 10),
                          EVP_sha256(), sizeof salted, salted) != 1)
        bench_die("rawwire", "PBKDF2 failed");
    HMAC(EVP_sha256(), salted, sizeof salted, (const unsigned char *)name, sizeof name - 1, keys.client_key, NULL);
    SHA256(keys.client_key, sizeof keys.client_key, keys.stored_key);
    keys.is_known = true;
}

static void send_proof(const char *server_first)
{
    char without_proof[128], auth_message[512];
    unsigned char proof[SHA256_DIGEST_LENGTH], answer[256];
    int nonce_len = (int)(strchr(server_first, ',') - server_first); /* with "r=" */
    size_t len = (size_t)snprintf(without_proof, sizeof without_proof, "c=biws,%.*s", nonce_len, server_first);
    size_t auth_len =
        (size_t)snprintf(auth_message, sizeof auth_message, "%s,%s,%s", CLIENT_FIRST_BARE, server_first, without_proof);

    HMAC(EVP_sha256(), keys.stored_key, sizeof keys.stored_key, (unsigned char *)auth_message, auth_len, proof, NULL);
    for (size_t i = 0; i < sizeof proof; i++)
        proof[i] ^= keys.client_key[i];
    memcpy(answer, without_proof, len);
    memcpy(answer + len, ",p=", 3);
    len += 3 + (size_t)EVP_EncodeBlock(answer + len + 3, proof, sizeof proof);
    add(out, &out_len, 'p', answer, len);
    send_all(out, out_len);
    out_len = 0;
}

/* The text of AuthenticationSASLContinue, which is the next message. */
static void receive_server_first(char *text, size_t size)
{
    size_t len;

    if (next_message() != 'R')
        bench_die("rawwire", "no AuthenticationSASLContinue");
    len = message_len - 8; /* without its length and kind */
    if (len >= size)
        bench_die("rawwire", "a long message");
    memcpy(text, in + head - len, len);
    text[len] = '\0';
}

static void log_in(void)
{
    static const char startup[] = "\0\0\0\0\0\3\0\0user\0drv\0database\0tusk\0";
    static const char first[] = "SCRAM-SHA-256\0\0\0\0\40n,," CLIENT_FIRST_BARE;
    char server_first[256];
    bench_sums sums = {0};

    connect_with(startup, sizeof startup);
    (void)next_message(); /* AuthenticationSASL */
    add(out, &out_len, 'p', first, sizeof first - 1);
    send_all(out, out_len);
    out_len = 0;
    receive_server_first(server_first, sizeof server_first);
    if (!keys.is_known)
        derive_keys(server_first);
    send_proof(server_first);
    until_ready(&sums);
}

static void run_connect(size_t n_ops, bench_sums *sums)
{
    static const unsigned char terminate[] = "X\0\0\0\4";

    for (; n_ops > 0; n_ops--) {
        log_in();
        sums->rows++;
        send_all(terminate, sizeof terminate - 1);
        close(fd);
    }
    fd = -1;
}

/* ---- running ---- */

static void put_request(const bench_workload *work, size_t i)
{
    uint64_t n;

    memcpy(out + out_len, bind_execute_sync, request_len);
    if (work->shape != BENCH_SELECT1) {
        n = __builtin_bswap64((uint64_t)bench_param(work, i));
        memcpy(out + out_len + param_at, &n, sizeof n);
    }
    out_len += request_len;
}

/* What is ready is taken before anything is sent: as many new requests leave at once as answers have come. */
static bool has_answer(void)
{
    for (size_t at = head; tail - at >= 5 && tail - at > be32(in + at + 1); at += 1 + be32(in + at + 1))
        if (in[at] == 'Z')
            return true;
    return false;
}

static void run_queries(const bench_workload *work, size_t n_ops, bench_sums *sums)
{
    size_t sent = 0;

    for (size_t done = 0; done < n_ops; done++) {
        if (work->shape == BENCH_SCAN || !has_answer()) {
            for (; sent < n_ops && sent - done < (size_t)work->depth; sent++)
                put_request(work, sent);
            if (out_len > 0)
                send_all(out, out_len);
            out_len = 0;
        }
        until_ready(sums);
    }
}

void peer_run(const bench_workload *work, size_t n_ops, bench_sums *sums)
{
    if (work->shape == BENCH_CONNECT)
        run_connect(n_ops, sums);
    else
        run_queries(work, n_ops, sums);
}
