/* Tests of lib/login: logins against a server that is written here, over the real session and a link that only says what it is.
 * Not tested here: SCRAM's own rules (scram_test), sockets and retries (the connection's).
 * Read first: lib/login.h, docs/internals/login.md. */
#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

/* The machine under test, on a link and on crypto functions of ours. */
#define tusk__transport_tls_version test_tls_version
#define tusk__tls_endpoint_hash test_endpoint_hash
#define tusk__crypto_openssl test_crypto
#include "test/whole_login.h"
#undef tusk__crypto_openssl
const tusk__crypto *tusk__crypto_openssl(void);

#include "proto/frame.h"
#include "test/loop_util.h"

#define N_OF(table) (int)(sizeof(table) / sizeof(table)[0])
#define LITERAL(text) tusk_str_from(text, sizeof(text) - 1)

/* ---- the link -------------------------------------------------------------------------------------------------------- */

static const char *link_tls = "";
static const char *link_hash = "";
static tusk_code link_fails;

const char *test_tls_version(const tusk__transport *t)
{
    ck_assert_ptr_ne(t, NULL);
    return link_tls;
}

tusk_code test_endpoint_hash(tusk__transport *t, uint8_t out[64], size_t *len, tusk_error *err)
{
    ck_assert_ptr_ne(t, NULL);
    if (link_fails)
        return tusk__error_set(err, link_fails, NULL, "no hash today");
    *len = strlen(link_hash);
    memcpy(out, link_hash, *len);
    return TUSK_OK;
}

static void link_is(const char *tls, const char *hash)
{
    link_tls = tls;
    link_hash = hash;
    link_fails = TUSK_OK;
}

/* ---- crypto: counted, and with random bytes that are always the same, so that two logins can be compared --------------- */

static long n_blocks;

static void counting_block(uint32_t state[8], const uint8_t block[TUSK__SHA256_BLOCK])
{
    n_blocks++;
    tusk__crypto_openssl()->sha256_block(state, block);
}

static tusk_code same_random(void *user, uint8_t *out, size_t len)
{
    (void)user;
    memset(out, 0x5A, len);
    return TUSK_OK;
}

const tusk__crypto *test_crypto(void)
{
    static tusk__crypto crypto;

    crypto = *tusk__crypto_openssl();
    crypto.sha256_block = counting_block;
    crypto.random = same_random;
    return &crypto;
}

/* ---- a login on a rig ------------------------------------------------------------------------------------------------- */

typedef struct rig {
    tusk_loop *loop;
    tusk__settings *settings;
    tusk__transport transport;
    tusk__login *login;
    tusk__session session;
    uint8_t buf[65536];
    tusk__writer out;    /* what we wrote */
    size_t taken;        /* of it by the server */
    tusk__writer server; /* what the server wrote and nobody read */
    tusk_error err;
    bool is_ready;
    int n_steps, n_asked;
} rig;

/* What settings->on_password gives, which is asked here by the rig itself; NULL: there is none. */
static const char *program_gives;

static void never_called(tusk_password_request *request, void *user)
{
    (void)request, (void)user;
    ck_abort_msg("the login has no loop to ask on");
}

static tusk_code try_begin(rig *r, tusk_loop *loop, const char *dsn)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);

    memset(r, 0, sizeof *r);
    r->loop = loop;
    tusk__session_init(&r->session, allocator);
    tusk__session_lend(&r->session, r->buf, sizeof r->buf);
    tusk__writer_init(&r->out, allocator);
    tusk__writer_init(&r->server, tusk_allocator_default());
    TUSK_TRY(tusk__settings_new(allocator,
                                &(tusk_config){.dsn = dsn, .on_password = program_gives ? never_called : NULL},
                                &r->settings, &r->err));
    TUSK_TRY(tusk__login_new(loop, r->settings, &r->settings->hosts[0], r->settings->max_protocol, &r->transport,
                             &r->login, &r->err));
    return tusk__login_start(r->login, &r->session, &r->out, &r->err);
}

static void begin(rig *r, tusk_loop *loop, const char *dsn)
{
    tusk_code code = try_begin(r, loop, dsn);

    ck_assert_msg(code == TUSK_OK, "%s", r->err.message);
    r->taken = r->out.len;
}

static void end(rig *r)
{
    tusk__login_free(r->login);
    tusk__settings_unref(r->settings);
    tusk__session_clear(&r->session);
    tusk__writer_clear(&r->out);
    tusk__writer_clear(&r->server);
}

static tusk_code one_event(rig *r, const tusk__event *ev)
{
    tusk_code code = tusk__login_event(r->login, &r->session, ev, &r->out, &r->err);

    while (code == TUSK_AGAIN) {
        ck_assert_uint_eq(r->out.len, r->taken); /* nothing is sent before all is computed */
        if (tusk__login_wants_password(r->login)) {
            uint8_t *buf = r->buf;

            memset(buf, 0xEE, sizeof r->buf); /* the chunk may be another's meanwhile */
            r->n_asked++;
            code = tusk__login_password(r->login, &r->session, tusk_str_of(program_gives), &r->out, &r->err);
        } else {
            r->n_steps++;
            code = tusk__login_step(r->login, &r->session, &r->out, &r->err);
        }
    }
    r->is_ready = r->is_ready || ev->kind == TUSK__EV_READY;
    return code;
}

/* Everything the server wrote, read and handled; the first error ends it. */
static tusk_code give(rig *r)
{
    size_t room;
    uint8_t *to = tusk__session_recv_buf(&r->session, &room);
    tusk__event ev;
    tusk_code code;

    ck_assert_int_eq(r->server.failed, TUSK_OK);
    ck_assert_uint_le(r->server.len, room);
    if (r->server.len > 0)
        memcpy(to, r->server.buf, r->server.len);
    tusk__session_recv_ack(&r->session, r->server.len);
    tusk__writer_cut(&r->server, 0);
    while ((code = tusk__session_next(&r->session, &ev, &r->err)) == TUSK_OK)
        TUSK_TRY(one_event(r, &ev));
    return code == TUSK_AGAIN ? TUSK_OK : code;
}

static void give_ok(rig *r)
{
    tusk_code code = give(r);

    ck_assert_msg(code == TUSK_OK, "%s: %s", tusk_code_name(code), r->err.message);
    ck_assert_int_eq(r->err.code, TUSK_OK);
}

static void give_refused(rig *r, tusk_code code, const char *sqlstate, const char *message)
{
    size_t len = r->out.len;

    ck_assert_int_eq(give(r), code);
    ck_assert_int_eq(r->err.code, code);
    ck_assert_str_eq(r->err.message, message);
    ck_assert_str_eq(r->err.sqlstate, sqlstate);
    ck_assert_uint_eq(r->out.len, len); /* and nothing was answered */
    ck_assert_int_eq(r->out.failed, TUSK_OK);
}

/* ---- the server --------------------------------------------------------------------------------------------------------- */

static void ask(rig *r, uint32_t kind, tusk_str data)
{
    tusk__authentication_write(&r->server, &(tusk__authentication){.kind = kind, .data = data});
}

static void send_error(rig *r, const char *severity, const char *sqlstate, const char *message)
{
    const tusk__error_field_value fields[] = {{'S', tusk_str_of(severity)},
                                              {'V', tusk_str_of(severity)},
                                              {'C', tusk_str_of(sqlstate)},
                                              {'M', tusk_str_of(message)}};

    tusk__error_fields_write(&r->server, TUSK__B_ERROR_RESPONSE, fields, 4);
}

static void send_settings(rig *r)
{
    tusk__parameter_status_write(&r->server, &(tusk__parameter_status){LITERAL("server_version"), LITERAL("18.1")});
    tusk__backend_key_data_write(&r->server, &(tusk__backend_key){.pid = 77, .key = LITERAL("KEY!")});
    tusk__ready_for_query_write(&r->server, 'I');
}

/* The body of the next 'p' message. */
static tusk_str take_answer(rig *r)
{
    tusk_str stream = tusk_str_from(r->out.buf + r->taken, r->out.len - r->taken), body = {0};
    uint8_t type = 0;

    ck_assert_int_eq(tusk__frame_next(&stream, false, false, &type, &body, NULL), TUSK_OK);
    ck_assert_int_eq(type, 'p');
    ck_assert_uint_eq(stream.len, 0);
    r->taken = r->out.len;
    return body;
}

static void answer_is(rig *r, tusk_str expected)
{
    tusk_str body = take_answer(r);

    ck_assert_msg(tusk_str_equal(body, expected), TUSK_STR_FMT, TUSK_STR_ARG(body));
}

#define PLAIN "SCRAM-SHA-256\0"
#define PLUS "SCRAM-SHA-256-PLUS\0"
#define BOTH PLUS PLAIN

/* The other side of SCRAM, with OpenSSL's own functions. */
typedef struct verifier {
    const char *password; /* of the role */
    const char *salt;
    int iterations;
    const char *binding; /* the hash of the certificate that this server has */
    bool signs_wrongly;
    char first[512], bare[128], gs2[64];
} verifier;

