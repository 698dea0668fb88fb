/* What the programs of the figures share: dying, an allocator that counts, and a connection that is ready.
 * Each program measures one of the figures and prints it as one line; bench/figures puts the wanted figure beside it.
 * Read first: docs/performance.md, bench/figures. */
#ifndef TUSK_BENCH_FIGURE_H
#define TUSK_BENCH_FIGURE_H

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tusk/tusk.h>

#define UNUSED __attribute__((unused))

_Noreturn UNUSED static void die(const char *what, const char *why)
{
    fprintf(stderr, "figure: %s: %s\n", what, why);
    exit(2);
}

_Noreturn UNUSED static void die_of(const tusk_error *err)
{
    char text[1024];

    tusk_error_format(err, text, sizeof text);
    die("tusk", text);
}

UNUSED static void await_ok(tusk_query *q)
{
    if (tusk_await(q) != TUSK_OK)
        die_of(tusk_query_error(q));
}

UNUSED static tusk_conn *connect_ready(tusk_loop *loop, const char *dsn)
{
    tusk_conn *db = tusk_connect(loop, dsn);
    tusk_query *ready = db ? tusk_conn_ready(db) : NULL;

    await_ok(ready);
    tusk_query_free(ready);
    return db;
}

UNUSED static void close_all(tusk_loop *loop, tusk_conn *db)
{
    (void)tusk_await_free(tusk_close(db), NULL);
    tusk_conn_free(db);
    tusk_loop_free(loop);
}

UNUSED static const char *env_of(const char *name)
{
    const char *value = getenv(name);

    if (!value)
        die(name, "is not set: run this through bench/figures");
    return value;
}

/* ---- bytes asked for and not given back; its user is the struct ---- */

typedef struct counted {
    tusk_allocator allocator;
    atomic_llong bytes, peak;
} counted;

/* In front of each block; as much as malloc aligns to. */
typedef union block_head {
    size_t size;
    max_align_t align;
} block_head;

static void counted_add(counted *c, long long bytes)
{
    long long now = atomic_fetch_add(&c->bytes, bytes) + bytes, peak = c->peak;

    while (now > peak && !atomic_compare_exchange_weak(&c->peak, &peak, now))
        continue;
}

static void counted_free(void *ptr, void *user)
{
    block_head *head = ptr;

    if (!ptr)
        return;
    head--;
    counted_add(user, -(long long)head->size);
    free(head);
}

static void *counted_realloc(void *ptr, size_t size, void *user)
{
    block_head *head = ptr ? (block_head *)ptr - 1 : NULL;
    size_t before = head ? head->size : 0;

    head = realloc(head, sizeof *head + size);
    if (!head)
        return NULL;
    head->size = size;
    counted_add(user, (long long)size - (long long)before);
    return head + 1;
}

static void *counted_malloc(size_t size, void *user)
{
    return counted_realloc(NULL, size, user);
}

UNUSED static tusk_loop *counted_loop(counted *c)
{
    tusk_error err = {0};
    tusk_loop *loop;

    memset(c, 0, sizeof *c);
    c->allocator = (tusk_allocator){counted_malloc, counted_realloc, counted_free, c};
    loop = tusk_loop_open(&(tusk_loop_config){.allocator = &c->allocator}, &err);
    if (!loop)
        die_of(&err);
    return loop;
}

#endif
