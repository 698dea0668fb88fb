/* TLS contexts by policy. A failure is not kept: who asks next tries again. A context is built anew after a while, so that a
 * program that runs for months sees the root file that was replaced on disk.
 * Read first: lib/tls_cache.h, loop/loop.h "jobs". */
#include "lib/tls_cache.h"

#include "lib/crypto.h"

#include "lib/owner.h"
#include "proto/error_set.h"

#define MAX_AGE_US (300 * (int64_t)1000000)
#define PASSWORD_MAX 1024 /* as OpenSSL's PEM_BUFSIZE */

typedef struct entry entry;
typedef struct build build;

typedef struct cache {
    entry *first;
} cache;

/* The policy's strings lie behind the struct. */
struct entry {
    entry *next;
    tusk_loop *loop;
    tusk__tls_policy policy;
    tusk__tls_context *context; /* NULL until it was built once */
    int64_t built_us;
    build *building;          /* NULL: nobody is at it */
    tusk__tls_waiter waiters; /* head of a circular list, empty unless building */
};

/* What the helper thread touches: nothing of the loop or the entry. */
struct build {
    tusk__job job;
    tusk_allocator allocator;
    entry *entry; /* for `done` alone */
    tusk__tls_policy policy;
    size_t size;                 /* of the block, texts included */
    char password[PASSWORD_MAX]; /* that was asked for */
    tusk_code code;
    tusk__tls_context *context;
    tusk_error err;
};

/* ---- policies ---------------------------------------------------------------------------------------------------- */

/* The policy's texts. */
static const size_t texts[] = {
    offsetof(tusk__tls_policy, rootcert),     offsetof(tusk__tls_policy, home),
    offsetof(tusk__tls_policy, system_file),  offsetof(tusk__tls_policy, system_folders),
    offsetof(tusk__tls_policy, certificate),  offsetof(tusk__tls_policy, key),
    offsetof(tusk__tls_policy, key_password), offsetof(tusk__tls_policy, crl),
    offsetof(tusk__tls_policy, crl_folder),   offsetof(tusk__tls_policy, key_log),
};
#define N_TEXTS (sizeof texts / sizeof texts[0])

static tusk_str text_of(const tusk__tls_policy *policy, size_t i)
{
    tusk_str text;

    memcpy(&text, (const char *)policy + texts[i], sizeof text);
    return text;
}

static size_t text_size(const tusk__tls_policy *policy)
{
    size_t size = 0;

    for (size_t i = 0; i < N_TEXTS; i++)
        size += text_of(policy, i).len;
    return size;
}

static tusk_str put_text(char **at, tusk_str text)
{
    tusk_str copy = tusk_str_from(*at, text.len);

    if (text.len > 0)
        memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return copy;
}

static tusk__tls_policy copy_policy(const tusk__tls_policy *policy, char *space)
{
    tusk__tls_policy copy = *policy;

    for (size_t i = 0; i < N_TEXTS; i++) {
        tusk_str text = put_text(&space, text_of(policy, i));

        memcpy((char *)&copy + texts[i], &text, sizeof text);
    }
    return copy;
}

static bool is_same(const tusk__tls_policy *a, const tusk__tls_policy *b)
{
    for (size_t i = 0; i < N_TEXTS; i++)
        if (!tusk_str_equal(text_of(a, i), text_of(b, i)))
            return false;
    return a->verify == b->verify && a->must_alpn == b->must_alpn && a->trust_system == b->trust_system &&
           a->no_certificate == b->no_certificate && a->must_show_certificate == b->must_show_certificate &&
           a->min_version == b->min_version && a->max_version == b->max_version && a->no_sni == b->no_sni &&
           a->ask_password == b->ask_password && a->ask_user == b->ask_user;
}

/* ---- waiters ----------------------------------------------------------------------------------------------------- */

static void waiters_init(tusk__tls_waiter *head)
{
    head->next = head->prev = head;
}

static void waiters_append(tusk__tls_waiter *head, tusk__tls_waiter *waiter)
{
    waiter->next = head;
    waiter->prev = head->prev;
    head->prev->next = waiter;
    head->prev = waiter;
}

void tusk__tls_cache_leave(tusk__tls_waiter *waiter)
{
    if (!waiter->next)
        return;
    waiter->next->prev = waiter->prev;
    waiter->prev->next = waiter->next;
    waiter->next = waiter->prev = NULL;
}

static void waiters_move(tusk__tls_waiter *from, tusk__tls_waiter *to)
{
    waiters_init(to);
    while (from->next != from) {
        tusk__tls_waiter *waiter = from->next;
        tusk__tls_cache_leave(waiter);
        waiters_append(to, waiter);
    }
}

/* ---- the cache --------------------------------------------------------------------------------------------------- */

/* Among the texts is the password of a key. */
static void wipe(void *bytes, size_t len)
{
    tusk__crypto_openssl()->wipe(bytes, len);
}

/* With the loop, which drops its jobs then: also the one that is building. */
static void free_entry(entry *e)
{
    const tusk_allocator *allocator = tusk__loop_allocator(e->loop);

    tusk__tls_context_unref(e->context);
    wipe(e + 1, text_size(&e->policy));
    allocator->free(e, allocator->user);
}

static void free_cache(tusk_loop *loop, void *value)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    cache *c = value;

    while (c->first) {
        entry *e = c->first;
        c->first = e->next;
        free_entry(e);
    }
    allocator->free(c, allocator->user);
}