static void server_first(rig *r, verifier *v)
{
    tusk_str body = take_answer(r), mechanism, data, nonce;
    const char *bare;
    char salt64[64];

    ck_assert_int_eq(tusk__sasl_initial_response_read(body, &mechanism, &data, NULL), TUSK_OK);
    bare = memmem(data.ptr, data.len, "n=,r=", 5);
    ck_assert_ptr_ne(bare, NULL);
    snprintf(v->gs2, sizeof v->gs2, "%.*s", (int)(bare - data.ptr), data.ptr);
    snprintf(v->bare, sizeof v->bare, "%.*s", (int)(data.len - strlen(v->gs2)), bare);
    nonce = tusk_str_of(v->bare + 5);
    ck_assert_str_eq(v->gs2[0] == 'p' ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256", mechanism.ptr);
    EVP_EncodeBlock((unsigned char *)salt64, (const unsigned char *)v->salt, (int)strlen(v->salt));
    snprintf(v->first, sizeof v->first, "r=%.*sSERVER,s=%s,i=%d", (int)nonce.len, nonce.ptr, salt64, v->iterations);
    ask(r, TUSK__AUTH_SASL_CONTINUE, tusk_str_of(v->first));
}

static void hmac256(const uint8_t key[32], const char *text, uint8_t out[32])
{
    ck_assert(HMAC(EVP_sha256(), key, 32, (const uint8_t *)text, strlen(text), out, NULL) != NULL);
}

/* c= must repeat the gs2 header, and the certificate's hash if it is bound. */
static bool binding_is_right(const verifier *v, const char *final)
{
    char raw[256], expected[512] = "c=";
    int len = snprintf(raw, sizeof raw, "%s%s", v->gs2, v->gs2[0] == 'p' ? v->binding : "");

    EVP_EncodeBlock((unsigned char *)expected + 2, (const unsigned char *)raw, len);
    return strncmp(final, expected, strlen(expected)) == 0;
}

/* Judge client-final; on success SASLFinal, and AuthenticationOk behind it. */
static bool server_final(rig *r, const verifier *v)
{
    tusk_str final = take_answer(r);
    char text[1024], auth[2048], reply[64] = "v=";
    uint8_t salted[32], client_key[32], server_key[32], stored[32], signature[33], proof[48], shown[32];
    char *proof64;

    snprintf(text, sizeof text, "%.*s", (int) final.len, final.ptr);
    proof64 = strstr(text, ",p=");
    ck_assert_ptr_ne(proof64, NULL);
    ck_assert_int_eq(EVP_DecodeBlock(proof, (const unsigned char *)proof64 + 3, 44), 33);
    *proof64 = '\0';
    snprintf(auth, sizeof auth, "%s,%s,%s", v->bare, v->first, text);
    PKCS5_PBKDF2_HMAC(v->password, (int)strlen(v->password), (const unsigned char *)v->salt, (int)strlen(v->salt),
                      v->iterations, EVP_sha256(), 32, salted);
    hmac256(salted, "Client Key", client_key);
    hmac256(salted, "Server Key", server_key);
    SHA256(client_key, 32, stored);
    hmac256(stored, auth, shown);
    for (int i = 0; i < 32; i++)
        shown[i] ^= proof[i];
    if (memcmp(shown, client_key, 32) != 0 || !binding_is_right(v, text)) {
        send_error(r, "FATAL", "28P01", "password authentication failed for user \"alice\"");
        return false;
    }
    hmac256(server_key, auth, signature);
    signature[0] ^= v->signs_wrongly;
    EVP_EncodeBlock((unsigned char *)reply + 2, signature, 32);
    ask(r, TUSK__AUTH_SASL_FINAL, tusk_str_of(reply));
    return true;
}

#define DSN "host=db1 user=alice dbname=app password=pw-of-alice "
static const verifier good = {
    .password = "pw-of-alice", .salt = "salt of 16 bytes", .iterations = 4096, .binding = "certificate hash"};

/* A whole SCRAM login; what it ends with. */
static tusk_code run_scram(rig *r, tusk_str offer, verifier *v)
{
    ask(r, TUSK__AUTH_SASL, offer);
    TUSK_TRY(give(r));
    server_first(r, v);
    TUSK_TRY(give(r));
    if (server_final(r, v)) {
        ask(r, TUSK__AUTH_OK, LITERAL(""));
        send_settings(r);
    }
    return give(r);
}

static tusk_code scram_login(tusk_loop *loop, const char *dsn, tusk_str offer, verifier v, char *gs2, tusk_error *err)
{
    rig r;
    tusk_code code;

    begin(&r, loop, dsn);
    code = run_scram(&r, offer, &v);
    ck_assert_int_eq(r.is_ready, code == TUSK_OK);
    if (gs2)
        *gs2 = v.gs2[0];
    *err = r.err;
    end(&r);
    return code;
}

/* ---- fixture --------------------------------------------------------------------------------------------------------------- */

static tusk_loop *loop;
static heap memory;

static void set_up(void)
{
    tusk_error err = {0};

    heap_init(&memory);
    loop = loop_on_heap(world_open_timeless(), &memory, &err);
    ck_assert_msg(loop != NULL, "%s", err.message);
    link_is("", "");
    program_gives = NULL;
}

static void tear_down(void)
{
    tusk_loop_free(loop);
    ck_assert_int_eq(memory.n_live, 0);
}

/* ---- StartupMessage ------------------------------------------------------------------------------------------------------- */

/* The literal's own NUL ends the list of parameters. */
#define STARTUP(bytes)                                                                                                 \
    {                                                                                                                  \
        bytes, sizeof(bytes)                                                                                           \
    }

static const struct {
    const char *dsn;
    tusk_str bytes;
} startups[] = {
    {"user=u dbname=d", STARTUP("\0\0\0\x30\0\3\0\0user\0u\0database\0d\0client_encoding\0UTF8\0")},
    {"user=u max_protocol_version=3.2", STARTUP("\0\0\0\x30\0\3\0\2user\0u\0database\0u\0client_encoding\0UTF8\0")},
    {"options='-c a=b' client_encoding=auto dbname=d application_name='my app' user=u password=p",
     STARTUP(
         "\0\0\0\x57\0\3\0\0user\0u\0database\0d\0application_name\0my app\0options\0-c a=b\0client_encoding\0UTF8\0")},
};

START_TEST(startup_message_is_these_bytes)
{
    rig r;

    ck_assert_int_eq(try_begin(&r, loop, startups[_i].dsn), TUSK_OK);
    ck_assert(tusk_str_equal(tusk_str_from(r.out.buf, r.out.len), startups[_i].bytes));
    end(&r);
}
END_TEST

START_TEST(startup_message_too_long_is_refused_here)
{
    char dsn[16384] = "user=u options=";
    size_t len = strlen(dsn);
    rig r;

    memset(dsn + len, 'x', 10000);
    ck_assert_int_eq(try_begin(&r, loop, dsn), TUSK_ERR_LIMIT);
    ck_assert_str_eq(r.err.message, "the StartupMessage would be longer than a server takes");
    ck_assert_str_eq(r.err.where, "login");
    ck_assert_uint_eq(r.out.len, 0);
    ck_assert_int_eq(r.out.failed, TUSK_OK);
    end(&r);
}
END_TEST

/* ---- methods ---------------------------------------------------------------------------------------------------------------- */

START_TEST(trust_is_answered_by_nothing)
{
    rig r;
    const tusk__login_facts *facts;

    begin(&r, loop, DSN);
    ask(&r, TUSK__AUTH_OK, LITERAL(""));
    send_settings(&r);
    give_ok(&r);
    facts = tusk__login_facts_of(r.login);
    ck_assert(r.is_ready);
    ck_assert_uint_eq(r.out.len, r.taken);
    ck_assert_uint_eq(facts->protocol, TUSK__PROTOCOL_3_0);
    ck_assert_uint_eq(facts->backend_pid, 77);
    ck_assert_uint_eq(facts->cancel_key_len, 4);
    ck_assert(memcmp(facts->cancel_key, "KEY!", 4) == 0);
    end(&r);
}
END_TEST

START_TEST(cleartext_is_the_password)
{
    rig r;

    begin(&r, loop, DSN "require_auth=password");
    ask(&r, TUSK__AUTH_CLEARTEXT_PASSWORD, LITERAL(""));
    give_ok(&r);
    answer_is(&r, LITERAL("pw-of-alice\0"));
    ask(&r, TUSK__AUTH_OK, LITERAL(""));
    send_settings(&r);
    give_ok(&r);
    ck_assert(r.is_ready);
    end(&r);
}
END_TEST

START_TEST(md5_is_the_hash_of_password_user_and_salt)
{
    rig r;

    begin(&r, loop, DSN);
    ask(&r, TUSK__AUTH_MD5_PASSWORD, LITERAL("\1\2\3\4"));
    give_ok(&r);
    answer_is(&r, LITERAL("md5c2bc2e8de8086ecfbd455dfa98455fc9\0"));
    ask(&r, TUSK__AUTH_OK, LITERAL(""));
    give_ok(&r);
    end(&r);
}
END_TEST

/* ---- a password of the program's --------------------------------------------------------------------------------------------- */

#define ASKING "host=db1 user=alice dbname=app require_auth=none,password,md5,scram-sha-256 "

START_TEST(the_program_is_asked_when_the_server_asks)
{
    tusk_error err;
    rig r;

    link_is("TLSv1.3", "certificate hash");
    program_gives = "pw-of-alice";
    begin(&r, loop, ASKING);
    ask(&r, TUSK__AUTH_CLEARTEXT_PASSWORD, LITERAL(""));
    give_ok(&r);
    answer_is(&r, LITERAL("pw-of-alice\0"));
    ck_assert_int_eq(r.n_asked, 1);
    end(&r);

    begin(&r, loop, ASKING "password=another"); /* does not count */
    ask(&r, TUSK__AUTH_MD5_PASSWORD, LITERAL("\1\2\3\4"));
    give_ok(&r);
    answer_is(&r, LITERAL("md5c2bc2e8de8086ecfbd455dfa98455fc9\0"));
    ck_assert_int_eq(r.n_asked, 1);
    end(&r);

    ck_assert_int_eq(scram_login(loop, ASKING, LITERAL(BOTH), good, NULL, &err), TUSK_OK);
    ck_assert_int_eq(scram_login(loop, ASKING, LITERAL(PLAIN), good, NULL, &err), TUSK_OK);
    program_gives = "wrong";
    ck_assert_int_eq(scram_login(loop, ASKING, LITERAL(PLAIN), good, NULL, &err), TUSK_ERR_AUTH);
    ck_assert_str_eq(err.sqlstate, "28P01");
}
END_TEST

START_TEST(the_program_is_not_asked_for_what_is_refused_anyway)
{
    rig r;

    program_gives = "pw-of-alice";
    begin(&r, loop, "host=db1 user=alice");
    ask(&r, TUSK__AUTH_CLEARTEXT_PASSWORD, LITERAL(""));
    give_refused(&r, TUSK_ERR_AUTH, "28000",
                 "the server asks for the password in the clear, and nothing proves who it is");
    ck_assert_int_eq(r.n_asked, 0);
    end(&r);

    begin(&r, loop, ASKING);
    ask(&r, TUSK__AUTH_OK, LITERAL(""));
    send_settings(&r);
    give_ok(&r);
    ck_assert(r.is_ready);
    ck_assert_int_eq(r.n_asked, 0);
    end(&r);
}
END_TEST

static const struct {
    const char *dsn, *tls, *hash, *offer;
    size_t offer_len;
    char gs2;
} bindings[] = {
    {DSN, "", "", PLAIN, sizeof PLAIN - 1, 'n'},
    {DSN "channel_binding=disable", "TLSv1.3", "certificate hash", BOTH, sizeof BOTH - 1, 'n'},
    {DSN, "TLSv1.3", "certificate hash", BOTH, sizeof BOTH - 1, 'p'},
    {DSN, "TLSv1.3", "certificate hash", PLAIN, sizeof PLAIN - 1, 'y'},
    {DSN, "TLSv1.3", "", BOTH, sizeof BOTH - 1, 'n'},
    {DSN "channel_binding=require", "TLSv1.2", "certificate hash", BOTH, sizeof BOTH - 1, 'p'},
    {DSN "channel_binding=require", "TLSv1.3", "certificate hash", PLUS, sizeof PLUS - 1, 'p'},
};

START_TEST(scram_binds_where_it_can)
{
    tusk_error err;
    char gs2 = 0;

    link_is(bindings[_i].tls, bindings[_i].hash);
    ck_assert_int_eq(scram_login(loop, bindings[_i].dsn, tusk_str_from(bindings[_i].offer, bindings[_i].offer_len),
                                 good, &gs2, &err),
                     TUSK_OK);
    ck_assert_int_eq(gs2, bindings[_i].gs2);
}
END_TEST

START_TEST(a_man_in_the_middle_has_another_certificate)
{
    tusk_error err;

    link_is("TLSv1.3", "his certificate!");
    ck_assert_int_eq(scram_login(loop, DSN, LITERAL(BOTH), good, NULL, &err), TUSK_ERR_AUTH);
    ck_assert_str_eq(err.sqlstate, "28P01");
}
END_TEST

START_TEST(a_hash_that_cannot_be_had_is_an_error)
{
    rig r;

    link_is("TLSv1.3", "");
    link_fails = TUSK_ERR_NOMEM;
    begin(&r, loop, DSN);
    ask(&r, TUSK__AUTH_SASL, LITERAL(BOTH));
    give_refused(&r, TUSK_ERR_NOMEM, "53200", "no hash today");
    end(&r);
}
END_TEST

START_TEST(a_hash_that_is_not_wanted_is_not_asked_for)
{
    tusk_error err;

    link_is("TLSv1.3", "");
    link_fails = TUSK_ERR_NOMEM;
    ck_assert_int_eq(scram_login(loop, DSN "channel_binding=disable", LITERAL(BOTH), good, NULL, &err), TUSK_OK);
}
END_TEST

static const struct {
    uint32_t kind;
    const char *message;
} unsupported[] = {
    {TUSK__AUTH_KERBEROS_V5, "the server asks for Kerberos V5 authentication, which is not supported"},
    {TUSK__AUTH_SCM_CREDENTIAL, "the server asks for SCM credential authentication, which is not supported"},
    {TUSK__AUTH_GSS, "the server asks for GSSAPI authentication, which is not supported"},
    {TUSK__AUTH_SSPI, "the server asks for SSPI authentication, which is not supported"},
    {1, "the server asks for authentication by method 1, which is unknown"},
    {4, "the server asks for authentication by method 4, which is unknown"},
    {13, "the server asks for authentication by method 13, which is unknown"},
    {0xffffffff, "the server asks for authentication by method 4294967295, which is unknown"},
};

START_TEST(what_we_cannot_do_is_named)
{
    rig r;

    begin(&r, loop, DSN);
    ask(&r, unsupported[_i].kind, LITERAL(""));
    give_refused(&r, TUSK_ERR_AUTH, "28000", unsupported[_i].message);
    ck_assert_str_eq(r.err.where, "login");
    end(&r);
}
END_TEST

static const struct {
    uint32_t kind;
    tusk_str data;
    const char *message;
} passwordless[] = {
    {TUSK__AUTH_CLEARTEXT_PASSWORD, {"", 0}, "the server asks for a password (cleartext), but none was given"},
    {TUSK__AUTH_MD5_PASSWORD, {"salt", 4}, "the server asks for a password (MD5), but none was given"},
    {TUSK__AUTH_SASL, {PLAIN, sizeof PLAIN - 1}, "the server asks for a password (SCRAM-SHA-256), but none was given"},
    {TUSK__AUTH_SASL,
     {BOTH, sizeof BOTH - 1},
     "the server asks for a password (SCRAM-SHA-256-PLUS), but none was given"},
};

START_TEST(no_password_is_said_with_the_method)
{
    rig r;

    link_is("TLSv1.3", "certificate hash");
    begin(&r, loop, "user=alice password='' require_auth=password,md5,scram-sha-256");
    ask(&r, passwordless[_i].kind, passwordless[_i].data);
    give_refused(&r, TUSK_ERR_AUTH, "28P01", passwordless[_i].message);
    ck_assert_str_eq(r.err.hint,
                     "Give it in the connection string, as tusk_config.password, by PGPASSWORD or in a password file.");
    end(&r);
}
END_TEST

START_TEST(unknown_sasl_mechanisms_are_refused)
{
    rig r;

    begin(&r, loop, DSN);
    ask(&r, TUSK__AUTH_SASL, LITERAL("OAUTHBEARER\0"));
    give_refused(&r, TUSK_ERR_AUTH, "28000", "the server offers no SASL mechanism that can be used here");
    end(&r);
}
END_TEST

/* ---- D24: the server must prove itself ---------------------------------------------------------------------------------------- */

static const struct {
    const char *tls, *hash;
    uint32_t kind;
    tusk_str data;
    const char *message;
} unbound[] = {
    {"TLSv1.3",
     "h",
     TUSK__AUTH_OK,
     {"", 0},
     "channel binding is required, but the server let us in without SCRAM-SHA-256-PLUS"},
    {"TLSv1.3",
     "h",
     TUSK__AUTH_CLEARTEXT_PASSWORD,
     {"", 0},
     "channel binding is required, but the server asks for cleartext password authentication"},
    {"TLSv1.3",
     "h",
     TUSK__AUTH_MD5_PASSWORD,
     {"salt", 4},
     "channel binding is required, but the server asks for MD5 authentication"},
    {"TLSv1.3",
     "h",
     TUSK__AUTH_GSS,
     {"", 0},
     "channel binding is required, but the server asks for GSSAPI authentication"},
    {"TLSv1.3",
     "h",
     TUSK__AUTH_SSPI,
     {"", 0},
     "channel binding is required, but the server asks for SSPI authentication"},
    {"TLSv1.3",
     "h",
     TUSK__AUTH_KERBEROS_V5,
     {"", 0},
     "channel binding is required, but the server asks for Kerberos V5 authentication"},
    {"TLSv1.3",
     "h",
     TUSK__AUTH_SASL,
     {PLAIN, sizeof PLAIN - 1},
     "channel binding is required, but the server does not offer SCRAM-SHA-256-PLUS"},
    {"TLSv1.3",
     "",
     TUSK__AUTH_SASL,
     {BOTH, sizeof BOTH - 1},
     "channel binding is required, but the server's certificate has a signature without a known hash"},
    {"", "", TUSK__AUTH_SASL, {PLAIN, sizeof PLAIN - 1}, "channel binding is required, but the connection is not TLS"},
    {"",
     "",
     TUSK__AUTH_OK,
     {"", 0},
     "channel binding is required, but the server let us in without SCRAM-SHA-256-PLUS"},
};

START_TEST(d24_require_answers_nothing_but_plus)
{
    rig r;

    link_is(unbound[_i].tls, unbound[_i].hash);
    begin(&r, loop, DSN "channel_binding=require");
    ask(&r, unbound[_i].kind, unbound[_i].data);
    give_refused(&r, TUSK_ERR_AUTH, "28000", unbound[_i].message);
    end(&r);
}
END_TEST

START_TEST(d24_plus_on_a_plain_link_is_a_lie)
{
    rig r;

    begin(&r, loop, DSN);
    ask(&r, TUSK__AUTH_SASL, LITERAL(BOTH));
    ck_assert_int_eq(give(&r), TUSK_ERR_PROTOCOL);
    ck_assert_str_eq(r.err.sqlstate, "08P01");
    ck_assert_uint_eq(r.out.len, r.taken);
    end(&r);
}
END_TEST

/* AuthenticationOk in place of what should come: behind SASLInitialResponse, behind SASLResponse. Allowing `none` allows no half
 * of a proof either, as it does in libpq. */
START_TEST(d24_authentication_ok_in_the_middle_of_sasl)
{
    static const char *const dsns[] = {DSN, DSN "channel_binding=require", DSN "require_auth=none,scram-sha-256"};

    link_is("TLSv1.3", "certificate hash");
    for (int i = 0; i < 2 * N_OF(dsns); i++) {
        int step = i % 2;
        verifier v = good;
        rig r;

        begin(&r, loop, dsns[i / 2]);
        ask(&r, TUSK__AUTH_SASL, LITERAL(BOTH));
        give_ok(&r);
        if (step == 1) {
            server_first(&r, &v);
            give_ok(&r);
        }
        ask(&r, TUSK__AUTH_OK, LITERAL(""));
        send_settings(&r);
        ck_assert_int_eq(give(&r), TUSK_ERR_PROTOCOL);
        ck_assert(!r.is_ready);
        end(&r);
    }
}
END_TEST

/* The second lock on that door, should the session ever let it through. */
START_TEST(d24_the_machine_itself_wants_the_proof)
{
    tusk__event ev = {.kind = TUSK__EV_AUTHENTICATION, .authentication = {.kind = TUSK__AUTH_OK}};
    verifier v = good;
    rig r;

    begin(&r, loop, DSN);
    ask(&r, TUSK__AUTH_SASL, LITERAL(PLAIN));
    give_ok(&r);
    ck_assert_int_eq(tusk__login_event(r.login, &r.session, &ev, &r.out, &r.err), TUSK_ERR_PROTOCOL);
    ck_assert_str_eq(r.err.message, "AuthenticationOk before the server has proved itself");
    r.err.code = TUSK_OK;
    server_first(&r, &v);
    give_ok(&r);
    ck_assert_int_eq(tusk__login_event(r.login, &r.session, &ev, &r.out, &r.err), TUSK_ERR_PROTOCOL);
    end(&r);
}
END_TEST

START_TEST(d24_a_wrong_signature_is_no_proof)
{
    verifier v = good;
    tusk_error err;

    v.signs_wrongly = true;
    ck_assert_int_eq(scram_login(loop, DSN, LITERAL(PLAIN), v, NULL, &err), TUSK_ERR_AUTH);
    ck_assert_str_eq(err.sqlstate, "28000");
    ck_assert_str_eq(err.where, "login");
}
END_TEST

START_TEST(a_wrong_password_is_the_servers_28P01)
{
    verifier v = good;
    tusk_error err;

    v.password = "another";
    ck_assert_int_eq(scram_login(loop, DSN, LITERAL(PLAIN), v, NULL, &err), TUSK_ERR_AUTH);
    ck_assert_str_eq(err.sqlstate, "28P01");
    ck_assert_str_eq(err.message, "password authentication failed for user \"alice\"");
    ck_assert_int_eq(err.fate, TUSK_FATE_NOT_SENT);
    ck_assert(!tusk_error_is_retriable(&err));
}
END_TEST

/* ---- D26: what is asked for, and what may be --------------------------------------------------------------------------------------- */

/* A server that asks for one of these, and then lets everybody in whose answer has come. */
typedef enum way {
    W_TRUST,
    W_PASSWORD,
    W_MD5,
    W_SCRAM,
    W_GSS,
    W_GSS_CONTINUE,
    W_SSPI,
    W_KERBEROS,
    W_OAUTH,
    N_WAYS
} way;

static const struct {
    uint32_t kind;
    tusk_str data;
    const char *name;
    bool is_ours; /* a method that we have */
} ways[N_WAYS] = {
    [W_TRUST] = {TUSK__AUTH_OK, {"", 0}, "no", true},
    [W_PASSWORD] = {TUSK__AUTH_CLEARTEXT_PASSWORD, {"", 0}, "cleartext password", true},
    [W_MD5] = {TUSK__AUTH_MD5_PASSWORD, {"salt", 4}, "MD5", true},
    [W_SCRAM] = {TUSK__AUTH_SASL, {BOTH, sizeof BOTH - 1}, "SCRAM-SHA-256", true},
    [W_GSS] = {TUSK__AUTH_GSS, {"", 0}, "GSSAPI", false},
    [W_GSS_CONTINUE] = {TUSK__AUTH_GSS_CONTINUE, {"", 0}, "GSSAPI", false},
    [W_SSPI] = {TUSK__AUTH_SSPI, {"", 0}, "SSPI", false},
    [W_KERBEROS] = {TUSK__AUTH_KERBEROS_V5, {"", 0}, "Kerberos V5", false},
    [W_OAUTH] = {TUSK__AUTH_SASL, {"OAUTHBEARER\0", 12}, "OAUTHBEARER", false},
};

#define ANY                                                                                                            \
    (1u << W_TRUST | 1u << W_PASSWORD | 1u << W_MD5 | 1u << W_SCRAM | 1u << W_GSS | 1u << W_GSS_CONTINUE |             \
     1u << W_SSPI | 1u << W_OAUTH)

/* Worked out by hand from libpq's rules; all over a verified link, so that nothing else forbids the clear. */
static const struct {
    const char *require_auth;
    unsigned allowed;
} rules[] = {
    {"none", 1u << W_TRUST},
    {"password", 1u << W_PASSWORD},
    {"md5", 1u << W_MD5},
    {"scram-sha-256", 1u << W_SCRAM},
    {"oauth", 1u << W_OAUTH},
    {"gss", 1u << W_GSS | 1u << W_GSS_CONTINUE},
    {"sspi", 1u << W_SSPI | 1u << W_GSS_CONTINUE},
    {"scram-sha-256,none", 1u << W_SCRAM | 1u << W_TRUST},
    {"md5,password,gss", 1u << W_MD5 | 1u << W_PASSWORD | 1u << W_GSS | 1u << W_GSS_CONTINUE},
    {"none,password,md5,gss,sspi,scram-sha-256,oauth", ANY},
    {"!none", ANY & ~(1u << W_TRUST)},
    {"!password", ANY & ~(1u << W_PASSWORD)},
    {"!md5,!password", ANY & ~(1u << W_MD5 | 1u << W_PASSWORD)},
    {"!scram-sha-256", ANY & ~(1u << W_SCRAM)},
    {"!oauth", ANY & ~(1u << W_OAUTH)},
    {"!gss", ANY & ~(1u << W_GSS)},
    {"!gss,!sspi", ANY & ~(1u << W_GSS | 1u << W_SSPI | 1u << W_GSS_CONTINUE)},
    {"!none,!password,!md5,!gss,!sspi,!scram-sha-256,!oauth", 0},
};

static const char *refusal_of(way w, const char *rule)
{
    static char text[256];

    snprintf(text, sizeof text, "the server asks for %s authentication, which require_auth=%s does not allow",
             ways[w].name, rule);
    return text;
}

/* What would allow it; "": nothing. */
static const char *way_out(way w, const char *rule)
{
    static const char *const words[N_WAYS] = {
        [W_TRUST] = "none", [W_PASSWORD] = "password", [W_MD5] = "md5",   [W_SCRAM] = "scram-sha-256",
        [W_GSS] = "gss",    [W_GSS_CONTINUE] = "gss",  [W_SSPI] = "sspi", [W_OAUTH] = "oauth",
    };
    static char text[128];

    if (!words[w])
        return "";
    snprintf(text, sizeof text,
             rule[0] == '!' ? "To allow it, take !%s out of require_auth." : "To allow it, add %s to require_auth.",
             words[w]);
    return text;
}

START_TEST(d26_every_method_under_every_rule)
{
    const char *rule = rules[_i].require_auth;

    link_is("TLSv1.3", "certificate hash");
    for (way w = W_TRUST; w < N_WAYS; w++) {
        bool is_allowed = rules[_i].allowed >> w & 1;
        rig r;

        begin(&r, loop, DSN "sslmode=verify-full");
        ck_assert_int_eq(tusk__auth_rule_read(tusk_str_of(rule), &r.settings->require_auth, NULL), TUSK_OK); /* in no
                                  configuration are those that leave nothing of ours */
        ask(&r, ways[w].kind, ways[w].data);
        if (is_allowed && ways[w].is_ours) {
            give_ok(&r);
            ck_assert_int_eq(r.out.len > r.taken, w != W_TRUST);
        } else if (is_allowed && w != W_OAUTH) {
            char text[128];

            snprintf(text, sizeof text, "the server asks for %s authentication, which is not supported", ways[w].name);
            if (w != W_GSS_CONTINUE) /* out of turn: the session sees to that */
                give_refused(&r, TUSK_ERR_AUTH, "28000", text);
        } else if (w == W_OAUTH && is_allowed) {
            give_refused(&r, TUSK_ERR_AUTH, "28000", "the server offers no SASL mechanism that can be used here");
            ck_assert_str_eq(r.err.hint, "Name tusk_oauth() in tusk_config.auth_mechanisms.");
        } else if (w == W_GSS_CONTINUE) {
            ck_assert_int_eq(give(&r), TUSK_ERR_PROTOCOL);
            ck_assert_uint_eq(r.out.len, r.taken);
        } else {
            give_refused(&r, TUSK_ERR_AUTH, "28000", refusal_of(w, rule));
            ck_assert_str_eq(r.err.where, "login");
            ck_assert_str_eq(r.err.hint, way_out(w, rule));
        }
        end(&r);
    }
}
END_TEST

/* The end of an allowed method is no gift, and what follows no method is. */
START_TEST(d26_authentication_ok_counts_behind_an_answer)
{
    static const struct {
        const char *require_auth;
        way way;
    } rows[] = {{"password", W_PASSWORD}, {"md5", W_MD5}, {"!none", W_MD5}};
    verifier v = good;
    tusk_error err;

    for (int i = 0; i < N_OF(rows); i++) {
        char dsn[128];
        rig r;

        snprintf(dsn, sizeof dsn, DSN "require_auth=%s", rows[i].require_auth);
        begin(&r, loop, dsn);
        ask(&r, ways[rows[i].way].kind, ways[rows[i].way].data);
        give_ok(&r);
        r.taken = r.out.len;
        ask(&r, TUSK__AUTH_OK, LITERAL(""));
        send_settings(&r);
        give_ok(&r);
        ck_assert(r.is_ready);
        end(&r);
    }
    ck_assert_int_eq(scram_login(loop, DSN "require_auth=scram-sha-256", LITERAL(PLAIN), v, NULL, &err), TUSK_OK);
}
END_TEST

static const struct {
    const char *dsn, *tls;
    bool is_sent;
} clears[] = {
    {DSN, "", false},
    {DSN "sslmode=prefer", "TLSv1.3", false},
    {DSN "sslmode=require", "TLSv1.3", false}, /* encrypted, but to whom? */
    {DSN "sslmode=verify-full", "TLSv1.3", true},
    {DSN "sslmode=verify-full", "", false},
    {DSN "host=/tmp sslmode=verify-full", "", false},
    {DSN "host=/tmp requirepeer=root", "", true}, /* the dial has compared */
    {DSN "host=@tmp requirepeer=root", "", true},
    {DSN "host=db1 requirepeer=root", "", false},
    {DSN "host=/tmp hostaddr=127.0.0.1 requirepeer=root", "", false},
    {DSN "host=/tmp require_auth=password", "", true},
    {DSN "sslmode=verify-full require_auth=!md5", "", false},
    {DSN "require_auth=!md5", "", false}, /* allowed, but not asked for */
    {DSN "require_auth=password", "", true},
    {DSN "require_auth=scram-sha-256,password", "TLSv1.3", true},
};

START_TEST(d26_the_clear_is_for_who_has_proved_himself_or_was_asked_for)
{
    rig r;

    link_is(clears[_i].tls, "certificate hash");
    begin(&r, loop, clears[_i].dsn);
    ask(&r, TUSK__AUTH_CLEARTEXT_PASSWORD, LITERAL(""));
    if (clears[_i].is_sent) {
        give_ok(&r);
        answer_is(&r, LITERAL("pw-of-alice\0"));
    } else {
        give_refused(&r, TUSK_ERR_AUTH, "28000",
                     "the server asks for the password in the clear, and nothing proves who it is");
        ck_assert_str_eq(r.err.hint,
                         tusk__host_is_local(&r.settings->hosts[0])
                             ? "Say whose the server is by requirepeer, or consent by require_auth=password."
                             : "Connect with sslmode=verify-full, or consent by require_auth=password.");
    }
    end(&r);
}
END_TEST

/* ---- D25: iterations ------------------------------------------------------------------------------------------------------------ */

static const struct {
    const char *iterations;
    tusk_code code;
} counts[] = {
    {"0", TUSK_ERR_PROTOCOL},
    {"1", TUSK_OK},
    {"4095", TUSK_OK},
    {"4096", TUSK_OK},
    {"100000", TUSK_OK},
    {"100001", TUSK_ERR_AUTH},
    {"1e9", TUSK_ERR_PROTOCOL},
    {"-1", TUSK_ERR_PROTOCOL},
    {"+5", TUSK_ERR_PROTOCOL},
    {" 5", TUSK_ERR_PROTOCOL},
    {"2147483647", TUSK_ERR_AUTH},
    {"2147483648", TUSK_ERR_AUTH},
    {"99999999999999999999", TUSK_ERR_AUTH},
};

START_TEST(d25_iterations_out_of_range_are_not_computed)
{
    char first[256];
    rig r;

    begin(&r, loop, DSN);
    ask(&r, TUSK__AUTH_SASL, LITERAL(PLAIN));
    give_ok(&r);
    r.taken = r.out.len;
    snprintf(first, sizeof first, "r=%.*sSERVER,s=c2FsdA==,i=%s", (int)r.login->scram.nonce_len, r.login->scram.nonce,
             counts[_i].iterations);
    ask(&r, TUSK__AUTH_SASL_CONTINUE, tusk_str_of(first));
    n_blocks = 0;
    ck_assert_int_eq(give(&r), counts[_i].code);
    ck_assert_int_eq(n_blocks > 0, counts[_i].code == TUSK_OK);
    end(&r);
}
END_TEST

START_TEST(d25_the_limit_is_the_settings)
{
    tusk__settings *s = NULL;
    verifier v = good;
    tusk_config config = {.dsn = DSN, .scram_max_iterations = 4095};
    rig r;

    begin(&r, loop, DSN);
    ck_assert_int_eq(tusk__settings_new(tusk__loop_allocator(loop), &config, &s, NULL), TUSK_OK);
    tusk__settings_unref(r.login->settings);
    r.login->settings = s;
    ask(&r, TUSK__AUTH_SASL, LITERAL(PLAIN));
    give_ok(&r);
    server_first(&r, &v);
    give_refused(&r, TUSK_ERR_AUTH, "28000", "the server asks for more than 4095 iterations of SCRAM");
    end(&r);
}
END_TEST

START_TEST(d25_keys_are_computed_in_slices)
{
    verifier v = good;
    rig r;
    long before;

    v.iterations = 50000;
    begin(&r, loop, DSN);
    ask(&r, TUSK__AUTH_SASL, LITERAL(PLAIN));
    give_ok(&r);
    server_first(&r, &v);
    before = n_blocks;
    give_ok(&r);
    /* the clock stands still: each slice is as long as it may be, some 8192 iterations of two blocks */
    ck_assert_int_eq(r.n_steps, 6);
    ck_assert_int_ge(n_blocks - before, 2 * 49999);
    ck_assert(server_final(&r, &v));
    give_ok(&r);
    end(&r);
}
END_TEST

static int64_t clock_us;
static int64_t slow_clock(void *ctx)
{
    (void)ctx;
    return clock_us += 300; /* every look at it */
}

START_TEST(d25_a_slow_machine_computes_less_at_a_time)
{
    world *w = world_open();
    tusk_loop *slow;
    verifier v = good;
    rig r;

    w->os.now_us = slow_clock;
    slow = loop_in(w);
    begin(&r, slow, DSN);
    ask(&r, TUSK__AUTH_SASL, LITERAL(PLAIN));
    give_ok(&r);
    server_first(&r, &v);
    give_ok(&r);
    ck_assert_int_eq(r.n_steps, 3); /* two rounds of 512 each: 600 µs */
    end(&r);
    tusk_loop_free(slow);
}
END_TEST

/* ---- kept keys -------------------------------------------------------------------------------------------------------------------- */

static tusk_code counted_login(const char *dsn, verifier v, long *blocks, tusk_error *err)
{
    tusk_code code;

    n_blocks = 0;
    code = scram_login(loop, dsn, LITERAL(PLAIN), v, NULL, err);
    *blocks = n_blocks;
    return code;
}

START_TEST(a_second_login_computes_nothing)
{
    tusk_error err;
    long blocks;

    ck_assert_int_eq(counted_login(DSN, good, &blocks, &err), TUSK_OK);
    ck_assert_int_gt(blocks, 8000);
    ck_assert_int_eq(counted_login(DSN, good, &blocks, &err), TUSK_OK);
    ck_assert_int_lt(blocks, 20);
}
END_TEST

START_TEST(kept_keys_do_not_let_a_wrong_password_in)
{
    tusk_error err;
    long blocks;

    ck_assert_int_eq(counted_login(DSN, good, &blocks, &err), TUSK_OK);
    ck_assert_int_eq(counted_login("user=alice password=wrong", good, &blocks, &err), TUSK_ERR_AUTH);
    ck_assert_str_eq(err.sqlstate, "28P01");
    ck_assert_int_gt(blocks, 8000);
    ck_assert_int_eq(counted_login(DSN, good, &blocks, &err), TUSK_OK);
    ck_assert_int_lt(blocks, 20); /* that failure was another password's */
}
END_TEST

START_TEST(another_salt_or_count_is_computed_anew)
{
    verifier v = good;
    tusk_error err;
    long blocks;

    ck_assert_int_eq(counted_login(DSN, good, &blocks, &err), TUSK_OK);
    v.salt = "another one here";
    ck_assert_int_eq(counted_login(DSN, v, &blocks, &err), TUSK_OK);
    ck_assert_int_gt(blocks, 8000);
    v = good;
    v.iterations = 5000;
    ck_assert_int_eq(counted_login(DSN, v, &blocks, &err), TUSK_OK);
    ck_assert_int_gt(blocks, 8000);
}
END_TEST

START_TEST(keys_of_a_failed_login_are_forgotten)
{
    verifier v = good;
    tusk_error err;
    long blocks;

    ck_assert_int_eq(counted_login(DSN, good, &blocks, &err), TUSK_OK);
    v.password = "changed";
    ck_assert_int_eq(counted_login(DSN, v, &blocks, &err), TUSK_ERR_AUTH);
    ck_assert_int_lt(blocks, 20);
    ck_assert_int_eq(counted_login(DSN, good, &blocks, &err), TUSK_OK);
    ck_assert_int_gt(blocks, 8000);
}
END_TEST

/* At once, not only when the failed login is freed: another attempt may already be on its way. */
START_TEST(keys_are_forgotten_with_the_refusal)
{
    verifier v = good;
    tusk_error err;
    long blocks;
    rig r;

    ck_assert_int_eq(counted_login(DSN, good, &blocks, &err), TUSK_OK);
    v.password = "changed";
    begin(&r, loop, DSN);
    ck_assert_int_eq(run_scram(&r, LITERAL(PLAIN), &v), TUSK_ERR_AUTH);
    ck_assert_int_eq(counted_login(DSN, good, &blocks, &err), TUSK_OK);
    ck_assert_int_gt(blocks, 8000);
    end(&r); /* and only once */
    ck_assert_int_eq(counted_login(DSN, good, &blocks, &err), TUSK_OK);
    ck_assert_int_lt(blocks, 20);
}
END_TEST

START_TEST(keys_of_an_unproved_server_are_not_kept)
{
    verifier v = good;
    tusk_error err;
    long blocks;

    v.signs_wrongly = true;
    ck_assert_int_eq(counted_login(DSN, v, &blocks, &err), TUSK_ERR_AUTH);
    ck_assert_int_eq(counted_login(DSN, good, &blocks, &err), TUSK_OK);
    ck_assert_int_gt(blocks, 8000);
}
END_TEST

/* A login with kept keys that ends in the middle, by a lost connection, has proved nothing. */
START_TEST(keys_of_an_abandoned_login_are_forgotten)
{
    verifier v = good;
    tusk_error err;
    long blocks;
    rig r;

    ck_assert_int_eq(counted_login(DSN, good, &blocks, &err), TUSK_OK);
    begin(&r, loop, DSN);
    ask(&r, TUSK__AUTH_SASL, LITERAL(PLAIN));
    give_ok(&r);
    server_first(&r, &v);
    give_ok(&r);
    end(&r);
    ck_assert_int_eq(counted_login(DSN, good, &blocks, &err), TUSK_OK);
    ck_assert_int_gt(blocks, 8000);
}
END_TEST

/* The server may say no behind the proof too (3D000): the keys were right. */
START_TEST(keys_of_a_login_refused_later_stay)
{
    verifier v = good;
    tusk_error err;
    long blocks;
    rig r;

    begin(&r, loop, DSN);
    ask(&r, TUSK__AUTH_SASL, LITERAL(PLAIN));
    give_ok(&r);
    server_first(&r, &v);
    give_ok(&r);
    ck_assert(server_final(&r, &v));
    ask(&r, TUSK__AUTH_OK, LITERAL(""));
    send_error(&r, "FATAL", "3D000", "database \"app\" does not exist");
    give_refused(&r, TUSK_ERR_CONNECT, "3D000", "database \"app\" does not exist");
    end(&r);
    ck_assert_int_eq(counted_login(DSN, good, &blocks, &err), TUSK_OK);
    ck_assert_int_lt(blocks, 20);
}
END_TEST

/* ---- ready keys instead of a password ------------------------------------------------------------------------------------------------ */

static const char *with_keys(const char *dsn, const verifier *v, int spoil)
{
    static char text[512];
    uint8_t salted[32], client[32], server[32];
    char client64[48], server64[48];

    PKCS5_PBKDF2_HMAC(v->password, (int)strlen(v->password), (const unsigned char *)v->salt, (int)strlen(v->salt),
                      v->iterations, EVP_sha256(), 32, salted);
    hmac256(salted, "Client Key", client);
    hmac256(salted, "Server Key", server);
    client[0] ^= spoil == 1;
    server[31] ^= spoil == 2;
    EVP_EncodeBlock((unsigned char *)client64, client, 32);
    EVP_EncodeBlock((unsigned char *)server64, server, 32);
    snprintf(text, sizeof text, "%s scram_client_key=%s scram_server_key=%s", dsn, client64, server64);
    return text;
}

START_TEST(ready_keys_need_no_password_and_no_iterations)
{
    static const char *const dsns[] = {"user=alice", "user=alice password=wrong"};
    verifier v = good;
    tusk_error err;
    long blocks;

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(counted_login(with_keys(dsns[i], &v, 0), v, &blocks, &err), TUSK_OK);
        ck_assert_int_lt(blocks, 20);
    }
    v.iterations = 200000; /* more than we would compute */
    ck_assert_int_eq(counted_login(with_keys("user=alice", &v, 0), v, &blocks, &err), TUSK_OK);
    ck_assert_int_lt(blocks, 20);
    program_gives = "not asked for";
    v = good;
    ck_assert_int_eq(counted_login(with_keys("user=alice", &v, 0), v, &blocks, &err), TUSK_OK);
}
END_TEST

