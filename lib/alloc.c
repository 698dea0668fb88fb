/* The default allocator: the C library's. The only file of the driver that calls malloc, realloc and free by name.
 * It counts nothing and keeps nothing.
 * Read first: tusk/alloc.h. */
#include <stdlib.h>

#include <tusk/alloc.h>

static void *default_malloc(size_t size, void *user)
{
    (void)user;
    return malloc(size);
}

static void *default_realloc(void *ptr, size_t size, void *user)
{
    (void)user;
    return realloc(ptr, size);
}

static void default_free(void *ptr, void *user)
{
    (void)user;
    free(ptr);
}

const tusk_allocator *tusk_allocator_default(void)
{
    static const tusk_allocator allocator = {default_malloc, default_realloc, default_free, NULL};

    return &allocator;
}
