/* The failing allocator.
 * Read first: fail_alloc.h. */
#include "test/harness/fail_alloc.h"

#include <stdlib.h>

bool fail_alloc_hits(fail_alloc *fail)
{
    long n = atomic_fetch_add(&fail->n, 1) + 1;

    if (fail->fail_at == 0 || (fail->from_then_on ? n < fail->fail_at : n != fail->fail_at))
        return false;
    atomic_fetch_add(&fail->failed, 1);
    return true;
}

static void *failing_malloc(size_t size, void *user)
{
    fail_alloc *fail = user;
    void *ptr = fail_alloc_hits(fail) ? NULL : malloc(size ? size : 1);

    if (ptr)
        atomic_fetch_add(&fail->live, 1);
    return ptr;
}

static void *failing_realloc(void *old, size_t size, void *user)
{
    fail_alloc *fail = user;
    void *ptr = fail_alloc_hits(fail) ? NULL : realloc(old, size ? size : 1);

    if (ptr && !old)
        atomic_fetch_add(&fail->live, 1);
    return ptr;
}

static void failing_free(void *ptr, void *user)
{
    fail_alloc *fail = user;

    if (ptr)
        atomic_fetch_sub(&fail->live, 1);
    free(ptr);
}

void fail_alloc_init(fail_alloc *fail, long fail_at, bool from_then_on)
{
    *fail = (fail_alloc){.allocator = {failing_malloc, failing_realloc, failing_free, fail},
                         .fail_at = fail_at,
                         .from_then_on = from_then_on};
}