START_TEST(ready_keys_that_are_wrong_do_not_help)
{
    verifier v = good;
    tusk_error err;

    ck_assert_int_eq(scram_login(loop, with_keys("user=alice", &v, 1), LITERAL(PLAIN), v, NULL, &err), TUSK_ERR_AUTH);
    ck_assert_str_eq(err.sqlstate, "28P01"); /* the server's */
    ck_assert_int_eq(scram_login(loop, with_keys("user=alice", &v, 2), LITERAL(PLAIN), v, NULL, &err), TUSK_ERR_AUTH);
    ck_assert_str_eq(err.sqlstate, "28000"); /* ours: the server did not prove itself */
}
END_TEST

START_TEST(ready_keys_are_for_scram_alone)
{
    verifier v = good;
    rig r;

    begin(&r, loop, with_keys("user=alice", &v, 0));
    ask(&r, TUSK__AUTH_MD5_PASSWORD, LITERAL("salt"));
    give_refused(&r, TUSK_ERR_AUTH, "28P01", "the server asks for a password (MD5), but none was given");
    end(&r);
}
END_TEST

/* ---- NegotiateProtocolVersion and BackendKeyData ------------------------------------------------------------------------------------ */

static const struct {
    const char *settings;
    uint32_t version, n_options;
    tusk_code code;
    const char *message;
    uint32_t protocol;
} negotiations[] = {
    {"max_protocol_version=3.2", 0x00030000, 0, TUSK_OK, NULL, TUSK__PROTOCOL_3_0},
    {"max_protocol_version=3.2", 0, 0, TUSK_OK, NULL, TUSK__PROTOCOL_3_0},
    {"max_protocol_version=3.2", 0x00030002, 0, TUSK_ERR_PROTOCOL, "the server wants what was asked for", 0},
    {"max_protocol_version=3.2", 2, 0, TUSK_ERR_PROTOCOL, "the server wants what was asked for", 0},
    {"max_protocol_version=3.2", 0x00030001, 0, TUSK_ERR_PROTOCOL,
     "the server wants protocol 3.1, which does not exist", 0},
    {"max_protocol_version=3.2", 1, 0, TUSK_ERR_PROTOCOL, "the server wants protocol 3.1, which does not exist", 0},
    {"max_protocol_version=3.2", 0x00030003, 0, TUSK_ERR_PROTOCOL,
     "the server wants a protocol above the one that was asked for", 0},
    {"max_protocol_version=3.2", 3, 0, TUSK_ERR_PROTOCOL,
     "the server wants a protocol above the one that was asked for", 0},
    {"max_protocol_version=3.2", 0x00040000, 0, TUSK_ERR_PROTOCOL,
     "the server wants a protocol above the one that was asked for", 0},
    {"max_protocol_version=3.2", 0x00020000, 0, TUSK_ERR_PROTOCOL,
     "the server wants a protocol above the one that was asked for", 0},
    {"max_protocol_version=3.2", 0xffffffff, 0, TUSK_ERR_PROTOCOL,
     "the server wants a protocol above the one that was asked for", 0},
    {"max_protocol_version=3.2", 0x00030000, 1, TUSK_ERR_PROTOCOL, "the server refuses options that were not sent", 0},
    {"max_protocol_version=3.0", 0x00030000, 0, TUSK_ERR_PROTOCOL, "the server wants what was asked for", 0},
    {"max_protocol_version=3.0", 0x00030002, 0, TUSK_ERR_PROTOCOL,
     "the server wants a protocol above the one that was asked for", 0},
    {"min_protocol_version=3.2", 0x00030000, 0, TUSK_ERR_CONNECT,
     "the server speaks no protocol above 3.0, and min_protocol_version is 3.2", 0},
};