static cache *cache_of(tusk_loop *loop)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    cache *c = tusk__loop_slot_get(loop, TUSK__SLOT_TLS);

    if (c)
        return c;
    c = allocator->malloc(sizeof *c, allocator->user);
    if (c) {
        *c = (cache){0};
        tusk__loop_slot_set(loop, TUSK__SLOT_TLS, c, free_cache);
    }
    return c;
}

static entry *new_entry(tusk_loop *loop, const tusk__tls_policy *policy)
{
    const tusk_allocator *allocator = tusk__loop_allocator(loop);
    entry *e = allocator->malloc(sizeof *e + text_size(policy), allocator->user);

    if (e) {
        *e = (entry){.loop = loop};
        e->policy = copy_policy(policy, (char *)(e + 1));
        waiters_init(&e->waiters);
    }
    return e;
}

static entry *entry_of(tusk_loop *loop, const tusk__tls_policy *policy)
{
    cache *c = cache_of(loop);
    entry *e;

    if (!c)
        return NULL;
    for (e = c->first; e; e = e->next)
        if (is_same(&e->policy, policy))
            return e;
    e = new_entry(loop, policy);
    if (e) {
        e->next = c->first;
        c->first = e;
    }
    return e;
}

/* ---- building ---------------------------------------------------------------------------------------------------- */

static void free_build(build *b)
{
    tusk_allocator allocator = b->allocator;

    tusk__tls_context_unref(b->context);
    wipe(b, b->size);
    allocator.free(b, allocator.user);
}

static void work(tusk__job *job)
{
    build *b = OWNER_OF(job, build, job);

    b->code = tusk__tls_context_new(&b->allocator, &b->policy, &b->context, &b->err);
    tusk__tls_thread_stop();
}

static void drop(tusk__job *job)
{
    free_build(OWNER_OF(job, build, job));
    tusk__tls_thread_stop();
}

/* A waiter may free another one, or ask again; the entry stays as long as the loop. */
static void answer(entry *e, const tusk_error *err)
{
    tusk__tls_waiter batch;

    waiters_move(&e->waiters, &batch);
    while (batch.next != &batch) {
        tusk__tls_waiter *waiter = batch.next;
        tusk__tls_cache_leave(waiter);
        waiter->on_done(waiter, err->code == TUSK_OK ? tusk__tls_context_ref(e->context) : NULL, err);
    }
}

static tusk_code build_with_password(entry *e, tusk_error *err);

static void done(tusk__job *job)
{
    build *b = OWNER_OF(job, build, job);
    entry *e = b->entry;
    tusk_error err = b->err;

    if (b->code == TUSK_AGAIN && build_with_password(e, &err) == TUSK_OK) {
        free_build(b);
        return;
    }
    e->building = NULL;
    if (b->code == TUSK_OK) {
        tusk__tls_context_unref(e->context);
        e->context = b->context;
        e->built_us = tusk_loop_now_us(e->loop);
        b->context = NULL;
    }
    free_build(b);
    answer(e, &err);
}

static build *new_build(entry *e, tusk_error *err)
{
    const tusk_allocator *allocator = tusk__loop_allocator(e->loop);
    size_t size = sizeof(build) + text_size(&e->policy);
    build *b = allocator->malloc(size, allocator->user);

    if (!b) {
        (void)tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a TLS context");
        return NULL;
    }
    *b = (build){.job = {.work = work, .done = done, .drop = drop}, .allocator = *allocator, .entry = e, .size = size};
    b->policy = copy_policy(&e->policy, (char *)(b + 1));
    return b;
}

static tusk_code start(build *b, tusk_error *err)
{
    tusk_code code = tusk__job_start(b->entry->loop, &b->job, err);

    if (code == TUSK_OK)
        b->entry->building = b;
    else
        free_build(b);
    return code;
}

static tusk_code start_build(entry *e, tusk_error *err)
{
    build *b = new_build(e, err);

    tusk__crypto_begin();
    return b ? start(b, err) : TUSK_ERR_NOMEM;
}

/* The key is encrypted: its password is the program's to say, here on its thread. In the callback it may do what it likes; who waits
 * for the context may leave. An empty answer is the next build's error. */
static tusk_code build_with_password(entry *e, tusk_error *err)
{
    build *b = new_build(e, err);
    size_t len;

    if (!b)
        return TUSK_ERR_NOMEM;
    len = b->policy.ask_password(b->password, sizeof b->password, b->policy.ask_user);
    b->policy.key_password = tusk_str_from(b->password, len <= sizeof b->password ? len : 0);
    b->policy.ask_password = NULL;
    return start(b, err);
}

static bool is_fresh(const entry *e)
{
    return e->context && tusk_loop_now_us(e->loop) - e->built_us < MAX_AGE_US;
}

tusk_code tusk__tls_cache_get(tusk_loop *loop, const tusk__tls_policy *policy, tusk__tls_waiter *waiter,
                              void (*on_done)(tusk__tls_waiter *waiter, tusk__tls_context *context,
                                              const tusk_error *err),
                              tusk__tls_context **out, tusk_error *err)
{
    entry *e = entry_of(loop, policy);

    if (!e)
        return tusk__error_set(err, TUSK_ERR_NOMEM, NULL, "out of memory for a TLS context");
    if (!e->building && is_fresh(e)) {
        *out = tusk__tls_context_ref(e->context);
        return TUSK_OK;
    }
    if (!e->building)
        TUSK_TRY(start_build(e, err));
    waiter->on_done = on_done;
    waiters_append(&e->waiters, waiter);
    return TUSK_AGAIN;
}
