/* A world for tests of the configuration: an environment of strings, a home folder of its own below /tmp, and an allocator that
 * fails when told and looks at what is given back. One at a time.
 * Read first: lib/sources.h. */
#ifndef TUSK_TEST_CONFIG_WORLD_H
#define TUSK_TEST_CONFIG_WORLD_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/sources.h"
#include "test/harness/harness.h"

/* ---- the environment: NAME, value, … NULL -------------------------------------------------------------------------------- */

static const char *const *world_variables;
static char world_home[32]; /* "" until world_open() */

static inline const char *world_variable(void *user, const char *name)
{
    (void)user;
    for (const char *const *v = world_variables; v && v[0]; v += 2)
        if (strcmp(v[0], name) == 0)
            return v[1];
    return strcmp(name, "HOME") == 0 && world_home[0] ? world_home : NULL;
}

static inline bool world_has_any(void *user, const char *prefix)
{
    (void)user;
    for (const char *const *v = world_variables; v && v[0]; v += 2)
        if (strncmp(v[0], prefix, strlen(prefix)) == 0)
            return true;
    return false;
}

static const tusk__sources world_sources = {NULL, world_variable, world_has_any, "/tmp", "/nonexistent", false};

/* ---- files in the home folder -------------------------------------------------------------------------------------------- */

static char world_files[8][128];
static int world_n_files;

static inline void world_open(void)
{
    snprintf(world_home, sizeof world_home, "/tmp/tusk-config-XXXXXX");
    ck_assert_ptr_ne(mkdtemp(world_home), NULL);
    world_variables = NULL;
}

static inline const char *world_path(const char *name)
{
    static char path[sizeof world_files[0]];

    snprintf(path, sizeof path, "%s/%s", world_home, name);
    return path;
}

static inline void world_write_bytes(const char *name, const char *bytes, size_t len, mode_t mode)
{
    const char *path = world_path(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), i = 0;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, len), (ssize_t)len);
    ck_assert_int_eq(fchmod(fd, mode), 0);
    close(fd);
    while (i < world_n_files && strcmp(world_files[i], path) != 0)
        i++;
    ck_assert_int_lt(i, 8);
    snprintf(world_files[i], sizeof world_files[i], "%s", path);
    world_n_files += i == world_n_files;
}

static inline void world_write(const char *name, const char *text, mode_t mode)
{
    world_write_bytes(name, text, strlen(text), mode);
}

static inline void world_close(void)
{
    while (world_n_files > 0)
        unlink(world_files[--world_n_files]);
    ck_assert_int_eq(rmdir(world_home), 0);
    world_home[0] = '\0';
    world_variables = NULL;
}

/* ---- the allocator ------------------------------------------------------------------------------------------------------- */

static int world_n_mallocs, world_n_live, world_fail_at; /* fail_at: 1-based, 0 none */
static const char *world_must_be_wiped;                  /* not in a block when it is freed */

typedef union world_head {
    size_t size;
    max_align_t align;
} world_head;

static inline void *world_malloc(size_t size, void *user)
{
    world_head *head = ++world_n_mallocs == world_fail_at ? NULL : malloc(sizeof *head + size);

    (void)user;
    if (!head)
        return NULL;
    head->size = size;
    memset(head + 1, 0xA5, size); /* what is not written shows */
    world_n_live++;
    return head + 1;
}

static inline void *world_realloc(void *p, size_t size, void *user)
{
    (void)p, (void)size, (void)user;
    ck_abort_msg("a configuration never grows");
    return NULL;
}

static inline void world_free(void *p, void *user)
{
    world_head *head = (world_head *)p - 1;

    (void)user;
    if (!p)
        return;
    if (world_must_be_wiped)
        ck_assert(memmem(p, head->size, world_must_be_wiped, strlen(world_must_be_wiped)) == NULL);
    world_n_live--;
    free(head);
}

static const tusk_allocator world_allocator = {world_malloc, world_realloc, world_free, NULL};

#endif