START_TEST(negotiation_goes_down_or_ends)
{
    char dsn[128], message[256];
    tusk__negotiate neg = {.version = negotiations[_i].version, .n_options = negotiations[_i].n_options};
    rig r;

    if (neg.n_options)
        neg.options = LITERAL("_pq_.x\0");
    snprintf(dsn, sizeof dsn, "user=u %s", negotiations[_i].settings);
    begin(&r, loop, dsn);
    tusk__negotiate_protocol_version_write(&r.server, &neg);
    if (negotiations[_i].code == TUSK_OK) {
        give_ok(&r);
        ck_assert_uint_eq(tusk__login_facts_of(r.login)->protocol, negotiations[_i].protocol);
        ask(&r, TUSK__AUTH_OK, LITERAL(""));
        send_settings(&r);
        give_ok(&r);
        ck_assert(r.is_ready);
    } else {
        snprintf(message, sizeof message, "%s%s",
                 negotiations[_i].code == TUSK_ERR_PROTOCOL ? "NegotiateProtocolVersion: " : "",
                 negotiations[_i].message);
        give_refused(&r, negotiations[_i].code, negotiations[_i].code == TUSK_ERR_PROTOCOL ? "08P01" : "0A000",
                     message);
    }
    end(&r);
}
END_TEST

