/* Tests of lib/scram_cache: what is found and what is not, the bound, forgetting, wiping, and life without memory.
 * That a login uses it, and when, is login_test's.
 * Read first: lib/scram_cache.h. */
#include "lib/scram_cache.h"
#include "lib/crypto.h"
#include "test/loop_util.h"

#define N_OF(table) (int)(sizeof(table) / sizeof(table)[0])

static tusk_loop *loop;
static heap memory;

/* A heap that looks for the secret in what is given back, and knows the sizes for it. */
static const char secret[] = "key of the client, 32 bytes long";
static tusk_allocator inner;
static bool secret_was_given_back;

static void *sized_malloc(size_t size, void *user)
{
    char *p = inner.malloc(size + 16, user);

    if (!p)
        return NULL;
    memset(p, 0, size + 16); /* what OpenSSL and the kernel leave in old memory is none of this test's business */
    memcpy(p, &size, sizeof size);
    return p + 16;
}

static void sized_free(void *ptr, void *user)
{
    char *p = ptr ? (char *)ptr - 16 : NULL;
    size_t size = 0;

    if (p) {
        memcpy(&size, p, sizeof size);
        secret_was_given_back |= memmem(ptr, size, secret, 32) != NULL;
    }
    inner.free(p, user);
}

static void *sized_realloc(void *ptr, size_t size, void *user)
{
    void *moved = sized_malloc(size, user);
    size_t old = 0;

    if (!moved || !ptr)
        return moved;
    memcpy(&old, (char *)ptr - 16, sizeof old);
    memcpy(moved, ptr, old < size ? old : size);
    sized_free(ptr, user);
    return moved;
}

static void set_up(void)
{
    tusk_error err = {0};

    heap_init(&memory);
    inner = memory.allocator;
    memory.allocator = (tusk_allocator){sized_malloc, sized_realloc, sized_free, &memory};
    secret_was_given_back = false;
    loop = loop_on_heap(world_open_timeless(), &memory, &err);
    ck_assert_msg(loop != NULL, "%s", err.message);
}

static void tear_down(void)
{
    tusk_loop_free(loop);
    ck_assert_int_eq(memory.n_live, 0);
    ck_assert(!secret_was_given_back);
}

static tusk__scram_source source(const char *password, const char *salt, uint32_t iterations)
{
    return (tusk__scram_source){tusk_str_of(password), tusk_str_of(salt), iterations};
}

static tusk__scram_name name_of(tusk__scram_source from)
{
    tusk__scram_name name;

    ck_assert(tusk__scram_cache_name(loop, tusk__crypto_openssl(), &from, &name));
    return name;
}

static tusk__scram_keys keys_of(int n)
{
    tusk__scram_keys keys;

    memcpy(keys.client_key, secret, 32);
    memset(keys.server_key, n, sizeof keys.server_key);
    return keys;
}

static void put(tusk__scram_source from, int n)
{
    tusk__scram_name name = name_of(from);
    tusk__scram_keys keys = keys_of(n);

    tusk__scram_cache_put(loop, &name, &keys);
}

/* The number that the keys were made of, or -1. */
static int get(tusk__scram_source from)
{
    tusk__scram_name name = name_of(from);
    tusk__scram_keys keys;

    if (!tusk__scram_cache_get(loop, &name, &keys))
        return -1;
    ck_assert(memcmp(keys.client_key, secret, 32) == 0);
    return keys.server_key[31];
}

static void drop(tusk__scram_source from)
{
    tusk__scram_name name = name_of(from);

    tusk__scram_cache_drop(loop, &name);
}

static tusk__scram_source numbered(int n)
{
    return source("password", "salt", (uint32_t)n + 1);
}

START_TEST(only_the_same_source_finds_them)
{
    static const struct {
        const char *password, *salt;
        uint32_t iterations;
    } others[] = {
        {"passwore", "salt", 4096}, {"password", "salu", 4096}, {"password", "salt", 4097},  {"passwordsalt", "", 4096},
        {"", "saltpassword", 4096}, {"password", "", 4096},     {"assword", "saltp", 4096},  {"tpassword", "sal", 4096},
        {"password", "salt", 0},    {"Password", "salt", 4096}, {"password ", "salt", 4096},
    };

    ck_assert_int_eq(get(source("password", "salt", 4096)), -1);
    put(source("password", "salt", 4096), 7);
    ck_assert_int_eq(get(source("password", "salt", 4096)), 7);
    for (int i = 0; i < N_OF(others); i++)
        ck_assert_int_eq(get(source(others[i].password, others[i].salt, others[i].iterations)), -1);
    put(source("password", "salt", 4096), 8);
    ck_assert_int_eq(get(source("password", "salt", 4096)), 8);
}
END_TEST

START_TEST(names_tell_nothing_and_differ_from_loop_to_loop)
{
    tusk__scram_source from = source("password", "salt", 4096);
    tusk__scram_name name = name_of(from), other;
    world w = the_world;
    tusk_loop *second = loop_in(&w);

    ck_assert(tusk__scram_cache_name(second, tusk__crypto_openssl(), &from, &other));
    ck_assert(memcmp(&name, &other, sizeof name) != 0);
    tusk_loop_free(second);
}
END_TEST