static const struct {
    const char *settings;
    size_t key_len;
    tusk_code code;
} keys[] = {
    {"", 4, TUSK_OK},
    {"", 5, TUSK_ERR_PROTOCOL},
    {"", 32, TUSK_ERR_PROTOCOL},
    {"max_protocol_version=3.2", 4, TUSK_OK},
    {"max_protocol_version=3.2", 32, TUSK_OK},
    {"max_protocol_version=3.2", 256, TUSK_OK},
};

START_TEST(cancel_keys_have_the_length_of_their_protocol)
{
    char dsn[128], key[256];
    rig r;

    memset(key, 'k', sizeof key);
    snprintf(dsn, sizeof dsn, "user=u %s", keys[_i].settings);
    begin(&r, loop, dsn);
    ask(&r, TUSK__AUTH_OK, LITERAL(""));
    tusk__backend_key_data_write(&r.server,
                                 &(tusk__backend_key){.pid = 1, .key = tusk_str_from(key, keys[_i].key_len)});
    ck_assert_int_eq(give(&r), keys[_i].code);
    if (keys[_i].code == TUSK_OK)
        ck_assert_uint_eq(tusk__login_facts_of(r.login)->cancel_key_len, keys[_i].key_len);
    end(&r);
}
END_TEST

START_TEST(a_negotiated_3_0_has_short_keys)
{
    rig r;

    begin(&r, loop, "user=u max_protocol_version=3.2");
    tusk__negotiate_protocol_version_write(&r.server, &(tusk__negotiate){.version = TUSK__PROTOCOL_3_0});
    ask(&r, TUSK__AUTH_OK, LITERAL(""));
    tusk__backend_key_data_write(&r.server, &(tusk__backend_key){.pid = 1, .key = LITERAL("12345678")});
    give_refused(&r, TUSK_ERR_PROTOCOL, "08P01", "BackendKeyData: a key of 8 bytes in protocol 3.0");
    end(&r);
}
END_TEST

START_TEST(no_cancel_key_is_fine)
{
    rig r;

    begin(&r, loop, "user=u");
    ask(&r, TUSK__AUTH_OK, LITERAL(""));
    tusk__ready_for_query_write(&r.server, 'I');
    give_ok(&r);
    ck_assert(r.is_ready);
    ck_assert_uint_eq(tusk__login_facts_of(r.login)->cancel_key_len, 0);
    end(&r);
}
END_TEST

/* ---- the server says no -------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *sqlstate;
    tusk_code code;
} refusals[] = {
    {"28000", TUSK_ERR_AUTH},    {"28P01", TUSK_ERR_AUTH},    {"3D000", TUSK_ERR_CONNECT},
    {"57P03", TUSK_ERR_CONNECT}, {"53300", TUSK_ERR_CONNECT}, {"08P01", TUSK_ERR_CONNECT},
    {"42501", TUSK_ERR_CONNECT}, {"XX000", TUSK_ERR_CONNECT}, {"2F000", TUSK_ERR_CONNECT},
};

START_TEST(a_server_that_is_starting_or_full_is_worth_another_try)
{
    static const struct {
        const char *sqlstate;
        bool is_retriable;
    } rows[] = {{"57P03", true}, {"53300", true}, {"28P01", false}, {"28000", false}};

    for (int i = 0; i < N_OF(rows); i++) {
        rig r;

        begin(&r, loop, DSN);
        send_error(&r, "FATAL", rows[i].sqlstate, "no");
        ck_assert_int_ne(give(&r), TUSK_OK);
        ck_assert_int_eq(tusk_error_is_retriable(&r.err), rows[i].is_retriable);
        end(&r);
    }
}
END_TEST

START_TEST(a_refusal_keeps_the_servers_words)
{
    const tusk__error_field_value fields[] = {
        {'S', LITERAL("FATAL")}, {'V', LITERAL("FATAL")},   {'C', tusk_str_of(refusals[_i].sqlstate)},
        {'M', LITERAL("no")},    {'D', LITERAL("because")}, {'H', LITERAL("try")}};
    rig r;

    begin(&r, loop, DSN);
    tusk__error_fields_write(&r.server, TUSK__B_ERROR_RESPONSE, fields, 6);
    give_refused(&r, refusals[_i].code, refusals[_i].sqlstate, "no");
    ck_assert_str_eq(r.err.detail, "because");
    ck_assert_str_eq(r.err.hint, "try");
    ck_assert_str_eq(r.err.where, "login");
    ck_assert_int_eq(r.err.fate, TUSK_FATE_NOT_SENT);
    end(&r);
}
END_TEST

START_TEST(a_refused_version_gets_a_hint)
{
    static const struct {
        const char *dsn, *sqlstate, *hint;
    } rows[] = {
        {"user=u max_protocol_version=3.2", "0A000",
         "Does the server know this protocol? Try max_protocol_version=3.0."},
        {"user=u max_protocol_version=3.2", "08P01",
         "Does the server know this protocol? Try max_protocol_version=3.0."},
        {"user=u max_protocol_version=3.2", "57P03", ""},
        {"user=u", "0A000", ""},
    };

    for (int i = 0; i < N_OF(rows); i++) {
        rig r;

        begin(&r, loop, rows[i].dsn);
        send_error(&r, "FATAL", rows[i].sqlstate, "unsupported frontend protocol");
        give_refused(&r, TUSK_ERR_CONNECT, rows[i].sqlstate, "unsupported frontend protocol");
        ck_assert_str_eq(r.err.hint, rows[i].hint);
        end(&r);
    }
}
END_TEST

START_TEST(notices_and_parameters_are_not_the_logins)
{
    const tusk__error_field_value notice[] = {{'S', LITERAL("WARNING")}, {'C', LITERAL("01000")}, {'M', LITERAL("hm")}};
    rig r;

    begin(&r, loop, DSN);
    tusk__error_fields_write(&r.server, TUSK__B_NOTICE_RESPONSE, notice, 3);
    ask(&r, TUSK__AUTH_OK, LITERAL(""));
    tusk__error_fields_write(&r.server, TUSK__B_NOTICE_RESPONSE, notice, 3);
    send_settings(&r);
    give_ok(&r);
    ck_assert(r.is_ready);
    end(&r);
}
END_TEST

/* ---- D28: nothing survives an attempt --------------------------------------------------------------------------------------------------- */