START_TEST(what_is_dropped_is_gone_alone)
{
    put(numbered(1), 1);
    put(numbered(2), 2);
    drop(numbered(1));
    drop(numbered(1));
    drop(numbered(3));
    ck_assert_int_eq(get(numbered(1)), -1);
    ck_assert_int_eq(get(numbered(2)), 2);
    put(numbered(1), 9);
    ck_assert_int_eq(get(numbered(1)), 9);
}
END_TEST

START_TEST(beyond_the_bound_the_least_recently_used_goes)
{
    for (int i = 0; i < TUSK__SCRAM_CACHE_MAX; i++)
        put(numbered(i), i);
    ck_assert_int_eq(get(numbered(0)), 0); /* now 1 is the oldest */
    put(numbered(100), 100);
    ck_assert_int_eq(get(numbered(1)), -1);
    ck_assert_int_eq(get(numbered(0)), 0);
    for (int i = 2; i < TUSK__SCRAM_CACHE_MAX; i++)
        ck_assert_int_eq(get(numbered(i)), i);
    ck_assert_int_eq(get(numbered(100)), 100);
}
END_TEST

START_TEST(a_freed_place_is_taken_before_a_used_one)
{
    for (int i = 0; i < TUSK__SCRAM_CACHE_MAX; i++)
        put(numbered(i), i);
    drop(numbered(40));
    put(numbered(100), 100);
    for (int i = 0; i < TUSK__SCRAM_CACHE_MAX; i++)
        ck_assert_int_eq(get(numbered(i)), i == 40 ? -1 : i);
}
END_TEST

START_TEST(without_memory_nothing_is_kept_and_nothing_is_wrong)
{
    tusk__scram_source from = numbered(1);
    tusk__scram_name name = {{0}};
    tusk__scram_keys keys = keys_of(1);

    memory.fail_at = memory.n_calls + 1;
    ck_assert(!tusk__scram_cache_name(loop, tusk__crypto_openssl(), &from, &name));
    memory.fail_at = 0;
    ck_assert(!tusk__scram_cache_get(loop, &name, &keys));
    tusk__scram_cache_put(loop, &name, &keys);
    tusk__scram_cache_drop(loop, &name);
    ck_assert(!tusk__scram_cache_get(loop, &name, &keys));
    put(from, 3);
    ck_assert_int_eq(get(from), 3);
}
END_TEST

static int random_calls_left;
static tusk_code no_random(void *user, uint8_t *out, size_t len)
{
    return random_calls_left-- > 0 ? tusk__crypto_openssl()->random(user, out, len) : TUSK_ERR_SYSTEM;
}
static tusk_code no_hmac(void *user, const uint8_t *key, size_t key_len, const tusk_str *parts, size_t n_parts,
                         uint8_t out[TUSK__SHA256_LEN])
{
    (void)user, (void)key, (void)key_len, (void)parts, (void)n_parts, (void)out;
    return TUSK_ERR_NOMEM;
}

START_TEST(without_crypto_there_is_no_name)
{
    tusk__crypto crypto = *tusk__crypto_openssl();
    tusk__scram_source from = numbered(1);
    tusk__scram_name name;
    long live = memory.n_live;

    crypto.random = no_random;
    ck_assert(!tusk__scram_cache_name(loop, &crypto, &from, &name));
    ck_assert_int_eq(memory.n_live, live);
    put(from, 1);
    crypto.hmac_sha256 = no_hmac;
    ck_assert(!tusk__scram_cache_name(loop, &crypto, &from, &name));
}
END_TEST

START_TEST(one_allocation_for_all)
{
    long before;

    put(numbered(0), 0);
    before = memory.n_calls;
    for (int i = 0; i < 2 * TUSK__SCRAM_CACHE_MAX; i++) {
        put(numbered(i), i);
        get(numbered(i));
    }
    ck_assert_int_eq(memory.n_calls, before);
}
END_TEST

/* The heap's free looks for the keys; tear_down asks it. */
START_TEST(the_loop_takes_them_with_it)
{
    put(numbered(0), 0);
    put(numbered(1), 1);
}
END_TEST

Suite *tusk_suite(void)
{
    Suite *suite = suite_create("scram_cache");
    TCase *core = tcase_create("core");

    tcase_add_checked_fixture(core, set_up, tear_down);
    tcase_add_test(core, only_the_same_source_finds_them);
    tcase_add_test(core, names_tell_nothing_and_differ_from_loop_to_loop);
    tcase_add_test(core, what_is_dropped_is_gone_alone);
    tcase_add_test(core, beyond_the_bound_the_least_recently_used_goes);
    tcase_add_test(core, a_freed_place_is_taken_before_a_used_one);
    tcase_add_test(core, without_memory_nothing_is_kept_and_nothing_is_wrong);
    tcase_add_test(core, without_crypto_there_is_no_name);
    tcase_add_test(core, one_allocation_for_all);
    tcase_add_test(core, the_loop_takes_them_with_it);
    suite_add_tcase(suite, core);
    return suite;
}