/* All that a login writes, from the first byte to the last. */
static size_t transcript(tusk_loop *on, char *out, size_t cap)
{
    verifier v = good;
    size_t len;
    rig r;

    begin(&r, on, DSN "max_protocol_version=3.2");
    ck_assert_int_eq(run_scram(&r, LITERAL(BOTH), &v), TUSK_OK);
    ck_assert_uint_eq(tusk__login_facts_of(r.login)->protocol, TUSK__PROTOCOL_3_2);
    ck_assert_uint_le(r.out.len, cap);
    memcpy(out, r.out.buf, len = r.out.len);
    end(&r);
    return len;
}

static void fail_first(int how)
{
    verifier v = good;
    rig r;

    begin(&r, loop, DSN "max_protocol_version=3.2");
    switch (how) {
    case 0:
        break;
    case 1:
        send_error(&r, "FATAL", "57P03", "starting up");
        break;
    case 2:
        ask(&r, TUSK__AUTH_MD5_PASSWORD, LITERAL("salt"));
        break;
    case 3:
        tusk__negotiate_protocol_version_write(&r.server, &(tusk__negotiate){.version = TUSK__PROTOCOL_3_0});
        break;
    default:
        v.signs_wrongly = how == 5;
        ask(&r, TUSK__AUTH_SASL, LITERAL(BOTH));
        give_ok(&r);
        server_first(&r, &v);
        give_ok(&r);
        if (how == 5)
            server_final(&r, &v);
    }
    (void)give(&r);
    end(&r);
}

START_TEST(d28_an_attempt_behind_a_failed_one_is_a_lone_attempt)
{
    char lone[1024], second[1024];
    size_t lone_len;
    world w = the_world;
    tusk_loop *fresh = loop_in(&w);

    link_is("TLSv1.3", "certificate hash");
    lone_len = transcript(fresh, lone, sizeof lone);
    tusk_loop_free(fresh);
    fail_first(_i);
    ck_assert_uint_eq(transcript(loop, second, sizeof second), lone_len);
    ck_assert(memcmp(lone, second, lone_len) == 0);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------------------------------------------------------------ */

static tusk_code login_in_need(bool is_asked)
{
    verifier v = good;
    tusk_code code;
    rig r;

    program_gives = is_asked ? good.password : NULL;
    code = try_begin(&r, loop, DSN);
    r.taken = r.out.len;
    if (code == TUSK_OK)
        code = run_scram(&r, LITERAL(PLAIN), &v);
    ck_assert_int_eq(code == TUSK_OK, r.err.code == TUSK_OK);
    ck_assert_int_eq(r.is_ready, code == TUSK_OK);
    end(&r);
    return code;
}

START_TEST(every_allocation_may_fail)
{
    long live = memory.n_live;
    int n_failed = 0;

    for (long n = 1;; n++) {
        tusk_code code;

        memory.n_calls = 0;
        memory.fail_at = n;
        code = login_in_need(_i);
        memory.fail_at = 0;
        ck_assert_msg(code == TUSK_OK || code == TUSK_ERR_NOMEM, "allocation %ld: %s", n, tusk_code_name(code));
        n_failed += code != TUSK_OK;
        if (memory.n_calls < n)
            break;
    }
    ck_assert_int_ge(n_failed,
                     3 + _i); /* settings, login, StartupMessage, password; without room for kept keys it goes on */
    ck_assert_int_le(memory.n_live - live, 1);
}
END_TEST

START_TEST(nothing_is_fine_to_free)
{
    tusk__login_free(NULL);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("login");
    TCase *startup = tcase_create("startup"), *methods_case = tcase_create("methods"), *d24 = tcase_create("d24"),
          *d25 = tcase_create("d25"), *d26 = tcase_create("d26"), *kept = tcase_create("kept keys"),
          *facts = tcase_create("facts"), *rest = tcase_create("rest");
    TCase *all[] = {startup, methods_case, d24, d25, d26, kept, facts, rest};

    for (int i = 0; i < N_OF(all); i++) {
        tcase_add_checked_fixture(all[i], set_up, tear_down);
        tcase_set_timeout(all[i], 60);
        suite_add_tcase(suite, all[i]);
    }
    tcase_add_loop_test(startup, startup_message_is_these_bytes, 0, N_OF(startups));
    tcase_add_test(startup, startup_message_too_long_is_refused_here);

    tcase_add_test(methods_case, trust_is_answered_by_nothing);
    tcase_add_test(methods_case, cleartext_is_the_password);
    tcase_add_test(methods_case, md5_is_the_hash_of_password_user_and_salt);
    tcase_add_test(methods_case, the_program_is_asked_when_the_server_asks);
    tcase_add_test(methods_case, the_program_is_not_asked_for_what_is_refused_anyway);
    tcase_add_loop_test(methods_case, scram_binds_where_it_can, 0, N_OF(bindings));
    tcase_add_test(methods_case, a_man_in_the_middle_has_another_certificate);
    tcase_add_test(methods_case, a_hash_that_cannot_be_had_is_an_error);
    tcase_add_test(methods_case, a_hash_that_is_not_wanted_is_not_asked_for);
    tcase_add_loop_test(methods_case, what_we_cannot_do_is_named, 0, N_OF(unsupported));
    tcase_add_loop_test(methods_case, no_password_is_said_with_the_method, 0, N_OF(passwordless));
    tcase_add_test(methods_case, unknown_sasl_mechanisms_are_refused);

    tcase_add_loop_test(d24, d24_require_answers_nothing_but_plus, 0, N_OF(unbound));
    tcase_add_test(d24, d24_plus_on_a_plain_link_is_a_lie);
    tcase_add_test(d24, d24_authentication_ok_in_the_middle_of_sasl);
    tcase_add_test(d24, d24_the_machine_itself_wants_the_proof);
    tcase_add_test(d24, d24_a_wrong_signature_is_no_proof);
    tcase_add_test(d24, a_wrong_password_is_the_servers_28P01);

    tcase_add_loop_test(d26, d26_every_method_under_every_rule, 0, N_OF(rules));
    tcase_add_test(d26, d26_authentication_ok_counts_behind_an_answer);
    tcase_add_loop_test(d26, d26_the_clear_is_for_who_has_proved_himself_or_was_asked_for, 0, N_OF(clears));

    tcase_add_loop_test(d25, d25_iterations_out_of_range_are_not_computed, 0, N_OF(counts));
    tcase_add_test(d25, d25_the_limit_is_the_settings);
    tcase_add_test(d25, d25_keys_are_computed_in_slices);
    tcase_add_test(d25, d25_a_slow_machine_computes_less_at_a_time);

    tcase_add_test(kept, ready_keys_need_no_password_and_no_iterations);
    tcase_add_test(kept, ready_keys_that_are_wrong_do_not_help);
    tcase_add_test(kept, ready_keys_are_for_scram_alone);
    tcase_add_test(kept, a_second_login_computes_nothing);
    tcase_add_test(kept, kept_keys_do_not_let_a_wrong_password_in);
    tcase_add_test(kept, another_salt_or_count_is_computed_anew);
    tcase_add_test(kept, keys_of_a_failed_login_are_forgotten);
    tcase_add_test(kept, keys_are_forgotten_with_the_refusal);
    tcase_add_test(kept, keys_of_an_unproved_server_are_not_kept);
    tcase_add_test(kept, keys_of_an_abandoned_login_are_forgotten);
    tcase_add_test(kept, keys_of_a_login_refused_later_stay);

    tcase_add_loop_test(facts, negotiation_goes_down_or_ends, 0, N_OF(negotiations));
    tcase_add_loop_test(facts, cancel_keys_have_the_length_of_their_protocol, 0, N_OF(keys));
    tcase_add_test(facts, a_negotiated_3_0_has_short_keys);
    tcase_add_test(facts, no_cancel_key_is_fine);

    tcase_add_loop_test(rest, a_refusal_keeps_the_servers_words, 0, N_OF(refusals));
    tcase_add_test(rest, a_server_that_is_starting_or_full_is_worth_another_try);
    tcase_add_test(rest, a_refused_version_gets_a_hint);
    tcase_add_test(rest, notices_and_parameters_are_not_the_logins);
    tcase_add_loop_test(rest, d28_an_attempt_behind_a_failed_one_is_a_lone_attempt, 0, 6);
    tcase_add_loop_test(rest, every_allocation_may_fail, 0, 2);
    tcase_add_test(rest, nothing_is_fine_to_free);
    return suite;
}
